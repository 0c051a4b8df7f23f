package arch

// The Llama block: attention with grouped keys and values, a gated MLP, two RMS norms. The families here differ in
// biases, norms of heads and defaults only (transformers: modeling_llama.py, modeling_qwen2.py, modeling_qwen3.py).
func llamaRules() []rule {
	return []rule{
		{"llama", []string{"LlamaForCausalLM", "MistralForCausalLM"}, []string{"llama", "mistral"}, func(c *config) *Shape {
			return llamaLike(c, llamaTraits{qkvBias: c.flagOr(false, "", "attention_bias"), outBias: c.flagOr(false, "", "attention_bias"),
				mlpBias: c.flagOr(false, "", "mlp_bias")})
		}},
		{"qwen2", []string{"Qwen2ForCausalLM"}, []string{"qwen2"}, func(c *config) *Shape {
			return llamaLike(c, llamaTraits{qkvBias: true})
		}},
		{"qwen3", []string{"Qwen3ForCausalLM"}, []string{"qwen3"}, func(c *config) *Shape {
			return llamaLike(c, llamaTraits{headNorm: true})
		}},
	}
}

type llamaTraits struct {
	qkvBias, outBias, mlpBias, headNorm bool
	tied                                bool // where the key is absent
}

func llamaLike(c *config, t llamaTraits) *Shape {
	d := c.dim("d", "hidden_size")
	a := attention{d: d, h: c.dim("h", "num_attention_heads"), qkvBias: t.qkvBias, outBias: t.outBias, headNorm: t.headNorm}
	a.k = c.dimOr("k", a.h.N, "as many as query heads", "num_key_value_heads")
	a.e = c.headWidth(d, a.h)
	f := c.dim("f", "intermediate_size")
	layers := c.dim("L", "num_hidden_layers")
	vocab := c.dim("V", "vocab_size")
	tied := c.tied(t.tied)
	kind, window := c.window()

	var b stack
	a.add(&b)
	gatedMLP(&b, "mlp.", Dense, d, f, t.mlpBias)
	b.norm("input_layernorm", d)
	b.norm("post_attention_layernorm", d)

	var outer stack
	embedding(&outer, "model.embed_tokens", "lm_head", vocab, d, tied)
	outer.norm("model.norm", d)
	return &Shape{
		Hidden: d, Vocab: vocab, MaxContext: c.maxContext(), Tied: tied, Outer: outer.tensors,
		Blocks: repeat(layers.N, "model.layers.", func(int) Block {
			return Block{Tensors: b.tensors, Mixer: a.mixer(kind, window), MLP: MLP{Width: f.N, Gated: true}}
		}),
	}
}

// headWidth is head_dim, or else hidden_size over heads.
func (c *config) headWidth(d, h Dim) Dim {
	if c.has("head_dim") {
		return c.dim("e", "head_dim")
	}
	if d.N%h.N != 0 {
		c.fail(errUneven)
	}
	return Dim{max(1, d.N/h.N), "d/h"}
}

// tied reads tie_word_embeddings, in the language model or above it.
func (c *config) tied(otherwise bool) bool {
	outer := config{values: c.top}
	for _, v := range []*config{&outer, c} {
		if v.has("tie_word_embeddings") {
			return v.flagOr(otherwise, "", "tie_word_embeddings")
		}
	}
	return c.flagOr(otherwise, "the default of the class", "tie_word_embeddings")
}

// maxContext is 0 where the file does not say.
func (c *config) maxContext() int64 {
	n, _, _ := c.lookup([]string{"max_position_embeddings", "seq_length", "n_positions", "max_seq_len", "n_ctx", "model_max_length"})
	return max(0, n)
}

// window is that of Mistral, which holds for all layers where it is set.
func (c *config) window() (Kind, int64) {
	w, _, ok := c.lookup([]string{"sliding_window"})
	if !ok || w <= 0 || c.has("use_sliding_window") && !c.flagOr(false, "", "use_sliding_window") {
		return Full, 0
	}
	return Sliding, w
}
