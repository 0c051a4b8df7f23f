package speed

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/serve"
)

// multiply is the time of matrix products: weights are read once, and each token is multiplied with them. The last
// stage has the head beside its layers.
func (m *Model) multiply(s *share, c *costs) (head float64) {
	for i := range m.products {
		p := &m.products[i]
		switch p.Role {
		case serve.Routed:
			read, compute := m.experts(p, s.routed)
			c.split(readExperts, computeExperts, read, compute)
		case serve.Head:
			before := c[readDense] + c[computeDense]
			c.split(readDense, computeDense, p.Bytes/p.read, m.dense(p, s.sampled()))
			head += c[readDense] + c[computeDense] - before
		default:
			c.split(readDense, computeDense, p.Bytes/p.read, m.dense(p, s.tokens()))
		}
	}
	return head
}

// dense is the time of products with n tokens. Few tokens do not fill the units that multiply.
func (m *Model) dense(p *product, n float64) float64 {
	return 2*p.MACs/p.flops*math.Sqrt(n*(n+m.rates.value[TokenRamp])) + n*m.moves(p) + p.unpacking*n*n/(n*n+fewTokens*fewTokens)
}

// moves is the time in which what goes into the products of a token and comes out of them is written and read. Servers do
// that within their kernels.
func (m *Model) moves(p *product) float64 {
	if m.plan.Engine.Kind != serve.LlamaCPP {
		return 0
	}
	return p.Ends * movedBytes / m.rates.bandwidth
}

// movedBytes is what moves for each such number: 32 bits are written and read, and made 16 bits for the next product.
const movedBytes = 10

// fewTokens are multiplied with packed blocks as they are; for more the blocks are unpacked first, for the whole pass.
const fewTokens = 64

// unpack is the time of writing weights down in 16 bits from the blocks they are packed in, before products of many
// tokens. Apple's and the servers' kernels unpack on the way to the units that multiply.
func (m *Model) unpack(p *product) float64 {
	if p.computed.name != "packed blocks" || m.card.Unified {
		return 0
	}
	return p.Bytes * (1 + 16/p.Bits) / (m.rates.bandwidth * m.rates.value[CacheRead])
}

// experts is the time of routed experts for n tokens: those that the tokens touch are read, and each is multiplied with
// its share of the tokens. The busiest rank is waited for.
func (m *Model) experts(p *product, n float64) (read, compute float64) {
	if n <= 0 || p.Experts == 0 {
		return 0, 0
	}
	touched := 1 - math.Exp(p.missed*(1+max(0, n-1)*m.rates.value[Skew]))
	if n < 1 {
		touched *= n
	}
	each := n * float64(p.TopK) / (float64(p.Experts) * touched)
	busiest := 1.0
	if m.work.Expert > 1 {
		busiest += m.rates.value[Uneven] / math.Sqrt(max(1, each/2))
	}
	read = p.Bytes / p.read * min(1, touched*busiest)
	compute = n*busiest*(2*p.MACs/p.flops*math.Sqrt(1+m.rates.value[ExpertRamp]/each)+m.moves(p)) + p.unpacking*touched*each*each/(each*each+fewTokens*fewTokens)
	return read, compute
}
