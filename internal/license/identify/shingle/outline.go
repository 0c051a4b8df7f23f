package shingle

import (
	"strings"
	"sync"
)

// Span is a half-open range of tokens.
type Span struct{ From, To int }

// Len returns the number of tokens in the span.
func (s Span) Len() int { return s.To - s.From }

// names are the lower-case words that stand inside the name of a holder.
var nameJoints = sync.OnceValue(func() map[uint32]bool {
	m := map[uint32]bool{}
	for w := range strings.FieldsSeq(`by the of and for at in et al de da del van von der la le or with on to its all
		right rights reserved present now part portions portion contributor contributors other others authors author affiliate individual subsidiary company
		until date year
		holders copyright inc llc ltd see file com org net io email`) {
		m[WordHash(w)] = true
	}
	return m
})

// companyWords could restrict, but are parts of names when they are capitalized.
var companyWords = sync.OnceValue(func() map[uint32]bool {
	m := map[uint32]bool{}
	for w := range strings.FieldsSeq(`services network networks research education educational scientific state states
		commons enterprise people human european china chinese canada korea export host hosting union state government
		all api limited free`) {
		m[WordHash(w)] = true
	}
	return m
})

var legalForms = sync.OnceValue(func() map[uint32]bool {
	m := map[uint32]bool{}
	for w := range strings.FieldsSeq("inc incorporated llc ltd limited gmbh corp corporation ag kg bv sarl plc") {
		m[WordHash(w)] = true
	}
	return m
})

// Corporate reports a word that could restrict, but is part of a name where it is capitalized: "Research" of an
// institute, "API" of a project.
func Corporate(h uint32) bool { return companyWords()[h] }

var notAfterCopyright = sync.OnceValue(func() map[uint32]bool {
	m := map[uint32]bool{}
	for w := range strings.FieldsSeq(`notice holder holders law laws license owner and or interest interests right
		rights statement act treaty treaties protection disclaimer in to for is are as of with ownership claim`) {
		m[WordHash(w)] = true
	}
	return m
})

// CopyrightEnd returns where the copyright statement that starts at toks[i] ends, or i if none starts there.
func CopyrightEnd(toks []Token, i int) int {
	if reserved(toks, i) {
		return i + 3
	}
	if !startsCopyright(toks, i) {
		return i
	}
	joints := nameJoints()
	j, end, others, company := i+1, i+1, 0, false
	for j < len(toks) && j-i < 120 {
		t := &toks[j]
		if t.Has(ParaStart) && !startsCopyright(toks, j) {
			return j
		}
		if t.Hash == copyrightHash && !startsCopyright(toks, j) {
			break
		}
		if !nameLike(t) && !joints[t.Hash] && !(t.Has(Capital) && companyWords()[t.Hash]) {
			// A few small words on the same line belong to the name.
			if others++; t.Class == Critical || t.Line != toks[i].Line || others > 3 || company {
				break
			}
		}
		company = company || legalForms()[t.Hash] // a name does not go on after it
		j++
		if j == len(toks) || toks[j-1].Has(SentEnd) || toks[j].Has(LineStart) {
			end = j
		}
	}
	switch {
	case j == len(toks) || toks[j].Has(LineStart|ParaStart) || toks[j-1].Has(SentEnd):
		return j
	case end > i+1:
		return end
	}
	// The sentence that follows on the same line began with a capital letter.
	return max(i+1, j-1)
}

var allHash, someHash, rightHash, reservedHash = WordHash("all"), WordHash("some"), WordHash("rights"), WordHash("reserved")

// reserved reports "All rights reserved" at i.
func reserved(toks []Token, i int) bool {
	return i+2 < len(toks) && (toks[i].Hash == allHash || toks[i].Hash == someHash) && toks[i+1].Hash == rightHash && toks[i+2].Hash == reservedHash
}

func startsCopyright(toks []Token, i int) bool {
	if i >= len(toks) || toks[i].Hash != copyrightHash {
		return false
	}
	if toks[i].Has(Marked) {
		return true
	}
	if i+1 == len(toks) {
		return false
	}
	next := &toks[i+1]
	if notAfterCopyright()[next.Hash] {
		return false
	}
	begins := i == 0 || toks[i].Has(LineStart|ParaStart) || toks[i-1].Has(SentEnd)
	return next.Class == Number || next.Class == Slot || next.Has(Capital) && toks[i].Has(Capital) &&
		(begins || next.Class == Plain) || begins && toks[i].Has(Capital) && next.Class == Plain
}

// nameLike reports whether a token can be part of a name, a year or an address.
func nameLike(t *Token) bool {
	switch t.Class {
	case Slot, Holder:
		return true
	case Number:
		return true
	case Critical:
		return false
	}
	return t.Has(Capital | URL | Email)
}

// find returns the first position at or after from where the words stand, -1 if nowhere.
func find(toks []Token, from int, phrase string) int {
	var want []uint32
	for w := range strings.FieldsSeq(phrase) {
		want = append(want, WordHash(w))
	}
outer:
	for i := max(from, 0); i+len(want) <= len(toks); i++ {
		for j, h := range want {
			if toks[i+j].Hash != h {
				continue outer
			}
		}
		return i
	}
	return -1
}

// Outline returns the parts of a license that a copy may leave out without changing the terms: title, copyright
// statements, instructions for applying it, and what Creative Commons puts around its licenses. general is false for
// texts that have no such habits.
func Outline(toks []Token, general, creative bool) []Span {
	var spans []Span
	if n := title(toks); n > 0 {
		spans = append(spans, Span{0, n})
	}
	for i := 0; i < len(toks); i++ {
		if end := CopyrightEnd(toks, i); end > i && !everything(toks, i, end) {
			spans = append(spans, Span{i, end})
			i = end - 1
		}
	}
	if creative {
		spans = append(spans, creativeParts(toks)...)
	}
	if general {
		spans = append(spans, appendix(toks)...)
	}
	return merge(spans, len(toks))
}

// everything reports a statement that would make most of the text optional.
func everything(toks []Token, from, to int) bool { return (to-from)*2 > len(toks) }

// title returns how many leading tokens are title lines: short, capitalized, and not the first line of a sentence.
func title(toks []Token) int {
	n := 0
	for lines := 0; lines < 5 && n < len(toks); lines++ {
		end := n + 1
		capitals := 0
		for end < len(toks) && !toks[end].Has(LineStart) {
			end++
		}
		for i := n; i < end; i++ {
			if toks[i].Has(Capital|URL) || toks[i].Class == Number || toks[i].Class == Slot {
				capitals++
			}
		}
		if end-n > 12 || end == len(toks) || capitals*2 < end-n || end > 40 || toks[n].Hash == copyrightHash {
			break
		}
		if !toks[end].Has(ParaStart) && (!toks[end].Has(Capital|URL) && toks[end].Class != Slot) {
			break
		}
		if end-n > 8 && toks[end-1].Has(SentEnd) {
			break
		}
		n = end
	}
	if n*10 > len(toks)*4 {
		return 0
	}
	return n
}

func appendix(toks []Token) []Span {
	var spans []Span
	half := len(toks) * 2 / 5
	if i := find(toks, half, "end of terms and conditions"); i >= 0 {
		spans = append(spans, Span{i, i + 5})
	}
	for _, phrase := range []string{
		"appendix how to apply", "how to apply these terms", "exhibit a source code form",
		"exhibit a mozilla public license",
	} {
		i := find(toks, half, phrase)
		if i >= 0 && toks[i].Has(LineStart|ParaStart) && (len(toks)-i)*3 < len(toks) {
			spans = append(spans, Span{i, len(toks)})
		}
	}
	if n := len(toks); n > 20 {
		if i := find(toks, n-12, "for more information"); i >= 0 && toks[n-1].Has(URL) {
			spans = append(spans, Span{i, n})
		}
	}
	return spans
}

func creativeParts(toks []Token) []Span {
	var spans []Span
	third := len(toks) / 3
	for _, phrase := range []string{
		"by exercising the licensed rights", "the work as defined below is provided",
		"statement of purpose",
	} {
		if i := find(toks, 0, phrase); i > 0 && i < third+400 && i*2 < len(toks) {
			spans = append(spans, Span{0, i})
			break
		}
	}
	for _, phrase := range []string{
		"creative commons is not a party to its public", "creative commons notice",
		"creative commons is not a party to this license",
	} {
		if i := find(toks, len(toks)/2, phrase); i >= 0 && toks[i].Has(LineStart|ParaStart) {
			spans = append(spans, Span{i, len(toks)})
			break
		}
	}
	return spans
}

// merge sorts spans and joins those that touch.
func merge(spans []Span, n int) []Span {
	in := make([]bool, n)
	for _, s := range spans {
		for i := s.From; i < s.To; i++ {
			in[i] = true
		}
	}
	var out []Span
	for i := 0; i < n; i++ {
		if !in[i] {
			continue
		}
		j := i
		for j < n && in[j] {
			j++
		}
		out = append(out, Span{i, j})
		i = j
	}
	return out
}
