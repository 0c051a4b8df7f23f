package catalog

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
)

// index holds all records, one on each line as JSON, in the order of the ids. Index makes it from the records, which are
// checked on the way; YAML takes ten times as long to read.
//
//go:embed index.jsonl
var index []byte

// Index writes records as the file index.jsonl.
func Index(all map[string]*Record) ([]byte, error) {
	var b bytes.Buffer
	for _, id := range slices.Sorted(maps.Keys(all)) {
		line, err := json.Marshal(all[id])
		if err != nil {
			return nil, fmt.Errorf("writing %s into the index of accelerators: %w", id, err)
		}
		b.Write(line)
		b.WriteByte('\n')
	}
	return b.Bytes(), nil
}

// before is what stands before the id on a line, and after behind it.
const before, after = `{"id":"`, `",`

// line finds the record of an id by bisection over the bytes of the index: the line that covers a byte tells the side.
func line(id string) ([]byte, bool) {
	at := sort.Search(len(index), func(i int) bool { return idOf(index[startOfLine(i):]) >= id })
	if at == len(index) || idOf(index[at:]) != id {
		return nil, false
	}
	one, _, _ := bytes.Cut(index[at:], []byte("\n"))
	return one, true
}

func startOfLine(i int) int { return bytes.LastIndexByte(index[:i], '\n') + 1 }

// idOf is the id of the record that begins here.
func idOf(text []byte) string {
	id, _, _ := bytes.Cut(bytes.TrimPrefix(text, []byte(before)), []byte(after))
	return string(id)
}

// indexed yields the ids of the index in order.
func indexed() iter.Seq[string] {
	return func(yield func(string) bool) {
		for l := range bytes.Lines(index) {
			if !yield(idOf(l)) {
				return
			}
		}
	}
}

// built decodes the record of one id.
func built(id string) (*Record, bool, error) {
	text, ok := line(id)
	if !ok {
		return nil, false, nil
	}
	r := new(Record)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, false, fmt.Errorf("reading accelerator %s: %w", id, err)
	}
	return r, true, nil
}
