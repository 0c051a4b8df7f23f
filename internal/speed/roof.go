package speed

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/serve"
)

// roof is what the datasheet allows whatever the software, tokens a second of one deployment of replicas that run in step:
// no range goes beyond it, however far measurements scatter.
type roof struct{ single, prompt, output float64 }

func (m *Model) roof(r *mean) roof {
	reads, prompt, output := m.held(r), 0.0, 0.0
	for i := range m.products {
		p := &m.products[i]
		touched := 1.0
		if p.Role == serve.Routed && p.Experts > 0 {
			touched = float64(p.TopK) / float64(p.Experts)
		}
		reads += p.Bytes * touched
		seconds := 2 * p.MACs / p.peak
		output += seconds
		if p.Role != serve.Head {
			prompt += seconds
		}
	}
	ranks := float64(m.work.Pipeline * m.work.Data)
	return roof{
		single: m.rates.bandwidth / reads * r.gain,
		prompt: ranks / prompt * r.in / r.fresh,
		output: ranks / output * r.gain,
	}
}

// held is the bytes that a pass reads of the cache of one request, on one rank, all stages together.
func (m *Model) held(r *mean) float64 {
	var sum float64
	for i := range m.work.Attention {
		a := &m.work.Attention[i]
		seen := r.held()
		if a.Window > 0 {
			seen = min(seen, a.Window)
		}
		sum += float64(a.Layers) * (a.Entry*seen/a.Ratio + a.State)
	}
	return sum
}

// cap keeps the good end of ranges below the roof. What is not above a middle is no bound but a fault of the formulas.
func (t roof) cap(f *Figures, replicas, out float64) {
	for _, one := range []struct {
		r    *Range
		most float64
	}{{&f.Single, t.single}, {&f.Prompt, t.prompt}, {&f.MaxOutput, replicas * t.output}, {&f.MaxRequests, replicas * t.output / out}} {
		if !math.IsNaN(one.most) {
			one.r.High = max(one.r.Mid, min(one.r.High, one.most))
		}
	}
}
