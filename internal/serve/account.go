package serve

import (
	"strconv"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/units"
)

// write turns the rank that binds into the account that people read.
func (f *fit) write(r *rank) *Memory {
	m := &Memory{Rank: r.name(), Capacity: f.capacity, Budget: r.budget, Cache: f.cache(r)}
	m.Terms = f.terms(r, &m.Cache)
	if swap := f.era.profile.SwapGiB.at(f.era.version); swap.Value > 0 {
		m.Host = []Term{{Name: "swap space", Bytes: Exact(int64(swap.Value * oneGiB)), Formula: "as configured by default", Source: swap.Source}}
	}
	f.judge(r, m)
	return m
}

func (r *rank) name() string {
	if r.stage.of == 1 {
		return "every rank"
	}
	return "stage " + strconv.Itoa(r.stage.number+1) + " of " + strconv.Itoa(r.stage.of)
}

// cache is the pool in the four numbers that people mean by its size.
func (f *fit) cache(r *rank) Cache {
	l, n := &r.paging, f.plan.MaxModelLen
	c := Cache{Pool: max(0, r.pool.Mid), BlockTokens: l.block, PerRequest: l.request(n), Replicas: f.plan.Data}
	f.perToken(r, &c)
	c.Blocks = l.count(c.Pool)
	if c.PerRequest > 0 {
		c.Concurrency = f.concurrency(l, c.Blocks, c.Pool) * float64(f.plan.Data)
	}
	c.Tokens = f.logged(l, &c)
	limit := f.model.model.Shape.MaxContext
	if limit <= 0 {
		limit = max(n, 1<<20)
	}
	c.MaxContext = l.longest(max(0, r.pool.Low), min(limit, maxTokens)) // with the bad end of every range
	if l.unit == 1 {                                                    // layers of their own have no common block
		c.Blocks = 0
		if whole := c.BytesPerToken * l.block; whole > 0 {
			c.Blocks = c.Pool / whole
		}
	}
	return c
}

// perToken fills in what one more token and what the state of a request take.
func (f *fit) perToken(r *rank, c *Cache) {
	for _, k := range r.paging.keeps {
		c.State += k.layers * k.state
		if k.grows() {
			c.BytesPerToken += ceil(k.layers*k.perToken, k.ratio)
		}
	}
	whole := f.keep
	whole.ranks = 1
	for _, k := range f.model.keeps(&whole, 0, len(f.model.layers)) {
		if k.grows() {
			c.ModelPerToken += ceil(k.all*k.perToken, k.ratio)
		}
	}
}

// concurrency is how many requests of the longest length one pool holds.
func (f *fit) concurrency(l *paging, blocks, pool int64) float64 {
	n := f.plan.MaxModelLen
	if l.ratio == 0 && l.states == 0 {
		return float64(blocks) / float64(l.blocks(n))
	}
	return float64(pool) / float64(l.pooledRequest(n))
}

// logged is the number of tokens that the engine prints.
func (f *fit) logged(l *paging, c *Cache) int64 {
	switch {
	case l.unit == 1:
		if c.BytesPerToken == 0 {
			return 0
		}
		return c.Pool / c.BytesPerToken / l.block * l.block
	case l.mixed && f.era.profile.LoggedTokens.at(f.era.version).Value == "requests":
		return int64(c.Concurrency / float64(c.Replicas) * float64(f.plan.MaxModelLen))
	}
	return c.Blocks / max(1, l.groups) * l.block
}

// terms are the lines of the account; they add up to the capacity.
func (f *fit) terms(r *rank, c *Cache) []Term {
	terms := make([]Term, 0, 16)
	for i, part := range arch.Components() {
		if r.held[i] > 0 {
			terms = append(terms, Term{Weights, string(part), Exact(r.held[i]), f.division(), "tensors of the configuration, as stored"})
		}
	}
	if r.rotary > 0 {
		terms = append(terms, Term{Weights, "rotary table", Exact(r.rotary), strconv.FormatInt(f.positions(), 10) + " positions × " +
			strconv.FormatInt(f.model.rotary, 10) + " × 2 B", f.era.profile.RotaryTable.at(f.era.version).Source})
	}
	terms = append(terms, f.model.doubts()...)
	o := &r.over
	terms = append(terms, o.activation.term(Activation, "activation peak"), o.nonTorch.term(NonTorch, "libraries and communication"))
	if !f.plan.Eager {
		terms = append(terms, o.graphs.term(Graphs, "captured graphs"))
	}
	terms = append(terms, Term{KVCache, "KV cache", positive(r.pool), f.poolFormula(r, c), f.era.profile.Budget.at(f.era.version).Source},
		o.context.term(Reserved, "CUDA context"))
	if o.group.bytes.High > 0 {
		terms = append(terms, o.group.term(Reserved, "communicators"))
	}
	used := int64(0)
	for i := range terms {
		used += terms[i].Bytes.Mid
	}
	return append(terms, Term{Unused, "unused", Exact(f.capacity - used), "what is left", ""})
}

func (e *estimate) term(part Part, name string) Term {
	return Term{part, name, e.bytes, e.formula(), e.source}
}

func positive(i Interval) Interval { return Interval{max(0, i.Low), max(0, i.Mid), max(0, i.High)} }

func (f *fit) division() string {
	p := &f.plan
	if p.GPUs == 1 {
		return "whole"
	}
	return "tensor parallel " + strconv.Itoa(p.Tensor) + ", pipeline " + strconv.Itoa(p.Pipeline) + ", expert " + strconv.Itoa(p.Expert)
}

func (f *fit) poolFormula(r *rank, c *Cache) string {
	switch f.era.profile.Budget.at(f.era.version).Value {
	case "left":
		return percent(f.plan.Utilization) + " of what is left; " + strconv.FormatInt(c.Blocks, 10) + " blocks"
	case "free":
		return percent(f.plan.Utilization) + " of what is free at the start, less weights"
	}
	return percent(f.plan.Utilization) + " of the device less all above; " + strconv.FormatInt(c.Blocks, 10) + " blocks of " +
		strconv.FormatInt(c.BlockTokens, 10) + " tokens and " + strconv.FormatInt(r.paging.unit, 10) + " B"
}

func percent(x float64) string { return strconv.FormatFloat(100*x, 'g', 4, 64) + " %" }

// judge is the verdict. What the engine subtracts must leave the cache of one request of the longest length, and what
// it does not subtract must fit into what the utilization leaves: with the worst readings it fits, and if not even with
// the best ones it does not.
func (f *fit) judge(r *rank, m *Memory) {
	outside := f.outside(r)
	m.outside = outside
	slack := f.capacity - r.budget
	if f.era.profile.Budget.at(f.era.version).Value == "left" {
		slack = max(slack, outside.High)
	}
	need := m.Cache.PerRequest
	switch {
	case r.pool.High < need:
		m.Verdict, m.Breaks = DoesNot, f.breaks(r, m)
		m.Why = f.tooLittle(r, m)
	case outside.Low > slack:
		m.Verdict, m.Breaks = DoesNot, biggest(m.Terms, Reserved, Graphs)
		m.Why = "the utilization leaves " + gib(slack) + " of the device, and what lives outside the budget takes " + gib(outside.Low)
	case r.pool.Mid < need:
		m.Verdict, m.Breaks = Tight, f.breaks(r, m)
		m.Why = f.tooLittle(r, m) + "; where the estimates are high, up to " + gib(r.pool.High)
	case r.pool.Low < need:
		m.Verdict, m.Breaks = Tight, loosest(m.Terms)
		m.Why = "it fits only if the estimates hold: " + m.Breaks.Name + " may take up to " + gib(m.Breaks.Bytes.High)
	case outside.High > slack:
		m.Verdict, m.Breaks = Tight, biggest(m.Terms, Reserved, Graphs)
		m.Why = "the utilization leaves " + gib(slack) + " of the device for what may take " + gib(outside.High)
	case f.stretched() != "":
		m.Verdict, m.Why, m.roomy = Tight, f.stretched(), true
		m.Breaks = &Term{KVCache, "the length of a request", Exact(need), strconv.FormatInt(f.plan.MaxModelLen, 10) + " tokens", "configuration of the model"}
	case f.unmeasured() != "":
		m.Verdict, m.Why, m.Breaks = Tight, f.unmeasured(), loosest(m.Terms)
	case f.model.uncounted() != nil:
		gap := f.model.uncounted()
		m.Verdict, m.Breaks = Tight, &Term{Part: Weights, Name: gap.What, Formula: "not known", Source: gap.Why}
		m.Why = "it fits without " + gap.What + ", of which nothing is counted: " + gap.Why
	default:
		m.Verdict, m.Why = Fits, f.enough(&m.Cache)
	}
}

// enough says how many requests there is room for.
func (f *fit) enough(c *Cache) string {
	why := gib(c.Pool) + " of cache"
	if c.Replicas > 1 {
		why += " on each of " + strconv.Itoa(c.Replicas) + " replicas"
	}
	return why + " hold " + strconv.FormatFloat(c.Concurrency, 'f', 1, 64) + " requests of " +
		units.Thousands(f.plan.MaxModelLen) + " tokens"
}

// tooLittle says what is left for the cache, and what took the rest.
func (f *fit) tooLittle(r *rank, m *Memory) string {
	why := "one request of " + units.Thousands(f.plan.MaxModelLen) + " tokens takes " + gib(m.Cache.PerRequest) + " of cache, and "
	if m.Breaks.Part == KVCache {
		return why + gib(max(0, r.pool.Mid)) + " are left for it"
	}
	return why + gib(max(0, r.pool.Mid)) + " are left beside " + m.Breaks.Name + " of " + gib(m.Breaks.Bytes.Mid)
}

// outside is what the engine does not take from its own budget.
func (f *fit) outside(r *rank) Interval {
	o, e := &r.over, f.era
	sum := o.group.bytes
	if !f.contextInside() {
		sum = sum.Plus(o.context.bytes)
	}
	if !e.profile.GraphsInside.at(e.version).Value {
		sum = sum.Plus(o.graphs.bytes)
	}
	if e.profile.Budget.at(e.version).Value == "free" {
		sum = sum.Plus(o.activation.bytes).Plus(o.nonTorch.bytes)
	}
	return sum
}

// breaks is the term to blame: the weights where they alone leave no room, else the largest overhead where the rest of
// the budget is gone, else the cache of one request.
func (f *fit) breaks(r *rank, m *Memory) *Term {
	need := m.Cache.PerRequest
	w := r.weights()
	switch {
	case w+need > r.budget && w >= need:
		return &Term{Weights, "weights", Exact(w), f.division(), "tensors of the configuration, as stored"}
	case r.pool.Mid <= 0:
		return biggest(m.Terms, Activation, NonTorch, Graphs)
	}
	return &Term{KVCache, "the cache of one request", Exact(need), strconv.FormatInt(f.plan.MaxModelLen, 10) + " tokens", "blocks of the pool"}
}

// loosest is the term that may exceed its middle most.
func loosest(terms []Term) *Term {
	best := -1
	spread := func(i int) int64 { return terms[i].Bytes.High - terms[i].Bytes.Mid }
	for i := range terms {
		if p := terms[i].Part; p != KVCache && p != Unused && (best < 0 || spread(i) > spread(best)) {
			best = i
		}
	}
	t := terms[best]
	return &t
}

func biggest(terms []Term, parts ...Part) *Term {
	best := -1
	for i := range terms {
		for _, p := range parts {
			if terms[i].Part == p && (best < 0 || terms[i].Bytes.High > terms[best].Bytes.High) {
				best = i
			}
		}
	}
	t := terms[best]
	return &t
}

// gib writes an amount of memory.
func gib(n int64) string { return strconv.FormatFloat(float64(n)/oneGiB, 'f', 2, 64) + " GiB" }
