// Package catalog holds what is known about well-known models, under models/: license, base model, source. It answers
// without a network, and never with more than a source said: each record keeps the words of its source, when they were
// seen, and how sure we are. A record is decoded when it is asked for.
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

//go:embed models/*.yaml
var embedded embed.FS

// folder is where the records lie, in the program and in its source.
const folder = "models"

// Catalog finds models by id. Overlay makes a new one; none ever changes.
type Catalog struct {
	over  map[string]*model.Known           // the user's records by id in small letters
	files func() (map[string]string, error) // ids in small letters → files, listed at the first need
}

// Default is the catalogue that is built into the program. It does no work.
func Default() *Catalog { return &Catalog{files: sync.OnceValues(list)} }

// list reads the names of our files, since an id on the hub is found whatever its case.
func list() (map[string]string, error) {
	entries, err := fs.ReadDir(embedded, folder)
	if err != nil {
		return nil, fmt.Errorf("listing the catalogue of models: %w", err)
	}
	files := make(map[string]string, len(entries))
	for _, e := range entries {
		if id, ok := idOf(strings.TrimSuffix(e.Name(), ".yaml")); ok {
			files[strings.ToLower(id)] = e.Name()
		}
	}
	return files, nil
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

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

// Overlay lays the records of a folder over the catalogue, one org__name.yaml a model; a record of the same id, whatever
// its case, replaces ours. Every fault of every record is reported.
func (c *Catalog) Overlay(fsys fs.FS) (*Catalog, error) {
	mine, err := records.Load(fsys, ".", check)
	if err != nil {
		return nil, err
	}
	out := &Catalog{over: make(map[string]*model.Known), files: c.files}
	maps.Copy(out.over, c.over)
	var faults []error
	files := make(map[string]string, len(mine))
	for _, name := range slices.Sorted(maps.Keys(mine)) {
		id := strings.ToLower(mine[name].ID)
		if other, twice := files[id]; twice {
			faults = append(faults, fmt.Errorf("%s.yaml: the model is recorded in %s.yaml too; keep one of them", name, other))
		}
		files[id] = name
		out.over[id] = mine[name].known()
	}
	return out, errors.Join(faults...)
}

// Get decodes the record of one model, found whatever the case of the id, and reports whether there is one.
func (c *Catalog) Get(id string) (*model.Known, bool, error) {
	name, ok := nameOf(id)
	if !ok {
		return nil, false, nil
	}
	if k, ok := c.over[strings.ToLower(id)]; ok {
		return k, true, nil
	}
	k, err := read(name + ".yaml")
	if !errors.Is(err, fs.ErrNotExist) {
		return k, err == nil, err
	}
	files, err := c.files()
	if err != nil {
		return nil, false, err
	}
	file, ok := files[strings.ToLower(id)]
	if !ok {
		return nil, false, nil
	}
	k, err = read(file)
	return k, err == nil, err
}

func read(file string) (*model.Known, error) {
	r, err := records.One(embedded, folder+"/"+file, strings.TrimSuffix(file, ".yaml"), check)
	if err != nil {
		return nil, err
	}
	return r.known(), nil
}

// IDs lists every model in order.
func (c *Catalog) IDs() ([]string, error) {
	files, err := c.files()
	if err != nil {
		return nil, err
	}
	var ids []string
	for low, file := range files {
		if id, ok := idOf(strings.TrimSuffix(file, ".yaml")); ok && c.over[low] == nil {
			ids = append(ids, id)
		}
	}
	for _, k := range c.over {
		ids = append(ids, k.ID)
	}
	slices.Sort(ids)
	return ids, nil
}

// Organizations lists the owners of the models, for Imitated.
func (c *Catalog) Organizations() ([]string, error) {
	ids, err := c.IDs()
	if err != nil {
		return nil, err
	}
	var orgs []string
	for _, id := range ids {
		org, _, _ := strings.Cut(id, "/")
		orgs = append(orgs, org)
	}
	slices.Sort(orgs)
	return slices.Compact(orgs), nil
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
		k.Base = &model.Parent{Ref: r.Base.ID, Relation: r.Base.Relation, Where: "catalogue of models: " + r.Source.Title}
	}
	return k
}
