package quant_test

import (
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/quant"
)

// TestPublished holds the bytes of published checkpoints, one for each way to store them, against those of their files:
// exactly where an index or headers were read, to the size of the headers and the last digit where only the files were
// measured.
func TestPublished(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("testdata", "published.json"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for r := range parse(t, string(data)).Elements() {
		n++
		id, _, _ := r.String("id")
		t.Run(id, func(t *testing.T) {
			want, _, err := r.Int("bytes")
			if err != nil {
				t.Fatal(err)
			}
			within, _, err := r.Float("within")
			if err != nil {
				t.Fatal(err)
			}
			config, _ := r.Get("config")
			hf, _ := r.Get("hf_quant_config")
			sh, err := arch.Of(config)
			if err != nil {
				t.Fatal(err)
			}
			s, err := quant.Stored(sh, config, hf)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Total(sh); math.Abs(float64(got)/float64(want)-1) > within {
				source, _, _ := r.String("source")
				t.Errorf("%d bytes, want %d (%+.4f %%, %s)", got, want, 100*(float64(got)/float64(want)-1), source)
			}
		})
	}
	if n < 8 {
		t.Errorf("%d checkpoints, want 8", n)
	}
}
