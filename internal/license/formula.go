package license

import (
	"slices"
	"strings"
)

// Formula says how several licenses hold together, as an SPDX expression does, or an identifier that stands for several
// editions. The zero Formula holds nothing.
type Formula struct {
	Op    Op
	ID    string // One: the id in the catalog
	Name  string // Unread, OneOf: what was found, as it was written
	Parts []Formula
}

// Op is how the parts of a Formula hold.
type Op string

// The ways.
const (
	One    Op = "one"    // this license
	All    Op = "all"    // every part binds (SPDX AND)
	Any    Op = "any"    // the licensee chooses a part (SPDX OR)
	OneOf  Op = "one-of" // one part holds, and nobody says which
	Unread Op = "unread" // something that is no license we know
)

// CodeUnknown is the code of reasons about names and texts that are no license we know.
const CodeUnknown Code = "unknown_license"

// Judge assesses every license of a formula and combines the verdicts as the formula says. A license that get does not
// find leaves its part undetermined.
func (f Formula) Judge(get func(id string) (*Terms, error), u Use, m Traits) Verdict {
	switch f.Op {
	case One:
		t, err := get(f.ID)
		if err != nil {
			return undetermined("the terms of " + f.ID + " are not in the catalog; add a record with --catalog, or read the text")
		}
		return Assess(t, u, m)
	case All, Any, OneOf:
		vs := make([]Verdict, len(f.Parts))
		for i, p := range f.Parts {
			vs[i] = p.Judge(get, u, m)
		}
		switch {
		case len(vs) == 0:
			return undetermined("no license is named")
		case f.Op == Any:
			return Choice(vs...)
		case f.Op == OneOf:
			return Alternatives(f.Name, vs...)
		}
		return Combine(vs...)
	}
	return undetermined("\"" + f.Name + "\" is not a license that is known here; read what it stands for")
}

func undetermined(text string) Verdict {
	return Verdict{Outcome: Undetermined, Reasons: []Reason{{Outcome: Undetermined, Code: CodeUnknown, Text: text}}}
}

// Binding lists the licenses that bind for a use: of a choice, those of the part that Judge takes.
func (f Formula) Binding(get func(id string) (*Terms, error), u Use, m Traits) []string {
	if f.Op == One {
		return []string{f.ID}
	}
	parts := f.Parts
	if f.Op == Any && len(parts) > 0 {
		parts = []Formula{slices.MinFunc(parts, func(a, b Formula) int {
			return int(a.Judge(get, u, m).Outcome) - int(b.Judge(get, u, m).Outcome)
		})}
	}
	var ids []string
	for _, p := range parts {
		ids = appendNew(ids, p.Binding(get, u, m), func(a, b string) bool { return a == b })
	}
	return ids
}

// IDs lists the licenses of a formula, each once, in order.
func (f Formula) IDs() []string {
	if f.Op == One {
		return []string{f.ID}
	}
	var ids []string
	for _, p := range f.Parts {
		ids = appendNew(ids, p.IDs(), func(a, b string) bool { return a == b })
	}
	return ids
}

// String writes the formula for people: "mit OR apache-2.0".
func (f Formula) String() string {
	switch f.Op {
	case One:
		return f.ID
	case Unread:
		return f.Name
	}
	words := make([]string, len(f.Parts))
	for i, p := range f.Parts {
		words[i] = p.String()
		if len(p.Parts) > 1 {
			words[i] = "(" + words[i] + ")"
		}
	}
	join := map[Op]string{All: " AND ", Any: " OR ", OneOf: " or "}[f.Op]
	return strings.Join(words, join)
}
