// Package license knows what license terms say and judges a use against them. It reads no file and knows no license by
// name: differences between licenses are records (package catalog below), and Assess is arithmetic over one record.
//
// Not knowing is an answer. What a license does not address is unknown and never permission; what nobody said about
// the use is a question. Outcomes are ordered Allowed < Conditional < Undetermined < Prohibited, so combining several
// licenses is taking the greatest.
package license

import (
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/units"
)

// Terms is what one license says, in our words, each statement with the clause it rests on.
type Terms struct {
	ID        string   `yaml:"id"` // the file's name in the catalogue
	Name      string   `yaml:"name"`
	Version   string   `yaml:"version,omitempty"` // a number or the day of the text
	Family    string   `yaml:"family,omitempty"`  // licenses of one lineage, for people; nothing is decided by it
	Publisher string   `yaml:"publisher,omitempty"`
	Class     Class    `yaml:"class"`
	SPDX      string   `yaml:"spdx,omitempty"`     // id in the SPDX list, "" if it is not there
	Scancode  string   `yaml:"scancode,omitempty"` // key in ScanCode LicenseDB, for exchange
	Hub       []string `yaml:"hub,omitempty"`      // identifiers of the Hugging Face hub that mean this license
	Names     []string `yaml:"names,omitempty"`    // license_name values and other spellings seen for it
	Links     []string `yaml:"links,omitempty"`    // addresses at which the publisher shows it

	Source evidence.Source `yaml:"source"`
	Read   Reading         `yaml:"read"`

	Grants      map[Activity]Grant `yaml:"grants"`
	Thresholds  []Threshold        `yaml:"thresholds,omitempty"`
	Territories []Territory        `yaml:"territories,omitempty"`
	UsePolicy   *UsePolicy         `yaml:"use_policy,omitempty"`
	Copyleft    Copyleft           `yaml:"copyleft"`
	Duties      []Duty             `yaml:"duties,omitempty"`
	Patent      Patent             `yaml:"patent"`
	Termination Termination        `yaml:"termination"`
	Outputs     Outputs            `yaml:"outputs"`
	Law         string             `yaml:"law,omitempty"` // governing law and venue
	Notes       []Note             `yaml:"notes,omitempty"`
}

// Class says in one word what kind of license it is. It is for people and reports; rules look at the terms.
type Class string

// The classes, from the most to the least free.
const (
	PublicDomain    Class = "public-domain"
	Permissive      Class = "permissive"
	WeakCopyleft    Class = "weak-copyleft"
	StrongCopyleft  Class = "strong-copyleft"
	NetworkCopyleft Class = "network-copyleft"
	UseRestricted   Class = "use-restricted" // open to all, with uses barred: RAIL and the like
	Community       Class = "community"      // commercial use under conditions of the publisher
	NonCommercial   Class = "non-commercial"
	ResearchOnly    Class = "research-only"
	Proprietary     Class = "proprietary"
)

// Reading says how much of the text stands behind a record.
type Reading string

// How a text was read. Where only key clauses were, a duty may be missing, and Assess says so.
const (
	ReadWhole      Reading = "whole"       // read, except warranty and liability
	ReadKeyClauses Reading = "key-clauses" // searched for the clauses that the record names
)

// Activity is something one does with a model.
type Activity string

// The activities that a license is asked about.
const (
	Evaluate          Activity = "evaluate"           // try it out, internally, to decide on it
	Research          Activity = "research"           // non-commercial research
	Internal          Activity = "internal"           // internal business use in production
	Product           Activity = "product"            // commercial use in or for a product or service
	Host              Activity = "host"               // let others use it over a network
	Distribute        Activity = "distribute"         // give the weights to others: redistribution, on device, embedded
	Modify            Activity = "modify"             // fine-tune, merge, quantize, prune
	TrainOthers       Activity = "train_others"       // train other models with outputs
	CommercialOutputs Activity = "commercial_outputs" // use outputs commercially
)

// Activities in the order in which they are shown.
func Activities() []Activity {
	return []Activity{Evaluate, Research, Internal, Product, Host, Distribute, Modify, TrainOthers, CommercialOutputs}
}

// Grant is the answer of a license to one activity. An activity without a grant is Unknown, except that Evaluate,
// Research and Internal follow Product where Product is Yes, since a grant for any purpose covers them.
type Grant struct {
	Permission Permission      `yaml:"permission"`
	Clause     evidence.Clause `yaml:"clause"`
}

// Permission is what a license says to one activity.
type Permission string

// The permissions.
const (
	Yes        Permission = "yes"
	No         Permission = "no"
	Approval   Permission = "approval"    // only after the licensor has agreed: not now
	SameFamily Permission = "same-family" // train_others: only models derived from this one
	NonProfit  Permission = "non-profit"  // only without commercial intent
	Unknown    Permission = "unknown"     // the text was read and does not say
)

// Threshold is a limit of size. Exactly one of Any and All is given: crossing one limit of Any, or every limit of All,
// brings the consequence.
type Threshold struct {
	Any         []Limit         `yaml:"any,omitempty"`
	All         []Limit         `yaml:"all,omitempty"`
	When        When            `yaml:"when,omitempty"` // the uses that it applies to; empty is every use
	Consequence Consequence     `yaml:"consequence"`
	Exact       string          `yaml:"exact,omitempty"` // the string to show, where the consequence is a display
	Clause      evidence.Clause `yaml:"clause"`
}

// Consequence is what follows from crossing a threshold.
type Consequence string

// The consequences.
const (
	NoRights     Consequence = "no-rights"    // nothing is licensed until the licensor grants a separate license
	DisplayDuty  Consequence = "display"      // only a duty to show a name
	Registration Consequence = "registration" // only a duty to register or to notify
)

// Limit is one measured quantity and its bound, typed as the clause is.
type Limit struct {
	Kind       LimitKind     `yaml:"kind"`
	Limit      units.Count   `yaml:"limit"`               // users, visits, employees, or whole units of Currency
	Currency   string        `yaml:"currency,omitempty"`  // revenue and funding: ISO 4217
	Period     Period        `yaml:"period,omitempty"`    // revenue: of which length
	Inclusive  bool          `yaml:"inclusive,omitempty"` // true: reaching the limit crosses it; false: only more does
	Counted    Counted       `yaml:"counted"`
	Date       evidence.Date `yaml:"date,omitempty"` // at_release: the release date
	Scope      Scope         `yaml:"scope"`
	Affiliates bool          `yaml:"affiliates,omitempty"` // true: affiliates count too
}

// LimitKind is the quantity that is measured.
type LimitKind string

// The quantities.
const (
	MonthlyUsers LimitKind = "monthly_users"
	Visits       LimitKind = "monthly_visits"
	Revenue      LimitKind = "revenue"
	Funding      LimitKind = "funding"
	Employees    LimitKind = "employees"
)

// Period is the length of time over which revenue is counted.
type Period string

// The periods.
const (
	Month        Period = "month"
	Year         Period = "year"
	TwelveMonths Period = "12-months" // any twelve consecutive months
)

// Counted is when the quantity is measured.
type Counted string

// When quantities are measured. A limit counted at release is a snapshot: who grows later is not caught, who was above
// stays out.
const (
	Running   Counted = "running"
	AtRelease Counted = "at_release"
)

// Scope is whose quantity counts.
type Scope string

// The scopes.
const (
	OfProduct Scope = "product"
	OfCompany Scope = "company"
)

// Territory is a bar by place.
type Territory struct {
	Excluded []string        `yaml:"excluded"` // ISO 3166-1 alpha-2 codes, or EU, EEA
	Of       []Place         `yaml:"of"`
	When     When            `yaml:"when,omitempty"`
	Clause   evidence.Clause `yaml:"clause"`
}

// Place is what has to lie outside an excluded territory.
type Place string

// The places.
const (
	Domicile  Place = "domicile" // principal place of business or residence of the licensee
	PlaceUsed Place = "use"      // where the model or a product with it is used or offered
	OutputsIn Place = "outputs"  // where results are used
)

// UsePolicy is a list of barred uses.
type UsePolicy struct {
	Where   string          `yaml:"where"`             // in the text, an attachment, or the address of a page
	Changes bool            `yaml:"changes,omitempty"` // true: the publisher may change it later, by link
	Bars    []Field         `yaml:"bars,omitempty"`    // fields that it bars by name; the list is never complete
	Clause  evidence.Clause `yaml:"clause"`
}

// Field is a field of use.
type Field string

// The fields of use that policies bar or thresholds name. Others go into words.
const (
	Military               Field = "military"
	Weapons                Field = "weapons"
	Nuclear                Field = "nuclear"
	Surveillance           Field = "surveillance"
	Biometrics             Field = "biometric-identification"
	LawEnforcement         Field = "law-enforcement"
	CriticalInfrastructure Field = "critical-infrastructure"
	MedicalAdvice          Field = "medical-advice"
	LegalAdvice            Field = "legal-advice"
	FinancialAdvice        Field = "financial-advice"
	AutomatedDecisions     Field = "automated-decisions" // with legal effect on people: credit, hiring, benefits
	PoliticalCampaigning   Field = "political-campaigning"
	AdultContent           Field = "adult-content"
	Gambling               Field = "gambling"
	Minors                 Field = "minors" // services directed at children
	Impersonation          Field = "impersonation"
	Disinformation         Field = "disinformation"
	CompetingModels        Field = "competing-models" // developing models that compete with the licensor
	CompetingProducts      Field = "competing-products"
	ModelAsAService        Field = "model-as-a-service" // offering the model itself, for example by API
	ImageGeneration        Field = "image-generation"
	SyntheticData          Field = "synthetic-data" // making training data for sale or for models
)

// Fields lists every field of use that a record or a user may name.
func Fields() []Field {
	return []Field{
		AdultContent, AutomatedDecisions, Biometrics, CompetingModels, CompetingProducts, CriticalInfrastructure,
		Disinformation, FinancialAdvice, Gambling, ImageGeneration, Impersonation, LawEnforcement, LegalAdvice, MedicalAdvice,
		Military, Minors, ModelAsAService, Nuclear, PoliticalCampaigning, Surveillance, SyntheticData, Weapons,
	}
}

// Copyleft is how far the duty to pass on the same license reaches.
type Copyleft struct {
	Reach  Reach           `yaml:"reach"`
	When   When            `yaml:"when,omitempty"` // what brings the duty about, where it is not giving copies to others
	Clause evidence.Clause `yaml:"clause,omitempty"`
}

// Reach orders copyleft by strength.
type Reach string

// The reaches, weakest first.
const (
	NoCopyleft      Reach = "none"
	FileCopyleft    Reach = "file"    // changed files only
	LibraryCopyleft Reach = "library" // the work itself, not what links to it
	WorkCopyleft    Reach = "work"    // every derivative that is given to others
	NetworkReach    Reach = "network" // also what is only offered over a network
	UnknownCopyleft Reach = "unknown"
)

// Duty is something that must be done.
type Duty struct {
	Kind   DutyKind        `yaml:"kind"`
	Text   string          `yaml:"text"`            // an instruction in our words: Show "Built with Llama" ...
	Exact  string          `yaml:"exact,omitempty"` // the exact string to display or to put in a file
	When   When            `yaml:"when,omitempty"`
	Clause evidence.Clause `yaml:"clause"`
}

// DutyKind sorts duties; it also decides whether a duty makes a verdict conditional.
type DutyKind string

// The kinds of duties. Routine ones are met by shipping a few text files, or by leaving undone what nobody does in
// ordinary use, and leave a verdict "allowed"; the others reach into the product or the business and make it
// "conditional".
const (
	IncludeLicense   DutyKind = "include-license" // routine
	KeepNotices      DutyKind = "keep-notices"    // routine
	NoticeFile       DutyKind = "notice-file"     // routine: put an exact string in a NOTICE file
	StateChanges     DutyKind = "state-changes"   // routine
	Attribution      DutyKind = "attribution"     // routine: credit beside the work
	NoEndorsement    DutyKind = "no-endorsement"  // routine: names and marks are not licensed
	Display          DutyKind = "display"         // show a name in the product, on a site, in documentation
	NamePrefix       DutyKind = "name-prefix"     // name derived models in a given way
	Rename           DutyKind = "rename"          // derived models must not carry the name
	PassOnTerms      DutyKind = "pass-on-terms"   // bind recipients to the same restrictions
	FollowPolicy     DutyKind = "use-policy"
	ShareAlike       DutyKind = "share-alike"
	DiscloseSource   DutyKind = "disclose-source"
	Register         DutyKind = "registration" // register or notify; no approval is waited for
	Acknowledge      DutyKind = "acknowledge"  // name the model in publications
	GrantBack        DutyKind = "grant-back"   // give the licensor rights in what is made
	SafetyMeasures   DutyKind = "safety-measures"
	DiscloseAI       DutyKind = "disclose-ai" // tell people that content is generated
	Update           DutyKind = "update"      // use the newest version
	Indemnify        DutyKind = "indemnify"
	Confidential     DutyKind = "confidential"
	ComplyWithLaw    DutyKind = "comply-with-law" // export control, rights of others and the like; routine
	NoAddedTerms     DutyKind = "no-added-terms"  // routine: put no terms or locks of your own on the work as it was got
	OtherRestriction DutyKind = "other"
)

// Routine reports whether a duty of this kind is met by a text file or by doing nothing.
func (k DutyKind) Routine() bool {
	switch k {
	case IncludeLicense, KeepNotices, NoticeFile, StateChanges, Attribution, NoEndorsement, ComplyWithLaw, NoAddedTerms:
		return true
	default:
		return false
	}
}

// Patent is what a license says about patents.
type Patent struct {
	Grant       PatentGrant     `yaml:"grant"`
	Retaliation string          `yaml:"retaliation,omitempty"` // which suit ends which license
	Clause      evidence.Clause `yaml:"clause,omitempty"`
}

// PatentGrant is the way in which patents are licensed.
type PatentGrant string

// The patent grants.
const (
	PatentExpress  PatentGrant = "express"
	PatentGeneric  PatentGrant = "generic"  // all rights or intellectual property, patents not named or not set out
	PatentNone     PatentGrant = "none"     // a copyright license, silent on patents
	PatentExcluded PatentGrant = "excluded" // patents are said not to be licensed
	PatentUnknown  PatentGrant = "unknown"
)

// Termination is how the license ends.
type Termination struct {
	AtWill bool            `yaml:"at_will,omitempty"` // the licensor may end it without a breach: a risk of supply
	Causes []string        `yaml:"causes,omitempty"`
	Clause evidence.Clause `yaml:"clause,omitempty"`
}

// Outputs is what a license says about what the model makes.
type Outputs struct {
	Owner  string          `yaml:"owner,omitempty"` // in our words; "" is not addressed
	Clause evidence.Clause `yaml:"clause,omitempty"`
}

// Note is something a person should know and no field holds.
type Note struct {
	Text   string          `yaml:"text"`
	Clause evidence.Clause `yaml:"clause,omitempty"`
}

// When limits a statement to some uses. Every given part must hold; a list holds if the use has any of its members. An
// empty When holds always.
type When struct {
	Purpose      []Purpose      `yaml:"purpose,omitempty"`
	Shipping     []Shipping     `yaml:"shipping,omitempty"`
	Commercial   *bool          `yaml:"commercial,omitempty"`
	Modified     *bool          `yaml:"modified,omitempty"`
	TrainsOthers *bool          `yaml:"trains_others,omitempty"` // outputs train another model
	Multimodal   *bool          `yaml:"multimodal,omitempty"`    // the model takes or makes images, audio or video
	Fields       []Field        `yaml:"fields,omitempty"`
	Organization []Organization `yaml:"organization,omitempty"`
}

// Purpose is what the model is wanted for.
type Purpose string

// The purposes.
const (
	ForEvaluation Purpose = "evaluate"
	ForResearch   Purpose = "research"
	ForInternal   Purpose = "internal"
	ForProduct    Purpose = "product"
)

// Shipping is how the model, or a product with it, reaches its users.
type Shipping string

// The ways of shipping. More than one may apply.
const (
	Hosted   Shipping = "hosted"    // users reach it over a network; no copy leaves us
	Embedded Shipping = "embedded"  // weights inside a product that customers install
	OnDevice Shipping = "on-device" // weights on devices of users, for example phones
	Weights  Shipping = "weights"   // the weights themselves are given or published
	NotAtAll Shipping = "none"      // nobody outside uses it
)

// GivesCopies are the ways of shipping by which others get a copy of the weights.
func GivesCopies() []Shipping { return []Shipping{Embedded, OnDevice, Weights} }

// Organization is what kind of body the licensee is.
type Organization string

// The kinds of organizations.
const (
	Company    Organization = "company"
	Nonprofit  Organization = "nonprofit"
	Academic   Organization = "academic"
	Government Organization = "government"
	Individual Organization = "individual"
)
