package catalog_test

import (
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
)

// TestShapes counts every model whose configuration is known and holds the count against the total that its record
// carries: within 0.01 %, and within the rounding of its publisher where that is coarser.
func TestShapes(t *testing.T) {
	c := catalog.Default()
	held := 0
	for _, id := range c.IDsWithConfig() {
		t.Run(id, func(t *testing.T) {
			f, ok, err := c.Facts(id)
			if err != nil || !ok {
				t.Fatal(ok, err)
			}
			s, err := arch.Of(f.Config)
			if err != nil {
				t.Fatal(err)
			}
			p := s.Params()
			checkName(t, id, p.Total)
			if f.Totals == nil || f.Totals.Params == 0 {
				return
			}
			held++
			if f.Totals.TextOnly {
				p.Total -= s.Of(arch.Tower).Total
			}
			compare(t, "total", p.Total, f.Totals.Params, f.Totals.Kind)
			if f.Totals.Active > 0 {
				compare(t, "active", p.Active, f.Totals.Active, f.Totals.Kind)
			}
		})
	}
	if held < 149 {
		t.Errorf("%d counts were held against a total, want at least 149", held)
	}
}

// TestStoredBytes holds the size of what is published against our count within 0.1 %, quantized or not.
func TestStoredBytes(t *testing.T) {
	c := catalog.Default()
	held := 0
	for _, id := range c.IDsWithConfig() {
		t.Run(id, func(t *testing.T) {
			f, _, err := c.Facts(id)
			if err != nil {
				t.Fatal(err)
			}
			s, err := arch.Of(f.Config)
			if err != nil {
				t.Fatal(err)
			}
			scheme, err := quant.Stored(s, f.Config, f.Quant)
			if err != nil {
				t.Fatal(err)
			}
			if f.Totals == nil || f.Totals.Bytes == 0 {
				return
			}
			held++
			got, want := float64(scheme.Total(s)), float64(f.Totals.Bytes)
			if math.Abs(got/want-1) > 1e-3 {
				t.Errorf("%.0f bytes as %s, want %.0f (%+.3f %%)", got, scheme.Name, want, 100*(got/want-1))
			}
		})
	}
	if held < 44 {
		t.Errorf("%d sizes were held against published bytes, want at least 44", held)
	}
}

func compare(t *testing.T, what string, got, want int64, kind string) {
	t.Helper()
	within := 1e-4 * float64(want)
	if kind == "published" {
		within = max(within, rounding(want)/2)
	}
	if d := math.Abs(float64(got - want)); d > within {
		t.Errorf("%s %d, want %d (%+.4f %%)", what, got, want, 100*(float64(got)/float64(want)-1))
	}
}

// rounding is the step of a number that ends in at least six zeros.
func rounding(n int64) float64 {
	step := int64(1)
	for n%(10*step) == 0 {
		step *= 10
	}
	if step < 1e6 {
		return 0
	}
	return float64(step)
}

var sizeInName = regexp.MustCompile(`(?i)(?:^|[-_])(\d+(?:[._]\d+)?)([bm])(?:[-_]|$)`)

// checkName holds the count against the size that the name of the model promises: it finds a slip in a record, whatever
// its source. Names are rounded, and count embeddings or not.
func checkName(t *testing.T, id string, total int64) {
	t.Helper()
	m := sizeInName.FindStringSubmatch(id[strings.IndexByte(id, '/')+1:])
	if m == nil {
		return
	}
	n, err := strconv.ParseFloat(strings.Replace(m[1], "_", ".", 1), 64)
	if err != nil {
		t.Fatal(err)
	}
	n *= map[string]float64{"b": 1e9, "m": 1e6}[strings.ToLower(m[2])]
	if id := strings.ToLower(id); strings.Contains(id, "mpt-7b") || strings.Contains(id, "gemma-") || strings.Contains(id, "pythia-") ||
		strings.Contains(id, "llama-4") || strings.Contains(id, "alpha") {
		return // 17B of Llama 4 is the active part; the others count without the embedding or loosely
	}
	most := 1.28
	if n < 4e9 {
		most = 1.7 // the embedding of a large vocabulary weighs more
	}
	if r := float64(total) / n; r < 0.8 || r > most {
		t.Errorf("%d parameters, and the name says %.3g", total, n)
	}
}

// groundTruth is a column of a table of measurements beside the project, nil where it is not present.
func groundTruth(t *testing.T, name, column string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "groundtruth", name))
	if err != nil {
		t.Skip("no tables of measurements beside the project")
	}
	r := csv.NewReader(strings.NewReader(string(data)))
	r.Comma, r.Comment, r.LazyQuotes, r.FieldsPerRecord = '\t', '#', true, -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 2 {
		t.Fatalf("%s: %d rows, %v", name, len(rows), err)
	}
	at := -1
	for i, h := range rows[0] {
		if h == column {
			at = i
		}
	}
	if at < 0 {
		t.Fatalf("%s has no column %s", name, column)
	}
	var out []string
	for _, row := range rows[1:] {
		out = append(out, row[at])
	}
	return out
}

// TestGroundTruthResolves holds that every model of the tables that is a published one is found by the name used there.
func TestGroundTruthResolves(t *testing.T) {
	c := catalog.Default()
	for table, column := range map[string]string{
		"models.tsv": "model", "serving_memory.tsv": "model",
	} {
		for _, name := range groundTruth(t, table, column) {
			name, _, _ = strings.Cut(name, " ")
			if ids := c.Resolve(name); len(ids) == 0 {
				t.Errorf("%s: %s is not found; similar: %q", table, name, c.Similar(name, 3))
			}
		}
	}
	unpublished := regexp.MustCompile(`^(generic|gpt-7b|megascale|megatron|mpt-(350m|760m|1b|1\.3b)$|yalm|mt0)`)
	for _, table := range []string{"inference_speed.tsv", "training.tsv"} {
		for _, name := range groundTruth(t, table, "model") {
			if ids := c.Resolve(name); len(ids) == 0 && !unpublished.MatchString(name) {
				t.Errorf("%s: %s is not found; similar: %q", table, name, c.Similar(name, 3))
			}
		}
	}
}
