package arch

import (
	"errors"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// MiniMax: Text-01 and M1 mix seven layers of lightning attention, which keeps a state, with one of usual attention;
// M2 has the latter alone; M3 lets most layers choose blocks of tokens with an indexer. Routers are kept in 32 bits
// (the modeling files of the repositories; vLLM: minimax_m2.py; SGLang: minimax_m3.py).
func minimaxRules() []rule {
	return []rule{
		{
			"minimax-m1",
			[]string{"MiniMaxM1ForCausalLM", "MiniMaxText01ForCausalLM", "MiniMaxForCausalLM"},
			[]string{"minimax_m1", "minimax_text_01", "minimax"},
			minimaxM1,
		},
		{"minimax-m2", []string{"MiniMaxM2ForCausalLM"}, []string{"minimax_m2"}, minimaxM2},
		{
			"minimax-m3",
			[]string{"MiniMaxM3ForCausalLM", "MiniMaxM3SparseForCausalLM", "MiniMaxM3SparseForConditionalGeneration"},
			[]string{"minimax_m3", "minimax_m3_vl"},
			minimaxM3,
		},
	}
}

func (c *config) minimaxMoE(d Dim) moe {
	m := moe{d: d, width: c.dim("f_e", "intermediate_size"), prefix: "block_sparse_moe.", names: numbered(), exact: true}
	m.experts, m.topK = c.routed([]string{"num_local_experts"}, []string{"num_experts_per_tok"})
	if c.flagOr(false, "", "use_routing_bias") {
		m.correction = "e_score_correction_bias"
	}
	return m
}

// usual tells the layers with usual attention, which attn_type_list marks with 1.
func (c *config) usual(n int64) func(i int) bool {
	if marks := c.ints("attn_type_list", n); marks != nil {
		return func(i int) bool { return marks[i] == 1 }
	}
	if types := c.words("layer_types", n); types != nil {
		return func(i int) bool { return types[i] == "full_attention" }
	}
	c.fail(errors.New("attn_type_list and layer_types are missing, and the shape cannot be known without one of them"))
	return func(int) bool { return true }
}

func minimaxM1(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: func(int) bool { return true }}
	a := c.heads(x.frame.d)
	x.moe = c.minimaxMoE(x.frame.d)
	if c.optional("f_s", "shared_intermediate_size").N > 0 {
		c.fail(errors.New("shared_intermediate_size is set, and the rule for this class with it is not known"))
	}
	usual := c.usual(x.frame.depth.N)
	return x.shape(c, func(i int) (string, func(*stack), Mixer) {
		if usual(i) {
			return "full", a.add, a.mixer(Full, 0)
		}
		return "lightning", a.lightning, a.lightningMixer()
	})
}

// lightning is linear attention with a gate and a norm at its output.
func (a attention) lightning(s *stack) {
	he := a.h.Times(a.e)
	s.matrix("self_attn.qkv_proj", Recurrent, number(3).Times(he), a.d, ByRows, a.h.N)
	s.matrix("self_attn.output_gate", Recurrent, he, a.d, ByRows, a.h.N)
	s.matrix("self_attn.out_proj", Recurrent, a.d, he, ByCols, a.h.N)
	s.vector("self_attn.norm.weight", Recurrent, he, ByRows, a.h.N)
}

func (a attention) lightningMixer() Mixer {
	return Mixer{
		Kind: State, Heads: a.h.N, KVHeads: a.h.N, KeyWidth: a.e.N, ValueWidth: a.e.N,
		State: mul(a.h.N, mul(a.e.N, a.e.N)), StateHeads: a.h.N, SharesWith: -1,
	}
}

// unstored notes that blocks for further tokens are spoken of, and that the files hold none.
func (c *config) unstored(keys ...string) {
	if n, key, ok := c.lookup(keys); ok && n > 0 {
		c.assume("blocks of "+key, "0", "the published files of this family do not store them")
	}
}

func minimaxM2(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: func(int) bool { return true }}
	a := c.heads(x.frame.d)
	x.moe = c.minimaxMoE(x.frame.d)
	c.unstored("num_mtp_modules")
	return x.shape(c, plain(a, a.qkNorms(c), func(int) Mixer { return a.mixer(Full, 0) }))
}

// qkNorms are the norms of queries and keys that use_qk_norm asks for: over each head, or over all together.
func (a attention) qkNorms(c *config) func(*stack) {
	if !c.flagOr(false, "", "use_qk_norm") {
		return nil
	}
	if c.wordOr("per_layer", "qk_norm_type") == "per_layer" {
		return a.wideNorms
	}
	return func(s *stack) {
		s.norm("self_attn.q_norm", a.e)
		s.norm("self_attn.k_norm", a.e)
	}
}

// selector is the indexer of M3.
type selector struct {
	d, heads, width Dim
	layers          []int64
	valueless       []int64
}

func (c *config) selector(d Dim, n int64) selector {
	p, ok := c.part("sparse_attention_config")
	if !ok || !p.flagOr(true, "", "use_sparse_attention") {
		return selector{layers: make([]int64, n), valueless: make([]int64, n)}
	}
	p.symbols = c.symbols
	s := selector{
		d: d, heads: p.count("h_i", "sparse_num_index_heads"), width: p.dim("e_i", "sparse_index_dim"),
		layers: p.ints("sparse_attention_freq", n), valueless: p.ints("sparse_disable_index_value", n),
	}
	c.fail(p.err)
	c.symbols = p.symbols
	if s.layers == nil {
		c.fail(errors.New("sparse_attention_config.sparse_attention_freq is missing, and the shape cannot be known without it"))
		s.layers = make([]int64, n)
	}
	if s.valueless == nil {
		s.valueless = make([]int64, n)
	}
	return s
}

// kind of a layer is "" for one that looks at everything.
func (x selector) kind(i int) string {
	switch {
	case x.layers[i] == 0:
		return ""
	case x.valueless[i] != 0:
		return "chooses"
	}
	return "chooses with values"
}

// remembers is what the indexer keeps of a token: a key, and with values as much again.
func (x selector) remembers(kind string) int64 {
	switch kind {
	case "":
		return 0
	case "chooses":
		return x.width.N
	}
	return mul(2, x.width.N)
}

func (x selector) add(s *stack, kind string) {
	if kind == "" {
		return
	}
	he := x.heads.Times(x.width)
	s.matrix("self_attn.index_q_proj", Indexer, he, x.d, ByKVHeads, x.heads.N)
	s.matrix("self_attn.index_k_proj", Indexer, x.width, x.d, Replicated, 0)
	s.vector("self_attn.index_q_norm.weight", Indexer, x.width, Replicated, 0)
	s.vector("self_attn.index_k_norm.weight", Indexer, x.width, Replicated, 0)
	if kind == "chooses with values" {
		s.matrix("self_attn.index_v_proj", Indexer, x.width, x.d, Replicated, 0)
		s.matrix("self_attn.index_o_proj", Indexer, x.d, he, ByCols, x.heads.N)
	}
}

func minimaxM3(c *config) *Shape {
	x := mixed{frame: c.frame(false), key: "dense_intermediate_size", prefix: "mlp."}
	if c.inner() {
		x.frame.body, x.frame.head = "language_model.model.", "language_model.lm_head"
	}
	n := x.frame.depth.N
	x.is = c.experted(n)
	x.moe = c.minimaxMoE(x.frame.d)
	if x.moe.shared = c.optional("f_s", "shared_intermediate_size"); x.moe.shared.N == 0 {
		x.moe.shared = c.sharedWidth(x.moe.width, "n_shared_experts")
	}
	a := c.heads(x.frame.d)
	if c.flagOr(false, "", "attention_output_gate") {
		c.fail(errors.New("attention_output_gate is set, and the rule for this class with it is not known"))
	}
	choose, norms := c.selector(x.frame.d, n), a.qkNorms(c)
	c.unstored("num_mtp_modules", "num_nextn_predict_layers")
	return x.shape(c, func(i int) (string, func(*stack), Mixer) {
		kind, mixer := choose.kind(i), a.mixer(Full, 0)
		mixer.Index = choose.remembers(kind)
		return kind, func(s *stack) {
			a.add(s)
			if norms != nil {
				norms(s)
			}
			choose.add(s, kind)
		}, mixer
	})
}

// experted is moe_layer_freq where it marks each layer, or first_k_dense_replace.
func (c *config) experted(n int64) sparse {
	if v, ok := c.values.Get("moe_layer_freq"); ok && v.Kind() == strictjson.Array {
		marks := c.ints("moe_layer_freq", n)
		return func(i int) bool { return marks[i] != 0 }
	}
	return c.fromLayer(0)
}
