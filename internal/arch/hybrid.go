package arch

import (
	"errors"
	"fmt"
	"math"
	"slices"
)

// Decoders that mix attention with Mamba or with short convolutions, each block with its own feed-forward part
// (transformers: modeling_jamba.py, modeling_bamba.py, modeling_granitemoehybrid.py, modeling_lfm2.py,
// modeling_lfm2_moe.py).
func hybridRules() []rule {
	return []rule{
		{"jamba", []string{"JambaForCausalLM"}, []string{"jamba"}, jamba},
		{"bamba", []string{"BambaForCausalLM"}, []string{"bamba"}, bamba},
		{"granite-hybrid", []string{"GraniteMoeHybridForCausalLM"}, []string{"granitemoehybrid"}, graniteHybrid},
		{"lfm2", []string{"Lfm2ForCausalLM", "LFM2ForCausalLM"}, []string{"lfm2"}, func(c *config) *Shape { return lfm2(c, false) }},
		{"lfm2-moe", []string{"Lfm2MoeForCausalLM"}, []string{"lfm2_moe"}, func(c *config) *Shape { return lfm2(c, true) }},
	}
}

// periodic tells each period-th layer from an offset on.
func (c *config) periodic(period, offset int64, periodKey, offsetKey string) func(i int) bool {
	period = max(1, c.countOr(period, classDefault, periodKey))
	offset = c.countOr(offset, classDefault, offsetKey)
	return func(i int) bool { return int64(i)%period == offset%period }
}

func jamba(c *config) *Shape {
	f := c.frame(false)
	f.norm = "final_layernorm"
	a := c.heads(f.d)
	m := mamba1{
		d: f.d, inner: c.dimOr("x", 2, classDefault, "mamba_expand").Times(f.d), state: c.dimOr("S", 16, classDefault, "mamba_d_state"),
		kernel: c.dimOr("c", 4, classDefault, "mamba_d_conv"), rank: c.rank(f.d, "mamba_dt_rank"), norms: true, prefix: "mamba.",
		bias: c.flagOr(false, "", "mamba_proj_bias"), convBias: c.flagOr(true, "", "mamba_conv_bias"),
	}
	attends := c.periodic(8, 4, "attn_layer_period", "attn_layer_offset")
	routed := c.periodic(2, 1, "expert_layer_period", "expert_layer_offset")
	width := c.dim("f", "intermediate_size")
	x := moe{d: f.d, width: width, prefix: "feed_forward.", router: "router"}
	if many := c.countOr(16, classDefault, "num_experts"); many > 1 {
		x.experts = c.named("E", "num_experts", many, maxCount)
		x.topK = c.dimOr("K", 2, classDefault, "num_experts_per_tok")
	} else {
		routed = func(int) bool { return false }
	}
	type key struct{ attends, routed bool }
	built := kinds[key]{}
	return f.shape(c, func(i int) Block {
		k := key{attends(i), routed(i)}
		b := Block{Mixer: m.mixer(), MLP: MLP{Width: width.N, Gated: true}}
		if k.attends {
			b.Mixer = a.mixer(Full, 0)
		}
		if k.routed {
			b.MLP = x.mlp()
		}
		b.Tensors = built.of(k, func(s *stack) {
			either(k.attends, a.add, m.add)(s)
			either(k.routed, x.add, func(s *stack) { gatedMLP(s, x.prefix, Dense, f.d, width, false) })(s)
			s.norm("input_layernorm", f.d)
			s.norm("pre_ff_layernorm", f.d)
		})
		return b
	})
}

func either(first bool, a, b func(*stack)) func(*stack) {
	if first {
		return a
	}
	return b
}

// hybridSSM reads the mixer of Bamba and Granite 4.
func (c *config) hybridSSM(d Dim, heads, groups, state int64) ssm {
	m := ssm{
		d: d, heads: c.dimOr("h_m", heads, classDefault, "mamba_n_heads"), groups: c.dimOr("G", groups, classDefault, "mamba_n_groups"),
		state: c.dimOr("S", state, classDefault, "mamba_d_state"), kernel: c.dimOr("c", 4, classDefault, "mamba_d_conv"),
		bias: c.flagOr(false, "", "mamba_proj_bias"), convBias: c.flagOr(true, "", "mamba_conv_bias"), prefix: "mamba.",
	}
	inner := mul(c.dimOr("x", 2, classDefault, "mamba_expand").N, d.N)
	if s, ok, err := c.values.String("mamba_d_head"); err == nil && ok && s == "auto" || !c.has("mamba_d_head") {
		if inner%m.heads.N != 0 {
			c.fail(fmt.Errorf("mamba_n_heads is %d, and a width of %d does not divide by it", m.heads.N, inner))
		}
		m.width = Dim{max(1, inner/m.heads.N), "x·d/h_m"}
	} else {
		m.width = c.dim("e_m", "mamba_d_head")
	}
	return m
}

func bamba(c *config) *Shape {
	f := c.frame(false)
	f.norm = "final_layernorm"
	a := c.heads(f.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	m := c.hybridSSM(f.d, 128, 1, 256)
	attending, _, err := c.values.Uints("attn_layer_indices")
	c.fail(err)
	width := c.dim("f", "intermediate_size")
	bias := c.flagOr(false, "", "mlp_bias")
	built := kinds[bool]{}
	return f.shape(c, func(i int) Block {
		attends := slices.Contains(attending, uint64(i))
		b := Block{Mixer: m.mixer(), MLP: MLP{Width: width.N, Gated: true}}
		if attends {
			b.Mixer = a.mixer(Full, 0)
		}
		b.Tensors = built.of(attends, func(s *stack) {
			either(attends, a.add, m.add)(s)
			gatedMLP(s, "feed_forward.", Dense, f.d, width, bias)
			s.norm("input_layernorm", f.d)
			s.norm("pre_ff_layernorm", f.d)
		})
		return b
	})
}

// graniteHybrid is Granite 4: every block has a shared MLP, and experts beside it if there are any.
func graniteHybrid(c *config) *Shape {
	f := c.frame(true)
	a := c.heads(f.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	x := moe{d: f.d, prefix: "block_sparse_moe."}
	if c.countOr(0, "", "num_local_experts") > 0 {
		x.width = c.dim("f_e", "intermediate_size")
		x.experts, x.topK = c.routed([]string{"num_local_experts"}, []string{"num_experts_per_tok"})
	}
	x.shared = c.dim("f_s", "shared_intermediate_size")
	types := c.words("layer_types", f.depth.N)
	if types == nil {
		types = c.words("layers_block_type", f.depth.N)
	}
	if types == nil {
		c.fail(errors.New("layer_types is missing, and the shape cannot be known without it"))
		return &Shape{}
	}
	var m ssm
	if slices.Contains(types, "mamba") {
		m = c.hybridSSM(f.d, 128, 1, 256)
	}
	built := kinds[bool]{}
	return f.shape(c, func(i int) Block {
		recurrent := types[i] == "mamba"
		b := Block{Mixer: a.mixer(Full, 0), MLP: x.mlp()}
		if recurrent {
			b.Mixer = m.mixer()
		}
		b.Tensors = built.of(recurrent, func(s *stack) {
			either(recurrent, m.add, a.add)(s)
			if x.experts.N > 0 {
				x.addGranite(s)
			}
			graniteShared(s, f.d, x.shared)
			s.twoNorms(f.d)
		})
		return b
	})
}

// liquid is LFM2: short convolutions with gates on both sides, and attention in some layers.
type liquid struct {
	f        frame
	a        attention
	kernel   Dim
	convBias bool
	dense    Dim
	moe      moe
}

func lfm2(c *config, experts bool) *Shape {
	f := c.frame(true)
	f.norm = "embedding_norm"
	l := liquid{f: f, a: c.heads(f.d), kernel: c.dimOr("c", 3, classDefault, "conv_L_cache")}
	l.convBias = c.flagOr(false, "", "conv_bias")
	attends := c.liquidLayers(f.depth.N)
	dense := f.depth.N
	if experts {
		dense = c.countOr(2, classDefault, "num_dense_layers")
		l.moe = moe{d: f.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "feed_forward.", names: numbered()}
		l.moe.experts, l.moe.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_tok"})
		if c.flagOr(true, "", "use_expert_bias") {
			l.moe.correction = "expert_bias"
		}
		l.dense = c.dim("f", "intermediate_size")
	} else {
		l.dense = c.liquidWidth()
	}
	type key struct{ attends, routed bool }
	built := kinds[key]{}
	return f.shape(c, func(i int) Block {
		k := key{attends(i), int64(i) >= dense}
		b := Block{Mixer: l.mixer(k.attends), MLP: MLP{Width: l.dense.N, Gated: true}}
		if k.routed {
			b.MLP = l.moe.mlp()
		}
		b.Tensors = built.of(k, func(s *stack) { l.block(s, k.attends, k.routed) })
		return b
	})
}

func (c *config) liquidLayers(n int64) func(i int) bool {
	if types := c.words("layer_types", n); types != nil {
		return func(i int) bool { return types[i] == "full_attention" }
	}
	listed, ok, err := c.values.Uints("full_attn_idxs")
	if c.fail(err); !ok {
		c.fail(errors.New("layer_types and full_attn_idxs are missing, and the shape cannot be known without one of them"))
	}
	return func(i int) bool { return slices.Contains(listed, uint64(i)) }
}

// liquidWidth is the width of the MLP: two thirds of what is written, times a factor, rounded up.
func (c *config) liquidWidth() Dim {
	f := c.dim("f", "block_ff_dim", "intermediate_size")
	if !c.flagOr(true, classDefault, "block_auto_adjust_ff_dim") {
		return f
	}
	factor, ok, err := c.values.Float("block_ffn_dim_multiplier")
	if c.fail(err); !ok {
		factor = 1
	}
	if !(factor > 0 && factor <= 64) {
		c.fail(fmt.Errorf("block_ffn_dim_multiplier is %v, want more than 0 and at most 64", factor))
		factor = 1
	}
	multiple := max(1, c.countOr(256, classDefault, "block_multiple_of"))
	width := int64(math.Trunc(factor * float64(2*f.N/3)))
	return Dim{max(1, (width+multiple-1)/multiple*multiple), "round(2f/3)"}
}

func (l liquid) block(s *stack, attends, routed bool) {
	d := l.f.d
	if attends {
		a := l.a
		he, ke := a.h.Times(a.e), a.k.Times(a.e)
		s.matrix("self_attn.q_proj", Attention, he, d, ByRows, a.h.N)
		s.matrix("self_attn.k_proj", Attention, ke, d, ByKVHeads, a.k.N)
		s.matrix("self_attn.v_proj", Attention, ke, d, ByKVHeads, a.k.N)
		s.matrix("self_attn.out_proj", Attention, d, he, ByCols, a.h.N)
		s.norm("self_attn.q_layernorm", a.e)
		s.norm("self_attn.k_layernorm", a.e)
	} else {
		s.matrix("conv.in_proj", Recurrent, number(3).Times(d), d, ByRows, 0)
		s.table("conv.conv.weight", Recurrent, d, l.kernel, ByRows, 0)
		s.matrix("conv.out_proj", Recurrent, d, d, ByCols, 0)
		if l.convBias {
			s.bias("conv.in_proj", Recurrent, number(3).Times(d), ByRows, 0)
			s.bias("conv.conv", Recurrent, d, ByRows, 0)
			s.bias("conv.out_proj", Recurrent, d, ByCols, 0)
		}
	}
	if routed {
		l.moe.add(s)
	} else {
		s.matrix("feed_forward.w1", Dense, l.dense, d, ByRows, 0)
		s.matrix("feed_forward.w3", Dense, l.dense, d, ByRows, 0)
		s.matrix("feed_forward.w2", Dense, d, l.dense, ByCols, 0)
	}
	s.norm("operator_norm", d)
	s.norm("ffn_norm", d)
}

func (l liquid) mixer(attends bool) Mixer {
	if attends {
		return l.a.mixer(Full, 0)
	}
	return Mixer{Kind: State, Conv: mul(l.kernel.N-1, l.f.d.N), SharesWith: -1}
}
