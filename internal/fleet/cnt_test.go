package fleet_test

import (
	"github.com/llmcheck/llmcheck/internal/fleet"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
	"sync/atomic"
	"testing"
)

func TestCnt(t *testing.T) {
	c, _ := speed.Default()
	for _, name := range []string{"8b", "70b", "experts"} {
		for _, real := range []bool{false, true} {
			q := newWorld(t, name).question(t)
			var open, closed, made atomic.Int64
			by := fleet.By(c)
			if !real {
				by = estimate
			}
			q.Estimate = func(m *serve.Prepared, p serve.Plan, mem *serve.Memory) (fleet.Replica, error) {
				made.Add(1)
				r, err := by(m, p, mem)
				if err != nil {
					return nil, err
				}
				return func(l speed.Load) *speed.Figures {
					if l.Rate > 0 {
						open.Add(1)
					} else {
						closed.Add(1)
					}
					return r(l)
				}, nil
			}
			r := search(t, q)
			t.Log(name, real, r.Looked, r.Met, made.Load(), closed.Load(), open.Load(), len(r.Ranked), len(r.Front), len(r.Perhaps))
		}
	}
}
