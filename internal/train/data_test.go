package train

import (
	"math"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
)

func near(got, want, by float64) bool { return math.Abs(got/want-1) <= by }

// TestLaws: the fits give what their papers print.
func TestLawsOfOptimalTokens(t *testing.T) {
	l := laws()
	for _, tt := range []struct {
		name                    string
		got, params, want, with float64
	}{
		{"rule of 20", l[0].tokens(70e9), 70e9, 1.4e12, 1e-9},
		{"IsoFLOP 1B", l[1].tokens(1e9), 1e9, 20e9, 1e-9},
		{"IsoFLOP 1T", l[1].tokens(1e12), 1e12, 26.5e12, 1e-9},
		{"the loss at 70B, about 20 as the replication says", l[2].tokens(70e9), 70e9, 1.4e12, 0.15},
		{"Llama 3 402B", l[3].tokens(402e9), 402e9, 16.55e12, 0.1},
	} {
		if !near(tt.got, tt.want, tt.with) {
			t.Errorf("%s: %.4g tokens, want %.4g", tt.name, tt.got, tt.want)
		}
	}
}

func TestOptimalGrows(t *testing.T) {
	before := Range{}
	for _, name := range []string{"1b", "8b", "70b", "405b"} {
		o := Optimal(shapeOf(t, name))
		if r := o.Tokens; !(r.Low <= r.Mid && r.Mid <= r.High && r.Low > before.Low && r.High > before.High) || o.Why == "" || len(o.Sources) == 0 {
			t.Errorf("%s: %+v after %+v", name, o, before)
		}
		before = o.Tokens
	}
}

// TestWorth: repeated data is worth less than new, never nothing, and no more than 1 + R* times what is unique.
func TestWorth(t *testing.T) {
	if w := Worth(1, 4); !near(w, 4, 0.1) {
		t.Errorf("4 epochs are worth %v, and the paper has them nearly as good as new data", w)
	}
	before := 0.0
	for _, epochs := range []float64{0.2, 1, 1.5, 2, 4, 16, 44, 1000} {
		w := Worth(1e12, epochs)
		if !(w > before) || w > epochs*1e12*(1+1e-12) || w > (1+decay)*1e12 {
			t.Errorf("%v epochs: %v after %v", epochs, w, before)
		}
		before = w
	}
	for _, epochs := range []float64{-1, 0, math.NaN()} {
		if w := Worth(1e12, epochs); w != 0 && !math.IsNaN(w) {
			t.Errorf("%v epochs are worth %v", epochs, w)
		}
	}
}

func TestJudge(t *testing.T) {
	s := shapeOf(t, "8b")
	for _, tt := range []struct {
		name         string
		method       Method
		tokens, have float64
		verdict      string
	}{
		{"few", Pretrain, 20e9, 0, UnderTrained},
		{"as Chinchilla", Pretrain, 160e9, 0, AtOptimum},
		{"as served", Pretrain, 15e12, 0, OverTrained},
		{"with enough data", Pretrain, 15e12, 16e12, OverTrained},
		{"repeated", Pretrain, 15e12, 5e12, Repeats},
		{"repeated too often", Pretrain, 15e12, 0.1e12, Short},
		{"fine-tuning", Full, 1e8, 0, Enough},
		{"three epochs", Full, 3e8, 1e8, Repeats},
		{"forty", LoRA, 4e9, 1e8, Short},
	} {
		d := Judge(&Job{Shape: s, Method: tt.method, Tokens: tt.tokens}, tt.have)
		if d.Verdict != tt.verdict || d.Why == "" || (d.Optimal != nil) != (tt.method == Pretrain) {
			t.Errorf("%s: %+v", tt.name, d)
		}
	}
}

func TestServed(t *testing.T) {
	for name, want := range map[string]bool{"8b": true, "70b": true, "405b": true} {
		r, sources, ok := Served(shapeOf(t, name))
		if ok != want || ok && (!(r.Low <= r.Mid && r.Mid <= r.High && r.Low > 0) || len(sources) == 0) {
			t.Errorf("%s: %v %v %v", name, r, sources, ok)
		}
	}
	if _, _, ok := Served(&arch.Shape{}); ok {
		t.Error("a model without parameters is served")
	}
}
