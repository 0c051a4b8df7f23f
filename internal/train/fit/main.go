// Command fit fits the constants of training to the published measurements and says how well they do: on the rows of the
// fit, and on rows that were left out of it by group. It reads internal/train/catalog, and with -update it writes the
// values, the ranges and what was seen into constants.yaml.
package main

import (
	"fmt"
	"io"

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/tune"
	"github.com/llmcheck/llmcheck/internal/tune/refit"
)

// constantsPath is where the constants lie, from the root of the module.
const constantsPath = "internal/train/constants.yaml"

func main() { refit.Main(constantsPath, run) }

func run(out io.Writer, a *refit.Asked) error {
	c, err := train.Default()
	if err != nil {
		return err
	}
	list, refused, err := rows(c)
	if err != nil {
		return err
	}
	refit.Refused(out, refused)
	f := tune.NewFit(c.Table, tuned(c, list))
	show(out, "with the priors, nothing fitted", list, f.Residuals(f.Prior()))
	values := f.Run(f.Prior(), steps)
	inside := f.Residuals(values)
	show(out, "on the rows of the fit", list, inside)
	open := blind(&train.Constants{Table: c.With(values)}, list)
	show(out, "asked blind, as printed", list, open)
	if a.Values {
		for i, one := range c.List() {
			fmt.Fprintf(out, "%-14s %-44s %.4g (prior %.4g)\n", one.Of, one.By, c.Written(i, values[i]), one.Prior)
		}
	}
	if a.Rows {
		printRows(out, c.Table, list, inside, values)
	}
	if a.Quick {
		return nil
	}
	v := validated{table: c.Table, rows: list, inside: inside, blind: open, by: map[string]held{}}
	ranges, err := v.run(out, f.Prior())
	if err != nil || !a.Update {
		return err
	}
	all := foundOf(list)
	all.Values, all.Ranges, all.Fitted = values, ranges, fmt.Sprintf("%d measurements of internal/train/catalog, %s", len(list), a.Day())
	return all.Update(constantsPath, c.Table)
}

// foundOf is what rows say by themselves of what was found. A run is one of its steps, so nothing more is seen of runs.
func foundOf(list []*row) *refit.Found {
	f := &refit.Found{Families: []string{stepFamily}, Seen: knownOf(list)}
	for _, r := range list {
		f.Uses = append(f.Uses, r.uses)
	}
	return f
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
