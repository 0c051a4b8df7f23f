package train

import (
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// count is how many parameters of a part of the model one device holds before data ranks share them.
type count struct {
	linear  float64 // matrices of layers but experts, which quantization takes
	experts float64
	rest    float64 // norms, biases, routers
	outer   float64 // embedding, positions, final norm, head
	tower   float64 // vision and audio
	embed   float64 // of outer: what embeds and what makes logits
}

func (c count) plus(o count) count {
	return count{c.linear + o.linear, c.experts + o.experts, c.rest + o.rest, c.outer + o.outer, c.tower + o.tower, c.embed + o.embed}
}

func (c count) times(n float64) count {
	return count{c.linear * n, c.experts * n, c.rest * n, c.outer * n, c.tower * n, c.embed * n}
}

func (c count) all() float64   { return c.linear + c.experts + c.rest + c.outer + c.tower }
func (c count) inner() float64 { return c.linear + c.experts + c.rest }

// elements is Elements without overflow.
func elements(t *arch.Tensor) float64 {
	return float64(t.Rows.N) * float64(t.Cols.N) * float64(t.Copies.N)
}

// ways is into how many parts tensor and expert parallelism divide a tensor.
func ways(t *arch.Tensor, tensor, expert float64) float64 {
	switch t.Split {
	case arch.Replicated:
		return 1
	case arch.ByKVHeads:
		if t.Units > 0 {
			return min(tensor, float64(t.Units))
		}
		return tensor
	case arch.ByExpert, arch.ByExpertCols:
		return min(max(tensor, expert), max(elements(t), 1))
	}
	return tensor
}

// add counts a tensor.
func (c *count) add(t *arch.Tensor, tensor, expert float64) {
	n := elements(t) / ways(t, tensor, expert)
	switch {
	case t.Component == arch.Tower:
		c.tower += n
	case t.Component == arch.Experts:
		c.experts += n
	case t.Component == arch.Embedding || t.Component == arch.Head:
		c.outer, c.embed = c.outer+n, c.embed+n
	case t.Matrix && t.Component != arch.Router && t.Cols.N > 1:
		c.linear += n
	default:
		c.rest += n
	}
}

// TrainedParams counts the parameters that gradients are computed for.
func (j *Job) TrainedParams() int64 {
	if j.Shape == nil {
		return 0
	}
	if !j.Trained() {
		n := j.laid(j.Shape, 1, 1)
		if j.TrainOuter {
			n += outerOf(j.Shape, 1).outer
		}
		return whole(n)
	}
	n := float64(0)
	for t := range j.Shape.Tensors() {
		if t.Component != arch.MTPPart || j.Method == Pretrain {
			n += elements(t)
		}
	}
	return whole(n)
}

const most = int64(1) << 62

func whole(n float64) int64 {
	if n >= float64(most) {
		return most
	}
	return int64(max(0, n))
}

// outerOf counts what is neither of a layer nor of a tower.
func outerOf(s *arch.Shape, tensor float64) count {
	var c count
	for i := range s.Outer {
		c.outside(&s.Outer[i], tensor)
	}
	return c
}

func (c *count) outside(t *arch.Tensor, tensor float64) {
	n := elements(t) / ways(t, tensor, 1)
	c.outer += n
	if t.Component == arch.Embedding || t.Component == arch.Head {
		c.embed += n
	}
}

// laid counts what adapters add to all layers.
func (j *Job) laid(s *arch.Shape, tensor, expert float64) float64 {
	n, seen := float64(0), map[*arch.Tensor]float64{}
	each := func(blocks []arch.Block) {
		for i := range blocks {
			b := &blocks[i]
			if len(b.Tensors) == 0 {
				continue
			}
			if _, ok := seen[&b.Tensors[0]]; !ok {
				seen[&b.Tensors[0]] = j.adaptersOf(b.Tensors, tensor, expert, nil)
			}
			n += seen[&b.Tensors[0]]
		}
	}
	each(s.Encoder)
	each(s.Blocks)
	return n
}

// adaptersOf counts what is added to one layer: rank times inputs and outputs of each matrix that is a target. It calls
// with every matrix that is one.
func (j *Job) adaptersOf(ts []arch.Tensor, tensor, expert float64, with func(*arch.Tensor)) float64 {
	n := float64(0)
	for i := range ts {
		t := &ts[i]
		if !j.adapts(t) {
			continue
		}
		if with != nil {
			with(t)
		}
		copies := float64(t.Copies.N)
		if t.Component == arch.Experts {
			copies /= min(copies, max(1, expert))
		}
		rows, cols := float64(t.Rows.N), float64(t.Cols.N)
		switch t.Split { // the side that ranks divide; the other is whole
		case arch.ByCols, arch.ByExpertCols:
			cols /= tensor
		case arch.ByRows, arch.ByExpert, arch.ByQKV, arch.ByKVHeads:
			rows /= tensor
		}
		n += float64(j.Rank) * (rows + cols) * copies
	}
	return n
}

// adapts reports whether a matrix of a layer gets an adapter.
func (j *Job) adapts(t *arch.Tensor) bool {
	if !t.Matrix || t.Cols.N <= 1 || t.Component == arch.Router || t.Component == arch.Head || t.Component == arch.Embedding {
		return false
	}
	if len(j.Targets) == 0 || slices.Contains(j.Targets, "all-linear") {
		return true
	}
	module := strings.TrimSuffix(t.Name, ".weight")
	return slices.ContainsFunc(j.Targets, func(name string) bool {
		return module == name || strings.HasSuffix(module, "."+name)
	})
}

// layer is one kind of layer on one device. Activations are bytes of one token of the device.
type layer struct {
	count
	adapters  float64
	input     float64 // what full recomputation keeps
	kept      float64 // what is kept without recomputation, all ranks' shares taken
	scores    float64 // of that: what attention writes without a flash kernel
	products  float64 // outputs of all products, of which selective recomputation keeps some
	gradients float64 // of the widest part, in the backward pass
	unpacked  float64 // of kept: queries, keys and values that latent attention unpacks for every head
	activated float64 // of kept: what the gates of experts put out
	normed    float64 // of kept: what norms put out
	unsure    float64 // of kept: what some versions do not keep
	adapted   float64 // of kept: what adapters read
	outputs   float64 // of attention
	norms     int
	layerNorm bool // with a bias, which PyTorch has one kernel for
}

func (l *layer) full() float64 { return l.kept + l.scores }

// layerOf reads one kind of layer.
func (a *account) layerOf(b *arch.Block) layer {
	var l layer
	for i := range b.Tensors {
		t := &b.Tensors[i]
		l.add(t, a.tensor, a.expert)
		if t.Component == arch.Norm && t.Rows.N >= a.hidden() {
			l.norms++
			l.layerNorm = l.layerNorm || strings.HasSuffix(t.Name, ".bias")
		}
	}
	if a.job.Rank > 0 {
		l.adapters = a.job.adaptersOf(b.Tensors, a.tensor, a.expert, nil)
	}
	a.activations(b, &l)
	return l
}

func (a *account) hidden() int64 { return max(1, a.job.Shape.Hidden.N) }

const two = 2 // bytes of an activation

// activations sums what a layer keeps for its backward pass: the inputs of its norms, of each product whose weight is
// trained or adapted, what attention and what the gate of the feed-forward part need, and what experts make of tokens.
func (a *account) activations(b *arch.Block, l *layer) {
	h := float64(a.hidden())
	between := h / a.between // of what lies between products
	l.input = two * between
	norm := two * between
	if a.eager && !l.layerNorm {
		norm = 4 * between
		if a.job.Trained() {
			norm += two * between
		}
	}
	norms := max(2, l.norms) // what they read; what they put out is the input of products
	if l.layerNorm {
		norms = max(2, l.norms/2) // a weight and a bias each
	}
	l.kept += float64(norms) * norm
	a.inputs(b, l)
	a.attention(b, l)
	a.forward(b, l)
	l.gradients += 2 * two * between
}

// input is a set of products that read the same numbers.
type input struct {
	of     arch.Component
	cols   int64
	second bool // of the product that closes its part: its inputs are divided
}

// inputs adds what products keep of what they read.
func (a *account) inputs(b *arch.Block, l *layer) {
	var seen []input
	for i := range b.Tensors {
		t := &b.Tensors[i]
		if !t.Matrix || t.Cols.N <= 1 || t.Component == arch.Experts {
			continue
		}
		l.products += two * float64(t.Rows.N) / a.outputs(t)
		cols, divided := float64(t.Cols.N), t.Split == arch.ByCols
		whole := t.Cols.N == a.hidden() && !divided // what a norm puts out
		if divided {
			cols /= a.tensor
		} else {
			cols /= a.reads
		}
		if !a.job.Trained() {
			if a.job.adapts(t) {
				l.kept += a.adapterInput * cols
				l.adapted += a.adapterInput * cols
			}
			if !a.keepsInputs {
				continue
			}
		}
		key := input{t.Component, t.Cols.N, divided}
		if t.Component == arch.Router || t.Component == arch.Shared {
			key.of = arch.Dense // they read what one norm puts out
		}
		switch {
		case slices.Contains(seen, key):
			continue
		case t.Component == arch.Attention && divided:
			if a.input < two {
				l.kept += a.input * cols // beside what attention keeps of it
			}
			continue // what attention puts out is kept by attention
		}
		seen = append(seen, key)
		l.kept += a.input * cols
		if a.mayKeep {
			l.unsure += a.input * cols
		}
		if whole {
			l.normed += a.input * cols
		}
	}
}

func (a *account) outputs(t *arch.Tensor) float64 {
	switch t.Split {
	case arch.Replicated, arch.ByCols:
		return a.between
	}
	return a.tensor
}

// attention adds queries, keys, values, outputs and their sums, and scores where they are written.
func (a *account) attention(b *arch.Block, l *layer) {
	m := &b.Mixer
	heads := float64(m.Heads)
	keys := float64(m.KVHeads)
	if m.Kind == arch.Latent {
		keys = heads // they are unpacked to every head
		unpacked := two * heads * float64(m.KeyWidth+m.ValueWidth) / a.tensor
		l.kept += unpacked
		l.unpacked = unpacked + two*heads*float64(2*m.KeyWidth+m.ValueWidth)/a.tensor
	}
	if a.expands {
		keys = heads
	}
	if m.Kind == arch.State || m.Kind == arch.NoMixer {
		a.recurrent(b, l)
		return
	}
	kw, vw := float64(m.KeyWidth), float64(m.ValueWidth)
	kv := keys * (kw + vw)
	l.kept += (two*(heads*(kw+vw)+kv) + 4*heads) / a.tensor
	if a.context > 1 {
		kv *= 2 // those of the rank before, while they pass
	}
	l.outputs = two * heads * vw / a.tensor
	l.gradients += two * (heads*(kw+vw) + kv) / a.tensor
	if a.job.NoFlash {
		l.scores += a.scoreBytes * heads / a.tensor * float64(a.job.Sequence)
	}
}

// recurrent adds the inputs of convolution and scan, its outputs, and the states between chunks.
func (a *account) recurrent(b *arch.Block, l *layer) {
	rows := float64(0)
	for i := range b.Tensors {
		if t := &b.Tensors[i]; t.Component == arch.Recurrent && t.Matrix && t.Split != arch.ByCols {
			rows += float64(t.Rows.N)
		}
	}
	const chunk = 64 // tokens between states that are kept
	l.kept += (3*two*rows + 4*float64(b.Mixer.State)/chunk) / a.tensor
	l.gradients += two * rows / a.tensor
}

// forward adds the feed-forward part.
func (a *account) forward(b *arch.Block, l *layer) {
	p := &b.MLP
	parts := float64(1) // outputs of the first products; those of the activation are what the last product reads
	if p.Gated {
		parts = 2
		if a.eager {
			parts = 3
		}
	}
	width := float64(p.Width + p.SharedWidth)
	l.kept += two * parts * width / a.tensor
	l.gradients += two * (parts + 1) * width / a.tensor
	if p.Experts == 0 {
		return
	}
	chosen, each := float64(p.TopK), float64(p.ExpertWidth)
	excess := a.data.by["imbalance"].Mid / a.tensor
	l.activated = a.input * chosen * each * excess
	routed := two * chosen * (2*float64(a.hidden()) + (parts+1)*each) / a.tensor
	kept := chosen * (a.input*float64(a.hidden()) + two*parts*each) * excess
	if a.job.Framework != Megatron {
		kept += two * chosen * float64(a.hidden()) * excess // what experts put out, which is weighted after them
	}
	l.kept += kept + l.activated + 2*4*float64(p.Experts)
	l.products += two * chosen * (each*parts + float64(a.hidden())) / a.tensor
	l.gradients += routed
}
