package arch

import (
	"errors"
	"fmt"
)

// Gemma 4: layers with a sliding window and layers that see everything have heads of different width, and the latter
// may take their values from the keys. The E-models embed each token once more for every layer, and their last layers
// read the cache of an earlier one (transformers: modeling_gemma4.py).
func gemma4Rules() []rule {
	return []rule{{
		"gemma4", []string{"Gemma4ForConditionalGeneration", "Gemma4ForCausalLM"}, []string{"gemma4", "gemma4_text"}, gemma4,
	}}
}

type gemma4Decoder struct {
	f             frame
	local, global attention
	sameValues    bool // of layers that see everything
	types         []string
	window        int64
	width         Dim
	firstShared   int64 // the layer from which on caches are shared
	doubled       bool  // the MLP of these layers is twice as wide
	experts       bool
	moe           moe
	embedded      Dim // width of the embedding of each layer; zero if there is none
}

func gemma4(c *config) *Shape {
	g := gemma4Decoder{f: c.nested(true), width: c.dim("f", "intermediate_size"), window: c.sliding()}
	g.local = c.heads(g.f.d)
	g.local.qkvBias = c.flagOr(false, "", "attention_bias")
	g.local.outBias = g.local.qkvBias
	g.global = g.local
	g.sameValues = c.flagOr(false, "", "attention_k_eq_v")
	if e := c.optional("e_g", "global_head_dim"); e.N > 0 {
		g.global.e = e
	}
	if k := c.optional("k_g", "num_global_key_value_heads"); k.N > 0 && g.sameValues {
		g.global.k = k
	}
	n := g.f.depth.N
	if g.types = c.words("layer_types", n); g.types == nil {
		c.fail(errors.New("layer_types is missing, and the shape cannot be known without it"))
		return &Shape{}
	}
	shared := c.countOr(0, "", "num_kv_shared_layers")
	if g.firstShared = n - shared; g.firstShared <= 0 {
		c.fail(fmt.Errorf("num_kv_shared_layers is %d, want less than the %d layers there are", shared, n))
		return &Shape{}
	}
	g.doubled = c.flagOr(false, "", "use_double_wide_mlp")
	g.readExperts(c)
	g.embedded = c.optional("p", "hidden_size_per_layer_input")
	return g.shape(c)
}

func (g *gemma4Decoder) readExperts(c *config) {
	if g.experts = c.flagOr(false, "", "enable_moe_block"); !g.experts {
		return
	}
	g.moe = moe{d: g.f.d, width: c.dim("f_e", "moe_intermediate_size", "expert_intermediate_size")}
	g.moe.experts, g.moe.topK = c.routed([]string{"num_experts"}, []string{"top_k_experts"})
}

func (g *gemma4Decoder) shape(c *config) *Shape {
	type key struct {
		sliding, shared bool
	}
	built := kinds[key]{}
	s := g.f.shape(c, func(i int) Block {
		k := key{g.types[i] == "sliding_attention", int64(i) >= g.firstShared}
		b := Block{Tensors: built.of(k, func(s *stack) { g.block(s, k.sliding, k.shared) }), Mixer: g.mixer(c, i, k.sliding, k.shared)}
		b.MLP = g.moe.mlp()
		b.MLP.Gated, b.MLP.Width = true, g.mlp(k.shared).N
		return b
	})
	if g.embedded.N > 0 {
		g.embedLayers(c, s)
	}
	return s
}

func (g *gemma4Decoder) mlp(shared bool) Dim {
	if g.doubled && shared {
		return number(2).Times(g.width)
	}
	return g.width
}

func (g *gemma4Decoder) mixer(c *config, i int, sliding, shared bool) Mixer {
	m := g.global.mixer(Full, 0)
	if sliding {
		m = g.local.mixer(Sliding, g.window)
	}
	if !shared {
		return m
	}
	for j := int(g.firstShared) - 1; j >= 0; j-- {
		if g.types[j] == g.types[i] {
			m.SharesWith = j
			return m
		}
	}
	c.fail(fmt.Errorf("num_kv_shared_layers lets layer %d share the cache of an earlier layer of its kind, and there is none", i))
	return m
}

func (g *gemma4Decoder) block(s *stack, sliding, shared bool) {
	d := g.f.d
	g.attend(s, sliding, shared)
	gatedMLP(s, "mlp.", Dense, d, g.mlp(shared), false)
	norms := []string{"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm"}
	if g.experts {
		g.route(s)
		norms = append(norms, "post_feedforward_layernorm_1", "post_feedforward_layernorm_2", "pre_feedforward_layernorm_2")
	}
	if g.embedded.N > 0 {
		s.matrix("per_layer_input_gate", Dense, g.embedded, d, Replicated, 0)
		s.matrix("per_layer_projection", Dense, d, g.embedded, Replicated, 0)
		norms = append(norms, "post_per_layer_input_norm")
	}
	for _, name := range norms {
		s.norm(name, d)
	}
	s.vector("layer_scalar", Other, one, Replicated, 0)
}

// attend lists the attention of a layer: one that shares a cache has queries alone.
func (g *gemma4Decoder) attend(s *stack, sliding, shared bool) {
	a := g.global
	if sliding {
		a = g.local
	}
	he, ke := a.h.Times(a.e), a.k.Times(a.e)
	linear := func(name string, rows, cols Dim, split Split, units int64) {
		s.matrix("self_attn."+name, Attention, rows, cols, split, units)
		if a.qkvBias {
			s.bias("self_attn."+name, Attention, rows, split, units)
		}
	}
	linear("q_proj", he, a.d, ByRows, a.h.N)
	s.norm("self_attn.q_norm", a.e)
	if !shared {
		linear("k_proj", ke, a.d, ByKVHeads, a.k.N)
		s.norm("self_attn.k_norm", a.e)
		if sliding || !g.sameValues {
			linear("v_proj", ke, a.d, ByKVHeads, a.k.N)
		}
	}
	linear("o_proj", a.d, he, ByCols, a.h.N)
}

func (g *gemma4Decoder) route(s *stack) {
	m := g.moe
	s.table("router.proj.weight", Router, m.experts, m.d, Replicated, 0)
	s.vector("router.scale", Router, m.d, Replicated, 0)
	s.vector("router.per_expert_scale", Router, m.experts, Replicated, 0)
	for i, name := range projections() {
		if i < 2 {
			s.expert("experts.*."+name+".weight", m.width, m.d, m.experts, m.topK, ByExpert)
		} else {
			s.expert("experts.*."+name+".weight", m.d, m.width, m.experts, m.topK, ByExpertCols)
		}
	}
}

// embedLayers adds the embeddings of tokens for each layer and what mixes them with the hidden state.
func (g *gemma4Decoder) embedLayers(c *config, s *Shape) {
	vocab := c.optional("V_p", "vocab_size_per_layer_input")
	if vocab.N == 0 {
		vocab = g.f.vocab
	}
	all := g.f.depth.Times(g.embedded)
	outer := stack{s.Outer}
	outer.add(Tensor{
		Name: g.f.body + "embed_tokens_per_layer.weight", Component: Embedding, Rows: vocab, Cols: all, Visited: Dim{0, "0"},
		Split: ByVocab,
	})
	outer.matrix(g.f.body+"per_layer_model_projection", Embedding, all, g.f.d, Replicated, 0)
	outer.norm(g.f.body+"per_layer_projection_norm", g.embedded)
	s.Outer = outer.tensors
}
