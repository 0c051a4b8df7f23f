// Package html writes documents as one page for a board or a lawyer: self-contained, without a script or an outside
// request, readable in light and dark and on paper. Every text goes through html/template; the page forbids itself
// everything but its own style by its content security policy.
package html

import (
	"bytes"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

//go:embed page.html
var page string

//go:embed estimate.html
var estimatePage string

//go:embed section.html
var sectionPage string

//go:embed style.css
var style string

// Render writes the documents.
func Render(w io.Writer, docs []*report.Document) error {
	bars := &drawer{}
	t, err := template.New("page").Funcs(functions).Funcs(template.FuncMap{
		"chart": bars.chart, "small": bars.small, "step": bars.step, "throughput": bars.throughput, "latency": bars.latency, "front": bars.front,
		"pile": bars.pile, "slim": bars.slim, "charted": bars.charted,
	}).
		Parse(estimatePage + sectionPage + page)
	if err != nil {
		return fmt.Errorf("reading the page template: %w", err)
	}
	var b bytes.Buffer
	err = t.Execute(&b, data{
		Title: title(docs), Kicker: kicker(docs), Docs: docs, Summary: report.Summarize(docs), Policy: policy(),
		Style: template.CSS(style), //nolint:gosec // our own file
	})
	if err != nil {
		return fmt.Errorf("writing HTML: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

type data struct {
	Title   string
	Kicker  string
	Docs    []*report.Document
	Summary report.Summary
	Policy  string
	Style   template.CSS
}

// policy allows nothing but the one style sheet, by its hash: no style, script, picture or form that data might bring.
func policy() string {
	sum := sha256.Sum256([]byte(style))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) +
		"'; base-uri 'none'; form-action 'none'"
}

var functions = template.FuncMap{
	"clean": printable.Line, "join": strings.Join, "outcome": report.Outcome, "capital": capital, "kicker": func(d *report.Document) string { return kicker([]*report.Document{d}) }, "sign": sign,
	"place": place, "percent": percent, "places": report.Places, "sentence": report.Sentence, "bar": barOf, "bound": bound, "measured": measured, "when": when,
	"tone": report.Tone, "spoken": report.Spoken, "trouble": troubleOf, "hosted": hosted, "glances": glances,
	"few": few, "beyond": beyond, "subject": subject, "plankey": func() string { return report.PlanKey },
	"verbatim": verbatim, "screen": screen,
	"intervals":  func() string { return report.Intervals },
	"titled":     func(title string, t report.Table) titledTable { return titledTable{title, t} },
	"anchor":     func(i int) string { return fmt.Sprintf("m%d", i+1) },
	"depth":      func(d int) string { return fmt.Sprintf("d%d", min(max(d, 1), 5)) },
	"tasks":      func(title string, list []report.Task) tasks { return tasks{title, list} },
	"conditions": func(l *report.License) []report.Task { c, _ := l.Tasks(); return c },
	"routine":    func(l *report.License) []report.Task { _, r := l.Tasks(); return r },
}

type tasks struct {
	Title string
	List  []report.Task
}

func title(docs []*report.Document) string {
	if len(docs) == 1 {
		return kicker(docs) + " of " + printable.Line(docs[0].Subject.Ref)
	}
	return fmt.Sprintf("%s of %d models", kicker(docs), len(docs))
}

// kicker names what was asked.
func kicker(docs []*report.Document) string {
	estimates := slices.ContainsFunc(docs, func(d *report.Document) bool { return d.Estimate != nil })
	memory := "Memory estimate"
	if slices.ContainsFunc(docs, func(d *report.Document) bool { return d.Estimate != nil && d.Estimate.Speed != nil }) {
		memory = "Estimate of memory and speed"
	}
	if slices.ContainsFunc(docs, func(d *report.Document) bool { return d.Estimate != nil && d.Estimate.Cost.Glance() != "" }) {
		memory = "Estimate of memory, speed and cost"
	}
	if slices.ContainsFunc(docs, func(d *report.Document) bool { return d.Training != nil }) {
		memory = joined(estimates, memory, "Estimate of training")
		estimates = true
	}
	switch licenses := slices.ContainsFunc(docs, func(d *report.Document) bool { return d.License != nil }); {
	case estimates && licenses:
		return "License check and " + strings.ToLower(memory[:1]) + memory[1:]
	case estimates:
		return memory
	}
	return "License check"
}

// joined names both of two estimates, if there are two.
func joined(both bool, one, other string) string {
	if !both {
		return other
	}
	return one + ", and " + strings.ToLower(other[:1]) + other[1:]
}

func capital(s string) string { return strings.ToUpper(s[:1]) + s[1:] }

// sign repeats the verdict for the eye.
func sign(outcome string) string {
	switch report.Outcome(outcome) {
	case "allowed":
		return "✓"
	case "conditional":
		return "!"
	case "prohibited":
		return "✕"
	}
	return "?"
}

func when(d *report.Document) string { return d.Generated.UTC().Format("2006-01-02 15:04 UTC") }

func place(file string, start, end int) string {
	s := file
	switch {
	case start == 0:
		return file
	case end <= start:
		s += fmt.Sprintf(", line %d", start)
	default:
		s += fmt.Sprintf(", lines %d to %d", start, end)
	}
	return strings.TrimPrefix(s, ", ")
}

func percent(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100**v)
}

// measured reports whether any match has coverages to show.
func measured(l *report.License) bool {
	return slices.ContainsFunc(l.Matches, func(m report.Match) bool { return m.LicenseCoverage != nil || m.TextCoverage != nil })
}

// bound introduces the licenses that bind; of one that the catalog does not have, the id is all there is.
func bound(l *report.License) []report.LicenseInfo {
	out := make([]report.LicenseInfo, len(l.Effective))
	for i, id := range l.Effective {
		li, ok := l.Info(id)
		if !ok {
			li = report.LicenseInfo{ID: id, Name: "not in the catalog"}
		}
		out[i] = li
	}
	return out
}

// bar is a threshold as a drawing of 300 units: the limit stands at 250, what is beyond it runs over the end.
type bar struct {
	Known bool
	Width int
	Class string
	Words string
}

const atLimit = 250

func barOf(t report.Threshold) bar {
	percent, known := t.Share()
	b := bar{Known: known, Class: "undetermined", Words: "not known how much of the limit is reached"}
	if t.Crossed != nil {
		b.Class = map[bool]string{true: "prohibited", false: "allowed"}[*t.Crossed]
	}
	if known {
		b.Width = max(2, atLimit*min(percent, 120)/100)
		b.Words = fmt.Sprintf("%d %% of the limit", percent)
	}
	return b
}
