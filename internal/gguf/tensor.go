package gguf

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// Tensor is the description of a tensor.
type Tensor struct {
	Name   string
	Type   Type
	Dims   []uint64 // the first varies fastest
	Offset uint64   // from Header.DataOffset
	Bytes  uint64   // 0 if the size of the type is not known
}

// Elements is the product of the dimensions, which was found to fit when the header was read.
func (t Tensor) Elements() uint64 {
	n := uint64(1)
	for _, d := range t.Dims {
		n *= d
	}
	return n
}

func (p *parser) tensorInfos(n uint64) error {
	p.h.Tensors = make([]Tensor, 0, min(n, keptTensors/tensorMemory))
	for range n {
		t, err := p.tensor()
		if err != nil {
			return err
		}
		p.tensors += tensorMemory + uint64(len(t.Name)+8*len(t.Dims))
		if p.tensors > keptTensors {
			return p.fail(TooLarge, "%d tensors with their names, more than %d MiB", len(p.h.Tensors), keptTensors>>20)
		}
		p.h.Tensors = append(p.h.Tensors, t)
	}
	p.unknownTypes()
	return p.sameName()
}

func (p *parser) tensor() (Tensor, error) {
	at := p.pos
	name, err := p.text(maxName, "the name of a tensor")
	if err != nil {
		return Tensor{}, err
	}
	if !utf8.ValidString(name) || strings.ContainsRune(name, 0) {
		return Tensor{}, &Error{Malformed, at, fmt.Sprintf("the name of tensor %s is not text", printable.Quote(name))}
	}
	dims, err := p.dims(name)
	if err != nil {
		return Tensor{}, err
	}
	number, err := p.uint32("a tensor")
	if err != nil {
		return Tensor{}, err
	}
	offset, err := p.uint64("a tensor")
	if err != nil {
		return Tensor{}, err
	}
	t := Tensor{Name: name, Type: Type(number), Dims: dims, Offset: offset}
	if reason := t.measure(p.h.Alignment); reason != "" {
		return Tensor{}, &Error{Malformed, at, fmt.Sprintf("tensor %s %s", printable.Quote(name), reason)}
	}
	return t, nil
}

func (p *parser) dims(name string) ([]uint64, error) {
	n, err := p.uint32("a tensor")
	if err != nil {
		return nil, err
	}
	if n > maxDims {
		return nil, p.fail(Malformed, "tensor %s has %d dimensions, more than %d", printable.Quote(name), n, maxDims)
	}
	dims := make([]uint64, n)
	for i := range dims {
		if dims[i], err = p.uint64("a tensor"); err != nil {
			return nil, err
		}
	}
	return dims, nil
}

// measure sets Bytes and says what is wrong with the sizes of the tensor.
func (t *Tensor) measure(alignment uint64) string {
	elements := uint64(1)
	for _, d := range t.Dims {
		high, low := bits.Mul64(elements, d)
		if high != 0 || low > math.MaxInt64 || d > math.MaxInt64 {
			return fmt.Sprintf("of shape %d has more elements than 63 bits can count", t.Dims)
		}
		elements = low
	}
	if t.Offset%alignment != 0 {
		return fmt.Sprintf("begins at %d, which is no multiple of the alignment, %d", t.Offset, alignment)
	}
	if !t.Type.Known() {
		return ""
	}
	row := uint64(1)
	if len(t.Dims) > 0 {
		row = t.Dims[0]
	}
	if block, _ := t.Type.Block(); row%block != 0 {
		return fmt.Sprintf("has rows of %d elements, which are not whole blocks of %s with %d", row, t.Type, block)
	}
	bytes, err := t.Type.Bytes(elements)
	if err != nil || bytes > math.MaxInt64 {
		return fmt.Sprintf("of shape %d and type %s has more bytes than 63 bits can count", t.Dims, t.Type)
	}
	t.Bytes = bytes
	return ""
}

// unknownTypes names the number formats whose size is not known, the first few one by one.
func (p *parser) unknownTypes() {
	type unknown struct {
		Tensor
		count int
	}
	const most = 8
	var seen []unknown
	others := 0
	for _, t := range p.h.Tensors {
		if t.Type.Known() {
			continue
		}
		i := slices.IndexFunc(seen, func(u unknown) bool { return u.Type == t.Type })
		switch {
		case i >= 0:
			seen[i].count++
		case len(seen) < most:
			seen = append(seen, unknown{t, 1})
		default:
			others++
		}
	}
	for _, u := range seen {
		p.gap("size of tensor type %d unknown: %d tensors, the first is %s", uint32(u.Type), u.count, printable.Quote(u.Name))
	}
	if others > 0 {
		p.gap("size of more tensor types unknown: %d tensors", others)
	}
}

func (p *parser) sameName() error {
	order := p.sorted(func(a, b Tensor) int { return strings.Compare(a.Name, b.Name) })
	for i := 1; i < len(order); i++ {
		if name := p.h.Tensors[order[i]].Name; name == p.h.Tensors[order[i-1]].Name {
			return p.fail(Malformed, "two tensors have the name %s", printable.Quote(name))
		}
	}
	return nil
}

// sorted is the order of the tensors by compare, without moving them.
func (p *parser) sorted(compare func(a, b Tensor) int) []int32 {
	order := make([]int32, len(p.h.Tensors))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(compare(p.h.Tensors[a], p.h.Tensors[b]), cmp.Compare(a, b))
	})
	return order
}

// place finds where the data begin and checks that each tensor lies in the file and in no other tensor.
func (p *parser) place() error {
	align := int64(p.h.Alignment)
	p.h.DataOffset = (p.pos + align - 1) / align * align
	var end uint64
	var before string
	for _, i := range p.sorted(func(a, b Tensor) int { return cmp.Compare(a.Offset, b.Offset) }) {
		t := p.h.Tensors[i]
		if t.Offset < end && t.Bytes > 0 {
			return p.fail(Malformed, "tensor %s begins inside of tensor %s", printable.Quote(t.Name), printable.Quote(before))
		}
		if t.Bytes == 0 && t.Type.Known() {
			continue
		}
		if err := p.inside(t); err != nil {
			return err
		}
		if t.Bytes > 0 {
			end, before = t.Offset+t.Bytes, t.Name
		}
	}
	return nil
}

func (p *parser) inside(t Tensor) error {
	end, carry := bits.Add64(t.Offset, t.Bytes, uint64(0))
	end, over := bits.Add64(end, uint64(p.h.DataOffset), 0)
	switch {
	case carry+over > 0 || end > unknownSize:
		return p.fail(Malformed, "tensor %s at %d has an end that 62 bits cannot count", printable.Quote(t.Name), t.Offset)
	case p.size < unknownSize && end > uint64(p.size):
		return p.fail(Cut, "tensor %s ends at byte %d of the file, which has %d; it may be cut", printable.Quote(t.Name), end, p.size)
	}
	return nil
}
