package speed

import (
	"slices"

	"github.com/llmcheck/llmcheck/internal/bench"
)

// At is the figure that a measurement of this plan would show, with its range; false for a metric that is not computed.
func (m *Model) At(metric bench.Metric, l Load) (Range, bool) {
	r, mid := l.mean(), m.Mid(metric, l)
	if mid == 0 {
		return Range{}, false
	}
	switch metric {
	case bench.Decode:
		return m.around(decoding, mid, &r), true
	case bench.Prefill:
		return m.around(prompting, mid, &r), true
	case bench.MaxOutput, bench.UnderLimits:
		return m.unlimited(mid, &r, &l), true
	}
	c := m.neverFaster(m.each(l), &r, &l)
	ttft, tpot := m.latency(&c, &r)
	switch metric {
	case bench.TTFT:
		return ttft, true
	case bench.TPOT:
		return tpot, true
	case bench.WithPrompt:
		return overTime(mid, &ttft, &tpot, r.out), true
	}
	return overTime(mid, &ttft, &tpot, r.out-1), true
}

// Mid is the middle of a figure, 0 for a metric that is not computed.
func (m *Model) Mid(metric bench.Metric, l Load) float64 {
	n, replicas := l.mean(), float64(m.work.Replicas)
	switch metric {
	case bench.Decode:
		return m.single(&n)
	case bench.Prefill:
		return n.in / m.prompted(&n)
	case bench.MaxOutput, bench.UnderLimits:
		return replicas * m.most(&n, &l).output
	case bench.TTFT:
		return m.closed(m.each(l), &n, &l).ttft
	case bench.TPOT:
		return m.closed(m.each(l), &n, &l).tpot
	case bench.Output:
		return replicas * m.closed(m.each(l), &n, &l).output
	case bench.WithPrompt:
		c := m.closed(m.each(l), &n, &l)
		return (n.in + n.out) / (c.ttft + n.out*c.tpot)
	}
	return 0
}

// each is the requests at once of one of the replicas that share nothing.
func (m *Model) each(l Load) float64 {
	return max(1, atLeast(0, l.Concurrency)/float64(m.work.Replicas))
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
