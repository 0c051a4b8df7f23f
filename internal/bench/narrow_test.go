package bench

import (
	"fmt"
	"math"
	"testing"
)

func residual(ratio float64, change func(*Measurement)) Residual {
	m := setting()
	m.Version, m.Concurrency = "0.19.0", 16
	if change != nil {
		change(&m)
	}
	computed := m.Value
	m.Value *= ratio
	return Residual{Measurement: m, Computed: computed}
}

func same(*Measurement) {}

func otherLoad(m *Measurement)      { m.Concurrency = 64 }
func otherModelHere(m *Measurement) { m.Model = "org/other" }
func otherVersionOf(m *Measurement) { m.Version = "0.17.0" }
func anotherMetric(m *Measurement)  { m.Metric = TTFT }
func asRate(m *Measurement)         { m.Metric = Output }

var usual = Spread{0.6, 1.5} //nolint:gochecknoglobals // of the tests

func width(n Narrowed) float64 { return math.Log(n.High / n.Low) }

func narrow(residuals ...Residual) Narrowed {
	q := setting()
	return Narrow(&q, usual, residuals)
}

func TestNoMeasurementIsPrior(t *testing.T) {
	want := Narrowed{Shift: 1, Low: usual.Low, High: usual.High}
	for name, got := range map[string]Narrowed{
		"none":         narrow(),
		"other card":   narrow(residual(1.3, func(m *Measurement) { m.GPU = "l4" })),
		"other engine": narrow(residual(1.3, func(m *Measurement) { m.Engine = "sglang" })),
	} {
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// What matches more narrows more and shifts more.
func TestPartialPooling(t *testing.T) {
	last := narrow()
	for _, change := range []func(*Measurement){
		func(m *Measurement) { otherModelHere(m); anotherMetric(m) }, otherModelHere, otherLoad, otherVersionOf, same,
	} {
		got := narrow(residual(1.25, change))
		if width(got) >= width(last) || got.Shift < last.Shift {
			t.Errorf("%+v after %+v", got, last)
		}
		last = got
	}
	if last.Shift < 1.2 || last.Shift > 1.25 || last.Low < 1.1 || last.High > 1.4 {
		t.Errorf("the very setting: %+v", last)
	}
	if got := narrow(residual(1.25, otherVersionOf)); got.Low > 1.16 {
		t.Errorf("another version: %+v", got)
	}
}

// Measurements that agree never widen; no number of them goes below the noise.
func TestAgreeingNeverWidens(t *testing.T) {
	for _, ratio := range []float64{0.4, 0.7, 0.9, 1, 1.1, 1.4, 2.5} {
		for i, change := range []func(*Measurement){same, otherLoad, otherModelHere, otherVersionOf, anotherMetric} {
			var all []Residual
			least := runToRun
			if i == 3 {
				least = math.Hypot(runToRun, drift)
			}
			last := math.Inf(1)
			for n := range 40 {
				got := narrow(all...)
				w := width(got)
				if w > last+1e-9 && n != 1 || w < 2*tenth*least*0.999 {
					t.Errorf("ratio %g, change %d, %d measurements: width %g after %g", ratio, i, n, w, last)
				}
				if got.Low > got.Shift || got.High < got.Shift {
					t.Errorf("ratio %g, change %d: %+v", ratio, i, got)
				}
				last = w
				all = append(all, residual(ratio, change))
			}
		}
	}
}

// Against the order of arrival: no order and no copy of a residual that is not used changes anything.
func TestOrderDoesNotMatter(t *testing.T) {
	a, b, c := residual(1.1, same), residual(1.2, otherLoad), residual(0.9, otherModelHere)
	first, second := narrow(a, b, c), narrow(c, a, b)
	if math.Abs(first.Shift-second.Shift) > 1e-9 || math.Abs(width(first)-width(second)) > 1e-9 {
		t.Errorf("%+v and %+v", first, second)
	}
}

// A measurement that contradicts wildly widens, holds both, and is reported.
func TestWild(t *testing.T) {
	for _, ratio := range []float64{0.1, 0.2, 4, 10} {
		got := narrow(residual(ratio, same))
		if width(got) <= width(narrow()) || got.Low > usual.Low || got.High < usual.High || len(got.Doubts) != 1 {
			t.Errorf("%g: %+v", ratio, got)
		}
		if got.Low > ratio || got.High < ratio {
			t.Errorf("%g is not in %+v", ratio, got)
		}
	}
	calm := narrow(residual(1.1, same), residual(1.12, same))
	torn := narrow(residual(1.1, same), residual(1.12, same), residual(5, same))
	if width(torn) <= width(calm) || len(torn.Doubts) != 1 {
		t.Errorf("%+v after %+v", torn, calm)
	}
	disagree := narrow(residual(0.7, same), residual(1.4, same)) // neither is wild, but not both are right
	if width(disagree) <= width(calm) {
		t.Errorf("%+v after %+v", disagree, calm)
	}
}

// A rate above what is computed is a time below it.
func TestRatesAndTimes(t *testing.T) {
	got := narrow(residual(1.25, asRate))
	if got.Shift >= 1 {
		t.Errorf("the machine is faster, and the time shifts by %g", got.Shift)
	}
	q := setting()
	q.Metric = Output
	mirrored := Narrow(&q, Spread{1 / usual.High, 1 / usual.Low}, []Residual{residual(1/1.25, same)})
	if straight := narrow(residual(1.25, asRate)); math.Abs(math.Log(mirrored.Shift*straight.Shift)) > 1e-9 && mirrored.Shift <= 1 {
		t.Errorf("%+v and %+v", mirrored, straight)
	}
}

func TestNarrowGarbage(t *testing.T) {
	q := setting()
	for name, prior := range map[string]Spread{
		"zero": {}, "not a number": {math.NaN(), 2}, "upside down": {2, 0.5}, "endless": {0, math.Inf(1)}, "a point": {1, 1},
	} {
		if got := Narrow(&q, prior, []Residual{residual(1.1, same)}); len(got.Doubts) != 1 || got.Shift != 1 {
			t.Errorf("%s: %+v", name, got)
		}
	}
	for _, r := range []Residual{
		{Measurement: setting()}, {Measurement: setting(), Computed: math.NaN()}, {Measurement: setting(), Computed: -1},
	} {
		if got := narrow(r); got.Used != 0 || got.Low != usual.Low || len(got.Doubts) != 1 {
			t.Errorf("%+v", got)
		}
	}
	tight := Spread{0.99, 1.01}
	if got := Narrow(&q, tight, []Residual{residual(1.005, same)}); got.High/got.Low > tight.High/tight.Low+1e-9 {
		t.Errorf("below the noise: %+v", got)
	}
}

func TestManyAreUsed(t *testing.T) {
	var all []Residual
	for i := range 3000 {
		all = append(all, residual(1.1, func(m *Measurement) { m.Concurrency = 1 + i }))
	}
	if got := narrow(all...); got.Used != 3000 || got.Exact != 3000 || got.Shift < 1.07 {
		t.Errorf("%+v", got)
	}
}

// Measurements drawn from the model lie in the range eight times of ten, and the range is narrower than before.
func TestNarrowHolds(t *testing.T) {
	random := lcg(1)
	inside, total, narrower := 0, 4000, 0
	sd := math.Log(usual.High/usual.Low) / 2 / tenth
	q := setting()
	spread := Spread{math.Exp(-tenth * sd), math.Exp(tenth * sd)}
	for range total {
		part := func(share float64) float64 { return random.normal() * bias(sd) * math.Sqrt(share) }
		card, model := part(ofCardAndEngine), part(ofModel)
		measure := func() float64 { return math.Exp(card + model + part(ofSetting) + runToRun*random.normal()) }
		got := Narrow(&q, spread, []Residual{
			residual(measure(), func(m *Measurement) { m.Concurrency = 1 << 20 }),
			residual(measure(), func(m *Measurement) { m.Input = 1 << 30 }),
		})
		if truth := measure(); got.Low <= truth && truth <= got.High {
			inside++
		}
		if width(got) < 0.95*math.Log(spread.High/spread.Low) {
			narrower++
		}
	}
	if share := float64(inside) / float64(total); share < 0.78 || share > 0.83 || narrower < total*9/10 {
		t.Errorf("%.3f inside, %d of %d narrower", share, narrower, total)
	}
}

// lcg is a generator for tests: the same numbers everywhere.
type lcg uint64

func (l *lcg) uniform() float64 {
	*l = *l*6364136223846793005 + 1442695040888963407
	return (float64(*l>>11) + 0.5) / (1 << 53)
}

func (l *lcg) normal() float64 {
	return math.Sqrt(-2*math.Log(l.uniform())) * math.Cos(2*math.Pi*l.uniform())
}

func BenchmarkNarrow(b *testing.B) {
	q := setting()
	var all []Residual
	for i := range 50 {
		all = append(all, residual(1.1, func(m *Measurement) { m.Concurrency = 1 + i }))
	}
	for b.Loop() {
		Narrow(&q, usual, all)
	}
}
