// Package gguf reads the header of a GGUF file: its keys and values, and name, number format, shape and place of each
// tensor. It never reads weights, and of a list of tokens only the length.
//
// The bytes come from a stranger, often by ranges over a network. Each length and count is compared with what the file
// still holds before anything is allocated; products are counted in 128 bits; nothing recurses; fixed-size arrays are
// stepped over without being fetched. Reading stays below 64 MiB of memory whatever the file says, and what is too
// large to keep is refused or named in Gaps, never left out in silence.
//
// The format is described in docs/gguf.md of ggml-org/ggml; where it is vague, we follow what ggml/src/gguf.cpp reads.
package gguf

import (
	"fmt"
	"io"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/weights"
)

// The limits. Those on what is kept follow from the 64 MiB; they are far above any published model, whose keys have
// under 1 MiB and whose tensors are a few thousand.
const (
	maxFetched   = 256 << 20
	maxString    = 16 << 20
	maxArray     = 64 << 20
	maxNesting   = 4
	maxDims      = 4
	maxKeys      = 65_536
	maxTensors   = 1_000_000
	maxKey       = 65_535 // the format's own
	maxName      = 1024
	minAlignment = 8
	maxAlignment = 65_536

	keptString  = 1 << 20  // the longest string kept
	keptArray   = 4096     // the longest array kept, in elements
	keptValues  = 8 << 20  // keys and kept values together
	keptTensors = 20 << 20 // descriptions of tensors together
)

// The smallest records: a key of one character with a value of one byte; a tensor without name and dimensions.
const (
	smallestKeyValue = 8 + 1 + 4 + 1
	smallestTensor   = 8 + 4 + 4 + 8
	tensorMemory     = 72 // of a Tensor, without name and dimensions
)

const defaultAlignment = 32

// Header is what the file says before its weights begin.
type Header struct {
	Version    uint32
	Values     []KeyValue // in the order of the file
	Tensors    []Tensor   // in the order of the file
	Alignment  uint64
	DataOffset int64    // where in the file the data of the tensors begin
	Gaps       []string // what was found and could not be kept or judged, in words

	index map[string]int
}

// KeyValue is one entry of the header.
type KeyValue struct {
	Key   string
	Value Value
}

// Read reads the header of a file of the given size. With a negative size, the end of the file is not known, and that
// the tensors lie inside of it is not checked.
//
// A fault of the file is an *Error; any other error is of r.
func Read(r io.ReaderAt, size int64) (*Header, error) {
	p := &parser{cursor: newCursor(r, size), h: &Header{index: map[string]int{}, Alignment: defaultAlignment}}
	if err := p.read(); err != nil {
		return nil, err
	}
	return p.h, nil
}

type parser struct {
	*cursor
	h       *Header
	kept    uint64 // bytes of keys and values
	tensors uint64 // bytes of descriptions of tensors
}

func (p *parser) read() error {
	if err := p.magic(); err != nil {
		return err
	}
	if err := p.version(); err != nil {
		return err
	}
	tensors, err := p.count("tensors", maxTensors, smallestTensor)
	if err != nil {
		return err
	}
	keys, err := p.count("keys", maxKeys, smallestKeyValue)
	if err != nil {
		return err
	}
	if err := p.keyValues(keys); err != nil {
		return err
	}
	if err := p.alignment(); err != nil {
		return err
	}
	if err := p.tensorInfos(tensors); err != nil {
		return err
	}
	return p.place()
}

func (p *parser) magic() error {
	b, err := p.take(4, "the magic number")
	if err != nil {
		return err
	}
	switch string(b) {
	case "GGUF":
		return nil
	case "lmgg", "fmgg", "tjgg", "algg":
		return &Error{Unsupported, 0, "a GGML file from before GGUF; convert it to GGUF with llama.cpp"}
	}
	if kind := weights.Sniff(slices.Concat(b, p.ahead())); kind != weights.Unknown {
		return &Error{Malformed, 0, "not a GGUF file: it begins like a " + kind.String()}
	}
	return &Error{Malformed, 0, "not a GGUF file: it does not begin with GGUF"}
}

func (p *parser) version() error {
	v, err := p.uint32("the version")
	if err != nil {
		return err
	}
	p.h.Version = v
	switch {
	case v == 2 || v == 3:
		return nil
	case v == 0:
		return &Error{Malformed, 4, "version 0 does not exist"}
	case v == 1:
		return &Error{Unsupported, 4, "version 1 of GGUF is not supported; convert the model again with a current llama.cpp"}
	case v&0xffff == 0:
		return &Error{Unsupported, 4, "a big-endian GGUF file is not supported; convert the model for a little-endian system"}
	}
	reason := fmt.Sprintf("version %d of GGUF is newer than this program, which reads up to 3; update it", v)
	return &Error{Unsupported, 4, reason}
}

// count reads how many records follow; they must fit in the file at their smallest.
func (p *parser) count(what string, limit, smallest uint64) (uint64, error) {
	n, err := p.uint64("the number of " + what)
	if err != nil {
		return 0, err
	}
	if n > limit {
		return 0, p.fail(TooLarge, "%d %s, more than %d", n, what, limit)
	}
	return n, p.want(n*smallest, fmt.Sprintf("a header with %d %s", n, what))
}

func (p *parser) keyValues(n uint64) error {
	p.h.Values = make([]KeyValue, 0, n)
	for range n {
		at := p.pos
		key, err := p.text(maxKey, "a key")
		if err != nil {
			return err
		}
		if reason := p.badKey(key); reason != "" {
			return &Error{Malformed, at, reason}
		}
		if err := p.keep(uint64(len(key))); err != nil {
			return err
		}
		t, err := p.uint32("the type of " + key)
		if err != nil {
			return err
		}
		v, err := p.value(ValueType(t), key)
		if err != nil {
			return err
		}
		p.h.index[key] = len(p.h.Values)
		p.h.Values = append(p.h.Values, KeyValue{key, v})
	}
	return nil
}

func (p *parser) badKey(key string) string {
	_, twice := p.h.index[key]
	switch {
	case key == "":
		return "an empty key"
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return fmt.Sprintf("the key %s is not text", printable.Quote(key))
	case twice:
		return fmt.Sprintf("the key %s appears twice", printable.Quote(key))
	}
	return ""
}

// keep counts bytes that stay in memory for good.
func (p *parser) keep(n uint64) error {
	if p.kept+n > keptValues {
		return p.fail(TooLarge, "keys of more than %d MiB in all", keptValues>>20)
	}
	p.kept += n
	return nil
}

func (p *parser) value(t ValueType, key string) (Value, error) {
	switch t {
	case String:
		return p.stringValue(key)
	case Array:
		return p.arrayValue(key)
	default:
		return p.scalar(t, key)
	}
}

// scalar reads a value of fixed size.
func (p *parser) scalar(t ValueType, key string) (Value, error) {
	if t.size() == 0 {
		return Value{}, p.fail(Unsupported, "%s has %s, which is not known", printable.Quote(key), t)
	}
	b, err := p.take(int(t.size()), printable.Quote(key))
	if err != nil {
		return Value{}, err
	}
	v := Value{Type: t, Kept: true, scalar: little(b)}
	if t == Bool && v.scalar > 1 {
		return Value{}, p.fail(Malformed, "%s is a boolean of %d, want 0 or 1", printable.Quote(key), v.scalar)
	}
	return v, nil
}

func (p *parser) stringValue(key string) (Value, error) {
	n, err := p.length(maxString, "the string of "+printable.Quote(key))
	if err != nil {
		return Value{}, err
	}
	v := Value{Type: String, Len: n}
	if n > keptString || p.kept+n > keptValues {
		p.gap("value of %s not kept: a string of %d bytes", printable.Quote(key), n)
		return v, p.skip(n, printable.Quote(key))
	}
	b, err := p.take(int(n), printable.Quote(key))
	if err != nil {
		return Value{}, err
	}
	v.raw, v.Kept = string(b), true
	return v, p.keep(n)
}

func (p *parser) arrayValue(key string) (Value, error) {
	elem, n, err := p.array(printable.Quote(key))
	if err != nil {
		return Value{}, err
	}
	v := Value{Type: Array, Elem: elem, Len: n}
	switch {
	case n > keptArray || elem == Array:
		return v, p.skipElements(elem, n, printable.Quote(key))
	case elem == String:
		return p.stringsValue(v, key)
	case p.kept+n*elem.size() > keptValues:
		p.gap("value of %s not kept: %s", printable.Quote(key), v)
		return v, p.skip(n*elem.size(), printable.Quote(key))
	}
	b, err := p.take(int(n*elem.size()), printable.Quote(key))
	if err != nil {
		return Value{}, err
	}
	v.raw, v.Kept = string(b), true
	return v, p.keep(uint64(len(b)))
}

// stringsValue keeps a short array of strings as long as there is room; then it steps over the rest.
func (p *parser) stringsValue(v Value, key string) (Value, error) {
	list := make([]string, 0, v.Len)
	for i := range v.Len {
		n, err := p.length(maxString, "a string of "+printable.Quote(key))
		if err != nil {
			return Value{}, err
		}
		if cost := n + 16; n <= keptString && p.kept+cost <= keptValues {
			b, err := p.take(int(n), printable.Quote(key))
			if err != nil {
				return Value{}, err
			}
			list, p.kept = append(list, string(b)), p.kept+cost
			continue
		}
		p.gap("value of %s not kept: an array of %d strings, one or all of them long", printable.Quote(key), v.Len)
		if err := p.skip(n, printable.Quote(key)); err != nil {
			return Value{}, err
		}
		return v, p.skipElements(String, v.Len-i-1, printable.Quote(key))
	}
	v.text, v.Kept = list, true
	return v, nil
}

// array reads the type and the number of the elements of an array; they must fit in the file at their smallest.
func (p *parser) array(what string) (ValueType, uint64, error) {
	t, err := p.uint32(what)
	if err != nil {
		return 0, 0, err
	}
	n, err := p.uint64(what)
	if err != nil {
		return 0, 0, err
	}
	elem := ValueType(t)
	switch {
	case elem.smallest() == 0:
		return 0, 0, p.fail(Unsupported, "%s is an array of %s, which is not known", what, elem)
	case n > maxArray:
		return 0, 0, p.fail(TooLarge, "%s is an array of %d elements, more than %d", what, n, maxArray)
	}
	if size := n * elem.smallest(); size > p.left() {
		return 0, 0, p.want(size, fmt.Sprintf("the array of %s with %d elements", what, n))
	}
	return elem, n, nil
}

// skipElements steps over n elements. Arrays inside of arrays are counted on a stack of fixed height.
func (p *parser) skipElements(elem ValueType, n uint64, what string) error {
	type level struct {
		elem ValueType
		left uint64
	}
	var stack [maxNesting]level
	stack[0] = level{elem, n}
	for top := 0; top >= 0; {
		l := &stack[top]
		if l.left == 0 {
			top--
			continue
		}
		if l.elem != Array {
			if err := p.skipFlat(l.elem, l.left, what); err != nil {
				return err
			}
			l.left = 0
			continue
		}
		if top+1 == maxNesting {
			return p.fail(TooLarge, "%s has arrays nested deeper than %d", what, maxNesting)
		}
		l.left--
		elem, n, err := p.array(what)
		if err != nil {
			return err
		}
		top++
		stack[top] = level{elem, n}
	}
	return nil
}

func (p *parser) skipFlat(elem ValueType, n uint64, what string) error {
	if elem != String {
		return p.skip(n*elem.size(), what)
	}
	for range n {
		length, err := p.length(maxString, what)
		if err != nil {
			return err
		}
		p.pos += int64(length)
	}
	return nil
}

func (p *parser) alignment() error {
	v, ok := p.h.Get("general.alignment")
	if !ok {
		return nil
	}
	if v.Type != Uint32 {
		return p.fail(Malformed, "general.alignment is of type %s, want uint32", v.Type)
	}
	a := v.scalar
	if a < minAlignment || a > maxAlignment || bits.OnesCount64(a) != 1 {
		return p.fail(Malformed, "general.alignment is %d, want a power of two in %d ... %d", a, minAlignment, maxAlignment)
	}
	p.h.Alignment = a
	return nil
}

func (p *parser) gap(format string, args ...any) {
	p.h.Gaps = append(p.h.Gaps, fmt.Sprintf(format, args...))
}
