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
const points = 10

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
	c := m.curveOf(limit)
	most := limit / c.at(limit)
	if m.room < m.seats {
		// A full cache has sequences computed again; so is the capacity found.
		m.again = m.output
		most = min(most, m.at(limit).rate)
		m.again = 0
	}
	if m.l.Rate >= most {
		r := saturated(fmt.Sprintf("%.4g requests a second arrive, and at most %.4g are answered", m.l.Rate, most))
		r.Output, r.Requests, r.Running, r.Busy, r.CacheBound = most*m.output, most, limit, 1, m.room < m.seats
		return r
	}
	o := m.occupancy(c, limit, most)
	v := m.visitOf(max(1, min(limit, o.seen)))
	v.p.rate = m.l.Rate
	total := o.mean / m.l.Rate
	v.rest = max(v.rest, total-v.first)
	ahead := m.s.Host + o.busy*v.p.cycle/2
	r := m.result(v, o.wait, o.wait+ahead, 0)
	r.InSystem = m.l.Rate * r.Total.Mean
	r.Running, r.Busy = m.l.Rate*v.total(), o.busy
	return r
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
	weight, log := 1.0, 0.0
	var sum, first, second float64
	sum = 1
	for n := stride; n <= limit; n += stride {
		log += stride * math.Log(m.l.Rate*c.at(n)/n)
		if log > 300 {
			scale := math.Exp(-log)
			sum, first, second, log = sum*scale, first*scale, second*scale, 0
		}
		weight = math.Exp(log)
		sum, first, second = sum+weight, first+weight*n, second+weight*n*n
	}
	zero := 1 / sum
	load := m.l.Rate / most
	tail := weight * load / (1 - load) // above the limit; all seats are taken there
	queue := tail / (1 - load)
	sum, first, second = sum+tail, first+tail*limit, second+tail*limit*limit
	o := occupied{mean: first / sum, busy: 1 - zero}
	o.sd = math.Sqrt(max(0, second/sum-o.mean*o.mean))
	bursts := (m.l.Burst*m.l.Burst + 1) / 2
	alone := m.l.Rate * c.at(1)
	o.mean = alone + (o.mean-alone)*bursts
	o.mean = max(min(alone, limit), min(o.mean, limit))
	o.seen = 1 + o.mean
	o.wait = queue / sum / m.l.Rate * bursts
	return o
}
