package oci

import (
	"errors"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/llmcheck/llmcheck/internal/filename"
	"github.com/llmcheck/llmcheck/internal/printable"
)

// tree is the file system of a Snapshot: files that are held in memory, read when asked for, or read by ranges.
type tree map[string]*node

type node struct {
	name string // base name
	size int64
	at   io.ReaderAt // nil for a folder
	kids []string    // base names, sorted, of a folder
}

func newTree() tree { return tree{".": {name: "."}} }

var errTaken = errors.New("its name is that of another file")

// add puts a file under a name that checkName accepted.
func (t tree) add(name string, size int64, at io.ReaderAt) error {
	if t[name] != nil {
		return errTaken
	}
	for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
		if n := t[dir]; n != nil && n.at != nil {
			return errTaken
		}
	}
	t[name] = &node{name: path.Base(name), size: size, at: at}
	for child := name; child != "."; child = path.Dir(child) {
		dir := t[path.Dir(child)]
		if dir == nil {
			dir = &node{name: path.Base(path.Dir(child))}
			t[path.Dir(child)] = dir
		}
		i, found := slices.BinarySearch(dir.kids, path.Base(child))
		if found {
			break
		}
		dir.kids = slices.Insert(dir.kids, i, path.Base(child))
	}
	return nil
}

// Open implements fs.FS.
func (t tree) Open(name string) (fs.File, error) {
	n, err := t.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.at == nil {
		return &folder{node: n, tree: t, path: name}, nil
	}
	return &file{SectionReader: io.NewSectionReader(n.at, 0, n.size), node: n}, nil
}

// Stat implements fs.StatFS.
func (t tree) Stat(name string) (fs.FileInfo, error) {
	return t.find("stat", name)
}

// ReadDir implements fs.ReadDirFS.
func (t tree) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := t.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if n.at != nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("it is not a folder")}
	}
	return t.entries(name, n), nil
}

func (t tree) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n := t[name]
	if n == nil {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

func (t tree) entries(dir string, n *node) []fs.DirEntry {
	list := make([]fs.DirEntry, len(n.kids))
	for i, kid := range n.kids {
		list[i] = fs.FileInfoToDirEntry(t[path.Join(dir, kid)])
	}
	return list
}

// node is the fs.FileInfo of itself.

func (n *node) Name() string { return n.name }
func (n *node) Size() int64  { return n.size }
func (n *node) IsDir() bool  { return n.at == nil }
func (n *node) Sys() any     { return nil }

// ModTime is the zero time: a registry keeps none that can be trusted.
func (n *node) ModTime() time.Time { return time.Time{} }

func (n *node) Mode() fs.FileMode {
	if n.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// file reads, seeks and reads at.
type file struct {
	*io.SectionReader
	node *node
}

func (f *file) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *file) Close() error               { return nil }

// folder lists.
type folder struct {
	node *node
	tree tree
	path string
	next int
}

func (f *folder) Stat() (fs.FileInfo, error) { return f.node, nil }
func (f *folder) Close() error               { return nil }

func (f *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: f.path, Err: errors.New("it is a folder")}
}

// ReadDir implements fs.ReadDirFile.
func (f *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	left := f.tree.entries(f.path, f.node)[f.next:]
	if n > 0 && len(left) == 0 {
		return nil, io.EOF
	}
	if n > 0 && len(left) > n {
		left = left[:n]
	}
	f.next += len(left)
	return left, nil
}

// checkName accepts a file name from a manifest or an archive. Beyond what filename.Check asks for, nothing in it may
// be hidden from a reader.
func checkName(name string) error {
	if err := filename.Check(name); err != nil {
		return err
	}
	if strings.ContainsFunc(name, printable.Hidden) {
		return errors.New("contains characters that are not shown")
	}
	return nil
}
