package hardware

import (
	"maps"
	"strings"
)

// PerDevice is one of the devices as which a board shows: its share of the bandwidth, of the peaks, of the links and of
// the power. Speed is that of devices, and a plan counts them; memory is of one device already. A card that is one device
// is itself.
func (a *Accelerator) PerDevice() *Accelerator {
	if a.Devices < 2 {
		return a
	}
	one, n := *a, float64(a.Devices)
	one.Devices, one.MemoryGB = 1, a.MemoryGB/n
	one.BandwidthGBs, one.MatmulBF16, one.Watts, one.LinkGBs = a.BandwidthGBs/n, a.MatmulBF16/n, a.Watts/n, a.LinkGBs/n
	one.DenseTFLOPS = maps.Clone(a.DenseTFLOPS)
	for format := range one.DenseTFLOPS {
		one.DenseTFLOPS[format] /= n
	}
	return &one
}

// Generation sorts devices by architecture, as constants of speed do; cards for data centers and others of one architecture differ.
func (a *Accelerator) Generation() string {
	switch {
	case a.Arch == "ampere" && a.Compute == "8.0":
		return "ampere-server"
	case strings.HasPrefix(a.Arch, "blackwell") && strings.HasPrefix(a.Compute, "12"):
		return "blackwell-desktop"
	case strings.HasPrefix(a.Arch, "blackwell"):
		return "blackwell"
	case strings.HasPrefix(a.Arch, "rdna"):
		return "rdna"
	case strings.HasPrefix(a.Arch, "cdna"):
		return "cdna"
	case a.Arch == "":
		return "other"
	}
	return a.Arch
}
