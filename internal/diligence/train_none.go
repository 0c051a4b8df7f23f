package diligence

import (
	"fmt"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
)

// unplanned is the answer where a search found nothing: what was asked for, and why no plan does it.
func (t *training) unplanned(card *hardware.Accelerator) *report.Training {
	j := &t.q.Job
	what := "training"
	if j.Method != "" {
		what = doing(j.Method)
	}
	shape := j.Shape
	params := shape.Params()
	return &report.Training{
		Summary: fmt.Sprintf("no plan of %s does %s of %s: %s", card.Name, what, j.Name, t.search.Why),
		Method:  string(j.Method),
		Model: report.TrainingModel{
			Architecture: shape.Architecture, Family: shape.Family, Total: params.Total, Active: params.Active,
			Layers: int64(len(shape.Blocks)), Hidden: shape.Hidden.N, Vocabulary: shape.Vocab.N, Derived: t.derived, Source: t.s.origin,
		},
		Job: report.TrainingJob{
			Framework: string(j.Framework), Precision: string(j.Precision), Optimizer: string(j.Optimizer), Recompute: string(j.Recompute),
			Loss: string(j.Loss), Sequence: j.Sequence, Global: j.Global, Tokens: j.Tokens, Rank: j.Rank,
		},
		TrainingOutlook: report.TrainingOutlook{Verdict: string(train.DoesNot), Why: t.search.Why},
		Found:           t.search,
		Candidates:      []report.TrainingOutlook{},
		Assumed:         nonNil(t.allAssumed(&trainingOutlook{job: *j})),
		Notes:           t.notes,
		Defined:         trainingWords(),
	}
}
