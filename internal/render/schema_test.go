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
	bare[0].License, bare[0].Estimate = nil, &report.Estimate{Summary: "Undetermined.", Outlook: report.Outlook{Verdict: "undetermined"}}
	check("an estimate without lists", write(t, "json", bare, render.Page{}))
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
		{"a new field", func(d, l map[string]any) { d["speed"], l["new"] = map[string]any{}, 1.0 }, true},
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

// TestSchemaEstimate: the same of an estimate.
func TestSchemaEstimate(t *testing.T) {
	schema := compile(t, "report-1.json", jsondoc.Schema())
	at := func(v any, path ...string) map[string]any {
		for _, k := range path {
			if list, ok := v.([]any); ok {
				v = list[0]
			}
			v = v.(map[string]any)[k]
		}
		if list, ok := v.([]any); ok {
			v = list[0]
		}
		return v.(map[string]any)
	}
	for _, tt := range []struct {
		name string
		edit func(e map[string]any)
		ok   bool
	}{
		{"unchanged", func(map[string]any) {}, true},
		{"a new field", func(e map[string]any) { e["training"], at(e, "plan")["new"] = map[string]any{}, 1.0 }, true},
		{"without what was not asked", func(e map[string]any) { delete(e, "plan"); delete(e, "memory_per_gpu"); delete(e, "cache") }, true},
		{"no verdict", func(e map[string]any) { delete(e, "verdict") }, false},
		{"an unknown verdict", func(e map[string]any) { e["verdict"] = "sure" }, false},
		{"no candidates", func(e map[string]any) { delete(e, "candidates") }, false},
		{"null for a list", func(e map[string]any) { e["assumed"] = nil }, false},
		{"a candidate without a verdict", func(e map[string]any) { e["candidates"] = []any{map[string]any{"fits": true}} }, false},
		{"less than nothing is unused", func(e map[string]any) { at(e, "memory_per_gpu")["unused_bytes"] = -1 }, true},
		{"weights less than nothing", func(e map[string]any) { at(e, "memory_per_gpu")["weights_bytes"] = -1 }, false},
		{"half a byte", func(e map[string]any) { at(e, "memory_per_gpu")["capacity_bytes"] = 1.5 }, false},
		{"a range without a middle", func(e map[string]any) { delete(at(e, "terms", "bytes"), "mid") }, false},
		{"an unknown part", func(e map[string]any) { at(e, "terms")["part"] = "magic" }, false},
		{"a length without a verdict", func(e map[string]any) { delete(at(e, "at"), "verdict") }, false},
		{"a tensor without a formula", func(e map[string]any) { delete(at(e, "model", "components", "tensors"), "formula") }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			data, err := json.Marshal(named(t, "estimate-fits"))
			if err != nil {
				t.Fatal(err)
			}
			var doc map[string]any
			if err := json.Unmarshal(data, &doc); err != nil {
				t.Fatal(err)
			}
			tt.edit(doc["estimate"].(map[string]any))
			if data, err = json.Marshal(doc); err != nil {
				t.Fatal(err)
			}
			if err := valid(schema, string(data)); (err == nil) != tt.ok {
				t.Errorf("valid is %t, want %t: %v", err == nil, tt.ok, err)
			}
		})
	}
}

// TestSchemaSpeed: the same of speed, cost, energy and fleets.
func TestSchemaSpeed(t *testing.T) {
	schema := compile(t, "report-1.json", jsondoc.Schema())
	for _, tt := range []struct {
		name, sample string
		edit         func(e map[string]any)
		ok           bool
	}{
		{"unchanged", "speed-fleet", func(map[string]any) {}, true},
		{"a new field", "speed-dense", func(e map[string]any) { e["speed"].(map[string]any)["new"] = 1.0 }, true},
		{"without what is not known", "speed-dense", func(e map[string]any) {
			s := e["speed"].(map[string]any)
			delete(s, "ttft_s")
			delete(s, "targets")
			delete(s, "curve")
		}, true},
		{"a latency beyond saturation", "speed-saturated", func(e map[string]any) {
			e["speed"].(map[string]any)["ttft_s"] = map[string]any{"low": 1, "mid": 2, "high": 3}
		}, false},
		{"an unknown answer to the targets", "speed-dense", func(e map[string]any) {
			e["speed"].(map[string]any)["targets"].(map[string]any)["met"] = "maybe"
		}, false},
		{"faster than nothing", "speed-dense", func(e map[string]any) {
			e["speed"].(map[string]any)["tpot_s"].(map[string]any)["low"] = -1
		}, false},
		{"a cost without its utilization", "speed-dense", func(e map[string]any) { delete(e["cost"].(map[string]any), "utilization") }, false},
		{"null for a list", "speed-dense", func(e map[string]any) { e["cost"].(map[string]any)["prices"] = nil }, false},
		{"energy without a place", "speed-dense", func(e map[string]any) { delete(e["energy"].(map[string]any), "place") }, false},
		{"a choice without a plan", "speed-fleet", func(e map[string]any) {
			delete(e["fleet"].(map[string]any)["front"].([]any)[0].(map[string]any), "plan")
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var doc map[string]any
			if err := json.Unmarshal([]byte(write(t, "json", []*report.Document{named(t, tt.sample)}, render.Page{})), &doc); err != nil {
				t.Fatal(err)
			}
			tt.edit(doc["estimate"].(map[string]any))
			data, err := json.Marshal(doc)
			if err != nil {
				t.Fatal(err)
			}
			if err := valid(schema, string(data)); (err == nil) != tt.ok {
				t.Errorf("valid is %t, want %t: %v", err == nil, tt.ok, err)
			}
		})
	}
}

// TestSchemaHasEveryKey: the schema names every key of the document, so that none is added in the dark.
func TestSchemaHasEveryKey(t *testing.T) {
	var schema map[string]any
	if err := json.Unmarshal(jsondoc.Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	named := make(map[string]bool)
	keysOf(schema, named)
	for _, s := range samples(t) {
		for _, d := range s.docs {
			var doc any
			data, err := json.Marshal(d)
			if err != nil {
				t.Fatal(err)
			}
			if err := json.Unmarshal(data, &doc); err != nil {
				t.Fatal(err)
			}
			if l, ok := doc.(map[string]any)["license"].(map[string]any); ok {
				delete(l["use"].(map[string]any), "given") // its keys are those of use.yaml
			}
			found := make(map[string]bool)
			keysOf(doc, found)
			for k := range found {
				if !named[k] {
					t.Errorf("%s: %s is not in the schema", s.name, k)
				}
			}
		}
	}
}

func keysOf(v any, keys map[string]bool) {
	switch v := v.(type) {
	case map[string]any:
		for k, inner := range v {
			keys[k] = true
			keysOf(inner, keys)
		}
	case []any:
		for _, inner := range v {
			keysOf(inner, keys)
		}
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
			if strings.HasSuffix(s.name, "batch") && turn%5 != 0 {
				continue
			}
			docs := parse(t, poisonedJSON(t, s.data, turn))
			if err := valid(schema, write(t, "sarif", docs, render.Page{})); err != nil {
				t.Errorf("%s, poison %d: %v", s.name, turn, err)
			}
		}
	}
}
