package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
)

// folder shows a folder of the disk, which a stranger may have filled, as an fs.FS. Nothing outside of its root is
// opened, whatever links say; nothing but regular files and folders is opened, and no opening waits. Its files satisfy
// io.ReaderAt.
//
// A link that stays within the root is shown as the file it leads to. One that does not, or leads to nothing, is shown
// as a link, for the reader to name, and opening it is an error.
type folder struct {
	root *os.Root
	base string // the folder that is shown, below the root
	view view
	// alias is the one file that is shown, if it lies in base under another name.
	alias *alias
}

// view is what of a folder is shown; the zero view shows everything.
type view struct {
	names []string               // these alone, where a file was named and not a folder: nothing else is read
	hides func(name string) bool // of what lies there
}

func (v view) shows(name string) bool {
	if v.names != nil {
		return slices.Contains(v.names, name)
	}
	return v.hides == nil || !v.hides(name)
}

func (v view) everything() bool { return v.names == nil && v.hides == nil }

// alias is a file that was named by a link to it.
type alias struct{ shown, real string }

var (
	// errSpecial refuses pipes, devices and sockets, which would block us or never end.
	errSpecial = errors.New("it is not a regular file")
	// errLink refuses links that leave the root, go in circles or lead to nothing.
	errLink = errors.New("it is a link that leads out of the folder or to nothing")
)

func (d *folder) path(name string) string {
	if d.alias != nil && name == d.alias.shown {
		name = d.alias.real
	}
	return path.Join(d.base, name)
}

// Open implements fs.FS.
func (d *folder) Open(name string) (fs.File, error) {
	f, err := d.open(name)
	if err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: reason(err)}
	}
	return f, nil
}

func (d *folder) open(name string) (fs.File, error) {
	switch {
	case !fs.ValidPath(name):
		return nil, fs.ErrInvalid
	case name != "." && !d.view.shows(name):
		return nil, fs.ErrNotExist
	}
	info, err := d.stat(name)
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return d.openDir(name)
	case !info.Mode().IsRegular():
		return nil, errSpecial
	}
	f, err := d.root.OpenFile(d.path(name), os.O_RDONLY|nonblock, 0)
	if err != nil {
		return nil, err
	}
	// Between the two looks a pipe may have taken the place of the file.
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, errors.Join(errSpecial, f.Close())
	}
	return f, nil
}

// stat looks at what a name stands for, and opens nothing.
func (d *folder) stat(name string) (fs.FileInfo, error) {
	info, err := d.root.Lstat(d.path(name))
	if err != nil || info.Mode()&fs.ModeSymlink == 0 {
		return info, err
	}
	info, err = d.root.Stat(d.path(name))
	if err != nil {
		return nil, errLink
	}
	return info, nil
}

func (d *folder) openDir(name string) (fs.File, error) {
	f, err := d.root.Open(d.path(name))
	if err != nil {
		return nil, err
	}
	if d.view.names != nil {
		return &listed{File: f, left: d.entries()}, nil
	}
	return &dir{File: f, folder: d, name: name}, nil
}

// entries are those of the names that are shown and that are there.
func (d *folder) entries() []fs.DirEntry {
	var out []fs.DirEntry
	for _, name := range d.view.names {
		info, err := d.stat(name)
		if errors.Is(err, errLink) {
			info, err = d.root.Lstat(d.path(name)) // for the reader to name
		}
		if err == nil {
			out = append(out, renamed{fs.FileInfoToDirEntry(info), name})
		}
	}
	return out
}

// listed is a folder of which a few names are shown. What else lies there, which may be much, is not read.
type listed struct {
	*os.File
	left []fs.DirEntry
}

// ReadDir implements fs.ReadDirFile.
func (l *listed) ReadDir(n int) ([]fs.DirEntry, error) {
	if n > 0 && len(l.left) == 0 {
		return nil, io.EOF
	}
	if n <= 0 || n > len(l.left) {
		n = len(l.left)
	}
	out := l.left[:n]
	l.left = l.left[n:]
	return out, nil
}

// reason is the cause without the path, which is wrapped again under the name that the reader knows.
func reason(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

// dir is an open folder.
type dir struct {
	*os.File
	folder *folder
	name   string
}

// ReadDir implements fs.ReadDirFile.
func (d *dir) ReadDir(n int) ([]fs.DirEntry, error) {
	for {
		entries, err := d.File.ReadDir(n)
		shown := make([]fs.DirEntry, 0, len(entries))
		for _, e := range entries {
			shown = append(shown, d.show(e)...)
		}
		if len(shown) > 0 || err != nil || n <= 0 {
			if len(shown) > 0 && errors.Is(err, io.EOF) {
				err = nil
			}
			return shown, err
		}
	}
}

// show is how an entry appears: not at all, as it is, or as what a link leads to.
func (d *dir) show(e fs.DirEntry) []fs.DirEntry {
	name := path.Join(d.name, e.Name())
	if !d.folder.view.shows(name) {
		return nil
	}
	if e.Type()&fs.ModeSymlink == 0 {
		return []fs.DirEntry{e}
	}
	info, err := d.folder.stat(name)
	switch {
	case err != nil:
		return []fs.DirEntry{e}
	case !info.IsDir():
		return []fs.DirEntry{renamed{fs.FileInfoToDirEntry(info), e.Name()}}
	case d.folder.base == ".":
		return nil // the folder it leads to is shown where it lies, so a circle of links is none
	}
	return []fs.DirEntry{e}
}

// renamed is an entry under the name of the link that leads to it.
type renamed struct {
	fs.DirEntry
	name string
}

// Name implements fs.DirEntry.
func (r renamed) Name() string { return r.name }
