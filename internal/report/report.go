// Package report is the document that every command returns and every format shows. It imports nothing that decides:
// package diligence fills it, so that the JSON stays stable while rules move. Adding a field is free; renaming one or
// changing what it means is a new Schema.
package report

import "time"

// Schema is the version of the document.
const Schema = "llmcheck.report/1"

// Disclaimer is said once in every report on a license.
const Disclaimer = "This is information about license texts, not legal advice; a lawyer decides what remains open."

// Document answers one question about one subject. A part is nil if it was not asked for. Text from strangers stands in
// it as it was found; the renderers make it safe to show.
type Document struct {
	Schema    string    `json:"schema"`
	Tool      Tool      `json:"tool"`
	Generated time.Time `json:"generated"`
	Subject   Subject   `json:"subject"`
	Gaps      []Gap     `json:"gaps"`
	License   *License  `json:"license,omitempty"`
	Estimate  *Estimate `json:"estimate,omitempty"`
	Training  *Training `json:"training,omitempty"`
}

// Tool says which program made the document, and how old what it knows is.
type Tool struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	Catalog string `json:"catalog,omitempty"` // the newest day on which a record of the catalog was checked
}

// Subject is what the document is about, pinned.
type Subject struct {
	Ref      string `json:"ref"`
	Origin   string `json:"origin"` // dir, file, hf, url, ollama, oci, license; described, if it does not exist yet
	Revision string `json:"revision,omitempty"`
}

// Gap is something that was looked for and could not be had.
type Gap struct {
	What string `json:"what"`
	Why  string `json:"why"`
	Kind string `json:"kind"`         // absent, unread, restricted, unreachable
	Of   string `json:"of,omitempty"` // the base model that it is a gap of; "" is the subject itself
}

// License is the answer to "may we".
type License struct {
	Outcome    string        `json:"outcome"`
	Summary    string        `json:"summary"` // one sentence: the outcome and what it hangs on
	Use        Use           `json:"use"`
	Matches    []Match       `json:"matches"`
	Claims     []Claim       `json:"claims"`
	Effective  []string      `json:"effective"` // ids that bind, the model's own first
	Licenses   []LicenseInfo `json:"licenses"`  // what the ids in this document stand for
	Reasons    []Reason      `json:"reasons"`   // strictest first
	Duties     []Duty        `json:"duties"`
	Thresholds []Threshold   `json:"thresholds"`
	Questions  []Question    `json:"questions"`
	Changes    []Change      `json:"changes"`
	Lineage    []Ancestor    `json:"lineage"`
	Datasets   []Dataset     `json:"datasets,omitempty"`
	Passages   []Passage     `json:"passages,omitempty"`
	Disclaimer string        `json:"disclaimer"`
}

// Use is the use that was judged, with what was assumed.
type Use struct {
	Given   map[string]any `json:"given"`
	Assumed []string       `json:"assumed"`
}

// Match is a license recognized in a text, or declared by an identifier. Best first.
type Match struct {
	ID              string       `json:"id"`
	Name            string       `json:"name,omitempty"`
	SPDX            string       `json:"spdx,omitempty"`
	Kind            string       `json:"kind,omitempty"` // license or policy
	Relation        string       `json:"relation"`       // equivalent, modified, truncated, mention, declared
	LicenseCoverage *float64     `json:"license_coverage,omitempty"`
	TextCoverage    *float64     `json:"text_coverage,omitempty"`
	File            string       `json:"file,omitempty"`
	StartLine       int          `json:"start_line,omitempty"`
	EndLine         int          `json:"end_line,omitempty"`
	Twins           []string     `json:"twins,omitempty"`    // other ids of the same text
	Template        bool         `json:"template,omitempty"` // placeholders such as <year> are not filled in
	Differences     []Difference `json:"differences,omitempty"`
}

// Difference is a place where a file departs from the nearest known text.
type Difference struct {
	StartLine    int    `json:"start_line"`
	EndLine      int    `json:"end_line"`
	Words        string `json:"words,omitempty"`         // the file's own words that the license does not have
	MissingWords int    `json:"missing_words,omitempty"` // how many words of the license are not in the file here
}

// Claim is what one part of the model, or somebody about it, says of the license.
type Claim struct {
	Origin string `json:"origin"` // card, file, weights, base_model, catalog, registry
	Where  string `json:"where"`
	Value  string `json:"value"`
	ID     string `json:"id,omitempty"` // what we take it for; "" if nothing known
}

// LicenseInfo introduces a license of the catalog.
type LicenseInfo struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Class   string `json:"class"`
	SPDX    string `json:"spdx,omitempty"`
	Source  string `json:"source"`
	URL     string `json:"url,omitempty"`
	Checked string `json:"checked"`
	Read    string `json:"read"`
	Notes   []Note `json:"notes,omitempty"` // what a person should know and no rule holds
}

// Note is a remark on a license, with the clause that it is about.
type Note struct {
	Text   string `json:"text"`
	Clause string `json:"clause,omitempty"`
}

// Reason bears on the outcome.
type Reason struct {
	Outcome  string   `json:"outcome"`
	Code     string   `json:"code"`
	Text     string   `json:"text"`
	License  string   `json:"license,omitempty"`
	Clause   string   `json:"clause,omitempty"`
	Says     string   `json:"says,omitempty"`
	Evidence []string `json:"evidence"`
}

// Duty is something to be done.
type Duty struct {
	Kind    string `json:"kind"`
	Text    string `json:"text"`
	Exact   string `json:"exact,omitempty"`
	When    string `json:"when,omitempty"`
	Certain bool   `json:"certain"` // false: whether it applies depends on what nobody said
	Routine bool   `json:"routine"` // true: met by shipping a text file
	License string `json:"license"`
	Clause  string `json:"clause,omitempty"`
}

// Threshold is one limit and the distance to it.
type Threshold struct {
	Kind     string   `json:"kind"`
	Limit    float64  `json:"limit"`
	Value    *float64 `json:"value,omitempty"`
	Unit     string   `json:"unit"`
	Crossed  *bool    `json:"crossed,omitempty"`
	Text     string   `json:"text"`     // the limit as a sentence part
	Standing string   `json:"standing"` // "650M of 700M", or that it is not known
	Effect   string   `json:"effect"`
	License  string   `json:"license"`
	Clause   string   `json:"clause,omitempty"`
}

// Question is an input that would decide.
type Question struct {
	Input string `json:"input"` // key of use.yaml
	Flag  string `json:"flag"`  // the flag of the command line
	Text  string `json:"text"`
}

// Change is what would change the outcome.
type Change struct {
	Text    string `json:"text"`
	Outcome string `json:"outcome"`
}

// Ancestor is one model of the lineage, nearest first, the model itself not among them.
type Ancestor struct {
	Ref      string `json:"ref"`
	Of       string `json:"of"` // the model that names it
	Relation string `json:"relation"`
	License  string `json:"license,omitempty"`
	Outcome  string `json:"outcome"`
	Source   string `json:"source"` // where its license was read, and when
	Depth    int    `json:"depth"`
}

// Dataset is a training data set that carries a risk.
type Dataset struct {
	ID     string `json:"id"`
	Risk   string `json:"risk"`
	Source string `json:"source"`
}

// Passage is a sentence of an unknown or changed text that a lawyer should read first.
type Passage struct {
	Topic     string `json:"topic"`
	File      string `json:"file"`
	StartLine int    `json:"start_line"`
	EndLine   int    `json:"end_line"`
	Quote     string `json:"quote"`
}
