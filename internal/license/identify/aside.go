package identify

import (
	"bytes"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// aside is a kind of sentence that projects put beside an intact license: it has one of the marks, and no critical
// words but those that belong to what it says.
type aside struct {
	marks   [][]uint32
	allowed map[uint32]bool
	only    [][]uint32 // where these stand, a negation is part of what it says
	needs   map[uint32]bool
	never   map[uint32]bool
}

// Who wrote what and holds the rights in it, as projects without one holder say.
const ledgerMarks = `
contributor hold copyright
all contribution by
all other contribution
all such contribution
versioning keep track
contributor release their content to the license
a share copyright model
a shared copyright model
consist of voluntary contribution
exact contribution history
made by many individual
with reserved font name
copyright are respective of
is free software
`

// Parts that came from elsewhere and stay under the terms they came with.
const vendoredMarks = `
third party component
third party library
third party librarie
third party software
third party code
third party package
third party module
third party dependency
third party dependencie
third party material
third party source
third party project
externally maintained library
externally maintained librarie
external library
external librarie
bundled library
bundled librarie
for dependency project
`

// Who owns which name.
const trademarkMarks = `
trademark of
registered trademark of
property of their respective
in the united state and other
in the united state and or other
in the united state or other
`

// What the two-clause license of FreeBSD ends with.
const viewsMarks = `
the view and conclusion contained in the
`

var asides = sync.OnceValue(func() []aside {
	return []aside{
		{marks: hashLines(ledgerMarks), allowed: hashes(`all each every other any own such release request term condition
			code reserved individual exact include date change use used free`)},
		{
			marks: hashLines(vendoredMarks), allowed: hashes(`third party own all each any both different subject provided include
			included including incorporate term condition code host distribution distributed combine link release copy embed
			common part require required additional dependency use used apply not`),
			only:  hashLines("not an externally\nnot externally\nnot apply to third\nnot apply to any third\nnot apply to external"),
			needs: hashes("license copyright notice term own"),
			never: hashes(`model weight checkpoint parameter dataset data image asset art artwork font media content you your
				must may author licensor`),
		},
		{marks: hashLines("following dependencie\nfollowing dependency"), allowed: hashes("code")},
		{marks: hashLines("if a contributor want to further mark"), allowed: hashes("if further should solely change when")},
		{marks: hashLines(trademarkMarks), allowed: hashes("trademark registered register country state all own")},
		{marks: hashLines(viewsMarks), allowed: hashes("should not either policie policy any")},
	}
})

func hashLines(text string) [][]uint32 {
	var out [][]uint32
	for line := range strings.Lines(text) {
		var hs []uint32
		for w := range strings.FieldsSeq(line) {
			hs = append(hs, shingle.WordHash(w))
		}
		if len(hs) > 0 {
			out = append(out, hs)
		}
	}
	return out
}

var notHash = shingle.WordHash("not")

// aside reports whether a sentence tells who wrote, owns or maintains something, and nothing else.
func (d *doc) aside(s shingle.Span) bool {
	return slices.ContainsFunc(asides(), func(a aside) bool { return d.says(s, &a) })
}

func (d *doc) says(s shingle.Span, a *aside) bool {
	if !d.containsAny(s, a.marks) || !d.without(s, a.allowed) {
		return false
	}
	needed := a.needs == nil
	for i := s.From; i < s.To; i++ {
		h := d.toks[i].Hash
		if a.never[h] || h == notHash && a.only != nil && !d.standsAny(i, s.To, a.only) {
			return false
		}
		needed = needed || a.needs[h]
	}
	return needed
}

func (d *doc) containsAny(s shingle.Span, phrases [][]uint32) bool {
	for i := s.From; i < s.To; i++ {
		if d.standsAny(i, s.To, phrases) {
			return true
		}
	}
	return false
}

func (d *doc) standsAny(i, end int, phrases [][]uint32) bool {
	return slices.ContainsFunc(phrases, func(p []uint32) bool { return i+len(p) <= end && d.stands(i, p) })
}

// Words in sentences that lead to the license below, and which would restrict if they stood alone.
var softPhrases = sync.OnceValue(func() [][]uint32 {
	return hashLines(`
for use as follow
for use under the
use under the following
used under the following
used under the term
unless otherwise specified
unless otherwise stated
unless otherwise noted
unless otherwise indicated
except when otherwise stated
except where otherwise stated
except where otherwise noted
except where noted
except as otherwise noted
except as documented below
you may use this software under
either of the following
either of the license
both of the license
both these license
dual license
is free software
beginning of each file
`)
})

// References to the license that stands beside, instead of its name.
var references = sync.OnceValue(func() [][]uint32 {
	return hashLines(`
following license
under the same license
license below
license as follow
licensed as follow
license for use as follow
license as reproduced below
reproduced below
under the term below
these license
both license
either license
of the license found in
this license apply
following license apply
above license apply
`)
})

var followingHash = shingle.WordHash("following")

// refers reports words such as "the license below", also "the following BSD license".
func (d *doc) refers(s shingle.Span) bool {
	for i := s.From; i < s.To; i++ {
		if d.standsAny(i, s.To, references()) {
			return true
		}
		if d.toks[i].Hash != followingHash {
			continue
		}
		for j := i + 1; j < min(i+4, s.To) && d.toks[j].Class == shingle.Name; j++ {
			if d.toks[j].Hash == licenseHash {
				return true
			}
		}
	}
	return false
}

// filing knows a line that says what the license under it is for: the path of a file, or, below another license,
// "License for" something.
func (d *doc) filing(s shingle.Span) bool {
	if s.Len() > 16 || s.To < len(d.toks) && !d.toks[s.To].Has(shingle.LineStart) && !d.copyright[s.To] && !d.owned[s.To] {
		return false
	}
	paths, capitals, small := 0, 0, 0
	for i := s.From; i < s.To; {
		if end := d.path(i, s.To); end > i {
			paths++
			i = end
			continue
		}
		t := &d.toks[i]
		switch {
		case filingWords()[t.Hash], t.Class == shingle.Function, t.Class == shingle.Joint, t.Class == shingle.Number:
		case t.Class == shingle.Critical:
			return false
		case t.Has(shingle.Capital):
			capitals++
		default:
			small++
		}
		i++
	}
	return capitals <= 4 && small <= 1 && (paths > 0 || small == 0 && d.containsAny(s, filed()) && slices.Contains(d.owned[:s.From], true))
}

var filed = sync.OnceValue(func() [][]uint32 {
	return hashLines("license for\nbegin license\nend license\nnotice for")
})

var filingWords = sync.OnceValue(func() map[uint32]bool { return hashes("license notice file begin end copyright code") })

// path returns the end of the file name that begins at token i, or i if there is none.
func (d *doc) path(i, end int) int {
	from := int(d.toks[i].Start)
	to := from
	for to < len(d.text.Body) && d.text.Body[to] > ' ' {
		to++
	}
	if !fileName(d.text.Body[from:to]) {
		return i
	}
	for i < end && int(d.toks[i].Start) < to {
		i++
	}
	return i
}

// fileName reports a word with several slashes, or one with an ending. Figures such as 2.0 have none.
func fileName(f []byte) bool {
	f = bytes.Trim(f, "()[]`*:,;\"'.")
	if len(f) < 3 || bytes.Contains(f, []byte("://")) || bytes.IndexByte(f, '@') >= 0 {
		return false
	}
	name := f[bytes.LastIndexByte(f, '/')+1:]
	dot := bytes.LastIndexByte(name, '.')
	ok := dot > 0 && letters(name[:dot]) > 0 && plainEnding(name[dot+1:]) && (dot > 1 || len(name) < len(f))
	if bytes.IndexByte(f, '/') >= 0 {
		// "and/or" is no path.
		return ok || bytes.Count(f, []byte("/")) > 1 || bytes.IndexByte(f, '_') > 0 || f[len(f)-1] == '/'
	}
	return ok
}

// plainEnding reports one to eight ASCII letters and digits, a letter first.
func plainEnding(w []byte) bool {
	for i, c := range w {
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z'; !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return len(w) > 0 && len(w) <= 8
}

func letters(w []byte) int {
	n := 0
	for _, c := range w {
		if 'a' <= c|0x20 && c|0x20 <= 'z' {
			n++
		}
	}
	return n
}
