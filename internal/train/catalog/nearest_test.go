package catalog

import (
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/train"
)

func TestNearestToItself(t *testing.T) {
	for _, m := range every(t) {
		if _, ok := m.Comparable(false); !ok {
			continue
		}
		j, p, err := m.Question(false)
		if err != nil {
			t.Fatal(err)
		}
		q := &Question{Job: &j, Plan: &p, Kind: m.Metric.Kind()}
		near, why, err := Nearest(q, 200)
		if err != nil || len(near) == 0 {
			t.Fatalf("%s: %s: %v", m.ID, why, err)
		}
		at := slices.IndexFunc(near, func(n Near) bool { return n.Measurement.ID == m.ID })
		if at < 0 || near[at].Distance > near[0].Distance+0.3 {
			t.Errorf("%s is the one of %d behind %s", m.ID, at, near[0].Measurement.ID)
			continue
		}
		if own := near[at]; len(own.Differs) > 2 {
			t.Errorf("%s differs from itself: %s", m.ID, own.Sentence())
		}
	}
}

func TestNearest(t *testing.T) {
	j, p := ask(t, "torchtitan-h100/7", false)
	j.Name, p.GPU = "meta-llama/Llama-3.1-70B", card(t, "h200-sxm")
	near, why, err := Nearest(&Question{Job: &j, Plan: &p, Kind: Speed}, 3)
	if err != nil || len(near) != 3 {
		t.Fatalf("%d: %s: %v", len(near), why, err)
	}
	first := near[0]
	if first.Measurement.Model != "llama-3-70b" || !strings.Contains(first.Sentence(), "card H100 SXM5 80GB instead of H200") {
		t.Errorf("%s: %s", first.What(), first.Sentence())
	}
	if !strings.Contains(first.What(), "on 256 x H100 SXM5 80GB, torchtitan (FSDP32 TP8") {
		t.Error(first.What())
	}
	for i := range near[1:] {
		if near[i+1].Distance < near[i].Distance {
			t.Errorf("%v", near)
		}
	}
}

// No run of a model that was distilled is near to anything, not even to itself.
func TestNearestIsPlain(t *testing.T) {
	j, p := ask(t, "llama3.2-card/2", false)
	near, _, err := Nearest(&Question{Job: &j, Plan: &p, Kind: Runs}, 100)
	if err != nil || len(near) == 0 {
		t.Fatalf("%d: %v", len(near), err)
	}
	for _, n := range near {
		if n.Measurement.Outside != "" || strings.HasPrefix(n.Measurement.Model, "llama-3.2") {
			t.Errorf("%s: %s", n.What(), n.Measurement.Outside)
		}
	}
	j.Tokens = 0
	if near, why, err := Nearest(&Question{Job: &j, Plan: &p, Kind: Runs}, 3); err != nil || len(near) != 0 || why == "" {
		t.Errorf("a run without tokens: %d, %v", len(near), err)
	}
}

func TestNearestIsFar(t *testing.T) {
	j, p := ask(t, "torchtune-readme/5", false)
	p.GPU = card(t, "m3-max-40c")
	j.Method, j.Precision, j.Framework = train.GRPO, train.FP32, train.Axolotl
	near, why, err := Nearest(&Question{Job: &j, Plan: &p}, 3)
	if err != nil || len(near) != 0 || !strings.Contains(why, "too far") {
		t.Errorf("%d: %s: %v", len(near), why, err)
	}
}

func BenchmarkNearest(b *testing.B) {
	all, err := All()
	if err != nil {
		b.Fatal(err)
	}
	j, p, err := all[len(all)/2].Question(false)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, _, err := Nearest(&Question{Job: &j, Plan: &p}, 3); err != nil {
			b.Fatal(err)
		}
	}
}
