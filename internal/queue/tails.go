package queue

import "math"

// result sums up: wait is for a seat, ahead all the time before a request is begun.
func (m *model) result(v visit, wait, ahead, inSystem float64) Result {
	p := v.p
	first, waiting := ahead+v.first+v.burst, ahead+v.queue+v.burst
	alone := v.token * m.prompt
	// A request begins late by its place in the queue of prompts, by that for a seat, by the pass in progress.
	// Those that keep step wait for anything between none and all of the others.
	even := v.step/3 + 1 - v.step
	late := even*square(v.queue) + (1-v.step)*v.queue*alone + square(v.waits*wait) + square(ahead-wait-m.s.Host)/3
	own := square(alone)*m.promptVariance + square(v.token*m.prompt)*p.starts*(1+m.promptVariance)
	r := Result{
		TTFT:    v.wave(spreadOut(max(0, first-v.burst-alone-v.queue-wait), first-v.burst, math.Sqrt(late+own))),
		Waiting: v.wave(spreadOut(m.s.Host, waiting-v.burst, math.Sqrt(late))),
		Output:  p.rate * m.output, Requests: p.rate, Running: p.rate * max(0, v.total()-v.queue), InSystem: inSystem, Busy: 1,
		CacheBound: m.room < m.seats && (m.again > 0.01*m.output || wait*p.rate > 0.01*p.n),
	}
	vary := v.varies * v.rest
	if m.output > 1 {
		r.TPOT = spreadOut(0, v.rest/(m.output-1), vary/(m.output-1)).percentiles()
	}
	r.Total = spreadOut(first, first+v.rest, math.Sqrt(square(v.rest*m.l.Output.Spread)+square(vary))).percentiles()
	return r
}

// distribution is a figure over requests: the mean, and the value that the share given lies below.
type distribution struct {
	mean float64
	at   func(share float64) float64
}

// spreadOut takes what lies above the least value as log-normal.
func spreadOut(least, mean, deviation float64) distribution {
	above := mean - least
	if above <= 0 || deviation <= 0 {
		return distribution{mean, func(float64) float64 { return mean }}
	}
	v := math.Log1p(square(deviation / above))
	return distribution{mean, func(share float64) float64 {
		return least + above*math.Exp(math.Sqrt2*math.Erfinv(2*share-1)*math.Sqrt(v)-v/2)
	}}
}

// wave adds that some requests, which came at once at the start, wait longer than all others, each anything up to twice
// the mean of that.
func (v visit) wave(d distribution) Percentiles {
	if v.burst <= 0 {
		return d.percentiles()
	}
	longer := v.burst / v.early
	return distribution{d.mean + v.burst, func(share float64) float64 {
		if share < 1-v.early {
			return d.at(share / (1 - v.early))
		}
		return d.mean + 2*longer*(share-1+v.early)/v.early
	}}.percentiles()
}

func (d distribution) percentiles() Percentiles {
	return Percentiles{Mean: d.mean, P50: d.at(0.5), P90: d.at(0.9), P99: d.at(0.99)}
}

func square(x float64) float64 { return x * x }
