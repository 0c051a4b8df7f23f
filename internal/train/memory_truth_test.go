package train_test

import (
	"math"
	"slices"
	"testing"

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/train/catalog"
)

// judged is one measurement beside what was computed for it.
type judged struct {
	m     *catalog.Measurement
	got   train.Range
	value float64
}

func (j *judged) off() float64 { return j.got.Mid/j.value - 1 }
func (j *judged) inside() bool { return j.got.Low <= j.value && j.value <= j.got.High }

// account computes the memory of every measurement of it. Blind is with what a table's columns say.
func account(t *testing.T, blind bool) []judged {
	t.Helper()
	all, err := catalog.All()
	if err != nil {
		t.Fatal(err)
	}
	var out []judged
	for i := range all {
		m := &all[i]
		if m.Metric.Kind() != catalog.Memory || blind && m.Metric != catalog.Peak {
			continue
		}
		j, p, err := m.Question(blind)
		if err != nil {
			continue // of nothing that is computed
		}
		j, p, err = train.Filled(j, p)
		if err != nil {
			t.Logf("%s: %v", m.ID, err)
			continue
		}
		memory, err := train.Account(&j, &p)
		if err != nil {
			t.Errorf("%s: %v", m.ID, err)
			continue
		}
		got, ok := m.Computed(&p, memory, nil)
		if !ok {
			continue
		}
		if testing.Verbose() {
			t.Logf("%-30s %-14s %-12s seq %d micro %d zero %d tp %d pp %d v%d %s %s %s", m.ID, m.Model, m.Method, j.Sequence, p.Micro, p.Zero, p.Tensor, p.Pipeline, p.Virtual, j.Framework, j.Recompute, j.Loss)
			t.Logf("      got %.1f (%.1f to %.1f) want %.1f GB: %+.0f %%", got.Mid/1e9, got.Low/1e9, got.High/1e9, m.Value/1e9, 100*(got.Mid/m.Value-1))
			for _, x := range memory.Terms {
				t.Logf("          %6.2f  %s: %s", x.Bytes.Mid/1e9, x.Name, x.Formula)
			}
		}
		out = append(out, judged{m, got, m.Value})
	}
	return out
}

func median(v []float64) float64 {
	if len(v) == 0 {
		return math.NaN()
	}
	slices.Sort(v)
	return v[len(v)/2]
}

func TestMeasured(t *testing.T) {
	for _, reading := range []struct {
		name  string
		blind bool
	}{{"told", false}, {"blind", true}} {
		t.Run(reading.name, func(t *testing.T) {
			rows := account(t, reading.blind)
			var off []float64
			under, inside := 0, 0
			for i := range rows {
				off = append(off, math.Abs(rows[i].off()))
				if rows[i].off() < 0 {
					under++
				}
				if rows[i].inside() {
					inside++
				}
			}
			n := float64(len(rows))
			t.Logf("%d rows: median %.1f %%, under-estimated %.0f %%, inside %.0f %%", len(rows), 100*median(off), 100*float64(under)/n, 100*float64(inside)/n)
		})
	}
}
