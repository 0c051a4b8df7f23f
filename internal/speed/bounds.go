package speed

import "github.com/llmcheck/llmcheck/internal/serve"

// leastToken is how long a token of one request alone takes where memory is read as fast as its datasheet says and
// nothing else takes time.
func (m *Model) leastToken(r *mean) float64 {
	var bytes float64
	for i := range m.products {
		p := &m.products[i]
		share := 1.0
		if p.Role == serve.Routed && p.Experts > 0 {
			share = min(1, float64(p.TopK)/float64(p.Experts))
		}
		bytes += p.Bytes * share
	}
	for i := range m.work.Attention {
		a := &m.work.Attention[i]
		seen := r.held()
		if a.Window > 0 {
			seen = min(seen, a.Window)
		}
		bytes += float64(a.Layers) * a.Entry * seen / a.Ratio
	}
	return bytes / m.rates.bandwidth / r.gain
}

// leastProducts is how long the products of one token take where they reach the peaks of the datasheet on all devices of
// replicas that run in step.
func (m *Model) leastProducts() float64 {
	var seconds float64
	for i := range m.products {
		if p := &m.products[i]; p.Role != serve.Head {
			seconds += 2 * p.MACs / p.peak
		}
	}
	return seconds / float64(m.work.Pipeline*m.work.Data)
}

// leastPrompt is the same of a prompt.
func (m *Model) leastPrompt(r *mean) float64 { return r.fresh * m.leastProducts() }

// mostPrompt is how fast a prompt alone can be read: a part that is in the cache already takes no time.
func (m *Model) mostPrompt(r *mean) float64 { return r.in / m.leastPrompt(r) }

// mostAnswered is how much can be answered under unlimited load, if every token of prompts and answers is computed.
func (m *Model) mostAnswered(r *mean) float64 {
	return float64(m.work.Replicas) / (m.leastProducts() * (1 + r.fresh/r.out))
}
