package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"text/tabwriter"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

// lesson is what was learned from a file of measurements.
type lesson struct {
	file   *bench.File
	of     string // setting in a line
	found  []diligence.Calibrated
	doubts []string
	kept   string // file of the record; "" if nothing was kept
}

func (l *lesson) write(format, catalog string) ([]byte, error) {
	if format == "json" {
		return l.json()
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s, measured by %s\n\n", printable.Line(l.of), l.file.Format)
	inside, counted := l.table(&b)
	fmt.Fprintf(&b, "\n%d of %d measurements lay within the range of estimate, which is meant to hold eight of ten.\n", inside, counted)
	for _, one := range []struct {
		kind string
		all  []string
	}{{"doubt", l.doubts}, {"note", l.file.Notes}, {"skipped", l.file.Skipped}} {
		for _, s := range one.all {
			fmt.Fprintf(&b, "%s: %s\n", one.kind, printable.Line(s))
		}
	}
	if l.kept == "" {
		fmt.Fprintln(&b, "Nothing was kept.")
	} else {
		fmt.Fprintf(&b, "Kept in %s; estimate counts it wherever --catalog %s is given.\n", printable.Line(l.kept), printable.Line(catalog))
	}
	return b.Bytes(), nil
}

// table holds each measurement against what is computed, and counts those inside and all that could be.
func (l *lesson) table(b *bytes.Buffer) (inside, counted int) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "no.\tmeasured\tat\tvalue\testimate before\tand now")
	for i := range l.found {
		c := &l.found[i]
		m := &c.Measurement
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t", printable.Line(m.ID), m.Metric, loadText(m), figure(m.Value, m.Metric))
		if c.Narrowed == nil {
			fmt.Fprintf(w, "teaches nothing: %s\n", printable.Line(c.Why))
			continue
		}
		counted++
		if c.Inside {
			inside++
		}
		fmt.Fprintf(w, "%s\t%s\n", span(c.Computed, m.Metric), span(c.Narrowed, m.Metric))
	}
	w.Flush() // into memory, where nothing fails
	return inside, counted
}

func loadText(m *bench.Measurement) string {
	var parts []string
	switch {
	case m.Rate > 0:
		parts = append(parts, fmt.Sprintf("%g requests/s", m.Rate))
	case m.Concurrency > 0:
		parts = append(parts, fmt.Sprintf("%d at once", m.Concurrency))
	default:
		parts = append(parts, "unlimited load")
	}
	if m.Input > 0 || m.Output > 0 {
		parts = append(parts, fmt.Sprintf("%d/%d tokens", m.Input, m.Output))
	}
	return strings.Join(parts, ", ")
}

// figure is a value in the unit that people use for it.
func figure(v float64, m bench.Metric) string {
	if m.Seconds() {
		return digits(v*1000) + " ms"
	}
	return digits(v) + " tokens/s"
}

func span(r *report.Range, m bench.Metric) string {
	if m.Seconds() {
		return digits(r.Low*1000) + "-" + digits(r.High*1000) + " ms"
	}
	return digits(r.Low) + "-" + digits(r.High) + " tokens/s"
}

// digits are three of them, or all before the point.
func digits(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	if v <= 0 || math.IsNaN(v) {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(v)))), v)
}

// calibrationSchema names the shape of the JSON.
const calibrationSchema = "llmcheck.calibration/1"

type calibrationJSON struct {
	Schema       string           `json:"schema"`
	Format       string           `json:"format"` // of the file that was read
	Model        string           `json:"model"`
	GPU          string           `json:"gpu"`
	Engine       string           `json:"engine"`
	Measurements []calibratedJSON `json:"measurements"`
	Doubts       []string         `json:"doubts,omitempty"`
	Notes        []string         `json:"notes,omitempty"`
	Skipped      []string         `json:"skipped,omitempty"`
	Kept         string           `json:"kept,omitempty"`
}

type calibratedJSON struct {
	ID          string        `json:"id"`
	Metric      string        `json:"metric"`
	Unit        string        `json:"unit"`
	Concurrency int           `json:"concurrency,omitempty"`
	RequestRate float64       `json:"request_rate,omitempty"`
	Input       int64         `json:"input_tokens,omitempty"`
	Output      int64         `json:"output_tokens,omitempty"`
	Value       float64       `json:"value"`
	Computed    *report.Range `json:"computed,omitempty"`
	Narrowed    *report.Range `json:"narrowed,omitempty"`
	Inside      *bool         `json:"inside,omitempty"`
	Why         string        `json:"why,omitempty"`
}

func (l *lesson) json() ([]byte, error) {
	one := &l.found[0].Measurement
	out := calibrationJSON{
		Schema: calibrationSchema, Format: l.file.Format, Model: one.Model, GPU: one.GPU, Engine: one.Engine,
		Doubts: l.doubts, Notes: l.file.Notes, Skipped: l.file.Skipped, Kept: l.kept,
	}
	for i := range l.found {
		c := &l.found[i]
		m := &c.Measurement
		one := calibratedJSON{
			ID: m.ID, Metric: string(m.Metric), Unit: m.Metric.Unit(), Concurrency: m.Concurrency, RequestRate: m.Rate, Input: m.Input, Output: m.Output,
			Value: m.Value, Computed: c.Computed, Narrowed: c.Narrowed, Why: c.Why,
		}
		if c.Computed != nil {
			one.Inside = &c.Inside
		}
		out.Measurements = append(out.Measurements, one)
	}
	data, err := json.MarshalIndent(out, "", "  ")
	return append(data, '\n'), err
}
