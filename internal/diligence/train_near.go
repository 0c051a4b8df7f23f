package diligence

import (
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
	trained "github.com/llmcheck/llmcheck/internal/train/catalog"
)

// near adds the published measurements closest to the plan, with what is computed for those very settings, so that a reader
// sees how far off we were there.
func (t *training) near(o *trainingOutlook, out *report.Training) {
	q := trained.Question{Job: &o.job, Plan: &o.plan}
	for _, kind := range []trained.Kind{trained.Memory, trained.Speed, trained.Runs} {
		if kind == trained.Runs && o.job.Method != train.Pretrain {
			continue
		}
		q.Kind = kind
		list, _, err := trained.Nearest(&q, 1)
		if err != nil {
			t.s.gaps = append(t.s.gaps, model.Gap{What: "published measurements of training", Why: err.Error(), Kind: model.Unread})
			return
		}
		for i := range list {
			m := &list[i].Measurement
			out.Nearest = append(out.Nearest, report.NearestTraining{
				What: list[i].What(), Metric: string(m.Metric), Value: m.Value, Unit: m.Metric.Unit(), Computed: t.computed(m),
				Differs: list[i].Sentence(), Source: m.Source.Title,
			})
		}
	}
}

// computed is what is said of the setting of a measurement; nil where that cannot be computed.
func (t *training) computed(m *trained.Measurement) *report.Range {
	job, plan, err := m.Question(false)
	if err != nil {
		return nil
	}
	if job, plan, _, err = train.Complete(job, plan); err != nil {
		return nil
	}
	memory, err := train.Account(&job, &plan)
	if err != nil {
		return nil
	}
	figures, err := t.cons.Time(&job, &plan)
	if err != nil {
		figures = nil
	}
	r, ok := m.Computed(&plan, memory, figures)
	if !ok {
		return nil
	}
	return trainRange(r)
}
