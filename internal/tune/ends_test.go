package tune

import (
	"math"
	"math/rand"
	"testing"
)

// The ends of ranges are the quantiles of what they were fitted to, and cases widen them by what they scatter more.
func TestEndsAreQuantiles(t *testing.T) {
	cases := map[string]float64{"unseen": 1.4, "card": 1.05, "chosen": 1.3}
	d := rand.New(rand.NewSource(1))
	var list []Sample
	for i := range 3000 {
		s := Sample{Off: 0.2 * d.NormFloat64(), Crowd: 1, Row: i, Weight: 1}
		if i%3 == 0 {
			s.Off, s.Cases = 2*s.Off, []Strength{{Case: "unseen", Much: 1}}
		}
		list = append(list, s)
	}
	e := NewEnds("crowd", cases, func(string) bool { return true }, func(n string) bool { return n == "unseen" }, list)
	e.Fit(false)
	for _, w := range e.Widths() {
		switch w.Case {
		case "base":
			if low, high := -math.Log(w.Low), math.Log(w.High); math.Abs(low-0.262) > 0.03 || math.Abs(high-0.262) > 0.03 {
				t.Errorf("ends at %.3f and %.3f, want 1.31 standard deviations of 0.2", low, high)
			}
		case "unseen":
			if math.Abs(w.Low-2) > 0.25 || math.Abs(w.High-2) > 0.25 {
				t.Errorf("powers %.2f and %.2f, want 2", w.Low, w.High)
			}
		default: // of which there are no samples
			if prior := cases[w.Case]; math.Abs(w.Low/prior-1) > 0.01 || w.Rows != 0 {
				t.Errorf("%s without a row is %.2f, want %.2f", w.Case, w.Low, prior)
			}
		}
	}
}
