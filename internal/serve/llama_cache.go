package serve

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// cells is how many tokens the caches hold.
type cells struct {
	full, window int64 // of one stream
	streams      int64 // caches beside each other: one for each sequence, or one for all
	endless      bool  // windows are not used
}

// cellsOf follows llama_kv_cache and llama_kv_cache_iswa: both kinds are rounded up to 256 cells. A window needs
// room for itself and for the tokens of a micro-batch, for each sequence that shares the cache.
func cellsOf(window, context, sequences int64, o *LlamaOptions) cells {
	c := cells{streams: 1, full: roundUp(product(context, sequences), 256)}
	inOne := sequences
	if !o.UnifiedKV {
		c.streams, c.full, inOne = sequences, roundUp(context, 256), 1
	}
	c.window, c.endless = c.full, window == 0 || o.FullWindow
	if window > 0 && !o.FullWindow {
		c.window = roundUp(min(c.full, saturate(product(window, inOne), o.MicroBatch)), 256)
	}
	return c
}

// cacheOf is what one layer keeps.
func (c cells) cacheOf(m *arch.Mixer, kv kvType) int64 {
	n := c.full
	switch m.Kind {
	case arch.Sliding, arch.Chunked:
		n = c.window
	case arch.Full, arch.Latent:
	case arch.Compressed:
		entries := product(saturate(ceil(n, m.Ratio), 1), saturate(rowsOf(m, kv), kv.row(m.Index)))
		return product(c.streams, saturate(entries, product(c.window, rowsOf(m, kv))))
	default:
		return 0
	}
	return product(c.streams, n, rowsOf(m, kv))
}

// rowsOf is what one cell of one layer takes: keys and values, or one compressed vector, with the key of an indexer.
func rowsOf(m *arch.Mixer, kv kvType) int64 {
	if m.Kind == arch.Latent {
		return saturate(kv.row(m.Latent+m.Rope), kv.row(m.Index))
	}
	both := saturate(kv.row(product(m.KVHeads, m.KeyWidth)), kv.row(product(m.KVHeads, m.ValueWidth)))
	if m.Kind == arch.Compressed {
		return both
	}
	return saturate(both, kv.row(m.Index))
}

// stateOf is what a recurrent layer keeps for one sequence, in 32 bits.
func stateOf(m *arch.Mixer) int64 { return product(4, saturate(m.Conv, m.State)) }

// ignoresWindow holds for classes whose window llama.cpp does not use: it keeps every token of every layer for them.
func ignoresWindow(class string) bool {
	for _, p := range []string{
		"Mistral", "Ministral", "Mixtral", "Phi3", "PhiMoE", "Phimoe", "Qwen2", "Qwen3", "Starcoder2", "SmolLM3", "Dots1",
		"HunYuan", "DeciLM", "Bailing",
	} {
		if strings.HasPrefix(class, p) {
			return true
		}
	}
	return false
}

// largestWindow is the window of the layers that have one; 0 if none has that llama.cpp uses.
func largestWindow(s *arch.Shape) int64 {
	w := int64(0)
	if ignoresWindow(s.Architecture) {
		return 0
	}
	for i := range s.Blocks {
		if m := &s.Blocks[i].Mixer; m.Kind == arch.Sliding || m.Kind == arch.Chunked || m.Kind == arch.Compressed {
			w = max(w, m.Window)
		}
	}
	return w
}

// shares reports whether a layer reads the cache of an earlier one.
func shares(m *arch.Mixer, i int) bool {
	return m.SharesWith >= 0 && m.SharesWith < i && attends(m.Kind)
}

// kept is the cache and the state by backend.
type kept struct{ cache, state, perToken []int64 }

func cachesOf(s *arch.Shape, p *placement, c cells, kv kvType, sequences int64) kept {
	n := p.devices + 1
	k := kept{make([]int64, n), make([]int64, n), make([]int64, n)}
	for i := range s.Blocks {
		m, on := &s.Blocks[i].Mixer, p.blocks[i]
		if shares(m, i) {
			continue
		}
		k.cache[on] = saturate(k.cache[on], c.cacheOf(m, kv))
		k.state[on] = saturate(k.state[on], product(sequences, stateOf(m)))
		if m.Kind == arch.Full || m.Kind == arch.Latent || c.endless && attends(m.Kind) {
			k.perToken[on] += rowsOf(m, kv)
		}
		if m.Kind == arch.Compressed {
			k.perToken[on] += ceil(saturate(rowsOf(m, kv), kv.row(m.Index)), m.Ratio)
		}
	}
	return k
}
