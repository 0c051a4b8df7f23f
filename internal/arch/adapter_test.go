package arch

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

const (
	adapterBase = `{"architectures":["LlamaForCausalLM"],"hidden_size":64,"num_hidden_layers":4,"num_attention_heads":4,"num_key_value_heads":2,
		"intermediate_size":128,"vocab_size":256,"max_position_embeddings":2048,"tie_word_embeddings":false}`
	expertBase = `{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,"head_dim":16,
		"intermediate_size":128,"moe_intermediate_size":32,"num_experts":8,"num_experts_per_tok":2,"vocab_size":256,"max_position_embeddings":2048,
		"decoder_sparse_step":1,"mlp_only_layers":[],"norm_topk_prob":true,"tie_word_embeddings":false}`
)

func shapeOf(t testing.TB, text string) *Shape {
	t.Helper()
	s, err := Of(jsonOf(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func jsonOf(t testing.TB, text string) strictjson.Value {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func TestWithAdapter(t *testing.T) {
	tied := strings.Replace(adapterBase, `"tie_word_embeddings":false`, `"tie_word_embeddings":true`, 1)
	const (
		q, k, o    = 64 + 64, 64 + 32, 64 + 64 // inputs and outputs together
		up, down   = 64 + 128, 128 + 64
		all        = q + 2*k + o + 2*up + down
		vocabulary = 256 * 64
	)
	for _, tt := range []struct {
		name   string
		base   string
		config string
		want   int64
		gap    string
	}{
		{"a list", adapterBase, `"target_modules":["q_proj","v_proj"]`, 4 * 8 * (q + k), ""},
		{"names that only end alike", adapterBase, `"target_modules":["q_proj","proj"]`, 4 * 8 * q, ""},
		{"longer names", adapterBase, `"target_modules":["self_attn.q_proj","model.layers.1.mlp.up_proj"]`, 8 * (4*q + up), ""},
		{"a pattern", adapterBase, `"target_modules":"model\\.layers\\.[01]\\..*(q|k)_proj"`, 2 * 8 * (q + k), ""},
		{"a pattern matches the whole name", adapterBase, `"target_modules":".*q_pro|.*v_proj"`, 4 * 8 * k, ""},
		{"all linear layers but the head", adapterBase, `"target_modules":"all-linear"`, 4 * 8 * all, ""},
		{"modules that are left out", adapterBase, `"target_modules":"all-linear","exclude_modules":["down_proj","q_proj"]`, 4 * 8 * (all - q - down), ""},
		{"some layers", adapterBase, `"target_modules":["q_proj"],"layers_to_transform":[0,3]`, 2 * 8 * q, ""},
		{"one layer", adapterBase, `"target_modules":["q_proj"],"layers_to_transform":2,"layers_pattern":"layers"`, 8 * q, ""},
		{"a rank of its own", adapterBase, `"target_modules":["q_proj","v_proj"],"rank_pattern":{"v_proj":2,"proj":99}`, 4 * (8*q + 2*k), ""},
		{"a rank for one layer", adapterBase, `"target_modules":["q_proj"],"rank_pattern":{"model.layers.1.self_attn.q_proj":16}`, (3*8 + 16) * q, ""},
		{"a rank by pattern", adapterBase, `"target_modules":["q_proj"],"rank_pattern":{"layers\\.(0|1)\\..*q_proj":16}`, (2*8 + 2*16) * q, ""},
		{"the first pattern counts", adapterBase, `"target_modules":["q_proj"],"rank_pattern":{".*q_proj":4,"q_proj":16}`, 4 * 4 * q, ""},
		{"DoRA", adapterBase, `"target_modules":["q_proj","v_proj"],"use_dora":true`, 4 * (8*(q+k) + 64 + 32), ""},
		{"a bias", adapterBase, `"target_modules":["v_proj"],"lora_bias":true`, 4 * (8*k + 32), ""},
		{"the embedding", adapterBase, `"target_modules":["embed_tokens"]`, 8 * (256 + 64), ""},
		{"the head", adapterBase, `"target_modules":["lm_head"]`, 8 * (256 + 64), ""},
		{"the head of tied embeddings", tied, `"target_modules":["lm_head","q_proj"]`, 8*(256+64) + 4*8*q, ""},
		{"whole modules", adapterBase, `"target_modules":["q_proj"],"modules_to_save":["embed_tokens","lm_head"]`, 4*8*q + 2*vocabulary, ""},
		{"a whole head of tied embeddings", tied, `"target_modules":["q_proj"],"modules_to_save":["lm_head"]`, 4*8*q + vocabulary, ""},
		{"norms by the end of their names", adapterBase, `"target_modules":["q_proj"],"modules_to_save":["norm"]`, 4*8*q + 9*64, ""},
		{"whole modules that the base lacks", adapterBase, `"target_modules":["q_proj"],"modules_to_save":["score"]`, 4 * 8 * q, `modules_to_save "score"`},
		{"a pattern that only Python reads", adapterBase, `"target_modules":"(?!x).*q_proj"`, 4 * 8 * all, "target_modules"},
		{"a rank that only Python reads", adapterBase, `"target_modules":["q_proj"],"rank_pattern":{"(?!x)q_proj":32}`, 4 * 32 * q, "rank_pattern"},
		{"an exclusion that only Python reads", adapterBase, `"target_modules":["q_proj"],"exclude_modules":"(?!x).*"`, 4 * 8 * q, "exclude_modules"},
		{"experts one by one", expertBase, `"target_modules":["up_proj"]`, 2 * 8 * 8 * (64 + 32), ""},
		{"no layers named", adapterBase, `"target_modules":["q_proj"],"layers_to_transform":null,"rank_pattern":{},"modules_to_save":null,"megatron_config":null,"layer_replication":null`, 4 * 8 * q, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			base := shapeOf(t, tt.base)
			got, err := base.WithAdapter(jsonOf(t, `{"peft_type":"LORA","r":8,`+tt.config+`}`), false)
			if err != nil {
				t.Fatal(err)
			}
			if n := got.Of(Adapter).Total; n != tt.want {
				t.Errorf("%d numbers, want %d", n, tt.want)
			}
			if n := got.Params().Total - base.Params().Total; n != tt.want {
				t.Errorf("the model grew by %d, want %d", n, tt.want)
			}
			if gaps := fmt.Sprint(got.Gaps); (len(got.Gaps) > len(base.Gaps)) != (tt.gap != "") || !strings.Contains(gaps, tt.gap) {
				t.Errorf("gaps %v, want %q", got.Gaps, tt.gap)
			}
		})
	}
}

func TestWithAdapterRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, config, says string
		unknown            bool
	}{
		{"another kind", `"peft_type":"IA3","r":8,"target_modules":["q_proj"]`, "IA3", true},
		{"layers that are repeated", `"r":8,"target_modules":["q_proj"],"layer_replication":[[0,4],[2,4]]`, "layer_replication", true},
		{"tokens that are trained", `"r":8,"target_modules":["q_proj"],"trainable_token_indices":[1,2]`, "trainable_token_indices", true},
		{"no rank", `"target_modules":["q_proj"]`, "r is missing", false},
		{"a rank below one", `"r":0,"target_modules":["q_proj"]`, "r is 0", false},
		{"an absurd rank", `"r":9223372036854775807,"target_modules":["q_proj"]`, "r is 9223372036854775807", false},
		{"an absurd rank of one module", `"r":8,"target_modules":["q_proj"],"rank_pattern":{"q_proj":99999}`, "99999", false},
		{"no targets", `"r":8`, "target_modules is missing", false},
		{"targets of another model", `"r":8,"target_modules":["c_attn"]`, "does not belong", false},
		{"targets that are no names", `"r":8,"target_modules":[1]`, "target_modules", false},
		{"a long pattern", `"r":8,"target_modules":"` + strings.Repeat("x", maxPattern+1) + `"`, "bytes", false},
		{"layers that are no numbers", `"r":8,"target_modules":["q_proj"],"layers_to_transform":["a"]`, "layers_to_transform", false},
		{"ranks that are no object", `"r":8,"target_modules":["q_proj"],"rank_pattern":[1]`, "rank_pattern", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := shapeOf(t, adapterBase).WithAdapter(jsonOf(t, `{`+tt.config+`}`), false)
			if err == nil || !strings.Contains(err.Error(), tt.says) || errors.Is(err, ErrUnknown) != tt.unknown {
				t.Errorf("error %v, want one with %q (unknown: %t)", err, tt.says, tt.unknown)
			}
		})
	}
}

// TestWithAdapterSharesTensors: blocks that were alike stay alike, and the base is what it was.
func TestWithAdapterSharesTensors(t *testing.T) {
	base := shapeOf(t, adapterBase)
	before := base.Params()
	got, err := base.WithAdapter(jsonOf(t, `{"r":8,"target_modules":["q_proj"],"rank_pattern":{"model.layers.3.self_attn.q_proj":2}}`), true)
	if err != nil {
		t.Fatal(err)
	}
	first := func(i int) *Tensor { return &got.Blocks[i].Tensors[0] }
	if first(0) != first(1) || first(0) != first(2) || first(0) == first(3) {
		t.Error("blocks 0 to 2 are alike and block 3 is not")
	}
	if diff := cmp.Diff(before, base.Params()); diff != "" {
		t.Errorf("the base was changed: %s", diff)
	}
	for tensor := range got.Tensors() {
		if tensor.Component == Adapter && (!tensor.Float32 || tensor.Split != Replicated || tensor.Matrix) {
			t.Errorf("%+v", tensor)
		}
	}
}

func FuzzWithAdapter(f *testing.F) {
	f.Add(`{"peft_type":"LORA","r":8,"target_modules":["q_proj"],"rank_pattern":{"q.*":4},"layers_to_transform":[1],"modules_to_save":["norm"]}`)
	f.Add(`{"r":8,"target_modules":"all-linear","use_dora":true,"exclude_modules":"(?!x)"}`)
	f.Add(`{"r":8,"target_modules":["embed_tokens","lm_head"],"lora_bias":true,"layers_pattern":["layers"],"layers_to_transform":0}`)
	base := shapeOf(f, adapterBase)
	whole := base.Params().Total
	f.Fuzz(func(t *testing.T, text string) {
		v, err := strictjson.Parse(strings.NewReader(text), 1<<16)
		if err != nil || v.Kind() != strictjson.Object {
			return
		}
		s, err := base.WithAdapter(v, true)
		if err != nil {
			return
		}
		if n := s.Of(Adapter).Total; n <= 0 || s.Params().Total != whole+n {
			t.Errorf("%d and %d numbers are %d", whole, n, s.Params().Total)
		}
	})
}
