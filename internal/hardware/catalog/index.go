package catalog

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
)

// index holds all records once more, as JSON: whoever compares every accelerator needs all of them, and YAML takes ten
// times as long. Index makes it from the records.
//
//go:embed index.json
var index []byte

// Index writes records as the file index.json, one on each line, in the order of the ids.
func Index(all map[string]*Record) ([]byte, error) {
	var b bytes.Buffer
	sep := "[\n"
	for _, id := range slices.Sorted(maps.Keys(all)) {
		line, err := json.Marshal(all[id])
		if err != nil {
			return nil, fmt.Errorf("writing %s into the index of accelerators: %w", id, err)
		}
		b.WriteString(sep)
		b.Write(line)
		sep = ",\n"
	}
	b.WriteString("\n]\n")
	return b.Bytes(), nil
}

// built reads the records of the program.
func built() ([]*Record, error) {
	var out []*Record
	if err := json.Unmarshal(index, &out); err != nil {
		return nil, fmt.Errorf("reading the index of accelerators: %w", err)
	}
	return out, nil
}
