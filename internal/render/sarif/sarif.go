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
	ID               string  `json:"id"`
	ShortDescription message `json:"shortDescription"`
	Help             message `json:"help"`
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
	PhysicalLocation *physical `json:"physicalLocation,omitempty"`
	LogicalLocations []logical `json:"logicalLocations,omitempty"`
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
var rules = []rule{
	{"license-prohibited", message{"The license does not allow the use"},
		message{"A license that binds the model, its own or one of a base model, does not allow the stated use. Choose another model, change the use, or obtain a license from the licensor. llmcheck license shows the clauses and what would change the verdict."}},
	{"license-undetermined", message{"The license could not be decided"},
		message{"Something that decides is not known: a text that is no known license, a source that could not be read, or a fact about the use that nobody gave. llmcheck license lists the questions to answer."}},
	{"license-conditional", message{"The license allows the use under conditions"},
		message{"The use is allowed if the listed duties are met. llmcheck license shows them as a checklist with the exact strings to display."}},
}

var levels = map[string]struct {
	rule  int
	level string
}{"prohibited": {0, "error"}, "undetermined": {1, "warning"}, "conditional": {2, "note"}}

// Render writes one run over all documents.
func Render(w io.Writer, docs []*report.Document) error {
	r := run{
		Tool:       tool{driver{Name: "llmcheck", InformationURI: "https://github.com/llmcheck/llmcheck", Rules: rules}},
		Results:    []result{},
		ColumnKind: "utf16CodeUnits",
	}
	inv := invocation{ExecutionSuccessful: true}
	for _, d := range docs {
		r.Tool.Driver.Version = d.Tool.Version
		r.Results = append(r.Results, results(d)...)
		for _, g := range d.Gaps {
			if g.Kind != "absent" {
				inv.Notifications = append(inv.Notifications, notification{"warning", message{clean(d.Subject.Ref + ": " + g.What + ": " + g.Why)}})
			}
		}
	}
	r.Invocations = []invocation{inv}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	doc := log{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []run{r}}
	if err := enc.Encode(doc); err != nil {
		return fmt.Errorf("writing SARIF: %w", err)
	}
	_, err := w.Write(b.Bytes())
	return err
}

// results gives one alert for each bar and each open point, and one for all conditions of a model together.
func results(d *report.Document) []result {
	if d.License == nil {
		return nil
	}
	var out []result
	seen := make(map[string]bool)
	for _, reason := range d.License.Reasons {
		if reason.Outcome != "prohibited" && reason.Outcome != "undetermined" {
			continue
		}
		res := alert(d, reason.Outcome, reason.Text+clause(reason), reason.Code, reason.License, reason.Clause)
		if key := res.PartialFingerprints[fingerprint]; !seen[key] {
			seen[key] = true
			out = append(out, res)
		}
	}
	if d.License.Outcome == "conditional" {
		out = append(out, alert(d, "conditional", conditions(d.License), "conditions", strings.Join(d.License.Effective, "+"), ""))
	}
	return out
}

func clause(r report.Reason) string {
	switch {
	case r.License == "":
		return ""
	case r.Clause == "":
		return " (" + r.License + ")"
	}
	return " (" + r.License + ", clause " + r.Clause + ")"
}

func conditions(l *report.License) string {
	s := l.Summary
	for _, d := range l.Duties {
		if !d.Routine {
			s += " " + strings.TrimRight(d.Text, ".") + "."
		}
	}
	return s
}

const fingerprint = "llmcheck/v1"

// alert is one result. Its fingerprint does not depend on the words of the message, so that an alert that was dismissed
// stays dismissed.
func alert(d *report.Document, outcome, text, code, license, section string) result {
	sum := sha256.Sum256([]byte(strings.Join([]string{d.Subject.Ref, outcome, code, license, section}, "\x00")))
	l := levels[outcome]
	return result{
		RuleID: rules[l.rule].ID, RuleIndex: l.rule, Level: l.level, Message: message{clean(d.Subject.Ref + ": " + text)},
		Locations: []location{place(d)}, PartialFingerprints: map[string]string{fingerprint: hex.EncodeToString(sum[:16])},
	}
}

// place points at the text that is the license, where the model is a folder here; a model elsewhere has no file that a
// code scanner could open.
func place(d *report.Document) location {
	loc := location{LogicalLocations: []logical{{clean(d.Subject.Ref), "model"}}}
	switch d.Subject.Origin {
	case "dir", "file", "path":
	default:
		return loc
	}
	p := physical{ArtifactLocation: artifact{uri(d.Subject.Ref)}}
	for _, m := range d.License.Matches {
		if m.StartLine > 0 && m.File != "" {
			if d.Subject.Origin != "file" {
				p.ArtifactLocation.URI = uri(path.Join(strings.ReplaceAll(d.Subject.Ref, `\`, "/"), m.File))
			}
			p.Region = &region{m.StartLine, max(m.EndLine, m.StartLine)}
			break
		}
	}
	loc.PhysicalLocation = &p
	return loc
}

func uri(file string) string {
	p := path.Clean(strings.ReplaceAll(file, `\`, "/"))
	return (&url.URL{Path: p}).EscapedPath()
}

func clean(s string) string { return printable.Line(s) }
