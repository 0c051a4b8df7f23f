package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/arch"
	"github.com/llmcheck/llmcheck/internal/evidence"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/license"
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
		Use:   "show <license|model|gpu>",
		Short: "Show what is recorded about one license, model or accelerator",
		Long: "show prints a record by any of its names: a license by id, SPDX id or hub identifier, a model by its id on the hub, an\n" +
			"accelerator by id or as people and drivers write it. Where a name is in more than one catalog, put license:, model: or\n" +
			"gpu: before it.",
		Example:           "  llmcheck catalog show llama-3.1-community\n  llmcheck catalog show \"NVIDIA H100 80GB HBM3\"\n  llmcheck catalog show gpu:h100-sxm --format json",
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
	in := []struct {
		prefix string
		find   func(string) ([]any, error)
	}{{"license", c.licenses}, {"model", c.models}, {"gpu", c.gpus}}
	var found []any
	var where []string
	kind, rest, prefixed := strings.Cut(name, ":")
	for _, k := range in {
		sought := name
		if prefixed && kind == k.prefix {
			found, where, sought = nil, nil, rest
		}
		more, err := k.find(sought)
		if err != nil {
			return nil, err
		}
		if len(more) > 0 {
			where = append(where, k.prefix+":"+sought)
			found = append(found, more...)
		}
		if prefixed && kind == k.prefix {
			break
		}
	}
	if len(found) == 0 {
		more, err := c.nicknamed(strings.TrimPrefix(name, "model:"))
		if err != nil {
			return nil, err
		}
		found = more
	}
	switch {
	case len(found) == 0:
		return nil, usage(fmt.Errorf("no license, model or accelerator %q in the catalog", name),
			"llmcheck catalog licenses lists the known ids, and so do catalog models and catalog gpus")
	case len(where) > 1:
		return nil, usage(fmt.Errorf("%q is in more than one catalog", name), "say "+strings.Join(where, " or "))
	}
	return found, nil
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

func newCatalogValidate(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "validate <folder>",
		Short: "Check records of your own, and report every fault with file and line",
		Long: "validate checks the records of a folder as --catalog takes them: licenses, or folders licenses, models and\n" +
			"accelerators with records of each kind.",
		Example: "  llmcheck catalog validate ./licenses\n  llmcheck catalog validate ./catalog",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			total, err := validate(args[0])
			if err != nil {
				return usage(err, "llmcheck catalog show apache-2.0 prints a record to start from, and show gpu:h100-sxm one of an accelerator")
			}
			_, err = fmt.Fprintf(g.app.Out, "%d records, no fault\n", total)
			return err
		},
	}
}

// validate counts the records of a folder, all of which are sound.
func validate(dir string) (int, error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return 0, fmt.Errorf("opening the records: %w", err)
	}
	found, err := recordFolders(root.FS())
	if err != nil {
		return 0, fmt.Errorf("opening the records: %w", err)
	}
	total := 0
	var faults []error
	for _, f := range found {
		n, err := validateFolder(root, f)
		total += n
		faults = append(faults, err)
	}
	return total, errors.Join(faults...)
}

func validateFolder(root *os.Root, f recordFolder) (int, error) {
	switch f.kind {
	case acceleratorFolder:
		found, err := records.Load(root.FS(), f.path, gpus.Check)
		if err == nil {
			err = gpus.Distinct(found)
		}
		return len(found), err
	case modelFolder:
		return validateModels(root, f.path)
	}
	found, err := records.Load(root.FS(), f.path, func(id string, t *license.Terms) error { return t.Validate(id) })
	return len(found), err
}

// validateModels leaves the rules of a record of a model to its catalog, which tells no count.
func validateModels(root *os.Root, folder string) (int, error) {
	sub, err := root.OpenRoot(folder)
	if err != nil {
		return 0, fmt.Errorf("opening the records: %w", err)
	}
	if _, err := models.Default().Overlay(sub.FS()); err != nil {
		return 0, fmt.Errorf("in the records of %s:\n%w", folder, err)
	}
	names, err := fs.ReadDir(sub.FS(), ".")
	if err != nil {
		return 0, fmt.Errorf("counting the records: %w", err)
	}
	n := 0
	for _, e := range names {
		if path.Ext(e.Name()) == ".yaml" && !e.IsDir() {
			n++
		}
	}
	return n, nil
}
