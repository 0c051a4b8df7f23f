package html

import (
	"html/template"

	"github.com/llmcheck/llmcheck/internal/render/svg"
	"github.com/llmcheck/llmcheck/internal/report"
)

// pile is a bar of parts with its legend.
func (d *drawer) pile(p *report.Pile) template.HTML {
	s := d.stacked(p)
	total := p.Total()
	for _, q := range p.Pieces {
		value := q.Value
		if q.More != "" {
			value += " · " + q.More
		}
		s.Legend = append(s.Legend, svg.Entry{Class: q.Key, Label: q.Name, Value: value})
	}
	s.Desc = p.Told()
	if p.End != "" && p.Capacity > 0 {
		s.Marks = append(s.Marks, svg.Mark{At: p.Bar(svg.Full).Mark, Label: p.End, Class: "end"})
	}
	if s.Over != nil {
		s.Over.Label = p.Missing
	}
	for _, m := range p.Marks {
		s.Marks = append(s.Marks, svg.Mark{At: p.Place(m.At, svg.Full), Label: m.Label, Class: "budget", Below: true})
	}
	for _, t := range p.Scale {
		s.Scale = append(s.Scale, svg.Tick{At: t.At / total, Label: t.Label})
	}
	for _, at := range p.Notches {
		s.Notches = append(s.Notches, p.Place(at, svg.Full))
	}
	return template.HTML(s.SVG()) //nolint:gosec // escaped by package svg
}

// slim is the same bar without words, for a row of a table.
func (d *drawer) slim(p *report.Pile) template.HTML {
	s := d.stacked(p)
	s.Desc = p.Told()
	return template.HTML(s.SVG()) //nolint:gosec // escaped by package svg
}

func (d *drawer) stacked(p *report.Pile) svg.Stack {
	bar := p.Bar(svg.Full)
	s := svg.Stack{ID: d.id(), Title: p.Title}
	if bar.Mark < svg.Full {
		s.Over = &svg.Over{From: bar.Mark}
	}
	for _, seg := range bar.Segments {
		s.Segments = append(s.Segments, svg.Segment{Class: seg.Key, Width: seg.Width, Label: seg.Label})
	}
	return s
}

// charted is a chart of a section, which draws itself whatever the figures.
func (d *drawer) charted(c *report.Chart) *drawing { return d.plot(*c, false) }

// screen is the first screen of what training takes.
func screen(d *report.Document) *report.Head {
	h, ok := d.TrainingHead()
	if !ok {
		return nil
	}
	return &h
}
