package diligence

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/units"
)

// trainingOutlook is what comes of one card.
type trainingOutlook struct {
	report.TrainingOutlook
	job     train.Job
	plan    train.Plan
	memory  *train.Memory
	figures *train.Figures // nil where no speed can be told
	assumed []train.Setting
	others  []report.TrainingOutlook // plans that were looked at beside it
}

// outlook is what comes of one card: the plan that was asked for, the smallest that fits, or the best that is found.
func (t *training) outlook(card *hardware.Accelerator) (*trainingOutlook, error) {
	if err := t.ctx.Err(); err != nil {
		return nil, err
	}
	p := t.q.Plan
	p.GPU = card
	if err := t.wire(&p); err != nil {
		return nil, err
	}
	switch {
	case t.q.Auto || t.q.Deadline > 0:
		return t.found(p)
	case p.GPUs == 0:
		return t.fewest(p)
	}
	return t.planned(p)
}

// wire says how the devices reach each other.
func (t *training) wire(p *train.Plan) error {
	f, err := t.Fabric(p.GPU, t.q.Fabric)
	if err != nil {
		return err
	}
	if t.q.Node > 0 {
		if f.Domain == f.Node {
			f.Domain = t.q.Node
		}
		f.Node, f.Why = t.q.Node, "as given"
	}
	if t.q.NetGbit > 0 {
		f.Net, f.Why, f.Kind = t.q.NetGbit*1e9/8, "as given", "as given"
	}
	p.Fabric = &f
	return nil
}

// planned is what comes of a plan whose number of devices is known.
func (t *training) planned(p train.Plan) (*trainingOutlook, error) {
	job, plan, assumed, err := train.Complete(t.q.Job, p)
	if err != nil {
		return nil, err
	}
	if err := plan.Check(&job); err != nil {
		return nil, err
	}
	o := &trainingOutlook{job: job, plan: plan, assumed: assumed}
	return o, t.judge(o)
}

// judge fills in memory, time, money and power.
func (t *training) judge(o *trainingOutlook) error {
	var err error
	if o.memory == nil {
		if o.memory, err = train.Account(&o.job, &o.plan); err != nil {
			return err
		}
	}
	if o.figures == nil {
		o.figures, err = t.cons.Time(&o.job, &o.plan)
	}
	switch {
	case errors.Is(err, train.ErrUnknown):
		o.Basis = err.Error()
	case err != nil:
		return err
	}
	t.fill(o)
	return t.bill(o)
}

// mostTried is the largest number of devices that is tried where nobody named one.
const mostTried = 65_536

// fewest is the smallest usual number of devices on which the job fits: powers of two within a machine, then machines.
// Where none is enough, the plan on those that hardly more of them would help says why.
func (t *training) fewest(p train.Plan) (*trainingOutlook, error) {
	if p.GPU.Usable() <= 0 {
		p.GPUs = 1
		return t.planned(p)
	}
	var tried []*trainingOutlook
	var refusal error
	for n := ranksSaid(&p); n <= mostTried; n *= 2 {
		p.GPUs = n
		job, plan, assumed, err := train.Complete(t.q.Job, p)
		if err == nil {
			err = plan.Check(&job)
		}
		if err != nil {
			refusal = err
			continue
		}
		memory, err := train.Account(&job, &plan)
		if err != nil {
			return nil, err
		}
		tried = append(tried, &trainingOutlook{job: job, plan: plan, assumed: assumed, memory: memory})
		if memory.Verdict == train.Fits || p.Fabric.Net == 0 && n >= p.Fabric.Node { // no network leads to another machine
			break
		}
	}
	if len(tried) == 0 {
		return nil, refusal
	}
	o, why := chosen(tried)
	if p.Data == 0 {
		t.assume("gpus", strconv.Itoa(o.plan.GPUs), why+"; give --gpus or --gpus auto")
	}
	return o, t.judge(o)
}

// chosen is the plan on the fewest devices that fits, else that may fit, else on which hardly less memory is taken if there
// are more: what does not shrink when it is shared by more devices is not mended by them.
func chosen(tried []*trainingOutlook) (o *trainingOutlook, why string) {
	const hardly = 1.05
	last := tried[len(tried)-1]
	if last.memory.Verdict == train.Fits {
		return last, "the smallest number, doubling, on which it fits"
	}
	for _, o := range tried {
		if o.memory.Verdict == train.Tight {
			return o, fmt.Sprintf("the smallest number, doubling, on which it may fit; up to %s it surely fits on none", units.Thousands(int64(last.plan.GPUs)))
		}
	}
	least := slices.MinFunc(tried, func(a, b *trainingOutlook) int { return cmp.Compare(a.memory.Planned.Mid, b.memory.Planned.Mid) })
	for _, o := range tried {
		if o.memory.Planned.Mid <= hardly*least.memory.Planned.Mid {
			least = o
			break
		}
	}
	return least, fmt.Sprintf("doubling up to %s it fits on none, and on more than this hardly less is taken", units.Thousands(int64(last.plan.GPUs)))
}

// ranksSaid is the smallest number of devices that the ranks that were asked for need.
func ranksSaid(p *train.Plan) int {
	n := max(1, p.Tensor) * max(1, p.Pipeline) * max(1, p.Context) * max(1, p.Data)
	return min(n, mostTried)
}

// errNoPlan is wrapped by the error for a search that found nothing.
var errNoPlan = errors.New("no plan does it")

// found is the best plan that a search finds.
func (t *training) found(p train.Plan) (*trainingOutlook, error) {
	found, err := train.Find(t.ctx, t.cons, t.q.Job, train.Want{
		GPU: p.GPU, Fabric: p.Fabric, GPUs: p.GPUs, Max: t.q.Most, Deadline: t.q.Deadline.Seconds(), Price: t.hourly(p.GPU), Said: p,
	})
	if err != nil {
		return nil, err
	}
	t.search = &report.TrainingSearch{
		Deadline: t.q.Deadline.Seconds(), Looked: found.Looked, Fitted: found.Fitted, Largest: found.Largest, Stops: found.StopsBy, Why: found.Why,
	}
	options := found.Best
	if len(options) == 0 && found.Nearest != nil {
		options = []train.Option{*found.Nearest}
	}
	if len(options) == 0 {
		return nil, fmt.Errorf("%w: %s", errNoPlan, found.Why)
	}
	list := make([]*trainingOutlook, 0, len(options))
	for _, c := range options {
		o := &trainingOutlook{job: c.Job, plan: c.Plan, memory: c.Memory, figures: c.Figures, assumed: found.Settled}
		if err := t.judge(o); err != nil {
			return nil, err
		}
		o.Reasons = c.Reasons
		list = append(list, o)
	}
	best := list[0]
	for _, o := range list[1:] {
		best.others = append(best.others, o.TrainingOutlook)
	}
	return best, nil
}

// hourly is what one device costs an hour, 0 where that is not known.
func (t *training) hourly(card *hardware.Accelerator) float64 {
	if t.Prices == nil {
		return 0
	}
	l := t.ledger(card, boards(card, 8))
	q, ok := l.quoted()
	if !ok || math.IsNaN(q.PerHour.Mid) {
		return 0
	}
	return q.PerHour.Mid / 8
}
