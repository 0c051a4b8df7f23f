// Package safetensors reads the header of a safetensors file: the metadata, and name, number format, shape and place of
// each tensor; and the index of a model in several files. It never reads weights.
//
// The rules are those of the format's own reader (safetensors/src/tensor.rs): a header of at most 100,000,000 bytes, no
// name twice, data that begin at 0, follow each other without hole or overlap and end with the file. A number format
// that we do not know is named in Gaps and is no accusation.
//
// The header is held once as text, and names are parts of it; no tree of it is built. That is 350 MiB at most for the
// longest header, and a few times the header otherwise.
package safetensors

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/strictjson"
	"github.com/llmcheck/llmcheck/internal/weights"
)

// The limits. MaxHeader is the format's own; the others keep the memory of the longest header in bounds and are far
// above any published model, with tens of thousands of tensors of at most five dimensions.
const (
	MaxHeader  = 100_000_000
	maxTensors = 1_000_000
	maxRank    = 64
	maxDims    = 8 << 20 // of all tensors together
)

// Why says what kind of fault an Error is.
type Why int

// Cut: the file ends too early, fetch it again. Malformed: the bytes contradict the format or themselves. TooLarge: a
// limit of ours was reached.
const (
	Cut Why = iota + 1
	Malformed
	TooLarge
)

// Error is a fault of the file, as opposed to a fault of reading it.
type Error struct {
	Why    Why
	Reason string
}

func (e *Error) Error() string { return "safetensors header: " + e.Reason }

func fail(why Why, format string, args ...any) error {
	return &Error{why, fmt.Sprintf(format, args...)}
}

// Header is what the file says before its weights begin.
type Header struct {
	Metadata   map[string]string // __metadata__; nil if there is none
	Tensors    []Tensor          // in the order of the header
	DataOffset int64             // where in the file the data of the tensors begin
	Also       []weights.Kind    // other containers that a reader may take the file for, by its first bytes
	Gaps       []string          // what was found and could not be judged, in words
}

// Tensor is the description of a tensor. Begin and End count from Header.DataOffset.
type Tensor struct {
	Name       string
	DType      DType
	Shape      []uint64
	Begin, End uint64
}

// Elements is the product of the shape, which was found to fit when the header was read.
func (t Tensor) Elements() uint64 {
	n, _ := product(t.Shape)
	return n
}

// Read reads the header of a file of the given size. With a negative size, the end of the file is not known, and that
// it is the end of the last tensor is not checked.
//
// A fault of the file is an *Error; any other error is of r.
func Read(r io.ReaderAt, size int64) (*Header, error) {
	text, head, err := headerText(r, size)
	if err != nil {
		return nil, err
	}
	p := parser{h: &Header{DataOffset: int64(len(text)) + lengthSize}}
	p.h.Also = slices.DeleteFunc(weights.Kinds(head, nil), func(k weights.Kind) bool { return k == weights.Safetensors })
	if err := p.parse(text); err != nil {
		return nil, err
	}
	if err := p.h.check(size); err != nil {
		return nil, err
	}
	p.h.Gaps = p.h.gaps()
	return p.h, nil
}

const lengthSize = 8

// The first read is short, since most headers are; then few reads fetch the rest.
const (
	firstChunk = 64 << 10
	nextChunk  = 4 << 20
)

// headerText fetches the header, and the first bytes of the file for weights.Kinds.
func headerText(r io.ReaderAt, size int64) (text string, head []byte, err error) {
	first := int64(firstChunk)
	if size >= 0 {
		first = min(first, size)
	}
	buf, err := readAt(r, make([]byte, first), 0)
	if err != nil {
		return "", nil, err
	}
	n, err := headerLength(buf, size)
	if err != nil {
		return "", nil, err
	}
	head = slices.Clone(buf[:min(len(buf), weights.Head)])
	var b strings.Builder
	if size >= 0 {
		b.Grow(n)
	}
	rest := buf[lengthSize:]
	for {
		b.Write(rest[:min(len(rest), n-b.Len())])
		if b.Len() == n {
			return b.String(), head, nil
		}
		want := min(nextChunk, n-b.Len())
		at := lengthSize + int64(b.Len())
		buf = slices.Grow(buf[:0], want)[:want]
		if rest, err = readAt(r, buf, at); err != nil {
			return "", nil, err
		}
		if len(rest) < want {
			return "", nil, cut(at+int64(len(rest)), n)
		}
	}
}

// readAt fills buf, or as much of it as the file has.
func readAt(r io.ReaderAt, buf []byte, at int64) ([]byte, error) {
	n, err := r.ReadAt(buf, at)
	if n == len(buf) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return buf[:n], nil
	}
	return nil, fmt.Errorf("reading safetensors header at byte %d: %w", at, err)
}

func cut(size int64, n int) error {
	return fail(Cut, "the file has %d bytes, and the header alone needs %d; it may be cut", size, n+lengthSize)
}

// headerLength reads the length and checks it against the format and the file.
func headerLength(first []byte, size int64) (int, error) {
	if len(first) < lengthSize {
		return 0, fail(Cut, "the file has %d bytes, and the length of the header needs %d", len(first), lengthSize)
	}
	if kind := weights.Sniff(first); kind != weights.Unknown && kind != weights.Safetensors {
		return 0, fail(Malformed, "not a safetensors file: it begins like a %s", kind)
	}
	n := binary.LittleEndian.Uint64(first)
	switch {
	case n > MaxHeader:
		return 0, fail(Malformed, "a length of %d, more than the format's %d", n, MaxHeader)
	case n < 2:
		return 0, fail(Malformed, "a length of %d, and the shortest header has 2", n)
	case size >= 0 && int64(n) > size-lengthSize:
		return 0, cut(size, int(n))
	case len(first) > lengthSize && first[lengthSize] != '{':
		return 0, fail(Malformed, "it does not begin with a brace")
	}
	return int(n), nil
}

type parser struct {
	*strictjson.Scanner
	h    *Header
	dims int // of all tensors so far

	tensor  Tensor   // the one that is read
	seen    fields   // of it
	numbers []uint64 // of the shape or the offsets that are read
}

// fields is a set of the fields of a tensor.
type fields uint8

const (
	dtypeField fields = 1 << iota
	shapeField
	offsetsField
)

func (f fields) missing() string {
	switch {
	case f&dtypeField == 0:
		return "dtype"
	case f&shapeField == 0:
		return "shape"
	case f&offsetsField == 0:
		return "data_offsets"
	}
	return ""
}

func (p *parser) parse(text string) error {
	s, err := strictjson.NewScanner(text)
	if err != nil {
		return inHeader(err)
	}
	p.Scanner = s
	// A record has at least 50 bytes, so this grows once at most.
	p.h.Tensors = make([]Tensor, 0, min(maxTensors, len(text)/64))
	number := p.number // a method value is allocated: once, not for each of a million tensors
	field := func(name string) error { return p.field(name, number) }
	err = s.Dictionary(func(name string) error {
		if name == "__metadata__" {
			return p.metadata()
		}
		return p.readTensor(name, field)
	})
	if err != nil {
		return inHeader(err)
	}
	if err := s.End(); err != nil {
		return inHeader(err)
	}
	return nil
}

// inHeader turns a fault of the JSON into one of the header; its line says nothing, since a header has one.
func inHeader(err error) error {
	e, ok := errors.AsType[*strictjson.SyntaxError](err)
	if !ok {
		return err
	}
	if e.Key != "" {
		return fail(Malformed, "the name %s appears twice", printable.Quote(e.Key))
	}
	return fail(Malformed, "%s", e.Reason)
}

// inTensor does the same within the description of a tensor.
func inTensor(name string, err error) error {
	if e, ok := errors.AsType[*strictjson.SyntaxError](err); ok {
		return fail(Malformed, "tensor %s: %s", printable.Quote(name), e.Reason)
	}
	return err
}

func (p *parser) metadata() error {
	const most = 65_536
	p.h.Metadata = map[string]string{}
	err := p.Dictionary(func(key string) error {
		value, err := p.String()
		if err == nil && len(p.h.Metadata) == most {
			return fail(TooLarge, "more than %d entries of metadata", most)
		}
		p.h.Metadata[key] = value
		return err
	})
	if e, ok := errors.AsType[*strictjson.SyntaxError](err); ok {
		return fail(Malformed, "__metadata__: %s", e.Reason)
	}
	return err
}

func (p *parser) readTensor(name string, field func(string) error) error {
	if strings.ContainsRune(name, 0) {
		return fail(Malformed, "the name %s holds a NUL, which hides what follows from some readers", printable.Quote(name))
	}
	if len(p.h.Tensors) == maxTensors {
		return fail(TooLarge, "more than %d tensors", maxTensors)
	}
	p.tensor, p.seen = Tensor{Name: name}, 0
	if err := p.Object(field); err != nil {
		return inTensor(name, err)
	}
	if f := p.seen.missing(); f != "" {
		return fail(Malformed, "tensor %s has no %s", printable.Quote(name), f)
	}
	p.h.Tensors = append(p.h.Tensors, p.tensor)
	return nil
}

func (p *parser) field(name string, number func() error) error {
	switch name {
	case "dtype":
		p.seen |= dtypeField
		s, err := p.String()
		p.tensor.DType = DType(s)
		return err
	case "shape":
		p.seen |= shapeField
		return p.shape(number)
	case "data_offsets":
		p.seen |= offsetsField
		return p.offsets(number)
	}
	return fail(Malformed, "tensor %s has the field %s, which the format does not have",
		printable.Quote(p.tensor.Name), printable.Quote(name))
}

// number reads one of the numbers of an array.
func (p *parser) number() error {
	if len(p.numbers) == maxRank {
		return fail(TooLarge, "tensor %s has more than %d dimensions or offsets", printable.Quote(p.tensor.Name), maxRank)
	}
	n, err := p.Uint()
	p.numbers = append(p.numbers, n)
	return err
}

func (p *parser) shape(number func() error) error {
	p.numbers = p.numbers[:0]
	if err := p.Array(number); err != nil {
		return err
	}
	if p.dims += len(p.numbers); p.dims > maxDims {
		return fail(TooLarge, "more than %d dimensions in all", maxDims)
	}
	p.tensor.Shape = append(make([]uint64, 0, len(p.numbers)), p.numbers...)
	return nil
}

func (p *parser) offsets(number func() error) error {
	p.numbers = p.numbers[:0]
	if err := p.Array(number); err != nil {
		return err
	}
	if n := len(p.numbers); n != 2 {
		return fail(Malformed, "tensor %s has %d data_offsets, want two", printable.Quote(p.tensor.Name), n)
	}
	p.tensor.Begin, p.tensor.End = p.numbers[0], p.numbers[1]
	return nil
}

// check holds sizes, places and the end of the file together.
func (h *Header) check(size int64) error {
	for _, t := range h.Tensors {
		if err := t.check(); err != nil {
			return err
		}
	}
	end, err := h.contiguous()
	if err != nil || size < 0 {
		return err
	}
	switch data := uint64(size - h.DataOffset); {
	case end > data:
		return fail(Cut, "the last tensor ends %d bytes after the end of the file, which has %d; it may be cut", end-data, size)
	case end < data:
		return fail(Malformed, "%d bytes follow after the last tensor, and none may", data-end)
	}
	return nil
}

func (t Tensor) check() error {
	elements, ok := product(t.Shape)
	switch {
	case !ok:
		return fail(Malformed, "tensor %s of shape %d has more elements than 64 bits can count", printable.Quote(t.Name), t.Shape)
	case t.End < t.Begin:
		return fail(Malformed, "tensor %s ends at %d, before it begins at %d", printable.Quote(t.Name), t.End, t.Begin)
	case t.End > math.MaxInt64/2:
		return fail(Malformed, "tensor %s ends at %d, which no file can have", printable.Quote(t.Name), t.End)
	case !t.DType.Known():
		return nil
	}
	bytes, err := t.DType.Bytes(elements)
	switch {
	case err != nil:
		return fail(Malformed, "tensor %s: %v", printable.Quote(t.Name), err)
	case bytes != t.End-t.Begin:
		return fail(Malformed, "tensor %s of shape %d and %s has %d bytes, and its offsets say %d",
			printable.Quote(t.Name), t.Shape, t.DType, bytes, t.End-t.Begin)
	}
	return nil
}

// contiguous checks that the data follow each other from 0 on, and returns where they end.
func (h *Header) contiguous() (uint64, error) {
	var end uint64
	var before string
	for _, i := range h.byOffset() {
		t := h.Tensors[i]
		switch {
		case t.Begin < end:
			return 0, fail(Malformed, "tensor %s begins at %d, inside of tensor %s, which ends at %d",
				printable.Quote(t.Name), t.Begin, printable.Quote(before), end)
		case t.Begin > 0 && before == "" && end == 0:
			return 0, fail(Malformed, "the first tensor, %s, begins at %d, want 0", printable.Quote(t.Name), t.Begin)
		case t.Begin > end:
			return 0, fail(Malformed, "a hole of %d bytes before tensor %s", t.Begin-end, printable.Quote(t.Name))
		}
		end, before = t.End, t.Name
	}
	return end, nil
}

func (h *Header) byOffset() []int32 {
	order := make([]int32, len(h.Tensors))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		s, t := &h.Tensors[a], &h.Tensors[b]
		return cmp.Or(cmp.Compare(s.Begin, t.Begin), cmp.Compare(s.End, t.End), cmp.Compare(a, b))
	})
	return order
}

// gaps names the number formats whose size is not known, the first few one by one.
func (h *Header) gaps() []string {
	type unknown struct {
		Tensor
		count int
	}
	const most = 8
	var seen []unknown
	others := 0
	for _, t := range h.Tensors {
		if t.DType.Known() {
			continue
		}
		i := slices.IndexFunc(seen, func(u unknown) bool { return u.DType == t.DType })
		switch {
		case i >= 0:
			seen[i].count++
		case len(seen) < most:
			seen = append(seen, unknown{t, 1})
		default:
			others++
		}
	}
	var gaps []string
	for _, u := range seen {
		dtype := printable.Quote(string(u.DType))
		gaps = append(gaps, fmt.Sprintf("size of %s unknown: %d tensors, the first is %s", dtype, u.count, printable.Quote(u.Name)))
	}
	if others > 0 {
		gaps = append(gaps, fmt.Sprintf("size of more number formats unknown: %d tensors", others))
	}
	return gaps
}
