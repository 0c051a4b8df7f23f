package arch

import (
	"fmt"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// DeciLM: a Llama whose layers a search has changed one by one. Each has its own number of key-value heads and its own
// width of the MLP, and may lack either part or have one matrix in its place (the modeling files of the repositories;
// vLLM: nemotron_nas.py).
func deciRules() []rule {
	return []rule{{"nemotron-nas", []string{"DeciLMForCausalLM"}, []string{"nemotron-nas", "deci"}, deciLM}}
}

// deciLayer is what one layer is made of. It is comparable, so that equal layers share their tensors.
type deciLayer struct {
	group         int64 // query heads for each key-value head; 0 if there is no attention
	flatAttention bool
	width         int64 // of the MLP; 0 if there is none
	flatMLP       bool
	window        int64
}

func deciLM(c *config) *Shape {
	f := c.frame(false)
	a := attention{d: f.d, h: c.count("h", "num_attention_heads"), qkvBias: c.flagOr(false, "", "attention_bias")}
	a.outBias = a.qkvBias
	a.e = c.headWidth(f.d, a.h)
	layers := c.deciLayers(a.h.N, f)
	if c.err != nil {
		return &Shape{}
	}
	built := kinds[deciLayer]{}
	bias := c.flagOr(false, "", "mlp_bias")
	return f.shape(c, func(i int) Block {
		l := layers[i]
		b := Block{Mixer: Mixer{SharesWith: -1}, MLP: MLP{Width: l.width, Gated: l.width > 0}}
		if l.group > 0 {
			b.Mixer = l.heads(a).mixer(Full, 0)
			if l.window > 0 {
				b.Mixer = l.heads(a).mixer(Sliding, l.window)
			}
		}
		b.Tensors = built.of(l, func(s *stack) { l.add(s, a, bias) })
		return b
	})
}

func (l deciLayer) heads(a attention) attention {
	a.k = number(a.h.N / l.group)
	return a
}

// add lists the parts a layer has; the norm in front of a part goes with it.
func (l deciLayer) add(s *stack, a attention, bias bool) {
	switch {
	case l.flatAttention:
		s.matrix("self_attn.linear_attn", Attention, a.d, a.d, Replicated, 0)
		s.norm("input_layernorm", a.d)
	case l.group > 0:
		l.heads(a).add(s)
		s.norm("input_layernorm", a.d)
	}
	switch {
	case l.flatMLP:
		s.matrix("mlp.linear_mlp", Dense, a.d, a.d, Replicated, 0)
		s.norm("post_attention_layernorm", a.d)
	case l.width > 0:
		gatedMLP(s, "mlp.", Dense, a.d, number(l.width), bias)
		s.norm("post_attention_layernorm", a.d)
	}
}

// deciLayers reads block_configs, or the older list of key-value heads of each layer.
func (c *config) deciLayers(heads int64, f frame) []deciLayer {
	n := f.depth.N
	if kv := c.ints("num_key_value_heads_per_layer", n); kv != nil {
		width := c.dim("f", "intermediate_size").N
		layers := make([]deciLayer, n)
		for i := range layers {
			layers[i] = deciLayer{group: c.groupOf(heads, kv[i], i), width: width}
		}
		return layers
	}
	list, ok, err := c.values.Array("block_configs")
	if c.fail(err); !ok || int64(len(list)) < n {
		c.fail(fmt.Errorf("block_configs has %d entries, want one for each of %d layers", len(list), n))
		return nil
	}
	layers := make([]deciLayer, n)
	for i := range layers {
		layers[i] = c.deciLayer(list[i], heads, f.d.N, i)
	}
	return layers
}

func (c *config) groupOf(heads, kv int64, i int) int64 {
	if kv <= 0 || kv > heads || heads%kv != 0 {
		c.fail(fmt.Errorf("layer %d has %d key-value heads, want a number that divides the %d heads", i, kv, heads))
		return 1
	}
	return heads / kv
}

func (c *config) deciLayer(v strictjson.Value, heads, d int64, i int) deciLayer {
	entry := &config{values: v, top: c.top}
	a, okA := entry.part("attention")
	m, okM := entry.part("ffn")
	if c.fail(entry.err); !okA || !okM {
		c.fail(fmt.Errorf("block_configs[%d] has no attention or no ffn", i))
		return deciLayer{}
	}
	var l deciLayer
	switch {
	case a.flagOr(false, "", "no_op"):
	case a.flagOr(false, "", "replace_with_linear"):
		l.flatAttention = true
	default:
		l.window, _, _ = a.lookup([]string{"window_length"})
		if kv, _, ok := a.lookup([]string{"num_key_value_heads"}); ok {
			l.group = c.groupOf(heads, kv, i)
		} else if g, _, ok := a.lookup([]string{"n_heads_in_group"}); ok && g > 0 && heads%g == 0 {
			l.group = g
		} else {
			c.fail(fmt.Errorf("block_configs[%d].attention.n_heads_in_group is %d, want a number that divides the %d heads", i, g, heads))
			l.group = 1
		}
	}
	switch {
	case m.flagOr(false, "", "no_op"):
	case m.flagOr(false, "", "replace_with_linear"):
		l.flatMLP = true
	default:
		l.width = m.deciWidth(d, i)
	}
	c.fail(a.err)
	c.fail(m.err)
	return l
}

// deciWidth is intermediate_size, or two thirds of ffn_mult times the hidden size, rounded up to a multiple of 256.
func (c *config) deciWidth(d int64, i int) int64 {
	if w, _, ok := c.lookup([]string{"intermediate_size"}); ok && w > 0 && w <= maxDim {
		return w
	}
	mult, ok, err := c.values.Float("ffn_mult")
	if c.fail(err); !ok || !(mult > 0 && mult <= 64) {
		c.fail(fmt.Errorf("block_configs[%d].ffn.ffn_mult is %v, want more than 0 and at most 64", i, mult))
		return 1
	}
	width := int64(2 * mult * float64(d) / 3)
	return max(256, (width+255)/256*256)
}
