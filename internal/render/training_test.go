package render_test

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
)

// trainingOf is an answer on training that says s and nothing else.
func trainingOf(s string) *report.Training {
	some := report.Range{Low: 1, Mid: 2, High: 3}
	whole := report.Range{Low: 1 << 30, Mid: 2 << 30, High: 3 << 30}
	o := report.TrainingOutlook{
		Plan: &report.TrainingPlan{
			GPU: s, GPUName: s, GPUs: 16, Nodes: 2, Tensor: 2, Pipeline: 2, Context: 2, Expert: 2, Data: 2, Virtual: 2, Schedule: s, Zero: 3, Shard: 1,
			Micro: 1, Micros: 2, Fabric: report.Fabric{ID: s, Name: s, Node: 8, Domain: 8, Link: s, LinkBytes: 1e9, Net: s, NetGbit: 400, Source: s},
		},
		Verdict: s, Why: s, Breaks: s, Counted: s, PeakOf: s, BoundBy: s, Basis: s, Reasons: []string{s, s},
		Memory:  &report.TrainingMemory{Capacity: 1 << 31, Weights: 1 << 30, Gradients: 1 << 30, Total: whole, Rank: s, Host: &whole, Basis: s},
		Terms:   []report.Term{{Part: s, Name: s, Bytes: whole, Formula: s, Source: s}},
		Changes: []report.Mend{{Text: s, Flag: s}, {Text: s, Flag: "--x " + s}},
		FLOPs:   new(1e20), PerToken: new(1e10), Peak: new(1e15), MFU: &some, HFU: &some, TFLOPS: &some, TokensPerS: &some, StepSeconds: &some, Steps: new(9.0),
		Parts:   []report.StepPart{{Cause: s, Seconds: 1, Formula: s, Source: s}, {Cause: "bubble", Seconds: 1}},
		Where:   []report.TimeShare{{What: s, Share: .5}, {What: "failures " + s, Share: .5}},
		Traffic: []report.LinkTraffic{{What: s, Link: s, Bytes: 1, Seconds: 1, Hidden: .5}}, BubbleShare: new(.1), IdleShare: new(.2),
		Time: &some, GPUHours: &some, Goodput: &some, USD: &some, Wh: &some, Grams: &some,
		Failing: &report.Failures{MTBF: some, Expected: some, Checkpoint: 1, Save: 1, Restart: 1, Source: s},
		Cost: &report.TrainingCost{
			Total: &some, PerHour: &some, PerMTok: &some, PerGPUHr: &some, BuyUSD: &some, Buying: &some, Basis: s, NotIn: s, Why: s,
			Prices: costOf(s).Prices, Bought: costOf(s).Bought,
		},
		Energy: &report.TrainingEnergy{
			Watts: &some, KWh: &some, Kg: &some, Electricity: &some, Cooling: &some, PUE: some, Grid: some, Place: s, Why: s,
			Parts: []report.CostPart{{What: s, Value: some, Unit: s, Formula: s, Source: s}},
		},
		Nearest: []report.NearestTraining{{What: s, Metric: s, Value: 1, Unit: s, Computed: &some, Differs: s, Source: s}},
	}
	return &report.Training{
		Summary: s, Method: s, TrainingOutlook: o, Candidates: []report.TrainingOutlook{o, {Verdict: s, Why: s}},
		Model: report.TrainingModel{
			Architecture: s, Family: s + "2", Total: 9, Active: 8, Trained: 7, Layers: 1, Hidden: 2, Vocabulary: 3, Source: s,
			Derived:    s + "\n\t" + s,
			Components: []report.Component{{Name: s, Tensors: []report.TensorFormula{{Name: s, Formula: s, Format: s}}}},
		},
		Job: report.TrainingJob{
			Framework: s, Precision: s, Optimizer: s, Recompute: s, Loss: s, Sequence: 1, Global: 2, Tokens: 3, Rank: 4, Quantized: s, Offload: s,
		},
		Data: &report.TrainingData{
			Tokens: 4, PerParam: 1, Optimal: some, Usual: &some, Have: new(1.0), Epochs: new(2.0), Verdict: s, Why: s, Sources: []string{s, s},
			Points: []report.DataPoint{{Tokens: 1, What: s, GPUHours: &some, Time: &some, USD: &some}},
		},
		Found:       &report.TrainingSearch{Deadline: 2, Looked: 3, Fitted: 2, Largest: 4, Stops: s, Why: s},
		Generations: []report.Generation{{GPU: s, Outlook: &o, Time: &some, Hours: &some, Energy: &some, USD: &some}, {GPU: s, Why: s}},
		Refused:     []report.Refused{{Plan: s, Why: s}}, Assumed: []report.Assumption{{What: s, Value: s, Why: s}}, Notes: []string{s}, Outside: s,
		Defined: []report.Definition{{Term: s, Means: s}},
	}
}

// FuzzScanTraining puts any text into every string of an answer on training.
func FuzzScanTraining(f *testing.F) {
	for _, p := range poison {
		f.Add(p)
	}
	f.Fuzz(func(t *testing.T, s string) {
		docs := []*report.Document{everywhere(s), everywhere("a " + s)}
		for _, d := range docs {
			d.License, d.Estimate = nil, nil
		}
		for _, v := range views {
			report1(t, v.suffix, scanners[v.suffix](write(t, v.format, docs, v.page)))
		}
	})
}

// FuzzRandomTraining renders answers on training with figures that no machine has and parts that are not there.
func FuzzRandomTraining(f *testing.F) {
	for seed := range uint64(24) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 2))
		d := &report.Document{Schema: report.Schema, Subject: report.Subject{Ref: "acme/x", Origin: "hf"}, Training: &report.Training{}}
		fill(r, reflect.ValueOf(d.Training).Elem())
		docs := []*report.Document{d}
		if r.IntN(3) == 0 {
			docs = append(docs, everywhere("x"))
		}
		for _, v := range views {
			v.page.Width = []int{0, 1, 40, 47, 80, 140, 1000}[r.IntN(7)]
			report1(t, fmt.Sprintf("%s of seed %d", v.suffix, seed), scanners[v.suffix](write(t, v.format, docs, v.page)))
		}
	})
}

// TestUnknownTraining: a word that is no verdict, and one that is belied, are never shown as a plan that fits.
func TestUnknownTraining(t *testing.T) {
	for name, edit := range map[string]func(*report.Training){
		"unknown": func(e *report.Training) { e.Verdict = "sure" },
		"empty":   func(e *report.Training) { e.Verdict = "" },
		"belied":  func(e *report.Training) { e.Fits = false },
	} {
		d := named(t, "training-pretrain")
		edit(d.Training)
		for format, want := range map[string]string{
			"text": "UNDETERMINED  ", "markdown": "❓ Undetermined", "html": `class="verdict undetermined"`,
		} {
			if got := write(t, format, []*report.Document{d}, render.Page{}); !strings.Contains(got, want) {
				t.Errorf("%s, %s does not hold %q", name, format, want)
			}
		}
	}
}

// TestDeadline: the first word says whether the run ends in time.
func TestDeadline(t *testing.T) {
	for deadline, want := range map[float64]struct{ text, tone string }{
		30 * 86400: {"fits, and ends in time", "allowed"}, 12 * 86400: {"fits, perhaps too late", "conditional"},
		5 * 86400: {"fits, but too late", "prohibited"},
	} {
		d := named(t, "training-auto")
		d.Training.Found.Deadline = deadline
		for format, part := range map[string]string{
			"text": strings.ToUpper(want.text) + "  ", "markdown": strings.ToUpper(want.text[:1]) + want.text[1:] + ":",
			"html": `<section class="verdict ` + want.tone + `">`,
		} {
			if got := write(t, format, []*report.Document{d}, render.Page{}); !strings.Contains(got, part) {
				t.Errorf("%g s, %s: no %q", deadline, format, part)
			}
		}
	}
	d := named(t, "training-auto")
	d.Training.Time = nil
	if got := write(t, "text", []*report.Document{d}, render.Page{}); !strings.HasPrefix(got, "FITS, TIME NOT KNOWN  ") {
		t.Errorf("a run whose time is not known begins with %q", got[:60])
	}
	d = named(t, "training-auto")
	d.Training.Plan, d.Training.Verdict, d.Training.Fits, d.Training.Found.Why = nil, "does_not_fit", false, "none ends in time"
	if got := write(t, "text", []*report.Document{d}, render.Page{}); !strings.HasPrefix(got, "NO PLAN DOES IT  ") || !strings.Contains(got, "none ends in time") {
		t.Errorf("no plan begins with %q", got[:60])
	}
}

// TestTrainingIsWhole: what the issue asks for is in every format that people read.
func TestTrainingIsWhole(t *testing.T) {
	for sample, words := range map[string][]string{
		"training-pretrain": {
			"GPU-hours", "tCO2e", "GWh", "MFU", "HFU", "the dense peak of 989 TFLOP/s", "attention causal", "bubble", "computing|products", "failures", "goodput",
			"a checkpoint every", "RoCE", "NVLink 4", "tensor 8 x pipeline 16 x data 128", "compute-optimal", "over-trained", "PUE", "hyperscaler",
			"not included", "optimizer", "gradients", "activations", "stage 1 of 16",
		},
		"training-too-large":   {"99", "--offload optimizer", "missing", "breaks"},
		"training-sketch":      {"hidden_size", "derived"},
		"training-generations": {"GB200", "0.49 x (0.45-0.53)", "fp8 products were asked for"},
		"training-grpo":        {"writing answers", "other models"},
	} {
		for _, format := range []string{"text", "markdown", "html"} {
			got := write(t, format, []*report.Document{named(t, sample)}, render.Page{Width: 140})
			got = strings.NewReplacer("\\", "", "`", "").Replace(got)
			for _, w := range words {
				found := false
				for either := range strings.SplitSeq(w, "|") {
					found = found || strings.Contains(got, either)
				}
				if !found {
					t.Errorf("%s as %s: no %q", sample, format, w)
				}
			}
		}
	}
}

// TestNoAlertOnTraining: code scanners are told that there is an answer, and that it is none of theirs.
func TestNoAlertOnTraining(t *testing.T) {
	got := write(t, "sarif", []*report.Document{named(t, "training-too-large")}, render.Page{})
	if strings.Contains(got, `"ruleId"`) || !strings.Contains(got, "what training takes is no finding") {
		t.Errorf("got %s", got)
	}
}
