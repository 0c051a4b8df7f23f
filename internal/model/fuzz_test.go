package model

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf8"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
)

// budget is how long one small file may take, on a machine that does other things too.
const budget = 5 * time.Second

func FuzzCard(f *testing.F) {
	for _, s := range []string{
		"---\nlicense: mit\nbase_model: [a/b, https://huggingface.co/c/d]\n---\n# X\n## License\ny\n",
		"\ufeff\r\n---\r\nlicense: other\r\nlicense_name: x\r\nlicense_link: LICENSE\r\n---\r\n", "---\nlicense: [mit\n---\n", "---\nlicense: mit\n",
		"---\na: &a [*a]\nlicense: *a\n---\n", "License\n===\n```\n# License\n", utf16LE("---\nlicense: mit\n---\n"), "---\n---\n", "---\r---\r",
		"---\nlicense: !!binary bWl0\n---\n", "---\nx: |\n  ---\nlicense: mit\n---\n", "#\n##\tlicense\n\xff", "---\nlicense: mit\nlicense: gpl\n---\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		start := time.Now()
		m, err := Read(fstest.MapFS{"README.md": {Data: data}}, folderRef, "")
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > budget {
			t.Fatalf("took %v", d)
		}
		checkCard(t, m, plain(data))
	})
}

// checkCard checks what holds for every card that is no pointer.
func checkCard(t *testing.T, m *Model, data []byte) {
	t.Helper()
	if _, pointer := parsePointer(data); pointer {
		return
	}
	if m.Card == nil {
		t.Fatal("no card")
	}
	unreadFront, noLicense := false, false
	for _, g := range m.Gaps {
		unreadFront = unreadFront || g.Kind == Unread && g.What == "README.md front matter"
		noLicense = noLicense || g.Kind == Absent && g.What == "README.md license"
	}
	switch {
	case unreadFront && (len(m.Claims) > 0 || len(m.Parents) > 0):
		t.Fatalf("claims of front matter that could not be read: %v, %v", m.Claims, m.Parents)
	case unreadFront && noLicense:
		t.Fatal("front matter that could not be read is taken for one without license")
	case noLicense && len(m.Claims) > 0:
		t.Fatalf("no license, and the claims %v", m.Claims)
	case !bytes.HasSuffix(data, m.Card.Body):
		t.Fatalf("the body %q is not the end of the card", m.Card.Body)
	}
	lines := 2 + bytes.Count(data, []byte("\n")) + bytes.Count(data, []byte("\r"))
	for _, c := range m.Claims {
		var line int
		if _, err := fmt.Sscanf(c.Where, "README.md:%d", &line); err != nil || line < 1 || line > lines {
			t.Fatalf("claim %+v in a card of %d lines", c, lines)
		}
	}
	if s := m.Card.LicenseSection; s != nil && (s.Line < m.Card.BodyLine || s.Line > lines || len(s.Text) > MaxSection) {
		t.Fatalf("section at line %d of %d, %d bytes", s.Line, lines, len(s.Text))
	}
}

// FuzzFolder reads one file under each of the names that are read, and says something about each that it could not read.
func FuzzFolder(f *testing.F) {
	names := []string{"config.json", "adapter_config.json", "mergekit_config.yml", "m.gguf", "m.safetensors", "LICENSE", "m.bin", "model_index.json"}
	for i, s := range []string{
		`{"architectures": ["X"], "auto_map": {"a": ["b--c.d", null]}, "_name_or_path": "a/b"}`, `{"base_model_name_or_path": "a/b"}`,
		"models:\n- model: a/b+c/d\n- model: {model: {path: x}}\nmodules: {x: {slices: [{sources: [{model: y}]}]}}\n",
		string(gguftest.Write([]gguftest.KV{
			{Key: "general.license", Value: "mit"},
			{Key: "general.base_model.count", Value: uint32(1)},
			{Key: "general.base_model.0.repo_url", Value: "https://huggingface.co/a/b"},
			{Key: "general.datasets", Value: []string{"x"}},
		}, nil)),
		"\x10\x00\x00\x00\x00\x00\x00\x00" + `{"__metadata__":{}}`, "terms", "\x80\x02.", `{"_class_name": "X"}`,
	} {
		f.Add(uint8(i), []byte(s))
	}
	f.Fuzz(func(t *testing.T, n uint8, data []byte) {
		name := names[int(n)%len(names)]
		start := time.Now()
		m, err := Read(fstest.MapFS{name: {Data: data}}, folderRef, "")
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > budget {
			t.Fatalf("took %v", d)
		}
		for _, g := range m.Gaps {
			if g.What == "" || g.Why == "" || strings.Contains(g.Why, "%!") {
				t.Fatalf("gap %+v", g)
			}
		}
		for _, p := range m.Parents {
			if p.Ref == "" || p.Where == "" || p.Relation == "" {
				t.Fatalf("parent %+v", p)
			}
		}
		if name == "LICENSE" && len(m.Texts) == 0 && len(bytes.TrimSpace(data)) > 0 && len(m.Gaps) < 3 {
			t.Fatalf("%q is neither a text nor a gap", data)
		}
		if len(m.Texts) > 0 && utf8.Valid(data) && !utf8.Valid(m.Texts[0].Data) {
			t.Fatal("the text is no longer UTF-8")
		}
	})
}
