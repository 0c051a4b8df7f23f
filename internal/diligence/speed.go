package diligence

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"slices"

	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/units"
)

// Lengths that are taken where nobody said: those of a question with some context and a short answer.
const (
	usualInput  = 1024
	UsualOutput = 256 // also what the command line leaves room for beside a prompt
)

// usual fills in what nobody said of a workload, and says so.
func (e *estimate) usual() speed.Load {
	w := &e.q.Load
	l := speed.Load{
		Input: w.Input, Output: w.Output, Concurrency: w.AtOnce(), Rate: w.Rate, Burst: cmp.Or(w.Burst, 1), PrefixHit: w.PrefixHit,
		Drafts: w.Drafts, Accepted: w.Accepted,
	}
	if l.Input.Mean == 0 {
		l.Input.Mean = e.within(usualInput)
		e.assume("input_tokens", tokens(l.Input.Mean), "a prompt of usual length; speed depends on it")
	}
	if l.Output.Mean == 0 {
		l.Output.Mean = e.left(l.Input.Mean)
		e.assume("output_tokens", tokens(l.Output.Mean), "an answer of usual length")
	}
	if l.Concurrency == 0 && l.Rate == 0 && !w.Unlimited && w.Users == 0 {
		l.Concurrency = 1
		e.assume("concurrency", "1", "latency is of one request alone where nobody says how many come at once")
	}
	return l
}

// within is a length, or what a context that was asked for leaves of it: half for the prompt, half for the answer.
func (e *estimate) within(n float64) float64 {
	if most := e.q.Plan.MaxModelLen; most > 0 {
		return max(1, min(n, float64(most)/2))
	}
	return n
}

// left is an answer of usual length, or what a context that was asked for leaves beside the prompt.
func (e *estimate) left(input float64) float64 {
	if most := e.q.Plan.MaxModelLen; most > 0 {
		return max(1, min(UsualOutput, float64(most)-input))
	}
	return UsualOutput
}

func tokens(f float64) string { return units.Thousands(int64(f)) }

// fast adds how fast a plan is. Who starts is fast or slow, whether or not as many find room at once as are asked for:
// the others wait.
func (e *estimate) fast(o *outlook) error {
	if e.Speed == nil || o.memory == nil || o.memory.Verdict == serve.DoesNot {
		return nil
	}
	constants, err := e.Speed()
	if err != nil {
		return err
	}
	t, err := e.time(constants, o.model, o.plan, o.memory)
	if errors.Is(err, speed.ErrUnknown) {
		o.Speed = &report.Speed{Why: err.Error(), Peak: []report.PeakUsed{}, Defined: definitions()}
		return nil
	}
	if err != nil {
		return err
	}
	o.timed = t
	t.load.Rate = e.rate(t)
	t.figures = t.Figures(t.load)
	o.Speed = e.shownSpeed(o)
	return nil
}

// spread chooses how the devices of a plan share the work where nobody said and as many requests come as the plan serves:
// the division that answers most of them.
func (e *estimate) spread(m *serve.Prepared, p serve.Plan) (serve.Plan, *serve.Memory) {
	if e.Speed == nil || !e.q.Load.Unlimited || p.GPUs < 2 || p.Tensor+p.Pipeline+p.Data > 0 {
		return p, nil
	}
	constants, err := e.Speed()
	if err != nil {
		return p, nil // fast tells
	}
	var memory *serve.Memory
	best, most := p, 0.0
	for _, q := range m.Divisions(p) {
		account, err := m.Fit(q)
		if err != nil || account.Verdict == serve.DoesNot {
			continue
		}
		t, err := constants.Of(m, q, account)
		if err != nil {
			continue
		}
		if f := t.Figures(e.load); f.MaxOutput.Mid > most {
			best, memory, most = q, account, f.MaxOutput.Mid
		}
	}
	return best, memory
}

// rate is how many requests a second come. People who read before they ask again ask less often the slower they are
// answered: the rate is that at which as many of them read and wait as there are.
func (e *estimate) rate(t *timed) float64 {
	w := &e.q.Load
	if w.Users == 0 || w.Think == 0 {
		return t.load.Rate
	}
	people := func(rate float64) float64 {
		l := t.load
		l.Rate = rate
		f := t.Figures(l)
		if f.Saturated || f.TTFT == nil {
			return math.Inf(1)
		}
		return rate * (w.Think + f.TTFT.Mid + l.Output.Mean*f.TPOT.Mid)
	}
	low, high := 0.0, w.Users/w.Think // nobody waits for an answer at all
	for range 40 {
		if mid := (low + high) / 2; people(mid) < w.Users {
			low = mid
		} else {
			high = mid
		}
	}
	return high
}

func (e *estimate) shownSpeed(o *outlook) *report.Speed {
	t, f := o.timed, o.timed.figures
	out := &report.Speed{
		Single: shownRange(&f.Single), Prompt: shownRange(&f.Prompt), MaxOutput: shownRange(&f.MaxOutput), MaxRequests: shownRange(&f.MaxRequests),
		InputTokens: int64(t.load.Input.Mean), OutputTokens: int64(t.load.Output.Mean), BoundBy: bound(f.Bound), PromptBound: bound(f.PromptBound),
		Saturated: f.Saturated, Why: f.Why, Basis: f.Basis, Peak: t.peaks(), Defined: definitions(),
	}
	if t.load.Rate > 0 {
		out.RequestRate = &t.load.Rate
	}
	var doubts []string
	out.Narrowed, doubts = t.basis()
	for _, d := range doubts {
		e.doubt(d)
	}
	if f.Saturated {
		return out
	}
	if f.Concurrency > 0 {
		out.Concurrency = new(int64(math.Ceil(f.Concurrency - 1e-9)))
	}
	out.TTFT, out.TPOT, out.Output, out.Requests = shownRange(f.TTFT), shownRange(f.TPOT), shownRange(f.Output), shownRange(f.Requests)
	if f.Output != nil {
		n := float64(o.plan.Devices())
		out.OutputPerGPU = &report.Range{Low: f.Output.Low / n, Mid: f.Output.Mid / n, High: f.Output.High / n}
	}
	return out
}

func shownRange(r *speed.Range) *report.Range {
	if r == nil {
		return nil
	}
	return &report.Range{Low: r.Low, Mid: r.Mid, High: r.High}
}

// bound is a cause in the words of the contract.
func bound(c speed.Cause) string {
	switch c {
	case speed.Weights:
		return "memory"
	case speed.Bubble:
		return "network"
	}
	return string(c)
}

// definitions say what the words of the answer mean, so that nobody compares it with something else.
func definitions() []report.Definition {
	return []report.Definition{
		{Term: "TTFT", Means: "time from sending a request to its first token, with queueing and the host; mean over requests, of which a closed loop sends all at once at first, as benchmarks do"},
		{Term: "TPOT", Means: "mean time between the tokens of one answer after the first"},
		{Term: "output tokens per second", Means: "tokens of all answers together; tokens of prompts are not counted"},
		{Term: "FLOP", Means: "a multiplication and an addition are two; peaks are dense, without structured sparsity"},
		{Term: "range", Means: "meant to hold the measured value in 80 % of cases"},
	}
}

// peaks are the figures of the card that speed is held against.
func (t *timed) peaks() []report.PeakUsed {
	out := []report.PeakUsed{}
	for _, p := range t.Peaks() {
		out = append(out, report.PeakUsed{What: p.What, Value: p.Value, Unit: p.Unit, Note: p.Note})
	}
	return out
}

// details adds what only somebody who looks at one plan reads: its parts, other loads, percentiles, measurements like it.
func (e *estimate) details(o *outlook) {
	if o.timed == nil || o.Speed == nil {
		return
	}
	t := o.timed
	o.Speed.Step, o.Speed.Prefill = t.parts(e.q.Explain)
	o.Speed.Curve = t.curve(&e.q.Load)
	if !t.figures.Saturated {
		o.Speed.Tails = e.tails(t)
	}
	o.Speed.Nearest = e.nearest(o)
}

// parts are the causes of a pass that decodes, and of one that reads a prompt. Replicas share out what comes at once,
// and what finds no room waits.
func (t *timed) parts(formulas bool) (decode, prefill []report.StepPart) {
	in, out := t.load.Input.Mean, t.load.Output.Mean
	n := max(1, min(t.figures.Concurrency, t.most())/float64(max(1, t.Replicas())))
	at := queue.Batch{Decodes: int(math.Ceil(n - 1e-9)), Context: n * (in + out/2)}
	prompt := queue.Batch{Prompt: int64(in), Before: in * (in - 1) / 2, Prompts: 1}
	return shownParts(t.Step(at), formulas), shownParts(t.Step(prompt), formulas)
}

func shownParts(s speed.Step, formulas bool) []report.StepPart {
	var out []report.StepPart
	for _, p := range s.Parts {
		one := report.StepPart{Cause: p.Name, Seconds: p.Seconds}
		if formulas {
			one.Formula, one.Source = p.Formula, p.Source
		}
		out = append(out, one)
	}
	return out
}

// curve is the same plan at other loads, up to as many requests at once as find room.
func (t *timed) curve(w *Workload) []report.LoadPoint {
	most := math.Floor(t.most())
	var out []report.LoadPoint
	add := func(n float64) {
		f := t.at(n)
		p := report.LoadPoint{
			Concurrency: int64(n), Output: *shownRange(f.Output), Requests: *shownRange(f.Requests), TTFT: *shownRange(f.TTFT), TPOT: *shownRange(f.TPOT),
		}
		if w.limited() {
			p.Met = new(w.verdict(f) == met)
		}
		out = append(out, p)
	}
	for n := 1.0; n < most; n *= 2 {
		add(n)
	}
	if most >= 1 {
		add(most)
	}
	return out
}

// most is how many requests at once a plan works at under unlimited load.
func (t *timed) most() float64 {
	l := t.load
	l.Rate, l.Concurrency = 0, 0
	return max(1, t.Figures(l).Concurrency)
}

// at is what so many requests at once see.
func (t *timed) at(n float64) *speed.Figures {
	l := t.load
	l.Rate, l.Concurrency = 0, n
	return t.Figures(l)
}

// tails plays requests for the percentiles, under the load that the figures are of.
func (e *estimate) tails(t *timed) *report.Tails {
	w := &e.q.Load
	load := t.Queue(t.load)
	switch given := w.Rate > 0 || w.AtOnce() > 1 || w.Users > 0; {
	case w.Unlimited || w.Simulate < 0 || t.figures.TTFT == nil || w.Simulate == 0 && !given:
		return nil
	case w.Simulate > 0:
		load.Requests = w.Simulate
	default:
		load.Requests = max(usualPlayed, load.Requests)
	}
	if load.Rate > 0 {
		load.Warmup = load.Requests / 10 // a server that has been asked for a while
	}
	r := queue.Simulate(t.Server(t.load), load, rand.New(rand.NewPCG(w.Seed, 0)))
	if r.Saturated {
		e.doubt("played request by request, this load is more than the plan serves, so that there are no percentiles: expect requests to wait longer than told")
		return nil
	}
	return &report.Tails{
		Requests: load.Requests, Seed: int64(w.Seed), TTFT: tail(r.TTFT), TPOT: tail(r.TPOT), Total: tail(r.Total), Waiting: tail(r.Waiting),
	}
}

// usualPlayed is how many requests are played where a load is given: enough for the 99th percentile to rest on twenty.
const usualPlayed = 2000

func tail(p queue.Percentiles) report.Tail { return report.Tail{P50: p.P50, P90: p.P90, P99: p.P99} }

// The words of Targets.Met.
const (
	met     = "yes"
	perhaps = "perhaps"
	missed  = "no"
)

func (w *Workload) limited() bool { return w.TTFT > 0 || w.TPOT > 0 }

// verdict holds figures against the limits: met with the bad end of every range, missed with the good end, perhaps else.
func (w *Workload) verdict(f *speed.Figures) string {
	if f.Saturated {
		return missed
	}
	out, between := met, w.TPOT
	if w.Output.Mean == 1 { // after the first token there is none
		between = 0
	}
	for _, one := range []struct {
		limit float64
		is    *speed.Range
	}{{w.TTFT, f.TTFT}, {between, f.TPOT}} {
		switch {
		case one.limit == 0:
		case one.is == nil:
			out = worst(out, perhaps)
		case one.is.Low > one.limit:
			out = missed
		case one.is.High > one.limit:
			out = worst(out, perhaps)
		}
	}
	return out
}

func worst(a, b string) string {
	order := []string{met, perhaps, missed}
	return order[max(slices.Index(order, a), slices.Index(order, b))]
}

// targets holds a plan against the limits, and finds the largest load that it serves within them.
func (e *estimate) targets(o *outlook) {
	w := &e.q.Load
	if o.timed == nil || !w.limited() {
		return
	}
	t := o.timed
	out := &report.Targets{Met: w.verdict(t.figures)}
	if w.TTFT > 0 {
		out.TTFT = &w.TTFT
	}
	if w.TPOT > 0 {
		out.TPOT = &w.TPOT
	}
	if w.Unlimited {
		out.Met, out.Why = perhaps, "latency under unlimited load has no bound; give --concurrency or --request-rate"
	} else if out.Met != met {
		out.Why = w.broken(t.figures)
	}
	if n, ok := t.within(w); ok {
		f := t.at(float64(n))
		out.AtMost, out.AtMostRate = &n, &f.Requests.Low
	} else {
		out.AtMost = new(int64(0))
	}
	o.Speed.Targets = out
}

// broken says which limit does not hold.
func (w *Workload) broken(f *speed.Figures) string {
	switch {
	case f.Saturated:
		return f.Why
	case w.TTFT > 0 && f.TTFT != nil && f.TTFT.Low > w.TTFT:
		return "the time to the first token is longer"
	case w.TPOT > 0 && f.TPOT != nil && f.TPOT.Low > w.TPOT:
		return "the time between tokens is longer"
	case w.TTFT > 0 && (f.TTFT == nil || f.TTFT.High > w.TTFT):
		return "the time to the first token may be longer"
	}
	return "the time between tokens may be longer"
}

// within is the largest number of requests at once that meets the limits with the bad end of every range.
func (t *timed) within(w *Workload) (int64, bool) {
	ok := func(n int64) bool { return w.verdict(t.at(float64(n))) == met }
	most := int64(t.most())
	if !ok(1) {
		return 0, false
	}
	low, high := int64(1), most
	for low < high {
		if mid := low + (high-low+1)/2; ok(mid) {
			low = mid
		} else {
			high = mid - 1
		}
	}
	return low, true
}
