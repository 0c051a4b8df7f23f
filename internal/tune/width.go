package tune

import (
	"fmt"
	"math"
	"slices"
	"strings"
)

// Width is how far measurements of a family lie from what is computed. Of the base, Low and High are the factors of what
// is computed below which one of ten measurements lies, and above which one of ten does. Of a case, they are the powers
// to which those factors are raised where it holds: 1 changes nothing, 2 is twice as far in the logarithm.
type Width struct {
	Of   string  `yaml:"of"`
	Case string  `yaml:"case"` // base, or one of the cases of the family
	Low  float64 `yaml:"low"`
	High float64 `yaml:"high"`
	Rows int     `yaml:"rows"` // measurements that it was fitted on
}

// widest is the logarithm of the factor that no range exceeds: beyond that nothing is said.
const widest = 3

// Seen is what figures of a family were measured of.
type Seen struct {
	Of    string   `yaml:"of"`
	Here  []string `yaml:"here"`  // "vllm on hopper": what ran on which generation of devices
	Cards []string `yaml:"cards"` // "card h20"
	Sizes []string `yaml:"sizes"` // "size 32 x 4096"
}

// Known is what was measured, as "family place", "family card", "family size".
type Known map[string]bool

// Strength is a case and how much of it there is.
type Strength struct {
	Case string
	Much float64
}

// ranges are the widths of one family.
type ranges struct {
	base  Width
	cases map[string]Width
}

// known sorts the widths and what was seen.
func (t *Table) known(f *file) error {
	var err error
	if t.ranges, err = t.schema.sort(f.Widths); err != nil {
		return err
	}
	t.seen = make(Known, 64)
	for _, s := range f.Seen {
		for _, here := range slices.Concat(s.Here, s.Cards, s.Sizes) {
			t.seen[s.Of+" "+here] = true
		}
	}
	return nil
}

// Seen is what was measured.
func (t *Table) Seen() Known { return t.seen }

// Ends are how far below and above what is computed measurements lie, as logarithms, both above 0.
func (t *Table) Ends(family string, cases []Strength) (low, high float64) {
	w := t.ranges[family]
	low, high = -math.Log(w.base.Low), math.Log(w.base.High)
	for _, s := range cases {
		if c, ok := w.cases[s.Case]; ok {
			low, high = low*math.Pow(c.Low, s.Much), high*math.Pow(c.High, s.Much)
		}
	}
	return min(low, widest), min(high, widest)
}

// sort checks widths and sorts them by family.
func (s *Schema) sort(list []Width) (map[string]ranges, error) {
	out := map[string]ranges{}
	for _, family := range s.Families {
		out[family] = ranges{cases: map[string]Width{}}
	}
	for _, w := range list {
		r, ok := out[w.Of]
		if !ok {
			return nil, fmt.Errorf("the range of %s, which is no family", w.Of)
		}
		_, known := s.Cases(w.Of)[w.Case]
		switch {
		case w.Case == Base && w.Low > 0 && w.Low <= 1 && w.High >= 1 && w.High < 1e3:
			r.base = w
			out[w.Of] = r
		case w.Case == Base:
			return nil, fmt.Errorf("the range of %s from %v to %v does not hold its middle", w.Of, w.Low, w.High)
		case !known || !(w.Low >= 0.1 && w.Low <= 10 && w.High >= 0.1 && w.High <= 10):
			return nil, fmt.Errorf("the range of %s where it is %q is raised to the powers %v and %v", w.Of, w.Case, w.Low, w.High)
		default:
			r.cases[w.Case] = w
		}
	}
	for _, family := range s.Families {
		r := out[family]
		if r.base.Low == 0 || len(r.cases) != len(s.Cases(family)) {
			return nil, fmt.Errorf("the range of %s or of one of its cases is missing", family)
		}
	}
	return out, nil
}

// WithWidths are the same constants with other ranges.
func (t *Table) WithWidths(list []Width) (*Table, error) {
	sorted, err := t.schema.sort(list)
	if err != nil {
		return nil, err
	}
	other := *t
	other.ranges = sorted
	return &other, nil
}

// Widths are the ranges of all families, as the file has them.
func (t *Table) Widths() []Width {
	var list []Width
	for _, family := range t.schema.Families {
		r := t.ranges[family]
		list = append(list, r.base)
		for _, w := range r.cases {
			list = append(list, w)
		}
	}
	slices.SortFunc(list, func(a, b Width) int { return strings.Compare(a.Of+" "+a.Case, b.Of+" "+b.Case) })
	return list
}
