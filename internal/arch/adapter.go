package arch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// Adapter is the component of what a LoRA adapter adds.
const Adapter Component = "adapter"

const maxRank = 1 << 14

// WithAdapter is the shape with the matrices of a LoRA adapter beside those that it changes, as an adapter_config.json
// of PEFT describes it; wide tells that its files keep them in 32 bits. An error names the key. It wraps ErrUnknown where
// what the adapter adds is not known: another kind of adapter, layers that are repeated. What can only be bounded is
// counted at its most, with a gap.
func (s *Shape) WithAdapter(v strictjson.Value, wide bool) (*Shape, error) {
	a := &adapter{config: &config{values: v, top: v}, base: s, wide: wide}
	a.read()
	if a.err != nil {
		return nil, a.err
	}
	out := a.adapted()
	if a.changed == 0 {
		return nil, errors.New("target_modules names no layer of the base model, so this adapter does not belong to it")
	}
	out.Gaps = slices.Concat(s.Gaps, a.loose())
	out.Symbols, out.Assumed = slices.Concat(s.Symbols, a.symbols), slices.Concat(s.Assumed, a.assumed)
	return out, out.check()
}

// adapter is an adapter_config.json (peft: tuners/lora/config.py, layer.py, dora.py, and inject_adapter of
// tuners/tuners_utils.py).
type adapter struct {
	*config
	base *Shape
	wide bool

	rank       Dim
	ranks      *rankPattern
	targets    matcher // the modules that are changed
	excluded   matcher // but not these
	parameters matcher // parameters that are no module of their own: experts that are kept together
	inLayers   func(block string) bool
	saved      []string // modules that are kept whole beside the base
	found      []bool   // which of them the base has
	linear     bool     // all linear layers but the head
	dora, bias bool
	unread     []string // keys whose patterns could not be read
	changed    int
}

func (a *adapter) read() {
	if kind := a.wordOr("LORA", "peft_type"); a.err == nil && !strings.EqualFold(kind, "lora") {
		a.fail(fmt.Errorf("peft_type is %q: %w; only LoRA adapters are sized", kind, ErrUnknown))
	}
	for _, key := range []string{"layer_replication", "use_qalora", "trainable_token_indices", "megatron_config"} {
		if a.asks(key) {
			a.fail(fmt.Errorf("%s: %w; what it changes is not sized", key, ErrUnknown))
		}
	}
	a.rank = a.dim("r_lora", "r")
	a.believable("r", a.rank.N)
	a.targets, a.excluded, a.parameters = a.matcher("target_modules"), a.matcher("exclude_modules"), a.matcher("target_parameters")
	if a.targets == nil && a.parameters == nil {
		a.fail(errors.New("target_modules is missing, and which layers the adapter changes cannot be known without it"))
	}
	a.readLayers()
	a.readRanks()
	a.saved = a.list("modules_to_save")
	a.found = make([]bool, len(a.saved))
	a.dora, a.bias = a.flagOr(false, "", "use_dora"), a.flagOr(false, "", "lora_bias")
}

// asks reports whether a key is there and is neither null, false nor empty.
func (a *adapter) asks(key string) bool {
	v, ok := a.values.Get(key)
	if !ok || v.Kind() == strictjson.Null || (v.Kind() == strictjson.Array || v.Kind() == strictjson.Object) && v.Len() == 0 {
		return false
	}
	on, err := v.AsBool()
	return err != nil || on
}

func (a *adapter) believable(key string, rank int64) {
	if rank < 1 || rank > maxRank {
		a.fail(fmt.Errorf("%s is %d, want 1 to %d", key, rank, maxRank))
	}
}

// adapted is the base with what the adapter adds. Blocks that predict further tokens are not part of what PEFT loads.
func (a *adapter) adapted() *Shape {
	out := *a.base
	outer := a.base.Outer
	out.Outer = slices.Concat(outer, a.added("", slices.Concat(outer, a.tiedHead())))
	out.Towers = slices.Concat(a.base.Towers, a.added("", a.base.Towers))
	out.Encoder, out.Blocks = a.blocks(a.base.Encoder), a.blocks(a.base.Blocks)
	return &out
}

// tiedHead is the head that a model with tied embeddings has as a module, though not as a tensor of its own.
func (a *adapter) tiedHead() []Tensor {
	if !a.base.Tied || slices.ContainsFunc(a.base.Outer, func(t Tensor) bool { return t.Component == Head && t.Matrix }) {
		return nil
	}
	return []Tensor{{
		Name: "lm_head.weight", Component: Head, Rows: a.base.Vocab, Cols: a.base.Hidden, Copies: one, Visited: one, Matrix: true,
	}}
}

// blocks adds to each block. Those for which the same is added go on sharing their tensors, by which all that follows
// tells that they are alike.
func (a *adapter) blocks(base []Block) []Block {
	type same struct {
		tensors *Tensor
		added   string
	}
	seen := make(map[same][]Tensor)
	out := slices.Clone(base)
	for i := range out {
		b := &out[i]
		added := a.added(b.Prefix, b.Tensors)
		if len(added) == 0 {
			continue
		}
		key := same{&b.Tensors[0], describeAdded(added)}
		if seen[key] == nil {
			seen[key] = slices.Concat(b.Tensors, added)
		}
		b.Tensors = seen[key]
	}
	return out
}

func describeAdded(ts []Tensor) string {
	var b strings.Builder
	for i := range ts {
		fmt.Fprintf(&b, "%s %d %d;", ts[i].Name, ts[i].Rows.N, ts[i].Cols.N)
	}
	return b.String()
}

// added is what the adapter adds beside some tensors.
func (a *adapter) added(prefix string, ts []Tensor) []Tensor {
	var out []Tensor
	for i := range ts {
		t := &ts[i]
		module, weight := strings.CutSuffix(t.Name, ".weight")
		switch {
		case a.keeps(prefix + module):
			out = append(out, a.part(t, module+".modules_to_save.weight", t.Rows, t.Cols, Dim{}))
		case a.changes(t, prefix, module, weight):
			out = append(out, a.matrices(t, module, a.ranks.of(prefix+module, a.rank))...)
			a.changed++
		}
	}
	return out
}

// keeps reports whether a tensor is part of a module that is kept whole: PEFT asks how the name of a module ends, and
// takes everything in it.
func (a *adapter) keeps(path string) bool {
	kept := false
	for i, name := range a.saved {
		for part := path; part != ""; part = parent(part) {
			if strings.HasSuffix(part, name) {
				kept, a.found[i] = true, true
			}
		}
	}
	return kept
}

func parent(path string) string { return path[:max(0, strings.LastIndexByte(path, '.'))] }

// changes reports whether a tensor gets matrices of its own. Beside linear layers, PEFT takes embeddings.
func (a *adapter) changes(t *Tensor, prefix, module string, weight bool) bool {
	name := strings.ReplaceAll(prefix+module, "*", "0") // experts, and blocks of towers, are alike
	linear := (t.Matrix || t.Component == Router) && t.Cols.N > 1 && t.Component != Embedding
	switch {
	case !weight:
		return t.Matrix && a.parameters.match(name)
	case a.targets == nil || a.excluded.match(name):
		return false
	case a.linear:
		return linear && t.Component != Head
	}
	return (linear || t.Component == Embedding && t.Cols.N > 1) && a.inLayers(prefix) && a.targets.match(name)
}

// matrices are A of rank × inputs and B of outputs × rank, with DoRA a magnitude for each output.
func (a *adapter) matrices(t *Tensor, module string, rank Dim) []Tensor {
	out := []Tensor{
		a.part(t, module+".lora_A.weight", rank, t.Cols, t.Visited), a.part(t, module+".lora_B.weight", t.Rows, rank, t.Visited),
	}
	if a.dora {
		size := t.Rows
		if t.Component == Embedding {
			size = t.Cols
		}
		out = append(out, a.part(t, module+".lora_magnitude_vector", size, one, t.Visited))
	}
	if a.bias {
		out = append(out, a.part(t, module+".lora_B.bias", t.Rows, one, t.Visited))
	}
	return out
}

// part is a tensor of the adapter. Engines keep most of them whole on every rank, which is the safe reading.
func (a *adapter) part(of *Tensor, name string, rows, cols, visited Dim) Tensor {
	return Tensor{Name: name, Component: Adapter, Rows: rows, Cols: cols, Copies: of.Copies, Visited: visited, Float32: a.wide}
}

// loose are the parts that are only bounded, or not even that.
func (a *adapter) loose() []Gap {
	gaps := a.gaps
	for _, key := range a.unread {
		gaps = append(gaps, Gap{
			What: "adapter, " + key,
			Why:  "it has a pattern that only Python reads, so every layer that it may mean was counted, at the highest rank",
		})
	}
	for i, name := range a.saved {
		if !a.found[i] {
			gaps = append(gaps, Gap{
				What: "adapter, modules_to_save " + strconv.Quote(name),
				Why:  "the base model has no module of that name, so what the adapter brings for it is not counted",
			})
		}
	}
	return gaps
}
