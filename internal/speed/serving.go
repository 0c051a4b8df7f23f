package speed

import (
	"math"

	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// lengths are those of a mean request, in tokens.
type lengths struct{ in, out float64 }

func (l Load) lengths() lengths {
	return lengths{max(1, l.Input.Mean), max(1, l.Output.Mean)}
}

// mean is how many tokens a sequence has in the cache while it answers.
func (l lengths) mean() float64 { return l.in + l.out/2 }

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

// room is how many requests of such lengths one deployment of replicas that run in step holds at once, in a pool of so
// many bytes, if each takes room for a share of its answer.
func (m *Model) room(l lengths, pool, share float64) float64 {
	seats := float64(max(1, m.plan.MaxSeqs)) * float64(m.work.Data)
	if m.plan.Engine.Kind == serve.LlamaCPP {
		return seats
	}
	each := m.perRequest(l.in + share*l.out)
	if each <= 0 {
		return seats
	}
	return max(1, min(seats, float64(m.work.Data)*pool/each))
}

// mixed is the mean pass while some of b requests answer, and each that ends is followed by a prompt. One does not see its
// own prompt. Prompts come whole, or in pieces as large as a pass takes, so most passes have none, and those that have one
// are long: a mean batch would read every expert in every pass.
func (m *Model) mixed(answering, b float64, l lengths) float64 {
	decode := load{decodes: answering, context: answering * l.mean()}
	follow := answering * max(0, b-1) / (max(1, b) * l.out) // prompts for each pass
	follow *= 1 - m.rates.value[Burst]/2                    // of what comes at once, half of the requests see each prompt
	if follow <= 0 {
		c := m.costs(decode)
		return c.total()
	}
	piece := min(l.in, m.chunk()*float64(m.work.Data)) // tokens of prompts in a pass that has any
	often := min(1, follow*l.in/piece)
	with := decode
	with.prompt = follow * l.in / often
	with.before, with.prompts = with.prompt*l.in/2, with.prompt/l.in
	c := m.costs(with)
	if often == 1 {
		return c.total()
	}
	d := m.costs(decode)
	return often*c.total() + (1-often)*d.total()
}

// prompted is how long it takes to read n prompts that come together, in passes that sequences share which answer.
func (m *Model) prompted(n, answering float64, l lengths) float64 {
	chunk := m.chunk() * float64(m.work.Data)
	if m.work.Pipeline > 1 && answering < 1 {
		chunk = max(chunk, n*l.in)
	}
	passes := max(1, math.Ceil(n*l.in/chunk))
	c := m.costs(load{
		decodes: answering, context: answering * l.mean(), prompt: n * l.in / passes, before: n * l.in * l.in / 2 / passes, prompts: n / passes,
	})
	return passes * c.total()
}

// single is tokens a second of one request alone.
func (m *Model) single(l lengths) float64 {
	c := m.costs(load{decodes: 1, context: l.mean()})
	return 1 / c.total()
}

// most is what replicas that run in step answer at most, tokens a second, and with how many requests at once.
func (m *Model) most(l lengths) (output, running float64) {
	b := max(1, m.room(l, m.pool, m.running())*m.rates.value[Filled])
	budget := m.chunk() * float64(m.work.Data) * float64(m.work.Pipeline)
	if per := 1 + l.in/l.out; b*per > budget && m.plan.Engine.Kind != serve.LlamaCPP { // prompts fill passes
		b = max(1, budget/per)
	}
	return b / m.mixed(b, b, l), b
}

// closed is what each of n requests sees that are always there.
type closed struct{ ttft, tpot, output, running float64 }

// closed settles how many of the requests at once answer while the others wait for their first token. An engine that
// preempts takes more up than it has room for; those that it puts back wait between two tokens.
func (m *Model) closed(n float64, l lengths) closed {
	taken := min(n, m.room(l, m.poolHigh, m.rates.value[Reserved]))
	b := min(taken, m.room(l, m.poolHigh, m.running()))
	answering, c := b, closed{running: b}
	for range 4 {
		c.tpot = m.mixed(answering, b, l)
		c.ttft = m.first(b, answering, c.tpot, l)
		reading := m.prompted(1, answering, l)
		answers := (l.out - 1) * c.tpot
		answering = max(min(1, b), b*answers/(answers+reading))
	}
	c.tpot *= taken / b
	cycle := c.ttft + (l.out-1)*c.tpot
	c.output = taken * l.out / cycle
	c.ttft += max(0, n/taken-spare) * cycle
	return c
}

// spare is how far requests may exceed the room before they wait: lengths vary, and those that are short leave room.
const spare = 1.1

// first is the time to the first token of one of b requests: benchmarks send some at once, so that they wait for each
// other's prompts; later ones come one by one or, where lengths are equal, several together.
func (m *Model) first(b, answering, tpot float64, l lengths) float64 {
	r := &m.rates
	fits := max(1, m.chunk()*float64(m.work.Data)/l.in)
	group := math.Exp(r.value[Together] * math.Log(max(1, min(b, fits))))
	later := m.prompted(group, max(0, answering-group), l)
	one := m.prompted(1, 0, l)
	busy := min(1, (b-1)*one/(l.out*tpot+one))
	later += r.value[Queueing] * busy * later
	at := later
	if b > 1 {
		at = max(later, m.prompted(b, 0, l)*(b+1)/(2*b))
	}
	return r.value[HostTime] + r.value[Burst]*at + (1-r.value[Burst])*later
}

// Server is one of the replicas, for the simulation.
func (m *Model) Server(l Load) queue.Server {
	return queue.Server{
		Pass: m.Pass, MaxSeqs: m.plan.MaxSeqs * int64(m.work.Data), Budget: int64(m.chunk()) * int64(m.work.Data),
		Cache: m.tokens(l.lengths()), Host: m.rates.value[HostTime], PrefixHit: l.PrefixHit, Drafts: l.Drafts, Accepted: l.Accepted,
	}
}

// tokens is what the caches hold of requests of such lengths.
func (m *Model) tokens(l lengths) int64 {
	full := l.in + l.out
	each := m.perRequest(full)
	if each <= 0 {
		return math.MaxInt32
	}
	return int64(min(math.MaxInt32, m.pool/each*full*float64(m.work.Data)))
}
