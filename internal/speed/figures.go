package speed

import "math"

// Figures are what a deployment does under a load, in closed form.
func (m *Model) Figures(l Load) *Figures {
	r := l.mean()
	replicas := float64(m.work.Replicas)
	most, running := m.most(&r)
	prompt := load{prompt: r.fresh, before: r.fresh * r.before, prompts: 1, lone: true}
	f := &Figures{
		Single: m.around("decode", m.single(&r), 0), Prompt: m.around("prefill", r.in/m.prompted(1, 0, &r), 0),
		MaxOutput: m.around("max_output", replicas*most, 0), MaxRequests: m.around("max_output", replicas*most/r.out, 0),
		PromptBound: m.bound(prompt), Basis: m.basis(),
	}
	m.roof(&r).cap(f, replicas, r.out)
	m.roomier(f, &r, most)
	rate, concurrency := atLeast(0, l.Rate), atLeast(0, l.Concurrency)
	switch {
	case rate > 0:
		running = m.open(f, rate, &r, most)
	case concurrency > 0:
		c := m.closed(max(1, concurrency/replicas), &r)
		f.fill(m, &c, &r, m.rates.value[Burst])
		f.Concurrency, running = concurrency, c.running
	default:
		f.Concurrency = running * replicas
	}
	f.Bound = m.bound(r.answer(running))
	if full := m.room(&r, m.pool, m.running()); full < m.seats() && running > 0.8*full {
		f.Bound = KV
	}
	return f
}

func (m *Model) bound(b load) Cause {
	c := m.costs(b)
	return bound(&c)
}

// fill writes down what requests see.
func (f *Figures) fill(m *Model, c *closed, r *mean, burst float64) {
	replicas := float64(m.work.Replicas)
	at := c.running * replicas
	f.TTFT, f.TPOT = new(m.around("ttft", c.ttft, at)), new(m.around("tpot", c.tpot, at))
	f.Output = new(m.around("output", replicas*c.output, at))
	f.Requests = new(m.around("output", replicas*c.output/r.out, at))
	first, between := m.width("ttft", at), m.width("tpot", at)
	for _, n := range borders() {
		if n < replicas || n >= at || m.width("ttft", n).High <= first.High && m.width("tpot", n).High <= between.High {
			continue
		}
		fewer := m.settled(n/replicas, r, burst)
		f.TTFT.High = max(f.TTFT.High, m.around("ttft", fewer.ttft, n).High)
		f.TPOT.High = max(f.TPOT.High, m.around("tpot", fewer.tpot, n).High)
	}
}

// roomier takes into account that there may be more room than is taken for likely, so that what is answered at most is
// never below what is answered.
func (m *Model) roomier(f *Figures, r *mean, most float64) {
	if m.poolHigh*most <= m.pool*m.rates.value[Filled]*f.MaxOutput.High/float64(m.work.Replicas) {
		return // so much more room would not do, even if all of it was answered as fast
	}
	if good, _ := m.mostIn(r, m.poolHigh, 1); good > most {
		good *= float64(m.work.Replicas)
		f.MaxOutput.High, f.MaxRequests.High = max(f.MaxOutput.High, good), max(f.MaxRequests.High, good/r.out)
	}
}

// open finds the number of requests at once that answers as many a second as arrive, of which it returns those that run.
// Where the bad end of what can be answered is below that, nothing is promised.
func (m *Model) open(f *Figures, rate float64, r *mean, most float64) float64 {
	replicas := float64(m.work.Replicas)
	each := rate / replicas
	if each*r.out >= most {
		f.Saturated, f.Why = true, "requests arrive faster than they are answered, so the queue grows without end"
		full := m.room(r, m.pool, m.running())
		f.Concurrency = full * replicas
		return full
	}
	low, high := 1e-3, m.room(r, m.poolHigh, m.running())
	for range 12 { // the span may be from a thousandth to a thousand, so halve its logarithm
		mid := math.Sqrt(low * high)
		if c := m.settled(mid, r, 0); c.output < each*r.out {
			low = mid
		} else {
			high = mid
		}
	}
	c := m.settled(high, r, 0)
	f.fill(m, &c, r, 0)
	f.Output, f.Requests = &Range{rate * r.out, rate * r.out, rate * r.out}, &Range{rate, rate, rate} // all are answered
	f.Concurrency = high * replicas
	return c.running
}

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
