package queue

import (
	"errors"
	"fmt"
	"math"
)

// Limits of what is played, so that no input takes long or much memory.
const (
	mostTokens   = 1_000_000_000 // of one prompt, of one answer
	mostSpread   = 10
	mostBurst    = 100
	mostDrafts   = 1000
	mostAtOnce   = 100_000 // requests of a closed loop
	mostRequests = 500_000
	leastRate    = 1e-9
	mostRate     = 1e9
	leastPass    = 1e-12
	mostPass     = 1e9
	mostPasses   = 5_000_000
	mostSeqs     = 1 << 20
	mostBudget   = 1 << 40
)

// Check says why a load cannot be played on a server, or nil. Simulate and Steady answer Saturated with that reason
// where it is not nil: what cannot be read is never served.
func Check(s Server, l Load) error {
	if err := checkServer(s); err != nil {
		return err
	}
	return checkLoad(s, l)
}

func checkServer(s Server) error {
	switch {
	case s.Pass == nil:
		return errors.New("playing a queue: how long a pass takes is not known")
	case s.MaxSeqs < 1:
		return fmt.Errorf("playing a queue: %d sequences at once, want at least 1", s.MaxSeqs)
	case s.Drafts < 0 || s.Drafts > mostDrafts:
		return fmt.Errorf("playing a queue: %d drafted tokens, want 0 to %d", s.Drafts, mostDrafts)
	case s.Budget <= int64(s.Drafts):
		return fmt.Errorf("playing a queue: passes of %d tokens, want at least %d", s.Budget, s.Drafts+1)
	case !within(s.Accepted, 0, 1) || s.Accepted == 1:
		return fmt.Errorf("playing a queue: drafted tokens accepted %g, want at least 0 and below 1", s.Accepted)
	case !within(s.PrefixHit, 0, 1) || s.PrefixHit == 1:
		return fmt.Errorf("playing a queue: share of prompts in the cache %g, want at least 0 and below 1", s.PrefixHit)
	case !within(s.Host, 0, 1e6) || !within(s.PerRequest, 0, 1e6):
		return fmt.Errorf("playing a queue: time of the host %g and %g s, want 0 or more", s.Host, s.PerRequest)
	}
	return nil
}

func checkLoad(s Server, l Load) error {
	switch {
	case !within(l.Input.Mean, 1, mostTokens) || !within(l.Input.Spread, 0, mostSpread):
		return fmt.Errorf("playing a queue: prompts of %g tokens, spread %g, want 1 to %d tokens, spread 0 to %d",
			l.Input.Mean, l.Input.Spread, mostTokens, mostSpread)
	case !within(l.Output.Mean, 1, mostTokens) || !within(l.Output.Spread, 0, mostSpread):
		return fmt.Errorf("playing a queue: answers of %g tokens, spread %g, want 1 to %d tokens, spread 0 to %d",
			l.Output.Mean, l.Output.Spread, mostTokens, mostSpread)
	case l.Concurrency < 0 || l.Concurrency > mostAtOnce:
		return fmt.Errorf("playing a queue: %d requests at once, want 0 to %d", l.Concurrency, mostAtOnce)
	case l.Concurrency == 0 && !within(l.Rate, leastRate, mostRate):
		return fmt.Errorf("playing a queue: %g requests a second, want %g to %g", l.Rate, leastRate, float64(mostRate))
	case l.Concurrency == 0 && !within(l.Burst, 0, mostBurst):
		return fmt.Errorf("playing a queue: burstiness of arrivals %g, want 0 to %d", l.Burst, mostBurst)
	case l.Requests < 0 || l.Requests > mostRequests || l.Warmup < 0 || l.Warmup > mostRequests:
		return fmt.Errorf("playing a queue: %d requests after %d, want 0 to %d", l.Requests, l.Warmup, mostRequests)
	case float64(s.Cache) < l.Input.Mean+l.Output.Mean-1:
		return fmt.Errorf("playing a queue: the cache holds %d tokens, a request has %g", s.Cache, l.Input.Mean+l.Output.Mean)
	}
	return nil
}

// within is false for NaN.
func within(x, low, high float64) bool { return x >= low && x <= high }

// counts is true for the duration of a pass that can be counted with.
func counts(t float64) bool { return within(t, leastPass, mostPass) }

// saturated is the answer where no figure of latency holds.
func saturated(why string) Result {
	never := math.Inf(1)
	p := Percentiles{never, never, never, never}
	return Result{TTFT: p, TPOT: p, Total: p, Waiting: p, InSystem: never, Saturated: true, Why: why}
}
