package main

import (
	"fmt"
	"math"
	"slices"
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
