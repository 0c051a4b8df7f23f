package arch

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
)

// siglipTower is SigLIP without its pooling head (transformers: modeling_siglip.py), as in Gemma 3 (modeling_gemma3.py)
// and in models of the LLaVA kind.
func siglipTower(c *config, t *tower) {
	v, m, n := c.towerWidth(768), c.towerFFN(3072), c.towerDepth(12)
	b := t.at("vision_tower.vision_model.")
	b.patches("embeddings.patch_embedding", v, c.pixels(16), true)
	b.table("embeddings.position_embedding.weight", c.grid(224, 16), v)
	vitLayer(b.each("encoder.layers.", n), v, m)
	b.layerNorm("post_layernorm")(v)
	if !c.outer().isKind("gemma3") && c.flagOr(true, classDefault, "vision_use_head") {
		siglipHead(b.at("head."), v, m)
	}
	if c.outer().isKind("gemma3") {
		p := t.at("multi_modal_projector.")
		p.table("mm_input_projection_weight", v, c.textWidth())
		p.scale("mm_soft_emb_norm")(v)
		return
	}
	if c.outer().isKind("paligemma") {
		t.at("multi_modal_projector.").linear("linear", c.dimOr("o_t", 2048, classDefault, "projection_dim"), v, true)
		return
	}
	if c.outer().isKind("aya") || c.outer().isKind("cohere2") {
		cohereProjector(c, t, v)
		return
	}
	llavaProjector(c, t, v)
}

// cohereProjector packs neighboring patches and has a gate (modeling_aya_vision.py, modeling_cohere2_vision.py), after a
// norm in the first of the two.
func cohereProjector(c *config, t *tower, v Dim) {
	outer, p := c.outer(), t.at("multi_modal_projector.")
	first := outer.isKind("aya")
	width := int64(36864)
	if first {
		width = c.textWidth().N
	}
	f := outer.dimOr("s_t", 2, classDefault, "downsample_factor")
	a := outer.dimOr("a_t", width, classDefault, "alignment_intermediate_size")
	packed := v.Times(f).Times(f)
	if first {
		p.layerNorm("layernorm")(packed)
	}
	p.linear("linear_1", a, packed, true)
	p.linear("linear_2", c.textWidth(), Dim{max(1, a.N/2), "a_t/2"}, true)
}

// glm4Tower is that of GLM-4.1V (modeling_glm4v.py): its MLPs are as wide as what it leads to, and a convolution packs
// patches before the merger.
func glm4Tower(c *config, t *tower) {
	v, m, n := c.towerWidth(1536), c.towerFFN(13696), c.towerDepth(24)
	out := c.dimOr("o_t", 4096, classDefault, "out_hidden_size")
	b := t.at("model.visual.")
	b.patches("patch_embed.proj", v, c.frames(14), true)
	b.table("embeddings.position_embedding.weight", c.grid(336, 14), v)
	b.scale("post_conv_layernorm", "post_layernorm")(v)
	l, bias := b.each("blocks.", n), c.flagOr(false, "", "attention_bias")
	l.linear("attn.qkv", number(3).Times(v), v, bias)
	l.linear("attn.proj", v, v, false)
	l.linear("mlp.gate_proj", out, v, false)
	l.linear("mlp.up_proj", out, v, false)
	l.linear("mlp.down_proj", v, out, false)
	l.scale("norm1", "norm2")(v)
	b.patches("downsample", out, c.merged(v), true)
	b.linear("merger.proj", out, out, false)
	b.layerNorm("merger.post_projection_norm")(out)
	b.linear("merger.gate_proj", m, out, false)
	b.linear("merger.up_proj", m, out, false)
	b.linear("merger.down_proj", out, m, false)
}

// ideficsTower is the part of SigLIP that Idefics 3 and SmolVLM keep, and their connector (modeling_idefics3.py).
func ideficsTower(c *config, t *tower) {
	v, m, n := c.towerWidth(1152), c.towerFFN(3072), c.towerDepth(12)
	b := t.at("model.vision_model.")
	b.patches("embeddings.patch_embedding", v, c.pixels(32), true)
	b.table("embeddings.position_embedding.weight", c.grid(224, 32), v)
	vitLayer(b.each("encoder.layers.", n), v, m)
	b.layerNorm("post_layernorm")(v)
	outer := c.outer()
	s := outer.dimOr("s_t", 2, classDefault, "scale_factor")
	t.at("model.connector.").linear("modality_projection.proj", c.textWidth(), v.Times(s).Times(s), false)
}

// internTower is InternViT and the projector of InternVL (modeling_intern_vit.py, modeling_internvl_chat.py): a scale for
// each part of a layer, in the large one RMS norms also over queries and keys.
func internTower(c *config, t *tower) {
	v, m, n := c.towerWidth(3200), c.towerFFN(12800), c.towerDepth(48)
	norm := (*tower).layerNorm
	if c.wordOr("rms_norm", "norm_type") == "rms_norm" {
		norm = (*tower).scale
	}
	b := t.at("vision_model.")
	b.table("embeddings.class_embedding", v, one)
	b.patches("embeddings.patch_embedding", v, c.pixels(14), true)
	b.table("embeddings.position_embedding", c.grid(224, 14).Plus(one), v)
	l := b.each("encoder.layers.", n)
	l.linear("attn.qkv", number(3).Times(v), v, c.flagOr(false, classDefault, "qkv_bias"))
	l.linear("attn.proj", v, v, true)
	l.linear("mlp.fc1", m, v, true)
	l.linear("mlp.fc2", v, m, true)
	norm(l, "norm1", "norm2")(v)
	l.table("ls1", v, one)
	l.table("ls2", v, one)
	if c.flagOr(true, classDefault, "qk_normalization") {
		l.scale("attn.q_norm", "attn.k_norm")(v)
	}
	p, w, d := t.at("mlp1."), number(4).Times(v), c.textWidth()
	p.layerNorm("0")(w)
	p.linear("1", d, w, true)
	p.linear("3", d, d, true)
}

// minimaxTower is that of MiniMax M3 (modeling_minimax_m3_vl.py): the layers of CLIP with computed positions and without
// a last norm, a projector, and an MLP that merges patches after it.
func minimaxTower(c *config, t *tower) {
	v, m, n := c.towerWidth(1280), c.towerFFN(5120), c.towerDepth(32)
	frames, side := int64(2), int64(2)
	if merge, ok := c.part("img_token_compression_config"); ok {
		frames, side = merge.timesOr(2, "", "temporal_patch_size"), merge.timesOr(2, "", "spatial_merge_size")
		c.fail(merge.err)
	}
	b := t.at("vision_tower.vision_model.")
	b.patches("embeddings.patch_embedding", v, c.pixels(14).Times(number(frames)), false)
	b.layerNorm("pre_layrnorm")(v)
	vitLayer(b.each("encoder.layers.", n), v, m)
	outer, d := c.outer(), c.textWidth()
	w := Dim{d.N, "d"}
	if outer.has("projector_hidden_size") {
		w = outer.dim("o_t", "projector_hidden_size")
	}
	p, q := t.at("multi_modal_projector."), t.at("patch_merge_mlp.")
	p.linear("linear_1", w, v, true)
	p.linear("linear_2", d, w, true)
	q.linear("linear_1", w, number(side).Times(number(side)).Times(d), true)
	q.linear("linear_2", d, w, true)
}

// siglipHead pools the patches into one vector; language models do not use it, yet their files hold it.
func siglipHead(t *tower, v, m Dim) {
	t.table("probe", one, v)
	t.table("attention.in_proj_weight", number(3).Times(v), v)
	t.table("attention.in_proj_bias", number(3).Times(v), one)
	t.linear("attention.out_proj", v, v, true)
	t.layerNorm("layernorm")(v)
	t.linear("mlp.fc1", m, v, true)
	t.linear("mlp.fc2", v, m, true)
}

// clipTower is CLIP (transformers: modeling_clip.py), with a token of the class before the patches.
func clipTower(c *config, t *tower) {
	v, m, n := c.towerWidth(768), c.towerFFN(3072), c.towerDepth(12)
	b := t.at("vision_tower.vision_model.")
	b.table("embeddings.class_embedding", v, one)
	b.patches("embeddings.patch_embedding", v, c.pixels(32), false)
	b.table("embeddings.position_embedding.weight", c.grid(224, 32).Plus(one), v)
	b.layerNorm("pre_layrnorm", "post_layernorm")(v)
	vitLayer(b.each("encoder.layers.", n), v, m)
	llavaProjector(c, t, v)
}

// llavaProjector is two layers from the features of one or more layers of the tower (modeling_llava.py), and in
// LLaVA-NeXT the vector that ends a row of patches.
func llavaProjector(c *config, t *tower, v Dim) {
	outer, d := c.outer(), c.textWidth()
	if list, ok := outer.list("vision_feature_layer"); ok && len(list) > 1 {
		v = number(int64(len(list))).Times(v)
	}
	bias := outer.flagOr(true, "", "multimodal_projector_bias")
	p := t.at("multi_modal_projector.")
	p.linear("linear_1", d, v, bias)
	p.linear("linear_2", d, d, bias)
	if outer.isKind("llava_next") || outer.isKind("llava_onevision") {
		t.at("").table("image_newline", d, one)
	}
}

// pixtralTower has rotary positions, RMS norms and gated MLPs without biases (modeling_pixtral.py). Mistral 3 merges
// patches before its projector (modeling_mistral3.py).
func pixtralTower(c *config, t *tower) {
	v, m, n := c.towerWidth(1024), c.towerFFN(4096), c.towerDepth(24)
	b := t.at("vision_tower.")
	b.patches("patch_conv", v, c.pixels(16), false)
	b.scale("ln_pre")(v)
	l := b.each("transformer.layers.", n)
	for _, name := range []string{"q_proj", "k_proj", "v_proj", "o_proj"} {
		l.linear("attention."+name, v, v, false)
	}
	l.linear("feed_forward.gate_proj", m, v, false)
	l.linear("feed_forward.up_proj", m, v, false)
	l.linear("feed_forward.down_proj", v, m, false)
	l.scale("attention_norm", "ffn_norm")(v)
	outer := c.outer()
	if !outer.has("spatial_merge_size") && !outer.isKind("mistral3") && !outer.isKind("ministral3") {
		llavaProjector(c, t, v)
		return
	}
	p, d := t.at("multi_modal_projector."), c.textWidth()
	p.scale("norm")(v)
	p.linear("patch_merger.merging_layer", v, outer.merged(v), false)
	bias := outer.flagOr(false, "", "multimodal_projector_bias")
	p.linear("linear_1", d, v, bias)
	p.linear("linear_2", d, d, bias)
}

// qwen2Tower is that of Qwen2-VL (modeling_qwen2_vl.py): hidden_size is the width that it leads to, embed_dim its own.
func qwen2Tower(c *config, t *tower) {
	v, n := c.dimOr("d_t", 1280, classDefault, "embed_dim"), c.towerDepth(32)
	m := number(c.timesOr(4, classDefault, "mlp_ratio")).Times(v)
	b := t.at("visual.")
	b.patches("patch_embed.proj", v, c.frames(14), false)
	l := b.each("blocks.", n)
	l.linear("attn.qkv", number(3).Times(v), v, true)
	l.linear("attn.proj", v, v, true)
	l.linear("mlp.fc1", m, v, true)
	l.linear("mlp.fc2", v, m, true)
	l.layerNorm("norm1", "norm2")(v)
	b.layerNorm("merger.ln_q")(v)
	w := c.merged(v)
	b.linear("merger.mlp.0", w, w, true)
	b.linear("merger.mlp.2", c.dimOr("o_t", 3584, classDefault, "hidden_size"), w, true)
}

// frames are the pixels of a patch over the frames that one token spans.
func (c *config) frames(patch int64) Dim {
	return c.pixels(patch).Times(number(c.timesOr(2, "", "temporal_patch_size")))
}

// qwen25Tower is that of Qwen2.5-VL (modeling_qwen2_5_vl.py): RMS norms, gated MLPs with biases.
func qwen25Tower(c *config, t *tower) {
	v, m, n := c.towerWidth(1280), c.towerFFN(3420), c.towerDepth(32)
	b := t.at("visual.")
	b.patches("patch_embed.proj", v, c.frames(14), false)
	l := b.each("blocks.", n)
	l.linear("attn.qkv", number(3).Times(v), v, true)
	l.linear("attn.proj", v, v, true)
	l.linear("mlp.gate_proj", m, v, true)
	l.linear("mlp.up_proj", m, v, true)
	l.linear("mlp.down_proj", v, m, true)
	l.scale("norm1", "norm2")(v)
	b.scale("merger.ln_q")(v)
	w := c.merged(v)
	b.linear("merger.mlp.0", w, w, true)
	b.linear("merger.mlp.2", c.dimOr("o_t", 3584, classDefault, "out_hidden_size"), w, true)
}

// qwen3Tower is that of Qwen3-VL (modeling_qwen3_vl.py): learned positions, and for each layer whose features enter the
// language model deeper down one more merger. Qwen3.5 has the same tower without those.
func qwen3Tower(c *config, t *tower) {
	v, m, n := c.towerWidth(1152), c.towerFFN(4304), c.towerDepth(27)
	b := t.at("model.visual.")
	b.patches("patch_embed.proj", v, c.frames(16), true)
	b.table("pos_embed.weight", c.dimOr("N_t", 2304, classDefault, "num_position_embeddings"), v)
	l := b.each("blocks.", n)
	l.linear("attn.qkv", number(3).Times(v), v, true)
	l.linear("attn.proj", v, v, true)
	l.linear("mlp.linear_fc1", m, v, true)
	l.linear("mlp.linear_fc2", v, m, true)
	l.layerNorm("norm1", "norm2")(v)
	w, out := c.merged(v), c.dimOr("o_t", 3584, classDefault, "out_hidden_size")
	merger := func(t *tower, norm Dim) {
		t.layerNorm("norm")(norm)
		t.linear("linear_fc1", w, w, true)
		t.linear("linear_fc2", out, w, true)
	}
	merger(b.at("merger."), v)
	if n := c.deepstack(); n > 0 {
		merger(b.each("deepstack_merger_list.", number(n)), w)
	}
}

// deepstack is how many layers of the tower have a merger of their own.
func (c *config) deepstack() int64 {
	list, ok := c.list("deepstack_visual_indexes")
	switch {
	case ok:
		return int64(len(list))
	case strings.HasPrefix(cmp.Or(c.outer().wordOr("", "model_type"), c.wordOr("", "model_type")), "qwen3_5"):
		return 0
	}
	c.assume("deepstack_visual_indexes", "3 layers", classDefault)
	return 3
}

// llama4Tower is that of Llama 4 (modeling_llama4.py), with the adapter after its pixel shuffle.
func llama4Tower(c *config, t *tower) {
	v, m, n := c.towerWidth(768), c.towerFFN(5632), c.towerDepth(34)
	b := t.at("vision_model.")
	b.table("class_embedding", v, one)
	b.table("positional_embedding_vlm", c.grid(448, 14).Plus(one), v)
	b.linear("patch_embedding.linear", v, c.pixels(14), false)
	b.layerNorm("layernorm_pre", "layernorm_post")(v)
	l := b.each("model.layers.", n)
	for _, name := range []string{"q_proj", "k_proj", "v_proj", "o_proj"} {
		l.linear("self_attn."+name, v, v, true)
	}
	l.linear("mlp.fc1", m, v, true)
	l.linear("mlp.fc2", v, m, true)
	l.layerNorm("input_layernorm", "post_attention_layernorm")(v)
	in, out := c.dimOr("a_t", 4096, classDefault, "projector_input_dim"), c.dimOr("o_t", 4096, classDefault, "projector_output_dim")
	b.linear("vision_adapter.mlp.fc1", in, m, false)
	b.linear("vision_adapter.mlp.fc2", out, out, false)
	t.at("multi_modal_projector.").linear("linear_1", c.textWidth(), c.dimOr("w_t", 7680, classDefault, "vision_output_dim"), false)
}

// mllamaTower is that of Llama 3.2 Vision (modeling_mllama.py): tiles with learned positions, then a second stack of
// layers with gates. The features of several layers are joined before the projector.
func mllamaTower(c *config, t *tower) {
	v, m := c.towerWidth(1280), c.towerFFN(5120)
	patches := c.grid(448, 14).Plus(one)
	tiles := c.dimOr("T_t", 4, classDefault, "max_num_tiles")
	ratios := number(c.aspectRatios() + 1)
	b := t.at("vision_model.")
	b.table("class_embedding", v, one)
	b.patches("patch_embedding", v, c.pixels(14), false)
	b.table("gated_positional_embedding.gate", one, one)
	b.table("gated_positional_embedding.embedding", patches, v)
	b.table("gated_positional_embedding.tile_embedding.weight", ratios, tiles.Times(patches).Times(v))
	for _, name := range []string{"pre_tile_positional_embedding", "post_tile_positional_embedding"} {
		b.table(name+".gate", one, one)
		b.table(name+".embedding.weight", ratios, tiles.Times(v))
	}
	b.layerNorm("layernorm_pre", "layernorm_post")(v)
	mllamaLayer(b.each("transformer.layers.", c.towerDepth(32)), v, m)
	global := b.each("global_transformer.layers.", c.layersOr("G_t", 8, classDefault, "num_global_layers"))
	mllamaLayer(global, v, m)
	global.table("gate_attn", one, one)
	global.table("gate_ffn", one, one)
	t.at("multi_modal_projector.").put("weight", c.textWidth(), c.dimOr("o_t", 7680, classDefault, "vision_output_dim"), true)
	t.at("multi_modal_projector.").table("bias", c.textWidth(), one)
}

func mllamaLayer(l *tower, v, m Dim) {
	for _, name := range []string{"q_proj", "k_proj", "v_proj", "o_proj"} {
		l.linear("self_attn."+name, v, v, false)
	}
	l.linear("mlp.fc1", m, v, true)
	l.linear("mlp.fc2", v, m, true)
	l.layerNorm("input_layernorm", "post_attention_layernorm")(v)
}

func (c *config) aspectRatios() int64 {
	if list, ok := c.list("supported_aspect_ratios"); ok {
		return int64(len(list))
	}
	c.assume("supported_aspect_ratios", "8 of them", classDefault)
	return 8
}

// moonTower is MoonViT of Kimi: LayerNorms and biases in K2.5 and Kimi-VL, RMS norms and no bias in K3, where the width
// of the heads is a key of its own. Positions in time are computed, those in the picture are learned.
func moonTower(c *config, t *tower) {
	v, m, n := c.towerWidth(1152), c.towerFFN(4304), c.towerDepth(27)
	norm, bias := (*tower).layerNorm, c.flagOr(true, "", "linear_bias")
	if c.wordOr("layernorm", "norm_type") == "rmsnorm" {
		norm = (*tower).scale
	}
	attnBias, q := c.flagOr(true, "", "attn_bias"), v
	if c.has("qkv_hidden_size") {
		q = c.dim("q_t", "qkv_hidden_size")
	}
	b := t.at("vision_tower.")
	b.patches("patch_embed.proj", v, c.pixels(14), c.flagOr(true, "", "patch_embed_proj_bias"))
	side := func(axis string) Dim { return c.dimOr(axis+"_t", 64, classDefault, "init_pos_emb_"+axis) }
	b.table("patch_embed.pos_emb.weight", side("height").Times(side("width")), v)
	l := b.each("encoder.blocks.", n)
	l.linear("wqkv", number(3).Times(q), v, attnBias)
	l.linear("wo", v, q, attnBias)
	l.linear("mlp.fc0", m, v, bias)
	l.linear("mlp.fc1", v, m, bias)
	norm(l, "norm0", "norm1")(v)
	norm(b, "encoder.final_layernorm")(v)
	moonProjector(c, t, v)
}

func moonProjector(c *config, t *tower, v Dim) {
	merge := int64(4)
	if list, ok := c.list("merge_kernel_size"); ok {
		merge = 1
		for _, side := range list {
			n, err := side.AsInt()
			c.fail(err)
			merge = mul(merge, n)
		}
	}
	if merge < 1 || merge > maxCount {
		c.fail(fmt.Errorf("merge_kernel_size multiplies to %d, want 1 to %d", merge, maxCount))
		return
	}
	w, d := number(merge).Times(v), c.textWidth()
	if c.wordOr("moonvit", "model_type") == "moonvit" && !c.has("mm_projector_type") {
		p := t.at("multi_modal_projector.")
		p.layerNorm("pre_norm")(v)
		p.linear("linear_1", w, w, true)
		p.linear("linear_2", d, w, true)
		return
	}
	p, second := t.at("mm_projector."), c.wordOr("patchmerger", "mm_projector_type") == "patchmergerv2"
	if !second {
		p.layerNorm("pre_norm")(v)
	}
	p.linear("proj.0", w, w, !second)
	p.linear("proj.2", d, w, !second)
	if second {
		p.scale("post_norm")(d)
	}
}

// gemma4Tower is that of Gemma 4 (modeling_gemma4.py): factored positions, norms of heads, four norms a layer.
func gemma4Tower(c *config, t *tower) {
	v, m, n := c.towerWidth(768), c.towerFFN(3072), c.towerDepth(16)
	h := c.dimOr("h_t", 12, classDefault, "num_attention_heads")
	k := c.dimOr("k_t", 12, classDefault, "num_key_value_heads")
	e := c.dimOr("e_t", 64, classDefault, "head_dim")
	b := t.at("model.vision_tower.")
	b.linear("patch_embedder.input_proj", v, c.pixels(16), false)
	positions := c.dimOr("N_t", 10240, classDefault, "position_embedding_size")
	b.table("patch_embedder.position_embedding_table", number(2).Times(positions), v)
	l := b.each("encoder.layers.", n)
	clip := c.flagOr(false, "", "use_clipped_linears")
	l.clipped("self_attn.q_proj", h.Times(e), v, clip)
	l.clipped("self_attn.k_proj", k.Times(e), v, clip)
	l.clipped("self_attn.v_proj", k.Times(e), v, clip)
	l.clipped("self_attn.o_proj", v, h.Times(e), clip)
	l.scale("self_attn.q_norm", "self_attn.k_norm")(e)
	l.clipped("mlp.gate_proj", m, v, clip)
	l.clipped("mlp.up_proj", m, v, clip)
	l.clipped("mlp.down_proj", v, m, clip)
	l.scale("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")(v)
	if c.flagOr(false, "", "standardize") {
		b.table("std_bias", v, one)
		b.table("std_scale", v, one)
	}
	t.at("model.embed_vision.").linear("embedding_projection", c.textWidth(), v, false)
}

// clipped is a linear layer whose inputs and outputs are clamped to stored bounds.
func (t *tower) clipped(name string, rows, cols Dim, bounds bool) {
	t.linear(name+".linear", rows, cols, false)
	if bounds {
		for _, b := range []string{"input_max", "input_min", "output_max", "output_min"} {
			t.table(name+"."+b, one, one)
		}
	}
}

// gemma4Audio is the conformer of Gemma 4 (modeling_gemma4.py).
func gemma4Audio(c *config, t *tower) {
	a := c.dimOr("d_a", 1024, classDefault, "hidden_size")
	n := c.layersOr("L_a", 12, classDefault, "num_hidden_layers")
	h := c.dimOr("h_a", 8, classDefault, "num_attention_heads")
	kernel := c.dimOr("c_a", 5, classDefault, "conv_kernel_size")
	out := c.dimOr("o_a", 1536, classDefault, "output_proj_dims")
	b := t.at("model.audio_tower.")
	c.audioSubsample(b, a)
	clip := c.flagOr(true, classDefault, "use_clipped_linears")
	l := b.each("layers.", n)
	for _, name := range []string{"q_proj", "k_proj", "v_proj", "post"} {
		l.clipped("self_attn."+name, a, a, clip)
	}
	l.linear("self_attn.relative_k_proj", a, a, false)
	l.table("self_attn.per_dim_scale", Dim{max(1, a.N/h.N), "d_a/h_a"}, one)
	for _, ff := range []string{"feed_forward1", "feed_forward2"} {
		l.clipped(ff+".ffw_layer_1", number(4).Times(a), a, clip)
		l.clipped(ff+".ffw_layer_2", a, number(4).Times(a), clip)
		l.scale(ff+".pre_layer_norm", ff+".post_layer_norm")(a)
	}
	l.clipped("lconv1d.linear_start", number(2).Times(a), a, clip)
	l.clipped("lconv1d.linear_end", a, a, clip)
	l.table("lconv1d.depthwise_conv1d.weight", a, kernel)
	l.scale("lconv1d.pre_layer_norm", "lconv1d.conv_norm")(a)
	l.scale("norm_pre_attn", "norm_post_attn", "norm_out")(a)
	b.linear("output_proj", out, a, true)
	t.at("model.embed_audio.").linear("embedding_projection", c.textWidth(), out, false)
}

// audioSubsample are two convolutions over the spectrogram, each of which halves it.
func (c *config) audioSubsample(t *tower, a Dim) {
	channels := []int64{128, 32}
	if list, ok := c.list("subsampling_conv_channels"); ok && len(list) == 2 {
		for i, v := range list {
			n, err := v.AsInt()
			c.fail(err)
			channels[i] = c.named("c"+strconv.Itoa(i)+"_a", "subsampling_conv_channels", n, maxCount).N
		}
	}
	first, second := number(channels[0]), number(channels[1])
	t.table("subsample_conv_projection.layer0.conv.weight", first, number(9))
	t.scale("subsample_conv_projection.layer0.norm")(first)
	t.table("subsample_conv_projection.layer1.conv.weight", second, first.Times(number(9)))
	t.scale("subsample_conv_projection.layer1.norm")(second)
	t.linear("subsample_conv_projection.input_proj_linear", a, number(channels[0]/4).Times(second), false)
}
