package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/train"
)

// trainAsked runs llmcheck estimate train with its work replaced, and returns what would have been asked.
func trainAsked(t *testing.T, args ...string) (diligence.TrainingQuestion, error) {
	t.Helper()
	a, _, _ := world(t, "")
	var got diligence.TrainingQuestion
	cmd := newTrain(&global{app: a}, func(_ context.Context, o *trainOptions) error {
		got = o.asked[0]
		return nil
	})
	cmd.SetFlagErrorFunc(flagFault)
	cmd.SilenceErrors, cmd.SilenceUsage = true, true
	cmd.SetArgs(args)
	return got, cmd.ExecuteContext(t.Context())
}

// sample is a flag with a value, beside what it needs.
type sample struct {
	flag, value string
	beside      []string
}

// trainSamples are values of every flag of the question.
func trainSamples() []sample {
	named := []string{"acme/x"}
	of := func(method string) []string { return []string{"acme/x", "--method", method} }
	by := func(args ...string) []string { return args }
	return []sample{
		{"method", "grpo", named},
		{"params", "7B", nil},
		{"active-params", "3B", by("--params", "8B")},
		{"layers", "32", by("--hidden", "4096")},
		{"hidden", "4096", by("--layers", "32")},
		{"vocab", "32000", by("--layers", "32", "--hidden", "4096")},
		{"tokens", "15.6T", named},
		{"seq-len", "8K", named},
		{"global-batch", "1024", named},
		{"data-tokens", "1B", named},
		{"epochs", "3", by("acme/x", "--data-tokens", "1B")},
		{"packing", "", named},
		{"fill", "0.6", named},
		{"deadline", "30d", by("acme/x", "--tokens", "1B")},
		{"gpu", "H100", named},
		{"gpus", "16", named},
		{"compare", "B200", named},
		{"best-division", "", by("acme/x", "--gpus", "64")},
		{"max-gpus", "512", by("acme/x", "--gpus", "auto")},
		{"fabric", "dgx-h100", named},
		{"gpus-per-node", "4", named},
		{"network-gbit", "400", named},
		{"mtbf", "5y", named},
		{"tp", "8", named},
		{"pp", "4", named},
		{"cp", "2", named},
		{"ep", "8", named},
		{"dp", "2", named},
		{"zero", "0", named},
		{"shard-group", "8", named},
		{"micro-batch", "2", named},
		{"virtual-stages", "4", named},
		{"schedule", "zero-bubble", named},
		{"no-overlap", "", named},
		{"no-sequence-parallel", "", named},
		{"framework", "megatron", named},
		{"precision", "fp8", named},
		{"optimizer", "muon", named},
		{"recompute", "selective", named},
		{"loss", "fused", named},
		{"offload", "optimizer", named},
		{"pure-bf16", "", named},
		{"no-flash", "", named},
		{"optimizer-in-backward", "", named},
		{"lora-rank", "16", of("lora")},
		{"lora-targets", "q_proj,v_proj", of("lora")},
		{"frozen", "nf4-dq", of("qlora")},
		{"train-embeddings", "", of("lora")},
		{"reference", "acme/y", of("dpo")},
		{"reward", "acme/y", of("ppo")},
		{"critic", "acme/y", of("ppo")},
		{"group-size", "16", of("grpo")},
		{"prompt-tokens", "512", of("grpo")},
		{"rollout-engine", "sleeping", of("grpo")},
		{"rollout-engine", "apart", of("ppo")},
		{"price", "2.5", by("acme/x", "--gpu", "H100")},
		{"price-terms", "spot", named},
		{"seller", "hyperscaler", named},
		{"own", "", named},
		{"purchase-price", "30000", by("acme/x", "--gpu", "H100", "--own")},
		{"electricity", "0.2", named},
		{"pue", "1.2", named},
		{"country", "DE", named},
		{"explain", "", named},
	}
}

func (s *sample) args() []string {
	if s.value == "" {
		return append(slices.Clone(s.beside), "--"+s.flag)
	}
	return append(slices.Clone(s.beside), "--"+s.flag, s.value)
}

// Law: every flag of the question changes it, and there is none that this test does not know.
func TestEveryTrainFlagIsAsked(t *testing.T) {
	a, _, _ := world(t, "")
	g := &global{app: a}
	left := make(map[string]bool)
	newTrain(g, nil).Flags().VisitAll(func(f *pflag.Flag) { left[f.Name] = true })
	for _, of := range []string{"format", "output", "offline", "catalog", "cache", "jobs", "timeout"} { // the answer
		delete(left, of)
	}
	for _, s := range trainSamples() {
		t.Run(s.flag, func(t *testing.T) {
			delete(left, s.flag)
			with, err := trainAsked(t, s.args()...)
			if err != nil {
				t.Fatal(err)
			}
			without, _ := trainAsked(t, s.beside...) // that of some needs the flag, and asks nothing
			if cmp.Equal(with, without, cmpopts.EquateComparable()) {
				t.Error("it changes nothing that is asked")
			}
		})
	}
	if len(left) > 0 {
		t.Errorf("flags without a sample: %v", left)
	}
}

// Law: what a job and a plan can be told, a flag can tell.
func TestEveryTrainFactHasAFlag(t *testing.T) {
	told := make(map[string]bool)
	for _, s := range trainSamples() {
		q, err := trainAsked(t, s.args()...)
		if err != nil {
			t.Fatal(err)
		}
		for _, of := range []reflect.Value{reflect.ValueOf(q.Job), reflect.ValueOf(q.Plan), reflect.ValueOf(q)} {
			for i := range of.NumField() {
				field := of.Type().Name() + "." + of.Type().Field(i).Name
				told[field] = told[field] || !of.Field(i).IsZero()
			}
		}
	}
	for _, filled := range []string{"Job.Shape", "Job.Name", "Job.Reference", "Job.Reward", "Job.Critic", "Job.Failing", "Job.Distilled", "Job.Unsaid", "Plan.GPU", "Plan.Fabric", "Plan.Elsewhere"} {
		if told[filled] {
			t.Errorf("%s is told, and is filled from other fields", filled)
		}
		delete(told, filled)
	}
	for field, ok := range told {
		if !ok {
			t.Errorf("no flag tells %s", field)
		}
	}
}

func TestTrainingFromFlags(t *testing.T) {
	unshared := train.Plan{Zero: -1}
	for _, c := range []struct {
		name string
		args []string
		want diligence.TrainingQuestion
	}{
		{
			"what is done with a model that is named is not settled here",
			[]string{"acme/x"},
			diligence.TrainingQuestion{Ref: model.Ref{Scheme: model.SchemeHub, Name: "acme/x"}, Plan: unshared},
		},
		{
			"one that is described is made",
			[]string{"--params", "0.354B"},
			diligence.TrainingQuestion{Params: 354e6, Job: train.Job{Method: train.Pretrain}, Plan: unshared},
		},
		{
			"by hand",
			[]string{"--layers", "32", "--hidden", "4K", "--vocab", "50k"},
			diligence.TrainingQuestion{Layers: 32, Hidden: 4096, Vocab: 50_000, Job: train.Job{Method: train.Pretrain}, Plan: unshared},
		},
		{
			"experts",
			[]string{"--params", "671B", "--active-params", "37B", "--tokens", "14800B"},
			diligence.TrainingQuestion{Params: 671e9, Active: 37e9, Job: train.Job{Method: train.Pretrain, Tokens: 14.8e12}, Plan: unshared},
		},
		{
			"a deadline looks for the number",
			[]string{"--params", "8B", "--deadline", "2w"},
			diligence.TrainingQuestion{Params: 8e9, Job: train.Job{Method: train.Pretrain}, Plan: unshared, Auto: true, Deadline: 14 * 24 * time.Hour},
		},
		{
			"a deadline with so many cards looks for their division",
			[]string{"--params", "8B", "--deadline", "2w", "--gpus", "64"},
			diligence.TrainingQuestion{
				Params: 8e9, Job: train.Job{Method: train.Pretrain}, Plan: train.Plan{Zero: -1, GPUs: 64}, Auto: true, Deadline: 14 * 24 * time.Hour,
			},
		},
		{
			"all cards in any case",
			[]string{"--params", "8B", "--compare", "ALL"},
			diligence.TrainingQuestion{Params: 8e9, Job: train.Job{Method: train.Pretrain}, Plan: unshared, Compare: []string{"all"}},
		},
		{
			"the last of two numbers",
			[]string{"--params", "8B", "--gpus", "Auto", "--gpus", "8"},
			diligence.TrainingQuestion{Params: 8e9, Job: train.Job{Method: train.Pretrain}, Plan: train.Plan{Zero: -1, GPUs: 8}},
		},
		{
			"and the other way",
			[]string{"--params", "8B", "--gpus", "8", "--gpus", "auto"},
			diligence.TrainingQuestion{Params: 8e9, Job: train.Job{Method: train.Pretrain}, Plan: unshared, Auto: true},
		},
		{
			"full sequences",
			[]string{"--params", "8B", "--packing"},
			diligence.TrainingQuestion{Params: 8e9, Job: train.Job{Method: train.Pretrain, Fill: 1}, Plan: unshared},
		},
		{
			"every linear module is none that is named",
			[]string{"--params", "8B", "--method", "lora", "--lora-targets", "all-linear"},
			diligence.TrainingQuestion{Params: 8e9, Job: train.Job{Method: train.LoRA}, Plan: unshared},
		},
		{
			"an engine beside",
			[]string{"--params", "8B", "--method", "ppo", "--rollout-engine", "colocated"},
			diligence.TrainingQuestion{Params: 8e9, Job: train.Job{Method: train.PPO, Rollout: true}, Plan: unshared},
		},
		{
			"names that others have",
			[]string{"--params", "8B", "--method", "SFT", "--framework", "NeMo", "--optimizer", "paged_adamw_8bit", "--precision", "bfloat16", "--schedule", "zb"},
			diligence.TrainingQuestion{
				Params: 8e9, Job: train.Job{Method: train.Full, Framework: train.Megatron, Optimizer: train.AdamW8bit, Precision: train.BF16},
				Plan: train.Plan{Zero: -1, Schedule: train.ZeroBubble},
			},
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := trainAsked(t, c.args...)
			if err != nil {
				t.Fatal(err)
			}
			if said := slices.Contains(c.args, "--method") || got.Ref != (model.Ref{}); said != (len(got.Assumed) == 0) {
				t.Errorf("assumed %+v", got.Assumed)
			}
			if diff := cmp.Diff(c.want, got, cmpopts.EquateComparable(), cmpopts.IgnoreFields(diligence.TrainingQuestion{}, "Assumed")); diff != "" {
				t.Error("-want +got\n" + diff)
			}
		})
	}
}

func TestAmount(t *testing.T) {
	for s, want := range map[string]float64{
		"8B": 8e9, "0.354B": 354e6, "6.74b": 6.74e9, "116.8B": 116.8e9, "14800B": 14.8e12, "1e+06B": 1e15, "2T": 2e12, "15.6T": 15.6e12, "300 bn": 300e9,
		"1e12": 1e12, "1_000_000": 1e6, "1,000k": 1e6, "500M": 5e8, "7": 7,
	} {
		if got, ok := parseAmount(s); !ok || got != want {
			t.Errorf("%q: got %g, %v, want %g", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "B", "8X", "8BB", "inf", "nan", "0x1p4", "1e400", "8 parameters", "--8B", "eB", "8Bn2", "٨B"} {
		if got, ok := parseAmount(s); ok {
			t.Errorf("%q is read as %g", s, got)
		}
	}
}

func TestPeriod(t *testing.T) {
	for s, want := range map[string]float64{
		"30d": 720, "2w": 336, "6 weeks": 1008, "720h": 720, "1d12h": 36, "1.5 Days": 36, "90min": 1.5, "5y": 43800, "50000 hours": 50000, "3 months": 2190,
	} {
		if got, ok := parsePeriod(s); !ok || got != want {
			t.Errorf("%q: got %g h, %v, want %g", s, got, ok, want)
		}
	}
	for _, s := range []string{"", "30", "d", "30x", "-3d", "1e3d", "1..2d", "d30", "30d5", "infd", "3 fortnights"} {
		if got, ok := parsePeriod(s); ok {
			t.Errorf("%q is read as %g h", s, got)
		}
	}
}

// Law: no text is read as an amount or a time that is no number.
func FuzzTrainValues(f *testing.F) {
	for _, s := range []string{"8B", "1e12", "0.354B", "30d", "1d12h", "1e+06B", "inf", "9e999T", "9999999999999999y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if v, ok := parseAmount(s); ok && (v != v || v < -1e308 || v > 1e308) {
			t.Errorf("%q is read as %g", s, v)
		}
		var d time.Duration
		if err := (&period{&d, maxFailing, "x"}).Set(s); err == nil && (d < time.Minute || d > maxFailing) {
			t.Errorf("%q is read as %s", s, d)
		}
		var n float64
		if err := (&amount{&n, 1, maxRunTokens, "x"}).Set(s); err == nil && !(n >= 1 && n <= maxRunTokens) {
			t.Errorf("%q is read as %g", s, n)
		}
	})
}

// Law: flags that contradict each other, or would change nothing, are refused by their names, with what to do.
func TestTrainRefused(t *testing.T) {
	for _, c := range []struct{ args, want string }{
		{"", "no model is named and none described; name one like org/name or ./config.json, or give --params"},
		{"acme/x --params 8B", "--params describes a model that does not exist yet, and one that does is named"},
		{"acme/x --vocab 9", "--vocab describes a model"},
		{"acme/x --layers 9", "--layers describes a model"},
		{"--vocab 32000", "no model is named"},
		{"--params 8B --vocab 32000", "--params chooses the vocabulary"},
		{"--params 8B --layers 32 --hidden 4096", "give one of the two"},
		{"--params 8B --hidden 4096", "give one of the two"},
		{"--layers 32", "--layers and --hidden belong together"},
		{"--hidden 4096", "--layers and --hidden belong together"},
		{"--params 8B --active-params 9B", "--active-params 9B are more than all of --params 8B"},
		{"--active-params 2B --layers 32 --hidden 4096", "--active-params are of --params"},
		{"license:mit", "a license has no size"},
		{"acme/x --method dpo --reference license:mit", "reading --reference: reading model reference"},
		{"--params 8X", `--params is "8X": want a number of parameters from 10M to 10T, like 8B or 0.35B`},
		{"--params 12", "want a number of parameters"},
		{"--params 1e300", "want a number of parameters"},
		{"--params=-8B", "want a number of parameters"},
		{"--params NaN", "want a number of parameters"},
		{"acme/x --tokens 0", `--tokens is "0": want a number of tokens`},
		{"acme/x --tokens inf", "want a number of tokens"},
		{"acme/x --method dpoo", `--method is "dpoo": want one of pretrain, full, lora, qlora, dpo, ppo, grpo`},
		{"acme/x --framework tensorflow", "want one of megatron, fsdp"},
		{"acme/x --precision int8", "want one of bf16"},
		{"acme/x --zero 4", `--zero is "4": want a whole number from 0 to 3`},
		{"acme/x --gpus many", `--gpus is "many": want a whole number from 1 to 1,048,576, or auto`},
		{"acme/x --gpus 0", "or auto"},
		{"acme/x --tp 99999999999", "want a whole number"},
		{"acme/x --global-batch 4M", "want a whole number from 1 to 1,048,576"},
		{"acme/x --deadline 30", `--deadline is "30": want a time like 30d, 6w or 720h`},
		{"acme/x --deadline 0d", "want a time"},
		{"acme/x --mtbf 5000y", "want a time like 50000h or 5y"},
		{"acme/x --gpu=", "--gpu is empty"},
		{"acme/x --gpu all", "--gpu all: a plan of training is made for one card"},
		{"acme/x --compare H100,all", "--compare H100,all names all cards and others beside them"},
		{"acme/x --gpu 8xH100", `say --gpus 8 --gpu "H100"`},
		{"acme/x --compare 8xH100", "name the card alone"},
		{"acme/x --best-division", "--best-division is of the cards of --gpus"},
		{"acme/x --gpus auto --best-division", "leave --best-division out"},
		{"acme/x --gpus 8 --max-gpus 16", "--max-gpus bounds the search for a number of cards, and --gpus 8 says it"},
		{"acme/x --max-gpus 16", "give --gpus auto or --deadline"},
		{"acme/x --deadline 9d", "give --tokens, or --data-tokens"},
		{"acme/x --gpus auto --dp 4", "--dp 4 fixes it"},
		{"acme/x --pp 1 --virtual-stages 2", "--pp is 1"},
		{"acme/x --pp 1 --schedule interleaved", "--schedule interleaved is of a pipeline"},
		{"acme/x --virtual-stages 2 --schedule 1f1b", "make the schedule interleaved"},
		{"acme/x --virtual-stages 1 --schedule interleaved", "give 2 or more"},
		{"acme/x --zero 0 --shard-group 8", "--zero 0 says nobody shares"},
		{"acme/x --dp 12 --shard-group 8", "--shard-group 8 does not divide --dp 12"},
		{"acme/x --micro-batch 8 --global-batch 4", "--micro-batch 8 is more than --global-batch 4"},
		{"acme/x --tp 1 --no-sequence-parallel", "--tp is 1"},
		{"acme/x --epochs 3", "give --data-tokens too"},
		{"acme/x --epochs 3 --data-tokens 1B --tokens 2B", "leave one of the two out"},
		{"acme/x --packing --fill 0.5", "--packing fills every sequence"},
		{"acme/x --pure-bf16 --precision fp16", "--precision is fp16"},
		{"acme/x --optimizer-in-backward --offload optimizer", "steps on the host"},
		{"acme/x --method lora --lora-targets q_proj,,v_proj", "names an empty module"},
		{"acme/x --method lora --lora-targets all-linear,q_proj", "leave them out"},
		{"acme/x --lora-rank 8", "--lora-rank is of lora and qlora, and without --method it is full; give --method lora or qlora, or leave --lora-rank out"},
		{"acme/x --method full --lora-targets q_proj", "--lora-targets is of lora and qlora, and --method is full"},
		{"--params 8B --train-embeddings", "without --method it is pretrain"},
		{"acme/x --method lora --frozen nf4", "--frozen is of qlora, and --method is lora"},
		{"acme/x --method dpo --frozen nf4", "give --lora-rank too"},
		{"acme/x --method grpo --lora-targets q_proj", "give --lora-rank too"},
		{"acme/x --reference acme/y", "--reference is of dpo, ppo and grpo"},
		{"acme/x --method dpo --reward acme/y", "--reward is of ppo and grpo"},
		{"acme/x --method grpo --critic acme/y", "--critic is of ppo, and --method is grpo"},
		{"acme/x --method ppo --group-size 8", "--group-size is of grpo, and --method is ppo; give --method grpo, or leave --group-size out"},
		{"acme/x --method dpo --prompt-tokens 8", "--prompt-tokens is of ppo and grpo"},
		{"acme/x --method sft --rollout-engine apart", "--rollout-engine is of ppo and grpo"},
		{"acme/x --method grpo --seq-len 512 --prompt-tokens 512", "leave no room for an answer"},
		{"acme/x --price 2", "--price is of one card, and none is named; give --gpu"},
		{"acme/x --price 2 --gpu H100,H200", "--price is of one card, and others are compared"},
		{"acme/x --own --purchase-price 9 --gpu H100 --compare H200", "--purchase-price is of one card"},
		{"acme/x --own --price 2 --gpu H100", "give one"},
		{"acme/x --format pdf", `unknown --format "pdf"`},
		{"acme/x --utilization 0.5", "unknown flag: --utilization"},
	} {
		t.Run(c.args, func(t *testing.T) {
			a, out, errs := world(t, "")
			code := Main(t.Context(), append([]string{"estimate", "train"}, strings.Fields(c.args)...), a)
			if code != Usage || !strings.Contains(errs.String(), c.want) || out.Len() > 0 {
				t.Errorf("got status %d, %q on stderr and %q on stdout, want 2, %q and nothing", code, errs, out, c.want)
			}
		})
	}
}

// Several faults are told together.
func TestTrainFaultsTogether(t *testing.T) {
	_, err := trainAsked(t, "acme/x", "--params", "8B", "--gpu", "all", "--epochs", "2", "--group-size", "8")
	for _, want := range []string{"--params", "--gpu all", "--epochs", "--group-size"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %s in it", err, want)
		}
	}
}

// What goes together is not refused.
func TestTrainTaken(t *testing.T) {
	for _, args := range []string{
		"acme/x acme/y --method lora",
		"./train --method full",
		"--layers 32 --hidden 4096 --vocab 32K",
		"--params 8B --active-params 8B",
		"--params 8B --deadline 30d",
		"acme/x --data-tokens 1B --deadline 30d",
		"acme/x --tokens 1B --data-tokens 1B",
		"acme/x --pp 1 --virtual-stages 1 --tp 1 --cp 1 --ep 1",
		"acme/x --method dpo --lora-rank 16 --frozen nf4 --train-embeddings --lora-targets q_proj",
		"acme/x --method qlora --lora-rank 16 --frozen int8",
		"acme/x --gpus auto --tp 8 --pp 2",
		"acme/x --tokens 1B --gpus 8 --deadline 9d",
		"acme/x --gpus 8 --best-division",
		"acme/x --gpus auto --max-gpus 512",
		"acme/x --tokens 1B --deadline 9d --max-gpus 512",
		"acme/x --compare All",
		"acme/x --micro-batch 4 --global-batch 4",
		"acme/x --gpu H100,B200 --compare MI300X --seller neocloud",
		"acme/x --method grpo --rollout-engine apart --prompt-tokens 512 --seq-len 4K --group-size 8 --reward acme/y --reference acme/z",
	} {
		if _, err := trainAsked(t, strings.Fields(args)...); err != nil {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// Completion offers the words of every flag that has words, and each of them is taken.
func TestTrainCompletion(t *testing.T) {
	a, _, _ := world(t, "")
	cmd, _, err := newRoot(a).Find([]string{"estimate", "train"})
	if err != nil {
		t.Fatal(err)
	}
	beside := make(map[string][]string)
	for _, s := range trainSamples() {
		beside[s.flag] = s.beside
	}
	var found []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) {
		complete, ok := cmd.GetFlagCompletionFunc(f.Name)
		if !ok {
			return
		}
		found = append(found, f.Name)
		offered, _ := complete(cmd, nil, "")
		for _, w := range offered {
			word, _, _ := strings.Cut(w, "\t")
			args := append(slices.Clone(beside[f.Name]), "--"+f.Name, word)
			if len(beside[f.Name]) == 0 {
				args = append(args, "acme/x")
			}
			if _, err := trainAsked(t, args...); err != nil {
				t.Errorf("%q is offered and refused: %v", args, err)
			}
		}
		if len(offered) == 0 {
			t.Errorf("--%s offers nothing", f.Name)
		}
	})
	for name := range strings.FieldsSeq("method gpu gpus compare zero schedule framework precision optimizer recompute loss offload lora-targets frozen " +
		"fabric reference reward critic rollout-engine price-terms seller country format") {
		if !slices.Contains(found, name) {
			t.Errorf("--%s has no completion", name)
		}
	}
	for typed, want := range map[string]string{"q_proj,v": "q_proj,v_proj", "K": "k_proj"} {
		if got, _ := completeTargets(nil, nil, typed); !slices.Equal(got, []string{want}) {
			t.Errorf("%q: offered %q, want %q", typed, got, want)
		}
	}
}

// Law: no name that others have means two of our flags, or hides one of ours.
func TestTrainerFlags(t *testing.T) {
	a, _, _ := world(t, "")
	cmd := newTrain(&global{app: a}, nil)
	names := trainerFlags()
	if len(names) < 100 {
		t.Fatalf("%d names", len(names))
	}
	for name, ours := range names {
		switch {
		case cmd.Flags().Lookup(ours) == nil:
			t.Errorf("--%s is taken for --%s, which there is not", name, ours)
		case cmd.Flags().Lookup(name) != nil:
			t.Errorf("--%s is a flag of ours", name)
		}
		if again := trainerFlags()[name]; again != ours {
			t.Errorf("--%s is --%s and --%s", name, ours, again)
		}
	}
	for args, want := range map[string]string{
		"--tensor-model-parallel-size 2": "did you mean --tp?", "--per-device-train-batch-size 2": "did you mean --micro-batch?", "--lora_r 8": "did you mean --lora-rank?",
		"--tokns 2T": "did you mean --tokens?", "--num-generations 8": "did you mean --group-size?",
	} {
		_, err := trainAsked(t, append([]string{"acme/x"}, strings.Fields(args)...)...)
		if s, ok := errors.AsType[*statusError](err); !ok || !strings.Contains(s.Hint, want) {
			t.Errorf("%s: got %v, want the hint %s", args, err, want)
		}
	}
}

// The command stands between estimate and the model; a folder of its name is written with its path.
func TestTrainIsACommand(t *testing.T) {
	a, _, errs := world(t, "")
	if code := Main(t.Context(), []string{"estimate", "acme/x", "train"}, a); code != Usage || !strings.Contains(errs.String(), "hint: llmcheck estimate train acme/x; a folder of that name is ./train") {
		t.Errorf("behind a model: got %d and %q", code, errs)
	}
	root := newRoot(a)
	for args, want := range map[string]string{"estimate train acme/x": "train", "estimate ./train": "estimate", "estimate acme/train": "estimate", "estimate hf:train/x": "estimate"} {
		if cmd, _, err := root.Find(strings.Fields(args)); err != nil || cmd.Name() != want {
			t.Errorf("%s: got %s, %v, want %s", args, cmd.Name(), err, want)
		}
	}
}

func TestTrainCode(t *testing.T) {
	for _, c := range []struct {
		name    string
		verdict train.Verdict
		search  *report.TrainingSearch
		err     error
		want    Code
	}{
		{"fits", train.Fits, nil, nil, OK},
		{"tight", train.Tight, nil, nil, NotEnough},
		{"does not fit", train.DoesNot, nil, nil, No},
		{"nothing is known of the card", "undetermined", nil, nil, NotEnough},
		{"no plan does it", train.DoesNot, &report.TrainingSearch{Why: "none is done in time"}, nil, No},
		{"in time", train.Fits, &report.TrainingSearch{Deadline: 30}, nil, OK},
		{"perhaps in time", train.Fits, &report.TrainingSearch{Deadline: 15}, nil, NotEnough},
		{"too late", train.Fits, &report.TrainingSearch{Deadline: 5}, nil, No},
		{"in time, and does not fit", train.DoesNot, &report.TrainingSearch{Deadline: 30}, nil, No},
		{"in time, and tight", train.Tight, &report.TrainingSearch{Deadline: 30}, nil, NotEnough},
		{"a plan was found", train.Fits, &report.TrainingSearch{Looked: 9}, nil, OK},
		{"an architecture without a rule", "undetermined", nil, fmt.Errorf("sizing: %w", arch.ErrUnknown), NotEnough},
		{"nobody was asked", "undetermined", nil, fmt.Errorf("opening: %w", source.ErrOffline), NotEnough},
		{"not found on the hub", "undetermined", nil, source.ErrNotFound, Unreachable},
		{"a hub that does not answer", "undetermined", nil, source.ErrUnreachable, Unreachable},
		{"a broken configuration", "undetermined", nil, diligence.ErrShape, Usage},
	} {
		t.Run(c.name, func(t *testing.T) {
			doc := &report.Document{
				Subject: report.Subject{Ref: "acme/x", Origin: string(model.SchemeHub)},
				Training: &report.Training{
					TrainingOutlook: report.TrainingOutlook{
						Verdict: string(c.verdict), Fits: c.verdict == train.Fits, Plan: &report.TrainingPlan{}, Time: &report.Range{Low: 10, Mid: 15, High: 20},
					},
					Found: c.search,
				},
			}
			if got := trainCode(doc, c.err); got != c.want {
				t.Errorf("got %d, want %d", got, c.want)
			}
		})
	}
}

// Law: a flag that a message of training names is a flag.
func TestTrainFlagsInMessages(t *testing.T) {
	a, _, _ := world(t, "")
	cmd := newTrain(&global{app: a}, nil)
	var files []string
	for _, pattern := range []string{"../train/*.go", "../train/catalog/*.go", "../diligence/train*.go", "../report/training*.go", "../arch/sketch*.go"} {
		some, err := filepath.Glob(pattern)
		if err != nil || len(some) == 0 {
			t.Fatalf("no file is like %s: %v", pattern, err)
		}
		files = append(files, some...)
	}
	literal, flag := regexp.MustCompile("\"(?:[^\"\\\\]|\\\\.)*\"|`[^`]*`"), regexp.MustCompile(`(?:^|[^-\w])--([a-z][a-z0-9-]*)`)
	found := 0
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range literal.FindAllString(string(data), -1) {
			for _, named := range flag.FindAllStringSubmatch(text, -1) {
				found++
				if cmd.Flags().Lookup(named[1]) == nil {
					t.Errorf("%s: %s names --%s, which there is not", file, text, named[1])
				}
			}
		}
	}
	if found < 20 {
		t.Errorf("%d flags are named, want at least 20", found)
	}
}

// Law: whatever is said of whichever model, there is an answer or a reason, and every range of it is one.
func TestTrainHostile(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	pick := func(words ...string) string { return words[r.IntN(len(words))] }
	samples := trainSamples()
	models := []string{
		"Qwen/Qwen3-8B", "deepseek-ai/DeepSeek-V3", "google/gemma-3-27b-it", "--params 8B", "--params 10M", "--params 10T", "--params 671B --active-params 37B",
		"--layers 1 --hidden 64 --vocab 1", "--layers 10000 --hidden 1048576",
	}
	answered := 0
	for range 120 {
		args := append([]string{"estimate", "train", "--offline", "--format", "json"}, strings.Fields(pick(models...))...)
		if r.IntN(2) == 0 {
			args = append(args, "--method", pick(texts(train.Methods())...))
		}
		args = append(args, "--gpu", pick("H100", "rtx-4090", "24GB", "unknown", "mi300x"), "--gpus", pick("1", "8", "7", "4096", "1048576", "auto"))
		for range r.IntN(3) {
			s := samples[r.IntN(len(samples))]
			args = append(args, (&sample{flag: s.flag, value: s.value}).args()...)
		}
		for _, big := range []string{"seq-len 67108864", "global-batch 1048576", "tokens 1e18", "tp 1048576", "micro-batch 1048576", "fill 1e-9", "mtbf 1m"} {
			if r.IntN(12) == 0 {
				args = append(args, strings.Fields("--"+big)...)
			}
		}
		a, out, errs := world(t, "")
		code := Main(t.Context(), args, a)
		if code == Usage && errs.Len() > 0 && out.Len() == 0 {
			continue
		}
		answered++
		if code != OK && code != No && code != NotEnough {
			t.Errorf("%q: status %d, %s", args, code, errs)
			continue
		}
		var doc any
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			t.Errorf("%q: %v", args, err)
		}
		if where := disordered(doc, ""); where != "" {
			t.Errorf("%q: %s", args, where)
		}
	}
	if answered < 25 {
		t.Errorf("%d answers, want at least 25", answered)
	}
}

// disordered names a number below zero or a range that is none.
func disordered(v any, at string) string {
	switch v := v.(type) {
	case float64:
		if v < 0 {
			return fmt.Sprintf("%s is %g", at, v)
		}
	case []any:
		for i, one := range v {
			if where := disordered(one, fmt.Sprintf("%s[%d]", at, i)); where != "" {
				return where
			}
		}
	case map[string]any:
		low, isLow := v["low"].(float64)
		mid, isMid := v["mid"].(float64)
		high, isHigh := v["high"].(float64)
		if isLow && isMid && isHigh && !(low <= mid && mid <= high) {
			return fmt.Sprintf("%s is %g, %g, %g", at, low, mid, high)
		}
		for key, one := range v {
			if where := disordered(one, at+"."+key); where != "" {
				return where
			}
		}
	}
	return ""
}
