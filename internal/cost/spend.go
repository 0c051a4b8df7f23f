package cost

import (
	"errors"
	"fmt"
)

// Spent is what a job that ends takes out of the grid.
type Spent struct {
	Watts       Range // of the machines while it runs
	KWh         Range // at the meter of the building
	Cooling     Range // kWh of that which the building adds: cooling, conversion, light
	Kg          *Range
	Electricity *Range // US dollars
	Site        Site
	Parts       []Part
}

// Spend computes what a plan takes out of the grid of a place in so many seconds, all of them at its mean power.
func Spend(w Watts, s Site, seconds Range) (Spent, error) {
	switch {
	case !w.Mean.Positive():
		return Spent{}, errors.New("computing the energy of the run: its power is not known")
	case !(s.PUE.Value.Low >= 1) || !s.PUE.Value.Valid():
		return Spent{}, fmt.Errorf("computing the energy of the run: a PUE of %s: want 1 or more", s.PUE.Value)
	case s.Grid.ID != "" && !s.Grid.Value.Valid():
		return Spent{}, fmt.Errorf("computing the energy of the run: %s g of CO2 equivalent a kWh: want a number that is not negative", s.Grid.Value)
	case !seconds.Positive():
		return Spent{}, fmt.Errorf("computing the energy of the run: it takes %s s: want a time above 0", seconds)
	}
	hours := seconds.Times(1.0 / 3600)
	machines := product(w.Mean, hours).Times(1e-3)
	around := Range{s.PUE.Value.Low - 1, s.PUE.Value.Mid - 1, s.PUE.Value.High - 1}
	out := Spent{Watts: w.Mean, KWh: product(w.Mean, hours, s.PUE.Value).Times(1e-3), Cooling: product(machines, around), Site: s}
	out.Parts = append(append(out.Parts, w.Parts...), Part{
		"machines over the run", machines, "kWh", fmt.Sprintf("%s W × %s h / 1000", w.Mean, hours), "",
	}, Part{
		"at the meter, with cooling", out.KWh, "kWh", fmt.Sprintf("%s kWh × PUE %s", machines, s.PUE.Value), sources("", s.PUE),
	})
	if s.Grid.ID != "" {
		out.Kg = new(product(out.KWh, s.Grid.Value).Times(1e-3))
		out.Parts = append(out.Parts, Part{
			"emissions of the run", *out.Kg, "kg CO2e", fmt.Sprintf("%s kWh × %s g a kWh / 1000", out.KWh, s.Grid.Value), sources("", s.Grid),
		})
	}
	if s.Price.Value.Positive() {
		out.Electricity = new(product(out.KWh, s.Price.Value))
		out.Parts = append(out.Parts, Part{
			"electricity of the run", *out.Electricity, "USD", fmt.Sprintf("%s kWh × %s USD a kWh", out.KWh, s.Price.Value), sources("", s.Price),
		})
	}
	return out, nil
}

// Over is what something costs that is paid by the hour for so many seconds.
func Over(perHour, seconds Range) Range { return product(perHour, seconds.Times(1.0/3600)) }
