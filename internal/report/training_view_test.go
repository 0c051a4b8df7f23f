package report

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/quick"
)

func trainings(t *testing.T) []*Training {
	t.Helper()
	files, err := filepath.Glob("../../testdata/report/training-*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: %v", err)
	}
	var out []*Training
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var d Document
		if err := json.Unmarshal(data, &d); err != nil {
			t.Fatal(err)
		}
		if d.Training != nil { // not of a batch
			out = append(out, d.Training)
		}
	}
	return out
}

func TestTrainingQuantities(t *testing.T) {
	r := func(low, mid, high float64) *Range { return &Range{low, mid, high} }
	for _, tt := range []struct{ name, got, want string }{
		{"days", spans.about(r(70*day, 79*day, 94*day)), "about 79 days (70-94)"},
		{"hours", spans.one(3600 * 30), "30 h"},
		{"years", spans.one(1200 * day), "3.29 years"},
		{"no time", spans.one(0), "0 s"},
		{"GPU-hours", gpuHours.between(r(250_000, 280_000, 330_000)), "250,000-330,000 GPU-hours"},
		{"millions of them", gpuHours.about(r(27e6, 31e6, 37e6)), "about 31 million GPU-hours (27-37)"},
		{"tokens", tokens.one(15.6e12), "15.6 trillion tokens"},
		{"few tokens", tokens.one(3.2e7), "32 million tokens"},
		{"a rate", tokenRates.about(r(1.9e6, 2.1e6, 2.4e6)), "about 2.1 million tokens/s (1.9-2.4)"},
		{"traffic", moved.one(1.07e12), "1.07 TB"},
		{"energy", wattHours.about(r(26e9, 35e9, 52e9)), "about 35 GWh (26-52)"},
		{"emissions", carbonG.about(r(8.8e9, 13e9, 22e9)), "about 13,000 tCO2e (8,800-22,000)"},
		{"work", operations(new(3.8e25)), "3.80 x 10^25 FLOP"},
		{"work that is none", operations(new(math.NaN())), ""},
		{"a ratio", ratio.between(r(.45, .49, .53)), "0.45-0.53 x"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// trainingUnit is what has to stand by a figure of training.
var trainingUnit = regexp.MustCompile(`(?i)\b(ms|µs|s|min|h|days?|years?|tokens?|tokens/s|GPU-hours?|GPUs?|plans|steps?|sequences|layers|wide|times|` +
	`W|kW|MW|Wh|kWh|MWh|GWh|kgCO2e|tCO2e|gCO2e|GB/s|TFLOP/s|FLOP|Gbit/s|GiB|kB|MB|GB|TB|PUE|chunks|rank|parameters?|run|B|M|x)\b|\$|%`)

// TestTrainingFiguresHaveUnits: no figure of a section stands without its unit, unless the head of its column has it.
func TestTrainingFiguresHaveUnits(t *testing.T) {
	n := 0
	free := []string{"source", "basis", "configuration", "note", "pipeline", "network", "not included", "with", "architecture", "optimizer"}
	for _, tr := range trainings(t) {
		for _, s := range tr.Sections() {
			for _, f := range s.Facts {
				if slices.Contains(free, f.Name) {
					continue // names and sentences of the document
				}
				if n++; figure.MatchString(f.Value) && !trainingUnit.MatchString(f.Value) {
					t.Errorf("%s, %s: %q has no unit", s.Title, f.Name, f.Value)
				}
			}
			tables := []Table{s.Table}
			if s.Pile != nil {
				tables = append(tables, s.Pile.Table())
			}
			for _, table := range tables {
				for _, r := range table.Rows {
					for i, c := range r.Cells {
						if head := table.Columns[i].Name; !table.Columns[i].Number || head == "no." || head == "offers" || s.Looked && s.Pile == nil && head != "time" {
							continue
						} else if n++; figure.MatchString(c) && !trainingUnit.MatchString(c) && !trainingUnit.MatchString(head) && !strings.Contains(head, "USD") {
							t.Errorf("%s, %s: %q has no unit", s.Title, head, c)
						}
					}
				}
			}
		}
		for _, g := range []string{tr.Sum(), tr.Load(), tr.Room()} {
			for part := range strings.SplitSeq(g, " · ") {
				if figure.MatchString(part) && !trainingUnit.MatchString(part) {
					t.Errorf("%q has no unit", part)
				}
			}
		}
	}
	if n < 200 {
		t.Errorf("only %d figures", n)
	}
}

// TestNothingOfTraining: what is not known is no fact, no row, no drawing, and never 0.
func TestNothingOfTraining(t *testing.T) {
	for _, tr := range []*Training{
		{},
		{TrainingOutlook: TrainingOutlook{Plan: &TrainingPlan{}, Memory: nil, Cost: &TrainingCost{}, Energy: &TrainingEnergy{}, Failing: &Failures{}}},
		{TrainingOutlook: TrainingOutlook{MFU: &Range{}, Time: &Range{}, GPUHours: &Range{}, USD: &Range{}, Steps: new(0.0), Peak: new(0.0)}, Data: &TrainingData{}},
		{Found: &TrainingSearch{}, Generations: nil, TrainingOutlook: TrainingOutlook{Traffic: []LinkTraffic{{}}, Where: []TimeShare{{}}, Parts: []StepPart{{}}}},
	} {
		for _, s := range tr.Sections() {
			for _, f := range s.Facts {
				if figure.MatchString(f.Value) {
					t.Errorf("%s, %s: %q of nothing", s.Title, f.Name, f.Value)
				}
			}
			if s.Pile != nil || s.Chart != nil || len(s.Table.Rows) > 0 {
				t.Errorf("%s is drawn of nothing", s.Title)
			}
		}
		if g := tr.Sum() + tr.Load() + tr.Room(); g != "" {
			t.Errorf("%q of nothing", g)
		}
	}
}

// TestPileFills: the pieces of a pile fill its bar, whatever they are, and the letters of it are as many as asked for.
func TestPileFills(t *testing.T) {
	law := func(sizes []float64, capacity float64, width uint8) bool {
		p := &Pile{Capacity: math.Abs(capacity)}
		for _, v := range sizes {
			p.Pieces = append(p.Pieces, Piece{Key: "weights", Sign: "#", Size: v})
		}
		sum := 0
		for _, s := range p.Bar(int(width)).Segments {
			sum += s.Width
		}
		n := int(width) + 2
		drawn := len([]rune(p.Drawing(n)))
		at := p.Place(1, n)
		return (sum == int(width) || len(sizes) == 0) && (drawn == n || len(sizes) == 0) && at >= 0 && at <= n && len([]rune(p.Ruler(n))) <= n
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
}

// TestMemoryPile: a card that may be too small is seen to be, and one that is has its end inside of the bar.
func TestMemoryPile(t *testing.T) {
	of := func(low, mid, high, capacity int64) *Pile {
		o := TrainingOutlook{Memory: &TrainingMemory{
			Weights: mid * gib, Capacity: capacity * gib, Total: Range{float64(low * gib), float64(mid * gib), float64(high * gib)},
		}}
		return o.MemoryPile()
	}
	for _, tt := range []struct {
		name               string
		low, mid, high, of int64
		want               string
	}{
		{"fits", 4, 5, 6, 10, "[##########~~........]"},
		{"tight", 8, 9, 11, 10, "[###############~!~~]"},
		{"too large", 15, 19, 19, 10, "[#########!#########]"},
		{"card not known", 4, 8, 10, 0, "[################~~~~]"},
	} {
		p := of(tt.low, tt.mid, tt.high, tt.of)
		got := p.Drawing(22)
		if strings.Contains(tt.want, "!") != strings.Contains(got, "!") || strings.Contains(tt.want, "~") != strings.Contains(got, "~") || strings.Contains(tt.want, ".") != strings.Contains(got, ".") || len(got) != 22 {
			t.Errorf("%s: %s, want one like %s", tt.name, got, tt.want)
		}
		for _, q := range p.Pieces {
			if strings.Contains(got, q.Sign) != (q.Size > 0 || q.Key == "missing") {
				t.Errorf("%s: %s has no %s of its legend", tt.name, got, q.Sign)
			}
		}
	}
	if p := of(15, 19, 19, 10); p.Missing != "9.00 GiB missing" {
		t.Errorf("missing: %q", p.Missing)
	}
}

// TestTimePile: the run ends where it says, and the deadline is where it was asked for.
func TestTimePile(t *testing.T) {
	tr := &Training{Data: &TrainingData{Tokens: 10e9, Optimal: Range{4e9, 5e9, 6e9}}, Found: &TrainingSearch{Deadline: 20 * day}}
	tr.Time = &Range{8 * day, 10 * day, 14 * day}
	tr.Failing = &Failures{Expected: Range{3, 4, 6}, MTBF: Range{1 * day, 2.5 * day, 4 * day}}
	p := tr.TimePile()
	sizes := make([]float64, len(p.Pieces))
	for i, q := range p.Pieces {
		sizes[i] = q.Size / day
	}
	if !slices.Equal(sizes, []float64{5, 3, 6, 6}) {
		t.Errorf("stretches of %v days", sizes)
	}
	if len(p.Notches) != 4 || p.Place(p.Marks[0].At, 100) != 50 || p.End != "deadline 20 days" {
		t.Errorf("%d failures, end at %d, %q", len(p.Notches), p.Place(p.Marks[0].At, 100), p.End)
	}
	tr.Found.Deadline = 10 * day
	if got := tr.TimePile().Drawing(30); !strings.Contains(got, "!") {
		t.Errorf("%s shows no deadline", got)
	}
	tr.Found, tr.Time = nil, &Range{0, 0, 0}
	if tr.TimePile() != nil {
		t.Error("a run of no time is drawn")
	}
}

// TestUses: every cause that package train names has a color and a letter of its own kind.
func TestUses(t *testing.T) {
	for cause := range strings.FieldsSeq("products attention head elementwise recompute dequantize tensor_parallel context_parallel expert_parallel" +
		" data_parallel pipeline_send bubble imbalance optimizer offload rollouts scoring idle failures communication compute overhead checkpoints") {
		if u := useOf(cause); u.key == "other" || u.sign == "." || u.sign == "" || strings.Contains(u.name, "_") {
			t.Errorf("%s: %+v", cause, u)
		}
	}
	if u := useOf("network: gradients"); u.name != "network: gradients" || u.key != "network" {
		t.Errorf("a name that says more is lost: %+v", u)
	}
	if u := useOf("magic"); u.key != "other" || u.name != "magic" {
		t.Errorf("%+v", u)
	}
}

// TestTrainingTablesKeepTheirShape: each row has a cell for each column, also where there is nothing to tell.
func TestTrainingTablesKeepTheirShape(t *testing.T) {
	tr := &Training{
		Candidates: []TrainingOutlook{{}, {Plan: &TrainingPlan{}}}, Generations: []Generation{{}, {Outlook: &TrainingOutlook{}}},
		Data: &TrainingData{Points: []DataPoint{{}}},
	}
	tr.Traffic, tr.Terms = []LinkTraffic{{Bytes: 1}}, []Term{{}}
	tr.Cost = &TrainingCost{Prices: []PriceUsed{{}}}
	for _, tr := range append(trainings(t), tr) {
		for _, s := range tr.Sections() {
			for _, r := range s.Table.Rows {
				if len(r.Cells) != len(s.Table.Columns) {
					t.Errorf("%s: %d cells in %d columns", s.Title, len(r.Cells), len(s.Table.Columns))
				}
			}
		}
	}
}
