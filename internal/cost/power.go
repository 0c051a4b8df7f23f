package cost

import (
	"errors"
	"fmt"
	"math"
)

// System is what accelerators are built into, with the figures of what it draws. Shares are of the maximum of the
// accelerators.
type System struct {
	ID      string
	Name    string
	Idle    Figure // share with nothing to do
	Memory  Figure // share while memory bounds what is computed, as it does when few answer
	Compute Figure // share while products bound it, as they do for prompts
	Waiting Figure // share while it waits for networks, launches and the scheduler
	Host    Figure // draw of the machine around the accelerators, as a share of their maximum
	Machine Figure // watts of a machine beside that, whatever is in it
	Whole   bool   // a computer in one piece, bought as such
	Hall    string // id of the PUE where it stands by default
}

// Draw is what is asked of the power of a plan.
type Draw struct {
	System   System
	GPUs     int
	Machines int     // 0 where a server holds eight at most, and a computer in one piece one
	Watts    float64 // maximum of one accelerator, as the plan counts them
	Bound    string  // what bounds decoding: memory, compute, network, kv, overhead
	Prompts  float64 // share of the busy time in which prompts are read
	Busy     Range   // share of the time in which there is something to do
}

// Watts is what a plan draws with its hosts, before what the building adds.
type Watts struct {
	Mean    Range // over all the time
	Idle    Range
	Loaded  Range
	Maximum Range // that has to be provided for
	Parts   []Part
}

// perMachine is how many accelerators a server holds where nobody says.
const perMachine = 8

// Power computes what a plan draws.
func Power(d Draw) (Watts, error) {
	if err := d.check(); err != nil {
		return Watts{}, fmt.Errorf("computing the power of the plan: %w", err)
	}
	machines := d.machines()
	top := float64(d.GPUs) * d.Watts
	around := d.System.Host.Value.Times(top).Plus(d.System.Machine.Value.Times(float64(machines)))
	load := d.load()
	w := Watts{
		Idle:    d.System.Idle.Value.Times(top).Plus(around),
		Loaded:  load.Times(top).Plus(around),
		Maximum: Exactly(top).Plus(around),
	}
	w.Mean = w.over(d.Busy)
	w.Parts = []Part{
		{
			"accelerators under load", load.Times(top), "W",
			fmt.Sprintf("%d × %s W × %s", d.GPUs, plain(d.Watts), load), sources("", d.figures()...),
		},
		{
			"accelerators without load", d.System.Idle.Value.Times(top), "W",
			fmt.Sprintf("%d × %s W × %s", d.GPUs, plain(d.Watts), d.System.Idle.Value), sources("", d.System.Idle),
		},
		{
			"machines around them", around, "W",
			fmt.Sprintf("%s × %s W + %d × %s W", d.System.Host.Value, plain(top), machines, d.System.Machine.Value),
			sources("", d.System.Host, d.System.Machine),
		},
	}
	return w, nil
}

// over is the mean over the time of which a share is busy. The doubts of the power and of the share are independent; what
// comes of them is never outside what both could give together.
func (w Watts) over(busy Range) Range {
	r := product(w.at(busy.Mid), w.swing(busy, func(float64) float64 { return 1 }))
	least, most := mean(busy.Low, w.Idle.Low, w.Loaded.Low), mean(busy.High, w.Idle.High, w.Loaded.High)
	return Range{max(r.Low, least), r.Mid, min(r.High, most)}
}

// at is the mean where the share is known.
func (w Watts) at(busy float64) Range {
	return Range{mean(busy, w.Idle.Low, w.Loaded.Low), mean(busy, w.Idle.Mid, w.Loaded.Mid), mean(busy, w.Idle.High, w.Loaded.High)}
}

// swing is by how much the mean, divided by something that depends on the share, goes up and down with the share alone.
func (w Watts) swing(busy Range, by func(busy float64) float64) Range {
	of := func(b float64) float64 { return mean(b, w.Idle.Mid, w.Loaded.Mid) / by(b) }
	mid := of(busy.Mid)
	a, b := of(busy.Low)/mid, of(busy.High)/mid
	return Range{min(a, b), 1, max(a, b)}
}

func mean(busy, idle, loaded float64) float64 { return idle + busy*max(0, loaded-idle) }

func (d Draw) machines() int {
	switch {
	case d.Machines > 0:
		return d.Machines
	case d.System.Whole:
		return d.GPUs
	}
	return (d.GPUs + perMachine - 1) / perMachine
}

func (d Draw) check() error {
	switch {
	case d.GPUs < 1 || d.GPUs > maxGPUs || d.Machines < 0 || d.Machines > d.GPUs:
		return fmt.Errorf("%d accelerators in %d machines: want 1 to %d, and no more machines than accelerators", d.GPUs, d.Machines, maxGPUs)
	case !(d.Watts > 0) || d.Watts > 1e5:
		return errors.New("the power of the accelerator is not known")
	case !(d.Prompts >= 0 && d.Prompts <= 1):
		return fmt.Errorf("a share of %g of the time for prompts: want 0 to 1", d.Prompts)
	case !d.Busy.Valid() || d.Busy.High > 1:
		return fmt.Errorf("a utilization of %s: want 0 to 1", d.Busy)
	case !d.System.Idle.Value.Valid() || !d.load().Valid() || d.load().High > 1 || !d.System.Host.Value.Valid() || !d.System.Machine.Value.Valid():
		return fmt.Errorf("the figures of %q are not those of a machine", d.System.ID)
	}
	return nil
}

// load is the share of the maximum while there is something to do.
func (d Draw) load() Range {
	decode := d.decoding().Value
	return d.System.Compute.Value.Times(d.Prompts).Plus(decode.Times(1 - d.Prompts))
}

func (d Draw) decoding() Figure {
	switch d.Bound {
	case "compute":
		return d.System.Compute
	case "network", "overhead", "bubble":
		return d.System.Waiting
	}
	return d.System.Memory
}

// figures are those that the load rests on.
func (d Draw) figures() []Figure {
	switch {
	case d.Prompts == 0:
		return []Figure{d.decoding()}
	case d.Prompts == 1 || d.decoding().ID == d.System.Compute.ID:
		return []Figure{d.System.Compute}
	}
	return []Figure{d.System.Compute, d.decoding()}
}

// Site is where a plan runs.
type Site struct {
	Place string // "Germany", "GCP europe-west3 (Frankfurt)"
	PUE   Figure // what the building takes for each watt of the machines
	Grid  Figure // grams of CO2 equivalent a kWh; without an id where it is not known
	Price Figure // US dollars a kWh; its value is zero where it is not known
	Note  string
}

// Energy is what a plan takes out of the grid.
type Energy struct {
	Watts       Range
	WhPerM      *Range // a million output tokens
	GramsPerM   *Range
	KWhMonth    *Range
	KgMonth     *Range
	Electricity *Range // US dollars a month
	PUE, Grid   Figure
	Price       Figure
	Place       string
	Parts       []Part
	Note        string
}

// Use computes what a plan that draws so much takes out of the grid of a place. Output is in tokens a second of the fully
// loaded plan, nil where it is not known; busy is the share of that which is used.
func Use(w Watts, s Site, output *Range, busy Range) (Energy, error) {
	switch {
	case !w.Mean.Positive():
		return Energy{}, errors.New("computing the energy of the plan: its power is not known")
	case !(s.PUE.Value.Low >= 1) || !s.PUE.Value.Valid():
		return Energy{}, fmt.Errorf("computing the energy of the plan: a PUE of %s: want 1 or more", s.PUE.Value)
	case s.Grid.ID != "" && !s.Grid.Value.Valid():
		return Energy{}, fmt.Errorf("computing the energy of the plan: %s g of CO2 equivalent a kWh: want a number that is not negative", s.Grid.Value)
	}
	e := Energy{Watts: w.Mean, PUE: s.PUE, Grid: s.Grid, Price: s.Price, Place: s.Place, Note: s.Note}
	wall := product(w.Mean, s.PUE.Value)
	kwh := wall.Times(Hours / 1000.0)
	e.KWhMonth = &kwh
	if s.Price.Value.Positive() {
		e.Electricity = new(product(kwh, s.Price.Value))
	}
	if output != nil && output.Positive() && busy.Positive() && busy.High <= 1 {
		wh := w.perMillion(s.PUE.Value, *output, busy)
		e.WhPerM = &wh
	}
	e.emit()
	e.Parts = append(append(e.Parts, w.Parts...), e.chain(wall)...)
	return e, nil
}

// emit says what the grid emits for it; nothing where the grid is not known, which is not the same as zero.
func (e *Energy) emit() {
	if e.Grid.ID == "" {
		return
	}
	e.KgMonth = new(product(*e.KWhMonth, e.Grid.Value).Times(1e-3))
	if e.WhPerM != nil {
		e.GramsPerM = new(product(*e.WhPerM, e.Grid.Value).Times(1e-3))
	}
}

// perMillion divides what is drawn by what is made meanwhile. Both rise with the load, so that its doubt counts once.
func (w Watts) perMillion(pue, output, busy Range) Range {
	share := func(b float64) float64 { return b }
	joules := product(w.at(busy.Mid), pue, w.swing(busy, share))
	return quotient(joules, output).Times(perMillion / 3600 / busy.Mid)
}

func (e *Energy) chain(wall Range) []Part {
	parts := []Part{
		{"at the wall, over all the time", wall, "W", fmt.Sprintf("%s W × PUE %s", e.Watts, e.PUE.Value), sources("", e.PUE)},
		{"in a month", *e.KWhMonth, "kWh", fmt.Sprintf("%s W × %d h / 1000", wall, Hours), ""},
	}
	if e.KgMonth != nil {
		parts = append(parts, Part{
			"emissions of a month", *e.KgMonth, "kg CO2e",
			fmt.Sprintf("%s kWh × %s g a kWh / 1000", e.KWhMonth, e.Grid.Value), sources("", e.Grid),
		})
	}
	if e.Electricity != nil {
		parts = append(parts, Part{
			"electricity of a month", *e.Electricity, "USD",
			fmt.Sprintf("%s kWh × %s USD a kWh", e.KWhMonth, e.Price.Value), sources("", e.Price),
		})
	}
	return parts
}

// round keeps four digits, as many as a formula needs to be followed.
func round(f float64) float64 {
	if f == 0 || math.IsInf(f, 0) || math.IsNaN(f) {
		return f
	}
	scale := math.Pow(10, 3-math.Floor(math.Log10(math.Abs(f))))
	return math.Round(f*scale) / scale
}
