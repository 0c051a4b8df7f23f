package text

import (
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/report"
)

// outlook is what a person in a hurry reads: whether it fits, what on, the sentence, and the figures asked for first.
func (p *printer) outlook(d *report.Document) {
	e := d.Estimate
	p.head(report.Spoken(e.Word()), outcomeStyle(report.Tone(e.Word())), d.Target())
	p.paragraph(e.Summary, plain)
	p.glance(e.Glance(), bold)
	st := e.Speed.Standing()
	if st.Verdict == report.Fits {
		p.glance(joined(e.Speed.Glance(), st.Word), bold)
	} else {
		p.glance(st.Word, outcomeStyle(report.Tone(st.Verdict)))
		p.glance(e.Speed.Glance(), bold)
	}
	p.glance(e.Cost.Glance(), bold)
}

func (p *printer) glance(s string, st style) {
	if s != "" {
		p.paragraph(report.Sentence(s), st)
	}
}

func joined(parts ...string) string {
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " · ")
}

func (p *printer) estimate(e *report.Estimate) {
	if e.Word() != report.Fits {
		p.mends(e)
	}
	p.serving(e)
	p.memory(&e.Outlook)
	p.facts("KV cache", e.CacheFacts())
	p.titled("Other lengths of context", e.ContextTable())
	if e.Word() == report.Fits {
		p.mends(e)
	}
	p.titled(e.CandidateTitle(), e.CandidateTable())
	p.refused(e)
	if e.Plan != nil {
		p.facts("Served like this", e.Plan.Settings())
	}
	p.assumed(e)
	p.facts("The model", e.Model.Facts())
	p.titled("What the sources say of its size", e.Model.SizeTable())
	if e.Explained() {
		p.titled("Where the parameters are", e.Model.ComponentTable())
		p.titled("Tensor by tensor", e.Model.TensorTable())
		p.titled("Symbols", e.Model.SymbolTable())
		p.titled("What the memory adds up from", e.TermTable())
	}
	p.notes(e)
}

// wider is the column beside the name of a setting.
const wider = 26

func (p *printer) titled(title string, t report.Table) {
	if len(t.Rows) == 0 {
		return
	}
	p.heading(title)
	p.table(t)
}

func (p *printer) facts(title string, facts []report.Fact) {
	if len(facts) == 0 {
		return
	}
	p.heading(title)
	for _, f := range facts {
		p.item(label{f.Name, plain, wider}, f.Value)
	}
}

// mends writes what stands against the plan, and what would help.
func (p *printer) mends(e *report.Estimate) {
	title, breaks := e.Trouble()
	if title == "" {
		return
	}
	p.heading(title)
	why := e.Reason()
	switch {
	case breaks != "":
		p.item(label{"breaks", outcomeStyle(report.Tone(e.Word())), narrow}, breaks, why)
	case why != "":
		p.paragraph(why, plain)
	}
	for _, c := range e.Changes {
		text, flag := c.Line()
		p.item(label{"change", green, narrow}, text, flag)
	}
}

// memory draws the account of the device that binds, with its legend.
func (p *printer) memory(o *report.Outlook) {
	if o.Memory == nil {
		return
	}
	p.heading(o.Memory.Title())
	if o.Memory.Capacity > 0 {
		p.bar(o.Memory)
	}
	g := grid{columns: []report.Column{{}, {}, {Number: true}, {Number: true}}}
	for _, part := range o.Parts() {
		g.rows = append(g.rows, gridRow{style: partStyle(part.Key), cells: []string{
			report.Sign(part.Key), part.Name, part.Amount(), o.Memory.Share(part.Bytes),
		}})
	}
	p.grid(g)
	p.paragraph(report.Sentence(o.Memory.Limits())+".", dim)
	if o.Host != nil && *o.Host > 0 {
		p.paragraph("Beside it "+report.GiB(*o.Host)+" in the memory of the host.", plain)
	}
}

// maxBar keeps the drawing readable on a wide screen.
const maxBar = 100

// bar draws the parts with a letter each, so that it needs no color.
func (p *printer) bar(m *report.DeviceMemory) {
	var line strings.Builder
	for _, s := range m.Stretches(min(p.page.Width-2*tableIndent, maxBar)) {
		line.WriteString(p.paint(s.Text, partStyle(s.Key)))
	}
	p.line(strings.Repeat(" ", tableIndent) + "[" + line.String() + "]")
}

func partStyle(part string) style {
	switch part {
	case "weights":
		return blue
	case "activation":
		return yellow
	case "non_torch":
		return cyan
	case "graphs":
		return magenta
	case "kv_cache":
		return green
	case "missing":
		return red
	}
	return dim
}

func (p *printer) refused(e *report.Estimate) {
	if len(e.Refused) == 0 {
		return
	}
	p.heading("Plans that no engine would start")
	for _, r := range e.Refused {
		p.item(label{r.Plan, red, wider}, r.Why)
	}
}

func (p *printer) assumed(e *report.Estimate) {
	if len(e.Assumed) == 0 {
		return
	}
	p.heading("Assumed, because nobody said")
	for _, a := range e.Assumed {
		p.item(label{a.What, yellow, wider}, a.Value, a.Why)
	}
}

func (p *printer) notes(e *report.Estimate) {
	if len(e.Notes) == 0 {
		return
	}
	p.heading("Worth knowing")
	for _, n := range e.Notes {
		p.item(label{"-", plain, 4}, n)
	}
}
