package speed

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// slot is a part of the time of a pass.
type slot int

const (
	readDense slot = iota
	readExperts
	readCache
	computeDense
	computeExperts
	computeAttention
	reduce
	hops
	bubble
	scheduler
	layers
	launches
	perSequence
	sampler
	slots
)

// costs are the seconds of a pass by what takes them.
type costs [slots]float64

func (c *costs) total() float64 {
	var sum float64
	for _, s := range c {
		sum += s
	}
	return sum
}

// share is what one rank sees of a batch.
type share struct {
	decodes  float64 // sequences
	context  float64 // tokens that each has in the cache, mean
	verify   float64
	prompt   float64
	before   float64
	prompts  float64
	routed   float64 // tokens of all ranks that share the experts
	sequence float64 // of the whole replica
}

func (s *share) tokens() float64  { return s.decodes*(1+s.verify) + s.prompt }
func (s *share) sampled() float64 { return s.decodes*(1+s.verify) + s.prompts }

// Pass is how long a forward pass takes, in seconds.
func (m *Model) Pass(b queue.Batch) float64 {
	c := m.costs(loadOf(b))
	return c.total()
}

// load is a batch in numbers that need not be whole, as a mean over passes is. How long a lone prompt takes is asked of
// the prompt and not of the passes: no other comes with it to fill the stages of a pipeline.
type load struct {
	decodes, context, verify, prompt, before, prompts float64

	lone bool
}

// parts are into how many parts the answers and the prompts of a batch fall for the stages of a pipeline, which work at
// different parts at the same time.
type parts struct{ decodes, prompt float64 }

// costs of a pass. A sequence passes all stages of a pipeline one after the other, each with one part of the batch.
func (m *Model) costs(b load) costs {
	var c costs
	p := m.parts(&b)
	ranks := float64(m.work.Data)
	s := share{
		decodes: b.decodes / (ranks * p.decodes), verify: b.verify,
		prompt: b.prompt / (ranks * p.prompt), before: b.before / (ranks * p.prompt), prompts: b.prompts / (ranks * p.prompt),
		routed: b.decodes*(1+b.verify)/p.decodes + b.prompt/p.prompt, sequence: b.decodes + b.prompts,
	}
	if b.decodes > 0 {
		s.context = b.context / b.decodes
		s.decodes = max(s.decodes, min(1, b.decodes)/p.decodes)
	}
	head := m.multiply(&s, &c)
	m.attend(&s, &c)
	m.exchange(&s, &c)
	m.overheads(&s, p.decodes, &c)
	m.pipeline(&b, p, head, &c)
	return c
}

func (m *Model) parts(b *load) parts {
	n := float64(m.work.Pipeline)
	p := parts{max(1, min(n, b.decodes)), 1}
	switch {
	case n <= 1:
		return parts{1, 1}
	case b.lone || b.decodes < 1:
		p.prompt = max(1, math.Ceil(b.prompt/m.chunk()))
	default:
		p.decodes = max(1, min(n, b.decodes+b.prompts))
		p.prompt = min(p.decodes, max(1, b.prompts, b.prompt/m.chunk())) // a prompt that is less than a piece is not parted
	}
	return p
}

// chunk is how many tokens of a prompt a stage works at in one go.
func (m *Model) chunk() float64 {
	if n := m.plan.Llama.MicroBatch; n > 0 {
		return float64(n)
	}
	return float64(max(1, m.plan.BatchedTokens))
}

// pipeline is what stages add: of a prompt alone in k parts, k-1 more parts pass the longest stage after the first, as far
// as stages work at the same time.
func (m *Model) pipeline(b *load, p parts, head float64, c *costs) {
	n := float64(m.work.Pipeline)
	if n <= 1 {
		return
	}
	even := (c.total() - head) / n
	uneven := n*max(even*m.work.Longest, even+head) - c.total()
	if b.lone || b.decodes < 1 {
		overlap := m.rates.value[Overlap] * m.ahead()
		c[bubble] += (c.total() + uneven) * (p.prompt - 1) * (overlap/n + 1 - overlap)
		return
	}
	if p.decodes > 1 {
		c[bubble] += uneven
	}
}

// ahead is how far the host gets with launching the next part of a prompt before a stage is done with this one: a device
// holds so many launches, and once those of one part fill it, the host waits, and with it all other stages.
func (m *Model) ahead() float64 {
	if m.plan.Engine.Kind != serve.LlamaCPP {
		return 1
	}
	each := 0.0 // launches of a layer
	for i := range m.products {
		p := &m.products[i]
		each += float64(p.Count) * 3
		if p.unpacking > 0 {
			each += float64(p.Count)
		}
	}
	stage := (each + 22*float64(m.work.Layers)) / float64(m.work.Pipeline)
	full := stage / heldLaunches
	return 1 / (1 + full*full)
}

const heldLaunches = 1024

// both joins the times of two things that overlap but for their ends: at least the longer, at most a fifth more.
func both(a, b float64) float64 {
	a, b = a*a, b*b
	return math.Sqrt(math.Sqrt(a*a + b*b))
}

// split puts the time of two things that overlap where the longer is counted.
func (c *costs) split(read, compute slot, a, b float64) {
	t := both(a, b)
	if a >= b {
		c[read] += t
		return
	}
	c[compute] += t
}

// least is the smaller of two rates, a little less where they are near each other.
func least(a, b float64) float64 {
	if a > b {
		a, b = b, a
	}
	x := a / b
	for range 4 {
		x *= x
	}
	return a / math.Pow(1+x, 1.0/16)
}
