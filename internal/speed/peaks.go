package speed

import "slices"

// Peak is a figure of the card that the time of a pass is held against.
type Peak struct {
	What  string
	Value float64 // bytes or FLOP a second, of one device
	Unit  string
	Note  string
}

// Peaks lists the bandwidth of the memory and the peaks of the number formats that products are computed in.
func (m *Model) Peaks() []Peak {
	out := []Peak{{What: "memory bandwidth", Value: m.rates.bandwidth, Unit: "B/s", Note: "as the datasheet has it"}}
	for i := range m.products {
		p := &m.products[i]
		one := Peak{What: p.computed.peak + " matrix products, dense", Value: p.peak, Unit: "FLOP/s"}
		if m.measured > 0 && p.computed.peak == "bf16" {
			one.Note = "as the datasheet has it; the best product that somebody measured reaches a share of it, which counts as the ceiling"
		}
		if p.computed.name == unpacked {
			one.Note = "weights in " + p.Format + " are unpacked to it, for card or engine do not compute in them"
		}
		at := slices.IndexFunc(out, func(have Peak) bool { return have.What == one.What })
		switch {
		case at < 0:
			out = append(out, one)
		case p.computed.name == unpacked:
			out[at].Note = one.Note
		}
	}
	return out
}

// Replicas is how many copies of the model the plan has that share nothing, so that requests are dealt out to them.
func (m *Model) Replicas() int { return m.work.Replicas }
