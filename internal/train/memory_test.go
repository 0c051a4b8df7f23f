package train_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	cards "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/strictjson"
	"github.com/llmcheck/llmcheck/internal/train"
)

func sketched(t testing.TB, params, active int64) *arch.Shape {
	t.Helper()
	config, err := arch.Sketch(params, active)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(config)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func configured(t testing.TB, text string) *arch.Shape {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(text), 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func card(t testing.TB, id string) *hardware.Accelerator {
	t.Helper()
	a, err := cards.Default().Get(id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// asked is one question of many that laws are held against.
type asked struct {
	job  train.Job
	plan train.Plan
}

func (q asked) memory(t testing.TB) *train.Memory {
	t.Helper()
	m, err := train.Account(&q.job, &q.plan)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// questions are jobs of all frameworks and methods on several plans.
func questions(t testing.TB, each func(asked)) {
	t.Helper()
	gpu := card(t, "h100-sxm")
	shapes := []*arch.Shape{sketched(t, 1e9, 0), sketched(t, 8e9, 0), sketched(t, 47e9, 13e9)}
	plans := []train.Plan{
		{Tensor: 1, Pipeline: 1, Context: 1, Expert: 1, Data: 8, Virtual: 1},
		{Tensor: 2, Pipeline: 4, Context: 1, Expert: 2, Data: 4, Virtual: 1},
		{Tensor: 1, Pipeline: 1, Context: 2, Expert: 4, Data: 4, Virtual: 1, Shard: 2},
		{Tensor: 1, Pipeline: 4, Context: 1, Expert: 1, Data: 2, Virtual: 2, Schedule: train.Interleaved},
		{Tensor: 1, Pipeline: 1, Context: 1, Expert: 1, Data: 1, Virtual: 1},
	}
	for _, shape := range shapes {
		for _, framework := range train.Frameworks() {
			for _, method := range train.Methods() {
				for _, p := range plans {
					j := train.Job{
						Shape: shape, Method: method, Framework: framework, Precision: train.BF16, Optimizer: train.AdamW,
						Recompute: train.Selective, Loss: train.Plain, Offload: train.NoOffload, Sequence: 4096, Global: 64,
					}
					if method == train.LoRA || method == train.QLoRA {
						j.Rank = 16
					}
					p.GPU, p.Micro, p.Zero = gpu, 2, 1
					each(asked{j, p})
					j.Unsaid = everything
					each(asked{j, p})
				}
			}
		}
	}
}

const slack = 1 + 1e-9 // of floating point

// everything is all that may be left open.
const everything = ^train.Open(0)

func settings() []train.Open {
	return []train.Open{
		train.OpenMethod, train.OpenFramework, train.OpenPrecision, train.OpenOptimizer, train.OpenRank, train.OpenTargets, train.OpenQuantized,
		train.OpenSequence, train.OpenMicro, train.OpenGlobal, train.OpenRecompute, train.OpenLoss, train.OpenOffload, train.OpenGPUs,
		train.OpenDivision, train.OpenVirtual, train.OpenZero,
	}
}

func TestWhatFitsDoesSoAtTheHighEnd(t *testing.T) {
	questions(t, func(q asked) {
		if m := q.memory(t); m.Verdict == train.Fits && m.Total.High > float64(m.Capacity)*slack {
			t.Errorf("%s %s fits with %.4g of %.4g B", q.job.Framework, q.job.Method, m.Total.High, float64(m.Capacity))
		}
	})
}

func TestMoreSaidIsNeverWider(t *testing.T) {
	questions(t, func(q asked) {
		if q.job.Unsaid == 0 {
			return
		}
		said := q
		for _, one := range settings() {
			said.job.Unsaid &^= one
			m, before := said.memory(t), q.memory(t)
			if m.Total.Low < before.Total.Low/slack || m.Total.High > before.Total.High*slack || before.Verdict == train.Fits && m.Verdict != train.Fits {
				t.Fatalf("%b instead of %b is open: %.6g %s and %.6g %s", said.job.Unsaid, q.job.Unsaid, m.Total, m.Verdict, before.Total, before.Verdict)
			}
			q = said
		}
	})
}

func noMore(t *testing.T, law string, q asked, less, more *train.Memory) {
	t.Helper()
	if less.Total.Mid > more.Total.Mid*slack || less.Total.Low > more.Total.Low*slack || less.Total.High > more.Total.High*slack {
		t.Errorf("%s: %s %s, tensor %d pipeline %d context %d data %d zero %d: %.6g and %.6g", law, q.job.Framework, q.job.Method,
			q.plan.Tensor, q.plan.Pipeline, q.plan.Context, q.plan.Data, q.plan.Zero, less.Total, more.Total)
	}
}

func part(m *train.Memory, p train.Part) float64 {
	sum := 0.0
	for i := range m.Terms {
		if m.Terms[i].Part == p {
			sum += m.Terms[i].Bytes.Mid
		}
	}
	return sum
}

func TestTermsAddUp(t *testing.T) {
	questions(t, func(q asked) {
		m := q.memory(t)
		var sum train.Range
		for _, x := range m.Terms {
			sum = sum.Plus(x.Bytes)
			if x.Bytes.Low > x.Bytes.Mid*slack || x.Bytes.Mid > x.Bytes.High*slack || x.Bytes.Low < 0 {
				t.Fatalf("%s: %v is no range", x.Name, x.Bytes)
			}
			if x.Name == "" || x.Formula == "" || x.Source == "" {
				t.Fatalf("%+v: want a name, a formula and a source", x)
			}
		}
		if math.Abs(sum.Mid-m.Planned.Mid) > 1 || math.Abs(sum.High-m.Planned.High) > 1 || math.Abs(sum.Low-m.Planned.Low) > 1 {
			t.Fatalf("%v of terms, %v in all", sum, m.Planned)
		}
	})
}

func TestHigherZeroNeverTakesMore(t *testing.T) {
	questions(t, func(q asked) {
		var before *train.Memory
		for zero := range 4 {
			q.plan.Zero = zero
			m := q.memory(t)
			if before != nil {
				noMore(t, "a higher stage of ZeRO", q, m, before)
			}
			before = m
		}
	})
}

func TestMoreRecomputationNeverKeepsMore(t *testing.T) {
	questions(t, func(q asked) {
		var before *train.Memory
		for _, r := range []train.Recompute{train.None, train.Selective, train.Whole} {
			q.job.Recompute = r
			m := q.memory(t)
			if before != nil {
				noMore(t, "recomputation "+string(r), q, m, before)
				if part(m, train.Activations) > part(before, train.Activations)*slack {
					t.Errorf("%s %s: %s keeps more", q.job.Framework, q.job.Method, r)
				}
			}
			before = m
		}
	})
}

func TestMoreDataRanksNeverTakeMore(t *testing.T) {
	questions(t, func(q asked) {
		if q.plan.Data < 2 || q.plan.Shard > 0 {
			return
		}
		q.plan.Zero = 3
		before := q.memory(t)
		for range 4 {
			q.plan.Data *= 2
			m := q.memory(t)
			noMore(t, "more data ranks", q, m, before)
			before = m
		}
	})
}

func TestMoreTokensNeverTakeLess(t *testing.T) {
	questions(t, func(q asked) {
		less := q.memory(t)
		longer := q
		longer.job.Sequence *= 2
		noMore(t, "a shorter sequence", q, less, longer.memory(t))
		larger := q
		larger.plan.Micro *= 2
		larger.job.Global *= 2 // as many passes
		noMore(t, "a smaller micro batch", q, less, larger.memory(t))
	})
}

func TestMethodsInOrder(t *testing.T) {
	questions(t, func(q asked) {
		if q.job.Method != train.Full || q.plan.Pipeline > 1 || q.job.Shape.Params().Total < 2e9 {
			return
		}
		q.job.Recompute = train.Whole
		full := q.memory(t)
		q.job.Method, q.job.Rank = train.LoRA, 16
		lora := q.memory(t)
		noMore(t, "LoRA below full", q, lora, full)
		q.job.Method = train.QLoRA
		noMore(t, "QLoRA below LoRA", q, q.memory(t), lora)
	})
}

func TestOptimizersInOrder(t *testing.T) {
	questions(t, func(q asked) {
		adam := q.memory(t)
		for _, o := range []train.Optimizer{train.AdamW8bit, train.Adafactor, train.Muon, train.SGD} {
			q.job.Optimizer = o
			noMore(t, string(o)+" below AdamW", q, q.memory(t), adam)
		}
	})
}

func TestLossesInOrder(t *testing.T) {
	questions(t, func(q asked) {
		var before *train.Memory
		for _, l := range []train.Loss{train.Plain, train.Chunked, train.Fused} {
			q.job.Loss = l
			m := q.memory(t)
			if before != nil {
				noMore(t, string(l), q, m, before)
			}
			before = m
		}
	})
}

func TestOffloadNeverTakesMore(t *testing.T) {
	questions(t, func(q asked) {
		before := q.memory(t)
		for _, o := range []train.Offload{train.OffOptimizer, train.OffAll} {
			q.job.Offload = o
			m := q.memory(t)
			noMore(t, string(o), q, m, before)
			if m.Host.Mid <= 0 {
				t.Errorf("%s %s: nothing lies in the host", q.job.Framework, q.job.Method)
			}
			before = m
		}
	})
}

func TestMoreRanksHoldFewerWeights(t *testing.T) {
	questions(t, func(q asked) {
		q.plan.Pipeline, q.plan.Tensor, q.plan.Expert, q.plan.Virtual, q.plan.Schedule = 1, 1, 1, 1, train.OneFOneB
		before := q.memory(t)
		for _, n := range []int{2, 4, 8} {
			q.plan.Tensor = n
			m := q.memory(t)
			if part(m, train.Weights) > part(before, train.Weights)*slack {
				t.Errorf("%s %s: %d tensor ranks hold more weights", q.job.Framework, q.job.Method, n)
			}
			before = m
		}
		q.plan.Tensor = 1
		before = q.memory(t)
		for _, n := range []int{2, 4} {
			q.plan.Pipeline = n
			m := q.memory(t)
			if part(m, train.Weights) > part(before, train.Weights)*slack {
				t.Errorf("%s %s: %d stages hold more weights", q.job.Framework, q.job.Method, n)
			}
			before = m
		}
	})
}

func TestFullFineTuningKeepsWhatIsWellKnown(t *testing.T) {
	for _, c := range []struct {
		name      string
		framework train.Framework
		pure      bool
		zero      int
		want      float64 // bytes for each parameter
	}{
		{"Megatron keeps 18", train.Megatron, false, 0, 18},
		{"its distributed optimizer 6 + 12/8", train.Megatron, false, 1, 7.5},
		{"DeepSpeed 16", train.DeepSpeed, false, 0, 16},
		{"ZeRO-3 16/8", train.DeepSpeed, false, 3, 2},
		{"FSDP 16/8", train.FSDP, false, 3, 2},
		{"pure bf16 8", train.HF, true, 0, 8},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sketched(t, 8e9, 0)
			j := train.Job{Shape: s, Method: train.Full, Framework: c.framework, Precision: train.BF16, Optimizer: train.AdamW, Sequence: 1024, PureBF16: c.pure}
			p := train.Plan{Data: 8, Zero: c.zero, Micro: 1}
			m := asked{j, p}.memory(t)
			got := (part(m, train.Weights) + part(m, train.Gradients) + part(m, train.States)) / float64(s.Params().Total)
			if math.Abs(got/c.want-1) > 0.001 {
				t.Errorf("%.3f B for each parameter, want %g", got, c.want)
			}
			if j.TrainedParams() != s.Params().Total {
				t.Errorf("%d parameters are trained, want %d", j.TrainedParams(), s.Params().Total)
			}
		})
	}
}

const llama65 = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":8192,"intermediate_size":22016,
"num_hidden_layers":80,"num_attention_heads":64,"num_key_value_heads":64,"vocab_size":32000,"max_position_embeddings":2048,
"tie_word_embeddings":false,"torch_dtype":"float16","rms_norm_eps":1e-5}`

// arXiv 2305.14314: a model of 65B is fine-tuned on one card of 48 GB, with adapters of 16 bits on all linear layers, gradient
// checkpointing, and the 32-bit states of AdamW in pages that leave the card. Without the pages it is tight at best.
func TestQLoRAOf65BOnOneCard(t *testing.T) {
	j := train.Job{
		Shape: configured(t, llama65), Method: train.QLoRA, Framework: train.HF, Precision: train.BF16, Optimizer: train.AdamW, Rank: 64,
		Quantized: "nf4-dq", Recompute: train.Whole, Loss: train.Plain, Sequence: 512, Global: 16, PureBF16: true, Offload: train.OffOptimizer,
	}
	p := train.Plan{GPU: card(t, "rtx-a6000"), GPUs: 1, Data: 1, Micro: 1}
	if m := (asked{j, p}).memory(t); m.Verdict != train.Fits {
		t.Errorf("as in the paper: %s, %.1f GB at the high end of %.1f", m.Verdict, m.Total.High/1e9, float64(m.Capacity)/1e9)
	}
	eight := j
	eight.PureBF16, eight.Offload, eight.Optimizer = false, train.NoOffload, train.AdamW8bit
	if m := (asked{eight, p}).memory(t); m.Verdict == train.DoesNot || m.Total.Mid > float64(m.Capacity) {
		t.Errorf("with states of 8 bits on the card: %s, %.1f GB of %.1f", m.Verdict, m.Total.Mid/1e9, float64(m.Capacity)/1e9)
	}
	p.GPU = card(t, "rtx-4090")
	if m := (asked{j, p}).memory(t); m.Verdict != train.DoesNot {
		t.Errorf("on 24 GB: %s", m.Verdict)
	}
}

const llama405 = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":16384,"intermediate_size":53248,
"num_hidden_layers":126,"num_attention_heads":128,"num_key_value_heads":8,"vocab_size":128256,"max_position_embeddings":131072,
"tie_word_embeddings":false,"torch_dtype":"bfloat16","rms_norm_eps":1e-5}`

const deepseekV3 = `{"architectures":["DeepseekV3ForCausalLM"],"model_type":"deepseek_v3","hidden_size":7168,"intermediate_size":18432,
"num_hidden_layers":61,"num_attention_heads":128,"num_key_value_heads":128,"vocab_size":129280,"max_position_embeddings":4096,
"first_k_dense_replace":3,"moe_layer_freq":1,"n_routed_experts":256,"n_shared_experts":1,"num_experts_per_tok":8,"n_group":8,"topk_group":4,
"moe_intermediate_size":2048,"q_lora_rank":1536,"kv_lora_rank":512,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,
"num_nextn_predict_layers":1,"scoring_func":"sigmoid","topk_method":"noaux_tc","norm_topk_prob":true,"routed_scaling_factor":2.5,
"tie_word_embeddings":false,"torch_dtype":"bfloat16","rms_norm_eps":1e-6}`

// Runs that took place with the division that is given, whose memory cannot be more than that of their cards.
func TestRunsThatTookPlace(t *testing.T) {
	base := train.Job{Method: train.Pretrain, Framework: train.Megatron, Optimizer: train.AdamW, Loss: train.Plain}
	llama, deepseek := base, base
	llama.Shape, llama.Precision, llama.Recompute, llama.Sequence, llama.Global = configured(t, llama405), train.BF16, train.None, 8192, 2048
	deepseek.Shape, deepseek.Precision, deepseek.Recompute, deepseek.Sequence, deepseek.Global = configured(t, deepseekV3), train.FP8, train.Selective, 4096, 15360
	for _, c := range []struct {
		name string
		job  train.Job
		plan train.Plan
	}{
		{"Llama 3.1 405B without recomputation (arXiv 2407.21783)", llama, train.Plan{
			GPU: card(t, "h100-sxm"), GPUs: 16384, Tensor: 8, Pipeline: 16, Context: 1, Expert: 1, Data: 128, Virtual: 1, Zero: 1, Micro: 1, Schedule: train.OneFOneB,
		}},
		{"DeepSeek-V3 (arXiv 2412.19437)", deepseek, train.Plan{
			GPU: card(t, "h800-sxm"), GPUs: 2048, Tensor: 1, Pipeline: 16, Context: 1, Expert: 64, Data: 128, Virtual: 1, Zero: 1, Micro: 1, Schedule: train.ZeroBubble,
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := asked{c.job, c.plan}.memory(t)
			if m.Verdict == train.DoesNot || m.Total.Mid > 1.12*float64(m.Capacity) {
				t.Errorf("%s: %.1f GB (%.1f to %.1f) of %.1f", m.Verdict, m.Total.Mid/1e9, m.Total.Low/1e9, m.Total.High/1e9, float64(m.Capacity)/1e9)
			}
		})
	}
}

// A layer of Llama 3.1 405B on eight tensor ranks, tensor by tensor: what two norms read and put out, queries, keys, values
// and what attention puts out, both halves of the gated part and their product, and the sums of attention.
func TestLayerOfMegatronTensorByTensor(t *testing.T) {
	const h, kv, f, heads, layers = 16384, 1024, 53248, 128, 126
	want := (2*(4*h+2*h+2*kv+3*f) + 4*heads) / 8.0 * layers
	j := train.Job{
		Shape: configured(t, llama405), Method: train.Pretrain, Framework: train.Megatron, Precision: train.BF16, Optimizer: train.AdamW,
		Recompute: train.None, Loss: train.Plain, Sequence: 1, Global: 1,
	}
	m := asked{j, train.Plan{Tensor: 8, Data: 1, Micro: 1, Zero: 1}}.memory(t)
	if got := named(m, "activations that are kept").Bytes.Mid; math.Abs(got/want-1) > 0.002 {
		t.Errorf("%.0f B of a token, want %.0f", got, want)
	}
}

// Embedding and head take the places of layers: of 126 layers on 16 stages the outer ones have seven and the others eight.
func TestStagesAreEven(t *testing.T) {
	j := train.Job{
		Shape: configured(t, llama405), Method: train.Pretrain, Framework: train.Megatron, Precision: train.BF16, Optimizer: train.AdamW,
		Recompute: train.None, Loss: train.Plain, Sequence: 4096, Global: 1,
	}
	for _, c := range []struct {
		framework train.Framework
		stage, of string
	}{{train.Megatron, "stage 2 of 16", "of 8 layers"}, {train.DeepSpeed, "stage 1 of 16", "of 8 layers"}} {
		j.Framework = c.framework
		m := asked{j, train.Plan{Tensor: 8, Pipeline: 16, Data: 1, Micro: 1, Virtual: 1}}.memory(t)
		kept := named(m, "activations that are kept").Formula
		if m.Rank != c.stage || !strings.Contains(kept, c.of) {
			t.Errorf("%s, %s: %s", c.framework, m.Rank, kept)
		}
	}
}

// named is the term of a name, an empty one if there is none.
func named(m *train.Memory, name string) train.Term {
	for _, x := range m.Terms {
		if strings.HasPrefix(x.Name, name) {
			return x
		}
	}
	return train.Term{}
}

func TestModelsBesideThePolicy(t *testing.T) {
	shape, small := sketched(t, 8e9, 0), sketched(t, 1e9, 0)
	gpu := card(t, "h100-sxm")
	p := train.Plan{GPU: gpu, GPUs: 1, Data: 1, Micro: 1}
	ask := func(set func(*train.Job)) *train.Memory {
		j := train.Job{
			Shape: shape, Method: train.GRPO, Framework: train.HF, Precision: train.BF16, Optimizer: train.AdamW, Recompute: train.Whole,
			Loss: train.Plain, Sequence: 1024, Global: 64, Group: 8, Rank: 16,
		}
		set(&j)
		return asked{j, p}.memory(t)
	}
	apart := ask(func(j *train.Job) { j.Apart, j.Rollout = true, true })
	if n := named(apart, "engine"); n.Name != "" {
		t.Errorf("an engine on other devices takes %.1f GB here", n.Bytes.Mid/1e9)
	}
	sleeps, awake := ask(func(j *train.Job) { j.Rollout, j.RolloutFree = true, true }), ask(func(j *train.Job) { j.Rollout = true })
	if !(apart.Total.Mid < sleeps.Total.Mid && sleeps.Total.Mid < awake.Total.Mid) {
		t.Errorf("%.1f GB apart, %.1f where the engine sleeps, %.1f where it does not", apart.Total.Mid/1e9, sleeps.Total.Mid/1e9, awake.Total.Mid/1e9)
	}
	dpo := ask(func(j *train.Job) { j.Method = train.DPO })
	if n := named(dpo, "reference"); n.Name != "" {
		t.Errorf("adapters have their reference in the frozen weights, and a second one takes %.1f GB", n.Bytes.Mid/1e9)
	}
	like, less := ask(func(j *train.Job) { j.Method, j.Critic = train.PPO, shape }), ask(func(j *train.Job) { j.Method, j.Critic = train.PPO, small })
	for _, name := range []string{"critic, frozen weights", "critic, adapters", "activations of the critic"} {
		if a, b := named(less, name).Bytes.Mid, named(like, name).Bytes.Mid; !(0 < a && a < b) {
			t.Errorf("%s: %.3g B of a smaller one, %.3g B of one like the policy", name, a, b)
		}
	}
}

// Experts and what belongs to them are shared by the ranks that hold the same ones, and by no others.
func TestStatesOfExperts(t *testing.T) {
	s := sketched(t, 47e9, 13e9)
	experts := float64(s.Of(arch.Experts).Total)
	rest := float64(s.Params().Total) - experts
	j := train.Job{
		Shape: s, Method: train.Pretrain, Framework: train.Megatron, Precision: train.BF16, Optimizer: train.AdamW, Recompute: train.None,
		Loss: train.Plain, Sequence: 1024, Global: 64,
	}
	m := asked{j, train.Plan{Tensor: 2, Expert: 8, Data: 32, Micro: 1, Zero: 1}}.memory(t)
	want := 12 * (rest/2/32 + experts/8/(32*2/8)) // experts are not divided by tensor ranks, whose tokens are of different ones
	if got := part(m, train.States); math.Abs(got/want-1) > 0.01 {
		t.Errorf("%.3g B of states, want %.3g", got, want)
	}
}

// LLaMA-Factory's table, which says itself that it is estimated: a band of 1.6.
func TestRuleOfThumb(t *testing.T) {
	for _, c := range []struct {
		name      string
		method    train.Method
		quantized string
		pure      bool
		want      float64
	}{
		{"full, mixed precision", train.Full, "", false, 240e9},
		{"full, pure bf16", train.Full, "", true, 120e9},
		{"LoRA", train.LoRA, "", false, 32e9},
		{"QLoRA, 8 bits", train.QLoRA, "int8", false, 20e9},
		{"QLoRA, 4 bits", train.QLoRA, "nf4", false, 12e9},
	} {
		t.Run(c.name, func(t *testing.T) {
			j := train.Job{
				Shape: sketched(t, 14e9, 0), Method: c.method, Framework: train.HF, Precision: train.BF16, Optimizer: train.AdamW, Rank: 8,
				Quantized: c.quantized, PureBF16: c.pure, Recompute: train.Whole, Loss: train.Plain, Sequence: 1024, Global: 8,
			}
			if c.method == train.Full {
				j.Rank = 0
			}
			m := asked{j, train.Plan{Data: 1, Micro: 1}}.memory(t)
			if r := m.Total.Mid / c.want; r > 1.6 || r < 1/1.6 {
				t.Errorf("%.1f GB, want %.0f within a factor of 1.6", m.Total.Mid/1e9, c.want/1e9)
			}
		})
	}
}

func TestVerdict(t *testing.T) {
	j := train.Job{Shape: sketched(t, 8e9, 0), Method: train.LoRA, Framework: train.HF, Rank: 8, Recompute: train.Whole, Loss: train.Plain, Sequence: 1024}
	p := train.Plan{Data: 1, Micro: 1}
	m := asked{j, p}.memory(t)
	for _, c := range []struct {
		bytes float64
		want  train.Verdict
	}{{m.Total.High + 1<<20, train.Fits}, {m.Total.Mid, train.Tight}, {m.Total.Low - 1<<20, train.DoesNot}} {
		p.GPU = &hardware.Accelerator{VisibleMiB: c.bytes / (1 << 20)}
		got := asked{j, p}.memory(t)
		if got.Verdict != c.want || (got.Breaks == "") != (c.want == train.Fits) {
			t.Errorf("%s, broken by %q, want %s", got.Verdict, got.Breaks, c.want)
		}
	}
	p.GPU = &hardware.Accelerator{}
	if got := (asked{j, p}).memory(t); got.Verdict != "" || got.Capacity != 0 {
		t.Errorf("a card whose memory is not known: %s of %d", got.Verdict, got.Capacity)
	}
}

func TestHostileSizes(t *testing.T) {
	const huge = int64(1) << 62
	for _, j := range []train.Job{
		{Sequence: huge, Global: huge},
		{Sequence: 1, Rank: huge, Method: train.LoRA},
		{Sequence: huge, NoFlash: true},
		{Sequence: 1, Group: huge, Rollout: true, Method: train.GRPO},
		{Sequence: huge, Optimizer: train.Adafactor, Recompute: train.Whole, Loss: train.Fused, InBackward: true},
	} {
		for _, p := range []train.Plan{
			{Micro: huge},
			{Micro: huge, Tensor: math.MaxInt, Data: math.MaxInt, Context: math.MaxInt, Expert: math.MaxInt, Virtual: math.MaxInt, Zero: 3},
			{Micro: 1, Pipeline: 2, Virtual: math.MaxInt, Zero: math.MaxInt},
		} {
			j.Shape = sketched(t, 1e9, 0)
			m := asked{j, p}.memory(t)
			if v := m.Total; math.IsNaN(v.Low+v.Mid+v.High) || v.Low < 0 || v.Mid < v.Low || v.High < v.Mid {
				t.Errorf("%+v: %v", p, v)
			}
			if n := j.TrainedParams(); n < 0 {
				t.Errorf("%d parameters are trained", n)
			}
		}
	}
}

func TestUnanswerable(t *testing.T) {
	s := sketched(t, 1e9, 0)
	for _, c := range []struct {
		name string
		job  *train.Job
		plan *train.Plan
		want error
	}{
		{"no job", nil, &train.Plan{}, train.ErrUnknown},
		{"no plan", &train.Job{Shape: s}, nil, train.ErrUnknown},
		{"no shape", &train.Job{Sequence: 1}, &train.Plan{}, train.ErrUnknown},
		{"an empty shape", &train.Job{Shape: &arch.Shape{}, Sequence: 1}, &train.Plan{}, train.ErrUnknown},
		{"no sequence", &train.Job{Shape: s}, &train.Plan{}, train.ErrIllegal},
		{"more stages than layers", &train.Job{Shape: s, Sequence: 1}, &train.Plan{Pipeline: 1000}, train.ErrIllegal},
		{"negative ranks", &train.Job{Shape: s, Sequence: 1}, &train.Plan{Tensor: -1}, train.ErrIllegal},
		{"a negative batch", &train.Job{Shape: s, Sequence: 1}, &train.Plan{Micro: -1}, train.ErrIllegal},
	} {
		t.Run(c.name, func(t *testing.T) {
			if _, err := train.Account(c.job, c.plan); !errors.Is(err, c.want) {
				t.Errorf("%v, want %v", err, c.want)
			}
		})
	}
}

func BenchmarkAccount(b *testing.B) {
	gpu := card(b, "h100-sxm")
	j := train.Job{
		Shape: sketched(b, 405e9, 0), Method: train.Pretrain, Framework: train.Megatron, Precision: train.BF16, Optimizer: train.AdamW,
		Recompute: train.Selective, Loss: train.Plain, Sequence: 8192, Global: 2048,
	}
	p := train.Plan{GPU: gpu, Tensor: 8, Pipeline: 16, Context: 1, Expert: 1, Data: 128, Virtual: 1, Zero: 1, Micro: 1}
	for b.Loop() {
		if _, err := train.Account(&j, &p); err != nil {
			b.Fatal(err)
		}
	}
}
