package train

import (
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

func TestMendsMend(t *testing.T) {
	c := constants(t)
	h100, a100, gaming := cardOf(t, "h100-sxm"), cardOf(t, "a100-40-sxm"), cardOf(t, "rtx-4090")
	larger := []*hardware.Accelerator{cardOf(t, "b200-sxm"), h100, cardOf(t, "h200-sxm"), gaming}
	for _, tt := range []struct {
		name string
		job  Job
		plan Plan
		want []string // flags that are among those found
	}{
		{"a pass that is too large", Job{Shape: shapeOf(t, "8b"), Method: LoRA, Framework: HF, Recompute: None, Rank: 16, Targets: []string{"q_proj", "v_proj"}}, Plan{GPU: h100, GPUs: 1, Micro: 4}, []string{"--micro-batch 2", "--recompute full"}},
		{"states that are not shared", Job{Shape: shapeOf(t, "8b"), Method: Full}, Plan{GPU: h100, GPUs: 8, Micro: 1, Zero: 0}, []string{"--zero 2", "--method lora"}},
		{"one card", Job{Shape: shapeOf(t, "8b"), Method: Full, Framework: HF}, Plan{GPU: h100, GPUs: 1}, []string{"--method lora", "--gpus 4"}},
		{"a small card", Job{Shape: shapeOf(t, "8b"), Method: LoRA}, Plan{GPU: gaming, GPUs: 1}, []string{"--method qlora", "--gpu h100-sxm"}},
		{"pre-training on one machine", Job{Shape: shapeOf(t, "70b"), Method: Pretrain}, Plan{GPU: a100, GPUs: 8}, []string{"--gpus"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.plan.Fabric = fabricOf(tt.plan.GPU)
			if tt.name != "states that are not shared" {
				tt.plan.Zero = -1
			}
			j, p, _, err := Complete(tt.job, tt.plan)
			if err != nil {
				t.Fatal(err)
			}
			list, err := Mends(c, j, p, larger...)
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !slices.ContainsFunc(list, func(c Change) bool { return strings.Contains(c.Flag, want) }) {
					t.Errorf("%s is not among the changes", want)
				}
			}
			for _, c := range list {
				keepsChange(t, &c)
			}
		})
	}
}

func keepsChange(t *testing.T, c *Change) {
	t.Helper()
	if c.Text == "" || c.Flag == "" {
		t.Errorf("%+v says nothing", c)
	}
	if err := c.Plan.Check(&c.Job); err != nil {
		t.Errorf("%s: %v", c.Text, err)
	}
	m, err := Account(&c.Job, &c.Plan)
	if err != nil || m.Verdict != Fits {
		t.Errorf("%s does not fit: %v", c.Text, err)
	}
}

func TestMendsOfWhatFits(t *testing.T) {
	a := cardOf(t, "h100-sxm")
	j, p, _, err := Complete(Job{Shape: shapeOf(t, "1b"), Method: LoRA}, Plan{GPU: a, Fabric: fabricOf(a), GPUs: 1, Zero: -1})
	if err != nil {
		t.Fatal(err)
	}
	if list, err := Mends(constants(t), j, p); err != nil || len(list) > 0 {
		t.Errorf("%v %v", list, err)
	}
}

// TestFlagsMend: who adds the flag of a change to what was asked gets a plan that fits.
func TestFlagsMend(t *testing.T) {
	c, a := constants(t), cardOf(t, "h100-sxm")
	asked, plan := Job{Shape: shapeOf(t, "8b"), Method: LoRA, Framework: HF, Recompute: None}, Plan{GPU: a, Fabric: fabricOf(a), GPUs: 1, Micro: 16, Zero: -1}
	j, p, _, err := Complete(asked, plan)
	if err != nil {
		t.Fatal(err)
	}
	list, err := Mends(c, j, p)
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, change := range list {
		again, same := asked, plan
		again.Recompute, again.Loss, again.Method, again.Sequence = change.Job.Recompute, change.Job.Loss, change.Job.Method, change.Job.Sequence
		same.Micro, same.GPUs = change.Plan.Micro, change.Plan.GPUs
		job, full, _, err := Complete(again, same)
		if err != nil {
			t.Errorf("%s: %v", change.Flag, err)
			continue
		}
		if m, err := Account(&job, &full); err != nil || m.Verdict != Fits {
			t.Errorf("%s does not fit: %v", change.Flag, err)
		}
	}
}
