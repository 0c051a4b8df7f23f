package train

import "testing"

// What is said is never called open, and what is open stays so when a plan is completed twice.
func TestUnsaid(t *testing.T) {
	j := Job{Shape: shapeOf(t, "8b"), Method: LoRA, Rank: 8, Sequence: 2048}
	p := Plan{GPU: cardOf(t, "a100-80-sxm"), GPUs: 1, Zero: -1}
	done, plan, _, err := Complete(j, p)
	if err != nil {
		t.Fatal(err)
	}
	if !done.Unsaid.Has(OpenTargets) || !done.Unsaid.Has(OpenRecompute) || !done.Unsaid.Has(OpenMicro) {
		t.Errorf("%b: targets, recomputation and passes were left open", done.Unsaid)
	}
	if done.Unsaid.Has(OpenRank | OpenSequence | OpenMethod | OpenDivision) {
		t.Errorf("%b: rank, length, method and a single device were said", done.Unsaid)
	}
	again, _, _, err := Complete(done, plan)
	if err != nil || again.Unsaid != done.Unsaid {
		t.Errorf("completed again %b is open instead of %b: %v", again.Unsaid, done.Unsaid, err)
	}
}
