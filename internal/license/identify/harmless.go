package identify

import (
	"strings"
	"sync"
	"unicode"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// harmless reports whether words that no license explains are of the kind that cannot change terms: copyright
// statements, titles, names, addresses, attributions.
func (d *doc) harmless(s shingle.Span) bool {
	return len(d.suspicious(s)) == 0
}

// suspicious returns the parts of a stretch that are not harmless.
func (d *doc) suspicious(s shingle.Span) []shingle.Span {
	var out []shingle.Span
	for i := s.From; i < s.To; {
		if d.copyright[i] || d.owned[i] {
			i++
			continue
		}
		line, sentence := d.piece(i, s.To, shingle.LineStart), d.piece(i, s.To, shingle.ParaStart)
		whole := d.line(i, s.To)
		switch {
		case d.label(i, whole):
			i = whole
		case d.plain(shingle.Span{From: i, To: line}), d.heading(shingle.Span{From: i, To: line}, s.To):
			i = line
		case d.heading(shingle.Span{From: i, To: whole}, s.To), d.introduces(shingle.Span{From: i, To: whole}),
			d.matched && d.filing(shingle.Span{From: i, To: whole}):
			i = whole
		case d.plain(shingle.Span{From: i, To: sentence}) || d.attribution(shingle.Span{From: i, To: sentence}):
			i = sentence
		default:
			if n := len(out); n > 0 && out[n-1].To == i {
				out[n-1].To = sentence
			} else {
				out = append(out, shingle.Span{From: i, To: sentence})
			}
			i = sentence
		}
	}
	return out
}

// piece returns where the sentence at i ends: at a full stop, a token with the flag, or something explained.
func (d *doc) piece(i, end int, flag shingle.Flags) int {
	j := i + 1
	for j < end && !d.toks[j].Has(flag) && !d.toks[j-1].Has(shingle.SentEnd) && !d.copyright[j] && !d.owned[j] {
		j++
	}
	return j
}

// line returns where the line at i ends, or something explained begins.
func (d *doc) line(i, end int) int {
	j := i + 1
	for j < end && !d.toks[j].Has(shingle.LineStart) && !d.copyright[j] && !d.owned[j] {
		j++
	}
	return j
}

// label knows a line such as "Node module: example".
func (d *doc) label(i, end int) bool {
	s := shingle.Span{From: i, To: end}
	if s.Len() > 4 || s.Len() < 2 || !d.toks[i].Has(shingle.LineStart) || !d.toks[i].Has(shingle.Capital) ||
		end < len(d.toks) && !d.toks[end].Has(shingle.LineStart) {
		return false
	}
	colon := d.piece(i, end, shingle.LineStart)
	return labels()[d.toks[colon-1].Hash] && colon < end && colon >= end-2 && d.text.Body[d.toks[colon-1].End] == ':' && !d.has(s, shingle.Critical) &&
		!d.has(s, shingle.Number) && d.onlyKnownNames(s)
}

var labels = sync.OnceValue(func() map[uint32]bool {
	return hashes("module package project name software library program component file title homepage repository repo")
})

// introduces knows the few words between the start of a line and a copyright statement on it: "jq is Copyright …".
func (d *doc) introduces(s shingle.Span) bool {
	return s.Len() <= 4 && d.toks[s.From].Has(shingle.LineStart) && s.To < len(d.toks) && d.copyright[s.To] &&
		!d.toks[s.To].Has(shingle.LineStart) && !d.has(s, shingle.Critical) && !d.has(s, shingle.Number)
}

// plain knows titles, names, addresses and bare years: every word capitalized or small, none that could restrict.
func (d *doc) plain(s shingle.Span) bool {
	if s.Len() > 16 || !d.onlyKnownNames(s) || d.field(s) {
		return false
	}
	words, license := 0, false
	for i := s.From; i < s.To; i++ {
		license = license || d.toks[i].Class == shingle.Name || d.toks[i].Class == shingle.Holder
	}
	for i := s.From; i < s.To; i++ {
		t := &d.toks[i]
		switch {
		case t.Has(shingle.URL | shingle.Email):
		case t.Class == shingle.Critical && !(license && (titleWord(t) || d.publisher(i))):
			return false
		case t.Class == shingle.Number:
			if !license && !d.year(i) && s.Len() > 1 && s.Len() > 8 {
				return false
			}
		case t.Class == shingle.Name, t.Class == shingle.Function, t.Class == shingle.Holder, t.Class == shingle.Slot,
			t.Class == shingle.Joint:
		case !t.Has(shingle.Capital):
			return false
		default:
			words++
		}
	}
	return words <= 10
}

// heading knows a paragraph of up to four words, such as the name of a project.
func (d *doc) heading(s shingle.Span, end int) bool {
	if !d.onlyKnownNames(s) {
		return false
	}
	limit := 4
	if s.From == 0 {
		limit = 9 // a project and what it is
	}
	if s.To < len(d.toks) && !d.toks[s.To].Has(shingle.LineStart) {
		return false
	}
	if s.Len() > limit || !d.toks[s.From].Has(shingle.ParaStart) || s.To < end && !d.toks[s.To].Has(shingle.ParaStart) && !d.copyright[s.To] &&
		!d.owned[s.To] {
		return false
	}
	if d.field(s) || d.strange(s) {
		return false
	}
	if s.Len() == 1 && d.toks[s.From].Has(shingle.Capital) {
		return !loud()[d.toks[s.From].Hash]
	}
	for i := s.From; i < s.To; i++ {
		t := &d.toks[i]
		if t.Hash == licenseHash && i+1 < s.To && d.toks[i+1].Hash == forHash && !d.toks[i].Has(shingle.SentEnd) {
			return false // for whom or for what
		}
		if t.Class == shingle.Critical || t.Class == shingle.Number && d.word(i)[0] != 'v' {
			return false
		}
	}
	return true
}

// field reports a value under a name, such as "Region: US" or "Seats: 5", that is none of those of a title page. What it
// says is not known.
func (d *doc) field(s shingle.Span) bool {
	for i := s.From; i < min(s.To, s.From+3); i++ {
		t := &d.toks[i]
		if i+1 == len(d.toks) || d.toks[i+1].Has(shingle.LineStart) {
			return false // it leads to what follows
		}
		if t.Has(shingle.URL|shingle.Email) || d.text.Body[t.End] != ':' || d.text.Body[min(int(t.End)+1, len(d.text.Body)-1)] == '/' {
			continue
		}
		return t.Class != shingle.Holder && t.Class != shingle.Name && !labels()[t.Hash] && !pageFields()[t.Hash]
	}
	return false
}

var pageFields = sync.OnceValue(func() map[uint32]bool {
	return hashes("contact email mail date url website web site address phone tel fax source origin copyright by from")
})

// strange reports several words, small ones among them, that English does not join: a sentence in a language that the
// lists of words here do not cover can say anything. A name and what it is ("tool - reads files") is joined by its dash.
func (d *doc) strange(s shingle.Span) bool {
	small, joined, foreign := false, false, false
	for i := s.From; i < s.To; i++ {
		t := &d.toks[i]
		small = small || t.Class == shingle.Plain && !t.Has(shingle.Capital|shingle.URL|shingle.Email)
		joined = joined || t.Class == shingle.Function || t.Class == shingle.Joint || t.Class == shingle.Name || t.Class == shingle.Holder
		if i+1 < s.To {
			joined = joined || strings.ContainsAny(string(d.text.Body[t.End:d.toks[i+1].Start]), "-–—:/@")
		}
		foreign = foreign || strings.ContainsFunc(d.word(i), func(r rune) bool { return r > 127 && unicode.IsLetter(r) })
	}
	return s.Len() > 1 && small && (foreign || !joined)
}

// Words that say something even when they stand alone.
var loud = sync.OnceValue(func() map[uint32]bool {
	return hashes(`commercial noncommercial commercially restricted prohibited forbidden evaluation internal private
		personal research confidential proprietary trial no not academic educational modified custom amended adapted exclusive limited embargoed demo preview`)
})

var creativeHash, commonsHash, forHash = shingle.WordHash("creative"), shingle.WordHash("commons"), shingle.WordHash("for")

// publisher reports the second word of "Creative Commons".
func (d *doc) publisher(i int) bool {
	return i > 0 && d.toks[i].Hash == commonsHash && d.toks[i-1].Hash == creativeHash
}

func (d *doc) year(i int) bool {
	w := d.word(i)
	return len(w) == 4 && (w[:2] == "19" || w[:2] == "20")
}

// Critical words that titles of licenses have, too.
var titleHashes = [...]uint32{
	shingle.WordHash("clause"), shingle.WordHash("version"), shingle.WordHash("free"),
	shingle.WordHash("january"), shingle.WordHash("agreement"),
}

func titleWord(t *shingle.Token) bool {
	for _, h := range titleHashes {
		if t.Hash == h {
			return true
		}
	}
	return false
}
