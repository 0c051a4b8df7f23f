package fleet

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/llmcheck/llmcheck/internal/serve"
)

// ErrQuestion is wrapped by the error for a question that has no answer.
var ErrQuestion = errors.New("the load cannot be planned for")

// Search looks at every plan. The same question has the same answer, in the same order.
func Search(q Question) (*Result, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	found := make([]finding, len(q.Candidates))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(q.Candidates)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(found); i = next.Add(1) - 1 {
				s := search{question: &q, candidate: &q.Candidates[i]}
				found[i] = s.find()
			}
		})
	}
	workers.Wait()
	return q.result(found), nil
}

func (q *Question) check() error {
	l := &q.Load
	switch {
	case len(q.Candidates) == 0:
		return fmt.Errorf("%w: no card was named", ErrQuestion)
	case !known(l.Rate, l.Concurrency, l.Input.Mean, l.Output.Mean, q.Targets.TTFT, q.Targets.TPOT):
		return fmt.Errorf("%w: load, lengths and targets have to be numbers that are not negative", ErrQuestion)
	case (l.Rate > 0) == (l.Concurrency > 0):
		return fmt.Errorf("%w: say either requests a second or how many are in progress at once", ErrQuestion)
	case l.Input.Mean < 1 || l.Output.Mean < 1:
		return fmt.Errorf("%w: say how many tokens a prompt and an answer have", ErrQuestion)
	case l.Rate > mostLoad || l.Concurrency > mostLoad:
		return fmt.Errorf("%w: more than %.0f requests", ErrQuestion, mostLoad)
	case q.Spare < 0 || q.MaxGPUs < 0:
		return fmt.Errorf("%w: spare replicas and the limit of GPUs cannot be negative", ErrQuestion)
	case q.Estimate == nil:
		return fmt.Errorf("%w: nothing says how fast a plan is", ErrQuestion)
	}
	return nil
}

// mostLoad is the largest load that is believed.
const mostLoad = 1e9

// known reports whether all are finite and not negative.
func known(values ...float64) bool {
	return !slices.ContainsFunc(values, func(v float64) bool { return !(v >= 0) || math.IsInf(v, 1) })
}

// limit is how many GPUs there may be in all.
func (q *Question) limit() int {
	if q.MaxGPUs == 0 {
		return MostGPUs
	}
	return q.MaxGPUs
}

// finding is what comes of one candidate.
type finding struct {
	looked, met int
	choices     []Choice // that meet the targets and are dominated by no other of this candidate
	perhaps     *Choice  // the cheapest where there are none
	miss        *miss    // the plan that came nearest where there are none
}

// search goes through the plans of one candidate.
type search struct {
	question  *Question
	candidate *Candidate
	finding
}

func (s *search) find() finding {
	options := s.options()
	slices.SortStableFunc(options, func(a, b *option) int {
		return cmp.Or(cmp.Compare(a.fewest(), b.fewest()), cmp.Compare(a.fastest, b.fastest), cmp.Compare(a.id, b.id))
	})
	for _, o := range options {
		if o.best == Yes {
			s.met++
			s.add(o)
		}
	}
	if len(s.choices) > 0 {
		return s.finding
	}
	for _, o := range options {
		s.hope(o)
	}
	return s.finding
}

// options are the plans that meet the targets at least perhaps, with some number of replicas.
func (s *search) options() []*option {
	var list []*option
	plan := s.candidate.Plan
	if err := blind(&plan); err != nil {
		s.looked += len(s.candidate.Formats)
		s.missed(&miss{stage: unknownCard, why: err.Error()})
		return nil
	}
	for i := range s.candidate.Formats {
		f := &s.candidate.Formats[i]
		plans, err := divide(f.Model, plan)
		if err != nil {
			s.looked++
			s.missed(&miss{stage: illegal, why: rule(err)})
			continue
		}
		for _, p := range plans {
			s.looked++
			if o := s.option(f, p); o != nil {
				list = append(list, o)
			}
		}
	}
	return list
}

// blind says what keeps anything from being known of a card.
func blind(p *serve.Plan) error {
	if p.GPU.Usable() <= 0 {
		return fmt.Errorf("the memory of %s is not known", p.GPU.Name)
	}
	return p.Profiled()
}

// missed keeps the plan that came nearest.
func (s *search) missed(m *miss) {
	if s.miss == nil || m.nearer(s.miss) {
		s.miss = m
	}
}

// add finds the replicas of a plan that meets the targets, unless a plan that was found before is cheaper and faster than
// this one can be.
func (s *search) add(o *option) {
	if slices.ContainsFunc(s.choices, func(c Choice) bool {
		return (!c.Lossy || o.format.Lossy) && dominates(c.GPUs, o.fewest(), c.Latency, o.fastest)
	}) {
		return
	}
	s.choices = append(s.choices, o.choice(Yes))
}

// hope finds the replicas of a plan that meets the targets only perhaps, if it can be the cheapest of its card.
func (s *search) hope(o *option) {
	if s.perhaps != nil && dominates(s.perhaps.GPUs, o.fewest(), s.perhaps.Latency, o.fastest) {
		return
	}
	c := o.choice(Perhaps)
	if s.perhaps == nil || cmp.Or(cmp.Compare(c.GPUs, s.perhaps.GPUs), cmp.Compare(c.Latency, s.perhaps.Latency)) < 0 {
		s.perhaps = &c
		s.missed(&miss{stage: unsure, gap: float64(c.GPUs), why: o.text() + ": " + o.doubt(&c), choice: &c})
	}
}

// dominates reports whether the first of two is no worse in both respects and better in one.
func dominates[N cmp.Ordered](cost, than N, latency, thanLatency float64) bool {
	return cost <= than && latency <= thanLatency && (cost < than || latency < thanLatency)
}
