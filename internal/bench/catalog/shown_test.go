package catalog

import (
	"errors"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/bench"
)

// Law: what is shown of every document is the record: laid over the catalog, it holds the same measurements.
func TestShownIsTheRecord(t *testing.T) {
	c, folder := Default(), fstest.MapFS{}
	names, err := c.Documents()
	if err != nil || len(names) == 0 {
		t.Fatalf("%d documents: %v", len(names), err)
	}
	for _, name := range names {
		r, err := c.Document(name)
		if err != nil {
			t.Fatal(err)
		}
		text, err := Encode(name, r)
		if err != nil {
			t.Fatal(err)
		}
		folder[name+".yaml"] = &fstest.MapFile{Data: text}
	}
	over, err := c.Overlay(folder)
	if err != nil {
		t.Fatal(err)
	}
	want, err := c.WithBroken()
	got, fault := over.WithBroken()
	if err != nil || fault != nil {
		t.Fatal(err, fault)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(bench.Measurement{})); diff != "" {
		t.Errorf("measurements (-want +got):\n%s", diff)
	}
	if over.Count() != len(names) {
		t.Errorf("%d records, want %d", over.Count(), len(names))
	}
}

func TestDocumentIsUnknown(t *testing.T) {
	for _, name := range []string{"", "nobody", "../public/gpt-fast", "/", "a/b", "."} {
		if _, err := Default().Document(name); !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestForeign(t *testing.T) {
	folder := fstest.MapFS{"mine.yaml": {Data: []byte(`title: mine
measurements:
- {id: a, model: a/b, precision: bf16, engine: vllm, gpu: h100-sxm, gpus: 1, metric: ttft, value: 1}
- {id: b, model: a/b, precision: bf16, engine: vllm, gpu: h1000, gpus: 1, metric: ttft, value: 1}
`)}}
	c, err := Default().Overlay(folder)
	if err != nil {
		t.Fatal(err)
	}
	err = c.Foreign(folder, func(card string) bool { return card == "h100-sxm" })
	if want := `mine.yaml:4: measurement 2, "b": gpu "h1000" is not in the catalog of accelerators`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
