package serve

import "sync"

// llamaMemo keeps what was worked out for plans of one model that differ in nothing but the device: where layers lie, and
// what lives together in a pass. A catalog of cards asks the same a hundred times. It may be used by several goroutines.
type llamaMemo struct {
	mu     sync.Mutex
	runs   map[runKey]*llamaRun
	passes map[passKey][]int64
	says   map[saysKey]string
}

// mostKept bounds each map; solvers walk through many lengths. What is kept of a pass is a few numbers: its graph has
// hundreds of kilobytes.
const mostKept = 1024

// saysKey is all that the words on a buffer follow from.
type saysKey struct {
	passKey
	on backend
}

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

func newLlamaMemo() *llamaMemo {
	return &llamaMemo{runs: make(map[runKey]*llamaRun), passes: make(map[passKey][]int64), says: make(map[saysKey]string)}
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

// pass is the most that the buffers of a pass hold, by device. A nil memo knows nothing and keeps nothing.
func (memo *llamaMemo) pass(key passKey, plan func() []int64) []int64 {
	if memo == nil {
		return plan()
	}
	return recall(&memo.mu, memo.passes, key, plan)
}

// explained is what is said of a buffer.
func (memo *llamaMemo) explained(key saysKey, explain func() string) string {
	if memo == nil {
		return explain()
	}
	return recall(&memo.mu, memo.says, key, explain)
}

// recall looks up what was worked out before, or works it out.
func recall[K comparable, V any](mu *sync.Mutex, known map[K]V, key K, work func() V) V {
	mu.Lock()
	v, ok := known[key]
	mu.Unlock()
	if ok {
		return v
	}
	v = work()
	mu.Lock()
	defer mu.Unlock()
	if len(known) < mostKept {
		known[key] = v
	}
	return v
}
