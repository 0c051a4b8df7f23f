package arch

import "fmt"

// Mamba keeps a state of constant size instead of a cache (transformers: modeling_mamba.py, modeling_mamba2.py,
// modeling_falcon_mamba.py).
func mambaRules() []rule {
	return []rule{
		{"mamba", []string{"MambaForCausalLM", "FalconMambaForCausalLM"}, []string{"mamba", "falcon_mamba"}, mamba},
		{"mamba2", []string{"Mamba2ForCausalLM"}, []string{"mamba2"}, mamba2},
	}
}

// mamba1 is a mixer of the first generation.
type mamba1 struct {
	d, inner, state, kernel, rank Dim
	bias, convBias, norms         bool
	prefix                        string
}

func (m mamba1) add(s *stack) {
	two := number(2)
	s.matrix(m.prefix+"in_proj", Recurrent, two.Times(m.inner), m.d, ByRows, 0)
	s.table(m.prefix+"conv1d.weight", Recurrent, m.inner, m.kernel, ByRows, 0)
	if m.convBias {
		s.bias(m.prefix+"conv1d", Recurrent, m.inner, ByRows, 0)
	}
	s.matrix(m.prefix+"x_proj", Recurrent, m.rank.Plus(two.Times(m.state)), m.inner, ByCols, 0)
	s.matrix(m.prefix+"dt_proj", Recurrent, m.inner, m.rank, ByRows, 0)
	s.bias(m.prefix+"dt_proj", Recurrent, m.inner, ByRows, 0)
	s.table(m.prefix+"A_log", Recurrent, m.inner, m.state, ByRows, 0)
	s.vector(m.prefix+"D", Recurrent, m.inner, ByRows, 0)
	s.matrix(m.prefix+"out_proj", Recurrent, m.d, m.inner, ByCols, 0)
	if m.bias {
		s.bias(m.prefix+"in_proj", Recurrent, two.Times(m.inner), ByRows, 0)
		s.bias(m.prefix+"out_proj", Recurrent, m.d, ByCols, 0)
	}
	if m.norms {
		s.vector(m.prefix+"dt_layernorm.weight", Recurrent, m.rank, Replicated, 0)
		s.vector(m.prefix+"b_layernorm.weight", Recurrent, m.state, Replicated, 0)
		s.vector(m.prefix+"c_layernorm.weight", Recurrent, m.state, Replicated, 0)
	}
}

func (m mamba1) mixer() Mixer {
	return Mixer{
		Kind: State, Conv: mul(m.kernel.N-1, m.inner.N), State: mul(m.inner.N, m.state.N), StateHeads: m.inner.N, SharesWith: -1,
	}
}

// rank is time_step_rank, or a sixteenth of the hidden size where it is absent or "auto".
func (c *config) rank(d Dim, keys ...string) Dim {
	for _, key := range keys {
		if s, ok, err := c.values.String(key); err == nil && ok && s == "auto" {
			return Dim{(d.N + 15) / 16, "ceil(" + d.Text + "/16)"}
		}
	}
	if n, key, ok := c.lookup(keys); ok {
		return c.named("R", key, n, maxDim)
	}
	c.assume(keys[0], "a sixteenth of hidden_size, rounded up", classDefault)
	return Dim{(d.N + 15) / 16, "ceil(" + d.Text + "/16)"}
}

// backbone is the frame of the models that hold nothing but Mamba.
func (c *config) backbone(tied bool) frame {
	f := c.frame(tied)
	f.body, f.embed, f.norm = "backbone.", "embeddings", "norm_f"
	return f
}

func mamba(c *config) *Shape {
	f := c.backbone(true)
	m := mamba1{
		d: f.d, state: c.dimOr("S", 16, classDefault, "state_size"), kernel: c.dimOr("c", 4, classDefault, "conv_kernel"),
		rank: c.rank(f.d, "time_step_rank"), bias: c.flagOr(false, "", "use_bias"), convBias: c.flagOr(true, "", "use_conv_bias"),
		prefix: "mixer.",
	}
	if m.inner = c.optional("i", "intermediate_size"); m.inner.N == 0 {
		m.inner = c.dimOr("x", 2, classDefault, "expand").Times(f.d)
	}
	var b stack
	m.add(&b)
	b.norm("norm", f.d)
	return oneKind(c, f, b.tensors, m.mixer(), MLP{})
}

// ssm is a mixer of the second generation: heads with a scalar decay, and groups that share what goes in and out.
type ssm struct {
	d, heads, width, groups, state, kernel Dim
	bias, convBias                         bool
	prefix                                 string
}

func (m ssm) inner() Dim { return m.heads.Times(m.width) }

// shared is the width of what comes in and goes out of the state for all groups.
func (m ssm) shared() Dim { return number(2).Times(m.groups).Times(m.state) }

func (m ssm) add(s *stack) {
	in, mixed := m.inner(), m.inner().Plus(m.shared())
	rows := number(2).Times(in).Plus(m.shared()).Plus(m.heads)
	s.matrix(m.prefix+"in_proj", Recurrent, rows, m.d, ByRows, m.heads.N)
	s.table(m.prefix+"conv1d.weight", Recurrent, mixed, m.kernel, ByRows, m.heads.N)
	if m.convBias {
		s.bias(m.prefix+"conv1d", Recurrent, mixed, ByRows, m.heads.N)
	}
	for _, name := range []string{"A_log", "D", "dt_bias"} {
		s.vector(m.prefix+name, Recurrent, m.heads, ByRows, m.heads.N)
	}
	s.vector(m.prefix+"norm.weight", Recurrent, in, ByRows, m.heads.N)
	s.matrix(m.prefix+"out_proj", Recurrent, m.d, in, ByCols, m.heads.N)
	if m.bias {
		s.bias(m.prefix+"in_proj", Recurrent, rows, ByRows, m.heads.N)
		s.bias(m.prefix+"out_proj", Recurrent, m.d, ByCols, m.heads.N)
	}
}

func (m ssm) mixer() Mixer {
	past := m.kernel.N - 1
	return Mixer{
		Kind: State, Heads: m.heads.N, KVHeads: m.groups.N, KeyWidth: m.state.N, ValueWidth: m.width.N,
		Conv: mul(past, add(m.inner().N, m.shared().N)), ConvGroups: mul(past, m.shared().N),
		State: mul(m.inner().N, m.state.N), StateHeads: m.heads.N, SharesWith: -1,
	}
}

func mamba2(c *config) *Shape {
	f := c.backbone(false)
	m := ssm{
		d: f.d, heads: c.count("h", "num_heads"), width: c.dim("e", "head_dim"), groups: c.dimOr("G", 8, classDefault, "n_groups"),
		state: c.dimOr("S", 128, classDefault, "state_size"), kernel: c.dimOr("c", 4, classDefault, "conv_kernel"),
		bias: c.flagOr(false, "", "use_bias"), convBias: c.flagOr(true, "", "use_conv_bias"), prefix: "mixer.",
	}
	if x := c.optional("x", "expand"); x.N > 0 && mul(x.N, f.d.N) != m.inner().N {
		c.fail(fmt.Errorf("expand times hidden_size is %d and num_heads times head_dim is %d, want the same",
			mul(x.N, f.d.N), m.inner().N))
	}
	var b stack
	m.add(&b)
	b.norm("norm", f.d)
	return oneKind(c, f, b.tensors, m.mixer(), MLP{})
}
