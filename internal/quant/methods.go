package quant

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// gptq reads the configuration of AutoGPTQ, GPTQModel and Optimum (auto_gptq/quantization/config.py). Linear layers of
// the blocks are quantized; keys of dynamic starting with "-:" leave modules out, others change bits and groups.
func (d *description) gptq() (*Scheme, error) {
	bits, err := d.number("bits", 4, 2, 8)
	if err != nil {
		return nil, err
	}
	group, err := width(d.section, 128)
	if err != nil {
		return nil, err
	}
	head, err := d.flag("lm_head", false)
	if err != nil {
		return nil, err
	}
	spec := gptqSpec{bits: bits, group: group, order: true}
	if s, _, _ := d.section.String("checkpoint_format"); s == "marlin" {
		spec.order = false
	}
	spec.bias = !d.has("meta")
	if spec.bias {
		d.notes = append(d.notes, "AutoGPTQ stores a bias with every matrix, of zeros where the layer has none")
	}
	rules, err := d.dynamic(spec)
	if err != nil {
		return nil, err
	}
	skip, err := d.list("modules_to_not_convert", "ignored_layers")
	if err != nil {
		return nil, err
	}
	formats := both(spec)
	return d.finish(fmt.Sprintf("gptq-%dbit", bits), func(m *module) *Format {
		if !m.inBlocks() && !(head && m.t.Component == arch.Head) {
			return nil
		}
		for _, r := range rules {
			if r.re(m) {
				return r.formats.of(m)
			}
		}
		return except(m, skip, formats.of(m), d.base)
	})
}

// pair is a format for layers with a bias of their own and for those without.
type pair struct{ own, none *Format }

func both(s gptqSpec) pair {
	with := s
	with.bias = false
	return pair{gptq(with), gptq(s)}
}

func (p pair) of(m *module) *Format {
	if m.biased {
		return p.own
	}
	return p.none
}

type override struct {
	re      matcher
	formats pair
}

// dynamic reads the rules of GPTQModel.
func (d *description) dynamic(spec gptqSpec) ([]override, error) {
	v, ok, err := d.section.Object("dynamic")
	if err != nil || !ok {
		return nil, err
	}
	var rules []override
	for key, value := range v.Members() {
		if len(rules) == maxAnywhere || len(key) > maxPattern {
			return nil, fmt.Errorf("dynamic has more or longer rules than are read, %d of %d characters", maxAnywhere, maxPattern)
		}
		text, leave := strings.CutPrefix(key, "-:")
		re, err := expression(strings.TrimPrefix(text, "+:"), &d.work)
		if err != nil {
			return nil, fmt.Errorf("dynamic: %w", err)
		}
		if leave {
			rules = append(rules, override{re, pair{}})
			continue
		}
		own := spec
		if own.bits, err = number(value, "bits", spec.bits, 2, 8); err != nil {
			return nil, err
		}
		if own.group, err = width(value, spec.group); err != nil {
			return nil, err
		}
		rules = append(rules, override{re, both(own)})
	}
	return rules, nil
}

// awq reads the configuration of AutoAWQ and llm-awq; a name in modules_to_not_convert is looked for anywhere.
func (d *description) awq() (*Scheme, error) {
	bits, err := d.number("bits", 4, 2, 8)
	if err == nil && !d.has("bits") {
		bits, err = d.number("w_bit", 4, 2, 8)
	}
	if err != nil {
		return nil, err
	}
	group, err := width(d.section, 128)
	if err == nil && !d.has("group_size") {
		group, err = d.number("q_group_size", 128, -1, maxGroup)
	}
	if err != nil {
		return nil, err
	}
	skip, err := d.list("modules_to_not_convert")
	if err != nil {
		return nil, err
	}
	f := awq(bits, group)
	return d.finish(fmt.Sprintf("awq-%dbit", bits), func(m *module) *Format {
		if !m.inBlocks() {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

// fp8 reads the configuration of transformers for 8 bit floats: scales for blocks, or where weight_block_size is null
// one for each matrix; static activations add one for the input. DeepSeek-V4 stores scales as bare exponents of 8 bits
// and its experts as MXFP4.
func (d *description) fp8() (*Scheme, error) {
	f, err := d.fp8Format()
	if err != nil {
		return nil, err
	}
	skip, err := d.list("modules_to_not_convert", "ignored_layers")
	if err != nil {
		return nil, err
	}
	experts := mxfp4()
	return d.finish("fp8", func(m *module) *Format {
		if d.experts == "fp4" && m.expert() {
			return experts
		}
		if !fp8Linear(m) {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

// fp8Linear leaves out what the publishers of such files keep in 16 bits without saying so: the head, towers, and what
// the reference code multiplies in 16 or 32 bits, the projection of MTP and the weights of the indexer.
func fp8Linear(m *module) bool {
	if !m.linear() || m.t.Component == arch.Head || m.area == tower || m.area == outer {
		return false
	}
	switch m.last() {
	case "eh_proj", "weights_proj", "indexers_proj", "shared_expert_gate", "shared_head", "head", "output", "embed_tokens":
		return false
	}
	return true
}

func (d *description) fp8Format() (*Format, error) {
	scheme, _, err := d.section.String("activation_scheme")
	if err != nil {
		return nil, err
	}
	var input int64
	if scheme == "static" {
		input = d.scaleBytes()
	}
	size, err := blockSize(d.section, "weight_block_size")
	if err != nil {
		return nil, err
	}
	if size == nil {
		if _, ok := d.section.Get("weight_block_size"); ok || input > 0 {
			return perTensor("fp8-per-tensor", d.scaleBytes()+input), nil
		}
		return perTensor("fp8-per-tensor", 4), nil
	}
	scale := int64(4)
	if kind, _, _ := d.section.String("scale_fmt"); kind == "ue8m0" && d.experts != "" {
		scale = 1
	}
	return fp8Block(size[0], size[1], scale, input), nil
}

// blockSize reads a pair of sizes; nil where there is none.
func blockSize(v strictjson.Value, key string) ([]int64, error) {
	list, ok, err := v.Array(key)
	if err != nil || !ok {
		return nil, err
	}
	sizes := make([]int64, 0, 2)
	for _, e := range list {
		n, err := e.AsInt()
		if err != nil || n < 1 || n > maxGroup {
			return nil, fmt.Errorf("%s holds %s, want sizes from 1 to %d", key, e.Raw()[:min(40, len(e.Raw()))], maxGroup)
		}
		if sizes = append(sizes, n); len(sizes) > 2 {
			break
		}
	}
	if len(sizes) != 2 {
		return nil, fmt.Errorf("%s has %d sizes, want 2", key, len(list))
	}
	return sizes, nil
}

// fbgemm has a float32 scale for each output and an upper bound for the input.
func (d *description) fbgemm() (*Scheme, error) {
	skip, err := d.list("modules_to_not_convert")
	if err != nil {
		return nil, err
	}
	f := perChannel("fp8-per-channel", 4, 4)
	return d.finish("fbgemm-fp8", func(m *module) *Format {
		if !fp8Linear(m) {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

// bitsandbytes converts every linear layer but those to skip, by default the head; stacked experts are bare parameters
// and stay.
func (d *description) bitsandbytes() (*Scheme, error) {
	four, err := d.flag("load_in_4bit", false)
	if err != nil {
		return nil, err
	}
	skip, err := d.list("llm_int8_skip_modules")
	if err != nil {
		return nil, err
	}
	if !d.has("llm_int8_skip_modules") {
		d.notes = append(d.notes, "llm_int8_skip_modules is absent, and the head stays in 16 bits as transformers does then")
		_ = skip.add("lm_head")
	}
	f := perChannel("bnb-int8", 4, 1)
	name := "bnb-8bit"
	if four {
		nested, err := d.flag("bnb_4bit_use_double_quant", false)
		if err != nil {
			return nil, err
		}
		kind, _, err := d.section.String("bnb_4bit_quant_type")
		if err != nil {
			return nil, err
		}
		if kind != "nf4" {
			kind = "fp4"
		}
		f, name = bnb4(kind, nested), "bnb-4bit"
	}
	return d.finish(name, func(m *module) *Format {
		if !m.t.Matrix || !strings.HasSuffix(m.t.Name, ".weight") || m.t.Component == arch.Head && d.shape.Tied {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

// mxfp4 is the format of gpt-oss: the experts, and nothing else.
func (d *description) mxfp4() (*Scheme, error) {
	skip, err := d.list("modules_to_not_convert")
	if err != nil {
		return nil, err
	}
	f := mxfp4()
	return d.finish("mxfp4", func(m *module) *Format {
		if !m.expert() {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

// hqq has packed numbers, and a scale and a zero of 16 bits for each group.
func (d *description) hqq() (*Scheme, error) {
	at := d.section
	for _, key := range []string{"quant_config", "weight_quant_params"} {
		if v, ok := at.Get(key); ok && v.Kind() == strictjson.Object {
			at = v
		}
	}
	bits, err := number(at, "nbits", 4, 1, 8)
	if err != nil {
		return nil, err
	}
	group, err := width(at, 64)
	if err != nil {
		return nil, err
	}
	skip, err := d.list("skip_modules")
	if err != nil {
		return nil, err
	}
	if !d.has("skip_modules") {
		_ = skip.add("lm_head")
	}
	f := grouped(fmt.Sprintf("hqq-%d", bits), bits, group, 4, 0)
	return d.finish(fmt.Sprintf("hqq-%dbit", bits), func(m *module) *Format {
		if !m.inBlocks() && m.t.Component != arch.Head || !m.linear() {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

// eetq has a scale of 16 bits for each output.
func (d *description) eetq() (*Scheme, error) {
	skip, err := d.list("modules_to_not_convert")
	if err != nil {
		return nil, err
	}
	f := perChannel("int8-per-channel", 2, 0)
	return d.finish("eetq-int8", func(m *module) *Format {
		if !m.inBlocks() {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

func (d *description) aqlm() (*Scheme, error) {
	var n [4]int64
	for i, k := range []struct {
		key             string
		otherwise, most int64
	}{{"num_codebooks", 1, 16}, {"nbits_per_codebook", 16, 16}, {"in_group_size", 8, 64}, {"out_group_size", 1, 8}} {
		var err error
		if n[i], err = d.number(k.key, k.otherwise, 1, k.most); err != nil {
			return nil, err
		}
	}
	skip, err := d.list("linear_weights_not_to_quantize")
	if err != nil {
		return nil, err
	}
	f := aqlm(n[0], n[1], n[2], n[3])
	return d.finish("aqlm", func(m *module) *Format {
		if !m.inBlocks() || skip.has(m) || skip.named(m.path+".weight") > 0 {
			return nil
		}
		return f
	})
}

// exl2 and exl3 reach the bits that were asked for in the mean over the linear layers.
func (d *description) exl2() (*Scheme, error) { return d.exl("exl2", 6) }

func (d *description) exl3() (*Scheme, error) { return d.exl("exl3", 6) }

func (d *description) exl(name string, head float64) (*Scheme, error) {
	bits, ok, err := d.section.Float("bits")
	if err != nil {
		return nil, err
	}
	if !ok || bits < 1 || bits > maxBits {
		return nil, fmt.Errorf("%s without bits from 1 to %d: %w", name, maxBits, ErrUnknown)
	}
	if b, ok, err := d.section.Float("head_bits"); err != nil {
		return nil, err
	} else if ok {
		if b < 1 || b > maxBits {
			return nil, fmt.Errorf("head_bits is %g, want 1 to %d", b, maxBits)
		}
		head = b
	}
	d.notes = append(d.notes, fmt.Sprintf("%s reaches %g bits in the mean over the linear layers; single tensors differ, and "+
		"the sum by about 1 %%", name, bits))
	f, h := average(name, bits), average(name+"-head", head)
	return d.finish(fmt.Sprintf("%s-%gbpw", name, bits), func(m *module) *Format {
		switch {
		case m.t.Component == arch.Head:
			return h
		case m.inBlocks():
			return f
		}
		return nil
	})
}
