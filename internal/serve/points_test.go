package serve_test

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// published is a model of the catalog as its files hold it.
func published(t testing.TB, id string) serve.Model {
	t.Helper()
	v, hf, err := config(models.Default(), id)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	q, err := quant.Stored(s, v, hf)
	if err != nil {
		t.Fatal(err)
	}
	return serve.Model{Shape: s, Weights: q}
}

func engine(t testing.TB, name string) *serve.Engine {
	t.Helper()
	kind, version, _ := strings.Cut(name, " ")
	e, err := serve.FindEngine(kind, version)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// TestSparseCaches holds models that choose what they look at against sums by hand.
func TestSparseCaches(t *testing.T) {
	for _, c := range []struct {
		name, id string
		plan     serve.Plan
		perToken int64
	}{
		// 60 layers of 4·(128+128)·2 B, and in 57 of them a key of 128·2 B for the indexer, which every rank keeps.
		{"keys of the indexer", "MiniMaxAI/MiniMax-M3", serve.Plan{}, 60*2048 + 57*256},
		{"keys of the indexer on every rank", "MiniMaxAI/MiniMax-M3", serve.Plan{Tensor: 8}, 60*512 + 57*256},
		// 21 layers with an entry of 512·2 B and an index of 128 B with a scale for 4 tokens, 20 with an entry for 128.
		{"compressed", "deepseek-ai/DeepSeek-V4-Flash", serve.Plan{Tensor: 4}, (21*(1024+132) + 20*1024/32) / 4},
		// In fp8 the rotary part stays in 16 bits with scales beside: never fewer than 584 B.
		{"compressed in fp8", "deepseek-ai/DeepSeek-V4-Flash", serve.Plan{Tensor: 4, KV: "fp8"}, 21*(656+132)/4 + (20*656+127)/128},
		// 61 layers of 576·2 B with an index of 132 B.
		{"latent with an indexer", "deepseek-ai/DeepSeek-V3.2", serve.Plan{Tensor: 8}, 61 * (1152 + 132)},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := c.plan
			p.Engine, p.GPU, p.MaxModelLen = engine(t, "vllm 0.23.0"), card(270), 8192
			m, err := serve.Fit(published(t, c.id), p)
			if err != nil {
				t.Fatal(err)
			}
			if m.Cache.BytesPerToken != c.perToken {
				t.Errorf("%d bytes a token, want %d", m.Cache.BytesPerToken, c.perToken)
			}
		})
	}
}

// TestCompressedRequest counts all that a request of DeepSeek-V4 blocks: entries, the window of 128 in each layer, and
// what compressors hold back, both beside the tokens of a step.
func TestCompressedRequest(t *testing.T) {
	const n, batch = 65536, 8192
	m, err := serve.Fit(published(t, "deepseek-ai/DeepSeek-V4-Flash"), serve.Plan{
		Engine: engine(t, "vllm 0.23.0"), GPU: card(139.8), Tensor: 4, MaxModelLen: n, BatchedTokens: batch,
	})
	if err != nil {
		t.Fatal(err)
	}
	entries := int64(21*(n/4)*(1024+132) + 20*(n/128)*1024)
	windows := int64(43 * (128 - 1 + batch) * 1024)
	// Keys and gates in 32 bits: of 512 for each token where entries do not overlap, else twice that, and the indexer's.
	held := int64(20*(128-1+batch)*2*512*4 + 21*(8-1+batch)*2*2*(512+128)*4)
	want := entries + windows + held
	if got := m.Cache.PerRequest; got < want || float64(got) > 1.02*float64(want) {
		t.Errorf("%d bytes a request, want %d and less than one block for each layer more", got, want)
	}
}

func TestLlamaSparse(t *testing.T) {
	for _, c := range []struct {
		name, id string
		bytes    int64
	}{
		{"keys of the indexer", "MiniMaxAI/MiniMax-M3", 8192 * (60*2048 + 57*256)},
		// The window of 128 and a micro-batch of 512 make 768 cells in all 43 layers.
		{"compressed", "deepseek-ai/DeepSeek-V4-Flash", 43*768*1024 + 21*(2048+1)*(1024+256) + 20*(64+1)*1024},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := published(t, c.id)
			m.Weights, _ = quant.As(m.Shape, "Q4_K_M")
			gpu := card(270)
			gpu.Vendor = "nvidia"
			got, err := serve.Fit(m, serve.Plan{Engine: engine(t, "llama.cpp"), GPU: gpu, GPUs: 1, MaxModelLen: 8192})
			if err != nil {
				t.Fatal(err)
			}
			kv := got.Sum(serve.KVCache).Mid - got.Cache.State
			if kv != c.bytes {
				t.Errorf("%d bytes of cache, want %d", kv, c.bytes)
			}
			if got.Verdict == serve.Fits {
				t.Error("it fits for certain, though its buffers were never measured")
			}
		})
	}
}

// TestReplicas compares tensor with data parallel attention for a latent cache, which tensor parallel ranks all hold.
func TestReplicas(t *testing.T) {
	m := published(t, "deepseek-ai/DeepSeek-V3")
	fit := func(p serve.Plan) *serve.Memory {
		p.Engine, p.GPU, p.MaxModelLen = engine(t, "vllm 0.19.0"), card(139.8), 8192
		got, err := serve.Fit(m, p)
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	tensor, data := fit(serve.Plan{Tensor: 8}), fit(serve.Plan{Data: 8, Expert: 8})
	if tensor.Cache.BytesPerToken != data.Cache.BytesPerToken || tensor.Cache.BytesPerToken != 61*1152 {
		t.Errorf("%d and %d bytes a token, want %d on every rank", tensor.Cache.BytesPerToken, data.Cache.BytesPerToken, 61*1152)
	}
	// Routed experts by hand: 58 layers of 256 of 3 matrices 7168 × 2048, with scales for blocks of 128 × 128.
	const experts = 58 * 256 / 8 * 3 * (7168*2048 + 4*56*16)
	for _, got := range []*serve.Memory{tensor, data} {
		if own := expertBytes(got); math.Abs(float64(own-experts)) > 1e-4*experts {
			t.Errorf("%d bytes of experts on a rank, want %d", own, int64(experts))
		}
	}
	if one := float64(data.Cache.Tokens) / float64(data.Cache.Replicas); data.Cache.Replicas != 8 || one <= 0 {
		t.Errorf("%d replicas", data.Cache.Replicas)
	}
	each := float64(data.Cache.Pool) / float64(data.Cache.PerRequest)
	if got := data.Cache.Concurrency; got < 7.9*math.Floor(each) || got > 8*each {
		t.Errorf("%.1f requests at once in 8 replicas of %.1f", got, each)
	}
	if data.Cache.Concurrency < 3*tensor.Cache.Concurrency {
		t.Errorf("%.1f requests with replicas of attention, and %.1f with copies of the cache on every rank", data.Cache.Concurrency, tensor.Cache.Concurrency)
	}
	apart := fit(serve.Plan{Data: 8})
	if expertBytes(apart) != expertBytes(data) {
		t.Errorf("without expert parallelism the engine shares experts out as well, but a rank has %d bytes", expertBytes(apart))
	}
}

func expertBytes(m *serve.Memory) int64 {
	for i := range m.Terms {
		if m.Terms[i].Name == "experts" {
			return m.Terms[i].Bytes.Mid
		}
	}
	return 0
}

func TestWanted(t *testing.T) {
	e := engine(t, "vllm 0.19.0")
	m := modelOf(t, shapes["dense"], "bf16")
	p, err := serve.Plan{Engine: e, GPU: card(22), MaxModelLen: 1024, Wanted: 1000, Data: 2}.Complete(m)
	if err != nil || p.MaxSeqs != 500 {
		t.Errorf("%d sequences, %v; want 500 on each of two replicas that are to hold 1,000", p.MaxSeqs, err)
	}
	p, err = serve.Plan{Engine: e, GPU: card(22), MaxModelLen: 1024, Wanted: 10}.Complete(m)
	if err != nil || p.MaxSeqs != 256 {
		t.Errorf("%d sequences, %v; want the default of 256", p.MaxSeqs, err)
	}
}

func TestBoundedParts(t *testing.T) {
	bounded, unbounded := modelOf(t, shapes["dense"], "bf16"), modelOf(t, shapes["dense"], "bf16")
	bounded.Shape.Gaps = []arch.Gap{{What: "gates", Why: "the file is silent", High: 20 << 30}}
	unbounded.Shape.Gaps = []arch.Gap{{What: "audio tower", Why: "no formula is known"}}
	for _, name := range []string{"vllm 0.19.0", "sglang", "trt-llm", "llama.cpp"} {
		p := serve.Plan{Engine: engine(t, name), GPU: card(48), MaxModelLen: 4096, GPUs: 1}
		for _, m := range []serve.Model{bounded, unbounded} {
			got, err := serve.Fit(m, p)
			if err != nil {
				t.Fatal(err)
			}
			if got.Verdict != serve.Tight || got.Breaks == nil {
				t.Errorf("%s: %s (%s), want tight with %s", name, got.Verdict, got.Why, m.Shape.Gaps[0].What)
			}
		}
	}
}

func TestDevices(t *testing.T) {
	gpu := func(vendor, compute string) *hardware.Accelerator {
		g := card(79.19)
		g.Vendor, g.Compute, g.Name, g.MaxPerNode = vendor, compute, vendor+" "+compute, 8
		return g
	}
	for _, c := range []struct {
		name, engine, format string
		gpu                  *hardware.Accelerator
		want                 error
	}{
		{"TPU", "vllm", "bf16", gpu("google", ""), serve.ErrNoProfile},
		{"Trainium", "sglang", "bf16", gpu("aws", ""), serve.ErrNoProfile},
		{"Gaudi", "vllm", "bf16", gpu("intel", "hpu"), serve.ErrNoProfile},
		{"Gaudi with llama.cpp", "llama.cpp", "bf16", gpu("intel", "hpu"), serve.ErrNoProfile},
		{"Arc", "vllm", "bf16", gpu("intel", ""), nil},
		{"Arc with llama.cpp", "llama.cpp", "bf16", gpu("intel", ""), nil},
		{"a Mac with vLLM", "vllm", "bf16", gpu("apple", "metal"), serve.ErrNoProfile},
		{"a card of one's own", "vllm", "bf16", gpu("acme", ""), nil},
		{"a card of one's own and an engine that nobody measured", "tgi", "bf16", gpu("acme", ""), nil},
		{"a Mac with transformers", "transformers", "bf16", gpu("apple", "metal"), nil},
		{"TensorRT-LLM elsewhere", "trt-llm", "bf16", gpu("amd", "gfx942"), serve.ErrIllegal},
		{"AMD", "vllm", "bf16", gpu("amd", "gfx942"), nil},
		{"Pascal", "vllm", "bf16", gpu("nvidia", "6.1"), serve.ErrIllegal},
		{"AWQ on Volta", "vllm", "awq", gpu("nvidia", "7.0"), serve.ErrIllegal},
		{"GPTQ on Volta", "vllm 0.9.2", "gptq", gpu("nvidia", "7.0"), nil},
		{"fp8 on Ampere is weight only", "vllm", "fp8", gpu("nvidia", "8.0"), nil},
		{"fp8 on Turing, once", "vllm 0.11.2", "fp8", gpu("nvidia", "7.5"), serve.ErrIllegal},
		{"fp8 on Ampere with TensorRT-LLM", "trt-llm", "fp8", gpu("nvidia", "8.0"), serve.ErrIllegal},
		{"nvfp4 on Hopper with TensorRT-LLM", "trt-llm", "nvfp4", gpu("nvidia", "9.0"), serve.ErrIllegal},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := serve.Fit(modelOf(t, shapes["dense"], c.format), serve.Plan{Engine: engine(t, c.engine), GPU: c.gpu, GPUs: 1, MaxModelLen: 2048})
			if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
				t.Errorf("%v, want %v", err, c.want)
			}
			if v := c.gpu.Vendor; err == nil && (v == "intel" || v == "apple") && c.engine != "llama.cpp" && got.Verdict != serve.Tight {
				t.Errorf("%s, where nobody measured it", got.Verdict)
			}
		})
	}
}

// TestWidened holds a card of another maker to ranges at least as wide, and unified memory to the same high end.
func TestWidened(t *testing.T) {
	fit := func(change func(*hardware.Accelerator)) *serve.Memory {
		g := card(79.19)
		change(g)
		m, err := serve.Fit(modelOf(t, shapes["dense"], "bf16"), serve.Plan{Engine: engine(t, "vllm 0.19.0"), GPU: g, MaxModelLen: 8192})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	own := fit(func(*hardware.Accelerator) {})
	amd := fit(func(g *hardware.Accelerator) { g.Vendor = "amd" })
	unified := fit(func(g *hardware.Accelerator) { g.Unified = true })
	for _, part := range []serve.Part{serve.NonTorch, serve.Graphs, serve.Reserved} {
		if a, b := own.Sum(part), amd.Sum(part); b.High < 2*a.High || b.Low > a.Low {
			t.Errorf("%s: %v, and %v on a card of another maker", part, a, b)
		}
	}
	if a, b := own.Sum(serve.NonTorch), unified.Sum(serve.NonTorch); b.Low >= 0 || b.High != a.High || b.Mid != a.Mid {
		t.Errorf("libraries: %v, and %v in a memory that the system has too", a, b)
	}
	if own.Verdict == serve.Fits && unified.Verdict != serve.Fits {
		t.Error("only the low end may change")
	}
}

// TestTooLong: what an engine refuses unless it is told otherwise never fits, what it only warns of does, and positions
// that were learned end where they end.
func TestTooLong(t *testing.T) {
	m := modelOf(t, shapes["windows"], "bf16")
	for name, want := range map[string]serve.Verdict{
		"vllm": serve.Tight, "sglang": serve.Tight, "trt-llm": serve.Fits, "transformers": serve.Fits, "llama.cpp": serve.Fits, "lmdeploy": serve.Fits,
	} {
		got, err := serve.Fit(m, serve.Plan{Engine: engine(t, name), GPU: card(79.19), GPUs: 1, MaxModelLen: 8193})
		if err != nil || got.Verdict != want {
			t.Errorf("%s: %v for 8,193 tokens of 8,192", name, err)
			continue
		}
		if want == serve.Tight && (!strings.Contains(got.Why, "rope scaling") || got.Breaks == nil) {
			t.Errorf("%s: %s", name, got.Why)
		}
	}
	learned := *m.Shape
	learned.Outer = append(slices.Clone(learned.Outer), arch.Tensor{Name: "wpe.weight", Component: arch.Embedding, Rows: learned.Hidden, Cols: learned.Hidden, Copies: arch.Dim{N: 1}})
	m.Shape = &learned
	for _, name := range []string{"vllm", "sglang", "trt-llm"} {
		if _, err := serve.Fit(m, serve.Plan{Engine: engine(t, name), GPU: card(79.19), GPUs: 1, MaxModelLen: 8193}); !errors.Is(err, serve.ErrIllegal) {
			t.Errorf("%s: %v for a position that was not learned", name, err)
		}
	}
}

// TestEarly computes the second engine of vLLM before it was the default: logits of every token, in 16 bits, and the
// context inside the budget.
func TestEarly(t *testing.T) {
	fit := func(version string) *serve.Memory {
		m, err := serve.Fit(modelOf(t, shapes["dense"], "fp8"), serve.Plan{
			Engine: engine(t, "vllm "+version), GPU: card(79.19), MaxModelLen: 2048, BatchedTokens: 8192, MaxSeqs: 256,
		})
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	early, late := fit("0.7.0-dev V1"), fit("0.8.0")
	const logits = 8192 * 128256 * 2
	if got := early.Sum(serve.Activation).Mid; got < logits || got > logits*12/10 {
		t.Errorf("%d bytes of activations, want a little more than %d of logits", got, int64(logits))
	}
	spared := late.Cache.Pool + late.Sum(serve.Activation).Mid - early.Cache.Pool - early.Sum(serve.Activation).Mid
	if spared < 3<<27 || spared > 5<<27 {
		t.Errorf("%d bytes of the pool go to the context, want about half a GiB", spared)
	}
}

// TestSingle is a card without bf16: a family that overflows in fp16 is computed, and kept, in 32 bits.
func TestSingle(t *testing.T) {
	turing := card(60)
	turing.Compute, turing.Supports = "7.5", map[string]bool{"bf16": false}
	m := modelOf(t, shapes["windows"], "bf16")
	fit := func(g *hardware.Accelerator, version string) *serve.Memory {
		got, err := serve.Fit(m, serve.Plan{Engine: engine(t, "vllm "+version), GPU: g, MaxModelLen: 4096})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	ampere := fit(card(60), "0.19.0")
	for version, times := range map[string]int64{"0.19.0": 2, "0.8.5": 1} {
		got := fit(turing, version)
		if w := got.Sum(serve.Weights).Mid; w < times*ampere.Sum(serve.Weights).Mid*99/100 || w > times*ampere.Sum(serve.Weights).Mid*101/100 {
			t.Errorf("%s: weights of %d, want %d times %d", version, w, times, ampere.Sum(serve.Weights).Mid)
		}
		if got.Cache.ModelPerToken != times*ampere.Cache.ModelPerToken {
			t.Errorf("%s: %d bytes a token, want %d times %d", version, got.Cache.ModelPerToken, times, ampere.Cache.ModelPerToken)
		}
	}
}

func TestExpertRanks(t *testing.T) {
	m := serve.Prepare(published(t, "deepseek-ai/DeepSeek-V3"))
	g := card(139.8)
	g.MaxPerNode = 8
	p, err := m.Arrange(serve.Plan{Engine: engine(t, "vllm"), GPU: g, GPUs: 16, Expert: 16, MaxModelLen: 8192})
	if err != nil || p.Tensor*p.Data != 16 || p.Pipeline != 1 {
		t.Errorf("tensor %d, data %d, pipeline %d, %v; want 16 ranks that share the experts", p.Tensor, p.Data, p.Pipeline, err)
	}
	_, err = m.Fit(serve.Plan{Engine: engine(t, "vllm"), GPU: g, Tensor: 8, Expert: 2, MaxModelLen: 8192})
	if !errors.Is(err, serve.ErrIllegal) || !strings.Contains(err.Error(), "all") {
		t.Errorf("%v, want a refusal: vLLM shares experts out among all ranks", err)
	}
	if _, err := m.Fit(serve.Plan{Engine: engine(t, "sglang"), GPU: g, Tensor: 8, Expert: 2, MaxModelLen: 8192}); err != nil {
		t.Errorf("SGLang divides each expert by the ranks that do not share: %v", err)
	}
}

func TestShare(t *testing.T) {
	g := card(7.55)
	g.LinkGBs, g.MaxPerNode = 0, 8
	m := serve.Prepare(modelOf(t, shapes["tied"], "bf16"))
	e := engine(t, "vllm")
	p, got, err := m.MinGPUs(serve.Plan{Engine: e, GPU: g, MaxModelLen: 4096}, serve.Need{})
	if err != nil || got.Verdict != serve.Fits {
		t.Fatalf("%v: 1.5 B parameters on 8 GB", err)
	}
	if full, _ := p.Complete(m.Model()); full.Utilization < 0.92 && !strings.Contains(full.Assumed[0].Name+full.Assumed[1].Name+full.Assumed[len(full.Assumed)-1].Name, "util") {
		named := false
		for _, s := range full.Assumed {
			named = named || s.Name == "gpu_memory_utilization"
		}
		if !named {
			t.Error("the share was lowered and nobody said so")
		}
	}
	asked := serve.Plan{Engine: e, GPU: g, GPUs: 2, Tensor: 2, MaxModelLen: 4096, Utilization: 0.99}
	if list := m.Mends(asked, serve.Need{}); len(list) == 0 || !strings.HasPrefix(list[0].Flag, "--gpu-memory-utilization") {
		t.Errorf("%v, want a smaller share first", list)
	}
}

// TestMistral keeps all tokens of models whose files have no window, though their class has one by default.
func TestMistral(t *testing.T) {
	for id, full := range map[string]bool{
		"mistralai/Mistral-7B-Instruct-v0.1": false, "mistralai/Mistral-7B-Instruct-v0.3": true, "mistralai/Mistral-Large-Instruct-2411": true,
		"mistralai/Mistral-Nemo-Instruct-2407": true, "mistralai/Mistral-Small-24B-Instruct-2501": true,
	} {
		m := published(t, id)
		for i := range m.Shape.Blocks {
			if got := m.Shape.Blocks[i].Mixer.Kind == arch.Full; got != full {
				t.Errorf("%s: layer %d keeps every token: %v, want %v", id, i, got, full)
				break
			}
		}
	}
}

// TestTensorRT holds four capacities that the tests of ai-dynamo/aiconfigurator measured on an H100 within a tenth:
// requests of 2,048 tokens in and out with 0.8 of what is free.
func TestTensorRT(t *testing.T) {
	for _, c := range []struct {
		id, format string
		ranks      int
		want       float64
	}{
		{"meta-llama/Llama-3.1-8B-Instruct", "bf16", 1, 78},
		{"meta-llama/Llama-3.1-8B-Instruct", "bf16", 4, 363},
		{"Qwen/Qwen3-32B", "fp8-block", 1, 27},
		{"Qwen/Qwen3-32B", "fp8-block", 4, 169},
	} {
		m := published(t, c.id)
		var err error
		if m.Weights, err = quant.As(m.Shape, c.format); err != nil {
			t.Fatal(err)
		}
		got, err := serve.Fit(m, serve.Plan{Engine: engine(t, "trt-llm"), GPU: card(79.19), Tensor: c.ranks, Utilization: 0.8, MaxModelLen: 4096})
		if err != nil {
			t.Fatal(err)
		}
		low, high := got.Sum(serve.KVCache).Low/got.Cache.PerRequest, got.Sum(serve.KVCache).High/got.Cache.PerRequest
		t.Logf("%s on %d: %.1f requests (%d to %d), measured %.0f", c.id, c.ranks, got.Cache.Concurrency, low, high, c.want)
		if math.Abs(got.Cache.Concurrency/c.want-1) > 0.1 || float64(low) > c.want || float64(high) < c.want {
			t.Errorf("%s on %d: %.1f requests (%d to %d), measured %.0f", c.id, c.ranks, got.Cache.Concurrency, low, high, c.want)
		}
	}
}
