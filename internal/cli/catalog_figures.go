package cli

import (
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/llmcheck/llmcheck/internal/cost"
	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
	"github.com/llmcheck/llmcheck/internal/printable"
	"github.com/llmcheck/llmcheck/internal/report"
)

// The kinds of figures.
const (
	constantFigure    = "constant"
	gridFigure        = "grid"
	electricityFigure = "electricity"
)

func figureKinds() []string { return []string{constantFigure, gridFigure, electricityFigure} }

// figureFilter says which figures are listed.
type figureFilter struct{ kind, country, format string }

func newCatalogFigures(g *global) *cobra.Command {
	var f figureFilter
	cmd := &cobra.Command{
		Use:   "figures",
		Short: "List what cost and power rest on beside prices: PUE, grids, electricity, shares of load",
		Long: `figures lists the constants that cost and power are computed from: id, value (least, middle and most where it is not sure),
unit, the year or day that it holds for, how far it is to be trusted, and what it is. Grids of countries and of regions of
clouds, and prices of electricity, are among them. With --country, what estimate takes there is listed and nothing else.`,
		Example: "  llmcheck catalog figures --kind constant\n  llmcheck catalog figures --country DE\n" +
			"  llmcheck catalog figures --kind grid --format json",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := f.check(); err != nil {
				return usage(err, "")
			}
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			list, err := f.apply(c.Prices)
			if err != nil {
				return err
			}
			if f.format == "json" {
				return g.app.writeJSON(list)
			}
			return g.app.listFigures(list)
		},
	}
	catalogFlag(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.kind, "kind", "", "only of this `kind`: "+strings.Join(figureKinds(), ", "))
	fl.StringVar(&f.country, "country", "", "what holds in this `country` or region of a cloud, like DE, Germany or europe-west3")
	fl.StringVar(&f.format, "format", "text", "output `format`: text, json")
	completeWords(cmd, "kind", figureKinds())
	completeWords(cmd, "format", []string{"text", "json"})
	_ = cmd.RegisterFlagCompletionFunc("country", g.completePlaces) // the flags stand above
	return cmd
}

func (f *figureFilter) check() error {
	faults := []error{oneOf("format", f.format, []string{"text", "json"})}
	if f.kind != "" {
		f.kind = strings.ToLower(f.kind)
		faults = append(faults, oneOf("kind", f.kind, figureKinds()))
	}
	return errors.Join(faults...)
}

// shownFigure is a number with where it is from.
type shownFigure struct {
	Kind       string          `json:"kind"`
	ID         string          `json:"id"`
	Name       string          `json:"name"`
	Value      report.Range    `json:"value"`
	Unit       string          `json:"unit,omitzero"`
	Of         string          `json:"of,omitzero"`
	Formula    string          `json:"formula,omitzero"`
	Confidence cost.Confidence `json:"confidence"`
	Note       string          `json:"note,omitzero"`
	Source     shownSource     `json:"source"`
}

func figureOf(kind string, f *cost.Figure) shownFigure {
	return shownFigure{
		Kind: kind, ID: f.ID, Name: f.Name, Value: report.Range(f.Value), Unit: f.Unit, Of: f.Of, Formula: f.Formula, Confidence: f.Confidence,
		Note: f.Note, Source: sourceOf(f.Source),
	}
}

func (f *figureFilter) apply(c *costs.Catalog) ([]shownFigure, error) {
	out := []shownFigure{}
	add := func(kind string, v *cost.Figure) {
		if v.ID != "" && (f.kind == "" || f.kind == kind) {
			out = append(out, figureOf(kind, v))
		}
	}
	if f.country != "" {
		s, err := c.Site(costs.Where{Place: f.country})
		if errors.Is(err, costs.ErrUnknown) {
			return nil, usage(fmt.Errorf("reading --country: %w", err), "llmcheck catalog figures --kind grid lists the known places")
		}
		if err == nil {
			add(constantFigure, &s.PUE)
			add(gridFigure, &s.Grid)
			add(electricityFigure, &s.Price)
		}
		return out, err
	}
	constants, err := c.Figures()
	if err != nil {
		return nil, err
	}
	for i := range constants {
		add(constantFigure, &constants[i])
	}
	if f.kind == constantFigure {
		return out, nil
	}
	return out, everywhere(c, add)
}

// everywhere adds what is known of each country and of each region of a cloud. What is only taken from a wider circle
// is no figure of a place.
func everywhere(c *costs.Catalog, add func(string, *cost.Figure)) error {
	countries, err := c.Places()
	if err != nil {
		return err
	}
	for _, p := range countries {
		s, err := c.Site(costs.Where{Place: p.ID})
		if err != nil {
			return err
		}
		add(gridFigure, &s.Grid)
		if s.Price.ID == p.ID {
			add(electricityFigure, &s.Price)
		}
	}
	clouds, err := c.Clouds()
	if err != nil {
		return err
	}
	for _, cloud := range clouds {
		for _, r := range cloud.Regions {
			s, err := c.Site(costs.Where{Place: cloud.ID + ":" + r.ID})
			if err != nil {
				return err
			}
			add(gridFigure, &s.Grid)
		}
	}
	return nil
}

func (a *App) listFigures(list []shownFigure) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for i := range list {
		f := &list[i]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", printable.Line(f.ID), strings.TrimSpace(spread(f.Value)+" "+printable.Line(f.Unit)), f.Of, f.Confidence,
			printable.Line(f.Name), printable.Line(f.Source.Title))
	}
	if len(list) == 0 {
		a.nothing("no figure is known that this holds for")
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for i := range list {
		if list[i].Note != "" && len(list) <= 3 { // of one place
			if _, err := fmt.Fprintf(a.Out, "%s: %s\n", printable.Line(list[i].ID), printable.Line(list[i].Note)); err != nil {
				return err
			}
		}
	}
	return nil
}
