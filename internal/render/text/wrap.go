package text

import (
	"strings"

	"github.com/mattn/go-runewidth"
)

// width is the number of columns that s takes on a terminal.
func width(s string) int { return runewidth.StringWidth(s) }

// wrap breaks s at blanks into lines of at most n columns; a word that is longer than a line is cut.
func wrap(s string, n int) []string {
	n = max(n, 20)
	var lines []string
	line, used := "", 0
	for word := range strings.FieldsSeq(s) {
		for w := width(word); used > 0 && used+1+w > n || w > n; w = width(word) {
			if used > 0 {
				lines = append(lines, line)
				line, used = "", 0
				continue
			}
			head := runewidth.Truncate(word, n, "")
			lines = append(lines, head)
			word = word[len(head):]
		}
		if used > 0 {
			line += " "
			used++
		}
		line += word
		used += width(word)
	}
	if used > 0 || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}
