package serve

import (
	"slices"

	"github.com/llmcheck/llmcheck/internal/arch"
)

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
