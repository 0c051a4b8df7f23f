package fleet

import (
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// option is one plan of one replica, of which any number may be taken.
type option struct {
	question *Question
	format   *Format
	plan     serve.Plan
	memory   *serve.Memory
	replica  Replica
	id       string // number format and division, to break ties

	best    Met         // that can be: one request alone is within the targets with the middle of the ranges
	most    int         // replicas without spare ones that the limit of GPUs allows
	room    float64     // requests at once that one replica takes
	ceiling speed.Range // requests a second under unlimited load
	fastest float64     // latency of one request alone
}

// option tries a plan. It is nil for one that cannot meet the targets, which is noted with the reason.
func (s *search) option(f *Format, p serve.Plan) *option {
	o := &option{question: s.question, format: f, plan: p}
	for _, step := range []func() *miss{o.fits, o.holds, o.counts, o.meets} {
		if m := step(); m != nil {
			m.id = o.key()
			if m.stage != illegal {
				m.why = o.text() + ": " + m.why
			}
			s.missed(m)
			return nil
		}
	}
	o.id = o.key()
	return o
}

// fits asks whether one replica finds room in memory.
func (o *option) fits() *miss {
	memory, err := o.settle()
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

// release lets go of what takes most memory; fits computes it again.
func (o *option) release() { o.memory, o.replica = nil, nil }

// settle is the account of the plan, with the settings that nobody said and that the defaults leave too narrow.
func (o *option) settle() (*serve.Memory, error) {
	memory, err := o.format.Model.Fit(o.plan)
	if err != nil {
		return nil, err
	}
	switch {
	case o.plan.Engine.Kind == serve.LlamaCPP:
		return o.slots(memory), nil
	case memory.Verdict != serve.Fits && o.plan.Utilization == 0:
		return o.lowered(memory), nil
	}
	return memory, nil
}

// mostSlots is the largest number of slots of llama.cpp that is proposed.
const mostSlots = 64

// slots gives llama.cpp as many slots as there is room for: it starts with one, whose requests wait for each other.
func (o *option) slots(memory *serve.Memory) *serve.Memory {
	if o.plan.MaxSeqs > 0 || memory.Verdict != serve.Fits {
		return memory
	}
	assumed := o.plan.Assumed
	for n := int64(2); n <= mostSlots; n *= 2 {
		p := o.plan
		p.MaxSeqs = n
		p.Assumed = append(slices.Clip(assumed), serve.Setting{
			Name: "n_parallel", Value: strconv.FormatInt(n, 10), Why: "as many slots as there is surely room for; the server starts one",
		})
		more, err := o.format.Model.Fit(p)
		if err != nil || more.Verdict != serve.Fits {
			break
		}
		o.plan, memory = p, more
	}
	return memory
}

// lowered gives the engine a smaller share of the device, where its default leaves too little for what it does not count.
func (o *option) lowered(memory *serve.Memory) *serve.Memory {
	if b := memory.Breaks; b == nil || b.Part != serve.Reserved && b.Part != serve.Graphs {
		return memory
	}
	for _, share := range []float64{0.85, 0.8, 0.7} {
		p := o.plan
		p.Utilization = share
		p.Assumed = append(slices.Clip(p.Assumed), serve.Setting{
			Name: "gpu_memory_utilization", Value: strconv.FormatFloat(share, 'g', -1, 64),
			Why: "the default leaves too little for what the engine does not count",
		})
		if less, err := o.format.Model.Fit(p); err == nil && less.Verdict == serve.Fits {
			o.plan = p
			return less
		}
	}
	return memory
}

// holds asks whether a request of the load's length is one that the plan takes, and how many at once.
func (o *option) holds() *miss {
	l := &o.question.Load
	p, err := o.plan.Complete(o.format.Model.Model())
	if err != nil {
		return &miss{stage: illegal, why: rule(err)}
	}
	length := math.Ceil(l.Input.Mean + l.Output.Mean)
	if length > float64(p.MaxModelLen) {
		return &miss{stage: illegal, why: fmt.Sprintf("requests of %.0f tokens are longer than max_model_len %d", length, p.MaxModelLen)}
	}
	o.room = float64(p.MaxSeqs) * float64(max(1, p.Data))
	if l.Concurrency == 0 || p.Engine.Kind == serve.LlamaCPP { // whose slots have their room already
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

// counts finds how many replicas there may be.
func (o *option) counts() *miss {
	o.most = o.question.limit()/o.plan.GPUs - o.question.Spare
	if o.most < 1 {
		return o.tooMany(o.plan.GPUs * (1 + o.question.Spare))
	}
	if users := o.question.Load.Concurrency; users > 0 {
		o.most = min(o.most, int(math.Ceil(users))) // one user each
	}
	return nil
}

func (o *option) tooMany(gpus int) *miss {
	return &miss{stage: tooMany, gap: float64(gpus), why: fmt.Sprintf("the load takes at least %d of these GPUs, above the limit of %d", gpus,
		o.question.limit())}
}

// meets asks whether one request alone is within the targets, and whether the capacity is enough. Only the middle of the ranges tells: how far a measurement
// may lie from it depends on the load, and is not always least for one request.
func (o *option) meets() *miss {
	l := o.question.Load
	l.Rate, l.Concurrency = 0, 1
	alone := o.replica(l)
	o.ceiling = alone.MaxRequests
	switch {
	case !(o.ceiling.Mid > 0):
		return &miss{stage: noSpeed, why: "how many requests it answers is not known"}
	case !o.within(alone, l, Perhaps):
		return o.tooSlow(alone)
	case o.bound(Perhaps) > o.most:
		return o.tooMany(o.fewest(Perhaps))
	}
	o.best = Yes
	if o.bound(Yes) > o.most || o.memory.Verdict != serve.Fits {
		o.best = Perhaps
	}
	o.fastest = o.latency(alone)
	return nil
}

// bound is how few replicas could hold the load, going by their capacity alone.
func (o *option) bound(want Met) int {
	l := &o.question.Load
	share := l.Concurrency / o.room
	if l.Rate > 0 {
		share = l.Rate / o.capacity(want)
	}
	if !(share < mostReplicas) { // nothing, or not a number
		return mostReplicas
	}
	return max(1, int(math.Ceil(share)))
}

// mostReplicas is more than anybody has, and keeps products of small numbers of devices finite.
const mostReplicas = 1 << 30

// capacity is how many requests a second a replica may be given.
func (o *option) capacity(want Met) float64 {
	if want == Yes {
		return o.ceiling.Low * Headroom
	}
	return o.ceiling.Mid * Headroom
}

// fewest is how few GPUs the plan could take in all.
func (o *option) fewest(want Met) int { return (o.bound(want) + o.question.Spare) * o.plan.GPUs }

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
	if l.Rate > o.capacity(want) || l.Concurrency > o.room {
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

// choice is the plan with the smallest number of replicas, up to a limit, with which it meets its targets as wanted; nil
// if there is none.
func (o *option) choice(want Met, most int) *Choice {
	n, f, ok := o.smallest(want, most)
	if !ok {
		return nil
	}
	return o.made(n, f, want)
}

// made is the plan with so many replicas beside the spare ones, each with such figures.
func (o *option) made(n int, f *speed.Figures, met Met) *Choice {
	c := &Choice{
		Card: o.plan.GPU, Model: o.format.Model, Lossy: o.format.Lossy, Plan: o.plan, Memory: o.memory,
		Replicas: n + o.question.Spare, Spare: o.question.Spare, GPUs: (n + o.question.Spare) * o.plan.GPUs, Met: met,
		Each: o.share(n), Figures: f, Latency: o.latency(f), option: o,
	}
	c.price()
	return c
}

// smallest is the smallest number of replicas, up to a limit, that is graded as wanted, and the figures of each. A smaller
// share of the load is never slower. A limit below that of the question is tried first: most plans that could have been
// cheaper are not. Below it the search gallops up from what the capacity needs and halves what is left.
func (o *option) smallest(want Met, most int) (n int, f *speed.Figures, ok bool) {
	from := o.bound(want)
	if from > most {
		return 0, nil, false
	}
	if most < o.most {
		if f, ok = o.meetsWith(most, want); !ok {
			return 0, nil, false
		}
	}
	n = most
	bad := from - 1
	for i, step := from, max(1, from/8); i < n; i, step = i+step, 2*step {
		if g, ok := o.meetsWith(i, want); ok {
			n, f = i, g
		} else {
			bad = i
		}
	}
	if f == nil {
		if f, ok = o.meetsWith(most, want); !ok {
			return 0, nil, false
		}
	}
	for n-bad > 1 {
		middle := bad + (n-bad)/2
		if g, ok := o.meetsWith(middle, want); ok {
			n, f = middle, g
		} else {
			bad = middle
		}
	}
	return n, f, true
}

// meetsWith grades so many replicas.
func (o *option) meetsWith(n int, want Met) (*speed.Figures, bool) {
	l := o.share(n)
	f := o.replica(l)
	g := o.grade(f, l)
	return f, g == Yes || g == want
}
