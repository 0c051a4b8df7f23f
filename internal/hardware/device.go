package hardware

import "maps"

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
