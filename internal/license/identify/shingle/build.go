package shingle

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"
	"strings"
)

// Source is one text for the index.
type Source struct {
	ID, SPDX string
	Twins    []string
	Policy   bool
	Tokens   []Token
	Optional []Span
}

type posting struct {
	shingle    uint32
	entry, pos int
}

// Build encodes the sources, in their order, which is the order of preference among equals.
func Build(sources []Source) ([]byte, error) {
	if len(sources) >= 1<<(32-posBits) {
		return nil, errors.New("build license index: more entries than a posting can name")
	}
	var entries, spans, codes, names []byte
	var posts []posting
	nspans, ncodes := 0, 0
	for n, s := range sources {
		anchors := 0
		Anchors(s.Tokens, func(pos int, h uint32) bool {
			posts = append(posts, posting{h, n, pos})
			anchors++
			return true
		})
		required := len(s.Tokens)
		for _, o := range s.Optional {
			required -= o.Len()
			spans = put32(spans, o.From, o.To)
		}
		policy := 0
		if s.Policy {
			policy = 1
		}
		entries = put32(entries, ncodes, len(s.Tokens), nspans, len(s.Optional), required, anchors, policy, len(names))
		nspans += len(s.Optional)
		ncodes += len(s.Tokens)
		codes = appendCodes(codes, s.Tokens)
		names = append(names, s.ID+"\t"+s.SPDX+"\t"+strings.Join(s.Twins, " ")+"\n"...)
	}
	slices.SortFunc(posts, func(a, b posting) int {
		return cmp.Or(cmp.Compare(a.shingle, b.shingle), cmp.Compare(a.entry, b.entry), cmp.Compare(a.pos, b.pos))
	})
	out := put32(nil, magic, len(sources), ncodes, nspans, len(posts), len(names), 0, 0)
	out = append(append(out, entries...), spans...)
	return append(append(appendPostings(out, posts), codes...), names...), nil
}

func appendCodes(b []byte, toks []Token) []byte {
	for i, t := range toks {
		var next uint32
		if i+1 < len(toks) {
			next = toks[i+1].Hash
		}
		b = binary.LittleEndian.AppendUint16(b, Pair(t.Hash, next)|uint16(t.Class)<<13)
	}
	return b
}

func appendPostings(b []byte, posts []posting) []byte {
	i := 0
	for bucket := range buckets {
		for i < len(posts) && int(posts[i].shingle>>16) < bucket {
			i++
		}
		b = put32(b, i)
	}
	for _, p := range posts {
		b = put32(b, p.entry<<posBits|p.pos)
	}
	for _, p := range posts {
		b = binary.LittleEndian.AppendUint16(b, uint16(p.shingle))
	}
	return b
}

func put32(b []byte, vs ...int) []byte {
	for _, v := range vs {
		b = binary.LittleEndian.AppendUint32(b, uint32(v))
	}
	return b
}
