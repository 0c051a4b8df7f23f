package diligence

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
)

// weigh turns what was read of one model into what binds.
//
// Every license that a text of the model is, and every license that a claim names, binds: who has both must keep to
// both, until somebody finds out which one is wrong. That two sources disagree is a finding of its own. A text that is
// no known license binds as "undetermined"; only where nothing else is there does the catalogue answer.
func (in *inquiry) weigh(s *subject, how depth) standing {
	w := &weighing{inquiry: in, s: s, base: how == termsOnly}
	w.texts()
	w.declarations()
	w.contradictions()
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
	who string // "LICENSE", "card README.md:3"
	ids []string
}

// mention is a license that a text only names.
type mention struct {
	id, where string
}

// texts identifies every file that can hold terms.
func (w *weighing) texts() {
	if len(w.s.model.Texts) == 0 {
		return
	}
	index, err := w.Texts()
	if err != nil {
		w.add(license.Undetermined, codeUnread, "the index of license texts could not be opened: "+err.Error())
		return
	}
	for _, t := range w.s.model.Texts {
		r := index.Identify(t.Data)
		w.text(t, &r)
		if t.Cut || r.Cut {
			w.add(license.Undetermined, codeUnread, fmt.Sprintf("%s is too long: only its beginning was judged", t.Path), t.Path)
		}
	}
}

func (w *weighing) text(t model.Text, r *identify.Result) {
	known := false
	for _, m := range r.Matches {
		w.matches = append(w.matches, w.match(t.Path, m))
		switch {
		case m.Kind == identify.Policy:
			known = known || m.Relation != identify.Mention
		case m.Relation == identify.Mention:
			w.mentions = append(w.mentions, mention{m.ID, describe(t.Path, m.StartLine, m.EndLine)})
			known = known || pointer(r)
		default:
			known = true
			w.bind(t, m)
		}
	}
	if !known {
		w.unknownText(t, r)
	}
	if !known {
		w.read(t)
	} else if changed := changed(r); len(changed) > 0 {
		w.read(t, changed...)
	}
}

// pointer tells that a text names a license and says nothing else of weight.
func pointer(r *identify.Result) bool {
	return len(r.Unexplained) == 0
}

// bind lets the license of a text bind.
func (w *weighing) bind(t model.Text, m identify.Match) {
	place := describe(t.Path, m.StartLine, m.EndLine)
	b := binding{formula: license.Formula{Op: license.One, ID: m.ID}, evidence: []string{place}}
	switch m.Relation {
	case identify.Modified:
		b.note = &license.Reason{
			Outcome: license.Undetermined, Code: codeModifiedText, Evidence: []string{place},
			Text: fmt.Sprintf("%s is not plain %s: %s; read what was changed", t.Path, m.ID, amount(m)),
		}
	case identify.Truncated:
		b.note = &license.Reason{
			Outcome: license.Undetermined, Code: codeModifiedText, Evidence: []string{place},
			Text: fmt.Sprintf("%s holds only %.0f %% of %s; get the whole text", t.Path, 100*m.LicenseCoverage, m.ID),
		}
	}
	w.bindings = append(w.bindings, b)
	w.from = append(w.from, voice{t.Path, []string{m.ID}})
}

// amount says how far a text is from the license it is nearest to.
func amount(m identify.Match) string {
	added, missing := 0, 0
	for _, d := range m.Differences {
		added += len(strings.Fields(d.Words))
		missing += d.MissingWords
	}
	return fmt.Sprintf("%.0f %% of that license is in it, %.0f %% of it is that license (%d words added or changed, %d left out)",
		100*m.LicenseCoverage, 100*m.TextCoverage, added, missing)
}

func (w *weighing) unknownText(t model.Text, r *identify.Result) {
	switch {
	case t.Kind == model.NoticeText:
		return
	case r.Words == 0:
		w.add(license.Undetermined, codeUnknownText, fmt.Sprintf("%s holds no readable text", t.Path), t.Path)
	case t.Kind == model.PolicyText:
		w.add(license.Conditional, codePolicyText, fmt.Sprintf("%s is a use policy that is not known here: read it", t.Path), t.Path)
	default:
		w.add(license.Undetermined, codeUnknownText, fmt.Sprintf("%s is no license that is known here: read it", t.Path), t.Path)
	}
}

// maxPassages keeps a report readable; a lawyer who starts with these reads the rest in the file.
const maxPassages = 40

// changed lists where a text departs from the license it is nearest to.
func changed(r *identify.Result) []identify.Region {
	var regions []identify.Region
	for _, m := range r.Matches {
		if m.Relation != identify.Modified {
			continue
		}
		for _, d := range m.Differences {
			regions = append(regions, identify.Region{StartLine: d.StartLine, EndLine: d.EndLine})
		}
	}
	return regions
}

// read lists the sentences that a lawyer should read first: of the whole text, or where it was changed.
func (w *weighing) read(t model.Text, only ...identify.Region) {
	for _, c := range identify.Clauses(t.Data, only...) {
		if len(w.passages) == maxPassages {
			return
		}
		w.passages = append(w.passages, report.Passage{
			Topic: string(c.Topic), File: t.Path, StartLine: c.StartLine, EndLine: c.EndLine, Quote: c.Quote,
		})
	}
}

// declarations reads the claims of card, weights and registry.
func (w *weighing) declarations() {
	for _, c := range w.s.model.Claims {
		f, ok := w.claim(c)
		shown := report.Claim{Origin: string(c.Origin), Where: c.Where, Value: c.Value}
		if c.Name != "" {
			shown.Value += " (" + c.Name + ")"
		}
		shown.ID = soleID(f)
		w.claims = append(w.claims, shown)
		if !ok {
			continue
		}
		w.declaredBinding(c, f)
	}
	for _, m := range w.mentions {
		w.claims = append(w.claims, report.Claim{Origin: string(model.FromFile), Where: m.where, Value: "names " + m.id, ID: m.id})
	}
}

// claim reads one claim; ok is false where it says nothing about the terms ("unknown", or "other" beside a text that is
// there to be read).
func (w *weighing) claim(c model.Claim) (f license.Formula, ok bool) {
	value := strings.TrimSpace(c.Value)
	switch strings.ToLower(value) {
	case "", "unknown", "none", "n/a":
		return license.Formula{}, false
	case "other":
		for _, name := range []string{c.Name, c.Link} {
			if f, known := w.resolve(name); known {
				return f, true
			}
		}
		if len(w.bindings) > 0 { // the text decides; the name is only a name
			return license.Formula{}, false
		}
		return license.Formula{Op: license.Unread, Name: strings.TrimSpace("other " + c.Name)}, true
	}
	f = w.declared(value)
	if len(f.IDs()) == 0 && len(w.bindings) > 0 && f.Op == license.Unread {
		return f, false
	}
	return f, true
}

// declaredBinding lets a claim bind. Where it leaves open which edition is meant and a text of the model is one of them,
// the text says which.
func (w *weighing) declaredBinding(c model.Claim, f license.Formula) {
	where := string(c.Origin) + " " + c.Where
	ids := f.IDs()
	w.from = append(w.from, voice{where, ids})
	for _, id := range ids {
		w.declaredMatch(id, c)
	}
	if f.Op == license.OneOf || f.Op == license.Any {
		for _, v := range w.from {
			if v.who != where && len(v.ids) == 1 && slices.Contains(ids, v.ids[0]) {
				return
			}
		}
	}
	for i := range w.bindings {
		if w.bindings[i].formula.String() == f.String() {
			w.bindings[i].evidence = append(w.bindings[i].evidence, where)
			return
		}
	}
	w.bindings = append(w.bindings, binding{formula: f, evidence: []string{where}})
}

func (w *weighing) declaredMatch(id string, c model.Claim) {
	m := report.Match{ID: id, Relation: string(identify.Declared), Kind: string(identify.License), File: c.Where}
	if !slices.ContainsFunc(w.matches, func(o report.Match) bool { return o.ID == id && o.File == m.File }) {
		w.matches = append(w.matches, m)
	}
}

// contradictions reports sources that name different licenses, and mentions that nothing else bears out.
func (w *weighing) contradictions() {
	for i, a := range w.from {
		for _, b := range w.from[i+1:] {
			if len(a.ids) == 0 || len(b.ids) == 0 || shares(a.ids, b.ids) || w.saidBySome(a, b) {
				continue
			}
			w.add(license.Conditional, codeContradiction, fmt.Sprintf("%s says %s, but %s says %s: both bind until it is known which is right",
				a.who, strings.Join(a.ids, " or "), b.who, strings.Join(b.ids, " or ")), a.who, b.who)
		}
	}
	ids := w.ids()
	for _, m := range w.mentions {
		switch {
		case slices.Contains(ids, m.id):
		case len(ids) == 0: // a text that only points at a license, and nothing else: it is a claim
			w.bindings = append(w.bindings, binding{formula: license.Formula{Op: license.One, ID: m.id}, evidence: []string{m.where + " (names it only)"}})
			ids = append(ids, m.id)
		default:
			w.add(license.Conditional, codeMention, fmt.Sprintf("%s names %s as well: find out what it covers", m.where, m.id), m.where)
		}
	}
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
		w.add(license.Conditional, codeNoLicense, "the model itself names no license; the answer rests on the catalogue alone")
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
	where := "catalogue: " + k.Source.Title + ", seen " + k.Seen
	w.claims = append(w.claims, report.Claim{Origin: string(model.FromCatalog), Where: where, Value: k.Declared, ID: soleID(f)})
	if ids := f.IDs(); len(ids) > 0 && !shares(ids, w.ids()) {
		w.add(license.Conditional, codeCatalog, fmt.Sprintf("the catalogue knows this model under %s (%s): it was relicensed, or one of the two is wrong",
			f, where), where)
	}
}

// datasets reports training data whose terms put the model at risk.
func (w *weighing) datasets() {
	for _, id := range w.s.model.Datasets {
		d, ok, err := w.Known.Dataset(id)
		if err != nil || !ok {
			continue
		}
		w.add(license.Allowed, codeDataset, fmt.Sprintf("training data %s: %s", d.ID, d.Text), d.Source.Title)
	}
}

func (w *weighing) match(path string, m identify.Match) report.Match {
	out := report.Match{
		ID: m.ID, SPDX: m.SPDX, Kind: string(m.Kind), Relation: string(m.Relation), File: path,
		LicenseCoverage: &m.LicenseCoverage, TextCoverage: &m.TextCoverage,
		StartLine: m.StartLine, EndLine: m.EndLine, Twins: m.Twins,
	}
	for _, d := range m.Differences {
		out.Differences = append(out.Differences, report.Difference(d))
	}
	return out
}
