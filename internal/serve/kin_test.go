package serve_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/serve"
)

func others(t *testing.T) []string {
	t.Helper()
	names, err := serve.Others()
	if err != nil || len(names) < 20 {
		t.Fatalf("%d records, %v", len(names), err)
	}
	return names
}

// TestOthers: every record gives an engine, by both ways of looking, whose name leads to itself again.
func TestOthers(t *testing.T) {
	all, err := serve.Engines()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range append(others(t), serve.Kinds()...) {
		one, err := serve.FindEngine(name, "")
		two, err2 := all.Find(strings.ToUpper(name), "")
		if err != nil || err2 != nil {
			t.Errorf("%s: %v, %v", name, err, err2)
			continue
		}
		if one.Kind != two.Kind || one.Class() != two.Class() || one.Class() == "" || one.Checked.IsZero() || one.Name != name {
			t.Errorf("%s: %+v and %+v", name, one, two)
		}
		if (one.Note() == "") != slices.Contains(serve.Kinds(), name) {
			t.Errorf("%s: note %q", name, one.Note())
		}
		if again, err := serve.FindEngine(string(one.Kind), ""); err != nil || again.Kind != one.Kind {
			t.Errorf("%s is of kind %s, which is found as %v, %v", name, one.Kind, again, err)
		}
	}
}

func TestNamesOfEngines(t *testing.T) {
	for _, c := range []struct {
		names string
		kind  serve.Kind
		class serve.Class
	}{
		{"ollama lm-studio lmstudio llamafile koboldcpp llama-cpp-python ik_llama.cpp Ollama", serve.LlamaCPP, serve.ClassNative},
		{"tensorrt-llm trtllm nim tensorrt_llm", serve.TensorRT, serve.ClassGraphs},
		{"hf huggingface transformers", serve.Transformers, serve.ClassEager},
		{"aphrodite", serve.VLLM, serve.ClassGraphs},
		{"exllamav2 tabbyapi", "exllamav2", serve.ClassNative},
		{"exllama", "exllama", serve.ClassNative},
		{"gpt-fast", "gpt-fast", serve.ClassCompiled},
		{"litgpt", "litgpt", serve.ClassEager},
		{"autoawq", "autoawq", serve.ClassEager},
		{"mlx mlx-lm mlx_lm", "mlx", serve.ClassNative},
		{"tgi text-generation-inference", "tgi", serve.ClassGraphs},
		{"lmdeploy turbomind", "lmdeploy", serve.ClassGraphs},
		{"deepspeed-mii deepspeed-fastgen", "deepspeed-fastgen", serve.ClassGraphs},
	} {
		for name := range strings.FieldsSeq(c.names) {
			e, err := serve.FindEngine(name, "")
			if err != nil || e.Kind != c.kind || e.Class() != c.class {
				t.Errorf("%s: %+v, %v; want %s, %s", name, e, err, c.kind, c.class)
			}
		}
	}
	if e, err := serve.FindEngine("transformers (eager)", ""); err != nil || e.Kind != serve.Transformers {
		t.Errorf("%v, %v", e, err)
	}
}

// TestEngineTypos are refused, with what may have been meant.
func TestEngineTypos(t *testing.T) {
	for name, says := range map[string]string{"ollma": "ollama", "vlm": "vllm", "exlamav2": "exllamav2", "sglan": "sglang", "lama.cpp": "llama.cpp", "nothing-like-it": "want one of"} {
		if _, err := serve.FindEngine(name, ""); !errors.Is(err, serve.ErrEngine) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want one that says %s", name, err, says)
		}
	}
	if _, err := serve.FindEngine(strings.Repeat("x", 1<<20), ""); err == nil || len(err.Error()) > 500 {
		t.Errorf("%d bytes", len(err.Error()))
	}
}

// TestVersionsOfOthers: they count otherwise than what lies beneath.
func TestVersionsOfOthers(t *testing.T) {
	m := modelOf(t, shapes["dense"], "bf16")
	for _, c := range []struct{ name, version, want, says string }{
		{"ollama", "0.13.1", "0.13.1", "counts its versions otherwise"},
		{"ollama", "", "0.5.0", "the newest that is known"},
		{"exllamav2", "0.2.4", "0.2.4", ""},
		{"exllamav2", "", "", ""},
	} {
		e, err := serve.FindEngine(c.name, c.version)
		if err != nil || e.Version != c.want {
			t.Errorf("%s %s: %+v, %v", c.name, c.version, e, err)
			continue
		}
		p, err := serve.Plan{Engine: e, GPU: card(80), GPUs: 1, MaxModelLen: 4096}.Complete(m)
		if err != nil {
			t.Fatal(err)
		}
		why := map[string]string{}
		for _, s := range p.Assumed {
			why[s.Name] = s.Why
		}
		if why["engine_account"] == "" || !strings.Contains(why["engine_version"], c.says) || c.says == "" && why["engine_version"] != "" {
			t.Errorf("%s %s: %v", c.name, c.version, why)
		}
	}
}

// TestGenericIsWide: what nobody measured has ranges at least as wide as what stands for it, and a plan in between is tight.
func TestGenericIsWide(t *testing.T) {
	m := modelOf(t, shapes["dense"], "bf16")
	width := func(i serve.Interval) int64 { return i.High - i.Low }
	fit := func(name string, gib float64) *serve.Memory {
		got, err := serve.Fit(m, serve.Plan{Engine: engine(t, name), GPU: card(gib), GPUs: 1, MaxModelLen: 2048})
		if err != nil {
			t.Fatal(name, err)
		}
		return got
	}
	for _, name := range []string{"exllamav2", "gpt-fast", "tgi", "lmdeploy", "litgpt"} {
		known, got := fit("transformers", 80), fit(name, 80)
		beside := func(a *serve.Memory) int64 {
			return width(a.Sum(serve.NonTorch)) + width(a.Sum(serve.Reserved)) + width(a.Sum(serve.Activation)) + width(a.Sum(serve.Graphs))
		}
		if beside(got) <= beside(known) || got.Sum(serve.Weights) != known.Sum(serve.Weights) && name != "tgi" && name != "lmdeploy" {
			t.Errorf("%s: %d wide, transformers %d", name, beside(got), beside(known))
		}
		verdicts := map[serve.Verdict]bool{}
		for gib := 8.0; gib < 40; gib += 0.5 {
			verdicts[fit(name, gib).Verdict] = true
		}
		if !verdicts[serve.Fits] || !verdicts[serve.Tight] || !verdicts[serve.DoesNot] {
			t.Errorf("%s: %v from small to large", name, verdicts)
		}
	}
}

// TestDevicesOfOthers: makers of devices that a program does not know leave it undecided.
func TestDevicesOfOthers(t *testing.T) {
	for _, c := range []struct {
		engine, vendor string
		want           error
	}{
		{"mlx", "apple", nil},
		{"mlx", "nvidia", nil},
		{"mlx", "amd", serve.ErrNoProfile},
		{"mlc-llm", "apple", nil},
		{"mlc-llm", "amd", nil},
		{"openvino", "intel", nil},
		{"exllamav2", "amd", nil},
		{"exllamav2", "apple", serve.ErrNoProfile},
		{"ollama", "apple", nil},
		{"nim", "amd", serve.ErrIllegal},
		{"tgi", "google", serve.ErrNoProfile},
	} {
		g := card(79)
		g.Vendor = c.vendor
		_, err := serve.Fit(modelOf(t, shapes["dense"], "bf16"), serve.Plan{Engine: engine(t, c.engine), GPU: g, GPUs: 1, MaxModelLen: 2048})
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s on a device of %s: %v, want %v", c.engine, c.vendor, err, c.want)
		}
	}
}

// TestFormatsOfOthers: what a program is not known to read is told and not refused.
func TestFormatsOfOthers(t *testing.T) {
	for _, c := range []struct {
		engine, format string
		known          bool
	}{
		{"exllamav2", "exl2-4.0bpw", true},
		{"exllamav2", "gptq-4bit-g128", true},
		{"exllamav2", "int4", true},
		{"exllamav2", "bf16", true},
		{"exllamav2", "fp8", false},
		{"gpt-fast", "int4-g32", true},
		{"gpt-fast", "int8", true},
		{"gpt-fast", "awq", false},
		{"mlc-llm", "q4f16_1", true},
		{"mlc-llm", "int4", true},
		{"litgpt", "nf4", true},
		{"autoawq", "awq-4bit-g128", true},
		{"mlx", "mlx-4bit", true},
		{"rtp-llm", "fp8", true},
	} {
		p, err := serve.Plan{Engine: engine(t, c.engine), GPU: card(80), GPUs: 1, MaxModelLen: 2048}.Complete(modelOf(t, shapes["dense"], c.format))
		if err != nil {
			t.Fatal(err)
		}
		told := slices.ContainsFunc(p.Assumed, func(s serve.Setting) bool { return s.Name == "format" })
		if told == c.known {
			t.Errorf("%s and %s: told %t", c.engine, c.format, told)
		}
	}
}
