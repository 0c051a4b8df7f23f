package catalog

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/records"
)

// Record is what one document says, or what one file of a benchmark of the user's holds.
type Record struct {
	Title   string        `yaml:"title"`             // the document, or the file
	Edition string        `yaml:"edition,omitempty"` // its version, commit or time
	URL     string        `yaml:"url,omitempty"`
	Digest  string        `yaml:"digest,omitempty"`  // of the user's file: sha256:...
	Checked evidence.Date `yaml:"checked,omitempty"` // the day of the measurement, if it is the user's own
	Own     bool          `yaml:"own,omitempty"`     // the user made it
	Note    string        `yaml:"note,omitempty"`
	Rows    []Row         `yaml:"measurements"`
}

// Row is one figure of a record; see bench.Measurement.
type Row struct {
	ID          string       `yaml:"id"`
	Place       string       `yaml:"place,omitempty"` // in the document
	Model       string       `yaml:"model"`
	Precision   string       `yaml:"precision"`
	KV          string       `yaml:"kv,omitempty"`
	Engine      string       `yaml:"engine"`
	Version     string       `yaml:"version,omitempty"`
	GPU         string       `yaml:"gpu"`
	GPUs        int          `yaml:"gpus"`
	Division    string       `yaml:"division,omitempty"` // as bench.ParseDivision reads it
	Concurrency int          `yaml:"concurrency,omitempty"`
	Rate        float64      `yaml:"rate,omitempty"`
	Input       int64        `yaml:"input,omitempty"`
	Output      int64        `yaml:"output,omitempty"`
	Metric      bench.Metric `yaml:"metric"`
	Value       float64      `yaml:"value"`
	Note        string       `yaml:"note,omitempty"`
	Broken      string       `yaml:"broken,omitempty"`
}

// mostRows bounds a record: more are no document that somebody read.
const mostRows = 20_000

// Check reports what is wrong with the record of a file.
func Check(name string, r *Record) error {
	var faults []error
	switch {
	case r.Title == "":
		faults = append(faults, errors.New("title is missing"))
	case len(r.Rows) == 0:
		faults = append(faults, errors.New("measurements: there is none"))
	case len(r.Rows) > mostRows:
		return fmt.Errorf("measurements: %d are more than %d", len(r.Rows), mostRows)
	}
	for _, text := range []string{r.Title, r.Edition, r.URL, r.Digest, r.Note} {
		if !bench.OneLine(text) {
			faults = append(faults, fmt.Errorf("%.40q is not one line of text", text))
		}
	}
	if strings.Contains(name, "/") || name == "" {
		faults = append(faults, fmt.Errorf("the name %q of the record is not that of a file", name))
	}
	ids := make(map[string]bool, len(r.Rows))
	for i := range r.Rows {
		row := &r.Rows[i]
		m := r.measurement(row, name)
		if err := m.Check(); err != nil {
			faults = append(faults, fmt.Errorf("measurement %d, %.40q: %w", i+1, row.ID, err))
		}
		if !bench.OneLine(row.Place) {
			faults = append(faults, fmt.Errorf("measurement %d: place is not one line of text", i+1))
		}
		if row.ID == "" || ids[row.ID] {
			faults = append(faults, fmt.Errorf("measurement %d: the id %.40q is empty or there twice", i+1, row.ID))
		}
		ids[row.ID] = true
	}
	return errors.Join(faults...)
}

func (r *Record) measurements(all []bench.Measurement, name string) []bench.Measurement {
	for i := range r.Rows {
		all = append(all, r.measurement(&r.Rows[i], name))
	}
	return all
}

func (r *Record) measurement(row *Row, name string) bench.Measurement {
	d := bench.ParseDivision(row.Division, row.GPUs)
	return bench.Measurement{
		ID: name + "/" + row.ID, Model: row.Model, Precision: row.Precision, KV: row.KV, Engine: row.Engine,
		Version: row.Version, GPU: row.GPU, GPUs: row.GPUs, Tensor: d.Tensor, Pipeline: d.Pipeline, Expert: d.Expert,
		Data: d.Data, Division: row.Division, Concurrency: row.Concurrency, Rate: row.Rate, Input: row.Input,
		Output: row.Output, Metric: row.Metric, Value: row.Value, Note: row.Note, Broken: row.Broken, Own: r.Own,
		Source: evidence.Source{Title: r.title(row.Place), URL: r.URL, Checked: r.Checked},
	}
}

// title leads a person to the figure: document, edition and place.
func (r *Record) title(place string) string {
	title := r.Title
	if detail := cmp.Or(r.Edition, short(r.Digest)); detail != "" {
		title += " (" + detail + ")"
	}
	if place != "" {
		title += ", " + place
	}
	return title
}

// short is enough of a digest to tell two files apart.
func short(digest string) string { return digest[:min(len(digest), len("sha256:")+12)] }

// Encode writes a record as Overlay reads it. The same record gives the same bytes.
func Encode(name string, r *Record) ([]byte, error) {
	if err := Check(name, r); err != nil {
		return nil, fmt.Errorf("writing measurements: %w", err)
	}
	return records.Encode(r)
}

// NewRecord keeps the user's own measurements, as bench.File.Complete gives them, with the file they are from: its name,
// the digest of its bytes as sha256:..., and the day.
func NewRecord(title, digest string, day evidence.Date, all []bench.Measurement) *Record {
	r := &Record{Title: title, Digest: digest, Checked: day, Own: true}
	for i := range all {
		r.Rows = append(r.Rows, rowOf(&all[i]))
	}
	return r
}

func rowOf(m *bench.Measurement) Row {
	_, id, ok := strings.Cut(m.ID, "/")
	if !ok {
		id = m.ID
	}
	return Row{
		ID: id, Model: m.Model, Precision: m.Precision, KV: m.KV, Engine: m.Engine, Version: m.Version, GPU: m.GPU,
		GPUs: m.GPUs, Division: divisionText(m), Concurrency: m.Concurrency, Rate: m.Rate, Input: m.Input,
		Output: m.Output, Metric: m.Metric, Value: m.Value, Note: m.Note, Broken: m.Broken,
	}
}

// divisionText is a text that reads as the division of the measurement.
func divisionText(m *bench.Measurement) string {
	d := bench.Division{Tensor: m.Tensor, Pipeline: m.Pipeline, Expert: m.Expert, Data: m.Data}
	if bench.ParseDivision(m.Division, m.GPUs) == d {
		return m.Division
	}
	return d.String()
}
