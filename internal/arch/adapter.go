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
	rank := c.adapterRank()
	changes, err := c.targets()
	c.fail(err)
	saved, err := c.endings("modules_to_save")
	c.fail(err)
	if c.err != nil {
		return nil, c.err
	}
	out := *s
	out.Blocks = make([]Block, len(s.Blocks))
	added := 0
	for i, b := range s.Blocks {
		out.Blocks[i] = b
		out.Blocks[i].Tensors, added = adapted(b, rank, changes, added)
		out.Blocks[i].Tensors = append(out.Blocks[i].Tensors, copied(b.Prefix, b.Tensors, saved)...)
	}
	out.Outer = append(s.Outer[:len(s.Outer):len(s.Outer)], copied("", s.Outer, saved)...)
	if added == 0 {
		return nil, errors.New("target_modules names no layer of the base model, so this adapter does not belong to it")
	}
	out.Symbols = append(append([]Symbol{}, s.Symbols...), c.symbols...)
	out.Assumed = append(s.Assumed[:len(s.Assumed):len(s.Assumed)], c.assumed...)
	return &out, out.check()
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
	return c.endings("target_modules")
}

// endings tells which names end in one of the list under a key.
func (c *config) endings(key string) (func(name string) bool, error) {
	list, _, err := c.values.Strings(key)
	set := make(map[string]bool, len(list))
	for _, t := range list {
		set[t] = true
	}
	return func(name string) bool {
		for !set[name] {
			_, rest, ok := strings.Cut(name, ".")
			if !ok {
				return false
			}
			name = rest
		}
		return true
	}, err
}

// adapterRank is the largest rank of the adapter: rank_pattern gives some layers one of their own, and which these are takes a
// pattern for each.
func (c *config) adapterRank() Dim {
	r := c.dim("r", "r")
	own, _, err := c.values.Object("rank_pattern")
	c.fail(err)
	most := r.N
	for _, v := range own.Members() {
		n, err := v.AsInt()
		if err == nil && (n < 1 || n > maxRank) {
			err = v.Errorf("is %d, want 1 to %d", n, maxRank)
		}
		c.fail(err)
		most = max(most, n)
	}
	if most > r.N {
		c.assume("r", fmt.Sprint(most), "the largest of rank_pattern, for all layers")
		r.N = most
	}
	if r.N > maxRank {
		c.fail(fmt.Errorf("r is %d, want 1 to %d", r.N, maxRank))
	}
	return r
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

// copied are the modules of modules_to_save, which the adapter holds whole.
func copied(prefix string, tensors []Tensor, saved func(string) bool) []Tensor {
	var out []Tensor
	for _, t := range tensors {
		name, end, _ := strings.Cut(t.Name, ".weight")
		if end == "" && saved(prefix+name) {
			t.Name, t.Component, t.Matrix = name+".modules_to_save.weight", Adapter, false
			out = append(out, t)
		}
	}
	return out
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
