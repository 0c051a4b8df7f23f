package arch

import (
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

func parsed(t *testing.T, text string) strictjson.Value {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestTowers holds towers with their projectors against the difference between the total that the publisher states for
// the whole model and that for its language model.
func TestTowers(t *testing.T) {
	const (
		siglip = `"vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152, "image_size": 896, "intermediate_size": 4304,
			"num_hidden_layers": 27, "patch_size": 14, "vision_use_head": false}`
		pixtral = `"vision_config": {"model_type": "pixtral", "hidden_size": 1024, "image_size": 1540, "intermediate_size": 4096,
			"num_hidden_layers": 24, "patch_size": 14}`
		clip = `"vision_config": {"model_type": "clip_vision_model", "hidden_size": 1024, "image_size": 336, "intermediate_size": 4096,
			"num_hidden_layers": 24, "patch_size": 14}`
	)
	for _, row := range []struct {
		name, config string
		want         int64
	}{
		{"none", `{"hidden_size": 4096}`, 0},
		{"null", `{"hidden_size": 4096, "vision_config": null}`, 0},
		{"Gemma 3 27B", `{"model_type": "gemma3", "text_config": {"hidden_size": 5376}, ` + siglip + `}`, 423_060_336},
		{"Gemma 3 4B", `{"model_type": "gemma3", "text_config": {"hidden_size": 2560}, ` + siglip + `}`, 419_816_304},
		{"Mistral Small 4", `{"model_type": "mistral3", "text_config": {"hidden_size": 4096}, ` + pixtral + `}`, 428_472_320},
		{"Ministral 3 3B", `{"model_type": "mistral3", "text_config": {"hidden_size": 3072}, ` + pixtral + `}`, 420_083_712},
		{"Qwen2-VL 7B", `{"model_type": "qwen2_vl", "hidden_size": 3584, "vision_config": {"depth": 32, "embed_dim": 1280, "mlp_ratio": 4,
			"hidden_size": 3584, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2, "in_chans": 3}}`, 8_291_375_616 - 7_615_616_512},
		{"Qwen2.5-VL 7B", `{"model_type": "qwen2_5_vl", "hidden_size": 3584, "vision_config": {"depth": 32, "hidden_size": 1280,
			"intermediate_size": 3420, "out_hidden_size": 3584, "patch_size": 14}}`, 8_292_166_656 - 7_615_616_512},
		{"Qwen3-VL 2B", `{"model_type": "qwen3_vl", "text_config": {"hidden_size": 2048}, "vision_config": {"deepstack_visual_indexes": [5, 11, 17],
			"depth": 24, "hidden_size": 1024, "intermediate_size": 4096, "out_hidden_size": 2048, "patch_size": 16}}`, 406_957_056},
		{"Qwen3.5 27B", `{"model_type": "qwen3_5", "text_config": {"hidden_size": 5120}, "vision_config": {"deepstack_visual_indexes": [],
			"depth": 27, "hidden_size": 1152, "intermediate_size": 4304, "out_hidden_size": 5120, "patch_size": 16}}`, 460_730_096},
		{"LLaVA 1.5 7B", `{"model_type": "llava", "text_config": {"hidden_size": 4096}, ` + clip + `}`, 7_063_427_072 - 6_738_939_904},
		{"LLaVA 1.6 Mistral 7B", `{"model_type": "llava_next", "text_config": {"hidden_size": 4096}, ` + clip + `}`, 7_566_747_648 - 7_242_256_384},
		{"Llama 4 Scout", `{"model_type": "llama4", "text_config": {"hidden_size": 5120}, "vision_config": {"model_type": "llama4_vision_model",
			"hidden_size": 1408, "image_size": 336, "intermediate_size": 5632, "num_hidden_layers": 34, "patch_size": 14,
			"projector_input_dim": 4096, "projector_output_dim": 4096, "vision_output_dim": 4096}}`, 108_641_793_536 - 107_769_861_120},
		{"Kimi K3", `{"model_type": "kimi_k3", "text_config": {"hidden_size": 7168}, "vision_config": {"attn_bias": false, "linear_bias": false,
			"patch_embed_proj_bias": false, "norm_type": "rmsnorm", "mm_projector_type": "patchmergerv2", "merge_kernel_size": [2, 2],
			"qkv_hidden_size": 1536, "vt_hidden_size": 1024, "vt_intermediate_size": 4096, "vt_num_hidden_layers": 27}}`, 401_214_464 + 46_144_512},
	} {
		t.Run(row.name, func(t *testing.T) {
			v := parsed(t, row.config)
			c := &config{values: v, top: v}
			var got int64
			for _, tensor := range c.towers() {
				if tensor.Component != Tower || tensor.Active() != 0 {
					t.Errorf("%s counts as %s with %d active", tensor.Name, tensor.Component, tensor.Active())
				}
				got += tensor.Elements()
			}
			if c.err != nil || got != row.want {
				t.Errorf("got %d, want %d; %v", got, row.want, c.err)
			}
		})
	}
}

func TestUnknownTowerIsAGap(t *testing.T) {
	for name, text := range map[string]string{
		"of a new kind":                `{"model_type": "new", "vision_config": {"model_type": "new_vision"}}`,
		"of a new kind in a known one": `{"model_type": "qwen3_vl", "vision_config": {"model_type": "new_vision"}}`,
		"of sound in a known one":      `{"model_type": "qwen3_vl", "audio_config": {"model_type": "new_audio"}}`,
		"of no kind":                   `{"vision_config": {"hidden_size": 64}}`,
	} {
		t.Run(name, func(t *testing.T) {
			v := parsed(t, text)
			c := &config{values: v, top: v}
			if got := c.towers(); got != nil || len(c.gaps) != 1 || c.err != nil {
				t.Errorf("%d tensors, gaps %v, %v", len(got), c.gaps, c.err)
			}
		})
	}
}

// TestTowerOfAModel says where what a tower assumes and its letters are from.
func TestTowerOfAModel(t *testing.T) {
	s, err := Of(parsed(t, `{"architectures": ["Idefics3ForConditionalGeneration"], "model_type": "idefics3", "scale_factor": 4,
		"text_config": {"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9,
			"num_key_value_heads": 3, "num_hidden_layers": 30, "vocab_size": 49280},
		"vision_config": {"hidden_size": 768, "image_size": 512, "patch_size": 16}}`))
	if err != nil {
		t.Fatal(err)
	}
	keys := map[string]int64{}
	for _, l := range s.Symbols {
		keys[l.Key] = l.Value
	}
	if keys["scale_factor"] != 4 || keys["vision_config.hidden_size"] != 768 || keys["hidden_size"] != 576 {
		t.Errorf("%v", s.Symbols)
	}
	assumed := map[string]string{}
	for _, a := range s.Assumed {
		assumed[a.Key] = a.Value
	}
	if assumed["vision_config.num_hidden_layers"] != "12" || assumed["tie_word_embeddings"] != "false" {
		t.Errorf("%v", s.Assumed)
	}
}
