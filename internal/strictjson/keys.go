package strictjson

import (
	"fmt"
	"hash/maphash"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// sameness says which keys of one object are too close.
type sameness int

const (
	equal   sameness = iota // only the same key twice
	similar                 // also keys that differ by case, as encoding/json matches them
)

func (same sameness) match(a, b string) bool {
	return a == b || same == similar && strings.Map(foldRune, a) == strings.Map(foldRune, b)
}

// mark stands for a key while its object is read: half a hash above the offset of the key. Sorted, the marks of equal
// keys lie side by side; eight bytes a key, since the header of a model may have a million. The hash has a seed of its
// own, so that nobody can prepare a file full of collisions.
type mark uint64

func newMark(seed maphash.Seed, key string, at int, same sameness) mark {
	hash := maphash.String(seed, key)
	if same == similar {
		hash = foldedHash(seed, key)
	}
	return mark(hash&^(1<<32-1) | uint64(at))
}

// foldedHash hashes the key in folded letters, piece by piece, since a key can be as long as the text.
func foldedHash(seed maphash.Seed, key string) uint64 {
	var h maphash.Hash
	h.SetSeed(seed)
	var space [64]byte
	b := space[:0]
	for _, r := range key {
		if len(b) > len(space)-utf8.UTFMax {
			h.Write(b)
			b = b[:0]
		}
		b = utf8.AppendRune(b, foldRune(r))
	}
	h.Write(b)
	return h.Sum64()
}

func (m mark) hash() uint32 { return uint32(m >> 32) }
func (m mark) offset() int  { return int(uint32(m)) }

// clash finds the first key in the text that is too close to an earlier one, by its offset and that of the other.
func clash(text string, marks []mark, same sameness) (earlier, later int, found bool) {
	slices.Sort(marks)
	for i := 0; i < len(marks); {
		run := 1
		for i+run < len(marks) && marks[i+run].hash() == marks[i].hash() {
			run++
		}
		if run > 1 {
			e, l, ok := clashIn(text, marks[i:i+run], same)
			if ok && (!found || l < later) {
				earlier, later, found = e, l, true
			}
		}
		i += run
	}
	return earlier, later, found
}

// clashIn looks at keys of one hash, in the order of the text: all the same key, but for chance.
func clashIn(text string, marks []mark, same sameness) (earlier, later int, found bool) {
	for j := 1; j < len(marks); j++ {
		key := decode(text, marks[j].offset())
		for i := range j {
			if same.match(decode(text, marks[i].offset()), key) {
				return marks[i].offset(), marks[j].offset(), true
			}
		}
	}
	return 0, 0, false
}

// clashReason describes two keys that are too close.
func clashReason(earlier, later string) string {
	if earlier == later {
		return fmt.Sprintf("the key %s appears twice", shorten(later))
	}
	return fmt.Sprintf("the keys %s and %s differ by case only", shorten(earlier), shorten(later))
}

// foldRune maps a letter to the first of those that differ by case only, as encoding/json does to match keys: the long
// s and the Kelvin sign fall together with S and K.
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
