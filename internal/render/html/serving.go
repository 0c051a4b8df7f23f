package html

import (
	"html/template"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/render/svg"
	"github.com/llmcheck/llmcheck/internal/report"
)

// handful is how many of many candidates are shown unfolded.
const handful = 10

func few(t report.Table) report.Table { return t.First(handful) }

func beyond(e *report.Estimate) string { return e.CandidatesBeyond(handful) }

// glances are the lines below the verdict.
func glances(e *report.Estimate) []string {
	if e.Unserved() {
		return nil
	}
	var lines []string
	for _, g := range []string{e.Glance(), e.Speed.Glance(), e.Cost.Glance()} {
		if g != "" {
			lines = append(lines, report.Sentence(g))
		}
	}
	return lines
}

// subject is what nothing is known of.
func subject(v any) string {
	if _, ok := v.(*report.Cost); ok {
		return "Cost"
	}
	return "Energy"
}

// stepped is a forward pass as a drawing, whose legend has all figures, with a table where there are formulas.
type stepped struct {
	Explained   bool
	Title, Time string
	Shares      []report.Share
	Drawing     template.HTML
	report.Table
}

func (d *drawer) step(title string, parts []report.StepPart) stepped {
	s := stepped{Title: title, Time: report.StepTime(parts), Shares: report.StepShares(parts), Table: report.StepTable(parts)}
	if len(s.Shares) == 0 {
		return s
	}
	s.Columns = s.Columns[1:] // of letters, for a drawing without color
	for i := range s.Rows {
		s.Explained = s.Explained || len(s.Rows[i].Notes) > 0
		s.Rows[i].Cells = s.Rows[i].Cells[1:]
	}
	bar := svg.Stack{ID: d.id(), Title: title}
	for _, seg := range report.StepBar(parts, svg.Full) {
		bar.Segments = append(bar.Segments, svg.Segment{Class: seg.Key, Width: seg.Width, Label: report.CauseName(seg.Key)})
	}
	for _, share := range s.Shares {
		bar.Legend = append(bar.Legend, svg.Entry{Class: share.Key, Label: share.Name, Value: share.Time() + " · " + share.Percent})
		bar.Desc += share.Name + " " + share.Time() + "; "
	}
	s.Drawing = template.HTML(bar.SVG()) //nolint:gosec // escaped by package svg
	return s
}

// drawing is a chart below its heading.
type drawing struct {
	Title   string
	Drawing template.HTML
}

func (d *drawer) throughput(s *report.Speed) *drawing { return d.curve(s.ThroughputChart()) }

func (d *drawer) latency(s *report.Speed) *drawing { return d.curve(s.LatencyChart()) }

func (d *drawer) front(e *report.Estimate) *drawing {
	c, ok := e.FrontChart()
	if !ok {
		return nil
	}
	return d.plot(c, false)
}

func (d *drawer) curve(c report.Chart, ok bool) *drawing {
	if !ok {
		return nil
	}
	return d.plot(c, true)
}

func (d *drawer) plot(c report.Chart, band bool) *drawing {
	p := svg.Plot{ID: d.id(), Title: c.Title, Desc: c.Desc, X: scale(c.X), Y: scale(c.Y), Band: band, Steps: c.Steps, Loose: c.Loose}
	for _, pt := range c.Points {
		p.Spots = append(p.Spots, svg.Spot{X: extent(c.X, pt.X), Y: extent(c.Y, pt.Y), Class: met(pt.Met), Label: pt.Label})
	}
	for _, l := range c.Limits {
		a := c.X
		if l.Along == "y" {
			a = c.Y
		}
		p.Rules = append(p.Rules, svg.Rule{At: a.Place(l.At), Across: l.Along == "y", Label: l.Label})
	}
	return &drawing{c.Title, template.HTML(p.SVG())} //nolint:gosec // escaped by package svg
}

func scale(a report.Axis) svg.Scale {
	s := svg.Scale{Name: a.Name}
	for _, t := range a.Ticks {
		s.Ticks = append(s.Ticks, svg.Tick{At: a.Place(t.At), Label: t.Label})
	}
	return s
}

func extent(a report.Axis, r report.Range) svg.Extent {
	return svg.Extent{Low: a.Place(r.Low), Mid: a.Place(r.Mid), High: a.Place(r.High)}
}

func met(b *bool) string {
	switch {
	case b == nil:
		return "spot"
	case *b:
		return "spot met"
	}
	return "spot missed"
}

// verbatim is text of several lines that is there to be copied.
func verbatim(s string) string { return printable.Text(strings.ReplaceAll(s, "\t", "    ")) }
