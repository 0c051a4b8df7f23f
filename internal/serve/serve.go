// Package serve answers whether a model fits, for whom and how: what each rank of a parallel plan holds of weights,
// what an engine needs beside them, how large the cache of keys and values can be, and how many requests of what length
// it holds. Every figure is a Term with the formula it came from; what cannot be computed is a range.
package serve

import (
	"errors"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/quant"
)

// Model is what is to be served.
type Model struct {
	Shape   *arch.Shape
	Weights *quant.Scheme
	LoadMTP bool // whether the engine loads the blocks that predict further tokens

	// Beside is what the files hold and no rule describes. An engine may leave it out, and how it would divide it among
	// ranks is not known, so each rank is taken to hold all of it.
	Beside []Beside
}

// Beside is a part of the files that no rule describes.
type Beside struct {
	Name  string
	Bytes int64
}

// Bytes is the size of the weights as stored.
func (m Model) Bytes() int64 { return m.Weights.Total(m.Shape) }

// Plan is how it is to be served. Zero values take the engine's default for the card, which Complete fills in and names.
type Plan struct {
	Engine *Engine
	GPU    *hardware.Accelerator
	GPUs   int // in all: Tensor × Pipeline × Data

	Tensor   int
	Pipeline int
	Expert   int  // ranks that share out the experts; 1 is none
	Data     int  // replicas of attention; of the experts too where the engine does not share these out among them
	Chosen   bool // nobody said how the devices share the work, so a division was chosen

	KV            string  // number format of the cache: auto, fp16, bf16, fp8, q8_0, q4_0, nvfp4
	Utilization   float64 // what the engine calls gpu_memory_utilization, mem_fraction_static, free_gpu_memory_fraction
	MaxModelLen   int64   // tokens of one request, prompt and answer together
	MaxSeqs       int64   // requests at once, of each replica of attention
	Wanted        float64 // requests at once that the deployment has to hold; raises what MaxSeqs is by default
	BatchedTokens int64   // tokens of one forward pass

	Llama LlamaOptions // of llama.cpp only
	Eager bool         // no graphs are captured

	Assumed []Setting // what was not said
}

// LlamaOptions are those of llama.cpp.
type LlamaOptions struct {
	MicroBatch int64 // n_ubatch
	Flash      bool  // flash attention on, also where the version has it off by default
	NoFlash    bool  // flash attention off
	AllOutputs bool  // logits of every token of a micro-batch are kept, as in the library
	GPULayers  int   // layers on the GPU, the output counted as one; -1 and 0 are all
	HostOnly   bool  // no layer on the GPU, which still helps with prompts
	CPUExperts int   // blocks whose experts stay on the CPU
	FullWindow bool  // --swa-full
	UnifiedKV  bool
	NoMMap     bool
}

// Setting is a value that was not given, and where it is from.
type Setting struct{ Name, Value, Why string }

// Interval is meant to hold the measured value in eight of ten cases.
type Interval struct{ Low, Mid, High int64 }

// Exact is a value that is computed and not estimated.
func Exact(n int64) Interval { return Interval{n, n, n} }

// Plus adds two, as if both were low or high together: the safe reading.
func (a Interval) Plus(b Interval) Interval {
	return Interval{a.Low + b.Low, a.Mid + b.Mid, a.High + b.High}
}

// Part is what a term is counted as.
type Part string

// The parts of a device's memory, in the order of the bar.
const (
	Weights    Part = "weights"
	Activation Part = "activation"
	NonTorch   Part = "non_torch" // CUDA context as far as the engine counts it, NCCL, libraries
	Graphs     Part = "graphs"
	KVCache    Part = "kv_cache" // with the state of recurrent layers
	Reserved   Part = "reserved" // context and allocations that exist outside the engine's own budget
	Unused     Part = "unused"
)

// Term is one line of the account of the device that binds.
type Term struct {
	Part    Part
	Name    string
	Bytes   Interval
	Formula string // with the numbers filled in
	Source  string
}

// Verdict says whether a plan works.
type Verdict string

// The verdicts. Tight is where the low and the high end of the ranges disagree.
const (
	Fits    Verdict = "fits"
	Tight   Verdict = "tight"
	DoesNot Verdict = "does_not_fit"
)

// Memory is the account of the rank that binds.
type Memory struct {
	Rank     string // which rank it is: "every rank", "stage 2 of 4"
	Capacity int64  // what the driver reports
	Budget   int64  // what the engine lets itself use
	Terms    []Term

	Cache   Cache
	Verdict Verdict
	Breaks  *Term  // the term that breaks it, if it does not fit
	Why     string // one sentence

	outside Interval // what the engine does not take from its budget
	roomy   bool     // there is room, and what keeps it tight is no matter of memory

	Host []Term // what lies in the memory of the host: offloaded layers, swap space
}

// Sum is what the terms of a part add up to.
func (m *Memory) Sum(p Part) Interval {
	var sum Interval
	for i := range m.Terms {
		if m.Terms[i].Part == p {
			sum = sum.Plus(m.Terms[i].Bytes)
		}
	}
	return sum
}

// Cache is the cache of keys and values, with the four numbers that people mean by its size. Each replica of attention
// (data parallel) has a pool of its own, and its log tells of that one: all fields are of one replica, but for
// Concurrency, which is of the deployment.
type Cache struct {
	Pool          int64   // bytes on the rank that binds
	BytesPerToken int64   // of one more token of a long request on this rank, all layers that still grow
	ModelPerToken int64   // the same over all ranks without replication: a property of the model
	PerRequest    int64   // bytes of one request of MaxModelLen tokens on this rank, to the block, with its state
	State         int64   // of that, what does not depend on length
	BlockTokens   int64   // tokens of one block
	Blocks        int64   // blocks of the pool
	Tokens        int64   // what the engine logs as KV cache tokens
	Replicas      int     // of attention, with a pool each
	Concurrency   float64 // requests of MaxModelLen tokens that the pools of all replicas hold
	MaxContext    int64   // the longest single request that fits with the bad end of every range, at most the model's own maximum
}

// ErrNoProfile is wrapped by the error for a device on which nobody measured what the engine needs: whether a model
// fits cannot be told.
var ErrNoProfile = errors.New("no profile of the engine on this device")

// ErrIllegal is wrapped by the error for a plan that the engine refuses; the text names the rule.
var ErrIllegal = errors.New("plan is not possible")

// Fit computes the account of a plan. An error that wraps ErrIllegal says which rule the plan breaks. Who has many plans
// for one model prepares it once and calls Prepared.Fit.
func Fit(m Model, p Plan) (*Memory, error) { return Prepare(m).Fit(p) }
