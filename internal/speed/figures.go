package speed

// Figures are what a deployment does under a load, in closed form.
func (m *Model) Figures(l Load) *Figures {
	n := l.lengths()
	replicas := float64(m.work.Replicas)
	most, running := m.most(n)
	f := &Figures{
		Single: m.around("decode", m.single(n), 0), Prompt: m.around("prefill", n.in/m.prompted(1, 0, n), 0),
		MaxOutput: m.around("max_output", replicas*most, 0), MaxRequests: m.around("max_output", replicas*most/n.out, 0),
	}
	switch {
	case l.Rate > 0:
		m.open(f, l, n, most)
	case l.Concurrency > 0:
		c := m.closed(max(1, l.Concurrency/replicas), n)
		f.fill(m, &c, replicas, n)
		f.Concurrency = l.Concurrency
	default:
		f.Concurrency = running * replicas
	}
	return f
}

func (f *Figures) fill(m *Model, c *closed, replicas float64, n lengths) {
	at := c.running * replicas
	f.TTFT, f.TPOT = new(m.around("ttft", c.ttft, at)), new(m.around("tpot", c.tpot, at))
	f.Output, f.Requests = new(m.around("output", replicas*c.output, at)), new(m.around("output", replicas*c.output/n.out, at))
}

// open finds the number of requests at once that answers as many a second as arrive.
func (m *Model) open(f *Figures, l Load, n lengths, most float64) {
	replicas := float64(m.work.Replicas)
	rate := l.Rate / replicas
	if rate*n.out >= most {
		f.Saturated, f.Why = true, "requests arrive faster than they are answered"
		return
	}
	low, high := 1e-3, m.room(n, m.poolHigh, m.running())
	for range 40 {
		mid := (low + high) / 2
		c := m.closed(mid, n)
		if c.output/n.out < rate {
			low = mid
		} else {
			high = mid
		}
	}
	c := m.closed(high, n)
	f.fill(m, &c, replicas, n)
	f.Output, f.Requests = exactly(l.Rate*n.out), exactly(l.Rate)
	f.Concurrency = high * replicas
}

// exactly is a figure that follows from the question: what is not saturated answers as much as arrives.
func exactly(v float64) *Range { return &Range{v, v, v} }
