package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/cost"
	hardware "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/records"
)

// tree reads the records of the source tree, each with its checks.
func tree(t testing.TB) *Records {
	t.Helper()
	r, err := Load(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	for kind, n := range map[string][2]int{
		sellers: {len(r.Sellers), 53}, groups: {len(r.Groups), 30}, places: {len(r.Places), 60}, clouds: {len(r.Clouds), 1},
		figures: {len(r.Figures), 40}, purchases: {len(r.Purchases), 20}, systems: {len(r.Systems), 8},
	} {
		if n[0] < n[1] {
			t.Fatalf("%d records in %s", n[0], kind)
		}
	}
	return r
}

func TestIndexIsCurrent(t *testing.T) {
	want, err := Index(tree(t))
	if err != nil {
		t.Fatal(err)
	}
	if want != index {
		t.Error("index.tsv is stale: run go generate in this folder")
	}
}

func TestReferences(t *testing.T) {
	if err := Default().Check(); err != nil {
		t.Error(err)
	}
}

// What the index holds is what the records say.
func TestIndexHoldsRecords(t *testing.T) {
	r, c := tree(t), Default()
	for id, want := range r.Sellers {
		got, err := c.seller(id)
		if err != nil {
			t.Fatal(err)
		}
		head := *want
		head.Offers = nil
		if diff := gocmp.Diff(&head, got); diff != "" {
			t.Errorf("%s (-record +index):\n%s", id, diff)
		}
	}
	same(t, c, places, r.Places)
	same(t, c, figures, r.Figures)
	same(t, c, purchases, r.Purchases)
	same(t, c, systems, r.Systems)
	same(t, c, groups, r.Groups)
	same(t, c, clouds, r.Clouds)
}

func same[T any](t *testing.T, c *Catalog, kind string, all map[string]*T) {
	t.Helper()
	if len(c.ids(kind)) != len(all) {
		t.Errorf("%s: %d in the index, %d records", kind, len(c.ids(kind)), len(all))
	}
	for id, want := range all {
		got, err := decode[T](c, kind, id)
		if err != nil {
			t.Fatal(err)
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Errorf("%s/%s (-record +index):\n%s", kind, id, diff)
		}
	}
}

// cards are the ids of the hardware catalog.
func cards() []string { return hardware.Default().IDs() }

// Every card of a price list is in the hardware catalog, or in a group that says which it may be; every card of a group, a
// purchase and a system is in the hardware catalog, and none is in two systems.
func TestCardsAreKnown(t *testing.T) {
	r, known := tree(t), cards()
	for _, s := range r.Sellers {
		for _, o := range s.Offers {
			if r.Groups[o.Card] == nil && !slices.Contains(known, o.Card) {
				t.Errorf("%s: %s is neither a card nor a group of cards", s.ID, o.Card)
			}
		}
	}
	seen := make(map[string]string)
	check := func(where string, ids []string) {
		for _, id := range ids {
			if !slices.Contains(known, id) {
				t.Errorf("%s: %s is not in the hardware catalog", where, id)
			}
		}
	}
	for id, g := range r.Groups {
		check("groups/"+id, g.Cards)
	}
	for id, p := range r.Purchases {
		check("purchases/"+id, p.Cards)
	}
	for id, s := range r.Systems {
		check("systems/"+id, s.Cards)
		for _, card := range s.Cards {
			if other := seen[card]; other != "" {
				t.Errorf("%s is in the systems %s and %s", card, other, id)
			}
			seen[card] = id
		}
	}
	if len(seen) < 150 {
		t.Errorf("only %d cards are in a system", len(seen))
	}
	for _, id := range known {
		if seen[id] == "" {
			t.Logf("%s is in no system: its power is a wide range", id)
		}
	}
}

// Every group is of prices that are there.
func TestGroupsAreUsed(t *testing.T) {
	for id := range tree(t).Groups {
		offers, err := Default().offersOf(id)
		if err != nil || len(offers) == 0 {
			t.Errorf("%s: no offer, %v", id, err)
		}
	}
}

func TestNamesOfPlacesAreDistinct(t *testing.T) {
	c := Default()
	for _, name := range c.ids("place") {
		if v := c.layers[0].table.IDs("place/" + name); len(v) != 1 {
			t.Errorf("%q is %q", name, v)
		}
	}
}

// shared opens a file of the shared folder beside the repository, and skips where there is none.
func shared(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for ; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "..", "shared", filepath.FromSlash(name)))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip("there is no shared folder")
	}
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// line writes an offer as the table of facts does.
func line(o cost.Offer) string {
	price := map[cost.Kind]string{
		cost.From: "on_demand_from", cost.Asked: "marketplace", cost.Bid: "marketplace_bid", cost.Auction: "spot_auction",
		cost.Calendar: "dws_flex_or_calendar", cost.Managed: string(o.Terms), cost.Listed: string(o.Terms),
	}[o.Kind]
	return fmt.Sprintf("%s|%s|%s|%d|%s|%g|%g|%g|%d|%s|%s|%s", o.Seller, o.Card, o.Region, o.GPUs, price, o.USD.Low, o.USD.Mid, o.USD.High,
		o.Rows, o.Host, o.Date, o.Source.Title)
}

// Every line of the facts is a record, and every record a line.
func TestFactsArePrices(t *testing.T) {
	hosts := map[string]cost.Host{
		"yes": cost.Included, "yes (TPU VM)": cost.Included, "not stated": cost.NotSaid, "gpu-list price": cost.ListOnly,
		"gpu-only (vCPU and RAM billed apart)": cost.Apart,
	}
	left := make(map[string]int)
	all, err := Default().All()
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range all {
		left[line(o)]++
	}
	facts := 0
	for l := range strings.Lines(string(shared(t, "facts/cloud-prices.tsv"))) {
		f := strings.Split(strings.TrimSuffix(l, "\n"), "\t")
		if strings.HasPrefix(l, "#") || f[0] == "cloud" {
			continue
		}
		facts++
		gpus, _ := strconv.Atoi(f[3]) // any, per chip
		low, err1 := strconv.ParseFloat(f[5], 64)
		mid, err2 := strconv.ParseFloat(f[6], 64)
		high, err3 := strconv.ParseFloat(f[7], 64)
		host, ok := hosts[f[9]]
		if err := errors.Join(err1, err2, err3); err != nil || !ok {
			t.Fatalf("%q: %v", l, err)
		}
		date := strings.TrimSuffix(strings.TrimSuffix(f[10], " (undated)"), " (repo head)")
		want := fmt.Sprintf("%s|%s|%s|%d|%s|%g|%g|%g|%s|%s|%s|%s", f[0], f[1], f[2], gpus, f[4], low, mid, high, f[8], host, date, f[11])
		if left[want] == 0 {
			t.Errorf("no record of %s", want)
		}
		left[want]--
	}
	for l, n := range left {
		if n != 0 {
			t.Errorf("%d records too many of %s", n, l)
		}
	}
	if facts != 996 {
		t.Errorf("%d lines of facts", facts)
	}
}

// Grids, regions and electricity are those of the facts.
func TestFactsArePlaces(t *testing.T) {
	facts, err := records.Front("costs.yaml", shared(t, "facts/costs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	r := tree(t)
	n := 0
	for code, v := range facts["carbon_intensity_g_per_kwh_country"].(map[string]any) {
		pair, ok := v.([]any)
		if !ok {
			continue
		}
		n++
		id := strings.ToLower(code)
		if code == "world_average" {
			id = "world"
		}
		if p := r.Places[id]; p == nil || p.Grid == nil || fmt.Sprint(p.Grid.Grams) != fmt.Sprint(pair[0]) || p.Grid.Year != pair[1] {
			t.Errorf("%s: %+v, want %v", code, p, pair)
		}
	}
	for id, v := range facts["carbon_intensity_gcp_region"].(map[string]any) {
		pair, ok := v.([]any)
		if !ok {
			continue
		}
		n++
		at := slices.IndexFunc(r.Clouds["gcp"].Regions, func(r Region) bool { return r.ID == id })
		if at < 0 || fmt.Sprint(r.Clouds["gcp"].Regions[at].Grams) != fmt.Sprint(pair[0]) {
			t.Errorf("%s: want %v", id, pair)
		}
	}
	for code, v := range facts["electricity_usd_or_eur_per_kwh"].(map[string]any) {
		eur, ok := v.(map[string]any)
		if !ok || eur["eur"] == nil || code == "EU_average" {
			continue
		}
		n++
		code, _, _ = strings.Cut(code, "_")
		s, err := Default().Site(Where{Place: code})
		if want := eur["eur"].(float64) * 1.0824; err != nil || s.Price.Value.Mid < 0.999*want || s.Price.Value.Mid > 1.001*want {
			t.Errorf("%s: %v, want %g USD a kWh, error %v", code, s.Price.Value, want, err)
		}
	}
	if n < 100 {
		t.Errorf("only %d facts", n)
	}
}

// Constants and prices of buying are those of the facts.
func TestFactsAreFigures(t *testing.T) {
	facts, err := records.Front("costs.yaml", shared(t, "facts/costs.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	part := func(path ...string) map[string]any {
		at := facts
		for _, p := range path {
			at = at[p].(map[string]any)
		}
		return at
	}
	r := tree(t)
	figure := func(id string) cost.Range { return rangeOf(r.Figures[id].Value) }
	bought := func(id string) cost.Range { return rangeOf(r.Purchases[id].USD) }
	for _, tt := range []struct {
		name string
		got  float64
		want any
	}{
		{"pue of the world", figure("pue-world").Mid, part("pue", "world_average_2025")["value"]},
		{"pue of halls of companies", figure("pue-on-premises").Mid, part("pue", "on_premise_default")["value"]},
		{"pue of aws", figure("pue-aws").Mid, part("pue", "aws")["value"]},
		{"pue of gcp", figure("pue-gcp").Mid, part("pue", "gcp")["value"]},
		{"pue of azure", figure("pue-azure").Mid, part("pue", "azure")["value"]},
		{"pue of alibaba", figure("pue-alibaba").Mid, part("pue", "alibaba")["value"]},
		{"pue of a modern hall", figure("pue-modern-hall").Mid, part("pue", "modern_ai_hall")["value"]},
		{"pue of a server room", figure("pue-server-room").Mid, part("pue", "office_or_server_room")["value"]},
		{"life, low", figure("life").Low, part("depreciation", "useful_life_years")["low"]},
		{"life, mid", figure("life").Mid, part("depreciation", "useful_life_years")["mid"]},
		{"life, high", figure("life").High, part("depreciation", "useful_life_years")["high"]},
		{"residual, low", figure("residual").Low, part("depreciation", "residual_value_after_3y")["low"]},
		{"residual, high", figure("residual").High, part("depreciation", "residual_value_after_3y")["high"]},
		{"idle, low", figure("idle-server").Low, part("power", "idle_power_fraction_of_tdp")["low"]},
		{"idle, high", figure("idle-server").High, part("power", "idle_power_fraction_of_tdp")["high"]},
		{"colocation, low", figure("colocation").Low, part("power", "colocation_usd_per_kw_month")["low"]},
		{"colocation, high", figure("colocation").High, part("power", "colocation_usd_per_kw_month")["high"]},
		{"extra, low", figure("server-extra").Low, part("gpu_server_purchase_usd", "node_extra_capex_fraction")["low"]},
		{"extra, high", figure("server-extra").High, part("gpu_server_purchase_usd", "node_extra_capex_fraction")["high"]},
		{"interactive, mid", figure("utilization-interactive").Mid, part("utilisation", "planning_default_interactive")["mid"]},
		{"batch, mid", figure("utilization-batch").Mid, part("utilisation", "planning_default_batch")["mid"]},
		{"H100, low", bought("h100").Low, part("gpu_server_purchase_usd", "h100_gpu")["low"]},
		{"H100, mid", bought("h100").Mid, part("gpu_server_purchase_usd", "h100_gpu")["mid"]},
		{"H100, high", bought("h100").High, part("gpu_server_purchase_usd", "h100_gpu")["high"]},
		{"H200", bought("h200").Mid, part("gpu_server_purchase_usd", "h200_gpu")["mid"]},
		{"B200", bought("b200").Mid, part("gpu_server_purchase_usd", "b200_gpu")["mid"]},
		{"eight H100, low", bought("node-8x-h100").Low, part("gpu_server_purchase_usd", "node_8x_h100")["low"]},
		{"eight H100, high", bought("node-8x-h100").High, part("gpu_server_purchase_usd", "node_8x_h100")["high"]},
	} {
		if fmt.Sprint(tt.got) != fmt.Sprint(tt.want) {
			t.Errorf("%s: %g, want %v", tt.name, tt.got, tt.want)
		}
	}
	lists := 0
	for _, group := range []string{"msrp_cards", "apple"} {
		for name, usd := range part("gpu_server_purchase_usd", group) {
			if name == "source" || name == "confidence" {
				continue
			}
			lists++
			id := strings.ToLower(strings.ReplaceAll(name, "_", "-"))
			p := r.Purchases[id+"-list"]
			if name == "DGX_Spark_GB10" {
				p = r.Purchases["dgx-spark-gb10-list"]
			}
			if p == nil || fmt.Sprint(p.USD[0]) != fmt.Sprint(usd) || p.Basis != cost.Suggested || p.Confidence != cost.Low {
				t.Errorf("%s: %+v, want a list price of %v", id, p, usd)
			}
		}
	}
	if lists != 20 {
		t.Errorf("%d list prices", lists)
	}
}

// Laws over all cards: ranges are in order, more cards never cost less, and the headline is one of the quotes.
func TestRentLaws(t *testing.T) {
	priced := 0
	for _, card := range cards() {
		b, err := Default().Book(card)
		if err != nil {
			t.Fatal(err)
		}
		one, ok := b.PerGPUHour()
		if !ok {
			if len(b.Rent(1)) > 0 {
				t.Errorf("%s has quotes and no headline", card)
			}
			continue
		}
		priced++
		if one.Low < 0.01 || one.High > 30 || one.High > 5*one.Low {
			t.Logf("%s costs %v", card, one)
		}
		last := b.Rent(1)
		for n := 2; n <= 33; n++ {
			for i, q := range b.Rent(n) {
				if p := last[i]; q.PerHour.Low < p.PerHour.Low || q.PerHour.Mid < p.PerHour.Mid || q.PerHour.High < p.PerHour.High {
					t.Errorf("%d %s of %s %s cost %v, one less %v", n, card, q.Class, q.Terms, q.PerHour, p.PerHour)
				}
				if !q.PerHour.Positive() || q.Newest.IsZero() || len(q.Sources) == 0 || len(q.Sellers) == 0 {
					t.Errorf("%d %s: %+v", n, card, q)
				}
				last[i] = q
			}
		}
	}
	if priced < 45 {
		t.Errorf("only %d cards have a price", priced)
	}
	t.Logf("%d of %d cards have a price", priced, len(cards()))
}

// What promises more costs less with the same seller, on the same list: spot below on demand, three years below one. The
// lists have exceptions, which are written here with the sources that say so.
func TestTermsAreOrdered(t *testing.T) {
	all, err := Default().All()
	if err != nil {
		t.Fatal(err)
	}
	type key struct {
		seller, card, region, source, date string
		gpus                               int
		host                               cost.Host
	}
	of := make(map[key]map[cost.Terms]float64)
	for _, o := range all {
		if o.Kind == cost.From || o.Kind == cost.Calendar {
			continue
		}
		k := key{o.SellerID, o.Card, o.Region, o.Source.Title, o.Date.String(), o.GPUs, o.Host}
		if of[k] == nil {
			of[k] = make(map[cost.Terms]float64)
		}
		if usd, ok := of[k][o.Terms]; !ok || o.USD.Mid < usd {
			of[k][o.Terms] = o.USD.Mid
		}
	}
	exceptions := map[string]bool{
		// the tracker of 2026-05-24 has prices of spot that stand above the list
		"runpod a100-80-sxm 2026-05-24 spot > on_demand": true,
		"runpod h100-sxm 2026-05-24 spot > on_demand":    true,
		"runpod rtx-4090 2026-05-24 spot > on_demand":    true,
		"runpod b200-sxm 2026-06-15 spot > on_demand":    true, // a median of other rows than that of the list
		"runpod l4 2026-06-15 spot > on_demand":          true, // the same
		"vast-ai rtx-5090 2026-08-21 spot > on_demand":   true, // where bids start is above the cheapest machine
	}
	pairs := 0
	for k, usd := range of {
		for _, p := range [][2]cost.Terms{
			{cost.Spot, cost.OnDemand}, {cost.Reserved6, cost.OnDemand}, {cost.Reserved1, cost.OnDemand}, {cost.Reserved3, cost.OnDemand}, {cost.Reserved3, cost.Reserved1},
		} {
			low, ok1 := usd[p[0]]
			high, ok2 := usd[p[1]]
			if !ok1 || !ok2 {
				continue
			}
			pairs++
			name := fmt.Sprintf("%s %s %s %s > %s", k.seller, k.card, k.date, p[0], p[1])
			if above := low > high; above != exceptions[name] {
				t.Errorf("%q: %g and %g USD", name, low, high)
			}
		}
	}
	if pairs < 100 {
		t.Errorf("only %d pairs", pairs)
	}
}

func TestPrices(t *testing.T) {
	c := Default()
	for _, tt := range []struct {
		card, basis string
		least, most float64 // of the middle
	}{
		{"h100-sxm", "on demand at neoclouds, prices of 2026 (day unknown) to 2026-08-21", 2, 4},
		{"mi300x", "on demand at neoclouds, prices of 2026-05-24 to 2026-08-21", 1, 3},
		{"t4", "on demand at neoclouds, prices of 2026-05-24", 0.3, 1},
		{"p100-16", "on demand at hyperscalers, prices of 2025-03-07 and at the latest 2025-10-25", 1, 3},
		{"tpu-v5e", "on demand at hyperscalers, prices of 2026-08 (day unknown)", 1, 2},
		{"v100-32-sxm", "", 0.2, 4},
	} {
		b, err := c.Book(tt.card)
		if err != nil {
			t.Fatal(err)
		}
		q, ok := b.Headline(1)
		if !ok || tt.basis != "" && q.Basis() != tt.basis || q.PerGPUHour.Mid < tt.least || q.PerGPUHour.Mid > tt.most {
			t.Errorf("%s: %v, %q", tt.card, q.PerGPUHour, q.Basis())
		}
	}
	for _, card := range []string{"m3-ultra", "m3-ultra-512gb", "mi210", "no-such-card", "", "../../x"} {
		if r, ok := c.PerGPUHour(card); ok {
			t.Errorf("%q costs %v", card, r)
		}
	}
	hyper, neo := 0.0, 0.0
	b, err := c.Book("h100-sxm")
	if err != nil {
		t.Fatal(err)
	}
	for _, q := range b.Rent(8) {
		switch {
		case q.Incomplete && !strings.Contains(q.Note, "billed on top"):
			t.Errorf("an incomplete price that does not say so: %+v", q)
		case q.Class == cost.Hyperscaler && q.Terms == cost.OnDemand && !q.Incomplete:
			hyper = q.PerGPUHour.Mid
		case q.Class == cost.Neocloud && q.Terms == cost.OnDemand:
			neo = q.PerGPUHour.Mid
		}
	}
	if hyper < 2*neo {
		t.Errorf("an H100 is %g at hyperscalers and %g at neoclouds", hyper, neo)
	}
}

func TestBought(t *testing.T) {
	c := Default()
	figures, err := c.Ownership()
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		card string
		gpus int
		usd  float64
	}{
		{"h100-sxm", 8, 300000}, {"h100-sxm", 1, 37500}, {"m3-ultra-512gb", 1, 9500}, {"rtx-5090", 1, 3750 * 1.25}, {"dgx-spark-gb10", 2, 2 * 3999},
	} {
		p, err := c.Bought(tt.card)
		if err != nil {
			t.Fatal(err)
		}
		b, err := cost.Own(cost.Owner{GPUs: tt.gpus, Purchases: p, Figures: figures})
		if err != nil || b.Purchase.Mid < 0.999*tt.usd || b.Purchase.Mid > 1.001*tt.usd {
			t.Errorf("%d %s: %v, want %g USD, error %v", tt.gpus, tt.card, b.Purchase, tt.usd, err)
		}
	}
	for _, card := range []string{"gb200", "mi300x", "no-such-card"} {
		p, err := c.Bought(card)
		if err != nil {
			t.Fatal(err)
		}
		if b, err := cost.Own(cost.Owner{GPUs: 1, Purchases: p, Figures: figures}); !errors.Is(err, cost.ErrNoPrice) {
			t.Errorf("%s: %+v, %v", card, b, err)
		}
	}
}

func TestSite(t *testing.T) {
	c := Default()
	for _, tt := range []struct {
		name                      string
		w                         Where
		place                     string
		grams, pue, price         float64
		year, priceYear, noteHave string
	}{
		{"a country", Where{Place: "Germany"}, "Germany", 381, 1.58, 0.233 * 1.0824, "2023", "2024", ""},
		{"by two letters", Where{Place: "de"}, "Germany", 381, 1.58, 0.233 * 1.0824, "2023", "2024", ""},
		{"by three letters", Where{Place: " DEU "}, "Germany", 381, 1.58, 0.233 * 1.0824, "2023", "2024", ""},
		{"by another name", Where{Place: "UK"}, "United Kingdom", 238, 1.58, 0.146, "2023", "2024", "no price of electricity in United Kingdom is known"},
		{"a member of the union", Where{Place: "Poland"}, "Poland", 662, 1.58, 0.19 * 1.0824, "2023", "2024", "that of the European Union"},
		{"a region", Where{Place: "europe-west3"}, "GCP europe-west3 (Frankfurt)", 275.82, 1.1, 0.233 * 1.0824, "2024", "2024", ""},
		{"a region of a cloud", Where{Place: "GCP us-central1"}, "GCP us-central1 (Iowa)", 412.72, 1.1, 0.075 * 1.0824, "2024", "2024", ""},
		{"nowhere", Where{}, "the world on average", 475, 1.58, 0.146, "2019", "2024", "no price of electricity"},
		{"at a neocloud", Where{Place: "FR", Hall: PUE(cost.Neocloud)}, "France", 56, 1.35, 0.171 * 1.0824, "2023", "2024", ""},
		{"at a hyperscaler", Where{Place: "FR", Hall: PUE(cost.Hyperscaler)}, "France", 56, 1.135, 0.171 * 1.0824, "2023", "2024", ""},
		{"as given", Where{Place: "FR", PUE: new(1.25), Electricity: new(0.07)}, "France", 56, 1.25, 0.07, "2023", "", ""},
		{"in another currency", Where{Place: "Russia"}, "Russia", 441, 1.58, 0.146, "2023", "2024", "7.5 (6 to 9) RUB a kWh"},
		{"without a grid", Where{Place: "Cyprus"}, "Cyprus", 0, 1.58, 0.245 * 1.0824, "", "2024", "nothing is known of the grid of Cyprus"},
	} {
		s, err := c.Site(tt.w)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		near := func(got, want float64) bool { return got >= 0.999*want && got <= 1.001*want }
		if s.Place != tt.place || !near(s.Grid.Value.Mid, tt.grams) || !near(s.PUE.Value.Mid, tt.pue) || !near(s.Price.Value.Mid, tt.price) ||
			s.Grid.Of != tt.year || s.Price.Of != tt.priceYear || !strings.Contains(s.Note, tt.noteHave) || tt.noteHave == "" && s.Note != "" {
			t.Errorf("%s: %+v", tt.name, s)
		}
		if (s.Grid.ID == "") != (tt.grams == 0) || s.Price.Source.Title == "" || s.PUE.Source.Title == "" {
			t.Errorf("%s: %+v", tt.name, s)
		}
	}
	usa, err := c.Site(Where{Place: "US"})
	if err != nil || usa.Price.Value.Low != 0.06 || usa.Price.Value.High != 0.12 {
		t.Errorf("two prices of one place: %v, %v", usa.Price.Value, err)
	}
}

func TestSiteRefuses(t *testing.T) {
	c := Default()
	for _, tt := range []struct {
		w    Where
		text string
	}{
		{Where{Place: "Germny"}, `place "Germny": it is not in the catalog; nearest: germany`},
		{Where{Place: "europe-west33"}, "nearest: europe-west3"},
		{Where{Place: "Atlantis"}, "give a country by its name or code"},
		{Where{Place: strings.Repeat("x", 1<<20)}, "…"},
		{Where{Place: "a\x1b[31m\tb\nc"}, `\x1b`},
		{Where{PUE: new(0.9)}, "a PUE of 0.9: want 1 to 10"},
		{Where{PUE: new(11.0)}, "want 1 to 10"},
		{Where{Electricity: new(-1.0)}, "want 0 to 100"},
		{Where{Hall: "no-such-hall"}, "figures/no-such-hall"},
	} {
		s, err := c.Site(tt.w)
		if err == nil || !strings.Contains(err.Error(), tt.text) || len(err.Error()) > 500 {
			t.Errorf("%.60q: %+v, %v", tt.w.Place, s, err)
		}
	}
	if _, err := c.Site(Where{Place: "Atlantis"}); !errors.Is(err, ErrUnknown) {
		t.Errorf("%v is not ErrUnknown", err)
	}
}

// Every card has a system whose power can be computed, and laptops, Macs and servers are not one.
func TestSystems(t *testing.T) {
	c := Default()
	for _, card := range append(cards(), "no-such-card") {
		s, err := c.System(card)
		if err != nil {
			t.Fatal(err)
		}
		for _, bound := range []string{"memory", "compute", "network"} {
			for _, prompts := range []float64{0, 0.5, 1} {
				d := cost.Draw{System: s, GPUs: 1, Watts: 100, Bound: bound, Prompts: prompts, Busy: cost.Exactly(1)}
				w, err := cost.Power(d)
				if err != nil || w.Loaded.Low < w.Idle.Low || w.Loaded.Mid < w.Idle.Mid || w.Loaded.High < w.Idle.High {
					t.Errorf("%s, %s, %g: %+v, %v", card, bound, prompts, w, err)
				}
			}
		}
		if _, err := c.Site(Where{Hall: s.Hall}); err != nil {
			t.Errorf("%s: %v", card, err)
		}
	}
	for card, want := range map[string]string{
		"h100-sxm": "server-hbm", "gb200": "rack-nvl72", "l4": "server-cards", "rtx-4090": "desktop", "rtx-4090-laptop": "laptop",
		"m4-max-64gb": "mac", "dgx-spark-gb10": "compact", "no-such-card": "unknown",
	} {
		if s, err := c.System(card); err != nil || s.ID != want {
			t.Errorf("%s is in %s, want %s, error %v", card, s.ID, want, err)
		}
	}
	if s, err := c.System("h100-sxm"); err != nil || s.Host.Value.High != 0.82 {
		t.Errorf("%+v, %v", s, err)
	}
}

// What small systems drew at the wall while one answer was made lies in the range; the peak of some was read, which is
// above the mean.
func TestWallPower(t *testing.T) {
	data := shared(t, "groundtruth/inference_speed.tsv")
	names := map[string]string{"gb10-spark": "dgx-spark-gb10", "rtx-3060": "rtx-3060-12"}
	n, in := 0, 0
	c, gpus := Default(), hardware.Default()
	for l := range strings.Lines(string(data)) {
		f := strings.Split(l, "\t")
		_, after, ok := strings.Cut(l, "peak wall power of the whole system ")
		if !ok {
			continue
		}
		text, _, _ := strings.Cut(after, " W")
		peak, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		card := cmp.Or(names[f[9]], f[9])
		a, err := gpus.Get(card)
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.System(card)
		if err != nil {
			t.Fatal(err)
		}
		w, err := cost.Power(cost.Draw{System: s, GPUs: 1, Watts: a.Watts, Bound: "memory", Busy: cost.Exactly(1)})
		if err != nil {
			t.Logf("%s: %v", card, err) // the maker does not say what it draws
			continue
		}
		n++
		if w.Loaded.Low <= peak && peak <= w.Maximum.High {
			in++
		}
		t.Logf("%s: %v W, %g W read", card, w.Loaded, peak)
	}
	if n < 8 || in < n*8/10 {
		t.Errorf("%d of %d are in the range", in, n)
	}
}

func TestOverlay(t *testing.T) {
	mine := fstest.MapFS{
		"prices/runpod.yaml": {Data: []byte(`
id: runpod
name: RunPod
class: neocloud
sources:
  contract: {title: our contract}
offers:
- {card: h100-sxm, region: us, gpus: 8, terms: reserved_1y, usd: [1.5], host: included, date: 2026-11-01, source: contract}
checked: 2026-11-24
`)},
		"places/deu.yaml": {Data: []byte(`
id: deu
name: Germany
aliases: [our hall]
electricity:
- {currency: USD, per_kwh: [0.11], what: our contract, year: 2026, confidence: high, source: {title: our contract}}
checked: 2026-11-24
`)},
		"figures/pue-world.yaml": {Data: []byte("id: pue-world\nname: ours\nvalue: [1.3]\nunit: ''\nof: 2026\nconfidence: high\nsource: {title: our meter}\nchecked: 2026-11-24\n")},
	}
	c, err := Default().Overlay(mine)
	if err != nil {
		t.Fatal(err)
	}
	offers, err := c.Offers("h100-sxm")
	if err != nil {
		t.Fatal(err)
	}
	offers = slices.DeleteFunc(offers, func(o cost.Offer) bool { return o.SellerID != "runpod" })
	if len(offers) != 1 || offers[0].USD != cost.Exactly(1.5) || offers[0].Source.Title != "our contract" {
		t.Errorf("of the seller that was replaced: %+v", offers)
	}
	if s, err := c.Site(Where{Place: "Our Hall"}); err != nil || s.Price.Value != cost.Exactly(0.11) || s.Grid.ID != "" {
		t.Errorf("%+v, %v", s, err)
	}
	if s, err := c.Site(Where{Place: "DE"}); err == nil {
		t.Errorf("the code of the record that was replaced: %+v", s)
	}
	if f, err := c.Figure("pue-world"); err != nil || f.Value != cost.Exactly(1.3) {
		t.Errorf("%+v, %v", f, err)
	}
	if list, err := c.Sellers(); err != nil || len(list) != 53 {
		t.Errorf("%d sellers, %v", len(list), err)
	}
	if all, err := c.All(); err != nil || len(all) != 996-93+1 {
		t.Errorf("%d offers, %v", len(all), err)
	}
	if all, err := Default().All(); err != nil || len(all) != 996 {
		t.Errorf("ours have changed: %d offers, %v", len(all), err)
	}
}

func TestOverlayRefuses(t *testing.T) {
	for _, tt := range []struct{ file, text, want string }{
		{"other/x.yaml", "id: x\n", "there is none of the folders prices"},
		{"prices/x.yaml", "id: x\nname: X\nclass: friend\nsources: {}\noffers: []\nchecked: 2026-11-24\n", `class "friend"`},
		{"prices/x.yaml", "id: y\nname: X\nclass: neocloud\nsources: {}\nchecked: 2026-11-24\n", `id "y": the file wants "x"`},
		{"prices/x.yaml", "id: x\nname: X\nclass: neocloud\nsources: {a: {title: A}}\noffers:\n- {card: t4, region: us, terms: spot, usd: [0], host: included, date: 2026, source: a}\nchecked: 2026-11-24\n", "want more than nothing"},
		{"prices/x.yaml", "id: x\nname: X\nclass: neocloud\nsources: {a: {title: A}}\noffers:\n- {card: t4, region: us, terms: spot, usd: [2, 1, 3], host: included, date: 2026, source: b}\nchecked: 2026-11-24\n", "the least first"},
		{"prices/x.yaml", "id: x\nname: X\nclass: neocloud\nsources: {a: {title: A}}\noffers:\n- {card: t4, region: us, terms: spot, usd: [1], host: included, date: today, source: a}\nchecked: 2026-11-24\n", "want 2026-11-24"},
		{"prices/x.yaml", "id: x\nname: X\nclass: neocloud\nprice: 3\n", `unknown key "price"`},
		{"figures/pue-x.yaml", "id: pue-x\nname: X\nvalue: [0.5]\nunit: ''\nof: 2026\nconfidence: high\nsource: {title: A}\nchecked: 2026-11-24\n", "a PUE below 1"},
		{"figures/x.yaml", "id: x\nname: X\nvalue: [.inf]\nunit: ''\nof: 2026\nconfidence: high\nsource: {title: A}\nchecked: 2026-11-24\n", "want a number"},
		{"figures/x.yaml", "id: x\nname: X\nvalue: [1]\nunit: ''\nof: now\nconfidence: sure\nsource: {}\nchecked: 2026-11-24\n", `confidence "sure"`},
		{"places/x.yaml", "id: x\nname: X\nchecked: 2026-11-24\n", "grid and electricity are both missing"},
		{"places/x.yaml", "id: x\nname: X\ngrid: {g_per_kwh: -1, year: 2023, confidence: high, source: {title: A}}\nchecked: 2026-11-24\n", "g_per_kwh -1"},
		{"purchases/x.yaml", "id: x\nname: X\nusd: [0]\ncards: [h100-sxm]\nbasis: street\nof: 2026\nconfidence: low\nsource: {title: A}\nchecked: 2026-11-24\n", "usd: want more than nothing"},
		{"systems/x.yaml", "id: x\nname: X\ncards: [h100-sxm]\nidle: no-such\nmemory: load-memory-hbm\ncompute: load-compute-hbm\nwaiting: load-waiting-hbm\nhost: host-server\nmachine: machine-none\nhall: pue-world\nchecked: 2026-11-24\n", "figures/no-such"},
		{"regions/x.yaml", "id: x\nname: X\nyear: 2024\npue: pue-world\nconfidence: high\nsource: {title: A}\nregions: [{id: r, name: R, country: zzz, g_per_kwh: 1, carbon_free: 0}]\nchecked: 2026-11-24\n", "places/zzz"},
		{"groups/x.yaml", "id: x\nname: X\ncards: [a, a]\nchecked: 2026-11-24\n", `"a" is there twice`},
	} {
		c, err := Default().Overlay(fstest.MapFS{tt.file: {Data: []byte(tt.text)}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, %v; want %q", tt.file, c != nil, err, tt.want)
		}
	}
}

// Whatever lies in a folder of records is refused or found again.
func FuzzOverlay(f *testing.F) {
	for _, kind := range Kinds() {
		files, err := filepath.Glob(kind + "/*.yaml")
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds of %s: %v", kind, err)
		}
		slices.SortFunc(files, func(a, b string) int { return cmp.Compare(size(f, a), size(f, b)) })
		for _, name := range files[:min(2, len(files))] {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(kind, strings.TrimSuffix(filepath.Base(name), ".yaml"), data)
		}
	}
	f.Fuzz(func(t *testing.T, kind, id string, data []byte) {
		if !slices.Contains(Kinds(), kind) || !idForm.MatchString(id) {
			return
		}
		c, err := Default().Overlay(fstest.MapFS{kind + "/" + id + ".yaml": {Data: data}})
		if err != nil {
			return
		}
		if kind == sellers {
			everything(t, c, id)
		}
		if _, err := c.Figures(); err != nil {
			t.Error(err)
		}
		if _, err := c.Site(Where{Place: "France"}); err != nil && !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	})
}

// everything prices what a seller of the user sells.
func everything(t *testing.T, c *Catalog, id string) {
	t.Helper()
	all, err := c.All()
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, o := range all {
		if o.SellerID != id {
			continue
		}
		n++
		b, err := c.Book(o.Card)
		if err != nil {
			t.Fatal(err)
		}
		if q, ok := b.Headline(5); !ok || !q.PerHour.Positive() {
			t.Errorf("%s: %+v", o.Card, q)
		}
	}
	if n == 0 {
		t.Errorf("the offers of %s are lost", id)
	}
}

func size(f *testing.F, name string) int64 {
	f.Helper()
	info, err := os.Stat(name)
	if err != nil {
		f.Fatal(err)
	}
	return info.Size()
}

func FuzzOffer(f *testing.F) {
	n := 0
	for l := range strings.Lines(index) {
		if _, v, ok := strings.Cut(l, "\t"); ok && strings.HasPrefix(l, "offers/") {
			f.Add(strings.TrimSuffix(v, "\n"))
			if n++; n == 20 {
				break
			}
		}
	}
	f.Fuzz(func(t *testing.T, line string) {
		id, o, err := uncolumns("card", line)
		if err != nil {
			return
		}
		id2, again, err := uncolumns("card", columns(id, o))
		if err == nil && (id2 != id || !gocmp.Equal(again.Date.String(), o.Date.String())) {
			t.Errorf("%q comes back as %q", line, columns(id2, again))
		}
	})
}

func FuzzSite(f *testing.F) {
	for _, s := range []string{"Germany", "de", "gcp:europe-west3", "", "Côte d'Ivoire", "\t", "usa\nx"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, place string) {
		s, err := Default().Site(Where{Place: place})
		if err == nil && (s.Place == "" || !s.PUE.Value.Positive()) || err != nil && !errors.Is(err, ErrUnknown) {
			t.Errorf("%q: %+v, %v", place, s, err)
		}
	})
}

// All offers of all sellers.
func BenchmarkAll(b *testing.B) {
	for b.Loop() {
		if all, err := Default().All(); err != nil || len(all) != 996 {
			b.Fatal(len(all), err)
		}
	}
}

// The first question for a card.
func BenchmarkBookFirst(b *testing.B) {
	for b.Loop() {
		if _, ok := Default().PerGPUHour("h100-sxm"); !ok {
			b.Fatal("no price")
		}
	}
}

// The next question for it.
func BenchmarkPerGPUHour(b *testing.B) {
	c := Default()
	for b.Loop() {
		if _, ok := c.PerGPUHour("h100-sxm"); !ok {
			b.Fatal("no price")
		}
	}
}

// The first questions for all cards of the hardware catalog.
func BenchmarkAllCards(b *testing.B) {
	ids := cards()
	for b.Loop() {
		c := Default()
		for _, id := range ids {
			c.PerGPUHour(id)
		}
	}
}

func BenchmarkSystemFirst(b *testing.B) {
	for b.Loop() {
		if _, err := Default().System("h100-sxm"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkSite(b *testing.B) {
	c := Default()
	for b.Loop() {
		if _, err := c.Site(Where{Place: "Germany"}); err != nil {
			b.Fatal(err)
		}
	}
}
