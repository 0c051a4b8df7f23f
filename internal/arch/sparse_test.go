package arch_test

import (
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

func shapeOf(t *testing.T, config string) *arch.Shape {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(config), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestSparseTotals holds families that no corpus is needed for to the totals of their published files.
func TestSparseTotals(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		total        int64
	}{
		{"Mamba 130M", `{"architectures": ["MambaForCausalLM"], "hidden_size": 768, "num_hidden_layers": 24, "vocab_size": 50280,
			"state_size": 16, "expand": 2, "conv_kernel": 4, "time_step_rank": 48, "use_bias": false, "use_conv_bias": true}`, 129_135_360},
		{"Falcon Mamba 7B", `{"architectures": ["FalconMambaForCausalLM"], "hidden_size": 4096, "num_hidden_layers": 64, "vocab_size": 65024,
			"state_size": 16, "intermediate_size": 8192, "conv_kernel": 4, "time_step_rank": 256, "use_bias": false, "use_conv_bias": true,
			"tie_word_embeddings": false}`, 7_272_665_088},
		{"Codestral Mamba 7B", `{"architectures": ["Mamba2ForCausalLM"], "hidden_size": 4096, "num_hidden_layers": 64, "vocab_size": 32768,
			"num_heads": 128, "head_dim": 64, "n_groups": 8, "state_size": 128, "conv_kernel": 4, "expand": 2, "use_bias": false,
			"use_conv_bias": true, "tie_word_embeddings": false}`, 7_285_403_648},
		{"Jamba v0.1", `{"architectures": ["JambaForCausalLM"], "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
			"num_attention_heads": 32, "num_key_value_heads": 8, "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_dt_rank": 256,
			"num_experts": 16, "num_experts_per_tok": 2, "attn_layer_period": 8, "attn_layer_offset": 4, "expert_layer_period": 2,
			"expert_layer_offset": 1, "vocab_size": 65536, "tie_word_embeddings": false}`, 51_570_323_328},
		{"LFM2 1.2B", `{"architectures": ["Lfm2ForCausalLM"], "hidden_size": 2048, "num_hidden_layers": 16, "block_ff_dim": 12288,
			"block_ffn_dim_multiplier": 1.0, "block_multiple_of": 256, "block_auto_adjust_ff_dim": true, "num_attention_heads": 32,
			"num_key_value_heads": 8, "conv_L_cache": 3, "conv_bias": false, "vocab_size": 65536, "full_attn_idxs": [2, 5, 8, 10, 12, 14]}`, 1_170_340_608},
		{"LFM2 8B A1B", `{"architectures": ["Lfm2MoeForCausalLM"], "hidden_size": 2048, "num_hidden_layers": 24, "intermediate_size": 7168,
			"moe_intermediate_size": 1792, "num_experts": 32, "num_experts_per_tok": 4, "num_dense_layers": 2, "num_attention_heads": 32,
			"num_key_value_heads": 8, "conv_L_cache": 3, "conv_bias": false, "vocab_size": 65536, "use_expert_bias": true, "layer_types":
			["conv","conv","full_attention","conv","conv","conv","full_attention","conv","conv","conv","full_attention","conv","conv","conv",
			"full_attention","conv","conv","conv","full_attention","conv","conv","full_attention","conv","conv"]}`, 8_339_929_856 + 22*32}, // published without the biases of the router, which the file holds
		{"OLMoE", `{"architectures": ["OlmoeForCausalLM"], "hidden_size": 2048, "intermediate_size": 1024, "num_hidden_layers": 16,
			"num_attention_heads": 16, "num_key_value_heads": 16, "num_experts": 64, "num_experts_per_tok": 8, "vocab_size": 50304,
			"tie_word_embeddings": false}`, 6_919_161_856},
		{"DeepSeek V2", `{"architectures": ["DeepseekV2ForCausalLM"], "hidden_size": 5120, "intermediate_size": 12288, "moe_intermediate_size": 1536,
			"n_routed_experts": 160, "n_shared_experts": 2, "num_experts_per_tok": 6, "num_hidden_layers": 60, "num_attention_heads": 128,
			"num_key_value_heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
			"v_head_dim": 128, "first_k_dense_replace": 1, "vocab_size": 102400, "tie_word_embeddings": false}`, 235_741_434_880},
		{"dots.llm1", `{"architectures": ["Dots1ForCausalLM"], "hidden_size": 4096, "intermediate_size": 10944, "moe_intermediate_size": 1408,
			"num_hidden_layers": 62, "num_attention_heads": 32, "num_key_value_heads": 32, "head_dim": 128, "n_routed_experts": 128,
			"n_shared_experts": 2, "num_experts_per_tok": 6, "first_k_dense_replace": 1, "vocab_size": 152064, "tie_word_embeddings": false}`, 142_774_381_696},
		{"Kimi Linear 48B", `{"architectures": ["KimiLinearForCausalLM"], "hidden_size": 2304, "intermediate_size": 9216, "moe_intermediate_size": 1024,
			"num_hidden_layers": 27, "num_attention_heads": 32, "q_lora_rank": null, "kv_lora_rank": 512, "qk_nope_head_dim": 128,
			"qk_rope_head_dim": 64, "v_head_dim": 128, "num_experts": 256, "num_experts_per_token": 8, "num_shared_experts": 1,
			"first_k_dense_replace": 1, "vocab_size": 163840, "tie_word_embeddings": false, "linear_attn_config": {"num_heads": 32, "head_dim": 128,
			"short_conv_kernel_size": 4, "full_attn_layers": [4, 8, 12, 16, 20, 24, 27], "kda_layers":
			[1, 2, 3, 5, 6, 7, 9, 10, 11, 13, 14, 15, 17, 18, 19, 21, 22, 23, 25, 26]}}`, 49_122_681_728},
		{"Ling lite", `{"architectures": ["BailingMoeForCausalLM"], "hidden_size": 2048, "intermediate_size": 5632, "moe_intermediate_size": 1408,
			"num_experts": 64, "num_experts_per_tok": 6, "num_shared_experts": 2, "num_hidden_layers": 28, "num_attention_heads": 16,
			"num_key_value_heads": 4, "vocab_size": 126464, "first_k_dense_replace": 0, "tie_word_embeddings": false}`, 16_801_974_272},
		{"ERNIE 4.5 21B", `{"architectures": ["Ernie4_5_MoeForCausalLM"], "hidden_size": 2560, "intermediate_size": 12288,
			"moe_intermediate_size": 1536, "moe_num_experts": 64, "moe_k": 6, "moe_num_shared_experts": 2, "moe_layer_start_index": 1,
			"num_hidden_layers": 28, "num_attention_heads": 20, "num_key_value_heads": 4, "vocab_size": 103424, "use_bias": false,
			"tie_word_embeddings": true}`, 21_825_437_888},
		{"GLM 4.5 Air", `{"architectures": ["Glm4MoeForCausalLM"], "hidden_size": 4096, "intermediate_size": 10944, "moe_intermediate_size": 1408,
			"n_routed_experts": 128, "n_shared_experts": 1, "num_experts_per_tok": 8, "num_hidden_layers": 46, "num_attention_heads": 96,
			"num_key_value_heads": 8, "head_dim": 128, "first_k_dense_replace": 1, "attention_bias": true, "use_qk_norm": false,
			"vocab_size": 151552, "num_nextn_predict_layers": 1, "tie_word_embeddings": false}`, 106_852_251_264},
		{"Granite 4 tiny", `{"architectures": ["GraniteMoeHybridForCausalLM"], "hidden_size": 1536, "intermediate_size": 512,
			"shared_intermediate_size": 1024, "num_local_experts": 64, "num_experts_per_tok": 6, "num_hidden_layers": 10,
			"num_attention_heads": 12, "num_key_value_heads": 4, "mamba_n_heads": 48, "mamba_d_head": 64, "mamba_n_groups": 1, "mamba_d_state": 128,
			"mamba_expand": 2, "vocab_size": 100352, "tie_word_embeddings": true, "layer_types": ["mamba", "mamba", "mamba", "mamba", "mamba",
			"attention", "mamba", "mamba", "mamba", "mamba"]}`, (6_939_037_248-154_142_208)/4 + 154_142_208},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := shapeOf(t, tt.config).Params().Total; got != tt.total {
				t.Errorf("%d parameters, want %d (%+d)", got, tt.total, got-tt.total)
			}
		})
	}
}

// growth is the number of elements that one more token adds to the cache of all layers, as long as no window is full.
func growth(s *arch.Shape, only ...arch.Kind) (elements int64) {
	for i := range s.Blocks {
		m := &s.Blocks[i].Mixer
		if m.SharesWith >= 0 || len(only) > 0 && m.Kind != only[0] {
			continue
		}
		switch m.Kind {
		case arch.Latent:
			elements += m.Latent + m.Rope
		case arch.Full, arch.Sliding, arch.Chunked:
			elements += m.KVHeads * (m.KeyWidth + m.ValueWidth)
		}
		elements += m.Index
	}
	return elements
}

const deepseekV3 = `{"architectures": ["DeepseekV3ForCausalLM"], "hidden_size": 7168, "intermediate_size": 18432, "moe_intermediate_size": 2048,
	"n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "num_hidden_layers": 61, "num_attention_heads": 128,
	"num_key_value_heads": 128, "q_lora_rank": 1536, "kv_lora_rank": 512, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "v_head_dim": 128,
	"first_k_dense_replace": 3, "topk_method": "noaux_tc", "num_nextn_predict_layers": 1, "vocab_size": 129280, "tie_word_embeddings": false`

const gptOSS20B = `{"architectures": ["GptOssForCausalLM"], "hidden_size": 2880, "intermediate_size": 2880, "num_hidden_layers": 24,
	"num_attention_heads": 64, "num_key_value_heads": 8, "head_dim": 64, "num_local_experts": 32, "num_experts_per_tok": 4,
	"sliding_window": 128, "vocab_size": 201088, "tie_word_embeddings": false}`

const qwen35 = `{"architectures": ["Qwen3_5ForConditionalGeneration"], "model_type": "qwen3_5", "tie_word_embeddings": true, "text_config": {
	"hidden_size": 2560, "intermediate_size": 9216, "num_hidden_layers": 32, "num_attention_heads": 16, "num_key_value_heads": 4, "head_dim": 256,
	"linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
	"linear_conv_kernel_dim": 4, "full_attention_interval": 4, "vocab_size": 248320}}`

const nemotronNano = `{"architectures": ["NemotronHForCausalLM"], "hidden_size": 2688, "intermediate_size": 1856, "moe_intermediate_size": 1856,
	"hybrid_override_pattern": "MEM*-", "mamba_num_heads": 64, "mamba_head_dim": 64, "n_groups": 8, "ssm_state_size": 128, "conv_kernel": 4,
	"num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128, "n_routed_experts": 128, "n_shared_experts": 1,
	"moe_shared_expert_intermediate_size": 3712, "num_experts_per_tok": 6, "vocab_size": 131072, "tie_word_embeddings": false}`

const gemma4E = `{"architectures": ["Gemma4ForCausalLM"], "hidden_size": 1536, "intermediate_size": 6144, "num_hidden_layers": 6,
	"num_attention_heads": 8, "num_key_value_heads": 1, "head_dim": 256, "global_head_dim": 512, "sliding_window": 512,
	"hidden_size_per_layer_input": 256, "num_kv_shared_layers": 3, "use_double_wide_mlp": true, "vocab_size": 262144, "layer_types":
	["sliding_attention", "sliding_attention", "full_attention", "sliding_attention", "sliding_attention", "full_attention"]}`

// TestCacheOfToken holds what one token adds to figures that are known for the family.
func TestCacheOfToken(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		want         int64
		only         []arch.Kind
	}{
		{"DeepSeek V3", deepseekV3 + `}`, 61 * 576, nil},
		{"DeepSeek V3.2", deepseekV3 + `, "index_n_heads": 64, "index_head_dim": 128}`, 61 * (576 + 128), nil},
		{"gpt-oss: all layers", gptOSS20B, 24 * 2 * 8 * 64, nil},
		{"gpt-oss: layers without a window", gptOSS20B, 12 * 2 * 8 * 64, []arch.Kind{arch.Full}},
		{"Qwen3.5: one layer of four", qwen35, 8 * 2 * 4 * 256, nil},
		{"Nemotron: attention alone", nemotronNano, 2 * 2 * 128, nil},
		{"Gemma 4: layers that share a cache add nothing", gemma4E, 2*2*256 + 2*512, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := growth(shapeOf(t, tt.config), tt.only...); got != tt.want {
				t.Errorf("%d elements a token, want %d", got, tt.want)
			}
		})
	}
}

// TestStates holds the states to the formulas of their papers.
func TestStates(t *testing.T) {
	for _, tt := range []struct {
		name, config              string
		layer                     int
		conv, groups, state, held int64
	}{
		{"Mamba", `{"architectures": ["MambaForCausalLM"], "hidden_size": 64, "num_hidden_layers": 1, "vocab_size": 16, "state_size": 8,
			"expand": 2, "conv_kernel": 4, "time_step_rank": "auto"}`, 0, 3 * 128, 0, 128 * 8, 128},
		{"Mamba 2 in Nemotron", nemotronNano, 0, 3 * (4096 + 2*8*128), 3 * 2 * 8 * 128, 64 * 64 * 128, 64},
		{"Gated DeltaNet", qwen35, 0, 3 * (2*2048 + 4096), 0, 32 * 128 * 128, 32},
		{"lightning", `{"architectures": ["MiniMaxM1ForCausalLM"], "hidden_size": 64, "intermediate_size": 8, "num_hidden_layers": 2,
			"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 32, "num_local_experts": 2, "num_experts_per_tok": 1, "vocab_size": 16,
			"attn_type_list": [0, 1], "tie_word_embeddings": false}`, 0, 0, 0, 4 * 32 * 32, 4},
		{"short convolution", `{"architectures": ["Lfm2ForCausalLM"], "hidden_size": 64, "num_hidden_layers": 2, "block_ff_dim": 96,
			"num_attention_heads": 4, "num_key_value_heads": 2, "conv_L_cache": 3, "vocab_size": 16, "full_attn_idxs": [1]}`, 0, 2 * 64, 0, 0, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := shapeOf(t, tt.config).Blocks[tt.layer].Mixer
			if m.Kind != arch.State || m.Conv != tt.conv || m.ConvGroups != tt.groups || m.State != tt.state || m.StateHeads != tt.held {
				t.Errorf("%+v", m)
			}
		})
	}
}

func TestSharedCachesOfGemma4(t *testing.T) {
	s := shapeOf(t, gemma4E)
	want := []int{-1, -1, -1, 1, 1, 2}
	for i := range s.Blocks {
		if got := s.Blocks[i].Mixer.SharesWith; got != want[i] {
			t.Errorf("layer %d shares with %d, want %d", i, got, want[i])
		}
		for _, x := range s.Blocks[i].Tensors {
			if want[i] >= 0 && (strings.Contains(x.Name, "k_proj") || strings.Contains(x.Name, "v_proj")) {
				t.Errorf("layer %d shares its cache and has %s", i, x.Name)
			}
		}
	}
	if s.Blocks[3].MLP.Width != 2*s.Blocks[0].MLP.Width {
		t.Error("the MLP of layers that share is twice as wide")
	}
}

// TestGemma3n: the sum that the modeling code builds; layers share caches, and keep their keys and values all the same.
func TestGemma3n(t *testing.T) {
	s := shapeOf(t, `{"architectures": ["Gemma3nForCausalLM"], "hidden_size": 64, "intermediate_size": [96, 96, 96, 96], "num_hidden_layers": 4,
		"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "hidden_size_per_layer_input": 8, "vocab_size": 50,
		"vocab_size_per_layer_input": 40, "altup_num_inputs": 4, "laurel_rank": 4, "num_kv_shared_layers": 2, "sliding_window": 8,
		"layer_types": ["sliding_attention", "full_attention", "sliding_attention", "full_attention"]}`)
	const d = 64
	layer := 2*4*16*d + 2*2*16*d + 2*16 + 3*96*d + 4*4 + 16*4 + 4*d + 2*d + 2*4*d + d + 2*8*d + 5*d
	want := int64(50*d + 40*4*8 + 4*8*d + 8 + 2*3*d*d + d + 4*layer)
	if got := s.Params().Total; got != want {
		t.Errorf("%d parameters, want %d", got, want)
	}
	if got := s.Blocks[3].Mixer.SharesWith; got != 1 {
		t.Errorf("the last layer shares with %d, want 1", got)
	}
}

// TestGatedQueries: the gate of the output doubles the queries, and not the cache.
func TestGatedQueries(t *testing.T) {
	s := shapeOf(t, qwen35)
	for _, x := range s.Blocks[3].Tensors {
		if x.Name == "self_attn.q_proj.weight" && x.Rows.N != 2*16*256 {
			t.Errorf("%d rows of queries, want %d", x.Rows.N, 2*16*256)
		}
	}
}

// TestPredictors: blocks for further tokens are counted by themselves, with the copies that their files store.
func TestPredictors(t *testing.T) {
	s := shapeOf(t, deepseekV3+`}`)
	if got := s.Params(); got.Total != 671_026_419_200 || got.Active != 36_625_618_432 {
		t.Errorf("%+v", got)
	}
	if got, want := s.Of(arch.MTPPart).Total, int64(11_610_068_224+2*129280*7168); got != want {
		t.Errorf("%d parameters of blocks for further tokens, want %d", got, want)
	}
	if s.Of(arch.MTPPart).Active != 0 {
		t.Error("no token passes them")
	}
}

// TestActive: of the experts a token visits some, of everything else all but the embedding.
func TestActive(t *testing.T) {
	s := shapeOf(t, gptOSS20B)
	e := s.Of(arch.Experts)
	if e.Total*4 != e.Active*32 {
		t.Errorf("%+v", e)
	}
	if got := s.Of(arch.Embedding).Active; got != 0 {
		t.Errorf("the embedding is looked up, and counts %d", got)
	}
	total, active := int64(0), int64(0)
	for _, c := range arch.Components() {
		p := s.Of(c)
		total, active = total+p.Total, active+p.Active
	}
	if p := s.Params(); p.Total != total || p.Active != active {
		t.Errorf("components add up to %d and %d, and not to %+v", total, active, p)
	}
}

// TestSplits: what is whole on every rank, what divides by heads, what by experts.
func TestSplits(t *testing.T) {
	s := shapeOf(t, deepseekV3+`, "index_n_heads": 64, "index_head_dim": 128}`)
	want := map[string]arch.Split{
		"self_attn.q_a_proj.weight": arch.Replicated, "self_attn.kv_a_proj_with_mqa.weight": arch.Replicated,
		"self_attn.q_b_proj.weight": arch.ByRows, "self_attn.kv_b_proj.weight": arch.ByRows, "self_attn.o_proj.weight": arch.ByCols,
		"self_attn.indexer.wq_b.weight": arch.Replicated, "mlp.gate.weight": arch.Replicated,
		"mlp.experts.*.gate_proj.weight": arch.ByExpert, "mlp.experts.*.down_proj.weight": arch.ByExpertCols,
		"mlp.shared_experts.up_proj.weight": arch.ByRows, "mlp.shared_experts.down_proj.weight": arch.ByCols,
		"input_layernorm.weight": arch.Replicated,
	}
	for _, x := range s.Blocks[60].Tensors {
		if split, ok := want[x.Name]; ok && split != x.Split {
			t.Errorf("%s is split %d, want %d", x.Name, x.Split, split)
		}
		delete(want, x.Name)
	}
	for name := range want {
		t.Errorf("there is no %s", name)
	}
}

// TestKindsShareTensors: equal blocks hold one list.
func TestKindsShareTensors(t *testing.T) {
	s := shapeOf(t, deepseekV3+`}`)
	if &s.Blocks[3].Tensors[0] != &s.Blocks[60].Tensors[0] || &s.Blocks[0].Tensors[0] == &s.Blocks[3].Tensors[0] {
		t.Error("blocks of one kind share their tensors, and others do not")
	}
}

// TestSparseGaps: what a configuration leaves open is named, with bounds where there are any.
func TestSparseGaps(t *testing.T) {
	glm := strings.Replace(deepseekV3, "DeepseekV3", "GlmMoeDsa", 1) + `, "index_n_heads": 64, "index_head_dim": 128, "indexer_types": ["full"` +
		strings.Repeat(`, "shared"`, 60) + `]}`
	s := shapeOf(t, glm)
	if len(s.Gaps) != 1 || s.Gaps[0].Low != -60*13_959_424 || s.Gaps[0].High != 0 {
		t.Errorf("%+v", s.Gaps)
	}
	if s.Blocks[0].Mixer.Index != 128 || s.Blocks[1].Mixer.Index != 0 {
		t.Error("only a layer with its own indexer keeps keys for it")
	}
	s = shapeOf(t, `{"architectures": ["Step3p7FlashForCausalLM"], "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2,
		"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16, "vocab_size": 32, "sliding_window": 8, "first_k_dense_replace": 1,
		"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 16, "share_expert_dim": 16, "tie_word_embeddings": false,
		"layer_types": ["full_attention", "sliding_attention"]}`)
	if len(s.Gaps) != 2 || s.Gaps[0].High != 2*2*16*64 || s.Gaps[1].High != 64*(4+6) {
		t.Errorf("%+v", s.Gaps)
	}
}

// TestSparseRefusals: what no rule covers is refused with the key and what was wanted.
func TestSparseRefusals(t *testing.T) {
	for _, tt := range []struct{ name, config, want string }{
		{"more experts visited than there are", strings.Replace(gptOSS20B, `"num_experts_per_tok": 4`, `"num_experts_per_tok": 64`, 1), "num_experts_per_tok is 64"},
		{"a thousand million layers", strings.Replace(gptOSS20B, `"num_hidden_layers": 24`, `"num_hidden_layers": 1000000000`, 1), "num_hidden_layers is 1000000000"},
		{"short list of layers", strings.Replace(gemma4E, `"num_hidden_layers": 6`, `"num_hidden_layers": 7`, 1), "layer_types has 6 entries"},
		{"all caches shared", strings.Replace(gemma4E, `"num_kv_shared_layers": 3`, `"num_kv_shared_layers": 6`, 1), "num_kv_shared_layers is 6"},
		{"unknown letter", strings.Replace(nemotronNano, "MEM*-", "MEMX", 1), `hybrid_override_pattern holds 'X'`},
		{"negative width", strings.Replace(deepseekV3, `"kv_lora_rank": 512`, `"kv_lora_rank": -512`, 1) + `}`, "kv_lora_rank is -512"},
		{"RWKV", `{"architectures": ["RwkvForCausalLM"]}`, "architecture is not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			v, err := strictjson.Parse(strings.NewReader(tt.config), 0)
			if err != nil {
				t.Fatal(err)
			}
			if _, err = arch.Of(v); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// TestMixers holds the kinds of layers, in order, to what the family is known for.
func TestMixers(t *testing.T) {
	kimi := `{"architectures": ["KimiLinearForCausalLM"], "hidden_size": 64, "intermediate_size": 96, "moe_intermediate_size": 16,
		"num_hidden_layers": 2, "num_attention_heads": 4, "kv_lora_rank": 32, "qk_nope_head_dim": 16, "qk_rope_head_dim": 8, "v_head_dim": 16,
		"num_experts": 4, "num_experts_per_token": 2, "num_shared_experts": 1, "first_k_dense_replace": 1, "vocab_size": 32,
		"tie_word_embeddings": false, "linear_attn_config": {"num_heads": 4, "head_dim": 16, "short_conv_kernel_size": 4, "kda_layers": [1]}}`
	v4 := `{"architectures": ["DeepseekV4ForCausalLM"], "hidden_size": 64, "head_dim": 32, "num_attention_heads": 4, "qk_rope_head_dim": 8,
		"q_lora_rank": 16, "o_groups": 2, "o_lora_rank": 8, "hc_mult": 4, "index_n_heads": 2, "index_head_dim": 16, "sliding_window": 128,
		"num_hidden_layers": 3, "num_hash_layers": 1, "compress_ratios": [0, 4, 128, 0], "moe_intermediate_size": 16, "n_routed_experts": 4,
		"n_shared_experts": 1, "num_experts_per_tok": 2, "topk_method": "noaux_tc", "vocab_size": 32, "tie_word_embeddings": false}`
	llama4 := `{"architectures": ["Llama4ForConditionalGeneration"], "text_config": {"hidden_size": 64, "intermediate_size": 16,
		"intermediate_size_mlp": 32, "num_hidden_layers": 4, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 16,
		"num_local_experts": 4, "num_experts_per_tok": 1, "interleave_moe_layer_step": 2, "attention_chunk_size": 8192, "no_rope_layers": [],
		"vocab_size": 32, "tie_word_embeddings": false}}`
	chunk := arch.Mixer{Kind: arch.Chunked, Heads: 4, KVHeads: 2, KeyWidth: 16, ValueWidth: 16, Window: 8192, SharesWith: -1}
	for _, tt := range []struct {
		name, config string
		want         []arch.Mixer
	}{
		{"Kimi Delta Attention and MLA", kimi, []arch.Mixer{
			{Kind: arch.State, Heads: 4, KVHeads: 4, KeyWidth: 16, ValueWidth: 16, Conv: 3 * 3 * 64, State: 4 * 16 * 16, StateHeads: 4, SharesWith: -1},
			{Kind: arch.Latent, Heads: 4, KVHeads: 1, KeyWidth: 24, ValueWidth: 16, Latent: 32, Rope: 8, SharesWith: -1},
		}},
		{"DeepSeek V4: window, entries with an indexer, entries without", v4, []arch.Mixer{
			{Kind: arch.Sliding, Heads: 4, KVHeads: 1, KeyWidth: 32, Window: 128, SharesWith: -1},
			{
				Kind: arch.Compressed, Heads: 4, KVHeads: 1, KeyWidth: 32, Window: 128, Latent: 24, Rope: 8, Index: 16, Ratio: 4,
				State: 2 * 8 * 2 * (32 + 16), StateHeads: 1, SharesWith: -1,
			},
			{
				Kind: arch.Compressed, Heads: 4, KVHeads: 1, KeyWidth: 32, Window: 128, Latent: 24, Rope: 8, Ratio: 128,
				State: 2 * 128 * 32, StateHeads: 1, SharesWith: -1,
			},
		}},
		{"Llama 4: chunks in three of four", llama4, []arch.Mixer{
			chunk, chunk, chunk, {Kind: arch.Full, Heads: 4, KVHeads: 2, KeyWidth: 16, ValueWidth: 16, SharesWith: -1},
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := shapeOf(t, tt.config)
			for i := range s.Blocks {
				if s.Blocks[i].Mixer != tt.want[i] {
					t.Errorf("layer %d: %+v, want %+v", i, s.Blocks[i].Mixer, tt.want[i])
				}
			}
		})
	}
}
