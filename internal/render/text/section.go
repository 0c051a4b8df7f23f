package text

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

// screen is what a person in a hurry reads.
func (p *printer) screen(h report.Head) {
	p.head(h.Answer.Text, outcomeStyle(report.Tone(h.Answer.Verdict)), h.About)
	p.paragraph(h.Summary, plain)
	for _, g := range h.Glances {
		p.paragraph(g, bold)
	}
}

// sections writes the parts of an answer; those that are looked up only where details were asked for.
func (p *printer) sections(list []report.Section, detailed bool) {
	for i := range list {
		s := &list[i]
		if !detailed && s.Looked {
			continue
		}
		p.section(s)
		if s.Chart != nil && (detailed || p.page.Width >= roomy) {
			p.scatter(*s.Chart)
		}
	}
}

func (p *printer) section(s *report.Section) {
	if s.Unknown != "" {
		p.unknown(strings.ToLower(s.Title), s.Unknown)
		return
	}
	p.heading(s.Title)
	for _, says := range s.Says {
		p.paragraph(says, plain)
	}
	p.entries(s.Items)
	for _, f := range s.Facts {
		p.item(label{f.Name, plain, wider}, f.Value)
	}
	if s.Pile != nil {
		p.pile(s.Pile)
	}
	if len(s.Table.Rows) > 0 {
		p.table(s.Table)
	}
	for _, w := range s.Words {
		p.said(w)
	}
	p.copied(s.Copied)
	if s.Below != "" {
		p.paragraph(s.Below, dim)
	}
}

// entries are labeled lines, all of a section with one column for their labels.
func (p *printer) entries(list []report.Item) {
	at := narrow
	for _, it := range list {
		switch n := width(printable.Line(it.Label)); {
		case it.Label == "-":
			at = 4
		case n > narrow-3:
			at = wider
		}
	}
	for _, it := range list {
		st := plain
		if it.Verdict != "" {
			st = outcomeStyle(report.Tone(it.Verdict))
		}
		p.item(label{it.Label, st, at}, it.Text, it.Code)
	}
}

// said is a sentence with what stands behind it.
func (p *printer) said(w report.Fact) {
	if width(w.Name) < wider-2 {
		p.item(label{w.Name, plain, wider}, w.Value)
		return
	}
	p.item(label{"-", plain, 4}, w.Name, w.Value)
}

// pile draws a bar with letters, with its legend.
func (p *printer) pile(q *report.Pile) {
	n := min(p.page.Width-2*tableIndent, maxBar)
	var line strings.Builder
	for _, s := range q.Stretches(n) {
		line.WriteString(p.paint(s.Text, partStyle(s.Key)))
	}
	p.line(strings.Repeat(" ", tableIndent) + "[" + line.String() + "]")
	if r := q.Ruler(n); r != "" {
		p.line(strings.Repeat(" ", tableIndent+1) + p.paint(r, dim))
	}
	t := q.Table()
	for i := range t.Columns {
		t.Columns[i].Name = ""
	}
	p.table(t)
	if q.Below != "" {
		p.paragraph(q.Below, dim)
	}
}

// copied is there to be copied, so its lines are not broken, however long they are.
func (p *printer) copied(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	s = strings.ReplaceAll(strings.TrimRight(s, "\n"), "\t", "    ")
	for line := range strings.SplitSeq(printable.Text(s), "\n") {
		p.line(line)
	}
}
