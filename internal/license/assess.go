package license

import (
	"fmt"
	"slices"

	"github.com/llmcheck/llmcheck/internal/evidence"
)

// Assess judges one use of a model under one license.
//
// A fact about the licensee that decides between "no" and "not no" and that nobody gave makes its reason Undetermined
// and becomes a question. Conduct that one undertakes (a use policy, a name to display) makes it Conditional and becomes
// a duty. Where every answer to an open question leads to a duty at most, the reason is Conditional.
func Assess(t *Terms, u Use, m Traits) Verdict {
	a := &assessor{t: t, u: u, m: m}
	if slices.Contains(u.Agreements, t.ID) {
		a.reason(Conditional, CodeAgreement, "a separate agreement with the licensor is said to exist; its terms bind and were not read", evidence.Clause{})
		return a.v
	}
	a.grants()
	for i := range t.Thresholds {
		a.threshold(&t.Thresholds[i])
	}
	for i := range t.Territories {
		a.territory(&t.Territories[i])
	}
	a.usePolicy()
	a.copyleft()
	for i := range t.Duties {
		a.duty(&t.Duties[i])
	}
	a.remarks()
	return a.v
}

type assessor struct {
	t *Terms
	u Use
	m Traits
	v Verdict
}

func (a *assessor) reason(o Outcome, code Code, text string, c evidence.Clause) {
	a.v.Outcome = max(a.v.Outcome, o)
	a.v.Reasons = append(a.v.Reasons, Reason{Outcome: o, Code: code, Text: text, License: a.t.ID, Clause: c})
}

func (a *assessor) ask(inputs ...Input) {
	for _, i := range inputs {
		a.question(i.question(""))
	}
}

func (a *assessor) question(qs ...Question) {
	a.v.Questions = appendNew(a.v.Questions, qs, func(a, b Question) bool { return a == b })
}

func (a *assessor) due(d Duty, certain bool) {
	a.v.Duties = append(a.v.Duties, Due{Duty: d, License: a.t.ID, Certain: certain})
}

// grant looks up the answer to an activity. A grant for product use covers what is less than that.
func (t *Terms) grant(act Activity) Grant {
	if g, ok := t.Grants[act]; ok {
		return g
	}
	if p := t.Grants[Product]; p.Permission == Yes && (act == Evaluate || act == Research || act == Internal) {
		return p
	}
	return Grant{Permission: Unknown}
}

func (a *assessor) grants() {
	if a.u.Purpose == "" {
		a.ask(askPurpose)
		a.reason(Undetermined, CodeGrant, "what the model is wanted for decides, and was not said", evidence.Clause{})
	} else {
		a.activity(a.u.activity(), yes, askPurpose)
	}
	a.activity(Host, a.u.ships(Hosted), askShipping)
	a.activity(Distribute, a.u.ships(GivesCopies()...), askShipping)
	a.activity(Modify, triOfPtr(a.u.Modify), askModify)
	a.activity(TrainOthers, a.u.trains(), askTrainOthers)
	if a.u.commercial() == yes && a.t.grant(CommercialOutputs).Permission != Unknown {
		a.activity(CommercialOutputs, yes, askCommercial)
	}
}

// activity is what a license is asked for the purpose. A grant for research means research without commercial intent; who
// says that research is commercial does business with it.
func (u Use) activity() Activity {
	switch {
	case u.Purpose == ForEvaluation:
		return Evaluate
	case u.Purpose == ForResearch && u.commercial() != yes:
		return Research
	case u.Purpose == ForProduct:
		return Product
	}
	return Internal
}

var activityWords = map[Activity]string{
	Evaluate: "evaluation", Research: "research", Internal: "internal business use", Product: "commercial use in a product",
	Host: "offering it over a network", Distribute: "giving copies of the weights to others", Modify: "modification",
	TrainOthers: "training other models with outputs", CommercialOutputs: "commercial use of outputs",
}

// activity adds the answer for something the use does (yes), may do (unknown) or does not do (no).
func (a *assessor) activity(act Activity, does tri, ask Input) {
	g := a.t.grant(act)
	outcome, text, asks := a.permission(act, g)
	switch {
	case does == no, does == unknown && (outcome == Allowed || act == TrainOthers && g.Permission == Unknown):
		return
	case does == unknown:
		a.ask(append(asks, ask)...)
		a.reason(Undetermined, CodeGrant, text+"; whether that is planned was not said", g.Clause)
		return
	}
	a.ask(asks...)
	a.reason(outcome, CodeGrant, text, g.Clause)
}

func (a *assessor) permission(act Activity, g Grant) (Outcome, string, []Input) {
	what := activityWords[act]
	switch g.Permission {
	case Yes:
		return Allowed, what + " is granted", nil
	case No:
		return Prohibited, what + " is not granted", nil
	case Approval:
		return Prohibited, what + " needs the licensor's agreement first", nil
	case SameFamily:
		if a.u.TrainOthers == TrainSameFamily {
			return Allowed, what + " is granted for models derived from this one", nil
		}
		return Prohibited, what + " is granted only for models derived from this one", nil
	case NonProfit:
		switch a.u.commercial() {
		case no:
			return Allowed, what + " is granted without commercial intent", nil
		case unknown:
			return Undetermined, what + " is granted only without commercial intent", []Input{askCommercial}
		}
		return Prohibited, what + " is granted only without commercial intent", nil
	}
	return Undetermined, "the license does not say whether " + what + " is granted", nil
}

func (a *assessor) territory(t *Territory) {
	applies, missing := t.When.holds(a.u, a.m)
	if applies == no {
		return
	}
	for _, place := range t.Of {
		where, ask := a.places(place)
		hit := within(where, t.Excluded)
		switch {
		case hit == no:
			a.outside(place, t)
		case min(applies, hit) == yes:
			a.reason(Prohibited, CodeTerritory, t.bar(place), t.Clause)
		default:
			if hit == unknown {
				a.ask(ask)
			}
			a.ask(missing...)
			a.reason(Undetermined, CodeTerritory, t.bar(place)+"; what decides was not said", t.Clause)
		}
	}
}

// outside is the reason for a place beyond the territory. Who sits in the territory and serves others has to see to it
// that nobody runs the model at home, which the countries served do not tell.
func (a *assessor) outside(place Place, t *Territory) {
	text := fmt.Sprintf("the %s lies outside %s", placeWords[place], or(t.Excluded))
	if place != Domicile && a.u.Domicile != "" && within([]string{a.u.Domicile}, t.Excluded) == yes {
		a.reason(Conditional, CodeTerritory, text+", but your principal place of business does not: nobody may run or test it there", t.Clause)
		return
	}
	a.reason(Allowed, CodeTerritory, text, t.Clause)
}

// bar says what the territory forbids for a place.
func (t *Territory) bar(place Place) string {
	text := fmt.Sprintf("no rights where the %s is in %s", placeWords[place], or(t.Excluded))
	if w := t.When.String(); w != "" {
		text += " (" + w + ")"
	}
	return text
}

var placeWords = map[Place]string{
	Domicile: "principal place of business", PlaceUsed: "place of use", OutputsIn: "place where outputs are used",
}

func (a *assessor) places(p Place) ([]string, Input) {
	if p == Domicile {
		if a.u.Domicile == "" {
			return nil, askDomicile
		}
		return []string{a.u.Domicile}, askDomicile
	}
	return a.u.Countries, askCountries
}

func (a *assessor) usePolicy() {
	p := a.t.UsePolicy
	if p == nil {
		return
	}
	text := "a use policy binds: " + p.Where
	if p.Changes {
		text += "; the publisher may change it later"
	}
	if i := slices.IndexFunc(a.u.Fields, func(f Field) bool { return slices.Contains(p.Bars, f) }); i >= 0 {
		a.reason(Prohibited, CodeField, fmt.Sprintf("the use policy bars the field %s", a.u.Fields[i]), p.Clause)
	}
	a.reason(Conditional, CodeUsePolicy, text, p.Clause)
	if !slices.ContainsFunc(a.t.Duties, func(d Duty) bool { return d.Kind == FollowPolicy }) {
		a.due(Duty{Kind: FollowPolicy, Text: "Keep to the use policy: " + p.Where, Clause: p.Clause}, true)
	}
}

// reaches orders copyleft by strength.
var reaches = []Reach{NoCopyleft, FileCopyleft, LibraryCopyleft, WorkCopyleft, NetworkReach}

var reachWords = map[Reach]string{
	FileCopyleft: "changed files", LibraryCopyleft: "the work itself and changes to it", WorkCopyleft: "every derived work",
	NetworkReach: "every derived work, also when it is only offered over a network",
}

func (a *assessor) copyleft() {
	c := a.t.Copyleft
	switch c.Reach {
	case NoCopyleft:
		return
	case UnknownCopyleft:
		outcome := Conditional
		if a.u.AcceptCopyleft != "" && a.u.AcceptCopyleft != NetworkReach {
			outcome = Undetermined
		}
		a.reason(outcome, CodeCopyleft, "it is not known whether derived works must stay under the same license", c.Clause)
		return
	}
	when := c.when()
	applies, missing := when.holds(a.u, a.m)
	if applies == no {
		return
	}
	text := "the same license must cover " + reachWords[c.Reach] + " given to others"
	over := a.u.AcceptCopyleft != "" && slices.Index(reaches, c.Reach) > slices.Index(reaches, a.u.AcceptCopyleft)
	switch {
	case over && applies == yes:
		a.reason(Prohibited, CodeCopyleft, text+", which is more than you accept", c.Clause)
	case over:
		a.ask(missing...)
		a.reason(Undetermined, CodeCopyleft, text+", which is more than you accept; whether it applies was not said", c.Clause)
	default:
		a.reason(Conditional, CodeCopyleft, text, c.Clause)
	}
	if !slices.ContainsFunc(a.t.Duties, func(d Duty) bool { return d.Kind == ShareAlike }) {
		a.due(Duty{Kind: ShareAlike, Text: "Keep the same license on " + reachWords[c.Reach], When: when, Clause: c.Clause}, applies == yes)
	}
}

// when is what brings the duty about: giving copies to others, if the record names nothing else.
func (c *Copyleft) when() When {
	w := c.When
	if w.String() == "" {
		w.Shipping = GivesCopies()
		if c.Reach == NetworkReach {
			w.Shipping = append(w.Shipping, Hosted)
		}
	}
	return w
}

func (a *assessor) duty(d *Duty) {
	applies, missing := d.When.holds(a.u, a.m)
	if applies == no {
		return
	}
	a.due(*d, applies == yes)
	if d.Kind.Routine() {
		return
	}
	branding := d.Kind == Display || d.Kind == NamePrefix
	if branding && a.u.AcceptBranding != nil && !*a.u.AcceptBranding {
		a.refusedBranding(d, applies, missing)
		return
	}
	a.reason(Conditional, CodeDuty, d.Text, d.Clause)
}

func (a *assessor) refusedBranding(d *Duty, applies tri, missing []Input) {
	if applies == yes {
		a.reason(Prohibited, CodeBranding, "branding is required, which you do not accept: "+d.Text, d.Clause)
		return
	}
	a.ask(missing...)
	a.reason(Undetermined, CodeBranding, "branding may be required, which you do not accept: "+d.Text, d.Clause)
}

// remarks adds what bears on trust in the answer or in the supply.
func (a *assessor) remarks() {
	if a.t.Termination.AtWill {
		a.reason(Allowed, CodeAtWill, "the licensor may end the license without a breach: plan for a replacement", a.t.Termination.Clause)
	}
	if a.t.Read == ReadKeyClauses {
		a.reason(Conditional, CodePartlyRead, "only the key clauses of this license were read for the catalog: read the rest before you rely on it", evidence.Clause{})
	}
}
