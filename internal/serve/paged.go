package serve

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// The largest settings that are believed; each is far above what any engine starts with.
const (
	maxTokens  = 1 << 31
	maxRanks   = 1 << 16
	maxPerRow  = 1 << 28 // bytes of the cache of one token
	maxOfState = 1 << 34 // bytes of the state of one request

	maxLayersOfModel = 1 << 13
)

// era is an engine with the version whose settings hold for a card.
type era struct {
	profile *profile
	version version
}

func (e era) windowRatio() float64  { return e.profile.SWARatio.at(e.version).Value }
func (e era) stateRatio() float64   { return e.profile.StateRatio.at(e.version).Value }
func (e era) groupPadding() float64 { return e.profile.GroupPadding.at(e.version).Value }
func (e era) statePages() int64     { return e.profile.StatePages.at(e.version).Value }

var errUnresolved = errors.New("the engine was not looked up: use FindEngine")

// era is the version whose settings hold. A card that is too old for the second engine stays with the first one.
func (p *Plan) era() era {
	e := era{p.Engine.profile, p.Engine.number}
	pr := e.profile
	if pr.rewrite > 0 && e.version >= pr.rewrite && e.version < pr.alone && old(p.GPU.Compute, pr.RewriteNeeds) {
		e.version = pr.rewrite - 1
	}
	return e
}

// old reports whether a compute capability is known to be below another.
func old(compute string, than float64) bool {
	c, err := strconv.ParseFloat(compute, 64)
	return err == nil && c < than
}

// cardGiB is the memory by which an engine sorts cards.
func (p *Plan) cardGiB() float64 {
	n := float64(p.GPU.Usable()) / oneGiB
	if p.Engine.profile.SmallA100 && strings.HasPrefix(p.GPU.ID, "a100") {
		return min(n, 60)
	}
	return n
}

// Complete fills in what was not said with the defaults of the engine for the card, and names each.
func (p Plan) Complete(m Model) (Plan, error) {
	if p.Engine == nil {
		return p, fmt.Errorf("%w: an engine is needed", ErrIllegal)
	}
	if err := p.Profiled(); err != nil {
		return p, err
	}
	p.Assumed = slices.Clip(p.Assumed)
	if p.Engine.Kind == LlamaCPP {
		if p.Engine.llama == nil {
			return p, errUnresolved
		}
		p.completeVersion()
		return completeLlama(m, p), nil
	}
	if p.GPU == nil {
		return p, fmt.Errorf("%w: %s needs a device", ErrIllegal, p.Engine.Kind)
	}
	p.completeRanks()
	if p.MaxModelLen == 0 {
		p.MaxModelLen = m.Shape.MaxContext
		if p.MaxModelLen == 0 {
			p.MaxModelLen = 8192
		}
		p.assume("max_model_len", strconv.FormatInt(p.MaxModelLen, 10), "the model's own maximum")
	}
	if p.Engine.profile == nil {
		return p, errUnresolved
	}
	p.completeVersion()
	p.warned(m)
	p.unread(m)
	p.completeNumber(m)
	p.completeBatch(m)
	return p, p.sane()
}

// completeVersion names the version that nobody named, and the one whose defaults stand for a version that is not known.
func (p *Plan) completeVersion() {
	if note := p.Engine.Note(); note != "" && !p.assumes("engine_account") {
		p.assume("engine_account", string(cmp.Or(p.Engine.kin.Runs, p.Engine.kin.Like)), note)
	}
	switch {
	case p.assumes("engine_version"):
	case p.Engine.Assumed:
		p.assume("engine_version", p.Engine.Version, "the newest that is known")
	case p.Engine.beyond != "":
		p.assume("engine_version", p.Engine.Version, p.Engine.beyond)
	}
}

func (p *Plan) assume(name, value, why string) {
	p.Assumed = append(p.Assumed, Setting{name, value, why})
}

func (p *Plan) assumes(name string) bool {
	for i := range p.Assumed {
		if p.Assumed[i].Name == name {
			return true
		}
	}
	return false
}

// warned names a length beyond that of the model where the engine starts all the same.
func (p *Plan) warned(m Model) {
	const name = "positions"
	most := m.Shape.MaxContext
	if most <= 0 || p.MaxModelLen <= most || p.Engine.Kind == VLLM || p.Engine.Kind == SGLang || p.assumes(name) {
		return
	}
	p.assume(name, strconv.FormatInt(p.MaxModelLen, 10), "the model was made for "+strconv.FormatInt(most, 10)+
		" tokens; "+p.Engine.Name+" is taken to warn and start, and answers may get worse")
}

// unread names a format of the weights that the engine is not known to read.
func (p *Plan) unread(m Model) {
	const name = "format"
	if k := p.Engine.kin; k != nil && m.Weights != nil && !k.reads(m.Weights.Name) && !p.assumes(name) {
		p.assume(name, m.Weights.Name, "whether "+p.Engine.Name+" reads it is not known: it is known to read "+strings.Join(k.Reads, ", "))
	}
}

// completeRanks makes tensor parallelism take the GPUs that nothing else was given.
func (p *Plan) completeRanks() {
	for _, n := range []*int{&p.Pipeline, &p.Data, &p.Expert} {
		if *n == 0 {
			*n = 1
		}
	}
	others := p.Pipeline * p.Data
	if p.Tensor == 0 {
		p.Tensor = 1
		if p.GPUs > 1 && others > 0 && p.GPUs%others == 0 {
			p.Tensor = p.GPUs / others
			p.assume("tensor_parallel", strconv.Itoa(p.Tensor), "all GPUs that nothing else takes")
		}
	}
	if p.GPUs == 0 {
		p.GPUs = p.Tensor * others
	}
}

// completeNumber is the format of the cache: that of the model's activations, in 16 bits.
func (p *Plan) completeNumber(m Model) {
	if p.KV = cacheName(p.KV); p.KV != "" && p.KV != "auto" {
		return
	}
	why := "auto: the number format of the model"
	asked := ""
	if m.Weights != nil {
		asked = m.Weights.KVCache()
	}
	if _, ok := cacheNumber(asked); ok && !p.Engine.profile.plain() {
		p.KV = asked
		p.assume("kv_dtype", p.KV, "auto: the files ask for it")
		return
	}
	switch {
	case m.Shape.DType == "float32" && p.Engine.profile.plain():
		p.KV = "fp32"
	case m.Shape.DType == "float16" || m.Shape.DType == "float32":
		p.KV = "fp16"
	default:
		p.KV = "bf16"
	}
	if has, known := p.GPU.Supports["bf16"]; known && !has && p.KV == "bf16" {
		p.KV, why = "fp16", "auto: the device does not compute in bf16"
	}
	p.assume("kv_dtype", p.KV, why)
}

// completeBatch fills in the share of memory, the sequences and the tokens of a step.
func (p *Plan) completeBatch(m Model) {
	e, card := p.era(), p.cardGiB()
	if p.MaxSeqs == 0 {
		s := e.profile.MaxSeqs.at(e.version)
		why := s.Source
		p.MaxSeqs = s.Value.of(card)
		if each := int64(min(p.Wanted/float64(max(1, p.Data)), maxTokens)); each > p.MaxSeqs {
			p.MaxSeqs, why = each, "as many as are wanted at once; the default is "+strconv.FormatInt(p.MaxSeqs, 10)
		}
		p.assume("max_num_seqs", strconv.FormatInt(p.MaxSeqs, 10), why)
	}
	if p.BatchedTokens == 0 {
		s := e.profile.BatchedTokens.at(e.version)
		p.BatchedTokens = s.Value.of(card)
		if e.profile.WholePrompt.at(e.version).Value {
			p.BatchedTokens = p.wholePrompt(m)
		}
		p.assume("max_batched_tokens", strconv.FormatInt(p.BatchedTokens, 10), s.Source)
	}
	if p.Utilization == 0 {
		s := e.profile.Utilization.at(e.version)
		p.Utilization = s.Value
		if e.profile.UtilRule.at(e.version).Value == "sglang" {
			p.Utilization = p.staticFraction(m, s.Value)
		}
		p.assume("gpu_memory_utilization", strconv.FormatFloat(p.Utilization, 'g', -1, 64), s.Source)
	}
}

// wholePrompt is the tokens of a step where a prompt is not cut: the longest, unless it is so long that engines cut
// text in spite of it.
func (p *Plan) wholePrompt(m Model) int64 {
	const cut = 32768
	switch {
	case p.Engine.profile.plain():
		return min(maxTokens, p.MaxModelLen*max(1, p.MaxSeqs))
	case p.MaxModelLen > cut && len(m.Shape.Towers) == 0:
		return 2048
	}
	return max(2048, p.MaxModelLen)
}

// staticFraction is the rule of SGLang's server_args.py: what is kept free is 512 MiB, 1.5 MiB for a token of a chunk,
// 2 MiB for a captured size and 128 MiB for a rank, on large cards 10 GiB at least.
func (p *Plan) staticFraction(m Model, otherwise float64) float64 {
	total := float64(p.GPU.Usable()) / (1 << 20)
	if total <= 0 {
		return otherwise
	}
	keep := 512 + 1.5*float64(max(p.BatchedTokens, 2048)) + 2*float64(p.MaxSeqs) + 128*float64(p.Tensor*p.Pipeline)
	if total > 60<<10 {
		keep = max(keep, 10<<10)
	}
	share := 1 - keep/total
	if len(m.Shape.Towers) > 0 {
		share *= 0.95
	}
	return max(0.05, float64(int(share*1000+0.5))/1000)
}

// sane refuses settings that nothing could start with, so that nothing after it has to count with care.
func (p *Plan) sane() error {
	switch {
	case p.GPU.Usable() <= 0:
		return fmt.Errorf("%w: the memory of %s is not known", ErrIllegal, p.GPU.ID)
	case p.Utilization <= 0 || p.Utilization > 1:
		return fmt.Errorf("%w: utilization %v, want more than 0 and at most 1", ErrIllegal, p.Utilization)
	case p.MaxModelLen < 1 || p.MaxModelLen > maxTokens:
		return fmt.Errorf("%w: max_model_len %d, want 1 to %d", ErrIllegal, p.MaxModelLen, int64(maxTokens))
	case p.BatchedTokens < 1 || p.BatchedTokens > maxTokens:
		return fmt.Errorf("%w: max_batched_tokens %d, want 1 to %d", ErrIllegal, p.BatchedTokens, int64(maxTokens))
	case p.MaxSeqs < 1 || p.MaxSeqs > maxTokens:
		return fmt.Errorf("%w: max_num_seqs %d, want 1 to %d", ErrIllegal, p.MaxSeqs, int64(maxTokens))
	case p.Tensor > maxRanks || p.Pipeline > maxRanks || p.Data > maxRanks || p.Expert > maxRanks || p.GPUs > maxRanks:
		return fmt.Errorf("%w: more than %d ranks", ErrIllegal, maxRanks)
	}
	if _, ok := cacheNumber(p.KV); !ok || p.KV == "q8_0" || p.KV == "q4_0" {
		return fmt.Errorf("%w: %s keeps no cache in %q, want auto, bf16, fp16, fp8, int8 or nvfp4", ErrIllegal, p.Engine.Kind, p.KV)
	}
	return nil
}

// fit is a plan being computed.
type fit struct {
	model *Prepared
	plan  Plan
	era   era
	split split
	keep  keeping

	capacity  int64
	cardGiB   float64
	older     bool // the card is below compute capability 9
	single    bool // everything that is not quantized is in 32 bits
	hidden    int64
	vocabRows int64
	load      loading
}

// Fit is the account of a plan, as the function of that name.
func (p *Prepared) Fit(plan Plan) (*Memory, error) {
	plan, err := plan.Complete(p.model)
	if err != nil {
		return nil, err
	}
	if plan.Engine.Kind == LlamaCPP {
		return p.llama.fit(p.model, plan)
	}
	f := p.start(plan)
	if err := errors.Join(p.legalDevice(&plan), p.legalLength(&plan)); err != nil {
		return nil, err
	}
	if err := p.legal(plan, &f.split); err != nil {
		return nil, err
	}
	if err := f.believable(); err != nil {
		return nil, err
	}
	return f.account(), nil
}

func (p *Prepared) start(plan Plan) *fit {
	e := plan.era()
	f := &fit{model: p, plan: plan, era: e, capacity: plan.GPU.Usable(), cardGiB: plan.cardGiB(), hidden: p.model.Shape.Hidden.N}
	f.older, f.single = old(plan.GPU.Compute, 9), p.single(&plan)
	f.load = loading{
		vocab: e.profile.VocabPadding.at(e.version).Value, mxfp4: e.profile.PadMXFP4.at(e.version).Value,
		cast: e.profile.CastFloat32.at(e.version).Value, towers: e.profile.TowersSplit.at(e.version).Value,
		mla: e.profile.LoadedMLA.at(e.version).Value, single: f.single,
	}
	f.split = newSplit(plan, &f.load, p.experts && e.profile.SharedExpert.at(e.version).Value)
	for i := range p.mixers {
		if m := &p.mixers[i]; m.Latent > 0 { // both products of a head: queries in, outputs out
			f.load.mlaHead = min(times(times(ceil(m.Heads, f.split.tensor), m.Latent), 2*f.hidden), mostBytes/maxLayersOfModel)
		}
	}
	f.vocabRows = ceil(p.vocab, f.load.vocab) * max(1, f.load.vocab)
	number, _ := cacheNumber(plan.KV)
	if f.single && number.times == 2 && number.over == 1 {
		number.times = 4
	}
	f.keep = keeping{
		number: number, fp8: strings.HasPrefix(plan.KV, "fp8"), ranks: f.split.tensor,
		mlaPadding: e.profile.MLAPadding.at(e.version).Value, sparseFP8: e.profile.SparseFP8.at(e.version).Value,
		stateBytes: e.profile.StateBytes.at(e.version).Value, block: e.profile.Block.at(e.version).Value,
	}
	return f
}

// believable refuses caches that no model has, so that sums cannot overflow.
func (f *fit) believable() error {
	var perToken, state float64
	for _, k := range f.model.keeps(&f.keep, 0, len(f.model.layers)) {
		perToken += float64(k.all) * float64(k.perToken)
		state += float64(k.all) * float64(k.state)
	}
	if perToken > maxPerRow || state > maxOfState {
		return fmt.Errorf("%w: one token would take %.0f bytes of cache and one request %.0f bytes of state, more than any model", ErrIllegal,
			perToken, state)
	}
	return nil
}

// rank is the account of one stage before it is written out.
type rank struct {
	stage  stage
	held   weights
	rotary int64
	over   overhead
	paging paging
	budget int64
	pool   Interval // may be negative
}

func (r *rank) weights() int64 { return r.held.total() + r.rotary }

// account computes every stage and writes out the one that binds: that with the fewest blocks.
func (f *fit) account() *Memory {
	kinds := make([]weights, len(f.model.kinds))
	for i, k := range f.model.kinds {
		kinds[i] = f.split.of(k)
	}
	var binds *rank
	from, n := 0, f.plan.Pipeline
	for i, count := range stages(len(f.model.layers), n, f.era.profile.Stages.at(f.era.version).Value) {
		s := stage{number: i, of: n, from: from, to: from + count, first: i == 0, last: i == n-1}
		from = s.to
		r := f.rank(s, kinds)
		if binds == nil || less(r, binds) {
			binds = r
		}
	}
	return f.write(binds)
}

// less reports whether a stage holds less than another: fewer requests, or less room where it holds none.
func less(a, b *rank) bool {
	if na, nb := a.paging.count(a.pool.Mid), b.paging.count(b.pool.Mid); na != nb {
		return na < nb
	}
	return a.pool.Mid < b.pool.Mid
}

func (f *fit) rank(s stage, kinds []weights) *rank {
	r := &rank{stage: s}
	for kind, n := range f.model.counts(s.from, s.to) {
		r.held.add(&kinds[kind], n)
	}
	if s.first {
		w := f.split.of(f.model.ahead)
		r.held.add(&w, 1)
	}
	if s.last {
		w := f.split.of(f.model.behind)
		r.held.add(&w, 1)
		if !s.first && f.model.model.Shape.Tied {
			r.held.add(f.tied(), 1)
		}
	}
	if f.era.profile.RotaryTable.at(f.era.version).Value {
		r.rotary = min(times(f.positions(), 2*f.model.rotary), mostBytes)
	}
	r.over = f.overheads(s)
	keeps := f.model.keeps(&f.keep, s.from, s.to)
	r.paging = pagingOf(f.era.profile.Windows.at(f.era.version).Value, keeps, &f.keep, f.era, f.plan.BatchedTokens)
	f.size(r)
	return r
}

// positions are the rows of the rotary tables that layers share: scaled ones where the scaling multiplies the length,
// and as many as the context is long for layers with a window, where these have a base of their own.
func (f *fit) positions() int64 {
	s := f.model.model.Shape
	n := min(s.MaxContext, maxTokens)
	rows := n * max(1, s.Stretch)
	if s.LocalRope {
		rows += n
	}
	return rows
}

// tied is the embedding once more, as the head of a last stage that is not the first.
func (f *fit) tied() *weights {
	var w weights
	for i := range f.model.ahead {
		if c := &f.model.ahead[i]; c.tensor.Component == arch.Embedding && c.tensor.Split == arch.ByVocab {
			w[c.part] += f.split.bytes(c)
		}
	}
	return &w
}

// size is what is left for the cache.
func (f *fit) size(r *rank) {
	u, capacity := f.plan.Utilization, f.capacity
	e, o := f.era, &r.over
	inside := o.activation.bytes.Plus(o.nonTorch.bytes)
	if e.profile.GraphsInside.at(e.version).Value {
		inside = inside.Plus(o.graphs.bytes)
	}
	if f.contextInside() {
		inside = inside.Plus(o.context.bytes)
	}
	w := f.model.bounds().Plus(Exact(r.weights()))
	switch e.profile.Budget.at(e.version).Value {
	case "free":
		before := minus(capacity, o.context.bytes.Plus(o.group.bytes))
		r.budget = int64(u * float64(before.Mid))
		r.pool = Interval{int64(u*float64(before.Low)) - w.High, r.budget - w.Mid, int64(u*float64(before.High)) - w.Low}
	case "left":
		left := minus(capacity, inside.Plus(o.group.bytes).Plus(w))
		share := func(n int64) int64 { return int64(u * float64(n)) }
		r.pool = Interval{share(left.Low), share(left.Mid), share(left.High)}
		r.budget = capacity - left.Mid + r.pool.Mid
	default:
		r.budget = int64(u * float64(capacity))
		r.pool = minus(r.budget, inside.Plus(w))
	}
}

// contextInside reports whether the CUDA context counts before the cache is sized. It did in the second engine before it
// was the default, which took total minus free for what torch did not allocate (v1/worker/gpu_worker.py of that time).
func (f *fit) contextInside() bool {
	return f.plan.Engine.early || f.era.profile.Inside.at(f.era.version).Value
}

// minus takes an interval from a number: the low end is what is left of it at worst.
func minus(n int64, i Interval) Interval { return Interval{n - i.High, n - i.Mid, n - i.Low} }
