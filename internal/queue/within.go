package queue

import "math"

// Within is the largest load of the kind given that a server answers with a mean TTFT and TPOT of at most those given, in
// seconds; 0 is no limit. It looks for requests at once where the load is a closed loop (of any Concurrency), else for
// requests a second. It never asks for more than can be in progress at once: that only adds to the queue. It is false
// where not even one request alone is answered in time.
func Within(s Server, l Load, ttft, tpot float64) (Load, Result, bool) {
	meets := func(r Result) bool {
		return !r.Saturated && (ttft <= 0 || r.TTFT.Mean <= ttft) && (tpot <= 0 || r.TPOT.Mean <= tpot)
	}
	if l.Concurrency > 0 {
		return mostAtOnceOf(s, l, meets)
	}
	return mostRateOf(s, l, meets)
}

func mostAtOnceOf(s Server, l Load, meets func(Result) bool) (Load, Result, bool) {
	l.Concurrency = 1
	best := Steady(s, l)
	if !meets(best) {
		return l, best, false
	}
	m := modelOf(s, l)
	low, high := 1, int(min(m.seats, m.room, mostAtOnce))+1
	for high-low > 1 {
		l.Concurrency = low + (high-low)/2
		if r := Steady(s, l); meets(r) {
			low, best = l.Concurrency, r
		} else {
			high = l.Concurrency
		}
	}
	l.Concurrency = low
	return l, best, true
}

// mostRateOf begins with a load at which a request nearly always finds the server idle.
func mostRateOf(s Server, l Load, meets func(Result) bool) (Load, Result, bool) {
	one := l
	one.Concurrency, one.Rate = 1, 0
	alone := Steady(s, one)
	if alone.Saturated {
		return l, alone, false
	}
	low := max(leastRate, 0.001/alone.Total.Mean)
	l.Rate = low
	best := Steady(s, l)
	if !meets(best) {
		return l, best, false
	}
	l.Rate = mostRate
	high := min(mostRate, max(low, Steady(s, l).Requests))
	for range 24 {
		if high-low < 0.002*low {
			break
		}
		l.Rate = (low + high) / 2
		if high > 8*low {
			l.Rate = math.Sqrt(low * high)
		}
		if r := Steady(s, l); meets(r) {
			low, best = l.Rate, r
		} else {
			high = l.Rate
		}
	}
	l.Rate = low
	return l, best, true
}
