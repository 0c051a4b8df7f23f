package speed

import (
	"fmt"

	"github.com/llmcheck/llmcheck/internal/queue"
)

// Figures are what a deployment does under a load, in closed form.
func (m *Model) Figures(l Load) *Figures {
	r := l.mean()
	replicas := float64(m.work.Replicas)
	most := m.most(&r, &l)
	prompt := load{prompt: r.fresh, before: r.fresh * r.before, prompts: 1, lone: true}
	f := &Figures{
		Single: m.around("decode", m.single(&r), 0), Prompt: m.around("prefill", r.in/m.prompted(&r), 0),
		MaxOutput: m.around("max_output", replicas*most.Output, 0), MaxRequests: m.around("max_output", replicas*most.Requests, 0),
		PromptBound: m.bound(prompt), Basis: m.basis(),
	}
	rate, concurrency, running := atLeast(0, l.Rate), atLeast(0, l.Concurrency), most.Running
	switch {
	case rate > 0:
		running = m.open(f, rate, &r, &l, &most)
	case concurrency > 0:
		c := m.closed(max(1, concurrency/replicas), &r, &l)
		f.fill(m, &c)
		f.Concurrency, running = concurrency, c.Running
	default:
		f.Concurrency = running * replicas
	}
	f.Bound = m.bound(r.answer(running))
	if full := m.room(&r); full < m.seats() && running > 0.8*full {
		f.Bound = KV
	}
	return f
}

func (m *Model) bound(b load) Cause {
	c := m.costs(b)
	return bound(&c)
}

// fill writes down what requests see.
func (f *Figures) fill(m *Model, c *queue.Result) {
	replicas := float64(m.work.Replicas)
	at := c.Running * replicas
	f.TTFT, f.TPOT = new(m.around("ttft", c.TTFT.Mean, at)), new(m.around("tpot", c.TPOT.Mean, at))
	f.Output = new(m.around("output", replicas*c.Output, at))
	f.Requests = new(m.around("output", replicas*c.Requests, at))
}

// open is a loop whose requests come at a rate of their own. Where the bad end of what can be answered is below that,
// the range of the wait reaches as far as an hour of it leads.
func (m *Model) open(f *Figures, rate float64, r *mean, l *Load, most *queue.Result) (running float64) {
	replicas := float64(m.work.Replicas)
	c := m.steady(m.Server(*l), m.Queue(*l), r)
	if c.Saturated || rate >= f.MaxRequests.Mid {
		f.Saturated, f.Why = true, "requests arrive faster than they are answered, so the queue grows without end"
		f.Concurrency = most.Running * replicas
		return most.Running
	}
	f.fill(m, &c)
	f.Output, f.Requests = &Range{rate * r.out, rate * r.out, rate * r.out}, &Range{rate, rate, rate} // all are answered
	f.Concurrency = c.InSystem * replicas
	if least := f.MaxRequests.Low; rate >= least {
		f.TTFT.High = max(f.TTFT.High, f.TTFT.Mid+hour*(rate/least-1))
		f.Why = fmt.Sprintf("at the low end of what is answered, %.3g requests a second, the queue grows without end: the time to a first token reaches up to that after an hour", least)
	}
	return c.Running
}

const hour = 3600

// basis says what the ranges rest on.
func (m *Model) basis() string {
	here := m.in.engine + " on cards of this generation (" + m.in.generation + ")"
	for _, family := range []string{"max_output", "tpot", "decode"} {
		if m.cons.seen[family+" "+m.in.where()] {
			return "measurements of " + here
		}
	}
	return "no measurement of " + here + " that we know of: they are as wide as for what a fit had to tell without having seen it"
}
