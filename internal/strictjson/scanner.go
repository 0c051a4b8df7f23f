// Package strictjson reads JSON written by strangers: config.json, an index of shards, an adapter, an answer of a hub,
// an OCI config. It is the only JSON reader for such files.
//
// encoding/json takes the last of two equal keys and matches keys in any case, so that "HIDDEN_SIZE" silently replaces
// "hidden_size" and two programs read two models out of one file. Here a key that appears twice is an error, and so is
// a pair of keys that differ by case only; keys match exactly; nothing may follow the value; text is UTF-8; a depth
// over 64 is refused; an integer is an integer, and a number that does not fit is refused and never clamped.
//
// Python writes NaN, Infinity and -Infinity, and published config.json files contain them ("time_step_limit": [0.0,
// Infinity]). They are read as numbers that no getter returns.
//
// Text in errors comes from the file and is quoted, but still needs internal/printable before it reaches a terminal.
package strictjson

import (
	"fmt"
	"hash/maphash"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxDepth is how deep arrays and objects may be nested.
const MaxDepth = 64

// SyntaxError says why a text is not JSON that can be trusted, and in which line.
type SyntaxError struct {
	Line   int    // counted from 1
	Key    string // the key that appears twice, if that is the fault and it is not empty
	Reason string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Reason) }

// Scanner walks through a JSON text without building anything, for texts too large for a tree. Each method reads one
// value; after the first error the position is undefined and the caller stops.
type Scanner struct {
	text  string
	pos   int
	depth int
	keyAt int // where the key read last begins
	seed  maphash.Seed
	marks []mark // of the keys of the objects that are open, the innermost last
}

// NewScanner checks that text is UTF-8 and returns a scanner before its first value.
func NewScanner(text string) (*Scanner, error) {
	s := &Scanner{text: text, seed: maphash.MakeSeed()}
	if len(text) > math.MaxInt32 {
		return nil, fmt.Errorf("longer than %d bytes: %w", math.MaxInt32, ErrTooLarge)
	}
	if strings.HasPrefix(text, "\ufeff") {
		return nil, s.fail("begins with a byte order mark; save it as UTF-8 without one")
	}
	if !utf8.ValidString(text) {
		s.pos = invalidAt(text)
		return nil, s.fail("is not valid UTF-8")
	}
	return s, nil
}

func invalidAt(text string) int {
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRuneInString(text[i:])
		if r == utf8.RuneError && n == 1 {
			return i
		}
		i += n
	}
	return len(text)
}

// Object reads an object and calls field with each key, in the order of the file; field reads the value that follows.
// Keys that are equal, or equal but for case, are an error once the object is read.
func (s *Scanner) Object(field func(key string) error) error {
	return s.object(similar, field)
}

// Dictionary is Object for keys that are data, such as names of tensors: only equal keys are an error.
func (s *Scanner) Dictionary(field func(key string) error) error {
	return s.object(equal, field)
}

func (s *Scanner) object(same sameness, field func(key string) error) error {
	if err := s.open('{', "an object"); err != nil {
		return err
	}
	base := len(s.marks)
	for first := true; ; first = false {
		more, err := s.more('}', first)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		key, err := s.key()
		if err != nil {
			return err
		}
		s.marks = append(s.marks, newMark(s.seed, key, s.keyAt, same))
		if err := field(key); err != nil {
			return err
		}
	}
	earlier, later, found := clash(s.text, s.marks[base:], same)
	s.marks = s.marks[:base]
	if found {
		return s.clashed(earlier, later)
	}
	return nil
}

func (s *Scanner) clashed(earlier, later int) error {
	key, again := decode(s.text, earlier), decode(s.text, later)
	e := &SyntaxError{Line: lineAt(s.text, later), Reason: clashReason(key, again)}
	if line := lineAt(s.text, earlier); line != e.Line {
		e.Reason += fmt.Sprintf(", first in line %d", line)
	}
	if key == again {
		e.Key = key
	}
	return e
}

// Array reads an array and calls element before each element; element reads it.
func (s *Scanner) Array(element func() error) error {
	if err := s.open('[', "an array"); err != nil {
		return err
	}
	for first := true; ; first = false {
		more, err := s.more(']', first)
		if err != nil || !more {
			return err
		}
		if err := element(); err != nil {
			return err
		}
	}
}

// String reads a string. It shares the memory of the text unless it holds escapes.
func (s *Scanner) String() (string, error) {
	s.space()
	if s.peek() != '"' {
		return "", s.unexpected("a string")
	}
	return s.quoted()
}

// Uint reads an integer of 0 or more.
func (s *Scanner) Uint() (uint64, error) {
	s.space()
	start := s.pos
	token, err := s.number()
	if err != nil {
		return 0, err
	}
	n, reason := parseUint(token)
	if reason != "" {
		s.pos = start
		return 0, s.fail("%s", reason)
	}
	return n, nil
}

// End checks that nothing but blanks follows.
func (s *Scanner) End() error {
	s.space()
	if s.pos < len(s.text) {
		return s.fail("something follows after the end of the value")
	}
	return nil
}

func (s *Scanner) scalar() error {
	switch c := s.peek(); {
	case c == '"':
		_, err := s.quoted()
		return err
	case c == 't':
		return s.word("true")
	case c == 'f':
		return s.word("false")
	case c == 'n':
		return s.word("null")
	case c == '-' || c == 'N' || c == 'I' || isDigit(c):
		_, err := s.number()
		return err
	}
	return s.unexpected("a value")
}

func (s *Scanner) word(w string) error {
	if !strings.HasPrefix(s.text[s.pos:], w) {
		return s.unexpected("a value")
	}
	s.pos += len(w)
	return nil
}

func (s *Scanner) open(bracket byte, what string) error {
	s.space()
	if s.peek() != bracket {
		return s.unexpected(what)
	}
	if s.depth == MaxDepth {
		return s.fail("nested deeper than %d levels", MaxDepth)
	}
	s.depth++
	s.pos++
	return nil
}

// more reports whether another element follows, and steps over the comma before it or over the closing bracket.
func (s *Scanner) more(bracket byte, first bool) (bool, error) {
	s.space()
	switch c := s.peek(); {
	case c == bracket:
		s.pos++
		s.depth--
		return false, nil
	case first:
		return true, nil
	case c == ',':
		s.pos++
		s.space()
		return true, nil
	}
	return false, s.unexpected("a comma or " + strconv.QuoteRune(rune(bracket)))
}

func (s *Scanner) key() (string, error) {
	if s.peek() != '"' {
		return "", s.unexpected("a key")
	}
	s.keyAt = s.pos
	key, err := s.quoted()
	if err != nil {
		return "", err
	}
	s.space()
	if s.peek() != ':' {
		return "", s.unexpected("a colon")
	}
	s.pos++
	return key, nil
}

func (s *Scanner) space() {
	for s.pos < len(s.text) {
		switch s.text[s.pos] {
		case ' ', '\t', '\n', '\r':
			s.pos++
		default:
			return
		}
	}
}

// peek is the next byte, or 0 at the end; 0 begins no token, so both end in the same branch.
func (s *Scanner) peek() byte {
	if s.pos < len(s.text) {
		return s.text[s.pos]
	}
	return 0
}

// quoted reads the string that begins at the position.
func (s *Scanner) quoted() (string, error) {
	start := s.pos + 1
	escaped := false
	for i := start; i < len(s.text); i++ {
		switch c := s.text[i]; {
		case c == '"':
			s.pos = i + 1
			if escaped {
				return s.unescape(start, i)
			}
			return s.text[start:i], nil
		case c == '\\':
			escaped = true
			i++
		case c < 0x20:
			s.pos = i
			return "", s.fail("control character %#02x in a string", c)
		}
	}
	return "", s.fail("the text ends within a string")
}

func (s *Scanner) unescape(start, end int) (string, error) {
	var b strings.Builder
	b.Grow(end - start)
	for rest := s.text[start:end]; rest != ""; {
		before, after, found := strings.Cut(rest, `\`)
		b.WriteString(before)
		if !found {
			break
		}
		r, n := escape(after)
		if n == 0 {
			s.pos = end - len(after) - 1
			return "", s.fail("%s is no escape of a character", shorten(`\`+after))
		}
		b.WriteRune(r)
		rest = after[n:]
	}
	return b.String(), nil
}

// escape decodes what follows a backslash; n is 0 if it stands for no character. Half of a surrogate pair is none:
// readers disagree about what it means.
func escape(after string) (r rune, n int) {
	switch after[0] {
	case '"', '\\', '/':
		return rune(after[0]), 1
	case 'b':
		return '\b', 1
	case 'f':
		return '\f', 1
	case 'n':
		return '\n', 1
	case 'r':
		return '\r', 1
	case 't':
		return '\t', 1
	}
	r, ok := unicodeEscape(after)
	if !ok || !utf16.IsSurrogate(r) {
		return r, len("u0000") * toInt(ok)
	}
	if len(after) < len(`u0000\u0000`) || after[5] != '\\' {
		return 0, 0
	}
	low, ok := unicodeEscape(after[6:])
	pair := utf16.DecodeRune(r, low)
	return pair, len(`u0000\u0000`) * toInt(ok && pair != utf8.RuneError)
}

func unicodeEscape(s string) (rune, bool) {
	if len(s) < 5 || s[0] != 'u' || strings.ContainsAny(s[1:5], "+-_") {
		return 0, false
	}
	n, err := strconv.ParseUint(s[1:5], 16, 16)
	return rune(n), err == nil
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// number reads the token of a number by the grammar of JSON, or one of the three words of Python.
func (s *Scanner) number() (string, error) {
	rest := s.text[s.pos:]
	for _, w := range []string{"NaN", "Infinity", "-Infinity"} {
		if strings.HasPrefix(rest, w) {
			s.pos += len(w)
			return w, nil
		}
	}
	n := numberLen(rest)
	if n == 0 {
		return "", s.unexpected("a number")
	}
	s.pos += n
	if c := s.peek(); isDigit(c) {
		return "", s.fail("a number with a leading zero")
	}
	return rest[:n], nil
}

func numberLen(s string) int {
	i := 0
	if strings.HasPrefix(s, "-") {
		i++
	}
	whole := digits(s[i:])
	if whole == 0 {
		return 0
	}
	if s[i] == '0' {
		whole = 1
	}
	i += whole
	if i < len(s) && s[i] == '.' {
		n := digits(s[i+1:])
		if n == 0 {
			return 0
		}
		i += 1 + n
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		n := digits(s[j:])
		if n == 0 {
			return 0
		}
		i = j + n
	}
	return i
}

func digits(s string) int {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return i
		}
	}
	return len(s)
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func (s *Scanner) unexpected(want string) error {
	if s.pos >= len(s.text) {
		return s.fail("the text ends where %s should be; the file may be cut", want)
	}
	r, _ := utf8.DecodeRuneInString(s.text[s.pos:])
	return s.fail("%q where %s should be", r, want)
}

func (s *Scanner) fail(format string, args ...any) error {
	return &SyntaxError{Line: s.line(), Reason: fmt.Sprintf(format, args...)}
}

func (s *Scanner) line() int { return lineAt(s.text, s.pos) }

func lineAt(text string, pos int) int {
	return 1 + strings.Count(text[:min(pos, len(text))], "\n")
}

// shorten quotes foreign text for an error.
func shorten(s string) string {
	const most = 60
	if len(s) <= most {
		return strconv.Quote(s)
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "..."
}
