package main

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/tune"
)

// sample is a residual as the ranges see it. Of the time between tokens, the upper end is drawn from that of one request
// alone to that of many.
type sample struct {
	family string
	tune.Sample
}

// samplesOf are what ranges are made of. A question is now near to what was measured, now far from it, so residuals of
// the fit and of rows that were left out of it count alike; where engine and generation were left out, only the latter.
func (v *validated) samplesOf(keep func(i int) bool) []sample {
	var all []sample
	for i := range v.rows {
		if !keep(i) {
			continue
		}
		all = append(all, v.sample(i, v.inside, 1))
		for _, by := range drawnFrom() {
			all = append(all, v.sample(i, v.by[by], v.alike(i, by)))
		}
		if h, r := v.by["engine"], v.rows[i]; !h.known[i].Has(wide(r.family), r.model.Where()) {
			all = append(all, v.sample(i, h, v.alike(i, "engine")))
		}
	}
	return all
}

// alike is what a row counts that was left out with others: a group that was left out errs in common, so that a large one
// tells less than its rows are.
func (v *validated) alike(i int, by string) float64 {
	n := v.sizes[by+" "+wide(v.rows[i].family)+" "+v.rows[i].group[by]]
	return math.Sqrt(min(1, plenty/n))
}

// plenty is how many rows of one group count in full.
const plenty = 8

// sizesOf counts the rows of every group in every family.
func sizesOf(list []*row) map[string]float64 {
	sizes := map[string]float64{}
	for _, r := range list {
		for by, name := range r.group {
			sizes[by+" "+wide(r.family)+" "+name]++
		}
	}
	return sizes
}

// drawnFrom are the groups whose left out residuals ranges are made of.
func drawnFrom() []string { return []string{"cell", "card", "model"} }

func (v *validated) sample(i int, h held, weight float64) sample {
	r := v.rows[i]
	s := sample{wide(r.family), tune.Sample{Off: -h.residual[i], Row: i, Crowd: 1, Weight: weight}}
	if s.family == "tpot" {
		s.Crowd = speed.Crowd(r.load.Concurrency / float64(r.model.Replicas()))
	}
	s.Cases = r.model.Ranged(v.constants, h.known[i]).CasesOf(s.family, r.load)
	return s
}

// wide is the family whose range a row is of: MLPerf is unlimited load, and a short prompt hardly counts beside an answer
// alone.
func wide(family string) string {
	switch family {
	case "mlperf":
		return "max_output"
	case "with_prompt":
		return "decode"
	}
	return family
}

// widthsOf fits the ranges of all families to samples.
func widthsOf(samples []sample, rough bool) []speed.Width {
	var list []speed.Width
	var alone *tune.Ends
	for _, family := range speed.Families() {
		var own []tune.Sample
		for _, s := range samples {
			if s.family == family {
				own = append(own, s.Sample)
			}
		}
		e := newEnds(family, own)
		if family == "tpot" {
			e.Alone = alone
		}
		e.Fit(rough)
		if family == "decode" {
			alone = e
		}
		list = append(list, e.Widths()...)
	}
	return list
}

func newEnds(family string, list []tune.Sample) *tune.Ends {
	return tune.NewEnds(family, speed.Cases(family), speed.Judged, speed.Strange, list)
}
