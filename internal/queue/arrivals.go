package queue

// arrivals is when requests come. Those of an open loop, and the first ones of a closed one, come by a clock of their
// own; each later one of a closed loop comes when another is answered.
type arrivals struct {
	host  float64
	count int // that have been taken

	first, gap, burst float64 // of the clock: time of its next arrival, mean time between two
	left              int     // arrivals that the clock still gives
	closed            bool
	again             []float64 // of a closed loop: when answers were done
	from              int
}

// arrivalsOf also gives requests after the last that counts, so that those that count do not end in an empty server.
func arrivalsOf(s Server, l Load, steady Result) arrivals {
	if l.Concurrency == 0 {
		gap := 1 / l.Rate
		return arrivals{host: s.Host, gap: gap, burst: l.Burst, left: 2*l.Requests + 1000}
	}
	a := arrivals{host: s.Host, left: l.Concurrency, closed: true}
	if !l.Ramp && !steady.Saturated {
		a.gap = steady.Total.Mean / float64(l.Concurrency)
	}
	return a
}

// next is when the next request can be scheduled.
func (a *arrivals) next() (float64, bool) {
	again := a.from < len(a.again)
	switch {
	case a.left > 0 && (!again || a.first <= a.again[a.from]):
		return a.first + a.host, true
	case again:
		return a.again[a.from] + a.host, true
	}
	return 0, false
}

// take removes the next request and says when it arrived.
func (a *arrivals) take(r Chance) float64 {
	a.count++
	if again := a.from < len(a.again); a.left > 0 && (!again || a.first <= a.again[a.from]) {
		at := a.first
		a.left--
		a.first += a.gap * gamma(r, a.burst)
		return at
	}
	at := a.again[a.from]
	a.from++
	if a.from > 64 && a.from > len(a.again)/2 {
		a.again = a.again[:copy(a.again, a.again[a.from:])]
		a.from = 0
	}
	return at
}

func (a *arrivals) answered(at float64) {
	if a.closed {
		a.again = append(a.again, at)
	}
}
