package catalog

import (
	"fmt"
	"maps"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// Facts are what a record says about the shape of a model: the keys of its config.json that sizes and quantization
// follow from, in the words of that file, so that they are read by the same rules. Keys that nothing follows from
// (tokens, dropout, activations) are left out, and so are null and the norms and biases in lists of modules that stay
// as they are, which no quantization touches.
type Facts struct {
	ID     string
	Other  []string // names besides the id
	Config strictjson.Value
	Quant  strictjson.Value // hf_quant_config.json; null if there is none
	Source evidence.Source  // where the numbers were read
	Totals *Totals          // nil if no total of this model was published or derived elsewhere
}

// Totals are sums that somebody else counted, which tests hold our count against.
type Totals struct {
	Params int64  `yaml:"params,omitempty"` // of the file without blocks of multi-token prediction; 0 if not known
	Active int64  `yaml:"active,omitempty"` // what one token is multiplied with; 0 if not known
	Kind   string `yaml:"kind,omitempty"`   // derived from the shape, or published
	Bytes  int64  `yaml:"bytes,omitempty"`  // of the published files
	Source string `yaml:"source,omitempty"` // of the bytes, and of a published total
	// TextOnly tells that Params counts the language model alone, without the parts for images and sound.
	TextOnly bool `yaml:"text_only,omitempty"`
}

// Config is the configuration of a model, and hf_quant_config.json where the model has one, null otherwise.
func (c *Catalog) Config(id string) (config, hfQuant strictjson.Value, found bool, err error) {
	f, ok, err := c.Facts(id)
	if err != nil || !ok {
		return strictjson.Value{}, strictjson.Value{}, false, err
	}
	return f.Config, f.Quant, true, nil
}

// Facts decodes what the record of a model says of its shape, and reports whether it says anything. A record of the
// user's without a configuration leaves ours in force: it is about the license.
func (c *Catalog) Facts(id string) (*Facts, bool, error) {
	r, err := c.shaped(id)
	if r == nil || err != nil {
		return nil, false, err
	}
	config, quant, source := r.Config, r.HFQuant, r.ConfigSource
	if r.ConfigFrom != "" {
		base, err := c.shaped(r.ConfigFrom)
		switch {
		case err != nil:
			return nil, false, err
		case base == nil || base.ConfigFrom != "":
			return nil, false, fmt.Errorf("%s: config_from %s has no configuration of its own; write the keys out", r.ID, r.ConfigFrom)
		}
		config = laid(base.Config, r.Config)
		if source == nil {
			source = base.ConfigSource
		}
	}
	f := &Facts{ID: r.ID, Other: r.Aliases, Totals: r.Totals}
	if source != nil {
		f.Source = *source
	}
	if f.Config, err = value(r.ID+" config", config); err != nil {
		return nil, false, err
	}
	if len(quant) > 0 {
		f.Quant, err = value(r.ID+" hf_quant", quant)
	}
	return f, err == nil, err
}

// shaped is the record with the configuration of a model; nil if there is none.
func (c *Catalog) shaped(id string) (*record, error) {
	if r, ok := c.over[strings.ToLower(id)]; ok && hubID(id) && r.shaped() {
		return r, nil
	}
	r, ok, err := find(c.models, modelFolder, id, check)
	if !ok || err != nil || !r.shaped() {
		return nil, err
	}
	return r, nil
}

func (r *record) shaped() bool { return r.ConfigFrom != "" || len(r.Config) > 0 }

// laid is the configuration of a base with the keys of another over it; null takes a key away.
func laid(base, over map[string]any) map[string]any {
	out := maps.Clone(base)
	for k, v := range over {
		if v == nil {
			delete(out, k)
			continue
		}
		out[k] = v
	}
	return out
}

// checkShape reports the faults of the part of a record that describes the shape.
func (r *record) checkShape(want func(ok bool, format string, args ...any)) {
	shaped := r.shaped()
	for _, a := range r.Aliases {
		want(shaped, "alias %s: only a model with a config has aliases", a)
		want(a == strings.ToLower(a) && strings.Trim(a, letters+"/") == "" && a != "", "alias %q: want small letters, digits, - _ . and one /", a)
	}
	want(shaped || len(r.HFQuant) == 0 && r.Totals == nil && r.ConfigSource == nil,
		"hf_quant, totals and config_source go with a config, and there is none")
	if r.ConfigFrom != "" {
		_, ok := nameOf(r.ConfigFrom)
		want(ok && !strings.EqualFold(r.ConfigFrom, r.ID), "config_from %q is not the id of another model, such as org/name", r.ConfigFrom)
	} else if len(r.Config) > 0 {
		want(r.ConfigSource != nil, "config_source is missing: say where the numbers of config were read")
	}
	if r.ConfigSource != nil {
		want(r.ConfigSource.Title != "", "config_source.title is missing: say where the numbers of config were read")
	}
	if t := r.Totals; t != nil {
		want(min(t.Params, t.Active, t.Bytes) >= 0, "totals: a number is below zero")
		want(t.Active <= t.Params, "totals: active is more than params")
		want(t.Params == 0 || t.Kind == "derived" || t.Kind == "published", "totals.kind: %q is neither derived nor published", t.Kind)
	}
}

// checkNames reports what is wrong with the names that stand for several. It is asked of the records of the user; ours
// are held by a test, so that a look-up need not.
func (r *record) checkNames(file string) error {
	if _, err := value(file+".yaml: config", r.Config); err != nil {
		return err
	}
	_, err := value(file+".yaml: hf_quant", r.HFQuant)
	return err
}
