package records

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// Ordered is a mapping whose keys Encode writes in their order.
type Ordered []Entry

// Entry is one key of an Ordered.
type Entry struct {
	Key     string
	Value   any
	Comment string // written above the key, one line or several
}

// MarshalYAML implements yaml.Marshaler.
func (o Ordered) MarshalYAML() (any, error) { return o.node() }

func (o Ordered) node() (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"}
	if len(o) == 0 {
		n.Style = yaml.FlowStyle
	}
	for _, e := range o {
		key, err := text(e.Key)
		if err != nil {
			return nil, err
		}
		value, err := node(e.Value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", e.Key, err)
		}
		key.HeadComment = Comment(e.Comment)
		n.Content = append(n.Content, key, value)
	}
	return n, nil
}

// node is a value for Encode. Texts are not left to the library: it loses line ends of a text of nothing else, and readers
// of YAML 1.1 and 1.2 differ in what a plain word means and in how a block ends. What is more than a plain word stands in
// double quotes.
func node(v any) (*yaml.Node, error) {
	switch v := v.(type) {
	case string:
		return text(v)
	case Ordered:
		return v.node()
	case []string:
		return sequence(v)
	case []Ordered:
		return sequence(v)
	case []any:
		return sequence(v)
	}
	n := &yaml.Node{}
	err := n.Encode(v)
	return n, err
}

func text(s string) (*yaml.Node, error) {
	if !utf8.ValidString(s) {
		return nil, fmt.Errorf("%q is not valid UTF-8", s)
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: s}
	if !plain(s) {
		n.Style = yaml.DoubleQuotedStyle
	}
	return n, nil
}

func sequence[T any](list []T) (*yaml.Node, error) {
	n := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
	if len(list) == 0 {
		n.Style = yaml.FlowStyle
	}
	for _, v := range list {
		c, err := node(v)
		if err != nil {
			return nil, err
		}
		n.Content = append(n.Content, c)
	}
	return n, nil
}

// plain reports whether every reader of YAML takes a text for itself without quotes.
func plain(s string) bool {
	switch strings.ToLower(s) {
	case "", "y", "n", "yes", "no", "on", "off", "true", "false", "null":
		return false
	}
	for i := range len(s) {
		letter := s[i]|0x20 >= 'a' && s[i]|0x20 <= 'z'
		inside := i > 0 && (s[i] >= '0' && s[i] <= '9' || s[i] == '_' || s[i] == '.' || s[i] == '-' || s[i] == '@')
		if !letter && !inside && s[i] != '/' && (s[i] != ':' || i == 0 || i == len(s)-1) {
			return false
		}
	}
	return true
}

// Comment is a text as lines of comment, whatever it holds; "" for no text.
func Comment(text string) string {
	if text == "" {
		return ""
	}
	var lines []string
	for line := range strings.SplitSeq(text, "\n") {
		lines = append(lines, strings.TrimRight("# "+printable.Line(line), " "))
	}
	return strings.Join(lines, "\n")
}
