package speed

// Width is how far measurements lie from what is computed, in cases of one sort.
type Width struct {
	Of   string  `yaml:"of"`   // the family of figures: decode, prefill, max_output, ttft, tpot, with_prompt
	Case string  `yaml:"case"` // "", or what narrows it: "seen", "experts"
	Low  float64 `yaml:"low"`  // measured by computed, below which one of ten lies
	High float64 `yaml:"high"` // above which one of ten lies
	Rows int     `yaml:"rows"`
}

// around is a figure with the range of its family.
func (m *Model) around(family string, mid float64) Range {
	low, high := 0.7, 1.4
	best := -1
	for i := range m.cons.widths {
		w := &m.cons.widths[i]
		if w.Of == family && m.is(w.Case) && (best < 0 || len(w.Case) > len(m.cons.widths[best].Case)) {
			best = i
		}
	}
	if best >= 0 {
		low, high = m.cons.widths[best].Low, m.cons.widths[best].High
	}
	return Range{mid * low, mid, mid * high}
}

// is reports whether a plan is a case of a sort.
func (m *Model) is(name string) bool {
	switch name {
	case "":
		return true
	case "experts":
		return m.in.moe
	}
	return false
}
