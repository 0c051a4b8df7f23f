package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
)

// IDs lists the records of a kind in order.
func (c *Catalog) IDs(kind string) []string { return c.ids(kind) }

// Record decodes a record as its file has it, a seller with all its offers: what Record gives can be written with
// records.Encode, changed, and laid over the catalog. The error wraps ErrUnknown if there is none.
func (c *Catalog) Record(kind, id string) (any, error) {
	switch kind {
	case sellers:
		return c.whole(id)
	case groups:
		return decode[Group](c, kind, id)
	case places:
		return decode[Place](c, kind, id)
	case clouds:
		return decode[Cloud](c, kind, id)
	case figures:
		return decode[Figure](c, kind, id)
	case purchases:
		return decode[Purchase](c, kind, id)
	case systems:
		return decode[System](c, kind, id)
	}
	return nil, fmt.Errorf("looking up %s/%s of the costs: %w", kind, id, ErrUnknown)
}

// whole is a seller with its offers, which lie by card in the table.
func (c *Catalog) whole(id string) (*Seller, error) {
	s, err := decode[Seller](c, sellers, id)
	if err != nil {
		return nil, err
	}
	for _, card := range c.ids("offers") {
		for line := range c.values("offers/"+card, sellerOf) {
			if !strings.HasPrefix(line, id+"\t") {
				continue
			}
			_, o, err := uncolumns(card, line)
			if err != nil {
				return nil, err
			}
			s.Offers = append(s.Offers, o.short())
		}
	}
	return s, nil
}

// short writes one number where the three are the same, and leaves out a count of one.
func (o Offer) short() Offer {
	if r := rangeOf(o.USD); r.Low == r.Mid && r.Mid == r.High {
		o.USD = o.USD[:1]
	}
	if o.Rows == 1 {
		o.Rows = 0
	}
	return o
}

// Called lists the places that a name means by their ids, and the clouds whose region it is by theirs.
func (c *Catalog) Called(name string) (countries, regions []string) {
	for v := range c.values("place/"+fold(name), ownerOfPlace) {
		kind, id, _ := strings.Cut(v, "/")
		if kind == places {
			countries = append(countries, id)
			continue
		}
		id, _, _ = strings.Cut(id, "/")
		regions = append(regions, id)
	}
	return distinct(countries), distinct(regions)
}

func distinct(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Foreign reports the cards that records name and that nobody knows: neither the hardware catalog, of which known tells,
// nor a group of records or of the catalog. Prices of such a card would never be found. The tree that the records are from
// is read once more for the lines of the faults.
func (c *Catalog) Foreign(fsys fs.FS, r *Records, known func(card string) bool) error {
	var faults []error
	for m := range r.mentions() {
		_, err := decode[struct{}](c, groups, m.card)
		if known(unsized(m.card)) || m.group && (err == nil || r.Groups[m.card] != nil) {
			continue
		}
		fault := fmt.Errorf("%s: card %q is not in the catalog of accelerators", m.where, m.card)
		if m.group {
			fault = fmt.Errorf("%w, and no group of cards has the name", fault)
		}
		faults = append(faults, records.Placed(fsys, m.record+".yaml", fault))
	}
	return errors.Join(faults...)
}

// mention is a card that a record names.
type mention struct {
	record string // as prices/acme
	where  string
	card   string
	group  bool // that of a group is as good
}

// mentions yields them in the order of the kinds and ids.
func (r *Records) mentions() iter.Seq[mention] {
	var all []mention
	cards := func(kind, id string, cards []string) {
		for i, card := range cards {
			all = append(all, mention{kind + "/" + id, fmt.Sprintf("cards: number %d", i+1), card, false})
		}
	}
	for id, s := range r.Sellers {
		for i, o := range s.Offers {
			all = append(all, mention{sellers + "/" + id, fmt.Sprintf("offers: number %d", i+1), o.Card, true})
		}
	}
	for id, g := range r.Groups {
		cards(groups, id, g.Cards)
	}
	for id, p := range r.Purchases {
		cards(purchases, id, p.Cards)
	}
	for id, s := range r.Systems {
		cards(systems, id, s.Cards)
	}
	slices.SortStableFunc(all, func(a, b mention) int { return cmp.Compare(a.record, b.record) })
	return slices.Values(all)
}

// Count is how many records there are.
func (r *Records) Count() int { return len(r.owned()) }
