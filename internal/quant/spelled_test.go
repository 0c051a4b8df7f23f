package quant_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
)

func shapeOf(t testing.TB, id string) *arch.Shape {
	t.Helper()
	v, _, found, err := models.Default().Config(id)
	if err != nil || !found {
		t.Fatalf("%s: found %v, %v", id, found, err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSpellings: the names that people and tables use, with the bits of one parameter that follow over the whole model.
func TestSpellings(t *testing.T) {
	s := shapeOf(t, "Qwen/Qwen3-32B")
	var params int64
	for _, tensor := range s.Named() {
		params += tensor.Elements()
	}
	for _, c := range []struct {
		names     string
		low, high float64
	}{
		{"fp8 float8 FP8_E4M3 w8a8_fp8 fp8-block fp8_blockwise ptpc-fp8", 8.2, 9},
		{"int8 w8a8 smoothquant int8-sq int8_weight_only 8bit w8a16 gptq-int8 GPTQ-8bit", 8.2, 9},
		{"int4 w4a16 4bit 4-bit w4a8 awq awq-int4 int4-awq awq-4bit-g128 AWQ_4bit gptq gptq-int4 gptq-4bit-g128 int4-gptq gptq-4bit-128g-missing", 4.2, 5.2},
		{"int4-g32 w4a16-g32 gptq-4bit-g32 awq-g64 int4-g128 hqq-4bit-g64", 4.2, 5.8},
		{"nf4 bnb-4bit bnb.nf4 bnb_nf4 nf4-dq bnb.nf4-dq bitsandbytes-4bit", 4.2, 5.5},
		{"exl2-4.0bpw exl3-4.0bpw exl2_4.0bpw 4.0bpw-exl2 exl2-4 exl2", 4.1, 4.8},
		{"exl2-3.0bpw exl3-3bpw", 3.1, 3.9},
		{"exl2-5.0bpw", 5.1, 5.8},
		{"q4f16_1 q4f16_0 q4f32_1 q4bf16_0", 4.4, 4.6},
		{"q3f16_1", 3.3, 3.5},
		{"q0f16 fp16 bf16 half 16bit", 16, 16},
		{"mlx-4bit mlx-int4 4bit-mlx", 4.4, 4.6},
		{"mlx-4bit-g32", 4.9, 5.1},
		{"fp4 nvfp4 nvfp4-w4a4 modelopt_fp4", 4.5, 5.6},
		{"q4_k_m Q4_K_M q4-k-m gguf-q4_k_m", 4.6, 5},
		{"q8_0 q8 Q8-0", 8.4, 8.6},
		{"q4_0", 4.4, 4.8},
	} {
		for name := range strings.FieldsSeq(c.names) {
			scheme, err := quant.As(s, name)
			if strings.HasSuffix(name, "missing") {
				if !errors.Is(err, quant.ErrName) {
					t.Errorf("%s: %v, want a refusal", name, err)
				}
				continue
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			bits := 8 * float64(scheme.Total(s)) / float64(params)
			if bits < c.low-0.01 || bits > c.high+0.01 || math.IsNaN(bits) {
				t.Errorf("%s: %.2f bits for a parameter, want %v to %v", name, bits, c.low, c.high)
			}
			if _, err := quant.As(new(arch.Shape), name); err != nil {
				t.Errorf("%s of nothing: %v", name, err)
			}
		}
	}
}

// TestSpellingsRefused: what says nothing, too much or something impossible has no size.
func TestSpellingsRefused(t *testing.T) {
	for _, name := range []string{
		"", "-", "int", "4", "g128", "gptq-4bit-8bit", "exl2-99bpw", "exl2-4bpw-g128", "int4-g0", "int4-g9999", "awq-gptq", "q4f16_9", "q9f16_1", "w9a16",
		"4.0bpw", "fp5", "int4-g32-g32", "mlx-0bit", "unheard-of",
	} {
		if _, err := quant.As(new(arch.Shape), name); !errors.Is(err, quant.ErrName) {
			t.Errorf("%q: %v, want a refusal", name, err)
		}
	}
}

// FuzzSpelling: no name panics, and what is known has a size.
func FuzzSpelling(f *testing.F) {
	for _, name := range []string{"gptq-4bit-g128", "exl2-4.0bpw", "q4f16_1", "int4-g32", "w4a16", "bnb.nf4-dq", "Q4_K_M", "8.", ".8", "g"} {
		f.Add(name)
	}
	shape := shapeOf(f, "Qwen/Qwen3-0.6B")
	f.Fuzz(func(t *testing.T, name string) {
		scheme, err := quant.As(shape, name)
		if err != nil {
			return
		}
		if n := scheme.Total(shape); n <= 0 || n > 4<<30 {
			t.Errorf("%q: %d bytes", name, n)
		}
	})
}
