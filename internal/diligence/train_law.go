package diligence

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
)

// regulated tells where the computation of a run passes what the law of the EU looks at. What went into the model before
// this run, and what else the law asks for, is not known here: it is a hint and no more.
func (t *training) regulated(out *report.Training) {
	if t.Prices == nil || out.FLOPs == nil || out.Time == nil {
		return
	}
	for _, rule := range []struct{ id, then string }{
		{"eu-systemic-risk", "the EU presumes that such a model has systemic risk, with further duties of whoever makes it"},
		{"eu-general-purpose", "the EU then takes a model that generates text, speech, images or video for a general-purpose AI model, whose maker has duties of documentation, copyright and a summary of the data"},
	} {
		f, err := t.Prices.Figure(rule.id)
		if err != nil {
			t.s.gaps = append(t.s.gaps, model.Gap{What: "computation that the law of the EU looks at", Why: err.Error(), Kind: model.Unread})
			return
		}
		const unit = 1e21 // of these figures
		if limit := f.Value.Mid * unit; *out.FLOPs > limit {
			out.Notes = append(out.Notes, fmt.Sprintf("the run takes %s FLOP, more than %s: %s (%s); a hint, not legal advice",
				powered10(*out.FLOPs), powered10(limit), rule.then, f.Source.Title))
			return
		}
	}
}

// powered10 writes a large number as people do in papers: "7.7 x 10^23".
func powered10(v float64) string {
	mantissa, exponent, ok := strings.Cut(fmt.Sprintf("%.1e", v), "e+")
	if !ok {
		return fmt.Sprintf("%g", v)
	}
	if mantissa = strings.TrimSuffix(mantissa, ".0"); mantissa == "1" {
		return "10^" + exponent
	}
	return mantissa + " x 10^" + exponent
}

// foreign says that frameworks are made for the cards of two makers, where the plan is of others.
func (t *training) foreign(o *trainingOutlook, out *report.Training) {
	switch o.plan.GPU.Vendor {
	case "nvidia", "amd", "":
		return
	}
	out.Notes = append(out.Notes, fmt.Sprintf("%s is mostly run on cards of NVIDIA and AMD; whether it runs on %s, and how well, is not known here: memory and time are what the datasheet leads to",
		o.job.Framework, o.plan.GPU.Name))
}

// targeted refuses names of modules that the model has none of: no adapter would be trained where somebody wants one.
func (t *training) targeted() error {
	var names []string
	modules := map[string]bool{}
	shape := t.q.Job.Shape
	for i := range shape.Blocks {
		for _, tensor := range shape.Blocks[i].Tensors {
			if !tensor.Matrix {
				continue
			}
			module := strings.TrimSuffix(tensor.Name, ".weight")
			if last := module[strings.LastIndex(module, ".")+1:]; !modules[last] {
				names = append(names, last)
			}
			for rest, more := module, true; more; _, rest, more = strings.Cut(rest, ".") {
				modules[rest] = true
			}
		}
	}
	for _, name := range t.q.Job.Targets {
		if !modules[name] && name != "all-linear" {
			return fmt.Errorf("%w: --lora-targets names %q, and no linear layer of %s is called that; it has %s", train.ErrIllegal, name, t.q.Job.Name, strings.Join(names, ", "))
		}
	}
	return nil
}
