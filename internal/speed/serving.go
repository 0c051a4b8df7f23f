package speed

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// mean is a mean request of a load.
type mean struct {
	in, out float64 // tokens
	fresh   float64 // tokens of the prompt that are not in the cache already
	before  float64 // tokens before each of those, mean
	drafts  float64 // tokens that are drafted beside each next one
	gain    float64 // tokens that come of a pass
}

func (l *Load) mean() mean {
	r := mean{in: min(longest, atLeast(1, l.Input.Mean)), out: min(longest, atLeast(1, l.Output.Mean)), gain: 1}
	hit := min(0.999, atLeast(0, l.PrefixHit))
	r.fresh, r.before = r.in*(1-hit), r.in*(1+hit)/2
	if l.Drafts > 0 && l.Accepted > 0 {
		a := min(0.999, l.Accepted)
		r.drafts = float64(min(l.Drafts, mostDrafts))
		r.gain = (1 - math.Pow(a, r.drafts+1)) / (1 - a)
	}
	return r
}

// What is believed of a load at most.
const (
	mostDrafts = 64
	longest    = 1_000_000_000 // tokens
)

// atLeast is max, with what is no number counted as the least, and nothing larger than anybody asks about.
func atLeast(least, x float64) float64 {
	const most = 1 << 50
	if x > least {
		return min(x, most)
	}
	return least
}

// held is how many tokens a sequence has in the cache while it answers.
func (r *mean) held() float64 { return r.in + r.out/2 }

// perRequest is the bytes that a request with n tokens keeps on the rank that binds.
func (m *Model) perRequest(n float64) float64 {
	var sum float64
	for i := range m.work.Attention {
		a := &m.work.Attention[i]
		seen := n
		if a.Window > 0 && a.Entry > 0 {
			seen = min(seen, a.Window)
		}
		sum += float64(a.Layers) * (a.Entry*seen/a.Ratio + a.State)
	}
	return sum * m.work.Longest / float64(m.work.Pipeline)
}

// seats is how many requests the replicas that run in step take at once, whatever their length.
func (m *Model) seats() float64 { return float64(max(1, m.plan.MaxSeqs)) * float64(m.work.Data) }

// fits is how many requests of so many tokens the caches of the replicas that run in step hold; llama.cpp makes its cache
// for as many as it has slots.
func (m *Model) fits(tokens float64) float64 {
	each := m.perRequest(tokens)
	if each <= 0 || m.plan.Engine.Kind == serve.LlamaCPP {
		return math.MaxInt32
	}
	return max(1, min(math.MaxInt32, float64(m.work.Data)*m.likely()/each))
}

// likely is the pool that is reckoned with: the middle between what is surely there and the good end.
func (m *Model) likely() float64 { return (m.pool + m.poolHigh) / 2 }

// reserves is true of an engine that begins a request only where there is room for all of its answer, so that none is
// ever preempted.
func (m *Model) reserves() bool { return m.plan.Engine.Kind == serve.TensorRT }

// room is how many requests one deployment of replicas that run in step works at, at most.
func (m *Model) room(r *mean) float64 {
	tokens := r.held()
	if m.reserves() {
		tokens = r.in + r.out
	}
	return min(m.seats(), m.fits(tokens))
}

// budget is the tokens of a pass. Stages of a pipeline work at parts of a prompt at the same time, so that one pass has
// a part for each of them.
func (m *Model) budget() float64 { return m.chunk() * float64(m.work.Data) * float64(m.work.Pipeline) }

// answer is a pass in which so many sequences answer.
func (r *mean) answer(sequences float64) load {
	return load{decodes: sequences, context: sequences * r.held(), verify: r.drafts}
}

// drafting is how much longer passes take that also draft: a layer and the head for each token that is drafted.
func (m *Model) drafting(r *mean) float64 {
	return 1 + draftCost*r.drafts/float64(max(1, m.work.Layers))
}

const draftCost = 1.5

// prompted is how long it takes to read a prompt alone, in as few passes as it takes.
func (m *Model) prompted(r *mean) float64 {
	tokens, budget := r.fresh, m.budget()
	if m.work.Pipeline > 1 {
		budget = max(budget, tokens) // stages part it
	}
	passes := max(1, math.Ceil(tokens/budget))
	c := m.costs(load{prompt: tokens / passes, before: tokens / passes * r.before, prompts: 1 / passes, lone: true})
	return passes * c.total()
}

// single is tokens a second of one request alone.
func (m *Model) single(r *mean) float64 {
	c := m.costs(r.answer(1))
	return r.gain / (c.total() * m.drafting(r))
}

// Server is one of the replicas, for the simulation.
func (m *Model) Server(l Load) queue.Server {
	r := l.mean()
	s := queue.Server{
		Pass: m.Pass, MaxSeqs: int64(m.seats()), Budget: int64(m.budget()), Cache: m.tokens(&r), Host: m.rates.value[HostTime],
		Whole: m.plan.Engine.Kind == serve.SGLang, PrefixHit: 1 - r.fresh/r.in, Drafts: int(r.drafts), Accepted: min(0.999, atLeast(0, l.Accepted)),
	}
	s.Budget = max(s.Budget, int64(r.drafts)+1)
	if r.drafts > 0 {
		longer := m.drafting(&r)
		s.Pass = func(b queue.Batch) float64 { return longer * m.Pass(b) }
	}
	one := m.costs(r.answer(1)) // engines hand over what a pass has made while the next one runs, of each stage
	s.Host += one.total() * float64(m.work.Pipeline)
	if m.reserves() {
		s.MaxSeqs = int64(m.room(&r))
	}
	return s
}

// tokens is what the caches hold of such requests.
func (m *Model) tokens(r *mean) int64 {
	full := r.in + r.out
	return int64(min(math.MaxInt64/2, full*m.fits(full)))
}

// lengths are as they are played where nobody said that they differ: benchmarks, which ranges and constants rest on, ask for lengths that are nearly
// equal. Where prompts have passes of their own, requests keep step with each other all the same: each prompt stops all
// answers, so that those that began together stay together.
func (m *Model) lengths(r *mean, l *Load) (in, out queue.Length) {
	in, out = queue.Length{Mean: r.in, Spread: min(mostSpread, atLeast(0, l.Input.Spread))}, queue.Length{Mean: r.out, Spread: min(mostSpread, atLeast(0, l.Output.Spread))}
	if in.Spread == 0 && out.Spread == 0 && m.plan.Engine.Kind != serve.SGLang {
		in.Spread, out.Spread = nearlyEqual, nearlyEqual
	}
	return in, out
}

const (
	// nearlyEqual is the deviation of lengths between 0.8 and 1 of the longest, as benchmarks draw them.
	nearlyEqual = 0.06
	// waves is how many requests benchmarks send for each that runs at once; the first ones come together.
	waves = 10
	// endless is how many wait for a place under unlimited load, for each that has one.
	endless = 1.2
	// What is asked of the queue at most.
	mostAtOnce = 50_000
	mostSpread = 10
	mostBurst  = 100
	leastRate  = 1e-9
	mostRate   = 1e9
)

// Queue is what one of the replicas is asked for under a load of the whole deployment, as Figures takes it: a closed loop
// is one as benchmarks make it, whose requests all come at once at first. The larger number of requests at once is taken
// where they do not fall evenly on the replicas.
func (m *Model) Queue(l Load) queue.Load {
	r, replicas := l.mean(), float64(m.work.Replicas)
	if rate := atLeast(0, l.Rate); rate > 0 {
		q := queue.Load{Rate: max(leastRate, min(mostRate, rate/replicas)), Burst: min(mostBurst, atLeast(0, l.Burst))}
		q.Input, q.Output = m.lengths(&r, &l)
		return q
	}
	return m.loop(int(math.Ceil(min(mostAtOnce, atLeast(1, l.Concurrency/replicas)))), &r, &l)
}

// loop is n requests that are always there.
func (m *Model) loop(n int, r *mean, l *Load) queue.Load {
	q := queue.Load{Concurrency: n, Ramp: true, Requests: waves * n}
	q.Input, q.Output = m.lengths(r, l)
	return q
}

// steady is the closed form of the queue. Where it has nothing to say of a loop, as of prompts that take years, requests
// are answered one after the other. A time between tokens is told even of answers of one.
func (m *Model) steady(s queue.Server, q queue.Load, r *mean) queue.Result {
	c := queue.Steady(s, q)
	if c.Saturated && q.Concurrency > 0 {
		t := m.prompted(r) + (r.out-1)/m.single(r)
		c = queue.Result{Output: r.out / t, Requests: 1 / t, Running: 1}
		c.TTFT.Mean = float64(q.Concurrency) * t
	}
	if c.TPOT.Mean <= 0 {
		b := m.costs(r.answer(max(1, c.Running)))
		c.TPOT.Mean = b.total() * m.drafting(r) / r.gain
	}
	return c
}

// summed is what is computed of a queue.
func summed(c *queue.Result) loaded { return loaded{c.TTFT.Mean, c.TPOT.Mean, c.Output, c.Running} }

// closed is a closed loop of n requests. What several replicas share may not be whole ones for each.
func (m *Model) closed(n float64, r *mean, l *Load) loaded {
	s := m.Server(*l)
	whole, part := math.Modf(min(mostAtOnce, n))
	c := m.steady(s, m.loop(int(whole), r, l), r)
	a := summed(&c)
	if part > 1e-9 {
		c = m.steady(s, m.loop(int(whole)+1, r, l), r)
		b := summed(&c)
		mix := func(x, y float64) float64 { return x + part*(y-x) }
		a = loaded{mix(a.ttft, b.ttft), mix(a.tpot, b.tpot), mix(a.output, b.output), 0}
	}
	if n <= 1 {
		a.tpot = 1 / m.single(r)
	}
	a.running = min(n, m.room(r))
	return a
}

// neverFaster is a closed loop whose requests are answered no faster than those of somewhat fewer: where loops fall out of
// step, or find stages of a pipeline that are free, the closed form steps down by a little, which is nothing to plan with.
func (m *Model) neverFaster(n float64, r *mean, l *Load) loaded {
	c := m.closed(n, r, l)
	looks := 1
	if m.work.Pipeline > 1 {
		looks = 6
	}
	for fewer := n / 1.3; looks > 0 && fewer >= 1; fewer, looks = fewer/1.3, looks-1 {
		b := m.closed(fewer, r, l)
		c.ttft, c.tpot = max(c.ttft, b.ttft), max(c.tpot, b.tpot)
	}
	return c
}

// most is what replicas that run in step answer at most: a closed loop of more than find room.
func (m *Model) most(r *mean, l *Load) loaded {
	s := m.Server(*l)
	s.Host = 0
	q := m.loop(int(min(mostAtOnce, math.Ceil(endless*m.room(r)))), r, l)
	c := m.steady(s, q, r)
	return summed(&c)
}
