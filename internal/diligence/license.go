package diligence

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/source"
)

// LicenseQuestion asks whether a model may be used.
type LicenseQuestion struct {
	Ref     model.Ref
	Use     license.Use
	Assumed []string // what about the use was assumed, for the report
}

// The codes of reasons about a model as a whole, beside those of package license.
const (
	codeNoLicense     license.Code = "no_license"
	codeModifiedText  license.Code = "modified_text"
	codeUnknownText   license.Code = "unknown_text"
	codeUnread        license.Code = "unread"
	codeContradiction license.Code = "contradiction"
	codeBaseModel     license.Code = "base_model"
	codeBaseConflict  license.Code = "base_model_conflict"
	codeMention       license.Code = "mention"
	codePolicyText    license.Code = "policy_text"
	codeDataset       license.Code = "dataset"
	codeCatalog       license.Code = "catalog_differs"
	codeLookalike     license.Code = "lookalike"
	codeRestriction   license.Code = "restriction"
)

// License answers whether a model may be used. The document is complete even if the model could not be read, which the
// error then explains: the outcome is undetermined at best, and gaps name what is missing. A source that did not answer
// in the time of ctx is one that could not be reached; only where ctx was canceled there is no document.
func License(ctx context.Context, d Deps, q LicenseQuestion) (*report.Document, error) {
	in := &inquiry{Deps: d, ctx: ctx}
	if q.Ref.Scheme == model.SchemeLicense {
		return in.document(q, &subject{ref: q.Ref, standing: in.named(q.Ref.Name)}, nil), nil
	}
	s, err := in.open(q.Ref, whole)
	line := in.ancestors(s)
	if errors.Is(ctx.Err(), context.Canceled) { // nobody waits for an answer any more
		return nil, ctx.Err()
	}
	s.standing.settle(line)
	for i := range line {
		line[i].standing.settle(line)
	}
	return in.document(q, s, line), err
}

// inquiry is one question while it is answered.
type inquiry struct {
	Deps
	ctx context.Context //nolint:containedctx // an inquiry is one question, and ends with it
}

// subject is one model with what was found out about its license.
type subject struct {
	ref      model.Ref
	revision string
	model    *model.Model // nil if it could not be opened
	known    *model.Known // nil if the catalog does not have it
	standing standing
	gaps     []model.Gap
}

// depth tells how much of a model is read.
type depth bool

const (
	whole     depth = true
	termsOnly depth = false // of a base model: no headers of weights
)

// open reads a model. If it cannot be opened, the catalog of well-known models answers, and the gap says why.
func (in *inquiry) open(ref model.Ref, how depth) (*subject, error) {
	s := &subject{ref: ref}
	if ref.Scheme == model.SchemeHub {
		known, ok, err := in.Known.Get(ref.Name)
		if err != nil {
			return s.fail(err), err
		}
		if ok {
			s.known = known
		}
	}
	defer func() { in.imitation(s) }()
	snap, err := in.Models.Open(in.ctx, ref)
	if err != nil {
		s.gaps = append(s.gaps, gapOf(ref.String(), err))
		s.standing = in.fromCatalog(s)
		if errors.Is(err, source.ErrOffline) {
			err = nil
		}
		return s, err
	}
	if snap.Close != nil {
		defer snap.Close() //nolint:errcheck // nothing was written
	}
	fsys := snap.FS
	if how == termsOnly {
		fsys = termsFS{fsys}
	}
	m, err := model.Read(fsys, snap.Ref, snap.Revision)
	if err != nil {
		return s.fail(err), err
	}
	m.Claims = append(m.Claims, snap.Claims...)
	s.model, s.revision = m, snap.Revision
	m.Parents = addParents(m.Parents, snap.Parents)
	s.gaps = slices.Concat(snap.Gaps, m.Gaps)
	if snap.Failed != nil {
		s.gaps = explained(s.gaps, snap.Failed())
	}
	s.standing = in.weigh(s, how)
	return s, nil
}

// addParents adds base models that the files do not name.
func addParents(ps, more []model.Parent) []model.Parent {
	for _, p := range more {
		if !slices.ContainsFunc(ps, func(o model.Parent) bool { return strings.EqualFold(o.Ref, p.Ref) }) {
			ps = append(ps, p)
		}
	}
	return ps
}

// explained lets the source say why a file could not be read: it knows a closed gate from a broken file.
func explained(gaps, failed []model.Gap) []model.Gap {
	for _, f := range failed {
		i := slices.IndexFunc(gaps, func(g model.Gap) bool { return g.What == f.What && g.Kind == model.Unread })
		if i >= 0 {
			gaps[i] = f
		} else if !slices.ContainsFunc(gaps, func(g model.Gap) bool { return g.What == f.What }) {
			gaps = append(gaps, f)
		}
	}
	return gaps
}

// imitation reports a publisher whose name is easily taken for a known one. Nothing known about the real one is used for
// it: the catalog is asked by the whole name.
func (in *inquiry) imitation(s *subject) {
	org, _, ok := strings.Cut(s.ref.Name, "/")
	if s.ref.Scheme != model.SchemeHub || !ok || s.known != nil {
		return
	}
	known, err := in.Known.Organizations()
	if err != nil {
		return
	}
	of, how, ok := models.Imitated(org, known)
	if !ok {
		return
	}
	outcome := license.Conditional
	if how == models.SameShape {
		outcome = license.Undetermined
	}
	s.standing.add(outcome, codeLookalike, fmt.Sprintf("the publisher %q is not %q, whose name it resembles (%s): make sure which one is meant", org, of, how),
		s.ref.Name)
}

func (s *subject) fail(err error) *subject {
	s.gaps = append(s.gaps, gapOf(s.ref.String(), err))
	s.standing.extra = append(s.standing.extra, license.Reason{
		Outcome: license.Undetermined, Code: codeUnread, Text: fmt.Sprintf("%s could not be read", s.ref), Evidence: []string{s.ref.String()},
	})
	return s
}

// gapOf turns an error of a source into a gap.
func gapOf(what string, err error) model.Gap {
	g := model.Gap{What: what, Why: err.Error(), Kind: model.Unreachable}
	switch {
	case errors.Is(err, source.ErrForbidden):
		g.Kind = model.Restricted
	case slices.ContainsFunc(unreadErrors(), func(kind error) bool { return errors.Is(err, kind) }) && !errors.Is(err, source.ErrUnreachable):
		g.Kind = model.Unread
	}
	return g
}

// unreadErrors are what goes wrong with files that are here, and where nobody was asked.
func unreadErrors() []error {
	return []error{source.ErrOffline, fs.ErrNotExist, ErrShape, arch.ErrUnknown, quant.ErrUnknown, quant.ErrName}
}

// standing is what is known about the license of one model, before a use is judged.
type standing struct {
	bindings     []binding
	extra        []license.Reason // reasons that no license gives
	policies     []license.Reason // use policies among the files: reasons where no license sends there
	restrictions []restriction
	claims       []report.Claim
	matches      []report.Match
	passages     []report.Passage
}

// binding is one set of terms that holds, and how we know.
type binding struct {
	formula  license.Formula
	evidence []string
	note     *license.Reason // added to the verdict, where the terms alone do not tell the story
	doubt    string          // why nobody knows whether it covers the model; "" where it does
}

// judge combines everything that binds for one use.
func (st *standing) judge(get func(string) (*license.Terms, error), u license.Use, m license.Traits) license.Verdict {
	var vs []license.Verdict
	reason := func(r license.Reason) {
		vs = append(vs, license.Verdict{Outcome: r.Outcome, Reasons: []license.Reason{r}})
	}
	for _, b := range st.bindings {
		vs = append(vs, b.judge(get, u, m))
		if b.note != nil {
			reason(*b.note)
		}
	}
	for _, r := range st.extra {
		reason(r)
	}
	for _, r := range st.restrictions {
		vs = append(vs, r.judge(u, m))
	}
	v := license.Combine(vs...)
	if !slices.ContainsFunc(v.Duties, func(d license.Due) bool { return d.Kind == license.FollowPolicy }) {
		for _, r := range st.policies {
			v = license.Combine(v, license.Verdict{Outcome: r.Outcome, Reasons: []license.Reason{r}})
		}
	}
	return v
}

func (b *binding) judge(get func(string) (*license.Terms, error), u license.Use, m license.Traits) license.Verdict {
	v := b.formula.Judge(get, u, m)
	if b.doubt != "" {
		v = license.Possibly(license.Reason{Code: codeMention, Text: b.doubt}, v)
	}
	for i := range v.Reasons {
		v.Reasons[i].Evidence = b.evidence
	}
	return v
}

// ids lists the licenses that bind, each once.
func (st *standing) ids() []string {
	var ids []string
	for _, b := range st.bindings {
		if b.doubt != "" {
			continue
		}
		for _, id := range b.formula.IDs() {
			if !slices.Contains(ids, id) {
				ids = append(ids, id)
			}
		}
	}
	return ids
}

// settle drops doubts that the lineage answers: a card that names the license of its base model speaks of that.
func (st *standing) settle(line []ancestor) {
	st.bindings = slices.DeleteFunc(st.bindings, func(b binding) bool {
		return b.doubt != "" && slices.ContainsFunc(line, func(a ancestor) bool { return shares(b.formula.IDs(), a.standing.ids()) })
	})
}

func (st *standing) add(o license.Outcome, code license.Code, text string, evidence ...string) {
	st.extra = append(st.extra, license.Reason{Outcome: o, Code: code, Text: text, Evidence: evidence})
}

// fromCatalog is the standing of a model that could not be read: what the catalog says, if it has the model.
func (in *inquiry) fromCatalog(s *subject) standing {
	var st standing
	if s.known == nil {
		st.add(license.Undetermined, codeUnread, fmt.Sprintf("nothing of %s could be read, and the catalog does not have it", s.ref), s.ref.String())
		return st
	}
	where := "catalog: " + s.known.Source.Title + ", seen " + s.known.Seen
	f := in.knownFormula(s.known)
	st.claims = append(st.claims, report.Claim{Origin: string(model.FromCatalog), Where: where, Value: s.known.Declared, ID: soleID(f)})
	b := binding{formula: f, evidence: []string{where}}
	if s.known.Confidence == "low" {
		b.note = &license.Reason{
			Outcome: license.Undetermined, Code: codeUnread, Evidence: []string{where},
			Text: "the catalog's record of this model is of low confidence; read the model itself",
		}
	}
	st.bindings = append(st.bindings, b)
	return st
}

// named is the standing of a license by itself: an id, a name, or an SPDX expression.
func (in *inquiry) named(name string) standing {
	f := in.declared(name)
	st := standing{bindings: []binding{{formula: f, evidence: []string{"as asked"}}}}
	for _, id := range f.IDs() {
		st.matches = append(st.matches, report.Match{ID: id, Relation: string(identify.Declared)})
	}
	return st
}

func (in *inquiry) traits(s *subject) license.Traits {
	if s.model == nil {
		return license.Traits{}
	}
	if s.model.Weights.Multimodal != nil {
		return license.Traits{Multimodal: s.model.Weights.Multimodal}
	}
	if s.model.Card != nil {
		switch s.model.Card.Pipeline {
		case "text-generation", "text2text-generation", "feature-extraction", "sentence-similarity", "text-classification", "fill-mask":
			return license.Traits{Multimodal: new(false)}
		case "":
		default:
			if multimodalPipeline(s.model.Card.Pipeline) {
				return license.Traits{Multimodal: new(true)}
			}
		}
	}
	return license.Traits{}
}

func multimodalPipeline(p string) bool {
	return slices.ContainsFunc([]string{"image", "video", "audio", "visual", "speech", "any-to-any", "3d"}, func(w string) bool {
		return strings.Contains(p, w)
	})
}

// describe names a place in a file: "LICENSE:1-170".
func describe(file string, start, end int) string {
	if start == 0 {
		return file
	}
	if end <= start {
		return fmt.Sprintf("%s:%d", file, start)
	}
	return fmt.Sprintf("%s:%d-%d", file, start, end)
}
