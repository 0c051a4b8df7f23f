package sarif

import (
	"bytes"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/report"
)

func rendered(t *testing.T, docs ...*report.Document) log {
	t.Helper()
	var b bytes.Buffer
	if err := Render(&b, docs); err != nil {
		t.Fatal(err)
	}
	var l log
	if err := json.Unmarshal(b.Bytes(), &l); err != nil {
		t.Fatal(err)
	}
	return l
}

func doc(outcome string, reasons ...report.Reason) *report.Document {
	return &report.Document{
		Subject: report.Subject{Ref: "acme/tiny", Origin: "hf"},
		License: &report.License{Outcome: outcome, Summary: "a summary", Effective: []string{"mit"}, Reasons: reasons},
	}
}

func TestLevels(t *testing.T) {
	because := func(outcome string) report.Reason { return report.Reason{Outcome: outcome, Code: "x", Text: "because"} }
	for _, tt := range []struct {
		name string
		doc  *report.Document
		want []string
	}{
		{"allowed gives no alert", doc("allowed", because("allowed")), nil},
		{"conditional gives one note", doc("conditional", because("conditional"), because("conditional")), []string{"note"}},
		{"undetermined warns", doc("undetermined", because("undetermined"), because("conditional")), []string{"warning"}},
		{"prohibited is an error, and open points stay", doc("prohibited", because("prohibited"), because("undetermined")), []string{"error", "warning"}},
		{"two open points of one kind are two alerts", doc("undetermined", because("undetermined"), because("undetermined")), []string{"warning", "warning"}},
		{"a bar without a reason is still a bar", doc("prohibited"), []string{"error"}},
		{"an unknown outcome warns", doc("fine"), []string{"warning"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := rendered(t, tt.doc).Runs[0]
			if len(r.Results) != len(tt.want) {
				t.Fatalf("%d results, want %v", len(r.Results), tt.want)
			}
			for i, res := range r.Results {
				rule := r.Tool.Driver.Rules[res.RuleIndex]
				if res.Level != tt.want[i] || res.RuleID != rule.ID || rule.DefaultConfiguration.Level != res.Level {
					t.Errorf("result %d: level %s, rule %s at %d (%s), want %s", i, res.Level, res.RuleID, res.RuleIndex, rule.ID, tt.want[i])
				}
				if res.Locations[0].PhysicalLocation.ArtifactLocation.URI == "" {
					t.Error("no place, which code scanners refuse")
				}
			}
		})
	}
}

func TestRulesAreDocumented(t *testing.T) {
	for _, r := range append(rules(), estimateRules()...) {
		if r.ShortDescription.Text == "" || r.FullDescription.Text == "" || r.Help.Text == "" || len(r.Properties.Tags) == 0 {
			t.Errorf("%s says too little", r.ID)
		}
	}
}

// TestFingerprint: neither words nor lines of a finding change its fingerprint; the model, the license and the clause do.
func TestFingerprint(t *testing.T) {
	of := func(edit func(*report.Document)) string {
		d := doc("prohibited", report.Reason{Outcome: "prohibited", Code: "field", Text: "no", License: "x", Clause: "2", Evidence: []string{"LICENSE:1-2"}})
		edit(d)
		return rendered(t, d).Runs[0].Results[0].PartialFingerprints[fingerprint]
	}
	base := of(func(*report.Document) {})
	for name, edit := range map[string]func(*report.Document){
		"again":   func(*report.Document) {},
		"words":   func(d *report.Document) { d.License.Reasons[0].Text = "never" },
		"lines":   func(d *report.Document) { d.License.Reasons[0].Evidence = []string{"LICENSE:9-9"} },
		"version": func(d *report.Document) { d.Tool.Version = "9" },
	} {
		if of(edit) != base {
			t.Errorf("%s changes the fingerprint", name)
		}
	}
	for name, edit := range map[string]func(*report.Document){
		"model":  func(d *report.Document) { d.Subject.Ref = "acme/other" },
		"clause": func(d *report.Document) { d.License.Reasons[0].Clause = "3" },
		"code":   func(d *report.Document) { d.License.Reasons[0].Code = "threshold" },
	} {
		if of(edit) == base {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
}

func TestPlace(t *testing.T) {
	for _, tt := range []struct{ name, origin, ref, file, want string }{
		{"a folder", "dir", "./models/tiny", "LICENSE", "models/tiny/LICENSE"},
		{"a folder with a prefix", "dir", "dir:org/name", "LICENSE", "org/name/LICENSE"},
		{"a folder without a text", "dir", "./models/tiny", "", "models/tiny"},
		{"blanks and signs", "dir", "my models/100% #1?", "LICENSE (1).txt", "my%20models/100%25%20%231%3F/LICENSE%20%281%29.txt"},
		{"a colon is no scheme", "dir", "javascript:alert(1)", "LICENSE", "javascript%3Aalert%281%29/LICENSE"},
		{"controls", "dir", "a\x1b]8;;\x07\u202eb", "LICENSE", "a%1B%5D8;;%07%E2%80%AEb/LICENSE"},
		{"backslashes", "dir", `models\tiny`, `sub\LICENSE`, "models/tiny/sub/LICENSE"},
		{"an absolute folder", "dir", "/srv/models/tiny", "LICENSE", "file:///srv/models/tiny/LICENSE"},
		{"a drive", "dir", `C:\models\tiny`, "LICENSE", "file:///C:/models/tiny/LICENSE"},
		{"a file", "file", "licenses/LICENSE.txt", "LICENSE.txt", "licenses/LICENSE.txt"},
		{"a model elsewhere", "hf", "acme/tiny@v1", "LICENSE", "acme/tiny@v1"},
		{"a registry", "ollama", "ollama:llama3:8b", "", "ollama%3Allama3%3A8b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := doc("prohibited")
			d.Subject = report.Subject{Ref: tt.ref, Origin: tt.origin}
			if tt.file != "" {
				d.License.Matches = []report.Match{{ID: "mit", Relation: "declared"}, {ID: "mit", File: tt.file, StartLine: 3, EndLine: 1}}
			}
			got := place(d).PhysicalLocation
			if got.ArtifactLocation.URI != tt.want {
				t.Errorf("got %s, want %s", got.ArtifactLocation.URI, tt.want)
			}
			if got.Region != nil && got.Region.EndLine < got.Region.StartLine {
				t.Errorf("region %v", *got.Region)
			}
			if u, err := url.Parse(got.ArtifactLocation.URI); err != nil || u.Scheme != "" && u.Scheme != "file" || u.Host != "" {
				t.Errorf("%s is %v: %v", got.ArtifactLocation.URI, u, err)
			}
		})
	}
}

func TestMessagesHoldNoMarkup(t *testing.T) {
	d := doc("prohibited", report.Reason{Outcome: "prohibited", Code: "x", Text: "see [here](https://x.example) {0} \x1b[31m \\x1b"})
	got := rendered(t, d).Runs[0].Results[0].Message.Text
	if want := `see [here] (https://x.example) {{0}} \x1b[31m \x1b`; !strings.Contains(got, want) {
		t.Errorf("got %q, want %q in it", got, want)
	}
}

// TestGapsAreNotified: what could not be read is told even where there is no alert.
func TestGapsAreNotified(t *testing.T) {
	d := doc("allowed")
	d.Gaps = []report.Gap{{What: "a", Why: "b", Kind: "unread"}, {What: "c", Why: "d", Kind: "absent"}, {What: "e", Why: "f", Kind: "strange"}}
	if n := len(rendered(t, d).Runs[0].Invocations[0].Notifications); n != 2 {
		t.Errorf("%d notifications, want 2", n)
	}
}

func estimated(verdict string, edit func(*report.Estimate)) *report.Document {
	e := &report.Estimate{Summary: "a summary", Outlook: report.Outlook{
		Verdict: verdict, Fits: verdict == "fits", Plan: &report.ServingPlan{GPUName: "X", GPUs: 1, Engine: "vllm"},
	}}
	if edit != nil {
		edit(e)
	}
	return &report.Document{Subject: report.Subject{Ref: "acme/tiny", Origin: "hf"}, Estimate: e}
}

func TestEstimateLevels(t *testing.T) {
	for _, tt := range []struct{ verdict, rule, level string }{
		{"fits", "", ""},
		{"tight", "estimate-tight", "warning"},
		{"does_not_fit", "estimate-does-not-fit", "error"},
		{"undetermined", "estimate-undetermined", "warning"},
		{"sure", "estimate-undetermined", "warning"},
	} {
		r := rendered(t, estimated(tt.verdict, nil)).Runs[0]
		if tt.rule == "" {
			if len(r.Results) != 0 || len(r.Invocations[0].Notifications) != 0 {
				t.Errorf("%s: %v, %v", tt.verdict, r.Results, r.Invocations)
			}
			continue
		}
		if len(r.Results) != 1 {
			t.Fatalf("%s: %d results", tt.verdict, len(r.Results))
		}
		res := r.Results[0]
		if res.RuleID != tt.rule || res.Level != tt.level || r.Tool.Driver.Rules[res.RuleIndex].ID != tt.rule {
			t.Errorf("%s: rule %s at %d, level %s", tt.verdict, res.RuleID, res.RuleIndex, res.Level)
		}
	}
}

func TestEstimateMessage(t *testing.T) {
	d := estimated("does_not_fit", func(e *report.Estimate) {
		e.Breaks, e.Changes = "weights", []report.Mend{{Text: "use two", Flag: "--gpus 2"}, {Text: "use fp8."}}
	})
	want := "acme/tiny: a summary What breaks it: weights. Change: use two (--gpus 2). Change: use fp8."
	if got := rendered(t, d).Runs[0].Results[0].Message.Text; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestEstimateFingerprint: another card or another length is another alert; other words are not.
func TestEstimateFingerprint(t *testing.T) {
	of := func(edit func(*report.Estimate)) string {
		return rendered(t, estimated("tight", edit)).Runs[0].Results[0].PartialFingerprints[fingerprint]
	}
	base := of(nil)
	if of(func(e *report.Estimate) { e.Summary = "other words" }) != base {
		t.Error("words change the fingerprint")
	}
	for name, edit := range map[string]func(*report.Estimate){
		"card":   func(e *report.Estimate) { e.Plan.GPUName = "Y" },
		"length": func(e *report.Estimate) { e.Plan.MaxModelLen = 5 },
		"plan":   func(e *report.Estimate) { e.Plan = nil },
	} {
		if of(edit) == base {
			t.Errorf("%s does not change the fingerprint", name)
		}
	}
}
