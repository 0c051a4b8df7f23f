package main

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/speed"
)

var families = []string{"decode", "prefill", "max_output", "mlperf", "tpot", "ttft", "with_prompt"}

// show prints how far computed figures are from measured ones, by family.
func show(title string, list []*row, res []float64) {
	fmt.Printf("%s\n", title)
	var sum float64
	for _, family := range families {
		var abs, signed []float64
		for i, r := range list {
			if r.family == family {
				e := math.Exp(res[i]) - 1
				signed = append(signed, e)
				abs = append(abs, math.Abs(e))
			}
		}
		if len(abs) == 0 {
			continue
		}
		slices.Sort(abs)
		slices.Sort(signed)
		sum += middle(abs)
		fmt.Printf("  %-12s n %4d  median %5.1f %%  P90 %6.1f %%  signed %+6.1f %%\n", family, len(abs), 100*middle(abs), 100*at(abs, 0.9), 100*middle(signed))
	}
	fmt.Printf("  mean of medians %.1f %%\n", 100*sum/float64(len(families)))
}

func middle(sorted []float64) float64 { return at(sorted, 0.5) }

func at(sorted []float64, q float64) float64 {
	x := q * float64(len(sorted)-1)
	i := int(x)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
}

// cover prints how many rows lie in their range, and how wide it is.
func cover(title string, list []*row, ranges []speed.Width, res []float64, seen []bool) {
	by := map[string]speed.Width{}
	for _, w := range ranges {
		by[w.Of+": "+w.Case] = w
	}
	fmt.Printf("ranges, %s\n", title)
	for _, family := range families {
		var wides []float64
		inside, n := 0, 0
		for i, r := range list {
			if r.family != family {
				continue
			}
			w := widthOf(by, wide(family), r.model.Case(seen == nil || seen[i], r.load.Concurrency*limited(family)))
			n++
			if off := math.Exp(-res[i]); off >= w.Low && off <= w.High {
				inside++
			}
			wides = append(wides, w.High/w.Low)
		}
		if n == 0 {
			continue
		}
		slices.Sort(wides)
		fmt.Printf("  %-12s inside %3.0f %%  median width x%.2f\n", family, 100*float64(inside)/float64(n), middle(wides))
	}
}

func widthOf(by map[string]speed.Width, family, name string) speed.Width {
	for {
		if w, ok := by[family+": "+name]; ok {
			return w
		}
		i := strings.LastIndex(name, ", ")
		if i < 0 {
			return by[family+": "]
		}
		name = name[:i]
	}
}
