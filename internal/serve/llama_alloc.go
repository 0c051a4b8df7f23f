package serve

import "math/bits"

// The planner of llama.cpp places the tensors of one forward pass in one buffer for each device before anything runs:
// it walks the graph once, gives every result the tightest gap that holds it, lets an operation write over its operand
// where nobody else needs it, and takes a tensor back when its last reader has run (ggml: ggml-alloc.c). How large the
// buffer gets is therefore not a sum but the outcome of that walk, with the gaps that fragmentation leaves. We walk the
// same graph in the same order, so the size is computed and not fitted.

// backend is a place where tensors live: 0 is the host, 1 and up are devices.
type backend int8

const host backend = 0

// none stands for no tensor.
const none int32 = -1

// bits of a node.
const (
	inPlace  uint8 = 1 << iota // may write over its first operand of the same layout
	isInput                    // filled in from outside before the pass
	isOutput                   // read after the pass, never taken back
	isLeaf                     // no operation: an input, placed before everything else
	isStore                    // writes to memory outside the buffer: the cache
	pinned                     // its backend is decided
	visited
	allocated
)

// external is memory outside of the buffer that an operation reads: weights, or the cache. Where it lies on another
// backend, it is copied into the buffer for the time of its use.
type external struct {
	bytes int64
	on    backend
}

// layout is the shape and order of a tensor in memory; strided counts what is not contiguous.
type layout struct {
	ne      [3]int64
	strided bool
}

// node is a tensor of the graph.
type node struct {
	src    [5]int32
	view   int32 // the tensor whose memory it shows; none for one of its own
	offset bool  // it shows not the beginning of it
	flags  uint8
	on     backend
	width  int8 // bytes of an element
	layout layout
	ext    [2]external
	what   string // for people
	size   int64

	children, views int32
	buffer          backend
	at              int64
}

func (n *node) is(flag uint8) bool { return n.flags&flag != 0 }

// gap is free memory between tensors.
type gap struct{ at, size int64 }

// arena is the buffer of one device while it is planned.
type arena struct {
	align int64
	gaps  []gap // by address; the last one has no end
	peak  int64
	when  int // the step at which the peak was reached
}

const endless = int64(1) << 60

func newArena(align int64) arena {
	return arena{align: align, gaps: append(make([]gap, 0, 64), gap{0, endless})}
}

// take finds the tightest gap that holds size, or the open end.
func (a *arena) take(size int64, step int) int64 {
	size = roundUp(size, a.align)
	best := len(a.gaps) - 1
	for i := range len(a.gaps) - 1 {
		if a.gaps[i].size >= size && (best == len(a.gaps)-1 || a.gaps[i].size <= a.gaps[best].size) {
			best = i
		}
	}
	at := a.gaps[best].at
	a.gaps[best].at += size
	a.gaps[best].size -= size
	if a.gaps[best].size == 0 {
		a.gaps = append(a.gaps[:best], a.gaps[best+1:]...)
	}
	if at+size > a.peak {
		a.peak, a.when = at+size, step
	}
	return at
}

// give takes size bytes back, and joins gaps that touch.
func (a *arena) give(at, size int64) {
	size = roundUp(size, a.align)
	i := 0
	for i < len(a.gaps) && a.gaps[i].at < at {
		i++
	}
	before := i > 0 && a.gaps[i-1].at+a.gaps[i-1].size == at
	after := i < len(a.gaps) && at+size == a.gaps[i].at
	switch {
	case before && after:
		a.gaps[i-1].size += size + a.gaps[i].size
		a.gaps = append(a.gaps[:i], a.gaps[i+1:]...)
	case before:
		a.gaps[i-1].size += size
	case after:
		a.gaps[i].at, a.gaps[i].size = at, a.gaps[i].size+size
	default:
		a.gaps = append(a.gaps, gap{})
		copy(a.gaps[i+1:], a.gaps[i:])
		a.gaps[i] = gap{at, size}
	}
}

// walk is one run of the planner over a graph.
type walk struct {
	nodes  []node
	arenas []arena
	step   int
}

// plan places everything and returns the buffers. It stops where step stop has been placed; a negative one is never
// reached.
func (g *graph) plan(align int64, stop int) *walk {
	w := &walk{nodes: g.nodes, arenas: make([]arena, g.backends)}
	for i := range w.arenas {
		w.arenas[i] = newArena(align)
	}
	order := g.schedule()
	w.nodes = g.nodes
	for i := range w.nodes {
		w.nodes[i].children, w.nodes[i].views, w.nodes[i].flags = 0, 0, w.nodes[i].flags&^allocated
	}
	w.leaves(g.leaves)
	w.count(order)
	for _, i := range order {
		w.place(i)
		if stop >= 0 && w.step == stop {
			break
		}
		w.releaseOperands(i)
		w.step++
	}
	return w
}

func (w *walk) leaves(leaves []int32) {
	for _, i := range leaves {
		w.place(i)
	}
}

// count finds the readers of each tensor. A dependency (a node without layout of its own) reads, and is no view.
func (w *walk) count(order []int32) {
	for _, i := range order {
		n := &w.nodes[i]
		if n.view != none && n.what != dependency {
			w.nodes[n.view].views++
		}
		for _, s := range n.src {
			if s != none {
				w.nodes[s].children++
			}
		}
	}
}

func (w *walk) releaseOperands(i int32) {
	for _, s := range w.nodes[i].src {
		if s != none {
			w.release(s)
		}
	}
}

func (w *walk) place(i int32) {
	n := &w.nodes[i]
	if n.is(allocated|isStore) || n.view != none {
		return
	}
	n.flags |= allocated
	n.buffer = n.on
	if n.is(inPlace) && w.reuse(n) {
		return
	}
	n.at = w.arenas[n.buffer].take(n.size, w.step)
}

// reuse writes over an operand that nobody else reads.
func (w *walk) reuse(n *node) bool {
	for _, s := range n.src {
		if s == none {
			continue
		}
		p := &w.nodes[s]
		// A view is never written over, though the planner has code for that: it counts as memory of somebody else.
		if p.is(isOutput) || !p.is(allocated) || p.layout != n.layout || p.width != n.width || p.children != 1 || p.views != 0 {
			continue
		}
		p.flags &^= allocated
		n.buffer, n.at = p.buffer, p.at
		return true
	}
	return false
}

// release counts down the readers of an operand, and takes back what has none left.
func (w *walk) release(s int32) {
	p := &w.nodes[s]
	p.children--
	if p.children != 0 || p.views != 0 {
		return
	}
	if p.view != none {
		root := &w.nodes[p.view]
		root.views--
		if root.views != 0 || root.children != 0 {
			return
		}
		p = root
	}
	if p.is(allocated) && !p.is(isOutput) {
		p.flags &^= allocated
		w.arenas[p.buffer].give(p.at, p.size)
	}
}

// roundUp is the next multiple of a power of two.
func roundUp(n, align int64) int64 { return (n + align - 1) &^ (align - 1) }

// product multiplies sizes and saturates.
func product(factors ...int64) int64 {
	p := int64(1)
	for _, f := range factors {
		if f < 0 {
			return endless
		}
		high, low := bits.Mul64(uint64(p), uint64(f))
		if high != 0 || low > uint64(endless) {
			return endless
		}
		p = int64(low)
	}
	return p
}
