package text

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/report"
)

func (p *printer) license(l *report.License) {
	p.judged(l.Use)
	p.binding(l)
	p.reasons(l)
	p.duties(l)
	p.thresholds(l)
	p.questions(l)
	p.changes(l)
	p.lineage(l)
	p.claims(l)
	p.differences(l)
	p.passages(l)
	p.datasets(l)
}

// verdict is what a person in a hurry reads: the outcome, of what, the sentence why, and how much there is to do.
func (p *printer) verdict(d *report.Document) {
	p.head(report.Outcome(d.License.Outcome), outcomeStyle(d.License.Outcome), d.Subject.Ref)
	p.paragraph(d.License.Summary, plain)
	if g := d.Glance(); g != "" {
		p.paragraph(g, bold)
	}
}

func catalogAge(t report.Tool) string {
	if t.Catalog == "" {
		return ""
	}
	return " License facts as checked on " + t.Catalog + "."
}

const (
	narrow = 16 // column of the text beside an outcome
	wide   = 24 // beside a flag, a topic, a figure
)

func (p *printer) judged(u report.Use) {
	p.item(label{"judged for", bold, narrow}, u.Said())
	for _, a := range u.Assumed {
		p.item(label{"assumed", yellow, narrow}, a)
	}
}

func (p *printer) binding(l *report.License) {
	for i, id := range l.Effective {
		head := label{"license", bold, narrow}
		if i > 0 {
			head.text = "and"
		}
		li, ok := l.Info(id)
		if !ok {
			p.item(head, id)
			continue
		}
		p.item(head, li.Name+" ("+id+", "+li.Class+")", "facts from "+li.Source+", checked "+li.Checked)
	}
}

// reasons writes the strictest first, with the outcome before the first of each.
func (p *printer) reasons(l *report.License) {
	groups := l.Findings()
	if len(groups) == 0 {
		return
	}
	p.heading("Why")
	for _, g := range groups {
		head := verdict(g.Outcome)
		if head.text = g.Label; g.Label != g.Outcome {
			head.style = bold
		}
		for _, f := range g.Findings {
			details := []string{}
			for _, c := range f.Cites {
				details = append(details, c.String())
			}
			if len(f.Evidence) > 0 {
				details = append(details, "in "+strings.Join(f.Evidence, " · "))
			}
			p.item(head, f.Text, details...)
			head.text = ""
		}
	}
}

func (p *printer) duties(l *report.License) {
	conditions, routine := l.Tasks()
	p.tasks("Conditions to meet", conditions)
	p.tasks("Routine: ship the texts, keep the usual rules", routine)
}

func (p *printer) tasks(title string, list []report.Task) {
	if len(list) == 0 {
		return
	}
	p.heading(title)
	for _, t := range list {
		var details []string
		if t.Exact != "" {
			details = append(details, "word for word: "+t.Exact)
		}
		if a := t.Applies(); a != "" {
			details = append(details, a)
		}
		p.item(label{"[ ]", plain, 6}, t.Text, append(details, report.Places(t.Cites))...)
	}
}

func (p *printer) thresholds(l *report.License) {
	if len(l.Thresholds) == 0 {
		return
	}
	p.heading("Distance to each threshold")
	for _, t := range l.Thresholds {
		p.item(label{t.Standing, standing(t.Crossed), wide}, bar(t)+t.Text, "beyond it: "+t.Effect, t.Cite().Place())
	}
}

// bar draws how much of the limit is reached.
func bar(t report.Threshold) string {
	percent, known := t.Share()
	if !known {
		return "not known: "
	}
	full := min(percent/10, 10)
	if percent > 0 {
		full = max(full, 1)
	}
	return fmt.Sprintf("[%s%s] %d %%, ", strings.Repeat("#", full), strings.Repeat("-", 10-full), percent)
}

func standing(crossed *bool) style {
	switch {
	case crossed == nil:
		return blue
	case *crossed:
		return red
	}
	return green
}

func (p *printer) questions(l *report.License) {
	if len(l.Questions) == 0 {
		return
	}
	p.heading("Answer to decide")
	for _, q := range l.Questions {
		name := q.Flag
		if name == "" {
			name = q.Input
		}
		p.item(label{name, bold, wide}, q.Text)
	}
}

func (p *printer) changes(l *report.License) {
	if len(l.Changes) == 0 {
		return
	}
	p.heading("What would change the verdict")
	last := ""
	for _, c := range l.Changes {
		head := verdict(c.Outcome)
		if head.text == last {
			head.text = ""
		} else {
			last = head.text
		}
		p.item(head, c.Text)
	}
}

// maxIndent keeps a long lineage on the page.
const maxIndent = 5

func (p *printer) lineage(l *report.License) {
	if len(l.Lineage) == 0 {
		return
	}
	p.heading("Base models")
	for _, a := range l.Lineage {
		license := a.License
		if license == "" {
			license = "license not known"
		}
		head := verdict(a.Outcome)
		head.column += 2 * min(max(a.Depth-1, 0), maxIndent)
		p.item(head, a.Ref+": "+license, a.Relation+" of it: "+a.Of, a.Source)
	}
}

func (p *printer) claims(l *report.License) {
	if len(l.Claims) == 0 {
		return
	}
	p.heading("Who says what")
	for _, c := range l.Claims {
		id := "not recognized"
		if c.ID != "" {
			id = "taken for " + c.ID
		}
		p.item(label{c.Origin, plain, narrow}, "“"+c.Value+"”, "+id, c.Where)
	}
}

// maxDifferences keeps a report readable: the JSON has all.
const maxDifferences = 12

func (p *printer) differences(l *report.License) {
	for _, m := range l.Matches {
		if len(m.Differences) == 0 {
			continue
		}
		p.heading(fmt.Sprintf("Differs from %s in %s", m.ID, m.File))
		for i, d := range m.Differences {
			if i == maxDifferences {
				p.paragraph(fmt.Sprintf("and %d more places, in the JSON", len(m.Differences)-i), dim)
				break
			}
			p.item(label{lines(d.StartLine, d.EndLine), plain, narrow}, difference(d))
		}
	}
}

func difference(d report.Difference) string {
	var parts []string
	if d.Words != "" {
		parts = append(parts, "added: “"+d.Words+"”")
	}
	if d.MissingWords > 0 {
		parts = append(parts, fmt.Sprintf("%d words of the license are missing here", d.MissingWords))
	}
	return strings.Join(parts, "; ")
}

func lines(start, end int) string {
	if end <= start {
		return fmt.Sprintf("line %d", start)
	}
	return fmt.Sprintf("lines %d-%d", start, end)
}

func (p *printer) passages(l *report.License) {
	if len(l.Passages) == 0 {
		return
	}
	p.heading("Sentences to read first")
	for _, s := range l.Passages {
		p.item(label{s.Topic, bold, wide}, "“"+s.Quote+"”", s.File+", "+lines(s.StartLine, s.EndLine))
	}
}

func (p *printer) datasets(l *report.License) {
	if len(l.Datasets) == 0 {
		return
	}
	p.heading("Training data that carries a risk")
	for _, d := range l.Datasets {
		p.item(label{d.ID, bold, wide}, d.Risk, d.Source)
	}
}

func (p *printer) gaps(d *report.Document) {
	if len(d.Gaps) == 0 {
		return
	}
	p.heading("Not found or not read")
	for _, g := range d.Gaps {
		st := yellow
		if g.Kind == "absent" {
			st = dim
		}
		p.item(label{g.Kind, st, narrow}, g.What+": "+g.Why)
	}
}
