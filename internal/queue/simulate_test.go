package queue

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// affine is a pass that is bound by memory or by arithmetic.
func affine(b Batch) float64 {
	memory := 0.008 + 2e-8*b.Context
	compute := 4e-5*(float64(b.Decodes*(1+b.Verify))+float64(b.Prompt)) + 3e-9*(b.Before+b.Context)
	return 0.001 + max(memory, compute)
}

func seeded(seed uint64) Chance { return rand.New(rand.NewPCG(seed, 1)) }

func server() Server { return Server{Pass: affine, MaxSeqs: 256, Budget: 2048, Cache: 400_000} }

func closedLoop(n int) Load {
	return Load{Concurrency: n, Input: Length{512, 0.5}, Output: Length{256, 0.5}, Requests: 4000, Warmup: 1000}
}

func openLoop(rate, burst float64) Load {
	return Load{Rate: rate, Burst: burst, Input: Length{512, 0.5}, Output: Length{256, 0.5}, Requests: 6000, Warmup: 1000}
}

// draw draws a server and a load as they are met.
func draw(r *rand.Rand) (Server, Load) {
	between := func(a, b float64) float64 { return a * math.Exp(r.Float64()*math.Log(b/a)) }
	weights, token, cached := between(0.002, 0.03), between(3e-6, 1e-4), between(1e-9, 1e-7)
	pair, fixed := between(1e-11, 3e-9), between(0.0005, 0.005)
	s := Server{
		Pass: func(b Batch) float64 {
			compute := token*(float64(b.Decodes*(1+b.Verify))+float64(b.Prompt)) + pair*(b.Before+b.Context)
			return fixed + max(weights+cached*b.Context, compute)
		},
		MaxSeqs: int64(between(8, 1024)), Budget: int64(between(512, 16384)), Cache: int64(between(2e4, 2e6)),
		Whole: r.IntN(4) == 0,
	}
	if r.IntN(4) == 0 {
		s.PrefixHit = r.Float64() * 0.9
	}
	if r.IntN(5) == 0 {
		s.Drafts, s.Accepted = 1+r.IntN(5), r.Float64()*0.95
	}
	if r.IntN(3) == 0 {
		s.Host, s.PerRequest = between(0.001, 0.1), between(0.0001, 0.005)
	}
	l := Load{
		Concurrency: int(between(1, 512)), Ramp: r.IntN(2) == 0, Requests: 3000,
		Input: Length{Mean: math.Round(between(64, 8192))}, Output: Length{Mean: math.Round(between(16, 2048))},
	}
	if r.IntN(4) != 0 {
		l.Input.Spread, l.Output.Spread = r.Float64()*1.2, r.Float64()*1.2
	}
	l.Warmup = min(1500, l.Concurrency*3)
	return s, l
}

func off(got, want float64) float64 {
	if got == want {
		return 0
	}
	return math.Abs(got/want - 1)
}

func TestLittlesLaw(t *testing.T) {
	s := server()
	for _, l := range []Load{
		closedLoop(1), closedLoop(64), closedLoop(400), openLoop(5, 1), openLoop(20, 1), openLoop(20, 0), openLoop(15, 3),
	} {
		for _, host := range []float64{0, 0.05} {
			s.Host = host
			r := Simulate(s, l, seeded(1))
			if r.Saturated {
				t.Errorf("concurrency %d, rate %g is saturated: %s", l.Concurrency, l.Rate, r.Why)
			}
			if d := off(r.Requests*r.Total.Mean, r.InSystem); d > 0.03 {
				t.Errorf("concurrency %d, rate %g, host %g: %.4g requests in the system, want %.4g a second x %.4g s = %.4g",
					l.Concurrency, l.Rate, host, r.InSystem, r.Requests, r.Total.Mean, r.Requests*r.Total.Mean)
			}
		}
	}
}

// Every token that was asked for is answered, no more, whatever was preempted in between.
func TestTokensAreConserved(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 1))
	played, preempted := 0, 0
	for i := range 60 {
		s, l := draw(r)
		if Check(s, l) != nil {
			continue
		}
		l.Requests, l.Warmup = 500, 0
		p := newPlay(s, l, seeded(uint64(i)), Result{})
		p.source = arrivals{left: 500}
		for p.turnOver(together) {
		}
		var asked float64
		lengths := newPlay(s, l, seeded(uint64(i)), Result{})
		for range 500 {
			asked += float64(lengths.nextAsked())
		}
		if p.finished != 500 || math.Abs(p.sum.tokens-asked) > 1e-6*asked {
			t.Errorf("play %d: %d requests with %.1f tokens answered, want 500 with %.1f", i, p.finished, p.sum.tokens, asked)
		}
		if p.running != 0 || math.Abs(p.used) > 0.5 || p.sum.inSystem != 0 || len(p.decoding.heap) != 0 {
			t.Errorf("play %d: %d running, %g tokens in the cache, %d in the system after the last answer",
				i, p.running, p.used, p.sum.inSystem)
		}
		played++
		preempted += p.sum.preemptions
	}
	if played < 30 || preempted == 0 {
		t.Errorf("%d plays with %d preemptions, want at least 30 with some", played, preempted)
	}
}

// nextAsked draws the next request and says how many tokens it asks for.
func (p *play) nextAsked() int64 {
	p.source.count++
	return p.seqs[p.create(0)].output
}

func TestOneRequestAlone(t *testing.T) {
	tests := []struct {
		name          string
		change        func(*Server)
		input, output float64
		want          func() (first, total float64)
	}{
		{"one pass of the prompt, then steps", func(*Server) {}, 100, 5, func() (float64, float64) {
			first := affine(Batch{Prompt: 100, Before: 100 * 99 / 2, Prompts: 1})
			return first, first + steps(4, 0)
		}},
		{"a prompt of two passes", func(s *Server) { s.Budget = 60 }, 100, 1, func() (float64, float64) {
			first := affine(Batch{Prompt: 60, Before: 60 * 59 / 2, Prompts: 1}) +
				affine(Batch{Prompt: 40, Before: 40*60 + 40*39/2, Prompts: 1})
			return first, first
		}},
		{
			"host, and work of the host for each request", func(s *Server) { s.Host, s.PerRequest = 0.5, 0.25 }, 100, 2,
			func() (float64, float64) {
				first := 0.75 + affine(Batch{Prompt: 100, Before: 100 * 99 / 2, Prompts: 1})
				return first, first + steps(1, 0)
			},
		},
		{"half of the prompt is there already", func(s *Server) { s.PrefixHit = 0.5 }, 100, 2, func() (float64, float64) {
			first := affine(Batch{Prompt: 50, Before: 50*50 + 50*49/2, Prompts: 1})
			return first, first + steps(1, 0)
		}},
		{"drafts that are never right", func(s *Server) { s.Drafts = 3 }, 100, 4, func() (float64, float64) {
			first := affine(Batch{Prompt: 100, Before: 100 * 99 / 2, Prompts: 1})
			return first, first + steps(3, 3)
		}},
		{"prompts in passes of their own", func(s *Server) { s.Whole = true }, 100, 5, func() (float64, float64) {
			first := affine(Batch{Prompt: 100, Before: 100 * 99 / 2, Prompts: 1})
			return first, first + steps(4, 0)
		}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := server()
			tt.change(&s)
			l := Load{Concurrency: 1, Input: Length{Mean: tt.input}, Output: Length{Mean: tt.output}, Requests: 3}
			first, total := tt.want()
			for name, r := range map[string]Result{"Simulate": Simulate(s, l, seeded(1)), "Steady": Steady(s, l)} {
				if off(r.TTFT.Mean, first) > 1e-3 || off(r.Total.Mean, total) > 1e-3 {
					t.Errorf("%s: first token after %.6g s, last after %.6g s, want %.6g and %.6g",
						name, r.TTFT.Mean, r.Total.Mean, first, total)
				}
				if off(r.Requests, 1/total) > 1e-3 {
					t.Errorf("%s: %g requests a second, want %g", name, r.Requests, 1/total)
				}
			}
		})
	}
}

// steps is how long so many steps of decoding take after a prompt of 100 tokens.
func steps(n, verify int) float64 {
	var t float64
	for i := range n {
		t += affine(Batch{Decodes: 1, Context: float64(100 + i), Verify: verify})
	}
	return t
}

// Playing passes together gives what playing each of them gives.
func TestTogetherIsOneByOne(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 1))
	played := 0
	for i := range 60 {
		s, l := draw(r)
		if i%3 == 0 {
			l.Concurrency, l.Rate, l.Burst = 0, 0.1+5*r.Float64(), 1
		}
		l.Requests, l.Warmup = 300, 50
		if Check(s, l) != nil || Steady(s, l).Saturated {
			continue
		}
		a, b := simulate(s, l, seeded(uint64(i)), together), simulate(s, l, seeded(uint64(i)), oneByOne)
		played++
		// A request that comes a hair before the end of a pass instead of after it waits one pass less, so that single
		// requests differ; the means do not.
		if off(a.TTFT.Mean, b.TTFT.Mean) > 0.01 || off(a.TPOT.Mean, b.TPOT.Mean) > 0.002 || off(a.Output, b.Output) > 0.005 {
			t.Errorf("play %d: TTFT %.6g, TPOT %.6g, output %.6g; one by one %.6g, %.6g, %.6g", i,
				a.TTFT.Mean, a.TPOT.Mean, a.Output, b.TTFT.Mean, b.TPOT.Mean, b.Output)
		}
	}
	if played < 30 {
		t.Errorf("%d plays, want at least 30", played)
	}
}

func TestMoreLoadIsNeverFaster(t *testing.T) {
	for _, whole := range []bool{false, true} {
		var last Result
		s := server()
		s.Whole = whole
		for _, n := range []int{1, 4, 16, 64, 200, 400} {
			r := Simulate(s, closedLoop(n), seeded(1))
			if r.TTFT.Mean < 0.99*last.TTFT.Mean || r.TPOT.Mean < 0.99*last.TPOT.Mean || r.Output < 0.99*last.Output {
				t.Errorf("%d at once, whole %v: TTFT %g, TPOT %g, output %g after %g, %g, %g", n, whole,
					r.TTFT.Mean, r.TPOT.Mean, r.Output, last.TTFT.Mean, last.TPOT.Mean, last.Output)
			}
			last = r
		}
		last = Result{}
		for _, rate := range []float64{0.5, 2, 8, 16, 24, 28, 60} {
			r := Simulate(s, openLoop(rate, 1), seeded(1))
			if r.TTFT.Mean < 0.99*last.TTFT.Mean || r.TPOT.Mean < 0.99*last.TPOT.Mean {
				t.Errorf("%g a second, whole %v: TTFT %g, TPOT %g after %g, %g", rate, whole,
					r.TTFT.Mean, r.TPOT.Mean, last.TTFT.Mean, last.TPOT.Mean)
			}
			last = r
		}
		if !last.Saturated {
			t.Error("60 a second is not saturated")
		}
	}
}

func TestSlowerPassIsNeverFaster(t *testing.T) {
	for _, l := range []Load{closedLoop(1), closedLoop(100), openLoop(10, 1)} {
		var last Result
		for _, slower := range []float64{1, 1.1, 1.5, 2} {
			s := server()
			s.Pass = func(b Batch) float64 { return slower * affine(b) }
			r := Simulate(s, l, seeded(1))
			if r.TTFT.Mean < last.TTFT.Mean || r.TPOT.Mean < last.TPOT.Mean || r.Total.Mean < last.Total.Mean {
				t.Errorf("%d at once, %g a second: %g times slower is faster: %+v after %+v",
					l.Concurrency, l.Rate, slower, r, last)
			}
			last = r
		}
	}
}

func TestSeeds(t *testing.T) {
	a, b := Simulate(server(), openLoop(20, 2), seeded(1)), Simulate(server(), openLoop(20, 2), seeded(1))
	if d := cmp.Diff(a, b); d != "" {
		t.Errorf("the same seed differs:\n%s", d)
	}
	if cmp.Equal(a, Simulate(server(), openLoop(20, 2), seeded(2))) {
		t.Error("another seed gives the same")
	}
}

func TestTokensPerStep(t *testing.T) {
	for _, k := range []int{0, 1, 3, 8} {
		for _, a := range []float64{0, 0.3, 0.7, 0.95} {
			r := rand.New(rand.NewPCG(5, uint64(k)))
			var sum float64
			const tries = 200_000
			for range tries {
				sum++
				for j := 0; j < k && r.Float64() < a; j++ {
					sum++
				}
			}
			if d := off(TokensPerStep(k, a), sum/tries); d > 0.01 {
				t.Errorf("%d drafts accepted %g: %g tokens a step, played %g", k, a, TokensPerStep(k, a), sum/tries)
			}
			d := stepperOf(Server{Drafts: k, Accepted: a})
			var steps float64
			for range 2000 {
				steps += float64(d.draw(seeded(r.Uint64()), 500))
			}
			if off(500*2000/steps, TokensPerStep(k, a)) > 0.01 {
				t.Errorf("%d drafts accepted %g: 500 tokens take %g steps, want %g", k, a, steps/2000, 500/TokensPerStep(k, a))
			}
		}
	}
}

func TestDraftsThatAreWrongAreNeverFaster(t *testing.T) {
	for _, l := range []Load{closedLoop(1), closedLoop(64), openLoop(10, 1)} {
		plain, drafted := server(), server()
		drafted.Drafts = 4
		for name, f := range map[string]func(Server) Result{
			"Simulate": func(s Server) Result { return Simulate(s, l, seeded(1)) },
			"Steady":   func(s Server) Result { return Steady(s, l) },
		} {
			if a, b := f(plain), f(drafted); b.TPOT.Mean < a.TPOT.Mean || b.Total.Mean < a.Total.Mean {
				t.Errorf("%s: with drafts that are never right TPOT %g, without %g", name, b.TPOT.Mean, a.TPOT.Mean)
			}
		}
	}
}

func TestArrivals(t *testing.T) {
	for _, burst := range []float64{0, 0.3, 1, 2, 4} {
		var sum, squares float64
		const n = 200_000
		r := seeded(9)
		for range n {
			x := gamma(r, burst)
			sum, squares = sum+x, squares+x*x
		}
		mean := sum / n
		sd := math.Sqrt(squares/n - mean*mean)
		if off(mean, 1) > 0.03 || math.Abs(sd-burst) > 0.05*burst+1e-6 {
			t.Errorf("burst %g: times between arrivals of mean %g, deviation %g, want 1 and %g", burst, mean, sd, burst)
		}
	}
}

func TestLengths(t *testing.T) {
	for _, l := range []Length{{500, 0}, {500, 0.2}, {500, 1}, {3000, 1.5}} {
		d, r := lengthsOf(l), seeded(9)
		var sum, squares float64
		const n = 400_000
		for range n {
			x := float64(d.draw(r))
			sum, squares = sum+x, squares+x*x
		}
		mean := sum / n
		sd := math.Sqrt(squares/n - mean*mean)
		if off(mean, l.Mean) > 0.01 || math.Abs(sd/mean-l.Spread) > 0.03*l.Spread+1e-6 {
			t.Errorf("%+v: drawn with mean %g, spread %g", l, mean, sd/mean)
		}
	}
}

func TestCache(t *testing.T) {
	s := server()
	s.Cache = 20_000
	r := Simulate(s, closedLoop(100), seeded(1))
	if !r.CacheBound || r.Preemptions == 0 || r.Running > 40 {
		t.Errorf("20000 tokens for requests of 768: %.1f running, %d preempted, bound by the cache %v",
			r.Running, r.Preemptions, r.CacheBound)
	}
	if r := Simulate(server(), closedLoop(100), seeded(1)); r.CacheBound || r.Preemptions > 0 {
		t.Errorf("400000 tokens for 100 requests of 768: %d preempted, bound by the cache %v", r.Preemptions, r.CacheBound)
	}
	s.Cache = 700
	if r := Simulate(s, closedLoop(1), seeded(1)); !r.Saturated || !math.IsInf(r.TTFT.Mean, 1) {
		t.Errorf("a cache that holds no request of mean length answers with TTFT %g", r.TTFT.Mean)
	}
}

func TestSpeedOfSimulate(t *testing.T) {
	if testing.Short() {
		t.Skip("measures time")
	}
	l := closedLoop(256)
	l.Requests, l.Warmup = 10_000, 500
	start := time.Now()
	Simulate(server(), l, seeded(1))
	// Ten times what it takes, so that a busy machine passes.
	if took := time.Since(start); took > 200*time.Millisecond {
		t.Errorf("10000 requests took %v, want less than 200 ms", took)
	}
}
