package fleet_test

import (
	"math"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/fleet"
	"github.com/llmcheck/llmcheck/internal/hardware"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

var shapes = map[string]string{
	"8b": `{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,
		"intermediate_size":14336,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false}`,
	"70b": `{"architectures":["LlamaForCausalLM"],"hidden_size":8192,"num_hidden_layers":80,"num_attention_heads":64,"num_key_value_heads":8,
		"intermediate_size":28672,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false}`,
	"experts": `{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":2048,"num_hidden_layers":48,"num_attention_heads":32,"num_key_value_heads":4,"head_dim":128,
		"intermediate_size":6144,"moe_intermediate_size":768,"num_experts":128,"num_experts_per_tok":8,"vocab_size":151936,"max_position_embeddings":40960,
		"decoder_sparse_step":1,"mlp_only_layers":[],"norm_topk_prob":true,"tie_word_embeddings":false}`,
}

func prepared(t testing.TB, name string) *serve.Prepared {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(shapes[name]), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	q, err := quant.As(s, "bf16")
	if err != nil {
		t.Fatal(err)
	}
	return serve.Prepare(serve.Model{Shape: s, Weights: q})
}

// world is a model with everything that may serve it.
type world struct {
	model   *serve.Prepared
	engines *serve.Profiles
	cards   []*hardware.Accelerator
}

func newWorld(t testing.TB, model string, ids ...string) *world {
	t.Helper()
	engines, err := serve.Engines()
	if err != nil {
		t.Fatal(err)
	}
	w := &world{model: prepared(t, model), engines: engines}
	if len(ids) == 0 {
		if w.cards, err = gpus.Default().All(); err != nil {
			t.Fatal(err)
		}
	}
	for _, id := range ids {
		c, err := gpus.Default().Get(id)
		if err != nil {
			t.Fatal(err)
		}
		w.cards = append(w.cards, c)
	}
	if len(w.cards) == 0 {
		t.Fatal("no cards")
	}
	return w
}

// candidates are all cards with the engine that is usual on them, and all number formats.
func (w *world) candidates(t testing.TB) []fleet.Candidate {
	t.Helper()
	var list []fleet.Candidate
	for _, c := range w.cards {
		kind := serve.VLLM
		if c.Vendor == "apple" {
			kind = serve.LlamaCPP
		}
		engine, err := w.engines.Find(string(kind), "")
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, fleet.Candidate{
			Plan: serve.Plan{Engine: engine, GPU: c, MaxModelLen: 8192}, Formats: fleet.Formats(w.model, kind),
		})
	}
	return list
}

func (w *world) question(t testing.TB) fleet.Question {
	t.Helper()
	return fleet.Question{
		Candidates: w.candidates(t),
		Load:       speed.Load{Input: queue.Length{Mean: 1000}, Output: queue.Length{Mean: 200}, Rate: 100, Burst: 1},
		Targets:    fleet.Targets{TTFT: 2, TPOT: 0.05},
		Estimate:   estimate,
		Price:      w.prices(),
	}
}

// prices are what cards cost by their bandwidth and memory; some have none.
func (w *world) prices() func(string, int) (speed.Range, bool) {
	each := make(map[string]float64)
	for _, c := range w.cards {
		if c.BandwidthGBs > 0 && len(c.ID)%7 > 0 {
			each[c.ID] = c.BandwidthGBs/2000 + c.MemoryGB/100
		}
	}
	return func(id string, n int) (speed.Range, bool) {
		p, ok := each[id]
		p *= float64(n)
		return speed.Range{Low: p / 2, Mid: p, High: 2 * p}, ok
	}
}

// estimate is a roofline with nothing but bandwidth and one rate of products, so that every law has to come from the
// search and not from it.
func estimate(m *serve.Prepared, p serve.Plan, memory *serve.Memory) (fleet.Replica, error) {
	r := &roofline{
		weights: float64(m.Model().Bytes()), ranks: float64(p.Tensor * p.Data), stages: float64(p.Pipeline), gpus: float64(p.GPUs),
		bandwidth: 0.6e9 * p.GPU.BandwidthGBs, flops: 0.4e12 * max(p.GPU.DenseTFLOPS["bf16"], p.GPU.DenseTFLOPS["fp16"], 1),
		slots: max(1, min(256, memory.Cache.Concurrency)), params: float64(m.Model().Shape.Params().Total),
	}
	return r.figures, nil
}

type roofline struct {
	weights, ranks, stages, gpus, bandwidth, flops, slots, params float64
}

func (r *roofline) step(batch float64) float64 {
	return r.weights/(r.ranks*r.bandwidth) + 0.002*math.Log2(r.ranks+1) + 0.001*r.stages + 0.00005*batch
}

// closed is what each of so many requests sees, and how many are answered a second.
func (r *roofline) closed(n, in, out float64) (ttft, tpot, rate float64) {
	batch := min(n, r.slots)
	prompt := 2 * r.params * in / (r.gpus * r.flops)
	tpot = r.step(batch) + prompt*batch/out
	ttft = prompt + r.step(batch)
	cycle := ttft + (out-1)*tpot
	return ttft + (n-batch)/r.slots*cycle, tpot, batch / cycle
}

func (r *roofline) figures(l speed.Load) *speed.Figures {
	in, out := l.Input.Mean, l.Output.Mean
	_, _, most := r.closed(r.slots, in, out)
	f := &speed.Figures{MaxRequests: around(most), MaxOutput: around(most * out), Concurrency: l.Concurrency}
	if l.Rate > 0 {
		if l.Rate >= most {
			f.Saturated, f.Why = true, "requests arrive faster than they are answered"
			return f
		}
		low, high := 0.0, r.slots
		for range 60 {
			f.Concurrency = (low + high) / 2
			if _, _, rate := r.closed(f.Concurrency, in, out); rate < l.Rate {
				low = f.Concurrency
			} else {
				high = f.Concurrency
			}
		}
	}
	ttft, tpot, rate := r.closed(max(1, f.Concurrency), in, out)
	f.TTFT, f.TPOT, f.Requests, f.Output = new(around(ttft)), new(around(tpot)), new(around(rate)), new(around(rate*out))
	return f
}

func around(x float64) speed.Range { return speed.Range{Low: 0.8 * x, Mid: x, High: 1.3 * x} }

func search(t testing.TB, q fleet.Question) *fleet.Result {
	t.Helper()
	r, err := fleet.Search(q)
	if err != nil {
		t.Fatal(err)
	}
	return r
}
