package diligence

import "github.com/llmcheck/llmcheck/internal/queue"

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
