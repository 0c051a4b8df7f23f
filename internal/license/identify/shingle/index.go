package shingle

import (
	"errors"
	"fmt"
	"strings"
)

// The index is one string, read in place. Layout, numbers little endian:
//
//	magic, counts     8 × uint32: magic, entries, codes, spans, postings, bytes of names, 0, 0
//	entries           8 × uint32 each: first code, codes, first span, spans, required words, anchors, kind, name offset
//	spans             2 × uint32 each: from, to
//	buckets           65537 × uint32: where the postings of a shingle's upper half begin
//	postings          uint32 each: entry in the upper 10 bits, position in the lower 22
//	lower halves      uint16 each, beside the postings
//	codes             uint16 each: 13 bits of the hash of a word and its successor, 3 bits class of the word
//	names             id, SPDX id, twins, tab-separated, one line an entry
//
// No word can be looked up in it: a code stands for any of some ten thousand pairs of words.
const (
	magic      = 0x3158434c // "LCX1"
	headerSize = 8 * 4
	entrySize  = 8 * 4
	buckets    = 1<<16 + 1
	posBits    = 22
)

// Index is the embedded index.
type Index struct {
	data                                        string
	entries, codes, spans, postings             int
	atSpans, atBuckets, atRefs, atLows, atCodes int
	atNames                                     int
}

// Entry is one text in the index.
type Entry struct {
	First    int // of its codes
	Words    int
	Required int // words outside optional spans
	Anchors  int
	Policy   bool
	spans    int
	nspans   int
	name     int
}

// Open checks the layout of data and returns the index over it. It reads 32 bytes.
func Open(data string) (*Index, error) {
	if len(data) < headerSize || u32(data, 0) != magic {
		return nil, errors.New("open license index: not an index")
	}
	x := &Index{
		data: data, entries: int(u32(data, 4)), codes: int(u32(data, 8)), spans: int(u32(data, 12)),
		postings: int(u32(data, 16)),
	}
	x.atSpans = headerSize + x.entries*entrySize
	x.atBuckets = x.atSpans + x.spans*8
	x.atRefs = x.atBuckets + buckets*4
	x.atLows = x.atRefs + x.postings*4
	x.atCodes = x.atLows + x.postings*2
	x.atNames = x.atCodes + x.codes*2
	if x.atNames+int(u32(data, 20)) != len(data) {
		return nil, fmt.Errorf("open license index: %d bytes, the header says %d", len(data), x.atNames+int(u32(data, 20)))
	}
	return x, nil
}

// Len returns the number of entries.
func (x *Index) Len() int { return x.entries }

// Entry returns entry i.
func (x *Index) Entry(i int) Entry {
	at := headerSize + i*entrySize
	v := func(n int) int { return int(u32(x.data, at+4*n)) }
	return Entry{
		First: v(0), Words: v(1), spans: v(2), nspans: v(3), Required: v(4), Anchors: v(5), Policy: v(6) != 0,
		name: v(7),
	}
}

// Names returns the preferred id, the SPDX id ("" if it has none) and the ids of texts with the same words.
func (x *Index) Names(e Entry) (id, spdx string, twins []string) {
	line, _, _ := strings.Cut(x.data[x.atNames+e.name:], "\n")
	f := strings.Split(line, "\t")
	if f[2] != "" {
		twins = strings.Fields(f[2])
	}
	return f[0], f[1], twins
}

// Optional appends the spans that copies may leave out to buf.
func (x *Index) Optional(e Entry, buf []Span) []Span {
	for i := range e.nspans {
		at := x.atSpans + (e.spans+i)*8
		buf = append(buf, Span{int(u32(x.data, at)), int(u32(x.data, at+4))})
	}
	return buf
}

// Code returns the hash of the words at i and i+1 of an entry.
func (x *Index) Code(e Entry, i int) uint16 { return u16(x.data, x.atCodes+(e.First+i)*2) & codeMask }

// ClassAt returns the class of the word at i of an entry.
func (x *Index) ClassAt(e Entry, i int) Class {
	return Class(u16(x.data, x.atCodes+(e.First+i)*2) >> 13)
}

// Postings calls yield with entry and position for each place of a shingle, until it returns false.
func (x *Index) Postings(shingle uint32, yield func(entry, pos int) bool) {
	b := int(shingle >> 16)
	lo, hi := int(u32(x.data, x.atBuckets+b*4)), int(u32(x.data, x.atBuckets+b*4+4))
	low := uint16(shingle)
	for i := lo; i < hi; i++ {
		if u16(x.data, x.atLows+i*2) != low {
			continue
		}
		ref := u32(x.data, x.atRefs+i*4)
		if !yield(int(ref>>posBits), int(ref&(1<<posBits-1))) {
			return
		}
	}
}

func u16(s string, i int) uint16 { return uint16(s[i]) | uint16(s[i+1])<<8 }

func u32(s string, i int) uint32 {
	_ = s[i+3]
	return uint32(s[i]) | uint32(s[i+1])<<8 | uint32(s[i+2])<<16 | uint32(s[i+3])<<24
}

const codeMask = 1<<13 - 1

// Pair returns the code of two neighbors.
func Pair(a, b uint32) uint16 { return uint16(mix(a*0x9e3779b1+b)>>7) & codeMask }

// Size of the shingles that find candidates, and of the window of which one is kept: two texts that share a run of
// Size+window-1 words share a shingle in the index.
const (
	Size   = 4
	window = 7
)

// Shingle returns the hash of the Size words at toks[0:Size].
func Shingle(toks []Token) uint32 {
	h := uint32(0x2545f491)
	for i := range Size {
		h = mix(h ^ toks[i].Hash)
	}
	return h
}

// Anchors calls yield with position and hash of the shingles that stand for toks: of each window the smallest hash.
func Anchors(toks []Token, yield func(pos int, shingle uint32) bool) {
	n := len(toks) - Size + 1
	if n <= 0 {
		return
	}
	var ring [window]uint32
	best, last := 0, -1
	var least uint32
	for i := range n {
		h := Shingle(toks[i:])
		ring[i%window] = h
		if i == 0 || h <= least && best > i-window {
			best, least = i, h
		} else if best <= i-window {
			best = max(0, i-window+1)
			least = ring[best%window]
			for j := best + 1; j <= i; j++ {
				if ring[j%window] <= least {
					best, least = j, ring[j%window]
				}
			}
		}
		if (i >= window-1 || i == n-1) && best != last {
			if last = best; !yield(best, least) {
				return
			}
		}
	}
}
