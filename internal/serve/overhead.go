package serve

import (
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
)

// The patches of the largest picture that an engine profiles with.
const (
	nativePatches = 65536 // of encoders without a fixed size of picture: 16,384 tokens
	tilePatches   = 1608  // of one tile of encoders that cross attention reads, padded
	tiles         = 4
	latentRows    = 65536   // tokens of context that MLA expands at once while it prefills
	mostBytes     = 1 << 58 // so that sums of a few cannot overflow
	kib           = 1 << 10
	oneGiB        = 1 << 30
)

// overhead is what an engine needs beside weights and cache, by cause.
type overhead struct {
	activation estimate
	nonTorch   estimate
	graphs     estimate
	context    estimate
	group      estimate
}

// estimate is a size with its formula and its source. The formula is written only for who reads it.
type estimate struct {
	bytes   Interval
	formula func() string
	source  string
}

// stage is one rank of the pipeline: which blocks it has, and whether it begins or ends the model.
type stage struct {
	number, of  int
	from, to    int
	first, last bool
}

// overheads estimates every cause for one stage.
func (f *fit) overheads(s stage) overhead {
	e := f.era
	o := overhead{activation: f.activation(s), graphs: f.graphs(s)}
	alone := &e.profile.NonTorch
	if f.older {
		alone = &e.profile.NonTorchOld
	}
	o.nonTorch = constant(alone.at(e.version))
	talks := f.plan.Tensor*f.plan.Pipeline*f.plan.Expert > 1 || f.plan.Data > 1 && f.model.experts
	o.context = constant(e.profile.Context.at(e.version))
	o.group = estimate{formula: func() string { return "one rank: none" }, source: "one rank"}
	if talks {
		o.nonTorch = constant(e.profile.NonTorchGroup.at(e.version))
		o.group = constant(e.profile.Group.at(e.version))
		if !switched(f.plan.GPU) {
			o.nonTorch = constant(e.profile.NonTorchPCIe.at(e.version))
			if o.group.bytes.High > 0 { // else it is counted with the libraries
				o.group = constant(e.profile.NonTorchPCIe.at(e.version))
			}
		}
	}
	return f.elsewhere(o)
}

// elsewhere widens what was fitted on devices of NVIDIA with memory of their own. Where the system has the same memory,
// what it takes or gives back meanwhile counts as growth: files that were read to load the weights are let go, so that
// the growth may be negative.
func (f *fit) elsewhere(o overhead) overhead {
	if g := f.plan.GPU; g.Unified {
		o.nonTorch.bytes.Low -= f.capacity / 16
		o.nonTorch.source += "; less where the system gives back memory of its own meanwhile"
	}
	if v := f.plan.GPU.Vendor; v == "amd" || v == "apple" || v == "intel" {
		for _, e := range []*estimate{&o.nonTorch, &o.graphs, &o.context, &o.group} {
			e.bytes = widened(e.bytes)
			e.source += "; fitted on devices of NVIDIA, so twice as wide here"
		}
	}
	return o
}

// switched reports whether devices are linked all to all, for which communicators keep many channels. A bridge joins two.
func switched(g *hardware.Accelerator) bool {
	return g.LinkGBs > 0 && !strings.Contains(g.Link, "bridge")
}

// constant is an estimate of one number of GiB.
func constant(s *step[interval]) estimate {
	return estimate{
		bytes: s.Value.of(oneGiB), source: s.Source,
		formula: func() string { return gibText(s.Value.Low) + " to " + gibText(s.Value.High) + " GiB as measured" },
	}
}

// of is the range in so many bytes.
func (i interval) of(unit float64) Interval {
	return Interval{int64(i.Low * unit), int64(i.Mid * unit), int64(i.High * unit)}
}

// activation is the peak of one dummy step: what lives while the sampler runs, or while the widest layer runs, or while
// pictures are encoded, whichever is most.
func (f *fit) activation(s stage) estimate {
	e, d := f.era, f.hidden
	u, number := f.plan.BatchedTokens, 2.0
	if f.single {
		number = 4
	}
	state := float64(u) * float64(d) * number
	sampling, forward, pictures := interval{}, f.forward(s)*number/2, f.pictures(s)
	matrix := float64(f.logitRows()) * float64(f.vocabRows) * 4
	copies, kept := f.samplers(), e.profile.Hidden.at(e.version).Value
	beside := f.workspace(s)
	if s.first && f.towers() {
		beside += state // encoded pictures wait for the prompt
	}
	if s.last {
		sampling = interval{copies.Value.Low * matrix, copies.Value.Mid * matrix, copies.Value.High * matrix}
	}
	floor := e.profile.Floor.at(e.version).Value
	peak := func(sampler, hidden, forward, pictures, floor float64) int64 {
		return int64(min(max(sampler+hidden*state+beside, forward, pictures)+floor*oneGiB, mostBytes))
	}
	out := estimate{source: copies.Source}
	out.bytes = Interval{
		peak(sampling.Low, kept.Low, forward*0.85, pictures.Low, floor.Low),
		peak(sampling.Mid, kept.Mid, forward, pictures.Mid, floor.Mid),
		peak(sampling.High, kept.High, forward*1.15, pictures.High, floor.High),
	}
	sampled := sampling.Mid + kept.Mid*state + beside
	out.formula = func() string {
		return "most of sampling " + gibText(sampled/oneGiB) + " (" + gibText(copies.Value.Mid) + " × " +
			strconv.FormatInt(f.logitRows(), 10) + " rows × " + strconv.FormatInt(f.vocabRows, 10) + " × 4 B + states), forward pass of " +
			strconv.FormatInt(u, 10) + " tokens " + gibText(forward/oneGiB) + ", pictures " + gibText(pictures.Mid/oneGiB) + " GiB"
	}
	return out
}

func (f *fit) towers() bool { return f.model.towerWide > 0 }

// samplers are the matrices of logits that live at once.
func (f *fit) samplers() *step[interval] {
	if f.plan.Engine.early {
		return f.era.profile.EarlySampler.at(f.era.version)
	}
	return f.era.profile.Sampler.at(f.era.version)
}

// logitRows are the rows of logits that exist at once.
func (f *fit) logitRows() int64 {
	if f.plan.Engine.early || f.era.profile.LogitsTokens.at(f.era.version).Value == "batch" {
		return f.plan.BatchedTokens
	}
	return min(f.plan.MaxSeqs, f.plan.BatchedTokens)
}

// forward is the widest live set of one layer: the stream and its norm, and beside them either queries, keys, values
// and their result, or gate, up and their product, or the copies that experts work on.
func (f *fit) forward(stage) float64 {
	d, t := float64(f.hidden), float64(f.plan.Tensor)
	widest := 0.0
	for i := range f.model.widths {
		w := &f.model.widths[i]
		widest = max(widest, f.mlpWidth(w)/t, f.expertWidth(w)+3*float64(w.SharedWidth)/t+f.gathered(w))
	}
	expanded := 0.0
	for i := range f.model.mixers {
		m := &f.model.mixers[i]
		h, k := float64(m.Heads), float64(m.KVHeads)
		key, value := float64(m.KeyWidth), float64(m.ValueWidth)
		if m.Latent > 0 {
			k = h
			expanded = max(expanded, float64(f.expandedRows())*h/t*(key+value)*2)
		}
		widest = max(widest, (h*key+k*(key+value)+h*value)/t, float64(m.Conv+m.State)/max(1, float64(m.StateHeads))/t)
	}
	u := float64(f.plan.BatchedTokens)
	return f.era.profile.Widest.at(f.era.version).Value*u*2*(2*d+widest) + expanded
}

// gathered is what ranks that share experts out have of the tokens of the other replicas, for each token of their own:
// what goes into the experts and what comes out of them.
func (f *fit) gathered(w *arch.MLP) float64 {
	shares := f.plan.Expert > f.plan.Tensor || f.split.inner > f.split.tensor
	if w.Experts == 0 || f.plan.Data < 2 || !shares {
		return 0
	}
	return 2 * float64(f.plan.Data-1) * float64(f.hidden)
}

// expandedRows are the tokens of context that MLA expands at once.
func (f *fit) expandedRows() int64 {
	if f.era.profile.plain() {
		return 0
	}
	return min(latentRows, max(8*f.plan.MaxModelLen, f.plan.BatchedTokens))
}

func (f *fit) mlpWidth(w *arch.MLP) float64 {
	if w.Gated {
		return 3 * float64(w.Width)
	}
	return 2 * float64(w.Width)
}

// expertWidth is what one token has in the two workspaces of experts, for each that it visits.
func (f *fit) expertWidth(w *arch.MLP) float64 {
	inner := float64(w.ExpertWidth) / float64(f.split.inner)
	d := float64(f.hidden)
	return float64(w.TopK) * (max(2*inner, d) + max(inner, d))
}

// workspace is what experts keep after the forward pass. Kernels of MXFP4 keep nothing.
func (f *fit) workspace(stage) float64 {
	if !f.model.experts || f.model.mxfp4 || !f.era.profile.Workspace.at(f.era.version).Value {
		return 0
	}
	widest := 0.0
	for i := range f.model.widths {
		if w := &f.model.widths[i]; w.Experts > 0 {
			widest = max(widest, f.expertWidth(w))
		}
	}
	return widest * float64(f.plan.BatchedTokens) * 2
}

// pictures is the peak of the encoder with the largest items that it is profiled with.
func (f *fit) pictures(s stage) interval {
	if !s.first || !f.towers() {
		return interval{}
	}
	e := f.era
	copies, u := e.profile.Encoder.at(e.version).Value, f.plan.BatchedTokens
	patches := interval{float64(u), float64(2 * u), float64(4 * u)} // a projector merges one to four into a token
	switch {
	case f.model.cross:
		copies = e.profile.Stacked.at(e.version).Value
		patches = same(float64(f.plan.MaxSeqs * tiles * tilePatches))
	case f.model.native:
		patches = same(float64(max(4*u, nativePatches)))
	}
	width := 2 * float64(f.model.towerWide)
	return interval{copies.Low * patches.Low * width, copies.Mid * patches.Mid * width, copies.High * patches.High * width}
}

func same(x float64) interval { return interval{x, x, x} }

// graphs is the memory of captured graphs: nodes of every layer for every size, and one pool of activations.
func (f *fit) graphs(s stage) estimate {
	e := f.era
	if f.plan.Eager {
		return estimate{formula: func() string { return "eager: no graphs" }, source: "as asked"}
	}
	base, layer := e.profile.GraphBase.at(e.version).Value, e.profile.GraphLayer.at(e.version)
	sizes := e.profile.GraphSizes.at(e.version).Value.of(f.cardGiB)
	if n := e.profile.GraphFamily[f.model.model.Shape.Family]; n > 0 && e.version >= e.profile.alone {
		sizes = n
	}
	blocks := int64(s.to - s.from)
	each := float64(sizes*blocks) * kib
	out := estimate{source: layer.Source}
	sum := layer.Value.of(each).Plus(base.of(oneGiB))
	if f.model.experts {
		sum = sum.Plus(e.profile.GraphMoE.at(e.version).Value.of(oneGiB))
	}
	if f.model.unpacked > 0 { // the matrix that is being multiplied, in 16 bits
		b := f.model.unpacked / int64(f.plan.Tensor)
		sum = sum.Plus(Interval{b, 2 * b, 3 * b})
	}
	out.bytes = sum
	out.formula = func() string {
		return strconv.FormatInt(sizes, 10) + " sizes × " + strconv.FormatInt(blocks, 10) + " layers × " +
			gibText(layer.Value.Mid) + " KiB + " + gibText(base.Mid) + " GiB"
	}
	return out
}

func gibText(x float64) string { return strconv.FormatFloat(x, 'g', 3, 64) }
