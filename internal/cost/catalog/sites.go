package catalog

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/spelling"
)

// Unknown is the system of cards that no system names.
const Unknown = "unknown"

// System is what a card is built into. Of a card that nobody has put into one, all ranges are wide.
func (c *Catalog) System(card string) (cost.System, error) {
	card = unsized(card)
	if s, ok := c.systems.Load(card); ok {
		return s.(cost.System), nil
	}
	s, err := c.system(card)
	if err == nil {
		c.systems.Store(card, s)
	}
	return s, err
}

func (c *Catalog) system(card string) (cost.System, error) {
	id := Unknown
	for s := range c.values("system/"+card, func(v string) string { return systems + "/" + v }) {
		id = s
		break
	}
	r, err := decode[System](c, systems, id)
	if err != nil {
		return cost.System{}, err
	}
	out := cost.System{ID: r.ID, Name: r.Name, Whole: r.Whole, Hall: r.Hall}
	for _, f := range []struct {
		id   string
		into *cost.Figure
	}{
		{r.Idle, &out.Idle}, {r.Memory, &out.Memory}, {r.Compute, &out.Compute}, {r.Waiting, &out.Waiting}, {r.Host, &out.Host}, {r.Machine, &out.Machine},
	} {
		if *f.into, err = c.Figure(f.id); err != nil {
			return out, err
		}
	}
	return out, nil
}

// Ownership are the figures that the cost of owning rests on.
func (c *Catalog) Ownership() (o cost.Ownership, err error) {
	for _, f := range []struct {
		id   string
		into *cost.Figure
	}{
		{"life", &o.Life}, {"residual", &o.Residual}, {"server-over-cards", &o.Server}, {"server-extra", &o.Extra}, {"colocation", &o.Colocation},
	} {
		if *f.into, err = c.Figure(f.id); err != nil {
			return o, err
		}
	}
	return o, nil
}

// Where is what is asked of a site.
type Where struct {
	Place       string   // a country by name or code, a region of a cloud; "" is the world on average
	Hall        string   // id of the PUE where the place does not say; see PUE
	PUE         *float64 // as the user has it
	Electricity *float64 // US dollars a kWh, as the user has it
}

// PUE is the id of the figure for the halls of a class of sellers.
func PUE(class cost.Class) string {
	if class == cost.Hyperscaler {
		return "pue-hyperscaler"
	}
	return "pue-neocloud"
}

// Site finds out what is known of a place. The error wraps ErrUnknown where there is none of that name, and then names the
// nearest.
func (c *Catalog) Site(w Where) (cost.Site, error) {
	var s cost.Site
	p, cloud, region, err := c.place(cmp.Or(w.Place, "world"))
	if err != nil {
		return s, err
	}
	s.Place, s.Grid = p.Name, p.grid()
	hall := cmp.Or(w.Hall, "pue-on-premises")
	if cloud != nil {
		s.Place, s.Grid, hall = cloud.place(region), cloud.grid(region), cloud.PUE
	}
	if s.Grid.ID == "" {
		s.Note = "nothing is known of the grid of " + s.Place
	}
	if s.PUE, err = c.building(w.PUE, hall); err != nil {
		return s, err
	}
	s.Price, err = c.electricity(w.Electricity, p)
	if s.Price.Note != "" {
		s.Note = strings.Trim(s.Note+"; "+s.Price.Note, "; ")
	}
	return s, err
}

var given = evidence.Source{Title: "given"}

func (c *Catalog) building(own *float64, hall string) (cost.Figure, error) {
	if own == nil {
		return c.Figure(hall)
	}
	if !(*own >= 1 && *own <= 10) {
		return cost.Figure{}, fmt.Errorf("looking up the site: a PUE of %g: want 1 to 10", *own)
	}
	return cost.Figure{ID: "given", Name: "the PUE that was given", Value: cost.Exactly(*own), Source: given, Confidence: cost.High}, nil
}

// electricity is the price of a place: its own, else that of its union, else the span of all.
func (c *Catalog) electricity(own *float64, p *Place) (cost.Figure, error) {
	if own != nil {
		if !(*own >= 0 && *own <= 100) {
			return cost.Figure{}, fmt.Errorf("looking up the site: electricity of %g USD a kWh: want 0 to 100", *own)
		}
		return cost.Figure{ID: "given", Name: "the price that was given", Value: cost.Exactly(*own), Unit: "USD/kWh", Source: given, Confidence: cost.High}, nil
	}
	f, ok, err := c.tariffs(p)
	if err != nil || ok {
		return f, err
	}
	if p.Union == "eu" {
		if f, err = c.Figure("electricity-eu"); err == nil {
			f, err = c.dollars(f, "EUR")
		}
		f.Note = "no price of electricity in " + p.Name + " is known: that of the European Union is taken"
		return f, err
	}
	f, err = c.Figure("electricity-unknown")
	f.Note = "no price of electricity in " + p.Name + " is known: the span of those that are"
	if len(p.Electricity) > 0 {
		t := p.Electricity[0]
		f.Note = fmt.Sprintf("electricity in %s costs %s %s a kWh, and no rate to US dollars is known: the span of other places is taken; give the price",
			p.Name, rangeOf(t.PerKWh), t.Currency)
	}
	return f, err
}

// tariffs puts the prices of a place together: the middle is that of the first, the ends are those of all.
func (c *Catalog) tariffs(p *Place) (cost.Figure, bool, error) {
	var out cost.Figure
	for _, t := range p.Electricity {
		r := rangeOf(t.PerKWh)
		if t.Give > 0 && len(t.PerKWh) == 1 {
			r = cost.Range{Low: r.Low * (1 - t.Give), Mid: r.Mid, High: r.High * (1 + t.Give)}
		}
		f := cost.Figure{
			ID: p.ID, Name: "electricity in " + p.Name + ", " + t.What, Value: r, Unit: t.Currency + "/kWh", Of: strconv.Itoa(t.Year),
			Source: t.Source, Confidence: t.Confidence,
		}
		if t.Currency != "USD" && t.Currency != "EUR" {
			continue
		}
		f, err := c.dollars(f, t.Currency)
		if err != nil {
			return out, false, err
		}
		if out.ID == "" {
			out = f
			continue
		}
		out.Value.Low, out.Value.High = min(out.Value.Low, f.Value.Low), max(out.Value.High, f.Value.High)
		out.Source.Title += "; " + f.Source.Title
	}
	return out, out.ID != "", nil
}

// dollars turns a price in euros into one in dollars, at the rate of the year of the prices.
func (c *Catalog) dollars(f cost.Figure, currency string) (cost.Figure, error) {
	if currency == "USD" {
		return f, nil
	}
	rate, err := c.Figure("eur-usd")
	if err != nil {
		return f, err
	}
	f.Formula = fmt.Sprintf("%s EUR × %s USD a EUR (%s)", f.Value, rate.Value, rate.Of)
	f.Value, f.Unit = f.Value.Times(rate.Value.Mid), "USD/kWh"
	f.Source.Title += "; " + rate.Source.Title
	return f, nil
}

func (p *Place) grid() cost.Figure {
	if p.Grid == nil {
		return cost.Figure{}
	}
	return cost.Figure{
		ID: p.ID, Name: "electricity of " + p.Name + ", average of a year", Value: cost.Exactly(p.Grid.Grams), Unit: "gCO2e/kWh",
		Of: strconv.Itoa(p.Grid.Year), Source: p.Grid.Source, Confidence: p.Grid.Confidence,
	}
}

func (c *Cloud) grid(r Region) cost.Figure {
	return cost.Figure{
		ID: r.ID, Name: "grid of " + c.place(r) + ", average of a year", Value: cost.Exactly(r.Grams), Unit: "gCO2e/kWh", Of: strconv.Itoa(c.Year),
		Source: c.Source, Confidence: c.Confidence,
		Note: fmt.Sprintf("of the grid: the cloud matched %g %% of the hours with electricity without carbon", math.Round(100*r.Free)),
	}
}

// place finds a country, and the region of a cloud if that is what was named.
func (c *Catalog) place(name string) (*Place, *Cloud, Region, error) {
	for v := range c.values("place/"+fold(name), ownerOfPlace) {
		kind, id, _ := strings.Cut(v, "/")
		if kind == places {
			p, err := decode[Place](c, places, id)
			return p, nil, Region{}, err
		}
		cloudID, regionID, _ := strings.Cut(id, "/")
		cloud, err := decode[Cloud](c, clouds, cloudID)
		if err != nil {
			return nil, nil, Region{}, err
		}
		at := slices.IndexFunc(cloud.Regions, func(r Region) bool { return r.ID == regionID })
		p, err := decode[Place](c, places, cloud.Regions[at].Country)
		return p, cloud, cloud.Regions[at], err
	}
	return nil, nil, Region{}, c.unknown(name)
}

// ownerOfPlace is the record that claims a name: places/deu, or regions/gcp of regions/gcp/europe-west3.
func ownerOfPlace(v string) string {
	kind, id, _ := strings.Cut(v, "/")
	id, _, _ = strings.Cut(id, "/")
	return kind + "/" + id
}

// unknown names the places whose names are nearest.
func (c *Catalog) unknown(said string) error {
	const longest, near, few = 60, 3, 5
	if len(said) > longest {
		said = strings.ToValidUTF8(said[:longest], "") + "…"
	}
	folded := fold(said)
	type hit struct {
		name  string
		slips int
	}
	var hits []hit
	for _, name := range c.ids("place") {
		slips := spelling.Slips(folded, name)
		if len(name) > 3 && len(folded) > 3 && (strings.Contains(name, folded) || strings.Contains(folded, name)) {
			slips = min(slips, 1)
		}
		if slips <= min(near, len(name)/2) {
			hits = append(hits, hit{name, slips})
		}
	}
	slices.SortStableFunc(hits, func(a, b hit) int { return cmp.Compare(a.slips, b.slips) })
	if len(hits) == 0 {
		return fmt.Errorf("looking up place %q: %w; give a country by its name or code, or a region of a cloud", said, ErrUnknown)
	}
	var names []string
	for _, h := range hits[:min(few, len(hits))] {
		names = append(names, h.name)
	}
	return fmt.Errorf("looking up place %q: %w; nearest: %s", said, ErrUnknown, strings.Join(names, ", "))
}
