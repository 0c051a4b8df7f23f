// Package html writes documents as one page for a board or a lawyer: self-contained, without a script or an outside
// request, readable in light and dark and on paper. Every text goes through html/template; the page forbids itself
// everything else by its content security policy.
package html

import (
	"bytes"
	_ "embed"
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

// Render writes the documents.
func Render(w io.Writer, docs []*report.Document) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"clean": printable.Line, "reasons": reasons, "place": place, "percent": percent, "given": given, "bar": barOf,
		"join": strings.Join, "short": short, "indent": func(depth int) int { return 16 * (depth - 1) },
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("reading the page template: %w", err)
	}
	var b bytes.Buffer
	if err := t.Execute(&b, data{Docs: docs, Summary: report.Summarize(docs), Title: title(docs)}); err != nil {
		return fmt.Errorf("writing HTML: %w", err)
	}
	_, err = w.Write(b.Bytes())
	return err
}

type data struct {
	Title   string
	Docs    []*report.Document
	Summary report.Summary
}

func title(docs []*report.Document) string {
	if len(docs) == 1 {
		return "License check of " + printable.Line(docs[0].Subject.Ref)
	}
	return fmt.Sprintf("License check of %d models", len(docs))
}

// reasons leaves out what has a list of its own, and grants where something stands against the use.
func reasons(l *report.License) []report.Reason {
	return slices.DeleteFunc(slices.Clone(l.Reasons), func(r report.Reason) bool {
		return r.Code == "duty" || r.Outcome == "allowed" && l.Outcome != "allowed" && r.Code == "grant"
	})
}

func place(file string, start, end int) string {
	switch {
	case start == 0:
		return file
	case end <= start:
		return fmt.Sprintf("%s, line %d", file, start)
	}
	return fmt.Sprintf("%s, lines %d to %d", file, start, end)
}

func percent(v *float64) string {
	if v == nil {
		return ""
	}
	return fmt.Sprintf("%.1f %%", 100**v)
}

// short cuts a revision to what a person compares.
func short(s string) string {
	if len(s) > 19 {
		return s[:19] + "…"
	}
	return s
}

// given writes the use in the order of its keys.
func given(u report.Use) string {
	keys := make([]string, 0, len(u.Given))
	for k := range u.Given {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	parts := make([]string, len(keys))
	for i, k := range keys {
		v := fmt.Sprint(u.Given[k])
		parts[i] = strings.ReplaceAll(k, "_", " ") + " " + strings.Trim(v, "[]")
	}
	return strings.Join(parts, " · ")
}

// bar is a threshold as a drawing: where the company stands between zero and the limit.
type bar struct {
	Width int // of 300 units; 0 if the figure is not known
	Class string
	Title string
}

func barOf(t report.Threshold) bar {
	b := bar{Class: "unknown", Title: t.Standing}
	if t.Crossed != nil {
		b.Class = map[bool]string{true: "prohibited", false: "allowed"}[*t.Crossed]
	}
	if t.Value != nil && t.Limit > 0 {
		b.Width = max(2, int(300*min(1, *t.Value/t.Limit)))
	}
	return b
}
