package main

import (
	"path/filepath"
	"testing"

	"github.com/llmcheck/llmcheck/internal/train"
	"github.com/llmcheck/llmcheck/internal/tune/tunetest"
)

// What is written is read again, and written again it is the same.
func TestUpdateIsStable(t *testing.T) {
	c, err := train.Default()
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := rows(c)
	if err != nil || len(list) < 140 {
		t.Fatalf("%d rows: %v", len(list), err)
	}
	f := foundOf(list)
	f.Values, f.Ranges, f.Fitted, f.Faults = c.Values(), c.Widths(), "one", []string{"a line", ""}
	tunetest.Stable(t, filepath.Join("..", "constants.yaml"), f, c.Table)
}

// Rows that a fit never saw are told about as well as the goal of the project says.
func TestRowsLeftOut(t *testing.T) {
	c, err := train.Default()
	if err != nil {
		t.Fatal(err)
	}
	list, _, err := rows(c)
	if err != nil {
		t.Fatal(err)
	}
	v := validated{table: c.Table, rows: list, by: map[string]held{}}
	h := v.leave("source", priors(c))
	near := 0
	for i, r := range list {
		if r.family == "step" && off(h.residual[i]) < 0.25 {
			near++
		}
	}
	if near < len(list)/2 {
		t.Errorf("%d of %d rows are within a quarter of what was measured", near, len(list))
	}
}

func priors(c *train.Constants) []float64 {
	var list []float64
	for i, one := range c.List() {
		list = append(list, c.Added(i, one.Prior))
	}
	return list
}
