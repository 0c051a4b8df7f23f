package diligence

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/fleet"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/units"
)

// ownRuns is what the user measured on one card with one engine, beside what is computed for those settings.
type ownRuns struct {
	residuals []bench.Residual
}

// ownOf finds the user's measurements that tell of a plan. What cannot be computed is told once, as a gap.
func (e *estimate) ownOf(p *serve.Plan) *ownRuns {
	if e.raw || e.Measured == nil {
		return nil
	}
	key := p.GPU.ID + "/" + string(p.Engine.Kind)
	if o, ok := e.owns[key]; ok {
		return o
	}
	var o *ownRuns
	for _, m := range e.Measured.Matching(cardOf(p.GPU), string(p.Engine.Kind), "") {
		r, err := Replay(e.ctx, e.Deps, &m)
		if err != nil {
			e.s.gaps = append(e.s.gaps, model.Gap{What: "your measurement " + m.ID, Why: err.Error(), Kind: model.Unread})
			continue
		}
		if o == nil {
			o = &ownRuns{}
		}
		o.residuals = append(o.residuals, bench.Residual{Measurement: m, Computed: r.Mid, Spread: spreadOf(r)})
	}
	e.owns[key] = o
	return o
}

func spreadOf(r *speed.Range) bench.Spread {
	return bench.Spread{Low: r.Low / r.Mid, High: r.High / r.Mid}
}

// timed is a plan whose speed can be told, by what was computed and by what the user measured.
type timed struct {
	*speed.Model
	setting bench.Measurement // the plan as one that was measured, without metric and load
	own     *ownRuns
	load    speed.Load
	figures *speed.Figures
}

// Figures are those of the model, brought nearer to what the user measured.
func (t *timed) Figures(l speed.Load) *speed.Figures {
	f := t.Model.Figures(l)
	if t.own == nil {
		return f
	}
	for _, one := range []struct {
		metric bench.Metric
		r      *speed.Range
	}{
		{bench.TTFT, f.TTFT},
		{bench.TPOT, f.TPOT},
		{bench.Decode, &f.Single},
		{bench.Prefill, &f.Prompt},
		{bench.Output, f.Output},
		{bench.Output, f.Requests},
		{bench.MaxOutput, &f.MaxOutput},
		{bench.MaxOutput, &f.MaxRequests},
	} {
		if one.r != nil {
			*one.r = t.narrowed(one.metric, l, *one.r)
		}
	}
	return f
}

func (t *timed) narrowed(metric bench.Metric, l speed.Load, r speed.Range) speed.Range {
	q := t.setting
	q.Metric, q.Concurrency, q.Rate = metric, int(l.Concurrency), l.Rate
	q.Input, q.Output = int64(l.Input.Mean), int64(l.Output.Mean)
	n := bench.Narrow(&q, spreadOf(&r), t.own.residuals)
	return speed.Range{Low: r.Mid * n.Low, Mid: r.Mid * n.Shift, High: r.Mid * n.High}
}

// basis says which of the user's measurements count, and which of them contradict each other or us.
func (t *timed) basis() (text string, doubts []string) {
	if t.own == nil {
		return "", nil
	}
	q := t.setting
	q.Metric = bench.TPOT
	q.Input, q.Output, q.Concurrency = int64(t.load.Input.Mean), int64(t.load.Output.Mean), int(t.load.Concurrency)
	n := bench.Narrow(&q, bench.Spread{Low: 0.7, High: 1.4}, t.own.residuals)
	return fmt.Sprintf("%s of your measurements on %s with %s, %s of them of this model", units.Thousands(int64(n.Used)), t.setting.GPU, t.setting.Engine,
		units.Thousands(int64(n.Exact))), n.Doubts
}

// cardOf is the card whatever its size of memory, which makes no difference to its speed.
func cardOf(a *hardware.Accelerator) string {
	if at := strings.LastIndexByte(a.ID, '-'); len(a.Sizes) > 1 && at > 0 && strings.HasSuffix(a.ID, "gb") {
		return a.ID[:at]
	}
	return a.ID
}

// settingOf is a plan as one that somebody measured.
func (e *estimate) settingOf(m *serve.Prepared, p *serve.Plan) bench.Measurement {
	return bench.Measurement{
		Model: e.s.ref.Name, Precision: m.Format(), KV: p.KV, Engine: string(p.Engine.Kind), Version: p.Engine.Version, GPU: cardOf(p.GPU),
		GPUs: p.Devices(), Tensor: p.Tensor, Pipeline: p.Pipeline, Expert: p.Expert, Data: p.Data,
	}
}

// time is a plan with its account, ready to be asked how fast it is.
func (e *estimate) time(c *speed.Constants, m *serve.Prepared, p serve.Plan, memory *serve.Memory) (*timed, error) {
	fast, err := c.Of(m, p, memory)
	if err != nil {
		return nil, err
	}
	return &timed{Model: fast, setting: e.settingOf(m, &p), own: e.ownOf(&p), load: e.load}, nil
}

// replicas times plans for the search, with what the user measured. Measurements are computed before the search starts,
// which asks from several goroutines.
func (e *estimate) replicas(c *speed.Constants, candidates []fleet.Candidate) fleet.Estimate {
	known := false
	for i := range candidates {
		known = e.ownOf(&candidates[i].Plan) != nil || known
	}
	if !known {
		return fleet.By(c)
	}
	return func(m *serve.Prepared, p serve.Plan, memory *serve.Memory) (fleet.Replica, error) {
		t, err := e.time(c, m, p, memory)
		if err != nil {
			return nil, err
		}
		return t.Figures, nil
	}
}
