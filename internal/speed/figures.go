package speed

import (
	"fmt"
)

// Figures are what a deployment does under a load, in closed form.
func (m *Model) Figures(l Load) *Figures {
	r := l.mean()
	replicas := float64(m.work.Replicas)
	most := m.most(&r, &l)
	prompt := load{prompt: r.fresh, before: r.fresh * r.before, prompts: 1, lone: true}
	f := &Figures{
		Single: m.around(decoding, m.single(&r), &r), Prompt: m.around(prompting, r.in/m.prompted(&r), &r),
		MaxOutput: m.unlimited(replicas*most.output, &r, &l), PromptBound: m.bound(prompt), Basis: m.basis(&r),
	}
	f.MaxRequests = Range{f.MaxOutput.Low / r.out, f.MaxOutput.Mid / r.out, f.MaxOutput.High / r.out}
	rate, concurrency, running := atLeast(0, l.Rate), atLeast(0, l.Concurrency), most.running
	switch {
	case rate > 0:
		running = m.open(f, rate, &r, &l, &most)
	case concurrency > 0:
		c := m.neverFaster(max(1, concurrency/replicas), &r, &l)
		f.fill(m, &c, &r)
		f.Concurrency, running = concurrency, c.running
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

// open is a loop whose requests come at a rate of their own. Where the bad end of what can be answered is below that,
// the range of the wait reaches as far as an hour of it leads.
func (m *Model) open(f *Figures, rate float64, r *mean, l *Load, most *loaded) (running float64) {
	replicas := float64(m.work.Replicas)
	q := m.steady(m.Server(*l), m.Queue(*l), r)
	if q.Saturated || rate >= f.MaxRequests.Mid {
		f.Saturated, f.Why = true, "requests arrive faster than they are answered, so the queue grows without end"
		f.Concurrency = most.running * replicas
		return most.running
	}
	c := summed(&q)
	f.fill(m, &c, r)
	f.Output, f.Requests = &Range{rate * r.out, rate * r.out, rate * r.out}, &Range{rate, rate, rate} // all are answered
	f.Concurrency = q.InSystem * replicas
	if least := f.MaxRequests.Low; rate >= least {
		f.TTFT.High = max(f.TTFT.High, f.TTFT.Mid+hour*(rate/least-1))
		f.Why = fmt.Sprintf("at the low end of what is answered, %.3g requests a second, the queue grows without end: the time to a first token reaches up to that after an hour", least)
	}
	return c.running
}

const hour = 3600
