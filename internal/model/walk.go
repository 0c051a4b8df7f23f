package model

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Limits of the walk through a model's files.
const (
	maxEntries = 100_000 // files and folders looked at
	maxDepth   = 3       // folders below the root that are entered one in another
	batch      = 512     // entries asked of a folder at once, so that a folder of millions is never held
	maxNamed   = 3       // files named in a gap that speaks of several
)

// entry is a file that the reader has a use for.
type entry struct {
	path string
	size int64 // -1 if not known
	kind TextKind
}

// tree is what the walk found, by class; everything else is passed over.
type tree struct {
	byClass map[class][]entry
	seen    int
	deep    []string // terms and recipes below the folders in which they are looked for
	tooDeep []string // folders that were not entered
	full    bool
}

// folder is a folder still to be read, and how deep it lies.
type folder struct {
	name  string
	depth int
}

// walk visits the folders breadth first, so that the limit on entries cuts off what lies deepest.
func (r *reader) walk() error {
	r.tree.byClass = make(map[class][]entry)
	queue := []folder{{".", 0}}
	for len(queue) > 0 && !r.tree.full {
		d := queue[0]
		queue = queue[1:]
		sub, err := r.readFolder(d)
		switch {
		case err != nil && d.depth == 0:
			return err
		case err != nil:
			r.failed(d.name, "the folder could not be read", err)
		}
		queue = append(queue, sub...)
	}
	for _, es := range r.tree.byClass {
		slices.SortFunc(es, func(a, b entry) int { return cmp.Compare(a.path, b.path) })
	}
	r.walkGaps()
	return nil
}

func (r *reader) walkGaps() {
	if r.tree.full {
		r.gap(Unread, "the folder", "it has more than %d entries, the rest was not looked at; name the folder of the model alone",
			maxEntries)
	}
	if n := len(r.tree.tooDeep); n > 0 {
		r.gap(Unread, some(r.tree.tooDeep), "folders below the %s level are not entered", ordinal(maxDepth))
	}
	if n := len(r.tree.deep); n > 0 {
		r.gap(Absent, some(r.tree.deep), "terms and recipes that lie deeper than one folder are taken as those of parts, "+
			"and were not read")
	}
}

func ordinal(n int) string {
	return [...]string{"zeroth", "first", "second", "third"}[min(n, 3)]
}

// some names the first few of many files.
func some(names []string) string {
	slices.Sort(names)
	if len(names) <= maxNamed {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:maxNamed], ", "), len(names)-maxNamed)
}

// readFolder sorts the entries of one folder into classes and returns the folders in it.
func (r *reader) readFolder(d folder) ([]folder, error) {
	var sub []folder
	err := eachEntry(r.fsys, d.name, func(e fs.DirEntry) bool {
		if r.tree.seen == maxEntries {
			r.tree.full = true
			return false
		}
		r.tree.seen++
		name := path.Join(d.name, e.Name())
		switch {
		case !fs.ValidPath(name):
			r.gap(Unread, name, "the name is not one that can be opened")
		case e.IsDir():
			sub = append(sub, r.enter(name, d.depth+1)...)
		default:
			r.sort(name, d.depth, e)
		}
		return true
	})
	slices.SortFunc(sub, func(a, b folder) int { return cmp.Compare(a.name, b.name) })
	return sub, err
}

// enter decides on a folder: hidden ones (.git, .cache) hold no part of a model, bundles are one weight file each.
func (r *reader) enter(name string, depth int) []folder {
	switch ext := strings.ToLower(path.Ext(name)); {
	case strings.HasPrefix(path.Base(name), "."):
		return nil
	case ext == ".mlpackage" || ext == ".mlmodelc":
		r.add(weightFile, entry{path: name, size: -1})
		return nil
	case depth > maxDepth:
		r.tree.tooDeep = append(r.tree.tooDeep, name)
		return nil
	}
	return []folder{{name, depth}}
}

// sort files an entry that is no folder under its class.
func (r *reader) sort(name string, depth int, e fs.DirEntry) {
	if r.companion(name) {
		return
	}
	c, kind := r.classify(name)
	switch {
	case e.Type()&fs.ModeSymlink != 0:
		if c != other || !strings.HasPrefix(path.Base(name), ".") {
			r.gap(Unread, name, "it is a link that leads out of the folder or to nothing, and was not followed")
		}
		return
	case e.Type()&fs.ModeIrregular != 0: // a junction or a mount of Windows, which may be a folder with anything in it
		r.gap(Unread, name, "it is neither a file nor a folder nor a link that is understood, and was not followed")
		return
	case c == other:
		return
	case !e.Type().IsRegular():
		r.gap(Unread, name, "it is not a regular file, and was not opened")
		return
	case c == cardFile && depth > 0, c == indexFile && depth > 1:
		return
	case c != weightFile && depth > 1:
		if c != configFile || strings.EqualFold(e.Name(), "adapter_config.json") {
			r.tree.deep = append(r.tree.deep, name)
		}
		return
	}
	r.add(c, entry{path: name, size: sizeOf(e), kind: kind})
}

func (r *reader) add(c class, e entry) {
	r.tree.byClass[c] = append(r.tree.byClass[c], e)
}

func sizeOf(e fs.DirEntry) int64 {
	info, err := e.Info()
	if err != nil {
		return -1
	}
	return info.Size()
}

// eachEntry calls yield with the entries of a folder until it returns false. It asks for few at a time where the file
// system can do so.
func eachEntry(fsys fs.FS, name string, yield func(fs.DirEntry) bool) error {
	f, err := fsys.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	d, ok := f.(fs.ReadDirFile)
	if !ok {
		return allEntries(fsys, name, yield)
	}
	for {
		entries, err := d.ReadDir(batch)
		for _, e := range entries {
			if !yield(e) {
				return nil
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case len(entries) == 0:
			return nil
		}
	}
}

func allEntries(fsys fs.FS, name string, yield func(fs.DirEntry) bool) error {
	entries, err := fs.ReadDir(fsys, name)
	for _, e := range entries {
		if !yield(e) {
			return nil
		}
	}
	return err
}

// cause is the reason of a file error without the path and the name of the system call, which the gap has already.
func cause(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}
