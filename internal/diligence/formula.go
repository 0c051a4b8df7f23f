package diligence

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
)

// declared reads an identifier, a name or an SPDX expression.
func (in *inquiry) declared(value string) license.Formula {
	if f, ok := in.resolve(value); ok {
		return f
	}
	expr, err := identify.Parse(value, func(id string) (string, bool) { return id, len(in.Licenses.Resolve(id)) > 0 })
	if err != nil {
		return license.Formula{Op: license.Unread, Name: value}
	}
	return in.formula(expr)
}

// formula gives an expression the ids of the catalogue. An exception (WITH) only adds permissions to a license, so the
// license alone is the careful reading.
func (in *inquiry) formula(e identify.Expression) license.Formula {
	if e.Op == identify.Leaf {
		for _, name := range []string{e.ID, e.SPDX} {
			if f, ok := in.resolve(name); ok {
				return f
			}
		}
		return license.Formula{Op: license.Unread, Name: e.String()}
	}
	f := license.Formula{Op: license.All}
	if e.Op == identify.Or {
		f.Op = license.Any
	}
	for _, c := range e.Children {
		f.Parts = append(f.Parts, in.formula(c))
	}
	return f
}

// resolve finds a plain name in the catalogue; several ids are editions of which one is meant.
func (in *inquiry) resolve(value string) (license.Formula, bool) {
	ids := in.Licenses.Resolve(value)
	switch len(ids) {
	case 0:
		return license.Formula{}, false
	case 1:
		return license.Formula{Op: license.One, ID: ids[0]}, true
	}
	f := license.Formula{Op: license.OneOf, Name: value}
	for _, id := range ids {
		f.Parts = append(f.Parts, license.Formula{Op: license.One, ID: id})
	}
	return f, true
}

// knownFormula is the license that the catalogue of models records.
func (in *inquiry) knownFormula(k *model.Known) license.Formula {
	name, unlisted := strings.CutPrefix(k.License, "unlisted:")
	switch {
	case k.License == "unknown" || k.License == "":
		return license.Formula{Op: license.Unread, Name: "no license stated"}
	case unlisted:
		if f, ok := in.resolve(name); ok {
			return f
		}
		return license.Formula{Op: license.Unread, Name: name}
	}
	return license.Formula{Op: license.One, ID: k.License}
}

func soleID(f license.Formula) string {
	if ids := f.IDs(); len(ids) == 1 {
		return ids[0]
	}
	return ""
}
