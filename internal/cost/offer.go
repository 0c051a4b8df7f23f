package cost

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
)

// Class is the kind of a seller. Their prices for the same card differ fourfold, so that they are never mixed.
type Class string

// The classes.
const (
	Hyperscaler Class = "hyperscaler" // the clouds that sell everything
	Neocloud    Class = "neocloud"    // sells accelerators from data centers; regional clouds too
	Marketplace Class = "marketplace" // lets strangers' machines, or brokers what others have left over
)

// Classes lists them in the order in which they are shown.
func Classes() []Class { return []Class{Hyperscaler, Neocloud, Marketplace} }

// Plural is the class as a place to rent at.
func (c Class) Plural() string { return string(c) + "s" }

// Terms say for how long a price is promised.
type Terms string

// The terms, by how much they promise.
const (
	OnDemand  Terms = "on_demand"
	Spot      Terms = "spot" // may be taken away at any time
	Flex      Terms = "flex" // in a window that the seller chooses or that is booked ahead
	Reserved6 Terms = "reserved_6m"
	Reserved1 Terms = "reserved_1y"
	Reserved3 Terms = "reserved_3y"
)

// AllTerms lists the terms in the order in which they are shown.
func AllTerms() []Terms { return []Terms{OnDemand, Spot, Flex, Reserved6, Reserved1, Reserved3} }

// Words are the terms as one says them.
func (t Terms) Words() string {
	switch t {
	case OnDemand:
		return "on demand"
	case Reserved6:
		return "reserved for 6 months"
	case Reserved1:
		return "reserved for 1 year"
	case Reserved3:
		return "reserved for 3 years"
	}
	return string(t)
}

// Kind is what a source calls a price.
type Kind string

// The kinds.
const (
	Listed   Kind = ""         // what the seller asks
	From     Kind = "from"     // the cheapest that a comparison site showed
	Asked    Kind = "asked"    // what owners of machines ask on a marketplace
	Bid      Kind = "bid"      // what a bid starts from
	Auction  Kind = "auction"  // what an auction came to
	Calendar Kind = "calendar" // booked ahead, or started when there is room
	Managed  Kind = "managed"  // a service around the machine is in the price
)

// Kinds lists them all.
func Kinds() []Kind { return []Kind{Listed, From, Asked, Bid, Auction, Calendar, Managed} }

// Host says whether the machine around the accelerator is in the price.
type Host string

// The states.
const (
	Included Host = "included"
	Apart    Host = "apart"    // processors and memory are billed on top: the price is not complete
	ListOnly Host = "list"     // the price list names the accelerator; of what is around it nothing is said
	NotSaid  Host = "not_said" // by the source
)

// Hosts lists the states.
func Hosts() []Host { return []Host{Included, Apart, ListOnly, NotSaid} }

// Offer is a price as a source states it.
type Offer struct {
	SellerID string
	Seller   string
	Class    Class
	Card     string // as the source has it: an id of the hardware catalog, or that of a group of cards
	Region   string
	GPUs     int // of one instance; 0 where any number is sold
	Terms    Terms
	Kind     Kind
	USD      Range // an accelerator an hour: least, median and most of Rows
	Rows     int   // of the source that the range is of
	Host     Host
	Date     Snapshot
	Source   evidence.Source
}

// Snapshot is when a source held: on a day, in a month or a year of which no more is known, or at the latest on a day.
type Snapshot struct {
	earliest, latest evidence.Date // earliest is zero where it is not known
	text             string
}

// ParseSnapshot reads 2026-05-24, 2026-08, 2026, or <=2025-10-25.
func ParseSnapshot(s string) (Snapshot, error) {
	if rest, ok := strings.CutPrefix(s, "<="); ok {
		d, err := evidence.ParseDate(rest)
		return Snapshot{latest: d, text: s}, err
	}
	for _, end := range ends(len(s)) {
		first, err1 := evidence.ParseDate(s + end[0])
		last, err2 := evidence.ParseDate(s + end[1])
		if err1 == nil && err2 == nil {
			return Snapshot{first, last, s}, nil
		}
	}
	return Snapshot{}, fmt.Errorf("date %s is none: want 2026-11-24, 2026-11, 2026 or <=2026-11-24", strconv.Quote(s))
}

// ends are what makes days of a date that is so long: the first and the last that it can mean.
func ends(length int) [][2]string {
	switch length {
	case len("2026-11-24"):
		return [][2]string{{"", ""}}
	case len("2026-11"):
		return [][2]string{{"-01", "-31"}, {"-01", "-30"}, {"-01", "-29"}, {"-01", "-28"}}
	case len("2026"):
		return [][2]string{{"-01-01", "-12-31"}}
	}
	return nil
}

// String is the date as a record writes it.
func (s Snapshot) String() string { return s.text }

// Words say the date with what is not known of it.
func (s Snapshot) Words() string {
	switch {
	case s.earliest.IsZero() && !s.latest.IsZero():
		return "at the latest " + s.latest.String()
	case s.earliest != s.latest:
		return s.text + " (day unknown)"
	}
	return s.text
}

// IsZero reports whether nothing is known.
func (s Snapshot) IsZero() bool { return s == Snapshot{} }

// Certain is the day from which on the price is known to have held; zero where there is none.
func (s Snapshot) Certain() evidence.Date { return s.earliest }

// Latest is the last day on which the source can have been read.
func (s Snapshot) Latest() evidence.Date { return s.latest }

// Compare orders by the day that is certain, so that a price of which only the last possible day is known counts as old.
func (s Snapshot) Compare(t Snapshot) int {
	return cmp.Or(s.earliest.Compare(t.earliest), s.latest.Compare(t.latest))
}

// MarshalText writes the date as a record has it.
func (s Snapshot) MarshalText() ([]byte, error) { return []byte(s.text), nil }

// UnmarshalText reads what MarshalText writes.
func (s *Snapshot) UnmarshalText(b []byte) error {
	v, err := ParseSnapshot(string(b))
	if err != nil {
		return err
	}
	*s = v
	return nil
}
