package report

import (
	"cmp"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/units"
)

// Table is a table that every format shows with the same words.
type Table struct {
	Columns []Column
	Rows    []Row
}

// Column is a column of a table.
type Column struct {
	Name   string
	Number bool // to the right
	Code   bool // formulas and flags, word for word
	Spare  int  // where there is no room for all columns, those with the highest number are left out first; 0 never is
}

// Row is a row of a table.
type Row struct {
	Verdict string // colors the first cell, if there is one
	Key     string // of the part of a bar that the first cell stands for
	Cells   []string
	Notes   []string // below the row
	Memory  *DeviceMemory
	Pile    *Pile // drawn small in the second cell
}

// CandidateTitle says what stands in CandidateTable.
func (e *Estimate) CandidateTitle() string {
	if len(e.lengths()) == 0 {
		return "Candidates, best first"
	}
	return "Candidates, best first: requests at once, by length of context"
}

// CandidateTable is the table of the plans that were looked at. Where they were asked at several lengths of context, the
// lengths stand side by side.
func (e *Estimate) CandidateTable() Table {
	lengths := e.lengths()
	t := Table{Columns: []Column{{Name: "verdict"}, {Name: "on"}, {Name: "weights in"}}}
	if len(lengths) == 0 {
		t.Columns = append(t.Columns, Column{Name: "context", Number: true}, Column{Name: "at once", Number: true})
	}
	for i, n := range lengths {
		t.Columns = append(t.Columns, Column{Name: "of " + counted(n), Number: true, Spare: i})
	}
	t.Columns = append(t.Columns, Column{Name: "largest context", Number: true, Spare: len(lengths) + 1})
	t.Columns = append(t.Columns, paceColumns...)
	for i := range e.Candidates {
		t.Rows = append(t.Rows, e.Candidates[i].row(lengths))
	}
	t = t.without("weights in")
	for _, c := range paceColumns {
		t = t.withoutEmpty(c.Name)
	}
	if slices.ContainsFunc(e.Candidates, func(o Outlook) bool { return o.Speed != nil || o.Cost != nil }) {
		return t
	}
	for i := range t.Columns {
		t.Columns[i].Spare = 0 // all there is
	}
	return t
}

// First is the first rows of a table, where showing all would bury the answer.
func (t Table) First(n int) Table {
	if len(t.Rows) > n {
		t.Rows = t.Rows[:n]
	}
	return t
}

// CandidatesBeyond counts the candidates after the first n by verdict; "" if there are none.
func (e *Estimate) CandidatesBeyond(n int) string {
	if len(e.Candidates) <= n {
		return ""
	}
	var parts []string
	for _, v := range [...]struct{ verdict, one, many string }{
		{Fits, "fits", "fit"},
		{Tight, "is tight", "are tight"},
		{Undetermined, "is undetermined", "are undetermined"},
		{DoesNotFit, "does not fit", "do not fit"},
	} {
		count := 0
		for i := range e.Candidates[n:] {
			if e.Candidates[n+i].Word() == v.verdict {
				count++
			}
		}
		switch {
		case count == 1:
			parts = append(parts, "1 "+v.one)
		case count > 1:
			parts = append(parts, units.Thousands(int64(count))+" "+v.many)
		}
	}
	return "and " + units.Thousands(int64(len(e.Candidates)-n)) + " more: " + strings.Join(parts, ", ")
}

// Agreed reports whether no source contradicts the configuration on the size.
func (m *EstimatedModel) Agreed() bool {
	return !slices.ContainsFunc(m.Sizes, func(s Size) bool { return s.Agrees != nil && !*s.Agrees })
}

// paceColumns of the table of candidates are shown where any of them has such a figure.
var paceColumns = []Column{
	{Name: "TTFT", Number: true, Spare: 9},
	{Name: "TPOT", Number: true},
	{Name: "tokens/s", Number: true},
	{Name: "USD/hour", Number: true},
	{Name: "USD/M output tokens", Number: true, Spare: 8},
}

// paces are the cells of paceColumns.
func (o *Outlook) paces() []string {
	cells := make([]string, len(paceColumns))
	if s := o.Speed; s != nil && s.Saturated {
		cells[1] = "saturated"
	} else if s != nil {
		cells[0], cells[1], cells[2] = seconds.between(given(s.TTFT)), seconds.between(given(s.TPOT)), times.between(given(s.Output))
	}
	if c := o.Cost; c != nil {
		cells[3], cells[4] = inUSD(c.PerHour), inUSD(c.PerMOutput)
	}
	return cells
}

// without leaves out a column that says the same, or nothing, in all rows.
func (t Table) without(name string) Table {
	at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if at < 0 || slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Cells[at] != t.Rows[0].Cells[at] }) {
		return t
	}
	return t.drop(at)
}

// withoutEmpty leaves out a column in which nothing stands.
func (t Table) withoutEmpty(name string) Table {
	at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name })
	if at < 0 || slices.ContainsFunc(t.Rows, func(r Row) bool { return r.Cells[at] != "" }) {
		return t
	}
	return t.drop(at)
}

// spare lets a column be left out where there is no room.
func (t Table) spare(name string, order int) Table {
	if at := slices.IndexFunc(t.Columns, func(c Column) bool { return c.Name == name }); at >= 0 {
		t.Columns[at].Spare = order
	}
	return t
}

func (t Table) drop(at int) Table {
	t.Columns = slices.Delete(t.Columns, at, at+1)
	for i := range t.Rows {
		t.Rows[i].Cells = slices.Delete(t.Rows[i].Cells, at, at+1)
	}
	return t
}

// maxLengths of context are shown side by side: the shortest and the longest.
const maxLengths = 3

func (e *Estimate) lengths() []int64 {
	var all []int64
	for i := range e.Candidates {
		for _, a := range e.Candidates[i].At {
			all = appendNew(all, a.MaxModelLen)
		}
	}
	slices.Sort(all)
	if len(all) > maxLengths {
		all = append(all[:maxLengths-1], all[len(all)-1])
	}
	return all
}

func (o *Outlook) row(lengths []int64) Row {
	r := Row{Verdict: o.Word(), Memory: o.Memory}
	p := o.Plan
	if p == nil {
		p = &ServingPlan{}
	}
	r.Cells = []string{Spoken(r.Verdict), p.spread(), p.Quantization}
	if len(lengths) == 0 {
		r.Cells = append(r.Cells, counted(p.MaxModelLen), o.concurrency())
	}
	for _, n := range lengths {
		i := slices.IndexFunc(o.At, func(a AtContext) bool { return a.MaxModelLen == n })
		if i < 0 {
			r.Cells = append(r.Cells, "")
			continue
		}
		r.Cells = append(r.Cells, o.At[i].Short())
	}
	r.Cells = append(append(r.Cells, o.largest()), o.paces()...)
	if r.Verdict != Fits && o.Why != "" {
		r.Notes = []string{o.Why}
	}
	return r
}

// spread is what the plan runs on, and how, if it is not the plain way of sharing every layer among all cards.
func (p *ServingPlan) spread() string {
	if p.Parallel() == "" || p.Tensor == p.GPUs && p.Pipeline <= 1 && p.Expert <= 1 && p.Data <= 1 {
		return p.Cards()
	}
	return p.Cards() + ", " + p.Parallel()
}

func (o *Outlook) concurrency() string {
	if o.MaxConcurrency == nil {
		return unknown
	}
	return Requests(*o.MaxConcurrency)
}

func (o *Outlook) largest() string {
	switch {
	case o.Cache == nil || o.Cache.MaxContext == nil:
		return unknown
	case o.Cache.longest() <= 0:
		return "none"
	}
	return units.Thousands(o.Cache.longest())
}

// Short is the answer for this length in a few words.
func (a AtContext) Short() string {
	switch a.Word() {
	case Fits:
		return Requests(a.MaxConcurrency)
	case Tight:
		return "tight, " + Requests(a.MaxConcurrency)
	case DoesNotFit:
		if a.MinGPUs != nil && *a.MinGPUs > 0 {
			return "needs " + cards(a.MinGPUs) + " GPUs"
		}
		return "does not fit"
	}
	return Undetermined
}

// ContextTable is the table of the same plan at other lengths of context.
func (o *Outlook) ContextTable() Table {
	t := Table{Columns: []Column{
		{Name: "verdict"}, {Name: "context", Number: true}, {Name: "requests at once", Number: true}, {Name: "GPUs needed", Number: true},
	}}
	for _, a := range o.At {
		t.Rows = append(t.Rows, Row{Verdict: a.Word(), Cells: []string{
			Spoken(a.Verdict), counted(a.MaxModelLen), Requests(a.MaxConcurrency), cards(a.MinGPUs),
		}})
	}
	return t
}

// SizeTable compares what the sources say of the size.
func (m *EstimatedModel) SizeTable() Table {
	t := Table{Columns: []Column{{Name: "source"}, {Name: "parameters", Number: true}, {Name: "size", Number: true}, {Name: "agrees"}}}
	for _, s := range m.Sizes {
		r := Row{Cells: []string{s.Source, "", "", yesNo(s.Agrees)}}
		if s.Params != nil {
			r.Cells[1] = units.Thousands(*s.Params)
		}
		if s.Bytes != nil {
			r.Cells[2] = Bytes(*s.Bytes)
		}
		if s.Explanation != "" {
			r.Notes = []string{s.Explanation}
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

// MemoryTable is the account of the device that binds.
func (o *Outlook) MemoryTable() Table {
	t := Table{Columns: []Column{
		{Name: "bar", Code: true}, {Name: "part"}, {Name: "memory", Number: true}, {Name: "of the card", Number: true},
	}}
	for _, p := range o.Parts() {
		t.Rows = append(t.Rows, Row{Cells: []string{Sign(p.Key), p.Name, p.Amount(), o.Memory.Share(p.Bytes)}})
	}
	return t
}

// SymbolTable is the legend of the formulas.
func (m *EstimatedModel) SymbolTable() Table {
	t := Table{Columns: []Column{{Name: "symbol", Code: true}, {Name: "value", Number: true}, {Name: "key", Code: true}}}
	for _, s := range m.Symbols {
		t.Rows = append(t.Rows, Row{Cells: []string{s.Text, units.Thousands(s.Value), s.Key}})
	}
	return t
}

// ComponentTable counts the parameters of each part of the model.
func (m *EstimatedModel) ComponentTable() Table {
	t := Table{Columns: []Column{
		{Name: "component"}, {Name: "parameters", Number: true}, {Name: "active", Number: true}, {Name: "size", Number: true},
	}}
	for _, c := range m.Components {
		t.Rows = append(t.Rows, Row{Cells: []string{c.Name, units.Thousands(c.Total), units.Thousands(c.Active), Bytes(c.Bytes)}})
	}
	return t
}

// TensorTable counts the parameters of each kind of tensor, component by component.
func (m *EstimatedModel) TensorTable() Table {
	t := Table{Columns: []Column{
		{Name: "tensor", Code: true},
		{Name: "shape", Code: true},
		{Name: "each", Number: true},
		{Name: "count", Number: true},
		{Name: "format"},
		{Name: "size", Number: true},
	}}
	for _, c := range m.Components {
		for _, f := range c.Tensors {
			t.Rows = append(t.Rows, Row{Cells: []string{
				f.Name, f.Formula, units.Thousands(f.Each), units.Thousands(f.Count), f.Format, Bytes(f.Bytes),
			}})
		}
	}
	return t
}

// TermTable is what the account adds up from, with the formula and its source below each term.
func (o *Outlook) TermTable() Table {
	t := Table{Columns: []Column{{Name: "part"}, {Name: "term"}, {Name: "low / expected / high", Number: true}}}
	for _, term := range o.Terms {
		r := Row{Cells: []string{PartName(term.Part), term.Name, term.Bytes.Steps()}}
		for _, n := range []string{term.Formula, prefixed("source: ", term.Source)} {
			if n != "" {
				r.Notes = append(r.Notes, n)
			}
		}
		t.Rows = append(t.Rows, r)
	}
	return t
}

func prefixed(prefix, s string) string {
	if s == "" {
		return ""
	}
	return prefix + s
}

// PartName is what a part of the account is called.
func PartName(key string) string {
	for _, p := range partNames {
		if p.key == key {
			return p.name
		}
	}
	return cmp.Or(strings.TrimSpace(key), "other")
}
