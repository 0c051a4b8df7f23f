package quant

import (
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/gguf"
)

// mix is a file type of llama.cpp: a base type and rules that raise single tensors. The rules are those of
// llama_tensor_get_type_impl in src/llama-quant.cpp of ggml-org/llama.cpp, written anew by role.
type mix struct {
	name string
	base gguf.Type
}

// mixes are all file types that llama-quantize offers.
func mixes() []mix {
	return []mix{
		{"F32", gguf.F32},
		{"F16", gguf.F16},
		{"gguf-BF16", gguf.BF16},
		{"Q8_0", gguf.Q8_0},
		{"Q4_0", gguf.Q4_0},
		{"Q4_1", gguf.Q4_1},
		{"Q5_0", gguf.Q5_0},
		{"Q5_1", gguf.Q5_1},
		{"Q2_K", gguf.Q2_K},
		{"Q2_K_S", gguf.Q2_K},
		{"Q3_K_S", gguf.Q3_K},
		{"Q3_K_M", gguf.Q3_K},
		{"Q3_K_L", gguf.Q3_K},
		{"Q4_K_S", gguf.Q4_K},
		{"Q4_K_M", gguf.Q4_K},
		{"Q5_K_S", gguf.Q5_K},
		{"Q5_K_M", gguf.Q5_K},
		{"Q6_K", gguf.Q6_K},
		{"IQ1_S", gguf.IQ1_S},
		{"IQ1_M", gguf.IQ1_M},
		{"IQ2_XXS", gguf.IQ2_XXS},
		{"IQ2_XS", gguf.IQ2_XS},
		{"IQ2_S", gguf.IQ2_XS},
		{"IQ2_M", gguf.IQ2_S},
		{"IQ3_XXS", gguf.IQ3_XXS},
		{"IQ3_XS", gguf.IQ3_S},
		{"IQ3_S", gguf.IQ3_S},
		{"IQ3_M", gguf.IQ3_S},
		{"IQ4_NL", gguf.IQ4_NL},
		{"IQ4_XS", gguf.IQ4_XS},
		{"TQ1_0", gguf.TQ1_0},
		{"TQ2_0", gguf.TQ2_0},
		{"MXFP4_MOE", gguf.MXFP4},
	}
}

// findMix takes the name with or without "gguf-", and the short names of llama-quantize.
func findMix(name string) (mix, bool) {
	name = strings.TrimPrefix(name, "gguf-")
	switch name {
	case "q3_k", "q4_k", "q5_k":
		name += "_m"
	case "mxfp4":
		name = "mxfp4_moe"
	}
	all := mixes()
	i := slices.IndexFunc(all, func(m mix) bool { return strings.TrimPrefix(strings.ToLower(m.name), "gguf-") == name })
	if i < 0 {
		return mix{}, false
	}
	return all[i], true
}

// alignment of the tensors of a GGUF file, unless its header says otherwise.
const alignment = 32

// scheme applies the mix to a shape.
func (x mix) scheme(shape *arch.Shape) *Scheme {
	p := newMixer(x, shape)
	s := build(shape, x.name, typeFormat(gguf.F16), p.pick)
	s.pad = alignment
	s.note("by the rules of llama.cpp" + p.imatrixNote())
	if len(shape.Towers) > 0 {
		s.note("the towers are in a file of their own (mmproj), taken to be F16")
	}
	if p.native() {
		s.note("the experts stay in MXFP4, in which they were published, whatever the mix")
	}
	if len(shape.MTP) > 0 {
		s.note("MTP blocks are counted with the types of the mix; many converters leave them out")
	}
	return s
}

// mixer holds what the rules know of the model, and counts the tensors that it has seen.
type mixer struct {
	mix
	shape    *arch.Shape
	layers   int // decoder and MTP
	experts  int64
	ratio    int64 // query heads to a key-value head
	falcon   bool
	big      bool // what llama.cpp calls a 70B
	tied     bool
	values   int // tensors like attn_v in all
	value    int // of those seen
	down     int
	formats  map[gguf.Type]*Format
	imatrix  bool
	splitKVB map[string]*Format
}

func newMixer(x mix, shape *arch.Shape) *mixer {
	p := &mixer{
		mix: x, shape: shape, layers: len(shape.Blocks) + len(shape.MTP), tied: shape.Tied, formats: map[gguf.Type]*Format{},
		falcon: strings.HasPrefix(shape.Architecture, "Falcon") && !strings.Contains(shape.Architecture, "Mamba") &&
			!strings.Contains(shape.Architecture, "H1") || strings.HasPrefix(shape.Architecture, "RWForCausalLM"),
	}
	for i := range shape.Blocks {
		p.experts = max(p.experts, shape.Blocks[i].MLP.Experts)
	}
	p.ratio, p.big = headRatio(shape), seventy(shape)
	p.imatrix = p.is("IQ1_S", "IQ1_M", "IQ2_XXS", "IQ2_XS", "IQ2_S", "IQ2_M", "IQ3_XXS", "IQ3_XS", "Q2_K_S")
	for m := range modules(shape) {
		if r := roleOf(m); r == attnV || r == attnQKV {
			p.values++
		}
	}
	return p
}

// imatrixNote says what was assumed of the importance matrix.
func (p *mixer) imatrixNote() string {
	if p.imatrix {
		return ", with an importance matrix, which this mix needs"
	}
	return ", without an importance matrix, which changes few tensors"
}

// headRatio is n_gqa of the first layer with attention; compressed attention has one key-value head.
func headRatio(shape *arch.Shape) int64 {
	for i := range shape.Blocks {
		switch m := shape.Blocks[i].Mixer; {
		case m.Kind == arch.State || m.Kind == arch.NoMixer:
			if i == 0 && !strings.HasPrefix(shape.Architecture, "Qwen3") {
				return 0 // hybrids write a list whose first entry is 0
			}
		case m.Latent > 0:
			return m.Heads
		case m.KVHeads > 0:
			return m.Heads / m.KVHeads
		}
	}
	return 1
}

// seventy reports whether llama.cpp gives the model its type 70B, by class and layers.
func seventy(shape *arch.Shape) bool {
	if len(shape.Blocks) != 80 || hasExperts(shape) {
		return false
	}
	m := shape.Blocks[0].Mixer
	switch shape.Architecture {
	case "LlamaForCausalLM", "MistralForCausalLM":
		return m.Heads != m.KVHeads
	case "Qwen2ForCausalLM", "DeciLMForCausalLM", "OlmoForCausalLM", "ApertusForCausalLM":
		return true
	}
	return false
}

// pick is the format of a tensor in the file.
func (p *mixer) pick(m *module) *Format {
	r := roleOf(m)
	switch {
	case m.area == tower:
		return p.tower(m)
	case r == fixed || m.t.Cols.N == 1:
		return p.format(gguf.F32)
	case m.expert() && p.native():
		return p.format(gguf.MXFP4)
	case p.base == gguf.F32 || p.base == gguf.F16 || p.base == gguf.BF16:
		return p.format(p.base)
	case r == attnKVB:
		return p.kvB(m)
	}
	return p.format(fallback(p.raise(r, m), m.t.Cols.N))
}

// native reports whether the experts were trained in MXFP4, which converters keep whatever the file is called: all
// published GGUF files of gpt-oss do.
func (p *mixer) native() bool { return p.shape.Architecture == "GptOssForCausalLM" }

func (p *mixer) tower(m *module) *Format {
	if m.t.Cols.N == 1 {
		return p.format(gguf.F32)
	}
	return p.format(gguf.F16)
}

// format is the format of a type; each is made once.
func (p *mixer) format(t gguf.Type) *Format {
	f, ok := p.formats[t]
	if !ok {
		f = typeFormat(t)
		p.formats[t] = f
	}
	return f
}

// typeFormat is the format of a type of ggml; its bits include the scales, which lie inside of the blocks. Rows that are
// no whole blocks, as the shards of a rank can be, count as whole ones.
func typeFormat(t gguf.Type) *Format {
	elements, size := t.Block()
	block, bytes := max(1, int64(elements)), int64(size)
	return &Format{t.String(), float64(8*bytes) / float64(block), func(rows, cols int64) int64 {
		if n := rows * cols; n%block == 0 {
			return n / block * bytes
		}
		return rows * ceil(cols, block) * bytes
	}}
}

// more reports whether use_more_bits holds for a layer.
func more(i, n int) bool { return i < n/8 || i >= 7*n/8 || (i-n/8)%3 == 2 }

// is reports whether the mix is one of those.
func (p *mixer) is(names ...string) bool { return slices.Contains(names, p.name) }

// lowest are the mixes of one and two bits that have rules of their own.
func (p *mixer) lowest() bool {
	return p.is("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ2_S", "IQ2_M", "IQ1_M")
}

// raise is the type before the width of the rows is looked at.
func (p *mixer) raise(r role, m *module) gguf.Type {
	switch {
	case r == head || r == embed && p.tied:
		return p.output(m)
	case p.name == "MXFP4_MOE":
		if m.expert() {
			return gguf.MXFP4
		}
		return gguf.Q8_0
	case r == embed:
		return p.embedding()
	case p.lowest():
		return p.low(r)
	}
	switch r {
	case attnV, attnQKV:
		defer func() { p.value++ }()
		return p.attention()
	case attnK:
		return p.key()
	case attnQ:
		return p.query()
	case attnOut:
		return p.attentionOutput()
	case ffnDown:
		i := p.layer(m, p.down)
		p.down++
		return p.downProjection(i)
	case ffnGate, ffnUp:
		if p.name == "IQ3_XS" {
			if i := p.depth(m); i >= p.layers/8 && i < 7*p.layers/8 {
				return gguf.IQ3_XXS
			}
		}
	}
	return p.base
}

// layer is the number of the block where there are experts, else how many such tensors came before.
func (p *mixer) layer(m *module, seen int) int {
	if p.experts > 1 {
		return p.depth(m)
	}
	return seen
}

// depth is the number of the block in the file.
func (p *mixer) depth(m *module) int {
	if m.area == mtp {
		return len(p.shape.Blocks) + m.layer
	}
	return m.layer
}

func (p *mixer) output(m *module) gguf.Type {
	block, _ := p.base.Block()
	switch {
	case p.name == "MXFP4_MOE" || p.falcon || m.t.Cols.N%int64(max(1, block)) != 0:
		return gguf.Q8_0
	case p.is("IQ2_XXS", "IQ2_XS", "IQ3_XXS", "IQ1_S", "IQ2_S", "IQ2_M", "IQ1_M"):
		return gguf.Q5_K
	case p.base != gguf.Q8_0:
		return gguf.Q6_K
	}
	return p.base
}

func (p *mixer) embedding() gguf.Type {
	switch {
	case p.is("IQ2_XXS", "IQ2_XS", "IQ1_S", "IQ1_M"):
		return gguf.Q2_K
	case p.is("IQ2_S", "IQ2_M", "IQ3_XXS"):
		return gguf.IQ3_S
	case p.is("TQ1_0", "TQ2_0"):
		return gguf.Q4_K
	}
	return p.base
}

// low are the rules of the mixes of one and two bits.
func (p *mixer) low(r role) gguf.Type {
	second := p.is("IQ2_S", "IQ2_M")
	raised := gguf.Q2_K
	if second {
		raised = gguf.IQ3_S
	}
	switch {
	case r == attnV || r == attnQKV:
		p.value++
		if p.ratio >= 4 || p.experts >= 4 {
			return gguf.Q4_K
		}
		return raised
	case p.experts == 8 && r == attnK:
		return gguf.Q4_K
	case r == ffnDown:
		p.down++
		if p.down-1 < p.layers/8 {
			return raised
		}
	case r == attnOut && p.experts == 8:
		return gguf.Q5_K
	case r == attnOut && p.is("IQ1_S", "IQ1_M"):
		return gguf.IQ2_XXS
	case r == attnOut && second:
		return gguf.IQ3_S
	}
	return p.base
}

// attention is for the values, which suffer most, alone or fused with queries and keys.
func (p *mixer) attention() gguf.Type {
	t := p.values4()
	if p.big && (t == gguf.Q3_K || t == gguf.Q4_K) {
		t = gguf.Q5_K
	}
	if p.experts == 8 {
		t = gguf.Q8_0
	}
	return t
}

func (p *mixer) values4() gguf.Type {
	switch grouped := p.ratio >= 4; {
	case p.name == "Q2_K" && !grouped:
		return gguf.Q3_K
	case p.is("Q2_K", "Q2_K_S", "IQ3_XXS", "IQ3_XS", "IQ3_S") && grouped, p.name == "IQ3_M":
		return gguf.Q4_K
	case p.name == "Q3_K_M" && p.value < 2:
		return gguf.Q5_K
	case p.name == "Q3_K_M":
		return gguf.Q4_K
	case p.name == "Q3_K_L", p.is("IQ4_NL", "IQ4_XS") && grouped:
		return gguf.Q5_K
	case p.is("Q4_K_M", "Q5_K_M") && more(p.value, p.values):
		return gguf.Q6_K
	case p.name == "Q4_K_S" && p.value < 4:
		return gguf.Q5_K
	}
	return p.base
}

func (p *mixer) key() gguf.Type {
	if p.experts == 8 {
		return gguf.Q8_0
	}
	return p.query()
}

func (p *mixer) query() gguf.Type {
	switch p.name {
	case "IQ3_XS":
		return gguf.IQ3_XXS
	case "IQ3_XXS":
		return gguf.IQ2_S
	}
	return p.base
}

func (p *mixer) attentionOutput() gguf.Type {
	switch {
	case p.falcon && p.name == "Q3_K_L":
		return gguf.Q4_K
	case p.falcon:
		return p.base
	case p.experts == 8:
		if p.is("Q2_K", "IQ3_XS", "IQ3_XXS", "Q3_K_S", "Q3_K_M", "IQ4_NL", "Q4_K_S", "Q4_K_M", "IQ3_S", "IQ3_M", "IQ4_XS") {
			return gguf.Q5_K
		}
		return p.base
	}
	switch p.name {
	case "Q2_K":
		return gguf.Q3_K
	case "IQ3_XXS":
		return gguf.IQ3_S
	case "Q3_K_M", "IQ3_M":
		return gguf.Q4_K
	case "Q3_K_L":
		return gguf.Q5_K
	}
	return p.base
}

func (p *mixer) downProjection(i int) gguf.Type {
	n := p.layers
	first := i < n/8
	switch p.name {
	case "Q2_K":
		return gguf.Q3_K
	case "Q2_K_S":
		return either(first, gguf.Q4_K, p.base)
	case "Q3_K_M":
		if i < n/16 {
			return gguf.Q5_K
		}
		return either(!p.falcon || more(i, n), gguf.Q4_K, gguf.Q3_K)
	case "IQ3_M":
		return either(first || p.experts == 8 && more(i, n), gguf.Q4_K, p.base)
	case "Q3_K_L":
		return either(p.falcon, gguf.Q4_K, gguf.Q5_K)
	case "Q4_K_M":
		return p.down4(i, n)
	case "IQ4_NL", "IQ4_XS":
		return either(first, gguf.Q5_K, p.base)
	case "Q5_K_M":
		return either(more(i, n), gguf.Q6_K, p.base)
	case "Q4_K_S":
		return either(first && !p.falcon, gguf.Q5_K, p.base)
	}
	return p.base
}

func (p *mixer) down4(i, n int) gguf.Type {
	switch {
	case !p.falcon:
		return either(more(i, n), gguf.Q6_K, p.base)
	case i < n/16:
		return gguf.Q6_K
	}
	return either(more(i, n), gguf.Q5_K, p.base)
}

func either[T any](is bool, yes, no T) T {
	if is {
		return yes
	}
	return no
}

// kvB is the projection of compressed keys and values, which a GGUF file holds in two: that of the keys is turned, so
// that its rows are as wide as the part of a head without position, and may need another type.
func (p *mixer) kvB(m *module) *Format {
	mixer := p.blockOf(m).Mixer
	keys, values := mixer.KeyWidth-mixer.Rope, mixer.ValueWidth
	base := p.base
	if p.name == "MXFP4_MOE" {
		base = gguf.MXFP4 // they are stacked by head, and the rule looks at that only
	}
	k, v := p.format(fallback(base, keys)), p.format(fallback(base, m.t.Cols.N))
	if keys <= 0 || values <= 0 {
		return v
	}
	key := k.Name + v.Name
	if f, ok := p.splitKVB[key]; ok {
		return f
	}
	bits := (k.Bits*float64(keys) + v.Bits*float64(values)) / float64(keys+values)
	f := &Format{k.Name + "+" + v.Name, bits, func(rows, cols int64) int64 {
		part := rows * keys / (keys + values)
		return k.Bytes(part*cols/keys, keys) + v.Bytes(rows-part, cols)
	}}
	if p.splitKVB == nil {
		p.splitKVB = map[string]*Format{}
	}
	p.splitKVB[key] = f
	return f
}

func (p *mixer) blockOf(m *module) *arch.Block {
	switch {
	case m.area == mtp && m.layer < len(p.shape.MTP):
		return &p.shape.MTP[m.layer]
	case m.area == decoder:
		return &p.shape.Blocks[m.layer]
	}
	return &arch.Block{}
}

// fallback is the type for rows that are no whole blocks.
func fallback(t gguf.Type, cols int64) gguf.Type {
	if whole(t, cols) {
		return t
	}
	switch t {
	case gguf.IQ1_S, gguf.IQ1_M, gguf.IQ2_XXS, gguf.IQ2_XS, gguf.IQ2_S, gguf.IQ3_XXS, gguf.IQ3_S, gguf.IQ4_XS:
		t = gguf.IQ4_NL
	case gguf.Q2_K, gguf.Q3_K, gguf.TQ1_0, gguf.TQ2_0:
		t = gguf.Q4_0
	case gguf.Q4_K:
		t = gguf.Q5_0
	case gguf.Q5_K:
		t = gguf.Q5_1
	case gguf.Q6_K:
		t = gguf.Q8_0
	}
	if !whole(t, cols) {
		return gguf.F16
	}
	return t
}

func whole(t gguf.Type, cols int64) bool {
	block, _ := t.Block()
	return block > 0 && cols%int64(block) == 0
}
