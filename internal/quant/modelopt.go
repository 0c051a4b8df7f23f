package quant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// modelopt reads what NVIDIA's Model Optimizer writes, as hf_quant_config.json or as quantization_config: one format
// for all linear layers but those excluded, or with MIXED_PRECISION one for each module that is listed. A file may list
// every expert by name, so that names are folded as they are read.
func (d *description) modelopt() (*Scheme, error) {
	algo, _, err := d.section.String("quant_algo")
	if err != nil {
		return nil, err
	}
	d.kv, err = d.exportedCache()
	if err != nil {
		return nil, err
	}
	skip, err := d.list("exclude_modules", "ignore")
	if err != nil {
		return nil, err
	}
	listed, err := d.layers()
	if err != nil {
		return nil, err
	}
	if len(listed) > 0 || algo == "MIXED_PRECISION" {
		return d.mixed(listed)
	}
	if algo == "" {
		return d.compressed()
	}
	f, err := d.algorithm(algo, d.section)
	if err != nil {
		return nil, err
	}
	if skip.empty() && latentExperts(d.shape) {
		return d.nemotron(algo, f)
	}
	if skip.empty() {
		d.notes = append(d.notes, "the file names no module that is left out; embedding, head, routers, towers and MTP "+
			"were taken to stay, as the exporter does by default")
	}
	return d.finish(strings.ToLower(algo), func(m *module) *Format {
		if !exporterTakes(m, skip) {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

// latentExperts reports whether the experts work in a narrower space, as those of Nemotron 3 Super and Ultra do.
func latentExperts(shape *arch.Shape) bool {
	for i := range shape.Blocks {
		for j := range shape.Blocks[i].Tensors {
			if strings.Contains(shape.Blocks[i].Tensors[j].Name, "latent_proj") {
				return true
			}
		}
	}
	return false
}

// nemotron is the recipe that NVIDIA published for Nemotron 3 Super and Ultra, whose files name one format and no
// exceptions: routed experts have that format, shared experts and the matrices of Mamba 8 bits, attention and the
// projections to and from the latent space 16, routers 32 (docs.nvidia.com/nemotron, Super, stage 3). The sum agrees
// with the 352.3 GB of the Ultra checkpoint.
func (d *description) nemotron(algo string, f *Format) (*Scheme, error) {
	eight, wide := perTensor("fp8-per-tensor", 4+4), plain("fp32", 4)
	d.notes = append(d.notes, "the file names one format and no exceptions; the published recipe for this family was taken: shared "+
		"experts and Mamba in fp8, attention and latent projections in 16 bits, routers in 32")
	return d.finish(strings.ToLower(algo), func(m *module) *Format {
		switch {
		case m.t.Component == arch.Router || strings.HasSuffix(m.path, "mixer.gate"):
			return wide
		case !m.inBlocks():
			return nil
		case m.expert():
			return f
		case m.t.Component == arch.Shared || m.t.Component == arch.Recurrent:
			return eight
		}
		return nil
	})
}

// exporterTakes reports whether the exporter quantizes a layer by itself: neither router nor tower nor MTP, and the head
// only where the file lists what it leaves out and does not list it.
func exporterTakes(m *module, skip *patterns) bool {
	if !m.linear() || m.area == tower || m.area == mtp {
		return false
	}
	return m.area != outer || m.t.Component == arch.Head && len(skip.names) > 0
}

// exportedCache is the format of keys and values.
func (d *description) exportedCache() (string, error) {
	s, ok, err := d.section.String("kv_cache_quant_algo")
	if err != nil || !ok {
		return "", err
	}
	return strings.ToLower(s), nil
}

// layers reads quantized_layers by folded name.
func (d *description) layers() (map[string][]part, error) {
	v, ok, err := d.section.Object("quantized_layers")
	if err != nil || !ok {
		return nil, err
	}
	listed := make(map[string][]part)
	formats := map[string]*Format{} // by the text of the setting, since thousands are the same
	var buf []byte
	for name, setting := range v.Members() {
		raw := setting.Raw()
		f, ok := formats[raw]
		if !ok {
			if len(formats) == maxAnywhere {
				return nil, fmt.Errorf("quantized_layers has more than %d different settings", maxAnywhere)
			}
			if f, err = d.setting(setting); err != nil {
				return nil, fmt.Errorf("quantized_layers of %.200s: %w", name, err)
			}
			formats[raw] = f
		}
		buf = fold(buf, canonical(name))
		if parts, ok := listed[string(buf)]; ok {
			listed[string(buf)] = count(parts, f)
			continue
		}
		listed[string(buf)] = []part{{f, 1}}
	}
	return listed, nil
}

func count(parts []part, f *Format) []part {
	for i := range parts {
		if parts[i].f == f {
			parts[i].n++
			return parts
		}
	}
	return append(parts, part{f, 1})
}

func (d *description) setting(v strictjson.Value) (*Format, error) {
	if _, err := v.AsObject(); err != nil {
		return nil, err
	}
	algo, _, err := v.String("quant_algo")
	if err != nil {
		return nil, err
	}
	return d.algorithm(algo, v)
}

// mixed gives each module the format that it is listed with. What is not listed stays as it was in the model that was
// quantized: in 16 bits, or in the 8 bits of a model published so.
func (d *description) mixed(listed map[string][]part) (*Scheme, error) {
	under := d.under()
	return d.finish("mixed precision", func(m *module) *Format {
		if !m.t.Matrix {
			return nil
		}
		otherwise := under(m)
		parts, whole := find(listed, m)
		if len(parts) == 0 {
			return otherwise
		}
		rest := m.t.Copies.N
		for _, p := range parts {
			rest -= p.n
		}
		if whole || rest <= 0 && len(parts) == 1 {
			return parts[0].f
		}
		if rest > 0 {
			if otherwise == nil {
				otherwise = d.base
			}
			parts = append(slices.Clip(parts), part{otherwise, rest})
		}
		return mixture(parts)
	})
}

// find looks for the module and what holds it. whole holds for a name that stands for all copies.
func find(listed map[string][]part, m *module) (parts []part, whole bool) {
	for path := m.path; ; {
		if p, ok := listed[path]; ok {
			return p, !strings.Contains(path, "*")
		}
		i := strings.LastIndexByte(path, '.')
		if i < 0 {
			break
		}
		path = path[:i]
	}
	last := m.last()
	for _, o := range others(last) {
		if p, ok := listed[m.path[:len(m.path)-len(last)]+o]; ok {
			return p, !strings.Contains(m.path, "*")
		}
	}
	return nil, false
}

// under is the format of what is not listed: that of the fp8 model below, if quant_method or the settings beside it name one.
func (d *description) under() choice {
	none := func(*module) *Format { return nil }
	if method, _, _ := d.section.String("quant_method"); method != "fp8" && d.experts == "" {
		return none
	}
	f := fp8Block(128, 128, 4, 0)
	if d.experts != "" {
		f = fp8Block(128, 128, 1, 0)
	}
	experts := mxfp4()
	d.notes = append(d.notes, "what is not listed is taken to stay in the 8 bits of the model that was quantized")
	return func(m *module) *Format {
		switch {
		case m.expert() && d.experts == "fp4":
			return experts
		case fp8Linear(m):
			return f
		}
		return nil
	}
}

// algorithm is the format of a name of the exporter (modelopt/torch/export).
func (d *description) algorithm(name string, at strictjson.Value) (*Format, error) {
	group, err := width(at, 0)
	if err != nil {
		return nil, err
	}
	if group == 0 {
		group = 128
	}
	switch name {
	case "FP8", "FP8_DEFAULT":
		return perTensor("fp8-per-tensor", 4+4), nil
	case "FP8_PER_CHANNEL_PER_TOKEN", "FP8_PC_PT":
		return perChannel("fp8-per-channel", 4, 0), nil
	case "FP8_PB_WO", "FP8_BLOCK_SCALES", "FP8_PB_REAL":
		return fp8Block(128, 128, 4, 0), nil
	case "NVFP4", "W4A8_NVFP4_FP8":
		return nvfp4(true), nil
	case "NVFP4_AWQ":
		return grouped("nvfp4", 4, 16, 1, 8), nil
	case "W4A16_NVFP4":
		return nvfp4(false), nil
	case "MXFP4", "W4A16_MXFP4", "W4A8_MXFP4_FP8", "W4A8_MXFP4_MXFP8":
		return mxfp4(), nil
	case "MXFP8":
		return mxfp8(), nil
	case "W4A16_AWQ", "INT4_AWQ", "W4A16":
		return grouped("int4", 4, group, d.scaleBytes(), 0), nil
	case "W4A8_AWQ":
		return grouped("int4", 4, group, d.scaleBytes(), 8), nil
	case "W8A16", "INT8_WO", "W8A8_SQ_PER_CHANNEL", "W8A8_SQ_PER_CHANNEL_PER_TENSOR_PLUGIN", "INT8_SQ":
		return perChannel("int8-per-channel", 4, 4), nil
	case "NO_QUANT", "NONE", "":
		return d.base, nil
	}
	return nil, fmt.Errorf("quant_algo %.80q: %w, so its sizes do not follow", name, ErrUnknown)
}
