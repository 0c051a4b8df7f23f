package catalog

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/evidence"
)

// Seller is who rents accelerators out, with all prices of theirs that are known. Its file is prices/ID.yaml.
type Seller struct {
	ID      string                     `yaml:"id" json:"id"`
	Name    string                     `yaml:"name" json:"name"`
	Class   cost.Class                 `yaml:"class" json:"class"` // our reading
	Managed bool                       `yaml:"managed,omitempty" json:"managed,omitzero"`
	Note    string                     `yaml:"note,omitempty" json:"note,omitzero"`
	Sources map[string]evidence.Source `yaml:"sources" json:"sources"`
	Offers  []Offer                    `yaml:"offers" json:"offers,omitzero"`
	Checked evidence.Date              `yaml:"checked" json:"checked"`
}

// Offer is a price of a seller as it is written in its file.
type Offer struct {
	Card   string        `yaml:"card"`
	Region string        `yaml:"region"`
	GPUs   int           `yaml:"gpus,omitempty"` // of an instance; 0 where any number is sold
	Terms  cost.Terms    `yaml:"terms"`
	Kind   cost.Kind     `yaml:"kind,omitempty"`
	USD    []float64     `yaml:"usd,flow"`       // one number, or the least, the median and the most
	Rows   int           `yaml:"rows,omitempty"` // 0 is one
	Host   cost.Host     `yaml:"host"`
	Date   cost.Snapshot `yaml:"date"`
	Source string        `yaml:"source"` // key of the seller's sources
}

// of is the offer with what its seller says.
func (s *Seller) offer(o Offer) cost.Offer {
	kind := o.Kind
	if s.Managed && kind == cost.Listed {
		kind = cost.Managed
	}
	return cost.Offer{
		SellerID: s.ID, Seller: s.Name, Class: s.Class, Card: o.Card, Region: o.Region, GPUs: o.GPUs, Terms: o.Terms, Kind: kind,
		USD: rangeOf(o.USD), Rows: max(1, o.Rows), Host: o.Host, Date: o.Date, Source: s.Sources[o.Source],
	}
}

// rangeOf reads one number, or three, or the two ends.
func rangeOf(v []float64) cost.Range {
	switch len(v) {
	case 1:
		return cost.Exactly(v[0])
	case 2:
		return cost.Range{Low: v[0], Mid: (v[0] + v[1]) / 2, High: v[1]}
	case 3:
		return cost.Range{Low: v[0], Mid: v[1], High: v[2]}
	}
	return cost.Range{Low: -1}
}

// Group is a name in price lists that leaves open which card is meant. Its file is groups/ID.yaml. What it costs is
// evidence for each of the cards; one without cards is evidence for none.
type Group struct {
	ID      string        `yaml:"id" json:"id"`
	Name    string        `yaml:"name" json:"name"`
	Cards   []string      `yaml:"cards,flow" json:"cards,omitzero"` // ids of the hardware catalog
	Note    string        `yaml:"note" json:"note"`
	Checked evidence.Date `yaml:"checked" json:"checked"`
}

// Place is a country, or the world, with its grid and its electricity. Its file is places/ID.yaml.
type Place struct {
	ID          string        `yaml:"id" json:"id"` // three letters
	Name        string        `yaml:"name" json:"name"`
	Code        string        `yaml:"code,omitempty" json:"code,omitzero"` // two letters
	Aliases     []string      `yaml:"aliases,omitempty,flow" json:"aliases,omitzero"`
	Union       string        `yaml:"union,omitempty" json:"union,omitzero"` // eu
	Grid        *Grid         `yaml:"grid,omitempty" json:"grid,omitzero"`
	Electricity []Tariff      `yaml:"electricity,omitempty" json:"electricity,omitzero"`
	Checked     evidence.Date `yaml:"checked" json:"checked"`
}

// Grid is what a country emits for electricity, averaged over a year.
type Grid struct {
	Grams      float64         `yaml:"g_per_kwh" json:"g_per_kwh"`
	Year       int             `yaml:"year" json:"year"`
	Confidence cost.Confidence `yaml:"confidence" json:"confidence"`
	Source     evidence.Source `yaml:"source" json:"source"`
}

// Tariff is a price of electricity in the currency of its source.
type Tariff struct {
	Currency   string          `yaml:"currency" json:"currency"`
	PerKWh     []float64       `yaml:"per_kwh,flow" json:"per_kwh"`
	Give       float64         `yaml:"give,omitempty" json:"give,omitzero"` // how far the truth may be off, as a share, where the source has one number
	What       string          `yaml:"what" json:"what"`
	Year       int             `yaml:"year" json:"year"`
	Confidence cost.Confidence `yaml:"confidence" json:"confidence"`
	Source     evidence.Source `yaml:"source" json:"source"`
}

// Cloud are the regions of a cloud that says what their grids emit. Its file is regions/ID.yaml.
type Cloud struct {
	ID         string          `yaml:"id" json:"id"`
	Name       string          `yaml:"name" json:"name"`
	Year       int             `yaml:"year" json:"year"`
	PUE        string          `yaml:"pue" json:"pue"` // id of a figure
	Confidence cost.Confidence `yaml:"confidence" json:"confidence"`
	Source     evidence.Source `yaml:"source" json:"source"`
	Regions    []Region        `yaml:"regions" json:"regions"`
	Checked    evidence.Date   `yaml:"checked" json:"checked"`
}

// Region is one region of a cloud.
type Region struct {
	ID      string  `yaml:"id" json:"id"`
	Name    string  `yaml:"name" json:"name"`
	Country string  `yaml:"country" json:"country"` // id of a place
	Grams   float64 `yaml:"g_per_kwh" json:"g_per_kwh"`
	Free    float64 `yaml:"carbon_free" json:"carbon_free"` // share of the hours that the cloud matched with electricity without carbon
}

// Figure is a constant. Its file is figures/ID.yaml.
type Figure struct {
	ID         string          `yaml:"id" json:"id"`
	Name       string          `yaml:"name" json:"name"`
	Value      []float64       `yaml:"value,flow" json:"value"`
	Unit       string          `yaml:"unit" json:"unit"`
	Of         string          `yaml:"of" json:"of"`
	Formula    string          `yaml:"formula,omitempty" json:"formula,omitzero"`
	Confidence cost.Confidence `yaml:"confidence" json:"confidence"`
	Source     evidence.Source `yaml:"source" json:"source"`
	Note       string          `yaml:"note,omitempty" json:"note,omitzero"`
	Checked    evidence.Date   `yaml:"checked" json:"checked"`
}

func (f *Figure) figure() cost.Figure {
	return cost.Figure{
		ID: f.ID, Name: f.Name, Value: rangeOf(f.Value), Unit: f.Unit, Formula: f.Formula, Of: f.Of, Source: f.Source,
		Confidence: f.Confidence, Note: f.Note,
	}
}

// Purchase is what something costs to buy. Its file is purchases/ID.yaml.
type Purchase struct {
	ID         string          `yaml:"id" json:"id"`
	Name       string          `yaml:"name" json:"name"`
	USD        []float64       `yaml:"usd,flow" json:"usd"`
	Cards      []string        `yaml:"cards,flow" json:"cards"`
	Basis      cost.Basis      `yaml:"basis" json:"basis"`
	GPUs       int             `yaml:"gpus,omitempty" json:"gpus,omitzero"` // 0 is one
	Whole      bool            `yaml:"whole,omitempty" json:"whole,omitzero"`
	Of         string          `yaml:"of" json:"of"`
	Confidence cost.Confidence `yaml:"confidence" json:"confidence"`
	Source     evidence.Source `yaml:"source" json:"source"`
	Note       string          `yaml:"note,omitempty" json:"note,omitzero"`
	Checked    evidence.Date   `yaml:"checked" json:"checked"`
}

func (p *Purchase) purchase() cost.Purchase {
	return cost.Purchase{
		Figure: cost.Figure{
			ID: p.ID, Name: p.Name, Value: rangeOf(p.USD), Unit: "USD", Of: p.Of, Source: p.Source, Confidence: p.Confidence, Note: p.Note,
		},
		Cards: p.Cards, GPUs: max(1, p.GPUs), Whole: p.Whole, Basis: p.Basis,
	}
}

// System is what accelerators are built into. Its file is systems/ID.yaml; its figures are ids of such.
type System struct {
	ID      string        `yaml:"id" json:"id"`
	Name    string        `yaml:"name" json:"name"`
	Cards   []string      `yaml:"cards,flow" json:"cards,omitzero"`
	Idle    string        `yaml:"idle" json:"idle"`
	Memory  string        `yaml:"memory" json:"memory"`
	Compute string        `yaml:"compute" json:"compute"`
	Waiting string        `yaml:"waiting" json:"waiting"`
	Host    string        `yaml:"host" json:"host"`
	Machine string        `yaml:"machine" json:"machine"`
	Hall    string        `yaml:"hall" json:"hall"`
	Whole   bool          `yaml:"whole,omitempty" json:"whole,omitzero"`
	Checked evidence.Date `yaml:"checked" json:"checked"`
}

// fold brings a name of a place to the spelling that is looked up.
func fold(name string) string { return strings.Join(strings.Fields(strings.ToLower(name)), " ") }

func (p *Place) names() []string {
	names := []string{fold(p.ID), fold(p.Name)}
	if p.Code != "" {
		names = append(names, fold(p.Code))
	}
	for _, a := range p.Aliases {
		names = append(names, fold(a))
	}
	return names
}

func (c *Cloud) names(r Region) []string {
	return []string{fold(r.ID), fold(c.Name + " " + r.ID), fold(c.ID + ":" + r.ID)}
}

func (c *Cloud) place(r Region) string { return fmt.Sprintf("%s %s (%s)", c.Name, r.ID, r.Name) }
