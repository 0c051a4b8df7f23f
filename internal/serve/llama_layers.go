package serve

// traits of one layer, as far as they change what is alive together.
type layerTraits struct {
	h, k, ek, ev     int64 // heads, key-value heads, their widths
	window           bool
	latent           latentTraits    // rank is 0 without
	recurrent        recurrentTraits // kind is 0 without
	attention        bool
	fusedQKV         bool
	gatedQ           bool // Q comes with a gate for the output
	qkvBias, outBias bool
	headNorm         bool // over q and k
	fullHeadNorm     bool // over all heads at once, before they are split
	rope             bool

	preNorm, postNorm bool // of attention
	parallel          bool // attention and MLP read the same norm
	ffnNorm           bool
	ffnPostNorm       bool
	layerNorm         bool // with a mean, which is not written over its operand
	normBias          bool

	f          int64 // of the dense MLP; 0 if there is none
	gated      bool
	fusedGate  bool // gate and up are one matrix
	mlpBias    bool
	experts    int64
	topK       int64
	fe         int64
	shared     int64
	sharedGate bool
	expertBias bool
	choiceBias bool // added to the scores only for the choice
	normalize  bool
	scaled     bool
	softmaxed  bool // the scores of the chosen experts, and not those of all, pass a softmax
	weighFirst bool // the weight goes on the input of the experts

	on     backend // where it runs
	home   backend // of its weights
	store  backend // of its cache
	expert backend // of the weights of its experts
	bytes  layerBytes
}

// layerBytes are sizes of weights, for those that are fetched from the host.
type layerBytes struct {
	q, k, v, o, gate, up, down       int64
	expertGate, expertUp, expertDown int64
	norm                             int64
}

type latentTraits struct {
	qRank, rank, rope, nope, value int64
}

// recurrence is how a recurrent layer computes.
type recurrence int8

const (
	firstMamba recurrence = iota + 1
	secondMamba
	deltaRule
	shortConv
)

type recurrentTraits struct {
	kind        recurrence
	in, inner   int64 // widths of what is read in and of what the output is made from
	conv        int64 // channels of the convolution
	small       int64 // width of what else is projected: steps, B and C of Mamba, decay and strength of the delta rule
	heads       int64
	keyHeads    int64
	keyWidth    int64
	kernelState int64 // elements of what the convolution remembers of one sequence
	state       int64 // elements of the state of one sequence
	normed      bool  // a norm over the output
}

// pass is the forward pass that is planned.
type pass struct {
	d, vocab, tokens, outputs int64
	cells, windowCells        int64
	sequences                 int64
	flash                     bool
	kvType                    kvType
	windowed                  bool // there are two caches
	transposed                bool
	layers                    []layerTraits
	outputOn, firstOn         backend
	learned                   bool // positions have embeddings
	vWidthMax                 int64
	kWidth                    int64 // of a head, for the rotation of quantized caches
	latent                    bool
	finalLayerNorm            bool
}

type builder struct {
	g *graph
	p *pass

	positions, outIDs int32
	stateIDs          int32
	caches            [2]cacheInputs // full, window
	in                int32
}

type cacheInputs struct{ kIdx, vIdx, mask, kRot, vRot int32 }

// build makes the graph of the pass.
func (p *pass) build(backends int, copies int) *graph {
	b := &builder{g: newGraph(backends, 64*len(p.layers)+64), p: p}
	b.g.copies = copies
	b.inputs()
	for i := range p.layers {
		b.layer(&p.layers[i], i == len(p.layers)-1)
	}
	b.output()
	return b.g
}

// put says where the nodes made since from run.
func (b *builder) put(from int, on backend) {
	for i := from; i < len(b.g.nodes); i++ {
		if !b.g.nodes[i].is(pinned) {
			b.g.nodes[i].on = on
		}
	}
}

func (b *builder) inputs() {
	g, p := b.g, b.p
	tokens := g.input("token ids", 4, p.tokens)
	raw := g.input("embeddings given as such", 4, p.d, p.tokens)
	rows := g.op("embeddings", shaped(p.d, p.tokens), tokens)
	g.nodes[rows].flags |= pinned
	g.expand(rows)
	g.expand(raw)
	b.in = rows
	b.positions = g.input("positions", 4, p.tokens)
	if p.learned {
		place := g.op("embeddings of positions", shaped(p.d, p.tokens), b.positions)
		g.nodes[place].flags |= pinned
		from := len(g.nodes)
		b.in = g.over("embeddings", rows, place)
		b.put(from, p.firstOn)
	}
	b.caches[0] = b.cacheInputs(p.cells)
	if p.windowed {
		b.caches[1] = b.cacheInputs(p.windowCells)
	}
	b.outIDs = g.input("output ids", 4, p.outputs)
	b.stateIDs = g.input("state ids", 4, max(1, p.sequences))
}

func (b *builder) cacheInputs(cells int64) cacheInputs {
	g, p := b.g, b.p
	width := int8(4)
	if p.flash {
		width = 2
	}
	c := cacheInputs{kRot: none, vRot: none, vIdx: none}
	c.kIdx = g.input("cache positions", 8, p.tokens)
	if !p.latent {
		n := p.tokens
		if p.transposed {
			n = product(n, p.vWidthMax)
		}
		c.vIdx = g.input("cache positions of V", 8, n)
	}
	c.mask = g.input("mask", width, cells, p.tokens)
	if p.kvType.quantized() && !p.latent {
		n := int64(64)
		for p.kWidth%(2*n) == 0 {
			n *= 2
		}
		c.kRot = g.input("rotation of K", 4, n, n)
		c.vRot = g.input("rotation of V", 4, 64, 64)
	}
	return c
}

func (b *builder) norm(t *layerTraits, a int32, what string) int32 {
	g := b.g
	var n int32
	if t.layerNorm {
		n = g.op(what, g.nodes[a].layout, a)
	} else {
		n = g.over(what, a)
	}
	n = b.weighted(g.over(what, n), t.bytes.norm, t.home)
	if t.normBias {
		n = g.over(what, n)
	}
	return n
}

// weighted notes the weights that an operation reads.
func (b *builder) weighted(n int32, bytes int64, on backend) int32 {
	b.g.nodes[n].ext[0] = external{bytes, on}
	return n
}

// product is a matrix times the tokens.
func (b *builder) product(t *layerTraits, what string, rows, columns int64, a int32, bytes int64) int32 {
	return b.weighted(b.g.op(what, shaped(rows, columns), a), bytes, t.home)
}

func (b *builder) layer(t *layerTraits, last bool) {
	g := b.g
	from := len(g.nodes)
	left := b.in
	cur := left
	if t.preNorm {
		cur = b.norm(t, b.in, "norm of attention")
	}
	normed := cur
	if t.mixes() {
		cur = b.mix(t, cur)
		if last {
			cur, left = b.rows(cur), b.rows(left)
			if t.parallel {
				normed = b.rows(normed)
			}
		}
		if t.postNorm {
			cur = b.norm(t, cur, "norm after attention")
		}
		if !t.parallel {
			cur = g.over("residual", cur, left)
			left = cur
		}
	}
	if t.f > 0 || t.experts > 0 {
		cur = b.feedForward(t, cur, normed, left, last && !t.mixes())
	}
	b.in = cur
	b.put(from, t.on)
}

// mixes reports whether the layer looks at other tokens at all.
func (t *layerTraits) mixes() bool { return t.attention || t.recurrent.kind > 0 }

// rows keeps the rows of which somebody wants the output.
func (b *builder) rows(a int32) int32 {
	return b.g.op("output rows", shaped(b.p.d, b.p.outputs), a, b.outIDs)
}

func (b *builder) feedForward(t *layerTraits, cur, normed, left int32, chosen bool) int32 {
	g := b.g
	attn := cur
	x := cur
	switch {
	case t.parallel:
		x = normed
	case t.ffnNorm:
		x = b.norm(t, cur, "norm of the MLP")
	}
	var y int32
	if t.experts > 0 {
		y = b.mixture(t, x)
		if t.shared > 0 {
			y = g.over("MLP output", y, b.sharedExpert(t, x))
		}
	} else {
		y = b.mlp(t, x, t.f)
	}
	if t.ffnPostNorm {
		y = b.norm(t, y, "norm after the MLP")
	}
	if chosen {
		y, left = b.rows(y), b.rows(left)
	}
	if t.parallel {
		return g.over("residual", g.over("residual", y, left), attn)
	}
	return g.over("residual", y, left)
}

// mlp is gate, up and down, or up and down.
func (b *builder) mlp(t *layerTraits, x int32, f int64) int32 {
	g, u := b.g, b.g.nodes[x].layout.ne[1]
	if t.fusedGate {
		up := b.product(t, "gate and up", 2*f, u, x, t.bytes.up)
		return b.product(t, "MLP output", b.p.d, u, g.op("gated", shaped(f, u), up), t.bytes.down)
	}
	up := b.product(t, "up", f, u, x, t.bytes.up)
	if t.mlpBias {
		up = g.over("up", up)
	}
	var act int32
	if t.gated {
		gate := b.product(t, "gate", f, u, x, t.bytes.gate)
		if t.mlpBias {
			gate = g.over("gate", gate)
		}
		act = g.op("gated", shaped(f, u), gate, up)
	} else {
		act = g.over("up", up)
	}
	y := b.product(t, "MLP output", b.p.d, u, act, t.bytes.down)
	if t.mlpBias {
		y = g.over("MLP output", y)
	}
	return y
}

func (b *builder) sharedExpert(t *layerTraits, x int32) int32 {
	y := b.mlp(&layerTraits{gated: t.gated, home: t.home}, x, t.shared)
	if !t.sharedGate {
		return y
	}
	u := b.g.nodes[x].layout.ne[1]
	gate := b.g.over("gate of the shared expert", b.g.op("gate of the shared expert", shaped(1, u), x))
	return b.g.over("MLP output", y, gate)
}

// mixture routes the tokens to experts and adds up what these give.
func (b *builder) mixture(t *layerTraits, x int32) int32 {
	g, d, k := b.g, b.p.d, t.topK
	u := g.nodes[x].layout.ne[1]
	chosen, weights := b.route(t, x, u)
	g.expand(weights)
	in := g.reshape(x, d, 1, u)
	if t.weighFirst {
		in = g.over("expert input", g.op("expert input", shaped(d, k, u), in), weights)
	}
	up := b.experts(t, "expert up", t.fe, k, u, in, chosen, t.bytes.expertUp)
	var act int32
	if t.gated {
		gate := b.experts(t, "expert gate", t.fe, k, u, in, chosen, t.bytes.expertGate)
		act = g.op("expert gated", shaped(t.fe, k, u), gate, up)
	} else {
		act = g.over("expert up", up)
	}
	out := b.experts(t, "expert output", d, k, u, act, chosen, t.bytes.expertDown)
	if !t.weighFirst {
		out = g.over("expert output", out, weights)
	}
	g.expand(out)
	return b.total(out, d, k, u)
}

func (b *builder) experts(t *layerTraits, what string, rows, k, u int64, x, chosen int32, bytes int64) int32 {
	n := b.g.op(what, shaped(rows, k, u), x, chosen)
	b.g.nodes[n].ext[0] = external{bytes, t.expert}
	if t.expertBias {
		n = b.g.over(what, n, chosen)
	}
	return n
}

// total adds up the outputs of the chosen experts.
func (b *builder) total(out int32, d, k, u int64) int32 {
	g := b.g
	if k == 1 {
		return g.op("MLP output", shaped(d, u), g.part(out, d, u))
	}
	views := make([]int32, k)
	for i := range views {
		views[i] = g.part(out, d, u)
		g.expand(views[i])
	}
	sum := views[0]
	for _, v := range views[1:] {
		sum = g.over("MLP output", sum, v)
		g.nodes[sum].layout.strided = false
		g.expand(sum)
	}
	return sum
}

// route chooses the experts and how much each counts.
func (b *builder) route(t *layerTraits, x int32, u int64) (chosen, weights int32) {
	g := b.g
	scores := g.over("router", g.op("router", shaped(t.experts, u), x))
	choice := scores
	if t.choiceBias {
		choice = g.over("router", scores)
	}
	chosen = g.part(g.op("router", shaped(t.experts, u), choice), t.topK, u)
	weights = g.op("router", shaped(1, t.topK, u), g.reshape(scores, 1, t.experts, u), chosen)
	if t.softmaxed {
		weights = g.reshape(g.over("router", g.reshape(weights, t.topK, u)), 1, t.topK, u)
	}
	if t.normalize {
		flat := g.reshape(weights, t.topK, u)
		sum := g.over("router", g.op("router", shaped(1, u), flat))
		weights = g.reshape(g.over("router", flat, sum), 1, t.topK, u)
	}
	if t.scaled {
		weights = g.over("router", weights)
	}
	return chosen, weights
}

// output is the last norm and the head.
func (b *builder) output() {
	g, p := b.g, b.p
	from := len(g.nodes)
	t := layerTraits{home: p.outputOn, layerNorm: p.finalLayerNorm, normBias: p.finalLayerNorm}
	last := b.norm(&t, b.in, "last norm")
	g.nodes[last].flags |= isOutput
	logits := g.op("logits", shaped(p.vocab, p.outputs), last)
	g.nodes[logits].flags |= isOutput
	b.put(from, p.outputOn)
	g.expand(logits)
}
