package sarif

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/units"
)

// estimateRules follow the rules of licenses in a run that holds an estimate.
func estimateRules() []rule {
	tags := properties{[]string{"memory", "capacity", "model"}}
	pace := properties{[]string{"latency", "capacity", "model"}}
	return []rule{
		{
			"estimate-does-not-fit", "EstimateDoesNotFit",
			message{"The model does not fit"},
			message{"Weights, activations, the overhead of the engine and the cache of one request need more memory than the accelerators of the plan have."},
			message{"Make one of the changes that llmcheck estimate lists: more accelerators, a shorter context, another number format of the weights or of the cache. --explain shows each number with its formula."},
			configuration{"error"},
			tags,
		},
		{
			"estimate-tight", "EstimateTight",
			message{"The model may not fit"},
			message{"Whether the model fits hangs on parts of the memory that are known only as a range: it fits at the low end, and not at the high end."},
			message{"Leave more room with one of the changes that llmcheck estimate lists, or measure on the accelerator itself."},
			configuration{"warning"},
			tags,
		},
		{
			"estimate-undetermined", "EstimateUndetermined",
			message{"Whether the model fits could not be decided"},
			message{"Something that decides is not known: a layer without a rule, a size that is only bounded, or an accelerator or engine without a profile."},
			message{"See what llmcheck estimate lists as not found or not read. A size that is not known is never taken for one that fits."},
			configuration{"warning"},
			tags,
		},
		{
			"estimate-saturated", "EstimateSaturated",
			message{"Requests arrive faster than the plan answers them"},
			message{"Beyond saturation the wait grows without end, so that no time to first token holds."},
			message{"Add replicas or larger accelerators, or lower the rate. llmcheck estimate says what the plan answers at most."},
			configuration{"error"},
			pace,
		},
		{
			"estimate-targets-missed", "EstimateTargetsMissed",
			message{"The plan misses its targets of latency"},
			message{"Even the good end of the ranges is beyond a target that was given."},
			message{"Take a faster plan or a lower load: llmcheck estimate says up to which load the targets are met, and with --request-rate which plans meet them."},
			configuration{"error"},
			pace,
		},
		{
			"estimate-targets-open", "EstimateTargetsOpen",
			message{"Whether the plan meets its targets of latency is open"},
			message{"The good and the bad end of the ranges disagree, or a figure that decides is not known."},
			message{"Measure for an hour on the accelerator and hand the result to llmcheck calibrate, or leave more room."},
			configuration{"warning"},
			pace,
		},
	}
}

// pacing gives one alert for a plan that does not clearly keep up with its load and its targets.
func pacing(d *report.Document) []result {
	if d.Estimate == nil {
		return nil
	}
	e := d.Estimate
	st := e.Speed.Standing()
	i := 3
	switch {
	case st.Word == "" || st.Verdict == report.Fits:
		return nil
	case e.Speed.Saturated:
	case st.Verdict == report.DoesNotFit:
		i = 4
	default:
		i = 5
	}
	r := estimateRules()[i]
	key := strings.Join([]string{d.Subject.Ref, r.ID, planKey(e.Plan), e.Speed.Title()}, "\x00")
	text := strings.TrimSuffix(report.Sentence(e.Speed.Title()+": "+st.Word+", "+st.Text), ", ")
	return []result{alert(d, text, key, r.ID, len(rules())+i, r.DefaultConfiguration.Level)}
}

// fitting gives one alert for an estimate of what does not clearly fit, and none for what does.
func fitting(d *report.Document) []result {
	if d.Estimate == nil {
		return nil
	}
	at := map[string]int{report.DoesNotFit: 0, report.Tight: 1, report.Undetermined: 2}
	e := d.Estimate
	i, loud := at[e.Word()]
	if !loud {
		return nil
	}
	r := estimateRules()[i]
	key := strings.Join([]string{d.Subject.Ref, r.ID, planKey(e.Plan)}, "\x00")
	return []result{alert(d, said(e), key, r.ID, len(rules())+i, r.DefaultConfiguration.Level)}
}

// planKey tells plans apart, so that an alert that was dismissed for one card speaks for another.
func planKey(p *report.ServingPlan) string {
	if p == nil {
		return ""
	}
	length := units.Thousands(p.MaxModelLen)
	return strings.Join([]string{p.Cards(), p.Parallel(), p.Engine, p.Quantization, p.KVType, length}, "\x00")
}

// said is the verdict in a message that stands alone.
func said(e *report.Estimate) string {
	parts := []string{e.Summary}
	if e.Summary == "" {
		parts = []string{"memory " + report.Spoken(e.Word())}
	}
	if b := e.Broken(); b != "" {
		parts = append(parts, "What breaks it: "+b+".")
	}
	for _, c := range e.Changes {
		text, flag := c.Line()
		if flag != "" {
			text += " (" + flag + ")"
		}
		parts = append(parts, "Change: "+strings.TrimRight(text, ".")+".")
	}
	return strings.Join(parts, " ")
}
