package serve

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/quant"
)

// llamaShapes are the shapes of the models that were measured.
func llamaShapes(t testing.TB) map[string]*arch.Shape {
	t.Helper()
	return map[string]*arch.Shape{
		"llama-3.2-1b": shapeOf(t, `{"architectures":["LlamaForCausalLM"],"hidden_size":2048,"num_attention_heads":32,
			"num_key_value_heads":8,"head_dim":64,"intermediate_size":8192,"num_hidden_layers":16,"vocab_size":128256,
			"tie_word_embeddings":true,"torch_dtype":"float16","max_position_embeddings":131072}`),
		"gemma-3-1b": shapeOf(t, `{"architectures":["Gemma3ForCausalLM"],"hidden_size":1152,"num_attention_heads":4,
			"num_key_value_heads":1,"head_dim":256,"intermediate_size":6912,"num_hidden_layers":26,"vocab_size":262144,
			"sliding_window":512,"sliding_window_pattern":6,"torch_dtype":"float16","max_position_embeddings":32768}`),
		"deepseek-v2-lite": shapeOf(t, `{"architectures":["DeepseekV2ForCausalLM"],"hidden_size":2048,"num_attention_heads":16,
			"num_key_value_heads":16,"intermediate_size":10944,"moe_intermediate_size":1408,"num_hidden_layers":27,
			"vocab_size":102400,"n_routed_experts":64,"n_shared_experts":2,"num_experts_per_tok":6,"first_k_dense_replace":1,
			"q_lora_rank":null,"kv_lora_rank":512,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,
			"tie_word_embeddings":false,"topk_method":"greedy","torch_dtype":"float16","max_position_embeddings":163840}`),
	}
}

// llamaRow is one measurement: sizes of buffers as llama.cpp v0.5.0 allocates them.
type llamaRow struct {
	id, shape, weights, kv           string
	context                          int64
	flash, gpu, all                  bool
	modelHost, modelGPU              int64
	cache, computeHost, computeOnGPU int64
}

// sample is a small part of the measurements, so that the test means something without them.
func sample() []llamaRow {
	return []llamaRow{
		{"llama, CPU, library", "llama-3.2-1b", "F16", "f16", 2048, true, false, true, 2471763968, 0, 67108864, 271058944, 0},
		{"llama, CPU, one row, no flash", "llama-3.2-1b", "F16", "f16", 2048, false, false, false, 2471763968, 0, 67108864, 161488928, 0},
		{"llama, GPU, library", "llama-3.2-1b", "Q8_0", "f16", 8192, true, true, true, 279085056, 1313251328, 268435456, 16791552, 266862592},
		{"llama, GPU, server", "llama-3.2-1b", "F16", "f16", 32768, true, true, false, 525336576, 2471763968, 1073741824, 41955360, 96479264},
		{"llama, GPU, q8_0", "llama-3.2-1b", "F16", "q8_0", 32768, true, true, false, 525336576, 2471763968, 570425344, 41988128, 92317728},
		{"gemma, GPU, server", "gemma-3-1b", "F16", "f16", 8192, true, true, false, 603979776, 2000040448, 56623104, 14176288, 58738720},
		{"gemma, CPU, no flash", "gemma-3-1b", "F16", "f16", 32768, false, false, false, 2000040448, 0, 157286400, 351023136, 0},
		{"gemma, GPU, q8_0", "gemma-3-1b", "F16", "q8_0", 32768, true, true, true, 603979776, 2000040448, 83558400, 39901184, 539230208},
		{"deepseek, GPU, server", "deepseek-v2-lite", "Q8_0", "f16", 8192, true, true, false, 222822400, 16475699200, 254803968, 16785440, 88217632},
		{"deepseek, GPU, no flash", "deepseek-v2-lite", "Q8_0", "f16", 32768, false, true, true, 222822400, 16475699200, 1019215872, 75507712, 1231310848},
		{"deepseek, CPU, q8_0", "deepseek-v2-lite", "Q8_0", "q8_0", 32768, true, false, false, 16698521600, 0, 541458432, 126885920, 0},
	}
}

// measured are all rows, where they lie beside the project.
func measured(t *testing.T) []llamaRow {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "groundtruth", "llamacpp_memory.tsv"))
	if err != nil {
		return nil
	}
	_, data, _ = bytes.Cut(data, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma = '\t'
	lines, err := r.ReadAll()
	if err != nil || len(lines) < 181 {
		t.Fatalf("%d lines, %v", len(lines), err)
	}
	var rows []llamaRow
	for _, l := range lines[1:] {
		n := func(i int) int64 {
			v, err := strconv.ParseInt(l[i], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		rows = append(rows, llamaRow{l[0], l[1], l[3], l[6], n(5), l[7] == "on", l[8] != "cpu", l[9] == "batch", n(10), n(11), n(12), n(13), n(14)})
	}
	return rows
}

func (r llamaRow) plan() Plan {
	p := Plan{
		Engine: newestLlama(), KV: r.kv, MaxModelLen: r.context, MaxSeqs: 1,
		Llama: LlamaOptions{NoFlash: !r.flash, AllOutputs: r.all},
	}
	if r.gpu { // aligned like the host, as the measured device is
		p.GPU, p.GPUs = &hardware.Accelerator{VisibleMiB: 80000}, 1
	}
	return p
}

// TestLlamaTruth computes what was measured from the shapes alone.
func TestLlamaTruth(t *testing.T) {
	rows := append(sample(), measured(t)...)
	shapes := llamaShapes(t)
	worst := map[string]float64{}
	for _, r := range rows {
		s := shapes[r.shape]
		// The file called Q4_K has that type in all blocks; the named mix nearest to it raises a few matrices.
		name, limit := r.weights, 0.0
		if name == "Q4_K" {
			name, limit = "Q4_K_S", 0.007
		}
		weights, err := quant.As(s, name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := fitLlama(Model{Shape: s, Weights: weights}, r.plan())
		if err != nil {
			t.Fatal(err)
		}
		check := func(what string, got, want int64, limit float64) {
			d := math.Abs(float64(got-want)) / float64(max(1, want))
			worst[what] = max(worst[what], d)
			if d > limit {
				t.Errorf("%s: %s %d, want %d (%+.2f %%)", r.id, what, got, want, 100*float64(got-want)/float64(max(1, want)))
			}
		}
		of := func(terms []Term, p Part, name string) int64 {
			for i := range terms {
				if terms[i].Part == p && (name == "" || terms[i].Name == name) {
					return terms[i].Bytes.Mid
				}
			}
			return 0
		}
		check("weights on the host", of(m.Host, Weights, ""), r.modelHost, limit)
		check("weights on the GPU", of(m.Terms, Weights, ""), r.modelGPU, limit)
		check("cache", of(m.Host, KVCache, "")+of(m.Terms, KVCache, ""), r.cache, 0)
		check("compute on the host", of(m.Host, Activation, "compute buffer"), r.computeHost, 0)
		check("compute on the GPU", of(m.Terms, Activation, ""), r.computeOnGPU, 0)
		if r.gpu {
			got := of(m.Terms, Weights, "") + of(m.Terms, KVCache, "") + of(m.Terms, Activation, "")
			check("GPU in all", got, r.modelGPU+r.cache+r.computeOnGPU, limit)
		}
	}
	t.Logf("%d rows, largest errors: %v", len(rows), worst)
}
