package markdown

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/report"
)

// trainings is a table of what several trainings take.
func (w *writer) trainings(docs []*report.Document) {
	w.printf("| verdict | training | in one sentence |\n|---|---|---|\n")
	for _, d := range docs {
		if h, ok := d.TrainingHead(); ok {
			w.printf("| %s %s | %s | %s |\n", fit(h.Answer.Verdict), h.Answer.Text, cell(code(h.About)), within(h.Summary))
		}
	}
}

// screen is what a person in a hurry reads.
func (w *writer) screen(h report.Head) {
	w.printf("### %s %s: %s\n\n%s\n", fit(h.Answer.Verdict), capital(h.Answer.Text), code(h.About), inline(h.Summary))
	for _, g := range h.Glances {
		w.printf("\n**%s**\n", inline(g))
	}
}

// training writes the parts of the answer; what an engineer looks up is folded.
func (w *writer) training(d *report.Document) {
	folded := &writer{}
	for _, s := range d.Training.Sections() {
		if s.Looked {
			folded.section(&s)
			continue
		}
		w.section(&s)
	}
	if d.Estimate == nil {
		folded.gaps(d)
	}
	if folded.b.Len() > 0 {
		w.printf("\n<details><summary>What it adds up from, and the evidence</summary>\n%s\n</details>\n", folded.b.String())
	}
	if d.Estimate == nil {
		w.printf("\n<sub>%s</sub>\n", inline(report.Intervals))
	}
}

func (w *writer) section(s *report.Section) {
	if s.Unknown != "" {
		w.unknown(s.Title, s.Unknown)
		return
	}
	w.printf("\n#### %s\n", inline(s.Title))
	for _, says := range s.Says {
		w.printf("\n%s\n", inline(says))
	}
	w.items(s.Items)
	w.factRows(s.Facts)
	if s.Pile != nil {
		w.pile(s.Pile)
	}
	if len(s.Table.Rows) > 0 {
		w.rows(s.Table)
	}
	if len(s.Words) > 0 {
		w.printf("\n")
	}
	for _, f := range s.Words {
		w.printf("- %s\n", strings.TrimSuffix(inline(f.Name)+" — "+inline(f.Value), " — "))
	}
	w.copied(s.Copied)
	if s.Below != "" {
		w.printf("\n<sub>%s</sub>\n", inline(s.Below))
	}
}

func (w *writer) items(list []report.Item) {
	if len(list) > 0 {
		w.printf("\n")
	}
	for _, it := range list {
		head := ""
		if it.Label != "" && it.Label != "-" {
			head = "**" + inline(it.Label) + "**: "
		}
		w.printf("- %s\n", strings.TrimSpace(head+inline(it.Text)+" "+code(it.Code)))
	}
}

// pile draws a bar with letters, with its legend.
func (w *writer) pile(p *report.Pile) {
	w.printf("\n%s\n", code(p.Drawing(barWidth)))
	w.rows(p.Table())
	if p.Below != "" {
		w.printf("\n%s\n", inline(p.Below))
	}
}
