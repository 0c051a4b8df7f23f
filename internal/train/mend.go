package train

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

// Change is what makes a plan fit.
type Change struct {
	Text   string  // "compute all activations again"
	Flag   string  // that asks for it
	Slower float64 // time of a token on one device against that before, less 1; 0 if it is not known
	Job    Job
	Plan   Plan
	Memory *Memory
}

// mending is a plan with the changes that led to it.
type mending struct {
	job   Job
	plan  Plan
	texts []string
	flags []string
}

func (m mending) with(text, flag string) mending {
	m.texts, m.flags = append(slices.Clone(m.texts), text), append(slices.Clone(m.flags), flag)
	return m
}

// mender looks for changes.
type mender struct {
	meter
	before float64 // seconds of a token on one device
}

// Mends are the smallest changes by which a complete plan surely fits: on the same devices those that cost least time first,
// then other devices, then what changes the job itself. Each was accounted for; none leads to a plan that is illegal. Cards are those that may take the place of the one of the plan. There are
// none where the plan fits.
func Mends(c *Constants, j Job, p Plan, cards ...*hardware.Accelerator) ([]Change, error) {
	return mends(meter{Account, c.Seconds, c.Time}, j, p, cards)
}

func mends(m meter, j Job, p Plan, cards []*hardware.Accelerator) ([]Change, error) {
	if err := p.Check(&j); err != nil {
		return nil, err
	}
	now, err := m.account(&j, &p)
	if err != nil || now.Verdict == Fits || now.Capacity == 0 {
		return nil, err
	}
	h := mender{meter: m}
	h.before = h.pace(&j, &p)
	start := mending{job: j, plan: p}
	var found []Change
	for _, way := range start.ways() {
		if c, ok := h.least(way); ok {
			found = append(found, c)
		}
	}
	if len(found) == 0 {
		if c, ok := h.together(start); ok {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b Change) int { return cmp.Compare(a.Slower, b.Slower) })
	for _, way := range [][]mending{h.devices(start), h.cards(start, cards), h.methods(start), start.shorter()} {
		if c, ok := h.least(way); ok {
			found = append(found, c)
		}
	}
	return found, nil
}

// pace is how long a device takes for its share of a token.
func (h *mender) pace(j *Job, p *Plan) float64 {
	step, _, err := h.seconds(j, p)
	if err != nil {
		return 0
	}
	return step / (float64(j.Global) * float64(j.Sequence)) * float64(p.GPUs)
}

// least is the first of several steps that fits.
func (h *mender) least(steps []mending) (Change, bool) {
	for _, s := range steps {
		if c, ok := h.try(s); ok {
			return c, true
		}
	}
	return Change{}, false
}

// try accounts for a step.
func (h *mender) try(s mending) (Change, bool) {
	if s.plan.Check(&s.job) != nil {
		return Change{}, false
	}
	m, err := h.account(&s.job, &s.plan)
	if err != nil || m.Verdict != Fits {
		return Change{}, false
	}
	c := Change{Text: strings.Join(s.texts, " and "), Flag: strings.Join(s.flags, " "), Job: s.job, Plan: s.plan, Memory: m}
	if after := h.pace(&s.job, &s.plan); after > 0 && h.before > 0 {
		c.Slower = after/h.before - 1
	}
	return c, true
}

// ways are the kinds of changes on the same devices, each with its steps, the smallest first.
func (m mending) ways() [][]mending {
	return [][]mending{m.losses(), m.sequences(), m.passes(), m.recomputes(), m.zeros(), m.divisions(), m.optimizers(), m.offloads()}
}

// losses keep fewer logits.
func (m mending) losses() []mending {
	if m.job.Loss != Plain {
		return nil
	}
	var list []mending
	for _, l := range []struct {
		loss Loss
		text string
	}{{Chunked, "compute the loss for a part of the sequence after the other"}, {Fused, "compute head and loss in one kernel (Liger)"}} {
		s := m
		s.job.Loss = l.loss
		list = append(list, s.with(l.text, "--loss "+string(l.loss)))
	}
	return list
}

// sequences let tensor ranks share what lies between products.
func (m mending) sequences() []mending {
	if !m.plan.NoSequence || m.plan.Tensor == 1 {
		return nil
	}
	m.plan.NoSequence = false
	return []mending{m.with("let tensor ranks share the sequence between products", "--no-sequence-parallel=false")}
}

// passes are smaller ones, with the same batch.
func (m mending) passes() []mending {
	var list []mending
	for n := m.plan.Micro / 2; n >= 1; n /= 2 {
		s := m
		s.plan.Micro = n
		list = append(list, s.with("take "+strconv.FormatInt(n, 10)+" of the sequences at once", "--micro-batch "+strconv.FormatInt(n, 10)))
	}
	return list
}

func (m mending) recomputes() []mending {
	var list []mending
	for _, r := range []Recompute{Selective, Whole} {
		if r.order() <= m.job.Recompute.order() || r == Selective && !m.job.Framework.habits().selective {
			continue
		}
		s := m
		s.job.Recompute = r
		text := "compute all activations again in the backward pass"
		if r == Selective {
			text = "compute those of attention again in the backward pass"
		}
		list = append(list, s.with(text, "--recompute "+string(r)))
	}
	return list
}

// zeros let data ranks share more.
func (m mending) zeros() []mending {
	what := [...]string{"", "the states of the optimizer", "gradients and states", "weights, gradients and states"}
	var list []mending
	for z := m.plan.Zero + 1; z <= 3; z++ {
		s := m
		s.plan.Zero = z
		if m.plan.Data*m.plan.Context > 1 && s.plan.legalSharded(&s.job) == nil {
			list = append(list, s.with("let data ranks share "+what[z], "--zero "+strconv.Itoa(z)))
		}
	}
	if m.plan.Shard > 0 {
		s := m
		s.plan.Shard = 0
		list = append(list, s.with("let all data ranks share the states", "--shard-group "+strconv.Itoa(max(1, m.plan.Data))))
	}
	return list
}

// divisions are the same devices with more ranks of tensor or more stages.
func (m mending) divisions() []mending {
	h := m.job.Framework.habits()
	if m.job.Method == QLoRA {
		return nil
	}
	var list []mending
	for more := 2; more <= m.plan.Data; more *= 2 {
		if t := m.plan.Tensor * more; h.tensor && t <= m.plan.domain() {
			list = append(list, m.divided(t, m.plan.Pipeline))
		}
		if s := m.plan.Pipeline * more; h.pipeline && even(len(m.job.Shape.Blocks), s) {
			list = append(list, m.divided(m.plan.Tensor, s))
		}
		if t := m.plan.Tensor * more / 2; more > 2 && h.tensor && h.pipeline && t <= m.plan.domain() {
			list = append(list, m.divided(t, m.plan.Pipeline*2))
		}
	}
	return list
}

// divided is another division of the same devices.
func (m mending) divided(tensor, pipeline int) mending {
	s := m
	p := &s.plan
	p.Tensor, p.Pipeline = tensor, pipeline
	p.Data = max(1, p.GPUs/(tensor*pipeline*p.Context))
	text := fmt.Sprintf("divide it into tensor %d x pipeline %d x data %d", tensor, pipeline, p.Data)
	flag := fmt.Sprintf("--tp %d --pp %d --dp %d", tensor, pipeline, p.Data)
	if p.Data*p.Context == 1 && p.Zero > 0 {
		p.Zero = 0
		flag += " --zero 0"
	}
	if pipeline > 1 && !slices.Contains(s.job.Framework.habits().staged, p.Zero) {
		p.Zero = 1
		flag += " --zero 1"
	}
	p.Virtual, p.Schedule = 0, ""
	p.schedule(&s.job)
	if s.plan.Virtual != m.plan.Virtual {
		flag += " --virtual-stages " + strconv.Itoa(s.plan.Virtual)
	}
	if s.plan.Schedule != m.plan.Schedule {
		flag += " --schedule " + string(s.plan.Schedule)
	}
	return s.with(text, flag)
}

func (m mending) optimizers() []mending {
	if m.job.Optimizer != AdamW {
		return nil
	}
	m.job.Optimizer = AdamW8bit
	return []mending{m.with("keep the states of the optimizer in 8 bits", "--optimizer "+string(AdamW8bit))}
}

func (m mending) offloads() []mending {
	if m.job.Framework == Megatron {
		return nil
	}
	var list []mending
	for _, o := range []struct {
		what Offload
		text string
	}{{OffOptimizer, "keep the states of the optimizer in the memory of the host"}, {OffAll, "keep weights and states in the memory of the host"}} {
		if m.job.Offload == o.what || m.job.Offload == OffAll {
			continue
		}
		s := m
		s.job.Offload = o.what
		list = append(list, s.with(o.text, "--offload "+string(o.what)))
	}
	return list
}

// shortest is by how much sequences are cut at most: whoever needs 8,192 tokens is not helped with 256.
const shortest = 8

func (m mending) shorter() []mending {
	var list []mending
	for by := int64(2); by <= shortest; by *= 2 {
		s := m
		s.job.Sequence = m.job.Sequence / by
		if s.job.Sequence < 128 {
			break
		}
		if s.job.Prompt > 0 {
			s.job.Prompt = max(1, s.job.Prompt/by)
		}
		list = append(list, s.with(fmt.Sprintf("cut sequences to %d tokens", s.job.Sequence), "--seq-len "+strconv.FormatInt(s.job.Sequence, 10)))
	}
	return list
}

// together makes one change of each kind after the other until the plan fits, and takes back each that is not needed.
func (h *mender) together(start mending) (Change, bool) {
	kinds := []func(mending) []mending{
		mending.losses, mending.sequences, mending.passes, mending.recomputes, mending.zeros, mending.optimizers, mending.offloads,
	}
	on := make([]bool, len(kinds))
	for i := range kinds {
		on[i] = true
		c, ok := h.try(start.after(kinds, on))
		if !ok {
			continue
		}
		for k := range i {
			on[k] = false
			if less, fits := h.try(start.after(kinds, on)); fits {
				c = less
			} else {
				on[k] = true
			}
		}
		return c, true
	}
	return Change{}, false
}

// after is a plan after the largest step of each kind that is on.
func (m mending) after(kinds []func(mending) []mending, on []bool) mending {
	for i, kind := range kinds {
		if !on[i] {
			continue
		}
		if steps := kind(m); len(steps) > 0 {
			m = steps[len(steps)-1]
		}
	}
	return m
}

// methods train less: adapters instead of all weights, and those over weights of 4 bits. What follows from the method is
// filled anew.
func (h *mender) methods(start mending) []mending {
	var list []mending
	add := func(m Method, text string) {
		s := start
		j := &s.job
		j.Method, j.Targets, j.Rank, j.Quantized, j.InBackward = m, nil, 0, "", false
		if j.Framework == Foundry && m == QLoRA || j.Framework == Megatron && m == QLoRA || j.Framework == TorchTitan && m == QLoRA {
			j.Framework = ""
		}
		p := Plan{GPU: s.plan.GPU, Fabric: s.plan.Fabric, GPUs: s.plan.GPUs, Zero: -1}
		if job, plan, _, err := complete(*j, p, h.account); err == nil {
			s.job, s.plan = job, plan
			list = append(list, s.with(text, "--method "+string(m)))
		}
	}
	switch start.job.Method {
	case Full:
		add(LoRA, "train adapters beside frozen weights (LoRA)")
		add(QLoRA, "train adapters over weights of 4 bits (QLoRA)")
	case LoRA:
		add(QLoRA, "keep the frozen weights in 4 bits (QLoRA)")
	}
	return list
}

// mostMore is how often as many devices are proposed at most.
const mostMore = 4096

// devices are more of them, divided as is usual.
func (h *mender) devices(start mending) []mending {
	if f := start.plan.Fabric; f != nil && f.Net == 0 && start.plan.GPUs >= f.Node {
		return nil
	}
	for more := 2; more <= mostMore && start.plan.GPUs*more <= mostGPUs; more *= 2 {
		s := start
		p := Plan{GPU: s.plan.GPU, Fabric: s.plan.Fabric, GPUs: s.plan.GPUs * more, Zero: -1}
		if p.Fabric != nil && p.Fabric.Net == 0 && p.GPUs > p.Fabric.Node {
			break
		}
		j := s.job
		j.Recompute, j.Global = "", 0
		if s.job.Global%int64(p.GPUs) == 0 {
			j.Global = s.job.Global
		}
		job, plan, _, err := complete(j, p, h.account)
		if err != nil {
			continue
		}
		s.job, s.plan = job, plan
		s = s.with(fmt.Sprintf("take %d of these devices, as %s", p.GPUs, (&Option{Job: job, Plan: plan}).text()), fmt.Sprintf("--gpus %d", p.GPUs))
		if _, ok := h.try(s); ok {
			return []mending{s}
		}
	}
	return nil
}

// cards are others with more memory, the smallest first.
func (h *mender) cards(start mending, cards []*hardware.Accelerator) []mending {
	larger := slices.DeleteFunc(slices.Clone(cards), func(a *hardware.Accelerator) bool {
		return a.Usable() <= start.plan.GPU.Usable() || !computesIn(a, start.job.Precision)
	})
	slices.SortStableFunc(larger, func(a, b *hardware.Accelerator) int {
		return cmp.Or(cmp.Compare(a.Usable(), b.Usable()), cmp.Compare(a.ID, b.ID))
	})
	var list []mending
	for _, a := range larger {
		s := start
		s.plan.GPU = a
		list = append(list, s.with("take "+a.Name, "--gpu "+a.ID))
	}
	return list
}
