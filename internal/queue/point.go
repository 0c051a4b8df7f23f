package queue

import "math"

// point is what a server does with so many sequences in progress.
type point struct {
	n       float64
	starts  float64 // requests that begin, by pass (of decoding, where prompts have passes of their own)
	mixed   float64 // share of passes with prompts in them; of whole prompts, share of passes of decoding after some
	inside  float64 // sequences in prefill in such a pass
	chunk   float64 // tokens of prompts in it
	ends    float64 // prompts that end in it
	passes  float64 // from the beginning of a request to its first token
	waiting float64 // of them, those in which it waits for others
	room    float64 // tokens of prompts that a pass has room for
	pure    float64 // seconds of a pass without prompts
	loaded  float64 // seconds of one with them; of whole prompts, of all prompts that come before a pass of decoding
	cycle   float64 // seconds from one pass of decoding to the next
	seen    float64 // seconds of a step, by those that decode
	rate    float64 // requests a second
}

// visit is what one request sees of a point.
type visit struct {
	p     point
	first float64 // seconds from the beginning of a request to its first token
	burst float64 // seconds that requests wait in the mean because many came at once at the start
	early float64 // share of requests that came then
	step  float64 // share in which requests keep step with each other
	rest  float64 // from the first to the last token
	token float64 // seconds that one more token of its prompt takes
	queue float64 // of first, the part in which it waits for others

	waits  float64 // coefficient of variation of the wait for a seat
	varies float64 // and of rest, for answers of one length
}

func (v visit) total() float64 { return v.first + v.rest }

// at solves a closed loop of n requests without any time between them.
func (m *model) at(n float64) point {
	p := point{n: n}
	if m.s.Whole {
		m.whole(&p)
		return p
	}
	m.chunked(&p)
	p.pure = m.pass(n, 0, 0, 0)
	p.loaded = m.varied(max(0, n-p.inside), p) + p.ends*m.s.PerRequest
	p.cycle = (1-p.mixed)*p.pure + p.mixed*p.loaded
	p.rate = p.starts / p.cycle
	p.seen = p.cycle
	if d := n - p.mixed*p.inside; d > 1e-9 {
		p.seen = ((1-p.mixed)*n*p.pure + p.mixed*max(0, n-p.inside)*p.loaded) / d
	}
	return p
}

// work is the tokens that are computed for a request beside its steps of decoding.
func (m *model) work() float64 { return m.prompt + m.again }

func (m *model) budget() float64 { return float64(min(m.s.Budget, mostBudget)) }

// roomAt is what a pass has left for prompts where so many requests begin by pass, and so many decode therefore.
func (m *model) roomAt(starts, n float64) float64 {
	decode := max(0, min(starts*m.steps, n-1))
	return max(1, m.budget()-decode*float64(m.s.Drafts+1))
}

// ownPasses is how many passes a prompt alone takes: it fills all but the last, half of the last one in the mean.
func (m *model) ownPasses(share float64) float64 {
	if m.promptVariance == 0 {
		return math.Ceil(share - 1e-9)
	}
	return max(1, share+0.5)
}

// chunked solves n = starts (steps + passes(starts)) for starts, with which both terms grow.
func (m *model) chunked(p *point) {
	low, high := 0.0, p.n/(m.steps+1)
	for range 40 {
		x := (low + high) / 2
		share := m.prompt / m.roomAt(x, p.n)
		if x*(m.steps+m.ownPasses(share)+m.queued(x, share, p.n)) < p.n {
			low = x
		} else {
			high = x
		}
	}
	p.starts = high
	p.room = m.roomAt(high, p.n)
	share := m.prompt / p.room
	own := m.ownPasses(share)
	p.passes = max(own, p.n/p.starts-m.steps)
	p.waiting = p.passes - own
	p.mixed = 1 - math.Exp(-p.starts*own)
	if m.lockstep {
		p.mixed = p.starts / max(1, min(p.n, math.Floor(m.budget()/m.prompt)))
	}
	busy := p.starts * m.work() / p.room
	p.mixed = min(1, max(busy, p.mixed))
	p.chunk = min(p.room, p.starts*m.work()/p.mixed)
	p.inside = min(p.n, p.starts*p.passes/p.mixed)
	p.ends = p.starts / p.mixed
}

// varied is how long a pass with prompts takes in the mean over how many tokens of them it has. A pass is often bound by
// memory with few and by arithmetic with many, so the mean is not that of a pass with the mean.
func (m *model) varied(decodes float64, p point) float64 {
	spread := 0.0
	if !m.lockstep {
		square := p.starts * m.work() * m.work() * (1 + m.promptVariance + p.starts) / p.mixed
		spread = math.Sqrt(max(0, square-p.chunk*p.chunk))
	}
	spread = min(spread, p.room-p.chunk, p.chunk-1)
	if spread < 1 {
		return m.pass(decodes, p.chunk, m.before(p.chunk), max(p.ends, 1))
	}
	few, many := p.chunk-spread, p.chunk+spread
	return (m.pass(decodes, few, m.before(few), max(p.ends, 1)) + m.pass(decodes, many, m.before(many), max(p.ends, 1))) / 2
}

// queued is the wait of a prompt for those before it, in passes.
func (m *model) queued(x, share, n float64) float64 {
	busy := x * share * m.work() / m.prompt
	if busy >= 1 {
		return math.Inf(1)
	}
	if m.lockstep {
		return 0
	}
	return busy * share * (1 + m.promptVariance) / (2 * (1 - busy)) * (n - 1) / n
}

// whole is the case of prompts in passes of their own: all that are begun decode as soon as no prompt waits.
func (m *model) whole(p *point) {
	p.room = m.budget()
	p.starts = p.n / max(m.steps, 1)
	p.mixed, p.ends = 1-math.Exp(-p.starts), 1.0
	switch {
	case m.steps < 1:
		p.starts, p.mixed, p.ends = p.n, 1, p.n
	case m.lockstep:
		p.mixed, p.ends = 1/m.steps, p.n
	default:
		p.ends = p.starts / p.mixed
	}
	p.chunk = p.ends * m.work()
	p.inside = p.ends
	p.pure = 0
	if m.steps > 0 {
		p.pure = m.pass(p.n, 0, 0, 0)
	}
	p.loaded = m.prompts(p.ends, m.work())
	p.cycle = p.pure + p.mixed*p.loaded
	p.rate = p.starts / p.cycle
	p.seen = p.cycle
}

// prompts is how long so many prompts of so many tokens take in passes of their own.
func (m *model) prompts(count, tokens float64) float64 {
	count = max(1, count)
	if count*tokens <= m.budget() {
		return m.pass(0, count*tokens, m.before(count*tokens), count) + count*m.s.PerRequest
	}
	size := m.budget()
	if tokens < size {
		size = math.Floor(size/tokens) * tokens
	}
	passes := count * tokens / size
	if m.lockstep || count == 1 {
		passes = math.Ceil(passes - 1e-9)
	}
	chunk := count * tokens / passes
	return passes*m.pass(0, chunk, m.before(chunk), max(1, chunk/tokens)) + count*m.s.PerRequest
}

// visitOf is what a request sees where n are in progress.
func (m *model) visitOf(n float64) visit {
	p := m.at(n)
	if m.s.Whole {
		return m.wholeVisit(p)
	}
	v := visit{p: p, rest: m.steps * p.seen}
	others := m.others(p)
	last := m.prompt * (1 + others)
	if m.lockstep {
		last = p.chunk * max(1, math.Ceil(m.prompt/p.room-1e-9))
	}
	// Of those that come together in a burst, half are before this one.
	p.passes += max(0, others-p.starts) * m.prompt / p.room / 2
	full := max(0, p.passes-1)
	last = min(p.room, max(1, last-max(0, full-p.waiting)*p.room))
	decodes := max(0, n-max(1, p.inside))
	if m.l.Concurrency == 0 {
		decodes = n - 1
	}
	v.first = m.pass(decodes, last, m.before(last), 1+others) + (1+others)*m.s.PerRequest
	v.token = (v.first - m.pass(decodes, last/2, m.before(last/2), 1+others)) / (last / 2)
	v.varies = math.Sqrt(p.mixed*(1-p.mixed)/max(1, m.steps)*(1+square(m.l.Output.Spread))) *
		(p.loaded - p.pure) / p.cycle
	if full == 0 && m.l.Concurrency > 0 {
		return v
	}
	t := m.pass(decodes, p.room, m.before(p.room), 1+others)
	v.token = max(0, v.token)
	if full > 0 {
		v.token = t / p.room
	}
	v.queue = p.waiting * t
	if m.l.Concurrency == 0 {
		v.queue = m.queuedInTime(m.prompt * t / p.room)
		v.first += v.queue - p.waiting*t
	}
	v.first += full * t
	return v
}

// queuedInTime is the wait of a prompt for those before it where requests come by a clock of their own, so that more come
// in a long pass than in a short one; each takes so many seconds.
func (m *model) queuedInTime(each float64) float64 {
	busy := min(0.98, m.l.Rate*each)
	return busy * each * (m.arrivalVariance() + m.promptVariance) / (2 * (1 - busy))
}

// others is how many other requests begin in the same pass, as one of them sees it.
func (m *model) others(p point) float64 {
	if m.l.Concurrency > 0 {
		// Those that a host gives back at any time are more in a pass that is long.
		long := ((1-p.mixed)*square(p.pure) + p.mixed*square(p.loaded)) / square(p.cycle)
		host := m.s.Host / (m.s.Host + p.cycle)
		return p.starts * (p.n - 1) / p.n * (1 + host*max(0, long-1))
	}
	return m.together(m.l.Rate * p.cycle)
}

// together is how many others an arrival finds within the time in which so many come in the mean. Arrivals that come in
// bursts have a gamma distribution between them; what is below its mean by far has the chance x^k / Gamma(k+1).
func (m *model) together(x float64) float64 {
	v := m.arrivalVariance()
	if v < 0.1 {
		return x * x / (1 + x) // nearly a clock: nobody within a short time
	}
	k := 1 / v
	soon := min(0.999, math.Pow(k*x, k)/math.Gamma(k+1))
	return min(soon/(1-soon), x+max(0, v-1)/2)
}

func (m *model) arrivalVariance() float64 { return m.l.Burst * m.l.Burst }

// wholeVisit uses that all who are in progress decode together, so that a visit takes as many cycles as steps.
func (m *model) wholeVisit(p point) visit {
	v := visit{p: p}
	mine := 1 + p.starts*(p.n-1)/p.n
	if m.lockstep || m.steps < 1 {
		mine = p.ends
	}
	all := m.prompts(mine, m.prompt)
	v.first = all
	if tokens := mine * m.prompt; tokens > m.budget() {
		v.first = all * (1 + min(1, max(m.prompt, m.budget())/tokens)) / 2
	}
	one := m.prompts(1, m.prompt)
	v.first = max(v.first, one)
	v.queue = v.first - one
	v.token = m.promptToken()
	v.rest = max(m.steps*p.pure, m.steps*p.cycle-v.first)
	if m.steps == 0 {
		v.rest = 0
		return v
	}
	if !m.lockstep {
		v.varies = math.Sqrt(m.steps*p.mixed*(1+m.promptVariance/p.ends)) * p.loaded / v.rest
	}
	return v
}

// promptToken is how long one more token of a prompt takes, in a pass of its own.
func (m *model) promptToken() float64 {
	half := m.prompt / 2
	return max(0, m.prompts(1, m.prompt)-m.prompts(1, half)) / half
}

// before is the sum over tokens of prompts of the tokens before them, for so many tokens.
func (m *model) before(tokens float64) float64 {
	return tokens * (m.hit + m.prompt*(1+m.promptVariance)/2)
}

// pass calls Pass, between whole numbers of sequences where need be.
func (m *model) pass(decodes, prompt, before, prompts float64) float64 {
	whole, part := math.Modf(decodes)
	t := m.call(whole, prompt, before, prompts)
	if part > 1e-9 {
		t += part * (m.call(whole+1, prompt, before, prompts) - t)
	}
	return t
}

func (m *model) call(decodes, prompt, before, prompts float64) float64 {
	b := Batch{Decodes: int(decodes), Context: decodes * m.held()}
	if decodes > 0 {
		b.Verify = m.s.Drafts
	}
	if prompt > 0 {
		b.Prompt = max(1, int64(math.Round(prompt)))
		b.Before = before
		b.Prompts = max(1, int(math.Round(prompts)))
	}
	if b.Decodes == 0 && b.Prompt == 0 {
		return 0
	}
	t := m.s.Pass(b)
	if !counts(t) {
		m.broken = true
		return 1
	}
	return t
}
