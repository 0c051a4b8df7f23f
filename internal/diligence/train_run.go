package diligence

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/strictjson"
	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/units"
)

// Train answers what training a model takes. An error that wraps train.ErrIllegal, ErrNumber, ErrShape or the errors of the
// catalog of cards lies in the question or its files; one that wraps arch.ErrUnknown means that nothing could be sized.
func Train(ctx context.Context, d Deps, q TrainingQuestion) (*report.Document, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	in := &inquiry{Deps: d, ctx: ctx}
	t := &training{inquiry: in, q: q, s: &described{ref: q.Ref}}
	err := t.read()
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	if errors.Is(err, train.ErrIllegal) || errors.Is(err, arch.ErrSketch) {
		return nil, err
	}
	if err != nil {
		return in.untrained(t.s, err), err
	}
	out, err := t.answer()
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return in.trained(t.s, out), nil
}

// untrained is the document for a model of which nothing could be sized.
func (in *inquiry) untrained(s *described, err error) *report.Document {
	doc := in.unsized(s, err)
	doc.Training = &report.Training{
		Summary: doc.Estimate.Summary, TrainingOutlook: report.TrainingOutlook{Verdict: undetermined, Why: err.Error()},
		Candidates: []report.TrainingOutlook{}, Assumed: nonNil(s.assumed), Defined: []report.Definition{},
	}
	doc.Estimate = nil
	return doc
}

func (in *inquiry) trained(s *described, t *report.Training) *report.Document {
	doc := in.estimated(s, nil)
	if s.ref.Scheme == "" {
		doc.Subject.Origin = "described" // by numbers: there is no place that it is from
	}
	doc.Training = t
	return doc
}

// training is one question while it is answered.
type training struct {
	*inquiry
	s       *described
	q       TrainingQuestion
	cons    *train.Constants
	derived string // config.json of a model that does not exist yet
	assumed []report.Assumption
	refused []report.Refused
	notes   []string
	search  *report.TrainingSearch
}

// read finds the shapes that the job is about.
func (t *training) read() error {
	if err := t.subject(); err != nil {
		return err
	}
	t.q.Job.Name = t.s.ref.String()
	if t.q.Failing > 0 {
		t.q.Job.Failing = t.q.Failing.Seconds()
	}
	for _, one := range []struct {
		ref  model.Ref
		into **arch.Shape
	}{{t.q.Reference, &t.q.Job.Reference}, {t.q.Reward, &t.q.Job.Reward}, {t.q.Critic, &t.q.Job.Critic}} {
		if one.ref == (model.Ref{}) {
			continue
		}
		s, err := t.describe(one.ref, "")
		if err == nil {
			err = t.shape(s, "")
		}
		if err != nil {
			return fmt.Errorf("reading the model beside the policy: %w", err)
		}
		t.s.gaps = append(t.s.gaps, s.gaps...)
		*one.into = s.serving.Shape
	}
	return t.targeted()
}

// subject is the model itself: one that exists, or one that is described by numbers.
func (t *training) subject() error {
	config, name, err := t.sketched()
	if err != nil {
		return err
	}
	if name == "" {
		s, err := t.describe(t.q.Ref, "")
		t.s = s
		if err == nil {
			err = t.shape(s, "")
		}
		if err == nil {
			t.q.Job.Shape = s.serving.Shape
		}
		return err
	}
	t.s = &described{ref: model.Ref{Name: name}, config: config, origin: "derived from the numbers given"}
	shape, err := arch.Of(config)
	if err != nil {
		return fmt.Errorf("%w: %w", train.ErrIllegal, err)
	}
	t.q.Job.Shape, t.derived = shape, config.Raw()
	return nil
}

// sketched is the configuration of a model that is described by numbers, and what to call it; no name where it exists.
func (t *training) sketched() (strictjson.Value, string, error) {
	q := &t.q
	switch {
	case q.Layers > 0 || q.Hidden > 0:
		v, err := arch.SketchOf(q.Layers, q.Hidden, q.Vocab)
		return v, fmt.Sprintf("a model of %d layers, %d wide", q.Layers, q.Hidden), err
	case q.Params > 0:
		v, err := arch.Sketch(q.Params, q.Active)
		name := "a model of " + units.Count(q.Params).String() + " parameters"
		if q.Active > 0 && q.Active != q.Params {
			name += ", " + units.Count(q.Active).String() + " active"
		}
		return v, name, err
	}
	return strictjson.Value{}, "", nil
}

// answer looks at every card. The first is what was asked for; the same work on others stands beside it.
func (t *training) answer() (*report.Training, error) {
	var err error
	if t.cons, err = t.Training(); err != nil {
		return nil, err
	}
	for _, s := range t.q.Assumed {
		t.assume(s.Name, s.Value, s.Why)
	}
	t.tokens()
	cards, err := t.cards(t.q.Cards)
	if err != nil {
		return nil, err
	}
	first, err := t.outlook(cards[0])
	if errors.Is(err, errNoPlan) {
		return t.unplanned(cards[0]), nil
	}
	if err != nil {
		return nil, err
	}
	out := t.shown(first)
	out.Found = t.search // those of other cards are not what was asked
	for _, card := range cards[1:] {
		o, err := t.outlook(card)
		if errors.Is(err, train.ErrIllegal) || errors.Is(err, errNoPlan) {
			t.refused = append(t.refused, report.Refused{Plan: card.Name, Why: err.Error()})
			continue
		}
		if err != nil {
			return nil, err
		}
		out.Candidates = append(out.Candidates, o.TrainingOutlook)
	}
	if err := t.compare(first, out); err != nil {
		return nil, err
	}
	out.Candidates = append(out.Candidates, first.others...)
	out.Refused = t.refused
	t.foreign(first, out)
	t.regulated(out)
	out.Notes = append(out.Notes, t.notes...)
	out.Summary = t.summary(first, out)
	return out, nil
}

// tokens is how long the run is, where nobody said: what is at hand, or for a model from nothing what is optimal.
func (t *training) tokens() {
	j := &t.q.Job
	switch {
	case j.Tokens > 0:
	case t.q.Have > 0:
		epochs := t.q.Epochs
		if epochs <= 0 {
			epochs = 1
		}
		j.Tokens = t.q.Have * epochs
		t.assume("tokens", units.Count(int64(j.Tokens)).String(), fmt.Sprintf("%s at hand, %g times", units.Count(int64(t.q.Have)), epochs))
	case j.Method == train.Pretrain:
		o := train.Optimal(j.Shape)
		j.Tokens = o.Tokens.Mid
		t.assume("tokens", units.Count(int64(j.Tokens)).String(), "compute-optimal for a model of this size; give --tokens")
	}
}

func (t *training) assume(what, value, why string) {
	a := report.Assumption{What: what, Value: value, Why: why}
	if !slices.Contains(t.assumed, a) {
		t.assumed = append(t.assumed, a)
	}
}

// cards are the accelerators of the question.
func (t *training) cards(names []string) ([]*hardware.Accelerator, error) {
	if len(names) == 0 {
		name, why := t.usual()
		t.assume("gpu", name, why)
		names = []string{name}
	}
	var cards []*hardware.Accelerator
	for _, name := range names {
		some, err := t.card(name)
		if err != nil {
			return nil, err
		}
		cards = append(cards, some...)
	}
	return cards, nil
}

// usual is the card that such work is mostly done on.
func (t *training) usual() (name, why string) {
	const small = 14e9
	if m := t.q.Job.Method; (m == train.LoRA || m == train.QLoRA) && t.q.Job.Shape.Params().Total <= small {
		return "rtx-4090", "the usual card for adapters of a model of this size; give --gpu"
	}
	return "h100-sxm", "the most rented card for training; give --gpu"
}

// card finds the accelerator of a name, or those of several that commas part: some names have commas of their own.
func (t *training) card(name string) ([]*hardware.Accelerator, error) {
	if unknown(name) {
		return []*hardware.Accelerator{{ID: "unknown", Name: name}}, nil
	}
	match, err := t.Cards.Resolve(name)
	switch {
	case err == nil:
		if match.Assumed != "" {
			t.assume("gpu", match.GPU.ID, match.Assumed)
		}
		return []*hardware.Accelerator{match.GPU}, nil
	case !strings.Contains(name, ","):
		return nil, err
	}
	var cards []*hardware.Accelerator
	for part := range strings.SplitSeq(name, ",") {
		some, err := t.card(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		cards = append(cards, some...)
	}
	return cards, nil
}
