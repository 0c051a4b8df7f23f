package text

import (
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
	nearest := s.NearestLines()
	if !e.Detailed() && len(nearest) > 1 {
		nearest = nearest[:1]
	}
	for _, n := range nearest {
		p.item(label{"closest published", plain, wider}, n.Name, n.Value)
	}
	for _, d := range s.Definitions() {
		p.paragraph(d.Name+": "+d.Value+".", dim)
	}
	p.curves(e)
	if e.Detailed() {
		p.titled("The same plan at other loads", s.CurveTable())
		p.titled(s.TailTitle(), s.TailTable())
		p.step("One step of decoding", s.Step)
		p.step("One step of reading prompts", s.Prefill)
		p.facts("What the speed is held against", s.PeakFacts())
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
		line.WriteString(p.paint(strings.Repeat(report.CauseSign(s.Key), s.Width), causeStyle(s.Key)))
	}
	p.line(strings.Repeat(" ", tableIndent) + "[" + line.String() + "]")
	p.table(report.StepTable(parts))
}

func causeStyle(key string) style {
	switch key {
	case "weights":
		return blue
	case "kv":
		return green
	case "compute":
		return yellow
	case "network":
		return magenta
	case "bubble":
		return red
	case "sampler":
		return cyan
	}
	return dim
}

func (p *printer) cost(e *report.Estimate) {
	facts := e.Cost.Facts()
	if len(facts) == 0 {
		return
	}
	p.facts("Cost", facts)
	if !e.Detailed() {
		if other := e.Cost.Elsewhere(); other != "" {
			p.item(label{"sold as", plain, wider}, other)
		}
		return
	}
	p.titled("What others take for the same plan", e.Cost.PriceTable())
	p.titled("A month of owning it", e.Cost.BoughtTable())
}

func (p *printer) energy(e *report.Estimate) {
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
	if len(f.Front) > 0 {
		p.table(f.FrontTable())
	}
	if c, ok := e.FrontChart(); ok && (e.Detailed() || p.page.Width >= roomy) {
		p.scatter(c)
	}
	p.titled("Why not the others", f.RejectedTable())
}

// manifest is there to be copied, so its lines are not broken, however long they are.
func (p *printer) manifest(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	p.heading("To run it")
	s = strings.ReplaceAll(strings.TrimRight(s, "\n"), "\t", "    ")
	for line := range strings.SplitSeq(printable.Text(s), "\n") {
		p.line(line)
	}
}
