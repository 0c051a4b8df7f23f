package speed

import "strings"

// Width is how far measurements lie from what is computed, in cases of one sort.
type Width struct {
	Of   string  `yaml:"of"`   // the family of figures: decode, prefill, max_output, ttft, tpot, with_prompt
	Case string  `yaml:"case"` // what narrows it: "seen, experts, few"; "" is all
	Low  float64 `yaml:"low"`  // measured by computed, below which one of ten lies
	High float64 `yaml:"high"` // above which one of ten lies
	Rows int     `yaml:"rows"`
}

// Seen is an engine on a generation of devices of which figures of a family were measured.
type Seen struct {
	Of   string   `yaml:"of"`
	Here []string `yaml:"here"` // "vllm on hopper"
}

// where names an engine on a generation of devices.
func (s *setting) where() string { return s.engine + " on " + s.generation }

// Where is the engine on the generation of devices that the plan is of, as measurements are sorted.
func (m *Model) Where() string { return m.in.where() }

// Case sorts a figure of a plan by what its range depends on; n is the requests at once, 0 where they are not limited.
func (m *Model) Case(seen bool, n float64) string {
	parts := []string{"unseen", "dense"}
	if seen {
		parts[0] = "seen"
	}
	if m.in.moe {
		parts[1] = "experts"
	}
	border := borders()
	switch {
	case n <= 0:
	case n <= border[0]:
		parts = append(parts, "alone")
	case n <= border[1]:
		parts = append(parts, "few")
	case n <= border[2]:
		parts = append(parts, "some")
	default:
		parts = append(parts, "many")
	}
	return strings.Join(parts, ", ")
}

// borders are the most requests at once of every case but the last. Beyond a border measurements may scatter less, which
// does not make anybody faster: the bad end of a range is at least that at the borders below.
func borders() [3]float64 { return [...]float64{1, 8, 48} }

// around is a figure with the range of its family, in the narrowest case that enough measurements are of.
func (m *Model) around(family string, mid, n float64) Range {
	if family == "output" { // what is answered a second is the inverse of the time between tokens
		w := m.width("tpot", n)
		return Range{mid / w.High, mid, mid / w.Low}
	}
	w := m.width(family, n)
	return Range{mid * w.Low, mid, mid * w.High}
}

// seen reports whether figures of a family were measured here. The time between tokens of one request alone is that of
// decoding, whatever it was measured as.
func (m *Model) seen(family string, n float64) bool {
	where := m.in.where()
	if family == "tpot" && n > 0 && n <= 1 {
		return m.cons.seen["decode "+where] || m.cons.seen["with_prompt "+where] || m.cons.seen["tpot "+where]
	}
	return m.cons.seen[family+" "+where]
}

func (m *Model) width(family string, n float64) Width {
	name := m.Case(m.seen(family, n), n)
	for {
		if w, ok := m.cons.widths[family+": "+name]; ok {
			return w
		}
		if rest, ok := strings.CutSuffix(name, "alone"); ok { // few are nearer to one than all are
			name = rest + "few"
			continue
		}
		i := strings.LastIndex(name, ", ")
		if i < 0 {
			break
		}
		name = name[:i]
	}
	if w, ok := m.cons.widths[family+": "]; ok {
		return w
	}
	return Width{Low: 0.5, High: 2} // a family of which nothing was measured
}
