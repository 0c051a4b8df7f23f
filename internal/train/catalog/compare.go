package catalog

import "github.com/llmcheck/llmcheck/internal/train"

// Comparable reports whether something that is computed is held against the figure, or why not. Blind is as in Question:
// then only figures count that a document of estimate train has as they are.
func (m *Measurement) Comparable(blind bool) (why string, ok bool) {
	switch m.Metric {
	case AboutPeak, RuleOfThumb:
		return "the figure is a rule of thumb and no measurement", false
	case RunWh, RunCO2:
		return "power and carbon are another question", false
	case TokensPerS, Step, PeakOfAll:
		if blind {
			return "the figure is of all devices or of one step", false
		}
	}
	if !blind && m.Outside != "" {
		return m.Outside, false
	}
	if _, err := m.method(); err != nil {
		return err.Error(), false
	}
	return "", true
}

// Computed is what was computed for the question of a measurement in the unit of its figure, if it was. Either of memory
// and figures may be nil.
func (m *Measurement) Computed(p *train.Plan, memory *train.Memory, figures *train.Figures) (train.Range, bool) {
	gpus := float64(max(1, p.GPUs))
	switch {
	case m.Metric.Kind() == Memory && memory != nil:
		if m.Metric == PeakOfAll {
			return memory.Total.Times(gpus), true
		}
		return memory.Total, m.Metric == Peak || m.Metric == AboutPeak
	case figures == nil:
		return train.Range{}, false
	case m.Metric.Kind() == Runs && figures.Run != nil:
		return m.ofRun(figures.Run)
	}
	switch m.Metric {
	case MFU:
		return figures.MFU, true
	case ModelFLOPs:
		return figures.Achieved, true
	case TokensPerGPU:
		return figures.TokensPerS.Times(1 / gpus), true
	case TokensPerS:
		return figures.TokensPerS, true
	case Step:
		return figures.StepSeconds, true
	}
	return train.Range{}, false
}

func (m *Measurement) ofRun(r *train.Run) (train.Range, bool) {
	switch m.Metric {
	case GPUHours:
		return r.GPUHours, true
	case RunSeconds:
		return r.Seconds, true
	}
	return train.Range{}, false
}
