package model

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llmcheck/llmcheck/internal/safetensors/safetensorstest"
)

// The index of a split model is held against the files; what is wrong with it is told and is no gap of the terms.
func TestIndexOfWeights(t *testing.T) {
	weights := &fstest.MapFile{Data: safetensorstest.Raw(`{}`, nil)}
	for _, c := range []struct{ name, index, want string }{
		{"all here", `{"metadata": {"total_size": 8}, "weight_map": {"a": "a.safetensors"}}`, ""},
		{"a file is missing", `{"weight_map": {"a": "a.safetensors", "b": "b.safetensors"}}`, "it names 1 weight files that are not here: b.safetensors"},
		{"a name that leaves the folder", `{"weight_map": {"a": "../../etc/passwd"}}`, "it is no index of weights"},
		{"no index", `{"weights": 1}`, "no weight_map"},
		{"no JSON", `{`, "it is no index of weights"},
	} {
		t.Run(c.name, func(t *testing.T) {
			m, err := Read(fstest.MapFS{
				"README.md": {Data: []byte("---\nlicense: mit\n---\n")}, "a.safetensors": weights,
				"model.safetensors.index.json": {Data: []byte(c.index)},
			}, Ref{Scheme: SchemeDir, Name: "./m"}, "")
			if err != nil {
				t.Fatal(err)
			}
			var all []string
			for _, g := range m.Gaps {
				if g.Kind != Absent {
					t.Errorf("gap %+v costs the verdict", g)
				}
				if g.What == "model.safetensors.index.json" {
					all = append(all, g.Why)
				}
			}
			told := strings.Join(all, "; ")
			if c.want == "" && told != "" || !strings.Contains(told, c.want) {
				t.Errorf("told %q, want %q", told, c.want)
			}
		})
	}
}
