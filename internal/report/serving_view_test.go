package report

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/quick"
)

func TestQuantities(t *testing.T) {
	r := func(low, mid, high float64) *Range { return &Range{low, mid, high} }
	for _, tt := range []struct{ name, got, want string }{
		{"milliseconds", seconds.between(r(.0121, .0152, .0193)), "12-19 ms"},
		{"about", tokenRate.about(r(1512, 1903, 2391)), "about 1,900 tokens/s (1,500-2,400)"},
		{"a narrow range", tokenRate.about(r(1900, 1920, 1950)), "about 1,920 tokens/s (1,900-1,950)"},
		{"an exact figure", tokenRate.about(r(1900, 1900, 1900)), "1,900 tokens/s"},
		{"seconds", seconds.between(r(.8, 1.6, 3.2)), "0.8-3.2 s"},
		{"minutes", seconds.one(600), "10 min"},
		{"no time", seconds.one(0), "0 s"},
		{"little time", seconds.one(1.3e-9), "0.0013 µs"},
		{"money of an hour", dollars.between(r(1.99, 2.49, 3.29)), "$1.99-3.29"},
		{"money of a month", dollars.between(r(14523, 18100, 24021)), "$15,000-24,000"},
		{"cents", dollars.between(r(.42, .5, .66)), "$0.42-0.66"},
		{"less than a cent", dollars.between(r(.0012, .002, .0031)), "$0.0012-0.0031"},
		{"free", dollars.between(r(0, 0, 0)), "$0"},
		{"millions", dollars.one(2.5e6), "$2.50 million"},
		{"power", watts.between(r(7800, 8400, 9000)), "7.8-9 kW"},
		{"upside down", seconds.between(r(3, 9, 1)), "1-3 s"},
		{"nothing", seconds.between(nil), ""},
		{"below nothing", seconds.between(r(-1, 0, 1)), ""},
		{"no number", tokenRate.about(r(math.NaN(), 1, 2)), ""},
		{"an empty range", tokenRate.about(given(r(0, 0, 0))), ""},
		{"beyond all", tokenRate.one(1e300), "1e+300 tokens/s"},
		{"rounded up", significant(9.96, 2), "10"},
		{"no needless zeros", significant(0.2, 3), "0.2"},
		{"thousands", significant(123456, 3), "123,000"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// figure is a number as people write it, and unitOf what has to stand by it.
var (
	figure = regexp.MustCompile(`[0-9]`)
	unitOf = regexp.MustCompile(`(?i)\b(ms|µs|s|min|h|tokens?/s|requests?/s|tokens?|requests?|W|kW|MW|Wh|kWh|MWh|GWh|gCO2e|kgCO2e|tCO2e|` +
		`PUE|replicas?|plans?|at once|TB/s|GB/s|PFLOP/s|TFLOP/s|cards?)\b|\$|%`)
)

func sampled(t *testing.T) []*Estimate {
	t.Helper()
	files, err := filepath.Glob("../../testdata/report/speed-*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	var out []*Estimate
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var d Document
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		out = append(out, d.Estimate)
	}
	return out
}

// TestFiguresHaveUnits: no figure of speed, cost, energy or a fleet stands without its unit.
func TestFiguresHaveUnits(t *testing.T) {
	n := 0
	for _, e := range sampled(t) {
		for _, f := range slices.Concat(e.Speed.Facts(), e.Cost.Facts(), e.Energy.Facts(), e.Fleet.Facts(), e.Speed.PeakFacts()) {
			if f.Name == "calibrated with" || f.Name == "the ranges rest on" {
				continue // sentences of the document
			}
			if n++; figure.MatchString(f.Value) && !unitOf.MatchString(f.Value) {
				t.Errorf("%s: %q has no unit", f.Name, f.Value)
			}
		}
		for _, table := range []Table{e.Speed.TailTable(), StepTable(e.Speed.Step), e.Energy.PartTable(), e.Cost.BoughtTable()} {
			for _, r := range table.Rows {
				for i, c := range r.Cells {
					if table.Columns[i].Number && figure.MatchString(c) && !unitOf.MatchString(c) {
						t.Errorf("%s: %q has no unit", table.Columns[i].Name, c)
					}
				}
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d facts", n)
	}
}

// TestAbsentIsNotNothing: what is not known is no fact, no row and no chart.
func TestAbsentIsNotNothing(t *testing.T) {
	for _, s := range []*Speed{nil, {}, {Saturated: false, Defined: []Definition{{}}}} {
		if facts := s.Facts(); len(facts) > 0 || s.Glance() != "" || s.Standing() != (Standing{}) {
			t.Errorf("%v, %q, %v of nothing", facts, s.Glance(), s.Standing())
		}
		if _, ok := s.ThroughputChart(); ok {
			t.Error("a chart of nothing")
		}
		if n := len(s.CurveTable().Rows) + len(s.TailTable().Rows) + len(s.NearestLines()) + len(s.PeakFacts()) + len(s.Definitions()); n > 0 {
			t.Errorf("%d rows of nothing", n)
		}
	}
	for _, c := range []*Cost{nil, {}, {Bought: &Bought{}}} {
		if facts := c.Facts(); len(facts) > 0 || c.Glance() != "" || c.Elsewhere() != "" {
			t.Errorf("%v of nothing", facts)
		}
	}
	for _, e := range []*Energy{nil, {}} {
		if facts := e.Facts(); len(facts) > 0 {
			t.Errorf("%v of nothing", facts)
		}
	}
	if facts := (&Fleet{}).Facts(); len(facts) > 0 {
		t.Errorf("%v of nothing", facts)
	}
	if _, ok := (&Estimate{Fleet: &Fleet{Front: []Choice{{}, {}, {}}}}).FrontChart(); ok {
		t.Error("a chart of plans without figures")
	}
}

// TestPartsOfNothing: a zero in a row of a curve or of prices is what is not known.
func TestPartsOfNothing(t *testing.T) {
	s := Speed{Curve: []LoadPoint{{Concurrency: 1}, {Concurrency: 2}}}
	c := Cost{Prices: []PriceUsed{{Seller: "x"}, {Seller: "y"}}}
	f := Fleet{Front: []Choice{{}}}
	for _, table := range []Table{s.CurveTable(), c.PriceTable(), (&Estimate{Fleet: &f}).PlanTable()} {
		for _, r := range table.Rows {
			if slices.Contains(r.Cells, "0") || slices.Contains(r.Cells, "$0") || slices.Contains(r.Cells, "0 s") || len(r.Cells) != len(table.Columns) {
				t.Errorf("%q in %v", r.Cells, table.Columns)
			}
		}
	}
}

// TestStanding: the better word never stands where the document says the worse.
func TestStanding(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   Speed
		want Standing
	}{
		{"saturated, whatever the targets say", Speed{Saturated: true, Why: "w", Targets: &Targets{Met: "yes"}}, Standing{"saturated", DoesNotFit, "w"}},
		{"met", Speed{Targets: &Targets{TTFT: new(1.0), Met: "yes"}}, Standing{"targets met", Fits, "TTFT within 1 s; met with the bad end of every range"}},
		{"perhaps", Speed{Targets: &Targets{TPOT: new(.05), Met: "perhaps", Why: "y"}}, Standing{"targets perhaps met", Tight, "TPOT within 50 ms; y"}},
		{"not met", Speed{Targets: &Targets{Met: "no", Why: "y", AtMost: new(int64(0))}}, Standing{"targets not met", DoesNotFit, "y; no load is served within them"}},
		{"no such word", Speed{Targets: &Targets{Met: "YES"}}, Standing{"targets undetermined", Undetermined, ""}},
		{"no targets", Speed{}, Standing{}},
	} {
		if got := tt.in.Standing(); got != tt.want {
			t.Errorf("%s: %+v, want %+v", tt.name, got, tt.want)
		}
	}
}

// TestAxes: whatever the figures, an axis has a few ticks that rise, holds all figures, and keeps their order.
func TestAxes(t *testing.T) {
	law := func(a, b uint16, scale int8) bool {
		per := math.Pow(10, float64(scale%8))
		low, high := (float64(min(a, b))+1)*per, (float64(max(a, b))+1)*per
		x := axis("x", times, []float64{low, high}, decades)
		rising := slices.IsSortedFunc(x.Ticks, func(a, b Tick) int {
			if a.At < b.At {
				return -1
			}
			return 1
		})
		return len(x.Ticks) >= 2 && len(x.Ticks) <= 12 && rising && x.Low <= low*(1+1e-9) && x.High >= high*(1-1e-9) &&
			x.Place(low) <= x.Place(high) && x.Place(x.Low) == 0 && x.Place(x.High) == 1
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 20_000}); err != nil {
		t.Error(err)
	}
	for _, vs := range [][]float64{{0, 5}, {0, 0}, {math.SmallestNonzeroFloat64, math.MaxFloat64}, {-3, 7}} { // none are drawn; none may run away
		if x := axis("x", times, vs, dear); len(x.Ticks) < 2 || len(x.Ticks) > 12 {
			t.Errorf("%v: %d ticks", vs, len(x.Ticks))
		}
	}
	for _, v := range []float64{leastDrawn, 1, mostDrawn} {
		if x := axis("x", seconds, []float64{v, v}, decades); len(x.Ticks) < 2 || x.Place(v) < 0 || x.Place(v) > 1 {
			t.Errorf("%g: %+v", v, x)
		}
	}
}

// TestChartPlaces: points are drawn in the order of their loads, each once, and limits stand where they say.
func TestChartPlaces(t *testing.T) {
	s := Speed{Targets: &Targets{TPOT: new(.03), AtMost: new(int64(8))}}
	for _, n := range []int64{16, 1, 4, 4, -3, 0} {
		v := float64(n)
		s.Curve = append(s.Curve, LoadPoint{Concurrency: n, Output: Range{90 * v, 100 * v, 120 * v}, TPOT: Range{.01, .02, .03}})
	}
	c, ok := s.ThroughputChart()
	if !ok || len(c.Points) != 3 || c.Points[0].X.Mid != 1 || c.Points[2].X.Mid != 16 {
		t.Fatalf("%+v", c.Points)
	}
	if got := c.X.Place(4); math.Abs(got-.5) > 1e-9 {
		t.Errorf("4 of 1 to 16 stands at %g", got)
	}
	if len(c.Limits) != 1 || c.Limits[0].Label != "within targets up to 8" || math.Abs(c.X.Place(c.Limits[0].At)-.75) > 1e-9 {
		t.Errorf("%+v", c.Limits)
	}
	if c, ok := s.LatencyChart(); !ok || len(c.Limits) != 2 || !strings.Contains(c.Desc, "TPOT") {
		t.Errorf("%+v", c)
	}
	s.Saturated = true
	if _, ok := s.LatencyChart(); ok {
		t.Error("times beyond saturation are drawn")
	}
}

// TestStepBar: the causes of a step fill its bar.
func TestStepBar(t *testing.T) {
	law := func(vs []float64, width uint8) bool {
		var parts []StepPart
		for _, v := range vs {
			parts = append(parts, StepPart{Cause: "weights", Seconds: v})
		}
		sum := 0
		for _, s := range StepBar(parts, int(width)) {
			sum += s.Width
		}
		return sum == 0 || sum == int(width)
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
	if got := StepTable([]StepPart{{Cause: "kv", Seconds: .001, Formula: "f", Source: "s"}, {Cause: "x"}}).Rows; len(got) != 1 || len(got[0].Notes) != 2 {
		t.Errorf("%+v", got)
	}
}

// What is owned is not called reserved.
func TestOwned(t *testing.T) {
	for basis, want := range map[string]string{"bought": "owned", "on demand at neoclouds": "reserved"} {
		c := &Cost{Basis: basis, PerHour: &Range{Low: 1, Mid: 2, High: 3}}
		if got := c.Facts()[0].Name; got != want {
			t.Errorf("%s: the headline is called %q, want %q", basis, got, want)
		}
	}
}
