package catalog

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/records"
)

// ErrUnknown means that the catalog has no document of that name.
var ErrUnknown = errors.New("it is not in the catalog")

// Documents lists the records by name, the user's among them.
func (c *Catalog) Documents() ([]string, error) {
	entries, err := fs.ReadDir(embedded, "public")
	if err != nil {
		return nil, fmt.Errorf("listing the published measurements: %w", err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".tsv"))
	}
	for name := range c.over {
		names = append(names, name)
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// Document decodes one record, as Overlay reads it from a file. It is not to be changed. The error wraps ErrUnknown if
// there is none.
func (c *Catalog) Document(name string) (*Record, error) {
	if r, ok := c.over[name]; ok {
		return r, nil
	}
	text, err := fs.ReadFile(embedded, "public/"+name+".tsv")
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, fmt.Errorf("looking up the measurements of %q: %w", name, ErrUnknown)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the published measurements: %w", err)
	}
	return decodeTable(name+".tsv", string(text))
}

// Foreign reports the cards of the user's records that nobody knows: no question would find what was measured on them. The
// folder that the records are from is read once more for the lines of the faults.
func (c *Catalog) Foreign(fsys fs.FS, known func(card string) bool) error {
	var faults []error
	for _, name := range c.owned() {
		for i, row := range c.over[name].Rows {
			if !known(row.GPU) {
				fault := fmt.Errorf("measurement %d, %.40q: gpu %q is not in the catalog of accelerators", i+1, row.ID, row.GPU)
				faults = append(faults, records.Placed(fsys, name+".yaml", fault))
			}
		}
	}
	return errors.Join(faults...)
}

// Count is how many records of the user's lie over the catalog.
func (c *Catalog) Count() int { return len(c.over) }

func (c *Catalog) owned() []string { return slices.Sorted(maps.Keys(c.over)) }
