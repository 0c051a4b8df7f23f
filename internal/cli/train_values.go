package cli

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/llmcheck/llmcheck/internal/units"
)

// choice is a flag for one word of a list. Names that others have for the same thing are taken too.
type choice[T ~string] struct {
	to   *T
	list []T
	also map[string]T
}

func (f *choice[T]) Set(s string) error {
	s = strings.ToLower(strings.TrimSpace(s))
	for _, one := range f.list {
		if s == string(one) {
			*f.to = one
			return nil
		}
	}
	if same, ok := f.also[strings.ReplaceAll(s, "_", "-")]; ok {
		*f.to = same
		return nil
	}
	return fmt.Errorf("want one of %s", strings.Join(f.words(), ", "))
}

func (*choice[T]) String() string    { return "" }
func (*choice[T]) Type() string      { return "word" }
func (f *choice[T]) words() []string { return texts(f.list) }

// synonyms turns lists of words by what they mean into what each word means.
func synonyms[T comparable](of map[T]string) map[string]T {
	out := make(map[string]T)
	for ours, theirs := range of {
		for name := range strings.FieldsSeq(theirs) {
			out[name] = ours
		}
	}
	return out
}

// integer is a flag for a whole number, see wholeNumber, that is kept as an int.
type integer struct {
	to          *int
	least, most int64
}

func (f *integer) Set(s string) error {
	var v int64
	err := (&number{&v, f.least, f.most}).Set(s)
	if err == nil {
		*f.to = int(v)
	}
	return err
}

func (*integer) String() string { return "" }
func (*integer) Type() string   { return "int" }

// amount is a flag for a large number with a suffix, as people write parameters and tokens: 8B, 0.35B, 15.6T, 1e12.
type amount struct {
	to          *float64
	least, most float64
	want        string
}

func (f *amount) Set(s string) error {
	v, ok := parseAmount(s)
	if !ok || v < f.least || v > f.most {
		return fmt.Errorf("want %s", f.want)
	}
	*f.to = v
	return nil
}

func (*amount) String() string { return "" }
func (*amount) Type() string   { return "amount" }

// parseAmount reads a decimal number with a suffix. Suffixes are powers of a thousand in any case: nobody has 8 thousandths
// of a parameter.
func parseAmount(s string) (float64, bool) {
	s = strings.NewReplacer("_", "", ",", "", " ", "").Replace(strings.ToLower(s))
	digits := strings.TrimRight(s, "kmbtn")
	power, ok := map[string]int{"": 0, "k": 3, "m": 6, "b": 9, "bn": 9, "t": 12, "tn": 12}[s[len(digits):]]
	if !ok || strings.Trim(digits, "0123456789.e+-") != "" { // neither inf nor 0x1p4
		return 0, false
	}
	v, err := strconv.ParseFloat(digits, 64)
	v = math.Round(v * math.Pow10(power))
	return v, err == nil && !math.IsInf(v, 0)
}

// period is a flag for a time of days or years: 30d, 6 weeks, 2y, 1d12h, 50000h.
type period struct {
	to   *time.Duration
	most time.Duration
	want string
}

func (f *period) Set(s string) error {
	hours, ok := parsePeriod(s)
	if !ok || hours < leastPeriod || hours > f.most.Hours() {
		return fmt.Errorf("want %s", f.want)
	}
	*f.to = time.Duration(hours * float64(time.Hour))
	return nil
}

func (*period) String() string { return "" }
func (*period) Type() string   { return "time" }

const (
	leastPeriod = 1. / 60 // a minute, in hours
	year        = 8760 * time.Hour
)

// periodUnits are hours by their units. A month has 730, as it has in prices.
func periodUnits() map[string]float64 {
	return synonyms(map[float64]string{
		1. / 60: "m min minute minutes", 1: "h hour hours", 24: "d day days", 168: "w week weeks", 730: "mo month months", 8760: "y yr year years",
	})
}

// parsePeriod reads numbers, each with its unit, and returns hours.
func parsePeriod(s string) (hours float64, ok bool) {
	units := periodUnits()
	rest := strings.ToLower(strings.ReplaceAll(s, " ", ""))
	for rest != "" {
		after := strings.TrimLeft(rest, "0123456789.")
		n, err := strconv.ParseFloat(rest[:len(rest)-len(after)], 64)
		next := strings.IndexAny(after, "0123456789.")
		if next < 0 {
			next = len(after)
		}
		each, known := units[after[:next]]
		if err != nil || !known {
			return 0, false
		}
		hours, rest, ok = hours+n*each, after[next:], true
	}
	return hours, ok
}

// autoGPUs is the word of --gpus for a number that is looked for.
const autoGPUs = "auto"

// crew is a flag for a number of cards, or for as many as are best.
type crew struct {
	to   *int
	auto *bool
}

func (f *crew) Set(s string) error {
	if strings.EqualFold(strings.TrimSpace(s), autoGPUs) {
		*f.to, *f.auto = 0, true
		return nil
	}
	if err := (&integer{f.to, 1, maxTrainGPUs}).Set(s); err != nil {
		return fmt.Errorf("want a whole number from 1 to %s, or %s", units.Thousands(maxTrainGPUs), autoGPUs)
	}
	*f.auto = false
	return nil
}

func (*crew) String() string  { return "" }
func (*crew) Type() string    { return "int" }
func (*crew) words() []string { return []string{autoGPUs} }

// trainerFlags are the names of our flags on the command lines of programs that train (Megatron-LM, DeepSpeed, TRL, axolotl,
// LLaMA-Factory, torchtune, torchtitan), and in the words of people.
func trainerFlags() map[string]string {
	return synonyms(map[string]string{
		"tp":                    "tensor-model-parallel-size tensor-parallel-degree",
		"pp":                    "pipeline-model-parallel-size pipeline-parallel-degree",
		"cp":                    "context-parallel-size context-parallel-degree sequence-parallel-size ulysses-degree",
		"ep":                    "expert-model-parallel-size expert-parallel-degree",
		"dp":                    "data-parallel-degree data-parallel-replicate-degree",
		"zero":                  "zero-stage deepspeed fsdp-sharding-strategy sharding-strategy",
		"shard-group":           "data-parallel-shard-degree hsdp dp-shard",
		"micro-batch":           "micro-batch-size mbs per-device-train-batch-size device-train-microbatch-size local-batch-size batch-size train-micro-batch-size-per-gpu",
		"global-batch":          "global-batch-size gbs global-train-batch-size train-batch-size",
		"seq-len":               "seq-length sequence-length sequence-len seqlen max-seq-len max-seq-length max-length cutoff-len context-length model-max-length",
		"tokens":                "train-tokens token-budget max-tokens training-tokens",
		"data-tokens":           "dataset-tokens dataset-size data",
		"epochs":                "num-epochs num-train-epochs max-epochs epoch",
		"recompute":             "recompute-granularity gradient-checkpointing activation-checkpointing activation-checkpoint act-ckpt ac",
		"virtual-stages":        "virtual-pipeline-model-parallel-size num-layers-per-virtual-pipeline-stage vpp vp interleave",
		"schedule":              "pipeline-schedule pipeline-parallel-schedule",
		"lora-rank":             "lora-r rank r lora-dim peft-rank",
		"lora-targets":          "lora-target target-modules lora-target-modules lora-attn-modules",
		"frozen":                "load-in-4bit quantization-bit bnb-4bit-quant-type quant quantize",
		"train-embeddings":      "modules-to-save additional-target",
		"packing":               "sample-packing packed pack",
		"fill":                  "padding packing-efficiency",
		"group-size":            "num-generations group rollout-n n-samples-per-prompt",
		"prompt-tokens":         "max-prompt-length prompt-length input-tokens",
		"reference":             "ref-model reference-model",
		"reward":                "reward-model rm",
		"critic":                "critic-model value-model",
		"rollout-engine":        "vllm-mode colocate rollout",
		"optimizer":             "optim",
		"optimizer-in-backward": "optimizer-in-bwd",
		"precision":             "dtype mixed-precision train-dtype bf16 fp16 fp8",
		"offload":               "cpu-offload offload-optimizer fsdp-cpu-offload",
		"loss":                  "cross-entropy-loss-fusion liger cross-entropy",
		"no-flash":              "attn-implementation eager-attention",
		"network-gbit":          "network network-bandwidth bandwidth interconnect",
		"gpus-per-node":         "nproc-per-node num-gpus-per-node ngpus-per-node cards-per-node",
		"gpus":                  "world-size nnodes num-nodes nodes",
		"gpu":                   "accelerator hardware",
		"deadline":              "within time-limit days",
		"mtbf":                  "mean-time-between-failures failure-rate failures",
		"params":                "parameters model-size size n-params",
		"active-params":         "active active-parameters",
		"layers":                "num-layers num-hidden-layers n-layers",
		"hidden":                "hidden-size hidden-dim d-model width",
		"vocab":                 "vocab-size vocabulary padded-vocab-size",
		"method":                "task recipe finetuning-type",
		"compare":               "versus vs against",
		"framework":             "engine backend trainer",
	})
}
