package arch

import (
	"errors"
	"fmt"
)

// Gemma 3n: several streams of hidden states of which a block computes one and predicts the others, a low-rank path
// beside attention, an embedding of each token for every layer, and last layers that read the cache of an earlier one,
// though their files hold keys and values of their own (transformers: modeling_gemma3n.py).
func gemma3nRules() []rule {
	return []rule{{
		"gemma3n", []string{"Gemma3nForConditionalGeneration", "Gemma3nForCausalLM"}, []string{"gemma3n", "gemma3n_text"}, gemma3n,
	}}
}

type gemma3nDecoder struct {
	gemma4Decoder // for the embeddings of layers and the sharing of caches
	streams, rank Dim
}

func gemma3n(c *config) *Shape {
	g := gemma3nDecoder{
		gemma4Decoder: gemma4Decoder{
			f: c.nested(true), window: c.sliding(), embedded: c.dimOr("p", 256, classDefault, "hidden_size_per_layer_input"),
		},
		streams: c.named("n_a", "altup_num_inputs", max(1, c.countOr(4, classDefault, "altup_num_inputs")), 64),
		rank:    c.dimOr("r", 64, classDefault, "laurel_rank"),
	}
	g.local = c.heads(g.f.d)
	g.local.headNorm = true
	g.global = g.local
	n := g.f.depth.N
	widths := c.ints("intermediate_size", n)
	if g.types = c.words("layer_types", n); g.types == nil || widths == nil {
		c.fail(errors.New("layer_types or intermediate_size is missing, and the shape cannot be known without them"))
		return &Shape{}
	}
	shared := c.countOr(15, classDefault, "num_kv_shared_layers")
	if g.firstShared = n - shared; g.firstShared <= 0 {
		c.fail(fmt.Errorf("num_kv_shared_layers is %d, want less than the %d layers there are", shared, n))
		return &Shape{}
	}
	built := kinds[int64]{}
	s := g.f.shape(c, func(i int) Block {
		width := c.width("f", "intermediate_size", widths[i])
		return Block{
			Tensors: built.of(width.N, func(s *stack) { g.block(s, width) }), MLP: MLP{Width: width.N, Gated: true},
			Mixer: g.mixer(c, i, g.types[i] == "sliding_attention", int64(i) >= g.firstShared),
		}
	})
	g.embedLayers(c, s)
	g.mixStreams(s)
	return s
}

func (g *gemma3nDecoder) block(s *stack, width Dim) {
	d := g.f.d
	g.local.add(s)
	gatedMLP(s, "mlp.", Dense, d, width, false)
	s.table("altup.correction_coefs.weight", Other, g.streams, g.streams, Replicated, 0)
	s.table("altup.prediction_coefs.weight", Other, g.streams.Times(g.streams), g.streams, Replicated, 0)
	s.table("altup.modality_router.weight", Other, g.streams, d, Replicated, 0)
	s.vector("altup.correct_output_scale", Other, d, Replicated, 0)
	s.norm("altup.router_norm", d)
	s.matrix("laurel.linear_left", Other, g.rank, d, Replicated, 0)
	s.matrix("laurel.linear_right", Other, d, g.rank, Replicated, 0)
	s.norm("laurel.post_laurel_norm", d)
	s.matrix("per_layer_input_gate", Dense, g.embedded, d, Replicated, 0)
	s.matrix("per_layer_projection", Dense, d, g.embedded, Replicated, 0)
	for _, name := range []string{
		"input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm",
		"post_per_layer_input_norm",
	} {
		s.norm(name, d)
	}
}

// mixStreams adds what makes the further streams of the first and one of them all at the end.
func (g *gemma3nDecoder) mixStreams(s *Shape) {
	outer := stack{s.Outer}
	for i := range g.streams.N - 1 {
		outer.matrix(fmt.Sprintf("%saltup_projections.%d", g.f.body, i), Other, g.f.d, g.f.d, Replicated, 0)
		outer.matrix(fmt.Sprintf("%saltup_unembed_projections.%d", g.f.body, i), Other, g.f.d, g.f.d, Replicated, 0)
	}
	s.Outer = outer.tensors
}
