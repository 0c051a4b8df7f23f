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

	// Users of the whole company with its affiliates, all products together, in a month.
	MonthlyUsers   *units.Count `yaml:"monthly_users,omitempty" json:"monthly_users,omitempty"`
	UsersAtRelease *units.Count `yaml:"users_at_release,omitempty" json:"users_at_release,omitempty"` // the month before the model's release
	ProductUsers   *units.Count `yaml:"product_users,omitempty" json:"product_users,omitempty"`       // of the product with the model only
	MonthlyVisits  *units.Count `yaml:"monthly_visits,omitempty" json:"monthly_visits,omitempty"`     // of the product, each visit counted

	// Revenue of the whole company with its affiliates.
	Revenue        *units.Money `yaml:"revenue,omitempty" json:"revenue,omitempty"`                 // last twelve months
	MonthlyRevenue *units.Money `yaml:"monthly_revenue,omitempty" json:"monthly_revenue,omitempty"` // best month
	ProductRevenue *units.Money `yaml:"product_revenue,omitempty" json:"product_revenue,omitempty"` // of the product, twelve months
	Funding        *units.Money `yaml:"funding,omitempty" json:"funding,omitempty"`
	Employees      *units.Count `yaml:"employees,omitempty" json:"employees,omitempty"`

	Domicile  string   `yaml:"domicile,omitempty" json:"domicile,omitempty"`   // ISO 3166-1 alpha-2
	Countries []string `yaml:"countries,omitempty" json:"countries,omitempty"` // served; Worldwide is all
	Fields    []Field  `yaml:"fields,omitempty" json:"fields,omitempty"`       // empty but not nil: none of them

	AcceptCopyleft Reach    `yaml:"accept_copyleft,omitempty" json:"accept_copyleft,omitempty"` // the strongest that is acceptable
	AcceptBranding *bool    `yaml:"accept_branding,omitempty" json:"accept_branding,omitempty"` // showing names, naming models
	Agreements     []string `yaml:"agreements,omitempty" json:"agreements,omitempty"`           // licenses for which a separate agreement exists
}

// Worldwide among the countries of a Use stands for every country.
const Worldwide = "WORLD"

// Training says which other models outputs will train.
type Training string

// The answers to whether outputs train other models.
const (
	TrainNone       Training = "no"
	TrainSameFamily Training = "same-family" // only models derived from this one
	TrainAny        Training = "any"
)

// Validate reports every word that is not in the vocabulary. Countries are brought to capitals.
func (u *Use) Validate() error {
	v := &validator{}
	optional(v, "purpose", u.Purpose, ForEvaluation, ForResearch, ForInternal, ForProduct)
	allOf(v, "shipping", u.Shipping, Hosted, Embedded, OnDevice, Weights, NotAtAll)
	v.check(len(u.Shipping) < 2 || !slices.Contains(u.Shipping, NotAtAll), "shipping: none excludes the other ways")
	optional(v, "organization", u.Organization, Company, Nonprofit, Academic, Government, Individual)
	optional(v, "train_others", u.TrainOthers, TrainNone, TrainSameFamily, TrainAny)
	optional(v, "accept_copyleft", u.AcceptCopyleft, NoCopyleft, FileCopyleft, LibraryCopyleft, WorkCopyleft, NetworkReach)
	v.fields("fields", u.Fields)
	u.Domicile = strings.ToUpper(u.Domicile)
	v.check(u.Domicile == "" || isCountry(u.Domicile), "domicile: %q is not a two-letter country code like DE", u.Domicile)
	for i, c := range u.Countries {
		u.Countries[i] = strings.ToUpper(c)
		if u.Countries[i] == "WORLDWIDE" {
			u.Countries[i] = Worldwide
		}
		v.check(isCountry(u.Countries[i]) || slices.Contains([]string{"EU", "EEA", Worldwide}, u.Countries[i]),
			"countries: %q is not a two-letter country code like DE, nor EU, EEA or WORLD", c)
	}
	u.figures(v)
	return errors.Join(v.faults...)
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
}

func optional[T ~string](v *validator, where string, got T, want ...T) {
	if got != "" {
		oneOf(v, where, got, want...)
	}
}

func isCountry(s string) bool {
	return len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z'
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

// Input names an input of Use that a clause needs, as the flag and the key of use.yaml spell it.
type Input string

// Question is an input that decides and that nobody gave.
type Question struct {
	Input Input
	Text  string
}

// The inputs that clauses may ask for.
const (
	askPurpose        Input = "purpose"
	askShipping       Input = "shipping"
	askCommercial     Input = "commercial"
	askOrganization   Input = "organization"
	askModify         Input = "modify"
	askTrainOthers    Input = "train_others"
	askMonthlyUsers   Input = "monthly_users"
	askUsersAtRelease Input = "users_at_release"
	askProductUsers   Input = "product_users"
	askMonthlyVisits  Input = "monthly_visits"
	askRevenue        Input = "revenue"
	askMonthlyRevenue Input = "monthly_revenue"
	askProductRevenue Input = "product_revenue"
	askFunding        Input = "funding"
	askEmployees      Input = "employees"
	askDomicile       Input = "domicile"
	askCountries      Input = "countries"
	askFields         Input = "fields"
	askModality       Input = "modality"
)

var questions = map[Input]string{
	askPurpose:        "What is the model wanted for: evaluate, research, internal or product?",
	askShipping:       "How does it reach users: hosted, embedded, on-device, weights or none?",
	askCommercial:     "Is the use commercial?",
	askOrganization:   "What kind of organization are you: company, nonprofit, academic, government or individual?",
	askModify:         "Will the model be modified: fine-tuned, merged, quantized or pruned?",
	askTrainOthers:    "Will outputs train other models: no, same-family or any?",
	askMonthlyUsers:   "How many monthly users have all your products together, affiliates included?",
	askUsersAtRelease: "How many monthly users had all your products, affiliates included, in the month before the model's release?",
	askProductUsers:   "How many monthly users has the product with the model?",
	askMonthlyVisits:  "How many visits a month has the product with the model?",
	askRevenue:        "What was the revenue of the last twelve months, affiliates included, in the currency of the clause?",
	askMonthlyRevenue: "What was the revenue of the best month, affiliates included, in the currency of the clause?",
	askProductRevenue: "What was the revenue of the product over twelve months, in the currency of the clause?",
	askFunding:        "How much funding was raised, in the currency of the clause?",
	askEmployees:      "How many employees are there?",
	askDomicile:       "In which country is the principal place of business?",
	askCountries:      "In which countries is the product used or offered?",
	askFields:         "Which fields of use does the product touch? (none, if none of the listed)",
	askModality:       "Does the model take or make images, audio or video?",
}

func (i Input) question() Question { return Question{i, questions[i]} }

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
		part(triOfPtr(m.Multimodal).is(*w.Multimodal), askModality)
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

func in[T ~string](v T, set []T) tri {
	if v == "" {
		return unknown
	}
	return triOf(slices.Contains(set, v))
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

// Flag is the flag of the command line that answers the input.
func (i Input) Flag() string {
	switch i {
	case askShipping:
		return "--ship"
	case askCountries:
		return "--country"
	case askFields:
		return "--field"
	case askModality:
		return "" // a trait of the model, not of the use
	}
	return "--" + strings.ReplaceAll(string(i), "_", "-")
}
