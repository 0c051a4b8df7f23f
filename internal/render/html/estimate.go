package html

import (
	"html/template"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/render/svg"
	"github.com/llmcheck/llmcheck/internal/report"
)

// drawer draws the bars of one page and numbers them, so that each has an id of its own.
type drawer struct{ n int }

func (d *drawer) id() string {
	d.n++
	return "bar" + strconv.Itoa(d.n)
}

// chart is the account of the device that binds. Package svg escapes every text in it.
func (d *drawer) chart(o report.Outlook) template.HTML {
	m := o.Memory
	s := d.stack(m)
	var words []string
	for _, p := range o.Parts() {
		value := p.Amount()
		if share := m.Share(p.Bytes); share != "" {
			value += " · " + share
		}
		s.Legend = append(s.Legend, svg.Entry{Class: p.Key, Label: p.Name, Value: value})
		words = append(words, p.Name+" "+p.Amount())
	}
	s.Desc = strings.Join(words, ", ") + "; " + m.Limits()
	if s.Over != nil && m.Unused < 0 {
		s.Over.Label = o.Missing() + " missing"
	}
	if m.Capacity > 0 {
		s.Marks = append(s.Marks, svg.Mark{At: s.at(m.Capacity), Label: "card " + report.GiB(m.Capacity), Class: "end"})
	}
	if m.Capacity > 0 && m.Budget > 0 && m.Budget < m.Capacity {
		s.Marks = append(s.Marks, svg.Mark{At: s.at(m.Budget), Label: "the engine's budget " + report.GiB(m.Budget), Class: "budget", Below: true})
	}
	return template.HTML(s.SVG()) //nolint:gosec // escaped by package svg
}

// small is the same bar without words, for a row of a table.
func (d *drawer) small(m *report.DeviceMemory) template.HTML {
	s := d.stack(m)
	s.Desc = "weights " + report.GiB(m.Weights) + ", KV cache " + report.GiB(m.KVCache) + "; " + m.Limits()
	return template.HTML(s.SVG()) //nolint:gosec // escaped by package svg
}

type stack struct {
	svg.Stack
	bar      report.Bar
	capacity int64
}

func (d *drawer) stack(m *report.DeviceMemory) *stack {
	s := &stack{bar: m.Bar(svg.Full), capacity: m.Capacity}
	s.ID, s.Title = d.id(), printable.Line(m.Title())
	if s.bar.Mark < svg.Full {
		s.Over = &svg.Over{From: s.bar.Mark}
	}
	for _, seg := range s.bar.Segments {
		label := ""
		if seg.Key == "weights" || seg.Key == "kv_cache" {
			label = report.PartName(seg.Key)
		}
		s.Segments = append(s.Segments, svg.Segment{Class: seg.Key, Width: seg.Width, Label: label})
	}
	return s
}

// at is the column of an amount, on the scale of the capacity.
func (s *stack) at(bytes int64) int {
	return int(float64(bytes) / float64(s.capacity) * float64(s.bar.Mark))
}

// titledTable is a table below its heading.
type titledTable struct {
	Title string
	report.Table
}

// trouble is what stands against a plan.
type trouble struct {
	Title, Breaks, Why string
	Changes            []change
}

type change struct{ Text, Flag string }

func troubleOf(e *report.Estimate) *trouble {
	title, breaks := e.Trouble()
	if title == "" {
		return nil
	}
	t := &trouble{Title: title, Breaks: breaks, Why: e.Reason()}
	for _, c := range e.Changes {
		text, flag := c.Line()
		t.Changes = append(t.Changes, change{text, flag})
	}
	return t
}

// hosted is what lies in the memory of the host; "" if nothing does.
func hosted(n *int64) string {
	if n == nil || *n <= 0 {
		return ""
	}
	return report.GiB(*n)
}
