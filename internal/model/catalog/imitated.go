package catalog

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// Likeness says in which way one name passes for another.
type Likeness string

// The ways in which names pass for each other.
const (
	SameShape Likeness = "letters that look alike" // O and 0, rn and m, Latin and Cyrillic a
	OneEdit   Likeness = "one letter apart"        // a letter added, left out, changed, or two swapped
)

// Imitated finds a known organization for which another name could be taken: models under meta-lIama or mistralal are
// not what they seem, and must not inherit what is known about the real ones. A known name imitates nobody. Of several
// the one that looks most alike counts, then the first.
func Imitated(org string, known []string) (of string, how Likeness, ok bool) {
	low := strings.ToLower(org)
	if slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, org) && ascii(org) }) {
		return "", "", false
	}
	shape := skeleton(org)
	for _, k := range known {
		if skeleton(k) == shape {
			return k, SameShape, true
		}
	}
	for _, k := range known {
		// Names of three letters are too many and too near to each other for one letter to mean anything.
		if len(k) > 3 && oneEdit([]rune(low), []rune(strings.ToLower(k))) {
			return k, OneEdit, true
		}
	}
	return "", "", false
}

func ascii(s string) bool { return strings.IndexFunc(s, func(r rune) bool { return r > 127 }) < 0 }

// alike gives letters beyond ASCII the letter that they look like. Only what is usable in names is here; the whole
// table of Unicode (UTS 39) would add nothing that the hub lets people register.
var alike = map[rune]rune{
	// Cyrillic
	'а': 'a', 'в': 'b', 'с': 'c', 'ԁ': 'd', 'е': 'e', 'һ': 'h', 'і': 'l', 'ј': 'j', 'к': 'k', 'м': 'm', 'н': 'h', 'о': 'o',
	'р': 'p', 'ԛ': 'q', 'ѕ': 's', 'т': 't', 'у': 'y', 'ѵ': 'v', 'ԝ': 'w', 'х': 'x', 'ӏ': 'l',
	// Greek
	'α': 'a', 'β': 'b', 'γ': 'y', 'ε': 'e', 'η': 'n', 'ι': 'l', 'κ': 'k', 'μ': 'm', 'ν': 'v', 'ο': 'o', 'ρ': 'p', 'τ': 't',
	'υ': 'u', 'χ': 'x', 'ω': 'w',
	// Latin
	'ı': 'l', 'ɑ': 'a', 'ɡ': 'g', 'ǃ': 'l',
}

// skeleton is what remains of a name for the eye.
func skeleton(s string) string {
	if !ascii(s) {
		s = norm.NFKD.String(s)
	}
	var b strings.Builder
	b.Grow(len(s))
	for _, r := range s {
		switch r = unicode.ToLower(r); {
		case r == '-' || r == '_' || r == '.' || unicode.Is(unicode.Mn, r): // marks are accents taken off by NFKD
		case r == 'i' || r == '1' || r == '|': // a capital i is an l to the eye, so every i becomes one
			b.WriteByte('l')
		case r == '0':
			b.WriteByte('o')
		case r == '5':
			b.WriteByte('s')
		case alike[r] != 0:
			b.WriteRune(alike[r])
		default:
			b.WriteRune(r)
		}
	}
	return strings.ReplaceAll(strings.ReplaceAll(b.String(), "rn", "m"), "vv", "w")
}

// oneEdit reports whether one letter was added, left out or changed, or two neighbors were swapped.
func oneEdit(a, b []rune) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return slices.Equal(a[i:], b[i+1:])
	}
	if i == len(a) {
		return false // equal
	}
	swapped := i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && slices.Equal(a[i+2:], b[i+2:])
	return swapped || slices.Equal(a[i+1:], b[i+1:])
}
