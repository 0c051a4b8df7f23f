package cli

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/manifest"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
)

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
func (f *estimateFlags) named() int { return namedCards(f.cards) }

func namedCards(flags []string) int {
	n := 0
	for _, list := range flags {
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
