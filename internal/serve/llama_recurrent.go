package serve

// recur is a layer that keeps a state: what is read in is joined to what the convolution remembers, convolved, and
// scanned with the state (llama.cpp: src/models/mamba-base.cpp, delta-net-base.cpp, lfm2.cpp).
func (b *builder) recur(t *layerTraits, x int32) int32 {
	var out int32
	switch t.recurrent.kind {
	case deltaRule:
		out = b.delta(t, x)
	case shortConv:
		out = b.shortConvolution(t, x)
	case firstMamba:
		out = b.mamba(t, x)
	default:
		out = b.mamba2(t, x)
	}
	return b.product(t, "attention output", b.p.d, b.p.tokens, out, t.bytes.o)
}

// recalled is a state of all sequences, taken out of where it is kept.
func (b *builder) recalled(what string, elements int64) int32 {
	n := b.g.op(what, shaped(elements, max(1, b.p.sequences)), b.stateIDs)
	b.g.expand(n)
	return n
}

// remember writes back what a tensor ends with.
func (b *builder) remember(t *layerTraits, a int32) {
	b.g.expand(b.g.add(node{what: "store", flags: isStore | pinned, on: t.store}, b.g.part(a, 1)))
}

// convolved joins the input of the convolution to what is remembered, and convolves.
func (b *builder) convolved(t *layerTraits, in int32) int32 {
	return b.g.op("convolution", shaped(t.recurrent.conv, b.p.tokens), b.joined(t, in))
}

// joined puts what is remembered before the input of the convolution.
func (b *builder) joined(t *layerTraits, in int32) int32 {
	r := &t.recurrent
	before := b.recalled("state of the convolution", r.kernelState)
	elements := product(r.conv, b.p.tokens) + product(r.kernelState, max(1, b.p.sequences))
	joined := b.g.op("input of the convolution", shaped(elements), before, in)
	b.remember(t, joined)
	return joined
}

// scanned is the output of the scan, followed by the new state.
func (b *builder) scanned(t *layerTraits, src ...int32) int32 {
	r := &t.recurrent
	n := b.g.op("scan", shaped(product(r.inner, b.p.tokens)+product(r.state, max(1, b.p.sequences))), src...)
	b.remember(t, n)
	return n
}

// gatedBy weighs the output of a scan by the gate that came with the input.
func (b *builder) gatedBy(scan, in, skip int32) int32 {
	g := b.g
	l := g.nodes[skip].layout
	past := g.over("scan and input", g.part(scan, l.ne[0], l.ne[1], l.ne[2]), skip)
	g.nodes[past].layout.strided = false
	gate := g.op("gate", l, g.part(in, l.ne[0], l.ne[1], l.ne[2]))
	return g.op("gated", l, gate, past)
}

func (b *builder) mamba2(t *layerTraits, x int32) int32 {
	g, u, r := b.g, b.p.tokens, &t.recurrent
	in := b.product(t, "recurrent input", r.in, u, x, t.bytes.q)
	mixed := b.convolved(t, g.part(in, r.conv, u))
	mixed = g.over("convolution", g.over("convolution", mixed))
	steps := g.over("steps", g.op("steps", shaped(r.heads, u), g.part(in, r.heads, u)))
	heads := g.part(mixed, r.inner/r.heads, r.heads, u)
	scan := b.scanned(t, heads, steps, g.part(mixed, r.conv-r.inner, u), b.stateIDs)
	skip := g.op("input", shaped(r.inner/r.heads, r.heads, u), heads)
	out := b.gatedBy(scan, in, skip)
	if r.normed {
		out = b.norm(&layerTraits{home: t.home}, g.reshape(out, r.inner, u), "norm of the recurrence")
	}
	return g.reshape(out, r.inner, u)
}

func (b *builder) mamba(t *layerTraits, x int32) int32 {
	g, u, r := b.g, b.p.tokens, &t.recurrent
	in := b.product(t, "recurrent input", r.in, u, x, t.bytes.q)
	mixed := b.convolved(t, g.part(in, r.conv, u))
	mixed = g.over("convolution", g.over("convolution", mixed))
	small := g.op("steps, B and C", shaped(max(1, r.small), u), mixed)
	steps := g.over("steps", g.op("steps", shaped(r.inner, u), g.part(small, max(1, r.small), u)))
	scan := b.scanned(t, g.reshape(mixed, 1, r.inner, u), steps, g.part(small, max(1, r.small), u), b.stateIDs)
	return g.reshape(b.gatedBy(scan, in, g.over("input", mixed)), r.inner, u)
}

// delta is the gated delta rule, of which queries and keys are repeated for the heads of values.
func (b *builder) delta(t *layerTraits, x int32) int32 {
	g, u, r := b.g, b.p.tokens, &t.recurrent
	g.expand(x)
	in := b.product(t, "recurrent input", r.conv, u, x, t.bytes.q)
	input := b.joined(t, g.part(in, r.conv, u))
	state := b.recalled("state", r.state)
	mixed := g.over("convolution", g.op("convolution", shaped(r.conv, u), input))
	keys := r.keyHeads * r.keyWidth
	repeated := func(what string) int32 {
		n := g.op(what, shaped(r.keyWidth, r.keyHeads, u), g.part(mixed, r.keyWidth, r.keyHeads, u))
		if r.keyHeads == r.heads {
			return n
		}
		return g.op(what, shaped(r.keyWidth, r.heads, u), g.reshape(n, keys, u))
	}
	q, k := repeated("Q"), repeated("K")
	small := g.op("decay and strength", shaped(2*r.heads, u), x)
	decay := g.over("decay", g.op("decay", shaped(r.heads, u), g.part(small, r.heads, u)))
	strength := g.over("strength", g.op("strength", shaped(r.heads, u), g.part(small, r.heads, u)))
	scan := g.op("scan", shaped(product(r.inner, u)+product(r.state, max(1, b.p.sequences))), q, k,
		g.part(mixed, r.inner/r.heads, r.heads, u), g.joinedTo(decay, strength), state)
	b.remember(t, scan)
	out := b.norm(&layerTraits{home: t.home}, g.part(scan, r.inner/r.heads, r.heads, u), "norm of the recurrence")
	gate := g.reshape(g.op("gate", shaped(r.inner, u), x), r.inner/r.heads, r.heads, u)
	return g.reshape(g.over("gated", out, g.over("gate", gate)), r.inner, u)
}

// joinedTo lets an operation that has more operands than a node keeps read two small ones through one view.
func (g *graph) joinedTo(a, other int32) int32 {
	v := g.reshape(a, g.nodes[a].layout.ne[0], g.nodes[a].layout.ne[1])
	g.nodes[v].src[1] = other
	return v
}

// shortConvolution is that of LFM2: one third of the input gates what goes in, another what comes out.
func (b *builder) shortConvolution(t *layerTraits, x int32) int32 {
	g, u, r := b.g, b.p.tokens, &t.recurrent
	in := b.product(t, "recurrent input", r.in, u, x, t.bytes.q)
	gated := g.op("gated input", shaped(r.conv, u), g.part(in, r.conv, u), g.part(in, r.conv, u))
	out := b.convolved(t, g.part(gated, u, r.conv))
	return g.over("gated", out, g.part(in, r.conv, u))
}
