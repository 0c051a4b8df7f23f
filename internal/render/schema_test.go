package render_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/render/jsondoc"
	"github.com/llmcheck/llmcheck/internal/report"
)

func compile(t testing.TB, url string, schema []byte) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schema))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.UseLoader(nothing{}) // a schema that is not here is a fault, not a request
	if err := c.AddResource(url, doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile(url)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

type nothing struct{}

func (nothing) Load(url string) (any, error) { return nil, fmt.Errorf("asked for %s", url) }

func valid(s *jsonschema.Schema, data string) error {
	v, err := jsonschema.UnmarshalJSON(strings.NewReader(data))
	if err != nil {
		return err
	}
	return s.Validate(v)
}

// TestSchema: every document and every JSON that is written of it keeps the schema that scripts rely on.
func TestSchema(t *testing.T) {
	schema := compile(t, "report-1.json", jsondoc.Schema())
	check := func(what, data string) {
		if err := valid(schema, data); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	for _, s := range samples(t) {
		check(s.name, string(s.data))
		check(s.name+" as json", write(t, "json", s.docs, render.Page{}))
		for line := range strings.Lines(write(t, "jsonl", s.docs, render.Page{})) {
			check(s.name+" as jsonl", line)
		}
	}
	bare := []*report.Document{{Schema: report.Schema, Tool: report.Tool{Name: "llmcheck"}, Subject: report.Subject{Ref: "a/b", Origin: "hf"}, License: &report.License{
		Outcome: "allowed", Summary: "May be used.", Disclaimer: report.Disclaimer, Reasons: []report.Reason{{Outcome: "allowed", Code: "grant", Text: "x"}},
	}}}
	check("a document without lists", write(t, "json", bare, render.Page{}))
}

// TestSchemaStrict: the schema refuses what breaks the contract, and lets additions pass.
func TestSchemaStrict(t *testing.T) {
	schema := compile(t, "report-1.json", jsondoc.Schema())
	for _, tt := range []struct {
		name string
		edit func(doc, license map[string]any)
		ok   bool
	}{
		{"unchanged", func(_, _ map[string]any) {}, true},
		{"a new field", func(d, l map[string]any) { d["estimate"], l["new"] = map[string]any{}, 1.0 }, true},
		{"without the part", func(d, _ map[string]any) { delete(d, "license") }, true},
		{"another schema", func(d, _ map[string]any) { d["schema"] = "llmcheck.report/2" }, false},
		{"no gaps", func(d, _ map[string]any) { delete(d, "gaps") }, false},
		{"an unknown outcome", func(_, l map[string]any) { l["outcome"] = "fine" }, false},
		{"no reasons", func(_, l map[string]any) { delete(l, "reasons") }, false},
		{"null for a list", func(_, l map[string]any) { l["duties"] = nil }, false},
		{"no disclaimer", func(_, l map[string]any) { delete(l, "disclaimer") }, false},
		{"a coverage above one", func(_, l map[string]any) { l["matches"].([]any)[0].(map[string]any)["license_coverage"] = 1.5 }, false},
		{"a reason without evidence", func(_, l map[string]any) { delete(l["reasons"].([]any)[0].(map[string]any), "evidence") }, false},
		{"a time that is none", func(d, _ map[string]any) { d["generated"] = "yesterday" }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, s := range samples(t) {
				if s.name != "prohibited" {
					continue
				}
				var doc map[string]any
				if err := json.Unmarshal(s.data, &doc); err != nil {
					t.Fatal(err)
				}
				tt.edit(doc, doc["license"].(map[string]any))
				data, err := json.Marshal(doc)
				if err != nil {
					t.Fatal(err)
				}
				if err := valid(schema, string(data)); (err == nil) != tt.ok {
					t.Errorf("valid is %t, want %t: %v", err == nil, tt.ok, err)
				}
			}
		})
	}
}

// TestSARIFSchema: what is written for code scanners keeps the schema of the standard, also of poisoned documents.
func TestSARIFSchema(t *testing.T) {
	data, err := os.ReadFile("sarif/testdata/sarif-schema-2.1.0.json")
	if err != nil {
		t.Fatal(err)
	}
	schema := compile(t, "sarif-schema-2.1.0.json", data)
	for _, s := range samples(t) {
		if err := valid(schema, write(t, "sarif", s.docs, render.Page{})); err != nil {
			t.Errorf("%s: %v", s.name, err)
		}
		for turn := range poison {
			if s.name == "batch" && turn%5 != 0 {
				continue
			}
			docs := parse(t, poisonedJSON(t, s.data, turn))
			if err := valid(schema, write(t, "sarif", docs, render.Page{})); err != nil {
				t.Errorf("%s, poison %d: %v", s.name, turn, err)
			}
		}
	}
}
