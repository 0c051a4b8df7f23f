// Package tune is the mechanism of numbers that are fitted and not derived. A model of something physical has
// quantities, each a share between 0 and 1 or a scale above 0. A quantity has a base, and effects of what is asked
// (an engine, a generation of devices) are added to the logarithm of a scale or to the log odds of a share, so that no
// sum of effects leaves what is physical. Every constant has a prior with its reason, and a fit draws it there. How far
// measurements lie from what is computed is kept beside, by family of figures and by what makes a figure less certain.
package tune

import (
	"fmt"
	"math"
	"slices"

	"github.com/llmcheck/llmcheck/internal/records"
)

// Base is what a constant is of that stands alone, and the case that always holds.
const Base = "base"

// Quantity is what constants are of.
type Quantity struct {
	Name  string
	Share bool
}

// Squash turns the sum of a base and its effects into a share or a scale.
func (q Quantity) Squash(x float64) float64 {
	if q.Share {
		return 1 / (1 + math.Exp(-x))
	}
	return math.Exp(x)
}

// Spread is the inverse of Squash.
func (q Quantity) Spread(v float64) float64 {
	if q.Share {
		return math.Log(v / (1 - v))
	}
	return math.Log(v)
}

// Constant is one number of the file. The base of a quantity is written in its own unit, an effect as it is added.
type Constant struct {
	Of    string  `yaml:"of"`
	By    string  `yaml:"by"` // base, or what the effect is of: "engine vllm", "generation hopper", "format fp8"
	Value float64 `yaml:"value"`
	Prior float64 `yaml:"prior"`          // where nothing is measured
	Loose float64 `yaml:"loose"`          // how far from Prior a fit may go easily: standard deviation of the logarithm or log odds
	Rows  int     `yaml:"rows,omitempty"` // measurements that it was fitted on
	Why   string  `yaml:"why,omitempty"`  // where Prior is from
}

// Schema is what a file has to hold.
type Schema struct {
	Quantities []Quantity
	Families   []string
	Cases      func(family string) map[string]float64 // beside the base, with the power that is taken where nothing is measured
}

// file is a file of constants.
type file struct {
	Fitted     string      `yaml:"fitted"`
	Quantities []described `yaml:"quantities"`
	Constants  []Constant  `yaml:"constants"`
	Seen       []Seen      `yaml:"seen"`
	Widths     []Width     `yaml:"widths"`
}

type described struct {
	Name    string `yaml:"name"`
	Unit    string `yaml:"unit"`
	Meaning string `yaml:"meaning"`
}

// Table is the constants of one model. It does not change.
type Table struct {
	schema Schema
	list   []Constant
	of     []int // the quantity of each constant
	base   []int // the constant of each quantity
	by     map[string][]int
	values []float64 // as they are added
	ranges map[string]ranges
	seen   Known
	fitted string
}

// Parse reads a file of constants; name is for what is said of faults.
func Parse(name string, data []byte, s Schema) (*Table, error) {
	var f file
	if err := records.Decode(name, data, &f); err != nil {
		return nil, err
	}
	t := &Table{schema: s, list: f.Constants, by: map[string][]int{}, fitted: f.Fitted, base: slices.Repeat([]int{-1}, len(s.Quantities))}
	if err := t.read(&f); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return t, nil
}

func (t *Table) read(f *file) error {
	if err := t.known(f); err != nil {
		return err
	}
	for i := range t.list {
		if err := t.add(i); err != nil {
			return fmt.Errorf("constant %d: %w", i+1, err)
		}
	}
	if len(f.Quantities) != len(t.base) {
		return fmt.Errorf("%d quantities are described, want %d", len(f.Quantities), len(t.base))
	}
	for q, i := range t.base {
		name := t.schema.Quantities[q].Name
		if said := f.Quantities[q]; said.Name != name || said.Unit == "" || said.Meaning == "" {
			return fmt.Errorf("quantity %d is %q, want %s with its unit and meaning", q+1, said.Name, name)
		}
		if i < 0 {
			return fmt.Errorf("no base of %s", name)
		}
	}
	return nil
}

func (t *Table) add(i int) error {
	one := &t.list[i]
	q := slices.IndexFunc(t.schema.Quantities, func(q Quantity) bool { return q.Name == one.Of })
	switch {
	case q < 0:
		return fmt.Errorf("there is no quantity %q", one.Of)
	case math.IsNaN(one.Value) || math.IsInf(one.Value, 0):
		return fmt.Errorf("%s of %s is no number", one.Of, one.By)
	}
	t.of = append(t.of, q)
	if one.By != Base {
		t.by[one.By] = append(t.by[one.By], i)
		t.values = append(t.values, one.Value)
		return nil
	}
	if one.Value <= 0 || t.schema.Quantities[q].Share && one.Value >= 1 {
		return fmt.Errorf("%s of %v is not physical", one.Of, one.Value)
	}
	t.base[q] = i
	t.values = append(t.values, t.schema.Quantities[q].Spread(one.Value))
	return nil
}

// Terms are the constants that hold where all of some groups do, by quantity: its base and its effects.
func (t *Table) Terms(groups []string) [][]int {
	terms := make([][]int, len(t.base))
	for q, i := range t.base {
		terms[q] = []int{i}
	}
	for _, group := range groups {
		for _, i := range t.by[group] {
			terms[t.of[i]] = append(terms[t.of[i]], i)
		}
	}
	return terms
}

// Further are the terms of one quantity with those of further groups.
func (t *Table) Further(q int, terms []int, groups ...string) []int {
	terms = slices.Clip(terms)
	for _, group := range groups {
		for _, i := range t.by[group] {
			if t.of[i] == q {
				terms = append(terms, i)
			}
		}
	}
	return terms
}

// Value is what terms of a quantity come to with some values of the constants.
func (t *Table) Value(q int, values []float64, terms []int) float64 {
	var sum float64
	for _, i := range terms {
		sum += values[i]
	}
	return t.schema.Quantities[q].Squash(sum)
}

// Values are the constants as they are added; a fit changes them.
func (t *Table) Values() []float64 { return slices.Clone(t.values) }

// List are the constants as the file has them.
func (t *Table) List() []Constant { return slices.Clone(t.list) }

// Quantity is what a constant is of.
func (t *Table) Quantity(i int) Quantity { return t.schema.Quantities[t.of[i]] }

// Fitted says on what, and when.
func (t *Table) Fitted() string { return t.fitted }

// Added is a number of the file as it is added, and Written the other way round.
func (t *Table) Added(i int, v float64) float64 {
	if t.list[i].By != Base {
		return v
	}
	return t.Quantity(i).Spread(v)
}

// Written is a value as the file has it.
func (t *Table) Written(i int, x float64) float64 {
	if t.list[i].By != Base {
		return x
	}
	return t.Quantity(i).Squash(x)
}

// With are the same constants with other values.
func (t *Table) With(values []float64) *Table {
	other := *t
	other.values = slices.Clone(values)
	return &other
}

// Sum is what terms of a quantity come to with the values of the table.
func (t *Table) Sum(q int, terms []int) float64 { return t.Value(q, t.values, terms) }
