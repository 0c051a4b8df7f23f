package cli

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/model"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/records"
	"github.com/llmcheck/llmcheck/internal/strictjson"
)

func newCatalogShow(g *global) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "show <license|model|gpu|seller|place|figure|document>",
		Short: "Show what is recorded about one license, model, accelerator, seller, place or figure",
		Long: `show prints a record by any of its names: a license by id, SPDX id or hub identifier, a model by its id on the hub, an
accelerator by id or as people and drivers write it, a seller with its offers by id or name, a country by name or code, a
cloud by one of its regions, a document of measurements, and all else by id. Where a name is in more than one catalog, put
the kind before it: ` + strings.Join(recordKinds(), ":, ") + `:. Without it, what is
recorded of costs steps back behind a license, a model or an accelerator of the name.`,
		Example:           "  llmcheck catalog show llama-3.1-community\n  llmcheck catalog show \"NVIDIA H100 80GB HBM3\"\n  llmcheck catalog show gpu:h100-sxm --format json\n  llmcheck catalog show seller:lambda\n  llmcheck catalog show DE",
		Args:              cobra.ExactArgs(1),
		ValidArgsFunction: g.completeRecords,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, []string{"text", "json"}); err != nil {
				return usage(err, "")
			}
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			found, err := c.find(args[0])
			if err != nil {
				return err
			}
			return g.app.showRecords(found, format)
		},
	}
	catalogFlag(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "output `format`: text, json")
	return cmd
}

// find looks a name up in the catalog that its prefix says, or in all of them, and returns the records that bear it.
func (c *catalogs) find(name string) ([]any, error) {
	found, where, err := c.sought(name)
	if err == nil && len(found) == 0 {
		found, err = c.nicknamed(strings.TrimPrefix(name, "model:"))
	}
	if err != nil {
		return nil, err
	}
	switch {
	case len(found) == 0:
		return nil, usage(fmt.Errorf("no record %q in the catalog", name),
			"llmcheck catalog licenses lists the known ids, and so do catalog models, catalog gpus, prices, figures and measurements")
	case len(where) > 1:
		return nil, usage(fmt.Errorf("%q is in more than one catalog", name), "say "+strings.Join(where, " or "))
	}
	return found, nil
}

// sought looks in the catalog of the kind before the colon, else in all, and says in which the name is. What is recorded
// of costs is looked through where nothing else bears the name.
func (c *catalogs) sought(name string) (found []any, where []string, err error) {
	kinds := c.kinds()
	kind, rest, _ := strings.Cut(name, ":")
	if i := slices.IndexFunc(kinds, func(k recordKind) bool { return k.name == kind }); i >= 0 && kind != name {
		found, err = kinds[i].find(rest)
		return found, []string{name}, err
	}
	for _, costs := range []bool{false, true} {
		for _, k := range kinds {
			if k.costs != costs {
				continue
			}
			more, err := k.find(name)
			if err != nil {
				return nil, nil, err
			}
			if len(more) > 0 {
				found, where = append(found, more...), append(where, k.name+":"+name)
			}
		}
		if len(found) > 0 {
			break
		}
	}
	return found, where, nil
}

func (c *catalogs) licenses(name string) ([]any, error) {
	var out []any
	for _, id := range c.Licenses.Resolve(name) {
		t, err := c.Licenses.Get(id)
		if err != nil {
			return nil, err
		}
		out = append(out, t)
	}
	return out, nil
}

// shownModel is what is known of a model, with the keys of its record.
type shownModel struct {
	ID         string          `yaml:"id"`
	License    string          `yaml:"license"`
	Declared   string          `yaml:"declared,omitempty"`
	Base       *shownBase      `yaml:"base,omitempty"`
	Source     evidence.Source `yaml:"source"`
	Seen       string          `yaml:"seen,omitempty"`
	Confidence string          `yaml:"confidence"`
	Note       string          `yaml:"note,omitempty"`

	Aliases      []string         `yaml:"aliases,omitempty"`
	ConfigSource *evidence.Source `yaml:"config_source,omitempty"`
	Config       map[string]any   `yaml:"config,omitempty"`
	HFQuant      map[string]any   `yaml:"hf_quant,omitempty"`
	Totals       *models.Totals   `yaml:"totals,omitempty"` // as published, or counted from the configuration
	Stored       string           `yaml:"-"`                // the number format of the weights; no key of a record
}

type shownBase struct {
	ID       string         `yaml:"id"`
	Relation model.Relation `yaml:"relation"`
}

func (c *catalogs) models(name string) ([]any, error) {
	if _, ok, err := c.Models.Get(name); err != nil || !ok {
		return nil, err
	}
	s, err := c.model(name)
	return []any{s}, err
}

// nicknamed finds models by the names that estimate takes. Some are ids of licenses too, so they come last.
func (c *catalogs) nicknamed(name string) ([]any, error) {
	var out []any
	for _, id := range c.Models.Resolve(name) {
		s, err := c.model(id)
		if err != nil {
			return nil, err
		}
		out = append(out, s)
	}
	return out, nil
}

func (c *catalogs) model(id string) (*shownModel, error) {
	m, _, err := c.Models.Get(id)
	if err != nil {
		return nil, err
	}
	s := &shownModel{
		ID: m.ID, License: m.License, Declared: m.Declared, Source: m.Source, Seen: m.Seen, Confidence: m.Confidence, Note: m.Note,
	}
	if m.Base != nil {
		s.Base = &shownBase{m.Base.Ref, m.Base.Relation}
	}
	f, ok, err := c.Models.Facts(m.ID)
	if err != nil || !ok {
		return s, err
	}
	return s, s.shaped(f)
}

// shaped adds what the record says of the shape, with totals that are counted where none were published.
func (s *shownModel) shaped(f *models.Facts) (err error) {
	s.Aliases, s.Totals = f.Other, f.Totals
	if f.Source != (evidence.Source{}) {
		s.ConfigSource = &f.Source
	}
	if s.Config, err = records.Front("config", []byte(f.Config.Raw())); err != nil {
		return err
	}
	if f.Quant.Kind() == strictjson.Object {
		if s.HFQuant, err = records.Front("hf_quant", []byte(f.Quant.Raw())); err != nil {
			return err
		}
	}
	shape, err := arch.Of(f.Config)
	if err != nil {
		return err
	}
	stored, err := quant.Stored(shape, f.Config, f.Quant)
	if err != nil {
		return err
	}
	s.Stored = stored.Name
	if s.Totals != nil && s.Totals.Params > 0 && s.Totals.Active > 0 {
		return nil
	}
	p := shape.Params()
	counted := models.Totals{Params: p.Total, Active: p.Active, Kind: "derived"}
	if s.Totals != nil {
		counted.Bytes, counted.Source = s.Totals.Bytes, s.Totals.Source
		if s.Totals.Params > 0 {
			counted.Params, counted.Kind, counted.TextOnly = s.Totals.Params, s.Totals.Kind, s.Totals.TextOnly
			counted.Active = min(counted.Active, counted.Params) // a published total may be rounded down
		}
	}
	s.Totals = &counted
	return nil
}

func (c *catalogs) gpus(name string) ([]any, error) {
	ids, err := c.GPUs.Named(name)
	if err != nil {
		return nil, err
	}
	var out []any
	for _, id := range ids {
		r, err := c.GPUs.Record(id)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

// showRecords writes records as they are kept. JSON has the same keys.
func (a *App) showRecords(found []any, format string) error {
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	for i, r := range found {
		if format == "json" {
			keys, err := keysOf(r)
			if err != nil {
				return err
			}
			if err := enc.Encode(keys); err != nil {
				return err
			}
			continue
		}
		text, err := records.Encode(r)
		if err != nil {
			return err
		}
		if i > 0 {
			fmt.Fprintln(a.Out)
		}
		if _, err := fmt.Fprint(a.Out, printable.Text(string(text))); err != nil {
			return err
		}
	}
	return nil
}

// keysOf gives a record the keys of its file.
func keysOf(r any) (map[string]any, error) {
	text, err := records.Encode(r)
	if err != nil {
		return nil, err
	}
	return records.Front("record", text)
}
