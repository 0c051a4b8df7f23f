package manifest

import (
	"cmp"
	"slices"
)

// Sources: llama.cpp's tools/server/README.md and docs/docker.md.

func llamaProgram(*Plan) []string { return []string{"llama-server"} }

func llamaImage(p *Plan) (string, error) {
	tag, err := p.tag()
	if err != nil {
		return "", err
	}
	if _, ok := p.build(); !ok {
		tag = "v" + tag
	}
	kind := map[string]string{"nvidia": "server-cuda-", "amd": "server-rocm-", "none": "server-"}[p.GPU.Vendor]
	return "ghcr.io/ggml-org/llama.cpp:" + kind + tag, nil
}

func llamaOptions(p *Plan, at place) ([]option, error) {
	if err := p.checkLlama(); err != nil {
		return nil, err
	}
	var l list
	if p.Model.Hub != "" {
		l.named("--hf-repo", p.Model.Hub)
		l.named("--hf-file", p.Model.File)
	} else {
		l.named("--model", p.modelIn(at))
	}
	l.named("--alias", p.ServedName)
	if at.container {
		l.add(text("--host", "0.0.0.0"))
	}
	l.add(number("--port", p.Port))
	l.add(p.llamaDevices()...)
	o := p.Llama
	slots := max(o.Slots, 1)
	l.positive("--ctx-size", p.llamaContext(slots))
	l.add(number("--parallel", slots))
	l.set("--kv-unified", o.UnifiedKV)
	l.positive("--batch-size", o.Batch)
	l.positive("--ubatch-size", o.MicroBatch)
	l.add(p.llamaFlash()...)
	l.named("--cache-type-k", llamaKV(cmp.Or(o.CacheK, p.KV)))
	l.named("--cache-type-v", llamaKV(cmp.Or(o.CacheV, p.KV)))
	l.set("--swa-full", o.FullWindow)
	if _, old := p.build(); o.NoMMap && !old {
		l.add(text("--load-mode", "none"))
	} else {
		l.set("--no-mmap", o.NoMMap)
	}
	return append(l, p.llamaSpeculative()...), nil
}

func (p *Plan) llamaDevices() []option {
	var l list
	switch {
	case p.GPU.Vendor == "none":
		return nil
	case p.Llama.AllLayers:
		l.add(text("--n-gpu-layers", "999"))
	default:
		l.add(number("--n-gpu-layers", p.Llama.GPULayers))
	}
	l.positive("--n-cpu-moe", int64(p.Llama.CPUExperts))
	return l
}

// llamaContext is what all slots have together. Slots of one pool share it.
func (p *Plan) llamaContext(slots int64) int64 {
	switch {
	case p.Llama.Context > 0:
		return p.Llama.Context
	case p.Llama.UnifiedKV:
		return p.MaxModelLen
	}
	return p.MaxModelLen * slots
}

// llamaFlash is flash attention: a word since build 6325, before that a flag that was there or not.
func (p *Plan) llamaFlash() []option {
	number, old := p.build()
	switch {
	case p.Llama.Flash == "":
		return nil
	case !old || number >= 6325:
		return []option{text("--flash-attn", p.Llama.Flash)}
	case p.Llama.Flash == "on":
		return []option{bare("--flash-attn")}
	}
	return nil
}

func llamaKV(kv string) string {
	switch kv {
	case "auto", "fp16", "f16":
		return ""
	case "fp32":
		return "f32"
	}
	return kv
}

func (p *Plan) checkLlama() error {
	types := []string{"", "auto", "fp16", "f16", "bf16", "fp32", "f32", "q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl"}
	k, v := cmp.Or(p.Llama.CacheK, p.KV), cmp.Or(p.Llama.CacheV, p.KV)
	number, old := p.build()
	switch {
	case old && number < 6100 && p.Llama.CPUExperts > 0:
		return refuse("build %d of llama.cpp has no --n-cpu-moe; plan with --engine-version b6100 or later", number)
	case p.Nodes > 1:
		return refuse("llama.cpp over several nodes is not written; plan for one")
	case p.Data > 1:
		return refuse("llama.cpp has no data parallel; plan with --dp 1 and replicas")
	case p.Quantize != "":
		return refuse("llama.cpp loads what a GGUF holds; make one of %s with llama-quantize and plan with that", p.Quantize)
	case p.Model.Hub != "" && p.Model.File == "":
		return refuse("it does not say which GGUF of %s is meant; plan with the reference of the file", p.Model.Hub)
	case !slices.Contains(types, k) || !slices.Contains(types, v):
		return refuse("llama.cpp has no cache of %s and %s", k, v)
	case !slices.Contains([]string{"", "on", "off", "auto"}, p.Llama.Flash):
		return refuse("flash attention is %s, want on, off or auto", p.Llama.Flash)
	case p.Speculative.Method != "" && old:
		return refuse("speculative decoding is written for releases of llama.cpp, and not for builds such as %s", p.Version)
	case p.Speculative.Method != "" && p.Speculative.Method != "mtp" && (p.Speculative.Method != "draft_model" || p.Speculative.Model == ""):
		return refuse("llama.cpp with tokens guessed by %s is not written", p.Speculative.Method)
	}
	return nil
}

func (p *Plan) llamaSpeculative() []option {
	s := p.Speculative
	var l list
	switch s.Method {
	case "mtp":
		l.add(text("--spec-type", "draft-mtp"))
	case "draft_model":
		l.add(text("--spec-draft-hf", s.Model))
	}
	l.positive("--spec-draft-n-max", int64(s.Tokens))
	return l
}
