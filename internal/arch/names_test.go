package arch_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// TestNamesOfCheckpoints holds the names of tensors to those that quantized files speak of: each module that a real
// configuration leaves out of quantization, or quantizes in its own way, is one of ours.
func TestNamesOfCheckpoints(t *testing.T) {
	dir := corpus()
	if dir == "" {
		t.Skip("no corpus of configurations beside the project")
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d configurations, %v", len(files), err)
	}
	checked := 0
	for _, file := range files {
		if strings.HasSuffix(file, ".hf_quant_config.json") {
			continue
		}
		v := load(t, file)
		s, err := arch.Of(v)
		if err != nil {
			continue // TestCorpus tells
		}
		modules := spoken(v)
		if quant := strings.TrimSuffix(file, ".json") + ".hf_quant_config.json"; exists(quant) {
			modules = append(modules, spoken(load(t, quant))...)
		}
		known := parts(s)
		for _, m := range modules {
			checked++
			other := strings.Replace(m, "model.language_model.", "language_model.model.", 1) // some name each module both ways
			if !known[m] && !known[other] && !strings.HasSuffix(m, ".indexers_proj") {       // which is no name of a tensor
				t.Errorf("%s speaks of %s", filepath.Base(file), m)
			}
		}
	}
	if checked == 0 {
		t.Error("no configuration speaks of modules")
	}
}

// parts are the names of all tensors and of all modules around them.
func parts(s *arch.Shape) map[string]bool {
	known := map[string]bool{}
	for name := range s.Named() {
		for n := name.String(); n != "" && !known[n]; n = n[:max(0, strings.LastIndexByte(n, '.'))] {
			known[n] = true
		}
	}
	return known
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

var (
	layered = regexp.MustCompile(`^[a-z_.]*(layers|blocks)\.\d+\.[A-Za-z0-9_.]+`)
	experts = regexp.MustCompile(`experts\.\d+\.`)
)

// spoken are the modules of blocks that a configuration names in full; a trailing star is cut off.
func spoken(v strictjson.Value) (modules []string) {
	var walk func(v strictjson.Value)
	add := func(text string) {
		if m := layered.FindString(text); m != "" && !strings.Contains(m, "vision") && !strings.Contains(m, "visual") {
			modules = append(modules, strings.TrimRight(experts.ReplaceAllString(m, "experts.*."), "."))
		}
	}
	walk = func(v strictjson.Value) {
		for key, member := range v.Members() {
			add(key)
			walk(member)
		}
		for e := range v.Elements() {
			if s, err := e.AsString(); err == nil {
				add(s)
			}
			walk(e)
		}
	}
	walk(v)
	return modules
}
