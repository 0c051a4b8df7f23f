package text

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

func (p *printer) license(d *report.Document) {
	l := d.License
	p.line(p.paint(strings.ToUpper(l.Outcome), outcomeStyle[l.Outcome]) + "  " + p.paint(printable.Line(d.Subject.Ref), bold) +
		p.paint(revision(d.Subject), dim))
	p.paragraph(l.Summary, plain)
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
	p.gaps(d)
	p.line("")
	p.paragraph(l.Disclaimer+catalogAge(d.Tool), dim)
}

func revision(s report.Subject) string {
	if s.Revision == "" {
		return ""
	}
	return "  at " + printable.Line(s.Revision)
}

func catalogAge(t report.Tool) string {
	if t.Catalog == "" {
		return ""
	}
	return " License facts as checked on " + t.Catalog + "."
}

func (p *printer) judged(u report.Use) {
	keys := make([]string, 0, len(u.Given))
	for k := range u.Given {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s %v", strings.ReplaceAll(k, "_", " "), spaced(u.Given[k])))
	}
	p.line("")
	if len(parts) == 0 {
		parts = []string{"nothing said about the use"}
	}
	p.item("judged for", bold, 16, strings.Join(parts, "; "))
	for _, a := range u.Assumed {
		p.item("assumed", yellow, 16, a)
	}
}

func spaced(v any) any {
	if list, ok := v.([]string); ok {
		return strings.Join(list, "+")
	}
	return v
}

func (p *printer) binding(l *report.License) {
	info := make(map[string]report.LicenseInfo, len(l.Licenses))
	for _, i := range l.Licenses {
		info[i.ID] = i
	}
	for i, id := range l.Effective {
		label := "license"
		if i > 0 {
			label = "and"
		}
		text, details := id, []string(nil)
		if li, ok := info[id]; ok {
			text = li.Name + " (" + id + ", " + li.Class + ")"
			details = append(details, "facts from "+li.Source+", checked "+li.Checked)
		}
		p.item(label, bold, 16, text, details...)
	}
}

// reasons writes the strictest first; duties have their own list, and grants of what is allowed are left to JSON unless
// there is nothing else to say.
func (p *printer) reasons(l *report.License) {
	list := slices.DeleteFunc(slices.Clone(l.Reasons), func(r report.Reason) bool {
		return r.Code == "duty" || r.Outcome == "allowed" && l.Outcome != "allowed" && r.Code == "grant"
	})
	if len(list) == 0 {
		return
	}
	p.heading("Why")
	for _, r := range list {
		p.item(r.Outcome, outcomeStyle[r.Outcome], 16, r.Text, where(r.License, r.Clause, r.Says, r.Evidence))
	}
}

func where(license, clause, says string, evidence []string) string {
	var parts []string
	if license != "" {
		s := license
		if clause != "" {
			s += ", clause " + clause
		}
		if says != "" {
			s += ": " + says
		}
		parts = append(parts, s)
	}
	return strings.Join(append(parts, evidence...), " · ")
}

func (p *printer) duties(l *report.License) {
	if len(l.Duties) == 0 {
		return
	}
	p.heading("Duties")
	for _, d := range l.Duties {
		var details []string
		if d.Exact != "" && !strings.Contains(d.Text, d.Exact) {
			details = append(details, "exactly: "+d.Exact)
		}
		if d.When != "" {
			details = append(details, choose(d.Certain, "applies: ", "applies if: ")+d.When)
		}
		details = append(details, where(d.License, d.Clause, "", nil))
		p.item("[ ]", plain, 6, d.Text, details...)
	}
}

func choose(b bool, t, f string) string {
	if b {
		return t
	}
	return f
}

func (p *printer) thresholds(l *report.License) {
	if len(l.Thresholds) == 0 {
		return
	}
	p.heading("Thresholds")
	for _, t := range l.Thresholds {
		p.item(t.Standing, choose2(t.Crossed), 22, t.Text, where(t.License, t.Clause, "then: "+t.Effect, nil))
	}
}

func choose2(crossed *bool) style {
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
		p.item(q.Flag, bold, 22, q.Text)
	}
}

func (p *printer) changes(l *report.License) {
	if len(l.Changes) == 0 {
		return
	}
	p.heading("What would change the verdict")
	for _, c := range l.Changes {
		p.item(c.Outcome, outcomeStyle[c.Outcome], 16, c.Text)
	}
}

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
		p.item(a.Outcome, outcomeStyle[a.Outcome], 16, strings.Repeat("  ", a.Depth-1)+a.Ref+" ("+a.Relation+" of it: "+a.Of+"), "+license, a.Source)
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
			id = c.ID
		}
		p.item(c.Origin, plain, 16, fmt.Sprintf("%q, taken for %s", c.Value, id), c.Where)
	}
}

func (p *printer) differences(l *report.License) {
	for _, m := range l.Matches {
		if m.Relation != "modified" || len(m.Differences) == 0 {
			continue
		}
		p.heading(printable.Line(fmt.Sprintf("Differs from %s in %s", m.ID, m.File)))
		for i, d := range m.Differences {
			if i == 12 {
				p.paragraph(fmt.Sprintf("and %d more places", len(m.Differences)-i), dim)
				break
			}
			text := "added: " + d.Words
			if d.Words == "" {
				text = "words left out"
			}
			if d.MissingWords > 0 {
				text += fmt.Sprintf(" (%d words of the license are missing here)", d.MissingWords)
			}
			p.item(lines(d.StartLine, d.EndLine), plain, 16, text)
		}
	}
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
		p.item(s.Topic, bold, 22, s.Quote, s.File+", "+lines(s.StartLine, s.EndLine))
	}
}

func (p *printer) datasets(l *report.License) {
	if len(l.Datasets) == 0 {
		return
	}
	p.heading("Training data")
	for _, d := range l.Datasets {
		p.item(d.ID, bold, 22, d.Risk, d.Source)
	}
}

func (p *printer) gaps(d *report.Document) {
	if len(d.Gaps) == 0 {
		return
	}
	p.heading("Not found or not read")
	for _, g := range d.Gaps {
		p.item(g.Kind, choose3(g.Kind), 16, g.What+": "+g.Why)
	}
}

func choose3(kind string) style {
	if kind == "absent" {
		return dim
	}
	return yellow
}
