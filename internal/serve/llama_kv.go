package serve

import (
	"fmt"
	"slices"
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
		{"f16", 2, 1},
		{"bf16", 2, 1},
		{"f32", 4, 1},
		{"q8_0", 34, 32},
		{"q5_1", 24, 32},
		{"q5_0", 22, 32},
		{"q4_1", 20, 32},
		{"q4_0", 18, 32},
		{"iq4_nl", 18, 32},
	}
}

// maxSlots is how many requests the engine takes at once.
func (e *Engine) maxSlots() int64 { return e.llama.MaxSlots.at(e.number).Value }

// cacheType is a number format that this version of the engine has for its cache.
func (e *Engine) cacheType(name string) (kvType, error) {
	t, err := llamaKV(name)
	if err != nil {
		return t, err
	}
	if known := e.llama.CacheTypes.at(e.number).Value; !slices.Contains(known, t.name) {
		return t, fmt.Errorf("%w: llama.cpp %s has no cache in %s; it takes %s", ErrIllegal, e.Version, name, strings.Join(known, ", "))
	}
	return t, nil
}

// llamaKV reads the name of a format; other engines' names for the same numbers are taken as well.
func llamaKV(name string) (kvType, error) {
	n := strings.ToLower(name)
	switch n {
	case "", "auto", "fp16", "float16", "half":
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
