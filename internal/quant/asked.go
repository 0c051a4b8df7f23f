package quant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/spelling"
)

// As is the model as the usual quantizer of that name would store it: bf16, fp8, w4a16, gptq, awq, nf4, nvfp4, mlx-4bit,
// Q4_K_M and so on, in any case. An error wraps ErrName, and lists names that are near, if there is no such name;
// ErrUnknown if there is and its sizes do not follow from the shape.
func As(shape *arch.Shape, name string) (*Scheme, error) {
	wanted := strings.ToLower(strings.TrimSpace(name))
	if strings.Contains(wanted, "ud-") {
		return nil, fmt.Errorf("%s: %w: such mixes are tuned for each file, so only its header tells; give the .gguf itself",
			printable.Short(name), ErrUnknown)
	}
	if r, ok := recipeOf(wanted); ok {
		return r.apply(shape), nil
	}
	if m, ok := mixOf(wanted); ok {
		return m.scheme(shape), nil
	}
	return nil, fmt.Errorf("%w %q, want %s", ErrName, printable.Short(name), strings.Join(near(wanted), ", "))
}

// Names lists what As knows, the first of several names for one thing first.
func Names() []string {
	var names []string
	for _, r := range recipes() {
		names = append(names, r.names...)
	}
	for _, m := range mixes() {
		names = append(names, m.name)
	}
	return names
}

// near lists the names that may have been meant.
func near(wanted string) []string {
	type guess struct {
		name string
		far  int
	}
	var list []guess
	for _, n := range Names() {
		list = append(list, guess{n, spelling.Slips(wanted[:min(len(wanted), 60)], strings.ToLower(n))})
	}
	slices.SortStableFunc(list, func(a, b guess) int { return a.far - b.far })
	var names []string
	for _, g := range list[:6] {
		names = append(names, g.name)
	}
	return names
}

// recipe is what a quantizer does to a model.
type recipe struct {
	names []string
	f     *Format
	takes func(shape *arch.Shape, m *module) bool
	base  *Format // of all else; nil for 16 bits
	head  *Format // of the matrix of the logits; nil leaves it as takes says
	drops bool    // MTP blocks are left out
	note  string
}

func (r recipe) apply(shape *arch.Shape) *Scheme {
	base := r.base
	if base == nil {
		base = baseFormat(shape.DType)
		if base.Bits > 16 {
			base = plain("bf16", 2)
		}
	}
	gone := absent()
	s := build(shape, r.names[0], base, func(m *module) *Format {
		switch {
		case r.drops && m.area == mtp:
			return gone
		case r.head != nil && isHead(m):
			return r.head
		case r.f != nil && r.takes(shape, m):
			return r.f
		}
		return nil
	})
	if r.note != "" {
		s.note(r.note)
	}
	if r.f != nil {
		s.note(stays(shape, s))
	}
	return s
}

// recipes of the quantizers whose files people serve. The first name is the one that is shown.
func recipes() []recipe {
	const channels = "as llm-compressor does: a scale in 16 bits for each output"
	list := []recipe{
		{names: []string{"bf16", "bfloat16"}, base: plain("bf16", 2)},
		{names: []string{"fp16", "float16", "half"}, base: plain("fp16", 2)},
		{names: []string{"fp32", "float32"}, base: plain("fp32", 4)},
		{
			names: []string{"fp8", "fp8-dynamic", "w8a8-fp8"},
			f:     perChannel("fp8-per-channel", 2, 0), takes: eight,
			note: channels,
		},
		{
			names: []string{"fp8-block"},
			f:     fp8Block(128, 128, 4, 0), takes: eightMTP,
			note: "as DeepSeek and Qwen publish: a scale in 32 bits for each block of 128 x 128",
		},
		{
			names: []string{"fp8-static", "fp8-per-tensor"},
			f:     perTensor("fp8-per-tensor", 8), takes: eight,
			note: "as Model Optimizer does: one scale for the weights and one for the input of a layer",
		},
		{names: []string{"mxfp8"}, f: mxfp8(), takes: eight},
		{
			names: []string{"int8", "w8a8", "w8a8-int8", "int8-w8a8"},
			f:     perChannel("int8-per-channel", 2, 0), takes: eight,
			note: channels,
		},
		{
			names: []string{"w8a16", "int8-w8a16"},
			f:     packed(packSpec{bits: 8, scale: 2, symmetric: true}), takes: eight,
			note: channels,
		},
		{
			names: []string{"w4a16", "w4a16-gptq", "w4a16-awq", "int4", "int4-w4a16"},
			f:     packed(packSpec{bits: 4, group: 128, scale: 2, symmetric: true}), takes: four,
			note: "as llm-compressor does: symmetric groups of 128",
		},
		{
			names: []string{"gptq", "gptq-4bit", "gptq-int4"},
			f:     gptq(gptqSpec{bits: 4, group: 128, order: true}), takes: four,
			note: "as GPTQModel does: groups of 128 with their index",
		},
		{
			names: []string{"gptq-8bit", "gptq-int8"},
			f:     gptq(gptqSpec{bits: 8, group: 128, order: true}), takes: four,
			note: "as GPTQModel does: groups of 128 with their index",
		},
		{
			names: []string{"awq", "awq-4bit", "awq-int4"},
			f:     awq(4, 128), takes: four,
			note: "as AutoAWQ does: groups of 128 with zero points",
		},
		{
			names: []string{"nf4", "bnb-4bit", "bnb-nf4", "bitsandbytes"},
			f:     bnb4("nf4", false), takes: anyLinear,
			note: "as bitsandbytes does without double quantization; loading on the fly reads the 16 bit files",
		},
		{
			names: []string{"nf4-double", "bnb-4bit-double", "qlora"},
			f:     bnb4("nf4", true), takes: anyLinear,
			note: "as bitsandbytes does with double quantization",
		},
		{
			names: []string{"bnb-8bit", "bnb-int8", "llm-int8"},
			f:     perChannel("bnb-int8", 4, 1), takes: anyLinear,
			note: "as bitsandbytes does",
		},
		{
			names: []string{"mxfp4"},
			f:     mxfp4(), takes: mostlyExperts,
			note: "as gpt-oss does: the experts where there are any, else the linear layers of the blocks",
		},
		{
			names: []string{"nvfp4", "fp4"},
			f:     nvfp4(true), takes: nvidia,
			note: "as NVIDIA publishes: compressed attention (MLA), recurrent layers, MTP and towers stay in 16 bits",
		},
		{
			names: []string{"autoround-int4", "autoround", "auto-round"},
			f:     gptq(gptqSpec{bits: 4, group: 128}), takes: rounded,
			note: "as AutoRound does: every linear layer of the blocks, groups of 128, packed as GPTQ without index",
		},
		{
			names: []string{"hqq", "hqq-4bit"},
			f:     grouped("hqq-4", 4, 64, 4, 0), takes: four,
			note: "as HQQ does: groups of 64",
		},
	}
	for _, bits := range []int64{2, 3, 4, 5, 6, 8} {
		list = append(list, recipe{
			names: []string{fmt.Sprintf("mlx-%dbit", bits)}, f: affine(bits, 64), takes: mlxTakes, drops: true,
			note: "as mlx-lm does: groups of 64, embedding and head included; MTP blocks are left out",
		})
	}
	return list
}

// small layers are left alone by everybody: gates, the scalars of linear attention, the weights of an indexer.
func small(m *module) bool {
	switch m.last() {
	case "shared_expert_gate", "in_proj_a", "in_proj_b", "in_proj_ba", "weights_proj", "indexers_proj", "eh_proj":
		return true
	}
	return m.t.Rows.N < 32
}

func eight(_ *arch.Shape, m *module) bool { return m.inBlocks() && !small(m) }

func eightMTP(_ *arch.Shape, m *module) bool { return fp8Linear(m) && !small(m) }

// four leaves alone what recipes for 4 bits ignore: indexers, and linear attention, but not the matrices of Mamba.
func four(_ *arch.Shape, m *module) bool {
	if m.t.Component == arch.Recurrent && !strings.Contains(m.path, "mixer") && !strings.Contains(m.path, "mamba") {
		return false
	}
	return m.inBlocks() && !small(m) && m.t.Component != arch.Indexer
}

// rounded is what AutoRound takes by default: every linear layer of the blocks whose sides are multiples of 32, linear
// attention among them.
func rounded(_ *arch.Shape, m *module) bool {
	return m.inBlocks() && m.t.Rows.N%32 == 0 && m.t.Cols.N%32 == 0
}

func anyLinear(_ *arch.Shape, m *module) bool {
	return m.linear() && m.t.Component != arch.Head && m.area != mtp
}

func mostlyExperts(shape *arch.Shape, m *module) bool {
	if hasExperts(shape) {
		return m.expert() && m.inBlocks()
	}
	return four(shape, m)
}

func hasExperts(shape *arch.Shape) bool {
	return slices.ContainsFunc(shape.Blocks, func(b arch.Block) bool { return b.MLP.Experts > 1 })
}

func nvidia(shape *arch.Shape, m *module) bool {
	if m.t.Component == arch.Attention && m.area == decoder && shape.Blocks[m.layer].Mixer.Latent > 0 {
		return false
	}
	return four(shape, m)
}

func mlxTakes(_ *arch.Shape, m *module) bool { return m.area != tower && mlxLayer(m) }

// InFileName is the mix that the name of a GGUF file ends in, as the naming convention of the format has it
// ("Llama-3.2-3B-Instruct-Q8_0.gguf"), and the name before it; ok is false where it ends in none.
func InFileName(name string) (stem, mix string, ok bool) {
	stem, ok = strings.CutSuffix(strings.ToLower(name), ".gguf")
	i := strings.LastIndexAny(stem, "-.")
	if !ok || i < 0 {
		return name, "", false
	}
	m, ok := findMix(stem[i+1:])
	if !ok {
		return name[:len(stem)], "", false
	}
	return name[:i], m.name, true
}
