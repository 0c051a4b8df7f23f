package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/bench"
)

// pairs are the errors of rows on one card with one engine, two by two, of one sort.
type pairs struct {
	n                    int
	product, taken       float64
	squareOne, squareTwo float64
}

// shares prints how far the errors of two rows on one card with one engine go together, beside what bench.Narrow takes
// for it. An error is counted in standard deviations of its range, and one beyond three as three.
func (v *validated) shares(out io.Writer, by string, h held, wide []float64) {
	fmt.Fprintf(out, "errors of two settings on one card with one engine, %s: correlation, and what narrowing takes it to be\n", by)
	sorts := map[string]*pairs{}
	for i, a := range v.rows {
		for j, b := range v.rows[:i] {
			if a.GPU != b.GPU || a.Engine != b.Engine {
				continue
			}
			sort := sortOf(&a.Measurement, &b.Measurement)
			p := sorts[sort]
			if p == nil {
				p = &pairs{}
				sorts[sort] = p
			}
			p.add(standard(a, h.residual[i], wide[i]), standard(b, h.residual[j], wide[j]), bench.Shared(&a.Measurement, &b.Measurement))
		}
	}
	for _, sort := range slices.Sorted(maps.Keys(sorts)) {
		p := sorts[sort]
		n := float64(p.n)
		fmt.Fprintf(out, "  %-44s pairs %5d  found %+.2f  taken %.2f\n", sort, p.n, p.product/math.Sqrt(p.squareOne*p.squareTwo), p.taken/n)
	}
}

func (p *pairs) add(x, y, taken float64) {
	p.n++
	p.product += x * y
	p.squareOne += x * x
	p.squareTwo += y * y
	p.taken += taken
}

// standard is an error in standard deviations, above 0 where the machine is faster than computed.
func standard(r *row, residual, wide float64) float64 {
	const eighty = 2 * 1.2815515655446004 // standard deviations between the ends of a range
	z := -residual / (math.Log(wide) / eighty)
	if r.Metric.Seconds() {
		z = -z
	}
	return max(-3, min(3, z))
}

// sortOf sorts two settings by what they have in common.
func sortOf(a, b *bench.Measurement) string {
	var sort string
	same := *b
	same.Metric = a.Metric
	near := bench.Shared(a, &same)
	other := *b
	other.Model, other.Metric = "none", a.Metric
	far := bench.Shared(a, &other)
	switch {
	case !strings.EqualFold(a.Model, b.Model):
		sort = "other model"
	case near < 0.05+2*far:
		sort = "same model, other division, format or load"
	case near > 0.85:
		sort = "same division, loads alike"
	case near > 0.6:
		sort = "same division, loads near"
	case near > 0.45:
		sort = "same division, loads less near"
	default:
		sort = "same division, loads far"
	}
	if a.Metric != b.Metric {
		sort += ", other metric"
	}
	return sort
}
