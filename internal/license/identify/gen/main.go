// Command gen writes the index of license texts that package identify embeds.
//
// It reads folders that hold an INDEX.tsv and one <id>.txt a row. The first folder named is preferred where two hold
// the same words. The texts themselves do not go into the repository; the index holds hashes in order.
package main

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/license/identify/shingle"
)

func main() {
	out := flag.String("o", "index.bin", "`file` to write")
	flag.Parse()
	if err := run(flag.Args(), *out); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(dirs []string, out string) error {
	var all []shingle.Source
	p := preferred{}
	for _, dir := range dirs {
		rows, err := read(os.DirFS(dir))
		if err != nil {
			return fmt.Errorf("read corpus %s: %w", filepath.Clean(dir), err)
		}
		all = append(all, p.sources(rows)...)
	}
	if len(all) == 0 {
		return errors.New("no texts found; name the folders of the corpus")
	}
	data, err := shingle.Build(join(all))
	if err != nil {
		return err
	}
	return os.WriteFile(out, data, 0o644)
}

// row is a line of INDEX.tsv with its text.
type row struct {
	id, spdx, kind string
	accept         []string
	text           shingle.Text
	words          []shingle.Token
}

func read(fsys fs.FS) ([]row, error) {
	b, err := fs.ReadFile(fsys, "INDEX.tsv")
	if err != nil {
		return nil, err
	}
	r := csv.NewReader(bytes.NewReader(b))
	r.Comma, r.Comment, r.LazyQuotes, r.FieldsPerRecord = '\t', '#', true, -1
	head, err := r.Read()
	if err != nil {
		return nil, err
	}
	col := func(rec []string, name string) string {
		if i := slices.Index(head, name); i >= 0 && i < len(rec) {
			return rec[i]
		}
		return ""
	}
	var rows []row
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return nil, err
		}
		v := row{
			id: col(rec, "id"), spdx: col(rec, "spdx"), kind: col(rec, "kind"),
			accept: strings.Fields(col(rec, "accept")),
		}
		raw, err := fs.ReadFile(fsys, v.id+".txt")
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		v.text = shingle.Clean(raw)
		v.words, _ = shingle.Words(&v.text)
		rows = append(rows, v)
	}
}

// preferred maps a lower-case SPDX id to the id and the SPDX id that the first corpus gave to the text.
type preferred map[string]name

type name struct{ id, spdx string }

func (p preferred) sources(rows []row) []shingle.Source {
	groups := map[string]string{} // first id of an accept list → chosen id
	out := make([]shingle.Source, 0, len(rows))
	for _, v := range rows {
		n := p.name(v, groups)
		general := v.kind == "general"
		creative := strings.HasPrefix(n.id, "cc")
		var twins []string
		for _, id := range v.accept {
			if id != n.id {
				twins = append(twins, id)
			}
		}
		out = append(out, shingle.Source{
			ID: n.id, SPDX: n.spdx, Twins: twins, Policy: v.kind == "policy",
			Tokens: v.words, Optional: shingle.Outline(v.words, general, creative),
		})
	}
	return out
}

func (p preferred) name(v row, groups map[string]string) name {
	if len(v.accept) == 0 {
		n := name{v.id, v.spdx}
		if v.spdx != "" {
			p[strings.ToLower(v.spdx)] = n
		}
		return n
	}
	for _, id := range append([]string{v.id}, v.accept...) {
		if n, ok := p[id]; ok {
			return n
		}
	}
	group := strings.Join(v.accept, " ")
	if groups[group] == "" {
		groups[group] = choose(v.accept)
	}
	if groups[group] == v.id {
		p[v.id] = name{v.id, sameCase(current(v.id, v.accept), v)}
	}
	// The row with the chosen id may come later; its SPDX id differs from its id in case only.
	return name{groups[group], sameCase(current(groups[group], v.accept), v)}
}

// choose prefers the shortest id: "lgpl-2.0" for what is also "-only" and "-or-later", as the text says neither.
func choose(ids []string) string {
	return slices.MinFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
}

// current prefers the SPDX id that is not deprecated.
func current(id string, accept []string) string {
	if slices.Contains(accept, id+"-only") {
		return id + "-only"
	}
	return id
}

// sameCase spells id as the SPDX id of v spells their common beginning.
func sameCase(id string, v row) string {
	n := 0
	for n < len(id) && n < len(v.id) && id[n] == v.id[n] {
		n++
	}
	return v.spdx[:n] + id[n:]
}

// join makes one entry of texts with the same words; the first wins and takes over the ids of the others.
func join(all []shingle.Source) []shingle.Source {
	seen := map[string]int{}
	var out []shingle.Source
	for _, s := range all {
		key := words(s)
		i, ok := seen[key]
		if !ok {
			seen[key] = len(out)
			out = append(out, s)
			continue
		}
		for _, id := range append([]string{s.ID}, s.Twins...) {
			if id != out[i].ID && !slices.Contains(out[i].Twins, id) {
				out[i].Twins = append(out[i].Twins, id)
			}
		}
	}
	return out
}

func words(s shingle.Source) string {
	var b strings.Builder
	for _, t := range s.Tokens {
		fmt.Fprintf(&b, "%08x", t.Hash)
	}
	return b.String()
}
