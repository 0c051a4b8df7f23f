package strictjson

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"
)

// DefaultLimit is the largest text read when the caller names no limit.
const DefaultLimit = 16 << 20

// MaxValues is how many values a text may hold: sixteen bytes of memory each, and a real listing of a hub needs about
// one for every 30 bytes of text.
const MaxValues = 4 << 20

// ErrTooLarge is wrapped by the error for a text over a limit: not read, so nothing is known about it.
var ErrTooLarge = errors.New("too large to read")

// Kind is what a value is.
type Kind int

// The kinds of values. The zero Value is Null.
const (
	Null Kind = iota
	Bool
	Number
	String
	Array
	Object
)

func (k Kind) String() string {
	return [...]string{"null", "a boolean", "a number", "a string", "an array", "an object"}[k]
}

// Value is a place in a parsed text. Getters by key take a member of an object: ok is false and err nil when the key is
// absent or null, since published files write null for "not set"; another kind than asked for is an error that names
// path, line and value.
type Value struct {
	doc   *document
	index int
}

// document is the text and, for each value in the order of the text, where it is. Children follow their parent.
type document struct {
	text  string
	nodes []node
}

type node struct {
	key   uint32 // offset of the quote that opens the key; 0 for an element of an array and for the root
	start uint32
	end   uint32
	next  uint32 // index of the first node that is not inside this one
}

// Parse reads one JSON text of at most limit bytes (DefaultLimit if limit is not positive). An object under one of the
// keys called dictionaries holds names, not fields ("label2id", "vocab", "weight_map"): there, keys may differ by case.
func Parse(r io.Reader, limit int64, dictionaries ...string) (Value, error) {
	if limit <= 0 {
		limit = DefaultLimit
	}
	limit = min(limit, math.MaxInt32)
	var b strings.Builder
	if known, ok := r.(interface{ Len() int }); ok { // as a bytes.Reader tells: no room is made twice
		b.Grow(int(min(int64(known.Len()), limit+1)))
	}
	n, err := io.Copy(&b, io.LimitReader(r, limit+1))
	if err != nil {
		return Value{}, err
	}
	if n > limit {
		return Value{}, fmt.Errorf("longer than %d bytes: %w", limit, ErrTooLarge)
	}
	return parse(b.String(), dictionaries)
}

func parse(text string, dictionaries []string) (Value, error) {
	s, err := NewScanner(text)
	if err != nil {
		return Value{}, err
	}
	nodes := make([]node, 0, min(1+len(text)/16, MaxValues)) // about as many as published files have
	b := builder{Scanner: s, doc: &document{text, nodes}, dictionaries: dictionaries}
	if err := b.value(0, ""); err != nil {
		return Value{}, err
	}
	if err := s.End(); err != nil {
		return Value{}, err
	}
	return Value{doc: b.doc}, nil
}

type builder struct {
	*Scanner
	doc          *document
	dictionaries []string
}

func (b *builder) value(keyAt int, key string) error {
	b.space()
	if len(b.doc.nodes) == MaxValues {
		return fmt.Errorf("more than %d values: %w", MaxValues, ErrTooLarge)
	}
	i := len(b.doc.nodes)
	b.doc.nodes = append(b.doc.nodes, node{key: uint32(keyAt), start: uint32(b.pos)})
	if err := b.content(key); err != nil {
		return err
	}
	b.doc.nodes[i].end, b.doc.nodes[i].next = uint32(b.pos), uint32(len(b.doc.nodes))
	return nil
}

func (b *builder) content(key string) error {
	switch b.peek() {
	case '{':
		same := similar
		if slices.Contains(b.dictionaries, key) {
			same = equal
		}
		return b.object(same, func(key string) error { return b.value(b.keyAt, key) })
	case '[':
		return b.Array(func() error { return b.value(0, "") })
	}
	return b.scalar()
}

// Kind is what the value is.
func (v Value) Kind() Kind {
	if v.doc == nil {
		return Null
	}
	switch v.doc.text[v.node().start] {
	case '{':
		return Object
	case '[':
		return Array
	case '"':
		return String
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	}
	return Number
}

// Line is the line of the value, or of its key if it has one, counted from 1; 0 for the zero Value.
func (v Value) Line() int {
	if v.doc == nil {
		return 0
	}
	n := v.node()
	if n.key > 0 {
		return lineAt(v.doc.text, int(n.key))
	}
	return lineAt(v.doc.text, int(n.start))
}

// Raw is the text of the value as it stands in the file.
func (v Value) Raw() string {
	if v.doc == nil {
		return "null"
	}
	n := v.node()
	return v.doc.text[n.start:n.end]
}

// Members yields the members of an object in the order of the file, and nothing for another kind.
func (v Value) Members() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if v.Kind() != Object {
			return
		}
		for child := range v.children() {
			if !yield(child.name(), child) {
				return
			}
		}
	}
}

// Elements yields the elements of an array, and nothing for another kind.
func (v Value) Elements() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.Kind() == Array {
			v.children()(yield)
		}
	}
}

// Keys are the keys of an object in the order of the file.
func (v Value) Keys() []string {
	var keys []string
	for k := range v.Members() {
		keys = append(keys, k)
	}
	return keys
}

// Len counts the members of an object or the elements of an array.
func (v Value) Len() int {
	n := 0
	for range v.children() {
		n++
	}
	return n
}

// Get follows keys through nested objects. It looks through the members one by one: for a large dictionary, use
// Members once.
func (v Value) Get(path ...string) (Value, bool) {
	for _, key := range path {
		child, ok := v.member(key)
		if !ok {
			return Value{}, false
		}
		v = child
	}
	return v, true
}

func (v Value) member(key string) (Value, bool) {
	for k, child := range v.Members() {
		if k == key {
			return child, true
		}
	}
	return Value{}, false
}

func (v Value) node() node { return v.doc.nodes[v.index] }

func (v Value) children() iter.Seq[Value] {
	return func(yield func(Value) bool) {
		if v.doc == nil {
			return
		}
		end := int(v.node().next)
		for i := v.index + 1; i < end; i = int(v.doc.nodes[i].next) {
			if !yield(Value{v.doc, i}) {
				return
			}
		}
	}
}

func (v Value) name() string { return decode(v.doc.text, int(v.node().key)) }

// decode reads a string again that was found to be correct when the text was parsed.
func decode(text string, pos int) string {
	s, _ := (&Scanner{text: text, pos: pos}).quoted()
	return s
}

// Path is where the value stands, such as text_config.layers[3]; empty for the root.
func (v Value) Path() string {
	if v.doc == nil {
		return ""
	}
	var b strings.Builder
	for at := (Value{doc: v.doc}); at.index != v.index; {
		at = at.step(v.index, &b)
	}
	return strings.TrimPrefix(b.String(), ".")
}

// step goes down to the child that holds the node with the index, and writes how.
func (v Value) step(index int, b *strings.Builder) Value {
	n := 0
	for child := range v.children() {
		if index >= int(child.node().next) {
			n++
			continue
		}
		if child.node().key == 0 {
			fmt.Fprintf(b, "[%d]", n)
		} else {
			b.WriteString(segment(child.name()))
		}
		return child
	}
	panic("strictjson: a value outside of its document")
}

func segment(key string) string {
	for _, r := range key {
		if r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') {
			return "[" + shorten(key) + "]"
		}
	}
	if key == "" || len(key) > 60 {
		return "[" + shorten(key) + "]"
	}
	return "." + key
}

// ValueError says that a value is not what the reader of the file needs.
type ValueError struct {
	Path   string // of the value; empty for the root
	Line   int
	Reason string
}

func (e *ValueError) Error() string {
	path := e.Path
	if path == "" {
		path = "the value"
	}
	return fmt.Sprintf("line %d: %s %s", e.Line, path, e.Reason)
}

// Errorf is an error about this value, with its path and line: v.Errorf("is 0, want at least one head").
func (v Value) Errorf(format string, args ...any) error {
	return &ValueError{Path: v.Path(), Line: v.Line(), Reason: fmt.Sprintf(format, args...)}
}

func (v Value) mismatch(want Kind) error {
	switch v.Kind() {
	case Array, Object, Null:
		return v.Errorf("is %s, want %s", v.Kind(), want)
	default:
		return v.Errorf("is %s, want %s", shown(v.Raw()), want)
	}
}

// shown is a scalar for an error; strings keep their quotes.
func shown(raw string) string {
	const most = 60
	if len(raw) <= most && !strings.ContainsFunc(raw, func(r rune) bool { return r < 0x20 || r > 0x7e }) {
		return raw
	}
	return shorten(raw)
}

// AsString is the text of a string.
func (v Value) AsString() (string, error) {
	if v.Kind() != String {
		return "", v.mismatch(String)
	}
	return decode(v.doc.text, int(v.node().start)), nil
}

// AsBool is the value of a boolean.
func (v Value) AsBool() (bool, error) {
	if v.Kind() != Bool {
		return false, v.mismatch(Bool)
	}
	return v.Raw() == "true", nil
}

// AsInt is the value of an integer.
func (v Value) AsInt() (int64, error) {
	if v.Kind() != Number {
		return 0, v.mismatch(Number)
	}
	n, err := strconv.ParseInt(v.Raw(), 10, 64)
	if err != nil {
		return 0, v.Errorf("%s", notInteger(v.Raw(), "-9223372036854775808 ... 9223372036854775807"))
	}
	return n, nil
}

// AsUint is the value of an integer of 0 or more.
func (v Value) AsUint() (uint64, error) {
	if v.Kind() != Number {
		return 0, v.mismatch(Number)
	}
	n, reason := parseUint(v.Raw())
	if reason != "" {
		return 0, v.Errorf("%s", reason)
	}
	return n, nil
}

func parseUint(raw string) (uint64, string) {
	n, err := strconv.ParseUint(raw, 10, 64)
	switch {
	case err == nil:
		return n, ""
	case raw[0] == '-' && digits(raw[1:]) == len(raw)-1:
		return 0, "is " + shown(raw) + ", want an integer that is not negative"
	}
	return 0, notInteger(raw, "0 ... 18446744073709551615")
}

func notInteger(raw, within string) string {
	if digits(strings.TrimPrefix(raw, "-")) == len(strings.TrimPrefix(raw, "-")) {
		return "is " + shown(raw) + ", out of range, want an integer in " + within
	}
	return "is " + shown(raw) + ", want an integer"
}

// AsFloat is the value of a number that a float64 can hold.
func (v Value) AsFloat() (float64, error) {
	if v.Kind() != Number {
		return 0, v.mismatch(Number)
	}
	f, err := strconv.ParseFloat(v.Raw(), 64)
	if err != nil || math.IsInf(f, 0) || math.IsNaN(f) {
		return 0, v.Errorf("is %s, want a finite number", shown(v.Raw()))
	}
	return f, nil
}

// AsArray is the elements of an array.
func (v Value) AsArray() ([]Value, error) {
	if v.Kind() != Array {
		return nil, v.mismatch(Array)
	}
	return slices.Collect(v.Elements()), nil
}

// AsObject is the value itself if it is an object.
func (v Value) AsObject() (Value, error) {
	if v.Kind() != Object {
		return Value{}, v.mismatch(Object)
	}
	return v, nil
}

// String is the string under the key.
func (v Value) String(key string) (string, bool, error) { return lookup(v, key, Value.AsString) }

// Bool is the boolean under the key.
func (v Value) Bool(key string) (value, ok bool, err error) { return lookup(v, key, Value.AsBool) }

// Int is the integer under the key.
func (v Value) Int(key string) (int64, bool, error) { return lookup(v, key, Value.AsInt) }

// Uint is the integer of 0 or more under the key.
func (v Value) Uint(key string) (uint64, bool, error) { return lookup(v, key, Value.AsUint) }

// Float is the number under the key.
func (v Value) Float(key string) (float64, bool, error) { return lookup(v, key, Value.AsFloat) }

// Array is the elements of the array under the key.
func (v Value) Array(key string) ([]Value, bool, error) { return lookup(v, key, Value.AsArray) }

// Object is the object under the key.
func (v Value) Object(key string) (Value, bool, error) { return lookup(v, key, Value.AsObject) }

// Strings is the array of strings under the key.
func (v Value) Strings(key string) ([]string, bool, error) { return list(v, key, Value.AsString) }

// Uints is the array of integers of 0 or more under the key.
func (v Value) Uints(key string) ([]uint64, bool, error) { return list(v, key, Value.AsUint) }

func lookup[T any](v Value, key string, as func(Value) (T, error)) (value T, ok bool, err error) {
	if v.Kind() != Object {
		return value, false, v.mismatch(Object)
	}
	child, found := v.member(key)
	if !found || child.Kind() == Null {
		return value, false, nil
	}
	value, err = as(child)
	return value, err == nil, err
}

func list[T any](v Value, key string, as func(Value) (T, error)) ([]T, bool, error) {
	elements, ok, err := v.Array(key)
	if !ok {
		return nil, false, err
	}
	values := make([]T, 0, len(elements))
	for _, e := range elements {
		value, err := as(e)
		if err != nil {
			return nil, false, err
		}
		values = append(values, value)
	}
	return values, true, nil
}
