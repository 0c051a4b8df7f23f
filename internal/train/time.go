package train

import (
	"fmt"
	"math"
)

// Time is what a plan does: how long a step takes and why, and how long the run. A plan that does not fit is timed all the
// same. What the plan does not say is taken as Complete would where that is one thing only; a sequence has to be said.
func (c *Constants) Time(j *Job, p *Plan) (*Figures, error) {
	t, err := c.timing(j, p)
	if err != nil {
		return nil, err
	}
	return t.figures(), nil
}

// Seconds is the middle of the time of a step and of the time of the run (0 where no tokens are said), for a search that
// looks at many plans, and for the fit.
func (c *Constants) Seconds(j *Job, p *Plan) (step, run float64, err error) {
	t, err := c.timing(j, p)
	if err != nil {
		return 0, 0, err
	}
	if t.job.Tokens <= 0 {
		return t.total, 0, nil
	}
	return t.total, t.run().Seconds.Mid, nil
}

// timing is a step while it is timed.
type timing struct {
	cons *Constants
	job  Job
	plan Plan
	work *work
	is   [quantities]float64

	tensor, pipe, context, expert, data float64
	micros                              float64
	tokens                              float64 // of one pass of one replica, on one of its context ranks
	flops, flops16                      float64 // that the best product reaches, in the format of the job and in 16 bits
	bandwidth                           float64
	wires                               wires

	parts     [causes]float64
	exchanges []exchange
	compute   float64 // of one pass, what exchanges pass behind
	pass      float64 // of one micro-batch on the stage that takes longest, forward and backward
	total     float64
	as        *timing // the cluster that stands in, where the devices are too few
}

// The causes of a step in the order in which they are shown.
const (
	atProducts = iota
	atExperts
	atAttention
	atHead
	atElements
	atRecompute
	atUnpack
	atTensor
	atContext
	atExchange
	atData
	atStages
	atBubble
	atImbalance
	atUpdate
	atOffload
	atRollout
	atScoring
	atIdle
	causes
)

func (c *Constants) timing(j *Job, p *Plan) (*timing, error) {
	if err := ready(j, p); err != nil {
		return nil, err
	}
	if p.Elsewhere != nil {
		return c.elsewhere(j, p)
	}
	t := &timing{cons: c, job: *j, plan: *p}
	t.fill()
	t.work = workOf(t.job.Shape, t.job.Method == Pretrain)
	if t.work.params() <= 0 || math.IsInf(t.work.params(), 0) {
		return nil, fmt.Errorf("%w: the shape has no parameters", ErrIllegal)
	}
	terms := c.Terms(groups(&t.job, &t.plan, t.work.routed > 0))
	for q := range t.is {
		t.is[q] = c.Sum(q, terms[q])
	}
	if err := t.rates(); err != nil {
		return nil, err
	}
	t.onePass()
	t.oneStep()
	if math.IsNaN(t.total) || math.IsInf(t.total, 0) || t.total <= 0 {
		return nil, fmt.Errorf("%w: sizes are beyond what can be computed with", ErrIllegal)
	}
	return t, nil
}

// The largest numbers that are taken for numbers: beyond them nothing is trained.
const (
	mostDegree = 1 << 22
	mostLength = 1 << 40
)

// ready refuses what cannot be timed.
func ready(j *Job, p *Plan) error {
	switch {
	case j == nil || j.Shape == nil:
		return fmt.Errorf("%w: no model is named", ErrIllegal)
	case p == nil || p.GPU == nil:
		return fmt.Errorf("%w: no device is named", ErrUnknown)
	case p.GPU.BandwidthGBs <= 0:
		return fmt.Errorf("%w: the bandwidth of the memory of %s is not known", ErrUnknown, p.GPU.Name)
	case j.Sequence <= 0:
		return fmt.Errorf("%w: the length of sequences is not said", ErrIllegal)
	case math.IsNaN(j.Tokens) || math.IsInf(j.Tokens, 0) || j.Tokens < 0:
		return fmt.Errorf("%w: %v tokens are no number of tokens", ErrIllegal, j.Tokens)
	}
	for _, n := range []int{p.GPUs, p.Tensor, p.Pipeline, p.Context, p.Expert, p.Data, p.Virtual, p.Shard} {
		if n < 0 || n > mostDegree {
			return fmt.Errorf("%w: %d is no number of ranks, want at most %d", ErrIllegal, n, mostDegree)
		}
	}
	for _, n := range []int64{j.Sequence, j.Global, p.Micro, j.Rank, j.Prompt, j.Group} {
		if n < 0 || n > mostLength {
			return fmt.Errorf("%w: %d is no length, rank or number of sequences, want at most %d", ErrIllegal, n, int64(mostLength))
		}
	}
	return nil
}

// fill takes one for what is not said.
func (t *timing) fill() {
	p, j := &t.plan, &t.job
	for _, n := range []*int{&p.Tensor, &p.Pipeline, &p.Context, &p.Expert, &p.Virtual} {
		*n = max(1, *n)
	}
	p.Micro = max(1, p.Micro)
	each := p.Tensor * p.Pipeline * p.Context
	if p.Data <= 0 {
		p.Data = max(1, p.GPUs/max(1, each))
	}
	p.GPUs = max(1, p.GPUs)
	if j.Global <= 0 {
		j.Global = p.Micro * int64(p.Data)
	}
	if p.Zero < 0 {
		p.Zero = 3
		if j.Framework == Megatron || j.Framework == "" {
			p.Zero = 1
		}
	}
	if j.Fill <= 0 || j.Fill > 1 {
		j.Fill = 1
	}
	t.tensor, t.pipe, t.context = float64(p.Tensor), float64(p.Pipeline), float64(p.Context)
	t.expert, t.data = float64(p.Expert), float64(p.Data)
	t.micros = float64(p.Micros(j))
	t.tokens = float64(p.Micro) * float64(j.Sequence) * j.sequences() / t.context
}

// sequences is how many of them one example has: of a pair, two.
func (j *Job) sequences() float64 {
	if j.Method == DPO {
		return 2
	}
	return 1
}

// PerStep is how many tokens a step takes.
func (j *Job) PerStep(p *Plan) float64 {
	global := float64(j.Global)
	if j.Global <= 0 {
		global = float64(max(1, p.Micro)) * float64(max(1, p.Data))
	}
	return global * float64(j.Sequence) * j.sequences()
}

// rates are what the device and its links reach.
func (t *timing) rates() error {
	card := t.plan.GPU
	t.flops, _ = peak(card, computedIn(t.job.Precision, card))
	t.flops16, _ = peak(card, "16 bits")
	if t.flops <= 0 || t.flops16 <= 0 {
		return fmt.Errorf("%w: the peak of %s is not known", ErrUnknown, card.Name)
	}
	ceiling := t.is[ofCeiling]
	if card.MatmulBF16 > 0 {
		ceiling = min(1, card.MatmulBF16*1e12/float64(max(1, card.Devices))/t.flops16)
	}
	t.flops *= ceiling
	t.flops16 *= ceiling
	t.bandwidth = card.BandwidthGBs * 1e9 / float64(max(1, card.Devices)) * t.is[ofMemory]
	t.wires = wired(&t.plan, t.is[ofLink], t.is[ofNet])
	return t.wires.joined(&t.plan)
}

// loses is the share that products keep of which one side is narrow, or which few tokens pass.
func loses(ramp, size float64) float64 { return size / (size + ramp) }

// partly is the same where only the last of many pieces of work is not full.
func partly(ramp, size float64) float64 { return math.Sqrt(loses(ramp, size)) }

// narrow is how wide a product is that loses half, in the format of the job: the more a device computes in the time in which
// it reads a number, the wider products have to be.
func (t *timing) narrow() float64 {
	const usual = 153 // FLOPs for each byte, of an A100 in 16 bits
	peak, _ := peak(t.plan.GPU, computedIn(t.job.Precision, t.plan.GPU))
	return t.is[ofWidth] * peak / (t.plan.GPU.BandwidthGBs * 1e9 / float64(max(1, t.plan.GPU.Devices))) / usual
}

// onePass is a micro-batch on one rank of one stage, forward and backward, in the mean of the stages.
func (t *timing) onePass() {
	w, n, passes := t.work, t.tokens/(t.tensor*t.pipe), t.job.passes()
	rate := t.is[ofProduct] * partly(t.is[ofTokens], t.tokens) * loses(t.narrow(), w.narrow/math.Sqrt(t.tensor)) // ranks divide one of two sides
	dense := 2 * w.dense * n / (t.flops * rate)
	routed := 0.0
	if w.routed > 0 {
		each := t.tokens / t.tensor * t.expert * w.topK / w.choices
		if t.plan.Expert == 1 {
			each = t.tokens * w.topK / w.choices
		}
		grouped := t.is[ofProduct] * t.is[ofExperts] * loses(t.is[ofExpert], each) * loses(t.narrow(), w.expertWidth)
		routed = 2 * w.routed * n / (t.flops * grouped)
	}
	attention := 2 * w.attention(float64(t.job.Sequence), false) * n / (t.flops16 * t.scores())
	between := t.is[ofTraffic] * (w.ends + w.routedEnds) * n / t.bandwidth
	if t.plan.NoSequence {
		between *= (1 + t.tensor) / 2
	}
	adapters := 0.0
	if !t.job.Trained() {
		adapters = 2 * t.job.adapters(w) * n / (t.flops16 * rate)
	}
	again := t.job.again(t.is[ofSelective])
	t.parts[atProducts] = passes*dense + 3*adapters
	t.parts[atExperts] = passes * routed
	t.parts[atAttention] = 3 * attention
	t.parts[atElements] = between
	t.parts[atRecompute] = again * (dense + routed + adapters + attention + between/3)
	t.parts[atHead] = t.head(n, rate, passes)
	t.parts[atUnpack] = t.unpacked(1 + 1 + again)
	t.parts[atIdle] = (t.is[ofLayer]*w.layers + t.is[ofRouting]*w.expertLayers) / t.pipe * (1 + again/3)
	t.parts[atImbalance] = t.is[ofUneven] * (t.parts[atExperts] + again*routed)
	if t.plan.Expert == 1 {
		t.parts[atImbalance] = 0
	}
	for _, at := range []int{atProducts, atExperts, atAttention, atElements, atRecompute} {
		t.compute += t.parts[at]
	}
	t.exchangesOfPass()
	t.hide()
}

// scores is the share of the ceiling that attention reaches. Scores that are written to memory make it slow,
// and a short context hardly fills the units.
func (t *timing) scores() float64 {
	reached := t.is[ofScores] * loses(t.is[ofLength], float64(t.job.Sequence))
	if t.job.NoFlash {
		return reached / 4
	}
	return reached
}

// head is the product with the vocabulary and the loss, spread over stages.
func (t *timing) head(n, rate, passes float64) float64 {
	bytes := 16.0 // logits are written, read as 32 bits for the loss and again for its gradient
	if t.job.Loss == Fused {
		bytes = 4
	}
	if t.job.TrainOuter {
		passes = 3
	}
	return 2*passes*t.work.head*n/(t.flops16*rate) + bytes*t.work.vocab*n/t.bandwidth
}

// unpacked is the time of turning frozen weights of few bits into 16, before each product.
func (t *timing) unpacked(times float64) float64 {
	if t.job.Method != QLoRA {
		return 0
	}
	held := (t.work.blocks + t.work.experts) / (t.tensor * t.pipe)
	return times * held * 2.5 / (t.bandwidth * t.is[ofUnpack]) // half a byte is read and two are written
}

// exchangesOfPass is what ranks send each other for one micro-batch.
func (t *timing) exchangesOfPass() {
	w, width := t.work, 2*t.work.hidden
	layers := w.layers / t.pipe
	whole := 0.0
	if t.job.Recompute == Whole {
		whole = 1
	}
	if t.tensor > 1 {
		g := group{t.tensor, 1}
		bytes := layers * (10 + 4*whole) * t.tokens * width // 4 gathers and reductions forward, 6 backward
		t.exchange(exchange{
			cause: Tensors, what: fmt.Sprintf("activations between %d tensor ranks", t.plan.Tensor), group: g,
			bytes: bytes * (t.tensor - 1) / t.tensor, seconds: t.wires.ring(bytes, g),
		}, atTensor, t.is[ofHideTensor])
	}
	if t.context > 1 {
		g := group{t.context, t.tensor}
		bytes := w.kept() / t.pipe / t.tensor * 2 * t.tokens * t.context * (3 + whole)
		t.exchange(exchange{
			cause: Contexts, what: fmt.Sprintf("keys and values around %d context ranks", t.plan.Context), group: g,
			bytes: bytes * (t.context - 1) / t.context, seconds: t.wires.ring(bytes, g),
		}, atContext, t.is[ofHideTensor])
	}
	if t.plan.Expert > 1 && w.routed > 0 {
		g := group{t.expert, 1}
		seconds, bytes := t.wires.all(t.tokens/t.tensor, width, w.topK, g)
		times := w.expertLayers / t.pipe * (4 + 2*whole)
		t.exchange(exchange{
			cause: Experts, what: fmt.Sprintf("tokens to and from experts on %d ranks", t.plan.Expert), group: g,
			bytes: bytes * times, seconds: seconds * times,
		}, atExchange, t.is[ofHideExpert])
	}
	if t.plan.Zero >= 3 {
		t.gathers()
	}
	if t.pipe > 1 {
		stride := float64(t.plan.GPUs) / t.pipe
		bytes := 2 * float64(t.plan.Virtual) * t.tokens * width / t.tensor
		g := group{t.pipe, stride}
		t.exchange(exchange{
			cause: Stages, what: fmt.Sprintf("activations and gradients between %d stages", t.plan.Pipeline), group: g,
			bytes: bytes, seconds: t.wires.send(bytes, stride),
		}, atStages, t.is[ofHideData])
	}
}

// exchange adds one of a pass, of which a share may pass behind products.
func (t *timing) exchange(e exchange, at int, hide float64) {
	if t.plan.NoOverlap {
		hide = 0
	}
	e.at, e.hide = at, hide
	t.exchanges = append(t.exchanges, e)
}

// hide settles what of the exchanges of a pass is waited for: all of them together pass behind the products of a pass, and
// what is left of those is for the exchanges of a step.
func (t *timing) hide() {
	var may float64
	for i := range t.exchanges {
		may += t.exchanges[i].seconds * t.exchanges[i].hide
	}
	kept := 1.0
	if may > t.compute {
		kept = t.compute / may
	}
	t.compute = max(0, t.compute-may)
	for i := range t.exchanges {
		e := &t.exchanges[i]
		e.waits = e.seconds * (1 - e.hide*kept)
		t.parts[e.at] += e.waits
		e.bytes, e.seconds, e.waits = e.bytes*t.micros, e.seconds*t.micros, e.waits*t.micros
	}
}

// held are the parameters of a rank: of what all tokens pass, and of experts.
func (t *timing) held() (dense, experts float64) {
	dense = (t.work.blocks + t.work.outer) / (t.tensor * t.pipe)
	over := t.tensor
	if t.plan.Expert > 1 {
		over = t.expert
	}
	return dense, t.work.experts / (over * t.pipe)
}

// sharing are the groups that share the states of what all tokens pass, and of experts.
func (t *timing) sharing() (dense, experts group) {
	n := t.data * t.context
	if s := float64(t.plan.Shard); s > 0 {
		n = min(n, s*t.context)
	}
	experts = group{max(1, n*t.tensor/t.expert), t.expert}
	if t.plan.Expert == 1 {
		experts = group{n, t.tensor}
	}
	return group{n, t.tensor}, experts
}

// share is which part of the parameters is trained.
func (t *timing) share() float64 {
	if t.job.Trained() {
		return 1
	}
	return min(1, t.job.adapters(t.work)/t.work.params())
}

// gradient is how many bytes one number of a gradient is sent in.
func (t *timing) gradient() float64 {
	if t.job.PureBF16 || t.job.Framework == Foundry || t.job.Framework == DeepSpeed {
		return 2
	}
	return 4
}

// gathers is what sharded weights cost in every pass: they are gathered before the forward and before the backward pass,
// and gradients are reduced.
func (t *timing) gathers() {
	dense, experts := t.held()
	g, ge := t.sharing()
	bytes := 4 + t.gradient()*t.share()
	e := exchange{cause: Datas, what: fmt.Sprintf("weights and gradients, sharded over %.0f ranks", g.n), group: g}
	e.bytes = bytes * (dense*(g.n-1)/g.n + experts*(ge.n-1)/ge.n)
	e.seconds = t.wires.ring(bytes*dense, g) + t.wires.ring(bytes*experts, ge)
	t.exchange(e, atData, t.is[ofHideData])
}

// reduces is what data ranks send once a step: gradients, and the weights that each has stepped.
func (t *timing) reduces() {
	dense, experts := t.held()
	g, ge := t.sharing()
	n, hybrid := t.data*t.context, 0.0
	bytes := t.share() * (t.gradient() + 2)
	if t.plan.Zero == 0 {
		bytes = t.share() * 2 * t.gradient()
	}
	if t.plan.Zero >= 3 {
		bytes = 0
	}
	if g.n < n { // replicas of what is shared add up their gradients
		hybrid = 2 * t.gradient() * t.share() * dense / g.n
	}
	e := exchange{cause: Datas, what: fmt.Sprintf("gradients and weights of %.0f data ranks", n), group: group{n, t.tensor}}
	e.bytes = bytes*(dense*(g.n-1)/g.n+experts*(ge.n-1)/ge.n) + hybrid
	e.seconds = t.wires.ring(bytes*dense, g) + t.wires.ring(bytes*experts, ge) + t.wires.ring(hybrid, group{n / g.n, g.n * t.tensor})
	if e.bytes <= 0 {
		return
	}
	hidden := min(e.seconds*t.is[ofHideData], t.compute)
	if t.plan.NoOverlap {
		hidden = 0
	}
	e.waits = e.seconds - hidden
	t.parts[atData] += e.waits
	t.exchanges = append(t.exchanges, e)
}

// oneStep makes a step of passes.
func (t *timing) oneStep() {
	var mean float64
	for _, s := range t.parts {
		mean += s
	}
	t.parts[atImbalance] += t.longest(mean) - mean
	t.pass = t.longest(mean)
	for at := range t.parts {
		t.parts[at] *= t.micros
	}
	t.parts[atBubble] = t.pass * t.plan.bubbles()
	t.reduces()
	t.update()
	t.rollouts()
	for _, s := range t.parts {
		t.total += s
	}
	// Every doubling of the machines brings one more that all wait for.
	machines := float64(t.plan.GPUs) / float64(max(1, t.wires.fabric.Node))
	late := t.total * t.is[ofStraggle] * math.Log2(max(1, machines))
	t.parts[atImbalance] += late
	t.total += late
}

// longest is the time of the stage that has most: whole layers, and the head with the last.
func (t *timing) longest(mean float64) float64 {
	if t.pipe <= 1 || t.work.layers <= 0 {
		return mean
	}
	head := t.parts[atHead] * t.pipe
	layer := max(0, mean*t.pipe-head) / t.work.layers
	most := math.Ceil(t.work.layers/t.pipe - 1e-9)
	fewer := min(most, most*t.pipe-t.work.layers) // on the last stage, so that the head has its place
	return max(mean, most*layer, (most-fewer)*layer+head)
}

// bytesOfUpdate move for each parameter in a step of the optimizer: states, master weights and gradients in and out.
func (o Optimizer) bytesOfUpdate() float64 {
	switch o {
	case AdamW8bit:
		return 18
	case Adafactor, SGD:
		return 14
	case Muon:
		return 40
	case AdamW:
	}
	return 30
}

// update is the step of the optimizer, on the device or on its host.
func (t *timing) update() {
	dense, experts := t.held()
	g, ge := t.sharing()
	if t.plan.Zero == 0 {
		g.n, ge.n = 1, 1
	}
	n := t.share() * (dense/g.n + experts/ge.n)
	bytes := n * t.job.Optimizer.bytesOfUpdate()
	switch t.job.Offload {
	case OffOptimizer:
		t.parts[atOffload] = bytes/t.is[ofHost] + n*(2+t.gradient())/slot
		return
	case OffAll:
		t.parts[atOffload] = bytes/t.is[ofHost] + n*(2+t.gradient())/slot + t.micros*4*(dense/g.n+experts/ge.n)/slot
		return
	case NoOffload:
	}
	t.parts[atUpdate] = bytes / t.bandwidth
}
