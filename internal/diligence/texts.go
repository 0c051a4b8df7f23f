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

// texts identifies every file that can hold terms, and the part of the card that speaks of the license.
func (w *weighing) texts() {
	section := w.section()
	if c := w.s.model.Card; c != nil {
		defer w.intended(c) // last: what the section and the texts say weighs more
	}
	prompt := w.gatedPrompt()
	if len(w.s.model.Texts) == 0 && section == nil && prompt == nil {
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
			w.add(license.Undetermined, codeUnread, t.Path+" is too long: only its beginning was judged", t.Path)
		}
	}
	for _, s := range []*model.Section{section, prompt} {
		if s != nil {
			r := index.Identify([]byte(s.Text))
			w.prose(s, &r)
		}
	}
}

func (w *weighing) gatedPrompt() *model.Section {
	if w.s.model.Card == nil {
		return nil
	}
	return w.s.model.Card.GatedPrompt
}

func (w *weighing) section() *model.Section {
	if w.s.model.Card == nil {
		return nil
	}
	return w.s.model.Card.LicenseSection
}

// text takes note of what one file is. A notice speaks of parts of the model, so that it does not tell what its licenses
// cover; in a license file that names licenses and says no more, the names are what the author declares.
func (w *weighing) text(t model.Text, r *identify.Result) {
	pointer := pointer(r)
	known := false
	var named []string
	for _, m := range r.Matches {
		w.matches = append(w.matches, w.match(t.Path, m))
		place := describe(t.Path, m.StartLine, m.EndLine)
		switch {
		case m.Kind == identify.Policy && m.Relation == identify.Mention:
		case m.Kind == identify.Policy:
			known = true
			w.policy(t, m)
		case t.Kind == model.NoticeText:
			w.mentions = append(w.mentions, mention{id: m.ID, where: place})
			known = known || m.Relation == identify.Equivalent
		case m.Relation == identify.Mention:
			known = known || pointer
			named = append(named, m.ID)
			w.mentions = append(w.mentions, mention{id: m.ID, where: place, declares: pointer && !holdsTerms(r)})
		default:
			known = true
			w.bind(t, m)
		}
	}
	if pointer && !holdsTerms(r) && len(named) > 0 {
		w.from = append(w.from, voice{who: t.Path, ids: named})
	}
	w.unexplained(t, r, known)
}

// pointer tells that a text names licenses and says nothing else of weight.
func pointer(r *identify.Result) bool {
	named := 0.0
	for _, m := range r.Matches {
		if m.Relation == identify.Mention {
			named += m.TextCoverage
		}
	}
	return len(r.Unexplained) == 0 || named > 0.99
}

// holdsTerms tells that a file is a license and does not only name one.
func holdsTerms(r *identify.Result) bool {
	return slices.ContainsFunc(r.Matches, func(m identify.Match) bool {
		return m.Relation != identify.Mention && m.Kind != identify.Policy
	})
}

// unexplained deals with what is no known text: it is named, and its first sentences to read are quoted.
func (w *weighing) unexplained(t model.Text, r *identify.Result, known bool) {
	if !known {
		w.unknownText(t, r)
		w.read(t)
		return
	}
	if parts := changed(r); len(parts) > 0 {
		w.read(t, parts...)
	}
}

// prose takes note of what the card says of its license in words. They are the author's, but they may speak of code, data
// or a base model as well.
func (w *weighing) prose(s *model.Section, r *identify.Result) {
	path := w.s.model.Card.Path
	for _, m := range r.Matches {
		if m.Kind != identify.Policy {
			w.mentions = append(w.mentions, mention{id: m.ID, where: describe(path, s.Line+max(m.StartLine, 1)-1, 0)})
		}
	}
	w.restricted(describe(path, s.Line, 0), s.Text)
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
	w.from = append(w.from, voice{who: t.Path, ids: []string{m.ID}, text: true})
}

// policy takes note of a use policy among the files. It binds whoever the license sends there; beside a license that
// sends nobody, the author still put it there.
func (w *weighing) policy(t model.Text, m identify.Match) {
	if m.Relation == identify.Equivalent {
		w.policies = append(w.policies, license.Reason{
			Outcome: license.Conditional, Code: codePolicyText, Evidence: []string{t.Path},
			Text: fmt.Sprintf("%s is the use policy %s: keep to it", t.Path, m.ID),
		})
		return
	}
	w.add(license.Conditional, codePolicyText, fmt.Sprintf("%s is not the plain use policy %s: %s; read what was changed", t.Path, m.ID, amount(m)),
		t.Path)
	for _, d := range m.Differences {
		w.restricted(describe(t.Path, d.StartLine, d.EndLine), d.Words)
	}
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

// in names the language of an unknown text: a translation of a known license is not that license.
func in(language string) string {
	if language == "" || language == "en" {
		return ""
	}
	return " (it is written in " + language + "; a translation is not the text it was made from)"
}

func (w *weighing) unknownText(t model.Text, r *identify.Result) {
	switch {
	case t.Kind == model.NoticeText:
		w.restricted(t.Path, string(t.Data))
	case r.Words == 0:
		w.add(license.Undetermined, codeUnknownText, t.Path+" holds no readable text", t.Path)
	case t.Kind == model.PolicyText:
		w.add(license.Conditional, codePolicyText, t.Path+" is a use policy that is not known here: read it", t.Path)
		w.restricted(t.Path, string(t.Data))
	default:
		w.add(license.Undetermined, codeUnknownText, t.Path+" is no license that is known here"+in(r.Language)+": read it", t.Path)
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

func (w *weighing) match(path string, m identify.Match) report.Match {
	out := report.Match{
		ID: m.ID, SPDX: m.SPDX, Kind: string(m.Kind), Relation: string(m.Relation), File: path,
		LicenseCoverage: &m.LicenseCoverage, TextCoverage: &m.TextCoverage,
		StartLine: m.StartLine, EndLine: m.EndLine, Twins: m.Twins, Template: m.Template,
	}
	for _, d := range m.Differences {
		out.Differences = append(out.Differences, report.Difference(d))
	}
	return out
}
