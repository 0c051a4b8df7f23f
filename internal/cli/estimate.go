package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/fleet"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/manifest"
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
	script bool // what --emit asks for is written, and nothing else
}

// estimateFlags are the flags as they were given; 0 and "" are what nobody said.
type estimateFlags struct {
	cards                                []string
	gpus, tensor, pipeline, expert, data int64
	engine, version, quant, kv           string
	utilization                          float64
	length, seqs, batched                int64
	load                                 loadFlags
	money                                moneyFlags
	emit                                 string
	layers, cpuExperts, microBatch       int64
	host                                 string
	hostBytes                            int64
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
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: g.completeModels,
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
	answerFlags(cmd, &o.output)
	o.completions(cmd)
	return cmd
}

func (f *estimateFlags) declare(fl *pflag.FlagSet) {
	whole := func(to *int64, name string, least, most int64, usage string) {
		fl.Var(&number{to, least, most}, name, usage)
	}
	f.layers = allLayers
	fl.StringArrayVar(&f.cards, "gpu", nil, "`cards` as people write them, like H100,L40S or 'RTX 4090'; all is the whole catalog")
	whole(&f.gpus, "gpus", 1, maxGPUs, "`number` of cards (default: as few as fit)")
	whole(&f.tensor, "tp", 1, maxGPUs, "tensor parallel `ranks`")
	whole(&f.pipeline, "pp", 1, maxGPUs, "pipeline parallel `stages`")
	whole(&f.expert, "ep", 1, maxGPUs, "`ranks` that share out the experts")
	whole(&f.data, "dp", 1, maxGPUs, "data parallel `replicas`")
	fl.StringVar(&f.engine, "engine", "", "`program` that serves: "+strings.Join(serve.Kinds(), ", ")+", or another like ollama, tgi or exllamav2")
	fl.StringVar(&f.version, "engine-version", "", "`version` of it, like 0.19.0 (default: the newest that is known)")
	fl.StringVar(&f.quant, "quant", "", "number `format` of the weights, like fp8, awq, nvfp4 or Q4_K_M; best is the most precise that fits (default: as stored)")
	fl.StringVar(&f.kv, "kv-dtype", "", "number `format` of the cache, like fp8 or q8_0 (default: the engine's)")
	whole(&f.length, "max-model-len", 1, maxTokens, "`tokens` of one request, prompt and answer together, like 32768 or 32K")
	f.load.declare(fl)
	f.money.declare(fl)
	fl.Var(&share{&f.utilization, 1, "a share above 0 and up to 1, like 0.9"}, "gpu-memory-utilization", "`share` of the card that the engine takes, like 0.9")
	whole(&f.seqs, "max-num-seqs", 1, maxTokens, "most `requests` that run at once")
	whole(&f.batched, "max-batched-tokens", 1, maxTokens, "most `tokens` of one forward pass")
	fl.BoolVar(&f.eager, "eager", false, "no CUDA graphs are captured")
	fl.BoolVar(&f.mtp, "mtp", false, "load the blocks that predict further tokens")
	whole(&f.layers, "n-gpu-layers", allLayers, maxLayers, "llama.cpp: `layers` on the GPU, the rest in the memory of the host (default: all)")
	whole(&f.cpuExperts, "n-cpu-moe", 0, maxLayers, "llama.cpp: `layers` whose experts stay in the memory of the host")
	fl.StringVar(&f.host, "host-memory", "", "llama.cpp: `memory` that the host has free for what lies there, like 64GB")
	whole(&f.microBatch, "ubatch-size", 1, maxTokens, "llama.cpp: `tokens` of one forward pass")
	fl.StringVar(&f.flash, "flash-attn", "", "llama.cpp: flash attention, `on` or off")
	fl.BoolVar(&f.fullWindow, "swa-full", false, "llama.cpp: keep all tokens of layers with a sliding window")
	fl.BoolVar(&f.allOutputs, "all-logits", false, "llama.cpp: keep the logits of every token, as users of the library do")
	fl.StringVar(&f.emit, "emit", "", "write the plan as something to run instead of an answer: `format` "+strings.Join(manifest.Formats(), ", "))
	fl.BoolVar(&f.explain, "explain", false, "show every number with its formula, inputs and source")
}

// The most that is believed, and the number of layers that stands for all of them.
const (
	maxGPUs   = 65_536
	maxTokens = 1 << 31
	maxLayers = 1 << 20
	allLayers = -1
)

// cacheFormats are the formats of the cache that people use; engines know more names, see serve.KnownCache.
func cacheFormats() []string {
	return []string{"auto", "bf16", "fp16", "fp8", "nvfp4", "q8_0", "q5_1", "q4_0"}
}

// completions offers the words of the flags to shells.
func (o *estimateOptions) completions(cmd *cobra.Command) {
	for flag, list := range map[string][]string{
		"engine": engineNames(), "quant": append([]string{diligence.BestQuant}, quant.Names()...), "format": render.Names(), "flash-attn": {"on", "off"},
		"kv-dtype": cacheFormats(), "color": {"auto", "always", "never"},
		"emit": manifest.Formats(), "price-terms": priceTerms(), "seller": sellers(), "concurrency": {"max"},
	} {
		// The only error is a flag that does not exist, and the flags stand above.
		_ = cmd.RegisterFlagCompletionFunc(flag, cobra.FixedCompletions(list, cobra.ShellCompDirectiveNoFileComp))
	}
	_ = cmd.RegisterFlagCompletionFunc("gpu", o.completeGPUs)       // the same
	_ = cmd.RegisterFlagCompletionFunc("country", o.completePlaces) // the same
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
	o.script = o.flags.emit != "" && !cmd.Flags().Changed("format")
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

// check refuses words that nobody knows and flags that contradict each other, before anything is read.
func (f *estimateFlags) check() error {
	faults := []error{f.checkCards(), f.checkEngine()}
	free, err := gigabytes("host-memory", f.host)
	faults, f.hostBytes = append(faults, err), int64(free*1e9)
	if f.flash != "" {
		faults = append(faults, oneOf("flash-attn", f.flash, []string{"on", "off"}))
	}
	if f.kv != "" && !serve.KnownCache(strings.ToLower(f.kv)) {
		faults = append(faults, fmt.Errorf("unknown --kv-dtype %q, want one of %s", f.kv, strings.Join(cacheFormats(), ", ")))
	}
	if f.quant != "" && f.quant != diligence.BestQuant {
		// The sizes of a shape without tensors say nothing, but the name is known or not.
		if _, err := quant.As(new(arch.Shape), f.quant); errors.Is(err, quant.ErrName) {
			faults = append(faults, fmt.Errorf("reading --quant: %w", err))
		}
	}
	if n := f.named(); n > maxCards {
		faults = append(faults, fmt.Errorf("--gpu names %d cards, want at most %d", n, maxCards))
	}
	faults = append(faults, f.load.check(), f.money.check())
	if f.emit != "" {
		faults = append(faults, oneOf("emit", f.emit, manifest.Formats()))
	}
	if n := f.load.input + f.load.output; f.length > 0 && n > f.length {
		faults = append(faults, fmt.Errorf("--input-tokens and --output-tokens are %d together, more than --max-model-len %d", n, f.length))
	}
	if f.load.output > 0 && f.load.input == 0 && f.length == 0 {
		faults = append(faults, errors.New("--output-tokens alone says nothing of the prompt; give --input-tokens too, or --max-model-len"))
	}
	return errors.Join(faults...)
}

// checkCards takes "all" in any case, and refuses it beside a card.
func (f *estimateFlags) checkCards() error {
	for i, c := range f.cards {
		all := strings.EqualFold(strings.TrimSpace(c), "all")
		switch {
		case strings.Trim(c, " ,\t") == "":
			return errors.New("--gpu is empty; leave it out for a handful of common cards, or say all")
		case all && len(f.cards) > 1, !all && slices.ContainsFunc(strings.Split(c, ","), isAll):
			return fmt.Errorf("--gpu %s names all cards and others beside them; say all alone", c)
		case all:
			f.cards[i] = "all"
		}
		if n, card, ok := counted(c); ok {
			return fmt.Errorf("--gpu %q names a number of cards; say --gpus %s --gpu %q", c, n, card)
		}
	}
	return nil
}

// counted parts "8x H100" and "8 × H100" into number and card. No card has a name that begins so.
func counted(s string) (n, card string, ok bool) {
	rest := strings.TrimLeft(strings.TrimSpace(s), "0123456789")
	n = strings.TrimSuffix(strings.TrimSpace(s), rest)
	for _, sign := range []string{"x", "X", "×", "*"} {
		if card, ok = strings.CutPrefix(strings.TrimSpace(rest), sign); ok && n != "" {
			return n, strings.TrimSpace(card), true
		}
	}
	return "", "", false
}

func isAll(s string) bool { return strings.EqualFold(strings.TrimSpace(s), "all") }

// checkEngine gives the engine the name that we have for it. A flag that the engine does not have would be passed over,
// and the answer would be one for another command line.
func (f *estimateFlags) checkEngine() error {
	if f.engine == "" {
		return nil
	}
	engine, err := serve.FindEngine(f.engine, f.version)
	if err != nil {
		return fmt.Errorf("reading --engine and --engine-version: %w", err)
	}
	f.engine = engine.Name
	switch flag := f.llamaFlag(); {
	case flag != "" && engine.Kind != serve.LlamaCPP:
		return fmt.Errorf("--%s is a flag of llama.cpp, and --engine is %s", flag, f.engine)
	case engine.Kind == serve.LlamaCPP && f.utilization > 0:
		return errors.New("--gpu-memory-utilization: llama.cpp takes what it needs and no share of the card; leave it out")
	case engine.Kind == serve.LlamaCPP && f.eager:
		return errors.New("--eager: llama.cpp captures no graphs that could be left out")
	}
	return nil
}

// llamaFlag is the first flag that only llama.cpp has, "" if none was given.
func (f *estimateFlags) llamaFlag() string {
	switch {
	case f.layers != allLayers:
		return "n-gpu-layers"
	case f.cpuExperts > 0:
		return "n-cpu-moe"
	case f.host != "":
		return "host-memory"
	case f.microBatch > 0:
		return "ubatch-size"
	case f.flash != "":
		return "flash-attn"
	case f.fullWindow:
		return "swa-full"
	case f.allOutputs:
		return "all-logits"
	}
	return ""
}

// maxCards is how many cards may be named; the catalog has 200.
const maxCards = 1000

// named is how many cards the flags name, at most.
func (f *estimateFlags) named() int {
	n := 0
	for _, list := range f.cards {
		n += 1 + strings.Count(list, ",")
	}
	return n
}

func (f *estimateFlags) question(ref model.Ref) diligence.EstimateQuestion {
	length := f.length
	if length == 0 {
		length = f.load.input + f.load.output
	}
	q := diligence.EstimateQuestion{
		Ref: ref, Quant: f.quant, Cards: f.cards, Kind: serve.Kind(f.engine), Version: f.version,
		Load: f.load.workload(), Search: f.load.search(), Money: f.money.money(), Emit: f.emit,
		HostMemory: f.hostBytes, LoadMTP: f.mtp, Explain: f.explain,
		Plan: serve.Plan{
			GPUs: int(f.gpus), Tensor: int(f.tensor), Pipeline: int(f.pipeline), Expert: int(f.expert), Data: int(f.data),
			KV: strings.ToLower(f.kv), Utilization: f.utilization, MaxModelLen: length, MaxSeqs: f.seqs, BatchedTokens: f.batched, Eager: f.eager,
			Llama: serve.LlamaOptions{
				MicroBatch: f.microBatch, Flash: f.flash == "on", NoFlash: f.flash == "off", AllOutputs: f.allOutputs, GPULayers: int(f.layers),
				HostOnly: f.layers == 0, CPUExperts: int(f.cpuExperts), FullWindow: f.fullWindow,
			},
		},
	}
	if flag := f.llamaFlag(); flag != "" && f.engine == "" {
		q.Kind = serve.LlamaCPP
		q.Plan.Assumed = []serve.Setting{{Name: "engine", Value: string(serve.LlamaCPP), Why: "--" + flag + " is a flag of it"}}
	}
	return q
}

// runEstimate asks every question and writes one answer.
func runEstimate(ctx context.Context, o *estimateOptions) error {
	failed := make([]error, len(o.asked))
	write := o.format.Render
	if o.script {
		write = writeManifests
	}
	err := o.answer(ctx, questions{
		config: o.config, refs: o.refs(), render: write, output: o.output,
		ask: func(ctx context.Context, d diligence.Deps, i int) (*report.Document, Code, error) {
			doc, err := diligence.Estimate(ctx, d, o.asked[i])
			if doc == nil {
				return nil, Failed, estimateFault(err)
			}
			failed[i] = err
			return doc, estimateCode(doc, err), nil
		},
	})
	if s, ok := errors.AsType[*statusError](err); ok && s.Hint == "" {
		s.Hint = o.hint(failed)
	}
	return err
}

// writeManifests writes the plans of --emit one after the other, so that they can be piped to what runs them.
func writeManifests(w io.Writer, docs []*report.Document, _ render.Page) error {
	for i, doc := range docs {
		if doc.Estimate == nil || doc.Estimate.Manifest == "" {
			return &statusError{Code: No, Err: fmt.Errorf("writing the plan for %s: there is none", doc.Subject.Ref)}
		}
		text := doc.Estimate.Manifest
		if i > 0 {
			text = "---\n" + text
		}
		if _, err := io.WriteString(w, text); err != nil {
			return err
		}
	}
	return nil
}

// hint says what to do about the first model that could not be sized.
func (o *estimateOptions) hint(failed []error) string {
	for i, err := range failed {
		ref := o.asked[i].Ref
		switch {
		case errors.Is(err, arch.ErrUnknown):
			return "only architectures with a rule are sized, and none is taken for another; llmcheck catalog models lists models that are known"
		case errors.Is(err, source.ErrNotFound), errors.Is(err, source.ErrOffline):
			if ref.Scheme == model.SchemeHub || ref.Scheme == model.SchemePath && !strings.HasPrefix(ref.Name, ".") && !filepath.IsAbs(ref.Name) {
				return o.similar(o.config.Catalog, ref.Name)
			}
		}
	}
	return ""
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
	case errors.Is(err, quant.ErrName), errors.Is(err, serve.ErrIllegal), errors.Is(err, serve.ErrEngine), errors.Is(err, fleet.ErrQuestion):
		return usage(err, "")
	case errors.Is(err, manifest.ErrPlan):
		return &statusError{Code: No, Err: err, Hint: "run it without --emit for the answer with its reasons"}
	case errors.Is(err, gpus.ErrAmbiguous):
		return usage(fmt.Errorf("reading --gpu: %w", err), "say which, like the ids that llmcheck catalog gpus lists")
	case gpus.IsUnknown(err):
		return usage(fmt.Errorf("reading --gpu: %w", err), "--gpu unknown tells what each device holds, without a verdict")
	}
	return err
}

// estimateCode is the status of one answer.
func estimateCode(doc *report.Document, err error) Code {
	switch {
	case errors.Is(err, diligence.ErrShape) && slices.ContainsFunc(doc.Gaps, withheld(doc.Subject.Ref)):
		return Unreachable
	case errors.Is(err, arch.ErrUnknown), errors.Is(err, quant.ErrUnknown), errors.Is(err, source.ErrOffline): // nobody was asked
		return NotEnough
	case errors.Is(err, diligence.ErrShape), errors.Is(err, quant.ErrName), errors.Is(err, source.ErrNotFound) && errors.Is(err, fs.ErrNotExist):
		return Usage
	case err != nil && doc.Subject.Origin == string(model.SchemePath) && !elsewhere(err):
		return Usage
	case err != nil:
		return Unreachable
	}
	switch doc.Estimate.Verdict {
	case string(serve.Fits):
		return promiseCode(doc.Estimate.Speed)
	case string(serve.DoesNot):
		return No
	}
	return NotEnough
}

// promiseCode is the status of what was asked of latency. A plan that fits and does not keep its limits is no answer.
func promiseCode(s *report.Speed) Code {
	switch {
	case s == nil:
		return OK
	case s.Saturated:
		return No
	case s.Targets == nil || s.Targets.Met == "yes":
		return OK
	case s.Targets.Met == "no":
		return No
	}
	return NotEnough
}

// elsewhere tells that something else than this disk failed: the hub that has the base model of an adapter, or the time.
func elsewhere(err error) bool {
	return slices.ContainsFunc([]error{source.ErrNotFound, source.ErrForbidden, source.ErrUnreachable, context.DeadlineExceeded},
		func(kind error) bool { return errors.Is(err, kind) })
}

// withheld tells that a source kept something of a model to itself, so that what seems to be wrong with its files is not.
func withheld(ref string) func(report.Gap) bool {
	return func(g report.Gap) bool { return g.What != ref && missing(g) }
}
