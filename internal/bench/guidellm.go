package bench

import (
	"time"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// guideLLM reads a report of GuideLLM: until 0.3 the strategy of a benchmark is under args, in 0.4 under scheduler,
// since 0.5 under config.
func (f *File) guideLLM(v strictjson.Value) error {
	all, _, err := v.Array("benchmarks")
	if err != nil {
		return err
	}
	if len(all) > mostRuns {
		return v.Errorf("holds %d benchmarks, want at most %d", len(all), mostRuns)
	}
	whole := first(v, []string{"args", "model"}, []string{"args", "backend_kwargs", "model"},
		[]string{"args", "backend", "model"})
	for _, b := range all {
		model := first(b, []string{"worker", "backend_model"}, []string{"config", "backend", "model"},
			[]string{"benchmarker", "backend", "model"})
		if model == "" {
			model = whole
		}
		if err := f.guideLLMRun(b, Measurement{Model: model}); err != nil {
			return err
		}
	}
	return nil
}

func (f *File) guideLLMRun(b strictjson.Value, m Measurement) error {
	f.dayOf(b)
	known, err := strategy(b, &m)
	if err != nil {
		return err
	}
	if !known {
		f.skip(b, "the strategy of the load is not one that is known")
		return nil
	}
	done, failed, err := totals(b)
	if err != nil || f.mostlyFailed(b, done, failed) {
		return err
	}
	metrics, _ := b.Get("metrics")
	if m.Input, err = length(metrics, "prompt_token_count", "successful", "mean"); err != nil {
		return err
	}
	if m.Output, err = length(metrics, "output_token_count", "successful", "mean"); err != nil {
		return err
	}
	var g figures
	for _, x := range []struct {
		to    *float64
		key   string
		scale float64
	}{
		{&g.ttft, "time_to_first_token_ms", 1e-3},
		{&g.tpot, "inter_token_latency_ms", 1e-3}, // without the first token, as we define it
		{&g.output, "output_tokens_per_second", 1},
	} {
		value, err := f.figure(metrics, x.key, "successful", "mean")
		if err != nil {
			return err
		}
		*x.to = value * x.scale
	}
	f.served(b, m, g)
	return nil
}

// dayOf keeps the day on which a benchmark began, UTC.
func (f *File) dayOf(b strictjson.Value) {
	for _, path := range [][]string{{"start_time"}, {"scheduler_metrics", "start_time"}, {"run_stats", "start_time"}} {
		if x, err := amount(b, path...); err == nil && x > 1e9 && x < 1e11 && f.Date.IsZero() {
			f.Date = evidence.DateOf(time.Unix(int64(x), 0).UTC())
		}
	}
}

// strategy is how requests were sent.
func strategy(b strictjson.Value, m *Measurement) (known bool, err error) {
	var s strictjson.Value
	for _, place := range []string{"args", "scheduler", "config"} {
		if at, ok := b.Get(place, "strategy"); ok {
			s = at
			break
		}
	}
	switch first(s, []string{"type_"}, []string{"kind"}, []string{"type"}) {
	case "synchronous":
		m.Concurrency = 1
	case "concurrent":
		if m.Concurrency, err = number(s, "streams"); err == nil && m.Concurrency == 0 {
			m.Concurrency, err = number(s, "max_concurrency")
		}
		return m.Concurrency > 0, err
	case "throughput":
		m.Concurrency, err = number(s, "max_concurrency")
	case "constant", "poisson":
		m.Rate, err = amount(s, "rate")
		return m.Rate > 0, err
	default:
		return false, nil
	}
	return true, err
}

// totals counts the requests; those that the end of the run cut off did not fail.
func totals(b strictjson.Value) (done, failed float64, err error) {
	for _, place := range [][]string{
		{"metrics", "request_totals"}, {"run_stats", "requests_made"}, {"scheduler_metrics", "requests_made"},
	} {
		at, ok := b.Get(place...)
		if !ok {
			continue
		}
		if done, err = amount(at, "successful"); err != nil {
			return 0, 0, err
		}
		failed, err = amount(at, "errored")
		return done, failed, err
	}
	done, err = amount(b, "metrics", "request_latency", "successful", "count")
	return done, 0, err
}
