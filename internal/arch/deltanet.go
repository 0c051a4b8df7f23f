package arch

import "fmt"

// Qwen3-Next and Qwen3.5 mix with Gated DeltaNet in most layers and with attention in every fourth, whose queries come
// with a gate of the same width for the output (transformers: modeling_qwen3_next.py, modeling_qwen3_5.py,
// modeling_qwen3_5_moe.py).
func deltaRules() []rule {
	return []rule{
		{"qwen3-next", []string{"Qwen3NextForCausalLM"}, []string{"qwen3_next"}, qwen3Next},
		{"qwen3.5", []string{"Qwen3_5ForConditionalGeneration", "Qwen3_5ForCausalLM"}, []string{"qwen3_5", "qwen3_5_text"}, qwen35},
		{
			"qwen3.5-moe",
			[]string{"Qwen3_5MoeForConditionalGeneration", "Qwen3_5MoeForCausalLM"},
			[]string{"qwen3_5_moe", "qwen3_5_moe_text"},
			qwen35,
		},
	}
}

// deltaNet is a layer of Gated DeltaNet.
type deltaNet struct {
	d, keyHeads, keyWidth, valueHeads, valueWidth, kernel Dim
	fused                                                 bool // one matrix for queries, keys, values and gate: Qwen3-Next
}

func (c *config) deltaNet(d Dim, fused bool) deltaNet {
	n := deltaNet{
		d: d, keyHeads: c.count("h_k", "linear_num_key_heads"), keyWidth: c.dim("e_k", "linear_key_head_dim"),
		valueHeads: c.count("h_v", "linear_num_value_heads"), valueWidth: c.dim("e_v", "linear_value_head_dim"),
		kernel: c.dim("c", "linear_conv_kernel_dim"), fused: fused,
	}
	if n.valueHeads.N%n.keyHeads.N != 0 {
		c.fail(fmt.Errorf("linear_num_value_heads is %d, want a multiple of the %d linear_num_key_heads", n.valueHeads.N, n.keyHeads.N))
	}
	return n
}

func (n deltaNet) add(s *stack) {
	keys, values := n.keyHeads.Times(n.keyWidth), n.valueHeads.Times(n.valueWidth)
	two := number(2)
	mixed := two.Times(keys).Plus(values)
	p := "linear_attn."
	if n.fused {
		s.matrix(p+"in_proj_qkvz", Recurrent, two.Times(keys).Plus(two.Times(values)), n.d, ByRows, n.keyHeads.N)
		s.matrix(p+"in_proj_ba", Recurrent, two.Times(n.valueHeads), n.d, ByRows, n.keyHeads.N)
	} else {
		s.matrix(p+"in_proj_qkv", Recurrent, mixed, n.d, ByRows, n.keyHeads.N)
		s.matrix(p+"in_proj_z", Recurrent, values, n.d, ByRows, n.valueHeads.N)
		s.matrix(p+"in_proj_b", Recurrent, n.valueHeads, n.d, ByRows, n.valueHeads.N)
		s.matrix(p+"in_proj_a", Recurrent, n.valueHeads, n.d, ByRows, n.valueHeads.N)
	}
	s.table(p+"conv1d.weight", Recurrent, mixed, n.kernel, ByRows, n.keyHeads.N)
	s.vector(p+"dt_bias", Recurrent, n.valueHeads, ByRows, n.valueHeads.N)
	s.vector(p+"A_log", Recurrent, n.valueHeads, ByRows, n.valueHeads.N)
	s.vector(p+"norm.weight", Recurrent, n.valueWidth, Replicated, 0)
	s.matrix(p+"out_proj", Recurrent, n.d, values, ByCols, n.valueHeads.N)
}

func (n deltaNet) mixer() Mixer {
	keys, values := mul(n.keyHeads.N, n.keyWidth.N), mul(n.valueHeads.N, n.valueWidth.N)
	return Mixer{
		Kind: State, Heads: n.valueHeads.N, KVHeads: n.keyHeads.N, KeyWidth: n.keyWidth.N, ValueWidth: n.valueWidth.N,
		Conv:  mul(n.kernel.N-1, add(mul(2, keys), values)),
		State: mul(values, n.keyWidth.N), StateHeads: n.valueHeads.N, SharesWith: -1,
	}
}

// addGated is attention whose q_proj gives queries and a gate.
func (a attention) addGated(s *stack, gated bool) {
	at := len(s.tensors)
	a.add(s)
	if gated {
		q := &s.tensors[at]
		q.Rows = number(2).Times(q.Rows)
		if a.qkvBias {
			s.tensors[at+4].Rows = q.Rows
		}
	}
}

// linearLayers tells which layers hold a state: those of layer_types, or all but every full_attention_interval-th.
func (c *config) linearLayers(n int64) func(i int) bool {
	if types := c.words("layer_types", n); types != nil {
		return func(i int) bool { return types[i] == "linear_attention" }
	}
	every := max(1, c.countOr(4, classDefault, "full_attention_interval"))
	return func(i int) bool { return int64(i+1)%every != 0 }
}

func qwen3Next(c *config) *Shape { return delta(c, mixed{frame: c.frame(false)}, true, 1) }

func qwen35(c *config) *Shape { return delta(c, mixed{frame: c.nested(false)}, false, 0) }

// delta builds either. The published files of Qwen3-Next hold a block for further tokens that config.json is silent on.
func delta(c *config, x mixed, fused bool, predicted int64) *Shape {
	d := x.frame.d
	a := c.heads(d)
	a.headNorm = true
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	gated := c.flagOr(true, "", "attn_output_gate")
	net := c.deltaNet(d, fused)
	if x.moe = (moe{d: d, prefix: "mlp."}); c.countOr(0, "", "num_experts") > 0 {
		x.is = c.everyStep()
		x.moe.width = c.dim("f_e", "moe_intermediate_size")
		x.moe.experts, x.moe.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_tok"})
		if x.moe.shared = c.optional("f_s", "shared_expert_intermediate_size"); x.moe.shared.N > 0 {
			x.moe.sharedName, x.moe.sharedGate = "shared_expert.", "shared_expert_gate"
		}
	} else {
		x.is = func(int) bool { return false }
	}
	linear := c.linearLayers(x.frame.depth.N)
	full := func(s *stack) { a.addGated(s, gated) }
	s := x.shape(c, func(i int) (string, func(*stack), Mixer) {
		if linear(i) {
			return "linear", net.add, net.mixer()
		}
		return "full", full, a.mixer(Full, 0)
	})
	why := ""
	if predicted > 0 {
		why = "the published files of this class hold one block for further tokens"
	}
	x.predictDelta(c, s, c.countOr(predicted, why, "mtp_num_hidden_layers", "num_nextn_predict_layers"), full, a.mixer(Full, 0))
	return s
}

// predictDelta adds the blocks for further tokens: layers with attention behind one projection and three norms.
func (x *mixed) predictDelta(c *config, s *Shape, n int64, full func(*stack), mixer Mixer) {
	if n == 0 {
		return
	}
	if n > 16 {
		c.fail(fmt.Errorf("mtp_num_hidden_layers is %d, want 0 to 16", n))
		return
	}
	d := x.frame.d
	routed := x.moe.experts.N > 0
	var b stack
	full(&b)
	x.feed(c, &b, routed)
	mlp := x.moe.mlp()
	if !routed {
		mlp = MLP{Width: x.width(c).N, Gated: true}
	}
	s.MTP = repeat(n, "mtp.layers.", func(int) Block {
		return Block{Tensors: predictor(b.tensors), Mixer: mixer, MLP: mlp}
	})
	var outer stack
	outer.matrix("mtp.fc", MTPPart, d, number(2).Times(d), Replicated, 0)
	for _, name := range []string{"mtp.norm", "mtp.pre_fc_norm_embedding", "mtp.pre_fc_norm_hidden"} {
		outer.norm(name, d)
	}
	s.MTPOuter = predictor(outer.tensors)
}
