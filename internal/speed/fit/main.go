// Command fit fits the constants of speed to the published measurements and says how well they do: on the rows of the
// fit, and on rows that were left out of it by group.
package main

import (
	"flag"
	"fmt"
	"hash/fnv"
	"os"
	"slices"

	"github.com/llmcheck/llmcheck/internal/speed"
)

func main() {
	verbose := flag.Bool("rows", false, "print every row")
	quick := flag.Bool("quick", false, "no cross-validation")
	flag.Parse()
	if err := run(*verbose, *quick); err != nil {
		fmt.Fprintln(os.Stderr, "fitting:", err)
		os.Exit(1)
	}
}

func run(verbose, quick bool) error {
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
	show("in sample", list, f.residuals(values))
	if !quick {
		for _, by := range []string{"cell", "card", "model", "source"} {
			show("left out by "+by, list, validate(c, list, by, values))
		}
	}
	for i, one := range c.List() {
		fmt.Printf("%-14s %-44s %.4g\n", one.Of, one.By, c.Written(i, values[i]))
	}
	if verbose {
		printRows(list, f.residuals(values))
	}
	return nil
}

func (f *fitted) residuals(values []float64) []float64 {
	out := make([]float64, len(f.rows))
	f.each(func(_, i int) { out[i] = f.rows[i].residual(f.rows[i].model.With(values)) })
	return out
}

const folds = 6

// validate fits without each sixth of the groups and looks at those.
func validate(c *speed.Constants, list []*row, by string, start []float64) []float64 {
	out := make([]float64, len(list))
	for fold := range folds {
		var in []*row
		var left []int
		for i, r := range list {
			if foldOf(r.group[by]) == fold {
				left = append(left, i)
			} else {
				in = append(in, r)
			}
		}
		f := newFit(c, in)
		values := f.run(start, 6)
		for _, i := range left {
			out[i] = list[i].residual(list[i].model.With(values))
		}
	}
	return out
}

func foldOf(name string) int {
	h := fnv.New32a()
	h.Write([]byte(name))
	return int(h.Sum32()>>3) % folds
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
