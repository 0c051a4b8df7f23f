package catalog

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/spelling"
)

// near lists a few ids whose names are like a name or one of its words, the best first.
func (c *Catalog) near(name string) []string {
	const most = 5
	tries := runs(name)
	scores := make(map[string]int)
	for known, id := range c.all() {
		for i, try := range tries {
			scores[id] = max(scores[id], likeness(known, try, i == 0))
		}
	}
	ids := slices.DeleteFunc(c.IDs(), func(id string) bool { return scores[id] == 0 })
	slices.SortStableFunc(ids, func(a, b string) int { return cmp.Compare(scores[b], scores[a]) })
	return ids[:min(most, len(ids))]
}

// runs lists a name as a whole, folded, and then every run of a few of its words.
func runs(name string) []string {
	const few = 3
	tries := []string{fold(name)}
	said := slices.DeleteFunc(slices.Collect(words(name)), func(w string) bool { return idle[w] })
	for i := range said {
		for n := 1; n <= min(few, len(said)-i); n++ {
			tries = append(tries, strings.Join(said[i:i+n], ""))
		}
	}
	return tries
}

// all yields every folded name with each id that bears it.
func (c *Catalog) all() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for name, ids := range c.names {
			for _, id := range ids {
				if !yield(name, id) {
					return
				}
			}
		}
		for line := range strings.Lines(aliases) {
			name, id, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
			if c.names[name] == nil && !yield(name, id) {
				return
			}
		}
	}
}

// likeness is nothing for two names that have nothing in common. Words that are a name count most, and more of them more,
// then a slip of the fingers in the whole, then what both begin with.
func likeness(known, try string, whole bool) int {
	const (
		isName = 1000
		isSlip = 500
		enough = 3 // letters and digits that two names must begin with
	)
	if known == try {
		return isName + len(try)
	}
	n := common(known, try)
	if whole && len(try) > enough {
		if far := spelling.Slips(known, try); far <= max(1, len(try)/3) {
			return isSlip - 20*far + n
		}
	}
	if n < enough {
		return 0
	}
	return n
}

func common(a, b string) int {
	n := 0
	for n < len(a) && n < len(b) && a[n] == b[n] {
		n++
	}
	return n
}
