package serve

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

// Need is what a plan has to hold to be an answer.
type Need struct {
	Concurrency float64 // requests of MaxModelLen tokens at once; 0 is one
}

// Met reports whether an account meets a need with the pessimistic end of every range.
func (n Need) Met(m *Memory) bool {
	return m.Verdict == Fits && m.Cache.Concurrency >= max(1, n.Concurrency)
}

// Arrange chooses how the devices of a plan share the work where that was not said: tensor parallelism within one
// machine, pipeline stages across machines, and stages within a machine where the heads do not divide. The error of
// the plan that comes nearest says why none is possible.
func (m *Prepared) Arrange(p Plan) (Plan, error) {
	p.GPUs = max(p.GPUs, 1)
	if p.Engine.Kind == LlamaCPP {
		p.Tensor, p.Pipeline, p.Expert, p.Data = 1, p.GPUs, 1, 1
		return p, nil
	}
	if p.Tensor > 0 || p.Pipeline > 0 || p.Data > 0 {
		return arrangeRest(p)
	}
	var first error
	for tensor := min(p.GPUs, p.node()); tensor > 0; tensor-- {
		if p.GPUs%tensor != 0 {
			continue
		}
		q := p
		q.Tensor, q.Pipeline, q.Data, q.Expert = tensor, p.GPUs/tensor, 1, max(1, p.Expert)
		if x := p.Expert; x > tensor && x%tensor == 0 && p.GPUs%x == 0 { // more ranks share the experts than one replica has
			q.Data, q.Pipeline = x/tensor, p.GPUs/x
		}
		err := m.possible(q)
		if err == nil {
			return q, nil
		}
		if first == nil {
			first = err
		}
	}
	return p, first
}

// node is how many devices one machine holds.
func (p Plan) node() int {
	if p.GPU.MaxPerNode > 0 {
		return min(p.GPU.MaxPerNode, maxRanks)
	}
	return 1
}

// Nodes is how many machines the plan takes.
func (p Plan) Nodes() int { return (p.GPUs + p.node() - 1) / p.node() }

// arrangeRest fills in the degrees that follow from those given.
func arrangeRest(p Plan) (Plan, error) {
	tensor, pipeline, data := max(1, p.Tensor), max(1, p.Pipeline), max(1, p.Data)
	switch product := tensor * pipeline * data; {
	case p.GPUs%product != 0:
		return p, fmt.Errorf("%w: tensor %d × pipeline %d × data %d is %d, and %d GPUs are no multiple of that", ErrIllegal,
			tensor, pipeline, data, product, p.GPUs)
	case p.Pipeline == 0:
		pipeline = p.GPUs / (tensor * data)
	case p.Tensor == 0:
		tensor = p.GPUs / (pipeline * data)
	case p.Data == 0:
		data = p.GPUs / (tensor * pipeline)
	case product != p.GPUs:
		return p, fmt.Errorf("%w: tensor %d × pipeline %d × data %d is %d, not the %d GPUs asked for", ErrIllegal, tensor, pipeline,
			data, product, p.GPUs)
	}
	p.Tensor, p.Pipeline, p.Data, p.Expert = tensor, pipeline, data, max(1, p.Expert)
	return p, nil
}

// possible reports why an engine would refuse a plan; nil if it would not.
func (m *Prepared) possible(p Plan) error {
	q, err := p.Complete(m.model)
	if err != nil {
		return err
	}
	if err := errors.Join(m.legalDevice(&q), m.legalLength(&q)); err != nil {
		return err
	}
	f := m.start(q)
	return m.legal(q, &f.split)
}

// counts are the numbers of devices that are tried: every one in a machine, then whole machines.
func (p Plan) counts() []int {
	var list []int
	for n := 1; n <= p.node(); n++ {
		list = append(list, n)
	}
	if p.Engine.Kind == LlamaCPP || p.node() < 2 {
		return list
	}
	for machines := 2; machines <= maxMachines; machines *= 2 {
		list = append(list, machines*p.node())
	}
	return list
}

// Most is the largest number of devices that is tried.
func (p Plan) Most() int {
	list := p.counts()
	return list[len(list)-1]
}

// maxMachines is how many machines are tried at most for one replica.
const maxMachines = 8

// ErrNoCount is wrapped by the error for a model that no number of these devices holds.
var ErrNoCount = errors.New("no number of these devices is enough")

// MinGPUs is the smallest number of devices that meets the need, and its account. The degrees of p are chosen anew.
func (m *Prepared) MinGPUs(p Plan, need Need) (Plan, *Memory, error) {
	p.Tensor, p.Pipeline, p.Data = 0, 0, 0
	var last error
	for _, n := range p.counts() {
		if float64(n)*float64(p.GPU.Usable()) <= float64(m.bytes) { // not even the weights
			continue
		}
		p.GPUs = n
		q, err := m.Arrange(p)
		if err != nil {
			last = err
			continue
		}
		memory, err := m.Fit(q)
		if err != nil {
			last = err
			continue
		}
		if need.Met(memory) {
			return q, memory, nil
		}
		if lower, memory, ok := m.lowered(q, memory, need); ok {
			return lower, memory, nil
		}
		last = errors.New(memory.Why)
	}
	if last == nil {
		last = errors.New("the weights alone are larger")
	}
	return p, nil, fmt.Errorf("%w (up to %d × %s): %w", ErrNoCount, p.Most(), p.GPU.Name, last)
}

// lowered is a plan with a smaller share of the device than is the default, if it meets the need where the default
// leaves too little for what lives outside of it.
func (m *Prepared) lowered(p Plan, memory *Memory, need Need) (Plan, *Memory, bool) {
	if p.Utilization != 0 || p.Engine.Kind == LlamaCPP {
		return p, nil, false
	}
	return m.share(p, memory, need)
}

// share is a plan with the largest share that leaves room for what lives outside of it, if that is smaller than the
// share of the plan and meets the need.
func (m *Prepared) share(p Plan, memory *Memory, need Need) (Plan, *Memory, bool) {
	full, err := p.Complete(m.model)
	if err != nil || memory.Capacity <= 0 {
		return p, nil, false
	}
	percent := int64(100 * (1 - float64(memory.outside.High)/float64(memory.Capacity)))
	if share := float64(percent) / 100; share >= leastShare && share < full.Utilization {
		p.Utilization = share
		p.Assumed = p.Assumed[:len(p.Assumed):len(p.Assumed)]
		p.assume("gpu_memory_utilization", strconv.FormatFloat(share, 'g', -1, 64), "the default of "+
			strconv.FormatFloat(full.Utilization, 'g', -1, 64)+" leaves too little for what the engine does not count: up to "+size(memory.outside.High))
		if memory, err := m.Fit(p); err == nil && need.Met(memory) {
			return p, memory, true
		}
	}
	return p, nil, false
}

// leastShare is the smallest share of a device that is proposed.
const leastShare = 0.3

// MaxContext is the longest request that a plan holds, found by asking Fit, since the overheads of some engines grow
// with the length. It is 0 if not even the shortest fits.
func (m *Prepared) MaxContext(p Plan, most int64) int64 {
	fits := func(n int64) bool {
		p.MaxModelLen = n
		memory, err := m.Fit(p)
		return err == nil && memory.Verdict == Fits
	}
	if most <= 0 || !fits(min(most, shortest)) {
		return 0
	}
	if fits(most) {
		return most
	}
	low, high := min(most, shortest), most // fits(low), not fits(high)
	for high-low > max(1, low/512) {
		mid := low + (high-low)/2
		if fits(mid) {
			low = mid
			continue
		}
		high = mid
	}
	return low
}

// shortest is the shortest context that is worth serving.
const shortest = 256

// OnPaper is the account on one card that is large enough for anything, for what depends on no card: the bytes of one
// rank and of one token.
func (m *Prepared) OnPaper(p Plan) (*Memory, Plan, error) {
	p.GPUs = max(p.GPUs, 1)
	p.GPU = &hardware.Accelerator{ID: "unknown", Name: p.GPU.Name, VisibleMiB: paperMiB, MaxPerNode: p.GPUs}
	p, err := m.Arrange(p)
	if err != nil {
		return nil, p, err
	}
	memory, err := m.Fit(p)
	return memory, p, err
}

const paperMiB = 1 << 30

// Model is what was prepared.
func (m *Prepared) Model() Model { return m.model }
