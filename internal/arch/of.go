package arch

import (
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// rule builds the shape of one family. It reads c.values, and c.fail keeps what goes wrong.
type rule struct {
	family  string
	classes []string // of config.json's architectures
	types   []string // of config.json's model_type, for files that name no class
	build   func(c *config) *Shape
}

// rules of all families. Each file adds its own list, so that a family is found in one place.
func rules() []rule {
	return slices.Concat(
		llamaRules(),
		gemmaRules(),
		fusedRules(),
		legacyRules(),
		multimodalRules(),
		moeRules(),
		deepseekRules(),
		deltaRules(),
		mambaRules(),
		hybridRules(),
		gptOSSRules(),
		llama4Rules(),
		gemma3nRules(),
		gemma4Rules(),
		minimaxRules(),
		kimiLinearRules(),
		stepRules(),
		deciRules(),
		nemotronRules(),
	)
}

// Of is the shape of the model that a config.json describes. An error wraps ErrUnknown if no rule is known for its
// class; any other error names the key, its line and what was wanted.
func Of(values strictjson.Value) (*Shape, error) {
	c := &config{values: values, top: values}
	class, kind := c.class()
	if c.err != nil {
		return nil, c.err
	}
	r, ok := find(class, kind)
	if !ok {
		return nil, fmt.Errorf("%s: %w; nothing was sized, because a wrong shape is worse than none", describe(class, kind), ErrUnknown)
	}
	c.enterText()
	c.consistent()
	s := r.build(c)
	s.DType = c.dtype()
	if c.err != nil {
		return nil, c.err
	}
	s.Architecture, s.Family = class, r.family
	if class == "" {
		s.Architecture = kind
	}
	s.Stretch, s.LocalRope = c.stretch(), c.has("rope_local_base_freq") || s.Family == "gemma3"
	s.Assumed, s.Gaps, s.Symbols = c.assumed, append(s.Gaps, c.gaps...), c.symbols
	return s, s.check()
}

// class is the first of architectures, and model_type.
func (c *config) class() (class, kind string) {
	list, _, err := c.values.Strings("architectures")
	c.fail(err)
	if len(list) > 0 {
		class = list[0]
	}
	return class, c.wordOr("", "model_type")
}

// enterText goes down to the language model of a configuration with several parts.
func (c *config) enterText() {
	for _, key := range []string{"text_config", "llm_config", "language_config", "thinker_config"} {
		v, ok, err := c.values.Object(key)
		c.fail(err)
		if ok {
			c.values = v
			c.enterText()
			return
		}
	}
}

// consistent refuses a file that gives one size of the language model twice and not the same: programs differ in which
// they take.
func (c *config) consistent() {
	for _, key := range []string{"hidden_size", "num_hidden_layers", "num_key_value_heads"} {
		inner, ok, err := c.values.Int(key)
		outer, also, fault := c.top.Int(key)
		c.fail(errors.Join(err, fault))
		switch {
		case !also || ok && inner == outer:
		case ok:
			c.fail(fmt.Errorf("%s is %d, and %d in the part for the language model; one of them is wrong", key, outer, inner))
		default:
			c.fail(fmt.Errorf("%s is %d, but the part for the language model does not say it; one of them is wrong", key, outer))
		}
	}
}

func (c *config) dtype() string {
	d := c.wordOr("", "torch_dtype", "dtype")
	if d != "" {
		return d
	}
	outer := config{values: c.top}
	d = outer.wordOr("", "torch_dtype", "dtype")
	c.fail(outer.err)
	if d == "" {
		c.assume("torch_dtype", "bfloat16", "what is not quantized is counted with 2 bytes a weight, as it is nearly always published")
	}
	return d
}

func find(class, kind string) (rule, bool) {
	all := rules()
	if i := slices.IndexFunc(all, func(r rule) bool { return class != "" && slices.Contains(r.classes, class) }); i >= 0 {
		return all[i], true
	}
	if class != "" {
		return rule{}, false
	}
	i := slices.IndexFunc(all, func(r rule) bool { return kind != "" && slices.Contains(r.types, kind) })
	if i < 0 {
		return rule{}, false
	}
	return all[i], true
}

func describe(class, kind string) string {
	switch {
	case class != "":
		return "architecture " + class
	case kind != "":
		return "model_type " + kind
	}
	return "a configuration without architectures and model_type"
}

var errAbsurd = errors.New("the sizes multiply to more than 10^16 parameters, more than any model has")

// check refuses sizes that multiply to something absurd, so that nothing after it has to count with care.
func (s *Shape) check() error {
	if len(s.Blocks) == 0 {
		return errors.New("the configuration describes no layer")
	}
	for i := range s.Blocks {
		if m := s.Blocks[i].Mixer; m.KVHeads > 0 && m.Heads%m.KVHeads != 0 {
			return fmt.Errorf("the configuration contradicts itself: the %d heads of queries in block %d are no multiple of the %d that share keys and values", m.Heads, i, m.KVHeads)
		}
	}
	sum := 0.0
	for t := range s.Tensors() {
		if t.Rows.N < 0 || t.Cols.N < 0 || t.Copies.N < 0 {
			return errAbsurd
		}
		sum += float64(t.Rows.N) * float64(t.Cols.N) * float64(t.Copies.N)
		if sum > maxParams || max(t.Rows.N, t.Cols.N, t.Copies.N) == math.MaxInt64 {
			return errAbsurd
		}
	}
	return nil
}
