package speed

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
		}
	}
}
