// Command fit fits the constants of speed to the published measurements and says how well they do: on the rows of the
// fit, and on rows that were left out of it by group. It reads internal/bench/catalog, and with -update it writes the
// values, the ranges and what was seen into constants.yaml.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"slices"

	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/tune"
	"github.com/llmcheck/llmcheck/internal/tune/refit"
)

// constantsPath is where the constants lie, from the root of the module.
const constantsPath = "internal/speed/constants.yaml"

func main() {
	groups := flag.Bool("groups", false, "print the middle residual of every group that was left out")
	refit.Main(constantsPath, func(out io.Writer, a *refit.Asked) error { return run(out, a, *groups) })
}

func run(out io.Writer, a *refit.Asked, groups bool) error {
	c, err := speed.Default()
	if err != nil {
		return err
	}
	list, refused, err := rows(c)
	if err != nil {
		return err
	}
	refit.Refused(out, refused)
	f := newFit(c, list)
	show(out, "with the priors, nothing fitted", list, f.Residuals(f.Prior()))
	values := f.Run(f.Prior(), steps)
	inside := f.Residuals(values)
	show(out, "on the rows of the fit", list, inside)
	if a.Values {
		f.printValues(out, values)
	}
	if a.Rows {
		printRows(out, list, inside)
	}
	if a.Quick {
		return nil
	}
	found, err := f.validated(out, values, inside, groups)
	if err != nil || !a.Update {
		return err
	}
	found.Values, found.Fitted = values, fmt.Sprintf("%d measurements of internal/bench/catalog, %s", len(list), a.Day())
	return found.Update(constantsPath, c.Table)
}

// foundOf is what rows say by themselves of what was found.
func foundOf(list []*row) *refit.Found {
	f := &refit.Found{Families: speed.Families(), Seen: tune.Known(knownOf(list))}
	for _, r := range list {
		f.Uses = append(f.Uses, r.uses)
	}
	return f
}

// validated says how rows do that are left out by group, and what ranges follow.
func (f *fitted) validated(out io.Writer, values, inside []float64, groups bool) (*refit.Found, error) {
	v := validated{f.constants, f.rows, held{inside, slices.Repeat([]speed.Known{knownOf(f.rows)}, len(inside))}, map[string]held{}, sizesOf(f.rows)}
	for _, by := range grouped() {
		v.by[by] = validate(f.constants, f.rows, by, f.Prior())
		show(out, "left out by "+by, f.rows, v.by[by].residual)
		if groups {
			printGroups(out, f.rows, v.by[by].residual, by)
		}
	}
	f.settle(values) // bounds of the ranges are those of the values as fitted
	ranges := widthsOf(v.samplesOf(func(int) bool { return true }), false)
	c, err := f.constants.WithWidths(ranges)
	if err != nil {
		return nil, err
	}
	printWidths(out, ranges)
	in := v.hold(c, v.inside)
	cover(out, "on the rows of the fit", f.rows, in)
	left, nested := map[string]judged{}, map[string]judged{}
	for _, by := range grouped() {
		left[by] = v.hold(c, v.by[by])
		cover(out, "left out by "+by, f.rows, left[by])
	}
	for _, by := range grouped() {
		if nested[by], err = v.judge(by); err != nil {
			return nil, err
		}
		cover(out, "left out by "+by+", of the ranges too", f.rows, nested[by])
	}
	v.shares(out, "on the rows of the fit", v.inside, in.wide)
	for _, by := range []string{"cell", "model", "source"} {
		v.shares(out, "left out by "+by, v.by[by], left[by].wide)
	}
	faults := v.summary(in, left, nested)
	fmt.Fprintf(out, "%d constants, %d numbers of ranges\n", len(values), 2*len(ranges))
	for _, line := range faults {
		fmt.Fprintln(out, line)
	}
	all := foundOf(f.rows)
	all.Ranges, all.Faults = ranges, faults
	return all, nil
}

// settle leaves the models of the rows with some values.
func (f *fitted) settle(values []float64) {
	f.each(func(_, i int) { f.rows[i].model = f.rows[i].model.With(values) })
}

func (f *fitted) printValues(out io.Writer, values []float64) {
	for i, one := range f.constants.List() {
		fmt.Fprintf(out, "%-14s %-44s %.4g\n", one.Of, one.By, f.constants.Written(i, values[i]))
	}
}

func printRows(out io.Writer, list []*row, res []float64) {
	order := make([]int, len(list))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(list[a].family, list[b].family) })
	for _, i := range order {
		r := list[i]
		fmt.Fprintf(out, "%-11s %+.2f %-36s %-13s %-16s %-22s x%d T%d P%d E%d D%d c%d %d/%d %.5g\n", r.family, res[i], r.Model, r.Precision,
			r.Engine, r.GPU, r.GPUs, r.Tensor, r.Pipeline, r.Expert, r.Data, r.Concurrency, r.Input, r.Output, r.Value)
	}
}
