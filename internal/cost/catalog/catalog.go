// Package catalog holds what things cost and what they draw, one record a file: prices of renting under prices/, one file
// a seller; what names of price lists leave open under groups/; countries with their grids and electricity under places/;
// regions of clouds under regions/; constants under figures/; prices of buying under purchases/; and what accelerators
// are built into under systems/. Each says where it is from and of when. The program holds them as one table that is
// searched where it lies. A company lays its own records over ours with Overlay, in a tree of the same folders.
package catalog

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/cost"
	"github.com/llmcheck/llmcheck/internal/records"
)

//go:generate go run ./gen

// Catalog finds prices and figures. Overlay makes a new one; none ever changes.
type Catalog struct {
	layers []layer // the user's before ours, the last first
	*known
}

// known is what was asked for before.
type known struct {
	books   sync.Map // by card
	systems sync.Map // by card
	heads   sync.Map // sellers without their offers, by id
}

// layer is a table with the records that hide those of the same kind and id in the layers behind it.
type layer struct {
	table records.Names
	owns  map[string]bool
}

// ErrUnknown means that the catalog has no record of that name.
var ErrUnknown = errors.New("it is not in the catalog")

// Default is the catalog that is built into the program.
func Default() *Catalog {
	return &Catalog{layers: []layer{{table: records.Names(index)}}, known: new(known)}
}

// Overlay lays the records of a tree over the catalog: prices/*.yaml, places/*.yaml and so on, as far as they are there.
// A record of the same kind and id replaces ours, a seller with all its offers. Every fault of every record is reported.
func (c *Catalog) Overlay(fsys fs.FS) (*Catalog, error) {
	r, err := Load(fsys)
	if err != nil {
		return nil, err
	}
	text, err := Index(r)
	if err != nil {
		return nil, err
	}
	out := &Catalog{layers: append([]layer{{records.Names(text), r.owned()}}, c.layers...), known: new(known)}
	return out, out.Check()
}

// owned lists the records by kind and id.
func (r *Records) owned() map[string]bool {
	owns := make(map[string]bool)
	add := func(kind string, ids iter.Seq[string]) {
		for id := range ids {
			owns[kind+"/"+id] = true
		}
	}
	add(sellers, maps.Keys(r.Sellers))
	add(groups, maps.Keys(r.Groups))
	add(places, maps.Keys(r.Places))
	add(clouds, maps.Keys(r.Clouds))
	add(figures, maps.Keys(r.Figures))
	add(purchases, maps.Keys(r.Purchases))
	add(systems, maps.Keys(r.Systems))
	return owns
}

// values yields what stands behind a key, in every layer in which it is not hidden; owner tells of a value whose it is.
func (c *Catalog) values(key string, owner func(value string) string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i, l := range c.layers {
			for _, v := range l.table.IDs(key) {
				if !c.hidden(i, owner(v)) && !yield(v) {
					return
				}
			}
		}
	}
}

func (c *Catalog) hidden(behind int, record string) bool {
	return slices.ContainsFunc(c.layers[:behind], func(l layer) bool { return l.owns[record] })
}

// decode reads the record of a kind and id.
func decode[T any](c *Catalog, kind, id string) (*T, error) {
	for _, l := range c.layers {
		text := l.table.IDs(kind + "/" + id)
		if len(text) == 0 {
			continue
		}
		v := new(T)
		if err := json.Unmarshal([]byte(text[0]), v); err != nil {
			return nil, fmt.Errorf("reading %s/%s of the costs: %w", kind, id, err)
		}
		return v, nil
	}
	return nil, fmt.Errorf("looking up %s/%s of the costs: %w", kind, id, ErrUnknown)
}

// ids lists the records of a kind in order.
func (c *Catalog) ids(kind string) []string {
	seen := make(map[string]bool)
	for _, l := range c.layers {
		for line := range strings.Lines(string(l.table)) {
			if id, ok := strings.CutPrefix(line, kind+"/"); ok {
				id, _, _ = strings.Cut(id, "\t")
				seen[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen))
}

func all[T any](c *Catalog, kind string) ([]*T, error) {
	var out []*T
	for _, id := range c.ids(kind) {
		v, err := decode[T](c, kind, id)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// Figure finds a constant by its id.
func (c *Catalog) Figure(id string) (cost.Figure, error) {
	f, err := decode[Figure](c, figures, id)
	if err != nil {
		return cost.Figure{}, err
	}
	return f.figure(), nil
}

// Figures lists all constants in the order of the ids.
func (c *Catalog) Figures() ([]cost.Figure, error) {
	list, err := all[Figure](c, figures)
	out := make([]cost.Figure, len(list))
	for i, f := range list {
		out[i] = f.figure()
	}
	return out, err
}

// Groups lists the names of price lists that leave open which card is meant.
func (c *Catalog) Groups() ([]*Group, error) { return all[Group](c, groups) }

// Places lists the countries.
func (c *Catalog) Places() ([]*Place, error) { return all[Place](c, places) }

// Clouds lists the clouds of which regions are known.
func (c *Catalog) Clouds() ([]*Cloud, error) { return all[Cloud](c, clouds) }

// Sellers lists who rents accelerators out, without the offers.
func (c *Catalog) Sellers() ([]*Seller, error) { return all[Seller](c, sellers) }

// Purchases lists all prices of buying.
func (c *Catalog) Purchases() ([]cost.Purchase, error) {
	list, err := all[Purchase](c, purchases)
	out := make([]cost.Purchase, len(list))
	for i, p := range list {
		out[i] = p.purchase()
	}
	return out, err
}

// Check reports what records ask for that is not there: figures of systems, cards of sellers need none.
func (c *Catalog) Check() error {
	var faults []error
	want := func(where, kind, id string) {
		if _, err := decode[struct{}](c, kind, id); err != nil {
			faults = append(faults, fmt.Errorf("%s: %w", where, err))
		}
	}
	list, err := all[System](c, systems)
	for _, s := range list {
		for _, f := range s.figures() {
			want(systems+"/"+s.ID, figures, f)
		}
	}
	regions, err2 := c.Clouds()
	for _, r := range regions {
		want(clouds+"/"+r.ID, figures, r.PUE)
		for _, g := range r.Regions {
			want(clouds+"/"+r.ID+": "+g.ID, places, g.Country)
		}
	}
	return errors.Join(append(faults, err, err2)...)
}
