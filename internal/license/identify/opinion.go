package identify

import (
	"bytes"
	"sort"
	"strings"

	"github.com/google/licensecheck"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// Opinion is a second reader of short texts that the index says nothing about.
type Opinion func(text []byte) []Hint

// Hint is what an Opinion found.
type Hint struct {
	SPDX    string
	Percent float64 // of the text that it covers
	Line    int     // of text, where it begins
}

// LicenseCheck asks google/licensecheck. The first call takes about two seconds, so it is for what nothing else could
// tell, never for every text. What it says about the type of a license is not used: it is unknown for nearly all.
func LicenseCheck(text []byte) []Hint {
	var hints []Hint
	for _, m := range licensecheck.Scan(text).Match {
		hints = append(hints, Hint{
			SPDX: m.ID, Percent: 100 * float64(m.End-m.Start) / float64(max(1, len(text))),
			Line: 1 + bytes.Count(text[:m.Start], []byte("\n")),
		})
	}
	sort.SliceStable(hints, func(i, j int) bool { return hints[i].Percent > hints[j].Percent })
	return hints
}

// maxOpinion is the size up to which a text is short.
const maxOpinion = 20_000

// secondOpinion asks x.Second about a text without matches. Its answer counts as the text of the license only if it
// covers the whole file and the index does not hold that license; else the index would have said so itself, and the
// answer is no more than a mention.
func (x *Index) secondOpinion(d *doc, raw []byte, r *Result) {
	if x.Second == nil || len(raw) > maxOpinion || d.text.HTML || !smells(d) {
		return
	}
	for _, h := range x.Second(raw) {
		m, indexed := x.ByID(h.SPDX)
		if !indexed {
			m = Match{ID: strings.ToLower(h.SPDX), SPDX: h.SPDX, Kind: License}
		}
		m.Relation, m.StartLine, m.EndLine, m.TextCoverage = Mention, h.Line, r.Lines, h.Percent/100
		if !indexed && h.Percent >= 99 {
			m.Relation, m.LicenseCoverage = Equivalent, 1
		}
		r.Matches = append(r.Matches, m)
	}
}

// smells reports whether a text speaks of licenses at all.
func smells(d *doc) bool {
	words := hashes("license licensed copyright permission warranty redistribution redistribute copyleft")
	seen := map[uint32]bool{}
	for _, t := range d.toks {
		if words[t.Hash] {
			seen[t.Hash] = true
		}
	}
	return len(seen) > 1
}

// language guesses from script and small words what a text is written in; "" if it cannot tell.
func language(toks []shingle.Token, body []byte) string {
	var han, kana, hangul, cyrillic, arabic, letters int
	for _, r := range string(body[:min(len(body), 20_000)]) {
		switch {
		case 0x4E00 <= r && r <= 0x9FFF:
			han++
		case 0x3040 <= r && r <= 0x30FF:
			kana++
		case 0xAC00 <= r && r <= 0xD7AF:
			hangul++
		case 0x0400 <= r && r <= 0x04FF:
			cyrillic++
		case 0x0600 <= r && r <= 0x06FF:
			arabic++
		case 'a' <= r|0x20 && r|0x20 <= 'z':
			letters++
		}
	}
	switch {
	case kana > 20 && kana*8 > han:
		return "ja"
	case hangul > 40 && hangul*4 > letters:
		return "ko"
	case han > 40 && han*4 > letters:
		return "zh"
	case cyrillic > 40 && cyrillic > letters:
		return "ru"
	case arabic > 40 && arabic > letters:
		return "ar"
	}
	return smallWords(toks)
}

// smallWords counts the commonest words of some languages.
func smallWords(toks []shingle.Token) string {
	if len(toks) < 20 {
		return ""
	}
	best, most := "", len(toks)/25
	for _, l := range []struct{ code, words string }{
		{"en", "the of and to in or any is for this"},
		{"de", "der die und das den von zu oder des nicht"},
		{"fr", "le la les et des de du ou est une"},
		{"es", "el los las y que del una por para con"},
		{"pt", "os da do que uma não para dos ou em"},
		{"it", "il che di della per una sono nel gli dei"},
		{"nl", "het een van en niet voor met zijn deze wordt"},
		{"pl", "nie na do się jest oraz lub przez w z"},
	} {
		n := 0
		set := hashes(l.words)
		for _, t := range toks[:min(len(toks), 5000)] {
			if set[t.Hash] {
				n++
			}
		}
		if n > most {
			best, most = l.code, n
		}
	}
	return best
}
