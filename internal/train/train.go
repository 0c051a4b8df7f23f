// Package train answers what training a model takes at every stage: what each device holds, how a cluster divides the
// work, how long a step takes and why, and how much of the time of a long run is work at all. Methods differ in what is
// trained and in which models stand beside it; everything else follows from the shape of the model, the plan and the
// network.
//
// Model FLOPs are counted as 6 for each parameter that a token is multiplied with and each token, and 12 for each layer,
// width of attention and token of context, halved where tokens see only those before them. Frameworks count otherwise;
// Framework.Counts says how each does.
package train

import (
	"errors"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
)

// ErrIllegal is wrapped by the error for a job or a plan that no framework would start.
var ErrIllegal = errors.New("training is not possible")

// ErrUnknown is wrapped by the error for a device or a plan whose speed or memory cannot be told.
var ErrUnknown = errors.New("training cannot be sized")

// Method is what is trained, and with which signal.
type Method string

// The methods.
const (
	Pretrain Method = "pretrain" // next tokens, all weights, from nothing
	Full     Method = "full"     // supervised fine-tuning of all weights; continued pre-training is the same work
	LoRA     Method = "lora"     // supervised, adapters beside frozen weights
	QLoRA    Method = "qlora"    // the same over weights of 4 bits
	DPO      Method = "dpo"      // preference pairs against a frozen reference
	PPO      Method = "ppo"      // a policy and a critic are trained; reference and reward model stand beside
	GRPO     Method = "grpo"     // a policy is trained on groups of its own answers, without a critic
)

// Methods lists them in the order in which a model goes through them.
func Methods() []Method { return []Method{Pretrain, Full, LoRA, QLoRA, DPO, PPO, GRPO} }

// Aligns reports whether the method learns from answers that the model gives itself or that people compared.
func (m Method) Aligns() bool { return m == DPO || m == PPO || m == GRPO }

// Framework is what runs the training.
type Framework string

// The frameworks.
const (
	Megatron   Framework = "megatron" // Megatron-Core, Megatron-Bridge, NeMo
	FSDP       Framework = "fsdp"     // PyTorch FSDP by itself
	DeepSpeed  Framework = "deepspeed"
	TorchTitan Framework = "torchtitan"
	TorchTune  Framework = "torchtune"
	Foundry    Framework = "llm-foundry"
	LitGPT     Framework = "litgpt"
	Axolotl    Framework = "axolotl"
	HF         Framework = "transformers" // Trainer with peft, accelerate and TRL
)

// Frameworks lists them.
func Frameworks() []Framework {
	return []Framework{Megatron, FSDP, DeepSpeed, TorchTitan, TorchTune, Foundry, LitGPT, Axolotl, HF}
}

// Precision is the number format that products are computed in. Weights are kept in bf16 or fp16 beside a copy in fp32
// unless the optimizer or the framework keeps others.
type Precision string

// The precisions.
const (
	BF16  Precision = "bf16"
	FP16  Precision = "fp16"
	FP8   Precision = "fp8"
	NVFP4 Precision = "nvfp4"
	FP32  Precision = "fp32"
)

// Precisions lists them.
func Precisions() []Precision { return []Precision{BF16, FP16, FP8, NVFP4, FP32} }

// Optimizer is what turns gradients into steps.
type Optimizer string

// The optimizers.
const (
	AdamW     Optimizer = "adamw"
	AdamW8bit Optimizer = "adamw-8bit"
	Adafactor Optimizer = "adafactor"
	Muon      Optimizer = "muon"
	SGD       Optimizer = "sgd"
)

// Optimizers lists them.
func Optimizers() []Optimizer { return []Optimizer{AdamW, AdamW8bit, Adafactor, Muon, SGD} }

// Recompute is which activations are computed again in the backward pass instead of being kept.
type Recompute string

// The kinds.
const (
	None      Recompute = "none"
	Selective Recompute = "selective" // those of the attention core, or what a framework calls selective
	Whole     Recompute = "full"      // of each layer only its input is kept
)

// Loss is how logits are turned into a loss.
type Loss string

// The ways.
const (
	Plain   Loss = "plain"   // all logits at once, and again in fp32
	Chunked Loss = "chunked" // a part of the sequence after the other
	Fused   Loss = "fused"   // the head and the loss in one kernel; logits are never kept
)

// Offload is what lies in the memory of the host.
type Offload string

// The kinds.
const (
	NoOffload    Offload = "none"
	OffOptimizer Offload = "optimizer"  // states and master weights
	OffAll       Offload = "parameters" // weights and gradients too
)

// Job is what is to be trained and how, whatever the machines. Zero values are what nobody said; Complete fills them.
type Job struct {
	Shape *arch.Shape
	Name  string // of the model, for sentences

	Method    Method
	Framework Framework
	Precision Precision
	Optimizer Optimizer
	Recompute Recompute
	Loss      Loss
	Offload   Offload

	Sequence int64   // tokens; of an aligning method of prompt and answer together
	Global   int64   // sequences (pairs, answers) of one step of the optimizer
	Tokens   float64 // of the whole run, all epochs; 0 if not said
	Fill     float64 // share of the tokens of a batch that are none of padding; 1 with packing
	Failing  float64 // seconds between failures of one device; 0 is the usual

	PureBF16    bool // weights, gradients and states in bf16, without a copy in fp32
	NoFlash     bool // attention writes its scores to memory
	InBackward  bool // the optimizer steps inside the backward pass, so that gradients are not kept
	TrainOuter  bool // embedding and head are trained beside adapters
	Distilled   bool // a teacher model gives the targets: outside of what is modeled
	Rank        int64
	Targets     []string // names of modules that get adapters; none is every linear one
	Quantized   string   // format of the frozen weights of QLoRA: nf4, nf4-dq, int8, int4 (GPTQ)
	Reference   *arch.Shape
	Reward      *arch.Shape
	Critic      *arch.Shape
	Group       int64 // answers to one prompt, of GRPO
	Prompt      int64 // tokens of Sequence that are the prompt, of PPO and GRPO
	Rollout     bool  // the engine that writes answers shares the devices
	RolloutFree bool  // and gives its memory back while gradients are computed
	Apart       bool  // it has devices of its own, which are not counted
	Unsaid      Open  // what Complete filled because nobody said it
}

// Trained reports whether all weights are trained.
func (j *Job) Trained() bool { return j.Method != LoRA && j.Method != QLoRA && j.Rank == 0 }

// Plan is how the devices share the work. Zero values are what nobody said; Complete fills them.
type Plan struct {
	GPU    *hardware.Accelerator
	Fabric *Fabric

	GPUs     int // all devices
	Tensor   int // ranks that share each product, with the sequence between
	Pipeline int
	Context  int // ranks that share a sequence
	Expert   int // ranks that share the experts, out of those of data, context and tensor
	Data     int // replicas of a stage
	Virtual  int // chunks of each stage, of an interleaved schedule; 1 is none
	Shard    int // ranks of data that share the states; 0 is all of them. Fewer is hybrid sharding

	// Zero is what data ranks share: 0 nothing, 1 states of the optimizer, 2 gradients too, 3 weights too; -1 is not said.
	Zero       int
	Micro      int64 // sequences of one pass of one replica
	Schedule   Schedule
	NoOverlap  bool // communication waits for products
	NoSequence bool // tensor ranks keep all of what lies between products

	// Elsewhere is the cluster that a plan is timed as on, where a model could not be trained on so few devices at all. Its
	// memory is that of the plan itself.
	Elsewhere *Elsewhere
}

// Elsewhere is a job on a cluster that holds it.
type Elsewhere struct {
	Job  Job
	Plan Plan
}

// Schedule is the order in which stages work.
type Schedule string

// The schedules.
const (
	OneFOneB    Schedule = "1f1b"
	Interleaved Schedule = "interleaved"
	ZeroBubble  Schedule = "zero-bubble"
)

// Micros is how many passes one replica makes in a step of the optimizer: global batch over replicas and micro batch.
func (p *Plan) Micros(j *Job) int64 {
	each := max(1, int64(p.Data)*p.Micro)
	return max(1, (j.Global+each-1)/each)
}

// Fabric is how devices reach each other.
type Fabric struct {
	ID      string
	Name    string
	Node    int     // devices of one machine
	Domain  int     // devices that the fast link joins, of one machine or of several
	DomainB float64 // bytes a second of one device into that link, one direction; 0 if unknown
	Link    string  // nvlink4, xgmi, pcie
	Net     float64 // bytes a second of one device out of its machine, one direction: all rails over all devices of the machine; 0 is no network
	Latency float64 // seconds of one message between machines
	Kind    string  // InfiniBand, RoCE, EFA, Ethernet, TCP
	Why     string  // where the choice is from
	Source  string
}

// Setting is something that nobody said, with the value that took its place and why.
type Setting struct{ Name, Value, Why string }

// Range is meant to hold the measured value in 80 % of cases.
type Range struct{ Low, Mid, High float64 }

// Exactly is a value that is computed and not estimated.
func Exactly(v float64) Range { return Range{v, v, v} }

// Plus adds two, as if both were low or high together: the safe reading.
func (r Range) Plus(o Range) Range { return Range{r.Low + o.Low, r.Mid + o.Mid, r.High + o.High} }

// Times scales a range.
func (r Range) Times(f float64) Range { return Range{r.Low * f, r.Mid * f, r.High * f} }

// Part is what memory is taken by.
type Part string

// The parts, in the order in which they are shown.
const (
	Weights     Part = "weights"
	Gradients   Part = "gradients"
	States      Part = "optimizer"
	Activations Part = "activations"
	Logits      Part = "logits"
	OtherModels Part = "other_models" // reference, reward, critic, what an engine for rollouts holds
	Overhead    Part = "overhead"     // gathered buffers, fragmentation, framework and context
)

// Term is one line of the account of memory.
type Term struct {
	Part    Part
	Name    string // "frozen weights, nf4", "adapters, AdamW states"
	Bytes   Range
	Formula string // with the numbers filled in
	Source  string // of the constants in it
}

// Verdict says whether a plan fits.
type Verdict string

// The verdicts. Tight is where the low and the high end of the range disagree.
const (
	Fits    Verdict = "fits"
	Tight   Verdict = "tight"
	DoesNot Verdict = "does_not_fit"
)

// Memory is the account of the device that holds most, in bytes.
type Memory struct {
	Rank     string // which it is: "every device", "stage 1 of 8"
	Terms    []Term
	Planned  Range // what is allocated and reserved at the peak of the plan as it is, which the verdict is about
	Total    Range // the same with what nobody said chosen otherwise, as in most measurements that others published
	Capacity int64 // what a process may take; 0 if not known
	Verdict  Verdict
	Breaks   string // the name of the term that breaks it
	Host     Range  // bytes in the memory of one host that offload takes, for each device
	Basis    string // what the range rests on
}

// Cause is what takes time in a step.
type Cause string

// The causes. Those of a step add up to its time; failures are of the time of the run.
const (
	Products    Cause = "products" // matrix products of layers, dense and of experts
	Attention   Cause = "attention"
	Head        Cause = "head"        // logits and loss
	Elementwise Cause = "elementwise" // norms, activations, residuals: bound by memory
	Recomputed  Cause = "recompute"
	Dequantize  Cause = "dequantize"
	Tensors     Cause = "tensor_parallel" // what of each exchange is not hidden behind products
	Contexts    Cause = "context_parallel"
	Experts     Cause = "expert_parallel"
	Datas       Cause = "data_parallel"
	Stages      Cause = "pipeline_send"
	Bubble      Cause = "bubble"
	Imbalance   Cause = "imbalance" // experts and ranks that wait for the busiest
	Update      Cause = "optimizer"
	Offloaded   Cause = "offload"
	Rollouts    Cause = "rollouts" // answers that are written before they are learned from
	Scoring     Cause = "scoring"  // passes of reference, reward model and critic
	Idle        Cause = "idle"     // launches and gaps
	BeyondStep  Cause = "beyond"   // of a run alone: what no step shows
)

// StepPart is one cause of the time of a step.
type StepPart struct {
	Cause   Cause
	Name    string
	Seconds float64
	Formula string
	Source  string
}

// Traffic is what one device sends in a step over one kind of link.
type Traffic struct {
	What    string // "gradients, reduce-scatter over 64 data ranks"
	Link    string // "nvlink4", "InfiniBand"
	Bytes   float64
	Seconds float64 // at what the link reaches
	Hidden  float64 // share of Seconds that passes behind products
}

// Figures are what a plan does. Times are seconds; rates are of all devices together unless said.
type Figures struct {
	PerToken    float64 // model FLOPs of one token, forward and backward, by the convention of Counted
	Hardware    float64 // FLOPs of one token that devices compute, recomputation included
	Counted     string  // the convention: "attention causal", "attention in full"
	Peak        float64 // dense FLOP a second of one device that MFU is held against
	PeakOf      string  // "989 TFLOPS dense bf16"
	MFU         Range
	HFU         Range
	Achieved    Range // model FLOP a second of one device
	TokensPerS  Range
	StepSeconds Range
	Parts       []StepPart
	Traffic     []Traffic
	BubbleShare float64 // of a step: (p-1)/(m+p-1) and its kin
	IdleShare   float64 // of a device: communication that is not hidden, bubble, imbalance, gaps
	Bound       string  // what a step waits for most: compute, memory, network, bubble
	Basis       string  // what the ranges rest on

	Run *Run // nil where nobody said how many tokens
}

// Run is the whole run.
type Run struct {
	Tokens     float64
	Steps      float64
	FLOPs      float64
	Goodput    Range // share of the time that is work which is kept, of failures and checkpoints alone
	Seconds    Range // from the first step to the last, failures and what no step shows included
	GPUHours   Range
	Beyond     StepPart // what runs take that no step shows, out of Seconds
	MTBF       Range    // seconds between failures of the whole cluster
	Checkpoint float64  // seconds between checkpoints that are best
	Save       float64  // seconds that one takes
	Restart    float64  // seconds until work goes on after a failure
	Failures   Range    // expected in the run
	Outside    string   // why published figures of such a run are outside of the model; "" if they are not
	Source     string
}
