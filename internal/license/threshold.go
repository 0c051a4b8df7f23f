package license

import (
	"fmt"
	"math"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// threshold adds what follows from one threshold: the measures, and a reason.
func (a *assessor) threshold(t *Threshold) {
	applies, missing := t.When.holds(a.u, a.m)
	if applies == no {
		return
	}
	crossed, asks, assumed := a.crossed(t)
	result := min(applies, crossed)
	text := t.describe()
	switch {
	case result == no && assumed:
		a.reason(Conditional, CodeThreshold, "under the limit if users at release were no more than now: "+text, t.Clause)
		a.ask(askUsersAtRelease)
	case result == no:
		a.reason(Allowed, CodeThreshold, "under the limit: "+text, t.Clause)
	case t.Consequence != NoRights:
		a.consequence(t, result)
		a.ask(missing...)
		a.question(asks...)
	case result == yes:
		a.reason(Prohibited, CodeThreshold, "the limit is crossed: "+text, t.Clause)
	default:
		a.reason(Undetermined, CodeThreshold, "it is not known whether the limit is crossed: "+text, t.Clause)
		a.ask(missing...)
		a.question(asks...)
	}
}

// consequence adds the duty that a crossed threshold brings, where it brings no more than a duty.
func (a *assessor) consequence(t *Threshold, result tri) {
	d := Duty{Kind: Register, Text: "Register with the licensor or notify it", Clause: t.Clause, When: t.When}
	if t.Consequence == DisplayDuty {
		d.Kind, d.Text, d.Exact = Display, "Show the name prominently in the product", t.Exact
		if t.Exact != "" {
			d.Text = fmt.Sprintf("Show %q prominently in the product", t.Exact)
		}
	}
	if result != yes {
		d.Text += " once " + t.limits()
	}
	a.due(d, result == yes)
	if d.Kind == Display && a.u.AcceptBranding != nil && !*a.u.AcceptBranding {
		a.refusedBranding(&d, result, nil)
		return
	}
	a.reason(Conditional, CodeThreshold, t.describe(), t.Clause)
}

// crossed evaluates the limits. It names the inputs that would decide, and tells whether a snapshot was judged by the
// figure of today.
func (a *assessor) crossed(t *Threshold) (result tri, asks []Question, assumed bool) {
	limits, all := t.Any, false
	if len(t.All) > 0 {
		limits, all = t.All, true
	}
	result = triOf(all)
	for _, l := range limits {
		q := a.u.quantity(l)
		one := q.over(l)
		a.measure(t, l, q, one)
		if one == unknown {
			asks = append(asks, q.ask.question(l.Currency))
		}
		assumed = assumed || q.assumed && one == no
		if all {
			result = min(result, one)
		} else {
			result = max(result, one)
		}
	}
	if result != unknown {
		asks = nil
	}
	return result, asks, assumed && result == no
}

func (a *assessor) measure(t *Threshold, l Limit, q quantity, over tri) {
	m := Measure{Limit: l, License: a.t.ID, Clause: t.Clause, Effect: t.Consequence}
	if q.known() {
		m.Value = new(q.shown)
	}
	if over != unknown {
		m.Crossed = new(over == yes)
	}
	a.v.Thresholds = append(a.v.Thresholds, m)
}

// quantity is what is known of a measured figure: it lies in low..high.
type quantity struct {
	low, high float64
	shown     float64 // the figure the bounds come from
	assumed   bool    // a figure of today stands for one of the release
	ask       Input
}

func nothingKnown(ask Input) quantity { return quantity{high: math.Inf(1), ask: ask} }

func exactly(v float64, ask Input) quantity { return quantity{low: v, high: v, shown: v, ask: ask} }

func (q quantity) known() bool { return q.low > 0 || !math.IsInf(q.high, 1) }

func (q quantity) over(l Limit) tri {
	limit := float64(l.Limit)
	crossedBy := func(v float64) bool { return v > limit || l.Inclusive && v == limit }
	switch {
	case crossedBy(q.low):
		return yes
	case !crossedBy(q.high):
		return no
	}
	return unknown
}

// quantity finds the figure that a limit measures, or bounds for it from a figure that is close: a product has at most
// the users of the company, one month at most the revenue of the year.
func (u Use) quantity(l Limit) quantity {
	switch l.Kind {
	case MonthlyUsers:
		return u.users(l)
	case Visits:
		return u.visits()
	case Revenue:
		return u.revenue(l)
	case Funding:
		return money(u.Funding, l.Currency, askFunding)
	}
	if u.Employees == nil {
		return nothingKnown(askEmployees)
	}
	return exactly(float64(*u.Employees), askEmployees)
}

func (u Use) users(l Limit) quantity {
	switch {
	case l.Counted == AtRelease && u.UsersAtRelease != nil:
		return exactly(float64(*u.UsersAtRelease), askUsersAtRelease)
	case l.Counted == AtRelease && u.MonthlyUsers != nil:
		now := float64(*u.MonthlyUsers)
		q := quantity{high: now, shown: now, assumed: true, ask: askUsersAtRelease}
		if q.over(l) == unknown { // more than the limit today says nothing about the release
			q = nothingKnown(askUsersAtRelease)
		}
		return q
	case l.Counted == AtRelease:
		return nothingKnown(askUsersAtRelease)
	case l.Scope == OfProduct && u.ProductUsers != nil:
		return exactly(float64(*u.ProductUsers), askProductUsers)
	case l.Scope == OfProduct && u.MonthlyUsers != nil:
		return quantity{high: float64(*u.MonthlyUsers), shown: float64(*u.MonthlyUsers), ask: askProductUsers}
	case u.MonthlyUsers != nil:
		return exactly(float64(*u.MonthlyUsers), askMonthlyUsers)
	case u.ProductUsers != nil: // the company has at least these
		return quantity{low: float64(*u.ProductUsers), high: math.Inf(1), shown: float64(*u.ProductUsers), ask: askMonthlyUsers}
	case l.Scope == OfProduct:
		return nothingKnown(askProductUsers)
	}
	return nothingKnown(askMonthlyUsers)
}

// visits are at least as many as users.
func (u Use) visits() quantity {
	switch {
	case u.MonthlyVisits != nil:
		return exactly(float64(*u.MonthlyVisits), askMonthlyVisits)
	case u.ProductUsers != nil:
		users := float64(*u.ProductUsers)
		return quantity{low: users, high: math.Inf(1), shown: users, ask: askMonthlyVisits}
	}
	return nothingKnown(askMonthlyVisits)
}

// revenue finds the figure, or bounds it from above by one that counts more: a product earns at most what the company
// does, a month at most what the twelve months around it do.
func (u Use) revenue(l Limit) quantity {
	type figure struct {
		given *units.Money
		ask   Input
	}
	exact := figure{u.Revenue, askRevenue}
	var wider []*units.Money
	switch {
	case l.Period == Month && l.Scope == OfProduct:
		exact, wider = figure{u.ProductMonthlyRevenue, askProductMonthly}, []*units.Money{u.ProductRevenue, u.MonthlyRevenue, u.Revenue}
	case l.Period == Month:
		exact, wider = figure{u.MonthlyRevenue, askMonthlyRevenue}, []*units.Money{u.Revenue}
	case l.Scope == OfProduct:
		exact, wider = figure{u.ProductRevenue, askProductRevenue}, []*units.Money{u.Revenue}
	}
	q := money(exact.given, l.Currency, exact.ask)
	if q.known() {
		return q
	}
	for _, m := range wider {
		if w := money(m, l.Currency, exact.ask); w.known() && w.high < q.high {
			q.high, q.shown = w.high, w.shown
		}
	}
	return q
}

// money reads an amount; one in another currency than the clause's says nothing, since rates change.
func money(m *units.Money, currency string, ask Input) quantity {
	if m == nil || m.Currency != currency {
		return nothingKnown(ask)
	}
	return exactly(m.Amount, ask)
}

// describe says what the threshold does: "no rights where monthly users exceed 700M (company with affiliates, month
// before release)".
func (t *Threshold) describe() string {
	what := map[Consequence]string{
		NoRights: "no rights until the licensor agrees", DisplayDuty: "a name must be shown", Registration: "registration is required",
	}[t.Consequence]
	if t.Exact != "" {
		what = fmt.Sprintf("%q must be shown", t.Exact)
	}
	return what + " once " + t.limits()
}

func (t *Threshold) limits() string {
	list, join := t.Any, " or "
	if len(t.All) > 0 {
		list, join = t.All, " and "
	}
	words := make([]string, len(list))
	for i, l := range list {
		words[i] = l.String()
	}
	s := strings.Join(words, join)
	if w := t.When.String(); w != "" {
		s += " (" + w + ")"
	}
	return s
}

// String says the limit as a sentence part: "monthly users of the company with affiliates exceed 700M, counted in the
// month before release (2024-07-23)".
func (l Limit) String() string { return l.says(true) }

// says tells that the limit is crossed, or that it is not.
func (l Limit) says(crossed bool) string {
	verb := map[[2]bool]string{
		{true, true}: "reach", {true, false}: "exceed", {false, true}: "stay under", {false, false}: "do not exceed",
	}[[2]bool{crossed, l.Inclusive}]
	s := limitWords[l.Kind] + " of the " + string(l.Scope)
	if l.Affiliates {
		s += " with affiliates"
	}
	s += " " + l.agrees(verb) + " " + l.amount()
	switch l.Period {
	case Month:
		s += " in a month"
	case Year:
		s += " in a year"
	case TwelveMonths:
		s += " in any 12 months"
	}
	if l.Counted == AtRelease {
		s += ", counted in the month before release"
		if !l.Date.IsZero() {
			s += " (" + l.Date.String() + ")"
		}
	}
	return s
}

// agrees gives a verb the form that its quantity asks for: users exceed, revenue exceeds.
func (l Limit) agrees(verb string) string {
	if l.Kind != Revenue && l.Kind != Funding {
		return verb
	}
	return map[string]string{"reach": "reaches", "exceed": "exceeds", "stay under": "stays under", "do not exceed": "does not exceed"}[verb]
}

var limitWords = map[LimitKind]string{
	MonthlyUsers: "monthly users", Visits: "monthly visits", Revenue: "revenue", Funding: "funding", Employees: "employees",
}

func (l Limit) amount() string {
	if l.Currency != "" {
		return units.Money{Amount: float64(l.Limit), Currency: l.Currency}.String()
	}
	return l.Limit.String()
}

// Unit is the unit of the limit: users, visits, employees or a currency.
func (l Limit) Unit() string {
	switch l.Kind {
	case MonthlyUsers:
		return "users"
	case Visits:
		return "visits"
	case Employees:
		return "employees"
	}
	return l.Currency
}
