package main

import (
	"math"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/llmcheck/llmcheck/internal/speed"
)

// The ends of ranges are the quantiles of what they were fitted to, and cases widen them by what they scatter more.
func TestEndsAreQuantiles(t *testing.T) {
	d := rand.New(rand.NewSource(1))
	var list []sample
	for i := range 3000 {
		s := sample{family: "max_output", off: 0.2 * d.NormFloat64(), crowd: 1, row: i, weight: 1}
		if i%3 == 0 {
			s.off, s.cases = 2*s.off, []speed.Strength{{Case: "unseen", Much: 1}}
		}
		list = append(list, s)
	}
	e := newEnds("max_output", list)
	e.fit(false)
	for _, w := range e.widths() {
		switch w.Case {
		case "base":
			if low, high := -math.Log(w.Low), math.Log(w.High); math.Abs(low-0.262) > 0.03 || math.Abs(high-0.262) > 0.03 {
				t.Errorf("ends at %.3f and %.3f, want 1.31 standard deviations of 0.2", low, high)
			}
		case "unseen":
			if math.Abs(w.Low-2) > 0.25 || math.Abs(w.High-2) > 0.25 {
				t.Errorf("powers %.2f and %.2f, want 2", w.Low, w.High)
			}
		default: // of which there are no samples
			if prior := speed.Cases(w.Of)[w.Case]; math.Abs(w.Low/prior-1) > 0.01 || w.Rows != 0 {
				t.Errorf("%s without a row is %.2f, want %.2f", w.Case, w.Low, prior)
			}
		}
	}
}

// What is written is read again, and written again it is the same.
func TestUpdateIsStable(t *testing.T) {
	c, err := speed.Default()
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := rows(c)
	if err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(filepath.Join("..", "constants.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "constants.yaml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	f := found{values: c.Values(), ranges: c.Widths(), fitted: "one", faults: []string{"a line", ""}}
	var before string
	for range 2 {
		if err := update(path, c, list, &f); err != nil {
			t.Fatal(err)
		}
		now, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if before != "" && string(now) != before {
			t.Error("written twice, it is another file")
		}
		before = string(now)
	}
	if len(before) < len(data)/2 {
		t.Errorf("%d bytes are left of %d", len(before), len(data))
	}
}
