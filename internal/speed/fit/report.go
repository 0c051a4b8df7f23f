package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

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
func cover(out io.Writer, title string, list []*row, ranges []speed.Width, h held) {
	by := map[string]speed.Width{}
	for _, w := range ranges {
		by[w.Of+": "+w.Case] = w
	}
	fmt.Fprintf(out, "ranges, %s\n", title)
	for _, family := range families() {
		var wides []float64
		inside, n := 0, 0
		for i, r := range list {
			if r.family != family {
				continue
			}
			w := widthOf(by, wide(family), r.model.Case(h.seen == nil || h.seen[i], r.load.Concurrency*limited(family)))
			n++
			if off := math.Exp(-h.residual[i]); off >= w.Low && off <= w.High {
				inside++
			}
			wides = append(wides, w.High/w.Low)
		}
		if n == 0 {
			continue
		}
		slices.Sort(wides)
		fmt.Fprintf(out, "  %-12s inside %3.0f %%  median width x%.2f\n", family, 100*float64(inside)/float64(n), middle(wides))
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
