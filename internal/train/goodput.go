package train

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// stateBytes are what a checkpoint keeps of a parameter: weights in 16 bits, a copy in 32, two moments.
const stateBytes = 14

// run is the whole run: its steps, and what failures, checkpoints and all that no step shows take beside them. The
// interval between checkpoints is that of Young and Daly: the root of twice the time that one takes and the time between
// failures.
func (t *timing) run() *Run {
	j, n := &t.job, float64(t.plan.GPUs)
	perStep := float64(j.Global) * float64(j.Sequence) * j.sequences() * j.Fill
	perToken, _ := t.work.flops(j)
	r := &Run{Tokens: j.Tokens, Steps: math.Ceil(j.Tokens / perStep), FLOPs: perToken * j.Tokens / j.Fill}
	each := t.is[ofFailing]
	if j.Failing > 0 {
		each = j.Failing
	}
	mtbf := each / n
	r.MTBF = Range{mtbf / 2.5, mtbf, mtbf * 2.5}
	states := t.work.params()*t.share()*stateBytes + t.work.params()*2*(1-t.share())
	r.Save = 5 + states/(n*t.is[ofStorage])
	r.Restart = t.is[ofRestart]
	r.Checkpoint = math.Sqrt(2 * r.Save * mtbf)
	work := j.Tokens / perStep * t.total
	lost := r.Save/r.Checkpoint + (r.Checkpoint/2+r.Restart)/mtbf
	good := t.is[ofKept] / (1 + lost)
	low, high := t.cons.Ends(ofRun, nil)
	slow, fast := t.cons.Ends(ofStep, t.cons.cases(j, &t.plan, t.work.routed > 0))
	r.Goodput = Range{good * math.Exp(-low), good, min(1, good*math.Exp(high))}
	seconds := work / good
	r.Seconds = Range{seconds * math.Exp(-math.Hypot(high, fast)), seconds, seconds * math.Exp(math.Hypot(low, slow))}
	r.GPUHours = r.Seconds.Times(n / 3600)
	r.Failures = Range{r.Seconds.Low / r.MTBF.High, seconds / mtbf, r.Seconds.High / r.MTBF.Low}
	r.Source = "interval between checkpoints: Young 1974, Daly 2006; time between failures of a device, restart and storage are assumptions"
	if j.Distilled {
		r.Outside = "a teacher model gave the targets, or the model was cut out of a larger one; neither is part of what is computed"
	}
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
