package speed

import (
	_ "embed"

	"github.com/llmcheck/llmcheck/internal/tune"
)

//go:embed constants.yaml
var constantsFile []byte

// Quantity is what a constant is of.
type Quantity int

// The quantities. Shares lie between 0 and 1, scales above 0.
const (
	WeightRead   Quantity = iota // share of the bandwidth of memory with which weights are read
	Requests                     // bytes that a multiprocessor asks for in a clock
	CacheRead                    // the same of keys and values
	Product                      // share of the measured ceiling that dense matrix products reach
	ExpertShare                  // share of Product that products of experts reach
	TokenRamp                    // tokens of a batch below which products lose
	ExpertRamp                   // tokens of one expert below which products lose
	Scores                       // share of the ceiling that attention reaches in prompts
	Answers                      // share of the ceiling that attention reaches in answers
	Ceiling                      // share of the peak of the best product measured, where nobody measured it
	StepTime                     // seconds of a pass whatever is in it: scheduler, sampler
	LayerTime                    // seconds of a layer whatever is in it: kernels that are launched and wait for each other
	ExpertTime                   // the same of routed experts beside it
	LaunchTime                   // seconds of the host for each layer that is launched without a graph
	SequenceTime                 // seconds of a pass for each sequence in it
	ReduceTime                   // seconds that an exchange takes whatever is sent
	HopTime                      // seconds that a hop to the next stage takes whatever is sent
	LinkShare                    // share of the bandwidth of the link that exchanges reach
	Overlap                      // share of the parts of a lone prompt at which stages of a pipeline work at the same time
	Skew                         // share of tokens that count where routing picks experts: the rest pick what others picked
	Uneven                       // what the busiest rank of experts has beside the mean, for one of two tokens an expert
	HostTime                     // seconds before a request can be scheduled
	quantities
)

// kinds lists the names in the file, and whether a quantity is a share.
func kinds() []tune.Quantity {
	return []tune.Quantity{
		{Name: "weight_read", Share: true},
		{Name: "requests"},
		{Name: "cache_read", Share: true},
		{Name: "product", Share: true},
		{Name: "expert_share", Share: true},
		{Name: "token_ramp"},
		{Name: "expert_ramp"},
		{Name: "scores", Share: true},
		{Name: "answers", Share: true},
		{Name: "ceiling", Share: true},
		{Name: "step_time"},
		{Name: "layer_time"},
		{Name: "expert_time"},
		{Name: "launch_time"},
		{Name: "sequence_time"},
		{Name: "reduce_time"},
		{Name: "hop_time"},
		{Name: "link_share", Share: true},
		{Name: "overlap", Share: true},
		{Name: "skew", Share: true},
		{Name: "uneven"},
		{Name: "host_time"},
	}
}

// Constant is one number of the file.
type Constant = tune.Constant

// Constants are what speed rests on beside datasheets. They do not change.
type Constants struct{ *tune.Table }

// Default reads the constants that are built in.
func Default() (*Constants, error) { return parse(constantsFile) }

func parse(data []byte) (*Constants, error) {
	t, err := tune.Parse("constants.yaml", data, tune.Schema{Quantities: kinds(), Families: Families(), Cases: Cases})
	if err != nil {
		return nil, err
	}
	return &Constants{t}, nil
}
