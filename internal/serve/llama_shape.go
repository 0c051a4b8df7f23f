package serve

import (
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
)

// Which operations a layer runs follows from the tensors it has: norms before and after, biases, joined matrices. So a
// family that is added to package arch is planned here without being named, unless its graph differs in a way that no
// tensor shows.

// traitsOf reads the layer from its tensors.
func traitsOf(s *arch.Shape, b *arch.Block, out *layerTraits) {
	m := &b.Mixer
	t := layerTraits{
		h: m.Heads, k: m.KVHeads, ek: m.KeyWidth, ev: m.ValueWidth, window: m.Kind == arch.Sliding || m.Kind == arch.Chunked,
		attention: attends(m.Kind), rope: !withoutRotation(s.Architecture), gated: b.MLP.Gated, f: b.MLP.Width,
		experts: b.MLP.Experts, topK: b.MLP.TopK, fe: b.MLP.ExpertWidth, shared: b.MLP.SharedWidth, normalize: !keepsScores(s.Architecture),
		weighFirst: strings.HasPrefix(s.Architecture, "Llama4"), softmaxed: strings.HasPrefix(s.Architecture, "GptOss"),
		scaled: strings.HasPrefix(s.Architecture, "DeepseekV3") || strings.HasPrefix(s.Architecture, "Kimi") || strings.HasPrefix(s.Architecture, "GlmMoeDsa"),
	}
	if t.experts > 0 {
		t.f = 0
	}
	if m.Kind == arch.Latent {
		latentOf(m, b.Tensors, &t)
	}
	if m.Kind == arch.State {
		recurrentOf(s, m, b.Tensors, &t)
	}
	t.rope = t.rope && !learnedPositions(s)
	seen := norms{}
	for i := range b.Tensors {
		traitOf(&b.Tensors[i], m, &t, &seen)
	}
	seen.apply(&t)
	t.layerNorm = t.layerNorm || strings.HasPrefix(s.Architecture, "Cohere") || strings.HasPrefix(s.Architecture, "MPT") ||
		strings.HasPrefix(s.Architecture, "Dbrx")
	*out = t
}

// keepsScores holds for models that do not make the scores of the chosen experts add up to one.
func keepsScores(class string) bool {
	return strings.HasPrefix(class, "DeepseekV2") || strings.HasPrefix(class, "Qwen2Moe") || strings.HasPrefix(class, "GptOss")
}

func attends(k arch.Kind) bool {
	switch k {
	case arch.Full, arch.Sliding, arch.Chunked, arch.Latent, arch.Compressed, arch.Cross:
		return true
	}
	return false
}

// withoutRotation holds for models with learned positions, with ALiBi and with none.
func withoutRotation(class string) bool {
	for _, p := range []string{"GPT2", "GPTBigCode", "Bloom", "MPT", "Jamba", "NemotronH", "OPT", "GraniteMoeHybrid"} {
		if strings.HasPrefix(class, p) {
			return true
		}
	}
	return false
}

// learnedPositions reports whether positions have embeddings of their own.
func learnedPositions(s *arch.Shape) bool {
	return slices.ContainsFunc(s.Outer, func(t arch.Tensor) bool {
		return strings.Contains(t.Name, "wpe") || strings.Contains(t.Name, "position")
	})
}

// norms counts those of the layer itself, not of heads or of compressed vectors.
type norms struct {
	count int
	post  bool
}

func (n norms) apply(t *layerTraits) {
	mixes, feeds := t.attention || t.recurrent.kind > 0, t.f > 0 || t.experts > 0
	switch {
	case !mixes || !feeds:
		t.preNorm, t.ffnNorm = mixes && n.count > 0, feeds && n.count > 0
	case n.count >= 4:
		t.preNorm, t.postNorm, t.ffnNorm, t.ffnPostNorm = true, true, true, true
	case n.count >= 2 && n.post:
		t.postNorm, t.ffnPostNorm = true, true
	case n.count >= 2:
		t.preNorm, t.ffnNorm = true, true
	case n.count == 1:
		t.preNorm, t.parallel = true, true
	}
}

// traitOf notes what the presence of one tensor means.
func traitOf(x *arch.Tensor, m *arch.Mixer, t *layerTraits, seen *norms) {
	name := x.Name
	bias := strings.HasSuffix(name, ".bias")
	switch x.Component {
	case arch.Norm:
		normOf(name, x.Rows.N, bias, m, t, seen)
	case arch.Attention, arch.Indexer:
		attentionOf(name, bias, t)
		t.gatedQ = t.gatedQ || strings.HasSuffix(name, "q_proj.weight") && m.Kind != arch.Latent && x.Rows.N == 2*m.Heads*m.KeyWidth
	case arch.Dense, arch.Shared:
		t.mlpBias = t.mlpBias || bias
		t.fusedGate = t.fusedGate || x.Component == arch.Dense && strings.Contains(name, "gate_up_proj")
		t.sharedGate = t.sharedGate || strings.Contains(name, "shared_expert_gate")
	case arch.Experts:
		t.expertBias = t.expertBias || bias || strings.HasSuffix(name, "_bias")
	case arch.Router:
		t.choiceBias = t.choiceBias || strings.Contains(name, "correction_bias") || strings.Contains(name, "expert_bias")
	}
}

func normOf(name string, rows int64, bias bool, m *arch.Mixer, t *layerTraits, seen *norms) {
	for _, inner := range []string{"q_norm", "k_norm", "q_layernorm", "k_layernorm", "query_norm", "key_norm"} {
		if strings.Contains(name, inner) {
			t.fullHeadNorm = t.fullHeadNorm || rows > m.KeyWidth
			t.headNorm = t.headNorm || rows <= m.KeyWidth
			return
		}
	}
	if inner := strings.Contains(name, "q_a_") || strings.Contains(name, "kv_a_") || strings.HasPrefix(name, "mamba.") ||
		strings.HasPrefix(name, "mixer.") || strings.HasPrefix(name, "linear_attn.") || strings.HasPrefix(name, "self_attn."); inner {
		return
	}
	if bias {
		t.layerNorm, t.normBias = true, true
		return
	}
	seen.count++
	seen.post = seen.post || strings.Contains(name, "post_feedforward") || strings.Contains(name, "post_mlp")
}

func attentionOf(name string, bias bool, t *layerTraits) {
	for _, joined := range []string{"qkv", "query_key_value", "c_attn", "Wqkv"} {
		if strings.Contains(name, joined) && !strings.Contains(name, "wqkv") {
			t.fusedQKV = true
			t.qkvBias = t.qkvBias || bias
			return
		}
	}
	if !bias {
		return
	}
	if strings.Contains(name, "q_proj") || strings.Contains(name, "k_proj") || strings.Contains(name, "v_proj") {
		t.qkvBias = true
		return
	}
	t.outBias = true
}

// latentOf reads the widths of MLA. The width without rotation is what the projection of queries has left.
func latentOf(m *arch.Mixer, tensors []arch.Tensor, t *layerTraits) {
	t.latent = latentTraits{rank: m.Latent, rope: m.Rope, nope: max(0, m.KeyWidth-m.Rope), value: m.ValueWidth}
	for i := range tensors {
		if strings.Contains(tensors[i].Name, "q_a_proj") {
			t.latent.qRank = tensors[i].Rows.N
		}
	}
}

// recurrentOf reads the widths of a recurrent layer from its matrices and from what it remembers.
func recurrentOf(s *arch.Shape, m *arch.Mixer, tensors []arch.Tensor, t *layerTraits) {
	r := &t.recurrent
	r.kind, r.kernelState, r.state = secondMamba, m.Conv, m.State
	r.heads, r.keyHeads, r.keyWidth = max(1, m.Heads), max(1, m.KVHeads), m.KeyWidth
	if m.State == 0 {
		r.kind = shortConv
	}
	for i := range tensors {
		x := &tensors[i]
		switch {
		case strings.HasPrefix(x.Name, "linear_attn."), strings.Contains(x.Name, ".b_proj"):
			r.kind = deltaRule
		case strings.Contains(x.Name, "x_proj"):
			r.kind, r.small = firstMamba, x.Rows.N
		}
		switch {
		case strings.Contains(x.Name, "conv1d") || strings.Contains(x.Name, "conv.conv") || x.Component == arch.Recurrent && strings.HasSuffix(x.Name, "conv.weight"):
			r.conv = max(r.conv, x.Rows.N)
		case x.Component != arch.Recurrent || !x.Matrix:
		case strings.Contains(x.Name, "out_proj") || strings.Contains(x.Name, "o_proj"):
			r.inner = max(r.inner, x.Cols.N)
		case x.Cols.N == s.Hidden.N:
			r.in += x.Rows.N
		}
		r.normed = r.normed || strings.HasSuffix(x.Name, "mixer.norm.weight") || strings.HasSuffix(x.Name, "mamba.norm.weight")
	}
	r.in, r.inner = max(r.in, 1), max(r.inner, 1)
	if r.conv == 0 {
		r.conv = r.inner
	}
}

// sizesOf gives the sizes of the matrices that are fetched where the weights lie in the memory of the host.
func sizesOf(w *weighed, b *arch.Block, t *layerTraits) {
	for i := range b.Tensors {
		x := &b.Tensors[i]
		n := w.of(b.Prefix, x)
		if to := t.bytes.part(x); to != nil {
			*to += n
		}
	}
}

func (l *layerBytes) part(x *arch.Tensor) *int64 {
	has := func(parts ...string) bool {
		for _, p := range parts {
			if strings.Contains(x.Name, p) {
				return true
			}
		}
		return false
	}
	switch {
	case x.Component == arch.Experts && has("gate"):
		return &l.expertGate
	case x.Component == arch.Experts && has("down", "w2"):
		return &l.expertDown
	case x.Component == arch.Experts:
		return &l.expertUp
	case x.Component == arch.Dense && has("down", "w2", "fc2", "h_to_4h"):
		return &l.down
	case x.Component == arch.Dense && has("gate_proj", "w1"):
		return &l.gate
	case x.Component == arch.Dense:
		return &l.up
	case x.Component == arch.Attention && has("o_proj", "out_proj", "dense", "c_proj"), x.Component == arch.Recurrent && has("out_proj"):
		return &l.o
	case x.Component == arch.Attention && has("k_proj", "kv"):
		return &l.k
	case x.Component == arch.Attention && has("v_proj"):
		return &l.v
	case x.Component == arch.Attention, x.Component == arch.Recurrent:
		return &l.q
	}
	return nil
}
