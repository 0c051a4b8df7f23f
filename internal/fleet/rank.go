package fleet

import (
	"cmp"
	"slices"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

// card is what comes of all candidates of one card.
type card struct {
	gpu     *hardware.Accelerator
	choices []Choice
	perhaps *Choice
	miss    *miss
}

// result puts together what was found of each candidate.
func (q *Question) result(found []finding) *Result {
	out := &Result{}
	var all []Choice
	for _, c := range q.cards(found, out) {
		all = append(all, c.choices...)
		out.judge(c)
	}
	slices.SortFunc(all, cheaper)
	slices.SortFunc(out.Ranked, cheaper)
	slices.SortFunc(out.Perhaps, cheaper)
	slices.SortFunc(out.Rejected, func(a, b Rejection) int { return cmp.Compare(a.Card.ID, b.Card.ID) })
	out.Front = front(all)
	if i := slices.IndexFunc(all, func(c Choice) bool { return !c.Lossy && c.Priced }); i >= 0 {
		out.Stored = &all[i]
		out.Stored.finish()
	}
	out.finish()
	return out
}

// cards gathers the candidates of each card, in the order in which the cards come.
func (q *Question) cards(found []finding, out *Result) []*card {
	var list []*card
	byID := make(map[string]*card)
	for i := range found {
		f, gpu := &found[i], q.Candidates[i].Plan.GPU
		out.Looked += f.looked
		out.Met += f.met
		c := byID[gpu.ID]
		if c == nil {
			c = &card{gpu: gpu}
			byID[gpu.ID] = c
			list = append(list, c)
		}
		c.choices = append(c.choices, f.choices...)
		if f.perhaps != nil && (c.perhaps == nil || cheaper(*f.perhaps, *c.perhaps) < 0) {
			c.perhaps = f.perhaps
		}
		if f.miss != nil && (c.miss == nil || f.miss.nearer(c.miss)) {
			c.miss = f.miss
		}
	}
	return list
}

// judge puts a card where it belongs.
func (r *Result) judge(c *card) {
	if len(c.choices) == 0 {
		r.reject(c)
		return
	}
	best := slices.MinFunc(c.choices, cheaper)
	r.Ranked = append(r.Ranked, best)
	if !best.Priced {
		r.Rejected = append(r.Rejected, Rejection{c.gpu, "no price is known; " + best.option.text() + " would serve", &best})
	}
}

func (r *Result) reject(c *card) {
	rejected := Rejection{Card: c.gpu, Why: "no plan was tried"}
	if c.miss != nil {
		rejected.Why = c.miss.why
	}
	if c.perhaps != nil {
		r.Perhaps = append(r.Perhaps, *c.perhaps)
		rejected.Nearest = c.perhaps
	}
	r.Rejected = append(r.Rejected, rejected)
}

// cheaper orders choices by cost. Without a price, those with few GPUs come first, after all others.
func cheaper(a, b Choice) int {
	if a.Priced != b.Priced {
		if a.Priced {
			return -1
		}
		return 1
	}
	return cmp.Or(
		cmp.Compare(a.PerHour.Mid, b.PerHour.Mid), cmp.Compare(unpriced(a), unpriced(b)), cmp.Compare(a.Latency, b.Latency),
		cmp.Compare(a.GPUs, b.GPUs), cmp.Compare(a.Card.ID, b.Card.ID), cmp.Compare(a.Plan.Engine.Kind, b.Plan.Engine.Kind),
		cmp.Compare(a.option.id, b.option.id),
	)
}

func unpriced(c Choice) int {
	if c.Priced {
		return 0
	}
	return c.GPUs
}

// front is the choices that no other is both cheaper and faster than, of choices with the cheapest first. Of two that are
// alike in both, it is the first.
func front(all []Choice) []Choice {
	var list []Choice
	for _, c := range all {
		if c.Priced && (len(list) == 0 || c.Latency < list[len(list)-1].Latency) {
			list = append(list, c)
		}
	}
	return list
}

// finish fills in the rest of what is shown.
func (r *Result) finish() {
	for _, list := range [][]Choice{r.Ranked, r.Front, r.Perhaps} {
		for i := range list {
			list[i].finish()
		}
	}
	for i := range r.Rejected {
		if c := r.Rejected[i].Nearest; c != nil {
			c.finish()
		}
	}
}
