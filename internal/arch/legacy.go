package arch

import "fmt"

// The families before Llama and those that kept to their blocks: LayerNorms, an MLP of two matrices, biases, learned or
// linear positions (transformers: modeling_gpt2.py, modeling_gpt_neo.py, modeling_gptj.py, modeling_codegen.py,
// modeling_gpt_neox.py, modeling_gpt_bigcode.py, modeling_opt.py, modeling_bloom.py, modeling_mpt.py,
// modeling_falcon.py, modeling_phi.py, modeling_starcoder2.py, modeling_stablelm.py, modeling_cohere.py,
// modeling_cohere2.py).
func legacyRules() []rule {
	return []rule{
		{"gpt2", []string{"GPT2LMHeadModel"}, []string{"gpt2"}, gpt2},
		{"gpt-bigcode", []string{"GPTBigCodeForCausalLM"}, []string{"gpt_bigcode"}, gptBigCode},
		{"gpt-neo", []string{"GPTNeoForCausalLM"}, []string{"gpt_neo"}, gptNeo},
		{"gpt-j", []string{"GPTJForCausalLM"}, []string{"gptj"}, gptJ},
		{"codegen", []string{"CodeGenForCausalLM"}, []string{"codegen"}, codeGen},
		{"gpt-neox", []string{"GPTNeoXForCausalLM"}, []string{"gpt_neox"}, gptNeoX},
		{"opt", []string{"OPTForCausalLM"}, []string{"opt"}, opt},
		{"bloom", []string{"BloomForCausalLM"}, []string{"bloom"}, bloom},
		{"mpt", []string{"MptForCausalLM", "MPTForCausalLM"}, []string{"mpt"}, mpt},
		{"falcon", []string{"FalconForCausalLM", "RWForCausalLM"}, []string{"falcon", "RefinedWeb", "RefinedWebModel"}, falcon},
		{"phi", []string{"PhiForCausalLM"}, []string{"phi", "phi-msft"}, phi},
		{"starcoder2", []string{"Starcoder2ForCausalLM"}, []string{"starcoder2"}, starcoder2},
		{"stablelm", []string{"StableLmForCausalLM", "StableLMEpochForCausalLM"}, []string{"stablelm", "stablelm_epoch"}, stableLM},
		{"cohere", []string{"CohereForCausalLM"}, []string{"cohere"}, cohere},
		{"cohere2", []string{"Cohere2ForCausalLM"}, []string{"cohere2"}, cohere2},
	}
}

// biasedEverywhere is attention with biases on all its matrices.
func (p *plan) biasedEverywhere() attention {
	a := p.attn
	a.qkvBias, a.outBias = true, true
	return a
}

// learned adds a table with a row for each position that the model can take.
func (p *plan) learned(name string, more int64) {
	n := p.c.dim("n", "n_positions", "max_position_embeddings", "n_ctx")
	if more > 0 {
		n = n.Plus(number(more))
	}
	p.outer.positions(name, n, p.d)
}

func (p *plan) twoLayerNorms(first, second string) {
	p.block.layerNorm(first, p.d)
	p.block.layerNorm(second, p.d)
}

func gpt2(c *config) *Shape {
	p := c.plan(true, sizes{f: c.fourfold("n_inner", "intermediate_size")})
	p.learned("transformer.wpe", 0)
	p.biasedEverywhere().fused(&p.block, "attn.c_attn", "attn.c_proj")
	p.ungated("mlp.c_fc", "mlp.c_proj", true)
	p.twoLayerNorms("ln_1", "ln_2")
	return p.shape(gptNames(), (*stack).layerNorm)
}

// gptBigCode is GPT-2 with one head of keys and values for all queries.
func gptBigCode(c *config) *Shape {
	class := sizes{f: c.fourfold("n_inner", "intermediate_size")}
	if c.flagOr(true, classDefault, "multi_query") {
		class.k, class.kFrom = 1, "multi_query"
	}
	p := c.plan(true, class)
	p.learned("transformer.wpe", 0)
	p.biasedEverywhere().fused(&p.block, "attn.c_attn", "attn.c_proj")
	p.ungated("mlp.c_fc", "mlp.c_proj", true)
	p.twoLayerNorms("ln_1", "ln_2")
	return p.shape(gptNames(), (*stack).layerNorm)
}

// gptNeo sees a window on the layers that attention_types calls local: pairs of a pattern and how often it is repeated.
func gptNeo(c *config) *Shape {
	p := c.plan(true, sizes{f: c.fourfold("intermediate_size")})
	p.learned("transformer.wpe", 0)
	window := c.dimOr("w", 256, classDefault, "window_size").N
	p.slide(window, p.local())
	a := p.attn
	a.outBias = true
	a.named(&p.block, "attn.attention.q_proj", "attn.attention.k_proj", "attn.attention.v_proj", "attn.attention.out_proj")
	p.ungated("mlp.c_fc", "mlp.c_proj", true)
	p.twoLayerNorms("ln_1", "ln_2")
	return p.shape(gptNames(), (*stack).layerNorm)
}

// local are the layers that see a window; without attention_types each second one.
func (p *plan) local() func(i int) bool {
	pairs, ok := p.c.list("attention_types")
	if !ok {
		p.c.assume("attention_types", "global and local in turn", classDefault)
		return func(i int) bool { return i%2 == 1 }
	}
	var local []bool
	for _, pair := range pairs {
		parts, err := pair.AsArray()
		if err != nil || len(parts) != 2 {
			p.c.fail(pair.Errorf("attention_types holds something else than pairs of a pattern and a number"))
			break
		}
		times, err := parts[1].AsInt()
		p.c.fail(err)
		for ; times > 0 && int64(len(local)) < p.depth.N && parts[0].Len() > 0; times-- {
			for kind := range parts[0].Elements() {
				word, err := kind.AsString()
				p.c.fail(err)
				local = append(local, word == "local")
			}
		}
	}
	if int64(len(local)) < p.depth.N {
		p.c.fail(fmt.Errorf("attention_types describes %d layers, want %d", len(local), p.depth.N))
		return func(int) bool { return false }
	}
	return func(i int) bool { return local[i] }
}

// gptJ runs attention and MLP beside each other after one norm. Its head has a bias.
func gptJ(c *config) *Shape {
	p := c.plan(false, sizes{f: c.fourfold("n_inner", "intermediate_size")})
	p.attn.named(&p.block, "attn.q_proj", "attn.k_proj", "attn.v_proj", "attn.out_proj")
	return p.parallelGPT()
}

func codeGen(c *config) *Shape {
	p := c.plan(false, sizes{f: c.fourfold("n_inner", "intermediate_size")})
	p.attn.fused(&p.block, "attn.qkv_proj", "attn.out_proj")
	return p.parallelGPT()
}

func (p *plan) parallelGPT() *Shape {
	p.ungated("mlp.fc_in", "mlp.fc_out", true)
	p.block.layerNorm("ln_1", p.d)
	p.outer.headBias("lm_head", p.vocab)
	return p.shape(gptNames(), (*stack).layerNorm)
}

func gptNeoX(c *config) *Shape {
	p := c.plan(false, sizes{f: c.fourfold("intermediate_size")})
	a := p.attn
	a.qkvBias = c.flagOr(true, "", "attention_bias")
	a.outBias = a.qkvBias
	a.fused(&p.block, "attention.query_key_value", "attention.dense")
	p.ungated("mlp.dense_h_to_4h", "mlp.dense_4h_to_h", true)
	p.twoLayerNorms(inputNorm, postNorm)
	return p.shape(names{"gpt_neox.", "embed_in", "layers", "final_layer_norm", "embed_out"}, (*stack).layerNorm)
}

// opt keeps two rows of positions that no token has. Where its embedding is narrower than its blocks two projections
// lead in and out, and where its norms stand after its parts it has none at the end.
func opt(c *config) *Shape {
	p := c.plan(true, sizes{})
	p.learned("model.decoder.embed_positions", 2)
	bias := c.flagOr(true, "", "enable_bias")
	a := p.attn
	a.qkvBias, a.outBias = bias, bias
	a.named(&p.block, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.out_proj")
	p.ungated("fc1", "fc2", bias)
	p.twoLayerNorms("self_attn_layer_norm", "final_layer_norm")
	norm := (*stack).layerNorm
	if !c.flagOr(true, "", "do_layer_norm_before") || c.flagOr(false, "", "_remove_final_layer_norm") {
		norm = func(*stack, string, Dim) {}
	}
	s := p.shape(names{"model.decoder.", "embed_tokens", "layers", "final_layer_norm", "lm_head"}, norm)
	w := c.dimOr("w", p.d.N, "", "word_embed_proj_dim")
	if w.N != p.d.N {
		optNarrow(s, w, p.d)
	}
	return s
}

func optNarrow(s *Shape, w, d Dim) {
	for i := range s.Outer {
		if t := &s.Outer[i]; t.Split == ByVocab {
			t.Cols = w
		}
	}
	outer := stack{s.Outer}
	outer.matrix("model.decoder.project_in", Other, d, w, Replicated, 0)
	outer.matrix("model.decoder.project_out", Other, w, d, Replicated, 0)
	s.Outer = outer.tensors
}

func bloom(c *config) *Shape {
	p := c.plan(true, sizes{f: c.fourfold("n_inner", "intermediate_size")})
	p.outer.layerNorm("transformer.word_embeddings_layernorm", p.d)
	p.biasedEverywhere().fused(&p.block, "self_attention.query_key_value", "self_attention.dense")
	p.ungated("mlp.dense_h_to_4h", "mlp.dense_4h_to_h", true)
	p.twoLayerNorms(inputNorm, postNorm)
	return p.shape(names{"transformer.", "word_embeddings", "h", "ln_f", "lm_head"}, (*stack).layerNorm)
}

// mpt nests what attention is in attn_config; without linear biases it has learned positions.
func mpt(c *config) *Shape {
	ratio := c.timesOr(4, "", "expansion_ratio")
	d, _, _ := c.lookup([]string{"d_model", "hidden_size"})
	class := sizes{f: min(mul(max(d, 0), ratio), maxDim)}
	alibi, qkNorm := true, false
	if inner, ok := c.part("attn_config"); ok {
		if inner.has("kv_n_heads") {
			class.k, class.kFrom = inner.countOr(0, "", "kv_n_heads"), "attn_config.kv_n_heads"
		}
		alibi, qkNorm = inner.flagOr(true, "", "alibi"), inner.flagOr(false, "", "qk_ln")
		c.fail(inner.err)
	}
	p := c.plan(true, class)
	if !alibi && c.flagOr(true, "", "learned_pos_emb") {
		p.outer.positions("transformer.wpe", c.dim("n", "max_seq_len"), p.d)
	}
	bias := !c.flagOr(true, classDefault, "no_bias")
	norm := (*stack).norm
	if bias {
		norm = (*stack).layerNorm
	}
	a := p.attn
	a.qkvBias, a.outBias = bias, bias
	a.fused(&p.block, "attn.Wqkv", "attn.out_proj")
	p.ungated("ffn.up_proj", "ffn.down_proj", bias)
	norm(&p.block, "norm_1", p.d)
	norm(&p.block, "norm_2", p.d)
	if qkNorm {
		a.perHead(&p.block, "attn.q_ln", "attn.k_ln")
	}
	return p.shape(names{"transformer.", "wte", "blocks", "norm_f", "lm_head"}, norm)
}

// falcon of the new decoder groups heads and has a norm for each of attention and MLP; before that all queries shared one
// head, or each had its own. The checkpoints of the new decoder hold a head though their files do not say so.
func falcon(c *config) *Shape {
	second := c.flagOr(false, "", "new_decoder_architecture")
	class := sizes{f: c.fourfold("ffn_hidden_size", "intermediate_size"), context: 2048}
	switch {
	case second:
	case c.flagOr(true, classDefault, "multi_query"):
		class.k, class.kFrom = 1, "multi_query"
	default:
		class.k, class.kFrom = c.queryHeads(), "num_attention_heads"
	}
	p := c.plan(!second, class)
	bias := c.flagOr(false, "", "bias")
	a := p.attn
	a.qkvBias, a.outBias = bias, bias
	a.fused(&p.block, "self_attention.query_key_value", "self_attention.dense")
	p.ungated("mlp.dense_h_to_4h", "mlp.dense_4h_to_h", bias)
	beside := second || c.flagOr(true, classDefault, "parallel_attn")
	switch {
	case second && c.countOr(2, "", "num_ln_in_parallel_attn") == 2:
		p.twoLayerNorms("ln_attn", "ln_mlp")
	case beside:
		p.block.layerNorm(inputNorm, p.d)
	default:
		p.twoLayerNorms(inputNorm, postNorm)
	}
	return p.shape(names{"transformer.", "word_embeddings", "h", "ln_f", "lm_head"}, (*stack).layerNorm)
}

func (c *config) queryHeads() int64 {
	n, _, _ := c.lookup([]string{"num_attention_heads", "n_head"})
	return n
}

func phi(c *config) *Shape {
	p := c.plan(false, sizes{f: c.fourfold("intermediate_size", "n_inner")})
	p.biasedEverywhere().named(&p.block, "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.dense")
	if c.flagOr(false, "", "qk_layernorm") {
		p.block.layerNorm("self_attn.q_layernorm", p.attn.e)
		p.block.layerNorm("self_attn.k_layernorm", p.attn.e)
	}
	p.ungated("mlp.fc1", "mlp.fc2", true)
	p.block.layerNorm(inputNorm, p.d)
	p.outer.headBias("lm_head", p.vocab)
	n := llamaNames()
	n.norm = "final_layernorm"
	return p.shape(n, (*stack).layerNorm)
}

func starcoder2(c *config) *Shape {
	p := c.plan(true, sizes{})
	p.slide(c.windowOr(0), always)
	a, bias := p.attn, c.flagOr(true, classDefault, "use_bias")
	a.qkvBias, a.outBias = bias, bias
	a.add(&p.block)
	p.ungated("mlp.c_fc", "mlp.c_proj", bias)
	p.twoLayerNorms(inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).layerNorm)
}

func stableLM(c *config) *Shape {
	p := c.plan(false, sizes{})
	a := p.attn
	a.qkvBias = c.flagOr(false, "", "use_qkv_bias")
	a.add(&p.block)
	if c.flagOr(false, "", "qk_layernorm") {
		a.perHead(&p.block, "self_attn.q_layernorm.norms.*", "self_attn.k_layernorm.norms.*")
	}
	p.gated(false)
	p.block.layerNorm(inputNorm, p.d)
	if !c.flagOr(false, "", "use_parallel_residual") {
		p.block.layerNorm(postNorm, p.d)
	}
	return p.shape(llamaNames(), (*stack).layerNorm)
}

// cohere runs attention and MLP beside each other after one LayerNorm without bias.
func cohere(c *config) *Shape {
	p := c.plan(true, sizes{})
	p.llamaBlock(p.biased(), false, inputNorm)
	if c.flagOr(false, "", "use_qk_norm") {
		p.attn.perHead(&p.block, "self_attn.q_norm", "self_attn.k_norm")
	}
	return p.shape(llamaNames(), (*stack).norm)
}

// cohere2 sees a window on all but each fourth layer.
func cohere2(c *config) *Shape {
	p := c.plan(true, c.inside(sizes{d: 8192, f: 22528, layers: 40, h: 64, vocab: 256000, context: 8192}))
	p.slide(c.windowOr(4096), notEvery(c.countOr(4, "", "sliding_window_pattern", "_sliding_window_pattern")))
	p.llamaBlock(p.biased(), false, inputNorm)
	return p.shape(llamaNames(), (*stack).norm)
}
