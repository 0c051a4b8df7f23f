package quant

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// recipeOf finds the recipe of a name in lower case: one of those listed, one of its other spellings, or one whose name
// says its numbers, as gptq-4bit-g128, exl2-4.0bpw, int4-g32 and q4f16_1 do.
func recipeOf(name string) (recipe, bool) {
	list := recipes()
	for _, spelled := range []string{name, synonym(hyphened(name))} {
		if i := slices.IndexFunc(list, func(r recipe) bool { return slices.Contains(r.names, spelled) }); i >= 0 {
			return list[i], true
		}
	}
	if r, ok := compiled(name); ok {
		return r, true
	}
	return numbered(hyphened(name))
}

// hyphened parts the words of a name by hyphens. A point between digits stays.
func hyphened(name string) string {
	b := []byte(name[:min(len(name), maxSpelled)])
	isDigit := func(i int) bool { return i >= 0 && i < len(b) && b[i] >= '0' && b[i] <= '9' }
	for i, c := range b {
		if c == '_' || c == ' ' || c == '/' || c == '.' && (!isDigit(i-1) || !isDigit(i+1)) {
			b[i] = '-'
		}
	}
	return strings.Trim(string(b), "-")
}

// maxSpelled bounds a name; the longest that is in use has half as many bytes.
const maxSpelled = 60

// synonym is the listed name for a spelling that says the same; any other name as it is.
func synonym(name string) string {
	switch name {
	case "16bit", "16-bit", "unquantized":
		return "bf16"
	case "float8", "e4m3", "e5m2", "fp8-e4m3", "fp8-e5m2", "fp8-w8a8", "fp8-w8a16", "w8a16-fp8", "fp8-rowwise", "fp8-per-channel", "fp8-weight-only",
		"float8dq", "float8wo", "8bit-fp8", "fp8-hybrid", "ptpc-fp8":
		return "fp8"
	case "fp8-blockwise", "fp8-block-scaling", "block-fp8", "fp8-128x128":
		return "fp8-block"
	case "8bit", "8-bit", "sq", "smoothquant", "int8-sq", "int8-dynamic", "int8dq", "int8-per-channel", "8da8w":
		return "int8"
	case "int8-weight-only", "int8wo", "int8-wo", "quantize-int8", "int8-packed":
		return "w8a16"
	case "4bit", "4-bit", "int4-weight-only", "int4wo", "int4-wo", "w4a8", "w4afp8", "w4a8-fp8", "int4-fp8", "int4-packed", "qoq", "w4a8kv4", "marlin", "u4":
		return "int4"
	case "nvfp4-w4a4", "w4a4-nvfp4", "nvfp4a16", "nvfp4-awq", "w4a4", "fp4-e2m1", "nvfp4-w4a16", "w4a16-nvfp4", "modelopt-fp4":
		return "nvfp4"
	case "mxfp4-w4a16", "w4a16-mxfp4", "w4a8-mxfp4-mxfp8", "w4a8-mxfp4-fp8", "w4a16-mxfp4-moe":
		return "mxfp4"
	case "bitsandbytes-4bit", "bitsandbytes-nf4", "4bit-bnb", "int4-bnb", "bnb-int4", "bnb-fp4", "4bit-nf4":
		return "nf4"
	case "nf4-dq", "bnb-nf4-dq", "bnb-fp4-dq", "nf4-double-quant":
		return "nf4-double"
	case "bitsandbytes-8bit", "8bit-bnb", "int8-bnb", "llm.int8", "llm-int8()":
		return "bnb-8bit"
	}
	return name
}

// numbers are those that a name says.
type numbers struct {
	method     string
	bits, bpw  float64
	group      int64
	activation bool // a number of bits of activations: w4a16
}

var (
	bitsWord  = regexp.MustCompile(`^(?:int|uint|i|u)?([2-8])(?:-?bits?)?$`)
	groupWord = regexp.MustCompile(`^(?:g|gs|group)([0-9]{1,4})$`)
	meanWord  = regexp.MustCompile(`^([0-9]{1,2}(?:\.[0-9]{1,3})?)(?:bpw)?$`)
	wordsWord = regexp.MustCompile(`^w([2-8])a(8|16)$`)
	mlcWord   = regexp.MustCompile(`^q([03458])(?:f16|f32|bf16)(?:_([0-2]|ft))?$`)
)

// numbered is the recipe of a name that is made of a method and numbers, in any order.
func numbered(name string) (recipe, bool) {
	n := numbers{}
	for word := range strings.SplitSeq(name, "-") {
		if !n.read(word) {
			return recipe{}, false
		}
	}
	if n.group != 0 && (n.group < 8 || n.group > 1024) {
		return recipe{}, false
	}
	return n.recipe(name)
}

// read takes one word, and refuses one that says nothing or says something twice.
func (n *numbers) read(word string) bool {
	switch word {
	case "gptq", "awq", "exl2", "exl3", "mlx", "hqq", "autoround":
		ok := n.method == ""
		n.method = word
		return ok
	}
	if m := groupWord.FindStringSubmatch(word); m != nil {
		ok := n.group == 0
		n.group, _ = strconv.ParseInt(m[1], 10, 64)
		return ok
	}
	if n.bits > 0 || n.bpw > 0 {
		return false
	}
	if m := wordsWord.FindStringSubmatch(word); m != nil {
		n.bits, _ = strconv.ParseFloat(m[1], 64)
		n.activation = true
		return true
	}
	if m := bitsWord.FindStringSubmatch(word); m != nil {
		n.bits, _ = strconv.ParseFloat(m[1], 64)
		return true
	}
	if m := meanWord.FindStringSubmatch(word); m != nil {
		n.bpw, _ = strconv.ParseFloat(m[1], 64)
		return n.bpw >= 1 && n.bpw <= maxBits
	}
	return false
}

func (n *numbers) recipe(name string) (recipe, bool) {
	r := recipe{names: []string{name}, takes: four}
	bits, group := int64(n.bits), n.group
	if n.method == "exl2" || n.method == "exl3" {
		return n.trellis(r)
	}
	if n.bpw > 0 {
		return r, false
	}
	if bits == 0 {
		bits = 4
	}
	if group == 0 {
		group = 128
	}
	switch n.method {
	case "gptq":
		r.f, r.note = gptq(gptqSpec{bits: bits, group: group, order: true}), "as GPTQModel does: groups of "+strconv.FormatInt(group, 10)+" with their index"
	case "awq":
		r.f, r.note = awq(bits, group), "as AutoAWQ does: groups of "+strconv.FormatInt(group, 10)+" with zero points"
	case "autoround":
		r.f, r.takes = gptq(gptqSpec{bits: bits, group: group}), rounded
		r.note = "as AutoRound does: every linear layer of the blocks, packed as GPTQ without index"
	case "hqq":
		r.f, r.note = grouped("hqq-"+strconv.FormatInt(bits, 10), bits, group, 4, 0), "as HQQ does: a scale and a zero point for each group"
	case "mlx":
		if n.group == 0 {
			group = 64
		}
		r.f, r.takes, r.drops = affine(bits, group), mlxTakes, true
		r.note = "as mlx-lm does: embedding and head included; MTP blocks are left out"
	default:
		return n.bare(r, bits, group)
	}
	return r, true
}

// trellis are the formats of ExLlama, which reach so many bits in the mean. The head has six at least.
func (n *numbers) trellis(r recipe) (recipe, bool) {
	mean := max(n.bpw, n.bits)
	if mean == 0 {
		mean = 4
	}
	if mean > 8 || n.group > 0 || n.activation {
		return r, false
	}
	r.f, r.head = average(n.method, mean), average(n.method+"-head", max(6, mean))
	r.note = "as the converter of " + n.method + " does: so many bits in the mean over the blocks, at least 6 in the head, the embedding in 16"
	return r, true
}

// bare are names without a method: int4-g32, w4a16-g64, int8-g128.
func (n *numbers) bare(r recipe, bits, group int64) (recipe, bool) {
	switch {
	case n.bits == 0:
		return r, false
	case n.activation:
		r.f, r.note = packed(packSpec{bits: bits, group: group, scale: 2, symmetric: true}), "as llm-compressor does: symmetric groups"
	case n.group == 0 && bits != 3:
		return r, false
	default:
		f := grouped("int"+strconv.FormatInt(bits, 10)+"-packed", bits, group, 4, 0)
		r.f, r.head, r.note = f, f, "as torchao does: a scale and a zero point in 16 bits for each group; the head included"
	}
	return r, true
}

// compiled are the formats of MLC: q4f16_1 is 4 bits in groups of 32 with a scale in 16 bits, embedding and head
// included; the others differ in the layout, and _2 leaves those two alone.
func compiled(name string) (recipe, bool) {
	m := mlcWord.FindStringSubmatch(name)
	if m == nil {
		return recipe{}, false
	}
	if m[1] == "0" {
		base := plain("fp16", 2)
		if strings.HasSuffix(name, "f32") {
			base = plain("fp32", 4)
		}
		return recipe{names: []string{name}, base: base}, m[2] == ""
	}
	bits, _ := strconv.ParseInt(m[1], 10, 64)
	group := int64(32)
	if bits == 3 {
		group = 40
	}
	r := recipe{
		names: []string{name}, f: grouped("mlc-"+m[1], bits, group, 2, 0), takes: mlxTakes, base: plain("fp16", 2),
		note: "as mlc-llm does: groups with a scale in 16 bits, embedding and head included",
	}
	if m[2] == "2" || m[2] == "ft" {
		r.takes, r.note = four, "as mlc-llm does: groups with a scale in 16 bits in the blocks"
	}
	return r, true
}

// mixOf finds a file type of llama.cpp, with its words parted by anything.
func mixOf(name string) (mix, bool) {
	if m, ok := findMix(name); ok {
		return m, true
	}
	switch spelled := strings.ReplaceAll(strings.TrimPrefix(hyphened(name), "gguf-"), "-", "_"); spelled {
	case "q8":
		return findMix("q8_0")
	case "q6":
		return findMix("q6_k")
	default:
		return findMix(spelled)
	}
}

// isHead tells the matrix of the logits from all others.
func isHead(m *module) bool { return m.t.Component == arch.Head && m.linear() }
