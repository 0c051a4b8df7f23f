package bench

import (
	"math"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// serving reads a result of vllm bench serve, of benchmark_serving.py before it, and of SGLang's copy of that.
func (f *File) serving(v strictjson.Value) error {
	backend := first(v, []string{"backend"}, []string{"endpoint_type"})
	m := Measurement{Model: said(v, "model_id"), Engine: engineOfBackend(backend)}
	f.day(dashed(said(v, "date")))
	if _, ok := v.Get("total_output_tokens"); !ok {
		f.skip(v, "the run generated no text")
		return nil
	}
	if said(v, "ramp_up_strategy") != "" {
		f.skip(v, "the load grew during the run")
		return nil
	}
	done, failed, err := requests(v)
	if err != nil || f.mostlyFailed(v, done, failed) {
		return err
	}
	if m.Rate, m.Concurrency, err = offered(v); err != nil {
		return err
	}
	if m.Input, err = mean(v, "total_input_tokens", done); err != nil {
		return err
	}
	if m.Output, err = mean(v, "total_output_tokens", done); err != nil {
		return err
	}
	if n, err := speculation(v); err != nil {
		return err
	} else if n > 1 {
		m.Note = "tokens were predicted several at a time"
		f.note(m.Note)
	}
	var g figures
	if g.ttft, err = f.milliseconds(v, "mean_ttft_ms", "median_ttft_ms"); err != nil {
		return err
	}
	if g.tpot, err = f.milliseconds(v, "mean_tpot_ms", "median_tpot_ms"); err != nil {
		return err
	}
	if g.output, err = f.figure(v, "output_throughput"); err != nil {
		return err
	}
	f.served(v, m, g)
	return nil
}

// engineOfBackend is the engine that a backend of the client means. The name of a protocol says nothing.
func engineOfBackend(backend string) string {
	switch backend {
	case "vllm", "vllm-chat":
		return "vllm"
	case "sglang", "sglang-native", "sglang-oai", "sglang-oai-chat":
		return "sglang"
	case "tensorrt-llm", "trt", "trtllm":
		return "trt-llm"
	case "llama.cpp":
		return "llama.cpp"
	}
	return ""
}

// dashed writes 20251124-101500 as 2025-11-24.
func dashed(stamp string) string {
	if len(stamp) < 8 {
		return ""
	}
	return stamp[:4] + "-" + stamp[4:6] + "-" + stamp[6:8]
}

// day keeps the day of the first run that says one.
func (f *File) day(text string) {
	if d, err := evidence.ParseDate(text); err == nil && f.Date.IsZero() {
		f.Date = d
	}
}

// requests counts those that were answered and those that failed.
func requests(v strictjson.Value) (done, failed float64, err error) {
	if done, err = amount(v, "completed"); err != nil {
		return 0, 0, err
	}
	if failed, err = amount(v, "failed"); err != nil {
		return 0, 0, err
	}
	sent, err := amount(v, "num_prompts")
	return done, max(failed, sent-done), err
}

// offered is the load: vllm writes "inf" where requests are sent at once, SGLang Infinity.
func offered(v strictjson.Value) (rate float64, concurrency int, err error) {
	if concurrency, err = number(v, "max_concurrency"); err != nil {
		return 0, 0, err
	}
	at, ok := v.Get("request_rate")
	if text := strings.Trim(at.Raw(), `"`); !ok || text == "inf" || text == "Infinity" {
		return 0, concurrency, nil
	}
	rate, err = amount(v, "request_rate")
	return rate, concurrency, err
}

// mean is a total spread over the requests.
func mean(v strictjson.Value, key string, requests float64) (int64, error) {
	total, err := amount(v, key)
	if err != nil {
		return 0, err
	}
	if total/requests > mostTokens {
		at, _ := v.Get(key)
		return 0, at.Errorf("is %g tokens of %g requests, want at most %d each", total, requests, int64(mostTokens))
	}
	return int64(math.Round(total / requests)), nil
}

func speculation(v strictjson.Value) (float64, error) {
	n, err := amount(v, "spec_decode_acceptance_length")
	if err != nil || n > 0 {
		return n, err
	}
	return amount(v, "accept_length")
}

// milliseconds is the first figure of the keys, in seconds.
func (f *File) milliseconds(v strictjson.Value, keys ...string) (float64, error) {
	for _, k := range keys {
		if _, ok := v.Get(k); ok {
			x, err := f.figure(v, k)
			return x / 1000, err
		}
	}
	return 0, nil
}

// throughput reads a result of vllm bench throughput, which counts the tokens of prompts and answers together.
func (f *File) throughput(v strictjson.Value) error {
	rate, err := f.figure(v, "requests_per_second")
	if err != nil {
		return err
	}
	n, err := amount(v, "num_requests")
	if err != nil || f.mostlyFailed(v, n, 0) {
		return err
	}
	m := Measurement{Engine: "vllm"}
	if m.Input, err = mean(v, "total_num_tokens", n); err != nil || rate == 0 {
		return err
	}
	m.Metric, m.Value = MaxOutput, rate
	f.drafts = append(f.drafts, draft{Measurement: m, where: "requests_per_second", raw: rate, kind: requestRate})
	return nil
}

// latency reads a result of vllm bench latency: the seconds of one batch, whose size and lengths it does not tell.
func (f *File) latency(v strictjson.Value) error {
	seconds, err := f.figure(v, "avg_latency")
	if err != nil || seconds == 0 {
		return err
	}
	m := Measurement{Engine: "vllm", Metric: Output, Value: seconds, Note: "one batch from its start to its end"}
	f.drafts = append(f.drafts, draft{Measurement: m, where: "avg_latency", raw: seconds, kind: batchSeconds})
	return nil
}
