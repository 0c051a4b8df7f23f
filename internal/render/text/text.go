// Package text writes documents for a person at a terminal: the verdict first, then why, then what to do. Color says
// nothing that the words do not say.
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
	Width int  // columns; 0 is 80
	Color bool // true on a terminal that wants it
}

// Render writes the documents, and a summary after several.
func (p Page) Render(w io.Writer, docs []*report.Document) error {
	var b bytes.Buffer
	out := &printer{w: &b, page: p}
	if out.page.Width == 0 {
		out.page.Width = 80
	}
	if len(docs) > 1 {
		out.summary(docs)
	}
	for i, d := range docs {
		if i > 0 || len(docs) > 1 {
			out.line("")
		}
		out.document(d)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// printer lays out lines. Everything it is given passes through package printable, so that color codes are the only
// control characters in what it writes.
type printer struct {
	w    *bytes.Buffer
	page Page
}

func (p *printer) line(s string) { fmt.Fprintln(p.w, strings.TrimRight(s, " ")) }

type style string

const (
	plain  style = ""
	bold   style = "1"
	dim    style = "2"
	red    style = "1;31"
	yellow style = "1;33"
	green  style = "1;32"
	blue   style = "1;34"
)

var outcomeStyle = map[string]style{"allowed": green, "conditional": yellow, "undetermined": blue, "prohibited": red}

func (p *printer) paint(s string, st style) string {
	if !p.page.Color || st == plain {
		return s
	}
	return "\x1b[" + string(st) + "m" + s + "\x1b[0m"
}

// heading starts a part.
func (p *printer) heading(s string) {
	p.line("")
	p.line(p.paint(s, bold))
}

// item writes a labeled paragraph: the label in a column of its own, the text wrapped beside it, details dimmed below.
func (p *printer) item(label string, labelStyle style, column int, text string, details ...string) {
	label = printable.Line(label)
	head := "  " + p.paint(label, labelStyle) + strings.Repeat(" ", max(1, column-2-width(label)))
	indent := strings.Repeat(" ", column)
	if width(label)+3 > column {
		p.line("  " + p.paint(label, labelStyle))
		head = indent
	}
	for i, l := range wrap(printable.Line(text), p.page.Width-column) {
		if i == 0 {
			p.line(head + l)
			continue
		}
		p.line(indent + l)
	}
	for _, d := range details {
		for _, l := range wrap(printable.Line(d), p.page.Width-column) {
			p.line(indent + p.paint(l, dim))
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
	p.line(p.paint(fmt.Sprintf("%d models: %d prohibited, %d undetermined, %d conditional, %d allowed", s.Total, s.Prohibited,
		s.Undetermined, s.Conditional, s.Allowed), bold))
	column := 16
	for _, d := range docs {
		if d.License == nil {
			continue
		}
		p.item(d.License.Outcome, outcomeStyle[d.License.Outcome], column, d.Subject.Ref, d.License.Summary)
	}
}

func (p *printer) document(d *report.Document) {
	if d.License != nil {
		p.license(d)
	}
}
