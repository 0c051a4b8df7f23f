package fleet

import (
	"fmt"
	"math"

	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// option is one plan of one replica, of which any number may be taken.
type option struct {
	*search
	format  *Format
	plan    serve.Plan
	memory  *serve.Memory
	replica Replica
	id      string // number format and division, to break ties

	best    Met     // with as many replicas as there may be
	most    int     // replicas without spare ones that the limit of GPUs allows
	least   int     // no fewer hold the load
	fastest float64 // latency with as many replicas as there may be
	room    float64 // requests at once that find room
	atMost  *speed.Figures
}

// option tries a plan. It is nil for one that cannot meet the targets, which is noted with the reason.
func (s *search) option(f *Format, p serve.Plan) *option {
	o := &option{search: s, format: f, plan: p}
	o.id = f.Model.Format() + " " + divisionID(&p)
	for _, step := range []func() *miss{o.fits, o.holds, o.counts, o.meets} {
		if m := step(); m != nil {
			m.id = o.id
			if m.stage != illegal {
				m.why = o.text() + ": " + m.why
			}
			s.missed(m)
			return nil
		}
	}
	return o
}

// fits asks whether one replica finds room in memory.
func (o *option) fits() *miss {
	memory, err := o.format.Model.Fit(o.plan)
	switch {
	case err != nil:
		return &miss{stage: illegal, why: rule(err)}
	case memory.Verdict == serve.DoesNot:
		return noRoom(memory, o.format.Model.Format())
	}
	o.memory = memory
	o.replica, err = o.question.Estimate(o.format.Model, o.plan, memory)
	if err != nil {
		return &miss{stage: noSpeed, why: err.Error()}
	}
	return nil
}

// holds asks whether a request of the load's length is one that the plan takes, and how many at once.
func (o *option) holds() *miss {
	p, l := o.plan, o.question.Load
	p, err := p.Complete(o.format.Model.Model())
	if err != nil {
		return &miss{stage: illegal, why: rule(err)}
	}
	length := math.Ceil(l.Input.Mean + l.Output.Mean)
	if length > float64(p.MaxModelLen) {
		return &miss{stage: illegal, why: fmt.Sprintf("requests of %.0f tokens are longer than max_model_len %d", length, p.MaxModelLen)}
	}
	o.room = float64(p.MaxSeqs) * float64(max(1, p.Data))
	if l.Concurrency == 0 {
		return nil
	}
	p = o.plan
	p.MaxModelLen = int64(length)
	memory, err := o.format.Model.Fit(p)
	if err != nil {
		return &miss{stage: illegal, why: rule(err)}
	}
	o.room = min(o.room, math.Floor(memory.Cache.Concurrency))
	if o.room < 1 {
		return &miss{stage: noMemory, gap: math.Inf(1), why: "the cache holds no request of this length"}
	}
	return nil
}

// counts finds how many replicas there may be, and how many there have to be.
func (o *option) counts() *miss {
	limit := o.question.limit()
	o.most = limit/o.plan.GPUs - o.question.Spare
	if o.most < 1 {
		needs := o.plan.GPUs * (1 + o.question.Spare)
		return o.tooMany(needs)
	}
	if users := o.question.Load.Concurrency; users > 0 {
		o.most = min(o.most, int(math.Ceil(users))) // one user each
	}
	o.atMost = o.replica(o.share(o.most))
	if !(o.atMost.MaxRequests.Mid > 0) {
		return &miss{stage: noSpeed, why: "how many requests it answers is not known"}
	}
	o.least = o.bound(Perhaps)
	if o.least > o.most {
		return o.tooMany((o.least + o.question.Spare) * o.plan.GPUs)
	}
	return nil
}

func (o *option) tooMany(gpus int) *miss {
	return &miss{stage: tooMany, gap: float64(gpus), why: fmt.Sprintf("the load takes at least %d of these GPUs, above the limit of %d", gpus,
		o.question.limit())}
}

// meets grades the plan with as many replicas as there may be.
func (o *option) meets() *miss {
	o.best = o.grade(o.atMost, o.share(o.most))
	if o.best == Yes && o.bound(Yes) > o.most {
		o.best = Perhaps
	}
	if o.best != No {
		o.least = o.bound(o.best)
		o.fastest = o.latency(o.atMost)
		return nil
	}
	lone := o.question.Load
	lone.Rate, lone.Concurrency = 0, 1
	return o.tooSlow(o.replica(lone))
}

// bound is how few replicas could hold the load, going by their capacity alone.
func (o *option) bound(want Met) int {
	l := o.question.Load
	share := l.Concurrency / o.room
	if l.Rate > 0 {
		share = l.Rate / o.capacity(o.atMost, want)
	}
	if !(share < math.MaxInt32) { // nothing, or not a number
		return math.MaxInt32
	}
	return max(1, int(math.Ceil(share)))
}

// capacity is how many requests a second a replica may be given.
func (o *option) capacity(f *speed.Figures, want Met) float64 {
	if want == Yes {
		return f.MaxRequests.Low * Headroom
	}
	return f.MaxRequests.Mid * Headroom
}

// fewest is how few GPUs the plan could take in all.
func (o *option) fewest() int { return (o.least + o.question.Spare) * o.plan.GPUs }

// share is the load of one of so many replicas. Where requests at once are asked for, it is that of the busiest one.
func (o *option) share(replicas int) speed.Load {
	l := o.question.Load
	l.Rate /= float64(replicas)
	l.Concurrency = math.Ceil(l.Concurrency / float64(replicas))
	return l
}

// grade says whether a replica is within the targets under its load.
func (o *option) grade(f *speed.Figures, l speed.Load) Met {
	met := func(want Met) bool { return o.within(f, l, want) }
	switch {
	case f.Saturated || !met(Perhaps):
		return No
	case o.memory.Verdict != serve.Fits || !met(Yes):
		return Perhaps
	}
	return Yes
}

func (o *option) within(f *speed.Figures, l speed.Load, want Met) bool {
	t := o.question.Targets
	if l.Rate > o.capacity(f, want) || l.Concurrency > o.room {
		return false
	}
	if l.Output.Mean > 1 && !below(f.TPOT, t.TPOT, want) {
		return false
	}
	return below(f.TTFT, t.TTFT, want)
}

// below reports whether a figure is known, and at most the target where there is one.
func below(r *speed.Range, target float64, want Met) bool {
	if r == nil || !known(r.Low, r.Mid, r.High) {
		return false
	}
	if want == Yes {
		return target == 0 || r.High <= target
	}
	return target == 0 || r.Mid <= target
}

// latency is the time of a request of mean length: the one axis on which both latencies count, each as often as a
// person waits for it.
func (o *option) latency(f *speed.Figures) float64 {
	sum := f.TTFT.Mid
	if f.TPOT != nil {
		sum += (o.question.Load.Output.Mean - 1) * f.TPOT.Mid
	}
	return sum
}

// choice finds the smallest number of replicas with which the plan meets its targets as wanted, which it does with the
// largest.
func (o *option) choice(want Met) Choice {
	n, f := o.smallest(want, o.bound(want))
	each := o.share(n)
	c := Choice{
		Card: o.plan.GPU, Model: o.format.Model, Lossy: o.format.Lossy, Plan: o.plan, Memory: o.memory,
		Replicas: n + o.question.Spare, Spare: o.question.Spare, Met: want,
		Each: each, Figures: f, Latency: o.latency(f), option: o,
	}
	c.GPUs = c.Replicas * o.plan.GPUs
	c.priced()
	return c
}

// smallest is the smallest number of replicas, at least so many, that is graded as wanted, and the figures of each. A
// smaller share of the load is never slower, so it gallops up and halves what is left.
func (o *option) smallest(want Met, from int) (int, *speed.Figures) {
	try := func(n int) (*speed.Figures, bool) {
		l := o.share(n)
		f := o.replica(l)
		g := o.grade(f, l)
		return f, g == Yes || g == want
	}
	bad, good, best := from-1, o.most, o.atMost
	for n, step := from, max(1, from/16); n < good; n, step = n+step, 2*step {
		if f, ok := try(n); ok {
			good, best = n, f
			break
		}
		bad = n
	}
	for good-bad > 1 {
		n := bad + (good-bad)/2
		if f, ok := try(n); ok {
			good, best = n, f
		} else {
			bad = n
		}
	}
	return good, best
}
