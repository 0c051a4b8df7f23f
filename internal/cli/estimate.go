package cli

import (
	"cmp"
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
	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
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
	kind                                 serve.Kind // of the engine, as far as the flags say it
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
		Short: "Can we run it: memory, cards, speed, users, cost and power, before anything is downloaded",
		Long: `estimate answers what is asked before a card is rented or bought: does the model fit, how fast is it for one reader and
for many, how many cards does a load need, what does that cost and draw, and which card does it for least.

The model is counted tensor by tensor from its configuration, and laid out as vLLM, SGLang, TensorRT-LLM, llama.cpp or
transformers do. Speed follows from what a pass has to read, multiply and send, and from how the engine batches requests.
Every figure of speed, cost and power is a range that is meant to hold the measured value in 8 of 10 cases, with what
limits it, what it rests on, and the closest published measurement.

Without --gpu it looks at a handful of common cards; --gpu all ranks the whole catalog. Without --gpus it finds the
smallest number, and with --request-rate or --users the cheapest plan of cards, division, number format and replicas that
serves them within --ttft and --tpot. Models of the catalog are answered without a request; org/name@main reads the
repository itself.

llmcheck help estimates, speed, costs, manifests, calibration and exit-codes say what the answers mean.`,
		Example: `  llmcheck estimate Qwen/Qwen3-32B --offline
  llmcheck estimate Qwen/Qwen3-32B --gpu H100 --gpus 2 --max-model-len 32768 --explain --offline
  llmcheck estimate Qwen/Qwen3-32B --gpu H100 --gpus 2 --concurrency 32 --input-tokens 2000 --output-tokens 500 --offline
  llmcheck estimate openai/gpt-oss-120b --gpu all --request-rate 20 --ttft 1s --tpot 40ms --spare 1 --offline
  llmcheck estimate Qwen/Qwen3-32B --gpu H100 --gpus 2 --price 2.50 --country DE --utilization 0.4 --offline
  llmcheck estimate Qwen/Qwen3-32B --gpu H100 --users 200 --think-time 30s --emit kubernetes --offline > plan.yaml
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
	o.flags.declare(cmd.Flags()).attach(cmd, g.app.Width)
	answerFlags(cmd, &o.output)
	o.completions(cmd)
	return cmd
}

// declare puts the flags of the question into sections, and those of the answer onto the command itself.
func (f *estimateFlags) declare(answer *pflag.FlagSet) sections {
	var s sections
	f.declareModel(s.add("Model and card"))
	f.declareDivision(s.add("Division"))
	f.declareEngine(s.add("Engine"))
	f.load.declare(s.add("Load"))
	f.load.declareTargets(s.add("Targets and search"))
	f.money.declare(s.add("Prices and energy"))
	f.declareLlama(s.add("llama.cpp"))
	answer.StringVar(&f.emit, "emit", "", "write the plan as something to run, and nothing else: `format` "+strings.Join(manifest.Formats(), ", "))
	answer.BoolVar(&f.explain, "explain", false, "show every number with its formula, inputs and source")
	return s
}

func (f *estimateFlags) declareModel(fl *pflag.FlagSet) {
	fl.StringArrayVar(&f.cards, "gpu", nil, "`cards` as people write them, like H100,L40S or 'RTX 4090'; all is the whole catalog")
	fl.StringVar(&f.quant, "quant", "", "number `format` of the weights, like fp8, awq, nvfp4 or Q4_K_M; best is the most precise that fits (default: as stored)")
	fl.StringVar(&f.kv, "kv-dtype", "", "number `format` of the cache, like fp8 or q8_0 (default: the engine's)")
	fl.Var(&number{&f.length, 1, maxTokens}, "max-model-len", "`tokens` of one request, prompt and answer together, like 32768 or 32K")
}

func (f *estimateFlags) declareDivision(fl *pflag.FlagSet) {
	whole := wholeOn(fl)
	whole(&f.gpus, "gpus", 1, maxGPUs, "`number` of cards (default: as few as fit, or as the load needs)")
	whole(&f.tensor, "tp", 1, maxGPUs, "tensor parallel `ranks`")
	whole(&f.pipeline, "pp", 1, maxGPUs, "pipeline parallel `stages`")
	whole(&f.expert, "ep", 1, maxGPUs, "`ranks` that share out the experts")
	whole(&f.data, "dp", 1, maxGPUs, "data parallel `replicas`")
}

func (f *estimateFlags) declareEngine(fl *pflag.FlagSet) {
	whole := wholeOn(fl)
	fl.StringVar(&f.engine, "engine", "", "`program` that serves: "+strings.Join(serve.Kinds(), ", ")+", or another like ollama, tgi or exllamav2")
	fl.StringVar(&f.version, "engine-version", "", "`version` of it, like 0.19.0 (default: the newest that is known)")
	fl.Var(&share{&f.utilization, 1, "a share above 0 and up to 1, like 0.9"}, "gpu-memory-utilization", "`share` of the card that the engine takes, like 0.9")
	whole(&f.seqs, "max-num-seqs", 1, maxTokens, "most `requests` that run at once")
	whole(&f.batched, "max-batched-tokens", 1, maxTokens, "most `tokens` of one forward pass")
	fl.BoolVar(&f.eager, "eager", false, "no CUDA graphs are captured")
	fl.BoolVar(&f.mtp, "mtp", false, "load the blocks that predict further tokens")
}

// declareLlama are the flags that only llama.cpp has.
func (f *estimateFlags) declareLlama(fl *pflag.FlagSet) {
	whole := wholeOn(fl)
	f.layers = allLayers
	whole(&f.layers, "n-gpu-layers", allLayers, maxLayers, "`layers` on the GPU, the rest in the memory of the host (default: all)")
	whole(&f.cpuExperts, "n-cpu-moe", 0, maxLayers, "`layers` whose experts stay in the memory of the host")
	fl.StringVar(&f.host, "host-memory", "", "`memory` that the host has free for what lies there, like 64GB")
	whole(&f.microBatch, "ubatch-size", 1, maxTokens, "`tokens` of one forward pass")
	fl.StringVar(&f.flash, "flash-attn", "", "flash attention, `on or off`")
	fl.BoolVar(&f.fullWindow, "swa-full", false, "keep all tokens of layers with a sliding window")
	fl.BoolVar(&f.allOutputs, "all-logits", false, "keep the logits of every token, as users of the library do")
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
	if len(args) == 0 {
		return usage(errors.New("no model is named"), "llmcheck estimate org/name, ./folder, config.json or model.gguf")
	}
	if err := o.completeEmit(len(args), cmd.Flags().Changed("format")); err != nil {
		return usage(err, "llmcheck help manifests tells what is written, and how")
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

// completeEmit decides whether the plan alone is written: unless a format was asked for, which then has it as a field.
func (o *estimateOptions) completeEmit(models int, formatted bool) error {
	o.script = o.flags.emit != "" && !formatted
	switch {
	case o.flags.emit == "":
		return nil
	case models > 1:
		return fmt.Errorf("--emit writes one plan, and %d models are named; ask for each by itself", models)
	case o.script && o.flags.explain:
		return errors.New("--explain is of the answer, and --emit writes the plan alone; give --format too, or leave one out")
	case formatted && o.config.Format == "sarif":
		return errors.New("--format sarif has no place for the plan of --emit; give another, or leave it out")
	}
	return nil
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
	faults = append(faults, f.load.check(), f.load.idle(f.fixed()), f.money.check(), f.money.ofOneCard(f.distinct()), f.checkEmit())
	if n := f.load.input + f.load.output; f.length > 0 && n > f.length {
		faults = append(faults, fmt.Errorf("--input-tokens and --output-tokens are %d together, more than --max-model-len %d", n, f.length))
	} else if n == f.length && f.length > 0 && f.load.output == 0 {
		faults = append(faults, fmt.Errorf("--input-tokens %d leave no room for an answer in --max-model-len %d", n, f.length))
	}
	if f.load.output > 0 && f.load.input == 0 && f.length == 0 {
		faults = append(faults, errors.New("--output-tokens alone says nothing of the prompt; give --input-tokens too, or --max-model-len"))
	}
	return errors.Join(faults...)
}

// fixed is the flag that says how many cards there are, so that none are looked for.
func (f *estimateFlags) fixed() string {
	for _, one := range []struct {
		given int64
		name  string
	}{{f.gpus, "--gpus"}, {f.tensor, "--tp"}, {f.pipeline, "--pp"}, {f.expert, "--ep"}, {f.data, "--dp"}} {
		if one.given > 0 {
			return one.name
		}
	}
	return ""
}

// distinct is how many cards are named: 0 is none, and more than 1 also stands for the whole catalog.
func (f *estimateFlags) distinct() int {
	if len(f.cards) == 1 && isAll(f.cards[0]) {
		return maxCards
	}
	return f.named()
}

// checkEmit refuses what no manifest is written of, and lets a command of one engine choose it.
func (f *estimateFlags) checkEmit() error {
	if f.emit == "" {
		return nil
	}
	if err := oneOf("emit", f.emit, manifest.Formats()); err != nil {
		return err
	}
	kind, one := commands()[f.emit]
	switch {
	case f.engine != "" && f.engine != string(f.kind):
		return fmt.Errorf("--emit writes no command of %s; plan with --engine %s, which it is counted as", f.engine, f.kind)
	case f.kind == serve.Transformers:
		return errors.New("--emit: transformers has no server that is started by a command; plan with another --engine, like vllm")
	case f.kind == "" || !one || f.kind == kind:
		return nil
	case f.engine != "":
		return fmt.Errorf("--emit %s writes a command of %s, and --engine is %s; give one that goes with the other, or --emit compose, kubernetes or helm-values", f.emit, kind, f.engine)
	}
	return fmt.Errorf("--emit %s writes a command of %s, and --%s is a flag of llama.cpp; leave one out", f.emit, kind, f.llamaFlag())
}

// commands are the formats of --emit that are the command line of one engine.
func commands() map[string]serve.Kind {
	return map[string]serve.Kind{"vllm": serve.VLLM, "sglang": serve.SGLang, "llama-server": serve.LlamaCPP}
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
		if f.llamaFlag() != "" {
			f.kind = serve.LlamaCPP
		}
		return nil
	}
	engine, err := serve.FindEngine(f.engine, f.version)
	if err != nil {
		return fmt.Errorf("reading --engine and --engine-version: %w", err)
	}
	f.engine, f.kind = engine.Name, engine.Kind
	switch flag := f.llamaFlag(); {
	case flag != "" && engine.Kind != serve.LlamaCPP:
		return fmt.Errorf("--%s is a flag of llama.cpp, and --engine is %s", flag, f.engine)
	case engine.Kind == serve.LlamaCPP && f.utilization > 0:
		return errors.New("--gpu-memory-utilization: llama.cpp takes what it needs and no share of the card; leave it out")
	case f.load.drafts > 0 && draftless()[f.engine] != "":
		return fmt.Errorf("--draft-tokens: %s drafts no tokens (%s); leave it out, or name another --engine", f.engine, draftless()[f.engine])
	case engine.Kind == serve.LlamaCPP && f.eager:
		return errors.New("--eager: llama.cpp captures no graphs that could be left out")
	}
	return nil
}

// draftless are the engines that have no speculative decoding, with where that is asked for.
func draftless() map[string]string {
	return map[string]string{"ollama": "github.com/ollama/ollama/issues/5800", "ctranslate2": "github.com/OpenNMT/CTranslate2/issues/1474"}
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
	if length == 0 && f.load.input > 0 {
		length = f.load.input + cmp.Or(f.load.output, diligence.UsualOutput)
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
	if f.engine != "" {
		return q
	}
	why := ""
	if kind, ok := commands()[f.emit]; ok {
		q.Kind, why = kind, "--emit "+f.emit+" is a command of it"
	}
	if flag := f.llamaFlag(); flag != "" {
		q.Kind, why = serve.LlamaCPP, "--"+flag+" is a flag of it"
	}
	if why != "" {
		q.Plan.Assumed = []serve.Setting{{Name: "engine", Value: string(q.Kind), Why: why}}
	}
	return q
}

// runEstimate asks every question and writes one answer.
func runEstimate(ctx context.Context, o *estimateOptions) error {
	failed := make([]error, len(o.asked))
	var docs []*report.Document
	write := func(w io.Writer, answers []*report.Document, page render.Page) error {
		docs = answers
		if o.script {
			return writeManifest(w, answers[0])
		}
		return o.format.Render(w, answers, page)
	}
	err := o.answer(ctx, questions{
		config: o.config, refs: o.refs(), render: write, output: o.output, ready: o.flags.known,
		ask: func(ctx context.Context, d diligence.Deps, i int) (*report.Document, Code, error) {
			doc, err := diligence.Estimate(ctx, d, o.asked[i])
			if doc == nil {
				return nil, Failed, estimateFault(err)
			}
			failed[i] = err
			return doc, estimateCode(doc, err), nil
		},
	})
	if s, ok := errors.AsType[*statusError](err); ok {
		if s.Err == nil && o.script {
			s.Err = errors.New(doubtful(docs[0]))
		}
		if s.Hint == "" {
			s.Hint = o.hint(failed)
		}
	}
	return err
}

// known refuses what only the catalogs can tell to be wrong, before a model is read.
func (f *estimateFlags) known(d diligence.Deps) error {
	if f.money.country == "" {
		return nil
	}
	_, err := d.Prices.Site(costs.Where{Place: f.money.country})
	if errors.Is(err, costs.ErrUnknown) {
		return usage(fmt.Errorf("reading --country: %w", err), "a country by its name or two letters, or a region of a cloud like europe-west3")
	}
	return err
}

// writeManifest writes the plan of --emit and nothing else, so that it can be piped to what runs it. Without one the error
// has the status of the answer.
func writeManifest(w io.Writer, doc *report.Document) error {
	e := doc.Estimate
	if e.Manifest == "" {
		code := NotEnough
		if e.Verdict == string(serve.DoesNot) {
			code = No
		}
		return &statusError{Code: code, Err: fmt.Errorf("writing the plan for %s: there is none: %s", doc.Subject.Ref, e.Why), Hint: "run it without --emit for the whole answer"}
	}
	_, err := io.WriteString(w, e.Manifest)
	return err
}

// doubtful says why a plan that was written is no pass.
func doubtful(doc *report.Document) string {
	e := doc.Estimate
	why := e.Verdict + ": " + e.Why
	switch s := e.Speed; {
	case e.Verdict != string(serve.Fits) || s == nil:
	case s.Saturated:
		why = "saturated: " + s.Why
	case s.Targets != nil:
		why = "targets met: " + s.Targets.Met + "; " + s.Targets.Why
	}
	return "the plan was written, and is no pass: " + why
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
	case errors.Is(err, quant.ErrName), errors.Is(err, serve.ErrIllegal), errors.Is(err, serve.ErrEngine), errors.Is(err, fleet.ErrQuestion),
		errors.Is(err, diligence.ErrNumber):
		return usage(err, "")
	case errors.Is(err, manifest.ErrPlan):
		return usage(err, "llmcheck help manifests tells what is written, and of which plans")
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
