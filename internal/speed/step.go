package speed

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/queue"
)

// Step is a forward pass with what takes its time.
func (m *Model) Step(b queue.Batch) Step {
	c := m.costs(loadOf(b))
	s := Step{Seconds: c.total()}
	var by [slots]float64
	for i, seconds := range c {
		if seconds <= 0 {
			continue
		}
		part := m.part(slot(i), seconds)
		s.Parts = append(s.Parts, part)
		by[i] = seconds
	}
	s.Bound = bound(&c)
	return s
}

func loadOf(b queue.Batch) load {
	return load{
		decodes: float64(max(0, b.Decodes)), context: atLeast(0, b.Context), verify: float64(max(0, b.Verify)),
		prompt: float64(max(0, b.Prompt)), before: atLeast(0, b.Before), prompts: float64(max(0, b.Prompts)),
	}
}

// causeOf is the cause that a slot counts as.
func causeOf(s slot) Cause {
	switch s {
	case readDense, readExperts:
		return Weights
	case readCache:
		return KV
	case computeDense, computeExperts, computeAttention:
		return Compute
	case reduce, hops:
		return Network
	case bubble:
		return Bubble
	}
	return Overhead
}

// bound is the cause that takes most.
func bound(c *costs) Cause {
	sums := map[Cause]float64{}
	best := Overhead
	for i, seconds := range c {
		cause := causeOf(slot(i))
		sums[cause] += seconds
		if sums[cause] > sums[best] {
			best = cause
		}
	}
	return best
}

const ours = "constants.yaml: fitted to public measurements"

// part describes what a slot stands for, with the numbers of this plan.
func (m *Model) part(s slot, seconds float64) Part {
	p := Part{Cause: causeOf(s), Seconds: seconds, Source: ours}
	r := &m.rates
	switch s {
	case readDense:
		p.Name, p.Formula = "weights", m.reads(false)
	case readExperts:
		p.Name, p.Formula = "experts", m.reads(true)
	case readCache:
		p.Name = "cache"
		p.Formula = fmt.Sprintf("entries of all sequences / (%s × %.2f)", rate(r.bandwidth), r.value[CacheRead])
	case computeDense:
		p.Name, p.Formula = "matrix products", m.computes(false)
	case computeExperts:
		p.Name, p.Formula = "products of experts", m.computes(true)
	case computeAttention:
		p.Name = "attention"
		p.Formula = fmt.Sprintf("pairs of tokens / (%.0f TFLOPS × %.2f in prompts, %.2f in answers)", r.peak/1e12, r.value[Scores], r.value[Answers])
	case reduce:
		p.Name = "exchange over " + m.linkName()
		p.Formula = fmt.Sprintf("%d layers × (%.1f µs and more with more ranks + bytes / (%s × %.2f))", m.work.Layers, 1e6*r.value[ReduceTime],
			rate(r.link), r.value[LinkShare])
	case hops:
		p.Name, p.Formula = "hops between stages", fmt.Sprintf("%d × %.1f µs + bytes / %s", m.work.Pipeline-1, 1e6*r.value[HopTime], rate(r.hop))
	case bubble:
		p.Name, p.Formula = "stages that wait", fmt.Sprintf("%d stages", m.work.Pipeline)
	default:
		p.Name, p.Formula = m.overhead(s)
	}
	return p
}

// overhead says what an engine does beside the model.
func (m *Model) overhead(s slot) (name, formula string) {
	r := &m.rates
	switch s {
	case scheduler:
		return "scheduler and sampler", fmt.Sprintf("%.2f ms", 1e3*r.value[StepTime])
	case layers:
		return "kernels", fmt.Sprintf("%d layers × %.1f µs", m.work.Layers, 1e6*r.value[LayerTime])
	case launches:
		return "launches", fmt.Sprintf("%d layers × %.0f µs on the host, beside the device", m.work.Layers, 1e6*r.value[LaunchTime])
	case perSequence:
		return "bookkeeping of sequences", fmt.Sprintf("%.1f µs each", 1e6*r.value[SequenceTime])
	case sampler:
		return "logits", fmt.Sprintf("sampled tokens × %d × %d B / %s", m.work.Vocab, logitBytes, rate(r.bandwidth))
	}
	return "", ""
}

func rate(bytes float64) string { return fmt.Sprintf("%.0f GB/s", bytes/1e9) }

func (m *Model) linkName() string {
	switch {
	case m.in.link == "direct" && m.card.Link != "":
		return m.card.Link
	case m.in.link == "none":
		return "pcie"
	}
	return m.in.link
}

// reads says how the time of reading weights comes about.
func (m *Model) reads(experts bool) string {
	var terms []string
	for i := range m.products {
		p := &m.products[i]
		if (p.Experts > 0) != experts || p.Bytes < 1e6 {
			continue
		}
		what := fmt.Sprintf("%.2f GB in %s", p.Bytes/1e9, p.Format)
		if experts {
			what += fmt.Sprintf(" × share of %d experts that are touched", p.Experts)
		}
		terms = append(terms, fmt.Sprintf("%s / %s", what, rate(p.read)))
	}
	return strings.Join(terms, " + ")
}

// computes says how the time of matrix products comes about.
func (m *Model) computes(experts bool) string {
	var terms []string
	for i := range m.products {
		p := &m.products[i]
		if (p.Experts > 0) != experts || p.MACs < 1e6 {
			continue
		}
		flops := p.flops
		terms = append(terms, fmt.Sprintf("tokens × %.2f GFLOP / %.0f TFLOPS of %s", 2*p.MACs/1e9, flops/1e12, p.computed.peak))
	}
	return strings.Join(terms, " + ")
}
