package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/tune"
)

func off(residual float64) float64 { return math.Abs(math.Exp(residual) - 1) }

// show prints how far computed figures are from measured ones, by family and by source.
func show(out io.Writer, title string, list []*row, res []float64) {
	fmt.Fprintln(out, title)
	for _, family := range train.Families() {
		sources := map[string][]float64{}
		var all, signed []float64
		for i, r := range list {
			if r.family == family {
				sources[r.Source.Title] = append(sources[r.Source.Title], off(res[i]))
				all, signed = append(all, off(res[i])), append(signed, math.Exp(res[i])-1)
			}
		}
		if len(all) == 0 {
			continue
		}
		slices.Sort(all)
		slices.Sort(signed)
		var sum float64
		var worst strings.Builder
		for _, s := range slices.Sorted(maps.Keys(sources)) {
			slices.Sort(sources[s])
			sum += at(sources[s], 0.5)
			fmt.Fprintf(&worst, " %.0f", 100*at(sources[s], 0.5))
		}
		fmt.Fprintf(out, "  %-5s n %4d  median %5.1f %%  P90 %6.1f %%  signed %+6.1f %%  mean of medians of %d sources %5.1f %%: %s\n", family, len(all),
			100*at(all, 0.5), 100*at(all, 0.9), 100*at(signed, 0.5), len(sources), 100*sum/float64(len(sources)), worst.String())
	}
}

func at(sorted []float64, q float64) float64 {
	x := q * float64(len(sorted)-1)
	i := int(x)
	if i+1 >= len(sorted) {
		return sorted[len(sorted)-1]
	}
	return sorted[i] + (x-float64(i))*(sorted[i+1]-sorted[i])
}

func printRows(out io.Writer, t *tune.Table, list []*row, res, values []float64) {
	c := &train.Constants{Table: t.With(values)}
	for i, r := range list {
		b := math.NaN()
		if r.blind.err == nil {
			b = r.printed(c, &r.blind)
		}
		fmt.Fprintf(out, "%-5s %+.2f blind %+.2f %-24s %-14s %s %s x%d %s %.5g\n", r.family, res[i], b, r.ID, r.Model, r.Precision, r.GPU, r.plan.GPUs, r.Metric, r.Value)
		printParts(out, c, &question{job: r.job, plan: r.plan})
		printParts(out, c, &r.blind)
	}
}

// printParts says how the devices share the work and what a step is made of, in percent.
func printParts(out io.Writer, c *train.Constants, q *question) {
	f, err := c.Time(&q.job, &q.plan)
	if q.err != nil || err != nil {
		fmt.Fprintln(out, "         not asked:", q.err, err)
		return
	}
	p, j := &q.plan, &q.job
	fmt.Fprintf(out, "         %s T%d P%d(%d) C%d E%d D%d Z%d mb%d gb%d s%d %s %s: MFU %.1f", j.Framework, p.Tensor, p.Pipeline, p.Virtual, p.Context, p.Expert, p.Data, p.Zero, p.Micro,
		j.Global, j.Sequence, j.Recompute, j.Offload, 100*f.MFU.Mid)
	for _, one := range f.Parts {
		fmt.Fprintf(out, " %s %.0f", one.Cause, 100*one.Seconds/f.StepSeconds.Mid)
	}
	fmt.Fprintln(out)
}
