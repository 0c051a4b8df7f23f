package arch

import (
	"errors"
	"slices"
)

// Kimi Linear mixes with Kimi Delta Attention in most layers and with MLA without positions in the others; Kimi K3 adds
// a gate to the latter, residuals that attend to earlier blocks, and experts in a narrower space (the modeling files of
// the repositories; vLLM: kimi_linear.py; SGLang: kimi_k3.py).
func kimiLinearRules() []rule {
	return []rule{
		{"kimi-linear", []string{"KimiLinearForCausalLM"}, []string{"kimi_linear"}, kimiLinear},
		{"kimi-k3", []string{"KimiK3ForConditionalGeneration"}, []string{"kimi_k3"}, kimiLinear},
	}
}

// deltaAttention is KDA: a state for each head, with a decay for each channel.
type deltaAttention struct {
	d, h, e, kernel Dim
	wide            bool // the gate of the output is one matrix rather than two of low rank
}

func (k deltaAttention) add(s *stack) {
	he, p := k.h.Times(k.e), "self_attn."
	for _, name := range []string{"q", "k", "v"} {
		s.matrix(p+name+"_proj", Recurrent, he, k.d, ByRows, k.h.N)
	}
	for _, name := range []string{"q", "k", "v"} {
		s.table(p+name+"_conv1d.weight", Recurrent, he, k.kernel, ByRows, k.h.N)
	}
	s.vector(p+"A_log", Recurrent, k.h, ByRows, k.h.N)
	s.inFloat()
	s.vector(p+"dt_bias", Recurrent, he, ByRows, k.h.N)
	s.inFloat()
	s.matrix(p+"f_a_proj", Recurrent, k.e, k.d, Replicated, 0)
	s.matrix(p+"f_b_proj", Recurrent, he, k.e, ByRows, k.h.N)
	s.matrix(p+"b_proj", Recurrent, k.h, k.d, ByRows, k.h.N)
	if k.wide {
		s.matrix(p+"g_proj", Recurrent, he, k.d, ByRows, k.h.N)
	} else {
		s.matrix(p+"g_a_proj", Recurrent, k.e, k.d, Replicated, 0)
		s.matrix(p+"g_b_proj", Recurrent, he, k.e, ByRows, k.h.N)
	}
	s.vector(p+"o_norm.weight", Recurrent, k.e, Replicated, 0)
	s.matrix(p+"o_proj", Recurrent, k.d, he, ByCols, k.h.N)
}

func (k deltaAttention) mixer() Mixer {
	he := mul(k.h.N, k.e.N)
	return Mixer{
		Kind: State, Heads: k.h.N, KVHeads: k.h.N, KeyWidth: k.e.N, ValueWidth: k.e.N,
		Conv: mul(k.kernel.N-1, mul(3, he)), State: mul(he, k.e.N), StateHeads: k.h.N, SharesWith: -1,
	}
}

type kimi struct {
	f      frame
	a      mla
	k      deltaAttention
	moe    moe
	latent Dim // width of the space of the experts; zero if it is the hidden size
	normed bool
	dense  Dim
	cross  bool // residuals attend to earlier blocks
	linear []uint64
}

func kimiLinear(c *config) *Shape {
	x := kimi{f: c.frame(false)}
	if c.inner() {
		x.f.body, x.f.head = "language_model.model.", "language_model.lm_head"
	}
	d := x.f.d
	x.a = c.mla(d)
	x.a.gated = c.flagOr(false, "", "mla_use_output_gate")
	x.moe = moe{d: d, prefix: "block_sparse_moe.", names: numbered(), correction: "gate.e_score_correction_bias"}
	x.moe.width = c.dim("f_e", "moe_intermediate_size")
	x.moe.experts, x.moe.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_token", "num_experts_per_tok"})
	x.moe.shared = c.sharedWidth(x.moe.width, "num_shared_experts")
	if x.latent = c.optional("d_l", "routed_expert_hidden_size"); x.latent.N == d.N {
		x.latent = Dim{}
	}
	x.normed = c.flagOr(false, "", "latent_moe_use_norm")
	x.cross = c.optional("n_b", "attn_res_block_size").N > 0
	x.readDelta(c)
	if c.err != nil {
		return &Shape{}
	}
	return x.shape(c)
}

// readDelta reads the layers that keep a state; the file counts layers from 1.
func (x *kimi) readDelta(c *config) {
	p, ok := c.part("linear_attn_config")
	if !ok {
		c.fail(errors.New("linear_attn_config is missing, and the shape cannot be known without it"))
		return
	}
	p.symbols = c.symbols
	x.k = deltaAttention{
		d: x.f.d, h: p.count("h_d", "num_heads"), e: p.dim("e_d", "head_dim"),
		kernel: p.dimOr("c", 4, classDefault, "short_conv_kernel_size"), wide: p.flagOr(false, "", "use_full_rank_gate"),
	}
	listed, ok, err := p.values.Uints("kda_layers")
	if p.fail(err); !ok {
		p.fail(errors.New("kda_layers is missing, and the shape cannot be known without it"))
	}
	x.linear = listed
	c.fail(p.err)
	c.symbols, c.assumed = p.symbols, append(c.assumed, p.assumed...)
}

func (x *kimi) shape(c *config) *Shape {
	routed := c.fromLayer(0)
	type key struct{ linear, routed bool }
	built := kinds[key]{}
	s := x.f.shape(c, func(i int) Block {
		k := key{slices.Contains(x.linear, uint64(i)+1), routed(i)}
		b := Block{Mixer: x.a.mixer(), MLP: x.moe.mlp()}
		if k.linear {
			b.Mixer = x.k.mixer()
		}
		if !k.routed {
			x.dense = c.dim("f", "intermediate_size")
			b.MLP = MLP{Width: x.dense.N, Gated: true}
		}
		b.Tensors = built.of(k, func(s *stack) { x.block(s, k.linear, k.routed) })
		return b
	})
	if x.cross {
		outer := stack{s.Outer}
		residual(&outer, x.f.body+"output_attn", x.f.d)
		s.Outer = outer.tensors
	}
	return s
}

func (x *kimi) block(s *stack, linear, routed bool) {
	d := x.f.d
	either(linear, x.k.add, x.a.add)(s)
	switch {
	case !routed:
		gatedMLP(s, "mlp.", Dense, d, x.dense, false)
	case x.latent.N == 0:
		x.moe.add(s)
	default:
		x.route(s)
	}
	s.twoNorms(d)
	if x.cross {
		residual(s, "self_attention", d)
		residual(s, "mlp", d)
	}
}

// residual lists a query over the outputs of earlier blocks.
func residual(s *stack, name string, d Dim) {
	s.norm(name+"_res_norm", d)
	s.table(name+"_res_proj.weight", Other, one, d, Replicated, 0)
}

// route lists experts in a narrower space; the router and the shared experts see the hidden state.
func (x *kimi) route(s *stack) {
	m, p := x.moe, x.moe.prefix
	s.table(p+"gate.weight", Router, m.experts, m.d, Replicated, 0)
	s.vector(p+m.correction, Router, m.experts, Replicated, 0)
	s.inFloat()
	// The published file leaves these two in 16 bits, though nothing in its configuration excludes them.
	s.table(p+"routed_expert_down_proj.weight", Experts, x.latent, m.d, Replicated, 0)
	s.table(p+"routed_expert_up_proj.weight", Experts, m.d, x.latent, Replicated, 0)
	if x.normed {
		s.norm(p+"routed_expert_norm", x.latent)
	}
	s.expert(p+"experts.*.w1.weight", m.width, x.latent, m.experts, m.topK, ByExpert)
	s.expert(p+"experts.*.w3.weight", m.width, x.latent, m.experts, m.topK, ByExpert)
	s.expert(p+"experts.*.w2.weight", x.latent, m.width, m.experts, m.topK, ByExpertCols)
	if m.shared.N > 0 {
		gatedMLP(s, p+"shared_experts.", Shared, m.d, m.shared, false)
	}
}
