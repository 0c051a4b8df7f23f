package serve

import (
	"errors"
	"strings"
	"testing"
)

// newestLlama is the engine without a version asked for.
func newestLlama() *Engine {
	e, err := FindEngine("llama.cpp", "")
	if err != nil {
		panic(err)
	}
	return e
}

func TestLlamaVersions(t *testing.T) {
	for _, c := range []struct {
		version             string
		batch, slots        int64
		noFlash, allOutputs bool
	}{
		{"", 2048, 256, false, false},
		{"0.5.0", 2048, 256, false, false},
		{"v0.1.2", 2048, 256, false, false},
		{"b8943", 2048, 256, false, true},
		{"b6324", 2048, 256, true, true},
		{"b4000", 2048, 64, true, true},
		{"b1500", 512, 64, true, true},
	} {
		t.Run(c.version, func(t *testing.T) {
			e, err := FindEngine("llama.cpp", c.version)
			if err != nil {
				t.Fatal(err)
			}
			p := llamaPlan(4096)
			p.Engine = e
			p = completeLlama(llamaModels(t)["llama-3.1-70b"], p)
			if p.BatchedTokens != c.batch || e.maxSlots() != c.slots || p.Llama.NoFlash != c.noFlash || p.Llama.AllOutputs != c.allOutputs {
				t.Errorf("batch %d, slots %d, flash off %v, all rows %v; want %+v", p.BatchedTokens, e.maxSlots(), p.Llama.NoFlash, p.Llama.AllOutputs, c)
			}
			q := p
			q.Llama.NoFlash, q.Llama.Flash = false, true
			if q = completeLlama(llamaModels(t)["llama-3.1-70b"], q); q.Llama.NoFlash {
				t.Error("flash attention was asked for, and is off")
			}
			for _, s := range p.Assumed {
				if s.Value == "" || s.Why == "" {
					t.Errorf("%s has no value or no reason", s.Name)
				}
			}
		})
	}
	if _, err := FindEngine("llama.cpp", "bleeding edge"); !errors.Is(err, ErrEngine) || !strings.Contains(err.Error(), "b6325") {
		t.Errorf("%v, want one that says how versions are written", err)
	}
}
