// Package render lists the formats in which a document can be shown. Each format is a package of its own below; none of
// them computes anything: they choose words and places.
package render

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/render/html"
	"github.com/llmcheck/llmcheck/internal/render/jsondoc"
	"github.com/llmcheck/llmcheck/internal/render/markdown"
	"github.com/llmcheck/llmcheck/internal/render/sarif"
	"github.com/llmcheck/llmcheck/internal/render/text"
	"github.com/llmcheck/llmcheck/internal/report"
)

// Page is what a format may know of the place it is shown in.
type Page struct {
	Width int  // columns
	Color bool // true if the place shows colors
}

// Format is one way to show documents. It builds everything in memory and writes once.
type Format struct {
	Name   string
	render func(w io.Writer, docs []*report.Document, p Page) error
}

// ErrEmpty says that there is nothing to show. An empty report would look like one that found nothing wrong.
var ErrEmpty = errors.New("no document to show")

// Render writes the documents.
func (f Format) Render(w io.Writer, docs []*report.Document, p Page) error {
	if len(docs) == 0 || slices.Contains(docs, nil) {
		return fmt.Errorf("writing %s: %w", f.Name, ErrEmpty)
	}
	return f.render(w, docs, p)
}

// formats are all there are; nothing registers itself.
var formats = []Format{
	{"text", func(w io.Writer, docs []*report.Document, p Page) error {
		return text.Page{Width: p.Width, Color: p.Color}.Render(w, docs)
	}},
	{"json", plain(jsondoc.Render)},
	{"jsonl", plain(jsondoc.RenderLines)},
	{"markdown", plain(markdown.Render)},
	{"html", plain(html.Render)},
	{"sarif", plain(sarif.Render)},
}

func plain(render func(io.Writer, []*report.Document) error) func(io.Writer, []*report.Document, Page) error {
	return func(w io.Writer, docs []*report.Document, _ Page) error { return render(w, docs) }
}

// Names lists the formats.
func Names() []string {
	names := make([]string, len(formats))
	for i, f := range formats {
		names[i] = f.Name
	}
	return names
}

// Find returns the format of that name.
func Find(name string) (Format, error) {
	for _, f := range formats {
		if f.Name == name {
			return f, nil
		}
	}
	return Format{}, fmt.Errorf("unknown --format %q, want one of %s", name, strings.Join(Names(), ", "))
}
