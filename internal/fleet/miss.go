package fleet

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// stage is how far a plan came.
type stage int

// The stages: a later one is nearer to an answer.
const (
	unknownCard stage = iota
	illegal
	noWeights // no room for the weights
	noMemory  // no room for what lies beside them
	noSpeed   // nobody can say how fast it is
	tooSlow
	tooMany // GPUs
	unsure  // only the middle of the ranges holds
)

// kind is the stage in the words of the contract.
func (s stage) kind() string {
	return [...]string{
		unknownCard: "no_profile", illegal: "not_possible", noWeights: "no_memory", noMemory: "no_memory", noSpeed: "no_speed", tooSlow: "too_slow",
		tooMany: "too_many", unsure: "perhaps",
	}[s]
}

// miss is why a plan is not an answer.
type miss struct {
	stage stage
	gap   float64 // among plans of one stage, the smallest is the nearest
	id    string
	why   string
}

// nearer reports whether a plan came nearer than another.
func (m *miss) nearer(than *miss) bool {
	switch {
	case m.stage != than.stage:
		return m.stage > than.stage
	case m.gap != than.gap:
		return m.gap < than.gap
	}
	return m.id < than.id
}

// noRoom tells weights that are too large from what has no room beside them.
func noRoom(m *serve.Memory, format string) *miss {
	if weights := m.Sum(serve.Weights).Low; weights > m.Budget && m.Capacity > 0 {
		return &miss{
			stage: noWeights, gap: float64(weights) / float64(m.Capacity),
			why: fmt.Sprintf("the %s of each GPU that the engine may use do not hold the weights, which take %s there in %s", gib(m.Budget),
				gib(weights), format),
		}
	}
	return &miss{stage: noMemory, gap: float64(m.Cache.PerRequest) / float64(max(1, m.Cache.Pool)), why: m.Why}
}

// tooSlow says which target a request alone, with such figures, misses by most.
func (o *option) tooSlow(f *speed.Figures) *miss {
	t := &o.question.Targets
	if f.TTFT == nil || f.TPOT == nil && o.question.Load.Output.Mean > 1 {
		m := &miss{stage: noSpeed, why: "its latency is not known"}
		if f.Why != "" {
			m.why += ": " + f.Why
		}
		return m
	}
	what, r, target := "TTFT", f.TTFT, t.TTFT
	if excess(f.TPOT, t.TPOT) > excess(f.TTFT, t.TTFT) {
		what, r, target = "TPOT", f.TPOT, t.TPOT
	}
	above := ", above "
	if r.Low <= target {
		above = ", most likely above "
	}
	return &miss{stage: tooSlow, gap: excess(r, target), why: what + " of one request alone is " + span(r) + above + seconds(target)}
}

// excess is how often the middle of a figure contains its target.
func excess(r *speed.Range, target float64) float64 {
	if r == nil || target == 0 {
		return 0
	}
	return r.Mid / target
}

// crowded says why a plan that is fast enough for one request is not with as many replicas as there may be.
func (o *option) crowded() *miss {
	f := o.replica(o.share(o.most))
	return &miss{
		stage: tooMany, id: o.id, gap: float64(o.question.limit()) * max(1, excess(f.TTFT, o.question.Targets.TTFT), excess(f.TPOT, o.question.Targets.TPOT)),
		why: o.text() + ": within the limit of " + strconv.Itoa(o.question.limit()) + " GPUs each replica has more to do than it can in time: " + o.late(f),
	}
}

// late says which figure is above its target under a load.
func (o *option) late(f *speed.Figures) string {
	t := &o.question.Targets
	switch {
	case f.Saturated:
		return "requests arrive faster than they are answered"
	case t.TPOT > 0 && f.TPOT != nil && f.TPOT.High > t.TPOT:
		return "TPOT is " + span(f.TPOT) + ", and " + seconds(t.TPOT) + " is asked for"
	case t.TTFT > 0 && f.TTFT != nil && f.TTFT.High > t.TTFT:
		return "TTFT is " + span(f.TTFT) + ", and " + seconds(t.TTFT) + " is asked for"
	}
	return "the load takes more than the capacity"
}

// text names a choice.
func (c *Choice) text() string {
	if c.Replicas == 1 {
		return "1 replica of " + c.option.text()
	}
	return strconv.Itoa(c.Replicas) + " replicas of " + c.option.text()
}

// doubt says why a choice meets its targets only perhaps.
func (o *option) doubt(c *Choice) string {
	n := strconv.Itoa(c.Replicas) + " replicas meet"
	if c.Replicas == 1 {
		n = "1 replica meets"
	}
	switch {
	case o.memory.Verdict != serve.Fits:
		return n + " the targets, if it fits: " + o.memory.Why
	case o.bound(Yes) > o.most:
		return n + " the targets only perhaps; to be sure takes " + strconv.Itoa(o.fewest(Yes)) + " GPUs, above the limit of " +
			strconv.Itoa(o.question.limit())
	}
	return n + " the targets only perhaps: " + o.late(c.Figures)
}

// text names a plan: "4 × H100 SXM, tensor parallel 4, fp8".
func (o *option) text() string {
	p := &o.plan
	parts := []string{strconv.Itoa(p.GPUs) + " × " + p.GPU.Name}
	for _, d := range []struct {
		name string
		n    int
	}{{"tensor", p.Tensor}, {"pipeline", p.Pipeline}, {"expert", p.Expert}, {"data", p.Data}} {
		if d.n > 1 {
			parts = append(parts, d.name+" parallel "+strconv.Itoa(d.n))
		}
	}
	return strings.Join(append(parts, o.format.Model.Format()), ", ")
}

// key sorts plans of one candidate: as the number formats are named, and with few GPUs first.
func (o *option) key() string {
	p := &o.plan
	return fmt.Sprintf("%s %05d t%05d p%05d x%05d d%05d", o.format.Model.Format(), p.GPUs, p.Tensor, p.Pipeline, p.Expert, p.Data)
}

// span writes a range of times.
func span(r *speed.Range) string {
	low, high := seconds(r.Low), seconds(r.High)
	if low == high {
		return low
	}
	if number, unit, ok := strings.Cut(low, " "); ok && strings.HasSuffix(high, " "+unit) {
		low = number
	}
	return low + "-" + high
}

// seconds writes a time with three digits.
func seconds(s float64) string {
	if s < 1 {
		return digits(1000*s) + " ms"
	}
	return digits(s) + " s"
}

func digits(x float64) string {
	if x >= 100 {
		return strconv.FormatFloat(x, 'f', 0, 64)
	}
	return strconv.FormatFloat(x, 'g', 3, 64)
}

// gib writes an amount of memory.
func gib(n int64) string { return strconv.FormatFloat(float64(n)/(1<<30), 'f', 1, 64) + " GiB" }
