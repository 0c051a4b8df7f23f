package arch_test

import (
	"bytes"
	"encoding/csv"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// corpus is the folder of real configurations, "" where it is not present.
func corpus() string {
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "corpus", "configs"))
	if err != nil {
		return ""
	}
	if _, err := os.Stat(dir); err != nil {
		return ""
	}
	return dir
}

func load(t *testing.T, name string) strictjson.Value {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	v, err := strictjson.Parse(bytes.NewReader(data), 0, "id2label", "label2id")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestCorpus holds the count of every real configuration against the total of its publisher or of its file.
func TestCorpus(t *testing.T) {
	dir := corpus()
	if dir == "" {
		t.Skip("no corpus of configurations beside the project")
	}
	data, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.Comment, r.LazyQuotes, r.FieldsPerRecord = '\t', '#', true, -1
	rows, err := r.ReadAll()
	if err != nil || len(rows) < 140 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	for _, row := range rows[1:] {
		t.Run(row[0], func(t *testing.T) {
			s, err := arch.Of(load(t, filepath.Join(dir, row[1])))
			if err != nil {
				t.Fatal(err)
			}
			p := s.Params()
			check := func(what, want string, got int64) {
				if want == "" {
					return
				}
				f, err := strconv.ParseFloat(want, 64)
				if err != nil {
					t.Fatal(err)
				}
				limit := 1e-4
				if digits, _, ok := strings.Cut(want, "e9"); ok { // rounded by its publisher: half of its last digit
					_, decimals, _ := strings.Cut(digits, ".")
					limit = 0.5e9 * math.Pow10(-len(decimals)) / f
				}
				if math.Abs(float64(got)/f-1) > limit {
					t.Errorf("%s %d, want %s (%+.3f %%)", what, got, want, 100*(float64(got)/f-1))
				}
			}
			if !strings.Contains(row[11], "incl. vision") && row[6] == "derived" {
				p.Total -= s.Of(arch.Tower).Total // the index counts the language model alone
			}
			check("total", row[4], p.Total)
			check("active", row[5], p.Active)
		})
	}
}
