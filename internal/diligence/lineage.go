package diligence

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/model"
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
// catalogue. The walk is over what strangers wrote: it is bounded, and a model that names itself or comes back ends it.
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

// parents are the base models that a model names, and those that the catalogue knows of.
func parents(s *subject) []model.Parent {
	var ps []model.Parent
	if s.model != nil {
		ps = slices.Clone(s.model.Parents)
	}
	if s.known != nil && s.known.Base != nil {
		b := *s.known.Base
		if !slices.ContainsFunc(ps, func(p model.Parent) bool { return strings.EqualFold(p.Ref, b.Ref) }) {
			b.Where = "catalogue: " + s.known.Source.Title
			ps = append(ps, b)
		}
	}
	return ps
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
	ref, err := model.ParseRef(p.Ref)
	if err != nil || ref.Scheme != model.SchemeHub {
		// A path on somebody else's disk, or words: nothing of it is opened on a stranger's word.
		a.subject = &subject{ref: model.Ref{Scheme: model.SchemeHub, Name: p.Ref}}
		a.fault("base model %q is not a repository that can be looked up; find out what it is", p.Ref)
		return a
	}
	a.subject, err = in.open(ref, termsOnly)
	if err != nil && a.subject.known == nil {
		a.fault("base model %s could not be read, and the catalogue does not have it", ref.Name)
	}
	return a
}

// termsFS hides weights, so that the terms of a base model cost no request for its headers.
type termsFS struct{ fs.FS }

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
