package cli

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sync/errgroup"

	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
)

// answerFlags are those of every command that asks questions about models: how the answer is written, and what may be
// asked for it.
func answerFlags(cmd *cobra.Command, output *string) {
	standard, fl := config.Default(), cmd.Flags()
	fl.String("format", standard.Format, "output `format`: "+strings.Join(render.Names(), ", "))
	fl.StringVarP(output, "output", "o", "", "`file` to write to instead of the standard output")
	fl.Bool("offline", false, "make no request; answer from disk, caches and the catalog")
	catalogFlag(cmd)
	fl.String("cache", "", "`folder` for what is fetched, or none")
	fl.Int("jobs", standard.Jobs, "`models` read at once")
	fl.Duration("timeout", standard.Timeout, "`time` for one model with its base models")
}

// questions are several about one model each, whose answers are written as one page.
type questions struct {
	config *config.Config
	refs   []model.Ref
	beside []model.Ref // other models that they need
	render func(w io.Writer, docs []*report.Document, page render.Page) error
	output string                     // file; "" is the standard output
	ready  func(diligence.Deps) error // checks what only the catalogs can tell; may be nil
	// ask answers question i within its time. Without a document, the command ends with the error.
	ask func(ctx context.Context, d diligence.Deps, i int) (*report.Document, Code, error)
}

// answer asks every question and writes the answers in the order of the questions. The worst status counts.
func (g *global) answer(ctx context.Context, q questions) error {
	progress := g.app.progress(len(q.refs))
	defer progress.stop()
	deps, err := g.deps(q.config, slices.Concat(q.refs, q.beside), progress.hear)
	if err == nil && q.ready != nil {
		err = q.ready(deps)
	}
	if err != nil {
		return err
	}
	docs := make([]*report.Document, len(q.refs))
	codes := make([]Code, len(q.refs))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(q.config.Jobs)
	for i := range q.refs {
		group.Go(func() error {
			defer progress.done()
			limited, cancel := context.WithTimeout(ctx, q.config.Timeout)
			defer cancel()
			var err error
			if docs[i], codes[i], err = q.ask(limited, deps, i); docs[i] == nil {
				return err
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	progress.stop()
	var b bytes.Buffer
	page := render.Page{Width: g.app.Width, Color: q.output == "" && g.app.color(q.config.Color)}
	if err := q.render(&b, docs, page); err != nil {
		return err
	}
	if err := g.app.write(q.output, b.Bytes()); err != nil {
		return err
	}
	return g.app.explain(answered(Worst(codes...)), docs)
}
