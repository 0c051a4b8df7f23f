package train

import (
	"fmt"
	"math"
)

// figures says what the step is, with ranges.
func (t *timing) figures() *Figures {
	j, p := &t.job, &t.plan
	f := &Figures{Counted: j.Framework.Counts().Text}
	f.PerToken, f.Hardware = t.work.flops(j)
	var name string
	f.Peak, name = peak(p.GPU, computedIn(j.Precision, p.GPU))
	f.PeakOf = fmt.Sprintf("%.4g TFLOPS dense %s", f.Peak/1e12, name)

	slow, fast := t.cons.Ends(ofStep, t.cons.cases(j, p, t.work.routed > 0))
	f.StepSeconds = Range{t.total * math.Exp(-fast), t.total, t.total * math.Exp(slow)}
	tokens := float64(j.Global) * float64(j.Sequence) * j.sequences()
	rate := Range{tokens / f.StepSeconds.High, tokens / t.total, tokens / f.StepSeconds.Low}
	f.TokensPerS = rate.Times(j.Fill)
	f.Achieved = rate.Times(f.PerToken / float64(p.GPUs))
	f.MFU = f.Achieved.Times(1 / f.Peak)
	f.HFU = rate.Times(f.Hardware / float64(p.GPUs) / f.Peak)
	f.Parts = t.told()
	for i := range t.exchanges {
		f.Traffic = append(f.Traffic, t.exchanges[i].traffic(&t.wires))
	}
	if f.BubbleShare = p.BubbleShare(j); t.as != nil {
		f.BubbleShare = t.as.plan.BubbleShare(&t.as.job)
	}
	f.IdleShare = t.sum(atTensor, atContext, atExchange, atData, atStages, atBubble, atImbalance, atOffload, atIdle) / t.total
	f.Bound = t.bound()
	f.Basis = t.cons.basis(j, p, t.work.routed > 0) + t.standing()
	if j.Tokens > 0 {
		f.Run = t.run()
		f.Run.explain(t.cons)
	}
	return f
}

func (t *timing) sum(list ...int) float64 {
	var sum float64
	for _, at := range list {
		sum += t.parts[at]
	}
	return sum
}

// bound is what takes most of a step.
func (t *timing) bound() string {
	best, most := "", 0.0
	for _, one := range []struct {
		name    string
		seconds float64
	}{
		{"compute", t.sum(atProducts, atExperts, atAttention, atHead, atRecompute, atScoring)},
		{"memory", t.sum(atElements, atUnpack, atUpdate, atRollout)},
		{"network", t.sum(atTensor, atContext, atExchange, atData, atStages)},
		{"bubble", t.sum(atBubble)},
		{"host", t.sum(atOffload, atIdle)},
		{"imbalance", t.sum(atImbalance)},
	} {
		if one.seconds > most {
			best, most = one.name, one.seconds
		}
	}
	return best
}

// told are the parts of a step that take any time.
func (t *timing) told() []StepPart {
	list := make([]StepPart, 0, causes)
	sources := t.cons.sources()
	add := func(at int, c Cause, name, format string, args ...any) {
		if t.parts[at] > 0 {
			list = append(list, StepPart{Cause: c, Name: name, Seconds: t.parts[at], Formula: fmt.Sprintf(format, args...), Source: sources[at]})
		}
	}
	w, share := t.work, t.tensor*t.pipe
	best := t.flops / 1e12
	passes := t.job.passes()
	add(atProducts, Products, "matrix products of dense layers", "%.0f micro-batches × %.0f × 2 × %.4g multiplications × %.0f tokens / %.0f ranks, at most %.4g TFLOPS", t.micros, passes, w.dense, t.tokens, share, best)
	add(atExperts, Products, "matrix products of experts", "%.0f micro-batches × %.0f × 2 × %.4g multiplications × %.0f tokens / %.0f ranks, grouped by expert", t.micros, passes, w.routed, t.tokens, share)
	add(atAttention, Attention, "attention", "%.0f micro-batches × 3 × 2 × %.4g multiplications × %.0f tokens / %.0f ranks in 16 bits", t.micros, w.attention(float64(t.job.Sequence), false), t.tokens, share)
	add(atHead, Head, "logits and loss", "%.0f micro-batches × %.0f tokens × %.0f words / %.0f ranks", t.micros, t.tokens, w.vocab, share)
	add(atElements, Elementwise, "norms, activations, residuals", "%.0f micro-batches × %.4g numbers × %.3g B × %.0f tokens / %.0f ranks, at %.4g GB/s", t.micros, w.ends+w.routedEnds, t.is[ofTraffic], t.tokens, share, t.bandwidth/1e9)
	add(atRecompute, Recomputed, "forward passes done again", "%.3g of the forward pass of layers", t.job.again(t.is[ofSelective]))
	add(atUnpack, Dequantize, "frozen weights unpacked", "%.0f micro-batches × %.4g weights × 2.5 B for each product, at %.4g GB/s", t.micros, (w.blocks+w.experts)/share, t.bandwidth*t.is[ofUnpack]/1e9)
	add(atTensor, Tensors, "exchanges of tensor ranks", "what is not hidden behind products")
	add(atContext, Contexts, "keys and values of other context ranks", "what is not hidden behind products")
	add(atExchange, Experts, "tokens to and from experts", "what is not hidden behind products")
	add(atData, Datas, "gradients and weights of data ranks", "what is not hidden behind products")
	add(atStages, Stages, "sent between stages", "what is not hidden behind products")
	add(atBubble, Bubble, "pipeline bubble", "%.4g s of one micro-batch × %.4g, as %d stages fill and empty", t.pass, t.plan.bubbles(), t.plan.Pipeline)
	add(atImbalance, Imbalance, "waiting for the busiest", "the longest stage, the busiest expert, and %.2g of a step with each doubling of machines", t.is[ofStraggle])
	add(atUpdate, Update, "step of the optimizer", "%.0f B for each weight that a rank steps", t.job.Optimizer.bytesOfUpdate())
	add(atOffload, Offloaded, "work and memory of the host", "%.0f B for each weight at %.4g GB/s of the host, and over PCIe", t.job.Optimizer.bytesOfUpdate(), t.is[ofHost]/1e9)
	add(atRollout, Rollouts, "answers written", "passes that read weights and what is kept of %d answers", t.job.Global)
	add(atScoring, Scoring, "passes of models beside", "forward passes of reference, reward model and critic")
	add(atIdle, Idle, "launches and gaps", "%.0f micro-batches × %.0f layers", t.micros, w.layers/t.pipe)
	return list
}
