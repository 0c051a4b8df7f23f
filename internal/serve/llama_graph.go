package serve

// graph is one forward pass as ggml sees it. Nodes are made first and put in order later, depth first, by what the
// code of the models asks for (expand); the order decides what is alive together.
type graph struct {
	nodes    []node
	order    []int32 // as expanded
	leaves   []int32
	backends int
	copies   int // of each input, for pipelines over several devices
	planned  []int32
}

// dependency marks a node that only keeps another alive.
const dependency = "dependency"

func newGraph(backends, capacity int) *graph {
	return &graph{nodes: make([]node, 0, capacity), order: make([]int32, 0, capacity), backends: backends, copies: 1}
}

func (g *graph) add(n node, src ...int32) int32 {
	n.view = none
	for i := range n.src {
		n.src[i] = none
	}
	copy(n.src[:], src)
	if n.size == 0 && !n.is(isStore) {
		n.size = product(int64(n.width), n.layout.ne[0], n.layout.ne[1], n.layout.ne[2])
	}
	g.nodes = append(g.nodes, n)
	return int32(len(g.nodes) - 1)
}

// input is filled in by the host before each pass.
func (g *graph) input(what string, width int8, ne ...int64) int32 {
	return g.add(node{what: what, width: width, layout: shaped(ne...), flags: isInput | isLeaf | pinned, on: host})
}

func shaped(ne ...int64) layout {
	l := layout{ne: [3]int64{1, 1, 1}}
	copy(l.ne[:], ne)
	return l
}

// op makes a result of 32-bit numbers.
func (g *graph) op(what string, l layout, src ...int32) int32 {
	return g.add(node{what: what, width: 4, layout: l}, src...)
}

// over makes a result that may replace its operand.
func (g *graph) over(what string, src ...int32) int32 {
	l := g.nodes[src[0]].layout
	l.strided = false
	return g.add(node{what: what, width: 4, layout: l, flags: inPlace}, src...)
}

// reshape shows the same numbers in another shape.
func (g *graph) reshape(a int32, ne ...int64) int32 { return g.show(a, shaped(ne...)) }

// part shows some of the numbers, or all in another order.
func (g *graph) part(a int32, ne ...int64) int32 {
	l := shaped(ne...)
	l.strided = true
	return g.show(a, l)
}

func (g *graph) show(a int32, l layout) int32 {
	root, p := a, &g.nodes[a]
	if p.view != none {
		root = p.view
	}
	n := node{width: p.width, layout: l, what: "view"}
	i := g.add(n, a)
	g.nodes[i].view, g.nodes[i].size = root, 0
	return i
}

// expand puts a node and everything before it in order.
func (g *graph) expand(i int32) {
	n := &g.nodes[i]
	if n.is(visited) {
		return
	}
	n.flags |= visited
	src := n.src
	for _, s := range src {
		if s != none {
			g.expand(s)
		}
	}
	if g.nodes[i].is(isLeaf) {
		g.leaves = append(g.leaves, i)
		return
	}
	g.order = append(g.order, i)
}

// schedule cuts the order into runs on one backend, and adds the copies that each run needs of what lies elsewhere.
func (g *graph) schedule() []int32 {
	if g.planned != nil {
		return g.planned
	}
	s := scheduler{g: g, out: make([]int32, 0, 2*len(g.order)), on: make([]int32, 0, 16)}
	start := 0
	for start < len(g.order) {
		end := s.split(start)
		s.flush(start, end)
		start = end
	}
	g.planned = s.out
	return s.out
}

type scheduler struct {
	g   *graph
	out []int32
	on  []int32 // what is copied, in pairs of original and copy, for the split at hand

	kept []keptCopy // copies of inputs that outlive their split
}

type keptCopy struct {
	of  int32
	on  backend
	now int32
}

// split finds where a run that begins at start ends: where the backend changes, or where weights have to be fetched.
func (s *scheduler) split(start int) int {
	at, found := backend(0), false
	for i := start; i < len(s.g.order); i++ {
		n := &s.g.nodes[s.g.order[i]]
		if n.view != none {
			continue
		}
		if found && (n.on != at || fetches(n)) {
			return i
		}
		at, found = n.on, true
	}
	return len(s.g.order)
}

func fetches(n *node) bool {
	for _, e := range n.ext {
		if e.bytes > 0 && e.on != n.on {
			return true
		}
	}
	return false
}

// flush writes the copies that a run needs and then the run.
func (s *scheduler) flush(start, end int) {
	s.on = s.on[:0]
	g := s.g
	for _, i := range g.order[start:end] {
		n := &g.nodes[i]
		if n.view != none {
			continue
		}
		for k, e := range n.ext {
			if e.bytes > 0 && e.on != n.on {
				s.fetch(i, k, e)
			}
		}
	}
	for _, i := range g.order[start:end] {
		s.redirect(i, g.runsOn(start, end))
	}
	s.out = append(s.out, g.order[start:end]...)
}

// runsOn is the backend of a run.
func (g *graph) runsOn(start, end int) backend {
	for _, i := range g.order[start:end] {
		if g.nodes[i].view == none {
			return g.nodes[i].on
		}
	}
	return host
}

// fetch adds a copy of weights or cache that an operation on another backend reads.
func (s *scheduler) fetch(i int32, k int, e external) {
	g := s.g
	on := g.nodes[i].on
	c := g.add(node{what: "copy of weights or cache", size: e.bytes, layout: shaped(e.bytes), width: 1, on: on})
	g.nodes[i].src[3+k] = c
	s.out = append(s.out, c)
}

// redirect lets an operation read copies where its operands lie elsewhere. A view of what lies elsewhere is copied
// as it is shown.
func (s *scheduler) redirect(i int32, on backend) {
	g := s.g
	for k := range g.nodes[i].src {
		a := g.nodes[i].src[k]
		if a == none {
			continue
		}
		root := a
		if g.nodes[a].view != none {
			root = g.nodes[a].view
		}
		if g.nodes[root].on == on || g.nodes[i].view != none {
			continue
		}
		g.nodes[i].src[k] = s.copied(a, on)
	}
}

func (s *scheduler) copied(a int32, on backend) int32 {
	g := s.g
	for k := 0; k < len(s.on); k += 2 {
		if s.on[k] == a {
			return s.on[k+1]
		}
	}
	c := s.outlives(a, on)
	if c == none {
		c = g.add(node{what: g.nodes[a].what, width: g.nodes[a].width, layout: g.nodes[a].layout, on: on})
		g.nodes[c].layout.strided = false
		s.keep(a, on, c)
	}
	d := g.add(node{what: dependency, on: g.nodes[a].on, width: 1}, a)
	g.nodes[d].view, g.nodes[d].size = a, 0
	if v := g.nodes[a].view; v != none {
		g.nodes[d].view = v
	}
	s.on = append(s.on, a, c)
	s.out = append(s.out, d, c)
	return c
}

// outlives finds the copy of an input on a backend that an earlier run made: the same tensor serves all runs there.
func (s *scheduler) outlives(a int32, on backend) int32 {
	for _, k := range s.kept {
		if k.of == a && k.on == on {
			return k.now
		}
	}
	return none
}

func (s *scheduler) keep(a int32, on backend, c int32) {
	s.kept = append(s.kept, keptCopy{a, on, c})
	g := s.g
	if g.copies == 1 {
		return
	}
	g.nodes[c].flags |= isInput | isOutput
	g.leaves = append(g.leaves, c)
	for range g.copies - 1 {
		twin := g.add(node{
			what: g.nodes[c].what, width: g.nodes[c].width, layout: g.nodes[c].layout, on: on,
			flags: isInput | isOutput | isLeaf,
		})
		g.leaves = append(g.leaves, twin)
	}
}
