package license

import (
	"fmt"
	"slices"

	"github.com/llmcheck/llmcheck/internal/evidence"
)

// Outcome is the answer to "may we", ordered so that the greatest of several binds.
type Outcome int

// The outcomes. Allowed still may carry routine duties, such as shipping the license text.
const (
	Allowed Outcome = iota
	Conditional
	Undetermined
	Prohibited
)

// String is the word of the JSON contract.
func (o Outcome) String() string {
	return [...]string{"allowed", "conditional", "undetermined", "prohibited"}[o]
}

// ParseOutcome reads what String writes.
func ParseOutcome(s string) (Outcome, error) {
	for _, o := range []Outcome{Allowed, Conditional, Undetermined, Prohibited} {
		if o.String() == s {
			return o, nil
		}
	}
	return 0, fmt.Errorf("outcome %q is not one of allowed, conditional, undetermined, prohibited", s)
}

// Verdict is the answer of one license, or of several combined.
type Verdict struct {
	Outcome    Outcome
	Reasons    []Reason // in the order of the terms
	Duties     []Due
	Thresholds []Measure
	Questions  []Question
}

// Reason is one statement that bears on the outcome.
type Reason struct {
	Outcome  Outcome
	Code     Code
	Text     string
	License  string // id; "" for a reason that is about no license
	Clause   evidence.Clause
	Evidence []string // places: file and lines, keys, addresses
}

// Code names the rule behind a reason, for scripts. Codes do not change their meaning.
type Code string

// The codes of reasons that Assess gives. Those about a model as a whole are in package diligence.
const (
	CodeGrant        Code = "grant"
	CodeThreshold    Code = "threshold"
	CodeTerritory    Code = "territory"
	CodeUsePolicy    Code = "use_policy"
	CodeField        Code = "field_of_use"
	CodeCopyleft     Code = "copyleft"
	CodeDuty         Code = "duty"
	CodeBranding     Code = "branding"
	CodeAtWill       Code = "revocable"
	CodePartlyRead   Code = "partly_read"
	CodeAgreement    Code = "separate_agreement"
	CodeAlternatives Code = "alternatives"
)

// Due is a duty that the use brings about, or may bring about.
type Due struct {
	Duty
	License string
	Certain bool // false: it depends on something nobody said; Duty.When tells on what
}

// Measure is one limit and where the licensee stands.
type Measure struct {
	Limit   Limit
	License string
	Clause  evidence.Clause
	Value   *float64 // the figure that was compared; nil if nobody gave one
	Crossed *bool    // nil: not known
	Effect  Consequence
}

// Combine adds licenses up that all bind, as a model's own and those of its base models do: the strictest outcome, and
// every reason, duty, threshold and question once.
func Combine(vs ...Verdict) Verdict {
	var out Verdict
	for _, v := range vs {
		out.Outcome = max(out.Outcome, v.Outcome)
		for _, r := range v.Reasons {
			out.Reasons = addReason(out.Reasons, r)
		}
		for _, d := range v.Duties {
			out.Duties = addDue(out.Duties, d)
		}
		out.Thresholds = appendNew(out.Thresholds, v.Thresholds, sameMeasure)
		out.Questions = appendNew(out.Questions, v.Questions, func(a, b Question) bool { return a == b })
	}
	return out
}

// Alternatives answers for licenses of which one holds and nobody knows which, such as the editions that one hub
// identifier stands for. Where all of them give the same outcome it is the answer; else nothing is determined, for the
// name may be in use for texts that we have not seen as well: several publishers call several texts modified MIT. The
// name is what was found.
func Alternatives(name string, vs ...Verdict) Verdict {
	out := Combine(vs...)
	if !slices.ContainsFunc(vs, func(v Verdict) bool { return v.Outcome != out.Outcome }) {
		return out
	}
	out = out.softened()
	out.Outcome = Undetermined
	out.Reasons = append([]Reason{{
		Outcome: Undetermined, Code: CodeAlternatives,
		Text: fmt.Sprintf("%q stands for several licenses and they differ for this use; read which one the publisher means", name),
	}}, out.Reasons...)
	return out
}

// Possibly answers for a license of which nobody knows whether it covers the model, such as one that a notice names
// beside others: what it forbids is not determined, and what it asks for may be due.
func Possibly(doubt Reason, v Verdict) Verdict {
	out := v.softened()
	doubt.Outcome = out.Outcome
	out.Reasons = append([]Reason{doubt}, slices.DeleteFunc(out.Reasons, func(r Reason) bool { return r.Outcome == Allowed })...)
	for i := range out.Duties {
		out.Duties[i].Certain = false
	}
	return out
}

// softened is a copy in which what is prohibited is undetermined.
func (v Verdict) softened() Verdict {
	out := Combine(v)
	out.Outcome = min(out.Outcome, Undetermined)
	for i := range out.Reasons {
		out.Reasons[i].Outcome = min(out.Reasons[i].Outcome, Undetermined)
	}
	return out
}

// Choice answers for licenses of which the licensee may choose one (SPDX OR): the verdict that is
// mildest.
func Choice(vs ...Verdict) Verdict {
	return slices.MinFunc(vs, func(a, b Verdict) int { return int(a.Outcome) - int(b.Outcome) })
}

func appendNew[T any](list, more []T, same func(a, b T) bool) []T {
	for _, m := range more {
		if !slices.ContainsFunc(list, func(l T) bool { return same(l, m) }) {
			list = append(list, m)
		}
	}
	return list
}

// addReason adds a reason once; what else bears it out is added to its evidence.
func addReason(list []Reason, r Reason) []Reason {
	i := slices.IndexFunc(list, func(o Reason) bool {
		return o.Outcome == r.Outcome && o.Code == r.Code && o.Text == r.Text && o.License == r.License && o.Clause == r.Clause
	})
	if i < 0 {
		r.Evidence = slices.Clone(r.Evidence)
		return append(list, r)
	}
	list[i].Evidence = appendNew(list[i].Evidence, r.Evidence, func(a, b string) bool { return a == b })
	return list
}

// addDue adds a duty once. It is certain if any of those who say it are.
func addDue(list []Due, d Due) []Due {
	i := slices.IndexFunc(list, func(o Due) bool { return sameDue(o, d) })
	if i < 0 {
		return append(list, d)
	}
	list[i].Certain = list[i].Certain || d.Certain
	return list
}

func sameDue(a, b Due) bool {
	return a.Kind == b.Kind && a.Text == b.Text && a.Exact == b.Exact && a.License == b.License && a.Clause == b.Clause &&
		a.When.String() == b.When.String()
}

func sameMeasure(a, b Measure) bool {
	return a.License == b.License && a.Limit == b.Limit && a.Clause == b.Clause
}
