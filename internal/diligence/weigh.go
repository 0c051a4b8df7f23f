package diligence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
)

// weigh turns what was read of one model into what binds.
//
// Every license that a text of the model is, and every license that a claim names, binds: who has both must keep to
// both, until somebody finds out which one is wrong. That two sources disagree is a finding of its own. A license that is
// named without saying what it covers may bind. A text or a claim that is no known license binds as "undetermined"; only
// where nothing else is there does the catalog answer.
func (in *inquiry) weigh(s *subject, how depth) standing {
	w := &weighing{inquiry: in, s: s, base: how == termsOnly}
	w.texts()
	w.declarations()
	w.contradictions()
	w.named()
	w.explained()
	w.nothing()
	w.partial()
	w.catalog()
	w.datasets()
	return w.standing
}

type weighing struct {
	*inquiry
	standing
	s        *subject
	base     bool    // s is a base model of what was asked about
	from     []voice // who names which licenses
	mentions []mention
}

// voice is one source that names licenses.
type voice struct {
	who  string // "LICENSE", "card README.md:3"
	ids  []string
	text bool // the source is the text of a license, and the only id its own
	card bool // the source is the card, which may list several and does not contradict itself
}

// mention is a license that a text only names, or that a notice holds.
type mention struct {
	id, where string
	declares  bool // a license file says no more than this: it is what the author declares
}

// contradictions reports sources that name different licenses.
func (w *weighing) contradictions() {
	for i, a := range w.from {
		for _, b := range w.from[i+1:] {
			if len(a.ids) == 0 || len(b.ids) == 0 || a.card && b.card || shares(a.ids, b.ids) || w.saidBySome(a, b) {
				continue
			}
			w.add(license.Conditional, codeContradiction, fmt.Sprintf("%s says %s, but %s says %s: both bind until it is known which is right",
				a.who, strings.Join(a.ids, " or "), b.who, strings.Join(b.ids, " or ")), a.who, b.who)
		}
	}
}

// named lets licenses bind that texts only name: wholly where that is all the author says of the license, and else as
// far as they may cover the model.
func (w *weighing) named() {
	own := w.ids()
	for _, m := range w.mentions {
		if slices.Contains(own, m.id) {
			continue
		}
		b := binding{formula: license.Formula{Op: license.One, ID: m.id}, evidence: []string{m.where + " (names it only)"}}
		switch {
		case m.declares:
		case len(own) == 0 && !w.halfRead():
			b.note = &license.Reason{
				Outcome: license.Conditional, Code: codeMention, Evidence: []string{m.where},
				Text: fmt.Sprintf("nothing declares a license; %s names %s: make sure that it covers the weights", m.where, m.id),
			}
		default:
			b.doubt = fmt.Sprintf("%s names %s: find out what it covers", m.where, m.id)
		}
		w.bindings = append(w.bindings, b)
	}
}

// halfRead tells that the card could not be read whole: what was cut off may have declared a license.
func (w *weighing) halfRead() bool {
	c := w.s.model.Card
	return c != nil && slices.ContainsFunc(w.s.gaps, func(g model.Gap) bool {
		return g.Kind != model.Absent && strings.HasPrefix(g.What, c.Path)
	})
}

func shares(a, b []string) bool {
	return slices.ContainsFunc(a, func(id string) bool { return slices.Contains(b, id) })
}

// saidBySome tells that two texts of one model differ, which is no contradiction (a license for the code beside one for
// the weights), or that a claim is borne out by another text.
func (w *weighing) saidBySome(a, b voice) bool {
	isText := func(v voice) bool {
		return slices.ContainsFunc(w.s.model.Texts, func(t model.Text) bool { return t.Path == v.who })
	}
	if isText(a) && isText(b) {
		return true
	}
	for _, pair := range [][2]voice{{a, b}, {b, a}} {
		if !isText(pair[0]) {
			continue
		}
		for _, other := range w.from {
			if isText(other) && shares(other.ids, pair[1].ids) {
				return true
			}
		}
	}
	return false
}

// nothing reports that no license was found anywhere. Without one, nobody but the author may use a model.
func (w *weighing) nothing() {
	if len(w.bindings) > 0 || slices.ContainsFunc(w.extra, func(r license.Reason) bool { return r.Outcome >= license.Undetermined }) {
		return
	}
	if w.s.known != nil {
		st := w.fromCatalog(w.s)
		w.bindings, w.claims = append(w.bindings, st.bindings...), append(w.claims, st.claims...)
		w.add(license.Conditional, codeNoLicense, "the model itself names no license; the answer rests on the catalog alone")
		return
	}
	w.add(license.Undetermined, codeNoLicense, "no license is stated: neither card nor files nor weights name one, and without a license no use is granted")
}

// partial keeps the answer from being better than what could be read: a license may stand in what could not.
func (w *weighing) partial() {
	for _, g := range w.s.gaps {
		outcome := license.Undetermined
		switch {
		case g.Kind == model.Absent:
			continue
		case g.Kind == model.Restricted && w.base && len(w.bindings) > 0:
			// The terms that a gated base model is under are listed to everybody; only its files are not.
			outcome = license.Conditional
		}
		w.add(outcome, codeUnread, fmt.Sprintf("%s could not be read whole: %s", g.What, g.Why), g.What)
	}
}

// catalog compares with what well-known sources said of this model before.
func (w *weighing) catalog() {
	k := w.s.known
	if k == nil || k.Confidence == "low" || len(w.bindings) == 0 {
		return
	}
	f := w.knownFormula(k)
	where := "catalog: " + k.Source.Title + ", seen " + k.Seen
	w.claims = append(w.claims, report.Claim{Origin: string(model.FromCatalog), Where: where, Value: k.Declared, ID: soleID(f)})
	if ids := f.IDs(); len(ids) > 0 && !shares(ids, w.ids()) {
		w.add(license.Conditional, codeCatalog, fmt.Sprintf("the catalog knows this model under %s (%s): it was relicensed, or one of the two is wrong",
			f, where), where)
	}
}

// datasets reports training data whose terms put the model at risk.
func (w *weighing) datasets() {
	for _, id := range w.s.model.Datasets {
		d, ok, err := w.Known.Dataset(id)
		if err != nil {
			w.add(license.Undetermined, codeUnread, fmt.Sprintf("looking up the data set %s: %v", id, err))
		}
		if !ok || err != nil {
			continue
		}
		w.add(license.Allowed, codeDataset, fmt.Sprintf("training data %s: %s", d.ID, d.Text), d.Source.Title)
	}
}
