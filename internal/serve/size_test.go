package serve_test

import (
	"testing"

	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// TestSettleOn takes the size of memory that a model needs where a name leaves it open, and no other where it does not.
func TestSettleOn(t *testing.T) {
	m := serve.Prepare(modelOf(t, seventy, "q4_k_m"))
	match, err := catalog.Default().Resolve("m2-ultra")
	if err != nil || len(match.Larger) == 0 {
		t.Fatal(match, err)
	}
	for i := 1; i < len(match.Larger); i++ {
		if match.Larger[i-1].Usable() >= match.Larger[i].Usable() || match.GPU.Usable() >= match.Larger[0].Usable() {
			t.Errorf("%s is not below %s", match.Larger[i-1].ID, match.Larger[i].ID)
		}
	}
	p := serve.Plan{Engine: engine(t, "llama.cpp"), GPU: match.GPU, GPUs: 1, MaxModelLen: 4096}
	q, memory, err := m.SettleOn(p, match.Larger)
	if err != nil || memory.Verdict != serve.Fits {
		t.Fatal(err, memory)
	}
	if alone, _, _ := m.Settle(p); q.GPU.ID != alone.GPU.ID {
		if last := q.Assumed[len(q.Assumed)-1]; last.Name != "gpu_memory" {
			t.Errorf("%+v is not told", last)
		}
	}
	p.MaxModelLen = 1 << 24
	if q, memory, err = m.SettleOn(p, match.Larger); err != nil || memory.Verdict == serve.Fits || q.GPU.ID != match.GPU.ID {
		t.Errorf("%s, %v, %v", q.GPU.ID, memory.Verdict, err)
	}
	if said, err := catalog.Default().Resolve("m2-ultra-64gb"); err != nil || len(said.Larger) > 0 {
		t.Errorf("%+v, %v: the size was said", said, err)
	}
}
