// Command gen writes aliases.tsv, the names of all licenses, from the records in terms. Run it with go generate in the
// folder of package catalog after a record has changed; a test there fails until then.
package main

import (
	"fmt"
	"os"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/license/catalog"
	"github.com/llmcheck/llmcheck/internal/records"
)

func main() {
	if err := write("terms", "aliases.tsv"); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

// write checks every record on the way, so that a faulty one is never listed.
func write(terms, table string) error {
	check := func(id string, t *license.Terms) error { return t.Validate(id) }
	all, err := records.Load(os.DirFS(terms), ".", check)
	if err != nil {
		return fmt.Errorf("reading the records of licenses: %w", err)
	}
	if err := os.WriteFile(table, []byte(catalog.Table(all)), 0o644); err != nil {
		return fmt.Errorf("writing the names of licenses: %w", err)
	}
	return nil
}
