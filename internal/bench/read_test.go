package bench

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// The samples hold values that nobody measured.
func sample(t testing.TB, name string) *File {
	t.Helper()
	text, err := os.Open(filepath.Join("testdata", "invented", name))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	f, err := Read(text)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func given() Measurement {
	return Measurement{Model: "org/model", Precision: "fp8", Engine: "vllm", Version: "0.19.0", GPU: "l40s", GPUs: 2, Division: "TP2"}
}

// figureOf is what a sample says beside what was given.
type figureOf struct {
	Metric        Metric
	Value         float64
	Concurrency   int
	Rate          float64
	Input, Output int64
}

func TestRead(t *testing.T) {
	day := evidence.Date{Year: 2026, Month: 11, Day: 20}
	for _, tt := range []struct {
		file, format string
		given        func(*Measurement)
		date         evidence.Date
		want         []figureOf
		notes, skips []string // what one of them begins with or holds
	}{
		{"vllm-serve.json", FormatServing, nil, day, []figureOf{
			{TTFT, 0.25, 16, 0, 1024, 256}, {TPOT, 0.03, 16, 0, 1024, 256}, {Output, 512, 16, 0, 1024, 256},
		}, nil, nil},
		{"vllm-serve-appended.json", FormatServing, nil, day, []figureOf{
			{TTFT, 0.3, 0, 2.5, 1000, 100},
			{TPOT, 0.02, 0, 2.5, 1000, 100},
			{Output, 245, 0, 2.5, 1000, 100},
			{MaxOutput, 1000, 0, 0, 1000, 100},
		}, []string{"2 of 100 requests failed"}, []string{"line 2: ttft and tpot: all", "line 3: 80 of 100 requests failed"}},
		{"sglang-serving.jsonl", FormatServing, nil, evidence.Date{}, []figureOf{
			{TTFT, 0.18, 8, 0, 1024, 128}, {TPOT, 0.027, 8, 0, 1024, 128}, {Output, 273, 8, 0, 1024, 128},
		}, []string{"tokens were predicted several at a time"}, nil},
		{"vllm-throughput.json", FormatThroughput, func(m *Measurement) { m.Output = 128 }, evidence.Date{}, []figureOf{
			{MaxOutput, 2560, 0, 0, 1024, 128},
		}, nil, nil},
		{"vllm-latency.json", FormatLatency, func(m *Measurement) { m.Input, m.Output, m.Concurrency = 32, 128, 8 }, evidence.Date{}, []figureOf{
			{Output, 512, 8, 0, 32, 128},
		}, nil, nil},
		{"vllm-latency.json", FormatLatency, func(m *Measurement) { m.Input, m.Output, m.Concurrency = 32, 128, 1 }, evidence.Date{}, []figureOf{
			{WithPrompt, 80, 1, 0, 32, 128},
		}, nil, nil},
		{"guidellm-0.3.json", FormatGuideLLM, nil, evidence.Date{Year: 2025, Month: 11, Day: 20}, []figureOf{
			{TTFT, 0.09, 1, 0, 512, 128},
			{TPOT, 0.015, 1, 0, 512, 128},
			{Output, 63, 1, 0, 512, 128},
			{MaxOutput, 1900, 0, 0, 512, 128},
			{TTFT, 0.15, 0, 4.5, 512, 128},
			{TPOT, 0.022, 0, 4.5, 512, 128},
			{Output, 570, 0, 4.5, 512, 128},
		}, []string{"2 of 902 requests failed"}, []string{"ttft and tpot: all requests were sent at once"}},
		{"guidellm-0.5.json", FormatGuideLLM, nil, evidence.Date{Year: 2025, Month: 11, Day: 20}, []figureOf{
			{TTFT, 0.2, 8, 0, 1000, 200}, {TPOT, 0.018, 8, 0, 1000, 200}, {Output, 420, 8, 0, 1000, 200},
		}, nil, nil},
		{"llama-bench.json", FormatLlamaBench, nil, day, []figureOf{
			{Prefill, 10000, 1, 0, 512, 0}, {Decode, 128, 1, 0, 4096, 128},
		}, nil, nil},
		{"llama-bench.jsonl", FormatLlamaBench, nil, day, []figureOf{
			{Decode, 20, 1, 0, 0, 128}, {WithPrompt, 90, 1, 0, 512, 128},
		}, nil, []string{"line 3: n_gpu_layers is 0"}},
		{"genai-perf.json", FormatGenAIPerf, nil, evidence.Date{}, []figureOf{
			{TTFT, 0.12, 8, 0, 550, 200}, {TPOT, 0.024, 8, 0, 550, 200}, {Output, 300, 8, 0, 550, 200},
		}, nil, nil},
		{"aiperf.json", FormatGenAIPerf, nil, day, []figureOf{
			{TTFT, 0.4, 32, 0, 1024, 256}, {TPOT, 0.033, 32, 0, 1024, 256}, {Output, 900, 32, 0, 1024, 256},
		}, []string{"4 of 320 requests failed"}, nil},
	} {
		t.Run(tt.file, func(t *testing.T) {
			f := sample(t, tt.file)
			g := given()
			if tt.given != nil {
				tt.given(&g)
			}
			all, err := f.Complete(g)
			if err != nil {
				t.Fatal(err)
			}
			var got []figureOf
			for _, m := range all {
				got = append(got, figureOf{m.Metric, m.Value, m.Concurrency, m.Rate, m.Input, m.Output})
				if !m.Own || m.GPU != "l40s" || m.GPUs != 2 || m.Tensor != 2 || m.Engine != "vllm" || m.Check() != nil {
					t.Errorf("%+v: %v", m, m.Check())
				}
			}
			if diff := cmp.Diff(tt.want, got, cmpopts.EquateApprox(1e-12, 0)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if f.Format != tt.format || f.Date != tt.date || len(f.drafts) != len(tt.want) {
				t.Errorf("%s of %s with %d", f.Format, f.Date, len(f.drafts))
			}
			each(t, "note", tt.notes, f.Notes)
			each(t, "skipped", tt.skips, f.Skipped)
		})
	}
}

func each(t *testing.T, what string, want, got []string) {
	t.Helper()
	if len(want) != len(got) {
		t.Errorf("%s: %q, want %q", what, got, want)
		return
	}
	for i := range want {
		if !strings.Contains(got[i], want[i]) {
			t.Errorf("%s: %q, want %q", what, got[i], want[i])
		}
	}
}

func TestSaid(t *testing.T) {
	for file, want := range map[string]Measurement{
		"vllm-serve.json":          {Model: "served-name"},
		"vllm-serve-appended.json": {Model: "org/model", Engine: "vllm"},
		"sglang-serving.jsonl":     {Engine: "sglang"},
		"guidellm-0.5.json":        {Model: "org/model"},
		"genai-perf.json":          {Model: "org/model"},
		"aiperf.json":              {Model: "org/model", GPU: "NVIDIA H100 80GB HBM3"},
		"llama-bench.json": {
			Model: "invented-8B-Q4_K_M.gguf", Precision: "q4_k_m", KV: "f16", Engine: "llama.cpp", Version: "b7001",
			GPU: "NVIDIA GeForce RTX 4090", GPUs: 1,
		},
		"llama-bench.jsonl": {
			Model: "m.gguf", Precision: "q8_0", KV: "q8_0", Engine: "llama.cpp", Version: "b3000",
			GPU: "NVIDIA A100-SXM4-80GB", GPUs: 2, Division: "row split",
		},
	} {
		if diff := cmp.Diff(want, sample(t, file).Said()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", file, diff)
		}
	}
}

func TestMissing(t *testing.T) {
	for file, want := range map[string][]string{
		"vllm-serve.json":      {"precision", "engine", "gpu", "gpus"},
		"llama-bench.json":     nil,
		"vllm-throughput.json": {"model", "precision", "gpu", "gpus", "output"},
		"vllm-latency.json":    {"model", "precision", "gpu", "gpus", "concurrency", "input", "output"},
		"aiperf.json":          {"precision", "engine", "gpus"},
	} {
		_, err := sample(t, file).Complete(Measurement{})
		var got []string
		if missing, ok := errors.AsType[*MissingError](err); ok {
			got = missing.Fields
		}
		if diff := cmp.Diff(want, got); diff != "" || (err == nil) != (want == nil) {
			t.Errorf("%s: %v (-want +got):\n%s", file, err, diff)
		}
	}
}

func TestCompleteRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		file   string
		change func(*Measurement)
		want   string
	}{
		"another load":    {"vllm-serve.json", func(m *Measurement) { m.Concurrency = 8 }, "concurrency is 16 in the file, and 8 were given"},
		"another length":  {"vllm-serve.json", func(m *Measurement) { m.Input = 8 }, "input is 1024 tokens in the file"},
		"longer than all": {"vllm-throughput.json", func(m *Measurement) { m.Output = 5000 }, "1152 tokens in the file"},
		"unlike lengths":  {"vllm-throughput.json", func(m *Measurement) { m.Output, m.Input = 128, 10 }, "10 and 128 were given"},
		"control":         {"vllm-serve.json", func(m *Measurement) { m.GPU = "\x1b[2J" }, "gpu is"},
		"many GPUs":       {"vllm-serve.json", func(m *Measurement) { m.GPUs = 1 << 40 }, "gpus is"},
	} {
		g := given()
		tt.change(&g)
		all, err := sample(t, tt.file).Complete(g)
		if all != nil || err == nil || !strings.Contains(err.Error(), strings.Replace(tt.want, "were given", "was given", 1)) && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	f, err := Read(strings.NewReader(`[{"avg_ts":1,"n_prompt":1,"model_filename":"a.gguf"},{"avg_ts":1,"n_prompt":1,"model_filename":"b.gguf"}]`))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Complete(given()); err == nil || !strings.Contains(err.Error(), "several values of model") {
		t.Error(err)
	}
}

func TestReadRefuses(t *testing.T) {
	const run = `{"backend":"vllm","model_id":"m","request_rate":"inf","max_concurrency":4,"num_prompts":10,"duration":1,"completed":10,` +
		`"total_input_tokens":100,"total_output_tokens":100,"output_throughput":100,"mean_ttft_ms":10,"mean_tpot_ms":5}`
	with := func(from, to string) string { return strings.Replace(run, from, to, 1) }
	for name, tt := range map[string]struct{ text, want string }{
		"empty":            {"", "line 1"},
		"no JSON":          {"Throughput: 5", "line 1"},
		"another program":  {`{"tokens": 5}`, "known"},
		"an empty list":    {`[]`, "nothing to learn from"},
		"negative":         {with(`"mean_tpot_ms":5`, `"mean_tpot_ms":-5`), "mean_tpot_ms"},
		"not a number":     {with(`"mean_ttft_ms":10`, `"mean_ttft_ms":NaN`), "mean_ttft_ms"},
		"endless":          {with(`"output_throughput":100`, `"output_throughput":Infinity`), "output_throughput"},
		"text":             {with(`"output_throughput":100`, `"output_throughput":"100"`), "output_throughput"},
		"huge":             {with(`"output_throughput":100`, `"output_throughput":1e300`), "output_throughput"},
		"many tokens":      {with(`"total_input_tokens":100`, `"total_input_tokens":1e30`), "total_input_tokens"},
		"half a request":   {with(`"max_concurrency":4`, `"max_concurrency":4.5`), "max_concurrency"},
		"twice":            {with(`"duration":1`, `"duration":1,"duration":2`), "duration"},
		"nobody answered":  {with(`"completed":10`, `"completed":0`), "no request was answered"},
		"all failed":       {with(`"completed":10`, `"completed":5`), "5 of 10 requests failed"},
		"growing load":     {with(`"duration":1`, `"duration":1,"ramp_up_strategy":"linear"`), "the load grew"},
		"embeddings":       {with(`"total_output_tokens":100,`, ``), "generated no text"},
		"two programs":     {run + "\n" + `{"avg_ts": 1, "n_prompt": 1}`, "one by one"},
		"broken line":      {run + "\n" + run[:40], "run in line 2"},
		"depth":            {strings.Repeat("[", 100), "nested deeper"},
		"benchmarks":       {`{"benchmarks": 5}`, "benchmarks"},
		"unknown strategy": {`{"benchmarks": [{"args": {"strategy": {"type_": "trace"}}}]}`, "strategy"},
		"no benchmark":     {`{"benchmarks": []}`, "nothing to learn"},
		"unknown unit":     {`{"input_config": {"concurrency": 1}, "time_to_first_token": {"avg": 1, "unit": "fortnights"}}`, "fortnights"},
		"cancelled":        {`{"input_config": {}, "was_cancelled": true}`, "cancelled"},
	} {
		f, err := Read(strings.NewReader(tt.text))
		if f != nil || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
	f, err := Read(strings.NewReader(with(`"mean_tpot_ms":5`, `"mean_tpot_ms":0`)))
	if err != nil || len(f.drafts) != 2 || len(f.Skipped) != 1 || !strings.Contains(f.Skipped[0], "mean_tpot_ms is 0") {
		t.Errorf("a zero: %+v, %v", f, err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	return len(p), nil
}

func TestReadIsBounded(t *testing.T) {
	if _, err := Read(endless{}); !errors.Is(err, strictjson.ErrTooLarge) {
		t.Error(err)
	}
	if _, err := Read(strings.NewReader(strings.Repeat("{}\n", mostRuns+2))); !errors.Is(err, strictjson.ErrTooLarge) {
		t.Error(err)
	}
}

func TestPartOnCPUIsNoted(t *testing.T) {
	for layers, want := range map[string]int{"-1": 0, "20": 1, "99": 0, "999": 0} {
		f, err := Read(strings.NewReader(`{"avg_ts": 5, "n_prompt": 0, "n_gen": 8, "n_gpu_layers": ` + layers + `}`))
		if err != nil || len(f.Notes) != want {
			t.Errorf("%s: %+v, %v", layers, f, err)
		}
	}
}

func TestPrecisionOf(t *testing.T) {
	for kind, want := range map[string]string{
		"llama 8B Q4_K - Medium": "q4_k_m", "llama 8B Q5_K - Small": "q5_k_s", "llama 8B Q3_K - Large": "q3_k_l",
		"llama 8B Q6_K": "q6_k", "llama 8B Q2_K - Medium": "q2_k", "qwen3 8B Q8_0": "q8_0", "gpt-oss 20B MXFP4 MoE": "mxfp4",
		"llama 8B F16": "f16", "llama 8B BF16": "bf16", "llama 8B all F32": "f32", "llama 7B mostly Q4_0": "q4_0",
		"llama 70B IQ2_XXS - 2.0625 bpw": "iq2_xxs", "llama 8B IQ3_S mix - 3.66 bpw": "iq3_m", "llama 8B IQ4_NL - 4.5 bpw": "iq4_nl",
		"bitnet 3B TQ1_0 - 1.69 bpw ternary": "tq1_0", "": "", "qwen3 8B": "", "Q": "", "llama ?B unknown": "",
	} {
		if got := precisionOf(kind); got != want {
			t.Errorf("%s: %q, want %q", kind, got, want)
		}
	}
}

// Law: whatever is read can be completed into measurements that a record may hold, or is refused.
func readLaw(t *testing.T, text string) {
	f, err := Read(strings.NewReader(text))
	if err != nil {
		return
	}
	if len(f.drafts) == 0 || f.Format == "" {
		t.Fatal("nothing was read, without an error")
	}
	said := f.Said()
	g := given()
	g.Input, g.Output, g.Concurrency = said.Input, said.Output, said.Concurrency
	all, err := f.Complete(g)
	if err != nil {
		return
	}
	for _, m := range all {
		if m.Check() != nil || math.IsNaN(m.Value) || m.Value <= 0 {
			t.Fatalf("%+v", m)
		}
	}
}

func seed(f *testing.F, prefixes ...string) {
	f.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", "invented", "*"))
	if err != nil || len(names) < 10 {
		f.Fatal(len(names), err)
	}
	for _, name := range names {
		for _, p := range prefixes {
			if !strings.HasPrefix(filepath.Base(name), p) {
				continue
			}
			text, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
}

func FuzzServing(f *testing.F) {
	seed(f, "vllm", "sglang")
	f.Fuzz(readLaw)
}

func FuzzGuideLLM(f *testing.F) {
	seed(f, "guidellm")
	f.Fuzz(readLaw)
}

func FuzzLlamaBench(f *testing.F) {
	seed(f, "llama")
	f.Fuzz(readLaw)
}

func FuzzGenAIPerf(f *testing.F) {
	seed(f, "genai", "aiperf")
	f.Fuzz(readLaw)
}
