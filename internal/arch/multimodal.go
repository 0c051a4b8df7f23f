package arch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Models that put an encoder of pictures in front of a language model. Where that model is one of another family, its
// own rule makes it, and only its names are put below a prefix (transformers: modeling_llava.py, modeling_llava_next.py,
// modeling_mistral3.py, modeling_paligemma.py, modeling_idefics3.py, modeling_qwen2_vl.py, modeling_qwen2_5_vl.py,
// modeling_qwen3_vl.py, modeling_glm4v.py, modeling_aya_vision.py, modeling_mllama.py; the files of the repositories for InternVL).
func multimodalRules() []rule {
	return []rule{
		{
			"llava",
			[]string{"LlavaForConditionalGeneration", "LlavaNextForConditionalGeneration", "LlavaOnevisionForConditionalGeneration"},
			[]string{"llava", "llava_next", "llava_onevision"},
			wrapped,
		},
		{"mistral3", []string{"Mistral3ForConditionalGeneration"}, []string{"mistral3"}, wrapped},
		{
			"cohere-vision",
			[]string{"AyaVisionForConditionalGeneration", "Cohere2VisionForConditionalGeneration"},
			[]string{"aya_vision", "cohere2_vision"},
			wrapped,
		},
		{"paligemma", []string{"PaliGemmaForConditionalGeneration"}, []string{"paligemma"}, wrapped},
		{"internvl", []string{"InternVLChatModel"}, []string{"internvl_chat"}, wrapped},
		{
			"idefics3",
			[]string{"Idefics3ForConditionalGeneration", "SmolVLMForConditionalGeneration"},
			[]string{"idefics3", "smolvlm"},
			idefics3,
		},
		{
			"qwen2-vl",
			[]string{"Qwen2VLForConditionalGeneration", "Qwen2_5_VLForConditionalGeneration"},
			[]string{"qwen2_vl", "qwen2_5_vl"},
			func(c *config) *Shape { return c.aroundText(qwen2(c, llamaNames()), "") },
		},
		{"qwen3-vl", []string{"Qwen3VLForConditionalGeneration"}, []string{"qwen3_vl"}, qwen3VL},
		{"glm4v", []string{"Glm4vForConditionalGeneration"}, []string{"glm4v"}, glm4V},
		{"mllama", []string{"MllamaForConditionalGeneration"}, []string{"mllama"}, mllama},
	}
}

var errWrapped = errors.New("the language model inside the configuration is itself described as one with several parts")

// aroundText adds the towers, and puts what the language model is called below a prefix.
func (c *config) aroundText(s *Shape, prefix string) *Shape {
	for _, list := range [][]Tensor{s.Outer, s.MTPOuter} {
		for i := range list {
			list[i].Name = prefix + list[i].Name
		}
	}
	for _, blocks := range [][]Block{s.Blocks, s.MTP} {
		for i := range blocks {
			blocks[i].Prefix = prefix + blocks[i].Prefix
		}
	}
	s.Towers = c.towers()
	return s
}

// wrapped leaves the language model to the rule of its own class.
func wrapped(c *config) *Shape {
	s := c.language()
	if s == nil || s.Towers != nil { // a rule that knows what stands around it has named everything itself
		return s
	}
	return c.aroundText(s, "language_model.")
}

// language is the shape of the language model inside. Rules of models around another are not asked, lest a file nests
// without end.
func (c *config) language() *Shape {
	class, kind := c.class()
	if c.values == c.top {
		c.fail(errors.New("text_config is missing, and the language model is not known without it"))
		return &Shape{}
	}
	around := multimodalRules()
	if slices.ContainsFunc(around, func(r rule) bool { return slices.Contains(r.types, kind) }) && kind != "" {
		c.fail(errWrapped)
		return &Shape{}
	}
	if kind == "" && class == "" {
		kind = "llama"
		c.assume("model_type", kind, "the default of the class around it")
	}
	for _, try := range [][2]string{{"", kind}, {class, ""}} {
		if r, ok := find(try[0], try[1]); ok && !slices.ContainsFunc(around, func(a rule) bool { return slices.Equal(a.classes, r.classes) }) {
			return r.build(c)
		}
	}
	c.fail(fmt.Errorf("the language model, %s: %w", describe(class, kind), ErrUnknown))
	return &Shape{}
}

func qwen3VL(c *config) *Shape {
	n := llamaNames()
	n.body = "model.language_model."
	return c.aroundText(qwen3(c, n), "")
}

func glm4V(c *config) *Shape {
	n := llamaNames()
	n.body = "model.language_model."
	return c.aroundText(glm(c, n, inputNorm, postNorm, "post_self_attn_layernorm", "post_mlp_layernorm"), "")
}

// idefics3 is Llama with a connector that packs neighboring patches into one token.
func idefics3(c *config) *Shape {
	s := c.language()
	for i := range s.Outer {
		s.Outer[i].Name = strings.Replace(s.Outer[i].Name, "model.", "model.text_model.", 1)
	}
	for i := range s.Blocks {
		s.Blocks[i].Prefix = strings.Replace(s.Blocks[i].Prefix, "model.", "model.text_model.", 1)
	}
	s.Towers = c.towers()
	return s
}

// mllama is Llama 3 with blocks between its own that attend to pictures: their keys and values are those of the tower,
// so they do not grow with the text. The embedding has eight rows for special tokens that the head has not.
func mllama(c *config) *Shape {
	p := c.plan(false, sizes{d: 4096, f: 14336, layers: 40, h: 32, k: 8, vocab: 128256, context: 131072})
	p.attn.add(&p.block)
	cross := p.crossBlock()
	p.gated(false)
	p.block.norm(inputNorm, p.d)
	p.block.norm(postNorm, p.d)
	s := p.shape(llamaNames(), (*stack).norm)
	s.Outer[0].Rows = p.vocab.Plus(number(8))
	for _, i := range p.crossLayers() {
		s.Blocks[i].Tensors, s.Blocks[i].Mixer = cross, p.attn.mixer(Cross, 0)
	}
	return c.aroundText(s, "language_model.")
}

func (p *plan) crossBlock() []Tensor {
	var s stack
	a := p.attn
	a.prefix, a.headNorm = "cross_attn.", true
	a.add(&s)
	gatedMLP(&s, "mlp.", Dense, p.d, p.f, false)
	for _, gate := range []string{"cross_attn_attn_gate", "cross_attn_mlp_gate"} {
		s.add(Tensor{Name: gate, Component: Attention, Rows: one, Cols: one})
	}
	s.norm(inputNorm, p.d)
	s.norm(postNorm, p.d)
	return s.tensors
}

func (p *plan) crossLayers() []int64 {
	list, ok := p.c.list("cross_attention_layers")
	if !ok {
		p.c.assume("cross_attention_layers", "3, 8, 13, 18, 23, 28, 33 and 38", classDefault)
		return slices.DeleteFunc([]int64{3, 8, 13, 18, 23, 28, 33, 38}, func(i int64) bool { return i >= p.depth.N })
	}
	var layers []int64
	for _, v := range list {
		n, err := v.AsInt()
		if err != nil || n < 0 || n >= p.depth.N {
			p.c.fail(v.Errorf("cross_attention_layers names a layer that is not there, want 0 to %d", p.depth.N-1))
			continue
		}
		layers = append(layers, n)
	}
	return layers
}
