package identify

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// TestModules identifies the license files of the modules that this one depends on: real files, filled in by their
// authors.
func TestModules(t *testing.T) {
	want := map[string]string{
		"github.com/google/go-cmp":                 "bsd-3-clause equivalent",
		"github.com/google/licensecheck":           "bsd-3-clause equivalent",
		"github.com/spf13/cobra":                   "apache-2.0 equivalent",
		"github.com/spf13/pflag":                   "bsd-3-clause equivalent",
		"github.com/spf13/viper":                   "mit equivalent",
		"github.com/spf13/afero":                   "apache-2.0 equivalent",
		"github.com/spf13/cast":                    "mit equivalent",
		"github.com/github/go-spdx/v2":             "mit equivalent",
		"github.com/fsnotify/fsnotify":             "bsd-3-clause equivalent",
		"github.com/inconshreveable/mousetrap":     "apache-2.0 equivalent",
		"github.com/mattn/go-runewidth":            "mit equivalent",
		"github.com/pelletier/go-toml/v2":          "mit equivalent",
		"github.com/rogpeppe/go-internal":          "bsd-3-clause equivalent",
		"github.com/sagikazarmark/locafero":        "mit equivalent",
		"github.com/sourcegraph/conc":              "mit equivalent",
		"github.com/subosito/gotenv":               "mit equivalent",
		"github.com/santhosh-tekuri/jsonschema/v6": "apache-2.0 equivalent",
		"github.com/opencontainers/go-digest":      "apache-2.0 equivalent",
		"github.com/opencontainers/image-spec":     "apache-2.0 equivalent",
		"github.com/clipperhouse/uax29/v2":         "mit equivalent",
		"github.com/go-viper/mapstructure/v2":      "mit equivalent",
		"github.com/jedib0t/go-pretty/v6":          "mit equivalent",
		"golang.org/x/sync":                        "bsd-3-clause equivalent",
		"golang.org/x/sys":                         "bsd-3-clause equivalent",
		"golang.org/x/term":                        "bsd-3-clause equivalent",
		"golang.org/x/text":                        "bsd-3-clause equivalent",
		"oras.land/oras-go/v2":                     "apache-2.0 equivalent",
		// Two licenses, each for other files, with prose that says which.
		"go.yaml.in/yaml/v3": "mit modified",
		"gopkg.in/yaml.v3":   "mit modified",
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Path}} {{.Dir}}", "all").Output()
	if err != nil {
		t.Skipf("no module list: %v", err)
	}
	x := index(t)
	seen := 0
	for line := range strings.Lines(string(out)) {
		path, dir, _ := strings.Cut(strings.TrimSpace(line), " ")
		answer, ok := want[path]
		if !ok || dir == "" {
			continue
		}
		files, _ := filepath.Glob(filepath.Join(dir, "LICENSE*"))
		for _, f := range files {
			if strings.HasSuffix(f, ".docs") {
				continue
			}
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			seen++
			r := x.Identify(b)
			m, _ := r.Best()
			if got := m.ID + " " + string(m.Relation); got != answer {
				t.Errorf("%s: got %s, want %s; differences %+v", path, got, answer, m.Differences)
			}
		}
	}
	if seen == 0 {
		t.Skip("no module is in the cache")
	}
	t.Logf("%d license files", seen)
}

func own(t testing.TB) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(root(t), "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestOwnLicense changes the project's own license in ways that do and do not matter.
func TestOwnLicense(t *testing.T) {
	text := own(t)
	body, _, ok := strings.Cut(text, "END OF TERMS AND CONDITIONS")
	if !ok {
		t.Fatal("the project's license does not look like Apache-2.0")
	}
	for _, c := range []struct{ name, text, want string }{
		{"whole", text, "apache-2.0 equivalent"},
		{"without appendix", body, "apache-2.0 equivalent"},
		{"copyright line at the top", "Copyright 2024 Foo Bar, Inc. and its affiliates\n\n" + text, "apache-2.0 equivalent"},
		{"copyright line at the bottom", body + "\n\n   Copyright 2019-2024 The Foo Authors <foo@example.org>\n", "apache-2.0 equivalent"},
		{"with a notice", text + "\n\nThis product includes software developed at Example (https://example.org/).\n", "apache-2.0 equivalent"},
		{"one line", strings.Join(strings.Fields(text), " "), "apache-2.0 equivalent"},
		{"latin-1", "Copyright 2020 Andr\xe9 M\xfcller\n\n" + text, "apache-2.0 equivalent"},
		{"sentence at the end", text + "\n\nCommercial use needs our written permission.\n", "apache-2.0 modified"},
		{"sentence in the middle", strings.Replace(text, "   3. Grant", "   Banks are excluded from all rights.\n\n   3. Grant", 1), "apache-2.0 modified"},
		{"innocent words at the end", text + "\n\nAll uses by banks are off limits.\n", "apache-2.0 modified"},
		{"negated", strings.Replace(text, "hereby grants to You", "does not grant to You", 1), "apache-2.0 modified"},
		{"word out", strings.Replace(text, "royalty-free, ", "", 1), "apache-2.0 modified"},
		{"version changed", strings.Replace(text, "Version 2.0, January 2004", "Version 2.1, January 2014", 1), "apache-2.0 modified"},
		{"first half", text[:len(text)/2], "apache-2.0 truncated"},
		{"second half", body[len(body)/2:], "apache-2.0 truncated"},
		{"nothing", " \n\t\n", " "},
		{"login page", "<!doctype html><html><head><title>Sign in</title></head><body><form><input name=u></form><p>You need to sign in to see this license.</p></body></html>", " "},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := index(t).Identify([]byte(c.text))
			m, _ := r.Best()
			if got := m.ID + " " + string(m.Relation); got != c.want {
				t.Errorf("got %s, want %s; %+v %v", got, c.want, m.Differences, r.Unexplained)
			}
		})
	}
}

func TestDifference(t *testing.T) {
	text := strings.Replace(own(t), "   3. Grant", "   Banks are excluded from all rights.\n\n   3. Grant", 1)
	before, _, _ := strings.Cut(text, "Banks")
	line := 1 + strings.Count(before, "\n")
	m, _ := indexOf(t, text).Best()
	want := []Difference{{StartLine: line, EndLine: line, Words: "Banks are excluded from all rights"}}
	if d := cmp.Diff(want, m.Differences); d != "" {
		t.Errorf("differences (-want +got):\n%s", d)
	}
}

func indexOf(t testing.TB, text string) *Result {
	t.Helper()
	r := index(t).Identify([]byte(text))
	return &r
}

func TestMentions(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"tag", "// SPDX-License-Identifier: MIT\npackage x", "mit"},
		{"tag with two", "# SPDX-License-Identifier: (MIT OR GPL-2.0-only)", "mit gpl-2.0"},
		{"link", "See https://www.apache.org/licenses/LICENSE-2.0.txt for the terms.", "apache-2.0"},
		{"creative commons", `<a rel="license" href="x">This work</a> is under http://creativecommons.org/licenses/by-nc-sa/4.0/`, "cc-by-nc-sa-4.0"},
		{"names", "The code is under the MIT License, the weights under the Llama 3.1 Community License.", "mit llama-3.1-community"},
		{"hub link", "Released under https://llama.com/llama3_2/license", "llama-3.2-community"},
		{"longest name", "Released under CC BY-NC-SA 4.0.", "cc-by-nc-sa-4.0"},
		{"none", "The weather was permissive and free.", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := indexOf(t, c.text)
			var got []string
			for _, m := range r.Matches {
				if m.Relation != Mention {
					t.Errorf("%s is %s", m.ID, m.Relation)
				}
				got = append(got, m.ID)
			}
			slices.Sort(got)
			want := strings.Fields(c.want)
			slices.Sort(want)
			if d := cmp.Diff(want, got); d != "" && len(want)+len(got) > 0 {
				t.Errorf("mentions (-want +got):\n%s", d)
			}
		})
	}
}

func TestNoticeIsMention(t *testing.T) {
	_, notice, ok := strings.Cut(own(t), "Licensed under the Apache License")
	if !ok {
		t.Skip("the project's license has no appendix")
	}
	r := indexOf(t, "Copyright 2024 Foo\n\nLicensed under the Apache License"+notice)
	if len(r.Matches) != 1 || r.Matches[0].ID != "apache-2.0" || r.Matches[0].Relation != Mention || len(r.Unexplained) > 0 {
		t.Errorf("got %+v, unexplained %v", r.Matches, r.Unexplained)
	}
}

func TestSecondOpinion(t *testing.T) {
	x := *index(t)
	asked := 0
	x.Second = func([]byte) []Hint {
		asked++
		return []Hint{{SPDX: "MIT", Percent: 100, Line: 1}, {SPDX: "Nobody-Knows-1.0", Percent: 100, Line: 1}}
	}
	x.Identify([]byte(own(t)))
	if asked > 0 {
		t.Error("asked about a text that the index knows")
	}
	r := x.Identify([]byte("Our license: you get a warranty and a copyright with every tea."))
	var got []string
	for _, m := range r.Matches {
		got = append(got, m.ID+" "+string(m.Relation))
	}
	// The index holds MIT and did not see it, so it is not that.
	if d := cmp.Diff([]string{"nobody-knows-1.0 equivalent", "mit mention"}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

func TestClauses(t *testing.T) {
	text := "1. Grant. You get rights, e.g. to copy (see Sec. 2).\n" +
		"2. If your annual revenue exceeds USD 1,000,000, you must request a separate license.\n" +
		"   (a) Use is for research purposes only;\n" +
		"   (b) prominently display \"Built with Foo\" on your website.\n\n" +
		"3. You may not use any output to train another model. We may terminate this at any time.\n"
	var got []string
	for _, f := range Clauses([]byte(text)) {
		got = append(got, string(f.Topic)+": "+f.Quote)
	}
	want := []string{
		"revenue: If your annual revenue exceeds USD 1,000,000, you must request a separate license.",
		"registration or approval: If your annual revenue exceeds USD 1,000,000, you must request a separate license.",
		"research only: Use is for research purposes only;",
		"display: prominently display \"Built with Foo\" on your website.",
		"outputs used for training: You may not use any output to train another model.",
		"termination at will: We may terminate this at any time.",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	if fs := Clauses([]byte(text), Region{3, 3}); len(fs) != 1 || fs[0].StartLine != 3 {
		t.Errorf("clauses of line 3: %+v", fs)
	}
	html := "<html><head><title>x</title></head><body><p>No <b>commercial</b>\nuse.</p></body></html>"
	if fs := Clauses([]byte(html)); len(fs) != 2 || fs[1].Topic != NonCommercial || fs[1].EndLine != 2 {
		t.Errorf("clauses of a page: %+v", fs)
	}
}

func TestParse(t *testing.T) {
	resolve := func(s string) (string, bool) {
		id, ok := map[string]string{"llama3.1": "llama-3.1-community", "Apache-2.0": "apache-2.0"}[s]
		return id, ok
	}
	for _, c := range []struct {
		in   string
		want Expression
	}{
		{"mit", Expression{ID: "mit", SPDX: "MIT"}},
		{"llama3.1", Expression{ID: "llama-3.1-community"}},
		{"MIT or (Apache-2.0 AND llama3.1)", Expression{Op: Or, Children: []Expression{
			{ID: "mit", SPDX: "MIT"},
			{Op: And, Children: []Expression{{ID: "apache-2.0", SPDX: "Apache-2.0"}, {ID: "llama-3.1-community"}}},
		}}},
		{"MIT AND ISC OR Zlib", Expression{Op: Or, Children: []Expression{{Op: And, Children: []Expression{
			{ID: "mit", SPDX: "MIT"}, {ID: "isc", SPDX: "ISC"},
		}}, {ID: "zlib", SPDX: "Zlib"}}}},
		{"GPL-2.0+ with classpath-exception-2.0", Expression{ID: "gpl-2.0", SPDX: "GPL-2.0", Later: true, Exception: "Classpath-exception-2.0"}},
		{"LicenseRef-Foo.1", Expression{ID: "LicenseRef-Foo.1"}},
	} {
		got, err := Parse(c.in, resolve)
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", c.in, d)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "it is empty",
		"other":                 "names no license",
		"NOASSERTION":           "names no license",
		"Foo-1.0":               `"Foo-1.0" is neither an SPDX license id nor a tag`,
		"MIT AND":               "it ends where a license is expected",
		"(MIT":                  "a bracket is not closed",
		"MIT Apache-2.0":        `"Apache-2.0" is left over`,
		"OR MIT":                `"OR" stands where a license is expected`,
		"MIT WITH nothing":      `"nothing" is no license exception`,
		"LicenseRef-ä":          "no valid reference",
		strings.Repeat("(", 99): "nested more than",
	} {
		_, err := Parse(in, nil)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", in, err, want)
		}
	}
	if _, err := Parse("unknown", nil); !errors.Is(err, ErrNoLicense) {
		t.Errorf("unknown: %v", err)
	}
}

// TestIndex checks every entry: it can be read, and its id leads back to it.
func TestIndex(t *testing.T) {
	x := index(t)
	if x.x.Len() < 700 {
		t.Fatalf("%d entries", x.x.Len())
	}
	for i := range x.x.Len() {
		e := x.x.Entry(i)
		id, _, _ := x.x.Names(e)
		if m, ok := x.ByID(id); !ok || m.ID != id {
			t.Errorf("%s leads to %q", id, m.ID)
		}
		if e.Required <= 0 || e.Required > e.Words {
			t.Errorf("%s: %d of %d words required", id, e.Required, e.Words)
		}
		for _, o := range x.x.Optional(e, nil) {
			if o.From < 0 || o.To > e.Words || o.Len() <= 0 {
				t.Errorf("%s: optional %v of %d words", id, o, e.Words)
			}
		}
	}
}

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := shingle.Open(indexData); err != nil {
			b.Fatal(err)
		}
	}
}

// A text that names a license and says nothing else is explained; any other word has to be read.
func TestPointers(t *testing.T) {
	index, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		text, id  string
		explained bool
	}{
		{"SPDX-License-Identifier: Apache-2.0\n", "apache-2.0", true},
		{"Licensed under the Apache License, Version 2.0.\n", "apache-2.0", true},
		{"The model weights are released under CC BY-NC 4.0. See https://creativecommons.org/licenses/by-nc/4.0/\n", "cc-by-nc-4.0", true},
		{"Copyright 2026 ACME GmbH\nThis project is licensed under the MIT License.\n", "mit", true},
		{"Licensed under the Apache License, Version 2.0, except for commercial use.\n", "apache-2.0", false},
		{"Licensed under the MIT License. Customers in Canada need a contract.\n", "mit", false},
		{"Licensed under the MIT License, see https://acme.example/terms\n", "mit", false},
		{"This model is not licensed under the MIT License.\n", "mit", false},
	} {
		r := index.Identify([]byte(c.text))
		if len(r.Matches) == 0 || r.Matches[0].ID != c.id || r.Matches[0].Relation != Mention || (len(r.Unexplained) == 0) != c.explained {
			t.Errorf("%q: %+v, want a mention of %s, explained %v", c.text, r, c.id, c.explained)
		}
	}
}

// A restriction beside an intact text is never passed over, whatever its language and place.
func TestRestrictionAnywhere(t *testing.T) {
	index, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	text := own(t)
	for _, words := range []string{
		"Non-commercial use only.", "Use in the EU is not permitted.", "Companies with revenue above $1M need a license.",
		"Free for up to 100 users.", "Valid until 2025-12-31", "Weights: CC-BY-NC-4.0", "Available to customers of ACME only",
		"Outputs may not be used to train other models.", "Subject to the ACME Acceptable Use Policy",
		"Nur für nicht-kommerzielle Nutzung.", "Usage non commercial uniquement.", "Uso no comercial solamente.", "Apenas para uso não comercial.",
		"Alleen voor niet-commercieel gebruik.", "Только для некоммерческого использования.", "仅供研究使用，禁止商业用途。",
		"Sadece araştırma amaçlı.", "Tylko do użytku niekomercyjnego.", "Kun til forskning", "Doar pentru cercetare", "Μόνο για έρευνα",
		"비상업적 용도로만 사용 가능", "非営利目的に限る", "للاستخدام غير التجاري فقط",
	} {
		for place, whole := range map[string]string{
			"top": words + "\n\n" + text, "bottom": text + "\n\n" + words + "\n", "heading": "# " + words + "\n\n" + text,
			"copyright": "Copyright (c) 2024 ACME Inc. " + words + "\n\n" + text, "comment": text + "\n<!-- " + words + " -->\n",
		} {
			r := index.Identify([]byte(whole))
			if m, ok := r.Best(); ok && m.Relation == Equivalent {
				t.Errorf("%q at the place %s: %s is called equivalent", words, place, m.ID)
			}
		}
	}
	for _, field := range []string{"Seats: 5", "Region: US", "Edition: Evaluation"} {
		if m, ok := indexOfResult(index, field+"\n\n"+text); ok && m.Relation == Equivalent {
			t.Errorf("%q above the text: %s is called equivalent", field, m.ID)
		}
	}
}

func indexOfResult(x *Index, text string) (Match, bool) {
	r := x.Identify([]byte(text))
	return r.Best()
}

// Best returns the best match that is more than a mention, if there is one.
func (r *Result) Best() (Match, bool) {
	i := slices.IndexFunc(r.Matches, func(m Match) bool { return m.Relation != Mention })
	if i < 0 {
		return Match{}, false
	}
	return r.Matches[i], true
}
