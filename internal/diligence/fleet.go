package diligence

import (
	"fmt"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/fleet"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// searches reports whether the question is which plan serves a load, rather than what a plan does.
func (q *EstimateQuestion) searches() bool {
	return (q.Load.Rate > 0 || q.Load.Users > 0) && q.Plan.Open()
}

// planned answers which plan serves the load at the least cost.
func (e *estimate) cheapest(cards []*hardware.Accelerator) (*report.Estimate, error) {
	constants, err := e.Speed()
	if err != nil {
		return nil, err
	}
	e.need = serve.Need{} // the search tells whether the load is served; requests that find no room at once wait
	q := fleet.Question{
		Load: e.fleetLoad(), Targets: fleet.Targets{TTFT: e.q.Load.TTFT, TPOT: e.q.Load.TPOT}, Spare: e.q.Search.Spare, MaxGPUs: e.q.Search.MaxGPUs,
		Price: e.price(), Power: e.power,
	}
	for _, card := range cards {
		c, err := e.candidate(card)
		if err != nil {
			return nil, err
		}
		q.Candidates = append(q.Candidates, c)
	}
	q.Estimate = e.replicas(constants, q.Candidates)
	found, err := fleet.Search(q)
	if err != nil {
		return nil, err
	}
	if err := e.ctx.Err(); err != nil {
		return nil, err
	}
	return e.found(&q, found)
}

// fleetLoad is what all replicas together have to serve. Of people who read between their questions the rate is taken as
// if they were answered at once, which is the most that they ask.
func (e *estimate) fleetLoad() speed.Load {
	l, w := e.load, &e.q.Load
	if w.Users > 0 && w.Think > 0 {
		l.Rate, l.Concurrency = w.Users/w.Think, 0
		e.assume("request_rate", tokens(math.Ceil(l.Rate)), "so many people who are answered at once and read in between ask that often at most")
	}
	return l
}

// candidate is what may be planned on a card: with the weights as they are asked for, or as stored and in the formats
// that take less.
func (e *estimate) candidate(card *hardware.Accelerator) (fleet.Candidate, error) {
	engine, why, err := e.engine(card)
	if err != nil {
		return fleet.Candidate{}, err
	}
	m := e.prepared(engine.Kind)
	c := fleet.Candidate{Plan: e.said(card, engine, why, m)}
	if e.q.Quant != "" && e.q.Quant != BestQuant {
		c.Formats = []fleet.Format{{Model: m.Prepared}}
		return c, nil
	}
	c.Formats = fleet.Formats(m.Prepared, engine.Kind)
	return c, nil
}

// found is the answer: the cheapest plan with the weights as published, or, where a number format is left to us or none
// other does, the cheapest of all.
func (e *estimate) found(q *fleet.Question, r *fleet.Result) (*report.Estimate, error) {
	choices := r.Ranked
	best := r.Stored
	if e.q.Quant != "" || best == nil {
		best = first(choices)
	}
	if best == nil {
		best = first(r.Perhaps)
	}
	if best == nil {
		return e.nothing(q, r)
	}
	o, err := e.chosen(best)
	if err != nil {
		return nil, err
	}
	e.details(o)
	ofAll(&report.Speed{Curve: o.Speed.Curve}, float64(best.Replicas-best.Spare))
	out := &report.Estimate{
		Model: e.shownModel(o), Outlook: o.Outlook, Candidates: []report.Outlook{}, Assumed: e.allAssumed(o), Notes: e.notes(o), Fleet: e.shownFleet(q, r),
	}
	for i := range choices {
		if len(out.Candidates) == shownChoices {
			break
		}
		if same(&choices[i], best) {
			continue
		}
		other, err := e.chosen(&choices[i])
		if err != nil {
			return nil, err
		}
		out.Candidates = append(out.Candidates, other.Outlook)
	}
	if best.Lossy {
		out.Notes = append(out.Notes, fmt.Sprintf("the weights are published in another format; in %s they lose something, which only an evaluation on your own tasks can tell",
			best.Model.Format()))
	}
	if cheaper := first(choices); cheaper != nil && cheaper.Lossy && !best.Lossy && cheaper.Priced && best.Priced {
		out.Notes = append(out.Notes, fmt.Sprintf("in %s on %d x %s it would cost %s instead of %s USD an hour; --quant best takes it",
			cheaper.Model.Format(), cheaper.GPUs, cheaper.Card.Name, dollars(cheaper.PerHour.Mid), dollars(best.PerHour.Mid)))
	}
	out.Summary = e.summaryOfFleet(out, best)
	return out, e.emit(out, o)
}

// shownChoices is how many other plans are shown.
const shownChoices = 11

func first(list []fleet.Choice) *fleet.Choice {
	if len(list) == 0 {
		return nil
	}
	return &list[0]
}

func same(a, b *fleet.Choice) bool {
	return a.Card.ID == b.Card.ID && a.Model == b.Model && a.GPUs == b.GPUs && a.Plan.GPUs == b.Plan.GPUs
}

func dollars(f float64) string {
	if f < 100 {
		return fmt.Sprintf("%.2f", f)
	}
	return tokens(f)
}

// chosen is a choice as an outlook, with the speed of the whole fleet under the whole load.
func (e *estimate) chosen(c *fleet.Choice) (*outlook, error) {
	o := e.judged(c.Model, c.Plan, c.Plan, c.Memory)
	o.Plan.Replicas, o.Plan.Spare, o.Plan.Converted = c.Replicas, c.Spare, c.Lossy
	constants, err := e.Speed()
	if err != nil {
		return nil, err
	}
	if o.timed, err = e.time(constants, c.Model, o.plan, o.memory); err != nil {
		return nil, err
	}
	o.timed.load, o.timed.figures = c.Each, c.Figures
	o.Speed = e.shownSpeed(&o)
	o.Speed.Targets = e.metBy(c)
	if err := e.value(&o); err != nil {
		return nil, err
	}
	ofAll(o.Speed, float64(c.Replicas-c.Spare))
	return &o, nil
}

// ofAll makes the speed of one replica that of as many that share a load: each request still sees one of them.
func ofAll(s *report.Speed, replicas float64) {
	for _, r := range []*report.Range{s.Output, s.Requests, s.MaxOutput, s.MaxRequests} {
		if r != nil {
			r.Low, r.Mid, r.High = r.Low*replicas, r.Mid*replicas, r.High*replicas
		}
	}
	if s.Concurrency != nil {
		s.Concurrency = new(int64(math.Ceil(float64(*s.Concurrency) * replicas)))
	}
	if s.RequestRate != nil {
		s.RequestRate = new(*s.RequestRate * replicas)
	}
	if t := s.Targets; t != nil && t.AtMost != nil {
		t.AtMost = new(int64(float64(*t.AtMost) * replicas))
	}
	if t := s.Targets; t != nil && t.AtMostRate != nil {
		t.AtMostRate = new(*t.AtMostRate * replicas)
	}
	for i := range s.Curve {
		p := &s.Curve[i]
		p.Concurrency = int64(float64(p.Concurrency) * replicas)
		for _, r := range []*report.Range{&p.Output, &p.Requests} {
			r.Low, r.Mid, r.High = r.Low*replicas, r.Mid*replicas, r.High*replicas
		}
	}
}

// metBy is what the search says of the limits.
func (e *estimate) metBy(c *fleet.Choice) *report.Targets {
	w := &e.q.Load
	if !w.limited() {
		return nil
	}
	out := &report.Targets{Met: string(c.Met)}
	if w.TTFT > 0 {
		out.TTFT = &w.TTFT
	}
	if w.TPOT > 0 {
		out.TPOT = &w.TPOT
	}
	if c.Met != fleet.Yes {
		out.Why = w.broken(c.Figures)
	}
	if c.Each.Rate > 0 {
		out.AtMostRate = new(c.AtMost())
	} else {
		out.AtMost = new(int64(c.AtMost()))
	}
	return out
}

// nothing is the answer where no plan serves the load.
func (e *estimate) nothing(q *fleet.Question, r *fleet.Result) (*report.Estimate, error) {
	card := q.Candidates[0].Plan.GPU
	o, err := e.outlook(card)
	if err != nil {
		return nil, err
	}
	why := "no plan of " + tokens(float64(r.Looked)) + " that were looked at serves this load within its limits"
	if len(r.Rejected) == 1 {
		why = r.Rejected[0].Why
	}
	o.Fits, o.Why = false, why
	if len(r.Rejected) > 0 && !slices.ContainsFunc(r.Rejected, func(no fleet.Rejection) bool { return no.Kind != "no_speed" && no.Kind != "no_profile" }) {
		o.Verdict = undetermined // of every card it is not known, rather than known that it does not serve
	}
	if o.Verdict != undetermined {
		o.Verdict = string(serve.DoesNot)
	}
	out := &report.Estimate{
		Model: e.shownModel(&o), Outlook: o.Outlook, Candidates: []report.Outlook{}, Assumed: e.allAssumed(&o), Notes: e.notes(&o),
		Fleet: e.shownFleet(q, r), Refused: e.refused,
	}
	out.Summary = e.s.ref.String() + ": " + why
	return out, e.emit(out, &o)
}

func (e *estimate) shownFleet(q *fleet.Question, r *fleet.Result) *report.Fleet {
	out := &report.Fleet{
		RequestRate: q.Load.Rate, Users: int64(e.q.Load.Users), Spare: q.Spare, Looked: r.Looked, Met: r.Met,
		Front: []report.Choice{}, Rejected: []report.Rejection{},
	}
	for i := range r.Front {
		out.Front = append(out.Front, shownChoice(&r.Front[i]))
	}
	for _, no := range r.Rejected {
		one := report.Rejection{What: no.Card.Name, Kind: no.Kind, Why: no.Why}
		if c := no.Nearest; c != nil {
			one.GPUs = c.GPUs
			if c.Priced {
				one.PerHour = shownRange(&c.PerHour)
			}
		}
		out.Rejected = append(out.Rejected, one)
	}
	return out
}

func shownChoice(c *fleet.Choice) report.Choice {
	p := shownPlan(c.Model, c.Plan)
	p.Replicas, p.Spare, p.Converted = c.Replicas, c.Spare, c.Lossy
	out := report.Choice{
		Plan: *p, Replicas: c.Replicas, GPUs: c.GPUs, PerHour: *shownRange(&c.PerHour), PerMOut: *shownRange(&c.PerMOut), Watts: shownRange(c.Watts), Busy: c.Busy,
	}
	if c.Figures.TTFT != nil && c.Figures.TPOT != nil {
		out.TTFT, out.TPOT = *shownRange(c.Figures.TTFT), *shownRange(c.Figures.TPOT)
	}
	return out
}

// summaryOfFleet is the answer in one sentence.
func (e *estimate) summaryOfFleet(r *report.Estimate, c *fleet.Choice) string {
	load := fmt.Sprintf("%.4g requests a second", e.q.Load.Rate)
	if e.q.Load.Users > 0 {
		load = tokens(e.q.Load.Users) + " users"
	}
	plan := fmt.Sprintf("%d x %s", c.GPUs, c.Card.Name)
	if c.Replicas > 1 {
		plan += fmt.Sprintf(" in %d replicas", c.Replicas)
	}
	s := fmt.Sprintf("%s in %s serves %s on %s", e.s.ref, r.Plan.Quantization, load, plan)
	if c.Met == fleet.Perhaps {
		s = fmt.Sprintf("%s in %s serves %s on %s only perhaps within the limits", e.s.ref, r.Plan.Quantization, load, plan)
	}
	if c.Priced {
		s += fmt.Sprintf(", for about %s USD an hour", dollars(c.PerHour.Mid))
		if r.Cost != nil && r.Cost.Basis != "" {
			s += " (" + r.Cost.Basis + ")"
		}
	}
	return s
}
