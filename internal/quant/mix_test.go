package quant_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/quant"
)

// llama31 is Llama-3.1-8B.
const llama31 = `{"architectures": ["LlamaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
	"num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": false, "torch_dtype": "bfloat16"}`

func shape(t testing.TB, config string) *arch.Shape {
	t.Helper()
	s, err := arch.Of(parse(t, config))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestMixBits holds the mixes against the bits for each weight that llama.cpp prints for Llama-3.1-8B
// (tools/quantize/README.md of ggml-org/llama.cpp). It counts the 64 factors of the rotary embedding too.
func TestMixBits(t *testing.T) {
	s := shape(t, llama31)
	for _, row := range []struct {
		name string
		want float64
	}{
		{"IQ1_S", 2.0042}, {"IQ1_M", 2.1460}, {"IQ2_XXS", 2.3824}, {"IQ2_XS", 2.5882}, {"IQ2_S", 2.7403}, {"IQ2_M", 2.9294},
		{"IQ3_XXS", 3.2548}, {"IQ3_XS", 3.4977}, {"IQ3_S", 3.6606}, {"IQ3_M", 3.7628}, {"IQ4_XS", 4.4597}, {"IQ4_NL", 4.6818},
		{"Q2_K_S", 2.9697}, {"Q2_K", 3.1593}, {"Q3_K_S", 3.6429}, {"Q3_K_L", 4.2979}, {"Q4_K_S", 4.6672}, {"Q4_K_M", 4.8944},
		{"Q5_K_S", 5.5704}, {"Q5_K_M", 5.7036}, {"Q6_K", 6.5633}, {"Q8_0", 8.5008}, {"F16", 16.0005},
	} {
		t.Run(row.name, func(t *testing.T) {
			q, err := quant.As(s, row.name)
			if err != nil {
				t.Fatal(err)
			}
			got := float64(8*(q.Total(s)+256)) / float64(s.Params().Total+64)
			if fmt.Sprintf("%.4f", got) != fmt.Sprintf("%.4f", row.want) && math.Abs(got-row.want) > 0 {
				t.Errorf("%.4f bits, want %.4f", got, row.want)
			}
		})
	}
}
