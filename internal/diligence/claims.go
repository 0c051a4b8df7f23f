package diligence

import (
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
)

// declarations reads the claims of card, weights and registry.
func (w *weighing) declarations() {
	for _, c := range w.s.model.Claims {
		f := w.claim(c)
		shown := report.Claim{Origin: string(c.Origin), Where: c.Where, Value: c.Value, ID: soleID(f)}
		if c.Name != "" && c.Name != c.Value {
			shown.Value += " (" + c.Name + ")"
		}
		w.claims = append(w.claims, shown)
		if f.Op != "" {
			w.declaredBinding(c, f)
		}
	}
	for _, m := range w.mentions {
		w.claims = append(w.claims, report.Claim{Origin: string(model.FromFile), Where: m.where, Value: "names " + m.id, ID: m.id})
	}
}

// claim reads one claim. The zero Formula is for one that says nothing about the terms: "unknown", or a name that nobody
// knows beside a text that is there to be read.
//
// A claim has up to three parts, and an author may have filled them from three places: the license, its name, and a link.
// What each of them is known to stand for binds.
func (w *weighing) claim(c model.Claim) license.Formula {
	beside := w.beside(c)
	value := strings.TrimSpace(c.Value)
	if saysNothing(value) {
		if beside.Op != "" || strings.TrimSpace(c.Name+c.Link) == "" && !strings.EqualFold(value, "other") {
			return beside
		}
		return w.unread(c)
	}
	f := w.declared(value)
	switch {
	case beside.Op != "" && !shares(f.IDs(), beside.IDs()):
		return both(f, beside)
	case f.Op == license.Unread && w.holdsText() && pointsAtText(value):
		return license.Formula{}
	case beside.Op == "" && c.Name != "" && !strings.EqualFold(c.Name, value):
		w.add(license.Conditional, codeContradiction, fmt.Sprintf("%s says %s and calls it %q, which is not known here: make sure that it is the same",
			c.Where, value, c.Name), c.Where)
		w.restricted(c.Where, unjoined(c.Name))
	}
	return f
}

// saysNothing knows the words that stand where a license is expected and name none.
func saysNothing(value string) bool {
	switch strings.ToLower(value) {
	case "", "unknown", "none", "n/a", "other":
		return true
	}
	return false
}

// pointsAtText knows values that send the reader to the license file.
func pointsAtText(value string) bool {
	switch strings.ToLower(value) {
	case "license", "licence", "license.md", "license.txt", "see license", "see license file", "custom", "file":
		return true
	}
	return false
}

// beside is what the name and the link of a claim stand for. Of a name that leaves the edition open, the link may say
// which it is, or the other way round.
func (w *weighing) beside(c model.Claim) license.Formula {
	byName, named := w.resolve(c.Name)
	byLink, linked := w.resolve(c.Link)
	switch {
	case !named:
		return byLink
	case !linked:
		return byName
	case !shares(byName.IDs(), byLink.IDs()):
		return both(byName, byLink)
	case len(byLink.IDs()) < len(byName.IDs()):
		return byLink
	}
	return byName
}

func both(a, b license.Formula) license.Formula {
	return license.Formula{Op: license.All, Parts: []license.Formula{a, b}}
}

// unread is a claim of something else than a known license. Where its link leads to a text of the model, or to nothing,
// the text decides and the name is only a name; a link that leads elsewhere leads to terms that nobody has read.
func (w *weighing) unread(c model.Claim) license.Formula {
	if c.Name+c.Link == "" && c.Origin != model.FromCard && len(w.bindings) > 0 {
		return license.Formula{} // weights and registries repeat the card's "other" without its name
	}
	if w.holdsText() && w.ownText(c.Link) {
		w.restricted(c.Where, unjoined(c.Name))
		return license.Formula{}
	}
	words := []string{"other", c.Name, c.Link}
	return license.Formula{Op: license.Unread, Name: strings.Join(slices.DeleteFunc(words, func(s string) bool { return s == "" }), " ")}
}

// unjoined parts the words of a name.
func unjoined(name string) string { return strings.NewReplacer("-", " ", "_", " ").Replace(name) }

func (w *weighing) holdsText() bool {
	return slices.ContainsFunc(w.from, func(v voice) bool { return v.text })
}

// ownText tells that a link leads to a text of the model, as far as it can be told: the hub shows a repository's file
// under the name of the file. No link leads nowhere else.
func (w *weighing) ownText(link string) bool {
	u, err := url.Parse(strings.TrimSpace(link))
	switch {
	case err != nil:
		return false
	case link == "":
		return true
	case u.Host != "" && u.Host != "huggingface.co" && u.Host != "hf.co", u.Host == "" && u.Scheme != "":
		return false
	}
	return slices.ContainsFunc(w.s.model.Texts, func(t model.Text) bool {
		return strings.EqualFold(path.Base(t.Path), path.Base(u.Path))
	})
}

// declaredBinding lets a claim bind. Where it leaves open which license is meant and a text of the model is one of them,
// the text says which.
func (w *weighing) declaredBinding(c model.Claim, f license.Formula) {
	where := string(c.Origin) + " " + c.Where
	ids := f.IDs()
	w.from = append(w.from, voice{who: where, ids: ids, card: c.Origin == model.FromCard})
	for _, id := range ids {
		w.declaredMatch(id, c)
	}
	if openChoice(f) && slices.ContainsFunc(w.from, func(v voice) bool { return v.text && slices.Contains(ids, v.ids[0]) }) {
		return
	}
	for i := range w.bindings {
		if w.bindings[i].formula.String() == f.String() {
			w.bindings[i].evidence = append(w.bindings[i].evidence, where)
			return
		}
	}
	w.bindings = append(w.bindings, binding{formula: f, evidence: []string{where}})
}

// openChoice tells that one license of several holds, each by itself.
func openChoice(f license.Formula) bool {
	return (f.Op == license.OneOf || f.Op == license.Any) &&
		!slices.ContainsFunc(f.Parts, func(p license.Formula) bool { return p.Op != license.One })
}

func (w *weighing) declaredMatch(id string, c model.Claim) {
	m := report.Match{ID: id, Relation: string(identify.Declared), Kind: string(identify.License), File: c.Where}
	if !slices.ContainsFunc(w.matches, func(o report.Match) bool { return o.ID == id && o.File == m.File }) {
		w.matches = append(w.matches, m)
	}
}
