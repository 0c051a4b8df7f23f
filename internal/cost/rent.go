package cost

import (
	"math"
	"slices"
	"strconv"
)

// price is what the sellers of a market take, where paid says for how many cards one pays with an offer. Sellers count
// once each: the middle is their median, the ends leave a tenth of them out. A seller with prices in several regions
// stands with the least, the median and the most of them.
func (m *market) price(paid func(Offer) float64) Range {
	var low, mid, high [64]float64
	l, c, h := low[:0], mid[:0], high[:0]
	for _, s := range m.sellers {
		r := s.price(paid)
		l, c, h = append(l, r.Low), append(c, r.Mid), append(h, r.High)
	}
	return Range{quantile(l, 0.1), quantile(c, 0.5), quantile(h, 0.9)}
}

func (s seller) price(paid func(Offer) float64) Range {
	var mids [64]float64
	low, high, c := math.Inf(1), 0.0, mids[:0]
	for _, region := range s.regions {
		r := cheapest(region, paid)
		low, high, c = min(low, r.Low), max(high, r.High), append(c, r.Mid)
	}
	return Range{low, quantile(c, 0.5), high}
}

// cheapest is what the cards cost in the cheapest of the instances of a region.
func cheapest(region []Offer, paid func(Offer) float64) Range {
	r := Range{math.Inf(1), math.Inf(1), math.Inf(1)}
	for _, o := range region {
		p := o.USD.Times(paid(o))
		r = Range{min(r.Low, p.Low), min(r.Mid, p.Mid), min(r.High, p.High)}
	}
	return r
}

// quantile sorts the values and takes the one at a share of them, between two where it falls between.
func quantile(v []float64, share float64) float64 {
	slices.Sort(v)
	at := share * float64(len(v)-1)
	i := int(at)
	if i+1 >= len(v) {
		return v[len(v)-1]
	}
	return v[i] + (at-float64(i))*(v[i+1]-v[i])
}

// whole is how many cards one pays for: instances are not divided.
func whole(gpus int) func(Offer) float64 {
	return func(o Offer) float64 {
		if o.GPUs <= 1 {
			return float64(gpus)
		}
		return float64((gpus + o.GPUs - 1) / o.GPUs * o.GPUs)
	}
}

// Rent quotes what each kind of seller takes for a number of cards, in the order of Classes and AllTerms. It is empty
// where nobody's price is known.
func (b *Book) Rent(gpus int) []Quote {
	if gpus < 1 || gpus > maxGPUs {
		return nil
	}
	out := make([]Quote, len(b.markets))
	for i := range b.markets {
		out[i] = b.markets[i].at(gpus)
	}
	return out
}

// maxGPUs is more than anybody rents; it keeps sums finite.
const maxGPUs = 1 << 20

func (m *market) at(gpus int) Quote {
	q := m.quote
	q.PerHour = m.price(whole(gpus))
	q.PerMonth = q.PerHour.Times(Hours)
	if used := q.PerGPUHour.Mid * float64(gpus); q.PerHour.Mid > 1.001*used {
		q.Note = join(q.Note, "whole instances are rented, which hold more than the "+plain(float64(gpus))+" that are needed")
	}
	return q
}

func join(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}

// Headline is the quote that an answer is given with, and false where there is none: on demand at neoclouds if three
// sell the card there, else on demand at hyperscalers, at whoever of the neoclouds, at a marketplace; then what is
// reserved, and only then what may be taken away at any time. Prices that are old beside others of the card step back,
// and those that leave the host out come last of all.
func (b *Book) Headline(gpus int) (Quote, bool) {
	if b.head < 0 || gpus < 1 || gpus > maxGPUs {
		return Quote{}, false
	}
	return b.markets[b.head].at(gpus), true
}

// PerGPUHour is the headline of one card of an instance that is fully used. It is computed already.
func (b *Book) PerGPUHour() (Range, bool) {
	if b.head < 0 {
		return Range{}, false
	}
	return b.markets[b.head].quote.PerGPUHour, true
}

// PerHour is the headline of a number of cards, in whole instances, without the rest of the quote.
func (b *Book) PerHour(gpus int) (Range, bool) {
	if b.head < 0 || gpus < 1 || gpus > maxGPUs {
		return Range{}, false
	}
	return b.markets[b.head].price(whole(gpus)), true
}

// Asked is the quote on the terms and of the kind of seller that were asked for, of any kind where none was: in the
// order of the headline. It is false where there is none.
func (b *Book) Asked(gpus int, terms Terms, class Class) (Quote, bool) {
	at := b.best(func(m *market) bool { return m.terms == terms && (class == "" || m.class == class) })
	if at < 0 || gpus < 1 || gpus > maxGPUs {
		return Quote{}, false
	}
	return b.markets[at].at(gpus), true
}

func (b *Book) headline() int { return b.best(func(*market) bool { return true }) }

// best is the first of the markets in question, by rank; -1 for none.
func (b *Book) best(in func(*market) bool) int {
	best, at := math.MaxInt, -1
	for i := range b.markets {
		if r := b.markets[i].rank(); in(&b.markets[i]) && r < best {
			best, at = r, i
		}
	}
	return at
}

// rank orders markets by how far a plan can be built on their prices.
func (m *market) rank() int {
	rank := 10 * slices.Index([]Terms{OnDemand, Reserved1, Reserved6, Reserved3, Flex, Spot}, m.terms)
	rank += slices.Index([]Class{Hyperscaler, Neocloud, Marketplace}, m.class) + 1
	if m.class == Neocloud && len(m.sellers) >= few {
		rank -= 2
	}
	if m.old {
		rank += 2
	}
	if m.incomplete {
		rank += 100
	}
	return rank
}

// OwnPrice is the quote of a price that the user named, in US dollars a card and hour.
func OwnPrice(usd float64, gpus int) (Quote, bool) {
	if !(usd > 0) || math.IsInf(usd, 0) || gpus < 1 || gpus > maxGPUs {
		return Quote{}, false
	}
	q := Quote{PerGPUHour: Exactly(usd), PerHour: Exactly(usd * float64(gpus)), Offers: 1, Note: "the price that was given"}
	q.PerMonth = q.PerHour.Times(Hours)
	return q, true
}

func plain(f float64) string { return strconv.FormatFloat(f, 'f', -1, 64) }
