package serve

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/quant"
)

// Prepared is a model with its layers sorted by kind, so that many plans can be computed quickly. It does not change
// and may be used by several goroutines.
type Prepared struct {
	model Model

	llama *llamaMemo

	kinds  []kind // of blocks
	layers []int  // the kind of each block of the decoder
	ahead  kind   // what the first stage has beside its blocks
	behind kind   // what the last stage has beside its blocks

	mixers  []arch.Mixer // that differ
	mixerOf []int        // of each block; -1 for one that keeps nothing of its own
	widths  []arch.MLP   // that differ

	vocab     int64
	bytes     int64 // of the weights as stored
	towerWide int64 // width of the encoder of pictures; 0 if there is none
	rotary    int64 // width of the rotary table; 0 if there is none
	unpacked  int64 // numbers of the largest matrix of a format whose kernels write it out in 16 bits
	cross     bool
	experts   bool
	mxfp4     bool
	formats   []string // of the linear layers of the blocks, each once
	native    bool     // the encoder takes pictures of any size

	forServers, forLlama func() []*Prepared // in smaller formats; see Formats
}

// kind is what blocks of one sort hold.
type kind []piece

// piece is a tensor with its format; the division rules follow from both.
type piece struct {
	tensor *arch.Tensor
	name   arch.Name
	format quant.Format
	part   int // index of the component
	rules  pieceRules
}

// pieceRules is what the name of the format says of how it may be cut.
type pieceRules struct {
	rows, cols int64 // blocks that must not be cut; 1 if there are none
	mxfp4      bool
	nested     bool  // bitsandbytes, which is split from whole matrices
	wide       bool  // 32 bits
	absorbed   bool  // kv_b of MLA
	pair       bool  // gate and up in one matrix
	plain      int64 // bytes of one number where the format has no scales; 0 else
}

// Prepare sorts the layers of a model.
func Prepare(m Model) *Prepared {
	p := &Prepared{model: m, llama: newLlamaMemo(), vocab: m.Shape.Vocab.N, bytes: m.Bytes()}
	parts := arch.Components()
	seen := make(map[sort]int)
	for i := range m.Shape.Blocks {
		b := &m.Shape.Blocks[i]
		p.layers = append(p.layers, p.kindOf(seen, m.kind(parts, b.Prefix, b.Tensors)))
		p.addMixer(b.Mixer)
		if !slices.Contains(p.widths, b.MLP) {
			p.widths = append(p.widths, b.MLP)
		}
		p.experts = p.experts || b.MLP.Experts > 0
	}
	p.placeOuter(parts)
	p.native = strings.Contains(m.Shape.Family, "qwen")
	p.forServers = sync.OnceValue(func() []*Prepared { return p.smaller(VLLM) })
	p.forLlama = sync.OnceValue(func() []*Prepared { return p.smaller(LlamaCPP) })
	for _, k := range p.kinds {
		for i := range k {
			p.mxfp4 = p.mxfp4 || k[i].rules.mxfp4
			if name := k[i].format.Name; k[i].tensor.Matrix && !slices.Contains(p.formats, name) {
				p.formats = append(p.formats, name)
			}
			if t := k[i].tensor; k[i].rules.nested && t.Matrix {
				p.unpacked = max(p.unpacked, t.Rows.N*t.Cols.N)
			}
		}
	}
	for i := range m.Shape.Towers {
		if t := &m.Shape.Towers[i]; t.Matrix && t.Copies.N > 1 {
			p.towerWide = max(p.towerWide, min(t.Rows.N, t.Cols.N))
		}
	}
	return p
}

// sort tells kinds apart: blocks of one kind share their tensors, and have them in the same formats.
type sort struct {
	tensors *arch.Tensor
	formats string
}

// kindOf is the number of a kind, which is new if no block before has the same tensors in the same formats.
func (p *Prepared) kindOf(seen map[sort]int, k kind) int {
	var key sort
	var names strings.Builder
	for i := range k {
		key.tensors = k[0].tensor
		names.WriteString(k[i].format.Name)
		names.WriteByte(';')
	}
	key.formats = names.String()
	if n, ok := seen[key]; ok {
		return n
	}
	seen[key] = len(p.kinds)
	p.kinds = append(p.kinds, k)
	return len(p.kinds) - 1
}

func (m Model) kind(parts []arch.Component, prefix string, tensors []arch.Tensor) kind {
	k := make(kind, 0, len(tensors))
	for i := range tensors {
		t := &tensors[i]
		name := arch.Name{Prefix: prefix, Rest: t.Name}
		f := m.Weights.Format(name, t)
		k = append(k, piece{t, name, f, max(0, slices.Index(parts, t.Component)), rulesOf(f, t)})
	}
	return k
}

// addMixer notes what a block remembers.
func (p *Prepared) addMixer(m arch.Mixer) {
	if m.Kind == arch.NoMixer || m.SharesWith >= 0 {
		p.mixerOf = append(p.mixerOf, -1)
		return
	}
	n := slices.Index(p.mixers, m)
	if n < 0 {
		n = len(p.mixers)
		p.mixers = append(p.mixers, m)
	}
	p.mixerOf = append(p.mixerOf, n)
	p.cross = p.cross || m.Kind == arch.Cross
	if m.Kind != arch.State {
		p.rotary = max(p.rotary, rotaryWidth(&m))
	}
}

func rotaryWidth(m *arch.Mixer) int64 {
	if m.Rope > 0 {
		return m.Rope
	}
	return m.KeyWidth
}

// placeOuter puts the embedding, towers and an encoder before the first block, the final norm, the head and MTP blocks
// behind the last one. A tied embedding is on both, and counts once where both are one stage.
func (p *Prepared) placeOuter(parts []arch.Component) {
	s := p.model.Shape
	for _, one := range p.model.kind(parts, "", s.Outer) {
		switch one.tensor.Component {
		case arch.Head, arch.Norm:
			p.behind = append(p.behind, one)
		default:
			p.ahead = append(p.ahead, one)
		}
	}
	p.ahead = append(p.ahead, p.model.kind(parts, "", s.Towers)...)
	for i := range s.Encoder {
		p.ahead = append(p.ahead, p.model.kind(parts, s.Encoder[i].Prefix, s.Encoder[i].Tensors)...)
	}
	if !p.model.LoadMTP {
		return
	}
	for i := range s.MTP {
		p.behind = append(p.behind, p.model.kind(parts, s.MTP[i].Prefix, s.MTP[i].Tensors)...)
	}
	p.behind = append(p.behind, p.model.kind(parts, "", s.MTPOuter)...)
}

// rulesOf reads the blocks of a format from its name: fp8-block-128x128, gptq-4-g128, mxfp4.
func rulesOf(f quant.Format, t *arch.Tensor) pieceRules {
	r := pieceRules{rows: 1, cols: 1}
	name := strings.ToLower(f.Name)
	switch {
	case strings.Contains(name, "block-"):
		_, size, _ := strings.Cut(name, "block-")
		high, wide, _ := strings.Cut(size, "x")
		r.rows, r.cols = leading(high), leading(wide)
	case strings.Contains(name, "-g"):
		r.cols = leading(name[strings.LastIndex(name, "-g")+2:])
	}
	r.mxfp4 = strings.Contains(name, "mxfp4")
	r.nested = strings.HasPrefix(name, "nf4") || strings.HasPrefix(name, "fp4") || strings.HasPrefix(name, "bnb")
	switch name {
	case "fp32", "float32", "f32":
		r.wide, r.plain = true, 4
	case "bf16", "fp16", "f16":
		r.plain = 2
	}
	r.pair = strings.Contains(t.Name, "gate_up")
	r.absorbed = strings.Contains(t.Name, "kv_b_proj")
	return r
}

// leading is the number that a text begins with, 1 if it begins with none.
func leading(s string) int64 {
	end := 0
	for end < len(s) && digit(s[end]) {
		end++
	}
	n, err := strconv.ParseInt(s[:end], 10, 64)
	if err != nil {
		return 1
	}
	return max(1, n)
}

// split is how a plan divides a model among ranks.
type split struct {
	tensor  int64
	experts int64 // ranks that share out the experts
	inner   int64 // ranks that divide one expert
	rules   *loading
}

// loading is what an engine makes of weights when it loads them.
type loading struct {
	vocab   int64
	mxfp4   int64
	cast    bool
	single  bool // 16 bits become 32
	towers  bool
	mla     string
	mlaHead int64 // for products: elements beside one kv_b element
}

// newSplit divides the experts of shared replicas among all of them, be it whole experts or parts of each.
func newSplit(p Plan, rules *loading, shared bool) split {
	s := split{tensor: int64(p.Tensor), experts: max(1, int64(p.Expert)), rules: rules}
	switch {
	case s.experts == 1 && shared:
		s.inner = s.tensor * int64(max(1, p.Data))
	case s.experts == 1:
		s.inner = s.tensor
	case s.experts <= s.tensor:
		s.inner = s.tensor / s.experts
	default:
		s.inner = max(1, s.tensor*int64(max(1, p.Data))/s.experts)
	}
	return s
}

// bytes is what one rank holds of a tensor.
func (s *split) bytes(c *piece) int64 {
	rows, cols, copies := s.shape(c)
	if c.rules.wide && s.rules.cast && !s.rules.single {
		return copies * rows * cols * 2
	}
	if c.rules.plain == 2 && s.rules.single {
		return copies * rows * cols * 4
	}
	if c.rules.plain > 0 {
		return copies * rows * cols * c.rules.plain
	}
	return copies * c.format.Bytes(rows, cols)
}

// shape is the part of a tensor that one rank holds.
func (s *split) shape(c *piece) (rows, cols, copies int64) {
	t := c.tensor
	rows, cols, copies = t.Rows.N, t.Cols.N, t.Copies.N
	switch t.Split {
	case arch.Replicated:
		if t.Component == arch.Tower && s.rules.towers && t.Matrix && copies > 1 {
			return ceil(rows, s.tensor), cols, copies
		}
	case arch.ByRows:
		rows = part(rows, t.Units, s.tensor)
	case arch.ByCols:
		cols = part(cols, t.Units, s.tensor)
	case arch.ByKVHeads:
		rows = part(rows, t.Units, s.tensor)
	case arch.ByQKV:
		rows = fusedRows(t, s.tensor)
	case arch.ByVocab:
		rows = s.vocabRows(rows)
	case arch.ByExpert:
		rows, copies = s.expertRows(c, rows), ceil(copies, s.experts)
	case arch.ByExpertCols:
		cols, copies = ceil(cols, s.inner), ceil(copies, s.experts)
		cols = s.padded(c, cols)
	}
	return rows, cols, copies
}

// expertRows are the outputs of an expert on one rank. Gate and up in one matrix are padded each.
func (s *split) expertRows(c *piece, rows int64) int64 {
	if c.rules.pair && rows%2 == 0 {
		return 2 * s.padded(c, ceil(rows/2, s.inner))
	}
	return s.padded(c, ceil(rows, s.inner))
}

// padded is the inner width of experts as the kernels of MXFP4 want it.
func (s *split) padded(c *piece, n int64) int64 {
	if !c.rules.mxfp4 || s.rules.mxfp4 < 2 || c.tensor.Cols.N == 1 {
		return n
	}
	return ceil(n, s.rules.mxfp4) * s.rules.mxfp4
}

// vocabRows are the rows of the vocabulary of one rank.
func (s *split) vocabRows(rows int64) int64 {
	return ceil(ceil(rows, s.rules.vocab)*s.rules.vocab, s.tensor)
}

// part is a share of a side that falls into units, which stay whole: every rank has at least one.
func part(n, units, ranks int64) int64 {
	if units <= 0 || n%units != 0 {
		return ceil(n, ranks)
	}
	return ceil(units, ranks) * (n / units)
}

// fusedRows are the heads of queries, keys and values of one rank, of which it has at least one each.
func fusedRows(t *arch.Tensor, ranks int64) int64 {
	heads := t.Units + 2*t.KVUnits
	if heads <= 0 || t.Rows.N%heads != 0 {
		return ceil(t.Rows.N, ranks)
	}
	return (ceil(t.Units, ranks) + 2*ceil(t.KVUnits, ranks)) * (t.Rows.N / heads)
}

// ceil is n over d, rounded up.
func ceil(n, d int64) int64 {
	if d <= 1 {
		return n
	}
	return (n + d - 1) / d
}

// weights are the bytes of one rank by component.
type weights [16]int64

func (w *weights) total() int64 {
	var sum int64
	for _, n := range w {
		sum += n
	}
	return sum
}

func (w *weights) add(of *weights, times int64) {
	for i := range w {
		w[i] += of[i] * times
	}
}

// of sums what one rank holds of the pieces of a kind.
func (s *split) of(k kind) (w weights) {
	for i := range k {
		w[k[i].part] += s.bytes(&k[i]) + s.absorbed(&k[i])
	}
	return w
}

// absorbed is what an engine keeps beside kv_b of MLA so that attention runs on the compressed vectors.
func (s *split) absorbed(c *piece) int64 {
	if !c.rules.absorbed || c.tensor.Cols.N == 1 {
		return 0
	}
	rows, cols, _ := s.shape(c)
	switch s.rules.mla {
	case "copy":
		return rows * cols * 2
	case "products":
		return s.rules.mlaHead * 2
	}
	return 0
}

// stages are how many blocks each pipeline stage has.
func stages(layers, n int, rest string) []int {
	each := make([]int, n)
	for i := range each {
		each[i] = layers / n
	}
	left := layers % n
	switch rest {
	case "last":
		each[n-1] += left
	case "first":
		for i := range left {
			each[i]++
		}
	default: // before the last, from there towards the first
		for i := range left {
			each[n-2-i]++
		}
	}
	return each
}

// counts are how many blocks of each kind lie between two.
func (p *Prepared) counts(from, to int) []int64 {
	n := make([]int64, len(p.kinds))
	for _, k := range p.layers[from:to] {
		n[k]++
	}
	return n
}

// legal refuses divisions that no engine makes. It names the first rule that is broken.
func (p *Prepared) legal(plan Plan, s *split) error {
	if err := p.legalCounts(plan); err != nil {
		return err
	}
	for _, k := range p.kinds {
		for i := range k {
			if err := s.legal(&k[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

func (p *Prepared) legalCounts(plan Plan) error {
	t, pp, d, x := plan.Tensor, plan.Pipeline, plan.Data, plan.Expert
	switch {
	case max(t, pp, d, x, plan.GPUs) > maxRanks:
		return fmt.Errorf("%w: more than %d ranks", ErrIllegal, maxRanks)
	case t < 1 || pp < 1 || d < 1 || x < 1:
		return fmt.Errorf("%w: every kind of parallelism needs at least one rank", ErrIllegal)
	case int64(t)*int64(pp)*int64(d) != int64(plan.GPUs):
		return fmt.Errorf("%w: tensor %d × pipeline %d × data %d is %d ranks, but there are %d GPUs", ErrIllegal, t, pp, d,
			int64(t)*int64(pp)*int64(d), plan.GPUs)
	case pp > len(p.layers):
		return fmt.Errorf("%w: %d pipeline stages for %d layers leave a stage without one", ErrIllegal, pp, len(p.layers))
	case x > 1 && !p.experts:
		return fmt.Errorf("%w: expert parallel %d, but the model has no experts", ErrIllegal, x)
	case x > 1 && (t*d%x != 0 || x <= t && t%x != 0):
		return fmt.Errorf("%w: expert parallel %d does not divide the %d ranks of a stage", ErrIllegal, x, t*d)
	case x > 1 && x != t*d && plan.Engine.profile.SharedExpert.at(plan.era().version).Value:
		return fmt.Errorf("%w: expert parallel %d, but %s shares experts out among all tensor %d × data %d ranks of a stage or not at all",
			ErrIllegal, x, plan.Engine.Kind, t, d)
	}
	for _, m := range p.mixers {
		if err := legalHeads(&m, int64(t)); err != nil {
			return err
		}
	}
	for _, w := range p.widths {
		if x > 1 && w.Experts%int64(x) != 0 {
			return fmt.Errorf("%w: %d experts do not divide by expert parallel %d", ErrIllegal, w.Experts, x)
		}
	}
	return nil
}

func legalHeads(m *arch.Mixer, t int64) error {
	switch {
	case m.Heads > 0 && m.Heads%t != 0:
		return fmt.Errorf("%w: %d attention heads do not divide by tensor parallel %d", ErrIllegal, m.Heads, t)
	case m.KVHeads > 0 && m.Latent == 0 && m.KVHeads%t != 0 && t%m.KVHeads != 0:
		return fmt.Errorf("%w: %d key-value heads neither divide by tensor parallel %d nor can be repeated evenly", ErrIllegal, m.KVHeads, t)
	case m.StateHeads > 1 && m.StateHeads%t != 0:
		return fmt.Errorf("%w: %d heads of the recurrent state do not divide by tensor parallel %d", ErrIllegal, m.StateHeads, t)
	}
	return nil
}

// legal checks the sides that are divided against units and blocks of the format.
func (s *split) legal(c *piece) error {
	t := c.tensor
	side, ranks, block, what := t.Rows.N, s.tensor, c.rules.rows, "outputs"
	switch t.Split {
	case arch.ByRows, arch.ByQKV:
	case arch.ByCols:
		side, block, what = t.Cols.N, c.rules.cols, "inputs"
	case arch.ByExpert:
		ranks = s.inner
	case arch.ByExpertCols:
		side, ranks, block, what = t.Cols.N, s.inner, c.rules.cols, "inputs"
	default:
		return nil
	}
	switch {
	case ranks <= 1 || t.Cols.N == 1:
		return nil
	case t.Units > 0 && t.Units%ranks != 0:
		return fmt.Errorf("%w: the %d units of %s do not divide by %d ranks", ErrIllegal, t.Units, t.Name, ranks)
	case side%ranks != 0 && !c.rules.mxfp4 && t.Split != arch.ByQKV:
		return fmt.Errorf("%w: the %d %s of %s do not divide by %d ranks", ErrIllegal, side, what, t.Name, ranks)
	case block > 1 && side > block && side/ranks%block != 0 && t.Split != arch.ByQKV:
		return fmt.Errorf("%w: %d %s of %s on each of %d ranks cut through blocks of %d in %s", ErrIllegal, side/ranks, what, t.Name,
			ranks, block, c.format.Name)
	}
	return nil
}
