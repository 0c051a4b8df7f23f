package arch

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// FromGGUF turns the header of a GGUF file into the configuration of the class that its model had before it was
// converted, so that one set of rules reads both. What the format does not keep (biases, norms of heads, a tied head) is
// read from the list of tensors. An architecture that we cannot turn back is an error that wraps ErrUnknown; a header
// whose keys and tensors contradict each other is an error that names both.
func FromGGUF(h *gguf.Header) (strictjson.Value, error) {
	g := newHeaderReader(h)
	if g.err != nil {
		return strictjson.Value{}, g.err
	}
	i := slices.IndexFunc(ggufClasses(), func(c ggufClass) bool { return slices.Contains(c.names, g.arch) })
	if i < 0 {
		return strictjson.Value{}, fmt.Errorf("general.architecture %q: %w", printable.Short(g.arch), ErrUnknown)
	}
	class := ggufClasses()[i]
	g.words("architectures", []string{class.class})
	g.common()
	if class.read != nil {
		class.read(g)
	}
	g.agree()
	if g.err != nil {
		return strictjson.Value{}, fmt.Errorf("GGUF header of architecture %s: %w", printable.Short(g.arch), g.err)
	}
	return strictjson.Parse(strings.NewReader(g.text()), 0)
}

// headerReader collects the keys of a configuration.
type headerReader struct {
	h        *gguf.Header
	arch     string
	layers   int64           // without those that predict further tokens
	further  int64           // those
	suffixes map[string]bool // of the tensors of blocks: "attn_q.bias"
	outer    map[string]*gguf.Tensor
	blocks   int64 // highest number of a block among the tensors, and one
	whole    bool  // the list of tensors is that of the whole model

	keys []headerKey
	err  error
}

type headerKey struct{ name, json string }

func newHeaderReader(h *gguf.Header) *headerReader {
	g := &headerReader{h: h, suffixes: map[string]bool{}, outer: map[string]*gguf.Tensor{}}
	name, ok, err := h.String("general.architecture")
	if err == nil && (!ok || name == "") {
		err = errors.New("general.architecture is missing, so nothing says what the keys of the GGUF header mean")
	}
	g.arch, g.err = name, err
	for i := range h.Tensors {
		g.note(&h.Tensors[i])
	}
	parts, ok, err := h.Uint("split.count")
	g.fail(err)
	all, known, err := h.Uint("split.tensors.count")
	g.fail(err)
	g.whole = len(h.Tensors) > 0 && (!ok || parts <= 1 || known && all == uint64(len(h.Tensors)))
	return g
}

func (g *headerReader) note(t *gguf.Tensor) {
	rest, ok := strings.CutPrefix(t.Name, "blk.")
	if !ok {
		g.outer[t.Name] = t
		return
	}
	no, suffix, ok := strings.Cut(rest, ".")
	n, err := strconv.ParseUint(no, 10, 31)
	if !ok || err != nil {
		return
	}
	g.suffixes[suffix] = true
	g.blocks = max(g.blocks, int64(n)+1)
}

func (g *headerReader) fail(err error) {
	if g.err == nil && err != nil {
		g.err = err
	}
}

// has reports whether any block has a tensor of that name.
func (g *headerReader) has(suffix string) bool { return g.suffixes[suffix] }

// get is the integer under a key of the architecture.
func (g *headerReader) get(key string) (int64, bool) {
	n, ok, err := g.h.Int(g.h.Arch(key))
	g.fail(err)
	return n, ok && err == nil
}

// list is the integers under a key that is written for all layers at once or for each.
func (g *headerReader) list(key string) ([]uint64, bool) {
	list, ok, err := g.h.Uints(g.h.Arch(key))
	g.fail(err)
	if !ok || err != nil {
		return nil, false
	}
	blocks, known, err := g.h.Int(g.h.Arch("block_count"))
	switch {
	case len(list) == 0:
		g.fail(fmt.Errorf("%s is an empty list, want a number or one for each block", g.h.Arch(key)))
	case len(list) > 1 && known && err == nil && int64(len(list)) != blocks:
		g.fail(fmt.Errorf("%s has %d numbers for %d blocks", g.h.Arch(key), len(list), blocks))
	}
	return list, len(list) > 0
}

// same is the one number under a key that may be a list: what all layers agree on that have it. Zero means that a
// layer has none.
func (g *headerReader) same(key string) (int64, bool) {
	list, ok := g.list(key)
	if !ok {
		return 0, false
	}
	n := uint64(0)
	for _, x := range list {
		switch {
		case x == 0 || x == n:
		case n == 0:
			n = x
		default:
			g.fail(fmt.Errorf("%s differs from layer to layer (%d and %d), which we can read for few architectures only", g.h.Arch(key), n, x))
			return 0, false
		}
	}
	if n > 1<<62 {
		g.fail(fmt.Errorf("%s is %d, which no model has", g.h.Arch(key), n))
		return 0, false
	}
	return int64(n), true
}

func (g *headerReader) set(name, json string) {
	for i := range g.keys {
		if g.keys[i].name == name {
			g.keys[i].json = json
			return
		}
	}
	g.keys = append(g.keys, headerKey{name, json})
}

func (g *headerReader) drop(name string) {
	g.keys = slices.DeleteFunc(g.keys, func(k headerKey) bool { return k.name == name })
}

func (g *headerReader) number(name string, n int64) { g.set(name, strconv.FormatInt(n, 10)) }
func (g *headerReader) flag(name string, b bool)    { g.set(name, strconv.FormatBool(b)) }
func (g *headerReader) word(name, s string)         { g.set(name, strconv.Quote(s)) }

func (g *headerReader) words(name string, list []string) {
	quoted := make([]string, len(list))
	for i, s := range list {
		quoted[i] = strconv.Quote(s)
	}
	g.set(name, "["+strings.Join(quoted, ",")+"]")
}

func (g *headerReader) numbers(name string, list []uint64) {
	text := make([]string, len(list))
	for i, n := range list {
		text[i] = strconv.FormatUint(n, 10)
	}
	g.set(name, "["+strings.Join(text, ",")+"]")
}

// copy writes the number under a key of the header, if it is there, under the names of the configuration.
func (g *headerReader) copy(key string, names ...string) bool {
	n, ok := g.same(key)
	if ok {
		for _, name := range names {
			g.number(name, n)
		}
	}
	return ok
}

func (g *headerReader) text() string {
	var b strings.Builder
	for i, k := range g.keys {
		b.WriteString([2]string{",", "{"}[toInt(i == 0)])
		b.WriteString(strconv.Quote(k.name) + ":" + k.json)
	}
	b.WriteString("}")
	return b.String()
}

func toInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

// common writes the keys that nearly all families share.
func (g *headerReader) common() {
	g.copy("embedding_length", "hidden_size")
	g.depth()
	g.copy("attention.head_count", "num_attention_heads")
	g.copy("attention.head_count_kv", "num_key_value_heads")
	g.copy("attention.key_length", "head_dim")
	g.copy("feed_forward_length", "intermediate_size")
	g.copy("context_length", "max_position_embeddings")
	g.vocabulary()
	if g.whole {
		g.flag("tie_word_embeddings", g.outer["output.weight"] == nil)
	}
}

func (g *headerReader) depth() {
	blocks, ok := g.get("block_count")
	if !ok {
		return
	}
	g.further, _ = g.get("nextn_predict_layers")
	if g.further < 0 || g.further > blocks {
		g.fail(fmt.Errorf("%s is %d of %d blocks", g.h.Arch("nextn_predict_layers"), g.further, blocks))
		g.further = 0
	}
	g.layers = blocks - g.further
	g.number("num_hidden_layers", g.layers)
	if g.further > 0 {
		g.number("num_nextn_predict_layers", g.further)
	}
}

// vocabulary is the length of the embedding, which converters pad, or else that of the list of tokens.
func (g *headerReader) vocabulary() {
	if t := g.outer["token_embd.weight"]; t != nil && len(t.Dims) == 2 {
		g.number("vocab_size", int64(min(t.Dims[1], 1<<62)))
		return
	}
	if g.copy("vocab_size", "vocab_size") {
		return
	}
	if v, ok := g.h.Get("tokenizer.ggml.tokens"); ok && v.Type == gguf.Array {
		g.number("vocab_size", int64(min(v.Len, 1<<62)))
	}
}

// agree holds the keys against the tensors.
func (g *headerReader) agree() {
	if t := g.outer["token_embd.weight"]; t != nil {
		d, ok := g.get("embedding_length")
		if ok && (len(t.Dims) != 2 || d < 0 || t.Dims[0] != uint64(d)) {
			g.fail(fmt.Errorf("%s is %d, but token_embd.weight has the shape %d; one of them is wrong", g.h.Arch("embedding_length"), d, t.Dims))
		}
	}
	blocks := g.layers + g.further
	switch {
	case g.layers == 0 || g.blocks == 0:
	case g.blocks > blocks:
		g.fail(fmt.Errorf("%s is %d, but there is a tensor of block %d", g.h.Arch("block_count"), blocks, g.blocks-1))
	case g.whole && g.blocks < g.layers:
		g.fail(fmt.Errorf("%s is %d, but the tensors end with block %d; the file may be cut or pruned", g.h.Arch("block_count"), blocks, g.blocks-1))
	}
}

// InHeader names the keys in an error of Of as the header of a GGUF file has them, where the configuration was made from
// that.
func InHeader(err error, h *gguf.Header) error {
	fault, ok := errors.AsType[*keyError](err)
	if !ok {
		return err
	}
	named := *fault
	named.part, named.keys = "", nil
	for _, key := range fault.keys {
		if own := inHeader(key); own != "" {
			key = h.Arch(own)
		}
		if !slices.Contains(named.keys, key) {
			named.keys = append(named.keys, key)
		}
	}
	return &named
}

// inHeader is the key of a header that a key of a configuration is made from, without the architecture; "" for one that
// has no such key.
func inHeader(key string) string {
	switch key {
	case "hidden_size", "n_embd", "d_model", "n_embed":
		return "embedding_length"
	case "num_hidden_layers", "n_layer", "n_layers", "num_layers":
		return "block_count"
	case "num_attention_heads", "n_head", "n_heads":
		return "attention.head_count"
	case "num_key_value_heads":
		return "attention.head_count_kv"
	case "head_dim":
		return "attention.key_length"
	case "intermediate_size", "ffn_dim", "n_inner":
		return "feed_forward_length"
	case "max_position_embeddings", "n_positions":
		return "context_length"
	case "vocab_size":
		return "vocab_size"
	case "num_experts", "num_local_experts", "n_routed_experts":
		return "expert_count"
	case "num_experts_per_tok":
		return "expert_used_count"
	case "moe_intermediate_size":
		return "expert_feed_forward_length"
	case "kv_lora_rank":
		return "attention.kv_lora_rank"
	case "q_lora_rank":
		return "attention.q_lora_rank"
	}
	return ""
}
