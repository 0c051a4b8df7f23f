package train

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
)

// kept checks that a job and a plan still hold all that was said of them.
func kept(before, after any) error {
	a, b := reflect.ValueOf(before), reflect.ValueOf(after)
	for i := range a.NumField() {
		name := a.Type().Field(i).Name
		if a.Field(i).IsZero() || name == "Zero" && a.Field(i).Int() < 0 {
			continue
		}
		if !reflect.DeepEqual(a.Field(i).Interface(), b.Field(i).Interface()) {
			return fmt.Errorf("%s was %v and is %v", name, a.Field(i).Interface(), b.Field(i).Interface())
		}
	}
	return nil
}

// keepsCompletion checks the laws of Complete.
func keepsCompletion(j Job, p Plan) error {
	job, plan, settled, err := Complete(j, p)
	if err != nil {
		if !errors.Is(err, ErrIllegal) && !errors.Is(err, ErrUnknown) {
			return fmt.Errorf("an error of another kind: %w", err)
		}
		return nil
	}
	if err := plan.Check(&job); err != nil {
		return fmt.Errorf("what was completed is illegal: %w", err)
	}
	cut := j.Framework == TorchTitan && p.Micro > 1 && plan.Micro == 1
	if err := kept(j, job); err != nil {
		return err
	}
	if before := p; !cut {
		if err := kept(before, plan); err != nil {
			return err
		}
	}
	for _, s := range settled {
		if s.Name == "" || s.Value == "" || s.Why == "" {
			return fmt.Errorf("%+v is not explained", s)
		}
	}
	again, same, more, err := Complete(job, plan)
	if err != nil {
		return fmt.Errorf("completing twice: %w", err)
	}
	if len(more) > 0 || !reflect.DeepEqual(again, job) || !reflect.DeepEqual(same, plan) {
		return fmt.Errorf("completing twice settles %v", more)
	}
	return nil
}

func TestCompleteKeepsItsLaws(t *testing.T) {
	asked := 0
	for name := range models {
		s := shapeOf(t, name)
		for _, card := range []string{"h100-sxm", "a100-40-sxm", "rtx-4090", "v100-32-sxm", "b200-sxm", "mi300x"} {
			a := cardOf(t, card)
			for _, n := range []int{0, 1, 2, 8, 9, 64, 100, 2048} {
				for _, m := range append(Methods(), "") {
					for _, f := range append(Frameworks(), "") {
						if asked++; asked%7 != 0 && f != "" {
							continue
						}
						if err := keepsCompletion(Job{Shape: s, Method: m, Framework: f}, Plan{GPU: a, Fabric: fabricOf(a), GPUs: n, Zero: -1}); err != nil {
							t.Errorf("%s, %d %s, %s in %s: %v", name, n, card, m, f, err)
						}
					}
				}
			}
		}
	}
	if asked == 0 {
		t.Fatal("nothing was asked")
	}
}

func TestCompleteDefaults(t *testing.T) {
	h100, v100, a100 := cardOf(t, "h100-sxm"), cardOf(t, "v100-32-sxm"), cardOf(t, "a100-80-sxm")
	for _, tt := range []struct {
		name string
		job  Job
		plan Plan
		is   func(*Job, *Plan) bool
	}{
		{"pre-training on many", Job{Shape: shapeOf(t, "70b"), Method: Pretrain}, Plan{GPU: h100, GPUs: 1024}, func(j *Job, p *Plan) bool {
			return j.Framework == Megatron && j.Precision == BF16 && j.Optimizer == AdamW && j.Sequence == 8192 && j.Global == 1024 && p.Zero == 1 && p.Tensor <= 8
		}},
		{"pre-training on one machine", Job{Shape: shapeOf(t, "1b"), Method: Pretrain}, Plan{GPU: h100, GPUs: 8}, func(j *Job, p *Plan) bool {
			return j.Framework == FSDP && p.Zero == 3 && p.Data == 8
		}},
		{"a model that does not fit", Job{Shape: shapeOf(t, "70b"), Method: Pretrain}, Plan{GPU: h100, GPUs: 1}, func(j *Job, p *Plan) bool {
			return p.Data == 1 && p.Zero == 0 && j.Recompute == None && p.Micro == 1
		}},
		{"all weights", Job{Shape: shapeOf(t, "8b"), Method: Full}, Plan{GPU: h100, GPUs: 8}, func(j *Job, p *Plan) bool {
			return j.Framework == FSDP && j.Sequence == 2048 && j.Global == 64 && p.Zero == 3
		}},
		{"adapters", Job{Shape: shapeOf(t, "8b"), Method: LoRA}, Plan{GPU: h100, GPUs: 1}, func(j *Job, _ *Plan) bool {
			return j.Framework == HF && j.Rank == 16 && len(j.Targets) == 7 && j.Quantized == ""
		}},
		{"4 bits", Job{Shape: shapeOf(t, "8b"), Method: QLoRA}, Plan{GPU: h100, GPUs: 1}, func(j *Job, _ *Plan) bool {
			return j.Quantized == "nf4-dq" && len(j.Targets) == 7 && j.Recompute == Whole
		}},
		{"torchtune", Job{Shape: shapeOf(t, "8b"), Method: LoRA, Framework: TorchTune}, Plan{GPU: h100, GPUs: 1}, func(j *Job, p *Plan) bool {
			return j.Rank == 8 && j.Loss == Chunked && p.Micro == 2
		}},
		{"all weights in torchtune", Job{Shape: shapeOf(t, "8b"), Method: Full, Framework: TorchTune}, Plan{GPU: h100, GPUs: 1}, func(j *Job, p *Plan) bool {
			return j.PureBF16 && j.InBackward && j.Optimizer == AdamW8bit && j.Offload == NoOffload && j.Global == p.Micro
		}},
		{"all weights in torchtune where states have no room", Job{Shape: shapeOf(t, "8b"), Method: Full, Framework: TorchTune}, Plan{GPU: cardOf(t, "rtx-4090"), GPUs: 1}, func(j *Job, _ *Plan) bool {
			return j.InBackward && j.Optimizer == AdamW8bit && j.Offload == OffOptimizer
		}},
		{"70B in torchtune", Job{Shape: shapeOf(t, "70b"), Method: Full, Framework: TorchTune}, Plan{GPU: a100, GPUs: 8}, func(j *Job, p *Plan) bool {
			return j.PureBF16 && j.Offload == OffAll && p.Zero == 3
		}},
		{"passes of torchtitan", Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Framework: TorchTitan, Global: 64}, Plan{GPU: h100, GPUs: 512, Tensor: 8, Pipeline: 8}, func(j *Job, p *Plan) bool {
			return p.Micros(j) == 8
		}},
		{"groups", Job{Shape: shapeOf(t, "8b"), Method: GRPO}, Plan{GPU: h100, GPUs: 8}, func(j *Job, _ *Plan) bool {
			return j.Group == 8 && j.Prompt == 512 && j.Reference == j.Shape && j.Critic == nil && j.Rollout
		}},
		{"a critic", Job{Shape: shapeOf(t, "8b"), Method: PPO}, Plan{GPU: h100, GPUs: 8}, func(j *Job, _ *Plan) bool {
			return j.Critic == j.Shape && j.Reward == j.Shape
		}},
		{"pairs with adapters", Job{Shape: shapeOf(t, "8b"), Method: DPO, Rank: 8}, Plan{GPU: h100, GPUs: 1}, func(j *Job, _ *Plan) bool {
			return j.Reference == nil && len(j.Targets) > 0
		}},
		{"before Ampere", Job{Shape: shapeOf(t, "1b"), Method: LoRA}, Plan{GPU: v100, GPUs: 1}, func(j *Job, _ *Plan) bool { return j.Precision == FP16 }},
		{"a division that was given", Job{Shape: shapeOf(t, "405b"), Method: Pretrain}, Plan{GPU: h100, GPUs: 512, Tensor: 8, Pipeline: 8}, func(_ *Job, p *Plan) bool {
			return p.Data == 8 && p.Context == 1 && p.Virtual == 8 && p.Schedule == Interleaved
		}},
		{"a division alone", Job{Shape: shapeOf(t, "405b"), Method: Pretrain}, Plan{GPU: h100, Tensor: 8, Pipeline: 8, Data: 2}, func(_ *Job, p *Plan) bool {
			return p.GPUs == 128
		}},
		{"the FSDP of Megatron", Job{Shape: shapeOf(t, "70b"), Method: Pretrain, Framework: Megatron}, Plan{GPU: h100, GPUs: 64, Tensor: 1, Pipeline: 1}, func(_ *Job, p *Plan) bool {
			return p.Zero == 3
		}},
		{"a batch of torchtitan", Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Framework: TorchTitan, Global: 256}, Plan{GPU: h100, GPUs: 512, Tensor: 8, Pipeline: 8, Micro: 32}, func(j *Job, p *Plan) bool {
			return p.Micro == 1 && p.Micros(j) == 32 && p.Zero == 2
		}},
		{"a cluster beyond the batch", Job{Shape: shapeOf(t, "1b"), Method: Pretrain}, Plan{GPU: a100, GPUs: 4096}, func(j *Job, p *Plan) bool {
			return j.Global >= int64(p.Data)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.plan.Fabric, tt.plan.Zero = fabricOf(tt.plan.GPU), -1
			j, p, _, err := Complete(tt.job, tt.plan)
			if err != nil {
				t.Fatal(err)
			}
			if !tt.is(&j, &p) {
				t.Errorf("%s in %s, rank %d of %v, loss %s, seq %d, batch %d, recompute %s", (&Option{Job: j, Plan: p}).text(), j.Framework, j.Rank, j.Targets,
					j.Loss, j.Sequence, j.Global, j.Recompute)
			}
		})
	}
}

// FuzzComplete: whatever is asked is answered or refused, and what is answered keeps the laws.
func FuzzComplete(f *testing.F) {
	shapes := make([]*arch.Shape, 0, len(models))
	for _, name := range []string{"1b", "8b", "70b", "405b", "experts"} {
		shapes = append(shapes, shapeOf(f, name))
	}
	var cards []*hardware.Accelerator
	for _, id := range []string{"h100-sxm", "a100-40-sxm", "rtx-4090", "v100-32-sxm", "gb200"} {
		cards = append(cards, cardOf(f, id))
	}
	f.Add(uint8(0), uint8(0), 8, 1, 1, 1, 1, 1, 0, -1, int64(4096), int64(64), int64(1), int64(0), 1e9, 1.0)
	f.Add(uint8(73), uint8(200), 1<<62, -1, 1<<40, 3, 7, 1<<20, 9, 4, int64(math.MaxInt64), int64(math.MinInt64), int64(1<<62), int64(-3), math.Inf(1), math.NaN())
	f.Add(uint8(21), uint8(33), 512, 8, 8, 2, 0, 0, 0, -1, int64(0), int64(0), int64(8), int64(0), 0.0, 0.0)
	f.Fuzz(func(t *testing.T, what, on uint8, gpus, tensor, pipeline, context, expert, data, virtual, zero int, sequence, global, micro, rank int64, tokens, fill float64) {
		methods, frameworks, precisions := append(Methods(), ""), append(Frameworks(), ""), append(Precisions(), "")
		a := cards[int(on)%len(cards)]
		j := Job{
			Shape: shapes[int(what)%len(shapes)], Method: methods[int(what/5)%len(methods)], Framework: frameworks[int(on/5)%len(frameworks)],
			Precision: precisions[int(what^on)%len(precisions)], Sequence: sequence, Global: global, Rank: rank, Tokens: tokens, Fill: fill,
		}
		p := Plan{
			GPU: a, Fabric: fabricOf(a), GPUs: gpus, Tensor: tensor, Pipeline: pipeline, Context: context, Expert: expert, Data: data, Virtual: virtual,
			Zero: zero, Micro: micro,
		}
		if err := keepsCompletion(j, p); err != nil {
			t.Error(err)
		}
		if err := p.Check(&j); err != nil && !errors.Is(err, ErrIllegal) {
			t.Error(err)
		}
	})
}
