package speed

import "github.com/llmcheck/llmcheck/internal/serve"

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
		output: ranks / (output + prompt*r.fresh/r.out), // every token of prompts and answers is computed
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
