package tune

import (
	"math"
	"slices"
)

// Sample is a residual as the ranges see it: how far measured lies above computed, as a logarithm, in what cases. Where
// the ends of other figures hold too, Crowd is how far the upper end is drawn from theirs to its own.
type Sample struct {
	Off    float64
	Cases  []Strength
	Crowd  float64
	Row    int
	Weight float64
}

// Ends are the two ends of the ranges of a family while they are fitted: for each end the logarithm of the base, and of
// the power of every case. The loss is that of quantiles, and every power is drawn to what is taken where nothing is
// measured, so that few rows move it little.
type Ends struct {
	Family string
	Alone  *Ends // of one request, where its ends hold too
	cases  []string
	prior  []float64
	list   []Sample
	judged func(string) bool
	odd    func(string) bool
	much   [][]float64 // of each sample, of each case
	at     [2][]float64
}

// NewEnds prepares the ends of a family. Judged cases are those that samples tell of; strange ones never make a range
// narrower.
func NewEnds(family string, all map[string]float64, judged, strange func(string) bool, list []Sample) *Ends {
	e := &Ends{Family: family, list: list, judged: judged, odd: strange}
	for name := range all {
		e.cases = append(e.cases, name)
	}
	slices.Sort(e.cases)
	for _, name := range e.cases {
		e.prior = append(e.prior, math.Log(all[name]))
	}
	for _, s := range list {
		much := make([]float64, len(e.cases))
		for _, c := range s.Cases {
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
func (e *Ends) end(side, i int) float64 {
	x := e.at[side][0]
	for k, much := range e.much[i] {
		x += much * e.at[side][k+1]
	}
	x = math.Exp(x)
	if e.Alone == nil {
		return x
	}
	one := e.Alone.like(1-side, e.list[i].Cases) // a time is the inverse of a rate
	if side == 0 {
		return max(x, one)
	}
	return one + e.list[i].Crowd*max(0, x-one)
}

// like is the end for some cases.
func (e *Ends) like(side int, cases []Strength) float64 {
	x := e.at[side][0]
	for _, c := range cases {
		if k := slices.Index(e.cases, c.Case); k >= 0 {
			x += c.Much * e.at[side][k+1]
		}
	}
	return math.Exp(x)
}

func (e *Ends) loss(side int) float64 {
	var sum float64
	for i := range e.list {
		y := e.list[i].Off
		if side == 0 {
			y = -y
		}
		sum += e.list[i].Weight * pinball(y-e.end(side, i))
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

// Fit moves one number after the other to where the loss is lowest.
func (e *Ends) Fit(rough bool) {
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
func (e *Ends) lowest(side, k int, reach float64) {
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
func (e *Ends) least(k int) float64 {
	if e.odd(e.cases[k]) {
		return 0
	}
	return -1
}

// Widths are the ends as the file has them.
func (e *Ends) Widths() []Width {
	ends := func(k int) (low, high float64) { return math.Exp(e.at[0][k]), math.Exp(e.at[1][k]) }
	low, high := ends(0)
	list := []Width{{Of: e.Family, Case: Base, Low: round(math.Exp(-low)), High: round(math.Exp(high)), Rows: e.rows(-1)}}
	for k, name := range e.cases {
		low, high := ends(k + 1)
		if !e.judged(name) {
			low = math.Exp(e.prior[k])
			high = low
		}
		list = append(list, Width{Of: e.Family, Case: name, Low: round(low), High: round(high), Rows: e.rows(k)})
	}
	return list
}

// rows counts the measurements of a case, or all.
func (e *Ends) rows(k int) int {
	seen := map[int]bool{}
	for i := range e.list {
		if k < 0 || e.much[i][k] > 0 {
			seen[e.list[i].Row] = true
		}
	}
	return len(seen)
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
