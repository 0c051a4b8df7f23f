package shingle

import (
	"bytes"
	"strings"
)

// Names of elements, each between blanks. Only these are taken for tags, so that <year> or <copyright holders> in a
// license stay words.
const (
	inlineTags = " a abbr b big cite code em font i img ins kbd label mark q s samp small span strike strong sub sup" +
		" tt u var wbr o:p nobr acronym dfn time "
	blockTags = " address article blockquote body br center caption col colgroup dd details div dl dt fieldset" +
		" figcaption figure h1 h2 h3 h4 h5 h6 hr html legend li main meta ol p pre section summary table tbody td" +
		" tfoot th thead tr ul base link input "
	// What these hold is not part of the text, in a page. A form or a button holds navigation.
	pageTags = " head title nav header footer aside form button select option "
	// What these hold is never text.
	deadTags = " style script noscript svg iframe template canvas object math "
)

func looksLikeHTML(src []byte) bool {
	head := bytes.ToLower(src[:min(len(src), 64<<10)])
	if bytes.Contains(head, []byte("<html")) || bytes.Contains(head, []byte("<!doctype html")) ||
		bytes.Contains(head, []byte("<body")) {
		return true
	}
	n := 0
	for _, end := range []string{"</p>", "</div>", "</li>", "</h1>", "</h2>", "</td>"} {
		n += bytes.Count(head, []byte(end))
	}
	return n >= 3
}

// tag removes the tag, or in a web page the comment, at c.at, with what it holds if that is no text. It reports false for anything that is
// not a tag, such as a placeholder.
func (c *cleaner) tag() bool {
	rest := c.src[c.at:]
	if bytes.HasPrefix(rest, []byte("<!--")) {
		if !c.page { // people who read the file as text read the comment too: it may hold a condition
			c.drop(4)
			return true
		}
		end := c.find(rest, "-->")
		if end < 0 {
			return false
		}
		c.drop(end + 3)
		return true
	}
	if c.page && len(rest) > 2 && (rest[1] == '!' || rest[1] == '?') {
		if end := c.tagEnd(rest); end > 0 {
			c.drop(end)
			return true
		}
		return false
	}
	name, closing := tagName(rest)
	if name == "" {
		return false
	}
	end := c.tagEnd(rest)
	if end < 0 || !c.page && !bare(rest[:end], name) {
		return false
	}
	word := " " + name + " "
	switch {
	case strings.Contains(inlineTags, word):
		c.drop(end)
	case strings.Contains(blockTags, word):
		c.drop(end)
		c.block(name)
	case strings.Contains(deadTags, word), c.page && strings.Contains(pageTags, word):
		if !closing && rest[end-2] != '/' {
			end = c.element(rest, end, name)
		}
		c.drop(end)
		c.block(name)
	default:
		return false
	}
	return true
}

// bare reports whether what looks like a tag in a text that is no page has no attributes, or attributes with values.
// <CODE BEGINS> has neither.
func bare(tag []byte, name string) bool {
	inner := bytes.Trim(tag[1:len(tag)-1], "/ ")
	return len(inner) == len(name) || bytes.IndexByte(inner, '=') > 0
}

// block ends the paragraph that a block element ends.
func (c *cleaner) block(name string) {
	if name == "br" && bytes.HasPrefix(bytes.TrimLeft(c.src[c.at:min(len(c.src), c.at+8)], " \r"), []byte("\n")) {
		return
	}
	c.body = append(c.body, '\n')
	if name != "br" && name != "td" && name != "tr" {
		c.body = append(c.body, '\n')
	}
}

// element returns where the element that opened with the tag of length end ends. Headers and footers of articles can
// hold the license itself, so only short ones go.
func (c *cleaner) element(rest []byte, end int, name string) int {
	limit := len(rest)
	if strings.Contains(pageTags, " "+name+" ") && name != "head" {
		limit = min(limit, end+20<<10)
	}
	stop := c.find(rest[end:limit], "</"+name)
	if stop < 0 {
		return end
	}
	if n := c.tagEnd(rest[end+stop:]); n > 0 {
		return end + stop + n
	}
	return end
}

func (c *cleaner) drop(n int) {
	for range bytes.Count(c.src[c.at:c.at+n], []byte{'\n'}) {
		c.breaks = append(c.breaks, int32(len(c.body)))
	}
	c.at += n
}

func tagName(rest []byte) (name string, closing bool) {
	i := 1
	if i < len(rest) && rest[i] == '/' {
		i, closing = i+1, true
	}
	start := i
	for i < len(rest) && i-start < 12 && (isLetter(rest[i]) || isDigit(rest[i]) || rest[i] == ':') {
		i++
	}
	if i == start || i == len(rest) {
		return "", false
	}
	switch rest[i] {
	case '>', '/', ' ', '\t', '\n', '\r':
		return strings.ToLower(string(rest[start:i])), closing
	}
	return "", false
}

// tagEnd returns the length of the tag at the start of rest, quotes honored, -1 if it does not end within 4 kB. All
// calls together look at a bounded number of bytes, so that a page made of unclosed tags costs no more than another.
func (c *cleaner) tagEnd(rest []byte) int {
	var quote byte
	for i := 1; i < len(rest) && i < 4096; i++ {
		if c.looked++; c.looked > 4*MaxBytes {
			return -1
		}
		switch b := rest[i]; {
		case quote != 0:
			if b == quote {
				quote = 0
			}
		case b == '>':
			return i + 1
		case b == '<':
			return -1
		case (b == '"' || b == '\'') && rest[i-1] == '=':
			quote = b
		}
	}
	return -1
}

// find returns where lower occurs in b, case ignored. What was once not found in the rest of the file is not looked for
// again.
func (c *cleaner) find(b []byte, lower string) int {
	if c.missing[lower] {
		return -1
	}
	for i := 0; i+len(lower) <= len(b); i++ {
		n := bytes.IndexByte(b[i:], lower[0])
		if n < 0 || i+n+len(lower) > len(b) {
			break
		}
		i += n
		if bytes.EqualFold(b[i:i+len(lower)], []byte(lower)) {
			return i
		}
	}
	if c.missing == nil {
		c.missing = map[string]bool{}
	}
	c.missing[lower] = true
	return -1
}
