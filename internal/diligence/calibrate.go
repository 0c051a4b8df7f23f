package diligence

import (
	"cmp"
	"context"
	"fmt"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
)

// Calibrated is a measurement beside what is computed for its setting, with what the measurements of the same file make
// of that.
type Calibrated struct {
	Measurement bench.Measurement
	Computed    *report.Range // before
	Narrowed    *report.Range // with all measurements that were given
	Inside      bool          // whether the range before held the measurement
	Why         string        // it teaches nothing, and is not narrowed
}

// Calibrate holds measurements against what is computed for them. Those that cannot be computed are told and teach
// nothing. The doubts are about measurements that contradict each other or what is computed.
func Calibrate(ctx context.Context, d Deps, all []bench.Measurement) (out []Calibrated, doubts []string, err error) {
	out = make([]Calibrated, len(all))
	var residuals []bench.Residual
	var none error
	for i := range all {
		out[i].Measurement = all[i]
		r, err := Replay(ctx, d, &all[i])
		switch {
		case ctx.Err() != nil:
			return nil, nil, ctx.Err()
		case err != nil:
			out[i].Why, none = err.Error(), cmp.Or(none, err)
			continue
		}
		out[i].Computed = shownRange(r)
		out[i].Inside = r.Low <= all[i].Value && all[i].Value <= r.High
		if r.Low == r.High {
			out[i].Why = "how many requests come decides it, and not how fast they are answered"
			continue
		}
		residuals = append(residuals, bench.Residual{Measurement: all[i], Computed: r.Mid, Spread: spreadOf(r)})
	}
	if len(residuals) == 0 && none != nil {
		return out, nil, fmt.Errorf("computing what was measured: %w", none)
	}
	seen := make(map[string]bool)
	for i := range out {
		c := &out[i]
		if c.Why != "" {
			continue
		}
		r := c.Computed
		n := bench.Narrow(&c.Measurement, bench.Spread{Low: r.Low / r.Mid, High: r.High / r.Mid}, residuals)
		c.Narrowed = &report.Range{Low: r.Mid * n.Low, Mid: r.Mid * n.Shift, High: r.Mid * n.High}
		for _, doubt := range n.Doubts {
			if !seen[doubt] {
				seen[doubt] = true
				doubts = append(doubts, doubt)
			}
		}
	}
	return out, doubts, nil
}

// StoredFormat is the number format in which a model is published, as --quant names it.
func StoredFormat(ctx context.Context, d Deps, ref model.Ref) (string, error) {
	in := &inquiry{Deps: d, ctx: ctx}
	s, err := in.describe(ref, "")
	if err == nil {
		err = in.shape(s, "")
	}
	if err != nil {
		return "", err
	}
	return s.serving.Weights.Name, nil
}
