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
	"github.com/llmcheck/llmcheck/internal/speed"
)

// ErrQuestion is wrapped by the error for a question that has no answer.
var ErrQuestion = errors.New("the load cannot be planned for")

// Search looks at every plan. The same question has the same answer, in the same order.
func Search(q Question) (*Result, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	ways := learn(q.Candidates)
	found := make([]finding, len(q.Candidates))
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), len(q.Candidates)) {
		workers.Go(func() {
			for i := next.Add(1) - 1; int(i) < len(found); i = next.Add(1) - 1 {
				s := search{question: &q, candidate: &q.Candidates[i], ways: ways}
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
	case min(q.Spare, q.MaxGPUs) < 0 || max(q.Spare, q.MaxGPUs) > mostReplicas:
		return fmt.Errorf("%w: want 0 to %d spare replicas and GPUs in all", ErrQuestion, mostReplicas)
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

// price is what an hour of so many cards costs.
func (q *Question) price(card string, gpus int) (usd speed.Range, ok bool) {
	if q.Price == nil {
		return usd, false
	}
	usd, ok = q.Price(card, gpus)
	return usd, ok && known(usd.Low, usd.Mid, usd.High)
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
	looked  int
	options []*option // that may meet the targets surely
	best    *Choice   // the one with the fewest GPUs
	perhaps *Choice   // where there is none: the same of those that meet the targets only perhaps
	miss    *miss     // the plan that came nearest
}

// search goes through the plans of one candidate.
type search struct {
	question  *Question
	candidate *Candidate
	ways      ways
	finding
}

func (s *search) find() finding {
	options := s.tried()
	for _, o := range options {
		if o.best == Yes {
			s.options = append(s.options, o)
		}
	}
	s.best = fewest(s.options, Yes)
	if s.best == nil {
		s.perhaps = fewest(options, Perhaps)
		s.explain(options)
	}
	for _, o := range options {
		if !s.best.of(o) && !s.perhaps.of(o) {
			o.release()
		}
	}
	return s.finding
}

// of reports whether there is a choice, and it is of an option.
func (c *Choice) of(o *option) bool { return c != nil && c.option == o }

// explain notes why plans that are fast enough for one request alone are no answer.
func (s *search) explain(options []*option) {
	if c := s.perhaps; c != nil {
		s.missed(&miss{stage: unsure, why: c.option.text() + ": " + c.option.doubt(c)})
		return
	}
	for _, o := range options {
		s.missed(o.crowded())
	}
}

// fewest is the choice with the fewest GPUs, the fastest of several. A plan that cannot have fewer is passed over.
func fewest(options []*option, want Met) *Choice {
	var best *Choice
	sorted := slices.Clone(options)
	slices.SortFunc(sorted, func(a, b *option) int {
		return cmp.Or(cmp.Compare(a.fewest(want), b.fewest(want)), cmp.Compare(a.fastest, b.fastest), cmp.Compare(a.id, b.id))
	})
	for _, o := range sorted {
		most := o.most
		if best != nil {
			if least := o.fewest(want); least > best.GPUs || least == best.GPUs && o.fastest >= best.Latency {
				continue
			}
			most = min(most, best.GPUs/o.plan.GPUs-o.question.Spare)
		}
		c := o.choice(want, most)
		if c != nil && (best == nil || cmp.Or(cmp.Compare(c.GPUs, best.GPUs), cmp.Compare(c.Latency, best.Latency)) < 0) {
			best = c
		}
	}
	return best
}

// tried are the plans that may meet the targets, surely or perhaps, with some number of replicas.
func (s *search) tried() []*option {
	var list []*option
	plan := s.candidate.Plan
	if err := blind(&plan); err != nil {
		s.looked += len(s.candidate.Formats)
		s.missed(&miss{stage: unknownCard, why: rule(err)})
		return nil
	}
	for i := range s.candidate.Formats {
		f := &s.candidate.Formats[i]
		plans, err := s.divide(f.Model, plan)
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
