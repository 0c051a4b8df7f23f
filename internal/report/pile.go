package report

import (
	"cmp"
	"math"
	"slices"
	"strings"
)

// Bar is a drawing of parts that lie side by side.
type Bar struct {
	Segments []Segment
	Mark     int // where there has to be an end: the width, or less if more is needed than there is
}

// Segment is one part of a bar.
type Segment struct {
	Key   string // gives it its color
	Sign  string // stands for it where there is none
	Label string // written into it where there is room
	Width int
}

// Stretch is a piece of a bar that is drawn with letters.
type Stretch struct{ Key, Text string }

// divided gives each segment its width. The bar is as long as all of them or as the capacity, whichever is more.
func divided(segments []Segment, sizes []float64, capacity float64, width int) Bar {
	width = max(width, 0)
	total := 0.0
	for _, s := range sizes {
		total += s
	}
	b := Bar{Mark: width}
	if total > capacity*(1+1e-12) && capacity > 0 || capacity == 0 && total > 0 {
		b.Mark = min(int(capacity/total*float64(width)), max(width-1, 0))
	}
	for i, w := range apportion(sizes, width) {
		if w > 0 {
			segments[i].Width = w
			b.Segments = append(b.Segments, segments[i])
		}
	}
	return b
}

// stretches draws a bar with n letters. A mark is where it has to end, if it is longer.
func stretches(bar func(width int) Bar, n int) []Stretch {
	b := bar(n)
	if b.Mark < n {
		b = bar(n - 1)
	}
	var out []Stretch
	at := 0
	for _, s := range b.Segments {
		head := min(max(b.Mark-at, 0), s.Width)
		if head > 0 {
			out = append(out, Stretch{s.Key, strings.Repeat(s.Sign, head)})
		}
		if head < s.Width {
			if at <= b.Mark {
				out = append(out, Stretch{"missing", Sign("missing")})
			}
			out = append(out, Stretch{s.Key, strings.Repeat(s.Sign, s.Width-head)})
		}
		at += s.Width
	}
	return out
}

func lettered(list []Stretch) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString(s.Text)
	}
	return "[" + b.String() + "]"
}

// Pile is a bar of parts with its legend: an account against what there is, the shares of a whole, or a run of time.
type Pile struct {
	Title    string // what it shows, for those who hear the page
	Pieces   []Piece
	Capacity float64 // where it has to end; 0 where it is as long as it is
	End      string  // what ends there: "card 80.00 GiB"
	Missing  string  // written above what is beyond the end
	Marks    []Tick  // strokes below it
	Scale    []Tick  // along it
	Notches  []float64
	Heads    [3]string // of the columns of its table: part, amount, share
	Below    string    // a sentence below it
}

// Piece is one part of a pile.
type Piece struct {
	Key, Sign         string
	Name, Value, More string  // of the legend: "weights", "61.02 GiB", "76 %"
	Label             string  // written into it where there is room
	Size              float64 // 0 for what is in the legend alone
}

func (p *Pile) sizes() (segments []Segment, sizes []float64) {
	for _, q := range p.Pieces {
		segments = append(segments, Segment{Key: q.Key, Sign: cmp.Or(q.Sign, "."), Label: q.Label})
		sizes = append(sizes, q.drawn())
	}
	return segments, sizes
}

// drawn is the size of a piece, whatever a file holds.
func (q *Piece) drawn() float64 {
	if !(q.Size > 0) {
		return 0
	}
	return min(q.Size, mostDrawn*1e15)
}

// Total is as long as the pile is drawn.
func (p *Pile) Total() float64 {
	total := 0.0
	for i := range p.Pieces {
		total += p.Pieces[i].drawn()
	}
	return max(total, p.Capacity)
}

// Place is the column of a value on a bar of that width.
func (p *Pile) Place(v float64, width int) int {
	total := p.Total()
	if !(total > 0) || !(v > 0) {
		return 0
	}
	return int(math.Round(min(v/total, 1) * float64(width)))
}

// Bar divides a width among the pieces.
func (p *Pile) Bar(width int) Bar {
	segments, sizes := p.sizes()
	if len(segments) == 0 {
		return Bar{Mark: max(width, 0)}
	}
	if p.Capacity > 0 {
		return divided(segments, sizes, p.Capacity, width)
	}
	b := divided(segments, sizes, p.Total(), width)
	b.Mark = max(width, 0)
	return b
}

// Stretches draws the bar with n letters.
func (p *Pile) Stretches(n int) []Stretch { return stretches(p.Bar, n) }

// Drawing is the bar as one line of n letters between brackets.
func (p *Pile) Drawing(n int) string { return lettered(p.Stretches(n - len("[]"))) }

// Ruler is the line of n letters below a drawing that says how far it is; "" where nothing does. A word that would meet
// the one before it is left out.
func (p *Pile) Ruler(n int) string {
	line := ""
	for _, t := range p.Scale {
		at := p.Place(t.At, n)
		if at+len([]rune(t.Label)) > n {
			at = n - len([]rune(t.Label))
		}
		if room := at - len([]rune(line)); line == "" && room >= 0 || room > 1 {
			line += strings.Repeat(" ", room) + t.Label
		}
	}
	return line
}

// Told is the pile in a sentence with figures.
func (p *Pile) Told() string {
	var parts []string
	for _, q := range p.Pieces {
		parts = append(parts, join(" ", q.Name, q.Value, prefixed("(", suffixed(q.More, ")"))))
	}
	for _, m := range p.Marks {
		parts = append(parts, m.Label)
	}
	return join("; ", strings.Join(parts, ", "), p.End, p.Missing, p.Below)
}

// Table is the legend.
func (p *Pile) Table() Table {
	t := Table{Columns: []Column{{Name: "bar", Code: true}, {Name: p.Heads[0]}, {Name: p.Heads[1], Number: true}, {Name: p.Heads[2], Number: true}}}
	for _, q := range p.Pieces {
		t.Rows = append(t.Rows, Row{Key: q.Key, Cells: []string{q.Sign, q.Name, q.Value, q.More}})
	}
	for _, name := range p.Heads[1:] {
		t = t.withoutEmpty(name)
	}
	return t
}

// apportion divides n columns in proportion to the sizes, by largest remainders. All go to the last if nothing has a
// size.
func apportion(sizes []float64, n int) []int {
	total := 0.0
	for _, s := range sizes {
		total += s
	}
	widths, left := make([]int, len(sizes)), n
	if total <= 0 {
		widths[len(widths)-1] = n
		return widths
	}
	order := make([]int, len(sizes))
	rest := make([]float64, len(sizes))
	for i, s := range sizes {
		exact := s / total * float64(n)
		widths[i] = min(int(exact), left)
		rest[i], order[i] = exact-float64(widths[i]), i
		left -= widths[i]
	}
	slices.SortStableFunc(order, func(a, b int) int { return cmp.Compare(rest[b], rest[a]) })
	for i := range left {
		widths[order[i%len(order)]]++
	}
	return visible(sizes, widths)
}

// visible gives a column to everything that has a size, from the widest.
func visible(sizes []float64, widths []int) []int {
	for i, s := range sizes {
		widest := slices.Index(widths, slices.Max(widths))
		if s > 0 && widths[i] == 0 && widths[widest] > 1 {
			widths[i]++
			widths[widest]--
		}
	}
	return widths
}
