// Package speed computes how fast a plan answers: how long a forward pass takes and why, what one request sees, and what
// many see together. A pass is a roofline with causes: weights and cache that are read, products that are computed, what
// ranks tell each other, what an engine does beside that. The constants lie in one file with where each was fitted;
// none is above what the hardware can do. Every figure is a range, whose width is that of the residuals of measurements
// like it.
package speed

import (
	"github.com/llmcheck/llmcheck/internal/queue"
)

// Range is meant to hold the measured value in eight of ten cases.
type Range struct{ Low, Mid, High float64 }

// Cause is what takes time in a forward pass.
type Cause string

// The causes.
const (
	Weights  Cause = "weights"  // bytes of weights that are read
	KV       Cause = "kv"       // bytes of keys, values and state that are read and written
	Compute  Cause = "compute"  // matrix products, attention
	Network  Cause = "network"  // what ranks send each other
	Bubble   Cause = "bubble"   // stages that wait for others
	Overhead Cause = "overhead" // launches, scheduler, sampler
)

// Part is one cause of the time of a pass.
type Part struct {
	Cause   Cause
	Name    string // "experts", "all-reduce over nvlink"
	Seconds float64
	Formula string // with the numbers filled in
	Source  string // of the constants in it
}

// Step is one forward pass.
type Step struct {
	Seconds float64
	Bound   Cause  // what takes most of it
	Parts   []Part // that add up to Seconds
}

// Load is what is asked of the whole deployment.
type Load struct {
	Input, Output queue.Length
	Concurrency   float64 // requests at once; 0 with no Rate is unlimited load
	Rate          float64 // requests a second
	Burst         float64 // coefficient of variation of the time between arrivals; 1 is Poisson
	PrefixHit     float64
	Drafts        int
	Accepted      float64
}

// Figures are what a deployment does under a load. A figure that does not hold is nil.
type Figures struct {
	TTFT, TPOT       *Range // seconds
	Single           Range  // tokens a second of one request alone, decoding
	Prompt           Range  // tokens a second of one prompt alone
	Output, Requests *Range // of the deployment at the load
	MaxOutput        Range  // tokens a second under unlimited load
	MaxRequests      Range
	Concurrency      float64 // requests at once; of an open loop what follows from its rate
	Bound            Cause   // of decoding at this load; KV too where room in the cache limits how many run at once
	PromptBound      Cause
	Saturated        bool
	Why              string // of Saturated
	Basis            string // what the ranges rest on, in words
}
