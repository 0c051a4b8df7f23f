package cli

import (
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/evidence"
	licenses "github.com/llmcheck/llmcheck/internal/license/catalog"
	"github.com/llmcheck/llmcheck/internal/printable"
)

func newCatalog(g *global) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "catalog",
		Short: "What is known about licenses, models, accelerators, networks, prices and measurements, and since when",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newCatalogLicenses(g), newCatalogModels(g), newCatalogGPUs(g), newCatalogPrices(g), newCatalogMeasurements(g),
		newCatalogTraining(g), newCatalogFabrics(g), newCatalogFigures(g), newCatalogShow(g), newCatalogStale(g), newCatalogValidate(g))
	return cmd
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
			s, err := g.settings(cmd)
			if err != nil {
				return err
			}
			c, err := g.catalog(s.Catalog)
			if err != nil {
				return err
			}
			return g.app.listLicenses(c, age)
		},
	}
	catalogFlag(cmd)
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
