package queue

import "math"

// inStep is the share in which requests that began together still keep step with each other: of a closed loop that began
// all at once with answers of nearly one length, all prompts come together again and again, and wait for each other.
// Lengths that differ spread them out: by so many steps, against the steps that the host gives them to gather again. The
// form was found by playing it.
func (m *model) inStep() float64 {
	if m.l.Concurrency < 2 || !m.l.Ramp {
		return 0
	}
	drafts := stepperOf(m.s).spread * math.Sqrt(max(0, m.output-1))
	apart := math.Hypot(m.steps*m.l.Output.Spread, drafts)
	if m.prompt > m.budget() {
		apart = math.Hypot(apart, m.prompt/m.budget()*m.l.Input.Spread)
	}
	if apart == 0 {
		return 1
	}
	host := m.s.Host / m.pass(1, 0, 0, 0)
	gathered := 1.2 * square(apart/(apart+host/3))
	if m.s.Whole {
		return square(1 / (1 + gathered*apart))
	}
	return 1 / (1 + gathered*math.Pow(apart, 1.25))
}

// stepped is what requests see that keep step.
func (m *model) stepped(n float64) visit {
	m.lockstep = true
	defer func() { m.lockstep = false }()
	v := m.visitOf(n)
	if !m.s.Whole && m.s.Host > 0 {
		m.gather(&v)
	}
	return v
}

// gather is the case of a host that takes time: requests that are answered in one pass after the other come back when
// the prompts of the first ones are being computed, and wait until that is done, at most for all the others.
func (m *model) gather(v *visit) {
	p := &v.p
	own := max(1, math.Ceil(m.prompt/p.room-1e-9))
	all := max(own, math.Ceil(p.n*m.prompt/m.budget()-1e-9))
	chunk := p.n * m.prompt / all
	loaded := m.pass(math.Floor(p.n/2), chunk, m.before(chunk), max(1, p.n/all)) + p.n/all*m.s.PerRequest
	passes := min((all+own)/2, own+math.Ceil(m.s.Host/p.pure)*own)
	v.first = passes * loaded
	v.queue = v.first - own*loaded
	v.rest = max(0, all*loaded+max(0, m.steps-(all-own)/2)*p.pure-v.first)
	p.rate = p.n / (v.first + v.rest + m.s.Host)
}

// mixedWith weighs two visits of the same number of requests.
func (v visit) mixedWith(u visit, share float64) visit {
	mix := func(a, b float64) float64 { return a + share*(b-a) }
	v.first, v.rest, v.queue = mix(v.first, u.first), mix(v.rest, u.rest), mix(v.queue, u.queue)
	v.p.rate = v.p.n / (v.first + v.rest)
	return v
}
