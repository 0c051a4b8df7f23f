package fleet

import (
	"cmp"
	"math"
	"slices"
	"testing"

	"github.com/llmcheck/llmcheck/internal/speed"
)

// Exhaustive tries every number of replicas of every plan, and hands what it finds to the judge.
func Exhaustive(q Question) (all []Choice) {
	ways := learn(q.Candidates)
	for i := range q.Candidates {
		s := search{question: &q, candidate: &q.Candidates[i], ways: ways}
		for _, o := range s.tried() {
			for n := 1; n <= o.most; n++ {
				if f, ok := o.meetsWith(n, Yes); ok {
					all = append(all, *o.made(n, f, Yes))
					break
				}
			}
		}
	}
	return all
}

// Point is a choice as the front sees it.
type Point struct{ Cost, Latency float64 }

// Points are where choices lie.
func Points(list []Choice) []Point {
	var points []Point
	for _, c := range list {
		points = append(points, Point{c.PerHour.Mid, c.Latency})
	}
	return points
}

// Undominated are the points that no other is at least as cheap and as fast as.
func Undominated(all []Choice) []Point {
	var list []Point
	for _, p := range Points(all) {
		if !slices.ContainsFunc(all, func(c Choice) bool {
			d := Point{c.PerHour.Mid, c.Latency}
			return c.Priced && d != p && d.Cost <= p.Cost && d.Latency <= p.Latency
		}) && p.Cost > 0 && !slices.Contains(list, p) {
			list = append(list, p)
		}
	}
	slices.SortFunc(list, func(a, b Point) int { return cmp.Compare(a.Cost, b.Cost) })
	return list
}

// Least is the cheapest of those that fulfil a condition.
func Least(all []Choice, want func(*Choice) bool) float64 {
	least := math.Inf(1)
	for i := range all {
		if c := &all[i]; c.Priced && want(c) {
			least = min(least, c.PerHour.Mid)
		}
	}
	return least
}

func TestSpan(t *testing.T) {
	for _, tt := range []struct {
		low, high float64
		want      string
	}{
		{0.061, 0.09, "61-90 ms"}, {0.9, 1.234, "900 ms-1.23 s"}, {2, 2, "2 s"}, {0.5, 0.5001, "500 ms"}, {1.5, 120.4, "1.5-120 s"},
	} {
		if got := span(&speed.Range{Low: tt.low, High: tt.high}); got != tt.want {
			t.Errorf("%q, want %q", got, tt.want)
		}
	}
}
