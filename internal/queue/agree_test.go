package queue

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// random draws a server and a closed loop as they are met.
func random(r *rand.Rand) (Server, Load) {
	logn := func(a, b float64) float64 { return a * math.Exp(r.Float64()*math.Log(b/a)) }
	weights, perToken, perContext, square, over := logn(0.002, 0.03), logn(3e-6, 1e-4), logn(1e-9, 1e-7), logn(1e-11, 3e-9), logn(0.0005, 0.005)
	s := Server{
		Pass: func(b Batch) float64 {
			memory := weights + perContext*b.Context
			compute := perToken*(float64(b.Decodes*(1+b.Verify))+float64(b.Prompt)) + square*(b.Before+b.Context)
			return over + max(memory, compute)
		},
		MaxSeqs: int64(logn(8, 1024)), Budget: int64(logn(512, 16384)), Cache: int64(logn(2e4, 2e6)),
	}
	if r.IntN(4) == 0 {
		s.Whole = true
	}
	if r.IntN(4) == 0 {
		s.PrefixHit = r.Float64() * 0.9
	}
	if r.IntN(5) == 0 {
		s.Drafts, s.Accepted = 1+r.IntN(5), r.Float64()*0.95
	}
	if r.IntN(3) == 0 {
		s.Host, s.PerRequest = logn(0.001, 0.1), logn(0.0001, 0.005)
	}
	l := Load{
		Concurrency: int(logn(1, 512)), Ramp: r.IntN(2) == 0, Requests: 3000,
		Input: Length{math.Round(logn(64, 8192)), 0}, Output: Length{math.Round(logn(16, 2048)), 0},
	}
	if r.IntN(4) != 0 {
		l.Input.Spread, l.Output.Spread = r.Float64()*1.2, r.Float64()*1.2
	}
	l.Warmup = min(1500, l.Concurrency*3)
	return s, l
}

type differences struct {
	ttft, tpot, output []float64
	tails              [9][]float64
}

func (d *differences) tail(a, b Result) {
	for i, x := range [][2]float64{{a.TTFT.P50, b.TTFT.P50}, {a.TTFT.P90, b.TTFT.P90}, {a.TTFT.P99, b.TTFT.P99}, {a.TPOT.P50, b.TPOT.P50}, {a.TPOT.P90, b.TPOT.P90}, {a.TPOT.P99, b.TPOT.P99}, {a.Total.P50, b.Total.P50}, {a.Total.P90, b.Total.P90}, {a.Total.P99, b.Total.P99}} {
		d.tails[i] = append(d.tails[i], math.Log(x[0]/x[1]))
	}
}

func (d *differences) String() string {
	s := ""
	for i, n := range []string{"F50", "F90", "F99", "P50", "P90", "P99", "T50", "T90", "T99"} {
		s += fmt.Sprintf(" %s %+.2f..%+.2f..%+.2f", n, quantile(d.tails[i], .1), quantile(d.tails[i], .5), quantile(d.tails[i], .9))
	}
	return s
}

func quantile(x []float64, q float64) float64 {
	y := slices.Sorted(slices.Values(x))
	return y[int(q*float64(len(y)-1))]
}

func off(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got/want - 1)
}

func TestAgree(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	all := map[string]*differences{}
	for i := range 300 {
		s, l := random(r)
		if Check(s, l) != nil {
			continue
		}
		a, b := Steady(s, l), Simulate(s, l, rand.New(rand.NewPCG(uint64(i), 1)))
		kind := fmt.Sprintf("whole=%v spread=%v ramp=%v", s.Whole, l.Input.Spread > 0, l.Ramp)
		d := all[kind]
		if d == nil {
			d = &differences{}
			all[kind] = d
		}
		d.tail(a, b)
		d.ttft = append(d.ttft, off(a.TTFT.Mean, b.TTFT.Mean))
		d.tpot = append(d.tpot, off(a.TPOT.Mean, b.TPOT.Mean))
		d.output = append(d.output, off(a.Output, b.Output))
		if off(a.TTFT.Mean, b.TTFT.Mean) > 0.25 || off(a.TPOT.Mean, b.TPOT.Mean) > 0.15 || off(a.Output, b.Output) > .1 {
			t.Logf("%d whole=%v hit=%.2f draft=%d C=%d ramp=%v in=%v out=%v seqs=%d bud=%d cache=%d host=%.3f\n   ttft %.4g/%.4g tpot %.4g/%.4g out %.4g/%.4g run %.4g/%.4g wait %.4g/%.4g preempt %d cb %v", i, s.Whole, s.PrefixHit, s.Drafts, l.Concurrency, l.Ramp, l.Input, l.Output, s.MaxSeqs, s.Budget, s.Cache, s.Host,
				a.TTFT.Mean, b.TTFT.Mean, a.TPOT.Mean, b.TPOT.Mean, a.Output, b.Output, a.Running, b.Running, a.Waiting.Mean, b.Waiting.Mean, b.Preemptions, b.CacheBound)
		}
	}
	for k, d := range all {
		t.Log(d)
		t.Logf("%-40s n=%d ttft %.3f %.3f tpot %.3f %.3f output %.3f %.3f", k, len(d.ttft), quantile(d.ttft, .5), quantile(d.ttft, .9),
			quantile(d.tpot, .5), quantile(d.tpot, .9), quantile(d.output, .5), quantile(d.output, .9))
	}
}

func TestOpen(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 7))
	all := map[string]*differences{}
	wrong := 0
	for i := range 400 {
		s, l := random(r)
		if Check(s, l) != nil {
			continue
		}
		l.Concurrency = 512
		l.Ramp = false
		cap := Steady(s, l).Requests
		l.Concurrency = 0
		l.Requests, l.Warmup = 6000, 1000
		u := 0.1 + 1.3*r.Float64()
		l.Rate = cap * u
		l.Burst = []float64{1, 1, 0, 2}[r.IntN(4)]
		a, b := Steady(s, l), Simulate(s, l, rand.New(rand.NewPCG(uint64(i), 1)))
		p := newPlay(s, l, rand.New(rand.NewPCG(uint64(i), 1)), Result{})
		p.l = l
		for p.counted < l.Requests-l.Warmup && p.passes < mostPasses && !p.broken && p.turnOver(together) {
		}
		raw := p.result(Result{})
		if a.Saturated != raw.Saturated {
			wrong++
			t.Logf("%d saturated %v/%v load %.2f of %.4g; ttft %.4g/%.4g arrive %.4g served %.4g most %.4g seats %v/%v room %v cb %v %v", i, a.Saturated, raw.Saturated, u, cap, a.TTFT.Mean, raw.TTFT.Mean, l.Rate, raw.Requests, a.Requests, raw.Running, s.MaxSeqs, a.Running, raw.CacheBound, a.CacheBound)
		}
		if a.Saturated || b.Saturated {
			continue
		}
		kind := fmt.Sprintf("whole=%v burst=%v", s.Whole, l.Burst)
		d := all[kind]
		if d == nil {
			d = &differences{}
			all[kind] = d
		}
		d.tail(a, b)
		d.ttft = append(d.ttft, off(a.TTFT.Mean, b.TTFT.Mean))
		d.tpot = append(d.tpot, off(a.TPOT.Mean, b.TPOT.Mean))
		d.output = append(d.output, off(a.Running, b.Running))
		if off(a.TTFT.Mean, b.TTFT.Mean) > 0.25 || off(a.TPOT.Mean, b.TPOT.Mean) > 0.15 || off(a.Output, b.Output) > .1 {
			t.Logf("%d u=%.2f whole=%v burst=%v hit=%.2f draft=%d C=%d ramp=%v in=%v out=%v seqs=%d bud=%d cache=%d host=%.3f\n   ttft %.4g/%.4g tpot %.4g/%.4g out %.4g/%.4g run %.4g/%.4g wait %.4g/%.4g preempt %d cb %v", i, u, s.Whole, l.Burst, s.PrefixHit, s.Drafts, l.Concurrency, l.Ramp, l.Input, l.Output, s.MaxSeqs, s.Budget, s.Cache, s.Host,
				a.TTFT.Mean, b.TTFT.Mean, a.TPOT.Mean, b.TPOT.Mean, a.Output, b.Output, a.Running, b.Running, a.Waiting.Mean, b.Waiting.Mean, b.Preemptions, b.CacheBound)
		}
	}
	t.Log(wrong)
	for k, d := range all {
		t.Log(d)
		t.Logf("%-40s n=%d ttft %.3f %.3f tpot %.3f %.3f running %.3f %.3f", k, len(d.ttft), quantile(d.ttft, .5), quantile(d.ttft, .9),
			quantile(d.tpot, .5), quantile(d.tpot, .9), quantile(d.output, .5), quantile(d.output, .9))
	}
}
