package main

import (
	"fmt"
	"io"
	"maps"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/tune/refit"
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
		fmt.Fprintf(out, "  %-12s n %4d  median %5.1f %%  P90 %6.1f %%  signed %+6.1f %%\n", family, len(abs), 100*middle(abs), 100*refit.At(abs, 0.9), 100*middle(signed))
	}
	fmt.Fprintf(out, "  mean of medians %.1f %%\n", 100*sum/float64(len(families())))
}

func middle(sorted []float64) float64 { return refit.At(sorted, 0.5) }

// cover prints how many rows lie in their range, and how wide it is.
func cover(out io.Writer, title string, list []*row, j judged) {
	fmt.Fprintf(out, "ranges, %s\n", title)
	for _, family := range families() {
		rows := rowsOf(list, family)
		if len(rows) > 0 {
			fmt.Fprintf(out, "  %-12s n %4d  inside %3.0f %%  median width x%.2f\n", family, len(rows), j.share(rows), j.width(rows))
		}
	}
}

func printWidths(out io.Writer, list []speed.Width) {
	fmt.Fprintln(out, "ranges as fitted; of a case, the powers of the factors of the base")
	refit.Ranges(out, list)
}

// rowsOf are the places of the rows of a family.
func rowsOf(list []*row, family string) []int {
	var rows []int
	for i, r := range list {
		if r.family == family {
			rows = append(rows, i)
		}
	}
	return rows
}

// summary is a table of how far off the fit is, for whoever reads the constants.
func (v *validated) summary(in judged, left, nested map[string]judged) []string {
	lines := []string{
		"                    median error, %        inside the range, %                        width of the range",
		"               n   fit  cell model    fit  cell model  cell also model also    fit   cell  model",
	}
	for _, family := range families() {
		rows := rowsOf(v.rows, family)
		if len(rows) == 0 {
			continue
		}
		off := func(h held) float64 {
			var abs []float64
			for _, i := range rows {
				abs = append(abs, math.Abs(math.Exp(h.residual[i])-1))
			}
			slices.Sort(abs)
			return 100 * middle(abs)
		}
		lines = append(lines, fmt.Sprintf("%-12s %3d %5.1f %5.1f %5.1f %6.0f %5.0f %5.0f %10.0f %10.0f %6.2f %6.2f %6.2f", family, len(rows),
			off(v.inside), off(v.by["cell"]), off(v.by["model"]),
			in.share(rows), left["cell"].share(rows), left["model"].share(rows), nested["cell"].share(rows), nested["model"].share(rows),
			in.width(rows), left["cell"].width(rows), left["model"].width(rows)))
	}
	return append(lines,
		"fit: on these rows. cell, model: rows that were left out of the fit with all of their cell (a model with an engine on a",
		"generation of devices) or of their model. also: left out of the ranges too. A range is meant to hold 80 %.")
}

// share of rows that lie in their range, in percent.
func (j judged) share(rows []int) float64 {
	n := 0
	for _, i := range rows {
		if j.inside[i] {
			n++
		}
	}
	return 100 * float64(n) / float64(len(rows))
}

// width is the middle one of high by low.
func (j judged) width(rows []int) float64 {
	var list []float64
	for _, i := range rows {
		list = append(list, j.wide[i])
	}
	slices.Sort(list)
	return middle(list)
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
		fmt.Fprintf(out, "    %+.2f (%+.2f to %+.2f) n %d %s\n", middle(g), refit.At(g, 0.1), refit.At(g, 0.9), len(g), key)
	}
}
