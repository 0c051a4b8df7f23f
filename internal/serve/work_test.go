package serve_test

import (
	"math"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// worked is a model of the catalog under a plan.
func worked(t testing.TB, id, format string, p serve.Plan) (*serve.Work, *arch.Shape, *quant.Scheme) {
	t.Helper()
	value, hf, err := config(models.Default(), id)
	if err != nil {
		t.Fatal(err)
	}
	shape, err := arch.Of(value)
	if err != nil {
		t.Fatal(err)
	}
	scheme, err := quant.Stored(shape, value, hf)
	if format != "" {
		scheme, err = quant.As(shape, format)
	}
	if err != nil {
		t.Fatal(err)
	}
	if p.GPU, err = catalog.Default().Get("h200-sxm"); err != nil {
		t.Fatal(err)
	}
	w, err := serve.Prepare(serve.Model{Shape: shape, Weights: scheme}).Work(p)
	if err != nil {
		t.Fatal(err)
	}
	return w, shape, scheme
}

// On one device a token is multiplied with the active parameters, and what is read is what the blocks and the head hold.
func TestWorkIsThatOfTheModel(t *testing.T) {
	for _, id := range []string{"Qwen/Qwen3-8B", "Qwen/Qwen3-30B-A3B", "deepseek-ai/DeepSeek-V3", "openai/gpt-oss-120b", "google/gemma-3-27b-it"} {
		for _, kind := range []string{"vllm", "llama.cpp"} {
			w, shape, scheme := worked(t, id, "bf16", serve.Plan{Engine: engine(t, kind), GPUs: 1, MaxModelLen: 4096})
			var macs, bytes, held float64
			for i := range w.Products {
				p := &w.Products[i]
				macs, bytes = macs+p.MACs, bytes+p.Bytes
				if p.Role == serve.Routed && (p.Experts <= p.TopK || p.Held != p.Experts || p.Layers <= 0 || p.Layers > w.Layers) {
					t.Errorf("%s: experts %+v", id, p)
				}
			}
			for name, tensor := range shape.Named() {
				if tensor.Visited.N > 0 && tensor.Component != arch.MTPPart && tensor.Component != arch.Tower {
					held += float64(scheme.Bytes(name, tensor))
				}
			}
			if active := float64(shape.Params().Active); math.Abs(macs/active-1) > 0.01 {
				t.Errorf("%s, %s: %.4g multiplications of %.4g active parameters", id, kind, macs, active)
			}
			if math.Abs(bytes/held-1) > 0.01 {
				t.Errorf("%s, %s: %.4g bytes of %.4g", id, kind, bytes, held)
			}
		}
	}
}

// Ranks together do the whole, and more of them never leave more to one.
func TestWorkOfRanks(t *testing.T) {
	for _, id := range []string{"Qwen/Qwen3-32B", "Qwen/Qwen3-235B-A22B", "deepseek-ai/DeepSeek-V3"} {
		sum := func(p serve.Plan) (bytes, macs float64) {
			p.Engine, p.MaxModelLen = engine(t, "vllm"), 4096
			w, _, _ := worked(t, id, "fp8", p)
			for i := range w.Products {
				bytes, macs = bytes+w.Products[i].Bytes, macs+w.Products[i].MACs
			}
			return bytes, macs
		}
		bytes, macs := sum(serve.Plan{GPUs: 1})
		for _, p := range []serve.Plan{{Tensor: 2}, {Tensor: 4}, {Tensor: 8}, {Tensor: 8, Expert: 8}} {
			if p.GPUs = p.Tensor; p.Expert > 1 && id == "Qwen/Qwen3-32B" {
				continue
			}
			b, m := sum(p)
			n := float64(p.Tensor)
			if b > bytes || b < bytes/n*0.99 || m < macs/n*0.99 || m > macs {
				t.Errorf("%s on %d ranks, expert %d: %.4g bytes and %.4g multiplications of %.4g and %.4g", id, p.Tensor, p.Expert, b, m, bytes, macs)
			}
		}
	}
}

// The compressed vector of MLA is on every rank; replicas of attention share the experts.
func TestWorkOfAttention(t *testing.T) {
	entry := func(p serve.Plan) (float64, *serve.Work) {
		p.Engine, p.MaxModelLen = engine(t, "vllm"), 4096
		w, _, _ := worked(t, "deepseek-ai/DeepSeek-V3", "", p)
		return w.Attention[0].Entry, w
	}
	one, _ := entry(serve.Plan{GPUs: 1})
	eight, _ := entry(serve.Plan{GPUs: 8, Tensor: 8})
	if one != eight || one < 576*2 {
		t.Errorf("an entry has %.0f bytes on one rank, %.0f on each of eight", one, eight)
	}
	_, w := entry(serve.Plan{GPUs: 8, Tensor: 1, Data: 8, Expert: 8})
	if w.Data != 8 || w.Replicas != 1 {
		t.Errorf("attention of 8 replicas that share experts: data %d, replicas %d", w.Data, w.Replicas)
	}
	dense, _, _ := worked(t, "Qwen/Qwen3-8B", "", serve.Plan{Engine: engine(t, "vllm"), MaxModelLen: 4096, GPUs: 2, Tensor: 1, Data: 2})
	if dense.Data != 1 || dense.Replicas != 2 {
		t.Errorf("two dense replicas: data %d, replicas %d", dense.Data, dense.Replicas)
	}
}

func BenchmarkWork(b *testing.B) {
	value, hf, err := config(models.Default(), "deepseek-ai/DeepSeek-V3")
	if err != nil {
		b.Fatal(err)
	}
	shape, err := arch.Of(value)
	if err != nil {
		b.Fatal(err)
	}
	scheme, err := quant.Stored(shape, value, hf)
	if err != nil {
		b.Fatal(err)
	}
	gpu, err := catalog.Default().Get("h200-sxm")
	if err != nil {
		b.Fatal(err)
	}
	e, err := serve.FindEngine("vllm", "")
	if err != nil {
		b.Fatal(err)
	}
	m, p := serve.Prepare(serve.Model{Shape: shape, Weights: scheme}), serve.Plan{Engine: e, GPU: gpu, GPUs: 8, Tensor: 8, MaxModelLen: 8192}
	for b.Loop() {
		if _, err := m.Work(p); err != nil {
			b.Fatal(err)
		}
	}
}
