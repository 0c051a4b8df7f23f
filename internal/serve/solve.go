package serve

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/units"
)

// Need is what a plan has to hold to be an answer.
type Need struct {
	Concurrency float64 // requests of MaxModelLen tokens at once; 0 is one
}

// Met reports whether an account meets a need with the pessimistic end of every range.
func (n Need) Met(m *Memory) bool {
	return m.Verdict == Fits && m.Cache.Concurrency >= max(1, n.Concurrency)
}

// Judge is the verdict on an account with the number of requests that is needed, and why.
func (n Need) Judge(m *Memory) (Verdict, string) {
	if m.Verdict == Fits && !n.Met(m) {
		return DoesNot, "the cache holds " + requests(m.Cache.Concurrency) + " requests of this length at once, and " +
			requests(n.Concurrency) + " are wanted"
	}
	return m.Verdict, m.Why
}

// requests is a number of them, cut and not rounded, so that 15.99 never looks like 16.
func requests(f float64) string {
	if f >= 100 || f == math.Floor(f) {
		return units.Thousands(int64(min(f, maxTokens)))
	}
	return strconv.FormatFloat(math.Floor(f*100)/100, 'f', -1, 64)
}

// Arrange chooses how the devices of a plan share the work where that was not said: tensor parallelism within one
// machine, pipeline stages across machines, and stages within a machine where the heads do not divide; layers alone for
// libraries. The error of the plan that comes nearest says why none is possible. Divisions lists the others.
func (m *Prepared) Arrange(p Plan) (Plan, error) {
	p.GPUs = p.Devices()
	p.Chosen = p.Chosen || p.open()
	if p.Engine.Kind == LlamaCPP {
		return arrangeLlama(p)
	}
	if p.divided() {
		return arrangeRest(p)
	}
	if p.Engine.profile != nil && p.Engine.profile.plain() && p.Expert <= 1 { // device_map deals out layers
		q := p
		q.Tensor, q.Pipeline, q.Data, q.Expert = 1, p.GPUs, 1, 1
		if m.possible(q) == nil {
			return q, nil
		}
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

// arrangeLlama deals the layers out to all devices, unless somebody asks for rows.
func arrangeLlama(p Plan) (Plan, error) {
	if p.Tensor > 1 && p.GPUs != p.Tensor && max(p.Pipeline, p.Data) <= 1 {
		return p, fmt.Errorf("%w: llama.cpp parts rows among all %d GPUs that it has, and not among %d of them", ErrIllegal, p.GPUs, p.Tensor)
	}
	if p.Pipeline > 0 && p.GPUs != p.Pipeline && max(p.Tensor, p.Data) <= 1 {
		return p, fmt.Errorf("%w: llama.cpp deals layers out to all %d GPUs that it has, and not to %d of them", ErrIllegal, p.GPUs, p.Pipeline)
	}
	if err := dealt(p); err != nil {
		return p, err
	}
	rows := max(1, p.Tensor)
	p.Tensor, p.Pipeline, p.Expert, p.Data = rows, p.GPUs/rows, 1, 1
	return p, nil
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

// possible is nil for a plan that an engine would start.
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

// partly reports whether part of the model was told to lie in the memory of the host. How much of it then lies on devices
// does not ask for more of them: there is one, unless somebody says otherwise.
func (m *Prepared) partly(p Plan) bool {
	o := p.Llama
	return p.Engine.Kind == LlamaCPP && (o.HostOnly || o.CPUExperts > 0 || o.GPULayers > 0 && o.GPULayers <= len(m.layers))
}

// maxMachines is how many machines are tried at most for one replica.
const maxMachines = 8

// ErrNoCount is wrapped by the error for a model that no number of these devices holds.
var ErrNoCount = errors.New("no number of these devices is enough")

// MinGPUs is the smallest number of devices that meets the need, and its account. The degrees of p are chosen anew, and a
// model that lies partly in the memory of the host is given one device. Where no number does, the error wraps ErrNoCount,
// and the account is that of the largest number that was worth trying, nil if there is none. Where a rule and no lack of
// room refuses them all, the error wraps ErrIllegal and not ErrNoCount.
func (m *Prepared) MinGPUs(p Plan, need Need) (Plan, *Memory, error) {
	counts := p.counts()
	if m.partly(p) {
		counts = counts[:1]
	}
	return m.fewest(p, need, counts)
}

func (m *Prepared) fewest(p Plan, need Need, counts []int) (Plan, *Memory, error) {
	if p.Engine.Kind == LlamaCPP {
		if err := dealt(p); err != nil {
			return p, nil, err
		}
	}
	p.Tensor, p.Pipeline, p.Data = 0, 0, 0
	least := m.least(p)
	last, refused := Answer{Plan: p}, errors.New("the weights alone are larger")
	for _, n := range counts {
		if float64(n)*float64(p.GPU.Usable()) <= float64(least) {
			continue
		}
		p.GPUs = n
		q, memory, err := m.Settle(p)
		switch {
		case err != nil:
			refused = err
		case need.Met(memory):
			return q, memory, nil
		default:
			if lower, memory, ok := m.lowered(q, memory, need); ok {
				return lower, memory, nil
			}
			last = Answer{m, q, memory}
		}
		if err == nil && memory.roomy && memory.Cache.Concurrency >= max(1, need.Concurrency) { // no number of devices mends that
			break
		}
	}
	if last.Memory != nil { // says more than why the largest number does not divide
		_, why := need.Judge(last.Memory)
		refused = errors.New(why)
	}
	if errors.Is(refused, ErrIllegal) { // more devices would not help
		return last.Plan, nil, refused
	}
	return last.Plan, last.Memory, fmt.Errorf("%w (up to %d × %s): %w", ErrNoCount, counts[len(counts)-1], p.GPU.Name, refused)
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
		p.Assumed = slices.Clip(p.Assumed)
		p.assume("gpu_memory_utilization", strconv.FormatFloat(share, 'g', -1, 64), "the default of "+
			strconv.FormatFloat(full.Utilization, 'g', -1, 64)+" leaves too little for what the engine does not count: up to "+gib(memory.outside.High))
		if memory, err := m.Fit(p); err == nil && need.Met(memory) {
			return p, memory, true
		}
	}
	return p, nil, false
}

// leastShare is the smallest share of a device that is proposed.
const leastShare = 0.3

// Settle is the account of a plan whose division is chosen where it was left open.
func (m *Prepared) Settle(p Plan) (Plan, *Memory, error) {
	q, err := m.Arrange(p)
	if err != nil {
		return p, nil, err
	}
	memory, err := m.Fit(q)
	return q, memory, err
}

// SettleOn settles a plan on its device, and where that does not hold it, on the first of some larger ones that does. It
// is for devices that are sold with several sizes of memory, where nobody said which: whoever has one that runs the model
// has the size that it takes. Where none does, the account is that of the plan's own device.
func (m *Prepared) SettleOn(p Plan, larger []*hardware.Accelerator) (Plan, *Memory, error) {
	first, memory, err := m.Settle(p)
	if err != nil || memory.Verdict == Fits {
		return first, memory, err
	}
	for _, gpu := range larger {
		q := p
		q.GPU = gpu
		if q, held, err := m.Settle(q); err == nil && held.Verdict == Fits {
			q.Assumed = slices.Clip(q.Assumed)
			q.assume("gpu_memory", strconv.FormatFloat(gpu.MemoryGB, 'f', -1, 64)+" GB", "the smallest of the sizes that "+p.GPU.Name+
				" is sold with, or a larger one, that holds this plan")
			return q, held, nil
		}
	}
	return first, memory, nil
}

// least is what all devices together hold of the weights at the least: numbers of 32 bits may be cast to 16, and the
// blocks that predict further tokens left out. llama.cpp leaves the embedding to the host, and whatever else it is told.
func (m *Prepared) least(p Plan) int64 {
	llama := p.Engine.Kind == LlamaCPP
	if o := p.Llama; llama && (o.HostOnly || o.CPUExperts > 0 || o.GPULayers > 0) {
		return 0
	}
	sum := m.behind.least()
	for i, n := range m.counts(0, len(m.layers)) {
		sum += n * m.kinds[i].least()
	}
	if llama {
		return sum
	}
	return sum + m.ahead.least()
}

func (k kind) least() int64 {
	var sum int64
	for i := range k {
		c := &k[i]
		n := c.tensor.Copies.N * c.format.Bytes(c.tensor.Rows.N, c.tensor.Cols.N)
		if c.rules.wide {
			n /= 2
		}
		sum += n
	}
	return sum
}

// Answer is a plan that was found, for the model in the format that was chosen, with its account.
type Answer struct {
	Model  *Prepared
	Plan   Plan
	Memory *Memory
}

// BestQuantization is the most precise of the usual formats, as stored first, with which a plan meets its need. Where the
// number of devices is left open, few devices come before precise numbers. Where nothing meets the need, ok is false and
// the answer is the smallest format, with a nil account if no engine starts it.
func (m *Prepared) BestQuantization(p Plan, need Need) (best Answer, ok bool) {
	for _, candidate := range m.Formats(p.Engine.Kind) {
		a := Answer{Model: candidate}
		var err error
		if p.Open() {
			a.Plan, a.Memory, err = candidate.MinGPUs(p, need)
		} else {
			a.Plan, a.Memory, err = candidate.Settle(p)
		}
		meets := err == nil && need.Met(a.Memory)
		switch {
		case meets && (!ok || a.Plan.GPUs < best.Plan.GPUs):
			best, ok = a, true
		case !ok && (a.Memory != nil || best.Model == nil):
			best = a
		}
	}
	return best, ok
}

// Open reports whether the number of devices is left to us.
func (p Plan) Open() bool { return p.GPUs == 0 && !p.divided() }

// Devices is how many the plan takes: as many as were asked for, else as its division needs.
func (p Plan) Devices() int {
	if p.GPUs > 0 {
		return p.GPUs
	}
	return max(1, p.Tensor) * max(1, p.Pipeline) * max(1, p.Data)
}

// divided reports whether somebody said how the devices share the work.
func (p Plan) divided() bool { return p.Tensor > 0 || p.Pipeline > 0 || p.Data > 0 }

// open reports whether several devices may share the work in more ways than one.
func (p Plan) open() bool { return p.GPUs > 1 && !p.divided() }

// Smaller are formats to store the weights in, the most precise first.
func Smaller(k Kind) []string {
	if k == LlamaCPP {
		return []string{"Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K"}
	}
	return []string{"fp8", "w4a16"}
}

// Formats are the model as stored and in the usual formats that take less, the most precise first. They are made once.
func (m *Prepared) Formats(k Kind) []*Prepared {
	if k == LlamaCPP {
		return m.forLlama()
	}
	return m.forServers()
}

func (m *Prepared) smaller(k Kind) []*Prepared {
	list := []*Prepared{m}
	for _, name := range Smaller(k) {
		scheme, err := quant.As(m.model.Shape, name)
		if err != nil {
			continue
		}
		with := m.model
		with.Weights = scheme
		if with.Bytes() < list[len(list)-1].bytes {
			list = append(list, Prepare(with))
		}
	}
	return list
}

// Format is the name of the number format of the weights.
func (m *Prepared) Format() string { return m.model.Weights.Name }

// MaxContext is the longest request, up to a limit, with which a plan meets its need, found by asking Fit, since the
// overheads of some engines grow with the length; to half a percent. It is 0 if not even the shortest does.
func (m *Prepared) MaxContext(p Plan, need Need, limit int64) int64 {
	meets := func(n int64) bool {
		p.MaxModelLen = n
		memory, err := m.Fit(p)
		return err == nil && need.Met(memory)
	}
	low, high := min(limit, shortest), limit
	switch {
	case limit <= 0 || !meets(low):
		return 0
	case meets(high):
		return high
	}
	for high-low > max(1, low/200) {
		if mid := low + (high-low)/2; meets(mid) {
			low = mid
		} else {
			high = mid
		}
	}
	return low
}

// shortest is the shortest context that is worth serving.
const shortest = 256

// OnPaper is the account on one card that is large enough for anything, for what depends on no card: the bytes of one
// rank and of one token.
func (m *Prepared) OnPaper(p Plan) (*Memory, Plan, error) {
	p.GPUs = p.Devices()
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
