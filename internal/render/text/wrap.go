package text

import (
	"strings"
	"unicode/utf8"

	"github.com/mattn/go-runewidth"
)

// columns measures text as a terminal does. It does not ask the locale, as the package's default does: the same document
// gives the same bytes everywhere.
var columns = &runewidth.Condition{StrictEmojiNeutral: true}

// width is the number of columns that s takes on a terminal.
func width(s string) int { return columns.StringWidth(s) }

// wrap breaks s at blanks into lines of at most n columns; a word that is longer than a line is cut.
func wrap(s string, n int) []string {
	n = max(n, 2) // no character is wider
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(s) {
		w := width(word)
		if line != "" && used+1+w > n {
			lines, line, used = append(lines, line), "", 0
		}
		for w > n {
			head, rest := cut(word, n)
			w += len(head) + len(rest) - len(word) // a sign that was put in
			w -= width(head)
			lines, word = append(lines, head), rest
		}
		if line != "" {
			line += " "
			used++
		}
		line += word
		used += w
	}
	if line != "" || len(lines) == 0 { // a line may be of characters that take no room
		lines = append(lines, line)
	}
	return lines
}

// cut splits a word after at most n columns. The rest begins a line, so it must not become a command of a CI runner,
// which package printable could not foresee.
func cut(word string, n int) (head, rest string) {
	head = columns.Truncate(beginning(word, n), n, "")
	if head == "" { // one cluster of characters that is wider than the line
		head = word
	}
	rest = word[len(head):]
	if strings.HasPrefix(rest, "::") {
		rest = `:\` + rest[1:]
	}
	return head, rest
}

// beginning is as much of a word as is wider than n columns, so that a long word is not measured anew for every line.
func beginning(word string, n int) string {
	for size := 4 * n; size < len(word); size *= 2 {
		end := size
		for !utf8.RuneStart(word[end]) {
			end--
		}
		if width(word[:end]) > n {
			return word[:end]
		}
	}
	return word
}
