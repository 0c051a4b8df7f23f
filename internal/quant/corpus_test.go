package quant_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// corpus is the folder of real configurations, "" where it is not present.
func corpus(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "..", "shared", "corpus", "configs"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no corpus of configurations beside the project")
	}
	return dir
}

func load(t testing.TB, name string) strictjson.Value {
	t.Helper()
	data, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		return strictjson.Value{}
	}
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, string(data))
}

func parse(t testing.TB, text string) strictjson.Value {
	t.Helper()
	v, err := strictjson.Parse(strings.NewReader(text), 0, "id2label", "label2id")
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// row is a line of the index of the corpus.
type row struct{ id, file, bytes, kind, source, note string }

func rows(t testing.TB, dir string) []row {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(dir, "INDEX.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(bytes.NewReader(data))
	r.Comma, r.Comment, r.LazyQuotes, r.FieldsPerRecord = '\t', '#', true, -1
	lines, err := r.ReadAll()
	if err != nil || len(lines) < 140 {
		t.Fatalf("%d rows, %v", len(lines), err)
	}
	var list []row
	for _, l := range lines[1:] {
		list = append(list, row{l[0], l[1], l[7], l[8], l[9], l[11]})
	}
	return list
}

// TestCorpus holds the bytes of every real configuration against those of its published files.
func TestCorpus(t *testing.T) {
	dir := corpus(t)
	known := 0
	for _, r := range rows(t, dir) {
		t.Run(r.id, func(t *testing.T) {
			config := load(t, filepath.Join(dir, r.file))
			shape, err := arch.Of(config)
			if err != nil {
				t.Skip(err)
			}
			s, err := quant.Stored(shape, config, load(t, filepath.Join(dir, strings.Replace(r.file, ".json", ".hf_quant_config.json", 1))))
			if err != nil {
				t.Fatal(err)
			}
			total := s.Total(shape)
			t.Logf("%s: %d bytes, cache %q, %s", s.Name, total, s.KVCache(), strings.Join(s.Notes, "; "))
			if r.bytes == "" {
				return
			}
			want, err := strconv.ParseFloat(r.bytes, 64)
			if err != nil {
				t.Fatal(err)
			}
			known++
			off := float64(total)/want - 1
			t.Logf("CHECK %s %s got %d want %.0f off %+.4f%%", r.kind, r.id, total, want, 100*off)
			if math.Abs(off) > 1e-3 {
				t.Errorf("%d bytes, want %.0f (%+.3f %%) %s", total, want, 100*off, r.note)
			}
		})
	}
	if known < 20 {
		t.Errorf("%d rows have bytes to compare with, want 20 at least", known)
	}
}
