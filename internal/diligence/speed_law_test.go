package diligence

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/hardware"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// setting is what a law is tried on: a model in a number format on cards with an engine.
type setting struct {
	model, quant, card string
	kind               serve.Kind
	gpus, tensor       int
}

func (s setting) String() string {
	return fmt.Sprintf("%s %s on %d x %s with %s, tp %d", s.model, s.quant, max(1, s.gpus), s.card, s.kind, s.tensor)
}

// settings are a sample over kinds of models, makers, generations and engines.
func settings() []setting {
	list := []setting{
		{"deepseek-ai/DeepSeek-V3", "", "h200-sxm", serve.VLLM, 8, 8},
		{"deepseek-ai/DeepSeek-V3", "", "h200-sxm", serve.SGLang, 8, 8},
		{"deepseek-ai/DeepSeek-V3", "nvfp4", "b200-sxm", serve.TensorRT, 8, 8},
		{"meta-llama/Llama-3.1-70B", "", "h100-sxm", serve.VLLM, 4, 4},
		{"meta-llama/Llama-3.1-70B", "fp8", "h100-sxm", serve.TensorRT, 2, 2},
		{"meta-llama/Llama-3.1-70B", "Q4_K_M", "m2-ultra", serve.LlamaCPP, 1, 0},
		{"meta-llama/Llama-3.1-70B", "awq", "l40s", serve.VLLM, 2, 2},
		{"meta-llama/Llama-4-Scout-17B-16E-Instruct", "", "mi300x", serve.VLLM, 2, 2},
		{"Qwen/Qwen3-235B-A22B", "fp8", "h100-sxm", serve.SGLang, 8, 4},
		{"Qwen/Qwen3.5-397B-A17B", "fp8", "h200-sxm", serve.VLLM, 8, 8},
		{"zai-org/GLM-5", "", "b200-sxm", serve.SGLang, 8, 8},
		{"openai/gpt-oss-20b", "", "rtx-5090", serve.LlamaCPP, 1, 0},
	}
	for _, card := range []string{
		"h100-sxm", "h100-pcie", "a100-80-sxm", "l40s", "rtx-4090", "rtx-5090", "a40", "rtx-2080-ti", "b200-sxm", "mi300x", "mi325x", "mi250x", "rx-7900-xt", "radeon-r9700",
		"arc-b60-dual", "dgx-spark-gb10", "rtx-a4000", "a16",
	} {
		list = append(list, setting{"Qwen/Qwen3-4B", "", card, serve.VLLM, 1, 1}, setting{"meta-llama/Llama-3.1-8B", "Q4_K_M", card, serve.LlamaCPP, 1, 0},
			setting{"Qwen/Qwen3-30B-A3B", "Q4_K_M", card, serve.LlamaCPP, 1, 0})
	}
	for _, kind := range []serve.Kind{serve.SGLang, serve.TensorRT, serve.Transformers} {
		list = append(list, setting{"Qwen/Qwen3-8B", "", "h100-sxm", kind, 1, 1}, setting{"Qwen/Qwen3-8B", "fp8", "l40s", kind, 1, 1}, setting{"Qwen/Qwen3-30B-A3B", "", "a100-80-sxm", kind, 1, 1})
	}
	for _, card := range []string{"m1-max-32c", "m3-ultra", "m4-10c"} {
		list = append(list, setting{"Qwen/Qwen3-8B", "Q4_K_M", card, serve.LlamaCPP, 1, 0}, setting{"Qwen/Qwen3-8B", "Q8_0", card, serve.LlamaCPP, 1, 0})
	}
	return list
}

// laboratory answers many questions about few models.
type laboratory struct {
	testing.TB
	deps  Deps
	known map[string]*described
}

func newLaboratory(t testing.TB) *laboratory {
	t.Helper()
	return &laboratory{t, world(shelf{}, models.Default()), map[string]*described{}}
}

// timed is a plan under a load, nil where it does not start; other is the card that takes the place of the one named.
func (l *laboratory) timed(s setting, load Workload, other *hardware.Accelerator) *timed {
	l.Helper()
	in := &inquiry{Deps: l.deps, ctx: l.Context()}
	key := s.model + " " + s.quant
	d := l.known[key]
	if d == nil {
		var err error
		if d, err = in.describe(hub(s.model), s.quant); err == nil {
			err = in.shape(d, s.quant)
		}
		if err != nil {
			l.Fatalf("%s: %v", s, err)
		}
		l.known[key] = d
	}
	q := EstimateQuestion{Ref: hub(s.model), Quant: s.quant, Kind: s.kind, Load: load, Cards: []string{s.card}}
	q.Plan = serve.Plan{GPUs: max(1, s.gpus), Tensor: s.tensor, MaxModelLen: 8192}
	if most := d.serving.Shape.MaxContext; most > 0 {
		q.Plan.MaxModelLen = min(8192, most)
	}
	e := newEstimateOf(in, d, q)
	e.load = e.usual()
	a := other
	if a == nil {
		var err error
		if a, err = gpus.Default().Get(s.card); err != nil {
			l.Fatal(err)
		}
	}
	o, err := e.outlook(a)
	if err == nil {
		err = e.fast(&o)
	}
	if err != nil {
		l.Fatalf("%s: %v", s, err)
	}
	return o.timed
}

func chat(n float64) Workload {
	return Workload{Input: queue.Length{Mean: 1024}, Output: queue.Length{Mean: 256}, Concurrency: n}
}

// roof is what the shape of a model asks of any hardware: bytes and FLOP of a token.
type roof struct{ bytes, flop float64 }

// roofOf counts the tensors that one token passes, apart from the code that times them.
func roofOf(t *timed, d *described) roof {
	m := d.serving
	if r := t.Work(); r == nil {
		return roof{}
	}
	shape, weights := m.Shape, m.Weights
	var r roof
	var multiplied float64
	for name, one := range shape.Named() {
		if one.Visited.N == 0 || one.Component == "mtp" || one.Component == "vision tower" {
			continue
		}
		r.bytes += float64(weights.Bytes(name, one)) * float64(one.Visited.N) / float64(one.Copies.N)
		if one.Component != "embedding" && one.Component != "head" && one.Cols.N > 1 {
			multiplied += float64(one.Active())
		}
	}
	w := t.Work()
	for i := range w.Attention { // of one rank, which holds at most all
		a := &w.Attention[i]
		if a.Window == 0 {
			r.bytes += float64(a.Layers) * a.Entry * 1024 / a.Ratio * float64(min(w.Tensor, 1))
		}
	}
	r.flop = 2 * multiplied
	return r
}

// peaks are the bandwidth of one device and the largest peak that its products are held against.
func roofs(t *timed, a *hardware.Accelerator) (bandwidth, flops float64) {
	one := a.PerDevice()
	share := 1.0
	if one != a {
		share = 1 / float64(a.Devices)
	}
	for _, p := range t.Peaks() {
		if p.Unit == "FLOP/s" {
			flops = max(flops, p.Value)
		}
	}
	best := 0.0
	for _, v := range a.DenseTFLOPS {
		best = max(best, v*1e12)
	}
	return one.BandwidthGBs * 1e9, min(flops, best*share)
}

// TestPhysicalRoof: nobody reads faster than the memory or multiplies faster than the card, not even at the good end of
// a range, and a batch is at most as fast as all of its requests alone.
func TestPhysicalRoof(t *testing.T) {
	l := newLaboratory(t)
	tried := 0
	for _, s := range settings() {
		one := l.timed(s, chat(1), nil)
		if one == nil {
			continue
		}
		tried++
		a, err := gpus.Default().Get(s.card)
		if err != nil {
			t.Fatal(err)
		}
		r := roofOf(one, l.known[s.model+" "+s.quant])
		bandwidth, flops := roofs(one, a)
		ranks := float64(max(1, s.tensor))
		f := one.figures
		if roof := bandwidth * ranks / r.bytes; f.Single.High > roof {
			t.Errorf("%s: %.1f to %.1f tokens/s of one answer, and the memory allows %.1f", s, f.Single.Mid, f.Single.High, roof)
		}
		if roof := flops * float64(max(1, s.gpus)) / r.flop; f.Prompt.High > roof {
			t.Errorf("%s: %.0f to %.0f tokens/s of a prompt, and the peak allows %.0f", s, f.Prompt.Mid, f.Prompt.High, roof)
		}
		if roof := flops * float64(max(1, s.gpus)) / r.flop; f.MaxOutput.High > roof {
			t.Errorf("%s: %.0f to %.0f tokens/s of all answers, and the peak allows %.0f", s, f.MaxOutput.Mid, f.MaxOutput.High, roof)
		}
		for _, n := range []float64{2, 8, 64} {
			if g := one.at(n); g.Output.Mid > n*f.Single.Mid*(1+1e-9) {
				t.Errorf("%s: %.1f tokens/s of %.0f requests, and %.1f of one", s, g.Output.Mid, n, f.Single.Mid)
			}
		}
	}
	if tried < len(settings())/2 {
		t.Errorf("%d of %d started: little was tried", tried, len(settings()))
	}
}

// TestMoreIsNeverFaster: more requests at once, longer prompts and longer contexts make nobody faster, and what is made
// stays below what is made at most.
func TestMoreIsNeverFaster(t *testing.T) {
	const slack = 1 + 1e-9
	l := newLaboratory(t)
	for _, s := range settings() {
		one := l.timed(s, chat(1), nil)
		if one == nil {
			continue
		}
		most := one.figures.MaxOutput.High
		before := one.at(1)
		for n := 1.5; n <= 3000; n *= 1.5 {
			f := one.at(n)
			if f.TTFT.Mid*slack < before.TTFT.Mid || f.TPOT.Mid*slack < before.TPOT.Mid {
				t.Errorf("%s: with %.0f requests TTFT %g after %g, TPOT %g after %g", s, n, f.TTFT.Mid, before.TTFT.Mid, f.TPOT.Mid, before.TPOT.Mid)
			}
			if f.TTFT.High*slack < before.TTFT.High || f.TPOT.High*slack < before.TPOT.High {
				t.Errorf("%s: with %.0f requests the bad end of TTFT %g after %g, of TPOT %g after %g", s, n, f.TTFT.High, before.TTFT.High, f.TPOT.High, before.TPOT.High)
			}
			if f.Output.Mid > most*slack {
				t.Errorf("%s: %.0f requests are answered with %.0f tokens/s, and %.0f is the most", s, n, f.Output.Mid, most)
			}
			before = f
		}
		before = nil
		for in := 64.0; in <= 7000; in *= 1.6 {
			load := one.load
			load.Concurrency, load.Input.Mean = 4, in
			f := one.Figures(load)
			if before != nil && (f.TTFT.Mid*slack < before.TTFT.Mid || f.TPOT.Mid*slack < before.TPOT.Mid || f.Single.Mid > before.Single.Mid*slack) {
				t.Errorf("%s: with prompts of %.0f tokens TTFT %g after %g, TPOT %g after %g, alone %g after %g", s, in, f.TTFT.Mid, before.TTFT.Mid, f.TPOT.Mid,
					before.TPOT.Mid, f.Single.Mid, before.Single.Mid)
			}
			before = f
		}
		if t.Failed() && testing.Short() {
			return
		}
	}
}

// TestOpenLoads: more requests a second make nobody faster, up to where the plan says that it is saturated; from there on
// it says so.
func TestOpenLoads(t *testing.T) {
	const slack = 1 + 1e-6
	l := newLaboratory(t)
	for _, s := range settings() {
		one := l.timed(s, chat(1), nil)
		if one == nil {
			continue
		}
		load := one.load
		load.Concurrency = 0
		load.Rate = one.figures.MaxRequests.Mid / 1000
		before := one.Figures(load)
		saturated := false
		for ; load.Rate < 3*one.figures.MaxRequests.High; load.Rate *= 1.2 {
			f := one.Figures(load)
			switch {
			case f.Saturated:
				saturated = true
				if f.TTFT != nil || f.TPOT != nil || f.Output != nil {
					t.Errorf("%s: at %g/s it is saturated and has latencies", s, load.Rate)
				}
			case saturated:
				t.Errorf("%s: at %g/s it is not saturated, and was with fewer", s, load.Rate)
			default:
				if f.TTFT.Mid*slack < before.TTFT.Mid || f.TPOT.Mid*slack < before.TPOT.Mid {
					t.Errorf("%s: at %g/s TTFT %g after %g, TPOT %g after %g", s, load.Rate, f.TTFT.Mid, before.TTFT.Mid, f.TPOT.Mid, before.TPOT.Mid)
				}
				if f.TTFT.High*slack < before.TTFT.High || f.TPOT.High*slack < before.TPOT.High {
					t.Errorf("%s: at %g/s the bad end of TTFT %g after %g, of TPOT %g after %g", s, load.Rate, f.TTFT.High, before.TTFT.High, f.TPOT.High, before.TPOT.High)
				}
				before = f
			}
		}
		if !saturated {
			t.Errorf("%s: it answers three times what it answers at most", s)
		}
	}
}

// TestSlowerNeverFaster: a card that has less of anything is never faster, and more ranks never read prompts slower.
func TestSlowerNeverFaster(t *testing.T) {
	const slack = 1 + 1e-9
	l := newLaboratory(t)
	for _, s := range settings() {
		one := l.timed(s, chat(16), nil)
		if one == nil {
			continue
		}
		for what, change := range map[string]func(a *hardware.Accelerator){
			"bandwidth": func(a *hardware.Accelerator) { a.BandwidthGBs *= 0.7 },
			"compute": func(a *hardware.Accelerator) {
				slow := map[string]float64{}
				for k, v := range a.DenseTFLOPS {
					slow[k] = v * 0.7
				}
				a.DenseTFLOPS, a.MatmulBF16 = slow, a.MatmulBF16*0.7
			},
			"link": func(a *hardware.Accelerator) { a.LinkGBs *= 0.5 },
		} {
			fast, err := gpus.Default().Get(s.card)
			if err != nil {
				t.Fatal(err)
			}
			slow := *fast
			change(&slow)
			other := l.timed(s, chat(16), &slow)
			if other == nil {
				t.Errorf("%s with less %s does not start", s, what)
				continue
			}
			a, b := one.figures, other.figures
			if b.Single.Mid > a.Single.Mid*slack || b.Prompt.Mid > a.Prompt.Mid*slack || b.MaxOutput.Mid > a.MaxOutput.Mid*slack || b.TPOT.Mid*slack < a.TPOT.Mid || b.TTFT.Mid*slack < a.TTFT.Mid {
				t.Errorf("%s with less %s is faster: alone %g after %g, prompt %g after %g, most %g after %g, TPOT %g after %g, TTFT %g after %g", s, what,
					b.Single.Mid, a.Single.Mid, b.Prompt.Mid, a.Prompt.Mid, b.MaxOutput.Mid, a.MaxOutput.Mid, b.TPOT.Mid, a.TPOT.Mid, b.TTFT.Mid, a.TTFT.Mid)
			}
		}
	}
	for _, s := range []setting{
		{"Qwen/Qwen3-32B", "", "h100-sxm", serve.VLLM, 0, 0},
		{"Qwen/Qwen3-32B", "fp8", "b200-sxm", serve.TensorRT, 0, 0},
		{"Qwen/Qwen3-32B", "awq", "l40s", serve.VLLM, 0, 0},
		{"Qwen/Qwen3-30B-A3B", "", "h200-sxm", serve.SGLang, 0, 0},
		{"meta-llama/Llama-3.1-8B", "", "rtx-4090", serve.VLLM, 0, 0},
	} {
		before := 0.0
		for _, n := range []int{1, 2, 4, 8} {
			s.gpus, s.tensor = n, n
			one := l.timed(s, chat(1), nil)
			if one == nil {
				continue
			}
			if one.figures.Prompt.Mid*slack < before {
				t.Errorf("%s: prompts %g tokens/s after %g with half the ranks", s, one.figures.Prompt.Mid, before)
			}
			before = one.figures.Prompt.Mid
		}
	}
}

// TestSmallerFormats: what unpacking costs is not more than what it saves many times over.
func TestSmallerFormats(t *testing.T) {
	l := newLaboratory(t)
	for _, s := range []setting{
		{"Qwen/Qwen3-8B", "", "h100-sxm", serve.VLLM, 1, 1},
		{"Qwen/Qwen3-8B", "", "rtx-4090", serve.VLLM, 1, 1},
		{"Qwen/Qwen3-8B", "", "mi300x", serve.VLLM, 1, 1},
		{"Qwen/Qwen3-8B", "", "a100-80-sxm", serve.SGLang, 1, 1},
	} {
		wide := l.timed(s, chat(1), nil)
		for _, format := range []string{"fp8", "awq", "gptq"} {
			s.quant = format
			small := l.timed(s, chat(1), nil)
			if small != nil && small.figures.Single.Mid < wide.figures.Single.Mid*0.9 {
				t.Errorf("%s: %.1f tokens/s, and %.1f as stored", s, small.figures.Single.Mid, wide.figures.Single.Mid)
			}
		}
	}
	for _, card := range []string{"rtx-4090", "m2-ultra", "rx-7900-xtx", "a100-80-sxm"} {
		before := 0.0
		for _, format := range []string{"F16", "Q8_0", "Q4_K_M"} {
			one := l.timed(setting{"meta-llama/Llama-3.1-8B", format, card, serve.LlamaCPP, 1, 0}, chat(1), nil)
			if one == nil {
				continue
			}
			if one.figures.Single.Mid < before*0.95 {
				t.Errorf("%s in %s: %.1f tokens/s after %.1f in a wider one", card, format, one.figures.Single.Mid, before)
			}
			before = one.figures.Single.Mid
		}
	}
}

// TestBoardsOfTwo: each device of a board has its own memory and its own part of the bandwidth.
func TestBoardsOfTwo(t *testing.T) {
	l := newLaboratory(t)
	tried := 0
	all, err := gpus.Default().All()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range all {
		if a.Devices < 2 {
			continue
		}
		one := l.timed(setting{"Qwen/Qwen3-4B", "Q4_K_M", a.ID, serve.LlamaCPP, 1, 0}, chat(1), nil)
		if one == nil {
			continue
		}
		tried++
		for _, p := range one.peaks() {
			if strings.Contains(p.What, "bandwidth") && math.Abs(p.Value*float64(a.Devices)/(a.BandwidthGBs*1e9)-1) > 1e-6 {
				t.Errorf("%s: one of %d devices has %.0f GB/s, and the board %.0f", a.ID, a.Devices, p.Value/1e9, a.BandwidthGBs)
			}
		}
	}
	if tried == 0 {
		t.Error("no board of several devices was tried")
	}
}

// TestKin: a card computes as its kin do. That host and device share their memory says nothing of products, and devices
// that one switch joins are near each other whichever tray they lie in.
func TestKin(t *testing.T) {
	l := newLaboratory(t)
	share := func(card string) float64 {
		s := setting{"Qwen/Qwen3-8B", "Q4_K_M", card, serve.LlamaCPP, 1, 0}
		one := l.timed(s, chat(1), nil)
		if one == nil {
			t.Fatalf("%s does not start", s)
		}
		a, err := gpus.Default().Get(card)
		if err != nil {
			t.Fatal(err)
		}
		_, flops := roofs(one, a)
		return one.figures.Prompt.Mid * roofOf(one, l.known[s.model+" "+s.quant]).flop / flops
	}
	if spark, kin := share("dgx-spark-gb10"), share("rtx-5090"); spark > 1.6*kin {
		t.Errorf("GB10 reads prompts with %.2f of its peak, and a card of the same generation with %.2f", spark, kin)
	}
	v3 := setting{"deepseek-ai/DeepSeek-V3", "", "b200-sxm", serve.TensorRT, 8, 8}
	server := l.timed(v3, chat(1), nil)
	v3.card = "gb200"
	if rack := l.timed(v3, chat(1), nil); rack.figures.Single.Mid < 0.95*server.figures.Single.Mid {
		t.Errorf("eight of a rack answer %.0f tokens/s, and eight of a server %.0f", rack.figures.Single.Mid, server.figures.Single.Mid)
	}
}

// The step that is shown is that of one replica: four replicas with four times the load take as long as one, and those who
// wait are not in it.
func TestStepOfReplicas(t *testing.T) {
	step := func(replicas int) (sum float64) {
		e := valued(t, EstimateQuestion{
			Ref: hub("Qwen/Qwen3-8B"), Cards: []string{"h100-sxm"}, Load: chat(float64(32 * replicas)),
			Plan: serve.Plan{GPUs: replicas, Tensor: 1, Data: replicas, MaxModelLen: 8192},
		})
		for _, p := range e.Speed.Step {
			sum += p.Seconds
		}
		return sum
	}
	crowd := valued(t, EstimateQuestion{
		Ref: hub("Qwen/Qwen3-8B"), Cards: []string{"h100-sxm"}, Load: chat(64), Plan: serve.Plan{GPUs: 1, Tensor: 1, MaxSeqs: 1, MaxModelLen: 8192},
	})
	for _, p := range crowd.Speed.Step {
		if p.Cause == "cache" && p.Seconds > 1e-3 {
			t.Errorf("a step of one sequence, while 63 others wait, takes %.4g s to read the cache", p.Seconds)
		}
	}
	if one, four := step(1), step(4); one == 0 || math.Abs(four/one-1) > 0.01 {
		t.Errorf("a step of one replica takes %.4g s, with three beside it %.4g s", one, four)
	}
}
