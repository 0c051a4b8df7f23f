package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/bench"
	measured "github.com/llmcheck/llmcheck/internal/bench/catalog"
	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/queue"
	"github.com/llmcheck/llmcheck/internal/serve"
	"github.com/llmcheck/llmcheck/internal/speed"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

// row is a measurement with the model that is to match it.
type row struct {
	bench.Measurement
	family string
	model  *speed.Model
	load   speed.Load
	uses   []int
	group  map[string]string // what is left out together
}

// table reads measurements; each model is prepared once.
type table struct {
	constants *speed.Constants
	cards     *catalog.Catalog
	models    *models.Catalog
	prepared  map[string]*serve.Prepared
	engines   map[string]*serve.Engine
}

// rows are all measurements that can be asked, and how many of the others there are, by reason.
func rows(c *speed.Constants) ([]*row, map[string]int, error) {
	all, err := measured.Default().All()
	if err != nil || len(all) == 0 {
		return nil, nil, fmt.Errorf("reading the measurements: %d of them: %w", len(all), err)
	}
	t := table{c, catalog.Default(), models.Default(), map[string]*serve.Prepared{}, map[string]*serve.Engine{}}
	var list []*row
	refused := map[string]int{}
	for i := range all {
		r, err := t.row(&all[i])
		switch {
		case err != nil:
			refused[err.Error()]++
		case r != nil:
			list = append(list, r)
		}
	}
	return list, refused, nil
}

// row is nil for a metric that is not fitted.
func (t *table) row(b *bench.Measurement) (*row, error) {
	family := familyOf(b)
	if family == "" {
		return nil, nil //nolint:nilnil // as said
	}
	p, err := t.plan(b)
	if err != nil {
		return nil, err
	}
	m, err := t.model(b.Model, b.Precision, p.Engine.Kind)
	if err != nil {
		return nil, err
	}
	if longest := m.Model().Shape.MaxContext; longest > 0 {
		p.MaxModelLen = min(p.MaxModelLen, longest) // what goes beyond was measured all the same
	}
	r := &row{Measurement: *b, family: family, load: loadOf(b)}
	r.model, err = t.settled(m, p, r.load)
	if err != nil {
		return nil, err
	}
	r.uses = r.model.Uses()
	r.group = map[string]string{
		"card": b.GPU, "model": b.Model, "engine": b.Engine, "source": b.Source.Title,
		"cell": b.Model + " " + p.GPU.Arch + " " + b.Engine,
	}
	return r, nil
}

func familyOf(b *bench.Measurement) string {
	mlperf := strings.HasPrefix(b.ID, "mlperf")
	switch {
	case b.Metric == bench.UnderLimits && !strings.Contains(b.Note, "server scenario"):
		return ""
	case mlperf:
		return "mlperf"
	}
	return string(b.Metric)
}

// loadOf asks as the score does: 512 and 128 tokens where nothing is said.
func loadOf(b *bench.Measurement) speed.Load {
	in, out := float64(b.Input), float64(b.Output)
	if in == 0 {
		in = 512
	}
	if out == 0 {
		out = 128
	}
	return speed.Load{Input: queue.Length{Mean: in}, Output: queue.Length{Mean: out}, Concurrency: float64(b.Concurrency)}
}

func (t *table) model(id, precision string, kind serve.Kind) (*serve.Prepared, error) {
	key := id + " " + precision + " " + string(kind)
	if p := t.prepared[key]; p != nil {
		return p, nil
	}
	ids := t.models.Resolve(id)
	if len(ids) == 0 {
		return nil, fmt.Errorf("no model %s", id)
	}
	config, hf, _, err := t.models.Config(ids[0])
	if err != nil {
		return nil, err
	}
	shape, err := arch.Of(config)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", id, err)
	}
	scheme, err := schemeOf(shape, config, hf, precision)
	if err != nil {
		return nil, err
	}
	if kind == serve.LlamaCPP && !scheme.GGUF() && scheme.Quantized() {
		if scheme, err = quant.As(shape, ofLlama(scheme)); err != nil {
			return nil, err
		}
	}
	t.prepared[key] = serve.Prepare(serve.Model{Shape: shape, Weights: scheme})
	return t.prepared[key], nil
}

// ofLlama is the file type of llama.cpp that is meant where a row names another format.
func ofLlama(s *quant.Scheme) string {
	switch {
	case strings.HasPrefix(s.Name, "mxfp4"):
		return "MXFP4_MOE"
	case strings.Contains(s.Name, "8"):
		return "Q8_0"
	}
	return "Q4_K_M"
}

// schemeOf is the number format of a row: as stored where that is what it names.
func schemeOf(shape *arch.Shape, config, hf strictjson.Value, name string) (*quant.Scheme, error) {
	stored, err := quant.Stored(shape, config, hf)
	if err == nil && stored.Is(name) {
		return stored, nil
	}
	asked, err := quant.As(shape, name)
	if errors.Is(err, quant.ErrName) {
		asked, err = quant.As(shape, likeName(name))
	}
	if err != nil {
		return nil, fmt.Errorf("precision %s: %w", name, err)
	}
	return asked, nil
}

// likeName is the nearest name for odd ones.
func likeName(name string) string {
	switch {
	case strings.HasPrefix(name, "awq"):
		return "awq"
	case strings.HasPrefix(name, "gptq"), strings.HasPrefix(name, "int4"):
		return "gptq"
	case strings.HasPrefix(name, "exl2-3"):
		return "q3_k_s"
	case strings.HasPrefix(name, "exl2-5"):
		return "q5_k_s"
	case strings.HasPrefix(name, "exl2"):
		return "q4_k_s"
	case name == "f16":
		return "fp16"
	}
	return name
}

func (t *table) plan(b *bench.Measurement) (serve.Plan, error) {
	p := serve.Plan{
		GPUs: b.GPUs, Tensor: b.Tensor, Pipeline: b.Pipeline, Expert: b.Expert, Data: b.Data, KV: b.KV, Wanted: float64(b.Concurrency),
	}
	card, err := t.cards.Get(b.GPU)
	if err != nil {
		return p, err
	}
	p.GPU = card
	if t.engines[b.Engine] == nil {
		e, err := serve.FindEngine(b.Engine, "")
		if err != nil {
			return p, err
		}
		t.engines[b.Engine] = e
	}
	p.Engine = t.engines[b.Engine]
	l := loadOf(b)
	p.MaxModelLen = max(8192, int64(l.Input.Mean+l.Output.Mean))
	return p, nil
}

// best is the division that answers most, among those that fit, as the command chooses it.
func (t *table) best(m *serve.Prepared, p serve.Plan, l speed.Load) (*speed.Model, error) {
	var best *speed.Model
	most := 0.0
	for _, q := range m.Divisions(p) {
		memory, err := m.Fit(q)
		if err != nil || memory.Verdict == serve.DoesNot {
			continue
		}
		s, err := t.constants.Of(m, q, memory)
		if err != nil {
			return nil, err
		}
		if f := s.Figures(l); f.MaxOutput.Mid > most {
			best, most = s, f.MaxOutput.Mid
		}
	}
	if best == nil {
		return nil, fmt.Errorf("no division of %d devices fits", p.GPUs)
	}
	return best, nil
}

// settled is the model under the plan; where nobody said how devices share the work, the division that answers most.
func (t *table) settled(m *serve.Prepared, p serve.Plan, l speed.Load) (*speed.Model, error) {
	if p.GPUs > 1 && p.Tensor+p.Pipeline+p.Data == 0 {
		p.Chosen = true
		return t.best(m, p, l)
	}
	p.Data, p.Tensor, p.Pipeline = max(1, p.Data), max(1, p.Tensor), max(1, p.Pipeline)
	p.GPUs = p.Data * p.Tensor * p.Pipeline
	mem, err := m.Fit(p)
	if err != nil {
		p.Expert = 1
		mem, _ = m.Fit(p)
	}
	return t.constants.Of(m, p, mem)
}
