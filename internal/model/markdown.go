package model

import (
	"bytes"
	"iter"
	"regexp"
	"strings"
)

// heading is a heading of Markdown.
type heading struct {
	pos   int // of its first line in the text
	line  int // counted from 1
	rank  int // 1 to 6
	title []byte
}

// headings yields the headings of a Markdown text whose first line has the given number, without those in code.
func headings(text []byte, line int) iter.Seq[heading] {
	return func(yield func(heading) bool) {
		var (
			fence byte // of the code block we are in; 0 outside
			prev  heading
		)
		for rest := text; len(rest) > 0; line++ {
			pos := len(text) - len(rest)
			var row []byte
			row, rest = cutLine(rest)
			row = bytes.TrimSpace(row)
			mark := fenceMark(row)
			switch {
			case fence != 0 && mark == fence:
				fence = 0
				continue
			case fence != 0:
				continue
			case mark != 0:
				fence, prev = mark, heading{}
				continue
			}
			h := heading{pos: pos, line: line, title: row}
			switch rank, title := atx(row); {
			case rank > 0:
				h.rank, h.title = rank, title
			case len(prev.title) > 0 && underline(row) > 0:
				h = prev
				h.rank = underline(row)
			default:
				prev = h
				continue
			}
			prev = heading{}
			if !yield(h) {
				return
			}
		}
	}
}

// fenceMark is the character of a line that opens or closes a code block, else 0.
func fenceMark(row []byte) byte {
	switch {
	case bytes.HasPrefix(row, []byte("```")):
		return '`'
	case bytes.HasPrefix(row, []byte("~~~")):
		return '~'
	}
	return 0
}

// atx reads "## Title".
func atx(row []byte) (rank int, title []byte) {
	title = bytes.TrimLeft(row, "#")
	rank = len(row) - len(title)
	if rank > 6 || len(title) > 0 && title[0] != ' ' && title[0] != '\t' {
		return 0, nil
	}
	return rank, bytes.TrimSpace(title)
}

// underline is the rank that a line of = or - gives to the line above.
func underline(row []byte) int {
	switch {
	case len(row) == 0:
		return 0
	case len(bytes.Trim(row, "=")) == 0:
		return 1
	case len(bytes.Trim(row, "-")) == 0:
		return 2
	}
	return 0
}

var licenseWord = regexp.MustCompile(`(?i)licen[cs]|许可|許可|协议|ライセンス|라이선스`)

// licenseSection finds the first heading that speaks of the license, and the text below it.
func licenseSection(body []byte, line int) *Section {
	var found *heading
	end := len(body)
	for h := range headings(body, line) {
		if found != nil && h.rank <= found.rank {
			end = h.pos
			break
		}
		if found == nil && licenseWord.Match(h.title) {
			found = &h
		}
	}
	if found == nil {
		return nil
	}
	return &Section{Text: clip(body[found.pos:end]), Line: found.line}
}

// clip cuts a section to MaxSection bytes, between two characters.
func clip(b []byte) string {
	s := string(b[:min(len(b), MaxSection)])
	if len(b) > MaxSection {
		s = strings.ToValidUTF8(s, "\ufffd")
		s = strings.TrimSuffix(s, "\ufffd")
	}
	return strings.TrimSpace(s)
}
