// Package records is the only door to YAML. Files of ours and of the user (catalogs, company facts, policies) are
// decoded strictly: one document, no unknown key, no alias, no merge key, no foreign tag, every fault with file and
// line. Front matter written by strangers is decoded loosely, but within the same limits.
//
// gopkg.in/yaml.v3 checks for duplicate keys in quadratic time (434 s for a 4 MB flat map) and follows aliases when it
// decodes into nodes, so everything is decoded to nodes first, counted, and only then given a type.
package records

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"gopkg.in/yaml.v3"
)

// Limits of what is decoded; see Front for those of front matter.
const (
	maxBytes = 4 << 20
	maxNodes = 200_000
	maxKeys  = 10_000 // of one mapping
	maxDepth = 64
	// maxPairs bounds the comparisons of the library's duplicate check over all mappings of a document together: as
	// many as one mapping of maxKeys needs.
	maxPairs = maxKeys * maxKeys
	// maxMarks bounds the bytes that can begin a value, so that a text of nothing but commas is refused before every
	// comma has become a node of 150 bytes. Prose has one such byte in forty.
	maxMarks = 2 * maxNodes
)

// Decode reads one strict YAML document into v, a pointer to a struct. The name is used in errors only. All faults of
// the document come back joined, each with its line.
func Decode(name string, data []byte, v any) error {
	root, err := parse(name, data)
	if err != nil {
		return err
	}
	switch {
	case root == nil:
		return fmt.Errorf("%s: reading YAML: the file is empty", name)
	case root.Kind != yaml.MappingNode:
		return fmt.Errorf("%s:%d: reading YAML: want keys and values", name, root.Line)
	}
	if err := check(name, root, strict); err != nil {
		return err
	}
	return decodeNode(name, root, v, strict)
}

// Front reads YAML written by a stranger, such as the front matter of a card, into plain values: map[string]any, []any,
// string, int, float64, bool, nil. Unknown keys, aliases and any tag are fine; the limits are not.
func Front(name string, data []byte) (map[string]any, error) {
	root, err := parse(name, data)
	if err != nil {
		return nil, err
	}
	if root == nil {
		return nil, nil
	}
	if err := check(name, root, loose); err != nil {
		return nil, err
	}
	if root.Kind != yaml.MappingNode {
		return nil, fmt.Errorf("%s:%d: reading YAML: want keys and values", name, root.Line)
	}
	var v map[string]any
	if err := decodeNode(name, root, &v, loose); err != nil {
		return nil, err
	}
	return v, nil
}

// parse reads the first document as nodes and refuses a second one. It returns nil for an empty document. A panic of
// the library (it had several) becomes an error that names the file.
//
//nolint:nilnil // nil is the empty document
func parse(name string, data []byte) (root *yaml.Node, err error) {
	switch {
	case len(data) > maxBytes:
		return nil, fmt.Errorf("%s: reading YAML: %d bytes are more than %d", name, len(data), maxBytes)
	case marks(data) > maxMarks:
		return nil, fmt.Errorf("%s: reading YAML: more than %d values", name, maxNodes)
	}
	defer func() {
		if r := recover(); r != nil {
			root, err = nil, fmt.Errorf("%s: reading YAML: the text is not valid YAML", name)
		}
	}()
	dec := yaml.NewDecoder(strings.NewReader(string(data)))
	var doc, second yaml.Node
	switch err := dec.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, nil
	case err != nil:
		return nil, joined(name, []fault{{0, "reading YAML: " + shorter(err).Error()}})
	}
	if err := dec.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: reading YAML: more than one document, want one", name)
	}
	if len(doc.Content) == 0 {
		return nil, nil
	}
	return doc.Content[0], nil
}

// marks counts the bytes that can begin a value. Every node but the first costs at least one of them.
func marks(data []byte) int {
	n := 0
	for _, b := range data {
		switch b {
		case '\n', '\r', ',', ':', '-', '?', '[', '{', '*', '&', '!':
			n++
		}
	}
	return n
}

type mode bool

const (
	strict mode = true
	loose  mode = false
)

// check walks the nodes without recursion, counts what they would expand to, and refuses what the mode forbids.
func check(name string, root *yaml.Node, m mode) error {
	type item struct {
		n     *yaml.Node
		depth int
	}
	if root == nil {
		return nil
	}
	var faults []fault
	nodes, pairs, stack := 0, 0, []item{{root, 1}}
	for len(stack) > 0 {
		it := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		nodes++
		keys := mappingKeys(it.n)
		pairs += keys * keys
		switch {
		case nodes > maxNodes:
			return fmt.Errorf("%s:%d: reading YAML: more than %d values", name, it.n.Line, maxNodes)
		case it.depth > maxDepth:
			return fmt.Errorf("%s:%d: reading YAML: nested deeper than %d levels", name, it.n.Line, maxDepth)
		case keys > maxKeys || pairs > maxPairs:
			return fmt.Errorf("%s:%d: reading YAML: more than %d keys", name, it.n.Line, maxKeys)
		}
		if m == strict {
			faults = append(faults, forbidden(it.n)...)
		}
		if it.n.Kind == yaml.AliasNode && m == loose {
			stack = append(stack, item{it.n.Alias, it.depth + 1})
		}
		for _, c := range it.n.Content {
			stack = append(stack, item{c, it.depth + 1})
		}
	}
	return joined(name, faults)
}

func mappingKeys(n *yaml.Node) int {
	if n.Kind != yaml.MappingNode {
		return 0
	}
	return len(n.Content) / 2
}

func forbidden(n *yaml.Node) []fault {
	var faults []fault
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		faults = append(faults, fault{n.Line, "reading YAML: anchors and aliases are not allowed, write the value out"})
	}
	switch tag := n.ShortTag(); tag {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "":
	default:
		faults = append(faults, fault{n.Line, fmt.Sprintf("reading YAML: tag or key %s is not allowed", tag)})
	}
	return faults
}

// decodeNode gives the nodes a type. In strict mode, what the library lets pass or reports without a line is found
// before, and the faults of both come in the order of the file.
func decodeNode(name string, root *yaml.Node, v any, m mode) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: reading YAML: the text is not valid YAML", name)
		}
	}()
	var faults []fault
	if m == strict {
		faults = mistyped(root, reflect.TypeOf(v))
	}
	if err := root.Decode(v); err != nil {
		faults = append(faults, libraryFaults(err)...)
	}
	return joined(name, faults)
}

// fault is what is wrong in one line.
type fault struct {
	line int // 0 if not known
	text string
}

func joined(name string, faults []fault) error {
	slices.SortStableFunc(faults, func(a, b fault) int { return a.line - b.line })
	errs := make([]error, len(faults))
	for i, f := range faults {
		if f.line == 0 {
			errs[i] = fmt.Errorf("%s: %s", name, f.text)
			continue
		}
		errs[i] = fmt.Errorf("%s:%d: %s", name, f.line, f.text)
	}
	return errors.Join(errs...)
}

// libraryFaults takes the errors of the library apart: "line 3: cannot ...".
func libraryFaults(err error) []fault {
	te, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return []fault{lined(shorter(err).Error())}
	}
	faults := make([]fault, len(te.Errors))
	for i, s := range te.Errors {
		faults[i] = lined(s)
	}
	return faults
}

func lined(s string) fault {
	rest, ok := strings.CutPrefix(s, "line ")
	number, text, found := strings.Cut(rest, ": ")
	if n, err := strconv.Atoi(number); ok && found && err == nil {
		return fault{n, text}
	}
	return fault{0, s}
}

func shorter(err error) error {
	return errors.New(strings.TrimPrefix(err.Error(), "yaml: "))
}

// Load decodes every *.yaml file of a folder into a record of its own, by the file's name without the ending. The
// check is told the id that the name promises and reports what is wrong with the record. All faults of all files come
// back joined. A folder without a record is a fault.
func Load[T any](fsys fs.FS, dir string, check func(id string, v *T) error) (map[string]*T, error) {
	entries, err := fs.ReadDir(fsys, dir)
	if err != nil {
		return nil, fmt.Errorf("reading the records of %s: %w", dir, err)
	}
	out := make(map[string]*T, len(entries))
	var faults []error
	for _, e := range entries {
		id, ok := strings.CutSuffix(e.Name(), ".yaml")
		if !ok || e.IsDir() {
			continue
		}
		v, err := One(fsys, path.Join(dir, e.Name()), id, check)
		if err != nil {
			faults = append(faults, err)
			continue
		}
		out[id] = v
	}
	if len(out) == 0 && len(faults) == 0 {
		faults = append(faults, fmt.Errorf("reading the records of %s: there is no file *.yaml", dir))
	}
	return out, errors.Join(faults...)
}

// One decodes the record of one file. The error wraps fs.ErrNotExist if there is no such file.
func One[T any](fsys fs.FS, name, id string, check func(id string, v *T) error) (*T, error) {
	data, err := fs.ReadFile(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("reading record %s: %w", name, err)
	}
	v := new(T)
	if err := Decode(name, data, v); err != nil {
		return nil, err
	}
	if err := check(id, v); err != nil {
		return nil, placed(name, data, err)
	}
	return v, nil
}

// Encode writes a record as YAML, as Decode reads it.
func Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := yaml.NewEncoder(&b)
	enc.SetIndent(2)
	if err := errors.Join(enc.Encode(v), enc.Close()); err != nil {
		return nil, fmt.Errorf("writing YAML: %w", err)
	}
	return b.Bytes(), nil
}
