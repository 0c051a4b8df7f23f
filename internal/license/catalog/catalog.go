// Package catalog holds one record for each license we know, under terms/, and finds them by any name that people,
// cards, hubs and registries use. A record is decoded when it is asked for, and names are searched where they lie:
// start-up pays for none of them. A company lays its own records over ours with Overlay.
package catalog

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/records"
)

//go:generate go run ./gen

//go:embed terms/*.yaml
var embedded embed.FS

// folder is where the records lie, in the program and in its source.
const folder = "terms"

// Catalog finds terms by id and ids by name. Overlay makes a new one; none ever changes.
type Catalog struct {
	over  map[string]*license.Terms // the user's records, decoded
	known *sync.Map                 // ours by id, as far as they were asked for: a use is judged many times over
	names map[string][]string       // names that the user's records claim → ids
}

// ErrUnknown means that the catalog has no license of that id.
var ErrUnknown = errors.New("license is not in the catalog")

// Default is the catalog that is built into the program.
func Default() *Catalog { return &Catalog{known: new(sync.Map)} }

// Overlay lays the *.yaml records of a folder over the catalog; a record of the same id replaces ours. Every fault of
// every record is reported.
func (c *Catalog) Overlay(fsys fs.FS) (*Catalog, error) {
	mine, err := records.Load(fsys, ".", check)
	if err != nil {
		return nil, err
	}
	out := &Catalog{over: make(map[string]*license.Terms), known: c.known, names: make(map[string][]string)}
	maps.Copy(out.over, c.over)
	maps.Copy(out.over, mine)
	maps.Copy(out.names, c.names)
	claims := make(map[string][]string)
	for _, id := range slices.Sorted(maps.Keys(mine)) {
		for _, name := range Aliases(mine[id]) {
			claims[name] = append(claims[name], id)
		}
	}
	for name, ids := range claims {
		out.names[name] = claimed(c.resolve(name), ids)
	}
	return out, nil
}

// claimed gives a name to the user's records: what a company says about a name counts alone. Where its records only
// replace some of those that bore the name before, the others keep it, for the name still does not tell them apart.
func claimed(before, mine []string) []string {
	for _, id := range mine {
		if !slices.Contains(before, id) {
			return mine
		}
	}
	return before
}

func check(id string, t *license.Terms) error { return t.Validate(id) }

// Get decodes the record of one license, once. The record is shared: it must not be changed. The error wraps ErrUnknown
// if there is none.
func (c *Catalog) Get(id string) (*license.Terms, error) {
	if t, ok := c.over[id]; ok {
		return t, nil
	}
	if t, ok := c.known.Load(id); ok {
		return t.(*license.Terms), nil
	}
	t, err := records.One(embedded, folder+"/"+id+".yaml", id, check)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
		return nil, fmt.Errorf("looking up license %q: %w", id, ErrUnknown)
	}
	if err == nil {
		c.known.Store(id, t)
	}
	return t, err
}

// IDs lists every license in order.
func (c *Catalog) IDs() ([]string, error) {
	entries, err := fs.ReadDir(embedded, folder)
	if err != nil {
		return nil, fmt.Errorf("listing the catalog of licenses: %w", err)
	}
	ids := slices.Collect(maps.Keys(c.over))
	for _, e := range entries {
		if id, ok := strings.CutSuffix(e.Name(), ".yaml"); ok && c.over[id] == nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// Resolve finds the licenses that a name may mean: an id of ours, an SPDX id, a hub identifier, a license_name or an
// address. Several ids mean that the name does not say which edition is meant. None means that the name is not known.
func (c *Catalog) Resolve(name string) []string { return slices.Clone(c.resolve(Normal(name))) }

func (c *Catalog) resolve(normal string) []string {
	if ids, ok := c.names[normal]; ok {
		return ids
	}
	return records.Names(aliases).IDs(normal)
}
