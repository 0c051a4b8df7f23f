package markdown

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/report"
)

// fit is the mark of a verdict.
func fit(verdict string) string { return mark(report.Tone(verdict)) }

func (w *writer) outlook(d *report.Document) {
	e := d.Estimate
	a := e.Answer()
	w.printf("### %s %s: %s\n\n%s\n", fit(a.Verdict), capital(a.Text), code(d.Target()), inline(e.Summary))
	for _, g := range []string{e.Glance(), e.Speed.Glance(), e.Cost.Glance()} {
		if g != "" && !e.Unserved() {
			w.printf("\n**%s**\n", inline(report.Sentence(g)))
		}
	}
}

func (w *writer) estimate(d *report.Document) {
	e := d.Estimate
	if e.Word() != report.Fits && !e.Unserved() {
		w.mends(e)
	}
	w.serving(e)
	if !e.Unserved() {
		w.holding(e)
	}
	w.assumed(e)
	w.list("Worth knowing", len(e.Notes), func(i int) string { return inline(e.Notes[i]) })
	w.details(d)
	w.printf("\n<sub>%s</sub>\n", inline(report.Intervals))
}

// holding is what lies in memory, and what would.
func (w *writer) holding(e *report.Estimate) {
	w.memory(&e.Outlook)
	w.facts("KV cache", e.CacheFacts())
	w.table("Other lengths of context", e.ContextTable())
	if e.Word() == report.Fits {
		w.mends(e)
	}
	w.candidates(e)
	w.list("Plans that no engine would start", len(e.Refused), func(i int) string {
		return "**" + inline(e.Refused[i].Plan) + "** — " + inline(e.Refused[i].Why)
	})
}

// handful is how many of many candidates are shown unfolded.
const handful = 10

// candidates are left out where the plans of a fleet stand above.
func (w *writer) candidates(e *report.Estimate) {
	if e.Fleet != nil {
		return
	}
	w.table(e.CandidateTitle(), e.CandidateTable().First(handful))
	if more := e.CandidatesBeyond(handful); more != "" {
		w.unfold(report.Sentence(more), e.CandidateTable())
	}
}

// unfold hides a long table behind what it comes to.
func (w *writer) unfold(summary string, t report.Table) {
	w.printf("\n<details><summary>%s</summary>\n", tag(summary))
	w.rows(t)
	w.printf("\n</details>\n")
}

func (w *writer) mends(e *report.Estimate) {
	title, breaks := e.Trouble()
	if title == "" {
		return
	}
	w.printf("\n#### %s\n", title)
	if breaks != "" {
		w.printf("\n**%s**\n", inline(breaks))
	}
	if why := e.Reason(); why != "" {
		w.printf("\n%s\n", inline(why))
	}
	if len(e.Changes) > 0 {
		w.printf("\n")
	}
	for _, c := range e.Changes {
		text, flag := c.Line()
		w.printf("- %s\n", strings.TrimSpace(inline(text)+" "+code(flag)))
	}
}

// barWidth is that of a line of code in a comment.
const barWidth = 72

func (w *writer) memory(o *report.Outlook) {
	m := o.Memory
	if m == nil {
		return
	}
	w.printf("\n#### %s\n", inline(m.Title()))
	if m.Capacity > 0 {
		w.printf("\n%s\n", code(m.Drawing(barWidth)))
	}
	w.rows(o.MemoryTable())
	limits := report.Sentence(m.Limits()) + "."
	if o.Host != nil && *o.Host > 0 {
		limits += " Beside it " + report.GiB(*o.Host) + " in the memory of the host."
	}
	w.printf("\n%s\n", inline(limits))
}

func (w *writer) facts(title string, facts []report.Fact) {
	w.table(title, factTable(facts))
}

func (w *writer) factRows(facts []report.Fact) {
	if t := factTable(facts); len(t.Rows) > 0 {
		w.rows(t)
	}
}

func factTable(facts []report.Fact) report.Table {
	t := report.Table{Columns: []report.Column{{Name: "what"}, {Name: "value"}}}
	for _, f := range facts {
		t.Rows = append(t.Rows, report.Row{Cells: []string{f.Name, f.Value}})
	}
	return t
}

func (w *writer) assumed(e *report.Estimate) {
	t := report.Table{Columns: []report.Column{{Name: "setting", Code: true}, {Name: "value"}, {Name: "why"}}}
	for _, a := range e.Assumed {
		t.Rows = append(t.Rows, report.Row{Cells: []string{a.What, a.Value, a.Why}})
	}
	w.table("Assumed, because nobody said", t)
}

// details folds what an engineer looks up.
func (w *writer) details(d *report.Document) {
	e := d.Estimate
	w.printf("\n<details><summary>The plan, the model and the evidence</summary>\n")
	if e.Plan != nil && !e.Unserved() {
		w.facts("Served like this", e.Plan.Settings())
	}
	w.facts("The model", e.Model.Facts())
	w.table("What the sources say of its size", e.Model.SizeTable())
	if e.Explained() {
		w.table("Where the parameters are", e.Model.ComponentTable())
		w.table("Tensor by tensor", e.Model.TensorTable())
		w.table("Symbols", e.Model.SymbolTable())
		w.table("What the memory adds up from", e.TermTable())
	}
	w.gaps(d)
	w.printf("\n</details>\n")
}

func (w *writer) table(title string, t report.Table) {
	if len(t.Rows) == 0 {
		return
	}
	w.printf("\n#### %s\n", title)
	w.rows(t)
}

// rows writes a table. What stands below a row becomes a column of its own, if any row has something.
func (w *writer) rows(t report.Table) {
	notes := false
	for _, r := range t.Rows {
		notes = notes || len(r.Notes) > 0
	}
	var head, rule strings.Builder
	for _, c := range t.Columns {
		head.WriteString(" " + within(c.Name) + " |")
		rule.WriteString(map[bool]string{false: "---|", true: "---:|"}[c.Number])
	}
	if notes {
		head.WriteString(" note |")
		rule.WriteString("---|")
	}
	w.printf("\n|%s\n|%s\n", &head, &rule)
	for _, r := range t.Rows {
		w.printf("|")
		for i, c := range r.Cells {
			w.printf(" %s |", w.cell(t.Columns[i], c, r.Verdict, i))
		}
		if notes {
			w.printf(" %s |", within(strings.Join(r.Notes, "; ")))
		}
		w.printf("\n")
	}
}

func (w *writer) cell(c report.Column, s, verdict string, at int) string {
	switch {
	case at == 0 && verdict != "":
		return fit(verdict) + " " + within(s)
	case c.Code:
		return cell(code(s))
	}
	return within(s)
}
