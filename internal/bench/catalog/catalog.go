// Package catalog holds measurements of speed that others published, a table for each document under public/, and lays
// those of the user over them. Each says where a person can find it. They are decoded when the first is asked for.
package catalog

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/bench"
	"github.com/llmcheck/llmcheck/internal/records"
)

//go:embed public/*.tsv
var embedded embed.FS

// sizes are the parameters of the models that were measured, in billions: all, and those that a token passes.
//
//go:embed sizes.tsv
var sizes string

// Catalog finds measurements. Overlay makes a new one; none ever changes.
type Catalog struct {
	over   map[string]*Record // the user's records by the name of their file
	public func() ([]bench.Measurement, error)
}

// Default is the catalog that is built into the program. It does no work.
func Default() *Catalog { return &Catalog{public: sync.OnceValues(decodePublic)} }

// decodePublic reads every table, in the order of their names.
func decodePublic() ([]bench.Measurement, error) {
	entries, err := fs.ReadDir(embedded, "public")
	if err != nil {
		return nil, fmt.Errorf("listing the published measurements: %w", err)
	}
	all := make([]bench.Measurement, 0, 1000)
	var faults []error
	for _, e := range entries {
		text, err := fs.ReadFile(embedded, "public/"+e.Name())
		if err != nil {
			return nil, fmt.Errorf("reading the published measurements: %w", err)
		}
		r, err := decodeTable(e.Name(), string(text))
		if err != nil {
			faults = append(faults, err)
			continue
		}
		all = r.measurements(all, strings.TrimSuffix(e.Name(), ".tsv"))
	}
	return all, errors.Join(faults...)
}

// Overlay lays the *.yaml records of a folder over the catalog; a record named like one of our tables replaces that
// table. Every fault of every record is reported.
func (c *Catalog) Overlay(fsys fs.FS) (*Catalog, error) {
	mine, err := records.Load(fsys, ".", Check)
	if err != nil {
		return nil, err
	}
	out := &Catalog{over: maps.Clone(c.over), public: c.public}
	if out.over == nil {
		out.over = make(map[string]*Record, len(mine))
	}
	maps.Copy(out.over, mine)
	return out, nil
}

// All lists the measurements, those of the user's records first, without those whose figure is not believed. The list is
// the caller's; what it holds is not to be changed.
func (c *Catalog) All() ([]bench.Measurement, error) {
	all, err := c.WithBroken()
	return slices.DeleteFunc(all, func(m bench.Measurement) bool { return m.Broken != "" }), err
}

// WithBroken lists also the measurements whose figure is not believed.
func (c *Catalog) WithBroken() ([]bench.Measurement, error) {
	public, err := c.public()
	if err != nil {
		return nil, err
	}
	all := make([]bench.Measurement, 0, len(public)+16*len(c.over))
	for _, name := range slices.Sorted(maps.Keys(c.over)) {
		all = c.over[name].measurements(all, name)
	}
	for i := range public {
		if _, replaced := c.over[file(public[i].ID)]; !replaced {
			all = append(all, public[i])
		}
	}
	return all, nil
}

func file(id string) string {
	name, _, _ := strings.Cut(id, "/")
	return name
}

// Own lists the user's own measurements.
func (c *Catalog) Own() []bench.Measurement {
	var own []bench.Measurement
	for _, name := range slices.Sorted(maps.Keys(c.over)) {
		if c.over[name].Own {
			own = c.over[name].measurements(own, name)
		}
	}
	return slices.DeleteFunc(own, func(m bench.Measurement) bool { return m.Broken != "" })
}

// Matching lists the user's own measurements on a card with an engine, those of the model too if one is named.
func (c *Catalog) Matching(card, engine, model string) []bench.Measurement {
	return slices.DeleteFunc(c.Own(), func(m bench.Measurement) bool {
		return m.GPU != card || m.Engine != engine || model != "" && !strings.EqualFold(m.Model, model)
	})
}

// Nearest finds at most n measurements close to a question, or why there is none; see bench.Nearest. The models that were
// measured need no size from the caller, who may know others.
func (c *Catalog) Nearest(q *bench.Question, n int, known bench.Lookup) (near []bench.Near, why string, err error) {
	all, err := c.WithBroken()
	if err != nil {
		return nil, "", err
	}
	outer := known.Size
	known.Size = func(model string) (bench.Size, bool) {
		if s, ok := c.Size(model); ok || outer == nil {
			return s, ok
		}
		return outer(model)
	}
	near, why = bench.Nearest(all, q, n, known)
	return near, why, nil
}

// Size is how large one of the models that were measured is.
func (c *Catalog) Size(model string) (bench.Size, bool) {
	for line := range strings.Lines(sizes) {
		cell := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cell) != 3 || !strings.EqualFold(cell[0], model) {
			continue
		}
		total, bad := strconv.ParseFloat(cell[1], 64)
		active, worse := strconv.ParseFloat(cell[2], 64)
		return bench.Size{Total: 1e9 * total, Active: 1e9 * active}, bad == nil && worse == nil
	}
	return bench.Size{}, false
}
