package catalog

import (
	"strings"
	"testing"
)

func TestMade(t *testing.T) {
	for id, want := range map[string]string{
		"meta-llama/Llama-3.2-1B": "pruned from Llama 3.1 8B", "meta-llama/Llama-3.2-3B-Instruct": "distilled",
		"google/gemma-2-9b-it": "distilled", "google/gemma-2-27b-it": "", "google/gemma-3-27b-pt": "distilled", "google/gemma-2b": "",
		"deepseek-ai/DeepSeek-R1-Distill-Qwen-14B": "DeepSeek-R1", "deepseek-ai/DeepSeek-R1": "", "nvidia/Minitron-4B-Base": "pruned",
		"nvidia/NVIDIA-Nemotron-Nano-12B-v2": "", "nvidia/NVIDIA-Nemotron-Nano-9B-v2": "pruned", "meta-llama/Llama-3.1-8B": "",
		"meta-llama/Llama-4-Scout-17B-16E": "", "meta-llama/Llama-4-Maverick-17B-128E": "Behemoth", "": "",
		"mistralai/Ministral-3-3B-Instruct-2512": "pruned", "mistralai/Ministral-8B-Instruct-2410": "",
	} {
		why, source, ok := Made(id)
		if ok != (want != "") || !strings.Contains(why, want) || ok && !strings.Contains(source, "https://") {
			t.Errorf("%s: %q, %q", id, why, source)
		}
	}
}

// Each line says all, and no name is said twice.
func TestMadeIsWhole(t *testing.T) {
	seen, mine := make(map[string]bool), 0
	ids, err := Default().IDs()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(made) {
		cell := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cell) != 4 || cell[1] == "" || cell[2] == "" || !strings.HasPrefix(cell[3], "https://") || cell[0] != strings.ToLower(cell[0]) || seen[cell[0]] {
			t.Errorf("%q", line)
			continue
		}
		seen[cell[0]] = true
		for _, id := range ids {
			if named(cell[0], strings.ToLower(id)) {
				mine++
			}
		}
	}
	if len(seen) < 25 || mine < 20 {
		t.Errorf("%d names, which are those of %d models of the catalog", len(seen), mine)
	}
}

// What the records call distilled or pruned is in the list too.
func TestMadeKnowsTheRecords(t *testing.T) {
	ids := Default().IDsWithConfig()
	for _, id := range ids {
		k, ok, err := Default().Get(id)
		if err != nil || !ok {
			t.Fatalf("%s: %v", id, err)
		}
		if k.Base == nil || k.Base.Relation != "distill" && k.Base.Relation != "pruned" {
			continue
		}
		if _, _, ok := Made(id); !ok {
			t.Errorf("%s was made of %s: %s", id, k.Base.Ref, k.Base.Relation)
		}
	}
}
