package train

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// accounts says what a complete plan takes on each device.
type accounts func(*Job, *Plan) (*Memory, error)

// filler fills what nobody said, and keeps why.
type filler struct {
	Job
	Plan
	account accounts
	settled []Setting
	fits    bool // most likely

	total, inExperts int64   // parameters
	peak             float64 // FLOP a second of a device
	active           float64 // parameters that a token passes
	want, critical   float64 // sequences of the usual batch, and of the largest that makes sense
}

// count walks the shape once for all trials.
func (f *filler) count() {
	f.total, f.inExperts = f.Shape.Params().Total, f.Shape.Of(arch.Experts).Total
	f.want, _ = f.wanted()
	f.active = float64(f.Shape.Params().Active)
	f.peak = Peak(&f.Job, &f.Plan)
	f.critical = Sensible(&f.Job) / float64(f.Sequence)
}

// note keeps what took the place of something that nobody said.
func (f *filler) note(name, value, why string) {
	f.settled = append(f.settled, Setting{name, value, why})
}

// Complete fills what nobody said, in the way the framework and the usual practice would. A plan that does not fit is
// completed too: the division is then the one that takes least. An error wraps ErrIllegal, with what would be legal, or
// ErrUnknown where no card was named.
func Complete(j Job, p Plan) (Job, Plan, []Setting, error) { return complete(j, p, Account) }

// complete fills a job and a plan, which it does not change where something was said. One thing is read in another way:
// torchtitan calls the sequences of a rank a batch, and cuts them itself into the passes of a pipeline.
func complete(j Job, p Plan, account accounts) (Job, Plan, []Setting, error) {
	f := &filler{Job: j, Plan: p, account: account}
	if err := f.complete(); err != nil {
		return j, p, nil, err
	}
	if !f.fits {
		f.elsewhere(j, p)
	}
	return f.Job, f.Plan, f.settled, nil
}

func (f *filler) complete() error {
	if err := f.believable(); err != nil {
		return err
	}
	f.Unsaid |= open(&f.Job, &f.Plan)
	f.method()
	f.framework()
	f.numbers()
	f.sequence()
	f.adapters()
	f.alignment()
	if err := f.knownWords(); err != nil {
		return err
	}
	f.devices()
	if err := f.divide(); err != nil {
		return err
	}
	return f.Check(&f.Job)
}

// believable refuses what cannot be completed: no model, no card, or values that are no answer to anything.
func (f *filler) believable() error {
	if f.Shape == nil {
		return illegal("there is no model to train")
	}
	if f.GPU == nil {
		return fmt.Errorf("%w: no card was named, say --gpu", ErrUnknown)
	}
	for _, b := range append(f.limited(&f.Job), f.optionals(&f.Job)...) {
		if b.name == "ZeRO stage" && b.n == -1 {
			continue
		}
		b.least = min(b.least, 0)
		if b.n < b.least || b.n > b.most {
			return illegal("%s: %d is outside of the range, say %d to %d", b.name, b.n, max(1, b.least), b.most)
		}
	}
	return f.real()
}

// knownWords refuses words that are not known before anything is derived from them.
func (f *filler) knownWords() error {
	p := f.Plan
	p.Schedule = OneFOneB
	if f.Schedule != "" {
		p.Schedule = f.Schedule
	}
	j := f.Job
	if j.Recompute == "" {
		j.Recompute = None
	}
	return p.legalNamed(&j)
}

// fewTokens is how many tokens for each parameter fine-tuning has at most; a run with more is pre-training.
const fewTokens = 1

func (f *filler) method() {
	if f.Method != "" {
		return
	}
	f.Method = Full
	why := "nobody said the method, and nearly everybody fine-tunes"
	if f.Tokens > fewTokens*float64(f.Shape.Params().Total) {
		f.Method, why = Pretrain, "nobody said the method, and nobody fine-tunes on more than a token for each parameter"
	}
	f.note("method", string(f.Method), why)
}

// large is how many parameters a model has that is not pre-trained without tensor or pipeline parallelism.
const large = 10e9

func (f *filler) framework() {
	if f.Framework != "" {
		return
	}
	var why string
	switch {
	case f.Method == Pretrain && f.Shape.Params().Total > large:
		f.Framework, why = Megatron, "most large models are pre-trained with it, since it divides layers and products over devices"
	case f.Method == Pretrain:
		f.Framework, why = FSDP, "models of this size are trained with weights and states shared by data ranks and nothing more (MPT, OLMo, TinyLlama)"
	case f.Method == Full && f.asked() > 1:
		f.Framework, why = FSDP, "the usual way to fine-tune all weights on several devices"
	default:
		f.Framework, why = HF, "with peft and TRL the usual choice for "+string(f.Method)
	}
	f.note("framework", string(f.Framework), why)
}

// asked is how many devices were asked for, as far as anything was said of them.
func (f *filler) asked() int {
	return max(1, f.GPUs, max(1, f.Tensor)*max(1, f.Pipeline)*max(1, f.Context)*max(1, f.Data))
}

// node is how many devices a machine has.
func (p *Plan) node() int {
	switch {
	case p.Fabric != nil && p.Fabric.Node > 0:
		return p.Fabric.Node
	case p.GPU != nil && p.GPU.MaxPerNode > 0:
		return p.GPU.MaxPerNode
	}
	return 8
}

// domain is how many devices the fast link joins.
func (p *Plan) domain() int {
	switch {
	case p.Fabric != nil && p.Fabric.Domain > 0:
		return p.Fabric.Domain
	case p.GPU != nil && p.GPU.Joined > 0:
		return p.GPU.Joined
	}
	return p.node()
}

// numbers are precision, optimizer, loss and what of a batch is padding.
func (f *filler) numbers() {
	h := f.Framework.habits()
	if f.Precision == "" {
		f.Precision = usualPrecision(f.GPU)
		why := "the usual number format of products"
		if f.Precision != BF16 {
			why = f.GPU.Name + " does not compute in bf16"
		}
		f.note("precision", string(f.Precision), why)
	}
	f.recipe()
	if f.Optimizer == "" {
		f.Optimizer = AdamW
		f.note("optimizer", string(AdamW), "nearly every model of language is trained with it")
	}
	if f.Loss == "" {
		f.Loss = h.loss
		why := "the default of " + string(f.Framework)
		if f.Loss == Chunked {
			why = string(f.Framework) + " computes it for a part of the sequence after the other, so that not all logits are kept"
		}
		f.note("loss", string(f.Loss), why)
	}
	if f.Offload == "" {
		f.Offload = NoOffload
		f.note("offload", string(NoOffload), "the memory of the host is slow, and is taken only where somebody says so")
	}
	if f.Fill == 0 {
		f.Fill = 1
		f.note("fill", "1", "sequences are packed, so that no token is padding")
	}
}

// recipe is what recipes for fine-tuning say of numbers and of the optimizer beside what every framework does. That of
// torchtune for all weights on a single device (recipes/configs/*/8B_full_single_device.yaml) keeps all in bf16, has the
// 8-bit AdamW of bitsandbytes, and steps inside the backward pass.
func (f *filler) recipe() {
	h := f.Framework.habits()
	if f.Method == Pretrain || f.Precision != BF16 || !h.pure {
		return
	}
	if f.Optimizer == "" && !f.PureBF16 {
		f.PureBF16 = true
		f.note("weights", "bf16 alone", "recipes of "+string(f.Framework)+" keep no copy of the weights in fp32")
	}
	if f.Framework != TorchTune || f.Method != Full || f.Optimizer != "" || f.asked() > 1 {
		return
	}
	f.Optimizer = AdamW8bit
	f.note("optimizer", string(AdamW8bit), "the recipe of torchtune for all weights on a single device")
	if !f.InBackward && f.Global <= max(1, f.Micro) {
		f.InBackward = true
		f.note("optimizer_step", "inside the backward pass", "the recipe of torchtune for all weights on a single device, which gathers no gradients")
	}
}

// The usual lengths of sequences.
const (
	longPretrain  = 8192
	shortPretrain = 4096
	fineTuning    = 2048
)

func (f *filler) sequence() {
	if f.Sequence > 0 {
		return
	}
	n, why := int64(fineTuning), "long enough for most instructions and their answers"
	if f.Method == Pretrain {
		n, why = longPretrain, "dense models with a long context are pre-trained at this length before it is stretched"
		if expertsOf(f.Shape) > 0 || f.Shape.MaxContext <= longPretrain {
			n, why = shortPretrain, "the usual length of pre-training"
		}
	}
	if most := f.Shape.MaxContext; most > 0 && most < n {
		n, why = most, "the longest that the model has positions for"
	}
	f.Sequence = n
	f.note("seq_len", strconv.FormatInt(n, 10), why)
}

// adapters are those of LoRA and QLoRA, and of an aligning method that was given a rank.
func (f *filler) adapters() {
	h := f.Framework.habits()
	if f.Method == QLoRA && f.Quantized == "" {
		f.Quantized = "nf4-dq"
		f.note("frozen_weights", f.Quantized, "as QLoRA was published: NF4, with the scales quantized again")
	}
	if f.Method != LoRA && f.Method != QLoRA && f.Rank == 0 {
		return
	}
	if f.Rank == 0 {
		f.Rank = min(h.rank, f.Shape.Hidden.N)
		f.note("lora_rank", strconv.FormatInt(f.Rank, 10), "what recipes of "+string(f.Framework)+" take")
	}
	if len(f.Targets) > 0 {
		return
	}
	var why string
	all := linears(f.Shape)
	if f.Targets = all; h.linear || f.Method == QLoRA && f.Framework != TorchTune && f.Framework != LitGPT {
		why = "every linear layer, as recipes of " + string(f.Framework) + " for " + string(f.Method)
	} else if f.Targets = attentive(all); len(f.Targets) > 0 {
		why = "queries and values, the default of " + string(f.Framework)
	} else {
		f.Targets, why = all, "every linear layer, since the model has none that is known as queries or values"
	}
	if len(f.Targets) > 0 {
		f.note("lora_targets", strings.Join(f.Targets, ", "), why)
	}
}

// linears are the names of the linear layers of blocks that adapters are laid beside: not those of experts and routers,
// which frameworks leave as they are.
func linears(s *arch.Shape) []string {
	var names []string
	for _, b := range distinctBlocks(s) {
		for i := range b.Tensors {
			t := &b.Tensors[i]
			if !t.Matrix || t.Component == arch.Experts || t.Component == arch.Router {
				continue
			}
			name := strings.TrimSuffix(t.Name, ".weight")
			name = name[strings.LastIndexByte(name, '.')+1:]
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
		}
	}
	return names
}

// attentive are those that make queries and values, alone or in one product.
func attentive(names []string) []string {
	known := []string{
		"q_proj", "v_proj", "q", "v", "query_key_value", "c_attn", "Wqkv", "qkv_proj", "W_pack", "wqkv", "attn.c_attn", "qkv", "q_a_proj", "q_b_proj", "kv_b_proj",
	}
	return slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !slices.Contains(known, n) })
}

// The usual numbers of learning from one's own answers.
const (
	usualGroup  = 8
	usualPrompt = 512
)

// alignment is what stands beside the policy.
func (f *filler) alignment() {
	if !f.Method.Aligns() {
		return
	}
	beside := func(name string, s **arch.Shape, why string) {
		if *s == nil {
			*s = f.Shape
			f.note(name, "as the policy", why)
		}
	}
	if f.Rank == 0 {
		beside("reference", &f.Reference, "the model as it was before stands beside the policy")
	}
	if f.Method == DPO {
		return
	}
	if f.Method == PPO {
		beside("reward", &f.Reward, "a reward model of the size of the policy is the usual and the larger choice")
		beside("critic", &f.Critic, "a critic starts as the reward model")
	}
	if f.Method == GRPO && f.Group == 0 {
		f.Group = usualGroup
		f.note("group", strconv.Itoa(usualGroup), "answers to one prompt that TRL writes by default")
	}
	if f.Prompt == 0 {
		f.Prompt = max(1, min(usualPrompt, f.Sequence/4))
		f.note("prompt_len", strconv.FormatInt(f.Prompt, 10), "a quarter of the sequence at most; the rest is the answer")
	}
	if !f.Rollout && !f.Apart {
		f.Rollout = true
		f.note("rollout", "on the same devices", "the usual choice as long as nobody sets other devices apart for answers")
	}
}

// devices fills how many there are, where that was not said.
func (f *filler) devices() {
	if f.GPUs > 0 {
		return
	}
	f.GPUs = f.asked()
	why := "as many as the degrees that were given take"
	if f.GPUs == 1 {
		why = "nobody said how many"
	}
	f.note("gpus", strconv.Itoa(f.GPUs), why)
}

// TokensPerStep is the usual batch of pre-training: 4M tokens for a model of 7B, growing with the cube root of its
// parameters. Llama 3.1 405B took 16M, DeepSeek 67B 9.4M, OLMo 2 32B 8M, Llama 2 7B 4M; those with experts took more than
// what a token passes would have them take.
func TokensPerStep(s *arch.Shape) float64 {
	return 4e6 * math.Cbrt(max(1, float64(s.Params().Total))/7e9)
}

// wanted is the global batch that is usual, in sequences, whatever the devices, and why.
func (j *Job) wanted() (sequences float64, why string) {
	switch j.Method {
	case Pretrain:
		tokens := TokensPerStep(j.Shape)
		return max(1, tokens/float64(j.Sequence)), "near to " + millions(tokens) + " tokens, usual for a model of this size"
	case LoRA, QLoRA:
		return 16, "usual for adapters"
	case GRPO, PPO:
		return 128, "usual: enough answers for a steady step"
	}
	return 64, "usual for fine-tuning of all weights"
}

// power is the power of two that is nearest to a number by its ratio, at least 1.
func power(x float64) int64 {
	if !(x > 1) {
		return 1
	}
	return int64(math.Exp2(math.Round(math.Log2(min(x, mostBatch)))))
}
