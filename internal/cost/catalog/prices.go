package catalog

import (
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/cost"
)

// Book is what renting a card costs, of all sellers. It is made when it is asked for, once, and is shared. A card of which
// nobody's price is known has an empty one.
func (c *Catalog) Book(card string) (*cost.Book, error) {
	card = unsized(card)
	if b, ok := c.books.Load(card); ok {
		return b.(*cost.Book), nil
	}
	offers, err := c.Offers(card)
	if err != nil {
		return nil, err
	}
	b, _ := c.books.LoadOrStore(card, cost.NewBook(card, offers))
	return b.(*cost.Book), nil
}

// PerGPUHour is what one card costs an hour at the sellers that an answer is given with, and false where nobody's price
// is known.
func (c *Catalog) PerGPUHour(card string) (cost.Range, bool) {
	b, err := c.Book(card)
	if err != nil {
		return cost.Range{}, false
	}
	return b.PerGPUHour()
}

// Offers lists the offers of a card, and of groups of cards that it belongs to, as the sources state them.
func (c *Catalog) Offers(card string) ([]cost.Offer, error) {
	card = unsized(card)
	var out []cost.Offer
	for _, name := range c.named(card) {
		offers, err := c.offersOf(name)
		if err != nil {
			return nil, err
		}
		out = append(out, offers...)
	}
	return out, nil
}

// named are the names under which a card is sold.
func (c *Catalog) named(card string) []string {
	names := []string{card}
	for g := range c.values("in/"+card, func(v string) string { return groups + "/" + v }) {
		if !slices.Contains(names, g) {
			names = append(names, g)
		}
	}
	return names
}

func (c *Catalog) offersOf(name string) ([]cost.Offer, error) {
	var out []cost.Offer
	for line := range c.values("offers/"+name, sellerOf) {
		id, o, err := uncolumns(name, line)
		if err != nil {
			return nil, err
		}
		s, err := c.seller(id)
		if err != nil {
			return nil, err
		}
		out = append(out, s.offer(o))
	}
	return out, nil
}

func sellerOf(line string) string {
	id, _, _ := strings.Cut(line, "\t")
	return sellers + "/" + id
}

func (c *Catalog) seller(id string) (*Seller, error) {
	if s, ok := c.heads.Load(id); ok {
		return s.(*Seller), nil
	}
	s, err := decode[Seller](c, sellers, id)
	if err == nil {
		c.heads.Store(id, s)
	}
	return s, err
}

// All lists every offer of every seller, by card as the sources have it, then by seller.
func (c *Catalog) All() ([]cost.Offer, error) {
	var out []cost.Offer
	for _, name := range c.ids("offers") {
		offers, err := c.offersOf(name)
		if err != nil {
			return nil, err
		}
		out = append(out, offers...)
	}
	return out, nil
}

// Bought lists the prices of buying a card.
func (c *Catalog) Bought(card string) ([]cost.Purchase, error) {
	var out []cost.Purchase
	for id := range c.values("bought/"+unsized(card), func(v string) string { return purchases + "/" + v }) {
		p, err := decode[Purchase](c, purchases, id)
		if err != nil {
			return nil, err
		}
		out = append(out, p.purchase())
	}
	return out, nil
}

// unsized takes the size of the memory off the id of what is sold with several: m3-ultra-512gb.
func unsized(card string) string {
	at := strings.LastIndexByte(card, '-')
	size, ok := strings.CutSuffix(card[at+1:], "gb")
	if at < 0 || !ok || size == "" || strings.Trim(size, "0123456789.") != "" {
		return card
	}
	return card[:at]
}
