package bench

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// genAIPerf reads profile_export_genai_perf.json and profile_export_aiperf.json, which has the same keys.
func (f *File) genAIPerf(v strictjson.Value) error {
	f.day(firstTen(said(v, "start_time")))
	if at, ok := v.Get("was_cancelled"); ok && at.Raw() == "true" {
		f.skip(v, "the run was cancelled")
		return nil
	}
	config, _ := v.Get("input_config")
	m := Measurement{Model: f.oneModel(config), GPU: telemetry(v)}
	var err error
	if m.Concurrency, m.Rate, err = stimulus(config); err != nil {
		return err
	}
	if known, err := f.answered(v); err != nil || !known {
		return err
	}
	if m.Input, err = length(v, "input_sequence_length", "avg"); err != nil {
		return err
	}
	if m.Output, err = length(v, "output_sequence_length", "avg"); err != nil {
		return err
	}
	var g figures
	if g.ttft, err = f.inUnit(v, "time_to_first_token"); err != nil {
		return err
	}
	if g.tpot, err = f.inUnit(v, "inter_token_latency"); err != nil {
		return err
	}
	if g.output, err = f.inUnit(v, "output_token_throughput"); err != nil {
		return err
	}
	f.served(v, m, g)
	return nil
}

// answered reports whether enough requests were; where the file does not count them, they are believed.
func (f *File) answered(v strictjson.Value) (bool, error) {
	if _, ok := v.Get("request_count"); !ok {
		return true, nil
	}
	done, err := amount(v, "request_count", "avg")
	if err != nil {
		return false, err
	}
	failed, err := amount(v, "error_request_count", "avg")
	return err == nil && !f.mostlyFailed(v, done, failed), err
}

// oneModel is the model asked, if it is one.
func (f *File) oneModel(config strictjson.Value) string {
	for _, p := range [][]string{
		{"endpoint", "model_names"}, {"model_names"}, {"model"}, {"models"}, {"models", "items"},
	} {
		at, ok := config.Get(p...)
		if !ok {
			continue
		}
		if s := said(at); s != "" {
			return s
		}
		if at.Kind() == strictjson.Array && at.Len() > 1 {
			f.note("several models were asked in turn")
			return ""
		}
		for e := range at.Elements() {
			if s := first(e, nil, []string{"name"}); s != "" {
				return s
			}
		}
	}
	return ""
}

// stimulus is the load: in genai-perf at the top or under perf_analyzer, in aiperf under loadgen or the phase that is
// measured.
func stimulus(config strictjson.Value) (concurrency int, rate float64, err error) {
	places := []strictjson.Value{config}
	for _, p := range [][]string{{"perf_analyzer", "stimulus"}, {"loadgen"}, {"phases", "profiling"}} {
		if at, ok := config.Get(p...); ok {
			places = append(places, at)
		}
	}
	phases, _ := config.Get("phases")
	for e := range phases.Elements() {
		if said(e, "name") == "profiling" || phases.Len() == 1 {
			places = append(places, e)
		}
	}
	for _, at := range places {
		if concurrency, err = number(at, "concurrency"); err != nil {
			return 0, 0, err
		}
		if rate, err = amount(at, "request_rate"); err != nil {
			return 0, 0, err
		}
		if concurrency > 0 || rate > 0 {
			return concurrency, rate, nil
		}
	}
	return 0, 0, nil
}

// telemetry is the name of the cards that were watched, if all have one name. How many of them served is not known.
func telemetry(v strictjson.Value) string {
	var names []string
	endpoints, _ := v.Get("telemetry_data", "endpoints")
	for _, e := range endpoints.Members() {
		gpus, _ := e.Get("gpus")
		for _, gpu := range gpus.Members() {
			if name := said(gpu, "gpu_name"); !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	if len(names) != 1 {
		return ""
	}
	return names[0]
}

// inUnit is the mean of a figure in seconds or tokens a second.
func (f *File) inUnit(v strictjson.Value, key string) (float64, error) {
	if _, ok := v.Get(key); !ok {
		return 0, nil
	}
	x, err := f.figure(v, key, "avg")
	if err != nil {
		return 0, err
	}
	unit := strings.ToLower(said(v, key, "unit"))
	for names, scale := range map[string]float64{
		"ns nanoseconds": 1e-9, "us microseconds": 1e-6, "ms milliseconds": 1e-3, "s sec seconds": 1,
		"tokens/sec tokens/s tokens/second per_sec": 1,
	} {
		if slices.Contains(strings.Fields(names), unit) {
			return x * scale, nil
		}
	}
	at, _ := v.Get(key)
	return 0, at.Errorf("%s", fmt.Sprintf("is in %.20q, want ms or tokens/sec", unit))
}
