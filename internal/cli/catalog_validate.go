package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"

	"github.com/spf13/cobra"

	measured "github.com/llmcheck/llmcheck/internal/bench/catalog"
	costs "github.com/llmcheck/llmcheck/internal/cost/catalog"
	gpus "github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/license"
	models "github.com/llmcheck/llmcheck/internal/model/catalog"
	"github.com/llmcheck/llmcheck/internal/records"
)

func newCatalogValidate(g *global) *cobra.Command {
	return &cobra.Command{
		Use:   "validate <folder>",
		Short: "Check records of your own, and report every fault with file and line",
		Long: `validate checks the records of a folder as --catalog takes them: licenses, or folders licenses, models, accelerators,
measurements and costs with records of each kind. In costs are folders of their own: ` + strings.Join(costs.Kinds(), ", ") + `.
Cards that records name have to be in the catalog of accelerators, ours or yours.`,
		Example: "  llmcheck catalog validate ./licenses\n  llmcheck catalog validate ./catalog",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			total, err := validate(args[0])
			if err != nil {
				return usage(err, "llmcheck catalog show apache-2.0 prints a record to start from, and show gpu:h100-sxm or show seller:lambda one of their kind")
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
	defer root.Close()
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
	case measurementFolder:
		return validateMeasurements(root, f.path)
	case costFolder:
		return validateCosts(root, f.path)
	}
	found, err := records.Load(root.FS(), f.path, func(id string, t *license.Terms) error { return t.Validate(id) })
	return len(found), err
}

// validateModels leaves the rules of a record of a model to its catalog, which tells no count.
func validateModels(root *os.Root, folder string) (int, error) {
	sub, err := fs.Sub(root.FS(), folder)
	if err != nil {
		return 0, fmt.Errorf("opening the records: %w", err)
	}
	if _, err := models.Default().Overlay(sub); err != nil {
		return 0, in(folder, err)
	}
	names, err := fs.ReadDir(sub, ".")
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

func validateMeasurements(root *os.Root, folder string) (int, error) {
	sub, err := fs.Sub(root.FS(), folder)
	if err != nil {
		return 0, fmt.Errorf("opening the records: %w", err)
	}
	c, err := measured.Default().Overlay(sub)
	if err != nil {
		return 0, in(folder, err)
	}
	return c.Count(), in(folder, c.Foreign(sub, cardsKnown(root.FS())))
}

func validateCosts(root *os.Root, folder string) (int, error) {
	sub, err := fs.Sub(root.FS(), folder)
	if err != nil {
		return 0, fmt.Errorf("opening the records: %w", err)
	}
	r, err := costs.Load(sub)
	if err != nil {
		return 0, in(folder, err)
	}
	c, err := costs.Default().Overlay(sub)
	if err != nil {
		return 0, in(folder, err)
	}
	return r.Count(), in(folder, c.Foreign(sub, r, cardsKnown(root.FS())))
}

// in says in which folder the files of a fault lie.
func in(folder string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("in the records of %s:\n%w", folder, err)
}

// cardsKnown tells of cards of the catalog and of those whose records lie in the folder, faulty ones too: those faults
// are told where they are.
func cardsKnown(fsys fs.FS) func(string) bool {
	known := gpus.Default()
	if own, err := fs.Sub(fsys, acceleratorFolder); err == nil {
		if over, err := known.Overlay(own); err == nil {
			known = over
		}
	}
	return func(card string) bool {
		if _, err := known.Get(card); err == nil {
			return true
		}
		name := acceleratorFolder + "/" + card + ".yaml"
		if !fs.ValidPath(name) {
			return false
		}
		_, err := fs.Stat(fsys, name)
		return err == nil
	}
}
