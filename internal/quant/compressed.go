package quant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// compressed reads compressed-tensors: groups of targets with their number format, and what to ignore. A target is a
// name, an expression, or a class, and "Linear" is all linear layers, head and towers included.
func (d *description) compressed() (*Scheme, error) {
	if err := d.dense(); err != nil {
		return nil, err
	}
	ignore, err := d.list("ignore")
	if err != nil {
		return nil, err
	}
	list, err := d.targets()
	if err != nil {
		return nil, err
	}
	return d.finish(d.compressedName(list), func(m *module) *Format {
		if !m.linear() {
			return nil
		}
		f := pickGroup(m, list)
		if f == nil {
			return nil
		}
		return except(m, ignore, f, d.base)
	})
}

// dense refuses formats that leave zeros out, whose size depends on the weights.
func (d *description) dense() error {
	v, _ := d.section.Get("sparsity_config", "format")
	if s, err := v.AsString(); err == nil && s != "dense" {
		return fmt.Errorf("sparse format %q: %w, because its size depends on the weights", s, ErrUnknown)
	}
	return nil
}

// target is a group of modules with their format; all holds for the class of linear layers.
type target struct {
	listed *patterns
	all    bool
	f      *Format
}

// pickGroup prefers names to classes.
func pickGroup(m *module, list []target) *Format {
	for _, t := range list {
		if n := t.listed.match(m); n > 0 {
			return t.f
		}
	}
	for _, t := range list {
		if t.all {
			return t.f
		}
	}
	return nil
}

func (d *description) compressedName(list []target) string {
	if len(list) == 1 {
		return list[0].f.Name
	}
	return "compressed-tensors"
}

func (d *description) targets() ([]target, error) {
	section, ok, err := d.section.Object("config_groups")
	if err != nil {
		return nil, err
	}
	if !ok || section.Len() == 0 {
		return nil, fmt.Errorf("config_groups is missing: %w", ErrUnknown)
	}
	var list []target
	for _, v := range section.Members() {
		if len(list) == maxAnywhere {
			return nil, fmt.Errorf("config_groups has more than %d groups", maxAnywhere)
		}
		t, err := d.target(v)
		if err != nil {
			return nil, err
		}
		list = append(list, t)
	}
	return list, nil
}

func (d *description) target(v strictjson.Value) (target, error) {
	if _, err := v.AsObject(); err != nil {
		return target{}, err
	}
	names, ok, err := v.Strings("targets")
	if err != nil {
		return target{}, err
	}
	t := target{all: !ok || slices.Contains(names, "Linear"), listed: newPatterns(&d.work)}
	for _, n := range names {
		if n == "Linear" || class(n) {
			continue
		}
		if err := t.listed.add(n); err != nil {
			return target{}, fmt.Errorf("targets: %w", err)
		}
	}
	t.f, err = d.groupFormat(v)
	return t, err
}

// class reports whether a target is the name of a Python class.
func class(s string) bool {
	return s[:min(1, len(s))] >= "A" && s[:min(1, len(s))] <= "Z" && !strings.Contains(s, ".")
}

// groupFormat is the number format of a group.
func (d *description) groupFormat(v strictjson.Value) (*Format, error) {
	weights, ok, err := v.Object("weights")
	if err != nil {
		return nil, err
	}
	if !ok {
		return d.base, nil // activations or the cache only
	}
	g, err := d.group(v, weights)
	if err != nil {
		return nil, err
	}
	if g.kind == "int" {
		return g.integer()
	}
	return g.float()
}

// weightGroup is what the size of a matrix of a group depends on.
type weightGroup struct {
	packSpec
	kind, strategy, format string
	block                  []int64
	inputs                 bool // activations are quantized too
	static                 bool // with a scale that is stored
}

func (d *description) group(v, weights strictjson.Value) (weightGroup, error) {
	g := weightGroup{packSpec: packSpec{symmetric: true, scale: d.scaleBytes()}, kind: "int"}
	var err error
	if g.bits, err = number(weights, "num_bits", 8, 1, 8); err != nil {
		return g, err
	}
	if g.group, err = width(weights, 0); err != nil {
		return g, err
	}
	for key, to := range map[string]*string{"type": &g.kind, "strategy": &g.strategy} {
		if s, ok, err := weights.String(key); err != nil {
			return g, err
		} else if ok {
			*to = s
		}
	}
	if err := g.sane(); err != nil {
		return g, err
	}
	if b, ok, err := weights.Bool("symmetric"); err != nil {
		return g, err
	} else if ok {
		g.symmetric = b
	}
	if g.block, err = blockSize(weights, "block_structure"); err != nil {
		return g, err
	}
	g.order = order(weights)
	if s, ok, _ := weights.String("scale_dtype"); ok {
		g.scale = dtypeBytes(s, g.scale)
	}
	for _, at := range []strictjson.Value{d.section, v} {
		if s, ok, _ := at.String("format"); ok {
			g.format = s
		}
	}
	return g, g.activations(v)
}

// sane refuses words that are not known, and finds the strategy of a group size as the library does where none is named.
func (g *weightGroup) sane() error {
	if g.kind != "int" && g.kind != "float" {
		return fmt.Errorf("type %.60q of weights: %w", g.kind, ErrUnknown)
	}
	switch g.strategy {
	case "":
		if g.group > 0 {
			g.strategy = "group"
		}
	case "tensor", "channel", "group", "block", "token", "tensor_group", "attn_head":
	default:
		return fmt.Errorf("strategy %.60q of weights: %w", g.strategy, ErrUnknown)
	}
	return nil
}

// order reports whether g_idx is stored: only for the order of activations by group.
func order(weights strictjson.Value) bool {
	v, _ := weights.Get("actorder")
	s, err := v.AsString()
	return err == nil && s == "group"
}

func dtypeBytes(name string, otherwise int64) int64 {
	switch name = strings.TrimPrefix(name, "torch."); {
	case name == "uint8", name == "int8", strings.HasPrefix(name, "float8"):
		return 1
	case name == "float32":
		return 4
	case name == "float16", name == "bfloat16":
		return 2
	}
	return otherwise
}

func (g *weightGroup) activations(v strictjson.Value) error {
	in, ok, err := v.Object("input_activations")
	if err != nil || !ok {
		return err
	}
	dynamic, _ := in.Get("dynamic")
	g.inputs = true
	g.static = dynamic.Raw() == "false"
	if g.static {
		g.more += g.scale
	}
	return nil
}

func (g weightGroup) integer() (*Format, error) {
	if strings.HasPrefix(g.format, "marlin") {
		return nil, fmt.Errorf("format %q: %w", g.format, ErrUnknown)
	}
	if g.strategy != "group" {
		g.group = 0
	}
	if g.format == "pack-quantized" || g.bits < 8 {
		return packed(g.packSpec), nil
	}
	zero := int64(0)
	if !g.symmetric {
		zero = 1
	}
	switch g.strategy {
	case "tensor", "":
		return perTensor("int8-per-tensor", g.scale+zero+g.more), nil
	case "group":
		return grouped("int8", 8, g.group, g.scale+zero, g.more), nil
	}
	return perChannel("int8-per-channel", g.scale+zero, g.more), nil
}

func (g weightGroup) float() (*Format, error) {
	switch {
	case g.bits == 4 && (strings.HasPrefix(g.format, "mxfp4") || g.group == 32 || g.scale == 1):
		return mxfp4(), nil
	case g.bits == 4:
		return nvfp4(g.inputs), nil
	case g.bits != 8:
		return nil, fmt.Errorf("floats of %d bits: %w", g.bits, ErrUnknown)
	}
	switch g.strategy {
	case "channel":
		return perChannel("fp8-per-channel", g.scale, g.more), nil
	case "block":
		size := g.block
		if size == nil {
			size = []int64{128, 128}
		}
		return fp8Block(size[0], size[1], g.scale, g.more), nil
	case "group", "tensor_group":
		if strings.HasPrefix(g.format, "mxfp8") || g.group == 32 {
			return mxfp8(), nil
		}
		return grouped("fp8", 8, g.group, g.scale, g.more), nil
	}
	return perTensor("fp8-per-tensor", g.scale+g.more), nil
}

// mlx reads the quantization of MLX: all layers, embedding and head included, in one setting, with others for single
// modules. Converters drop MTP blocks, and quantize no towers unless they are named.
func (d *description) mlx() (*Scheme, error) {
	mode, err := mlxMode(d.section, "affine")
	if err != nil {
		return nil, err
	}
	f, err := mlxFormat(d.section, mode)
	if err != nil {
		return nil, err
	}
	named := map[string]*Format{}
	var buf []byte
	for key, v := range d.section.Members() {
		if !strings.Contains(key, ".") && v.Kind() != strictjson.Object {
			continue
		}
		if len(named) == maxNames {
			return nil, fmt.Errorf("more than %d modules are named", maxNames)
		}
		own := f
		switch v.Kind() {
		case strictjson.Object:
			if own, err = mlxOwn(v, mode); err != nil {
				return nil, err
			}
		case strictjson.Bool:
			if v.Raw() == "false" {
				own = nil
			}
		default:
			continue
		}
		buf = fold(buf, canonical(key))
		named[string(buf)] = own
	}
	gone := absent()
	if len(d.shape.MTP) > 0 {
		d.notes = append(d.notes, "MLX files leave MTP blocks out")
	}
	if hasExperts(d.shape) {
		d.notes = append(d.notes, "a router that has a correction bias is no layer in MLX and stays in 16 bits; others are quantized")
	}
	return d.finish(fmt.Sprintf("mlx-%gbit", f.Bits), func(m *module) *Format {
		if m.area == mtp {
			return gone
		}
		if own, ok := mlxNamed(named, m); ok {
			return own
		}
		if m.area == tower || !mlxLayer(m) {
			return nil
		}
		return f
	})
}

// mlxNamed looks under the names that MLX gives stacked experts.
func mlxNamed(named map[string]*Format, m *module) (*Format, bool) {
	if len(named) == 0 {
		return nil, false
	}
	for _, path := range []string{
		m.path, strings.Replace(m.path, "experts.*.", "switch_mlp.", 1), strings.Replace(m.path, "experts.*.", "experts.", 1),
	} {
		if f, ok := named[path]; ok {
			return f, true
		}
	}
	return nil, false
}

// mlxLayer reports whether MLX has a layer here that it can quantize: rows must be whole groups of 32 at least.
func mlxLayer(m *module) bool {
	if m.t.Component == arch.Router {
		return m.t.Matrix && m.t.Cols.N%32 == 0 && !m.corrected
	}
	return (m.t.Matrix || m.t.Component == arch.Embedding && m.t.Cols.N > 1) && m.t.Cols.N%32 == 0
}

// mlxMode is read once for all modules: looking a key up takes as long as there are keys.
func mlxMode(v strictjson.Value, otherwise string) (string, error) {
	s, ok, err := v.String("mode")
	if err != nil || !ok {
		return otherwise, err
	}
	return s, nil
}

// mlxOwn is the setting of a single module.
func mlxOwn(v strictjson.Value, mode string) (*Format, error) {
	mode, err := mlxMode(v, mode)
	if err != nil {
		return nil, err
	}
	return mlxFormat(v, mode)
}

func mlxFormat(v strictjson.Value, mode string) (*Format, error) {
	bits, err := number(v, "bits", 4, 2, 8)
	if err != nil {
		return nil, err
	}
	group, err := width(v, 64)
	if err != nil {
		return nil, err
	}
	switch mode {
	case "affine":
		return affine(bits, group), nil
	case "mxfp4":
		return mxfp4(), nil
	case "mxfp8":
		return mxfp8(), nil
	case "nvfp4":
		return grouped("nvfp4", 4, 16, 1, 0), nil
	}
	return nil, fmt.Errorf("mode %q of MLX: %w", mode, ErrUnknown)
}
