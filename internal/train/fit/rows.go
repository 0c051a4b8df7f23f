package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/train/catalog"
	"github.com/llmcheck/llmcheck/internal/tune"
)

// row is a measurement with the job and the plan that it is of.
type row struct {
	catalog.Measurement
	family string
	job    train.Job
	plan   train.Plan
	blind  question // as somebody asks who has only the columns of a table
	uses   []int
	group  map[string]string // what is left out together
}

// question is a job and a plan that are complete.
type question struct {
	job  train.Job
	plan train.Plan
	err  error
}

// rows are all measurements that can be asked, and how many of the others there are, by reason.
func rows(c *train.Constants) ([]*row, map[string]int, error) {
	all, err := catalog.All()
	if err != nil || len(all) == 0 {
		return nil, nil, fmt.Errorf("reading the measurements: %d of them: %w", len(all), err)
	}
	var list []*row
	refused := map[string]int{}
	for i := range all {
		r, err := newRow(c, &all[i])
		switch {
		case err != nil:
			refused[err.Error()]++
		case r != nil:
			list = append(list, r)
		}
	}
	return list, refused, nil
}

// newRow is nil for what is not fitted: memory, energy, and runs that are outside of the model.
func newRow(c *train.Constants, m *catalog.Measurement) (*row, error) {
	family := familyOf(m)
	if family == "" || m.Outside != "" {
		return nil, nil //nolint:nilnil // as said
	}
	open := asked(m, false)
	if open.err != nil {
		return nil, open.err
	}
	if _, _, err := c.Seconds(&open.job, &open.plan); err != nil {
		return nil, err
	}
	r := &row{Measurement: *m, family: family, job: open.job, plan: open.plan, blind: asked(m, true)}
	r.uses = c.Uses(&r.job, &r.plan)
	slices.Sort(r.uses)
	r.group = map[string]string{
		"source": m.Source.Title, "model": m.Model,
		"cell": m.Model + " " + train.Where(&r.job, &r.plan), "card": m.GPU, "framework": m.Framework,
	}
	return r, nil
}

// asked is the question of a measurement, made complete.
func asked(m *catalog.Measurement, blind bool) question {
	j, p, err := m.Question(blind)
	if err != nil {
		return question{err: err}
	}
	if !blind && j.Recompute == "" && j.Framework == train.Megatron {
		j.Recompute = train.Selective // of single modules, as its recipes have it where nothing else is published
	}
	if !blind && p.Zero < 0 && j.Framework == train.Megatron {
		p.Zero = 1
	}
	if f := j.Framework; !blind && f != train.Megatron && f != train.TorchTitan && f != "" {
		p.Tensor, p.Pipeline, p.Context = max(1, p.Tensor), max(1, p.Pipeline), max(1, p.Context) // what is not written is not done
	}
	j, p, _, err = train.Complete(j, p)
	return question{j, p, err}
}

func familyOf(m *catalog.Measurement) string {
	switch m.Metric {
	case catalog.MFU, catalog.ModelFLOPs, catalog.TokensPerGPU, catalog.TokensPerS, catalog.Step:
		return "step"
	case catalog.GPUHours, catalog.RunSeconds:
		return "run"
	case catalog.Peak, catalog.PeakOfAll, catalog.AboutPeak, catalog.RuleOfThumb, catalog.RunWh, catalog.RunCO2:
	}
	return ""
}

// residual is the logarithm of a computed rate over the measured one, or of a measured time over the computed one: above
// 0 the machine is computed to be faster than it is. Where a document has tokens a second beside a count of FLOPs, these
// are held against, since versions of one framework count differently.
func (r *row) residual(c *train.Constants, q *question) float64 {
	step, run, err := c.Seconds(&q.job, &q.plan)
	if err != nil {
		return 3
	}
	n := float64(max(1, q.plan.GPUs))
	rate := q.job.PerStep(&q.plan) / step / n
	perToken, _ := train.FLOPs(&q.job)
	peak := train.Peak(&q.job, &q.plan)
	switch {
	case r.Metric == catalog.GPUHours:
		return math.Log(r.Value * 3600 / (run * n))
	case r.Metric == catalog.RunSeconds:
		return math.Log(r.Value / run)
	case r.Metric == catalog.Step:
		return math.Log(r.Value / step)
	case r.Metric == catalog.TokensPerS:
		return math.Log(rate * n / r.Value)
	case r.Rate > 0:
		return math.Log(rate / r.Rate)
	case r.Metric == catalog.TokensPerGPU:
		return math.Log(rate / r.Value)
	case r.Metric == catalog.ModelFLOPs:
		return math.Log(rate * perToken / r.Value)
	}
	return math.Log(rate * perToken / peak / r.Value)
}

// printed is the same of what is shown, as a score compares it.
func (r *row) printed(c *train.Constants, q *question) float64 {
	plain := *r
	plain.Rate = 0
	return plain.residual(c, q)
}

// tuned are the rows as a fit sees them.
func tuned(c *train.Constants, list []*row) []tune.Row {
	count := map[string]float64{}
	for _, r := range list {
		count[r.Source.Title]++
	}
	var out []tune.Row
	for _, r := range list {
		usual := 0.12
		if r.family == "run" {
			usual = 0.2
		}
		out = append(out, tune.Row{
			Uses: r.uses, Weight: math.Pow(8/count[r.Source.Title], sourcePower) * within, Usual: usual,
			Open: func() func(values []float64) float64 {
				return func(values []float64) float64 {
					return r.residual(&train.Constants{Table: c.With(values)}, &question{job: r.job, plan: r.plan})
				}
			},
		})
	}
	return out
}

const (
	sourcePower = 0.5 // 0 counts rows, 1 counts sources
	within      = 0.5 // weight of a row against priors
)
