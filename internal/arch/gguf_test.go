package arch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// headerBytes is a GGUF file that ends where its weights would begin.
func headerBytes(kv []gguftest.KV, tensors []gguftest.Tensor) []byte {
	b := []byte("GGUF\x03\x00\x00\x00")
	b = binary.LittleEndian.AppendUint64(b, uint64(len(tensors)))
	b = binary.LittleEndian.AppendUint64(b, uint64(len(kv)))
	for _, e := range kv {
		b = gguftest.AppendValue(gguftest.AppendString(b, e.Key), e.Value)
	}
	at := uint64(0)
	for _, t := range tensors {
		b = gguftest.AppendTensor(b, t, at)
		n := uint64(2)
		for _, d := range t.Dims {
			n *= d
		}
		at += (n + 31) / 32 * 32
	}
	return b
}

// sparse is a file with zeros where its weights would be.
type sparse []byte

func (s sparse) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	if at < int64(len(s)) {
		copy(p, s[at:])
	}
	return len(p), nil
}

func header(t testing.TB, kv []gguftest.KV, tensors []gguftest.Tensor) *gguf.Header {
	t.Helper()
	data := headerBytes(kv, tensors)
	h, err := gguf.Read(sparse(data), 1<<44)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// conversion is a model as its publisher describes it and as a converted file does.
type conversion struct {
	name    string
	config  string
	gguf    string // "key value" lines; the architecture's own keys begin with a dot; lists are written n,n,n or n*times
	blocks  int
	tensors string // suffixes that each block has
	outer   string // beside the embedding, with which it is as wide and long as vocab says
	vocab   uint64
	width   uint64
}

func (c conversion) keys(t testing.TB) []gguftest.KV {
	t.Helper()
	var kv []gguftest.KV
	name := ""
	for line := range strings.Lines(c.gguf) {
		key, value, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok {
			continue
		}
		if key == "arch" {
			name = value
			kv = append(kv, gguftest.KV{Key: "general.architecture", Value: name})
			continue
		}
		kv = append(kv, gguftest.KV{Key: name + key, Value: number(t, value)})
	}
	return kv
}

func number(t testing.TB, s string) any {
	t.Helper()
	if n, times, ok := strings.Cut(s, "*"); ok {
		list := make([]uint32, scan(t, times))
		for i := range list {
			list[i] = scan(t, n)
		}
		return list
	}
	if !strings.Contains(s, ",") {
		return scan(t, s)
	}
	var list []uint32
	for p := range strings.SplitSeq(s, ",") {
		list = append(list, scan(t, p))
	}
	return list
}

func scan(t testing.TB, s string) uint32 {
	t.Helper()
	var n uint32
	if _, err := fmt.Sscan(s, &n); err != nil {
		t.Fatal(s, err)
	}
	return n
}

func (c conversion) list() []gguftest.Tensor {
	list := []gguftest.Tensor{{Name: "token_embd.weight", Type: gguf.F16, Dims: []uint64{c.width, c.vocab}}}
	for n := range strings.FieldsSeq(c.outer) {
		list = append(list, gguftest.Tensor{Name: n, Type: gguf.F16, Dims: []uint64{32}})
	}
	for i := range c.blocks {
		for s := range strings.FieldsSeq(c.tensors) {
			list = append(list, gguftest.Tensor{Name: fmt.Sprintf("blk.%d.%s", i, s), Type: gguf.F16, Dims: []uint64{32}})
		}
	}
	return list
}

func conversions() []conversion {
	return []conversion{
		{
			name:   "Llama-3.2-1B",
			config: `{"architectures":["LlamaForCausalLM"],"hidden_size":2048,"num_attention_heads":32,"num_key_value_heads":8,"head_dim":64,"intermediate_size":8192,"num_hidden_layers":16,"vocab_size":128256,"tie_word_embeddings":true,"max_position_embeddings":131072}`,
			gguf:   "arch llama\n.embedding_length 2048\n.block_count 16\n.feed_forward_length 8192\n.attention.head_count 32\n.attention.head_count_kv 8\n.attention.key_length 64\n.attention.value_length 64\n.context_length 131072",
			blocks: 16, tensors: "attn_q.weight", vocab: 128256, width: 2048,
		},
		{
			name:   "Mixtral-8x7B",
			config: `{"architectures":["MixtralForCausalLM"],"hidden_size":4096,"num_attention_heads":32,"num_key_value_heads":8,"intermediate_size":14336,"num_hidden_layers":32,"vocab_size":32000,"num_local_experts":8,"num_experts_per_tok":2,"tie_word_embeddings":false}`,
			gguf:   "arch llama\n.embedding_length 4096\n.block_count 32\n.feed_forward_length 14336\n.attention.head_count 32\n.attention.head_count_kv 8\n.expert_count 8\n.expert_used_count 2\n.context_length 32768",
			blocks: 32, tensors: "attn_q.weight", outer: "output.weight", vocab: 32000, width: 4096,
		},
		{
			name:   "Qwen2.5-7B",
			config: `{"architectures":["Qwen2ForCausalLM"],"hidden_size":3584,"num_attention_heads":28,"num_key_value_heads":4,"intermediate_size":18944,"num_hidden_layers":28,"vocab_size":152064,"tie_word_embeddings":false}`,
			gguf:   "arch qwen2\n.embedding_length 3584\n.block_count 28\n.feed_forward_length 18944\n.attention.head_count 28\n.attention.head_count_kv 4",
			blocks: 28, tensors: "attn_q.bias", outer: "output.weight", vocab: 152064, width: 3584,
		},
		{
			name:   "Qwen3-30B-A3B",
			config: `{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":2048,"num_attention_heads":32,"num_key_value_heads":4,"head_dim":128,"intermediate_size":6144,"moe_intermediate_size":768,"num_hidden_layers":48,"vocab_size":151936,"num_experts":128,"num_experts_per_tok":8,"tie_word_embeddings":false}`,
			gguf:   "arch qwen3moe\n.embedding_length 2048\n.block_count 48\n.feed_forward_length 6144\n.expert_feed_forward_length 768\n.attention.head_count 32\n.attention.head_count_kv 4\n.attention.key_length 128\n.attention.value_length 128\n.expert_count 128\n.expert_used_count 8",
			blocks: 48, tensors: "attn_q.weight attn_q_norm.weight", outer: "output.weight", vocab: 151936, width: 2048,
		},
		{
			name:   "Gemma-3-1B",
			config: `{"architectures":["Gemma3ForCausalLM"],"hidden_size":1152,"num_attention_heads":4,"num_key_value_heads":1,"head_dim":256,"intermediate_size":6912,"num_hidden_layers":26,"vocab_size":262144,"sliding_window":512,"sliding_window_pattern":6,"max_position_embeddings":32768}`,
			gguf:   "arch gemma3\n.embedding_length 1152\n.block_count 26\n.feed_forward_length 6912\n.attention.head_count 4\n.attention.head_count_kv 1\n.attention.key_length 256\n.attention.value_length 256\n.attention.sliding_window 512\n.context_length 32768",
			blocks: 26, tensors: "attn_q.weight", vocab: 262144, width: 1152,
		},
		{
			name:   "DeepSeek-V2-Lite",
			config: `{"architectures":["DeepseekV2ForCausalLM"],"hidden_size":2048,"num_attention_heads":16,"num_key_value_heads":16,"intermediate_size":10944,"moe_intermediate_size":1408,"num_hidden_layers":27,"vocab_size":102400,"n_routed_experts":64,"n_shared_experts":2,"num_experts_per_tok":6,"first_k_dense_replace":1,"q_lora_rank":null,"kv_lora_rank":512,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,"tie_word_embeddings":false,"topk_method":"greedy"}`,
			gguf:   "arch deepseek2\n.embedding_length 2048\n.block_count 27\n.feed_forward_length 10944\n.expert_feed_forward_length 1408\n.attention.head_count 16\n.attention.head_count_kv 1\n.attention.key_length 576\n.attention.value_length 512\n.attention.key_length_mla 192\n.attention.value_length_mla 128\n.attention.kv_lora_rank 512\n.rope.dimension_count 64\n.expert_count 64\n.expert_used_count 6\n.expert_shared_count 2\n.leading_dense_block_count 1",
			blocks: 27, tensors: "attn_q.weight attn_k_b.weight", outer: "output.weight", vocab: 102400, width: 2048,
		},
		{
			name:   "DeepSeek-V3",
			config: `{"architectures":["DeepseekV3ForCausalLM"],"hidden_size":7168,"num_attention_heads":128,"num_key_value_heads":128,"intermediate_size":18432,"moe_intermediate_size":2048,"num_hidden_layers":61,"vocab_size":129280,"n_routed_experts":256,"n_shared_experts":1,"num_experts_per_tok":8,"first_k_dense_replace":3,"q_lora_rank":1536,"kv_lora_rank":512,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,"tie_word_embeddings":false,"topk_method":"noaux_tc"}`,
			gguf:   "arch deepseek2\n.embedding_length 7168\n.block_count 61\n.feed_forward_length 18432\n.expert_feed_forward_length 2048\n.attention.head_count 128\n.attention.head_count_kv 128\n.attention.key_length 192\n.attention.value_length 128\n.attention.q_lora_rank 1536\n.attention.kv_lora_rank 512\n.rope.dimension_count 64\n.expert_count 256\n.expert_used_count 8\n.expert_shared_count 1\n.leading_dense_block_count 3",
			blocks: 61, tensors: "attn_q_a.weight exp_probs_b.bias", outer: "output.weight", vocab: 129280, width: 7168,
		},
		{
			name:   "gpt-oss-20b",
			config: `{"architectures":["GptOssForCausalLM"],"hidden_size":2880,"num_attention_heads":64,"num_key_value_heads":8,"head_dim":64,"intermediate_size":2880,"num_hidden_layers":24,"vocab_size":201088,"num_local_experts":32,"num_experts_per_tok":4,"sliding_window":128,"attention_bias":true,"tie_word_embeddings":false}`,
			gguf:   "arch gpt-oss\n.embedding_length 2880\n.block_count 24\n.feed_forward_length 2880\n.expert_feed_forward_length 2880\n.attention.head_count 64\n.attention.head_count_kv 8\n.attention.key_length 64\n.attention.value_length 64\n.attention.sliding_window 128\n.expert_count 32\n.expert_used_count 4",
			blocks: 24, tensors: "attn_q.bias attn_sinks.weight", outer: "output.weight", vocab: 201088, width: 2880,
		},
		{
			name:   "GLM-4.5-Air",
			config: `{"architectures":["Glm4MoeForCausalLM"],"hidden_size":4096,"num_attention_heads":96,"num_key_value_heads":8,"head_dim":128,"intermediate_size":10944,"moe_intermediate_size":1408,"num_hidden_layers":46,"vocab_size":151552,"n_routed_experts":128,"n_shared_experts":1,"num_experts_per_tok":8,"first_k_dense_replace":1,"attention_bias":true,"use_qk_norm":false,"num_nextn_predict_layers":1,"tie_word_embeddings":false}`,
			gguf:   "arch glm4moe\n.embedding_length 4096\n.block_count 47\n.nextn_predict_layers 1\n.feed_forward_length 10944\n.expert_feed_forward_length 1408\n.attention.head_count 96\n.attention.head_count_kv 8\n.attention.key_length 128\n.attention.value_length 128\n.expert_count 128\n.expert_used_count 8\n.expert_shared_count 1\n.leading_dense_block_count 1",
			blocks: 47, tensors: "attn_q.bias exp_probs_b.bias", outer: "output.weight", vocab: 151552, width: 4096,
		},
		{
			name:   "MiniMax-M2",
			config: `{"architectures":["MiniMaxM2ForCausalLM"],"hidden_size":3072,"num_attention_heads":48,"num_key_value_heads":8,"head_dim":128,"intermediate_size":1536,"num_hidden_layers":62,"vocab_size":200064,"num_local_experts":256,"num_experts_per_tok":8,"use_qk_norm":true,"qk_norm_type":"per_layer","use_routing_bias":true,"tie_word_embeddings":false}`,
			gguf:   "arch minimax-m2\n.embedding_length 3072\n.block_count 62\n.feed_forward_length 1536\n.expert_feed_forward_length 1536\n.attention.head_count 48\n.attention.head_count_kv 8\n.attention.key_length 128\n.attention.value_length 128\n.expert_count 256\n.expert_used_count 8",
			blocks: 62, tensors: "attn_q_norm.weight exp_probs_b.bias", outer: "output.weight", vocab: 200064, width: 3072,
		},
		{
			name:   "LFM2-1.2B",
			config: `{"architectures":["Lfm2ForCausalLM"],"hidden_size":2048,"num_attention_heads":32,"num_key_value_heads":8,"block_ff_dim":12288,"block_multiple_of":256,"block_ffn_dim_multiplier":1.0,"block_auto_adjust_ff_dim":true,"num_hidden_layers":16,"vocab_size":65536,"conv_L_cache":3,"full_attn_idxs":[2,5,8,10,12,14],"tie_word_embeddings":true}`,
			gguf:   "arch lfm2\n.embedding_length 2048\n.block_count 16\n.feed_forward_length 8192\n.attention.head_count 32\n.attention.head_count_kv 0,0,8,0,0,8,0,0,8,0,8,0,8,0,8,0\n.shortconv.l_cache 3\n.vocab_size 65536",
			blocks: 16, tensors: "shortconv.conv.weight", vocab: 65536, width: 2048,
		},
		{
			name:   "Qwen3-Next-80B-A3B",
			config: `{"architectures":["Qwen3NextForCausalLM"],"hidden_size":2048,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":256,"intermediate_size":5120,"moe_intermediate_size":512,"shared_expert_intermediate_size":512,"num_hidden_layers":48,"vocab_size":151936,"num_experts":512,"num_experts_per_tok":10,"full_attention_interval":4,"linear_conv_kernel_dim":4,"linear_key_head_dim":128,"linear_num_key_heads":16,"linear_value_head_dim":128,"linear_num_value_heads":32,"mtp_num_hidden_layers":0,"tie_word_embeddings":false}`,
			gguf:   "arch qwen3next\n.embedding_length 2048\n.block_count 48\n.feed_forward_length 5120\n.expert_feed_forward_length 512\n.expert_shared_feed_forward_length 512\n.attention.head_count 16\n.attention.head_count_kv 2\n.attention.key_length 256\n.attention.value_length 256\n.expert_count 512\n.expert_used_count 10\n.ssm.conv_kernel 4\n.ssm.state_size 128\n.ssm.group_count 16\n.ssm.time_step_rank 32\n.ssm.inner_size 4096",
			blocks: 48, tensors: "ssm_a", outer: "output.weight", vocab: 151936, width: 2048,
		},
		{
			name:   "Mamba-130M",
			config: `{"architectures":["MambaForCausalLM"],"hidden_size":768,"intermediate_size":1536,"state_size":16,"conv_kernel":4,"time_step_rank":48,"num_hidden_layers":24,"vocab_size":50280,"tie_word_embeddings":true}`,
			gguf:   "arch mamba\n.embedding_length 768\n.block_count 24\n.feed_forward_length 0\n.attention.head_count 0\n.ssm.conv_kernel 4\n.ssm.inner_size 1536\n.ssm.state_size 16\n.ssm.time_step_rank 48",
			blocks: 24, tensors: "ssm_a", vocab: 50280, width: 768,
		},
		{
			name:   "Granite-4.0-H-Tiny",
			config: `{"architectures":["GraniteMoeHybridForCausalLM"],"hidden_size":1536,"num_attention_heads":12,"num_key_value_heads":4,"intermediate_size":512,"shared_intermediate_size":1024,"num_local_experts":64,"num_experts_per_tok":6,"num_hidden_layers":8,"vocab_size":100352,"layer_types":["mamba","mamba","mamba","mamba","mamba","attention","mamba","mamba"],"mamba_n_heads":48,"mamba_d_head":64,"mamba_n_groups":1,"mamba_d_state":128,"mamba_d_conv":4,"mamba_expand":2,"tie_word_embeddings":true}`,
			gguf:   "arch granitehybrid\n.embedding_length 1536\n.block_count 8\n.feed_forward_length 512\n.expert_shared_feed_forward_length 1024\n.attention.head_count 12\n.attention.head_count_kv 0,0,0,0,0,4,0,0\n.expert_count 64\n.expert_used_count 6\n.ssm.conv_kernel 4\n.ssm.inner_size 3072\n.ssm.state_size 128\n.ssm.group_count 1\n.ssm.time_step_rank 48",
			blocks: 8, tensors: "ssm_a", vocab: 100352, width: 1536,
		},
		{
			name:   "Nemotron-H in small",
			config: `{"architectures":["NemotronHForCausalLM"],"hidden_size":4096,"num_attention_heads":32,"num_key_value_heads":8,"head_dim":128,"intermediate_size":21504,"num_hidden_layers":8,"hybrid_override_pattern":"M-M-*-M-","vocab_size":131072,"mamba_num_heads":128,"mamba_head_dim":64,"n_groups":8,"ssm_state_size":128,"conv_kernel":4,"tie_word_embeddings":false}`,
			gguf:   "arch nemotron_h\n.embedding_length 4096\n.block_count 8\n.feed_forward_length 0,21504,0,21504,0,21504,0,21504\n.attention.head_count 32\n.attention.head_count_kv 0,0,0,0,8,0,0,0\n.attention.key_length 128\n.attention.value_length 128\n.ssm.conv_kernel 4\n.ssm.inner_size 8192\n.ssm.state_size 128\n.ssm.group_count 8\n.ssm.time_step_rank 128",
			blocks: 8, tensors: "ssm_a", outer: "output.weight", vocab: 131072, width: 4096,
		},
		{
			name:   "phi-2",
			config: `{"architectures":["PhiForCausalLM"],"hidden_size":2560,"num_attention_heads":32,"num_key_value_heads":32,"intermediate_size":10240,"num_hidden_layers":32,"vocab_size":51200,"tie_word_embeddings":false}`,
			gguf:   "arch phi2\n.embedding_length 2560\n.block_count 32\n.feed_forward_length 10240\n.attention.head_count 32\n.attention.head_count_kv 32",
			blocks: 32, tensors: "attn_q.bias", outer: "output.weight output.bias", vocab: 51200, width: 2560,
		},
		{
			name:   "gpt2",
			config: `{"architectures":["GPT2LMHeadModel"],"n_embd":768,"n_head":12,"n_layer":12,"n_positions":1024,"vocab_size":50257}`,
			gguf:   "arch gpt2\n.embedding_length 768\n.block_count 12\n.feed_forward_length 3072\n.attention.head_count 12\n.attention.head_count_kv 12\n.context_length 1024",
			blocks: 12, tensors: "attn_qkv.bias", outer: "position_embd.weight", vocab: 50257, width: 768,
		},
		{
			name:   "Falcon-7B",
			config: `{"architectures":["FalconForCausalLM"],"hidden_size":4544,"num_attention_heads":71,"num_hidden_layers":32,"vocab_size":65024,"multi_query":true,"new_decoder_architecture":false,"parallel_attn":true,"bias":false}`,
			gguf:   "arch falcon\n.embedding_length 4544\n.block_count 32\n.feed_forward_length 18176\n.attention.head_count 71\n.attention.head_count_kv 1",
			blocks: 32, tensors: "attn_qkv.weight", vocab: 65024, width: 4544,
		},
		{
			name:   "Command-R",
			config: `{"architectures":["CohereForCausalLM"],"hidden_size":8192,"num_attention_heads":64,"num_key_value_heads":64,"intermediate_size":22528,"num_hidden_layers":40,"vocab_size":256000}`,
			gguf:   "arch command-r\n.embedding_length 8192\n.block_count 40\n.feed_forward_length 22528\n.attention.head_count 64\n.attention.head_count_kv 64",
			blocks: 40, tensors: "attn_q.weight", vocab: 256000, width: 8192,
		},
	}
}

func of(t *testing.T, v strictjson.Value) *arch.Shape {
	t.Helper()
	s, err := arch.Of(v)
	if errors.Is(err, arch.ErrUnknown) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestFromGGUF holds the shape that a converted file describes against that of the configuration it was made from.
func TestFromGGUF(t *testing.T) {
	for _, c := range conversions() {
		t.Run(c.name, func(t *testing.T) {
			config, err := strictjson.Parse(strings.NewReader(c.config), 0)
			if err != nil {
				t.Fatal(err)
			}
			want := of(t, config)
			v, err := arch.FromGGUF(header(t, c.keys(t), c.list()))
			if err != nil {
				t.Fatal(err)
			}
			got := of(t, v)
			if got.Params() != want.Params() || got.Tied != want.Tied || len(got.Blocks) != len(want.Blocks) {
				t.Errorf("%v of %d blocks, tied %v; want %v of %d, %v", got.Params(), len(got.Blocks), got.Tied, want.Params(), len(want.Blocks), want.Tied)
			}
			for i := range min(len(got.Blocks), len(want.Blocks)) {
				if got.Blocks[i].Mixer != want.Blocks[i].Mixer || got.Blocks[i].MLP != want.Blocks[i].MLP {
					t.Fatalf("block %d: %+v %+v, want %+v %+v", i, got.Blocks[i].Mixer, got.Blocks[i].MLP, want.Blocks[i].Mixer, want.Blocks[i].MLP)
				}
			}
		})
	}
}

func TestFromGGUFRefuses(t *testing.T) {
	small := conversions()[0]
	for _, c := range []struct {
		name, want string
		change     func(c *conversion)
	}{
		{"an unknown architecture", "not known", func(c *conversion) { c.gguf = "arch nobody\n.block_count 1" }},
		{"no architecture", "general.architecture is missing", func(c *conversion) { c.gguf = "" }},
		{"fewer blocks than it says", "the tensors end with block 13", func(c *conversion) { c.blocks = 14 }},
		{"more blocks than it says", "a tensor of block 16", func(c *conversion) { c.blocks = 17 }},
		{"an embedding of another width", "one of them is wrong", func(c *conversion) { c.width = 1024 }},
		{"heads that differ", "differs from layer to layer", func(c *conversion) {
			c.gguf = strings.Replace(c.gguf, ".attention.head_count_kv 8", ".attention.head_count_kv 8"+strings.Repeat(",4", 15), 1)
		}},
		{"fewer heads than blocks", "has 2 numbers for 16 blocks", func(c *conversion) {
			c.gguf = strings.Replace(c.gguf, ".attention.head_count_kv 8", ".attention.head_count_kv 8,4", 1)
		}},
		{"more heads than blocks", "has 17 numbers for 16 blocks", func(c *conversion) {
			c.gguf = strings.Replace(c.gguf, ".attention.head_count_kv 8", ".attention.head_count_kv 8*17", 1)
		}},
		{"no heads", "is an empty list", func(c *conversion) {
			c.gguf = strings.Replace(c.gguf, ".attention.head_count_kv 8", ".attention.head_count_kv 8*0", 1)
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			changed := small
			c.change(&changed)
			_, err := arch.FromGGUF(header(t, changed.keys(t), changed.list()))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}

// TestFromGGUFSplit reads the first part of a split file, whose list of tensors is not that of the model.
func TestFromGGUFSplit(t *testing.T) {
	c := conversions()[1]
	c.blocks, c.outer = 3, ""
	kv := append(c.keys(t), gguftest.KV{Key: "split.count", Value: uint16(4)}, gguftest.KV{Key: "split.tensors.count", Value: int32(995)})
	v, err := arch.FromGGUF(header(t, kv, c.list()))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := v.Get("tie_word_embeddings"); ok {
		t.Error("one part of four does not say whether there is a head")
	}
}

// FuzzFromGGUF: whatever a header says, the answer is a shape or an error, in bounded time.
func FuzzFromGGUF(f *testing.F) {
	for _, c := range conversions() {
		c.blocks = min(c.blocks, 2)
		f.Add(headerBytes(c.keys(f), c.list()))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := gguf.Read(sparse(data), 1<<44)
		if err != nil {
			return
		}
		v, err := arch.FromGGUF(h)
		if err != nil {
			return
		}
		if s, err := arch.Of(v); err == nil && s.Params().Total < 0 {
			t.Error("negative parameters")
		}
	})
}

// TestInHeader: what is missing of a header is named as the header names it.
func TestInHeader(t *testing.T) {
	for _, c := range []struct{ gguf, want string }{
		{"arch llama\n.block_count 2", "llama.embedding_length is missing, and the shape cannot be known without it"},
		{"arch llama\n.block_count 2\n.embedding_length 64\n.attention.head_count 0\n.feed_forward_length 64\n.vocab_size 10", "llama.attention.head_count is 0, want 1 to 65536"},
	} {
		data := gguftest.Write(conversion{gguf: c.gguf}.keys(t), nil)
		h, err := gguf.Read(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		v, err := arch.FromGGUF(h)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = arch.Of(v); err == nil || arch.InHeader(err, h).Error() != c.want {
			t.Errorf("%v, want %s", arch.InHeader(err, h), c.want)
		}
	}
}

// TestNestedFaults: a fault in a part of the file is named with the part.
func TestNestedFaults(t *testing.T) {
	const broken = `{"architectures":["Mistral3ForConditionalGeneration"],"text_config":{"hidden_size":%s}}`
	for value, want := range map[string]string{
		"-256": "text_config.hidden_size is -256, want 1 to 134217728", "0": "text_config.hidden_size is 0",
	} {
		v, err := strictjson.Parse(strings.NewReader(fmt.Sprintf(broken, value)), 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err = arch.Of(v); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
