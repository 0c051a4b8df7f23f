package serve

import "sync"

// llamaMemo keeps what was worked out for plans of one model that differ in nothing but the device: where layers lie, and
// what lives together in a pass. A catalog of cards asks the same a hundred times. It may be used by several goroutines.
type llamaMemo struct {
	mu     sync.Mutex
	runs   map[runKey]*llamaRun
	passes map[passKey]planned
}

// mostKept bounds either map; solvers walk through many lengths.
const mostKept = 256

type runKey struct {
	devices, rows, layers, experts int
	align                          int64
}

// passKey is all that the buffers of a pass follow from.
type passKey struct {
	runKey
	cells                      cells
	kv                         kvType
	tokens, outputs, sequences int64
	flash                      bool
}

type planned struct {
	graph *graph
	walk  *walk
}

func newLlamaMemo() *llamaMemo {
	return &llamaMemo{runs: make(map[runKey]*llamaRun), passes: make(map[passKey]planned)}
}

func runOf(p *Plan) runKey {
	return runKey{p.GPUs, p.Tensor, p.Llama.GPULayers, p.Llama.CPUExperts, alignmentOf(*p)}
}

func passOf(r *llamaRun, c cells) passKey {
	return passKey{runOf(&r.p), c, r.kv, r.tokens(), r.outputs(), r.p.MaxSeqs, !r.p.Llama.NoFlash}
}

// run is a placement for a plan, made once for all plans that place alike.
func (memo *llamaMemo) run(m Model, p Plan) *llamaRun {
	key := runOf(&p)
	memo.mu.Lock()
	found := memo.runs[key]
	memo.mu.Unlock()
	if found == nil {
		found = newLlamaRun(m, p, alignmentOf(p))
		memo.mu.Lock()
		if len(memo.runs) < mostKept {
			memo.runs[key] = found
		}
		memo.mu.Unlock()
	}
	r := *found
	r.p, r.memo = p, memo
	r.kv, _ = llamaKV(p.KV)
	return &r
}

// pass is what is known of a pass. A nil memo knows nothing and keeps nothing.
func (memo *llamaMemo) pass(key passKey) (planned, bool) {
	if memo == nil {
		return planned{}, false
	}
	memo.mu.Lock()
	defer memo.mu.Unlock()
	found, ok := memo.passes[key]
	return found, ok
}

func (memo *llamaMemo) keep(key passKey, p planned) {
	if memo == nil {
		return
	}
	memo.mu.Lock()
	defer memo.mu.Unlock()
	if len(memo.passes) < mostKept {
		memo.passes[key] = p
	}
}
