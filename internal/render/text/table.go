package text

import (
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

// grid is a table that is ready to be laid out: its cells are safe to print.
type grid struct {
	columns []report.Column
	rows    []gridRow
}

type gridRow struct {
	style style // of the first cell
	cells []string
	notes []string
}

// one makes foreign text one line without runs of blanks.
func one(s string) string { return strings.Join(strings.Fields(printable.Line(s)), " ") }

func (p *printer) table(t report.Table) {
	g := grid{columns: t.Columns}
	for _, r := range t.Rows {
		row := gridRow{cells: make([]string, len(r.Cells)), notes: r.Notes}
		for i, c := range r.Cells {
			row.cells[i] = one(c)
		}
		switch {
		case r.Verdict != "":
			row.style = outcomeStyle(report.Tone(r.Verdict))
		case r.Key != "":
			row.style = partStyle(r.Key)
		}
		g.rows = append(g.rows, row)
	}
	p.grid(g)
}

const (
	tableIndent = 2
	columnGap   = 2
	minColumn   = 12 // a column of words is not made narrower
	comfortable = 24 // nor narrower than this while there are columns that may be left out
)

func (p *printer) grid(g grid) {
	widths, ok := g.fit(p.page.Width - tableIndent)
	for at := g.spare(); at >= 0 && (!ok || g.cramped(widths)); at = g.spare() {
		g = g.without(at)
		widths, ok = g.fit(p.page.Width - tableIndent)
	}
	if !ok {
		p.stacked(g)
		return
	}
	if slices.ContainsFunc(g.columns, func(c report.Column) bool { return c.Name != "" }) {
		names := make([]string, len(g.columns))
		for i, c := range g.columns {
			names[i] = c.Name
		}
		p.row(g.columns, widths, names, dim, dim)
	}
	for _, r := range g.rows {
		p.row(g.columns, widths, r.cells, r.style, plain)
		for _, n := range r.notes {
			p.note(n)
		}
	}
}

// cramped reports whether a column of words is so narrow that a column that may be left out is worth less.
func (g grid) cramped(widths []int) bool {
	for i, c := range g.columns {
		natural := width(c.Name)
		for _, r := range g.rows {
			natural = max(natural, width(r.cells[i]))
		}
		if !c.Number && widths[i] < min(natural, comfortable) {
			return true
		}
	}
	return false
}

// spare is the column that is left out first; -1 if none may be.
func (g grid) spare() int {
	at := -1
	for i, c := range g.columns {
		if c.Spare > 0 && (at < 0 || c.Spare > g.columns[at].Spare) {
			at = i
		}
	}
	return at
}

func (g grid) without(at int) grid {
	out := grid{columns: slices.Delete(slices.Clone(g.columns), at, at+1)}
	for _, r := range g.rows {
		r.cells = slices.Delete(slices.Clone(r.cells), at, at+1)
		out.rows = append(out.rows, r)
	}
	return out
}

// note stands below a row.
func (p *printer) note(s string) {
	for _, l := range wrap(printable.Line(s), p.page.Width-3*tableIndent) {
		p.line(strings.Repeat(" ", 3*tableIndent) + p.paint(l, dim))
	}
}

// fit gives each column the width of its widest cell, and takes from the columns of words, the widest first, what the
// page does not have. It gives up where that would leave too little.
func (g grid) fit(page int) (widths []int, ok bool) {
	widths = make([]int, len(g.columns))
	total := columnGap * (len(widths) - 1)
	for i, c := range g.columns {
		widths[i] = width(c.Name)
		for _, r := range g.rows {
			widths[i] = max(widths[i], width(r.cells[i]))
		}
		total += widths[i]
	}
	for total > page {
		widest := -1
		for i, c := range g.columns {
			if !c.Number && widths[i] > minColumn && (widest < 0 || widths[i] > widths[widest]) {
				widest = i
			}
		}
		if widest < 0 {
			return nil, false
		}
		cut := min(total-page, max(1, (widths[widest]-minColumn)/2))
		widths[widest] -= cut
		total -= cut
	}
	return widths, true
}

// row writes the cells side by side, the words wrapped.
func (p *printer) row(columns []report.Column, widths []int, cells []string, first, rest style) {
	parts := make([][]string, len(cells))
	height := 0
	for i, c := range cells {
		parts[i] = wrap(c, widths[i])
		height = max(height, len(parts[i]))
	}
	for y := range height {
		line := make([]string, len(cells))
		for i := range cells {
			s := ""
			if y < len(parts[i]) {
				s = parts[i][y]
			}
			st := rest
			if i == 0 {
				st = first
			}
			line[i] = p.pad(s, widths[i], columns[i].Number, st)
		}
		p.line(strings.Repeat(" ", tableIndent) + strings.Join(line, strings.Repeat(" ", columnGap)))
	}
}

func (p *printer) pad(s string, n int, right bool, st style) string {
	blank := strings.Repeat(" ", max(n-width(s), 0))
	if right {
		return blank + p.paint(s, st)
	}
	return p.paint(s, st) + blank
}

// stacked is for a page that is too narrow for the table: each row as a paragraph.
func (p *printer) stacked(g grid) {
	for _, r := range g.rows {
		var parts []string
		for i, c := range r.cells[1:] {
			if c != "" {
				parts = append(parts, strings.TrimPrefix(g.columns[i+1].Name+": "+c, ": "))
			}
		}
		p.item(label{r.cells[0], r.style, narrow}, strings.Join(parts, "; "), r.notes...)
	}
}
