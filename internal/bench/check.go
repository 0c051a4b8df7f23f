package bench

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Most of what a measurement may hold; above it a figure is a slip or an attack.
const (
	mostGPUs   = 100_000
	mostTokens = 1 << 40
	mostText   = 400
)

// Metrics are all metrics, in the order in which they are told.
func Metrics() []Metric {
	return []Metric{Decode, Prefill, MaxOutput, Output, TTFT, TPOT, WithPrompt, UnderLimits}
}

// Seconds reports whether less is better: the metric is a time and not a rate.
func (m Metric) Seconds() bool { return m == TTFT || m == TPOT }

// Unit is what the value counts.
func (m Metric) Unit() string {
	if m.Seconds() {
		return "s"
	}
	return "tokens/s"
}

// Check reports everything that no measurement can be.
func (m *Measurement) Check() error {
	return errors.Join(m.checkNames(), m.checkNumbers())
}

func (m *Measurement) checkNames() error {
	var faults []error
	for _, name := range []struct{ key, text string }{
		{"id", m.ID}, {"model", m.Model}, {"precision", m.Precision}, {"engine", m.Engine}, {"gpu", m.GPU},
	} {
		if name.text == "" {
			faults = append(faults, fmt.Errorf("%s is missing", name.key))
		}
	}
	for _, name := range []struct{ key, text string }{
		{"id", m.ID},
		{"model", m.Model},
		{"precision", m.Precision},
		{"kv", m.KV},
		{"engine", m.Engine},
		{"version", m.Version},
		{"gpu", m.GPU},
		{"division", m.Division},
		{"note", m.Note},
		{"broken", m.Broken},
	} {
		if !OneLine(name.text) {
			faults = append(faults, fmt.Errorf("%s is %.40q, want one line of at most %d bytes", name.key, name.text, mostText))
		}
	}
	if !slices.Contains(Metrics(), m.Metric) {
		faults = append(faults, fmt.Errorf("metric is %.40q, want one of %v", m.Metric, Metrics()))
	}
	return errors.Join(faults...)
}

// OneLine reports whether a text can be kept and shown in a line: it is short, UTF-8, and has no control character.
func OneLine(text string) bool {
	return len(text) <= mostText && utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

func (m *Measurement) checkNumbers() error {
	var faults []error
	want := func(ok bool, key string, value any, wanted string) {
		if !ok {
			faults = append(faults, fmt.Errorf("%s is %v, want %s", key, value, wanted))
		}
	}
	want(m.Value > 0 && m.Value <= math.MaxFloat32, "value", m.Value, "more than 0")
	want(m.GPUs >= 1 && m.GPUs <= mostGPUs, "gpus", m.GPUs, "one or more")
	for _, n := range []struct {
		key   string
		value int
	}{{"tensor", m.Tensor}, {"pipeline", m.Pipeline}, {"expert", m.Expert}, {"data", m.Data}} {
		want(n.value >= 0 && n.value <= mostGPUs, n.key, n.value, "0 or more, and not more than there can be GPUs")
	}
	want(m.Concurrency >= 0 && m.Concurrency <= 1<<30, "concurrency", m.Concurrency, "0 or more")
	want(m.Rate >= 0 && m.Rate <= math.MaxFloat32, "rate", m.Rate, "0 or more")
	want(m.Input >= 0 && m.Input <= mostTokens, "input", m.Input, "0 or more tokens")
	want(m.Output >= 0 && m.Output <= mostTokens, "output", m.Output, "0 or more tokens")
	return errors.Join(faults...)
}
