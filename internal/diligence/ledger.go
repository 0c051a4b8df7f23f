package diligence

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/cost"
	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/report"
)

// Prices is the catalog of what things cost and draw.
type Prices interface {
	Book(card string) (*cost.Book, error)
	Bought(card string) ([]cost.Purchase, error)
	System(card string) (cost.System, error)
	Ownership() (cost.Ownership, error)
	Figure(id string) (cost.Figure, error)
	Site(w costs.Where) (cost.Site, error)
}

// boards is how many boards hold so many devices as software counts them: prices and watts are of boards.
func boards(card *hardware.Accelerator, devices int) int {
	each := max(1, card.Devices)
	return (devices + each - 1) / each
}

// ledger holds what so many boards of a card cost, and where they stand.
type ledger struct {
	prices Prices
	money  *Money
	device *hardware.Accelerator
	gpus   int // boards
	watts  *cost.Watts
	energy *cost.Energy
	quote  *cost.Quote
}

func (e *estimate) ledger(card *hardware.Accelerator, boards int) ledger {
	return ledger{prices: e.Prices, money: &e.q.Money, device: card, gpus: boards}
}

// site is where the plan runs: in the halls of who rents it out, in one's own, or under a desk.
func (l *ledger) site(s *cost.System) (cost.Site, error) {
	m := l.money
	w := costs.Where{Place: m.Country, Hall: s.Hall}
	if m.PUE > 0 {
		w.PUE = &m.PUE
	}
	if m.Electricity > 0 {
		w.Electricity = &m.Electricity
	}
	if q, ok := l.quoted(); ok && !m.Owned && q.Class != "" {
		w.Hall = costs.PUE(q.Class)
	}
	return l.prices.Site(w)
}

// quoted is the price that the answer is given with.
func (l *ledger) quoted() (cost.Quote, bool) {
	if l.quote == nil {
		q, ok := l.find()
		if !ok {
			return q, false
		}
		l.quote = &q
	}
	return *l.quote, true
}

func (l *ledger) find() (cost.Quote, bool) {
	m := l.money
	if m.PerGPUHour > 0 {
		return cost.OwnPrice(m.PerGPUHour, l.gpus)
	}
	book, err := l.prices.Book(l.device.ID)
	if err != nil {
		return cost.Quote{}, false
	}
	if m.Terms == "" && m.Seller == "" {
		return book.Headline(l.gpus)
	}
	return book.Asked(l.gpus, cmp.Or(cost.Terms(m.Terms), cost.OnDemand), cost.Class(m.Seller))
}

func basis(q *cost.Quote) string {
	if q.Class == "" {
		return q.Note
	}
	return q.Basis()
}

func (l *ledger) unpriced() string {
	m := l.money
	what := strings.TrimSpace(strings.ReplaceAll(m.Terms, "_", " ") + " " + m.Seller)
	if what != "" {
		what = " (" + what + ")"
	}
	return fmt.Sprintf("no price%s of %s is known here; give yours with --price, in USD an hour for one", what, l.device.Name)
}

func (l *ledger) priced(q *cost.Quote) report.PriceUsed {
	return report.PriceUsed{
		Seller: string(q.Class), Terms: string(q.Terms), PerGPUHour: reported(q.PerGPUHour), PerHour: reported(q.PerHour), PerMonth: reported(q.PerMonth),
		Offers: q.Offers, From: strings.Join(q.Sellers, ", "), Oldest: q.Oldest.Words(), Newest: q.Newest.Words(), Source: strings.Join(q.Sources, "; "), Note: q.Note,
		AcceleratorsAlone: q.Incomplete,
	}
}

// bought is what owning costs, or why that is not known.
func (l *ledger) bought() (*report.Bought, string, error) {
	figures, err := l.prices.Ownership()
	if err != nil {
		return nil, "", err
	}
	purchases, err := l.prices.Bought(l.device.ID)
	if err != nil {
		return nil, "", err
	}
	owner := cost.Owner{GPUs: l.gpus, Purchases: purchases, Figures: figures, Energy: l.energy}
	if own := l.money.Purchase; own > 0 {
		owner.Price = new(cost.Exactly(own))
	}
	if l.watts != nil {
		owner.Maximum = l.watts.Maximum
	}
	got, err := cost.Own(owner)
	if errors.Is(err, cost.ErrNoPrice) {
		return nil, fmt.Sprintf("no purchase price of %s is known here; give yours with --own --purchase-price", l.device.Name), nil
	}
	if err != nil {
		return nil, "", err
	}
	return &report.Bought{Purchase: reported(got.Purchase), PerHour: reported(got.PerHour), PerMonth: reported(got.PerMonth), Parts: shownCosts(got.Parts)}, "", nil
}
