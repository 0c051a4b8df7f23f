package arch

import (
	"fmt"
	"slices"
)

// moe is the feed-forward part of a block with routed experts.
type moe struct {
	d, width      Dim // width of one expert
	experts, topK Dim
	shared        Dim // width of what every token passes, all shared experts together; zero if there is none

	prefix     string // "mlp."
	router     string // "gate"
	names      [3]string
	sharedName string // "shared_experts."
	correction string // the bias that corrects the choice of experts; "" if there is none
	exact      bool   // the router is kept in 32 bits
	sharedGate string // a gate in front of the shared expert
}

// projections and numbered are the names of gate, up and down.
func projections() [3]string { return [3]string{"gate_proj", "up_proj", "down_proj"} }

func numbered() [3]string { return [3]string{"w1", "w3", "w2"} }

// routed reads the number of experts and how many of them a token visits.
func (c *config) routed(experts, topK []string) (e, k Dim) {
	e, k = c.count("E", experts...), c.count("K", topK...)
	if k.N > e.N {
		c.fail(fmt.Errorf("%s is %d, more than the %d experts there are", topK[0], k.N, e.N))
	}
	return e, k
}

// add lists the tensors. A router is not a matrix, because nobody quantizes it: it is small, and it decides.
func (m moe) add(s *stack) {
	s.table(m.prefix+word(m.router, "gate")+".weight", Router, m.experts, m.d, Replicated, 0)
	if m.exact {
		s.inFloat()
	}
	if m.correction != "" {
		s.vector(m.prefix+m.correction, Router, m.experts, Replicated, 0)
		s.inFloat()
	}
	names := m.names
	if names[0] == "" {
		names = projections()
	}
	for i, name := range names {
		rows, cols, split := m.width, m.d, ByExpert
		if i == 2 {
			rows, cols, split = m.d, m.width, ByExpertCols
		}
		s.expert(m.prefix+"experts.*."+name+".weight", rows, cols, m.experts, m.topK, split)
	}
	if m.shared.N > 0 {
		gatedMLP(s, m.prefix+word(m.sharedName, "shared_experts."), Shared, m.d, m.shared, false)
	}
	if m.sharedGate != "" {
		s.table(m.prefix+m.sharedGate+".weight", Shared, one, m.d, Replicated, 0)
	}
}

func (m moe) mlp() MLP {
	return MLP{Gated: true, Experts: m.experts.N, TopK: m.topK.N, ExpertWidth: m.width.N, SharedWidth: m.shared.N}
}

// heads reads attention as most families write it.
func (c *config) heads(d Dim) attention {
	a := attention{d: d, h: c.count("h", "num_attention_heads")}
	a.k = c.dimOr("k", a.h.N, "as many as query heads", "num_key_value_heads")
	a.e = c.headWidth(d, a.h)
	return a
}

// before and after are the two norms of a block that goes by the names of Llama.
func (s *stack) twoNorms(d Dim) {
	s.norm("input_layernorm", d)
	s.norm("post_attention_layernorm", d)
}

// predictor makes blocks of further tokens of tensors: engines may leave them out, and no count of parameters has them.
func predictor(ts []Tensor) []Tensor {
	out := slices.Clone(ts)
	for i := range out {
		out[i].Component, out[i].Visited = MTPPart, Dim{0, "0"}
	}
	return out
}

// wideNorms are norms over all heads of queries and keys together.
func (a attention) wideNorms(b *stack) {
	b.add(Tensor{Name: "self_attn.q_norm.weight", Component: Norm, Rows: a.h.Times(a.e), Cols: one, Split: ByRows, Units: a.h.N})
	b.add(Tensor{Name: "self_attn.k_norm.weight", Component: Norm, Rows: a.k.Times(a.e), Cols: one, Split: ByKVHeads, Units: a.k.N})
}

// sparse tells which layers have experts.
type sparse func(i int) bool

// everyStep is the rule of Qwen: each decoder_sparse_step-th layer that mlp_only_layers does not name.
func (c *config) everyStep() sparse {
	step := c.timesOr(1, "", "decoder_sparse_step")
	only, _, err := c.values.Uints("mlp_only_layers")
	c.fail(err)
	return func(i int) bool {
		return int64(i+1)%step == 0 && !slices.Contains(only, uint64(i))
	}
}

// fromLayer is the rule of DeepSeek: the first layers are dense.
func (c *config) fromLayer(otherwise int64) sparse {
	first := c.countOr(otherwise, "", "first_k_dense_replace")
	step := max(1, c.countOr(1, "", "moe_layer_freq"))
	return func(i int) bool { return int64(i) >= first && int64(i)%step == 0 }
}

// mixed is a decoder whose layers have experts or an MLP.
type mixed struct {
	frame  frame
	moe    moe
	is     sparse
	dense  Dim    // width of the MLP; read only where a layer has one
	key    string // that it is read from; "" for intermediate_size
	prefix string // of the names of the MLP; "" for that of the experts
}

func (x *mixed) width(c *config) Dim {
	if x.dense.N == 0 {
		x.dense = c.dim("f", word(x.key, "intermediate_size"))
	}
	return x.dense
}

// shape builds the blocks: mix adds what stands before the feed-forward part of layer i, and says what it remembers.
func (x *mixed) shape(c *config, mix func(i int) (kind string, add func(*stack), m Mixer)) *Shape {
	type key struct {
		mixer string
		moe   bool
	}
	built := kinds[key]{}
	return x.frame.shape(c, func(i int) Block {
		kind, add, mixer := mix(i)
		b := Block{Mixer: mixer, MLP: x.moe.mlp()}
		routed := x.is(i)
		if !routed {
			b.MLP = MLP{Width: x.width(c).N, Gated: true}
		}
		b.Tensors = built.of(key{kind, routed}, func(s *stack) {
			add(s)
			x.feed(c, s, routed)
		})
		return b
	})
}

func (x *mixed) feed(c *config, s *stack, routed bool) {
	if routed {
		x.moe.add(s)
	} else {
		gatedMLP(s, word(x.prefix, x.moe.prefix), Dense, x.frame.d, x.width(c), false)
	}
	s.twoNorms(x.frame.d)
}

// plain mixes with the same attention in every layer.
func plain(a attention, extra func(*stack), mixer func(i int) Mixer) func(i int) (string, func(*stack), Mixer) {
	return func(i int) (string, func(*stack), Mixer) {
		return "", func(s *stack) {
			a.add(s)
			if extra != nil {
				extra(s)
			}
		}, mixer(i)
	}
}

// qwenWindow is the window of Qwen: only of the layers from max_window_layers on, and only if it is switched on.
func (c *config) qwenWindow(a attention) func(i int) Mixer {
	kind, window := c.window()
	if !c.flagOr(false, "", "use_sliding_window") {
		kind, window = Full, 0
	}
	first := c.countOr(0, "", "max_window_layers")
	return func(i int) Mixer {
		if int64(i) < first {
			return a.mixer(Full, 0)
		}
		return a.mixer(kind, window)
	}
}

// sharedWidth is the width of n_shared_experts experts.
func (c *config) sharedWidth(one Dim, keys ...string) Dim {
	n := c.countOr(0, "", keys...)
	if n == 0 {
		return Dim{}
	}
	return number(n).Times(one)
}

// typed is the mixer of a layer that layer_types describes.
func (c *config) typed(a attention, types []string, i int) Mixer {
	if types == nil || types[i] != "sliding_attention" {
		return a.mixer(Full, 0)
	}
	return a.mixer(Sliding, c.sliding())
}

// sliding is a window that must be there.
func (c *config) sliding() int64 {
	n, key, ok := c.lookup([]string{"sliding_window", "sliding_window_size"})
	if !ok || n <= 0 {
		c.fault("is missing, and layers are said to have a sliding window", key)
	}
	return n
}

// predictors says how a family writes its blocks for further tokens.
type predictors struct {
	copies bool // the file stores the embedding and the head once more for each block
}

// predict adds the blocks of DeepSeek-V3 and those who write like it: a layer with experts, two norms, and a projection
// of the hidden state beside the embedding of the next token.
func (x *mixed) predict(c *config, s *Shape, p predictors, mix func(*stack), mixer Mixer) {
	n := c.countOr(0, "", "num_nextn_predict_layers")
	if n == 0 {
		return
	}
	if n > 16 {
		c.fail(fmt.Errorf("num_nextn_predict_layers is %d, want 0 to 16", n))
		return
	}
	d := x.frame.d
	var b stack
	mix(&b)
	x.feed(c, &b, x.moe.experts.N > 0)
	b.norm("enorm", d)
	b.norm("hnorm", d)
	b.norm("shared_head.norm", d)
	b.matrix("eh_proj", MTPPart, d, number(2).Times(d), Replicated, 0)
	for i := range n {
		prefix := fmt.Sprintf("%slayers.%d.", x.frame.body, x.frame.depth.N+i)
		s.MTP = append(s.MTP, Block{Prefix: prefix, Tensors: predictor(b.tensors), Mixer: mixer, MLP: x.moe.mlp()})
		if p.copies {
			s.MTPOuter = append(s.MTPOuter, predictor([]Tensor{
				{Name: prefix + "embed_tokens.weight", Rows: x.frame.vocab, Cols: d, Copies: one, Split: ByVocab},
				{Name: prefix + "shared_head.head.weight", Rows: x.frame.vocab, Cols: d, Copies: one, Split: ByVocab, Matrix: true},
			})...)
		}
	}
}
