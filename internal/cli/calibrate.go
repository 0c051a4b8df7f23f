package cli

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
)

// calibrateOptions is a checked command line of llmcheck calibrate.
type calibrateOptions struct {
	*global
	config *config.Config
	file   string
	name   string
	format string
	output string
	dry    bool

	model, gpu, engine, version, quant, kv                     string
	gpus, tensor, pipeline, expert, data, concurrency, in, out int64
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
jsonl), genai-perf and AIPerf; - is the standard input. What a file does not say, mostly card, engine and number format, is
given by flags. llmcheck help calibration says how to measure, and what the answer means.`,
		Example: `  llmcheck calibrate result.json --model Qwen/Qwen3-32B --gpu H100 --gpus 2 --tp 2 --engine vllm --catalog ./company --offline
  llmcheck estimate Qwen/Qwen3-32B --gpu H100 --gpus 2 --concurrency 16 --catalog ./company --offline
  llmcheck calibrate - --model Qwen/Qwen3-8B --gpu "RTX 4090" --quant Q4_K_M --dry-run --offline < llama-bench.json`,
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
	var s sections
	fl := s.add("What was measured")
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
	fl = s.add("Record")
	fl.StringVar(&o.name, "name", "", "`name` of the record (default: that of the file)")
	fl.BoolVar(&o.dry, "dry-run", false, "hold the measurements against estimate and keep nothing")
	s.attach(cmd, o.app.Width)
	fl = cmd.Flags()
	fl.StringVar(&o.format, "format", "text", "output `format`: text, json")
	fl.StringVarP(&o.output, "output", "o", "", "`file` to write to instead of the standard output")
	fl.Bool("offline", false, "make no request; answer from disk, caches and the catalog")
	catalogFlag(cmd)
	fl.String("cache", "", "`folder` for what is fetched, or none")
	fl.Duration("timeout", config.Default().Timeout, "`time` for reading the model")
	for flag, list := range map[string][]string{"engine": engineNames(), "kv-dtype": cacheFormats(), "quant": quant.Names(), "format": {"text", "json"}} {
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp)) // the flags stand above
	}
	_ = cmd.RegisterFlagCompletionFunc("gpu", o.completeGPU)
	_ = cmd.RegisterFlagCompletionFunc("model", o.completeModels)
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
		if err == nil && engine.Name != string(engine.Kind) {
			err = fmt.Errorf("--engine %s is counted as %s, so what it did would be taken for what %[2]s does; say --engine %[2]s if that is meant", engine.Name, engine.Kind)
		}
		if err == nil {
			o.engine = string(engine.Kind)
		}
		faults = append(faults, err)
	}
	if o.kv != "" && !serve.KnownCache(strings.ToLower(o.kv)) {
		faults = append(faults, fmt.Errorf("unknown --kv-dtype %q, want one of %s", o.kv, strings.Join(cacheFormats(), ", ")))
	}
	if o.quant != "" {
		if _, err := quant.As(new(arch.Shape), o.quant); errors.Is(err, quant.ErrName) {
			faults = append(faults, fmt.Errorf("reading --quant: %w", err))
		}
	}
	if o.dry && o.name != "" {
		faults = append(faults, errors.New("--name is of the record, and --dry-run keeps none; leave one out"))
	}
	return usage(errors.Join(faults...), "llmcheck calibrate --help lists the flags")
}

func (o *calibrateOptions) run(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, o.config.Timeout)
	defer cancel()
	if !o.dry {
		if err := loose(o.config.Catalog); err != nil {
			return err
		}
	}
	file, digest, err := o.measured()
	if err != nil {
		return err
	}
	deps, err := o.deps(o.catalog(), nil, nil)
	if err != nil {
		return err
	}
	all, err := o.complete(ctx, deps, file)
	if err != nil {
		return err
	}
	found, doubts, err := diligence.Calibrate(ctx, deps, all)
	if err != nil {
		return &statusError{Code: statusOfSource(err, NotEnough), Err: err, Hint: "the setting has to be one that llmcheck estimate answers"}
	}
	l := &lesson{file: file, found: found, doubts: doubts}
	if l.of, err = o.setting(deps, &all[0]); err != nil {
		return err
	}
	if !o.dry {
		if l.kept, err = o.keep(digest, file, taught(found)); err != nil {
			return err
		}
	}
	text, err := l.write(o.format, o.config.Catalog)
	if err != nil {
		return err
	}
	return o.app.write(o.output, text)
}

// measured reads the results, and the digest of their bytes.
func (o *calibrateOptions) measured() (*bench.File, string, error) {
	in := o.app.In
	if o.file != "-" {
		f, err := os.Open(o.file)
		if err != nil {
			return nil, "", usage(fmt.Errorf("reading benchmark results: %w", err), "name the JSON that the benchmark wrote, or - for the standard input")
		}
		defer f.Close()
		in = f
	}
	sum := sha256.New()
	file, err := bench.Read(io.TeeReader(in, sum))
	if err != nil {
		return nil, "", usage(fmt.Errorf("%s: %w", o.file, err), "llmcheck calibrate --help lists the programs whose results are read")
	}
	return file, hex.EncodeToString(sum.Sum(nil)), nil
}

// catalog are the settings with a folder of records only if there are any yet: the first record makes the folder.
func (o *calibrateOptions) catalog() *config.Config {
	c := *o.config
	if entries, err := os.ReadDir(c.Catalog); errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		c.Catalog = ""
	}
	return &c
}

// setting is what was measured on, in a line.
func (o *calibrateOptions) setting(d diligence.Deps, m *bench.Measurement) (string, error) {
	card, err := d.Cards.Resolve(m.GPU)
	if err != nil {
		return "", err
	}
	return m.What(card.GPU.Name), nil
}

// taught are the measurements that something was learned from. The others would be told as gaps of every later answer.
func taught(found []diligence.Calibrated) []bench.Measurement {
	var all []bench.Measurement
	for i := range found {
		if found[i].Narrowed != nil {
			all = append(all, found[i].Measurement)
		}
	}
	return all
}

// complete lays what was given over what the file says, in the names that the catalogs use.
func (o *calibrateOptions) complete(ctx context.Context, d diligence.Deps, f *bench.File) ([]bench.Measurement, error) {
	said := f.Said()
	given := bench.Measurement{
		Model: cmp.Or(o.model, said.Model), GPU: cmp.Or(o.gpu, said.GPU), Engine: cmp.Or(o.engine, said.Engine), Version: cmp.Or(o.version, said.Version),
		Precision: cmp.Or(o.quant, said.Precision), KV: o.kv, GPUs: int(o.gpus), Tensor: int(o.tensor), Pipeline: int(o.pipeline), Expert: int(o.expert),
		Data: int(o.data), Concurrency: int(o.concurrency), Input: o.in, Output: o.out,
	}
	if n := max(1, o.tensor) * max(1, o.pipeline) * max(1, o.data); given.GPUs == 0 && o.tensor+o.pipeline+o.data > 0 {
		given.GPUs = int(n)
	}
	const hint = "--model and --gpu say what the file calls by another name"
	if given.GPU != "" {
		match, err := d.Cards.Resolve(given.GPU)
		if err != nil {
			return nil, usage(fmt.Errorf("reading %s: %w", o.file, err), hint)
		}
		given.GPU = match.GPU.ID
	}
	if given.Model != "" {
		if err := o.named(ctx, d, &given); err != nil {
			return nil, &statusError{Code: statusOfSource(err, Usage), Err: fmt.Errorf("reading %s: %w", o.file, err), Hint: hint}
		}
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

// statusOfSource is the status of an error of a place that models are read from, else another.
func statusOfSource(err error, other Code) Code {
	switch {
	case errors.Is(err, source.ErrOffline): // nobody was asked
		return NotEnough
	case elsewhere(err):
		return Unreachable
	}
	return other
}

// flagsOf are the flags that say what is missing.
func flagsOf(fields []string) string {
	if slices.Contains(fields, "model") { // the model says in which format it is published
		fields = slices.DeleteFunc(slices.Clone(fields), func(f string) bool { return f == "precision" })
	}
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
