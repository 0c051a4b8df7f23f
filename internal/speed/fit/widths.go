package main

import (
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/speed"
)

// sample is one residual with the case that it is of.
type sample struct {
	family, name string
	off          float64 // logarithm of measured by computed
	row          int
}

// atLeast is how many rows a case needs to have a range of its own.
const atLeast = 18

// widths are the ranges of every case that enough rows are of. A question is now near to what was measured, now far
// from it, so residuals of the fit and of rows left out of it count alike; where engine and generation were left out,
// only the latter.
func widths(list []*row, inside []float64, outside []held) []speed.Width {
	var all []sample
	add := func(i int, seen bool, residual float64) {
		r := list[i]
		family := wide(r.family)
		name := r.model.Case(seen, r.load.Concurrency*limited(r.family))
		all = append(all, sample{family, name, -residual, i})
		if r.family == "decode" || r.family == "with_prompt" { // rates, so the other way round
			all = append(all, sample{"tpot", r.model.Case(seen, 1), residual, i})
		}
		if r.family == "mlperf" { // few rows, whose division nobody names, among many of one engine
			all = append(all, sample{family, name, -residual, i}, sample{family, name, -residual, i})
		}
	}
	for i := range list {
		for _, h := range outside {
			add(i, h.seen[i], h.residual[i])
			if h.seen[i] {
				add(i, true, inside[i])
			}
		}
	}
	return rangesOf(all)
}

// wide is the family whose range a row is of: MLPerf is unlimited load.
func wide(family string) string {
	if family == "mlperf" {
		return "max_output"
	}
	return family
}

// limited is 1 for families whose range depends on how many requests run at once.
func limited(family string) float64 {
	switch family {
	case "ttft", "tpot":
		return 1
	}
	return 0
}

func rangesOf(all []sample) []speed.Width {
	groups := map[[2]string][]sample{}
	for _, s := range all {
		name := s.name
		for {
			groups[[2]string{s.family, name}] = append(groups[[2]string{s.family, name}], s)
			i := strings.LastIndex(name, ", ")
			if i < 0 || strings.HasSuffix(name, "alone") { // says nothing of load
				break
			}
			name = name[:i]
		}
		if !strings.HasSuffix(s.name, "alone") {
			groups[[2]string{s.family, ""}] = append(groups[[2]string{s.family, ""}], s)
		}
	}
	var list []speed.Width
	keys := slices.SortedFunc(maps.Keys(groups), func(a, b [2]string) int { return strings.Compare(a[0]+a[1], b[0]+b[1]) })
	for _, key := range keys {
		if w, ok := rangeOf(key, groups[key]); ok {
			list = append(list, w)
		}
	}
	return list
}

// beyond is the share of residuals that a range leaves on either side: a little below a tenth, as rows to come are less
// like those measured than these are like each other.
const beyond = 0.095

// rangeOf leaves about one of ten above and one of ten below; the middle is always inside.
func rangeOf(key [2]string, samples []sample) (speed.Width, bool) {
	rows := map[int]bool{}
	var offs []float64
	for _, s := range samples {
		rows[s.row] = true
		offs = append(offs, s.off)
	}
	if len(rows) < atLeast {
		return speed.Width{}, false
	}
	slices.Sort(offs)
	low, high := math.Exp(at(offs, beyond)), math.Exp(at(offs, 1-beyond))
	return speed.Width{Of: key[0], Case: key[1], Low: round(min(low, 0.97)), High: round(max(high, 1.03)), Rows: len(rows)}, true
}

func round(x float64) float64 { return math.Round(x*1000) / 1000 }
