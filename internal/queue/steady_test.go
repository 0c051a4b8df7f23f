package queue

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

func quantile(x []float64, q float64) float64 {
	y := slices.Sorted(slices.Values(x))
	return y[int(q*float64(len(y)-1))]
}

// differences are how far Steady lies off Simulate, as shares.
type differences struct{ ttft, tpot, output, ttft90, total90 []float64 }

func (d *differences) add(a, b Result) {
	d.ttft = append(d.ttft, off(a.TTFT.Mean, b.TTFT.Mean))
	d.tpot = append(d.tpot, off(a.TPOT.Mean, b.TPOT.Mean))
	d.output = append(d.output, off(a.Output, b.Output))
	d.ttft90 = append(d.ttft90, off(a.TTFT.P90, b.TTFT.P90))
	d.total90 = append(d.total90, off(a.Total.P90, b.Total.P90))
}

// limits are medians and ninth deciles.
type limits struct{ ttft, tpot, output, ttft90, total90 [2]float64 }

func (d *differences) within(t *testing.T, name string, most limits) {
	t.Helper()
	if len(d.ttft) < 40 {
		t.Errorf("%s: %d plays, want at least 40", name, len(d.ttft))
		return
	}
	for _, x := range []struct {
		what string
		of   []float64
		most [2]float64
	}{
		{"TTFT", d.ttft, most.ttft},
		{"TPOT", d.tpot, most.tpot},
		{"output", d.output, most.output},
		{"P90 of TTFT", d.ttft90, most.ttft90},
		{"P90 of total", d.total90, most.total90},
	} {
		middle, far := quantile(x.of, 0.5), quantile(x.of, 0.9)
		t.Logf("%s: %-12s of %d plays differs by %.1f %% (median), %.1f %% (P90)", name, x.what, len(x.of), 100*middle, 100*far)
		if middle > x.most[0] || far > x.most[1] {
			t.Errorf("%s: %s differs by %.3f (median), %.3f (P90), want at most %.3f, %.3f",
				name, x.what, middle, far, x.most[0], x.most[1])
		}
	}
}

func TestSteadyAgreesClosed(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	var chunked, whole differences
	bound := 0
	for i := range 300 {
		s, l := draw(r)
		if Check(s, l) != nil {
			continue
		}
		a, b := Steady(s, l), Simulate(s, l, seeded(uint64(i)))
		if a.Saturated || b.Saturated {
			t.Errorf("play %d: a closed loop is saturated: %s %s", i, a.Why, b.Why)
		}
		if a.CacheBound != b.CacheBound {
			bound++
		}
		if s.Whole {
			whole.add(a, b)
		} else {
			chunked.add(a, b)
		}
	}
	if t.Logf("%d plays differ on whether the cache bounds them", bound); bound > 15 {
		t.Errorf("%d of 300 plays differ on whether the cache bounds them, want at most 15", bound)
	}
	chunked.within(t, "chunked", limits{
		ttft: [2]float64{0.025, 0.15}, tpot: [2]float64{0.003, 0.06}, output: [2]float64{0.005, 0.04},
		ttft90: [2]float64{0.09, 0.45}, total90: [2]float64{0.02, 0.09},
	})
	whole.within(t, "whole", limits{
		ttft: [2]float64{0.025, 0.15}, tpot: [2]float64{0.003, 0.03}, output: [2]float64{0.005, 0.03},
		ttft90: [2]float64{0.09, 0.4}, total90: [2]float64{0.03, 0.13},
	})
}

// Benchmarks send all requests at once, some ten times as many as are answered at once, and count them all. Those of one length
// then keep step with each other and wait for each other's prompts; those of different lengths do so only at the start.
func TestSteadyAgreesAsBenchmarksRun(t *testing.T) {
	var all differences
	for _, host := range []float64{0, 0.002, 0.03} {
		for _, whole := range []bool{false, true} {
			for _, n := range []int{4, 16, 64, 256} {
				for _, spread := range []float64{0, 0.06, 0.3} {
					for _, out := range []float64{128, 1024} {
						s := Server{Pass: affine, MaxSeqs: 256, Budget: 8192, Cache: 2_000_000, Whole: whole, Host: host}
						l := Load{
							Concurrency: n, Ramp: true, Input: Length{1024, spread}, Output: Length{out, spread},
							Requests: 13 * n, // P90 is then not where the first wave begins
						}
						all.add(Steady(s, l), Simulate(s, l, seeded(1)))
					}
				}
			}
		}
	}
	all.within(t, "as benchmarks run", limits{
		ttft: [2]float64{0.05, 0.22}, tpot: [2]float64{0.005, 0.03}, output: [2]float64{0.02, 0.07},
		ttft90: [2]float64{0.3, 0.6}, total90: [2]float64{0.03, 0.08},
	})
}

func TestSteadyAgreesOpen(t *testing.T) {
	r := rand.New(rand.NewPCG(8, 7))
	var calm, near differences
	for i := range 220 {
		s, l := draw(r)
		l.Concurrency, l.Rate, l.Ramp, l.Requests, l.Warmup = 0, mostRate, false, 6000, 1000
		if Check(s, l) != nil {
			continue
		}
		use := 0.1 + 0.8*r.Float64()
		l.Rate = Steady(s, l).Requests * use
		l.Burst = []float64{1, 1, 0, 2}[r.IntN(4)]
		a, b := Steady(s, l), Simulate(s, l, seeded(uint64(i)))
		if a.Saturated {
			t.Errorf("play %d: saturated at %.2f of the capacity: %s", i, use, a.Why)
		}
		if b.Saturated {
			t.Logf("play %d: the play is saturated at %.2f of the capacity: %s", i, use, b.Why)
			continue
		}
		if use < 0.7 && l.Burst <= 1 {
			calm.add(a, b)
		} else {
			near.add(a, b)
		}
	}
	calm.within(t, "below 0.7 of the capacity, Poisson or steady", limits{
		ttft: [2]float64{0.05, 0.25}, tpot: [2]float64{0.004, 0.05}, output: [2]float64{0.02, 0.05},
		ttft90: [2]float64{0.2, 0.5}, total90: [2]float64{0.03, 0.1},
	})
	near.within(t, "above, or in bursts", limits{
		ttft: [2]float64{0.25, 0.8}, tpot: [2]float64{0.03, 0.25}, output: [2]float64{0.02, 0.07},
		ttft90: [2]float64{0.4, 2}, total90: [2]float64{0.06, 0.4},
	})
}

// Both know when more is asked than can be answered, and the play knows it by itself.
func TestSaturation(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 7))
	played, noticed := 0, 0
	for i := range 60 {
		s, l := draw(r)
		l.Concurrency, l.Rate, l.Burst, l.Ramp, l.Requests, l.Warmup = 0, mostRate, 1, false, 6000, 1000
		if Check(s, l) != nil {
			continue
		}
		played++
		most := Steady(s, l).Requests
		for _, use := range []float64{1.02, 2, 10} {
			l.Rate = most * use
			a, b := Steady(s, l), Simulate(s, l, seeded(uint64(i)))
			if !a.Saturated || !b.Saturated || a.Why == "" || b.Why == "" {
				t.Errorf("play %d at %g of the capacity: Steady saturated %v, Simulate %v", i, use, a.Saturated, b.Saturated)
			}
			if !math.IsInf(a.TTFT.Mean, 1) || !math.IsInf(b.TTFT.P50, 1) || !math.IsInf(b.TPOT.Mean, 1) {
				t.Errorf("play %d at %g of the capacity: a latency is finite", i, use)
			}
		}
		l.Rate = most * 1.3
		p := newPlay(s, l, seeded(uint64(i)), Result{})
		for !p.done() && p.turnOver(together) {
		}
		if p.unserved(Result{}) != "" {
			noticed++
		}
	}
	// The rest has too few requests to fill the server, or more room than the capacity with a full cache suggests.
	if noticed < played*9/10 {
		t.Errorf("%d of %d plays notice by themselves that the queue grows", noticed, played)
	}
	if played < 50 {
		t.Errorf("%d plays, want at least 50", played)
	}
}

func TestSteadyIsMonotone(t *testing.T) {
	r := rand.New(rand.NewPCG(10, 7))
	var worst float64
	for i := range 200 {
		s, l := draw(r)
		var last Result
		for _, n := range []int{1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 33, 34, 48, 64, 96, 128, 192, 256, 257, 384, 512, 1024} {
			l.Concurrency = n
			if Check(s, l) != nil {
				break
			}
			r := Steady(s, l)
			down := max(1-r.TTFT.Mean/last.TTFT.Mean, 1-r.TPOT.Mean/last.TPOT.Mean)
			if n > 1 && down > 0.01 {
				t.Errorf("server %d, %d at once, whole %v, ramp %v, spread %v, host %v: TTFT %.5g, TPOT %.5g after %.5g, %.5g", i, n,
					s.Whole, l.Ramp, l.Output.Spread > 0, s.Host > 0, r.TTFT.Mean, r.TPOT.Mean, last.TTFT.Mean, last.TPOT.Mean)
			}
			if n > 1 {
				worst = max(worst, down)
			}
			last = r
		}
		l.Concurrency, l.Rate, l.Burst, l.Ramp = 0, mostRate, []float64{0, 1, 2}[i%3], false
		if Check(s, l) != nil {
			continue
		}
		most := Steady(s, l).Requests
		last = Result{}
		for use := 0.02; use < 1.1; use += 0.04 {
			l.Rate = use * most
			r := Steady(s, l)
			if down := max(1-r.TTFT.Mean/last.TTFT.Mean, 1-r.TPOT.Mean/last.TPOT.Mean); use > 0.03 && down > 1e-3 {
				t.Errorf("server %d, %.2f of the capacity, whole %v burst %g: TTFT %.5g, TPOT %.5g after %.5g, %.5g", i, use, s.Whole, l.Burst,
					r.TTFT.Mean, r.TPOT.Mean, last.TTFT.Mean, last.TPOT.Mean)
			}
			last = r
		}
	}
	t.Logf("at most %.2g down", worst)
}

func TestSteadyIsCheap(t *testing.T) {
	r := rand.New(rand.NewPCG(12, 7))
	for i := range 400 {
		s, l := draw(r)
		if i%2 == 0 {
			l.Concurrency, l.Rate, l.Burst = 0, 0.1+3*r.Float64(), 1
		}
		calls, pass := 0, s.Pass
		s.Pass = func(b Batch) float64 { calls++; return pass(b) }
		Steady(s, l)
		if calls > 60 {
			t.Errorf("server %d: %d calls of Pass for %+v, want at most 60", i, calls, l)
		}
	}
}

func TestWithin(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 7))
	found := 0
	for i := range 200 {
		s, l := draw(r)
		if i%2 == 0 {
			l.Concurrency, l.Rate, l.Burst = 0, 1, 1
		}
		ttft, tpot := 0.05+2*r.Float64(), 0.01+0.05*r.Float64()
		most, got, ok := Within(s, l, ttft, tpot)
		if !ok {
			continue
		}
		found++
		if got.Saturated || got.TTFT.Mean > ttft || got.TPOT.Mean > tpot {
			t.Errorf("server %d: TTFT %g, TPOT %g at %d or %g a second, want at most %g, %g",
				i, got.TTFT.Mean, got.TPOT.Mean, most.Concurrency, most.Rate, ttft, tpot)
		}
		more := most
		more.Concurrency *= 2
		more.Rate *= 1.05
		m := modelOf(s, l)
		if r := Steady(s, more); !r.Saturated && r.TTFT.Mean < ttft && r.TPOT.Mean < tpot &&
			float64(more.Concurrency) < min(m.seats, m.room) {
			t.Errorf("server %d: %+v is within the limits too, found %d, %g", i, more, most.Concurrency, most.Rate)
		}
	}
	if found < 50 {
		t.Errorf("found for %d servers, want at least 50", found)
	}
}
