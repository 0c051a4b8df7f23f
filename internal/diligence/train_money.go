package diligence

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
)

func (t *training) ledger(card *hardware.Accelerator, boards int) ledger {
	return ledger{prices: t.Prices, money: &t.q.Money, device: card, gpus: boards}
}

// bill adds what a run costs and what it draws, unless it does not fit: what cannot run has no price. What is not known is
// told in its place and leaves the rest standing.
func (t *training) bill(o *trainingOutlook) error {
	if t.Prices == nil || o.figures == nil || o.Verdict == string(train.DoesNot) {
		return nil
	}
	l := t.ledger(o.plan.GPU, boards(o.plan.GPU, o.plan.GPUs))
	if err := t.draw(o, &l); err != nil {
		return err
	}
	return t.cost(o, &l)
}

// draw is the power of the cluster and what the run takes out of the grid.
func (t *training) draw(o *trainingOutlook, l *ledger) error {
	system, err := l.prices.System(l.device.ID)
	if err != nil {
		return err
	}
	site, err := l.site(&system)
	if err != nil {
		return err
	}
	busy := 1 - o.figures.IdleShare
	w, err := cost.Power(cost.Draw{
		System: system, GPUs: l.gpus, Machines: machinesOf(&o.plan, l.gpus), Watts: l.device.Watts, Bound: "network", Prompts: min(1, max(0, busy)), Busy: goodput(o.figures),
	})
	o.Energy = &report.TrainingEnergy{PUE: reported(site.PUE.Value), Grid: reported(site.Grid.Value), Place: site.Place, Parts: []report.CostPart{}}
	if err != nil {
		o.Energy.Why = err.Error()
		return nil //nolint:nilerr // told in its place
	}
	l.watts = &w
	o.Energy.Watts = ranged(w.Mean)
	run := o.figures.Run
	if run == nil {
		o.Energy.Why = "nobody said how many tokens are trained on; give --tokens"
		return nil
	}
	spent, err := cost.Spend(w, site, cost.Range(run.Seconds))
	if err != nil {
		o.Energy.Why = err.Error()
		return nil //nolint:nilerr // the same
	}
	o.Energy.KWh, o.Energy.Cooling = ranged(spent.KWh), ranged(spent.Cooling)
	o.Energy.Kg, o.Energy.Electricity = pointed(spent.Kg), pointed(spent.Electricity)
	o.Energy.Parts, o.Energy.Why = shownCosts(spent.Parts), site.Note
	if site.Grid.Of != "" {
		o.Energy.Place += ", grid of " + site.Grid.Of
	}
	o.Wh = ranged(spent.KWh.Times(1e3))
	if spent.Kg != nil {
		o.Grams = ranged(spent.Kg.Times(1e3))
	}
	return nil
}

// goodput is the share of the time in which there is work; without a run nobody knows what fails.
func goodput(f *train.Figures) cost.Range {
	if f.Run == nil {
		return cost.Exactly(1)
	}
	g := f.Run.Goodput
	return cost.Range{Low: max(0, min(1, g.Low)), Mid: max(0, min(1, g.Mid)), High: max(0, min(1, g.High))}
}

func machinesOf(p *train.Plan, boards int) int {
	if p.Fabric == nil || p.Fabric.Node < 1 {
		return 0
	}
	return min(boards, (p.GPUs+p.Fabric.Node-1)/p.Fabric.Node)
}

// cost is what the run costs, rented and owned, without people.
func (t *training) cost(o *trainingOutlook, l *ledger) error {
	out := &report.TrainingCost{Prices: []report.PriceUsed{}, NotIn: "people, data, storage, traffic out of the cloud, evaluation, runs that fail or are thrown away, taxes"}
	o.Cost = out
	book, err := l.prices.Book(l.device.ID)
	if err != nil {
		return err
	}
	for _, q := range book.Rent(l.gpus) {
		one := l.priced(&q)
		if run := o.figures.Run; run != nil {
			one.Run = ranged(cost.Over(q.PerHour, cost.Range(run.Seconds)))
		}
		out.Prices = append(out.Prices, one)
	}
	bought, why, err := l.bought()
	if err != nil {
		return err
	}
	run := o.figures.Run
	if bought != nil {
		out.Bought, out.Buying = bought, &bought.Purchase
		if run != nil {
			out.BuyUSD = ranged(cost.Over(cost.Range(bought.PerHour), cost.Range(run.Seconds)))
		}
	}
	hour, known := t.perHour(out, l, bought, why)
	if !known {
		return nil
	}
	out.PerHour = ranged(hour)
	out.PerGPUHr = ranged(hour.Times(1 / float64(max(1, o.plan.GPUs))))
	if rate := o.figures.TokensPerS; rate.Low > 0 && !math.IsInf(rate.High, 0) {
		if per, ok := cost.PerMillion(hour, cost.Range(rate), cost.Exactly(1)); ok {
			out.PerMTok = ranged(per)
		}
	}
	if run == nil {
		out.Why = "nobody said how many tokens are trained on; give --tokens"
		return nil
	}
	out.Total = ranged(cost.Over(hour, cost.Range(run.Seconds)))
	o.USD = out.Total
	return nil
}

// perHour is the headline of the cluster.
func (t *training) perHour(out *report.TrainingCost, l *ledger, bought *report.Bought, why string) (cost.Range, bool) {
	if t.q.Money.Owned {
		out.Basis = "bought"
		if bought == nil {
			out.Why = why
			return cost.Range{}, false
		}
		return cost.Range(bought.PerHour), true
	}
	q, ok := l.quoted()
	if !ok {
		out.Basis, out.Why = "rented", l.unpriced()
		return cost.Range{}, false
	}
	out.Basis = basis(&q)
	return q.PerHour, true
}
