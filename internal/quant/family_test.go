package quant_test

import (
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
)

// TestIs asks of published files whether a name means what they are.
func TestIs(t *testing.T) {
	for _, c := range []struct {
		id      string
		yes, no []string
	}{
		{"moonshotai/Kimi-K2.5", []string{"int4-w4a16", "w4a16", "int4", "gptq", "INT4"}, []string{"fp8", "nvfp4", "bf16", "mxfp4", "int8"}},
		{"RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16", []string{"w4a16-gptq", "awq", "autoround", "gptq-4bit-g128", "awq-int4", "int4-awq", "4bit"}, []string{"gptq-8bit", "nf4", "Q4_K_M"}},
		{"RedHatAI/phi-4-FP8-dynamic", []string{"fp8", "fp8-dynamic", "fp8-block"}, []string{"mxfp8", "int8", "w8a8"}},
		{"RedHatAI/phi-4-quantized.w8a8", []string{"w8a8", "int8"}, []string{"fp8", "bnb-8bit"}},
		{"openai/gpt-oss-20b", []string{"mxfp4", "fp4", "FP4"}, []string{"nvfp4", "int4", "bf16"}},
		{"nvidia/Qwen3.5-397B-A17B-NVFP4", []string{"nvfp4", "fp4"}, []string{"mxfp4", "int4"}},
		{"unsloth/meta-llama-3.1-8b-instruct-unsloth-bnb-4bit", []string{"bnb-4bit", "nf4"}, []string{"int4", "fp4"}},
		{"deepseek-ai/DeepSeek-V3", []string{"fp8", "fp8-block"}, []string{"bf16", "w4a16"}},
		{"Qwen/Qwen3-8B", []string{"bf16"}, []string{"fp16", "fp8", "unheard-of", ""}},
	} {
		t.Run(c.id, func(t *testing.T) {
			v, hf, found, err := models.Default().Config(c.id)
			if err != nil || !found {
				t.Fatalf("found %v, %v", found, err)
			}
			s, err := arch.Of(v)
			if err != nil {
				t.Fatal(err)
			}
			stored, err := quant.Stored(s, v, hf)
			if err != nil {
				t.Fatal(err)
			}
			for _, name := range c.yes {
				if !stored.Is(name) {
					t.Errorf("%s (%s) is not %s", c.id, stored.Name, name)
				}
			}
			for _, name := range c.no {
				if stored.Is(name) {
					t.Errorf("%s (%s) is %q", c.id, stored.Name, name)
				}
			}
		})
	}
}

// TestIsOfGGUF never takes one mix for another, since each has its own rules of layers.
func TestIsOfGGUF(t *testing.T) {
	v, _, _, err := models.Default().Config("Qwen/Qwen3-8B")
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	m, err := quant.As(s, "Q4_K_M")
	if err != nil {
		t.Fatal(err)
	}
	if !m.Is("q4_k_m") || m.Is("Q4_K_S") || m.Is("int4") {
		t.Errorf("Q4_K_M is q4_k_m %v, Q4_K_S %v, int4 %v", m.Is("q4_k_m"), m.Is("Q4_K_S"), m.Is("int4"))
	}
}
