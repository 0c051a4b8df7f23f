package diligence

import (
	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
)

// data holds the tokens of the run against what is optimal, what others used and what is at hand.
func (t *training) data(o *trainingOutlook, out *report.Training) {
	if o.job.Tokens <= 0 {
		return
	}
	j := train.Judge(&o.job, t.q.Have)
	d := &report.TrainingData{Tokens: o.job.Tokens, PerParam: j.PerParam, Verdict: j.Verdict, Why: j.Why, Sources: j.Sources}
	out.Data = d
	if t.q.Have > 0 {
		d.Have, d.Epochs = &t.q.Have, &j.Epochs
	}
	if j.Optimal == nil {
		return
	}
	d.Optimal = report.Range(j.Optimal.Tokens)
	d.Points = append(d.Points, t.point(o, "compute-optimal", j.Optimal.Tokens.Mid), t.point(o, "as asked", o.job.Tokens))
	if usual, sources, ok := train.Served(o.job.Shape); ok {
		d.Usual = trainRange(usual)
		d.Sources = append(d.Sources, sources...)
		d.Points = append(d.Points, t.point(o, "as models of this size that are served", usual.Mid))
	}
}

// point is the run with another number of tokens. What the plan does in a second is the same, so only the length changes.
func (t *training) point(o *trainingOutlook, what string, tokens float64) report.DataPoint {
	p := report.DataPoint{Tokens: tokens, What: what}
	if o.figures == nil || o.figures.Run == nil || !(o.job.Tokens > 0) {
		return p
	}
	times := tokens / o.job.Tokens
	p.GPUHours, p.Time = trainRange(o.figures.Run.GPUHours.Times(times)), trainRange(o.figures.Run.Seconds.Times(times))
	if o.USD != nil {
		p.USD = ranged(cost.Range(*o.USD).Times(times))
	}
	return p
}
