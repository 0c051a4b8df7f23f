package quant

import (
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// torchao names its classes; those that people publish have sizes that follow (torchao/quantization/quant_api.py).
func (d *description) torchao() (*Scheme, error) {
	name, at, err := d.torchaoType()
	if err != nil {
		return nil, err
	}
	f, err := d.torchaoFormat(name, at)
	if err != nil {
		return nil, err
	}
	skip, err := d.list("modules_to_not_convert")
	if err != nil {
		return nil, err
	}
	_ = skip.add("lm_head")
	return d.finish("torchao-"+f.Name, func(m *module) *Format {
		if !m.linear() || m.area == tower || m.area == mtp || !strings.HasSuffix(m.t.Name, ".weight") {
			return nil
		}
		return except(m, skip, f, d.base)
	})
}

func (d *description) torchaoType() (string, strictjson.Value, error) {
	v, _ := d.section.Get("quant_type")
	if s, err := v.AsString(); err == nil {
		at, _ := d.section.Get("quant_type_kwargs")
		return s, at, nil
	}
	if inner, ok := v.Get("default"); ok {
		v = inner
	}
	if v.Kind() != strictjson.Object {
		return "", v, fmt.Errorf("torchao without quant_type: %w", ErrUnknown)
	}
	s, _, err := v.String("_type")
	at, _ := v.Get("_data")
	return s, at, err
}

func (d *description) torchaoFormat(name string, at strictjson.Value) (*Format, error) {
	switch plainName := strings.ToLower(strings.ReplaceAll(name, "_", "")); {
	case strings.HasPrefix(plainName, "int4weightonly"):
		group, err := width(at, 128)
		if err != nil {
			return nil, err
		}
		return grouped("int4", 4, group, 4, 0), nil
	case strings.HasPrefix(plainName, "int8weightonly"), strings.HasPrefix(plainName, "int8dynamicactivationint8weight"):
		return perChannel("int8-per-channel", d.scaleBytes(), 0), nil
	case strings.HasPrefix(plainName, "float8"):
		return perChannel("fp8-per-channel", 4, 0), nil
	}
	return nil, fmt.Errorf("torchao type %q: %w, so its sizes do not follow", name, ErrUnknown)
}
