package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/units"
)

// divide fills how the devices share the work: of the divisions that fit, the one that is usual.
func (f *filler) divide() error {
	asked, batch, again := f.Plan, f.Global, f.Recompute
	f.count()
	f.said()
	list := f.trials()
	if len(list) == 0 {
		return f.refused()
	}
	t, fits := f.usual(list)
	if !fits {
		t, fits = f.helped(t)
	}
	f.Plan, f.Job = t.plan, t.job
	f.explain(&asked, fits)
	f.again(again, fits)
	if asked.Micro > f.Micro {
		f.note("micro_batch", "1", fmt.Sprintf("torchtitan cuts the %d sequences of a rank into passes of one for its pipeline", asked.Micro))
	}
	f.passes(&asked)
	f.batches(batch)
	f.fits = fits
	return nil
}

// said gives torchtitan the batch that it derives from passes.
func (f *filler) said() {
	if f.Framework != TorchTitan || f.Micro == 0 {
		return
	}
	data := f.Data
	if data == 0 {
		data = max(1, f.GPUs/(max(1, f.Tensor)*max(1, f.Pipeline)*max(1, f.Context)))
	}
	if f.Global == 0 && f.Micro <= mostBatch/int64(data) {
		f.Global = f.Micro * int64(data)
		f.note("global_batch", units.Thousands(f.Global), "torchtitan makes one pass of each rank a step unless told otherwise")
	}
}

// trial is a complete plan that may be tried.
type trial struct {
	job  Job
	plan Plan

	total, inExperts int64 // parameters

	cost float64 // time of a token by rules of thumb; 1 is a device alone that recomputes nothing
}

// The rules of thumb by which plans are tried one after the other: what a doubling of each degree costs.
const (
	tensorCost  = 0.04 // within the fast link; three times that where experts make products narrow already: recipes for them stop at 2
	tensorFar   = 0.5  // beyond it
	stageCost   = 0.01 // beside the bubble
	contextCost = 0.05
	expertCost  = 0.01
	expertFar   = 0.03
	expertCut   = 0.1  // of tensor ranks that cut experts, narrow as they are
	shardFar    = 0.06 // of weights over more than shardNear ranks
	shardNear   = 256
	selfCost    = 0.03 // selective recomputation
	wholeCost   = 0.30
)

func doublings(n, near int) float64 { return math.Log2(max(1, float64(n)/float64(max(1, near)))) }

// weigh is the time of a token by rules of thumb.
func (t *trial) weigh() {
	p, domain := &t.plan, t.plan.domain()
	narrow := 1.0
	if expertsOf(t.job.Shape) > 0 {
		narrow = 3
	}
	t.cost = 1 + narrow*tensorCost*doublings(p.Tensor, 1) + tensorFar*doublings(p.Tensor, domain) + contextCost*doublings(p.Context, 1)
	t.cost += expertCost*doublings(p.Expert, 1) + expertFar*doublings(p.Expert, domain)
	if narrow > 1 {
		t.cost += expertCut * doublings(p.Tensor, p.Expert)
	}
	if p.Zero == 3 {
		t.cost += shardFar * doublings(p.Data, shardNear)
	}
	if p.Pipeline > 1 {
		t.cost += stageCost*doublings(p.Pipeline, 1) + float64(p.Pipeline-1)/float64(p.Micros(&t.job)*int64(p.Virtual))
	}
	switch t.job.Recompute {
	case Selective:
		t.cost += selfCost
	case Whole:
		t.cost += wholeCost
	}
}

// mostWaits keeps small models from being cut for the sake of their gradients: their batch is made larger instead.
const mostWaits = 0.12

// waits is how long a step waits for gradients and weights that data ranks send over the network once, against its products at
// half of the peak: as far as they do not pass behind the last of the passes. The fewer tokens a device has in a step, and the
// more of the weights, the longer.
func (f *filler) waits(t *trial) float64 {
	p := &t.plan
	if p.Zero == 3 || p.Data == 1 || p.GPUs <= f.domain() || f.Fabric == nil || f.Fabric.Net <= 0 || f.peak <= 0 || !t.job.Trained() {
		return 0
	}
	held := (float64(f.total-f.inExperts)/float64(p.Tensor) + float64(f.inExperts)/float64(max(p.Tensor, p.Expert))) / float64(p.Pipeline)
	const bytes = 6 // of a gradient and a weight
	sent := bytes * held / f.Fabric.Net
	products := 6 * f.active * float64(t.job.Global) * float64(t.job.Sequence) / (float64(p.GPUs) * f.peak / 2)
	return min(mostWaits, max(0, sent/products-1/float64(p.Micros(&t.job))))
}

// trials are the legal divisions that agree with what was said, the usual ones first.
func (f *filler) trials() []trial {
	var list []trial
	for p := range f.grids() {
		for _, r := range f.recomputes() {
			if t, ok := f.trial(p, r); ok {
				list = append(list, t)
			}
		}
	}
	slices.SortStableFunc(list, func(a, b trial) int { return cmp.Compare(a.cost, b.cost) })
	return list
}

// recomputes are what may be computed again, the least first.
func (f *filler) recomputes() []Recompute {
	h := f.Framework.habits()
	switch {
	case f.Recompute != "":
		return []Recompute{f.Recompute}
	case f.Method != Pretrain && (h.recomputes || f.Method == QLoRA && f.Framework == HF):
		return []Recompute{Whole}
	case h.selective:
		return []Recompute{None, Selective, Whole}
	}
	return []Recompute{None, Whole}
}

// degrees are those that may be tried: what was said, or powers of two up to a limit.
func degrees(said int, may bool, most int) []int {
	switch {
	case said > 0:
		return []int{said}
	case !may:
		return []int{1}
	}
	var list []int
	for n := 1; n <= most; n *= 2 {
		list = append(list, n)
	}
	return list
}

// longSequence is from which length on a sequence is shared by ranks of context where nobody asks for it.
const longSequence = 16384

// The largest degrees that are tried where nobody says them.
const (
	mostContext  = 64
	mostPipeline = 64
	mostExpert   = 256
)

// Many experts are shared by as many ranks as a machine has, or not at all; and never by fewer than cut their products.
const (
	manyExperts = 64
	fewSharers  = 8
)

// grids are the ways in which tensor, pipeline, context and expert ranks may share the devices.
func (f *filler) grids() func(yield func(Plan) bool) {
	h := f.Framework.habits()
	stages := h.pipeline && (f.Framework != DeepSpeed || f.Zero == 0 || f.Zero == 1) && len(f.Shape.Encoder) == 0
	context := 1
	if f.Sequence >= longSequence {
		context = min(mostContext, int(f.Sequence/(longSequence/2)))
	}
	sharers := 1
	if n := expertsOf(f.Shape); n > 0 {
		sharers = int(min(n, mostExpert))
	}
	tensor := h.divides && f.Method != QLoRA
	return func(yield func(Plan) bool) {
		for _, t := range degrees(f.Tensor, tensor, min(f.domain(), 8)) {
			for _, s := range degrees(f.Pipeline, stages && f.Method != QLoRA, min(mostPipeline, len(f.Shape.Blocks))) {
				for _, c := range degrees(f.Context, h.context, context) {
					for _, e := range degrees(f.Expert, h.expert, sharers) {
						if f.Expert == 0 && (e > 1 && e < t || sharers >= manyExperts && e > 1 && e < fewSharers) {
							continue
						}
						p := f.Plan
						p.Tensor, p.Pipeline, p.Context, p.Expert = t, s, c, e
						if !yield(p) {
							return
						}
					}
				}
			}
		}
	}
}

// trial completes a grid with what follows from it; false if no framework would start it.
func (f *filler) trial(p Plan, r Recompute) (trial, bool) {
	n := float64(p.Tensor) * float64(p.Pipeline) * float64(p.Context)
	if n > float64(p.GPUs) {
		return trial{}, false
	}
	if p.Data == 0 {
		p.Data = p.GPUs / int(n)
	}
	t := trial{job: f.Job, plan: p, total: f.total, inExperts: f.inExperts}
	t.job.Recompute = r
	if t.plan.Micro == 0 {
		t.plan.Micro = f.cut(&t.plan)
	}
	if t.job.Global == 0 {
		t.job.Global = f.global(&t.plan)
	}
	if f.cuts(&t) {
		t.plan.Micro = 1
	}
	t.plan.Zero = f.zero(&t.plan)
	t.plan.schedule(&t.job)
	if t.plan.Check(&t.job) != nil {
		return trial{}, false
	}
	t.weigh()
	t.cost += f.waits(&t)
	return t, true
}

// cut is the pass where nobody said it: one sequence, or where torchtitan is given a batch and has a pipeline, as many
// passes as there are stages.
func (f *filler) cut(p *Plan) int64 {
	if f.Framework != TorchTitan || p.Pipeline == 1 || f.Global == 0 || f.Global%(int64(p.Data)*int64(p.Pipeline)) != 0 {
		return 1
	}
	return f.Global / (int64(p.Data) * int64(p.Pipeline))
}

// cuts reports whether the framework cuts a batch itself: torchtitan makes passes of one for a pipeline that a batch of a
// rank would not fill.
func (f *filler) cuts(t *trial) bool {
	return f.Framework == TorchTitan && t.plan.Pipeline > 1 && t.plan.Micro > 1 && t.plan.Micros(&t.job) < int64(t.plan.Pipeline)
}

// global is the batch near to the usual one that all replicas share alike, at least one pass of each. Where stages wait for
// each other, pre-training takes a larger one: rounds enough to fill the pipeline, up to the batch beyond which more tokens
// teach less than they cost; others take one round where that is no more than twice as much.
func (f *filler) global(p *Plan) int64 {
	want, each := f.want, int64(p.Data)*p.Micro
	if f.InBackward {
		return each // gradients of several passes would have to be gathered
	}
	most := twice * want
	if f.Method == Pretrain {
		most = max(most, f.critical)
	}
	if round := each * int64(p.Pipeline); float64(round) <= most {
		each = round
	}
	rounds := power(want / float64(each))
	for p.Pipeline > 1 && f.Method == Pretrain && rounds < fillPipeline && float64(2*rounds*each) <= most {
		rounds *= 2
	}
	return min(each*rounds, max(each, mostBatch/each*each))
}

// zero is what data ranks share where nobody said it.
func (f *filler) zero(p *Plan) int {
	h := f.Framework.habits()
	switch {
	case p.Zero >= 0:
		return p.Zero
	case p.Data*p.Context == 1 || f.mayCopy():
		return 0
	case p.Pipeline > 1 && f.Framework == TorchTitan:
		return 2 // a stage keeps its weights gathered between the passes
	case p.Pipeline > 1 && !slices.Contains(h.staged, h.zero):
		return 1
	}
	return h.zero
}

// mayCopy reports whether data ranks usually hold frozen weights whole: adapters are trained so as long as it fits.
func (f *filler) mayCopy() bool {
	return !f.Trained() && (f.Framework == HF || f.Framework == Axolotl)
}

// schedule fills the schedule and the chunks of each stage: benchmarks of Megatron interleave wherever layers and passes
// allow it.
func (p *Plan) schedule(j *Job) {
	if p.Virtual == 0 {
		p.Virtual = 1
		if (p.Schedule == "" || p.Schedule == Interleaved) && j.Framework == Megatron && j.Trained() {
			p.Virtual = p.chunks(j)
		}
	}
	if p.Schedule == "" {
		p.Schedule = OneFOneB
		if p.Virtual > 1 {
			p.Schedule = Interleaved
		}
	}
}

// fewestLayers is how many layers a chunk has at least where nobody says how many chunks there are.
const fewestLayers = 2

// chunks is the largest number of chunks of each stage that layers, or layers with embedding and head, divide into.
func (p *Plan) chunks(j *Job) int {
	if p.Pipeline < 2 || p.Micros(j)%int64(p.Pipeline) != 0 {
		return 1
	}
	layers := len(j.Shape.Blocks)
	places := fewestLayers * p.Pipeline
	for v := (layers + int(extraPlaces(j.Framework)) + places - 1) / places; v > 1; v-- {
		if even(layers, p.Pipeline*v) {
			return v
		}
	}
	return 1
}

// uneven is how many places more than layers there may be, for the busiest stage to be hardly busier than the others.
const uneven = 1.06

// even reports whether layers divide nearly evenly over so many places; embedding and head may take the place of one each.
func even(layers, places int) bool {
	return layers >= places && float64(upTo(int64(layers), int64(places))) <= uneven*float64(layers) ||
		(layers+1)%places == 0 || (layers+2)%places == 0
}

// mostTried is how many accounts are made before it is said that nothing fits.
const mostTried = 400

// helped is a trial that does not fit with what recipes of torchtune add for larger models. On a single device the AdamW of
// bitsandbytes is paged, so that its states move to the host where they find no room; that for 70B keeps weights, gradients
// and states there (recipes/configs/*/70B_full.yaml: fsdp_cpu_offload).
func (f *filler) helped(t trial) (trial, bool) {
	if f.Framework != TorchTune || f.Method != Full || !f.Unsaid.Has(OpenOffload) || f.Offload != NoOffload {
		return t, false
	}
	q, why := t, "as the recipe of torchtune for 70B, since it does not fit otherwise"
	q.job.Offload = OffAll
	if t.plan.Data == 1 {
		if t.job.Optimizer != AdamW8bit {
			return t, false
		}
		q.job.Offload, why = OffOptimizer, "the AdamW of torchtune's recipe is paged: its states move to the host where they find no room"
	}
	if q.plan.Check(&q.job) != nil || f.verdict(&q.job, &q.plan) == DoesNot {
		return t, false
	}
	for i := range f.settled {
		if f.settled[i].Name == "offload" {
			f.settled[i] = Setting{"offload", string(q.job.Offload), why}
		}
	}
	return q, true
}

// spared is how much more a division may cost that surely fits than one that only most likely does: whoever trains from
// nothing tries the latter before computing all a second time.
const spared = 0.15

// usual is the first trial that fits. Where none does, it is the one that takes least, since it comes nearest.
func (f *filler) usual(list []trial) (t trial, fits bool) {
	capacity := float64(f.GPU.Usable())
	tight := -1
	for i := range list {
		if i > mostTried {
			break
		}
		if f.whole(&list[i]); capacity > 0 && list[i].least() > capacity {
			continue
		}
		switch v := f.verdict(&list[i].job, &list[i].plan); {
		case v == Fits && tight >= 0 && f.Method == Pretrain && list[i].cost > list[tight].cost+spared:
			return list[tight], true
		case v == Fits:
			return list[i], true
		case v == Tight && tight < 0 && f.likely(&list[i]):
			tight = i
		}
	}
	if tight >= 0 {
		return list[tight], true
	}
	return f.smallest(list), false
}

// likely reports whether the middle of what a trial takes fits.
func (f *filler) likely(t *trial) bool {
	m, err := f.account(&t.job, &t.plan)
	return err == nil && m.Planned.Mid <= float64(m.Capacity)
}

// verdict is that of the account; a card whose memory is not known has room for everything.
func (f *filler) verdict(j *Job, p *Plan) Verdict {
	m, err := f.account(j, p)
	switch {
	case err != nil:
		return DoesNot
	case m.Capacity == 0:
		return Fits
	}
	return m.Verdict
}

// whole lets data ranks share weights too, where a division was asked for whose weights find no room otherwise: the FSDP
// of Megatron is made for that, and adapters are trained so where the frozen weights do not fit whole.
func (f *filler) whole(t *trial) {
	asked := f.Framework == Megatron && f.Pipeline == 1 || f.mayCopy()
	if f.Zero >= 0 || !asked || t.plan.Data == 1 || f.verdict(&t.job, &t.plan) == Fits {
		return
	}
	q := *t
	q.plan.Zero = 3
	if f.verdict(&q.job, &q.plan) != DoesNot {
		*t = q
	}
}

// nearly is how often what a device holds may fill it for recomputation to be worth naming.
const nearly = 1.25

// smallest is the trial whose weights and states take least, the usual one of several; it recomputes nothing unless
// recomputing is what makes the difference.
func (f *filler) smallest(list []trial) trial {
	best := list[0]
	for _, t := range list[1:] {
		if cmp.Or(cmp.Compare(t.least(), best.least()), cmp.Compare(t.cost, best.cost)) < 0 {
			best = t
		}
	}
	if f.mayCopy() && f.Zero < 0 && best.plan.Data > 1 {
		best.plan.Zero = f.Framework.habits().zero
	}
	again := best
	again.job.Recompute = Whole
	if m, err := f.account(&again.job, &again.plan); f.Recompute == "" && err == nil && m.Planned.Mid <= nearly*float64(m.Capacity) {
		return again
	}
	return best
}

// least is what a device holds at the very least: frozen or trained weights, and of what is trained gradients and states.
func (t *trial) least() float64 {
	j, p := &t.job, &t.plan
	all, shared := t.total, t.inExperts
	n := (float64(all-shared)/float64(p.Tensor) + float64(shared)/float64(max(p.Tensor, p.Expert))) / float64(p.Pipeline)
	data := float64(max(1, p.Data*p.Context))
	if p.Shard > 0 {
		data = float64(p.Shard)
	}
	share := func(from int) float64 {
		if p.Zero >= from {
			return data
		}
		return 1
	}
	switch {
	case j.Method == QLoRA:
		return n / 2 / share(3)
	case !j.Trained():
		return 2 * n / share(3)
	case j.Offload == OffAll:
		return 0
	}
	bytes := 2 * n / share(3)
	if !j.InBackward {
		bytes += 2 * n / share(2)
	}
	if j.Optimizer == AdamW && !j.PureBF16 && j.Offload == NoOffload {
		bytes += 8 * n / share(1) / max(1, float64(p.Expert)/float64(p.Tensor)) // experts have fewer data ranks, which least has not to know
	}
	return bytes
}

// refused says why nothing that agrees with what was said is legal: what is wrong with the plainest.
func (f *filler) refused() error {
	p := f.Plan
	for _, d := range []*int{&p.Tensor, &p.Pipeline, &p.Context, &p.Expert, &p.Virtual} {
		*d = max(*d, 1)
	}
	if p.Data == 0 {
		p.Data = max(1, p.GPUs/max(1, min(p.GPUs, p.Tensor*p.Pipeline*p.Context)))
	}
	p.Micro = max(p.Micro, 1)
	j := f.Job
	if j.Global == 0 {
		j.Global = f.global(&p)
	}
	if j.Recompute == "" {
		j.Recompute = None
	}
	p.Zero = f.zero(&p)
	p.schedule(&j)
	if err := p.Check(&j); err != nil {
		return err
	}
	return illegal("no division of %d GPUs agrees with all that was said", p.GPUs)
}

// explain notes the degrees that nobody said.
func (f *filler) explain(asked *Plan, fits bool) {
	found := "the smallest division that fits, by what each degree usually costs"
	if f.Tensor*f.Pipeline*f.Context == 1 {
		found = "not needed"
	}
	if !fits {
		found = "the division that takes least memory, and even that does not fit"
		if f.GPUs == 1 {
			found = "one device"
		}
	}
	for _, d := range []struct {
		name    string
		said, n int
		why     string
	}{
		{"tensor_parallel", asked.Tensor, f.Tensor, found},
		{"pipeline_parallel", asked.Pipeline, f.Pipeline, found},
		{"context_parallel", asked.Context, f.Context, found},
		{"expert_parallel", asked.Expert, f.Expert, f.expertsWhy()},
		{"data_parallel", asked.Data, f.Data, "all GPUs over the ranks of tensor, pipeline and context"},
		{"virtual_stages", asked.Virtual, f.Virtual, f.chunksWhy()},
	} {
		if d.said == 0 {
			f.note(d.name, strconv.Itoa(d.n), d.why)
		}
	}
	if asked.Zero < 0 {
		f.note("zero", strconv.Itoa(f.Zero), f.zeroWhy())
	}
	if asked.Schedule == "" {
		f.note("schedule", string(f.Schedule), "follows from the chunks of a stage")
	}
}

// again notes what is recomputed.
func (f *filler) again(said Recompute, fits bool) {
	if said != "" {
		return
	}
	why := "nothing has to be computed again to fit"
	switch {
	case !fits && f.Recompute != Whole:
		why = "recomputing all would not make it fit either"
	case len(f.recomputes()) == 1:
		why = "recipes of " + string(f.Framework) + " leave it at that"
	case f.Recompute != None:
		why = "the least that fits"
	}
	f.note("recompute", string(f.Recompute), why)
}

func (f *filler) expertsWhy() string {
	switch {
	case expertsOf(f.Shape) == 0:
		return "the model has no experts"
	case f.Expert == 1:
		return "every rank has room for all experts"
	}
	return "experts are shared by ranks until they fit"
}

func (f *filler) chunksWhy() string {
	switch {
	case f.Pipeline == 1:
		return "there is no pipeline"
	case f.Virtual > 1:
		return "as many chunks as layers and passes allow: the bubble shrinks with them"
	}
	return "layers or passes do not divide into more, or the framework does not interleave by itself"
}

func (f *filler) zeroWhy() string {
	h := f.Framework.habits()
	switch {
	case f.Zero == 0:
		return "there is one data rank, or the states fit whole"
	case f.mayCopy():
		return "the frozen weights do not fit whole on every device"
	case f.Framework == Megatron && f.Zero == 3:
		return "the FSDP of Megatron, without which the weights do not fit in the division that was asked for"
	case f.Zero == h.zero:
		return "the default of " + string(f.Framework) + ": " + h.is
	}
	return "the highest stage that goes together with a pipeline"
}

// widestPass is how many tokens a pass has at most where nobody says its size: beyond, products get no faster.
const widestPass = 32768

// passes finds the largest micro batch that fits.
func (f *filler) passes(asked *Plan) {
	if asked.Micro > 0 || f.noted("micro_batch") {
		return
	}
	most := max(1, int64(widestPass)/f.Sequence)
	why := "the largest that fits"
	if h := f.Framework.habits(); f.Method != Pretrain && most > h.pass {
		most, why = h.pass, "what recipes of "+string(f.Framework)+" take, as far as it fits"
	}
	if f.Pipeline > 1 {
		why = "the largest that fits and leaves passes enough to fill the pipeline"
	}
	start := f.Plan
	for n := int64(2); n <= most; n *= 2 {
		p := start
		p.Micro = n
		j := f.Job
		if !f.filled(&p, &j) || f.verdict(&j, &p) != Fits {
			break
		}
		f.Plan = p
	}
	if f.Micro == 1 {
		why = "a larger one does not fit, or leaves too few passes"
		if most == 1 {
			why = "one sequence is enough for a pass of this length"
		}
	}
	f.note("micro_batch", strconv.FormatInt(f.Micro, 10), why)
}

// fillPipeline is how many passes for each stage a larger micro batch has to leave.
const fillPipeline = 4

// filled reports whether a plan with a larger micro batch is legal and keeps its pipeline full.
func (f *filler) filled(p *Plan, j *Job) bool {
	if p.Check(j) != nil {
		return false
	}
	return p.Pipeline == 1 || p.Micros(j) >= fillPipeline*int64(p.Pipeline)
}

func (f *filler) noted(name string) bool {
	return slices.ContainsFunc(f.settled, func(s Setting) bool { return s.Name == name })
}

// batches notes the global batch.
func (f *filler) batches(said int64) {
	if said > 0 || f.noted("global_batch") {
		return
	}
	want, why := f.wanted()
	if float64(f.Global) > twice*want {
		why = "one pass of every data rank, which is more than usual"
	}
	f.note("global_batch", units.Thousands(f.Global), why)
}
