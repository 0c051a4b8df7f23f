package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/llmcheck/llmcheck/internal/diligence"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
	trainings "github.com/llmcheck/llmcheck/internal/train/catalog"
)

// runTrain asks every question and writes one answer.
func runTrain(ctx context.Context, o *trainOptions) error {
	failed := make([]error, len(o.asked))
	err := o.answer(ctx, questions{
		config: o.config, refs: o.refs(), beside: o.beside(), render: o.format.Render, output: o.output, ready: o.flags.money.known,
		ask: func(ctx context.Context, d diligence.Deps, i int) (*report.Document, Code, error) {
			doc, err := diligence.Train(ctx, d, o.asked[i])
			if doc == nil {
				return nil, Failed, trainFault(err)
			}
			failed[i] = err
			return doc, trainCode(doc, err), nil
		},
	})
	if s, ok := errors.AsType[*statusError](err); ok && s.Hint == "" {
		s.Hint = o.unsized(o.config.Catalog, o.refs(), failed)
	}
	return err
}

func (o *trainOptions) refs() []model.Ref {
	refs := make([]model.Ref, len(o.asked))
	for i := range o.asked {
		refs[i] = o.asked[i].Ref
	}
	return refs
}

// beside are the models that stand beside the one that is trained, the same for every question.
func (o *trainOptions) beside() []model.Ref {
	q := &o.asked[0]
	return slices.DeleteFunc([]model.Ref{q.Reference, q.Reward, q.Critic}, func(r model.Ref) bool { return r == model.Ref{} })
}

// trainFault is an error that left no document: the question itself is wrong, or we are.
func trainFault(err error) error {
	switch {
	case errors.Is(err, trainings.ErrUnknownFabric):
		return usage(fmt.Errorf("reading --fabric: %w", err), "llmcheck catalog fabrics lists the known ids")
	case errors.Is(err, train.ErrIllegal), errors.Is(err, diligence.ErrNumber):
		return usage(err, "llmcheck help training tells what a plan has to keep to; --gpus auto finds one")
	case errors.Is(err, gpus.ErrAmbiguous):
		return usage(fmt.Errorf("reading --gpu and --compare: %w", err), "say which, like the ids that llmcheck catalog gpus lists")
	case gpus.IsUnknown(err):
		return usage(fmt.Errorf("reading --gpu and --compare: %w", err), "llmcheck catalog gpus lists the known ids")
	}
	return err
}

// trainCode is the status of one answer.
func trainCode(doc *report.Document, err error) Code {
	if err != nil {
		return unreadCode(doc, err)
	}
	switch doc.Training.Answer().Verdict {
	case report.Fits:
		return OK
	case report.DoesNotFit:
		return No
	}
	return NotEnough
}
