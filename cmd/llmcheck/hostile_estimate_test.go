package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/safetensors/safetensorstest"
)

// llamaConfig is an honest configuration, to be spoiled.
const llamaConfig = `{"architectures":["LlamaForCausalLM"],"model_type":"llama","hidden_size":64,"intermediate_size":128,"num_hidden_layers":2,` +
	`"num_attention_heads":4,"num_key_value_heads":2,"vocab_size":128,"max_position_embeddings":4096,"torch_dtype":"bfloat16"`

// estimated asks how much memory one model needs, in JSON and in other formats, and scans what was printed.
func estimated(t *testing.T, formats []string, args ...string) answer {
	t.Helper()
	var first answer
	for _, format := range append([]string{"json"}, formats...) {
		a := runProgram(t, nil, append([]string{"estimate", "--offline", "--format", format}, args...)...)
		for _, fault := range append(scan(format, a.stdout), scan("text", a.stderr)...) {
			t.Errorf("%s: %s", format, fault)
		}
		if strings.Contains(string(a.stderr), "goroutine ") || a.status < 0 || a.status > 5 || a.status == 1 {
			t.Errorf("%s: status %d: %.3000s", format, a.status, a.stderr)
		}
		if format == "json" {
			first = a
			continue
		}
		if a.status != first.status {
			t.Errorf("%s: status %d, in JSON %d", format, a.status, first.status)
		}
	}
	var doc struct {
		Estimate struct {
			Verdict string `json:"verdict"`
		} `json:"estimate"`
	}
	if err := json.Unmarshal(first.stdout, &doc); err == nil {
		first.outcome = doc.Estimate.Verdict
	}
	return first
}

// runSizes makes each folder and asks about it. The outcome that is wanted is a verdict, or nothing where no document is.
func runSizes(t *testing.T, attacks []attack) {
	t.Helper()
	for _, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			if large := a.memory > 64; large && (slow() || testing.Short()) {
				t.Skip("large, and its limits are not looked at here")
			}
			dir := filepath.Join(t.TempDir(), "m")
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			if a.make != nil {
				a.make(t, dir)
			}
			var formats []string
			if strings.Contains(a.name, "poison") {
				formats = []string{"text", "jsonl", "markdown", "html", "sarif"}
			}
			args := []string{dir}
			if len(a.args) > 0 && !strings.HasPrefix(a.args[0], "--") { // a model of its own
				args = nil
			}
			for _, arg := range a.args {
				if arg == "OWN" {
					arg = filepath.Join(dir, "own")
				}
				args = append(args, arg)
			}
			if !strings.Contains(strings.Join(a.args, " "), "--gpu") {
				args = append(args, "--gpu", "H100")
			}
			a.check(t, estimated(t, formats, args...))
		})
	}
}

// refused and unknown are the statuses of files that are wrong, and of what is not known.
var (
	refused = []int{2}
	unknown = []int{4}
)

func repeated(n int, form string) string {
	var b strings.Builder
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, form, i)
	}
	return b.String()
}

func TestHostileSizes(t *testing.T) {
	config := func(more string) func(*testing.T, string) { return files("config.json", llamaConfig+more+"}") }
	with := func(key, value string) func(*testing.T, string) {
		i := strings.Index(llamaConfig, `"`+key+`":`) + len(key) + 3
		return files("config.json", llamaConfig[:i]+value+llamaConfig[i+strings.IndexAny(llamaConfig[i:]+",", ","):]+"}")
	}
	quantized := func(section string) func(*testing.T, string) {
		return config(`,"quantization_config":{` + section + `}`)
	}
	groups := func(ignore, weights string) func(*testing.T, string) {
		return quantized(`"quant_method":"compressed-tensors","ignore":[` + ignore + `],"config_groups":{"a":{"targets":["Linear"],"weights":{"num_bits":4` + weights + `}}}`)
	}
	attacks := []attack{
		{name: "honest", make: config(""), want: "fits", status: []int{0}},
		{name: "4,000,000 values", make: config(`,"a":[` + strings.Repeat("1,", 4_000_000) + `1]`), want: "fits", status: []int{0}, memory: 350},
		{name: "15 MB of values", make: config(`,"a":[` + strings.Repeat("1,", 7_400_000) + `1]`), want: "undetermined", status: refused, says: "config.json", memory: 350},
		{
			name: "a million kinds of layers", make: files("config.json", strings.Replace(llamaConfig, "Llama", "Olmo3", 1)+`,"layer_types":[`+strings.Repeat(`"full_attention",`, 1_000_000)+`""]}`),
			want: "undetermined", status: refused, memory: 350,
		},
		{name: "nested 1,000 deep", make: files("config.json", strings.Repeat(`{"text_config":`, 1000)+llamaConfig+"}"+strings.Repeat("}", 1000)), want: "undetermined", status: refused, says: "nested deeper"},
		{name: "cut", make: files("config.json", llamaConfig), want: "undetermined", status: refused, says: "config.json"},
		{
			name: "another size in the part for the language model", make: config(`,"text_config":` + strings.Replace(llamaConfig, `"num_hidden_layers":2`, `"num_hidden_layers":1`, 1) + `}`),
			want: "undetermined", status: refused, says: "num_hidden_layers",
		},
		{name: "poison as the architecture", make: files("config.json", `{"architectures":["\u001b]0;x\u0007\n::error::x##[error]\u202e"]}`), want: "undetermined", status: unknown},
		{name: "poisoned words", make: files("config.json", strings.ReplaceAll(llamaConfig, "bfloat16", `\u001b[31m\n::error::x##[error]\u202e<script>alert(1)</script>`)+"}"), want: "undetermined", status: unknown},
		{name: "poisoned patterns", make: groups(`"re:\u001b[31m\n::error::("`, ""), want: "undetermined", status: refused},
		{name: "a number as number format", make: with("torch_dtype", "1"), want: "undetermined", status: refused, says: "torch_dtype"},
		{name: "a number format of 64 bits", make: with("torch_dtype", `"float64"`), want: "undetermined", status: unknown, says: "torch_dtype"},
		{name: "bombs of expressions", make: groups(`"re:((a{0,10}){0,10}){0,10}"`, ""), want: "undetermined", status: refused, says: "instructions"},
		{name: "300 slow expressions", make: groups(repeated(300, `"re:(a*)*(b*)*.*x%d.*y.*z.*$"`), ""), want: "fits", status: []int{0, 2}},
		{name: "400 patterns of stars", make: groups(repeated(400, `"`+strings.Repeat("*a*", 200)+`%d"`), ""), want: "fits undetermined", status: []int{0, 2}},
		{name: "300,000 names", make: groups(repeated(300_000, `"model.layers.%d.x"`), ""), want: "undetermined", status: refused, says: "modules are named", memory: 350},
		{name: "300,000 modules of MLX", make: quantized(`"bits":4,"group_size":64,` + repeated(300_000, `"model.layers.%d.x":{"bits":4}`)), want: "undetermined", status: refused, memory: 350},
		{name: "a kind of weights that nobody knows", make: groups("", `,"type":"zzz"`), want: "undetermined", status: unknown},
		{name: "a strategy that nobody knows", make: groups("", `,"strategy":"zzz"`), want: "undetermined", status: unknown},
		{name: "a head of no bits", make: quantized(`"quant_method":"exl2","bits":4,"head_bits":0`), want: "undetermined", status: refused, says: "head_bits"},
		{
			name: "16 MB of exclusions", make: files("config.json", llamaConfig+"}", "hf_quant_config.json", `{"quantization":{"quant_algo":"FP8","exclude_modules":[`+strings.Repeat(`"a",`, 3_900_000)+`"b"]}}`),
			want: "undetermined", status: refused, says: "modules are listed", memory: 380,
		},
		{name: "a broken export", make: files("config.json", llamaConfig+"}", "hf_quant_config.json", "{"), want: "undetermined", status: refused, says: "hf_quant_config.json"},
	}
	for _, key := range []string{"hidden_size", "num_hidden_layers", "num_key_value_heads", "vocab_size", "max_position_embeddings"} {
		for _, value := range []string{"0", "-1", "1.5", `"x"`, "NaN", "1e400", "9223372036854775807", "[1]"} {
			attacks = append(attacks, attack{name: key + " of " + value, make: with(key, value), want: "undetermined", status: refused, says: key})
		}
	}
	for _, value := range []string{"0", "-7", "1000000000000000000", "999"} {
		attacks = append(attacks,
			attack{name: "bits of " + value, make: quantized(`"quant_method":"gptq","group_size":128,"bits":` + value), want: "undetermined", status: refused, says: "bits"},
			attack{name: "blocks of " + value, make: quantized(`"quant_method":"fp8","weight_block_size":[` + value + `,0]`), want: "undetermined", status: refused, says: "weight_block_size"})
	}
	runSizes(t, attacks)
}

func TestHostileSizesOfAdapters(t *testing.T) {
	adapter := func(more string) func(*testing.T, string) {
		return files("adapter_config.json", `{"peft_type":"LORA","base_model_name_or_path":"Qwen/Qwen3-0.6B"`+more+`}`)
	}
	onDisk := func(base string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			files("adapter_config.json", fmt.Sprintf(`{"peft_type":"LORA","r":8,"target_modules":["q_proj"],"base_model_name_or_path":%q}`, strings.Replace(base, "DIR", filepath.ToSlash(dir), 1)))(t, dir)
		}
	}
	runSizes(t, []attack{
		{name: "honest", make: adapter(`,"r":8,"target_modules":["q_proj"]`), want: "fits", status: []int{0}},
		{name: "rank of 10^9", make: adapter(`,"r":1000000000,"target_modules":["q_proj"]`), want: "undetermined", status: refused, says: "r is"},
		{name: "rank of 10^9 for one layer", make: adapter(`,"r":8,"rank_pattern":{"q_proj":1000000000},"target_modules":["q_proj"]`), want: "undetermined", status: refused, says: "rank_pattern"},
		{name: "a million modules", make: adapter(`,"r":8,"target_modules":[` + repeated(1_000_000, `"m%d"`) + `]`), want: "undetermined", status: refused, memory: 350},
		{name: "an expression of 800 kB", make: adapter(`,"r":8,"target_modules":"` + strings.Repeat(".*", 400_000) + `"`), want: "undetermined", status: refused, says: "target_modules"},
		{name: "its own base model", make: onDisk("DIR"), want: "undetermined", status: refused, says: "no repository"},
		{name: "its own base model by scheme", make: onDisk("dir:DIR"), want: "undetermined", status: refused, says: "no repository"},
		{name: "a file of the machine as base model", make: onDisk("/etc/passwd"), want: "undetermined", status: refused, says: "no repository"},
		{name: "broken, beside a configuration", make: files("config.json", llamaConfig+"}", "adapter_config.json", "{"), want: "undetermined", status: refused, says: "adapter_config.json"},
	})
}

// TestHostileQuestions asks what no person would.
func TestHostileQuestions(t *testing.T) {
	honest := files("config.json", llamaConfig+"}")
	var attacks []attack
	for flag, values := range map[string]string{
		"gpus": "-1 65537 9223372036854775807 x", "tp": "-1 999983", "pp": "-1 9223372036854775807", "ep": "-1", "dp": "-1 1e9",
		"max-model-len": "-1 9223372036854775807 2147483649", "input-tokens": "-1 9223372036854775807", "concurrency": "-1 NaN Inf 1e308",
		"gpu-memory-utilization": "-1 NaN 1e308 1.01", "max-num-seqs": "-1", "max-batched-tokens": "-1", "n-gpu-layers": "-2 9223372036854775807",
		"n-cpu-moe": "-1", "ubatch-size": "-1", "kv-dtype": "int999 \x1b[31m", "quant": "q99 \x1b[31m", "engine": "\x1b[31m", "engine-version": "-1.-2", "flash-attn": "x",
	} {
		for v := range strings.FieldsSeq(values) {
			attacks = append(attacks, attack{name: fmt.Sprintf("%s of %q", flag, v), make: honest, args: []string{"--" + flag + "=" + v}, status: refused})
		}
	}
	attacks = append(attacks,
		attack{name: "20,000 cards", make: honest, args: []string{"--gpu", strings.Repeat("H100,", 20_000) + "H100"}, status: refused, says: "--gpu names"},
		attack{name: "a name of 100 kB", make: honest, args: []string{"--gpu", strings.Repeat("80GB", 25_000)}, status: refused},
		attack{name: "no card", make: honest, args: []string{"--gpu="}, status: refused},
		attack{name: "poisoned unknown card", make: honest, args: []string{"--gpu", "unknown " + poison}, want: "undetermined", status: unknown},
		attack{name: "poisoned version", make: honest, args: []string{"--engine-version", poison + "0.19.0"}, want: "fits", status: []int{0}},
		attack{name: "as many stages as there are ranks", make: honest, args: []string{"--pp", "65536"}, want: "does_not_fit", status: []int{3}},
	)
	for _, engine := range []string{"vllm", "sglang", "trt-llm", "transformers", "llama.cpp"} {
		attacks = append(attacks,
			attack{name: "everything at its most with " + engine, make: honest, want: "does_not_fit", status: []int{3}, args: []string{
				"--engine", engine, "--tp", "65536", "--pp", "65536", "--dp", "65536", "--max-model-len", "2147483648", "--max-num-seqs", "2147483648",
			}},
			attack{name: "the longest request with " + engine, make: honest, want: "does_not_fit tight fits", status: []int{0, 3, 4}, args: []string{
				"--engine", engine, "--max-model-len", "2147483648", "--concurrency", "2147483648", "--max-batched-tokens", "2147483648",
			}})
	}
	runSizes(t, attacks)
}

// TestHostileRecords lays the records of a careless company over ours.
func TestHostileRecords(t *testing.T) {
	accelerator := func(more string) func(*testing.T, string) {
		return files("config.json", llamaConfig+"}", "own/accelerators/own.yaml", "id: own\nname: Own\nvendor: nvidia\narch: hopper\nbandwidth_gb_s: 3350\ndense_tflops: {bf16: 989}\nmemory_gb: 80\nusable_mib: 81559\nvisible_mib: 81090\n"+
			"sources:\n- title: measured\nchecked: 2026-11-24\n"+more)
	}
	changed := func(from, to string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			accelerator("")(t, dir)
			name := filepath.Join(dir, "own/accelerators/own.yaml")
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, []byte(strings.Replace(string(data), from, to, 1)), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	var bomb strings.Builder
	bomb.WriteString("a: &a [x,x,x,x,x,x,x,x,x]\n")
	for c := 'b'; c <= 'i'; c++ {
		fmt.Fprintf(&bomb, "%c: &%c [*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c,*%c]\n", c, c, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1, c-1)
	}
	own := func(text string) func(*testing.T, string) {
		return files("config.json", llamaConfig+"}", "own/accelerators/own.yaml", text)
	}
	model := func(config string) func(*testing.T, string) {
		return files("config.json", llamaConfig+"}", "own/models/acme__x.yaml", "id: acme/x\nlicense: mit\ndeclared: mit\nsource: {title: x, url: 'https://example.com/x'}\nseen: '2026-11-24'\n"+
			"confidence: high\nconfig_source: {title: x, url: 'https://example.com/x'}\nconfig: "+config+"\n")
	}
	attacks := []attack{
		{name: "honest", make: accelerator(""), want: "fits", status: []int{0}},
		{name: "10^18 cards of a machine", make: accelerator("max_per_node: 1000000000000000000\n"), status: refused, says: "max_per_node"},
		{name: "memory of 10^18 MiB", make: changed("81090", "1000000000000000000"), status: refused, says: "visible_mib"},
		{name: "memory of less than nothing", make: changed("81090", "-1"), status: refused, says: "visible_mib"},
		{name: "memory that is no number", make: changed("81090", ".nan"), status: refused},
		{name: "bandwidth of less than nothing", make: changed("3350", "-1"), status: refused},
		{name: "a bomb of aliases", make: own(bomb.String()), status: refused},
		{name: "brackets", make: own(strings.Repeat("[", 50_000)), status: refused},
		{name: "2 MB", make: own("a: \"" + strings.Repeat("x", 2<<20) + "\""), status: refused},
		{name: "poisoned name", make: changed("name: Own", `name: "\e]0;x\a\e[31m\n::error::x##[error]\u202e<script>alert(1)</script>"`), want: "fits", status: []int{0}},
		{name: "an honest model", make: model(llamaConfig + "}"), want: "fits", status: []int{0}},
		{name: "a model of 10^18 layers", make: model(strings.Replace(llamaConfig, `"num_hidden_layers":2`, `"num_hidden_layers":1000000000000000000`, 1) + "}"), want: "undetermined", status: refused},
		{
			name: "a model whose names are a range without end", make: model(llamaConfig + `,"quantization_config":{"quant_method":"compressed-tensors","ignore":["model.layers.{0..99999999}.x"]}}`),
			status: refused, says: "no list of numbers",
		},
	}
	for i := range attacks {
		attacks[i].args = []string{"--gpu", "own", "--catalog", "OWN"}
		if strings.Contains(attacks[i].name, "model") {
			attacks[i].args = []string{"acme/x", "--gpu", "H100", "--catalog", "OWN"}
		}
	}
	runSizes(t, attacks)
}

// ggufModel is the model of llamaConfig as a GGUF file, with keys and tensors changed.
func ggufModel(keys map[string]any, change func(*gguftest.Tensor)) func(*testing.T, string) {
	all := map[string]any{
		"general.architecture": "llama", "llama.block_count": uint32(2), "llama.context_length": uint32(4096), "llama.embedding_length": uint32(64),
		"llama.feed_forward_length": uint32(128), "llama.attention.head_count": uint32(4), "llama.attention.head_count_kv": uint32(2),
	}
	maps.Copy(all, keys)
	var kv []gguftest.KV
	for k, v := range all {
		kv = append(kv, gguftest.KV{Key: k, Value: v})
	}
	list := []gguftest.Tensor{{Name: "token_embd.weight", Type: 1, Dims: []uint64{64, 128}}, {Name: "output.weight", Type: 1, Dims: []uint64{64, 128}}, {Name: "output_norm.weight", Dims: []uint64{64}}}
	for i := range 2 {
		b := fmt.Sprintf("blk.%d.", i)
		for name, dims := range map[string][]uint64{
			"attn_q": {64, 64}, "attn_k": {64, 32}, "attn_v": {64, 32}, "attn_output": {64, 64}, "ffn_gate": {64, 128}, "ffn_up": {64, 128},
			"ffn_down": {128, 64}, "attn_norm": {64}, "ffn_norm": {64},
		} {
			list = append(list, gguftest.Tensor{Name: b + name + ".weight", Type: 1, Dims: dims})
		}
	}
	kept := list[:0]
	for _, t := range list {
		if change != nil {
			change(&t)
		}
		if t.Name != "" {
			kept = append(kept, t)
		}
	}
	return files("m.gguf", string(gguftest.Write(kv, kept)))
}

func TestHostileSizesOfGGUF(t *testing.T) {
	keys := func(key string, value any) func(*testing.T, string) {
		return ggufModel(map[string]any{"llama." + key: value}, nil)
	}
	attacks := []attack{
		{name: "honest", make: ggufModel(nil, nil), want: "fits", status: []int{0}},
		{name: "heads that the tensors lack", make: keys("attention.head_count_kv", uint32(1)), want: "undetermined", status: refused, says: "one of them is wrong"},
		{name: "heads that are narrower", make: ggufModel(map[string]any{"llama.attention.key_length": uint32(1), "llama.attention.value_length": uint32(1)}, nil), want: "undetermined", status: refused, says: "one of them is wrong"},
		{name: "an MLP that the tensors lack", make: keys("feed_forward_length", uint32(1)), want: "undetermined", status: refused, says: "one of them is wrong"},
		{name: "heads of three blocks", make: keys("attention.head_count_kv", []uint32{2, 2, 2}), want: "undetermined", status: refused, says: "3 numbers for 2 blocks"},
		{name: "heads of a million blocks", make: keys("attention.head_count_kv", make([]uint32, 1_000_000)), want: "undetermined", status: refused},
		{name: "heads of no block", make: keys("attention.head_count_kv", []uint32{}), want: "undetermined", status: refused, says: "empty list"},
		{name: "one tensor of all", make: ggufModel(nil, func(t *gguftest.Tensor) {
			if t.Name != "token_embd.weight" {
				t.Name = ""
			}
		}), want: "undetermined", status: refused, says: "not whole"},
		{name: "a million parts", make: ggufModel(map[string]any{"split.count": uint32(1_000_000), "split.no": uint32(0)}, nil), want: "undetermined", status: refused, says: "parts"},
		{name: "poison as architecture", make: ggufModel(map[string]any{"general.architecture": poison}, nil), want: "undetermined", status: unknown},
		{name: "poison as a tensor", make: ggufModel(nil, func(t *gguftest.Tensor) {
			if t.Name == "output.weight" {
				t.Name = poison[:40]
			}
		}), want: "undetermined fits", status: []int{0, 2}},
	}
	for _, n := range []uint64{0, 1_000_000_000, 1<<63 - 1, 1<<64 - 1} {
		attacks = append(attacks, attack{name: fmt.Sprintf("%d blocks", n), make: keys("block_count", n), want: "undetermined", status: refused})
	}
	runSizes(t, attacks)
}

// TestHostileSizesOfWeights holds that no verdict rests on a configuration that is not that of the files beside it.
func TestHostileSizesOfWeights(t *testing.T) {
	weights := func(layers, width, kv int) string {
		var list []safetensorstest.Tensor
		add := func(name string, shape ...uint64) {
			list = append(list, safetensorstest.Tensor{Name: name, DType: "BF16", Shape: shape})
		}
		w, k := uint64(width), uint64(kv)
		add("model.embed_tokens.weight", 128, w)
		add("lm_head.weight", 128, w)
		add("model.norm.weight", w)
		for i := range layers {
			p := fmt.Sprintf("model.layers.%d.", i)
			for name, shape := range map[string][]uint64{
				"self_attn.q_proj": {w, w}, "self_attn.k_proj": {k, w}, "self_attn.v_proj": {k, w}, "self_attn.o_proj": {w, w},
				"mlp.gate_proj": {128, w}, "mlp.up_proj": {128, w}, "mlp.down_proj": {w, 128}, "input_layernorm": {w}, "post_attention_layernorm": {w},
			} {
				add(p+name+".weight", shape...)
			}
		}
		return string(safetensorstest.Write(nil, list))
	}
	both := func(data string) func(*testing.T, string) {
		return files("config.json", llamaConfig+"}", "model.safetensors", data)
	}
	many := func(n int) string {
		header := "{" + repeated(n, `"t%d":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`) + "}"
		return string(append(binary.LittleEndian.AppendUint64(nil, uint64(len(header))), header...))
	}
	index := func(names string) func(*testing.T, string) {
		return files("config.json", llamaConfig+"}", "model.safetensors.index.json", `{"metadata":{"total_size":115328},"weight_map":{`+names+`}}`)
	}
	const doubt = "of another model"
	runSizes(t, []attack{
		{name: "honest", make: both(weights(2, 64, 32)), want: "fits", status: []int{0}},
		{name: "of more layers", make: both(weights(9, 64, 32)), want: "undetermined", status: unknown, says: doubt},
		{name: "of a wider model", make: both(weights(2, 256, 128)), want: "undetermined", status: unknown, says: doubt},
		{name: "with more heads", make: both(weights(2, 64, 64)), want: "undetermined", status: unknown, says: doubt},
		{name: "900,000 tensors", make: both(many(900_000)), want: "fits", status: []int{0}, memory: 350},
		{name: "an index that leads outside", make: index(`"a":"../../../etc/passwd","b":"/etc/passwd"`), want: "fits", status: []int{0}},
		{name: "an index of 100,000 files", make: index(repeated(100_000, `"t%d":"model-00001-of-100000.safetensors"`)), want: "fits", status: []int{0}, memory: 350},
		{name: "a poisoned index", make: index(`"\u001b[31m":"\u001b[31m\n::error::x.safetensors"`), want: "fits", status: []int{0}},
	})
}
