package serve

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

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
	peaks := r.buffers(c)
	k := cachesOf(r.m.Shape, &r.place, c, r.kv, r.p.MaxSeqs)
	out := &Memory{Host: r.hostTerms(c, &k, peaks[host])}
	if r.place.devices == 0 {
		return r.onHost(out, c, &k)
	}
	on := backend(1)
	var most Interval
	for d := 1; d <= r.place.devices; d++ {
		terms := r.deviceTerms(backend(d), c, &k, peaks[d])
		if sum := total(terms); out.Terms == nil || sum.High > most.High {
			out.Terms, most, on = terms, sum, backend(d)
		}
	}
	out.Rank = r.rank(on)
	out.Terms[slices.IndexFunc(out.Terms, isBuffer)].Formula = r.explain(c, on)
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
	if r.rows > 1 {
		return fmt.Sprintf("the main GPU of %d", r.rows)
	}
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
func (r *llamaRun) deviceTerms(on backend, c cells, k *kept, peak int64) []Term {
	held := Exact(r.weights.on[on])
	held.High = saturate(held.High, r.weights.loose)
	terms := []Term{{Weights, "weights", held, r.weightsText(on), llamaSource + ": llama-model.cpp"}}
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
		Term{Activation, "compute buffer", r.compute(peak), "", llamaSource + ": ggml-alloc.c, llama-graph.cpp"},
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
	if r.rows > 1 && on != host {
		parts = append(parts, fmt.Sprintf("of each matrix the rows of one of %d devices", r.rows))
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
func (r *llamaRun) hostTerms(c cells, k *kept, peak int64) []Term {
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
		{Activation, "compute buffer", r.compute(peak), "inputs of the pass, and what runs on the host", llamaSource + ": ggml-alloc.c"},
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
