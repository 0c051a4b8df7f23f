package arch

import (
	"errors"
)

// The families here are the block of Llama with experts in place of the MLP of all or some layers (transformers:
// modeling_mixtral.py, modeling_qwen2_moe.py, modeling_qwen3_moe.py, modeling_olmoe.py, modeling_phimoe.py,
// modeling_granitemoe.py, modeling_dbrx.py, modeling_glm4_moe.py, modeling_dots1.py, modeling_ernie4_5_moe.py; the
// files of the repositories for Hunyuan and Ling).
func moeRules() []rule {
	return []rule{
		{"mixtral", []string{"MixtralForCausalLM"}, []string{"mixtral"}, mixtral},
		{"phimoe", []string{"PhiMoEForCausalLM", "PhimoeForCausalLM"}, []string{"phimoe"}, phiMoE},
		{"granitemoe", []string{"GraniteMoeForCausalLM"}, []string{"granitemoe"}, graniteMoE},
		{"dbrx", []string{"DbrxForCausalLM"}, []string{"dbrx"}, dbrx},
		{"olmoe", []string{"OlmoeForCausalLM"}, []string{"olmoe"}, olmoe},
		{"qwen2-moe", []string{"Qwen2MoeForCausalLM"}, []string{"qwen2_moe"}, qwen2MoE},
		{"qwen3-moe", []string{"Qwen3MoeForCausalLM"}, []string{"qwen3_moe"}, qwen3MoE},
		{
			"qwen3-vl-moe", []string{"Qwen3VLMoeForConditionalGeneration"}, []string{"qwen3_vl_moe", "qwen3_vl_moe_text"}, qwen3MoE,
		},
		{"glm4-moe", []string{"Glm4MoeForCausalLM"}, []string{"glm4_moe"}, glm4MoE},
		{"dots1", []string{"Dots1ForCausalLM"}, []string{"dots1"}, dots1},
		{"ernie4.5-moe", []string{"Ernie4_5_MoeForCausalLM", "Ernie4_5_MoEForCausalLM"}, []string{"ernie4_5_moe"}, ernieMoE},
		{"hunyuan-moe", []string{"HunYuanMoEV1ForCausalLM"}, []string{"hunyuan_v1_moe", "hunyuan"}, hunyuanMoE},
		{"bailing-moe", []string{"BailingMoeForCausalLM"}, []string{"bailing_moe"}, ling},
		{"bailing-moe-v2", []string{"BailingMoeV2ForCausalLM"}, []string{"bailing_moe_v2"}, ling2},
	}
}

// oneKind is a model whose blocks are all alike.
func oneKind(c *config, f frame, tensors []Tensor, mixer Mixer, mlp MLP) *Shape {
	return f.shape(c, func(int) Block { return Block{Tensors: tensors, Mixer: mixer, MLP: mlp} })
}

func mixtral(c *config) *Shape {
	f := c.frame(false)
	a := c.heads(f.d)
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "block_sparse_moe.", names: numbered()}
	m.experts, m.topK = c.routed([]string{"num_local_experts", "num_experts"}, []string{"num_experts_per_tok"})
	kind, window := c.window()
	var b stack
	a.add(&b)
	m.add(&b)
	b.twoNorms(f.d)
	return oneKind(c, f, b.tensors, a.mixer(kind, window), m.mlp())
}

// phiMoE has LayerNorm with biases, and a bias at the head.
func phiMoE(c *config) *Shape {
	f := c.frame(false)
	a := c.heads(f.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "block_sparse_moe.", names: numbered()}
	m.experts, m.topK = c.routed([]string{"num_local_experts"}, []string{"num_experts_per_tok"})
	kind, window := c.window()
	var b stack
	a.add(&b)
	m.add(&b)
	b.twoNorms(f.d)
	b.bias("input_layernorm", Norm, f.d, Replicated, 0)
	b.bias("post_attention_layernorm", Norm, f.d, Replicated, 0)
	s := oneKind(c, f, b.tensors, a.mixer(kind, window), m.mlp())
	outer := stack{s.Outer}
	outer.bias("model.norm", Norm, f.d, Replicated, 0)
	if c.flagOr(false, "", "lm_head_bias") {
		outer.bias("lm_head", Head, f.vocab, ByVocab, 0)
	}
	s.Outer = outer.tensors
	return s
}

// graniteMoE keeps gate and up in one matrix.
func graniteMoE(c *config) *Shape {
	f := c.frame(true)
	a := c.heads(f.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "block_sparse_moe."}
	m.experts, m.topK = c.routed([]string{"num_local_experts"}, []string{"num_experts_per_tok"})
	var b stack
	a.add(&b)
	m.addGranite(&b)
	if m.shared = c.optional("f_s", "shared_intermediate_size"); m.shared.N > 0 {
		graniteShared(&b, f.d, m.shared)
	}
	b.twoNorms(f.d)
	return oneKind(c, f, b.tensors, a.mixer(Full, 0), m.mlp())
}

func (m moe) addGranite(b *stack) {
	b.table(m.prefix+"router.layer.weight", Router, m.experts, m.d, Replicated, 0)
	b.expert(m.prefix+"input_linear.weight", number(2).Times(m.width), m.d, m.experts, m.topK, ByExpert)
	b.expert(m.prefix+"output_linear.weight", m.d, m.width, m.experts, m.topK, ByExpertCols)
}

func graniteShared(b *stack, d, width Dim) {
	b.matrix("shared_mlp.input_linear", Shared, number(2).Times(width), d, ByRows, 0)
	b.matrix("shared_mlp.output_linear", Shared, d, width, ByCols, 0)
}

// dbrx nests its sizes and fuses queries, keys and values.
func dbrx(c *config) *Shape {
	f := frame{
		d: c.dim("d", "d_model"), vocab: c.dim("V", "vocab_size"), depth: c.layers("n_layers"), tied: c.tied(false),
		body: "transformer.", embed: "wte", norm: "norm_f", layers: "blocks",
	}
	a := attention{d: f.d, h: c.count("h", "n_heads")}
	a.e = c.headWidth(f.d, a.h)
	a.k = c.under("attn_config", func(p *config) Dim { return p.dimOr("k", 1, "the default of the class", "kv_n_heads") })
	m := moe{d: f.d, prefix: "ffn."}
	m.width = c.under("ffn_config", func(p *config) Dim { return p.dim("f_e", "ffn_hidden_size") })
	m.experts = c.under("ffn_config", func(p *config) Dim { return p.count("E", "moe_num_experts") })
	m.topK = c.under("ffn_config", func(p *config) Dim { return p.count("K", "moe_top_k") })
	var b stack
	a.fused(&b, "norm_attn_norm.attn.Wqkv", "norm_attn_norm.attn.out_proj")
	b.norm("norm_attn_norm.norm_1", f.d)
	b.norm("norm_attn_norm.norm_2", f.d)
	b.table("ffn.router.layer.weight", Router, m.experts, f.d, Replicated, 0)
	b.expert("ffn.experts.mlp.w1", m.width, f.d, m.experts, m.topK, ByExpert)
	b.expert("ffn.experts.mlp.v1", m.width, f.d, m.experts, m.topK, ByExpert)
	b.expert("ffn.experts.mlp.w2", f.d, m.width, m.experts, m.topK, ByExpertCols)
	return oneKind(c, f, b.tensors, a.mixer(Full, 0), m.mlp())
}

// under reads from a nested part, and takes over what it noted.
func (c *config) under(key string, read func(p *config) Dim) Dim {
	p, ok := c.part(key)
	if !ok {
		c.fault("is missing, and the shape cannot be known without it", key)
		return one
	}
	p.symbols = c.symbols
	n := read(p)
	c.fail(p.err)
	c.symbols, c.assumed = p.symbols, append(c.assumed, p.assumed...)
	return n
}

// olmoe normalizes queries and keys over their full width.
func olmoe(c *config) *Shape {
	f := c.frame(false)
	a := c.heads(f.d)
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "mlp."}
	m.experts, m.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_tok"})
	var b stack
	a.add(&b)
	a.wideNorms(&b)
	m.add(&b)
	b.twoNorms(f.d)
	return oneKind(c, f, b.tensors, a.mixer(Full, 0), m.mlp())
}

func qwen2MoE(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.everyStep()}
	a := c.heads(x.frame.d)
	a.qkvBias = c.flagOr(true, "", "qkv_bias")
	x.moe = moe{
		d: x.frame.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp.",
		shared: c.optional("f_s", "shared_expert_intermediate_size"), sharedName: "shared_expert.", sharedGate: "shared_expert_gate",
	}
	x.moe.experts, x.moe.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_tok"})
	return x.shape(c, plain(a, nil, c.qwenWindow(a)))
}

func qwen3MoE(c *config) *Shape {
	x := mixed{frame: c.nested(false), is: c.everyStep()}
	a := c.heads(x.frame.d)
	a.headNorm = true
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	x.moe = moe{d: x.frame.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp."}
	x.moe.experts, x.moe.topK = c.routed([]string{"num_experts", "num_local_experts"}, []string{"num_experts_per_tok"})
	return x.shape(c, plain(a, nil, c.qwenWindow(a)))
}

// glm4MoE is GLM-4.5 and its successors of the same class.
func glm4MoE(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(1)}
	a := c.heads(x.frame.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.headNorm = c.flagOr(false, "", "use_qk_norm")
	x.moe = c.deepseekMoE(x.frame.d)
	x.moe.correction = "gate.e_score_correction_bias"
	s := x.shape(c, plain(a, nil, func(int) Mixer { return a.mixer(Full, 0) }))
	x.predict(c, s, predictors{copies: true}, a.add, a.mixer(Full, 0))
	return s
}

func dots1(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(0)}
	a := c.heads(x.frame.d)
	a.headNorm = true
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	x.moe = c.deepseekMoE(x.frame.d)
	x.moe.correction = "gate.e_score_correction_bias"
	types := c.words("layer_types", x.frame.depth.N)
	return x.shape(c, plain(a, nil, func(i int) Mixer { return c.typed(a, types, i) }))
}

// ernieMoE is ERNIE 4.5; its correction bias is kept beside the experts.
func ernieMoE(c *config) *Shape {
	x := mixed{frame: c.frame(true)}
	a := c.heads(x.frame.d)
	a.qkvBias = c.flagOr(false, "", "use_bias")
	a.outBias = a.qkvBias
	if a.qkvBias {
		c.gaps = append(c.gaps, Gap{What: "biases of the MLP", Why: "use_bias is set, which no published model of this class does"})
	}
	first, step := c.countOr(1, "", "moe_layer_start_index"), max(1, c.countOr(1, "", "moe_layer_interval"))
	last, _, ok := c.lookup([]string{"moe_layer_end_index"})
	if !ok || last < 0 {
		last = x.frame.depth.N - 1
	}
	x.is = func(i int) bool { n := int64(i); return n >= first && n <= last && (n+1)%step == 0 }
	x.moe = moe{
		d: x.frame.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp.",
		correction: "moe_statics.e_score_correction_bias", exact: true,
	}
	x.moe.experts, x.moe.topK = c.routed([]string{"moe_num_experts"}, []string{"moe_k"})
	x.moe.shared = c.sharedWidth(x.moe.width, "moe_num_shared_experts")
	return x.shape(c, plain(a, nil, func(int) Mixer { return a.mixer(Full, 0) }))
}

// hunyuanMoE is Hunyuan-A13B. Its lists give one size for each layer; layers may share keys and values (use_cla).
func hunyuanMoE(c *config) *Shape {
	f := c.frame(true)
	n := f.depth.N
	a := attention{d: f.d, h: c.count("h", "num_attention_heads"), qkvBias: c.flagOr(false, "", "attention_bias")}
	a.outBias = a.qkvBias
	a.k = c.dimOr("k", a.h.N, "as many as query heads", "num_key_value_heads")
	if a.e = c.optional("e", "attention_head_dim", "head_dim"); a.e.N == 0 {
		a.e = c.headWidth(f.d, a.h)
	}
	if c.flagOr(false, "", "use_cla") || c.flagOr(false, "", "use_mla") {
		c.fail(errors.New("use_cla or use_mla is set, and the rule for this class with it is not known"))
	}
	h := hunyuan{
		f: f, a: a, norms: c.flagOr(false, "", "use_qk_norm", "use_qk_norm_hy"),
		experts: c.ints("num_experts", n), widths: c.ints("moe_intermediate_size", n), topK: c.ints("moe_topk", n),
		shared: c.ints("num_shared_expert", n),
	}
	skip := c.countOr(0, "", "moe_layer_num_skipped")
	if h.experts == nil || h.topK == nil {
		c.fail(errors.New("num_experts or moe_topk is missing, and the shape cannot be known without them"))
		return &Shape{}
	}
	built := kinds[[4]int64]{}
	return f.shape(c, func(i int) Block { return h.block(c, built, i, int64(i) >= skip) })
}

type hunyuan struct {
	f                             frame
	a                             attention
	norms                         bool
	experts, widths, topK, shared []int64
}

func (h hunyuan) block(c *config, built kinds[[4]int64], i int, routed bool) Block {
	m := moe{d: h.f.d, prefix: "mlp.", router: "gate.wg", sharedName: "shared_mlp.", exact: true}
	key := [4]int64{-1}
	if routed && h.experts[i] > 1 {
		m.width = c.dim("f", "intermediate_size")
		if h.widths != nil {
			m.width = c.width("f_e", "moe_intermediate_size", h.widths[i])
		}
		m.experts, m.topK = c.named("E", "num_experts", h.experts[i], maxCount), c.named("K", "moe_topk", h.topK[i], maxCount)
		if h.shared != nil && h.shared[i] > 0 {
			m.shared = c.named("S_e", "num_shared_expert", h.shared[i], maxCount).Times(m.width)
		}
		key = [4]int64{m.experts.N, m.width.N, m.topK.N, m.shared.N}
	}
	b := Block{Mixer: h.a.mixer(Full, 0), MLP: m.mlp()}
	if key[0] < 0 {
		b.MLP = MLP{Width: c.dim("f", "intermediate_size").N, Gated: true}
	}
	b.Tensors = built.of(key, func(s *stack) {
		h.a.add(s)
		if h.norms {
			s.norm("self_attn.query_layernorm", h.a.e)
			s.norm("self_attn.key_layernorm", h.a.e)
		}
		if key[0] < 0 {
			gatedMLP(s, "mlp.", Dense, h.f.d, c.dim("f", "intermediate_size"), false)
		} else {
			m.add(s)
		}
		s.twoNorms(h.f.d)
	})
	return b
}

func ling(c *config) *Shape { return bailing(c, false) }

func ling2(c *config) *Shape { return bailing(c, true) }

// bailing is Ling and Ring of the first and the second generation; keys, queries and values are one matrix.
func bailing(c *config, second bool) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(0)}
	x.frame.embed = "word_embeddings"
	a := c.heads(x.frame.d)
	a.qkvBias, a.outBias = c.flagOr(false, "", "use_qkv_bias"), c.flagOr(false, "", "use_bias")
	norms := c.flagOr(second, "", "use_qk_norm")
	x.moe = moe{d: x.frame.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp."}
	if c.flagOr(second, "", "moe_router_enable_expert_bias") {
		x.moe.correction = "gate.expert_bias"
	}
	x.moe.experts, x.moe.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_tok"})
	unit := c.optional("f_s", "moe_shared_expert_intermediate_size")
	if unit.N == 0 {
		unit = x.moe.width
	}
	x.moe.shared = c.sharedWidth(unit, "num_shared_experts")
	add := func(s *stack) {
		a.fused(s, "attention.query_key_value", "attention.dense")
		if norms {
			s.norm("attention.query_layernorm", a.e)
			s.norm("attention.key_layernorm", a.e)
		}
	}
	s := x.shape(c, func(int) (string, func(*stack), Mixer) { return "", add, a.mixer(Full, 0) })
	x.predict(c, s, predictors{}, add, a.mixer(Full, 0))
	return s
}
