package svg

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// Plot is a chart with two axes. All places are shares of the axes, from 0 at the left and the bottom to 1.
type Plot struct {
	ID    string // of the drawing on its page; letters, digits and "-" count
	Title string // what it shows, for those who hear the page
	Desc  string // the same in a sentence with figures
	X, Y  Scale
	Spots []Spot // from left to right, with a line between them
	Band  bool   // the ranges of the spots are one area; else each spot has strokes for its own
	Steps bool   // the line has steps
	Loose bool   // there is no line
	Rules []Rule
}

// Scale is an axis: its name with the unit, and its ticks.
type Scale struct {
	Name  string
	Ticks []Tick
}

// Tick is a place on an axis.
type Tick struct {
	At    float64
	Label string
}

// Spot is one point with its range and a word beside it where there is room.
type Spot struct {
	X, Y         Extent
	Class, Label string
}

// Extent is a place with the ends of its range.
type Extent struct{ Low, Mid, High float64 }

// Rule is a stroke across the whole chart.
type Rule struct {
	At     float64
	Across bool // from left to right, else from the bottom to the top
	Label  string
}

// The chart is measured in units of the same page as a bar.
const (
	plotHeight   = 340
	plotLeft     = 76 // of the ticks of the vertical axis
	plotTop      = 40 // of its name
	plotRight    = 28
	plotBottom   = 56 // of the ticks and the name of the horizontal axis
	areaWidth    = page - plotLeft - plotRight
	areaHeight   = plotHeight - plotTop - plotBottom
	dotRadius    = 5
	wordHeight   = 16
	letterWidth  = 7.2 // of a word of 13 units
	maxPlotLabel = 44
)

// SVG draws the chart.
func (p Plot) SVG() string {
	d := &plotting{plot: p}
	id := name(p.ID)
	d.printf(`<svg class="plot" viewBox="0 0 %d %d" role="img" aria-labelledby="%s-t %s-d">`, page, plotHeight, id, id)
	d.printf(`<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, id, text(p.Title), id, text(p.Desc))
	d.axes()
	d.band()
	d.rules()
	d.line()
	d.spots()
	d.words()
	d.b.WriteString("</svg>")
	return d.b.String()
}

type plotting struct {
	b     strings.Builder
	plot  Plot
	taken []area // where words and dots are, so that no word lies over another
	later []word
}

// area is a rectangle of the drawing.
type area struct{ x, y, w, h int }

func (a area) meets(b area) bool {
	return a.x < b.x+b.w && b.x < a.x+a.w && a.y < b.y+b.h && b.y < a.y+a.h
}

func (a area) inside() bool { return a.x >= 0 && a.y >= 0 && a.x+a.w <= page && a.y+a.h <= plotHeight }

type word struct {
	class, text string
	at          area
}

func (d *plotting) printf(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

// share is a share of an axis, whatever it was.
func share(v float64) float64 {
	if !(v > 0) {
		return 0
	}
	return min(v, 1)
}

func px(v float64) int { return plotLeft + int(math.Round(share(v)*areaWidth)) }

func py(v float64) int { return plotTop + areaHeight - int(math.Round(share(v)*areaHeight)) }

// short keeps a word in the drawing; the table beside it has the whole.
func short(s string) string {
	s = strings.Join(strings.Fields(printable.Line(s)), " ")
	if r := []rune(s); len(r) > maxPlotLabel {
		return string(r[:maxPlotLabel-1]) + "…"
	}
	return s
}

// wide is about how wide a word is, rather more than less.
func wide(s string) int {
	w := 0.0
	for _, r := range s {
		w += letterWidth
		if r > 0x2e7f {
			w += letterWidth
		}
	}
	return int(math.Ceil(w))
}

// put keeps a word for later, if it meets no other and stays in the drawing.
func (d *plotting) put(class, s string, x, y int) bool {
	s = short(s)
	at := area{x, y, wide(s), wordHeight}
	if s == "" || !at.inside() {
		return false
	}
	if slices.ContainsFunc(d.taken, at.meets) {
		return false
	}
	d.taken = append(d.taken, at)
	d.later = append(d.later, word{class, s, at})
	return true
}

func (d *plotting) words() {
	for _, w := range d.later {
		d.printf(`<text class="%s" x="%d" y="%d">%s</text>`, w.class, w.at.x, w.at.y+wordHeight-4, text(w.text))
	}
}

// axes draws the net of ticks with their words, and the names.
func (d *plotting) axes() {
	right, bottom := plotLeft+areaWidth, plotTop+areaHeight
	d.put("axis", d.plot.Y.Name, 0, plotTop-2*wordHeight-2)
	x := right - wide(short(d.plot.X.Name))
	d.put("axis", d.plot.X.Name, x, plotHeight-wordHeight-2)
	for _, t := range d.plot.Y.Ticks {
		y := py(t.At)
		d.printf(`<path class="net" d="M%d %dH%d"/>`, plotLeft, y, right)
		d.put("tick", t.Label, plotLeft-12-wide(short(t.Label)), y-wordHeight/2)
	}
	for _, t := range d.plot.X.Ticks {
		x := px(t.At)
		d.printf(`<path class="net" d="M%d %dV%d"/>`, x, bottom, bottom+5)
		d.put("tick", t.Label, x-wide(short(t.Label))/2, bottom+7)
	}
	d.printf(`<path class="base" d="M%d %dV%dH%d"/>`, plotLeft, plotTop, bottom, right)
}

func (d *plotting) band() {
	if !d.plot.Band || len(d.plot.Spots) < 2 {
		return
	}
	var s strings.Builder
	for i, p := range d.plot.Spots {
		fmt.Fprintf(&s, "%s%d %d", letterOf(i), px(p.X.Mid), py(p.Y.High))
	}
	for _, p := range slices.Backward(d.plot.Spots) {
		fmt.Fprintf(&s, "L%d %d", px(p.X.Mid), py(p.Y.Low))
	}
	d.printf(`<path class="band" d="%sZ"/>`, s.String())
}

// letterOf begins a path or goes on with it.
func letterOf(i int) string {
	if i == 0 {
		return "M"
	}
	return "L"
}

func (d *plotting) line() {
	if len(d.plot.Spots) < 2 || d.plot.Loose {
		return
	}
	var s strings.Builder
	for i, p := range d.plot.Spots {
		x, y := px(p.X.Mid), py(p.Y.Mid)
		if i > 0 && d.plot.Steps {
			fmt.Fprintf(&s, "H%dV%d", x, y)
			continue
		}
		fmt.Fprintf(&s, "%s%d %d", letterOf(i), x, y)
	}
	d.printf(`<path class="line" d="%s"/>`, s.String())
}

// rules are strokes with their word at the end: above the chart, or at its right.
func (d *plotting) rules() {
	for _, r := range d.plot.Rules {
		w := wide(short(r.Label))
		if r.Across {
			y := py(r.At)
			d.printf(`<path class="rule" d="M%d %dH%d"/>`, plotLeft, y, plotLeft+areaWidth)
			if !d.put("rule", r.Label, plotLeft+6, y-wordHeight-2) {
				d.put("rule", r.Label, plotLeft+areaWidth-w, y+2)
			}
			continue
		}
		x := px(r.At)
		d.printf(`<path class="rule" d="M%d %dV%d"/>`, x, plotTop-4, plotTop+areaHeight)
		left := min(max(x-w/2, plotLeft), plotLeft+areaWidth-w)
		d.put("rule", r.Label, left, plotTop-wordHeight-6)
	}
}

// spots are drawn before their words, which keep clear of all of them.
func (d *plotting) spots() {
	for _, s := range d.plot.Spots {
		x, y := px(s.X.Mid), py(s.Y.Mid)
		if !d.plot.Band {
			d.whiskers(s, x, y)
		}
		d.printf(`<circle class="%s" cx="%d" cy="%d" r="%d"/>`, classes(s.Class), x, y, dotRadius)
		d.taken = append(d.taken, area{x - dotRadius, y - dotRadius, 2 * dotRadius, 2 * dotRadius})
	}
	for _, s := range d.plot.Spots {
		d.label(s)
	}
}

// classes keeps several names apart.
func classes(s string) string {
	var kept []string
	for c := range strings.FieldsSeq(s) {
		if c = name(c); c != "" {
			kept = append(kept, c)
		}
	}
	return strings.Join(kept, " ")
}

func (d *plotting) whiskers(s Spot, x, y int) {
	if low, high := px(s.X.Low), px(s.X.High); high-low > 2*dotRadius {
		d.printf(`<path class="whisker" d="M%d %dH%d"/>`, low, y, high)
	}
	if low, high := py(s.Y.Low), py(s.Y.High); low-high > 2*dotRadius {
		d.printf(`<path class="whisker" d="M%d %dV%d"/>`, x, low, high)
	}
}

// label puts the word of a spot beside it where nothing else is; where there is no room, its first word, and else none.
func (d *plotting) label(s Spot) {
	first, _, _ := strings.Cut(strings.TrimSpace(s.Label), " ")
	x, y := px(s.X.Mid), py(s.Y.Mid)
	for _, l := range []string{s.Label, first} {
		w := wide(short(l))
		for _, at := range [][2]int{
			{x + dotRadius + 5, y - wordHeight - 3},
			{x + dotRadius + 5, y + 3},
			{x - dotRadius - 5 - w, y - wordHeight - 3},
			{x - dotRadius - 5 - w, y + 3},
			{x - w/2, y - dotRadius - wordHeight - 6},
			{x - w/2, y + dotRadius + 6},
		} {
			over := area{at[0], at[1], w, wordHeight}
			if over.x > plotLeft && over.x+w <= page && over.y >= plotTop && over.y+wordHeight <= plotTop+areaHeight && d.put("word", l, at[0], at[1]) {
				return
			}
		}
	}
}
