package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// account is what one question needs while it is answered.
type account struct {
	job  *Job
	plan *Plan
	data *memoryData
	num  numerics

	tensor, expert, context, between, reads float64
	shard                                   float64 // ranks among which states of what is no expert are shared
	tokens                                  float64 // of one pass, on one device
	sequences                               float64 // of one pass
	passes                                  int64   // of one step

	eager        bool // norms and gates are one kernel for each operation
	keepsInputs  bool // products with frozen weights of 4 and 8 bits keep what they read, though those are frozen
	mayKeep      bool // older versions do, newer ones do not
	expands      bool // keys are repeated for every query head
	adapterInput float64
	input        float64 // bytes of each number that a product reads and keeps
	keeping      Range   // by how much what is kept differs from what the formulas say
	scoreBytes   float64

	widening float64 // of the range, upward
	cases    []string

	blocks []*layer // of the decoder, in order; layers of one kind share
	extra  []*layer // that predict further tokens
}

// Account says what the device that holds most holds, and what breaks it.
func Account(j *Job, p *Plan) (*Memory, error) {
	if err := askable(j, p); err != nil {
		return nil, err
	}
	data, err := remembered()
	if err != nil {
		return nil, err
	}
	a := newAccount(j, p, data)
	return a.answer(a.binding()), nil
}

// binding is the stage that holds most at the high end. Another one may hold more at the low end or in the middle; its ends
// are then those of the device that holds most.
func (a *account) binding() *stage {
	var worst *stage
	var most, likely, top Range
	for _, at := range a.candidates() {
		s := a.stage(at)
		sum := s.total()
		if worst == nil || cmp.Or(cmp.Compare(sum.High, top.High), cmp.Compare(s.likely.High, worst.likely.High)) > 0 {
			worst, top = s, sum
		}
		most, likely = larger(most, sum), larger(likely, s.likely)
	}
	raise(worst.planned, sum(worst.planned), likely)
	raise(worst.lines, top, most)
	worst.likely = likely
	return worst
}

func larger(a, b Range) Range {
	return Range{max(a.Low, b.Low), max(a.Mid, b.Mid), max(a.High, b.High)}
}

// raise moves middles towards high ends and low ends towards middles, each line by the same share, until they add up to what
// is wanted.
func raise(lines []line, now, want Range) {
	if gap := now.High - now.Mid; want.Mid > now.Mid && gap > 0 {
		share := min(1, (want.Mid-now.Mid)/gap)
		for i := range lines {
			b := &lines[i].bytes
			b.Mid += (b.High - b.Mid) * share
		}
		now.Mid += gap * share
	}
	if gap := now.Mid - now.Low; want.Low > now.Low && gap > 0 {
		share := min(1, (want.Low-now.Low)/gap)
		for i := range lines {
			b := &lines[i].bytes
			b.Low += (b.Mid - b.Low) * share
		}
	}
}

func askable(j *Job, p *Plan) error {
	switch {
	case j == nil || p == nil || j.Shape == nil:
		return fmt.Errorf("sizing the memory of training: there is no shape of the model: %w", ErrUnknown)
	case len(j.Shape.Blocks) == 0 || j.Shape.Hidden.N <= 0:
		return fmt.Errorf("sizing the memory of training: the model has no layers: %w", ErrUnknown)
	case j.Sequence <= 0:
		return fmt.Errorf("sizing the memory of training: a sequence has %d tokens, want one or more: %w", j.Sequence, ErrIllegal)
	case p.Micro < 0 || j.Rank < 0 || j.Global < 0 || p.Pipeline > len(j.Shape.Blocks)+len(j.Shape.Encoder):
		return fmt.Errorf("sizing the memory of training: %d stages of %d layers, passes of %d sequences, adapters of rank %d: %w",
			p.Pipeline, len(j.Shape.Blocks), p.Micro, j.Rank, ErrIllegal)
	case p.Shard < 0 || p.Data < 0 || p.Tensor < 0 || p.Context < 0 || p.Expert < 0 || p.Pipeline < 0 || p.Virtual < 0:
		return fmt.Errorf("sizing the memory of training: a number of ranks is below zero: %w", ErrIllegal)
	}
	return nil
}

func newAccount(j *Job, p *Plan, data *memoryData) *account {
	a := &account{job: j, plan: p, data: data, num: data.numericsOf(j)}
	a.tensor, a.expert, a.context = ranks(p.Tensor), ranks(p.Expert), ranks(p.Context)
	a.between, a.reads = 1, 1
	if !p.NoSequence {
		a.between = a.tensor
		if j.Framework == Megatron {
			a.reads = a.tensor // it gathers its inputs once more in the backward pass
		}
	}
	shard := p.Shard
	if shard == 0 {
		shard = p.Data
	}
	a.shard = ranks(shard) * a.context
	a.batch()
	a.eager = j.Framework != Megatron && j.Framework != TorchTitan && j.Framework != Foundry && j.Framework != DeepSpeed
	// bitsandbytes kept what a product of 4 bits reads until 2024 and keeps the weights alone since; of 8 bits it keeps both.
	// torchao keeps the weights alone.
	a.mayKeep = j.Method == QLoRA && j.Quantized != "int4" && j.Quantized != "int8" && j.Framework != TorchTune && j.Framework != TorchTitan
	a.keepsInputs = j.Method == QLoRA && j.Quantized == "int8" || a.mayKeep
	a.input, a.keeping = two, a.constant("kept")
	if j.Framework == Megatron {
		a.input, a.keeping = kernelInput(j.Precision), a.constant("kept_fused")
	}
	a.expands = j.Framework == HF
	a.adapterInput = data.by["adapter_input"].Mid
	a.scoreBytes = 6
	a.widening, a.cases = data.widened(j)
	kinds := map[kind]*layer{}
	for _, list := range [][]arch.Block{j.Shape.Encoder, j.Shape.Blocks} {
		a.blocks = a.read(list, kinds, a.blocks)
	}
	if j.Method == Pretrain {
		a.extra = a.read(j.Shape.MTP, kinds, nil)
	}
	return a
}

// kind is what makes layers alike.
type kind struct {
	tensors *arch.Tensor
	mixer   arch.Kind
	width   int64
}

func (a *account) read(blocks []arch.Block, kinds map[kind]*layer, out []*layer) []*layer {
	for i := range blocks {
		b := &blocks[i]
		k := kind{mixer: b.Mixer.Kind, width: b.MLP.Width}
		if len(b.Tensors) > 0 {
			k.tensors = &b.Tensors[0]
		}
		if kinds[k] == nil {
			l := a.layerOf(b)
			kinds[k] = &l
		}
		out = append(out, kinds[k])
	}
	return out
}

func ranks(n int) float64 { return float64(max(1, n)) }

// batch is what one pass works on. TorchTitan divides the batch of a replica into passes for the pipeline.
func (a *account) batch() {
	micro, pipeline := float64(max(1, a.plan.Micro)), int64(max(1, a.plan.Pipeline))
	a.passes = a.plan.Micros(a.job)
	if a.job.Framework == TorchTitan && pipeline > a.passes {
		cut := math.Min(micro, math.Ceil(float64(pipeline)/float64(a.passes)))
		micro, a.passes = micro/cut, whole(float64(a.passes)*cut)
	}
	if a.job.Method == DPO {
		micro *= 2 // the better answer and the worse one
	}
	a.sequences = micro
	a.tokens = micro * float64(a.job.Sequence) / a.context
}

func (d *memoryData) numericsOf(j *Job) numerics {
	n := *d.keeps[HF]
	if kept := d.keeps[j.Framework]; kept != nil {
		n = *kept
	}
	switch {
	case j.PureBF16, j.Framework == LitGPT && j.Method != Pretrain && j.Precision != FP32: // config_hub/finetune: bf16-true
		n.Weights, n.Gradients, n.Master, n.Moments = 2, 2, 0, 4
		n.Why = "all in 16 bits, without a copy in fp32"
	case j.Precision == FP32:
		n.Weights, n.Gradients, n.Master, n.Moments = 4, 4, 0, 8
		n.Why = "all in fp32"
	}
	return n
}

// kernelInput is how many bytes Transformer Engine keeps of a number that a product reads: the copy that its backward pass
// reads, in the format of the products.
func kernelInput(p Precision) float64 {
	switch p {
	case FP8:
		return 1
	case NVFP4:
		return 0.5625 // 4 bits, and a scale of 8 for 16 of them
	case FP32:
		return 4
	}
	return two
}

// candidates are the stages that may bind: the first holds most passes, the last the logits, and between them the first of
// those with most weights.
func (a *account) candidates() []int {
	p := max(1, a.plan.Pipeline)
	if p <= 4 {
		out := make([]int, p)
		for i := range out {
			out[i] = i
		}
		return out
	}
	best, heaviest := 0.0, 1
	for i := 1; i < p-1; i++ {
		from, to := a.split(i)
		sum := 0.0
		for _, l := range a.blocks[from:to] {
			sum += l.all()
		}
		if sum > best {
			best, heaviest = sum, i
		}
	}
	return []int{0, heaviest, p - 1}
}

// split says which layers are those of a stage: as many for each. Where they do not divide, embedding and head take the
// places of layers if that makes it even; else the first ones have one more.
func (a *account) split(at int) (from, to int) {
	p := max(1, a.plan.Pipeline)
	if from, to, ok := a.evened(at, p); ok {
		return from, to
	}
	each, more := len(a.blocks)/p, len(a.blocks)%p
	from = at*each + min(at, more)
	to = from + each
	if at < more {
		to++
	}
	return from, to
}

// evened is split where embedding and head count as layers (Megatron: account_for_embedding_in_pipeline_split and its kin
// for the loss; torchtitan: pipeline_parallel_first_stage_less_layers and its kin for the last). Layers that predict
// further tokens are on the last stage.
func (a *account) evened(at, p int) (from, to int, ok bool) {
	n, extra := len(a.blocks), len(a.extra)
	places := n + extra
	if extraPlaces(a.job.Framework) == 0 || p == 1 || n%p == 0 && extra == 0 {
		return 0, 0, false
	}
	first, last := 0, extra
	switch {
	case (places+2)%p == 0:
		first, last = 1, extra+1
	case (places+1)%p == 0:
		last++
	case places%p != 0:
		return 0, 0, false
	}
	each := (places + first + last - extra) / p
	if each <= max(first, last) {
		return 0, 0, false
	}
	from, to = at*each-first, (at+1)*each-first
	return max(0, from), min(n, to), true
}

// line is a term before somebody asks for its words.
type line struct {
	part    Part
	name    string
	bytes   Range
	formula func() string
	source  string
}

// stage is what one stage of the pipeline holds.
type stage struct {
	*account
	at, of      int
	first, last bool
	layers      []*layer
	count       count
	adapters    float64
	lines       []line
	host        Range
	moves       Range // of what comes and goes, in which the allocator leaves gaps
	planned     []line
	likely      Range // the total with everything as it is assumed, before what was left open widens it
	peaks       peaks
	exact       float64 // bytes of frozen weights where they lie whole on the device
	biggest     float64
}

func (a *account) stage(at int) *stage {
	p := max(1, a.plan.Pipeline)
	from, to := a.split(at)
	s := &stage{account: a, at: at, of: p, first: at == 0, last: at == p-1, layers: a.blocks[from:to]}
	if s.last {
		s.layers = append(slices.Clip(s.layers), a.extra...)
	}
	for _, l := range s.layers {
		s.count = s.count.plus(l.count)
		s.adapters += l.adapters
		s.biggest = max(s.biggest, l.inner())
	}
	s.outer()
	s.weights()
	s.gathered()
	s.work()
	s.others()
	s.overhead()
	s.step()
	s.loading()
	s.reserve()
	s.planned, s.likely = slices.Clone(s.lines), s.total()
	s.widen()
	return s
}

// outer adds embedding and head; a stage that holds neither first nor last layer has none of them. A head that is the
// embedding is on both.
func (s *stage) outer() {
	shape := s.job.Shape
	for i := range shape.Outer {
		t := &shape.Outer[i]
		head := t.Component == arch.Head || t.Component == arch.Norm
		shared := shape.Tied && t.Component == arch.Embedding
		if s.first && !head || s.last && (head || shared && !s.first) {
			s.count.outside(t, s.tensor)
		}
	}
	if s.first {
		s.towers()
	}
}

func (s *stage) towers() {
	for i := range s.job.Shape.Towers {
		t := &s.job.Shape.Towers[i]
		s.count.tower += elements(t) / ways(t, s.tensor, 1)
	}
}

func (s *stage) add(part Part, name string, bytes Range, source string, formula func() string) {
	if bytes.High > 0 {
		s.lines = append(s.lines, line{part, name, bytes, formula, source})
	}
}

func (s *stage) total() Range { return sum(s.lines) }

func sum(lines []line) Range {
	var all Range
	for i := range lines {
		all = all.Plus(lines[i].bytes)
	}
	return all
}

func (a *account) constant(name string) Range { return a.data.by[name].of() }

func (a *account) source(name string) string {
	c := a.data.by[name]
	return c.Why + " (" + c.Source + ")"
}

// agree keeps the range of all lines within the capacity where the plan as it is surely fits: what was left open widens the
// range, but was chosen so that it fits.
func (s *stage) agree(room float64) {
	const inside = 1 - 1e-9 // sums of shares are not exact
	if now := s.total(); s.likely.High <= room && now.High > room {
		s.within(now, room*inside)
	}
}

// within moves high ends towards middles, and where that is not enough middles towards low ends, each line by the same share,
// until they add up to at most so much.
func (s *stage) within(now Range, most float64) {
	up, down := 1.0, 0.0
	switch {
	case now.Mid <= most && now.High > now.Mid:
		up = (now.High - most) / (now.High - now.Mid)
	case now.Mid > now.Low:
		down = min(1, (now.Mid-most)/(now.Mid-now.Low))
	}
	for i := range s.lines {
		b := &s.lines[i].bytes
		b.Mid -= (b.Mid - b.Low) * down
		b.High = max(b.Mid, b.High-(b.High-b.Mid)*up)
		if down > 0 {
			b.High = b.Mid
		}
	}
}

func (a *account) answer(s *stage) *Memory {
	if a.plan.GPU != nil {
		s.agree(float64(a.plan.GPU.Usable()))
	}
	m := &Memory{Rank: "every device", Host: s.host, Basis: a.basis()}
	if s.of > 1 {
		m.Rank = fmt.Sprintf("stage %d of %d", s.at+1, s.of)
	}
	for i := range s.planned {
		l := &s.planned[i]
		m.Terms = append(m.Terms, Term{l.part, l.name, l.bytes, l.formula(), l.source})
	}
	m.Planned, m.Total = sum(s.planned), s.total()
	if a.plan.GPU == nil {
		return m
	}
	m.Capacity = a.plan.GPU.Usable()
	m.judge()
	return m
}

// judge compares the plan as it is with the capacity: only what fits at the high end fits. What was left open is chosen, and
// what comes of other choices says nothing of this plan.
func (m *Memory) judge() {
	room := float64(m.Capacity)
	switch {
	case m.Capacity <= 0:
		return
	case m.Planned.High <= room:
		m.Verdict = Fits
		return
	case m.Planned.Low > room:
		m.Verdict = DoesNot
	default:
		m.Verdict = Tight
	}
	worst := 0.0
	for i := range m.Terms {
		if t := &m.Terms[i]; t.Bytes.Mid > worst {
			worst, m.Breaks = t.Bytes.Mid, t.Name
		}
	}
}

func (a *account) basis() string {
	text := "the constants were held against " + a.data.Held
	if a.job.Unsaid.Has(widens) {
		text += "; wider for what was left open: " + a.data.Open
	}
	if len(a.cases) > 0 {
		text += "; wider upward for: " + strings.Join(a.cases, ", ")
	}
	return text
}
