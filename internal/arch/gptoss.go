package arch

// gpt-oss: biases everywhere, a learned sink for each head, and experts whose matrices are kept together
// (transformers: modeling_gpt_oss.py).
func gptOSSRules() []rule {
	return []rule{{"gpt-oss", []string{"GptOssForCausalLM"}, []string{"gpt_oss"}, gptOSS}}
}

func gptOSS(c *config) *Shape {
	f := c.frame(false)
	a := c.heads(f.d)
	a.qkvBias = c.flagOr(true, "", "attention_bias")
	a.outBias = a.qkvBias
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "mlp."}
	m.experts, m.topK = c.routed([]string{"num_local_experts"}, []string{"num_experts_per_tok", "experts_per_token"})
	types := c.words("layer_types", f.depth.N)
	if types == nil {
		c.assume("layer_types", "every second layer has a sliding window, from the first on", classDefault)
	}
	var b stack
	a.add(&b)
	b.vector("self_attn.sinks", Attention, a.h, ByRows, a.h.N)
	b.table("mlp.router.weight", Router, m.experts, f.d, Replicated, 0)
	b.vector("mlp.router.bias", Router, m.experts, Replicated, 0)
	m.addFused(&b)
	b.twoNorms(f.d)
	return f.shape(c, func(i int) Block {
		mixer := a.mixer(Full, 0)
		if types != nil && types[i] == "sliding_attention" || types == nil && i%2 == 0 {
			mixer = a.mixer(Sliding, c.sliding())
		}
		return Block{Tensors: b.tensors, Mixer: mixer, MLP: m.mlp()}
	})
}

// addFused lists experts as gpt-oss keeps them. The bias of the output is whole wherever its expert is.
func (m moe) addFused(b *stack) {
	two := number(2).Times(m.width)
	b.expert("mlp.experts.gate_up_proj", two, m.d, m.experts, m.topK, ByExpert)
	b.expert("mlp.experts.down_proj", m.d, m.width, m.experts, m.topK, ByExpertCols)
	b.add(Tensor{
		Name: "mlp.experts.gate_up_proj_bias", Component: Experts, Rows: two, Cols: one, Copies: m.experts, Visited: m.topK,
		Split: ByExpert,
	})
	b.add(Tensor{
		Name: "mlp.experts.down_proj_bias", Component: Experts, Rows: m.d, Cols: one, Copies: m.experts, Visited: m.topK,
		Split: Replicated,
	})
}
