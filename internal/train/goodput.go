package train

import (
	"fmt"
	"math"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// stateBytes are what a checkpoint keeps of a parameter: weights in 16 bits, a copy in 32, two moments.
const stateBytes = 14

// How far the assumptions about failures may be off, as factors.
const (
	failingApart = 2.5
	restartApart = 2
)

// From which size on a run shows what no step does: half of it shows after a day and on so many devices.
const (
	longRun  = 86400.0
	manyRun  = 64.0
	sourceOf = "interval between checkpoints: Young 1974, Daly 2006; time between failures of a device, restart and storage are assumptions"
)

// run is the whole run: its steps, what failures and checkpoints take, and what no step shows. The interval between
// checkpoints is that of Young and Daly: the root of twice the time that one takes and the time between failures.
func (t *timing) run() *Run {
	if t.as != nil {
		return t.moved()
	}
	j, n := &t.job, float64(t.plan.GPUs)
	perStep := float64(j.Global) * float64(j.Sequence) * j.sequences() * j.Fill
	perToken, _ := t.work.flops(j)
	r := &Run{Tokens: j.Tokens, Steps: math.Ceil(j.Tokens / perStep), FLOPs: perToken * j.Tokens / j.Fill}
	each := t.is[ofFailing]
	if j.Failing > 0 {
		each = j.Failing
	}
	mtbf := each / n
	r.MTBF = Range{mtbf / failingApart, mtbf, mtbf * failingApart}
	states := t.work.params()*t.share()*stateBytes + t.work.params()*2*(1-t.share())
	r.Save = 5 + states/(n*t.is[ofStorage])
	r.Restart = t.is[ofRestart]
	r.Checkpoint = math.Sqrt(2 * r.Save * mtbf)
	work := j.Tokens / perStep * t.total
	r.Goodput = Range{
		r.kept(r.MTBF.Low, r.Restart*restartApart, work), r.kept(mtbf, r.Restart, work), r.kept(r.MTBF.High, r.Restart/restartApart, work),
	}
	kept := work / r.Goodput.Mid
	long := loses(longRun, kept) * loses(manyRun, n-1)
	seconds := kept * math.Pow(t.is[ofKept], -long)
	r.Beyond = StepPart{Cause: BeyondStep, Seconds: seconds - kept}
	r.spread(t, seconds, long)
	r.GPUHours = r.Seconds.Times(n / 3600)
	r.Failures = Range{r.Seconds.Low / r.MTBF.High, seconds / mtbf, r.Seconds.High / r.MTBF.Low}
	r.Source = sourceOf
	if j.Distilled {
		r.Outside = "a teacher model gave the targets, or the model was cut out of a larger one; neither is part of what is computed"
	}
	return r
}

// explain says what is beyond the steps, for a run that is shown.
func (r *Run) explain(c *Constants) {
	r.Beyond.Name = "what no step shows: data, evaluation, restarts by hand, phases of another length"
	r.Beyond.Formula = fmt.Sprintf("steps, checkpoints and failures take %.4g s; published runs of weeks on thousands of devices keep %.3g of their time beside those, short and small ones nearly all",
		r.Seconds.Mid-r.Beyond.Seconds, c.base(ofKept))
	r.Beyond.Source = c.Source(ofKept)
}

// kept is the share of the time that is work which is kept, if failures come so often and so much is lost with each. A
// run that is shorter than the interval between checkpoints saves once, at its end.
func (r *Run) kept(mtbf, restart, work float64) float64 {
	between := min(r.Checkpoint, max(work, r.Save))
	return 1 / (1 + r.Save/between + (between/2+restart)/mtbf)
}

// spread is the range of the time: of its steps, of failures, and of what no step shows, each by itself.
func (r *Run) spread(t *timing, seconds, long float64) {
	slow, fast := t.cons.Ends(ofStep, t.cons.cases(&t.job, &t.plan, t.work.routed > 0))
	low, high := t.cons.Ends(ofRun, nil)
	up := math.Hypot(math.Hypot(slow, low*long), math.Log(r.Goodput.Mid/r.Goodput.Low))
	down := math.Hypot(math.Hypot(fast, high*long), math.Log(r.Goodput.High/r.Goodput.Mid))
	r.Seconds = Range{seconds * math.Exp(-down), seconds, seconds * math.Exp(up)}
}

// moved is the run of the cluster that stands in for too few devices, with its hours on them.
func (t *timing) moved() *Run {
	r := t.as.run()
	r.Steps = math.Ceil(t.job.Tokens / (float64(t.job.Global) * float64(t.job.Sequence) * t.job.sequences() * t.job.Fill))
	more := float64(t.as.plan.GPUs) / float64(t.plan.GPUs)
	r.Seconds = r.Seconds.Times(more)
	r.Beyond.Seconds *= more
	return r
}

// rollouts is what methods add that learn from answers: the answers are written, and scored by models beside. A pair of
// DPO is only scored, by its reference.
func (t *timing) rollouts() {
	j := &t.job
	if !j.Method.Aligns() {
		return
	}
	each := float64(j.Global) * j.sequences() * float64(j.Sequence) / (t.data * t.tensor * t.pipe * t.context)
	forward := func(w *work) float64 {
		macs := w.dense + w.routed + w.head + w.attention(float64(j.Sequence), false)
		return 2 * macs * each / (t.flops16 * t.is[ofProduct])
	}
	model := func(s *arch.Shape) float64 { // beside the one that is trained, of its size where nobody said
		if s == nil {
			return forward(t.work)
		}
		return forward(workOf(s, false))
	}
	reference := model(j.Reference)
	switch j.Method {
	case DPO:
		t.parts[atScoring] = reference
		return
	case PPO:
		critic := model(j.Critic)
		t.parts[atScoring] = reference + forward(t.work) + model(j.Reward) + 4*critic
	default:
		t.parts[atScoring] = reference + forward(t.work)
		if j.Reward != nil {
			t.parts[atScoring] += model(j.Reward)
		}
	}
	t.parts[atRollout] = t.answers()
}

// writing is how many answers an engine writes at once, and stepping what a pass takes whatever is in it.
const (
	writing  = 256
	stepping = 3e-3
)

// answers is the time in which all devices write the answers of a step: each pass reads weights and what is kept of every
// token before.
func (t *timing) answers() float64 {
	j, w := &t.job, t.work
	prompt := float64(j.Prompt)
	if prompt <= 0 || prompt >= float64(j.Sequence) {
		prompt = float64(j.Sequence) / 4
	}
	out := float64(j.Sequence) - prompt
	capacity := max(1e9, t.plan.GPU.MemoryGB*1e9/float64(max(1, t.plan.GPU.Devices)))
	each := min(float64(t.plan.GPUs), max(1, math.Ceil(2*w.params()/(0.6*capacity))))
	engines := max(1, float64(t.plan.GPUs)/each)
	answers := float64(j.Global) / engines
	batch := min(answers, writing)
	active := w.dense + w.routed + w.head
	read := 2 * (w.params() - w.embedding) / each / (t.bandwidth / t.is[ofMemory] * t.is[ofAnswer])
	kept := 2 * batch * w.kept() * (prompt + out/2) / each / (t.bandwidth / t.is[ofMemory] * t.is[ofAnswer])
	compute := 2 * batch * active / each / (t.flops16 * t.is[ofProduct])
	pass := stepping + max(read, compute) + kept
	fill := 2 * answers * prompt * active / each / (t.flops16 * t.is[ofProduct])
	return answers/batch*out*pass + fill
}
