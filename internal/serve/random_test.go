package serve_test

import (
	"errors"
	"fmt"
	"math/rand"
	"testing"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// draw makes plans of whatever the catalogs hold.
type draw struct {
	*rand.Rand
	cards   []*hardware.Accelerator
	engines []*serve.Engine
}

func newDraw(t *testing.T) *draw {
	t.Helper()
	cards, err := catalog.Default().All()
	if err != nil || len(cards) < 100 {
		t.Fatalf("%d cards, %v", len(cards), err)
	}
	d := &draw{Rand: rand.New(rand.NewSource(3)), cards: cards}
	for _, name := range []string{"vllm", "vllm 0.19.0", "vllm 0.9.2", "vllm 0.6.6", "vllm 0.2.7", "vllm 0.7.0-dev V1", "sglang", "trt-llm", "transformers", "llama.cpp"} {
		d.engines = append(d.engines, engine(t, name))
	}
	return d
}

func one[T any](d *draw, list ...T) T { return list[d.Intn(len(list))] }

func (d *draw) plan(longest int64) serve.Plan {
	p := serve.Plan{
		Engine: one(d, d.engines...), GPU: one(d, d.cards...), MaxModelLen: min(one(d, int64(1), 300, 2048, 8192, 8193, 40000, 131072, 1<<20), longest),
		Utilization: one(d, 0, 0, 0.5, 0.8, 0.95), MaxSeqs: one(d, int64(0), 0, 1, 16, 300), BatchedTokens: one(d, int64(0), 0, 512, 16384),
	}
	if p.Engine.Kind == serve.LlamaCPP {
		p.GPUs, p.MaxSeqs, p.Utilization = one(d, 1, 1, 2, 4), one(d, int64(1), 1, 3), 0
		return p
	}
	p.Tensor, p.Pipeline, p.Data = one(d, 1, 1, 2, 4, 8), one(d, 1, 1, 1, 2, 3), one(d, 1, 1, 1, 2)
	p.KV = one(d, "auto", "auto", "fp8")
	if d.Intn(4) == 0 {
		p.Expert = p.Tensor * p.Data
	}
	return p
}

// try is an account, nil where the engine refuses or nothing is known.
func try(t *testing.T, m *serve.Prepared, p serve.Plan) *serve.Memory {
	t.Helper()
	got, err := m.Fit(p)
	if err != nil {
		if !errors.Is(err, serve.ErrIllegal) && !errors.Is(err, serve.ErrNoProfile) {
			t.Fatalf("%v", err)
		}
		return nil
	}
	return got
}

// TestRandomPlans holds every model of the catalog under random plans on random cards against what holds for all.
func TestRandomPlans(t *testing.T) {
	d := newDraw(t)
	c := models.Default()
	each := 24
	if testing.Short() {
		each = 4
	}
	possible := 0
	for _, id := range c.IDsWithConfig() {
		model := published(t, id)
		prepared := serve.Prepare(model)
		longest := model.Shape.MaxContext
		if longest == 0 {
			longest = 8192
		}
		for range each {
			p := d.plan(longest)
			m := try(t, prepared, p)
			if m == nil {
				continue
			}
			possible++
			for _, err := range broken(t, prepared, p, m, longest) {
				t.Errorf("%s on %d × %d × %d %s with %s %s, %d tokens, KV %s: %v", id, p.Tensor, p.Pipeline, p.Data, p.GPU.ID, p.Engine.Kind, p.Engine.Version,
					p.MaxModelLen, p.KV, err)
			}
		}
	}
	if possible < 200 {
		t.Errorf("%d plans were possible, want 200", possible)
	}
	t.Logf("%d plans were possible", possible)
}

func broken(t *testing.T, model *serve.Prepared, p serve.Plan, m *serve.Memory, longest int64) (faults []error) {
	t.Helper()
	fault := func(format string, args ...any) { faults = append(faults, fmt.Errorf(format, args...)) }
	full, err := p.Complete(model.Model())
	if err != nil {
		return []error{err}
	}
	var sum, worst int64
	for _, term := range m.Terms {
		sum += term.Bytes.Mid
		if term.Bytes.Low > term.Bytes.Mid || term.Bytes.Mid > term.Bytes.High {
			fault("%s is %v", term.Name, term.Bytes)
		}
		if term.Part != serve.KVCache && term.Part != serve.Unused {
			worst += term.Bytes.High
		}
	}
	llama := p.Engine.Kind == serve.LlamaCPP
	if !llama && sum != m.Capacity {
		fault("parts add up to %d of %d", sum, m.Capacity)
	}
	replicas := float64(max(1, m.Cache.Replicas))
	if !llama && m.Cache.Concurrency*float64(m.Cache.PerRequest) > 1.000001*replicas*float64(m.Cache.Pool)+1 {
		fault("%.2f requests of %d bytes in %.0f pools of %d", m.Cache.Concurrency, m.Cache.PerRequest, replicas, m.Cache.Pool)
	}
	// With the worst reading of every part the device still holds the cache of one request.
	if request := m.Cache.PerRequest; m.Verdict == serve.Fits && !llama && worst+request > m.Capacity {
		fault("it fits, and at worst %d and a request of %d are more than %d", worst, request, m.Capacity)
	}
	if (m.Breaks == nil) != (m.Verdict == serve.Fits) || m.Why == "" {
		fault("%s, %v, %q", m.Verdict, m.Breaks, m.Why)
	}
	more := *p.GPU
	more.VisibleMiB += 24 << 10
	q := full
	q.GPU = &more
	if bigger := try(t, model, q); bigger == nil || rankOf(bigger.Verdict) < rankOf(m.Verdict) {
		fault("%s, and with more memory %v", m.Verdict, bigger)
	}
	q = full
	if q.MaxModelLen = min(2*p.MaxModelLen, longest); q.MaxModelLen > p.MaxModelLen {
		if more := try(t, model, q); more != nil && more.Cache.PerRequest < m.Cache.PerRequest {
			fault("%d bytes for a request, and %d for a longer one", m.Cache.PerRequest, more.Cache.PerRequest)
		}
	}
	if q = full; !llama && p.Expert < 2 {
		q.Tensor, q.GPUs = 2*q.Tensor, 0
		if more := try(t, model, q); more != nil && more.Sum(serve.Weights).Mid > m.Sum(serve.Weights).Mid {
			fault("%d bytes of weights, and %d on each of twice as many ranks", m.Sum(serve.Weights).Mid, more.Sum(serve.Weights).Mid)
		}
	}
	return faults
}

// TestSolvers holds what is found against Fit itself: each answer meets the need, and the next smaller one does not.
func TestSolvers(t *testing.T) {
	d := newDraw(t)
	ids := models.Default().IDsWithConfig()
	solved := 0
	for i := 0; i < len(ids); i += 3 {
		model := serve.Prepare(published(t, ids[i]))
		longest := model.Model().Shape.MaxContext
		if longest == 0 {
			longest = 8192
		}
		p := serve.Plan{Engine: one(d, d.engines[:3]...), GPU: one(d, d.cards...), MaxModelLen: min(8192, longest)}
		need := serve.Need{Concurrency: float64(one(d, 0, 4, 40))}
		found, memory, err := model.MinGPUs(p, need)
		if err != nil {
			continue
		}
		solved++
		name := fmt.Sprintf("%s on %d × %s with %s %s", ids[i], found.GPUs, p.GPU.ID, p.Engine.Kind, p.Engine.Version)
		if !need.Met(memory) {
			t.Errorf("%s: the fewest cards do not meet the need: %s", name, memory.Why)
		}
		for n := 1; n < min(found.GPUs, 9); n++ {
			fewer := p
			fewer.GPUs = n
			if fewer, err = model.Arrange(fewer); err != nil {
				continue
			}
			if m := try(t, model, fewer); m != nil && need.Met(m) {
				t.Errorf("%s: %d are enough", name, n)
			}
		}
		if n := model.MaxContext(found, serve.Need{}, longest); n > 0 {
			at := found
			at.MaxModelLen = n
			if m := try(t, model, at); m == nil || m.Verdict != serve.Fits {
				t.Errorf("%s: %d tokens are said to fit, and do not", name, n)
			}
		}
		checkMends(t, name, model, p, need)
	}
	if solved < 20 {
		t.Errorf("%d were solved, want 20", solved)
	}
}

// checkMends applies every change that is proposed for one card, as its flag says.
func checkMends(t *testing.T, name string, model *serve.Prepared, p serve.Plan, need serve.Need) {
	t.Helper()
	p.GPUs = 1
	p, err := model.Arrange(p)
	if err != nil {
		return
	}
	if m := try(t, model, p); m == nil || need.Met(m) {
		return
	}
	for _, mend := range model.Mends(p, need) {
		if !applied(t, model, p, need, mend.Flag) {
			t.Errorf("%s: %q does not mend it", name, mend.Flag)
		}
	}
}
