// Package catalog holds what is known about well-known models, under models/: license, base model, the configuration
// that their shape follows from, source. It answers without a network, and never with more than a source said: each
// record keeps the words of its source, when they were seen, and how sure we are. A record is decoded when it is asked
// for.
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

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/records"
)

//go:embed models/*.yaml datasets/*.yaml
var embedded embed.FS

// The folders in which the records lie, in the program and in its source.
const (
	modelFolder   = "models"
	datasetFolder = "datasets"
)

// Catalog finds models by id. Overlay makes a new one; none ever changes.
type Catalog struct {
	over     map[string]*record // the user's records by id in small letters
	models   func() (names, error)
	datasets func() (names, error)
	orgs     func() ([]string, error)
}

// names maps ids in small letters to the names of our records, since an id on the hub is found whatever its case.
type names map[string]string

// Default is the catalog that is built into the program. It does no work: names are listed at the first need.
func Default() *Catalog {
	c := &Catalog{
		models:   sync.OnceValues(func() (names, error) { return list(modelFolder) }),
		datasets: sync.OnceValues(func() (names, error) { return list(datasetFolder) }),
	}
	c.orgs = sync.OnceValues(c.owners)
	return c
}

func list(folder string) (names, error) {
	entries, err := fs.ReadDir(embedded, folder)
	if err != nil {
		return nil, fmt.Errorf("listing the catalog of %s: %w", folder, err)
	}
	out := make(names, len(entries))
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), ".yaml")
		if id, ok := idOf(name); ok {
			out[strings.ToLower(id)] = name
		}
	}
	return out, nil
}

// idOf turns the name of a record into the id of its model: org__name into org/name.
func idOf(name string) (string, bool) {
	org, rest, ok := strings.Cut(name, "__")
	return org + "/" + rest, ok
}

// nameOf is the other way round. Only an id as the hub allows it has a name: an id with other letters, such as the
// Kelvin sign for a K, is a stranger that only looks like one of ours.
func nameOf(id string) (string, bool) {
	org, rest, ok := strings.Cut(id, "/")
	ok = ok && org != "" && rest != "" && strings.Trim(org+rest, letters) == ""
	return org + "__" + rest, ok
}

func hubID(id string) bool {
	_, ok := nameOf(id)
	return ok
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// Overlay lays the records of a folder over the catalog, one org__name.yaml a model; a record of the same id, whatever
// its case, replaces ours. Every fault of every record is reported.
func (c *Catalog) Overlay(fsys fs.FS) (*Catalog, error) {
	mine, err := records.Load(fsys, ".", check)
	if err != nil {
		return nil, err
	}
	out := &Catalog{over: make(map[string]*record), models: c.models, datasets: c.datasets}
	out.orgs = sync.OnceValues(out.owners)
	maps.Copy(out.over, c.over)
	var faults []error
	files := make(map[string]string, len(mine))
	for _, name := range slices.Sorted(maps.Keys(mine)) {
		id := strings.ToLower(mine[name].ID)
		if other, twice := files[id]; twice {
			faults = append(faults, fmt.Errorf("%s.yaml: the model is recorded in %s.yaml too; keep one of them", name, other))
		}
		files[id] = name
		out.over[id] = mine[name]
		faults = append(faults, mine[name].checkNames(name))
	}
	return out, errors.Join(faults...)
}

// Get decodes the record of one model, found whatever the case of the id, and reports whether there is one.
func (c *Catalog) Get(id string) (*model.Known, bool, error) {
	if r, ok := c.over[strings.ToLower(id)]; ok && hubID(id) {
		return r.known(), true, nil
	}
	r, ok, err := find(c.models, modelFolder, id, check)
	if r == nil {
		return nil, ok, err
	}
	return r.known(), ok, err
}

// find decodes the record of an id. As long as ids are written as on the hub, nothing is listed.
func find[T any](listed func() (names, error), folder, id string, check func(string, *T) error) (*T, bool, error) {
	name, ok := nameOf(id)
	if !ok {
		return nil, false, nil
	}
	v, err := records.One(embedded, folder+"/"+name+".yaml", name, check)
	if errors.Is(err, fs.ErrNotExist) {
		all, fault := listed()
		if name, ok = all[strings.ToLower(id)]; !ok {
			return nil, false, fault
		}
		v, err = records.One(embedded, folder+"/"+name+".yaml", name, check)
	}
	return v, err == nil, err
}

// IDs lists every model in order.
func (c *Catalog) IDs() ([]string, error) {
	all, err := c.models()
	if err != nil {
		return nil, err
	}
	var ids []string
	for low, name := range all {
		if id, ok := idOf(name); ok && c.over[low] == nil {
			ids = append(ids, id)
		}
	}
	for _, r := range c.over {
		ids = append(ids, r.ID)
	}
	slices.Sort(ids)
	return ids, nil
}

// Organizations lists the owners of the models in order, for Imitated.
func (c *Catalog) Organizations() ([]string, error) {
	orgs, err := c.orgs()
	return slices.Clone(orgs), err
}

func (c *Catalog) owners() ([]string, error) {
	ids, err := c.IDs()
	orgs := make([]string, len(ids))
	for i, id := range ids {
		orgs[i], _, _ = strings.Cut(id, "/")
	}
	slices.Sort(orgs)
	return slices.Compact(orgs), err
}

// record is a model as it is written in a file.
type record struct {
	ID         string          `yaml:"id"`
	License    string          `yaml:"license"`
	Declared   string          `yaml:"declared,omitempty"`
	Base       *base           `yaml:"base,omitempty"`
	Source     evidence.Source `yaml:"source"`
	Seen       string          `yaml:"seen,omitempty"`
	Confidence string          `yaml:"confidence"`
	Note       string          `yaml:"note,omitempty"`

	// What the shape of the model follows from; see Facts.
	Aliases      []string         `yaml:"aliases,omitempty"`       // other names, in small letters
	ConfigSource *evidence.Source `yaml:"config_source,omitempty"` // of the numbers; that of config_from if absent
	ConfigFrom   string           `yaml:"config_from,omitempty"`   // the model whose keys hold but for those of config
	Config       map[string]any   `yaml:"config,omitempty"`        // the keys of config.json, null takes one away
	HFQuant      map[string]any   `yaml:"hf_quant,omitempty"`      // the keys of hf_quant_config.json
	Totals       *Totals          `yaml:"totals,omitempty"`
}

type base struct {
	ID       string         `yaml:"id"`
	Relation model.Relation `yaml:"relation"`
}

func (r *record) known() *model.Known {
	k := &model.Known{
		ID: r.ID, License: r.License, Declared: r.Declared, Source: r.Source, Seen: r.Seen, Confidence: r.Confidence, Note: r.Note,
	}
	if r.Base != nil {
		k.Base = &model.Parent{Ref: r.Base.ID, Relation: r.Base.Relation, Where: "catalog of models: " + r.Source.Title}
	}
	return k
}
