package serve

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// What is believed of llama.cpp at most. What it takes where nothing is said is in its record.
const (
	llamaMaxDevices = 16
	llamaMaxContext = 1 << 28
	llamaSource     = "llama.cpp v0.5.0"
)

// completeLlama fills in what was not said.
func completeLlama(m Model, p Plan) Plan {
	r, v := p.Engine.llama, p.Engine.number
	set := func(name string, into *int64, s *step[int64], most int64) {
		if *into == 0 {
			*into = s.Value
			if most > 0 {
				*into = min(*into, most)
			}
			p.assume(name, strconv.FormatInt(*into, 10), s.Source)
		}
	}
	set("n_ctx", &p.MaxModelLen, r.Context.at(v), m.Shape.MaxContext)
	set("n_parallel", &p.MaxSeqs, r.Slots.at(v), 0)
	set("n_ubatch", &p.Llama.MicroBatch, r.MicroBatch.at(v), 0)
	set("n_batch", &p.BatchedTokens, r.Batch.at(v), 0)
	if p.KV == "" || p.KV == "auto" {
		p.KV = "f16"
		p.assume("kv_dtype", p.KV, "common.h: cache_type_k and cache_type_v")
	}
	if s := r.Flash.at(v); s.Value == "off" && !p.Llama.NoFlash && !p.Llama.Flash {
		p.Llama.NoFlash = true
		p.assume("flash_attn", "off", s.Source)
	}
	if s := r.OutputRows.at(v); s.Value == "batch" && !p.Llama.AllOutputs {
		p.Llama.AllOutputs = true
		p.assume("output_rows", "every token of a micro-batch", s.Source)
	}
	switch {
	case p.Llama.HostOnly:
		p.Llama.GPULayers = 0
	case p.Llama.GPULayers == 0:
		p.Llama.GPULayers = -1
	}
	p.byLayers()
	switch {
	case p.GPU == nil:
		p.GPUs = 0
	case p.GPUs == 0:
		p.GPUs = 1
	}
	return p
}

// byLayers takes back the tensor parallelism that other engines would assume.
func (p *Plan) byLayers() {
	if p.assumes("tensor_parallel") {
		p.Tensor = 1
		p.Assumed = slices.DeleteFunc(slices.Clone(p.Assumed), func(s Setting) bool { return s.Name == "tensor_parallel" })
	}
}

// legalLlama refuses what llama.cpp refuses.
func legalLlama(m Model, p Plan) error {
	kv, err := p.Engine.cacheType(p.KV)
	if err != nil {
		return err
	}
	if err := dealt(p); err != nil {
		return err
	}
	switch {
	case p.GPUs < 0 || p.GPUs > llamaMaxDevices:
		return fmt.Errorf("%w: %d GPUs, llama.cpp takes at most %d", ErrIllegal, p.GPUs, llamaMaxDevices)
	case p.MaxModelLen < 1 || p.MaxModelLen > llamaMaxContext:
		return fmt.Errorf("%w: a context of %d tokens, want 1 to %d", ErrIllegal, p.MaxModelLen, llamaMaxContext)
	case p.MaxSeqs < 1 || p.MaxSeqs > p.Engine.maxSlots():
		return fmt.Errorf("%w: %d slots, llama.cpp %s takes 1 to %d", ErrIllegal, p.MaxSeqs, p.Engine.Version, p.Engine.maxSlots())
	case p.Llama.MicroBatch < 1 || p.Llama.MicroBatch > 1<<20 || p.BatchedTokens < 1 || p.BatchedTokens > 1<<20:
		return fmt.Errorf("%w: a batch of %d tokens, want 1 to %d", ErrIllegal, p.Llama.MicroBatch, 1<<20)
	case p.Llama.CPUExperts < 0 || p.Llama.GPULayers < -1:
		return fmt.Errorf("%w: a negative number of layers", ErrIllegal)
	}
	return legalCache(m.Shape, kv, p.Llama.NoFlash)
}

// dealt refuses divisions other than whole layers on each device.
func dealt(p Plan) error {
	switch {
	case p.Tensor > 1:
		return fmt.Errorf("%w: llama.cpp deals whole layers out to GPUs; its other way, which parts rows of matrices (--split-mode row), "+
			"is not modeled, so there is no tensor parallel %d: use pipeline stages", ErrIllegal, p.Tensor)
	case p.Expert > 1:
		return fmt.Errorf("%w: llama.cpp has no expert parallelism, so there is no expert parallel %d", ErrIllegal, p.Expert)
	case p.Data > 1:
		return fmt.Errorf("%w: llama.cpp has no data parallelism; start it %d times instead", ErrIllegal, p.Data)
	}
	return nil
}

// legalCache holds the format of the cache against the widths of the model.
func legalCache(s *arch.Shape, kv kvType, noFlash bool) error {
	if !kv.quantized() {
		return nil
	}
	for i := range s.Blocks {
		m := &s.Blocks[i].Mixer
		if noFlash && attends(m.Kind) && m.Kind != arch.Latent {
			return fmt.Errorf("%w: a cache of values in %s needs flash attention; turn it on or keep the cache in f16", ErrIllegal, kv.name)
		}
		for _, width := range []int64{m.KeyWidth, m.ValueWidth} {
			if m.Kind != arch.Latent && attends(m.Kind) && width%kv.numbers != 0 {
				return fmt.Errorf("%w: heads of %d numbers do not divide into the blocks of %d of a cache in %s; keep it in f16",
					ErrIllegal, width, kv.numbers, kv.name)
			}
		}
	}
	return nil
}

// llamaRun is one configuration, ready to be counted.
type llamaRun struct {
	m     Model
	p     Plan
	kv    kvType
	place placement
	align int64

	window  int64
	weights *weighed
	layers  []layerTraits // without what depends on the context
	kinds   []int         // which layers stand for all in the plan of the buffers
	memo    *llamaMemo    // nil where nothing is kept
}

// newLlamaRun places the weights. Devices align tensors to 128 bytes, the host to 32.
func newLlamaRun(m Model, p Plan, align int64) *llamaRun {
	r := &llamaRun{m: m, p: p, align: align, window: largestWindow(m.Shape)}
	r.kv, _ = llamaKV(p.KV)
	r.place = placed(len(m.Shape.Blocks), p.GPUs, p.Llama.GPULayers, p.Llama.CPUExperts)
	r.weights = weigh(m, &r.place, align)
	r.layers = r.traits()
	r.kinds = representatives(r.layers, r.place.devices > 0 && !r.place.complete())
	return r
}

// traits of all layers. Layers that share their tensors and their mixer are read once.
func (r *llamaRun) traits() []layerTraits {
	out := make([]layerTraits, len(r.m.Shape.Blocks))
	for i := range out {
		b := &r.m.Shape.Blocks[i]
		if j := alike(r.m.Shape.Blocks, i); j >= 0 {
			out[i] = out[j]
		} else {
			traitsOf(r.m.Shape, b, &out[i])
			if r.place.devices > 0 && !r.place.complete() {
				sizesOf(r.weights, b, &out[i])
			}
		}
		r.locate(&out[i], i)
	}
	return out
}

// alike is an earlier layer with the same tensors and mixer, or -1.
func alike(blocks []arch.Block, i int) int {
	for j := i - 1; j >= 0 && j >= i-12; j-- {
		a, b := &blocks[j], &blocks[i]
		if len(a.Tensors) == len(b.Tensors) && len(a.Tensors) > 0 && &a.Tensors[0] == &b.Tensors[0] && a.Mixer == b.Mixer && a.MLP == b.MLP {
			return j
		}
	}
	return -1
}

// offloadFrom is the number of tokens from which an operation on weights of the host runs on a device all the same,
// which fetches the weights for it.
const offloadFrom = 32

func (r *llamaRun) locate(t *layerTraits, i int) {
	on := r.place.blocks[i]
	t.on, t.home, t.store, t.expert = on, on, on, on
	if i < r.place.experts {
		t.expert = host
	}
	if on == host && r.place.devices > 0 && r.tokens() >= offloadFrom {
		t.on = 1
	}
}

// tokens of the largest micro-batch.
func (r *llamaRun) tokens() int64 {
	return min(r.p.Llama.MicroBatch, r.p.BatchedTokens, r.p.MaxModelLen)
}

// representatives picks layers that stand for all. Layers repeat with a period (one, or a few where some have a window
// or experts), and each period leaves the buffers as the one before it or the one before that; so an even number of
// periods is left out, and the peak stays what it is. Layers in no order are all taken, and all where weights are fetched
// from the host, since fragments then go on moving.
func representatives(layers []layerTraits, all bool) []int {
	kinds := kindsOf(layers)
	out := make([]int, 0, len(kinds))
	if all {
		for i := range layers {
			out = append(out, i)
		}
		return out
	}
	for start := 0; start < len(layers); {
		end := start + 1
		for end < len(layers) && layers[end].on == layers[start].on && layers[end].home == layers[start].home {
			end++
		}
		out = thinned(out, kinds[start:end], start)
		start = end
	}
	return out
}

// thinned takes the layers of one device.
func thinned(out, kinds []int, start int) []int {
	lead, period := periodOf(kinds)
	times := (len(kinds) - lead) / period
	left := max(0, times-max(2, keptLayers/period)) / 2 * 2 * period
	for i := range kinds {
		if i < lead+period || i >= lead+period+left {
			out = append(out, start+i)
		}
	}
	return out
}

// The longest period and lead that are looked for, and how many layers are planned at least.
const (
	longestPeriod = 12
	longestLead   = 8
	keptLayers    = 4
)

// kindsOf numbers the layers by kind.
func kindsOf(layers []layerTraits) []int {
	var firsts []int
	out := make([]int, len(layers))
	for i := range layers {
		k := slices.IndexFunc(firsts, func(j int) bool { return layers[j] == layers[i] })
		if k < 0 {
			k = len(firsts)
			firsts = append(firsts, i)
		}
		out[i] = k
	}
	return out
}

// periodOf finds from which layer on the kinds repeat, and after how many.
func periodOf(kinds []int) (lead, period int) {
	for period := 1; period <= longestPeriod; period++ {
		for lead := 0; lead <= longestLead && lead+2*period <= len(kinds); lead++ {
			if slices.Equal(kinds[lead:len(kinds)-period], kinds[lead+period:]) {
				return lead, period
			}
		}
	}
	return 0, len(kinds)
}

// buffers plans the forward pass for so many cells.
func (r *llamaRun) buffers(c cells) (*graph, *walk) {
	key := passOf(r, c)
	if found, ok := r.memo.pass(key); ok {
		return found.graph, found.walk
	}
	g, w := r.plan(c)
	r.memo.keep(key, planned{g, w})
	return g, w
}

func (r *llamaRun) plan(c cells) (*graph, *walk) {
	p := r.pass(c)
	copies := 1
	if r.place.devices > 1 && r.place.complete() {
		copies = pipelineCopies
	}
	g := p.build(r.place.devices+1, copies)
	return g, g.plan(r.align, -1)
}

// pipelineCopies is how many sets of inputs are kept where several devices work at once (GGML_SCHED_MAX_COPIES).
const pipelineCopies = 4

func (r *llamaRun) pass(c cells) *pass {
	p := &pass{
		d: r.m.Shape.Hidden.N, vocab: r.m.Shape.Vocab.N, tokens: r.tokens(), outputs: r.outputs(), cells: c.full, sequences: r.p.MaxSeqs,
		windowCells: c.window, flash: !r.p.Llama.NoFlash, kvType: r.kv, windowed: r.window > 0, outputOn: r.place.output,
		transposed: r.p.Llama.NoFlash, latent: true, learned: learnedPositions(r.m.Shape),
	}
	p.firstOn = r.layers[0].on
	for _, i := range r.kinds {
		t := r.layers[i]
		p.layers = append(p.layers, t)
		p.latent = p.latent && (t.latent.rank > 0 || !t.attention)
		p.kWidth = max(p.kWidth, t.ek)
		p.vWidthMax = max(p.vWidthMax, product(t.k, t.ev))
	}
	return p
}

func (r *llamaRun) outputs() int64 {
	if r.p.Llama.AllOutputs {
		return r.tokens()
	}
	return min(r.tokens(), r.p.MaxSeqs)
}

// fitLlama is the account of the device that binds, or of the host where there is no device.
func fitLlama(m Model, p Plan) (*Memory, error) { return newLlamaMemo().fit(m, p) }

func (memo *llamaMemo) fit(m Model, p Plan) (*Memory, error) {
	if p.Engine.llama == nil {
		return nil, errUnresolved
	}
	p = completeLlama(m, p)
	if err := legalLlama(m, p); err != nil {
		return nil, err
	}
	return memo.run(m, p).memory(), nil
}

func alignmentOf(p Plan) int64 {
	if p.GPU != nil && p.GPU.Vendor == "nvidia" {
		return 128
	}
	return 32
}

func (r *llamaRun) memory() *Memory {
	c := cellsOf(r.window, r.p.MaxModelLen, r.p.MaxSeqs, &r.p.Llama)
	g, w := r.buffers(c)
	k := cachesOf(r.m.Shape, &r.place, c, r.kv, r.p.MaxSeqs)
	out := &Memory{Host: r.hostTerms(c, &k, w)}
	if r.place.devices == 0 {
		return r.onHost(out, c, &k)
	}
	on := backend(1)
	var most Interval
	for d := 1; d <= r.place.devices; d++ {
		terms := r.deviceTerms(backend(d), c, &k, w)
		if sum := total(terms); out.Terms == nil || sum.High > most.High {
			out.Terms, most, on = terms, sum, backend(d)
		}
	}
	out.Rank = r.rank(on)
	out.Terms[slices.IndexFunc(out.Terms, isBuffer)].Formula = g.explain(on, w.arenas[on])
	out.Capacity = r.p.GPU.Usable()
	out.Budget = out.Capacity
	out.Terms = slices.Concat(out.Terms, r.sharedWithHost(out.Host))
	out.Terms = append(out.Terms, r.m.doubts()...)
	r.judge(out, total(out.Terms))
	r.cache(out, on, c, &k)
	return out
}

func isBuffer(t Term) bool { return t.Part == Activation }

func total(terms []Term) Interval {
	var sum Interval
	for i := range terms {
		sum = sum.Plus(terms[i].Bytes)
	}
	return sum
}

func (r *llamaRun) rank(on backend) string {
	if r.place.devices == 1 {
		return "the GPU"
	}
	return fmt.Sprintf("GPU %d of %d", on, r.place.devices)
}

// sharedWithHost charges what lies on the host to a device that uses the same memory without a limit of its own.
func (r *llamaRun) sharedWithHost(terms []Term) []Term {
	if !r.p.GPU.Unified || r.p.GPU.Vendor == "apple" {
		return nil
	}
	return []Term{{Reserved, "what lies on the host, in the same memory", total(terms), "sum of the host", "one memory for both"}}
}

// onHost is the account without any device: nobody said how much memory the host has.
func (r *llamaRun) onHost(out *Memory, c cells, k *kept) *Memory {
	out.Rank, out.Verdict = "host", Tight
	out.Why = fmt.Sprintf("no GPU takes part, so all of %s lies in the memory of the host, and how much that has was not said",
		gib(total(out.Host).Mid))
	out.Terms = nil
	r.fillCache(out, host, c, k)
	return out
}

// judge compares with what the card has. The term that breaks it is the one with which the sum crosses the limit.
func (r *llamaRun) judge(out *Memory, sum Interval) {
	switch {
	case sum.High <= out.Budget && r.unsure() == "":
		out.Verdict = Fits
		out.Why = fmt.Sprintf("%s of %s are needed", gib(sum.High), gib(out.Budget))
		return
	case sum.High <= out.Budget:
		out.Verdict, out.Breaks = Tight, loosest(out.Terms)
		out.Why = fmt.Sprintf("%s of %s are needed as far as is known; %s", gib(sum.High), gib(out.Budget), r.unsure())
		return
	case sum.Low > out.Budget:
		out.Verdict = DoesNot
	default:
		out.Verdict = Tight
	}
	left := out.Budget
	for i := range out.Terms {
		if left -= out.Terms[i].Bytes.High; left < 0 {
			out.Breaks = &out.Terms[i]
			break
		}
	}
	out.Why = fmt.Sprintf("%s to %s are needed of %s", gib(sum.Low), gib(sum.High), gib(out.Budget))
}

// unsure says what is not counted, so that nothing better than tight can be said; "" if all is.
func (r *llamaRun) unsure() string {
	if gap := r.m.uncounted(); gap != nil {
		return gap.What + " are not: " + gap.Why
	}
	for i := range r.m.Shape.Blocks {
		if m := &r.m.Shape.Blocks[i].Mixer; m.Kind == arch.Compressed || m.Index > 0 {
			return "the buffers of sparse and compressed attention were not measured"
		}
	}
	return ""
}

// deviceTerms is what one device holds.
func (r *llamaRun) deviceTerms(on backend, c cells, k *kept, w *walk) []Term {
	terms := []Term{{Weights, "weights", Exact(r.weights.on[on]), r.weightsText(on), llamaSource + ": llama-model.cpp"}}
	if on == 1 && r.weights.towers > 0 {
		terms = append(terms, Term{
			Weights, "vision projector",
			Interval{0, r.weights.towers, r.weights.towers},
			"only where the server is given the projector (--mmproj)", "sum of its tensors",
		})
	}
	terms = append(terms, Term{KVCache, "KV cache", Exact(k.cache[on]), r.cacheText(c), llamaSource + ": llama-kv-cache.cpp"})
	if k.state[on] > 0 {
		terms = append(terms, Term{
			KVCache, "recurrent state", Exact(k.state[on]),
			fmt.Sprintf("%d sequences · 4 bytes · states of the convolution and of the recurrence", r.p.MaxSeqs), llamaSource + ": llama-memory-recurrent.cpp",
		})
	}
	terms = append(terms,
		Term{Activation, "compute buffer", r.compute(w.arenas[on].peak), "", llamaSource + ": ggml-alloc.c, llama-graph.cpp"},
		r.pool(),
		r.context(),
	)
	return terms
}

// compute widens the buffer where the graph of a layer is known only roughly.
func (r *llamaRun) compute(n int64) Interval {
	for i := range r.layers {
		if r.layers[i].recurrent.kind > 0 {
			return Interval{n - n/10, n, n + n/4}
		}
	}
	return Exact(n)
}

func (r *llamaRun) weightsText(on backend) string {
	n := 0
	for _, b := range r.place.blocks {
		if b == on {
			n++
		}
	}
	parts := []string{fmt.Sprintf("%d of %d layers", n, len(r.place.blocks))}
	if r.place.output == on {
		parts = append(parts, "the output")
	}
	if r.place.output == on && r.weights.copied > 0 {
		parts = append(parts, "where the embedding, which is the head as well, lies a second time")
	}
	if r.place.experts > 0 {
		parts = append(parts, fmt.Sprintf("without the experts of the first %d layers", r.place.experts))
	}
	return strings.Join(parts, ", ")
}

func (r *llamaRun) cacheText(c cells) string {
	s := fmt.Sprintf("%d cells", product(c.full, c.streams))
	if c.window != c.full {
		s += fmt.Sprintf(" (%d where a window of %d holds: window and micro-batch, rounded up to 256)", product(c.window, c.streams), r.window)
	}
	return s + " · keys and values of a token in " + r.kv.name
}

// pool is what CUDA kernels take beside the planned buffer: operands turned into other number formats, and a cache
// that is quantized turned back for attention over many tokens.
func (r *llamaRun) pool() Term {
	widest := int64(0)
	for _, i := range r.kinds {
		t := &r.layers[i]
		widest = max(widest, t.f, t.h*max(t.ek, t.ev), r.m.Shape.Hidden.N, product(t.topK, max(t.fe, r.m.Shape.Hidden.N)))
	}
	mid := product(2, r.tokens(), widest)
	high := product(2, mid)
	if r.kv.quantized() {
		cells := saturate(product(r.p.MaxModelLen, r.p.MaxSeqs), 256)
		high = saturate(high, product(4, cells, r.widestCache()))
	}
	return Term{
		NonTorch, "scratch of kernels",
		Interval{0, mid, high},
		fmt.Sprintf("2 bytes · %d tokens · %d, the widest operand; twice that at most, and one layer of a quantized cache in 16 bits", r.tokens(), widest),
		"ggml-cuda: pool",
	}
}

func (r *llamaRun) widestCache() int64 {
	n := int64(0)
	for _, i := range r.kinds {
		n = max(n, product(r.layers[i].k, max(r.layers[i].ek, r.layers[i].ev)))
	}
	return n
}

// context is what the driver takes before the first tensor.
func (r *llamaRun) context() Term {
	const mib = 1 << 20
	if r.p.GPU.Vendor == "apple" {
		return Term{Reserved, "Metal context", Interval{8 * mib, 32 * mib, 128 * mib}, "pipelines and command buffers", "estimate"}
	}
	return Term{Reserved, "CUDA context and libraries", Interval{250 * mib, 420 * mib, 650 * mib}, "driver, kernels, cuBLAS", "estimate"}
}

// hostTerms is what lies in the memory of the host.
func (r *llamaRun) hostTerms(c cells, k *kept, w *walk) []Term {
	name := "weights, mapped from the file"
	if r.p.Llama.NoMMap {
		name = "weights"
	}
	rows := r.p.MaxSeqs
	if r.p.Llama.AllOutputs {
		rows = r.p.BatchedTokens
	}
	terms := []Term{
		{Weights, name, Exact(r.weights.on[host]), r.weightsText(host) + ", the embedding", llamaSource + ": llama-model.cpp"},
		{Activation, "compute buffer", r.compute(w.arenas[host].peak), "inputs of the pass, and what runs on the host", llamaSource + ": ggml-alloc.c"},
		{
			Activation, "output buffer", Exact(product(4, r.m.Shape.Vocab.N, rows)),
			fmt.Sprintf("4 bytes · %d · %d rows", r.m.Shape.Vocab.N, rows), llamaSource + ": llama-context.cpp",
		},
	}
	if n := k.cache[host]; n > 0 {
		terms = append(terms, Term{KVCache, "KV cache", Exact(n), r.cacheText(c), llamaSource + ": llama-kv-cache.cpp"})
	}
	if n := k.state[host]; n > 0 {
		terms = append(terms, Term{KVCache, "recurrent state", Exact(n), "of layers on the host", llamaSource + ": llama-memory-recurrent.cpp"})
	}
	return terms
}

// MaxGPULayers is how many layers, the output counted as one, can be put on the devices of a plan so that it fits with
// the high end of every range: 0 if not even the output fits. The plan's own number of layers is not looked at.
func (m Model) MaxGPULayers(p Plan) (int, error) {
	if p.Engine.llama == nil {
		return 0, errUnresolved
	}
	p = completeLlama(m, p)
	if err := legalLlama(m, p); err != nil {
		return 0, err
	}
	fits := func(n int) bool {
		p.Llama.GPULayers = n
		return newLlamaRun(m, p, alignmentOf(p)).memory().Verdict == Fits
	}
	most := len(m.Shape.Blocks) + 1
	if p.GPUs == 0 {
		return 0, nil
	}
	if fits(most) { // the buffers are smaller when no weights have to be fetched
		return most, nil
	}
	low, high := 0, most
	for low+1 < high {
		if mid := (low + high) / 2; fits(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low, nil
}
