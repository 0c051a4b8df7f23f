package train

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/units"
)

// The largest values that are believed. Nobody has trained on so many devices, with so long sequences or so large batches;
// what lies beyond is a slip of the pen.
const (
	mostGPUs   = 1 << 20
	mostTokens = 1 << 26 // of one sequence
	mostBatch  = 1 << 24 // sequences of one step
	mostPass   = 1 << 30 // tokens of one pass of one replica
	mostRank   = 1 << 14
	mostGroup  = 1 << 12
	mostData   = 1e18 // tokens of a run
)

// Check says why no framework would start a job and a plan that are complete. The error wraps ErrIllegal and names the
// rule, the value, and one nearby that is legal.
//
// An encoder is counted as a stack of blocks of its own, and it stays together with a decoder: no framework here divides
// the two over a pipeline. Towers for images and sound are replicated on tensor ranks and lie on the first stage, as
// Megatron and transformers have them; only the decoder has to divide.
func (p *Plan) Check(j *Job) error {
	if j.Shape == nil {
		return illegal("there is no model to train")
	}
	for _, rule := range []func(*Job) error{
		p.legalRanged, p.legalNamed, p.legalSupported, p.legalGrouped, p.legalHeads, p.legalStaged, p.legalExperts, p.legalCut, p.legalBatched, p.legalSharded, p.legalPrecise, p.legalMethodical,
	} {
		if err := rule(j); err != nil {
			return err
		}
	}
	return nil
}

func illegal(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrIllegal, fmt.Sprintf(format, args...))
}

// limits is a number with the range in which it has to lie.
type limits struct {
	name           string
	n, least, most int64
}

// limited are those of what was said. A value of 0 is passed where nobody may have said it yet.
func (p *Plan) limited(j *Job) []limits {
	return []limits{
		{"GPUs", int64(p.GPUs), 1, mostGPUs},
		{"tensor parallel ranks", int64(p.Tensor), 1, mostGPUs},
		{"pipeline stages", int64(p.Pipeline), 1, mostGPUs},
		{"context parallel ranks", int64(p.Context), 1, mostGPUs},
		{"expert parallel ranks", int64(p.Expert), 1, mostGPUs},
		{"data parallel ranks", int64(p.Data), 1, mostGPUs},
		{"virtual stages", int64(p.Virtual), 1, mostGPUs},
		{"sequence length", j.Sequence, 1, mostTokens},
		{"global batch", j.Global, 1, mostBatch},
		{"micro batch", p.Micro, 1, mostBatch},
	}
}

// optionals are numbers that need not be there.
func (p *Plan) optionals(j *Job) []limits {
	return []limits{
		{"ranks that share the states", int64(p.Shard), 0, mostGPUs},
		{"rank of adapters", j.Rank, 0, mostRank},
		{"answers to one prompt", j.Group, 0, mostGroup},
		{"tokens of the prompt", j.Prompt, 0, mostTokens},
		{"ZeRO stage", int64(p.Zero), 0, 3},
	}
}

func (b limits) check() error {
	if b.n < b.least || b.n > b.most {
		return illegal("%s: %d is outside of the range, say %d to %d", b.name, b.n, b.least, b.most)
	}
	return nil
}

func (p *Plan) legalRanged(j *Job) error {
	for _, b := range append(p.limited(j), p.optionals(j)...) {
		if err := b.check(); err != nil {
			return err
		}
	}
	if p.Micro > mostPass/j.Sequence {
		return illegal("one pass has %d sequences of %d tokens, say a micro batch of at most %d", p.Micro, j.Sequence, max(1, mostPass/j.Sequence))
	}
	return j.real()
}

// real checks what is no whole number.
func (j *Job) real() error {
	switch {
	case !(j.Tokens >= 0) || j.Tokens > mostData:
		return illegal("tokens of the run: %g is outside of the range, say 1 to %g", j.Tokens, float64(mostData))
	case !(j.Fill >= 0) || j.Fill > 1:
		return illegal("share of tokens that are none of padding: %g is outside of the range, say 0.01 to 1", j.Fill)
	case !(j.Failing >= 0) || math.IsInf(j.Failing, 1):
		return illegal("time between failures of one device: %g is outside of the range, say seconds above 0", j.Failing)
	}
	return nil
}

// legalNamed checks words against the lists of them.
func (p *Plan) legalNamed(j *Job) error {
	for _, err := range []error{
		oneOf("method", j.Method, Methods()), oneOf("framework", j.Framework, Frameworks()), oneOf("precision", j.Precision, Precisions()),
		oneOf("optimizer", j.Optimizer, Optimizers()), oneOf("recompute", j.Recompute, []Recompute{None, Selective, Whole}),
		oneOf("loss", j.Loss, []Loss{Plain, Chunked, Fused}), oneOf("offload", j.Offload, []Offload{NoOffload, OffOptimizer, OffAll}),
		oneOf("schedule", p.Schedule, []Schedule{OneFOneB, Interleaved, ZeroBubble}),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func oneOf[T ~string](what string, said T, known []T) error {
	if slices.Contains(known, said) {
		return nil
	}
	return illegal("%s %.40q is not known, say %s", what, string(said), spellOut(known))
}

func spellOut[T ~string](words []T) string {
	parts := make([]string, len(words))
	for i, w := range words {
		parts[i] = string(w)
	}
	return strings.Join(parts, ", ")
}

// legalSupported checks what the framework has at all.
func (p *Plan) legalSupported(j *Job) error {
	h := j.Framework.habits()
	for _, d := range h.can(p) {
		if d.n > 1 && !d.has {
			return illegal("%s has no %s, say %s 1 instead of %d, or --framework %s", j.Framework, d.name, d.flag, d.n, Megatron)
		}
	}
	switch {
	case j.Method == QLoRA && !h.quantized:
		return illegal("%s trains no adapters over weights of 4 bits, say --framework %s", j.Framework, spellOut(having(func(h habits) bool { return h.quantized })))
	case j.Method.Aligns() && !h.aligns:
		return illegal("%s has no recipe for %s, say --framework %s", j.Framework, j.Method, spellOut(having(func(h habits) bool { return h.aligns })))
	case p.Schedule == ZeroBubble && !h.zeroBubble && p.Pipeline > 1:
		return illegal("%s has no schedule %s, say %s", j.Framework, ZeroBubble, OneFOneB)
	case p.Virtual > 1 && !h.interleaves:
		return illegal("%s has no interleaved schedule, say 1 virtual stage instead of %d", j.Framework, p.Virtual)
	}
	return nil
}

// legalGrouped: every device has one place in the grid.
func (p *Plan) legalGrouped(*Job) error {
	n := float64(p.Tensor) * float64(p.Pipeline) * float64(p.Context)
	if n*float64(p.Data) == float64(p.GPUs) {
		return nil
	}
	if n > float64(p.GPUs) || p.GPUs%int(n) != 0 {
		return illegal("tensor %d x pipeline %d x context %d takes %.0f devices or a multiple of it, and there are %d; say --gpus %.0f", p.Tensor,
			p.Pipeline, p.Context, n, p.GPUs, n*math.Max(1, math.Ceil(float64(p.GPUs)/n)))
	}
	return illegal("tensor %d x pipeline %d x context %d x data %d is not %d GPUs, say --dp %d", p.Tensor, p.Pipeline, p.Context, p.Data, p.GPUs,
		p.GPUs/int(n))
}

// legalHeads: what tensor ranks share has to divide.
func (p *Plan) legalHeads(j *Job) error {
	if p.Tensor == 1 {
		return nil
	}
	h := j.Framework.habits()
	if n := j.Shape.Hidden.N; n%int64(p.Tensor) != 0 {
		return illegal("the hidden size %d does not divide by tensor parallel %d, say --tp %d", n, p.Tensor, divisorUpTo(p.Tensor, n))
	}
	for _, m := range attending(j.Shape) {
		if m.Heads%int64(p.Tensor) != 0 {
			return illegal("%d heads do not divide by tensor parallel %d, say --tp %d", m.Heads, p.Tensor, divisorUpTo(p.Tensor, m.Heads))
		}
		kv := m.KVHeads
		if kv == 0 || m.Latent > 0 || kv%int64(p.Tensor) == 0 || h.replicates && int64(p.Tensor)%kv == 0 {
			continue
		}
		return illegal("%d heads of keys and values do not divide by tensor parallel %d, say --tp %d", kv, p.Tensor, divisorUpTo(p.Tensor, kv))
	}
	return p.legalWidths(j)
}

func (p *Plan) legalWidths(j *Job) error {
	for _, b := range distinctBlocks(j.Shape) {
		if w := b.MLP.Width; w%int64(p.Tensor) != 0 {
			return illegal("the width %d of the feed-forward layers does not divide by tensor parallel %d, say --tp %d", w, p.Tensor, divisorUpTo(p.Tensor, w))
		}
		if s := b.Mixer.StateHeads; b.Mixer.Kind == arch.State && s > 0 && s%int64(p.Tensor) != 0 {
			return illegal("%d heads of the recurrent state do not divide by tensor parallel %d, say --tp %d", s, p.Tensor, divisorUpTo(p.Tensor, s))
		}
	}
	return nil
}

// divisorUpTo is the largest degree up to one that divides a number.
func divisorUpTo(degree int, n int64) int {
	for d := min(int64(degree), n); d > 1; d-- {
		if n%d == 0 {
			return int(d)
		}
	}
	return 1
}

// distinctBlocks are the blocks that differ in shape, a few of many.
func distinctBlocks(s *arch.Shape) []*arch.Block {
	var list []*arch.Block
	for i := range s.Blocks {
		b := &s.Blocks[i]
		if !slices.ContainsFunc(list, func(o *arch.Block) bool { return o.Mixer == b.Mixer && o.MLP == b.MLP }) && len(list) < mostDistinct {
			list = append(list, b)
		}
	}
	return list
}

const mostDistinct = 64

// attending are those with heads of attention.
func attending(s *arch.Shape) []arch.Mixer {
	var list []arch.Mixer
	for _, b := range distinctBlocks(s) {
		if b.Mixer.Heads > 0 && b.Mixer.Kind != arch.State && b.Mixer.Kind != arch.NoMixer {
			list = append(list, b.Mixer)
		}
	}
	return list
}

// legalStaged: every stage, and every chunk of one, has a layer. Megatron and torchtitan place layers by a list where they do
// not divide, and count the embedding and the head as layers of the first and the last stage.
func (p *Plan) legalStaged(j *Job) error {
	if p.Pipeline == 1 {
		if p.Virtual > 1 {
			return illegal("%d virtual stages need a pipeline, say --pp 2 or 1 virtual stage", p.Virtual)
		}
		return nil
	}
	layers := int64(len(j.Shape.Blocks))
	if len(j.Shape.Encoder) > 0 {
		return illegal("an encoder with a decoder is not divided over a pipeline, say --pp 1 instead of %d", p.Pipeline)
	}
	places := layers + extraPlaces(j.Framework)
	chunks := int64(p.Pipeline) * int64(p.Virtual)
	switch {
	case chunks > places && p.Virtual == 1:
		return illegal("%d layers are fewer than %d pipeline stages, say --pp %d", layers, p.Pipeline, divisorUpTo(p.Pipeline, layers))
	case chunks > places:
		return illegal("%d layers are fewer than %d stages x %d chunks, say %d virtual stages", layers, p.Pipeline, p.Virtual,
			max(1, layers/int64(p.Pipeline)))
	}
	return p.legalScheduled(j)
}

// extraPlaces is how many places of a pipeline beyond those of layers embedding and head may take.
func extraPlaces(f Framework) int64 {
	if f == Megatron || f == TorchTitan {
		return 2
	}
	return 0
}

// legalScheduled: an interleaved schedule goes in rounds of as many passes as there are stages.
func (p *Plan) legalScheduled(j *Job) error {
	switch m := p.Micros(j); {
	case p.Virtual > 1 && p.Schedule == OneFOneB:
		return illegal("the schedule %s has no chunks, say 1 virtual stage instead of %d, or %s", OneFOneB, p.Virtual, Interleaved)
	case p.Virtual == 1 && p.Schedule == Interleaved:
		return illegal("the schedule %s needs at least 2 virtual stages, say 2 of them or %s", Interleaved, OneFOneB)
	case p.Schedule == Interleaved && m%int64(p.Pipeline) != 0:
		each := int64(p.Pipeline) * int64(p.Data) * p.Micro
		return illegal("an interleaved schedule takes a multiple of %d passes, and there are %d; say --global-batch %d", p.Pipeline, m,
			each*max(1, j.Global/each))
	}
	return nil
}

// legalExperts: ranks of data, context and tensor share the experts.
func (p *Plan) legalExperts(j *Job) error {
	if p.Expert == 1 {
		return nil
	}
	n := expertsOf(j.Shape)
	if n == 0 {
		return illegal("the model has no experts, say --ep 1 instead of %d", p.Expert)
	}
	if n%int64(p.Expert) != 0 {
		return illegal("%d experts do not divide by expert parallel %d, say --ep %d", n, p.Expert, divisorUpTo(p.Expert, n))
	}
	if group := p.expertGroup(j.Framework); group%p.Expert != 0 {
		return illegal("expert parallel %d does not divide the %d ranks of %s that share experts, say --ep %d", p.Expert, group,
			expertGroupNames(j.Framework), divisorUpTo(p.Expert, int64(group)))
	}
	return nil
}

// expertGroup is how many ranks may share the experts: DeepSpeed takes those of data alone.
func (p *Plan) expertGroup(f Framework) int {
	if f == DeepSpeed {
		return p.Data
	}
	return p.Data * p.Context * p.Tensor
}

func expertGroupNames(f Framework) string {
	if f == DeepSpeed {
		return "data"
	}
	return "data, context and tensor"
}

// expertsOf is how many there are in a layer that has any; layers that have fewer decide.
func expertsOf(s *arch.Shape) int64 {
	var n int64
	for _, b := range distinctBlocks(s) {
		if e := b.MLP.Experts; e > 0 && (n == 0 || e < n) {
			n = e
		}
	}
	return n
}

// legalCut: ranks of context take two chunks each of a sequence, so that all have as much causal attention to compute, and
// tensor ranks share what of the sequence lies between products.
func (p *Plan) legalCut(j *Job) error {
	if chunks := 2 * int64(p.Context); p.Context > 1 && j.Sequence%chunks != 0 {
		return illegal("a sequence of %d tokens does not divide into 2 chunks for each of %d context ranks, say --seq-len %d", j.Sequence, p.Context,
			upTo(j.Sequence, chunks))
	}
	if each := int64(p.Context) * int64(p.Tensor); p.Tensor > 1 && !p.NoSequence && j.Sequence%each != 0 {
		return illegal("a sequence of %d tokens does not divide by context %d x tensor %d ranks that share it, say --seq-len %d", j.Sequence, p.Context,
			p.Tensor, upTo(j.Sequence, each*2))
	}
	if j.Framework != DeepSpeed || p.Context == 1 {
		return nil
	}
	for _, m := range attending(j.Shape) {
		if n := m.Heads / int64(p.Tensor); n%int64(p.Context) != 0 {
			return illegal("DeepSpeed shares a sequence by heads, and %d of them do not divide by context %d, say --cp %d", n, p.Context, divisorUpTo(p.Context, n))
		}
	}
	return nil
}

func upTo(n, to int64) int64 { return (n + to - 1) / to * to }

// legalBatched: the global batch is made of whole passes of all replicas.
func (p *Plan) legalBatched(j *Job) error {
	each := int64(p.Data) * p.Micro
	if j.Global%each != 0 {
		return illegal("a global batch of %s does not divide by data %d x micro batch %d, say --global-batch %d", units.Thousands(j.Global), p.Data,
			p.Micro, upTo(j.Global, each))
	}
	return nil
}

// legalSharded: what data ranks may share.
func (p *Plan) legalSharded(j *Job) error {
	h := j.Framework.habits()
	zeros := h.zeros
	if p.Pipeline > 1 {
		zeros = h.staged
	}
	if !slices.Contains(zeros, p.Zero) {
		return illegal("%s has no ZeRO stage %d%s, say --zero %d", j.Framework, p.Zero, besidePipeline(p), zeroBelow(zeros, p.Zero))
	}
	if p.Shard > 0 && p.Data*p.Context%p.Shard != 0 {
		return illegal("%d ranks of data and context do not divide into groups of %d that share states, say %d", p.Data*p.Context, p.Shard,
			divisorUpTo(p.Shard, int64(p.Data*p.Context)))
	}
	return nil
}

func besidePipeline(p *Plan) string {
	if p.Pipeline > 1 {
		return " together with a pipeline"
	}
	return ""
}

// zeroBelow is the highest stage of a list below one, or the lowest.
func zeroBelow(zeros []int, z int) int {
	best := 0
	for _, n := range zeros {
		if n < z {
			best = n
		}
	}
	return best
}

// legalPrecise: the card computes in the number format.
func (p *Plan) legalPrecise(j *Job) error {
	if p.GPU == nil {
		return nil
	}
	if computesIn(p.GPU, j.Precision) {
		return nil
	}
	return illegal("%s does not compute in %s, say --precision %s", p.GPU.Name, j.Precision, usualPrecision(p.GPU))
}

// computesIn reports whether a card multiplies numbers of a precision.
func computesIn(a *hardware.Accelerator, p Precision) bool {
	switch p {
	case BF16:
		return rated(a, "bf16", "bf16")
	case FP8:
		return rated(a, "fp8", "fp8")
	case NVFP4:
		return rated(a, "fp4", "fp4") && (a.Vendor == "nvidia" || a.Vendor == "")
	}
	return true
}

// rated is what the record says, or else whether it gives a rate.
func rated(a *hardware.Accelerator, key, rate string) bool {
	if said, ok := a.Supports[key]; ok {
		return said
	}
	return a.DenseTFLOPS[rate] > 0
}

// usualPrecision is the precision that training on a card has where nobody says otherwise.
func usualPrecision(a *hardware.Accelerator) Precision {
	switch {
	case a == nil || computesIn(a, BF16):
		return BF16
	case a.DenseTFLOPS["fp16"] > 0:
		return FP16
	}
	return FP32
}

// legalMethodical: what a method asks of the rest.
func (p *Plan) legalMethodical(j *Job) error {
	switch {
	case j.Method == QLoRA:
		if err := p.legalQuantizable(j); err != nil {
			return err
		}
	case j.Quantized != "" && j.Method != DPO && j.Method != PPO && j.Method != GRPO:
		return illegal("%s keeps no weights in %.20q, say --method %s", j.Method, j.Quantized, QLoRA)
	}
	switch {
	case (j.Method == LoRA || j.Method == QLoRA) && j.Rank < 1:
		return illegal("adapters of rank %d are none, say --lora-rank 16", j.Rank)
	case j.Rank > j.Shape.Hidden.N:
		return illegal("adapters of rank %d are wider than the hidden size %d, say --lora-rank 16", j.Rank, j.Shape.Hidden.N)
	case j.Method == Pretrain && j.Rank > 0:
		return illegal("pre-training trains all weights, say --method %s for adapters of rank %d", LoRA, j.Rank)
	case (j.Method == PPO || j.Method == GRPO) && (j.Prompt < 1 || j.Prompt >= j.Sequence):
		return illegal("a prompt of %d tokens leaves none of %d for the answer, say %d", j.Prompt, j.Sequence, max(1, j.Sequence/4))
	case j.Method == GRPO && j.Group < 2:
		return illegal("groups of %d answers have nothing to compare, say 8", j.Group)
	case j.InBackward && p.Micros(j) > 1:
		return illegal("the optimizer cannot step inside the backward pass while gradients of %d passes are gathered, say --global-batch %d", p.Micros(j),
			int64(p.Data)*p.Micro)
	case j.InBackward && j.Framework == Megatron:
		return illegal("%s has no optimizer that steps inside the backward pass, say --framework %s", Megatron, TorchTune)
	}
	return nil
}

// legalQuantizable: weights of 4 bits are those of linear layers, and no framework divides them by tensor ranks.
func (p *Plan) legalQuantizable(j *Job) error {
	formats := []string{"nf4", "nf4-dq", "int8", "int4"}
	switch {
	case !slices.Contains(formats, j.Quantized):
		return illegal("frozen weights in %.20q are not known, say %s", j.Quantized, strings.Join(formats, ", "))
	case p.Tensor > 1 || p.Pipeline > 1:
		return illegal("weights of 4 bits are not divided by tensor %d or pipeline %d ranks, say --tp 1 --pp 1", p.Tensor, p.Pipeline)
	case !slices.ContainsFunc(j.Shape.Blocks, func(b arch.Block) bool {
		return slices.ContainsFunc(b.Tensors, func(t arch.Tensor) bool { return t.Matrix })
	}):
		return illegal("the model has no linear layers that could be kept in 4 bits, say --method %s", LoRA)
	case p.GPU != nil && p.GPU.Vendor != "" && p.GPU.Vendor != "nvidia" && p.GPU.Vendor != "amd" && strings.HasPrefix(j.Quantized, "nf4"):
		return illegal("bitsandbytes has no kernels of %s for %s, say --method %s", j.Quantized, p.GPU.Name, LoRA)
	}
	return nil
}
