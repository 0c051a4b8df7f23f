package serve

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Mend is a change, or two together, by which a plan meets its need.
type Mend struct {
	Text string
	Flag string
}

// Mends are the smallest changes that mend a plan, the least first: how it is divided, the share of the device, the type
// of the cache, the length of requests, how many run at once, the number format of the weights, more devices. Where
// nothing but more devices does it alone, two changes are tried together. Each was tried; one that does not help is left out. The plan is as it was
// asked for: what was left to the engine follows the change, as it will when the change is made.
func (m *Prepared) Mends(p Plan, need Need) []Mend {
	start, more := trial{model: m, plan: p, need: need}, way{trial.devices}
	if p.Engine.Kind == LlamaCPP && dealt(p) != nil { // nothing helps as long as layers are not dealt out
		list := start.divisions()
		switch {
		case len(list) == 0:
			return nil
		case list[0].meets():
			return []Mend{list[0].mend()}
		}
		start = list[0]
	}
	var found []Mend
	for _, w := range []way{{trial.divisions}, {trial.fewer}, {trial.more}, {trial.shares}, {trial.caches}, {trial.contexts}, {trial.sequences}, {trial.formats}} {
		if t, ok := w.least(start); ok {
			found = append(found, t.mend())
		}
	}
	if len(found) == 0 {
		caches, contexts, formats := way{trial.caches}, way{trial.contexts}, way{trial.formats}
		found = start.pairs([]pair{{caches, contexts}, {caches, formats}, {formats, contexts}})
	}
	if t, ok := more.least(start); ok {
		return append(found, t.mend())
	}
	if len(found) > 0 {
		return found
	}
	return start.pairs([]pair{{way{trial.caches}, more}, {way{trial.formats}, more}})
}

// way is one kind of change.
type way struct {
	// options are the steps that it offers from a plan, the smallest first, whether or not they help.
	options func(trial) []trial
}

// least is the smallest step that mends a plan.
func (w way) least(from trial) (trial, bool) {
	for _, t := range w.options(from) {
		if t.meets() {
			return t, true
		}
	}
	return trial{}, false
}

// trial is a plan with the changes that led to it.
type trial struct {
	model *Prepared
	plan  Plan
	need  Need
	texts []string
	flags []string
}

func (t trial) with(text, flag string) trial {
	t.texts, t.flags = append(slices.Clone(t.texts), text), append(slices.Clone(t.flags), flag)
	return t
}

func (t trial) mend() Mend { return Mend{strings.Join(t.texts, " and "), strings.Join(t.flags, " ")} }

func (t trial) meets() bool {
	_, memory, err := t.model.Settle(t.plan)
	return err == nil && t.need.Met(memory)
}

// pair is two kinds of changes made together.
type pair struct{ first, second way }

// pairs are the least of each that mend a plan.
func (t trial) pairs(list []pair) []Mend {
	var found []Mend
	for _, p := range list {
		for _, step := range p.first.options(t) {
			if both, ok := p.second.least(step); ok {
				found = append(found, both.mend())
				break
			}
		}
	}
	return found
}

// divisions leave the division to us where one was asked for that no engine makes.
func (t trial) divisions() []trial {
	if !t.plan.divided() && t.plan.Expert <= 1 {
		return nil
	}
	p, asked := t.plan, t.plan
	p.GPUs = p.Devices()
	p.Tensor, p.Pipeline, p.Data = 0, 0, 0
	var list []trial
	for _, p.Expert = range slices.Compact([]int{p.Expert, 0}) {
		q, err := t.model.Arrange(p)
		if err != nil || q.sameDivision(asked) {
			continue
		}
		step := t
		step.plan = q
		list = append(list, step.with("divide it into "+q.division(), q.divisionFlags(asked)))
	}
	return list
}

// fewer and more are the next smaller and the next larger degree of tensor parallelism, where an engine makes none of the
// one that was asked for. Degrees that no machine has are not tried.
func (t trial) fewer() []trial {
	var list []trial
	if t.indivisible() {
		for n := min(t.plan.Tensor-1, t.plan.node(), widestTensor); n > 1; n-- {
			list = append(list, t.degree(n))
		}
	}
	return list
}

func (t trial) more() []trial {
	var list []trial
	if t.indivisible() {
		for n := t.plan.Tensor + 1; n <= min(2*t.plan.Tensor, t.plan.node(), widestTensor); n++ {
			list = append(list, t.degree(n))
		}
	}
	return list
}

// widestTensor is the largest degree that is proposed.
const widestTensor = 72

// indivisible reports whether the degree of tensor parallelism that was asked for may be why no engine starts the plan.
func (t trial) indivisible() bool {
	if t.plan.Tensor <= 1 || t.plan.Engine.Kind == LlamaCPP {
		return false
	}
	_, _, err := t.model.Settle(t.plan)
	return errors.Is(err, ErrIllegal)
}

func (t trial) degree(n int) trial {
	flag := fmt.Sprintf("--tp %d", n)
	if t.plan.GPUs > 0 {
		t.plan.GPUs = n * max(1, t.plan.Pipeline) * max(1, t.plan.Data)
		flag = fmt.Sprintf("--gpus %d ", t.plan.GPUs) + flag
	}
	t.plan.Tensor = n
	return t.with(fmt.Sprintf("use tensor parallel %d, on %d devices", n, t.plan.Devices()), flag)
}

func (p Plan) sameDivision(o Plan) bool {
	return p.Tensor == o.Tensor && p.Pipeline == o.Pipeline && max(1, p.Data) == max(1, o.Data) && max(1, p.Expert) == max(1, o.Expert)
}

func (p Plan) division() string {
	return fmt.Sprintf("tensor parallel %d and pipeline parallel %d", p.Tensor, p.Pipeline)
}

// divisionFlags name a division in full, so that flags given before do not contradict it.
func (p Plan) divisionFlags(asked Plan) string {
	s := fmt.Sprintf("--tp %d --pp %d", p.Tensor, p.Pipeline)
	if asked.Data > 0 {
		s += " --dp 1"
	}
	if asked.Expert > 1 && p.Expert != asked.Expert {
		s += fmt.Sprintf(" --ep %d", p.Expert)
	}
	return s
}

// shares are a smaller share of the device, where the one that was asked for leaves too little for what lives outside of it.
func (t trial) shares() []trial {
	q, memory, err := t.model.Settle(t.plan)
	if err != nil || q.Engine.Kind == LlamaCPP {
		return nil
	}
	lower, _, ok := t.model.share(q, memory, t.need)
	if !ok {
		return nil
	}
	t.plan.Utilization = lower.Utilization
	return []trial{t.with("let the engine take "+percent(lower.Utilization)+" of the device", shareFlag(lower.Utilization))}
}

func shareFlag(share float64) string {
	return "--gpu-memory-utilization " + strconv.FormatFloat(share, 'g', -1, 64)
}

func (t trial) caches() []trial {
	types := []string{"fp8"}
	if t.plan.Engine.Kind == LlamaCPP {
		types = []string{"q8_0", "q4_0"}
	}
	var list []trial
	if _, _, err := t.model.Settle(t.plan); err != nil && t.plan.KV != "" {
		step := t
		step.plan.KV = ""
		list = append(list, step.with("leave the number format of the cache to the engine", "--kv-dtype auto"))
	}
	for _, kv := range types {
		if full, err := t.plan.Complete(t.model.model); err != nil || !narrower(kv, full.KV) {
			continue
		}
		step := t
		step.plan.KV = kv
		list = append(list, step.with("keep the cache of keys and values in "+kv, "--kv-dtype "+kv))
	}
	return list
}

// narrower reports whether a number format of the cache takes less than another.
func narrower(a, b string) bool {
	x, known := cacheNumber(a)
	y, also := cacheNumber(b)
	return known && also && x.times*y.over < y.times*x.over
}

// contexts are the longest requests that meet the need, as a person would write the number.
func (t trial) contexts() []trial {
	shorter := t.plan
	if most := t.model.model.Shape.MaxContext; most > 0 { // engines refuse longer ones, however they are divided
		shorter.MaxModelLen = min(shorter.MaxModelLen, most)
	}
	q, err := t.model.Arrange(shorter)
	if err != nil {
		return nil
	}
	var list []trial
	n := t.model.MaxContext(q, t.need, q.MaxModelLen)
	for n = roundDown(n); n >= max(shortest, t.plan.MaxModelLen/longestCut) && n < t.plan.MaxModelLen; n = roundDown(n - 1) {
		step := t
		step.plan.MaxModelLen = n
		list = append(list, step.with("limit requests to "+units.Thousands(n)+" tokens", fmt.Sprintf("--max-model-len %d", n)))
		if len(list) == maxTries {
			break
		}
	}
	return list
}

// longestCut is by how much requests are cut at most: whoever needs 8,192 tokens is not helped with 256.
const longestCut = 16

// maxTries is how many rounder numbers are tried where the first one does not do: blocks of some engines make a shorter
// request take more than a longer one.
const maxTries = 4

// roundDown keeps a few binary digits, so that advice reads like something a person would set; 0 below the shortest.
func roundDown(n int64) int64 {
	step := int64(shortest)
	for step*32 < n {
		step *= 2
	}
	return n / step * step
}

func (t trial) sequences() []trial {
	p, err := t.plan.Complete(t.model.model)
	if err != nil || p.Engine.Kind == LlamaCPP {
		return nil
	}
	var list []trial
	for n := p.MaxSeqs / 2; n >= max(1, int64(t.need.Concurrency)); n /= 2 {
		step := t
		step.plan.MaxSeqs = n
		list = append(list, step.with("run at most "+plural(n, "request")+" at once", fmt.Sprintf("--max-num-seqs %d", n)))
	}
	return list
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return units.Thousands(n) + " " + what + "s"
}

func (t trial) formats() []trial {
	var list []trial
	for _, m := range t.model.Formats(t.plan.Engine.Kind)[1:] {
		step := t
		step.model = m
		list = append(list, step.with("store the weights in "+m.Format(), "--quant "+m.Format()))
	}
	return list
}

// devices is the smallest number of them that does, as far as it is more than there are.
func (t trial) devices() []trial {
	q, _, err := t.model.fewest(t.plan, t.need, t.plan.counts())
	if err != nil || q.GPUs <= t.plan.Devices() {
		return nil
	}
	flag := fmt.Sprintf("--gpus %d", q.GPUs)
	if t.plan.divided() {
		flag += " " + q.divisionFlags(t.plan)
	}
	text := fmt.Sprintf("take %d of these devices", q.GPUs)
	if q.Utilization != t.plan.Utilization {
		text += " and let the engine take " + percent(q.Utilization) + " of each"
		flag += " " + shareFlag(q.Utilization)
	}
	t.plan = q
	return []trial{t.with(text, flag)}
}
