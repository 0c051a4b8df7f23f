package arch

import (
	"errors"
	"fmt"
	"strings"
)

// Nemotron-H: each block is one thing alone, Mamba, attention, an MLP without a gate, or experts without gates, which
// in the larger Nemotron 3 work in a narrower space (the modeling files of the repositories; vLLM: nemotron_h.py).
func nemotronRules() []rule {
	return []rule{{"nemotron-h", []string{"NemotronHForCausalLM"}, []string{"nemotron_h"}, nemotronH}}
}

type nemotronStack struct {
	f       frame
	a       attention
	m       ssm
	moe     moe
	latent  Dim
	width   Dim
	mlpBias bool
}

// parts are the kinds of the blocks, in letters: M, *, - and E.
func (c *config) parts(patternKey, typesKey string) (string, error) {
	if p := c.wordOr("", patternKey); p != "" {
		for _, r := range p {
			if !strings.ContainsRune("M*-E", r) {
				return "", fmt.Errorf("%s holds %q, want M, *, - and E", patternKey, r)
			}
		}
		return p, nil
	}
	types, _, err := c.values.Strings(typesKey)
	if err != nil {
		return "", err
	}
	letters := map[string]byte{"mamba": 'M', "attention": '*', "mlp": '-', "moe": 'E'}
	var b strings.Builder
	for _, t := range types {
		letter, ok := letters[t]
		if !ok {
			return "", fmt.Errorf("%s holds %q, want mamba, attention, mlp and moe", typesKey, t)
		}
		b.WriteByte(letter)
	}
	return b.String(), nil
}

func nemotronH(c *config) *Shape {
	pattern, err := c.parts("hybrid_override_pattern", "layers_block_type")
	c.fail(err)
	if pattern == "" {
		c.fail(errors.New("hybrid_override_pattern and layers_block_type are missing, and the shape cannot be known without one of them"))
	}
	if len(pattern) > maxLayers {
		c.fail(fmt.Errorf("the pattern has %d layers, want at most %d", len(pattern), maxLayers))
	}
	n := nemotronStack{f: frame{
		d: c.dim("d", "hidden_size"), vocab: c.dim("V", "vocab_size"), tied: c.tied(false),
		body: "backbone.", embed: "embeddings", norm: "norm_f",
		depth: c.named("L", "hybrid_override_pattern", int64(len(pattern)), maxLayers),
	}}
	if layers, _, ok := c.lookup([]string{"num_hidden_layers"}); ok && layers != int64(len(pattern)) {
		c.fail(fmt.Errorf("num_hidden_layers is %d, and the pattern of layers has %d", layers, len(pattern)))
	}
	if c.err != nil {
		return &Shape{}
	}
	n.read(c, pattern)
	built := kinds[byte]{}
	s := n.f.shape(c, func(i int) Block { return n.block(built, pattern[i]) })
	n.predict(c, s)
	return s
}

func (n *nemotronStack) read(c *config, pattern string) {
	d := n.f.d
	n.a = c.heads(d)
	n.a.prefix = "mixer."
	n.a.qkvBias = c.flagOr(false, "", "attention_bias")
	n.a.outBias = n.a.qkvBias
	n.mlpBias = c.flagOr(false, "", "mlp_bias")
	if strings.Contains(pattern, "M") {
		n.m = ssm{
			d: d, heads: c.count("h_m", "mamba_num_heads"), width: c.dim("e_m", "mamba_head_dim"),
			groups: c.dimOr("G", 8, classDefault, "n_groups"),
			state:  c.dimOr("S", 128, classDefault, "ssm_state_size"), kernel: c.dimOr("c", 4, classDefault, "conv_kernel"),
			bias: c.flagOr(false, "", "use_bias", "mamba_proj_bias"), convBias: c.flagOr(true, "", "use_conv_bias"), prefix: "mixer.",
		}
	}
	if strings.Contains(pattern, "-") {
		n.width = c.dim("f", "intermediate_size")
	}
	if strings.Contains(pattern, "E") {
		n.moe = moe{d: d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mixer."}
		n.moe.experts, n.moe.topK = c.routed([]string{"n_routed_experts"}, []string{"num_experts_per_tok"})
		n.latent = c.optional("d_l", "moe_latent_size")
		if shared := c.optional("f_s", "moe_shared_expert_intermediate_size"); shared.N > 0 {
			n.moe.shared = c.sharedWidth(shared, "n_shared_experts")
		}
	}
}

func (n *nemotronStack) block(built kinds[byte], letter byte) Block {
	b := Block{Mixer: Mixer{SharesWith: -1}}
	switch letter {
	case 'M':
		b.Mixer = n.m.mixer()
	case '*':
		b.Mixer = n.a.mixer(Full, 0)
	case '-':
		b.MLP = MLP{Width: n.width.N}
	case 'E':
		b.MLP = n.moe.mlp()
		b.MLP.Gated = false
	}
	b.Tensors = built.of(letter, func(s *stack) { n.add(s, letter) })
	return b
}

func (n *nemotronStack) add(s *stack, letter byte) {
	d := n.f.d
	switch letter {
	case 'M':
		n.m.add(s)
	case '*':
		n.a.add(s)
	case '-':
		s.matrix("mixer.up_proj", Dense, n.width, d, ByRows, 0)
		s.matrix("mixer.down_proj", Dense, d, n.width, ByCols, 0)
		if n.mlpBias {
			s.bias("mixer.up_proj", Dense, n.width, ByRows, 0)
			s.bias("mixer.down_proj", Dense, d, ByCols, 0)
		}
	case 'E':
		n.route(s)
	}
	s.norm("norm", d)
}

// route lists experts of two matrices each, behind a projection to the narrower space if there is one.
func (n *nemotronStack) route(s *stack) {
	m, inner := n.moe, n.f.d
	s.table("mixer.gate.weight", Router, m.experts, m.d, Replicated, 0)
	s.vector("mixer.gate.e_score_correction_bias", Router, m.experts, Replicated, 0)
	s.inFloat()
	if n.latent.N > 0 {
		inner = n.latent
		s.matrix("mixer.fc1_latent_proj", Experts, inner, m.d, Replicated, 0)
		s.matrix("mixer.fc2_latent_proj", Experts, m.d, inner, Replicated, 0)
	}
	s.expert("mixer.experts.*.up_proj.weight", m.width, inner, m.experts, m.topK, ByExpert)
	s.expert("mixer.experts.*.down_proj.weight", inner, m.width, m.experts, m.topK, ByExpertCols)
	if m.shared.N > 0 {
		s.matrix("mixer.shared_experts.up_proj", Shared, m.shared, m.d, ByRows, 0)
		s.matrix("mixer.shared_experts.down_proj", Shared, m.d, m.shared, ByCols, 0)
	}
}

// predict adds the block for further tokens: parts of its own pattern, the first behind a projection.
func (n *nemotronStack) predict(c *config, s *Shape) {
	if c.countOr(0, "", "num_nextn_predict_layers") == 0 {
		return
	}
	pattern, err := c.parts("mtp_hybrid_override_pattern", "mtp_layers_block_type")
	c.fail(err)
	if pattern == "" || len(pattern) > 16 {
		c.fail(fmt.Errorf("num_nextn_predict_layers is set, and mtp_hybrid_override_pattern has %d layers, want 1 to 16", len(pattern)))
		return
	}
	d := n.f.d
	for i := range pattern {
		if pattern[i] == 'M' && n.m.d.N == 0 || pattern[i] == '-' && n.width.N == 0 || pattern[i] == 'E' && n.moe.d.N == 0 {
			c.fail(fmt.Errorf("mtp_hybrid_override_pattern holds %q, which the pattern of the model does not", pattern[i]))
			return
		}
		var b stack
		n.add(&b, pattern[i])
		if i == 0 {
			b.norm("enorm", d)
			b.norm("hnorm", d)
			b.matrix("eh_proj", MTPPart, d, number(2).Times(d), Replicated, 0)
		}
		if i == len(pattern)-1 {
			b.norm("final_layernorm", d)
		}
		block := n.block(kinds[byte]{pattern[i]: predictor(b.tensors)}, pattern[i])
		block.Prefix = fmt.Sprintf("mtp.layers.%d.", i)
		s.MTP = append(s.MTP, block)
	}
}
