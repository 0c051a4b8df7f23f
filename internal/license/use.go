package license

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Use is what somebody wants to do with a model, and the facts about them that clauses ask for. A nil pointer, an empty
// string and a nil list mean that nobody said, which is never the same as no.
type Use struct {
	Purpose      Purpose      `yaml:"purpose,omitempty" json:"purpose,omitempty"`
	Shipping     []Shipping   `yaml:"shipping,omitempty" json:"shipping,omitempty"`
	Commercial   *bool        `yaml:"commercial,omitempty" json:"commercial,omitempty"` // nil: follows from Purpose
	Organization Organization `yaml:"organization,omitempty" json:"organization,omitempty"`
	Modify       *bool        `yaml:"modify,omitempty" json:"modify,omitempty"`             // fine-tune, merge, quantize
	TrainOthers  Training     `yaml:"train_others,omitempty" json:"train_others,omitempty"` // with outputs
	Multimodal   *bool        `yaml:"multimodal,omitempty" json:"multimodal,omitempty"`     // of the model, where its files do not tell

	// Users of the whole company with its affiliates, all products together, in a month.
	MonthlyUsers   *units.Count `yaml:"monthly_users,omitempty" json:"monthly_users,omitempty"`
	UsersAtRelease *units.Count `yaml:"users_at_release,omitempty" json:"users_at_release,omitempty"` // the month before the model's release
	ProductUsers   *units.Count `yaml:"product_users,omitempty" json:"product_users,omitempty"`       // of the product with the model only
	MonthlyVisits  *units.Count `yaml:"monthly_visits,omitempty" json:"monthly_visits,omitempty"`     // of the product, each visit counted

	// Revenue of the whole company with its affiliates.
	Revenue        *units.Money `yaml:"revenue,omitempty" json:"revenue,omitempty"`                 // last twelve months
	MonthlyRevenue *units.Money `yaml:"monthly_revenue,omitempty" json:"monthly_revenue,omitempty"` // best month
	Funding        *units.Money `yaml:"funding,omitempty" json:"funding,omitempty"`
	Employees      *units.Count `yaml:"employees,omitempty" json:"employees,omitempty"`

	// Revenue of the product with the model only.
	ProductRevenue        *units.Money `yaml:"product_revenue,omitempty" json:"product_revenue,omitempty"`                 // last twelve months
	ProductMonthlyRevenue *units.Money `yaml:"product_monthly_revenue,omitempty" json:"product_monthly_revenue,omitempty"` // best month

	Domicile  string   `yaml:"domicile,omitempty" json:"domicile,omitempty"`   // ISO 3166-1 alpha-2
	Countries []string `yaml:"countries,omitempty" json:"countries,omitempty"` // served; Worldwide is all
	Fields    []Field  `yaml:"fields,omitempty" json:"fields,omitempty"`       // empty but not nil: none of them

	AcceptCopyleft Reach    `yaml:"accept_copyleft,omitempty" json:"accept_copyleft,omitempty"` // the strongest that is acceptable
	AcceptBranding *bool    `yaml:"accept_branding,omitempty" json:"accept_branding,omitempty"` // showing names, naming models
	Agreements     []string `yaml:"agreements,omitempty" json:"agreements,omitempty"`           // licenses for which a separate agreement exists
}

// Training says which other models outputs will train.
type Training string

// The answers to whether outputs train other models.
const (
	TrainNone       Training = "no"
	TrainSameFamily Training = "same-family" // only models derived from this one
	TrainAny        Training = "any"
)

// noFields is how a flag says that none of the fields of use is touched; a file may say [] too.
const noFields Field = "none"

// Validate reports every word that is not in the vocabulary. Countries are brought to the codes that records use.
func (u *Use) Validate() error {
	v := &validator{}
	optional(v, "purpose", u.Purpose, ForEvaluation, ForResearch, ForInternal, ForProduct)
	allOf(v, "shipping", u.Shipping, Hosted, Embedded, OnDevice, Weights, NotAtAll)
	v.check(len(u.Shipping) < 2 || !slices.Contains(u.Shipping, NotAtAll), "shipping: none excludes the other ways")
	v.check(u.Shipping == nil || len(u.Shipping) > 0, "shipping: the list is empty; write [none] if nobody outside uses it, or leave it out")
	optional(v, "organization", u.Organization, Company, Nonprofit, Academic, Government, Individual)
	optional(v, "train_others", u.TrainOthers, TrainNone, TrainSameFamily, TrainAny)
	optional(v, "accept_copyleft", u.AcceptCopyleft, NoCopyleft, FileCopyleft, LibraryCopyleft, WorkCopyleft, NetworkReach)
	if slices.Equal(u.Fields, []Field{noFields}) {
		u.Fields = []Field{}
	}
	v.fields("fields", u.Fields)
	u.where(v)
	u.figures(v)
	return errors.Join(v.faults...)
}

// where checks the places. An empty list is refused: it would say that the product is offered nowhere.
func (u *Use) where(v *validator) {
	if u.Domicile != "" {
		given := u.Domicile
		u.Domicile = countryCode(given)
		v.check(isCountry(u.Domicile), "domicile: %q is not a two-letter country code like DE", given)
	}
	v.check(u.Countries == nil || len(u.Countries) > 0, "countries: the list is empty; name the countries served, or leave it out")
	for i, given := range u.Countries {
		u.Countries[i] = countryCode(given)
		v.check(isCountry(u.Countries[i]) || slices.Contains([]string{"EU", "EEA", Worldwide}, u.Countries[i]),
			"countries: %q is not a two-letter country code like DE, nor EU, EEA or WORLD", given)
	}
}

// figures refuses figures that contradict each other, since bounds are drawn from one to the other.
func (u *Use) figures(v *validator) {
	v.check(u.ProductUsers == nil || u.MonthlyUsers == nil || *u.ProductUsers <= *u.MonthlyUsers,
		"product_users is greater than monthly_users, which counts all products together")
	more := func(part, whole *units.Money) bool {
		return part != nil && whole != nil && part.Currency == whole.Currency && part.Amount > whole.Amount
	}
	v.check(!more(u.MonthlyRevenue, u.Revenue), "monthly_revenue is greater than revenue, which counts twelve months")
	v.check(!more(u.ProductRevenue, u.Revenue), "product_revenue is greater than revenue, which counts the whole company")
	v.check(!more(u.ProductMonthlyRevenue, u.ProductRevenue), "product_monthly_revenue is greater than product_revenue, which counts twelve months")
	v.check(!more(u.ProductMonthlyRevenue, u.MonthlyRevenue), "product_monthly_revenue is greater than monthly_revenue, which counts the whole company")
}

func optional[T ~string](v *validator, where string, got T, want ...T) {
	if got != "" {
		oneOf(v, where, got, want...)
	}
}

// commercial tells whether the use is commercial. It follows from the purpose where nobody said: product and internal
// use of an organization are commercial, research is not, and evaluation can be either.
func (u Use) commercial() tri {
	switch {
	case u.Commercial != nil:
		return triOf(*u.Commercial)
	case u.Purpose == ForProduct, u.Purpose == ForInternal:
		return yes
	case u.Purpose == ForResearch:
		return no
	}
	return unknown
}

// ships tells whether any of the ways is used.
func (u Use) ships(ways ...Shipping) tri {
	if u.Shipping == nil {
		return unknown
	}
	for _, w := range ways {
		if slices.Contains(u.Shipping, w) {
			return yes
		}
	}
	return no
}

// Traits are facts about the model that clauses ask for.
type Traits struct {
	Multimodal *bool // nil: not known
}

// holds evaluates a When for a use of a model, and names the inputs that would decide it.
func (w When) holds(u Use, m Traits) (tri, []Input) {
	result := yes
	var missing []Input
	part := func(t tri, ask Input) {
		if t == unknown {
			missing = append(missing, ask)
		}
		result = min(result, t)
	}
	if w.Purpose != nil {
		part(in(u.Purpose, w.Purpose), askPurpose)
	}
	if w.Shipping != nil {
		part(u.ships(w.Shipping...), askShipping)
	}
	if w.Commercial != nil {
		part(u.commercial().is(*w.Commercial), askCommercial)
	}
	if w.Modified != nil {
		part(triOfPtr(u.Modify).is(*w.Modified), askModify)
	}
	if w.TrainsOthers != nil {
		part(u.trains().is(*w.TrainsOthers), askTrainOthers)
	}
	if w.Multimodal != nil {
		part(u.multimodal(m).is(*w.Multimodal), askModality)
	}
	if w.Fields != nil {
		part(u.touches(w.Fields), askFields)
	}
	if w.Organization != nil {
		part(in(u.Organization, w.Organization), askOrganization)
	}
	if result == no {
		missing = nil
	}
	return result, missing
}

// May reports whether the condition holds for a use of a model, or could hold as far as is known.
func (w When) May(u Use, m Traits) bool {
	result, _ := w.holds(u, m)
	return result != no
}

func in[T ~string](v T, set []T) tri {
	if v == "" {
		return unknown
	}
	return triOf(slices.Contains(set, v))
}

// multimodal takes what the model's files say before what somebody says of it.
func (u Use) multimodal(m Traits) tri {
	if m.Multimodal != nil {
		return triOf(*m.Multimodal)
	}
	return triOfPtr(u.Multimodal)
}

func (u Use) trains() tri {
	switch u.TrainOthers {
	case "":
		return unknown
	case TrainNone:
		return no
	}
	return yes
}

func (u Use) touches(fields []Field) tri {
	if u.Fields == nil {
		return unknown
	}
	return triOf(slices.ContainsFunc(fields, func(f Field) bool { return slices.Contains(u.Fields, f) }))
}

// tri is a truth value that knows when it does not know. The order makes "and" the smaller and "or" the greater.
type tri int

const (
	no tri = iota
	unknown
	yes
)

func triOf(b bool) tri {
	if b {
		return yes
	}
	return no
}

func triOfPtr(b *bool) tri {
	if b == nil {
		return unknown
	}
	return triOf(*b)
}

// is compares with a wanted value; what is unknown stays unknown.
func (t tri) is(want bool) tri {
	if want {
		return t
	}
	return yes - t
}

// String describes the condition in a few words for duties: "when copies are given to others".
func (w When) String() string {
	var parts []string
	add := func(format string, args ...any) { parts = append(parts, fmt.Sprintf(format, args...)) }
	if w.Purpose != nil {
		add("for %s use", or(w.Purpose))
	}
	if w.Shipping != nil {
		add("when shipped as %s", or(w.Shipping))
	}
	if w.Commercial != nil {
		add("%s", choose(*w.Commercial, "in commercial use", "in non-commercial use"))
	}
	if w.Modified != nil {
		add("%s", choose(*w.Modified, "when the model is modified", "when the model is not modified"))
	}
	if w.TrainsOthers != nil {
		add("%s", choose(*w.TrainsOthers, "when outputs train another model", "when outputs train no other model"))
	}
	if w.Multimodal != nil {
		add("%s", choose(*w.Multimodal, "for multimodal models", "for models of text only"))
	}
	if w.Fields != nil {
		add("in the field of %s", or(w.Fields))
	}
	if w.Organization != nil {
		add("for a licensee of the kind %s", or(w.Organization))
	}
	return strings.Join(parts, ", ")
}

func choose(b bool, t, f string) string {
	if b {
		return t
	}
	return f
}

func or[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
