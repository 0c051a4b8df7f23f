// Command fit fits the constants of speed to the published measurements and says how well they do: on the rows of the
// fit, and on rows that were left out of it by group.
package main

import (
	"flag"
	"fmt"
	"os"
	"slices"

	"github.com/llmcheck/llmcheck/internal/speed"
)

func main() {
	verbose := flag.Bool("rows", false, "print every row")
	flag.BoolVar(&debug, "debug", false, "print steps")
	flag.Float64Var(&within, "within", within0, "weight of rows")
	flag.Float64Var(&familyPower, "power", familyPower0, "weight of families")
	flag.Float64Var(&looser, "loose", 1, "times loose")
	quick := flag.Bool("quick", false, "no cross-validation")
	file := flag.String("update", "", "write the constants into this file")
	flag.Parse()
	if err := run(*verbose, *quick, *file); err != nil {
		fmt.Fprintln(os.Stderr, "fitting:", err)
		os.Exit(1)
	}
}

func run(verbose, quick bool, file string) error {
	c, err := speed.Default()
	if err != nil {
		return err
	}
	list, refused, err := rows(c)
	if err != nil {
		return err
	}
	for why, n := range refused {
		fmt.Printf("not asked %4d: %s\n", n, why)
	}
	f := newFit(c, list)
	show("priors", list, f.residuals(f.prior))
	values := f.run(f.prior, most)
	inside := f.residuals(values)
	show("in sample", list, inside)
	if quick {
		values = f.shown(values)
	} else if err := f.validated(values, inside, file); err != nil {
		return err
	}
	if verbose {
		printRows(list, inside)
	}
	return nil
}

// shown prints the values.
func (f *fitted) shown(values []float64) []float64 {
	for i, one := range f.constants.List() {
		fmt.Printf("%-14s %-44s %.4g\n", one.Of, one.By, f.constants.Written(i, values[i]))
	}
	return values
}

// validated says how rows do that are left out by group, and what ranges follow.
func (f *fitted) validated(values, inside []float64, file string) error {
	var outside []held
	for _, by := range []string{"cell", "card", "model", "engine", "source"} {
		h := validate(f.constants, f.rows, by, f.prior)
		show("left out by "+by, f.rows, h.residual)
		if by == "cell" || by == "card" || by == "model" {
			outside = append(outside, h)
		}
	}
	ranges := widths(f.rows, inside, outside)
	cover("in sample", f.rows, ranges, inside, nil)
	cover("left out by cell", f.rows, ranges, outside[0].residual, outside[0].seen)
	cover("left out by model", f.rows, ranges, outside[2].residual, outside[2].seen)
	if file == "" {
		return nil
	}
	return update(file, f.constants, f.rows, values, ranges, fmt.Sprintf("%d measurements of internal/bench/catalog", len(f.rows)))
}

func (f *fitted) residuals(values []float64) []float64 {
	out := make([]float64, len(f.rows))
	f.each(func(_, i int) { out[i] = f.rows[i].residual(f.rows[i].model.With(values)) })
	return out
}

func printRows(list []*row, res []float64) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		if list[a].family != list[b].family {
			if list[a].family < list[b].family {
				return -1
			}
			return 1
		}
		return 0
	})
	for _, i := range order {
		r := list[i]
		fmt.Printf("%-11s %+.2f %-36s %-13s %-16s %-22s x%d T%d P%d E%d D%d c%d %d/%d %.5g\n", r.family, res[i], r.Model, r.Precision, r.Engine, r.GPU, r.GPUs,
			r.Tensor, r.Pipeline, r.Expert, r.Data, r.Concurrency, r.Input, r.Output, r.Value)
	}
}
