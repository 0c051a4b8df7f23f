package shingle

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"
)

// Flags describe how a token stood in its text.
type Flags uint16

// The flags.
const (
	LineStart Flags = 1 << iota // first on its line
	ParaStart                   // first of its paragraph
	SentEnd                     // a sentence or clause may end after it
	Capital                     // begins with a capital letter
	URL
	Email
	Placeholder // inside <...>, [...] or {{...}}
	Marked      // "copyright" with a sign, (c) or ©
	After       // follows an opening quote: a defined term
)

// Token is one word.
type Token struct {
	Hash       uint32
	Start, End int32 // in Text.Body
	Line       int32 // of the file
	Class      Class
	Flags      Flags
}

// Has reports whether a flag is set.
func (t *Token) Has(f Flags) bool { return t.Flags&f != 0 }

// maxTokens bounds memory: about six times the words of MaxBytes of prose.
const maxTokens = 2 << 20

// Words cuts a text into tokens. It reports false if there are more than it takes.
func Words(t *Text) ([]Token, bool) {
	s := scanner{text: t, b: t.Body, line: 1, out: make([]Token, 0, len(t.Body)/6+8), fresh: LineStart | ParaStart}
	s.run()
	return dropAddresses(s.out), !s.full
}

type scanner struct {
	text  *Text
	b     []byte
	i     int
	line  int32
	brk   int // index of the next break
	fresh Flags
	out   []Token
	buf   []byte
	slot  int // end of the placeholder that we are in
	punct bool
	last  uint32 // hash of the word before; for the context of numbers
	full  bool
}

func (s *scanner) run() {
	newlines := 0
	for s.i < len(s.b) && !s.full {
		c := s.b[s.i]
		switch {
		case isLetter(c) || isDigit(c):
			newlines = 0
			s.word()
			continue
		case c >= utf8.RuneSelf:
			newlines = 0
			s.wide()
			continue
		case c == '\n':
			newlines++
			s.fresh |= LineStart
			if newlines > 1 {
				s.fresh |= ParaStart
			}
		case isBlank(c) || c == '>' || c == '*' || c == '#' || c == '/':
		default:
			newlines = 0
			s.sign(c)
		}
		s.i++
	}
}

// sign handles one ASCII character that is no part of a word.
func (s *scanner) sign(c byte) {
	switch c {
	case '.', ';', ':', '!', '?':
		s.ended()
	case ',', ')':
		s.punct = true
	case '$':
		s.emit([]byte("usd"), s.i, s.i+1, 0)
	case '%':
		s.emit([]byte("percent"), s.i, s.i+1, 0)
	case '&':
		s.emit([]byte("and"), s.i, s.i+1, 0)
	case '<', '[', '{':
		s.open(c)
	case '(':
		s.round()
	}
}

func (s *scanner) ended() {
	s.punct = true
	if n := len(s.out); n > 0 {
		s.out[n-1].Flags |= SentEnd
	}
}

// open looks for the end of a placeholder: at most eight words between brackets on one line.
func (s *scanner) open(c byte) {
	limit := s.b[s.i+1 : min(len(s.b), s.i+90)]
	if len(limit) == 0 || !isLetter(limit[0]) && limit[0] != ' ' && limit[0] != c {
		return
	}
	end := bytes.IndexByte(limit, c+2) // '<' and '>', '[' and ']', '{' and '}' are two apart
	if end < 1 {
		return
	}
	in := bytes.Trim(limit[:end], "{[ ")
	if bytes.IndexByte(in, '@') >= 0 || bytes.Contains(in, []byte("://")) || len(bytes.Fields(in)) > 8 ||
		bytes.HasPrefix(in, []byte("www.")) || c == '[' && s.i+1+end+1 < len(s.b) && s.b[s.i+end+2] == '(' {
		return
	}
	s.slot = max(s.slot, s.i+1+end)
}

// round handles "(c)", "(R)" and "(TM)", and steps over a link target after "]".
func (s *scanner) round() {
	rest := s.b[s.i:]
	if s.i > 0 && s.b[s.i-1] == ']' {
		// A line end may have cut the target, a sentence in brackets is none.
		end := bytes.IndexByte(rest[:min(len(rest), 400)], ')')
		if end > 0 && len(bytes.Fields(rest[:end])) < 4 && bytes.ContainsAny(rest[:end], "/#:.@") {
			s.i += end
		}
		return
	}
	switch {
	case len(rest) > 2 && rest[2] == ')' && rest[1]|0x20 == 'c':
		s.copyright(s.i + 3)
		s.i += 2
	case len(rest) > 2 && rest[2] == ')' && rest[1] == 'R':
		s.i += 2
	case len(rest) > 3 && rest[3] == ')' && rest[1]|0x20 == 't' && rest[2]|0x20 == 'm':
		s.i += 3
	}
}

// copyright handles a copyright sign that ends at end. Beside "copyright" and a year it is the sign, elsewhere it may
// as well be the third item of a list that an editor has made a sign of.
func (s *scanner) copyright(end int) {
	if n := len(s.out); n > 0 && s.last == copyrightHash {
		s.out[n-1].Flags |= Marked
		return
	}
	rest := bytes.TrimLeft(s.b[end:min(len(s.b), end+24)], " \t\r\n*#>/")
	if len(rest) == 0 || !isDigit(rest[0]) && !bytes.HasPrefix(bytes.ToLower(rest), []byte("copyright")) {
		return
	}
	s.emit([]byte("copyright"), s.i, end, Marked)
}

// wide handles one character beyond ASCII.
func (s *scanner) wide() {
	r, n := utf8.DecodeRune(s.b[s.i:])
	switch {
	case r == 0xA9:
		s.copyright(s.i + n)
	case r == 0xA7:
		s.emit([]byte("section"), s.i, s.i+n, 0)
	case r == 0x20AC:
		s.emit([]byte("eur"), s.i, s.i+n, 0)
	case r == 0xA3:
		s.emit([]byte("gbp"), s.i, s.i+n, 0)
	case r == 0xA5 || r == 0xFFE5:
		s.emit([]byte("cny"), s.i, s.i+n, 0)
	case ideograph(r):
		s.emit(s.b[s.i:s.i+n], s.i, s.i+n, 0)
	case unicode.IsLetter(r) || unicode.IsMark(r):
		s.word()
		return
	case r == '。' || r == '；' || r == '！' || r == '？' || r == '：':
		s.ended()
	}
	s.i += n
}

// ideograph reports scripts that are written without blanks; each of their characters is a token.
func ideograph(r rune) bool {
	return 0x3040 <= r && r <= 0x30FF || 0x3400 <= r && r <= 0x9FFF || 0xAC00 <= r && r <= 0xD7AF ||
		0x20000 <= r && r <= 0x3FFFF || 0xF900 <= r && r <= 0xFAFF || 0x0E00 <= r && r <= 0x0E7F
}

// word reads the word, number, address or enumerator at s.i.
func (s *scanner) word() {
	start := s.i
	s.buf = s.buf[:0]
	joined, dots, at := false, 0, false
	i := s.i
loop:
	for i < len(s.b) {
		c := s.b[i]
		switch {
		case isLetter(c):
			s.buf = append(s.buf, c|0x20)
			i++
		case isDigit(c):
			s.buf = append(s.buf, c)
			i++
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRune(s.b[i:])
			if ideograph(r) || !unicode.IsLetter(r) && !unicode.IsMark(r) {
				break loop
			}
			s.buf = utf8.AppendRune(s.buf, unicode.ToLower(r))
			i += n
		case c == '\'' && i+1 < len(s.b) && isLetter(s.b[i+1]):
			i++
		case c == '-':
			n := s.hyphen(i)
			if n == 0 {
				break loop
			}
			joined = true
			i += n
		case c == '.' && i+1 < len(s.b) && (isLetter(s.b[i+1]) || isDigit(s.b[i+1])) && !s.newSentence(i):
			s.buf = append(s.buf, '.')
			dots++
			i++
		case c == ',' && i+1 < len(s.b) && isDigit(s.b[i+1]) && i > start && isDigit(s.b[i-1]):
			i++
		case c == '@' && i+1 < len(s.b) && isLetter(s.b[i+1]):
			s.buf = append(s.buf, '@')
			at = true
			i++
		case c == ':' && bytes.HasPrefix(s.b[i:], []byte("://")), c == '/' && dots > 0 && isLetter(s.b[i-1]):
			s.url(start, i)
			return
		case c == '_' && at:
			i++
		default:
			break loop
		}
		if i-start > 400 {
			break
		}
	}
	s.finish(start, i, joined, at)
}

// newSentence tells "terms.The" from "gnu.org": a full stop without the blank after it.
func (s *scanner) newSentence(i int) bool {
	next := s.b[i+1]
	return i > 1 && 'a' <= s.b[i-1] && s.b[i-1] <= 'z' && 'A' <= next && next <= 'Z'
}

// hyphen returns how many bytes to leave out if the hyphen at i joins two parts of one word, also over a line end. A
// blank after it counts like a line end, because wrapping turns one into the other.
func (s *scanner) hyphen(i int) int {
	j := i + 1
	if j < len(s.b) && (isLetter(s.b[j]) || isDigit(s.b[j])) {
		return 1
	}
	newlines := 0
	for j < len(s.b) && j-i < 40 && (isBlank(s.b[j]) || s.b[j] == '\n' || newlines > 0 && quoting(s.b[j])) {
		if s.b[j] == '\n' {
			newlines++
		}
		j++
	}
	if j > i+1 && j < len(s.b) && (isLetter(s.b[j]) || isDigit(s.b[j])) && newlines < 2 {
		return j - i
	}
	return 0
}

func quoting(c byte) bool { return c == '>' || c == '*' || c == '#' || c == '/' }

// url reads the rest of an address; scheme, "www.", a closing slash and ".html" make no difference.
func (s *scanner) url(start, i int) {
	end := i
	for end < len(s.b) && end-start < 2000 && s.b[end] > ' ' && s.b[end] < utf8.RuneSelf && bytes.IndexByte([]byte("<>\"'`)]}|*"), s.b[end]) < 0 {
		end++
	}
	for end > start && bytes.IndexByte([]byte(".,;:!?"), s.b[end-1]) >= 0 {
		end--
	}
	flags := URL
	s.emit(CleanURL(s.b[start:end]), start, end, flags)
	s.i = max(end, i)
}

// AddressHash returns the hash of an address, or of any word that is compared as it is.
func AddressHash(u []byte) uint32 { return hashWord(CleanURL(u)) }

// CleanURL is the form of an address that is compared.
func CleanURL(u []byte) []byte {
	u = bytes.ToLower(u)
	if _, rest, ok := bytes.Cut(u, []byte("://")); ok {
		u = rest
	}
	u = bytes.TrimPrefix(u, []byte("www."))
	u = bytes.TrimRight(u, "/")
	for _, end := range []string{".html", ".htm", ".php", ".txt"} {
		u = bytes.TrimSuffix(u, []byte(end))
	}
	u = bytes.TrimRight(u, "/")
	if string(u) == "gnu.org/copyleft" || string(u) == "fsf.org/licenses" || bytes.HasPrefix(u, []byte("gnu.org/copyleft/")) {
		return append([]byte("gnu.org/licenses"), u[len("gnu.org/copyleft"):]...)
	}
	return u
}

// finish emits the word from start to end unless it is an enumerator.
func (s *scanner) finish(start, end int, joined, at bool) {
	s.i = end
	if s.enumerator(start, end) {
		if s.i < len(s.b) && (s.b[s.i] == '.' || s.b[s.i] == ')') {
			s.i++
		}
		s.punct = true
		return
	}
	switch {
	case joined && string(s.buf) == "asis":
		s.emit([]byte("as"), start, start+2, 0)
		s.emit([]byte("is"), start+2, end, 0)
	case at, start > 0 && s.b[start-1] == '@':
		s.emit(s.buf, start, end, Email)
	default:
		s.emit(s.buf, start, end, 0)
	}
}

// Hashes of the words copyright, and, or; a test compares them with WordHash.
const (
	copyrightHash = 0xbddb5f09
	andHash       = 0x4dd76f08
	orHash        = 0x9e3fd22e
)

// Words after which a number or letter counts and does not enumerate.
var countsAfter = sync.OnceValue(func() map[uint32]bool {
	m := map[uint32]bool{}
	for _, w := range []string{
		"article", "chapter", "clause", "exceed", "exceeding", "exhibit", "appendix", "annex",
		"schedule", "fifteen", "five", "four", "hundred", "least", "most", "ninety", "of", "one", "paragraph", "part",
		"section", "seven", "sixty", "subsection", "ten", "than", "thirty", "three", "to", "twenty", "two", "under", "usd",
		"v", "version", "within", "december", "january", "february", "march", "april", "may", "june", "july", "august",
		"september", "october", "november", "fourteen", "eighteen", "six", "eight", "nine", "twelve", "class", "copyright",
	} {
		m[WordHash(w)] = true
	}
	return m
})

// Counts reports whether a number or letter after the word with hash h counts and does not enumerate.
func Counts(h uint32) bool { return countsAfter()[h] }

// Enumerates reports whether w, folded, looks like the number of a clause: "b", "12", "iv", "3.1".
func Enumerates(w string) bool { return enumWord([]byte(w), strings.IndexByte(w, '.') > 0) }

// enumerator reports whether the word is the number of a clause: "(a)", "iv)", "3.", "1.2.". It must not depend on
// line ends, which move, and must not take a figure of the terms for one.
func (s *scanner) enumerator(start, end int) bool {
	w := s.buf
	var before, after byte = ' ', ' '
	if start > 0 {
		before = s.b[start-1]
	}
	if end < len(s.b) {
		after = s.b[end]
	}
	multi := bytes.IndexByte(w, '.') > 0
	if !enumWord(w, multi) || countsAfter()[s.last] && !s.stopped() {
		return false
	}
	space := end+1 >= len(s.b) || s.b[end+1] <= ' ' || s.b[end+1] >= utf8.RuneSelf || s.b[end+1] == '"' ||
		s.b[end+1] == '*' || s.b[end+1] == '_'
	switch {
	case before == '(':
		return after == ')' && !multi
	case before > ' ' && before != '*' && before != '_' && before != '[' && before < utf8.RuneSelf:
		return false
	case after == ')':
		return space && !multi
	case after == '.' && space, after == '.' && isLetter(s.b[end+1]) && isDigit(w[0]):
		return s.headed()
	case multi && after <= ' ':
		return s.punct || s.fresh&ParaStart != 0
	}
	return false
}

// stopped reports a full stop, colon or semicolon after the last word.
func (s *scanner) stopped() bool { return len(s.out) > 0 && s.out[len(s.out)-1].Has(SentEnd) }

// headed reports whether an enumerator may follow what came last: a paragraph's end, a sentence's end, or a heading.
func (s *scanner) headed() bool {
	if s.punct || s.fresh&ParaStart != 0 || len(s.out) == 0 {
		return true
	}
	// "…; and b. under …"
	n := len(s.out)
	if s.out[n-1].Has(Capital) && bytes.IndexByte(s.buf, '.') > 0 && s.acronym(&s.out[n-1]) {
		return false // "CC BY 4.0."
	}
	return s.out[n-1].Has(Capital) || n > 1 && s.out[n-2].Has(SentEnd) && (s.last == andHash || s.last == orHash)
}

// acronym reports a short word in capitals, as names of licenses have them.
func (s *scanner) acronym(t *Token) bool {
	w := s.b[t.Start:t.End]
	return len(w) <= 8 && bytes.Equal(w, bytes.ToUpper(w))
}

func enumWord(w []byte, multi bool) bool {
	switch {
	case len(w) == 0:
		return false
	case multi:
		for i, b := range w {
			if !isDigit(b) && b != '.' && (i < len(w)-1 || !isLetter(b)) {
				return false
			}
		}
		return len(w) < 8 && isDigit(w[0])
	case isDigit(w[0]):
		return len(w) < 3 && isDigit(w[len(w)-1])
	case len(w) == 1:
		return isLetter(w[0])
	}
	return len(w) < 6 && len(bytes.Trim(w, "ivx")) == 0
}

// emit appends a token.
func (s *scanner) emit(w []byte, start, end int, flags Flags) {
	if len(s.out) >= maxTokens {
		s.full = true
		return
	}
	if flags&(URL|Email) == 0 {
		w = fold(w)
	}
	h := hashWord(w)
	if s.last == copyrightHash && h == copyrightHash && len(s.out) > 0 && s.out[len(s.out)-1].Has(Marked) {
		return
	}
	for s.brk < len(s.text.breaks) && int(s.text.breaks[s.brk]) <= start {
		s.brk++
		s.line++
	}
	flags |= s.fresh
	if c := s.b[start]; 'A' <= c && c <= 'Z' {
		flags |= Capital
	} else if c >= utf8.RuneSelf {
		if r, _ := utf8.DecodeRune(s.b[start:]); unicode.IsUpper(r) {
			flags |= Capital
		}
	}
	class := classOf(w, h)
	if start < s.slot {
		flags |= Placeholder
		class = Slot
	}
	s.out = append(s.out, Token{Hash: h, Start: int32(start), End: int32(end), Line: s.line, Class: class, Flags: flags})
	s.last = h
	s.fresh, s.punct = 0, false
}

// dropAddresses removes the street addresses of the Free Software Foundation, which moved.
func dropAddresses(toks []Token) []Token {
	temple, franklin, mass, milk := hashWord([]byte("temple")), hashWord([]byte("franklin")), hashWord([]byte("mas")),
		hashWord([]byte("milk"))
	massachusetts, usa, street := hashWord([]byte("mass")), hashWord([]byte("usa")), []uint32{
		hashWord([]byte("place")),
		hashWord([]byte("street")), hashWord([]byte("st")), hashWord([]byte("ave")), hashWord([]byte("pl")),
	}
	var out []Token
	copied := 0
	for i := 1; i+1 < len(toks); i++ {
		h := toks[i].Hash
		if h != temple && h != franklin && h != mass && h != massachusetts && h != milk ||
			toks[i-1].Class != Number || !slices.Contains(street, toks[i+1].Hash) {
			continue
		}
		end := i + 2
		for j := i + 2; j < min(len(toks), i+14); j++ {
			if toks[j].Hash == usa || toks[j].Class == Number && toks[j].End-toks[j].Start >= 5 {
				end = j + 1
			}
		}
		out = append(out, toks[copied:i-1]...)
		copied = end
		i = end
	}
	if copied == 0 {
		return toks
	}
	return append(out, toks[copied:]...)
}
