package gguf

import (
	"fmt"
	"math/bits"
)

// Type is the number format of a tensor, by the numbers of ggml.
type Type uint32

// The number formats that ggml has defined. Formats of forks have numbers of their own and are not known here.
// The names are spelled as ggml spells them.
const (
	F32     Type = 0
	F16     Type = 1
	Q4_0    Type = 2
	Q4_1    Type = 3
	Q5_0    Type = 6
	Q5_1    Type = 7
	Q8_0    Type = 8
	Q8_1    Type = 9
	Q2_K    Type = 10
	Q3_K    Type = 11
	Q4_K    Type = 12
	Q5_K    Type = 13
	Q6_K    Type = 14
	Q8_K    Type = 15
	IQ2_XXS Type = 16
	IQ2_XS  Type = 17
	IQ3_XXS Type = 18
	IQ1_S   Type = 19
	IQ4_NL  Type = 20
	IQ3_S   Type = 21
	IQ2_S   Type = 22
	IQ4_XS  Type = 23
	I8      Type = 24
	I16     Type = 25
	I32     Type = 26
	I64     Type = 27
	F64     Type = 28
	IQ1_M   Type = 29
	BF16    Type = 30
	TQ1_0   Type = 34
	TQ2_0   Type = 35
	MXFP4   Type = 39
	NVFP4   Type = 40
	Q1_0    Type = 41
	Q2_0    Type = 42
)

// format is how a type is stored: elements in a block, and bytes of a block.
type format struct {
	name     string
	elements uint64
	bytes    uint64
}

// formats is the one table of number formats, indexed by Type. Sizes are those of the block structures of ggml
// (ggml-common.h), with the parts in the comment: d and m are scales of 2 bytes each unless said otherwise.
//
// Types 4 and 5 were removed before GGUF. Types 31 to 33 and 36 to 38 were other orders of the blocks of Q4_0 and
// IQ4_NL; files of 2024 have them, though ggml reads them no more.
var formats = [...]format{
	F32:     {"F32", 1, 4},
	F16:     {"F16", 1, 2},
	Q4_0:    {"Q4_0", 32, 2 + 16},
	Q4_1:    {"Q4_1", 32, 4 + 16},
	Q5_0:    {"Q5_0", 32, 2 + 4 + 16},
	Q5_1:    {"Q5_1", 32, 4 + 4 + 16},
	Q8_0:    {"Q8_0", 32, 2 + 32},
	Q8_1:    {"Q8_1", 32, 4 + 32},                // d and the sum; of intermediate results, not in files
	Q2_K:    {"Q2_K", 256, 16 + 64 + 4},          // scales, quants, d and m
	Q3_K:    {"Q3_K", 256, 32 + 64 + 12 + 2},     // high bits, low bits, scales, d
	Q4_K:    {"Q4_K", 256, 4 + 12 + 128},         // d and m, scales, quants
	Q5_K:    {"Q5_K", 256, 4 + 12 + 32 + 128},    // as Q4_K, with high bits
	Q6_K:    {"Q6_K", 256, 128 + 64 + 16 + 2},    // low bits, high bits, scales, d
	Q8_K:    {"Q8_K", 256, 4 + 256 + 32},         // d in 4 bytes, quants, sums; not in files
	IQ2_XXS: {"IQ2_XXS", 256, 2 + 64},            // d, indexes
	IQ2_XS:  {"IQ2_XS", 256, 2 + 64 + 8},         // d, indexes, scales
	IQ3_XXS: {"IQ3_XXS", 256, 2 + 96},            // d, indexes
	IQ1_S:   {"IQ1_S", 256, 2 + 32 + 16},         // d, low bits, high bits
	IQ4_NL:  {"IQ4_NL", 32, 2 + 16},              // d, indexes
	IQ3_S:   {"IQ3_S", 256, 2 + 64 + 8 + 32 + 4}, // d, low bits, high bits, signs, scales
	IQ2_S:   {"IQ2_S", 256, 2 + 64 + 8 + 8},      // d, indexes and signs, high bits, scales
	IQ4_XS:  {"IQ4_XS", 256, 2 + 2 + 4 + 128},    // d, high and low bits of scales, indexes
	I8:      {"I8", 1, 1},
	I16:     {"I16", 1, 2},
	I32:     {"I32", 1, 4},
	I64:     {"I64", 1, 8},
	F64:     {"F64", 1, 8},
	IQ1_M:   {"IQ1_M", 256, 32 + 16 + 8}, // low bits, high bits, scales
	BF16:    {"BF16", 1, 2},
	31:      {"Q4_0_4_4", 32, 2 + 16},
	32:      {"Q4_0_4_8", 32, 2 + 16},
	33:      {"Q4_0_8_8", 32, 2 + 16},
	TQ1_0:   {"TQ1_0", 256, 48 + 4 + 2}, // five to a byte, four to a byte, d
	TQ2_0:   {"TQ2_0", 256, 64 + 2},     // four to a byte, d
	36:      {"IQ4_NL_4_4", 32, 2 + 16},
	37:      {"IQ4_NL_4_8", 32, 2 + 16},
	38:      {"IQ4_NL_8_8", 32, 2 + 16},
	MXFP4:   {"MXFP4", 32, 1 + 16}, // exponent, quants
	NVFP4:   {"NVFP4", 64, 4 + 32}, // a scale of 1 byte for each 16 elements, quants
	Q1_0:    {"Q1_0", 128, 2 + 16},
	Q2_0:    {"Q2_0", 64, 2 + 16},
}

func (t Type) format() (format, bool) {
	if uint64(t) >= uint64(len(formats)) || formats[t].elements == 0 {
		return format{}, false
	}
	return formats[t], true
}

// Known reports whether the name and the size of the format are known.
func (t Type) Known() bool {
	_, ok := t.format()
	return ok
}

// String is the name that ggml gives the format, or "type 97".
func (t Type) String() string {
	if f, ok := t.format(); ok {
		return f.name
	}
	return fmt.Sprintf("type %d", uint32(t))
}

// Block is how many elements are stored together, in how many bytes; both are 0 for a format that is not known.
func (t Type) Block() (elements, bytes uint64) {
	f, _ := t.format()
	return f.elements, f.bytes
}

// Bytes is the size of so many elements, which must be whole blocks.
func (t Type) Bytes(elements uint64) (uint64, error) {
	f, ok := t.format()
	if !ok {
		return 0, fmt.Errorf("size of tensor type %d unknown", uint32(t))
	}
	if elements%f.elements != 0 {
		return 0, fmt.Errorf("%d elements are not whole blocks of %s, which have %d", elements, f.name, f.elements)
	}
	high, n := bits.Mul64(elements/f.elements, f.bytes)
	if high != 0 {
		return 0, fmt.Errorf("%d elements of %s have more bytes than 64 bits can count", elements, f.name)
	}
	return n, nil
}
