package quant

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// role is what a tensor is for llama.cpp.
type role int

const (
	other role = iota
	fixed      // float32 always
	embed
	head
	attnQ
	attnK
	attnV
	attnQKV
	attnKVB
	attnOut
	ffnUp
	ffnGate
	ffnDown
)

// roleOf follows convert_hf_to_gguf.py: vectors, norms, routers, positions, convolutions and what has no name ending in
// weight are float32.
func roleOf(m *module) role {
	last := m.last()
	switch m.t.Component {
	case arch.Embedding:
		if strings.Contains(m.t.Name, "pos") || strings.Contains(m.t.Name, "wpe") || strings.Contains(m.t.Name, "type") {
			return fixed
		}
		return embed
	case arch.Head:
		return head
	case arch.Norm, arch.Router:
		return fixed
	}
	switch {
	case m.t.Cols.N == 1 || m.t.Rows.N == 1 || strings.Contains(last, "conv"):
		return fixed
	case !strings.HasSuffix(m.t.Name, ".weight") && !m.t.Matrix:
		return fixed
	case m.area == mtp && !m.t.Matrix && last == "gate":
		return fixed // a router
	case m.t.Component == arch.Indexer:
		return other
	}
	switch m.t.Component {
	case arch.Attention:
		if last == "out_proj" {
			return attnOut
		}
		return attentionRole(last)
	case arch.Recurrent:
		return attentionRole(last)
	case arch.Dense, arch.Experts, arch.Shared:
		return mlpRole(last)
	case arch.MTPPart:
		return mtpRole(last)
	}
	return other
}

func mtpRole(last string) role {
	if r := attentionRole(last); r != other {
		return r
	}
	return mlpRole(last)
}

func attentionRole(last string) role {
	switch last {
	case "q_proj", "wq", "query":
		return attnQ
	case "k_proj", "wk", "key":
		return attnK
	case "v_proj", "wv", "value":
		return attnV
	case "qkv_proj", "c_attn", "query_key_value", "Wqkv", "qkv", "in_proj_qkv", "in_proj_qkvz", "W_pack", "qkv_projection":
		return attnQKV
	case "kv_b_proj":
		return attnKVB
	case "o_proj", "wo", "c_proj", "dense":
		return attnOut
	}
	return other
}

func mlpRole(last string) role {
	switch last {
	case "gate_proj", "w1", "gate":
		return ffnGate
	case "up_proj", "w3", "v1", "gate_up_proj", "input_linear", "fc1", "fc_in", "c_fc", "dense_h_to_4h", "linear_in", "w12":
		return ffnUp
	case "down_proj", "w2", "fc2", "fc_out", "c_proj", "dense_4h_to_h", "linear_out", "output_linear":
		return ffnDown
	}
	return other
}

// ggufNames are the names that the tensor may have in a GGUF file, after the prefix of its block, the likeliest first.
func ggufNames(m *module) []string {
	last := m.last()
	ending := ".weight"
	if stem, ok := strings.CutSuffix(m.t.Name, ".bias"); ok {
		ending, last = ".bias", stem[strings.LastIndexByte(stem, '.')+1:]
	}
	names := ggufStems(m, last)
	for i := range names {
		if !strings.HasPrefix(names[i], "=") {
			names[i] += ending
			continue
		}
		names[i] = names[i][1:]
	}
	return names
}

func ggufStems(m *module, last string) []string {
	switch m.t.Component {
	case arch.Embedding:
		if roleOf(m) == fixed {
			return []string{"position_embd", "token_types"}
		}
		return []string{"token_embd", "per_layer_token_embd"}
	case arch.Head:
		return []string{"output", "token_embd"}
	case arch.Router:
		if strings.Contains(m.t.Name, "correction_bias") {
			return []string{"=exp_probs_b.bias", "=exp_probs_b"}
		}
		return []string{"ffn_gate_inp", "ffn_gate_inp_shexp"}
	case arch.Norm:
		return normStems(m, last)
	case arch.Recurrent:
		return recurrentStems(last)
	case arch.Indexer:
		return indexerStems(last)
	}
	r := attentionRole(last)
	if m.t.Component == arch.MTPPart && r == other {
		if names := mtpStems(last); names != nil {
			return names
		}
	}
	if m.t.Component == arch.Attention || r != other {
		return attentionStems(r, last)
	}
	return mlpStems(m, last)
}

func attentionStems(r role, last string) []string {
	switch r {
	case attnQ:
		return []string{"attn_q", "attn_qkv"}
	case attnK:
		return []string{"attn_k", "attn_qkv"}
	case attnV:
		return []string{"attn_v", "attn_qkv", "attn_k"}
	case attnQKV:
		return []string{"attn_qkv"}
	case attnKVB:
		return []string{"attn_k_b", "attn_kv_b"}
	case attnOut:
		return []string{"attn_output"}
	}
	switch last {
	case "out_proj":
		return []string{"attn_output"}
	case "q_a_proj", "q_b_proj":
		return []string{"attn_" + last[:3]}
	case "kv_a_proj_with_mqa":
		return []string{"attn_kv_a_mqa"}
	case "sinks":
		return []string{"attn_sinks", "=attn_sinks"}
	case "g_proj", "gate_proj":
		return []string{"attn_gate"}
	}
	return nil
}

func mlpStems(m *module, last string) []string {
	stem := map[role]string{ffnGate: "ffn_gate", ffnUp: "ffn_up", ffnDown: "ffn_down"}[mlpRole(last)]
	switch {
	case last == "shared_expert_gate":
		return []string{"ffn_gate_inp_shexp"}
	case stem == "":
		return nil
	case m.t.Component == arch.Experts || strings.Contains(m.path, "*"):
		return []string{stem + "_exps", "ffn_gate_up_exps", "ffn_gate_exps"}
	case m.t.Component == arch.Shared || strings.Contains(m.path, "shared_expert"):
		return []string{stem + "_shexp"}
	}
	return []string{stem, "ffn_up"}
}

// mtpStems are the names of what blocks for further tokens have beside attention and MLP.
func mtpStems(last string) []string {
	switch last {
	case "eh_proj", "fc", "input_proj":
		return []string{"nextn.eh_proj"}
	case "embed_tokens":
		return []string{"nextn.embed_tokens"}
	case "head":
		return []string{"nextn.shared_head_head"}
	case "enorm", "hnorm":
		return []string{"nextn." + last}
	case "gate":
		return []string{"ffn_gate_inp"}
	}
	return attentionStems(other, last)
}

func normStems(m *module, last string) []string {
	if last == "norm" && m.area == outer || last == "final_layernorm" || last == "ln_f" {
		return []string{"output_norm"}
	}
	switch last {
	case "input_layernorm", "ln_1", "attention_norm":
		return []string{"attn_norm"}
	case "post_attention_layernorm", "ln_2", "ffn_norm":
		return []string{"ffn_norm", "post_attention_norm"}
	case "pre_feedforward_layernorm":
		return []string{"ffn_norm"}
	case "post_feedforward_layernorm":
		return []string{"post_ffw_norm"}
	case "q_norm", "q_layernorm":
		return []string{"attn_q_norm"}
	case "k_norm", "k_layernorm":
		return []string{"attn_k_norm", "indexer.k_norm"}
	case "q_a_layernorm":
		return []string{"attn_q_a_norm"}
	case "kv_a_layernorm":
		return []string{"attn_kv_a_norm"}
	case "norm":
		return []string{"ssm_norm", "attn_norm"}
	}
	return nil
}

func recurrentStems(last string) []string {
	switch last {
	case "in_proj_qkv", "in_proj_qkvz":
		return []string{"attn_qkv", "ssm_in"}
	case "in_proj_z":
		return []string{"attn_gate"}
	case "in_proj_ba":
		return []string{"ssm_ba"}
	case "in_proj_b":
		return []string{"ssm_beta"}
	case "in_proj_a":
		return []string{"ssm_alpha"}
	case "in_proj":
		return []string{"ssm_in", "shortconv.in_proj"}
	case "out_proj":
		return []string{"ssm_out", "shortconv.out_proj"}
	case "x_proj":
		return []string{"ssm_x"}
	case "dt_proj":
		return []string{"ssm_dt"}
	case "conv1d":
		return []string{"ssm_conv1d"}
	case "conv":
		return []string{"shortconv.conv"}
	case "A_log":
		return []string{"=ssm_a"}
	case "D":
		return []string{"=ssm_d"}
	case "dt_bias":
		return []string{"=ssm_dt.bias"}
	case "norm":
		return []string{"ssm_norm"}
	}
	return attentionStems(attentionRole(last), last)
}

func indexerStems(last string) []string {
	switch last {
	case "wq_b":
		return []string{"indexer.attn_q_b"}
	case "wk":
		return []string{"indexer.attn_k"}
	case "weights_proj":
		return []string{"indexer.proj"}
	case "k_norm":
		return []string{"indexer.k_norm"}
	}
	return nil
}
