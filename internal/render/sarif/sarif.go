// Package sarif writes documents as SARIF 2.1.0 for code scanning. Severity follows the outcome: prohibited is an error,
// undetermined a warning, conditional a note, and what is allowed gives no alert at all.
//
// Source: OASIS, Static Analysis Results Interchange Format (SARIF) Version 2.1.0.
package sarif

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

type log struct {
	Schema  string `json:"$schema"`
	Version string `json:"version"`
	Runs    []run  `json:"runs"`
}

type run struct {
	Tool        tool         `json:"tool"`
	Results     []result     `json:"results"`
	Invocations []invocation `json:"invocations"`
	ColumnKind  string       `json:"columnKind"`
}

type invocation struct {
	ExecutionSuccessful bool           `json:"executionSuccessful"`
	Notifications       []notification `json:"toolExecutionNotifications,omitempty"`
}

type notification struct {
	Level   string  `json:"level"`
	Message message `json:"message"`
}

type tool struct {
	Driver driver `json:"driver"`
}

type driver struct {
	Name           string `json:"name"`
	Version        string `json:"version,omitempty"`
	InformationURI string `json:"informationUri"`
	Rules          []rule `json:"rules"`
}

type rule struct {
	ID                   string        `json:"id"`
	Name                 string        `json:"name"`
	ShortDescription     message       `json:"shortDescription"`
	FullDescription      message       `json:"fullDescription"`
	Help                 message       `json:"help"`
	DefaultConfiguration configuration `json:"defaultConfiguration"`
	Properties           properties    `json:"properties"`
}

type configuration struct {
	Level string `json:"level"`
}

type properties struct {
	Tags []string `json:"tags"`
}

type message struct {
	Text string `json:"text"`
}

type result struct {
	RuleID              string            `json:"ruleId"`
	RuleIndex           int               `json:"ruleIndex"`
	Level               string            `json:"level"`
	Message             message           `json:"message"`
	Locations           []location        `json:"locations"`
	PartialFingerprints map[string]string `json:"partialFingerprints"`
}

type location struct {
	PhysicalLocation physical  `json:"physicalLocation"`
	LogicalLocations []logical `json:"logicalLocations"`
}

type physical struct {
	ArtifactLocation artifact `json:"artifactLocation"`
	Region           *region  `json:"region,omitempty"`
}

type artifact struct {
	URI string `json:"uri"`
}

type region struct {
	StartLine int `json:"startLine"`
	EndLine   int `json:"endLine,omitempty"`
}

type logical struct {
	FullyQualifiedName string `json:"fullyQualifiedName"`
	Kind               string `json:"kind"`
}

// rules say what each alert means and what to do. The ids are the outcomes, so that a person can mute conditions and
// keep the bars.
func rules() []rule {
	tags := properties{[]string{"license", "legal", "model"}}
	return []rule{
		{
			"license-prohibited", "LicenseProhibited",
			message{"The license does not allow the use"},
			message{"A license that binds the model, its own or one of a base model, does not allow the stated use."},
			message{"Choose another model, change the use, or obtain a license from the licensor. llmcheck license shows the clauses and what would change the verdict."},
			configuration{"error"},
			tags,
		},
		{
			"license-undetermined", "LicenseUndetermined",
			message{"The license could not be decided"},
			message{"Something that decides is not known: a text that is no known license, a source that could not be read, or a fact about the use that nobody gave."},
			message{"Answer the questions that llmcheck license lists, get what could not be read, or have a lawyer read the sentences that it points at."},
			configuration{"warning"},
			tags,
		},
		{
			"license-conditional", "LicenseConditional",
			message{"The license allows the use under conditions"},
			message{"The use is allowed if the listed conditions are met."},
			message{"Meet the conditions. llmcheck license shows them as a checklist with the exact strings to display; --format markdown gives the list for a pull request."},
			configuration{"note"},
			tags,
		},
	}
}

// level is how loud an outcome is, and which rule speaks.
func level(outcome string) (rule int, level string) {
	switch outcome {
	case "prohibited":
		return 0, "error"
	case "conditional":
		return 2, "note"
	}
	return 1, "warning"
}

// Render writes one run over all documents.
func Render(w io.Writer, docs []*report.Document) error {
	r := run{
		Tool:       tool{driver{Name: "llmcheck", InformationURI: "https://github.com/llmcheck/llmcheck", Rules: rules()}},
		Results:    []result{},
		ColumnKind: "utf16CodeUnits",
	}
	inv := invocation{ExecutionSuccessful: true}
	if slices.ContainsFunc(docs, func(d *report.Document) bool { return d.Estimate != nil }) {
		r.Tool.Driver.Rules = append(r.Tool.Driver.Rules, estimateRules()...)
	}
	for _, d := range docs {
		r.Tool.Driver.Version = clean(d.Tool.Version)
		r.Results = append(r.Results, results(d)...)
		r.Results = append(r.Results, fitting(d)...)
		r.Results = append(r.Results, pacing(d)...)
		inv.Notifications = append(inv.Notifications, notifications(d)...)
	}
	r.Invocations = []invocation{inv}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	doc := log{"https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json", "2.1.0", []run{r}}
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// notifications tell what could not be read: an empty list of alerts must not look like a clean bill.
func notifications(d *report.Document) []notification {
	var out []notification
	add := func(text string) {
		out = append(out, notification{"warning", message{plain(d.Subject.Ref + ": " + text)}})
	}
	switch {
	case d.Training != nil:
		add("what training takes is no finding in files, and so there is no alert on it: --format json has the answer")
	case d.License == nil && d.Estimate == nil:
		add("the license was not judged")
	}
	for _, g := range d.Gaps {
		if g.Kind != "absent" {
			add(g.What + ": " + g.Why)
		}
	}
	return out
}

// results gives one alert for each bar and each open point, and one for all conditions of a model together. Whatever
// keeps a model from being allowed gives at least one.
func results(d *report.Document) []result {
	if d.License == nil {
		return nil
	}
	outcome := report.Outcome(d.License.Outcome)
	a := alerts{d: d, used: make(map[string]int)}
	for _, reason := range d.License.Reasons {
		o := report.Outcome(reason.Outcome)
		if o == "prohibited" || o == "undetermined" {
			a.add(o, reason.Text+clause(reason), reason.Code, reason.License, reason.Clause)
		}
	}
	binding := strings.Join(d.License.Effective, "+")
	switch {
	case outcome == "conditional":
		a.add(outcome, conditions(d.License), "conditions", binding, "")
	case outcome != "allowed" && !a.has(outcome):
		a.add(outcome, d.License.Summary, "summary", binding, "")
	}
	return a.list
}

// alerts collects the results on one document.
type alerts struct {
	d    *report.Document
	list []result
	used map[string]int // how often a fingerprint was wanted
}

func (a *alerts) has(outcome string) bool {
	_, want := level(outcome)
	for _, r := range a.list {
		if r.Level == want {
			return true
		}
	}
	return false
}

func clause(r report.Reason) string {
	if p := (report.Cite{License: r.License, Clause: r.Clause}).Place(); p != "" {
		return " (" + p + ")"
	}
	return ""
}

func conditions(l *report.License) string {
	var s strings.Builder
	s.WriteString(l.Summary)
	list, _ := l.Tasks()
	for _, t := range list {
		s.WriteString(" " + strings.TrimRight(t.Text, ".") + ".")
	}
	return s.String()
}

const fingerprint = "llmcheck/v1"

// add makes one result. Its fingerprint depends neither on the words of the message nor on lines, so that an alert that
// was dismissed stays dismissed; several of one kind are counted, so that none hides another.
func (a *alerts) add(outcome, text, code, license, section string) {
	key := strings.Join([]string{a.d.Subject.Ref, outcome, code, license, section}, "\x00")
	a.used[key]++
	if n := a.used[key]; n > 1 {
		key += "\x00" + strconv.Itoa(n)
	}
	index, loud := level(outcome)
	a.list = append(a.list, alert(a.d, text, key, rules()[index].ID, index, loud))
}

func alert(d *report.Document, text, key, rule string, index int, level string) result {
	sum := sha256.Sum256([]byte(key))
	return result{
		RuleID: rule, RuleIndex: index, Level: level, Message: message{plain(d.Subject.Ref + ": " + text)},
		Locations: []location{place(d)}, PartialFingerprints: map[string]string{fingerprint: hex.EncodeToString(sum[:16])},
	}
}

// place points at the text that is the license, where the model is a folder here. A model elsewhere has no file that a
// code scanner could open, but scanners refuse results without a file, so its name stands for one.
func place(d *report.Document) location {
	loc := location{
		PhysicalLocation: physical{ArtifactLocation: artifact{uri(d.Subject.Ref)}},
		LogicalLocations: []logical{{clean(d.Subject.Ref), "model"}},
	}
	if !slices.Contains([]string{"dir", "file", "path"}, d.Subject.Origin) {
		return loc
	}
	ref := strings.TrimPrefix(d.Subject.Ref, "dir:")
	loc.PhysicalLocation.ArtifactLocation.URI = uri(ref)
	if d.License == nil {
		if d.Estimate != nil && d.Estimate.Model.Source == "config.json" && d.Subject.Origin != "file" {
			loc.PhysicalLocation.ArtifactLocation.URI = uri(ref + "/config.json")
		}
		return loc
	}
	for _, m := range d.License.Matches {
		if m.StartLine == 0 || m.File == "" {
			continue
		}
		if d.Subject.Origin != "file" {
			loc.PhysicalLocation.ArtifactLocation.URI = uri(ref + "/" + m.File)
		}
		loc.PhysicalLocation.Region = &region{m.StartLine, max(m.EndLine, m.StartLine)}
		break
	}
	return loc
}

// uri writes a path as a relative reference, or as a file URI if it is absolute. A colon is encoded, because what is
// before one in the first part would be taken for a scheme.
func uri(file string) string {
	p := path.Clean(strings.ReplaceAll(file, `\`, "/"))
	absolute := strings.HasPrefix(p, "/")
	if len(p) > 2 && p[1] == ':' && p[2] == '/' { // a drive
		p, absolute = "/"+p, true
	}
	u := (&url.URL{Path: p}).EscapedPath()
	if absolute {
		return "file://" + u
	}
	return strings.ReplaceAll(u, ":", "%3A")
}

func clean(s string) string { return printable.Line(s) }

// plain makes foreign text a message that holds no link and no placeholder (SARIF 2.1.0, 3.11.5 and 3.11.6).
func plain(s string) string {
	return messages.Replace(clean(s))
}

var messages = strings.NewReplacer("](", "] (", "{", "{{", "}", "}}")
