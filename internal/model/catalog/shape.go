package catalog

import (
	"encoding/json"
	"errors"
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
	f := &Facts{ID: r.ID, Totals: r.Totals}
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

// value turns what YAML held into JSON, as the rules read it.
func value(name string, m map[string]any) (strictjson.Value, error) {
	spread, err := spreadIn(m)
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("%s: %w", name, err)
	}
	text, err := json.Marshal(spread)
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("%s: it holds what JSON has no word for: %w", name, err)
	}
	v, err := strictjson.Parse(strings.NewReader(string(text)), 0, "quantized_layers", "extra_config")
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("%s: %w", name, err)
	}
	return v, nil
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
	for _, m := range []map[string]any{r.Config, r.HFQuant} {
		_, err := spreadIn(m)
		want(err == nil, "%v", err)
	}
}

// maxSpread is how many names a record may stand for in all.
const maxSpread = 100_000

// Lists of modules repeat a name for each layer. A record writes {0-59} or {3,7-9} for the number, which stands for as
// many names. Expressions (re:...) have braces of their own and are left alone.
type spreader struct{ left int }

var errSpread = errors.New("its names stand for more than 100,000 modules")

// spreadIn spreads the names in the parts of a configuration that speak of quantization, and in nothing else.
func spreadIn(m map[string]any) (map[string]any, error) {
	s := spreader{left: maxSpread}
	out := maps.Clone(m)
	for k, v := range m {
		part, nested := v.(map[string]any)
		var err error
		switch k {
		case "quantization_config", "quantization":
			out[k], err = s.spread(v)
		case "exclude_modules", "ignore", "quantized_layers":
			out[k], err = s.spread(v)
		case "text_config", "llm_config", "language_config":
			if nested {
				out[k], err = spreadIn(part)
			}
		}
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (s *spreader) spread(v any) (any, error) {
	switch v := v.(type) {
	case []any:
		return s.list(v)
	case map[string]any:
		return s.keys(v)
	}
	return v, nil
}

func (s *spreader) list(list []any) (any, error) {
	out := make([]any, 0, len(list))
	for _, e := range list {
		text, ok := e.(string)
		if !ok {
			e, err := s.spread(e)
			if err != nil {
				return nil, err
			}
			out = append(out, e)
			continue
		}
		names, err := s.names(text)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			out = append(out, n)
		}
	}
	return out, nil
}

func (s *spreader) keys(m map[string]any) (any, error) {
	out := make(map[string]any, len(m))
	for k, v := range m {
		v, err := s.spread(v)
		if err != nil {
			return nil, err
		}
		names, err := s.names(k)
		if err != nil {
			return nil, err
		}
		for _, n := range names {
			out[n] = v
		}
	}
	return out, nil
}

// names are those that a name with braces stands for.
func (s *spreader) names(text string) ([]string, error) {
	head, rest, ok := strings.Cut(text, "{")
	set, tail, closed := strings.Cut(rest, "}")
	if !ok || strings.HasPrefix(text, "re:") {
		s.left--
		return []string{text}, s.spent()
	}
	if !closed {
		return nil, fmt.Errorf("%q: a brace is not closed", text)
	}
	numbers, err := s.numbers(set)
	if err != nil {
		return nil, fmt.Errorf("%q: %w", text, err)
	}
	tails, err := s.names(tail)
	if err != nil {
		return nil, err
	}
	if s.left -= len(numbers) * len(tails); s.left < 0 {
		return nil, s.spent()
	}
	out := make([]string, 0, len(numbers)*len(tails))
	for _, n := range numbers {
		for _, t := range tails {
			out = append(out, fmt.Sprintf("%s%d%s", head, n, t))
		}
	}
	return out, nil
}

func (s *spreader) spent() error {
	if s.left < 0 {
		return errSpread
	}
	return nil
}

// numbers reads 3,7-9.
func (s *spreader) numbers(set string) ([]int, error) {
	var out []int
	for part := range strings.SplitSeq(set, ",") {
		first, last, isRange := strings.Cut(part, "-")
		a, ok := small(first)
		b := a
		if isRange {
			var fine bool
			b, fine = small(last)
			ok = ok && fine
		}
		if !ok || b < a {
			return nil, fmt.Errorf("{%s} is no list of numbers below 10,000, such as {3,7-9}", set)
		}
		if len(out)+b-a >= s.left {
			return nil, errSpread
		}
		for n := a; n <= b; n++ {
			out = append(out, n)
		}
	}
	return out, nil
}

func small(s string) (int, bool) {
	n := 0
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int(c-'0')
	}
	return n, s != "" && len(s) <= 4
}
