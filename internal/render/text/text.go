// Package text writes documents for a person at a terminal: the verdict first, then why, then what to do. Color says
// nothing that the words do not say, and no line is longer than the page is wide.
package text

import (
	"bytes"
	"fmt"
	"io"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

// Page is the paper that is written on.
type Page struct {
	Width int  // columns; 0 is 80, and less than 40 is 40
	Color bool // true on a terminal that wants it
}

// maxWidth keeps lines readable on a wide screen; minWidth leaves room for the labels.
const (
	usualWidth = 80
	minWidth   = 40
	maxWidth   = 160
)

// Render writes the documents, and a summary before several.
func (p Page) Render(w io.Writer, docs []*report.Document) error {
	if p.Width == 0 {
		p.Width = usualWidth
	}
	p.Width = min(max(p.Width, minWidth), maxWidth)
	out := &printer{page: p}
	if len(docs) > 1 {
		out.summary(docs)
	}
	for i, d := range docs {
		if len(docs) > 1 {
			out.rule(i+1, len(docs))
		}
		out.document(d)
	}
	_, err := w.Write(out.b.Bytes())
	return err
}

// printer lays out lines. Everything it is given passes through package printable, so that color codes are the only
// control characters in what it writes.
type printer struct {
	b    bytes.Buffer
	page Page
}

func (p *printer) line(s string) { fmt.Fprintln(&p.b, strings.TrimRight(s, " ")) }

func (p *printer) rule(n, of int) {
	head := fmt.Sprintf("── %d of %d ", n, of)
	p.line("")
	p.line(p.paint(head+strings.Repeat("─", p.page.Width-width(head)), dim))
	p.line("")
}

type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "1;31"
	yellow style = "1;33"
	green  style = "1;32"
	blue   style = "1;34"

	magenta style = "1;35"
	cyan    style = "1;36"
)

func outcomeStyle(outcome string) style {
	switch report.Outcome(outcome) {
	case "allowed":
		return green
	case "conditional":
		return yellow
	case "prohibited":
		return red
	}
	return blue
}

// paint colors a piece of a line; what it colors is free of control characters.
func (p *printer) paint(s string, st style) string {
	if !p.page.Color || st == plain || s == "" {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

// heading starts a part.
func (p *printer) heading(s string) {
	p.line("")
	for _, l := range wrap(printable.Line(s), p.page.Width) {
		p.line(p.paint(l, bold))
	}
}

// label stands in a column of its own before a paragraph.
type label struct {
	text   string
	style  style
	column int // where the paragraph starts
}

func (p *printer) column(n int) int { return min(n, p.page.Width/3) }

// item writes a labeled paragraph: the label in a column of its own, the text wrapped beside it, details dimmed and
// indented below.
func (p *printer) item(l label, text string, details ...string) {
	at := p.column(l.column)
	head := printable.Line(l.text)
	indent := strings.Repeat(" ", at)
	if width(head)+3 > at {
		for _, part := range wrap(head, p.page.Width-2) {
			p.line("  " + p.paint(part, l.style))
		}
		head = indent
	} else {
		head = "  " + p.paint(head, l.style) + strings.Repeat(" ", at-2-width(head))
	}
	for i, part := range wrap(printable.Line(text), p.page.Width-at) {
		if i > 0 {
			head = indent
		}
		p.line(head + part)
	}
	for _, d := range details {
		if d == "" {
			continue
		}
		for _, part := range wrap(printable.Line(d), p.page.Width-at-2) {
			p.line(indent + "  " + p.paint(part, dim))
		}
	}
}

func (p *printer) paragraph(text string, st style) {
	for _, l := range wrap(printable.Line(text), p.page.Width-2) {
		p.line("  " + p.paint(l, st))
	}
}

func (p *printer) summary(docs []*report.Document) {
	s := report.Summarize(docs)
	if s.Licensed() > 0 || s.Estimates == nil && s.Trainings == nil {
		p.strong(fmt.Sprintf("%d models: %d prohibited, %d undetermined, %d conditional, %d allowed", s.Total, s.Prohibited,
			s.Undetermined, s.Conditional, s.Allowed))
	}
	if v := s.Estimates; v != nil {
		p.strong(fmt.Sprintf("%d models: %d fit, %d tight, %d undetermined, %d do not fit", s.Total, v.Fits, v.Tight,
			v.Undetermined, v.DoesNotFit))
	}
	if v := s.Trainings; v != nil {
		p.strong(fmt.Sprintf("%d trainings: %d fit, %d tight, %d undetermined, %d do not fit", s.Total, v.Fits, v.Tight,
			v.Undetermined, v.DoesNotFit))
	}
	p.line("")
	for _, d := range docs {
		if d.License != nil {
			p.item(verdict(d.License.Outcome), d.Subject.Ref, d.License.Summary)
		}
		if e := d.Estimate; e != nil {
			a := e.Answer()
			p.item(label{a.Text, outcomeStyle(report.Tone(a.Verdict)), narrow}, d.Target(), e.Summary)
		}
		if h, ok := d.TrainingHead(); ok {
			p.item(label{h.Answer.Text, outcomeStyle(report.Tone(h.Answer.Verdict)), narrow}, h.About, h.Summary)
		}
	}
}

func (p *printer) strong(s string) {
	for _, l := range wrap(s, p.page.Width) {
		p.line(p.paint(l, bold))
	}
}

func verdict(outcome string) label {
	return label{report.Outcome(outcome), outcomeStyle(outcome), 16}
}

// document writes the verdicts first, then what they rest on, and last what could not be read.
func (p *printer) document(d *report.Document) {
	if d.License == nil && d.Estimate == nil && d.Training == nil {
		p.paragraph(d.Subject.Ref+": the document holds no answer that this format can show", plain)
		p.gaps(d)
		return
	}
	if d.License != nil {
		p.verdict(d)
	}
	if d.Estimate != nil {
		p.outlook(d)
	}
	if h, ok := d.TrainingHead(); ok {
		p.screen(h)
	}
	if r := d.Subject.Revision; r != "" && !strings.HasSuffix(d.Subject.Ref, r) {
		p.line("")
		p.item(label{"revision", bold, narrow}, r)
	} else if d.License != nil {
		p.line("")
	}
	if d.License != nil {
		p.license(d.License)
	}
	if d.Estimate != nil {
		p.estimate(d.Estimate)
	}
	if t := d.Training; t != nil {
		p.sections(t.Sections(), t.Detailed())
	}
	p.gaps(d)
	p.line("")
	if d.Estimate != nil || d.Training != nil {
		p.paragraph(report.Intervals, dim)
	}
	if l := d.License; l != nil {
		p.paragraph(l.Disclaimer+catalogAge(d.Tool), dim)
	}
}

// head is the first line: the verdict and what it is about.
func (p *printer) head(word string, st style, about string) {
	word = strings.ToUpper(word)
	indent := strings.Repeat(" ", len(word)+2)
	head := p.paint(word, st) + "  "
	for _, l := range wrap(printable.Line(about), p.page.Width-len(indent)) {
		p.line(head + p.paint(l, bold))
		head = indent
	}
}
