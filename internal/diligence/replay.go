package diligence

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// errReplay is wrapped by the error for a measurement that says too little to be computed, or of what is not known here.
var errReplay = errors.New("the measurement cannot be computed")

// Replay computes what we would have said of a setting that somebody measured, for the metric that was measured.
func Replay(ctx context.Context, d Deps, m *bench.Measurement) (*speed.Range, error) {
	in := &inquiry{Deps: d, ctx: ctx}
	q := EstimateQuestion{
		Ref: model.Ref{Scheme: model.SchemeHub, Name: m.Model}, Quant: m.Precision, Cards: []string{m.GPU}, Kind: serve.Kind(m.Engine), Version: m.Version,
	}
	s, err := in.describe(q.Ref, q.Quant)
	if err == nil {
		err = in.shape(s, q.Quant)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errReplay, err)
	}
	return in.replay(s, q, m)
}

// replay computes a measurement for a model that was read already.
func (in *inquiry) replay(s *described, q EstimateQuestion, m *bench.Measurement) (*speed.Range, error) {
	q.Plan = serve.Plan{GPUs: m.GPUs, Tensor: m.Tensor, Pipeline: m.Pipeline, Expert: m.Expert, Data: m.Data, KV: m.KV}
	q.Load = Workload{
		Input: queue.Length{Mean: float64(m.Input)}, Output: queue.Length{Mean: float64(m.Output)}, Concurrency: float64(m.Concurrency), Rate: m.Rate,
		Unlimited: m.Concurrency == 0 && m.Rate == 0,
	}
	if n := m.Input + m.Output; n > 0 {
		q.Plan.MaxModelLen = n
	}
	e := newEstimateOf(in, s, q)
	e.raw = true
	e.load = e.usual()
	cards, err := e.cards()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errReplay, err)
	}
	o, err := e.outlook(cards[0])
	if err == nil {
		err = e.fast(&o)
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("%w: %w", errReplay, err)
	case o.timed == nil:
		return nil, fmt.Errorf("%w: %s", errReplay, strings.TrimSpace("the plan does not start. "+o.Why))
	}
	if r := metric(o.timed, m); r != nil {
		return r, nil
	}
	return nil, fmt.Errorf("%w: its load is beyond what the plan serves", errReplay)
}

// metric is the figure that was measured.
func metric(t *timed, m *bench.Measurement) *speed.Range {
	f := t.figures
	switch m.Metric {
	case bench.Decode:
		return &f.Single
	case bench.Prefill:
		return &f.Prompt
	case bench.MaxOutput, bench.UnderLimits:
		return &f.MaxOutput
	case bench.Output:
		return f.Output
	case bench.TTFT:
		return f.TTFT
	case bench.TPOT:
		return f.TPOT
	case bench.WithPrompt:
		if f.TTFT == nil || f.TPOT == nil {
			return nil
		}
		in, out := t.load.Input.Mean, t.load.Output.Mean
		rate := func(first, between float64) float64 { return (in + out) / (first + out*between) }
		return &speed.Range{Low: rate(f.TTFT.High, f.TPOT.High), Mid: rate(f.TTFT.Mid, f.TPOT.Mid), High: rate(f.TTFT.Low, f.TPOT.Low)}
	}
	return nil
}
