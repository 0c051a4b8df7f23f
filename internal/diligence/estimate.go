package diligence

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// EstimateQuestion asks what a model needs, and whether it fits. Zero values are what nobody said.
type EstimateQuestion struct {
	Ref   model.Ref
	Quant string // number format of the weights, if not as stored; BestQuant for the most precise that fits

	Cards []string // accelerators as people write them; empty is a handful of common ones, "all" the whole catalog
	Plan  serve.Plan
	Kind  serve.Kind // of the engine; "" chooses by model and card
	// Version of the engine, as people write it.
	Version    string
	Load       Workload
	Money      Money
	Search     Search
	Emit       string // format of the plan as something to run; "" is none
	HostMemory int64  // bytes that are free beside the devices, for what a plan leaves on the host
	LoadMTP    bool
	Explain    bool // every tensor with its formula
}

// BestQuant asks for the most precise format, as stored or smaller, with which a plan works.
const BestQuant = "best"

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

// Estimate answers what a model needs and whether it fits. An error that wraps ErrNumber, ErrShape, serve.ErrIllegal or
// quant.ErrName lies in the question or its files; one that wraps arch.ErrUnknown means that nothing could be sized.
func Estimate(ctx context.Context, d Deps, q EstimateQuestion) (*report.Document, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	in := &inquiry{Deps: d, ctx: ctx}
	s, err := in.describe(q.Ref, strings.TrimPrefix(q.Quant, BestQuant))
	if err == nil {
		err = in.shape(s, q.Quant)
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	if err != nil {
		return in.unsized(s, err), err
	}
	e := newEstimateOf(in, s, q)
	out, err := e.answer()
	if ctx.Err() != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, err
	}
	return in.estimated(s, out), nil
}

func newEstimateOf(in *inquiry, s *described, q EstimateQuestion) *estimate {
	return &estimate{
		inquiry: in, s: s, q: q, need: serve.Need{Concurrency: q.Load.AtOnce()},
		ready: make(map[serve.Kind]*ready), engines: make(map[serve.Kind]*serve.Engine),
		owns: make(map[string]*ownRuns), larger: make(map[string][]*hardware.Accelerator),
	}
}

// unsized is the document for a model of which nothing could be sized.
func (in *inquiry) unsized(s *described, err error) *report.Document {
	gap := gapOf(s.ref.String(), err)
	if gap.Kind == model.Unreachable && s.ref.Scheme == model.SchemePath && !remote(err) {
		gap.Kind = model.Unread
	}
	s.gaps = append(s.gaps, gap)
	return in.estimated(s, &report.Estimate{
		Summary: "nothing could be sized: " + err.Error(), Outlook: report.Outlook{Verdict: undetermined, Why: err.Error()},
		Candidates: []report.Outlook{}, Assumed: nonNil(s.assumed),
	})
}

// remote reports whether something else than this disk failed: the hub that has the base model of an adapter, or the time.
func remote(err error) bool {
	return slices.ContainsFunc([]error{source.ErrNotFound, source.ErrUnreachable, source.ErrMalformed, context.DeadlineExceeded},
		func(kind error) bool { return errors.Is(err, kind) })
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
	need    serve.Need
	load    speed.Load
	raw     bool                               // the user's measurements are left out
	owns    map[string]*ownRuns                // by card and engine
	larger  map[string][]*hardware.Accelerator // of a card whose size of memory nobody said
	doubts  []string                           // of those measurements
	assumed []report.Assumption                // of the question, whatever the card
	refused []report.Refused
	ready   map[serve.Kind]*ready
	engines map[serve.Kind]*serve.Engine
}

// ready is the model in a format that an engine reads, ready for many plans, with the assumption that it took.
type ready struct {
	*serve.Prepared
	assumed []serve.Setting
}

// answer looks at every card, and shows the best one with the others beside it. What mends a plan is looked for as long
// as few enough cards are asked about for somebody to read it.
func (e *estimate) answer() (*report.Estimate, error) {
	cards, err := e.cards()
	if err != nil {
		return nil, err
	}
	e.load = e.usual()
	if e.q.searches() {
		return e.cheapest(cards)
	}
	list := make([]outlook, 0, len(cards))
	for _, card := range cards {
		o, err := e.outlook(card)
		if err == nil {
			err = e.fast(&o)
		}
		if err == nil {
			err = e.value(&o)
		}
		if err != nil {
			return nil, err
		}
		list = append(list, o)
	}
	slices.SortStableFunc(list, better)
	for i := range list {
		if i == 0 || e.q.Explain && len(list) <= handful {
			list[i].explain(e.q.Explain || len(list) == 1)
		}
	}
	for i := range list {
		if i == 0 || len(list) <= handful {
			e.mend(&list[i])
			e.targets(&list[i])
		}
	}
	e.details(&list[0])
	out := e.shown(list)
	return out, e.emit(out, &list[0])
}

// shown is the answer with the first outlook as the one that is meant.
func (e *estimate) shown(list []outlook) *report.Estimate {
	best := &list[0]
	out := &report.Estimate{
		Model: e.shownModel(best), Outlook: best.Outlook, Candidates: []report.Outlook{}, Refused: e.refused,
		Assumed: e.allAssumed(best), Notes: e.notes(best),
	}
	for _, o := range list[1:] {
		out.Candidates = append(out.Candidates, o.Outlook)
	}
	out.Summary = e.summary(out)
	return out
}

// handful is how many cards are looked at closely.
const handful = 12

// outlook is what comes of one card.
type outlook struct {
	report.Outlook
	model  *serve.Prepared
	asked  serve.Plan    // what was said of it, and nothing else
	plan   serve.Plan    // what was judged
	memory *serve.Memory // nil where no engine would start it
	timed  *timed        // nil where no speed can be told
}

// cards are the accelerators of the question.
func (e *estimate) cards() ([]*hardware.Accelerator, error) {
	names := e.q.Cards
	if slices.Equal(names, []string{"all"}) || len(names) == 0 && e.q.searches() {
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
		e.larger[match.GPU.ID] = match.Larger
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
	if err != nil {
		return nil, "", err
	}
	e.engines[kind] = engine
	return engine, why, nil
}

// prepared is the model in a format that the engine reads.
func (e *estimate) prepared(kind serve.Kind) *ready {
	if r := e.ready[kind]; r != nil {
		return r
	}
	m, assumed := e.convert(kind)
	m.LoadMTP = e.q.LoadMTP
	e.ready[kind] = &ready{serve.Prepare(m), assumed}
	return e.ready[kind]
}

// outlook is what comes of one card.
func (e *estimate) outlook(card *hardware.Accelerator) (outlook, error) {
	if err := e.ctx.Err(); errors.Is(err, context.Canceled) {
		return outlook{}, err
	}
	engine, why, err := e.engine(card)
	if err != nil {
		return outlook{}, err
	}
	m := e.prepared(engine.Kind)
	p := e.said(card, engine, why, m)
	p.Wanted = e.need.Concurrency
	noProfile := p.Profiled()
	switch {
	case card.Usable() <= 0:
		return e.blind(m.Prepared, p, "nothing is known of the card, so what it holds is not known either")
	case errors.Is(noProfile, serve.ErrNoProfile):
		return e.blind(m.Prepared, p, noProfile.Error())
	case e.q.Quant == BestQuant:
		return e.best(m.Prepared, p)
	case p.Open():
		return e.fewest(m.Prepared, p)
	}
	return e.planned(m.Prepared, p)
}

// said is the plan on a card as far as somebody said it, with why the engine was chosen if nobody did.
func (e *estimate) said(card *hardware.Accelerator, engine *serve.Engine, why string, m *ready) serve.Plan {
	p := e.q.Plan
	p.Engine, p.GPU, p.Assumed = engine, card, slices.Concat(p.Assumed, m.assumed)
	if why != "" {
		p.Assumed = append(p.Assumed, serve.Setting{Name: "engine", Value: string(engine.Kind), Why: why})
	}
	if p.MaxModelLen == 0 {
		e.length(&p)
	}
	return p
}

// convert is the model in a format that the engine reads.
func (e *estimate) convert(kind serve.Kind) (serve.Model, []serve.Setting) {
	m := e.s.serving
	if kind != serve.LlamaCPP || m.Weights.GGUF() || !m.Weights.Quantized() {
		return m, nil
	}
	name := counterpart(m)
	scheme, err := quant.As(m.Shape, name)
	if err != nil {
		return m, nil
	}
	m.Weights = scheme
	return m, []serve.Setting{{
		Name: "quantization", Value: name,
		Why: "llama.cpp does not read " + e.s.serving.Weights.Name + ", so a GGUF file of about the same size is meant",
	}}
}

// counterpart is the file type of llama.cpp that keeps about as much of a model as the format that it is stored in.
func counterpart(m serve.Model) string {
	most, numbers := quant.Format{Bits: 16}, map[string]int64{}
	for name, t := range m.Shape.Named() {
		f := m.Weights.Format(name, t)
		if f.Bits >= 16 {
			continue
		}
		if numbers[f.Name] += t.Elements(); numbers[f.Name] > numbers[most.Name] {
			most = f
		}
	}
	switch {
	case strings.HasPrefix(most.Name, "mxfp4"):
		return "MXFP4_MOE"
	case most.Bits > wideBits:
		return "Q8_0"
	}
	return "Q4_K_M"
}

// wideBits is the number of bits above which a format is nearer to 8 bits than to 4.
const wideBits = 6

// doubt notes what contradicts the answer, once.
func (e *estimate) doubt(text string) {
	if !slices.Contains(e.doubts, text) {
		e.doubts = append(e.doubts, text)
	}
}

func (e *estimate) assume(what, value, why string) {
	a := report.Assumption{What: what, Value: value, Why: why}
	if !slices.Contains(e.assumed, a) {
		e.assumed = append(e.assumed, a)
	}
}

// length is the context that is judged where none was given.
func (e *estimate) length(p *serve.Plan) {
	n, why := int64(sane), "a request of usual length; the model's maximum is shown beside it"
	if most := e.s.serving.Shape.MaxContext; most > 0 && most <= n {
		n, why = most, "the model's maximum"
	}
	p.MaxModelLen = n
	p.Assumed = append(p.Assumed, serve.Setting{Name: "max_model_len", Value: strconv.FormatInt(n, 10), Why: why})
}

// fewest finds the smallest number of cards.
func (e *estimate) fewest(m *serve.Prepared, p serve.Plan) (outlook, error) {
	q, memory, err := m.MinGPUs(p, e.need)
	for _, gpu := range e.larger[p.GPU.ID] {
		if err == nil {
			break
		}
		larger := p
		larger.GPU = gpu
		if q2, memory2, err2 := m.MinGPUs(larger, e.need); err2 == nil {
			q2.Assumed = append(slices.Clone(q2.Assumed), serve.Setting{
				Name: "gpu_memory", Value: strconv.FormatFloat(gpu.MemoryGB, 'f', -1, 64) + " GB", Why: "the smallest of the sizes that " + p.GPU.Name + " is sold with that holds the model",
			})
			q, memory, err = q2, memory2, nil
		}
	}
	switch {
	case err == nil:
		return e.judged(m, p, q, memory), nil
	case errors.Is(err, serve.ErrIllegal):
		p.GPUs = 1
		return e.refuse(m, p, err)
	case !errors.Is(err, serve.ErrNoCount):
		return outlook{}, err
	}
	p.GPUs = p.Most()
	if memory == nil { // not even the weights found room, which was told without an account
		q, memory, err = m.Settle(p)
	} else {
		p.GPUs, err = q.GPUs, nil
	}
	if err != nil {
		p.GPUs = 1
		return e.planned(m, p)
	}
	o := e.judged(m, p, q, memory)
	if p.GPUs > 1 {
		o.Why += "; fewer of these devices hold less"
	}
	return o, nil
}

// planned judges the plan that was asked for.
func (e *estimate) planned(m *serve.Prepared, p serve.Plan) (outlook, error) {
	if q, memory := e.spread(m, p); memory != nil {
		return e.judged(m, p, q, memory), nil
	}
	q, memory, err := m.SettleOn(p, e.larger[p.GPU.ID])
	if err != nil {
		return e.refuse(m, p, err)
	}
	return e.judged(m, p, q, memory), nil
}

// best chooses the number format too.
func (e *estimate) best(m *serve.Prepared, p serve.Plan) (outlook, error) {
	a, ok := m.BestQuantization(p, e.need)
	why := "the most precise of " + formatNames(m, p) + " with which this plan fits"
	if !ok {
		why = "the smallest of " + formatNames(m, p) + ", none of which fits"
	}
	chosen := serve.Setting{Name: "quantization", Value: a.Model.Format(), Why: why}
	p.Assumed = append(slices.Clone(p.Assumed), chosen)
	if a.Memory == nil {
		return e.planned(a.Model, p)
	}
	a.Plan.Assumed = append(slices.Clone(a.Plan.Assumed), chosen)
	p.GPUs = a.Plan.GPUs
	o := e.judged(a.Model, p, a.Plan, a.Memory)
	if !ok {
		o.Why = "none of " + formatNames(m, p) + " fits; in " + a.Model.Format() + ", " + o.Why
	}
	return o, nil
}

func formatNames(m *serve.Prepared, p serve.Plan) string {
	var names []string
	for _, f := range m.Formats(p.Engine.Kind) {
		names = append(names, f.Format())
	}
	return listed(names)
}

// refuse is the outlook of a plan that no engine would start.
func (e *estimate) refuse(m *serve.Prepared, p serve.Plan, err error) (outlook, error) {
	if !errors.Is(err, serve.ErrIllegal) {
		return outlook{}, err
	}
	p.GPUs = p.Devices()
	e.refused = append(e.refused, report.Refused{Plan: planText(p), Why: rule(err)})
	return outlook{
		Outlook: report.Outlook{Verdict: string(serve.DoesNot), Why: err.Error(), Plan: shownPlan(m, p)},
		model:   m, asked: p, plan: p,
	}, nil
}

// rule is the rule that a plan breaks.
func rule(err error) string {
	text := err.Error()
	if _, after, ok := strings.Cut(text, serve.ErrIllegal.Error()+": "); ok {
		return after
	}
	return text
}

// blind tells the bytes of each device where it is not known, for some reason, what else it has to hold.
func (e *estimate) blind(m *serve.Prepared, p serve.Plan, why string) (outlook, error) {
	memory, q, err := m.OnPaper(p)
	if err != nil {
		return e.refuse(m, p, err)
	}
	q.GPU = p.GPU
	if q.GPU.MaxPerNode == 0 { // how many machines they stand in is not known either
		card := *p.GPU
		card.MaxPerNode = q.GPUs
		q.GPU = &card
	}
	cache := shownCache(memory)
	cache.Blocks, cache.MaxContext = nil, nil // of a card that there is not
	return outlook{
		Outlook: report.Outlook{
			Verdict: undetermined, Why: why, Plan: shownPlan(m, q),
			Memory: &report.DeviceMemory{Weights: memory.Sum(serve.Weights).Mid, Rank: memory.Rank}, Cache: cache,
		},
		model: m, asked: p, plan: q,
	}, nil
}

// better orders what fits before what does not, then by what it costs where both have a price, then by how many devices
// and how much memory it takes.
func better(a, b outlook) int {
	return cmp.Or(
		cmp.Compare(verdictRank(a.Verdict), verdictRank(b.Verdict)),
		cmp.Compare(hourly(a), hourly(b)),
		cmp.Compare(total(a), total(b)),
		cmp.Compare(a.Plan.GPUs, b.Plan.GPUs),
		cmp.Compare(a.Plan.GPU, b.Plan.GPU),
	)
}

func verdictRank(v string) int {
	return slices.Index([]string{string(serve.Fits), string(serve.Tight), string(serve.DoesNot), undetermined}, v)
}

// hourly is what an hour of a plan costs; what has no price comes after what has one.
func hourly(o outlook) float64 {
	if o.Cost == nil || o.Cost.PerHour == nil {
		return math.Inf(1)
	}
	return o.Cost.PerHour.Mid
}

// total is the memory of all devices of a plan, which stands for what it costs.
func total(o outlook) int64 {
	if o.Memory == nil || o.Plan == nil {
		return 0
	}
	return o.Memory.Capacity * int64(o.Plan.GPUs)
}
