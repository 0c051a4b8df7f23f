package diligence

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/license/identify"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/units"
)

// document judges a subject with its ancestors and writes the report.
func (in *inquiry) document(q LicenseQuestion, s *subject, line []ancestor) *report.Document {
	traits := in.traits(s)
	judge := func(u license.Use) license.Verdict {
		vs := []license.Verdict{s.standing.judge(in.Licenses.Get, u, traits)}
		for i := range line {
			vs = append(vs, line[i].judge(in, u, traits))
		}
		return license.Combine(append(vs, in.conflicts(s, line, u, traits))...)
	}
	v := judge(q.Use)
	changes := license.Changes(judge, q.Use, v)
	l := &report.License{
		Outcome: v.Outcome.String(), Use: shownUse(q), Disclaimer: report.Disclaimer,
		Matches: in.shownMatches(s), Claims: nonNil(s.standing.claims), Effective: in.effective(s, line, q.Use, traits),
		Reasons: shownReasons(v), Duties: shownDuties(v), Thresholds: shownThresholds(v), Questions: shownQuestions(v),
		Changes: shownChanges(changes), Lineage: in.shownLineage(line, q.Use, traits), Passages: s.standing.passages,
		Datasets: in.shownDatasets(s),
	}
	l.Licenses = in.shownLicenses(l)
	l.Summary = summary(l)
	return &report.Document{
		Schema: report.Schema, Tool: report.Tool{Name: "llmcheck", Version: in.Version, Catalog: checked(l)}, Generated: in.Now().UTC(),
		Subject: report.Subject{Ref: s.ref.String(), Origin: string(s.ref.Scheme), Revision: s.revision},
		Gaps:    shownGaps(s, line), License: l,
	}
}

// conflicts reports base models whose terms are not among those that the model declares.
func (in *inquiry) conflicts(s *subject, line []ancestor, u license.Use, m license.Traits) license.Verdict {
	own := s.standing.ids()
	if len(own) == 0 {
		return license.Verdict{}
	}
	outcome := s.standing.judge(in.Licenses.Get, u, m).Outcome
	var v license.Verdict
	told := make(map[string]bool) // the base of a base model is often under the same license
	for i := range line {
		a := &line[i]
		theirs := a.standing.ids()
		stricter := a.judge(in, u, m).Outcome > outcome
		key := strings.Join(theirs, " ")
		if len(theirs) == 0 || shares(own, theirs) || !stricter || told[key] {
			continue
		}
		told[key] = true
		v = license.Combine(v, license.Verdict{Outcome: license.Conditional, Reasons: []license.Reason{{
			Outcome: license.Conditional, Code: codeBaseConflict, License: theirs[0], Evidence: []string{a.where},
			Text: fmt.Sprintf("the model says %s, but its base model %s is under %s, which is stricter and binds as well",
				strings.Join(own, " and "), a.ref.Name, strings.Join(theirs, " or ")),
		}}})
	}
	return v
}

func nonNil[T any](s []T) []T {
	if s == nil {
		return []T{}
	}
	return s
}

// effective lists the licenses that bind for a use, the model's own first.
func (in *inquiry) effective(s *subject, line []ancestor, u license.Use, m license.Traits) []string {
	ids := []string{}
	add := func(st *standing) {
		for _, b := range st.bindings {
			if b.doubt != "" {
				continue
			}
			for _, id := range b.formula.Binding(in.Licenses.Get, u, m) {
				if !slices.Contains(ids, id) {
					ids = append(ids, id)
				}
			}
		}
	}
	add(&s.standing)
	for i := range line {
		add(&line[i].standing)
	}
	return ids
}

// shownUse writes the use as its YAML keys, so that a report can be asked again.
func shownUse(q LicenseQuestion) report.Use {
	given := make(map[string]any)
	data, err := json.Marshal(q.Use)
	if err == nil {
		dec := json.NewDecoder(bytes.NewReader(data))
		dec.UseNumber() // 5000000 and not 5e+06
		err = dec.Decode(&given)
	}
	if err != nil {
		given["error"] = err.Error()
	}
	return report.Use{Given: given, Assumed: nonNil(q.Assumed)}
}

// rank puts what a text is before what somebody declares, and both before what is only mentioned.
func rank(m report.Match) int {
	return slices.Index([]string{
		string(identify.Equivalent), string(identify.Modified), string(identify.Truncated),
		string(identify.Declared), string(identify.Mention),
	}, m.Relation)
}

func (in *inquiry) shownMatches(s *subject) []report.Match {
	out := nonNil(slices.Clone(s.standing.matches))
	slices.SortStableFunc(out, func(a, b report.Match) int { return cmp.Compare(rank(a), rank(b)) })
	for i := range out {
		if t, err := in.Licenses.Get(out[i].ID); err == nil {
			out[i].Name, out[i].SPDX = t.Name, t.SPDX
		}
	}
	return out
}

func shownReasons(v license.Verdict) []report.Reason {
	out := make([]report.Reason, 0, len(v.Reasons))
	list := slices.Clone(v.Reasons)
	slices.SortStableFunc(list, func(a, b license.Reason) int { return cmp.Compare(b.Outcome, a.Outcome) })
	for _, r := range list {
		out = append(out, report.Reason{
			Outcome: r.Outcome.String(), Code: string(r.Code), Text: r.Text, License: r.License,
			Clause: r.Clause.Section, Says: r.Clause.Says, Evidence: nonNil(r.Evidence),
		})
	}
	return out
}

func shownDuties(v license.Verdict) []report.Duty {
	out := make([]report.Duty, 0, len(v.Duties))
	for _, d := range v.Duties {
		out = append(out, report.Duty{
			Kind: string(d.Kind), Text: d.Text, Exact: d.Exact, When: d.When.String(), Certain: d.Certain,
			Routine: d.Kind.Routine(), License: d.License, Clause: d.Clause.Section,
		})
	}
	slices.SortStableFunc(out, func(a, b report.Duty) int { return cmp.Compare(btoi(a.Routine), btoi(b.Routine)) })
	return out
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

var effects = map[license.Consequence]string{
	license.NoRights: "no rights until the licensor agrees", license.DisplayDuty: "a name must be shown",
	license.Registration: "registration is required",
}

func shownThresholds(v license.Verdict) []report.Threshold {
	out := make([]report.Threshold, 0, len(v.Thresholds))
	for _, m := range v.Thresholds {
		out = append(out, report.Threshold{
			Kind: string(m.Limit.Kind), Limit: float64(m.Limit.Limit), Value: m.Value, Unit: m.Limit.Unit(), Crossed: m.Crossed,
			Text: m.Limit.String(), Standing: standingOf(m), Effect: effects[m.Effect], License: m.License, Clause: m.Clause.Section,
		})
	}
	return out
}

// standingOf says the distance: "650M of 700M users".
func standingOf(m license.Measure) string {
	limit := m.Limit.Limit.String() + " " + m.Limit.Unit()
	if m.Value == nil {
		return "? of " + limit
	}
	return units.Count(*m.Value).String() + " of " + limit
}

// shownQuestions are those whose answers could still change something: no answer lifts a prohibition.
func shownQuestions(v license.Verdict) []report.Question {
	out := make([]report.Question, 0, len(v.Questions))
	if v.Outcome == license.Prohibited {
		return out
	}
	for _, q := range v.Questions {
		out = append(out, report.Question{Input: string(q.Input), Flag: q.Input.Flag(), Text: q.Text})
	}
	return out
}

func shownChanges(cs []license.Change) []report.Change {
	out := make([]report.Change, 0, len(cs))
	for _, c := range cs {
		out = append(out, report.Change{Text: c.Text, Outcome: c.Outcome.String()})
	}
	return out
}

func (in *inquiry) shownLineage(line []ancestor, u license.Use, m license.Traits) []report.Ancestor {
	out := make([]report.Ancestor, 0, len(line))
	for i := range line {
		a := &line[i]
		source := a.where
		if len(a.standing.bindings) > 0 {
			source = strings.Join(a.standing.bindings[0].evidence, ", ") + "; named in " + a.where
		}
		out = append(out, report.Ancestor{
			Ref: a.ref.Name, Of: a.of, Relation: string(a.relation), License: strings.Join(a.standing.ids(), ", "),
			Outcome: a.judge(in, u, m).Outcome.String(), Source: source, Depth: a.depth,
		})
	}
	return out
}

func (in *inquiry) shownDatasets(s *subject) []report.Dataset {
	var out []report.Dataset
	if s.model == nil {
		return nil
	}
	for _, id := range s.model.Datasets {
		if d, ok, err := in.Known.Dataset(id); ok && err == nil {
			out = append(out, report.Dataset{ID: d.ID, Risk: string(d.Risk) + ": " + d.Text, Source: d.Source.Title})
		}
	}
	return out
}

// shownLicenses introduces every license that the report names.
func (in *inquiry) shownLicenses(l *report.License) []report.LicenseInfo {
	ids := make(map[string]bool)
	for _, id := range l.Effective {
		ids[id] = true
	}
	out := make([]report.LicenseInfo, 0, len(ids))
	for _, id := range slices.Sorted(maps.Keys(ids)) {
		t, err := in.Licenses.Get(id)
		if err != nil {
			continue
		}
		var notes []report.Note
		for _, n := range t.Notes {
			notes = append(notes, report.Note{Text: n.Text, Clause: n.Clause.Section})
		}
		out = append(out, report.LicenseInfo{
			Notes: notes,
			ID:    t.ID, Name: t.Name, Class: string(t.Class), SPDX: t.SPDX, Source: t.Source.Title, URL: t.Source.URL,
			Checked: t.Source.Checked.String(), Read: string(t.Read),
		})
	}
	return out
}

// checked is the newest day on which a record behind the report was compared with its text.
func checked(l *report.License) string {
	newest := ""
	for _, i := range l.Licenses {
		newest = max(newest, i.Checked)
	}
	return newest
}

func shownGaps(s *subject, line []ancestor) []report.Gap {
	out := []report.Gap{}
	add := func(of string, gs []model.Gap) {
		for _, g := range gs {
			out = append(out, report.Gap{What: g.What, Why: g.Why, Kind: string(g.Kind), Of: of})
		}
	}
	add("", s.gaps)
	for i := range line {
		add(line[i].ref.Name, line[i].gaps)
	}
	return out
}

// summary is the verdict in one sentence, with what it hangs on: the duties, or the first of the strictest reasons.
func summary(l *report.License) string {
	lead := map[string]string{
		"allowed": "May be used", "conditional": "May be used", "undetermined": "Not decided", "prohibited": "May not be used",
	}[l.Outcome]
	under := ""
	if len(l.Effective) > 0 {
		under = " under " + strings.Join(l.Effective, " and ")
	}
	i := slices.IndexFunc(l.Reasons, func(r report.Reason) bool { return r.Outcome == l.Outcome })
	switch {
	case i >= 0 && l.Outcome != "allowed" && l.Outcome != "conditional":
		return lead + ": " + l.Reasons[i].Text + after(l.Reasons[i])
	case i >= 0 && l.Outcome == "conditional" && !slices.ContainsFunc(l.Duties, func(d report.Duty) bool { return !d.Routine }):
		return "May be used" + under + ", but " + l.Reasons[i].Text + after(l.Reasons[i])
	}
	if l.Outcome == "conditional" {
		return lead + under + ", if the conditions below are met."
	}
	return lead + under + "."
}

func after(r report.Reason) string {
	switch {
	case r.License == "":
		return "."
	case r.Clause == "":
		return " (" + r.License + ")."
	}
	return " (" + r.License + ", clause " + r.Clause + ")."
}
