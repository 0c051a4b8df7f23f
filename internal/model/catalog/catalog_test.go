package catalog

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/records"
)

func sub[T any](t *testing.T, folder string, check func(string, *T) error) map[string]*T {
	t.Helper()
	m, err := records.Load(embedded, folder, check)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// external are base models that the records name and that no record describes: their terms are not known here.
var external = []string{
	"NousResearch/Nous-Hermes-Llama2-13b", "Qwen/Qwen1.5-72B", "Qwen/Qwen3.8-Flash-Next", "ai21labs/AI21-Jamba-Mini-1.7",
	"lmsys/vicuna-13b-v1.1", "lmsys/vicuna-13b-v1.3",
}

func TestRecords(t *testing.T) {
	all := sub(t, modelFolder, check)
	if len(all) < 250 {
		t.Errorf("%d models, want at least 250", len(all))
	}
	folded, bases := make(map[string]string), make(map[string]bool)
	for name, r := range all {
		if other, ok := folded[strings.ToLower(name)]; ok {
			t.Errorf("%s and %s are one file on a disk that ignores case", name, other)
		}
		folded[strings.ToLower(name)] = name
		if r.Base == nil {
			continue
		}
		bases[r.Base.ID] = true
		file, _ := nameOf(r.Base.ID)
		if _, known := all[file]; known == slices.Contains(external, r.Base.ID) {
			t.Errorf("%s: base %s has a record: %v; is listed as external: %v", r.ID, r.Base.ID, known, !known)
		}
	}
	for _, id := range external {
		if !bases[id] {
			t.Errorf("%s is listed as external and nobody's base", id)
		}
	}
}

// TestChainsEnd holds that every lineage comes to a model without a base.
func TestChainsEnd(t *testing.T) {
	all := sub(t, modelFolder, check)
	for name := range all {
		steps := 0
		for r := all[name]; r != nil && r.Base != nil; steps++ {
			if steps > 10 {
				t.Fatalf("the lineage of %s does not end", name)
			}
			file, _ := nameOf(r.Base.ID)
			r = all[file]
		}
	}
}

func TestDatasets(t *testing.T) {
	all := sub(t, datasetFolder, checkDataset)
	c := Default()
	for _, d := range all {
		got, ok, err := c.Dataset(strings.ToUpper(d.ID))
		if err != nil || !ok || got.ID != d.ID {
			t.Errorf("Dataset(%s) = %v, %v, %v", strings.ToUpper(d.ID), got, ok, err)
		}
	}
	if d, ok, err := c.Dataset("acme/nothing"); d != nil || ok || err != nil {
		t.Errorf("Dataset(acme/nothing) = %v, %v, %v", d, ok, err)
	}
}

func TestGet(t *testing.T) {
	c := Default()
	want := &model.Known{
		ID: "moonshotai/Kimi-K2-Instruct", License: "kimi-k2-modified-mit", Declared: "Modified MIT",
		Source: evidence.Source{Title: "MoonshotAI/Kimi-K2 LICENSE", URL: "https://github.com/MoonshotAI/Kimi-K2"},
		Seen:   "2025-07-31", Confidence: "high",
	}
	for _, id := range []string{"moonshotai/Kimi-K2-Instruct", "MoonshotAI/kimi-k2-instruct"} {
		got, ok, err := c.Get(id)
		if diff := cmp.Diff(want, got); diff != "" || !ok || err != nil {
			t.Errorf("Get(%s): %v, %v (-want +got):\n%s", id, ok, err, diff)
		}
	}
	got, _, err := c.Get("TheBloke/Llama-2-7B-GGUF")
	if err != nil || got.Base == nil || got.Base.Ref != "meta-llama/Llama-2-7b-hf" || got.Base.Relation != model.Quantized {
		t.Errorf("Get(TheBloke/Llama-2-7B-GGUF) = %+v, %v, want a quantized copy of meta-llama/Llama-2-7b-hf", got, err)
	}
	for name, id := range map[string]string{
		"unknown": "acme/tiny", "no organization": "gpt2", "empty": "", "path": "../models/x", "deep": "a/b/c",
		"file name": "moonshotai__Kimi-K2-Instruct", "Kelvin sign": "moonshotai/\u212Aimi-K2-Instruct", "zero byte": "a/b\x00",
	} {
		if k, ok, err := c.Get(id); k != nil || ok || err != nil {
			t.Errorf("%s: Get(%q) = %v, %v, %v, want nothing", name, id, k, ok, err)
		}
	}
}

func idsOf(t *testing.T, c *Catalog) []string {
	t.Helper()
	ids, err := c.IDs()
	if err != nil {
		t.Fatal(err)
	}
	return ids
}

func TestIDs(t *testing.T) {
	ids := idsOf(t, Default())
	if len(ids) != len(sub(t, modelFolder, check)) || !slices.IsSorted(ids) {
		t.Errorf("%d ids, sorted %v", len(ids), slices.IsSorted(ids))
	}
	orgs, err := Default().Organizations()
	if err != nil {
		t.Fatal(err)
	}
	for _, org := range []string{"meta-llama", "Qwen", "mistralai", "deepseek-ai"} {
		if !slices.Contains(orgs, org) {
			t.Errorf("organization %s is missing", org)
		}
	}
}

const acme = `id: Acme/Tiny
license: mit
declared: MIT
base: {id: Qwen/Qwen3-8B, relation: finetune}
source: {title: our own review}
seen: "2026-11-24"
confidence: high
`

func TestOverlay(t *testing.T) {
	c, err := Default().Overlay(fstest.MapFS{
		"Acme__Tiny.yaml":     {Data: []byte(acme)},
		"qwen__qwen3-8b.yaml": {Data: []byte("id: qwen/qwen3-8b\nlicense: unlisted:contract\nsource: {title: contract}\nseen: '2026'\nconfidence: high\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	if k, ok, err := c.Get("acme/tiny"); !ok || err != nil || k.License != "mit" {
		t.Errorf("Get(acme/tiny) = %v, %v, %v", k, ok, err)
	}
	if k, ok, err := c.Get("Qwen/Qwen3-8B"); !ok || err != nil || k.License != "unlisted:contract" {
		t.Errorf("Get(Qwen/Qwen3-8B) = %v, %v, %v, want the user's record whatever the case", k, ok, err)
	}
	if k, _, err := Default().Get("Qwen/Qwen3-8B"); err != nil || k.License != "apache-2.0" {
		t.Errorf("the built-in catalog changed: %v, %v", k, err)
	}
	if n := len(idsOf(t, c)) - len(idsOf(t, Default())); n != 1 {
		t.Errorf("the overlay adds %d ids, want 1", n)
	}
	if orgs, err := c.Organizations(); err != nil || !slices.Contains(orgs, "Acme") {
		t.Errorf("organization Acme is missing: %v", err)
	}
}

func TestOverlayFaults(t *testing.T) {
	with := func(old, text string) string { return strings.Replace(acme, old, text, 1) }
	for _, row := range []struct{ name, text, want string }{
		{"unknown key", acme + "licence: x\n", `Acme__Tiny.yaml:8: unknown key "licence"`},
		{"foreign file", with("Acme/Tiny", "Acme/Huge"), "belongs into the file Acme__Huge.yaml"},
		{"no organization", with("Acme/Tiny", "Tiny"), `id "Tiny" is not an id on the hub`},
		{"license in prose", with("mit", "MIT License"), `license "MIT License": give an id`},
		{"own base", with("Qwen/Qwen3-8B", "Acme/Tiny"), "is the model itself"},
		{"relation", with("finetune", "cousin"), `base.relation: "cousin"`},
		{"confidence", with("high", "sure"), `confidence: "sure"`},
		{"seen", with("2026-11-24", "lately"), `seen "lately"`},
		{"no source", with("title: our own review", ""), "source.title is missing"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Default().Overlay(fstest.MapFS{"Acme__Tiny.yaml": {Data: []byte(row.text)}})
			if err == nil || !strings.Contains(err.Error(), row.want) {
				t.Errorf("error %v, want it to say %q", err, row.want)
			}
		})
	}
	_, err := Default().Overlay(fstest.MapFS{
		"Acme__Tiny.yaml": {Data: []byte(acme)}, "acme__tiny.yaml": {Data: []byte(with("Acme/Tiny", "acme/tiny"))},
	})
	if err == nil || !strings.Contains(err.Error(), "acme__tiny.yaml: the model is recorded in Acme__Tiny.yaml too") {
		t.Errorf("two records of one model: %v", err)
	}
}

func BenchmarkGet(b *testing.B) {
	c := Default()
	for b.Loop() {
		if _, _, err := c.Get("nvidia/Llama-3_3-Nemotron-Super-49B-v1_5"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFirstGetOfOtherCase lists all names anew each time, as a program does once.
func BenchmarkFirstGetOfOtherCase(b *testing.B) {
	for b.Loop() {
		if _, ok, err := Default().Get("QWEN/qwen3-8b"); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
