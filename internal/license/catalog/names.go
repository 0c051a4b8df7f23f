package catalog

import (
	_ "embed"
	"slices"
	"strings"
	"unicode"

	"github.com/llmcheck/llmcheck/internal/license"
	"github.com/llmcheck/llmcheck/internal/records"
)

// aliases holds a line for each pair of normalized name and id, sorted; Table makes it from the records.
//
//go:embed aliases.tsv
var aliases string

// Table lists every name of every record as a line "name TAB id", sorted: the file aliases.tsv.
func Table(all map[string]*license.Terms) records.Names {
	return records.NamesOf(all, Aliases)
}

// Aliases lists the normalized names of one record, without repeats, in order: what the record claims, and what SPDX,
// ScanCode and the hub call it.
func Aliases(t *license.Terms) []string {
	names := []string{t.ID, t.Name, t.SPDX}
	if t.Scancode != "" {
		names = append(names, t.Scancode, "LicenseRef-scancode-"+t.Scancode)
	}
	for _, h := range HubIDs() {
		if slices.Contains(t.Hub, h.ID) {
			names = append(names, h.Name)
		}
	}
	names = slices.Concat(names, t.Hub, t.Names, t.Links)
	for i, n := range names {
		names[i] = Normal(n)
	}
	slices.Sort(names)
	names = slices.Compact(names)
	return slices.DeleteFunc(names, func(s string) bool { return s == "" })
}

// Normal brings the spellings of one name together. Case, quotes and commas do not matter, nor does whether words are
// parted by blanks, underscores or dashes. Of an address, the scheme, a leading www, the query, the fragment and a
// trailing slash are dropped, and the ways in which the hub shows one file become one.
func Normal(name string) string {
	s, schemed := bare(joined(strings.ToLower(name)))
	host, _, path := strings.Cut(s, "/")
	if !schemed && !(path && strings.Contains(host, ".")) {
		return s
	}
	s, _, _ = strings.Cut(s, "#")
	s, _, _ = strings.Cut(s, "?")
	return hubFile(strings.TrimRight(s, "/-"))
}

// bare drops the scheme and www, also where somebody wrote them twice, and reports whether there was any.
func bare(s string) (string, bool) {
	for schemed := false; ; schemed = true {
		rest := s
		for _, prefix := range []string{"https://", "http://", "www."} {
			rest = strings.TrimPrefix(rest, prefix)
		}
		if rest == s {
			return s, schemed
		}
		s = strings.Trim(rest, "/-")
	}
}

func hubFile(s string) string {
	if !strings.HasPrefix(s, "huggingface.co/") {
		return s
	}
	parts := strings.Split(s, "/")
	for i, p := range parts {
		if p == "resolve" || p == "raw" {
			parts[i] = "blob"
		}
	}
	return strings.Join(parts, "/")
}

// joined parts words by one dash each.
func joined(s string) string {
	var b strings.Builder
	b.Grow(len(s))
	gap := false
	for _, r := range s {
		switch {
		case strings.ContainsRune(`"'`+"`,“”‘’", r):
		case unicode.IsSpace(r) || unicode.IsControl(r) || strings.ContainsRune("-_‐‑–—", r):
			gap = b.Len() > 0
		default:
			if gap {
				b.WriteByte('-')
			}
			b.WriteRune(r)
			gap = false
		}
	}
	return b.String()
}
