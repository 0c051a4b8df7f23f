package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/source"
)

// estimateOptions is a checked command line of llmcheck estimate.
type estimateOptions struct {
	*global
	config *config.Config
	output string
	flags  estimateFlags

	asked  []diligence.EstimateQuestion
	format render.Format
}

// estimateFlags are the flags as they were given; 0 and "" are what nobody said.
type estimateFlags struct {
	cards                                []string
	gpus, tensor, pipeline, expert, data int
	engine, version, quant, kv           string
	utilization                          float64
	length, seqs, batched, input, output int64
	concurrency                          float64
	layers, cpuExperts                   int
	microBatch                           int64
	flash                                string
	fullWindow, allOutputs, eager, mtp   bool
	explain                              bool
}

func newEstimate(g *global, run func(context.Context, *estimateOptions) error) *cobra.Command {
	o := &estimateOptions{global: g}
	if run == nil {
		run = runEstimate
	}
	cmd := &cobra.Command{
		Use:   "estimate <model>...",
		Short: "Can we run it: memory, cards, context and users, before anything is downloaded",
		Long: `estimate counts a model tensor by tensor from its configuration and tells what each card of a plan holds: weights,
activations, graphs, and the cache of keys and values to the block, as vLLM, SGLang, TensorRT-LLM, llama.cpp or
transformers lay it out. It says whether that fits, which term breaks it, and the smallest changes that mend it.

Without --gpu it looks at a handful of common cards; --gpu all ranks the whole catalog. Without --gpus it finds the
smallest number. Models of the catalog are answered without a request; org/name@main reads the repository itself.`,
		Example: `  llmcheck estimate Qwen/Qwen3-32B --offline
  llmcheck estimate Qwen/Qwen3-32B --gpu H100 --gpus 2 --max-model-len 32768 --explain --offline
  llmcheck estimate openai/gpt-oss-120b --gpu all --concurrency 32 --offline
  llmcheck estimate Qwen/Qwen3-8B --engine llama.cpp --quant Q4_K_M --gpu "RTX 4090" --offline`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.complete(cmd, args); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	fl := cmd.Flags()
	fl.SortFlags = false
	o.flags.declare(fl)
	standard := config.Default()
	fl.String("format", standard.Format, "output `format`: "+strings.Join(render.Names(), ", "))
	fl.StringVarP(&o.output, "output", "o", "", "`file` to write to instead of the standard output")
	fl.Bool("offline", false, "make no request; answer from disk, caches and the catalog")
	fl.String("catalog", "", "`folder` of records of your own, laid over ours")
	fl.String("cache", "", "`folder` for what is fetched, or none")
	fl.Int("jobs", standard.Jobs, "`models` read at once")
	fl.Duration("timeout", standard.Timeout, "`time` for one model")
	o.completions(cmd)
	return cmd
}

func (f *estimateFlags) declare(fl *pflag.FlagSet) {
	fl.StringArrayVar(&f.cards, "gpu", nil, "`cards` as people write them, like H100,L40S or 'RTX 4090'; all is the whole catalog")
	fl.IntVar(&f.gpus, "gpus", 0, "`number` of cards (default: as few as fit)")
	fl.IntVar(&f.tensor, "tp", 0, "tensor parallel `ranks`")
	fl.IntVar(&f.pipeline, "pp", 0, "pipeline parallel `stages`")
	fl.IntVar(&f.expert, "ep", 0, "`ranks` that share out the experts")
	fl.IntVar(&f.data, "dp", 0, "data parallel `replicas`")
	fl.StringVar(&f.engine, "engine", "", "`program` that serves: vllm, sglang, trt-llm, llama.cpp, transformers")
	fl.StringVar(&f.version, "engine-version", "", "`version` of it, like 0.19.0 (default: the newest that is known)")
	fl.StringVar(&f.quant, "quant", "", "number `format` of the weights, like fp8, awq, nvfp4 or Q4_K_M; best is the most precise that fits (default: as stored)")
	fl.StringVar(&f.kv, "kv-dtype", "", "number `format` of the cache, like fp8 or q8_0 (default: the engine's)")
	fl.Int64Var(&f.length, "max-model-len", 0, "`tokens` of one request, prompt and answer together")
	fl.Int64Var(&f.input, "input-tokens", 0, "`tokens` of a prompt; with --output-tokens instead of --max-model-len")
	fl.Int64Var(&f.output, "output-tokens", 0, "`tokens` of an answer")
	fl.Float64Var(&f.concurrency, "concurrency", 0, "`requests` of that length that have to find room at once")
	fl.Float64Var(&f.utilization, "gpu-memory-utilization", 0, "`share` of the card that the engine takes, like 0.9")
	fl.Int64Var(&f.seqs, "max-num-seqs", 0, "most `requests` that run at once")
	fl.Int64Var(&f.batched, "max-batched-tokens", 0, "most `tokens` of one forward pass")
	fl.BoolVar(&f.eager, "eager", false, "no CUDA graphs are captured")
	fl.BoolVar(&f.mtp, "mtp", false, "load the blocks that predict further tokens")
	fl.IntVar(&f.layers, "n-gpu-layers", -1, "llama.cpp: `layers` on the GPU, the rest in the memory of the host")
	fl.IntVar(&f.cpuExperts, "n-cpu-moe", 0, "llama.cpp: `layers` whose experts stay in the memory of the host")
	fl.Int64Var(&f.microBatch, "ubatch-size", 0, "llama.cpp: `tokens` of one forward pass")
	fl.StringVar(&f.flash, "flash-attn", "", "llama.cpp: flash attention, `on` or off")
	fl.BoolVar(&f.fullWindow, "swa-full", false, "llama.cpp: keep all tokens of layers with a sliding window")
	fl.BoolVar(&f.allOutputs, "all-logits", false, "llama.cpp: keep the logits of every token, as users of the library do")
	fl.BoolVar(&f.explain, "explain", false, "show every number with its formula, inputs and source")
}

// completions offers the words of the flags to shells.
func (o *estimateOptions) completions(cmd *cobra.Command) {
	for flag, list := range map[string][]string{
		"engine": serve.Kinds(), "quant": append([]string{diligence.BestQuant}, quant.Names()...), "format": render.Names(), "flash-attn": {"on", "off"},
		"kv-dtype": {"auto", "bf16", "fp16", "fp8", "nvfp4", "q8_0", "q5_1", "q4_0"}, "color": {"auto", "always", "never"},
	} {
		// The only error is a flag that does not exist, and the flags stand above.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
	}
}

func (o *estimateOptions) complete(cmd *cobra.Command, args []string) (err error) {
	if o.config, err = o.settings(cmd); err != nil {
		return err
	}
	if o.format, err = render.Find(o.config.Format); err != nil {
		return usage(err, "")
	}
	if err := o.flags.check(); err != nil {
		return usage(err, "llmcheck estimate --help lists the flags")
	}
	if len(args) == 0 {
		return usage(errors.New("no model is named"), "llmcheck estimate org/name, ./folder, config.json or model.gguf")
	}
	var faults []error
	for _, arg := range args {
		ref, err := o.app.resolveRef(arg)
		if err == nil && ref.Scheme == model.SchemeLicense {
			err = fmt.Errorf("reading model reference %q: a license has no size", arg)
		}
		faults = append(faults, err)
		o.asked = append(o.asked, o.flags.question(ref))
	}
	return usage(errors.Join(faults...), "llmcheck help references lists the forms of a reference")
}

// check refuses numbers that mean nothing.
func (f *estimateFlags) check() error {
	var faults []error
	for _, n := range []struct {
		flag  string
		value int64
		most  int64
	}{
		{"gpus", int64(f.gpus), maxGPUs}, {"tp", int64(f.tensor), maxGPUs}, {"pp", int64(f.pipeline), maxGPUs},
		{"ep", int64(f.expert), maxGPUs}, {"dp", int64(f.data), maxGPUs}, {"max-model-len", f.length, maxTokens},
		{"input-tokens", f.input, maxTokens}, {"output-tokens", f.output, maxTokens}, {"max-num-seqs", f.seqs, maxTokens},
		{"max-batched-tokens", f.batched, maxTokens}, {"n-cpu-moe", int64(f.cpuExperts), maxTokens}, {"ubatch-size", f.microBatch, maxTokens},
	} {
		if n.value < 0 || n.value > n.most {
			faults = append(faults, fmt.Errorf("--%s is %d, want 1 to %d", n.flag, n.value, n.most))
		}
	}
	if !(f.utilization >= 0 && f.utilization <= 1) {
		faults = append(faults, fmt.Errorf("--gpu-memory-utilization is %v, want a share like 0.9", f.utilization))
	}
	if !(f.concurrency >= 0 && f.concurrency <= maxTokens) {
		faults = append(faults, fmt.Errorf("--concurrency is %v, want a number of requests", f.concurrency))
	}
	if f.flash != "" {
		faults = append(faults, oneOf("flash-attn", f.flash, []string{"on", "off"}))
	}
	if f.engine != "" {
		faults = append(faults, oneOf("engine", f.engine, serve.Kinds()))
	}
	if f.length > 0 && f.input+f.output > f.length {
		faults = append(faults, fmt.Errorf("--input-tokens and --output-tokens are %d together, more than --max-model-len %d", f.input+f.output, f.length))
	}
	return errors.Join(faults...)
}

// The most that is believed.
const (
	maxGPUs   = 65_536
	maxTokens = 1 << 31
)

func (f *estimateFlags) question(ref model.Ref) diligence.EstimateQuestion {
	length := f.length
	if length == 0 {
		length = f.input + f.output
	}
	return diligence.EstimateQuestion{
		Ref: ref, Quant: f.quant, Cards: f.cards, Kind: serve.Kind(f.engine), Version: f.version, Concurrency: f.concurrency,
		LoadMTP: f.mtp, Explain: f.explain,
		Plan: serve.Plan{
			GPUs: f.gpus, Tensor: f.tensor, Pipeline: f.pipeline, Expert: f.expert, Data: f.data, KV: f.kv, Utilization: f.utilization,
			MaxModelLen: length, MaxSeqs: f.seqs, BatchedTokens: f.batched, Eager: f.eager,
			Llama: serve.LlamaOptions{
				MicroBatch: f.microBatch, NoFlash: f.flash == "off", AllOutputs: f.allOutputs, GPULayers: f.layers,
				CPUExperts: f.cpuExperts, FullWindow: f.fullWindow,
			},
		},
	}
}

// runEstimate asks every question and writes one answer.
func runEstimate(ctx context.Context, o *estimateOptions) error {
	return o.answer(ctx, questions{
		config: o.config, refs: o.refs(), format: o.format, output: o.output,
		ask: func(ctx context.Context, d diligence.Deps, i int) (*report.Document, Code, error) {
			doc, err := diligence.Estimate(ctx, d, o.asked[i])
			if doc == nil {
				return nil, Failed, estimateFault(err)
			}
			return doc, estimateCode(doc, err), nil
		},
	})
}

func (o *estimateOptions) refs() []model.Ref {
	refs := make([]model.Ref, len(o.asked))
	for i, q := range o.asked {
		refs[i] = q.Ref
	}
	return refs
}

// estimateFault is an error that left no document: the question itself is wrong, or we are.
func estimateFault(err error) error {
	switch {
	case errors.Is(err, quant.ErrName), errors.Is(err, serve.ErrIllegal), errors.Is(err, serve.ErrEngine):
		return usage(err, "")
	case gpus.IsUnknown(err):
		return usage(err, "llmcheck catalog gpus lists the cards that are known")
	}
	return err
}

// estimateCode is the status of one answer.
func estimateCode(doc *report.Document, err error) Code {
	switch {
	case errors.Is(err, arch.ErrUnknown), errors.Is(err, quant.ErrUnknown):
		return NotEnough
	case errors.Is(err, diligence.ErrShape), errors.Is(err, source.ErrNotFound) && errors.Is(err, fs.ErrNotExist):
		return Usage
	case err != nil:
		return Unreachable
	}
	switch doc.Estimate.Verdict {
	case string(serve.Fits):
		return OK
	case string(serve.DoesNot):
		return No
	}
	return NotEnough
}
