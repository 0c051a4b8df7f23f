// Package fleet answers which cards, how many of them and divided how, serve a load within limits of latency at the least
// cost. It goes through cards, number formats and divisions, finds the smallest number of replicas that holds the targets,
// and ranks what is left by cost. How a model is held is serve's to say, how fast it is speed's, what a card costs the
// caller's.
//
// A plan is said to meet its targets only where it does with the bad end of every range: the slow end of a latency, the
// small end of a capacity, the large end of a memory. Where only the middle of the ranges holds, the plan is a Perhaps and
// is never ranked among the answers.
package fleet

import (
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
)

// Question is what has to be served, and by what it may be.
type Question struct {
	Candidates []Candidate
	Load       speed.Load // of the whole fleet: Rate, or Concurrency where so many requests are always in progress
	Targets    Targets
	Spare      int // replicas beyond those that the load needs; the load is still held where so many fail
	MaxGPUs    int // in all; 0 is MostGPUs

	Estimate Estimate
	// Price is USD an hour of so many of a card, which more of them never make less; nil where no price is known. It is
	// called by several goroutines at once.
	Price func(card string, gpus int) (usdPerHour speed.Range, ok bool)
	Power func(c *Choice) (watts speed.Range, ok bool) // of the whole choice; nil where nobody asks
}

// Candidate is a card with the engine that would serve on it, and what was said of the plan. Degrees that are zero are
// searched.
type Candidate struct {
	Plan    serve.Plan
	Formats []Format // the model in the number formats that may be used
}

// Format is the model in one number format.
type Format struct {
	Model *serve.Prepared
	Lossy bool // the published weights have to be converted to fewer bits
}

// Targets are limits of latency in seconds; 0 is none.
type Targets struct{ TTFT, TPOT float64 }

// Replica says how fast one replica is under a load. A larger load is never faster, no load is faster than one request
// alone, and the figures under unlimited load are the same with every load.
type Replica func(speed.Load) *speed.Figures

// Estimate makes the replica of a plan with its account. It is called by several goroutines at once.
type Estimate func(*serve.Prepared, serve.Plan, *serve.Memory) (Replica, error)

// By estimates with the constants of speed.
func By(c *speed.Constants) Estimate {
	return func(m *serve.Prepared, p serve.Plan, memory *serve.Memory) (Replica, error) {
		model, err := c.Of(m, p, memory)
		if err != nil {
			return nil, err
		}
		return model.Figures, nil
	}
}

// MostGPUs is the largest fleet that is looked at where no limit is given.
const MostGPUs = 4096

// Headroom is the share of the capacity that a load may take. Close to all of it queues grow without end.
const Headroom = 0.9

// Met says whether targets are met.
type Met string

// What can be said of targets.
const (
	Yes     Met = "yes"     // with the bad end of every range
	Perhaps Met = "perhaps" // with the middle of the ranges, and not with the bad end
	No      Met = "no"
)

// Choice is a plan with as many replicas as the load needs.
type Choice struct {
	Card   *hardware.Accelerator
	Model  *serve.Prepared // in the number format that was chosen
	Lossy  bool            // that format is not the one that the weights are published in
	Plan   serve.Plan      // of one replica
	Memory *serve.Memory   // of one replica

	Replicas int // spare ones included
	Spare    int
	GPUs     int // of all replicas

	Met     Met
	Each    speed.Load     // of one replica that is not spare
	Figures *speed.Figures // of one replica under that load
	Latency float64        // seconds of a whole request of mean length, with the middle of the ranges

	Priced  bool
	PerHour speed.Range // USD, of all replicas
	PerMOut speed.Range // USD per million tokens of answers, at the load
	Watts   *speed.Range
	Busy    float64 // share of what all replicas could do that the load takes, spare ones included

	option *option
}

// Rejection says why a card is not among the answers.
type Rejection struct {
	Card    *hardware.Accelerator
	Kind    string  // of the reason: perhaps, no_price, or how far the plan came
	Why     string  // of the plan that came nearest
	Nearest *Choice // that plan, if it would serve: without a price, or only perhaps within the targets
}

// Result is the answer.
type Result struct {
	Looked int // plans: cards × number formats × divisions
	Met    int // of them, those that meet the targets for one request alone, and whose capacity holds the load within MaxGPUs

	Ranked   []Choice    // of every card that has one, the plan with the fewest GPUs, cheapest first; those without a price last
	Front    []Choice    // no other plan is both cheaper and faster, by Latency; cheapest first
	Stored   *Choice     // the cheapest plan with the weights as published
	Perhaps  []Choice    // the cheapest plan of every card that meets the targets only perhaps, cheapest first
	Rejected []Rejection // every card that has no plan in Ranked, or no price, by id
}

// Formats are a model as published and in the usual formats of an engine that take less, which lose something.
func Formats(m *serve.Prepared, engine serve.Kind) []Format {
	var list []Format
	for i, f := range m.Formats(engine) {
		list = append(list, Format{f, i > 0})
	}
	return list
}
