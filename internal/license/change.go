package license

import (
	"fmt"
	"slices"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Change is one thing that, done or answered otherwise, would change the outcome.
type Change struct {
	Text    string
	Use     Use // the use that differs in this one point
	Outcome Outcome
}

// maxChanges is how many changes are told; more are a list and no advice.
const maxChanges = 12

// Changes asks what would change a verdict, by judging the same models again for uses that differ from u in one point.
// Points that change nothing are left out; the mildest outcomes come first. The function is called a few dozen times,
// so it must not read or fetch anything.
func Changes(judge func(Use) Verdict, u Use, now Verdict) []Change {
	var out []Change
	for _, c := range alternatives(u, now) {
		c.Outcome = judge(c.Use).Outcome
		told := slices.ContainsFunc(out, func(o Change) bool { return o.Text == c.Text })
		if c.Outcome != now.Outcome && !told && c.Use.Validate() == nil {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b Change) int { return int(a.Outcome) - int(b.Outcome) })
	return out[:min(len(out), maxChanges)]
}

// alternatives lists uses that differ from u in one point each.
func alternatives(u Use, now Verdict) []Change {
	out := slices.Concat(purposes(u), shippings(u), conduct(u))
	for _, m := range now.Thresholds {
		out = append(out, across(u, m)...)
	}
	return append(out, places(u)...)
}

// change is u with one point changed. Lists are copied, since the use is checked and brought to the form of records.
func (u Use) change(text string, set func(*Use)) Change {
	u.Countries, u.Shipping, u.Fields = slices.Clone(u.Countries), slices.Clone(u.Shipping), slices.Clone(u.Fields)
	set(&u)
	return Change{Text: text, Use: u}
}

func purposes(u Use) []Change {
	var out []Change
	for _, p := range []Purpose{ForProduct, ForInternal, ForResearch, ForEvaluation} {
		if p != u.Purpose {
			out = append(out, u.change("if the purpose were "+purposeWords[p], func(v *Use) { v.Purpose, v.Commercial = p, nil }))
		}
	}
	return out
}

var purposeWords = map[Purpose]string{
	ForProduct: "a product", ForInternal: "internal business use", ForResearch: "non-commercial research", ForEvaluation: "evaluation",
}

// shippings leaves out what a way of shipping that was already given covers: who gives copies away in one way would not
// be told what follows if he did so in another.
func shippings(u Use) []Change {
	var out []Change
	for _, s := range []struct {
		text string
		way  Shipping
		has  tri
	}{
		{"if nobody outside used it", NotAtAll, u.ships(NotAtAll)},
		{"if it were only hosted", Hosted, triOf(slices.Equal(u.Shipping, []Shipping{Hosted}))},
		{"if copies of the weights were given to others", Weights, u.ships(GivesCopies()...)},
	} {
		if s.has != yes {
			out = append(out, u.change(s.text, func(v *Use) { v.Shipping = []Shipping{s.way} }))
		}
	}
	return out
}

func conduct(u Use) []Change {
	var out []Change
	if u.Modify == nil || *u.Modify {
		out = append(out, u.change("if you did not modify the model", func(v *Use) { v.Modify = new(false) }))
	}
	if u.Modify == nil || !*u.Modify {
		out = append(out, u.change("if you modified the model", func(v *Use) { v.Modify = new(true) }))
	}
	if u.trains() != no {
		out = append(out, u.change("if outputs trained no other model", func(v *Use) { v.TrainOthers = TrainNone }))
	}
	if u.TrainOthers != TrainAny {
		out = append(out, u.change("if outputs trained other models", func(v *Use) { v.TrainOthers = TrainAny }))
	}
	if u.AcceptBranding != nil && !*u.AcceptBranding {
		out = append(out, u.change("if you accepted to show names and to name models as asked", func(v *Use) { v.AcceptBranding = new(true) }))
	}
	if u.AcceptCopyleft != "" && u.AcceptCopyleft != NetworkReach {
		out = append(out, u.change("if you accepted the strongest copyleft", func(v *Use) { v.AcceptCopyleft = NetworkReach }))
	}
	return out
}

// across gives the uses just below and just above a limit.
func across(u Use, m Measure) []Change {
	set := setter(m.Limit)
	if set == nil {
		return nil
	}
	below, above := m.Limit.Limit, m.Limit.Limit+1
	if m.Limit.Inclusive {
		below, above = below-1, above-1
	}
	var out []Change
	if m.Crossed == nil || *m.Crossed {
		out = append(out, u.change("if "+m.Limit.says(false), func(v *Use) { set(v, below) }))
	}
	if m.Crossed == nil || !*m.Crossed {
		out = append(out, u.change("if "+m.Limit.says(true), func(v *Use) {
			set(v, above)
			v.widen()
		}))
	}
	return out
}

// widen lets what counts more grow with what it counts: the company has the users of the product.
func (u *Use) widen() {
	if u.ProductUsers != nil && u.MonthlyUsers != nil {
		u.MonthlyUsers = new(max(*u.MonthlyUsers, *u.ProductUsers))
	}
	grow := func(whole **units.Money, part *units.Money) {
		if part != nil && *whole != nil && (*whole).Currency == part.Currency && (*whole).Amount < part.Amount {
			*whole = part
		}
	}
	grow(&u.ProductRevenue, u.ProductMonthlyRevenue)
	grow(&u.MonthlyRevenue, u.ProductMonthlyRevenue)
	grow(&u.Revenue, u.ProductRevenue)
	grow(&u.Revenue, u.MonthlyRevenue)
}

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
	case l.Period == Month && l.Scope == OfProduct:
		return func(u *Use, c units.Count) { u.ProductMonthlyRevenue = amount(c) }
	case l.Period == Month:
		return func(u *Use, c units.Count) { u.MonthlyRevenue = amount(c) }
	case l.Scope == OfProduct:
		return func(u *Use, c units.Count) { u.ProductRevenue = amount(c) }
	}
	return func(u *Use, c units.Count) { u.Revenue = amount(c) }
}

// places gives uses elsewhere, for licenses with a territory. The United States lie in none that a record excludes.
func places(u Use) []Change {
	const home, market = "if the principal place of business were in %s", "if the product were used and offered in %s only"
	var out []Change
	for _, p := range []struct{ words, country, served string }{
		{"the United States", "US", "US"}, {"the EU", "DE", "EU"},
	} {
		if u.Domicile != p.country {
			out = append(out, u.change(fmt.Sprintf(home, p.words), func(v *Use) { v.Domicile = p.country }))
		}
		if !slices.Equal(u.Countries, []string{p.served}) {
			out = append(out, u.change(fmt.Sprintf(market, p.words), func(v *Use) { v.Countries = []string{p.served} }))
		}
	}
	return out
}
