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

// room is how many requests of such lengths one deployment of replicas that run in step holds at once.
func (m *Model) room(l lengths) float64 {
	seats := float64(max(1, m.plan.MaxSeqs)) * float64(m.work.Data)
	if m.plan.Engine.Kind == serve.LlamaCPP {
		return seats
	}
	full := l.in + l.out
	if m.plan.Engine.Kind != serve.TensorRT { // others admit on what a request has now, and preempt
		full = l.in + 0.75*l.out
	}
	each := m.perRequest(full)
	if each <= 0 {
		return seats
	}
	return max(1, min(seats, float64(m.work.Data)*m.pool/each))
}

// mixed is the mean pass while b sequences answer and each that ends is followed by a prompt.
func (m *Model) mixed(b float64, l lengths) float64 {
	follow := max(0, b-1) / l.out
	c := m.costs(load{
		decodes: b, context: b * l.mean(), prompt: follow * l.in * m.missedPrefix(), before: follow * l.in * l.in / 2, prompts: follow,
	})
	return c.total()
}

func (m *Model) missedPrefix() float64 { return 1 }

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
	b := max(1, m.room(l)*m.rates.value[Filled])
	budget := m.chunk() * float64(m.work.Data) * float64(m.work.Pipeline)
	if per := 1 + l.in/l.out; b*per > budget && m.plan.Engine.Kind != serve.LlamaCPP { // prompts fill passes
		b = max(1, budget/per)
	}
	return b / m.mixed(b, l), b
}

// closed is what each of n requests sees that are always there.
type closed struct{ ttft, tpot, output, running float64 }

func (m *Model) closed(n float64, l lengths) closed {
	room := m.room(l)
	b := min(n, room)
	r := &m.rates
	tpot := m.mixed(b, l)
	one := m.prompted(1, max(0, b-1), l)
	fits := max(1, m.chunk()*float64(m.work.Data)/l.in)
	group := math.Exp(r.value[Together] * math.Log(max(1, min(b, fits))))
	later := m.prompted(group, max(0, b-group), l)
	busy := min(1, b*m.prompted(1, 0, l)/(l.out*tpot+one))
	later += r.value[Queueing] * busy * later
	first := later
	if b > 1 {
		first = max(later, m.prompted(b, 0, l)*(b+1)/(2*b))
	}
	ttft := r.value[HostTime] + r.value[Burst]*first + (1-r.value[Burst])*later
	cycle := ttft + (l.out-1)*tpot
	if n > room {
		ttft += (n - room) / room * cycle
	}
	return closed{ttft: ttft, tpot: tpot, output: b * l.out / cycle, running: b}
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
