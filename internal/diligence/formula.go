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

// formula gives an expression the ids of the catalog. An exception that SPDX lists only adds permissions to a license,
// so that the license alone is the careful reading; an addition of somebody's own may as well take some away.
func (in *inquiry) formula(e identify.Expression) license.Formula {
	if e.Op == identify.Leaf {
		f := in.leaf(e)
		if strings.HasPrefix(e.Exception, "AdditionRef-") {
			return both(f, license.Formula{Op: license.Unread, Name: e.Exception})
		}
		return f
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

func (in *inquiry) leaf(e identify.Expression) license.Formula {
	for _, name := range []string{e.ID, e.SPDX} {
		if f, ok := in.resolve(name); ok {
			return f
		}
	}
	return license.Formula{Op: license.Unread, Name: e.String()}
}

// resolve finds a plain name in the catalog; several ids are editions of which one is meant.
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

// knownFormula is the license that the catalog of models records.
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
