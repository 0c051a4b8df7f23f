package fleet

import (
	"cmp"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

// card is what comes of all candidates of one card.
type card struct {
	gpu     *hardware.Accelerator
	best    *Choice
	perhaps *Choice
	miss    *miss
}

// result puts together what was found of each candidate.
func (q *Question) result(found []finding) *Result {
	out := &Result{}
	for _, c := range q.cards(found) {
		out.judge(c)
	}
	var options []*option
	for i := range found {
		out.Looked += found[i].looked
		options = append(options, found[i].options...)
	}
	out.Met = len(options)
	slices.SortFunc(out.Ranked, cheaper)
	slices.SortFunc(out.Perhaps, cheaper)
	slices.SortFunc(out.Rejected, func(a, b Rejection) int { return cmp.Compare(a.Card.ID, b.Card.ID) })
	m := market{choices: slices.Clone(out.Ranked)}
	m.offer(options)
	out.Front, out.Stored = m.front(), m.stored()
	out.power()
	return out
}

// cards gathers the candidates of each card, in the order in which the cards come.
func (q *Question) cards(found []finding) []*card {
	var list []*card
	byID := make(map[string]*card)
	for i := range found {
		f, gpu := &found[i], q.Candidates[i].Plan.GPU
		c := byID[gpu.ID]
		if c == nil {
			c = &card{gpu: gpu}
			byID[gpu.ID] = c
			list = append(list, c)
		}
		c.best, c.perhaps = better(c.best, f.best), better(c.perhaps, f.perhaps)
		if f.miss != nil && (c.miss == nil || f.miss.nearer(c.miss)) {
			c.miss = f.miss
		}
	}
	return list
}

// better is the cheaper of two choices, either of which there may not be.
func better(a, b *Choice) *Choice {
	if a == nil || b != nil && cheaper(*b, *a) < 0 {
		return b
	}
	return a
}

// judge puts a card where it belongs.
func (r *Result) judge(c *card) {
	switch {
	case c.best == nil:
		r.reject(c)
	case !c.best.Priced:
		r.Rejected = append(r.Rejected, Rejection{c.gpu, "no price is known; " + c.best.option.text() + " would serve", c.best})
		fallthrough
	default:
		r.Ranked = append(r.Ranked, *c.best)
	}
}

func (r *Result) reject(c *card) {
	rejected := Rejection{Card: c.gpu, Why: "no plan was tried", Nearest: c.perhaps}
	if c.miss != nil {
		rejected.Why = c.miss.why
	}
	if c.perhaps != nil {
		r.Perhaps = append(r.Perhaps, *c.perhaps)
	}
	r.Rejected = append(r.Rejected, rejected)
}

func (r *Result) power() {
	for _, list := range [][]Choice{r.Ranked, r.Front, r.Perhaps} {
		for i := range list {
			list[i].power()
		}
	}
	if r.Stored != nil {
		r.Stored.power()
	}
}

// cheaper orders choices by cost, then by how many GPUs they take, then by latency. Those without a price come last.
func cheaper(a, b Choice) int {
	return cmp.Or(
		cmp.Compare(a.cost(), b.cost()), cmp.Compare(a.GPUs, b.GPUs), cmp.Compare(a.Latency, b.Latency), sooner(&a, &b),
	)
}

// sooner breaks ties by id.
func sooner(a, b *Choice) int {
	return cmp.Or(
		cmp.Compare(a.Card.ID, b.Card.ID), cmp.Compare(a.Plan.Engine.Kind, b.Plan.Engine.Kind), cmp.Compare(a.option.id, b.option.id),
	)
}

// cost is USD an hour with the middle of the prices; infinite without a price.
func (c *Choice) cost() float64 {
	if !c.Priced {
		return math.Inf(1)
	}
	return c.PerHour.Mid
}

// market is the choices that are known, out of which the front is made. It starts with the cheapest of every card, which
// outdo nearly all other plans before anybody asks for their replicas.
type market struct{ choices []Choice }

// bid is a plan with what it costs at the least.
type bid struct {
	*option
	cost float64
}

// offer adds what may be on the front, or be the cheapest with the weights as published.
func (m *market) offer(options []*option) {
	bids := make([]bid, 0, len(options))
	for _, o := range options {
		if usd, ok := o.question.price(o.plan.GPU.ID, o.fewest(Yes)); ok {
			bids = append(bids, bid{o, usd.Mid})
		}
	}
	slices.SortFunc(bids, func(a, b bid) int {
		return cmp.Or(
			cmp.Compare(a.cost, b.cost), cmp.Compare(a.fastest, b.fastest), cmp.Compare(a.plan.GPU.ID, b.plan.GPU.ID),
			cmp.Compare(a.plan.Engine.Kind, b.plan.Engine.Kind), cmp.Compare(a.id, b.id),
		)
	})
	published := math.Inf(1)
	if c := m.stored(); c != nil {
		published = c.cost()
	}
	for _, b := range bids {
		if m.outdone(&b) && (b.format.Lossy || b.cost >= published) {
			continue
		}
		c := b.choice(Yes, b.most)
		if c == nil || !c.Priced {
			continue
		}
		m.choices = append(m.choices, *c)
		if !c.Lossy {
			published = min(published, c.cost())
		}
	}
}

// outdone reports whether a plan that is known costs no more and is no slower than another can be.
func (m *market) outdone(b *bid) bool {
	return slices.ContainsFunc(m.choices, func(c Choice) bool { return c.cost() <= b.cost && c.Latency <= b.fastest })
}

// front is the choices that no other is both cheaper and faster than. Of several that are alike in both, it is the first.
func (m *market) front() []Choice {
	slices.SortFunc(m.choices, func(a, b Choice) int {
		return cmp.Or(cmp.Compare(a.cost(), b.cost()), cmp.Compare(a.Latency, b.Latency), cmp.Compare(a.GPUs, b.GPUs), sooner(&a, &b))
	})
	var list []Choice
	for _, c := range m.choices {
		if c.Priced && (len(list) == 0 || c.Latency < list[len(list)-1].Latency) {
			list = append(list, c)
		}
	}
	return list
}

// stored is the cheapest choice with the weights as published, nil if there is none.
func (m *market) stored() *Choice {
	var best *Choice
	for _, c := range m.choices {
		if !c.Lossy && c.Priced {
			best = better(best, &c)
		}
	}
	return best
}
