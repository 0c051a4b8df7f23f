package train

import (
	_ "embed"
	"fmt"
	"strconv"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/tune"
)

//go:embed constants.yaml
var constantsFile []byte

// What constants are of. Shares lie between 0 and 1, scales above 0; constants.yaml says what each means.
const (
	ofProduct    = iota // share of the ceiling that dense products reach
	ofExperts           // share of that which grouped products reach
	ofCeiling           // share of the peak of the best product, where nobody measured it
	ofTokens            // tokens of a pass below which products lose
	ofWidth             // narrowest side of a product below which it loses
	ofExpert            // tokens of one expert below which grouped products lose
	ofScores            // share of the ceiling of bf16 that attention reaches, causally counted
	ofLength            // tokens of context at which attention loses half
	ofTraffic           // bytes that move for each number that enters or leaves a product
	ofMemory            // share of the bandwidth of memory that streams reach
	ofLayer             // seconds of a layer and a pass beside what it computes
	ofRouting           // the same of routed experts beside it
	ofLink              // share of the bandwidth of the fast link
	ofNet               // share of the bandwidth of the network
	ofHideTensor        // share of exchanges of tensor and context ranks that passes behind products
	ofHideData          // of weights and gradients
	ofHideExpert        // of tokens on their way to experts
	ofStraggle          // share of a step lost with each doubling of the machines
	ofUneven            // what the busiest rank of experts has beside the mean
	ofUnpack            // share of the bandwidth with which frozen weights of few bits are unpacked
	ofHost              // bytes a second of one device's share of the memory of its host, while the host steps
	ofSelective         // share of a forward pass that selective recomputation repeats
	ofKept              // share of the time of a run that is left after what no log of steps shows
	ofFailing           // seconds between failures of one device
	ofRestart           // seconds until work goes on
	ofStorage           // bytes a second of one device into storage
	ofAnswer            // share of the bandwidth of memory that engines reach which write answers
	quantities
)

func quantityNames() []tune.Quantity {
	return []tune.Quantity{
		{Name: "product", Share: true},
		{Name: "experts", Share: true},
		{Name: "ceiling", Share: true},
		{Name: "tokens"},
		{Name: "width"},
		{Name: "expert_tokens"},
		{Name: "scores", Share: true},
		{Name: "length"},
		{Name: "traffic"},
		{Name: "memory", Share: true},
		{Name: "layer_time"},
		{Name: "routing_time"},
		{Name: "link", Share: true},
		{Name: "net", Share: true},
		{Name: "hide_tensor", Share: true},
		{Name: "hide_data", Share: true},
		{Name: "hide_expert", Share: true},
		{Name: "straggle"},
		{Name: "uneven"},
		{Name: "unpack", Share: true},
		{Name: "host"},
		{Name: "selective", Share: true},
		{Name: "kept", Share: true},
		{Name: "failing"},
		{Name: "restart"},
		{Name: "storage"},
		{Name: "answer", Share: true},
	}
}

// The families of figures that have ranges of their own.
const (
	ofStep = "step" // what a step takes: MFU, tokens a second
	ofRun  = "run"  // what a run takes, beside its steps
)

// Families are those that have ranges of their own.
func Families() []string { return []string{ofStep, ofRun} }

// The cases that make a figure less certain.
const (
	unseen   = "unseen"   // no step of the framework on the generation of devices was measured
	newCard  = "card"     // none on this device
	byExpert = "experts"  // tokens pick experts
	beside   = "adapters" // frozen weights
	offhost  = "offload"  // the host takes part
	aligning = "aligning" // answers are written and scored; no measurement is known to us
)

// Cases are those that may stand beside the base of a family, with the power that is taken where nothing is measured.
func Cases(family string) map[string]float64 {
	if family == ofRun {
		return map[string]float64{}
	}
	return map[string]float64{unseen: 1.4, newCard: 1.1, byExpert: 1.5, beside: 1.2, offhost: 1.6, aligning: 2.5}
}

// Judged reports whether measurements tell of a case; the others stay as they were set.
func Judged(name string) bool { return name != aligning }

// Strange reports whether a case is of something that was not measured, which never makes a range narrower.
func Strange(name string) bool {
	return name == unseen || name == newCard || name == aligning || name == offhost
}

// Constants are what times of training rest on beside datasheets. They do not change.
type Constants struct {
	*tune.Table

	Known tune.Known // what ranges take to be measured; nil asks the table
}

// Default reads the constants that are built in.
func Default() (*Constants, error) { return parse(constantsFile) }

func parse(data []byte) (*Constants, error) {
	t, err := tune.Parse("constants.yaml", data, tune.Schema{Quantities: quantityNames(), Families: Families(), Cases: Cases})
	if err != nil {
		return nil, err
	}
	return &Constants{Table: t}, nil
}

// first is the base of a quantity.
func (c *Constants) first(quantity int) tune.Constant {
	name := quantityNames()[quantity].Name
	for _, one := range c.List() {
		if one.Of == name && one.By == "base" {
			return one
		}
	}
	return tune.Constant{Of: name}
}

// base is its value where no effect is added.
func (c *Constants) base(quantity int) float64 { return c.first(quantity).Value }

// Source says what a quantity rests on: why its base is what it is, and the fit that set it.
func (c *Constants) Source(quantity int) string {
	one := c.first(quantity)
	return one.Of + " " + strconv.FormatFloat(one.Value, 'g', 3, 64) + ": " + one.Why + "; fitted on " + c.Fitted()
}

// sources say for each cause of a step what the constant rests on that settles most of it.
func (c *Constants) sources() [causes]string {
	var list [causes]string
	for at, q := range map[int]int{
		atProducts: ofProduct, atExperts: ofExperts, atAttention: ofScores, atHead: ofProduct, atElements: ofTraffic, atRecompute: ofProduct,
		atUnpack: ofUnpack, atTensor: ofHideTensor, atContext: ofHideTensor, atExchange: ofHideExpert, atData: ofHideData, atStages: ofHideData,
		atImbalance: ofStraggle, atUpdate: ofMemory, atOffload: ofHost, atRollout: ofAnswer, atScoring: ofProduct, atIdle: ofLayer,
	} {
		list[at] = c.Source(q)
	}
	list[atBubble] = "Narayanan and others 2021; Qi and others 2023"
	return list
}

// Where is the framework on the generation of devices, as measurements are sorted.
func Where(j *Job, p *Plan) string {
	return string(j.Framework) + " on " + p.GPU.Generation()
}

// compiled reports whether a framework fuses what lies between products, by a compiler or by kernels of its own.
func (f Framework) compiled() bool { return f == Megatron || f == TorchTitan || f == FSDP }

// groups are what effects may be of.
func groups(j *Job, p *Plan, experts bool) []string {
	generation, computed := p.GPU.Generation(), computedIn(j.Precision, p.GPU)
	list := []string{
		"framework " + string(j.Framework), "generation " + generation, "vendor " + p.GPU.Vendor, "format " + computed,
		"generation " + generation + ", format " + computed, "framework " + string(j.Framework) + ", generation " + generation,
		"framework " + string(j.Framework) + ", format " + computed, "frozen " + j.Quantized, "schedule " + string(p.Schedule),
	}
	if j.Framework.compiled() {
		list = append(list, "compiled")
	}
	if experts {
		list = append(list, "experts", "experts, generation "+generation, "experts, format "+computed)
		if p.Expert > p.domain() && (p.Pipeline == 1 || p.Virtual > 1) {
			list = append(list, "experts over machines, framework "+string(j.Framework))
		}
	}
	if !j.Trained() {
		list = append(list, "adapters")
	}
	return list
}

// Uses are the constants that hold for a job under a plan.
func (c *Constants) Uses(j *Job, p *Plan) []int {
	var used []int
	w := workOf(j.Shape, j.Method == Pretrain)
	for _, terms := range c.Terms(groups(j, p, w.routed > 0)) {
		used = append(used, terms...)
	}
	return used
}

// computedIn is the number format that products are computed in: what the device lacks is computed in the next wider.
func computedIn(f Precision, a *hardware.Accelerator) string {
	switch {
	case f == NVFP4 && a.DenseTFLOPS["fp4"] > 0:
		return "fp4"
	case (f == FP8 || f == NVFP4) && a.DenseTFLOPS["fp8"] > 0:
		return "fp8"
	case f == FP32:
		return "fp32"
	}
	return "16 bits"
}

// Peak is what MFU is held against, FLOP a second of one device.
func Peak(j *Job, p *Plan) float64 {
	flops, _ := peak(p.GPU, computedIn(j.Precision, p.GPU))
	return flops
}

// peak is what the datasheet says of products in a format, FLOP a second of one device, and which figure that is.
func peak(a *hardware.Accelerator, format string) (flops float64, name string) {
	names := map[string][]string{"fp4": {"fp4"}, "fp8": {"fp8"}, "16 bits": {"bf16", "fp16"}, "fp32": {"tf32", "fp32"}}
	for _, name := range append(names[format], "bf16", "fp16", "tf32", "fp32") {
		if v := a.DenseTFLOPS[name]; v > 0 {
			return v * 1e12 / float64(max(1, a.Devices)), name
		}
	}
	return 0, ""
}

// Cases are those that hold for a step.
func (c *Constants) Cases(j *Job, p *Plan) []tune.Strength {
	return c.cases(j, p, workOf(j.Shape, false).routed > 0)
}

func (c *Constants) cases(j *Job, p *Plan, experts bool) []tune.Strength {
	known := c.Known
	if known == nil {
		known = c.Seen()
	}
	var list []tune.Strength
	for name, holds := range map[string]bool{
		unseen: !known[ofStep+" "+Where(j, p)], newCard: !known[ofStep+" card "+p.GPU.ID], byExpert: experts,
		beside: !j.Trained(), offhost: j.Offload == OffOptimizer || j.Offload == OffAll, aligning: j.Method == PPO || j.Method == GRPO,
	} {
		if holds {
			list = append(list, tune.Strength{Case: name, Much: 1})
		}
	}
	return list
}

// basis says what the ranges rest on.
func (c *Constants) basis(j *Job, p *Plan, experts bool) string {
	text := "measured steps of " + Where(j, p)
	for _, s := range c.cases(j, p, experts) {
		if s.Case == unseen {
			text = fmt.Sprintf("no measured step of %s is known to us: as wide as for what a fit had to tell without having seen it", Where(j, p))
		}
	}
	return text
}
