// Package svg draws charts for a page: data in, SVG out. A drawing names classes and no colors, so that the style sheet
// of the page decides for light, dark and paper; it holds no script, no style and no reference, and every text in it is
// escaped. The same data gives the same bytes.
package svg

import (
	"fmt"
	"html"
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

// Mark is a stroke across the bar at a column, with a word above or below it.
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
	perLine     = 4 // entries of the legend side by side
	stroke      = 2 // of a mark
	letter      = 9 // about the width of a letter of a label
)

// SVG draws the bar.
func (s Stack) SVG() string {
	d := drawing{stack: s, height: smallHeight}
	if len(s.Legend) > 0 {
		d.height = barHeight
	}
	if d.has(false) || s.Over != nil && s.Over.Label != "" {
		d.top = labelHeight
	}
	d.bottom = d.top + d.height
	if d.has(true) {
		d.bottom += labelHeight
	}
	d.open()
	d.bar()
	d.over()
	d.marks()
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

func (d *drawing) has(below bool) bool {
	for _, m := range d.stack.Marks {
		if m.Label != "" && m.Below == below {
			return true
		}
	}
	return false
}

func (d *drawing) printf(format string, args ...any) { fmt.Fprintf(&d.b, format, args...) }

func (d *drawing) open() {
	id := name(d.stack.ID)
	lines := (len(d.stack.Legend) + perLine - 1) / perLine
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
		if len(d.stack.Legend) > 0 && s.Label != "" && len([]rune(s.Label))*letter < w*column {
			d.printf(`<text class="in %s" x="%d" y="%d">%s</text>`, name(s.Class), x*column+letter, d.top+d.height/2+5, text(s.Label))
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
		d.printf(`<rect class="mark %s" x="%d" y="%d" width="%d" height="%d"/>`, name(m.Class), min(max(x-stroke/2, 0), page-stroke),
			d.top-4*d.up(), stroke, d.height+4*d.up()+4*d.down())
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

// up and down are 1 if there is room for a stroke to stand out.
func (d *drawing) up() int   { return min(d.top, 1) }
func (d *drawing) down() int { return min(len(d.stack.Legend), 1) }

func (d *drawing) legend() {
	for i, e := range d.stack.Legend {
		x, y := i%perLine*page/perLine, d.bottom+i/perLine*entryHeight
		d.printf(`<rect class="%s" x="%d" y="%d" width="11" height="11"/>`, name(e.Class), x+1, y+13)
		d.printf(`<text class="key" x="%d" y="%d">%s</text>`, x+19, y+23, text(e.Label))
		d.printf(`<text class="value" x="%d" y="%d">%s</text>`, x+19, y+38, text(e.Value))
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
