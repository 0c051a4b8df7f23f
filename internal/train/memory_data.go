package train

import (
	_ "embed"
	"fmt"
	"slices"
	"sync"

	"github.com/llmcheck/llmcheck/internal/arch"
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

// widening is how much further the range goes up in a case.
type widening struct {
	Name  string  `yaml:"name"`
	Share float64 `yaml:"share"`
	Why   string  `yaml:"why"`
}

// memoryData is memory.yaml.
type memoryData struct {
	Numerics  []numerics  `yaml:"numerics"`
	Constants []constant  `yaml:"constants"`
	Cases     []widening  `yaml:"cases"`
	Measured  []Framework `yaml:"measured"`
	Held      string      `yaml:"held"`
	Open      string      `yaml:"open"`
	Formats   []stored    `yaml:"formats"`

	by      map[string]*constant
	formats map[string]*stored
	keeps   map[Framework]*numerics
}

// memoryConstants lists the names that the account asks for.
func memoryConstants() []string {
	return []string{
		"context", "workspace", "trainer", "loading", "reserve", "group", "fragments", "kept", "kept_fused", "live", "plain_logits", "parallel_logits", "chunked_logits", "compiled_logits",
		"fused_logits", "open_less", "open_more", "selective", "imbalance", "prefetch", "live_parameters", "bucket", "engine", "asleep", "adapter_input",
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
	for _, name := range memoryCases() {
		if !slices.ContainsFunc(d.Cases, func(w widening) bool { return w.Name == name && w.Share >= 0 && w.Why != "" }) {
			return fmt.Errorf("memory.yaml: no case %q", name)
		}
	}
	return nil
}

// The cases in which a range goes further up.
const (
	unmeasured = "framework not measured"
	mixture    = "mixture of experts"
	ownAnswers = "learning from answers"
)

func memoryCases() []string { return []string{unmeasured, mixture, ownAnswers} }

// holds reports whether a job is of a case.
func (d *memoryData) holds(j *Job, name string) bool {
	switch name {
	case unmeasured:
		return !slices.Contains(d.Measured, j.Framework)
	case mixture:
		return slices.ContainsFunc(j.Shape.Blocks, func(b arch.Block) bool { return b.MLP.Experts > 0 })
	}
	return j.Method.Aligns()
}

// widened is how much further up the range of a job goes, and for which cases.
func (d *memoryData) widened(j *Job) (share float64, names []string) {
	for i := range d.Cases {
		if w := &d.Cases[i]; d.holds(j, w.Name) {
			share, names = share+w.Share, append(names, w.Name)
		}
	}
	return share, names
}
