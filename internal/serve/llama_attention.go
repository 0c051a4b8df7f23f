package serve

// mix is the attention or the recurrence of a layer.
func (b *builder) mix(t *layerTraits, x int32) int32 {
	switch {
	case t.recurrent.kind > 0:
		return b.recur(t, x)
	case t.latent.rank > 0:
		return b.latent(t, x)
	}
	q, k, v, gate := b.qkv(t, x)
	if t.rope {
		q, k = b.g.over("Q", q, b.positions), b.g.over("K", k, b.positions)
	}
	out := b.attend(t, q, k, v)
	if gate != none {
		gate = b.g.over("gate of attention", b.g.op("gate of attention", shaped(t.h*t.ev, b.p.tokens), gate))
		out = b.g.over("gated attention", out, b.g.reshape(gate, t.h*t.ev, b.p.tokens))
	}
	out = b.product(t, "attention output", b.p.d, b.p.tokens, out, t.bytes.o)
	if t.outBias {
		out = b.g.over("attention output", out)
	}
	return out
}

// qkv projects; gate is what the output is weighed with in models that have such a gate beside Q, and none else.
func (b *builder) qkv(t *layerTraits, x int32) (q, k, v, gate int32) {
	g, u := b.g, b.p.tokens
	gate = none
	if t.fusedQKV {
		all := b.product(t, "Q, K and V", t.h*t.ek+t.k*t.ek+t.k*t.ev, u, x, t.bytes.q+t.bytes.k+t.bytes.v)
		if t.qkvBias {
			all = g.over("Q, K and V", all)
		}
		return g.part(all, t.ek, t.h, u), g.part(all, t.ek, t.k, u), g.part(all, t.ev, t.k, u), none
	}
	one := func(what string, e, heads, bytes int64, normed bool) int32 {
		n := b.product(t, what, e*heads, u, x, bytes)
		if t.qkvBias {
			n = g.over(what, n)
		}
		if normed && t.fullHeadNorm {
			n = b.norm(&layerTraits{home: t.home}, n, what)
		}
		n = g.reshape(n, e, heads, u)
		if normed && t.headNorm {
			n = b.norm(&layerTraits{home: t.home}, n, what)
		}
		return n
	}
	if t.gatedQ {
		both := g.reshape(b.product(t, "Q and gate", 2*t.ek*t.h, u, x, t.bytes.q), 2*t.ek, t.h, u)
		gate = g.part(both, t.ek, t.h, u)
		q = b.norm(&layerTraits{home: t.home}, g.part(both, t.ek, t.h, u), "Q")
	} else {
		q = one("Q", t.ek, t.h, t.bytes.q, true)
	}
	return q, one("K", t.ek, t.k, t.bytes.k, true), one("V", t.ev, t.k, t.bytes.v, false), gate
}

// attend stores keys and values and weighs the values by the scores.
func (b *builder) attend(t *layerTraits, q, k, v int32) int32 {
	c, cells := &b.caches[0], b.p.cells
	if t.window && b.p.windowed {
		c, cells = &b.caches[1], b.p.windowCells
	}
	if c.kRot != none {
		q, k, v = b.rotate(q, c.kRot), b.rotate(k, c.kRot), b.rotate(v, c.vRot)
	}
	g := b.g
	g.expand(q)
	if b.p.windowed {
		g.expand(k)
		g.expand(v)
	} else {
		g.expand(v)
		g.expand(k)
	}
	b.store(t, k, c.kIdx)
	b.store(t, v, c.vIdx)
	keys := external{product(cells, b.p.kvType.row(t.k*t.ek)), t.store}
	values := external{product(cells, b.p.kvType.row(t.k*t.ev)), t.store}
	out := b.weigh(t, q, c.mask, cells, keys, values)
	if c.vRot != none {
		out = b.rotate(out, c.vRot)
	}
	return out
}

// rotate multiplies with a Hadamard matrix, which spreads outliers before numbers are quantized.
func (b *builder) rotate(a, rotation int32) int32 {
	g := b.g
	l, n := g.nodes[a].layout, g.nodes[rotation].layout.ne[0]
	rows := product(l.ne[0], l.ne[1], l.ne[2]) / n
	var in int32
	if l.strided {
		in = g.op("rotated", shaped(n, rows), a)
	} else {
		in = g.reshape(a, n, rows)
	}
	return g.reshape(g.op("rotated", shaped(n, rows), rotation, in), l.ne[0], l.ne[1], l.ne[2])
}

func (b *builder) store(t *layerTraits, a, idx int32) {
	g := b.g
	n := g.add(node{what: "store", flags: isStore | pinned, on: t.store}, g.reshape(a, product(g.nodes[a].layout.ne[0], g.nodes[a].layout.ne[1]), g.nodes[a].layout.ne[2]), idx)
	g.expand(n)
}

// weigh is softmax(QK)V, in one operation with flash attention and in three without.
func (b *builder) weigh(t *layerTraits, q, mask int32, cells int64, keys, values external) int32 {
	g, u := b.g, b.p.tokens
	shown := g.part(g.part(q, t.ek, t.h, u), t.ek, u, t.h)
	if b.p.flash {
		n := g.op("attention", shaped(t.ev, t.h, u), shown, mask)
		g.nodes[n].ext = [2]external{keys, values}
		out := g.reshape(n, t.ev*t.h, u)
		g.expand(out)
		return out
	}
	kq := g.op("scores", shaped(cells, u, t.h), shown)
	g.nodes[kq].ext[0] = keys
	kq = g.over("scores", kq, mask)
	kqv := g.op("attention", shaped(t.ev, u, t.h), kq)
	g.nodes[kqv].ext[0] = values
	out := g.op("attention", shaped(t.ev*t.h, u), g.part(kqv, t.ev, t.h, u))
	g.expand(out)
	return out
}

// latent is attention over compressed keys and values, with the matrices absorbed (MLA): one key for all heads.
func (b *builder) latent(t *layerTraits, x int32) int32 {
	g, u, l := b.g, b.p.tokens, t.latent
	width := l.nope + l.rope
	var q int32
	if l.qRank > 0 {
		q = b.norm(&layerTraits{home: t.home}, b.product(t, "compressed Q", l.qRank, u, x, 0), "compressed Q")
		q = b.product(t, "Q", width*t.h, u, q, t.bytes.q)
	} else {
		q = b.product(t, "Q", width*t.h, u, x, t.bytes.q)
	}
	qNope, qRope := g.part(q, l.nope, t.h, u), g.part(q, l.rope, t.h, u)
	kv := b.product(t, "compressed KV", l.rank+l.rope, u, x, t.bytes.k)
	latent, kRope := g.part(kv, l.rank, u), g.part(kv, l.rope, 1, u)
	qRope, kRope = g.over("rotary Q", qRope, b.positions), g.over("rotary K", kRope, b.positions)
	latent = b.norm(&layerTraits{home: t.home}, latent, "compressed KV")
	absorbed := g.op("absorbed Q", shaped(l.rank, u, t.h), g.part(qNope, l.nope, u, t.h))
	q = g.op("Q", shaped(l.rank+l.rope, t.h, u), g.part(absorbed, l.rank, t.h, u), qRope)
	latent = g.reshape(latent, l.rank, 1, u)
	k := g.op("K", shaped(l.rank+l.rope, 1, u), latent, kRope)
	g.expand(q)
	g.expand(latent)
	g.expand(k)
	b.store(t, k, b.caches[0].kIdx)
	out := b.weighLatent(t, q)
	return b.product(t, "attention output", b.p.d, u, out, t.bytes.o)
}

func (b *builder) weighLatent(t *layerTraits, q int32) int32 {
	g, p, l := b.g, b.p, t.latent
	u, cells, mask := p.tokens, p.cells, b.caches[0].mask
	width := l.rank + l.rope
	keys := external{product(cells, p.kvType.row(width)), t.store}
	shown := g.part(g.part(q, width, t.h, u), width, u, t.h)
	var out int32
	if p.flash {
		n := g.op("attention", shaped(l.rank, t.h, u), shown, mask)
		g.nodes[n].ext[0] = keys
		n = g.op("attention", shaped(l.value, u, t.h), g.part(n, l.rank, u, t.h))
		out = g.op("attention", shaped(l.value*t.h, u), g.part(n, l.value, t.h, u))
	} else {
		kq := g.op("scores", shaped(cells, u, t.h), shown)
		g.nodes[kq].ext[0] = keys
		kq = g.over("scores", kq, mask)
		v := g.add(node{what: "values turned round", width: 2, layout: shaped(cells, l.rank)})
		kqv := g.op("attention", shaped(l.rank, u, t.h), v, kq)
		kqv = g.op("attention", shaped(l.value, u, t.h), kqv)
		out = g.op("attention", shaped(l.value*t.h, u), g.part(kqv, l.value, t.h, u))
	}
	out = g.reshape(out, l.value*t.h, u)
	g.expand(out)
	return out
}
