package serve_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// table reads a file of the material beside the project, and skips where there is none.
func table(t *testing.T, name string) []row {
	t.Helper()
	dir := shared("groundtruth")
	if dir == "" {
		t.Skip("no measured figures beside the project")
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	c := csv.NewReader(strings.NewReader(string(data)))
	c.Comma, c.Comment, c.LazyQuotes, c.FieldsPerRecord = '\t', '#', true, -1
	all, err := c.ReadAll()
	if err != nil || len(all) < 2 {
		t.Fatalf("%s: %d lines, %v", name, len(all), err)
	}
	var rows []row
	for _, line := range all[1:] {
		r := row{}
		for i, key := range all[0] {
			r[key] = line[min(i, len(line)-1)]
		}
		rows = append(rows, r)
	}
	return rows
}

// names maps the short names of a table.
func names(t *testing.T, file, to string) map[string]string {
	t.Helper()
	m := map[string]string{}
	for _, r := range table(t, file) {
		m[r["name"]] = r[to]
	}
	return m
}

// measured are the models of the table of speeds, by the id of their configuration.
type measured struct {
	catalog *models.Catalog
	known   map[string]serve.Model
}

// model is the one that a row was measured with: as it is stored where the precision means that.
func (c *measured) model(t *testing.T, id, precision string, llama bool) serve.Model {
	t.Helper()
	key := id + " " + precision + " " + strconv.FormatBool(llama)
	if m, ok := c.known[key]; ok {
		return m
	}
	config, hf, err := c.config(t, id)
	if err != nil {
		t.Fatal(err)
	}
	s, err := arch.Of(config)
	if err != nil {
		t.Fatal(id, err)
	}
	weights, err := quant.As(s, precision)
	if err != nil {
		t.Fatal(err)
	}
	if stored, err := quant.Stored(s, config, hf); err == nil && stored.Is(precision) {
		weights = stored
	}
	if llama && !weights.GGUF() && weights.Quantized() {
		if weights, err = quant.As(s, map[string]string{"mxfp4": "mxfp4_moe", "int4": "q4_k_m"}[precision]); err != nil {
			t.Fatal(err)
		}
	}
	m := serve.Model{Shape: s, Weights: weights}
	c.known[key] = m
	return m
}

func (c *measured) config(t *testing.T, id string) (v, hf strictjson.Value, err error) {
	t.Helper()
	if path := filepath.Join(shared("corpus", "configs"), strings.ReplaceAll(id, "/", "__")+".json"); id != "" {
		if data, err := os.ReadFile(path); err == nil {
			v, err = strictjson.Parse(bytes.NewReader(data), 16<<20)
			return v, hf, err
		}
	}
	return config(c.catalog, id)
}

// division reads the parallelism of a row.
func division(p *serve.Plan, text string) {
	degree := func(name string) int {
		m := regexp.MustCompile(`\b` + name + `(\d+)`).FindStringSubmatch(text)
		if m == nil {
			return 0
		}
		n, _ := strconv.Atoi(m[1])
		return n
	}
	if n := degree("DEP"); n > 0 {
		p.Data, p.Expert, p.Tensor = n, n, 1
		return
	}
	p.Tensor, p.Pipeline, p.Expert = degree("TP"), degree("PP"), degree("EP")
	switch {
	case p.Tensor > 0 || p.Pipeline > 0 || p.Expert > 0 || p.GPUs < 2:
	case strings.Contains(text, "layer"):
		p.Pipeline = p.GPUs
	case strings.Contains(text, "row"):
		p.Tensor = p.GPUs
	}
}

// TestMeasuredPlansStart: what somebody measured did run, so its plan is legal and there is room for it, or at least for one request.
func TestMeasuredPlansStart(t *testing.T) {
	ids, cards := names(t, "models.tsv", "model"), names(t, "gpu_names.tsv", "id")
	gpus, set := catalog.Default(), &measured{models.Default(), map[string]serve.Model{}}
	prepared := map[string]*serve.Prepared{}
	asked := 0
	verdicts := map[serve.Verdict]int{}
	for _, r := range table(t, "inference_speed.tsv") {
		if strings.Contains(r["notes"], "do not score") || r.num("value") == 0 {
			continue
		}
		gpu, err := gpus.Resolve(cards[r["gpu"]])
		if err != nil {
			t.Errorf("%s: %v", r["id"], err)
			continue
		}
		name, _, _ := strings.Cut(strings.ToLower(r["engine"]), " ")
		e, err := serve.FindEngine(name, "")
		if err != nil {
			t.Errorf("%s: %v", r["id"], err)
			continue
		}
		m := set.model(t, ids[r["model"]], r["precision"], e.Kind == serve.LlamaCPP)
		key := r["model"] + " " + m.Weights.Name
		if prepared[key] == nil {
			prepared[key] = serve.Prepare(m)
		}
		input, output := max(1, int64(r.num("isl"))), max(1, int64(r.num("osl")))
		p := serve.Plan{Engine: e, GPU: gpu.GPU, GPUs: max(1, int(r.num("gpu_count"))), KV: strings.ToLower(r["kv_dtype"]), MaxModelLen: input + output}
		division(&p, r["parallel"])
		asked++
		q, memory, err := prepared[key].Settle(p)
		if err != nil || memory.Verdict == serve.DoesNot {
			why := ""
			if memory != nil {
				why = memory.Why
			}
			t.Errorf("%s: %s in %s with %s on %d × %s, %s: %v %s", r["id"], r["model"], r["precision"], name, p.GPUs, r["gpu"], r["parallel"], err, why)
			continue
		}
		verdicts[memory.Verdict]++
		if memory.Cache.Concurrency < 1 && memory.Verdict == serve.Fits {
			t.Errorf("%s: it fits, and the cache holds %v requests", r["id"], memory.Cache.Concurrency)
		}
		if ways := prepared[key].Divisions(p); !slices.ContainsFunc(ways, func(d serve.Plan) bool {
			return d.Tensor == q.Tensor && d.Pipeline == q.Pipeline && d.Data == q.Data && d.Expert == q.Expert
		}) {
			t.Errorf("%s: tensor %d, pipeline %d, data %d, expert %d is not among %d divisions", r["id"], q.Tensor, q.Pipeline, q.Data, q.Expert, len(ways))
		}
	}
	if asked < 700 {
		t.Errorf("%d rows were asked", asked)
	}
	t.Logf("%d rows: %v", asked, verdicts)
}

// TestNamesOfTables: every model and every card of the tables is known, cards by the name in the table too where that
// does not leave several open.
func TestNamesOfTables(t *testing.T) {
	set := &measured{models.Default(), map[string]serve.Model{}}
	for name, id := range names(t, "models.tsv", "model") {
		v, _, err := set.config(t, id)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		s, err := arch.Of(v)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		for _, format := range []string{"bf16", "fp8", "fp4", "q4_k_m", "int4", "gptq-4bit-g128", "nf4", "exl2-4.0bpw"} {
			if scheme, err := quant.As(s, format); err != nil || scheme.Total(s) <= 0 {
				t.Errorf("%s in %s: %v", name, format, err)
			}
		}
	}
	gpus := catalog.Default()
	for name, id := range names(t, "gpu_names.tsv", "id") {
		byID, err := gpus.Resolve(id)
		if err != nil {
			t.Errorf("%s: %v", id, err)
			continue
		}
		byName, err := gpus.Resolve(name)
		if err != nil {
			t.Errorf("%s (%s) by its name in the table: %v", name, id, err)
			continue
		}
		if byName.GPU.ID != byID.GPU.ID && name != "mi250x-gcd" && name != "gh200-120" { // one of the two dies; the name has the memory of the CPU
			t.Errorf("%s means %s by its id and %s by its name", name, byID.GPU.ID, byName.GPU.ID)
		}
	}
}
