package speed_test

import (
	"math"
	"math/rand"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// someModels are plans that are drawn from the catalogs and that an engine starts.
func someModels(t *testing.T, n int, seed int64) map[string]*speed.Model {
	t.Helper()
	ids, err := models.Default().IDs()
	if err != nil {
		t.Fatal(err)
	}
	cards, err := catalog.Default().All()
	if err != nil {
		t.Fatal(err)
	}
	d, c := rand.New(rand.NewSource(seed)), constants(t)
	kinds := []string{"vllm", "sglang", "trt-llm", "llama.cpp", "transformers"}
	out := map[string]*speed.Model{}
	for range 60 * n {
		if len(out) == n {
			return out
		}
		config, hf, ok, err := models.Default().Config(ids[d.Intn(len(ids))])
		if err != nil || !ok {
			continue
		}
		shape, err := arch.Of(config)
		if err != nil {
			continue
		}
		scheme, err := quant.Stored(shape, config, hf)
		if err != nil {
			continue
		}
		m := serve.Prepare(serve.Model{Shape: shape, Weights: scheme})
		p := serve.Plan{Engine: engine(t, kinds[d.Intn(len(kinds))]), GPU: cards[d.Intn(len(cards))], GPUs: 1 << d.Intn(4), MaxModelLen: 4096}
		p, memory, err := m.Settle(p)
		if err != nil || memory.Verdict == serve.DoesNot {
			continue
		}
		if s, err := c.Of(m, p, memory); err == nil {
			out[shape.Architecture+" "+p.GPU.ID+" "+p.Engine.Name] = s
		}
	}
	t.Fatalf("only %d plans were possible", len(out))
	return nil
}

// More requests at once lower no end of a latency, neither what is promised at most nor at least; where the middle itself
// falls, which is another law's matter, the ends fall no further.
func TestEndsRiseWithLoad(t *testing.T) {
	const slack = 1 + 1e-9
	for name, m := range someModels(t, 60, 3) {
		var before *speed.Figures
		for n := 1.0; n <= 3000; n *= 1.21 {
			f := m.Figures(chat(n))
			if before == nil {
				before = f
			}
			for what, one := range map[string][2]*speed.Range{"TTFT": {before.TTFT, f.TTFT}, "TPOT": {before.TPOT, f.TPOT}} {
				a, b := one[0], one[1]
				if least := min(1, b.Mid/a.Mid); b.Low*slack < a.Low*least || b.High*slack < a.High*least {
					t.Errorf("%s: with %.1f requests %s is %v after %v", name, n, what, *b, *a)
				}
			}
			before = f
		}
	}
}

// Loads that hardly differ have ranges that hardly differ.
func TestEndsAreContinuous(t *testing.T) {
	for name, m := range someModels(t, 30, 4) {
		for n := 1.0; n <= 200; n *= 1.37 {
			a, b := m.Figures(chat(n)), m.Figures(chat(n*1.0001))
			for what, one := range map[string][2]float64{
				"low TPOT": {a.TPOT.Low / a.TPOT.Mid, b.TPOT.Low / b.TPOT.Mid}, "high TPOT": {a.TPOT.High / a.TPOT.Mid, b.TPOT.High / b.TPOT.Mid},
				"low TTFT": {a.TTFT.Low / a.TTFT.Mid, b.TTFT.Low / b.TTFT.Mid}, "high TTFT": {a.TTFT.High / a.TTFT.Mid, b.TTFT.High / b.TTFT.Mid},
			} {
				if math.Abs(one[0]/one[1]-1) > 0.01 {
					t.Errorf("%s: from %.3f requests on the %s jumps from %.3f to %.3f of the middle", name, n, what, one[0], one[1])
				}
			}
		}
	}
}

// No good end is beyond what the datasheet allows, counted apart from the code that times.
func TestEndsArePhysical(t *testing.T) {
	for name, m := range someModels(t, 120, 5) {
		w := m.Work()
		var active, macs, peak, bandwidth float64
		for i := range w.Products {
			p := &w.Products[i]
			share := 1.0
			if p.Experts > 0 {
				share = float64(p.TopK) / float64(p.Experts)
			}
			active += p.Bytes * share
			if p.Role != serve.Head {
				macs += p.MACs
			}
		}
		for _, p := range m.Peaks() {
			if p.Unit == "B/s" {
				bandwidth = p.Value
			} else {
				peak = max(peak, p.Value)
			}
		}
		const slack = 1 + 1e-9
		token, prompt := active/bandwidth, 2*macs/peak/float64(w.Pipeline*w.Data)
		f := m.Figures(chat(8))
		switch {
		case f.Single.High > slack/token || f.TPOT.Low*slack < token:
			t.Errorf("%s: %v tokens/s, TPOT %v, and the memory allows %g", name, f.Single, *f.TPOT, 1/token)
		case f.Prompt.High > slack/prompt || f.TTFT.Low*slack < 1024*prompt:
			t.Errorf("%s: %v tokens/s of a prompt, TTFT %v, and the peak allows %g", name, f.Prompt, *f.TTFT, 1/prompt)
		case f.MaxOutput.High > slack*float64(m.Replicas())/prompt/5: // four tokens of a prompt for each of an answer
			t.Errorf("%s: %v tokens/s of all answers, and the peak allows %g", name, f.MaxOutput, float64(m.Replicas())/prompt/5)
		}
	}
}

// What is answered at a load is a function of both latencies, ends included, and At tells the same as Figures.
func TestFiguresAgree(t *testing.T) {
	near := func(a, b float64) bool { return math.Abs(a/b-1) < 1e-9 }
	same := func(a, b speed.Range) bool { return near(a.Low, b.Low) && near(a.Mid, b.Mid) && near(a.High, b.High) }
	for name, m := range someModels(t, 30, 6) {
		for _, n := range []float64{1, 8, 300} {
			l := chat(n)
			f := m.Figures(l)
			took := func(ttft, tpot float64) float64 { return ttft + 255*tpot }
			work := f.Output.Mid * took(f.TTFT.Mid, f.TPOT.Mid)
			if !same(*f.Output, speed.Range{Low: work / took(f.TTFT.High, f.TPOT.High), Mid: f.Output.Mid, High: work / took(f.TTFT.Low, f.TPOT.Low)}) ||
				!same(*f.Output, speed.Range{Low: 256 * f.Requests.Low, Mid: 256 * f.Requests.Mid, High: 256 * f.Requests.High}) {
				t.Errorf("%s: %v tokens/s and %v requests/s with TTFT %v and TPOT %v", name, *f.Output, *f.Requests, *f.TTFT, *f.TPOT)
			}
			for metric, r := range map[bench.Metric]speed.Range{
				bench.Decode: f.Single, bench.Prefill: f.Prompt, bench.MaxOutput: f.MaxOutput, bench.TTFT: *f.TTFT, bench.TPOT: *f.TPOT, bench.Output: *f.Output,
			} {
				l.Concurrency = max(n, float64(m.Replicas()))
				if got, ok := m.At(metric, l); n >= float64(m.Replicas()) && (!ok || !same(got, r)) {
					t.Errorf("%s: %s at %.0f requests is %v, and %v of the plan", name, metric, n, got, r)
				}
			}
		}
		f := m.Figures(chat(1))
		if !near(f.TPOT.High, 1/f.Single.Low) && m.Replicas() == 1 {
			t.Errorf("%s: one alone waits at most %g s for a token, and gets at least %g a second", name, f.TPOT.High, f.Single.Low)
		}
	}
}

// What is not known makes no range narrower.
func TestUnknownIsWider(t *testing.T) {
	m := prepared(t, "Qwen/Qwen3-32B", "fp8")
	plan := serve.Plan{Engine: engine(t, "trt-llm"), GPU: card(t, "h100-sxm"), GPUs: 4, Tensor: 4}
	of := func(change func(*serve.Plan), l speed.Load) *speed.Figures {
		p := plan
		change(&p)
		return model(t, m, p).Figures(l)
	}
	known := of(func(*serve.Plan) {}, chat(16))
	wide := func(r *speed.Range) float64 { return r.High / r.Low }
	unknown := of(func(p *serve.Plan) { p.Chosen = true }, chat(16))
	if wide(&unknown.MaxOutput) <= wide(&known.MaxOutput) || wide(unknown.TPOT) != wide(known.TPOT) {
		t.Errorf("with a division that was chosen %v, with one that was said %v", unknown.MaxOutput, known.MaxOutput)
	}
	l := chat(16)
	l.Drafts, l.Accepted = 2, 0.7
	if drafted := of(func(*serve.Plan) {}, l); wide(&drafted.Single) <= wide(&known.Single) || wide(drafted.TPOT) <= wide(known.TPOT) || drafted.Basis == known.Basis {
		t.Errorf("with drafts %v, %s", *drafted.TPOT, drafted.Basis)
	}
	l = speed.Load{Input: queue.Length{Mean: 1 << 20}, Output: queue.Length{Mean: 256}, Concurrency: 1}
	if long := of(func(*serve.Plan) {}, l); wide(&long.Single) <= wide(&known.Single) || long.Basis == known.Basis {
		t.Errorf("of a long prompt %v, %s", long.Single, long.Basis)
	}
	other := of(func(p *serve.Plan) { p.Engine = engine(t, "lmdeploy") }, chat(16))
	if wide(other.TTFT) <= wide(known.TTFT) || wide(&other.MaxOutput) <= wide(&known.MaxOutput) || other.Basis == known.Basis {
		t.Errorf("of an engine that nobody measured %v and %v, with %v and %v; %s", *other.TTFT, other.MaxOutput, *known.TTFT, known.MaxOutput, other.Basis)
	}
	for _, c := range []string{"unseen", "size", "card", "drafted", "long"} {
		for _, w := range constants(t).Widths() {
			if w.Case == c && (w.Low < 1 || w.High < 1) {
				t.Errorf("%+v is narrower", w)
			}
		}
	}
}
