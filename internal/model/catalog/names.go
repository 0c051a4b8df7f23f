package catalog

import (
	"cmp"
	_ "embed"
	"slices"
	"strings"
)

// aliases.txt lists the models whose configuration is known, one a line with its aliases behind it. It says nothing
// that the records do not say, and spares decoding all of them; a test holds both together and writes it anew when it is
// run with -update.
//
//go:embed aliases.txt
var aliases string

// IDsWithConfig lists the models whose configuration is known, in order.
func (c *Catalog) IDsWithConfig() []string {
	var ids []string
	for id := range c.shapes() {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// shapes yields the models whose configuration is known, with their aliases: the user's first.
func (c *Catalog) shapes() func(yield func(id string, aliases []string) bool) {
	return func(yield func(string, []string) bool) {
		for _, r := range c.over {
			if r.shaped() && !yield(r.ID, r.Aliases) {
				return
			}
		}
		for line := range strings.Lines(aliases) {
			words := strings.Fields(line)
			if r := c.over[strings.ToLower(words[0])]; r != nil && r.shaped() {
				continue
			}
			if !yield(words[0], words[1:]) {
				return
			}
		}
	}
}

// Resolve finds the models that a name stands for, whatever its case: an id, an alias, or the part of an id after the
// slash. The name of a GGUF file stands for the model that it was made of: Qwen3-8B-Q4_K_M.gguf for Qwen/Qwen3-8B. Two
// models are given back where the name fits two, and none where it fits none; Similar then helps.
func (c *Catalog) Resolve(name string) []string {
	low := strings.ToLower(strings.TrimSpace(name))
	for _, want := range []string{low, withoutQuant(low)} {
		if ids := c.resolve(want); len(ids) > 0 {
			return ids
		}
	}
	return nil
}

func (c *Catalog) resolve(low string) []string {
	var exact, named, last []string
	for id, others := range c.shapes() {
		folded := strings.ToLower(id)
		switch {
		case folded == low:
			exact = append(exact, id)
		case slices.Contains(others, low):
			named = append(named, id)
		case folded[strings.IndexByte(folded, '/')+1:] == low:
			last = append(last, id)
		}
	}
	for _, ids := range [][]string{exact, named, last} {
		if len(ids) > 0 {
			slices.Sort(ids)
			return ids
		}
	}
	return nil
}

// withoutQuant is the name of a GGUF file without its ending, number of part and quantization.
func withoutQuant(low string) string {
	stem, ok := strings.CutSuffix(low, ".gguf")
	if !ok {
		return low
	}
	stem = stem[strings.LastIndexByte(stem, '/')+1:]
	if i := strings.Index(stem, "-00001-of-"); i > 0 {
		stem = stem[:i]
	}
	i := strings.LastIndexAny(stem, "-.")
	if i < 0 {
		return stem
	}
	kind := strings.TrimPrefix(stem[i+1:], "i")
	if strings.Trim(kind, "qtbfkmslx0123456789_n") == "" && strings.ContainsAny(kind, "0123456789") {
		return strings.TrimSuffix(stem[:i], "-ud")
	}
	return stem
}

// Similar names up to n models whose configuration is known and whose name is closest to one that is not.
func (c *Catalog) Similar(name string, n int) []string {
	type scored struct {
		id    string
		score int
	}
	const most = 200 // letters of a name that are compared
	want := pairs(strings.ToLower(name[:min(len(name), most)]))
	var all []scored
	for id, others := range c.shapes() {
		best := 0
		for _, known := range append([]string{strings.ToLower(id), strings.ToLower(id[strings.IndexByte(id, '/')+1:])}, others...) {
			best = max(best, alike100(want, pairs(known)))
		}
		if best >= 55 {
			all = append(all, scored{id, best})
		}
	}
	slices.SortFunc(all, func(a, b scored) int { return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id)) })
	ids := make([]string, 0, n)
	for _, s := range all[:min(n, len(all))] {
		ids = append(ids, s.id)
	}
	return ids
}

// pairs are the neighboring letters of a name, sorted.
func pairs(s string) []uint16 {
	out := make([]uint16, 0, len(s))
	for i := 0; i+1 < len(s); i++ {
		out = append(out, uint16(s[i])<<8|uint16(s[i+1]))
	}
	slices.Sort(out)
	return out
}

// alike100 is twice the pairs that two names share, in percent of all.
func alike100(a, b []uint16) int {
	if len(a)+len(b) == 0 {
		return 0
	}
	total, shared := len(a)+len(b), 0
	for len(a) > 0 && len(b) > 0 {
		switch {
		case a[0] == b[0]:
			shared += 2
			a, b = a[1:], b[1:]
		case a[0] < b[0]:
			a = a[1:]
		default:
			b = b[1:]
		}
	}
	return 100 * shared / total
}
