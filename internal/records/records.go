// Package records is the only door to YAML. Files of ours and of the user (catalogues, company facts, policies) are
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
	"maps"
	"path"
	"reflect"
	"slices"
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
	// comma has become a node of 150 bytes.
	maxMarks = 800_000
)

// Decode reads one strict YAML document into v, a pointer to a struct. The name is used in errors only. All faults of
// the document come back joined, each with its line.
func Decode(name string, data []byte, v any) error {
	root, err := parse(name, data)
	if err != nil {
		return err
	}
	if err := check(name, root, strict); err != nil {
		return err
	}
	return decodeNode(name, root, v)
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
	if err := decodeNode(name, root, &v); err != nil {
		return nil, err
	}
	return v, nil
}

// parse reads the first document as nodes and refuses a second one. It returns nil for an empty document. A panic of
// the library (it had several) becomes an error that names the file.
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
		return nil, fmt.Errorf("%s: reading YAML: %w", name, shorter(err))
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
	var faults []error
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
			faults = append(faults, forbidden(name, it.n)...)
		}
		if it.n.Kind == yaml.AliasNode {
			stack = append(stack, item{it.n.Alias, it.depth + 1})
		}
		for _, c := range it.n.Content {
			stack = append(stack, item{c, it.depth + 1})
		}
	}
	return errors.Join(faults...)
}

func mappingKeys(n *yaml.Node) int {
	if n.Kind != yaml.MappingNode {
		return 0
	}
	return len(n.Content) / 2
}

func forbidden(name string, n *yaml.Node) []error {
	var faults []error
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		faults = append(faults, fmt.Errorf("%s:%d: reading YAML: anchors and aliases are not allowed, write the value out", name, n.Line))
	}
	switch n.ShortTag() {
	case "!!str", "!!int", "!!float", "!!bool", "!!null", "!!map", "!!seq", "!!timestamp", "":
	default:
		faults = append(faults, fmt.Errorf("%s:%d: reading YAML: tag or key %s is not allowed", name, n.Line, n.ShortTag()))
	}
	return faults
}

// decodeNode gives the nodes a type. Unknown keys are found here and not by the library, which cannot do so for nodes.
func decodeNode(name string, root *yaml.Node, v any) (err error) {
	if root == nil {
		return fmt.Errorf("%s: reading YAML: the file is empty", name)
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%s: reading YAML: the text is not valid YAML", name)
		}
	}()
	faults := unknownKeys(name, root, reflect.TypeOf(v))
	if err := root.Decode(v); err != nil {
		faults = append(faults, located(name, err)...)
	}
	return errors.Join(faults...)
}

// unknownKeys lists the keys that have no field in t, with their lines and the keys there are.
func unknownKeys(name string, n *yaml.Node, t reflect.Type) []error {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	var faults []error
	switch {
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct && !reflect.PointerTo(t).Implements(unmarshaler) && !reflect.PointerTo(t).Implements(textUnmarshaler):
		fields := fieldsOf(t)
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			ft, ok := fields[key.Value]
			if !ok {
				faults = append(faults, fmt.Errorf("%s:%d: unknown key %q, want one of %s", name, key.Line, key.Value,
					strings.Join(slices.Sorted(maps.Keys(fields)), ", ")))
				continue
			}
			faults = append(faults, unknownKeys(name, n.Content[i+1], ft)...)
		}
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		for i := 0; i+1 < len(n.Content); i += 2 {
			faults = append(faults, unknownKeys(name, n.Content[i+1], t.Elem())...)
		}
	case n.Kind == yaml.SequenceNode && (t.Kind() == reflect.Slice || t.Kind() == reflect.Array):
		for _, c := range n.Content {
			faults = append(faults, unknownKeys(name, c, t.Elem())...)
		}
	}
	return faults
}

var (
	unmarshaler     = reflect.TypeFor[yaml.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[interface{ UnmarshalText([]byte) error }]()
)

// fieldsOf maps the YAML keys of a struct to the types of their fields, following the library's rules for names.
func fieldsOf(t reflect.Type) map[string]reflect.Type {
	fields := make(map[string]reflect.Type, t.NumField())
	for f := range t.Fields() {
		if !f.IsExported() {
			continue
		}
		tag, opts, _ := strings.Cut(f.Tag.Get("yaml"), ",")
		switch {
		case tag == "-":
		case opts == "inline":
			maps.Copy(fields, fieldsOf(f.Type))
		case tag == "":
			fields[strings.ToLower(f.Name)] = f.Type
		default:
			fields[tag] = f.Type
		}
	}
	return fields
}

// located turns the library's errors ("line 3: cannot ...") into one error a fault, each with the file.
func located(name string, err error) []error {
	te, ok := errors.AsType[*yaml.TypeError](err)
	if !ok {
		return []error{fmt.Errorf("%s: %w", name, shorter(err))}
	}
	faults := make([]error, len(te.Errors))
	for i, s := range te.Errors {
		if rest, ok := strings.CutPrefix(s, "line "); ok {
			line, msg, _ := strings.Cut(rest, ": ")
			s = line + ": " + msg
		}
		faults[i] = fmt.Errorf("%s:%s", name, s)
	}
	return faults
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
		return nil, fmt.Errorf("%s: %w", name, err)
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
