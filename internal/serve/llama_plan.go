package serve

import (
	"fmt"
	"slices"
	"strconv"

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
	p.wantSlots()
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
		p.GPUs = max(1, p.Tensor)
	}
	return p
}

// wantSlots takes a slot for each request that is wanted at once, as far as the program has them: with fewer of them
// requests wait for each other, however much room there is.
func (p *Plan) wantSlots() {
	if n := min(int64(min(p.Wanted, maxTokens)), p.Engine.maxSlots()); p.MaxSeqs == 0 && n > 1 {
		p.MaxSeqs = n
		p.assume("n_parallel", strconv.FormatInt(n, 10), "a slot for each request that is wanted at once; each keeps a whole context")
	}
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
	case p.Tensor > 1 && p.Tensor != p.GPUs:
		return fmt.Errorf("%w: llama.cpp parts rows among all %d GPUs that it has, and not among %d of them", ErrIllegal, p.GPUs, p.Tensor)
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

// dealt refuses divisions other than whole layers on each device, or rows of all matrices on each (--split-mode row).
func dealt(p Plan) error {
	switch {
	case p.Tensor > 1 && p.Pipeline > 1:
		return fmt.Errorf("%w: llama.cpp deals whole layers out to GPUs (--split-mode layer) or parts rows of matrices (--split-mode row), "+
			"and not both: tensor parallel %d × pipeline %d", ErrIllegal, p.Tensor, p.Pipeline)
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
