package queue

import (
	"math/rand/v2"
	"testing"
	"time"
)

// affine is a pass that is bound by memory or by arithmetic.
func affine(b Batch) float64 {
	memory := 0.008 + 2e-8*b.Context
	compute := 4e-5*(float64(b.Decodes*(1+b.Verify))+float64(b.Prompt)) + 3e-9*(b.Before+b.Context)
	return 0.001 + max(memory, compute)
}

func TestTry(t *testing.T) {
	for _, c := range []int{1, 64, 256} {
		s := Server{Pass: affine, MaxSeqs: 1024, Budget: 2048, Cache: 400000}
		l := Load{Concurrency: c, Input: Length{512, 0.5}, Output: Length{256, 0.5}, Requests: 10000, Warmup: 500, Ramp: true}
		for _, m := range []stride{oneByOne, together} {
			st := time.Now()
			r := simulate(s, l, rand.New(rand.NewPCG(1, 2)), m)
			t.Logf("%d %v %+v", c, time.Since(st), r)
		}
	}
	for _, c := range []float64{1, 5, 10, 20, 30} {
		s := Server{Pass: affine, MaxSeqs: 256, Budget: 2048, Cache: 400000}
		l := Load{Rate: c, Burst: 1, Input: Length{512, 0.5}, Output: Length{256, 0.5}, Requests: 10000, Warmup: 500}
		for _, m := range []stride{oneByOne, together} {
			st := time.Now()
			r := simulate(s, l, rand.New(rand.NewPCG(1, 2)), m)
			t.Logf("%g %v %+v", c, time.Since(st), r)
		}
	}
}
