package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/bench"
	measured "github.com/llmcheck/llmcheck/internal/bench/catalog"
	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// calibrateOptions is a checked command line of llmcheck calibrate.
type calibrateOptions struct {
	*global
	config *config.Config
	file   string
	name   string
	format string
	dry    bool

	model, gpu, engine, version, quant, kv                     string
	gpus, tensor, pipeline, expert, data, concurrency, in, out int64
	rate                                                       float64
}

func newCalibrate(g *global) *cobra.Command {
	o := &calibrateOptions{global: g}
	cmd := &cobra.Command{
		Use:   "calibrate <file>",
		Short: "Learn from benchmarks of your own, so that speed is told more narrowly",
		Long: `calibrate reads what a benchmark of a rented hour wrote and holds it against what estimate says of the very same
setting. The measurements are kept as a record in the folder of --catalog, and from then on narrow what estimate says of
that card, engine and model; each answer tells that they did.

It reads the JSON of vllm bench serve, throughput and latency (and benchmark_serving.py), GuideLLM, llama-bench (-o json or
jsonl), genai-perf and AIPerf. What a file does not say, mostly card, engine and number format, is given by flags.`,
		Example: `  llmcheck calibrate result.json --model Qwen/Qwen3-32B --gpu H100 --gpus 2 --tp 2 --engine vllm --catalog ./company
  llmcheck estimate Qwen/Qwen3-32B --gpu H100 --gpus 2 --catalog ./company --offline
  llama-bench -m model.gguf -o json | llmcheck calibrate - --model Qwen/Qwen3-8B --gpu "RTX 4090" --quant Q4_K_M --dry-run`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			if err := o.check(cmd); err != nil {
				return err
			}
			return o.run(cmd.Context())
		},
	}
	o.declare(cmd)
	return cmd
}

func (o *calibrateOptions) declare(cmd *cobra.Command) {
	fl := cmd.Flags()
	fl.SortFlags = false
	whole := func(to *int64, name string, most int64, usage string) { fl.Var(&number{to, 1, most}, name, usage) }
	fl.StringVar(&o.model, "model", "", "`model` that was served, like org/name")
	fl.StringVar(&o.gpu, "gpu", "", "`card` that it ran on")
	whole(&o.gpus, "gpus", maxGPUs, "`number` of cards (default: as the division needs)")
	whole(&o.tensor, "tp", maxGPUs, "tensor parallel `ranks`")
	whole(&o.pipeline, "pp", maxGPUs, "pipeline parallel `stages`")
	whole(&o.expert, "ep", maxGPUs, "`ranks` that share out the experts")
	whole(&o.data, "dp", maxGPUs, "data parallel `replicas`")
	fl.StringVar(&o.engine, "engine", "", "`program` that served: "+strings.Join(serve.Kinds(), ", "))
	fl.StringVar(&o.version, "engine-version", "", "`version` of it")
	fl.StringVar(&o.quant, "quant", "", "number `format` of the weights (default: as the model is published)")
	fl.StringVar(&o.kv, "kv-dtype", "", "number `format` of the cache (default: the engine's)")
	whole(&o.in, "input-tokens", maxTokens, "`tokens` of a prompt, where the file does not say")
	whole(&o.out, "output-tokens", maxTokens, "`tokens` of an answer, where the file does not say")
	whole(&o.concurrency, "concurrency", maxTokens, "`requests` at once, where the file does not say")
	fl.Var(&share{&o.rate, maxRate, "requests a second above 0"}, "request-rate", "`requests` a second, where the file does not say")
	fl.StringVar(&o.name, "name", "", "`name` of the record (default: that of the file)")
	fl.BoolVar(&o.dry, "dry-run", false, "hold the measurements against estimate and keep nothing")
	fl.StringVar(&o.format, "format", "text", "output `format`: text, json")
	fl.Bool("offline", false, "make no request; answer from disk, caches and the catalog")
	fl.String("cache", "", "`folder` for what is fetched, or none")
	catalogFlag(cmd)
	_ = cmd.RegisterFlagCompletionFunc("gpu", o.completeGPUs) // the flag stands above
	_ = cmd.RegisterFlagCompletionFunc("engine", cobra.FixedCompletions(engineNames(), cobra.ShellCompDirectiveNoFileComp))
}

func (o *calibrateOptions) check(cmd *cobra.Command) (err error) {
	if o.config, err = o.settings(cmd); err != nil {
		return err
	}
	faults := []error{oneOf("format", o.format, []string{"text", "json"})}
	if o.config.Catalog == "" && !o.dry {
		faults = append(faults, errors.New("no folder is named that the measurements are kept in; give --catalog, or --dry-run to keep nothing"))
	}
	if o.engine != "" {
		engine, err := serve.FindEngine(o.engine, o.version)
		if err == nil {
			o.engine = string(engine.Kind)
		}
		faults = append(faults, err)
	}
	return usage(errors.Join(faults...), "llmcheck calibrate --help lists the flags")
}

func (o *calibrateOptions) run(ctx context.Context) error {
	data, err := o.app.read(o.file)
	if err != nil {
		return usage(fmt.Errorf("reading benchmark results: %w", err), "")
	}
	file, err := bench.Read(bytes.NewReader(data))
	if err != nil {
		return usage(fmt.Errorf("%s: %w", o.file, err), "llmcheck calibrate --help lists the programs whose results are read")
	}
	deps, err := o.deps(o.config, nil, nil)
	if err != nil {
		return err
	}
	all, err := o.complete(ctx, deps, file)
	if err != nil {
		return err
	}
	found, doubts, err := diligence.Calibrate(ctx, deps, all)
	if err != nil {
		return &statusError{Code: NotEnough, Err: err, Hint: "the setting has to be one that llmcheck estimate answers"}
	}
	kept, err := o.keep(data, file, all)
	if err != nil {
		return err
	}
	return o.show(file, found, doubts, kept)
}

// complete lays what was given over what the file says, in the names that the catalogs use.
func (o *calibrateOptions) complete(ctx context.Context, d diligence.Deps, f *bench.File) ([]bench.Measurement, error) {
	said := f.Said()
	given := bench.Measurement{
		Model: first(o.model, said.Model), GPU: first(o.gpu, said.GPU), Engine: first(o.engine, said.Engine), Version: first(o.version, said.Version),
		Precision: first(o.quant, said.Precision), KV: o.kv, GPUs: int(o.gpus), Tensor: int(o.tensor), Pipeline: int(o.pipeline), Expert: int(o.expert),
		Data: int(o.data), Concurrency: int(o.concurrency), Rate: o.rate, Input: o.in, Output: o.out,
	}
	if n := max(1, o.tensor) * max(1, o.pipeline) * max(1, o.data); given.GPUs == 0 && o.tensor+o.pipeline+o.data > 0 {
		given.GPUs = int(n)
	}
	var faults []error
	if given.GPU != "" {
		match, err := d.Cards.Resolve(given.GPU)
		if err == nil {
			given.GPU = match.GPU.ID
		}
		faults = append(faults, err)
	}
	if given.Model != "" {
		faults = append(faults, o.named(ctx, d, &given))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, usage(fmt.Errorf("reading %s: %w", o.file, err), "--model and --gpu say what the file calls by another name")
	}
	all, err := f.Complete(given)
	if missing, ok := errors.AsType[*bench.MissingError](err); ok {
		return nil, usage(err, "give "+flagsOf(missing.Fields))
	}
	return all, usage(err, "")
}

// named gives the model the name of its repository, and its weights the format they are published in.
func (o *calibrateOptions) named(ctx context.Context, d diligence.Deps, m *bench.Measurement) error {
	ref, err := o.app.resolveRef(m.Model)
	if err != nil {
		return err
	}
	if ref.Scheme != model.SchemeHub {
		return fmt.Errorf("the model is %q, and only one that is named like org/name can be found again; give --model", printable.Line(m.Model))
	}
	m.Model = ref.Name
	if m.Precision == "" {
		m.Precision, err = diligence.StoredFormat(ctx, d, ref)
	}
	m.Precision = strings.ToLower(m.Precision)
	return err
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// flagsOf are the flags that say what is missing.
func flagsOf(fields []string) string {
	names := map[string]string{
		"precision": "--quant", "kv": "--kv-dtype", "version": "--engine-version", "division": "--tp", "input": "--input-tokens",
		"output": "--output-tokens", "input tokens": "--input-tokens", "output tokens": "--output-tokens",
	}
	out := make([]string, len(fields))
	for i, f := range fields {
		if out[i] = names[f]; out[i] == "" {
			out[i] = "--" + strings.ReplaceAll(f, " ", "-")
		}
	}
	return strings.Join(out, " ")
}

// keep writes the record into the folder of --catalog, and returns where.
func (o *calibrateOptions) keep(data []byte, f *bench.File, all []bench.Measurement) (string, error) {
	if o.dry {
		return "", nil
	}
	sum := sha256.Sum256(data)
	name := o.recordName(hex.EncodeToString(sum[:4]))
	day := f.Date
	if day.IsZero() {
		day = evidence.DateOf(o.app.Now())
	}
	text, err := measured.Encode(name, measured.NewRecord(filepath.Base(o.file), "sha256:"+hex.EncodeToString(sum[:]), day, all))
	if err != nil {
		return "", err
	}
	return o.place(name, text)
}

// recordName is the name of the file in letters that every system takes.
func (o *calibrateOptions) recordName(digest string) string {
	name := strings.TrimSuffix(filepath.Base(o.file), filepath.Ext(o.file))
	if o.name != "" {
		name = o.name
	}
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	if s := strings.Trim(b.String(), "-"); s != "" {
		return s[:min(len(s), 80)]
	}
	return "run-" + digest
}

func (o *calibrateOptions) place(name string, text []byte) (string, error) {
	dir := o.config.Catalog
	if err := loose(dir); err != nil {
		return "", err
	}
	folder := filepath.Join(dir, measurementFolder)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return "", usage(fmt.Errorf("making the folder of measurements: %w", err), "")
	}
	to := filepath.Join(folder, name+".yaml")
	if old, err := os.ReadFile(to); err == nil && !bytes.Equal(old, text) {
		return "", usage(fmt.Errorf("%s is there already, with other measurements", to), "give another --name, or remove it")
	}
	return to, o.app.write(to, text)
}

// loose refuses a folder whose licenses lie in it without a folder of their own: beside measurements they would be found
// in none.
func loose(dir string) error {
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	found, err := recordFolders(os.DirFS(dir))
	if err != nil {
		return usage(fmt.Errorf("opening the catalog of --catalog: %w", err), "")
	}
	yaml, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(found) != 1 || found[0].path != "." || len(yaml) == 0 {
		return err
	}
	return usage(fmt.Errorf("%s holds records beside which no folder of measurements can lie", dir), "move them into "+filepath.Join(dir, licenseFolder))
}

// show writes what was learned.
func (o *calibrateOptions) show(f *bench.File, found []diligence.Calibrated, doubts []string, kept string) error {
	if o.format == "json" {
		return o.showJSON(f, found, doubts, kept)
	}
	var b bytes.Buffer
	inside, counted := 0, 0
	w := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "measured\tat\tvalue\testimate before\tand now\t")
	for i := range found {
		c := &found[i]
		m := &c.Measurement
		if c.Computed == nil {
			fmt.Fprintf(w, "%s\t%s\t%s\tnot computed: %s\t\t\n", m.Metric, loadText(m), figure(m.Value, m.Metric), printable.Line(c.Why))
			continue
		}
		counted++
		if c.Inside {
			inside++
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t\n", m.Metric, loadText(m), figure(m.Value, m.Metric), span(c.Computed, m.Metric), span(c.Narrowed, m.Metric))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n%d of %d measurements lay within the range of estimate, which is meant to hold eight of ten.\n", inside, counted)
	for _, d := range doubts {
		fmt.Fprintf(&b, "doubt: %s\n", printable.Line(d))
	}
	for _, list := range [][]string{f.Notes, f.Skipped} {
		for _, s := range list {
			fmt.Fprintf(&b, "note: %s\n", printable.Line(s))
		}
	}
	if kept != "" {
		fmt.Fprintf(&b, "Kept in %s; estimate counts it wherever --catalog %s is given.\n", kept, o.config.Catalog)
	} else {
		fmt.Fprintln(&b, "Nothing was kept.")
	}
	_, err := o.app.Out.Write(b.Bytes())
	return err
}

func loadText(m *bench.Measurement) string {
	var parts []string
	switch {
	case m.Rate > 0:
		parts = append(parts, fmt.Sprintf("%g requests/s", m.Rate))
	case m.Concurrency > 0:
		parts = append(parts, fmt.Sprintf("%d at once", m.Concurrency))
	default:
		parts = append(parts, "unlimited load")
	}
	if m.Input > 0 || m.Output > 0 {
		parts = append(parts, fmt.Sprintf("%d/%d tokens", m.Input, m.Output))
	}
	return strings.Join(parts, ", ")
}

// figure is a value in the unit that people use for it.
func figure(v float64, m bench.Metric) string {
	if m.Seconds() {
		return digits(v*1000) + " ms"
	}
	return digits(v) + " tokens/s"
}

func span(r *report.Range, m bench.Metric) string {
	if m.Seconds() {
		return digits(r.Low*1000) + "-" + digits(r.High*1000) + " ms"
	}
	return digits(r.Low) + "-" + digits(r.High) + " tokens/s"
}

// digits are three of them, or all before the point.
func digits(v float64) string {
	if v >= 100 {
		return fmt.Sprintf("%.0f", v)
	}
	if v <= 0 || math.IsNaN(v) {
		return fmt.Sprint(v)
	}
	return fmt.Sprintf("%.*f", max(0, 2-int(math.Floor(math.Log10(v)))), v)
}

type calibratedJSON struct {
	Metric      string        `json:"metric"`
	Unit        string        `json:"unit"`
	Concurrency int           `json:"concurrency,omitempty"`
	RequestRate float64       `json:"request_rate,omitempty"`
	Input       int64         `json:"input_tokens,omitempty"`
	Output      int64         `json:"output_tokens,omitempty"`
	Value       float64       `json:"value"`
	Computed    *report.Range `json:"computed,omitempty"`
	Narrowed    *report.Range `json:"narrowed,omitempty"`
	Inside      *bool         `json:"inside,omitempty"`
	Why         string        `json:"why,omitempty"`
}

func (o *calibrateOptions) showJSON(f *bench.File, found []diligence.Calibrated, doubts []string, kept string) error {
	out := struct {
		Format       string           `json:"format"`
		Model        string           `json:"model"`
		GPU          string           `json:"gpu"`
		Engine       string           `json:"engine"`
		Measurements []calibratedJSON `json:"measurements"`
		Doubts       []string         `json:"doubts,omitempty"`
		Notes        []string         `json:"notes,omitempty"`
		Skipped      []string         `json:"skipped,omitempty"`
		Kept         string           `json:"kept,omitempty"`
	}{Format: f.Format, Doubts: doubts, Notes: f.Notes, Skipped: f.Skipped, Kept: kept}
	for i := range found {
		c := &found[i]
		m := &c.Measurement
		out.Model, out.GPU, out.Engine = m.Model, m.GPU, m.Engine
		one := calibratedJSON{
			Metric: string(m.Metric), Unit: m.Metric.Unit(), Concurrency: m.Concurrency, RequestRate: m.Rate, Input: m.Input, Output: m.Output,
			Value: m.Value, Computed: c.Computed, Narrowed: c.Narrowed, Why: c.Why,
		}
		if c.Computed != nil {
			one.Inside = &c.Inside
		}
		out.Measurements = append(out.Measurements, one)
	}
	enc := json.NewEncoder(o.app.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(out)
}
