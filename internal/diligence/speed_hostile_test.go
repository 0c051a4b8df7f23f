package diligence

import (
	"bytes"
	"encoding/json"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/manifest"
	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/render/jsondoc"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// wild are numbers of which a question is made: those that people give, those at the limits, and those that are none.
func wild(r *rand.Rand, usual ...float64) float64 {
	switch n := r.IntN(150); {
	case n < 70:
		return 0
	case n < 149:
		return usual[r.IntN(len(usual))]
	}
	odd := []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e-300, math.MaxFloat64, 1e18, 0.5, math.SmallestNonzeroFloat64}
	return odd[r.IntN(len(odd))]
}

func wildLoad(r *rand.Rand) Workload {
	w := Workload{
		Input:  queue.Length{Mean: wild(r, 1, 100, 1024, 32768, 1<<20), Spread: wild(r, 0.5, 1, 10)},
		Output: queue.Length{Mean: wild(r, 1, 16, 256, 4096), Spread: wild(r, 0.5, 1, 10)},
		Burst:  wild(r, 0.1, 1, 10), PrefixHit: wild(r, 0.3, 0.999), Drafts: int(max(-1, min(1e6, wild(r, 1, 4, 64)))), Accepted: wild(r, 0.1, 0.7, 0.999),
		TTFT: wild(r, 0.001, 0.5, 5, 86400), TPOT: wild(r, 0.001, 0.05, 5), Simulate: []int{-1, 0, 0, 1, 50}[r.IntN(5)], Seed: r.Uint64(),
	}
	switch r.IntN(6) {
	case 0:
		w.Rate = wild(r, 1e-6, 1, 100, 1e6)
	case 1:
		w.Users, w.Think = wild(r, 1, 100, 1e7), wild(r, 1, 30, 86400)
	case 2:
		w.Concurrency = wild(r, 0.5, 1, 64, 1e9)
	case 3:
		w.Unlimited = true
	case 4: // contradictions
		w.Rate, w.Users, w.Think, w.Concurrency, w.Unlimited = wild(r, 1), wild(r, 10), wild(r, 5), wild(r, 8), r.IntN(2) == 0
	}
	return w
}

func wildMoney(r *rand.Rand) Money {
	return Money{
		PerGPUHour: wild(r, 0.01, 2, 1e7), Terms: []string{"", "", "spot", "reserved_3y", "never"}[r.IntN(5)], Seller: []string{"", "", "neocloud", "hyperscaler", "a shop"}[r.IntN(5)],
		Purchase: wild(r, 1, 30000, 1e7), Owned: r.IntN(4) == 0, Electricity: wild(r, 0.01, 0.3, 100), PUE: wild(r, 1, 1.5, 10),
		Country: []string{"", "", "DE", "Germany", "Atlantis", "\x00", strings.Repeat("a", 1000)}[r.IntN(7)], Busy: wild(r, 0.01, 0.5, 1),
	}
}

// wildSpeed makes a question of speed and money of one of memory.
func wildSpeed(r *rand.Rand) EstimateQuestion {
	q := question(r)
	q.Load, q.Money = wildLoad(r), wildMoney(r)
	if r.IntN(3) > 0 { // what engines start
		q.Plan = serve.Plan{GPUs: []int{0, 0, 0, 1, 2, 8, 16}[r.IntN(7)], KV: []string{"", "", "fp8"}[r.IntN(3)], MaxModelLen: []int64{0, 0, 4096, 131072}[r.IntN(4)]}
	}
	q.Search = Search{Spare: []int{0, 0, 1, 3, -1, 1 << 40}[r.IntN(6)], MaxGPUs: []int{0, 0, 1, 8, 4096, -1, 1 << 40}[r.IntN(7)]}
	if r.IntN(3) == 0 {
		q.Emit = append(manifest.Formats(), "a poem")[r.IntN(len(manifest.Formats())+1)]
	}
	if r.IntN(2) == 0 {
		q.Cards = []string{[]string{"H100", "RTX 4090", "M2 Ultra", "MI250X", "unknown", "L40S,A16", "TPU v5e"}[r.IntN(7)]}
	}
	return q
}

// soundSpeed checks what is told of speed, cost and energy of one plan.
func soundSpeed(t testing.TB, o *report.Outlook) {
	t.Helper()
	if s := o.Speed; s != nil {
		if o.Verdict == "does_not_fit" && len(o.Speed.Defined) > 0 && o.Memory != nil && o.Memory.Unused < 0 {
			t.Errorf("it does not fit and has a speed")
		}
		for name, r := range map[string]*report.Range{
			"TTFT": s.TTFT, "TPOT": s.TPOT, "alone": s.Single, "prompt": s.Prompt, "output": s.Output, "a GPU": s.OutputPerGPU, "requests": s.Requests,
			"most": s.MaxOutput, "most requests": s.MaxRequests,
		} {
			soundRange(t, name, r, true)
		}
		if s.Saturated && (s.TTFT != nil || s.TPOT != nil || s.Output != nil || s.Tails != nil || s.Concurrency != nil) {
			t.Errorf("saturated with latencies: %+v", s)
		}
		if s.Saturated && s.Why == "" {
			t.Error("saturated, and nothing says why")
		}
		if s.Saturated && s.Targets != nil && s.Targets.Met != missed {
			t.Errorf("saturated, and the limits are met: %+v", s.Targets)
		}
		if g := s.Targets; g != nil && g.Met == met && (g.TTFT != nil && !(s.TTFT != nil && s.TTFT.High <= *g.TTFT) || g.TPOT != nil && s.OutputTokens > 1 && !(s.TPOT != nil && s.TPOT.High <= *g.TPOT)) {
			t.Errorf("the limits %v, %v are met with %v, %v", g.TTFT, g.TPOT, s.TTFT, s.TPOT)
		}
		if s.Single != nil && s.Concurrency != nil && *s.Concurrency < 1 {
			t.Errorf("%d requests at once", *s.Concurrency)
		}
		for _, p := range s.Curve {
			soundRange(t, "TTFT of the curve", &p.TTFT, true)
			soundRange(t, "TPOT of the curve", &p.TPOT, true)
			soundRange(t, "output of the curve", &p.Output, true)
		}
		for _, p := range slices.Concat(s.Step, s.Prefill) {
			if !(p.Seconds >= 0) || math.IsInf(p.Seconds, 0) {
				t.Errorf("%s takes %v s", p.Cause, p.Seconds)
			}
		}
		if tails := s.Tails; tails != nil {
			for _, one := range []report.Tail{tails.TTFT, tails.TPOT, tails.Total, tails.Waiting} {
				if !(one.P50 >= 0 && one.P50 <= one.P90 && one.P90 <= one.P99) || math.IsInf(one.P99, 0) {
					t.Errorf("percentiles %+v", one)
				}
			}
		}
	}
	soundMoney(t, o)
	if o.Manifest != "" && (!o.Fits && o.Verdict != "tight") {
		t.Errorf("%s, and something to run:\n%s", o.Verdict, o.Manifest)
	}
}

func soundMoney(t testing.TB, o *report.Outlook) {
	t.Helper()
	if c := o.Cost; c != nil {
		if o.Verdict == "does_not_fit" && o.Memory != nil && o.Memory.Unused < 0 {
			t.Errorf("it does not fit and has a cost: %+v, %s", *o.Memory, o.Why)
		}
		soundRange(t, "an hour", c.PerHour, true)
		soundRange(t, "a month", c.PerMonth, true)
		soundRange(t, "a million", c.PerMOutput, true)
		soundRange(t, "a million of all", c.PerMTokens, true)
		soundRange(t, "utilization", &c.Busy, true)
		if c.Busy.High > 1 {
			t.Errorf("a utilization of %v", c.Busy)
		}
		for _, p := range c.Prices {
			soundRange(t, "price", &p.PerHour, true)
			soundRange(t, "price of a million", p.PerMOutput, true)
		}
		if c.PerHour == nil && c.Why == "" {
			t.Error("no cost, and nothing says why")
		}
		if b := c.Bought; b != nil {
			soundRange(t, "owning an hour", &b.PerHour, true)
			soundRange(t, "buying", &b.Purchase, true)
		}
	}
	if e := o.Energy; e != nil {
		soundRange(t, "watts", e.Watts, true)
		soundRange(t, "Wh", e.WhPerMOut, true)
		soundRange(t, "grams", e.GramsPerM, false)
		soundRange(t, "kWh", e.KWhMonth, true)
		soundRange(t, "electricity", e.Electricity, false)
		soundRange(t, "PUE", &e.PUE, true)
		if e.PUE.Low < 1 {
			t.Errorf("a PUE of %v", e.PUE)
		}
	}
}

func soundRange(t testing.TB, name string, r *report.Range, positive bool) {
	t.Helper()
	if r == nil {
		return
	}
	if !(r.Low >= 0 && r.Low <= r.Mid && r.Mid <= r.High) || math.IsInf(r.High, 0) || positive && !(r.Mid > 0) {
		t.Errorf("%s is %+v", name, *r)
	}
}

// soundFleet checks that the replicas of a fleet hold its load, and that its cost is theirs.
func soundFleet(t testing.TB, q *EstimateQuestion, e *report.Estimate) {
	t.Helper()
	f := e.Fleet
	if f == nil {
		return
	}
	if !slices.IsSortedFunc(f.Front, func(a, b report.Choice) int { return int(math.Copysign(1, a.PerHour.Mid-b.PerHour.Mid)) }) {
		t.Error("the front is not in the order of cost")
	}
	for _, c := range f.Front {
		if c.Replicas < 1+q.Search.Spare || c.GPUs != c.Replicas*c.Plan.GPUs || !(c.Busy > 0 && c.Busy <= 1) {
			t.Errorf("%d replicas of %d GPUs, %d in all, busy %v", c.Replicas, c.Plan.GPUs, c.GPUs, c.Busy)
		}
		if q.Search.MaxGPUs > 0 && c.GPUs > q.Search.MaxGPUs {
			t.Errorf("%d GPUs, and no more than %d were wanted", c.GPUs, q.Search.MaxGPUs)
		}
		soundRange(t, "TTFT of a choice", &c.TTFT, true)
		soundRange(t, "TPOT of a choice", &c.TPOT, true)
		soundRange(t, "an hour of a choice", &c.PerHour, false)
	}
	if s, p := e.Speed, e.Plan; p != nil && p.Replicas > 0 && s != nil && s.RequestRate != nil && s.MaxRequests != nil {
		active := float64(p.Replicas - p.Spare)
		if want := f.RequestRate; *s.RequestRate*active < want*(1-1e-9) {
			t.Errorf("%d replicas with %v requests a second each, of %v", p.Replicas, *s.RequestRate, want)
		}
		if *s.RequestRate > s.MaxRequests.Mid {
			t.Errorf("each replica gets %v requests a second and answers %v", *s.RequestRate, s.MaxRequests.Mid)
		}
	}
}

func schema(t testing.TB) *jsonschema.Schema {
	t.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(jsondoc.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("https://llmcheck.dev/x.json", doc); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("https://llmcheck.dev/x.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// written checks that a document can be written, and that it is what the schema says.
func written(t testing.TB, s *jsonschema.Schema, doc *report.Document) {
	t.Helper()
	var b bytes.Buffer
	if err := jsondoc.Render(&b, []*report.Document{doc}); err != nil {
		t.Fatalf("it cannot be written: %v", err)
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Validate(v); err != nil {
		t.Errorf("%v", err)
	}
}

// TestSpeedHostile asks what nobody asks, of configurations that are sound: it is refused, or what comes of it can be
// believed.
func TestSpeedHostile(t *testing.T) {
	a, list, r, s := newAsker(t), configs(t), rand.New(rand.NewPCG(11, 2)), schema(t)
	rounds := 1000
	if testing.Short() {
		rounds = 200
	}
	answered, fleets, timed := 0, 0, 0
	for i := range rounds {
		config := list[i%len(list)]
		if r.IntN(5) == 0 {
			config = twisted(config, r.IntN(1<<16), extremes()[r.IntN(len(extremes()))])
		}
		q := wildSpeed(r)
		doc, err := a.ask(t, config, q)
		if doc != nil {
			if _, fault := json.Marshal(doc); fault != nil {
				t.Fatalf("round %d: %+v\n%v\n%s", i, q, fault, config)
			}
		}
		sound(t, doc, err)
		if doc != nil {
			e := doc.Estimate
			soundFleet(t, &q, e)
			for _, o := range append([]report.Outlook{e.Outlook}, e.Candidates...) {
				soundSpeed(t, &o)
			}
			written(t, s, doc)
			if err == nil {
				answered++
			}
			if e.Fleet != nil {
				fleets++
			}
			if e.Speed != nil && e.Speed.Single != nil {
				timed++
			}
		}
		if t.Failed() {
			t.Fatalf("round %d: %+v\n%v\n%s", i, q, err, config)
		}
	}
	t.Logf("%d answered, %d with a speed, %d fleets", answered, timed, fleets)
	if answered < rounds/10 || fleets < rounds/100 || timed < rounds/20 {
		t.Errorf("%d of %d were answered, %d fleets, %d with a speed: little was tested", answered, rounds, fleets, timed)
	}
}

// ownMeasurements are the user's, as wild as a file of benchmarks may have them.
type ownMeasurements struct {
	Measurements
	own []bench.Measurement
}

func (o ownMeasurements) Matching(card, engine, _ string) []bench.Measurement {
	var list []bench.Measurement
	for i := range o.own {
		if m := o.own[i]; m.GPU == card && m.Engine == engine {
			list = append(list, m)
		}
	}
	return list
}

func wildMeasurement(r *rand.Rand) bench.Measurement {
	metrics := []bench.Metric{bench.Decode, bench.Prefill, bench.MaxOutput, bench.Output, bench.TTFT, bench.TPOT, bench.WithPrompt, bench.UnderLimits, "smiles"}
	values := []float64{1e-9, 1e-3, 0.02, 1, 50, 3000, 1e5, 1e12}
	return bench.Measurement{
		ID: "own/" + string(rune('a'+r.IntN(26))), Model: "acme/x", Precision: []string{"bf16", "fp8", "awq", "Q4_K_M", "never"}[r.IntN(5)], Engine: string([]serve.Kind{serve.VLLM, serve.SGLang, serve.LlamaCPP}[r.IntN(3)]),
		GPU: []string{"h100-sxm", "rtx-4090", "mi250x"}[r.IntN(3)], GPUs: []int{1, 1, 1, 2, 8, 3}[r.IntN(6)], Concurrency: []int{0, 1, 1, 64, 1 << 30}[r.IntN(5)],
		Rate: []float64{0, 0, 1, 1e5}[r.IntN(4)], Input: []int64{0, 1, 1024, 1 << 40}[r.IntN(4)], Output: []int64{0, 1, 256, 1 << 40}[r.IntN(4)], Metric: metrics[r.IntN(len(metrics))],
		Value: values[r.IntN(len(values))], Own: true,
	}
}

// TestOwnMeasurementsHostile: whatever a user measured, ranges stay ranges.
func TestOwnMeasurementsHostile(t *testing.T) {
	a, r, s := newAsker(t), rand.New(rand.NewPCG(5, 5)), schema(t)
	published, narrowed := a.deps.Measured, 0
	for i := range 150 {
		var own []bench.Measurement
		for range 1 + r.IntN(20) {
			own = append(own, wildMeasurement(r))
		}
		a.deps.Measured = ownMeasurements{published, own}
		q := EstimateQuestion{
			Cards: []string{[]string{"h100-sxm", "rtx-4090", "mi250x"}[r.IntN(3)]}, Kind: []serve.Kind{serve.VLLM, serve.SGLang, serve.LlamaCPP}[r.IntN(3)], Load: wildLoad(r), Money: wildMoney(r),
			Plan: serve.Plan{GPUs: r.IntN(3)},
		}
		doc, err := a.ask(t, odd[i%len(odd)], q)
		sound(t, doc, err)
		if doc == nil {
			continue
		}
		for _, o := range append([]report.Outlook{doc.Estimate.Outlook}, doc.Estimate.Candidates...) {
			soundSpeed(t, &o)
		}
		if doc.Estimate.Speed != nil && doc.Estimate.Speed.Narrowed != "" {
			narrowed++
		}
		soundFleet(t, &q, doc.Estimate)
		written(t, s, doc)
		if t.Failed() {
			t.Fatalf("%+v\nown %+v\n%v\n%s", q, own, err, odd[i%len(odd)])
		}
	}
	if narrowed < 10 {
		t.Errorf("%d answers were narrowed: little was tested", narrowed)
	}
}
