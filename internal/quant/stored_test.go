package quant_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// tiny is a Llama whose sizes are told apart by eye: 2 layers, q and o 256 x 256, k and v 128 x 256, gate and up
// 512 x 256, down 256 x 512, embedding and head 1000 x 256.
const tiny = `"architectures": ["LlamaForCausalLM"], "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 2,
	"num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 1000, "tie_word_embeddings": false, "torch_dtype": "bfloat16"`

// The parts of tiny in 16 bits.
const (
	tinyOuter  = 2*2*1000*256 + 2*256 // embedding, head, final norm
	tinyNorms  = 2 * 2 * 2 * 256      // of both layers
	tinyLinear = 2 * (2*256*256 + 2*128*256 + 3*512*256)
)

// perMatrix adds up a size over the matrices of both layers.
func perMatrix(size func(rows, cols int64) int64) int64 {
	var sum int64
	for _, m := range [][2]int64{{256, 256}, {256, 256}, {128, 256}, {128, 256}, {512, 256}, {512, 256}, {256, 512}} {
		sum += 2 * size(m[0], m[1])
	}
	return sum
}

func stored(t testing.TB, section, hf string) (*arch.Shape, *quant.Scheme, error) {
	t.Helper()
	config := parse(t, "{"+tiny+", "+section+"}")
	shape, err := arch.Of(config)
	if err != nil {
		t.Fatal(err)
	}
	var extra strictjson.Value
	if hf != "" {
		extra = parse(t, hf)
	}
	s, err := quant.Stored(shape, config, extra)
	return shape, s, err
}

// TestStored holds each method against its bytes, written out.
func TestStored(t *testing.T) {
	groups := func(weights, rest string) string {
		return `"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"group_0": {"targets": ["Linear"], "weights": ` +
			weights + rest + `}}, "ignore": ["lm_head"]}`
	}
	for _, row := range []struct {
		name, section, hf string
		linear            int64 // of the matrices of the layers
	}{
		{"nothing", `"use_cache": true`, "", 2 * tinyLinear},
		{
			"fp8 in blocks", `"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}`, "",
			perMatrix(func(r, c int64) int64 { return r*c + 4*((r+127)/128)*((c+127)/128) }),
		},
		{
			"fp8 for a tensor, static", `"quantization_config": {"quant_method": "fp8", "weight_block_size": null, "activation_scheme": "static"}`, "",
			perMatrix(func(r, c int64) int64 { return r*c + 2 + 2 }),
		},
		{
			"fp8 without one layer", `"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128],
			"modules_to_not_convert": ["lm_head", "model.layers.1"]}`, "",
			tinyLinear/2 + 4*(4+4+2+2+8+8+8) + tinyLinear,
		},
		{"fbgemm", `"quantization_config": {"quant_method": "fbgemm_fp8"}`, "", perMatrix(func(r, c int64) int64 { return r*c + 4*r + 4 })},
		{
			"gptq of AutoGPTQ", `"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128, "desc_act": true, "sym": true}`, "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + c/128*(r/2+2*r) + 4*c + 2*r }),
		},
		{
			"gptq of GPTQModel, 3 bits in one group", `"quantization_config": {"quant_method": "gptq", "bits": 3, "group_size": -1,
			"meta": {"quantizer": ["gptqmodel:5.0"]}}`, "",
			perMatrix(func(r, c int64) int64 { return c*3/32*4*r + r*3/32*4 + 2*r + 4*c }),
		},
		{
			"gptq with a rule that leaves one layer out", `"quantization_config": {"quant_method": "gptq", "bits": 8, "group_size": 128,
			"meta": {}, "dynamic": {"-:model\\.layers\\.0\\..*": {}}}`, "",
			tinyLinear + perMatrix(func(r, c int64) int64 { return r*c + c/128*(r+2*r) + 4*c })/2,
		},
		{
			"awq", `"quantization_config": {"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": true, "version": "gemm"}`, "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + c/128*(r/2+2*r) }),
		},
		{
			"nf4", `"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true, "bnb_4bit_quant_type": "nf4"}`, "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + r*c/64*4 + 64 + 88 }),
		},
		{
			"int8 of bitsandbytes", `"quantization_config": {"quant_method": "bitsandbytes", "load_in_8bit": true}`, "",
			perMatrix(func(r, c int64) int64 { return r*c + 4*r + 1 }),
		},
		{
			"fp8 for channels", groups(`{"num_bits": 8, "type": "float", "strategy": "channel", "symmetric": true}`,
				`, "input_activations": {"num_bits": 8, "type": "float", "strategy": "token", "dynamic": true}`), "",
			perMatrix(func(r, c int64) int64 { return r*c + 2*r }),
		},
		{
			"int8 for channels", groups(`{"num_bits": 8, "type": "int", "strategy": "channel", "symmetric": true}`, `, "format": "int-quantized"`), "",
			perMatrix(func(r, c int64) int64 { return r*c + 2*r }),
		},
		{
			"int4 packed in groups of 128", groups(`{"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128, "symmetric": true}`,
				`, "format": "pack-quantized"`), "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + 2*r*(c/128) + 16 }),
		},
		{
			"int4 packed, asymmetric with the order of groups", groups(`{"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128,
			"symmetric": false, "actorder": "group"}`, `, "format": "pack-quantized"`), "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + 2*r*(c/128) + 16 + r/8*4*(c/128) + 4*c }),
		},
		{
			"nvfp4 packed", groups(`{"num_bits": 4, "type": "float", "strategy": "tensor_group", "group_size": 16}`,
				`, "format": "nvfp4-pack-quantized", "input_activations": {"num_bits": 4, "dynamic": "local"}`), "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + r*c/16 + 8 }),
		},
		{
			"mxfp4 packed", groups(`{"num_bits": 4, "type": "float", "strategy": "group", "group_size": 32, "scale_dtype": "torch.uint8"}`,
				`, "format": "mxfp4-pack-quantized"`), "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + r*c/32 }),
		},
		{
			"ModelOpt FP8", `"use_cache": true`, `{"quantization": {"quant_algo": "FP8", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}}`,
			perMatrix(func(r, c int64) int64 { return r*c + 8 }),
		},
		{
			"ModelOpt NVFP4 without one layer", `"use_cache": true`, `{"quantization": {"quant_algo": "NVFP4", "exclude_modules": ["lm_head", "model.layers.0*"]}}`,
			tinyLinear + perMatrix(func(r, c int64) int64 { return r*c/2 + r*c/16 + 8 })/2,
		},
		{
			"ModelOpt mixed", `"use_cache": true`, `{"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": {
			"model.layers.0.mlp.down_proj": {"quant_algo": "W4A16_NVFP4"}, "model.layers.0.self_attn.q_proj": {"quant_algo": "FP8"}}}}`,
			2*tinyLinear - 2*(512*256+256*256) + 512*256/2 + 512*256/16 + 4 + 256*256 + 8,
		},
		{
			"AutoRound with one layer of 8 bits", `"quantization_config": {"quant_method": "auto-round", "bits": 4, "group_size": 128,
			"packing_format": "auto_round:auto_awq", "extra_config": {"model.layers.0.self_attn.q_proj": {"bits": 16}}}`, "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + c/128*(r/2+2*r) }) + 2*256*256 - (256*128 + 2*(128+512)),
		},
		{
			"HQQ", `"quantization_config": {"quant_method": "hqq", "quant_config": {"weight_quant_params": {"nbits": 4, "group_size": 64}}}`, "",
			perMatrix(func(r, c int64) int64 { return r*c/2 + r*c/64*4 }),
		},
		{"EETQ", `"quantization_config": {"quant_method": "eetq"}`, "", perMatrix(func(r, c int64) int64 { return r*c + 2*r })},
		{"torchao", `"quantization_config": {"quant_method": "torchao", "quant_type": {"default": {"_type": "Int4WeightOnlyConfig",
			"_data": {"group_size": 128}}}}`, "", perMatrix(func(r, c int64) int64 { return r*c/2 + r*c/128*4 })},
		{
			"AQLM", `"quantization_config": {"quant_method": "aqlm", "num_codebooks": 1, "nbits_per_codebook": 16, "in_group_size": 8}`, "",
			perMatrix(func(r, c int64) int64 { return r*c/8*2 + 65536*8*2 + 2*r }),
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			shape, s, err := stored(t, row.section, row.hf)
			if err != nil {
				t.Fatal(err)
			}
			if got, want := s.Total(shape), tinyOuter+tinyNorms+row.linear; got != want {
				t.Errorf("%d bytes, want %d (%+d); %v", got, want, got-want, s.Notes)
			}
		})
	}
}

// TestMLX counts embedding and head too, and one module in more bits.
func TestMLX(t *testing.T) {
	shape, s, err := stored(t, `"quantization": {"group_size": 64, "bits": 4, "model.layers.1.mlp.down_proj": {"group_size": 32, "bits": 8},
		"model.layers.0.mlp.up_proj": false}`, "")
	if err != nil {
		t.Fatal(err)
	}
	four := func(n int64) int64 { return n/2 + n/64*4 }
	want := int64(2*5*256) + 2*four(256000) + four(tinyLinear) - four(512*256)*2 + 512*256*2 + 512*256 + 512*256/32*4
	if got := s.Total(shape); got != want {
		t.Errorf("%d bytes, want %d (%+d)", got, want, got-want)
	}
}

// TestTargets holds that exceptions win over names, and names over classes.
func TestTargets(t *testing.T) {
	shape, s, err := stored(t, `"quantization_config": {"quant_method": "compressed-tensors", "format": "mixed-precision", "config_groups": {
		"group_0": {"targets": ["Linear"], "weights": {"num_bits": 8, "type": "float", "strategy": "channel"}},
		"group_1": {"targets": ["re:.*mlp\\.(gate|up)_proj"], "format": "pack-quantized",
			"weights": {"num_bits": 4, "type": "int", "strategy": "group", "group_size": 32, "symmetric": true}}},
		"ignore": ["re:.*lm_head", "model.layers.1.self_attn.q_proj"]}`, "")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for name, x := range shape.Named() {
		if x.Matrix {
			got[name.String()] = s.Format(name, x).Name
		}
	}
	want := map[string]string{"lm_head.weight": "bf16"}
	for i := range 2 {
		for _, m := range []string{"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.down_proj"} {
			want[fmt.Sprintf("model.layers.%d.%s.weight", i, m)] = "fp8-per-channel"
		}
		for _, m := range []string{"mlp.gate_proj", "mlp.up_proj"} {
			want[fmt.Sprintf("model.layers.%d.%s.weight", i, m)] = "int4-packed-g32"
		}
	}
	want["model.layers.1.self_attn.q_proj.weight"] = "bf16"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFolded holds that experts which are named one by one count as one tensor, and as a mixture where they differ.
func TestFolded(t *testing.T) {
	config := `{"architectures": ["Qwen3MoeForCausalLM"], "hidden_size": 256, "intermediate_size": 512, "num_hidden_layers": 1,
		"num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 64, "vocab_size": 1000, "tie_word_embeddings": false, "num_experts": 4,
		"num_experts_per_tok": 2, "moe_intermediate_size": 128, "decoder_sparse_step": 1, "mlp_only_layers": [], "norm_topk_prob": true}`
	sh := shape(t, config)
	layers := func(algos ...string) strictjson.Value {
		var list []string
		for i, a := range algos {
			list = append(list, fmt.Sprintf(`"model.layers.0.mlp.experts.%d.up_proj": {"quant_algo": %q}`, i, a))
		}
		return parse(t, `{"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": {`+strings.Join(list, ",")+`}}}`)
	}
	up := func(v strictjson.Value) (string, int64) {
		s, err := quant.Stored(sh, parse(t, config), v)
		if err != nil {
			t.Fatal(err)
		}
		for name, x := range sh.Named() {
			if strings.Contains(name.Rest, "experts.*.up_proj") {
				return s.Format(name, x).Name, s.Bytes(name, x)
			}
		}
		t.Fatal("no experts")
		return "", 0
	}
	const n = 256 * 128
	for _, row := range []struct {
		name   string
		algos  []string
		format string
		bytes  int64
	}{
		{"all alike", []string{"FP8", "FP8", "FP8", "FP8"}, "fp8-per-tensor", 4 * (n + 8)},
		{"two and two", []string{"FP8", "FP8", "MXFP8", "MXFP8"}, "mixed", 4 * ((2*(n+8) + 2*(n+n/32) + 3) / 4)},
		{"one is not listed", []string{"FP8", "FP8", "FP8"}, "mixed", 4 * ((3*(n+8) + 2*n + 3) / 4)},
	} {
		t.Run(row.name, func(t *testing.T) {
			format, bytes := up(layers(row.algos...))
			if format != row.format || bytes != row.bytes {
				t.Errorf("%s with %d bytes, want %s with %d", format, bytes, row.format, row.bytes)
			}
		})
	}
}

// TestRefused holds that what cannot be sized is refused with the reason, and what is broken with the key.
func TestRefused(t *testing.T) {
	for _, row := range []struct {
		name, section, want string
		unknown             bool
	}{
		{"a method whose sizes do not follow", `"quantization_config": {"quant_method": "quark"}`, `method "quark"`, true},
		{"no method at all", `"quantization_config": {"foo": 1}`, `method ""`, true},
		{"an algorithm that nobody knows", `"quantization_config": {"quant_method": "modelopt", "quant_algo": "FP3"}`, `quant_algo "FP3"`, true},
		{"a sparse format", `"quantization_config": {"quant_method": "compressed-tensors", "sparsity_config": {"format": "sparse-24-bitmask"}}`, "sparse", true},
		{"bits that are none", `"quantization_config": {"quant_method": "gptq", "bits": 900}`, "bits is 900, want 2 to 8", false},
		{"bits that are text", `"quantization_config": {"quant_method": "gptq", "bits": "four"}`, "bits", false},
		{"a broken expression", `"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"a": {"targets": ["re:("]}}}`, "re:(", false},
		{"a block of nothing", `"quantization_config": {"quant_method": "fp8", "weight_block_size": [0, 128]}`, "weight_block_size", false},
		{
			"a pattern without end", `"quantization_config": {"quant_method": "fp8", "modules_to_not_convert": ["` + strings.Repeat("a", 5000) + `"]}`,
			"5000 characters", false,
		},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, _, err := stored(t, row.section, "")
			if err == nil || !strings.Contains(err.Error(), row.want) || errors.Is(err, quant.ErrUnknown) != row.unknown {
				t.Errorf("%v, want it to say %q; unknown %v", err, row.want, row.unknown)
			}
		})
	}
}

// TestBoth holds that hf_quant_config.json wins, and that a difference is told.
func TestBoth(t *testing.T) {
	shape, s, err := stored(t, `"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}`,
		`{"quantization": {"quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8", "exclude_modules": ["lm_head"]}}`)
	if err != nil {
		t.Fatal(err)
	}
	if s.Name != "nvfp4" || s.KVCache() != "fp8" || !strings.Contains(strings.Join(s.Notes, "\n"), "the latter was used") {
		t.Errorf("%s, cache %q, %q", s.Name, s.KVCache(), s.Notes)
	}
	if s.Total(shape) >= 2*tinyLinear+tinyOuter {
		t.Error("NVFP4 is not smaller than 16 bits")
	}
}

// TestWork holds that patterns which fit nothing cannot keep us busy.
func TestWork(t *testing.T) {
	sh := shape(t, strings.Replace("{"+tiny+"}", `"num_hidden_layers": 2`, `"num_hidden_layers": 4000`, 1))
	var list []string
	for i := range 500 {
		list = append(list, fmt.Sprintf(`"re:(.*a|b%d)*(.*c|d)*(.*e|f)*x{100}y"`, i))
	}
	config := parse(t, `{"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128], "modules_to_not_convert": [`+
		strings.Join(list, ",")+`]}}`)
	start := time.Now()
	if _, err := quant.Stored(sh, config, strictjson.Value{}); err == nil || !strings.Contains(err.Error(), "comparisons") {
		t.Errorf("%v, want it refused", err)
	}
	if d := time.Since(start); d > 20*time.Second {
		t.Errorf("it took %v", d)
	}
}

func TestAs(t *testing.T) {
	sh := shape(t, "{"+tiny+"}")
	for _, name := range []string{"FP8", "Q4_k_m", "gguf-q8_0", " nf4 ", "MXFP4_MOE"} {
		if _, err := quant.As(sh, name); err != nil {
			t.Error(err)
		}
	}
	_, err := quant.As(sh, "q4_k_x")
	if !errors.Is(err, quant.ErrName) || !strings.Contains(err.Error(), "Q4_K_S") {
		t.Errorf("%v, want names that are near", err)
	}
	if _, err := quant.As(sh, "UD-Q4_K_XL"); !errors.Is(err, quant.ErrUnknown) {
		t.Errorf("%v, want ErrUnknown", err)
	}
	for _, name := range quant.Names() {
		s, err := quant.As(sh, name)
		if err != nil || s.Total(sh) <= 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLawsOfFormats holds for all schemes that bytes do not fall when a matrix grows.
func TestLawsOfFormats(t *testing.T) {
	sh := shape(t, "{"+tiny+"}")
	for _, name := range quant.Names() {
		s, err := quant.As(sh, name)
		if err != nil {
			t.Fatal(err)
		}
		for n, x := range sh.Named() {
			f := s.Format(n, x)
			for rows := int64(256); rows < 1024; rows += 256 {
				if f.Bytes(rows, 256) > f.Bytes(rows+256, 256) || f.Bytes(256, rows) > f.Bytes(256, rows+256) {
					t.Errorf("%s, %s: a larger matrix has fewer bytes", name, f.Name)
				}
				if got, least := f.Bytes(rows, 256), int64(f.Bits*float64(rows)*256/8); got < least {
					t.Errorf("%s, %s: %d bytes, fewer than its %v bits need", name, f.Name, got, f.Bits)
				}
			}
		}
	}
}

func FuzzStored(f *testing.F) {
	for _, seed := range []string{
		`{"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128], "modules_to_not_convert": ["a.*.b", "re:x"]}}`,
		`{"quantization_config": {"quant_method": "gptq", "bits": 4, "group_size": 128, "dynamic": {"-:.*q_proj": {}}}}`,
		`{"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {"a": {"targets": ["Linear", "re:.*"], "weights": {"num_bits": 4}}}}}`,
		`{"quantization": {"bits": 4, "group_size": 64, "model.layers.0.mlp": false}}`,
		`{"quantization": {"quant_algo": "MIXED_PRECISION", "quantized_layers": {"layers.0.mlp.experts.3.up_proj": {"quant_algo": "NVFP4"}}}}`,
		`{"quantization_config": {"quant_method": "auto-round", "bits": 4, "extra_config": {"model.layers.0": {"bits": 8}}}}`,
		`{"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": true}, "expert_dtype": "fp4"}`,
		`{"quantization_config": {"quant_method": "torchao", "quant_type": "int4_weight_only", "quant_type_kwargs": {"group_size": 1}}}`,
		`{"quantization_config": {"quant_method": "exl3", "bits": 3.5}}`,
		`{"quantization_config": {"quant_method": "aqlm", "num_codebooks": 2}}`,
	} {
		f.Add(seed)
	}
	sh, err := arch.Of(parse(f, "{"+tiny+"}"))
	if err != nil {
		f.Fatal(err)
	}
	full := quant.Unquantized(sh).Total(sh)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := strictjson.Parse(strings.NewReader(text), 1<<16)
		if err != nil {
			return
		}
		for _, pair := range [][2]strictjson.Value{{v, {}}, {{}, v}, {v, v}} {
			s, err := quant.Stored(sh, pair[0], pair[1])
			if err != nil {
				continue
			}
			if n := s.Total(sh); n <= 0 || n > 1<<40 {
				t.Errorf("%d bytes for a model of %d in 16 bits", n, full)
			}
			for _, note := range s.Notes {
				if len(note) > 2000 {
					t.Errorf("a note of %d characters", len(note))
				}
			}
		}
	})
}
