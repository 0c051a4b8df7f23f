package train

import (
	"github.com/llmcheck/llmcheck/internal/arch"
)

// Convention is how model FLOPs are counted.
type Convention struct {
	Full     bool   // each token is taken to see the whole sequence, not only what stands before it
	Embedded bool   // the table of embeddings counts as a product
	Text     string // for people
}

// Counts is how the log of a framework counts model FLOPs, so that what is shown can be held against it. Foundry and
// TorchTitan print 12 FLOPs for each layer, width and token of context, windows or not; Megatron halves that, and takes
// windows for what they are.
func (f Framework) Counts() Convention {
	switch f {
	case Foundry, FSDP:
		return Convention{Full: true, Embedded: true, Text: "6 for each parameter and attention in full, as if every token saw the whole sequence"}
	case TorchTitan, LitGPT:
		return Convention{Full: true, Text: "6 for each parameter but the embedding, and attention in full, as if every token saw the whole sequence"}
	}
	return Convention{Text: "6 for each parameter but the embedding (4 where it is frozen), and attention causal"}
}

// FLOPs of one token, forward and backward: as the framework counts them, and with what devices compute again.
func FLOPs(j *Job) (perToken, hardware float64) {
	if j.Shape == nil {
		return 0, 0
	}
	w := workOf(j.Shape, j.Method == Pretrain)
	return w.flops(j)
}

// work is what one token does on its way through a model, in multiplications (MACs), and what there is of the model.
type work struct {
	layers, hidden, vocab float64
	narrow                float64 // the narrowest side of the products that dense layers spend their time in

	dense, routed, head float64 // multiplications with matrices of blocks, of experts that are picked, and of the head
	embedding           float64 // parameters of a table that is looked up only
	ends, routedEnds    float64 // numbers that go into products and come out of them
	states              float64 // multiplications of recurrent states
	pairs               []pairing

	blocks, experts, outer float64 // parameters: of blocks without experts, of all experts, of what is on the ends

	expertLayers, choices, topK, expertWidth float64
}

// pairing is the attention of layers of one sort.
type pairing struct {
	layers, macs   float64 // multiplications of one pair of tokens in one layer
	window, keys   float64 // tokens seen at most, 0 for all; numbers kept of a token
	chunked        bool
	indexed, ratio float64
}

// sparseTokens is how many tokens an indexer picks (index_topk of DeepSeek-V3.2 and GLM-5).
const sparseTokens = 2048

// workOf condenses a shape. The blocks that predict further tokens are trained from nothing with the rest.
func workOf(s *arch.Shape, ahead bool) *work {
	w := &work{hidden: float64(s.Hidden.N), vocab: float64(s.Vocab.N)}
	w.tensors(s.Outer, 1)
	blocks(w, s.Blocks)
	blocks(w, s.Encoder)
	w.tensors(s.Towers, 0) // images are not part of a sequence of text
	if ahead && len(s.MTP) > 0 {
		blocks(w, s.MTP)
		w.tensors(s.MTPOuter, 1)
		w.head *= float64(1 + len(s.MTP))
	}
	w.narrow = w.hidden
	return w
}

// blocks adds layers, those of one kind at once.
func blocks(w *work, list []arch.Block) {
	for from := 0; from < len(list); {
		b := &list[from]
		to := from + 1
		for to < len(list) && alike(b, &list[to]) {
			to++
		}
		n := float64(to - from)
		w.layers += n
		w.tensors(b.Tensors, n)
		w.attends(&b.Mixer, n)
		from = to
	}
}

func alike(a, b *arch.Block) bool {
	x, y := a.Mixer, b.Mixer
	x.SharesWith, y.SharesWith = 0, 0
	return len(a.Tensors) == len(b.Tensors) && (len(a.Tensors) == 0 || &a.Tensors[0] == &b.Tensors[0]) && x == y
}

func (w *work) tensors(list []arch.Tensor, n float64) {
	routed := false
	for i := range list {
		t := &list[i]
		size := n * float64(t.Rows.N) * float64(t.Cols.N)
		passed := size * float64(t.Visited.N)
		ends := 0.0
		if t.Cols.N > 1 {
			ends = n * (float64(t.Rows.N) + float64(t.Cols.N)) * float64(t.Visited.N)
		}
		switch {
		case t.Component == arch.Head || t.Component == arch.Embedding:
			w.outer += size * float64(t.Copies.N)
			w.head += passed
			if t.Visited.N == 0 {
				w.embedding += size * float64(t.Copies.N)
			}
		case t.Component == arch.Experts && t.Copies.N > 1:
			w.experts += size * float64(t.Copies.N)
			w.routed += passed
			w.routedEnds += ends
			w.choices, w.topK = max(w.choices, float64(t.Copies.N)), max(w.topK, float64(t.Visited.N))
			w.expertWidth = max(w.expertWidth, min(float64(t.Rows.N), float64(t.Cols.N)))
			routed = true
		default:
			w.blocks += size * float64(t.Copies.N)
			w.dense += passed
			w.ends += ends
		}
	}
	if routed {
		w.expertLayers += n
	}
}

func (w *work) attends(m *arch.Mixer, n float64) {
	p := pairing{layers: n, macs: float64(m.Heads) * (float64(m.KeyWidth) + float64(m.ValueWidth)), ratio: float64(max(1, m.Ratio))}
	p.keys = float64(m.KVHeads) * (float64(m.KeyWidth) + float64(m.ValueWidth))
	if m.Latent > 0 {
		p.keys = float64(m.Latent) + float64(m.Rope)
		if p.macs == 0 {
			p.macs = float64(m.Heads) * float64(2*m.Latent+m.Rope)
		}
	}
	switch m.Kind {
	case arch.NoMixer:
		return
	case arch.State:
		w.states += 4 * n * float64(m.State)
		return
	case arch.Sliding, arch.Chunked:
		p.window, p.chunked = float64(m.Window), m.Kind == arch.Chunked
	case arch.Full, arch.Latent, arch.Compressed, arch.Cross:
		p.indexed = 64 * float64(m.Index)
		if m.Index > 0 {
			p.window = sparseTokens
		}
	}
	w.pairs = append(w.pairs, p)
}

// seen is how many tokens one of a sequence looks at in the mean.
func (p *pairing) seen(sequence float64) float64 {
	switch {
	case p.window > 0 && p.chunked:
		return min(sequence, p.window) / 2
	case p.window > 0 && p.window < sequence:
		return p.window - p.window*p.window/(2*sequence)
	}
	return sequence / 2
}

// attention is the multiplications of one token with others, forward.
func (w *work) attention(sequence float64, full bool) float64 {
	var sum float64
	for i := range w.pairs {
		p := &w.pairs[i]
		seen := p.seen(sequence)
		if full {
			seen = sequence
		}
		sum += p.layers * (p.macs*seen/p.ratio + p.indexed*sequence/2)
	}
	return sum + w.states
}

// kept are the numbers of keys and values of a token in all layers.
func (w *work) kept() float64 {
	var sum float64
	for i := range w.pairs {
		sum += w.pairs[i].layers * w.pairs[i].keys / w.pairs[i].ratio
	}
	return sum
}

// params are all parameters.
func (w *work) params() float64 { return w.blocks + w.experts + w.outer }

// passes is how many times the work of a forward pass is done for a frozen or a trained matrix: the backward pass has
// a product for what comes before and one for the weights.
func (j *Job) passes() float64 {
	if j.Trained() {
		return 3
	}
	return 2
}

// again is the share of the forward pass of layers that is computed a second time.
func (j *Job) again(selective float64) float64 {
	switch j.Recompute {
	case Whole:
		return 1
	case Selective:
		return selective
	case None:
	}
	return 0
}

// flops are those of one token: as the framework counts them, and with what is computed again.
func (w *work) flops(j *Job) (perToken, hardware float64) {
	how := j.Framework.Counts()
	attention := 2 * w.attention(float64(j.Sequence), how.Full)
	layers := 2 * (w.dense + w.routed)
	head := 2 * w.head
	if how.Embedded {
		head += 2 * w.embedding
	}
	perToken = j.passes()*(layers+head) + 3*attention
	if !j.Trained() {
		perToken += 6 * j.adapters(w)
	}
	again := 0.0
	switch j.Recompute {
	case Whole:
		again = layers + attention
	case Selective:
		again = attention // of the core of attention, as Megatron has it
	case None:
	}
	return perToken, perToken + again
}

// adapters are the parameters beside frozen weights: a rank on both sides of every linear layer.
func (j *Job) adapters(w *work) float64 { return float64(max(1, j.Rank)) * w.ends }
