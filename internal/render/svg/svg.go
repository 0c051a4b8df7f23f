// Package svg draws charts for a page: data in, SVG out. A drawing names classes and no colors, so that the style sheet
// of the page decides for light, dark and paper; it holds no script, no style and no reference, and every text in it is
// escaped. The same data gives the same bytes.
package svg

import (
	"fmt"
	"html"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// Stack is a horizontal bar of several parts, with its legend.
type Stack struct {
	ID       string // of the drawing on its page; letters, digits and "-" count
	Title    string // what it shows, for those who hear the page
	Desc     string // the same in a sentence with figures
	Segments []Segment
	Marks    []Mark
	Over     *Over   // what is beyond the end, if anything is
	Scale    []Tick  // places along it, from 0 to 1
	Notches  []int   // columns with a short stroke in them
	Legend   []Entry // none for a small bar in a table
}

// Over is the stretch of the bar from a column to its end that should not be there.
type Over struct {
	From  int
	Label string // written above it where there is room
}

// Segment is a part of the bar, Width of Full columns wide.
type Segment struct {
	Class string // letters, digits, "-" and "_" count
	Width int
	Label string // written into the part where there is room
}

// Full is the number of columns that a bar is divided into.
const Full = 240

// Mark is a stroke across the bar at a column with a word above it, or a tick with a word below it.
type Mark struct {
	At    int
	Label string
	Class string
	Below bool
}

// Entry explains the color of a class.
type Entry struct{ Class, Label, Value string }

// The drawing is measured in units of a page 720 wide; a column is 3 of them.
const (
	column      = 3
	page        = column * Full
	barHeight   = 40
	smallHeight = 22
	labelHeight = 22 // above or below the bar
	entryHeight = 40
	perLine     = 4 // entries of the legend side by side, or fewer where their words are long
	textIndent  = 19
	stroke      = 2 // of a mark
	letter      = 9 // about the width of a letter of a label
)

// SVG draws the bar.
func (s Stack) SVG() string {
	d := drawing{stack: s, height: smallHeight}
	if len(s.Legend) > 0 {
		d.height = barHeight
	}
	if s.wordsAbove() {
		d.top = labelHeight
	}
	d.bottom = d.top + d.height
	if slices.ContainsFunc(s.Marks, func(m Mark) bool { return m.Below }) {
		d.bottom += labelHeight
	}
	if len(s.Scale) > 0 {
		d.bottom += labelHeight
	}
	d.open()
	d.bar()
	d.over()
	d.notches()
	d.marks()
	d.labels()
	d.scale()
	d.legend()
	d.b.WriteString("</svg>")
	return d.b.String()
}

type drawing struct {
	b      strings.Builder
	stack  Stack
	top    int // of the bar
	height int
	bottom int // where the legend begins
}

func (s *Stack) wordsAbove() bool {
	return s.Over != nil && s.Over.Label != "" ||
		slices.ContainsFunc(s.Marks, func(m Mark) bool { return !m.Below && m.Label != "" })
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

func (d *drawing) open() {
	id := name(d.stack.ID)
	side := d.stack.side()
	lines := (len(d.stack.Legend) + side - 1) / side
	d.printf(`<svg class="stack%s" viewBox="0 0 %d %d" role="img" aria-labelledby="%s-t %s-d">`, size(lines), page,
		d.bottom+lines*entryHeight, id, id)
	d.printf(`<title id="%s-t">%s</title><desc id="%s-d">%s</desc>`, id, text(d.stack.Title), id, text(d.stack.Desc))
}

func size(lines int) string {
	if lines == 0 {
		return " small"
	}
	return ""
}

// bar draws the parts. What is wider than the page is cut, so that no data can draw elsewhere.
func (d *drawing) bar() {
	x := 0
	for _, s := range d.stack.Segments {
		w := min(max(s.Width, 0), Full-x)
		if w == 0 {
			continue
		}
		d.printf(`<rect class="%s" x="%d" y="%d" width="%d" height="%d"/>`, name(s.Class), x*column, d.top, w*column, d.height)
		x += w
	}
}

// labels are written last, so that nothing lies over them.
func (d *drawing) labels() {
	x := 0
	for _, s := range d.stack.Segments {
		w := min(max(s.Width, 0), Full-x)
		if len(d.stack.Legend) > 0 && s.Label != "" && (len([]rune(s.Label))+1)*letter < w*column {
			d.printf(`<text class="in" x="%d" y="%d">%s</text>`, x*column+letter, d.top+d.height/2+5, text(s.Label))
		}
		x += w
	}
}

func (d *drawing) over() {
	o := d.stack.Over
	if o == nil {
		return
	}
	x := min(max(o.From, 0), Full) * column
	d.printf(`<rect class="over" x="%d" y="%d" width="%d" height="%d"/>`, x, d.top, page-x, d.height)
	if o.Label != "" && len([]rune(o.Label))*letter < page-x {
		d.printf(`<text class="over" x="%d" y="%d" text-anchor="end">%s</text>`, page, d.top-8, text(o.Label))
	}
}

func (d *drawing) marks() {
	for _, m := range d.stack.Marks {
		x := min(max(m.At, 0), Full) * column
		top, height := d.stroke(m)
		d.printf(`<rect class="mark %s" x="%d" y="%d" width="%d" height="%d"/>`, name(m.Class), min(max(x-stroke/2, 0), page-stroke),
			top, stroke, height)
		if m.Label == "" {
			continue
		}
		y := d.top - 8
		if m.Below {
			y = d.top + d.height + 17
		}
		anchor := "start"
		if x > page/2 {
			anchor = "end"
		}
		d.printf(`<text x="%d" y="%d" text-anchor="%s">%s</text>`, x, y, anchor, text(m.Label))
	}
}

// notches are short strokes at the upper edge of the bar.
func (d *drawing) notches() {
	for _, n := range d.stack.Notches {
		x := min(max(n, 0), Full) * column
		d.printf(`<rect class="notch" x="%d" y="%d" width="%d" height="%d"/>`, min(x, page-stroke), d.top, stroke, d.height/4)
	}
}

// scale is a line of words along the bar. A word that would meet the one before it is left out.
func (d *drawing) scale() {
	y, end := d.bottom-5, -1
	for _, t := range d.stack.Scale {
		s := short(t.Label)
		w := wide(s)
		x := min(max(int(share(t.At)*page)-w/2, 0), page-w)
		if x <= end || x < 0 {
			continue
		}
		d.printf(`<text class="tick" x="%d" y="%d">%s</text>`, x, y, text(s))
		end = x + w + letter
	}
}

// stroke is where a mark stands: across the bar, or as a tick below it.
func (d *drawing) stroke(m Mark) (top, height int) {
	const out = 6
	switch {
	case m.Below:
		return d.top + d.height, out
	case d.top > 0:
		return d.top - out, d.height + out
	}
	return d.top, d.height
}

// side is how many entries of the legend stand side by side without meeting.
func (s *Stack) side() int {
	longest := 0
	for _, e := range s.Legend {
		longest = max(longest, wide(short(e.Label)), wide(short(e.Value)))
	}
	return max(1, min(perLine, page/(longest+textIndent+1)))
}

func (d *drawing) legend() {
	side := d.stack.side()
	for i, e := range d.stack.Legend {
		x, y := i%side*page/side, d.bottom+i/side*entryHeight
		d.printf(`<rect class="%s" x="%d" y="%d" width="11" height="11"/>`, name(e.Class), x+1, y+13)
		d.printf(`<text class="key" x="%d" y="%d">%s</text>`, x+textIndent, y+23, text(short(e.Label)))
		d.printf(`<text class="value" x="%d" y="%d">%s</text>`, x+textIndent, y+38, text(short(e.Value)))
	}
}

// maxText keeps a word on its part of the drawing; the page around it has the whole text.
const maxText = 300

// text makes foreign text safe inside an element.
func text(s string) string {
	s = strings.Join(strings.Fields(printable.Line(s)), " ")
	if r := []rune(s); len(r) > maxText {
		s = string(r[:maxText]) + "…"
	}
	return html.EscapeString(s)
}

// name keeps what may stand in a class or an id.
func name(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '-', r == '_':
			return r
		}
		return -1
	}, s)
}
