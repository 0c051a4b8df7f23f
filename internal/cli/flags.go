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

// share is a flag for a number above zero that may have decimals.
type share struct {
	to   *float64
	most float64
	want string
}

func (f *share) Set(s string) error {
	v, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
	if err != nil || !(v > 0 && v <= f.most) {
		return fmt.Errorf("want %s", f.want)
	}
	*f.to = v
	return nil
}

func (*share) String() string { return "" }
func (*share) Type() string   { return "float" }

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
	if ours := engineFlags()[name]; ours != "" && cmd.Flags().Lookup(ours) != nil {
		return ours
	}
	best, least := "", 1+len(name)/4
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if far := spelling.Slips(name, f.Name); far < least {
			best, least = f.Name, far
		}
	})
	return best
}

// engineFlags are the names of our flags on the command lines of serving engines.
func engineFlags() map[string]string {
	return map[string]string{
		"tensor-parallel-size": "tp", "tensor-parallel": "tp", "tp-size": "tp", "pipeline-parallel-size": "pp", "pp-size": "pp",
		"expert-parallel-size": "ep", "ep-size": "ep", "enable-expert-parallel": "ep", "data-parallel-size": "dp", "dp-size": "dp",
		"max-num-batched-tokens": "max-batched-tokens", "chunked-prefill-size": "max-batched-tokens", "batch-size": "max-batched-tokens",
		"max-seq-len": "max-model-len", "context-length": "max-model-len", "ctx-size": "max-model-len", "context": "max-model-len",
		"mem-fraction-static": "gpu-memory-utilization", "free-gpu-memory-fraction": "gpu-memory-utilization",
		"max-running-requests": "max-num-seqs", "max-batch-size": "max-num-seqs", "parallel": "max-num-seqs",
		"kv-cache-dtype": "kv-dtype", "cache-type-k": "kv-dtype", "cache-type-v": "kv-dtype", "ctk": "kv-dtype", "ctv": "kv-dtype",
		"quantization": "quant", "enforce-eager": "eager", "disable-cuda-graph": "eager",
		"ngl": "n-gpu-layers", "gpu-layers": "n-gpu-layers", "ncmoe": "n-cpu-moe", "fa": "flash-attn", "ub": "ubatch-size",
		"gpu-count": "gpus", "num-gpus": "gpus", "n-gpus": "gpus", "device": "gpu", "card": "gpu",
	}
}
