package text

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

// serving is how fast, for how much money and power; with details where the document was made to explain.
func (p *printer) serving(e *report.Estimate) {
	p.fleet(e)
	p.speed(e)
	p.cost(e)
	p.energy(e)
	p.manifest(e.Manifest)
}

func (p *printer) speed(e *report.Estimate) {
	s := e.Speed
	facts := s.Facts()
	st := s.Standing()
	if s == nil || len(facts) == 0 && st.Word == "" {
		return
	}
	p.heading(s.Title())
	if st.Word != "" {
		p.item(label{st.Word, outcomeStyle(report.Tone(st.Verdict)), wider}, st.Text)
	}
	for _, f := range facts {
		p.item(label{f.Name, plain, wider}, f.Value)
	}
	p.nearest(e)
	if !e.Detailed() {
		if len(s.Defined) > 0 {
			p.paragraph(report.Terms, dim)
		}
		p.curves(e)
		return
	}
	for _, d := range s.Definitions() {
		p.paragraph(d.Name+": "+d.Value+".", dim)
	}
	p.curves(e)
	p.titled("The same plan at other loads", s.CurveTable())
	p.titled(s.TailTitle(), s.TailTable())
	p.step("One step of decoding", s.Step)
	p.step("One step of reading prompts", s.Prefill)
	p.facts("What the speed is held against", s.PeakFacts())
}

// nearest is the published measurement that is closest, in as much as two lines hold; all of them where details are asked.
func (p *printer) nearest(e *report.Estimate) {
	if e.Detailed() {
		for _, n := range e.Speed.NearestLines() {
			p.item(label{"closest measured", plain, wider}, n.Name, n.Value)
		}
		return
	}
	line := ""
	for i, part := range e.Speed.NearestBrief() {
		longer := "Closest measured: " + part
		if i > 0 {
			longer = line + "; " + part
		}
		if i > 1 && len(wrap(printable.Line(longer), p.page.Width-2)) > 2 {
			continue
		}
		line = longer
	}
	if line != "" {
		p.paragraph(line, plain)
	}
}

// curves are drawn where there is room, or details are asked for.
func (p *printer) curves(e *report.Estimate) {
	if !e.Detailed() && p.page.Width < roomy {
		return
	}
	if c, ok := e.Speed.ThroughputChart(); ok {
		p.curve(c)
	}
}

// step draws what a forward pass consists of, with its legend.
func (p *printer) step(title string, parts []report.StepPart) {
	total := report.StepTime(parts)
	if total == "" {
		return
	}
	p.heading(title + ": " + total)
	var line strings.Builder
	for _, s := range report.StepBar(parts, min(p.page.Width-2*tableIndent, maxBar)-len("[]")) {
		line.WriteString(p.paint(strings.Repeat(report.CauseSign(s.Key), s.Width), partStyle(s.Key)))
	}
	p.line(strings.Repeat(" ", tableIndent) + "[" + line.String() + "]")
	p.table(report.StepTable(parts))
}

func (p *printer) cost(e *report.Estimate) {
	p.unknown("cost", e.Cost.Unknown())
	facts := e.Cost.Facts()
	if len(facts) == 0 {
		return
	}
	p.facts("Cost", facts)
	if !e.Detailed() {
		return
	}
	p.facts("What share is used", e.Cost.Shares())
	p.titled("What others take for the same plan", e.Cost.PriceTable())
	p.titled("A month of owning it", e.Cost.BoughtTable())
}

// unknown is one line in place of a part of which nothing is known.
func (p *printer) unknown(what, why string) {
	if why == "" {
		return
	}
	p.line("")
	p.item(label{what + " not known", bold, wider}, why)
}

func (p *printer) energy(e *report.Estimate) {
	p.unknown("energy", e.Energy.Unknown())
	p.facts("Energy", e.Energy.Facts())
	if e.Detailed() {
		p.titled("What the power adds up from", e.Energy.PartTable())
	}
}

func (p *printer) fleet(e *report.Estimate) {
	f := e.Fleet
	if f == nil {
		return
	}
	p.heading(f.Title())
	for _, fact := range f.Facts() {
		p.item(label{fact.Name, plain, wider}, fact.Value)
	}
	p.plans(e)
	if c, ok := e.FrontChart(); ok && (e.Detailed() || p.page.Width >= roomy) {
		p.scatter(c)
	}
	if e.Detailed() {
		p.titled("Why not the others", f.RejectedTable())
		return
	}
	p.titled(e.NearTitle(), e.NearTable())
	if rest := e.Rest(); rest != "" {
		p.paragraph(report.Sentence(rest)+"; "+everything, dim)
	}
}

// crowd is how many of many plans are shown where nobody asked for all: those of the front, and some beside them.
const crowd = 16

func (p *printer) plans(e *report.Estimate) {
	t := e.PlanTable()
	all := len(t.Rows)
	if all == 0 {
		return
	}
	if !e.Detailed() {
		chosen := slices.IndexFunc(t.Rows, func(r report.Row) bool { return strings.HasSuffix(r.Cells[0], "*") })
		t = t.First(max(crowd, chosen+1))
	}
	p.table(t)
	p.paragraph(report.PlanKey, dim)
	if left := all - len(t.Rows); left > 0 {
		p.paragraph(fmt.Sprintf("And %d more that cost as much or more; %s", left, everything), dim)
	}
}

func (p *printer) manifest(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	p.heading("To run it")
	p.copied(s)
}
