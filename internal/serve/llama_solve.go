package serve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// cache fills in what the caches hold and could hold.
func (r *llamaRun) cache(out *Memory, on backend, c cells, k *kept) {
	r.fillCache(out, on, c, k)
	s := r.solver(on)
	out.Cache.MaxContext = s.longest(out.Budget, r.m.Shape.MaxContext)
	out.Cache.Concurrency = float64(s.most(out.Budget))
	if out.Verdict == Fits { // the account itself is more exact than the bounds of the solver
		out.Cache.Concurrency = max(out.Cache.Concurrency, float64(r.p.MaxSeqs))
	}
}

func (r *llamaRun) fillCache(out *Memory, on backend, c cells, k *kept) {
	all := int64(0)
	for _, n := range k.perToken {
		all += n
	}
	one := cellsOf(r.window, r.p.MaxModelLen, 1, &r.p.Llama)
	single := cachesOf(r.m.Shape, &r.place, one, r.kv, 1)
	out.Cache = Cache{
		Pool: k.cache[on] + k.state[on], BytesPerToken: k.perToken[on], ModelPerToken: all,
		PerRequest: single.cache[on] + single.state[on], State: single.state[on], BlockTokens: 1,
		Blocks: product(c.full, c.streams), Tokens: product(c.full, c.streams),
	}
}

// solver bounds what a device needs for other contexts and slots without planning each: what grows beside the caches
// are masks, and without flash attention the scores.
type solver struct {
	r        *llamaRun
	on       backend
	rest     int64 // weights, scratch, context: the high end
	smallest int64 // the compute buffer for the shortest context
	base     cells
	mixers   []mixers
}

// mixers are so many layers of one kind.
type mixers struct {
	arch.Mixer
	times int64
}

// mixersOn are the layers of a device that keep a cache or a state of their own.
func (r *llamaRun) mixersOn(on backend) []mixers {
	var list []mixers
	for i := range r.m.Shape.Blocks {
		m := &r.m.Shape.Blocks[i].Mixer
		if r.place.blocks[i] != on || shares(m, i) {
			continue
		}
		k := slices.IndexFunc(list, func(x mixers) bool { return x.Mixer == *m })
		if k < 0 {
			list = append(list, mixers{Mixer: *m})
			k = len(list) - 1
		}
		list[k].times++
	}
	return list
}

func (r *llamaRun) solver(on backend) *solver {
	s := &solver{r: r, on: on, base: cellsOf(r.window, 1, 1, &r.p.Llama), mixers: r.mixersOn(on)}
	s.smallest = r.compute(r.buffers(s.base)[on]).High
	s.rest = saturate(r.weights.on[on], r.weights.loose) + r.pool().Bytes.High + r.context().Bytes.High
	if on == 1 {
		s.rest += r.weights.towers
	}
	s.rest = saturate(s.rest, total(r.m.doubts()).High)
	return s
}

// needs is an upper bound for so many slots of that context.
func (s *solver) needs(context, slots int64) int64 {
	r := s.r
	c := cellsOf(r.window, context, slots, &r.p.Llama)
	n := saturate(s.rest, s.smallest)
	for i := range s.mixers {
		m := &s.mixers[i]
		n = saturate(n, product(m.times, saturate(c.cacheOf(&m.Mixer, r.kv), product(slots, stateOf(&m.Mixer)))))
	}
	return saturate(n, saturate(s.grows(c.full-s.base.full), s.grows(c.window-s.base.window)))
}

// grows is what so many more cells add to the compute buffer.
func (s *solver) grows(cells int64) int64 {
	if cells <= 0 {
		return 0
	}
	each := int64(2 * pipelineCopies)
	if s.r.place.devices == 1 {
		each = 2
	}
	if s.r.p.Llama.NoFlash {
		heads := int64(0)
		for _, i := range s.r.kinds {
			heads = max(heads, s.r.layers[i].h)
		}
		each = 2*each + 4*heads
	}
	return product(each, cells, s.r.tokens())
}

// most is the largest number of slots that fit.
func (s *solver) most(budget int64) int64 {
	return largest(s.r.p.Engine.maxSlots(), func(n int64) bool { return s.needs(s.r.p.MaxModelLen, n) <= budget })
}

// longest is the longest context of a single request that fits, at most what the model was made for.
func (s *solver) longest(budget, limit int64) int64 {
	if limit <= 0 {
		limit = llamaMaxContext
	}
	return largest(min(limit, llamaMaxContext), func(n int64) bool { return s.needs(n, 1) <= budget })
}

// largest is the largest number up to limit that is good, if all below a good one are.
func largest(limit int64, good func(int64) bool) int64 {
	low, high := int64(0), limit+1
	for low+1 < high {
		mid := low + (high-low)/2
		if good(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// explain says what is alive in the buffer of a device when it is fullest.
func (g *graph) explain(on backend, a arena) string {
	peak, when := a.peak, a.when
	if peak == 0 {
		return "nothing runs here"
	}
	again := g.plan(a.align, when)
	type sort struct {
		what  string
		bytes int64
	}
	var alive []sort
	sum := int64(0)
	for i := range again.nodes {
		n := &again.nodes[i]
		if !n.is(allocated) || n.buffer != on || n.view != none {
			continue
		}
		sum += n.size
		k := slices.IndexFunc(alive, func(s sort) bool { return s.what == n.what })
		if k < 0 {
			alive = append(alive, sort{n.what, 0})
			k = len(alive) - 1
		}
		alive[k].bytes += n.size
	}
	slices.SortStableFunc(alive, func(a, b sort) int { return int(min(1, max(-1, b.bytes-a.bytes))) })
	var parts []string
	for _, s := range alive {
		if s.bytes >= peak/1000 {
			parts = append(parts, fmt.Sprintf("%s %d", s.what, s.bytes))
		}
	}
	if gaps := peak - sum; gaps > peak/1000 {
		parts = append(parts, fmt.Sprintf("gaps %d", gaps))
	}
	return strings.Join(parts, " + ")
}
