package diligence

import (
	"errors"
	"fmt"

	"github.com/llmcheck/llmcheck/internal/queue"
)

// ErrNumber is wrapped by the error for a question with a number that nothing can be computed from.
var ErrNumber = errors.New("the question has a number that cannot be meant")

// Workload is what is asked of a deployment. Zero values are what nobody said.
type Workload struct {
	Input, Output queue.Length // tokens
	Concurrency   float64      // requests at once
	Unlimited     bool         // as many requests at once as find room
	Rate          float64      // requests a second
	Users         float64      // people at once, each of whom asks, reads for Think seconds, and asks again
	Think         float64
	Burst         float64 // coefficient of variation of the time between arrivals
	PrefixHit     float64 // share of each prompt that is in the cache already
	Drafts        int     // tokens drafted for each next one
	Accepted      float64 // chance that one of them is right

	TTFT, TPOT float64 // limits, seconds

	Simulate int // requests to play for percentiles; negative is none
	Seed     uint64
}

// Money is what the person asking knows of prices. Zero values are what nobody said.
type Money struct {
	PerGPUHour  float64 // USD
	Terms       string  // on_demand, spot, reserved_1y, reserved_3y
	Seller      string  // neocloud, hyperscaler, marketplace
	Purchase    float64 // USD for one card with its share of the machine
	Owned       bool    // the headline is what owning costs
	Electricity float64 // USD a kWh
	PUE         float64
	Country     string
	Busy        float64 // share of the capacity that is used over the whole time
}

// Search asks for the cheapest plan that serves a load.
type Search struct {
	Spare   int // replicas beside those that the load needs
	MaxGPUs int // in all; 0 is the default
}

// AtOnce is how many requests have to find room at once, 0 where nobody said.
func (w *Workload) AtOnce() float64 {
	if w.Users > 0 && w.Think == 0 {
		return w.Users
	}
	return w.Concurrency
}

// The least and the most that is believed of a question.
const (
	least      = 1e-9
	mostTokens = 1 << 31
	mostSpread = 10
	mostLoad   = 1e9 // requests, people, tokens a second
	mostTime   = 1e6 // seconds
	mostDrafts = 64
	mostHit    = 0.999
	mostPlayed = 1_000_000
	mostMoney  = 1e9 // USD
	mostPUE    = 10
)

// check refuses numbers that are none, and those beyond what anybody asks: what is computed from them would look like an
// answer.
func (q *EstimateQuestion) check() error {
	w, m := &q.Load, &q.Money
	for _, one := range []struct {
		what  string
		value float64
		most  float64
	}{
		{"tokens of a prompt", w.Input.Mean, mostTokens},
		{"the spread of prompts", w.Input.Spread, mostSpread},
		{"tokens of an answer", w.Output.Mean, mostTokens},
		{"the spread of answers", w.Output.Spread, mostSpread},
		{"requests at once", w.Concurrency, 1 << 31},
		{"requests a second", w.Rate, mostLoad},
		{"users", w.Users, mostLoad},
		{"the time to think", w.Think, mostTime},
		{"burstiness", w.Burst, mostSpread},
		{"the share of prompts in the cache", w.PrefixHit, mostHit},
		{"drafted tokens", float64(w.Drafts), mostDrafts},
		{"the chance that a drafted token is right", w.Accepted, mostHit},
		{"the time to the first token", w.TTFT, mostTime},
		{"the time between tokens", w.TPOT, mostTime},
		{"requests to play", max(0, float64(w.Simulate)), mostPlayed},
		{"the price of an hour", m.PerGPUHour, mostMoney},
		{"the price of a card", m.Purchase, mostMoney},
		{"the price of electricity", m.Electricity, mostMoney},
		{"power usage effectiveness", m.PUE, mostPUE},
		{"utilization", m.Busy, 1},
	} {
		if one.value != 0 && !(one.value >= least && one.value <= one.most) { // NaN is neither
			return fmt.Errorf("%w: %s is %g, want %g to %g", ErrNumber, one.what, one.value, least, one.most)
		}
	}
	for _, tokens := range []float64{w.Input.Mean, w.Output.Mean} {
		if tokens > 0 && tokens < 1 {
			return fmt.Errorf("%w: a prompt or an answer of %g tokens, want 1 or more", ErrNumber, tokens)
		}
	}
	said := 0
	for _, given := range []bool{w.Unlimited, w.Rate > 0, w.Users > 0, w.Concurrency > 0} {
		if given {
			said++
		}
	}
	if said > 1 {
		return fmt.Errorf("%w: requests at once, requests a second and users each say how much is asked; give one of them", ErrNumber)
	}
	if m.PUE > 0 && m.PUE < 1 {
		return fmt.Errorf("%w: power usage effectiveness is %g, want 1 or more", ErrNumber, m.PUE)
	}
	return nil
}
