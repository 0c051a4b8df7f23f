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

func BenchmarkAccount(b *testing.B) {
	a := cardOf(b, "h100-sxm")
	j, p := Job{Shape: shapeOf(b, "405b"), Method: Pretrain, Framework: Megatron, Precision: BF16, Optimizer: AdamW, Recompute: None, Loss: Plain, Sequence: 8192, Global: 2048, Tokens: 15.6e12},
		Plan{GPU: a, Fabric: fabricOf(a), GPUs: 16384, Tensor: 8, Pipeline: 16, Context: 1, Expert: 1, Data: 128, Virtual: 1, Zero: 1, Micro: 1, Schedule: OneFOneB}
	for b.Loop() {
		if _, err := Account(&j, &p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFind(b *testing.B) {
	c, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	a := cardOf(b, "h100-sxm")
	for name, w := range map[string]Want{
		"16384 GPUs":    {GPU: a, Fabric: fabricOf(a), GPUs: 16384, Said: Plan{Zero: -1}},
		"60 days":       {GPU: a, Fabric: fabricOf(a), Deadline: 60 * 86400, Said: Plan{Zero: -1}},
		"16384 at most": {GPU: a, Fabric: fabricOf(a), Deadline: 90 * 86400, Max: 16384, Said: Plan{Zero: -1}},
		"neither":       {GPU: a, Fabric: fabricOf(a), Said: Plan{Zero: -1}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				f, err := Find(c, Job{Shape: shapeOf(b, "405b"), Method: Pretrain, Tokens: 15.6e12}, w)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(f.Looked), "looked")
				b.ReportMetric(float64(f.Fitted), "fitted")
			}
		})
	}
}

func BenchmarkComplete(b *testing.B) {
	a := cardOf(b, "h100-sxm")
	for _, n := range []int{1, 8, 1024, 16384} {
		b.Run("", func(b *testing.B) {
			s := shapeOf(b, "405b")
			for b.Loop() {
				if _, _, _, err := Complete(Job{Shape: s, Method: Pretrain, Tokens: 15.6e12}, Plan{GPU: a, Fabric: fabricOf(a), GPUs: n, Zero: -1}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestShow(t *testing.T) {
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	show := func(f *Found, err error) {
		if err != nil {
			t.Error(err)
			return
		}
		t.Logf("looked %d fitted %d largest %d %s: %s why %s", f.Looked, f.Fitted, f.Largest, f.Stops, f.StopsBy, f.Why)
		for _, o := range f.Best {
			t.Logf("   %s gb %d: MFU %.3f, %.0f h, %.1f days, mem %.1f %v", o.text(), o.Job.Global, o.Figures.MFU.Mid, o.Hours, o.token*o.Job.Tokens/86400, o.Memory.Total.Mid/(1<<30), o.Reasons)
		}
	}
	a := cardOf(t, "h100-sxm")
	show(Find(c, Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Tokens: 15.6e12}, Want{GPU: a, Fabric: fabricOf(a), GPUs: 16384, Said: Plan{Zero: -1}}))
	show(Find(c, Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Tokens: 15.6e12}, Want{GPU: a, Fabric: fabricOf(a), Deadline: 60 * 86400, Said: Plan{Zero: -1}}))
	show(Find(c, Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Tokens: 15.6e12}, Want{GPU: a, Fabric: fabricOf(a), Deadline: 86400, Said: Plan{Zero: -1}}))
	show(Find(c, Job{Shape: shapeOf(t, "70b"), Method: Pretrain, Tokens: 15e12}, Want{GPU: a, Fabric: fabricOf(a), Deadline: 60 * 86400, Said: Plan{Zero: -1}}))
	show(Find(c, Job{Shape: shapeOf(t, "8b"), Method: Pretrain, Tokens: 2e12}, Want{GPU: a, Fabric: fabricOf(a), Deadline: 30 * 86400, Said: Plan{Zero: -1}}))
	show(Find(c, Job{Shape: shapeOf(t, "experts"), Method: Pretrain, Tokens: 10e12}, Want{GPU: a, Fabric: fabricOf(a), GPUs: 512, Said: Plan{Zero: -1}}))
	show(Find(c, Job{Shape: shapeOf(t, "8b"), Method: Full}, Want{GPU: a, Fabric: fabricOf(a), Said: Plan{Zero: -1}}))
	show(Find(c, Job{Shape: shapeOf(t, "70b"), Method: QLoRA}, Want{GPU: a, Fabric: fabricOf(a), Said: Plan{Zero: -1}}))
	show(Find(c, Job{Shape: shapeOf(t, "70b"), Method: Full}, Want{GPU: cardOf(t, "rtx-4090"), Fabric: fabricOf(cardOf(t, "rtx-4090")), GPUs: 8, Said: Plan{Zero: -1}}))
	for _, n := range []int{1, 8, 64, 1024, 2048, 16384} {
		for _, m := range []string{"8b", "70b", "405b", "experts"} {
			for _, method := range []Method{Pretrain, Full, LoRA, QLoRA, GRPO} {
				j, p, _, err := Complete(Job{Shape: shapeOf(t, m), Method: method}, Plan{GPU: a, Fabric: fabricOf(a), GPUs: n, Zero: -1})
				if err != nil {
					t.Error(n, m, method, err)
					continue
				}
				o := Option{Job: j, Plan: p}
				mem, err := Account(&j, &p)
				if err != nil {
					t.Error(err)
					continue
				}
				fig, err := c.Time(&j, &p)
				if err != nil {
					t.Error(err)
					continue
				}
				t.Logf("%s %s %s: %s, gb %d seq %d: %s %.1f GiB, MFU %.3f", m, method, j.Framework, o.text(), j.Global, j.Sequence, mem.Verdict, mem.Total.Mid/(1<<30), fig.MFU.Mid)
			}
		}
	}
}
