package arch

import "slices"

// Llama 4: each interleave_moe_layer_step-th layer has experts and a shared one; three of four layers attend within
// chunks, and the fourth, which has no positions, to everything (transformers: modeling_llama4.py).
func llama4Rules() []rule {
	return []rule{{
		"llama4", []string{"Llama4ForConditionalGeneration", "Llama4ForCausalLM"}, []string{"llama4", "llama4_text"}, llama4,
	}}
}

func llama4(c *config) *Shape {
	x := mixed{frame: c.frame(false), key: "intermediate_size_mlp"}
	if c.inner() {
		x.frame.body, x.frame.head = "language_model.model.", "language_model.lm_head"
	}
	a := c.heads(x.frame.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	x.moe = moe{d: x.frame.d, width: c.dim("f_e", "intermediate_size")}
	x.moe.prefix, x.moe.router, x.moe.sharedName = "feed_forward.", "router", "shared_expert."
	x.moe.experts, x.moe.topK = c.routed([]string{"num_local_experts"}, []string{"num_experts_per_tok"})
	x.moe.shared = x.moe.width
	x.is = c.interleaved()
	chunked := c.chunkedLayers(x.frame.depth.N)
	return x.shape(c, plain(a, nil, func(i int) Mixer {
		if size := chunked(i); size > 0 {
			return a.mixer(Chunked, size)
		}
		return a.mixer(Full, 0)
	}))
}

// interleaved is moe_layers, or each interleave_moe_layer_step-th layer.
func (c *config) interleaved() sparse {
	listed, ok, err := c.values.Uints("moe_layers")
	if c.fail(err); ok && len(listed) > 0 {
		return func(i int) bool { return slices.Contains(listed, uint64(i)) }
	}
	step := c.countOr(1, classDefault, "interleave_moe_layer_step")
	return func(i int) bool { return step > 0 && int64(i+1)%step == 0 }
}

// chunkedLayers gives the size of the chunk of a layer, 0 for one that sees everything.
func (c *config) chunkedLayers(n int64) func(i int) int64 {
	size, _, ok := c.lookup([]string{"attention_chunk_size"})
	if !ok && !c.has("attention_chunk_size") {
		size = 8192
		c.assume("attention_chunk_size", "8192", classDefault)
	}
	if types := c.words("layer_types", n); types != nil {
		return func(i int) int64 {
			if types[i] == "chunked_attention" {
				return max(0, size)
			}
			return 0
		}
	}
	// A 1 stands for a layer with positions. The list may be empty, which means the same as no list.
	if rope, ok, err := c.values.Array("no_rope_layers"); err == nil && ok && len(rope) > 0 {
		marks := c.ints("no_rope_layers", n)
		return func(i int) int64 { return max(0, size) * min(1, max(0, marks[i])) }
	}
	step := max(1, c.countOr(4, classDefault, "no_rope_layer_interval"))
	return func(i int) int64 {
		if int64(i+1)%step == 0 {
			return 0
		}
		return max(0, size)
	}
}
