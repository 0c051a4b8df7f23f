package license

import (
	"fmt"
	"slices"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Change is one thing that, done or answered otherwise, would change the outcome.
type Change struct {
	Text    string
	Outcome Outcome
}

// Changes asks what would change a verdict, by judging the same models again for uses that differ from u in one point.
// Points that change nothing are left out; the mildest outcomes come first. The function is called a few dozen times,
// so it must not read or fetch anything.
func Changes(judge func(Use) Verdict, u Use, now Verdict) []Change {
	var out []Change
	seen := make(map[string]bool)
	for _, alt := range alternatives(u, now) {
		o := judge(alt.use).Outcome
		if o == now.Outcome || seen[alt.text] {
			continue
		}
		seen[alt.text] = true
		out = append(out, Change{alt.text, o})
	}
	slices.SortStableFunc(out, func(a, b Change) int { return int(a.Outcome) - int(b.Outcome) })
	return out
}

type alternative struct {
	text string
	use  Use
}

// alternatives lists uses that differ from u in one point each.
func alternatives(u Use, now Verdict) []alternative {
	var out []alternative
	add := func(text string, change func(*Use)) {
		v := u
		change(&v)
		out = append(out, alternative{text, v})
	}
	for _, p := range []Purpose{ForProduct, ForInternal, ForResearch, ForEvaluation} {
		if p != u.Purpose {
			add("if the purpose were "+string(p), func(v *Use) { v.Purpose, v.Commercial = p, nil })
		}
	}
	for _, s := range []Shipping{NotAtAll, Hosted, Embedded} {
		if !slices.Equal(u.Shipping, []Shipping{s}) {
			add(shippingWords[s], func(v *Use) { v.Shipping = []Shipping{s} })
		}
	}
	if u.Modify == nil || *u.Modify {
		add("if the model were not modified", func(v *Use) { v.Modify = new(false) })
	}
	if u.TrainOthers != TrainNone {
		add("if outputs trained no other model", func(v *Use) { v.TrainOthers = TrainNone })
	}
	if u.TrainOthers != TrainAny {
		add("if outputs trained other models", func(v *Use) { v.TrainOthers = TrainAny })
	}
	for _, m := range now.Thresholds {
		out = append(out, across(u, m)...)
	}
	return append(out, places(u)...)
}

var shippingWords = map[Shipping]string{
	NotAtAll: "if nobody outside used it", Hosted: "if it were only hosted", Embedded: "if copies of the weights were given to others",
}

// across gives the uses just below and just above a limit.
func across(u Use, m Measure) []alternative {
	set := setter(m.Limit)
	if set == nil {
		return nil
	}
	below, above := m.Limit.Limit, m.Limit.Limit+1
	if m.Limit.Inclusive {
		below, above = below-1, above-1
	}
	var out []alternative
	if m.Crossed == nil || *m.Crossed {
		v := u
		set(&v, below)
		out = append(out, alternative{fmt.Sprintf("if %s stayed under %s", m.Limit.subject(), m.Limit.amount()), v})
	}
	if m.Crossed == nil || !*m.Crossed {
		v := u
		set(&v, above)
		out = append(out, alternative{fmt.Sprintf("if %s", m.Limit), v})
	}
	return out
}

func (l Limit) subject() string { return limitWords[l.Kind] + " of the " + string(l.Scope) }

// setter tells which input of a use a limit measures.
func setter(l Limit) func(*Use, units.Count) {
	amount := func(c units.Count) *units.Money { return &units.Money{Amount: float64(c), Currency: l.Currency} }
	switch {
	case l.Kind == MonthlyUsers && l.Counted == AtRelease:
		return func(u *Use, c units.Count) { u.UsersAtRelease = &c }
	case l.Kind == MonthlyUsers && l.Scope == OfProduct:
		return func(u *Use, c units.Count) { u.ProductUsers = &c }
	case l.Kind == MonthlyUsers:
		return func(u *Use, c units.Count) { u.MonthlyUsers = &c }
	case l.Kind == Visits:
		return func(u *Use, c units.Count) { u.MonthlyVisits = &c }
	case l.Kind == Employees:
		return func(u *Use, c units.Count) { u.Employees = &c }
	case l.Kind == Funding:
		return func(u *Use, c units.Count) { u.Funding = amount(c) }
	case l.Kind == Revenue && l.Period == Month && l.Scope == OfCompany:
		return func(u *Use, c units.Count) { u.MonthlyRevenue = amount(c) }
	case l.Kind == Revenue && l.Scope == OfCompany:
		return func(u *Use, c units.Count) { u.Revenue = amount(c) }
	case l.Kind == Revenue && l.Period != Month:
		return func(u *Use, c units.Count) { u.ProductRevenue = amount(c) }
	}
	return nil
}

// places gives uses elsewhere, for licenses with a territory.
func places(u Use) []alternative {
	var out []alternative
	for _, p := range []struct {
		text     string
		domicile string
		served   []string
	}{
		{"if the principal place of business were outside the excluded territory", "US", u.Countries},
		{"if the product were offered in the United States only", u.Domicile, []string{"US"}},
		{"if the principal place of business were in the EU", "DE", u.Countries},
		{"if the product were offered in the EU", u.Domicile, []string{"EU"}},
	} {
		v := u
		v.Domicile, v.Countries = p.domicile, p.served
		out = append(out, alternative{p.text, v})
	}
	return out
}
