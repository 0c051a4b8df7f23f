package speed

import (
	"fmt"
	"math"

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
	m.roof(&r).cap(f, replicas, r.out)
	m.roomier(f, &r, &l, &most)
	rate, concurrency, running := atLeast(0, l.Rate), atLeast(0, l.Concurrency), most.Running
	switch {
	case rate > 0:
		running = m.open(f, rate, &r, &l, &most)
	case concurrency > 0:
		c := m.neverFaster(max(1, concurrency/replicas), &r, &l)
		f.fill(m, &c, &r, &l, min(concurrency, replicas*m.room(&r)))
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

// neverFaster is a closed loop whose requests are answered no faster than those of half as many, or of the last power of
// two: where loops fall out of step the closed form steps down by a little, which is nothing to plan with.
func (m *Model) neverFaster(n float64, r *mean, l *Load) queue.Result {
	c := m.closed(n, r, l)
	if n <= 1 {
		return c
	}
	for _, fewer := range [...]float64{math.Exp2(math.Floor(math.Log2(n))), n / 1.3} {
		if fewer < n && fewer >= 1 {
			b := m.closed(fewer, r, l)
			c.TTFT.Mean, c.TPOT.Mean = max(c.TTFT.Mean, b.TTFT.Mean), max(c.TPOT.Mean, b.TPOT.Mean)
		}
	}
	return c
}

// fill writes down what requests see of which so many run at once. The bad end is at least that of fewer requests, which
// may scatter more. Those that come by a clock of their own find as many as run on the mean beside them and, as the number
// varies, twice its root more.
func (f *Figures) fill(m *Model, c *queue.Result, r *mean, l *Load, at float64) {
	replicas := float64(m.work.Replicas)
	f.TTFT, f.TPOT = new(m.around("ttft", c.TTFT.Mean, at)), new(m.around("tpot", c.TPOT.Mean, at))
	f.Output = new(m.around("output", replicas*c.Output, at))
	f.Requests = new(m.around("output", replicas*c.Requests, at))
	first, between := m.width("ttft", at), m.width("tpot", at)
	for _, n := range borders() {
		if n < replicas || n >= at || m.width("ttft", n).High <= first.High && m.width("tpot", n).High <= between.High {
			continue
		}
		each := n / replicas
		if l.Rate > 0 {
			each += 2 * (1 + math.Sqrt(each))
		}
		fewer := m.closed(each, r, l)
		f.TTFT.High = max(f.TTFT.High, m.around("ttft", min(c.TTFT.Mean, fewer.TTFT.Mean), n).High)
		f.TPOT.High = max(f.TPOT.High, m.around("tpot", min(c.TPOT.Mean, fewer.TPOT.Mean), n).High)
	}
}

// roomier takes into account that there may be more room than is taken for likely, so that what is answered at most is
// never below what is answered.
func (m *Model) roomier(f *Figures, r *mean, l *Load, most *queue.Result) {
	replicas := float64(m.work.Replicas)
	if m.poolHigh*most.Output <= m.likely()*f.MaxOutput.High/replicas {
		return // so much more room would not do, even if all of it was answered as fast
	}
	roomy := *m
	roomy.pool = m.poolHigh
	if good := roomy.most(r, l); good.Output > most.Output {
		f.MaxOutput.High, f.MaxRequests.High = max(f.MaxOutput.High, replicas*good.Output), max(f.MaxRequests.High, replicas*good.Requests)
	}
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
	f.fill(m, &c, r, l, replicas*c.Running)
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
