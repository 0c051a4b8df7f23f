package main

import (
	"fmt"
	"io"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/tune"
	"github.com/llmcheck/llmcheck/internal/tune/refit"
)

// grouped are the ways to leave rows out together.
func grouped() []string { return []string{"source", "cell", "model"} }

// held is what rows that were left out of a fit show, and what that fit had, for each.
type held struct {
	residual []float64
	known    []tune.Known
}

// validated are the residuals of a fit, and those of rows that were left out of it.
type validated struct {
	table  *tune.Table
	rows   []*row
	inside []float64
	blind  []float64 // of what is printed where only the columns of a table were told
	by     map[string]held
}

// run says how rows do that are left out by group, and what ranges follow.
func (v *validated) run(out io.Writer, start []float64) ([]tune.Width, error) {
	for _, by := range grouped() {
		v.by[by] = v.leave(by, start)
		show(out, "left out by "+by, v.rows, v.by[by].residual)
	}
	ranges := v.widths(func(int) bool { return true })
	refit.Ranges(out, ranges)
	t, err := v.table.WithWidths(ranges)
	if err != nil {
		return nil, err
	}
	all := held{v.inside, slices.Repeat([]tune.Known{knownOf(v.rows)}, len(v.rows))}
	v.cover(out, "on the rows of the fit", all, func(int) *tune.Table { return t })
	v.cover(out, "asked blind, as printed", held{v.blind, all.known}, func(int) *tune.Table { return t })
	for _, by := range grouped() {
		v.cover(out, "left out by "+by, v.by[by], func(int) *tune.Table { return t })
		var nested [refit.Folds]*tune.Table
		for fold := range nested {
			if nested[fold], err = v.table.WithWidths(v.widths(func(i int) bool { return refit.FoldOf(v.rows[i].group[by]) != fold })); err != nil {
				return nil, err
			}
		}
		v.cover(out, "left out by "+by+", of the ranges too", v.by[by], func(i int) *tune.Table { return nested[refit.FoldOf(v.rows[i].group[by])] })
	}
	return ranges, nil
}

// leave fits without each sixth of the groups and looks at those.
func (v *validated) leave(by string, start []float64) held {
	h := held{make([]float64, len(v.rows)), make([]tune.Known, len(v.rows))}
	c := &train.Constants{Table: v.table}
	refit.Leave(v.rows, func(r *row) string { return r.group[by] }, func(in []*row, left []int) {
		values, known := tune.NewFit(v.table, tuned(c, in)).Run(start, 15), knownOf(in)
		other := &train.Constants{Table: v.table.With(values)}
		for _, i := range left {
			r := v.rows[i]
			h.residual[i], h.known[i] = r.residual(other, &question{job: r.job, plan: r.plan}), known
		}
	})
	return h
}

// knownOf is what rows are measurements of.
func knownOf(list []*row) tune.Known {
	known := tune.Known{}
	for _, r := range list {
		known[r.family+" "+train.Where(&r.job, &r.plan)] = true
		known[r.family+" card "+r.plan.GPU.ID] = true
	}
	return known
}

// widths fits the ranges to residuals of the fit, of questions that leave open what nobody could tell, and of rows that were
// left out: a question is now near to what was measured, now far from it. A run is as wide as its steps and failures, and
// as wide again as four of five runs need; there are too few of them to tell one side from the other.
func (v *validated) widths(keep func(i int) bool) []tune.Width {
	var samples []tune.Sample
	for i, r := range v.rows {
		if r.family != stepFamily || !keep(i) {
			continue
		}
		samples = append(samples, v.sample(i, v.inside[i], knownOf(v.rows)))
		if r.blind.err == nil {
			samples = append(samples, v.sample(i, v.blind[i], knownOf(v.rows)))
		}
		for _, by := range grouped() {
			samples = append(samples, v.sample(i, v.by[by].residual[i], v.by[by].known[i]))
		}
	}
	e := tune.NewEnds(stepFamily, train.Cases(stepFamily), train.Judged, train.Strange, samples)
	e.Fit(false)
	list := e.Widths()
	if w, ok := v.runWidth(list, keep); ok {
		list = append(list, w)
	}
	return list
}

const (
	stepFamily = "step"
	runFamily  = "run"
	held80     = 0.8 // of the runs in their ranges
	narrowest  = 0.05
	widest     = 2.0
	finely     = 0.01
)

// runWidth is the smallest width that holds four of five runs, each of which counts once however often it is told.
func (v *validated) runWidth(steps []tune.Width, keep func(i int) bool) (tune.Width, bool) {
	told := map[string]float64{}
	n := 0
	for i, r := range v.rows {
		if r.family == runFamily && keep(i) {
			told[r.Source.Title+r.Model]++
			n++
		}
	}
	last := tune.Width{Of: runFamily, Case: "base", Low: math.Exp(-widest), High: math.Exp(widest), Rows: n}
	for s := narrowest; s < widest && len(told) > 0; s += finely {
		w := tune.Width{Of: runFamily, Case: "base", Low: math.Round(1e3*math.Exp(-s)) / 1e3, High: math.Round(1e3*math.Exp(s)) / 1e3, Rows: n}
		t, err := v.table.WithWidths(append(slices.Clone(steps), w))
		if err != nil {
			return last, false
		}
		if v.holding(t, told, keep) >= held80 {
			return w, true
		}
	}
	return last, len(told) > 0
}

// holding is the share of the runs that lie in their ranges, as the mean of all ways to compute them.
func (v *validated) holding(t *tune.Table, told map[string]float64, keep func(i int) bool) float64 {
	var holds, all float64
	for i, r := range v.rows {
		if r.family != runFamily || !keep(i) {
			continue
		}
		each := 1 / told[r.Source.Title+r.Model]
		residuals := []float64{v.inside[i], v.blind[i]}
		known := []tune.Known{knownOf(v.rows), knownOf(v.rows)}
		for _, by := range grouped() {
			residuals, known = append(residuals, v.by[by].residual[i]), append(known, v.by[by].known[i])
		}
		for k, off := range residuals {
			low, high := ends(&train.Constants{Table: t, Known: known[k]}, r)
			all += each
			if off >= -low && off <= high {
				holds += each
			}
		}
	}
	return holds / max(1, all)
}

// ends are how far below and above the middle of a time its range reaches, as logarithms.
func ends(c *train.Constants, r *row) (low, high float64) {
	f, err := c.Time(&r.job, &r.plan)
	if err != nil {
		return 0, 0
	}
	s := f.StepSeconds
	if r.family == runFamily {
		s = f.Run.Seconds
	}
	return math.Log(s.Mid / s.Low), math.Log(s.High / s.Mid)
}

// sample is a residual; a source with many rows counts less for each.
func (v *validated) sample(i int, residual float64, known tune.Known) tune.Sample {
	r := v.rows[i]
	n := 0.0
	for _, o := range v.rows {
		if o.Source.Title == r.Source.Title && o.family == r.family {
			n++
		}
	}
	c := &train.Constants{Table: v.table, Known: known}
	s := tune.Sample{Off: -residual, Row: i, Crowd: 1, Weight: math.Sqrt(min(1, 8/n))}
	if r.family == "step" {
		s.Cases = c.Cases(&r.job, &r.plan)
	}
	return s
}

// cover prints how many rows lie in their range, and how wide it is.
func (v *validated) cover(out io.Writer, title string, h held, table func(i int) *tune.Table) {
	fmt.Fprintf(out, "ranges, %s:", title)
	for _, family := range train.Families() {
		var n, inside float64
		var wide []float64
		for i, r := range v.rows {
			if r.family != family {
				continue
			}
			c := &train.Constants{Table: table(i), Known: h.known[i]}
			low, high := ends(c, r)
			n++
			if h.residual[i] >= -low && h.residual[i] <= high {
				inside++
			}
			wide = append(wide, math.Exp(low+high))
		}
		if n > 0 {
			slices.Sort(wide)
			fmt.Fprintf(out, "  %s inside %3.0f %% of %.0f, width x%.2f", family, 100*inside/n, n, refit.At(wide, 0.5))
		}
	}
	fmt.Fprintln(out)
}
