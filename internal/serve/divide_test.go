package serve_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/llmcheck/llmcheck/internal/serve"
)

func divisionsOf(t *testing.T, shape string, p serve.Plan) []string {
	t.Helper()
	m := serve.Prepare(modelOf(t, shapes[shape], "bf16"))
	var list []string
	for _, q := range m.Divisions(p) {
		if q.Tensor*q.Pipeline*q.Data != p.Devices() {
			t.Errorf("%d × %d × %d is not %d devices", q.Tensor, q.Pipeline, q.Data, p.Devices())
		}
		if _, _, err := m.Settle(q); err != nil {
			t.Errorf("%+v is not legal: %v", q, err)
		}
		list = append(list, fmt.Sprintf("t%d p%d d%d e%d", q.Tensor, q.Pipeline, q.Data, q.Expert))
	}
	return list
}

func TestDivisions(t *testing.T) {
	for _, tt := range []struct {
		name, shape, engine string
		plan                serve.Plan
		first               string
		with, without       []string
	}{
		{"one device", "dense", "vllm", serve.Plan{GPUs: 1}, "t1 p1 d1 e1", nil, []string{"t1 p1 d1 e2"}},
		{"replicas of pairs", "dense", "vllm", serve.Plan{GPUs: 8}, "t8 p1 d1 e1", []string{"t2 p1 d4 e1", "t1 p8 d1 e1", "t2 p2 d2 e1"}, []string{"t8 p1 d1 e8"}},
		{"heads that do not divide", "dense", "vllm", serve.Plan{GPUs: 6}, "t2 p1 d3 e1", []string{"t2 p3 d1 e1", "t1 p1 d6 e1"}, []string{"t6 p1 d1 e1", "t3 p1 d2 e1"}},
		{"what is said is kept", "dense", "vllm", serve.Plan{GPUs: 8, Tensor: 4}, "t4 p1 d2 e1", []string{"t4 p2 d1 e1"}, []string{"t8 p1 d1 e1"}},
		{"experts over all", "experts", "trt-llm", serve.Plan{GPUs: 4}, "t4 p1 d1 e1", []string{"t4 p1 d1 e4", "t1 p1 d4 e4", "t1 p1 d4 e1"}, nil},
		{"all or none in vLLM", "experts", "vllm", serve.Plan{GPUs: 8}, "t8 p1 d1 e1", []string{"t2 p1 d4 e8"}, []string{"t2 p1 d4 e2"}},
		{"no tensor ranks across machines", "dense", "vllm", serve.Plan{GPUs: 16}, "t8 p1 d2 e1", []string{"t8 p2 d1 e1"}, []string{"t16 p1 d1 e1"}},
		{"layers or rows", "dense", "llama.cpp", serve.Plan{GPUs: 4}, "t1 p4 d1 e1", []string{"t4 p1 d1 e1"}, []string{"t2 p2 d1 e1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			p := tt.plan
			p.Engine, p.GPU, p.MaxModelLen = engine(t, tt.engine), machine(80, 8), 4096
			got := divisionsOf(t, tt.shape, p)
			if len(got) == 0 || got[0] != tt.first {
				t.Fatalf("%v, want %s first", got, tt.first)
			}
			for _, s := range tt.with {
				if !slices.Contains(got, s) {
					t.Errorf("%v lack %s", got, s)
				}
			}
			for _, s := range tt.without {
				if slices.Contains(got, s) {
					t.Errorf("%v have %s", got, s)
				}
			}
		})
	}
}

// TestDivisionsRack: a link that spans a rack lets tensor ranks span its machines.
func TestDivisionsRack(t *testing.T) {
	rack := machine(186, 4)
	rack.Arch, rack.Link = "blackwell", "nvlink5"
	p := serve.Plan{Engine: engine(t, "trt-llm"), GPU: rack, GPUs: 72, MaxModelLen: 4096}
	got := divisionsOf(t, "dense", p)
	if !slices.Contains(got, "t8 p1 d9 e1") || slices.Contains(got, "t72 p1 d1 e1") {
		t.Errorf("%v", got)
	}
}

// TestDivisionsBounded: numbers with many divisors end.
func TestDivisionsBounded(t *testing.T) {
	p := serve.Plan{Engine: engine(t, "vllm"), GPU: machine(80, 8), GPUs: 55440, MaxModelLen: 4096}
	if got := serve.Prepare(modelOf(t, shapes["dense"], "bf16")).Divisions(p); len(got) == 0 || len(got) > 512 {
		t.Errorf("%d divisions", len(got))
	}
	p.GPUs = 1 << 40
	if got := serve.Prepare(modelOf(t, shapes["dense"], "bf16")).Divisions(p); len(got) != 0 {
		t.Errorf("%d divisions of more devices than there are", len(got))
	}
}
