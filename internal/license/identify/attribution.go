package identify

import (
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

// How sentences begin that give credit or point somewhere.
var creditStarts = sync.OnceValue(func() map[uint32][][]uint32 {
	m := map[uint32][][]uint32{}
	for line := range strings.Lines(`
this product include
this software include
this software contain
this software use
this project include
this project contain
this project use
this file is
this file was
this package include
portion of
part of
based on
derived from
developed by
written by
created by
contributed by
maintained by
designed by
adapted from
ported from
original
originally
for more information
for more detail
for further information
for detail
see
please see
author
contributor
contact
homepage
website
project
the original
this is the license
this license is
this is a copy
the following is
the full text
full license text
source
thank
special thank
acknowledgment
the text of
text of
generated
last updated
home
with regard to the
with respect to the
`) {
		var hs []uint32
		for w := range strings.FieldsSeq(line) {
			hs = append(hs, shingle.WordHash(w))
		}
		if len(hs) > 0 {
			m[hs[0]] = append(m[hs[0]], hs)
		}
	}
	return m
})

// Phrases that give credit wherever they stand in a sentence.
var creditPhrases = sync.OnceValue(func() [][]uint32 {
	var out [][]uint32
	for line := range strings.Lines(`
fork of
derivative work of
derivative work based on
based on
derived from
ported from
taken from
extracted from
adapted from
developed by
written by
originally
originated from
originate from
modeled after
forked from
copied from
copied directly from
directly copied from
contain code from
include code from
incorporate code from
use code from
is a modified version of
automatically generated
`) {
		var hs []uint32
		for w := range strings.FieldsSeq(line) {
			hs = append(hs, shingle.WordHash(w))
		}
		if len(hs) > 0 {
			out = append(out, hs)
		}
	}
	return out
})

// Critical words that do no harm in a credit or a pointer.
var creditWords = sync.OnceValue(func() map[uint32]bool {
	return hashes(`include included including contain part
	version distribution host embed link all date release copy access term condition code agreement third party additional
	common network build company person api combine base fork derivative modified approved request`)
})

// Critical words that do no harm where a sentence says under which license something is.
var pointerWords = sync.OnceValue(func() map[uint32]bool {
	return hashes(`term condition provided distributed release
	version free agreement code published include included part all copy common link date permission distribution contain
	attribution accompany accompanied full allowed fork derivative modified modification change different contribution person company`)
})

func hashes(words string) map[uint32]bool {
	m := map[uint32]bool{}
	for w := range strings.FieldsSeq(words) {
		m[shingle.WordHash(w)] = true
	}
	return m
}

// attribution reports whether a sentence gives credit, says where to look, or names a license that the file holds.
// Nothing in it may restrict, and no other license may be named.
func (d *doc) attribution(s shingle.Span) bool {
	if !d.matched || s.Len() > 48 || !d.onlyKnownNames(s) {
		return false
	}
	return d.credit(s) || d.pointer(s) || d.aside(s)
}

func (d *doc) credit(s shingle.Span) bool {
	begins := slices.ContainsFunc(creditStarts()[d.toks[s.From].Hash], func(p []uint32) bool {
		return len(p) <= s.Len() && d.stands(s.From, p)
	})
	if !begins {
		begins = slices.ContainsFunc(creditPhrases(), func(p []uint32) bool {
			for i := s.From; i+len(p) <= s.To; i++ {
				if d.stands(i, p) {
					return true
				}
			}
			return false
		})
	}
	return begins && d.withoutBut(s, creditWords(), creditPhrases())
}

var (
	underHash   = shingle.WordHash("under")
	licenseHash = shingle.WordHash("license")
	licensed    = shingle.WordHash("licensed")
	byHash      = shingle.WordHash("by")
)

var leads = sync.OnceValue(func() map[uint32]bool { return hashes("under the is are a an") })

// pointer knows "This software is released under the MIT license" and the like.
func (d *doc) pointer(s shingle.Span) bool {
	under := false
	for i := s.From; i < s.To; i++ {
		h := d.toks[i].Hash
		under = under || h == underHash || h == licensed || h == byHash && i > s.From
	}
	if !d.withoutBut(s, pointerWords(), softPhrases()) {
		return false
	}
	// The name may already belong to the title of the license that follows: "… is released under the".
	titled := s.To < len(d.toks) && d.owned[s.To] && s.Len() > 1 && s.Len() < 16 && leads()[d.toks[s.To-1].Hash]
	return titled || under && len(d.known.namesIn(d, s)) > 0 || d.refers(s)
}

// without reports that no word but the given ones could restrict.
func (d *doc) without(s shingle.Span, but map[uint32]bool) bool {
	for i := s.From; i < s.To; i++ {
		t := &d.toks[i]
		if t.Class == shingle.Critical && !but[t.Hash] && !t.Has(shingle.URL|shingle.Email) {
			return false
		}
	}
	return true
}

// withoutBut is without, where the words of some phrases do not count.
func (d *doc) withoutBut(s shingle.Span, but map[uint32]bool, soft [][]uint32) bool {
	for i := s.From; i < s.To; i++ {
		n := d.longest(i, s.To, soft)
		if n == 0 {
			if !d.without(shingle.Span{From: i, To: i + 1}, but) {
				return false
			}
			continue
		}
		i += n - 1
	}
	return true
}

// longest returns how many words the longest of some phrases has that stands at i.
func (d *doc) longest(i, end int, phrases [][]uint32) int {
	n := 0
	for _, p := range phrases {
		if len(p) > n && i+len(p) <= end && d.stands(i, p) {
			n = len(p)
		}
	}
	return n
}

// onlyKnownNames reports that the licenses named in a stretch are among those found as text.
func (d *doc) onlyKnownNames(s shingle.Span) bool {
	for _, n := range d.known.namesIn(d, s) {
		if !slices.Contains(d.found, n.id) {
			return false
		}
	}
	return true
}
