package shingle

import (
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"
)

func wordsOf(s string) []string {
	t := Clean([]byte(s))
	toks, _ := Words(&t)
	out := []string{}
	for _, k := range toks {
		out = append(out, string(t.Body[k.Start:k.End]))
	}
	return out
}

func hashesOf(s string) []uint32 {
	t := Clean([]byte(s))
	toks, _ := Words(&t)
	out := []uint32{}
	for _, k := range toks {
		out = append(out, k.Hash)
	}
	return out
}

func TestHashConstants(t *testing.T) {
	for w, h := range map[string]uint32{"copyright": copyrightHash, "and": andHash, "or": orHash} {
		if WordHash(w) != h {
			t.Errorf("%s: %#x, the constant is %#x", w, WordHash(w), h)
		}
	}
}

// TestSame compares texts that differ in typesetting only.
func TestSame(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"wrapping", "one two\nthree", "one two three"},
		{"case", "The Software", "THE SOFTWARE"},
		{"quotes", `the "Software" isn't`, "the “Software” isn’t"},
		{"dashes", "a thing - another", "a thing — another"},
		{"hyphen at a line end", "you may sub-\nlicense it", "you may sublicense it"},
		{"hyphen at a quoted line end", "> you may sub-\n> license it", "you may sublicense it"},
		{"hyphenated word", "non-commercial", "noncommercial"},
		{"spelling", "this licence, organisation", "this license, organization"},
		{"plural", "the licensors", "the licensor"},
		{"sign", "Copyright (c) 2020 Foo", "Copyright © 2020 Foo"},
		{"bullets", "conditions:\n* retain\n* keep", "conditions:\n- retain\n- keep"},
		{"numbers of clauses", "Conditions.\n1. Retain it.\n2. Keep it.", "Conditions.\n(a) Retain it.\n(b) Keep it."},
		{"scheme", "see http://www.gnu.org/licenses/.", "see <https://gnu.org/licenses>."},
		{"markup", "<p>You &amp; <b>me</b></p>\n", "You and me"},
		{"link", "the [License](https://example.org/x)", "the License"},
		{"fence", "```text\nwords\n```", "words"},
		{"grouping", "USD 5,000,000", "USD 5000000"},
		{"currency", "$ 20 million", "USD 20 million"},
		{"page number", "one\n\n- 3 -\n\ftwo", "one\n\ntwo"},
		{"ligature", "conﬁrm", "confirm"},
		{"soft hyphen", "li\u00adcense", "license"},
		{"full width", "ＡＢＣ", "abc"},
	} {
		if d := cmp.Diff(hashesOf(c.a), hashesOf(c.b)); d != "" {
			t.Errorf("%s: %q and %q differ", c.name, wordsOf(c.a), wordsOf(c.b))
		}
	}
}

// TestDifferent compares texts whose meaning differs.
func TestDifferent(t *testing.T) {
	for _, c := range []struct{ name, a, b string }{
		{"negation", "you may use", "you may not use"},
		{"number", "within 30 days", "within 60 days"},
		{"version", "Version 2.0", "Version 2.1"},
		{"version at a sentence end", "the License, Version 2.", "the License, Version 3."},
		{"currency", "USD 20", "EUR 20"},
		{"limit", "revenue exceeds 10.", "revenue exceeds 20."},
		{"placeholder is no tag", "by <year> and", "by and"},
		{"section", "under Section 2. The", "under Section 3. The"},
		{"ideographs", "不得用于商业", "得用于商业"},
	} {
		if cmp.Equal(hashesOf(c.a), hashesOf(c.b)) {
			t.Errorf("%s: %q and %q are the same", c.name, c.a, c.b)
		}
	}
}

func TestLines(t *testing.T) {
	for _, c := range []struct {
		text, word string
		want       int32
	}{
		{"one\ntwo\n\nfour", "four", 4},
		{"one\r\ntwo\r\nthree", "three", 3},
		{"<html><head>\n<style>\nx\n</style></head>\n<body><p>\nword", "word", 6},
		{"<!--\n\n-->word", "word", 3},
	} {
		text := Clean([]byte(c.text))
		toks, _ := Words(&text)
		i := slices.IndexFunc(toks, func(k Token) bool { return string(text.Body[k.Start:k.End]) == c.word })
		if i < 0 || toks[i].Line != c.want || text.Line(int(toks[i].Start)) != int(c.want) {
			t.Errorf("%q: word %d %+v, want line %d", c.text, i, toks, c.want)
		}
	}
}

func TestDecode(t *testing.T) {
	for name, raw := range map[string]string{
		"utf-8":         "caf\u00e9 au lait",
		"byte order":    "\ufeffcaf\u00e9 au lait",
		"latin-1":       "caf\xe9 au lait",
		"little endian": "\xff\xfec\x00a\x00f\x00\xe9\x00 \x00a\x00u\x00 \x00l\x00a\x00i\x00t\x00",
		"big endian":    "\xfe\xff\x00c\x00a\x00f\x00\xe9\x00 \x00a\x00u\x00 \x00l\x00a\x00i\x00t",
	} {
		if got := strings.Join(wordsOf(raw), " "); got != "café au lait" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if c := Clean([]byte("\x7fELF\x00\x00\x00\x00\x01\x02\x00")); !c.Binary && len(c.Body) > 0 {
		t.Logf("a program reads as %q", c.Body)
	}
}

// TestOutline says what a copy may leave out.
func TestOutline(t *testing.T) {
	text := Clean([]byte("Foo License\n\nCopyright (c) <year> <holder>. All rights reserved.\n\n" +
		"You get the right to do what the following paragraphs say, provided that you say thanks.\n\nMore terms follow here.\n\n" +
		"END OF TERMS AND CONDITIONS\n"))
	toks, _ := Words(&text)
	var got []string
	for _, s := range Outline(toks, true, false) {
		got = append(got, string(text.Body[toks[s.From].Start:toks[s.To-1].End]))
	}
	want := []string{"Foo License\n\nCopyright (c) <year> <holder>. All rights reserved", "END OF TERMS AND CONDITIONS"}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// TestAnchors checks the promise of the window: a shared run of Size+window-1 words shares an anchor.
func TestAnchors(t *testing.T) {
	law := func(before, shared, after []uint16) bool {
		for len(shared) < Size+window-1 {
			shared = append(shared, uint16(len(shared)))
		}
		tokens := func(parts ...[]uint16) []Token {
			var out []Token
			for _, p := range parts {
				for _, v := range p {
					out = append(out, Token{Hash: mix(uint32(v) + 1)})
				}
			}
			return out
		}
		found := map[uint32]bool{}
		Anchors(tokens(shared), func(_ int, h uint32) bool { found[h] = true; return true })
		ok := false
		Anchors(tokens(before, shared, after), func(_ int, h uint32) bool { ok = ok || found[h]; return true })
		return ok
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
}

func TestIndexRoundTrip(t *testing.T) {
	text := Clean([]byte(strings.Repeat("alpha beta gamma delta epsilon zeta eta theta iota kappa ", 3)))
	toks, _ := Words(&text)
	data, err := Build([]Source{{ID: "a", SPDX: "A", Twins: []string{"b", "c"}, Policy: true, Tokens: toks, Optional: []Span{{2, 5}}}})
	if err != nil {
		t.Fatal(err)
	}
	x, err := Open(string(data))
	if err != nil {
		t.Fatal(err)
	}
	e := x.Entry(0)
	id, spdx, twins := x.Names(e)
	if x.Len() != 1 || id != "a" || spdx != "A" || !slices.Equal(twins, []string{"b", "c"}) || !e.Policy || e.Required != len(toks)-3 {
		t.Errorf("%+v %s %s %v", e, id, spdx, twins)
	}
	places := 0
	Anchors(toks, func(pos int, h uint32) bool {
		x.Postings(h, func(entry, at int) bool {
			if entry == 0 && at == pos {
				places++
			}
			return true
		})
		return true
	})
	if places != e.Anchors {
		t.Errorf("%d of %d anchors found", places, e.Anchors)
	}
	for _, bad := range []string{"", "x", string(data[:len(data)-1]), string(data) + "x"} {
		if _, err := Open(bad); err == nil {
			t.Errorf("%d bytes opened", len(bad))
		}
	}
}
