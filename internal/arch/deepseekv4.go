package arch

import (
	"errors"
	"fmt"
)

// DeepSeek-V4 attends with one shared head of keys that are also the values, over a short window and, in most layers,
// over entries that stand for 4 or 128 tokens each; layers with a ratio of 4 choose among these entries with an indexer.
// The residual is several streams, mixed by hyper-connections; the first layers choose experts by a table of tokens
// (transformers: modeling_deepseek_v4.py; vLLM: deepseek_v4.py, whose loader shows the names of the published files).
type v4 struct {
	f              frame
	h, e, rope     Dim
	query          Dim
	groups, out    Dim // groups of the output projection and the rank of each
	streams        Dim
	indexHeads     Dim
	indexWidth     Dim
	window, hashed int64
	ratios         []int64
	moe            moe
	correct        bool
}

func deepseekV4(c *config) *Shape {
	f := c.frame(false)
	f.body, f.embed, f.head = "", "embed", "head"
	a := v4{
		f: f, h: c.count("h", "num_attention_heads"), e: c.dim("e", "head_dim"), rope: c.dim("e_r", "qk_rope_head_dim"),
		query: c.dim("r_q", "q_lora_rank"), groups: c.count("g", "o_groups"), out: c.dim("r_o", "o_lora_rank"),
		streams: c.count("n_hc", "hc_mult"), indexHeads: c.count("h_i", "index_n_heads"), indexWidth: c.dim("e_i", "index_head_dim"),
		window: c.sliding(), hashed: c.countOr(0, "", "num_hash_layers"), ratios: c.ints("compress_ratios", f.depth.N),
		correct: c.wordOr("", "topk_method") == "noaux_tc",
	}
	a.moe = moe{d: f.d, width: c.dim("f_e", "moe_intermediate_size"), prefix: "ffn.", names: numbered()}
	a.moe.experts, a.moe.topK = c.routed([]string{"n_routed_experts"}, []string{"num_experts_per_tok"})
	a.moe.shared = c.sharedWidth(a.moe.width, "n_shared_experts")
	if a.ratios == nil {
		c.fail(errors.New("compress_ratios is missing, and the cache cannot be known without it"))
		return &Shape{}
	}
	a.checkRatios(c)
	return a.shape(c)
}

// checkRatios refuses what no rule is known for.
func (a v4) checkRatios(c *config) {
	for i, r := range a.ratios {
		if r < 0 || r > 1<<16 {
			c.fail(fmt.Errorf("compress_ratios[%d] is %d, want 0 to %d", i, r, 1<<16))
		}
	}
	if (a.h.N*a.e.N)%a.groups.N != 0 {
		c.fail(fmt.Errorf("o_groups is %d, and %d heads of %d do not divide by it", a.groups.N, a.h.N, a.e.N))
	}
}

func (a v4) shape(c *config) *Shape {
	type key struct {
		ratio  int64
		hashed bool
	}
	built := kinds[key]{}
	s := a.f.shape(c, func(i int) Block {
		k := key{a.ratios[i], int64(i) < a.hashed}
		return Block{
			Tensors: built.of(k, func(b *stack) { a.block(b, k.ratio, k.hashed) }), Mixer: a.mixer(k.ratio), MLP: a.moe.mlp(),
		}
	})
	outer := stack{s.Outer}
	a.collapse(&outer)
	s.Outer = outer.tensors
	a.predict(c, s)
	return s
}

func (a v4) block(b *stack, ratio int64, hashed bool) {
	d := a.f.d
	b.matrix("attn.wq_a", Attention, a.query, d, Replicated, 0)
	b.norm("attn.q_norm", a.query)
	b.matrix("attn.wq_b", Attention, a.h.Times(a.e), a.query, ByRows, a.h.N)
	b.matrix("attn.wkv", Attention, a.e, d, Replicated, 0)
	b.norm("attn.kv_norm", a.e)
	each := Dim{a.h.N * a.e.N / a.groups.N, a.h.Text + "·" + a.e.Text + "/" + a.groups.Text}
	b.matrix("attn.wo_a", Attention, a.groups.Times(a.out), each, ByRows, a.groups.N)
	b.matrix("attn.wo_b", Attention, d, a.groups.Times(a.out), ByCols, a.groups.N)
	b.vector("attn.attn_sink", Attention, a.h, ByRows, a.h.N)
	b.inFloat()
	if ratio > 1 {
		a.compress(b, "attn.compressor.", Attention, a.e, ratio)
	}
	if ratio == indexed {
		b.matrix("attn.indexer.wq_b", Indexer, a.indexHeads.Times(a.indexWidth), a.query, Replicated, 0)
		b.table("attn.indexer.weights_proj.weight", Indexer, a.indexHeads, d, Replicated, 0)
		a.compress(b, "attn.indexer.compressor.", Indexer, a.indexWidth, ratio)
	}
	a.feed(b, hashed)
	b.norm("attn_norm", d)
	b.norm("ffn_norm", d)
	a.connect(b, "hc_attn_")
	a.connect(b, "hc_ffn_")
}

// indexed is the ratio whose layers choose among the entries, and whose entries overlap.
const indexed = 4

// compress lists what makes an entry of several tokens.
func (a v4) compress(b *stack, prefix string, part Component, width Dim, ratio int64) {
	wide := width
	if ratio == indexed {
		wide = number(2).Times(width)
	}
	b.table(prefix+"wkv.weight", part, wide, a.f.d, Replicated, 0)
	b.table(prefix+"wgate.weight", part, wide, a.f.d, Replicated, 0)
	b.table(prefix+"ape", part, number(ratio), wide, Replicated, 0)
	b.inFloat()
	b.norm(prefix+"norm", width)
}

func (a v4) feed(b *stack, hashed bool) {
	m := a.moe
	shared := m.shared
	m.shared = Dim{}
	if a.correct && !hashed {
		m.correction = "gate.bias"
	}
	m.add(b)
	if hashed {
		// A table of whole numbers of 32 bits: the experts of each token.
		b.table("ffn.gate.tid2eid", Router, a.f.vocab, m.topK, Replicated, 0)
		b.inFloat()
		b.tensors[len(b.tensors)-1].Visited = Dim{0, "0"}
	}
	if shared.N > 0 {
		b.matrix("ffn.shared_experts.w1", Shared, shared, m.d, ByRows, 0)
		b.matrix("ffn.shared_experts.w3", Shared, shared, m.d, ByRows, 0)
		b.matrix("ffn.shared_experts.w2", Shared, m.d, shared, ByCols, 0)
	}
}

// connect lists a hyper-connection: it reads all streams, and gives weights to collapse, to place and to mix them.
func (a v4) connect(b *stack, prefix string) {
	mix := a.streams.Times(number(2).Plus(a.streams))
	b.table(prefix+"fn", Other, mix, a.streams.Times(a.f.d), Replicated, 0)
	b.inFloat()
	b.vector(prefix+"base", Other, mix, Replicated, 0)
	b.inFloat()
	b.vector(prefix+"scale", Other, number(3), Replicated, 0)
	b.inFloat()
}

// collapse lists what makes one stream of several before the head.
func (a v4) collapse(b *stack) {
	b.table("hc_head_fn", Other, a.streams, a.streams.Times(a.f.d), Replicated, 0)
	b.inFloat()
	b.vector("hc_head_base", Other, a.streams, Replicated, 0)
	b.inFloat()
	b.vector("hc_head_scale", Other, one, Replicated, 0)
	b.inFloat()
}

// mixer is what a layer remembers: the window always, and an entry for each ratio tokens beside it. A key is the value
// too, so the width of values is 0. State is what the compressor holds back until an entry is full.
func (a v4) mixer(ratio int64) Mixer {
	m := Mixer{Kind: Sliding, Heads: a.h.N, KVHeads: 1, KeyWidth: a.e.N, Window: a.window, SharesWith: -1}
	if ratio <= 1 {
		return m
	}
	m.Kind, m.Ratio, m.Rope = Compressed, ratio, a.rope.N
	m.Latent = max(0, a.e.N-a.rope.N)
	m.State, m.StateHeads = mul(2*ratio, a.e.N), 1
	if ratio == indexed {
		m.Index = a.indexWidth.N
		m.State = mul(2*2*ratio, mul(2, add(a.e.N, a.indexWidth.N)))
	}
	return m
}

func (a v4) predict(c *config, s *Shape) {
	n := c.countOr(0, "", "num_nextn_predict_layers")
	if n > 16 {
		c.fail(fmt.Errorf("num_nextn_predict_layers is %d, want 0 to 16", n))
		return
	}
	var b stack
	a.block(&b, 0, false)
	b.matrix("e_proj", MTPPart, a.f.d, a.f.d, Replicated, 0)
	b.matrix("h_proj", MTPPart, a.f.d, a.f.d, Replicated, 0)
	for _, name := range []string{"enorm", "hnorm", "norm"} {
		b.norm(name, a.f.d)
	}
	a.collapse(&b)
	for i := range n {
		s.MTP = append(s.MTP, Block{
			Prefix: fmt.Sprintf("mtp.%d.", i), Tensors: predictor(b.tensors), Mixer: a.mixer(0), MLP: a.moe.mlp(),
		})
	}
}
