package quant

import (
	"iter"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// area is the part of a model that a block belongs to.
type area int

const (
	outer area = iota
	decoder
	encoder
	tower
	mtp
)

// module is a tensor as the rules of quantizers see it.
type module struct {
	name      arch.Name
	path      string // canonical name of the module, with * for the number of an expert: layers.3.mlp.experts.*.up_proj
	area      area
	layer     int // the how manyth block of its area
	t         *arch.Tensor
	biased    bool // the layer has a bias tensor of its own
	corrected bool // it is a router that has a correction bias
}

// modules yields every tensor of the shape. The module is good until the next one.
func modules(shape *arch.Shape) iter.Seq[*module] {
	return func(yield func(*module) bool) {
		list := func(a area, layer int, prefix string, ts []arch.Tensor) bool {
			for i := range ts {
				t := &ts[i]
				m := &module{
					name: arch.Name{Prefix: prefix, Rest: t.Name}, path: canonical(prefix + strings.TrimSuffix(t.Name, ".weight")),
					area: a, layer: layer, t: t, biased: t.Matrix && biased(ts, t.Name),
					corrected: t.Component == arch.Router && corrected(ts),
				}
				if a == tower { // lists name each block; all blocks of a tower are alike
					m.path = strings.ReplaceAll(m.path, "*", "0")
				}
				if !yield(m) {
					return false
				}
			}
			return true
		}
		blocks := func(a area, bs []arch.Block) bool {
			for i := range bs {
				if !list(a, i, bs[i].Prefix, bs[i].Tensors) {
					return false
				}
			}
			return true
		}
		_ = list(outer, 0, "", shape.Outer) && blocks(encoder, shape.Encoder) && blocks(decoder, shape.Blocks) &&
			list(tower, 0, "", shape.Towers) && blocks(mtp, shape.MTP) && list(mtp, 0, "", shape.MTPOuter)
	}
}

// biased reports whether the tensors have a bias for the weight of that name.
func biased(ts []arch.Tensor, weight string) bool {
	stem, ok := strings.CutSuffix(weight, "weight")
	if !ok {
		return false
	}
	for i := range ts {
		if rest, ok := strings.CutPrefix(ts[i].Name, stem); ok && rest == "bias" {
			return true
		}
	}
	return false
}

// corrected reports whether the router beside these tensors has a correction bias.
func corrected(ts []arch.Tensor) bool {
	return slices.ContainsFunc(ts, func(t arch.Tensor) bool { return strings.Contains(t.Name, "correction_bias") })
}

// linear reports whether quantizers see a linear layer here. Routers are linear layers that all of them leave alone.
func (m *module) linear() bool { return m.t.Matrix && m.t.Component != arch.Router }

// inBlocks reports whether it is a linear layer of the blocks, which is all that GPTQ, AWQ and their like touch.
func (m *module) inBlocks() bool { return m.linear() && (m.area == decoder || m.area == encoder) }

// expert reports whether it is a matrix of routed experts, those of MTP blocks included.
func (m *module) expert() bool {
	return m.t.Matrix && (strings.Contains(m.path, "experts.*") || m.t.Component == arch.Experts && m.t.Copies.N > 1)
}

// last is the last part of the name: up_proj.
func (m *module) last() string { return m.path[strings.LastIndexByte(m.path, '.')+1:] }

// canonical drops the wrappers in front of a name: publishers, quantizers and engines spell model.language_model.,
// language_model.model. and model. of the same tensor.
func canonical(name string) string {
	for {
		head, rest, ok := strings.Cut(name, ".")
		if !ok || !wrapper(head) || rest == "" {
			return name
		}
		name = rest
	}
}

func wrapper(part string) bool {
	switch part {
	case "model", "language_model", "backbone", "transformer", "text_model", "llm", "thinker", "base_model":
		return true
	}
	return false
}

// fold writes a name with * for the numbers of experts.
func fold(buf []byte, name string) []byte {
	buf = buf[:0]
	experts := false
	for len(name) > 0 {
		part, rest, more := strings.Cut(name, ".")
		if experts && numeral(part) {
			part = "*"
		}
		experts = strings.HasSuffix(part, "experts")
		buf = append(buf, part...)
		if more {
			buf = append(buf, '.')
		}
		name = rest
	}
	return buf
}

func numeral(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// stack is the start of a name up to the number of its block: layers.12; ok is false where there is none.
func stack(path string) (string, bool) {
	head, rest, ok := strings.Cut(path, ".")
	if !ok {
		return "", false
	}
	number, _, _ := strings.Cut(rest, ".")
	if !numeral(number) {
		return "", false
	}
	return path[:len(head)+1+len(number)], true
}

// others are the names that the layer has where projections are fused or taken apart.
func others(last string) []string {
	switch last {
	case "gate_up_proj":
		return []string{"gate_proj", "up_proj", "w1", "w13"}
	case "gate_proj", "up_proj":
		return []string{"gate_up_proj"}
	case "w1", "w3":
		return []string{"w13"}
	case "q_proj", "k_proj", "v_proj":
		return []string{"qkv_proj"}
	case "qkv_proj":
		return []string{"q_proj"}
	case "in_proj_qkvz":
		return []string{"in_proj_qkv"}
	case "in_proj_ba":
		return []string{"in_proj_b"}
	}
	return nil
}
