package identify

import (
	"bytes"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// seeds are the project's own license in several dresses, and short odd texts.
func seeds(t testing.TB) [][]byte {
	t.Helper()
	own, err := os.ReadFile(filepath.Join(root(t), "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	out := [][]byte{
		nil, []byte("\xff\xfeh\x00i\x00"), []byte("<html><body><p>a"), []byte("{\\rtf1 \\par a\\'e9}"),
		[]byte("Copyright (c) © 2024"), []byte("SPDX-License-Identifier: MIT OR (GPL-2.0 WITH x"), []byte("许可证 不得用于商业目的。"), own,
	}
	r := rand.New(rand.NewPCG(1, 1))
	for _, ch := range changes {
		out = append(out, []byte(ch.make(string(own[:3000]), r)))
	}
	return out
}

func FuzzIdentify(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	x := index(f)
	x.Second = nil
	f.Fuzz(func(t *testing.T, b []byte) {
		r := x.Identify(b)
		for _, m := range r.Matches {
			if m.ID == "" || m.StartLine < 1 || m.EndLine < m.StartLine || m.EndLine > r.Lines+1 {
				t.Errorf("match without id or outside the %d lines: %+v", r.Lines, m)
			}
			if m.LicenseCoverage < 0 || m.LicenseCoverage > 1 || m.TextCoverage < 0 || m.TextCoverage > 1.0001 {
				t.Errorf("coverage outside 0 to 1: %+v", m)
			}
			if m.Relation == Equivalent && (len(r.Unexplained) > 0 || m.LicenseCoverage < 1) {
				t.Errorf("equivalent with something left: %+v %v", m, r.Unexplained)
			}
			for _, d := range m.Differences {
				if len(d.Words) > maxQuote || !utf8.ValidString(d.Words) {
					t.Errorf("quote of %d bytes or not UTF-8: %q", len(d.Words), d.Words)
				}
			}
		}
		if again := x.Identify(b); len(again.Matches) != len(r.Matches) {
			t.Errorf("%d matches, then %d", len(r.Matches), len(again.Matches))
		}
	})
}

func FuzzClauses(f *testing.F) {
	for _, s := range seeds(f) {
		f.Add(s)
	}
	f.Add([]byte("If your revenue exceeds USD 1,000,000 a year, request a license. 2. (a) Non-commercial use only; e.g. research."))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, c := range Clauses(b) {
			if len(c.Quote) > maxClause+8 || !utf8.ValidString(c.Quote) || c.Quote == "" || c.StartLine < 1 || c.EndLine < c.StartLine {
				t.Errorf("bad finding: %+v", c)
			}
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"MIT", "mit or apache-2.0", "(GPL-2.0+ WITH Classpath-exception-2.0) AND BSD-3-Clause",
		"LicenseRef-x", "DocumentRef-a:LicenseRef-b", "((((", "llama3.1", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := Parse(s, nil)
		if err != nil {
			return
		}
		again, err := Parse(e.String(), nil)
		if err != nil {
			t.Fatalf("%q → %q: %v", s, e.String(), err)
		}
		if again.String() != e.String() {
			t.Errorf("%q → %q → %q", s, e.String(), again.String())
		}
	})
}

// TestHostile feeds texts that are made to be slow, if thorough as large as is judged.
func TestHostile(t *testing.T) {
	size := 1 << 20
	if thorough() {
		size = 8 << 20
	}
	random := make([]byte, 0, size)
	r := rand.New(rand.NewPCG(3, 3))
	for len(random) < size-12 {
		for range 3 + r.IntN(7) {
			random = append(random, byte('a'+r.IntN(26)))
		}
		random = append(random, ' ')
	}
	own := seeds(t)[7]
	fill := func(s string) []byte { return bytes.Repeat([]byte(s), size/len(s)+1) }
	for name, b := range map[string][]byte{
		"one word":         fill("license "),
		"one letter":       fill("a "),
		"random words":     random,
		"one line":         fill("permission is hereby granted free of charge "),
		"one license":      fill(string(own)),
		"nested html":      append([]byte("<html>"), fill("<div>")...),
		"unclosed tags":    append([]byte("<html>"), fill("<a x=\"")...),
		"unclosed scripts": append([]byte("<html>"), fill("<script>")...),
		"comments":         fill("<!--"),
		"entities":         fill("&amp;"),
		"brackets":         fill("[<{("),
		"hyphens":          fill("a-\n"),
		"links":            fill("[a](b "),
		"copyright":        fill("Copyright (c) 2020 "),
		"addresses":        fill("http://a.b/"),
		"rtf":              append([]byte(`{\rtf`), fill(`{\*`)...),
		"cjk":              fill("许可"),
		"zeros":            make([]byte, size),
		"tags":             fill("SPDX-License-Identifier: MIT\n"),
	} {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			start := time.Now()
			index(t).Identify(b)
			took := time.Since(start)
			start = time.Now()
			Clauses(b)
			t.Logf("identify %v, clauses %v", took, time.Since(start))
			if took > 20*time.Second || time.Since(start) > 20*time.Second {
				t.Errorf("identify took %v, clauses %v", took, time.Since(start))
			}
		})
	}
}
