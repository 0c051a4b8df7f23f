package cli

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llmcheck/llmcheck/internal/arch"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/quant"
	"github.com/llmcheck/llmcheck/internal/records"
)

// TestShownModelIsARecord: what is shown of a model can be laid over the catalog, and says the same.
func TestShownModelIsARecord(t *testing.T) {
	c := &catalogs{Models: models.Default()}
	ids := c.Models.IDsWithConfig()
	if len(ids) == 0 {
		t.Fatal("no records")
	}
	folder := fstest.MapFS{}
	for _, id := range ids {
		m, err := c.model(id)
		if err != nil {
			t.Fatalf("%s: %v", id, err)
		}
		if m.Totals == nil || m.Totals.Params <= 0 {
			t.Errorf("%s: no total is shown", id)
		}
		text, err := records.Encode(m)
		if err != nil {
			t.Fatal(err)
		}
		folder[strings.Replace(id, "/", "__", 1)+".yaml"] = &fstest.MapFile{Data: text}
	}
	own, err := c.Models.Overlay(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range ids {
		want, _, err := c.Models.Facts(id)
		got, found, fault := own.Facts(id)
		if err != nil || fault != nil || !found {
			t.Fatalf("%s: %v, %v", id, err, fault)
		}
		if a, b := size(t, got), size(t, want); a != b {
			t.Errorf("%s: %d bytes of weights, and %d by the record of the catalog", id, a, b)
		}
	}
}

func size(t *testing.T, f *models.Facts) int64 {
	t.Helper()
	shape, err := arch.Of(f.Config)
	if err != nil {
		t.Fatal(err)
	}
	stored, err := quant.Stored(shape, f.Config, f.Quant)
	if err != nil {
		t.Fatal(err)
	}
	return stored.Total(shape)
}
