package train

import (
	"errors"
	"math"
	"strings"
	"testing"
)

// legal is a job and a plan that Megatron starts.
func legal(t testing.TB) (Job, Plan) {
	t.Helper()
	a := cardOf(t, "h100-sxm")
	j := Job{
		Shape: shapeOf(t, "70b"), Method: Pretrain, Framework: Megatron, Precision: BF16, Optimizer: AdamW, Recompute: None, Loss: Plain,
		Offload: NoOffload, Sequence: 8192, Global: 1024, Fill: 1,
	}
	p := Plan{
		GPU: a, Fabric: fabricOf(a), GPUs: 128, Tensor: 8, Pipeline: 4, Context: 1, Expert: 1, Data: 4, Virtual: 5, Zero: 1, Micro: 1,
		Schedule: Interleaved,
	}
	return j, p
}

func TestCheck(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*Job, *Plan)
		says   string // "" is legal
	}{
		{"legal", func(*Job, *Plan) {}, ""},
		{"no model", func(j *Job, _ *Plan) { j.Shape = nil }, "no model"},
		{"no devices", func(_ *Job, p *Plan) { p.GPUs = 0 }, "say 1 to 1048576"},
		{"negative devices", func(_ *Job, p *Plan) { p.GPUs = -8 }, "GPUs: -8"},
		{"endless devices", func(_ *Job, p *Plan) { p.GPUs = 1 << 62 }, "GPUs: 4611686018427387904"},
		{"endless ranks", func(_ *Job, p *Plan) { p.Tensor = 1 << 62 }, "tensor parallel ranks"},
		{"ranks whose product is too large", func(_ *Job, p *Plan) { p.Tensor, p.Pipeline, p.Context, p.Data = 1<<20, 1<<20, 1<<20, 1<<20 }, "say --gpus"},
		{"another product", func(_ *Job, p *Plan) { p.GPUs = 100 }, "say --gpus 128"},
		{"another number of replicas", func(_ *Job, p *Plan) { p.Data = 3 }, "say --dp 4"},
		{"heads", func(_ *Job, p *Plan) { p.Tensor, p.GPUs = 3, 48 }, "say --tp 2"},
		{"more ranks than heads of keys", func(j *Job, p *Plan) { p.Tensor, p.GPUs, j.Sequence = 16, 256, 8192 }, ""},
		{"the same in torchtitan", func(j *Job, p *Plan) {
			j.Framework, p.Tensor, p.GPUs, p.Virtual, p.Schedule, p.Zero = TorchTitan, 16, 256, 1, OneFOneB, 2
		}, "say --tp 8"},
		{"chunks beyond layers", func(_ *Job, p *Plan) { p.Virtual = 30 }, "say 20 virtual stages"},
		{"chunks without a pipeline", func(_ *Job, p *Plan) { p.Pipeline, p.Data = 1, 16 }, "need a pipeline"},
		{"stages beyond layers", func(_ *Job, p *Plan) { p.Pipeline, p.GPUs, p.Virtual, p.Schedule = 128, 4096, 1, OneFOneB }, "say --pp 80"},
		{"rounds of a pipeline", func(j *Job, _ *Plan) { j.Global = 1024 + 8 }, "say --global-batch 1024"},
		{"chunks in order", func(_ *Job, p *Plan) { p.Schedule = OneFOneB }, "has no chunks"},
		{"batch", func(j *Job, p *Plan) { j.Global, p.Virtual, p.Schedule = 1001, 1, OneFOneB }, "say --global-batch 1004"},
		{"context", func(j *Job, p *Plan) { p.Context, p.Data, j.Sequence = 4, 1, 8196 }, "say --seq-len 8200"},
		{"experts without any", func(_ *Job, p *Plan) { p.Expert = 8 }, "no experts"},
		{"ZeRO beside a pipeline", func(j *Job, p *Plan) { j.Framework, p.Zero, p.Virtual, p.Schedule = DeepSpeed, 3, 1, OneFOneB }, "together with a pipeline, say --zero 1"},
		{"no pipeline in axolotl", func(j *Job, _ *Plan) { j.Framework = Axolotl }, "--pp 1 instead of 4"},
		{"no ranks of tensor in litgpt", func(j *Job, p *Plan) { j.Framework, p.Pipeline, p.Virtual, p.Data = LitGPT, 1, 1, 16 }, "--tp 1 instead of 8"},
		{"fp8 on Ampere", func(j *Job, p *Plan) { j.Precision, p.GPU = FP8, cardOf(t, "a100-80-sxm") }, "say --precision bf16"},
		{"nvfp4 on Hopper", func(j *Job, _ *Plan) { j.Precision = NVFP4 }, "say --precision bf16"},
		{"nvfp4 on Blackwell", func(j *Job, p *Plan) { j.Precision, p.GPU = NVFP4, cardOf(t, "b200-sxm") }, ""},
		{"bf16 on Volta", func(_ *Job, p *Plan) { p.GPU = cardOf(t, "v100-32-sxm") }, "say --precision fp16"},
		{"4 bits in Megatron", func(j *Job, _ *Plan) { j.Method = QLoRA }, "say --framework fsdp"},
		{"adapters without a rank", func(j *Job, _ *Plan) { j.Method = LoRA }, "say --lora-rank 16"},
		{"adapters in pre-training", func(j *Job, _ *Plan) { j.Rank = 8 }, "say --method lora"},
		{"an unknown method", func(j *Job, _ *Plan) { j.Method = "guess" }, "say pretrain, full"},
		{"a long unknown method", func(j *Job, _ *Plan) { j.Method = Method(strings.Repeat("x", 1<<20)) }, "is not known"},
		{"no fill", func(j *Job, _ *Plan) { j.Fill = math.NaN() }, "padding"},
		{"endless tokens", func(j *Job, _ *Plan) { j.Tokens = math.Inf(1) }, "tokens of the run"},
		{"one pass of everything", func(_ *Job, p *Plan) { p.Micro = 1 << 20 }, "say a micro batch of at most 131072"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			j, p := legal(t)
			tt.change(&j, &p)
			err := p.Check(&j)
			switch {
			case tt.says == "":
				if err != nil {
					t.Error(err)
				}
			case !errors.Is(err, ErrIllegal) || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 400:
				t.Errorf("%v does not say %q", err, tt.says)
			}
		})
	}
}

// TestExperts: data, context and tensor ranks share the experts, those of data alone in DeepSpeed.
func TestCheckExperts(t *testing.T) {
	j, p := legal(t)
	j.Shape = shapeOf(t, "experts")
	p.GPUs, p.Tensor, p.Pipeline, p.Data, p.Virtual, p.Schedule = 64, 2, 1, 32, 1, OneFOneB
	for _, tt := range []struct {
		name      string
		framework Framework
		experts   int
		legal     bool
	}{
		{"all", Megatron, 64, true},
		{"more than there are", Megatron, 128, false},
		{"no divisor", Megatron, 48, false},
		{"data alone", DeepSpeed, 32, true},
		{"beyond data", DeepSpeed, 64, false},
		{"none in axolotl", Axolotl, 8, false},
	} {
		j.Framework, p.Expert = tt.framework, tt.experts
		if err := p.Check(&j); (err == nil) != tt.legal {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

// TestBenchmarksAreLegal: divisions that publishers measured.
func TestBenchmarksAreLegal(t *testing.T) {
	a := cardOf(t, "h100-sxm")
	for _, tt := range []struct {
		model                                               string
		gpus, tensor, pipeline, context, expert, virtual, m int
		global                                              int64
	}{
		{"405b", 1024, 8, 8, 2, 1, 8, 1, 512},
		{"70b", 64, 2, 4, 1, 1, 5, 1, 256},
		{"experts", 16, 1, 2, 1, 8, 24, 2, 512},
		{"experts", 16, 1, 1, 1, 16, 1, 1, 1024},
	} {
		j, _ := legal(t)
		j.Shape, j.Global = shapeOf(t, tt.model), tt.global
		p := Plan{
			GPU: a, GPUs: tt.gpus, Tensor: tt.tensor, Pipeline: tt.pipeline, Context: tt.context, Expert: tt.expert, Virtual: tt.virtual,
			Data: tt.gpus / tt.tensor / tt.pipeline / tt.context, Micro: int64(tt.m), Zero: 1, Schedule: OneFOneB,
		}
		if tt.virtual > 1 {
			p.Schedule = Interleaved
		}
		if err := p.Check(&j); err != nil {
			t.Errorf("%+v: %v", tt, err)
		}
	}
}
