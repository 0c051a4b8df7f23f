package arch

import (
	"fmt"
	"slices"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// sizes are what a configuration class sets for absent keys; 0 is for what a file must say.
type sizes struct {
	d, f, layers, h, k, e, vocab, context int64
	kFrom                                 string // the key that k is from, where the family has one of its own for it
}

// names are those of the outer tensors and of the list of blocks.
type names struct{ body, embed, layers, norm, head string }

func llamaNames() names { return names{"model.", "embed_tokens", "layers", "norm", "lm_head"} }

func gptNames() names { return names{"transformer.", "wte", "h", "ln_f", "lm_head"} }

// plan is a dense decoder to be: its sizes, and the tensors that all its blocks share.
type plan struct {
	c                  *config
	d, f, vocab, depth Dim
	attn               attention
	tied               bool
	context            int64
	mlp                MLP
	block, outer       stack
	mixers             func(i int) Mixer
}

// plan reads the sizes under the names that families have for them.
func (c *config) plan(tied bool, class sizes) *plan {
	p := &plan{c: c, tied: c.tied(tied)}
	p.d = c.sizeOr("d", class.d, maxDim, "hidden_size", "n_embd", "n_embed", "d_model")
	h := c.sizeOr("h", class.h, maxCount, "num_attention_heads", "n_head", "n_heads", "num_heads")
	p.attn = attention{d: p.d, h: h, k: c.keyHeads(h, class), e: c.headWidthOr(p.d, h, class.e)}
	p.f = c.sizeOr("f", class.f, maxDim, "intermediate_size", "ffn_dim", "ffn_hidden_size", "n_inner")
	p.depth = c.sizeOr("L", class.layers, maxLayers, "num_hidden_layers", "n_layer", "n_layers", "num_layers")
	p.vocab = c.sizeOr("V", class.vocab, maxDim, "vocab_size", "padded_vocab_size")
	p.context = c.maxContext()
	if p.context == 0 && class.context > 0 {
		p.context = class.context
		c.assume("max_position_embeddings", strconv.FormatInt(class.context, 10), classDefault)
	}
	p.mixers = func(int) Mixer { return p.attn.mixer(Full, 0) }
	return p
}

// sizeOr is a size whose class has a default unless that is 0.
func (c *config) sizeOr(symbol string, otherwise, most int64, keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	switch {
	case ok:
	case otherwise > 0:
		n = otherwise
		c.assume(key, strconv.FormatInt(n, 10), classDefault)
	default:
		c.fault("is missing, and the shape cannot be known without it", keys[0])
		n = 1
	}
	return c.named(symbol, key, n, most)
}

// keyHeads is the number of key-value heads, which divides that of query heads.
func (c *config) keyHeads(h Dim, class sizes) Dim {
	n, key, ok := c.lookup([]string{"num_key_value_heads", "num_kv_heads", "n_head_kv"})
	switch {
	case class.kFrom != "":
		n, key = class.k, class.kFrom
	case ok:
	case class.k > 0 && !c.null("num_key_value_heads"):
		n = class.k
		c.assume(key, strconv.FormatInt(n, 10), classDefault)
	default:
		n = h.N
		c.assume(key, strconv.FormatInt(n, 10), "as many as query heads")
	}
	k := c.named("k", key, n, maxCount)
	if h.N%k.N != 0 {
		c.fail(fmt.Errorf("%d attention heads are no multiple of the %d of %s", h.N, k.N, key))
	}
	return k
}

func (c *config) headWidthOr(d, h Dim, otherwise int64) Dim {
	if !c.has("head_dim") && !c.null("head_dim") && otherwise > 0 {
		return c.dimOr("e", otherwise, classDefault, "head_dim")
	}
	if !c.has("head_dim") && c.has("kv_channels") {
		return c.dim("e", "kv_channels")
	}
	return c.headWidth(d, h)
}

// null reports whether a key is there and says that the class shall work the size out from others.
func (c *config) null(key string) bool {
	v, ok := c.values.Get(key)
	return ok && v.Kind() == strictjson.Null
}

// inside are the defaults of a class where it is a part of another configuration. Published files leave them out there
// only; a file of the language model alone without its sizes is not what it says it is.
func (c *config) inside(class sizes) sizes {
	if c.values == c.top {
		return sizes{context: class.context}
	}
	return class
}

// windowOr is the window of attention; null means none, absence the default of the class.
func (c *config) windowOr(otherwise int64) int64 {
	v, ok := c.values.Get("sliding_window")
	switch {
	case c.null("sliding_window"):
		return 0
	case ok:
		n, err := v.AsInt()
		c.fail(err)
		return max(0, n)
	case otherwise > 0:
		c.assume("sliding_window", strconv.FormatInt(otherwise, 10), classDefault)
	}
	return otherwise
}

// slide makes the layers that layer_types says, or else those that the class says, see a window only.
func (p *plan) slide(window int64, otherwise func(i int) bool) {
	types := p.c.words("layer_types", p.depth.N)
	slides := otherwise
	if types != nil {
		for _, t := range types {
			if t != "sliding_attention" && t != "full_attention" {
				p.c.fail(fmt.Errorf("layer_types has %q, want sliding_attention or full_attention", t))
			}
		}
		slides = func(i int) bool { return types[i] == "sliding_attention" }
	}
	p.mixers = func(i int) Mixer {
		if window > 0 && slides(i) {
			return p.attn.mixer(Sliding, window)
		}
		return p.attn.mixer(Full, 0)
	}
}

func always(int) bool { return true }

// notEvery are the layers other than each n-th.
func notEvery(n int64) func(i int) bool {
	if n <= 0 {
		return func(int) bool { return false }
	}
	return func(i int) bool { return int64(i+1)%n != 0 }
}

// shape is the finished model. norm adds the last normalization under its name.
func (p *plan) shape(n names, norm func(s *stack, name string, width Dim)) *Shape {
	var outer stack
	embedding(&outer, n.body+n.embed, n.head, p.vocab, p.d, p.tied)
	norm(&outer, n.body+n.norm, p.d)
	return &Shape{
		Hidden: p.d, Vocab: p.vocab, MaxContext: p.context, Tied: p.tied, Outer: slices.Concat(outer.tensors, p.outer.tensors),
		Blocks: repeat(p.depth.N, n.body+n.layers+".", func(i int) Block {
			return Block{Tensors: p.block.tensors, Mixer: p.mixers(i), MLP: p.mlp}
		}),
	}
}

// gated adds an MLP with a gate under the usual names.
func (p *plan) gated(bias bool) {
	gatedMLP(&p.block, "mlp.", Dense, p.d, p.f, bias)
	p.mlp = MLP{Width: p.f.N, Gated: true}
}

// fusedGate adds an MLP whose gate and first matrix are one.
func (p *plan) fusedGate(up, down string) {
	p.block.matrix(up, Dense, number(2).Times(p.f), p.d, ByRows, 0)
	p.block.matrix(down, Dense, p.d, p.f, ByCols, 0)
	p.mlp = MLP{Width: p.f.N, Gated: true}
}

// ungated adds an MLP of two matrices.
func (p *plan) ungated(up, down string, bias bool) {
	p.block.linear(up, Dense, p.f, p.d, ByRows, 0, bias)
	p.block.linear(down, Dense, p.d, p.f, ByCols, 0, bias)
	p.mlp = MLP{Width: p.f.N}
}

// fourfold is the width of the MLP where it is absent: four times the hidden size.
func (c *config) fourfold(keys ...string) int64 {
	if _, _, ok := c.lookup(keys); ok {
		return 0
	}
	n, _, _ := c.lookup([]string{"hidden_size", "n_embd", "n_embed", "d_model"})
	if n <= 0 || n > maxDim/4 {
		return 0
	}
	return 4 * n
}

// linear adds a matrix and, if it has one, its bias.
func (s *stack) linear(name string, part Component, rows, cols Dim, split Split, units int64, bias bool) {
	s.matrix(name, part, rows, cols, split, units)
	if bias {
		s.bias(name, part, rows, split, units)
	}
}

// layerNorm adds a normalization with scale and bias.
func (s *stack) layerNorm(name string, width Dim) {
	s.norm(name, width)
	s.add(Tensor{Name: name + ".bias", Component: Norm, Rows: width, Cols: one})
}

// fused adds attention whose queries, keys and values are one matrix.
func (a attention) fused(s *stack, qkv, out string) {
	rows := a.h.Plus(number(2).Times(a.k)).Times(a.e)
	t := Tensor{Name: qkv + ".weight", Component: Attention, Rows: rows, Cols: a.d, Split: ByQKV, Units: a.h.N, KVUnits: a.k.N, Matrix: true}
	s.add(t)
	if a.qkvBias {
		t.Name, t.Cols, t.Matrix = qkv+".bias", one, false
		s.add(t)
	}
	s.linear(out, Attention, a.d, a.h.Times(a.e), ByCols, a.h.N, a.outBias)
}

// named adds attention of four matrices under their names.
func (a attention) named(s *stack, q, k, v, o string) {
	he, ke := a.h.Times(a.e), a.k.Times(a.e)
	s.linear(q, Attention, he, a.d, ByRows, a.h.N, a.qkvBias)
	s.linear(k, Attention, ke, a.d, ByKVHeads, a.k.N, a.qkvBias)
	s.linear(v, Attention, ke, a.d, ByKVHeads, a.k.N, a.qkvBias)
	s.linear(o, Attention, a.d, he, ByCols, a.h.N, a.outBias)
}

// perHead adds norms with a scale for each head of its own.
func (a attention) perHead(s *stack, q, k string) {
	s.add(Tensor{Name: q + ".weight", Component: Norm, Rows: a.h.Times(a.e), Cols: one, Split: ByRows, Units: a.h.N})
	s.add(Tensor{Name: k + ".weight", Component: Norm, Rows: a.k.Times(a.e), Cols: one, Split: ByKVHeads, Units: a.k.N})
}

// positions adds a table of learned positions. It counts as active, as in published counts.
func (s *stack) positions(name string, n, d Dim) {
	s.add(Tensor{Name: name + ".weight", Component: Embedding, Rows: n, Cols: d})
}

// headBias adds the bias of the head.
func (s *stack) headBias(name string, vocab Dim) {
	s.add(Tensor{Name: name + ".bias", Component: Head, Rows: vocab, Cols: one, Split: ByVocab})
}
