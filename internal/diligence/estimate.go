package diligence

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// EstimateQuestion asks what a model needs, and whether it fits. Zero values are what nobody said.
type EstimateQuestion struct {
	Ref   model.Ref
	Quant string // number format of the weights, if not as stored

	Cards []string // accelerators as people write them; empty is a handful of common ones, "all" the whole catalog
	Plan  serve.Plan
	Kind  serve.Kind // of the engine; "" chooses by model and card
	// Version of the engine, as people write it.
	Version     string
	Concurrency float64 // requests at once that have to find room
	LoadMTP     bool
	Explain     bool // every tensor with its formula
}

// Accelerators is the catalog of cards.
type Accelerators interface {
	Resolve(name string) (gpus.Match, error)
	All() ([]*hardware.Accelerator, error)
}

// common are the cards that are looked at where none is named: from a desk to a rack, one for each size of memory.
func common() []string {
	return []string{"rtx-4090", "l40s", "a100-80-sxm", "h100-sxm", "h200-sxm", "b200-sxm", "mi300x"}
}

// sane is the context that is judged where none is asked for. The maximum of a model is shown beside it: few requests
// come near it, and planning for it alone makes every card look too small.
const sane = 8192

// Estimate answers what a model needs and whether it fits. An error that wraps ErrShape, serve.ErrIllegal or
// quant.ErrName lies in the question or its files; one that wraps arch.ErrUnknown means that nothing could be sized.
func Estimate(ctx context.Context, d Deps, q EstimateQuestion) (*report.Document, error) {
	in := &inquiry{Deps: d, ctx: ctx}
	s, err := in.describe(q.Ref, q.Quant)
	if err == nil {
		err = in.shape(s, q.Quant)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	if err != nil {
		return in.unsized(s, err), err
	}
	e := &estimate{inquiry: in, s: s, q: q, ready: make(map[serve.Kind]*serve.Prepared),
		engines: make(map[serve.Kind]*serve.Engine)}
	out, err := e.answer()
	if err != nil {
		return nil, err
	}
	return in.estimated(s, out), nil
}

// unsized is the document for a model of which nothing is known.
func (in *inquiry) unsized(s *described, err error) *report.Document {
	s.gaps = append(s.gaps, model.Gap{What: s.ref.String(), Why: err.Error(), Kind: gapKind(err)})
	return in.estimated(s, &report.Estimate{
		Summary: "nothing could be sized: " + err.Error(), Outlook: report.Outlook{Verdict: undetermined, Why: err.Error()},
		Candidates: []report.Outlook{}, Assumed: nonNil(s.assumed),
	})
}

// gapKind tells what was read and cannot be used from what did not answer.
func gapKind(err error) model.GapKind {
	for _, known := range []error{ErrShape, arch.ErrUnknown, quant.ErrUnknown, quant.ErrName} {
		if errors.Is(err, known) {
			return model.Unread
		}
	}
	return gapOf("", err).Kind
}

const undetermined = "undetermined"

func (in *inquiry) estimated(s *described, e *report.Estimate) *report.Document {
	doc := &report.Document{
		Schema: report.Schema, Tool: report.Tool{Name: "llmcheck", Version: in.Version}, Generated: in.Now().UTC(),
		Subject:  report.Subject{Ref: s.ref.String(), Origin: string(s.ref.Scheme), Revision: s.revision},
		Gaps:     []report.Gap{},
		Estimate: e,
	}
	for _, g := range s.gaps {
		doc.Gaps = append(doc.Gaps, report.Gap{What: g.What, Why: g.Why, Kind: string(g.Kind)})
	}
	return doc
}

// estimate is one question while it is answered.
type estimate struct {
	*inquiry
	s       *described
	q       EstimateQuestion
	assumed []report.Assumption
	refused []report.Refused
	ready   map[serve.Kind]*serve.Prepared
	engines map[serve.Kind]*serve.Engine
	many    bool // cards are asked about
}

func (e *estimate) answer() (*report.Estimate, error) {
	cards, err := e.cards()
	if err != nil {
		return nil, err
	}
	e.many = len(cards) > handful
	var list []outlook
	for _, card := range cards {
		o, err := e.outlook(card)
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	if len(cards) > 1 {
		slices.SortStableFunc(list, better)
	}
	for _, s := range list[0].settings {
		e.assume(s.Name, s.Value, s.Why)
	}
	out := &report.Estimate{
		Model: e.shownModel(), Outlook: list[0].Outlook, Candidates: []report.Outlook{}, Refused: e.refused,
		Assumed: e.allAssumed(), Notes: e.s.serving.Weights.Notes,
	}
	for _, o := range list[1:] {
		out.Candidates = append(out.Candidates, o.Outlook)
	}
	out.Summary = e.summary(out)
	return out, nil
}

// handful is how many cards are looked at closely.
const handful = 12

// outlook is what comes of one card, with the settings that nobody said.
type outlook struct {
	report.Outlook
	settings []serve.Setting
}

// cards are the accelerators of the question.
func (e *estimate) cards() ([]*hardware.Accelerator, error) {
	names := e.q.Cards
	if slices.Equal(names, []string{"all"}) {
		return e.Cards.All()
	}
	if len(names) == 0 {
		names = common()
	}
	var cards []*hardware.Accelerator
	for _, name := range names {
		some, err := e.card(name)
		if err != nil {
			return nil, err
		}
		cards = append(cards, some...)
	}
	return cards, nil
}

// card finds the accelerator of a name, or those of several that commas part: some names have commas of their own.
func (e *estimate) card(name string) ([]*hardware.Accelerator, error) {
	if unknown(name) {
		return []*hardware.Accelerator{{ID: "unknown", Name: name}}, nil
	}
	match, err := e.Cards.Resolve(name)
	switch {
	case err == nil:
		if match.Assumed != "" {
			e.assume("gpu", match.GPU.ID, match.Assumed)
		}
		return []*hardware.Accelerator{match.GPU}, nil
	case !strings.Contains(name, ","):
		return nil, err
	}
	var cards []*hardware.Accelerator
	for part := range strings.SplitSeq(name, ",") {
		some, err := e.card(strings.TrimSpace(part))
		if err != nil {
			return nil, err
		}
		cards = append(cards, some...)
	}
	return cards, nil
}

// unknown is a card that the person asking does not know: the bytes of each device are told, and no verdict.
func unknown(name string) bool {
	return strings.HasPrefix(strings.ToLower(strings.TrimSpace(name)), "unknown")
}

// engine chooses what serves: what was asked, or llama.cpp for GGUF files and for Apple's memory, and vLLM else.
func (e *estimate) engine(card *hardware.Accelerator) (*serve.Engine, string, error) {
	kind, why := e.q.Kind, ""
	switch {
	case kind != "":
	case e.s.serving.Weights.GGUF():
		kind, why = serve.LlamaCPP, "the weights are in a format of llama.cpp"
	case card.Vendor == "apple":
		kind, why = serve.LlamaCPP, "the usual one on "+card.Name
	default:
		kind, why = serve.VLLM, "the most used server of open models"
	}
	if engine := e.engines[kind]; engine != nil {
		return engine, why, nil
	}
	engine, err := e.Engine(string(kind), e.q.Version)
	e.engines[kind] = engine
	return engine, why, err
}

// prepared is the model in a format that the engine reads, ready for many plans.
func (e *estimate) prepared(kind serve.Kind) *serve.Prepared {
	if p := e.ready[kind]; p != nil {
		return p
	}
	m := e.convert(kind)
	m.LoadMTP = e.q.LoadMTP
	e.ready[kind] = serve.Prepare(m)
	return e.ready[kind]
}

// outlook is what comes of one card.
func (e *estimate) outlook(card *hardware.Accelerator) (outlook, error) {
	engine, why, err := e.engine(card)
	if err != nil {
		return outlook{}, err
	}
	p := e.q.Plan
	p.Engine, p.GPU = engine, card
	if why != "" {
		p.Assumed = append(slices.Clone(p.Assumed), serve.Setting{Name: "engine", Value: string(engine.Kind), Why: why})
	}
	m := e.prepared(engine.Kind)
	if p.MaxModelLen == 0 {
		p.MaxModelLen = e.context()
	}
	if card.Usable() <= 0 {
		return e.blind(m, p)
	}
	need := serve.Need{Concurrency: e.q.Concurrency}
	if p.GPUs == 0 && p.Tensor == 0 && p.Pipeline == 0 && p.Data == 0 {
		return e.fewest(m, p, need)
	}
	return e.planned(m, p, need)
}

// convert is the model in a format that the engine reads.
func (e *estimate) convert(kind serve.Kind) serve.Model {
	m := e.s.serving
	if kind != serve.LlamaCPP || m.Weights.GGUF() || !m.Weights.Quantized() {
		return m
	}
	name := "Q8_0"
	if m.Bytes() < quantBytes(m.Shape, name) {
		name = "Q4_K_M"
	}
	if scheme, err := quant.As(m.Shape, name); err == nil {
		m.Weights = scheme
		e.assume("quantization", name, "llama.cpp does not read "+e.s.serving.Weights.Name+", so a GGUF of about the same size is meant")
	}
	return m
}

func quantBytes(shape *arch.Shape, name string) int64 {
	scheme, err := quant.As(shape, name)
	if err != nil {
		return 0
	}
	return scheme.Total(shape)
}

func (e *estimate) assume(what, value, why string) {
	a := report.Assumption{What: what, Value: value, Why: why}
	if !slices.Contains(e.assumed, a) {
		e.assumed = append(e.assumed, a)
	}
}

// context is the length that is judged where none was given.
func (e *estimate) context() int64 {
	n := int64(sane)
	why := "a request of usual length; the model's maximum is shown beside it"
	if most := e.s.serving.Shape.MaxContext; most > 0 && most < n {
		n, why = most, "the model's maximum"
	}
	e.assume("max_model_len", fmt.Sprint(n), why)
	return n
}

// fewest finds the smallest number of cards.
func (e *estimate) fewest(m *serve.Prepared, p serve.Plan, need serve.Need) (outlook, error) {
	q, memory, err := m.MinGPUs(p, need)
	switch {
	case err == nil:
		return e.shown(m, q, memory, need), nil
	case !errors.Is(err, serve.ErrNoCount):
		return outlook{}, err
	}
	o := report.Outlook{
		Verdict: string(serve.DoesNot), Why: err.Error(),
		Plan: &report.ServingPlan{
			GPU: p.GPU.ID, GPUName: p.GPU.Name, Engine: string(p.Engine.Kind), EngineVersion: p.Engine.Version,
			Quantization: m.Model().Weights.Name, MaxModelLen: p.MaxModelLen, KVType: p.KV,
		},
	}
	p.GPUs = p.Most()
	if q, err := m.Arrange(p); err == nil {
		o.Changes = e.mends(m, q, need)
	}
	return outlook{Outlook: o}, nil
}

// planned judges the plan that was asked for.
func (e *estimate) planned(m *serve.Prepared, p serve.Plan, need serve.Need) (outlook, error) {
	if p.GPUs == 0 {
		p.GPUs = max(1, p.Tensor) * max(1, p.Pipeline) * max(1, p.Data)
	}
	q, err := m.Arrange(p)
	if err == nil {
		var memory *serve.Memory
		if memory, err = m.Fit(q); err == nil {
			return e.shown(m, q, memory, need), nil
		}
	}
	if !errors.Is(err, serve.ErrIllegal) {
		return outlook{}, err
	}
	e.refused = append(e.refused, report.Refused{Plan: planText(p), Why: strings.TrimPrefix(err.Error(), serve.ErrIllegal.Error()+": ")})
	return outlook{Outlook: report.Outlook{
		Verdict: string(serve.DoesNot), Why: err.Error(), Plan: shownPlan(m, p), Changes: e.mends(m, p, need),
	}}, nil
}

// blind tells the bytes of each device where nothing is known of the card.
func (e *estimate) blind(m *serve.Prepared, p serve.Plan) (outlook, error) {
	memory, q, err := m.OnPaper(p)
	if err != nil {
		return outlook{}, err
	}
	q.GPU = p.GPU
	return outlook{Outlook: report.Outlook{
		Verdict: undetermined, Why: "nothing is known of the card, so what it holds is not known either", Plan: shownPlan(m, q),
		Memory: &report.DeviceMemory{Weights: memory.Sum(serve.Weights).Mid, Rank: memory.Rank}, Cache: shownCache(memory),
	}}, nil
}

// better orders what fits before what does not, then by how many devices and how much memory it takes.
func better(a, b outlook) int {
	return cmp.Or(
		cmp.Compare(verdictRank(a.Verdict), verdictRank(b.Verdict)),
		cmp.Compare(total(a), total(b)),
		cmp.Compare(a.Plan.GPUs, b.Plan.GPUs),
		cmp.Compare(a.Plan.GPU, b.Plan.GPU),
	)
}

func verdictRank(v string) int {
	return slices.Index([]string{string(serve.Fits), string(serve.Tight), string(serve.DoesNot), undetermined}, v)
}

// total is the memory of all devices of a plan, which stands for what it costs.
func total(o outlook) int64 {
	if o.Memory == nil || o.Plan == nil {
		return 0
	}
	return o.Memory.Capacity * int64(o.Plan.GPUs)
}
