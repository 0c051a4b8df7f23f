package report

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Title says what the fleet is for.
func (f *Fleet) Title() string {
	switch {
	case len(f.Front) == 0 && slices.ContainsFunc(f.Rejected, func(r Rejection) bool { return r.Kind == "no_price" }):
		return "Plans serve it, and no price is known to rank them by"
	case len(f.Front) == 0:
		return "No plan serves it within the targets"
	}
	return "Plans that serve it, cheapest first"
}

// Facts are the load and how many plans were looked at.
func (f *Fleet) Facts() []Fact {
	if f == nil {
		return nil
	}
	var fs facts
	if f.RequestRate > 0 {
		fs.add("load", requestsPS.one(f.RequestRate))
	}
	fs.count("users", f.Users, " at once")
	if f.Spare > 0 {
		fs.add("spare", replicas(f.Spare)+" more than needed")
	}
	if f.Looked > 0 {
		fs.add("looked at", units.Thousands(int64(f.Looked))+" plans, "+units.Thousands(int64(max(f.Met, 0)))+" of them meet the targets")
	}
	return fs
}

func replicas(n int) string {
	if n == 1 {
		return "1 replica"
	}
	return units.Thousands(int64(n)) + " replicas"
}

// Unserved reports whether it is the load that no plan serves, rather than the memory that a plan has not.
func (e *Estimate) Unserved() bool {
	return e.Word() == DoesNotFit && e.Fleet != nil && len(e.Fleet.Front) == 0 && e.Missing() == ""
}

// offer is a plan of a fleet as a row of the table.
type offer struct {
	number  string // on the front, as the chart has it
	chosen  bool   // it is the plan that the answer is given with
	plan    ServingPlan
	cells   []string
	perHour float64
}

// PlanKey says what the marks of PlanTable mean.
const PlanKey = "* is the plan of this answer. Numbered plans: none is both cheaper and faster than another. The rest: the cheapest of its card. " +
	"† the weights are published in another format and lose something in this one."

// PlanTable is all plans that serve a load, cheapest first: those of the front with their number in the chart, and the
// cheapest of other cards.
func (e *Estimate) PlanTable() Table {
	t := Table{Columns: []Column{
		{Name: "no.", Number: true},
		{Name: "plan"},
		{Name: "weights in"},
		{Name: "engine"},
		{Name: "GPUs", Number: true, Spare: 2},
		{Name: "TTFT", Number: true},
		{Name: "TPOT", Number: true},
		{Name: "USD/hour", Number: true},
		{Name: "USD/M output tokens", Number: true, Spare: 5},
		{Name: "power", Number: true, Spare: 3},
		{Name: "used", Number: true, Spare: 4},
	}}
	for _, o := range e.offers() {
		r := Row{Cells: append([]string{o.number, o.plan.fleet(), o.plan.weights(), o.plan.Engine}, o.cells...)}
		if o.chosen {
			r.Cells[0] += "*"
		}
		t.Rows = append(t.Rows, r)
	}
	for _, name := range []string{"weights in", "engine"} {
		t = t.without(name)
	}
	for _, name := range []string{"TTFT", "TPOT", "USD/hour", "USD/M output tokens", "power", "used"} {
		t = t.withoutEmpty(name)
	}
	return t
}

// offers are the front, the plan of the answer and the candidates, each once.
func (e *Estimate) offers() []offer {
	if e.Fleet == nil || len(e.Fleet.Front) == 0 {
		return nil
	}
	var list []offer
	for i := range e.Fleet.Front {
		c := &e.Fleet.Front[i]
		list = append(list, c.offer(strconv.Itoa(i+1)))
	}
	others := append([]Outlook{e.Outlook}, e.Candidates...)
	for i := range others {
		o, ok := others[i].offer()
		if !ok {
			continue
		}
		at := slices.IndexFunc(list, func(known offer) bool { return known.plan.same(&o.plan) })
		if at < 0 {
			at, list = len(list), append(list, o)
		}
		list[at].chosen = list[at].chosen || i == 0
	}
	slices.SortStableFunc(list, func(a, b offer) int { return cmp.Compare(a.perHour, b.perHour) })
	return list
}

func (c *Choice) offer(number string) offer {
	p := c.Plan
	p.Replicas = c.Replicas
	return offer{number: number, plan: p, perHour: hour(some(c.PerHour)), cells: []string{
		counted(int64(c.GPUs)), seconds.between(some(c.TTFT)), seconds.between(some(c.TPOT)), inUSD(some(c.PerHour)), inUSD(some(c.PerMOut)),
		watts.between(given(c.Watts)), percents.between(some(Range{c.Busy, c.Busy, c.Busy})),
	}}
}

// offer is a plan that was looked at, if it is one of a fleet.
func (o *Outlook) offer() (offer, bool) {
	if o.Plan == nil {
		return offer{}, false
	}
	out := offer{plan: *o.Plan, perHour: math.Inf(1), cells: make([]string, 7)}
	out.cells[0] = counted(int64(o.Plan.GPUs) * int64(max(1, o.Plan.Replicas)))
	if s := o.Speed; s != nil {
		out.cells[1], out.cells[2] = seconds.between(s.latency(s.TTFT)), seconds.between(s.latency(s.TPOT))
	}
	if c := o.Cost; c != nil {
		out.perHour = hour(c.PerHour)
		out.cells[3], out.cells[4], out.cells[6] = inUSD(c.PerHour), inUSD(c.PerMOutput), percents.between(some(c.Busy))
	}
	if e := o.Energy; e != nil {
		out.cells[5] = watts.between(given(e.Watts))
	}
	return out, true
}

// hour is what orders by cost; what is not known comes last.
func hour(r *Range) float64 {
	if r == nil || !r.Known() {
		return math.Inf(1)
	}
	return r.Mid
}

func (p *ServingPlan) same(q *ServingPlan) bool {
	return p.GPUName == q.GPUName && p.GPUs == q.GPUs && max(1, p.Replicas) == max(1, q.Replicas) && p.Quantization == q.Quantization &&
		p.Engine == q.Engine && p.Parallel() == q.Parallel()
}

// weights is the number format, with a mark where somebody has to convert the weights to it.
func (p *ServingPlan) weights() string {
	if p.Converted {
		return p.Quantization + "†"
	}
	return p.Quantization
}

// fleet is what all replicas run on: "7 x (2 x H100 SXM)".
func (p *ServingPlan) fleet() string {
	one := *p
	one.Replicas = 0
	switch {
	case p.Replicas <= 1:
		return one.spread()
	case p.GPUs == 1 && p.Nodes <= 1 && p.Parallel() == "":
		one.GPUs = p.Replicas
		return one.spread()
	}
	return units.Thousands(int64(p.Replicas)) + " x (" + one.spread() + ")"
}

// kinds of reasons against a card, the nearest to an answer first, with what is said of several cards.
var kinds = [...]struct{ key, many string }{
	{"perhaps", "meet the targets only perhaps"},
	{"no_price", "would serve and have no known price"},
	{"too_many", "are not enough within the limit of GPUs"},
	{"too_slow", "are too slow"},
	{"no_speed", "have no speed that is known"},
	{"no_memory", "have too little memory"},
	{"not_possible", "can not share the model"},
	{"no_profile", "have no profile of an engine"},
	{"", "for other reasons"},
}

func kindOf(r *Rejection) int {
	return slices.IndexFunc(kinds[:], func(k struct{ key, many string }) bool { return k.key == r.Kind || k.key == "" })
}

// shownOthers of one kind are enough to see what could be had.
const shownOthers = 3

// NearTitle says what stands in NearTable.
func (e *Estimate) NearTitle() string {
	if e.Fleet == nil || len(e.Fleet.Front) == 0 {
		return "Why not, of some cards"
	}
	return "What might do as well"
}

// NearTable is the few of the rejected cards that are worth a thought: those that only perhaps meet the targets and would
// be cheaper, and those that would serve with the fewest GPUs if somebody names a price. Where no plan serves the load, they
// are the ones that come nearest.
func (e *Estimate) NearTable() Table { return rejectedTable(e.near()) }

// Rest counts the rejected cards that NearTable leaves out, by kind of reason; "" if it leaves out none.
func (e *Estimate) Rest() string {
	if e.Fleet == nil {
		return ""
	}
	var counts [len(kinds)]int
	for i := range e.Fleet.Rejected {
		counts[kindOf(&e.Fleet.Rejected[i])]++
	}
	for _, r := range e.near() {
		counts[kindOf(&r)]--
	}
	var parts []string
	total := 0
	for i, n := range counts {
		if n > 0 {
			parts = append(parts, strconv.Itoa(n)+" "+kinds[i].many)
			total += n
		}
	}
	if total == 0 {
		return ""
	}
	return "of " + strconv.Itoa(total) + " more cards " + strings.Join(parts, ", ")
}

func (e *Estimate) near() []Rejection {
	if e.Fleet == nil {
		return nil
	}
	list := slices.Clone(e.Fleet.Rejected)
	slices.SortStableFunc(list, func(a, b Rejection) int {
		return cmp.Or(cmp.Compare(kindOf(&a), kindOf(&b)), cmp.Compare(hour(a.PerHour), hour(b.PerHour)), cmp.Compare(a.GPUs, b.GPUs))
	})
	if len(e.Fleet.Front) == 0 {
		return list[:min(len(list), 2*shownOthers)]
	}
	var left [len(kinds)]int
	return slices.DeleteFunc(list, func(r Rejection) bool {
		k := kindOf(&r)
		if kinds[k].key != "" && !e.tempting(&r) {
			return true
		}
		left[k]++
		return left[k] > shownOthers
	})
}

// tempting reports whether a rejected card could be a better answer than the one that is given.
func (e *Estimate) tempting(r *Rejection) bool {
	switch r.Kind {
	case "no_price":
		return true
	case "perhaps":
		return r.PerHour != nil && e.Cost != nil && hour(r.PerHour) < hour(e.Cost.PerHour)
	}
	return false
}

// RejectedTable says why other cards are not among the answers.
func (f *Fleet) RejectedTable() Table {
	if f == nil {
		return Table{}
	}
	return rejectedTable(f.Rejected)
}

func rejectedTable(list []Rejection) Table {
	t := Table{Columns: []Column{{Name: "not chosen"}, {Name: "USD/hour", Number: true}, {Name: "because"}}}
	for i := range list {
		r := &list[i]
		t.Rows = append(t.Rows, Row{Cells: []string{r.What, inUSD(r.PerHour), r.Why}})
	}
	return t.withoutEmpty("USD/hour")
}
