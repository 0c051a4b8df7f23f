package train

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// missed says why nothing was found, and which plan came nearest.
func (s *search) missed(out *Found, late []Option, sizes []size) {
	if len(late) > 0 {
		slices.SortStableFunc(late, func(a, b Option) int {
			return cmp.Or(cmp.Compare(s.missing(&a), s.missing(&b)), cmp.Compare(a.Hours, b.Hours))
		})
		out.Nearest = &late[0]
		out.Why = fmt.Sprintf("%s takes %s to %s, and %s is asked for", late[0].text(), days(late[0].Figures.Run.Seconds.Low),
			days(late[0].Figures.Run.Seconds.High), days(s.want.Deadline))
		if late[0].Figures.Run.Seconds.Mid <= s.want.Deadline {
			out.Why += "; it would most likely be done in time, and not surely"
		}
		s.largest(out)
		return
	}
	var near *size
	for i := range sizes {
		if z := &sizes[i]; z.miss != nil && (near == nil || z.excess < near.excess) {
			near = z
		}
	}
	switch {
	case near != nil:
		s.noRoom(out, near)
	case len(sizes) == 0:
		out.Why = fmt.Sprintf("no cluster of up to %s devices could be done by then, even at the peak of every device", units.Thousands(int64(s.most())))
	default:
		last := sizes[len(sizes)-1]
		out.Why = fmt.Sprintf("no framework starts it on %d devices: %s", last.gpus, rule(last.why))
	}
}

// missing is by how much the middle of a run is beyond the deadline. Of those that would most likely be done the one with the
// fewest hours comes nearest.
func (s *search) missing(o *Option) float64 { return max(0, o.Figures.Run.Seconds.Mid-s.want.Deadline) }

func (s *search) noRoom(out *Found, near *size) {
	if o, err := s.option(near.miss); err == nil {
		out.Nearest = &o
	}
	text := (&Option{Job: near.miss.job, Plan: near.miss.plan}).text()
	if out.Nearest == nil || out.Nearest.Memory.Capacity == 0 {
		out.Why = "not even " + text + " fits"
		return
	}
	m := out.Nearest.Memory
	out.Why = fmt.Sprintf("not even %s surely fits: it takes %s to %s of %s on each device", text, gibibytes(m.Planned.Low), gibibytes(m.Planned.High),
		gibibytes(float64(m.Capacity)))
	if m.Breaks != "" {
		out.Why += ", and breaks with " + m.Breaks
	}
}

// rule is an error without what every such error begins with.
func rule(err error) string {
	if err == nil {
		return "nothing is known against it"
	}
	return strings.TrimPrefix(err.Error(), ErrIllegal.Error()+": ")
}

// text names a plan: "64 GPUs as tensor 8 x pipeline 4 x data 2, interleaved 5, micro batch 1".
func (o *Option) text() string {
	p := &o.Plan
	var parts []string
	for _, d := range []struct {
		name string
		n    int
	}{{"tensor", p.Tensor}, {"pipeline", p.Pipeline}, {"context", p.Context}, {"data", p.Data}} {
		if d.n > 1 {
			parts = append(parts, d.name+" "+strconv.Itoa(d.n))
		}
	}
	text := "1 GPU"
	if p.GPUs > 1 {
		text = units.Thousands(int64(p.GPUs)) + " GPUs as " + strings.Join(parts, " x ")
	}
	if p.Expert > 1 {
		text += ", experts over " + strconv.Itoa(p.Expert)
	}
	if p.Virtual > 1 {
		text += ", " + strconv.Itoa(p.Virtual) + " chunks a stage"
	}
	if p.Data*p.Context > 1 {
		text += ", ZeRO " + strconv.Itoa(p.Zero)
	}
	text += ", micro batch " + strconv.FormatInt(p.Micro, 10)
	if o.Job.Recompute != None {
		text += ", " + string(o.Job.Recompute) + " recomputation"
	}
	return text
}

// reason says of the first why it is, and of each other why it lost.
func (s *search) reason(out *Found, sizes []size) {
	best := &out.Best[0]
	for i := range out.Best {
		o := &out.Best[i]
		if i == 0 {
			o.Reasons = append(s.first(o), s.passed(o, sizes)...)
			continue
		}
		o.Reasons = append(o.Reasons, s.lost(o, best))
	}
}

// first says what makes the best plan the best.
func (s *search) first(o *Option) []string {
	var list []string
	switch {
	case s.want.GPUs > 0:
		list = append(list, "the fastest of those that surely fit")
	case s.want.Deadline > 0:
		list = append(list, "the fewest GPU-hours of those that fit and are surely done in "+days(s.want.Deadline))
	default:
		list = append(list, "the fastest of those within a tenth of the fewest GPU-hours")
	}
	if m := o.Memory; m.Capacity > 0 {
		list = append(list, fmt.Sprintf("at most %s of %s on each device are taken", gibibytes(m.Planned.High), gibibytes(float64(m.Capacity))))
	}
	if p, share := o.waits(); share > 0 {
		list = append(list, fmt.Sprintf("of the time of a step, most that is not work goes to %s: %s", p.words(), percents(share)))
	}
	return list
}

// passed says what would have been faster and does not fit.
func (s *search) passed(o *Option, sizes []size) []string {
	for i := range sizes {
		z := &sizes[i]
		if z.gpus != o.Plan.GPUs || z.faster == nil {
			continue
		}
		f := &Option{Job: z.faster.job, Plan: z.faster.plan}
		m, err := s.account(&f.Job, &f.Plan)
		if err != nil || m.Capacity == 0 {
			continue
		}
		return []string{fmt.Sprintf("%s would be %s faster, and takes %s of %s", f.text(), percents(o.token/z.faster.token-1),
			gibibytes(m.Planned.High), gibibytes(float64(m.Capacity)))}
	}
	return nil
}

// lost says why a plan is not the best: the cause that takes more of its time, or its size.
func (s *search) lost(o, best *Option) string {
	slower := o.token/best.token - 1
	head := percents(slower) + " slower"
	switch {
	case s.want.GPUs == 0 && o.Plan.GPUs != best.Plan.GPUs:
		return s.sized(o, best)
	case slower < 0.001:
		head = "as fast"
	}
	cause, more := worse(o, best)
	if more <= 0 {
		return head
	}
	return fmt.Sprintf("%s: %s %s of a step instead of %s", head, cause.words(), percents(o.share(cause)), percents(best.share(cause)))
}

// sized compares clusters of another size.
func (s *search) sized(o, best *Option) string {
	hours := o.Hours/best.Hours - 1
	text := percents(math.Abs(hours)) + " more GPU-hours"
	if hours < 0 {
		text = percents(-hours) + " fewer GPU-hours"
	}
	if ratio := best.token / o.token; ratio >= 1 {
		return fmt.Sprintf("%s, %s faster", text, percents(ratio-1))
	}
	return fmt.Sprintf("%s, takes %s longer", text, percents(o.token/best.token-1))
}

// seconds of a token that a cause takes.
func (o *Option) takes(c Cause) float64 {
	sum := 0.0
	for _, p := range o.Figures.Parts {
		if p.Cause == c {
			sum += p.Seconds
		}
	}
	return sum / (float64(o.Job.Global) * float64(o.Job.Sequence))
}

// share of a step that a cause takes.
func (o *Option) share(c Cause) float64 {
	total := 0.0
	for _, p := range o.Figures.Parts {
		total += p.Seconds
	}
	if total == 0 {
		return 0
	}
	return o.takes(c) * float64(o.Job.Global) * float64(o.Job.Sequence) / total
}

// worse is the cause that takes most more of a token than with another plan.
func worse(o, best *Option) (Cause, float64) {
	var cause Cause
	most := 0.0
	for _, p := range o.Figures.Parts {
		if more := o.takes(p.Cause) - best.takes(p.Cause); more > most {
			cause, most = p.Cause, more
		}
	}
	return cause, most
}

// waits is the largest cause that is not work of the model.
func (o *Option) waits() (Cause, float64) {
	var cause Cause
	most := 0.0
	for _, p := range o.Figures.Parts {
		switch p.Cause {
		case Products, Attention, Head, Elementwise, Rollouts, Scoring:
			continue
		}
		if share := o.share(p.Cause); share > most {
			cause, most = p.Cause, share
		}
	}
	return cause, most
}

// words names a cause in a sentence.
func (c Cause) words() string { return strings.ReplaceAll(string(c), "_", "-") }

// gain is how much faster a cluster of twice the size has to be to make sense.
const gain = 1.5

// largest looks for the largest cluster that still gains: as long as twice the devices are half as fast again.
func (s *search) largest(out *Found) {
	o := out.Nearest
	if len(out.Best) > 0 {
		o = &out.Best[0]
	}
	if o == nil {
		return
	}
	n, speed := o.Plan.GPUs, s.reach(o, o.Plan.GPUs, s.limit)
	for n > 1 && n%2 == 0 { // a cluster that is too large already
		half := s.reach(o, n/2, s.limit)
		if half == 0 || speed >= gain*half {
			break
		}
		n, speed = n/2, half
	}
	for ; n <= mostGPUs/2; n *= 2 {
		twice := s.reach(o, 2*n, s.limit)
		if twice >= gain*speed && speed > 0 {
			speed = twice
			continue
		}
		s.stopped(out, o, n, speed)
		return
	}
	out.Largest = n
}

// stopped says what stops a cluster beyond so many devices: the batch, if with a larger one it would gain.
func (s *search) stopped(out *Found, o *Option, n int, speed float64) {
	out.Largest = n
	if s.reach(o, 2*n, 2*s.limit) < gain*speed {
		out.Stops = StopsNetwork
		out.StopsBy = fmt.Sprintf("with %s devices a step would be less than half as fast again: more of its time is communication", units.Thousands(int64(2*n)))
		return
	}
	out.Stops = StopsBatch
	why := "a larger batch teaches less than it costs"
	if s.filler.Global > 0 {
		why = "that is the batch that was given"
	}
	out.StopsBy = fmt.Sprintf("with %s devices each has too little to do in a step of %s tokens, and %s", units.Thousands(int64(2*n)), millions(s.limit), why)
}

// reach is how many tokens a second so many devices do with plans like one that fits: as many ranks of tensor and context,
// as many stages or more, passes as large or smaller, and a batch up to a limit. Such plans take no more memory.
func (s *search) reach(o *Option, n int, limit float64) float64 {
	best := 0.0
	for pipeline := o.Plan.Pipeline; pipeline <= 8*o.Plan.Pipeline; pipeline *= 2 {
		for micro := o.Plan.Micro; micro >= 1; micro /= 2 {
			best = max(best, s.rate(o, n, pipeline, micro, limit))
		}
	}
	return best
}

func (s *search) rate(o *Option, n, pipeline int, micro int64, limit float64) float64 {
	j, p := o.Job, o.Plan
	p.GPUs, p.Pipeline, p.Micro = n, pipeline, micro
	each := p.Tensor * p.Context * pipeline
	if n%each != 0 || pipeline > 1 && (!j.Framework.habits().pipeline || !even(len(j.Shape.Blocks), pipeline) || p.Zero > 1 && j.Framework != TorchTitan) {
		return 0
	}
	p.Data, p.Shard = n/each, 0
	unit := int64(p.Data) * micro
	if j.Global = int64(limit) / j.Sequence / unit * unit; j.Global == 0 || p.expertGroup(j.Framework)%p.Expert != 0 {
		return 0
	}
	if p.Virtual > 1 {
		p.Virtual = max(1, p.chunks(&j))
	}
	if p.Schedule = OneFOneB; p.Virtual > 1 {
		p.Schedule = Interleaved
	}
	step, _, err := s.seconds(&j, &p)
	if err != nil || !(step > 0) {
		return 0
	}
	return float64(j.Global) * float64(j.Sequence) / step
}

// percents writes a share.
func percents(share float64) string {
	switch n := 100 * share; {
	case n >= 10:
		return strconv.FormatFloat(n, 'f', 0, 64) + " %"
	default:
		return strconv.FormatFloat(n, 'f', 1, 64) + " %"
	}
}

// gibibytes writes an amount of memory.
func gibibytes(n float64) string { return strconv.FormatFloat(n/(1<<30), 'f', 1, 64) + " GiB" }

// days writes a time of a run.
func days(seconds float64) string {
	switch {
	case seconds < 3600:
		return strconv.FormatFloat(seconds/60, 'f', 0, 64) + " minutes"
	case seconds < 2*86400:
		return strconv.FormatFloat(seconds/3600, 'f', 1, 64) + " hours"
	}
	return strconv.FormatFloat(seconds/86400, 'f', 1, 64) + " days"
}

// millions writes a count of tokens.
func millions(n float64) string { return strconv.FormatFloat(n/1e6, 'f', 1, 64) + "M" }
