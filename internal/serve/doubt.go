package serve

import (
	"strconv"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// bounds is what the parts that the configuration does not settle or describe add to the weights of a rank. How a plan divides them
// is not known either, so the high end is that of a rank that has all of it.
func (p *Prepared) bounds() Interval {
	var sum Interval
	for i := range p.model.Shape.Gaps {
		sum = sum.Plus(p.model.gap(&p.model.Shape.Gaps[i]))
	}
	for _, b := range p.model.Beside {
		sum = sum.Plus(b.interval())
	}
	return sum
}

func (b Beside) interval() Interval {
	n := min(max(0, b.Bytes), mostBytes)
	return Interval{0, n, n}
}

func (m Model) gap(g *arch.Gap) Interval {
	each := int64(2)
	if m.Shape.DType == "float32" {
		each = 4
	}
	return Interval{max(-m.Bytes(), -times(max(0, -g.Low), each)), 0, min(times(max(0, g.High), each), mostBytes)}
}

// doubts are the lines of these parts in the account.
func (p *Prepared) doubts() []Term { return p.model.doubts() }

func (m Model) doubts() []Term {
	var terms []Term
	for i := range m.Shape.Gaps {
		g := &m.Shape.Gaps[i]
		if g.Low == 0 && g.High == 0 {
			continue
		}
		terms = append(terms, Term{
			Weights, g.What, m.gap(g), strconv.FormatInt(g.Low, 10) + " to " + strconv.FormatInt(g.High, 10) + " parameters, whole on every rank", g.Why,
		})
	}
	for _, b := range m.Beside {
		terms = append(terms, Term{Weights, b.Name, b.interval(), "as stored, whole on every rank", "the weight files; no rule describes it"})
	}
	return terms
}

// uncounted is a part of which not even bounds are known; nil if there is none.
func (p *Prepared) uncounted() *arch.Gap { return p.model.uncounted() }

func (m Model) uncounted() *arch.Gap {
	for i := range m.Shape.Gaps {
		if g := &m.Shape.Gaps[i]; g.Low == 0 && g.High == 0 {
			return g
		}
	}
	return nil
}
