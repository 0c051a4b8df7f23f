package identify

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"html"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// corpus is a text outside the repository with what it is.
type corpusText struct {
	id, kind string
	accept   []string
	text     string
}

// readCorpus returns the texts of ../shared/corpus/name, or skips the test where they are not.
func readCorpus(t testing.TB, name string) []corpusText {
	t.Helper()
	dir := filepath.Join(root(t), "..", "shared", "corpus", name)
	b, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		t.Skipf("no corpus: %v", err)
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma, r.Comment, r.LazyQuotes, r.FieldsPerRecord = '\t', '#', true, -1
	recs, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	col := func(rec []string, name string) string {
		i := slices.Index(recs[0], name)
		if i < 0 || i >= len(rec) {
			return ""
		}
		return rec[i]
	}
	var out []corpusText
	for _, rec := range recs[1:] {
		id := col(rec, "id")
		text, err := os.ReadFile(filepath.Join(dir, id+".txt"))
		if err != nil {
			continue
		}
		c := corpusText{id: id, kind: col(rec, "kind"), accept: strings.Fields(col(rec, "accept")), text: string(text)}
		if len(c.accept) == 0 {
			c.accept = []string{id}
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		t.Fatalf("%s: no texts beside INDEX.tsv", dir)
	}
	return out
}

// root returns the folder that holds go.mod.
func root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Fatal("no go.mod above the test")
		}
		dir = up
	}
}

func index(t testing.TB) *Index {
	t.Helper()
	x, err := Default()
	if err != nil {
		t.Fatal(err)
	}
	return x
}

type change struct {
	name string
	same bool // the terms stay what they are
	make func(string, *rand.Rand) string
}

var blankLines = regexp.MustCompile(`\n\s*\n`)

func paragraphs(s string) []string { return blankLines.Split(s, -1) }

// wrap fills lines as text editors do that also break after hyphens and inside words longer than a line.
func wrap(s string, width int) string {
	var b strings.Builder
	n := 0
	put := func(piece string, glued bool) {
		size := utf8.RuneCountInString(piece)
		if n > 0 && n+1+size > width {
			b.WriteByte('\n')
			n = 0
		} else if n > 0 && !glued {
			b.WriteByte(' ')
			n++
		}
		for size > width {
			head := string([]rune(piece)[:width])
			b.WriteString(head + "\n")
			piece, size = piece[len(head):], size-width
		}
		b.WriteString(piece)
		n += size
	}
	for w := range strings.FieldsSeq(s) {
		glued := false
		for {
			i := strings.IndexByte(w, '-')
			if i < 1 || i+1 >= len(w) {
				break
			}
			put(w[:i+1], glued)
			w, glued = w[i+1:], true
		}
		put(w, glued)
	}
	return b.String()
}

func rewrap(s string, r *rand.Rand) string {
	width := []int{60, 72, 100, 10_000}[r.IntN(4)]
	ps := paragraphs(s)
	for i := range ps {
		ps[i] = wrap(ps[i], width)
	}
	return strings.Join(ps, "\n\n")
}

func page(s string, _ *rand.Rand) string {
	var b strings.Builder
	b.WriteString("<!doctype html><html><head><title>License</title><style>p{margin:1em}</style></head><body><nav>Home</nav>")
	for _, p := range paragraphs(s) {
		fmt.Fprintf(&b, "<p>%s</p>\n", html.EscapeString(p))
	}
	b.WriteString("</body></html>")
	return b.String()
}

func prefix(p string) func(string, *rand.Rand) string {
	return func(s string, _ *rand.Rand) string {
		return p + strings.ReplaceAll(s, "\n", "\n"+p)
	}
}

var enumerator = regexp.MustCompile(`([.;:,]|\n)\n\s*(\(?[a-z0-9]{1,2}[.)]|[*-])[ \t]+`)

var changes = []change{
	{"as is", true, func(s string, _ *rand.Rand) string { return s }},
	{"rewrap", true, rewrap},
	{"markdown", true, func(s string, _ *rand.Rand) string { return "# License\n\n```text\n" + s + "\n```\n" }},
	{"quoted", true, prefix("> ")},
	{"html", true, page},
	{"typography", true, func(s string, _ *rand.Rand) string {
		return strings.NewReplacer(`"`, "\u201c", "'", "\u2019", " - ", " \u2014 ", "(c)", "\u00a9").Replace(s)
	}},
	{"copyright line", true, func(s string, r *rand.Rand) string {
		lines := []string{
			"Copyright (c) 2024 Moonshot AI", "Copyright 2019-2023 The FooBar Authors. All rights reserved.",
			"© 2021, Jane Q. Doe <jane@example.org>", "Copyright (C) 2007 Free Software Foundation, Inc. <https://fsf.org/>",
		}
		return lines[r.IntN(len(lines))] + "\n\n" + s
	}},
	{"windows lines", true, func(s string, _ *rand.Rand) string { return "\ufeff" + strings.ReplaceAll(s, "\n", "\r\n") }},
	{"comment", true, prefix(" * ")},
	{"upper case title", true, func(s string, _ *rand.Rand) string { return "LICENSE\n=======\n\n" + s }},
	{"upper case", true, func(s string, _ *rand.Rand) string { return strings.ToUpper(s) }},
	{"hyphenated", true, hyphenate},
	{"renumbered", true, func(s string, _ *rand.Rand) string {
		n := 0
		return enumerator.ReplaceAllStringFunc(s, func(m string) string {
			n++
			return m[:1] + "\n" + []string{"* ", "- ", fmt.Sprintf("(%d) ", n%9+1), string(rune('a'+n%8)) + ") "}[n%4]
		})
	}},
	{"page numbers", true, func(s string, _ *rand.Rand) string {
		ps := paragraphs(s)
		for i := 3; i < len(ps); i += 7 {
			ps[i] += fmt.Sprintf("\n\n- %d -\n\f", i)
		}
		return strings.Join(ps, "\n\n")
	}},
	{"utf-16", true, func(s string, _ *rand.Rand) string {
		b := []byte{0xFF, 0xFE}
		for _, u := range utf16.Encode([]rune(s)) {
			b = append(b, byte(u), byte(u>>8))
		}
		return string(b)
	}},
	{"bold html", true, func(s string, _ *rand.Rand) string {
		var b strings.Builder
		b.WriteString("<html><body><div class='nav'><a href='/'>Home</a></div><main><article>")
		for i, p := range paragraphs(s) {
			fmt.Fprintf(&b, "<div id=\"p%d\"><b>%s</b></div>", i, strings.ReplaceAll(html.EscapeString(p), "\n", "<br/>\n"))
		}
		b.WriteString("</article></main><footer>Privacy policy. You must accept cookies.</footer><script>if (a < b) { no() }</script></body></html>")
		return b.String()
	}},
	{"paragraph out", false, func(s string, r *rand.Rand) string {
		ps := paragraphs(s)
		for range 20 {
			i := len(ps)/4 + r.IntN(len(ps)-len(ps)/4)
			if len(strings.Fields(ps[i])) > 30 && !optionalRE.MatchString(ps[i]) && i < len(ps)*3/4 {
				return strings.Join(slices.Delete(ps, i, i+1), "\n\n")
			}
		}
		return s
	}},
	{"added clause", false, func(s string, r *rand.Rand) string {
		return insert(s, r, "Additional restriction. You may not use the Materials, or any service built on them, if your annual "+
			"revenue exceeds USD 5,000,000, and you may not offer the Materials to customers in Canada without prior written "+
			"permission.")
	}},
	{"short clause", false, func(s string, r *rand.Rand) string {
		all := []string{
			"Not for commercial use.", "The Software shall be used for Good, not Evil.", "For research purposes only.",
			"Military use is prohibited.", "Attribution in advertising is mandatory.", "No use in the European Union.",
			"Users above 100 million monthly need a separate agreement.", "Fields of use: education.",
			"Commercial licensing is handled by sales@example.org.", "Excluded parties: banks.",
		}
		return insert(s, r, all[r.IntN(len(all))])
	}},
	{"cut in half", false, func(s string, _ *rand.Rand) string {
		w := strings.Split(s, " ")
		return strings.Join(w[:len(w)/2], " ")
	}},
	{"negated", false, func(s string, _ *rand.Rand) string {
		if out := mayRE.ReplaceAllString(s, "may not $1"); out != s {
			out = strings.ReplaceAll(out, "may not not", "may not")
			if out != s {
				return out
			}
		}
		return grantRE.ReplaceAllString(s, "is not granted")
	}},
	{"one number", false, func(s string, r *rand.Rand) string {
		at := numberRE.FindAllStringIndex(s, -1)
		if len(at) == 0 {
			return s
		}
		p := at[r.IntN(len(at))]
		n, _ := strconv.Atoi(s[p[0]:p[1]])
		return s[:p[0]] + strconv.Itoa(n+11) + s[p[1]:]
	}},
	{"word out", false, func(s string, r *rand.Rand) string {
		return strikes(s, r, func(string) string { return "" })
	}},
	{"not in", false, func(s string, r *rand.Rand) string {
		return strikes(s, r, func(w string) string { return "not " + w })
	}},
}

func hyphenate(s string, r *rand.Rand) string {
	words := strings.Fields(s)
	for i, w := range words {
		if len(w) > 8 && r.IntN(12) == 0 && strings.Trim(strings.ToLower(w), "abcdefghijklmnopqrstuvwxyz") == "" &&
			w == strings.ToLower(w) {
			words[i] = w[:4] + "-\n" + w[4:]
		}
	}
	// Paragraphs are kept: the cut words go back where they stood.
	out, at := s, 0
	for _, w := range words {
		plain := strings.Replace(w, "-\n", "", 1)
		if i := strings.Index(out[at:], plain); i >= 0 {
			out = out[:at+i] + w + out[at+i+len(plain):]
			at += i + len(w)
		}
	}
	return out
}

var (
	optionalRE = regexp.MustCompile(`(?i)copyright|creative commons|notice|appendix|exhibit|how to apply|free software foundation|mere aggregation`)
	mayRE      = regexp.MustCompile(`\bmay( |\n)`)
	grantRE    = regexp.MustCompile(`\bis hereby granted\b|\bhereby grants\b`)
	numberRE   = regexp.MustCompile(`\b[1-9][0-9]*(?: (?:days|years|months|percent|million|billion))\b`)
	verbRE     = regexp.MustCompile(`\b(?:use|sell|modify|distribute|copy|only|without|must|shall|granted|commercial|permitted)\b`)
)

// strikes replaces one word that carries a permission or a condition.
func strikes(s string, r *rand.Rand, f func(string) string) string {
	at := verbRE.FindAllStringIndex(s, -1)
	if len(at) == 0 {
		return s
	}
	p := at[r.IntN(len(at))]
	return s[:p[0]] + f(s[p[0]:p[1]]) + s[p[1]:]
}

func insert(s string, r *rand.Rand, clause string) string {
	ps := paragraphs(s)
	at := len(ps)/2 + r.IntN(len(ps)-len(ps)/2+1)
	return strings.Join(slices.Insert(ps, at, clause), "\n\n")
}

var permissive = strings.Fields(`apache-2.0 mit bsd-2-clause bsd-3-clause isc zlib unlicense cc0-1.0 cc-by-4.0 cc-by-3.0
	bsl-1.0 ncsa wtfpl-2.0 openmdw-1.0 openmdw-1.1 cdla-permissive-2.0 0bsd mit-0`)

// verdict says whether the answer for a changed text is right, and whether it is dangerous.
func verdict(c corpusText, ch change, changed string, r Result) (ok, danger bool, got string) {
	m, found := r.Best()
	right := found && slices.Contains(c.accept, m.ID)
	switch {
	case c.kind == "policy":
		ok = !found || right && m.Kind == Policy
	case ch.same || changed == c.text:
		ok = right && m.Relation == Equivalent
	default:
		ok = m.Relation != Equivalent
	}
	if ch.name == "paragraph out" && !right {
		return ok || m.Relation == Equivalent, false, "" // what is left can be another license, whole
	}
	if m.Relation == Equivalent && slices.Contains(permissive, m.ID) && !(right && (ch.same || changed == c.text)) {
		return false, true, m.ID + " " + string(m.Relation)
	}
	return ok, false, m.ID + " " + string(m.Relation)
}

// thorough reports whether somebody asked for all texts, changes and sizes: LLMCHECK_SEEDS=5 go test. Otherwise some
// forty texts stand for each change, other ones for each.
func thorough() bool { return os.Getenv("LLMCHECK_SEEDS") != "" }

func TestCorpora(t *testing.T) {
	seeds := 1
	if thorough() {
		seeds, _ = strconv.Atoi(os.Getenv("LLMCHECK_SEEDS"))
	}
	x := index(t)
	for _, name := range []string{"licenses", "spdx"} {
		t.Run(name, func(t *testing.T) {
			texts := readCorpus(t, name)
			for _, ch := range changes {
				wrong, all, dangers := 0, 0, 0
				for seed := range seeds {
					r := rand.New(rand.NewPCG(uint64(seed), 1))
					for i, c := range texts {
						if !thorough() && ch.name != "as is" && (i+len(ch.name))%(len(texts)/45) != 0 {
							continue
						}
						if !ch.same && c.kind == "policy" {
							continue
						}
						changed := ch.make(c.text, r)
						if !ch.same && changed == c.text {
							continue
						}
						all++
						ok, danger, got := verdict(c, ch, changed, x.Identify([]byte(changed)))
						if danger {
							dangers++
						}
						if !ok {
							wrong++
							if testing.Verbose() && seed == 0 {
								t.Logf("%-16s %-34s got %s", ch.name, c.id, got)
							}
						}
					}
				}
				t.Logf("%-18s wrong %4d of %5d, falsely permissive %d", ch.name, wrong, all, dangers)
				limit := 3
				if ch.name == "upper case" {
					limit = 6 // without small letters abbreviations, headings and names look alike
				}
				if dangers > 0 || wrong*100 > limit*all+100 {
					t.Errorf("%s: %d of %d wrong, %d falsely permissive", ch.name, wrong, all, dangers)
				}
			}
		})
	}
}

func BenchmarkIdentify(b *testing.B) {
	x := index(b)
	for _, name := range []string{"licenses", "spdx"} {
		b.Run(name, func(b *testing.B) {
			texts := readCorpus(b, name)
			size := 0
			for _, c := range texts {
				size += len(c.text)
			}
			b.SetBytes(int64(size))
			b.ReportAllocs()
			for b.Loop() {
				for _, c := range texts {
					x.Identify([]byte(c.text))
				}
			}
			b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*len(texts)), "µs/text")
		})
	}
}
