package train

import (
	"fmt"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// gathered are weights that are whole for a while where data ranks share them, and buffers of what is reduced.
func (s *stage) gathered() {
	if s.offloaded(Weights) {
		s.fetched()
		return
	}
	if s.shard <= 1 && s.plan.Data <= 1 || s.job.Framework == Megatron {
		return // Megatron gathers weights in place, and reduces gradients in place
	}
	all := s.count.all() + s.adapters
	away := max(0, s.count.all()-s.shared(s.count)) + s.adapters*(1-1/s.shard) // what other ranks hold
	each := s.gatherBytes()
	switch {
	case s.plan.Zero >= 2 && s.gathers() && (s.plan.Zero == 2 || s.of > 1):
		bytes := each * away
		s.add(Overhead, "gathered weights of the stage", Exactly(bytes), "weights are not divided again between passes (torchtitan: fsdp_reshard_after_forward)",
			func() string { return product(away, each, " of other ranks") })
	case s.plan.Zero >= 3 && s.job.Framework == DeepSpeed:
		lives := s.constant("live_parameters")
		bytes := Range{min(lives.Low, away), min(lives.Mid, away), min(lives.High, away)}.Times(each)
		s.add(Overhead, "gathered weights", bytes, s.source("live_parameters"), func() string { return fmt.Sprintf("at most %.4g parameters × %g B", lives.Mid, each) })
	case s.plan.Zero >= 3:
		s.units(each, away)
	}
	s.buckets(away / max(1, all))
}

// fetched are weights that come from the host for a layer or two, and gradients of one layer on their way there.
func (s *stage) fetched() {
	s.units(s.gatherBytes(), s.count.all()+s.adapters)
	trained := s.adapters / max(1, float64(len(s.layers)))
	if s.job.Trained() {
		trained = max(s.biggest, s.count.embed/2)
	}
	bytes := trained * (2 + s.num.Gradients)
	s.comes(Overhead, "gradients of one layer on their way to the host", Exactly(bytes), "prefetch", func() string {
		return fmt.Sprintf("%.4g parameters × (2 + %g) B", trained, s.num.Gradients)
	})
}

// gatherBytes is what a gathered weight takes. Those of QLoRA are gathered as they are packed, and unpacked one at a time.
func (s *stage) gatherBytes() float64 {
	switch {
	case s.job.Method == QLoRA && s.count.all() > 0:
		packed, rest, format, other := s.frozenParts()
		return (packed.all()*format.Bytes + rest.all()*other) / s.count.all()
	case s.job.Precision == FP32:
		return 4
	}
	return 2
}

// units are the layers that are gathered at once, beside embedding and head, which most frameworks leave in one unit.
func (s *stage) units(each, away float64) {
	root := s.count.embed
	if s.job.Framework == TorchTitan || s.job.Framework == TorchTune {
		root /= 2
	}
	layers := s.constant("prefetch")
	of := func(n float64) float64 { return each * min(away, n*s.biggest+root) }
	s.add(Overhead, "gathered layers", Range{of(layers.Low), of(layers.Mid), of(layers.High)}, s.source("prefetch"), func() string {
		return fmt.Sprintf("(%g layers × %.4g + %.4g of embedding and head) × %g B", layers.Mid, s.biggest, root, each)
	})
}

// buckets are gradients on their way.
func (s *stage) buckets(away float64) {
	trained := s.adapters
	biggest := trained / max(1, float64(len(s.layers)))
	if s.job.Trained() {
		trained, biggest = s.count.all(), max(s.biggest, s.count.embed/2)
	}
	switch {
	case s.job.Framework == DeepSpeed && s.plan.Zero >= 1:
		b := s.constant("bucket")
		of := func(n float64) float64 { return 2 * min(n, trained) }
		s.comes(Overhead, "gradients that are reduced at once", Range{of(b.Low), of(b.Mid), of(b.High)}, "bucket", func() string {
			return fmt.Sprintf("%.4g parameters × 2 B", min(b.Mid, trained))
		})
	case s.accumulates():
		n := biggest
		s.comes(Overhead, "gradients of one layer while they are reduced", Exactly(n*s.num.Gradients), "prefetch", func() string { return product(n, s.num.Gradients, "") })
	case s.plan.Zero >= 2:
		n := min(biggest, trained*away)
		s.comes(Overhead, "gradients of one layer before they are reduced", Exactly(n*(2+s.num.Gradients)), "prefetch", func() string {
			return fmt.Sprintf("%.4g parameters × (2 + %g) B", n, s.num.Gradients)
		})
	case s.plan.Zero < 2 && s.plan.Data > 1:
		bytes := trained * s.num.Gradients
		s.add(Overhead, "buckets of gradients", Exactly(bytes), "gradients are copied to buckets (PyTorch DDP without gradient_as_bucket_view)", func() string {
			return product(trained, s.num.Gradients, "")
		})
	}
}

// comes adds what comes and goes.
func (s *stage) comes(part Part, name string, bytes Range, constant string, formula func() string) {
	s.moves = s.moves.Plus(bytes)
	s.add(part, name, bytes, s.source(constant), formula)
}

// flight is how many passes a stage holds at once, in passes through all of its layers.
func (s *stage) flight() float64 {
	p, v := float64(s.of), float64(max(1, s.plan.Virtual))
	passes := float64(s.passes)
	if s.of == 1 {
		return 1
	}
	left := p - float64(s.at)
	switch {
	case s.plan.Schedule == ZeroBubble:
		return min(p, passes) // gradients of weights wait, so that every stage holds what the first does
	case v > 1:
		return min((left-1)*2+(v-1)*p+1, passes*v) / v
	}
	return min(left, passes)
}

// keeps is what a layer keeps of a token with the recomputation that was asked for.
func (s *stage) keeps(l *layer) Range {
	none := s.all(l)
	switch s.job.Recompute {
	case Selective:
		return s.selective(l, none)
	case Whole:
		one := l.input
		return Range{min(one, none.Low), min(one, none.Mid), min(one, none.High)}
	}
	return none
}

// all is what a layer keeps without recomputation.
func (s *stage) all(l *layer) Range {
	r := s.keeping.Times(l.full())
	r.Low -= s.keeping.Low * l.unsure
	return r
}

// selective is without scores in Megatron, and for latent attention and experts without what their recipes name as
// modules that are computed again; others keep a part of all products.
func (s *stage) selective(l *layer, none Range) Range {
	if s.job.Framework == Megatron {
		return s.modules(l)
	}
	share := s.constant("selective")
	of := func(n float64) float64 { return l.input + l.outputs + l.products*n }
	return Range{min(of(share.Low), none.Low), min(of(share.Mid), none.Mid), min(of(share.High), none.High)}
}

// modules is without the unpacked queries, keys and values; recipes for experts name what their gates put out too, or what
// norms put out and the gates of dense layers.
func (s *stage) modules(l *layer) Range {
	high := l.kept - l.unpacked
	mid, low := high, high
	if l.unpacked > 0 || l.activated > 0 {
		mid = high - l.activated
		low = mid - l.normed
	}
	return Range{s.keeping.Low * (low - l.unsure), s.keeping.Mid * mid, s.keeping.High * high}
}

// received are the buffers that PyTorch's pipeline makes for every pass before the first one: of what a stage is sent, where
// no activations lie in them yet, and of the gradients that come back.
func (s *stage) received(flight float64) {
	if s.of == 1 || !s.gathers() || len(s.layers) == 0 {
		return
	}
	n := 0.0
	if !s.first {
		n += max(0, float64(s.passes)-flight)
	}
	if !s.last {
		n += float64(s.passes)
	}
	bytes := n * s.tokens * s.layers[0].input
	s.add(Activations, "buffers between stages", Exactly(bytes), "made for every pass (PyTorch: torch/distributed/pipelining/stage.py)", func() string {
		return fmt.Sprintf("%.4g passes × %.4g tokens × %.4g B", n, s.tokens, s.layers[0].input)
	})
}

// work are activations and logits: at the peak there are those that are kept of all passes in flight, and either one
// layer in its backward pass or the logits.
func (s *stage) work() {
	var kept, live Range
	for _, l := range s.layers {
		k := s.keeps(l)
		kept = kept.Plus(k)
		full := s.all(l)
		one := Range{
			max(0, full.Low-k.Low) + l.gradients*s.constant("live").Low,
			max(0, full.Mid-k.Mid) + l.gradients*s.constant("live").Mid, max(0, full.High-k.High) + l.gradients*s.constant("live").High,
		}
		live = Range{max(live.Low, one.Low), max(live.Mid, one.Mid), max(live.High, one.High)}
	}
	if s.of > 1 && (s.gathers() || s.job.Framework == DeepSpeed) && len(s.layers) > 0 {
		kept = kept.Plus(Exactly(s.layers[0].input)) // what the stage sent stays until its backward pass
	}
	flight := s.flight()
	name := "activations that are kept"
	if s.job.Recompute == Whole {
		name = "inputs of layers"
	}
	leaving := flight
	if s.job.Framework == Megatron {
		leaving = min(1, flight) // its buffers are there before the first pass, whose blocks fit all later ones
	}
	s.moves = s.moves.Plus(kept.Times(s.tokens * leaving))
	s.add(Activations, name, kept.Times(s.tokens*flight), s.source("kept"), func() string {
		return fmt.Sprintf("%.4g tokens × %.4g passes in flight × %.4g B of %d layers", s.tokens, flight, kept.Mid, len(s.layers))
	})
	s.received(flight)
	logits := s.logits()
	live = live.Times(s.tokens)
	s.peaks = peaks{kept: kept.Times(s.tokens * flight), passing: s.tokens * flight, live: live, logits: logits}
	over := beyond(live, logits)
	s.comes(Activations, "one layer in its backward pass, beyond what logits took", over, "live", func() string {
		return fmt.Sprintf("%.4g tokens × %.4g B - %.4g B of logits", s.tokens, live.Mid/max(1, s.tokens), logits.Mid)
	})
}

// beyond is what one peak is higher than another. Where the ranges cross, it is the safe reading that is a range still.
func beyond(a, b Range) Range {
	r := Range{Low: max(0, a.Low-b.Low)}
	r.Mid = max(r.Low, a.Mid-b.Mid)
	r.High = max(r.Mid, a.High-b.High)
	return r
}

func (s *stage) vocab() float64 { return float64(s.job.Shape.Vocab.N) / s.tensor }

// logits are gone before the layers' backward pass. They are added here, and returned.
func (s *stage) logits() Range {
	if !s.last {
		return Range{}
	}
	each, name := s.eachLogit(s.job.Loss)
	bytes := each.Times(s.tokens)
	s.comes(Logits, "logits and loss, "+string(s.job.Loss), bytes, name, func() string {
		return fmt.Sprintf("%.4g tokens × %.4g B of a vocabulary of %.6g", s.tokens, each.Mid, s.vocab())
	})
	return bytes
}

// eachLogit is what the logits of one token take, and the constant that says so.
func (s *stage) eachLogit(loss Loss) (each Range, name string) {
	name = "plain_logits"
	if s.tensor > 1 || s.job.Framework == Megatron || s.job.Framework == TorchTitan {
		name = "parallel_logits"
	}
	each = s.constant(name).Times(s.vocab())
	switch loss {
	case Chunked:
		name = "chunked_logits"
		if s.job.Framework == TorchTitan || s.job.Framework == TorchTune {
			name = "compiled_logits"
		}
		each = least(each, s.constant(name).Times(s.vocab()))
	case Fused:
		name = "fused_logits"
		each = least(each, least(s.constant("chunked_logits").Times(s.vocab()), s.constant(name).Times(float64(s.hidden()))))
	}
	return each, name
}

func least(a, b Range) Range { return Range{min(a.Low, b.Low), min(a.Mid, b.Mid), min(a.High, b.High)} }

// others are models beside the one that is trained.
func (s *stage) others() {
	shape := func(given *arch.Shape) *arch.Shape {
		if given != nil {
			return given
		}
		return s.job.Shape
	}
	if s.job.Method.Aligns() && (s.job.Trained() || s.job.Reference != nil) {
		s.beside("reference model", shape(s.job.Reference), "frozen, 16 bits; with adapters it is the model without them")
	}
	switch s.job.Method {
	case PPO:
		s.beside("reward model", shape(s.job.Reward), "frozen, 16 bits")
		s.critic(shape(s.job.Critic))
	case GRPO:
		if s.job.Reward != nil {
			s.beside("reward model", s.job.Reward, "frozen, 16 bits")
		}
	}
	if s.job.Rollout && !s.job.Apart {
		s.rollout()
	}
}

// parameters are those of another model on this device.
func (s *stage) parameters(of *arch.Shape) count {
	var c count
	for t := range of.Tensors() {
		if t.Component != arch.MTPPart {
			c.add(t, s.tensor, s.expert)
		}
	}
	return c.times(1 / float64(s.of))
}

func (s *stage) beside(name string, of *arch.Shape, why string) {
	const each = 2 // 16 bits
	n := s.by(s.parameters(of), 3)
	s.add(OtherModels, name, Exactly(n*each), why, func() string { return product(n, each, s.sharing(3)) })
}

// critic is trained beside the policy, as the policy is.
func (s *stage) critic(of *arch.Shape) {
	if s.job.Framework == HF {
		share := min(1, s.parameters(of).all()/max(1, s.count.all()))
		bytes := Range{0, s.peaks.kept.Mid * share, s.peaks.kept.High * share}
		s.add(OtherModels, "activations of the critic", bytes, "policy and critic make one loss (TRL: PolicyAndValueWrapper)", func() string {
			return fmt.Sprintf("%.2g of the %.4g B of the policy", share, s.peaks.kept.Mid)
		})
	}
	if !s.job.Trained() {
		s.beside("critic, frozen weights", of, "adapters of its own beside frozen weights")
		n, each := s.job.laid(of, s.tensor, s.expert)/float64(s.of), s.num.Weights+s.num.Gradients+s.num.Master+s.num.Moments
		s.add(OtherModels, "critic, adapters", Exactly(n*each), s.num.Why, func() string { return product(n, each, "") })
		return
	}
	c := s.parameters(of)
	n := s.num
	states, _ := s.momentBytes(c, n)
	bytes := s.by(c, 3)*n.Weights + s.by(c, 2)*n.Gradients + s.by(c, 1)*n.Master
	if s.job.Offload == NoOffload || s.job.Offload == "" {
		bytes += states
	} else {
		s.host = s.host.Plus(Exactly(states))
	}
	s.add(OtherModels, "critic, trained", Exactly(bytes), n.Why, func() string {
		return fmt.Sprintf("%.4g parameters: weights %g B, gradients %g B, states %g B", c.all(), n.Weights, n.Gradients, n.Master+n.Moments)
	})
}

// rollout is the engine that writes answers on the same devices. One that sleeps while gradients are computed leaves its
// context, and is awake while nothing passes through the model that is trained.
func (s *stage) rollout() {
	share := s.constant("engine")
	room := 0.0
	if s.plan.GPU != nil {
		room = float64(s.plan.GPU.Usable())
	}
	weights := 2 * s.parameters(s.job.Shape).all()
	cache := s.cache() * float64(s.job.Sequence) * max(1, float64(s.job.Group))
	of := func(x float64) float64 { return max(x*room, weights+cache) }
	bytes, name := Range{weights + cache, of(share.Mid), of(share.High)}, "engine that writes answers"
	if s.job.RolloutFree {
		left := s.constant("asleep")
		bytes, name = beyond(bytes, s.moves).Plus(left), "engine that writes answers while no pass is made"
	}
	s.add(OtherModels, name, bytes, s.source("engine"), func() string {
		return fmt.Sprintf("the larger of %g of the device and %.4g B of weights + %.4g B of keys and values", share.Mid, weights, cache)
	})
}

// cache is what a token leaves in the cache of an engine.
func (s *stage) cache() float64 {
	sum := 0.0
	for i := range s.job.Shape.Blocks {
		m := &s.job.Shape.Blocks[i].Mixer
		switch {
		case m.SharesWith >= 0:
		case m.Latent+m.Rope > 0:
			sum += two * float64(m.Latent+m.Rope)
		case m.Kind != arch.State && m.Kind != arch.NoMixer:
			sum += two * float64(m.KVHeads) * float64(m.KeyWidth+m.ValueWidth) / s.tensor
		}
	}
	return sum
}

// overhead is what no tensor of the model takes.
func (s *stage) overhead() {
	if s.job.Method == QLoRA {
		s.unpacked()
	}
	share := s.constant("fragments")
	gaps := Range{s.moves.Low * share.Low, s.moves.Mid * share.Mid, s.moves.High * share.High}
	s.add(Overhead, "gaps of the allocator", gaps, s.source("fragments"), func() string {
		return fmt.Sprintf("%g of %.4g B that come and go", share.Mid, s.moves.Mid)
	})
	if n := s.groups(); n > 0 {
		s.add(Overhead, "buffers of NCCL", s.constant("group").Times(n), s.source("group"), func() string {
			return fmt.Sprintf("%g groups of ranks × %.3g B", n, s.constant("group").Mid)
		})
	}
	if s.job.Framework == HF || s.job.Framework == Axolotl {
		left := s.constant("trainer")
		s.add(Overhead, "left of loading and of first steps", left, s.source("trainer"), func() string { return fmt.Sprintf("%.3g B", left.Mid) })
	}
	fixed := s.constant("context").Plus(s.constant("workspace"))
	s.add(Overhead, "context and workspaces", fixed, s.source("context"), func() string { return fmt.Sprintf("%.3g B", fixed.Mid) })
}

// unpacked are frozen weights in 16 bits, as products read them: one at a time, but of GPTQ those of a layer, which
// autograd keeps for its backward pass.
func (s *stage) unpacked() {
	most, layer := 0.0, 0.0
	for i := range s.job.Shape.Blocks {
		ts := s.job.Shape.Blocks[i].Tensors
		if i > 0 && len(ts) > 0 && &ts[0] == &s.job.Shape.Blocks[i-1].Tensors[0] {
			continue
		}
		for k := range ts {
			if ts[k].Matrix {
				most = max(most, float64(ts[k].Rows.N)*float64(ts[k].Cols.N)/s.tensor)
			}
		}
	}
	for _, l := range s.layers {
		layer = max(layer, l.linear)
	}
	if s.job.Quantized == "int4" {
		n := layer + 2*most // and what is unpacked on the way, in 32 bits
		s.comes(Overhead, "weights of one layer unpacked to 16 bits", Range{2 * layer, 2 * n, 4 * n}, "live", func() string { return product(n, 2, "") })
		return
	}
	s.comes(Overhead, "one weight unpacked to 16 bits", Range{2 * most, 2 * most, 4 * most}, "live", func() string { return product(most, 2, "") })
}

func (s *stage) groups() float64 {
	n := 0.0
	for _, ranks := range []int{s.plan.Tensor, s.plan.Pipeline, s.plan.Context, s.plan.Expert, s.plan.Data} {
		if ranks > 1 {
			n++
		}
	}
	return n
}

// loading is the peak before the first step where it is the higher one.
func (s *stage) loading() {
	if s.job.Framework != LitGPT || s.job.Method == QLoRA || s.plan.Zero < 2 || s.shard <= 1 || s.job.Offload == OffAll {
		return
	}
	each := 2.0
	if s.job.Trained() {
		each = s.num.Weights
	}
	n, now := s.count.all()*(1+1/s.shard), s.total()
	whole := s.constant("loading").High * n * each
	s.add(Overhead, "weights while they are loaded, beyond what training takes", Exactly(max(0, whole-now.High)), s.source("loading"),
		func() string {
			return fmt.Sprintf("%.4g parameters × (1 + 1/%g) × %g B × %g - %.4g B", s.count.all(), s.shard, each, s.constant("loading").High, now.High)
		})
}

// step is what the optimizer needs while it steps over adapters and what is trained beside them, all tensors at once: a
// square root of the second moments. Where all weights are trained, Trainer takes a fused kernel.
func (s *stage) step() {
	switch {
	case s.job.InBackward || s.offloaded(States) || s.job.Optimizer != AdamW || s.job.Trained():
		return
	case s.job.Framework != HF && s.job.Framework != Axolotl && s.job.Framework != LitGPT && s.job.Framework != FSDP:
		return // a kernel of its own
	}
	n := s.flat(s.adapters, 1)*s.num.Moments/2 + s.outerTrained()*2
	s.add(Overhead, "the step of the optimizer", Exactly(n), "AdamW over all tensors at once (PyTorch: torch/optim/adamw.py, foreach)",
		func() string { return fmt.Sprintf("square roots of the second moments, %.4g B", n) })
}

// reserve is for what was forgotten.
func (s *stage) reserve() {
	share, now := s.constant("reserve"), s.total()
	mid := now.Mid * share.Mid
	high := max(mid, (now.High-s.exact)*(share.High+s.widening)) // the bytes of frozen weights are known
	s.add(Overhead, "reserve for what is not named", Range{now.Low * share.Low, mid, high}, s.source("reserve"),
		func() string { return fmt.Sprintf("%g of %.4g B", share.Mid, now.Mid) })
}
