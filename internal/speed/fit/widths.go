package main

import (
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/speed"
)

// sample is a residual as the ranges see it: how far measured lies above computed, as a logarithm, in a case. Of the time
// between tokens, the upper end is drawn from that of one request alone, of weight 1-crowd, to that of many.
type sample struct {
	family string
	off    float64
	cases  []speed.Strength
	crowd  float64
	row    int
	weight float64
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
	s := sample{family: wide(r.family), off: -h.residual[i], row: i, crowd: 1, weight: weight}
	if s.family == "tpot" {
		s.crowd = speed.Crowd(r.load.Concurrency / float64(r.model.Replicas()))
	}
	s.cases = r.model.Ranged(v.constants, h.known[i]).CasesOf(s.family, r.load)
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
	var alone *ends
	for _, family := range speed.Families() {
		var own []sample
		for _, s := range samples {
			if s.family == family {
				own = append(own, s)
			}
		}
		e := newEnds(family, own)
		if family == "tpot" {
			e.alone = alone
		}
		e.fit(rough)
		if family == "decode" {
			alone = e
		}
		list = append(list, e.widths()...)
	}
	return list
}

// ends are the two ends of the ranges of a family while they are fitted: for each end the logarithm of the base, and of
// the power of every case. The loss is that of quantiles, and every power is drawn to what is taken where nothing is
// measured, so that few rows move it little.
type ends struct {
	family string
	cases  []string
	prior  []float64
	list   []sample
	much   [][]float64 // of each sample, of each case
	at     [2][]float64
	alone  *ends // of answers alone, where the ends of one request hold too
}

func newEnds(family string, list []sample) *ends {
	e := &ends{family: family, list: list}
	all := speed.Cases(family)
	for name := range all {
		e.cases = append(e.cases, name)
	}
	slices.Sort(e.cases)
	for _, name := range e.cases {
		e.prior = append(e.prior, math.Log(all[name]))
	}
	for _, s := range list {
		much := make([]float64, len(e.cases))
		for _, c := range s.cases {
			if i := slices.Index(e.cases, c.Case); i >= 0 {
				much[i] = c.Much
			}
		}
		e.much = append(e.much, much)
	}
	for side := range e.at {
		e.at[side] = append([]float64{math.Log(0.25)}, e.prior...)
	}
	return e
}

const (
	beyond   = 0.095 // share of residuals that a range leaves on either side: rows to come are less like those measured
	drawn    = 20.0  // how strongly a power is drawn to its prior, against samples
	typical  = 0.2   // a residual
	rounding = 0.02  // of the corner of the loss, so that it has one lowest point
)

// end is the distance from what is computed at which a range ends for a sample: side 0 is the lower.
func (e *ends) end(side, i int) float64 {
	x := e.at[side][0]
	for k, much := range e.much[i] {
		x += much * e.at[side][k+1]
	}
	x = math.Exp(x)
	if e.alone == nil {
		return x
	}
	one := e.alone.like(1-side, e.list[i].cases) // a time is the inverse of a rate
	if side == 0 {
		return max(x, one)
	}
	return one + e.list[i].crowd*max(0, x-one)
}

// like is the end for some cases.
func (e *ends) like(side int, cases []speed.Strength) float64 {
	x := e.at[side][0]
	for _, c := range cases {
		if k := slices.Index(e.cases, c.Case); k >= 0 {
			x += c.Much * e.at[side][k+1]
		}
	}
	return math.Exp(x)
}

func (e *ends) loss(side int) float64 {
	var sum float64
	for i := range e.list {
		y := e.list[i].off
		if side == 0 {
			y = -y
		}
		sum += e.list[i].weight * pinball(y-e.end(side, i))
	}
	sum /= typical
	for k, p := range e.prior {
		d := e.at[side][k+1] - p
		sum += drawn * d * d
	}
	return sum
}

// pinball is lowest where a share beyond of the samples lies above, with its corner rounded.
func pinball(u float64) float64 {
	switch {
	case u > rounding:
		return (1 - beyond) * (u - rounding/2)
	case u > 0:
		return (1 - beyond) * u * u / (2 * rounding)
	case u > -rounding:
		return beyond * u * u / (2 * rounding)
	}
	return beyond * (-u - rounding/2)
}

// fit moves one number after the other to where the loss is lowest.
func (e *ends) fit(rough bool) {
	rounds := 12
	if rough {
		rounds = 6
	}
	for side := range e.at {
		reach := 1.0
		for range rounds {
			for k := range e.at[side] {
				e.lowest(side, k, reach)
			}
			reach = max(0.1, reach*0.6)
		}
	}
}

// lowest searches around a number by the golden section.
func (e *ends) lowest(side, k int, reach float64) {
	const golden = 0.6180339887498949
	p := &e.at[side][k]
	try := func(x float64) float64 { *p = x; return e.loss(side) }
	low, high := *p-reach, *p+reach
	if k == 0 {
		low, high = max(low, math.Log(0.03)), min(high, math.Log(2.5))
	} else {
		low, high = max(low, e.least(k-1)), min(high, 2)
	}
	a, b := high-golden*(high-low), low+golden*(high-low)
	fa, fb := try(a), try(b)
	for high-low > 0.01 {
		if fa < fb {
			high, b, fb = b, a, fa
			a = high - golden*(high-low)
			fa = try(a)
		} else {
			low, a, fa = a, b, fb
			b = low + golden*(high-low)
			fb = try(b)
		}
	}
	*p = (low + high) / 2
}

// least is the logarithm of the smallest power of a case.
func (e *ends) least(k int) float64 {
	if speed.Strange(e.cases[k]) {
		return 0
	}
	return -1
}

// widths are the ends as the file has them.
func (e *ends) widths() []speed.Width {
	ends := func(k int) (low, high float64) { return math.Exp(e.at[0][k]), math.Exp(e.at[1][k]) }
	low, high := ends(0)
	list := []speed.Width{{Of: e.family, Case: "base", Low: round(math.Exp(-low)), High: round(math.Exp(high)), Rows: e.rows(-1)}}
	for k, name := range e.cases {
		low, high := ends(k + 1)
		if !speed.Judged(name) {
			low = math.Exp(e.prior[k])
			high = low
		}
		list = append(list, speed.Width{Of: e.family, Case: name, Low: round(low), High: round(high), Rows: e.rows(k)})
	}
	return list
}

// rows counts the measurements of a case, or all.
func (e *ends) rows(k int) int {
	seen := map[int]bool{}
	for i := range e.list {
		if k < 0 || e.much[i][k] > 0 {
			seen[e.list[i].row] = true
		}
	}
	return len(seen)
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
