package identify

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// judge finds the gaps between the runs and decides which of them can change the terms.
func (s *search) judge(a *alignment) {
	a.gaps = a.gaps[:0]
	id, _, twins := s.x.Names(a.e)
	s.d.found = append(append(s.d.found[:0], id), twins...)
	minor := 0
	for i := 1; i < len(a.runs); i++ {
		p, r := a.runs[i-1], a.runs[i]
		g := gap{lic: shingle.Span{From: p.lic + p.n, To: r.lic}, file: shingle.Span{From: p.file + p.n, To: r.file}}
		if g.lic.Len() == 0 && g.file.Len() == 0 {
			// Neighbors on both sides that do not join: two different words with one hash.
			g.bad = s.x.Code(a.e, p.lic+p.n-1) != s.d.codes[p.file+p.n-1]
			if g.bad {
				a.gaps = append(a.gaps, g)
			}
			continue
		}
		s.decide(a, &g)
		if g.minor {
			minor++
		}
		a.gaps = append(a.gaps, g)
	}
	if minor > 2+a.e.Words/300 {
		for i := range a.gaps {
			a.gaps[i].bad = a.gaps[i].bad || a.gaps[i].minor
		}
	}
}

// kinds counts the words of a stretch of a license.
type kinds struct {
	required, optional, numbers int
	slots, holders, function    int
	critical, joints, names     int
	optionalNumbers             int
}

func (s *search) kinds(a *alignment, span shingle.Span) kinds { return a.kinds(s.x, span) }

func (a *alignment) kinds(x *shingle.Index, span shingle.Span) kinds {
	var k kinds
	for l := span.From; l < span.To; l++ {
		c := x.ClassAt(a.e, l)
		if c == shingle.Critical {
			k.critical++
		}
		if a.isOptional(l) {
			k.optional++
			if c == shingle.Number {
				k.optionalNumbers++
			}
			continue
		}
		k.required++
		switch c {
		case shingle.Slot:
			k.slots++
		case shingle.Holder:
			k.holders++
		case shingle.Function, shingle.Joint:
			k.function++
			if c == shingle.Joint {
				k.joints++
			}
		case shingle.Number:
			k.numbers++
		case shingle.Name:
			k.names++
		}
	}
	return k
}

func (a *alignment) isOptional(l int) bool {
	for _, o := range a.optional {
		if l < o.From {
			return false
		}
		if l < o.To {
			return true
		}
	}
	return false
}

// decide sets g.bad or g.minor.
func (s *search) decide(a *alignment, g *gap) {
	k := s.kinds(a, g.lic)
	switch {
	case k.required == 0 && g.file.Len() == 0:
		// A part that may be missing is missing, or somebody took the one word out that matters.
		g.bad = k.critical > 0 && k.optional <= 3 && g.lic.To > titleEnd
	case k.required == 0 && s.d.inCopyright(g.file):
	case k.required == 0 && k.optionalNumbers > 0 && s.d.has(g.file, shingle.Number):
		g.bad = true
	case k.required == 0 && k.optional > 0 && s.d.fillsIn(g.file):
	case k.required == 0 && (k.optional > 0 || s.d.apart(g.file)) && s.d.harmless(g.file):
	case k.required > 0 && k.required == k.slots+k.holders+k.function && k.slots+k.holders > 0:
		limit := 12
		if k.slots > 0 {
			limit = 24
		}
		g.bad = g.file.Len() > limit || !s.d.names(g.file) || !s.d.onlyKnownNames(g.file) || k.required > 12 ||
			g.file.Len() == 0 && k.slots == 0 && k.required > 4
	case k.required >= 3 && k.required == k.names && g.file.Len() == 0:
		// A title that the license repeats before its terms.
	case k.optional == 0 && s.repair(a, *g):
	case s.renumbered(a, g):
	case k.required+k.optional == 0 && g.file.Len() == len(nextParagraph) && s.d.stands(g.file.From, nextParagraph[:]):
	case k.optional == 0 && s.d.contributors(g.file, k):
	case k.required == k.function && k.joints == 0 && k.required < 3 && g.file.Len() < 3 && s.d.only(g.file, shingle.Function):
		g.minor = true
	default:
		g.bad = true
	}
}

var contributorHash = shingle.WordHash("contributor")

// contributors reports words before "contributors" that change nothing about who they are: "its authors and
// contributors", "any other contributors", "their contributors".
func (d *doc) contributors(s shingle.Span, k kinds) bool {
	if s.Len() == 0 || s.Len() > 3 || s.To >= len(d.toks) || d.toks[s.To].Hash != contributorHash ||
		k.required != k.function || k.required > 1 {
		return false
	}
	if k.required == 0 {
		return d.has(s, shingle.Holder) && d.has(s, shingle.Joint) && d.only(s, shingle.Holder, shingle.Joint, shingle.Function)
	}
	for i := s.From; i < s.To; i++ {
		if !possessives()[d.toks[i].Hash] {
			return false
		}
	}
	return true
}

var possessives = sync.OnceValue(func() map[uint32]bool { return hashes("its their his her the any all other") })

// nextParagraph is what some copies of the MIT license insert: that its notice goes on in the next paragraph.
var nextParagraph = [...]uint32{
	shingle.WordHash("including"), shingle.WordHash("the"), shingle.WordHash("next"),
	shingle.WordHash("paragraph"),
}

// titleEnd is how far the title of a license may reach.
const titleEnd = 8

// fillsIn reports a few words, and copyright statements, in the place of instructions: the name of a program and what
// it does. A digit in a name that is capitalized counts nothing.
func (d *doc) fillsIn(s shingle.Span) bool {
	n := 0
	for i := s.From; i < s.To; i++ {
		t := &d.toks[i]
		switch {
		case d.copyright[i]:
			continue
		case t.Class == shingle.Critical, t.Class == shingle.Number && !t.Has(shingle.Capital):
			return false
		}
		n++
	}
	return n <= 8
}

// apart reports whether a stretch is a paragraph of its own, as a heading is; words inserted in a sentence are not.
func (d *doc) apart(s shingle.Span) bool {
	return d.toks[s.From].Has(shingle.ParaStart) && (s.To == len(d.toks) || d.toks[s.To].Has(shingle.ParaStart))
}

func (d *doc) has(s shingle.Span, c shingle.Class) bool {
	for i := s.From; i < s.To; i++ {
		if d.toks[i].Class == c {
			return true
		}
	}
	return false
}

func (d *doc) only(s shingle.Span, classes ...shingle.Class) bool {
	for i := s.From; i < s.To; i++ {
		if !slices.Contains(classes, d.toks[i].Class) {
			return false
		}
	}
	return true
}

func (d *doc) inCopyright(s shingle.Span) bool {
	for i := s.From; i < s.To; i++ {
		if !d.copyright[i] {
			return false
		}
	}
	return true
}

// names reports whether a stretch can be the name of a holder: capitalized words, the small words between them, and
// few others, as the names of projects are.
func (d *doc) names(s shingle.Span) bool {
	others, loudly := 0, s.From > 0 && d.upper(s.From-1)
	for i := s.From; i < s.To; i++ {
		t := &d.toks[i]
		switch t.Class {
		case shingle.Critical:
			if !t.Has(shingle.Capital) || !shingle.Corporate(t.Hash) || loudly {
				return false
			}
		case shingle.Holder, shingle.Function, shingle.Slot, shingle.Number, shingle.Joint:
			continue
		}
		if !t.Has(shingle.Capital | shingle.URL | shingle.Email) {
			others++
		}
	}
	return others <= 2
}

// upper reports a word in capitals: where all is in capitals, they do not tell names from other words.
func (d *doc) upper(i int) bool {
	w := d.word(i)
	return w == strings.ToUpper(w)
}

// renumbered reports a gap in which nothing but the numbers of clauses differs, where neither the word before nor the
// word after makes a quantity of them.
func (s *search) renumbered(a *alignment, g *gap) bool {
	if g.file.Len() > 2 || g.lic.Len() > 1 || g.file.From == 0 || g.file.To >= len(s.d.toks) || g.lic.From == 0 {
		return false
	}
	for i := g.file.From; i < g.file.To; i++ {
		if !shingle.Enumerates(strings.ToLower(s.d.word(i))) {
			return false
		}
	}
	before, after := &s.d.toks[g.file.From-1], &s.d.toks[g.file.To]
	if shingle.Counts(before.Hash) && !before.Has(shingle.SentEnd) || before.Class == shingle.Number || after.Class == shingle.Number ||
		units()[after.Hash] {
		return false
	}
	if g.lic.Len() == 0 {
		return true
	}
	for _, w := range enumerators() {
		if shingle.Pair(before.Hash, w) == s.x.Code(a.e, g.lic.From-1) && shingle.Pair(w, after.Hash) == s.x.Code(a.e, g.lic.From) {
			return true
		}
	}
	return false
}

var units = sync.OnceValue(func() map[uint32]bool {
	return hashes(`day week month year hour percent million billion thousand hundred dollar usd eur gbp cny rmb yuan user
		copy employee people person gb tb parameter token time cent business calendar`)
})

// enumerators are the hashes of the numbers that clauses have.
var enumerators = sync.OnceValue(func() []uint32 {
	var out []uint32
	for c := 'a'; c <= 'z'; c++ {
		out = append(out, shingle.WordHash(string(c)))
	}
	for i := range 40 {
		out = append(out, shingle.WordHash(strconv.Itoa(i)))
	}
	for i := 1; i < 20; i++ {
		for j := 1; j < 16; j++ {
			out = append(out, shingle.WordHash(strconv.Itoa(i)+"."+strconv.Itoa(j)))
		}
	}
	for w := range strings.FieldsSeq("ii iii iv vi vii viii ix xi xii xiii xiv xv") {
		out = append(out, shingle.WordHash(w))
	}
	return out
})

// alternates are words that editions of one text exchange: the Lesser GPL was the Library GPL.
var alternates = [...][2]string{{"library", "lesser"}}

// repair reports whether the gap is one word misspelled, split or joined: the index holds no words, but it can tell
// whether a spelling fits between the neighbors.
func (s *search) repair(a *alignment, g gap) bool {
	nf, nl := g.file.Len(), g.lic.Len()
	if g.file.From == 0 || g.file.To >= len(s.d.toks) || g.lic.From == 0 || g.lic.To >= a.e.Words {
		return false
	}
	w := strings.ToLower(s.d.word(g.file.From))
	if nl == 1 && nf > 1 && nf < 9 && s.broken(a, g) {
		return true
	}
	switch {
	case nf == 2 && nl == 1:
		return s.fits(a, g, w+strings.ToLower(s.d.word(g.file.From+1)))
	case nf == 1 && nl == 2:
		for i := 1; i < len(w); i++ {
			if s.fits(a, g, w[:i], w[i:]) {
				return true
			}
		}
	case nf == 1 && nl == 1:
		for _, pair := range alternates {
			if w == pair[0] && s.fits(a, g, pair[1]) || w == pair[1] && s.fits(a, g, pair[0]) {
				return true
			}
		}
		return len(w) >= 6 && len(w) < 24 && s.d.toks[g.file.From].Class == shingle.Plain && s.misspelled(a, g, w)
	}
	return false
}

// broken reports a word or an address that a line end cut into pieces.
func (s *search) broken(a *alignment, g gap) bool {
	raw := s.d.text.Body[s.d.toks[g.file.From].Start:s.d.toks[g.file.To-1].End]
	if len(raw) > 2000 {
		return false
	}
	whole := make([]byte, 0, len(raw))
	for f := range bytes.FieldsSeq(raw) {
		if string(f) != ">" {
			whole = append(whole, f...)
		}
	}
	before, after := s.d.toks[g.file.From-1].Hash, s.d.toks[g.file.To].Hash
	word := strings.ReplaceAll(strings.ToLower(string(whole)), "-", "")
	for _, h := range [...]uint32{shingle.AddressHash(whole), shingle.WordHash(word)} {
		if shingle.Pair(before, h) == s.x.Code(a.e, g.lic.From-1) && shingle.Pair(h, after) == s.x.Code(a.e, g.lic.From) {
			return true
		}
	}
	return false
}

// fits reports whether words can stand in the license's side of the gap.
func (s *search) fits(a *alignment, g gap, words ...string) bool {
	left := s.d.toks[g.file.From-1].Hash
	at := g.lic.From - 1
	for _, w := range words {
		h := shingle.WordHash(w)
		if shingle.Pair(left, h) != s.x.Code(a.e, at) {
			return false
		}
		left = h
		at++
	}
	return shingle.Pair(left, s.d.toks[g.file.To].Hash) == s.x.Code(a.e, at)
}

// misspelled tries every spelling one letter away.
func (s *search) misspelled(a *alignment, g gap, w string) bool {
	const letters = "abcdefghijklmnopqrstuvwxyz"
	for i := 0; i <= len(w); i++ {
		if i < len(w) && s.fits(a, g, w[:i]+w[i+1:]) {
			return true
		}
		if i+1 < len(w) && s.fits(a, g, w[:i]+w[i+1:i+2]+w[i:i+1]+w[i+2:]) {
			return true
		}
		for _, c := range letters {
			if s.fits(a, g, w[:i]+string(c)+w[i:]) || i < len(w) && s.fits(a, g, w[:i]+string(c)+w[i+1:]) {
				return true
			}
		}
	}
	return false
}

// trim takes off ends that only chance has put there: short runs beyond a gap that is larger than they are, and
// instructions for use that stand elsewhere in the file.
func (s *search) trim(a *alignment) {
	for len(a.runs) > 1 {
		n := len(a.runs)
		p, r := a.runs[n-2], a.runs[n-1]
		if !s.stray(a, p, r, r) {
			break
		}
		a.runs = a.runs[:n-1]
	}
	for len(a.runs) > 1 {
		if !s.stray(a, a.runs[0], a.runs[1], a.runs[0]) {
			break
		}
		a.runs = a.runs[1:]
	}
	s.judge(a)
}

func (s *search) stray(a *alignment, p, r, end run) bool {
	g := gap{lic: shingle.Span{From: p.lic + p.n, To: r.lic}, file: shingle.Span{From: p.file + p.n, To: r.file}}
	if g.lic.Len() == 0 && g.file.Len() == 0 {
		return false
	}
	s.decide(a, &g)
	if !g.bad {
		return false
	}
	if end.n < 8 && max(g.lic.Len(), g.file.Len()) >= 2*end.n {
		return true
	}
	return g.file.Len() > 12 && s.kinds(a, shingle.Span{From: end.lic, To: end.lic + end.n}).required == 0
}

// weigh counts.
func (s *search) weigh(a *alignment) {
	a.required = a.e.Required
	a.matched, a.matchedOptional, a.missing, a.added, a.bad, a.head, a.tail = 0, 0, 0, 0, 0, 0, 0
	for _, r := range a.runs {
		k := s.kinds(a, shingle.Span{From: r.lic, To: r.lic + r.n})
		a.matched += k.required
		a.matchedOptional += k.optional
	}
	first, last := a.runs[0], a.runs[len(a.runs)-1]
	a.head = s.kinds(a, shingle.Span{From: 0, To: first.lic}).required
	a.tail = s.kinds(a, shingle.Span{From: last.lic + last.n, To: a.e.Words}).required
	a.missing = a.head + a.tail
	fine := 0
	for _, g := range a.gaps {
		if g.bad {
			a.bad++
			a.missing += s.kinds(a, g.lic).required
			a.added += g.file.Len()
		} else {
			fine += min(g.file.Len()+g.lic.Len(), 6)
		}
	}
	a.score = float64(a.matched) + float64(a.matchedOptional) - 0.45*float64(a.missing) -
		float64(min(a.added, a.matched/2)) - 2*float64(a.bad) - 0.15*float64(fine)
	if a.applies() {
		a.score = 0.5*float64(a.matchedOptional) - float64(a.added) - 2*float64(a.bad)
	}
}

// applies reports that only the instructions for use were found, as a notice has them that applies the license.
func (a *alignment) applies() bool {
	return a.matched*8 < a.required && a.matchedOptional >= 15 && a.matchedOptional > a.matched &&
		a.added*6 <= a.matchedOptional
}

// coverage returns how much of the license is in the file.
func (a *alignment) coverage() float64 {
	if a.required == 0 {
		return 0
	}
	return max(0, float64(a.required-a.missing)/float64(a.required))
}

// relation returns what the alignment proves by itself, "" if too little to speak of.
func (a *alignment) relation() Relation {
	switch {
	case a.required > 0 && a.missing == 0 && a.bad == 0:
		return Equivalent
	case a.applies():
		return Mention
	case a.matched < 8:
		return ""
	case a.cut():
		return Truncated
	case a.coverage() >= 0.5:
		return Modified
	}
	return ""
}

// cut reports a copy of a part: the missing words are at the ends.
func (a *alignment) cut() bool {
	ends := a.head + a.tail
	return ends*10 >= a.missing*8 && a.added*20 <= a.matched && a.coverage() >= 0.08 &&
		(a.coverage() >= 0.3 || a.matched >= 120) && ends > 0 && a.missing > a.bad
}

// matches describes the alignments.
func (x *Index) matches(d *doc, found []*alignment) []Match {
	total := 0
	for i := range d.toks {
		if d.owned[i] || !d.copyright[i] {
			total++
		}
	}
	var out []Match
	for _, a := range found {
		s := a.span()
		m := Match{
			Kind: License, Relation: a.relation(), LicenseCoverage: a.coverage(),
			StartLine: int(d.toks[s.From].Line), EndLine: int(d.toks[s.To-1].Line),
		}
		if a.e.Policy {
			m.Kind = Policy
		}
		m.ID, m.SPDX, m.Twins = x.x.Names(a.e)
		if m.Relation == Mention {
			x.rename(d, s, &m)
			m.LicenseCoverage = float64(a.matched) / float64(max(1, a.required))
		}
		m.TextCoverage = float64(s.Len()-a.added) / float64(max(1, total))
		m.Template = d.template(s)
		m.Differences = x.differences(d, a)
		out = append(out, m)
	}
	return out
}

// rename corrects the license of a notice whose words many licenses share to the one that the notice names.
func (x *Index) rename(d *doc, s shingle.Span, m *Match) {
	names := x.namesIn(d, shingle.Span{From: max(0, s.From-3), To: min(len(d.toks), s.To+3)})
	if len(names) == 0 || slices.ContainsFunc(names, func(n named) bool { return n.id == m.ID }) {
		return
	}
	if known, ok := x.ByID(names[0].id); ok {
		m.ID, m.SPDX, m.Twins, m.Kind = known.ID, known.SPDX, known.Twins, known.Kind
	}
}

const maxDifferences = 40

func (x *Index) differences(d *doc, a *alignment) []Difference {
	if r := a.relation(); r == Equivalent || r == Mention {
		return nil
	}
	var out []Difference
	s := a.span()
	if a.head > 0 {
		out = append(out, d.difference(shingle.Span{From: s.From, To: s.From}, a.head))
	}
	for _, g := range a.gaps {
		if g.bad && len(out) < maxDifferences {
			out = append(out, d.difference(g.file, a.kinds(x.x, g.lic).required))
		}
	}
	if a.tail > 0 {
		out = append(out, d.difference(shingle.Span{From: s.To - 1, To: s.To - 1}, a.tail))
	}
	return out
}

// template reports unfilled placeholders in a copyright statement near or in the span.
func (d *doc) template(s shingle.Span) bool {
	// Further down they belong to the instructions for applying the license.
	for i := max(0, s.From-40); i < min(s.To, s.From+40); i++ {
		if d.copyright[i] && d.toks[i].Has(shingle.Placeholder) {
			return true
		}
	}
	return false
}
