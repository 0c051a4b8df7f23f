package identify

import (
	"strings"
	"unicode/utf8"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// doc is a text while it is matched.
type doc struct {
	text      *shingle.Text
	toks      []shingle.Token
	codes     []uint16 // of token i and its successor
	owned     []bool   // part of a match that was accepted
	copyright []bool   // part of a copyright statement

	known   *Index   // who can tell names of licenses
	found   []string // ids of the licenses whose text is in the file; of the one that is judged, while texts are matched
	matched bool     // texts are matched: what is left stands between and around them
}

func newDoc(text *shingle.Text, toks []shingle.Token) *doc {
	d := &doc{
		text: text, toks: toks, codes: make([]uint16, len(toks)), owned: make([]bool, len(toks)),
		copyright: make([]bool, len(toks)),
	}
	for i := range toks {
		var next uint32
		if i+1 < len(toks) {
			next = toks[i+1].Hash
		}
		d.codes[i] = shingle.Pair(toks[i].Hash, next)
	}
	for i := 0; i < len(toks); i++ {
		end := shingle.CopyrightEnd(toks, i)
		for ; i < end; i++ {
			d.copyright[i] = true
		}
		if end == i && i < len(toks) && d.copyright[max(0, i-1)] && shingle.CopyrightEnd(toks, i) > i {
			i--
		}
	}
	return d
}

// know tells the rest of the reading which licenses the file holds.
func (d *doc) know(x *Index, matches []Match) {
	d.known, d.matched, d.found = x, true, nil
	for _, m := range matches {
		if m.Relation == Mention {
			continue
		}
		d.found = append(append(d.found, m.ID), m.Twins...)
	}
}

// word returns token i as the file has it.
func (d *doc) word(i int) string { return string(d.text.Body[d.toks[i].Start:d.toks[i].End]) }

const maxQuote = 400

// difference describes a stretch of the file that departs from a license.
func (d *doc) difference(s shingle.Span, missing int) Difference {
	diff := Difference{MissingWords: missing}
	if s.Len() > 0 {
		diff.StartLine, diff.EndLine = int(d.toks[s.From].Line), int(d.toks[s.To-1].Line)
		diff.Words = d.quote(s)
		return diff
	}
	at := min(s.From, len(d.toks)-1)
	diff.StartLine = int(d.toks[at].Line)
	diff.EndLine = diff.StartLine
	return diff
}

// quote returns the text of a span on one line, shortened.
func (d *doc) quote(s shingle.Span) string {
	return shorten(d.text.Body[d.toks[s.From].Start:d.toks[s.To-1].End], maxQuote)
}

// shorten puts b on one line of at most limit bytes.
func shorten(b []byte, limit int) string {
	const mark = " …"
	q := strings.Join(strings.Fields(strings.ToValidUTF8(string(b[:min(len(b), 4*limit)]), "")), " ")
	if len(q) <= limit && len(b) <= 4*limit {
		return q
	}
	q = q[:min(len(q), limit-len(mark))]
	for len(q) > 0 && !utf8.ValidString(q[max(0, len(q)-4):]) {
		q = q[:len(q)-1]
	}
	return strings.ToValidUTF8(q, "") + mark
}
