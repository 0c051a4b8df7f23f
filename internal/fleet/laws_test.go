package fleet_test

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/fleet"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// few are cards of every kind: small and large memory, one and many in a machine, of several makers.
func few() []string {
	return []string{"rtx-4090", "l4", "l40s", "a100-80-sxm", "h100-sxm", "h200-sxm", "b200-sxm", "mi300x", "m3-ultra-256gb"}
}

// questions are the same question of every shape, as open and as closed loop.
func questions(t testing.TB) map[string]fleet.Question {
	t.Helper()
	all := make(map[string]fleet.Question)
	for name := range shapes {
		q := newWorld(t, name, few()...).question(t)
		all[name+" rate"] = q
		q.Load.Rate, q.Load.Concurrency = 0, 90
		all[name+" users"] = q
	}
	if len(all) == 0 {
		t.Fatal("no questions")
	}
	return all
}

// cheapest is what the best plan of each card costs; infinite for one that has none.
func cheapest(r *fleet.Result) map[string]float64 {
	costs := make(map[string]float64)
	for _, c := range r.Ranked {
		if c.Priced {
			costs[c.Card.ID] = c.PerHour.Mid
		}
	}
	return costs
}

// neverLess checks that no card costs less than before.
func neverLess(t *testing.T, what string, before, after map[string]float64) {
	t.Helper()
	for id, usd := range after {
		if was, ok := before[id]; !ok || usd < was {
			t.Errorf("%s: %s costs %v, before it was %v", what, id, usd, was)
		}
	}
}

func TestLargerLoadNeverCostsLess(t *testing.T) {
	for name, q := range questions(t) {
		var before map[string]float64
		answered := 0
		for _, factor := range []float64{0.003, 0.01, 0.05, 0.3, 1, 3, 10} {
			larger := q
			larger.Load.Rate *= factor
			larger.Load.Concurrency *= factor
			after := cheapest(search(t, larger))
			if before != nil {
				neverLess(t, fmt.Sprintf("%s × %v", name, factor), before, after)
			}
			before = after
			answered += len(after)
		}
		if answered == 0 {
			t.Errorf("%s: nothing was ever answered", name)
		}
	}
}

func TestTighterTargetsNeverCostLess(t *testing.T) {
	for name, q := range questions(t) {
		var before map[string]float64
		for _, targets := range []fleet.Targets{
			{}, {TPOT: 0.2}, {TTFT: 4, TPOT: 0.2}, {TTFT: 1, TPOT: 0.1}, {TTFT: 1, TPOT: 0.04}, {TTFT: 0.3, TPOT: 0.03}, {TTFT: 0.3, TPOT: 0.001},
		} {
			tighter := q
			tighter.Targets = targets
			after := cheapest(search(t, tighter))
			if before != nil {
				neverLess(t, fmt.Sprintf("%s, %+v", name, targets), before, after)
			}
			before = after
		}
		if len(before) > 0 {
			t.Errorf("%s: something answers a token in a millisecond: %v", name, before)
		}
	}
}

func TestCheaperCardNeverMovesDown(t *testing.T) {
	for name, q := range questions(t) {
		place := func(r *fleet.Result, id string) int {
			return slices.IndexFunc(r.Ranked, func(c fleet.Choice) bool { return c.Card.ID == id })
		}
		before := search(t, q)
		for _, c := range before.Ranked {
			cheaper := q
			cheaper.Price = func(id string, n int) (speed.Range, bool) {
				r, ok := q.Price(id, n)
				if id == c.Card.ID {
					r = speed.Range{Low: 0.7 * r.Low, Mid: 0.7 * r.Mid, High: 0.7 * r.High}
				}
				return r, ok
			}
			if was, is := place(before, c.Card.ID), place(search(t, cheaper), c.Card.ID); is < 0 || is > was {
				t.Errorf("%s: %s went from %d to %d as it became cheaper", name, c.Card.ID, was, is)
			}
		}
	}
}

// TestAnswersHold: what is said to meet the targets does with the bad end of every range, and holds the load.
func TestAnswersHold(t *testing.T) {
	for name, q := range questions(t) {
		r := search(t, q)
		if len(r.Ranked) == 0 || len(r.Front) == 0 {
			t.Errorf("%s: no answer", name)
		}
		for _, c := range slices.Concat(r.Ranked, r.Front) {
			f := c.Figures
			if c.Met != fleet.Yes || c.Memory.Verdict != serve.Fits || f.Saturated || f.TTFT.High > q.Targets.TTFT || f.TPOT.High > q.Targets.TPOT {
				t.Errorf("%s: %s does not meet the targets: %s, %+v %+v", name, c.Card.ID, c.Memory.Verdict, f.TTFT, f.TPOT)
			}
			if c.GPUs != c.Replicas*c.Plan.GPUs || c.GPUs > fleet.MostGPUs {
				t.Errorf("%s: %s: %d replicas of %d are %d GPUs", name, c.Card.ID, c.Replicas, c.Plan.GPUs, c.GPUs)
			}
			if most, load := c.AtMost(), q.Load.Rate+q.Load.Concurrency; float64(c.Replicas-c.Spare)*most < load {
				t.Errorf("%s: %s: %d replicas of %v do not hold %v", name, c.Card.ID, c.Replicas, most, load)
			}
			if !(c.Busy > 0 && c.Busy <= 1) {
				t.Errorf("%s: %s: busy %v", name, c.Card.ID, c.Busy)
			}
		}
		for _, c := range r.Perhaps {
			if c.Met != fleet.Perhaps {
				t.Errorf("%s: %s is among those that meet perhaps, with %s", name, c.Card.ID, c.Met)
			}
		}
	}
}

// TestFewestReplicas: a choice has the fewest replicas that do.
func TestFewestReplicas(t *testing.T) {
	for name, q := range questions(t) {
		for _, c := range search(t, q).Ranked {
			if c.Replicas == 1 {
				continue
			}
			l := q.Load
			l.Rate /= float64(c.Replicas - 1)
			l.Concurrency = math.Ceil(l.Concurrency / float64(c.Replicas-1))
			if most := c.AtMost(); l.Rate+l.Concurrency < most {
				t.Errorf("%s: %s needs %d replicas, but one does %v", name, c.Card.ID, c.Replicas, most)
			}
		}
	}
}

func TestSpareIsOneMoreReplica(t *testing.T) {
	for name, q := range questions(t) {
		for i := range q.Candidates { // one plan each, so that no other one is better with a spare replica
			c := &q.Candidates[i]
			c.Plan.Tensor, c.Plan.Pipeline, c.Plan.Data, c.Plan.Expert = 1, 1, 1, 1
			c.Formats = c.Formats[len(c.Formats)-1:]
		}
		plain := search(t, q)
		q.Spare = 1
		spare := search(t, q)
		if len(plain.Ranked) == 0 {
			t.Errorf("%s: no answer", name)
		}
		for _, c := range spare.Ranked {
			i := slices.IndexFunc(plain.Ranked, func(p fleet.Choice) bool { return p.Card.ID == c.Card.ID })
			p := plain.Ranked[i]
			want, _ := q.Price(c.Card.ID, (p.Replicas+1)*p.Plan.GPUs)
			if c.Replicas != p.Replicas+1 || c.GPUs != p.GPUs+p.Plan.GPUs || c.PerHour != want || c.Latency != p.Latency || c.Busy >= p.Busy {
				t.Errorf("%s: %s: %d replicas for %v with a spare one, %d for %v without", name, c.Card.ID, c.Replicas, c.PerHour, p.Replicas, p.PerHour)
			}
		}
	}
}

func TestEveryCardIsAnsweredOrRejected(t *testing.T) {
	for _, model := range []string{"8b", "70b"} {
		w := newWorld(t, model)
		q := w.question(t)
		q.MaxGPUs = 256
		r := search(t, q)
		why := make(map[string]string)
		for _, x := range r.Rejected {
			if x.Why == "" {
				t.Errorf("%s is rejected without a reason", x.Card.ID)
			}
			why[x.Card.ID] = x.Why
		}
		priced := cheapest(r)
		for _, c := range w.cards {
			_, answered := priced[c.ID]
			if _, rejected := why[c.ID]; answered == rejected {
				t.Errorf("%s: answered %t, rejected %t", c.ID, answered, rejected)
			}
		}
	}
}

func TestSameAnswerInAnyOrder(t *testing.T) {
	q := newWorld(t, "experts").question(t)
	want := told(search(t, q))
	slices.Reverse(q.Candidates)
	for range 3 {
		if diff := gocmp.Diff(want, told(search(t, q))); diff != "" {
			t.Fatal(diff)
		}
	}
}

// told is a result in words.
func told(r *fleet.Result) []string {
	list := []string{fmt.Sprint(r.Looked, r.Met)}
	for _, c := range slices.Concat(r.Ranked, r.Front, r.Perhaps) {
		list = append(list, fmt.Sprint(
			c.Card.ID, c.Model.Format(), c.Plan.Tensor, c.Plan.Pipeline, c.Plan.Expert, c.Plan.Data, c.Replicas, c.PerHour, c.Latency))
	}
	for _, x := range r.Rejected {
		list = append(list, x.Card.ID+": "+x.Why)
	}
	return list
}

// TestAloneTheSame: the plan that is ranked first has the same figures when it is the only one that is looked at.
func TestAloneTheSame(t *testing.T) {
	constants, err := speed.Default()
	if err != nil {
		t.Fatal(err)
	}
	for name, q := range questions(t) {
		q.Estimate = fleet.By(constants)
		r := search(t, q)
		for _, c := range slices.Concat(r.Ranked[:min(3, len(r.Ranked))], r.Front) {
			memory, err := c.Model.Fit(c.Plan)
			if err != nil {
				t.Fatal(err)
			}
			m, err := constants.Of(c.Model, c.Plan, memory)
			if err != nil {
				t.Fatal(err)
			}
			if diff := gocmp.Diff(m.Figures(c.Each), c.Figures); diff != "" {
				t.Errorf("%s: %s: %s", name, c.Card.ID, diff)
			}
			if c.Figures.TTFT.High > q.Targets.TTFT || c.Figures.TPOT.High > q.Targets.TPOT || memory.Verdict != serve.Fits {
				t.Errorf("%s: %s does not meet the targets: %+v %+v", name, c.Card.ID, c.Figures.TTFT, c.Figures.TPOT)
			}
		}
	}
}

func TestReasons(t *testing.T) {
	for _, tt := range []struct {
		name   string
		model  string
		card   string
		change func(*fleet.Question)
		says   []string
	}{
		{"weights", "70b", "rtx-4060-laptop", nil, []string{"do not hold the weights", "w4a16"}},
		{"TPOT", "8b", "l4", func(q *fleet.Question) { q.Targets.TPOT = 0.001 }, []string{"TPOT of one request alone is ", ", above 1 ms"}},
		{"TTFT", "8b", "l4", func(q *fleet.Question) { q.Targets.TTFT = 0.001 }, []string{"TTFT of one request alone is ", ", above 1 ms"}},
		{"GPUs", "8b", "l4", func(q *fleet.Question) { q.MaxGPUs = 2 }, []string{"the load takes at least ", "above the limit of 2"}},
		{"spare", "8b", "l4", func(q *fleet.Question) { q.MaxGPUs, q.Spare = 1, 1 }, []string{"at least 2 of these GPUs, above the limit of 1"}},
		{"price", "8b", "l4", func(q *fleet.Question) { q.Price = nil }, []string{"no price is known; ", " would serve"}},
		{"profile", "8b", "tpu-v6e", nil, []string{"no profile of the engine"}},
		{"length", "8b", "l4", func(q *fleet.Question) { q.Load.Input.Mean = 9000 }, []string{"requests of 9200 tokens are longer than max_model_len 8192"}},
		{"rule", "8b", "l4", func(q *fleet.Question) { q.Candidates[0].Plan.Expert = 2 }, []string{"the model has no experts"}},
		{"perhaps", "8b", "l4", func(q *fleet.Question) {
			q.Targets.TPOT, q.Candidates[0].Formats, q.Candidates[0].Plan.GPUs = 0.1, q.Candidates[0].Formats[:1], 1
		}, []string{"replicas meet the targets only perhaps: TPOT is ", ", and 100 ms is asked for"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := newWorld(t, tt.model, tt.card).question(t)
			if tt.change != nil {
				tt.change(&q)
			}
			r := search(t, q)
			if len(r.Rejected) != 1 {
				t.Fatalf("%d rejected, want 1: %+v", len(r.Rejected), r.Ranked)
			}
			for _, says := range tt.says {
				if !strings.Contains(r.Rejected[0].Why, says) {
					t.Errorf("%q does not say %q", r.Rejected[0].Why, says)
				}
			}
		})
	}
}

func TestQuestionsWithoutAnswer(t *testing.T) {
	for name, change := range map[string]func(*fleet.Question){
		"no cards":         func(q *fleet.Question) { q.Candidates = nil },
		"no load":          func(q *fleet.Question) { q.Load.Rate = 0 },
		"both loads":       func(q *fleet.Question) { q.Load.Concurrency = 3 },
		"a negative load":  func(q *fleet.Question) { q.Load.Rate = -1 },
		"no number":        func(q *fleet.Question) { q.Load.Rate = math.NaN() },
		"endless":          func(q *fleet.Question) { q.Load.Rate = math.Inf(1) },
		"too much":         func(q *fleet.Question) { q.Load.Rate = 1e300 },
		"no prompt":        func(q *fleet.Question) { q.Load.Input.Mean = 0 },
		"no answer":        func(q *fleet.Question) { q.Load.Output.Mean = 0 },
		"a target of none": func(q *fleet.Question) { q.Targets.TPOT = math.NaN() },
		"negative spare":   func(q *fleet.Question) { q.Spare = -1 },
		"negative limit":   func(q *fleet.Question) { q.MaxGPUs = -1 },
		"too many spare":   func(q *fleet.Question) { q.Spare = math.MaxInt },
		"nothing to ask":   func(q *fleet.Question) { q.Estimate = nil },
	} {
		q := newWorld(t, "8b", "l4").question(t)
		change(&q)
		if _, err := fleet.Search(q); !errors.Is(err, fleet.ErrQuestion) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestWholeMachines: prices that are not in proportion, as of instances with eight cards, are paid for what is rented.
func TestWholeMachines(t *testing.T) {
	q := newWorld(t, "8b", few()...).question(t)
	each := q.Price
	q.Price = func(id string, n int) (speed.Range, bool) { return each(id, (n+7)/8*8) }
	r := search(t, q)
	for _, c := range slices.Concat(r.Ranked, r.Front) {
		if want, _ := q.Price(c.Card.ID, c.GPUs); c.PerHour != want {
			t.Errorf("%s costs %v, want %v", c.Card.ID, c.PerHour, want)
		}
	}
	if !slices.IsSortedFunc(r.Front, func(a, b fleet.Choice) int { return cmp.Compare(a.PerHour.Mid, b.PerHour.Mid) }) {
		t.Error("the front is not in the order of cost")
	}
}

// TestNothingIsLost: what the search passes over is neither cheaper nor on the front, as trying everything shows.
func TestNothingIsLost(t *testing.T) {
	for name, q := range questions(t) {
		q.MaxGPUs = 300
		r, all := search(t, q), fleet.Exhaustive(q)
		if len(all) == 0 {
			t.Fatalf("%s: nothing meets the targets", name)
		}
		if diff := gocmp.Diff(fleet.Undominated(all), fleet.Points(r.Front)); diff != "" {
			t.Errorf("%s: the front: %s", name, diff)
		}
		costs := cheapest(r)
		for _, c := range q.Candidates {
			id := c.Plan.GPU.ID
			least := fleet.Least(all, func(c *fleet.Choice) bool { return c.Card.ID == id })
			if usd, ok := costs[id]; ok && usd != least || !ok && !math.IsInf(least, 1) {
				t.Errorf("%s: %s costs %v, the cheapest plan %v", name, id, usd, least)
			}
		}
		stored := math.Inf(1)
		if r.Stored != nil {
			stored = r.Stored.PerHour.Mid
		}
		if least := fleet.Least(all, func(c *fleet.Choice) bool { return !c.Lossy }); stored != least {
			t.Errorf("%s: with the weights as published %v, the cheapest %v", name, stored, least)
		}
	}
}

// TestNoFiguresNoAnswer: what is not known, or is no number, is never an answer.
func TestNoFiguresNoAnswer(t *testing.T) {
	nan := math.NaN()
	for name, spoil := range map[string]func(*speed.Figures){
		"no TTFT":               func(f *speed.Figures) { f.TTFT = nil },
		"no TPOT":               func(f *speed.Figures) { f.TPOT = nil },
		"TTFT is no number":     func(f *speed.Figures) { f.TTFT = &speed.Range{Low: 0.1, Mid: 0.2, High: nan} },
		"TPOT is no number":     func(f *speed.Figures) { f.TPOT = &speed.Range{Low: nan, Mid: nan, High: nan} },
		"TPOT is negative":      func(f *speed.Figures) { f.TPOT = &speed.Range{Low: -1, Mid: -1, High: -1} },
		"saturated":             func(f *speed.Figures) { f.Saturated = true },
		"no capacity":           func(f *speed.Figures) { f.MaxRequests = speed.Range{} },
		"capacity is no number": func(f *speed.Figures) { f.MaxRequests = speed.Range{Low: nan, Mid: nan, High: nan} },
	} {
		for asked, q := range questions(t) {
			q.Estimate = func(m *serve.Prepared, p serve.Plan, memory *serve.Memory) (fleet.Replica, error) {
				r, err := estimate(m, p, memory)
				return func(l speed.Load) *speed.Figures {
					f := r(l)
					spoil(f)
					return f
				}, err
			}
			r := search(t, q)
			if len(r.Ranked)+len(r.Front)+len(r.Perhaps) > 0 || len(r.Rejected) != len(q.Candidates) {
				t.Errorf("%s, %s: %d answers, %d perhaps, %d rejected", name, asked, len(r.Ranked), len(r.Perhaps), len(r.Rejected))
			}
		}
	}
	q := newWorld(t, "8b", few()...).question(t)
	q.Estimate = func(*serve.Prepared, serve.Plan, *serve.Memory) (fleet.Replica, error) { return nil, speed.ErrUnknown }
	for _, x := range search(t, q).Rejected {
		if !strings.Contains(x.Why, speed.ErrUnknown.Error()) {
			t.Errorf("%s: %q", x.Card.ID, x.Why)
		}
	}
}

// TestCostOfTokens: the fleet is paid for by the hour, whatever it does.
func TestCostOfTokens(t *testing.T) {
	for name, q := range questions(t) {
		q.Power = func(c *fleet.Choice) (speed.Range, bool) { return speed.Range{Mid: float64(c.GPUs)}, true }
		r := search(t, q)
		for _, c := range slices.Concat(r.Ranked, r.Front, []fleet.Choice{*r.Stored}) {
			if c.Watts == nil || c.Watts.Mid != float64(c.GPUs) {
				t.Errorf("%s: %s: %v watts", name, c.Card.ID, c.Watts)
			}
			tokens := q.Load.Rate * q.Load.Output.Mean
			if tokens == 0 {
				tokens = c.Figures.Output.Mid * q.Load.Concurrency / c.Each.Concurrency
			}
			if got, want := c.PerMOut.Mid*tokens*3600/1e6, c.PerHour.Mid; c.Priced && math.Abs(got/want-1) > 1e-9 {
				t.Errorf("%s: %s: the tokens of an hour cost %v, the hour %v", name, c.Card.ID, got, want)
			}
			if c.PerMOut.Low > c.PerMOut.Mid || c.PerMOut.Mid > c.PerMOut.High {
				t.Errorf("%s: %s: %+v", name, c.Card.ID, c.PerMOut)
			}
		}
	}
}
