package arch

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// TestMutants sets every key of a configuration of each class to values that no file should have. The answer is an error
// or a shape that obeys the laws, never a panic and never more blocks than any model has.
func TestMutants(t *testing.T) {
	values := []any{nil, -1, 0, 1, 7, 1_000_000_000, 1 << 62, "x", []any{}, map[string]any{}, true}
	tried, seen := 0, map[string]bool{}
	for _, row := range published() {
		class, _, _ := strings.Cut(row.config, ",")
		if seen[class] {
			continue
		}
		seen[class] = true
		var config map[string]any
		if err := json.Unmarshal([]byte(row.config), &config); err != nil {
			t.Fatal(err)
		}
		for _, part := range parts(config) {
			for _, key := range slices.Sorted(maps.Keys(part)) {
				was := part[key]
				for _, v := range values {
					part[key] = v
					mutant(t, row.name+" "+key, config)
					tried++
				}
				delete(part, key)
				mutant(t, row.name+" without "+key, config)
				part[key] = was
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d mutants", tried)
	}
}

// parts are a configuration and those nested in it.
func parts(config map[string]any) []map[string]any {
	all := []map[string]any{config}
	for _, key := range slices.Sorted(maps.Keys(config)) {
		if nested, ok := config[key].(map[string]any); ok {
			all = append(all, parts(nested)...)
		}
	}
	return all
}

func mutant(t *testing.T, name string, config map[string]any) {
	t.Helper()
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	v, err := strictjson.Parse(strings.NewReader(string(text)), 0)
	if err != nil {
		t.Fatal(err)
	}
	s, err := Of(v)
	if err != nil {
		return
	}
	if len(s.Blocks) > maxLayers || s.Params().Total <= 0 {
		t.Fatalf("%s: %d blocks, %v", name, len(s.Blocks), s.Params())
	}
	for n, tensor := range s.Named() {
		if fault := fault(tensor); fault != "" {
			t.Fatalf("%s: %s: %s in %s", name, n, fault, text)
		}
	}
	for i := range s.Blocks {
		if fault := s.Blocks[i].Mixer.fault(i); fault != "" {
			t.Fatalf("%s: block %d: %s in %s", name, i, fault, text)
		}
	}
}
