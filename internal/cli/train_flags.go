package cli

import (
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/llmcheck/llmcheck/internal/diligence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/train"
)

// trainFlags are the flags as they were given; zero values are what nobody said.
type trainFlags struct {
	params, active        float64
	layers, hidden, vocab int64

	cards, compare []string
	auto, best     bool
	most           int
	fabric         string
	node           int
	gbit           float64
	failing        time.Duration

	job     train.Job
	plan    train.Plan
	packing bool
	rollout rolloutWord
	others  otherModels

	deadline     time.Duration
	have, epochs float64
	money        moneyFlags
	explain      bool
}

// The most that is believed.
const (
	maxParams     = 1e15
	maxRunTokens  = 1e18
	maxTrainGPUs  = 1 << 20
	maxSequences  = 1 << 20
	maxWidth      = 1 << 24
	maxRank       = 1 << 16
	maxEpochs     = 1e4
	maxGbit       = 1e5
	maxDeadline   = 100 * year
	maxFailing    = 200 * year
	maxGroup      = 1 << 16
	maxVocabulary = 1 << 26
)

// declare puts the flags of the question into sections, and those of the answer onto the command itself.
func (f *trainFlags) declare(answer *pflag.FlagSet) sections {
	var s sections
	f.declareModel(s.add("Model and method"))
	f.declareRun(s.add("Run and data"))
	f.declareCards(s.add("Cards and network"))
	f.declareDivision(s.add("Division"))
	f.declareRecipe(s.add("Framework and memory"))
	f.declareAdapters(s.add("Adapters"))
	f.declareAlignment(s.add("Alignment"))
	f.money.declarePrices(s.add("Prices and energy"))
	answer.BoolVar(&f.explain, "explain", false, "show every number with its formula, inputs and source")
	return s
}

func (f *trainFlags) declareModel(fl *pflag.FlagSet) {
	whole := wholeOn(fl)
	const parameters = "a number of parameters from 1k to 1000T, like 8B or 0.35B"
	fl.Var(&choice[train.Method]{&f.job.Method, train.Methods(), otherMethods()}, "method",
		"`what` is trained: "+list(train.Methods())+" (default: full for a model that is named, pretrain for one that is not or that sees more than a token for each parameter)")
	fl.Var(&amount{&f.params, 1e3, maxParams, parameters}, "params", "`parameters` of a model that does not exist yet, like 8B")
	fl.Var(&amount{&f.active, 1e3, maxParams, parameters}, "active-params", "of those, the `parameters` that one token passes (default: all; fewer make it a mixture of experts)")
	whole(&f.layers, "layers", 1, maxLayers, "`layers` of a model that does not exist yet, with --hidden, instead of --params")
	whole(&f.hidden, "hidden", 1, maxWidth, "`width` of its layers")
	whole(&f.vocab, "vocab", 1, maxVocabulary, "`entries` of its vocabulary (default: 128256)")
}

func (f *trainFlags) declareRun(fl *pflag.FlagSet) {
	whole, decimal := wholeOn(fl), decimalOn(fl)
	const tokens = "a number of tokens from 1 to a million trillion, like 300B, 15.6T or 1e12"
	fl.Var(&amount{&f.job.Tokens, 1, maxRunTokens, tokens}, "tokens", "`tokens` of the whole run, all epochs, like 300B or 15.6T")
	whole(&f.job.Sequence, "seq-len", 1, maxTokens, "`tokens` of a sequence; of an aligning method prompt and answer together")
	whole(&f.job.Global, "global-batch", 1, maxSequences, "`sequences` of one step of the optimizer; pairs of dpo, answers of ppo and grpo")
	fl.Var(&amount{&f.have, 1, maxRunTokens, tokens}, "data-tokens", "`tokens` of data at hand")
	decimal(&f.epochs, "epochs", maxEpochs, "a number of passes above 0, at most ten thousand", "`passes` over the data at hand (default: 1 where no --tokens are given)")
	fl.BoolVar(&f.packing, "packing", false, "short samples are put together until a sequence is full")
	decimal(&f.job.Fill, "fill", 1, "a share above 0 and up to 1, like 0.6", "`share` of a batch that is no padding")
	fl.Var(&period{&f.deadline, maxDeadline, "a time like 30d, 6w or 720h, from a minute to 100 years"}, "deadline", "the run has to be done in this `time`, like 30d or 6w; looks for the cards, or for the division of --gpus")
}

func (f *trainFlags) declareCards(fl *pflag.FlagSet) {
	fl.StringArrayVar(&f.cards, "gpu", nil, "`cards` as people write them; the first is planned for, others are compared (default: usual for the method)")
	fl.Var(&crew{&f.plan.GPUs, &f.auto}, "gpus", "`number` of cards in all; auto looks for it and for their division (default: as few as fit)")
	fl.BoolVar(&f.best, "best-division", false, "look for the best division of so many cards, as --gpus auto does of any number")
	fl.Var(&integer{&f.most, 1, maxTrainGPUs}, "max-gpus", "most `cards` that --gpus auto and --deadline look at")
	fl.StringArrayVar(&f.compare, "compare", nil, "`cards` that the same work is shown on: time, kWh and dollars; all is the usual ones of each generation")
	fl.StringVar(&f.fabric, "fabric", "", "`id` of how the cards reach each other (default: that of the machines they are mostly sold in)")
	fl.Var(&integer{&f.node, 1, maxTrainGPUs}, "gpus-per-node", "`cards` of one machine, where they differ from the fabric")
	decimalOn(fl)(&f.gbit, "network-gbit", maxGbit, "gigabits a second above 0, at most 100000", "`Gbit/s` of one card out of its machine, where they differ from the fabric")
	fl.Var(&period{&f.failing, maxFailing, "a time like 50000h or 5y, from a minute to 200 years"}, "mtbf", "mean `time` between failures of one card, like 50000h or 5y (default: as published of large runs)")
}

func (f *trainFlags) declareDivision(fl *pflag.FlagSet) {
	whole := func(to *int, name, usage string) { fl.Var(&integer{to, 1, maxTrainGPUs}, name, usage) }
	whole(&f.plan.Tensor, "tp", "tensor parallel `ranks`")
	whole(&f.plan.Pipeline, "pp", "pipeline parallel `stages`")
	whole(&f.plan.Context, "cp", "context parallel `ranks`, which share a sequence")
	whole(&f.plan.Expert, "ep", "`ranks` that share out the experts")
	whole(&f.plan.Data, "dp", "data parallel `replicas` of a stage")
	f.plan.Zero = unsaid
	fl.Var(&integer{&f.plan.Zero, 0, 3}, "zero", "what replicas share: 0 nothing, 1 `states` of the optimizer, 2 gradients too, 3 weights too, as FSDP does")
	whole(&f.plan.Shard, "shard-group", "replicas that share, where those are not all of them: hybrid sharding over so many `ranks`")
	fl.Var(&number{&f.plan.Micro, 1, maxSequences}, "micro-batch", "`sequences` of one pass of one replica")
	whole(&f.plan.Virtual, "virtual-stages", "`chunks` of layers on each stage, of an interleaved schedule")
	fl.Var(&choice[train.Schedule]{&f.plan.Schedule, schedules(), synonyms(map[train.Schedule]string{
		train.Interleaved: "interleaved-1f1b vpp", train.ZeroBubble: "zb zb-h1 zbh1 zbv zerobubble", train.OneFOneB: "1f-1b pipedream-flush",
	})}, "schedule", "`order` of the passes of a pipeline: "+list(schedules()))
	fl.BoolVar(&f.plan.NoOverlap, "no-overlap", false, "communication waits for computation")
	fl.BoolVar(&f.plan.NoSequence, "no-sequence-parallel", false, "tensor ranks keep all of what lies between their products")
}

func (f *trainFlags) declareRecipe(fl *pflag.FlagSet) {
	fl.Var(&choice[train.Framework]{&f.job.Framework, train.Frameworks(), synonyms(map[train.Framework]string{
		train.Megatron: "nemo megatron-lm megatron-core megatron-bridge mcore", train.FSDP: "fsdp2 pytorch torch", train.DeepSpeed: "zero",
		train.Foundry: "llmfoundry composer mosaicml", train.HF: "hf trl peft accelerate huggingface",
	})}, "framework", "`program` that trains: "+list(train.Frameworks()))
	fl.Var(&choice[train.Precision]{&f.job.Precision, train.Precisions(), synonyms(map[train.Precision]string{
		train.BF16: "bfloat16", train.FP16: "float16 half", train.FP32: "float32", train.FP8: "mxfp8", train.NVFP4: "fp4",
	})}, "precision", "number `format` of the products: "+list(train.Precisions())+" (default: bf16)")
	fl.Var(&choice[train.Optimizer]{&f.job.Optimizer, train.Optimizers(), synonyms(map[train.Optimizer]string{
		train.AdamW: "adam", train.AdamW8bit: "adamw8bit adam-8bit paged-adamw-8bit",
	})}, "optimizer", "`what` turns gradients into steps: "+list(train.Optimizers())+" (default: adamw)")
	fl.Var(&choice[train.Recompute]{&f.job.Recompute, recomputes(), nil}, "recompute", "`activations` that are computed again instead of kept: "+list(recomputes()))
	fl.Var(&choice[train.Loss]{&f.job.Loss, losses(), nil}, "loss", "`how` logits become a loss: "+list(losses())+"; the last two never keep all of them")
	fl.Var(&choice[train.Offload]{&f.job.Offload, offloads(), nil}, "offload", "`what` lies in the memory of the host: "+list(offloads()))
	fl.BoolVar(&f.job.PureBF16, "pure-bf16", false, "weights, gradients and states in bf16, without a copy in fp32")
	fl.BoolVar(&f.job.NoFlash, "no-flash", false, "attention writes its scores to memory")
	fl.BoolVar(&f.job.InBackward, "optimizer-in-backward", false, "the optimizer steps while gradients come, so that none are kept")
}

func (f *trainFlags) declareAdapters(fl *pflag.FlagSet) {
	fl.Var(&number{&f.job.Rank, 1, maxRank}, "lora-rank", "`rank` of the adapters; with dpo, ppo or grpo it chooses adapters (default: usual for lora and qlora)")
	fl.StringSliceVar(&f.job.Targets, "lora-targets", nil, "`modules` with adapters, like q_proj,v_proj (default: every linear one)")
	fl.Var(&choice[string]{&f.job.Quantized, frozenFormats(), synonyms(map[string]string{"nf4": "bnb-nf4 4bit 4-bit", "nf4-dq": "double", "int4": "gptq awq", "int8": "8bit 8-bit"})},
		"frozen", "`format` of the weights under the adapters of qlora: "+strings.Join(frozenFormats(), ", "))
	fl.BoolVar(&f.job.TrainOuter, "train-embeddings", false, "embedding and head are trained beside the adapters")
}

func (f *trainFlags) declareAlignment(fl *pflag.FlagSet) {
	whole := wholeOn(fl)
	fl.StringVar(&f.others.reference, "reference", "", "frozen `model` that dpo, ppo and grpo hold against (default: one like the model)")
	fl.StringVar(&f.others.reward, "reward", "", "`model` that judges answers, of ppo and grpo")
	fl.StringVar(&f.others.critic, "critic", "", "`model` of the critic of ppo (default: one like the model)")
	whole(&f.job.Group, "group-size", 2, maxGroup, "`answers` to one prompt, of grpo")
	whole(&f.job.Prompt, "prompt-tokens", 1, maxTokens, "`tokens` of --seq-len that are the prompt, of ppo and grpo")
	fl.Var(&choice[rolloutWord]{&f.rollout, []rolloutWord{colocated, sleeping, apart}, nil}, "rollout-engine",
		"where answers are written: colocated on the same `cards`, sleeping there while gradients are computed, or apart on others, which are not counted (default: colocated)")
}

// rolloutWord says where the engine that writes answers runs.
type rolloutWord string

const (
	colocated rolloutWord = "colocated"
	sleeping  rolloutWord = "sleeping"
	apart     rolloutWord = "apart"
)

// otherMethods are names that people have for the methods.
func otherMethods() map[string]train.Method {
	return synonyms(map[train.Method]string{
		train.Pretrain: "pre-train pretraining pre-training", train.Full: "sft finetune fine-tune full-finetune cpt continued-pretraining",
		train.PPO: "rlhf",
	})
}

func schedules() []train.Schedule {
	return []train.Schedule{train.OneFOneB, train.Interleaved, train.ZeroBubble}
}

func recomputes() []train.Recompute {
	return []train.Recompute{train.None, train.Selective, train.Whole}
}
func losses() []train.Loss { return []train.Loss{train.Plain, train.Chunked, train.Fused} }
func offloads() []train.Offload {
	return []train.Offload{train.NoOffload, train.OffOptimizer, train.OffAll}
}
func frozenFormats() []string { return []string{"nf4", "nf4-dq", "int8", "int4"} }

// allLinear is the word for every linear module, as peft has it.
const allLinear = "all-linear"

// usualTargets are the modules of most models as their code names them.
func usualTargets() []string {
	return []string{allLinear, "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
}

func list[T ~string](words []T) string { return strings.Join(texts(words), ", ") }

// method is what is trained, also where nobody said.
func (f *trainFlags) method(named bool) train.Method {
	switch {
	case f.job.Method != "":
		return f.job.Method
	case named:
		return train.Full
	}
	return train.Pretrain
}

func (f *trainFlags) question(ref model.Ref, others otherRefs) diligence.TrainingQuestion {
	job := f.job
	var assumed []train.Setting
	if job.Method == "" && ref == (model.Ref{}) {
		job.Method = f.method(false)
		assumed = []train.Setting{{Name: "method", Value: string(job.Method), Why: "a model that does not exist yet is made from nothing; give --method"}}
	}
	if f.packing {
		job.Fill = 1
	}
	if len(job.Targets) == 1 && strings.EqualFold(job.Targets[0], allLinear) {
		job.Targets = nil
	}
	job.Rollout, job.RolloutFree, job.Apart = f.rollout == colocated || f.rollout == sleeping, f.rollout == sleeping, f.rollout == apart
	return diligence.TrainingQuestion{
		Ref: ref, Params: int64(f.params), Active: int64(f.active), Layers: f.layers, Hidden: f.hidden, Vocab: f.vocab,
		Cards: f.cards, Job: job, Plan: f.plan, Auto: f.auto || f.best || f.deadline > 0, Most: f.most, Deadline: f.deadline,
		Fabric: f.fabric, Node: f.node, NetGbit: f.gbit, Failing: f.failing,
		Reference: others.reference, Reward: others.reward, Critic: others.critic,
		Have: f.have, Epochs: f.epochs, Compare: allAlone(f.compare), Money: f.money.money(), Explain: f.explain, Assumed: assumed,
	}
}

// allAlone gives the word for all cards the case that it has.
func allAlone(cards []string) []string {
	if len(cards) == 1 && isAll(cards[0]) {
		return []string{"all"}
	}
	return cards
}
