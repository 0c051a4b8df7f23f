package catalog

import (
	"errors"
	"fmt"
	"strconv"
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
	c := cells{rest: line}
	row := Row{
		ID: c.text(), Place: c.text(), Model: c.text(), Precision: c.text(), KV: c.text(), Engine: c.text(),
		Version: c.text(), GPU: c.text(), GPUs: int(c.int("gpus")), Division: c.text(),
		Concurrency: int(c.int("concurrency")), Input: c.int("input"), Output: c.int("output"),
		Metric: bench.Metric(c.text()), Value: c.float("value"), Note: c.text(), Broken: c.text(),
	}
	if !c.over || c.rest != "" {
		c.fail(fmt.Errorf("want %d columns", strings.Count(columns, "\t")+1))
	}
	return row, c.err
}

// cells hands out the cells of a line one by one and keeps the first fault.
type cells struct {
	rest string
	over bool // the last cell was handed out
	err  error
}

func (c *cells) text() string {
	if c.over {
		c.fail(errors.New("too few columns"))
		return ""
	}
	cell, rest, more := strings.Cut(c.rest, "\t")
	c.rest, c.over = rest, !more
	return cell
}

func (c *cells) int(key string) int64 {
	n, err := strconv.ParseInt(c.text(), 10, 32)
	if err != nil {
		c.fail(fmt.Errorf("%s: %w", key, err))
	}
	return n
}

func (c *cells) float(key string) float64 {
	f, err := strconv.ParseFloat(c.text(), 64)
	if err != nil {
		c.fail(fmt.Errorf("%s: %w", key, err))
	}
	return f
}

func (c *cells) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}
