package arch

import (
	"errors"
	"fmt"
)

// DeepSeek's attention keeps one compressed vector of keys and values for each token (MLA), and its experts stand beside
// shared ones (transformers: modeling_deepseek_v2.py, modeling_deepseek_v3.py, modeling_glm_moe_dsa.py,
// modeling_mistral4.py; vLLM: deepseek_v2.py for the indexer of V3.2). Kimi K2 is the same class with other sizes.
func deepseekRules() []rule {
	return []rule{
		{"deepseek-v2", []string{"DeepseekV2ForCausalLM"}, []string{"deepseek_v2"}, deepseek},
		{"deepseek-v3", []string{"DeepseekV3ForCausalLM"}, []string{"deepseek_v3", "kimi_k2"}, deepseek},
		{"deepseek-v3.2", []string{"DeepseekV32ForCausalLM"}, []string{"deepseek_v32"}, deepseek},
		{
			"kimi-k2.5",
			[]string{"KimiK25ForConditionalGeneration", "KimiVLForConditionalGeneration"},
			[]string{"kimi_k25", "kimi_vl"},
			deepseek,
		},
		{"glm-moe-dsa", []string{"GlmMoeDsaForCausalLM"}, []string{"glm_moe_dsa"}, glmMoEDSA},
		{"glm4-moe-lite", []string{"Glm4MoeLiteForCausalLM"}, []string{"glm4_moe_lite"}, deepseek},
		{"mistral4", []string{"Mistral4ForCausalLM"}, []string{"mistral4"}, mistral4},
		{"deepseek-v4", []string{"DeepseekV4ForCausalLM"}, []string{"deepseek_v4"}, deepseekV4},
	}
}

// mla is multi-head latent attention.
type mla struct {
	d, h         Dim
	query        Dim // rank of the compressed queries; zero if they are not compressed
	latent       Dim // rank of the compressed keys and values
	nope, rope   Dim // width of a head without and with positions
	value        Dim
	bias         bool
	gated        bool // the output passes a gate as wide as all heads
	indexHeads   Dim  // of the indexer of sparse attention; zero if there is none
	indexWidth   Dim
	withoutIndex bool
}

func (c *config) mla(d Dim) mla {
	a := mla{
		d: d, h: c.count("h", "num_attention_heads"), query: c.optional("r_q", "q_lora_rank"), latent: c.dim("r", "kv_lora_rank"),
		nope: c.dim("e_n", "qk_nope_head_dim"), rope: c.dim("e_r", "qk_rope_head_dim"), value: c.dim("e_v", "v_head_dim"),
		bias: c.flagOr(false, "", "attention_bias"),
	}
	if a.indexHeads = c.optional("h_i", "index_n_heads"); a.indexHeads.N > 0 {
		a.indexWidth = c.dim("e_i", "index_head_dim")
		if a.query.N == 0 {
			c.fail(errors.New("index_n_heads is set but q_lora_rank is not, and the indexer reads the compressed queries"))
		}
	}
	return a
}

// add lists the tensors. What compresses is whole on every rank, since every rank keeps the whole compressed vector.
func (a mla) add(s *stack) {
	key, p := a.nope.Plus(a.rope), "self_attn."
	if a.query.N > 0 {
		s.matrix(p+"q_a_proj", Attention, a.query, a.d, Replicated, 0)
		s.norm(p+"q_a_layernorm", a.query)
		s.matrix(p+"q_b_proj", Attention, a.h.Times(key), a.query, ByRows, a.h.N)
	} else {
		s.matrix(p+"q_proj", Attention, a.h.Times(key), a.d, ByRows, a.h.N)
	}
	s.matrix(p+"kv_a_proj_with_mqa", Attention, a.latent.Plus(a.rope), a.d, Replicated, 0)
	s.norm(p+"kv_a_layernorm", a.latent)
	s.matrix(p+"kv_b_proj", Attention, a.h.Times(a.nope.Plus(a.value)), a.latent, ByRows, a.h.N)
	s.matrix(p+"o_proj", Attention, a.d, a.h.Times(a.value), ByCols, a.h.N)
	if a.gated {
		s.matrix(p+"g_proj", Attention, a.h.Times(a.value), a.d, ByRows, a.h.N)
	}
	if a.bias {
		if a.query.N > 0 {
			s.bias(p+"q_a_proj", Attention, a.query, Replicated, 0)
		}
		s.bias(p+"kv_a_proj_with_mqa", Attention, a.latent.Plus(a.rope), Replicated, 0)
		s.bias(p+"o_proj", Attention, a.d, ByCols, a.h.N)
	}
	if a.indexHeads.N > 0 && !a.withoutIndex {
		a.indexer(s)
	}
}

// indexer lists what chooses the tokens that sparse attention looks at. Its weights_proj is never quantized.
func (a mla) indexer(s *stack) {
	p := "self_attn.indexer."
	s.matrix(p+"wq_b", Indexer, a.indexHeads.Times(a.indexWidth), a.query, Replicated, 0)
	s.matrix(p+"wk", Indexer, a.indexWidth, a.d, Replicated, 0)
	s.vector(p+"k_norm.weight", Indexer, a.indexWidth, Replicated, 0)
	s.vector(p+"k_norm.bias", Indexer, a.indexWidth, Replicated, 0)
	s.table(p+"weights_proj.weight", Indexer, a.indexHeads, a.d, Replicated, 0)
}

func (a mla) mixer() Mixer {
	m := Mixer{
		Kind: Latent, Heads: a.h.N, KVHeads: 1, KeyWidth: add(a.nope.N, a.rope.N), ValueWidth: a.value.N,
		Latent: a.latent.N, Rope: a.rope.N, SharesWith: -1,
	}
	if a.indexHeads.N > 0 && !a.withoutIndex {
		m.Index = a.indexWidth.N
	}
	return m
}

// deepseekMoE reads the experts of V2, V3 and those who write like it.
func (c *config) deepseekMoE(d Dim) moe {
	m := moe{d: d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp."}
	m.experts, m.topK = c.routed([]string{"n_routed_experts", "num_experts"}, []string{"num_experts_per_tok"})
	m.shared = c.sharedWidth(m.width, "n_shared_experts")
	if c.wordOr("", "topk_method") == "noaux_tc" {
		m.correction = "gate.e_score_correction_bias"
	}
	return m
}

// deepseek is V2, V3, V3.2 and Kimi K2. A model without experts is one whose layers are all dense.
func deepseek(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(0)}
	if c.inner() {
		x.frame.body, x.frame.head = "language_model.model.", "language_model.lm_head"
	}
	return latent(c, x, predictors{copies: true})
}

func latent(c *config, x mixed, p predictors) *Shape {
	a := c.mla(x.frame.d)
	if c.has("n_routed_experts") {
		x.moe = c.deepseekMoE(x.frame.d)
	} else {
		x.moe, x.is = moe{prefix: "mlp."}, func(int) bool { return false }
	}
	s := x.shape(c, func(int) (string, func(*stack), Mixer) { return "", a.add, a.mixer() })
	x.predict(c, s, p, a.add, a.mixer())
	return s
}

// mistral4 is Mistral Small 4: the attention and the experts of DeepSeek. What stands around it is the affair of the
// class Mistral3ForConditionalGeneration, which takes its language model by model_type.
func mistral4(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(0)}
	x.frame.bare = c.inner()
	return latent(c, x, predictors{})
}

// glmMoEDSA is GLM-5. In GLM-5.2 most layers take over the choice of tokens of an earlier one. What its files leave out
// of quantization names indexers of the other layers alone, and their bytes agree; still the configuration does not say
// that the indexers are not stored, so they are counted, and the gap says how much less it may be.
func glmMoEDSA(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(0)}
	if types := c.words("mlp_layer_types", x.frame.depth.N); types != nil {
		x.is = func(i int) bool { return types[i] == "sparse" }
	}
	a := c.mla(x.frame.d)
	x.moe = c.deepseekMoE(x.frame.d)
	shared := int64(0)
	types := c.words("indexer_types", x.frame.depth.N)
	s := x.shape(c, func(i int) (string, func(*stack), Mixer) {
		m := a.mixer()
		if types != nil && types[i] == "shared" {
			m.Index = 0
			shared++
		}
		return "", a.add, m
	})
	x.predict(c, s, predictors{}, a.add, a.mixer())
	if shared > 0 {
		var b stack
		a.indexer(&b)
		each := int64(0)
		for i := range b.tensors {
			each = add(each, b.tensors[i].Elements())
		}
		c.gaps = append(c.gaps, Gap{
			What: "indexers of layers that share one",
			Why: fmt.Sprintf("indexer_types names %d layers that take over the choice of another; ", shared) +
				"their own indexers are counted, and may not be stored",
			Low: -mul(shared, each),
		})
	}
	return s
}
