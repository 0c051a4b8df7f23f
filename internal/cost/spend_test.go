package cost

import (
	"math"
	"testing"
)

func TestSpendIsPowerTimesTime(t *testing.T) {
	w := Watts{Mean: Exactly(1000)}
	site := Site{PUE: Figure{ID: "p", Value: Exactly(1.5)}, Grid: Figure{ID: "g", Value: Exactly(400)}, Price: Figure{ID: "e", Value: Exactly(0.1)}}
	got, err := Spend(w, site, Exactly(36_000))
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range []struct {
		what      string
		got, want float64
	}{
		{"kWh", got.KWh.Mid, 15},
		{"cooling", got.Cooling.Mid, 5},
		{"kg", got.Kg.Mid, 6},
		{"electricity", got.Electricity.Mid, 1.5},
		{"what is paid by the hour", Over(Exactly(8), Exactly(7200)).Mid, 16},
	} {
		if math.Abs(one.got-one.want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", one.what, one.got, one.want)
		}
	}
}

func TestSpendRefusesWhatIsNotKnown(t *testing.T) {
	site := Site{PUE: Figure{ID: "p", Value: Exactly(1.2)}}
	for name, one := range map[string]struct {
		w       Watts
		s       Site
		seconds Range
	}{
		"no power":      {Watts{}, site, Exactly(1)},
		"no time":       {Watts{Mean: Exactly(1)}, site, Range{}},
		"endless":       {Watts{Mean: Exactly(1)}, site, Exactly(math.Inf(1))},
		"PUE below one": {Watts{Mean: Exactly(1)}, Site{PUE: Figure{Value: Exactly(0.9)}}, Exactly(1)},
	} {
		if got, err := Spend(one.w, one.s, one.seconds); err == nil {
			t.Errorf("%s: got %v, want an error", name, got)
		}
	}
	got, err := Spend(Watts{Mean: Exactly(1)}, site, Exactly(1))
	if err != nil || got.Kg != nil || got.Electricity != nil {
		t.Errorf("a grid and a price that are not known: got %v, %v; want neither emissions nor dollars", got, err)
	}
}
