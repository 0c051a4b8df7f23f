// Command gen writes index.tsv, the table of all records of what things cost, from the folders of records. Run it with go
// generate in the folder of package catalog after a record has changed; tests there fail until then.
package main

import (
	"fmt"
	"os"

	"github.com/llmcheck/llmcheck/internal/cost/catalog"
)

func main() {
	if err := write(".", "index.tsv"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write checks every record on the way, so that a faulty one is never listed.
func write(folder, index string) error {
	all, err := catalog.Load(os.DirFS(folder))
	if err != nil {
		return fmt.Errorf("reading the records of costs: %w", err)
	}
	text, err := catalog.Index(all)
	if err != nil {
		return err
	}
	if err := os.WriteFile(index, []byte(text), 0o644); err != nil {
		return fmt.Errorf("writing the index of costs: %w", err)
	}
	return nil
}
