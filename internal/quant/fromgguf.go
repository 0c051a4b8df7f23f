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
	t        gguf.Type
	bytes    int64
	elements int64 // 0 where nothing is known of the shape
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
		if !t.Type.Known() {
			return nil, fmt.Errorf("tensor %.200q has the type %d: %w, and so is its size", t.Name, uint32(t.Type), ErrUnknown)
		}
		one := listed{t: t.Type, bytes: int64(min(t.Bytes, math.MaxInt64))}
		if len(t.Dims) > 0 {
			one.elements = int64(min(t.Elements(), math.MaxInt64))
		}
		list[t.Name] = one
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
			return nil, fmt.Errorf("tensor %.200q has the type %.40q: %w, and so is its size", t.Name, t.Type, ErrUnknown)
		}
		one := listed{t: kind, bytes: t.Bytes}
		if len(t.Shape) > 0 {
			one.elements = elements(t.Shape)
		}
		list[t.Name] = one
	}
	return fromTensors(shape, list, alignment)
}

func fromTensors(shape *arch.Shape, list map[string]listed, pad int64) (*Scheme, error) {
	r := &fromHeader{list: list, formats: map[gguf.Type]*Format{}, gone: absent(), decoder: len(shape.Blocks)}
	s := build(shape, "gguf", typeFormat(gguf.F16), r.pick)
	if r.found == 0 {
		return nil, fmt.Errorf("reading types from the GGUF header: %w", errNoTensors)
	}
	if err := r.agree(shape); err != nil {
		return nil, err
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
	other   error // the first tensor that is not as large as the keys say
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
	for i, name := range ggufNames(m) {
		if t, ok := r.list[prefix+name]; ok {
			r.found++
			if i == 0 {
				r.compare(m, prefix+name, t)
			}
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

// compare holds a matrix that is stored as it is described against the keys. Others are taken apart, put together or
// padded by the converter.
func (r *fromHeader) compare(m *module, name string, t listed) {
	switch roleOf(m) {
	case embed, head, attnQ, attnK, attnV, attnOut, ffnUp, ffnGate, ffnDown:
	default:
		return
	}
	if want := m.t.Elements(); r.other == nil && m.area == decoder && t.elements > 0 && t.elements != want {
		r.other = fmt.Errorf("the keys of the header describe %d numbers for %s, but it holds %d; one of them is wrong", want, name, t.elements)
	}
}

// strayed is how far the sum of the tensors may be from what the keys describe: converters leave out and add little.
const strayed = 0.1

// agree refuses a header whose tensors are not those that its keys describe: what is sized by the one would not be what
// is loaded by the other.
func (r *fromHeader) agree(shape *arch.Shape) error {
	if r.other != nil {
		return r.other
	}
	sum := 0.0
	for _, t := range r.list {
		if t.elements == 0 {
			return nil
		}
		sum += float64(t.elements)
	}
	all := float64(shape.Params().Total + shape.MTPParams())
	least := float64(shape.Params().Total - shape.Towered())
	if sum < (1-strayed)*least || sum > (1+strayed)*all {
		return fmt.Errorf("the keys of the header describe %.0f numbers, but its tensors hold %.0f; one of them is wrong, or the file is not whole",
			least, sum)
	}
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
