// Package markdown writes documents for a pull request: a table of verdicts if there are several, then each report with
// its conditions as a checklist. No link, image, heading, mention or HTML can come from the data.
package markdown

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/llmcheck/llmcheck/internal/report"
)

// mark is one character, so that it needs no variation selector.
func mark(outcome string) string {
	switch report.Outcome(outcome) {
	case "allowed":
		return "✅"
	case "conditional":
		return "🟡"
	case "prohibited":
		return "⛔"
	}
	return "❓"
}

// Render writes the documents.
func Render(w io.Writer, docs []*report.Document) error {
	out := &writer{}
	if len(docs) > 1 {
		out.summary(docs)
		for _, d := range docs {
			out.folded(d)
		}
	} else {
		for _, d := range docs {
			out.document(d)
		}
	}
	_, err := w.Write(out.b.Bytes())
	return err
}

type writer struct{ b bytes.Buffer }

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(&w.b, format, args...) }

func (w *writer) summary(docs []*report.Document) {
	s := report.Summarize(docs)
	if s.Licensed() > 0 || s.Estimates == nil && s.Trainings == nil {
		w.printf("## License check: %d prohibited, %d undetermined, %d conditional, %d allowed\n\n", s.Prohibited, s.Undetermined,
			s.Conditional, s.Allowed)
		w.licenses(docs)
	}
	if v := s.Estimates; v != nil {
		if s.Licensed() > 0 {
			w.printf("\n")
		}
		w.printf("## Memory estimate: %d fit, %d tight, %d undetermined, %d do not fit\n\n", v.Fits, v.Tight, v.Undetermined,
			v.DoesNotFit)
		w.estimates(docs)
	}
	if v := s.Trainings; v != nil {
		if s.Licensed() > 0 || s.Estimates != nil {
			w.printf("\n")
		}
		w.printf("## Training: %d fit, %d tight, %d undetermined, %d do not fit\n\n", v.Fits, v.Tight, v.Undetermined, v.DoesNotFit)
		w.trainings(docs)
	}
}

func (w *writer) licenses(docs []*report.Document) {
	w.printf("| verdict | model | license | to do |\n|---|---|---|---|\n")
	for _, d := range docs {
		if l := d.License; l != nil {
			w.printf("| %s %s | %s | %s | %s |\n", mark(l.Outcome), report.Outcome(l.Outcome), cell(code(d.Subject.Ref)),
				cell(inline(strings.Join(l.Effective, ", "))), cell(inline(d.Glance())))
		}
	}
}

func (w *writer) estimates(docs []*report.Document) {
	w.printf("| verdict | model | in one sentence |\n|---|---|---|\n")
	for _, d := range docs {
		if e := d.Estimate; e != nil {
			a := e.Answer()
			w.printf("| %s %s | %s | %s |\n", fit(a.Verdict), a.Text, cell(code(d.Target())), within(e.Summary))
		}
	}
}

// folded hides the report on one of several models behind its verdicts.
func (w *writer) folded(d *report.Document) {
	var verdicts []string
	if l := d.License; l != nil {
		verdicts = append(verdicts, mark(l.Outcome)+" "+report.Outcome(l.Outcome))
	}
	if e := d.Estimate; e != nil {
		a := e.Answer()
		verdicts = append(verdicts, fit(a.Verdict)+" "+a.Text)
	}
	if h, ok := d.TrainingHead(); ok {
		verdicts = append(verdicts, fit(h.Answer.Verdict)+" "+h.Answer.Text)
	}
	if len(verdicts) == 0 {
		w.printf("\n")
		w.document(d)
		return
	}
	w.printf("\n<details><summary>%s: <code>%s</code></summary>\n\n", strings.Join(verdicts, ", "), tag(d.Target()))
	w.document(d)
	w.printf("\n</details>\n")
}

// document writes the verdicts first, then what they rest on.
func (w *writer) document(d *report.Document) {
	if d.License == nil && d.Estimate == nil && d.Training == nil {
		w.printf("### %s\n\nThe document holds no answer that this format can show.\n", code(d.Subject.Ref))
		return
	}
	if d.License != nil {
		w.verdict(d)
	}
	if d.Estimate != nil {
		if d.License != nil {
			w.printf("\n")
		}
		w.outlook(d)
	}
	if h, ok := d.TrainingHead(); ok {
		w.screen(h)
	}
	if d.License != nil {
		w.license(d)
	}
	if d.Estimate != nil {
		w.estimate(d)
	}
	if d.Training != nil {
		w.training(d)
	}
	if l := d.License; l != nil {
		w.printf("\n<sub>%s</sub>\n", inline(l.Disclaimer+checked(d.Tool)))
	}
}

func (w *writer) verdict(d *report.Document) {
	l := d.License
	w.printf("### %s %s: %s\n\n%s\n", mark(l.Outcome), capital(report.Outcome(l.Outcome)), code(d.Subject.Ref), inline(l.Summary))
	if g := d.Glance(); g != "" {
		w.printf("\n**%s**\n", inline(g))
	}
}

func (w *writer) license(d *report.Document) {
	l := d.License
	w.use(l.Use)
	w.reasons(l)
	conditions, routine := l.Tasks()
	w.tasks("Conditions to meet", conditions)
	w.tasks("Routine: ship the texts, keep the usual rules", routine)
	w.thresholds(l)
	w.list("Answer to decide", len(l.Questions), func(i int) string {
		return code(orElse(l.Questions[i].Flag, l.Questions[i].Input)) + " " + inline(l.Questions[i].Text)
	})
	w.list("What would change the verdict", len(l.Changes), func(i int) string {
		return "**" + report.Outcome(l.Changes[i].Outcome) + "** " + inline(l.Changes[i].Text)
	})
	w.lineage(l)
	w.list("Training data that carries a risk", len(l.Datasets), func(i int) string {
		return code(l.Datasets[i].ID) + " " + inline(l.Datasets[i].Risk) + " — " + inline(l.Datasets[i].Source)
	})
	w.evidence(d)
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

func checked(t report.Tool) string {
	if t.Catalog == "" {
		return ""
	}
	return " License facts as checked on " + t.Catalog + "."
}

func (w *writer) use(u report.Use) {
	w.printf("\nJudged for: %s", inline(u.Said()))
	for _, a := range u.Assumed {
		w.printf("; _assumed: %s_", inline(a))
	}
	w.printf("\n")
}

func (w *writer) list(title string, n int, item func(int) string) {
	if n == 0 {
		return
	}
	w.printf("\n#### %s\n\n", title)
	for i := range n {
		w.printf("- %s\n", item(i))
	}
}

func (w *writer) reasons(l *report.License) {
	groups := l.Findings()
	if len(groups) == 0 {
		return
	}
	w.printf("\n#### Why\n")
	for _, g := range groups {
		w.printf("\n**%s**\n\n", capital(g.Label))
		for _, f := range g.Findings {
			w.printf("- %s", inline(report.Sentence(f.Text)))
			if len(f.Cites) > 0 {
				w.printf(" — %s", inline(report.Places(f.Cites)))
			}
			if len(f.Evidence) > 0 {
				w.printf(" (%s)", inline(strings.Join(f.Evidence, "; ")))
			}
			w.printf("\n")
		}
	}
}

func (w *writer) tasks(title string, list []report.Task) {
	w.list(title, len(list), func(i int) string {
		t := list[i]
		s := "[ ] " + inline(t.Text)
		if t.Exact != "" {
			s += " — word for word: " + code(t.Exact)
		}
		if a := t.Applies(); a != "" {
			s += " _(" + inline(a) + ")_"
		}
		return s + " — " + inline(report.Places(t.Cites))
	})
}

func (w *writer) thresholds(l *report.License) {
	if len(l.Thresholds) == 0 {
		return
	}
	w.printf("\n#### Distance to each threshold\n\n| standing | reached | limit | beyond it | clause |\n|---|---:|---|---|---|\n")
	for _, t := range l.Thresholds {
		reached := "not known"
		if percent, known := t.Share(); known {
			reached = fmt.Sprintf("%d %%", percent)
		}
		w.printf("| %s | %s | %s | %s | %s |\n", cell(inline(t.Standing)), reached, cell(inline(t.Text)), cell(inline(t.Effect)),
			cell(inline(t.Cite().Place())))
	}
}

func (w *writer) lineage(l *report.License) {
	if len(l.Lineage) == 0 {
		return
	}
	w.printf("\n#### Base models\n\n| alone | model | relation | license | read from |\n|---|---|---|---|---|\n")
	for _, a := range l.Lineage {
		w.printf("| %s | %s | %s of %s | %s | %s |\n", report.Outcome(a.Outcome), cell(code(a.Ref)), cell(inline(a.Relation)),
			cell(code(a.Of)), cell(inline(orElse(a.License, "not known"))), cell(inline(a.Source)))
	}
}

func (w *writer) evidence(d *report.Document) {
	l := d.License
	if len(l.Matches)+len(l.Claims)+len(d.Gaps)+len(l.Passages) == 0 {
		return
	}
	w.printf("\n<details><summary>Evidence</summary>\n")
	w.list("Texts and identifiers", len(l.Matches), func(i int) string { return match(l.Matches[i]) })
	w.list("Who says what", len(l.Claims), func(i int) string {
		c := l.Claims[i]
		return fmt.Sprintf("%s, %s: %s → %s", inline(c.Origin), code(c.Where), code(c.Value), inline(orElse(c.ID, "not recognized")))
	})
	w.list("Sentences to read first", len(l.Passages), func(i int) string {
		p := l.Passages[i]
		return fmt.Sprintf("%s, %s: %s", inline(p.Topic), code(place(p.File, p.StartLine, p.EndLine)), inline(p.Quote))
	})
	if d.Estimate == nil && d.Training == nil { // else they stand below both parts
		w.gaps(d)
	}
	w.printf("\n</details>\n")
}

func (w *writer) gaps(d *report.Document) {
	w.list("Not found or not read", len(d.Gaps), func(i int) string {
		g := d.Gaps[i]
		return fmt.Sprintf("%s: %s (%s)", inline(g.What), inline(g.Why), inline(g.Kind))
	})
}

// maxDifferences keeps a comment readable: the JSON has all.
const maxDifferences = 12

func match(m report.Match) string {
	s := fmt.Sprintf("%s: %s %s%s", code(place(m.File, m.StartLine, m.EndLine)), inline(m.Relation), inline(m.ID), coverage(m))
	for i, d := range m.Differences {
		if i == maxDifferences {
			return s + fmt.Sprintf("\n  - and %d more places", len(m.Differences)-i)
		}
		s += "\n  - " + difference(d)
	}
	return s
}

func difference(d report.Difference) string {
	s := lines(d.StartLine, d.EndLine)
	if d.Words != "" {
		s += ", added: " + code(d.Words)
	}
	if d.MissingWords > 0 {
		s += fmt.Sprintf(", %d words of the license are missing here", d.MissingWords)
	}
	return s
}

// place is file:12-20, as compilers write it.
func place(file string, start, end int) string {
	switch {
	case start == 0:
		return file
	case end <= start:
		return fmt.Sprintf("%s:%d", file, start)
	}
	return fmt.Sprintf("%s:%d-%d", file, start, end)
}

func lines(start, end int) string {
	if end <= start {
		return fmt.Sprintf("line %d", start)
	}
	return fmt.Sprintf("lines %d to %d", start, end)
}

func coverage(m report.Match) string {
	if m.LicenseCoverage == nil || m.TextCoverage == nil {
		return ""
	}
	return fmt.Sprintf(" (%.1f %% of the license is in it, %.1f %% of it is the license)", 100**m.LicenseCoverage, 100**m.TextCoverage)
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
