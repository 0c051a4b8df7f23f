package queue

import "math"

// Steady is Simulate in closed form: the same figures as means over a long time, from a few dozen calls of Pass.
// Percentiles come from the variances of what a figure is made of. More load never lowers TTFT or TPOT.
//
// A closed loop is solved in units of passes, which does not need their duration: of n requests in progress, those that
// decode take so many passes each, and those in prefill wait for their share of the tokens of a pass like at a single
// server (M/G/1). An open loop is a server whose rate depends on how many are in progress (processor sharing): the chance
// of n in progress is the product of the ratios of the rate of arrivals to that of closed loops of 1 to n requests.
func Steady(s Server, l Load) Result {
	if err := Check(s, l); err != nil {
		return saturated(err.Error())
	}
	m := modelOf(s, l)
	r := m.solve()
	if m.broken {
		return saturated("playing a queue: a pass takes no time that can be counted")
	}
	return r
}

func (m *model) solve() Result {
	if m.l.Concurrency > 0 {
		return m.closed()
	}
	return m.open()
}

// model is a server and a load in the means that matter.
type model struct {
	s Server
	l Load

	input          float64 // tokens of a prompt
	prompt, hit    float64 // tokens of a prompt that are computed; that are in the cache already
	again          float64 // tokens that are computed again because they lost their room, of each request
	output         float64
	steps          float64 // of decoding, after the first token
	promptVariance float64 // squared coefficient of variation of the tokens that are computed
	seats          float64 // sequences in progress at most, by everything but the cache
	room           float64 // and by the cache
	lockstep       bool    // requests that began together end together
	broken         bool
}

func modelOf(s Server, l Load) *model {
	m := &model{s: s, l: l, seats: float64(seqsAtOnce(s))}
	m.input = l.Input.below(float64(s.Cache))
	m.hit = math.Floor(s.PrefixHit * m.input)
	m.prompt = max(1, m.input-m.hit)
	m.output = l.Output.Mean
	m.steps = max(0, m.output-1) / TokensPerStep(s.Drafts, s.Accepted)
	m.promptVariance = l.Input.Spread * l.Input.Spread
	fixed := l.Input.Spread == 0 && l.Output.Spread == 0 && (s.Drafts == 0 || s.Accepted == 0)
	m.room = m.fits(fixed)
	return m
}

// fits is how many sequences the cache holds. Those of one length leave what is too little for one more; others leave in
// the mean half of the prompt that waits, and a long one waits longer.
func (m *model) fits(fixed bool) float64 {
	if fixed {
		return max(1, math.Floor(float64(m.s.Cache)/m.held()))
	}
	return max(1, (float64(m.s.Cache)-m.input*(1+m.promptVariance)/2)/m.held())
}

// held is how many tokens a sequence in progress has in the cache, mean over time: long answers are there longer.
func (m *model) held() float64 {
	c := m.l.Output.Spread
	return m.input + m.output*(1+c*c)/2
}

// heldVariance is the squared coefficient of variation of the same.
func (m *model) heldVariance() float64 {
	c := 1 + m.l.Output.Spread*m.l.Output.Spread
	// The time since a request began has the moments of the residual life of a log-normal variable.
	answered := m.output * m.output * (c*c*c/3 - c*c/4)
	in := m.input * m.input * m.promptVariance
	return (in + answered) / (m.held() * m.held())
}

// closed solves a closed loop.
func (m *model) closed() Result {
	c := float64(m.l.Concurrency)
	n, share := c, m.inStep()
	var v visit
	var ahead float64
	// Requests that the host still works on, and those that wait for a seat, are not in progress.
	for i := range 3 {
		v = m.visitOf(m.inProgress(n))
		ahead = m.ahead(v)
		if share > 0.01 {
			v = v.mixedWith(m.stepped(v.p.n), share)
			ahead += share * (m.s.Host - ahead)
		}
		if m.s.Host == 0 || i == 1 && share > 0.01 || i == 2 {
			break
		}
		n = max(1, c*v.total()/(v.total()+ahead), c-v.p.rate*ahead)
	}
	wait := max(0, n-v.p.n) / v.p.rate
	between := min(wait, m.interrupted(v.p)/v.p.rate)
	wait -= between
	v.rest += between
	v.p.rate = c / (wait + ahead + v.total())
	v.step = share
	m.burst(&v)
	v.waits = 1 / math.Sqrt(max(1, c-v.p.n))
	r := m.result(v, wait, wait+ahead, c)
	r.Busy = min(1, v.p.rate*v.total())
	return r
}

// ahead is the time until a request is first looked at: that of the host, and the rest of the pass in progress then.
func (m *model) ahead(v visit) float64 {
	if m.s.Host == 0 || m.l.Concurrency < 2 {
		return m.s.Host
	}
	return max(v.p.cycle, m.s.Host+m.residual(v))
}

// inProgress is how many of n requests have a seat and room in the cache. What n requests need of the cache is nearly
// normal, so some wait before the mean of it is full.
func (m *model) inProgress(n float64) float64 {
	most := min(n, m.seats)
	spread := math.Sqrt(min(most, m.room) * m.heldVariance())
	if spread < 1e-9 {
		if most > m.room {
			m.again = m.output
		}
		return min(most, m.room)
	}
	u := (most - m.room) / spread
	density := math.Exp(-u*u/2) / math.Sqrt(2*math.Pi)
	share := math.Erfc(-u/math.Sqrt2) / 2
	m.again = m.output * share
	return max(1, min(most, most-spread*density-(most-m.room)*share))
}

// interrupted is how many of those that wait for room in a full cache have begun before and lost it. Each answer that
// ends leaves room to begin several prompts, which grow until the youngest of them have to go again, the more of them the
// longer answers are beside prompts, and the fewer the more answers end in each pass. The share was found by playing it.
func (m *model) interrupted(p point) float64 {
	full := m.again / m.output
	return 0.8 * full * p.n * math.Pow(m.output/(m.input+m.output), 1.7) * math.Exp(-3*p.starts)
}

// burst is what the requests of the first wave wait more than later ones, spread over all that are counted.
func (m *model) burst(v *visit) {
	n := m.l.Requests - m.l.Warmup
	first := min(m.l.Concurrency, m.l.Requests) - m.l.Warmup
	if !m.l.Ramp || first <= 0 {
		return
	}
	tokens := v.p.n * m.prompt
	passes := max(1, tokens/m.budget())
	chunk := min(tokens, m.budget())
	decodes := 0.0
	if passes > 1 && !m.s.Whole {
		decodes = math.Floor(v.p.n / 2)
	}
	wave := (passes + 1) / 2 * m.pass(decodes, chunk, m.before(chunk), max(1, chunk/m.prompt))
	v.early = float64(first) / float64(n)
	v.burst = max(0, wave-v.first) * v.early
}
