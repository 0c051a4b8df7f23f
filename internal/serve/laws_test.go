package serve_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// shapes are small configurations of every way in which engines keep tokens.
var shapes = map[string]string{
	"dense": `{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,
		"intermediate_size":14336,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false}`,
	"tied": `{"architectures":["Qwen2ForCausalLM"],"hidden_size":1536,"num_hidden_layers":28,"num_attention_heads":12,"num_key_value_heads":2,
		"intermediate_size":8960,"vocab_size":151936,"max_position_embeddings":32768,"tie_word_embeddings":true}`,
	"windows": `{"architectures":["Gemma2ForCausalLM"],"hidden_size":3584,"num_hidden_layers":42,"num_attention_heads":16,"num_key_value_heads":8,"head_dim":256,
		"intermediate_size":14336,"vocab_size":256000,"max_position_embeddings":8192,"sliding_window":4096,"tie_word_embeddings":true}`,
	"one window": `{"architectures":["MistralForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,
		"intermediate_size":14336,"vocab_size":32000,"max_position_embeddings":32768,"sliding_window":4096,"tie_word_embeddings":false}`,
	"experts": `{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":2048,"num_hidden_layers":48,"num_attention_heads":32,"num_key_value_heads":4,"head_dim":128,
		"intermediate_size":6144,"moe_intermediate_size":768,"num_experts":128,"num_experts_per_tok":8,"vocab_size":151936,"max_position_embeddings":40960,
		"decoder_sparse_step":1,"mlp_only_layers":[],"norm_topk_prob":true,"tie_word_embeddings":false}`,
	"latent": `{"architectures":["DeepseekV2ForCausalLM"],"hidden_size":2048,"num_hidden_layers":27,"num_attention_heads":16,"num_key_value_heads":16,
		"intermediate_size":10944,"moe_intermediate_size":1408,"n_routed_experts":64,"n_shared_experts":2,"num_experts_per_tok":6,"first_k_dense_replace":1,"moe_layer_freq":1,
		"kv_lora_rank":512,"q_lora_rank":null,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,"vocab_size":102400,"max_position_embeddings":163840,"tie_word_embeddings":false}`,
	"states": `{"architectures":["Qwen3NextForCausalLM"],"hidden_size":2048,"num_hidden_layers":48,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":256,
		"intermediate_size":5120,"moe_intermediate_size":512,"shared_expert_intermediate_size":512,"num_experts":512,"num_experts_per_tok":10,"decoder_sparse_step":1,"mlp_only_layers":[],
		"full_attention_interval":4,"linear_conv_kernel_dim":4,"linear_key_head_dim":128,"linear_num_key_heads":16,"linear_num_value_heads":32,"linear_value_head_dim":128,
		"vocab_size":151936,"max_position_embeddings":262144,"norm_topk_prob":true,"tie_word_embeddings":false}`,
}

func modelOf(t testing.TB, text, format string) serve.Model {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	q, err := quant.As(s, format)
	if err != nil {
		t.Fatal(err)
	}
	return serve.Model{Shape: s, Weights: q}
}

func card(gib float64) *hardware.Accelerator {
	return &hardware.Accelerator{ID: "card", Compute: "9.0", UsableMiB: gib * 1024, VisibleMiB: gib * 1024, LinkGBs: 450, Link: "nvlink4", Supports: map[string]bool{"bf16": true}}
}

type cell struct {
	t        *testing.T
	name     string
	model    serve.Model
	prepared *serve.Prepared
	plan     serve.Plan
}

// cells are all shapes under many plans.
func cells(t *testing.T) []cell {
	t.Helper()
	profiles, err := serve.Engines()
	if err != nil {
		t.Fatal(err)
	}
	var list []cell
	for name, text := range shapes {
		for _, format := range []string{"bf16", "fp8"} {
			model := modelOf(t, text, format)
			p := serve.Prepare(model)
			for _, engine := range []string{"vllm", "vllm 0.19.0", "vllm 0.6.6", "sglang", "trt-llm", "transformers"} {
				kind, version, _ := strings.Cut(engine, " ")
				e, err := profiles.Find(kind, version)
				if err != nil {
					t.Fatal(err)
				}
				for _, gib := range []float64{22, 79.19, 139.8} {
					for _, n := range []int64{1, 513, 4096, 8192} {
						for _, ranks := range [][4]int{{1, 1, 1, 1}, {2, 1, 1, 1}, {4, 1, 1, 1}, {2, 2, 1, 1}, {2, 1, 1, 2}} {
							if ranks[3] > 1 && name != "experts" && name != "latent" && name != "states" {
								continue
							}
							list = append(list, cell{t, fmt.Sprintf("%s %s %s %g GiB %d tokens %v", name, format, engine, gib, n, ranks), model, p, serve.Plan{
								Engine: e, GPU: card(gib), Tensor: ranks[0], Pipeline: ranks[1], Data: ranks[2], Expert: ranks[3], MaxModelLen: n,
							}})
						}
					}
				}
			}
		}
	}
	return list
}

// fit is the account of a plan, nil where no engine makes it.
func (c *cell) fit(change func(*serve.Plan)) *serve.Memory {
	c.t.Helper()
	p := c.plan
	change(&p)
	m, err := c.prepared.Fit(p)
	if errors.Is(err, serve.ErrIllegal) {
		return nil
	}
	if err != nil {
		c.t.Fatalf("%s: %v", c.name, err)
	}
	return m
}

func rankOf(v serve.Verdict) int {
	return map[serve.Verdict]int{serve.DoesNot: 0, serve.Tight: 1, serve.Fits: 2}[v]
}

func TestLaws(t *testing.T) {
	all := cells(t)
	if len(all) < 1000 {
		t.Fatalf("%d plans, want 1000", len(all))
	}
	legal := 0
	for i := range all {
		c := &all[i]
		m := c.fit(func(*serve.Plan) {})
		if m == nil {
			continue
		}
		legal++
		for _, law := range laws() {
			if err := law.holds(c, m); err != nil {
				t.Errorf("%s: %s: %v", c.name, law.name, err)
			}
		}
	}
	if legal < 1000 {
		t.Errorf("%d plans are possible, want 1000", legal)
	}
}

type law struct {
	name  string
	holds func(c *cell, m *serve.Memory) error
}

func laws() []law {
	return []law{
		{"the account adds up to the device", func(_ *cell, m *serve.Memory) error {
			var sum int64
			for _, term := range m.Terms {
				sum += term.Bytes.Mid
				if term.Bytes.Low > term.Bytes.Mid || term.Bytes.Mid > term.Bytes.High {
					return fmt.Errorf("%s is %v", term.Name, term.Bytes)
				}
			}
			if sum != m.Capacity {
				return fmt.Errorf("%d of %d", sum, m.Capacity)
			}
			return nil
		}},
		{"concurrency times bytes of a request is at most the pool", func(_ *cell, m *serve.Memory) error {
			if need := m.Cache.Concurrency * float64(m.Cache.PerRequest); need > 1.000001*float64(m.Cache.Pool)+1 {
				return fmt.Errorf("%.0f of %d", need, m.Cache.Pool)
			}
			return nil
		}},
		{"what fits holds a request, what does not names why", func(_ *cell, m *serve.Memory) error {
			if m.Verdict == serve.Fits && m.Cache.Concurrency < 1 || (m.Breaks == nil) != (m.Verdict == serve.Fits) || m.Why == "" {
				return fmt.Errorf("%s with %.2f requests, %v, %q", m.Verdict, m.Cache.Concurrency, m.Breaks, m.Why)
			}
			return nil
		}},
		{"the longest request fits, and none longer", func(c *cell, m *serve.Memory) error {
			sure := m.Sum(serve.KVCache).Low // what is left with the bad end of every range
			if c.plan.MaxModelLen <= m.Cache.MaxContext != (m.Cache.PerRequest <= sure) && m.Cache.MaxContext > 0 {
				return fmt.Errorf("longest %d, asked %d: %d of %d", m.Cache.MaxContext, c.plan.MaxModelLen, m.Cache.PerRequest, sure)
			}
			return nil
		}},
		{"more memory never fits less", func(c *cell, m *serve.Memory) error {
			p, err := c.plan.Complete(c.model)
			if err != nil {
				return err
			}
			more := c.fit(func(q *serve.Plan) {
				*q = p // the defaults of an engine follow the card: hold them
				q.GPU = card(float64(m.Capacity)/(1<<30) + 30)
			})
			if rankOf(more.Verdict) < rankOf(m.Verdict) || more.Cache.Pool < m.Cache.Pool {
				return fmt.Errorf("%s with %d, then %s with %d (%s)", m.Verdict, m.Cache.Pool, more.Verdict, more.Cache.Pool, more.Why)
			}
			return nil
		}},
		{"a longer context never needs less", func(c *cell, m *serve.Memory) error {
			more := c.fit(func(q *serve.Plan) { q.MaxModelLen = min(q.MaxModelLen+97, c.model.Shape.MaxContext) })
			if more.Cache.PerRequest < m.Cache.PerRequest {
				return fmt.Errorf("%d, then %d", m.Cache.PerRequest, more.Cache.PerRequest)
			}
			return nil
		}},
		{"tensor parallel never raises the weights of a rank", func(c *cell, m *serve.Memory) error {
			more := c.fit(func(q *serve.Plan) { q.Tensor *= 2 })
			if more != nil && more.Sum(serve.Weights).Mid > m.Sum(serve.Weights).Mid {
				return fmt.Errorf("%d, then %d", m.Sum(serve.Weights).Mid, more.Sum(serve.Weights).Mid)
			}
			return nil
		}},
		{"a higher utilization never gives a smaller pool", func(c *cell, _ *serve.Memory) error {
			low := c.fit(func(q *serve.Plan) { q.Utilization = 0.7 })
			high := c.fit(func(q *serve.Plan) { q.Utilization = 0.9 })
			if high.Cache.Pool < low.Cache.Pool {
				return fmt.Errorf("%d, then %d", low.Cache.Pool, high.Cache.Pool)
			}
			return nil
		}},
		{"fp8 never holds fewer tokens", func(c *cell, m *serve.Memory) error {
			if eight := c.fit(func(q *serve.Plan) { q.KV = "fp8" }); eight.Cache.Tokens < m.Cache.Tokens {
				return fmt.Errorf("%d, then %d", m.Cache.Tokens, eight.Cache.Tokens)
			}
			return nil
		}},
	}
}

func BenchmarkFit(b *testing.B) {
	e, err := serve.FindEngine("vllm", "")
	if err != nil {
		b.Fatal(err)
	}
	for name, text := range shapes {
		b.Run(name, func(b *testing.B) {
			p := serve.Prepare(modelOf(b, text, "bf16"))
			plan := serve.Plan{Engine: e, GPU: card(79.19), Tensor: 2}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := p.Fit(plan); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPrepare(b *testing.B) {
	m := modelOf(b, shapes["experts"], "fp8")
	for b.Loop() {
		serve.Prepare(m)
	}
}
