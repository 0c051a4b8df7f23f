package diligence

import (
	"fmt"
	"math"
	"strings"

	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/units"
)

// summary is the answer in a sentence: whether it fits, on what, how long and for how much.
func (t *training) summary(o *trainingOutlook, out *report.Training) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s of %s on %s x %s", doing(o.job.Method), o.job.Name, units.Thousands(int64(o.plan.GPUs)), o.plan.GPU.Name)
	switch out.Verdict {
	case string(train.Fits):
		b.WriteString(" fits")
	case string(train.Tight):
		b.WriteString(" is tight: it may run out of memory")
	case string(train.DoesNot):
		b.WriteString(" does not fit")
	default:
		b.WriteString(": it is not known whether it fits")
	}
	if out.Verdict == string(train.DoesNot) {
		return b.String()
	}
	switch {
	case out.Time != nil:
		fmt.Fprintf(&b, " and takes %s for %s tokens", lasting(out.Time), units.Count(int64(o.job.Tokens)))
	case out.TokensPerS != nil:
		fmt.Fprintf(&b, " and trains on %s to %s tokens a second", units.Thousands(int64(out.TokensPerS.Low)), units.Thousands(int64(out.TokensPerS.High)))
	}
	if out.USD != nil {
		fmt.Fprintf(&b, ", for %s to %s USD", short(out.USD.Low), short(out.USD.High))
	}
	if d := t.q.Deadline.Seconds(); d > 0 && out.Time != nil {
		switch {
		case out.Time.High <= d:
			b.WriteString(", within the deadline")
		case out.Time.Low > d:
			b.WriteString(", later than the deadline")
		default:
			b.WriteString(", perhaps later than the deadline")
		}
	}
	return b.String()
}

func doing(m train.Method) string {
	switch m {
	case train.Pretrain:
		return "pre-training"
	case train.Full:
		return "full fine-tuning"
	case train.LoRA:
		return "LoRA fine-tuning"
	case train.QLoRA:
		return "QLoRA fine-tuning"
	}
	return strings.ToUpper(string(m)) + " alignment"
}

// lasting is a time in the unit that a person would say it in.
func lasting(r *report.Range) string {
	per, unit := 1.0, "seconds"
	switch {
	case r.Mid >= 2*86_400:
		per, unit = 86_400, "days"
	case r.Mid >= 2*3600:
		per, unit = 3600, "hours"
	case r.Mid >= 120:
		per, unit = 60, "minutes"
	}
	return fmt.Sprintf("%s to %s %s", short(r.Low/per), short(r.High/per), unit)
}

// short is a number with two digits, and with thousands apart.
func short(v float64) string {
	if !(v > 0) || math.IsInf(v, 0) {
		return "0"
	}
	scale := math.Pow(10, math.Floor(math.Log10(v))-1)
	v = math.Round(v/scale) * scale
	switch {
	case v >= 1e9:
		return fmt.Sprintf("%.3gB", v/1e9)
	case v >= 1e6:
		return fmt.Sprintf("%.3gM", v/1e6)
	case v >= 10:
		return units.Thousands(int64(math.Round(v)))
	}
	return fmt.Sprintf("%.2g", v)
}
