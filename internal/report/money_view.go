package report

import (
	"cmp"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// bought is the Basis of a cost that is of owning.
const bought = "bought"

// Facts are the figures of cost, the headline first.
func (c *Cost) Facts() []Fact {
	if c == nil || c.Unknown() != "" {
		return nil
	}
	var fs facts
	headline := "reserved"
	if c.Basis == bought {
		headline = "owned"
	}
	fs.add(headline, join(", ", hourly(c.PerHour), suffixed(dollars.between(c.PerMonth), " a month")))
	fs.add("a million tokens", join(", ", suffixed(dollars.about(c.PerMOutput), " of output"), suffixed(dollars.about(c.PerMTokens), " of all, prompts included")))
	if busy := some(c.Busy); busy != nil && (c.PerMOutput != nil || c.PerMTokens != nil) {
		fs.add("used", join(", ", percents.between(busy)+" of what it can do, over the whole time", brief(c.BusyFrom)))
	}
	fs.add("price", c.Basis)
	fs.add("elsewhere", c.Elsewhere())
	fs.add("bought", c.Bought.headline())
	fs.add(note, c.Why)
	return fs
}

// brief is a reason without its sources.
func brief(why string) string {
	head, _, _ := strings.Cut(why, "; ")
	return head
}

// Shares is where the share that is used is from, if Facts leave out a part of it.
func (c *Cost) Shares() []Fact {
	if c == nil || c.Unknown() != "" || brief(c.BusyFrom) == c.BusyFrom {
		return nil
	}
	return []Fact{{"used", c.BusyFrom}}
}

// Unknown says why no figure of cost is known; "" where one is.
func (c *Cost) Unknown() string {
	if c == nil || c.PerHour != nil || c.PerMonth != nil || c.PerMOutput != nil || c.PerMTokens != nil || c.Bought != nil || len(c.Prices) > 0 {
		return ""
	}
	return c.Why
}

func hourly(r *Range) string { return suffixed(dollars.between(r), " an hour") }

func (b *Bought) headline() string {
	if b == nil {
		return ""
	}
	return join(", ", dollars.between(some(b.Purchase)), hourly(some(b.PerHour)), suffixed(dollars.between(some(b.PerMonth)), " a month"),
		suffixed(dollars.between(b.PerMOut), " a million output tokens"))
}

// Glance is the cost in one line.
func (c *Cost) Glance() string {
	if c == nil {
		return ""
	}
	return join(" · ", hourly(c.PerHour), suffixed(dollars.between(c.PerMOutput), " a million output tokens"))
}

// Elsewhere names what a hyperscaler takes and what the cheapest offer that may be taken back does, beside the headline;
// "" where there are no such prices.
func (c *Cost) Elsewhere() string {
	if c == nil || len(c.Prices) < 2 {
		return ""
	}
	large := c.cheapest(func(p *PriceUsed) bool { return p.Seller == "hyperscaler" && p.Terms == "on_demand" })
	spot := c.cheapest(func(p *PriceUsed) bool { return p.Terms == "spot" })
	return suffixed(join(", ", c.named(large), c.named(spot)), " an hour")
}

// cheapest is the price with the lowest middle, of complete ones where there are any.
func (c *Cost) cheapest(asked func(p *PriceUsed) bool) *PriceUsed {
	var best *PriceUsed
	for i := range c.Prices {
		p := &c.Prices[i]
		if !asked(p) || some(p.PerHour) == nil {
			continue
		}
		if best == nil || best.AcceleratorsAlone && !p.AcceleratorsAlone ||
			best.AcceleratorsAlone == p.AcceleratorsAlone && p.PerHour.Mid < best.PerHour.Mid {
			best = p
		}
	}
	return best
}

// named is a price with who takes it; "" of the price that the headline is.
func (c *Cost) named(p *PriceUsed) string {
	if p == nil || c.PerHour != nil && *c.PerHour == p.PerHour {
		return ""
	}
	s := join(" ", p.Seller, spaced(p.Terms), dollars.between(&p.PerHour))
	if p.AcceleratorsAlone {
		s += " (" + alone + ")"
	}
	return s
}

// alone is said of a price that is not of all that is needed.
const alone = "host not included"

// PriceTable is what each kind of seller takes for the whole plan, by terms.
func (c *Cost) PriceTable() Table {
	t := Table{Columns: []Column{
		{Name: "seller"},
		{Name: "terms"},
		{Name: "USD/GPU hour", Number: true, Spare: 2},
		{Name: "USD/hour", Number: true},
		{Name: "USD/month", Number: true, Spare: 1},
		{Name: "USD/M output tokens", Number: true, Spare: 3},
		{Name: "USD of the run", Number: true},
		{Name: "offers", Number: true},
		{Name: "prices of"},
	}}
	if c == nil {
		return t
	}
	for i := range c.Prices {
		p := &c.Prices[i]
		r := Row{Cells: []string{
			p.seller(), spaced(p.Terms), inUSD(some(p.PerGPUHour)), inUSD(some(p.PerHour)),
			inUSD(some(p.PerMonth)), inUSD(p.PerMOutput), inUSD(given(p.Run)), positive(p.Offers), p.dates(),
		}}
		if n := join("; ", p.From, prefixed("source: ", p.Source), p.Note); n != "" {
			r.Notes = []string{n}
		}
		t.Rows = append(t.Rows, r)
	}
	return t.withoutEmpty("USD/M output tokens").withoutEmpty("USD/month").withoutEmpty("USD of the run")
}

// inUSD is an amount of a column that names the currency.
func inUSD(r *Range) string { return strings.ReplaceAll(dollars.between(r), "$", "") }

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return units.Thousands(int64(n))
}

func (p *PriceUsed) seller() string {
	if p.AcceleratorsAlone {
		return spaced(p.Seller) + ", " + alone
	}
	return spaced(p.Seller)
}

func (p *PriceUsed) dates() string {
	if p.Oldest == p.Newest || p.Oldest == "" {
		return p.Newest
	}
	return join(" to ", p.Oldest, p.Newest)
}

// PartTable is what a figure adds up from, with the formula and its source below each part.
func PartTable(parts []CostPart) Table {
	t := Table{Columns: []Column{{Name: "part"}, {Name: "amount", Number: true}}}
	for i := range parts {
		p := &parts[i]
		r := Row{Cells: []string{p.What, p.quantity().between(&p.Value)}}
		for _, n := range []string{p.Formula, prefixed("source: ", p.Source)} {
			if n != "" {
				r.Notes = append(r.Notes, n)
			}
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func (p *CostPart) quantity() unit {
	switch p.Unit {
	case "USD", "usd", "$":
		return dollars
	case "W":
		return watts
	case "Wh":
		return wattHours
	case "kWh":
		return kwHours
	}
	return named(cmp.Or(p.Unit, "(unit not known)"))
}

// BoughtTable is what a month of owning adds up from.
func (c *Cost) BoughtTable() Table {
	if c == nil || c.Bought == nil {
		return Table{}
	}
	return PartTable(c.Bought.Parts)
}

// Facts are the figures of energy.
func (e *Energy) Facts() []Fact {
	if e == nil || e.Unknown() != "" {
		return nil
	}
	var fs facts
	fs.add("power", suffixed(watts.between(given(e.Watts)), " with hosts, before PUE"))
	fs.add("a million output tokens", join(", ", wattHours.between(given(e.WhPerMOut)), carbonG.between(e.GramsPerM)))
	fs.add("a month", join(", ", kwHours.between(given(e.KWhMonth)), carbonKg.between(e.KgMonth), suffixed(dollars.between(e.Electricity), " of electricity")))
	fs.add("data center", join(", ", prefixed("PUE ", e.effectiveness()), perKWh.between(some(e.Grid)), prefixed("grid: ", e.Place)))
	fs.add(note, e.Why)
	return fs
}

// Unknown says why no figure of energy is known; "" where one is.
func (e *Energy) Unknown() string {
	if e == nil || e.Watts != nil || e.WhPerMOut != nil || e.GramsPerM != nil || e.KWhMonth != nil || e.KgMonth != nil || e.Electricity != nil {
		return ""
	}
	return e.Why
}

// effectiveness is the PUE, in which the second decimal counts.
func (e *Energy) effectiveness() string {
	r := some(e.PUE)
	if r == nil {
		return ""
	}
	low, high := significant(min(r.Low, r.High), fine), significant(max(r.Low, r.High), fine)
	if low == high {
		return low
	}
	return low + "-" + high
}

// PartTable is what the power adds up from.
func (e *Energy) PartTable() Table {
	if e == nil {
		return Table{}
	}
	return PartTable(e.Parts)
}
