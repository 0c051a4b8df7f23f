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

// TestStoredBytes holds the marks of tensors, which are matrices and which are kept in 32 bits, to files whose size is known to the
// byte: those of MiniMax-M1 in 16 bits, of MiniMax-M2 in 8 with a scale for each block of 128 by 128, and of gpt-oss,
// whose experts have 4 bits and a scale of 8 for 32 of them.
func TestStoredBytes(t *testing.T) {
	dir := corpus()
	if dir == "" {
		t.Skip("no corpus of configurations beside the project")
	}
	blocks := func(n int64) int64 { return (n + 127) / 128 }
	for _, tt := range []struct {
		file   string
		want   int64
		packed func(x *arch.Tensor) int64 // 0 for what is kept in 16 bits
	}{
		{"MiniMaxAI__MiniMax-M1-80k.json", 912_210_767_872, func(*arch.Tensor) int64 { return 0 }},
		{"MiniMaxAI__MiniMax-M2.7.json", 230_121_630_720, func(x *arch.Tensor) int64 {
			if !x.Matrix || x.Component == arch.Head {
				return 0
			}
			return x.Elements() + 4*blocks(x.Rows.N)*blocks(x.Cols.N)*x.Copies.N
		}},
		{"openai__gpt-oss-120b.json", 65_248_815_744, func(x *arch.Tensor) int64 {
			if !x.Matrix || x.Component != arch.Experts {
				return 0
			}
			return x.Elements() * 17 / 32
		}},
	} {
		t.Run(tt.file, func(t *testing.T) {
			s, err := arch.Of(load(t, filepath.Join(dir, tt.file)))
			if err != nil {
				t.Fatal(err)
			}
			var got int64
			for x := range s.Tensors() {
				switch packed := tt.packed(x); {
				case packed > 0:
					got += packed
				case x.Float32:
					got += 4 * x.Elements()
				default:
					got += 2 * x.Elements()
				}
			}
			if got != tt.want {
				t.Errorf("%d bytes, want %d (%+d)", got, tt.want, got-tt.want)
			}
		})
	}
}
