package cost

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Purchase is what something costs to buy: its value is US dollars for all that is in it.
type Purchase struct {
	Figure
	Cards []string // ids of the hardware catalog
	GPUs  int      // that are in it
	Whole bool     // a computer that needs nothing else; otherwise cards without one
	Basis Basis
}

// Basis is what kind of price a purchase has.
type Basis string

// The kinds of prices.
const (
	Street    Basis = "street" // what is paid
	Suggested Basis = "list"   // what the maker suggests or a table repeats: of little worth for what nobody sells at it
)

// Ownership are the figures that the cost of owning rests on.
type Ownership struct {
	Life       Figure // years in use: low, middle and high
	Residual   Figure // share of the price that is left after the shortest life; of longer ones nothing is known, and nothing is left
	Server     Figure // price of a server over that of the cards in it
	Extra      Figure // network, cables and insurance, as a share of the price of the servers
	Colocation Figure // US dollars a kW of the maximum and month
}

// Owner is what is asked of the cost of owning.
type Owner struct {
	GPUs      int
	Purchases []Purchase // those of the card; the first that fits best is taken
	Price     *Range     // of one card with its share of the server, where the user named it
	Figures   Ownership
	Maximum   Range   // watts of the whole plan that have to be provided for; see Draw.Maximum
	Energy    *Energy // what the plan takes; nil where that is not known
	Hall      bool    // whether the machines stand in a hall, with a network and space to pay for
}

// Bought is what owning costs. PerHour and PerMonth are of all hours, whether or not the plan is busy.
type Bought struct {
	Purchase Range
	PerHour  Range
	PerMonth Range
	Parts    []Part // of a month
	Note     string
}

// ErrNoPrice means that nobody's price is known, which is not the same as nothing.
var ErrNoPrice = errors.New("no purchase price of the card is known")

// NotIn are the costs of owning that are nobody's figures here.
const NotIn = "without people, spare parts, networks beyond the rack, financing and taxes"

// Own computes what it costs to own what a plan runs on. The error wraps ErrNoPrice where no price is known, and then
// there is no cost, rather than one of zero.
func Own(o Owner) (Bought, error) {
	if o.GPUs < 1 || o.GPUs > maxGPUs {
		return Bought{}, fmt.Errorf("computing the cost of owning: %d accelerators: want 1 to %d", o.GPUs, maxGPUs)
	}
	cards, whole, err := o.price()
	if err != nil {
		return Bought{}, err
	}
	b := Bought{Note: NotIn}
	b.cards(o, cards)
	if !whole {
		b.server(o, cards)
	}
	if o.Hall {
		b.network(o)
	}
	o.running(&b)
	for _, p := range b.Parts {
		b.PerMonth = b.PerMonth.Plus(p.Value)
	}
	b.PerHour = b.PerMonth.Times(1.0 / Hours)
	return b, nil
}

// bill is the price of the cards of a plan.
type bill struct {
	usd     Range
	formula string
	source  string
	note    string
}

// price is that of all cards, and whether nothing else is needed to run them.
func (o Owner) price() (bill, bool, error) {
	if o.Price != nil {
		if !o.Price.Positive() {
			return bill{}, false, fmt.Errorf("computing the cost of owning: a price of %g to %g USD: want more than nothing", o.Price.Low, o.Price.High)
		}
		return bill{o.Price.Times(float64(o.GPUs)), fmt.Sprintf("%d × %s USD", o.GPUs, o.Price), "given", ""}, true, nil
	}
	best := o.best()
	if best == nil {
		return bill{}, false, fmt.Errorf("computing the cost of owning: %w", ErrNoPrice)
	}
	units := o.units(best)
	note := best.Note
	if best.Confidence == Low || best.Confidence == Assumed {
		note = join("the purchase price is of low confidence ("+string(best.Basis)+" price)", note)
	}
	if spare := units*best.GPUs - o.GPUs; spare > 0 {
		note = join(note, fmt.Sprintf("%d of the cards that are bought are not needed", spare))
	}
	return bill{
		best.Value.Times(float64(units)), fmt.Sprintf("%d × %s USD (%s price of %d)", units, best.Value, best.Basis, best.GPUs),
		best.cite(), note,
	}, best.Whole, nil
}

// best is the cheapest way to buy the cards with what is around them, at street prices if there are any.
func (o Owner) best() *Purchase {
	var out *Purchase
	for i := range o.Purchases {
		p := &o.Purchases[i]
		if !p.Value.Positive() || p.GPUs < 1 {
			continue
		}
		switch {
		case out == nil || p.Basis == Street && out.Basis != Street:
			out = p
		case p.Basis == out.Basis && o.all(p) <= o.all(out):
			out = p
		}
	}
	return out
}

// all is the price of a purchase for all cards, servers included.
func (o Owner) all(p *Purchase) float64 {
	usd := p.Value.Mid * float64(o.units(p))
	if !p.Whole {
		usd *= o.Figures.Server.Value.Mid
	}
	return usd
}

func (o Owner) units(p *Purchase) int { return (o.GPUs + p.GPUs - 1) / p.GPUs }

// cards puts the cards themselves on the bill.
func (b *Bought) cards(o Owner, c bill) {
	b.Purchase = c.usd
	b.Note = join(c.note, b.Note)
	share, formula := o.Figures.monthly()
	b.Parts = append(b.Parts, Part{
		"accelerators", product(c.usd, share), "USD a month",
		c.formula + " × " + formula, sources(c.source, o.Figures.Life, o.Figures.Residual),
	})
}

// server puts the machines around the cards on the bill.
func (b *Bought) server(o Owner, c bill) {
	share, formula := o.Figures.monthly()
	over := o.Figures.Server.Value
	host := interval(c.usd, []Range{{over.Low - 1, over.Mid - 1, over.High - 1}})
	b.Parts = append(b.Parts, Part{
		"servers around them", product(host, share), "USD a month",
		fmt.Sprintf("(%s − 1) × %s USD × %s", over, c.usd, formula), sources("", o.Figures.Server),
	})
	b.Purchase = b.Purchase.Plus(host)
}

// network puts what connects the servers on the bill.
func (b *Bought) network(o Owner) {
	share, formula := o.Figures.monthly()
	extra := interval(b.Purchase, []Range{o.Figures.Extra.Value})
	b.Parts = append(b.Parts, Part{
		"network, cables, insurance", product(extra, share), "USD a month",
		fmt.Sprintf("%s × %s USD × %s", o.Figures.Extra.Value, b.Purchase, formula), sources("", o.Figures.Extra),
	})
	b.Purchase = b.Purchase.Plus(extra)
}

// running puts space and electricity on the bill.
func (o Owner) running(b *Bought) {
	if o.Hall && o.Maximum.Positive() {
		kw := o.Maximum.High / 1000
		b.Parts = append(b.Parts, Part{
			"space in a data center", o.Figures.Colocation.Value.Times(kw), "USD a month",
			fmt.Sprintf("%s kW at most × %s USD a kW and month", plain(round(kw)), o.Figures.Colocation.Value), sources("", o.Figures.Colocation),
		})
		b.Note = join(b.Note, "what halls ask for space may include electricity, which is counted here as well")
	}
	if o.Energy == nil || o.Energy.Electricity == nil {
		b.Note = join(b.Note, "without electricity, of which nothing is known here")
		return
	}
	b.Parts = append(b.Parts, Part{
		"electricity", *o.Energy.Electricity, "USD a month",
		fmt.Sprintf("%s kWh a month × %s USD a kWh", o.Energy.KWhMonth, o.Energy.Price.Value), sources("", o.Energy.Price),
	})
}

// monthly is the share of the price that a month takes, straight line: the longest life with nothing left is the low end,
// the shortest with what is left at least the high one.
func (f Ownership) monthly() (Range, string) {
	years := f.Life.Value
	r := Range{1 / (12 * years.High), 1 / (12 * years.Mid), (1 - f.Residual.Value.Low) / (12 * years.Low)}
	r = Range{r.Low, max(r.Low, min(r.Mid, r.High)), max(r.Low, r.High)}
	return r, fmt.Sprintf("(1 − %s left after %s years, nothing after %s) / (%s to %s years × 12)",
		plain(f.Residual.Value.Low), plain(years.Low), plain(years.Mid), plain(years.Low), plain(years.High))
}

// sources lists where the figures of a formula are from.
func sources(first string, figures ...Figure) string {
	var all []string
	if first != "" {
		all = append(all, first)
	}
	for _, f := range figures {
		if c := f.cite(); c != "" {
			all = append(all, c)
		}
	}
	return strings.Join(unique(all), "; ")
}

func unique(s []string) []string {
	var out []string
	for _, v := range s {
		if !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}

// cite says where a figure is from, of when, and how far to trust it.
func (f Figure) cite() string {
	if f.Source.Title == "" {
		return ""
	}
	trust := string(f.Confidence)
	if f.Confidence != Assumed && f.Confidence != "" {
		trust += " confidence"
	}
	said := strings.Trim(f.Of+", "+trust, ", ")
	if said == "" {
		return f.Source.Title
	}
	return f.Source.Title + " (" + said + ")"
}

// Cite says where a figure is from, of when, and how far to trust it.
func (f Figure) Cite() string { return f.cite() }

// String writes the middle of a range with its ends: 1.25 (1.1 to 1.5).
func (r Range) String() string {
	if r.Low == r.High {
		return plain(round(r.Mid))
	}
	return fmt.Sprintf("%s (%s to %s)", plain(round(r.Mid)), plain(round(r.Low)), plain(round(r.High)))
}
