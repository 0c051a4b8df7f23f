package fetch

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// Cache keeps bodies on the disk. It is an aid and never a condition: what cannot be written is noted once and the run
// goes on; what cannot be read whole and as it was written is not there. A key becomes the name of a file only through
// its digest. No lock is needed: a file gets its final name when it is complete, and two runs that write the same key
// write the same kind of record.
//
// The folder may be deleted at any time. It is readable only for its owner, for it holds what a token gave access to.
type Cache struct {
	dir      string
	fs       CacheFS
	now      func() time.Time
	redactor *Redactor
	note     func(string)
	noted    sync.Once
	swept    sync.Once
}

// CacheFS is what the cache needs of a disk.
type CacheFS interface {
	MkdirAll(dir string, perm fs.FileMode) error
	CreateTemp(dir, pattern string) (CacheFile, error)
	Rename(from, to string) error
	Remove(name string) error
	Open(name string) (io.ReadCloser, error)
	ReadDir(dir string) ([]fs.DirEntry, error)
}

// CacheFile is a file that is being written.
type CacheFile interface {
	io.Writer
	Name() string
	Sync() error
	Close() error
}

// Entry is something the cache holds.
type Entry struct {
	Data   []byte
	Stored time.Time
}

// NewCache makes a cache in dir, or one that keeps nothing if dir is "". note is called at most once.
func NewCache(dir string, fsys CacheFS, now func() time.Time, r *Redactor, note func(string)) *Cache {
	if fsys == nil {
		fsys = disk{}
	}
	return &Cache{dir: dir, fs: fsys, now: now, redactor: r, note: note}
}

// version is part of every name and record: another layout has another version and never meets this one.
const version = "llmcheck-cache-1"

// maxCached is the largest record that is read, in bytes.
const maxCached = 96 << 20

// staleAfter is how old a temporary file must be before it counts as left behind by a run that was killed.
const staleAfter = 24 * time.Hour

func (c *Cache) path(key string) (dir, name string) {
	sum := sha256.Sum256([]byte(version + "\x00" + key))
	h := hex.EncodeToString(sum[:])
	return filepath.Join(c.dir, version, h[:2]), h[2:]
}

// Get finds what was stored under key. Whatever is wrong with the record, it is as if it were not there.
func (c *Cache) Get(key string) (Entry, bool) {
	if c.dir == "" {
		return Entry{}, false
	}
	dir, name := c.path(key)
	f, err := c.fs.Open(filepath.Join(dir, name))
	if err != nil {
		return Entry{}, false
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxCached+1))
	if err != nil || len(raw) > maxCached {
		return Entry{}, false
	}
	e, err := decode(key, raw)
	if err != nil {
		_ = c.fs.Remove(filepath.Join(dir, name))
		return Entry{}, false
	}
	return e, true
}

// Put stores data under key, if it can. Data that holds a secret is not stored.
func (c *Cache) Put(key string, data []byte) {
	if c.dir == "" || c.redactor.Holds(data) {
		return
	}
	if err := c.put(key, data); err != nil {
		c.noted.Do(func() { c.note(fmt.Sprintf("the cache in %s is not used for writing: %s", c.dir, err)) })
	}
}

func (c *Cache) put(key string, data []byte) error {
	dir, name := c.path(key)
	if err := c.fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	c.swept.Do(func() { c.sweep() })
	f, err := c.fs.CreateTemp(dir, tempPrefix+"*")
	if err != nil {
		return err
	}
	err = errors.Join(write(f, encode(key, data, c.now())), f.Close())
	if err == nil {
		err = c.fs.Rename(f.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = c.fs.Remove(f.Name())
	}
	return err
}

func write(f CacheFile, b []byte) error {
	n, err := f.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return err
	}
	return f.Sync()
}

const tempPrefix = ".writing-"

// sweep removes temporary files of runs that were killed.
func (c *Cache) sweep() {
	root := filepath.Join(c.dir, version)
	dirs, err := c.fs.ReadDir(root)
	if err != nil {
		return
	}
	for _, d := range dirs {
		files, err := c.fs.ReadDir(filepath.Join(root, d.Name()))
		if err != nil {
			continue
		}
		for _, f := range files {
			if c.isStale(f) {
				_ = c.fs.Remove(filepath.Join(root, d.Name(), f.Name()))
			}
		}
	}
}

func (c *Cache) isStale(f fs.DirEntry) bool {
	if !strings.HasPrefix(f.Name(), tempPrefix) {
		return false
	}
	info, err := f.Info()
	return err == nil && c.now().Sub(info.ModTime()) > staleAfter
}

// A record is one line with version, digest, length of key and time, then the key, then the data. The digest covers key,
// time and data.
func encode(key string, data []byte, stored time.Time) []byte {
	stamp := stored.UTC().Format(time.RFC3339)
	head := fmt.Sprintf("%s %s %d %s\n", version, digest(key, stamp, data), len(key), stamp)
	return bytes.Join([][]byte{[]byte(head), []byte(key), data}, nil)
}

func digest(key, stamp string, data []byte) string {
	h := sha256.New()
	fmt.Fprintf(h, "%d %s %s\n", len(key), stamp, key)
	h.Write(data)
	return hex.EncodeToString(h.Sum(nil))
}

var errRecord = errors.New("cache record is damaged")

func decode(key string, raw []byte) (Entry, error) {
	head, rest, ok := bytes.Cut(raw, []byte("\n"))
	if !ok || len(head) > 200 {
		return Entry{}, errRecord
	}
	var ver, sum, stamp string
	var n int
	if _, err := fmt.Sscanf(string(head), "%s %s %d %s", &ver, &sum, &n, &stamp); err != nil || ver != version {
		return Entry{}, errRecord
	}
	if n != len(key) || len(rest) < n || string(rest[:n]) != key || digest(key, stamp, rest[n:]) != sum {
		return Entry{}, errRecord
	}
	t, err := time.Parse(time.RFC3339, stamp)
	if err != nil {
		return Entry{}, errRecord
	}
	return Entry{Data: rest[n:], Stored: t}, nil
}

// disk is the CacheFS of the system.
type disk struct{}

// MkdirAll implements CacheFS.
func (disk) MkdirAll(dir string, perm fs.FileMode) error { return os.MkdirAll(dir, perm) }

// CreateTemp implements CacheFS.
func (disk) CreateTemp(dir, pattern string) (CacheFile, error) { return os.CreateTemp(dir, pattern) }

// Rename implements CacheFS.
func (disk) Rename(from, to string) error { return os.Rename(from, to) }

// Remove implements CacheFS.
func (disk) Remove(name string) error { return os.Remove(name) }

// ReadDir implements CacheFS.
func (disk) ReadDir(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }

// Open implements CacheFS. Only a regular file is opened: a pipe at its place would keep us waiting.
func (disk) Open(name string) (io.ReadCloser, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("opening %s: it is not a regular file", name)
	}
	return os.Open(name)
}
