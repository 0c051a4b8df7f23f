package diligence

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/units"
)

// judged is a plan with its account, as the report tells it. asked is the plan as far as somebody said how it should be.
func (e *estimate) judged(m *serve.Prepared, asked, p serve.Plan, memory *serve.Memory) outlook {
	full, err := p.Complete(m.Model())
	if err != nil {
		full = p // its account exists, so it is complete
	}
	verdict, why := e.need.Judge(memory)
	o := report.Outlook{
		Plan: shownPlan(m, full), Fits: verdict == serve.Fits, Verdict: string(verdict), Memory: shownMemory(memory),
		KVTokens: new(memory.Cache.Tokens), MaxConcurrency: new(memory.Cache.Concurrency), Cache: shownCache(memory),
		At: e.at(m, p, memory), Host: onHost(memory),
	}
	if memory.Breaks != nil {
		o.Breaks = memory.Breaks.Name
	}
	if verdict != serve.Fits {
		o.Why = why
	}
	e.besideHost(&o, &full)
	if e.s.doubt != "" && verdict != serve.DoesNot {
		o.Fits, o.Verdict, o.Why = false, undetermined, e.s.doubt
	}
	return outlook{Outlook: o, model: m, asked: asked, plan: full, memory: memory}
}

// besideHost takes into account what a plan puts on the host.
func (e *estimate) besideHost(o *report.Outlook, p *serve.Plan) {
	verdict, why := e.host(p, o.Host)
	if !o.Fits || verdict == serve.Fits {
		return
	}
	o.Fits, o.Verdict, o.Why = false, string(verdict), why
	size := fmt.Sprintf("%.0fGB", math.Ceil(float64(*o.Host)/1e9))
	o.Changes = []report.Mend{{Text: "say that the host has at least that much free", Flag: "--host-memory " + size}}
}

// host judges what lies on the host: what that has is known only if somebody said it. Where host and device share their
// memory, the account of the device holds both.
func (e *estimate) host(p *serve.Plan, bytes *int64) (serve.Verdict, string) {
	l := &p.Llama
	offloads := l.HostOnly || l.CPUExperts > 0 || l.GPULayers > 0 && l.GPULayers <= len(e.s.serving.Shape.Blocks)
	if bytes == nil || p.GPU.Unified || !offloads {
		return serve.Fits, ""
	}
	switch has := e.q.HostMemory; {
	case has == 0:
		return serve.Tight, fmt.Sprintf("the device holds its part, and the host has to have %s free, which nobody said", report.GiB(*bytes))
	case has < *bytes:
		return serve.DoesNot, fmt.Sprintf("the device holds its part, and the host has %s for the %s that lie there", report.GiB(has), report.GiB(*bytes))
	}
	return serve.Fits, ""
}

// onHost is what lies in the memory of the host; nil where nothing does.
func onHost(memory *serve.Memory) *int64 {
	if len(memory.Host) == 0 {
		return nil
	}
	var sum int64
	for _, t := range memory.Host {
		sum += t.Bytes.Mid
	}
	return &sum
}

// explain adds the terms of the account with their ranges; where they come from is told of one card, or where it is asked.
func (o *outlook) explain(origins bool) {
	if o.memory == nil {
		return
	}
	o.Terms = shownTerms(o.memory.Terms)
	for i := range o.Terms {
		if !origins {
			o.Terms[i].Formula, o.Terms[i].Source = "", ""
		}
	}
}

// mend adds what makes a plan work. Where nothing does, the reason says so.
func (e *estimate) mend(o *outlook) {
	if o.Fits || o.Verdict == undetermined || len(o.Changes) > 0 {
		return
	}
	for _, m := range o.model.Mends(o.asked, e.need) {
		o.Changes = append(o.Changes, report.Mend(m))
	}
	if len(o.Changes) == 0 && o.memory != nil {
		o.Why += "; no one or two changes of cache, context, requests, number format or number of cards mend that"
	}
}

// decimal is a number of requests, cut and not rounded, so that 0.99 is never one.
func decimal(f float64) string {
	if f >= 10 {
		return units.Thousands(int64(min(f, math.MaxInt32)))
	}
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", math.Floor(f*100)/100), "0"), ".0")
}

func shownPlan(m *serve.Prepared, p serve.Plan) *report.ServingPlan {
	out := &report.ServingPlan{
		GPU: p.GPU.ID, GPUName: p.GPU.Name, GPUs: p.Devices(), Nodes: p.Nodes(), Tensor: max(1, p.Tensor), Pipeline: max(1, p.Pipeline),
		Expert: max(1, p.Expert), Data: max(1, p.Data), Engine: string(p.Engine.Kind), EngineVersion: p.Engine.Version,
		Quantization: m.Format(), Utilization: p.Utilization, MaxModelLen: p.MaxModelLen, MaxSeqs: p.MaxSeqs,
		BatchedTokens: p.BatchedTokens, KVType: cmp.Or(p.KV, "auto"),
	}
	if p.Engine.Kind == serve.LlamaCPP {
		out.GPULayers, out.CPUExperts = new(p.Llama.GPULayers), new(p.Llama.CPUExperts)
	}
	return out
}

// shownMemory gives each part its middle value. What is left is what the parts do not take, so that they add up.
func shownMemory(m *serve.Memory) *report.DeviceMemory {
	part := func(p serve.Part) int64 { return m.Sum(p).Mid }
	out := &report.DeviceMemory{
		Capacity: m.Capacity, Budget: m.Budget, Weights: part(serve.Weights), Activation: part(serve.Activation),
		NonTorch: part(serve.NonTorch), Graphs: part(serve.Graphs), KVCache: part(serve.KVCache), Reserved: part(serve.Reserved),
		Rank: m.Rank,
	}
	out.Unused = out.Capacity - out.Weights - out.Activation - out.NonTorch - out.Graphs - out.KVCache - out.Reserved
	return out
}

func shownCache(m *serve.Memory) *report.Cache {
	c := m.Cache
	out := &report.Cache{
		BytesPerToken: c.BytesPerToken, BytesPerRequest: c.PerRequest, StateBytes: c.State, BlockTokens: c.BlockTokens,
		MaxContext: new(c.MaxContext),
	}
	if c.Replicas > 1 {
		out.Replicas = c.Replicas
	}
	if c.BlockTokens > 0 {
		out.Blocks = new(c.Blocks)
	}
	return out
}

func shownTerms(terms []serve.Term) []report.Term {
	out := make([]report.Term, 0, len(terms))
	for _, t := range terms {
		out = append(out, report.Term{
			Part: string(t.Part), Name: t.Name, Formula: t.Formula, Source: t.Source,
			Bytes: report.Range{Low: float64(t.Bytes.Low), Mid: float64(t.Bytes.Mid), High: float64(t.Bytes.High)},
		})
	}
	return out
}

// at judges the same plan at the usual length, at the one that was asked for and at the model's maximum, side by side.
// What was left to the engine is left to it again, since some of it follows the length.
func (e *estimate) at(m *serve.Prepared, p serve.Plan, own *serve.Memory) []report.AtContext {
	var out []report.AtContext
	for _, n := range lengths(p.MaxModelLen, m.Model().Shape.MaxContext) {
		q, memory := p, own
		if n != p.MaxModelLen {
			var err error
			q.MaxModelLen = n
			if memory, err = m.Fit(q); err != nil {
				continue
			}
		}
		verdict, _ := e.need.Judge(memory)
		a := report.AtContext{MaxModelLen: n, Verdict: string(verdict), MaxConcurrency: memory.Cache.Concurrency}
		if v, _ := e.host(&q, onHost(memory)); verdict == serve.Fits && v != serve.Fits {
			a.Verdict = string(v)
		}
		if e.s.doubt != "" && verdict != serve.DoesNot {
			a.Verdict = undetermined
		}
		a.MinGPUs = e.fewestAt(m, q, memory)
		out = append(out, a)
	}
	return out
}

// fewestAt is the smallest number of devices for a plan whose account is known; nil if no number is enough. Nothing is
// solved where one device is asked about: it is enough, or there is no other number to try.
func (e *estimate) fewestAt(m *serve.Prepared, p serve.Plan, memory *serve.Memory) *int {
	if p.GPUs == 1 {
		switch {
		case e.need.Met(memory):
			return new(1)
		case p.Most() == 1:
			return nil
		}
	}
	fewest, _, err := m.MinGPUs(p, e.need)
	if err != nil {
		return nil
	}
	return new(fewest.GPUs)
}

// lengths are the contexts that are shown, the shortest first. most is the model's own, 0 where it is not known.
func lengths(asked, most int64) []int64 {
	list := []int64{asked}
	if most == 0 || sane <= most {
		list = append(list, sane)
	}
	if most > 0 {
		list = append(list, most)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// shownModel is what the configuration says, in the number format that the plan is for.
func (e *estimate) shownModel(o *outlook) report.EstimatedModel {
	m := o.model.Model()
	shape := m.Shape
	params := shape.Params()
	out := report.EstimatedModel{
		Architecture: shape.Architecture, Family: shape.Family, ParamsTotal: params.Total, ParamsActive: params.Active,
		ParamsMTP: shape.MTPParams(), Quantization: m.Weights.Name, WeightsBytes: m.Bytes(), MaxContext: shape.MaxContext,
		Layers: shownLayers(shape, e.q.Explain), Components: e.components(m), Sizes: e.s.sizes, Source: e.s.origin, License: e.s.license,
		Symbols: []report.Symbol{},
	}
	out.KVBytesPerToken, out.StateBytes = e.perToken(o)
	for _, s := range shape.Symbols {
		out.Symbols = append(out.Symbols, report.Symbol(s))
	}
	if low, high := shape.Bounds(); low != params.Total || high != params.Total {
		out.ParamsLow, out.ParamsHigh = &low, &high
	}
	return out
}

// perToken is what the whole model keeps of one more token and of one request, on one card of any size. A type of the
// cache that the engine refuses leaves the choice to the engine.
func (e *estimate) perToken(o *outlook) (bytes *int64, state int64) {
	for _, kv := range []string{e.q.Plan.KV, ""} {
		memory, _, err := o.model.OnPaper(serve.Plan{
			Engine: o.asked.Engine, GPU: &hardware.Accelerator{}, KV: kv, MaxModelLen: sane, Llama: e.q.Plan.Llama,
		})
		if err == nil {
			return &memory.Cache.ModelPerToken, memory.Cache.State
		}
	}
	return nil, 0
}

// allAssumed are the assumptions of the model, of the question and of the plan that is shown, each once.
func (e *estimate) allAssumed(o *outlook) []report.Assumption {
	all := slices.Concat(e.s.assumed, e.assumed)
	for _, s := range o.plan.Assumed {
		all = append(all, report.Assumption{What: s.Name, Value: s.Value, Why: s.Why})
	}
	for _, a := range o.model.Model().Shape.Assumed {
		all = append(all, report.Assumption{What: a.Key, Value: a.Value, Why: a.Why})
	}
	return once(all)
}

// once leaves out what was said before.
func once(all []report.Assumption) []report.Assumption {
	out := make([]report.Assumption, 0, len(all))
	for _, a := range all {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	return out
}

// notes are what a reader has to know of the number format and of the adapter.
func (e *estimate) notes(o *outlook) []string {
	m := o.model.Model()
	notes := slices.Concat(m.Weights.Notes, e.doubts)
	if m.Shape.Of(arch.Adapter).Total > 0 {
		notes = append(notes, "the adapter is counted once, whole on every rank; the slots for several adapters that a server "+
			"sets aside (--max-loras × --max-lora-rank in vLLM) are not modeled")
	}
	if m := o.memory; m != nil && o.plan.Engine.Kind == serve.LlamaCPP && m.Cache.Concurrency > float64(o.plan.MaxSeqs) {
		notes = append(notes, fmt.Sprintf("llama.cpp sets its cache aside when it starts, and the account is for a --parallel of %d; %s requests at "+
			"once take one of %.0f, and a --ctx-size of as many times %s", o.plan.MaxSeqs, decimal(m.Cache.Concurrency), m.Cache.Concurrency,
			units.Thousands(o.plan.MaxModelLen)))
	}
	if engine := o.plan.Engine; engine != nil && !engine.Checked.IsZero() {
		notes = append(notes, fmt.Sprintf("defaults and overheads of %s as checked on %s", engine.Kind, engine.Checked))
	}
	return notes
}

// planText is how a plan is named where it is refused.
func planText(p serve.Plan) string {
	parts := []string{fmt.Sprintf("%d × %s", p.Devices(), p.GPU.Name)}
	for _, d := range []struct {
		name string
		n    int
	}{{"tensor", p.Tensor}, {"pipeline", p.Pipeline}, {"expert", p.Expert}, {"data", p.Data}} {
		if d.n > 1 {
			parts = append(parts, fmt.Sprintf("%s parallel %d", d.name, d.n))
		}
	}
	return strings.Join(parts, ", ")
}
