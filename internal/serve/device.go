package serve

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/llmcheck/llmcheck/internal/hardware"
)

// formatNeed is the least compute capability for weights in formats whose names begin so.
type formatNeed struct {
	Formats []string
	Compute history[float64]
}

// Profiled reports whether what the engine needs is known on the device of a plan; the error wraps ErrNoProfile, or
// ErrIllegal where the engine does not run there at all.
func (p Plan) Profiled() error {
	if p.GPU == nil {
		return nil
	}
	vendor := p.GPU.Vendor
	if p.GPU.Compute == "hpu" {
		vendor = "gaudi"
	}
	switch {
	case p.Engine.Kind == TensorRT && vendor != "" && vendor != "nvidia":
		return fmt.Errorf("%w: TensorRT-LLM runs on devices of NVIDIA only", ErrIllegal)
	case vendor == "google" || vendor == "aws" || vendor == "gaudi":
		return fmt.Errorf("%w: what %s needs on %s beside weights and cache was measured nowhere we know of", ErrNoProfile,
			p.Engine.Kind, p.GPU.Name)
	case p.Engine.kin != nil && p.Engine.Kind != LlamaCPP && vendor != "":
		return p.Engine.kin.runsOn(p.GPU.Name, vendor)
	case vendor == "apple" && (p.Engine.Kind == VLLM || p.Engine.Kind == SGLang):
		return fmt.Errorf("%w: what %s needs on %s beside weights and cache was measured nowhere we know of; llama.cpp can be asked about",
			ErrNoProfile, p.Engine.Kind, p.GPU.Name)
	}
	return nil
}

// legalDevice refuses a card that the engine does not run on, or that has no kernels for the weights.
func (p *Prepared) legalDevice(plan *Plan) error {
	if v := plan.GPU.Vendor; v != "" && v != "nvidia" {
		return nil
	}
	e := plan.era()
	has, known := capability(plan.GPU)
	if !known {
		return nil
	}
	if least := e.profile.Compute.at(e.version); has < least.Value {
		return fmt.Errorf("%w: %s has compute capability %s, and %s %s needs %s (%s)", ErrIllegal, plan.GPU.Name, plan.GPU.Compute,
			plan.Engine.Kind, plan.Engine.Version, decimals(least.Value), least.Source)
	}
	for i := range e.profile.Formats {
		need := &e.profile.Formats[i]
		least := need.Compute.at(e.version)
		if name := p.formatOf(need.Formats); name != "" && has < least.Value {
			return fmt.Errorf("%w: %s has compute capability %s, and %s %s needs %s for weights in %s (%s)", ErrIllegal, plan.GPU.Name,
				plan.GPU.Compute, plan.Engine.Kind, plan.Engine.Version, decimals(least.Value), name, least.Source)
		}
	}
	return nil
}

// capability is the compute capability of a card as a number.
func capability(a *hardware.Accelerator) (number float64, known bool) {
	number, err := strconv.ParseFloat(a.Compute, 64)
	return number, err == nil
}

func decimals(x float64) string { return strconv.FormatFloat(x, 'f', 1, 64) }

// formatOf is the first format of the blocks whose name begins with one of some.
func (p *Prepared) formatOf(prefixes []string) string {
	for _, name := range p.formats {
		for _, prefix := range prefixes {
			if strings.HasPrefix(name, prefix) {
				return name
			}
		}
	}
	return ""
}

// legalLength refuses requests longer than the model has positions for. Rotary positions go on as far as one likes: see
// beyond.
func (p *Prepared) legalLength(plan *Plan) error {
	most := p.model.Shape.MaxContext
	if !p.beyond(plan) || !learnedPositions(p.model.Shape) {
		return nil
	}
	return fmt.Errorf("%w: max_model_len %d is more than the %d positions that the model has learned", ErrIllegal, plan.MaxModelLen, most)
}

// unmeasured says that nobody measured the engine on devices of this maker, so that nothing better than tight can be said;
// "" where somebody did, and for engines whose ranges are wide for that very reason.
func (f *fit) unmeasured() string {
	if v := f.plan.GPU.Vendor; f.plan.Engine.kin != nil || v != "apple" && v != "intel" { // cards of one's own are taken at their word
		return ""
	}
	return "there is room for it with ranges twice as wide as those of devices of NVIDIA, but what " + string(f.plan.Engine.Kind) + " needs on " +
		f.plan.GPU.Name + " beside weights and cache was measured nowhere we know of"
}

// beyond reports whether requests may be longer than the model was made for, which engines other than libraries hold
// against its configuration.
func (p *Prepared) beyond(plan *Plan) bool {
	most := p.model.Shape.MaxContext
	return most > 0 && plan.MaxModelLen > most && !plan.Engine.profile.plain()
}

// stretched says what it takes to ask for more tokens than the model was made for; "" where nothing does. TensorRT-LLM
// and the servers that nobody measured are taken to warn and start.
func (f *fit) stretched() string {
	if !f.model.beyond(&f.plan) {
		return ""
	}
	var override string
	switch f.plan.Engine.Kind {
	case VLLM:
		override = "VLLM_ALLOW_LONG_MAX_MODEL_LEN"
	case SGLang:
		override = "SGLANG_ALLOW_OVERWRITE_LONGER_CONTEXT_LEN"
	default:
		return ""
	}
	return fmt.Sprintf("there is room for it, but max_model_len %d is more than the %d tokens that the model was made for, which %s refuses; "+
		"%s or a rope scaling in the configuration overrides that", f.plan.MaxModelLen, f.model.model.Shape.MaxContext, f.plan.Engine.Kind, override)
}

// single reports whether the engine computes in 32 bits because the card has no bf16 and the family overflows in fp16.
func (p *Prepared) single(plan *Plan) bool {
	e := plan.era()
	has, known := plan.GPU.Supports["bf16"]
	if !known || has || p.model.Shape.DType == "float16" {
		return false
	}
	return slices.Contains(e.profile.NoFP16.at(e.version).Value, p.model.Shape.Family)
}

// widened is a range fitted on devices of NVIDIA, for others.
func widened(i Interval) Interval { return Interval{i.Low / 2, i.Mid, 2 * i.High} }
