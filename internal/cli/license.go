package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/records"
	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/source"
)

// licenseOptions is a checked command line of llmcheck license.
type licenseOptions struct {
	*global
	config *config.Config
	file   string // list of models
	output string
	use    useFlags

	asked  []diligence.LicenseQuestion
	failOn []license.Outcome
	format render.Format
}

func newLicense(g *global, run func(context.Context, *licenseOptions) error) *cobra.Command {
	o := &licenseOptions{global: g}
	if run == nil {
		run = runLicense
	}
	cmd := &cobra.Command{
		Use:   "license <model>...",
		Short: "May we use this model, under which duties, and on what evidence",
		Long: `license reads what a model says about its license: its card, the license texts, the weights, the registry. It
identifies each text word by word, follows base models to the root, and judges your use: your users, revenue,
country and way of shipping. The strictest of all that was found binds.

A model is a folder, a file (a license text, a .gguf), org/name[@revision] on the hub, ollama:name:tag,
oci:registry/repository:tag, or license:<id or SPDX expression>. See llmcheck help references.`,
		Example: `  llmcheck license ./my-model --purpose product --ship hosted --monthly-users 5M
  llmcheck license meta-llama/Llama-3.1-8B --offline --users-at-release 0 --train-others no
  llmcheck license license:apache-2.0
  llmcheck license -f models.yaml --use company.yaml --format markdown`,
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: g.completeModels,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(cmd, args); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	o.use.declare(fl)
	fl.StringVarP(&o.file, "file", "f", "", "YAML `file` that lists models, or - for the standard input")
	fl.String("fail-on", config.Default().FailOn, "`outcomes` that fail, with status 3 or 4; none lets all pass")
	answerFlags(cmd, &o.output)
	completions(cmd)
	return cmd
}

// completions offers the words of the flags to shells.
func completions(cmd *cobra.Command) {
	for flag, list := range map[string][]string{
		"purpose": {"evaluate", "research", "internal", "product"}, "ship": {"hosted", "embedded", "on-device", "weights", "none"},
		"train-others": {"no", "same-family", "any"}, "organization": {"company", "nonprofit", "academic", "government", "individual"},
		"accept-copyleft": {"none", "file", "library", "work", "network"}, "format": render.Names(),
		"fail-on": {"prohibited", "undetermined", "conditional", "none"}, "modify": {"yes", "no"}, "commercial": {"yes", "no"},
		"multimodal": {"yes", "no"}, "color": {"auto", "always", "never"},
		"accept-branding": {"yes", "no"}, "field": fieldNames(),
	} {
		// The only error is a flag that does not exist, and the flags stand above.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
	}
}

func fieldNames() []string {
	names := []string{"none"}
	for _, f := range license.Fields() {
		names = append(names, string(f))
	}
	return names
}

func (o *licenseOptions) complete(cmd *cobra.Command, args []string) (err error) {
	if o.config, err = o.settings(cmd); err != nil {
		return err
	}
	if o.format, err = render.Find(o.config.Format); err != nil {
		return usage(err, "")
	}
	if o.failOn, err = outcomes(o.config.FailOn); err != nil {
		return usage(err, "llmcheck help exit-codes explains the statuses")
	}
	p, err := o.use.complete(o.app, o.config.Use)
	if err != nil {
		return usage(err, "llmcheck help use shows every key of the file and its flag")
	}
	if err := o.questions(args, p); err != nil {
		return err
	}
	if len(o.asked) == 0 {
		return usage(errors.New("no model is named"), "llmcheck license ./folder, or org/name, or -f models.yaml")
	}
	return nil
}

// outcomes reads --fail-on. An empty word is what remains of a variable that is not set: it must not let all pass.
func outcomes(s string) ([]license.Outcome, error) {
	if strings.TrimSpace(s) == "none" {
		return nil, nil
	}
	var out []license.Outcome
	for w := range strings.SplitSeq(s, ",") {
		oc, err := license.ParseOutcome(strings.TrimSpace(w))
		if err != nil {
			return nil, fmt.Errorf("--fail-on: %w; none alone lets all pass", err)
		}
		out = append(out, oc)
	}
	return out, nil
}

// modelList is the file of -f.
type modelList struct {
	Models []listedModel `yaml:"models"`
}

type listedModel struct {
	Ref string       `yaml:"ref"`
	Use *license.Use `yaml:"use,omitempty"` // replaces the use of the command line for this model
}

// questions parses references before anything is read, so that a typing error costs no work.
func (o *licenseOptions) questions(args []string, p plan) error {
	var faults []error
	for _, arg := range args {
		faults = append(faults, o.ask(arg, p))
	}
	if o.file == "" {
		return usage(errors.Join(faults...), "llmcheck help references lists the forms of a reference")
	}
	list, err := o.readList()
	if err != nil {
		return usage(err, "the file lists models like\nmodels:\n  - ref: org/name")
	}
	for i, m := range list.Models {
		if err := o.askListed(m, p); err != nil {
			faults = append(faults, fmt.Errorf("%s: models[%d]: %w", o.file, i, err))
		}
	}
	return usage(errors.Join(faults...), "llmcheck help references lists the forms of a reference, llmcheck help use those of a use")
}

func (o *licenseOptions) ask(s string, p plan) error {
	ref, err := o.app.resolveRef(s)
	if err != nil {
		return err
	}
	o.asked = append(o.asked, diligence.LicenseQuestion{Ref: ref, Use: p.use, Assumed: p.assumed})
	return nil
}

func (o *licenseOptions) askListed(m listedModel, p plan) error {
	if m.Use != nil {
		var err error
		if p, err = planned(*m.Use); err != nil {
			return err
		}
	}
	return o.ask(m.Ref, p)
}

func (o *licenseOptions) readList() (*modelList, error) {
	data, err := o.app.read(o.file)
	if err != nil {
		return nil, fmt.Errorf("reading the list of models: %w", err)
	}
	var list modelList
	if err := records.Decode(o.file, data, &list); err != nil {
		return nil, err
	}
	if len(list.Models) == 0 {
		return nil, fmt.Errorf("%s lists no model", o.file)
	}
	return &list, nil
}

// resolveRef reads a reference and asks the disk where its form leaves open what is meant: org/name that is also a
// folder here must be written as one of the two, since a folder in a pull request could shadow a model of the hub.
func (a *App) resolveRef(s string) (model.Ref, error) {
	ref, err := model.ParseRef(s)
	if err != nil {
		return ref, err
	}
	switch {
	case ref.Scheme == model.SchemeHub && !strings.HasPrefix(strings.ToLower(s), "hf:") && !strings.HasPrefix(s, "https:"):
		info, err := os.Lstat(s)
		switch {
		case err == nil && info.Mode().IsRegular(): // texts/LICENSE; no repository of the hub is a file
			return model.Ref{Scheme: model.SchemePath, Name: s}, nil
		case err == nil:
			return ref, fmt.Errorf("%s is a repository of the hub and also a path here; write ./%s or hf:%s", s, s, s)
		}
	case ref.Scheme == model.SchemePath && (ref.Name == "~" || strings.HasPrefix(ref.Name, "~/") || strings.HasPrefix(ref.Name, `~\`)) && a.Home != "":
		ref.Name = a.Home + strings.TrimPrefix(ref.Name, "~")
	}
	return ref, nil
}

// runLicense asks every question and writes one answer.
func runLicense(ctx context.Context, o *licenseOptions) error {
	return o.answer(ctx, questions{
		config: o.config, refs: o.refs(), render: o.format.Render, output: o.output,
		ready: func(d diligence.Deps) error { return o.agree(d.Licenses) },
		ask: func(ctx context.Context, d diligence.Deps, i int) (*report.Document, Code, error) {
			doc, err := diligence.License(ctx, d, o.asked[i])
			if doc == nil {
				return nil, Failed, err
			}
			return doc, o.code(doc, err), nil
		},
	})
}

// agree gives the agreements the ids of the catalog. A name that means nothing would be an agreement that nobody misses.
func (o *licenseOptions) agree(licenses diligence.Licenses) error {
	for i := range o.asked {
		use := &o.asked[i].Use
		var ids []string
		for _, name := range use.Agreements {
			found := licenses.Resolve(name)
			if len(found) == 0 {
				return usage(fmt.Errorf("agreements: no license %q in the catalog", name), "llmcheck catalog licenses lists the known ids")
			}
			ids = append(ids, found...)
		}
		use.Agreements = ids
	}
	return nil
}

func (o *licenseOptions) refs() []model.Ref {
	refs := make([]model.Ref, len(o.asked))
	for i, q := range o.asked {
		refs[i] = q.Ref
	}
	return refs
}

// code is the status of one answer.
func (o *licenseOptions) code(doc *report.Document, err error) Code {
	switch {
	case errors.Is(err, source.ErrNotFound) && errors.Is(err, fs.ErrNotExist): // a path that is not there
		return Usage
	case err != nil, slices.ContainsFunc(doc.Gaps, missing):
		return Unreachable
	}
	outcome, err := license.ParseOutcome(doc.License.Outcome)
	switch {
	case err != nil:
		return Failed
	case !slices.Contains(o.failOn, outcome):
		return OK
	case outcome == license.Undetermined:
		return NotEnough
	}
	return No
}

// missing tells that a source did not give what was asked of it. Base models behind a gate are not meant: what the
// catalog or the listing says of them counts, and the verdict tells what that is worth.
func missing(g report.Gap) bool {
	return g.Kind == string(model.Unreachable) || g.Kind == string(model.Restricted) && g.Of == ""
}

// explain tells on stderr what a person has to know beside the answer: which sources failed, and what to do.
func (a *App) explain(err error, docs []*report.Document) error {
	s, ok := errors.AsType[*statusError](err)
	if !ok || s.Code != Usage && s.Code != Unreachable {
		return err
	}
	var faults []error
	for _, d := range docs {
		for _, g := range d.Gaps {
			if g.Kind != string(model.Absent) {
				faults = append(faults, gapFault(d.Subject.Ref, g))
			}
		}
	}
	s.Err = errors.Join(faults...)
	return s
}

// gapFault says what was not read of a model, and names the model once.
func gapFault(ref string, g report.Gap) error {
	switch {
	case g.What != ref:
		return fmt.Errorf("%s: %s: %s", ref, g.What, g.Why)
	case strings.Contains(g.Why, ref):
		return errors.New(g.Why)
	}
	return fmt.Errorf("%s: %s", ref, g.Why)
}
