package quant_test

import (
	"fmt"
	"math"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

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
		{"IQ1_S", 2.0042},
		{"IQ1_M", 2.1460},
		{"IQ2_XXS", 2.3824},
		{"IQ2_XS", 2.5882},
		{"IQ2_S", 2.7403},
		{"IQ2_M", 2.9294},
		{"IQ3_XXS", 3.2548},
		{"IQ3_XS", 3.4977},
		{"IQ3_S", 3.6606},
		{"IQ3_M", 3.7628},
		{"IQ4_XS", 4.4597},
		{"IQ4_NL", 4.6818},
		{"Q2_K_S", 2.9697},
		{"Q2_K", 3.1593},
		{"Q3_K_S", 3.6429},
		{"Q3_K_L", 4.2979},
		{"Q4_K_S", 4.6672},
		{"Q4_K_M", 4.8944},
		{"Q5_K_S", 5.5704},
		{"Q5_K_M", 5.7036},
		{"Q6_K", 6.5633},
		{"Q8_0", 8.5008},
		{"F16", 16.0005},
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

// TestMixSizes holds Q4_K_M against the sizes that llama-bench prints for published files, to their last digit: 70B has
// rules of its own, Qwen2.5-0.5B has rows that are no whole blocks and a tied head, Qwen3-30B has experts.
func TestMixSizes(t *testing.T) {
	for _, row := range []struct {
		name, config string
		mib          float64
	}{
		{"llama 70B", `{"architectures": ["LlamaForCausalLM"], "hidden_size": 8192, "intermediate_size": 28672, "num_hidden_layers": 80,
			"num_attention_heads": 64, "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": false}`, 39.59 * 1024},
		{"qwen3moe 30B", `{"architectures": ["Qwen3MoeForCausalLM"], "hidden_size": 2048, "intermediate_size": 6144, "num_hidden_layers": 48,
			"num_attention_heads": 32, "num_key_value_heads": 4, "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": false,
			"num_experts": 128, "num_experts_per_tok": 8, "moe_intermediate_size": 768, "decoder_sparse_step": 1, "mlp_only_layers": [],
			"norm_topk_prob": true}`, 17.28 * 1024},
		{"llama 1B", `{"architectures": ["LlamaForCausalLM"], "hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
			"num_attention_heads": 32, "num_key_value_heads": 8, "head_dim": 64, "vocab_size": 128256, "tie_word_embeddings": true}`, 762.81},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := shape(t, row.config)
			q, err := quant.As(s, "Q4_K_M")
			if err != nil {
				t.Fatal(err)
			}
			if got := float64(q.Total(s)) / (1 << 20); math.Abs(got-row.mib) > 6 {
				t.Errorf("%.2f MiB, want %.2f", got, row.mib)
			}
		})
	}
}

// TestMixTypes holds the types against those that a loader lists for Qwen2.5-0.5B as Q4_K_M, whose hidden size of 896
// needs other types than asked for: 121 f32, 132 q5_0, 13 q8_0, 12 q4_K, 12 q6_K.
func TestMixTypes(t *testing.T) {
	s := shape(t, `{"architectures": ["Qwen2ForCausalLM"], "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24,
		"num_attention_heads": 14, "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": true}`)
	q, err := quant.As(s, "gguf-q4_k_m")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]int{}
	for name, x := range s.Named() {
		got[q.Format(name, x).Name]++
	}
	if diff := cmp.Diff(map[string]int{"F32": 121, "Q5_0": 132, "Q8_0": 13, "Q4_K": 12, "Q6_K": 12}, got); diff != "" {
		t.Error(diff)
	}
}

// TestPublishedMixes does the same for larger files, where the corpus has their configurations. Towers are in files of
// their own.
func TestPublishedMixes(t *testing.T) {
	dir := corpus(t)
	for _, row := range []struct {
		file, name string
		gib        float64
	}{
		{"openai__gpt-oss-20b", "MXFP4_MOE", 11.27},
		{"openai__gpt-oss-120b", "MXFP4_MOE", 59.02},
		{"google__gemma-3-1b-it", "Q4_K_M", 762.49 / 1024},
		{"google__gemma-3-27b-it", "Q4_K_M", 15.40},
		{"meta-llama__Llama-4-Scout-17B-16E-Instruct", "Q4_K_M", 60.86},
		{"deepseek-ai__DeepSeek-V2-Lite", "Q4_K_M", 9.65},
		{"Qwen__Qwen3-235B-A22B", "Q4_K_M", 132.39},
		{"Qwen__Qwen3-32B", "Q4_K_M", 18.40},
		{"Qwen__Qwen2.5-7B-Instruct", "Q4_K_M", 4.36},
		{"microsoft__Phi-3.5-mini-instruct", "Q4_K_M", 2.23},
	} {
		t.Run(row.file+" "+row.name, func(t *testing.T) {
			s, err := arch.Of(load(t, filepath.Join(dir, row.file+".json")))
			if err != nil {
				t.Skip(err)
			}
			q, err := quant.As(s, row.name)
			if err != nil {
				t.Fatal(err)
			}
			var sum int64
			for name, x := range s.Named() {
				if x.Component != arch.Tower {
					sum += q.Bytes(name, x)
				}
			}
			if got := float64(sum) / (1 << 30); math.Abs(got-row.gib) > 0.0061 {
				t.Errorf("%.4f GiB, want %.4f", got, row.gib)
			}
		})
	}
}
