package render_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/render"
	"github.com/llmcheck/llmcheck/internal/report"
)

var update = flag.Bool("update", false, "rewrite testdata/golden and the layout of testdata/report")

const (
	reports = "../../testdata/report"
	goldens = "../../testdata/golden"
)

// sample is one file of testdata/report.
type sample struct {
	name string
	data []byte
	docs []*report.Document
}

func samples(t testing.TB) []sample {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(reports, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no document in %s: %v", reports, err)
	}
	var out []sample
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, sample{strings.TrimSuffix(filepath.Base(f), ".json"), data, parse(t, data)})
	}
	return out
}

func parse(t testing.TB, data []byte) []*report.Document {
	t.Helper()
	var one struct {
		report.Document
		Documents []*report.Document `json:"documents"`
	}
	if err := json.Unmarshal(data, &one); err != nil {
		t.Fatal(err)
	}
	if one.Schema == report.BatchSchema {
		return one.Documents
	}
	return []*report.Document{&one.Document}
}

// view is a format on a page, as a golden file holds it.
type view struct {
	suffix, format string
	page           render.Page
}

var views = []view{
	{".80.txt", "text", render.Page{Width: 80}},
	{".140.txt", "text", render.Page{Width: 140}},
	{".color.txt", "text", render.Page{Width: 80, Color: true}},
	{".jsonl", "jsonl", render.Page{}},
	{".md", "markdown", render.Page{}},
	{".html", "html", render.Page{}},
	{".sarif", "sarif", render.Page{}},
}

func write(t testing.TB, format string, docs []*report.Document, p render.Page) string {
	t.Helper()
	f, err := render.Find(format)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := f.Render(&b, docs, p); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestGolden(t *testing.T) {
	want := make(map[string]bool)
	for _, s := range samples(t) {
		for _, v := range views {
			name := s.name + v.suffix
			want[name] = true
			t.Run(name, func(t *testing.T) { golden(t, name, write(t, v.format, s.docs, v.page)) })
		}
	}
	entries, err := os.ReadDir(goldens)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if !want[e.Name()] {
			t.Errorf("%s is the golden of no document", e.Name())
		}
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join(goldens, name)
	if *update {
		if err := os.MkdirAll(goldens, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v (go test ./internal/render -update writes it)", err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("-want +got; go test ./internal/render -update if it is meant\n%s", diff)
	}
}

// TestRoundTrip: JSON → report → JSON is the identity, so the documents are their own goldens.
func TestRoundTrip(t *testing.T) {
	for _, s := range samples(t) {
		got := write(t, "json", s.docs, render.Page{})
		if *update {
			if err := os.WriteFile(filepath.Join(reports, s.name+".json"), []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
			continue
		}
		if diff := cmp.Diff(string(s.data), got); diff != "" {
			t.Errorf("%s: -read +written\n%s", s.name, diff)
		}
		lines := write(t, "jsonl", s.docs, render.Page{})
		for i, line := range strings.Split(strings.TrimSuffix(lines, "\n"), "\n") {
			if diff := cmp.Diff(s.docs[i:i+1], parse(t, []byte(line))); diff != "" {
				t.Errorf("%s, line %d: -document +read back\n%s", s.name, i+1, diff)
			}
		}
	}
}

// TestEveryPart keeps the documents complete: each part of a report stands in at least one of them.
func TestEveryPart(t *testing.T) {
	seen, outcomes, verdicts := make(map[string]bool), make(map[string]bool), make(map[string]bool)
	trainings := make(map[string]bool)
	for _, s := range samples(t) {
		for _, d := range s.docs {
			seen["gaps"] = seen["gaps"] || len(d.Gaps) > 0
			if d.License != nil {
				outcomes[d.License.Outcome] = true
				mark(t, seen, "", d.License)
			}
			if e := d.Estimate; e != nil {
				verdicts[e.Verdict] = true
				mark(t, seen, "estimate.", e)
				mark(t, seen, "model.", e.Model)
				mark(t, seen, "plan.", e.Plan)
				mark(t, seen, "memory.", e.Memory)
				mark(t, seen, "cache.", e.Cache)
				mark(t, seen, "speed.", e.Speed)
				mark(t, seen, "cost.", e.Cost)
				mark(t, seen, "energy.", e.Energy)
				mark(t, seen, "fleet.", e.Fleet)
			}
			if tr := d.Training; tr != nil {
				trainings[tr.Verdict] = true
				mark(t, seen, "training.", tr)
				mark(t, seen, "training.model.", tr.Model)
				mark(t, seen, "training.job.", tr.Job)
				mark(t, seen, "training.plan.", tr.Plan)
				mark(t, seen, "training.memory.", tr.Memory)
				mark(t, seen, "training.cost.", tr.Cost)
				mark(t, seen, "training.energy.", tr.Energy)
				mark(t, seen, "training.data.", tr.Data)
				mark(t, seen, "training.search.", tr.Found)
				for i := range tr.Candidates {
					mark(t, seen, "training.memory.", tr.Candidates[i].Memory)
				}
			}
			seen["both"] = seen["both"] || d.License != nil && d.Estimate != nil
		}
	}
	for part := range strings.FieldsSeq("gaps both matches claims effective licenses reasons duties thresholds questions changes lineage" +
		" datasets passages disclaimer summary use " + estimateParts + trainingKeys) {
		if !seen[part] {
			t.Errorf("no document shows %s", part)
		}
	}
	if len(outcomes) != 4 || len(verdicts) != 4 || len(trainings) != 4 {
		t.Errorf("outcomes shown: %v, verdicts: %v, of trainings: %v", outcomes, verdicts, trainings)
	}
}

const estimateParts = `estimate.summary estimate.plan estimate.why estimate.memory_per_gpu estimate.kv_capacity_tokens
	estimate.max_concurrency estimate.cache estimate.at estimate.host_bytes estimate.terms estimate.breaks estimate.changes
	estimate.candidates estimate.refused estimate.assumed estimate.notes model.params_low model.params_high model.params_mtp
	model.weights_bytes_low model.weights_bytes_high model.state_bytes model.layers model.components model.symbols model.sizes
	model.license plan.gpu_memory_utilization plan.n_gpu_layers plan.n_cpu_moe memory.budget_bytes cache.blocks cache.state_bytes
	estimate.manifest plan.replicas plan.spare_replicas speed.ttft_s speed.tpot_s speed.single_stream_tokens_per_s speed.prompt_tokens_per_s
	speed.output_tokens_per_s speed.output_tokens_per_s_per_gpu speed.requests_per_s speed.max_output_tokens_per_s
	speed.max_requests_per_s speed.concurrency speed.request_rate speed.prompt_bound_by speed.why speed.targets speed.percentiles
	speed.curve speed.decode_step speed.prefill_step speed.peak speed.nearest speed.calibrated speed.definitions cost.usd_per_hour
	cost.usd_per_month cost.usd_per_million_output_tokens cost.usd_per_million_tokens cost.prices cost.bought cost.why energy.watts
	energy.wh_per_million_output_tokens energy.gco2e_per_million_output_tokens energy.kwh_per_month energy.kgco2e_per_month
	energy.usd_per_month energy.parts fleet.request_rate fleet.users fleet.front fleet.rejected`

const trainingKeys = ` training.summary training.model training.method training.plan training.why training.memory_per_gpu training.terms
	training.breaks training.changes training.flops training.flops_per_token training.flops_convention training.peak_flops_per_gpu
	training.peak_of training.mfu training.hfu training.model_tflops_per_gpu training.tokens_per_s training.step_s training.steps
	training.step training.gpu_time training.traffic training.bubble_share training.idle_share training.bound_by training.basis
	training.time_s training.gpu_hours training.goodput training.failures training.cost training.cost_usd training.energy
	training.energy_wh training.gco2e training.nearest training.reasons training.data training.search training.candidates
	training.generations training.refused training.assumed training.notes training.outside_of_model training.definitions
	training.model.derived_config training.model.components training.job.lora_rank training.job.frozen_weights
	training.plan.virtual_stages training.plan.schedule training.memory.host_bytes_per_gpu training.cost.bought
	training.cost.owned_usd training.cost.buying_usd training.cost.why training.energy.cooling_kwh training.energy.why
	training.data.served_model_tokens training.data.at_hand training.data.epochs training.data.points training.search.deadline_s
	training.search.stops`

// mark notes the keys of a part that hold something.
func mark(t *testing.T, seen map[string]bool, prefix string, part any) {
	t.Helper()
	b, err := json.Marshal(part)
	if err != nil {
		t.Fatal(err)
	}
	var keys map[string]any
	if err := json.Unmarshal(b, &keys); err != nil {
		t.Fatal(err)
	}
	for k, v := range keys {
		if list, ok := v.([]any); !ok || len(list) > 0 {
			seen[prefix+k] = true
		}
	}
}

// TestSamplesAddUp: the figures of the samples are not measured, but they keep the laws that figures keep.
func TestSamplesAddUp(t *testing.T) {
	n := 0
	for _, s := range samples(t) {
		for _, d := range s.docs {
			if d.Estimate == nil || s.name == "estimate-poisoned" {
				continue
			}
			for _, o := range append([]report.Outlook{d.Estimate.Outlook}, d.Estimate.Candidates...) {
				if o.Memory == nil {
					continue
				}
				n++
				m := o.Memory
				if sum := m.Weights + m.Activation + m.NonTorch + m.Graphs + m.KVCache + m.Reserved + m.Unused; sum != m.Capacity {
					t.Errorf("%s: the parts of %s sum to %d of %d", s.name, o.Plan.Cards(), sum, m.Capacity)
				}
				if c := o.Cache; c != nil && c.Blocks != nil && *c.Blocks*c.BlockTokens*c.BytesPerToken > m.KVCache {
					t.Errorf("%s: the blocks are larger than the cache", s.name)
				}
			}
		}
	}
	if n == 0 {
		t.Error("no sample has an account")
	}
}

// TestTrainingsAddUp: the same of trainings: parts of memory are those of the terms, shares are the whole, and the figures
// of a run follow from each other.
func TestTrainingsAddUp(t *testing.T) {
	n := 0
	near := func(a, b float64) bool { return math.Abs(a-b) <= 1e-3*math.Max(math.Abs(a), math.Abs(b)) }
	check := func(name string, o *report.TrainingOutlook) {
		if m := o.Memory; m != nil {
			n++
			sum := m.Weights + m.Gradients + m.Optimizer + m.Activations + m.Logits + m.OtherModels + m.Overhead
			if !near(float64(sum), m.Total.Mid) {
				t.Errorf("%s: the parts sum to %d of %g", name, sum, m.Total.Mid)
			}
			var terms report.Range
			for _, x := range o.Terms {
				terms.Low, terms.Mid, terms.High = terms.Low+x.Bytes.Low, terms.Mid+x.Bytes.Mid, terms.High+x.Bytes.High
			}
			if len(o.Terms) > 0 && (!near(terms.Low, m.Total.Low) || !near(terms.Mid, m.Total.Mid) || !near(terms.High, m.Total.High)) {
				t.Errorf("%s: the terms sum to %v of %v", name, terms, m.Total)
			}
		}
		sum := 0.0
		for _, s := range o.Where {
			sum += s.Share
		}
		if len(o.Where) > 0 && !near(sum, 1) {
			t.Errorf("%s: the shares sum to %g", name, sum)
		}
		if o.Plan != nil {
			if p := o.Plan; p.Tensor*p.Pipeline*p.Context*p.Data != p.GPUs {
				t.Errorf("%s: the plan is of other than %d GPUs", name, p.GPUs)
			}
		}
		if o.Time == nil {
			return
		}
		n++
		if gpus := float64(o.Plan.GPUs); !near(o.Time.Mid*gpus/3600, o.GPUHours.Mid) || !near(o.MFU.Mid**o.Peak, o.TFLOPS.Mid*1e12) ||
			!near(o.TokensPerS.Mid**o.PerToken, gpus*o.TFLOPS.Mid*1e12) || !near(*o.Steps*o.StepSeconds.Mid/o.Goodput.Mid, o.Time.Mid) ||
			!near(o.Energy.KWh.Mid*1000, o.Wh.Mid) || !near(o.Energy.Kg.Mid*1000, o.Grams.Mid) {
			t.Errorf("%s: the figures of the run do not follow from each other", name)
		}
	}
	for _, s := range samples(t) {
		for _, d := range s.docs {
			if d.Training == nil {
				continue
			}
			check(s.name, &d.Training.TrainingOutlook)
			for i := range d.Training.Candidates {
				check(fmt.Sprintf("%s, candidate %d", s.name, i+1), &d.Training.Candidates[i])
			}
			for _, g := range d.Training.Generations {
				if g.Outlook != nil {
					check(s.name+" on "+g.GPU, g.Outlook)
				}
			}
		}
	}
	if n < 20 {
		t.Errorf("only %d accounts and runs", n)
	}
}

// TestNothingToShow: no document is no success in any format.
func TestNothingToShow(t *testing.T) {
	for _, name := range render.Names() {
		f, err := render.Find(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, docs := range [][]*report.Document{nil, {}, {nil}} {
			var b bytes.Buffer
			if err := f.Render(&b, docs, render.Page{}); err == nil || b.Len() > 0 {
				t.Errorf("%s of %v: error %v, %d bytes", name, docs, err, b.Len())
			}
		}
	}
}

// named is the only document of a sample.
func named(t *testing.T, name string) *report.Document {
	t.Helper()
	for _, s := range samples(t) {
		if s.name == name {
			return s.docs[0]
		}
	}
	t.Fatalf("no sample %s", name)
	return nil
}

// TestUnknownOutcome: a word that is no outcome is shown as undetermined, never as permission.
func TestUnknownOutcome(t *testing.T) {
	d := named(t, "allowed")
	d.License.Outcome = "fine"
	for format, want := range map[string]string{
		"text": "UNDETERMINED", "markdown": "❓ Undetermined", "html": `class="verdict undetermined"`, "sarif": `"level": "warning"`,
	} {
		if got := write(t, format, []*report.Document{d}, render.Page{}); !strings.Contains(got, want) {
			t.Errorf("%s does not hold %q:\n%s", format, want, got)
		}
	}
}

// TestUnknownVerdict: a word that is no verdict, and one that the rest of the document belies, are shown as undetermined,
// never as a model that fits.
func TestUnknownVerdict(t *testing.T) {
	for name, edit := range map[string]func(*report.Estimate){
		"unknown": func(e *report.Estimate) { e.Verdict = "sure" },
		"empty":   func(e *report.Estimate) { e.Verdict = "" },
		"belied":  func(e *report.Estimate) { e.Fits = false },
	} {
		d := named(t, "estimate-fits")
		edit(d.Estimate)
		for format, want := range map[string]string{
			"text": "UNDETERMINED  ", "markdown": "❓ Undetermined", "html": `class="verdict undetermined"`, "sarif": `"estimate-undetermined",
          "ruleIndex": 5`,
		} {
			if got := write(t, format, []*report.Document{d}, render.Page{}); !strings.Contains(got, want) {
				t.Errorf("%s, %s does not hold %q:\n%s", name, format, want, got)
			}
		}
	}
}

// TestBothParts: a document with both answers shows both verdicts before anything else, and its gaps once.
func TestBothParts(t *testing.T) {
	d := named(t, "license-and-estimate")
	d.Gaps = []report.Gap{{What: "onlyonce", Why: "why", Kind: "absent"}}
	for format, words := range map[string][]string{
		"text":     {"ALLOWED  openai/", "TIGHT  openai/", "judged for", "Memory per GPU", "onlyonce", "not legal advice"},
		"markdown": {"✅ Allowed", "🟡 Tight", "Judged for", "Memory per GPU", "onlyonce"},
		"html":     {`verdict allowed`, `verdict conditional`, "Judged for", "Memory per GPU", "onlyonce"},
	} {
		got := write(t, format, []*report.Document{d}, render.Page{})
		if n := strings.Count(got, "onlyonce"); n != 1 {
			t.Errorf("%s tells a gap %d times", format, n)
		}
		at := 0
		for _, w := range words {
			i := strings.Index(got[at:], w)
			if i < 0 {
				t.Errorf("%s: no %q after byte %d", format, w, at)
				break
			}
			at += i
		}
	}
}

// TestNoAnswer: a document without the part that a format shows says so.
func TestNoAnswer(t *testing.T) {
	d := &report.Document{Schema: report.Schema, Subject: report.Subject{Ref: "acme/x", Origin: "hf"}}
	for format, want := range map[string]string{"text": "no answer", "markdown": "no answer", "html": "no answer", "sarif": "not judged"} {
		if got := write(t, format, []*report.Document{d}, render.Page{}); !strings.Contains(got, want) {
			t.Errorf("%s does not hold %q:\n%s", format, want, got)
		}
	}
}

func BenchmarkRender(b *testing.B) {
	var big []*report.Document
	for _, s := range samples(b) {
		big = append(big, s.docs...)
	}
	for _, name := range render.Names() {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(write(b, name, big, render.Page{}))))
			for b.Loop() {
				write(b, name, big, render.Page{})
			}
		})
	}
}
