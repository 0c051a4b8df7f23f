package catalog

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/evidence"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
)

func every(t testing.TB) []bench.Measurement {
	t.Helper()
	all, err := Default().WithBroken()
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 742 {
		t.Fatalf("%d measurements, want 742", len(all))
	}
	return all
}

func TestPublic(t *testing.T) {
	ids := make(map[string]bool)
	broken := 0
	for _, m := range every(t) {
		if ids[m.ID] {
			t.Errorf("%s is there twice", m.ID)
		}
		ids[m.ID] = true
		if m.Broken != "" {
			broken++
		}
		if m.Own || m.Source.Title == "" || !strings.HasPrefix(m.Source.URL, "https://") {
			t.Errorf("%s: source %+v", m.ID, m.Source)
		}
		if m.Precision != strings.ToLower(m.Precision) {
			t.Errorf("%s: precision %s", m.ID, m.Precision)
		}
	}
	believed, err := Default().All()
	if err != nil || broken != 8 || len(believed) != 742-broken {
		t.Errorf("%d are broken and %d believed: %v", broken, len(believed), err)
	}
}

// Each is of a card and a model that we know.
func TestNamesAreKnown(t *testing.T) {
	cards, known := gpus.Default(), models.Default()
	missing := make(map[string]bool)
	for _, m := range every(t) {
		if _, err := cards.Get(m.GPU); err != nil {
			missing[m.GPU] = true
		}
		if _, _, found, err := known.Config(m.Model); err != nil || !found {
			missing[m.Model] = true
		}
	}
	if len(missing) > 0 {
		t.Errorf("not in our catalogs: %v", missing)
	}
}

// Dividing multiplies: ranks of tensors, layers and requests are no more than the GPUs.
func TestDivisions(t *testing.T) {
	for _, m := range every(t) {
		if n := max(1, m.Tensor) * max(1, m.Pipeline) * max(1, m.Data); n > m.GPUs || m.Expert > m.GPUs {
			t.Errorf("%s: %s on %d GPUs", m.ID, m.Division, m.GPUs)
		}
	}
}

func shared(t *testing.T, name string) []map[string]string {
	t.Helper()
	dir, err := filepath.Abs(".")
	for err == nil {
		if _, gone := os.Stat(filepath.Join(dir, "go.mod")); gone == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Skip("there is no go.mod above")
		}
		dir = filepath.Dir(dir)
	}
	f, err := os.Open(filepath.Join(dir, "..", "shared", "groundtruth", name))
	if err != nil {
		t.Skip(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.Comment, r.LazyQuotes = '\t', '#', true
	lines, err := r.ReadAll()
	if err != nil || len(lines) < 2 {
		t.Fatalf("%d lines: %v", len(lines), err)
	}
	rows := make([]map[string]string, 0, len(lines))
	for _, l := range lines[1:] {
		row := make(map[string]string, len(l))
		for i, cell := range l {
			row[lines[0][i]] = cell
		}
		rows = append(rows, row)
	}
	return rows
}

// Every row of the shared table is carried, with its value in base units.
func TestSharedTableIsCarried(t *testing.T) {
	ids, cards := make(map[string]string), make(map[string]string)
	for _, r := range shared(t, "models.tsv") {
		ids[r["name"]] = strings.Replace(r["model"], "/Meta-Llama-3.1", "/Llama-3.1", 1)
	}
	for _, r := range shared(t, "gpu_names.tsv") {
		cards[r["name"]] = r["id"]
		if _, err := gpus.Default().Get(r["id"]); err != nil {
			m, err := gpus.Default().Resolve(r["id"])
			if err != nil {
				t.Fatal(err)
			}
			cards[r["name"]] = m.GPU.ID
		}
	}
	held := make(map[string]int)
	for _, m := range every(t) {
		held[line(m)]++
	}
	rows := shared(t, "inference_speed.tsv")
	for _, r := range rows {
		m := wanted(t, r)
		m.Model, m.GPU = ids[r["model"]], cards[r["gpu"]]
		if held[line(m)]--; held[line(m)] < 0 {
			t.Errorf("%s is not carried: %s", r["id"], line(m))
		}
	}
	if len(rows) != 742 {
		t.Errorf("the shared table has %d rows", len(rows))
	}
}

func line(m bench.Measurement) string {
	return fmt.Sprintln(m.Model, m.Precision, m.KV, m.Engine, m.Version, m.GPU, m.GPUs, m.Division, m.Concurrency, m.Input,
		m.Output, m.Metric, strconv.FormatFloat(m.Value, 'g', 12, 64), m.Broken != "")
}

func wanted(t *testing.T, r map[string]string) bench.Measurement {
	t.Helper()
	number := func(key string) float64 {
		f, err := strconv.ParseFloat(r[key], 64)
		if err != nil {
			t.Fatalf("%s: %v", r["id"], err)
		}
		return f
	}
	metrics := map[string]bench.Metric{
		"decode_tps": bench.Decode, "decode_tps_total": bench.Decode, "prefill_tps": bench.Prefill,
		"output_tps_max_load": bench.MaxOutput, "output_tps_max_load_per_gpu": bench.MaxOutput,
		"mlperf_tokens_per_s_offline": bench.MaxOutput, "mlperf_tokens_per_s_server": bench.UnderLimits,
		"mlperf_tokens_per_s_interactive": bench.UnderLimits, "ttft_ms": bench.TTFT, "tpot_ms": bench.TPOT,
		"e2e_tps_incl_prompt": bench.WithPrompt,
	}
	m := bench.Measurement{
		Precision: strings.ToLower(r["precision"]), KV: r["kv_dtype"], Version: r["engine_version"],
		GPUs: int(number("gpu_count")), Division: r["parallel"], Metric: metrics[r["metric"]], Value: number("value"),
		Input: int64(number("isl")), Output: int64(math.Round(number("osl"))),
	}
	m.Engine, _, _ = strings.Cut(r["engine"], " ")
	if m.Engine == "ollama" {
		m.Engine = "llama.cpp"
	}
	if n, err := strconv.Atoi(r["concurrency"]); err == nil {
		m.Concurrency = n
	}
	if r["unit"] == "ms" {
		m.Value /= 1000
	}
	if r["scope"] == "per_gpu" {
		m.Value *= float64(m.GPUs)
	}
	if strings.Contains(r["notes"], "do not score") {
		m.Broken = "yes"
	}
	return m
}

func own() *Record {
	return &Record{
		Title: "bench.json", Digest: "sha256:" + strings.Repeat("0123456789abcdef", 4), Own: true,
		Checked: evidence.Date{Year: 2026, Month: 11, Day: 24},
		Rows: []Row{
			{
				ID: "1", Model: "org/model", Precision: "fp8", Engine: "vllm", Version: "0.19.0", GPU: "l4", GPUs: 2,
				Division: "TP2", Concurrency: 8, Input: 1000, Output: 200, Metric: bench.TPOT, Value: 0.025,
			},
			{
				ID: "2", Model: "org/other", Precision: "fp8", Engine: "vllm", GPU: "l4", GPUs: 1, Rate: 0.5,
				Metric: bench.Output, Value: 250,
			},
		},
	}
}

func TestOverlay(t *testing.T) {
	text, err := Encode("mine", own())
	if err != nil {
		t.Fatal(err)
	}
	again, err := Encode("mine", own())
	if err != nil || string(again) != string(text) {
		t.Errorf("the same record is written in two ways: %v", err)
	}
	c, err := Default().Overlay(fstest.MapFS{"mine.yaml": {Data: text}})
	if err != nil {
		t.Fatal(err)
	}
	want := bench.Measurement{
		ID: "mine/1", Model: "org/model", Precision: "fp8", Engine: "vllm", Version: "0.19.0", GPU: "l4", GPUs: 2,
		Division: "TP2", Tensor: 2, Concurrency: 8, Input: 1000, Output: 200, Metric: bench.TPOT, Value: 0.025, Own: true,
		Source: evidence.Source{
			Title: "bench.json (sha256:0123456789ab)", Checked: evidence.Date{Year: 2026, Month: 11, Day: 24},
		},
	}
	if diff := cmp.Diff(want, c.Own()[0]); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(c.Matching("l4", "vllm", "")); n != 2 {
		t.Errorf("%d match the card and the engine", n)
	}
	if got := c.Matching("l4", "vllm", "Org/Model"); len(got) != 1 || got[0].ID != "mine/1" {
		t.Errorf("the model matches %v", got)
	}
	if n := len(c.Matching("l4", "sglang", "")) + len(c.Matching("l40s", "vllm", "")) + len(Default().Own()); n != 0 {
		t.Errorf("%d match what they are not of", n)
	}
	if all, err := c.WithBroken(); err != nil || len(all) != 744 || !all[0].Own || all[2].Own {
		t.Errorf("%d measurements: %v", len(all), err)
	}
}

func TestOverlayReplaces(t *testing.T) {
	r := own()
	r.Own = false
	text, err := Encode("gpt-fast", r)
	if err != nil {
		t.Fatal(err)
	}
	c, err := Default().Overlay(fstest.MapFS{"gpt-fast.yaml": {Data: text}})
	if err != nil {
		t.Fatal(err)
	}
	if all, err := c.WithBroken(); err != nil || len(all) != 742-12+2 {
		t.Errorf("%d measurements: %v", len(all), err)
	}
	if len(c.Own()) != 0 {
		t.Error("what is not the user's own is taken for it")
	}
}

func TestRefused(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Record)
		want   string
	}{
		"no title":         {func(r *Record) { r.Title = "" }, "title is missing"},
		"nothing":          {func(r *Record) { r.Rows = nil }, "there is none"},
		"twice":            {func(r *Record) { r.Rows[1].ID = "1" }, "there twice"},
		"zero":             {func(r *Record) { r.Rows[0].Value = 0 }, "value is 0"},
		"not a number":     {func(r *Record) { r.Rows[0].Value = math.NaN() }, "value is NaN"},
		"negative":         {func(r *Record) { r.Rows[0].Input = -1 }, "input is -1"},
		"endless":          {func(r *Record) { r.Rows[0].Value = math.Inf(1) }, "value is +Inf"},
		"no GPU":           {func(r *Record) { r.Rows[0].GPUs = 0 }, "gpus is 0"},
		"no card":          {func(r *Record) { r.Rows[0].GPU = "" }, "gpu is missing"},
		"unknown metric":   {func(r *Record) { r.Rows[0].Metric = "speed" }, `metric is "speed"`},
		"several lines":    {func(r *Record) { r.Rows[0].Note = "a\nb" }, "note is"},
		"not UTF-8":        {func(r *Record) { r.Rows[0].Note = "a\xff" }, "note is"},
		"control title":    {func(r *Record) { r.Title = "a\x1bb" }, "not one line"},
		"control place":    {func(r *Record) { r.Rows[0].Place = "a\rb" }, "place is not one line"},
		"control sequence": {func(r *Record) { r.Rows[0].Version = "\x1b[2J" }, "version is"},
	} {
		r := own()
		tt.change(r)
		if _, err := Encode("mine", r); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func TestTableRefused(t *testing.T) {
	const head = "title: x\n---\n" + columns + "\n"
	const row = "1\t\torg/m\tfp8\t\tvllm\t\tl4\t1\t\t1\t1\t1\tdecode\t5\t\t"
	if _, err := decodeTable("x.tsv", head+row+"\n"); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"no record":        {columns + "\n" + row, "no line ---"},
		"unknown key":      {"titel: x\n---\n" + columns + "\n" + row, "titel"},
		"other columns":    {"title: x\n---\nid\tvalue\n" + row, "x.tsv:3"},
		"too few":          {head + "1\t2\n", "columns"},
		"too many":         {head + row + "\tmore\n", "want 17 columns"},
		"one too many":     {head + row + "\t\n", "want 17 columns"},
		"words for number": {head + strings.Replace(row, "\t5\t", "\tfive\t", 1), "x.tsv:4: reading measurements: value"},
		"twice":            {head + row + "\n" + row + "\n", "there twice"},
		"empty":            {head, "there is none"},
	} {
		if _, err := decodeTable("x.tsv", tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func BenchmarkDecodePublic(b *testing.B) {
	for b.Loop() {
		if _, err := decodePublic(); err != nil {
			b.Fatal(err)
		}
	}
}

func asked() *bench.Question {
	return &bench.Question{
		Measurement: bench.Measurement{
			Model: "meta-llama/Llama-3.1-70B", Precision: "fp8", Engine: "vllm", Version: "0.19.0", GPU: "h100-sxm", GPUs: 4,
			Tensor: 4, Concurrency: 16, Input: 1024, Output: 1024, Metric: bench.TPOT,
		},
		Size: bench.Size{Total: 70.6e9, Active: 70.6e9}, Card: card(gpus.Default(), "h100-sxm"),
	}
}

func card(c *gpus.Catalog, id string) bench.Card {
	a, err := c.Get(id)
	if err != nil {
		return bench.Card{}
	}
	return bench.Card{
		Name: a.Name, Vendor: a.Vendor, Arch: a.Arch, BandwidthGBs: a.BandwidthGBs, TFLOPS: a.DenseTFLOPS["bf16"],
	}
}

func known(c *gpus.Catalog) bench.Lookup {
	return bench.Lookup{Card: func(id string) (bench.Card, bool) { return card(c, id), true }}
}

// Every model that was measured has a size, and every measurement is the nearest to itself.
func TestNearestToItself(t *testing.T) {
	cards := gpus.Default()
	c := Default()
	all, err := c.All()
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range all {
		size, ok := c.Size(m.Model)
		if !ok {
			t.Fatalf("%s has no size", m.Model)
		}
		if i%10 != 0 {
			continue
		}
		near, why, err := c.Nearest(&bench.Question{Measurement: m, Size: size, Card: card(cards, m.GPU)}, 1, known(cards))
		if err != nil || len(near) != 1 || near[0].Distance != 0 || near[0].Differs != nil {
			t.Errorf("%s: %+v, %s, %v", m.ID, near, why, err)
		}
	}
}

func TestNearestNothing(t *testing.T) {
	q := asked()
	q.Model, q.Size = "org/tiny", bench.Size{Total: 1e8, Active: 1e8}
	near, why, err := Default().Nearest(q, 3, known(gpus.Default()))
	if err != nil || len(near) != 0 || !strings.Contains(why, "too far") {
		t.Errorf("%+v, %q, %v", near, why, err)
	}
}

func BenchmarkNearest(b *testing.B) {
	q, cards, c := asked(), gpus.Default(), Default()
	for b.Loop() {
		if near, _, err := c.Nearest(q, 3, known(cards)); err != nil || len(near) != 3 {
			b.Fatal(near, err)
		}
	}
}

// What a benchmark program wrote comes back from the user's folder as it was completed.
func TestCalibrate(t *testing.T) {
	text, err := os.Open(filepath.Join("..", "testdata", "invented", "vllm-serve.json"))
	if err != nil {
		t.Fatal(err)
	}
	defer text.Close()
	f, err := bench.Read(text)
	if err != nil {
		t.Fatal(err)
	}
	all, err := f.Complete(bench.Measurement{Model: "org/model", Precision: "fp8", Engine: "vllm", GPU: "l40s", GPUs: 4, Tensor: 2, Pipeline: 2})
	if err != nil {
		t.Fatal(err)
	}
	record, err := Encode("hour", NewRecord("vllm-serve.json", "sha256:00", f.Date, all))
	if err != nil {
		t.Fatal(err)
	}
	c, err := Default().Overlay(fstest.MapFS{"hour.yaml": {Data: record}})
	if err != nil {
		t.Fatal(err)
	}
	for i := range all {
		all[i].ID = "hour/" + all[i].ID
		all[i].Division = "TP2 PP2"
		all[i].Source = evidence.Source{Title: "vllm-serve.json (sha256:00)", Checked: f.Date}
	}
	if diff := cmp.Diff(all, c.Matching("l40s", "vllm", "org/model")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	again, err := Encode("hour", NewRecord("vllm-serve.json", "sha256:00", f.Date, c.Own()))
	if err != nil || string(again) != string(record) {
		t.Errorf("written again: %v\n%s", err, again)
	}
}

// Law: a table that is accepted holds records that can be written and read again, whatever its cells hold.
func FuzzTable(f *testing.F) {
	text, err := embedded.ReadFile("public/gpt-fast.tsv")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add("title: x\n---\n" + columns + "\n1\t\torg/m\tfp8\t\tvllm\t\tl4\t1\t\t1\t1\t1\tdecode\t5\t\t\n")
	f.Fuzz(func(t *testing.T, text string) {
		r, err := decodeTable("x.tsv", text)
		if err != nil {
			return
		}
		out, err := Encode("x", r)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Default().Overlay(fstest.MapFS{"x.yaml": {Data: out}})
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if diff := cmp.Diff(r, c.over["x"]); diff != "" {
			t.Fatalf("(-table +record):\n%s", diff)
		}
	})
}
