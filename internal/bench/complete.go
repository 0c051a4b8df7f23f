package bench

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// MissingError says what a file does not say and nobody gave.
type MissingError struct{ Fields []string }

func (e *MissingError) Error() string {
	return "the results do not say " + strings.Join(e.Fields, ", ") + ": give it"
}

// name is a field that a person may set over what the file says, since files name things as the machine does.
type name struct {
	key      string
	field    func(*Measurement) *string
	required bool
}

func names() []name {
	return []name{
		{"model", func(m *Measurement) *string { return &m.Model }, true},
		{"precision", func(m *Measurement) *string { return &m.Precision }, true},
		{"kv", func(m *Measurement) *string { return &m.KV }, false},
		{"engine", func(m *Measurement) *string { return &m.Engine }, true},
		{"version", func(m *Measurement) *string { return &m.Version }, false},
		{"gpu", func(m *Measurement) *string { return &m.GPU }, true},
		{"division", func(m *Measurement) *string { return &m.Division }, false},
	}
}

// Said is what the file says of all its runs alike, with the names that it uses: the card as the driver calls it, the
// model as a file or a server does.
func (f *File) Said() Measurement {
	var common Measurement
	for i := range f.drafts {
		d := f.drafts[i].Measurement
		for _, n := range names() {
			if to := n.field(&common); i == 0 {
				*to = *n.field(&d)
			} else if *to != *n.field(&d) {
				*to = ""
			}
		}
		if i == 0 {
			common.GPUs = d.GPUs
		} else if common.GPUs != d.GPUs {
			common.GPUs = 0
		}
	}
	return common
}

// Complete makes measurements of the figures with what a person gave. Names that are given replace those of the file;
// numbers of the load are only filled in. The error is a *MissingError where something is still not known.
func (f *File) Complete(given Measurement) ([]Measurement, error) {
	if err := f.ambiguous(given); err != nil {
		return nil, err
	}
	var faults []error
	var missing MissingError
	var out []Measurement
	for i := range f.drafts {
		d := f.drafts[i]
		err := d.fill(given)
		if err == nil {
			d.lacks(&missing)
			if len(missing.Fields) == 0 {
				d.finish()
			}
		}
		d.ID, d.Own = strconv.Itoa(i+1), true
		if err == nil && len(missing.Fields) == 0 {
			err = d.Check()
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", d.where, err))
		}
		out = append(out, d.Measurement)
	}
	if len(missing.Fields) > 0 {
		faults = append(faults, &missing)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, fmt.Errorf("completing benchmark results: %w", err)
	}
	return out, nil
}

// ambiguous refuses one name for runs that name several.
func (f *File) ambiguous(given Measurement) error {
	for _, n := range names() {
		if *n.field(&given) == "" || n.key == "division" {
			continue
		}
		said := make(map[string]bool)
		for i := range f.drafts {
			said[*n.field(&f.drafts[i].Measurement)] = true
		}
		if len(said) > 1 {
			return fmt.Errorf("completing benchmark results: the runs have several values of %s, and one was given: split the file",
				n.key)
		}
	}
	return nil
}

// fill lays what was given over the draft.
func (d *draft) fill(given Measurement) error {
	for _, n := range names() {
		if v := *n.field(&given); v != "" {
			*n.field(&d.Measurement) = v
		}
	}
	if given.GPUs > 0 {
		d.GPUs = given.GPUs
	}
	division := Division{given.Tensor, given.Pipeline, given.Expert, given.Data}
	if division == (Division{}) {
		division = ParseDivision(d.Division, d.GPUs)
	}
	d.Tensor, d.Pipeline, d.Expert, d.Data = division.Tensor, division.Pipeline, division.Expert, division.Data
	if d.GPUs == 0 {
		d.GPUs = max(1, d.Tensor) * max(1, d.Pipeline) * max(1, d.Data)
		if division == (Division{}) {
			d.GPUs = 0
		}
	}
	return d.fillLoad(given)
}

func (d *draft) fillLoad(given Measurement) error {
	input := d.Input
	if d.kind == requestRate {
		d.Input = 0 // the mean of prompt and answer together
	}
	for _, x := range []struct {
		key      string
		to       *int64
		measured int64
		given    int64
	}{{"input", &d.Input, d.Input, given.Input}, {"output", &d.Output, d.Output, given.Output}} {
		if x.measured == 0 {
			*x.to = x.given
		} else if x.given != 0 && x.given != x.measured {
			return fmt.Errorf("%s is %d tokens in the file, and %d were given", x.key, x.measured, x.given)
		}
	}
	if d.kind == requestRate && d.Output > 0 {
		if d.Output >= input {
			return fmt.Errorf("prompt and answer have %d tokens in the file, and an answer of %d was given", input, d.Output)
		}
		d.Input = input - d.Output
		if given.Input != 0 && given.Input != d.Input {
			return fmt.Errorf("prompt and answer have %d tokens in the file, and %d and %d were given",
				input, given.Input, d.Output)
		}
	}
	switch {
	case given.Concurrency == 0 || given.Concurrency == d.Concurrency:
	case d.kind == batchSeconds:
		d.Concurrency = given.Concurrency
	default:
		return fmt.Errorf("concurrency is %d in the file, and %d was given", d.Concurrency, given.Concurrency)
	}
	return nil
}

// lacks adds what the draft still needs.
func (d *draft) lacks(missing *MissingError) {
	need := func(ok bool, key string) {
		for _, k := range missing.Fields {
			ok = ok || k == key
		}
		if !ok {
			missing.Fields = append(missing.Fields, key)
		}
	}
	for _, n := range names() {
		need(!n.required || *n.field(&d.Measurement) != "", n.key)
	}
	need(d.GPUs > 0, "gpus")
	switch d.kind {
	case none:
	case requestRate:
		need(d.Output > 0, "output")
	case batchSeconds:
		need(d.Concurrency > 0, "concurrency")
		need(d.Input > 0, "input")
		need(d.Output > 0, "output")
	}
}

// finish turns a raw figure into a metric, now that its lengths are known.
func (d *draft) finish() {
	switch d.kind {
	case requestRate:
		d.Metric, d.Value = MaxOutput, d.raw*float64(d.Output)
	case batchSeconds:
		d.Metric, d.Value = Output, float64(d.Concurrency)*float64(d.Output)/d.raw
		if d.Concurrency == 1 {
			d.Metric, d.Value = WithPrompt, float64(d.Input+d.Output)/d.raw
		}
	case none: // is a metric already
	}
}
