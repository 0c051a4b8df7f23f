package speed

import (
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// setting is what constants depend on.
type setting struct {
	engine, class, generation string
	moe                       bool
	early                     bool // a version before engines of its kind were rewritten
	link                      string
	groups                    []string // what effects may be of, formats left out
}

// classOf sorts engines by how they launch kernels.
func classOf(k serve.Kind) string {
	switch string(k) {
	case "transformers", "litgpt":
		return "eager"
	case "llama.cpp", "exllama", "exllamav2", "mlc-llm", "autoawq", "ollama":
		return "native"
	}
	return "graphs"
}

// generationOf sorts devices by architecture; cards for data centers and others of one architecture differ.
func generationOf(a *hardware.Accelerator) string {
	switch {
	case a.Arch == "ampere" && a.Compute == "8.0":
		return "ampere-server"
	case strings.HasPrefix(a.Arch, "blackwell") && strings.HasPrefix(a.Compute, "12"):
		return "blackwell-desktop"
	case strings.HasPrefix(a.Arch, "blackwell"):
		return "blackwell"
	case strings.HasPrefix(a.Arch, "rdna"):
		return "rdna"
	case strings.HasPrefix(a.Arch, "cdna"):
		return "cdna"
	case a.Arch == "":
		return "other"
	}
	return a.Arch
}

// linkOf says how the ranks of a stage reach each other.
func linkOf(a *hardware.Accelerator, ranks int) string {
	switch {
	case ranks <= 1:
		return "none"
	case a.MaxPerNode > 0 && ranks > a.MaxPerNode:
		return "between nodes"
	case a.LinkGBs <= 0 || strings.Contains(a.Link, "bridge") && ranks > 2 && !strings.HasPrefix(a.Link, "nvlink4"):
		return "pcie"
	}
	return "direct"
}

func settingOf(p *serve.Plan, w *serve.Work) setting {
	s := setting{
		engine: string(p.Engine.Kind), class: classOf(p.Engine.Kind), generation: generationOf(p.GPU), moe: w.MoE,
		link: linkOf(p.GPU, w.Tensor*w.Data),
	}
	s.groups = []string{
		"class " + s.class, "engine " + s.engine, "generation " + s.generation, "vendor " + p.GPU.Vendor,
		"class " + s.class + ", generation " + s.generation, "engine " + s.engine + ", generation " + s.generation,
		"link " + s.link, "engine " + s.engine + ", link " + s.link,
	}
	if p.GPU.Unified {
		s.groups = append(s.groups, "unified memory")
	}
	if w.MoE {
		s.groups = append(s.groups, "experts", "engine "+s.engine+", experts")
	}
	if early(p.Engine) {
		s.groups = append(s.groups, "engine "+s.engine+", early")
	}
	if w.Expert > 1 {
		s.groups = append(s.groups, "expert parallel")
	}
	return s
}

// early reports whether the version is one before the present way of running: a first number of 0 where there is a later
// one, vLLM before its second engine.
func early(e *serve.Engine) bool {
	v := strings.TrimSpace(e.Version)
	switch e.Kind {
	case serve.TensorRT:
		return strings.HasPrefix(v, "0.")
	case serve.VLLM:
		for _, old := range []string{"0.1.", "0.2.", "0.3.", "0.4.", "0.5.", "0.6.", "0.7."} {
			if strings.HasPrefix(v, old) {
				return true
			}
		}
	}
	return false
}
