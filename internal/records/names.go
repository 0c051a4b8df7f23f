package records

import (
	"slices"
	"sort"
	"strings"
)

// Names is a sorted text with a line "name TAB id" for every name of every record. It is searched as it is, so that
// nothing is built before the first question.
type Names string

// NamesOf writes the table of all records, which names gives their names in the spelling that is looked up.
func NamesOf[T any](all map[string]T, names func(T) []string) Names {
	var lines []string
	for id, r := range all {
		for _, name := range names(r) {
			lines = append(lines, name+"\t"+id+"\n")
		}
	}
	slices.Sort(lines)
	return Names(strings.Join(lines, ""))
}

// IDs lists the records that bear a name, by bisection over the bytes of the table: the line that covers a byte tells
// the side.
func (n Names) IDs(name string) []string {
	if name == "" {
		return nil
	}
	key := name + "\t"
	at := sort.Search(len(n), func(i int) bool { return n.lineAt(i) >= key })
	var ids []string
	for line := range strings.Lines(string(n[at:])) {
		id, ok := strings.CutPrefix(line, key)
		if !ok {
			break
		}
		ids = append(ids, strings.TrimSuffix(id, "\n"))
	}
	return ids
}

func (n Names) lineAt(i int) string {
	start := strings.LastIndexByte(string(n[:i]), '\n') + 1
	line, _, _ := strings.Cut(string(n[start:]), "\n")
	return line
}
