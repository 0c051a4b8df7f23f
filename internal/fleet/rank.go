package fleet

import (
	"cmp"
	"math"
	"slices"
	"sync"

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
	m := market{}
	for i := range out.Ranked {
		if c := out.Ranked[i]; c.Priced {
			m.add(&c)
		}
	}
	m.offer(options)
	out.Stored = m.stored
	for _, c := range m.front {
		out.Front = append(out.Front, *c)
	}
	slices.SortFunc(out.Front, cheaper)
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
		r.Rejected = append(r.Rejected, Rejection{c.gpu, "no_price", "no price is known; " + c.best.text() + " would serve", c.best})
		fallthrough
	default:
		r.Ranked = append(r.Ranked, *c.best)
	}
}

func (r *Result) reject(c *card) {
	rejected := Rejection{Card: c.gpu, Kind: illegal.kind(), Why: "no plan was tried", Nearest: c.perhaps}
	if c.miss != nil {
		rejected.Kind, rejected.Why = c.miss.stage.kind(), c.miss.why
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
type market struct {
	front  []*Choice
	stored *Choice // the cheapest with the weights as published
}

// add takes a choice into the market.
func (m *market) add(c *Choice) {
	if !c.Lossy {
		m.stored = better(m.stored, c)
	}
	if slices.ContainsFunc(m.front, func(f *Choice) bool { return f.outdoes(c) }) {
		return
	}
	m.front = slices.DeleteFunc(m.front, func(f *Choice) bool { return c.outdoes(f) })
	m.front = append(m.front, c)
}

// outdoes reports whether a choice makes another superfluous on the front: it is no dearer and no slower, and of two that
// are alike in both, it comes first.
func (c *Choice) outdoes(d *Choice) bool {
	if c.cost() == d.cost() && c.Latency == d.Latency {
		return cmp.Or(cmp.Compare(c.GPUs, d.GPUs), sooner(c, d)) <= 0
	}
	return c.cost() <= d.cost() && c.Latency <= d.Latency
}

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
	for some := range slices.Chunk(bids, together) {
		for _, c := range m.bought(some) {
			if c != nil {
				m.add(c)
			}
		}
	}
}

// together is how many plans are bid for at once, before the front is looked at again. It hangs on no machine, so that the
// answer does not either.
const together = 16

// bought are the choices of plans that may cost less than they are worth; nil for those that do not.
func (m *market) bought(bids []bid) []*Choice {
	list := make([]*Choice, len(bids))
	var workers sync.WaitGroup
	for i, b := range bids {
		worth := m.worth(b.option, b.fastest)
		if b.cost >= worth || b.replica != nil { // which the best of its card has, and that is there already
			continue
		}
		workers.Go(func() {
			if b.fits() == nil {
				list[i] = b.choice(Yes, b.affordable(worth))
			}
			if list[i] == nil {
				b.release()
			}
		})
	}
	workers.Wait()
	return list
}

// worth is the cost below which a plan that is no faster than so many seconds would be on the front, or be the cheapest
// with the weights as published.
func (m *market) worth(o *option, fastest float64) float64 {
	usd := math.Inf(1)
	if !o.format.Lossy && m.stored == nil {
		return usd
	}
	for _, c := range m.front {
		if c.Latency <= fastest {
			usd = min(usd, c.cost())
		}
	}
	if !o.format.Lossy && m.stored != nil {
		usd = max(usd, m.stored.cost())
	}
	return usd
}

// affordable is the largest number of replicas that cost less than an amount, of those that there may be. One more than
// the fewest is always among them where there may be so many, so that nothing hangs on the last digit of a price.
func (o *option) affordable(below float64) int {
	low, high := min(o.most, o.bound(Yes)+1), o.most
	for low < high {
		middle := high - (high-low)/2
		if usd, ok := o.question.price(o.plan.GPU.ID, (middle+o.question.Spare)*o.plan.GPUs); ok && usd.Mid < below {
			low = middle
		} else {
			high = middle - 1
		}
	}
	return low
}
