package arch

import (
	"errors"
	"fmt"
	"slices"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// frame is what decoders of nearly every family have: an embedding, a final norm, a head, and blocks between them.
type frame struct {
	d, vocab, depth Dim
	tied            bool
	body            string // what the names of the decoder begin with: "model."
	embed, norm     string // after body; "" for embed_tokens and norm
	head            string // "" for lm_head
	layers          string // "" for layers
	bare            bool   // somebody else adds the towers
}

// frame reads the sizes. tied is the default of the class.
func (c *config) frame(tied bool) frame {
	return frame{
		d: c.dim("d", "hidden_size"), vocab: c.dim("V", "vocab_size"), depth: c.layers("num_hidden_layers"),
		tied: c.tied(tied), body: "model.",
	}
}

// nested is a frame whose names are those of the language model of a checkpoint with several parts.
func (c *config) nested(tied bool) frame {
	f := c.frame(tied)
	if c.inner() {
		f.body = "model.language_model."
	}
	return f
}

// inner reports whether the language model is a part of the configuration.
func (c *config) inner() bool {
	return slices.ContainsFunc([]string{"text_config", "llm_config", "language_config"}, func(key string) bool {
		_, ok, _ := c.top.Object(key)
		return ok
	})
}

// shape is the model with the blocks that pick chooses.
func (f frame) shape(c *config, pick func(i int) Block) *Shape {
	var outer stack
	embedding(&outer, f.body+word(f.embed, "embed_tokens"), word(f.head, "lm_head"), f.vocab, f.d, f.tied)
	outer.norm(f.body+word(f.norm, "norm"), f.d)
	s := &Shape{
		Hidden: f.d, Vocab: f.vocab, MaxContext: c.maxContext(), Tied: f.tied, Outer: outer.tensors,
		Blocks: repeat(f.depth.N, f.body+word(f.layers, "layers")+".", pick),
	}
	if !f.bare {
		s.Towers = c.towers()
	}
	for i := range s.Blocks {
		c.fail(s.Blocks[i].Mixer.check(i))
	}
	return s
}

// check refuses a memory that is absurd, so that nothing after it has to count with care. The tensors of a layer do not
// bound it: a state grows with the square of the width of a head.
func (m Mixer) check(layer int) error {
	if max(m.Conv, m.ConvGroups, m.State) > maxState {
		return fmt.Errorf("the state of layer %d has more than %d elements, more than any model keeps", layer, int64(maxState))
	}
	if max(m.Window, m.Ratio) > maxDim {
		return fmt.Errorf("the window of layer %d is %d tokens, want at most %d", layer, max(m.Window, m.Ratio), maxDim)
	}
	return nil
}

const maxState = 1 << 36

func word(w, otherwise string) string {
	if w == "" {
		return otherwise
	}
	return w
}

// count is a number of things that must be there, each of which has weights of its own: experts, heads.
func (c *config) count(symbol string, keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	if !ok {
		c.fault("is missing, and the shape cannot be known without it", keys[0])
	}
	return c.named(symbol, key, n, maxCount)
}

// optional is a size that may be absent, null or 0.
func (c *config) optional(symbol string, keys ...string) Dim {
	n, key, ok := c.lookup(keys)
	if !ok || n == 0 {
		return Dim{}
	}
	return c.named(symbol, key, n, maxDim)
}

// listed are the values for each layer under a key, which may also be one for all; nil if the key is absent.
func listed[T any](c *config, key string, n int64, as func(strictjson.Value) (T, error)) []T {
	v, ok := c.values.Get(key)
	if !ok || v.Kind() == strictjson.Null {
		return nil
	}
	if v.Kind() != strictjson.Array {
		one, err := as(v)
		c.fail(err)
		return slices.Repeat([]T{one}, int(n))
	}
	list := make([]T, 0, min(v.Len(), maxLayers))
	for e := range v.Elements() {
		if len(list) == maxLayers {
			break
		}
		one, err := as(e)
		c.fail(err)
		list = append(list, one)
	}
	if int64(len(list)) < n {
		c.fail(fmt.Errorf("%s has %d entries, want one for each of %d layers", key, len(list), n))
		return slices.Concat(list, make([]T, int(n)-len(list)))
	}
	return list
}

func (c *config) words(key string, n int64) []string {
	return listed(c, key, n, strictjson.Value.AsString)
}

func (c *config) ints(key string, n int64) []int64 { return listed(c, key, n, strictjson.Value.AsInt) }

// width is one of a list of sizes.
func (c *config) width(symbol, key string, n int64) Dim { return c.named(symbol, key, n, maxDim) }

// kinds builds the tensors of each kind of block once, so that blocks of one kind share them.
type kinds[K comparable] map[K][]Tensor

func (k kinds[K]) of(kind K, build func(s *stack)) []Tensor {
	if list, ok := k[kind]; ok {
		return list
	}
	var s stack
	build(&s)
	k[kind] = s.tensors
	return s.tensors
}

// vector adds a parameter that is no linear layer and whose name has no suffix.
func (s *stack) vector(name string, part Component, rows Dim, split Split, units int64) {
	s.add(Tensor{Name: name, Component: part, Rows: rows, Cols: one, Split: split, Units: units})
}

// table adds a parameter with two sides that is no linear layer.
func (s *stack) table(name string, part Component, rows, cols Dim, split Split, units int64) {
	s.add(Tensor{Name: name, Component: part, Rows: rows, Cols: cols, Split: split, Units: units})
}

// inFloat marks what was added last as kept in 32 bits.
func (s *stack) inFloat() { s.tensors[len(s.tensors)-1].Float32 = true }

// expert adds one matrix of the routed experts.
func (s *stack) expert(name string, rows, cols, experts, topK Dim, split Split) {
	s.add(Tensor{
		Name: name, Component: Experts, Rows: rows, Cols: cols, Copies: experts, Visited: topK, Split: split, Matrix: true,
	})
}

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
func numbered() [3]string    { return [3]string{"w1", "w3", "w2"} }

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

// The families here are the block of Llama with experts in place of the MLP of all or some layers (transformers:
// modeling_mixtral.py, modeling_qwen2_moe.py, modeling_qwen3_moe.py, modeling_olmoe.py, modeling_phimoe.py,
// modeling_granitemoe.py, modeling_dbrx.py, modeling_glm4_moe.py, modeling_dots1.py, modeling_ernie4_5_moe.py; the
// files of the repositories for Hunyuan and Ling).
func moeRules() []rule {
	return []rule{
		{"mixtral", []string{"MixtralForCausalLM"}, []string{"mixtral"}, mixtral},
		{"phimoe", []string{"PhiMoEForCausalLM", "PhimoeForCausalLM"}, []string{"phimoe"}, phiMoE},
		{"granitemoe", []string{"GraniteMoeForCausalLM"}, []string{"granitemoe"}, graniteMoE},
		{"dbrx", []string{"DbrxForCausalLM"}, []string{"dbrx"}, dbrx},
		{"olmoe", []string{"OlmoeForCausalLM"}, []string{"olmoe"}, olmoe},
		{"qwen2-moe", []string{"Qwen2MoeForCausalLM"}, []string{"qwen2_moe"}, qwen2MoE},
		{"qwen3-moe", []string{"Qwen3MoeForCausalLM"}, []string{"qwen3_moe"}, qwen3MoE},
		{
			"qwen3-vl-moe", []string{"Qwen3VLMoeForConditionalGeneration"}, []string{"qwen3_vl_moe", "qwen3_vl_moe_text"}, qwen3MoE,
		},
		{"glm4-moe", []string{"Glm4MoeForCausalLM"}, []string{"glm4_moe"}, glm4MoE},
		{"dots1", []string{"Dots1ForCausalLM"}, []string{"dots1"}, dots1},
		{"ernie4.5-moe", []string{"Ernie4_5_MoeForCausalLM", "Ernie4_5_MoEForCausalLM"}, []string{"ernie4_5_moe"}, ernieMoE},
		{"hunyuan-moe", []string{"HunYuanMoEV1ForCausalLM"}, []string{"hunyuan_v1_moe", "hunyuan"}, hunyuanMoE},
		{"bailing-moe", []string{"BailingMoeForCausalLM"}, []string{"bailing_moe"}, ling},
		{"bailing-moe-v2", []string{"BailingMoeV2ForCausalLM"}, []string{"bailing_moe_v2"}, ling2},
	}
}

// oneKind is a model whose blocks are all alike.
func oneKind(c *config, f frame, tensors []Tensor, mixer Mixer, mlp MLP) *Shape {
	return f.shape(c, func(int) Block { return Block{Tensors: tensors, Mixer: mixer, MLP: mlp} })
}

func mixtral(c *config) *Shape {
	f := c.frame(false)
	a := c.heads(f.d)
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "block_sparse_moe.", names: numbered()}
	m.experts, m.topK = c.routed([]string{"num_local_experts", "num_experts"}, []string{"num_experts_per_tok"})
	kind, window := c.window()
	var b stack
	a.add(&b)
	m.add(&b)
	b.twoNorms(f.d)
	return oneKind(c, f, b.tensors, a.mixer(kind, window), m.mlp())
}

// phiMoE has LayerNorm with biases, and a bias at the head.
func phiMoE(c *config) *Shape {
	f := c.frame(false)
	a := c.heads(f.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "block_sparse_moe.", names: numbered()}
	m.experts, m.topK = c.routed([]string{"num_local_experts"}, []string{"num_experts_per_tok"})
	kind, window := c.window()
	var b stack
	a.add(&b)
	m.add(&b)
	b.twoNorms(f.d)
	b.bias("input_layernorm", Norm, f.d, Replicated, 0)
	b.bias("post_attention_layernorm", Norm, f.d, Replicated, 0)
	s := oneKind(c, f, b.tensors, a.mixer(kind, window), m.mlp())
	outer := stack{s.Outer}
	outer.bias("model.norm", Norm, f.d, Replicated, 0)
	if c.flagOr(false, "", "lm_head_bias") {
		outer.bias("lm_head", Head, f.vocab, ByVocab, 0)
	}
	s.Outer = outer.tensors
	return s
}

// graniteMoE keeps gate and up in one matrix.
func graniteMoE(c *config) *Shape {
	f := c.frame(true)
	a := c.heads(f.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "block_sparse_moe."}
	m.experts, m.topK = c.routed([]string{"num_local_experts"}, []string{"num_experts_per_tok"})
	var b stack
	a.add(&b)
	m.addGranite(&b)
	if m.shared = c.optional("f_s", "shared_intermediate_size"); m.shared.N > 0 {
		graniteShared(&b, f.d, m.shared)
	}
	b.twoNorms(f.d)
	return oneKind(c, f, b.tensors, a.mixer(Full, 0), m.mlp())
}

func (m moe) addGranite(b *stack) {
	b.table(m.prefix+"router.layer.weight", Router, m.experts, m.d, Replicated, 0)
	b.expert(m.prefix+"input_linear.weight", number(2).Times(m.width), m.d, m.experts, m.topK, ByExpert)
	b.expert(m.prefix+"output_linear.weight", m.d, m.width, m.experts, m.topK, ByExpertCols)
}

func graniteShared(b *stack, d, width Dim) {
	b.matrix("shared_mlp.input_linear", Shared, number(2).Times(width), d, ByRows, 0)
	b.matrix("shared_mlp.output_linear", Shared, d, width, ByCols, 0)
}

// dbrx nests its sizes and fuses queries, keys and values.
func dbrx(c *config) *Shape {
	f := frame{
		d: c.dim("d", "d_model"), vocab: c.dim("V", "vocab_size"), depth: c.layers("n_layers"), tied: c.tied(false),
		body: "transformer.", embed: "wte", norm: "norm_f", layers: "blocks",
	}
	a := attention{d: f.d, h: c.count("h", "n_heads")}
	a.e = c.headWidth(f.d, a.h)
	a.k = c.under("attn_config", func(p *config) Dim { return p.dimOr("k", 1, "the default of the class", "kv_n_heads") })
	m := moe{d: f.d, prefix: "ffn."}
	m.width = c.under("ffn_config", func(p *config) Dim { return p.dim("f_e", "ffn_hidden_size") })
	m.experts = c.under("ffn_config", func(p *config) Dim { return p.count("E", "moe_num_experts") })
	m.topK = c.under("ffn_config", func(p *config) Dim { return p.count("K", "moe_top_k") })
	var b stack
	a.fused(&b, "norm_attn_norm.attn.Wqkv", "norm_attn_norm.attn.out_proj")
	b.norm("norm_attn_norm.norm_1", f.d)
	b.norm("norm_attn_norm.norm_2", f.d)
	b.table("ffn.router.layer.weight", Router, m.experts, f.d, Replicated, 0)
	b.expert("ffn.experts.mlp.w1", m.width, f.d, m.experts, m.topK, ByExpert)
	b.expert("ffn.experts.mlp.v1", m.width, f.d, m.experts, m.topK, ByExpert)
	b.expert("ffn.experts.mlp.w2", f.d, m.width, m.experts, m.topK, ByExpertCols)
	return oneKind(c, f, b.tensors, a.mixer(Full, 0), m.mlp())
}

// under reads from a nested part, and takes over what it noted.
func (c *config) under(key string, read func(p *config) Dim) Dim {
	p, ok := c.part(key)
	if !ok {
		c.fault("is missing, and the shape cannot be known without it", key)
		return one
	}
	p.symbols = c.symbols
	n := read(p)
	c.fail(p.err)
	c.symbols, c.assumed = p.symbols, append(c.assumed, p.assumed...)
	return n
}

// olmoe normalizes queries and keys over their full width.
func olmoe(c *config) *Shape {
	f := c.frame(false)
	a := c.heads(f.d)
	m := moe{d: f.d, width: c.dim("f_e", "intermediate_size"), prefix: "mlp."}
	m.experts, m.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_tok"})
	var b stack
	a.add(&b)
	a.wideNorms(&b)
	m.add(&b)
	b.twoNorms(f.d)
	return oneKind(c, f, b.tensors, a.mixer(Full, 0), m.mlp())
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

func qwen2MoE(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.everyStep()}
	a := c.heads(x.frame.d)
	a.qkvBias = c.flagOr(true, "", "qkv_bias")
	x.moe = moe{
		d: x.frame.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp.",
		shared: c.optional("f_s", "shared_expert_intermediate_size"), sharedName: "shared_expert.", sharedGate: "shared_expert_gate",
	}
	x.moe.experts, x.moe.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_tok"})
	return x.shape(c, plain(a, nil, c.qwenWindow(a)))
}

func qwen3MoE(c *config) *Shape {
	x := mixed{frame: c.nested(false), is: c.everyStep()}
	a := c.heads(x.frame.d)
	a.headNorm = true
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.outBias = a.qkvBias
	x.moe = moe{d: x.frame.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp."}
	x.moe.experts, x.moe.topK = c.routed([]string{"num_experts", "num_local_experts"}, []string{"num_experts_per_tok"})
	return x.shape(c, plain(a, nil, c.qwenWindow(a)))
}

// sharedWidth is the width of n_shared_experts experts.
func (c *config) sharedWidth(one Dim, keys ...string) Dim {
	n := c.countOr(0, "", keys...)
	if n == 0 {
		return Dim{}
	}
	return number(n).Times(one)
}

// glm4MoE is GLM-4.5 and its successors of the same class.
func glm4MoE(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(1)}
	a := c.heads(x.frame.d)
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	a.headNorm = c.flagOr(false, "", "use_qk_norm")
	x.moe = c.deepseekMoE(x.frame.d)
	x.moe.correction = "gate.e_score_correction_bias"
	s := x.shape(c, plain(a, nil, func(int) Mixer { return a.mixer(Full, 0) }))
	x.predict(c, s, predictors{copies: true}, a.add, a.mixer(Full, 0))
	return s
}

func dots1(c *config) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(0)}
	a := c.heads(x.frame.d)
	a.headNorm = true
	a.qkvBias = c.flagOr(false, "", "attention_bias")
	x.moe = c.deepseekMoE(x.frame.d)
	x.moe.correction = "gate.e_score_correction_bias"
	types := c.words("layer_types", x.frame.depth.N)
	return x.shape(c, plain(a, nil, func(i int) Mixer { return c.typed(a, types, i) }))
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

// ernieMoE is ERNIE 4.5; its correction bias is kept beside the experts.
func ernieMoE(c *config) *Shape {
	x := mixed{frame: c.frame(true)}
	a := c.heads(x.frame.d)
	a.qkvBias = c.flagOr(false, "", "use_bias")
	a.outBias = a.qkvBias
	if a.qkvBias {
		c.gaps = append(c.gaps, Gap{What: "biases of the MLP", Why: "use_bias is set, which no published model of this class does"})
	}
	first, step := c.countOr(1, "", "moe_layer_start_index"), max(1, c.countOr(1, "", "moe_layer_interval"))
	last, _, ok := c.lookup([]string{"moe_layer_end_index"})
	if !ok || last < 0 {
		last = x.frame.depth.N - 1
	}
	x.is = func(i int) bool { n := int64(i); return n >= first && n <= last && (n+1)%step == 0 }
	x.moe = moe{
		d: x.frame.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp.",
		correction: "moe_statics.e_score_correction_bias", exact: true,
	}
	x.moe.experts, x.moe.topK = c.routed([]string{"moe_num_experts"}, []string{"moe_k"})
	x.moe.shared = c.sharedWidth(x.moe.width, "moe_num_shared_experts")
	return x.shape(c, plain(a, nil, func(int) Mixer { return a.mixer(Full, 0) }))
}

// hunyuanMoE is Hunyuan-A13B. Its lists give one size for each layer; layers may share keys and values (use_cla).
func hunyuanMoE(c *config) *Shape {
	f := c.frame(true)
	n := f.depth.N
	a := attention{d: f.d, h: c.count("h", "num_attention_heads"), qkvBias: c.flagOr(false, "", "attention_bias")}
	a.outBias = a.qkvBias
	a.k = c.dimOr("k", a.h.N, "as many as query heads", "num_key_value_heads")
	if a.e = c.optional("e", "attention_head_dim", "head_dim"); a.e.N == 0 {
		a.e = c.headWidth(f.d, a.h)
	}
	if c.flagOr(false, "", "use_cla") || c.flagOr(false, "", "use_mla") {
		c.fail(errors.New("use_cla or use_mla is set, and the rule for this class with it is not known"))
	}
	h := hunyuan{
		f: f, a: a, norms: c.flagOr(false, "", "use_qk_norm", "use_qk_norm_hy"),
		experts: c.ints("num_experts", n), widths: c.ints("moe_intermediate_size", n), topK: c.ints("moe_topk", n),
		shared: c.ints("num_shared_expert", n),
	}
	skip := c.countOr(0, "", "moe_layer_num_skipped")
	if h.experts == nil || h.topK == nil {
		c.fail(errors.New("num_experts or moe_topk is missing, and the shape cannot be known without them"))
		return &Shape{}
	}
	built := kinds[[4]int64]{}
	return f.shape(c, func(i int) Block { return h.block(c, built, i, int64(i) >= skip) })
}

type hunyuan struct {
	f                             frame
	a                             attention
	norms                         bool
	experts, widths, topK, shared []int64
}

func (h hunyuan) block(c *config, built kinds[[4]int64], i int, routed bool) Block {
	m := moe{d: h.f.d, prefix: "mlp.", router: "gate.wg", sharedName: "shared_mlp.", exact: true}
	key := [4]int64{-1}
	if routed && h.experts[i] > 1 {
		m.width = c.dim("f", "intermediate_size")
		if h.widths != nil {
			m.width = c.width("f_e", "moe_intermediate_size", h.widths[i])
		}
		m.experts, m.topK = c.named("E", "num_experts", h.experts[i], maxCount), c.named("K", "moe_topk", h.topK[i], maxCount)
		if h.shared != nil && h.shared[i] > 0 {
			m.shared = c.named("S_e", "num_shared_expert", h.shared[i], maxCount).Times(m.width)
		}
		key = [4]int64{m.experts.N, m.width.N, m.topK.N, m.shared.N}
	}
	b := Block{Mixer: h.a.mixer(Full, 0), MLP: m.mlp()}
	if key[0] < 0 {
		b.MLP = MLP{Width: c.dim("f", "intermediate_size").N, Gated: true}
	}
	b.Tensors = built.of(key, func(s *stack) {
		h.a.add(s)
		if h.norms {
			s.norm("self_attn.query_layernorm", h.a.e)
			s.norm("self_attn.key_layernorm", h.a.e)
		}
		if key[0] < 0 {
			gatedMLP(s, "mlp.", Dense, h.f.d, c.dim("f", "intermediate_size"), false)
		} else {
			m.add(s)
		}
		s.twoNorms(h.f.d)
	})
	return b
}

func ling(c *config) *Shape  { return bailing(c, false) }
func ling2(c *config) *Shape { return bailing(c, true) }

// bailing is Ling and Ring of the first and the second generation; keys, queries and values are one matrix.
func bailing(c *config, second bool) *Shape {
	x := mixed{frame: c.frame(false), is: c.fromLayer(0)}
	x.frame.embed = "word_embeddings"
	a := c.heads(x.frame.d)
	a.qkvBias, a.outBias = c.flagOr(false, "", "use_qkv_bias"), c.flagOr(false, "", "use_bias")
	norms := c.flagOr(second, "", "use_qk_norm")
	x.moe = moe{d: x.frame.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "mlp."}
	if c.flagOr(second, "", "moe_router_enable_expert_bias") {
		x.moe.correction = "gate.expert_bias"
	}
	x.moe.experts, x.moe.topK = c.routed([]string{"num_experts"}, []string{"num_experts_per_tok"})
	unit := c.optional("f_s", "moe_shared_expert_intermediate_size")
	if unit.N == 0 {
		unit = x.moe.width
	}
	x.moe.shared = c.sharedWidth(unit, "num_shared_experts")
	add := func(s *stack) {
		a.fused(s, "attention.query_key_value", "attention.dense")
		if norms {
			s.norm("attention.query_layernorm", a.e)
			s.norm("attention.key_layernorm", a.e)
		}
	}
	s := x.shape(c, func(int) (string, func(*stack), Mixer) { return "", add, a.mixer(Full, 0) })
	x.predict(c, s, predictors{}, add, a.mixer(Full, 0))
	return s
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
