package diligence

import (
	"fmt"
	"math"

	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/fleet"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// bill is what one plan costs and draws while it is worked out.
type bill struct {
	*estimate
	ledger
	o *outlook

	output *cost.Range // tokens a second of the fully loaded plan; nil where it is not known
	busy   cost.Range
	from   string // of busy
}

// value adds what a plan that starts costs and what it draws. What fails is told in its place and leaves the rest standing.
func (e *estimate) value(o *outlook) error {
	if e.Prices == nil || o.memory == nil || o.memory.Verdict == serve.DoesNot || o.plan.GPU.Usable() <= 0 {
		return nil
	}
	b := &bill{estimate: e, ledger: e.ledger(o.plan.GPU, 0), o: o}
	b.gpus = boards(b.device, o.plan.Devices()) * max(1, o.Plan.Replicas)
	if err := b.load(); err != nil {
		return err
	}
	if err := b.draw(); err != nil {
		return err
	}
	shown, err := b.cost()
	o.Cost = shown
	return err
}

// load is how much the plan makes, and which share of that is used.
func (b *bill) load() error {
	t, w := b.o.timed, &b.q.Load
	if own := b.q.Money.Busy; own > 0 {
		b.busy, b.from = cost.Exactly(own), "as given"
	}
	if t == nil || t.figures == nil {
		return b.usual()
	}
	all := float64(max(1, b.o.Plan.Replicas))
	most := costRange(&t.figures.MaxOutput).Times(all)
	b.output = &most
	if b.from != "" {
		return nil
	}
	active := float64(max(1, b.o.Plan.Replicas-b.o.Plan.Spare))
	switch f := t.figures; {
	case f.Saturated:
		b.busy, b.from = cost.Exactly(1), "more requests than the plan serves, around the clock"
	case w.Unlimited:
		b.busy, b.from = cost.Exactly(1), "as much load as the plan serves, around the clock"
	case w.Rate == 0 && w.Users == 0 && w.Concurrency == 0:
		return b.usual()
	case t.load.Rate > 0:
		b.served(cost.Exactly(t.load.Rate*t.load.Output.Mean).Times(active), fmt.Sprintf("%.4g requests a second, around the clock", t.load.Rate*active))
	case f.Output != nil:
		b.served(costRange(f.Output).Times(active), fmt.Sprintf("%.4g requests at once, around the clock", t.load.Concurrency*active))
	default:
		return b.usual()
	}
	return nil
}

// served takes a load as given: what is made is then known better than what could be made.
func (b *bill) served(made cost.Range, from string) {
	busy := min(1, made.Mid/b.output.Mid)
	if !(busy > 0) {
		return
	}
	b.busy, b.from = cost.Exactly(busy), from
	b.output = new(made.Times(1 / busy))
}

// usual is the share that services which people talk to are known for.
func (b *bill) usual() error {
	if b.from != "" {
		return nil
	}
	f, err := b.Prices.Figure("utilization-interactive")
	b.busy, b.from = f.Value, "usual for services that people use; "+f.Cite()
	return err
}

// draw is the power of the plan and what it takes out of the grid.
func (b *bill) draw() error {
	system, err := b.Prices.System(b.device.ID)
	if err != nil {
		return err
	}
	site, err := b.site(&system)
	if err != nil {
		return err
	}
	w, err := cost.Power(cost.Draw{
		System: system, GPUs: b.gpus, Machines: b.machines(), Watts: b.device.Watts, Bound: b.bound(), Prompts: b.prompts(), Busy: b.busy,
	})
	if err != nil {
		b.o.Energy = &report.Energy{PUE: reported(site.PUE.Value), Grid: reported(site.Grid.Value), Place: site.Place, Parts: []report.CostPart{}, Why: err.Error()}
		return nil //nolint:nilerr // told in its place
	}
	u, err := cost.Use(w, site, b.output, b.busy)
	if err != nil {
		return err
	}
	b.watts, b.energy = &w, &u
	b.o.Energy = shownEnergy(&u)
	return nil
}

// machines is how many there are, 0 where each holds eight.
func (b *bill) machines() int {
	if b.o.Plan.Nodes < 1 {
		return 0
	}
	return min(b.gpus, b.o.Plan.Nodes*max(1, b.o.Plan.Replicas))
}

func (b *bill) bound() string {
	if b.o.Speed == nil {
		return ""
	}
	return b.o.Speed.BoundBy
}

// prompts is the share of the busy time in which prompts are read.
func (b *bill) prompts() float64 {
	t := b.o.timed
	if t == nil || t.figures == nil || t.figures.Prompt.Mid <= 0 {
		return 0
	}
	return min(0.9, t.figures.MaxRequests.Mid*t.load.Input.Mean/t.figures.Prompt.Mid/float64(max(1, t.Replicas())))
}

// cost is what the plan costs while it is reserved.
func (b *bill) cost() (*report.Cost, error) {
	out := &report.Cost{Busy: reported(b.busy), BusyFrom: b.from, Prices: []report.PriceUsed{}}
	book, err := b.Prices.Book(b.device.ID)
	if err != nil {
		return nil, err
	}
	for _, q := range book.Rent(b.gpus) {
		out.Prices = append(out.Prices, b.perAnswer(&q))
	}
	bought, why, err := b.bought()
	if err != nil {
		return nil, err
	}
	out.Bought = bought
	if bought != nil && b.output != nil {
		if per, ok := cost.PerMillion(cost.Range(bought.PerHour), *b.output, b.busy); ok {
			bought.PerMOut = ranged(per)
		}
	}
	if b.q.Money.Owned {
		if bought == nil {
			out.Basis, out.Why = "bought", why
			return out, nil
		}
		out.Basis = "bought"
		b.headline(out, cost.Range(bought.PerHour), cost.Range(bought.PerMonth))
		return out, nil
	}
	q, ok := b.quoted()
	if !ok {
		out.Basis, out.Why = "rented", b.unpriced()
		return out, nil
	}
	out.Basis = basis(&q)
	b.headline(out, q.PerHour, q.PerMonth)
	return out, nil
}

func (b *bill) headline(out *report.Cost, hour, month cost.Range) {
	out.PerHour, out.PerMonth = ranged(hour), ranged(month)
	if b.output == nil {
		return
	}
	per, ok := cost.PerMillion(hour, *b.output, b.busy)
	if !ok {
		return
	}
	out.PerMOutput = ranged(per)
	l := &b.o.timed.load
	if all, ok := cost.PerMillionTokens(per, l.Input.Mean, l.Output.Mean); ok {
		out.PerMTokens = ranged(all)
	}
}

func (b *bill) perAnswer(q *cost.Quote) report.PriceUsed {
	out := b.priced(q)
	if b.output != nil {
		if per, ok := cost.PerMillion(q.PerHour, *b.output, b.busy); ok {
			out.PerMOutput = ranged(per)
		}
	}
	return out
}

func shownEnergy(u *cost.Energy) *report.Energy {
	return &report.Energy{
		Watts: ranged(u.Watts), WhPerMOut: pointed(u.WhPerM), GramsPerM: pointed(u.GramsPerM), KWhMonth: pointed(u.KWhMonth), KgMonth: pointed(u.KgMonth),
		Electricity: pointed(u.Electricity), PUE: reported(u.PUE.Value), Grid: reported(u.Grid.Value), Place: gridOf(u), Parts: shownCosts(u.Parts),
		Why: u.Note,
	}
}

// gridOf names the grid with the year of its figure.
func gridOf(u *cost.Energy) string {
	if u.Grid.Of == "" {
		return u.Place
	}
	return u.Place + ", grid of " + u.Grid.Of
}

func shownCosts(parts []cost.Part) []report.CostPart {
	out := make([]report.CostPart, 0, len(parts))
	for _, p := range parts {
		out = append(out, report.CostPart{What: p.What, Value: reported(p.Value), Unit: p.Unit, Formula: p.Formula, Source: p.Source})
	}
	return out
}

func costRange(r *speed.Range) cost.Range { return cost.Range(*r) }
func reported(r cost.Range) report.Range  { return report.Range(r) }
func ranged(r cost.Range) *report.Range   { return new(report.Range(r)) }

func pointed(r *cost.Range) *report.Range {
	if r == nil {
		return nil
	}
	return ranged(*r)
}

// price is what an hour of so many of a card costs, for the search of plans.
func (e *estimate) price() func(card string, gpus int) (speed.Range, bool) {
	if e.Prices == nil {
		return nil
	}
	return func(card string, gpus int) (speed.Range, bool) {
		match, err := e.Cards.Resolve(card)
		if err != nil {
			return speed.Range{}, false
		}
		b := &bill{estimate: e, ledger: e.ledger(match.GPU, boards(match.GPU, gpus))}
		if m := &e.q.Money; m.PerGPUHour > 0 || m.Owned || m.Terms != "" || m.Seller != "" {
			return b.hourly()
		}
		book, err := e.Prices.Book(card)
		if err != nil {
			return speed.Range{}, false
		}
		r, ok := book.PerHour(b.gpus)
		return speed.Range(r), ok
	}
}

// hourly is the price of an hour on the terms that were asked for.
func (b *bill) hourly() (speed.Range, bool) {
	if !b.q.Money.Owned {
		q, ok := b.quoted()
		return speed.Range(q.PerHour), ok
	}
	got, _, err := b.bought()
	if err != nil || got == nil {
		return speed.Range{}, false
	}
	return speed.Range(got.PerHour), true
}

// power is what a choice draws on average.
func (e *estimate) power(c *fleet.Choice) (speed.Range, bool) {
	if e.Prices == nil {
		return speed.Range{}, false
	}
	system, err := e.Prices.System(c.Card.ID)
	if err != nil {
		return speed.Range{}, false
	}
	w, err := cost.Power(cost.Draw{
		System: system, GPUs: boards(c.Card, c.GPUs), Watts: c.Card.Watts, Bound: bound(c.Figures.Bound), Busy: cost.Exactly(math.Max(0, min(1, c.Busy))),
	})
	if err != nil {
		return speed.Range{}, false
	}
	return speed.Range(w.Mean), true
}
