package serve_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/serve"
)

func TestFindEngine(t *testing.T) {
	for _, c := range []struct {
		name, kind, version string
		want                serve.Kind
		assumed             bool
	}{
		{"plain", "vllm", "0.19.0", serve.VLLM, false},
		{"post release", "vLLM", "0.8.5.post1", serve.VLLM, false},
		{"any patch", "vllm", "0.2.x", serve.VLLM, false},
		{"two versions", "vllm", "0.9.x/0.10.0", serve.VLLM, false},
		{"developer's", "vllm", "0.6.6-dev", serve.VLLM, false},
		{"second engine", "vllm", "0.7.0-dev V1", serve.VLLM, false},
		{"in a container", "vllm", "LMI (vLLM 0.7.x)", serve.VLLM, false},
		{"with a letter", "sglang", "v0.5.3", serve.SGLang, false},
		{"newest", "sglang", "", serve.SGLang, true},
		{"latest", "vllm", "latest", serve.VLLM, true},
		{"long name", "TensorRT-LLM", "1.0.0", serve.TensorRT, false},
		{"build number", "llama.cpp", "b6000", serve.LlamaCPP, false},
		{"nothing", "", "", serve.VLLM, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := serve.FindEngine(c.kind, c.version)
			if err != nil {
				t.Fatal(err)
			}
			if e.Kind != c.want || e.Assumed != c.assumed || e.Version == "" && e.Kind != serve.LlamaCPP {
				t.Errorf("got %+v, want %s, assumed %t", e, c.want, c.assumed)
			}
		})
	}
}

func TestFindEngineRefuses(t *testing.T) {
	for _, c := range []struct{ name, kind, version, says string }{
		{"unknown engine", "ollama2", "", "vllm, sglang, trt-llm, llama.cpp, transformers"},
		{"no digits", "vllm", "newer", "0.23.0"},
		{"one number", "vllm", "99", `"99" is no version of vllm; say one like 0.23.0 or 0.23`},
		{"no build", "llama.cpp", "newer", "the build b6325 or the release 0.5.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := serve.FindEngine(c.kind, c.version)
			if !errors.Is(err, serve.ErrEngine) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want one that says %q", err, c.says)
			}
		})
	}
}

// TestVersionsBeyond: whose defaults stand for a version that is not known is told.
func TestVersionsBeyond(t *testing.T) {
	m := modelOf(t, shapes["dense"], "bf16")
	for _, c := range []struct{ kind, version, why string }{
		{"vllm", "9.9", "the defaults of 0.23.0, the newest that is known"},
		{"vllm", "0.1", "the defaults of the oldest that is known, before 0.3"},
		{"vllm", "0.19.0", ""},
		{"vllm", "", "the newest that is known"},
		{"sglang", "0.4.1", "the defaults of 0.5.6, the only version that is known"},
		{"trt-llm", "0.17", "the defaults of the oldest that is known, before 1.0"},
		{"llama.cpp", "b1000", "the defaults of the oldest that is known, before b2409"},
		{"llama.cpp", "7.0", "the defaults of 0.5.0, the newest that is known"},
		{"llama.cpp", "b7000", ""},
	} {
		e, err := serve.FindEngine(c.kind, c.version)
		if err != nil {
			t.Fatal(err)
		}
		p, err := serve.Plan{Engine: e, GPU: card(80), GPUs: 1, MaxModelLen: 4096}.Complete(m)
		if err != nil {
			t.Fatal(err)
		}
		why := ""
		for _, s := range p.Assumed {
			if s.Name == "engine_version" {
				why = s.Why
			}
		}
		if why != c.why {
			t.Errorf("%s %s: %q, want %q", c.kind, c.version, why, c.why)
		}
	}
}

// TestCacheNames: one number format of the cache has several names.
func TestCacheNames(t *testing.T) {
	m := modelOf(t, shapes["dense"], "bf16")
	for name, want := range map[string]string{
		"f16": "fp16", "float16": "fp16", "half": "fp16", "bfloat16": "bf16", "fp8_e4m3": "fp8_e4m3", "e4m3": "fp8_e4m3", "e5m2": "fp8_e5m2",
	} {
		p, err := serve.Plan{Engine: engineOf(t, serve.VLLM), GPU: card(80), GPUs: 1, MaxModelLen: 4096, KV: name}.Complete(m)
		if err != nil || p.KV != want || !serve.KnownCache(name) {
			t.Errorf("%s: %s, %v; want %s", name, p.KV, err, want)
		}
	}
}

// TestDefaults follows settings through the versions in which they changed.
func TestDefaults(t *testing.T) {
	m := modelOf(t, shapes["dense"], "bf16")
	for _, c := range []struct {
		name, version, card, compute string
		gib, util                    float64
		tokens, seqs                 int64
	}{
		{"V0 takes the whole prompt", "0.6.3", "h100-sxm", "9.0", 79.19, 0.90, 8192, 256},
		{"V1 on a large card", "0.19.0", "h100-sxm", "9.0", 79.19, 0.90, 8192, 1024},
		{"an A100 counts as small", "0.19.0", "a100-80-sxm", "8.0", 79.15, 0.90, 2048, 256},
		{"a small card", "0.19.0", "l4", "8.9", 22.2, 0.90, 2048, 256},
		{"a larger share", "0.22.0", "h100-sxm", "9.0", 79.19, 0.92, 8192, 1024},
		{"too old a card for V1", "0.8.5", "t4", "7.5", 14.7, 0.90, 8192, 256},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := serve.FindEngine("vllm", c.version)
			if err != nil {
				t.Fatal(err)
			}
			g := card(c.gib)
			g.ID, g.Compute = c.card, c.compute
			p, err := serve.Plan{Engine: e, GPU: g, MaxModelLen: 8192}.Complete(m)
			if err != nil {
				t.Fatal(err)
			}
			if p.Utilization != c.util || p.BatchedTokens != c.tokens || p.MaxSeqs != c.seqs {
				t.Errorf("%v of memory, %d tokens, %d sequences; want %v, %d, %d", p.Utilization, p.BatchedTokens, p.MaxSeqs, c.util, c.tokens, c.seqs)
			}
			names := map[string]bool{}
			for _, s := range p.Assumed {
				names[s.Name] = s.Value != "" && s.Why != ""
			}
			for _, want := range []string{"gpu_memory_utilization", "max_batched_tokens", "max_num_seqs", "kv_dtype"} {
				if !names[want] {
					t.Errorf("%s is not named with its value and reason", want)
				}
			}
			again, err := p.Complete(m)
			if err != nil || len(again.Assumed) != len(p.Assumed) {
				t.Errorf("completing twice names %d settings, then %d (%v)", len(p.Assumed), len(again.Assumed), err)
			}
		})
	}
}

func TestIllegal(t *testing.T) {
	for _, c := range []struct {
		name, shape, format string
		plan                serve.Plan
		says                string
	}{
		{"heads", "dense", "bf16", serve.Plan{Tensor: 3}, "32 attention heads do not divide by tensor parallel 3"},
		{"key-value heads", "tied", "bf16", serve.Plan{Tensor: 3}, "2 key-value heads"},
		{"stages", "dense", "bf16", serve.Plan{Pipeline: 33}, "33 pipeline stages for 32 layers"},
		{"ranks", "dense", "bf16", serve.Plan{Tensor: 2, GPUs: 3}, "2 ranks, but there are 3 GPUs"},
		{"no experts", "dense", "bf16", serve.Plan{Tensor: 2, Expert: 2}, "has no experts"},
		{"experts", "experts", "bf16", serve.Plan{Tensor: 2, Data: 8, Expert: 3}, "expert parallel 3"},
		{"blocks of fp8", "experts", "fp8-block", serve.Plan{Tensor: 4}, "cut through blocks of 128"},
		{"utilization", "dense", "bf16", serve.Plan{Utilization: 1.5}, "utilization 1.5"},
		{"cache format", "dense", "bf16", serve.Plan{KV: "q8_0"}, "q8_0"},
		{"absurd context", "dense", "bf16", serve.Plan{MaxModelLen: 1 << 62}, "max_model_len"},
		{"negative context", "dense", "bf16", serve.Plan{MaxModelLen: -1}, "max_model_len"},
		{"negative ranks", "dense", "bf16", serve.Plan{Tensor: -2}, "at least one rank"},
		{"absurd ranks", "dense", "bf16", serve.Plan{Tensor: 1 << 62, Pipeline: 4}, "ranks"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := serve.FindEngine("vllm", "0.19.0")
			if err != nil {
				t.Fatal(err)
			}
			p := c.plan
			p.Engine, p.GPU = e, card(79.19)
			_, err = serve.Fit(modelOf(t, shapes[c.shape], c.format), p)
			if !errors.Is(err, serve.ErrIllegal) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want one that says %q", err, c.says)
			}
		})
	}
}

// TestNewerThanKnown holds that a version from after our records is not passed off as known, and that llama.cpp names
// what it takes as the other engines do.
func TestNewerThanKnown(t *testing.T) {
	m := modelOf(t, shapes["dense"], "bf16")
	for _, tt := range []struct{ kind, version, says string }{
		{"vllm", "", "the newest that is known"},
		{"vllm", "9.9", "the defaults of 0.23.0"},
		{"vllm", "0.19.0", ""},
		{"llama.cpp", "", "the newest that is known"},
		{"llama.cpp", "7.0.0", "the defaults of 0.5.0"},
	} {
		e, err := serve.FindEngine(tt.kind, tt.version)
		if err != nil {
			t.Fatal(err)
		}
		p, err := serve.Plan{Engine: e, GPU: card(80), MaxModelLen: 8192}.Complete(m)
		if err != nil {
			t.Fatal(err)
		}
		named := map[string]string{}
		for _, a := range p.Assumed {
			named[a.Name] = a.Why
		}
		if why := named["engine_version"]; !strings.Contains(why, tt.says) || tt.says == "" && why != "" {
			t.Errorf("%s %s: %q, want %q", tt.kind, tt.version, why, tt.says)
		}
		if p.KV == "" || p.KV == "auto" || named["kv_dtype"] == "" {
			t.Errorf("%s %s: cache in %q because %q", tt.kind, tt.version, p.KV, named["kv_dtype"])
		}
	}
}
