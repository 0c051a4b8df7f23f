package arch

import (
	"fmt"
	"strconv"
	"strings"
)

// ggufClass says which class of transformers a GGUF architecture was converted from, and which keys it needs beside
// the common ones (llama.cpp: convert_hf_to_gguf.py writes them, src/llama-arch.cpp names them).
type ggufClass struct {
	names []string // of general.architecture
	class string
	read  func(g *headerReader)
}

func ggufClasses() []ggufClass {
	return []ggufClass{
		{[]string{"llama", "mistral3"}, "LlamaForCausalLM", ggufLlama},
		{[]string{"qwen2", "qwen2vl"}, "Qwen2ForCausalLM", nil},
		{[]string{"qwen2moe"}, "Qwen2MoeForCausalLM", ggufQwenMoE},
		{[]string{"qwen3", "qwen3vl"}, "Qwen3ForCausalLM", nil},
		{[]string{"qwen3moe", "qwen3vlmoe"}, "Qwen3MoeForCausalLM", ggufQwenMoE},
		{[]string{"qwen3next"}, "Qwen3NextForCausalLM", ggufDelta},
		{[]string{"qwen35"}, "Qwen3_5ForCausalLM", ggufDelta},
		{[]string{"qwen35moe"}, "Qwen3_5MoeForCausalLM", ggufDelta},
		{[]string{"gemma"}, "GemmaForCausalLM", nil},
		{[]string{"gemma2"}, "Gemma2ForCausalLM", ggufWindow},
		{[]string{"gemma3"}, "Gemma3ForCausalLM", ggufWindow},
		{[]string{"phi2"}, "PhiForCausalLM", ggufPhi2},
		{[]string{"phi3"}, "Phi3ForCausalLM", ggufPhi3},
		{[]string{"phimoe"}, "PhiMoEForCausalLM", ggufPhiMoE},
		{[]string{"deepseek2"}, "DeepseekV3ForCausalLM", ggufDeepseek},
		{[]string{"deepseek32"}, "DeepseekV32ForCausalLM", ggufDeepseek},
		{[]string{"glm-dsa"}, "GlmMoeDsaForCausalLM", ggufDeepseek},
		{[]string{"gpt-oss"}, "GptOssForCausalLM", ggufGPTOSS},
		{[]string{"command-r"}, "CohereForCausalLM", ggufHeadNorm("use_qk_norm")},
		{[]string{"cohere2"}, "Cohere2ForCausalLM", ggufWindow},
		{[]string{"falcon"}, "FalconForCausalLM", ggufFalcon},
		{[]string{"gpt2"}, "GPT2LMHeadModel", ggufPlainGPT},
		{[]string{"gptneox"}, "GPTNeoXForCausalLM", nil},
		{[]string{"bloom"}, "BloomForCausalLM", nil},
		{[]string{"mpt"}, "MptForCausalLM", ggufMPT},
		{[]string{"starcoder"}, "GPTBigCodeForCausalLM", ggufBigCode},
		{[]string{"starcoder2"}, "Starcoder2ForCausalLM", func(g *headerReader) { g.flag("use_bias", g.has("attn_q.bias")) }},
		{[]string{"stablelm"}, "StableLmForCausalLM", ggufStableLM},
		{[]string{"olmo"}, "OlmoForCausalLM", nil},
		{[]string{"olmo2"}, "Olmo2ForCausalLM", ggufOLMo2},
		{[]string{"olmoe"}, "OlmoeForCausalLM", func(g *headerReader) { g.routed("num_experts", "num_experts_per_tok") }},
		{[]string{"internlm2"}, "InternLM2ForCausalLM", func(g *headerReader) { g.flag("bias", g.has("attn_q.bias")) }},
		{[]string{"baichuan"}, "BaichuanForCausalLM", nil},
		{[]string{"xverse"}, "XverseForCausalLM", nil},
		{[]string{"minicpm"}, "MiniCPMForCausalLM", nil},
		{[]string{"exaone4"}, "Exaone4ForCausalLM", ggufExaone4},
		{[]string{"glm4"}, "Glm4ForCausalLM", func(g *headerReader) { g.flag("attention_bias", g.has("attn_q.bias") || g.has("attn_qkv.bias")) }},
		{[]string{"glm4moe"}, "Glm4MoeForCausalLM", ggufGLM4MoE},
		{[]string{"minimax-m2"}, "MiniMaxM2ForCausalLM", ggufMiniMax},
		{[]string{"granite"}, "GraniteForCausalLM", ggufBiases},
		{[]string{"granitemoe"}, "GraniteMoeForCausalLM", ggufGraniteMoE},
		{[]string{"granitehybrid"}, "GraniteMoeHybridForCausalLM", ggufGraniteHybrid},
		{[]string{"nemotron"}, "NemotronForCausalLM", ggufBiases},
		{[]string{"nemotron_h"}, "NemotronHForCausalLM", ggufNemotronH},
		{[]string{"nemotron_h_moe"}, "NemotronHForCausalLM", ggufNemotronH},
		{[]string{"mamba"}, "MambaForCausalLM", ggufMamba},
		{[]string{"mamba2"}, "Mamba2ForCausalLM", ggufMamba2},
		{[]string{"jamba"}, "JambaForCausalLM", ggufJamba},
		{[]string{"lfm2"}, "Lfm2ForCausalLM", ggufLFM2},
		{[]string{"lfm2moe"}, "Lfm2MoeForCausalLM", ggufLFM2},
		{[]string{"llama4"}, "Llama4ForCausalLM", ggufLlama4},
		{[]string{"dots1"}, "Dots1ForCausalLM", ggufDots},
		{[]string{"ernie4_5"}, "Ernie4_5ForCausalLM", nil},
		{[]string{"ernie4_5-moe"}, "Ernie4_5_MoeForCausalLM", ggufErnieMoE},
		{[]string{"hunyuan-moe"}, "HunYuanMoEV1ForCausalLM", ggufHunyuan},
		{[]string{"hunyuan-dense"}, "HunYuanDenseV1ForCausalLM", nil},
		{[]string{"smollm3"}, "SmolLM3ForCausalLM", ggufBiases},
		{[]string{"seed_oss"}, "SeedOssForCausalLM", ggufSeed},
		{[]string{"bailingmoe"}, "BailingMoeForCausalLM", ggufBailing},
		{[]string{"bailingmoe2"}, "BailingMoeV2ForCausalLM", ggufBailing},
		{[]string{"kimi-linear"}, "KimiLinearForCausalLM", ggufKimi},
		{[]string{"arcee"}, "ArceeForCausalLM", ggufBiases},
		{[]string{"apertus"}, "ApertusForCausalLM", ggufBiases},
		{[]string{"dbrx"}, "DbrxForCausalLM", ggufDBRX},
	}
}

// biases are seen in the list of tensors only.
func ggufBiases(g *headerReader) {
	g.flag("attention_bias", g.has("attn_q.bias") || g.has("attn_qkv.bias"))
	g.flag("mlp_bias", g.has("ffn_up.bias"))
}

// ggufLlama covers what llama.cpp loads as Llama: Mistral, Mixtral, Yi, SmolLM and many more.
func ggufLlama(g *headerReader) {
	if n, ok := g.get("expert_count"); ok && n > 0 {
		g.words("architectures", []string{"MixtralForCausalLM"})
		g.routed("num_local_experts", "num_experts_per_tok")
		return
	}
	if g.has("attn_q.bias") && !g.has("attn_output.bias") {
		g.words("architectures", []string{"Qwen2ForCausalLM"})
		return
	}
	ggufBiases(g)
}

// routed writes how many experts there are and how many a token visits.
func (g *headerReader) routed(experts, topK string) {
	g.copy("expert_count", experts)
	g.copy("expert_used_count", topK)
}

func ggufQwenMoE(g *headerReader) {
	g.routed("num_experts", "num_experts_per_tok")
	g.copy("expert_feed_forward_length", "moe_intermediate_size")
	g.copy("expert_shared_feed_forward_length", "shared_expert_intermediate_size")
	g.flag("qkv_bias", g.has("attn_q.bias"))
	g.flag("attention_bias", g.has("attn_q.bias"))
}

// ggufDelta is Qwen3-Next and Qwen3.5: linear attention with every fourth layer full.
func ggufDelta(g *headerReader) {
	ggufQwenMoE(g)
	g.drop("num_nextn_predict_layers")
	g.number("mtp_num_hidden_layers", g.further)
	g.copy("full_attention_interval", "full_attention_interval")
	g.copy("ssm.conv_kernel", "linear_conv_kernel_dim")
	g.copy("ssm.state_size", "linear_key_head_dim")
	g.copy("ssm.group_count", "linear_num_key_heads")
	g.copy("ssm.time_step_rank", "linear_num_value_heads")
	g.perHead("ssm.inner_size", "ssm.time_step_rank", "linear_value_head_dim")
}

// perHead is a width that the header gives for all heads together.
func (g *headerReader) perHead(width, heads, name string) {
	w, okW := g.same(width)
	n, okN := g.same(heads)
	switch {
	case !okW || !okN:
	case n <= 0 || w%n != 0:
		g.fail(fmt.Errorf("%s is %d, which is no multiple of %s, %d", g.h.Arch(width), w, g.h.Arch(heads), n))
	default:
		g.number(name, w/n)
	}
}

func ggufWindow(g *headerReader) {
	if !g.copy("attention.sliding_window", "sliding_window") {
		g.set("sliding_window", "null")
	}
	g.pattern()
}

// pattern is written as a number (one layer in n is full) or as one mark for each layer.
func (g *headerReader) pattern() {
	list, ok := g.list("attention.sliding_window_pattern")
	switch {
	case !ok:
	case len(list) == 1 && list[0] > 1:
		g.number("sliding_window_pattern", int64(min(list[0], 1<<31)))
	case int64(len(list)) >= g.layers:
		types := make([]string, 0, len(list))
		for _, slides := range list[:max(0, g.layers)] {
			types = append(types, [2]string{"full_attention", "sliding_attention"}[toInt(slides != 0)])
		}
		g.words("layer_types", types)
	default:
		g.fail(fmt.Errorf("%s has %d marks for %d layers", g.h.Arch("attention.sliding_window_pattern"), len(list), g.layers))
	}
}

func ggufPhi2(g *headerReader) { g.flag("tie_word_embeddings", false) }

func ggufPhi3(g *headerReader) {
	if n, ok := g.get("attention.sliding_window"); ok && n > 0 {
		g.number("sliding_window", n)
	}
}

func ggufPhiMoE(g *headerReader) {
	g.routed("num_local_experts", "num_experts_per_tok")
	g.copy("expert_feed_forward_length", "intermediate_size")
	g.flag("attention_bias", g.has("attn_q.bias") || g.has("attn_qkv.bias"))
	g.flag("lm_head_bias", g.outer["output.bias"] != nil)
}

// ggufDeepseek is V2, V3, V3.2, Kimi K2 and GLM-5. Files from before MLA was kept compressed have no key_length_mla.
func ggufDeepseek(g *headerReader) {
	if g.arch == "deepseek2" && !g.has("exp_probs_b.bias") {
		g.words("architectures", []string{"DeepseekV2ForCausalLM"})
	}
	if g.has("exp_probs_b.bias") {
		g.word("topk_method", "noaux_tc")
	}
	g.drop("head_dim")
	g.copy("attention.head_count", "num_key_value_heads")
	g.latent()
	g.deepseekExperts()
	g.copy("attention.indexer.head_count", "index_n_heads")
	g.copy("attention.indexer.key_length", "index_head_dim")
	g.copy("attention.indexer.top_k", "index_topk")
}

func (g *headerReader) latent() {
	if !g.copy("attention.q_lora_rank", "q_lora_rank") {
		g.set("q_lora_rank", "null")
	}
	g.copy("attention.kv_lora_rank", "kv_lora_rank")
	rope, _ := g.same("rope.dimension_count")
	g.number("qk_rope_head_dim", rope)
	key, ok := g.same("attention.key_length_mla")
	if !ok {
		key, ok = g.same("attention.key_length")
	}
	if ok {
		if key <= rope {
			g.fail(fmt.Errorf("a key of %d numbers is not wider than its rotary part of %d", key, rope))
		}
		g.number("qk_nope_head_dim", key-rope)
	}
	if !g.copy("attention.value_length_mla", "v_head_dim") {
		g.copy("attention.value_length", "v_head_dim")
	}
}

func (g *headerReader) deepseekExperts() {
	g.routed("n_routed_experts", "num_experts_per_tok")
	g.copy("expert_shared_count", "n_shared_experts")
	g.copy("expert_feed_forward_length", "moe_intermediate_size")
	g.copy("leading_dense_block_count", "first_k_dense_replace")
}

func ggufGPTOSS(g *headerReader) {
	ggufWindow(g)
	g.routed("num_local_experts", "num_experts_per_tok")
	g.copy("expert_feed_forward_length", "intermediate_size")
}

func ggufHeadNorm(key string) func(g *headerReader) {
	return func(g *headerReader) { g.flag(key, g.has("attn_q_norm.weight")) }
}

// ggufFalcon tells the first generation, with one key-value head, from the second.
func ggufFalcon(g *headerReader) {
	second := g.has("attn_norm_2.weight")
	g.flag("new_decoder_architecture", second)
	if kv, ok := g.same("attention.head_count_kv"); ok {
		g.drop("num_key_value_heads")
		g.flag("multi_query", kv == 1)
		g.number("num_kv_heads", kv)
	}
	g.flag("bias", g.has("attn_qkv.bias"))
	g.copy("feed_forward_length", "ffn_hidden_size")
}

func ggufPlainGPT(g *headerReader) {
	g.copy("context_length", "n_positions")
	g.drop("num_key_value_heads")
}

func ggufBigCode(g *headerReader) {
	ggufPlainGPT(g)
	kv, ok := g.same("attention.head_count_kv")
	g.flag("multi_query", !ok || kv == 1)
}

func ggufMPT(g *headerReader) {
	g.copy("embedding_length", "d_model")
	d, _ := g.same("embedding_length")
	if f, ok := g.same("feed_forward_length"); ok && d > 0 && f%d == 0 {
		g.number("expansion_ratio", f/d)
	}
	g.copy("context_length", "max_seq_len")
	kv, _ := g.same("attention.head_count_kv")
	inner := `{"alibi":` + strconv.FormatBool(g.outer["position_embd.weight"] == nil) + `,"qk_ln":` +
		strconv.FormatBool(g.has("attn_q_norm.weight"))
	if kv > 0 {
		inner += `,"kv_n_heads":` + strconv.FormatInt(kv, 10)
	}
	g.set("attn_config", inner+"}")
	g.flag("no_bias", !g.has("attn_qkv.bias"))
}

func ggufStableLM(g *headerReader) {
	g.flag("use_qkv_bias", g.has("attn_q.bias"))
	g.flag("qk_layernorm", g.has("attn_q_norm.weight"))
	g.flag("use_parallel_residual", !g.has("ffn_norm.weight"))
}

func ggufOLMo2(g *headerReader) {
	if n, ok := g.get("attention.sliding_window"); ok && n > 0 {
		g.words("architectures", []string{"Olmo3ForCausalLM"})
		ggufWindow(g)
	}
}

func ggufExaone4(g *headerReader) {
	if n, ok := g.get("attention.sliding_window"); ok && n > 0 {
		g.number("sliding_window", n)
		g.word("sliding_window_pattern", "LLLG")
	}
}

func ggufGLM4MoE(g *headerReader) {
	g.deepseekExperts()
	g.flag("attention_bias", g.has("attn_q.bias"))
	g.flag("use_qk_norm", g.has("attn_q_norm.weight"))
}

func ggufMiniMax(g *headerReader) {
	g.routed("num_local_experts", "num_experts_per_tok")
	g.copy("expert_feed_forward_length", "intermediate_size")
	g.flag("use_qk_norm", g.has("attn_q_norm.weight"))
	g.flag("use_routing_bias", g.has("exp_probs_b.bias"))
}

func ggufGraniteMoE(g *headerReader) {
	ggufBiases(g)
	g.routed("num_local_experts", "num_experts_per_tok")
	g.copy("expert_shared_feed_forward_length", "shared_intermediate_size")
}

// ggufGraniteHybrid is Granite 4: layers without key-value heads are Mamba-2.
func ggufGraniteHybrid(g *headerReader) {
	g.routed("num_local_experts", "num_experts_per_tok")
	if !g.copy("expert_shared_feed_forward_length", "shared_intermediate_size") {
		g.copy("feed_forward_length", "shared_intermediate_size")
	}
	g.words("layer_types", g.kinds("mamba", "attention"))
	g.mamba2("mamba_n_heads", "mamba_n_groups", "mamba_d_state", "mamba_d_conv", "mamba_d_head")
}

// kinds names each layer by whether it has key-value heads.
func (g *headerReader) kinds(without, with string) []string {
	list, ok := g.list("attention.head_count_kv")
	if ok && len(list) == 1 && g.layers > 0 && g.layers <= maxLayers {
		list = repeated(list[0], int(g.layers))
	}
	if !ok || int64(len(list)) < g.layers || g.layers < 0 {
		g.fail(fmt.Errorf("%s does not say of each of the %d layers whether it has attention", g.h.Arch("attention.head_count_kv"), g.layers))
		return nil
	}
	out := make([]string, g.layers)
	for i := range out {
		out[i] = [2]string{without, with}[toInt(list[i] > 0)]
	}
	return out
}

func repeated(n uint64, times int) []uint64 {
	out := make([]uint64, times)
	for i := range out {
		out[i] = n
	}
	return out
}

// mamba2 writes the sizes of a Mamba-2 layer; time_step_rank is the number of its heads.
func (g *headerReader) mamba2(heads, groups, state, kernel, width string) {
	g.copy("ssm.time_step_rank", heads)
	g.copy("ssm.group_count", groups)
	g.copy("ssm.state_size", state)
	g.copy("ssm.conv_kernel", kernel)
	g.perHead("ssm.inner_size", "ssm.time_step_rank", width)
}

// ggufNemotronH reads the kind of each block from which of its lists are zero there.
func ggufNemotronH(g *headerReader) {
	g.mamba2("mamba_num_heads", "n_groups", "ssm_state_size", "conv_kernel", "mamba_head_dim")
	g.routed("n_routed_experts", "num_experts_per_tok")
	g.copy("expert_shared_count", "n_shared_experts")
	g.copy("expert_feed_forward_length", "moe_intermediate_size")
	g.copy("expert_shared_feed_forward_length", "moe_shared_expert_intermediate_size")
	ggufBiases(g)
	kv, okKV := g.list("attention.head_count_kv")
	ff, okFF := g.list("feed_forward_length")
	if !okKV || !okFF || int64(len(kv)) != g.layers || int64(len(ff)) != g.layers {
		g.fail(fmt.Errorf("%s and %s must have one entry for each of %d blocks", g.h.Arch("attention.head_count_kv"), g.h.Arch("feed_forward_length"), g.layers))
		return
	}
	_, routed := g.get("expert_count")
	letters := make([]byte, len(kv))
	for i := range kv {
		switch {
		case kv[i] > 0:
			letters[i] = '*'
		case ff[i] > 0 && routed:
			letters[i] = 'E'
		case ff[i] > 0:
			letters[i] = '-'
		default:
			letters[i] = 'M'
		}
	}
	g.word("hybrid_override_pattern", string(letters))
}

func ggufMamba(g *headerReader) {
	for _, k := range []string{"num_attention_heads", "num_key_value_heads", "head_dim", "intermediate_size"} {
		g.drop(k)
	}
	g.copy("ssm.inner_size", "intermediate_size")
	g.copy("ssm.state_size", "state_size")
	g.copy("ssm.conv_kernel", "conv_kernel")
	g.copy("ssm.time_step_rank", "time_step_rank")
}

func ggufMamba2(g *headerReader) {
	ggufMamba(g)
	g.drop("intermediate_size")
	g.drop("time_step_rank")
	g.mamba2("num_heads", "n_groups", "state_size", "conv_kernel", "head_dim")
}

// ggufJamba finds period and offset of its two patterns.
func ggufJamba(g *headerReader) {
	g.copy("ssm.state_size", "mamba_d_state")
	g.copy("ssm.conv_kernel", "mamba_d_conv")
	g.copy("ssm.time_step_rank", "mamba_dt_rank")
	g.perHead("ssm.inner_size", "embedding_length", "mamba_expand")
	g.routed("num_experts", "num_experts_per_tok")
	kinds := g.kinds("mamba", "attention")
	var at []int64
	for i, k := range kinds {
		if k == "attention" {
			at = append(at, int64(i))
		}
	}
	if len(at) == 0 {
		return
	}
	g.number("attn_layer_offset", at[0])
	period := g.layers
	if len(at) > 1 {
		period = at[1] - at[0]
	}
	g.number("attn_layer_period", period)
}

func ggufLFM2(g *headerReader) {
	g.words("layer_types", g.kinds("conv", "full_attention"))
	g.flag("block_auto_adjust_ff_dim", false)
	g.copy("feed_forward_length", "block_ff_dim")
	g.copy("shortconv.l_cache", "conv_L_cache")
	g.routed("num_experts", "num_experts_per_tok")
	g.copy("expert_feed_forward_length", "moe_intermediate_size")
	g.copy("leading_dense_block_count", "num_dense_layers")
	g.flag("use_expert_bias", g.has("exp_probs_b.bias"))
}

func ggufLlama4(g *headerReader) {
	g.copy("feed_forward_length", "intermediate_size_mlp")
	g.routed("num_local_experts", "num_experts_per_tok")
	g.copy("expert_feed_forward_length", "intermediate_size")
	g.copy("interleave_moe_layer_step", "interleave_moe_layer_step")
	g.copy("attention.chunk_size", "attention_chunk_size")
}

func ggufDots(g *headerReader) {
	g.deepseekExperts()
	g.flag("attention_bias", g.has("attn_q.bias"))
}

func ggufErnieMoE(g *headerReader) {
	g.routed("moe_num_experts", "moe_k")
	g.copy("expert_feed_forward_length", "moe_intermediate_size")
	g.copy("expert_shared_count", "moe_num_shared_experts")
	g.copy("leading_dense_block_count", "moe_layer_start_index")
	g.copy("interleave_moe_layer_step", "moe_layer_interval")
	g.flag("use_bias", g.has("attn_q.bias"))
}

// ggufHunyuan gives every layer the same experts; the configuration has a list for each size.
func ggufHunyuan(g *headerReader) {
	g.flag("use_qk_norm", g.has("attn_q_norm.weight"))
	g.flag("attention_bias", g.has("attn_q.bias"))
	if g.layers <= 0 || g.layers > maxLayers {
		g.fail(fmt.Errorf("%s is %d, want 1 to %d", g.h.Arch("block_count"), g.layers, maxLayers))
		return
	}
	for _, k := range [][2]string{
		{"expert_count", "num_experts"},
		{"expert_used_count", "moe_topk"},
		{"expert_feed_forward_length", "moe_intermediate_size"},
	} {
		if n, ok := g.same(k[0]); ok {
			g.numbers(k[1], repeated(uint64(n), int(g.layers)))
		}
	}
	width, _ := g.same("expert_feed_forward_length")
	if shared, ok := g.same("expert_shared_feed_forward_length"); ok && width > 0 && shared%width == 0 {
		g.numbers("num_shared_expert", repeated(uint64(shared/width), int(g.layers)))
	}
}

func ggufSeed(g *headerReader) {
	g.flag("attention_bias", g.has("attn_q.bias"))
	g.flag("attention_out_bias", g.has("attn_output.bias"))
}

func ggufBailing(g *headerReader) {
	g.routed("num_experts", "num_experts_per_tok")
	g.copy("expert_feed_forward_length", "moe_intermediate_size")
	g.copy("expert_shared_feed_forward_length", "moe_shared_expert_intermediate_size")
	g.copy("expert_shared_count", "num_shared_experts")
	g.copy("leading_dense_block_count", "first_k_dense_replace")
	g.flag("use_qk_norm", g.has("attn_q_norm.weight"))
	g.flag("use_qkv_bias", g.has("attn_qkv.bias") || g.has("attn_q.bias"))
	g.flag("moe_router_enable_expert_bias", g.has("exp_probs_b.bias"))
}

// ggufKimi is Kimi Linear: layers without key-value heads are linear, numbered from 1 in the configuration.
func ggufKimi(g *headerReader) {
	g.drop("head_dim")
	g.copy("attention.head_count", "num_key_value_heads")
	g.latent()
	g.routed("num_experts", "num_experts_per_token")
	g.copy("expert_feed_forward_length", "moe_intermediate_size")
	g.copy("expert_shared_count", "num_shared_experts")
	g.copy("leading_dense_block_count", "first_k_dense_replace")
	var linear []string // numbers of layers
	for i, k := range g.kinds("linear", "full") {
		if k == "linear" {
			linear = append(linear, strconv.Itoa(i+1))
		}
	}
	heads, _ := g.same("attention.head_count")
	width, _ := g.same("kda.head_dim")
	kernel, _ := g.same("ssm.conv_kernel")
	if len(linear) > 0 {
		g.set("linear_attn_config", fmt.Sprintf(`{"kda_layers":[%s],"num_heads":%d,"head_dim":%d,"short_conv_kernel_size":%d}`,
			strings.Join(linear, ","), heads, width, kernel))
	}
}

func ggufDBRX(g *headerReader) {
	g.copy("embedding_length", "d_model")
	g.copy("block_count", "n_layers")
	g.copy("attention.head_count", "n_heads")
	kv, _ := g.same("attention.head_count_kv")
	f, _ := g.same("feed_forward_length")
	experts, _ := g.same("expert_count")
	topK, _ := g.same("expert_used_count")
	g.set("attn_config", fmt.Sprintf(`{"kv_n_heads":%d}`, kv))
	g.set("ffn_config", fmt.Sprintf(`{"ffn_hidden_size":%d,"moe_num_experts":%d,"moe_top_k":%d}`, f, experts, topK))
}
