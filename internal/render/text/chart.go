package text

import (
	"math"
	"slices"
	"strings"

	"github.com/guptarohit/asciigraph"

	"github.com/llmcheck/llmcheck/internal/report"
)

// A chart in letters keeps this size, so that it can be taken in at a glance.
const (
	maxChart   = 76 // columns of the area
	minChart   = 24
	chartRows  = 10 // of the area, at most twice as many
	chartTicks = 12 // columns that labels of ticks and the axis take, at least
)

// roomy is a page on which a chart is shown without being asked for.
const roomy = 100

// curve draws the points with a line between them: solid where the targets are met, dotted where they are not.
func (p *printer) curve(c report.Chart) {
	a := p.area(c)
	if a.width < minChart {
		return
	}
	met, missed := a.line(c)
	p.draw(c, a, []asciigraph.CharSet{asciigraph.CreateCharSet("·"), asciigraph.DefaultCharSet}, missed, met)
	for _, l := range c.Limits {
		p.paragraph(l.Label+"; beyond it the line is dotted", dim)
	}
}

// scatter draws each point as its number, as it stands in the table below.
func (p *printer) scatter(c report.Chart) {
	a := p.area(c)
	if a.width < minChart || len(c.Points) > 9 {
		return
	}
	var signs []asciigraph.CharSet
	var series [][]float64
	for _, pt := range slices.Backward(c.Points) { // each begins with a blank, which must not hide the one before it
		number, _, _ := strings.Cut(pt.Label, " ")
		signs = append(signs, asciigraph.CharSet{StartCap: " ", EndCap: number})
		series = append(series, a.dot(c, pt))
	}
	p.draw(c, a, signs, series...)
	for _, l := range c.Limits {
		p.paragraph(l.Label, dim)
	}
	p.paragraph("Numbers are those of the table; farther left is faster, lower is cheaper.", dim)
}

// area is the part of a chart between the axes, in columns and rows.
type area struct {
	width, rows int
}

// area has a row for each tick, and as many between them as there is room for.
func (p *printer) area(c report.Chart) area {
	steps := max(len(c.Y.Ticks)-1, 1)
	ticks := 0
	for _, t := range c.Y.Ticks {
		ticks = max(ticks, width(t.Label))
	}
	return area{width: min(p.page.Width-max(ticks+6, chartTicks), maxChart), rows: steps * max(chartRows/steps, 1)}
}

// line is the height of the curve in every column, of the part within the targets and of the rest.
func (a area) line(c report.Chart) (met, missed []float64) {
	met, missed = blank(a.width), blank(a.width)
	last := len(c.Points) - 1
	for x := range a.width {
		at := float64(x) / float64(a.width-1)
		i := 0
		for i < last-1 && c.X.Place(c.Points[i+1].X.Mid) < at {
			i++
		}
		from, to := c.Points[i], c.Points[i+1]
		x0, x1 := c.X.Place(from.X.Mid), c.X.Place(to.X.Mid)
		if at < x0-.5/float64(a.width) || at > x1+.5/float64(a.width) {
			continue
		}
		y0, y1 := c.Y.Place(from.Y.Mid), c.Y.Place(to.Y.Mid)
		y := y1
		if x1 > x0 {
			y = y0 + (y1-y0)*min(max((at-x0)/(x1-x0), 0), 1)
		}
		line := met
		if beyond(c, at) {
			line = missed
		}
		line[x] = y * float64(a.rows)
	}
	return met, missed
}

// beyond reports whether a place lies right of the load up to which targets are met.
func beyond(c report.Chart, at float64) bool {
	for _, l := range c.Limits {
		if l.Along == "x" {
			return at > c.X.Place(l.At)
		}
	}
	return slices.ContainsFunc(c.Points, func(p report.Point) bool { return p.Met != nil && !*p.Met })
}

// dot is a series of one point.
func (a area) dot(c report.Chart, p report.Point) []float64 {
	s := blank(a.width)
	// The library draws a lone point in the column of the last value before a gap.
	x := min(max(int(math.Round(c.X.Place(p.X.Mid)*float64(a.width-1))), 1), a.width-2)
	s[x] = math.Round(c.Y.Place(p.Y.Mid) * float64(a.rows))
	return s
}

func blank(n int) []float64 {
	s := make([]float64, n)
	for i := range s {
		s[i] = math.NaN()
	}
	return s
}

// draw has the library draw rows and columns, which bound its work whatever the figures are, and colors the letters.
func (p *printer) draw(c report.Chart, a area, signs []asciigraph.CharSet, series ...[]float64) {
	p.heading(c.Title)
	p.paragraph(c.Y.Name, dim)
	drawing := asciigraph.PlotMany(series,
		asciigraph.Height(a.rows), asciigraph.LowerBound(0), asciigraph.UpperBound(float64(a.rows)), asciigraph.SeriesChars(signs...),
		asciigraph.YAxisValueFormatter(func(row float64) string { return labelAt(c.Y, row/float64(a.rows), .5/float64(a.rows)) }),
		asciigraph.XAxisRange(0, 1), asciigraph.XAxisTickCount(xTicks(c.X)),
		asciigraph.XAxisValueFormatter(func(at float64) string { return valueAt(c.X, at) }),
	)
	for line := range strings.SplitSeq(drawing, "\n") {
		p.line(p.tinted(line))
	}
	p.paragraph(c.X.Name, dim)
}

// labelAt is the label of the tick at a place, if one is near.
func labelAt(x report.Axis, at, near float64) string {
	for _, t := range x.Ticks {
		if math.Abs(x.Place(t.At)-at) <= near {
			return t.Label
		}
	}
	return ""
}

// xTicks is the least number of ticks, evenly apart, of which each tick of the axis is one; a few if there is none.
func xTicks(x report.Axis) int {
	for n := 2; n <= 16; n++ {
		if !slices.ContainsFunc(x.Ticks, func(t report.Tick) bool {
			at := x.Place(t.At) * float64(n-1)
			return math.Abs(at-math.Round(at)) > .02*float64(n-1)
		}) {
			return n
		}
	}
	return few
}

const few = 5

// valueAt is the value at a place of the axis: that of a tick, or a rounded one.
func valueAt(x report.Axis, at float64) string {
	if s := labelAt(x, at, .02); s != "" || xTicks(x) != few {
		return s // a tick between those of the axis has no label
	}
	v := x.Low + at*(x.High-x.Low)
	if x.Log {
		v = x.Low * math.Pow(x.High/x.Low, at)
	}
	return x.Label(v)
}

// tinted dims the axis and colors what is drawn.
func (p *printer) tinted(line string) string {
	head, tail, ok := strings.Cut(line, "┤")
	if !ok {
		return p.paint(line, dim)
	}
	var b strings.Builder
	b.WriteString(p.paint(head+"┤", dim))
	for part := range runs(tail) {
		st := green
		if strings.Trim(part, "· ") == "" {
			st = yellow
		}
		b.WriteString(p.paint(part, st))
	}
	return b.String()
}

// runs splits a line where dots begin and end.
func runs(s string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for s != "" {
			dotted := strings.HasPrefix(s, "·")
			end := strings.IndexFunc(s, func(r rune) bool { return (r == '·') != dotted })
			if end < 0 {
				end = len(s)
			}
			if !yield(s[:end]) {
				return
			}
			s = s[end:]
		}
	}
}
