package speed

// Figures are what a deployment does under a load, in closed form.
func (m *Model) Figures(l Load) *Figures {
	n := l.lengths()
	replicas := float64(m.work.Replicas)
	most, running := m.most(n)
	f := &Figures{
		Single: m.around("decode", m.single(n)), Prompt: m.around("prefill", n.in/m.prompted(1, 0, n)),
		MaxOutput: m.around("max_output", replicas*most), MaxRequests: m.around("max_output", replicas*most/n.out),
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
	f.TTFT, f.TPOT = new(m.around("ttft", c.ttft)), new(m.around("tpot", c.tpot))
	f.Output, f.Requests = new(m.around("tpot", replicas*c.output)), new(m.around("tpot", replicas*c.output/n.out))
}

// open finds the number of requests at once that answers as many a second as arrive.
func (m *Model) open(f *Figures, l Load, n lengths, most float64) {
	replicas := float64(m.work.Replicas)
	rate := l.Rate / replicas
	if rate*n.out >= most {
		f.Saturated, f.Why = true, "requests arrive faster than they are answered"
		return
	}
	low, high := 1e-3, m.room(n)
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
	f.Output, f.Requests = new(m.around("tpot", l.Rate*n.out)), new(m.around("tpot", l.Rate))
	f.Concurrency = high * replicas
}
