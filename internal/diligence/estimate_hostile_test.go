package diligence

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	measured "github.com/llmcheck/llmcheck/internal/bench/catalog"
	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// odd are configurations of every way in which engines keep tokens, quantized and not.
var odd = []string{
	`{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,
	"intermediate_size":14336,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false,"torch_dtype":"bfloat16",
	"quantization_config":{"quant_method":"gptq","bits":4,"group_size":128}}`,
	`{"architectures":["Gemma2ForCausalLM"],"hidden_size":3584,"num_hidden_layers":42,"num_attention_heads":16,"num_key_value_heads":8,"head_dim":256,
	"intermediate_size":14336,"vocab_size":256000,"max_position_embeddings":8192,"sliding_window":4096,"tie_word_embeddings":true}`,
	`{"architectures":["Qwen3MoeForCausalLM"],"hidden_size":2048,"num_hidden_layers":48,"num_attention_heads":32,"num_key_value_heads":4,"head_dim":128,
	"intermediate_size":6144,"moe_intermediate_size":768,"num_experts":128,"num_experts_per_tok":8,"vocab_size":151936,"max_position_embeddings":40960,
	"decoder_sparse_step":1,"mlp_only_layers":[],"tie_word_embeddings":false,"quantization_config":{"quant_method":"fp8","weight_block_size":[128,128]}}`,
	`{"architectures":["DeepseekV2ForCausalLM"],"hidden_size":2048,"num_hidden_layers":27,"num_attention_heads":16,"num_key_value_heads":16,
	"intermediate_size":10944,"moe_intermediate_size":1408,"n_routed_experts":64,"n_shared_experts":2,"num_experts_per_tok":6,"first_k_dense_replace":1,
	"moe_layer_freq":1,"kv_lora_rank":512,"q_lora_rank":null,"qk_nope_head_dim":128,"qk_rope_head_dim":64,"v_head_dim":128,"vocab_size":102400,
	"max_position_embeddings":163840,"tie_word_embeddings":false}`,
	`{"architectures":["Qwen3NextForCausalLM"],"hidden_size":2048,"num_hidden_layers":48,"num_attention_heads":16,"num_key_value_heads":2,"head_dim":256,
	"intermediate_size":5120,"moe_intermediate_size":512,"shared_expert_intermediate_size":512,"num_experts":512,"num_experts_per_tok":10,
	"decoder_sparse_step":1,"mlp_only_layers":[],"full_attention_interval":4,"linear_conv_kernel_dim":4,"linear_key_head_dim":128,
	"linear_num_key_heads":16,"linear_num_value_heads":32,"linear_value_head_dim":128,"vocab_size":151936,"max_position_embeddings":262144,
	"tie_word_embeddings":false}`,
}

// configs are those above, and the real ones where they are present.
func configs(t testing.TB) []string {
	t.Helper()
	list := slices.Clone(odd)
	names, err := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", "configs", "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if len(data) < 1<<14 && !strings.Contains(name, "hf_quant_config") {
			list = append(list, string(data))
		}
	}
	return list
}

// extremes are numbers at and beyond what is accepted.
func extremes() []string {
	return []string{
		"0", "-1", "1", "3", "4096", "65536", "134217728", "134217729", "2147483648", "9223372036854775807", "9223372036854775808",
		"1.5", "1e300", "NaN", `"x"`, "[]", "null", "true",
	}
}

var place = regexp.MustCompile(`-?\b\d[\d.eE+]*\b|"[a-z_]+"|null|true|false`)

// twisted puts other text where the number or word of that place stands.
func twisted(config string, at int, with string) string {
	places := place.FindAllStringIndex(config, -1)
	if len(places) == 0 {
		return config
	}
	p := places[at%len(places)]
	return config[:p[0]] + with + config[p[1]:]
}

// asker answers questions about one configuration with catalogs that were read once.
type asker struct{ deps Deps }

func newAsker(t testing.TB) *asker {
	t.Helper()
	engines, err := serve.Engines()
	if err != nil {
		t.Fatal(err)
	}
	d := deps(shelf{})
	d.Cards, d.Engine = gpus.Default(), engines.Find
	constants, err := speed.Default()
	if err != nil {
		t.Fatal(err)
	}
	d.Speed = func() (*speed.Constants, error) { return constants, nil }
	d.Measured, d.Prices = measured.Default(), costs.Default()
	return &asker{d}
}

func (a *asker) ask(t testing.TB, config string, q EstimateQuestion) (*report.Document, error) {
	t.Helper()
	d := a.deps
	d.Models = shelf{"acme/x": fstest.MapFS{"config.json": file(config)}}
	q.Ref = model.Ref{Scheme: model.SchemeHub, Name: "acme/x"}
	start := time.Now()
	doc, err := Estimate(t.Context(), d, q)
	if took := time.Since(start); took > slower*5*time.Second {
		t.Errorf("took %v", took)
	}
	return doc, err
}

// sound checks what everybody who reads a document relies on, whatever it was made from.
func sound(t testing.TB, doc *report.Document, err error) {
	t.Helper()
	if doc == nil {
		if err == nil {
			t.Error("neither an answer nor an error")
		}
		return
	}
	if _, fault := json.Marshal(doc); fault != nil {
		t.Fatalf("it cannot be written: %v", fault)
	}
	e := doc.Estimate
	if err != nil && (e.Fits || e.Verdict != undetermined) {
		t.Errorf("%s in spite of %v", e.Verdict, err)
	}
	if m := e.Model; m.ParamsTotal < 0 || m.ParamsActive < 0 || m.ParamsActive > m.ParamsTotal || m.WeightsBytes < 0 || m.KVBytesPerToken != nil && *m.KVBytesPerToken < 0 || m.StateBytes < 0 {
		t.Errorf("%+v", m)
	}
	var parts int64
	for _, c := range e.Model.Components {
		if c.Total < 0 || c.Bytes < 0 || c.Active < 0 {
			t.Errorf("%+v", c)
		}
		parts += c.Total
	}
	if len(e.Model.Components) > 0 && parts != e.Model.ParamsTotal+e.Model.ParamsMTP {
		t.Errorf("the components hold %d of %d", parts, e.Model.ParamsTotal+e.Model.ParamsMTP)
	}
	for _, o := range append([]report.Outlook{e.Outlook}, e.Candidates...) {
		soundOutlook(t, &o)
	}
}

func soundOutlook(t testing.TB, o *report.Outlook) {
	t.Helper()
	if !slices.Contains([]string{"fits", "tight", "does_not_fit", undetermined}, o.Verdict) || o.Fits != (o.Verdict == "fits") {
		t.Errorf("verdict %q, fits %v", o.Verdict, o.Fits)
	}
	if o.Fits && (o.Memory == nil || o.Cache == nil || o.MaxConcurrency == nil || *o.MaxConcurrency <= 0 || o.Memory.Unused < 0) {
		t.Errorf("it fits: %+v %+v", o.Memory, o.Cache)
	}
	if m := o.Memory; m != nil && m.Capacity > 0 {
		sum := m.Unused
		for _, part := range []int64{m.Weights, m.Activation, m.NonTorch, m.Graphs, m.KVCache, m.Reserved} {
			if part < 0 {
				t.Errorf("a negative part: %+v", *m)
			}
			sum += part
		}
		if sum != m.Capacity {
			t.Errorf("the parts add up to %d: %+v", sum, *m)
		}
	}
	if c := o.Cache; c != nil && (c.BytesPerToken < 0 || c.BytesPerRequest < 0 || c.StateBytes < 0 || c.MaxContext != nil && *c.MaxContext < 0 || c.Blocks != nil && *c.Blocks < 0) {
		t.Errorf("%+v", *c)
	}
	if o.KVTokens != nil && *o.KVTokens < 0 || o.Host != nil && *o.Host < 0 {
		t.Errorf("%v tokens, %v", o.KVTokens, o.Host)
	}
	if x := o.MaxConcurrency; x != nil && (*x < 0 || math.IsInf(*x, 0) || math.IsNaN(*x)) {
		t.Errorf("%v requests", *x)
	}
	for _, term := range o.Terms {
		if term.Part != "unused" && (term.Bytes.Low > term.Bytes.Mid || term.Bytes.Mid > term.Bytes.High) {
			t.Errorf("%+v", term)
		}
	}
}

// question makes a question of a number.
func question(r *rand.Rand) EstimateQuestion {
	pick := func(list ...int64) int64 { return list[r.IntN(len(list))] }
	q := EstimateQuestion{
		Cards: []string{[]string{"H100", "RTX 4090", "B200", "MI300X", "unknown"}[r.IntN(5)]},
		Kind:  []serve.Kind{"", serve.VLLM, serve.SGLang, serve.TensorRT, serve.LlamaCPP, serve.Transformers}[r.IntN(6)],
		Quant: []string{"", "", "", "fp8", "awq", "Q4_K_M"}[r.IntN(6)], Explain: r.IntN(4) == 0, LoadMTP: r.IntN(4) == 0,
		Load: Workload{Concurrency: float64(pick(0, 0, 1, 64, 1<<31))},
	}
	q.Plan = serve.Plan{
		MaxModelLen: pick(0, 0, 1, 4096, 1<<20, 1<<31), MaxSeqs: pick(0, 0, 1, 1<<31), BatchedTokens: pick(0, 0, 1, 1<<31), Eager: r.IntN(2) == 0,
		Utilization: []float64{0, 0, 1e-300, 0.5, 1}[r.IntN(5)], KV: []string{"", "", "fp8", "nvfp4", "q8_0"}[r.IntN(5)],
		Llama: serve.LlamaOptions{GPULayers: int(pick(-1, -1, 0, 5, 1<<31)), CPUExperts: int(pick(0, 0, 3, 1<<31)), MicroBatch: pick(0, 1, 1<<31)},
	}
	if r.IntN(3) == 0 {
		q.Plan.GPUs, q.Plan.Tensor, q.Plan.Pipeline, q.Plan.Expert, q.Plan.Data = int(pick(0, 1, 8, 65536)), int(pick(0, 2, 7, 65536)),
			int(pick(0, 2, 65536)), int(pick(0, 1, 8)), int(pick(0, 2, 65536))
	}
	return q
}

// TestEstimateHostile changes one or two numbers of real configurations to what nobody expects there: they are refused,
// or what comes of them adds up and can be written.
func TestEstimateHostile(t *testing.T) {
	a, list, r := newAsker(t), configs(t), rand.New(rand.NewPCG(1, 2))
	rounds := 500
	if testing.Short() {
		rounds = 100
	}
	answered := 0
	for i := range rounds {
		config := list[i%len(list)]
		for range 1 + r.IntN(2) {
			config = twisted(config, r.IntN(1<<16), extremes()[r.IntN(len(extremes()))])
		}
		q := question(r)
		doc, err := a.ask(t, config, q)
		sound(t, doc, err)
		if doc != nil && err == nil {
			answered++
		}
		if t.Failed() {
			t.Fatalf("%+v\n%s", q, config)
		}
	}
	if answered < rounds/10 {
		t.Errorf("%d of %d were answered: nothing was tested", answered, rounds)
	}
}

// TestEstimateLimits asks for shapes at the limits of what is accepted, where sums come near 63 bits.
func TestEstimateLimits(t *testing.T) {
	a, r := newAsker(t), rand.New(rand.NewPCG(3, 4))
	pick := func(list ...int64) int64 { return list[r.IntN(len(list))] }
	answered := 0
	for range 200 {
		heads := pick(1, 8, 4096, 65536)
		config := fmt.Sprintf(`{"architectures":["%s"],"hidden_size":%d,"num_hidden_layers":%d,"num_attention_heads":%d,"num_key_value_heads":%d,"head_dim":%d,
			"intermediate_size":%d,"moe_intermediate_size":%d,"num_experts":%d,"num_experts_per_tok":%d,"vocab_size":%d,"max_position_embeddings":%d,"sliding_window":%d}`,
			[]string{"LlamaForCausalLM", "MistralForCausalLM", "Qwen3MoeForCausalLM", "Gemma2ForCausalLM"}[r.IntN(4)], pick(1, 64, 8192, 1<<27), pick(1, 32, 4096), heads,
			pick(1, heads), pick(1, 128, 1<<16, 1<<27), pick(1, 1<<14, 1<<27), pick(1, 1<<10, 1<<27), pick(1, 128, 65536), 1, pick(1, 1<<17, 1<<27), pick(1, 1<<17, 1<<31), pick(1, 4096, 1<<31))
		q := question(r)
		doc, err := a.ask(t, config, q)
		sound(t, doc, err)
		if doc != nil && err == nil {
			answered++
		}
		if t.Failed() {
			t.Fatalf("%+v\n%s", q, config)
		}
	}
	if answered < 20 {
		t.Errorf("%d were answered: nothing was tested", answered)
	}
}

// FuzzEstimate goes from the bytes of a config.json to the document: whatever the bytes, it is sound.
func FuzzEstimate(f *testing.F) {
	a := newAsker(f)
	for i, c := range configs(f) {
		f.Add(c, uint16(i), "1", uint64(i))
		f.Add(c, uint16(7*i), strconv.Itoa(math.MaxInt64), uint64(i))
	}
	f.Fuzz(func(t *testing.T, config string, at uint16, with string, seed uint64) {
		if len(config) > 1<<16 {
			return
		}
		doc, err := a.ask(t, twisted(config, int(at), with), question(rand.New(rand.NewPCG(seed, 0))))
		sound(t, doc, err)
	})
}
