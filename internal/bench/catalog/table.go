package catalog

import (
	"errors"
	"fmt"
	"strings"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/records"
)

// columns of a table, in this order.
const columns = "id\tplace\tmodel\tprecision\tkv\tengine\tversion\tgpu\tgpus\tdivision\tconcurrency\tinput\toutput\t" +
	"metric\tvalue\tnote\tbroken"

// decodeTable reads a record whose measurements are a table: the record in YAML, a line "---", the names of the columns,
// a line for each. 742 rows as YAML would take thirty times as long.
func decodeTable(name, text string) (*Record, error) {
	head, body, ok := strings.Cut(text, "\n---\n")
	if !ok {
		return nil, fmt.Errorf("%s: reading measurements: there is no line --- between the record and its table", name)
	}
	r := new(Record)
	if err := records.Decode(name, []byte(head+"\n"), r); err != nil {
		return nil, err
	}
	line := strings.Count(head, "\n") + 2
	first, rows, _ := strings.Cut(body, "\n")
	if first != columns {
		return nil, fmt.Errorf("%s:%d: reading measurements: want the columns %s", name, line+1, columns)
	}
	r.Rows = make([]Row, 0, strings.Count(rows, "\n"))
	var faults []error
	for text := range strings.Lines(rows) {
		line++
		row, err := decodeRow(strings.TrimSuffix(text, "\n"))
		if err != nil {
			faults = append(faults, fmt.Errorf("%s:%d: reading measurements: %w", name, line+1, err))
		}
		r.Rows = append(r.Rows, row)
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	if err := Check(strings.TrimSuffix(name, ".tsv"), r); err != nil {
		return nil, fmt.Errorf("%s: reading measurements: %w", name, err)
	}
	return r, nil
}

func decodeRow(line string) (Row, error) {
	c := records.CellsOf(line)
	row := Row{
		ID: c.Text(), Place: c.Text(), Model: c.Text(), Precision: c.Text(), KV: c.Text(), Engine: c.Text(),
		Version: c.Text(), GPU: c.Text(), GPUs: int(c.Int("gpus")), Division: c.Text(),
		Concurrency: int(c.Int("concurrency")), Input: c.Int("input"), Output: c.Int("output"),
		Metric: bench.Metric(c.Text()), Value: c.Float("value"), Note: c.Text(), Broken: c.Text(),
	}
	return row, c.End(strings.Count(columns, "\t") + 1)
}
