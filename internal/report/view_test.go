package report

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFindings(t *testing.T) {
	grant := Reason{Outcome: "allowed", Code: "grant", Text: "use is granted", License: "mit", Clause: "1"}
	note := Reason{Outcome: "allowed", Code: "revocable", Text: "may end", License: "x", Clause: "9"}
	bar := Reason{Outcome: "prohibited", Code: "field", Text: "not for war", License: "x", Clause: "2", Says: "says", Evidence: []string{"LICENSE:1"}}
	same := bar
	same.License, same.Evidence = "y", []string{"LICENSE:1", "base model b"}
	duty := Reason{Outcome: "conditional", Code: "duty", Text: "show it", License: "x"}
	calm := Reason{Outcome: "allowed", Code: "threshold", Text: "not crossed", License: "x", Clause: "3"}
	for _, tt := range []struct {
		name string
		in   License
		want []Group
	}{
		{"nothing", License{Outcome: "allowed"}, nil},
		{
			"grants count where the use is allowed",
			License{Outcome: "allowed", Reasons: []Reason{grant}},
			[]Group{{"allowed", "allowed", []Finding{{"use is granted", []Cite{{"mit", "1", ""}}, nil}}}},
		},
		{
			"and not where something stands against it; notes stay",
			License{Outcome: "conditional", Reasons: []Reason{grant, note}},
			[]Group{{"allowed", "note", []Finding{{"may end", []Cite{{"x", "9", ""}}, nil}}}},
		},
		{
			"one text, several licenses",
			License{Outcome: "prohibited", Reasons: []Reason{bar, same}},
			[]Group{{"prohibited", "prohibited", []Finding{{"not for war", []Cite{{"x", "2", "says"}, {"y", "2", "says"}}, []string{"LICENSE:1", "base model b"}}}}},
		},
		{"a duty stands on its list", License{Outcome: "conditional", Reasons: []Reason{duty}, Duties: []Duty{{Text: "show it", License: "x"}}}, nil},
		{
			"but one that is on no list is told",
			License{Outcome: "conditional", Reasons: []Reason{duty}},
			[]Group{{"conditional", "conditional", []Finding{{"show it", []Cite{{"x", "", ""}}, nil}}}},
		},
		{"a limit that is not crossed stands on its list", License{Outcome: "allowed", Reasons: []Reason{calm}, Thresholds: []Threshold{{License: "x", Clause: "3"}}}, nil},
		{
			"an unknown outcome is undetermined",
			License{Outcome: "fine", Reasons: []Reason{{Outcome: "fine", Code: "grant", Text: "x"}}},
			[]Group{{"undetermined", "undetermined", []Finding{{"x", nil, nil}}}},
		},
		{"strictest first", License{Outcome: "prohibited", Reasons: []Reason{note, {Outcome: "undetermined", Text: "u"}, bar}}, []Group{
			{"prohibited", "prohibited", []Finding{{"not for war", []Cite{{"x", "2", "says"}}, []string{"LICENSE:1"}}}},
			{"undetermined", "undetermined", []Finding{{"u", nil, nil}}},
			{"allowed", "note", []Finding{{"may end", []Cite{{"x", "9", ""}}, nil}}},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := tt.in.Findings()
			if len(got) == 0 && len(tt.want) == 0 {
				return
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}

func TestTasks(t *testing.T) {
	l := License{Duties: []Duty{
		{Text: "ship the text", License: "a", Routine: true, Certain: true},
		{Text: "maybe", License: "a", When: "when modified"},
		{Text: `show "X"`, Exact: "X", License: "a", Clause: "1", Certain: true},
		{Text: "ship the text", License: "b", Routine: true, Certain: true},
		{Text: `show "X"`, Exact: "X", License: "b", Clause: "2", Certain: true},
		{Text: "put it there", Exact: "Word for word", License: "b", Certain: true},
	}}
	conditions, routine := l.Tasks()
	want := []Task{
		{Text: `show "X"`, Certain: true, Cites: []Cite{{"a", "1", ""}, {"b", "2", ""}}},
		{Text: "put it there", Exact: "Word for word", Certain: true, Cites: []Cite{{"b", "", ""}}},
		{Text: "maybe", When: "when modified", Cites: []Cite{{"a", "", ""}}},
	}
	if diff := cmp.Diff(want, conditions); diff != "" {
		t.Errorf("conditions -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]Task{{Text: "ship the text", Certain: true, Cites: []Cite{{"a", "", ""}, {"b", "", ""}}}}, routine); diff != "" {
		t.Errorf("routine -want +got\n%s", diff)
	}
}

func TestFacts(t *testing.T) {
	u := Use{Given: map[string]any{
		"revenue": "20000000 USD", "purpose": "product", "shipping": []any{"hosted", "weights"}, "monthly_users": 5e6, "modify": true,
		"fields": []any{}, "x_new": map[string]any{"a": 1.5}, "countries": []string{"EU"}, "domicile": nil, "accept_branding": false,
	}}
	want := []Fact{
		{"purpose", "product"},
		{"shipping", "hosted, weights"},
		{"modify", "yes"},
		{"monthly users", "5M"},
		{"revenue", "20M USD"},
		{"domicile", "not said"},
		{"countries", "EU"},
		{"fields", "none"},
		{"accept branding", "no"},
		{"x new", `{"a":1.5}`},
	}
	if diff := cmp.Diff(want, u.Facts()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestCite(t *testing.T) {
	for want, c := range map[string]Cite{
		"":                              {},
		"mit":                           {License: "mit"},
		"mit, paragraph 2":              {License: "mit", Clause: "paragraph 2"},
		"llama, clause 1(b): in a file": {License: "llama", Clause: "1(b)", Says: "in a file"},
		"clause 2":                      {Clause: "2"},
		"in a file":                     {Says: "in a file"},
	} {
		if got := c.String(); got != want {
			t.Errorf("%v: got %q, want %q", c, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "the model says": "The model says", "adapter_config.json could not": "adapter_config.json could not", "LICENSE is": "LICENSE is",
		"\"mit\" stands": "\"mit\" stands", "übung": "übung",
	} {
		if got := Sentence(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
}

func TestShare(t *testing.T) {
	for _, tt := range []struct {
		name    string
		in      Threshold
		percent int
		known   bool
	}{
		{"nobody said", Threshold{Limit: 10}, 0, false},
		{"cut, not rounded", Threshold{Limit: 1000, Value: new(999.9)}, 99, true},
		{"reached", Threshold{Limit: 1000, Value: new(1000.0)}, 100, true},
		{"a limit of nothing", Threshold{Value: new(1.0)}, 0, false},
		{"beyond measure", Threshold{Limit: 1, Value: new(1e300)}, 1000000, true},
	} {
		if p, known := tt.in.Share(); p != tt.percent || known != tt.known {
			t.Errorf("%s: %d, %t", tt.name, p, known)
		}
	}
}

func TestGlance(t *testing.T) {
	d := &Document{
		Gaps: []Gap{{Kind: "absent"}, {Kind: "unread"}, {Kind: "unreachable"}},
		License: &License{
			Outcome: "undetermined", Reasons: []Reason{{Outcome: "undetermined", Text: "a"}, {Outcome: "undetermined", Text: "b"}},
			Duties: []Duty{{Text: "c"}}, Questions: []Question{{}},
		},
	}
	if got, want := d.Glance(), "2 open points · 1 condition to meet · 1 question to answer · 2 sources not read"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := (&Document{}).Glance(); got != "" {
		t.Errorf("got %q of nothing", got)
	}
}

func TestSummarizeUnknownOutcome(t *testing.T) {
	s := Summarize([]*Document{{License: &License{Outcome: "allowed"}}, {License: &License{Outcome: "fine"}}})
	if want := (Summary{Total: 2, Allowed: 1, Undetermined: 1}); s != want {
		t.Errorf("got %+v, want %+v", s, want)
	}
}
