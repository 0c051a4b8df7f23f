package serve

import (
	"slices"
	"testing"
)

// TestKinRecords holds the records against each other: no name twice, nothing that does not lead anywhere.
func TestKinRecords(t *testing.T) {
	list, err := readKin()
	if err != nil {
		t.Fatal(err)
	}
	classes := []Class{ClassGraphs, ClassCompiled, ClassNative, ClassEager}
	seen := map[string]Kind{}
	for i := range list {
		k := &list[i]
		for _, name := range append([]string{string(k.Kind)}, k.Aliases...) {
			if own, ok := known(name); ok {
				t.Errorf("%s of %s is a name of %s", name, k.Kind, own)
			}
			if before, ok := seen[name]; ok {
				t.Errorf("%s is a name of %s and of %s", name, before, k.Kind)
			}
			seen[name] = k.Kind
		}
		targets := append(kinds(), server, library)
		if k.Runs != "" && !slices.Contains(kinds(), k.Runs) || k.Like != "" && (!slices.Contains(targets, k.Like) || !slices.Contains(classes, k.Class)) {
			t.Errorf("%s leads to %s%s, class %s", k.Kind, k.Runs, k.Like, k.Class)
		}
		if k.Like == LlamaCPP {
			t.Errorf("%s: only what runs llama.cpp has its account", k.Kind)
		}
	}
}
