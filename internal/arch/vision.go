package arch

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// towers are the encoders of pictures and sound and their projectors, as the configuration around the language model
// describes them: nil where there is none, and a gap where their formula is not known. The layers of a tower are
// copies of one tensor, since nothing is asked of them one by one. They count as whole on every rank: engines differ in
// whether they divide them, and this is the cautious side.
func (c *config) towers() []Tensor {
	var all []Tensor
	around := c.outer()
	kind := around.wordOr("", "model_type")
	for _, t := range []struct{ key, what, around string }{
		{"vision_config", "vision tower", kind}, {"audio_config", "audio tower", ""}, // a model is known by what it sees
	} {
		part, ok := c.above(t.key)
		if !ok {
			continue
		}
		part.text, part.around = c.hidden(), around
		build := towerRule(part.wordOr("", "model_type"), t.around, part)
		if build == nil {
			part.gaps = append(part.gaps, Gap{What: t.what, Why: "no formula is known for the " + t.key +
				" of this model, so its weights are missing from the count"})
		} else {
			b := tower{stack: new(stack), copies: one}
			build(part, &b)
			all = append(all, b.tensors...)
		}
		c.absorb(t.key, part)
	}
	c.fail(around.err)
	c.symbols, c.assumed = append(c.symbols, around.symbols...), append(c.assumed, around.assumed...)
	return all
}

// hidden is the width of the language model: as its rule has read it, which knows the defaults of its class, or else
// as the file says; 0 if it does not.
func (c *config) hidden() Dim {
	for _, s := range c.symbols {
		if s.Text == "d" {
			return Dim{s.Value, "d"}
		}
	}
	text := c.outer()
	text.enterText()
	if n, _, ok := text.lookup([]string{"hidden_size"}); ok && n > 0 && n <= maxDim {
		return Dim{n, "d"}
	}
	return Dim{}
}

// outer reads the keys of the whole file. For towers it is one reader, which keeps what it finds.
func (c *config) outer() *config {
	if c.around != nil {
		return c.around
	}
	return &config{values: c.top, top: c.top}
}

// above is the configuration under a key of the whole file.
func (c *config) above(key string) (*config, bool) {
	outer := c.outer()
	part, ok := outer.part(key)
	c.fail(outer.err)
	return part, ok
}

// absorb takes over what reading a nested configuration brought to light.
func (c *config) absorb(key string, part *config) {
	if part.err != nil {
		c.fail(fmt.Errorf("%s: %w", key, part.err))
	}
	for _, a := range part.assumed {
		a.Key = key + "." + a.Key
		c.assumed = append(c.assumed, a)
	}
	for _, s := range part.symbols {
		s.Key = key + "." + s.Key
		c.symbols = append(c.symbols, s)
	}
	c.gaps = append(c.gaps, part.gaps...)
}

// towerRule picks the tower by the model_type of its own configuration, or where that has none by that of the model
// around it.
func towerRule(own, around string, part *config) func(*config, *tower) {
	switch {
	case strings.HasPrefix(around, "minimax_m3"): // which says that it is CLIP, and is not
		return minimaxTower
	case part.has("vt_hidden_size"):
		return moonTower
	}
	return towerByType(cmp.Or(own, around))
}

func towerByType(kind string) func(*config, *tower) {
	for _, t := range []struct {
		kind  string // what model_type begins with
		build func(*config, *tower)
	}{
		{"siglip_vision", siglipTower},
		{"clip_vision", clipTower},
		{"pixtral", pixtralTower},
		{"llama4_vision", llama4Tower},
		{"mllama_vision", mllamaTower},
		{"gemma4_vision", gemma4Tower},
		{"gemma4_audio", gemma4Audio},
		{"moonvit", moonTower},
		{"idefics3", ideficsTower},
		{"smolvlm", ideficsTower},
		{"intern_vit", internTower},
		{"internvl_chat", internTower},
		{"glm4v", glm4Tower},
		{"qwen2_vl", qwen2Tower},
		{"qwen2_5_vl", qwen25Tower},
		{"qwen3_vl", qwen3Tower},
		{"qwen3_5", qwen3Tower},
	} {
		if strings.HasPrefix(kind, t.kind) {
			return t.build
		}
	}
	return nil
}

// tower builds the tensors of an encoder.
type tower struct {
	*stack
	prefix string
	copies Dim
}

// at is the same tower for names below a further prefix.
func (t *tower) at(prefix string) *tower { return &tower{t.stack, t.prefix + prefix, one} }

// each is the same tower for a layer that there are n of.
func (t *tower) each(prefix string, n Dim) *tower {
	return &tower{t.stack, t.prefix + prefix + "*.", n}
}

func (t *tower) put(name string, rows, cols Dim, matrix bool) {
	t.add(Tensor{
		Name: t.prefix + name, Component: Tower, Rows: rows, Cols: cols, Copies: t.copies, Visited: Dim{0, "0"}, Matrix: matrix,
	})
}

func (t *tower) table(name string, rows, cols Dim) { t.put(name, rows, cols, false) }

// linear is a layer from cols to rows numbers.
func (t *tower) linear(name string, rows, cols Dim, bias bool) {
	t.put(name+".weight", rows, cols, true)
	if bias {
		t.put(name+".bias", rows, one, false)
	}
}

// patches is the convolution over the pixels of a patch.
func (t *tower) patches(name string, width, pixels Dim, bias bool) {
	t.put(name+".weight", width, pixels, false)
	if bias {
		t.put(name+".bias", width, one, false)
	}
}

func (t *tower) scale(names ...string) func(width Dim) {
	return func(width Dim) {
		for _, name := range names {
			t.put(name+".weight", width, one, false)
		}
	}
}

func (t *tower) layerNorm(names ...string) func(width Dim) {
	return func(width Dim) {
		for _, name := range names {
			t.put(name+".weight", width, one, false)
			t.put(name+".bias", width, one, false)
		}
	}
}

// The sizes that most towers have. Their letters end in t, so that they clash with none of the language model.
func (c *config) towerWidth(otherwise int64) Dim {
	return c.dimOr("d_t", otherwise, classDefault, "hidden_size", "vt_hidden_size")
}

func (c *config) towerFFN(otherwise int64) Dim {
	return c.dimOr("f_t", otherwise, classDefault, "intermediate_size", "vt_intermediate_size")
}

func (c *config) towerDepth(otherwise int64) Dim {
	return c.layersOr("L_t", otherwise, classDefault, "num_hidden_layers", "depth", "vt_num_hidden_layers")
}

// pixels are the numbers of one patch: channels of a square.
func (c *config) pixels(patch int64) Dim {
	p := c.dimOr("p_t", patch, classDefault, "patch_size", "spatial_patch_size")
	channels := c.timesOr(3, "", "num_channels", "in_channels", "in_chans")
	return number(channels).Times(p).Times(p)
}

// grid is how many patches a picture has.
func (c *config) grid(image, patch int64) Dim {
	p := c.dimOr("p_t", patch, "", "patch_size")
	side := c.dimOr("i_t", image, classDefault, "image_size").N / p.N
	if side < 1 || side > maxCount {
		c.fail(fmt.Errorf("image_size over patch_size is %d, want 1 to %d", side, maxCount))
		side = 1
	}
	return Dim{side * side, "(i_t/p_t)^2"}
}

// textWidth is the width of the language model, which projectors lead to.
func (c *config) textWidth() Dim {
	if c.text.N == 0 {
		c.fail(errors.New("hidden_size of the language model is missing, which the projector leads to"))
		return one
	}
	return c.text
}

// merged is the width of a square of patches that stand side by side.
func (c *config) merged(width Dim) Dim {
	n := c.dimOr("s_t", 2, classDefault, "spatial_merge_size")
	return width.Times(n).Times(n)
}

// vitLayer are the tensors of the layer of the first vision transformers: biases everywhere, two LayerNorms.
func vitLayer(l *tower, v, m Dim) {
	for _, name := range []string{"q_proj", "k_proj", "v_proj", "out_proj"} {
		l.linear("self_attn."+name, v, v, true)
	}
	l.linear("mlp.fc1", m, v, true)
	l.linear("mlp.fc2", v, m, true)
	l.layerNorm("layer_norm1", "layer_norm2")(v)
}

// isKind reports whether model_type is that, or a part of that model.
func (c *config) isKind(kind string) bool {
	own := c.wordOr("", "model_type")
	return own == kind || strings.HasPrefix(own, kind+"_")
}

// list is the array under a key; ok is false where it is absent or no array.
func (c *config) list(key string) ([]strictjson.Value, bool) {
	v, ok := c.values.Get(key)
	if !ok || v.Kind() != strictjson.Array {
		return nil, false
	}
	list, _, err := c.values.Array(key)
	c.fail(err)
	return list, err == nil
}
