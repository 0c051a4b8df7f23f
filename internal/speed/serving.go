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
	longest    = 1 << 31 // tokens
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

// half is how much of its answer a request has in the cache, on the mean over time.
const half = 0.5

// running is the share of answers that requests take room for while they run: an engine that takes a request up only if
// it can be answered to its end keeps room for that, others preempt.
func (m *Model) running() float64 {
	if m.plan.Engine.Kind == serve.TensorRT {
		return 1
	}
	return half
}

// seats is how many requests the replicas that run in step take at once, whatever their length.
func (m *Model) seats() float64 { return float64(max(1, m.plan.MaxSeqs)) * float64(m.work.Data) }

// room is how many requests one deployment of replicas that run in step holds at once, in a pool of so many bytes, if
// each takes room for a share of its answer.
func (m *Model) room(r *mean, pool, share float64) float64 {
	if m.plan.Engine.Kind == serve.LlamaCPP { // its cache is made for as many as it has slots
		return m.seats()
	}
	each := m.perRequest(r.in + share*r.out)
	if each <= 0 {
		return m.seats()
	}
	return max(1, min(m.seats(), float64(m.work.Data)*pool/each))
}

// budget is the tokens of a pass.
func (m *Model) budget() float64 { return m.chunk() * float64(m.work.Data) }

// answer is a pass in which so many sequences answer.
func (r *mean) answer(sequences float64) load {
	return load{decodes: sequences, context: sequences * r.held(), verify: r.drafts}
}

// per is seconds for each token of an answer of passes that take so long: drafting takes a layer and the head for each
// token that is drafted.
func (m *Model) per(r *mean, seconds float64) float64 {
	return seconds * (1 + draftCost*r.drafts/float64(max(1, m.work.Layers))) / r.gain
}

const draftCost = 1.5

// mixed is the mean time between two tokens while some of b requests answer, and each that ends is followed by a prompt.
// One does not see its own prompt. Prompts come whole, or in pieces as large as a pass takes, so most passes have none,
// and those that have one are long: a mean batch would read every expert in every pass.
func (m *Model) mixed(answering, b float64, r *mean) float64 {
	decode := r.answer(answering)
	follow := answering * r.gain * max(0, b-1) / (max(1, b) * r.out) // prompts for each pass
	follow *= 1 - m.rates.value[Burst]/2                             // of what comes at once, half of the requests see each prompt
	if follow <= 0 {
		c := m.costs(decode)
		return m.per(r, c.total())
	}
	piece := min(r.fresh, m.budget()) // tokens of prompts in a pass that has any
	often := min(1, follow*r.fresh/piece)
	with := decode
	with.prompt = follow * r.fresh / often
	with.before, with.prompts = with.prompt*r.before, with.prompt/r.fresh
	c := m.costs(with)
	if often == 1 {
		return m.per(r, c.total())
	}
	d := m.costs(decode)
	return m.per(r, often*c.total()+(1-often)*d.total())
}

// prompted is how long it takes to read n prompts that come together, in passes that sequences share which answer.
func (m *Model) prompted(n, answering float64, r *mean) float64 {
	tokens, budget := n*r.fresh, m.budget()
	if m.work.Pipeline > 1 {
		budget = max(budget, tokens) // stages part it
	}
	passes := max(1, math.Ceil(tokens/budget))
	b := r.answer(answering)
	b.prompt, b.before, b.prompts, b.lone = tokens/passes, tokens/passes*r.before, n/passes, true
	c := m.costs(b)
	return passes * c.total()
}

// single is tokens a second of one request alone.
func (m *Model) single(r *mean) float64 {
	c := m.costs(r.answer(1))
	return 1 / m.per(r, c.total())
}

// most is what replicas that run in step answer at most, tokens a second, and with how many requests at once.
func (m *Model) most(r *mean) (output, running float64) {
	return m.mostIn(r, m.pool, m.rates.value[Filled])
}

// mostIn is the same where a share of a pool of so many bytes is used.
func (m *Model) mostIn(r *mean, pool, filled float64) (output, running float64) {
	b := max(1, m.room(r, pool, m.running())*filled)
	budget := m.budget() * float64(m.work.Pipeline)
	if per := 1 + r.fresh/r.out; b*per > budget && m.plan.Engine.Kind != serve.LlamaCPP { // prompts fill passes
		b = max(1, budget/per)
	}
	return b / m.mixed(b, b, r), b
}

// closed is what each of n requests sees that are always there.
type closed struct{ ttft, tpot, output, running float64 }

// closed is a closed loop as benchmarks make it: some requests come at once.
func (m *Model) closed(n float64, r *mean) closed { return m.settled(n, r, m.rates.value[Burst]) }

// settled finds how many of the requests at once answer while the others wait for their first token. An engine that
// preempts takes more up than it has room for; those that it puts back wait between two tokens.
func (m *Model) settled(n float64, r *mean, burst float64) closed {
	taken := min(n, m.room(r, m.poolHigh, m.rates.value[Reserved]))
	b := min(taken, m.room(r, m.poolHigh, m.running()))
	answering, c := b, closed{running: b}
	for range 4 {
		c.tpot = m.mixed(answering, b, r)
		c.ttft = m.first(b, answering, burst, r)
		reading := m.prompted(1, answering, r)
		answers := (r.out - 1) * c.tpot
		answering = max(min(1, b), b*answers/(answers+reading))
	}
	c.tpot *= taken / b
	cycle := c.ttft + (r.out-1)*c.tpot
	c.output = taken * r.out / cycle
	c.ttft += max(0, n/taken-spare) * cycle
	return c
}

// spare is how far requests may exceed the room before they wait: lengths vary, and those that are short leave room.
const spare = 1.1

// ridge is how many tokens of prompts take as long as a pass of answers, roughly and on any card: those with which products
// take as long as reading the weights. That it is one number keeps a slower card from having fewer prompts to wait for.
const ridge = 256

// first is the time to the first token of one of b requests: benchmarks send some at once, so that they wait for each
// other's prompts; later ones come one by one or, where lengths are equal, several together.
func (m *Model) first(b, answering, burst float64, r *mean) float64 {
	rates := &m.rates
	fits := max(1, m.budget()/r.fresh)
	group := math.Exp(rates.value[Together] * math.Log(max(1, min(b, fits))))
	later := m.prompted(group, max(0, answering-group), r)
	crowd := max(0, b-1) * r.fresh / (r.out * ridge) // prompts of others for one's own answer, both as work
	busy := crowd / (1 + crowd)
	later += rates.value[Queueing] * busy * later
	at := later
	if b > 1 && burst > 0 { // else nothing comes at once
		at = max(later, m.prompted(b, 0, r)*(b+1)/(2*b))
	}
	return rates.value[HostTime] + burst*at + (1-burst)*later
}

// Server is one of the replicas, for the simulation.
func (m *Model) Server(l Load) queue.Server {
	r := l.mean()
	return queue.Server{
		Pass: m.Pass, MaxSeqs: int64(m.seats()), Budget: int64(m.budget()), Cache: m.tokens(&r), Host: m.rates.value[HostTime],
		PrefixHit: l.PrefixHit, Drafts: l.Drafts, Accepted: l.Accepted,
	}
}

// tokens is what the caches hold of such requests.
func (m *Model) tokens(r *mean) int64 {
	full := r.in + r.out
	each := m.perRequest(full)
	if each <= 0 {
		return math.MaxInt32
	}
	return int64(min(math.MaxInt32, max(m.pool/each, 1)*full*float64(m.work.Data)))
}
