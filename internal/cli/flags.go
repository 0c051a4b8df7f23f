package cli

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/spelling"
	"github.com/llmcheck/llmcheck/internal/units"
)

// number is a flag for a whole number between two bounds. It reads the letters that vLLM does: 32k is 32,000 and 32K is
// 32,768.
type number struct {
	to          *int64
	least, most int64
}

func (n *number) Set(s string) error {
	v, ok := wholeNumber(s)
	if !ok || v < n.least || v > n.most {
		return fmt.Errorf("want a whole number from %s to %s", units.Thousands(n.least), units.Thousands(n.most))
	}
	*n.to = v
	return nil
}

func (*number) String() string { return "" }
func (*number) Type() string   { return "int" }

func wholeNumber(s string) (int64, bool) {
	digits := strings.ReplaceAll(strings.TrimSpace(s), "_", "")
	factor := int64(1)
	if digits != "" {
		if by, ok := map[byte]int64{'k': 1e3, 'K': 1 << 10, 'm': 1e6, 'M': 1 << 20}[digits[len(digits)-1]]; ok {
			digits, factor = digits[:len(digits)-1], by
		}
	}
	v, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || v > math.MaxInt64/factor || v < math.MinInt64/factor {
		return 0, false
	}
	return v * factor, true
}

// leastDecimal is the least number above zero that anybody means.
const leastDecimal = 1e-9

// share is a flag for a number above zero that may have decimals.
type share struct {
	to   *float64
	most float64
	want string
}

func (f *share) Set(s string) error {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	switch {
	case err != nil || !(v > 0 && v <= f.most):
		return fmt.Errorf("want %s", f.want)
	case v < leastDecimal:
		return fmt.Errorf("want %s, and no less than a billionth", f.want)
	}
	*f.to = v
	return nil
}

func (*share) String() string { return "" }
func (*share) Type() string   { return "float" }

// wholeOn declares whole numbers on a set of flags.
func wholeOn(fl *pflag.FlagSet) func(to *int64, name string, least, most int64, usage string) {
	return func(to *int64, name string, least, most int64, usage string) {
		fl.Var(&number{to, least, most}, name, usage)
	}
}

// decimalOn declares numbers above zero on a set of flags.
func decimalOn(fl *pflag.FlagSet) func(to *float64, name string, most float64, want, usage string) {
	return func(to *float64, name string, most float64, want, usage string) {
		fl.Var(&share{to, most, want}, name, usage)
	}
}

// flagFault words what pflag says of a flag as an error of the command line, with the flag that was meant.
func flagFault(cmd *cobra.Command, err error) error {
	hint := cmd.CommandPath() + " --help lists the flags"
	if wrong, ok := errors.AsType[*pflag.InvalidValueError](err); ok {
		return usage(fmt.Errorf("--%s is %q: %w", wrong.GetFlag().Name, wrong.GetValue(), reason(wrong)), hint)
	}
	unknown, ok := errors.AsType[*pflag.NotExistError](err)
	if !ok {
		return usage(err, hint)
	}
	name := unknown.GetSpecifiedName()
	if short := unknown.GetSpecifiedShortnames(); short != "" {
		name = short // -ngl arrives as n, and was meant as a whole
	}
	if meant := meantFlag(cmd, name); meant != "" {
		hint = "did you mean --" + meant + "? " + hint
	}
	return usage(err, hint)
}

// reason says what a value of the types of the standard library should be. The errors of package strconv are for
// programmers.
func reason(wrong *pflag.InvalidValueError) error {
	cause := wrong.Unwrap()
	words := map[string]string{
		"int": "want a whole number", "duration": "want a time like 30s or 5m", "bool": "want true or false",
	}
	if word, ok := words[wrong.GetFlag().Value.Type()]; ok && !strings.HasPrefix(cause.Error(), "want ") {
		return errors.New(word)
	}
	return cause
}

// meantFlag finds the flag that was meant: by the name that a serving engine gives it, or by a slip of the keys.
func meantFlag(cmd *cobra.Command, name string) string {
	name = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(name), "_", "-"))
	for _, names := range []map[string]string{trainerFlags(), engineFlags()} {
		if ours := names[name]; ours != "" && cmd.Flags().Lookup(ours) != nil {
			return ours
		}
	}
	best, least := "", 1+len(name)/4
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if far := spelling.Slips(name, f.Name); far < least {
			best, least = f.Name, far
		}
	})
	return best
}

// engineFlags are the names of our flags on the command lines of serving engines, of the programs that put load on them
// (vllm bench, genai-perf, AIPerf, GuideLLM, llama-bench, aiconfigurator), and in the words of people.
func engineFlags() map[string]string {
	return synonyms(map[string]string{
		"tp":                     "tensor-parallel-size tensor-parallel tp-size",
		"pp":                     "pipeline-parallel-size pp-size",
		"ep":                     "expert-parallel-size ep-size enable-expert-parallel",
		"dp":                     "data-parallel-size dp-size replicas",
		"max-batched-tokens":     "max-num-batched-tokens chunked-prefill-size batch-size",
		"max-model-len":          "max-seq-len context-length ctx-size context",
		"gpu-memory-utilization": "mem-fraction-static free-gpu-memory-fraction",
		"max-num-seqs":           "max-running-requests max-batch-size parallel",
		"kv-dtype":               "kv-cache-dtype cache-type-k cache-type-v ctk ctv",
		"quant":                  "quantization",
		"eager":                  "enforce-eager disable-cuda-graph",
		"n-gpu-layers":           "ngl gpu-layers",
		"n-cpu-moe":              "ncmoe",
		"flash-attn":             "fa",
		"ubatch-size":            "ub",
		"gpus":                   "gpu-count num-gpus n-gpus",
		"max-gpus":               "total-gpus gpu-budget",
		"gpu":                    "device card system",
		"engine":                 "backend service-kind",
		"input-tokens":           "random-input-len input-len input-length isl prompt-tokens prompt-len synthetic-input-tokens-mean prompt-input-tokens-mean n-prompt",
		"output-tokens":          "random-output-len output-len output-length osl max-tokens output-tokens-mean prompt-output-tokens-mean n-gen gen-tokens",
		"input-spread":           "random-range-ratio synthetic-input-tokens-stddev prompt-tokens-stdev isl-stddev",
		"output-spread":          "output-tokens-stddev output-tokens-stdev osl-stddev",
		"concurrency":            "max-concurrency concurrent-requests num-concurrent",
		"request-rate":           "qps rps rate requests-per-second arrival-rate",
		"users":                  "num-users concurrent-users clients num-clients",
		"think-time":             "user-delay session-turn-delay-mean",
		"prefix-hit":             "random-prefix-len prefix-cache-hit-rate cache-hit-rate prefix",
		"draft-tokens":           "num-speculative-tokens speculative-num-draft-tokens speculative-num-steps draft-max nextn",
		"acceptance":             "acceptance-rate draft-acceptance-rate nextn-accept-rates",
		"simulate":               "num-prompts num-requests request-count max-requests",
		"seed":                   "random-seed",
		"ttft":                   "max-ttft ttft-slo slo-ttft time-to-first-token goodput",
		"tpot":                   "itl max-tpot max-itl tpot-slo itl-slo slo-tpot slo-itl inter-token-latency",
		"spare":                  "redundancy spares n-plus-1",
		"price":                  "price-per-hour gpu-price hourly-price usd-per-hour cost",
		"price-terms":            "on-demand reserved terms",
		"seller":                 "cloud provider",
		"own":                    "buy owned on-prem on-premises",
		"purchase-price":         "capex gpu-cost",
		"electricity":            "electricity-price power-price kwh-price",
		"country":                "region grid location",
		"utilization":            "utilisation load-factor duty-cycle",
		"emit":                   "manifest kubernetes k8s helm compose",
	})
}
