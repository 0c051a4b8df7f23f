package queue

import (
	"fmt"
	"math"
)

// curve is how long a request takes where so many are in progress, between points straight lines.
type curve struct{ n, total []float64 }

func (c curve) at(n float64) float64 {
	for i := 1; i < len(c.n); i++ {
		if n <= c.n[i] || i == len(c.n)-1 {
			return c.total[i-1] + (c.total[i]-c.total[i-1])*(n-c.n[i-1])/(c.n[i]-c.n[i-1])
		}
	}
	return c.total[0]
}

// points is how many points of the curve are computed.
const points = 8

// curveOf samples closed loops of one to limit requests.
func (m *model) curveOf(limit float64) curve {
	var c curve
	for i := range points {
		n := math.Round(math.Pow(limit, float64(i)/(points-1)))
		if i == points-1 {
			n = limit
		}
		if len(c.n) > 0 && n <= c.n[len(c.n)-1] {
			continue
		}
		total := n / m.at(n).rate
		if len(c.n) > 0 {
			// More in progress never makes one faster, whatever the passes say.
			total = max(total, c.total[len(c.total)-1])
		}
		c.n, c.total = append(c.n, n), append(c.total, total)
	}
	return c
}

// open solves an open loop.
func (m *model) open() Result {
	limit := max(1, math.Floor(min(m.seats, m.room)))
	c, most := m.capacity(&limit)
	if m.l.Rate >= most {
		r := saturated(fmt.Sprintf("%.4g requests a second arrive, and at most %.4g are answered", m.l.Rate, most))
		r.Output, r.Requests, r.Running, r.Busy, r.CacheBound = most*m.output, most, limit, 1, m.room < m.seats
		return r
	}
	if m.s.Whole {
		return m.openWhole(limit, most)
	}
	o := m.occupancy(c, limit, most)
	v := m.visitOf(max(1, min(limit, o.seen)))
	v.p.rate = m.l.Rate
	return m.openResult(v, o, o.busy*m.residual(v))
}

// residual is what is left of the pass in progress when a request comes: long passes are met more often.
func (m *model) residual(v visit) float64 {
	p := v.p
	if m.s.Whole {
		return max(p.pure, (square(p.pure)+p.mixed*square(p.loaded))/p.cycle) / 2
	}
	vary := v.token * p.chunk
	long := square(p.loaded) + square(vary)*m.promptVariance/max(1, p.ends)
	return max(p.pure, ((1-p.mixed)*p.pure*p.pure+p.mixed*long)/p.cycle) / 2
}

func (m *model) openResult(v visit, o occupied, residual float64) Result {
	ahead := m.s.Host + residual
	v.waits = 1.5
	v.varies = math.Hypot(v.varies, m.changes(v, o))
	r := m.result(v, o.wait, o.wait+ahead, 0)
	r.InSystem = m.l.Rate * r.Total.Mean
	r.Running, r.Busy = min(m.seats, m.l.Rate*v.total()), o.busy
	return r
}

// changes is how much steps differ between requests because more or fewer are in progress.
func (m *model) changes(v visit, o occupied) float64 {
	one := m.pass(1, 0, 0, 0)
	if m.steps < 1 || v.rest <= 0 || o.mean <= 0 {
		return 0
	}
	return 0.7 * max(0, 1-one*m.steps/v.rest) * o.sd / (o.mean + 1)
}

// capacity is the most requests a second, and how many are in progress then. A cache that is full has sequences lose
// their room and be computed again, so that the most may be served before it is full.
func (m *model) capacity(limit *float64) (curve, float64) {
	c := m.curveOf(*limit)
	most := *limit / c.at(*limit)
	if m.room >= m.seats {
		return c, most
	}
	m.again = m.output
	full := m.at(*limit).rate
	m.again = 0
	calm := max(1, *limit-2*math.Sqrt(*limit*m.heldVariance()))
	if most = calm / c.at(calm); most > full {
		*limit = calm
		return c, most
	}
	return c, full
}

// openWhole is the case of prompts in passes of their own: they are a queue before which decoding stands back.
func (m *model) openWhole(limit, most float64) Result {
	one := m.prompts(1, m.prompt)
	each := one
	var o occupied
	var v visit
	for range 3 {
		busy := min(0.999, m.l.Rate*each)
		c := m.decoding(limit, 1-busy)
		o = m.occupancy(c, limit, most)
		n := max(1, min(limit, o.seen))
		v = visit{p: point{n: n, rate: m.l.Rate}, token: m.promptToken()}
		v.rest = c.at(n)
		v.p.pure = c.at(n) * (1 - busy) / max(1, m.steps)
		// Those that come while one prompt is computed, or one step of decoding made, are computed together.
		batch := 1 + m.together(m.l.Rate*(v.p.pure*o.busy+one*busy))
		each = m.prompts(batch, m.prompt) / batch
		v.queue = m.queuedInTime(each)
		v.first = v.queue + m.prompts(batch, m.prompt)
		// Prompts that came meanwhile go before its first step.
		if m.steps > 0 {
			v.rest += m.l.Rate * v.first * each / (1 - busy)
		}
		v.p.cycle, v.p.starts = v.p.pure, batch-1
		v.varies = math.Sqrt(v.rest*m.l.Rate*each*each*(1+m.promptVariance)) / max(v.rest, 1e-9)
	}
	return m.openResult(v, o, o.busy*v.p.pure/2)
}

// crowded is how many requests wait for room in the cache: what those in progress need of it is nearly normal.
func (m *model) crowded(o occupied) float64 {
	spread := math.Sqrt(o.mean*m.heldVariance() + o.sd*o.sd)
	u := (o.mean - m.room) / max(spread, 1e-9)
	return spread*math.Exp(-u*u/2)/math.Sqrt(2*math.Pi) + (o.mean-m.room)*normal(u)
}

// decoding is the curve of decoding alone, in the share of the time that prompts leave.
func (m *model) decoding(limit, share float64) curve {
	var c curve
	for i := range 5 {
		n := math.Round(math.Pow(limit, float64(i)/4))
		if i == 4 {
			n = limit
		}
		if len(c.n) > 0 && n <= c.n[len(c.n)-1] {
			continue
		}
		c.n, c.total = append(c.n, n), append(c.total, max(m.steps, 1e-9)*m.pass(n, 0, 0, 0)/share)
	}
	return c
}

// occupied is how many requests are in progress in an open loop.
type occupied struct {
	mean float64 // over time
	seen float64 // by one of them, itself included
	busy float64 // share of the time with any
	wait float64 // seconds that one waits for a seat
	sd   float64
}

// occupancy sums over how many are in progress. Above the limit requests wait, each as likely as the one before by the
// share of the capacity that is asked for.
func (m *model) occupancy(c curve, limit, most float64) occupied {
	stride := max(1, math.Floor(limit/2048))
	sum, weight := 1.0, 1.0
	var first, second float64
	for n := stride; n <= limit; n += stride {
		ratio := m.l.Rate * c.at(n) / n
		if stride > 1 {
			ratio = math.Pow(ratio, stride)
		}
		weight *= ratio
		if weight > 1e100 {
			sum, first, second, weight = sum/weight, first/weight, second/weight, 1
		}
		sum, first, second = sum+weight, first+weight*n, second+weight*n*n
	}
	zero := 1 / sum
	load := m.l.Rate / most
	tail := weight * load / (1 - load) // above the limit; all seats are taken there
	queue := tail / (1 - load)
	sum, first, second = sum+tail, first+tail*limit, second+tail*limit*limit
	o := occupied{mean: first / sum, busy: 1 - zero}
	o.sd = math.Sqrt(max(0, second/sum-o.mean*o.mean))
	bursts := (m.arrivalVariance() + 1) / 2
	answers := m.l.Output.Spread * m.l.Output.Spread
	alone := m.l.Rate * c.at(1)
	o.mean = alone + (o.mean-alone)*bursts
	o.seen = min(limit, 1+max(alone, o.mean))
	queue /= sum
	if m.room < m.seats {
		queue = max(queue, m.crowded(o))
	}
	o.wait = queue / m.l.Rate * (m.arrivalVariance() + answers) / 2
	return o
}
