package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	measured "github.com/llmcheck/llmcheck/internal/bench/catalog"
	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	licenses "github.com/llmcheck/llmcheck/internal/license/catalog"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
)

// catalogs are all that is known, with the company's own records over it.
type catalogs struct {
	Licenses *licenses.Catalog
	Models   *models.Catalog
	GPUs     *gpus.Catalog
	Measured *measured.Catalog
	Prices   *costs.Catalog
}

// The folders of records in the folder of --catalog. One without any of them holds licenses.
const (
	licenseFolder     = "licenses"
	modelFolder       = "models"
	acceleratorFolder = "accelerators"
	measurementFolder = "measurements"
	costFolder        = "costs"
)

func folders() []string {
	return []string{licenseFolder, modelFolder, acceleratorFolder, measurementFolder, costFolder}
}

func catalogFlag(cmd *cobra.Command) {
	cmd.Flags().String("catalog", "", "`folder` of records of your own, laid over ours: licenses, or folders "+strings.Join(folders(), ", "))
}

// chosen opens the catalogs that flags, variables or the settings file name.
func (g *global) chosen(cmd *cobra.Command) (*catalogs, error) {
	c, err := g.settings(cmd)
	if err != nil {
		return nil, err
	}
	return g.catalogs(c.Catalog)
}

// catalog opens the licenses alone: a fault in other records is none of a question about licenses.
func (g *global) catalog(dir string) (*licenses.Catalog, error) {
	own, err := openRecords(dir)
	if err != nil {
		return nil, err
	}
	c, err := overlay(licenses.Default(), own, licenseFolder)
	return c, faultsOf(dir, err)
}

// catalogs opens all of them.
func (g *global) catalogs(dir string) (*catalogs, error) {
	own, err := openRecords(dir)
	if err != nil {
		return nil, err
	}
	var c catalogs
	var faults [5]error
	c.Licenses, faults[0] = overlay(licenses.Default(), own, licenseFolder)
	c.Models, faults[1] = overlay(models.Default(), own, modelFolder)
	c.GPUs, faults[2] = overlay(gpus.Default(), own, acceleratorFolder)
	c.Measured, faults[3] = overlay(measured.Default(), own, measurementFolder)
	c.Prices, faults[4] = overlay(costs.Default(), own, costFolder)
	if err := errors.Join(faults[:]...); err != nil {
		return nil, faultsOf(dir, err)
	}
	if err := c.foreign(own); err != nil {
		return nil, faultsOf(dir, err)
	}
	return &c, nil
}

// foreign reports cards of the user's records that nobody knows: their prices and measurements would never be found, and
// an answer would rest on those of others without a word.
func (c *catalogs) foreign(own map[string]fs.FS) error {
	known := func(card string) bool {
		_, err := c.GPUs.Get(card)
		return err == nil
	}
	var faults []error
	if fsys, ok := own[measurementFolder]; ok {
		faults = append(faults, in(measurementFolder, c.Measured.Foreign(fsys, known)))
	}
	if fsys, ok := own[costFolder]; ok {
		r, err := costs.Load(fsys)
		if err == nil {
			err = c.Prices.Foreign(fsys, r, known)
		}
		faults = append(faults, in(costFolder, err))
	}
	return errors.Join(faults...)
}

func faultsOf(dir string, err error) error {
	return usage(err, "llmcheck catalog validate "+dir+" lists every fault")
}

// overlay lays the records of one folder over a catalog, if there is such a folder.
func overlay[C interface{ Overlay(fs.FS) (C, error) }](c C, own map[string]fs.FS, folder string) (C, error) {
	fsys, ok := own[folder]
	if !ok {
		return c, nil
	}
	over, err := c.Overlay(fsys)
	if err != nil {
		return c, in(folder, err)
	}
	return over, nil
}

// openRecords opens the folders of records of a company by their names. A folder without any of them holds licenses.
func openRecords(dir string) (map[string]fs.FS, error) {
	if dir == "" {
		return nil, nil
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, usage(fmt.Errorf("opening the catalog of --catalog: %w", err), "")
	}
	fsys := root.FS()
	found, err := recordFolders(fsys)
	if err != nil {
		return nil, usage(fmt.Errorf("opening the catalog of --catalog: %w", err), "")
	}
	out := make(map[string]fs.FS)
	for _, f := range found {
		if out[f.kind], err = fs.Sub(fsys, f.path); err != nil {
			return nil, usage(fmt.Errorf("opening the catalog of --catalog: %w", err), "")
		}
	}
	return out, nil
}

type recordFolder struct{ kind, path string }

// recordFolders says which folder holds what. Records beside the folders would be in none of them, so that they are
// refused and not passed over.
func recordFolders(fsys fs.FS) ([]recordFolder, error) {
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		return nil, err
	}
	var found []recordFolder
	loose := ""
	for _, e := range entries {
		switch name := e.Name(); {
		case path.Ext(name) == ".yaml" && !e.IsDir():
			loose = name
		case slices.Contains(folders(), name):
			found = append(found, recordFolder{name, name})
		}
	}
	switch {
	case len(found) == 0:
		return []recordFolder{{licenseFolder, "."}}, nil
	case loose != "":
		return nil, fmt.Errorf("%s lies beside the folder %s: move it into %s", loose, found[0].path,
			strings.Join(folders(), ", ")+", whichever it belongs to")
	}
	return found, nil
}
