package serve

// llamaRun is one configuration, ready to be counted.
type llamaRun struct {
	m     Model
	p     Plan
	kv    kvType
	place placement
	rows  int // devices that the rows of matrices are parted over; 1 for none
	align int64

	window  int64
	weights *weighed
	layers  []layerTraits // without what depends on the context
	kinds   []int         // which layers stand for all in the plan of the buffers
	memo    *llamaMemo    // nil where nothing is kept
}

// newLlamaRun places the weights. Devices align tensors to 128 bytes, the host to 32.
func newLlamaRun(m Model, p Plan, align int64) *llamaRun {
	r := &llamaRun{m: m, p: p, align: align, window: largestWindow(m.Shape)}
	r.kv, _ = llamaKV(p.KV)
	devices := p.GPUs
	if r.rows = max(1, p.Tensor); r.rows > 1 { // all but the rows lies on the main device
		devices = min(1, devices)
	}
	r.place = placed(len(m.Shape.Blocks), devices, p.Llama.GPULayers, p.Llama.CPUExperts)
	r.weights = weigh(m, &r.place, align, r.rows)
	r.layers = r.traits()
	r.kinds = representatives(r.layers, r.place.devices > 0 && !r.place.complete())
	return r
}

// traits of all layers. Layers that share their tensors and their mixer are read once.
func (r *llamaRun) traits() []layerTraits {
	out := make([]layerTraits, len(r.m.Shape.Blocks))
	for i := range out {
		b := &r.m.Shape.Blocks[i]
		if j := alike(r.m.Shape.Blocks, i); j >= 0 {
			out[i] = out[j]
		} else {
			traitsOf(r.m.Shape, b, &out[i])
			if r.place.devices > 0 && !r.place.complete() {
				sizesOf(r.weights, b, &out[i])
			}
		}
		r.locate(&out[i], i)
	}
	return out
}

// offloadFrom is the number of tokens from which an operation on weights of the host runs on a device all the same,
// which fetches the weights for it.
const offloadFrom = 32

func (r *llamaRun) locate(t *layerTraits, i int) {
	on := r.place.blocks[i]
	t.on, t.home, t.store, t.expert = on, on, on, on
	if i < r.place.experts {
		t.expert = host
	}
	if on == host && r.place.devices > 0 && r.tokens() >= offloadFrom {
		t.on = 1
	}
}

// tokens of the largest micro-batch.
func (r *llamaRun) tokens() int64 {
	return min(r.p.Llama.MicroBatch, r.p.BatchedTokens, r.p.MaxModelLen)
}

// buffers is the most that the buffers of the forward pass for so many cells hold, by device.
func (r *llamaRun) buffers(c cells) []int64 {
	return r.memo.pass(passOf(r, c), func() []int64 {
		_, w := r.plan(c)
		peaks := make([]int64, len(w.arenas))
		for i := range w.arenas {
			peaks[i] = w.arenas[i].peak
		}
		return peaks
	})
}

// explain says what is alive in the buffer of a device when it is fullest.
func (r *llamaRun) explain(c cells, on backend) string {
	return r.memo.explained(saysKey{passOf(r, c), on}, func() string {
		g, w := r.plan(c)
		return g.explain(on, w.arenas[on])
	})
}

func (r *llamaRun) plan(c cells) (*graph, *walk) {
	p := r.pass(c)
	copies := 1
	if r.place.devices > 1 && r.place.complete() {
		copies = pipelineCopies
	}
	g := p.build(r.place.devices+1, copies)
	return g, g.plan(r.align, -1)
}

// pipelineCopies is how many sets of inputs are kept where several devices work at once (GGML_SCHED_MAX_COPIES).
const pipelineCopies = 4

func (r *llamaRun) pass(c cells) *pass {
	p := &pass{
		d: r.m.Shape.Hidden.N, vocab: r.m.Shape.Vocab.N, tokens: r.tokens(), outputs: r.outputs(), cells: c.full, sequences: r.p.MaxSeqs,
		windowCells: c.window, flash: !r.p.Llama.NoFlash, kvType: r.kv, windowed: r.window > 0, outputOn: r.place.output,
		transposed: r.p.Llama.NoFlash, latent: true, learned: learnedPositions(r.m.Shape),
	}
	p.firstOn = r.layers[0].on
	for _, i := range r.kinds {
		t := r.layers[i]
		p.layers = append(p.layers, t)
		p.latent = p.latent && (t.latent.rank > 0 || !t.attention)
		p.kWidth = max(p.kWidth, t.ek)
		p.vWidthMax = max(p.vWidthMax, product(t.k, t.ev))
	}
	return p
}

func (r *llamaRun) outputs() int64 {
	if r.p.Llama.AllOutputs {
		return r.tokens()
	}
	return min(r.tokens(), r.p.MaxSeqs)
}
