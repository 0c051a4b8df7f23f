package queue

import (
	"math"
	"runtime"
	"testing"
	"time"
)

// FuzzHostile plays servers and loads that nobody has: it ends soon, takes little memory, and no figure is NaN or
// negative; latencies are infinite where the answer is saturated, and nowhere else.
func FuzzHostile(f *testing.F) {
	f.Add(0.01, 1e-5, int64(256), int64(2048), int64(400_000), false, 0.0, 0.0, 0.0, 0, 0.0, 64, 0.0, 1.0, true, 512.0, 0.5, 256.0, 0.5, 200, 20)
	f.Add(0.01, 1e-5, int64(256), int64(2048), int64(2000), true, 0.1, 0.01, 0.5, 4, 0.7, 0, 5.0, 2.0, false, 512.0, 0.0, 256.0, 2.0, 200, 20)
	f.Add(math.NaN(), math.Inf(1), int64(math.MaxInt64), int64(math.MaxInt64), int64(math.MaxInt64), false, -1.0, math.NaN(), 1.0,
		math.MaxInt, 1.0, math.MaxInt, math.Inf(1), math.NaN(), true, 1e300, 1e300, -5.0, math.NaN(), math.MaxInt, math.MinInt)
	f.Add(0.0, -1.0, int64(0), int64(0), int64(0), false, 0.0, 0.0, 0.0, -3, -0.5, 0, 0.0, 0.0, false, 0.0, 0.0, 0.0, 0.0, 0, 0)
	f.Add(1e-9, 0.0, int64(1), int64(1), int64(1_000_000_000), false, 0.0, 0.0, 0.99, 0, 0.0, 3, 0.0, 0.0, true, 1e8, 9.0, 1e8, 9.0, 50, 0)
	f.Add(1e-300, 1e-300, int64(1<<40), int64(1<<40), int64(1<<62), true, 1e6, 1e6, 0.0, 1000, 0.999, 0, 1e9, 100.0, false, 1.0, 0.0, 1.0, 0.0, 300, 0)
	f.Fuzz(func(t *testing.T, fixed, token float64, seqs, budget, cache int64, whole bool, host, per, hit float64,
		drafts int, accepted float64, concurrency int, rate, burst float64, ramp bool, in, inSpread, out, outSpread float64,
		requests, warmup int,
	) {
		s := Server{
			Pass: func(b Batch) float64 {
				return fixed + token*(float64(b.Decodes*(1+b.Verify))+float64(b.Prompt)+b.Context/1000)
			},
			MaxSeqs: seqs, Budget: budget, Cache: cache, Whole: whole, Host: host, PerRequest: per, PrefixHit: hit,
			Drafts: drafts, Accepted: accepted,
		}
		l := Load{
			Concurrency: concurrency, Rate: rate, Burst: burst, Ramp: ramp, Input: Length{in, inSpread},
			Output: Length{out, outSpread}, Requests: min(requests, 2000), Warmup: min(warmup, 1000),
		}
		start := time.Now()
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		for name, r := range map[string]Result{"Steady": Steady(s, l), "Simulate": Simulate(s, l, seeded(1))} {
			sound(t, name, r)
		}
		l, r, ok := Within(s, l, 1, 0.1)
		if sound(t, "Within", r); ok && r.Saturated {
			t.Errorf("Within finds a saturated load %+v", l)
		}
		runtime.ReadMemStats(&after)
		if took := time.Since(start); took > 20*time.Second {
			t.Errorf("took %v", took)
		}
		if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 100<<20 {
			t.Errorf("took %d bytes", bytes)
		}
	})
}

func sound(t *testing.T, name string, r Result) {
	t.Helper()
	for _, p := range []Percentiles{r.TTFT, r.TPOT, r.Total, r.Waiting} {
		for _, x := range []float64{p.Mean, p.P50, p.P90, p.P99} {
			if !(x >= 0) || math.IsInf(x, 1) != r.Saturated {
				t.Fatalf("%s: a latency of %g: %+v", name, x, r)
			}
		}
	}
	for _, x := range []float64{r.Output, r.Requests, r.Running, r.Busy} {
		if !(x >= 0) || math.IsInf(x, 1) {
			t.Fatalf("%s: a rate of %g: %+v", name, x, r)
		}
	}
	if !(r.InSystem >= 0) || r.Busy > 1+1e-9 || r.Preemptions < 0 || (r.Why != "") != r.Saturated {
		t.Fatalf("%s: %+v", name, r)
	}
}
