package queue

import "math"

// result sums up: wait is for a seat, ahead all the time before a request is begun.
func (m *model) result(v visit, wait, ahead, inSystem float64) Result {
	p := v.p
	first, waiting := ahead+v.first+v.burst, ahead+v.queue+v.burst
	alone := v.token * m.prompt
	// A request begins late by its place in the queue of prompts, by that for a seat, by the pass in progress.
	late := square(v.queue) + v.queue*alone + square(v.waits*wait) + square(ahead-wait-m.s.Host)/3 + square(v.burst)
	own := square(alone)*m.promptVariance + square(v.token*m.prompt)*p.starts*(1+m.promptVariance)
	r := Result{
		TTFT:    spreadOut(max(0, first-alone-v.queue-wait-v.burst), first, math.Sqrt(late+own)),
		Waiting: spreadOut(m.s.Host, waiting, math.Sqrt(late)),
		Output:  p.rate * m.output, Requests: p.rate, Running: p.rate * max(0, v.total()-v.queue), InSystem: inSystem, Busy: 1,
		CacheBound: m.room < m.seats && wait > 0,
	}
	vary := v.varies * v.rest
	if m.output > 1 {
		r.TPOT = spreadOut(0, v.rest/(m.output-1), vary/(m.output-1))
	}
	r.Total = spreadOut(first, first+v.rest, math.Sqrt(square(v.rest*m.l.Output.Spread)+square(vary)))
	return r
}

// normalQuantiles of 90 and 99 of a hundred.
const (
	normal90 = 1.2815515655446004
	normal99 = 2.3263478740408408
)

// spreadOut takes what lies above the least value as log-normal.
func spreadOut(least, mean, deviation float64) Percentiles {
	above := mean - least
	if above <= 0 || deviation <= 0 {
		return Percentiles{mean, mean, mean, mean}
	}
	v := math.Log1p(square(deviation / above))
	at := func(z float64) float64 { return least + above*math.Exp(z*math.Sqrt(v)-v/2) }
	return Percentiles{Mean: mean, P50: at(0), P90: at(normal90), P99: at(normal99)}
}

func square(x float64) float64 { return x * x }
