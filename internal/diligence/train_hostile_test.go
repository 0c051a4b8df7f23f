package diligence

import (
	"encoding/json"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/train"
	trained "github.com/llmcheck/llmcheck/internal/train/catalog"
)

// school is the world in which training is asked about.
func school() Deps {
	d := world(shelf{}, models.Default())
	d.Training, d.Fabric = sync.OnceValues(train.Default), trained.Fabric
	return d
}

// pick is one of a list, mostly the zero value: what people say, they say of few things.
func pick[T any](r *rand.Rand, list ...T) T {
	var zero T
	if len(list) == 0 || r.IntN(10) != 0 {
		return zero
	}
	return list[r.IntN(len(list))]
}

// absurd is a whole number that nobody means, once in many.
func absurd(r *rand.Rand, often int, usual ...int64) int64 {
	if r.IntN(often) == 0 {
		return []int64{-1, math.MinInt64, math.MaxInt64, 1 << 62, 1 << 31, 3, 999_999_937}[r.IntN(7)]
	}
	return pick(r, usual...)
}

// wildTraining is a question as nobody asks it: what is said contradicts itself, and is absurd once in often.
func wildTraining(r *rand.Rand, often int) TrainingQuestion {
	n := func(usual ...int64) int64 { return absurd(r, often, usual...) }
	small := func(usual ...int64) int { return int(max(math.MinInt32, min(math.MaxInt32, n(usual...)))) }
	x := func(usual ...float64) float64 {
		if r.IntN(often) == 0 {
			return []float64{math.NaN(), math.Inf(1), math.Inf(-1), -1, 1e-300, math.MaxFloat64, math.SmallestNonzeroFloat64, 1e18}[r.IntN(8)]
		}
		return pick(r, usual...)
	}
	cards := gpus.Default().IDs()
	q := TrainingQuestion{
		Cards: []string{cards[r.IntN(len(cards))]},
		Job: train.Job{
			Method: pick(r, train.Methods()...), Framework: pick(r, train.Frameworks()...), Precision: pick(r, train.BF16, train.FP16, train.FP8, train.Precision("fp32")),
			Optimizer: pick(r, train.Optimizer("adamw"), "adamw-8bit", "adafactor", "muon", "sgd"), Recompute: pick(r, train.None, train.Selective, train.Whole),
			Loss: pick(r, train.Plain, train.Chunked, train.Fused), Offload: pick(r, train.NoOffload, train.OffOptimizer, train.OffAll),
			Sequence: n(128, 2048, 8192, 131072), Global: n(1, 7, 64, 2048), Tokens: x(1e6, 1e9, 1e12, 1.5e13), Fill: x(0.1, 0.7, 1), Failing: x(3600, 1e8),
			PureBF16: r.IntN(16) == 0, NoFlash: r.IntN(16) == 0, InBackward: r.IntN(16) == 0, TrainOuter: r.IntN(16) == 0, Distilled: r.IntN(16) == 0,
			Rank: n(1, 8, 64, 65536), Targets: pick(r, []string{"q_proj"}, []string{"nosuch"}, []string{"\x1b[31m"}), Quantized: pick(r, "nf4", "nf4-dq", "int8"),
			Group: n(2, 8, 64), Prompt: n(16, 512, 4096), Rollout: r.IntN(4) == 0, RolloutFree: r.IntN(4) == 0, Apart: r.IntN(4) == 0,
		},
		Plan: train.Plan{
			GPUs: small(1, 2, 7, 8, 64, 1024, 16384), Tensor: small(1, 2, 8), Pipeline: small(1, 2, 4, 16), Context: small(1, 2), Expert: small(1, 2, 8),
			Data: small(1, 4, 8), Virtual: small(1, 2, 5), Shard: small(1, 8), Zero: []int{-1, -1, -1, -1, -1, -1, -1, 0, 1, 2, 3}[r.IntN(11)], Micro: n(1, 2, 4),
			Schedule: pick(r, train.OneFOneB, train.Interleaved, train.ZeroBubble), NoOverlap: r.IntN(8) == 0, NoSequence: r.IntN(8) == 0,
		},
		Auto: r.IntN(8) == 0, Most: small(8, 512), Deadline: time.Duration(n(int64(time.Hour), int64(30*24*time.Hour))),
		Node: small(1, 4, 8), NetGbit: x(1, 100, 400), Failing: time.Duration(n(int64(time.Hour), int64(50_000*time.Hour))), Have: x(1e6, 1e12), Epochs: x(0.5, 3),
		Fabric: pick(r, "", "", "", "dgx-h100", "none", "nosuch"), Explain: r.IntN(2) == 0,
	}
	if r.IntN(2) == 0 { // what is mostly asked
		q.Job.Tokens, q.Cards = 1e9, []string{[]string{"h100-sxm", "a100-80-sxm", "b200-sxm", "rtx-4090", "mi300x", "l40s"}[r.IntN(6)]}
	}
	if r.IntN(3) == 0 {
		q.Money = wildMoney(r)
	}
	if r.IntN(6) == 0 {
		q.Compare = pick(r, []string{"all"}, []string{"unknown", "b200"}, []string{"rtx-4090"})
	}
	if r.IntN(12) == 0 {
		q.Cards = pick(r, []string{"unknown"}, []string{"h100", "mi300x"}, []string{"\x1b]0;x\a"}, []string{""})
	}
	return q
}

// described by numbers instead of by a configuration, in a third of questions.
func sketchedTraining(r *rand.Rand, q *TrainingQuestion, often int) {
	switch r.IntN(3) {
	case 0:
		q.Ref = model.Ref{}
		q.Params, q.Active = []int64{1e8, 8e9, 70e9, 1e12, absurd(r, often, 0)}[r.IntN(5)], absurd(r, often, 1e8, 3e9)
	case 1:
		q.Ref = model.Ref{}
		q.Layers, q.Hidden, q.Vocab = []int64{1, 32, 128, absurd(r, often, 0)}[r.IntN(4)], []int64{64, 4096, absurd(r, often, 0)}[r.IntN(3)], absurd(r, often, 1000, 128256)
	}
}

// TestTrainHostile asks what nobody asks, of configurations that are sound and of such that are not: it is refused with a
// reason, or what comes of it can be written and believed. No question takes long.
func TestTrainHostile(t *testing.T) {
	d, list, r, s := school(), configs(t), rand.New(rand.NewPCG(5, 1)), schema(t)
	rounds, answered, priced := 700, 0, 0
	if testing.Short() {
		rounds = 300
	}
	for i := range rounds {
		often := []int{20, 200, 4000}[i%3]
		config := list[r.IntN(len(list))]
		if r.IntN(4) == 0 {
			config = twisted(config, r.IntN(1<<16), extremes()[r.IntN(len(extremes()))])
		}
		d.Models = shelf{"acme/x": fstest.MapFS{"config.json": file(config)}}
		q := wildTraining(r, often)
		q.Ref = hub("acme/x")
		sketchedTraining(r, &q, often)
		start := time.Now()
		doc, err := Train(t.Context(), d, q)
		if took := time.Since(start); took > slower*5*time.Second {
			t.Errorf("took %v", took)
		}
		if doc == nil && (err == nil || err.Error() == "") {
			t.Error("neither an answer nor a reason")
		}
		if doc != nil {
			if _, fault := json.Marshal(doc); fault != nil {
				t.Errorf("it cannot be written: %v", fault)
			} else {
				written(t, s, doc)
			}
			if err == nil {
				answered++
				soundTraining(t, doc.Training)
			}
			if doc.Training.USD != nil {
				priced++
			}
		}
		if t.Failed() {
			t.Fatalf("round %d: %+v\n%v\n%.300s", i, q, err, config)
		}
	}
	t.Logf("%d of %d answered, %d with a price", answered, rounds, priced)
	if answered < rounds/10 || priced < rounds/50 {
		t.Errorf("%d of %d were answered, %d with a price: little was tested", answered, rounds, priced)
	}
}

// TestTrainRefuses keeps the reasons in words that somebody can act on.
func TestTrainRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, want string
		is         error
		q          TrainingQuestion
	}{
		{
			"a module that is not there", `--lora-targets names "nosuch\x1b[31m", and no linear layer`, train.ErrIllegal,
			TrainingQuestion{Ref: hub("Qwen/Qwen3-8B"), Job: train.Job{Method: train.LoRA, Targets: []string{"q_proj", "nosuch\x1b[31m"}}},
		},
		{"a network that is not there", `looking up network "nosuch": no such network`, trained.ErrUnknownFabric, TrainingQuestion{Ref: hub("Qwen/Qwen3-8B"), Fabric: "nosuch"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.q.Plan.Zero = -1
			_, err := Train(t.Context(), school(), tt.q)
			if !errors.Is(err, tt.is) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want %q", err, tt.want)
			}
		})
	}
}

// soundTraining checks what everybody who reads an answer relies on, whatever was asked.
func soundTraining(t testing.TB, a *report.Training) {
	t.Helper()
	all := append([]report.TrainingOutlook{a.TrainingOutlook}, a.Candidates...)
	for _, g := range a.Generations {
		for _, r := range []*report.Range{g.Time, g.Hours, g.Energy, g.USD} {
			soundRange(t, "a ratio of "+g.GPU, r, true)
		}
		if g.Outlook != nil {
			all = append(all, *g.Outlook)
		}
	}
	for i := range all {
		soundTrainingOutlook(t, &all[i])
	}
	if a.Verdict != "undetermined" && a.Plan != nil && a.Model.Total <= 0 {
		t.Errorf("a model of %d parameters", a.Model.Total)
	}
	if d := a.Data; d != nil {
		for _, p := range d.Points {
			soundRange(t, "GPU-hours of "+p.What, p.GPUHours, true)
			soundRange(t, "USD of "+p.What, p.USD, true)
		}
	}
	for _, n := range a.Nearest {
		soundRange(t, "computed for "+n.What, n.Computed, true)
	}
	for _, s := range a.Assumed {
		if s.What == "" || s.Value == "" || s.Why == "" {
			t.Errorf("assumed without a reason: %+v", s)
		}
	}
}

func soundTrainingOutlook(t testing.TB, o *report.TrainingOutlook) {
	t.Helper()
	soundHeld(t, o)
	for name, r := range map[string]*report.Range{
		"MFU": o.MFU, "HFU": o.HFU, "TFLOP/s": o.TFLOPS, "tokens/s": o.TokensPerS, "a step": o.StepSeconds, "time": o.Time, "GPU-hours": o.GPUHours,
		"goodput": o.Goodput, "USD": o.USD, "Wh": o.Wh,
	} {
		soundRange(t, name, r, true)
	}
	soundRange(t, "grams", o.Grams, false)
	most := 1.0
	if strings.Contains(o.Counted, "in full") { // half of the attention that is counted is not computed
		most = 2
	}
	for name, r := range map[string]*report.Range{"MFU": o.MFU, "HFU": o.HFU, "goodput": o.Goodput} {
		if r != nil && r.Mid > most {
			t.Errorf("%s of %v", name, r)
		}
	}
	for name, v := range map[string]*float64{"bubble": o.BubbleShare, "idle": o.IdleShare} {
		if v != nil && !(*v >= 0 && *v <= 1) {
			t.Errorf("%s of %v", name, *v)
		}
	}
	if len(o.Where) > 0 {
		sum := 0.0
		for _, s := range o.Where {
			sum += s.Share
			if !(s.Share > 0 && s.Share <= 1) {
				t.Errorf("a share of %+v", s)
			}
		}
		if math.Abs(sum-1) > 1e-6 {
			t.Errorf("shares of time add up to %v: %+v", sum, o.Where)
		}
	}
	soundBill(t, o)
}

// soundHeld checks that the terms of memory add up and that the verdict is that of the sum.
func soundHeld(t testing.TB, o *report.TrainingOutlook) {
	t.Helper()
	m := o.Memory
	if m == nil {
		return
	}
	parts := []int64{m.Weights, m.Gradients, m.Optimizer, m.Activations, m.Logits, m.OtherModels, m.Overhead}
	var sum int64
	for _, p := range parts {
		sum += p
	}
	if slices.Min(parts) < 0 {
		t.Errorf("memory: %+v", *m)
	}
	terms := 0.0
	for _, term := range o.Terms {
		soundRange(t, term.Name, &term.Bytes, false)
		terms += term.Bytes.Mid
	}
	held := m.Total
	if m.Planned != nil {
		held = *m.Planned
	}
	for name, v := range map[string]float64{"parts": float64(sum), "terms": terms} {
		if math.Abs(v-held.Mid) > 1e-6*held.Mid+16 {
			t.Errorf("%s of memory add up to %.0f of %.0f", name, v, held.Mid)
		}
	}
	capacity, want := float64(m.Capacity), "tight"
	switch {
	case m.Capacity <= 0:
		want = undetermined
	case held.High <= capacity:
		want = "fits"
	case held.Low > capacity:
		want = "does_not_fit"
	}
	if o.Verdict != want || o.Fits != (want == "fits") {
		t.Errorf("%s (fits %t) for %v of %d, want %s", o.Verdict, o.Fits, held, m.Capacity, want)
	}
}

// soundBill checks that money is hours by price, and energy watts by hours and what the building adds.
func soundBill(t testing.TB, o *report.TrainingOutlook) {
	t.Helper()
	if o.Verdict == "does_not_fit" && (o.USD != nil || o.Cost != nil || o.Wh != nil || o.Energy != nil) {
		t.Error("it does not fit and has a bill")
	}
	if o.Time != nil && o.Plan != nil {
		agree(t, "GPU-hours", o.GPUHours.Mid, o.Time.Mid/3600*float64(o.Plan.GPUs))
	}
	if o.USD != nil {
		agree(t, "USD", o.USD.Mid, o.Cost.PerHour.Mid*o.Time.Mid/3600)
		low, high := o.Cost.PerHour.Low*o.Time.Low/3600, o.Cost.PerHour.High*o.Time.High/3600
		if o.USD.Low < low*(1-1e-9) || o.USD.High > high*(1+1e-9) { // both doubts at once are the most that it can be
			t.Errorf("USD of %v, beyond %v to %v", o.USD, low, high)
		}
		agree(t, "USD an hour", o.Cost.PerHour.Mid, o.Cost.PerGPUHr.Mid*float64(o.Plan.GPUs))
	}
	if e := o.Energy; e != nil && o.Wh != nil {
		agree(t, "Wh", o.Wh.Mid, e.Watts.Mid*o.Time.Mid/3600*e.PUE.Mid)
		agree(t, "kWh", e.KWh.Mid*1e3, o.Wh.Mid)
		agree(t, "cooling", e.Cooling.Mid, e.KWh.Mid*(1-1/e.PUE.Mid))
		if o.Grams != nil {
			agree(t, "grams", o.Grams.Mid, e.KWh.Mid*e.Grid.Mid)
		}
	}
}

func agree(t testing.TB, name string, got, want float64) {
	t.Helper()
	if math.Abs(got-want) > 1e-9*math.Abs(want) {
		t.Errorf("%s: %v, want %v", name, got, want)
	}
}
