package serve_test

import (
	"encoding/csv"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// shared is a folder of the material beside the project, "" where it is not present.
func shared(parts ...string) string {
	dir, err := filepath.Abs(filepath.Join(append([]string{"..", "..", "..", "shared"}, parts...)...))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

// facts are the keys of models that the corpus lacks.
var facts = map[string]string{
	"codellama/CodeLlama-7b-hf": `{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,
		"num_key_value_heads":32,"intermediate_size":11008,"vocab_size":32016,"max_position_embeddings":16384,"tie_word_embeddings":false,"torch_dtype":"bfloat16"}`,
	"ibm-granite/granite-3.1-2b-instruct": `{"architectures":["GraniteForCausalLM"],"hidden_size":2048,"num_hidden_layers":40,"num_attention_heads":32,
		"num_key_value_heads":8,"intermediate_size":8192,"vocab_size":49155,"max_position_embeddings":131072,"tie_word_embeddings":true,"torch_dtype":"bfloat16"}`,
	"ibm-granite/granite-vision-3.3-2b": `{"architectures":["LlavaNextForConditionalGeneration"],"model_type":"llava_next","torch_dtype":"bfloat16",
		"image_grid_pinpoints":[[384,384]],"multimodal_projector_bias":true,"projector_hidden_act":"gelu","vision_feature_layer":[-24,-20,-12,-1],
		"text_config":{"architectures":["GraniteForCausalLM"],"model_type":"granite","hidden_size":2048,"num_hidden_layers":40,"num_attention_heads":32,
		"num_key_value_heads":8,"intermediate_size":8192,"vocab_size":49156,"max_position_embeddings":131072,"tie_word_embeddings":true},
		"vision_config":{"model_type":"siglip_vision_model","hidden_size":1152,"intermediate_size":4304,"num_hidden_layers":27,"num_attention_heads":16,"image_size":384,"patch_size":14}}`,
	"microsoft/phi-4": `{"architectures":["Phi3ForCausalLM"],"model_type":"phi3","hidden_size":5120,"num_hidden_layers":40,"num_attention_heads":40,
		"num_key_value_heads":10,"intermediate_size":17920,"vocab_size":100352,"max_position_embeddings":16384,"tie_word_embeddings":false,"torch_dtype":"bfloat16"}`,
	"unsloth/Llama-3.2-3B-Instruct": `{"architectures":["LlamaForCausalLM"],"hidden_size":3072,"num_hidden_layers":28,"num_attention_heads":24,
		"num_key_value_heads":8,"head_dim":128,"intermediate_size":8192,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":true,"torch_dtype":"bfloat16"}`,
	"meta-llama/Llama-2-70b-hf": `{"architectures":["LlamaForCausalLM"],"hidden_size":8192,"num_hidden_layers":80,"num_attention_heads":64,
		"num_key_value_heads":8,"intermediate_size":28672,"vocab_size":32000,"max_position_embeddings":4096,"tie_word_embeddings":false,"torch_dtype":"float16"}`,
	"Qwen/Qwen2.5-1.5B-Instruct": `{"architectures":["Qwen2ForCausalLM"],"hidden_size":1536,"num_hidden_layers":28,"num_attention_heads":12,
		"num_key_value_heads":2,"intermediate_size":8960,"vocab_size":151936,"max_position_embeddings":32768,"tie_word_embeddings":true,"torch_dtype":"bfloat16"}`,
	"Qwen/Qwen2.5-Math-1.5B": `{"architectures":["Qwen2ForCausalLM"],"hidden_size":1536,"num_hidden_layers":28,"num_attention_heads":12,
		"num_key_value_heads":2,"intermediate_size":8960,"vocab_size":151936,"max_position_embeddings":4096,"tie_word_embeddings":true,"torch_dtype":"bfloat16"}`,
	"Qwen/Qwen2.5-VL-3B-Instruct": `{"architectures":["Qwen2_5_VLForConditionalGeneration"],"model_type":"qwen2_5_vl","hidden_size":2048,"num_hidden_layers":36,
		"num_attention_heads":16,"num_key_value_heads":2,"intermediate_size":11008,"vocab_size":151936,"max_position_embeddings":128000,"tie_word_embeddings":true,"torch_dtype":"bfloat16",
		"vision_config":{"model_type":"qwen2_5_vl","depth":32,"hidden_size":1280,"intermediate_size":3420,"num_heads":16,"out_hidden_size":2048,"patch_size":14,"spatial_merge_size":2,"temporal_patch_size":2,"in_chans":3}}`,
	"Qwen/Qwen3.5-4B": `{"architectures":["Qwen3_5ForConditionalGeneration"],"model_type":"qwen3_5","torch_dtype":"bfloat16","tie_word_embeddings":true,
		"text_config":{"model_type":"qwen3_5_text","hidden_size":2560,"num_hidden_layers":32,"num_attention_heads":16,"num_key_value_heads":4,"head_dim":256,"intermediate_size":9216,
		"vocab_size":248320,"max_position_embeddings":262144,"full_attention_interval":4,"linear_conv_kernel_dim":4,"linear_key_head_dim":128,"linear_num_key_heads":16,
		"linear_num_value_heads":32,"linear_value_head_dim":128,"attn_output_gate":true,"tie_word_embeddings":true,"mtp_num_hidden_layers":1},
		"vision_config":{"model_type":"qwen3_5","depth":24,"hidden_size":1024,"intermediate_size":4096,"num_heads":16,"out_hidden_size":2560,"patch_size":16,"spatial_merge_size":2,"temporal_patch_size":2,"in_channels":3,"num_position_embeddings":2304}}`,
	"meta-llama/Llama-3.2-11B-Vision": `{"architectures":["MllamaForConditionalGeneration"],"model_type":"mllama","torch_dtype":"bfloat16",
		"text_config":{"model_type":"mllama_text_model","hidden_size":4096,"num_hidden_layers":40,"num_attention_heads":32,"num_key_value_heads":8,"intermediate_size":14336,
		"vocab_size":128256,"max_position_embeddings":131072,"cross_attention_layers":[3,8,13,18,23,28,33,38],"tie_word_embeddings":false},
		"vision_config":{"model_type":"mllama_vision_model","hidden_size":1280,"intermediate_size":5120,"num_hidden_layers":32,"num_global_layers":8,"attention_heads":16,"max_num_tiles":4,
		"image_size":560,"patch_size":14,"vision_output_dim":7680,"intermediate_layers_indices":[3,7,15,23,30],"supported_aspect_ratios":[[1,1],[1,2],[1,3],[1,4],[2,1],[2,2],[3,1],[4,1]]}}`,
}

// sameShape names the model whose configuration another shares.
var sameShape = map[string]string{
	"deepseek-ai/DeepSeek-V2-Lite-Chat":                      "deepseek-ai/DeepSeek-V2-Lite",
	"deepseek-ai/DeepSeek-Coder-V2-Lite-Instruct":            "deepseek-ai/DeepSeek-V2-Lite",
	"RedHatAI/Llama-3.3-70B-Instruct-fp8-dynamic":            "meta-llama/Meta-Llama-3.1-70B",
	"RedHatAI/Llama-3.3-70B-Instruct-FP8-dynamic":            "meta-llama/Meta-Llama-3.1-70B",
	"redhatai/Llama-3.3-70B-Instruct-quantized.w8a8":         "meta-llama/Meta-Llama-3.1-70B",
	"neuralmagic/Meta-Llama-3.1-70B-Instruct-quantized.w8a8": "meta-llama/Meta-Llama-3.1-70B",
	"RedHatAI/Meta-Llama-3.1-8B-Instruct-quantized.w4a16":    "meta-llama/Meta-Llama-3.1-8B",
	"unsloth/meta-llama-3.1-8b-instruct-unsloth-bnb-4bit":    "meta-llama/Meta-Llama-3.1-8B",
	"unsloth/DeepSeek-R1-0528-Qwen3-8B":                      "Qwen/Qwen3-8B",
	"deepseek-ai/DeepSeek-R1-0528-Qwen3-8B":                  "Qwen/Qwen3-8B",
	"Llama-3.2-3B-Instruct-Q8_0.gguf":                        "unsloth/Llama-3.2-3B-Instruct",
	"Qwen3.6-27B-AutoRound":                                  "nvidia/Qwen3.6-27B-NVFP4",
}

type row map[string]string

func (r row) num(key string) float64 {
	f, err := strconv.ParseFloat(r[key], 64)
	if err != nil {
		return 0
	}
	return f
}

func (r row) class() string {
	_, c, _ := strings.Cut(r["notes"], "class=")
	c, _, _ = strings.Cut(c, ";")
	return c
}

func truth(t *testing.T) []row {
	t.Helper()
	dir := shared("groundtruth")
	if dir == "" {
		t.Skip("no measured figures beside the project")
	}
	f, err := os.Open(filepath.Join(dir, "serving_memory.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := csv.NewReader(f)
	c.Comma, c.Comment, c.LazyQuotes = '\t', '#', true
	all, err := c.ReadAll()
	if err != nil || len(all) < 2 {
		t.Fatalf("%d lines, %v", len(all), err)
	}
	var rows []row
	for _, line := range all[1:] {
		r := row{}
		for i, key := range all[0] {
			r[key] = line[i]
		}
		rows = append(rows, r)
	}
	return rows
}

var errNoFacts = errors.New("no configuration")

// config is the configuration of a model, from the corpus or from the facts above.
func config(id string) (strictjson.Value, error) {
	if same, ok := sameShape[id]; ok {
		id = same
	}
	text, ok := facts[id]
	if !ok {
		data, err := os.ReadFile(filepath.Join(shared("corpus", "configs"), strings.ReplaceAll(id, "/", "__")+".json"))
		if err != nil {
			return strictjson.Value{}, errNoFacts
		}
		text = string(data)
	}
	return strictjson.Parse(strings.NewReader(text), 0, "id2label", "label2id")
}

// scheme is the quantization that a row names, or what the configuration says.
func scheme(s *arch.Shape, c strictjson.Value, name string) (*quant.Scheme, error) {
	switch name {
	case "mxfp4", "fp8-block":
		if q, err := quant.Stored(s, c, strictjson.Value{}); err == nil {
			return q, nil
		}
	case "gguf-q8_0":
		name = "q8_0"
	case "int4-w4a16":
		if q, err := quant.Stored(s, c, strictjson.Value{}); err == nil {
			return q, nil
		}
	}
	return quant.As(s, name)
}

func device(c *catalog.Catalog, name string) (*hardware.Accelerator, error) {
	if strings.HasPrefix(name, "unknown") {
		name = "H100-80GB"
	}
	m, err := c.Resolve(name)
	return m.GPU, err
}

func planOf(c *catalog.Catalog, r row) (serve.Plan, error) {
	gpu, err := device(c, r["gpu"])
	if err != nil {
		return serve.Plan{}, err
	}
	e, err := serve.FindEngine(r["engine"], r["engine_version"])
	if err != nil {
		return serve.Plan{}, err
	}
	return serve.Plan{
		Engine: e, GPU: gpu, GPUs: int(r.num("n_gpus")), Tensor: int(r.num("tp")), Pipeline: int(r.num("pp")), KV: r["kv_dtype"],
		Utilization: r.num("gpu_mem_util"), MaxModelLen: int64(r.num("max_model_len")), BatchedTokens: int64(r.num("max_batched_tokens")),
		MaxSeqs: int64(r.num("max_num_seqs")),
	}, nil
}

func answer(c *catalog.Catalog, r row) (*serve.Memory, error) {
	id, _, _ := strings.Cut(r["model"], " ")
	v, err := config(id)
	if err != nil {
		return nil, err
	}
	s, err := arch.Of(v)
	if err != nil {
		return nil, err
	}
	q, err := scheme(s, v, r["quant"])
	if err != nil {
		return nil, err
	}
	p, err := planOf(c, r)
	if err != nil {
		return nil, err
	}
	return serve.Fit(serve.Model{Shape: s, Weights: q}, p)
}

// measure compares one row with its answer, as tools/score_memory.py does.
func measure(r row, m *serve.Memory) map[string][2]float64 {
	const gib = 1 << 30
	sum := func(p serve.Part) float64 { return float64(m.Sum(p).Mid) / gib }
	out := map[string][2]float64{}
	put := func(what string, want, got float64) {
		if want > 0 {
			out[what] = [2]float64{got, want}
		}
	}
	w := r.num("weights_gib_per_gpu")
	put("weights", w, sum(serve.Weights))
	if r.num("gpu_mem_util") > 0 {
		put("kv pool", r.num("kv_gib_per_gpu"), sum(serve.KVCache))
		put("kv tokens", r.num("kv_tokens"), float64(m.Cache.Tokens))
	}
	if w > 0 && r["activation_peak_gib"] != "" && r["non_torch_gib"] != "" {
		got := sum(serve.Weights) + sum(serve.Activation) + sum(serve.NonTorch)
		if r.num("graph_gib") != 0 {
			got += sum(serve.Graphs)
		}
		put("weights+overhead", w+r.num("activation_peak_gib")+r.num("non_torch_gib")+max(r.num("graph_gib"), 0), got)
		put("activation", r.num("activation_peak_gib"), sum(serve.Activation))
		put("non-torch", r.num("non_torch_gib"), sum(serve.NonTorch))
		put("graphs", r.num("graph_gib"), sum(serve.Graphs))
	}
	return out
}

type miss struct {
	by    float64
	id    string
	class string
}

func TestTruth(t *testing.T) {
	c := catalog.Default()
	errs := map[string][]miss{}
	answered := 0
	for _, r := range truth(t) {
		m, err := answer(c, r)
		if err != nil {
			t.Logf("no answer %s %s: %v", r["id"], r["model"], err)
			continue
		}
		answered++
		line := fmt.Sprintf("%s %-34.34s", r["id"], r["model"])
		all := measure(r, m)
		for _, what := range []string{"weights", "activation", "non-torch", "graphs", "weights+overhead", "kv pool", "kv tokens"} {
			if v, ok := all[what]; ok {
				by := v[0]/v[1] - 1
				errs[what] = append(errs[what], miss{by, r["id"], r.class()})
				line += fmt.Sprintf("  %s %.4g/%.4g %+.1f%%", what, v[0], v[1], 100*by)
			}
		}
		t.Log(line, m.Verdict)
	}
	if answered < 40 {
		t.Errorf("%d rows answered, want 40", answered)
	}
	limits := map[string]float64{"weights": 0.015, "weights+overhead": 0.06, "kv pool": 0.05}
	for what, list := range errs {
		mean, signed := means(list)
		t.Logf("%-17s n %3d mean abs %5.2f %% signed %+5.2f %%", what, len(list), 100*mean, 100*signed)
		for _, class := range []string{"dense", "mla", "swa", "moe", "vision", "swa-moe", "hybrid"} {
			if mean, signed := means(slices.DeleteFunc(slices.Clone(list), func(m miss) bool { return m.class != class })); !math.IsNaN(mean) {
				t.Logf("      %-10s mean abs %5.2f %% signed %+5.2f %%", class, 100*mean, 100*signed)
			}
		}
		if limit, ok := limits[what]; ok && mean > limit {
			t.Errorf("%s: mean absolute error %.2f %%, want at most %.1f %%", what, 100*mean, 100*limit)
		}
		for _, m := range list {
			if what == "weights+overhead" && m.by < -0.10 {
				t.Errorf("%s: %s is %.1f %% low", what, m.id, -100*m.by)
			}
		}
	}
	plain := slices.DeleteFunc(errs["kv tokens"], func(m miss) bool { return m.class != "dense" && m.class != "mla" })
	if mean, _ := means(plain); mean > 0.03 {
		t.Errorf("kv tokens of dense and MLA rows: mean absolute error %.2f %%, want at most 3 %%", 100*mean)
	}
}

func means(list []miss) (abs, signed float64) {
	for _, m := range list {
		abs += math.Abs(m.by)
		signed += m.by
	}
	return abs / float64(len(list)), signed / float64(len(list))
}
