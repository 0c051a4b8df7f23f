// Package catalog holds measurements of training that others published, a table for each document under public/, the
// shapes of the models in them that have no record among the models, and the networks that machines for training have.
// Each says where a person can find it.
package catalog

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/evidence"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
)

//go:embed public/*.tsv shapes/*.yaml
var embedded embed.FS

// Metric says what was measured.
type Metric string

// The metrics, with their units.
const (
	MFU          Metric = "mfu"                  // share of the dense peak
	ModelFLOPs   Metric = "model_flops_per_gpu"  // FLOP/s
	TokensPerGPU Metric = "tokens_per_s_per_gpu" // tokens/s
	TokensPerS   Metric = "tokens_per_s"         // tokens/s of all devices
	Step         Metric = "step_s"               // s, of one step of the optimizer
	Peak         Metric = "peak_bytes_per_gpu"   // bytes
	PeakOfAll    Metric = "peak_bytes"           // bytes of all devices together
	GPUHours     Metric = "gpu_hours"            // hours
	RunSeconds   Metric = "run_s"                // s
	AboutPeak    Metric = "about_bytes_per_gpu"  // bytes, as maintainers remember them
	RuleOfThumb  Metric = "rule_of_thumb_bytes"  // bytes of all devices, of no machine in particular
	RunWh        Metric = "run_wh"               // Wh
	RunCO2       Metric = "run_g_co2"            // g
)

// Kind is what a metric is about.
type Kind string

// The kinds.
const (
	Speed  Kind = "speed"
	Memory Kind = "memory"
	Runs   Kind = "run"
)

// Kind is what the metric is about; "" for one that is not known.
func (m Metric) Kind() Kind {
	switch m {
	case MFU, ModelFLOPs, TokensPerGPU, TokensPerS, Step:
		return Speed
	case Peak, PeakOfAll, AboutPeak, RuleOfThumb:
		return Memory
	case GPUHours, RunSeconds, RunWh, RunCO2:
		return Runs
	}
	return ""
}

// Unit is that of its values.
func (m Metric) Unit() string {
	switch m {
	case MFU:
		return ""
	case ModelFLOPs:
		return "FLOP/s"
	case TokensPerGPU, TokensPerS:
		return "tokens/s"
	case Step, RunSeconds:
		return "s"
	case GPUHours:
		return "GPU-hours"
	case RunWh:
		return "Wh"
	case RunCO2:
		return "g"
	}
	return "bytes"
}

// Measurement is one published figure with the setting it is of. What the document is silent about is zero.
type Measurement struct {
	ID      string // "torchtitan-h100/3"
	Model   string // as published
	Known   string // id of the catalog of models, or of a shape of this catalog; "" if neither has it
	BySize  bool   // somebody who has the table alone knows the size of the model and not its configuration
	Params  float64
	Active  float64
	Outside string // why no plain training of this model has such figures; "" for nearly all

	// In the words of the document.
	Method, Framework, Precision, Division, Recompute, Optimizer string

	GPU    string // id of the catalog of accelerators; "" is not said
	GPUs   int
	Card   *Variant // how its cards differ from that of the catalog; nil for nearly all
	Net    float64  // bytes a second of one device out of its machine; 0 is not said
	Micro  int64
	Global int64
	Seq    int64
	Tokens float64
	Rank   int64
	Target string // names of modules that get adapters, with commas

	Metric Metric
	Value  float64
	Rate   float64 // tokens/s of one device, where it is published beside
	HFU    float64 // likewise
	Note   string
	Source evidence.Source
}

// Variant is what a card has otherwise than the one that is sold under its name.
type Variant struct {
	MemoryGB float64 `yaml:"memory_gb"`
	Watts    float64 `yaml:"watts"`
	Why      string  `yaml:"why"`
}

// All lists the measurements, in the order of the names of their tables. The list is the caller's.
func All() ([]Measurement, error) {
	list, err := decoded()
	return slices.Clone(list), err
}

// decoded reads the tables once: several places of one answer ask for them.
var decoded = sync.OnceValues(decode)

func decode() ([]Measurement, error) {
	entries, err := fs.ReadDir(embedded, "public")
	if err != nil {
		return nil, fmt.Errorf("listing the published measurements of training: %w", err)
	}
	all := make([]Measurement, 0, 256)
	var faults []error
	for _, e := range entries {
		text, err := fs.ReadFile(embedded, "public/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the published measurements of training: %w", err)
		}
		all, err = decodeTable(all, e.Name(), string(text))
		faults = append(faults, err)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	for i := range all {
		if all[i].Metric.Kind() != Runs {
			continue
		}
		if why, _, ok := models.Made(all[i].Known); ok {
			all[i].Outside = why // what others measured with its shape is plain training all the same
		}
	}
	return all, nil
}

// slug is the name of a table without its ending.
func slug(file string) string { return strings.TrimSuffix(file, ".tsv") }
