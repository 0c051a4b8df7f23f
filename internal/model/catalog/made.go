package catalog

import (
	_ "embed"
	"strings"
)

// made.tsv says of models that are no fruit of plain pre-training how they were made: a name, or how names begin, in small
// letters, then what was done, where that is said, and its address.
//
//go:embed made.tsv
var made string

// Made says how a model came about whose makers did something else than to train all of it on text: it was pruned from a
// larger one or learned from the answers of one. What its training is said to have taken is then not what training such a
// shape from nothing takes; tuning it is like tuning any other.
func Made(id string) (why, source string, ok bool) {
	id = strings.ToLower(id)
	for line := range strings.Lines(made) {
		cell := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(cell) == 4 && named(cell[0], id) {
			return cell[1], cell[2] + ", " + cell[3], true
		}
	}
	return "", "", false
}

func named(pattern, id string) bool {
	if start, more := strings.CutSuffix(pattern, "*"); more {
		return strings.HasPrefix(id, start)
	}
	return id == pattern
}
