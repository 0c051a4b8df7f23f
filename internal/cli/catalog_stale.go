package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
	"github.com/llmcheck/llmcheck/internal/evidence"
	"github.com/llmcheck/llmcheck/internal/printable"
)

// staleFilter says which records are listed.
type staleFilter struct{ days, kind, format string }

func newCatalogStale(g *global) *cobra.Command {
	var f staleFilter
	cmd := &cobra.Command{
		Use:   "stale",
		Short: "List the records of all kinds that nobody has checked for a while",
		Long: `stale lists records of every kind that were not compared with their source for a number of days: kind and id, the last day,
days since then, and name. Of a seller the newest of its prices counts, of a model the day on which its license was seen.
A record that says no day is listed in any case.`,
		Example: "  llmcheck catalog stale --days 180\n  llmcheck catalog stale --days 90 --kind seller --format json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			age, err := f.check()
			if err != nil {
				return usage(err, "")
			}
			c, err := g.chosen(cmd)
			if err != nil {
				return err
			}
			list, err := f.apply(c, evidence.DateOf(g.app.Now()), age)
			if err != nil {
				return err
			}
			if f.format == "json" {
				return g.app.writeJSON(list)
			}
			return g.app.listStale(list)
		},
	}
	catalogFlag(cmd)
	fl := cmd.Flags()
	fl.StringVar(&f.days, "days", "180", "only records checked longer ago than this many `days`")
	fl.StringVar(&f.kind, "kind", "", "only records of this `kind`: "+strings.Join(recordKinds(), ", "))
	fl.StringVar(&f.format, "format", "text", "output `format`: text, json")
	completeWords(cmd, "kind", recordKinds())
	completeWords(cmd, "format", []string{"text", "json"})
	return cmd
}

func (f *staleFilter) check() (int, error) {
	age, err := days(f.days)
	if err != nil || age < 0 {
		err = fmt.Errorf("--days %q is not a number of days like 180", f.days)
	}
	faults := []error{err, oneOf("format", f.format, []string{"text", "json"})}
	if f.kind != "" {
		faults = append(faults, oneOf("kind", f.kind, recordKinds()))
	}
	return age, errors.Join(faults...)
}

// aged is a record with the last day on which somebody looked.
type aged struct {
	Kind    string        `json:"kind"`
	ID      string        `json:"id"`
	Name    string        `json:"name,omitzero"`
	Checked evidence.Date `json:"checked,omitzero"` // absent where the record does not say
	Days    *int          `json:"days,omitempty"`
}

func (f *staleFilter) apply(c *catalogs, today evidence.Date, age int) ([]aged, error) {
	list := []aged{}
	for _, k := range c.kinds() {
		if f.kind != "" && f.kind != k.name {
			continue
		}
		all, err := k.dated()
		if err != nil {
			return nil, err
		}
		all = slices.DeleteFunc(all, func(r aged) bool { return r.Checked.DaysUntil(today) <= age })
		slices.SortStableFunc(all, func(a, b aged) int { return a.Checked.Compare(b.Checked) })
		for _, r := range all {
			r.Kind = k.name
			if !r.Checked.IsZero() {
				r.Days = new(r.Checked.DaysUntil(today))
			}
			list = append(list, r)
		}
	}
	return list, nil
}

func (a *App) listStale(list []aged) error {
	w := tabwriter.NewWriter(a.Out, 0, 0, 2, ' ', 0)
	for _, r := range list {
		since := "unknown\t-"
		if r.Days != nil {
			since = r.Checked.String() + "\t" + plural(*r.Days, "day")
		}
		fmt.Fprintf(w, "%s:%s\t%s\t%s\n", r.Kind, printable.Line(r.ID), since, printable.Line(r.Name))
	}
	if len(list) == 0 {
		a.nothing("every record was checked since")
	}
	return w.Flush()
}

func (c *catalogs) datedLicenses() ([]aged, error) {
	ids, err := c.Licenses.IDs()
	if err != nil {
		return nil, err
	}
	out := make([]aged, len(ids))
	for i, id := range ids {
		t, err := c.Licenses.Get(id)
		if err != nil {
			return nil, err
		}
		out[i] = aged{ID: id, Name: t.Name, Checked: t.Source.Checked}
	}
	return out, nil
}

func (c *catalogs) datedModels() ([]aged, error) {
	ids, err := c.Models.IDs()
	if err != nil {
		return nil, err
	}
	out := make([]aged, len(ids))
	for i, id := range ids {
		m, _, err := c.Models.Get(id)
		if err != nil {
			return nil, err
		}
		seen, _ := evidence.ParseDate(m.Seen) // none, or a day that is written otherwise, is not known
		out[i] = aged{ID: id, Name: m.License, Checked: later(m.Source.Checked, seen)}
	}
	return out, nil
}

func later(a, b evidence.Date) evidence.Date {
	if a.Compare(b) >= 0 {
		return a
	}
	return b
}

func (c *catalogs) datedGPUs() ([]aged, error) {
	all, err := c.GPUs.Records()
	out := make([]aged, len(all))
	for i, r := range all {
		out[i] = aged{ID: r.ID, Name: r.Name, Checked: r.Checked}
	}
	return out, err
}

func (c *catalogs) datedMeasurements() ([]aged, error) {
	names, err := c.Measured.Documents()
	if err != nil {
		return nil, err
	}
	out := make([]aged, len(names))
	for i, name := range names {
		r, err := c.Measured.Document(name)
		if err != nil {
			return nil, err
		}
		out[i] = aged{ID: name, Name: r.Title, Checked: r.Checked}
	}
	return out, nil
}

// datedCosts lists the records of one kind of the costs.
func (c *catalogs) datedCosts(kind string) func() ([]aged, error) {
	return func() ([]aged, error) {
		var out []aged
		for _, id := range c.Prices.IDs(kind) {
			r, err := c.Prices.Record(kind, id)
			if err != nil {
				return nil, err
			}
			out = append(out, datedCost(r))
		}
		return out, nil
	}
}

func datedCost(r any) aged {
	switch r := r.(type) {
	case *costs.Seller:
		return aged{ID: r.ID, Name: r.Name, Checked: newest(r)}
	case *costs.Group:
		return aged{ID: r.ID, Name: r.Name, Checked: r.Checked}
	case *costs.Place:
		return aged{ID: r.ID, Name: r.Name, Checked: r.Checked}
	case *costs.Cloud:
		return aged{ID: r.ID, Name: r.Name, Checked: r.Checked}
	case *costs.Figure:
		return aged{ID: r.ID, Name: r.Name, Checked: r.Checked}
	case *costs.Purchase:
		return aged{ID: r.ID, Name: r.Name, Checked: r.Checked}
	case *costs.System:
		return aged{ID: r.ID, Name: r.Name, Checked: r.Checked}
	}
	return aged{}
}

// newest is the last day on which one of the prices of a seller is known to have held: prices age whoever reads them.
func newest(s *costs.Seller) evidence.Date {
	if len(s.Offers) == 0 {
		return s.Checked
	}
	return slices.MaxFunc(s.Offers, func(a, b costs.Offer) int { return a.Date.Latest().Compare(b.Date.Latest()) }).Date.Latest()
}
