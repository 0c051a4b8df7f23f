package jsondoc

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

func document(ref string) *report.Document {
	return &report.Document{Schema: report.Schema, Subject: report.Subject{Ref: ref, Origin: "hf"}, License: &report.License{Outcome: "allowed"}}
}

func TestRender(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"letters stay", "übung 流れ <b>&", `"ref": "übung 流れ <b>&"`},
		{"controls", "a\x1b\x7f\u009b", `"ref": "a\u001b\u007f\u009b"`},
		{"bidirectional and zero-width", "\u202e\u200b\ufeff", `"ref": "\u202e\u200b\ufeff"`},
		{"tags need two units", "\U000e0041", `"ref": "\udb40\udc41"`},
		{"commands of runners", "##[group] ###", `"ref": "#\u0023[group] #\u0023\u0023"`},
		{"an escape that was text stays text", `\u202e ##`, `"ref": "\\u202e #\u0023"`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var b bytes.Buffer
			if err := Render(&b, []*report.Document{document(tt.in)}); err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(b.Bytes(), []byte(tt.want)) {
				t.Errorf("no %s in\n%s", tt.want, b.Bytes())
			}
			if bytes.Contains(b.Bytes(), []byte("null")) {
				t.Errorf("a list is null:\n%s", b.Bytes())
			}
		})
	}
}

func FuzzRoundTrip(f *testing.F) {
	for _, s := range []string{"", "a", "\u202e", "##[", "\U000e0041\U0010ffff", "\\u0023", "\"#\"#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		in := document(string(bytes.ToValidUTF8([]byte(s), []byte("?")))).Complete()
		var b bytes.Buffer
		if err := RenderLines(&b, []*report.Document{in}); err != nil {
			t.Fatal(err)
		}
		for _, r := range string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))) {
			if printable.Hidden(r) {
				t.Errorf("%U is raw in %s", r, b.Bytes())
			}
		}
		var back report.Document
		if err := json.Unmarshal(b.Bytes(), &back); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(in, &back); diff != "" {
			t.Errorf("-want +got\n%s", diff)
		}
	})
}
