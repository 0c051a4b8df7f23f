package safetensors

import (
	"fmt"
	"math/bits"

	"github.com/llmcheck/llmcheck/internal/printable"
)

// DType is the number format of a tensor, by its name in the file.
type DType string

// sizes is the bits of an element, for the formats of the safetensors library. One table: a name that is not here has
// no size.
var sizes = map[DType]uint64{
	"F4":      4,
	"F6_E2M3": 6, "F6_E3M2": 6,
	"BOOL": 8, "U8": 8, "I8": 8, "F8_E5M2": 8, "F8_E4M3": 8, "F8_E8M0": 8, "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8,
	"I16": 16, "U16": 16, "F16": 16, "BF16": 16,
	"I32": 32, "U32": 32, "F32": 32,
	"I64": 64, "U64": 64, "F64": 64, "C64": 64,
}

// Known reports whether the size of the format is known.
func (d DType) Known() bool { return sizes[d] > 0 }

// Bits is the size of an element, 0 if it is not known.
func (d DType) Bits() uint64 { return sizes[d] }

// Bytes is the size of so many elements.
func (d DType) Bytes(elements uint64) (uint64, error) {
	size := sizes[d]
	if size == 0 {
		return 0, fmt.Errorf("size of %s unknown", printable.Quote(string(d)))
	}
	high, n := bits.Mul64(elements, size)
	switch {
	case high > 7:
		return 0, fmt.Errorf("%d elements of %s have more bytes than 64 bits can count", elements, d)
	case n%8 != 0:
		return 0, fmt.Errorf("%d elements of %s are no whole number of bytes", elements, d)
	}
	return high<<61 | n>>3, nil
}

// product is the number of elements of a shape.
func product(shape []uint64) (uint64, bool) {
	n := uint64(1)
	for _, d := range shape {
		high, low := bits.Mul64(n, d)
		if high != 0 {
			return 0, false
		}
		n = low
	}
	return n, true
}
