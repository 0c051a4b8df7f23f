// Package shingle turns license texts into words that compare alike however they were typeset, and holds the index of
// hashed word shingles that texts are aligned with.
//
// A license file reaches us wrapped, quoted, in Markdown, as a web page, with other quotes, dashes, bullets and
// numbering than the original. Clean removes what carries no words; Words then cuts the rest into tokens in such a way
// that wrapping, hyphenation, enumeration and typography leave no trace, while numbers, currencies and negations do.
// The generator and the matcher use the same two functions, so what one drops the other never misses.
package shingle

import (
	"bytes"
	"html"
	"slices"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxBytes is how much of one text is judged. The longest license known is under 100 kB; what lies beyond is reported
// as not judged.
const MaxBytes = 8 << 20

// Text is a text without markup, and the way back to the lines of the file it came from.
type Text struct {
	Body   []byte  // UTF-8, markup removed
	breaks []int32 // offsets in Body at which a new line of the file begins
	HTML   bool    // the file was a web page
	Binary bool    // not text at all; Body is empty
	Cut    bool    // longer than MaxBytes; Body is the beginning
}

// Clean decodes raw (UTF-8, UTF-16 with or without byte order mark, else Windows-1252) and removes HTML, code fences,
// page numbers and invisible characters.
func Clean(raw []byte) Text {
	var t Text
	if len(raw) > MaxBytes {
		raw, t.Cut = raw[:MaxBytes], true
	}
	src, ok := decode(raw)
	if !ok {
		t.Binary = true
		return t
	}
	if bytes.HasPrefix(src, []byte(`{\rtf`)) {
		src = fromRTF(src)
	}
	if n := bytes.Count(src, []byte(`\n`)); n > 4 && bytes.Count(src, []byte{'\n'})*4 < n {
		src = bytes.ReplaceAll(src, []byte(`\n`), []byte("  ")) // a string of a program or of JSON
	}
	t.HTML = looksLikeHTML(src)
	c := cleaner{src: src, page: t.HTML, body: make([]byte, 0, len(src)+1)}
	c.run()
	t.Body, t.breaks = c.body, c.breaks
	return t
}

// Line returns the 1-based line of the file for an offset in Body.
func (t *Text) Line(off int) int {
	n, found := slices.BinarySearch(t.breaks, int32(off))
	if found {
		for n+1 < len(t.breaks) && t.breaks[n+1] == int32(off) {
			n++
		}
		return n + 2
	}
	return n + 1
}

func decode(raw []byte) ([]byte, bool) {
	switch {
	case bytes.HasPrefix(raw, []byte{0xEF, 0xBB, 0xBF}):
		raw = raw[3:]
	case bytes.HasPrefix(raw, []byte{0xFF, 0xFE}):
		return fromUTF16(raw[2:], false), true
	case bytes.HasPrefix(raw, []byte{0xFE, 0xFF}):
		return fromUTF16(raw[2:], true), true
	}
	head := raw[:min(len(raw), 4096)]
	if zeros := bytes.Count(head, []byte{0}); zeros > 0 {
		if zeros*3 < len(head) {
			return nil, false
		}
		big := head[0] == 0
		return fromUTF16(raw, big), true
	}
	if utf8.Valid(raw) || nearlyUTF8(raw) {
		return raw, true
	}
	if controls(head)*20 > len(head) {
		return nil, false
	}
	return fromWindows1252(raw), true
}

// nearlyUTF8 tells a UTF-8 text with a few damaged bytes (or cut in the middle of a character) from a Latin-1 one.
func nearlyUTF8(raw []byte) bool {
	good, bad := 0, 0
	for i := 0; i < len(raw); {
		if raw[i] < utf8.RuneSelf {
			i++
			continue
		}
		r, n := utf8.DecodeRune(raw[i:])
		if r == utf8.RuneError && n <= 1 {
			bad++
		} else {
			good++
		}
		i += max(n, 1)
	}
	return good > 10*bad
}

func controls(b []byte) int {
	n := 0
	for _, c := range b {
		if c < 0x20 && c != '\n' && c != '\r' && c != '\t' && c != '\f' && c != 0x1b {
			n++
		}
	}
	return n
}

func fromUTF16(raw []byte, big bool) []byte {
	units := make([]uint16, 0, len(raw)/2)
	for i := 0; i+1 < len(raw); i += 2 {
		lo, hi := raw[i], raw[i+1]
		if big {
			lo, hi = hi, lo
		}
		units = append(units, uint16(hi)<<8|uint16(lo))
	}
	return []byte(string(utf16.Decode(units)))
}

func fromWindows1252(raw []byte) []byte {
	const high = "€?‚ƒ„…†‡ˆ‰Š‹Œ?Ž??‘’“”•–—˜™š›œ?žŸ"
	table := []rune(high)
	out := make([]byte, 0, len(raw)+len(raw)/8)
	for _, c := range raw {
		switch {
		case c < utf8.RuneSelf:
			out = append(out, c)
		case c < 0xA0:
			out = utf8.AppendRune(out, table[c-0x80])
		default:
			out = utf8.AppendRune(out, rune(c))
		}
	}
	return out
}

// fromRTF keeps the words of a rich text document: groups that hold tables go, control words become blanks.
func fromRTF(src []byte) []byte {
	out := make([]byte, 0, len(src))
	depth, skip := 0, 0
	for i := 0; i < len(src); i++ {
		switch c := src[i]; {
		case c == '{':
			depth++
			if skip == 0 && rtfTable(src[i+1:]) {
				skip = depth
			}
		case c == '}':
			if skip == depth {
				skip = 0
			}
			depth--
		case c == '\\' && i+1 < len(src):
			var text []byte
			text, i = rtfControl(src, i)
			if skip == 0 {
				out = append(out, text...)
			}
		case skip == 0:
			out = append(out, c)
		}
	}
	return out
}

func rtfTable(rest []byte) bool {
	for _, name := range []string{`\fonttbl`, `\colortbl`, `\stylesheet`, `\info`, `\*`, `\pict`} {
		if bytes.HasPrefix(rest, []byte(name)) {
			return true
		}
	}
	return false
}

// rtfControl reads the control at src[i], a backslash, and returns what it stands for and its last byte's index.
func rtfControl(src []byte, i int) ([]byte, int) {
	next := src[i+1]
	if !isLetter(next) {
		if next == '\'' && i+3 < len(src) {
			return fromWindows1252([]byte{unhex(src[i+2])<<4 | unhex(src[i+3])}), i + 3
		}
		if next == '{' || next == '}' || next == '\\' {
			return []byte{next}, i + 1
		}
		return []byte(" "), i + 1
	}
	j := i + 1
	for j < len(src) && isLetter(src[j]) {
		j++
	}
	word := string(src[i+1 : j])
	for j < len(src) && (isDigit(src[j]) || src[j] == '-') {
		j++
	}
	if j < len(src) && src[j] == ' ' {
		j++
	}
	switch word {
	case "par", "line", "page":
		return []byte("\n\n"), j - 1
	case "tab":
		return []byte(" "), j - 1
	case "lquote", "rquote":
		return []byte("'"), j - 1
	}
	return nil, j - 1
}

func unhex(c byte) byte {
	switch {
	case isDigit(c):
		return c - '0'
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10
	}
	return 0
}

func isLetter(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
func isBlank(c byte) bool  { return c == ' ' || c == '\t' || c == '\r' || c == '\f' || c == '\v' }

// cleaner copies src to body without markup.
type cleaner struct {
	src    []byte
	page   bool
	body   []byte
	breaks []int32
	at     int

	looked  int             // bytes read by tagEnd
	missing map[string]bool // what find did not find
}

func (c *cleaner) run() {
	fresh := true // nothing but blanks and quoting so far on this line
	for c.at < len(c.src) {
		b := c.src[c.at]
		if fresh && c.skipLine() {
			continue
		}
		switch {
		case b == '\n':
			c.newline()
			fresh = true
			continue
		case b == '<' && c.tag():
			continue
		case b == '&' && c.entity():
			fresh = false
			continue
		case b >= utf8.RuneSelf:
			c.wide()
			fresh = false
			continue
		case b == 0 || b == 0x1b:
			b = ' '
		}
		if !isBlank(b) && b != '>' && b != '*' && b != '#' && b != '/' {
			fresh = false
		}
		c.body = append(c.body, b)
		c.at++
	}
}

func (c *cleaner) newline() {
	c.body = append(c.body, '\n')
	c.breaks = append(c.breaks, int32(len(c.body)))
	c.at++
}

// skipLine drops the line at c.at if it is a code fence or a page number; the line end stays.
func (c *cleaner) skipLine() bool {
	if c.at > 0 && c.src[c.at-1] != '\n' {
		return false
	}
	end := bytes.IndexByte(c.src[c.at:min(len(c.src), c.at+80)], '\n')
	if end < 0 {
		if len(c.src)-c.at > 79 {
			return false
		}
		end = len(c.src) - c.at
	}
	line := c.src[c.at : c.at+end]
	if bytes.HasPrefix(line, []byte("dnl")) && (len(line) == 3 || isBlank(line[3])) {
		c.at += 3 // a comment of m4
		return true
	}
	text := bytes.Trim(line, " \t\r\f>")
	if !fence(text) && !pageNumber(text) && !(c.alone(end) && digits(text)) {
		return false
	}
	if len(text) == 0 {
		return false
	}
	c.at += end
	return true
}

// alone reports whether the line of the given length at c.at stands between blank lines or at a page break.
func (c *cleaner) alone(length int) bool {
	before := bytes.HasSuffix(bytes.TrimRight(c.src[max(0, c.at-40):c.at], " \t\r"), []byte("\n\n")) ||
		bytes.HasSuffix(c.src[:c.at], []byte("\r\n\r\n")) || c.at == 0
	rest := c.src[min(len(c.src), c.at+length+1):]
	rest = bytes.TrimLeft(rest[:min(len(rest), 40)], " \t\r")
	return before && (len(rest) == 0 || rest[0] == '\n' || rest[0] == '\f')
}

func fence(b []byte) bool {
	return (bytes.HasPrefix(b, []byte("```")) || bytes.HasPrefix(b, []byte("~~~"))) && len(b) < 24 &&
		bytes.IndexByte(b, ' ') < 0
}

func digits(b []byte) bool {
	b = bytes.Trim(b, "- ")
	for _, c := range b {
		if !isDigit(c) {
			return false
		}
	}
	return len(b) > 0 && len(b) < 4
}

// pageNumber knows "Page 3", "Page 3 of 10", "- 3 -".
func pageNumber(b []byte) bool {
	if len(b) > 24 || len(b) == 0 {
		return false
	}
	if b[0] == '-' && b[len(b)-1] == '-' && digits(b) {
		return true
	}
	f := bytes.Fields(bytes.ToLower(b))
	if len(f) < 2 || string(f[0]) != "page" || !digits(f[1]) {
		return false
	}
	return len(f) == 2 || len(f) == 4 && (string(f[2]) == "of" || string(f[2]) == "/") && digits(f[3])
}

// entity decodes a character reference.
func (c *cleaner) entity() bool {
	end := bytes.IndexByte(c.src[c.at:min(len(c.src), c.at+12)], ';')
	if end < 2 {
		return false
	}
	ref := string(c.src[c.at : c.at+end+1])
	s := html.UnescapeString(ref)
	if s == ref {
		return false
	}
	switch s {
	case "\u00a0", "\u00ad":
		s = " "
	case "<":
		if n := c.escapedTag(c.at + end + 1); n > 0 {
			c.at += end + 1
			c.drop(n)
			return true
		}
	}
	c.body = append(c.body, s...)
	c.at += end + 1
	return true
}

// escapedTag returns the length of the rest of a tag that a page shows instead of obeying.
func (c *cleaner) escapedTag(at int) int {
	rest := c.src[at:min(len(c.src), at+160)]
	end := bytes.Index(rest, []byte("&gt;"))
	if end < 1 {
		return 0
	}
	inner := bytes.Trim(rest[:end], "/ ")
	name, _, _ := bytes.Cut(inner, []byte(" "))
	word := " " + string(bytes.ToLower(name)) + " "
	if len(name) > 0 && (len(name) == len(inner) || bytes.IndexByte(inner, '=') > 0) &&
		(strings.Contains(inlineTags, word) || strings.Contains(blockTags, word)) {
		return end + 4
	}
	return 0
}

// wide copies one character beyond ASCII, folded to its plain form where it has one.
func (c *cleaner) wide() {
	r, n := utf8.DecodeRune(c.src[c.at:])
	c.at += n
	switch {
	case r == utf8.RuneError && n <= 1:
		c.body = append(c.body, ' ')
	case r == 0xAD || 0x200B <= r && r <= 0x200F || 0x202A <= r && r <= 0x202E || 0x2060 <= r && r <= 0x206F ||
		r == 0xFEFF || 0xFE00 <= r && r <= 0xFE0F:
		// Soft hyphens, zero-width and direction marks carry no words.
	case r == 0xA0 || 0x2000 <= r && r <= 0x200A || r == 0x202F || r == 0x3000 || r == 0x2028 || r == 0x85:
		c.body = append(c.body, ' ')
	case r == 0x2018 || r == 0x2019 || r == 0x2032 || r == 0x02BC:
		c.body = append(c.body, '\'')
	case r == 0x2010 || r == 0x2011:
		c.body = append(c.body, '-')
	case 0xFB00 <= r && r <= 0xFB04:
		c.body = append(c.body, [...]string{"ff", "fi", "fl", "ffi", "ffl"}[r-0xFB00]...)
	case 0xFF01 <= r && r <= 0xFF5E && (isLetter(byte(r-0xFEE0)) || isDigit(byte(r-0xFEE0))):
		c.body = append(c.body, byte(r-0xFEE0))
	default:
		c.body = utf8.AppendRune(c.body, r)
	}
}
