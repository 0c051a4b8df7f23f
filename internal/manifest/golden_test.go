package manifest

import (
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Run the tests with -update to write the golden files anew, and read the difference as somebody who would apply them.
var update = flag.Bool("update", false, "write the golden files")

// TestGolden holds every plan in every format against its file. A plan that a format refuses has none.
func TestGolden(t *testing.T) {
	written := make(map[string]bool)
	for _, name := range slices.Sorted(maps.Keys(plans())) {
		for _, format := range Formats() {
			got, err := Bytes(format, plans()[name])
			if errors.Is(err, ErrPlan) {
				continue
			}
			if err != nil {
				t.Fatalf("%s as %s: %v", name, format, err)
			}
			file := filepath.Join("testdata", "golden", name+"."+format+ending(format))
			written[file] = true
			if *update {
				if err := os.WriteFile(file, got, 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), string(got)); diff != "" {
				t.Errorf("%s (-want +got; -update if it is meant):\n%s", file, diff)
			}
		}
	}
	files, err := filepath.Glob("testdata/golden/*")
	if err != nil || len(files) < 20 {
		t.Fatalf("%d golden files, %v", len(files), err)
	}
	for _, file := range files {
		if !written[file] {
			t.Errorf("%s belongs to no plan", file)
		}
	}
}

func ending(format string) string {
	switch format {
	case "compose", "kubernetes", "helm-values":
		return ".yaml"
	}
	return ".sh"
}
