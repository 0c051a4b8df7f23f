package speed

import "github.com/llmcheck/llmcheck/internal/serve"

// attend is the time of attention: the cache of every sequence is read, prompts are compared with themselves.
func (m *Model) attend(s *share, c *costs) {
	r := &m.rates
	for i := range m.work.Attention {
		a := &m.work.Attention[i]
		n := float64(a.Layers)
		seen := s.context
		if a.Window > 0 {
			seen = min(seen, a.Window)
		}
		read := n * s.decodes * (a.Entry*seen/a.Ratio + 2*a.State)
		compute := 2 * n * s.decodes * (1 + s.verify) * (a.Decode*seen/a.Ratio + a.Token)
		c.split(readCache, computeAttention, read/(r.bandwidth*r.value[CacheRead]), compute/(r.peak*r.value[Answers]))
		if s.prompt > 0 {
			before := s.before / s.prompt
			if a.Window > 0 {
				before = min(before, a.Window)
			}
			c[computeAttention] += 2 * n * s.prompt * (a.Prompt*before/a.Ratio + a.Token) / (r.peak * r.value[Scores])
			if m.keepsScores() {
				c[computeAttention] += n * s.prompt * float64(a.Heads) * before / a.Ratio * scoreBytes / (r.bandwidth * r.value[CacheRead])
			}
		}
	}
}

// scoreBytes is what moves for each score that is kept: 32 bits are written, read and written by the softmax, read to be
// made 16 bits, and those are written and read.
const scoreBytes = 20

// keepsScores tells whether prompts have their scores written to memory, as in the versions of llama.cpp that somebody
// measured, where nobody asks for flash attention.
func (m *Model) keepsScores() bool {
	return m.plan.Engine.Kind == serve.LlamaCPP && !m.plan.Llama.Flash
}
