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
	link                      string
	groups                    []string // what effects may be of, formats left out
}

// linkOf says how the ranks of a stage reach each other.
func linkOf(a *hardware.Accelerator, ranks int) string {
	switch {
	case ranks <= 1:
		return "none"
	case a.MaxPerNode > 1 && ranks > max(a.MaxPerNode, a.Joined):
		return "between nodes"
	case a.LinkGBs <= 0 || strings.Contains(a.Link, "bridge") && ranks > 2 && !strings.HasPrefix(a.Link, "nvlink4"):
		return "pcie"
	}
	return "direct"
}

func settingOf(p *serve.Plan, w *serve.Work) setting {
	s := setting{
		engine: p.Engine.Name, class: string(p.Engine.Class()), generation: p.GPU.Generation(), moe: w.MoE,
		link: linkOf(p.GPU, w.Tensor*w.Data),
	}
	s.groups = []string{
		"class " + s.class, "engine " + s.engine, "generation " + s.generation, "vendor " + p.GPU.Vendor,
		"class " + s.class + ", generation " + s.generation, "engine " + s.engine + ", generation " + s.generation,
		"card " + p.GPU.ID, "link " + s.link, "engine " + s.engine + ", link " + s.link,
	}
	switch s.generation {
	case "volta", "ampere-server", "hopper", "blackwell", "cdna":
		s.groups = append(s.groups, "class "+s.class+", stacked memory")
	}
	if p.GPU.Unified && p.GPU.Vendor == "apple" { // others were not measured, and their kernels are those of their kin
		s.groups = append(s.groups, "unified memory")
	}
	if w.MoE {
		s.groups = append(s.groups, "experts", "engine "+s.engine+", experts")
	}
	if kind := string(p.Engine.Kind); kind != s.engine {
		s.groups = append(s.groups, "engine "+kind)
	}
	if w.Latent {
		s.groups = append(s.groups, "latent attention", "engine "+s.engine+", latent attention")
	}
	if w.Expert > 1 {
		s.groups = append(s.groups, "expert parallel")
	}
	return s
}
