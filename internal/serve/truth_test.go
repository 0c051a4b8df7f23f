package serve_test

import (
	"encoding/csv"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// shared is a folder of the material beside the project, "" where it is not present.
func shared(parts ...string) string {
	dir, err := filepath.Abs(filepath.Join(append([]string{"..", "..", "..", "shared"}, parts...)...))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

type row map[string]string

func (r row) num(key string) float64 {
	f, err := strconv.ParseFloat(r[key], 64)
	if err != nil {
		return 0
	}
	return f
}

func (r row) class() string {
	_, c, _ := strings.Cut(r["notes"], "class=")
	c, _, _ = strings.Cut(c, ";")
	return c
}

func truth(t *testing.T) []row {
	t.Helper()
	dir := shared("groundtruth")
	if dir == "" {
		t.Skip("no measured figures beside the project")
	}
	f, err := os.Open(filepath.Join(dir, "serving_memory.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := csv.NewReader(f)
	c.Comma, c.Comment, c.LazyQuotes = '\t', '#', true
	all, err := c.ReadAll()
	if err != nil || len(all) < 2 {
		t.Fatalf("%d lines, %v", len(all), err)
	}
	var rows []row
	for _, line := range all[1:] {
		r := row{}
		for i, key := range all[0] {
			r[key] = line[i]
		}
		rows = append(rows, r)
	}
	return rows
}

// config is the configuration of a model, from the catalog.
func config(c *models.Catalog, name string) (config, hfQuant strictjson.Value, err error) {
	ids := c.Resolve(name)
	if len(ids) == 0 {
		return config, hfQuant, fmt.Errorf("the catalog has no %s", name)
	}
	config, hfQuant, _, err = c.Config(ids[0])
	return config, hfQuant, err
}

// scheme is what the files of the model hold, where that is what a row names, else what the usual quantizer makes.
func scheme(s *arch.Shape, c, hfQuant strictjson.Value, name string) (*quant.Scheme, error) {
	stored, err := quant.Stored(s, c, hfQuant)
	if name == "gguf-q8_0" {
		name = "q8_0"
	}
	asked, unknown := quant.As(s, name)
	if unknown != nil || err == nil && stored.Name != quant.Unquantized(s).Name {
		return stored, err
	}
	return asked, nil
}

func device(c *catalog.Catalog, name string) (*hardware.Accelerator, error) {
	if strings.HasPrefix(name, "unknown") {
		name = "H100-80GB"
	}
	m, err := c.Resolve(name)
	return m.GPU, err
}

func planOf(c *catalog.Catalog, r row) (serve.Plan, error) {
	gpu, err := device(c, r["gpu"])
	if err != nil {
		return serve.Plan{}, err
	}
	e, err := serve.FindEngine(r["engine"], r["engine_version"])
	if err != nil {
		return serve.Plan{}, err
	}
	return serve.Plan{
		Engine: e, GPU: gpu, GPUs: int(r.num("n_gpus")), Tensor: int(r.num("tp")), Pipeline: int(r.num("pp")), KV: r["kv_dtype"],
		Utilization: r.num("gpu_mem_util"), MaxModelLen: int64(r.num("max_model_len")), BatchedTokens: int64(r.num("max_batched_tokens")),
		MaxSeqs: int64(r.num("max_num_seqs")),
	}, nil
}

func answer(c *catalog.Catalog, r row) (*serve.Memory, error) {
	id, _, _ := strings.Cut(r["model"], " ")
	v, hfQuant, err := config(models.Default(), id)
	if err != nil {
		return nil, err
	}
	s, err := arch.Of(v)
	if err != nil {
		return nil, err
	}
	q, err := scheme(s, v, hfQuant, r["quant"])
	if err != nil {
		return nil, err
	}
	p, err := planOf(c, r)
	if err != nil {
		return nil, err
	}
	return serve.Fit(serve.Model{Shape: s, Weights: q}, p)
}

// measure compares one row with its answer, as tools/score_memory.py does.
func measure(r row, m *serve.Memory) map[string][2]float64 {
	const gib = 1 << 30
	sum := func(p serve.Part) float64 { return float64(m.Sum(p).Mid) / gib }
	out := map[string][2]float64{}
	put := func(what string, want, got float64) {
		if want > 0 {
			out[what] = [2]float64{got, want}
		}
	}
	w := r.num("weights_gib_per_gpu")
	put("weights", w, sum(serve.Weights))
	if r.num("gpu_mem_util") > 0 {
		put("kv pool", r.num("kv_gib_per_gpu"), sum(serve.KVCache))
		put("kv tokens", r.num("kv_tokens"), float64(m.Cache.Tokens))
		if pool := r.num("kv_gib_per_gpu"); pool > 0 && m.Cache.Pool > 0 {
			put("tokens of a GiB", r.num("kv_tokens")/pool, float64(m.Cache.Tokens)/sum(serve.KVCache))
		}
	}
	if w > 0 && r["activation_peak_gib"] != "" && r["non_torch_gib"] != "" {
		got := sum(serve.Weights) + sum(serve.Activation) + sum(serve.NonTorch)
		if r.num("graph_gib") != 0 {
			got += sum(serve.Graphs)
		}
		put("weights+overhead", w+r.num("activation_peak_gib")+r.num("non_torch_gib")+max(r.num("graph_gib"), 0), got)
		put("activation", r.num("activation_peak_gib"), sum(serve.Activation))
		put("non-torch", r.num("non_torch_gib"), sum(serve.NonTorch))
		put("graphs", r.num("graph_gib"), sum(serve.Graphs))
	}
	return out
}

// rangeOf is the interval that is meant to hold a figure in four of five cases.
func rangeOf(what string, r row, m *serve.Memory) serve.Interval {
	if what == "kv pool" {
		return m.Sum(serve.KVCache)
	}
	i := m.Sum(serve.Weights).Plus(m.Sum(serve.Activation)).Plus(m.Sum(serve.NonTorch))
	if r.num("graph_gib") != 0 {
		i = i.Plus(m.Sum(serve.Graphs))
	}
	return i
}

type miss struct {
	by    float64
	id    string
	class string
	open  bool // see open
}

// open reports whether a row leaves out, or contradicts, what its cache follows from: a wrapper chose max_num_seqs by a
// rule of its own and the page does not print it, or weights and cache alone are more than the stated share of the
// device. Such rows count in the figures that are shown, and not in those that are held against a limit.
func (r row) open(capacity int64) bool {
	budget := r.num("gpu_mem_util") * float64(capacity) / (1 << 30)
	return strings.Contains(r["notes"], "wrapper") || r.num("weights_gib_per_gpu")+r.num("kv_gib_per_gpu") > 1.001*budget && budget > 0
}

func TestTruth(t *testing.T) {
	c := catalog.Default()
	errs := map[string][]miss{}
	answered, held := 0, map[string]int{}
	for _, r := range truth(t) {
		m, err := answer(c, r)
		if err != nil {
			t.Logf("no answer %s %s: %v", r["id"], r["model"], err)
			continue
		}
		answered++
		line := []string{fmt.Sprintf("%s %-34.34s", r["id"], r["model"])}
		all := measure(r, m)
		for what, v := range all {
			if i := rangeOf(what, r, m); i.Low <= int64(v[1]*(1<<30)) && int64(v[1]*(1<<30)) <= i.High {
				held[what]++
			}
		}
		for _, what := range []string{"weights", "activation", "non-torch", "graphs", "weights+overhead", "kv pool", "kv tokens", "tokens of a GiB"} {
			if v, ok := all[what]; ok {
				by := v[0]/v[1] - 1
				errs[what] = append(errs[what], miss{by, r["id"], r.class(), r.open(m.Capacity)})
				line = append(line, fmt.Sprintf("%s %.4g/%.4g %+.1f%%", what, v[0], v[1], 100*by))
			}
		}
		t.Log(strings.Join(line, "  "), m.Verdict)
	}
	if answered < 46 {
		t.Errorf("%d rows answered, want 46", answered)
	}
	limits := map[string]float64{"tokens of a GiB": 0.005, "weights": 0.015, "weights+overhead": 0.06, "kv pool": 0.05}
	for what, list := range errs {
		mean, signed := means(list)
		t.Logf("%-17s n %3d mean abs %5.2f %% signed %+5.2f %%", what, len(list), 100*mean, 100*signed)
		for _, class := range []string{"dense", "mla", "swa", "moe", "vision", "swa-moe", "hybrid"} {
			if mean, signed := means(slices.DeleteFunc(slices.Clone(list), func(m miss) bool { return m.class != class })); !math.IsNaN(mean) {
				t.Logf("      %-10s mean abs %5.2f %% signed %+5.2f %%", class, 100*mean, 100*signed)
			}
		}
		if strings.HasPrefix(what, "kv") {
			mean, signed = means(slices.DeleteFunc(slices.Clone(list), func(m miss) bool { return m.open }))
			t.Logf("      without rows that leave it open: mean abs %5.2f %% signed %+5.2f %%", 100*mean, 100*signed)
		}
		if limit, ok := limits[what]; ok && mean > limit {
			t.Errorf("%s: mean absolute error %.2f %%, want at most %.1f %%", what, 100*mean, 100*limit)
		}
		if what == "weights+overhead" || what == "kv pool" {
			inside := float64(held[what]) / float64(len(list))
			t.Logf("      the range holds %.0f %% of the rows", 100*inside)
			if inside < 0.6 {
				t.Errorf("%s: the range holds %.0f %% of the rows, want four in five", what, 100*inside)
			}
		}
		for _, m := range list {
			if what == "weights+overhead" && m.by < -0.10 {
				t.Errorf("%s: %s is %.1f %% low", what, m.id, -100*m.by)
			}
		}
	}
	plain := slices.DeleteFunc(errs["kv tokens"], func(m miss) bool { return m.open || m.class != "dense" && m.class != "mla" })
	if mean, _ := means(plain); mean > 0.03 {
		t.Errorf("kv tokens of dense and MLA rows: mean absolute error %.2f %%, want at most 3 %%", 100*mean)
	}
}

func means(list []miss) (abs, signed float64) {
	for _, m := range list {
		abs += math.Abs(m.by)
		signed += m.by
	}
	return abs / float64(len(list)), signed / float64(len(list))
}
