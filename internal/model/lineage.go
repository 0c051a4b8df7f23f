package model

import (
	"maps"
	"slices"
	"strings"
)

// maxParents is how many base models are kept. Merges of dozens exist.
const maxParents = 200

func sortedKeys(m map[string]any) []string { return slices.Sorted(maps.Keys(m)) }

// parent notes a base model, once however many places name it. A place that knows the relation mends one that does not.
func (r *reader) parent(name string, rel Relation, where string) {
	name = parentName(name)
	if name == "" {
		return
	}
	rel = known(rel)
	i := slices.IndexFunc(r.m.Parents, func(p Parent) bool { return strings.EqualFold(p.Ref, name) })
	switch {
	case i >= 0:
		if r.m.Parents[i].Relation == Derived {
			r.m.Parents[i].Relation = rel
		}
	case len(name) > MaxRef:
		r.gap(Unread, where, "it names a base model with more than %d bytes", MaxRef)
	case len(r.m.Parents) == maxParents:
		r.gap(Unread, where, "it names base model %q, and more than %d are named already", name, maxParents)
	default:
		r.m.Parents = append(r.m.Parents, Parent{Ref: name, Relation: rel, Where: where})
	}
}

// known is the relation if it is one of ours, and Derived for words that we do not know.
func known(rel Relation) Relation {
	switch rel = Relation(strings.ToLower(strings.TrimSpace(string(rel)))); rel {
	case Finetune, Adapter, Quantized, Merge, Distill, Pruned, Copy:
		return rel
	default:
		return Derived
	}
}

// parentName turns the address of a repository on the hub into org/name. Other names stay as they are written.
func parentName(s string) string {
	s = strings.TrimSpace(s)
	for _, host := range []string{"huggingface.co/", "hf.co/"} {
		if strings.HasPrefix(s, host) {
			s = "https://" + s
		}
	}
	if !strings.Contains(s, "://") && !strings.HasPrefix(s, "hf:") {
		return s
	}
	ref, err := ParseRef(s)
	if err != nil || ref.Scheme != SchemeHub {
		return s
	}
	ref.File = ""
	if ref.Revision == "main" {
		ref.Revision = ""
	}
	return strings.TrimPrefix(ref.String(), "hf:")
}

// hint takes _name_or_path of a config: what the weights were loaded from before they were trained on or saved. Only a
// name of the hub is worth a mention; most are folders of somebody's disk.
func (r *reader) hint(name, from string) {
	org, _, _ := strings.Cut(from, "/")
	switch {
	case !strings.Contains(from, "/") || !validRepo(from):
		return
	case r.m.Ref.Scheme == SchemeHub && strings.EqualFold(from, r.m.Ref.Name):
		return
	}
	switch strings.ToLower(org) {
	case "models", "model", "checkpoints", "checkpoint", "ckpt", "ckpts", "output", "outputs", "out", "results", "saved",
		"data", "tmp", "home", "root", "mnt", "opt", "workspace", "cache", "weights", "pretrained", "experiments", "runs",
		"hf", "huggingface", "hub", "local", "base", "exp", "logs", "work", "scratch", "train", "saves", "content":
		return
	}
	r.hints = append(r.hints, Parent{Ref: from, Relation: Derived, Where: name + " _name_or_path"})
}

// relate finds the relation to the parents where nobody has said it, and adds the hints last, because they are weak.
func (r *reader) relate() {
	rel := r.likely()
	for i := range r.m.Parents {
		if p := &r.m.Parents[i]; p.Relation == Derived && r.m.Card != nil && strings.HasPrefix(p.Where, r.m.Card.Path+":") {
			p.Relation = rel
		}
	}
	for _, h := range r.hints {
		r.parent(h.Ref, h.Relation, h.Where)
	}
}

// likely is the relation to the base models of the card that the files tell.
func (r *reader) likely() Relation {
	switch {
	case r.m.Card == nil || known(Relation(r.m.Card.Relation)) != Derived:
		return Derived
	case r.adapter:
		return Adapter
	case r.quantized || len(r.formats) == 1 && r.formats[formatGGUF]:
		return Quantized
	case len(r.m.Card.BaseModels) > 1:
		return Merge
	}
	return Derived
}
