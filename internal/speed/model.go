package speed

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// ErrUnknown is wrapped by the error for a device or a plan whose speed cannot be told.
var ErrUnknown = errors.New("speed cannot be told")

// Model is a plan whose passes can be timed. It does not change.
type Model struct {
	work  *serve.Work
	plan  serve.Plan
	card  *hardware.Accelerator
	in    setting
	cons  *Constants
	terms [][]int // by quantity

	pool     float64 // bytes of the cache of one replica on one rank
	poolHigh float64 // the same with the good end of its range
	known    Known   // what ranges take to be measured; nil asks the constants
	clocks   float64 // of all multiprocessors in a second
	measured float64 // share of the peak of the best product, 0 where nobody measured it

	rates    rates
	products []product
}

// rates are the quantities of this plan, in numbers.
type rates struct {
	value     [quantities]float64
	bandwidth float64 // bytes a second
	peak      float64 // of 16 bits, FLOP a second
	link      float64 // bytes a second in one direction between ranks of a stage
	hop       float64 // the same between stages
}

// product is a group of matrix products with what it reaches.
type product struct {
	*serve.Product
	computed computed
	terms    [4][]int // of WeightRead, Product, ExpertShare and Requests, with those of the format
	read     float64  // bytes a second
	flops    float64  // FLOP a second
	peak     float64
	missed   float64

	unpacking float64 // seconds for all weights
}

// Of is a model under a plan that is legal, with its account of memory.
func (c *Constants) Of(m *serve.Prepared, p serve.Plan, mem *serve.Memory) (*Model, error) {
	p, err := p.Complete(m.Model())
	switch {
	case err != nil:
		return nil, err
	case p.GPU == nil:
		return nil, fmt.Errorf("%w: no device is named", ErrUnknown)
	case p.GPU.BandwidthGBs <= 0:
		return nil, fmt.Errorf("%w: the bandwidth of the memory of %s is not known", ErrUnknown, p.GPU.Name)
	}
	p.KV = cacheFormat(m, &p)
	w, err := m.Work(p)
	if errors.Is(err, serve.ErrHost) {
		return nil, fmt.Errorf("%w: %w", ErrUnknown, err)
	}
	if err != nil {
		return nil, err
	}
	s := &Model{work: w, plan: p, card: p.GPU, in: settingOf(&p, w), cons: c, measured: measured(p.GPU), clocks: clocks(p.GPU)}
	s.pool = leastPool * float64(p.GPU.Usable())
	s.poolHigh = s.pool
	if mem != nil && mem.Verdict != serve.DoesNot {
		s.pool = float64(max(0, mem.Cache.Pool))
		s.poolHigh = max(s.pool, float64(mem.Sum(serve.KVCache).High))
	}
	s.collect()
	s.resolve(c.Values())
	return s, nil
}

// cacheFormat is the number format of the cache. Checkpoints of NVIDIA's quantizer ask for 8 bits: those in 4 bits, and
// those in 8 bits that its own engine is given.
func cacheFormat(m *serve.Prepared, p *serve.Plan) string {
	assumed := slices.ContainsFunc(p.Assumed, func(s serve.Setting) bool { return s.Name == "kv_dtype" })
	format := m.Format()
	quantizer := strings.HasPrefix(format, "nvfp4") || p.Engine.Kind == serve.TensorRT && strings.HasPrefix(format, "fp8")
	if assumed && quantizer && p.GPU.Supports["fp8"] {
		return "fp8"
	}
	return p.KV
}

// leastPool is the share of a device that is taken as cache where none is left by our account: who runs it all the same
// has some.
const leastPool = 0.08

// collect finds which constants hold here.
func (m *Model) collect() {
	m.terms = m.cons.Terms(m.in.groups)
	m.products = make([]product, len(m.work.Products))
	for i := range m.products {
		p := &m.products[i]
		p.Product = &m.work.Products[i]
		p.computed = computedIn(p.Product, m.card, m.in.class)
		p.peak = peak(m.card, p.computed.peak)
		for i, q := range [...]Quantity{WeightRead, Product, ExpertShare, Requests} {
			p.terms[i] = m.ofFormat(q, p.computed.name)
		}
		if p.Role == serve.Routed && p.Experts > 0 {
			p.missed = math.Log1p(-min(0.999999, float64(p.TopK)/float64(p.Experts)))
		}
	}
}

// ofFormat are the constants of a quantity, and those of a number format beside them.
func (m *Model) ofFormat(q Quantity, format string) []int {
	return m.cons.Further(int(q), m.terms[q], "format "+format, "class "+m.in.class+", format "+format,
		"engine "+m.in.engine+", format "+format, "generation "+m.in.generation+", format "+format)
}

// resolve computes every quantity from the values of the constants.
func (m *Model) resolve(values []float64) {
	r := &m.rates
	for q := range r.value {
		r.value[q] = m.cons.Value(q, values, m.terms[q])
	}
	r.bandwidth = m.card.BandwidthGBs * 1e9 / devices(m.card)
	ceiling := m.measured
	if ceiling == 0 {
		ceiling = r.value[Ceiling]
	}
	r.peak = peak(m.card, "bf16") * ceiling
	r.link, r.hop = m.between(m.in.link), m.between(linkOf(m.card, max(2, m.work.Tensor*m.work.Pipeline)))
	for i := range m.products {
		p := &m.products[i]
		p.read = r.bandwidth * m.cons.Value(int(WeightRead), values, p.terms[0])
		if m.clocks > 0 {
			p.read = least(p.read, m.clocks*m.cons.Value(int(Requests), values, p.terms[3]))
		}
		p.flops = p.peak * m.ceilingOf(p, ceiling) * m.cons.Value(int(Product), values, p.terms[1])
		p.unpacking = m.unpack(p)
		if p.Role == serve.Routed {
			p.flops *= m.cons.Value(int(ExpertShare), values, p.terms[2])
		}
	}
}

// ceilingOf is the best product that a format reaches. That in 32-bit sums says nothing of sums in 16 bits, where those are
// faster.
func (m *Model) ceilingOf(p *product, measured float64) float64 {
	if p.peak > peak(m.card, "bf16") && p.computed.peak == "fp16 sums" {
		return m.rates.value[Ceiling]
	}
	return measured
}

// devices is how many a board shows as; the figures of its datasheet are of all of them.
func devices(a *hardware.Accelerator) float64 { return float64(max(1, a.Devices)) }

// between is the bandwidth of one device to others, bytes a second in one direction.
func (m *Model) between(link string) float64 {
	switch link {
	case "direct":
		return m.card.LinkGBs * 1e9
	case "between nodes":
		return 50e9 // a 400 Gbit/s adapter for each device, as servers with eight have
	}
	return pcie(m.card) * 1e9
}

// pcie is what a slot carries in one direction: 1 GB/s a lane in the third generation, twice that in each after it.
func pcie(a *hardware.Accelerator) float64 {
	gen, lanes := a.PCIeGen, a.PCIeLanes
	if gen <= 0 {
		gen = 4
	}
	if lanes <= 0 {
		lanes = 16
	}
	return 0.985 * float64(lanes) * math.Exp2(float64(gen-3))
}

// Work is what one rank does in a pass.
func (m *Model) Work() *serve.Work { return m.work }
