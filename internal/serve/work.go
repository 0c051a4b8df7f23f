package serve

import (
	"errors"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// ErrHost is returned for a plan that leaves part of the model to the host: how fast that reads its memory is not known.
var ErrHost = errors.New("part of the model lies in the memory of the host, whose speed is not known")

// Work is what one rank does in a forward pass through the whole depth of a model: of each pipeline stage one rank, all
// stages together. Ranks of one stage do alike.
type Work struct {
	Products  []Product
	Attention []Attending

	Layers   int64
	Hidden   int64
	Vocab    int64
	Tensor   int
	Pipeline int
	Expert   int // ranks that share out the experts; 1 is none
	Data     int // replicas of attention that share the experts, and so run in step
	Replicas int // that share nothing
	Longest  float64
	MoE      bool // tokens pick experts
	Latent   bool // attention works on compressed vectors (MLA)
}

// Role is what matrix products are for.
type Role int

// The roles. Tokens that are not sampled do not pass the head.
const (
	Other Role = iota // norms, biases, routers
	Projection
	Feed
	Routed
	Head
)

// Product is the matrix products of one role in one number format.
type Product struct {
	Role   Role
	Format string
	Bits   float64 // of one number, without scales
	Count  int64   // of them in a pass; those of all experts of a layer are one
	Bytes  float64 // of this rank, scales included
	MACs   float64 // of this rank for each token that passes; of routed experts on average over ranks
	Ends   float64 // numbers that go into the products of a token and come out, on this rank

	Experts int64 // of a layer, of Routed
	TopK    int64
	Held    int64 // experts of a layer on this rank
	Layers  int64
}

// Attending is what layers of one sort do with what they keep of a request.
type Attending struct {
	Layers  int64
	Heads   int64   // of queries, on this rank
	Entry   float64 // bytes of one entry of one layer on this rank; 0 for a state
	Ratio   float64 // tokens of an entry
	Window  float64 // tokens that are seen; 0 is all
	Chunked bool
	State   float64 // bytes of one layer that each pass reads and writes
	Decode  float64 // multiplications of a token with one before it in one layer, when answering
	Prompt  float64 // the same in a prompt
	Token   float64 // multiplications of a token in one layer, whatever is before it
}

// sparseTokens is how many tokens an indexer picks (index_topk of DeepSeek-V3.2 and GLM-5).
const sparseTokens = 2048

// Work condenses a model under a plan. The plan is taken to be legal, which Fit tells.
func (m *Prepared) Work(plan Plan) (*Work, error) {
	plan, err := plan.Complete(m.model)
	if err != nil {
		return nil, err
	}
	if m.partly(plan) {
		return nil, ErrHost
	}
	w := &Work{
		Layers: int64(len(m.layers)), Hidden: m.model.Shape.Hidden.N, Vocab: m.vocab, MoE: m.experts,
		Tensor: max(1, plan.Tensor), Pipeline: max(1, plan.Pipeline), Expert: max(1, plan.Expert), Data: 1, Replicas: max(1, plan.Data),
		Longest: 1,
	}
	s, k, shared := m.division(&plan)
	if shared {
		w.Data, w.Replicas = w.Replicas, 1
	}
	if w.Layers > 0 {
		n := int64(w.Pipeline)
		w.Longest = float64(ceil(w.Layers, n)*n) / float64(w.Layers)
	}
	m.products(w, &s)
	m.attending(w, &k)
	return w, nil
}

// division is how ranks share weights and cache, and whether replicas of attention share the experts.
func (m *Prepared) division(plan *Plan) (split, keeping, bool) {
	if plan.Engine.Kind != LlamaCPP {
		f := m.start(*plan)
		shared := m.experts && plan.Data > 1 && (f.era.profile.SharedExpert.at(f.era.version).Value || plan.Expert > plan.Tensor)
		return f.split, f.keep, shared
	}
	n := number{2, 1}
	if kv, err := llamaKV(plan.KV); err == nil {
		n = number{kv.bytes, kv.numbers}
	}
	rules := &loading{vocab: 1}
	return newSplit(*plan, rules, false), keeping{number: n, ranks: int64(max(1, plan.Tensor)), mlaPadding: 1, stateBytes: 4, block: 1}, false
}

// products adds up the matrix products of all blocks and of the head.
func (m *Prepared) products(w *Work, s *split) {
	w.Products = make([]Product, 0, 8)
	for i, n := range m.counts(0, len(m.layers)) {
		if n > 0 {
			w.addKind(s, m.kinds[i], n)
		}
	}
	w.addKind(s, m.ahead, 1)
	w.addKind(s, m.behind, 1)
	for i := range w.Products {
		p := &w.Products[i]
		if p.Role == Routed {
			p.Held = max(1, p.Held)
		}
	}
}

func (w *Work) addKind(s *split, k kind, times int64) {
	seen := false
	for i := range k {
		c := &k[i]
		if c.tensor.Visited.N == 0 || c.tensor.Component == arch.MTPPart || c.tensor.Component == arch.Tower {
			continue
		}
		w.add(s, c, times, &seen)
	}
}

// add counts a tensor. The layers of routed experts are counted once for all their matrices.
func (w *Work) add(s *split, c *piece, times int64, seen *bool) {
	t := c.tensor
	rows, cols, copies := s.shape(c)
	p := w.product(roleOf(c), c)
	p.Bytes += float64(times) * float64(s.bytes(c))
	visits := float64(t.Visited.N) * float64(copies) / float64(max(1, t.Copies.N))
	p.MACs += float64(times) * float64(rows) * float64(cols) * visits
	if t.Cols.N > 1 {
		p.Ends += float64(times) * float64(rows+cols) * visits
		p.Count += times
	}
	if p.Role != Routed {
		return
	}
	p.Experts, p.TopK, p.Held = max(p.Experts, t.Copies.N), max(p.TopK, t.Visited.N), max(p.Held, copies)
	if !*seen {
		p.Layers += times
		*seen = true
	}
}

// product is the group that a tensor belongs to.
func (w *Work) product(r Role, c *piece) *Product {
	for i := range w.Products {
		if p := &w.Products[i]; p.Role == r && p.Format == c.format.Name {
			return p
		}
	}
	w.Products = append(w.Products, Product{Role: r, Format: c.format.Name, Bits: c.format.Bits})
	return &w.Products[len(w.Products)-1]
}

func roleOf(c *piece) Role {
	t := c.tensor
	if t.Cols.N == 1 {
		return Other
	}
	switch t.Component {
	case arch.Head, arch.Embedding:
		return Head
	case arch.Experts:
		if t.Copies.N > 1 {
			return Routed
		}
		return Feed
	case arch.Dense, arch.Shared:
		return Feed
	case arch.Attention, arch.Recurrent, arch.Indexer:
		return Projection
	}
	return Other
}

// attending adds up what the mixers of all blocks read. A layer that reads the cache of another reads as much.
func (m *Prepared) attending(w *Work, k *keeping) {
	blocks := m.model.Shape.Blocks
	w.Attention = make([]Attending, 0, 4)
	var last arch.Mixer
	from := 0
	for i := range blocks {
		mixer := blocks[i].Mixer
		mixer.SharesWith = -1
		if i > 0 && mixer == last {
			continue
		}
		w.attend(k, &last, int64(i-from))
		last, from = mixer, i
	}
	w.attend(k, &last, int64(len(blocks)-from))
}

func (w *Work) attend(k *keeping, m *arch.Mixer, layers int64) {
	if layers <= 0 || m.Kind == arch.NoMixer {
		return
	}
	w.Latent = w.Latent || m.Latent > 0
	list, n := k.of(m)
	heads := ceil(m.Heads, k.ranks)
	for i := range list[:n] {
		one := &list[i]
		a := Attending{
			Layers: layers, Heads: heads, Entry: float64(one.perToken), Ratio: float64(max(1, one.ratio)), Window: float64(one.window),
			Chunked: one.chunked, State: float64(one.state),
		}
		if one.perToken == 0 {
			a.Token = 4 * float64(ceil(m.State, k.ranks))
		} else {
			a.Decode, a.Prompt = pairs(m, heads)
		}
		if m.Kind == arch.Latent && m.Index > 0 {
			w.sparse(a, k, m)
			continue
		}
		w.merge(a)
	}
}

// sparse is a layer whose indexer looks at every token, and whose attention at those that it picks.
func (w *Work) sparse(a Attending, k *keeping, m *arch.Mixer) {
	looks := a
	looks.Entry = float64(k.index(m))
	looks.Decode, looks.Prompt = float64(m.Index)*64/float64(k.ranks), float64(m.Index)*64/float64(k.ranks)
	a.Entry -= looks.Entry
	a.Window = sparseTokens
	w.merge(a)
	w.merge(looks)
}

// pairs is how many multiplications a pair of tokens takes in one layer on one rank: scores and the sum of values. MLA
// answers on the compressed vectors and reads prompts with whole heads.
func pairs(m *arch.Mixer, heads int64) (decode, prompt float64) {
	h := float64(heads)
	prompt = h * float64(m.KeyWidth+m.ValueWidth)
	decode = prompt
	if m.Latent > 0 {
		decode = h * float64(2*m.Latent+m.Rope)
		if prompt == 0 {
			prompt = decode
		}
	}
	return decode, prompt
}

func (w *Work) merge(a Attending) {
	for i := range w.Attention {
		b := &w.Attention[i]
		same := a
		same.Layers = b.Layers
		if *b == same {
			b.Layers += a.Layers
			return
		}
	}
	w.Attention = append(w.Attention, a)
}
