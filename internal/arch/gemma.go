package arch

// Gemma: heads wider than hidden_size over heads, tied embeddings, from the second on four norms a block and windows
// (transformers: modeling_gemma.py, modeling_gemma2.py, modeling_gemma3.py). Published files leave sizes to the class.
func gemmaRules() []rule {
	return []rule{
		{"gemma", []string{"GemmaForCausalLM"}, []string{"gemma"}, gemma},
		{"gemma2", []string{"Gemma2ForCausalLM"}, []string{"gemma2"}, gemma2},
		{"gemma3", []string{"Gemma3ForCausalLM", "Gemma3TextModel"}, []string{"gemma3_text"}, gemma3},
		{"gemma3", []string{"Gemma3ForConditionalGeneration"}, []string{"gemma3"}, func(c *config) *Shape {
			return c.aroundText(gemma3(c), "language_model.")
		}},
	}
}

func gemma(c *config) *Shape {
	p := c.plan(true, sizes{d: 3072, f: 24576, layers: 28, h: 16, k: 16, e: 256, vocab: 256000, context: 8192})
	p.llamaBlock(p.biased(), false, inputNorm, postNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func gemma2(c *config) *Shape {
	p := c.plan(true, sizes{d: 2304, f: 9216, layers: 26, h: 8, k: 4, e: 256, vocab: 256000, context: 8192})
	p.slide(c.windowOr(4096), notEvery(2))
	p.llamaBlock(p.biased(), false, inputNorm, postNorm, "pre_feedforward_layernorm", lastNorm)
	return p.shape(llamaNames(), (*stack).norm)
}

func gemma3(c *config) *Shape {
	p := c.plan(true, sizes{d: 2304, f: 9216, layers: 26, h: 8, k: 4, e: 256, vocab: 262208, context: 131072})
	p.slide(c.windowOr(4096), notEvery(c.countOr(6, "", "sliding_window_pattern", "_sliding_window_pattern")))
	a := p.biased()
	a.headNorm = true
	p.llamaBlock(a, false, inputNorm, postNorm, "pre_feedforward_layernorm", lastNorm)
	return p.shape(llamaNames(), (*stack).norm)
}
