package speed

import "math"

// Figures are what a deployment does under a load, in closed form.
func (m *Model) Figures(l Load) *Figures {
	r := l.mean()
	replicas := float64(m.work.Replicas)
	most, running := m.most(&r)
	prompt := load{prompt: r.fresh, before: r.fresh * r.before, prompts: 1, lone: true}
	f := &Figures{
		Single: m.around(decoding, m.single(&r), &r), Prompt: m.around(prompting, r.in/m.prompted(1, 0, &r), &r),
		MaxOutput: m.unlimited(replicas*most, &r), PromptBound: m.bound(prompt), Basis: m.basis(&r),
	}
	f.MaxRequests = Range{f.MaxOutput.Low / r.out, f.MaxOutput.Mid / r.out, f.MaxOutput.High / r.out}
	rate, concurrency := atLeast(0, l.Rate), atLeast(0, l.Concurrency)
	switch {
	case rate > 0:
		running = m.open(f, rate, &r, most)
	case concurrency > 0:
		c := m.closed(max(1, concurrency/replicas), &r)
		f.fill(m, new(loaded(c)), &r)
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
	f.fill(m, new(loaded(c)), r)
	f.Output, f.Requests = &Range{rate * r.out, rate * r.out, rate * r.out}, &Range{rate, rate, rate} // all are answered
	f.Concurrency = high * replicas
	return c.running
}
