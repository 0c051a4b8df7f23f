package speed

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// unpacked is what is said of weights that are turned into 16 bits before they are multiplied.
const unpacked = "unpacked"

// computed is the number format in which a card computes with weights of a format: its own where card and engine have
// it, else 16 bits after the weights were unpacked. name tells groups of formats with one cost apart.
type computed struct {
	name string
	peak string
}

func computedIn(p *serve.Product, a *hardware.Accelerator, class string) computed {
	f := strings.ToLower(p.Format)
	switch {
	case p.Bits >= 16 && class == "native":
		return computed{"16 bits", "fp16 sums"}
	case p.Bits >= 16:
		return computed{"16 bits", "bf16"}
	case class == "native":
		return computed{"packed blocks", "fp16 sums"}
	case strings.HasPrefix(f, "fp8") || f == "mxfp8":
		if a.DenseTFLOPS["fp8"] > 0 && a.Supports["fp8"] {
			return computed{"fp8", "fp8"}
		}
	case strings.HasPrefix(f, "int8-per-channel"):
		if a.DenseTFLOPS["int8"] > a.DenseTFLOPS["bf16"] {
			return computed{"int8", "int8"}
		}
	case strings.HasPrefix(f, "nvfp4"):
		if a.Supports["fp4"] && a.DenseTFLOPS["fp4"] > 0 {
			return computed{"fp4", "fp4"}
		}
	case strings.HasPrefix(f, "mxfp4"):
		if a.Supports["fp4"] && a.DenseTFLOPS["fp8"] > 0 {
			return computed{"fp4", "fp8"} // activations are in 8 bits
		}
	}
	return computed{unpacked, "bf16"}
}

// peak is what the datasheet of a card says of products in a number format, FLOP a second.
//
// Native engines sum products up in 16 bits, which gaming cards do twice as fast as in 32; the datasheet tells by the rate
// of 8 bits.
func peak(a *hardware.Accelerator, format string) float64 { return boardPeak(a, format) / devices(a) }

func boardPeak(a *hardware.Accelerator, format string) float64 {
	if format == "fp16 sums" && a.Vendor == "nvidia" {
		return max(a.DenseTFLOPS["int8"]*1e12/2, boardPeak(a, "bf16"))
	}
	if v := a.DenseTFLOPS[format]; v > 0 {
		return v * 1e12
	}
	for _, other := range []string{"bf16", "fp16", "tf32", "fp32"} {
		if v := a.DenseTFLOPS[other]; v > 0 {
			return v * 1e12
		}
	}
	return bytesToFLOP * a.BandwidthGBs * 1e9
}

// bytesToFLOP is how many operations a device makes for each byte it reads where no datasheet tells: few, so that what
// is not known is not fast.
const bytesToFLOP = 30

// measured is the share of the peak of the best product that somebody measured, 0 where nobody did.
func measured(a *hardware.Accelerator) float64 {
	if a.MatmulBF16 <= 0 {
		return 0
	}
	return min(1, a.MatmulBF16*1e12/boardPeak(a, "bf16"))
}

// clocks is how many clocks the multiprocessors of a card (or what its maker calls so) have in a second, all together, 0
// where that is not known: each makes a multiplication and an addition on each of its lanes.
func clocks(a *hardware.Accelerator) float64 {
	lanes := 128.0
	switch {
	case a.Vendor != "nvidia" && a.Vendor != "amd" && a.Vendor != "apple":
		return 0
	case strings.HasPrefix(a.Compute, "7.") || a.Compute == "8.0" || a.Compute == "gfx908" || a.Compute == "gfx90a":
		lanes = 64
	}
	return a.DenseTFLOPS["fp32"] * 1e12 / (2 * lanes) / devices(a)
}
