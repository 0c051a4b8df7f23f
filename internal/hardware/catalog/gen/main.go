// Command gen writes aliases.tsv, the names of all accelerators, and index.json, all records for who wants all, from the
// records in accelerators. Run it with go generate in the folder of package catalog after a record has changed; tests
// there fail until then.
package main

import (
	"fmt"
	"os"

	"github.com/llmcheck/llmcheck/internal/hardware/catalog"
	"github.com/llmcheck/llmcheck/internal/records"
)

func main() {
	if err := write("accelerators", "aliases.tsv", "index.json"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write checks every record on the way, so that a faulty one is never listed.
func write(folder, table, index string) error {
	all, err := records.Load(os.DirFS(folder), ".", catalog.Check)
	if err == nil {
		err = catalog.Distinct(all)
	}
	if err != nil {
		return fmt.Errorf("reading the records of accelerators: %w", err)
	}
	if err := os.WriteFile(table, []byte(catalog.Table(all)), 0o644); err != nil {
		return fmt.Errorf("writing the names of accelerators: %w", err)
	}
	data, err := catalog.Index(all)
	if err != nil {
		return err
	}
	if err := os.WriteFile(index, data, 0o644); err != nil {
		return fmt.Errorf("writing the index of accelerators: %w", err)
	}
	return nil
}
