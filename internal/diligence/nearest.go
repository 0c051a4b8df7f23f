package diligence

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/units"
)

// shownNearest is how many measurements are shown beside an answer.
const shownNearest = 2

// nearest are the published measurements closest to a plan and its load.
func (e *estimate) nearest(o *outlook) []report.NearestMeasure {
	if e.Measured == nil {
		return nil
	}
	q := e.asked(o)
	near, _, err := e.Measured.Nearest(q, shownNearest, bench.Lookup{Card: e.comparedCard})
	if err != nil {
		e.s.gaps = append(e.s.gaps, model.Gap{What: "published measurements", Why: err.Error(), Kind: model.Unread})
		return nil
	}
	var out []report.NearestMeasure
	for i := range near {
		one := shownNear(&near[i])
		if i == 0 {
			one.Computed = e.computed(&near[i].Measurement)
		}
		out = append(out, one)
	}
	return out
}

// computed is what we would have said of the setting that was measured, so that a reader sees how far off we were there;
// nil where it cannot be computed.
func (e *estimate) computed(m *bench.Measurement) *report.Range {
	if _, found, err := e.Known.Facts(m.Model); err != nil || !found { // no request is made to compute what somebody else ran
		return nil
	}
	r, err := Replay(e.ctx, e.Deps, m)
	if err != nil {
		return nil
	}
	return shownRange(r)
}

// asked is the plan and its load as a measurement that somebody might have made.
func (e *estimate) asked(o *outlook) *bench.Question {
	p, l, params := &o.plan, &o.timed.load, o.model.Model().Shape.Params()
	m := o.timed.setting
	m.Precision = strings.ToLower(m.Precision)
	m.Input, m.Output, m.Rate, m.Concurrency, m.Metric = int64(l.Input.Mean), int64(l.Output.Mean), l.Rate, int(l.Concurrency), bench.TPOT
	switch {
	case e.q.Load.Unlimited:
		m.Metric = bench.MaxOutput
	case l.Concurrency == 1 && l.Rate == 0:
		m.Metric = bench.Decode
	}
	return &bench.Question{
		Measurement: m, Size: bench.Size{Total: float64(params.Total), Active: float64(params.Active)}, Card: shownCard(p.GPU),
	}
}

func (e *estimate) comparedCard(id string) (bench.Card, bool) {
	match, err := e.Cards.Resolve(id)
	if err != nil {
		return bench.Card{}, false
	}
	return shownCard(match.GPU), true
}

func shownCard(a *hardware.Accelerator) bench.Card {
	peak := a.DenseTFLOPS["bf16"]
	if peak == 0 {
		peak = a.DenseTFLOPS["fp16"]
	}
	return bench.Card{Name: a.Name, Vendor: a.Vendor, Arch: a.Arch, BandwidthGBs: a.BandwidthGBs, TFLOPS: peak}
}

func shownNear(n *bench.Near) report.NearestMeasure {
	m := &n.Measurement
	what := fmt.Sprintf("%s in %s on %s x %s", m.Model, m.Precision, units.Thousands(int64(m.GPUs)), m.GPU)
	if m.Engine != "" {
		what += ", " + strings.TrimSpace(m.Engine+" "+m.Version)
	}
	out := report.NearestMeasure{
		What: what, Metric: string(m.Metric), Value: m.Value, Unit: m.Metric.Unit(), Version: m.Version, Source: m.Source.Title,
	}
	if len(n.Differs) > 0 {
		out.Differs = strings.Join(n.Differs, ", ")
	}
	return out
}
