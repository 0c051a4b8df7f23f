package train

import "testing"

// Hours on one card are hardly lost to failures and carry nothing beyond the step; thousands of cards for weeks do both.
func TestGoodputByScale(t *testing.T) {
	c := constants(t)
	small := Job{Shape: shapeOf(t, "8b"), Method: LoRA, Tokens: 50e6}
	large := Job{Shape: shapeOf(t, "405b"), Method: Pretrain, Tokens: 15.6e12}
	run := func(j Job, card string, gpus int) *Run {
		a := cardOf(t, card)
		j, p, _, err := Complete(j, Plan{GPU: a, Fabric: fabricOf(a), GPUs: gpus, Zero: -1})
		if err != nil {
			t.Fatal(err)
		}
		f, err := c.Time(&j, &p)
		if err != nil {
			t.Fatal(err)
		}
		return f.Run
	}
	one, many := run(small, "rtx-4090", 1), run(large, "h100-sxm", 16384)
	if one.Goodput.Low < 0.99 || one.Beyond.Seconds > 0 || one.Seconds.High > 2.5*one.Seconds.Low {
		t.Errorf("one card: goodput %v, beyond %v of %v", one.Goodput, one.Beyond.Seconds, one.Seconds)
	}
	if g := many.Goodput; g.Low < 0.75 || g.Mid < 0.85 || g.Mid > 0.97 || many.Beyond.Seconds <= 0 || many.Beyond.Source == "" {
		t.Errorf("16,384 cards: goodput %v, beyond %+v", g, many.Beyond)
	}
}

// One device that could not hold the model is timed as one of a cluster that does: it is not spared the network.
func TestElsewhere(t *testing.T) {
	c := constants(t)
	a := cardOf(t, "h100-sxm")
	j, p, _, err := Complete(Job{Shape: shapeOf(t, "70b"), Method: Pretrain, Tokens: 15e12}, Plan{GPU: a, Fabric: fabricOf(a), GPUs: 1, Zero: -1})
	if err != nil {
		t.Fatal(err)
	}
	if p.Elsewhere == nil || p.Elsewhere.Plan.GPUs <= 8 {
		t.Fatalf("%+v holds no 70B", p.Elsewhere)
	}
	f, err := c.Time(&j, &p)
	if err != nil {
		t.Fatal(err)
	}
	held, err := c.Time(&p.Elsewhere.Job, &p.Elsewhere.Plan)
	if err != nil {
		t.Fatal(err)
	}
	if !near(f.Run.GPUHours.Mid, held.Run.GPUHours.Mid, 1e-9) || !near(f.MFU.Mid, held.MFU.Mid, 1e-9) || len(f.Traffic) == 0 {
		t.Errorf("%g hours at MFU %g, on the cluster %g at %g", f.Run.GPUHours.Mid, f.MFU.Mid, held.Run.GPUHours.Mid, held.MFU.Mid)
	}
	var sum float64
	for _, one := range f.Parts {
		sum += one.Seconds
	}
	if !near(sum, f.StepSeconds.Mid, 1e-6) {
		t.Errorf("parts are %g s of %g", sum, f.StepSeconds.Mid)
	}
}
