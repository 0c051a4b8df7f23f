package train

import (
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// models are shapes of every kind that plans are tried on.
var models = map[string]string{
	"1b": `{"architectures":["LlamaForCausalLM"],"hidden_size":2048,"num_hidden_layers":16,"num_attention_heads":32,"num_key_value_heads":8,
		"intermediate_size":8192,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":true}`,
	"8b": `{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,
		"intermediate_size":14336,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false}`,
	"70b": `{"architectures":["LlamaForCausalLM"],"hidden_size":8192,"num_hidden_layers":80,"num_attention_heads":64,"num_key_value_heads":8,
		"intermediate_size":28672,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false}`,
	"405b": `{"architectures":["LlamaForCausalLM"],"hidden_size":16384,"num_hidden_layers":126,"num_attention_heads":128,"num_key_value_heads":8,
		"intermediate_size":53248,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false}`,
	"experts": `{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":2048,"num_hidden_layers":48,"num_attention_heads":32,"num_key_value_heads":4,"head_dim":128,
		"intermediate_size":6144,"moe_intermediate_size":768,"num_experts":128,"num_experts_per_tok":8,"vocab_size":151936,"max_position_embeddings":40960,
		"decoder_sparse_step":1,"mlp_only_layers":[],"norm_topk_prob":true,"tie_word_embeddings":false}`,
}

func shapeOf(t testing.TB, name string) *arch.Shape {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(models[name]), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func cardOf(t testing.TB, id string) *hardware.Accelerator {
	t.Helper()
	a, err := gpus.Default().Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// fabricOf is a machine of eight with a good network.
func fabricOf(a *hardware.Accelerator) *Fabric {
	domain := max(8, a.Joined)
	return &Fabric{ID: "test", Name: "test", Node: 8, Domain: domain, DomainB: a.LinkGBs * 1e9, Link: a.Link, Net: 50e9, Latency: 5e-6, Kind: "InfiniBand"}
}

func BenchmarkSeconds(b *testing.B) {
	c, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	a := cardOf(b, "h100-sxm")
	j, p := Job{Shape: shapeOf(b, "405b"), Method: Pretrain, Framework: Megatron, Precision: BF16, Optimizer: AdamW, Recompute: None, Loss: Plain, Sequence: 8192, Global: 2048, Tokens: 15.6e12},
		Plan{GPU: a, Fabric: fabricOf(a), GPUs: 16384, Tensor: 8, Pipeline: 16, Context: 1, Expert: 1, Data: 128, Virtual: 1, Zero: 1, Micro: 1, Schedule: OneFOneB}
	for b.Loop() {
		if _, _, err := c.Seconds(&j, &p); err != nil {
			b.Fatal(err)
		}
	}
}
