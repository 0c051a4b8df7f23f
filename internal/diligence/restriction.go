package diligence

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/model"
)

// restriction is a sentence of the author that bars business and is no known license. It says nothing to who does none.
type restriction struct {
	where, words string
	outcome      license.Outcome // what it leaves for business
}

// restricts are ways to say that business is barred.
var restricts = regexp.MustCompile(`(?i)\bnon[- ]?commercial|\b(no|not|never|without)\b( \w+){0,7} commercial(ly)?\b|` +
	`\bcommercial(ly)?( \w+){0,2} (is|are) (\w+ )?(not|prohibited|forbidden|excluded)|` +
	`\b(research|academic|educational|scientific|evaluation)( \w+){0,3} only\b|` +
	`\bonly (be used )?(for|in) (\w+ )?(research|academic|educational|scientific|evaluation)|非商业|非商用|仅限研究|仅供研究|研究目的`)

// permits are words by which such a sentence says the contrary, as permissive models do: no restrictions on commercial use.
var permits = regexp.MustCompile(`(?i)restrict|limit|charge|cost|fee|royalt|permission|problem|\bonly for\b.*commercial`)

var blanks = regexp.MustCompile(`[\s*_>]+`) // with the marks that Markdown puts around words

// restricted takes note of a restriction in words that no license explains.
func (w *weighing) restricted(where, text string) {
	for _, words := range restricts.FindAllString(blanks.ReplaceAllString(text, " "), -1) {
		if !permits.MatchString(words) {
			w.restrictions = append(w.restrictions, restriction{where, strings.TrimSpace(words), license.Undetermined})
			return
		}
	}
}

// intended takes note of a restriction that the card states where it does not speak of the license: what the author has
// in mind for the model, or what holds for something else, such as data. It is told, and decides nothing by itself.
func (w *weighing) intended(c *model.Card) {
	line := c.BodyLine
	for paragraph := range strings.SplitSeq(string(c.Body), "\n\n") {
		if len(w.restrictions) > 0 {
			return
		}
		if w.restricted(describe(c.Path, line, 0), paragraph); len(w.restrictions) > 0 {
			w.restrictions[0].outcome = license.Conditional
		}
		line += strings.Count(paragraph, "\n") + 2
	}
}

// explained drops restrictions where a license that binds has limits to business of its own, which are those meant.
func (w *weighing) explained() {
	for _, id := range w.ids() {
		t, err := w.Licenses.Get(id)
		if err == nil && (len(t.Thresholds) > 0 || t.Grants[license.Product].Permission != license.Yes) {
			w.restrictions = nil
		}
	}
}

func (r restriction) judge(u license.Use, m license.Traits) license.Verdict {
	business := license.When{Commercial: new(true)}
	if !business.May(u, m) {
		return license.Verdict{}
	}
	return license.Verdict{Outcome: r.outcome, Reasons: []license.Reason{{
		Outcome: r.outcome, Code: codeRestriction, Evidence: []string{r.where},
		Text: fmt.Sprintf("%s says %q, which no license that was found explains: read it, and ask the publisher what holds", r.where, r.words),
	}}}
}
