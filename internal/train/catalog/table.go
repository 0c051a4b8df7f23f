package catalog

import (
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/records"
)

// columns of a table, in this order.
const columns = "id\tmodel\tknown\tasked\tparams\tactive\tmethod\tframework\tprecision\tgpu\tgpus\tdivision\tmicro\tglobal\t" +
	"sequence\trecompute\toptimizer\ttokens\tmetric\tvalue\trate\thfu\trank\ttargets\tnote"

// document is what stands above a table, in YAML.
type document struct {
	Title   string        `yaml:"title"`
	Edition string        `yaml:"edition,omitempty"`
	URL     string        `yaml:"url,omitempty"`
	Checked evidence.Date `yaml:"checked,omitempty"`
	Card    *Variant      `yaml:"card,omitempty"`         // of all its rows
	Gbit    float64       `yaml:"gbit_per_gpu,omitempty"` // of the network, of all its rows
}

// decodeTable reads a document: what is said of it, a line "---", the names of the columns, a line for each figure.
func decodeTable(all []Measurement, name, text string) ([]Measurement, error) {
	head, body, ok := strings.Cut(text, "\n---\n")
	if !ok {
		return nil, fmt.Errorf("%s: reading measurements of training: there is no line --- between the document and its table", name)
	}
	var d document
	if err := records.Decode(name, []byte(head+"\n"), &d); err != nil {
		return nil, err
	}
	if err := d.check(); err != nil {
		return nil, fmt.Errorf("%s: reading measurements of training: %w", name, err)
	}
	line := strings.Count(head, "\n") + 3
	first, rows, _ := strings.Cut(body, "\n")
	if first != columns {
		return nil, fmt.Errorf("%s:%d: reading measurements of training: want the columns %s", name, line, columns)
	}
	var faults []error
	seen := make(map[string]bool)
	for text := range strings.Lines(rows) {
		line++
		m, err := decodeRow(strings.TrimSuffix(text, "\n"))
		err = errors.Join(err, m.check())
		if seen[m.ID] {
			err = errors.Join(err, errors.New("the id is there twice"))
		}
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: reading measurements of training: %w", name, line, err))
		}
		seen[m.ID] = true
		all = append(all, d.complete(m, slug(name)))
	}
	if len(seen) == 0 {
		faults = append(faults, fmt.Errorf("%s: reading measurements of training: there is none", name))
	}
	return all, errors.Join(faults...)
}

func (d *document) check() error {
	switch {
	case d.Title == "":
		return errors.New("title is missing")
	case d.URL != "" && !strings.HasPrefix(d.URL, "https://"):
		return fmt.Errorf("url %q does not begin with https://", d.URL)
	case d.Gbit < 0 || math.IsInf(d.Gbit, 0) || math.IsNaN(d.Gbit):
		return fmt.Errorf("gbit_per_gpu is %v", d.Gbit)
	case d.Card != nil && (d.Card.MemoryGB <= 0 || d.Card.Watts <= 0 || d.Card.Why == ""):
		return errors.New("card: want memory_gb, watts and why")
	}
	return nil
}

// complete adds what holds for all rows of a document.
func (d *document) complete(m Measurement, name string) Measurement {
	m.ID = name + "/" + m.ID
	m.Card, m.Net = d.Card, d.Gbit*1e9/8
	m.Source = evidence.Source{Title: d.Title, URL: d.URL, Checked: d.Checked}
	if d.Edition != "" {
		m.Source.Title += " (" + d.Edition + ")"
	}
	return m
}

func decodeRow(line string) (Measurement, error) {
	c := records.CellsOf(line)
	m := Measurement{
		ID: c.Text(), Model: c.Text(), Known: c.Text(), BySize: c.OneOf("asked", "name", "size") == "size",
		Params: c.Float("params"), Active: c.Float("active"), Method: c.Text(), Framework: c.Text(), Precision: c.Text(), GPU: c.Text(),
		GPUs: int(c.Int("gpus")), Division: c.Text(), Micro: c.Int("micro"), Global: c.Int("global"), Seq: c.Int("sequence"),
		Recompute: c.Text(), Optimizer: c.Text(), Tokens: c.Float("tokens"), Metric: Metric(c.Text()), Value: c.Float("value"),
		Rate: c.Float("rate"), HFU: c.Float("hfu"), Rank: c.Int("rank"), Target: c.Text(), Note: c.Text(),
	}
	return m, c.End(strings.Count(columns, "\t") + 1)
}

// check refuses what no figure can be.
func (m *Measurement) check() error {
	switch {
	case m.ID == "" || m.Model == "":
		return errors.New("id and model are wanted")
	case m.Metric.Kind() == "":
		return fmt.Errorf("metric is %q", m.Metric)
	case !(m.Value > 0) || math.IsInf(m.Value, 0):
		return fmt.Errorf("value is %v", m.Value)
	case !(m.Params > 0 && m.Active > 0 && m.Active <= m.Params) || math.IsInf(m.Params, 0):
		return fmt.Errorf("params are %v, %v of them active", m.Params, m.Active)
	case m.GPUs < 0 || m.Micro < 0 || m.Global < 0 || m.Seq < 0 || m.Rank < 0:
		return errors.New("a number is below zero")
	case !(m.Tokens >= 0 && m.Rate >= 0 && m.HFU >= 0):
		return errors.New("a number is below zero")
	}
	return nil
}
