package cli

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/license"
	licenses "github.com/llmcheck/llmcheck/internal/license/catalog"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/records"
)

func newCatalog(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "What is known about licenses, and since when",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCatalogLicenses(g), newCatalogShow(g), newCatalogValidate(g))
	return cmd
}

// chosen opens the catalog that flags, variables or the settings file name.
func (g *global) chosen(cmd *cobra.Command) (*licenses.Catalog, error) {
	c, err := g.settings(cmd)
	if err != nil {
		return nil, err
	}
	return g.catalog(c.Catalog)
}

// catalog opens the licenses with the company's own records over them.
func (g *global) catalog(dir string) (*licenses.Catalog, error) {
	c := licenses.Default()
	if dir == "" {
		return c, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, usage(fmt.Errorf("opening the catalog of --catalog: %w", err), "")
	}
	over, err := c.Overlay(root.FS())
	return over, usage(err, "llmcheck catalog validate "+dir+" lists every fault")
}

func newCatalogLicenses(g *global) *cobra.Command {
	var stale string
	cmd := &cobra.Command{
		Use:     "licenses",
		Short:   "List the licenses that are known",
		Example: "  llmcheck catalog licenses\n  llmcheck catalog licenses --stale 365d",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := days(stale)
			if err != nil {
				return usage(err, "")
			}
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			return g.app.listLicenses(c, age)
		},
	}
	cmd.Flags().String("catalog", "", "`folder` of license records of your own, laid over ours")
	cmd.Flags().StringVar(&stale, "stale", "", "only records checked longer ago than this many `days`, like 365d")
	return cmd
}

// days reads an age; -1 is none asked for.
func days(s string) (int, error) {
	if s == "" {
		return -1, nil
	}
	n, err := strconv.Atoi(strings.TrimSuffix(s, "d"))
	if err != nil || n < 0 {
		return 0, fmt.Errorf("--stale %q is not a number of days like 365d", s)
	}
	return n, nil
}

func (a *App) listLicenses(c *licenses.Catalog, olderThan int) error {
	ids, err := c.IDs()
	if err != nil {
		return err
	}
	today := evidence.DateOf(a.Now())
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, id := range ids {
		t, err := c.Get(id)
		if err != nil {
			return err
		}
		if olderThan < 0 || t.Source.Checked.DaysUntil(today) > olderThan {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", id, t.Class, t.Source.Checked, printable.Line(t.Name))
		}
	}
	return w.Flush()
}

func newCatalogShow(g *global) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:     "show <license>",
		Short:   "Show what is recorded about one license, by id, SPDX id or hub identifier",
		Example: "  llmcheck catalog show llama-3.1-community\n  llmcheck catalog show llama3.1 --format json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := oneOf("format", format, []string{"text", "json"}); err != nil {
				return usage(err, "")
			}
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			return g.app.showLicense(c, args[0], format)
		},
	}
	cmd.Flags().String("catalog", "", "`folder` of license records of your own, laid over ours")
	cmd.Flags().StringVar(&format, "format", "text", "output `format`: text, json")
	return cmd
}

func (a *App) showLicense(c *licenses.Catalog, name, format string) error {
	ids := c.Resolve(name)
	if len(ids) == 0 {
		return usage(fmt.Errorf("no license %q in the catalog", name), "llmcheck catalog licenses lists the known ids")
	}
	for _, id := range ids {
		t, err := c.Get(id)
		if err != nil {
			return err
		}
		if err := a.showTerms(t, format); err != nil {
			return err
		}
	}
	return nil
}

// showTerms writes a record as it is kept. JSON has the same keys.
func (a *App) showTerms(t *license.Terms, format string) error {
	text, err := records.Encode(t)
	if err != nil {
		return err
	}
	if format == "text" {
		_, err = fmt.Fprint(a.Out, printable.Text(string(text)))
		return err
	}
	keys, err := records.Front(t.ID, text)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(keys)
}

func newCatalogValidate(g *global) *cobra.Command {
	return &cobra.Command{
		Use:     "validate <folder>",
		Short:   "Check license records of your own, and report every fault with file and line",
		Example: "  llmcheck catalog validate ./licenses",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			root, err := os.OpenRoot(args[0])
			if err != nil {
				return usage(fmt.Errorf("opening the records: %w", err), "")
			}
			found, err := records.Load(root.FS(), ".", func(id string, t *license.Terms) error { return t.Validate(id) })
			if err != nil {
				return usage(err, "llmcheck catalog show apache-2.0 prints a record to start from")
			}
			_, err = fmt.Fprintf(g.app.Out, "%d records, no fault\n", len(found))
			return err
		},
	}
}
