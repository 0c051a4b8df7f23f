package arch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Step 3.5 and 3.7 Flash and MiMo-V2 have layers with a sliding window whose heads differ from those of the other layers
// (vLLM: step3p5.py, mimo_v2_flash.py, mimo_v2_mtp.py).
func stepRules() []rule {
	return []rule{
		{
			"step3.5",
			[]string{"Step3p5ForCausalLM", "Step3p5FlashForCausalLM", "Step3p7FlashForCausalLM", "Step3p7ForConditionalGeneration"},
			[]string{"step3p5", "step3p7"},
			step,
		},
		{"mimo-v2", []string{"MiMoV2FlashForCausalLM"}, []string{"mimo_v2_flash"}, mimoV2},
	}
}

// sided is a decoder with two kinds of attention.
type sided struct {
	mixed
	local, global func(*stack)
	localMixer    Mixer
	globalMixer   Mixer
	sliding       func(i int) bool
}

func (x *sided) shape(c *config) *Shape {
	return x.mixed.shape(c, func(i int) (string, func(*stack), Mixer) {
		if x.sliding(i) {
			return "local", x.local, x.localMixer
		}
		return "global", x.global, x.globalMixer
	})
}

// marks reports layers whose type is the word.
func (c *config) marks(key, kind string, n int64) func(i int) bool {
	types := c.words(key, n)
	if types == nil {
		c.fault("is missing, and the shape cannot be known without it", key)
		return func(int) bool { return false }
	}
	return func(i int) bool { return types[i] == kind }
}

// stepHeads are the heads of the layers that attention_other_setting describes. Configurations that leave it out are of
// models whose layers with a window have more heads than the others, so the difference is a gap.
func (c *config) stepHeads(a attention, sliding int64) attention {
	p, ok := c.part("attention_other_setting")
	if ok {
		p.symbols = c.symbols
		a.h = p.count("h_s", "num_attention_heads")
		a.k = p.dimOr("k_s", a.k.N, "as in the other layers", "num_attention_groups")
		a.e = p.dimOr("e_s", a.e.N, "as in the other layers", "head_dim")
		c.fail(p.err)
		c.symbols, c.assumed = p.symbols, append(c.assumed, p.assumed...)
		return a
	}
	more := a.h.N / 2
	c.gaps = append(c.gaps, Gap{
		What: "query heads of the layers with a window",
		Why:  "attention_other_setting is absent; the published models of this class have half as many heads more in these layers",
		High: mul(sliding, mul(2, mul(mul(more, a.e.N), a.d.N))),
	})
	return a
}

func step(c *config) *Shape {
	f := c.nestedAs("model.", "lm_head")
	n := f.depth.N
	x := sided{mixed: mixed{frame: f, is: c.stepExperts(n), prefix: "mlp."}, sliding: c.marks("layer_types", "sliding_attention", n)}
	a := attention{d: f.d, h: c.count("h", "num_attention_heads"), headNorm: true, qkvBias: c.flagOr(false, "", "attention_bias")}
	a.k = c.count("k", "num_attention_groups", "num_key_value_heads")
	a.e = c.headWidth(f.d, a.h)
	windows := int64(0)
	for i := range int(n) {
		if x.sliding(i) {
			windows++
		}
	}
	local := c.stepHeads(a, windows)
	gate := c.stepGate(a, local, windows, n)
	x.global, x.globalMixer = gated(a, gate), a.mixer(Full, 0)
	x.local, x.localMixer = gated(local, gate), local.mixer(Sliding, c.sliding())
	x.moe = moe{
		d: f.d, width: c.dim("f_e", "moe_intermediate_size"), shared: c.optional("f_s", "share_expert_dim", "share_expert_dims"),
	}
	x.moe.experts, x.moe.topK = c.routed([]string{"moe_num_experts", "num_experts"}, []string{"moe_top_k", "num_experts_per_tok"})
	x.moe.prefix, x.moe.sharedName, x.moe.exact = "moe.", "share_expert.", true
	if c.flagOr(true, "", "use_moe_router_bias") {
		x.moe.correction = "router_bias"
	}
	s := x.shape(c)
	x.predict(c, s)
	return s
}

// stepGate reports whether a gate stands at the output of each head. It is a gap where the file is silent.
func (c *config) stepGate(a, local attention, windows, n int64) bool {
	if c.has("use_head_wise_attn_gate") {
		return c.flagOr(false, "", "use_head_wise_attn_gate")
	}
	most := mul(a.d.N, add(mul(windows, local.h.N+local.h.N/2), mul(n-windows, a.h.N)))
	c.gaps = append(c.gaps, Gap{
		What: "gates of attention heads",
		Why:  "use_head_wise_attn_gate is absent; the published models of this class have one for each head",
		High: most,
	})
	return false
}

func gated(a attention, gate bool) func(*stack) {
	return func(s *stack) {
		a.add(s)
		if gate {
			s.matrix("self_attn.g_proj", Attention, a.h, a.d, ByRows, a.h.N)
		}
	}
}

// nestedAs is a frame whose names are the same whether or not the language model is a part of the configuration.
func (c *config) nestedAs(body, head string) frame {
	f := c.frame(false)
	f.body, f.head = body, head
	return f
}

// stepExperts are the layers of moe_layers_enum, or those from first_k_dense_replace on.
func (c *config) stepExperts(n int64) sparse {
	list := c.wordOr("", "moe_layers_enum")
	if list == "" {
		return c.fromLayer(1)
	}
	var layers []int
	for field := range strings.SplitSeq(list, ",") {
		i, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || i < 0 || int64(i) >= n+64 {
			c.fail(fmt.Errorf("moe_layers_enum holds %q, want numbers of layers", field))
			break
		}
		layers = append(layers, i)
	}
	return func(i int) bool { return slices.Contains(layers, i) }
}

// predict adds the blocks for further tokens: layers with a window and an MLP, each with a head of its own.
func (x *sided) predict(c *config, s *Shape) {
	n := c.countOr(0, "", "num_nextn_predict_layers")
	if n > 16 {
		c.fail(fmt.Errorf("num_nextn_predict_layers is %d, want 0 to 16", n))
		return
	}
	if n == 0 {
		return
	}
	d := x.frame.d
	var b stack
	x.local(&b)
	gatedMLP(&b, "mlp.", Dense, d, x.width(c), false)
	b.twoNorms(d)
	b.norm("enorm", d)
	b.norm("hnorm", d)
	b.matrix("eh_proj", MTPPart, d, number(2).Times(d), Replicated, 0)
	b.norm("transformer.shared_head.norm", d)
	b.matrix("transformer.shared_head.output", MTPPart, x.frame.vocab, d, ByVocab, 0)
	for i := range n {
		s.MTP = append(s.MTP, Block{
			Prefix: fmt.Sprintf("%slayers.%d.", x.frame.body, x.frame.depth.N+i), Tensors: predictor(b.tensors),
			Mixer: x.localMixer, MLP: MLP{Width: x.dense.N, Gated: true},
		})
	}
}

// unequal is attention whose values are narrower than its keys.
type unequal struct {
	d, h, k, e, v Dim
	bias, sink    bool
}

func (a unequal) add(s *stack) {
	s.matrix("self_attn.q_proj", Attention, a.h.Times(a.e), a.d, ByRows, a.h.N)
	s.matrix("self_attn.k_proj", Attention, a.k.Times(a.e), a.d, ByKVHeads, a.k.N)
	s.matrix("self_attn.v_proj", Attention, a.k.Times(a.v), a.d, ByKVHeads, a.k.N)
	s.matrix("self_attn.o_proj", Attention, a.d, a.h.Times(a.v), ByCols, a.h.N)
	if a.bias {
		s.bias("self_attn.q_proj", Attention, a.h.Times(a.e), ByRows, a.h.N)
		s.bias("self_attn.k_proj", Attention, a.k.Times(a.e), ByKVHeads, a.k.N)
		s.bias("self_attn.v_proj", Attention, a.k.Times(a.v), ByKVHeads, a.k.N)
	}
	if a.sink {
		s.vector("self_attn.attention_sink_bias", Attention, a.h, ByRows, a.h.N)
	}
}

func (a unequal) mixer(kind Kind, window int64) Mixer {
	return Mixer{Kind: kind, Heads: a.h.N, KVHeads: a.k.N, KeyWidth: a.e.N, ValueWidth: a.v.N, Window: window, SharesWith: -1}
}

func mimoV2(c *config) *Shape {
	f := c.frame(false)
	n := f.depth.N
	a := unequal{d: f.d, h: c.count("h", "num_attention_heads"), bias: c.flagOr(false, "", "attention_bias")}
	a.k, a.e = c.count("k", "num_key_value_heads"), c.dim("e", "head_dim")
	a.v = c.dimOr("e_v", a.e.N, "as wide as keys", "v_head_dim")
	l := a
	const same = "as in the other layers"
	l.h = c.dimOr("h_s", a.h.N, same, "swa_num_attention_heads")
	l.k = c.dimOr("k_s", a.k.N, same, "swa_num_key_value_heads")
	l.e = c.dimOr("e_s", a.e.N, same, "swa_head_dim")
	l.v = c.dimOr("e_vs", a.v.N, same, "swa_v_head_dim")
	a.sink, l.sink = c.flagOr(false, "", "add_full_attention_sink_bias"), c.flagOr(false, "", "add_swa_attention_sink_bias")
	marks := c.ints("hybrid_layer_pattern", n)
	if marks == nil {
		c.fail(errors.New("hybrid_layer_pattern is missing, and the shape cannot be known without it"))
		return &Shape{}
	}
	x := sided{
		mixed: mixed{frame: f, is: c.experted(n)}, local: l.add, global: a.add,
		localMixer: l.mixer(Sliding, c.sliding()), globalMixer: a.mixer(Full, 0), sliding: func(i int) bool { return marks[i] == 1 },
	}
	x.moe = c.deepseekMoE(f.d)
	s := x.shape(c)
	x.predictMiMo(c, s)
	return s
}

// predictMiMo adds the three blocks of the published files, of which config.json says nothing.
func (x *sided) predictMiMo(c *config, s *Shape) {
	n := c.countOr(3, "the published files of this class hold three blocks for further tokens", "num_nextn_predict_layers")
	if n > 16 {
		c.fail(fmt.Errorf("num_nextn_predict_layers is %d, want 0 to 16", n))
		return
	}
	d := x.frame.d
	var b stack
	x.local(&b)
	gatedMLP(&b, "mlp.", Dense, d, x.width(c), false)
	b.matrix("eh_proj", MTPPart, d, number(2).Times(d), Replicated, 0)
	for _, name := range []string{"enorm", "hnorm", "input_layernorm", "pre_mlp_layernorm", "final_layernorm"} {
		b.norm(name, d)
	}
	s.MTP = repeat(n, "model.mtp.layers.", func(int) Block {
		return Block{Tensors: predictor(b.tensors), Mixer: x.localMixer, MLP: MLP{Width: x.dense.N, Gated: true}}
	})
}
