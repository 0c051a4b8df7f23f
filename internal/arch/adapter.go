package arch

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// Adapter is the component of the matrices that a LoRA adapter adds.
const Adapter Component = "adapter"

const (
	maxRank    = 1 << 14
	maxPattern = 4 << 10
)

// WithAdapter is the shape with the matrices of a LoRA adapter beside those that it changes, as an adapter_config.json
// of PEFT describes it. An error names the key. What another kind of adapter adds is not known: ErrUnknown.
func (s *Shape) WithAdapter(v strictjson.Value) (*Shape, error) {
	c := &config{values: v, top: v}
	if kind := c.wordOr("LORA", "peft_type"); c.err == nil && !strings.EqualFold(kind, "lora") {
		return nil, fmt.Errorf("adapter of the type %q: %w", kind, ErrUnknown)
	}
	rank := c.dim("r", "r")
	changes, err := c.targets()
	c.fail(err)
	if c.err == nil && rank.N > maxRank {
		c.fail(fmt.Errorf("r is %d, want 1 to %d", rank.N, maxRank))
	}
	if c.err != nil {
		return nil, c.err
	}
	out := *s
	out.Blocks = make([]Block, len(s.Blocks))
	added := 0
	for i, b := range s.Blocks {
		out.Blocks[i] = b
		out.Blocks[i].Tensors, added = adapted(b, rank, changes, added)
	}
	if added == 0 {
		return nil, errors.New("target_modules names no layer of the base model, so this adapter does not belong to it")
	}
	out.Symbols = append(append([]Symbol{}, s.Symbols...), c.symbols...)
	return &out, nil
}

// targets tells which matrices are changed: those whose name ends in one of a list or matches a pattern, or all.
func (c *config) targets() (func(name string) bool, error) {
	target, ok := c.values.Get("target_modules")
	switch {
	case !ok || target.Kind() == strictjson.Null:
		return nil, errors.New("target_modules is missing, and which layers the adapter changes cannot be known without it")
	case target.Kind() == strictjson.String:
		return pattern(target)
	}
	list, _, err := c.values.Strings("target_modules")
	return func(name string) bool {
		for _, t := range list {
			if name == t || strings.HasSuffix(name, "."+t) {
				return true
			}
		}
		return false
	}, err
}

func pattern(target strictjson.Value) (func(string) bool, error) {
	text, err := target.AsString()
	if err != nil || text == "all-linear" {
		return func(string) bool { return true }, err
	}
	if len(text) > maxPattern {
		return nil, target.Errorf("is a pattern of %d bytes, more than %d", len(text), maxPattern)
	}
	re, err := regexp.Compile(`^(?:` + text + `)$`)
	if err != nil {
		return nil, target.Errorf("is no pattern: %v", err)
	}
	return re.MatchString, nil
}

// adapted adds two narrow matrices for each that is changed.
func adapted(b Block, rank Dim, changes func(string) bool, added int) ([]Tensor, int) {
	tensors := b.Tensors[:len(b.Tensors):len(b.Tensors)]
	for i := range b.Tensors {
		t := b.Tensors[i]
		name := strings.TrimSuffix(t.Name, ".weight")
		if !t.Matrix || !changes(b.Prefix+name) {
			continue
		}
		a, z := t, t
		a.Name, a.Rows, a.Component, a.Split, a.Units = name+".lora_A.weight", rank, Adapter, Replicated, 0
		z.Name, z.Cols, z.Component, z.Split, z.Units = name+".lora_B.weight", rank, Adapter, Replicated, 0
		a.Matrix, z.Matrix = false, false
		tensors = append(tensors, a, z)
		added++
	}
	return tensors, added
}
