package markdown

import (
	"html"
	"strings"
	"unicode"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// escaped are the characters that mean something to Markdown or HTML inside a line. The bar becomes an entity, which a
// table does not take for the end of a cell.
var escaped = strings.NewReplacer(
	`\`, `\\`, "`", "\\`", "*", `\*`, "_", `\_`, "{", `\{`, "}", `\}`, "[", `\[`, "]", `\]`,
	"<", "&lt;", ">", "&gt;", "&", "&amp;", "|", "&#124;", "^", `\^`, "~", `\~`, "!", `\!`, "#", `\#`, "$", `\$`,
)

// inline makes foreign text safe inside a line: nothing of it is markup, nobody is paged, nothing becomes a link. Words
// that a forge would turn into a link, a mention or a picture after Markdown is done, where no escape helps, are shown as
// code.
func inline(s string) string {
	words := words(s)
	if len(words) > 0 {
		words[0] = unblock(words[0])
	}
	return strings.Join(words, " ")
}

// within is inline for a cell of a table, where no block can begin.
func within(s string) string { return cell(strings.Join(words(s), " ")) }

func words(s string) []string {
	words := strings.Fields(printable.Line(s))
	for i, w := range words {
		if magic(w) {
			body := strings.TrimRight(w, ".,;")
			words[i] = span(body) + w[len(body):]
			continue
		}
		words[i] = escaped.Replace(w)
	}
	return words
}

// unblock keeps the first word of a line from starting a list, a rule or a heading.
func unblock(w string) string {
	if strings.ContainsAny(w[:1], "-+=") {
		return `\` + w
	}
	rest := strings.TrimLeft(w, "0123456789")
	if n := len(w) - len(rest); n > 0 && rest != "" && strings.ContainsAny(rest[:1], ".)") {
		return w[:n] + `\` + rest
	}
	return w
}

// magic reports whether a forge may make something of a word: an address, a mention (@name), an issue (#1, GH-1), a
// merge request (!1), a label (~bug), a snippet or formula ($), a milestone (%1), an epic (&1), a picture (:name:), or a
// commit (long hexadecimal numbers).
func magic(w string) bool {
	lower := strings.ToLower(w)
	switch {
	case strings.ContainsAny(w, "@#$~"), strings.Contains(w, "://"), strings.Contains(lower, "www."):
		return true
	case strings.Contains(lower, "gh-"), strings.Count(w, ":") > 1, strings.Contains(lower, "mailto:"), strings.Contains(lower, "xmpp:"):
		return true
	}
	return reference(w) || commit(w)
}

// reference reports whether one of the signs stands before a letter or a digit.
func reference(w string) bool {
	sign := false
	for _, r := range w {
		if sign && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '"') {
			return true
		}
		sign = strings.ContainsRune("!%&", r)
	}
	return false
}

// commit reports whether a word holds seven or more hexadecimal digits in a row, one of them a number.
func commit(w string) bool {
	run, digit := 0, false
	for _, r := range w {
		switch {
		case r >= '0' && r <= '9':
			run, digit = run+1, true
		case r >= 'a' && r <= 'f', r >= 'A' && r <= 'F':
			run++
		default:
			run, digit = 0, false
		}
		if run >= 7 && digit {
			return true
		}
	}
	return false
}

// code shows foreign text word for word.
func code(s string) string {
	return span(strings.Join(strings.Fields(printable.Line(s)), " "))
}

// span fences text that is safe to print, with more backticks than there are in a row in it.
func span(s string) string {
	if s == "" {
		return ""
	}
	run, longest := 0, 0
	for _, r := range s {
		if r != '`' {
			run = 0
			continue
		}
		run++
		longest = max(longest, run)
	}
	pad := ""
	if strings.HasPrefix(s, "`") || strings.HasSuffix(s, "`") {
		pad = " "
	}
	fence := strings.Repeat("`", longest+1)
	return fence + pad + s + pad + fence
}

// cell fits Markdown into a table. A bar would end the cell even inside code, and whether a backslash before it helps
// depends on how many there are, so it is shown as package printable shows what it cannot print.
func cell(md string) string { return strings.ReplaceAll(md, "|", `\x7c`) }

// tag shows foreign text inside HTML of ours, where Markdown does not reach.
func tag(s string) string {
	return html.EscapeString(strings.Join(strings.Fields(printable.Line(s)), " "))
}
