// Package identify says which license a text is, and how sure and how complete that is.
//
// A text is aligned, word by word, with the texts of an embedded index of hashed shingles. Two numbers decide, never
// one: how much of the license is in the file and how much of the file is that license. What is left on either side is
// looked at: a name in the place of a name, a copyright line or a title changes nothing; a number, a negation, or a
// sentence that nobody has read before does. In doubt the answer is Modified, because taking a restricted text for a
// permissive one is the worst mistake that can be made here.
//
// Texts that only name a license, declared identifiers, and the clauses of unknown texts are read by the same package.
package identify

import (
	"cmp"
	_ "embed"
	"slices"
	"sync"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

//go:generate go run ./gen -o index.bin ../../../../shared/corpus/licenses ../../../../shared/corpus/spdx

//go:embed index.bin
var indexData string

// Relation is how a text and a license belong together.
type Relation string

// The relations, strongest first.
const (
	Equivalent Relation = "equivalent" // these are the terms, and nothing that could change them
	Modified   Relation = "modified"   // words were added, removed or changed
	Truncated  Relation = "truncated"  // an unchanged copy of a part
	Mention    Relation = "mention"    // the text only names, links or applies the license
	Declared   Relation = "declared"   // somebody said so; no text was seen
)

// Kind tells licenses from the use policies that some of them refer to.
type Kind string

// The kinds.
const (
	License Kind = "license"
	Policy  Kind = "policy"
)

// Match is one license found in a text.
type Match struct {
	ID       string   // catalog id
	SPDX     string   // SPDX id, "" if it has none
	Twins    []string // other ids of texts with the same words
	Kind     Kind
	Relation Relation

	LicenseCoverage float64 // part of the license that is in the text, 0 to 1
	TextCoverage    float64 // part of the text that is this license, 0 to 1; copyright lines and titles do not count
	StartLine       int     // 1-based
	EndLine         int
	Template        bool // placeholders such as <year> are not filled in
	Differences     []Difference
}

// Difference is one place where a text departs from the license it is nearest to.
type Difference struct {
	StartLine    int
	EndLine      int
	Words        string // what the text says there, in its own words, at most 400 bytes
	MissingWords int    // how many words of the license are not there
}

// Region is a stretch of lines.
type Region struct{ StartLine, EndLine int }

// Result is what a text was found to be.
type Result struct {
	Matches     []Match  // best first
	Unexplained []Region // prose that is no part of any match
	Words       int
	Lines       int
	Binary      bool   // not a text
	Cut         bool   // only the first 8 MiB, or two million words, were judged: the rest may say anything
	Language    string // of a text without matches, as far as its script and small words tell: "en", "zh", "de" …
}

// Index identifies texts. It is safe for concurrent use.
type Index struct {
	x *shingle.Index

	// Second is asked about short texts that smell of a license and have no match. Nil asks nobody.
	Second Opinion
}

// Default returns the embedded index. It costs nothing before the first call.
var Default = sync.OnceValues(func() (*Index, error) {
	x, err := shingle.Open(indexData)
	if err != nil {
		return nil, err
	}
	return &Index{x: x, Second: LicenseCheck}, nil
})

// Identify finds the licenses in raw, the bytes of a file.
func (x *Index) Identify(raw []byte) Result {
	text := shingle.Clean(raw)
	toks, whole := shingle.Words(&text)
	r := Result{Words: len(toks), Lines: lines(raw), Binary: text.Binary, Cut: text.Cut || !whole}
	if len(toks) == 0 {
		return r
	}
	d := newDoc(&text, toks)
	found := x.align(d)
	r.Matches = x.matches(d, found)
	d.know(x, r.Matches)
	d.disown(found, r.Matches)
	x.mentions(d, &r)
	if !x.pointsOnly(d, &r) {
		settle(d, &r, d.unexplained(&r))
	}
	if len(r.Matches) == 0 {
		r.Language = language(toks, text.Body)
		x.secondOpinion(d, raw, &r)
	}
	order(&r)
	return r
}

// disown gives back the notices that put the file under a license whose text it does not hold: beside an intact text
// of another one they have to be read. Matches are those of found, in order.
func (d *doc) disown(found []*alignment, matches []Match) {
	if !slices.ContainsFunc(matches, func(m Match) bool { return m.Relation == Equivalent }) {
		return
	}
	for i, m := range matches {
		if m.Relation != Mention || slices.Contains(d.found, m.ID) {
			continue
		}
		for j := found[i].span().From; j < found[i].span().To; j++ {
			d.owned[j] = false
		}
	}
}

func lines(raw []byte) int {
	n := 1
	for _, b := range raw {
		if b == '\n' {
			n++
		}
	}
	if len(raw) == 0 || raw[len(raw)-1] == '\n' {
		n--
	}
	return n
}

// settle makes a match modified if the text beside it says things that nobody has explained: a restriction may be
// among them.
func settle(d *doc, r *Result, rest []shingle.Span) {
	if len(rest) == 0 {
		return
	}
	for i := range r.Matches {
		m := &r.Matches[i]
		if m.Relation != Equivalent {
			continue
		}
		m.Relation = Modified
		for _, s := range rest {
			m.Differences = append(m.Differences, d.difference(s, 0))
		}
	}
}

// order puts texts before mentions and larger parts of the file before smaller ones.
func order(r *Result) {
	slices.SortStableFunc(r.Matches, func(a, b Match) int {
		return cmp.Or(cmp.Compare(mentionLast(a), mentionLast(b)), cmp.Compare(b.TextCoverage, a.TextCoverage),
			cmp.Compare(a.StartLine, b.StartLine))
	})
}

func mentionLast(m Match) int {
	if m.Relation == Mention {
		return 1
	}
	return 0
}
