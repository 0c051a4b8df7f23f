package strictjson

import (
	"cmp"
	"fmt"
	"hash/maphash"
	"slices"
	"unicode"
	"unicode/utf8"
)

// sameness says which keys of one object are too close.
type sameness int

const (
	equal   sameness = iota // only the same key twice
	similar                 // also keys that differ by case, as encoding/json matches them
)

// keyring finds clashing keys. It hashes with a seed of its own, so that nobody can prepare a file full of collisions.
type keyring struct{ seed maphash.Seed }

func newKeyring() keyring { return keyring{maphash.MakeSeed()} }

// few is the number of keys up to which comparing all pairs is cheaper than sorting hashes.
const few = 12

// clash describes the first key that clashes with an earlier one, or is empty.
func (k keyring) clash(keys []string, same sameness) string {
	i, j, found := k.pair(keys, same)
	switch {
	case !found:
		return ""
	case keys[i] == keys[j]:
		return fmt.Sprintf("the key %s appears twice", shorten(keys[i]))
	}
	return fmt.Sprintf("the keys %s and %s differ by case only", shorten(keys[i]), shorten(keys[j]))
}

func (k keyring) pair(keys []string, same sameness) (i, j int, found bool) {
	if len(keys) <= few {
		return pairOfFew(keys, same)
	}
	return k.pairOfMany(keys, same)
}

func pairOfFew(keys []string, same sameness) (int, int, bool) {
	for j := 1; j < len(keys); j++ {
		for i := range j {
			if match(keys[i], keys[j], same) {
				return i, j, true
			}
		}
	}
	return 0, 0, false
}

// pairOfMany sorts hashes instead of filling a map: it needs 16 bytes a key, and a header may have a million.
func (k keyring) pairOfMany(keys []string, same sameness) (int, int, bool) {
	type entry struct {
		hash  uint64
		index int
	}
	entries := make([]entry, len(keys))
	for i, key := range keys {
		if same == similar {
			key = fold(key)
		}
		entries[i] = entry{maphash.String(k.seed, key), i}
	}
	slices.SortFunc(entries, func(a, b entry) int {
		return cmp.Or(cmp.Compare(a.hash, b.hash), cmp.Compare(a.index, b.index))
	})
	first, second := -1, -1
	for n := 1; n < len(entries); n++ {
		a, b := entries[n-1], entries[n]
		if a.hash == b.hash && (second < 0 || b.index < second) && match(keys[a.index], keys[b.index], same) {
			first, second = a.index, b.index
		}
	}
	return first, second, second >= 0
}

func match(a, b string, same sameness) bool {
	return a == b || same == similar && fold(a) == fold(b)
}

// fold maps a key to what encoding/json takes for the same key: each letter to the first of those that differ by case
// only, so that the long s and the Kelvin sign fall together with S and K.
func fold(s string) string {
	if !needsFold(s) {
		return s
	}
	b := make([]byte, 0, len(s))
	for _, r := range s {
		b = utf8.AppendRune(b, foldRune(r))
	}
	return string(b)
}

func needsFold(s string) bool {
	for i := range len(s) {
		if c := s[i]; 'a' <= c && c <= 'z' || c >= utf8.RuneSelf {
			return true
		}
	}
	return false
}

func foldRune(r rune) rune {
	if r < utf8.RuneSelf {
		if 'a' <= r && r <= 'z' {
			r -= 'a' - 'A'
		}
		return r
	}
	for {
		next := unicode.SimpleFold(r)
		if next <= r {
			return next
		}
		r = next
	}
}
