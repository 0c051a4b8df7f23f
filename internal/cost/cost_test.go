package cost

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/evidence"
)

func TestParseSnapshot(t *testing.T) {
	for _, tt := range []struct{ text, certain, latest, words string }{
		{"2026-05-24", "2026-05-24", "2026-05-24", "2026-05-24"},
		{"2026-08", "2026-08-01", "2026-08-31", "2026-08 (day unknown)"},
		{"2026-06", "2026-06-01", "2026-06-30", "2026-06 (day unknown)"},
		{"2026-02", "2026-02-01", "2026-02-28", "2026-02 (day unknown)"},
		{"2028-02", "2028-02-01", "2028-02-29", "2028-02 (day unknown)"},
		{"2026", "2026-01-01", "2026-12-31", "2026 (day unknown)"},
		{"<=2025-10-25", "", "2025-10-25", "at the latest 2025-10-25"},
	} {
		s, err := ParseSnapshot(tt.text)
		if err != nil || s.Certain().String() != tt.certain || s.Latest().String() != tt.latest || s.Words() != tt.words || s.String() != tt.text {
			t.Errorf("%q is %q to %q, %q, error %v", tt.text, s.Certain(), s.Latest(), s.Words(), err)
		}
	}
	for _, text := range []string{"", "soon", "2026-13", "2026-02-30", "<=2025", "<=", ">=2025-10-25", "2026 (undated)", " 2026", "26"} {
		if s, err := ParseSnapshot(text); err == nil {
			t.Errorf("%q is %v, want an error", text, s)
		}
	}
}

func FuzzParseSnapshot(f *testing.F) {
	for _, s := range []string{"2026-05-24", "2026-08", "2026", "<=2025-10-25", "<=2026", "2026-02-29", "9999", "0000"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ParseSnapshot(s)
		if err != nil {
			return
		}
		if d.String() != s || d.IsZero() || d.Latest().Compare(d.Certain()) < 0 {
			t.Errorf("%q is %v to %v", s, d.Certain(), d.Latest())
		}
		var back Snapshot
		if text, err := d.MarshalText(); err != nil || back.UnmarshalText(text) != nil || back != d {
			t.Errorf("%q comes back as %v", s, back)
		}
	})
}

func day(s string) Snapshot {
	d, err := ParseSnapshot(s)
	if err != nil {
		panic(err)
	}
	return d
}

// offer is one for a card that is asked for under the name "card".
func offer(seller string, class Class, terms Terms, usd float64, date string, more ...func(*Offer)) Offer {
	o := Offer{
		SellerID: seller, Seller: strings.ToUpper(seller), Class: class, Card: "card", Region: "global", GPUs: 1, Terms: terms, USD: Exactly(usd),
		Rows: 1, Host: Included, Date: day(date), Source: evidence.Source{Title: "list of " + date},
	}
	for _, m := range more {
		m(&o)
	}
	return o
}

func TestHeadline(t *testing.T) {
	const now, before = "2026-08-21", "2025-03-07"
	three := []Offer{offer("a", Neocloud, OnDemand, 1, now), offer("b", Neocloud, OnDemand, 2, now), offer("c", Neocloud, OnDemand, 3, now)}
	hyper := offer("h", Hyperscaler, OnDemand, 8, now)
	alone := func(o *Offer) { o.Host = Apart }
	for _, tt := range []struct {
		name   string
		offers []Offer
		usd    float64
		basis  string
	}{
		{"three neoclouds", append(slices.Clone(three), hyper), 2, "on demand at neoclouds, prices of 2026-08-21"},
		{"two neoclouds are no market", append(slices.Clone(three[:2]), hyper), 8, "on demand at hyperscalers, prices of 2026-08-21"},
		{"two neoclouds alone", three[:2], 1.5, "on demand at neoclouds, prices of 2026-08-21"},
		{"a marketplace alone", []Offer{offer("m", Marketplace, OnDemand, 0.3, now)}, 0.3, "on demand at marketplaces, prices of 2026-08-21"},
		{"spot is no plan", []Offer{offer("a", Neocloud, Spot, 0.5, now), offer("h", Hyperscaler, Reserved3, 4, now)}, 4, "reserved for 3 years at hyperscalers, prices of 2026-08-21"},
		{"spot where there is nothing else", []Offer{offer("a", Neocloud, Spot, 0.5, now)}, 0.5, "spot at neoclouds, prices of 2026-08-21"},
		{"without its host it comes last", []Offer{offer("g", Hyperscaler, OnDemand, 1, now, alone), offer("a", Neocloud, Spot, 2, now)}, 2, "spot at neoclouds, prices of 2026-08-21"},
		{"without its host and alone", []Offer{offer("g", Hyperscaler, OnDemand, 1, now, alone)}, 1, "on demand at hyperscalers, prices of 2026-08-21, accelerators alone"},
		{"old ones step back", []Offer{offer("h", Hyperscaler, OnDemand, 8, before), offer("a", Neocloud, OnDemand, 2, now)}, 2, "on demand at neoclouds, prices of 2026-08-21"},
		{"old ones of the same market are left out", append([]Offer{offer("d", Neocloud, OnDemand, 90, before)}, three...), 2, "on demand at neoclouds, prices of 2026-08-21"},
		{
			"old ones alone",
			[]Offer{offer("h", Hyperscaler, OnDemand, 8, before), offer("i", Hyperscaler, OnDemand, 10, "<=2025-10-25")},
			9,
			"on demand at hyperscalers, prices of 2025-03-07 and at the latest 2025-10-25",
		},
	} {
		q, ok := NewBook("card", tt.offers).Headline(1)
		if !ok || q.PerGPUHour.Mid != tt.usd || q.Basis() != tt.basis {
			t.Errorf("%s: %g USD, %q; want %g, %q", tt.name, q.PerGPUHour.Mid, q.Basis(), tt.usd, tt.basis)
		}
	}
	empty := NewBook("card", nil)
	if _, ok := empty.Headline(1); ok {
		t.Error("nobody's price is a price")
	}
	if _, ok := empty.PerGPUHour(); ok || empty.Rent(1) == nil || len(empty.Rent(1)) > 0 {
		t.Error("nobody's price is a price")
	}
}

// Of those that were asked for, whole machines come before accelerators alone, and a market before a hyperscaler.
func TestAsked(t *testing.T) {
	const now = "2026-08-21"
	alone := func(o *Offer) { o.Host = Apart }
	book := NewBook("card", []Offer{
		offer("g", Hyperscaler, Spot, 1, now, alone), offer("a", Neocloud, Spot, 2, now), offer("h", Hyperscaler, Reserved1, 4, now, alone),
		offer("i", Hyperscaler, OnDemand, 8, now), offer("m", Marketplace, OnDemand, 0.5, now),
	})
	for _, tt := range []struct {
		name  string
		terms Terms
		class Class
		usd   float64
	}{
		{"anybody's spot", Spot, "", 2},
		{"a hyperscaler's spot", Spot, Hyperscaler, 1},
		{"a year alone", Reserved1, "", 4},
		{"a marketplace", OnDemand, Marketplace, 0.5},
		{"on demand", OnDemand, "", 8},
	} {
		if q, ok := book.Asked(1, tt.terms, tt.class); !ok || q.PerGPUHour.Mid != tt.usd || q.Terms != tt.terms {
			t.Errorf("%s: %g USD %s, want %g", tt.name, q.PerGPUHour.Mid, q.Terms, tt.usd)
		}
	}
	if q, ok := book.Asked(1, Reserved3, ""); ok {
		t.Errorf("nobody's three years cost %g USD", q.PerGPUHour.Mid)
	}
}

// Of each seller the newest price counts, and that of the card before that of a group.
func TestFresh(t *testing.T) {
	group := func(o *Offer) { o.Card = "card-unspecified" }
	for _, tt := range []struct {
		name   string
		offers []Offer
		want   float64
	}{
		{"the newest", []Offer{offer("a", Neocloud, OnDemand, 2, "2026-05-24"), offer("a", Neocloud, OnDemand, 1, "2026-08-21")}, 1},
		{"of a known day before an unknown one", []Offer{offer("a", Neocloud, OnDemand, 2, "2026"), offer("a", Neocloud, OnDemand, 1, "2026-05-24")}, 1},
		{"of the card itself", []Offer{offer("a", Neocloud, OnDemand, 2, "2026-05-24"), offer("a", Neocloud, OnDemand, 1, "2026-08-21", group)}, 2},
		{"of a group where its own is old", []Offer{offer("a", Neocloud, OnDemand, 2, "2025-03-07"), offer("a", Neocloud, OnDemand, 1, "2026-08-21", group)}, 1},
	} {
		q, _ := NewBook("card", tt.offers).Headline(1)
		if q.PerGPUHour.Mid != tt.want || q.Offers != 1 {
			t.Errorf("%s: %d offers, %g USD, want %g", tt.name, q.Offers, q.PerGPUHour.Mid, tt.want)
		}
	}
}

func TestWholeInstances(t *testing.T) {
	by := func(gpus int) func(*Offer) { return func(o *Offer) { o.GPUs = gpus } }
	for _, tt := range []struct {
		name   string
		offers []Offer
		gpus   int
		want   float64
	}{
		{"five of a card sold by eights", []Offer{offer("a", Neocloud, OnDemand, 2, "2026-08-21", by(8))}, 5, 16},
		{"nine of it", []Offer{offer("a", Neocloud, OnDemand, 2, "2026-08-21", by(8))}, 9, 32},
		{"any number", []Offer{offer("a", Neocloud, OnDemand, 2, "2026-08-21", by(0))}, 5, 10},
		{"single ones are cheaper for one", []Offer{offer("a", Neocloud, OnDemand, 3, "2026-08-21"), offer("a", Neocloud, OnDemand, 2, "2026-08-21", by(8))}, 1, 3},
		{"eight are cheaper than six single ones", []Offer{offer("a", Neocloud, OnDemand, 3, "2026-08-21"), offer("a", Neocloud, OnDemand, 2, "2026-08-21", by(8))}, 6, 16},
	} {
		b := NewBook("card", tt.offers)
		q, _ := b.Headline(tt.gpus)
		if q.PerHour.Mid != tt.want || q.PerMonth.Mid != tt.want*Hours {
			t.Errorf("%s: %g USD an hour, %g a month, want %g", tt.name, q.PerHour.Mid, q.PerMonth.Mid, tt.want)
		}
		if fast, ok := b.PerHour(tt.gpus); !ok || fast != q.PerHour {
			t.Errorf("%s: the short way gives %v", tt.name, fast)
		}
	}
}

func TestNotes(t *testing.T) {
	book := NewBook("card", []Offer{
		offer("a", Hyperscaler, OnDemand, 2, "2026-08-21", func(o *Offer) { o.GPUs = 8 }),
		offer("g", Hyperscaler, OnDemand, 1, "2026-08-21", func(o *Offer) { o.Host = Apart }),
		offer("v", Marketplace, Spot, 1, "2026-08-21", func(o *Offer) { o.Kind = Bid }),
		offer("w", Marketplace, Spot, 1, "2026-08-21", func(o *Offer) { o.Card = "card-any" }),
		offer("s", Hyperscaler, OnDemand, 99, "2026-08-21", func(o *Offer) { o.Kind = Managed }),
	})
	var got []string
	for _, q := range book.Rent(5) {
		got = append(got, fmt.Sprintf("%s %s %g: %s", q.Class, q.Terms, q.PerHour.Mid, q.Note))
	}
	want := []string{
		"hyperscaler on_demand 16: whole instances are rented, which hold more than the 5 that are needed",
		"hyperscaler on_demand 5: all offers are of the accelerator alone: processors and memory are billed on top",
		"marketplace spot 5: 1 of 2 offers is of a name that leaves the form or the memory of the card open; 1 of 2 offers is where bids start",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// random makes offers of all kinds.
func random(r *rand.Rand) []Offer {
	dates := []string{"2026-08-21", "2026-05-24", "2026", "2026-08", "2025-03-07", "<=2025-10-25"}
	var out []Offer
	for range 1 + r.IntN(20) {
		low := 0.01 + r.Float64()
		out = append(out, offer(string(rune('a'+r.IntN(5))), Classes()[r.IntN(3)], AllTerms()[r.IntN(6)], 1, dates[r.IntN(len(dates))], func(o *Offer) {
			o.USD = Range{low, low + r.Float64(), low + 1 + r.Float64()}
			o.GPUs = []int{0, 1, 2, 4, 8}[r.IntN(5)]
			o.Region = []string{"us", "eu", "global"}[r.IntN(3)]
			o.Host = Hosts()[r.IntN(4)]
			o.Kind = Kinds()[r.IntN(len(Kinds()))]
		}))
	}
	return out
}

// Laws of renting: ranges are in order, more cards never cost less, and whole instances never cost less than their share.
func TestRentLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		b := NewBook("card", random(r))
		last := b.Rent(1)
		if len(last) == 0 {
			t.Fatal("offers are lost")
		}
		for n := 1; n <= 20; n++ {
			for i, q := range b.Rent(n) {
				switch p := last[i].PerHour; {
				case !q.PerHour.Positive() || !q.PerGPUHour.Positive() || q.Oldest.Compare(q.Newest) > 0 || q.Offers < 1:
					t.Fatalf("%d cards: %+v", n, q)
				case q.PerHour.Low < p.Low || q.PerHour.Mid < p.Mid || q.PerHour.High < p.High:
					t.Fatalf("%d cards cost %v, one less costs %v", n, q.PerHour, p)
				case q.PerHour.Mid < 0.999999*float64(n)*q.PerGPUHour.Mid:
					t.Fatalf("%d cards cost %v, one costs %v", n, q.PerHour, q.PerGPUHour)
				}
				last[i] = q
			}
		}
	}
}

func TestRentRefuses(t *testing.T) {
	b := NewBook("card", []Offer{offer("a", Neocloud, OnDemand, 2, "2026-08-21")})
	for _, n := range []int{0, -1, math.MinInt, math.MaxInt, maxGPUs + 1} {
		if q := b.Rent(n); q != nil {
			t.Errorf("%d cards: %+v", n, q)
		}
		if q, ok := b.Headline(n); ok {
			t.Errorf("%d cards: %+v", n, q)
		}
		if q, ok := OwnPrice(1, n); ok {
			t.Errorf("%d cards: %+v", n, q)
		}
	}
	for _, usd := range []float64{0, -1, math.NaN(), math.Inf(1)} {
		if q, ok := OwnPrice(usd, 1); ok {
			t.Errorf("%g USD: %+v", usd, q)
		}
	}
	if q, ok := OwnPrice(2, 3); !ok || q.PerHour != Exactly(6) || q.PerMonth != Exactly(4380) {
		t.Errorf("3 at 2 USD: %+v, %v", q, ok)
	}
}

func TestPerMillion(t *testing.T) {
	// 36 USD an hour are 0.01 a second; 1,000 tokens a second at half the load are 500: 20 USD a million.
	got, ok := PerMillion(Exactly(36), Exactly(1000), Exactly(0.5))
	if !ok || math.Abs(got.Mid-20) > 1e-9 || math.Abs(got.High-got.Low) > 1e-9 {
		t.Errorf("%v, %v", got, ok)
	}
	both, ok := PerMillionTokens(got, 3000, 1000)
	if !ok || math.Abs(both.Mid-5) > 1e-9 {
		t.Errorf("of prompts and answers together %v", both)
	}
	for _, tt := range []struct{ hour, output, busy Range }{
		{Exactly(1), Exactly(0), Exactly(0.5)},
		{Exactly(1), Exactly(1), Exactly(0)},
		{Exactly(1), Exactly(1), Exactly(1.5)},
		{Exactly(-1), Exactly(1), Exactly(0.5)},
		{Exactly(math.NaN()), Exactly(1), Exactly(0.5)},
		{Exactly(1), Exactly(math.Inf(1)), Exactly(0.5)},
		{Exactly(1), Range{2, 1, 3}, Exactly(0.5)},
	} {
		if got, ok := PerMillion(tt.hour, tt.output, tt.busy); ok {
			t.Errorf("%v is %v", tt, got)
		}
	}
	if got, ok := PerMillion(Exactly(0), Exactly(1), Exactly(0.5)); !ok || got != (Range{}) {
		t.Errorf("nothing costs %v", got)
	}
}

func someRange(r *rand.Rand, low, high float64) Range {
	v := []float64{low + r.Float64()*(high-low), low + r.Float64()*(high-low), low + r.Float64()*(high-low)}
	slices.Sort(v)
	return Range{v[0], v[1], v[2]}
}

// A higher utilization never costs more a token, and a wider doubt never gives a narrower range.
func TestPerMillionLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 5000 {
		hour, output, busy := someRange(r, 0.1, 100), someRange(r, 1, 1e5), someRange(r, 0.01, 0.5)
		less, ok1 := PerMillion(hour, output, busy)
		more, ok2 := PerMillion(hour, output, busy.Times(1+r.Float64()))
		if !ok1 || !ok2 || !less.Positive() || more.Low > less.Low || more.Mid > less.Mid || more.High > less.High {
			t.Fatalf("%v at %v costs %v, and %v busier", hour, busy, less, more)
		}
		exact, _ := PerMillion(hour, Exactly(output.Mid), busy)
		if exact.Low < less.Low*(1-1e-9) || exact.High > less.High*(1+1e-9) {
			t.Fatalf("without doubt of the output %v, with it %v", exact, less)
		}
		if less.Low < hour.Low/output.High/busy.High*1e6/3600*(1-1e-9) || less.High > hour.High/output.Low/busy.Low*1e6/3600*(1+1e-9) {
			t.Fatalf("%v is outside what the ends give", less)
		}
	}
}

func figure(id string, low, mid, high float64) Figure {
	return Figure{ID: id, Value: Range{low, mid, high}, Source: evidence.Source{Title: "source of " + id}, Of: "2026", Confidence: Low}
}

func ownership() Ownership {
	return Ownership{
		Life: figure("life", 3, 5, 6), Residual: figure("residual", 0.25, 0.3, 0.35), Server: figure("server", 1.1, 1.25, 1.45),
		Extra: figure("extra", 0.1, 0.125, 0.15), Colocation: figure("colocation", 150, 200, 250),
	}
}

func purchase(gpus int, whole bool, basis Basis, usd float64) Purchase {
	return Purchase{Figure: figure("price", usd, usd, usd), GPUs: gpus, Whole: whole, Basis: basis}
}

func TestOwn(t *testing.T) {
	kwh := figure("electricity", 0.1, 0.1, 0.1)
	energy := &Energy{KWhMonth: &Range{1000, 1000, 1000}, Electricity: &Range{100, 100, 100}, Price: kwh}
	for _, tt := range []struct {
		name     string
		o        Owner
		purchase float64
		month    float64
		parts    []string
	}{
		{"a card in its server", Owner{GPUs: 2, Purchases: []Purchase{purchase(1, false, Street, 6000)}}, 15000, 250, []string{"accelerators", "servers around them"}},
		{"a computer in one piece", Owner{GPUs: 1, Purchases: []Purchase{purchase(1, true, Suggested, 6000)}}, 6000, 100, []string{"accelerators"}},
		{"a server of eight", Owner{GPUs: 8, Purchases: []Purchase{purchase(1, false, Street, 99999), purchase(8, true, Street, 60000)}}, 60000, 1000, []string{"accelerators"}},
		{"two of a server of eight", Owner{GPUs: 2, Purchases: []Purchase{purchase(1, false, Street, 6000), purchase(8, true, Street, 60000)}}, 15000, 250, []string{"accelerators", "servers around them"}},
		{"only servers are known", Owner{GPUs: 2, Purchases: []Purchase{purchase(8, true, Street, 60000)}}, 60000, 1000, []string{"accelerators"}},
		{"street before list", Owner{GPUs: 1, Purchases: []Purchase{purchase(1, true, Suggested, 6000), purchase(1, true, Street, 12000)}}, 12000, 200, []string{"accelerators"}},
		{"the user's own price", Owner{GPUs: 2, Price: &Range{6000, 6000, 6000}, Purchases: []Purchase{purchase(1, false, Street, 1)}}, 12000, 200, []string{"accelerators"}},
		{
			"in a hall",
			Owner{GPUs: 8, Hall: true, Maximum: Exactly(10000), Energy: energy, Purchases: []Purchase{purchase(8, true, Street, 60000)}},
			67500, 1000 + 125 + 2000 + 100,
			[]string{"accelerators", "network, cables, insurance", "space in a data center", "electricity"},
		},
	} {
		tt.o.Figures = ownership()
		b, err := Own(tt.o)
		var parts []string
		for _, p := range b.Parts {
			parts = append(parts, p.What)
			if p.Formula == "" || p.Source == "" || !p.Value.Positive() {
				t.Errorf("%s: %+v", tt.name, p)
			}
		}
		if err != nil || math.Abs(b.Purchase.Mid-tt.purchase) > 1e-6 || math.Abs(b.PerMonth.Mid-tt.month) > 1e-6 || !slices.Equal(parts, tt.parts) {
			t.Errorf("%s: %v, %v a month, %q, error %v", tt.name, b.Purchase, b.PerMonth, parts, err)
		}
		if math.Abs(b.PerHour.Mid*Hours-b.PerMonth.Mid) > 1e-6 || !strings.Contains(b.Note, NotIn) || b.PerMonth.Low >= b.PerMonth.High {
			t.Errorf("%s: %+v", tt.name, b)
		}
	}
}

// A card without a price has no cost, which is not a cost of nothing.
func TestOwnRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		o    Owner
		want error
	}{
		{"nobody's price", Owner{GPUs: 1}, ErrNoPrice},
		{"a price of nothing", Owner{GPUs: 1, Purchases: []Purchase{purchase(1, true, Street, 0)}}, ErrNoPrice},
		{"a negative price", Owner{GPUs: 1, Price: &Range{-1, -1, -1}}, nil},
		{"no cards", Owner{Purchases: []Purchase{purchase(1, true, Street, 1)}}, nil},
		{"too many cards", Owner{GPUs: math.MaxInt, Purchases: []Purchase{purchase(1, true, Street, 1)}}, nil},
	} {
		tt.o.Figures = ownership()
		b, err := Own(tt.o)
		if err == nil || tt.want != nil && !errors.Is(err, tt.want) || b.PerHour != (Range{}) {
			t.Errorf("%s: %+v, %v", tt.name, b, err)
		}
	}
}

// Buying a server instead of its cards does not make more cards cheaper than fewer.
func TestServersOrCards(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for range 200 {
		o := Owner{Figures: ownership(), Purchases: []Purchase{purchase(1, false, Street, 1+1e4*r.Float64()), purchase(8, true, Street, 1+1e5*r.Float64())}}
		var last float64
		for n := 1; n <= 40; n++ {
			o.GPUs = n
			b, err := Own(o)
			if err != nil || b.Purchase.Mid < last {
				t.Fatalf("%d cards: %v after %g, error %v", n, b.Purchase, last, err)
			}
			last = b.Purchase.Mid
		}
	}
}

// More cards never cost less to own, and what lasts longer never costs more.
func TestOwnLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		o := Owner{Figures: ownership(), Hall: r.IntN(2) == 0, Purchases: []Purchase{purchase(1, r.IntN(2) == 0, Street, 1+1e4*r.Float64())}}
		var last Bought
		for n := 1; n <= 20; n++ {
			o.GPUs, o.Maximum = n, Exactly(float64(700*n))
			b, err := Own(o)
			if err != nil || !b.PerHour.Positive() || b.PerHour.Low < last.PerHour.Low || b.PerHour.Mid < last.PerHour.Mid || b.PerHour.High < last.PerHour.High {
				t.Fatalf("%d cards: %v after %v, error %v", n, b.PerHour, last.PerHour, err)
			}
			last = b
		}
		o.Figures.Life = figure("life", 4, 6, 8)
		if b, err := Own(o); err != nil || b.PerHour.Mid > last.PerHour.Mid {
			t.Fatalf("longer in use: %v after %v, error %v", b.PerHour, last.PerHour, err)
		}
	}
}

func system() System {
	return System{
		ID: "server", Idle: figure("idle", 0.1, 0.13, 0.18), Memory: figure("memory", 0.2, 0.4, 0.65), Compute: figure("compute", 0.6, 0.8, 1),
		Waiting: figure("waiting", 0.15, 0.3, 0.5), Host: figure("host", 0.3, 0.5, 0.82), Machine: figure("machine", 0, 0, 0),
	}
}

func TestPower(t *testing.T) {
	w, err := Power(Draw{System: system(), GPUs: 8, Watts: 700, Bound: "memory", Busy: Exactly(0.5)})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name      string
		got, want Range
	}{
		{"idle", w.Idle, Range{5600 * 0.4, 5600 * 0.63, 5600}},
		{"loaded", w.Loaded, Range{5600 * 0.5, 5600 * 0.9, 5600 * 1.47}},
		{"maximum", w.Maximum, Range{5600 * 1.3, 5600 * 1.5, 5600 * 1.82}},
		{"half of the time", w.Mean, Range{5600 * 0.45, 5600 * 0.765, 5600 * 1.235}},
	} {
		if math.Abs(tt.got.Low-tt.want.Low)+math.Abs(tt.got.Mid-tt.want.Mid)+math.Abs(tt.got.High-tt.want.High) > 1e-6 {
			t.Errorf("%s: %v, want %v", tt.name, tt.got, tt.want)
		}
	}
}

func TestMachines(t *testing.T) {
	whole := System{Whole: true}
	for _, tt := range []struct {
		name string
		d    Draw
		want int
	}{
		{"eight in a server", Draw{GPUs: 8}, 1},
		{"nine", Draw{GPUs: 9}, 2},
		{"as said", Draw{GPUs: 8, Machines: 4}, 4},
		{"Macs", Draw{GPUs: 3, System: whole}, 3},
	} {
		if got := tt.d.machines(); got != tt.want {
			t.Errorf("%s: %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestPowerRefuses(t *testing.T) {
	good := Draw{System: system(), GPUs: 8, Watts: 700, Busy: Exactly(0.5)}
	for _, tt := range []struct {
		text string
		but  func(*Draw)
	}{
		{"the power of the accelerator is not known", func(d *Draw) { d.Watts = 0 }},
		{"the power of the accelerator is not known", func(d *Draw) { d.Watts = math.NaN() }},
		{"the power of the accelerator is not known", func(d *Draw) { d.Watts = math.Inf(1) }},
		{"want 1 to", func(d *Draw) { d.GPUs = 0 }},
		{"want 1 to", func(d *Draw) { d.GPUs = math.MaxInt }},
		{"no more machines than accelerators", func(d *Draw) { d.Machines = 9 }},
		{"want 0 to 1", func(d *Draw) { d.Busy = Exactly(1.1) }},
		{"want 0 to 1", func(d *Draw) { d.Prompts = -0.1 }},
		{"want 0 to 1", func(d *Draw) { d.Prompts = math.NaN() }},
		{"are not those of a machine", func(d *Draw) { d.System.Memory.Value.High = 2 }},
	} {
		d := good
		tt.but(&d)
		if w, err := Power(d); err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, %v", tt.text, w.Mean, err)
		}
	}
}

// Laws of power and energy: never below idle, never above what hosts take at most, more load never less, and a better
// building never more.
func TestEnergyLaws(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 3000 {
		d := Draw{System: system(), GPUs: 1 + r.IntN(64), Watts: 20 + 1400*r.Float64(), Prompts: r.Float64(), Busy: someRange(r, 0.01, 0.5)}
		d.Bound = []string{"memory", "compute", "network", "kv", "overhead"}[r.IntN(5)]
		d.System.Machine = figure("machine", 10, 50*r.Float64()+10, 100)
		w, err := Power(d)
		if err != nil {
			t.Fatal(err)
		}
		top := float64(d.GPUs)*d.Watts*1.82 + 100*math.Ceil(float64(d.GPUs)/8)
		if !w.Mean.Positive() || w.Mean.Low < w.Idle.Low || w.Mean.High > w.Maximum.High*(1+1e-9) || w.Maximum.High > top*(1+1e-9) {
			t.Fatalf("%+v draws %+v", d, w)
		}
		busier := d
		busier.Busy = d.Busy.Times(1 + r.Float64())
		more, _ := Power(busier)
		if more.Mean.Mid < w.Mean.Mid {
			t.Fatalf("busier %v after %v", more.Mean, w.Mean)
		}
		energyLaws(t, r, w, more, d.Busy, busier.Busy)
	}
}

func energyLaws(t *testing.T, r *rand.Rand, w, more Watts, busy, busier Range) {
	t.Helper()
	site := Site{PUE: figure("pue", 1.1, 1.3, 1.6), Grid: figure("grid", 300, 300, 300), Price: figure("price", 0.1, 0.2, 0.3)}
	output := someRange(r, 10, 1e5)
	e, err := Use(w, site, &output, busy)
	if err != nil {
		t.Fatal(err)
	}
	e2, err := Use(more, site, &output, busier)
	if err != nil {
		t.Fatal(err)
	}
	site.PUE = figure("pue", 1, 1, 1)
	best, err := Use(w, site, &output, busy)
	if err != nil {
		t.Fatal(err)
	}
	switch {
	case !e.WhPerM.Positive() || !e.KWhMonth.Positive() || !e.Electricity.Positive() || !e.GramsPerM.Positive() || !e.KgMonth.Positive():
		t.Fatalf("%+v", e)
	case e2.WhPerM.Mid > e.WhPerM.Mid*(1+1e-9):
		t.Fatalf("a token takes %v busier, and %v", e2.WhPerM, e.WhPerM)
	case best.KWhMonth.Mid > e.KWhMonth.Mid || best.WhPerM.Mid > e.WhPerM.Mid || best.Watts != e.Watts:
		t.Fatalf("without a building %v, with it %v", best.KWhMonth, e.KWhMonth)
	case math.Abs(e.KWhMonth.Mid-w.Mean.Mid*1.3*0.73) > 1e-6*e.KWhMonth.Mid:
		t.Fatalf("%v kWh of %v W", e.KWhMonth, w.Mean)
	case math.Abs(e.WhPerM.Mid*output.Mid*busy.Mid*3600*Hours/1e6/1000-e.KWhMonth.Mid) > 1e-6*e.KWhMonth.Mid:
		t.Fatalf("%v Wh a million tokens are not %v kWh a month", e.WhPerM, e.KWhMonth)
	}
}

func TestUse(t *testing.T) {
	w := Watts{Mean: Exactly(1000), Idle: Exactly(1000), Loaded: Exactly(1000), Maximum: Exactly(1000)}
	site := Site{PUE: figure("pue", 1.5, 1.5, 1.5), Price: figure("price", 0.1, 0.1, 0.1)}
	e, err := Use(w, site, nil, Exactly(0.5))
	if err != nil || e.KgMonth != nil || e.GramsPerM != nil || e.WhPerM != nil || math.Abs(e.Electricity.Mid-109.5) > 1e-9 {
		t.Errorf("without a grid: %+v, %v", e, err)
	}
	site.Grid, site.Price = figure("grid", 0, 0, 0), Figure{}
	e, err = Use(w, site, new(Exactly(1000)), Exactly(0.5))
	if err != nil || e.KgMonth == nil || e.KgMonth.Mid != 0 || e.Electricity != nil || e.GramsPerM.High != 0 {
		t.Errorf("a grid without emissions and no price: %+v, %v", e, err)
	}
	for _, tt := range []struct {
		text string
		w    Watts
		pue  float64
	}{
		{"PUE", w, 0.9}, {"PUE", w, math.NaN()}, {"PUE", w, 0}, {"power", Watts{}, 1.5},
	} {
		if e, err := Use(tt.w, Site{PUE: figure("pue", tt.pue, tt.pue, tt.pue)}, nil, Exactly(0.5)); err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %+v, %v", tt.text, e, err)
		}
	}
}

func BenchmarkBook(b *testing.B) {
	offers := random(rand.New(rand.NewPCG(1, 2)))
	for b.Loop() {
		NewBook("card", offers)
	}
}

func BenchmarkPerHour(b *testing.B) {
	book := NewBook("card", random(rand.New(rand.NewPCG(1, 2))))
	for b.Loop() {
		book.PerHour(5)
	}
}

func BenchmarkPower(b *testing.B) {
	d := Draw{System: system(), GPUs: 8, Watts: 700, Bound: "memory", Busy: Range{0.1, 0.25, 0.45}}
	for b.Loop() {
		if _, err := Power(d); err != nil {
			b.Fatal(err)
		}
	}
}
