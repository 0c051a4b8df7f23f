package catalog
import "github.com/llmcheck/llmcheck/internal/model"
func (c *Catalog) Dataset(id string) (*model.KnownDataset, bool, error) { return nil, false, nil }
