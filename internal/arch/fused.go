package arch

import "fmt"

// Families whose queries, keys and values, or gate and up, are one matrix, and those of a first generation with names
// of their own (transformers: modeling_phi3.py, modeling_glm.py, modeling_glm4.py; the files of the repositories for
// ChatGLM, InternLM 2, Baichuan, Qwen 1, TeleChat and EXAONE 3).
func fusedRules() []rule {
	return []rule{
		{"phi3", []string{"Phi3ForCausalLM"}, []string{"phi3"}, phi3},
		{"glm", []string{"GlmForCausalLM"}, []string{"glm"}, func(c *config) *Shape { return glm(c, llamaNames(), inputNorm, postNorm) }},
		{"glm4", []string{"Glm4ForCausalLM"}, []string{"glm4"}, func(c *config) *Shape {
			return glm(c, llamaNames(), inputNorm, postNorm, "post_self_attn_layernorm", "post_mlp_layernorm")
		}},
		{"chatglm", []string{"ChatGLMModel", "ChatGLMForConditionalGeneration"}, []string{"chatglm"}, chatGLM},
		{"internlm2", []string{"InternLM2ForCausalLM"}, []string{"internlm2"}, internLM2},
		{"baichuan", []string{"BaichuanForCausalLM", "BaiChuanForCausalLM"}, []string{"baichuan"}, baichuan},
		{"qwen", []string{"QWenLMHeadModel"}, []string{"qwen"}, qwen},
		{"telechat", []string{"TelechatForCausalLM", "TeleChatForCausalLM", "TeleChat2ForCausalLM"}, []string{"telechat"}, teleChat},
		{"exaone", []string{"ExaoneForCausalLM"}, []string{"exaone"}, exaone},
	}
}

func phi3(c *config) *Shape {
	p := c.plan(false, sizes{})
	p.slide(c.windowOr(0), always)
	p.attn.fused(&p.block, "self_attn.qkv_proj", "self_attn.o_proj")
	p.fusedGate("mlp.gate_up_proj", "mlp.down_proj")
	p.block.norm(inputNorm, p.d)
	p.block.norm(postNorm, p.d)
	return p.shape(llamaNames(), (*stack).norm)
}

func glm(c *config, outer names, norms ...string) *Shape {
	p := c.plan(false, sizes{e: 128})
	a := p.attn
	a.qkvBias = c.flagOr(false, classDefault, "attention_bias")
	a.add(&p.block)
	p.fusedGate("mlp.gate_up_proj", "mlp.down_proj")
	for _, n := range norms {
		p.block.norm(n, p.d)
	}
	return p.shape(outer, (*stack).norm)
}

// chatGLM counts rows of the vocabulary with their padding, and its key-value heads as groups.
func chatGLM(c *config) *Shape {
	class := sizes{}
	if c.flagOr(false, "", "multi_query_attention") {
		class.k, class.kFrom = c.countOr(1, classDefault, "multi_query_group_num"), "multi_query_group_num"
	}
	p := c.plan(false, class)
	if c.has("padded_vocab_size") {
		p.vocab = c.dim("V'", "padded_vocab_size")
	}
	p.tied = false
	bias := c.flagOr(false, "", "add_bias_linear")
	a := p.attn
	a.qkvBias, a.outBias = bias || c.flagOr(false, classDefault, "add_qkv_bias"), bias
	a.fused(&p.block, "self_attention.query_key_value", "self_attention.dense")
	p.fusedGate("mlp.dense_h_to_4h", "mlp.dense_4h_to_h")
	if bias {
		p.block.bias("mlp.dense_h_to_4h", Dense, number(2).Times(p.f), ByRows, 0)
		p.block.bias("mlp.dense_4h_to_h", Dense, p.d, ByCols, 0)
	}
	norm := (*stack).norm
	if !c.flagOr(true, "", "rmsnorm") {
		norm = (*stack).layerNorm
	}
	norm(&p.block, inputNorm, p.d)
	norm(&p.block, postNorm, p.d)
	return p.shape(names{
		"transformer.", "embedding.word_embeddings", "encoder.layers", "encoder.final_layernorm", "transformer.output_layer",
	}, norm)
}

func internLM2(c *config) *Shape {
	p := c.plan(false, sizes{})
	a := p.attn
	a.qkvBias = c.flagOr(true, classDefault, "bias")
	a.outBias = a.qkvBias
	a.fused(&p.block, "attention.wqkv", "attention.wo")
	for _, name := range []string{"w1", "w3"} {
		p.block.matrix("feed_forward."+name, Dense, p.f, p.d, ByRows, 0)
	}
	p.block.matrix("feed_forward.w2", Dense, p.d, p.f, ByCols, 0)
	p.mlp = MLP{Width: p.f.N, Gated: true}
	p.block.norm("attention_norm", p.d)
	p.block.norm("ffn_norm", p.d)
	return p.shape(names{"model.", "tok_embeddings", "layers", "norm", "output"}, (*stack).norm)
}

func baichuan(c *config) *Shape {
	p := c.plan(false, sizes{})
	p.attn.fused(&p.block, "self_attn.W_pack", "self_attn.o_proj")
	p.gated(false)
	p.block.norm(inputNorm, p.d)
	p.block.norm(postNorm, p.d)
	return p.shape(llamaNames(), (*stack).norm)
}

// qwen counts gate and up together in intermediate_size.
func qwen(c *config) *Shape {
	p := c.plan(false, sizes{})
	if p.f.N%2 != 0 {
		c.fail(fmt.Errorf("intermediate_size is %d, want an even number, since it is that of two matrices", p.f.N))
	}
	p.f = Dim{p.f.N / 2, "f/2"}
	a := p.attn
	a.qkvBias, a.outBias = true, !c.flagOr(true, classDefault, "no_bias")
	a.fused(&p.block, "attn.c_attn", "attn.c_proj")
	p.block.matrix("mlp.w1", Dense, p.f, p.d, ByRows, 0)
	p.block.matrix("mlp.w2", Dense, p.f, p.d, ByRows, 0)
	p.block.matrix("mlp.c_proj", Dense, p.d, p.f, ByCols, 0)
	p.mlp = MLP{Width: p.f.N, Gated: true}
	p.block.norm("ln_1", p.d)
	p.block.norm("ln_2", p.d)
	return p.shape(gptNames(), (*stack).norm)
}

// teleChat joins keys and values. Its class ties the head where the file is silent.
func teleChat(c *config) *Shape {
	p := c.plan(true, sizes{})
	a := p.attn
	he, ke := a.h.Times(a.e), a.k.Times(a.e)
	p.block.matrix("self_attention.query", Attention, he, p.d, ByRows, a.h.N)
	p.block.matrix("self_attention.key_value", Attention, number(2).Times(ke), p.d, ByKVHeads, a.k.N)
	p.block.linear("self_attention.dense", Attention, p.d, he, ByCols, a.h.N, true)
	gatedMLP(&p.block, "mlp.", Dense, p.d, p.f, false)
	p.block.bias("mlp.down_proj", Dense, p.d, ByCols, 0)
	p.mlp = MLP{Width: p.f.N, Gated: true}
	p.block.norm(inputNorm, p.d)
	p.block.norm(postNorm, p.d)
	if c.flagOr(false, "", "embed_layernorm") {
		p.outer.norm("transformer.word_embeddings_layernorm", p.d)
	}
	return p.shape(names{"transformer.", "word_embeddings", "h", "ln_f", "lm_head"}, (*stack).norm)
}

func exaone(c *config) *Shape {
	p := c.plan(true, sizes{f: c.fourfold("intermediate_size")})
	p.attn.named(&p.block, "attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj", "attn.attention.out_proj")
	p.block.matrix("mlp.c_fc_0", Dense, p.f, p.d, ByRows, 0)
	p.block.matrix("mlp.c_fc_1", Dense, p.f, p.d, ByRows, 0)
	p.block.matrix("mlp.c_proj", Dense, p.d, p.f, ByCols, 0)
	p.mlp = MLP{Width: p.f.N, Gated: true}
	p.block.norm("ln_1", p.d)
	p.block.norm("ln_2", p.d)
	return p.shape(gptNames(), (*stack).norm)
}
