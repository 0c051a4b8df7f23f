package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/speed"
)

func families() []string {
	return []string{"decode", "prefill", "max_output", "mlperf", "tpot", "ttft", "with_prompt"}
}

// show prints how far computed figures are from measured ones, by family.
func show(out io.Writer, title string, list []*row, res []float64) {
	fmt.Fprintf(out, "%s\n", title)
	var sum float64
	for _, family := range families() {
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
		fmt.Fprintf(out, "  %-12s n %4d  median %5.1f %%  P90 %6.1f %%  signed %+6.1f %%\n", family, len(abs), 100*middle(abs), 100*at(abs, 0.9), 100*middle(signed))
	}
	fmt.Fprintf(out, "  mean of medians %.1f %%\n", 100*sum/float64(len(families())))
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
func cover(out io.Writer, title string, list []*row, j judged) {
	fmt.Fprintf(out, "ranges, %s\n", title)
	for _, family := range families() {
		var wides []float64
		inside := 0
		for i, r := range list {
			if r.family != family {
				continue
			}
			if j.inside[i] {
				inside++
			}
			wides = append(wides, j.wide[i])
		}
		if len(wides) == 0 {
			continue
		}
		slices.Sort(wides)
		fmt.Fprintf(out, "  %-12s n %4d  inside %3.0f %%  median width x%.2f\n", family, len(wides), 100*float64(inside)/float64(len(wides)), middle(wides))
	}
}

func printWidths(out io.Writer, list []speed.Width) {
	fmt.Fprintln(out, "ranges as fitted; of a case, the powers of the factors of the base")
	for _, w := range list {
		fmt.Fprintf(out, "  %-10s %-8s %.3f to %.3f  n %d\n", w.Of, w.Case, w.Low, w.High, w.Rows)
	}
}

// printGroups prints the middle residual of every group that was left out.
func printGroups(out io.Writer, list []*row, res []float64, by string) {
	groups := map[string][]float64{}
	for i, r := range list {
		key := fmt.Sprintf("%-11s %-32s %s", r.family, r.group[by], r.Engine)
		groups[key] = append(groups[key], res[i])
	}
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		g := groups[key]
		slices.Sort(g)
		fmt.Fprintf(out, "    %+.2f (%+.2f to %+.2f) n %d %s\n", middle(g), at(g, 0.1), at(g, 0.9), len(g), key)
	}
}
