package markdown

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

// serving is how fast, for how much money and power. What an engineer looks up is folded.
func (w *writer) serving(e *report.Estimate) {
	w.fleet(e)
	s := e.Speed
	st := s.Standing()
	facts := s.Facts()
	if st.Word != "" || len(facts) > 0 {
		w.printf("\n#### %s\n", inline(s.Title()))
		if st.Word != "" {
			w.printf("\n%s **%s**: %s\n", fit(st.Verdict), capital(st.Word), inline(st.Text))
		}
		w.factRows(facts)
	}
	nearest := s.NearestLines()
	w.list("Closest measurements", len(nearest), func(i int) string {
		return inline(nearest[i].Name) + " — " + inline(nearest[i].Value)
	})
	w.unknown("Cost", e.Cost.Unknown())
	w.facts("Cost", e.Cost.Facts())
	w.unknown("Energy", e.Energy.Unknown())
	w.facts("Energy", e.Energy.Facts())
	w.lookup(e)
	w.manifest(e.Manifest)
}

// lookup folds what the figures of speed, cost and energy rest on.
func (w *writer) lookup(e *report.Estimate) {
	inner := &writer{}
	inner.table("The same plan at other loads", e.Speed.CurveTable())
	inner.table(inline(e.Speed.TailTitle()), e.Speed.TailTable())
	if s := e.Speed; s != nil {
		inner.step("One step of decoding", s.Step)
		inner.step("One step of reading prompts", s.Prefill)
	}
	inner.facts("What the speed is held against", e.Speed.PeakFacts())
	inner.facts("What the words mean", e.Speed.Definitions())
	inner.facts("What share is used", e.Cost.Shares())
	inner.table("What others take for the same plan", e.Cost.PriceTable())
	inner.table("A month of owning it", e.Cost.BoughtTable())
	inner.table("What the power adds up from", e.Energy.PartTable())
	if inner.b.Len() > 0 {
		w.printf("\n<details><summary>What speed, cost and energy rest on</summary>\n%s\n</details>\n", inner.b.String())
	}
}

func (w *writer) step(title string, parts []report.StepPart) {
	total := report.StepTime(parts)
	if total == "" {
		return
	}
	var bar strings.Builder
	for _, s := range report.StepBar(parts, barWidth-len("[]")) {
		bar.WriteString(strings.Repeat(report.CauseSign(s.Key), s.Width))
	}
	w.printf("\n#### %s: %s\n\n%s\n", title, total, code("["+bar.String()+"]"))
	w.rows(report.StepTable(parts))
}

func (w *writer) fleet(e *report.Estimate) {
	f := e.Fleet
	if f == nil {
		return
	}
	w.printf("\n#### %s\n", f.Title())
	w.factRows(f.Facts())
	if t := e.PlanTable(); len(t.Rows) > 0 {
		w.rows(t)
		w.printf("\n<sub>%s</sub>\n", inline(report.PlanKey))
	}
	w.table(e.NearTitle(), e.NearTable())
	if rest := e.Rest(); rest != "" {
		w.unfold(report.Sentence(rest), f.RejectedTable())
	}
}

// unknown is one line in place of a part of which nothing is known.
func (w *writer) unknown(what, why string) {
	if why != "" {
		w.printf("\n**%s not known**: %s\n", what, inline(why))
	}
}

func (w *writer) manifest(s string) {
	if strings.TrimSpace(s) == "" {
		return
	}
	w.printf("\n#### To run it\n")
	w.copied(s)
}

// copied is a block of code, fenced with more backticks than there are in a row in it.
func (w *writer) copied(s string) {
	s = printable.Text(strings.ReplaceAll(strings.TrimRight(s, "\n"), "\t", "    "))
	if strings.TrimSpace(s) == "" {
		return
	}
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	w.printf("\n%s\n%s\n%s\n", fence, s, fence)
}
