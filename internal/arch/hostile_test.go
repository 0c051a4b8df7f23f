package arch_test

import (
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// TestOfContradictions holds that what means nothing is refused with its key, and not taken for a default.
func TestOfContradictions(t *testing.T) {
	const llama = `"architectures":["LlamaForCausalLM"],"hidden_size":64,"intermediate_size":128,"num_hidden_layers":2,"num_attention_heads":4,"vocab_size":128`
	const moe = `"architectures":["Qwen3MoeForCausalLM"],"hidden_size":64,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":4,
		"intermediate_size":128,"moe_intermediate_size":32,"num_experts":8,"num_experts_per_tok":2,"vocab_size":128`
	for key, config := range map[string]string{
		"max_position_embeddings is 0,":  llama + `,"max_position_embeddings":0`,
		"max_position_embeddings is -1":  llama + `,"max_position_embeddings":-1`,
		"max_position_embeddings is 922": llama + `,"max_position_embeddings":9223372036854775807`,
		"torch_dtype":                    llama + `,"torch_dtype":1`,
		"decoder_sparse_step is 0":       moe + `,"decoder_sparse_step":0`,
		"hidden_size is 64, but":         llama + `,"text_config":{}`,
		"num_hidden_layers is 2, and 1":  llama + `,"text_config":{` + strings.Replace(llama, `"num_hidden_layers":2`, `"num_hidden_layers":1`, 1) + `}`,
	} {
		v, err := strictjson.Parse(strings.NewReader("{"+config+"}"), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := arch.Of(v); err == nil || !strings.Contains(err.Error(), key) {
			t.Errorf("%v, want %q", err, key)
		}
	}
}

// TestAdapterCountsAll holds that the largest rank counts, and what an adapter holds whole.
func TestAdapterCountsAll(t *testing.T) {
	v, err := strictjson.Parse(strings.NewReader(`{"architectures":["LlamaForCausalLM"],"hidden_size":64,"intermediate_size":128,"num_hidden_layers":2,
		"num_attention_heads":4,"vocab_size":128}`), 0)
	if err != nil {
		t.Fatal(err)
	}
	base, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	added := func(config string) (int64, error) {
		a, err := strictjson.Parse(strings.NewReader(`{"peft_type":"LORA","r":8,"target_modules":["q_proj"]`+config+"}"), 0)
		if err != nil {
			t.Fatal(err)
		}
		s, err := base.WithAdapter(a, false)
		if err != nil {
			return 0, err
		}
		return s.Params().Total - base.Params().Total, nil
	}
	for config, want := range map[string]int64{
		"":                                     2 * 8 * (64 + 64),
		`,"rank_pattern":{"q_proj":32}`:        2 * 32 * (64 + 64),
		`,"modules_to_save":["lm_head"]`:       2*8*(64+64) + 128*64,
		`,"modules_to_save":["nowhere"]`:       2 * 8 * (64 + 64),
		`,"rank_pattern":{},"lora_bias":false`: 2 * 8 * (64 + 64),
	} {
		if got, err := added(config); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", config, got, err, want)
		}
	}
	if _, err := added(`,"rank_pattern":{"q_proj":-1}`); err == nil {
		t.Error("no error for a rank of -1")
	}
}
