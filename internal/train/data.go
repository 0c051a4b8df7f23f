package train

import (
	"fmt"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/units"
)

// hoffmann is how many tokens for each parameter are compute-optimal by the rule that is named after Chinchilla.
const hoffmann = 20

// Optimum is how many tokens are compute-optimal for a model: with more, a larger model would have been better for the same
// FLOPs, with fewer a smaller one.
type Optimum struct {
	Tokens  Range
	Why     string
	Sources []string
}

// law is one published fit of how many tokens are optimal for so many parameters.
type law struct {
	name   string
	source string
	tokens func(params float64) float64
}

// The anchors of the fits. Hoffmann et al. give optimal tokens for models of 1B and 1T by their second approach, of which
// the exponent follows; the replication gives the parameters of the loss; Llama 3 gives the exponent of tokens in FLOPs and
// the point it was used for.
const (
	isoFLOPat1B = 20.0e9
	isoFLOPat1T = 26.5e12

	lossA, lossAlpha = 482.01, 0.3478
	lossB, lossBeta  = 2085.43, 0.3658

	llamaExponent = 0.53
	llamaFLOPs    = 3.8e25
	llamaTokens   = 16.55e12
)

// laws are the fits that are taken into account. The third approach of Hoffmann et al. is taken from the replication, which
// found that the published fit had not converged.
func laws() []law {
	return []law{
		{"Hoffmann et al., the rule of 20", "Hoffmann et al. 2022, Training Compute-Optimal Large Language Models, arXiv 2203.15556", func(n float64) float64 {
			return hoffmann * n
		}},
		{"Hoffmann et al., IsoFLOP profiles", "Hoffmann et al. 2022, arXiv 2203.15556, appendix", func(n float64) float64 {
			return isoFLOPat1B * math.Pow(n/1e9, math.Log(isoFLOPat1T/isoFLOPat1B)/math.Log(1e3))
		}},
		{"Besiroglu et al., the loss fitted again", "Besiroglu et al. 2024, Chinchilla Scaling: A replication attempt, arXiv 2404.10102", func(n float64) float64 {
			return math.Pow(lossBeta*lossB/(lossAlpha*lossA)*math.Pow(n, lossAlpha), 1/lossBeta)
		}},
		{"Llama 3", "Dubey et al. 2024, The Llama 3 Herd of Models, arXiv 2407.21783", func(n float64) float64 {
			return math.Pow(llamaTokens*math.Pow(6*n/llamaFLOPs, llamaExponent), 1/(1-llamaExponent))
		}},
	}
}

// Optimal is how many tokens are compute-optimal to pre-train a shape. The laws are of dense models; of experts the
// parameters that a token passes are counted.
func Optimal(s *arch.Shape) Optimum {
	params := s.Params()
	n := float64(max(1, params.Active))
	o := Optimum{Tokens: Range{Low: math.Inf(1), Mid: hoffmann * n}}
	for _, l := range laws() {
		tokens := l.tokens(n)
		o.Tokens.Low, o.Tokens.High = min(o.Tokens.Low, tokens), max(o.Tokens.High, tokens)
		o.Sources = append(o.Sources, l.source)
	}
	o.Why = fmt.Sprintf("%.0f to %.0f tokens for each parameter by four published fits; %d is the rule", o.Tokens.Low/n, o.Tokens.High/n, hoffmann)
	if params.Active*2 < params.Total {
		o.Why += "; they are of dense models, and the parameters that a token passes stand for those of a model with experts"
	}
	return o
}

// served is how many tokens a model was trained on that is served today.
type served struct {
	name           string
	params, tokens float64 // that a token passes
	source         string
}

// servedModels are those of which publishers say the tokens, smallest first.
func servedModels() []served {
	return []served{
		{"Llama 7B", 6.74e9, 1e12, "Touvron et al. 2023, arXiv 2302.13971"},
		{"OLMo 3 7B", 7.3e9, 5.93e12, "Ai2 on Olmo 3, 2025"},
		{"Llama 3 8B", 8.03e9, 15e12, "meta-llama/llama-models models/llama3/MODEL_CARD.md"},
		{"DeepSeek-V3", 37e9, 14.8e12, "deepseek-ai/DeepSeek-V3 README.md"},
		{"Falcon 40B", 41.8e9, 1e12, "tiiuae/falcon-40b model card"},
		{"Llama 3.1 70B", 70.6e9, 15.6e12, "meta-llama/llama-models models/llama3_1/MODEL_CARD.md"},
		{"Falcon 180B", 179.5e9, 3.5e12, "tiiuae/falcon-180B model card"},
		{"Llama 3.1 405B", 405.9e9, 15.6e12, "Dubey et al. 2024, arXiv 2407.21783"},
	}
}

// alikeSize is how much smaller or larger a served model may be to be held against.
const alikeSize = 4

// Served is the range of tokens that served models of about the size of a shape were trained on; false if none is known.
func Served(s *arch.Shape) (tokens Range, sources []string, ok bool) {
	n := float64(max(1, s.Params().Active))
	var counts []float64
	for _, m := range servedModels() {
		if ratio := m.params / n; ratio > 1.0/alikeSize && ratio < alikeSize {
			counts = append(counts, m.tokens)
			sources = append(sources, m.name+": "+m.source)
		}
	}
	if len(counts) == 0 {
		return Range{}, nil, false
	}
	slices.Sort(counts)
	return Range{Low: counts[0], Mid: counts[len(counts)/2], High: counts[len(counts)-1]}, sources, true
}

// decay is how many repetitions it takes until a further one is worth 1/e of new data (Muennighoff et al. 2023, Scaling
// Data-Constrained Language Models, arXiv 2305.16264: R* of data, 15.4).
const decay = 15.387756

// Worth is how many new tokens so many epochs over unique ones are worth: U + U R* (1 - exp(-(epochs-1)/R*)). Up to about
// four epochs repeated data is nearly as good as new.
func Worth(unique, epochs float64) float64 {
	if !(epochs > 1) {
		return unique * max(0, epochs)
	}
	return unique + unique*decay*(1-math.Exp(-(epochs-1)/decay))
}

// goodEpochs and lostEpochs are those up to which repeating is nearly as good as new data, and from which on it hardly helps.
const (
	goodEpochs = 4
	lostEpochs = 16
)

// Judgment is what the data of a run is, against what is optimal and what is at hand.
type Judgment struct {
	PerParam float64 // tokens of the run for each parameter that a token passes
	Optimal  *Optimum
	Epochs   float64 // over the data at hand; 0 if that was not said
	Worth    float64 // new tokens that the run is worth; 0 if the data at hand was not said
	Verdict  string
	Why      string
	Sources  []string
}

// The verdicts on data.
const (
	UnderTrained = "under-trained"
	AtOptimum    = "compute-optimal"
	OverTrained  = "over-trained"
	Enough       = "enough" // data at hand for one epoch
	Repeats      = "repeats"
	Short        = "short"
)

// Judge holds the tokens of a run against what is compute-optimal, and have unique ones at hand (0 if not said) against both.
// Fine-tuning has no optimal count: it is judged by its epochs alone.
func Judge(j *Job, have float64) Judgment {
	d := Judgment{PerParam: j.Tokens / float64(max(1, j.Shape.Params().Active))}
	if j.Method == Pretrain {
		o := Optimal(j.Shape)
		d.Optimal, d.Sources = &o, o.Sources
		d.Verdict, d.Why = trained(j.Tokens, &o, d.PerParam)
	}
	if have > 0 && j.Tokens > 0 {
		d.repeats(j, have)
	}
	if d.Verdict == "" {
		d.Verdict, d.Why = Enough, "fine-tuning has no compute-optimal count: what is at hand decides, and how often it is repeated"
	}
	return d
}

func trained(tokens float64, o *Optimum, each float64) (verdict, why string) {
	switch {
	case tokens == 0:
		return "", ""
	case tokens < o.Tokens.Low:
		return UnderTrained, perParam(each) + " tokens for each parameter are fewer than any fit finds optimal: a smaller model on more tokens would be better for the same FLOPs"
	case tokens > o.Tokens.High:
		return OverTrained, perParam(each) + " tokens for each parameter are more than is optimal for training alone; that pays where a smaller model is served for long"
	}
	return AtOptimum, perParam(each) + " tokens for each parameter are within what the fits find optimal"
}

// perParam writes a number of tokens for each parameter.
func perParam(each float64) string {
	if each < 10 {
		return fmt.Sprintf("%.2g", each)
	}
	return units.Thousands(int64(math.Round(min(each, 1e15))))
}

// repeats judges how often data is seen.
func (d *Judgment) repeats(j *Job, have float64) {
	d.Epochs = j.Tokens / have
	d.Worth = Worth(have, d.Epochs)
	if d.Epochs <= 1 {
		d.Why = joined(d.Why, "the data at hand is enough for the run without repeating any")
		if d.Verdict == "" {
			d.Verdict = Enough
		}
		return
	}
	d.Sources = append(slices.Clone(d.Sources), "Muennighoff et al. 2023, Scaling Data-Constrained Language Models, arXiv 2305.16264")
	lost := 1 - d.Worth/j.Tokens
	says := fmt.Sprintf("%.3g epochs over the data at hand are worth %.3g%% fewer new tokens", d.Epochs, 100*lost)
	if j.Method != Pretrain {
		d.Verdict = Repeats
		if says += "; fine-tuning usually makes 1 to 3"; d.Epochs > goodEpochs {
			d.Verdict = Short
			says += ", and forgets with more"
		}
		d.Why = joined(d.Why, says)
		return
	}
	switch {
	case d.Epochs > lostEpochs:
		d.Verdict, says = Short, says+": beyond about 16 repeating hardly helps"
	case d.Epochs > goodEpochs:
		d.Verdict, says = Short, says+": beyond about 4 every further one is worth clearly less"
	default:
		says += ": up to about 4 that is nearly as good as new data"
		if d.Verdict != UnderTrained {
			d.Verdict = Repeats
		}
	}
	d.Why = joined(d.Why, says)
}

func joined(a, b string) string {
	if a == "" {
		return b
	}
	return a + "; " + b
}
