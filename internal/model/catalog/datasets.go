package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/model"
)

// Dataset decodes the record of a training data set that puts what is trained on it at risk, and reports whether there
// is one. The id is found whatever its case, and also as the hub wrote it when data sets had no organization. That there
// is no record says nothing: the list is short.
func (c *Catalog) Dataset(id string) (*model.KnownDataset, bool, error) {
	return find(c.datasets, datasetFolder, nameToday(id), checkDataset)
}

// DatasetIDs lists every data set in order.
func (c *Catalog) DatasetIDs() ([]string, error) {
	all, err := c.datasets()
	var ids []string
	for _, name := range all {
		if id, ok := idOf(name); ok {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, err
}

// nameToday gives the id of today for names that cards wrote when the hub kept some data sets without an organization.
// The hub forwards these names to this day.
func nameToday(id string) string {
	switch strings.ToLower(id) {
	case "bookcorpus":
		return "bookcorpus/bookcorpus"
	case "bookcorpusopen", "the_pile_books3":
		return "defunct-datasets/" + id
	case "empathetic_dialogues":
		return "facebook/empathetic_dialogues"
	case "imagenet-1k":
		return "ILSVRC/imagenet-1k"
	case "ms_marco":
		return "microsoft/ms_marco"
	case "the_pile":
		return "EleutherAI/pile"
	default:
		return id
	}
}

var risks = []model.DatasetRisk{model.NonCommercialData, model.APIOutputs, model.UnclearData}

// checkDataset is check for a data set.
func checkDataset(name string, d *model.KnownDataset) error {
	var faults []error
	want := func(ok bool, format string, args ...any) {
		if !ok {
			faults = append(faults, fmt.Errorf(format, args...))
		}
	}
	file, ok := nameOf(d.ID)
	want(ok, "id %q is not an id on the hub, such as org/name", d.ID)
	want(!ok || file == name, "id %q belongs into the file %s.yaml", d.ID, file)
	want(d.License != "", "license is missing: write unspecified if none is declared")
	want(slices.Contains(risks, d.Risk), "risk: %q is not one of %v", d.Risk, risks)
	want(d.Text != "", "text is missing: say what the risk is")
	want(d.Source.Title != "", "source.title is missing: say where it was read")
	want(!d.Source.Checked.IsZero(), "source.checked is missing: say when the record was compared with its source")
	return errors.Join(faults...)
}
