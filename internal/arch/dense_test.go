package arch

import (
	"testing"
)

type publishedRow struct {
	name, config string
	want         int64
}

// published are totals that publishers state or that the headers of published files sum to. The configurations are the
// published ones without what does not bear on size.
func published() []publishedRow {
	const clip = `"vision_config": {"model_type": "clip_vision_model", "hidden_size": 1024, "image_size": 336,
		"intermediate_size": 4096, "num_hidden_layers": 24, "patch_size": 14}`
	return []publishedRow{
		{
			"bloom-7b1", `{"architectures": ["BloomForCausalLM"], "n_embed": 4096, "n_layer": 30, "num_attention_heads": 32, "vocab_size": 250880}`,
			7_069_016_064,
		},
		{
			"bloom-560m", `{"architectures": ["BloomForCausalLM"], "n_embed": 1024, "n_layer": 24, "num_attention_heads": 16, "vocab_size": 250880}`,
			559_214_592,
		},
		{"falcon-7b", `{"architectures": ["FalconForCausalLM"], "hidden_size": 4544, "num_attention_heads": 71, "num_hidden_layers": 32,
			"vocab_size": 65024, "multi_query": true, "parallel_attn": true, "bias": false, "new_decoder_architecture": false}`, 6_921_720_704},
		{"falcon-40b, its head unsaid", `{"architectures": ["FalconForCausalLM"], "hidden_size": 8192, "num_attention_heads": 128, "num_hidden_layers": 60,
			"vocab_size": 65024, "num_kv_heads": 8, "new_decoder_architecture": true}`, 41_835_970_560},
		{"falcon-rw-1b", `{"architectures": ["FalconForCausalLM"], "hidden_size": 2048, "num_attention_heads": 32, "num_hidden_layers": 24,
			"vocab_size": 50304, "multi_query": false, "parallel_attn": false, "bias": true, "alibi": true}`, 1_311_625_216},
		{"gpt-neox-20b", `{"architectures": ["GPTNeoXForCausalLM"], "hidden_size": 6144, "intermediate_size": 24576, "num_attention_heads": 64,
			"num_hidden_layers": 44, "vocab_size": 50432, "tie_word_embeddings": false}`, 20_554_567_680},
		{"pythia-70m", `{"architectures": ["GPTNeoXForCausalLM"], "hidden_size": 512, "intermediate_size": 2048, "num_attention_heads": 8,
			"num_hidden_layers": 6, "vocab_size": 50304, "tie_word_embeddings": false}`, 70_426_624},
		{"pythia-12b", `{"architectures": ["GPTNeoXForCausalLM"], "hidden_size": 5120, "intermediate_size": 20480, "num_attention_heads": 40,
			"num_hidden_layers": 36, "vocab_size": 50688, "tie_word_embeddings": false}`, 11_846_072_320},
		{
			"gpt2-xl", `{"architectures": ["GPT2LMHeadModel"], "n_embd": 1600, "n_head": 25, "n_layer": 48, "n_positions": 1024, "vocab_size": 50257}`,
			1_557_611_200,
		},
		{"opt-350m", `{"architectures": ["OPTForCausalLM"], "hidden_size": 1024, "ffn_dim": 4096, "num_attention_heads": 16, "num_hidden_layers": 24,
			"vocab_size": 50272, "max_position_embeddings": 2048, "word_embed_proj_dim": 512, "do_layer_norm_before": false}`, 331_196_416},
		{"opt-6.7b", `{"architectures": ["OPTForCausalLM"], "hidden_size": 4096, "ffn_dim": 16384, "num_attention_heads": 32, "num_hidden_layers": 32,
			"vocab_size": 50272, "max_position_embeddings": 2048, "word_embed_proj_dim": 4096}`, 6_658_473_984},
		{"gpt-neo-125m", `{"architectures": ["GPTNeoForCausalLM"], "hidden_size": 768, "intermediate_size": null, "num_heads": 12, "num_layers": 12,
			"max_position_embeddings": 2048, "vocab_size": 50257, "window_size": 256}`, 125_198_592},
		{"gpt-neo-1.3B", `{"architectures": ["GPTNeoForCausalLM"], "hidden_size": 2048, "intermediate_size": null, "num_heads": 16, "num_layers": 24,
			"max_position_embeddings": 2048, "vocab_size": 50257, "window_size": 256}`, 1_315_575_808},
		{
			"codegen-350M", `{"architectures": ["CodeGenForCausalLM"], "n_embd": 1024, "n_head": 16, "n_layer": 20, "n_positions": 2048, "vocab_size": 51200}`,
			356_712_448,
		},
		{"phi-1", `{"architectures": ["PhiForCausalLM"], "hidden_size": 2048, "intermediate_size": 8192, "num_attention_heads": 32, "num_hidden_layers": 24,
			"vocab_size": 51200}`, 1_418_270_720},
		{"starcoder", `{"architectures": ["GPTBigCodeForCausalLM"], "n_embd": 6144, "n_head": 48, "n_layer": 40, "n_inner": 24576, "n_positions": 8192,
			"vocab_size": 49152, "multi_query": true}`, 15_517_456_384},
		{"stablelm-3b-4e1t", `{"architectures": ["StableLMEpochForCausalLM"], "hidden_size": 2560, "intermediate_size": 6912, "num_attention_heads": 32,
			"num_key_value_heads": 32, "num_hidden_layers": 32, "vocab_size": 50304}`, 2_795_443_200},
		{"chatglm3-6b", `{"architectures": ["ChatGLMModel"], "hidden_size": 4096, "ffn_hidden_size": 13696, "num_attention_heads": 32, "kv_channels": 128,
			"num_layers": 28, "padded_vocab_size": 65024, "multi_query_attention": true, "multi_query_group_num": 2, "add_qkv_bias": true,
			"add_bias_linear": false, "rmsnorm": true, "seq_length": 8192}`, 6_243_584_000},
		{"glm-4-9b-chat", `{"architectures": ["ChatGLMModel"], "hidden_size": 4096, "ffn_hidden_size": 13696, "num_attention_heads": 32, "kv_channels": 128,
			"num_layers": 40, "padded_vocab_size": 151552, "vocab_size": 151552, "multi_query_attention": true, "multi_query_group_num": 2,
			"add_qkv_bias": true, "add_bias_linear": false, "rmsnorm": true, "seq_length": 131072}`, 9_399_951_360},
		{"GLM-4-9B-0414", `{"architectures": ["Glm4ForCausalLM"], "hidden_size": 4096, "intermediate_size": 13696, "num_attention_heads": 32, "head_dim": 128,
			"num_key_value_heads": 2, "num_hidden_layers": 40, "vocab_size": 151552, "attention_bias": true}`, 9_400_279_040},
		{"Seed-OSS-36B", `{"architectures": ["SeedOssForCausalLM"], "hidden_size": 5120, "intermediate_size": 27648, "num_attention_heads": 80, "head_dim": 128,
			"num_key_value_heads": 8, "num_hidden_layers": 64, "vocab_size": 155136, "attention_bias": true, "attention_out_bias": false}`, 36_151_104_512},
		{"SmolLM3-3B", `{"architectures": ["SmolLM3ForCausalLM"], "hidden_size": 2048, "intermediate_size": 11008, "num_attention_heads": 16,
			"num_key_value_heads": 4, "num_hidden_layers": 36, "vocab_size": 128256}`, 3_075_098_624},
		{"EXAONE-3.5-2.4B", `{"architectures": ["ExaoneForCausalLM"], "hidden_size": 2560, "intermediate_size": 7168, "num_attention_heads": 32,
			"num_key_value_heads": 8, "num_layers": 30, "head_dim": 80, "vocab_size": 102400, "tie_word_embeddings": true}`, 2_405_327_360},
		{"EXAONE-3.5-7.8B", `{"architectures": ["ExaoneForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32,
			"num_key_value_heads": 8, "num_layers": 32, "vocab_size": 102400, "tie_word_embeddings": false}`, 7_818_448_896},
		{"Baichuan2-7B", `{"architectures": ["BaichuanForCausalLM"], "hidden_size": 4096, "intermediate_size": 11008, "num_attention_heads": 32,
			"num_hidden_layers": 32, "vocab_size": 125696}`, 7_505_973_248},
		{"MiniCPM-2B", `{"architectures": ["MiniCPMForCausalLM"], "hidden_size": 2304, "intermediate_size": 5760, "num_attention_heads": 36,
			"num_key_value_heads": 36, "num_hidden_layers": 40, "vocab_size": 122753}`, 2_724_880_896},
		{"Apertus-8B", `{"architectures": ["ApertusForCausalLM"], "hidden_size": 4096, "intermediate_size": 21504, "num_attention_heads": 32,
			"num_key_value_heads": 8, "num_hidden_layers": 32, "vocab_size": 131072}`, 8_053_338_240},
		{"command-r", `{"architectures": ["CohereForCausalLM"], "hidden_size": 8192, "intermediate_size": 22528, "num_attention_heads": 64,
			"num_key_value_heads": 64, "num_hidden_layers": 40, "vocab_size": 256000}`, 34_980_831_232},
		{"c4ai-command-r-plus", `{"architectures": ["CohereForCausalLM"], "hidden_size": 12288, "intermediate_size": 33792, "num_attention_heads": 96,
			"num_key_value_heads": 8, "num_hidden_layers": 64, "vocab_size": 256000, "use_qk_norm": true}`, 103_810_674_688},
		{"command-r7b", `{"architectures": ["Cohere2ForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336, "num_attention_heads": 32,
			"num_key_value_heads": 8, "num_hidden_layers": 32, "head_dim": 128, "vocab_size": 256000, "sliding_window": 4096}`, 8_028_033_024},
		{"granite-3.1-8b", `{"architectures": ["GraniteForCausalLM"], "hidden_size": 4096, "intermediate_size": 12800, "num_attention_heads": 32,
			"num_key_value_heads": 8, "num_hidden_layers": 40, "vocab_size": 49155, "tie_word_embeddings": true}`, 8_170_848_256},
		{
			"Qwen2.5-VL-3B", `{"architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl", "hidden_size": 2048, "intermediate_size": 11008,
			"num_attention_heads": 16, "num_key_value_heads": 2, "num_hidden_layers": 36, "vocab_size": 151936, "tie_word_embeddings": true,
			"vision_config": {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 2048, "spatial_patch_size": 14}}`,
			3_754_622_976,
		},
		{
			"Qwen2.5-VL-7B", `{"architectures": ["Qwen2_5_VLForConditionalGeneration"], "model_type": "qwen2_5_vl", "hidden_size": 3584, "intermediate_size": 18944,
			"num_attention_heads": 28, "num_key_value_heads": 4, "num_hidden_layers": 28, "vocab_size": 152064, "tie_word_embeddings": false,
			"vision_config": {"depth": 32, "hidden_size": 1280, "intermediate_size": 3420, "out_hidden_size": 3584, "spatial_patch_size": 14}}`,
			8_292_166_656,
		},
		{"Llama-3.2-11B-Vision", `{"architectures": ["MllamaForConditionalGeneration"], "model_type": "mllama",
			"text_config": {"model_type": "mllama_text_model", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 40,
				"num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 128256, "cross_attention_layers": [3, 8, 13, 18, 23, 28, 33, 38]},
			"vision_config": {"model_type": "mllama_vision_model", "hidden_size": 1280, "intermediate_size": 5120, "image_size": 560, "patch_size": 14,
				"num_hidden_layers": 32, "num_global_layers": 8, "max_num_tiles": 4, "vision_output_dim": 7680}}`, 10_670_220_835},
		{"llava-1.5-7b", `{"architectures": ["LlavaForConditionalGeneration"], "model_type": "llava",
			"text_config": {"model_type": "llama", "max_position_embeddings": 4096, "vocab_size": 32064}, ` + clip + `}`, 7_063_427_072},
		{"llava-v1.6-mistral-7b", `{"architectures": ["LlavaNextForConditionalGeneration"], "model_type": "llava_next",
			"text_config": {"model_type": "mistral", "hidden_size": 4096, "intermediate_size": 14336, "num_key_value_heads": 8, "vocab_size": 32064,
				"sliding_window": null}, ` + clip + `}`, 7_566_747_648},
		{"paligemma-3b-pt-224", `{"architectures": ["PaliGemmaForConditionalGeneration"], "model_type": "paligemma",
			"text_config": {"model_type": "gemma", "hidden_size": 2048, "intermediate_size": 16384, "num_attention_heads": 8, "num_hidden_layers": 18,
				"num_key_value_heads": 1, "vocab_size": 257216},
			"vision_config": {"model_type": "siglip_vision_model", "hidden_size": 1152, "intermediate_size": 4304, "num_hidden_layers": 27,
				"patch_size": 14, "projection_dim": 2048, "vision_use_head": false}}`, 2_923_466_480},
		{"InternVL3-8B", `{"architectures": ["InternVLChatModel"], "model_type": "internvl_chat",
			"llm_config": {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944,
				"num_attention_heads": 28, "num_key_value_heads": 4, "num_hidden_layers": 28, "vocab_size": 151674},
			"vision_config": {"model_type": "intern_vit_6b", "hidden_size": 1024, "intermediate_size": 4096, "image_size": 448, "patch_size": 14,
				"num_hidden_layers": 24, "norm_type": "layer_norm", "qkv_bias": true, "qk_normalization": false}}`, 7_944_373_760},
		{"GLM-4.1V-9B", `{"architectures": ["Glm4vForConditionalGeneration"], "model_type": "glm4v",
			"text_config": {"model_type": "glm4v_text", "hidden_size": 4096, "intermediate_size": 13696, "num_attention_heads": 32, "head_dim": 128,
				"num_key_value_heads": 2, "num_hidden_layers": 40, "vocab_size": 151552, "attention_bias": true},
			"vision_config": {"model_type": "glm4v", "depth": 24, "hidden_size": 1536, "intermediate_size": 13696, "out_hidden_size": 4096,
				"image_size": 336, "patch_size": 14, "spatial_merge_size": 2, "temporal_patch_size": 2}}`, 10_292_777_472},
		{"SmolVLM-256M", `{"architectures": ["Idefics3ForConditionalGeneration"], "model_type": "idefics3", "scale_factor": 4,
			"text_config": {"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_attention_heads": 9, "num_key_value_heads": 3,
				"num_hidden_layers": 30, "vocab_size": 49280},
			"vision_config": {"hidden_size": 768, "intermediate_size": 3072, "image_size": 512, "patch_size": 16, "num_hidden_layers": 12}}`, 256_484_928},
	}
}

func TestPublishedTotals(t *testing.T) {
	for _, row := range published() {
		t.Run(row.name, func(t *testing.T) {
			s, err := Of(parsed(t, row.config))
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Params().Total; got != row.want {
				t.Errorf("%d parameters, want %d (%+d)", got, row.want, got-row.want)
			}
		})
	}
}
