package manifest

import (
	"bytes"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/util/validation"
)

// TestRefused: what a format or an engine cannot express is an error that says what to do, and nothing is written.
func TestRefused(t *testing.T) {
	base := func() *Plan { return plans()["small"] }
	for _, tt := range []struct {
		name, format string
		change       func(*Plan)
		want         string
	}{
		{"another engine", "vllm", func(p *Plan) { p.Engine = "llama.cpp" }, "say --emit llama-server"},
		{"another engine, other way", "llama-server", func(*Plan) {}, "say --emit vllm, or plan again with --engine llama.cpp"},
		{"no server", "compose", func(p *Plan) { p.Engine = "transformers" }, "plan with --engine vllm, sglang"},
		{"no server of that name", "kubernetes", func(p *Plan) { p.Engine = "exllama" }, "plan with --engine"},
		{"no engine", "compose", func(p *Plan) { p.Engine = "" }, "plan with --engine"},
		{"no version", "vllm", func(p *Plan) { p.Version = "" }, "--engine-version"},
		{"does not fit", "vllm", func(p *Plan) { p.Unfit = "weights of 16 GB do not fit" }, "weights of 16 GB do not fit"},
		{"a version that is no release", "compose", func(p *Plan) { p.Version = "LMI (vLLM 0.7.x)" }, "names no release"},
		{"a version that is none", "kubernetes", func(p *Plan) { p.Version = "0.9.x" }, "names no release"},
		{"an image that is none", "compose", func(p *Plan) { p.Image = "a b" }, "no name of an image"},
		{"an old version", "vllm", func(p *Plan) { p.Version = "0.5.4" }, "0.6.0 or later"},
		{"nowhere", "vllm", func(p *Plan) { p.Model = Model{} }, "where the model is"},
		{"two places", "vllm", func(p *Plan) { p.Model.Path = "x" }, "both"},
		{"a dash", "vllm", func(p *Plan) { p.ServedName = "--api-key=x" }, "begins with a dash"},
		{"a dash in the model", "compose", func(p *Plan) { p.Model.Hub = "-x/y" }, "begins with a dash"},
		{"no text", "vllm", func(p *Plan) { p.ServedName = "a\x00b" }, "no text"},
		{"ranks and devices differ", "vllm", func(p *Plan) { p.Tensor = 2 }, "2 ranks"},
		{"ranks below one", "vllm", func(p *Plan) { p.Tensor = -1 }, "want 1 to"},
		{"ranks without end", "vllm", func(p *Plan) { p.Tensor, p.Pipeline, p.Data = 1<<40, 1<<40, 1<<40 }, "want 1 to"},
		{"no GPU", "vllm", func(p *Plan) { p.GPU.Vendor, p.GPUsPerNode = "none", 0 }, "only llama.cpp"},
		{"another vendor", "kubernetes", func(p *Plan) { p.GPU.Vendor = "google" }, "google"},
		{"a secret that is none", "kubernetes", func(p *Plan) { p.TokenSecret = "A B" }, "no name of a Kubernetes secret"},
		{"port", "vllm", func(p *Plan) { p.Port = 70000 }, "1 to 65535"},
		{"share", "vllm", func(p *Plan) { p.Utilization = 1.5 }, "0 to 1"},
		{"negative setting", "vllm", func(p *Plan) { p.MaxSeqs = -1 }, "want 0"},
		{"negative replicas", "kubernetes", func(p *Plan) { p.Replicas = -3 }, "replicas"},
		{"quantized in advance", "vllm", func(p *Plan) { p.Quantize = "awq" }, "stored so"},
		{"cache", "vllm", func(p *Plan) { p.KV = "q4_0" }, "--kv-dtype"},
		{"experts among some", "vllm", func(p *Plan) { p.Tensor, p.GPUsPerNode, p.Expert = 4, 4, 2 }, "--ep 4"},
		{"several hosts", "compose", func(p *Plan) { p.Pipeline, p.Nodes = 2, 2 }, "--emit kubernetes"},
		{"more than a host has", "compose", func(p *Plan) { p.Replicas = 1000 }, "--emit kubernetes"},
		{"chart of another engine", "helm-values", func(p *Plan) { p.Engine, p.Version = "sglang", "0.5.6" }, "--emit kubernetes"},
		{"chart over nodes", "helm-values", func(p *Plan) { p.Pipeline, p.Nodes = 2, 2 }, "--emit kubernetes"},
		{"chart without a tag", "helm-values", func(p *Plan) { p.Image = "x/y" }, "no tag"},
		{"which file", "llama-server", func(p *Plan) { p.Engine, p.Version = "llama.cpp", "b7000" }, "which GGUF"},
		{"llama.cpp on nodes", "kubernetes", func(p *Plan) { p.Engine, p.Version, p.Nodes = "llama.cpp", "b7000", 2 }, "several nodes"},
		{"TensorRT on nodes", "kubernetes", func(p *Plan) { p.Engine, p.Version, p.Pipeline, p.Nodes = "trt-llm", "1.2.0", 2, 2 }, "mpirun"},
		{"TensorRT with a cache of 8 bits", "compose", func(p *Plan) { p.Engine, p.Version, p.KV = "trt-llm", "1.2.0", "fp8" }, "--kv-dtype auto"},
		{"ROCm of SGLang for a card without image", "compose", func(p *Plan) { p.Engine, p.Version, p.GPU.Vendor = "sglang", "0.5.6", "amd" }, "--image"},
		{"a guess of nothing", "vllm", func(p *Plan) { p.Speculative.Method = "eagle" }, "how many tokens"},
		{"a guess of a later version", "vllm", func(p *Plan) { p.Version, p.Speculative = "0.10.0", Speculative{"mtp", "", 1} }, "0.15.0 or later"},
	} {
		p := base()
		tt.change(p)
		data, err := Bytes(tt.format, p)
		if !errors.Is(err, ErrPlan) || !strings.Contains(err.Error(), tt.want) || len(data) > 0 {
			t.Errorf("%s: %v, %d bytes; want an error with %q", tt.name, err, len(data), tt.want)
		}
	}
}

// A Mac runs the command line; nobody has an image for it.
func TestOtherDevices(t *testing.T) {
	p := plans()["offload"]
	p.GPU = GPU{Vendor: "apple", Name: "M4 Max"}
	if _, err := Bytes("llama-server", p); err != nil {
		t.Error(err)
	}
	if _, err := Bytes("compose", p); !errors.Is(err, ErrPlan) || !strings.Contains(err.Error(), "say --emit llama-server") {
		t.Error(err)
	}
}

func TestUnknownFormat(t *testing.T) {
	if _, err := Bytes("nomad", plans()["small"]); err == nil || !strings.Contains(err.Error(), "want one of vllm, sglang") {
		t.Error(err)
	}
}

// Law: the same plan gives the same bytes, and writing one does not change it.
func TestSameBytes(t *testing.T) {
	for name, p := range plans() {
		for _, format := range Formats() {
			one, err1 := Bytes(format, p)
			two, err2 := Bytes(format, p)
			fresh, err3 := Bytes(format, plans()[name])
			if !bytes.Equal(one, two) || !bytes.Equal(one, fresh) || (err1 == nil) != (err2 == nil) || (err1 == nil) != (err3 == nil) {
				t.Errorf("%s as %s differs from one time to the next", name, format)
			}
		}
	}
}

// Law: every plan can be written in some way.
func TestEveryPlanIsWritten(t *testing.T) {
	for _, name := range slices.Sorted(maps.Keys(plans())) {
		if _, err := Bytes("kubernetes", plans()[name]); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestObjectNames(t *testing.T) {
	for model, want := range map[string]string{
		"meta-llama/Llama-3.1-8B-Instruct": "llama-3-1-8b-instruct",
		"01-ai/Yi-34B":                     "yi-34b",
		"x/1bit":                           "m-1bit",
		"./models/tiny.gguf":               "tiny",
	} {
		if got := objectName(model); got != want {
			t.Errorf("%s is %s, want %s", model, got, want)
		}
	}
	if a, b := objectName("x/模型"), objectName("x/型模"); a == b {
		t.Errorf("two models are both %s", a)
	}
}

func FuzzNames(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if faults := validation.IsDNS1035Label(objectName(s) + "-files"); len(faults) > 0 {
			t.Errorf("%q is %q: %v", s, objectName(s), faults)
		}
		if faults := validation.IsValidLabelValue(labelValue(s)); len(faults) > 0 {
			t.Errorf("label %q is %q: %v", s, labelValue(s), faults)
		}
		if secretName(s) != (len(validation.IsDNS1123Subdomain(s)) == 0) && len(s) <= 63 {
			t.Errorf("secret %q: %v", s, secretName(s))
		}
	})
}
