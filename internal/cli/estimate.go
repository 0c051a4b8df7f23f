package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/manifest"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/render"
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
limits it, what it rests on, and the closest measurement.

Without --gpu it looks at a handful of common cards; --gpu all ranks the whole catalog. Without --gpus it finds the
smallest number, and with --request-rate or --users the cheapest plan of cards, division, number format and replicas that
serves them within --ttft and --tpot. Models of the catalog are answered without a request; org/name@main reads the
repository itself.

llmcheck estimate train tells what training takes; a model that is a folder of that name is ./train.
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
	cmd.AddCommand(newTrain(g, nil))
	return cmd
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
	if i := slices.Index(args, trainCommand); i > 0 {
		return usage(fmt.Errorf("%s stands behind a model, and is a command only before it", trainCommand), fmt.Sprintf("llmcheck estimate train %s; a folder of that name is ./train", args[0]))
	}
	var faults []error
	for _, arg := range args {
		ref, err := o.app.sizedRef(arg)
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
