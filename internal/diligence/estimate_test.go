package diligence

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/arch"
	measured "github.com/llmcheck/llmcheck/internal/bench/catalog"
	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

const (
	smallConfig = `{"architectures":["LlamaForCausalLM"],"hidden_size":4096,"num_hidden_layers":32,"num_attention_heads":32,"num_key_value_heads":8,
		"intermediate_size":14336,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false,"torch_dtype":"bfloat16"}`
	smallParams = 8_030_261_248
	tinyConfig  = `{"architectures":["LlamaForCausalLM"],"hidden_size":64,"num_hidden_layers":2,"num_attention_heads":4,"num_key_value_heads":2,
		"intermediate_size":128,"vocab_size":256,"max_position_embeddings":2048,"tie_word_embeddings":false,"torch_dtype":"bfloat16"}`
	largeConfig = `{"architectures":["LlamaForCausalLM"],"hidden_size":8192,"num_hidden_layers":80,"num_attention_heads":64,"num_key_value_heads":8,
		"intermediate_size":28672,"vocab_size":128256,"max_position_embeddings":131072,"tie_word_embeddings":false,"torch_dtype":"bfloat16"}`
)

// known is a catalog of models: their configurations by id.
type known map[string]string

func (k known) Facts(id string) (*models.Facts, bool, error) {
	text, ok := k[id]
	if !ok {
		return nil, false, nil
	}
	v, err := strictjson.Parse(strings.NewReader(text), 0)
	return &models.Facts{ID: id, Config: v}, err == nil, err
}

func (k known) Get(id string) (*model.Known, bool, error) {
	_, ok := k[id]
	return &model.Known{ID: id, License: "mit"}, ok, nil
}

func (k known) Resolve(name string) []string {
	var ids []string
	for id := range k {
		if strings.EqualFold(id, name) || strings.HasSuffix(strings.ToLower(id), "/"+strings.ToLower(name)) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

func (known) Dataset(string) (*model.KnownDataset, bool, error) { return nil, false, nil }
func (known) Organizations() ([]string, error)                  { return nil, nil }

// world is what answers are made from in these tests.
func world(s source.Opener, k KnownModels) Deps {
	return Deps{
		Models: s, Known: k, Cards: gpus.Default(), Engine: serve.FindEngine, Version: "test",
		Speed: sync.OnceValues(speed.Default), Measured: measured.Default(), Prices: costs.Default(),
		Now: func() time.Time { return time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC) },
	}
}

// closed is a source that must not be asked.
type closed struct{ t *testing.T }

func (c closed) Open(_ context.Context, ref model.Ref) (*source.Snapshot, error) {
	c.t.Errorf("%s was opened", ref)
	return nil, source.ErrNotFound
}

// refusing is a source that answers with an error.
type refusing struct{ error }

func (r refusing) Open(context.Context, model.Ref) (*source.Snapshot, error) { return nil, r.error }

func hub(name string) model.Ref { return model.Ref{Scheme: model.SchemeHub, Name: name} }

func estimated(t *testing.T, d Deps, q EstimateQuestion) *report.Estimate {
	t.Helper()
	doc, err := Estimate(t.Context(), d, q)
	if err != nil {
		t.Fatal(err)
	}
	return doc.Estimate
}

func TestEstimateSources(t *testing.T) {
	catalog := known{"acme/small": smallConfig, "acme/base": smallConfig}
	adapter := `{"peft_type":"LORA","r":16,"target_modules":["q_proj","v_proj"],"base_model_name_or_path":"acme/base"}`
	const perLayer = 16 * (4096 + 4096 + 4096 + 1024)
	for _, tt := range []struct {
		name   string
		ref    model.Ref
		source source.Opener
		params int64
		origin string
		notes  string
	}{
		{"the catalog answers without opening", hub("acme/small"), closed{t}, smallParams, "the catalog's record of acme/small", ""},
		{
			"a revision is opened",
			model.Ref{Scheme: model.SchemeHub, Name: "acme/small", Revision: "main"},
			shelf{"acme/small": {"config.json": file(largeConfig)}},
			70_553_706_496, "config.json", "",
		},
		{"a folder", model.Ref{Scheme: model.SchemePath, Name: "./m"}, shelf{"./m": {"config.json": file(smallConfig)}}, smallParams, "config.json", ""},
		{
			"an adapter with its base in the catalog", hub("acme/lora"),
			shelf{"acme/lora": {"adapter_config.json": file(adapter)}},
			smallParams + 32*perLayer, "adapter_config.json and, for its base model acme/base, the catalog's record of acme/base", "not modeled",
		},
		{
			"an adapter with its base on the hub", hub("acme/lora"), shelf{
				"acme/lora": {"adapter_config.json": file(strings.Replace(adapter, "acme/base", "acme/own", 1))}, "acme/own": {"config.json": file(smallConfig)},
			}, smallParams + 32*perLayer, "adapter_config.json and, for its base model acme/own, config.json", "not modeled",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := estimated(t, world(tt.source, catalog), EstimateQuestion{Ref: tt.ref})
			if e.Model.ParamsTotal != tt.params || e.Model.Source != tt.origin || !strings.Contains(strings.Join(e.Notes, "\n"), tt.notes) {
				t.Errorf("%d parameters from %q with notes %q, want %d from %q with %q", e.Model.ParamsTotal, e.Model.Source, e.Notes, tt.params, tt.origin, tt.notes)
			}
			keeps(t, e)
		})
	}
}

// keeps holds what every answer keeps.
func keeps(t *testing.T, e *report.Estimate) {
	t.Helper()
	for i, o := range append([]report.Outlook{e.Outlook}, e.Candidates...) {
		if o.Plan == nil || o.Plan.GPUs < 1 || o.Plan.Nodes < 1 || o.Plan.MaxModelLen < 1 || o.Plan.KVType == "" {
			t.Errorf("candidate %d has the plan %+v", i, o.Plan)
		}
		if !slices.Contains([]string{"fits", "tight", "does_not_fit", "undetermined"}, o.Verdict) || o.Fits != (o.Verdict == "fits") {
			t.Errorf("candidate %d: %q, fits %t", i, o.Verdict, o.Fits)
		}
		if (o.Why == "") != o.Fits {
			t.Errorf("candidate %d %s because %q", i, o.Verdict, o.Why)
		}
		if m := o.Memory; m != nil && o.Verdict != "undetermined" {
			sum := m.Weights + m.Activation + m.NonTorch + m.Graphs + m.KVCache + m.Reserved + m.Unused
			if sum != m.Capacity || m.Capacity <= 0 {
				t.Errorf("candidate %d: the parts are %d of %d bytes", i, sum, m.Capacity)
			}
			if o.KVTokens == nil || o.MaxConcurrency == nil || o.Cache == nil || len(o.At) == 0 {
				t.Errorf("candidate %d lacks a figure", i)
			}
		}
	}
	for i, a := range e.Assumed {
		if slices.Contains(e.Assumed[:i], a) {
			t.Errorf("%v is assumed twice", a)
		}
		if slices.ContainsFunc(e.Assumed[:i], func(b report.Assumption) bool { return a.What == b.What && a.What != "model" }) {
			t.Errorf("%s is assumed to be two things", a.What)
		}
	}
	if e.Summary == "" {
		t.Error("no summary")
	}
}

func TestEstimateGGUF(t *testing.T) {
	const name = "tiny-Q8_0.gguf"
	e := estimated(t, world(shelf{name: {name: &fstest.MapFile{Data: tinyGGUF(t)}}}, known{}), EstimateQuestion{
		Ref: model.Ref{Scheme: model.SchemeFile, Name: name}, Cards: []string{"RTX 4090"},
	})
	if !slices.ContainsFunc(e.Notes, func(s string) bool { return strings.Contains(s, "account is for a --parallel of 1; ") }) {
		t.Errorf("notes %q do not say that more requests at once take more than the account", e.Notes)
	}
	if e.Plan.Engine != "llama.cpp" || e.Model.Source != "the header of the GGUF file" || !e.Fits {
		t.Errorf("%s from %s with %s", e.Verdict, e.Model.Source, e.Plan.Engine)
	}
	if e.Plan.Utilization != 0 || e.Plan.GPULayers == nil {
		t.Errorf("plan %+v", e.Plan)
	}
	keeps(t, e)
}

// tinyGGUF is tinyConfig as llama.cpp's converter writes it.
func tinyGGUF(t *testing.T) []byte {
	t.Helper()
	kv := []gguftest.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "llama.block_count", Value: uint32(2)},
		{Key: "llama.context_length", Value: uint32(2048)},
		{Key: "llama.embedding_length", Value: uint32(64)},
		{Key: "llama.feed_forward_length", Value: uint32(128)},
		{Key: "llama.attention.head_count", Value: uint32(4)},
		{Key: "llama.attention.head_count_kv", Value: uint32(2)},
		{Key: "llama.vocab_size", Value: uint32(256)},
		{Key: "llama.rope.dimension_count", Value: uint32(16)},
		{Key: "llama.attention.layer_norm_rms_epsilon", Value: float32(1e-5)},
	}
	tensors := []gguftest.Tensor{
		{Name: "token_embd.weight", Type: gguf.Q8_0, Dims: []uint64{64, 256}},
		{Name: "output_norm.weight", Type: gguf.F32, Dims: []uint64{64}},
		{Name: "output.weight", Type: gguf.Q8_0, Dims: []uint64{64, 256}},
	}
	for _, block := range []string{"blk.0.", "blk.1."} {
		for _, one := range []struct {
			name string
			dims []uint64
		}{
			{"attn_q", []uint64{64, 64}},
			{"attn_k", []uint64{64, 32}},
			{"attn_v", []uint64{64, 32}},
			{"attn_output", []uint64{64, 64}},
			{"ffn_gate", []uint64{64, 128}},
			{"ffn_up", []uint64{64, 128}},
			{"ffn_down", []uint64{128, 64}},
			{"attn_norm", []uint64{64}},
			{"ffn_norm", []uint64{64}},
		} {
			kind := gguf.Q8_0
			if len(one.dims) == 1 {
				kind = gguf.F32
			}
			tensors = append(tensors, gguftest.Tensor{Name: block + one.name + ".weight", Type: kind, Dims: one.dims})
		}
	}
	return gguftest.Write(kv, tensors)
}

func TestEstimateAbsentFile(t *testing.T) {
	gone := refusing{fmt.Errorf("opening it: %w", source.ErrNotFound)}
	ref := model.Ref{Scheme: model.SchemePath, Name: "small-Q4_K_M.gguf"}
	e := estimated(t, world(gone, known{"acme/small": smallConfig}), EstimateQuestion{Ref: ref, Cards: []string{"h100-sxm"}})
	if e.Plan.Quantization != "Q4_K_M" || e.Plan.Engine != "llama.cpp" {
		t.Errorf("%s with %s", e.Plan.Quantization, e.Plan.Engine)
	}
	i := slices.IndexFunc(e.Assumed, func(a report.Assumption) bool { return a.What == "model" && a.Value == "acme/small" })
	if i < 0 || !strings.Contains(e.Assumed[i].Why, "small-Q4_K_M.gguf") {
		t.Errorf("assumed %v, want the model with its reason", e.Assumed)
	}
	keeps(t, e)
	for name, want := range map[string]string{"other-Q4_K_M.gguf": "llmcheck catalog models", "two.gguf": "a/two, b/two"} {
		d := world(gone, known{"a/two": smallConfig, "b/two": smallConfig})
		doc, err := Estimate(t.Context(), d, EstimateQuestion{Ref: model.Ref{Scheme: model.SchemePath, Name: name}})
		if !errors.Is(err, source.ErrNotFound) || doc == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want it to name %s", name, err, want)
		}
	}
}

func TestEstimateFaults(t *testing.T) {
	files := func(config string) shelf { return shelf{"a/b": {"config.json": file(config)}} }
	loop := shelf{"a/b": {"adapter_config.json": file(`{"peft_type":"LORA","r":8,"target_modules":["q_proj"],"base_model_name_or_path":"a/b"}`)}}
	for _, tt := range []struct {
		name   string
		source source.Opener
		q      EstimateQuestion
		err    error
		says   string
		answer bool // a document comes with the error
	}{
		{"not found", shelf{}, EstimateQuestion{}, source.ErrNotFound, "a/b", true},
		{"offline", refusing{fmt.Errorf("opening a/b: %w", source.ErrOffline)}, EstimateQuestion{}, source.ErrOffline, "catalog models", true},
		{"unreachable", shelf{"a/b": nil}, EstimateQuestion{}, source.ErrUnreachable, "a/b", true},
		{"unknown architecture", files(`{"architectures":["NobodyForCausalLM"]}`), EstimateQuestion{}, arch.ErrUnknown, "NobodyForCausalLM", true},
		{"broken configuration", files(`{"architectures":["LlamaForCausalLM"],"hidden_size":-1}`), EstimateQuestion{}, ErrShape, "hidden_size", true},
		{"no configuration", shelf{"a/b": {"README.md": file("# x")}}, EstimateQuestion{}, ErrShape, "config.json", true},
		{"an adapter of itself", loop, EstimateQuestion{}, ErrShape, "an adapter itself", true},
		{"unknown card", files(smallConfig), EstimateQuestion{Cards: []string{"H1000"}}, gpus.ErrUnknown, "H1000", false},
		{"unknown engine", files(smallConfig), EstimateQuestion{Kind: "vlm"}, serve.ErrEngine, "vlm", false},
		{"unknown quantization", files(smallConfig), EstimateQuestion{Quant: "int13"}, quant.ErrName, "int13", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.q.Ref = hub("a/b")
			doc, err := Estimate(t.Context(), world(tt.source, known{}), tt.q)
			if !errors.Is(err, tt.err) || !strings.Contains(fmt.Sprint(err), tt.says) {
				t.Errorf("error %v, want %v with %q", err, tt.err, tt.says)
			}
			if (doc != nil) != tt.answer {
				t.Fatalf("document: %t, want %t", doc != nil, tt.answer)
			}
			if doc == nil {
				return
			}
			if last := doc.Gaps[len(doc.Gaps)-1].Kind; (last == "unreachable") != errors.Is(err, source.ErrUnreachable) && !errors.Is(err, source.ErrNotFound) {
				t.Errorf("the gap is called %s for %v", last, err)
			}
			if e := doc.Estimate; e.Verdict != "undetermined" || e.Fits || len(doc.Gaps) == 0 {
				t.Errorf("%s with gaps %v", e.Verdict, doc.Gaps)
			}
			for _, key := range []string{"params_total", "weights_bytes", "kv_bytes_per_token"} {
				if data := encoded(t, doc); strings.Contains(data, key) {
					t.Errorf("%s is given though it is not known", key)
				}
			}
		})
	}
}

func TestEstimateCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	doc, err := Estimate(ctx, world(shelf{}, known{"a/b": smallConfig}), EstimateQuestion{Ref: hub("a/b")})
	if doc != nil || !errors.Is(err, context.Canceled) {
		t.Errorf("%v, %v; want no document and the cancellation", doc, err)
	}
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEstimateSameBytes(t *testing.T) {
	d := world(shelf{}, known{"a/b": largeConfig})
	q := EstimateQuestion{Ref: hub("a/b"), Explain: true, Quant: BestQuant, Load: Workload{Concurrency: 4}}
	want := encoded(t, estimated(t, d, q))
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			doc, err := Estimate(context.Background(), d, q)
			if err != nil {
				t.Error(err)
				return
			}
			data, err := json.Marshal(doc.Estimate)
			if err != nil || string(data) != want {
				t.Errorf("another answer to the same question (%v)", err)
			}
		})
	}
	group.Wait()
}

func TestEstimateContexts(t *testing.T) {
	long := func(most string) string { return strings.Replace(smallConfig, "131072", most, 1) }
	for _, tt := range []struct {
		name   string
		config string
		asked  int64
		want   []int64
	}{
		{"the usual length and the maximum", smallConfig, 0, []int64{8192, 131072}},
		{"a short model", long("4096"), 0, []int64{4096}},
		{"a model of that length", long("8192"), 0, []int64{8192}},
		{"another length", smallConfig, 20000, []int64{8192, 20000, 131072}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := estimated(t, world(shelf{}, known{"a/b": tt.config}), EstimateQuestion{
				Ref: hub("a/b"), Cards: []string{"b200-sxm"}, Plan: serve.Plan{MaxModelLen: tt.asked},
			})
			var got []int64
			for _, a := range e.At {
				got = append(got, a.MaxModelLen)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
			keeps(t, e)
		})
	}
}

// TestEstimateAtFollowsLength: what an engine sizes by the length is sized anew at each length that is shown.
func TestEstimateAtFollowsLength(t *testing.T) {
	d := world(shelf{}, known{"a/b": smallConfig})
	ask := func(n int64) *report.Estimate {
		return estimated(t, d, EstimateQuestion{Ref: hub("a/b"), Cards: []string{"h100-sxm"}, Kind: serve.Transformers, Plan: serve.Plan{MaxModelLen: n, GPUs: 1}})
	}
	short, whole := ask(8192), ask(131072)
	last := short.At[len(short.At)-1]
	if last.MaxModelLen != 131072 || last.Verdict != whole.Verdict || last.MaxConcurrency != *whole.MaxConcurrency {
		t.Errorf("beside the plan %+v, asked for itself %s with %v", last, whole.Verdict, *whole.MaxConcurrency)
	}
}

func TestEstimateAssumptionsOfShownPlan(t *testing.T) {
	awq := strings.Replace(smallConfig, `{`, `{"quantization_config":{"quant_method":"awq","bits":4,"group_size":128,"zero_point":true,"version":"gemm"},`, 1)
	d := world(shelf{}, known{"a/b": awq})
	e := estimated(t, d, EstimateQuestion{Ref: hub("a/b"), Cards: []string{"RTX 4090", "m4-max"}})
	for _, a := range e.Assumed {
		if e.Plan.Engine == "vllm" && (a.Value == "llama.cpp" || a.What == "quantization") {
			t.Errorf("%v is of another plan than %+v", a, e.Plan)
		}
	}
	keeps(t, e)
	e = estimated(t, d, EstimateQuestion{Ref: hub("a/b"), Cards: []string{"RTX 4090"}, Kind: serve.LlamaCPP})
	if !slices.ContainsFunc(e.Assumed, func(a report.Assumption) bool { return a.What == "quantization" && a.Value == e.Plan.Quantization }) {
		t.Errorf("%v does not say why the weights are in %s", e.Assumed, e.Plan.Quantization)
	}
}

func TestEstimateBest(t *testing.T) {
	d := world(shelf{}, known{"a/b": largeConfig})
	for _, tt := range []struct {
		name  string
		card  string
		count int
		want  string
		fits  bool
		gpus  int
	}{
		{"all precision fits", "b200-sxm", 1, "bf16", true, 1},
		{"8 bits fit", "h200-sxm", 1, "fp8", true, 1},
		{"4 bits fit", "h100-sxm", 1, "w4a16", true, 1},
		{"nothing fits", "rtx-4090", 1, "w4a16", false, 1},
		{"few cards come before precision", "h100-sxm", 0, "w4a16", true, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := estimated(t, d, EstimateQuestion{Ref: hub("a/b"), Quant: BestQuant, Cards: []string{tt.card}, Plan: serve.Plan{GPUs: tt.count}})
			if e.Plan.Quantization != tt.want || e.Fits != tt.fits || e.Plan.GPUs != tt.gpus || e.Model.Quantization != tt.want {
				t.Errorf("%s, fits %t on %d; want %s, %t on %d", e.Plan.Quantization, e.Fits, e.Plan.GPUs, tt.want, tt.fits, tt.gpus)
			}
			if !slices.ContainsFunc(e.Assumed, func(a report.Assumption) bool { return a.What == "quantization" && a.Value == tt.want }) {
				t.Errorf("%v does not say that %s was chosen", e.Assumed, tt.want)
			}
			if !tt.fits && !strings.HasPrefix(e.Why, "none of bf16, fp8 and w4a16 fits") {
				t.Errorf("why: %q", e.Why)
			}
			keeps(t, e)
		})
	}
}

func TestEstimateSizes(t *testing.T) {
	shard := func(dtype string, drop ...string) *fstest.MapFile {
		return &fstest.MapFile{Data: tinySafetensors(t, dtype, drop...)}
	}
	for _, tt := range []struct {
		name   string
		files  fstest.MapFS
		agrees bool
		says   string
	}{
		{"headers agree", fstest.MapFS{"model.safetensors": shard("BF16")}, true, ""},
		{"another precision is explained", fstest.MapFS{"model.safetensors": shard("F32")}, true, "bytes)"},
		{"a lost tensor is named", fstest.MapFS{"model.safetensors": shard("BF16", "lm_head.weight")}, true, "lm_head"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.files["config.json"] = file(tinyConfig)
			e := estimated(t, world(shelf{"./m": tt.files}, known{}), EstimateQuestion{Ref: model.Ref{Scheme: model.SchemePath, Name: "./m"}})
			i := slices.IndexFunc(e.Model.Sizes, func(s report.Size) bool { return strings.Contains(s.Source, "safetensors header") })
			if i < 0 {
				t.Fatalf("sizes %+v", e.Model.Sizes)
			}
			if s := e.Model.Sizes[i]; *s.Agrees != tt.agrees || !strings.Contains(s.Explanation, tt.says) {
				t.Errorf("agrees %t: %q", *s.Agrees, s.Explanation)
			}
		})
	}
}

// tinyTensors are those of tinyConfig.
func tinyTensors(t *testing.T) map[string][]int64 {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(tinyConfig), 0)
	if err != nil {
		t.Fatal(err)
	}
	shape, err := arch.Of(v)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]int64)
	for name, tensor := range shape.Named() {
		out[name.String()] = []int64{tensor.Rows.N, tensor.Cols.N}
		if tensor.Cols.N == 1 {
			out[name.String()] = []int64{tensor.Rows.N}
		}
	}
	return out
}

// safetensors is a file with a header and nothing but zeros after it.
func safetensors(t *testing.T, tensors map[string][]int64, dtype string) []byte {
	t.Helper()
	type entry struct {
		DType   string   `json:"dtype"`
		Shape   []int64  `json:"shape"`
		Offsets [2]int64 `json:"data_offsets"`
	}
	header, at := make(map[string]entry), int64(0)
	names := make([]string, 0, len(tensors))
	for name := range tensors {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		n := map[string]int64{"BF16": 2, "F32": 4}[dtype]
		for _, d := range tensors[name] {
			n *= d
		}
		header[name], at = entry{dtype, tensors[name], [2]int64{at, at + n}}, at+n
	}
	text := encoded(t, header)
	out := make([]byte, 8, 8+len(text)+int(at))
	for i := range 8 {
		out[i] = byte(len(text) >> (8 * i))
	}
	return append(append(out, text...), make([]byte, at)...)
}

func tinySafetensors(t *testing.T, dtype string, drop ...string) []byte {
	t.Helper()
	tensors := tinyTensors(t)
	for _, name := range drop {
		if tensors[name] == nil {
			t.Fatalf("there is no %s", name)
		}
		delete(tensors, name)
	}
	return safetensors(t, tensors, dtype)
}

// TestEstimateAdapterBytes: the header says in how many bits an adapter is kept, and its size is held against the
// configuration.
func TestEstimateAdapterBytes(t *testing.T) {
	config := `{"peft_type":"LORA","r":8,"target_modules":["q_proj"],"base_model_name_or_path":"acme/tiny"}`
	lora := map[string][]int64{}
	for _, layer := range []string{"0", "1"} {
		stem := "base_model.model.model.layers." + layer + ".self_attn.q_proj."
		lora[stem+"lora_A.weight"], lora[stem+"lora_B.weight"] = []int64{8, 64}, []int64{64, 8}
	}
	const numbers = 2 * 2 * 8 * 64
	for _, tt := range []struct {
		name    string
		files   fstest.MapFS
		bytes   int64
		assumed bool
	}{
		{"32 bits", fstest.MapFS{"adapter_model.safetensors": &fstest.MapFile{Data: safetensors(t, lora, "F32")}}, 4 * numbers, false},
		{"16 bits", fstest.MapFS{"adapter_model.safetensors": &fstest.MapFile{Data: safetensors(t, lora, "BF16")}}, 2 * numbers, false},
		{"no header", fstest.MapFS{}, 4 * numbers, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.files["adapter_config.json"] = file(config)
			e := estimated(t, world(shelf{"a/lora": tt.files}, known{"acme/tiny": tinyConfig}), EstimateQuestion{Ref: hub("a/lora"), Cards: []string{"h100-sxm"}})
			i := slices.IndexFunc(e.Model.Components, func(c report.Component) bool { return c.Name == "adapter" })
			if i < 0 || e.Model.Components[i].Bytes != tt.bytes || e.Model.Components[i].Total != numbers {
				t.Errorf("components %+v, want %d bytes", e.Model.Components, tt.bytes)
			}
			if got := slices.ContainsFunc(e.Assumed, func(a report.Assumption) bool { return a.What == "adapter" }); got != tt.assumed {
				t.Errorf("assumed %v", e.Assumed)
			}
			for _, s := range e.Model.Sizes {
				if s.Agrees != nil && !*s.Agrees {
					t.Errorf("%+v does not agree", s)
				}
			}
		})
	}
}

func TestEstimateUnknownCard(t *testing.T) {
	e := estimated(t, world(shelf{}, known{"a/b": smallConfig}), EstimateQuestion{Ref: hub("a/b"), Cards: []string{"unknown"}, Plan: serve.Plan{Tensor: 2}})
	if e.Verdict != "undetermined" || e.Memory.Weights < smallParams || e.Plan.Tensor != 2 {
		t.Errorf("%s with %+v on %+v", e.Verdict, e.Memory, e.Plan)
	}
	if data := encoded(t, e.Memory); strings.Contains(data, "capacity") || strings.Contains(data, "graph") {
		t.Errorf("%s tells what is not known", data)
	}
}

func TestEstimateRefusedPlan(t *testing.T) {
	e := estimated(t, world(shelf{}, known{"a/b": smallConfig}), EstimateQuestion{Ref: hub("a/b"), Cards: []string{"h100-sxm"}, Plan: serve.Plan{Tensor: 3}})
	want := []report.Mend{{Text: "divide it into tensor parallel 1 and pipeline parallel 3", Flag: "--tp 1 --pp 3"}}
	if len(e.Refused) != 1 || !strings.Contains(e.Refused[0].Why, "32 attention heads") || e.Verdict != "does_not_fit" || e.Plan.GPUs != 3 {
		t.Errorf("%s: refused %v on %+v", e.Verdict, e.Refused, e.Plan)
	}
	if diff := cmp.Diff(want, e.Changes[:min(1, len(e.Changes))]); diff != "" {
		t.Error(diff)
	}
}

func TestEstimateTooLong(t *testing.T) {
	e := estimated(t, world(shelf{}, known{"a/b": smallConfig}), EstimateQuestion{Ref: hub("a/b"), Cards: []string{"b200-sxm"}, Plan: serve.Plan{MaxModelLen: 200_000}})
	if e.Fits || e.Verdict == "fits" || len(e.Changes) == 0 || e.Changes[0].Flag != "--max-model-len 131072" {
		t.Errorf("%s, changes %v; want the model's maximum to be proposed", e.Verdict, e.Changes)
	}
}

func TestEstimateNothingMends(t *testing.T) {
	wide := strings.NewReplacer(`"num_hidden_layers":80`, `"num_hidden_layers":4000`, `"hidden_size":8192`, `"hidden_size":32768`).Replace(largeConfig)
	e := estimated(t, world(shelf{}, known{"a/b": wide}), EstimateQuestion{Ref: hub("a/b"), Cards: []string{"rtx-4090"}})
	if e.Fits || len(e.Changes) > 0 || !strings.Contains(e.Why, "no one or two changes") {
		t.Errorf("%s because %q, %v", e.Verdict, e.Why, e.Changes)
	}
	keeps(t, e)
}

func TestEstimateAllCards(t *testing.T) {
	e := estimated(t, world(shelf{}, known{"a/b": largeConfig}), EstimateQuestion{Ref: hub("a/b"), Cards: []string{"all"}})
	if len(e.Candidates) < 40 {
		t.Errorf("%d candidates", len(e.Candidates))
	}
	keeps(t, e)
	list := append([]report.Outlook{e.Outlook}, e.Candidates...)
	if !slices.IsSortedFunc(list, func(a, b report.Outlook) int { return verdictRank(a.Verdict) - verdictRank(b.Verdict) }) {
		t.Error("what fits is not first")
	}
	for _, o := range e.Candidates {
		if o.Terms != nil {
			t.Error("the terms of every card are told though nobody asked to explain")
			break
		}
	}
}

func benchmarkEstimate(b *testing.B, cards ...string) {
	b.Helper()
	d := world(shelf{}, models.Default())
	q := EstimateQuestion{Ref: hub("deepseek-ai/DeepSeek-V3"), Cards: cards}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Estimate(b.Context(), d, q); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkEstimateOne(b *testing.B)    { benchmarkEstimate(b, "h100-sxm") }
func BenchmarkEstimateCommon(b *testing.B) { benchmarkEstimate(b) }
func BenchmarkEstimateAll(b *testing.B)    { benchmarkEstimate(b, "all") }

// TestEstimateGapKinds: what is wrong with files that are here was not unreachable.
func TestEstimateGapKinds(t *testing.T) {
	broken := strings.Replace(tinyConfig, `"hidden_size":64`, `"hidden_size":-1`, 1)
	foreign := strings.Replace(tinyConfig, "LlamaForCausalLM", "AcmeForCausalLM", 1)
	local := model.Ref{Scheme: model.SchemePath, Name: "./m"}
	for _, tt := range []struct {
		name   string
		ref    model.Ref
		source source.Opener
		want   model.GapKind
	}{
		{"bad file", local, shelf{"./m": {"config.json": file(broken)}}, model.Unread},
		{"bad file of the hub", hub("acme/m"), shelf{"acme/m": {"config.json": file(broken)}}, model.Unread},
		{"unknown architecture", hub("acme/m"), shelf{"acme/m": {"config.json": file(foreign)}}, model.Unread},
		{"a disk that fails", local, refusing{errors.New("input/output error")}, model.Unread},
		{"a hub that does not answer", hub("acme/m"), refusing{source.ErrUnreachable}, model.Unreachable},
		{"a gate", hub("acme/m"), refusing{source.ErrForbidden}, model.Restricted},
	} {
		t.Run(tt.name, func(t *testing.T) {
			doc, err := Estimate(t.Context(), world(tt.source, known{}), EstimateQuestion{Ref: tt.ref, Cards: []string{"h100-sxm"}})
			if err == nil || len(doc.Gaps) == 0 || doc.Gaps[len(doc.Gaps)-1].Kind != string(tt.want) {
				t.Errorf("%v: gaps %+v, want %s", err, doc.Gaps, tt.want)
			}
		})
	}
}

// TestEstimateSubstitute: the catalog may answer for what no cache has, and says that the revision is not the one asked.
func TestEstimateSubstitute(t *testing.T) {
	ref := hub("acme/small")
	ref.Revision = "main"
	e := estimated(t, world(refusing{source.ErrOffline}, known{"acme/small": smallConfig}), EstimateQuestion{Ref: ref, Cards: []string{"h100-sxm"}})
	const want = "offline, and no cache has it: the catalog's record of acme/small is used; its revision is not the one asked for"
	if !slices.ContainsFunc(e.Assumed, func(a report.Assumption) bool { return a.What == "model" && a.Why == want }) {
		t.Errorf("%+v, want %q", e.Assumed, want)
	}
}

// TestCounterpart: what llama.cpp is given keeps about as many bits as what is stored.
func TestCounterpart(t *testing.T) {
	quantized := func(config, method string) string {
		return strings.TrimSuffix(config, "}") + `,"quantization_config":` + method + "}"
	}
	oss := `{"architectures":["GptOssForCausalLM"],"hidden_size":2880,"num_attention_heads":64,"num_key_value_heads":8,"head_dim":64,
		"intermediate_size":2880,"num_hidden_layers":24,"vocab_size":201088,"num_local_experts":32,"num_experts_per_tok":4,"sliding_window":128,
		"attention_bias":true,"tie_word_embeddings":false,"max_position_embeddings":131072}`
	for _, tt := range []struct{ name, config, want string }{
		{"mxfp4", quantized(oss, `{"quant_method":"mxfp4"}`), "MXFP4_MOE"},
		{"fp8", quantized(smallConfig, `{"quant_method":"fp8","weight_block_size":[128,128]}`), "Q8_0"},
		{"awq", quantized(smallConfig, `{"quant_method":"awq","bits":4,"group_size":128,"zero_point":true,"version":"gemm"}`), "Q4_K_M"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := estimated(t, world(closed{t}, known{"acme/m": tt.config}), EstimateQuestion{
				Ref: hub("acme/m"), Cards: []string{"h100-sxm"}, Kind: serve.LlamaCPP, Plan: serve.Plan{GPUs: 1},
			})
			if e.Plan.Quantization != tt.want {
				t.Errorf("%s, want %s", e.Plan.Quantization, tt.want)
			}
		})
	}
}

// TestEstimateUnknownMachines: nothing is told of how much a card that is not known holds, nor of the machines.
func TestEstimateUnknownMachines(t *testing.T) {
	e := estimated(t, world(closed{t}, known{"acme/small": smallConfig}), EstimateQuestion{
		Ref: hub("acme/small"), Cards: []string{"unknown"}, Plan: serve.Plan{Tensor: 2},
	})
	if e.Verdict != undetermined || e.Memory.Weights == 0 || e.Cache.MaxContext != nil || e.Cache.Blocks != nil {
		t.Errorf("%+v on %d nodes, %+v", e.Memory, e.Plan.Nodes, e.Cache)
	}
	data, err := json.Marshal(e)
	if err != nil || strings.Contains(string(data), "capacity_bytes") || strings.Contains(string(data), "unused_bytes") {
		t.Errorf("%s, %v: want no capacity", data, err)
	}
}
