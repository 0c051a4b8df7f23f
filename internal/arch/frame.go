package arch

import (
	"fmt"
	"slices"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// frame is what decoders of nearly every family have: an embedding, a final norm, a head, and blocks between them.
type frame struct {
	d, vocab, depth Dim
	tied            bool
	body            string // what the names of the decoder begin with: "model."
	embed, norm     string // after body; "" for embed_tokens and norm
	head            string // "" for lm_head
	layers          string // "" for layers
	bare            bool   // somebody else adds the towers
}

// frame reads the sizes. tied is the default of the class.
func (c *config) frame(tied bool) frame {
	return frame{
		d: c.dim("d", "hidden_size"), vocab: c.dim("V", "vocab_size"), depth: c.layers("num_hidden_layers"),
		tied: c.tied(tied), body: "model.",
	}
}

// nested is a frame whose names are those of the language model of a checkpoint with several parts.
func (c *config) nested(tied bool) frame {
	f := c.frame(tied)
	if c.inner() {
		f.body = "model.language_model."
	}
	return f
}

// inner reports whether the language model is a part of the configuration.
func (c *config) inner() bool {
	return slices.ContainsFunc([]string{"text_config", "llm_config", "language_config"}, func(key string) bool {
		_, ok, _ := c.top.Object(key)
		return ok
	})
}

// shape is the model with the blocks that pick chooses.
func (f frame) shape(c *config, pick func(i int) Block) *Shape {
	var outer stack
	embedding(&outer, f.body+word(f.embed, "embed_tokens"), word(f.head, "lm_head"), f.vocab, f.d, f.tied)
	outer.norm(f.body+word(f.norm, "norm"), f.d)
	s := &Shape{
		Hidden: f.d, Vocab: f.vocab, MaxContext: c.maxContext(), Tied: f.tied, Outer: outer.tensors,
		Blocks: repeat(f.depth.N, f.body+word(f.layers, "layers")+".", pick),
	}
	if !f.bare {
		s.Towers = c.towers()
	}
	for i := range s.Blocks {
		c.fail(s.Blocks[i].Mixer.check(i))
	}
	return s
}

// check refuses a memory that is absurd, so that nothing after it has to count with care. The tensors of a layer do not
// bound it: a state grows with the square of the width of a head.
func (m Mixer) check(layer int) error {
	if max(m.Conv, m.ConvGroups, m.State) > maxState {
		return fmt.Errorf("the state of layer %d has more than %d elements, more than any model keeps", layer, int64(maxState))
	}
	if max(m.Window, m.Ratio) > maxDim {
		return fmt.Errorf("the window of layer %d is %d tokens, want at most %d", layer, max(m.Window, m.Ratio), maxDim)
	}
	return nil
}

const maxState = 1 << 36

func word(w, otherwise string) string {
	if w == "" {
		return otherwise
	}
	return w
}

// count is a number of things that must be there, each of which has weights of its own: experts, heads.
func (c *config) count(symbol string, keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	if !ok {
		c.fault("is missing, and the shape cannot be known without it", keys[0])
	}
	return c.named(symbol, key, n, maxCount)
}

// optional is a size that may be absent, null or 0.
func (c *config) optional(symbol string, keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	if !ok || n == 0 {
		return Dim{}
	}
	return c.named(symbol, key, n, maxDim)
}

// listed are the values for each layer under a key, which may also be one for all; nil if the key is absent.
func listed[T any](c *config, key string, n int64, as func(strictjson.Value) (T, error)) []T {
	v, ok := c.values.Get(key)
	if !ok || v.Kind() == strictjson.Null {
		return nil
	}
	if v.Kind() != strictjson.Array {
		one, err := as(v)
		c.fail(err)
		return slices.Repeat([]T{one}, int(n))
	}
	list := make([]T, 0, min(v.Len(), maxLayers))
	for e := range v.Elements() {
		if len(list) == maxLayers {
			break
		}
		one, err := as(e)
		c.fail(err)
		list = append(list, one)
	}
	if int64(len(list)) < n {
		c.fail(fmt.Errorf("%s has %d entries, want one for each of %d layers", key, len(list), n))
		return slices.Concat(list, make([]T, int(n)-len(list)))
	}
	return list
}

func (c *config) words(key string, n int64) []string {
	return listed(c, key, n, strictjson.Value.AsString)
}

func (c *config) ints(key string, n int64) []int64 { return listed(c, key, n, strictjson.Value.AsInt) }

// width is one of a list of sizes.
func (c *config) width(symbol, key string, n int64) Dim { return c.named(symbol, key, n, maxDim) }

// kinds builds the tensors of each kind of block once, so that blocks of one kind share them.
type kinds[K comparable] map[K][]Tensor

func (k kinds[K]) of(kind K, build func(s *stack)) []Tensor {
	if list, ok := k[kind]; ok {
		return list
	}
	var s stack
	build(&s)
	k[kind] = s.tensors
	return s.tensors
}

// vector adds a parameter that is no linear layer and whose name has no suffix.
func (s *stack) vector(name string, part Component, rows Dim, split Split, units int64) {
	s.add(Tensor{Name: name, Component: part, Rows: rows, Cols: one, Split: split, Units: units})
}

// table adds a parameter with two sides that is no linear layer.
func (s *stack) table(name string, part Component, rows, cols Dim, split Split, units int64) {
	s.add(Tensor{Name: name, Component: part, Rows: rows, Cols: cols, Split: split, Units: units})
}

// inFloat marks what was added last as kept in 32 bits.
func (s *stack) inFloat() { s.tensors[len(s.tensors)-1].Float32 = true }

// expert adds one matrix of the routed experts.
func (s *stack) expert(name string, rows, cols, experts, topK Dim, split Split) {
	s.add(Tensor{
		Name: name, Component: Experts, Rows: rows, Cols: cols, Copies: experts, Visited: topK, Split: split, Matrix: true,
	})
}
