package queue

// result sums up: wait is for being begun, ahead all the time before that.
func (m *model) result(v visit, wait, ahead, inSystem float64) Result {
	p := v.p
	r := Result{
		TTFT:    Percentiles{Mean: ahead + v.first + v.burst},
		Waiting: Percentiles{Mean: ahead + v.queue + v.burst},
		Output:  p.rate * m.output, Requests: p.rate, Running: p.n - p.rate*v.queue, InSystem: inSystem, Busy: 1,
		CacheBound: m.room < m.seats && wait > 0,
	}
	if m.output > 1 {
		r.TPOT.Mean = v.rest / (m.output - 1)
	}
	r.Total.Mean = r.TTFT.Mean + v.rest
	return r
}
