package train

import (
	_ "embed"
	"fmt"
	"sync"

	"github.com/llmcheck/llmcheck/internal/records"
)

//go:embed memory.yaml
var memoryFile []byte

// numerics are the bytes of each trained parameter.
type numerics struct {
	Framework Framework `yaml:"framework"`
	Weights   float64   `yaml:"weights"`
	Gradients float64   `yaml:"gradients"`
	Master    float64   `yaml:"master"`
	Moments   float64   `yaml:"moments"`
	Why       string    `yaml:"why"`
	Source    string    `yaml:"source"`
}

// constant is what is no physics.
type constant struct {
	Name   string  `yaml:"name"`
	Unit   string  `yaml:"unit"`
	Low    float64 `yaml:"low"`
	Mid    float64 `yaml:"mid"`
	High   float64 `yaml:"high"`
	Why    string  `yaml:"why"`
	Source string  `yaml:"source"`
}

func (c *constant) of() Range { return Range{c.Low, c.Mid, c.High} }

// stored is how many bytes a frozen weight takes.
type stored struct {
	Name   string  `yaml:"name"`
	Bytes  float64 `yaml:"bytes"`
	Why    string  `yaml:"why"`
	Source string  `yaml:"source"`
}

// memoryData is memory.yaml.
type memoryData struct {
	Numerics  []numerics `yaml:"numerics"`
	Constants []constant `yaml:"constants"`
	Formats   []stored   `yaml:"formats"`

	by      map[string]*constant
	formats map[string]*stored
	keeps   map[Framework]*numerics
}

// memoryConstants lists the names that the account asks for.
func memoryConstants() []string {
	return []string{
		"context", "workspace", "group", "fragments", "kept", "live", "plain_logits", "parallel_logits", "chunked_logits",
		"fused_logits", "selective", "imbalance", "prefetch", "live_parameters", "bucket", "engine", "adapter_input",
	}
}

// remembered reads the file once; nothing in it changes afterwards.
//
//nolint:gochecknoglobals // it is read only
var remembered = sync.OnceValues(func() (*memoryData, error) { return parseMemory(memoryFile) })

func parseMemory(data []byte) (*memoryData, error) {
	d := &memoryData{by: map[string]*constant{}, formats: map[string]*stored{}, keeps: map[Framework]*numerics{}}
	if err := records.Decode("memory.yaml", data, d); err != nil {
		return nil, err
	}
	for i := range d.Constants {
		c := &d.Constants[i]
		if c.Low < 0 || c.Mid < c.Low || c.High < c.Mid || c.Unit == "" || c.Why == "" || c.Source == "" {
			return nil, fmt.Errorf("memory.yaml: constant %s: want low to high with unit, why and source", c.Name)
		}
		d.by[c.Name] = c
	}
	for i := range d.Formats {
		d.formats[d.Formats[i].Name] = &d.Formats[i]
	}
	for i := range d.Numerics {
		d.keeps[d.Numerics[i].Framework] = &d.Numerics[i]
	}
	return d, d.complete()
}

// complete reports what the account would ask for in vain.
func (d *memoryData) complete() error {
	for _, name := range memoryConstants() {
		if d.by[name] == nil {
			return fmt.Errorf("memory.yaml: no constant %s", name)
		}
	}
	for _, f := range Frameworks() {
		if d.keeps[f] == nil {
			return fmt.Errorf("memory.yaml: no numerics of %s", f)
		}
	}
	for _, name := range []string{"bf16", "nf4", "nf4-dq", "int8", "int4"} {
		if f := d.formats[name]; f == nil || f.Bytes <= 0 {
			return fmt.Errorf("memory.yaml: no format %s", name)
		}
	}
	return nil
}
