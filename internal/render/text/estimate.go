package text

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/report"
)

// outlook is what a person in a hurry reads: whether it fits, what on, the sentence, and the figures asked for first.
func (p *printer) outlook(d *report.Document) {
	e := d.Estimate
	a := e.Answer()
	p.head(a.Text, outcomeStyle(report.Tone(a.Verdict)), d.Target())
	p.paragraph(e.Summary, plain)
	if e.Unserved() {
		return
	}
	for _, g := range []string{e.Glance(), e.Speed.Glance(), e.Cost.Glance()} {
		p.glance(g)
	}
}

func (p *printer) glance(s string) {
	if s != "" {
		p.paragraph(report.Sentence(s), bold)
	}
}

func (p *printer) estimate(e *report.Estimate) {
	if e.Word() != report.Fits && !e.Unserved() {
		p.mends(e)
	}
	p.serving(e)
	if !e.Unserved() {
		p.holding(e)
	}
	p.assumed(e)
	p.facts("The model", e.Model.Facts())
	p.origins(e)
	p.notes(e)
}

// holding is what lies in memory, and what would.
func (p *printer) holding(e *report.Estimate) {
	p.memory(&e.Outlook)
	p.facts("KV cache", e.CacheFacts())
	p.titled("Other lengths of context", e.ContextTable())
	if e.Word() == report.Fits {
		p.mends(e)
	}
	p.candidates(e)
	p.refused(e)
	p.settings(e)
}

// origins are what the sizes rest on. Where nobody asked for details, sources that agree need no table.
func (p *printer) origins(e *report.Estimate) {
	if e.Detailed() || !e.Model.Agreed() {
		p.titled("What the sources say of its size", e.Model.SizeTable())
	}
	if e.Detailed() {
		p.titled("Where the parameters are", e.Model.ComponentTable())
		p.titled("Tensor by tensor", e.Model.TensorTable())
		p.titled("Symbols", e.Model.SymbolTable())
		p.titled("What the memory adds up from", e.TermTable())
	}
}

// handful is how many of many candidates are shown where nobody asked for all.
const handful = 10

// candidates are left out where the plans of a fleet stand above.
func (p *printer) candidates(e *report.Estimate) {
	if e.Fleet != nil {
		return
	}
	if e.Detailed() {
		p.titled(e.CandidateTitle(), e.CandidateTable())
		return
	}
	p.titled(e.CandidateTitle(), e.CandidateTable().First(handful))
	if more := e.CandidatesBeyond(handful); more != "" {
		p.paragraph(more+"; "+everything, dim)
	}
}

// everything says how to see what is left out.
const everything = "--explain lists all"

func (p *printer) settings(e *report.Estimate) {
	if e.Plan == nil {
		return
	}
	if e.Detailed() {
		p.facts("Served like this", e.Plan.Settings())
		return
	}
	if line := e.Plan.SettingsLine(); line != "" {
		p.heading("Served like this")
		p.paragraph(line, plain)
	}
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

// partStyle is the color of a part of a bar.
func partStyle(part string) style {
	switch part {
	case "weights", "training", "rollouts":
		return blue
	case "activation", "activations", "compute":
		return yellow
	case "non_torch", "sampler", "gradients", "attention", "imbalance", "scoring":
		return cyan
	case "graphs", "network", "logits":
		return magenta
	case "kv_cache", "kv", "optimizer", "recompute", "beyond":
		return green
	case "missing", "bubble", "failures", "other_models":
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
		p.item(label{a.What, yellow, wider}, joined(a.Value, a.Why))
	}
}

// joined puts the reason behind the value.
func joined(value, why string) string {
	if value == "" || why == "" {
		return value + why
	}
	return value + ": " + why
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
