package arch

import "strconv"

// stack builds the tensors of one kind of block.
type stack struct{ tensors []Tensor }

func (s *stack) add(t Tensor) {
	if t.Copies.N == 0 {
		t.Copies = one
	}
	if t.Visited.Text == "" {
		t.Visited = t.Copies
	}
	s.tensors = append(s.tensors, t)
}

// matrix adds a linear layer that takes cols numbers and gives rows.
func (s *stack) matrix(name string, part Component, rows, cols Dim, split Split, units int64) {
	s.add(Tensor{Name: name + ".weight", Component: part, Rows: rows, Cols: cols, Split: split, Units: units, Matrix: true})
}

// bias adds the bias of a layer whose matrix is split that way.
func (s *stack) bias(name string, part Component, rows Dim, split Split, units int64) {
	if split == ByCols {
		split = Replicated
	}
	s.add(Tensor{Name: name + ".bias", Component: part, Rows: rows, Cols: one, Split: split, Units: units})
}

// norm adds the scale of a normalization.
func (s *stack) norm(name string, width Dim) {
	s.add(Tensor{Name: name + ".weight", Component: Norm, Rows: width, Cols: one})
}

// attention is the usual multi-head attention with grouped keys and values.
type attention struct {
	d, h, k, e Dim // hidden size, heads, key-value heads, head width
	qkvBias    bool
	outBias    bool
	headNorm   bool   // a norm over each head of q and k
	prefix     string // "self_attn."
}

func (a attention) add(s *stack) {
	p := a.prefix
	if p == "" {
		p = "self_attn."
	}
	he, ke := a.h.Times(a.e), a.k.Times(a.e)
	s.matrix(p+"q_proj", Attention, he, a.d, ByRows, a.h.N)
	s.matrix(p+"k_proj", Attention, ke, a.d, ByKVHeads, a.k.N)
	s.matrix(p+"v_proj", Attention, ke, a.d, ByKVHeads, a.k.N)
	s.matrix(p+"o_proj", Attention, a.d, he, ByCols, a.h.N)
	if a.qkvBias {
		s.bias(p+"q_proj", Attention, he, ByRows, a.h.N)
		s.bias(p+"k_proj", Attention, ke, ByKVHeads, a.k.N)
		s.bias(p+"v_proj", Attention, ke, ByKVHeads, a.k.N)
	}
	if a.outBias {
		s.bias(p+"o_proj", Attention, a.d, ByCols, a.h.N)
	}
	if a.headNorm {
		s.norm(p+"q_norm", a.e)
		s.norm(p+"k_norm", a.e)
	}
}

// mixer is what such a layer remembers.
func (a attention) mixer(kind Kind, window int64) Mixer {
	return Mixer{
		Kind: kind, Heads: a.h.N, KVHeads: a.k.N, KeyWidth: a.e.N, ValueWidth: a.e.N, Window: window, SharesWith: -1,
	}
}

// gatedMLP adds gate, up and down.
func gatedMLP(s *stack, prefix string, part Component, d, f Dim, bias bool) {
	s.matrix(prefix+"gate_proj", part, f, d, ByRows, 0)
	s.matrix(prefix+"up_proj", part, f, d, ByRows, 0)
	s.matrix(prefix+"down_proj", part, d, f, ByCols, 0)
	if bias {
		s.bias(prefix+"gate_proj", part, f, ByRows, 0)
		s.bias(prefix+"up_proj", part, f, ByRows, 0)
		s.bias(prefix+"down_proj", part, d, ByCols, 0)
	}
}

// embedding adds the table of tokens and, unless it is tied, the head.
func embedding(s *stack, name, head string, vocab, d Dim, tied bool) {
	t := Tensor{Name: name + ".weight", Component: Embedding, Rows: vocab, Cols: d, Split: ByVocab, Visited: Dim{0, "0"}}
	if tied {
		t.Visited = one
	}
	s.add(t)
	if !tied {
		s.add(Tensor{Name: head + ".weight", Component: Head, Rows: vocab, Cols: d, Split: ByVocab, Matrix: true})
	}
}

// repeat makes n blocks, each of the kind that pick chooses by its number.
func repeat(n int64, prefix string, pick func(i int) Block) []Block {
	if n > maxLayers {
		n = maxLayers
	}
	blocks := make([]Block, n)
	for i := range blocks {
		blocks[i] = pick(i)
		blocks[i].Prefix = prefix + strconv.Itoa(i) + "."
	}
	return blocks
}
