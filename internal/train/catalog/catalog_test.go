package catalog

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/train"
)

func every(t testing.TB) []Measurement {
	t.Helper()
	all, err := All()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAll(t *testing.T) {
	kinds, ids := make(map[Kind]int), make(map[string]bool)
	for _, m := range every(t) {
		kinds[m.Metric.Kind()]++
		if ids[m.ID] {
			t.Errorf("%s is there twice", m.ID)
		}
		ids[m.ID] = true
		if m.Source.Title == "" {
			t.Errorf("%s has no source", m.ID)
		}
		if strings.HasPrefix(m.Source.Title, "NVIDIA") && m.Source.URL == "" {
			t.Errorf("%s: where is %s?", m.ID, m.Source.Title)
		}
	}
	if kinds[Speed] != 145 || kinds[Memory] != 62 || kinds[Runs] != 20 || len(ids) != 227 {
		t.Errorf("there are %v", kinds)
	}
}

// Every measurement gives a question or says why not, and those that are compared give one.
func TestQuestions(t *testing.T) {
	for _, blind := range []bool{true, false} {
		asked, compared := 0, 0
		for _, m := range every(t) {
			j, p, err := m.Question(blind)
			why, ok := m.Comparable(blind)
			if ok == (why != "") {
				t.Errorf("%s: comparable is %t, %q", m.ID, ok, why)
			}
			switch {
			case err != nil && !errors.Is(err, ErrNoQuestion):
				t.Errorf("%s: %v", m.ID, err)
			case err != nil && ok:
				t.Errorf("%s is to be compared: %v", m.ID, err)
			case err != nil:
				continue
			}
			asked++
			if ok {
				compared++
			}
			if j.Shape == nil || p.GPU == nil || j.Method == "" || blind && p.GPUs < 1 {
				t.Errorf("%s: %+v, %+v", m.ID, j, p)
			}
			checkSize(t, &m, &j)
		}
		// What the document leaves to others: rules of thumb, adapters that are none of LoRA, power.
		if asked != 213 || compared != map[bool]int{true: 190, false: 206}[blind] {
			t.Errorf("blind %t: %d asked, %d compared", blind, asked, compared)
		}
	}
}

// The shape has about as many parameters as the document says. Some count what others leave out.
func checkSize(t *testing.T, m *Measurement, j *train.Job) {
	t.Helper()
	n := float64(j.Shape.Params().Total)
	if off := n/m.Params - 1; math.Abs(off) > 0.22 || math.Abs(off) > 0.025 && m.Known != "gpt-7b-gqa8" && m.Known != "stabilityai/stablelm-base-alpha-3b" {
		t.Errorf("%s: %s has %.4g parameters, the document says %.4g", m.ID, m.Model, n, m.Params)
	}
}

func find(t *testing.T, id string) *Measurement {
	t.Helper()
	for _, m := range every(t) {
		if m.ID == id {
			return &m
		}
	}
	t.Fatalf("there is no %s", id)
	return nil
}

func ask(t *testing.T, id string, blind bool) (train.Job, train.Plan) {
	t.Helper()
	j, p, err := find(t, id).Question(blind)
	if err != nil {
		t.Fatal(err)
	}
	return j, p
}

func TestSaid(t *testing.T) {
	j, p := ask(t, "torchtitan-h100/4", false)
	if p.Tensor != 8 || p.Pipeline != 8 || p.Context != 2 || p.Data != 4 || p.Zero != 3 || p.Micro != 0 || j.Global != 32 {
		t.Errorf("long context: %+v of %d", p, j.Global)
	}
	if p.GPU.MemoryGB != 96 || p.GPU.Watts != 500 || j.Recompute != train.Whole || j.Precision != train.FP8 {
		t.Errorf("card of %v GB, %v W; %s in %s", p.GPU.MemoryGB, p.GPU.Watts, j.Recompute, j.Precision)
	}
	if _, p = ask(t, "torchtitan-h100/4", true); p.Micro != 8 || p.GPU.MemoryGB != 80 || p.Zero != -1 {
		t.Errorf("blind: %+v", p)
	}
	j, p = ask(t, "ml-engineering-upgrade/1", false)
	if j.Framework != train.DeepSpeed || j.Offload != train.OffOptimizer || j.Loss != train.Fused || p.Zero != 3 {
		t.Errorf("offload: %+v %+v", j, p)
	}
	j, _ = ask(t, "qwen-readme/7", false)
	if !j.TrainOuter || j.Method != train.LoRA || j.Framework != train.HF {
		t.Errorf("embeddings: %+v", j)
	}
	j, _ = ask(t, "qwen-readme/13", false)
	if j.Quantized != "int4" || j.Method != train.QLoRA {
		t.Errorf("int4: %+v", j)
	}
	j, _ = ask(t, "litgpt-resource-tables/14", false)
	if j.Quantized != "nf4-dq" || !j.PureBF16 || j.Rank != 8 {
		t.Errorf("nf4: %+v", j)
	}
	j, _ = ask(t, "torchtune-readme/3", false)
	if j.Optimizer != train.AdamW8bit || !j.InBackward || !j.PureBF16 {
		t.Errorf("torchtune: %+v", j)
	}
	_, p = ask(t, "torchtitan-h200/1", false)
	if p.Fabric == nil || p.Fabric.Net != 50e9 || p.Data != 32 {
		t.Errorf("network: %+v", p.Fabric)
	}
	j, _ = ask(t, "llama3.2-card/2", false)
	if _, ok := find(t, "llama3.2-card/2").Comparable(false); ok || !j.Distilled {
		t.Error("Llama 3.2 1B was pruned and distilled")
	}
	_, p = ask(t, "megatron-bridge/3", false)
	if p.Virtual != 12 || p.Expert != 32 {
		t.Errorf("virtual stages: %+v", p)
	}
}

// Learned positions are part of a model: as many as the sequence is long.
func TestPositions(t *testing.T) {
	for _, m := range every(t) {
		if !strings.HasPrefix(m.Known, "mpt-") || m.Seq == 0 {
			continue
		}
		s, err := m.shape(false)
		if err != nil {
			t.Fatal(err)
		}
		if off := float64(s.Params().Total)/m.Params - 1; math.Abs(off) > 0.0015 {
			t.Errorf("%s of %d positions: %d parameters, published %v", m.Model, m.Seq, s.Params().Total, m.Params)
		}
	}
}

// The tables are what the shared one holds, in base units.
func TestSharedTableIsCarried(t *testing.T) {
	held := make(map[string]int)
	for _, m := range every(t) {
		held[m.Model+"\t"+m.Method+"\t"+m.Framework+"\t"+m.Precision+"\t"+m.Division+"\t"+m.Recompute+"\t"+m.Optimizer]++
	}
	rows := shared(t)
	for _, r := range rows {
		key := r[2] + "\t" + r[5] + "\t" + r[6] + "\t" + r[7] + "\t" + r[10] + "\t" + r[14] + "\t" + r[15]
		if held[key]--; held[key] < 0 {
			t.Errorf("%s is not carried: %s", r[0], key)
		}
	}
	if len(rows) != 227 {
		t.Errorf("%d rows are shared", len(rows))
	}
}

func shared(t *testing.T) [][]string {
	t.Helper()
	dir, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, gone := os.Stat(filepath.Join(dir, "go.mod")); gone == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Skip("there is no go.mod above")
		}
		dir = filepath.Dir(dir)
	}
	text, err := os.ReadFile(filepath.Join(dir, "..", "shared", "groundtruth", "training.tsv"))
	if err != nil {
		t.Skip(err)
	}
	var rows [][]string
	for line := range strings.Lines(string(text)) {
		if !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "id\t") {
			rows = append(rows, strings.Split(strings.TrimSuffix(line, "\n"), "\t"))
		}
	}
	return rows
}

func TestTableRefused(t *testing.T) {
	const row = "1\tm\t\tsize\t8e9\t8e9\tfull\tx\tbf16\th100-sxm\t8\t\t1\t8\t2048\tnone\tAdamW\t0\tmfu\t0.4\t0\t0\t0\t\t"
	const head = "title: x\n---\n" + columns + "\n"
	if _, err := decodeTable(nil, "x.tsv", head+row+"\n"); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"no document":     {row, "no line ---"},
		"unknown key":     {"titel: x\n---\n" + columns + "\n" + row, "titel"},
		"no title":        {"edition: x\n---\n" + columns + "\n" + row, "title is missing"},
		"other columns":   {"title: x\n---\nid\tvalue\n" + row, "want the columns"},
		"no rows":         {head, "there is none"},
		"twice":           {head + row + "\n" + row, "twice"},
		"too few":         {head + "1\tm", "too few columns"},
		"too many":        {head + row + "\t", "want 25 columns"},
		"zero":            {head + strings.Replace(row, "0.4", "0", 1), "value is 0"},
		"endless":         {head + strings.Replace(row, "0.4", "Inf", 1), "value is +Inf"},
		"no number":       {head + strings.Replace(row, "0.4", "x", 1), "value"},
		"unknown metric":  {head + strings.Replace(row, "mfu", "speed", 1), `metric is "speed"`},
		"asked otherwise": {head + strings.Replace(row, "size", "age", 1), `asked is "age"`},
		"negative":        {head + strings.Replace(row, "2048", "-1", 1), "below zero"},
	} {
		if _, err := decodeTable(nil, "x.tsv", tt.text); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

func FuzzTable(f *testing.F) {
	f.Add("title: x\n---\n" + columns + "\n1\tm\t\tsize\t8e9\t8e9\tfull\tx\tbf16\th100-sxm\t8\t\t1\t8\t2048\tnone\tAdamW\t0\tmfu\t0.4\t0\t0\t0\t\t\n")
	f.Fuzz(func(t *testing.T, text string) {
		all, err := decodeTable(nil, "x.tsv", text)
		if err != nil {
			return
		}
		for _, m := range all {
			if !(m.Value > 0) || m.Metric.Kind() == "" || m.ID == "x/" {
				t.Errorf("accepted: %+v", m)
			}
			_, _ = m.method()
			_ = m.degree("TP")
		}
	})
}

func TestShapesAreRead(t *testing.T) {
	for _, id := range []string{"mpt-1b", "mpt-30b", "mpt-350m", "mpt-760m", "gpt-7b-gqa8", "gpt3-175b", "yalm-100b"} {
		v, err := ownConfig(id, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := arch.Of(v); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
	if _, err := ownConfig("nothing", 0); err == nil {
		t.Error("a shape that is not there is found")
	}
}

func BenchmarkAll(b *testing.B) {
	for b.Loop() {
		if _, err := All(); err != nil {
			b.Fatal(err)
		}
	}
}
