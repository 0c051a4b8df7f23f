package serve

import (
	"fmt"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/quant"
)

// Mend is one change by which a plan meets its need, alone.
type Mend struct {
	Text string
	Flag string
}

// Mends are the smallest changes that mend a plan, the least first: the share of the device, the type of the cache, the length of requests, how
// many run at once, the number format of the weights, more devices. Each was tried; one that does not help is left out.
func (m *Prepared) Mends(p Plan, need Need) []Mend {
	t := trial{model: m, plan: p, need: need}
	t.utilization()
	t.cacheType()
	t.context()
	t.sequences()
	t.quantization()
	t.devices()
	return t.found
}

type trial struct {
	model *Prepared
	plan  Plan
	need  Need
	found []Mend
}

func (t *trial) try(m *Prepared, p Plan, text, flag string) bool {
	memory, err := m.Fit(p)
	if err != nil || !t.need.Met(memory) {
		return false
	}
	t.found = append(t.found, Mend{text, flag})
	return true
}

func (t *trial) utilization() {
	if t.plan.Engine.Kind == LlamaCPP {
		return
	}
	memory, err := t.model.Fit(t.plan)
	if err != nil {
		return
	}
	if p, _, ok := t.model.share(t.plan, memory, t.need); ok {
		share := strconv.FormatFloat(p.Utilization, 'g', -1, 64)
		t.found = append(t.found, Mend{"let the engine take " + percent(p.Utilization) + " of the device", "--gpu-memory-utilization " + share})
	}
}

func (t *trial) cacheType() {
	types := []string{"fp8"}
	if t.plan.Engine.Kind == LlamaCPP {
		types = []string{"q8_0", "q4_0"}
	}
	for _, kv := range types {
		p := t.plan
		p.KV = kv
		if p.KV != t.plan.KV && t.try(t.model, p, "keep the cache of keys and values in "+kv, "--kv-dtype "+kv) {
			return
		}
	}
}

func (t *trial) context() {
	n := t.model.MaxContext(t.plan, t.plan.MaxModelLen)
	if n <= 0 || n >= t.plan.MaxModelLen {
		return
	}
	p := t.plan
	p.MaxModelLen = n
	for ; p.MaxModelLen >= shortest; p.MaxModelLen /= 2 {
		p.MaxModelLen = roundDown(p.MaxModelLen)
		if t.try(t.model, p, fmt.Sprintf("limit requests to %d tokens", p.MaxModelLen), fmt.Sprintf("--max-model-len %d", p.MaxModelLen)) {
			return
		}
	}
}

// roundDown keeps two significant binary digits of thousands, so that advice reads like something a person would set.
func roundDown(n int64) int64 {
	step := int64(256)
	for step*8 < n {
		step *= 2
	}
	return max(shortest, n/step*step)
}

func (t *trial) sequences() {
	p, err := t.plan.Complete(t.model.model)
	if err != nil || p.Engine.Kind == LlamaCPP {
		return
	}
	for n := p.MaxSeqs / 2; n >= max(1, int64(t.need.Concurrency)); n /= 2 {
		q := t.plan
		q.MaxSeqs = n
		if t.try(t.model, q, fmt.Sprintf("run at most %d requests at once", n), fmt.Sprintf("--max-num-seqs %d", n)) {
			return
		}
	}
}

// Smaller are formats to store the weights in, the best first.
func Smaller(k Kind) []string {
	if k == LlamaCPP {
		return []string{"Q8_0", "Q6_K", "Q5_K_M", "Q4_K_M", "IQ4_XS", "Q3_K_M", "Q2_K"}
	}
	return []string{"fp8", "w4a16"}
}

func (t *trial) quantization() {
	for _, m := range t.model.smaller(t.plan.Engine.Kind) {
		name := m.model.Weights.Name
		if t.try(m, t.plan, "store the weights in "+name, "--quant "+name) {
			return
		}
	}
}

// smaller yields the model in the usual formats that take less than it does now, the best first.
func (m *Prepared) smaller(k Kind) []*Prepared {
	var list []*Prepared
	for _, name := range Smaller(k) {
		scheme, err := quant.As(m.model.Shape, name)
		if err != nil {
			continue
		}
		with := m.model
		with.Weights = scheme
		if p := Prepare(with); p.bytes < m.bytes {
			list = append(list, p)
		}
	}
	return list
}

func (t *trial) devices() {
	p, _, err := t.model.MinGPUs(t.plan, t.need)
	if err == nil && p.GPUs > t.plan.GPUs {
		t.found = append(t.found, Mend{fmt.Sprintf("take %d of them", p.GPUs), fmt.Sprintf("--gpus %d", p.GPUs)})
	}
}

// BestQuantization is the most precise of the usual formats, as stored first, with which a plan meets its need.
func (m *Prepared) BestQuantization(p Plan, need Need) (*quant.Scheme, bool) {
	for _, candidate := range append([]*Prepared{m}, m.smaller(p.Engine.Kind)...) {
		if memory, err := candidate.Fit(p); err == nil && need.Met(memory) {
			return candidate.model.Weights, true
		}
	}
	return nil, false
}
