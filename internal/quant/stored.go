package quant

import (
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// Stored is how the published files hold the model: as quantization_config or quantization of config.json says, and
// hf_quant_config.json where there is one. An error wraps ErrUnknown if the sizes do not follow from that; any other
// error is a fault of the file, with the key.
func Stored(shape *arch.Shape, config, hfQuant strictjson.Value) (*Scheme, error) {
	d, err := describe(config)
	if err != nil {
		return nil, err
	}
	d.shape, d.base = shape, baseFormat(shape.DType)
	exported, err := exported(hfQuant)
	switch {
	case err != nil:
		return nil, fmt.Errorf("hf_quant_config.json: %w", err)
	case exported.Kind() == strictjson.Object:
		return d.both(exported)
	case d.section.Kind() == strictjson.Object:
		return d.scheme()
	}
	if err := plainly(shape.DType); err != nil {
		return nil, err
	}
	return Unquantized(shape), nil
}

// plainly refuses a number format of what is not quantized whose size would be a guess.
func plainly(dtype string) error {
	switch strings.TrimPrefix(dtype, "torch.") {
	case "", "auto", "bfloat16", "float16", "half", "float32", "float":
		return nil
	}
	return fmt.Errorf("torch_dtype %.60q: %w, want bfloat16, float16 or float32", dtype, ErrUnknown)
}

// description is what the files say of the quantization.
type description struct {
	shape   *arch.Shape
	base    *Format
	section strictjson.Value // the object that describes it; null if there is none
	key     string           // under which it stands
	text    bool             // it stands in the configuration of the language model, and holds for that alone
	experts string           // expert_dtype beside it, as DeepSeek-V4 has
	notes   []string
	kv      string
	work    budget
}

func describe(config strictjson.Value) (*description, error) {
	d := &description{work: budget{maxWork}}
	if config.Kind() != strictjson.Object {
		return d, nil
	}
	parts := []string{"", "text_config", "llm_config", "language_config", "thinker_config"}
	for _, part := range parts {
		at := config
		if part != "" {
			at, _ = config.Get(part)
		}
		if at.Kind() != strictjson.Object {
			continue
		}
		if s, _, err := at.String("expert_dtype"); err == nil && s != "" {
			d.experts = s
		}
		for _, key := range []string{"quantization_config", "compression_config", "quantization"} {
			v, ok, err := at.Object(key)
			if err != nil {
				return nil, err
			}
			if ok && d.section.Kind() == strictjson.Null && v.Len() > 0 {
				d.section, d.key, d.text = v, strings.TrimPrefix(part+"."+key, "."), part != ""
			}
		}
	}
	return d, nil
}

// exported is the object of hf_quant_config.json that describes the quantization, or null.
func exported(hfQuant strictjson.Value) (strictjson.Value, error) {
	if hfQuant.Kind() == strictjson.Null {
		return strictjson.Value{}, nil
	}
	v, _, err := hfQuant.Object("quantization")
	return v, err
}

// both takes hf_quant_config.json, which the exporter wrote for this model, and tells how config.json differs.
func (d *description) both(exported strictjson.Value) (*Scheme, error) {
	own := *d
	own.section, own.key = exported, "hf_quant_config.json"
	s, err := own.modelopt()
	if err != nil {
		return nil, fmt.Errorf("hf_quant_config.json: %w", err)
	}
	if d.section.Kind() != strictjson.Object {
		return s, nil
	}
	other, err := d.scheme()
	switch {
	case err != nil:
		s.note(fmt.Sprintf("%s of config.json could not be used (%v); hf_quant_config.json was", d.key, err))
	case other.Total(d.shape) != s.Total(d.shape):
		s.note(fmt.Sprintf("config.json describes %d bytes and hf_quant_config.json %d; the latter was used",
			other.Total(d.shape), s.Total(d.shape)))
	}
	return s, nil
}

// scheme reads the section by its method.
func (d *description) scheme() (*Scheme, error) {
	s, err := d.method()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.key, err)
	}
	return s, nil
}

func (d *description) method() (*Scheme, error) {
	method, _, err := d.section.String("quant_method")
	if err != nil {
		return nil, err
	}
	method = strings.ReplaceAll(strings.ToLower(method), "_", "-")
	_, algo := d.section.Get("quant_algo")
	producer, _ := d.section.Get("producer", "name")
	switch name, _ := producer.AsString(); {
	case algo || name == "modelopt" || strings.HasPrefix(method, "modelopt"):
		return d.modelopt()
	case method == "" && d.has("config_groups"):
		return d.compressed()
	case method == "" && d.has("bits") && d.has("group_size"):
		return d.mlx()
	}
	read, ok := d.methods()[method]
	if !ok {
		return nil, fmt.Errorf("method %q: %w, so the size of what it stores does not follow from config.json; "+
			"the headers of the weight files tell", method, ErrUnknown)
	}
	return read()
}

func (d *description) methods() map[string]func() (*Scheme, error) {
	return map[string]func() (*Scheme, error){
		"compressed-tensors": d.compressed, "gptq": d.gptq, "awq": d.awq, "fp8": d.fp8, "fbgemm-fp8": d.fbgemm,
		"bitsandbytes": d.bitsandbytes, "mxfp4": d.mxfp4, "auto-round": d.autoRound, "autoround": d.autoRound,
		"intel/auto-round": d.autoRound, "torchao": d.torchao, "hqq": d.hqq, "eetq": d.eetq, "aqlm": d.aqlm,
		"exl2": d.exl2, "exl3": d.exl3, "mlx": d.mlx,
	}
}

// finish builds the scheme, with what all methods have in common.
func (d *description) finish(name string, choose choice) (*Scheme, error) {
	s := build(d.shape, name, d.base, func(m *module) *Format {
		if d.text && m.area == tower {
			return nil
		}
		return choose(m)
	})
	if d.work.left < 0 {
		return nil, errWork
	}
	s.Notes, s.kv = d.notes, d.kv
	if s.kv == "" {
		s.kv = d.cache()
	}
	s.note(stays(d.shape, s))
	return s, nil
}

// stays says which components keep 16 or 32 bits.
func stays(shape *arch.Shape, s *Scheme) string {
	var plain []string
	for m := range modules(shape) {
		f := s.picked[m.name]
		if name := string(m.t.Component); f.Bits >= 16 && m.t.Cols.N > 1 && !slices.Contains(plain, name) {
			plain = append(plain, name)
		}
	}
	if len(plain) == 0 {
		return "only vectors stay in 16 or 32 bits"
	}
	return "stays in 16 or 32 bits, in whole or in part: " + strings.Join(plain, ", ")
}

// cache is the format of keys and values that compressed-tensors asks for.
func (d *description) cache() string {
	v, ok := d.section.Get("kv_cache_scheme")
	if !ok {
		return ""
	}
	if s, err := v.AsString(); err == nil {
		return strings.ToLower(s)
	}
	bits, _, err := intOf(v, "num_bits")
	if v.Kind() != strictjson.Object || err != nil || bits == 0 {
		return ""
	}
	kind, _, _ := v.String("type")
	if kind == "float" {
		return fmt.Sprintf("fp%d", bits)
	}
	return fmt.Sprintf("int%d", bits)
}

func (d *description) has(key string) bool {
	v, ok := d.section.Get(key)
	return ok && v.Kind() != strictjson.Null
}

func intOf(v strictjson.Value, key string) (int64, bool, error) {
	if v.Kind() != strictjson.Object {
		return 0, false, nil
	}
	return v.Int(key)
}

// number is an integer of the section within limits, or the default.
func (d *description) number(key string, otherwise, least, most int64) (int64, error) {
	return number(d.section, key, otherwise, least, most)
}

func number(v strictjson.Value, key string, otherwise, least, most int64) (int64, error) {
	n, ok, err := intOf(v, key)
	switch {
	case err != nil:
		return 0, err
	case !ok:
		return otherwise, nil
	case n < least || n > most:
		return 0, fmt.Errorf("%s is %d, want %d to %d", key, n, least, most)
	}
	return n, nil
}

// width is a group_size: -1 is one group for a row.
func width(v strictjson.Value, otherwise int64) (int64, error) {
	n, err := number(v, "group_size", otherwise, -1, maxGroup)
	return max(0, n), err
}

// flag is a boolean of the section, or the default.
func (d *description) flag(key string, otherwise bool) (bool, error) {
	b, ok, err := d.section.Bool(key)
	if err != nil || !ok {
		return otherwise, err
	}
	return b, nil
}

// list compiles the lists of modules under the keys, all together.
func (d *description) list(keys ...string) (*patterns, error) {
	p := newPatterns(&d.work)
	for _, key := range keys {
		if err := p.addAll(d.section, key); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// except gives the format to all copies of a tensor but those that are listed.
func except(m *module, listed *patterns, f, base *Format) *Format {
	n := listed.match(m)
	switch {
	case n == 0:
		return f
	case n >= m.t.Copies.N:
		return nil
	}
	return mixture([]part{{f, m.t.Copies.N - n}, {base, n}})
}

// scaleBytes is the size of a scale that has the number format of the model.
func (d *description) scaleBytes() int64 {
	if d.base.Bits == 32 {
		return 4
	}
	return 2
}
