package records

import (
	"fmt"

	"gopkg.in/yaml.v3"
)

// Key is one key of front matter with its values as they are written.
type Key struct {
	Line   int
	Values []Value // one for a plain value, several for a list; none for null, an empty text or an empty list
	Odd    bool    // it holds something else than a value or a list of values: a mapping, a list in a list, binary
}

// Value is a plain value as it is written: 1.0 stays 1.0, no stays no.
type Value struct {
	Text string
	Line int
}

// Keys reads the top level of front matter within the limits of Front, and keeps what Front loses: the spelling and
// the line of every value. A key that is written twice and a merge key are faults, because it would be for us to choose
// which one counts.
func Keys(name string, data []byte) (map[string]Key, error) {
	root, err := parse(name, data)
	if err != nil || root == nil {
		return nil, err
	}
	if err := check(name, root, loose); err != nil {
		return nil, err
	}
	root = resolved(root)
	switch {
	case root.Kind == yaml.ScalarNode && root.ShortTag() == "!!null":
		return nil, nil // comments only
	case root.Kind != yaml.MappingNode:
		return nil, fmt.Errorf("%s:%d: reading YAML: want keys and values", name, root.Line)
	}
	keys := make(map[string]Key, len(root.Content)/2)
	for i := 0; i+1 < len(root.Content); i += 2 {
		k := resolved(root.Content[i])
		if _, twice := keys[k.Value]; twice {
			return nil, fmt.Errorf("%s:%d: reading YAML: key %q is there twice", name, k.Line, k.Value)
		}
		if k.Kind != yaml.ScalarNode || k.ShortTag() == "!!merge" {
			return nil, fmt.Errorf("%s:%d: reading YAML: a key is not a plain word", name, root.Content[i].Line)
		}
		keys[k.Value] = keyOf(root.Content[i].Line, resolved(root.Content[i+1]))
	}
	return keys, nil
}

func keyOf(line int, n *yaml.Node) Key {
	k := Key{Line: line}
	if n.Kind != yaml.SequenceNode {
		k.add(n)
		return k
	}
	for _, c := range n.Content {
		k.add(resolved(c))
	}
	return k
}

func (k *Key) add(n *yaml.Node) {
	switch {
	case n.Kind != yaml.ScalarNode || !plainTag(n.ShortTag()):
		k.Odd = true
	case n.ShortTag() != "!!null" && n.Value != "":
		k.Values = append(k.Values, Value{Text: n.Value, Line: n.Line})
	}
}

func plainTag(tag string) bool {
	switch tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!timestamp", "":
		return true
	}
	return false
}

// resolved follows aliases. The chain is short: check has counted it.
func resolved(n *yaml.Node) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	return n
}
