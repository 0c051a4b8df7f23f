package bench

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// Limits of a file of results.
const (
	mostBytes = 64 << 20
	mostRuns  = 10_000
)

// The programs whose results are read.
const (
	FormatServing    = "vllm bench serve" // also benchmark_serving.py and its copy in SGLang
	FormatThroughput = "vllm bench throughput"
	FormatLatency    = "vllm bench latency"
	FormatGuideLLM   = "guidellm"
	FormatLlamaBench = "llama-bench"
	FormatGenAIPerf  = "genai-perf" // also aiperf
)

// File is what a benchmark program wrote. Most programs do not know the card, the engine or the number format, so a
// person completes it.
type File struct {
	Format  string
	Date    evidence.Date // of the first run, if the file says it
	Notes   []string      // what a person should know of what was read
	Skipped []string      // runs and figures that teach nothing, each with the reason

	drafts []draft
	above  int // lines above the value that is read
}

// draft is a measurement as far as the file says it.
type draft struct {
	Measurement
	where string  // in the file
	raw   float64 // of a figure that needs lengths to become a metric; see finish
	kind  raw
}

// raw is what a figure is that is no metric by itself.
type raw int

const (
	none         raw = iota
	batchSeconds     // from sending a batch to the end of its last answer
	requestRate      // requests a second under unlimited load, of which Input is the mean of prompt and answer together
)

// ErrFormat means that a file is of no program that is known.
var ErrFormat = errors.New("not the results of a benchmark program that is known")

// Read reads what a benchmark program wrote as JSON, several runs one a line included.
func Read(r io.Reader) (*File, error) {
	all, err := documents(r)
	if err != nil {
		return nil, fmt.Errorf("reading benchmark results: %w", err)
	}
	f := new(File)
	for _, d := range all {
		f.above = d.above
		if err := d.located(f.read(d.value)); err != nil {
			return nil, fmt.Errorf("reading benchmark results: %w", err)
		}
	}
	if len(f.drafts) == 0 {
		return nil, fmt.Errorf("reading benchmark results: there is nothing to learn from: %s",
			strings.Join(append(f.Skipped, "no run holds a figure"), "; "))
	}
	return f, nil
}

// document is a value of a file and the number of lines above it.
type document struct {
	value strictjson.Value
	above int
}

// located says in an error where in the file the value is.
func (d document) located(err error) error {
	if err == nil || d.above == 0 {
		return err
	}
	return fmt.Errorf("run in line %d: %w", d.above+1, err)
}

// documents splits a file whose first line is a whole value into lines.
func documents(r io.Reader) ([]document, error) {
	var b strings.Builder
	if n, err := io.Copy(&b, io.LimitReader(r, mostBytes+1)); err != nil {
		return nil, err
	} else if n > mostBytes {
		return nil, fmt.Errorf("longer than %d bytes: %w", mostBytes, strictjson.ErrTooLarge)
	}
	text := strings.TrimSpace(b.String())
	first, rest, _ := strings.Cut(text, "\n")
	if !strings.HasPrefix(first, "{") || !strings.HasSuffix(strings.TrimSpace(first), "}") || rest == "" {
		v, err := parse(text)
		return []document{{v, 0}}, err
	}
	var all []document
	above := -1
	for line := range strings.Lines(text) {
		above++
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(all) == mostRuns {
			return nil, fmt.Errorf("more than %d runs: %w", mostRuns, strictjson.ErrTooLarge)
		}
		d := document{above: above}
		var err error
		if d.value, err = parse(line); err != nil {
			return nil, d.located(err)
		}
		all = append(all, d)
	}
	return all, nil
}

// parse reads one value. What lies under the keys named holds names, in which letter case matters.
func parse(text string) (strictjson.Value, error) {
	return strictjson.Parse(strings.NewReader(text), mostBytes, "endpoints", "gpus", "extra_inputs", "headers", "extras")
}

// read reads one value: a run, a list of runs, or a report of several.
func (f *File) read(v strictjson.Value) error {
	if v.Kind() != strictjson.Array {
		return f.run(v)
	}
	for e := range v.Elements() {
		if err := f.run(e); err != nil {
			return err
		}
	}
	return nil
}

// run tells the program by the keys that it alone writes together.
func (f *File) run(v strictjson.Value) error {
	has := func(keys ...string) bool {
		return !slices.ContainsFunc(keys, func(k string) bool { _, ok := v.Get(k); return !ok })
	}
	switch {
	case has("benchmarks"):
		return f.with(FormatGuideLLM, v, f.guideLLM)
	case has("avg_ts", "n_prompt"):
		return f.with(FormatLlamaBench, v, f.llamaBench)
	case has("input_config"):
		return f.with(FormatGenAIPerf, v, f.genAIPerf)
	case has("completed", "duration"):
		return f.with(FormatServing, v, f.serving)
	case has("avg_latency", "latencies"):
		return f.with(FormatLatency, v, f.latency)
	case has("elapsed_time", "requests_per_second"):
		return f.with(FormatThroughput, v, f.throughput)
	}
	return fmt.Errorf("%w: want JSON of vllm bench serve, throughput or latency, of guidellm, of llama-bench, of genai-perf "+
		"or of aiperf", ErrFormat)
}

func (f *File) with(format string, v strictjson.Value, read func(strictjson.Value) error) error {
	if f.Format != "" && f.Format != format {
		return fmt.Errorf("the file holds results of %s and of %s: read them one by one", f.Format, format)
	}
	f.Format = format
	if len(f.drafts)+len(f.Skipped) > mostRuns {
		return fmt.Errorf("more than %d figures: %w", mostRuns, strictjson.ErrTooLarge)
	}
	return read(v)
}

// skip notes what is left out.
func (f *File) skip(v strictjson.Value, format string, args ...any) {
	f.Skipped = append(f.Skipped, f.where(v)+": "+fmt.Sprintf(format, args...))
}

// note notes something once.
func (f *File) note(text string) {
	if !slices.Contains(f.Notes, text) {
		f.Notes = append(f.Notes, text)
	}
}

// add keeps a figure, if it is more than 0.
func (f *File) add(v strictjson.Value, m Measurement, metric Metric, value float64) {
	if value > 0 {
		m.Metric, m.Value = metric, value
		f.drafts = append(f.drafts, draft{Measurement: m, where: f.where(v)})
	}
}

func (f *File) where(v strictjson.Value) string { return fmt.Sprintf("line %d", f.above+v.Line()) }

// figures are what one run of a server yields; 0 is not measured.
type figures struct{ ttft, tpot, output float64 }

// served keeps the figures of a run. Of requests that were sent all at once, times are those of the queue and say
// nothing; their rate is the most that the server does.
func (f *File) served(v strictjson.Value, m Measurement, g figures) {
	if m.Concurrency == 0 && m.Rate == 0 {
		f.add(v, m, MaxOutput, g.output)
		if g.ttft > 0 || g.tpot > 0 {
			f.skip(v, "ttft and tpot: all requests were sent at once, so these are times of the queue")
		}
		return
	}
	f.add(v, m, TTFT, g.ttft)
	f.add(v, m, TPOT, g.tpot)
	f.add(v, m, Output, g.output)
}

// mostlyFailed reports, and notes, a run of which more than a tenth failed; fewer are noted only.
func (f *File) mostlyFailed(v strictjson.Value, done, failed float64) bool {
	switch {
	case done <= 0:
		f.skip(v, "no request was answered")
		return true
	case failed*10 > done+failed:
		f.skip(v, "%.0f of %.0f requests failed", failed, done+failed)
		return true
	case failed > 0:
		f.note(fmt.Sprintf("%.0f of %.0f requests failed", failed, done+failed))
	}
	return false
}
