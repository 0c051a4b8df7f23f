package main

import (
	"path/filepath"
	"testing"

	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/tune/tunetest"
)

// What is written is read again, and written again it is the same.
func TestUpdateIsStable(t *testing.T) {
	c, err := speed.Default()
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
