// Package local opens models on the disk: a folder, one file, a snapshot in a Hugging Face cache. It asks no
// environment; where the home folder and the cache are is told by the caller.
package local

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// Disk opens folders and files: SchemePath, SchemeDir and SchemeFile.
type Disk struct {
	Home string // what ~ stands for; "" if there is none
}

// Open implements source.Opener. The reference of the snapshot tells by its scheme whether the path is a folder or a
// file. A folder models--org--name of a Hugging Face cache stands for the snapshot of its main branch.
func (d Disk) Open(ctx context.Context, ref model.Ref) (*source.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name, err := d.expand(ref.Name)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", ref, err)
	}
	info, err := os.Stat(name)
	if err != nil {
		return nil, opening(ref, err)
	}
	s, err := open(name, info, ref)
	if err != nil {
		return nil, opening(ref, err)
	}
	return s, nil
}

func open(name string, info fs.FileInfo, ref model.Ref) (*source.Snapshot, error) {
	switch {
	case info.IsDir() && ref.Scheme == model.SchemeFile:
		return nil, errors.New("it is a folder, want a file")
	case info.IsDir():
		ref.Scheme = model.SchemeDir
		return openFolder(name, ref)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w, want a folder or a file", errSpecial)
	case ref.Scheme == model.SchemeDir:
		return nil, errors.New("it is a file, want a folder")
	}
	ref.Scheme = model.SchemeFile
	return openFile(name, ref)
}

// expand replaces ~ at the start and makes the path absolute.
func (d Disk) expand(name string) (string, error) {
	rest, home := strings.CutPrefix(name, "~")
	if home && (rest == "" || rest[0] == '/' || os.IsPathSeparator(rest[0])) {
		if d.Home == "" {
			return "", errors.New("there is no home folder for ~, write the whole path")
		}
		name = filepath.Join(d.Home, rest)
	}
	return filepath.Abs(name)
}

// opening wraps an error of the disk; a path that is not there is source.ErrNotFound too.
func opening(ref model.Ref, err error) error {
	if os.IsNotExist(err) {
		return &missing{fmt.Sprintf("opening %s: there is no such file or folder", ref)}
	}
	return fmt.Errorf("opening %s: %w", ref, reason(err))
}

// missing is a path that is not there.
type missing struct{ text string }

// Error implements error.
func (m *missing) Error() string { return m.text }

// Unwrap lets callers test for both.
func (m *missing) Unwrap() []error { return []error{source.ErrNotFound, fs.ErrNotExist} }

// openFolder opens a folder as it lies there, or as what it is in a Hugging Face cache.
func openFolder(name string, ref model.Ref) (*source.Snapshot, error) {
	if at, ok := inCache(name); ok {
		return at.open(ref, view{})
	}
	if strings.HasPrefix(filepath.Base(name), "models--") {
		if info, err := os.Stat(filepath.Join(name, "snapshots")); err == nil && info.IsDir() {
			return openRepo(name, "", ref, view{})
		}
	}
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	return &source.Snapshot{Ref: ref, FS: &folder{root: root, base: "."}, Close: root.Close}, nil
}

// openFile opens one file, alone in a folder but for the files that belong to it. The file may be a link to anywhere,
// since it was named; the others may not.
func openFile(name string, ref model.Ref) (*source.Snapshot, error) {
	dir, base := filepath.Split(name)
	if at, ok := inCache(filepath.Clean(dir)); ok {
		return at.open(ref, view{names: belonging(base)})
	}
	d := &folder{base: ".", view: view{names: belonging(base)}}
	if info, err := os.Lstat(name); err != nil {
		return nil, err
	} else if info.Mode()&fs.ModeSymlink != 0 {
		target, err := filepath.EvalSymlinks(name)
		if err != nil {
			return nil, err
		}
		dir = filepath.Dir(target)
		d.alias = &alias{base, filepath.Base(target)}
		d.view.names = []string{base}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return nil, err
	}
	d.root = root
	return &source.Snapshot{Ref: ref, FS: d, Close: root.Close}, nil
}

// belonging names a file and those that say what it is, where they have their usual names beside it: the other parts of
// a split GGUF, the configuration beside weights or their index, the export of a quantizer beside a configuration.
func belonging(name string) []string {
	const export = "hf_quant_config.json"
	low := strings.ToLower(name)
	switch stem, isJSON := strings.CutSuffix(name, ".json"); {
	case low == export:
		return []string{name, "config.json"}
	case low == "config.json":
		return []string{name, export}
	case strings.HasSuffix(low, ".safetensors.index.json"), strings.HasSuffix(low, ".safetensors"):
		return slices.Compact([]string{name, "config.json", export, "adapter_config.json"})
	case isJSON && !strings.HasSuffix(low, "."+export):
		return []string{name, stem + "." + export}
	}
	return parts(name)
}

// maxParts is how many parts of a split GGUF are looked for; published models have a few dozen.
const maxParts = 1000

// parts names a file and, if it is a part of a split GGUF, the other parts.
func parts(name string) []string {
	split, ok := gguf.ParseSplitName(name)
	if !ok || split.Count > maxParts {
		return []string{name}
	}
	var names []string
	for p := range split.All() {
		names = append(names, p.String())
	}
	return names
}

var commit = regexp.MustCompile(`^[0-9a-f]{40}$`)

// place is a folder within a snapshot of a Hugging Face cache, which keeps the files of a repository in blobs and lets
// links in snapshots/COMMIT lead there.
type place struct {
	repo   string // the path of models--org--name
	commit string
	sub    string // the folder within the snapshot
}

// inCache recognizes an absolute path to a snapshot, or into one.
func inCache(name string) (place, bool) {
	sub := "."
	for dir := name; ; {
		parent := filepath.Dir(dir)
		base := filepath.Base(dir)
		repo := filepath.Dir(parent)
		if commit.MatchString(base) && filepath.Base(parent) == "snapshots" && strings.HasPrefix(filepath.Base(repo), "models--") {
			return place{repo, base, sub}, true
		}
		if parent == dir {
			return place{}, false
		}
		sub = path.Join(base, sub)
		dir = parent
	}
}

func (p place) open(ref model.Ref, v view) (*source.Snapshot, error) {
	root, err := os.OpenRoot(p.repo)
	if err != nil {
		return nil, err
	}
	d := &folder{root: root, base: path.Join("snapshots", p.commit, p.sub), view: v}
	s := &source.Snapshot{Ref: ref, Revision: p.commit, FS: d, Close: root.Close}
	if v.everything() && p.sub == "." {
		s.Files = d.published()
		s.Gaps = d.partial(p.commit)
	}
	return s, nil
}

// maxPublished is how many files of a snapshot are asked for their digest.
const maxPublished = 5000

// published lists the files whose digest the cache knows: those of Git LFS lie in blobs under their SHA-256.
func (d *folder) published() []model.File {
	f, err := d.root.Open(d.base)
	if err != nil {
		return nil // the reader will say so
	}
	defer f.Close()
	entries, err := f.ReadDir(maxPublished)
	if err != nil {
		return nil
	}
	var out []model.File
	for _, e := range entries {
		target, err := d.root.Readlink(d.path(e.Name()))
		if err != nil || !sha256Name.MatchString(filepath.Base(target)) {
			continue
		}
		if info, err := d.stat(e.Name()); err == nil {
			out = append(out, model.File{Path: e.Name(), Size: info.Size(), SHA256: filepath.Base(target)})
		}
	}
	slices.SortFunc(out, func(a, b model.File) int { return strings.Compare(a.Path, b.Path) })
	return out
}

var sha256Name = regexp.MustCompile(`^[0-9a-f]{64}$`)

// partial says that a snapshot without a card need not be whole: the libraries that load a model fetch neither card nor
// license. The cache notes a file that the hub does not have either under .no_exist.
func (d *folder) partial(commit string) []model.Gap {
	if _, err := d.stat("README.md"); err == nil {
		return nil
	}
	if _, err := d.root.Lstat(path.Join(".no_exist", commit, "README.md")); err == nil {
		return nil
	}
	return []model.Gap{{
		What: "README.md",
		Why: "the cache holds only what was fetched before, and the card and the license of this model were not; " +
			"fetch the whole repository, or ask the hub",
		Kind: model.Unread,
	}}
}
