package main

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/tune/refit"
)

// grouped are the ways to leave rows out together.
func grouped() []string { return []string{"cell", "card", "model", "engine", "source"} }

// held is what rows that were left out of a fit show.
type held struct {
	residual []float64
	known    []speed.Known // what the fit had, for each
}

// validated are the residuals of a fit, and those of rows that were left out of it.
type validated struct {
	constants *speed.Constants
	rows      []*row
	inside    held
	by        map[string]held
	sizes     map[string]float64
}

// validate fits without each sixth of the groups and looks at those.
func validate(c *speed.Constants, list []*row, by string, start []float64) held {
	h := held{make([]float64, len(list)), make([]speed.Known, len(list))}
	refit.Leave(list, func(r *row) string { return r.group[by] }, func(in []*row, left []int) {
		values, known := newFit(c, in).Run(start, 15), knownOf(in)
		for _, i := range left {
			h.residual[i], h.known[i] = list[i].residual(list[i].model.With(values)), known
		}
	})
	return h
}

// knownOf is what rows are measurements of.
func knownOf(list []*row) speed.Known {
	known := speed.Known{}
	for _, r := range list {
		for _, what := range []string{r.model.Where(), r.model.Card(), r.model.Size()} {
			known[wide(r.family)+" "+what] = true
		}
	}
	return known
}

// judged says of rows whether they lie in a range, and how wide it is.
type judged struct {
	inside []bool
	wide   []float64
}

// judge holds rows that were left out against ranges of which they were no part either: of every sixth of the groups, the
// ranges are made from the residuals of the other rows.
func (v *validated) judge(by string) (judged, error) {
	j := judged{make([]bool, len(v.rows)), make([]float64, len(v.rows))}
	for fold := range refit.Folds {
		list := widthsOf(v.samplesOf(func(i int) bool { return refit.FoldOf(v.rows[i].group[by]) != fold }), true)
		c, err := v.constants.WithWidths(list)
		if err != nil {
			return j, err
		}
		for i, r := range v.rows {
			if refit.FoldOf(r.group[by]) == fold {
				j.put(i, r, c, v.by[by].known[i], v.by[by].residual[i])
			}
		}
	}
	return j, nil
}

// hold holds rows against ranges.
func (v *validated) hold(c *speed.Constants, h held) judged {
	j := judged{make([]bool, len(v.rows)), make([]float64, len(v.rows))}
	for i, r := range v.rows {
		j.put(i, r, c, h.known[i], h.residual[i])
	}
	return j
}

func (j *judged) put(i int, r *row, c *speed.Constants, known speed.Known, residual float64) {
	got, _ := r.model.Ranged(c, known).At(r.Metric, r.load)
	measured := got.Mid * math.Exp(-residual) // as far from the middle as it was where it was left out
	j.inside[i] = measured >= got.Low && measured <= got.High
	j.wide[i] = got.High / got.Low
}
