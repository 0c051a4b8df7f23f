package speed

import "math"

// exchange is what ranks send each other: two sums over all ranks of a stage in each layer, or of experts that replicas
// share, tokens to their experts and back.
func (m *Model) exchange(s *share, c *costs) {
	w, r := m.work, &m.rates
	n, wide := s.tokens(), float64(w.Hidden)
	if t := float64(w.Tensor); t > 1 {
		each := r.value[ReduceTime]*(1+math.Log2(t))/2 + 2*(t-1)/t*n*wide*2/(r.link*r.value[LinkShare])
		c[reduce] += 2 * float64(w.Layers) * each
	}
	if d := float64(w.Data * w.Tensor); w.Data > 1 {
		for i := range m.products {
			if p := &m.products[i]; p.Layers > 0 {
				away := min(float64(p.TopK), d) * (d - 1) / d
				each := r.value[ReduceTime]*(1+math.Log2(d)) + 3*away*n*wide/(r.link*r.value[LinkShare])
				c[reduce] += float64(p.Layers) * each
			}
		}
	}
	if w.Pipeline > 1 {
		c[hops] += float64(w.Pipeline-1) * (r.value[HopTime] + n*wide*2/(r.hop*r.value[LinkShare]))
	}
}
