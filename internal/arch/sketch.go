package arch

import (
	"encoding/json"
	"errors"
	"fmt"
	"iter"
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
		{10e6, 192},
		{30e6, 384},
		{125e6, 768},
		{350e6, 1024},
		{760e6, 1536},
		{1.3e9, 2048},
		{2.9e9, 2560},
		{3e9, 3072},
		{8e9, 4096},
		{14e9, 5120},
		{32e9, 6144},
		{70e9, 8192},
		{175e9, 12288},
		{405e9, 16384},
		{1e12, 20480},
		{10e12, 40960},
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
// the number of layers and of experts and the width of these: numbers that ranks divide, where some do.
func sparseOutline(params, active float64) (outline, error) {
	const narrower = 0.6
	o := framed(params, widthOf(narrower*active, params))
	if o.spends(active) {
		o.tied = true
	}
	o.heads *= 2 // as Qwen3 has it: attention is wider than the model
	for _, t := range tiers(depthGrain(params)) {
		if found, ok := o.met(params, active, &t); ok {
			return found, nil
		}
	}
	return o, fmt.Errorf("deriving a shape of %.4g parameters with %.4g active ones: no number of layers and experts has both: %w", params,
		active, ErrSketch)
}

// tier is what is tried for a mixture of experts.
type tier struct {
	layers      int64   // multiples
	experts     []int64 // multiples, the best first
	most        int64   // experts
	topK        []int64 // the best first
	least, deep float64 // of the usual depth
}

// tiers begin with what models have and end with anything.
func tiers(depth int64) []tier {
	few, every := []int64{8, 4, 6, 2, 10, 12, 16, 1}, []int64{8, 4, 2, 1, 3, 5, 6, 7, 9, 10, 11, 12, 13, 14, 15, 16, 20, 24, 28, 32}
	return []tier{
		{depth, []int64{64, 32, 16, 8}, 512, few, 0.75, 1.35},
		{1, []int64{64, 32, 16, 8}, 512, few, 0.6, 1.6},
		{1, []int64{64, 8, 4, 2, 1}, 4096, every, 0.5, 2},
	}
}

// met looks through a tier for the outline that comes closest to the active parameters, with all parameters met by the
// width of its experts, and reports whether one is close. What ranks divide less and what models have less costs more.
func (o *outline) met(params, active float64, t *tier) (best outline, ok bool) {
	const tolerated, shallow, odd, coarse = 0.03, 0.2, 0.02, 0.02
	h := float64(o.hidden)
	usual := (active - o.head0()) / (o.attention() + 9*h*h)
	least := math.Inf(1)
	for layers := multiple(t.least*usual, t.layers); float64(layers) <= t.deep*usual+1; layers += t.layers {
		for i, k := range t.topK {
			for j, step := range t.experts {
				for c := range o.choices(params, active, layers, k, step) {
					off := math.Abs(c.active()/active - 1)
					cost := off + shallow*math.Abs(math.Log(float64(layers)/usual)) + odd*float64(i) + coarse*float64(j)
					if off <= tolerated && c.experts <= t.most && cost < least {
						best, ok, least = c, true, cost
					}
				}
			}
		}
	}
	return best, ok
}

// choices are outlines of so many layers and experts of a token, with the numbers of experts next to the ratio that both
// counts ask for.
func (o *outline) choices(params, active float64, layers, topK, step int64) iter.Seq[outline] {
	return func(yield func(outline) bool) {
		h := float64(o.hidden)
		all := (params-o.outer())/float64(layers) - o.attention()
		perToken := (active-o.head0())/float64(layers) - o.attention()
		if perToken <= 0 || all <= perToken {
			return
		}
		for n := range int64(2) {
			c := *o
			c.layers, c.topK = layers, topK
			c.experts = multiple(float64(topK)*all/perToken, step) - n*step
			width := (all/float64(c.experts) - h) / (3 * h)
			if c.experts <= topK || width < 1 {
				continue
			}
			if c.width = nearest(width, expertGrain(width)); !yield(c) {
				return
			}
		}
	}
}

// multiple is the first multiple of a step that is no less.
func multiple(x float64, step int64) int64 {
	return step * int64(max(1, math.Ceil(x/float64(step))))
}

// spends reports a head that would take most of what a token may pass.
func (o *outline) spends(active float64) bool { return o.head0() > 0.4*active }

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

// active counts what a token passes: of experts those that are chosen, and all of what chooses them.
func (o *outline) active() float64 {
	mlp := float64(3*max(1, o.topK)*o.width + o.experts)
	return o.head0() + float64(o.layers)*(o.attention()+mlp*float64(o.hidden))
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
