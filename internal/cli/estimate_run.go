package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/fleet"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/manifest"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
)

// runEstimate asks every question and writes one answer.
func runEstimate(ctx context.Context, o *estimateOptions) error {
	failed := make([]error, len(o.asked))
	var docs []*report.Document
	write := func(w io.Writer, answers []*report.Document, page render.Page) error {
		docs = answers
		if o.script {
			return writeManifest(w, answers[0])
		}
		return o.format.Render(w, answers, page)
	}
	err := o.answer(ctx, questions{
		config: o.config, refs: o.refs(), render: write, output: o.output, ready: o.flags.money.known,
		ask: func(ctx context.Context, d diligence.Deps, i int) (*report.Document, Code, error) {
			doc, err := diligence.Estimate(ctx, d, o.asked[i])
			if doc == nil {
				return nil, Failed, estimateFault(err)
			}
			failed[i] = err
			return doc, estimateCode(doc, err), nil
		},
	})
	if s, ok := errors.AsType[*statusError](err); ok {
		if s.Err == nil && o.script {
			s.Err = errors.New(doubtful(docs[0]))
		}
		if s.Hint == "" {
			s.Hint = o.unsized(o.config.Catalog, o.refs(), failed)
		}
	}
	return err
}

// writeManifest writes the plan of --emit and nothing else, so that it can be piped to what runs it. Without one the error
// has the status of the answer.
func writeManifest(w io.Writer, doc *report.Document) error {
	e := doc.Estimate
	if e.Manifest == "" {
		code := NotEnough
		if e.Verdict == string(serve.DoesNot) {
			code = No
		}
		return &statusError{Code: code, Err: fmt.Errorf("writing the plan for %s: there is none: %s", doc.Subject.Ref, e.Why), Hint: "run it without --emit for the whole answer"}
	}
	_, err := io.WriteString(w, e.Manifest)
	return err
}

// doubtful says why a plan that was written is no pass.
func doubtful(doc *report.Document) string {
	e := doc.Estimate
	why := e.Verdict + ": " + e.Why
	switch s := e.Speed; {
	case e.Verdict != string(serve.Fits) || s == nil:
	case s.Saturated:
		why = "saturated: " + s.Why
	case s.Targets != nil:
		why = "targets met: " + s.Targets.Met + "; " + s.Targets.Why
	}
	return "the plan was written, and is no pass: " + why
}

// unsized says what to do about the first model that could not be sized.
func (g *global) unsized(catalog string, refs []model.Ref, failed []error) string {
	for i, err := range failed {
		ref := refs[i]
		switch {
		case errors.Is(err, arch.ErrUnknown):
			return "only architectures with a rule are sized, and none is taken for another; llmcheck catalog models lists models that are known"
		case errors.Is(err, source.ErrNotFound), errors.Is(err, source.ErrOffline):
			if ref.Scheme == model.SchemeHub || ref.Scheme == model.SchemePath && !strings.HasPrefix(ref.Name, ".") && !filepath.IsAbs(ref.Name) {
				return g.similar(catalog, ref.Name)
			}
		}
	}
	return ""
}

func (o *estimateOptions) refs() []model.Ref {
	refs := make([]model.Ref, len(o.asked))
	for i, q := range o.asked {
		refs[i] = q.Ref
	}
	return refs
}

// estimateFault is an error that left no document: the question itself is wrong, or we are.
func estimateFault(err error) error {
	switch {
	case errors.Is(err, quant.ErrName), errors.Is(err, serve.ErrIllegal), errors.Is(err, serve.ErrEngine), errors.Is(err, fleet.ErrQuestion),
		errors.Is(err, diligence.ErrNumber):
		return usage(err, "")
	case errors.Is(err, manifest.ErrPlan):
		return usage(err, "llmcheck help manifests tells what is written, and of which plans")
	case errors.Is(err, gpus.ErrAmbiguous):
		return usage(fmt.Errorf("reading --gpu: %w", err), "say which, like the ids that llmcheck catalog gpus lists")
	case gpus.IsUnknown(err):
		return usage(fmt.Errorf("reading --gpu: %w", err), "--gpu unknown tells what each device holds, without a verdict")
	}
	return err
}

// estimateCode is the status of one answer.
func estimateCode(doc *report.Document, err error) Code {
	if err != nil {
		return unreadCode(doc, err)
	}
	switch doc.Estimate.Verdict {
	case string(serve.Fits):
		return promiseCode(doc.Estimate.Speed)
	case string(serve.DoesNot):
		return No
	}
	return NotEnough
}

// unreadCode is the status of an answer about a model that could not be sized.
func unreadCode(doc *report.Document, err error) Code {
	switch {
	case errors.Is(err, diligence.ErrShape) && slices.ContainsFunc(doc.Gaps, withheld(doc.Subject.Ref)):
		return Unreachable
	case errors.Is(err, arch.ErrUnknown), errors.Is(err, quant.ErrUnknown), errors.Is(err, source.ErrOffline): // nobody was asked
		return NotEnough
	case errors.Is(err, diligence.ErrShape), errors.Is(err, quant.ErrName), errors.Is(err, source.ErrNotFound) && errors.Is(err, fs.ErrNotExist):
		return Usage
	case doc.Subject.Origin == string(model.SchemePath) && !elsewhere(err):
		return Usage
	}
	return Unreachable
}

// promiseCode is the status of what was asked of latency. A plan that fits and does not keep its limits is no answer.
func promiseCode(s *report.Speed) Code {
	switch {
	case s == nil:
		return OK
	case s.Saturated, s.Targets != nil && s.Targets.Met == "no":
		return No
	case s.Targets != nil && s.Targets.Met != "yes", s.Crowded():
		return NotEnough
	}
	return OK
}

// elsewhere tells that something else than this disk failed: the hub that has the base model of an adapter, or the time.
func elsewhere(err error) bool {
	return slices.ContainsFunc([]error{source.ErrNotFound, source.ErrForbidden, source.ErrUnreachable, context.DeadlineExceeded},
		func(kind error) bool { return errors.Is(err, kind) })
}

// withheld tells that a source kept something of a model to itself, so that what seems to be wrong with its files is not.
func withheld(ref string) func(report.Gap) bool {
	return func(g report.Gap) bool { return g.What != ref && missing(g) }
}
