package speed

import (
	"slices"

	"github.com/llmcheck/llmcheck/internal/bench"
)

// At is the figure that a measurement of this plan would show, with its range; false for a metric that is not computed.
func (m *Model) At(metric bench.Metric, l Load) (Range, bool) {
	family, mid := m.mid(metric, l)
	if family == "" {
		return Range{}, false
	}
	return m.around(family, mid, l.Concurrency), true
}

// mid is the middle of a figure, and the family that its range is of.
func (m *Model) mid(metric bench.Metric, l Load) (family string, mid float64) {
	r, replicas := l.mean(), float64(m.work.Replicas)
	each := max(1, l.Concurrency/replicas)
	switch metric {
	case bench.Decode:
		return "decode", m.single(&r)
	case bench.Prefill:
		return "prefill", r.in / m.prompted(&r)
	case bench.MaxOutput, bench.UnderLimits:
		return "max_output", replicas * m.most(&r, &l).Output
	case bench.TTFT:
		return "ttft", m.closed(each, &r, &l).TTFT.Mean
	case bench.TPOT:
		return "tpot", m.closed(each, &r, &l).TPOT.Mean
	case bench.Output:
		return "output", replicas * m.closed(each, &r, &l).Output
	case bench.WithPrompt:
		c := m.closed(each, &r, &l)
		return "with_prompt", (r.in + r.out) / (c.TTFT.Mean + r.out*c.TPOT.Mean)
	}
	return "", 0
}

// Values are the constants as they are added; a fit changes them.
func (c *Constants) Values() []float64 { return slices.Clone(c.values) }

// List are the constants as the file has them.
func (c *Constants) List() []Constant { return slices.Clone(c.list) }

// Added is a number of the file as it is added, and Written the other way round.
func (c *Constants) Added(i int, v float64) float64 {
	if c.list[i].By != "base" {
		return v
	}
	return c.kinds[c.of[i]].spread(v)
}

// Written is a value as the file has it.
func (c *Constants) Written(i int, x float64) float64 {
	if c.list[i].By != "base" {
		return x
	}
	return c.kinds[c.of[i]].squash(x)
}

// With is the same plan with other values of the constants.
func (m *Model) With(values []float64) *Model {
	other := *m
	other.products = slices.Clone(m.products)
	other.resolve(values)
	return &other
}

// Retune changes the values of a model that With has made.
func (m *Model) Retune(values []float64) { m.resolve(values) }

// Uses are the constants that hold for the plan.
func (m *Model) Uses() []int {
	var used []int
	for _, terms := range m.terms {
		used = append(used, terms...)
	}
	for i := range m.products {
		for _, terms := range m.products[i].terms {
			used = append(used, terms...)
		}
	}
	slices.Sort(used)
	return slices.Compact(used)
}
