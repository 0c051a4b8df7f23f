// Command fit fits the constants of training to the published measurements and says how well they do: on the rows of the
// fit, and on rows that were left out of it by group. It reads internal/train/catalog, and with -update it writes the
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

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/tune"
)

// constantsPath is where the constants lie, from the root of the module.
const constantsPath = "internal/train/constants.yaml"

// asks is what the command line says.
type asks struct {
	update, quick, rows, values bool
	on                          string
}

func main() {
	var a asks
	flag.BoolVar(&a.update, "update", false, "write "+constantsPath+" anew; run from the root of the module")
	flag.BoolVar(&a.quick, "quick", false, "no cross-validation")
	flag.BoolVar(&a.rows, "rows", false, "print every row with its residual, the logarithm of computed by measured")
	flag.BoolVar(&a.values, "values", false, "print the constants as fitted")
	flag.StringVar(&a.on, "on", "", "the day that is written beside the constants; today unless given")
	flag.Parse()
	if err := run(os.Stdout, a); err != nil {
		fmt.Fprintln(os.Stderr, "fitting:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, a asks) error {
	c, err := train.Default()
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
	f := tune.NewFit(c.Table, tuned(c, list))
	show(out, "with the priors, nothing fitted", list, f.Residuals(f.Prior()))
	values := f.Run(f.Prior(), steps)
	inside := f.Residuals(values)
	show(out, "on the rows of the fit", list, inside)
	open := blind(&train.Constants{Table: c.With(values)}, list)
	show(out, "asked blind, as printed", list, open)
	if a.values {
		for i, one := range c.List() {
			fmt.Fprintf(out, "%-14s %-44s %.4g (prior %.4g)\n", one.Of, one.By, c.Written(i, values[i]), one.Prior)
		}
	}
	if a.rows {
		printRows(out, c.Table, list, inside, values)
	}
	if a.quick {
		return nil
	}
	v := validated{table: c.Table, rows: list, inside: inside, blind: open, by: map[string]held{}}
	ranges, err := v.run(out, f.Prior())
	if err != nil || !a.update {
		return err
	}
	fitted := fmt.Sprintf("%d measurements of internal/train/catalog, %s", len(list), cmp.Or(a.on, time.Now().UTC().Format(time.DateOnly)))
	return update(constantsPath, c, list, values, ranges, fitted)
}

const steps = 25

// blind are the residuals of what is printed where only the columns of a table were told.
func blind(c *train.Constants, list []*row) []float64 {
	out := make([]float64, len(list))
	for i, r := range list {
		out[i] = 3
		if r.blind.err == nil {
			out[i] = r.printed(c, &r.blind)
		}
	}
	return out
}
