package license

import (
	"errors"
	"fmt"
	"regexp"
	"slices"

	"github.com/llmcheck/llmcheck/internal/evidence"
)

// Validate reports every fault of a record at once: words that are not in the vocabulary, statements without a clause,
// thresholds that measure nothing. The id is the one that the file's name promises.
func (t *Terms) Validate(id string) error {
	v := &validator{}
	v.check(t.ID == id, "id %q is not the file's name %q", t.ID, id)
	v.check(idForm.MatchString(t.ID), "id %q: use small letters, digits, dots, plus signs and dashes", t.ID)
	v.check(t.Name != "", "name is missing")
	v.check(t.Source.Title != "", "source.title is missing: say where the text was read")
	v.check(!t.Source.Checked.IsZero(), "source.checked is missing: say when the record was compared with the text")
	oneOf(v, "class", t.Class, PublicDomain, Permissive, WeakCopyleft, StrongCopyleft, NetworkCopyleft, UseRestricted,
		Community, NonCommercial, ResearchOnly, Proprietary)
	oneOf(v, "read", t.Read, ReadWhole, ReadKeyClauses)
	v.grants(t.Grants)
	for i := range t.Thresholds {
		v.threshold(fmt.Sprintf("thresholds[%d]", i), &t.Thresholds[i])
	}
	for i := range t.Territories {
		v.territory(fmt.Sprintf("territories[%d]", i), &t.Territories[i])
	}
	if p := t.UsePolicy; p != nil {
		v.check(p.Where != "", "use_policy.where is missing: say where the list of barred uses stands")
		v.section("use_policy", p.Clause)
		v.fields("use_policy.bars", p.Bars)
	}
	oneOf(v, "copyleft.reach", t.Copyleft.Reach, NoCopyleft, FileCopyleft, LibraryCopyleft, WorkCopyleft, NetworkReach, UnknownCopyleft)
	if t.Copyleft.Reach != NoCopyleft && t.Copyleft.Reach != UnknownCopyleft {
		v.section("copyleft", t.Copyleft.Clause)
	}
	v.when("copyleft.when", t.Copyleft.When)
	for i := range t.Duties {
		v.duty(fmt.Sprintf("duties[%d]", i), &t.Duties[i])
	}
	oneOf(v, "patent.grant", t.Patent.Grant, PatentExpress, PatentGeneric, PatentNone, PatentExcluded, PatentUnknown)
	for i, n := range t.Notes {
		v.check(n.Text != "", "notes[%d].text is missing", i)
	}
	return errors.Join(v.faults...)
}

var (
	idForm  = regexp.MustCompile(`^[a-z0-9][a-z0-9.+-]*$`)
	country = regexp.MustCompile(`^(EU|EEA|[A-Z]{2})$`)
)

type validator struct{ faults []error }

func (v *validator) check(ok bool, format string, args ...any) {
	if !ok {
		v.faults = append(v.faults, fmt.Errorf(format, args...))
	}
}

func (v *validator) section(where string, c evidence.Clause) {
	v.check(c.Section != "", "%s.clause.section is missing: no claim without its clause", where)
}

func oneOf[T ~string](v *validator, where string, got T, want ...T) {
	v.check(slices.Contains(want, got), "%s: %q is not one of %v", where, got, want)
}

func allOf[T ~string](v *validator, where string, got []T, want ...T) {
	for _, g := range got {
		oneOf(v, where, g, want...)
	}
}

func (v *validator) fields(where string, fs []Field) { allOf(v, where, fs, Fields()...) }

func (v *validator) grants(g map[Activity]Grant) {
	_, ok := g[Product]
	v.check(ok, "grants.product is missing; write permission: unknown if the text does not say")
	for _, a := range Activities() {
		gr, ok := g[a]
		if !ok {
			continue
		}
		where := "grants." + string(a)
		oneOf(v, where, gr.Permission, Yes, No, Approval, SameFamily, NonProfit, Unknown)
		v.check(gr.Permission != SameFamily || a == TrainOthers, "%s: same-family makes sense for train_others only", where)
		if gr.Permission != Unknown {
			v.section(where, gr.Clause)
		}
	}
	for a := range g {
		v.check(slices.Contains(Activities(), a), "grants: %q is not one of %v", a, Activities())
	}
}

func (v *validator) threshold(where string, t *Threshold) {
	v.check((len(t.Any) > 0) != (len(t.All) > 0), "%s: give either any or all", where)
	oneOf(v, where+".consequence", t.Consequence, NoRights, DisplayDuty, Registration)
	v.check(t.Exact == "" || t.Consequence == DisplayDuty, "%s.exact is for the consequence display", where)
	v.section(where, t.Clause)
	v.when(where+".when", t.When)
	for i, l := range append(slices.Clone(t.Any), t.All...) {
		v.limit(fmt.Sprintf("%s limit %d", where, i), l)
	}
}

func (v *validator) limit(where string, l Limit) {
	money := l.Kind == Revenue || l.Kind == Funding
	oneOf(v, where+".kind", l.Kind, MonthlyUsers, Visits, Revenue, Funding, Employees)
	v.check(l.Limit > 0, "%s.limit must be above zero", where)
	v.check(money == (l.Currency != ""), "%s.currency goes with revenue and funding, and only with them", where)
	v.check((l.Kind == Revenue) == (l.Period != ""), "%s.period goes with revenue, and only with it", where)
	if l.Period != "" {
		oneOf(v, where+".period", l.Period, Month, Year, TwelveMonths)
	}
	oneOf(v, where+".counted", l.Counted, Running, AtRelease)
	oneOf(v, where+".scope", l.Scope, OfProduct, OfCompany)
}

func (v *validator) territory(where string, t *Territory) {
	v.check(len(t.Excluded) > 0, "%s.excluded is empty", where)
	for _, c := range t.Excluded {
		v.check(country.MatchString(c), "%s.excluded: %q is not a two-letter country code, EU or EEA", where, c)
	}
	v.check(len(t.Of) > 0, "%s.of is empty: domicile, use or outputs", where)
	allOf(v, where+".of", t.Of, Domicile, PlaceUsed, OutputsIn)
	v.section(where, t.Clause)
	v.when(where+".when", t.When)
}

func (v *validator) duty(where string, d *Duty) {
	oneOf(v, where+".kind", d.Kind, IncludeLicense, KeepNotices, NoticeFile, StateChanges, Attribution, NoEndorsement, Display,
		NamePrefix, Rename, PassOnTerms, FollowPolicy, ShareAlike, DiscloseSource, Register, Acknowledge, GrantBack,
		SafetyMeasures, DiscloseAI, Update, Indemnify, Confidential, ComplyWithLaw, NoAddedTerms, OtherRestriction)
	v.check(d.Text != "", "%s.text is missing", where)
	v.section(where, d.Clause)
	v.when(where+".when", d.When)
}

func (v *validator) when(where string, w When) {
	allOf(v, where+".purpose", w.Purpose, ForEvaluation, ForResearch, ForInternal, ForProduct)
	allOf(v, where+".shipping", w.Shipping, Hosted, Embedded, OnDevice, Weights, NotAtAll)
	allOf(v, where+".organization", w.Organization, Company, Nonprofit, Academic, Government, Individual)
	v.fields(where+".fields", w.Fields)
}
