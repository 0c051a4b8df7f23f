package speed_test

import (
	"errors"
	"maps"
	"math"
	"math/rand"
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

func constants(t testing.TB) *speed.Constants {
	t.Helper()
	c, err := speed.Default()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// prepared is a model of the catalog in a format, as stored for "".
func prepared(t testing.TB, id, format string) *serve.Prepared {
	t.Helper()
	config, hf, ok, err := models.Default().Config(id)
	if err != nil || !ok {
		t.Fatalf("%s: %v %v", id, ok, err)
	}
	shape, err := arch.Of(config)
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := quant.Stored(shape, config, hf)
	if format != "" {
		scheme, err = quant.As(shape, format)
	}
	if err != nil {
		t.Fatal(err)
	}
	return serve.Prepare(serve.Model{Shape: shape, Weights: scheme})
}

func card(t testing.TB, id string) *hardware.Accelerator {
	t.Helper()
	a, err := catalog.Default().Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func engine(t testing.TB, name string) *serve.Engine {
	t.Helper()
	e, err := serve.FindEngine(name, "")
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// model is a plan that fits.
func model(t testing.TB, m *serve.Prepared, p serve.Plan) *speed.Model {
	t.Helper()
	if p.MaxModelLen == 0 {
		p.MaxModelLen = 8192
	}
	memory, err := m.Fit(p)
	if err != nil {
		t.Fatal(err)
	}
	s, err := constants(t).Of(m, p, memory)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func chat(concurrency float64) speed.Load {
	return speed.Load{Input: queue.Length{Mean: 1024}, Output: queue.Length{Mean: 256}, Concurrency: concurrency}
}

// plans are settings that laws are held against: dense and experts, one card and many, each kind of engine.
func plans(t testing.TB) map[string]func(card *hardware.Accelerator) *speed.Model {
	t.Helper()
	with := func(id, format, kind string, tensor, pipeline, data, expert int) func(*hardware.Accelerator) *speed.Model {
		m, e := prepared(t, id, format), engine(t, kind)
		return func(a *hardware.Accelerator) *speed.Model {
			return model(t, m, serve.Plan{
				Engine: e, GPU: a, GPUs: tensor * pipeline * data, Tensor: tensor, Pipeline: pipeline, Data: data, Expert: expert,
			})
		}
	}
	return map[string]func(*hardware.Accelerator) *speed.Model{
		"dense, vllm":            with("Qwen/Qwen3-8B", "", "vllm", 1, 1, 1, 1),
		"dense, tensor parallel": with("Qwen/Qwen3-32B", "fp8", "trt-llm", 4, 1, 1, 1),
		"dense, pipeline":        with("Qwen/Qwen3-32B", "fp8", "vllm", 1, 4, 1, 1),
		"experts":                with("Qwen/Qwen3-30B-A3B", "", "sglang", 2, 1, 1, 1),
		"experts shared":         with("Qwen/Qwen3-235B-A22B", "fp8", "trt-llm", 1, 1, 8, 8),
		"latent attention":       with("deepseek-ai/DeepSeek-V3", "fp4", "vllm", 8, 1, 1, 1),
		"packed blocks":          with("Qwen/Qwen3-8B", "Q4_K_M", "llama.cpp", 1, 1, 1, 1),
		"eager":                  with("Qwen/Qwen3-8B", "", "transformers", 1, 1, 1, 1),
	}
}

func TestPartsAddUp(t *testing.T) {
	for name, of := range plans(t) {
		m := of(card(t, "h200-sxm"))
		for _, b := range []queue.Batch{
			{Decodes: 1, Context: 500},
			{Decodes: 100, Context: 1e5, Prompt: 2048, Before: 2048 * 1024, Prompts: 1},
			{Prompt: 8192, Before: 8192 * 4096, Prompts: 1},
		} {
			s := m.Step(b)
			var sum float64
			for _, p := range s.Parts {
				if p.Seconds <= 0 || p.Name == "" || p.Formula == "" {
					t.Errorf("%s: part %+v", name, p)
				}
				sum += p.Seconds
			}
			if math.Abs(sum/m.Pass(b)-1) > 1e-9 || math.Abs(sum/s.Seconds-1) > 1e-9 {
				t.Errorf("%s: parts of %+v are %g, the pass takes %g", name, b, sum, m.Pass(b))
			}
		}
	}
}

// No plan answers faster than memory is read, or reads prompts faster than the card multiplies.
func TestBounds(t *testing.T) {
	for name, of := range plans(t) {
		for _, id := range []string{"h100-sxm", "h200-sxm", "b200-sxm", "mi300x"} {
			a := card(t, id)
			if name == "experts shared" && id == "h100-sxm" || a.Vendor == "amd" && (name == "dense, tensor parallel" || name == "experts shared" || name == "latent attention") {
				continue
			}
			m := of(a)
			w := m.Work()
			var active, macs float64
			for i := range w.Products {
				p := &w.Products[i]
				share := 1.0
				if p.Experts > 0 {
					share = float64(p.TopK) / float64(p.Experts)
				}
				active += p.Bytes * share
				if p.Role != serve.Head {
					macs += p.MACs
				}
			}
			f := m.Figures(chat(1))
			if most := a.BandwidthGBs * 1e9 / active; f.Single.Mid > most {
				t.Errorf("%s on %s: %.0f tokens/s, and memory allows %.0f", name, id, f.Single.Mid, most)
			}
			peak := 0.0
			for _, v := range a.DenseTFLOPS {
				peak = max(peak, v*1e12)
			}
			if most := peak / (2 * macs) * float64(w.Pipeline*w.Data); f.Prompt.Mid > most {
				t.Errorf("%s on %s: reads %.0f tokens/s, and the peak allows %.0f", name, id, f.Prompt.Mid, most)
			}
		}
	}
}

// More requests at once never make one of them faster, and more in a batch never makes a pass shorter.
func TestMoreLoad(t *testing.T) {
	for name, of := range plans(t) {
		m := of(card(t, "h200-sxm"))
		var ttft, tpot float64
		for n := 1.0; n <= 4096; n *= 1.3 {
			f := m.Figures(chat(n))
			if f.TTFT.Mid < ttft*(1-1e-9) || f.TPOT.Mid < tpot*(1-1e-9) {
				t.Errorf("%s: with %.1f requests TTFT %g after %g, TPOT %g after %g", name, n, f.TTFT.Mid, ttft, f.TPOT.Mid, tpot)
			}
			ttft, tpot = f.TTFT.Mid, f.TPOT.Mid
		}
		before := 0.0
		for n := 1; n <= 1<<13; n *= 2 {
			b := queue.Batch{Decodes: n, Context: float64(n) * 1000, Prompt: int64(n), Before: float64(n * n / 2), Prompts: 1}
			if s := m.Pass(b); s < before {
				t.Errorf("%s: a pass of %d sequences takes %g, one of half as many %g", name, n, s, before)
			} else {
				before = s
			}
		}
	}
}

// A card with less of anything, all else equal, is never faster.
func TestSlowerCard(t *testing.T) {
	for name, of := range plans(t) {
		fast := card(t, "h200-sxm")
		for what, change := range map[string]func(a *hardware.Accelerator){
			"bandwidth": func(a *hardware.Accelerator) { a.BandwidthGBs *= 0.7 },
			"peak": func(a *hardware.Accelerator) {
				slow := map[string]float64{}
				for k, v := range a.DenseTFLOPS {
					slow[k] = v * 0.7
				}
				a.DenseTFLOPS, a.MatmulBF16 = slow, a.MatmulBF16*0.7
			},
			"link": func(a *hardware.Accelerator) { a.LinkGBs *= 0.5 },
		} {
			slow := *fast
			change(&slow)
			for _, n := range []float64{1, 16, 300} {
				a, b := of(fast).Figures(chat(n)), of(&slow).Figures(chat(n))
				const eps = 1 + 1e-9
				total := func(f *speed.Figures) float64 { return f.TTFT.Mid + 255*f.TPOT.Mid }
				if b.Single.Mid > a.Single.Mid*eps || b.Prompt.Mid > a.Prompt.Mid*eps || b.MaxOutput.Mid > a.MaxOutput.Mid*eps ||
					b.TPOT.Mid*eps < a.TPOT.Mid || b.TTFT.Mid*eps < a.TTFT.Mid || total(b)*eps < total(a) {
					t.Errorf("%s with less %s is faster at %.0f requests: single %g after %g, prompt %g after %g, most %g after %g, TPOT %g after %g, TTFT %g after %g",
						name, what, n, b.Single.Mid, a.Single.Mid, b.Prompt.Mid, a.Prompt.Mid, b.MaxOutput.Mid, a.MaxOutput.Mid, b.TPOT.Mid, a.TPOT.Mid,
						b.TTFT.Mid, a.TTFT.Mid)
				}
			}
		}
	}
}

// More ranks never have more weights to read, and numbers of more bits never take less time.
func TestWeights(t *testing.T) {
	a := card(t, "h200-sxm")
	read := func(m *speed.Model) float64 {
		var sum float64
		for _, p := range m.Step(queue.Batch{Decodes: 1, Context: 100}).Parts {
			if p.Cause == speed.Weights {
				sum += p.Seconds
			}
		}
		return sum
	}
	before := math.Inf(1)
	for _, n := range []int{1, 2, 4, 8} {
		m := prepared(t, "Qwen/Qwen3-32B", "fp8")
		s := read(model(t, m, serve.Plan{Engine: engine(t, "vllm"), GPU: a, GPUs: n, Tensor: n}))
		if s > before {
			t.Errorf("%d ranks read weights for %g s, half as many for %g", n, s, before)
		}
		before = s
	}
	bf16 := read(model(t, prepared(t, "Qwen/Qwen3-32B", "bf16"), serve.Plan{Engine: engine(t, "vllm"), GPU: a, GPUs: 1}))
	fp8 := read(model(t, prepared(t, "Qwen/Qwen3-32B", "fp8"), serve.Plan{Engine: engine(t, "vllm"), GPU: a, GPUs: 1}))
	if fp8 >= bf16 {
		t.Errorf("weights of 8 bits take %g, of 16 bits %g", fp8, bf16)
	}
}

// An open loop below what can be answered answers it, and obeys Little's law; one above is said to be saturated.
func TestOpenLoop(t *testing.T) {
	m := plans(t)["dense, vllm"](card(t, "h200-sxm"))
	l := chat(0)
	most := m.Figures(l).MaxRequests.Mid
	for _, share := range []float64{0.01, 0.2, 0.5, 0.9} {
		l.Rate = share * most
		f := m.Figures(l)
		if f.Saturated || f.TTFT == nil {
			t.Fatalf("at %.2f of the most: %+v", share, f)
		}
		if n := l.Rate * (f.TTFT.Mid + 255*f.TPOT.Mid); math.Abs(n/f.Concurrency-1) > 0.2 {
			t.Errorf("at %.2f of the most: %.2f requests by Little's law, %.2f said", share, n, f.Concurrency)
		}
	}
	l.Rate = 1.2 * most
	if f := m.Figures(l); !f.Saturated || f.TTFT != nil || f.Why == "" {
		t.Errorf("above the most: %+v", f)
	}
}

// What limits an open load is what limits so many requests, and not those of a full cache.
func TestOpenBound(t *testing.T) {
	m := plans(t)["dense, vllm"](card(t, "h200-sxm"))
	l := chat(0)
	most := m.Figures(l)
	if most.Bound != speed.KV {
		t.Skipf("at most it is bound by %s, so that there is nothing to part", most.Bound)
	}
	l.Rate = 0.05 * most.MaxRequests.Mid
	f := m.Figures(l)
	if closed := m.Figures(chat(f.Concurrency)); f.Bound != closed.Bound || f.Bound == speed.KV {
		t.Errorf("%.2f requests a second are bound by %s, as many at once by %s", l.Rate, f.Bound, closed.Bound)
	}
}

// Speculation and a cached prefix help, as far as they are right.
func TestSpeculation(t *testing.T) {
	m := plans(t)["dense, tensor parallel"](card(t, "h200-sxm"))
	plain, l := m.Figures(chat(1)), chat(1)
	l.Drafts, l.Accepted = 3, 0.8
	if f := m.Figures(l); f.Single.Mid < 1.5*plain.Single.Mid || f.Single.Mid > 3*plain.Single.Mid {
		t.Errorf("with drafts %.0f tokens/s, without %.0f", f.Single.Mid, plain.Single.Mid)
	}
	l = chat(8)
	l.PrefixHit = 0.9
	if f, g := m.Figures(l), m.Figures(chat(8)); f.TTFT.Mid >= g.TTFT.Mid || f.TPOT.Mid > g.TPOT.Mid {
		t.Errorf("with a cached prefix TTFT %g, without %g", f.TTFT.Mid, g.TTFT.Mid)
	}
}

// What lies on the host is not taken to be as fast as what lies on the device.
func TestHost(t *testing.T) {
	m := prepared(t, "Qwen/Qwen3-8B", "Q4_K_M")
	p := serve.Plan{Engine: engine(t, "llama.cpp"), GPU: card(t, "rtx-4090"), GPUs: 1, MaxModelLen: 4096}
	for name, o := range map[string]serve.LlamaOptions{"some layers": {GPULayers: 10}, "all": {HostOnly: true}, "experts": {CPUExperts: 4}} {
		p.Llama = o
		memory, err := m.Fit(p)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := constants(t).Of(m, p, memory); !errors.Is(err, speed.ErrUnknown) {
			t.Errorf("%s on the host: %v", name, err)
		}
	}
}

func fine(r *speed.Range) bool {
	return r == nil || r.Low > 0 && r.Low <= r.Mid && r.Mid <= r.High && !math.IsInf(r.High, 0)
}

// Whatever an engine starts has figures that are numbers.
func TestRandomPlans(t *testing.T) {
	c := constants(t)
	ids, err := models.Default().IDs()
	if err != nil {
		t.Fatal(err)
	}
	cards, err := catalog.Default().All()
	if err != nil || len(ids) < 100 {
		t.Fatalf("%d models, %v", len(ids), err)
	}
	d := rand.New(rand.NewSource(7))
	kinds := []string{"vllm", "sglang", "trt-llm", "llama.cpp", "transformers", "exllamav2", "mlc-llm", "gpt-fast"}
	seen := 0
	for range 900 {
		id := ids[d.Intn(len(ids))]
		config, hf, ok, err := models.Default().Config(id)
		if err != nil || !ok {
			continue
		}
		shape, err := arch.Of(config)
		if err != nil {
			continue
		}
		scheme, err := quant.Stored(shape, config, hf)
		if err != nil {
			continue
		}
		m := serve.Prepare(serve.Model{Shape: shape, Weights: scheme})
		p := serve.Plan{
			Engine: engine(t, kinds[d.Intn(len(kinds))]), GPU: cards[d.Intn(len(cards))], MaxModelLen: 2048,
			Tensor: 1 << d.Intn(4), Pipeline: 1 + d.Intn(2), Data: 1 + d.Intn(2),
		}
		if p.Engine.Kind == serve.LlamaCPP {
			p.Tensor, p.Data = 1, 1
		}
		p.GPUs = p.Tensor * p.Pipeline * p.Data
		memory, err := m.Fit(p)
		if err != nil {
			continue
		}
		s, err := c.Of(m, p, memory)
		if errors.Is(err, speed.ErrUnknown) {
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		seen++
		for _, l := range []speed.Load{chat(0), chat(1), chat(1000), {Input: queue.Length{Mean: 1e6}, Output: queue.Length{Mean: 1}, Rate: 0.001}} {
			f := s.Figures(l)
			if !fine(&f.Single) || !fine(&f.Prompt) || !fine(&f.MaxOutput) || !fine(f.TTFT) || !fine(f.TPOT) || !fine(f.Output) || f.Bound == "" {
				t.Errorf("%s on %s with %s: %+v", id, p.GPU.ID, p.Engine.Name, f)
			}
		}
	}
	if seen < 100 {
		t.Errorf("only %d plans were possible", seen)
	}
}

func FuzzFigures(f *testing.F) {
	f.Add(1024.0, 128.0, 16.0, 0.0, 0.0, 0, 0.0)
	f.Add(0.0, -1.0, math.Inf(1), math.NaN(), 1.0, 1<<40, 1.0)
	f.Add(1e300, 1e-300, 1e300, 1e300, -3.0, -1, 2.0)
	m := plans(f)["experts shared"](card(f, "h200-sxm"))
	f.Fuzz(func(t *testing.T, in, out, concurrency, rate, hit float64, drafts int, accepted float64) {
		g := m.Figures(speed.Load{
			Input: queue.Length{Mean: in}, Output: queue.Length{Mean: out}, Concurrency: concurrency, Rate: rate, PrefixHit: hit,
			Drafts: drafts, Accepted: accepted,
		})
		if !fine(&g.Single) || !fine(&g.Prompt) || !fine(&g.MaxOutput) || !fine(g.TTFT) || !fine(g.TPOT) {
			t.Errorf("%+v", g)
		}
	})
}

func FuzzPass(f *testing.F) {
	f.Add(1, 100.0, 0, int64(0), 0.0, 0)
	f.Add(-5, math.NaN(), -1, int64(math.MaxInt64), math.Inf(1), 1<<40)
	m := plans(f)["dense, pipeline"](card(f, "h200-sxm"))
	f.Fuzz(func(t *testing.T, decodes int, context float64, verify int, prompt int64, before float64, prompts int) {
		s := m.Pass(queue.Batch{Decodes: decodes, Context: context, Verify: verify, Prompt: prompt, Before: before, Prompts: prompts})
		if !(s > 0) || math.IsInf(s, 0) {
			t.Errorf("%g s", s)
		}
	})
}

func BenchmarkOf(b *testing.B) {
	m, e, a := prepared(b, "deepseek-ai/DeepSeek-V3", ""), engine(b, "vllm"), card(b, "h200-sxm")
	p := serve.Plan{Engine: e, GPU: a, GPUs: 8, Tensor: 8, MaxModelLen: 8192}
	c := constants(b)
	memory, err := m.Fit(p)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := c.Of(m, p, memory); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkPass(b *testing.B) {
	m := plans(b)["experts"](card(b, "h200-sxm"))
	for b.Loop() {
		m.Pass(queue.Batch{Decodes: 64, Context: 64000, Prompt: 512, Before: 512 * 256, Prompts: 1})
	}
}

func BenchmarkFigures(b *testing.B) {
	m := plans(b)["experts"](card(b, "h200-sxm"))
	for _, l := range []struct {
		name string
		load speed.Load
	}{{"closed", chat(64)}, {"open", speed.Load{Input: queue.Length{Mean: 1024}, Output: queue.Length{Mean: 256}, Rate: 5}}} {
		b.Run(l.name, func(b *testing.B) {
			for b.Loop() {
				m.Figures(l.load)
			}
		})
	}
}

// The closed form and the simulation of the same passes tell the same story: a closed loop as benchmarks make it, and an
// open one at several shares of what is answered at most.
func TestAgreesWithSimulation(t *testing.T) {
	var ttft, tpot, output []float64
	for name, of := range plans(t) {
		m := of(card(t, "h200-sxm"))
		if name == "eager" || name == "packed blocks" { // one request at a time
			continue
		}
		most := m.Figures(chat(0)).MaxRequests.Mid
		for _, load := range []float64{1, 4, 16, 64, 256, -0.2, -0.5, -0.7} {
			l := chat(load)
			if load < 0 {
				l.Concurrency, l.Rate, l.Burst = 0, -load*most, 1
			}
			f, q := m.Figures(l), m.Queue(l)
			if l.Rate > 0 {
				q.Requests, q.Warmup = 3000, 500
			}
			r := queue.Simulate(m.Server(l), q, rand.New(rand.NewSource(1)))
			got := r.Output * float64(m.Replicas())
			off := func(a, b float64) float64 { return math.Abs(a/b - 1) }
			ttft, tpot, output = append(ttft, off(f.TTFT.Mid, r.TTFT.Mean)), append(tpot, off(f.TPOT.Mid, r.TPOT.Mean)), append(output, off(f.Output.Mid, got))
			t.Logf("%s, %g: %.0f and %.0f tokens/s, TPOT %.4f and %.4f, TTFT %.3f and %.3f", name, load, f.Output.Mid, got, f.TPOT.Mid, r.TPOT.Mean,
				f.TTFT.Mid, r.TTFT.Mean)
		}
	}
	for what, most := range map[string]struct {
		off         []float64
		median, p90 float64
	}{"TTFT": {ttft, 0.04, 0.15}, "TPOT": {tpot, 0.02, 0.15}, "output": {output, 0.02, 0.06}} {
		slices.Sort(most.off)
		middle, far := most.off[len(most.off)/2], most.off[len(most.off)*9/10]
		t.Logf("%s differs by %.1f %% (median), %.1f %% (P90), %.1f %% (most) over %d loads", what, 100*middle, 100*far, 100*most.off[len(most.off)-1], len(most.off))
		if middle > most.median || far > most.p90 || len(most.off) < 40 {
			t.Errorf("%s differs by %.3f (median), %.3f (P90), want at most %g, %g", what, middle, far, most.median, most.p90)
		}
	}
}

// Few multiprocessors do not ask for all that fast memory gives, and many do not get more than that.
func TestRequests(t *testing.T) {
	m := prepared(t, "Qwen/Qwen3-8B", "")
	on := func(change func(a *hardware.Accelerator)) float64 {
		a := *card(t, "h200-sxm")
		change(&a)
		f := model(t, m, serve.Plan{Engine: engine(t, "vllm"), GPU: &a, GPUs: 1}).Figures(chat(1))
		return f.Single.Mid
	}
	scaled := func(by float64) func(*hardware.Accelerator) {
		return func(a *hardware.Accelerator) {
			peaks := maps.Clone(a.DenseTFLOPS)
			peaks["fp32"] *= by
			a.DenseTFLOPS = peaks
		}
	}
	few, many, more := on(scaled(0.3)), on(scaled(10)), on(scaled(20))
	if few > 0.6*many {
		t.Errorf("with few multiprocessors %.0f tokens/s, with many %.0f", few, many)
	}
	if more != many {
		t.Errorf("memory is read faster than it can be: %.0f tokens/s after %.0f", more, many)
	}
}

// Packed weights are read fast for an answer, and have to be unpacked for a prompt.
func TestUnpacking(t *testing.T) {
	a, e := card(t, "rtx-4090"), engine(t, "llama.cpp")
	figures := func(format string) *speed.Figures {
		return model(t, prepared(t, "Qwen/Qwen3-8B", format), serve.Plan{Engine: e, GPU: a, GPUs: 1}).Figures(chat(1))
	}
	packed, plain := figures("Q4_K_M"), figures("F16")
	if packed.Prompt.Mid >= plain.Prompt.Mid || packed.Single.Mid <= 2*plain.Single.Mid {
		t.Errorf("packed %.0f and %.0f tokens/s, in 16 bits %.0f and %.0f", packed.Prompt.Mid, packed.Single.Mid, plain.Prompt.Mid, plain.Single.Mid)
	}
}

// Stages of a pipeline share a long prompt the better, the fewer launches each has before the host gets to the next.
func TestLaunchesInFlight(t *testing.T) {
	m, a := prepared(t, "meta-llama/Llama-3.1-70B", "Q4_K_M"), card(t, "rtx-a6000")
	gain := func(stages int) float64 {
		s := model(t, m, serve.Plan{Engine: engine(t, "llama.cpp"), GPU: a, GPUs: stages, Pipeline: stages})
		long, short := chat(1), chat(1)
		long.Input.Mean, short.Input.Mean = 4096, 512
		return s.Figures(long).Prompt.Mid / s.Figures(short).Prompt.Mid
	}
	if two, eight := gain(2), gain(8); eight < 1.3*two || eight > 8 {
		t.Errorf("a long prompt gains %.2f over two stages, %.2f over eight", two, eight)
	}
}

// What a card does not compute in is said.
func TestPeaksSayWhatIsUnpacked(t *testing.T) {
	m := prepared(t, "Qwen/Qwen3-32B", "fp8")
	for gpu, want := range map[string]bool{"a100-80-sxm": true, "h100-sxm": false} {
		one := model(t, m, serve.Plan{Engine: engine(t, "vllm"), GPU: card(t, gpu), GPUs: 1})
		got := slices.ContainsFunc(one.Peaks(), func(p speed.Peak) bool { return strings.Contains(p.Note, "are unpacked to it") })
		if got != want {
			t.Errorf("%s: unpacked %v, want %v: %+v", gpu, got, want, one.Peaks())
		}
	}
}
