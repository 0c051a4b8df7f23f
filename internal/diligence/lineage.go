package diligence

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// Limits of a lineage; a longer one is a gap and leaves the answer undetermined.
const (
	maxDepth     = 16
	maxAncestors = 64
)

// ancestor is one model of the lineage.
type ancestor struct {
	*subject
	of       string
	relation model.Relation
	depth    int
	where    string           // the place that names it
	trouble  []license.Reason // why the line ends here without an answer
}

// ancestors follows base models to the root, nearest first. Models that cannot be fetched are looked up in the
// catalog. The walk is over what strangers wrote: it is bounded, and a model that names itself or comes back ends it.
func (in *inquiry) ancestors(s *subject) []ancestor {
	type step struct {
		parent model.Parent
		of     string
		depth  int
	}
	var queue []step
	push := func(s *subject, depth int) {
		for _, p := range parents(s) {
			queue = append(queue, step{p, name(s), depth})
		}
	}
	push(s, 1)
	seen := map[string]bool{strings.ToLower(name(s)): true}
	var out []ancestor
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		key := strings.ToLower(next.parent.Ref)
		if seen[key] {
			continue
		}
		seen[key] = true
		if next.depth > maxDepth || len(out) == maxAncestors {
			out = append(out, in.endless(next.parent, next.of, next.depth))
			return out
		}
		a := in.ancestor(next.parent, next.of, next.depth)
		out = append(out, a)
		push(a.subject, next.depth+1)
	}
	return out
}

func name(s *subject) string { return s.ref.Name }

// parents are the base models that a model names, and those that the catalog knows of.
func parents(s *subject) []model.Parent {
	var ps []model.Parent
	if s.model != nil {
		ps = slices.Clone(s.model.Parents)
	}
	if s.known != nil && s.known.Base != nil {
		b := *s.known.Base
		if !slices.ContainsFunc(ps, func(p model.Parent) bool { return strings.EqualFold(p.Ref, b.Ref) }) {
			b.Where = "catalog: " + s.known.Source.Title
			ps = append(ps, b)
		}
	}
	weaken(ps)
	return slices.DeleteFunc(slices.Clone(ps), func(p model.Parent) bool {
		copied := localCopy(p.Ref)
		return copied != "" && slices.ContainsFunc(ps, func(o model.Parent) bool { return namesCopy(o.Ref, copied) })
	})
}

// localCopy is the name of the model in a path on the author's disk: that of its folder, or org/name in a cache of the
// hub. Adapters are trained from such copies, and their configuration keeps the path.
func localCopy(ref string) string {
	r, err := model.ParseRef(ref)
	if err != nil || r.Scheme != model.SchemePath {
		return ""
	}
	parts := strings.FieldsFunc(ref, func(r rune) bool { return r == '/' || r == '\\' })
	for _, p := range parts {
		if repo, ok := strings.CutPrefix(p, "models--"); ok {
			return strings.ReplaceAll(repo, "--", "/")
		}
	}
	if len(parts) == 0 {
		return ""
	}
	return parts[len(parts)-1]
}

// namesCopy tells that a repository is the one that a local copy is named for.
func namesCopy(ref, copied string) bool {
	r, err := model.ParseRef(ref)
	if err != nil || r.Scheme != model.SchemeHub {
		return false
	}
	return strings.EqualFold(r.Name, copied) || strings.EqualFold(path.Base(r.Name), copied)
}

func (in *inquiry) endless(p model.Parent, of string, depth int) ancestor {
	a := ancestor{subject: &subject{ref: model.Ref{Name: p.Ref}}, of: of, relation: p.Relation, depth: depth, where: p.Where}
	a.fault("the lineage is longer than %d steps or %d models: it was not followed to its end", maxDepth, maxAncestors)
	return a
}

func (a *ancestor) fault(format string, args ...any) {
	a.trouble = append(a.trouble, license.Reason{
		Outcome: license.Undetermined, Code: codeBaseModel, Text: fmt.Sprintf(format, args...), Evidence: []string{a.where},
	})
}

// ancestor opens one base model as far as its terms need it.
func (in *inquiry) ancestor(p model.Parent, of string, depth int) ancestor {
	a := ancestor{of: of, relation: p.Relation, depth: depth, where: p.Where}
	if a.relation == hinted {
		a.relation = model.Derived
	}
	ref, err := model.ParseRef(hubName(p.Ref))
	if err != nil || ref.Scheme != model.SchemeHub {
		// A path on somebody else's disk, or words: nothing of it is opened on a stranger's word.
		a.subject = &subject{ref: model.Ref{Scheme: model.SchemeHub, Name: p.Ref}}
		a.fault("base model %q is not a repository that can be looked up; find out what it is", p.Ref)
		return a
	}
	a.subject, err = in.open(ref, termsOnly)
	switch {
	case err == nil || a.known != nil:
	case p.Relation == hinted && gone(err):
		a.withdraw()
	default:
		a.fault("base model %s could not be read, and the catalog does not have it", ref.Name)
	}
	return a
}

// hinted is the relation to what only a configuration names as the origin of the weights, beside base models that the
// author declares.
const hinted model.Relation = "hint"

// weaken marks the hints among base models where the author declares some.
func weaken(ps []model.Parent) {
	hint := func(p model.Parent) bool {
		return strings.HasSuffix(p.Where, " _name_or_path") && p.Relation == model.Derived
	}
	if !slices.ContainsFunc(ps, func(p model.Parent) bool { return !hint(p) }) {
		return
	}
	for i := range ps {
		if hint(ps[i]) {
			ps[i].Relation = hinted
		}
	}
}

// gone tells that a source answered and has nothing to show: training runs leave the names of private checkpoints behind.
func gone(err error) bool {
	return errors.Is(err, source.ErrNotFound) || errors.Is(err, source.ErrForbidden)
}

// withdraw leaves of a hint that leads nowhere that it was there.
func (a *ancestor) withdraw() {
	a.standing = standing{}
	for i := range a.gaps {
		a.subject.gaps[i].Kind = model.Absent
	}
	a.trouble = append(a.trouble, license.Reason{
		Outcome: license.Conditional, Code: codeBaseModel, Evidence: []string{a.where},
		Text: fmt.Sprintf("the weights were once loaded from %s, which is not public: ask the publisher what it is", a.ref.Name),
	})
}

// hubName is the repository that a path into a cache of the hub stands for, and else the name as it is.
func hubName(ref string) string {
	if name := localCopy(ref); strings.Contains(name, "/") {
		return name
	}
	return ref
}

// judge is the verdict of an ancestor: its own terms, whether they let it become what is made of it, and what stands in
// the way of knowing them. Of a model that was not read, traits is the best that is known.
func (a *ancestor) judge(in *inquiry, u license.Use, traits license.Traits) license.Verdict {
	if own := in.traits(a.subject); own.Multimodal != nil {
		traits = own
	}
	v := license.Combine(a.standing.judge(in.Licenses.Get, u, traits), a.making(in, u, traits))
	for i := range v.Reasons {
		v.Reasons[i].Evidence = append([]string{"base model " + a.ref.Name}, v.Reasons[i].Evidence...)
	}
	for _, r := range a.trouble {
		v = license.Combine(v, license.Verdict{Outcome: r.Outcome, Reasons: []license.Reason{r}})
	}
	return v
}

// making is what follows from the fact that a model was made of this one. Who changed what may not be changed, or trained
// on outputs that may train nothing, had no rights to give, whatever the asked use is; and a changed work stays under the
// license that its changes fall under, also for who passes it on as it is.
func (a *ancestor) making(in *inquiry, u license.Use, traits license.Traits) license.Verdict {
	switch a.relation {
	case model.Copy:
		return license.Verdict{}
	case model.Distill:
		u.TrainOthers = license.TrainAny
	default:
		u.Modify = new(true)
	}
	v := a.standing.judge(in.Licenses.Get, u, traits)
	out := license.Verdict{Duties: slices.DeleteFunc(v.Duties, func(d license.Due) bool { return d.Kind != license.ShareAlike })}
	for _, r := range v.Reasons {
		if r.Code == license.CodeGrant && r.Outcome > license.Allowed || r.Code == license.CodeCopyleft {
			out = license.Combine(out, license.Verdict{Outcome: r.Outcome, Reasons: []license.Reason{r}})
		}
	}
	return out
}

// termsFS hides weights, so that the terms of a base model cost no request for its headers.
type termsFS struct{ fs.FS }

// Open gives folders without a listing of their own, so that ReadDir is asked.
func (t termsFS) Open(name string) (fs.File, error) {
	f, err := t.FS.Open(name)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil || !info.IsDir() {
		return f, err
	}
	return plainFolder{f}, nil
}

// plainFolder hides what else a folder can do.
type plainFolder struct{ fs.File }

// ReadDir lists what is not a weight file.
func (t termsFS) ReadDir(dir string) ([]fs.DirEntry, error) {
	entries, err := fs.ReadDir(t.FS, dir)
	return slices.DeleteFunc(entries, func(e fs.DirEntry) bool {
		switch strings.ToLower(path.Ext(e.Name())) {
		case ".safetensors", ".gguf", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".msgpack":
			return true
		}
		return false
	}), err
}
