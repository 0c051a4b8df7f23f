package diligence

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/units"
)

// shown is a plan with its account, as the report tells it.
func (e *estimate) shown(m *serve.Prepared, p serve.Plan, memory *serve.Memory, need serve.Need) outlook {
	if full, err := p.Complete(m.Model()); err == nil {
		p = full
	}
	verdict, why := judge(memory, need)
	o := report.Outlook{
		Plan: shownPlan(m, p), Fits: verdict == serve.Fits, Verdict: string(verdict), Memory: shownMemory(memory),
		KVTokens: new(memory.Cache.Tokens), MaxConcurrency: new(memory.Cache.Concurrency), Cache: shownCache(memory),
		At: e.at(m, p, need),
	}
	if e.q.Explain || len(e.q.Cards) == 1 {
		o.Terms = shownTerms(memory.Terms)
	}
	if len(memory.Host) > 0 {
		var sum int64
		for _, t := range memory.Host {
			sum += t.Bytes.Mid
		}
		o.Host = &sum
	}
	if memory.Breaks != nil {
		o.Breaks = memory.Breaks.Name
	}
	if verdict != serve.Fits {
		o.Why, o.Changes = why, e.mends(m, p, need)
	}
	if e.s.doubt != "" && verdict != serve.DoesNot {
		o.Fits, o.Verdict, o.Why, o.Changes = false, undetermined, e.s.doubt, nil
	}
	return outlook{o, p.Assumed}
}

// judge is the verdict with the number of requests that was asked for.
func judge(memory *serve.Memory, need serve.Need) (serve.Verdict, string) {
	if memory.Verdict == serve.Fits && !need.Met(memory) {
		return serve.DoesNot, fmt.Sprintf("the cache holds %s requests of this length at once, and %s are wanted",
			decimal(memory.Cache.Concurrency), decimal(need.Concurrency))
	}
	return memory.Verdict, memory.Why
}

// decimal is a number of requests, cut and not rounded, so that 0.99 is never one.
func decimal(f float64) string {
	if f >= 10 {
		return units.Count(math.Floor(f)).String()
	}
	return strings.TrimSuffix(strings.TrimSuffix(fmt.Sprintf("%.2f", math.Floor(f*100)/100), "0"), ".0")
}

func shownPlan(m *serve.Prepared, p serve.Plan) *report.ServingPlan {
	out := &report.ServingPlan{
		GPU: p.GPU.ID, GPUName: p.GPU.Name, GPUs: max(1, p.GPUs), Nodes: p.Nodes(), Tensor: max(1, p.Tensor), Pipeline: max(1, p.Pipeline),
		Expert: max(1, p.Expert), Data: max(1, p.Data), Engine: string(p.Engine.Kind), EngineVersion: p.Engine.Version,
		Quantization: m.Model().Weights.Name, Utilization: p.Utilization, MaxModelLen: p.MaxModelLen, MaxSeqs: p.MaxSeqs,
		BatchedTokens: p.BatchedTokens, KVType: p.KV,
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
		MaxContext: c.MaxContext,
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

// mends are the changes that mend a plan, as far as few enough cards are asked about for somebody to read them.
func (e *estimate) mends(m *serve.Prepared, p serve.Plan, need serve.Need) []report.Mend {
	if e.many {
		return nil
	}
	return shownMends(m.Mends(p, need))
}

func shownMends(list []serve.Mend) []report.Mend {
	var out []report.Mend
	for _, m := range list {
		out = append(out, report.Mend(m))
	}
	return out
}

// at judges the same plan at the usual length and at the model's maximum, side by side.
func (e *estimate) at(m *serve.Prepared, p serve.Plan, need serve.Need) []report.AtContext {
	lengths := []int64{sane, p.MaxModelLen}
	if most := m.Model().Shape.MaxContext; most > 0 {
		lengths = append(lengths, most)
		lengths = slices.DeleteFunc(lengths, func(n int64) bool { return n > most })
	}
	slices.Sort(lengths)
	var out []report.AtContext
	for _, n := range slices.Compact(lengths) {
		q := p
		q.MaxModelLen = n
		memory, err := m.Fit(q)
		if err != nil {
			continue
		}
		verdict, _ := judge(memory, need)
		a := report.AtContext{MaxModelLen: n, Verdict: string(verdict), MaxConcurrency: memory.Cache.Concurrency}
		if fewest, _, err := m.MinGPUs(q, need); err == nil {
			a.MinGPUs = new(fewest.GPUs)
		}
		out = append(out, a)
	}
	return out
}

// shownModel is what the configuration says.
func (e *estimate) shownModel() report.EstimatedModel {
	m := e.s.serving
	shape := m.Shape
	params := shape.Params()
	out := report.EstimatedModel{
		Architecture: shape.Architecture, Family: shape.Family, ParamsTotal: params.Total, ParamsActive: params.Active,
		ParamsMTP: shape.MTPParams(), Quantization: m.Weights.Name, WeightsBytes: m.Bytes(), MaxContext: shape.MaxContext,
		Layers: shownLayers(shape), Components: e.components(), Sizes: e.s.sizes, Source: e.s.origin, License: e.s.license,
		Symbols: []report.Symbol{},
	}
	out.KVBytesPerToken, out.StateBytes = e.perToken()
	for _, s := range shape.Symbols {
		out.Symbols = append(out.Symbols, report.Symbol(s))
	}
	if low, high := shape.Bounds(); low != params.Total || high != params.Total {
		out.ParamsLow, out.ParamsHigh = &low, &high
	}
	return out
}

// perToken is what the whole model keeps of one more token and of one request, on one card of any size.
func (e *estimate) perToken() (bytes, state int64) {
	engine, _, err := e.engine(&hardware.Accelerator{})
	if err != nil {
		return 0, 0
	}
	memory, _, err := e.prepared(engine.Kind).OnPaper(serve.Plan{
		Engine: engine, GPU: &hardware.Accelerator{}, KV: e.q.Plan.KV, MaxModelLen: sane, Llama: e.q.Plan.Llama,
	})
	if err != nil {
		return 0, 0
	}
	return memory.Cache.ModelPerToken, memory.Cache.State
}

// allAssumed are the assumptions of the shape, of the plans and of the question, each once.
func (e *estimate) allAssumed() []report.Assumption {
	out := slices.Clone(e.s.assumed)
	for _, a := range e.assumed {
		if !slices.Contains(out, a) {
			out = append(out, a)
		}
	}
	for _, a := range e.s.serving.Shape.Assumed {
		out = append(out, report.Assumption{What: a.Key, Value: a.Value, Why: a.Why})
	}
	return nonNil(out)
}

// planText is how a plan is named where it is refused.
func planText(p serve.Plan) string {
	parts := []string{fmt.Sprintf("%d × %s", max(1, p.GPUs), p.GPU.Name)}
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
