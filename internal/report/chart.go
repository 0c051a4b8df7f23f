package report

import (
	"cmp"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Chart is what a drawing shows, for every format that draws: the points, the axes with their ticks, and the limits.
type Chart struct {
	Title  string
	Desc   string // the same in a sentence with figures
	X, Y   Axis
	Points []Point // from left to right, with a line between them
	Steps  bool    // the line has steps: nothing lies between two points
	Loose  bool    // there is no line
	Limits []Limit
}

// Point is one point with its ranges.
type Point struct {
	X, Y  Range
	Label string
	Met   *bool // within the targets; nil where there are none
}

// Limit is a stroke across the drawing.
type Limit struct {
	At    float64
	Along string // x: a value of the horizontal axis; y: of the vertical one
	Label string
}

// Axis is a direction of a chart.
type Axis struct {
	Name      string // with the unit of the ticks
	Low, High float64
	Log       bool
	Ticks     []Tick
	per       float64 // of the unit that Name holds; 0 of whole numbers
}

// Label writes a value as a tick of the axis does.
func (a Axis) Label(v float64) string {
	if a.per == 0 {
		return units.Thousands(int64(math.Round(min(max(v, 0), mostDrawn))))
	}
	return significant(v/a.per, coarse)
}

// Tick is a value with its label.
type Tick struct {
	At    float64
	Label string
}

// Place is where a value stands between the ends of the axis, from 0 to 1.
func (a Axis) Place(v float64) float64 {
	low, high := a.Low, a.High
	if a.Log {
		low, high, v = math.Log(low), math.Log(high), math.Log(max(v, math.SmallestNonzeroFloat64))
	}
	if !(high > low) {
		return .5
	}
	return min(max((v-low)/(high-low), 0), 1)
}

// What a drawing shows lies between these: beyond them no figure of a plan lies, and no axis has ticks that can be read.
const (
	leastDrawn = 1e-9
	mostDrawn  = 1e15
)

func drawn(r Range) bool {
	return r.Known() && min(r.Low, r.Mid, r.High) >= leastDrawn && max(r.Low, r.Mid, r.High) <= mostDrawn
}

// ThroughputChart is how much all answers together come to at each load, with the load up to which targets are met.
func (s *Speed) ThroughputChart() (Chart, bool) {
	c := Chart{Title: "Throughput by requests at once"}
	for _, p := range s.loads() {
		if drawn(p.Output) {
			c.Points = append(c.Points, point(p, p.Output))
		}
	}
	if len(c.Points) < minPoints {
		return Chart{}, false
	}
	c.limitLoad(s)
	c.X, c.Y = c.loadAxis(), c.valueAxis("output tokens/s", tokenRate)
	c.describe(tokenRate, "")
	return c, true
}

// LatencyChart is how long readers wait between tokens at each load. Beyond saturation there is nothing to draw.
func (s *Speed) LatencyChart() (Chart, bool) {
	if s == nil || s.Saturated {
		return Chart{}, false
	}
	c := Chart{Title: "Time between tokens (TPOT) by requests at once"}
	for _, p := range s.loads() {
		if drawn(p.TPOT) {
			c.Points = append(c.Points, point(p, p.TPOT))
		}
	}
	if len(c.Points) < minPoints {
		return Chart{}, false
	}
	c.limitLoad(s)
	if t := s.Targets; t != nil && t.TPOT != nil && drawn(exactly(*t.TPOT)) {
		c.Limits = append(c.Limits, Limit{*t.TPOT, "y", "target " + seconds.one(*t.TPOT)})
	}
	c.X, c.Y = c.loadAxis(), c.valueAxis("TPOT", seconds)
	c.describe(seconds, "TPOT ")
	return c, true
}

// minPoints make a curve.
const minPoints = 3

func exactly(v float64) Range { return Range{v, v, v} }

func point(p LoadPoint, y Range) Point {
	return Point{X: exactly(float64(p.Concurrency)), Y: y.ordered(), Met: p.Met}
}

// loads are the points of the curve in order, one of each load.
func (s *Speed) loads() []LoadPoint {
	if s == nil {
		return nil
	}
	list := slices.DeleteFunc(slices.Clone(s.Curve), func(p LoadPoint) bool { return p.Concurrency < 1 || p.Concurrency > mostDrawn })
	slices.SortStableFunc(list, func(a, b LoadPoint) int { return cmp.Compare(a.Concurrency, b.Concurrency) })
	return slices.CompactFunc(list, func(a, b LoadPoint) bool { return a.Concurrency == b.Concurrency })
}

// limitLoad marks the largest load within the targets.
func (c *Chart) limitLoad(s *Speed) {
	most, ok := s.largestMet()
	last := c.Points[len(c.Points)-1].X.Mid
	if ok && most >= c.Points[0].X.Mid && most <= 2*last {
		c.Limits = append(c.Limits, Limit{most, "x", "within targets up to " + units.Thousands(int64(most))})
	}
}

func (s *Speed) largestMet() (float64, bool) {
	if s.Targets != nil && s.Targets.AtMost != nil {
		return float64(*s.Targets.AtMost), *s.Targets.AtMost > 0
	}
	most := 0.0
	for _, p := range s.loads() {
		if p.Met != nil && *p.Met {
			most = float64(p.Concurrency)
		}
	}
	return most, most > 0
}

func (c *Chart) along(axis string) []float64 {
	var vs []float64
	for _, p := range c.Points {
		r := p.Y
		if axis == "x" {
			r = p.X
		}
		vs = append(vs, r.Low, r.Mid, r.High)
	}
	for _, l := range c.Limits {
		if l.Along == axis {
			vs = append(vs, l.At)
		}
	}
	return vs
}

// loadAxis has the loads that were asked as ticks; they double, and so the axis is one of proportions.
func (c *Chart) loadAxis() Axis {
	vs := c.along("x")
	a := Axis{Name: "requests at once", Low: slices.Min(vs), High: slices.Max(vs), Log: true}
	for _, p := range c.Points {
		a.Ticks = append(a.Ticks, Tick{p.X.Mid, units.Thousands(int64(p.X.Mid))})
	}
	return a
}

// So many times apart, values are drawn in proportion. Of prices, those that are low count most.
const (
	decades = 30
	dear    = 5
)

// valueAxis has round ticks around all values.
func (c *Chart) valueAxis(name string, u unit) Axis { return axis(name, u, c.along("y"), decades) }

func axis(name string, u unit, values []float64, apart float64) Axis {
	low, high := max(slices.Min(values), leastDrawn), min(slices.Max(values), mostDrawn) // no logarithm of nothing
	s := u.at(high)
	a := Axis{Name: name, per: s.per}
	if mark := strings.TrimSpace(s.after); !strings.Contains(name, mark) {
		a.Name = name + ", " + mark
	}
	var ticks []float64
	if a.Log = high > apart*low; a.Log {
		ticks = proportional(low/s.per, high/s.per)
	} else {
		ticks = even(low/s.per, high/s.per)
	}
	for _, t := range ticks {
		a.Ticks = append(a.Ticks, Tick{t * s.per, significant(t, fine)})
	}
	a.Low, a.High = ticks[0]*s.per, ticks[len(ticks)-1]*s.per
	return a
}

// even ticks, from nothing where the values are not close to each other.
func even(low, high float64) []float64 {
	if low <= high/2 {
		low = 0
	}
	span := max(high-low, high/10)
	size := math.Pow(10, math.Floor(math.Log10(span/5)))
	for _, n := range [...]float64{1, 2, 2.5, 5, 10} {
		if size*n*6 >= span {
			size *= n
			break
		}
	}
	first := math.Floor(low/size + 1e-9)
	var ticks []float64
	for i := range 12 {
		t := (first + float64(i)) * size
		ticks = append(ticks, t)
		if i > 0 && t >= high*(1-1e-9) {
			break
		}
	}
	return ticks
}

// proportional ticks: at 1, 2 and 5 of every decade, or at every so many decades where there are many.
func proportional(low, high float64) []float64 {
	first, last := int(math.Floor(math.Log10(low))), int(math.Ceil(math.Log10(high)))
	var ticks []float64
	if last-first <= 3 {
		for d := first; d <= last; d++ {
			for _, n := range [...]float64{1, 2, 5} {
				ticks = append(ticks, n*math.Pow10(d))
			}
		}
		from := 0
		for from+1 < len(ticks) && ticks[from+1] <= low {
			from++
		}
		to := from + 1
		for to+1 < len(ticks) && ticks[to] < high {
			to++
		}
		return ticks[from : to+1]
	}
	for d, by := first, (last-first+6)/7; ; d += by {
		ticks = append(ticks, math.Pow10(d))
		if d >= last {
			return ticks
		}
	}
}

func (c *Chart) describe(u unit, what string) {
	first, last := c.Points[0], c.Points[len(c.Points)-1]
	c.Desc = what + u.about(&first.Y) + " with " + requestsOf(int64(first.X.Mid)) + " at once, " + what + u.about(&last.Y) + " with " +
		requestsOf(int64(last.X.Mid))
	for _, l := range c.Limits {
		c.Desc += "; " + l.Label
	}
}

// mostNamed points have room for their names; more have numbers, which the table explains.
const mostNamed = 6

// FrontChart is cost against latency of the plans that are neither dearer nor slower than another.
func (e *Estimate) FrontChart() (Chart, bool) {
	if e.Fleet == nil {
		return Chart{}, false
	}
	c := Chart{Title: "Cost against time between tokens (TPOT)", Steps: true}
	var words []string
	for i, p := range e.Fleet.Front {
		if !drawn(p.TPOT) || !drawn(p.PerHour) {
			continue
		}
		number := units.Thousands(int64(i + 1))
		c.Points = append(c.Points, Point{X: p.TPOT.ordered(), Y: p.PerHour.ordered(), Label: number + " · " + p.named()})
		words = append(words, number+": "+p.named()+", TPOT "+seconds.between(&p.TPOT)+", "+hourly(&p.PerHour))
	}
	if len(c.Points) < 2 {
		return Chart{}, false
	}
	if len(c.Points) > mostNamed {
		for i := range c.Points {
			c.Points[i].Label, _, _ = strings.Cut(c.Points[i].Label, " ")
		}
	}
	slices.SortStableFunc(c.Points, func(a, b Point) int { return cmp.Compare(a.X.Mid, b.X.Mid) })
	if s := e.Speed; s != nil && s.Targets != nil && s.Targets.TPOT != nil && drawn(exactly(*s.Targets.TPOT)) {
		c.Limits = append(c.Limits, Limit{*s.Targets.TPOT, "x", "target " + seconds.one(*s.Targets.TPOT)})
	}
	c.X, c.Y = axis("TPOT", seconds, c.along("x"), decades), axis("USD/hour, all replicas", dollars, c.along("y"), dear)
	c.Desc = strings.Join(words, "; ")
	return c, true
}

// named says shortly what the choice runs on, all replicas together.
func (c *Choice) named() string {
	p := c.Plan
	p.Replicas, p.Nodes, p.Tensor, p.Pipeline, p.Expert, p.Data = c.Replicas, 0, 0, 0, 0, 0
	return p.fleet()
}
