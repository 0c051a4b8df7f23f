package diligence

import (
	"cmp"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/manifest"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/report"
	"github.com/llmcheck/llmcheck/internal/serve"
)

// emit writes the plan as something to run. A plan that does not fit is not written: who runs it would find that out
// from the engine. The answer says why it does not.
func (e *estimate) emit(out *report.Estimate, o *outlook) error {
	if e.q.Emit == "" || o.Verdict != string(serve.Fits) && o.Verdict != string(serve.Tight) {
		return nil
	}
	data, err := manifest.Bytes(e.q.Emit, e.manifest(out, o))
	if err != nil {
		return err
	}
	out.Manifest = string(data)
	return nil
}

func (e *estimate) manifest(out *report.Estimate, o *outlook) *manifest.Plan {
	p, full := &o.plan, o.Plan
	m := &manifest.Plan{
		Header: []string{
			"llmcheck " + e.Version + ", " + e.Now().UTC().Format("2006-01-02") + ": " + out.Summary,
		},
		Model: e.served(o), Engine: string(p.Engine.Kind), Version: p.Engine.Version,
		Tensor: p.Tensor, Pipeline: p.Pipeline, Expert: p.Expert, Data: p.Data, Nodes: p.Nodes(), GPUsPerNode: perNode(p), GPU: shownGPU(p.GPU),
		Quantize: e.quantize(o), KV: p.KV, MaxModelLen: p.MaxModelLen, MaxSeqs: p.MaxSeqs, BatchedTokens: p.BatchedTokens, Utilization: p.Utilization,
		Eager: p.Eager, Replicas: max(1, full.Replicas-full.Spare), Spare: full.Spare,
	}
	if o.Host != nil {
		m.HostBytes = *o.Host
	}
	if o.Verdict == string(serve.Tight) {
		m.Edit = append(m.Edit, "the plan is tight, and may not start: "+o.Why)
	}
	if o.Speed != nil && o.Speed.Saturated {
		m.Edit = append(m.Edit, "the plan does not keep up with the load: "+o.Speed.Why)
	} else if t := targetsOf(o); t != nil && t.Met != met {
		m.Edit = append(m.Edit, "the limits of latency are not sure to hold: "+t.Why)
	}
	if e.q.Load.Drafts > 0 {
		m.Edit = append(m.Edit, fmt.Sprintf("speed was computed with %d drafted tokens; name the draft model or method, which the plan does not know", e.q.Load.Drafts))
	}
	if p.Engine.Kind == serve.LlamaCPP {
		m.Llama = llamaOf(&p.Llama, p.MaxSeqs)
	}
	return m
}

func targetsOf(o *outlook) *report.Targets {
	if o.Speed == nil {
		return nil
	}
	return o.Speed.Targets
}

// served is where the weights are.
func (e *estimate) served(o *outlook) manifest.Model {
	m := manifest.Model{Bytes: o.model.Model().Bytes(), License: e.s.license}
	switch ref := e.s.ref; ref.Scheme {
	case model.SchemeHub, model.SchemeURL:
		m.Hub, m.File, m.Revision = ref.Name, ref.File, cmp.Or(e.s.revision, ref.Revision)
	default:
		m.Path = ref.Name
		if filepath.Base(m.Path) == "config.json" {
			m.Path = filepath.Dir(m.Path)
		}
	}
	if f := e.s.files; f != nil && f.Card != nil {
		m.Gated = f.Card.GatedPrompt != nil
	}
	return m
}

// quantize is what the engine has to make of the weights while it loads; "" where they are stored so.
func (e *estimate) quantize(o *outlook) string {
	format := o.model.Model().Weights.Name
	if e.s.stored != nil && e.s.stored.Name == format {
		return ""
	}
	if strings.HasPrefix(format, "fp8") {
		return "fp8"
	}
	return format
}

func perNode(p *serve.Plan) int {
	n := p.Devices()
	return (n + p.Nodes() - 1) / p.Nodes()
}

func shownGPU(a *hardware.Accelerator) manifest.GPU {
	g := manifest.GPU{Vendor: cmp.Or(a.Vendor, "nvidia"), Name: a.Name}
	if a.Vendor == "amd" && strings.HasPrefix(a.Arch, "cdna") {
		g.Family = map[string]string{"cdna3": "mi30x", "cdna4": "mi35x"}[a.Arch]
	}
	return g
}

func llamaOf(o *serve.LlamaOptions, slots int64) manifest.Llama {
	l := manifest.Llama{
		AllLayers: o.GPULayers <= 0 && !o.HostOnly, GPULayers: max(0, o.GPULayers), CPUExperts: o.CPUExperts, Slots: slots, MicroBatch: o.MicroBatch,
		FullWindow: o.FullWindow, UnifiedKV: o.UnifiedKV, NoMMap: o.NoMMap,
	}
	switch {
	case o.Flash:
		l.Flash = "on"
	case o.NoFlash:
		l.Flash = "off"
	}
	return l
}
