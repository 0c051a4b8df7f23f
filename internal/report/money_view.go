package report

import (
	"cmp"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Facts are the figures of cost, the headline first.
func (c *Cost) Facts() []Fact {
	if c == nil {
		return nil
	}
	var fs facts
	fs.add("reserved", join(", ", hourly(c.PerHour), suffixed(dollars.between(c.PerMonth), " a month")))
	fs.add("a million output tokens", dollars.about(c.PerMOutput))
	fs.add("a million tokens in and out", dollars.about(c.PerMTokens))
	if busy := some(c.Busy); busy != nil && (c.PerMOutput != nil || c.PerMTokens != nil) {
		fs.add("used", join(", ", percents.between(busy)+" of what it can do, over the whole time", c.BusyFrom))
	}
	fs.add("price", c.Basis)
	fs.add("bought", c.Bought.headline())
	fs.add("not known", c.Why)
	return fs
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

// Elsewhere names what other sellers and terms take, in one line; "" where there is one price or none.
func (c *Cost) Elsewhere() string {
	if c == nil || len(c.Prices) < 2 {
		return ""
	}
	var parts []string
	for i := range c.Prices {
		p := &c.Prices[i]
		if at := dollars.between(some(p.PerHour)); at != "" {
			parts = append(parts, join(" ", p.Seller, spaced(p.Terms), at))
		}
	}
	return suffixed(strings.Join(parts, ", "), " an hour")
}

// PriceTable is what each kind of seller takes for the whole plan, by terms.
func (c *Cost) PriceTable() Table {
	t := Table{Columns: []Column{
		{Name: "seller"}, {Name: "terms"}, {Name: "USD/GPU hour", Number: true, Spare: 2}, {Name: "USD/hour", Number: true},
		{Name: "USD/month", Number: true, Spare: 1}, {Name: "USD/M output tokens", Number: true, Spare: 3}, {Name: "offers", Number: true},
		{Name: "prices of"},
	}}
	if c == nil {
		return t
	}
	for i := range c.Prices {
		p := &c.Prices[i]
		r := Row{Cells: []string{
			spaced(p.Seller), spaced(p.Terms), inUSD(some(p.PerGPUHour)), inUSD(some(p.PerHour)),
			inUSD(some(p.PerMonth)), inUSD(p.PerMOutput), positive(p.Offers), p.dates(),
		}}
		if n := join("; ", p.From, prefixed("source: ", p.Source), p.Note); n != "" {
			r.Notes = []string{n}
		}
		t.Rows = append(t.Rows, r)
	}
	return t.withoutEmpty("USD/M output tokens").withoutEmpty("USD/month")
}

// inUSD is an amount of a column that names the currency.
func inUSD(r *Range) string { return strings.ReplaceAll(dollars.between(r), "$", "") }

func positive(n int) string {
	if n <= 0 {
		return ""
	}
	return units.Thousands(int64(n))
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
	if e == nil {
		return nil
	}
	var fs facts
	fs.add("power", suffixed(watts.between(given(e.Watts)), " with hosts, before PUE"))
	fs.add("a million output tokens", join(", ", wattHours.between(given(e.WhPerMOut)), carbonG.between(e.GramsPerM)))
	fs.add("a month", join(", ", kwHours.between(given(e.KWhMonth)), carbonKg.between(e.KgMonth), suffixed(dollars.between(e.Electricity), " of electricity")))
	if len(fs) > 0 || e.Why == "" {
		fs.add("data center", join(", ", prefixed("PUE ", e.effectiveness()), perKWh.between(some(e.Grid)), prefixed("grid: ", e.Place)))
	}
	fs.add("not known", e.Why)
	return fs
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

// Title says what the fleet is for.
func (f *Fleet) Title() string {
	if len(f.Front) == 0 {
		return "No plan serves it within the targets"
	}
	return "Plans that serve it: none is both cheaper and faster than another"
}

// Facts are the load and how many plans were looked at.
func (f *Fleet) Facts() []Fact {
	if f == nil {
		return nil
	}
	var fs facts
	if f.RequestRate > 0 {
		fs.add("load", requestsPS.one(f.RequestRate))
	}
	fs.count("users", f.Users, " at once")
	if f.Spare > 0 {
		fs.add("spare", replicas(f.Spare)+" more than needed")
	}
	if f.Looked > 0 {
		fs.add("looked at", units.Thousands(int64(f.Looked))+" plans, "+units.Thousands(int64(max(f.Met, 0)))+" of them meet the targets")
	}
	return fs
}

func replicas(n int) string {
	if n == 1 {
		return "1 replica"
	}
	return units.Thousands(int64(n)) + " replicas"
}

// FrontTable ranks the plans of the front, cheapest first.
func (f *Fleet) FrontTable() Table {
	t := Table{Columns: []Column{
		{Name: "no.", Number: true}, {Name: "each replica"}, {Name: "replicas", Number: true}, {Name: "GPUs", Number: true},
		{Name: "TTFT", Number: true}, {Name: "TPOT", Number: true}, {Name: "USD/hour", Number: true},
		{Name: "USD/M output tokens", Number: true, Spare: 3}, {Name: "power", Number: true, Spare: 1}, {Name: "used", Number: true, Spare: 2},
	}}
	if f == nil {
		return t
	}
	for i := range f.Front {
		c := &f.Front[i]
		r := Row{Cells: []string{
			strconv.Itoa(i + 1), c.what(), counted(int64(c.Replicas)), counted(int64(c.GPUs)), seconds.between(some(c.TTFT)),
			seconds.between(some(c.TPOT)), inUSD(some(c.PerHour)), inUSD(some(c.PerMOut)), watts.between(given(c.Watts)),
			percents.between(some(Range{c.Busy, c.Busy, c.Busy})),
		}}
		t.Rows = append(t.Rows, r)
	}
	return t.withoutEmpty("power").withoutEmpty("used").withoutEmpty("USD/M output tokens")
}

// what one replica is: the cards, how they share the model, and the number format.
func (c *Choice) what() string {
	p := c.Plan
	p.Replicas = 0 // they have a column of their own
	return join(", ", p.spread(), p.Quantization, p.Engine)
}

// RejectedTable says why other cards are not on the front.
func (f *Fleet) RejectedTable() Table {
	t := Table{Columns: []Column{{Name: "not chosen"}, {Name: "because"}}}
	if f == nil {
		return t
	}
	for _, r := range f.Rejected {
		t.Rows = append(t.Rows, Row{Cells: []string{r.What, r.Why}})
	}
	return t
}
