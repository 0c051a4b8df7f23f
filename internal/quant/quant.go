// Package quant knows how the numbers of a model are stored: which number format each tensor has, and how many bytes
// that takes with scales, zero points, group indexes and padding. What stays in 16 or 32 bits (embedding, head, norms,
// routers, whatever a configuration excludes) is decided tensor by tensor and never by a factor over the whole.
//
// Stored reads what a published file says of itself, As applies what the usual quantizer of a name does, FromGGUF takes
// the types that a header lists, and Reconcile holds the tensors of a header against those of a configuration.
package quant

import (
	"errors"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// ErrUnknown is wrapped by the error for a quantization whose sizes do not follow from what the files say.
var ErrUnknown = errors.New("quantization is not known")

// ErrName is wrapped by the error for a name that As does not know: the person who typed it can mend it.
var ErrName = errors.New("unknown quantization")

// Scheme says which format each tensor of one model has.
type Scheme struct {
	Name  string   // what a person calls it: bf16, fp8, awq-4bit, Q4_K_M
	Notes []string // what was assumed, and what stays in higher precision

	kv     string
	pad    int64 // each tensor ends at a multiple of it; 0 for none
	total  int64 // as the header of a file sums it up; 0 if the tensors have to be added
	picked map[arch.Name]*Format
	base   *Format // of a tensor that the shape did not have
	wide   *Format
}

// Format is the format of a tensor.
func (s *Scheme) Format(name arch.Name, t *arch.Tensor) Format {
	if f, ok := s.picked[name]; ok {
		return *f
	}
	if t.Float32 {
		return *s.wide
	}
	return *s.base
}

// Bytes is the size of a tensor with all its copies.
func (s *Scheme) Bytes(name arch.Name, t *arch.Tensor) int64 {
	n := t.Copies.N * s.Format(name, t).Bytes(t.Rows.N, t.Cols.N)
	if s.pad > 0 {
		n = ceil(n, s.pad) * s.pad
	}
	return n
}

// KVCache is the format of keys and values that the files ask for, as fp8; "" where they leave it to the engine.
func (s *Scheme) KVCache() string { return s.kv }

// Total is the size of the whole model as a file holds it: with MTP blocks, without what a mirror stores twice.
func (s *Scheme) Total(shape *arch.Shape) int64 {
	if s.total > 0 {
		return s.total
	}
	var sum int64
	for name, t := range shape.Named() {
		sum += s.Bytes(name, t)
	}
	return sum
}

func (s *Scheme) note(text string) { s.Notes = append(s.Notes, text) }

// Unquantized keeps every tensor in the number format that the configuration names, and in 32 bits what is published so.
func Unquantized(shape *arch.Shape) *Scheme {
	base := baseFormat(shape.DType)
	return build(shape, base.Name, base, nil)
}

// baseFormat is the number format of what is not quantized. Stored refuses what is not listed.
func baseFormat(dtype string) *Format {
	switch strings.TrimPrefix(dtype, "torch.") {
	case "float32", "float":
		return plain("fp32", 4)
	case "float16", "half":
		return plain("fp16", 2)
	}
	return plain("bf16", 2)
}

// choice is the format of a module, or nil where it is not quantized.
type choice func(m *module) *Format

// build asks for the format of every tensor once, so that looking one up later is cheap.
func build(shape *arch.Shape, name string, base *Format, choose choice) *Scheme {
	s := &Scheme{Name: name, base: base, wide: plain("fp32", 4), picked: map[arch.Name]*Format{}}
	for m := range modules(shape) {
		f := base
		if m.t.Float32 {
			f = s.wide
		}
		if choose != nil {
			if q := choose(m); q != nil {
				f = q
			}
		}
		s.picked[m.name] = f
	}
	return s
}

// Quantized reports whether linear layers take fewer than 16 bits for a number.
func (s *Scheme) Quantized() bool { return s.linear().Bits < 16 }

// GGUF reports whether the formats are those of llama.cpp.
func (s *Scheme) GGUF() bool { return s.pad > 0 }

// linear is the format of the linear layers that has the fewest bits.
func (s *Scheme) linear() Format {
	least := *s.base
	for _, f := range s.picked {
		if f.Bits > 0 && f.Bits < least.Bits { // 0 is what the files leave out
			least = *f
		}
	}
	return least
}
