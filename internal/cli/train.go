package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/config"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/render"
)

// trainCommand is the word between estimate and the model. A folder of that name is ./train.
const trainCommand = "train"

// trainOptions is a checked command line of llmcheck estimate train.
type trainOptions struct {
	*global
	config *config.Config
	output string
	flags  trainFlags

	asked  []diligence.TrainingQuestion
	format render.Format
}

func newTrain(g *global, run func(context.Context, *trainOptions) error) *cobra.Command {
	o := &trainOptions{global: g}
	if run == nil {
		run = runTrain
	}
	cmd := &cobra.Command{
		Use:   trainCommand + " [<model>...]",
		Short: "What training it takes: memory, plan, time, money and power, from pre-training to alignment",
		Long: `train answers what is asked before cards are rented to train on: does the job fit, which part of the memory breaks it and
what is the smallest change that mends it, how do the cards divide the work, how long does it take, where does their time
go, and what does the run cost and draw.

The model is one that exists, or one that does not yet: --params 8B gets the shape that models of that size have, --layers
and --hidden give it by hand, and the shape is printed. --method says what is trained, from pre-training by LoRA to GRPO.

What is not said is filled in as the framework and usual practice would, and each such setting is printed with its reason.
--gpus auto finds the number of cards and their division, --deadline those that are done in time, --compare shows the same
work on other cards. Figures that are estimated are ranges, meant to hold the measured value in 8 of 10 cases.

llmcheck help training, costs and exit-codes say what the answers mean.`,
		Example: `  llmcheck estimate train Qwen/Qwen3-8B --method qlora --gpu "RTX 4090" --offline
  llmcheck estimate train Qwen/Qwen3-32B --method full --gpu H100 --gpus 16 --seq-len 8192 --tokens 2B --offline
  llmcheck estimate train --params 8B --tokens 15T --gpu H100 --gpus 1024 --explain --offline
  llmcheck estimate train --params 70B --tokens 2T --gpu H100 --gpus auto --deadline 60d --offline
  llmcheck estimate train --params 30B --active-params 3B --tokens 5T --gpu H100,B200 --gpus 512 --offline
  llmcheck estimate train Qwen/Qwen3-32B --method dpo --lora-rank 16 --gpu H100 --gpus 8 --offline
  llmcheck estimate train --params 8B --tokens 2T --gpu H100 --gpus 256 --compare H200,B200 --country DE --offline`,
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

func (o *trainOptions) complete(cmd *cobra.Command, args []string) (err error) {
	if o.config, err = o.settings(cmd); err != nil {
		return err
	}
	if o.format, err = render.Find(o.config.Format); err != nil {
		return usage(err, "")
	}
	const hint = "llmcheck estimate train --help lists the flags"
	if err := o.flags.check(len(args)); err != nil {
		return usage(err, hint)
	}
	others, err := o.flags.others.resolve(o.app)
	if err != nil {
		return usage(err, "llmcheck help references lists the forms of a reference")
	}
	if len(args) == 0 {
		o.asked = append(o.asked, o.flags.question(model.Ref{}, others))
		return nil
	}
	var faults []error
	for _, arg := range args {
		ref, err := o.app.sizedRef(arg)
		faults = append(faults, err)
		o.asked = append(o.asked, o.flags.question(ref, others))
	}
	return usage(errors.Join(faults...), "llmcheck help references lists the forms of a reference")
}

// sizedRef reads the reference of something that has a size.
func (a *App) sizedRef(s string) (model.Ref, error) {
	ref, err := a.resolveRef(s)
	if err == nil && ref.Scheme == model.SchemeLicense {
		err = fmt.Errorf("reading model reference %q: a license has no size", s)
	}
	return ref, err
}

// completions offers the words of the flags to shells.
func (o *trainOptions) completions(cmd *cobra.Command) {
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		if v, ok := f.Value.(interface{ words() []string }); ok {
			completeWords(cmd, f.Name, v.words())
		}
	})
	for flag, list := range map[string][]string{
		"format": render.Names(), "color": {"auto", "always", "never"}, "price-terms": priceTerms(), "seller": sellers(),
		"zero": {"0", "1", "2", "3"},
	} {
		completeWords(cmd, flag, list)
	}
	for flag, complete := range map[string]cobra.CompletionFunc{
		"gpu": o.completeCards, "compare": o.completeCompared, "country": o.completePlaces, "lora-targets": completeTargets, "fabric": completeFabric,
		"reference": o.completeModels, "reward": o.completeModels, "critic": o.completeModels,
	} {
		_ = cmd.RegisterFlagCompletionFunc(flag, complete) // the only error is a flag that does not exist
	}
}

// completeCompared offers accelerators, and the word for those that training is mostly compared on.
func (g *global) completeCompared(cmd *cobra.Command, args []string, typed string) ([]string, cobra.ShellCompDirective) {
	ids, directive := g.completeCards(cmd, args, typed)
	if hasPrefixFold("all", typed) {
		ids = append(ids, cobra.CompletionWithDesc("all", "the usual ones of each generation"))
	}
	return ids, directive
}

// completeTargets offers the usual names of modules for the last name of a list.
func completeTargets(_ *cobra.Command, _ []string, typed string) ([]string, cobra.ShellCompDirective) {
	before := typed[:strings.LastIndexByte(typed, ',')+1]
	var out []string
	for _, name := range usualTargets() {
		if hasPrefixFold(name, typed[len(before):]) {
			out = append(out, before+name)
		}
	}
	return out, cobra.ShellCompDirectiveNoFileComp
}
