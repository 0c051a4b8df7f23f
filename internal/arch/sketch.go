package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// ErrSketch is wrapped by the error for sizes that no sensible model has.
var ErrSketch = errors.New("no model can be sketched")

// The sizes that a sketch is made for.
const (
	LeastSketch int64 = 10_000_000
	MostSketch  int64 = 10_000_000_000_000
)

// rung is a model of the ladders that makers publish: how wide one of so many parameters is.
type rung struct{ params, hidden float64 }

// ladder follows GPT-3 and OPT up to 3B, then Llama 3 and its like: 4096 at 8B, 8192 at 70B, 16384 at 405B.
func ladder() []rung {
	return []rung{
		{10e6, 192}, {30e6, 384}, {125e6, 768}, {350e6, 1024}, {760e6, 1536}, {1.3e9, 2048}, {2.9e9, 2560}, {3e9, 3072}, {8e9, 4096},
		{14e9, 5120}, {32e9, 6144}, {70e9, 8192}, {175e9, 12288}, {405e9, 16384}, {1e12, 20480}, {10e12, 40960},
	}
}

// grouped is the size from which queries share keys and values, and untied the one from which the head is a matrix of
// its own.
const (
	grouped = 3e9
	untied  = 4e9
)

// outline is a sketch in numbers.
type outline struct {
	layers, hidden, heads, kvHeads, head, width, vocab int64
	tied                                               bool
	experts, topK                                      int64 // 0 for a dense model
}

// Sketch is the config.json of a model that nobody has made yet: one of the usual shape with so many parameters. With
// fewer active ones it is a mixture of experts. What Of counts of it is within 2 % of params, and of active within 5 %.
// 0 active parameters are all.
func Sketch(params, active int64) (strictjson.Value, error) {
	if err := sketchable(params, active); err != nil {
		return strictjson.Value{}, err
	}
	dense := denseOutline(float64(params))
	const nearly = 0.97
	if active == 0 || float64(active) >= nearly*dense.active() {
		return dense.config()
	}
	sparse, err := sparseOutline(float64(params), float64(active))
	if err != nil {
		return strictjson.Value{}, err
	}
	return sparse.config()
}

func sketchable(params, active int64) error {
	switch {
	case params < LeastSketch || params > MostSketch:
		return fmt.Errorf("deriving a shape from %d parameters: want 10 million to 10 trillion; of others give layers and hidden size: %w",
			params, ErrSketch)
	case active < 0:
		return fmt.Errorf("deriving a shape with %d active parameters: want more than none: %w", active, ErrSketch)
	case active > params:
		return fmt.Errorf("deriving a shape: %d active parameters are more than the %d in all: %w", active, params, ErrSketch)
	}
	return nil
}

// SketchOf is the config.json of a dense model of a shape that is given by hand. 0 tokens of the vocabulary are the usual
// number.
func SketchOf(layers, hidden, vocab int64) (strictjson.Value, error) {
	const mostLayers, mostHidden, mostVocab = 10_000, 1 << 20, 1 << 24
	switch {
	case layers < 1 || layers > mostLayers:
		return strictjson.Value{}, fmt.Errorf("sketching a model of %d layers: want 1 to %d: %w", layers, mostLayers, ErrSketch)
	case hidden < 64 || hidden > mostHidden || hidden%64 != 0:
		return strictjson.Value{}, fmt.Errorf("sketching a model of hidden size %d: want a multiple of 64 up to %d: %w", hidden, mostHidden,
			ErrSketch)
	case vocab < 0 || vocab > mostVocab:
		return strictjson.Value{}, fmt.Errorf("sketching a model with a vocabulary of %d: want up to %d: %w", vocab, mostVocab, ErrSketch)
	}
	size := 12 * float64(layers) * float64(hidden) * float64(hidden)
	o := framed(size, hidden)
	if vocab > 0 {
		o.vocab = vocab
	}
	o.layers = layers
	o.width = nearest(expansion(size)*float64(hidden), grain(hidden))
	return o.config()
}

// denseOutline takes width from the ladder, depth from what is left, and meets the count with the width of the MLP.
func denseOutline(params float64) outline {
	o := framed(params, widthOf(params, params))
	left := params - o.outer()
	each := o.attention() + 3*float64(o.hidden)*expansion(params)*float64(o.hidden)
	o.layers = max(depthGrain(params), nearest(left/each, depthGrain(params)))
	o.width = o.fitted(left)
	return o
}

// fitted is the width of the MLP that meets the count.
func (o *outline) fitted(left float64) int64 {
	perLayer := left/float64(o.layers) - o.attention() - 2*float64(o.hidden)
	g := grain(o.hidden)
	return max(g, nearest(perLayer/(3*float64(o.hidden)), g))
}

// sparseOutline is narrower than a dense model of its active size, as those with experts are, and meets both counts with
// the number and the width of the experts.
func sparseOutline(params, active float64) (outline, error) {
	const narrower = 0.6
	o := framed(params, widthOf(narrower*active, params))
	if o.spends(active) {
		o.tied = true
	}
	h := float64(o.hidden)
	seen := active - o.head0()
	o.layers = max(1, nearest(seen/(o.attention()+9*h*h), 1))
	perToken := seen/float64(o.layers) - o.attention()
	all := (params-o.outer())/float64(o.layers) - o.attention()
	if perToken <= 0 || all <= perToken {
		return o, fmt.Errorf("deriving a shape of %.4g parameters with %.4g active ones: attention and head alone take more: %w", params,
			active, ErrSketch)
	}
	for range 6 { // the router grows with the experts, and every token passes it
		routed := float64(o.experts) * h
		if routed >= perToken {
			break
		}
		o.topK, o.experts = choice((all - routed) / (perToken - routed))
	}
	if o.experts > mostExperts || float64(o.experts)*h >= perToken {
		return o, fmt.Errorf("deriving a shape of %.4g parameters with %.4g active ones: it would need %d experts, more than models have: %w",
			params, active, o.experts, ErrSketch)
	}
	width := (all/float64(o.experts) - h) / (3 * h)
	o.width = max(1, nearest(width, expertGrain(width)))
	return o, nil
}

// mostExperts bounds a sketch: models that were published have up to a few hundred in a layer.
const mostExperts = 4096

// spends reports a head that would take most of what a token may pass.
func (o *outline) spends(active float64) bool { return o.head0() > 0.4*active }

// choice finds how many experts a token passes out of how many: 8 as most models have it, unless that is far from the
// ratio, or needs more experts than models have.
func choice(ratio float64) (topK, experts int64) {
	const usual, few, tolerated, most = 8, 1024, 0.015, 32
	for k := int64(usual); k > 1; k /= 2 {
		if e := math.Round(float64(k) * ratio); e <= few && math.Abs(e/(float64(k)*ratio)-1) <= tolerated {
			return k, int64(e)
		}
	}
	topK, best := 1, math.Inf(1)
	for k := int64(1); k <= most; k++ {
		e := math.Round(float64(k) * ratio)
		if off := math.Abs(e/(float64(k)*ratio) - 1); off < best-0.001 {
			topK, best = k, off
		}
	}
	return topK, int64(math.Round(float64(topK) * ratio))
}

// framed is all of an outline but its depth and the width of its MLP.
func framed(params float64, hidden int64) outline {
	o := outline{hidden: hidden, head: 128, vocab: vocabulary(params), tied: params < untied}
	if hidden < 1024 || hidden%o.head != 0 {
		o.head = 64
	}
	o.heads = hidden / o.head
	o.kvHeads = o.heads
	for k := int64(8); params >= grouped && k > 1 && o.kvHeads == o.heads; k /= 2 {
		if o.heads%k == 0 && o.heads > k {
			o.kvHeads = k
		}
	}
	return o
}

// vocabulary grows with the model: 32k of the first Llamas, 128k of the third.
func vocabulary(params float64) int64 {
	switch {
	case params < 0.3e9:
		return 32_768
	case params < 1.5e9:
		return 49_152
	case params < untied:
		return 65_536
	}
	return 128_256
}

// expansion is the width of the MLP over that of the model. Grouped keys leave it more.
func expansion(params float64) float64 {
	if params < grouped {
		return 8.0 / 3
	}
	return 3.5
}

// widthOf reads the ladder between its rungs. Models with grouped keys have heads in eights.
func widthOf(size, params float64) int64 {
	step := int64(128)
	switch {
	case size < 0.3e9:
		step = 64
	case size >= grouped, params >= grouped && size >= 1e9:
		step = 1024
	case params >= grouped:
		step = 256
	}
	return max(step, nearest(read(ladder(), size), step))
}

// read interpolates between rungs in logarithms, and goes on beyond the ends.
func read(all []rung, size float64) float64 {
	i := 1
	for i < len(all)-1 && size > all[i].params {
		i++
	}
	a, b := all[i-1], all[i]
	share := math.Log(size/a.params) / math.Log(b.params/a.params)
	return math.Exp(math.Log(a.hidden) + share*math.Log(b.hidden/a.hidden))
}

// depthGrain keeps the depth one that pipelines divide.
func depthGrain(params float64) int64 {
	switch {
	case params < 0.1e9:
		return 1
	case params < grouped:
		return 2
	case params < 60e9:
		return 4
	}
	return 8
}

// grain is what the width of an MLP is a multiple of: as coarse as the count allows.
func grain(hidden int64) int64 {
	switch {
	case hidden < 512:
		return 8
	case hidden < 2048:
		return 64
	case hidden < 4096:
		return 128
	}
	return 256
}

// expertGrain is the largest power of two that the width of an expert can be rounded to at the cost of a hundredth.
func expertGrain(width float64) int64 {
	const tolerated = 0.02
	g := int64(1)
	for g < 128 && float64(2*g) <= tolerated*width {
		g *= 2
	}
	return g
}

// nearest is the multiple of a step that is closest.
func nearest(x float64, step int64) int64 { return step * int64(math.Round(x/float64(step))) }

// attention counts the matrices of one layer.
func (o *outline) attention() float64 {
	return 2 * float64(o.hidden) * float64(o.head) * float64(o.heads+o.kvHeads)
}

// head0 counts the head, which every token passes.
func (o *outline) head0() float64 { return float64(o.vocab) * float64(o.hidden) }

// outer counts embedding and head.
func (o *outline) outer() float64 {
	if o.tied {
		return o.head0()
	}
	return 2 * o.head0()
}

// active counts what a token passes in a dense outline.
func (o *outline) active() float64 {
	return o.head0() + float64(o.layers)*(o.attention()+3*float64(o.hidden)*float64(o.width))
}

// config writes an outline as config.json.
func (o *outline) config() (strictjson.Value, error) {
	keys := map[string]any{
		"architectures": []string{"LlamaForCausalLM"}, "model_type": "llama", "hidden_size": o.hidden, "num_hidden_layers": o.layers,
		"num_attention_heads": o.heads, "num_key_value_heads": o.kvHeads, "head_dim": o.head, "intermediate_size": o.width,
		"vocab_size": o.vocab, "tie_word_embeddings": o.tied, "torch_dtype": "bfloat16", "max_position_embeddings": 131_072,
		"attention_bias": false, "mlp_bias": false,
	}
	if o.experts > 0 {
		delete(keys, "mlp_bias")
		keys["architectures"], keys["model_type"] = []string{"Qwen3MoeForCausalLM"}, "qwen3_moe"
		keys["num_experts"], keys["num_experts_per_tok"], keys["moe_intermediate_size"] = o.experts, o.topK, o.width
		keys["intermediate_size"], keys["decoder_sparse_step"], keys["mlp_only_layers"] = o.topK*o.width, 1, []int64{}
	}
	text, err := json.Marshal(keys)
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("writing a derived configuration: %w", err)
	}
	v, err := strictjson.Parse(strings.NewReader(string(text)), int64(len(text)))
	if err != nil {
		return strictjson.Value{}, fmt.Errorf("reading a derived configuration: %w", err)
	}
	return v, nil
}
