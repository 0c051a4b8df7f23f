package speed

import (
	"errors"

	"github.com/llmcheck/llmcheck/internal/serve"
)

// Choice is a division of the devices with its account and its speed.
type Choice struct {
	Plan   serve.Plan
	Memory *serve.Memory
	Model  *Model
}

// Best is the division of the devices of a plan that answers most under unlimited load, among those that fit; p says
// how many devices there are, and whatever else is fixed.
func (c *Constants) Best(m *serve.Prepared, p serve.Plan, l Load) (Choice, error) {
	var best Choice
	var most float64
	r := l.mean()
	var refused error
	for q := range divisions(p, m.Experts()) {
		memory, err := m.Fit(q)
		if err != nil {
			refused = errors.Join(refused, err)
			continue
		}
		model, err := c.Of(m, q, memory)
		if err != nil {
			return Choice{}, err
		}
		output, _ := model.most(&r)
		output *= float64(model.work.Replicas)
		if memory.Verdict == serve.DoesNot {
			output *= 1e-9 // only where nothing fits
		}
		if output > most {
			best, most = Choice{q, memory, model}, output
		}
	}
	if best.Model == nil {
		return best, refused
	}
	return best, nil
}

// divisions are the ways to share a model out among the devices of a plan.
func divisions(p serve.Plan, experts bool) func(yield func(serve.Plan) bool) {
	n := p.Devices()
	return func(yield func(serve.Plan) bool) {
		for tensor := 1; tensor <= n; tensor++ {
			if n%tensor != 0 {
				continue
			}
			for pipeline := 1; pipeline <= n/tensor; pipeline++ {
				if n/tensor%pipeline != 0 {
					continue
				}
				q := p
				q.GPUs, q.Tensor, q.Pipeline, q.Data, q.Expert = n, tensor, pipeline, n/tensor/pipeline, 1
				if !yield(q) {
					return
				}
				if q.Expert = q.Tensor * q.Data; experts && q.Expert > 1 && !yield(q) {
					return
				}
			}
		}
	}
}
