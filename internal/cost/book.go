package cost

import (
	"cmp"
	"maps"
	"slices"
	"strings"
)

// old is how many days before the newest price of its kind one is left out: rents fell by half within a year, and what
// was asked last year is no evidence of what is asked now while somebody has looked since.
const old = 180

// few is how many sellers make a market.
const few = 3

// Book holds the prices of one card that count, ready to be asked for many numbers of cards.
type Book struct {
	Card    string
	markets []market
	head    int // of the market that the headline is of; -1 for none
}

// market is one kind of seller with the terms; prices that leave the host out are a market of their own.
type market struct {
	class      Class
	terms      Terms
	incomplete bool
	old        bool // beside the newest prices of the card
	sellers    []seller
	quote      Quote // all that does not depend on the number of cards
}

// seller is what one seller asks, by region: what it costs to have a number of cards there is the least over its
// instances.
type seller struct {
	regions [][]Offer
}

// NewBook chooses among the offers of a card, those of groups of cards that it belongs to included. Of each seller the
// newest offers count, and those of the very card before those of a group; those that are old beside the newest of their
// market are left out, so that the long tail keeps its old prices and nothing else does.
func NewBook(card string, offers []Offer) *Book {
	type kind struct {
		class      Class
		terms      Terms
		incomplete bool
	}
	of := make(map[kind][]Offer)
	for _, o := range offers {
		k := kind{o.Class, o.Terms, o.Host == Apart}
		of[k] = append(of[k], o)
	}
	b := &Book{Card: card}
	for _, class := range Classes() {
		for _, terms := range AllTerms() {
			for _, incomplete := range []bool{false, true} {
				if mine := bare(of[kind{class, terms, incomplete}]); len(mine) > 0 {
					b.markets = append(b.markets, newMarket(card, class, terms, incomplete, mine))
				}
			}
		}
	}
	b.compare()
	b.head = b.headline()
	return b
}

// bare leaves out those that sell a service along with the machine where there are others.
func bare(offers []Offer) []Offer {
	if !slices.ContainsFunc(offers, func(o Offer) bool { return o.Kind != Managed }) {
		return offers
	}
	return slices.DeleteFunc(offers, func(o Offer) bool { return o.Kind == Managed })
}

func newMarket(card string, class Class, terms Terms, incomplete bool, offers []Offer) market {
	m := market{class: class, terms: terms, incomplete: incomplete}
	of := make(map[string][]Offer)
	var newest Snapshot
	for _, o := range offers {
		of[o.SellerID] = append(of[o.SellerID], o)
		if o.Date.Compare(newest) > 0 {
			newest = o.Date
		}
	}
	var used []Offer
	for _, id := range slices.Sorted(maps.Keys(of)) {
		if kept := fresh(card, of[id], newest); len(kept) > 0 {
			used = append(used, kept...)
			m.sellers = append(m.sellers, newSeller(kept))
		}
	}
	m.quote = m.describe(card, used)
	return m
}

// compare marks the markets whose prices are old beside the newest of the card.
func (b *Book) compare() {
	var newest Snapshot
	for _, m := range b.markets {
		if m.quote.Newest.Compare(newest) > 0 {
			newest = m.quote.Newest
		}
	}
	for i := range b.markets {
		m := &b.markets[i]
		if m.old = stale(m.quote.Newest, newest); m.old {
			m.quote.Note = join(m.quote.Note, "older by more than half a year than other prices of the card")
		}
	}
}

// fresh are the newest offers of one seller: of the card itself if it has any that are not old beside its newest, and of
// the source that it has the newest of.
func fresh(card string, offers []Offer, newest Snapshot) []Offer {
	kept := slices.DeleteFunc(slices.Clone(offers), func(o Offer) bool { return stale(o.Date, newest) })
	exact := slices.DeleteFunc(slices.Clone(kept), func(o Offer) bool { return o.Card != card })
	if len(exact) > 0 {
		kept = exact
	}
	if len(kept) == 0 {
		return nil
	}
	last := slices.MaxFunc(kept, func(a, b Offer) int {
		return cmp.Or(a.Date.Compare(b.Date), cmp.Compare(b.Source.Title, a.Source.Title))
	})
	return slices.DeleteFunc(kept, func(o Offer) bool { return o.Date != last.Date || o.Source != last.Source })
}

func stale(s, newest Snapshot) bool {
	return !newest.Certain().IsZero() && s.Latest().DaysUntil(newest.Certain()) > old
}

func newSeller(offers []Offer) seller {
	var s seller
	for _, o := range offers {
		at := slices.IndexFunc(s.regions, func(r []Offer) bool { return r[0].Region == o.Region })
		if at < 0 {
			s.regions = append(s.regions, []Offer{o})
			continue
		}
		s.regions[at] = append(s.regions[at], o)
	}
	return s
}

// Quote is what one kind of seller takes, on its terms, for a number of cards.
type Quote struct {
	Class      Class
	Terms      Terms
	PerGPUHour Range // of one card of an instance that is fully used
	PerHour    Range // of the whole instances that hold the cards
	PerMonth   Range
	Offers     int      // that the ranges are of
	Sellers    []string // by name
	Oldest     Snapshot
	Newest     Snapshot
	Sources    []string
	Incomplete bool // processors and memory are billed on top
	Note       string
}

// Basis says of what the quote is, for a headline: "on demand at neoclouds, 12 offers of 2026-05-24 to 2026-08-21".
func (q Quote) Basis() string {
	basis := q.Terms.Words() + " at " + q.Class.Plural() + ", prices of " + q.Dates()
	if q.Incomplete {
		basis += ", accelerators alone"
	}
	return basis
}

// Dates says from when to when the prices are.
func (q Quote) Dates() string {
	switch {
	case q.Oldest == q.Newest:
		return q.Newest.Words()
	case q.Oldest.Certain().IsZero():
		return q.Newest.Words() + " and " + q.Oldest.Words()
	}
	return q.Oldest.Words() + " to " + q.Newest.Words()
}

// describe fills in what does not depend on the number of cards.
func (m *market) describe(card string, used []Offer) Quote {
	byDate := func(a, b Offer) int { return a.Date.Compare(b.Date) }
	q := Quote{
		Class: m.class, Terms: m.terms, Offers: len(used), Incomplete: m.incomplete,
		Oldest: slices.MinFunc(used, byDate).Date, Newest: slices.MaxFunc(used, byDate).Date,
	}
	for _, o := range used {
		q.Sellers = append(q.Sellers, o.Seller)
		q.Sources = append(q.Sources, o.Source.Title)
	}
	q.Sellers, q.Sources = distinct(q.Sellers), distinct(q.Sources)
	q.PerGPUHour = m.price(func(Offer) float64 { return 1 })
	q.Note = notes(card, used)
	return q
}

func distinct(s []string) []string {
	slices.Sort(s)
	return slices.Compact(s)
}

// notes says what a reader would take for granted and is not so.
func notes(card string, used []Offer) string {
	count := func(is func(Offer) bool) (n int) {
		for _, o := range used {
			if is(o) {
				n++
			}
		}
		return n
	}
	var out []string
	for _, c := range []struct {
		n    int
		text string
	}{
		{count(func(o Offer) bool { return o.Host == Apart }), "of the accelerator alone: processors and memory are billed on top"},
		{count(func(o Offer) bool { return o.Card != card }), "of a name that leaves the form or the memory of the card open"},
		{count(func(o Offer) bool { return o.Kind == From }), "the cheapest that a comparison site showed"},
		{count(func(o Offer) bool { return o.Kind == Asked }), "asked by owners of machines"},
		{count(func(o Offer) bool { return o.Kind == Bid }), "where bids start"},
		{count(func(o Offer) bool { return o.Kind == Auction }), "of an auction"},
		{count(func(o Offer) bool { return o.Kind == Managed }), "of a service around the machine"},
		{count(func(o Offer) bool { return o.Host == NotSaid || o.Host == ListOnly }), "of a source that does not say whether the host is included"},
	} {
		if c.n > 0 {
			out = append(out, tally(c.n, len(used))+" "+c.text)
		}
	}
	return strings.Join(out, "; ")
}

func tally(n, of int) string {
	if n == of {
		return "all offers are"
	}
	if n == 1 {
		return "1 of " + plain(float64(of)) + " offers is"
	}
	return plain(float64(n)) + " of " + plain(float64(of)) + " offers are"
}
