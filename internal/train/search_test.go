package train

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

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
	"671b": `{"architectures":["DeepseekV3ForCausalLM"],"model_type":"deepseek_v3","hidden_size":7168,"num_hidden_layers":61,"num_attention_heads":128,
		"num_key_value_heads":128,"intermediate_size":18432,"moe_intermediate_size":2048,"n_routed_experts":256,"n_shared_experts":1,"num_experts_per_tok":8,
		"first_k_dense_replace":3,"moe_layer_freq":1,"q_lora_rank":1536,"kv_lora_rank":512,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,
		"num_nextn_predict_layers":1,"vocab_size":129280,"max_position_embeddings":163840,"tie_word_embeddings":false}`,
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
				f, err := Find(b.Context(), c, Job{Shape: shapeOf(b, "405b"), Method: Pretrain, Tokens: 15.6e12}, w)
				if err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(float64(f.Looked), "looked")
				b.ReportMetric(float64(f.Fitted), "fitted")
			}
		})
	}
}

func BenchmarkFindExperts(b *testing.B) {
	c, err := Default()
	if err != nil {
		b.Fatal(err)
	}
	a := cardOf(b, "h100-sxm")
	for _, n := range []int{0, 2048, 16384} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			for b.Loop() {
				f, err := Find(b.Context(), c, Job{Shape: shapeOf(b, "671b"), Method: Pretrain, Tokens: 14.8e12}, Want{GPU: a, Fabric: fabricOf(a), GPUs: n, Said: Plan{Zero: -1}})
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

// TestWeighs: the rules of thumb by which a division is completed find one that is not far from the fastest.
func TestCompletedIsNearTheFastest(t *testing.T) {
	c := constants(t)
	a := cardOf(t, "h100-sxm")
	for _, tt := range []struct {
		model string
		gpus  int
	}{{"8b", 8}, {"8b", 64}, {"70b", 256}, {"405b", 1024}, {"experts", 64}} {
		j := Job{Shape: shapeOf(t, tt.model), Method: Pretrain, Framework: Megatron}
		f, err := Find(t.Context(), c, j, Want{GPU: a, Fabric: fabricOf(a), GPUs: tt.gpus, Said: Plan{Zero: -1}})
		if err != nil || len(f.Best) == 0 {
			t.Fatal(tt.model, err, f)
		}
		job, plan, _, err := Complete(j, Plan{GPU: a, Fabric: fabricOf(a), GPUs: tt.gpus, Zero: -1})
		if err != nil {
			t.Fatal(err)
		}
		step, _, err := c.Seconds(&job, &plan)
		if err != nil {
			t.Fatal(err)
		}
		if slower := step/float64(job.Global*job.Sequence)/f.Best[0].token - 1; slower > 0.4 {
			t.Errorf("%s on %d: completed as %s, which is %.0f %% slower than %s", tt.model, tt.gpus, (&Option{Job: job, Plan: plan}).text(), 100*slower, f.Best[0].text())
		}
	}
}

func constants(t testing.TB) *Constants {
	t.Helper()
	c, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// question is a search that has an answer.
type question struct {
	name string
	job  Job
	want Want
}

func questions(t testing.TB) []question {
	t.Helper()
	h100, gaming := cardOf(t, "h100-sxm"), cardOf(t, "rtx-4090")
	nobody := Plan{Zero: -1}
	return []question{
		{"405b exactly", Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Tokens: 15.6e12}, Want{GPU: h100, Fabric: fabricOf(h100), GPUs: 16384, Said: nobody}},
		{"70b by a deadline", Job{Shape: shapeOf(t, "70b"), Method: Pretrain, Tokens: 15e12}, Want{GPU: h100, Fabric: fabricOf(h100), Deadline: 90 * day, Said: nobody}},
		{"8b by a deadline", Job{Shape: shapeOf(t, "8b"), Method: Pretrain, Tokens: 1e12}, Want{GPU: h100, Fabric: fabricOf(h100), Deadline: 20 * day, Price: 2, Said: nobody}},
		{"experts", Job{Shape: shapeOf(t, "experts"), Method: Pretrain, Tokens: 1e12}, Want{GPU: h100, Fabric: fabricOf(h100), GPUs: 128, Said: nobody}},
		{"odd number", Job{Shape: shapeOf(t, "8b"), Method: Pretrain, Tokens: 1e12}, Want{GPU: h100, Fabric: fabricOf(h100), GPUs: 9, Said: nobody}},
		{"full", Job{Shape: shapeOf(t, "8b"), Method: Full, Tokens: 1e9}, Want{GPU: h100, Fabric: fabricOf(h100), Said: nobody}},
		{"adapters", Job{Shape: shapeOf(t, "70b"), Method: LoRA, Tokens: 1e9}, Want{GPU: h100, Fabric: fabricOf(h100), Said: nobody}},
		{"4 bits", Job{Shape: shapeOf(t, "8b"), Method: QLoRA, Tokens: 1e9}, Want{GPU: gaming, Fabric: fabricOf(gaming), Max: 8, Said: nobody}},
		{"torchtitan", Job{Shape: shapeOf(t, "8b"), Method: Pretrain, Framework: TorchTitan, Tokens: 1e12}, Want{GPU: h100, Fabric: fabricOf(h100), GPUs: 64, Said: nobody}},
		{"as said", Job{Shape: shapeOf(t, "70b"), Method: Pretrain, Tokens: 1e12, Global: 1024, Recompute: Whole}, Want{
			GPU: h100, Fabric: fabricOf(h100), GPUs: 256, Said: Plan{Tensor: 8, Micro: 1, Zero: 1},
		}},
	}
}

const day = 86400

func TestFoundAreLegalAndFit(t *testing.T) {
	c := constants(t)
	for _, q := range questions(t) {
		t.Run(q.name, func(t *testing.T) {
			f, err := Find(t.Context(), c, q.job, q.want)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Best) == 0 || f.Looked < len(f.Best) || f.Fitted < len(f.Best) || f.Fitted > f.Looked || f.Largest < 1 || f.Why != "" {
				t.Fatalf("%d found, %d of %d fit, largest %d: %s", len(f.Best), f.Fitted, f.Looked, f.Largest, f.Why)
			}
			for i := range f.Best {
				keepsPlan(t, q, &f.Best[i])
			}
			for _, s := range f.Settled {
				if s.Name == "" || s.Value == "" || s.Why == "" {
					t.Errorf("%+v is not explained", s)
				}
			}
		})
	}
}

func keepsPlan(t *testing.T, q question, o *Option) {
	t.Helper()
	if err := o.Plan.Check(&o.Job); err != nil {
		t.Errorf("%s: %v", o.text(), err)
	}
	if o.Memory.Verdict != Fits {
		t.Errorf("%s: %s", o.text(), o.Memory.Verdict)
	}
	if len(o.Reasons) == 0 || slices.Contains(o.Reasons, "") {
		t.Errorf("%s: no reason", o.text())
	}
	if w := &q.want; w.GPUs > 0 && o.Plan.GPUs != w.GPUs || w.Max > 0 && o.Plan.GPUs > w.Max || w.Said.Tensor > 0 && o.Plan.Tensor != w.Said.Tensor ||
		w.Said.Micro > 0 && o.Plan.Micro != w.Said.Micro || q.job.Global > 0 && o.Job.Global != q.job.Global || q.job.Recompute != "" && o.Job.Recompute != q.job.Recompute {
		t.Errorf("%s does not keep to what was said", o.text())
	}
	if d := q.want.Deadline; d > 0 && o.Figures.Run.Seconds.High > d {
		t.Errorf("%s takes up to %s", o.text(), days(o.Figures.Run.Seconds.High))
	}
}

func TestSameQuestionSameAnswer(t *testing.T) {
	c := constants(t)
	for _, q := range questions(t) {
		first, err := Find(t.Context(), c, q.job, q.want)
		if err != nil {
			t.Fatal(err)
		}
		again, err := Find(t.Context(), c, q.job, q.want)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(told(first), told(again)); diff != "" {
			t.Errorf("%s: %s", q.name, diff)
		}
	}
}

func told(f *Found) []string {
	list := []string{fmt.Sprint(f.Looked, f.Fitted, f.Largest, f.Stops, f.Why)}
	for i := range f.Best {
		o := &f.Best[i]
		list = append(list, fmt.Sprint(o.text(), o.Hours, o.Cost, o.Reasons))
	}
	return list
}

func TestLongerDeadlineNeverCostsMore(t *testing.T) {
	c := constants(t)
	for _, q := range questions(t) {
		if q.want.Deadline == 0 {
			continue
		}
		before := math.Inf(1)
		for _, times := range []float64{0.05, 0.2, 0.5, 0.8, 1, 1.3, 2, 5, 30} {
			w := q.want
			w.Deadline *= times
			f, err := Find(t.Context(), c, q.job, w)
			if err != nil {
				t.Fatal(err)
			}
			hours := math.Inf(1)
			if len(f.Best) > 0 {
				hours = f.Best[0].Hours
			} else if f.Why == "" {
				t.Errorf("%s x %v: nothing was found, and nothing says why", q.name, times)
			}
			if hours > before {
				t.Errorf("%s x %v: %.0f hours, with less time %.0f", q.name, times, hours, before)
			}
			before = hours
		}
		if math.IsInf(before, 1) {
			t.Errorf("%s: nothing was ever found", q.name)
		}
	}
}

func TestMoreDevicesAreNeverSlower(t *testing.T) {
	c := constants(t)
	for _, q := range questions(t) {
		if q.want.GPUs > 0 || q.want.Deadline > 0 {
			continue
		}
		before := math.Inf(1)
		for _, most := range []int{1, 2, 7, 8, 16, 24, 100, 1000, 5000} {
			w := q.want
			w.Max = most
			f, err := Find(t.Context(), c, q.job, w)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Best) == 0 {
				continue
			}
			if token := f.Best[0].token; token > before {
				t.Errorf("%s up to %d: %v seconds a token, with fewer %v", q.name, most, token, before)
			} else {
				before = token
			}
		}
		if math.IsInf(before, 1) {
			t.Errorf("%s: nothing was ever found", q.name)
		}
	}
}

// TestNothingFasterFits: what an exhaustive search finds is not faster.
func TestNothingFasterFits(t *testing.T) {
	c := constants(t)
	a := cardOf(t, "h100-sxm")
	q := Want{GPU: a, Fabric: fabricOf(a), GPUs: 32, Said: Plan{Zero: -1}}
	s, err := newSearch(meter{Account, c.Seconds, c.Time}, Job{Shape: shapeOf(t, "8b"), Method: Pretrain, Framework: Megatron}, q)
	if err != nil {
		t.Fatal(err)
	}
	s.batch = s.limit
	var out size
	fitted := 0
	best := math.Inf(1)
	for _, x := range s.candidates(32, &out) {
		m, err := Account(&x.job, &x.plan)
		if err != nil {
			t.Fatal(err)
		}
		if m.Verdict == Fits {
			fitted++
			best = min(best, x.token)
		}
	}
	got := s.size(32)
	if got.fitted != fitted || got.best[0].token != best {
		t.Errorf("%d fit and the best takes %v, want %d and %v", got.fitted, got.best[0].token, fitted, best)
	}
}

func TestNothingFound(t *testing.T) {
	c := constants(t)
	gaming, h100 := cardOf(t, "rtx-4090"), cardOf(t, "h100-sxm")
	for _, tt := range []struct {
		name string
		job  Job
		want Want
		says string
	}{
		{"too large", Job{Shape: shapeOf(t, "70b"), Method: Full}, Want{GPU: gaming, Fabric: fabricOf(gaming), GPUs: 8}, "not even 8 GPUs"},
		{"too soon", Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Tokens: 15e12}, Want{GPU: h100, Fabric: fabricOf(h100), Deadline: day}, "1.0 days is asked for|24.0 hours is asked for"},
		{"beyond every peak", Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Tokens: 15e12}, Want{GPU: h100, Fabric: fabricOf(h100), Deadline: 60}, "even at the peak"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.want.Said.Zero = -1
			f, err := Find(t.Context(), c, tt.job, tt.want)
			if err != nil {
				t.Fatal(err)
			}
			if len(f.Best) > 0 || !slices.ContainsFunc(strings.Split(tt.says, "|"), func(s string) bool { return strings.Contains(f.Why, s) }) {
				t.Errorf("%d found, %q", len(f.Best), f.Why)
			}
		})
	}
}

func TestFindRefuses(t *testing.T) {
	c := constants(t)
	a := cardOf(t, "h100-sxm")
	for name, tt := range map[string]struct {
		job  Job
		want Want
		is   error
	}{
		"no card":         {Job{Shape: shapeOf(t, "8b")}, Want{}, ErrUnknown},
		"no model":        {Job{}, Want{GPU: a}, ErrIllegal},
		"negative":        {Job{Shape: shapeOf(t, "8b")}, Want{GPU: a, GPUs: -1}, ErrIllegal},
		"too many":        {Job{Shape: shapeOf(t, "8b")}, Want{GPU: a, GPUs: math.MaxInt}, ErrIllegal},
		"no number":       {Job{Shape: shapeOf(t, "8b"), Tokens: 1}, Want{GPU: a, Deadline: math.NaN()}, ErrIllegal},
		"no tokens":       {Job{Shape: shapeOf(t, "8b")}, Want{GPU: a, Deadline: day}, ErrIllegal},
		"an unknown word": {Job{Shape: shapeOf(t, "8b"), Method: "guess"}, Want{GPU: a, GPUs: 8}, ErrIllegal},
	} {
		tt.want.Said.Zero = -1
		if _, err := Find(t.Context(), c, tt.job, tt.want); !errors.Is(err, tt.is) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestFindEnds(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	_, err := Find(ended, constants(t), Job{Shape: shapeOf(t, "8b")}, Want{GPU: cardOf(t, "h100-sxm"), GPUs: 8, Said: Plan{Zero: -1}})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("canceled: %v", err)
	}
}
