package train_test

import (
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	cards "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/strictjson"
	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/train/catalog"
)

// anchor is a run whose makers said what it took and on what.
type anchor struct {
	name   string
	config string
	card   string
	job    train.Job
	plan   train.Plan
	hours  float64
	mfu    [2]float64 // 0 if not said
	off    float64    // factor that the middle may be off; the range has to hold the hours in any case
	source string
}

func llama(hidden, layers, heads, kv, width, vocab string) string {
	return `{"architectures":["LlamaForCausalLM"],"hidden_size":` + hidden + `,"num_hidden_layers":` + layers + `,"num_attention_heads":` + heads +
		`,"num_key_value_heads":` + kv + `,"intermediate_size":` + width + `,"vocab_size":` + vocab +
		`,"max_position_embeddings":8192,"tie_word_embeddings":false}`
}

func anchors() []anchor {
	bf16 := func(f train.Framework, again train.Recompute, sequence, global int64, tokens float64) train.Job {
		return train.Job{
			Method: train.Pretrain, Framework: f, Precision: train.BF16, Optimizer: train.AdamW, Recompute: again, Loss: train.Plain,
			Sequence: sequence, Global: global, Tokens: tokens, Fill: 1,
		}
	}
	return []anchor{
		{
			name: "Llama 3.1 405B", config: llama("16384", "126", "128", "8", "53248", "128256"), card: "h100-sxm",
			job:   bf16(train.Megatron, train.None, 8192, 2048, 15.6e12),
			plan:  train.Plan{GPUs: 16384, Tensor: 8, Pipeline: 16, Context: 1, Expert: 1, Data: 128, Schedule: train.Interleaved, Zero: 1, Micro: 1},
			hours: 30.84e6, mfu: [2]float64{0.38, 0.43}, off: 1.35,
			source: "model card of Llama 3.1 (30.84M H100 hours); The Llama 3 Herd of Models, table 4 (16,384 devices, 38 to 43 % MFU)",
		},
		{
			name: "BLOOM 176B", card: "a100-80-sxm",
			config: `{"architectures":["BloomForCausalLM"],"model_type":"bloom","hidden_size":14336,"n_layer":70,"n_head":112,"vocab_size":250880,"seq_length":2048}`,
			job:    bf16(train.Megatron, train.Whole, 2048, 2048, 366e9),
			plan:   train.Plan{GPUs: 384, Tensor: 4, Pipeline: 12, Context: 1, Expert: 1, Data: 8, Virtual: 1, Schedule: train.OneFOneB, Zero: 1, Micro: 2},
			hours:  1.08e6, off: 1.5, source: "BLOOM, a 176B-parameter open-access multilingual language model; Estimating the carbon footprint of BLOOM (1,082,990 A100 hours)",
		},
		{
			name: "Llama 2 7B", config: llama("4096", "32", "32", "32", "11008", "32000"), card: "a100-80-sxm",
			job:   bf16(train.FSDP, train.None, 4096, 1024, 2e12),
			plan:  train.Plan{GPUs: 256, Tensor: 1, Pipeline: 1, Context: 1, Expert: 1, Data: 256, Virtual: 1, Zero: 3, Micro: 2},
			hours: 184_320, off: 1.6, source: "model card of Llama 2",
		},
		{
			name: "Llama 2 70B", config: llama("8192", "80", "64", "8", "28672", "32000"), card: "a100-80-sxm",
			job:   bf16(train.Megatron, train.Selective, 4096, 1024, 2e12),
			plan:  train.Plan{GPUs: 2048, Tensor: 8, Pipeline: 4, Context: 1, Expert: 1, Data: 64, Virtual: 5, Schedule: train.Interleaved, Zero: 1, Micro: 1},
			hours: 1_720_320, off: 1.5, source: "model card of Llama 2",
		},
		{
			name: "Llama 3 70B", config: llama("8192", "80", "64", "8", "28672", "128256"), card: "h100-sxm",
			job:   bf16(train.Megatron, "", 8192, 0, 15e12),
			plan:  train.Plan{GPUs: 16384, Zero: -1},
			hours: 6.4e6, off: 1.5, source: "model card of Llama 3; division and batch were not published",
		},
		{
			name: "OLMo 2 7B", config: llama("4096", "32", "32", "32", "11008", "100352"), card: "h100-sxm",
			job:   bf16(train.FSDP, "", 4096, 1024, 5.93e12),
			plan:  train.Plan{GPUs: 512, Zero: -1},
			hours: 234_000, off: 1.35, source: "as published of OLMo 3 7B, whose shape differs in its windows alone",
		},
	}
}

func shaped(t *testing.T, config string) *arch.Shape {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(config), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Runs that no constant was fitted on come out near what their makers said.
func TestAnchors(t *testing.T) {
	c, err := train.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range anchors() {
		j, p := a.job, a.plan
		j.Shape = shaped(t, a.config)
		if p.GPU, err = cards.Default().Get(a.card); err != nil {
			t.Fatal(err)
		}
		fabric, err := catalog.Fabric(p.GPU, "")
		if err != nil {
			t.Fatal(err)
		}
		p.Fabric = &fabric
		if j, p, _, err = train.Complete(j, p); err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		f, err := c.Time(&j, &p)
		if err != nil {
			t.Fatalf("%s: %v", a.name, err)
		}
		h := f.Run.GPUHours
		t.Logf("%s: %.3g hours (%.3g to %.3g), published %.3g; MFU %.3f (%.3f to %.3f); goodput %.2f", a.name, h.Mid, h.Low, h.High, a.hours, f.MFU.Mid, f.MFU.Low, f.MFU.High, f.Run.Goodput.Mid)
		for _, one := range f.Parts {
			t.Logf("  %s %.1f %%", one.Name, 100*one.Seconds/f.StepSeconds.Mid)
		}
		if a.hours < h.Low || a.hours > h.High || math.Abs(math.Log(h.Mid/a.hours)) > math.Log(a.off) {
			t.Errorf("%s takes %.3g hours (%.3g to %.3g), published are %.3g (%s)", a.name, h.Mid, h.Low, h.High, a.hours, a.source)
		}
		if a.mfu[0] > 0 && (f.MFU.High < a.mfu[0] || f.MFU.Low > a.mfu[1] || f.MFU.Mid < a.mfu[0]-0.05 || f.MFU.Mid > a.mfu[1]+0.05) {
			t.Errorf("%s has an MFU of %.3f, published are %v (%s)", a.name, f.MFU.Mid, a.mfu, a.source)
		}
	}
}

// DeepSeek-V3 as its report has it: experts over 64 ranks of 16 stages, no tensor ranks, the bubble filled from both ends.
func TestDeepSeek(t *testing.T) {
	m := measured(t, "deepseek-v3-readme/1")
	j, p, err := m.Question(false)
	if err != nil {
		t.Fatal(err)
	}
	j.Sequence, j.Global, j.Recompute, j.Loss, j.Framework, j.Optimizer, j.Fill = 4096, 15360, train.Selective, train.Plain, train.Megatron, train.AdamW, 1
	p.Tensor, p.Pipeline, p.Context, p.Expert, p.Data, p.Zero, p.Micro, p.Schedule, p.Virtual = 1, 16, 1, 64, 128, 1, 1, train.ZeroBubble, 1
	fabric, err := catalog.Fabric(p.GPU, "")
	if err != nil {
		t.Fatal(err)
	}
	p.Fabric = &fabric
	c, err := train.Default()
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.Time(&j, &p)
	if err != nil {
		t.Fatal(err)
	}
	h := f.Run.GPUHours
	t.Logf("%.4g hours (%.4g to %.4g), published %.4g; MFU %.3f", h.Mid, h.Low, h.High, m.Value, f.MFU.Mid)
	for _, one := range f.Parts {
		t.Logf("%s %.1f %%", one.Name, 100*one.Seconds/f.StepSeconds.Mid)
	}
	if m.Value < h.Low || m.Value > h.High {
		t.Errorf("%.4g hours (%.4g to %.4g), published %.4g of 2.788M with what came after", h.Mid, h.Low, h.High, m.Value)
	}
}

func measured(t *testing.T, id string) *catalog.Measurement {
	t.Helper()
	all, err := catalog.All()
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(all, func(m catalog.Measurement) bool { return m.ID == id })
	if i < 0 {
		t.Fatalf("no measurement %s", id)
	}
	return &all[i]
}

// What is asked as someone asks who has only a table is near to what was measured, and ranges hold what they should.
func TestStepsAsMeasured(t *testing.T) {
	all, err := catalog.All()
	if err != nil {
		t.Fatal(err)
	}
	c, err := train.Default()
	if err != nil {
		t.Fatal(err)
	}
	sources := map[string][]float64{}
	var off []float64
	inside, n := 0.0, 0.0
	for i := range all {
		m := &all[i]
		if m.Metric.Kind() != catalog.Speed || m.Outside != "" {
			continue
		}
		j, p, err := m.Question(true)
		if err != nil {
			continue
		}
		if j, p, _, err = train.Complete(j, p); err != nil {
			t.Errorf("%s: %v", m.ID, err)
			continue
		}
		f, err := c.Time(&j, &p)
		if err != nil {
			t.Errorf("%s: %v", m.ID, err)
			continue
		}
		got, ok := m.Computed(&p, nil, f)
		if !ok {
			continue
		}
		e := math.Abs(got.Mid/m.Value - 1)
		off, n = append(off, e), n+1
		sources[m.Source.Title] = append(sources[m.Source.Title], e)
		if got.Low <= m.Value && m.Value <= got.High {
			inside++
		}
	}
	if len(off) < 130 {
		t.Fatalf("%d measurements are compared", len(off))
	}
	var mean float64
	for _, list := range sources {
		mean += median(list) / float64(len(sources))
	}
	t.Logf("%d steps: median %.1f %%, mean of %d sources %.1f %%, inside %.0f %%", len(off), 100*median(off), len(sources), 100*mean, 100*inside/n)
	if median(off) > 0.12 || mean > 0.18 || inside/n < 0.72 {
		t.Errorf("%d steps: median %.1f %%, mean of %d sources %.1f %%, inside %.0f %%", len(off), 100*median(off), len(sources), 100*mean, 100*inside/n)
	}
}
