package arch

import (
	"fmt"
	"math"
	"slices"
)

// The Llama block: attention with grouped keys and values, a gated MLP, two RMS norms. The families here differ in
// biases, norms, windows and defaults only (transformers: modeling_llama.py, modeling_mistral.py, modeling_qwen2.py,
// modeling_qwen3.py, modeling_olmo.py, modeling_olmo2.py, modeling_olmo3.py, modeling_smollm3.py, modeling_exaone4.py,
// modeling_granite.py, modeling_helium.py, modeling_seed_oss.py, modeling_ernie4_5.py, modeling_hunyuan_v1_dense.py,
// modeling_apertus.py, modeling_arcee.py, modeling_nemotron.py; the files of the repositories for InternLM, MiniCPM and
// MiMo).
func llamaRules() []rule {
	return []rule{
		{
			"llama",
			[]string{"LlamaForCausalLM", "LLaMAForCausalLM", "YiForCausalLM", "XverseForCausalLM", "AquilaForCausalLM"},
			[]string{"llama", "Yi", "xverse", "aquila"},
			llama,
		},
		{"mistral", []string{"MistralForCausalLM"}, []string{"mistral"}, mistral},
		{"ministral", []string{"MinistralForCausalLM"}, []string{"ministral"}, mistral},
		{"ministral3", []string{"Ministral3ForCausalLM"}, []string{"ministral3"}, ministral3},
		{"internlm", []string{"InternLMForCausalLM"}, []string{"internlm"}, internLM},
		{"internlm3", []string{"InternLM3ForCausalLM"}, []string{"internlm3"}, internLM3},
		{"qwen2", []string{"Qwen2ForCausalLM"}, []string{"qwen2"}, func(c *config) *Shape { return qwen2(c, llamaNames()) }},
		{"qwen3", []string{"Qwen3ForCausalLM"}, []string{"qwen3"}, func(c *config) *Shape { return qwen3(c, llamaNames()) }},
		{"mimo", []string{"MiMoForCausalLM"}, []string{"mimo"}, mimo},
		{"olmo", []string{"OlmoForCausalLM", "OLMoForCausalLM"}, []string{"olmo"}, olmo},
		{"olmo2", []string{"Olmo2ForCausalLM"}, []string{"olmo2"}, func(c *config) *Shape { return olmo2(c, 0) }},
		{"olmo3", []string{"Olmo3ForCausalLM"}, []string{"olmo3"}, func(c *config) *Shape { return olmo2(c, 4096) }},
		{"smollm3", []string{"SmolLM3ForCausalLM"}, []string{"smollm3"}, smolLM3},
		{"exaone4", []string{"Exaone4ForCausalLM"}, []string{"exaone4"}, exaone4},
		{"granite", []string{"GraniteForCausalLM"}, []string{"granite"}, llama},
		{"helium", []string{"HeliumForCausalLM"}, []string{"helium"}, helium},
		{"seed-oss", []string{"SeedOssForCausalLM"}, []string{"seed_oss"}, seedOSS},
		{"ernie4.5", []string{"Ernie4_5ForCausalLM", "Ernie4_5_ForCausalLM"}, []string{"ernie4_5"}, ernie},
		{"hunyuan-dense", []string{"HunYuanDenseV1ForCausalLM"}, []string{"hunyuan_v1_dense"}, hunyuanDense},
		{"minicpm", []string{"MiniCPMForCausalLM"}, []string{"minicpm"}, miniCPM},
		{"apertus", []string{"ApertusForCausalLM"}, []string{"apertus"}, apertus},
		{"arcee", []string{"ArceeForCausalLM"}, []string{"arcee"}, arcee},
		{"nemotron", []string{"NemotronForCausalLM"}, []string{"nemotron"}, nemotronDense},
	}
}

// llamaBlock adds the usual attention, MLP and norms; attention brings its biases and norms of heads.
func (p *plan) llamaBlock(a attention, mlpBias bool, norms ...string) {
	a.add(&p.block)
	p.gated(mlpBias)
	for _, n := range norms {
		p.block.norm(n, p.d)
	}
}

const (
	inputNorm = "input_layernorm"
	postNorm  = "post_attention_layernorm"
	lastNorm  = "post_feedforward_layernorm"
)

// biased is attention whose four matrices have biases if attention_bias says so.
func (p *plan) biased() attention {
	a := p.attn
	a.qkvBias = p.c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	return a
}

// llamaSizes are the defaults of LlamaConfig, which files leave to it where it is a part of another.
func llamaSizes() sizes {
	return sizes{d: 4096, f: 11008, layers: 32, h: 32, vocab: 32000, context: 2048}
}

func llama(c *config) *Shape {
	p := c.plan(false, c.inside(llamaSizes()))
	p.llamaBlock(p.biased(), c.flagOr(false, "", "mlp_bias"), inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func mistral(c *config) *Shape {
	class := sizes{d: 4096, f: 14336, layers: 32, h: 32, k: 8, vocab: 32000, context: 131072}
	if _, said := c.values.Get("sliding_window"); !said && !c.null("sliding_window") {
		c.assume("sliding_window", "none", "absent; the class has 4096 by default, but of its published models only those that say so have a "+
			"window, and copies of a configuration lose the null of the others: all tokens are kept, which is the cautious reading")
	}
	return mistralLike(c, class, 0)
}

func ministral3(c *config) *Shape {
	return mistralLike(c, sizes{d: 4096, f: 14336, layers: 34, h: 32, k: 8, e: 128, vocab: 131072, context: 262144}, 0)
}

// mistralLike has the window of its class on all layers unless layer_types says otherwise.
func mistralLike(c *config, class sizes, window int64) *Shape {
	e := class.e
	class = c.inside(class)
	class.e = e
	p := c.plan(false, class)
	p.slide(c.windowOr(window), always)
	p.llamaBlock(p.attn, false, inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func internLM(c *config) *Shape {
	p := c.plan(false, sizes{})
	a := p.attn
	a.qkvBias = c.flagOr(true, classDefault, "bias")
	a.outBias = a.qkvBias
	p.llamaBlock(a, false, inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func internLM3(c *config) *Shape {
	p := c.plan(false, sizes{})
	a, bias := p.attn, c.flagOr(false, "", "bias")
	a.qkvBias, a.outBias = c.flagOr(false, "", "qkv_bias"), bias
	p.llamaBlock(a, bias, inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

// qwenSlide gives the layers from max_window_layers on a window, if use_sliding_window is set at all.
func (p *plan) qwenSlide() {
	if !p.c.flagOr(false, "", "use_sliding_window") {
		return
	}
	first := p.c.countOr(28, classDefault, "max_window_layers")
	p.slide(p.c.windowOr(4096), func(i int) bool { return int64(i) >= first })
}

func qwen2(c *config, n names) *Shape {
	p := c.plan(false, c.inside(sizes{d: 4096, f: 22016, layers: 32, h: 32, k: 32, vocab: 151936, context: 32768}))
	p.qwenSlide()
	a := p.attn
	a.qkvBias = true
	p.llamaBlock(a, false, inputNorm, postNorm)
	return p.shape(n, (*stack).norm)
}

func qwen3(c *config, n names) *Shape {
	p := c.plan(false, c.inside(sizes{d: 4096, f: 22016, layers: 32, h: 32, k: 32, e: 128, vocab: 151936}))
	p.qwenSlide()
	a := p.biased()
	a.headNorm = true
	p.llamaBlock(a, false, inputNorm, postNorm)
	return p.shape(n, (*stack).norm)
}

// mimo is Qwen 2 with blocks that predict further tokens, each with norms and a projection before it.
func mimo(c *config) *Shape {
	s := qwen2(c, llamaNames())
	further := c.countOr(0, "", "num_nextn_predict_layers")
	if further > maxLayers || len(s.Blocks) == 0 {
		return s
	}
	block := stack{slices.Clone(s.Blocks[0].Tensors)}
	block.matrix("input_proj", MTPPart, s.Hidden, number(2).Times(s.Hidden), Replicated, 0)
	for _, n := range []string{"token_layernorm", "hidden_layernorm", "final_layernorm"} {
		block.norm(n, s.Hidden)
	}
	tensors := predictor(block.tensors)
	s.MTP = repeat(further, "model.mtp_layers.", func(int) Block {
		return Block{Tensors: tensors, Mixer: s.Blocks[0].Mixer, MLP: s.Blocks[0].MLP}
	})
	return s
}

// olmo normalizes without weights.
func olmo(c *config) *Shape {
	p := c.plan(false, sizes{})
	p.llamaBlock(p.biased(), false)
	return p.shape(llamaNames(), func(*stack, string, Dim) {})
}

// olmo2 has its norms after attention and MLP, and norms over all heads together. OLMo 3 adds windows on three of four
// layers.
func olmo2(c *config, window int64) *Shape {
	p := c.plan(false, sizes{})
	if window > 0 {
		p.slide(c.windowOr(window), notEvery(4))
	}
	p.llamaBlock(p.biased(), false, postNorm, lastNorm)
	p.attn.wideNorms(&p.block)
	return p.shape(llamaNames(), (*stack).norm)
}

func smolLM3(c *config) *Shape {
	p := c.plan(true, sizes{})
	if c.flagOr(false, "", "use_sliding_window") {
		p.slide(c.windowOr(0), func(int) bool { return false })
	}
	p.llamaBlock(p.biased(), c.flagOr(false, "", "mlp_bias"), inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

// exaone4 writes its pattern as a number or as letters: LLLG.
func exaone4(c *config) *Shape {
	p := c.plan(false, sizes{})
	slides := notEvery(4)
	if letters, ok, err := c.values.String("sliding_window_pattern"); ok && err == nil && letters != "" {
		slides = func(i int) bool { return letters[i%len(letters)] == 'L' && int64(i+1) < p.depth.N }
	} else if n, ok, err := c.values.Int("sliding_window_pattern"); ok && err == nil {
		slides = notEvery(n)
	}
	p.slide(c.windowOr(4096), slides)
	a := p.attn
	a.headNorm = true
	p.llamaBlock(a, false, postNorm, lastNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func helium(c *config) *Shape {
	p := c.plan(false, sizes{})
	a := p.attn
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	p.llamaBlock(a, c.flagOr(false, "", "mlp_bias"), inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func seedOSS(c *config) *Shape {
	p := c.plan(false, sizes{e: 128})
	a := p.attn
	a.qkvBias, a.outBias = c.flagOr(true, classDefault, "attention_bias"), c.flagOr(false, "", "attention_out_bias")
	p.llamaBlock(a, c.flagOr(false, "", "mlp_bias"), inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func ernie(c *config) *Shape {
	p := c.plan(true, sizes{e: 128, context: 131072})
	a, bias := p.attn, c.flagOr(false, "", "use_bias")
	a.qkvBias, a.outBias = bias, bias
	p.llamaBlock(a, bias, inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func hunyuanDense(c *config) *Shape {
	p := c.plan(false, sizes{})
	p.llamaBlock(p.biased(), c.flagOr(false, "", "mlp_bias"), inputNorm, postNorm)
	p.block.norm("self_attn.query_layernorm", p.attn.e)
	p.block.norm("self_attn.key_layernorm", p.attn.e)
	return p.shape(llamaNames(), (*stack).norm)
}

func miniCPM(c *config) *Shape {
	p := c.plan(true, sizes{})
	p.llamaBlock(p.biased(), false, inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

// apertus has an activation with parameters of its own in place of a gate.
func apertus(c *config) *Shape {
	p := c.plan(false, sizes{})
	a := p.biased()
	a.headNorm = true
	a.add(&p.block)
	p.ungated("mlp.up_proj", "mlp.down_proj", c.flagOr(false, "", "mlp_bias"))
	for _, n := range []string{"alpha_p", "alpha_n", "beta", "eps"} {
		p.block.add(Tensor{Name: "mlp.act_fn." + n, Component: Dense, Rows: one, Cols: one})
	}
	p.block.norm("attention_layernorm", p.d)
	p.block.norm("feedforward_layernorm", p.d)
	return p.shape(llamaNames(), (*stack).norm)
}

func arcee(c *config) *Shape {
	p := c.plan(false, sizes{})
	a := p.biased()
	a.add(&p.block)
	p.ungated("mlp.up_proj", "mlp.down_proj", c.flagOr(false, "", "mlp_bias"))
	p.block.norm(inputNorm, p.d)
	p.block.norm(postNorm, p.d)
	return p.shape(llamaNames(), (*stack).norm)
}

func nemotronDense(c *config) *Shape {
	p := c.plan(false, sizes{})
	a := p.biased()
	a.add(&p.block)
	p.ungated("mlp.up_proj", "mlp.down_proj", c.flagOr(false, "", "mlp_bias"))
	p.block.layerNorm(inputNorm, p.d)
	p.block.layerNorm(postNorm, p.d)
	return p.shape(llamaNames(), (*stack).layerNorm)
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

// tied reads tie_word_embeddings, in the language model or above it; where they disagree the file as a whole decides.
func (c *config) tied(otherwise bool) bool {
	for _, v := range []*config{c.outer(), c} {
		if v.has("tie_word_embeddings") {
			tied := v.flagOr(otherwise, "", "tie_word_embeddings")
			c.fail(v.err)
			return tied
		}
	}
	return c.flagOr(otherwise, classDefault, "tie_word_embeddings")
}

// maxContext is 0 where the file does not say. What scales positions is in it already: max_position_embeddings of
// published files is the length after scaling.
func (c *config) maxContext() int64 {
	n, key, ok := c.lookup([]string{"max_position_embeddings", "seq_length", "n_positions", "max_seq_len", "n_ctx", "model_max_length"})
	if ok && (n < 1 || n > maxTokens) {
		c.fail(fmt.Errorf("%s is %d, want 1 to %d", key, n, int64(maxTokens)))
		return 0
	}
	return n
}

// stretch is how many times the longest context a table of rotary positions goes: linear and dynamic scaling multiply it
// (vLLM: rotary_embedding, linear_scaling_rope.py and dynamic_ntk_scaling_rope.py).
func (c *config) stretch() int64 {
	p, ok, err := c.values.Object("rope_scaling")
	if err != nil || !ok {
		return 0
	}
	kind, _, _ := p.String("rope_type")
	if kind == "" {
		kind, _, _ = p.String("type")
	}
	factor, ok, err := p.Float("factor")
	if err != nil || !ok || kind != "linear" && kind != "dynamic" || !(factor > 1 && factor <= 1024) {
		return 0
	}
	return int64(math.Ceil(factor))
}

// window is that of Mistral, which holds for all layers where it is set.
func (c *config) window() (Kind, int64) {
	w, _, ok := c.lookup([]string{"sliding_window"})
	if !ok || w <= 0 || c.has("use_sliding_window") && !c.flagOr(false, "", "use_sliding_window") {
		return Full, 0
	}
	return Sliding, w
}
