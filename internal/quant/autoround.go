package quant

import (
	"errors"
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// autoRound reads the configuration of AutoRound: one setting for all blocks, extra_config for single modules or
// expressions, and the packing of GPTQ or AWQ.
func (d *description) autoRound() (*Scheme, error) {
	packing, _, err := d.section.String("packing_format")
	if err != nil {
		return nil, err
	}
	a := rounder{packing: packing, formats: map[string]pair{}, work: &d.work}
	base, err := a.read(d.section, roundSpec{bits: 4, group: 128, kind: "int"})
	if err != nil {
		return nil, err
	}
	named, rules, err := a.extra(d.section, base)
	if err != nil {
		return nil, err
	}
	return d.finish(fmt.Sprintf("autoround-int%d", base.bits), func(m *module) *Format {
		if p, ok := named[m.path]; ok && m.linear() {
			return p.of(m)
		}
		for _, r := range rules {
			if m.linear() && r.re(m) {
				return r.formats.of(m)
			}
		}
		if !m.inBlocks() {
			return nil
		}
		return a.pair(base).of(m)
	})
}

type rounder struct {
	packing string
	formats map[string]pair
	work    *budget
}

type roundSpec struct {
	bits, group int64
	kind        string
}

func (a *rounder) read(v strictjson.Value, otherwise roundSpec) (roundSpec, error) {
	var s roundSpec
	var err error
	if s.bits, err = number(v, "bits", otherwise.bits, 1, 32); err != nil {
		return s, err
	}
	if s.group, err = width(v, otherwise.group); err != nil {
		return s, err
	}
	kind, ok, err := v.String("data_type")
	if !ok {
		kind = otherwise.kind
	}
	s.kind = kind
	return s, err
}

// pair is the format of a setting; 16 bits and more are not quantized.
func (a *rounder) pair(s roundSpec) pair {
	if s.bits >= 16 {
		return pair{}
	}
	key := fmt.Sprint(s)
	p, ok := a.formats[key]
	if ok {
		return p
	}
	switch {
	case strings.HasPrefix(s.kind, "mx_fp") && s.bits == 4:
		p = pair{mxfp4(), mxfp4()}
	case strings.HasPrefix(s.kind, "mx_fp"):
		p = pair{mxfp8(), mxfp8()}
	case strings.HasPrefix(s.kind, "nv_fp"):
		p = pair{nvfp4(true), nvfp4(true)}
	case strings.Contains(a.packing, "awq"):
		p = pair{awq(s.bits, s.group), awq(s.bits, s.group)}
	default:
		p = both(gptqSpec{bits: s.bits, group: s.group, order: strings.Contains(a.packing, "gptq")})
	}
	a.formats[key] = p
	return p
}

func (a *rounder) extra(section strictjson.Value, base roundSpec) (map[string]pair, []override, error) {
	v, _, err := section.Object("extra_config")
	if err != nil {
		return nil, nil, err
	}
	named := map[string]pair{}
	var rules []override
	var buf []byte
	for key, value := range v.Members() {
		if value.Kind() != strictjson.Object {
			return nil, nil, value.Errorf("is no object, want bits and group_size")
		}
		s, err := a.read(value, base)
		if err != nil {
			return nil, nil, err
		}
		if len(key) > maxPattern || len(named) == maxNames || len(rules) == maxAnywhere {
			return nil, nil, errors.New("extra_config has more or longer entries than are read")
		}
		if !strings.ContainsAny(key, `*\^$[](|+?`) {
			buf = fold(buf, canonical(key))
			named[string(buf)] = a.pair(s)
			continue
		}
		re, err := expression(key, a.work)
		if err != nil {
			return nil, nil, fmt.Errorf("extra_config: %w", err)
		}
		rules = append(rules, override{re, a.pair(s)})
	}
	return named, rules, nil
}
