package report

import (
	"encoding/json"
	"math"
	"slices"
	"strings"
	"testing"
	"testing/quick"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/units"
)

func TestFigures(t *testing.T) {
	for _, tt := range []struct{ name, got, want string }{
		{"no separator", units.Thousands(999), "999"},
		{"one", units.Thousands(1000), "1,000"},
		{"negative", units.Thousands(-1234567), "-1,234,567"},
		{"the least there is", units.Thousands(math.MinInt64), "-9,223,372,036,854,775,808"},
		{"two decimals", GiB(65524246528), "61.02 GiB"},
		{"thousands", GiB(1500 << 30), "1,500.00 GiB"},
		{"little is not nothing", GiB(1), "<0.01 GiB"},
		{"nothing", GiB(0), "0.00 GiB"},
		{"negative memory", GiB(-2 << 30), "-2.00 GiB"},
		{"one byte", Bytes(1), "1 byte"},
		{"bytes", Bytes(1023), "1023 bytes"},
		{"whole KiB", Bytes(262144), "256 KiB"},
		{"broken KiB", Bytes(70272), "68.62 KiB"},
		{"MiB", Bytes(33030144), "31.5 MiB"},
		{"hundreds of MiB are GiB", Bytes(512 << 20), "0.50 GiB"},
		{"billions", Params(32762123264), "32.76 B"},
		{"trillions", Params(1026408232448), "1,026.41 B"},
		{"millions", Params(134515008), "134.52 M"},
		{"no parameters are not known", Params(0), "not known"},
		{"requests are cut", Requests(0.999), "0.99"},
		{"not rounded to one", Requests(9.999), "9.99"},
		{"fewer decimals", Requests(77.18), "77.1"},
		{"none", Requests(1234.9), "1,234"},
		{"no room at all", Requests(0), "0"},
		{"hardly any room", Requests(.001), "<0.01"},
		{"no number", Requests(math.NaN()), "not known"},
		{"without end", Requests(math.Inf(1)), "not known"},
		{"less than none", Requests(-1), "not known"},
		{"beyond what a double counts", Requests(1e300), "1e+300"},
		{"a range", Range{1.2 * gib, 1.8 * gib, 2.4 * gib}.String(), "1.20-2.40 GiB"},
		{"an exact value", Range{gib, gib, gib}.String(), "1.00 GiB"},
		{"the same in print", Range{gib, gib + 1, gib + 2}.String(), "1.00 GiB"},
		{"upside down", Range{2 * gib, gib, gib}.String(), "1.00-2.00 GiB"},
		{"no range", Range{math.NaN(), 1, 2}.String(), "not known"},
		{"a range below nothing", Range{-1, 1, 2}.String(), "not known"},
		{"three figures", Range{gib, 1.5 * gib, 2 * gib}.Steps(), "1.00 / 1.50 / 2.00 GiB"},
		{"one figure", Range{gib, gib, gib}.Steps(), "1.00 GiB"},
	} {
		if tt.got != tt.want {
			t.Errorf("%s: %q, want %q", tt.name, tt.got, tt.want)
		}
	}
}

// TestRequestsNeverReachOne: what does not hold a whole number of requests never prints as if it did.
func TestRequestsNeverReachOne(t *testing.T) {
	law := func(n uint16, below float64) bool {
		below = math.Mod(math.Abs(below), 1)
		v := float64(n%200) + below
		return below == 0 || Requests(v) <= Requests(math.Floor(v)+1) || len(Requests(v)) < len(Requests(math.Floor(v)+1))
	}
	if err := quick.Check(law, nil); err != nil {
		t.Error(err)
	}
	if got := Requests(math.Nextafter(1, 0)); got != "0.99" {
		t.Errorf("just below one prints as %s", got)
	}
}

func TestWord(t *testing.T) {
	for _, tt := range []struct {
		verdict string
		fits    bool
		want    string
	}{
		{"fits", true, "fits"},
		{"tight", true, "tight"},
		{"tight", false, "tight"},
		{"does_not_fit", false, "does_not_fit"},
		{"does_not_fit", true, "does_not_fit"},
		{"fits", false, "undetermined"},
		{"FITS", true, "undetermined"},
		{"", true, "undetermined"},
		{"allowed", true, "undetermined"},
	} {
		if got := (&Outlook{Verdict: tt.verdict, Fits: tt.fits}).Word(); got != tt.want {
			t.Errorf("%q, fits %t: %s, want %s", tt.verdict, tt.fits, got, tt.want)
		}
	}
	if Spoken("does_not_fit") != "does not fit" || Spoken("_") != "undetermined" || Tone("fine") != "undetermined" {
		t.Error("words are not as people say them")
	}
}

// TestBarLaws: whatever the account holds, the parts of the bar sum to its width, none is negative, and the mark stands on
// the bar; what fits is drawn up to the mark at the end.
func TestBarLaws(t *testing.T) {
	law := func(m DeviceMemory, width uint8) bool {
		b := m.Bar(int(width))
		sum := 0
		for _, s := range b.Segments {
			if s.Width <= 0 {
				return false
			}
			sum += s.Width
		}
		drawn := m.Drawing(int(width))
		return sum == int(width) && b.Mark >= 0 && b.Mark <= int(width) && (width < 4 || len(drawn) == int(width))
	}
	if err := quick.Check(law, &quick.Config{MaxCount: 5000}); err != nil {
		t.Error(err)
	}
	most := int64(math.MaxInt64)
	for name, m := range map[string]DeviceMemory{
		"nothing":         {},
		"no capacity":     {Weights: 1},
		"all there is":    {Capacity: most, Budget: most, Weights: most, Activation: most, NonTorch: most, Graphs: most, KVCache: most, Reserved: most, Unused: most},
		"all below none":  {Capacity: math.MinInt64, Budget: -1, Weights: math.MinInt64, Activation: -1, KVCache: -5, Unused: math.MinInt64},
		"too much by all": {Capacity: 1, Weights: most, Unused: math.MinInt64},
		"too much by one": {Capacity: 99, Weights: 100, Unused: -1},
		"crumbs":          {Capacity: 1 << 40, Weights: 1, Activation: 1, NonTorch: 1, Graphs: 1, KVCache: 1, Reserved: 1, Unused: 1<<40 - 6},
		"freed by graphs": {Capacity: 100, Weights: 60, Graphs: -5, KVCache: 30, Unused: 15},
	} {
		for width := range 300 {
			if !law(m, uint8(width)) {
				t.Errorf("%s: width %d", name, width)
			}
		}
	}
}

func TestDrawing(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   DeviceMemory
		want string
	}{
		{"it fits", DeviceMemory{Capacity: 20, Weights: 10, Activation: 2, KVCache: 6, Unused: 2}, "[##########aa======..]"},
		{"crumbs are seen", DeviceMemory{Capacity: 2000, Weights: 1990, NonTorch: 1, Unused: 9}, "[##################n.]"},
		{"too much", DeviceMemory{Capacity: 10, Weights: 15, Activation: 4, Unused: -9}, "[##########!#####aaaa]"},
		{"nothing is known", DeviceMemory{}, "[....................]"},
	} {
		if got := tt.in.Drawing(22); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestParts(t *testing.T) {
	o := Outlook{
		Memory: &DeviceMemory{Capacity: 10 * gib, Weights: 9 * gib, Activation: 2 * gib, Graphs: -gib / 2, Unused: -gib},
		Terms: []Term{
			{Part: "weights", Bytes: Range{9 * gib, 9 * gib, 9 * gib}},
			{Part: "activation", Bytes: Range{gib, 1.5 * gib, 2 * gib}},
			{Part: "activation", Bytes: Range{.2 * gib, .5 * gib, gib}},
		},
	}
	var got []string
	for _, p := range o.Parts() {
		got = append(got, strings.Join([]string{p.Key, p.Amount(), o.Memory.Share(p.Bytes)}, " "))
	}
	want := []string{"weights 9.00 GiB 90 %", "activation 1.20-3.00 GiB 20 %", "graphs -0.50 GiB ", "kv_cache 0.00 GiB 0 %", "missing 1.00 GiB 10 %"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	o.Terms[1].Bytes = Range{5 * gib, 6 * gib, 7 * gib} // not the part that the account holds
	if got := o.Parts()[1].Amount(); got != "2.00 GiB" {
		t.Errorf("terms that do not belong to the part give it the range %s", got)
	}
}

func TestTrouble(t *testing.T) {
	change := []Mend{{Text: "x"}}
	for _, tt := range []struct {
		name          string
		in            Outlook
		title, breaks string
	}{
		{"nothing", Outlook{Verdict: Fits, Fits: true}, "", ""},
		{"more room", Outlook{Verdict: Fits, Fits: true, Changes: change}, "What would make more room", ""},
		{"a term that is known", Outlook{Verdict: DoesNotFit, Breaks: "weights", Terms: []Term{{Name: "weights", Bytes: Range{gib, gib, gib}}}}, "What breaks it", "weights, 1.00 GiB"},
		{"a term that is not", Outlook{Verdict: DoesNotFit, Breaks: "weights", Changes: change}, "What breaks it, and the smallest changes that mend it", "weights"},
		{"tight", Outlook{Verdict: Tight, Why: "y"}, "What makes it tight", ""},
		{"open", Outlook{Verdict: "?", Why: "y"}, "What leaves it open", ""},
	} {
		title, breaks := (&Estimate{Outlook: tt.in}).Trouble()
		if title != tt.title || breaks != tt.breaks {
			t.Errorf("%s: %q, %q, want %q, %q", tt.name, title, breaks, tt.title, tt.breaks)
		}
	}
}

func TestMendLine(t *testing.T) {
	for _, tt := range []struct {
		in         Mend
		text, flag string
	}{
		{Mend{Text: "use fp8"}, "use fp8", ""},
		{Mend{"use fp8", "--quant fp8"}, "use fp8", "--quant fp8"},
		{Mend{"use fp8: --quant fp8", "--quant fp8"}, "use fp8", "--quant fp8"},
		{Mend{"with --quant fp8 it fits", "--quant fp8"}, "with --quant fp8 it fits", ""},
		{Mend{}, "", ""},
	} {
		if text, flag := tt.in.Line(); text != tt.text || flag != tt.flag {
			t.Errorf("%v: %q, %q", tt.in, text, flag)
		}
	}
}

func TestModelWords(t *testing.T) {
	m := EstimatedModel{ParamsTotal: 30532122624, ParamsActive: 3041867776, ParamsMTP: 1 << 30, Quantization: "bf16"}
	if got, want := m.Parameters(), "30.53 B, 3.04 B active for a token; beside them 1.07 B that predict further tokens"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	m.ParamsLow, m.ParamsHigh, m.ParamsActive, m.ParamsMTP = new(int64(1e9)), new(int64(2e9)), 0, 0
	if got, want := m.Parameters(), "between 1.00 B and 2.00 B"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := m.weights(), "size not known in bf16"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestCandidateTable(t *testing.T) {
	plan := func(gpus, tensor int, quant string) *ServingPlan {
		return &ServingPlan{GPUName: "X", GPUs: gpus, Tensor: tensor, Quantization: quant, MaxModelLen: 8192}
	}
	e := Estimate{Candidates: []Outlook{
		{Plan: plan(1, 1, "fp8"), Verdict: Fits, Fits: true, MaxConcurrency: new(2.5), Cache: &Cache{MaxContext: new(int64(9000))}},
		{Plan: plan(4, 2, "fp8"), Verdict: DoesNotFit, Why: "no", Cache: &Cache{MaxContext: new(int64(0))}},
		{Verdict: "?"},
	}}
	cells := func() (rows [][]string) {
		for _, r := range e.CandidateTable().Rows {
			rows = append(rows, append(r.Cells, r.Notes...))
		}
		return rows
	}
	want := [][]string{
		{"fits", "1 x X", "fp8", "8,192", "2.5", "9,000"},
		{"does not fit", "4 x X, tensor 2", "fp8", "8,192", "not known", "none", "no"},
		{"undetermined", "a card that is not named", "", "not known", "not known", "not known"},
	}
	if diff := cmp.Diff(want, cells()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	e.Candidates = e.Candidates[:2] // of one format, which need not be said in each row
	e.Candidates[0].At = []AtContext{{MaxModelLen: 8192, Verdict: Tight, MaxConcurrency: 1.25}, {MaxModelLen: 65536, Verdict: DoesNotFit, MinGPUs: new(2)}}
	want = [][]string{
		{"fits", "1 x X", "tight, 1.25", "needs 2 GPUs", "9,000"},
		{"does not fit", "4 x X, tensor 2", "", "", "none", "no"},
	}
	if diff := cmp.Diff(want, cells()); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// TestTablesKeepTheirShape: each row has a cell for each column, also where there is nothing to tell.
func TestTablesKeepTheirShape(t *testing.T) {
	e := Estimate{
		Outlook: Outlook{Memory: &DeviceMemory{}, At: []AtContext{{}}, Terms: []Term{{}}},
		Model: EstimatedModel{
			Sizes: []Size{{}}, Symbols: []Symbol{{}}, Components: []Component{{Tensors: []TensorFormula{{}}}},
		},
		Candidates: []Outlook{{}, {At: []AtContext{{MaxModelLen: 1}, {MaxModelLen: 2}, {MaxModelLen: 3}, {MaxModelLen: 4}}}},
	}
	for i, table := range []Table{
		e.CandidateTable(), e.ContextTable(), e.MemoryTable(), e.TermTable(), e.Model.SizeTable(), e.Model.SymbolTable(),
		e.Model.ComponentTable(), e.Model.TensorTable(), (&Estimate{}).CandidateTable(),
	} {
		if len(table.Columns) == 0 {
			t.Errorf("table %d has no columns", i)
		}
		for _, r := range table.Rows {
			if len(r.Cells) != len(table.Columns) {
				t.Errorf("table %d: %d cells in %d columns", i, len(r.Cells), len(table.Columns))
			}
		}
	}
}

func TestSummarizeEstimates(t *testing.T) {
	of := func(v string) *Document {
		return &Document{Estimate: &Estimate{Outlook: Outlook{Verdict: v, Fits: true}}}
	}
	s := Summarize([]*Document{of("fits"), of("tight"), of("tight"), of("does_not_fit"), of("?"), {License: &License{Outcome: "allowed"}}})
	want := Summary{Total: 6, Allowed: 1, Estimates: &Verdicts{Fits: 1, Tight: 2, DoesNotFit: 1, Undetermined: 1}}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if s := Summarize([]*Document{{License: &License{}}}); s.Estimates != nil {
		t.Error("verdicts of no estimate")
	}
}

// TestUnknownCard: nothing is told of a card of which nothing is known, not even that it is nothing.
func TestUnknownCard(t *testing.T) {
	o := Outlook{Memory: &DeviceMemory{Weights: 1 << 30}, Cache: &Cache{BytesPerToken: 1, BytesPerRequest: 1}}
	if parts := o.Parts(); len(parts) != 1 || parts[0].Key != "weights" {
		t.Errorf("%+v, want the weights alone", parts)
	}
	data, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"capacity_bytes", "unused_bytes", "kv_cache_bytes", "max_context", "blocks"} {
		if strings.Contains(string(data), key) {
			t.Errorf("%s, want no %s", data, key)
		}
	}
	if o.largest() != unknown {
		t.Errorf("%s, want %s", o.largest(), unknown)
	}
}

// TestReplicas: each figure says whether it is of one replica or of all.
func TestReplicas(t *testing.T) {
	e := Estimate{Outlook: Outlook{
		Plan: &ServingPlan{MaxModelLen: 8192, Data: 8, MaxSeqs: 1024, BatchedTokens: 8192}, KVTokens: new(int64(305_168)), MaxConcurrency: new(298.0),
		Cache: &Cache{Replicas: 8, BytesPerToken: 1, BytesPerRequest: 1},
	}}
	const want = "305,168 tokens of KV cache on each of 8 replicas · 298 requests of 8,192 tokens at once over all 8 replicas"
	if got := e.Glance(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
	for _, f := range []Fact{
		{"KV cache tokens", "305,168 on each of 8 replicas"},
		{"requests at once", "298 requests of 8,192 tokens over all 8 replicas"},
		{"requests at most", "1,024 on each of 8 replicas"},
		{"tokens of a pass", "8,192 on each of 8 replicas"},
	} {
		if facts := append(e.CacheFacts(), e.Plan.Settings()...); !slices.Contains(facts, f) {
			t.Errorf("%q, want %q among them", facts, f)
		}
	}
}

// TestNoExpertsOnTheHost: a setting that is not used is not shown.
func TestNoExpertsOnTheHost(t *testing.T) {
	for n, want := range map[int]bool{0: false, 8: true} {
		p := ServingPlan{CPUExperts: new(n)}
		if got := slices.ContainsFunc(p.Settings(), func(f Fact) bool { return f.Name == "experts on the CPU" }); got != want {
			t.Errorf("%d layers: shown %t", n, got)
		}
	}
}
