package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/render/jsondoc"
	"github.com/llmcheck/llmcheck/internal/report"
)

// maxReport bounds what is read back; our own largest reports are far smaller.
const maxReport = 256 << 20

func newRender(g *global) *cobra.Command {
	var output string
	var schema bool
	cmd := &cobra.Command{
		Use:     "render [file]",
		Short:   "Show a report that was saved as JSON in another format",
		Example: "  llmcheck license ./my-model --format json -o report.json --fail-on none\n  llmcheck render report.json --format html -o report.html",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if schema {
				return g.app.write(output, jsondoc.Schema())
			}
			c, err := g.settings(cmd)
			if err != nil {
				return err
			}
			f, err := render.Find(c.Format)
			if err != nil {
				return usage(err, "")
			}
			docs, err := g.app.readReports(args)
			if err != nil {
				return usage(err, "the file is what --format json or jsonl wrote")
			}
			var b bytes.Buffer
			if err := f.Render(&b, docs, render.Page{Width: g.app.Width, Color: output == "" && g.app.color(c.Color)}); err != nil {
				return err
			}
			return g.app.write(output, b.Bytes())
		},
	}
	cmd.Flags().String("format", "text", "output `format`: "+strings.Join(render.Names(), ", "))
	cmd.Flags().BoolVar(&schema, "schema", false, "print the JSON schema of reports")
	cmd.Flags().StringVarP(&output, "output", "o", "", "`file` to write to instead of the standard output")
	return cmd
}

// readReports reads one document, a batch, or one document a line.
func (a *App) readReports(args []string) ([]*report.Document, error) {
	in, name := a.In, "the standard input"
	if len(args) == 1 && args[0] != "-" {
		f, err := os.Open(args[0])
		if err != nil {
			return nil, fmt.Errorf("reading the report: %w", err)
		}
		defer f.Close()
		in, name = f, args[0]
	}
	dec := json.NewDecoder(io.LimitReader(in, maxReport))
	var docs []*report.Document
	for {
		var one struct {
			report.Document
			Documents []*report.Document `json:"documents"`
		}
		err := dec.Decode(&one)
		switch {
		case err == io.EOF && len(docs) > 0:
			return docs, nil
		case err != nil:
			return nil, fmt.Errorf("reading the report in %s: %w", name, err)
		case one.Schema == report.BatchSchema:
			if slices.Contains(one.Documents, nil) {
				return nil, fmt.Errorf("reading the report in %s: a document of the list is null", name)
			}
			docs = append(docs, one.Documents...)
		case one.Schema == report.Schema:
			docs = append(docs, &one.Document)
		default:
			return nil, fmt.Errorf("reading the report in %s: its schema is %q, want %s", name, one.Schema, report.Schema)
		}
	}
}
