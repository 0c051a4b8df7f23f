package catalog

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/printable"
)

var (
	idForm    = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	year      = regexp.MustCompile(`^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$`)
	trust     = []cost.Confidence{cost.High, cost.Medium, cost.Low, cost.Assumed}
	codeForm  = regexp.MustCompile(`^[A-Z]{2}$`)
	moneyForm = regexp.MustCompile(`^[A-Z]{3}$`)
)

// most is more than any figure here can be, so that sums stay finite.
const most = 1e9

type faults struct{ all []error }

func (f *faults) want(ok bool, format string, args ...any) {
	if !ok {
		f.all = append(f.all, fmt.Errorf(format, args...))
	}
}

// record checks what every record has.
func (f *faults) record(file, id, name string, checked evidence.Date) {
	f.want(id == file, "id %q: the file wants %q", id, file)
	f.want(idForm.MatchString(id), "id %q: want small letters and digits, parted by dashes", id)
	f.want(name != "", "name is missing")
	f.want(plainText(name), "name %q: want one line", name)
	f.want(!checked.IsZero(), "checked is missing")
}

func (f *faults) values(key string, v []float64, lengths ...int) {
	f.want(slices.Contains(lengths, len(v)), "%s: %d numbers: want %v of them", key, len(v), lengths)
	r := rangeOf(v)
	f.want(len(v) == 0 || r.Valid() && r.High <= most, "%s: %v: want numbers from 0 to %g, the least first", key, v, most)
}

func (f *faults) source(key string, s evidence.Source, c cost.Confidence) {
	f.want(s.Title != "" && plainText(s.Title), "%s: source: a title is missing", key)
	f.want(slices.Contains(trust, c), "%s: confidence %q is not one of %v", key, c, trust)
}

// plainText reports whether a text stays on its line, of the index and of a terminal.
func plainText(s string) bool { return !strings.ContainsFunc(s, hidden) }

func hidden(r rune) bool { return unicode.IsControl(r) || printable.Hidden(r) }

func checkSeller(id string, s *Seller) error {
	f := faults{}
	f.record(id, s.ID, s.Name, s.Checked)
	f.want(slices.Contains(cost.Classes(), s.Class), "class %q is not one of %v", s.Class, cost.Classes())
	f.want(len(s.Offers) > 0, "offers is missing")
	used := make(map[string]bool)
	for i, o := range s.Offers {
		f.offer(fmt.Sprintf("offers: number %d", i+1), s, o)
		used[o.Source] = true
	}
	for _, key := range slices.Sorted(maps.Keys(s.Sources)) {
		f.want(idForm.MatchString(key), "sources: key %q: want small letters and digits, parted by dashes", key)
		f.want(s.Sources[key].Title != "", "sources: %s: a title is missing", key)
		f.want(used[key], "sources: %s: no offer is from it", key)
	}
	return errors.Join(f.all...)
}

func (f *faults) offer(where string, s *Seller, o Offer) {
	f.want(idForm.MatchString(o.Card), "%s: card %q: want an id of the hardware catalog or of a group", where, o.Card)
	f.want(idForm.MatchString(o.Region), "%s: region %q: want small letters and digits, parted by dashes", where, o.Region)
	f.want(o.GPUs >= 0 && o.GPUs <= 1024, "%s: gpus %d: want those of one instance", where, o.GPUs)
	f.want(slices.Contains(cost.AllTerms(), o.Terms), "%s: terms %q is not one of %v", where, o.Terms, cost.AllTerms())
	f.want(slices.Contains(cost.Kinds(), o.Kind), "%s: kind %q is not one of %v", where, o.Kind, cost.Kinds())
	f.values(where+": usd", o.USD, 1, 3)
	f.want(rangeOf(o.USD).Low > 0, "%s: usd: want more than nothing", where)
	f.want(o.Rows >= 0 && o.Rows <= most, "%s: rows %d: want a count", where, o.Rows)
	f.want(slices.Contains(cost.Hosts(), o.Host), "%s: host %q is not one of %v", where, o.Host, cost.Hosts())
	f.want(!o.Date.IsZero(), "%s: date is missing", where)
	_, ok := s.Sources[o.Source]
	f.want(ok, "%s: source %q is not among the sources", where, o.Source)
}

func checkGroup(id string, g *Group) error {
	f := faults{}
	f.record(id, g.ID, g.Name, g.Checked)
	f.want(g.Note != "", "note: say why the name leaves open which card it is")
	f.cards(g.Cards)
	return errors.Join(f.all...)
}

func (f *faults) cards(ids []string) {
	for i, c := range ids {
		f.want(idForm.MatchString(c), "cards: %q: want an id of the hardware catalog", c)
		f.want(!slices.Contains(ids[:i], c), "cards: %q is there twice", c)
	}
}

func checkPlace(id string, p *Place) error {
	f := faults{}
	f.record(id, p.ID, p.Name, p.Checked)
	f.want(p.Code == "" || codeForm.MatchString(p.Code), "code %q: want two capital letters", p.Code)
	f.want(p.Union == "" || p.Union == "eu", "union %q is not eu", p.Union)
	for _, n := range p.names() {
		f.want(n != "" && plainText(n), "the name %q says nothing", n)
	}
	f.want(p.Grid != nil || len(p.Electricity) > 0, "grid and electricity are both missing")
	if p.Grid != nil {
		f.want(p.Grid.Grams >= 0 && p.Grid.Grams <= 3000, "grid: g_per_kwh %g: want grams", p.Grid.Grams)
		f.want(yearOf(p.Grid.Year), "grid: year %d is no year", p.Grid.Year)
		f.source("grid", p.Grid.Source, p.Grid.Confidence)
	}
	for i, t := range p.Electricity {
		f.tariff(fmt.Sprintf("electricity: number %d", i+1), t)
	}
	return errors.Join(f.all...)
}

func yearOf(y int) bool { return y > 2000 && y < 2100 }

func (f *faults) tariff(where string, t Tariff) {
	f.want(moneyForm.MatchString(t.Currency), "%s: currency %q: want three capital letters", where, t.Currency)
	f.values(where+": per_kwh", t.PerKWh, 1, 2, 3)
	f.want(rangeOf(t.PerKWh).Low > 0, "%s: per_kwh: want more than nothing", where)
	f.want(t.Give >= 0 && t.Give < 1, "%s: give %g: want a share", where, t.Give)
	f.want(yearOf(t.Year), "%s: year %d is no year", where, t.Year)
	f.want(t.What != "", "%s: what is missing", where)
	f.source(where, t.Source, t.Confidence)
}

func checkCloud(id string, c *Cloud) error {
	f := faults{}
	f.record(id, c.ID, c.Name, c.Checked)
	f.want(yearOf(c.Year), "year %d is no year", c.Year)
	f.want(idForm.MatchString(c.PUE), "pue %q: want the id of a figure", c.PUE)
	f.source("regions", c.Source, c.Confidence)
	f.want(len(c.Regions) > 0, "regions is missing")
	for _, r := range c.Regions {
		f.want(idForm.MatchString(r.ID) && r.Name != "" && plainText(r.Name), "regions: %q (%q): want an id and a name", r.ID, r.Name)
		f.want(idForm.MatchString(r.Country), "regions: %s: country %q: want the id of a place", r.ID, r.Country)
		f.want(r.Grams >= 0 && r.Grams <= 3000, "regions: %s: g_per_kwh %g: want grams", r.ID, r.Grams)
		f.want(r.Free >= 0 && r.Free <= 1, "regions: %s: carbon_free %g: want a share", r.ID, r.Free)
	}
	return errors.Join(f.all...)
}

func checkFigure(id string, v *Figure) error {
	f := faults{}
	f.record(id, v.ID, v.Name, v.Checked)
	f.values("value", v.Value, 1, 3)
	f.want(year.MatchString(v.Of), "of %q: want the year, month or day that it holds for", v.Of)
	f.source("value", v.Source, v.Confidence)
	f.want(!strings.HasPrefix(v.ID, "pue-") || rangeOf(v.Value).Low >= 1, "value: a PUE below 1")
	return errors.Join(f.all...)
}

func checkPurchase(id string, p *Purchase) error {
	f := faults{}
	f.record(id, p.ID, p.Name, p.Checked)
	f.values("usd", p.USD, 1, 3)
	f.want(rangeOf(p.USD).Low > 0, "usd: want more than nothing")
	f.want(len(p.Cards) > 0, "cards is missing")
	f.cards(p.Cards)
	f.want(p.Basis == cost.Street || p.Basis == cost.Suggested, "basis %q is neither %s nor %s", p.Basis, cost.Street, cost.Suggested)
	f.want(p.GPUs >= 0 && p.GPUs <= 1024, "gpus %d: want those that are in it", p.GPUs)
	f.want(year.MatchString(p.Of), "of %q: want the year, month or day that it holds for", p.Of)
	f.source("usd", p.Source, p.Confidence)
	return errors.Join(f.all...)
}

func checkSystem(id string, s *System) error {
	f := faults{}
	f.record(id, s.ID, s.Name, s.Checked)
	f.cards(s.Cards)
	for _, r := range s.figures() {
		f.want(idForm.MatchString(r), "%q: want the id of a figure", r)
	}
	return errors.Join(f.all...)
}

func (s *System) figures() []string {
	return []string{s.Idle, s.Memory, s.Compute, s.Waiting, s.Host, s.Machine, s.Hall}
}
