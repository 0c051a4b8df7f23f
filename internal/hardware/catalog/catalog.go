// Package catalog holds the accelerators that are known, one record a file under accelerators/, and finds them by any
// name that makers, drivers and people use. The program holds them as index.jsonl, of which a record is decoded when it is
// asked for, and their names as aliases.tsv, which is searched as it is. A company lays its own records over ours with
// Overlay.
package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/hardware"
	"github.com/llmcheck/llmcheck/internal/records"
)

//go:generate go run ./gen

// Catalog finds accelerators by id and by name. Overlay makes a new one; none ever changes.
type Catalog struct {
	over  map[string]*Record  // the user's records
	names map[string][]string // folded names that the user's records claim → ids
	known *sync.Map           // ours by id, as far as they were asked for
}

// ErrUnknown means that the catalog has no accelerator of that name.
var ErrUnknown = errors.New("accelerator is not in the catalog")

// ErrAmbiguous means that a name leaves open which of several accelerators is meant.
var ErrAmbiguous = errors.New("the name does not say which")

// Default is the catalog that is built into the program.
func Default() *Catalog { return &Catalog{known: new(sync.Map)} }

// Overlay lays the *.yaml records of a folder over the catalog; a record of the same id replaces ours, and a name that a
// record claims means that record alone. Every fault of every record is reported.
func (c *Catalog) Overlay(fsys fs.FS) (*Catalog, error) {
	mine, err := records.Load(fsys, ".", Check)
	if err == nil {
		err = Distinct(mine)
	}
	if err != nil {
		return nil, err
	}
	out := &Catalog{over: maps.Clone(mine), names: make(map[string][]string), known: c.known}
	for id, r := range mine {
		for _, n := range names(r) {
			out.names[n] = append(out.names[n], id)
		}
	}
	for id, r := range c.over {
		if out.over[id] == nil {
			out.over[id] = r
		}
	}
	for n, ids := range c.names {
		if out.names[n] == nil {
			out.names[n] = ids
		}
	}
	for _, ids := range out.names {
		slices.Sort(ids)
	}
	return out, nil
}

// lookup finds the ids that bear a folded name.
func (c *Catalog) lookup(folded string) []string {
	if ids, ok := c.names[folded]; ok {
		return ids
	}
	return records.Names(aliases).IDs(folded)
}

// Record decodes the record of one id, once. It is shared and must not be changed. The error wraps ErrUnknown if there
// is none.
func (c *Catalog) Record(id string) (*Record, error) {
	if r, ok := c.over[id]; ok {
		return r, nil
	}
	if r, ok := c.known.Load(id); ok {
		return r.(*Record), nil
	}
	r, ok, err := built(id)
	if err == nil && !ok {
		return nil, fmt.Errorf("looking up accelerator %q: %w", id, ErrUnknown)
	}
	if err == nil {
		c.known.Store(id, r)
	}
	return r, err
}

// Get finds an accelerator by its id. What is sold with several sizes of memory takes the size behind the id, as in
// m3-ultra-512gb, and without one the smallest. The error wraps ErrUnknown if there is none.
func (c *Catalog) Get(id string) (*hardware.Accelerator, error) {
	r, err := c.Record(id)
	if err == nil {
		a, _ := r.smallest()
		return a, nil
	}
	if !errors.Is(err, ErrUnknown) {
		return nil, err
	}
	if s, ok := parse(id); ok && s.gb > 0 && s.notes == "" {
		if r, fault := c.Record(strings.Trim(s.name, "- ")); fault == nil {
			if a, ok := r.withSize(s.gb); ok && a.ID == id {
				return a, nil
			}
		}
	}
	return nil, err
}

// IDs lists every accelerator in order.
func (c *Catalog) IDs() []string {
	ids := slices.Collect(maps.Keys(c.over))
	for id := range indexed() {
		if c.over[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// All lists every accelerator in the order of the ids; what is sold with several sizes of memory comes once for each.
func (c *Catalog) All() ([]*hardware.Accelerator, error) {
	all, err := c.Records()
	var out []*hardware.Accelerator
	for _, r := range all {
		if len(r.Options) == 0 {
			out = append(out, r.accelerator())
		}
		for _, o := range r.Options {
			out = append(out, r.sized(o))
		}
	}
	return out, err
}

// Records lists every record in the order of the ids. They are shared and must not be changed.
func (c *Catalog) Records() ([]*Record, error) {
	var out []*Record
	for _, id := range c.IDs() {
		r, err := c.Record(id)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}
