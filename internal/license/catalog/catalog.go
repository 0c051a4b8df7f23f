// Package catalog holds one record for each license we know, under terms/, and finds them by any name that people,
// cards, hubs and registries use. A record is decoded when it is asked for: start-up pays for none of them. A company
// lays its own records over ours with Overlay.
package catalog

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/records"
)

//go:embed terms/*.yaml aliases.tsv
var embedded embed.FS

// Catalog finds terms by id and ids by name.
type Catalog struct {
	terms   fs.FS
	over    map[string]*license.Terms // the user's records, decoded
	aliases map[string][]string       // normalized name → ids; see Normal
}

// ErrUnknown means that the catalogue has no license of that id.
var ErrUnknown = errors.New("license is not in the catalogue")

// Default is the catalogue that is built into the program.
func Default() (*Catalog, error) {
	terms, err := fs.Sub(embedded, "terms")
	if err != nil {
		return nil, fmt.Errorf("opening the catalogue of licenses: %w", err)
	}
	data, err := embedded.ReadFile("aliases.tsv")
	if err != nil {
		return nil, fmt.Errorf("opening the names of licenses: %w", err)
	}
	c := &Catalog{terms: terms, aliases: make(map[string][]string)}
	for line := range strings.Lines(string(data)) {
		name, id, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		if ok {
			c.aliases[name] = append(c.aliases[name], id)
		}
	}
	return c, nil
}

// Overlay lays the *.yaml records of a folder over the catalogue; a record of the same id replaces ours. Every fault of
// every record is reported.
func (c *Catalog) Overlay(fsys fs.FS) (*Catalog, error) {
	over, err := records.Load(fsys, ".", check)
	if err != nil {
		return nil, err
	}
	out := &Catalog{terms: c.terms, over: maps.Clone(c.over), aliases: maps.Clone(c.aliases)}
	if out.over == nil {
		out.over = make(map[string]*license.Terms)
	}
	maps.Copy(out.over, over)
	for _, id := range slices.Sorted(maps.Keys(over)) {
		for _, name := range Aliases(over[id]) {
			out.aliases[name] = replaceOrAdd(out.aliases[name], id)
		}
	}
	return out, nil
}

// replaceOrAdd gives a user's record the names it claims: what a company says about a name counts alone.
func replaceOrAdd(ids []string, id string) []string {
	if slices.Contains(ids, id) {
		return ids
	}
	return []string{id}
}

func check(id string, t *license.Terms) error { return t.Validate(id) }

// Get decodes the record of one license. The error wraps ErrUnknown if there is none.
func (c *Catalog) Get(id string) (*license.Terms, error) {
	if t, ok := c.over[id]; ok {
		return t, nil
	}
	if !fs.ValidPath(id + ".yaml") {
		return nil, fmt.Errorf("looking up license %q: %w", id, ErrUnknown)
	}
	t, err := records.One(c.terms, id+".yaml", id, check)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking up license %q: %w", id, ErrUnknown)
	}
	return t, err
}

// IDs lists every license in order.
func (c *Catalog) IDs() ([]string, error) {
	entries, err := fs.ReadDir(c.terms, ".")
	if err != nil {
		return nil, fmt.Errorf("listing the catalogue of licenses: %w", err)
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
func (c *Catalog) Resolve(name string) []string { return c.aliases[Normal(name)] }

// Normal brings the spellings of one name together: case, spaces, underscores and, for addresses, the scheme, a
// leading www and a trailing slash do not matter.
func Normal(name string) string {
	s := strings.ToLower(strings.TrimSpace(name))
	for _, p := range []string{"https://", "http://", "www."} {
		s = strings.TrimPrefix(s, p)
	}
	return strings.TrimSuffix(strings.NewReplacer(" ", "-", "_", "-").Replace(s), "/")
}

// Aliases lists the normalized names of one record, without repeats, in order.
func Aliases(t *license.Terms) []string {
	names := slices.Concat([]string{t.ID, t.Name, t.SPDX}, t.Hub, t.Names, t.Links)
	for i, n := range names {
		names[i] = Normal(n)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}
