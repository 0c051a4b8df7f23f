package local

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/llmcheck/llmcheck/internal/filename"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// Cache opens models of a hub that were fetched before, SchemeHub, without asking anybody. It only reads.
type Cache struct {
	Dir string // the folder with models--org--name in it
}

// Open implements source.Opener. What the cache does not have is source.ErrNotFound, which says nothing about the hub.
func (c Cache) Open(ctx context.Context, ref model.Ref) (*source.Snapshot, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	name := "models--" + strings.ReplaceAll(ref.Name, "/", "--")
	if err := filename.Check(name); err != nil || c.Dir == "" || strings.Contains(name, "/") {
		return nil, c.missing(ref)
	}
	repo, err := filepath.Abs(filepath.Join(c.Dir, name))
	if err != nil {
		return nil, opening(ref, err)
	}
	s, err := openRepo(repo, ref.Revision, ref, shown(ref.File))
	switch {
	case os.IsNotExist(err):
		return nil, c.missing(ref)
	case err != nil:
		return nil, fmt.Errorf("opening %s in the cache %s: %w", ref, c.Dir, reason(err))
	}
	if ref.File != "" {
		if _, err := fs.Stat(s.FS, ref.File); err != nil {
			return nil, cmp.Or(s.Close(), c.missing(ref))
		}
	}
	return s, nil
}

func (c Cache) missing(ref model.Ref) error {
	return &missing{fmt.Sprintf("opening %s: it is not in the cache of models fetched before, %s", ref, cmp.Or(c.Dir, "which is not set"))}
}

// shown hides the other GGUF files of a repository if one is asked for.
func shown(file string) view {
	if file == "" {
		return view{}
	}
	wanted := parts(file)
	return view{hides: func(name string) bool {
		return strings.EqualFold(path.Ext(name), ".gguf") && !slices.Contains(wanted, name)
	}}
}

// openRepo opens the snapshot of a revision in a folder models--org--name: a commit, or a branch or tag that refs turns
// into one.
func openRepo(repo, revision string, ref model.Ref, v view) (*source.Snapshot, error) {
	root, err := os.OpenRoot(repo)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	id := revision
	if !commit.MatchString(id) {
		if id, err = readRef(root, cmp.Or(revision, "main")); err != nil {
			if revision != "" || !os.IsNotExist(err) {
				return nil, err
			}
			if id, err = onlySnapshot(root); err != nil {
				return nil, err
			}
		}
	}
	if info, err := root.Stat("snapshots/" + id); err != nil {
		return nil, err
	} else if !info.IsDir() {
		return nil, fmt.Errorf("%w: snapshots/%s is not a folder", source.ErrMalformed, id)
	}
	return place{repo, id, "."}.open(ref, v)
}

// readRef reads the commit that a branch or tag pointed to when it was fetched.
func readRef(root *os.Root, name string) (string, error) {
	d := &folder{root: root, base: "refs"}
	f, err := d.open(name)
	if err != nil {
		return "", err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, 100))
	if err != nil {
		return "", err
	}
	id := strings.TrimSpace(string(data))
	if !commit.MatchString(id) {
		return "", fmt.Errorf("%w: refs/%s of the cache holds no commit; fetch the model again", source.ErrMalformed, name)
	}
	return id, nil
}

// onlySnapshot is the commit of a repository of which one commit alone was fetched, by its number.
func onlySnapshot(root *os.Root) (string, error) {
	f, err := root.Open("snapshots")
	if err != nil {
		return "", err
	}
	defer f.Close()
	entries, err := f.ReadDir(3)
	switch {
	case errors.Is(err, io.EOF):
		return "", fs.ErrNotExist
	case err != nil:
		return "", err
	case len(entries) != 1 || !commit.MatchString(entries[0].Name()):
		return "", errors.New("it holds several snapshots and no refs/main; name one of the folders in snapshots")
	}
	return entries[0].Name(), nil
}
