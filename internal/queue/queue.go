// Package queue simulates continuous batching: requests arrive, wait for room, have their prompts computed in pieces and
// their answers token by token, all in forward passes that they share. How long a pass takes is an argument, so the
// package knows nothing of models or cards. Simulate plays one request after the other; Steady is its closed form;
// Within finds the largest load that meets limits of latency.
// Times are seconds, lengths are tokens.
package queue

// Batch is what one forward pass works on.
type Batch struct {
	Decodes int     // sequences that get their next token
	Context float64 // tokens that those sequences have in the cache, together
	Verify  int     // drafted tokens that are checked beside the next one, of each of those sequences
	Prompt  int64   // tokens of prompts that are computed
	Before  float64 // sum over those tokens of the tokens of the same prompt before them, cached ones included
	Prompts int     // sequences that those tokens are of; each that ends in this pass has its first token sampled
}

// Pass is how long a forward pass takes, in seconds. It is a pure function; passes that differ only in what their
// sequences have in the cache are not all asked for.
type Pass func(Batch) float64

// Server is one replica: what runs at once, and for how long. Sequences at once are also limited to those whose next
// tokens, drafted ones included, fit one pass. The whole of a prompt must find room in the cache before it is begun, the
// part that is there already included; requests that are longer than the cache are cut to it.
type Server struct {
	Pass       Pass
	MaxSeqs    int64   // sequences at once
	Budget     int64   // tokens of one pass
	Whole      bool    // a prompt is computed in passes of its own, and whole, while answers wait
	Cache      int64   // tokens that the cache holds; a sequence that finds no room is preempted and computed anew
	Host       float64 // seconds before a request can be scheduled: tokenizer, HTTP; the same for each
	PerRequest float64 // seconds of the host that each admitted request adds to the pass in which its prompt ends
	PrefixHit  float64 // share of each prompt that is in the cache already, below 1
	Drafts     int     // tokens that are drafted for each next one; 0 is no speculation
	Accepted   float64 // chance that a drafted token is right, each; below 1
}

// Length is how long prompts or answers are: the mean, and the standard deviation as a share of it. Lengths are drawn
// from a log-normal distribution and cut to at least one token.
type Length struct {
	Mean   float64
	Spread float64
}

// Load is what is asked of a replica: either so many requests at once, each followed by the next, or so many a second.
type Load struct {
	Concurrency int     // closed loop: requests that are always there; 0 for an open one
	Rate        float64 // open loop: requests a second
	Burst       float64 // coefficient of variation of the time between arrivals; 1 is Poisson, 0 is a clock
	Ramp        bool    // closed loop: all requests arrive at once at the beginning, as benchmarks send them; else spread
	Input       Length
	Output      Length
	Requests    int // to play; more follow them, so that the last ones do not find an empty server
	Warmup      int // of them, not counted
}

// Chance is a seeded source of numbers, like *rand.Rand of math/rand/v2.
type Chance interface {
	Float64() float64
	NormFloat64() float64
	ExpFloat64() float64
}

// Percentiles of one figure over the requests that were counted.
type Percentiles struct{ Mean, P50, P90, P99 float64 }

// Result is what a replica does under a load. Where it is Saturated, latencies and InSystem are infinite, so that no limit
// is ever met by them, and Output and Requests are what the replica answers at most.
type Result struct {
	TTFT     Percentiles // from arrival to the first token, seconds
	TPOT     Percentiles // between the first and the last token, by token after the first, of each request
	Total    Percentiles // from arrival to the last token
	Waiting  Percentiles // from arrival to the first pass that works on the request
	Output   float64     // tokens of answers a second
	Requests float64     // requests a second
	Running  float64     // sequences in progress, mean over time
	InSystem float64     // requests that have arrived and are not answered, mean over time

	Busy        float64 // share of the time in which a pass runs
	Preemptions int
	Saturated   bool   // the queue grows without end, or nothing can be served: no figure of latency holds
	CacheBound  bool   // requests waited for room in the cache
	Why         string // of Saturated
}
