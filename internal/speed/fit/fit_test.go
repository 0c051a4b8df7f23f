package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/llmcheck/llmcheck/internal/speed"
)

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
