package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/llmcheck/llmcheck/internal/train"
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
	data, err := os.ReadFile(filepath.Join("..", "constants.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "constants.yaml")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	var before string
	for range 2 {
		if err := update(path, c, list, c.Values(), c.Widths(), "one"); err != nil {
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
