package cli

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"

	measured "github.com/llmcheck/llmcheck/internal/bench/catalog"
	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
)

// The kinds of records of costs by their folders.
const (
	sellerRecords   = "prices"
	groupRecords    = "groups"
	placeRecords    = "places"
	cloudRecords    = "regions"
	figureRecords   = "figures"
	purchaseRecords = "purchases"
	systemRecords   = "systems"
)

// recordKind is a kind of record as people name it before a colon.
type recordKind struct {
	name  string
	find  func(name string) ([]any, error) // the records that bear a name
	dated func() ([]aged, error)
	costs bool // a name without its kind means others first: the price of an H100 is called like the card
}

// kinds are all there are, in the order in which a name is sought.
func (c *catalogs) kinds() []recordKind {
	return []recordKind{
		{"license", c.licenses, c.datedLicenses, false},
		{"model", c.models, c.datedModels, false},
		{"gpu", c.gpus, c.datedGPUs, false},
		{"seller", c.sellers, c.datedCosts(sellerRecords), true},
		{"place", c.places, c.datedCosts(placeRecords), true},
		{"cloud", c.clouds, c.datedCosts(cloudRecords), true},
		{"figure", c.costs(figureRecords), c.datedCosts(figureRecords), true},
		{"purchase", c.costs(purchaseRecords), c.datedCosts(purchaseRecords), true},
		{"system", c.costs(systemRecords), c.datedCosts(systemRecords), true},
		{"group", c.costs(groupRecords), c.datedCosts(groupRecords), true},
		{"measurement", c.measurements, c.datedMeasurements, true},
	}
}

// recordKinds are the names of the kinds.
func recordKinds() []string {
	var names []string
	for _, k := range new(catalogs).kinds() {
		names = append(names, k.name)
	}
	return names
}

// costs finds the record of an id.
func (c *catalogs) costs(kind string) func(string) ([]any, error) {
	return func(name string) ([]any, error) {
		r, err := c.Prices.Record(kind, strings.ToLower(name))
		if errors.Is(err, costs.ErrUnknown) {
			return nil, nil
		}
		return []any{r}, err
	}
}

// sellers finds a seller by id or name.
func (c *catalogs) sellers(name string) ([]any, error) {
	all, err := c.Prices.Sellers()
	if err != nil {
		return nil, err
	}
	for _, s := range all {
		if strings.EqualFold(s.ID, name) || strings.EqualFold(s.Name, name) {
			return c.costs(sellerRecords)(s.ID)
		}
	}
	return nil, nil
}

// places finds countries by name or code.
func (c *catalogs) places(name string) ([]any, error) {
	ids, _ := c.Prices.Called(name)
	return c.all(placeRecords, ids)
}

// clouds finds clouds by id, or by one of their regions.
func (c *catalogs) clouds(name string) ([]any, error) {
	_, ids := c.Prices.Called(name)
	if id := strings.ToLower(name); slices.Contains(c.Prices.IDs(cloudRecords), id) {
		ids = []string{id}
	}
	return c.all(cloudRecords, ids)
}

func (c *catalogs) all(kind string, ids []string) ([]any, error) {
	var out []any
	for _, id := range ids {
		r, err := c.costs(kind)(id)
		if err != nil {
			return nil, err
		}
		out = append(out, r...)
	}
	return out, nil
}

// measurements finds what one document says.
func (c *catalogs) measurements(name string) ([]any, error) {
	r, err := c.Measured.Document(name)
	if errors.Is(err, measured.ErrUnknown) {
		return nil, nil
	}
	return []any{r}, err
}

// writeJSON writes a value for programs.
func (a *App) writeJSON(v any) error {
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}
