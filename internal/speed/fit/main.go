// Command fit fits the constants of speed to the published measurements and says how well they do: on the rows of the
// fit, and on rows that were left out of it by group. It reads internal/bench/catalog, and with -update it writes the
// values, the ranges and what was seen into constants.yaml.
package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/llmcheck/llmcheck/internal/speed"
)

// constantsPath is where the constants lie, from the root of the module.
const constantsPath = "internal/speed/constants.yaml"

// asked is what the command line says.
type asked struct {
	update, quick, rows, groups, values bool
	on                                  string
}

func main() {
	var a asked
	flag.BoolVar(&a.update, "update", false, "write "+constantsPath+" anew; run from the root of the module")
	flag.BoolVar(&a.quick, "quick", false, "no cross-validation")
	flag.BoolVar(&a.rows, "rows", false, "print every row with its residual, the logarithm of computed by measured")
	flag.BoolVar(&a.groups, "groups", false, "print the middle residual of every group that was left out")
	flag.BoolVar(&a.values, "values", false, "print the constants as fitted")
	flag.StringVar(&a.on, "on", "", "the day that is written beside the constants; today unless given")
	flag.Parse()
	if err := run(os.Stdout, a); err != nil {
		fmt.Fprintln(os.Stderr, "fitting:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, a asked) error {
	c, err := speed.Default()
	if err != nil {
		return err
	}
	list, refused, err := rows(c)
	if err != nil {
		return err
	}
	for _, why := range slices.Sorted(maps.Keys(refused)) {
		fmt.Fprintf(out, "not asked %4d: %s\n", refused[why], why)
	}
	f := newFit(c, list)
	show(out, "with the priors, nothing fitted", list, f.Residuals(f.Prior()))
	values := f.Run(f.Prior(), steps)
	inside := f.Residuals(values)
	show(out, "on the rows of the fit", list, inside)
	if a.values {
		f.printValues(out, values)
	}
	if a.rows {
		printRows(out, list, inside)
	}
	if a.quick {
		return nil
	}
	found, err := f.validated(out, values, inside, a.groups)
	if err != nil || !a.update {
		return err
	}
	found.values = values
	found.fitted = fmt.Sprintf("%d measurements of internal/bench/catalog, %s", len(list), cmp.Or(a.on, time.Now().UTC().Format(time.DateOnly)))
	return update(constantsPath, c, list, found)
}

// found is what a fit finds.
type found struct {
	values []float64
	ranges []speed.Width
	fitted string
	faults []string // how far off it is, in lines
}

// validated says how rows do that are left out by group, and what ranges follow.
func (f *fitted) validated(out io.Writer, values, inside []float64, groups bool) (*found, error) {
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
	return &found{ranges: ranges, faults: faults}, nil
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
