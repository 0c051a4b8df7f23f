package diligence

import (
	"bytes"
	"encoding/json"
	"runtime"
	"slices"
	"testing"

	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
)

func valued(t *testing.T, q EstimateQuestion) *report.Estimate {
	t.Helper()
	return estimated(t, world(shelf{}, models.Default()), q)
}

// TestMoneyLaws: what is used less costs more for each token and never less than at full load; power lies between nothing
// to do and all there is; a building takes more than its machines.
func TestMoneyLaws(t *testing.T) {
	for _, s := range []setting{
		{"Qwen/Qwen3-8B", "", "h100-sxm", serve.VLLM, 1, 1},
		{"Qwen/Qwen3-32B", "fp8", "l40s", serve.VLLM, 2, 2},
		{"deepseek-ai/DeepSeek-V3", "", "mi300x", serve.SGLang, 8, 8},
		{"Qwen/Qwen3-8B", "Q4_K_M", "m2-ultra", serve.LlamaCPP, 1, 0},
		{"Qwen/Qwen3-8B", "Q4_K_M", "rtx-4090", serve.LlamaCPP, 1, 0},
		{"Qwen/Qwen3-8B", "", "mi250x", serve.VLLM, 2, 2},
	} {
		plan := serve.Plan{GPUs: s.gpus, Tensor: s.tensor}
		if s.kind == serve.LlamaCPP { // which takes as many slots as are asked for: the loads are of one plan
			plan.MaxSeqs = 8
		}
		ask := func(load Workload, m Money) *report.Estimate {
			return valued(t, EstimateQuestion{Ref: hub(s.model), Quant: s.quant, Cards: []string{s.card}, Kind: s.kind, Plan: plan, Load: load, Money: m})
		}
		full := ask(Workload{Unlimited: true}, Money{PerGPUHour: 2})
		before := full
		for _, busy := range []float64{1, 0.5, 0.1, 0.01} {
			e := ask(chat(8), Money{PerGPUHour: 2, Busy: busy})
			c, f := e.Cost, full.Cost
			if c == nil || f == nil || c.PerMOutput == nil || f.PerMOutput == nil {
				t.Fatalf("%s: no cost: %+v %+v", s, e.Cost, full.Cost)
			}
			if c.PerMOutput.Mid < f.PerMOutput.Mid*(1-1e-9) {
				t.Errorf("%s: a million tokens cost %g with %g of the capacity used, and %g under full load", s, c.PerMOutput.Mid, busy, f.PerMOutput.Mid)
			}
			if before != full && c.PerMOutput.Mid <= before.Cost.PerMOutput.Mid {
				t.Errorf("%s: a million tokens cost %g with %g of the capacity used, and %g with more", s, c.PerMOutput.Mid, busy, before.Cost.PerMOutput.Mid)
			}
			powered(t, s, e, busy)
			before = e
		}
	}
}

func powered(t *testing.T, s setting, e *report.Estimate, busy float64) {
	t.Helper()
	w := e.Energy
	if w == nil || w.Watts == nil || w.WhPerMOut == nil || !(w.WhPerMOut.Low > 0) {
		t.Errorf("%s: %+v", s, w)
		return
	}
	var idle, loaded, around float64
	for _, p := range w.Parts {
		switch p.What {
		case "accelerators under load":
			loaded = p.Value.High
		case "accelerators without load":
			idle = p.Value.Low
		case "machines around them":
			around = p.Value.High
		}
	}
	if !(idle > 0) || w.Watts.Low < idle*(1-1e-9) || w.Watts.High > (loaded+around)*(1+1e-9) {
		t.Errorf("%s: busy %g it draws %+v W, and %g without load, %g with it, %g around", s, busy, *w.Watts, idle, loaded, around)
	}
}

// TestSameQuestion: one question has one answer, to the byte, however many work at it.
func TestSameQuestion(t *testing.T) {
	d := world(shelf{}, models.Default())
	before := runtime.GOMAXPROCS(0)
	defer runtime.GOMAXPROCS(before)
	for _, q := range []EstimateQuestion{
		{Ref: hub("Qwen/Qwen3-8B"), Cards: []string{"all"}, Explain: true, Load: chat(16)},
		{Ref: hub("Qwen/Qwen3-30B-A3B"), Load: Workload{Rate: 20, TTFT: 2, TPOT: 0.05}, Search: Search{Spare: 1}, Emit: "kubernetes"},
		{Ref: hub("Qwen/Qwen3-32B"), Cards: []string{"h100-sxm"}, Plan: serve.Plan{GPUs: 2}, Load: Workload{Users: 100, Think: 20, Input: queue.Length{Mean: 2000, Spread: 1}, Simulate: 300}},
	} {
		var first []byte
		for _, n := range []int{1, 8, 8, 2} {
			runtime.GOMAXPROCS(n)
			data, err := json.Marshal(estimated(t, d, q))
			if err != nil {
				t.Fatal(err)
			}
			if first == nil {
				first = data
			}
			if !bytes.Equal(first, data) {
				t.Errorf("%s with %d at work: another answer", q.Ref, n)
			}
		}
	}
}

// TestMoreLoadCostsMore: who asks more often needs no fewer machines, and pays no less for them.
func TestMoreLoadCostsMore(t *testing.T) {
	for _, id := range []string{"Qwen/Qwen3-8B", "Qwen/Qwen3-30B-A3B"} {
		var gpus int
		var hour float64
		for _, rate := range []float64{1, 10, 40, 100, 400} {
			e := valued(t, EstimateQuestion{Ref: hub(id), Cards: []string{"h100-sxm"}, Load: Workload{Rate: rate, TTFT: 3, TPOT: 0.1}})
			if e.Fleet == nil || len(e.Fleet.Front) == 0 || e.Cost == nil || e.Cost.PerHour == nil {
				t.Fatalf("%s: no fleet for %g/s: %s", id, rate, e.Summary)
			}
			c := slices.MinFunc(e.Fleet.Front, func(a, b report.Choice) int { return a.GPUs - b.GPUs })
			if c.GPUs < gpus || c.PerHour.Mid < hour*(1-1e-9) {
				t.Errorf("%s: %g requests a second take %d GPUs for %g USD an hour, fewer of them %d for %g", id, rate, c.GPUs, c.PerHour.Mid, gpus, hour)
			}
			gpus, hour = c.GPUs, c.PerHour.Mid
			if p := e.Plan; e.Cost.PerHour.Mid <= 0 || p.Replicas*p.GPUs < 1 {
				t.Errorf("%+v", p)
			}
		}
	}
}

// A request that is longer than the model was made for is answered with the fewest cards that have room for it: no number
// of them mends that.
func TestLongerThanMadeFor(t *testing.T) {
	e := valued(t, EstimateQuestion{Ref: hub("Qwen/Qwen3-8B"), Cards: []string{"h100-sxm"}, Plan: serve.Plan{MaxModelLen: 100_000}})
	if e.Plan.GPUs != 1 || e.Fits {
		t.Errorf("%d cards, fits %v; want 1 that is tight", e.Plan.GPUs, e.Fits)
	}
}
