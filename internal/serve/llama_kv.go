package serve

import (
	"fmt"
	"strings"
)

// kvType is a number format of the cache: bytes of a block of that many numbers.
type kvType struct {
	name           string
	bytes, numbers int64
}

func (t kvType) quantized() bool { return t.numbers > 1 }

// row is the size of a row of the cache.
func (t kvType) row(n int64) int64 { return product(n, t.bytes) / t.numbers }

// kvTypes are those that llama.cpp takes for its cache (common/arg.cpp).
func kvTypes() []kvType {
	return []kvType{
		{"f16", 2, 1}, {"bf16", 2, 1}, {"f32", 4, 1}, {"q8_0", 34, 32}, {"q5_1", 24, 32}, {"q5_0", 22, 32}, {"q4_1", 20, 32},
		{"q4_0", 18, 32}, {"iq4_nl", 18, 32},
	}
}

// llamaKV reads the name of a format; other engines' names for the same numbers are taken as well.
func llamaKV(name string) (kvType, error) {
	n := strings.ToLower(name)
	switch n {
	case "", "auto", "fp16", "float16":
		n = "f16"
	case "bfloat16":
		n = "bf16"
	case "fp32", "float32":
		n = "f32"
	}
	known := make([]string, 0, 9)
	for _, t := range kvTypes() {
		if t.name == n {
			return t, nil
		}
		known = append(known, t.name)
	}
	return kvType{}, fmt.Errorf("%w: llama.cpp has no cache in %s; it takes %s", ErrIllegal, name, strings.Join(known, ", "))
}
