package speed

import (
	_ "embed"
	"fmt"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/records"
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

// quantityKinds lists the names in the file, and whether a quantity is a share.
func quantityKinds() [quantities]kind {
	return [quantities]kind{
		{"weight_read", true},
		{"requests", false},
		{"cache_read", true},
		{"product", true},
		{"expert_share", true},
		{"token_ramp", false},
		{"expert_ramp", false},
		{"scores", true},
		{"answers", true},
		{"ceiling", true},
		{"step_time", false},
		{"layer_time", false},
		{"expert_time", false},
		{"launch_time", false},
		{"sequence_time", false},
		{"reduce_time", false},
		{"hop_time", false},
		{"link_share", true},
		{"overlap", true},
		{"skew", true},
		{"uneven", false},
		{"host_time", false},
	}
}

type kind struct {
	name  string
	share bool
}

// squash turns the sum of a base and its effects into a share or a scale.
func (k kind) squash(x float64) float64 {
	if k.share {
		return 1 / (1 + math.Exp(-x))
	}
	return math.Exp(x)
}

// spread is the inverse of squash.
func (k kind) spread(v float64) float64 {
	if k.share {
		return math.Log(v / (1 - v))
	}
	return math.Log(v)
}

// Constant is one number of the file. The base of a quantity is written in its own unit; an effect is added to the
// logarithm of a scale, or to the log odds of a share, so that no sum of effects leaves what is physical.
type Constant struct {
	Of    string  `yaml:"of"`
	By    string  `yaml:"by"` // base, or what the effect is of: "engine vllm", "generation hopper", "format fp8"
	Value float64 `yaml:"value"`
	Prior float64 `yaml:"prior"`          // where nothing is measured
	Loose float64 `yaml:"loose"`          // how far from Prior a fit may go easily: standard deviation of the logarithm or log odds
	Rows  int     `yaml:"rows,omitempty"` // measurements that it was fitted on
	Why   string  `yaml:"why,omitempty"`  // where Prior is from
}

// file is constants.yaml.
type file struct {
	Fitted     string      `yaml:"fitted"`
	Quantities []described `yaml:"quantities"`
	Constants  []Constant  `yaml:"constants"`
	Seen       []Seen      `yaml:"seen"`
	Widths     []Width     `yaml:"widths"`
}

type described struct {
	Name    string `yaml:"name"`
	Unit    string `yaml:"unit"`
	Meaning string `yaml:"meaning"`
}

// Constants are what speed rests on beside datasheets. They do not change.
type Constants struct {
	list   []Constant
	of     []Quantity
	base   [quantities]int
	by     map[string][]int // effects by what they are of
	values []float64        // as they are added
	kinds  [quantities]kind
	ranges map[string]ranges
	seen   Known
	fitted string
}

// Default reads the constants that are built in.
func Default() (*Constants, error) { return parse(constantsFile) }

func parse(data []byte) (*Constants, error) {
	var f file
	if err := records.Decode("constants.yaml", data, &f); err != nil {
		return nil, err
	}
	c := &Constants{list: f.Constants, by: map[string][]int{}, kinds: quantityKinds(), fitted: f.Fitted}
	if err := c.known(&f); err != nil {
		return nil, err
	}
	for i := range c.base {
		c.base[i] = -1
	}
	for i := range c.list {
		if err := c.add(i); err != nil {
			return nil, fmt.Errorf("constants.yaml: constant %d: %w", i+1, err)
		}
	}
	if len(f.Quantities) != len(c.kinds) {
		return nil, fmt.Errorf("constants.yaml: %d quantities are described, want %d", len(f.Quantities), len(c.kinds))
	}
	for q, i := range c.base {
		if said := f.Quantities[q]; said.Name != c.kinds[q].name || said.Unit == "" || said.Meaning == "" {
			return nil, fmt.Errorf("constants.yaml: quantity %d is %q, want %s with its unit and meaning", q+1, said.Name, c.kinds[q].name)
		}
		if i < 0 {
			return nil, fmt.Errorf("constants.yaml: no base of %s", c.kinds[q].name)
		}
	}
	return c, nil
}

func (c *Constants) add(i int) error {
	one := &c.list[i]
	q := quantities
	for n := range c.kinds {
		if c.kinds[n].name == one.Of {
			q = Quantity(n)
		}
	}
	switch {
	case q == quantities:
		return fmt.Errorf("there is no quantity %q", one.Of)
	case math.IsNaN(one.Value) || math.IsInf(one.Value, 0):
		return fmt.Errorf("%s of %s is no number", one.Of, one.By)
	}
	c.of = append(c.of, q)
	if one.By != "base" {
		c.by[one.By] = append(c.by[one.By], i)
		c.values = append(c.values, one.Value)
		return nil
	}
	if one.Value <= 0 || c.kinds[q].share && one.Value >= 1 {
		return fmt.Errorf("%s of %v is not physical", one.Of, one.Value)
	}
	c.base[q] = i
	c.values = append(c.values, c.kinds[q].spread(one.Value))
	return nil
}

// known sorts the widths and what was seen.
func (c *Constants) known(f *file) error {
	var err error
	if c.ranges, err = sortWidths(f.Widths); err != nil {
		return fmt.Errorf("constants.yaml: %w", err)
	}
	c.seen = make(Known, 64)
	for _, s := range f.Seen {
		for _, here := range slices.Concat(s.Here, s.Cards, s.Sizes) {
			c.seen[s.Of+" "+here] = true
		}
	}
	return nil
}
