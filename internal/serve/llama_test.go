package serve

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

func shapeOf(t testing.TB, text string) *arch.Shape {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// llamaModels are shapes of every kind that the planner knows.
func llamaModels(t testing.TB) map[string]Model {
	t.Helper()
	shapes := llamaShapes(t)
	for name, text := range map[string]string{
		"llama-3.1-70b": `{"architectures":["LlamaForCausalLM"],"hidden_size":8192,"num_attention_heads":64,"num_key_value_heads":8,
			"intermediate_size":28672,"num_hidden_layers":80,"vocab_size":128256,"tie_word_embeddings":false,
			"torch_dtype":"bfloat16","max_position_embeddings":131072}`,
		"qwen3-30b-a3b": `{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":2048,"num_attention_heads":32,"num_key_value_heads":4,
			"head_dim":128,"intermediate_size":6144,"moe_intermediate_size":768,"num_hidden_layers":48,"vocab_size":151936,
			"num_experts":128,"num_experts_per_tok":8,"tie_word_embeddings":false,"max_position_embeddings":40960}`,
		"gpt-oss-20b": `{"architectures":["GptOssForCausalLM"],"hidden_size":2880,"num_attention_heads":64,"num_key_value_heads":8,
			"head_dim":64,"intermediate_size":2880,"num_hidden_layers":24,"vocab_size":201088,"num_local_experts":32,
			"num_experts_per_tok":4,"sliding_window":128,"attention_bias":true,"tie_word_embeddings":false,"max_position_embeddings":131072}`,
		"phi-3-mini": `{"architectures":["Phi3ForCausalLM"],"hidden_size":3072,"num_attention_heads":32,"num_key_value_heads":32,
			"intermediate_size":8192,"num_hidden_layers":32,"vocab_size":32064,"max_position_embeddings":4096,"tie_word_embeddings":false}`,
		"command-r": `{"architectures":["CohereForCausalLM"],"hidden_size":8192,"num_attention_heads":64,"num_key_value_heads":64,
			"intermediate_size":22528,"num_hidden_layers":40,"vocab_size":256000,"max_position_embeddings":131072}`,
		"qwen3-next": `{"architectures":["Qwen3NextForCausalLM"],"hidden_size":2048,"num_attention_heads":16,"num_key_value_heads":2,
			"head_dim":256,"intermediate_size":5120,"moe_intermediate_size":512,"shared_expert_intermediate_size":512,
			"num_hidden_layers":48,"vocab_size":151936,"num_experts":512,"num_experts_per_tok":10,"full_attention_interval":4,
			"linear_conv_kernel_dim":4,"linear_key_head_dim":128,"linear_num_key_heads":16,"linear_value_head_dim":128,
			"linear_num_value_heads":32,"mtp_num_hidden_layers":0,"tie_word_embeddings":false,"max_position_embeddings":262144}`,
		"mamba": `{"architectures":["MambaForCausalLM"],"hidden_size":768,"intermediate_size":1536,"state_size":16,"conv_kernel":4,
			"time_step_rank":48,"num_hidden_layers":24,"vocab_size":50280,"tie_word_embeddings":true}`,
	} {
		shapes[name] = shapeOf(t, text)
	}
	models := map[string]Model{}
	for name, s := range shapes {
		models[name] = Model{Shape: s, Weights: quant.Unquantized(s)}
	}
	return models
}

func card(gib float64) *hardware.Accelerator {
	return &hardware.Accelerator{Name: "a card", Vendor: "nvidia", VisibleMiB: gib * 1024, UsableMiB: gib * 1024}
}

func llamaPlan(context int64) Plan {
	return Plan{Engine: newestLlama(), GPU: card(80), GPUs: 1, MaxModelLen: context}
}

func account(t *testing.T, m Model, p Plan) *Memory {
	t.Helper()
	mem, err := fitLlama(m, p)
	if err != nil {
		t.Fatal(err)
	}
	return mem
}

// TestLlamaFewLayersStandForAll: planning a few layers of each kind gives the buffers of the whole model.
func TestLlamaFewLayersStandForAll(t *testing.T) {
	for name, m := range llamaModels(t) {
		for _, context := range []int64{512, 4096, 32768} {
			for _, noFlash := range []bool{false, true} {
				for _, layers := range []int{-1, 5, 0, 1000} {
					p := completeLlama(m, llamaPlan(context))
					p.Llama.NoFlash, p.Llama.GPULayers = noFlash, layers
					if layers < 0 {
						p.GPUs = 3
					}
					if layers == 1000 { // the host alone, all outputs
						p.GPUs, p.GPU, p.Llama.AllOutputs = 0, nil, true
					}
					r := newLlamaRun(m, p, 32)
					c := cellsOf(r.window, context, 1, &p.Llama)
					few := r.buffers(c)
					r.kinds = r.kinds[:0]
					for i := range r.layers {
						r.kinds = append(r.kinds, i)
					}
					all := r.buffers(c)
					for b := range all {
						if few[b] != all[b] {
							t.Errorf("%s, %d tokens, no flash %v, %d layers: backend %d takes %d with few layers, %d with all",
								name, context, noFlash, layers, b, few[b], all[b])
						}
					}
				}
			}
		}
	}
}

// TestLlamaLaws: what must hold for every model.
func TestLlamaLaws(t *testing.T) {
	device := func(m *Memory) int64 { return m.Sum(Weights).Mid + m.Sum(KVCache).Mid + m.Sum(Activation).Mid }
	for name, m := range llamaModels(t) {
		t.Run(name, func(t *testing.T) {
			before := int64(0)
			for _, context := range []int64{256, 1000, 4096, 8192, 40000} {
				mem := account(t, m, llamaPlan(context))
				if device(mem) < before {
					t.Errorf("%d tokens need %d, fewer needed %d", context, device(mem), before)
				}
				before = device(mem)
				quantized := llamaPlan(context)
				quantized.KV = "q8_0"
				if q := account(t, m, quantized); q.Sum(KVCache).Mid > mem.Sum(KVCache).Mid {
					t.Errorf("%d tokens: q8_0 takes %d, f16 %d", context, q.Sum(KVCache).Mid, mem.Sum(KVCache).Mid)
				}
				plain := llamaPlan(context)
				plain.Llama.NoFlash = true
				// Over a short context, the scores that flash attention avoids are small, and gaps may outweigh them.
				if slow := account(t, m, plain); context >= 4096 && slow.Sum(Activation).Mid < mem.Sum(Activation).Mid {
					t.Errorf("%d tokens: %d without flash attention, %d with", context, slow.Sum(Activation).Mid, mem.Sum(Activation).Mid)
				}
			}
			lawOfLayers(t, m)
			lawOfPool(t, m)
		})
	}
}

func lawOfLayers(t *testing.T, m Model) {
	t.Helper()
	before, atHome := int64(0), int64(1)<<62
	for n := 1; n <= len(m.Shape.Blocks)+1; n++ {
		p := llamaPlan(4096)
		p.Llama.GPULayers = n
		mem := account(t, m, p)
		held, home := mem.Sum(Weights).Mid+mem.Sum(KVCache).Mid, int64(0)
		for _, x := range mem.Host {
			if x.Part == Weights || x.Part == KVCache {
				home += x.Bytes.Mid
			}
		}
		if held < before || home > atHome {
			t.Errorf("%d layers: %d on the GPU and %d on the host, one fewer: %d and %d", n, held, home, before, atHome)
		}
		before, atHome = held, home
	}
}

func lawOfPool(t *testing.T, m Model) {
	t.Helper()
	p := llamaPlan(4096)
	c := account(t, m, p).Cache
	if c.Concurrency < 1 {
		return
	}
	p.MaxSeqs = int64(c.Concurrency)
	if mem := account(t, m, p); mem.Verdict != Fits {
		t.Errorf("%d slots are said to fit, and the account of them says %s: %s", p.MaxSeqs, mem.Verdict, mem.Why)
	}
	p = llamaPlan(c.MaxContext)
	if mem := account(t, m, p); mem.Verdict != Fits {
		t.Errorf("%d tokens are said to fit, and the account of them says %s: %s", c.MaxContext, mem.Verdict, mem.Why)
	}
}

func TestLlamaRefuses(t *testing.T) {
	m := llamaModels(t)["llama-3.2-1b"]
	for name, change := range map[string]func(p *Plan){
		"fp8 cache":                  func(p *Plan) { p.KV = "fp8" },
		"quantized cache, no flash":  func(p *Plan) { p.KV, p.Llama.NoFlash = "q4_0", true },
		"rows on some devices":       func(p *Plan) { p.Tensor, p.GPUs = 2, 3 },
		"rows and layers":            func(p *Plan) { p.Tensor, p.Pipeline, p.GPUs = 2, 2, 4 },
		"expert parallel":            func(p *Plan) { p.Expert = 2 },
		"more slots than sequences":  func(p *Plan) { p.MaxSeqs = 257 },
		"a negative context":         func(p *Plan) { p.MaxModelLen = -1 },
		"an endless context":         func(p *Plan) { p.MaxModelLen = 1 << 62 },
		"a batch beyond all bounds":  func(p *Plan) { p.Llama.MicroBatch = 1 << 40 },
		"a negative number of cards": func(p *Plan) { p.GPUs = -1 },
	} {
		t.Run(name, func(t *testing.T) {
			p := llamaPlan(4096)
			change(&p)
			if _, err := fitLlama(m, p); !errors.Is(err, ErrIllegal) {
				t.Errorf("%v, want an error that wraps ErrIllegal", err)
			}
		})
	}
}

// TestLlamaExpertsOnHost: the experts move to the host, and what a device fetches of them for a prompt is counted.
func TestLlamaExpertsOnHost(t *testing.T) {
	m := llamaModels(t)["qwen3-30b-a3b"]
	p := llamaPlan(4096)
	all := account(t, m, p)
	p.Llama.CPUExperts = 48
	few := account(t, m, p)
	one := int64(128 * 768 * 2048 * 2)
	if moved := all.Sum(Weights).Mid - few.Sum(Weights).Mid; moved != 48*3*one {
		t.Errorf("%d bytes moved, want %d", moved, 48*3*one)
	}
	if grown := few.Sum(Activation).Mid - all.Sum(Activation).Mid; grown < one/2 || grown > 2*one {
		t.Errorf("the buffer grew by %d, want about the matrix of the experts of one layer, %d", grown, one)
	}
}

// TestLlamaUnified: where the host is the same memory, what lies there counts.
func TestLlamaUnified(t *testing.T) {
	m := llamaModels(t)["llama-3.2-1b"]
	p := llamaPlan(4096)
	own := account(t, m, p)
	p.GPU = &hardware.Accelerator{Vendor: "nvidia", VisibleMiB: 120000, Unified: true}
	shared := account(t, m, p)
	if shared.Sum(Reserved).Mid <= own.Sum(Reserved).Mid+500<<20 {
		t.Errorf("reserved %d, on a card of its own %d; the embedding on the host is missing", shared.Sum(Reserved).Mid, own.Sum(Reserved).Mid)
	}
}

// TestLlamaThroughFit: what other engines assume of several GPUs is not what llama.cpp does.
func TestLlamaThroughFit(t *testing.T) {
	m := llamaModels(t)["llama-3.1-70b"]
	p := llamaPlan(8192)
	p.GPUs = 2
	mem, err := Fit(m, p)
	if err != nil || mem.Verdict != Fits || !strings.HasSuffix(mem.Rank, "of 2") {
		t.Fatalf("%+v, %v", mem, err)
	}
	p.Llama.HostOnly = true
	if mem, err = Fit(m, p); err != nil || mem.Sum(Weights).Mid != 0 || mem.Sum(KVCache).Mid != 0 {
		t.Errorf("%+v, %v; want nothing of the model on a GPU", mem, err)
	}
}

// TestLlamaWindows: the window of Gemma is used, that of Mistral is not.
func TestLlamaWindows(t *testing.T) {
	mistral := shapeOf(t, `{"architectures":["MistralForCausalLM"],"hidden_size":4096,"num_attention_heads":32,"num_key_value_heads":8,
		"intermediate_size":14336,"num_hidden_layers":32,"vocab_size":32000,"sliding_window":4096,"tie_word_embeddings":false,
		"max_position_embeddings":32768}`)
	mem := account(t, Model{Shape: mistral, Weights: quant.Unquantized(mistral)}, llamaPlan(32768))
	if want := int64(32 * 32768 * 2 * 8 * 128 * 2); mem.Sum(KVCache).Mid != want || mem.Cache.BytesPerToken != want/32768 {
		t.Errorf("the cache takes %d, want %d", mem.Sum(KVCache).Mid, want)
	}
	gemma := llamaModels(t)["gemma-3-1b"]
	if m := account(t, gemma, llamaPlan(32768)); m.Cache.BytesPerToken != 4*2*256*2 {
		t.Errorf("%d bytes a token, want those of the four full layers", m.Cache.BytesPerToken)
	}
	full := llamaPlan(32768)
	full.Llama.FullWindow = true
	if m := account(t, gemma, full); m.Cache.BytesPerToken != 26*2*256*2 {
		t.Errorf("%d bytes a token without windows, want those of all layers", m.Cache.BytesPerToken)
	}
}

// FuzzLlamaPlan: no plan of any size panics, takes long or fits by overflow.
func FuzzLlamaPlan(f *testing.F) {
	f.Add(int64(8192), int64(1), int64(512), int64(2048), 33, 0, 1, false, true)
	f.Add(int64(1)<<27, int64(256), int64(1)<<20, int64(1)<<20, 0, 99, 16, true, false)
	models := llamaModels(f)
	f.Fuzz(func(t *testing.T, context, seqs, micro, batch int64, layers, experts, gpus int, noFlash, unified bool) {
		for _, name := range []string{"gemma-3-1b", "deepseek-v2-lite", "qwen3-next"} {
			p := Plan{
				Engine: newestLlama(), GPU: card(80), GPUs: gpus, MaxModelLen: context, MaxSeqs: seqs, BatchedTokens: batch,
				Llama: LlamaOptions{MicroBatch: micro, GPULayers: layers, CPUExperts: experts, NoFlash: noFlash, UnifiedKV: unified},
			}
			m, err := fitLlama(models[name], p)
			if err != nil {
				continue
			}
			for _, x := range m.Terms {
				if x.Bytes.Low < 0 || x.Bytes.High < x.Bytes.Mid {
					t.Errorf("%s: %+v", name, x)
				}
			}
		}
	})
}

func BenchmarkLlamaFit(b *testing.B) {
	for name, m := range llamaModels(b) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := fitLlama(m, llamaPlan(8192)); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestLlamaCorpus plans every real configuration, whole, in part and with quantized caches.
func TestLlamaCorpus(t *testing.T) {
	files, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "configs", "*", "config.json"))
	more, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "configs", "*.json"))
	files = append(files, more...)
	if len(files) == 0 {
		t.Skip("no corpus of configurations beside the project")
	}
	planned := 0
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		v, err := strictjson.Parse(bytes.NewReader(data), 0, "id2label", "label2id")
		if err != nil {
			continue // a file of another kind
		}
		s, err := arch.Of(v)
		if err != nil {
			continue
		}
		m := Model{Shape: s, Weights: quant.Unquantized(s)}
		for _, layers := range []int{-1, 3} {
			p := llamaPlan(8192)
			p.Llama.GPULayers = layers
			mem := account(t, m, p)
			if mem.Sum(Activation).Low <= 0 || mem.Sum(Weights).Mid <= 0 {
				t.Errorf("%s: %+v", name, mem.Terms)
			}
		}
		planned++
	}
	if planned < 20 {
		t.Errorf("%d configurations of %d were planned", planned, len(files))
	}
	t.Logf("%d of %d", planned, len(files))
}

// TestRows parts the rows of matrices (--split-mode row): the main device holds its share of them and all else, so it has
// less than one device alone, and no less than an even share; experts may lie there whole.
func TestRows(t *testing.T) {
	for name, m := range llamaModels(t) {
		t.Run(name, func(t *testing.T) {
			p := llamaPlan(4096)
			alone := account(t, m, p)
			before := alone.Sum(Weights)
			for _, n := range []int{2, 4, 8} {
				p.GPUs, p.Tensor, p.Pipeline = n, n, 1
				rows := account(t, m, p)
				held := rows.Sum(Weights)
				if held.Mid >= before.Mid || held.Low < before.Low/int64(n) || held.High > alone.Sum(Weights).High {
					t.Errorf("%d devices: %v of weights, alone %v", n, held, alone.Sum(Weights))
				}
				if got, want := rows.Sum(KVCache), alone.Sum(KVCache); got != want {
					t.Errorf("%d devices: %v of cache, want %v on the main one", n, got, want)
				}
				before = held
			}
		})
	}
}

// Requests that are wanted at once have a slot each, as far as the program has them and nobody said otherwise.
func TestLlamaWantedSlots(t *testing.T) {
	for _, tt := range []struct {
		name      string
		wanted    float64
		said, got int64
	}{
		{"nobody says", 0, 0, 1},
		{"one", 1, 0, 1},
		{"sixteen", 16, 0, 16},
		{"said otherwise", 16, 2, 2},
		{"more than there are", 1e12, 0, newestLlama().maxSlots()},
	} {
		for _, m := range llamaModels(t) {
			p := llamaPlan(4096)
			p.Wanted, p.MaxSeqs = tt.wanted, tt.said
			if got := completeLlama(m, p).MaxSeqs; got != tt.got {
				t.Errorf("%s: %d slots, want %d", tt.name, got, tt.got)
			}
		}
	}
}
