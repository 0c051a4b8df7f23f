package quant

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/model"
)

var errNoTensors = errors.New("the header lists none of the tensors of the model")

// listed is a tensor of a GGUF file.
type listed struct {
	t     gguf.Type
	bytes int64
}

// FromGGUF maps each tensor to the type that the header of a GGUF file gives it. The total is that of the header, so
// that tensors which the shape does not have are counted too. One part of a split file is refused; FromParts takes all.
func FromGGUF(shape *arch.Shape, h *gguf.Header) (*Scheme, error) {
	if n, ok, err := h.Uint("split.count"); err == nil && ok && n > 1 {
		return nil, fmt.Errorf("the GGUF file is one of %d parts, whose header lists some of the tensors; all parts are needed", n)
	}
	list := make(map[string]listed, len(h.Tensors))
	pad := int64(max(1, min(h.Alignment, math.MaxInt32)))
	for _, t := range h.Tensors {
		list[t.Name] = listed{t.Type, int64(min(t.Bytes, math.MaxInt64))}
	}
	return fromTensors(shape, list, pad)
}

// FromParts does the same with the tensors of all parts of a split GGUF file.
func FromParts(shape *arch.Shape, stored *model.Stored) (*Scheme, error) {
	types := map[string]gguf.Type{}
	for t := range gguf.Type(64) {
		if t.Known() {
			types[t.String()] = t
		}
	}
	list := make(map[string]listed, len(stored.Tensors))
	for _, t := range stored.Tensors {
		kind, ok := types[t.Type]
		if !ok {
			kind = math.MaxUint32
		}
		list[t.Name] = listed{kind, t.Bytes}
	}
	return fromTensors(shape, list, alignment)
}

func fromTensors(shape *arch.Shape, list map[string]listed, pad int64) (*Scheme, error) {
	r := &fromHeader{list: list, formats: map[gguf.Type]*Format{}, gone: absent(), decoder: len(shape.Blocks)}
	s := build(shape, "gguf", typeFormat(gguf.F16), r.pick)
	if r.found == 0 {
		return nil, fmt.Errorf("reading types from the GGUF header: %w", errNoTensors)
	}
	s.Name, s.pad = r.name(), pad
	for _, t := range list {
		if s.total > math.MaxInt64-t.bytes-pad {
			return nil, errors.New("the tensors of the header sum up to more bytes than 63 bits can count")
		}
		s.total += ceil(t.bytes, pad) * pad
	}
	r.tell(s)
	return s, nil
}

type fromHeader struct {
	list    map[string]listed
	formats map[gguf.Type]*Format
	gone    *Format
	decoder int
	found   int
	missing []string
	left    map[area]int
}

// pick is the type of the first name under which the header has the tensor. Towers and MTP blocks that it lacks are in
// another file or nowhere.
func (r *fromHeader) pick(m *module) *Format {
	prefix := ""
	switch m.area {
	case decoder:
		prefix = "blk." + strconv.Itoa(m.layer) + "."
	case mtp:
		prefix = "blk." + strconv.Itoa(r.decoder+m.layer) + "."
	case encoder:
		prefix = "enc.blk." + strconv.Itoa(m.layer) + "."
	}
	for _, name := range ggufNames(m) {
		if t, ok := r.list[prefix+name]; ok && t.t.Known() {
			r.found++
			return r.format(t.t)
		}
	}
	if m.area == tower || m.area == mtp {
		if r.left == nil {
			r.left = map[area]int{}
		}
		r.left[m.area]++
		return r.gone
	}
	if m.t.Cols.N == 1 {
		return r.format(gguf.F32)
	}
	r.missing = append(r.missing, m.name.String())
	return nil
}

func (r *fromHeader) format(t gguf.Type) *Format {
	f, ok := r.formats[t]
	if !ok {
		f = typeFormat(t)
		r.formats[t] = f
	}
	return f
}

// name is the type that most bytes have.
func (r *fromHeader) name() string {
	sums := map[gguf.Type]int64{}
	best := gguf.F16
	for _, t := range r.list {
		sums[t.t] += t.bytes
	}
	for t, n := range sums {
		if n > sums[best] || n == sums[best] && t < best {
			best = t
		}
	}
	return "gguf-" + best.String()
}

func (r *fromHeader) tell(s *Scheme) {
	s.note("types and sum are those of the header")
	if len(r.missing) > 0 {
		s.note(fmt.Sprintf("%d matrices were not found under their GGUF names and count as F16 where one asks for them alone: %s",
			len(r.missing), some(r.missing)))
	}
	if r.left[tower] > 0 {
		s.note("the file holds no vision or audio towers; they are in an mmproj file of their own")
	}
	if r.left[mtp] > 0 {
		s.note("the file holds no MTP blocks")
	}
}

// some names the first few.
func some(names []string) string {
	const most = 4
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
