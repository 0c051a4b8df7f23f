package records

import (
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Placed gives every fault of a record its file and line. A fault begins with the keys that it speaks of, from the
// outermost on, and counts the elements of lists from one: "offers: number 2: card "x": ..." or "measurement 2: ...". One
// that speaks of no key that is there, or of a file that cannot be read, has the file alone.
func Placed(fsys fs.FS, name string, err error) error {
	if err == nil {
		return nil
	}
	data, unread := fs.ReadFile(fsys, name)
	if unread != nil {
		data = nil
	}
	return placed(name, data, err)
}

func placed(name string, data []byte, err error) error {
	root, _ := parse(name, data) // what cannot be read has no lines, and the fault is told all the same
	all := apart(err)
	out := make([]error, len(all))
	for i, fault := range all {
		where := name
		if line := lineOf(root, keysOf(fault.Error())); line > 0 {
			where += ":" + strconv.Itoa(line)
		}
		out[i] = fmt.Errorf("%s: %w", where, fault)
	}
	return errors.Join(out...)
}

// apart takes joined errors apart, also those behind words that hold for all of them, and leaves others as they are.
func apart(err error) []error {
	if inner := errors.Unwrap(err); inner != nil {
		all := apart(inner)
		before, ok := strings.CutSuffix(err.Error(), inner.Error())
		if !ok || len(all) < 2 {
			return []error{err}
		}
		for i := range all {
			all[i] = fmt.Errorf("%s%w", before, all[i])
		}
		return all
	}
	many, ok := err.(interface{ Unwrap() []error })
	if !ok {
		return []error{err}
	}
	var texts []string
	var all []error
	for _, e := range many.Unwrap() {
		texts = append(texts, e.Error())
		all = append(all, apart(e)...)
	}
	if strings.Join(texts, "\n") != err.Error() {
		return []error{err}
	}
	return all
}

// keysOf are the words of a fault that may be keys: a few from the beginning on.
func keysOf(fault string) []string {
	const few, most = 8, 400
	fault, _, _ = strings.Cut(fault[:min(len(fault), most)], "\n")
	words := strings.FieldsFunc(fault, func(r rune) bool { return strings.ContainsRune(" :,.", r) })
	return words[:min(few, len(words))]
}

// lineOf follows keys as far as they lead; 0 is nowhere.
func lineOf(n *yaml.Node, keys []string) int {
	line := 0
	for n != nil && len(keys) > 0 {
		var at *yaml.Node // what the line is of
		used := 1
		switch word := keys[0]; {
		case line > 0 && strings.HasPrefix(word, `"`): // the name of an element, after its number
			at = n
		case n.Kind == yaml.MappingNode:
			at, n, used = member(n, keys)
		case n.Kind == yaml.SequenceNode && word == "number" && len(keys) > 1:
			n, used = element(n, keys[1]), 2
			at = n
		}
		if at == nil {
			break
		}
		line, keys = at.Line, keys[used:]
	}
	return line
}

// member finds the value of a key, or the element of a list that the singular of its key counts: "measurement 2".
func member(n *yaml.Node, keys []string) (at, value *yaml.Node, used int) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch key, v := n.Content[i], n.Content[i+1]; {
		case key.Value == keys[0]:
			return key, v, 1
		case key.Value == keys[0]+"s" && len(keys) > 1:
			if e := element(v, keys[1]); e != nil {
				return e, e, 2
			}
		}
	}
	return nil, nil, 0
}

func element(n *yaml.Node, number string) *yaml.Node {
	i, err := strconv.Atoi(number)
	if n.Kind != yaml.SequenceNode || err != nil || i < 1 || i > len(n.Content) {
		return nil
	}
	return n.Content[i-1]
}
