package queue

import (
	"fmt"
	"math"
	"slices"
)

// backlog watches whether requests pile up: two looks at the queue, halfway through the arrivals and at their end.
type backlog struct {
	looked       int
	system       [2]int     // requests that have arrived and are not answered
	when, queued [2]float64 // time, and that in which requests waited to be begun
}

func (b *backlog) arrived(p *play) {
	n := p.source.count
	if b.looked == 0 && n >= p.l.Warmup+(p.l.Requests-p.l.Warmup)/2 || b.looked == 1 && n >= p.l.Requests {
		b.system[b.looked] = p.sum.inSystem
		b.when[b.looked], b.queued[b.looked] = p.now, p.sum.queued
		b.looked++
	}
}

// grows is true where requests waited nearly all the time, and more came than were answered by far more than chance
// explains. variance is that of arrivals and answers, of one request.
func (b *backlog) grows(arrivals int, variance float64) bool {
	if b.looked < 2 || b.queued[1]-b.queued[0] < 0.95*(b.when[1]-b.when[0]) {
		return false
	}
	return float64(b.system[1]-b.system[0]) > max(8, 3*math.Sqrt(float64(arrivals)/2*variance))
}

// result sums the play up.
func (p *play) result(steady Result) Result {
	tokens, requests, running, busy := p.rates()
	if why := p.unserved(steady); why != "" {
		r := saturated(why)
		r.Output, r.Requests, r.Running, r.Busy = tokens, requests, running, busy
		if steady.Saturated && steady.Requests > 0 {
			r.Output, r.Requests, r.Running = steady.Output, steady.Requests, steady.Running
		}
		r.CacheBound, r.Preemptions = p.cacheBound(), p.to.preemptions-p.from.preemptions
		return r
	}
	r := Result{
		TTFT: percentiles(p.taken.ttft), TPOT: percentiles(p.taken.tpot),
		Total: percentiles(p.taken.total), Waiting: percentiles(p.taken.waiting),
		Preemptions: p.to.preemptions - p.from.preemptions, CacheBound: p.cacheBound(),
	}
	r.Output, r.Requests, r.Running, r.Busy = tokens, requests, running, busy
	if t := p.to.time - p.from.time; t > 0 {
		r.InSystem = (p.to.system - p.from.system) / t
	}
	return r
}

// unserved says why no figure of latency holds, or nothing.
func (p *play) unserved(steady Result) string {
	switch {
	case p.broken:
		return "playing a queue: a pass takes no time that can be counted"
	case steady.Saturated:
		return steady.Why
	case p.counted < p.l.Requests-p.l.Warmup:
		return fmt.Sprintf("%d of %d requests were answered in %d passes", p.counted, p.l.Requests-p.l.Warmup, p.passes)
	case p.l.Concurrency == 0 && p.backlog.grows(p.l.Requests-p.l.Warmup, p.variance()):
		return fmt.Sprintf("%.4g requests a second arrive, and the queue of those that wait grows", p.l.Rate)
	}
	return ""
}

func (p *play) variance() float64 {
	in, out := p.l.Input.Spread, p.l.Output.Spread
	return p.l.Burst*p.l.Burst + 1 + in*in + out*out
}

// rates are tokens and requests a second, sequences in progress and the busy share, between the answer that ends the
// warm-up and the last one that counts.
func (p *play) rates() (tokens, requests, running, busy float64) {
	if p.finished < p.l.Requests {
		p.to = p.sum
	}
	if !(p.to.time > p.from.time) {
		p.from = sums{} // all were answered in one pass
	}
	t := p.to.time - p.from.time
	if !(t > 0) || p.broken {
		return 0, 0, 0, 0
	}
	return (p.to.tokens - p.from.tokens) / t, float64(p.to.requests-p.from.requests) / t,
		(p.to.running - p.from.running) / t, min(1, (p.to.busy-p.from.busy)/t)
}

// cacheBound is true where a request waited for room in more than a hundredth of the time, or one in a hundred lost it.
func (p *play) cacheBound() bool {
	return p.to.held-p.from.held > 0.01*(p.to.time-p.from.time) ||
		100*(p.to.preemptions-p.from.preemptions) > p.to.requests-p.from.requests
}

// percentiles sorts what it is given.
func percentiles(x []float64) Percentiles {
	if len(x) == 0 {
		return Percentiles{}
	}
	slices.Sort(x)
	var sum float64
	for _, v := range x {
		sum += v
	}
	at := func(p float64) float64 { return x[max(0, int(math.Ceil(p*float64(len(x))))-1)] }
	return Percentiles{Mean: sum / float64(len(x)), P50: at(0.5), P90: at(0.9), P99: at(0.99)}
}
