// Package printable makes text from strangers safe to print.
//
// Names, cards, license texts, error bodies and file names come from people we do not know. Printed raw they can move
// the cursor, hide characters, or issue commands to a CI runner (CVE-2021-25743, CVE-2020-15228 and many more). Every
// renderer and every message on stderr passes foreign text through this package at the last step, and nothing else
// does, so that data inside a document stays as it was found. Errors only shorten it.
package printable

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Line returns s safe for one line of a terminal or a log: control characters, bidirectional controls, zero-width
// characters, line and paragraph separators, and invalid UTF-8 become visible escapes such as \x1b or \u202e. Tabs and
// line ends become escapes too. The forms that CI runners take for commands are broken up: "::name" at the start of a
// word, which a layout may bring to the start of a line, and "##[", "##vso[", "##teamcity[" anywhere.
func Line(s string) string {
	return clean(s, false)
}

// Text is Line for text of several lines: line ends and tabs stay, and every line is made safe by itself.
func Text(s string) string {
	return clean(s, true)
}

// Short keeps what a stranger wrote from filling an error: the first characters of a long text.
func Short(s string) string {
	const most = 80
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > most-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "..."
}

// Quote is Short between quotes, with escapes for what cannot be read.
func Quote(s string) string {
	short := Short(s)
	if short == s {
		return strconv.Quote(s)
	}
	return strconv.Quote(strings.TrimSuffix(short, "...")) + "..."
}

func clean(s string, lines bool) string {
	var b strings.Builder
	b.Grow(len(s))
	start := true // of a word: a layout may break the line here, and a runner trims blanks before it looks for "::"
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case lines && (r == '\n' || r == '\t'):
			b.WriteRune(r)
		case lines && r == '\r' && strings.HasPrefix(s[i+n:], "\n"):
			// The pair is one line end; the carriage return alone would overwrite the line.
		case Hidden(r):
			escape(&b, r)
		case start && r == ':' && strings.HasPrefix(s[i+n:], ":"):
			b.WriteString(`:\`)
		case r == '#' && command(s[i+n:]):
			b.WriteString(`#\`)
		default:
			b.WriteRune(r)
		}
		start = unicode.IsSpace(r)
		i += n
	}
	return b.String()
}

// command reports whether s, which follows a "#", makes it the beginning of a command of Azure Pipelines, GitHub Actions
// or TeamCity: "#[group]", "#vso[task…]", "#teamcity[…]".
func command(s string) bool {
	s, ok := strings.CutPrefix(s, "#")
	return ok && strings.HasPrefix(strings.TrimLeftFunc(s, unicode.IsLetter), "[")
}

func escape(b *strings.Builder, r rune) {
	switch {
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	default:
		fmt.Fprintf(b, `\U%08x`, r)
	}
}

// Hidden reports whether a reader would not see r or would be misled by it: C0 and C1 controls, DEL, bidirectional
// controls, zero-width and other format characters, separators of lines and paragraphs, fillers that look like blanks,
// variation selectors but the one of emoji, tags (U+E0000 block), and values that are no characters.
func Hidden(r rune) bool {
	switch {
	case r < 0x20, r >= 0x7f && r < 0xa0:
		return true
	case r < 0xad:
		return false
	case r == 0x034f, r == 0x115f, r == 0x1160, r == 0x17b4, r == 0x17b5, r >= 0x180b && r <= 0x180f, r == 0x2800:
		return true
	case r >= 0x2028 && r <= 0x202e, r >= 0x2060 && r <= 0x206f:
		return true
	case r == 0x3164, r >= 0xfdd0 && r <= 0xfdef, r >= 0xfe00 && r <= 0xfe0e, r == 0xffa0, r >= 0xfff0 && r <= 0xfffc, r&0xfffe == 0xfffe:
		return true
	case r >= 0xe0000 && r <= 0xe0fff:
		return true
	}
	return unicode.Is(unicode.Cf, r)
}
