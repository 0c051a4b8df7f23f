package hub

import (
	"bytes"
	"context"
	"crypto/sha1" //nolint:gosec // git names its blobs by it
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// MaxText is the largest file that is read whole; larger ones are read in parts like weights.
const MaxText = 16 << 20

// maxHeld is how many bytes of files are held in memory, so that a file opened twice is asked for once.
const maxHeld = 32 << 20

// Files are the files of a repository, fetched when they are opened. Weights are read in parts and never whole; all
// other files are compared with the size and digest that were listed, and one that differs is not given out.
//
// Requests are made with the context of Open. Beside fs.FS, a caller finds here what could not be read (Gaps) and
// which base models the hub names (Parents).
type Files struct {
	client  *fetch.Client
	ctx     context.Context //nolint:containedctx // fs.FS has no place for one
	commit  string          // "" if there is no immutable revision
	key     string          // names repository and revision in the cache; "" keeps nothing
	address func(path string) string
	explain func(error) error
	nodes   map[string]*node
	parents []model.Parent

	mu     sync.Mutex
	gaps   map[string]model.Gap
	held   int64
	denied error // all files are behind a gate: one refusal is enough
}

// node is a file or a folder.
type node struct {
	file
	children map[string]*node // nil for a file

	mu   sync.Mutex
	data []byte
	part *fetch.ReaderAt
}

func newFiles(ctx context.Context, c *fetch.Client, files []file) *Files {
	f := &Files{
		client: c, ctx: ctx, gaps: map[string]model.Gap{}, explain: func(err error) error { return err },
		nodes: map[string]*node{".": {file: file{Path: "."}, children: map[string]*node{}}},
	}
	for _, x := range files {
		f.add(x)
	}
	return f
}

func (f *Files) add(x file) {
	n := &node{file: x}
	f.nodes[x.Path] = n
	for child := n; ; {
		dir := path.Dir(child.Path)
		parent, known := f.nodes[dir]
		if !known {
			parent = &node{file: file{Path: dir}, children: map[string]*node{}}
			f.nodes[dir] = parent
		}
		parent.children[path.Base(child.Path)] = child
		if known {
			return
		}
		child = parent
	}
}

// Gaps are the files that were asked for and could not be read so far, in order of name. The errors of Open say the
// same; this is for a reader that does not know about sources.
func (f *Files) Gaps() []model.Gap {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []model.Gap
	for _, k := range slices.Sorted(maps.Keys(f.gaps)) {
		out = append(out, f.gaps[k])
	}
	return out
}

// Parents are the base models that the hub names beside the card, which matters where the card cannot be read.
func (f *Files) Parents() []model.Parent { return slices.Clone(f.parents) }

// Open implements fs.FS.
func (f *Files) Open(name string) (fs.File, error) {
	n, err := f.find("open", name)
	if err != nil {
		return nil, err
	}
	if n.children != nil {
		return &folder{info{n}, n.entries()}, nil
	}
	if n.inParts() {
		return f.openPart(n)
	}
	data, err := f.whole(n)
	if err != nil {
		return nil, f.failed("open", n, err)
	}
	return &text{Reader: bytes.NewReader(data), info: info{n}}, nil
}

// ReadFile implements fs.ReadFileFS.
func (f *Files) ReadFile(name string) ([]byte, error) {
	n, err := f.find("read", name)
	if err != nil {
		return nil, err
	}
	switch {
	case n.children != nil:
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("is a folder")}
	case n.inParts():
		return nil, &fs.PathError{Op: "read", Path: name, Err: errors.New("weights and other large files are never read whole")}
	}
	data, err := f.whole(n)
	if err != nil {
		return nil, f.failed("read", n, err)
	}
	return slices.Clone(data), nil
}

// ReadDir implements fs.ReadDirFS.
func (f *Files) ReadDir(name string) ([]fs.DirEntry, error) {
	n, err := f.find("readdir", name)
	if err != nil {
		return nil, err
	}
	if n.children == nil {
		return nil, &fs.PathError{Op: "readdir", Path: name, Err: errors.New("not a folder")}
	}
	return n.entries(), nil
}

// Stat implements fs.StatFS. Nothing is asked for it unless nobody said how large the file is.
func (f *Files) Stat(name string) (fs.FileInfo, error) {
	n, err := f.find("stat", name)
	if err != nil {
		return nil, err
	}
	if n.children == nil && n.size() < 0 {
		file, err := f.Open(name)
		if err != nil {
			return nil, err
		}
		defer file.Close()
		return file.Stat()
	}
	return info{n}, nil
}

func (f *Files) find(op, name string) (*node, error) {
	if !fs.ValidPath(name) {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	n, ok := f.nodes[name]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return n, nil
}

// fileError keeps the named error of source and adds the one that users of fs know. A file that was listed and is not
// there is not fs.ErrNotExist: nobody may take it for one that the repository lacks.
type fileError struct{ error }

// Unwrap gives both.
func (e fileError) Unwrap() []error {
	if errors.Is(e.error, source.ErrForbidden) {
		return []error{e.error, fs.ErrPermission}
	}
	return []error{e.error}
}

// failed records a gap and makes the error of a file.
func (f *Files) failed(op string, n *node, err error) error {
	kind := model.Unread
	switch {
	case errors.Is(err, source.ErrForbidden):
		kind = model.Restricted
	case errors.Is(err, source.ErrUnreachable), errors.Is(err, source.ErrOffline):
		kind = model.Unreachable
	}
	f.mu.Lock()
	f.gaps[n.Path] = model.Gap{What: n.Path, Why: err.Error(), Kind: kind}
	f.mu.Unlock()
	return &fs.PathError{Op: op, Path: n.Path, Err: fileError{err}}
}

// whole gives the content of a file that is read at once.
func (f *Files) whole(n *node) ([]byte, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.data != nil {
		return n.data, nil
	}
	data, err := f.load(n)
	if err != nil {
		return nil, err
	}
	if n.Size < 0 {
		n.Size = int64(len(data))
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.gaps, n.Path)
	if f.held += int64(len(data)); f.held <= maxHeld {
		n.data = data
	}
	return data, nil
}

// load takes a file from the cache or the hub, and gives it out only if it is the one that was listed.
func (f *Files) load(n *node) ([]byte, error) {
	key := ""
	if f.key != "" {
		key = "file\x00" + f.key + "\x00" + n.Path
		if e, ok := f.client.Cache().Get(key); ok && n.verify(e.Data) == nil {
			return e.Data, nil
		}
	}
	if f.denied != nil {
		return nil, f.denied
	}
	r, err := f.client.Get(f.ctx, fetch.Request{URL: f.address(n.Path), Limit: MaxText})
	if err != nil {
		return nil, f.explain(err)
	}
	if err := f.checkAnswer(n.file, r); err != nil {
		return nil, err
	}
	if err := n.verify(r.Body); err != nil {
		return nil, err
	}
	if n.Blob == "" && n.SHA256 == "" && looksLikePage(r) && !isPageName(n.Path) {
		return nil, notListed(n.file, "a page for people came back")
	}
	if key != "" {
		f.client.Cache().Put(key, r.Body)
	}
	return r.Body, nil
}

func looksLikePage(r *fetch.Response) bool {
	return strings.Contains(strings.ToLower(r.Header.Get("Content-Type")), "html") ||
		bytes.HasPrefix(bytes.ToLower(bytes.TrimSpace(r.Body[:min(len(r.Body), 64)])), []byte("<!doctype html"))
}

func isPageName(name string) bool {
	e := strings.ToLower(path.Ext(name))
	return e == ".html" || e == ".htm" || e == ".xhtml"
}

func notListed(n file, why string) error {
	return fmt.Errorf("reading %s: %w: the file is not the one that was listed: %s", n.Path, source.ErrMalformed, why)
}

// verify compares content with what was listed.
func (n file) verify(b []byte) error {
	if n.Size >= 0 && int64(len(b)) != n.Size {
		return notListed(n, fmt.Sprintf("it has %d bytes, not %d", len(b), n.Size))
	}
	if n.SHA256 != "" {
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != n.SHA256 {
			return notListed(n, "its sha256 differs")
		}
		return nil
	}
	if n.Blob != "" && blobID(b) != n.Blob {
		return notListed(n, "its git blob id differs")
	}
	return nil
}

func blobID(b []byte) string {
	h := sha1.New() //nolint:gosec // git names its blobs by it
	fmt.Fprintf(h, "blob %d\x00", len(b))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// checkAnswer compares what the hub says of a file, before it sends us on, with the listing.
func (f *Files) checkAnswer(n file, r *fetch.Response) error {
	if c := r.Origin.Get("X-Repo-Commit"); f.commit != "" && c != "" && c != f.commit {
		return notListed(n, "it is from another commit")
	}
	if s := r.Origin.Get("X-Linked-Size"); s != "" && n.Size >= 0 && s != strconv.FormatInt(n.Size, 10) {
		return notListed(n, fmt.Sprintf("the hub says that it has %s bytes, not %d", s[:min(len(s), 20)], n.Size))
	}
	etag := strings.Trim(strings.TrimPrefix(r.Origin.Get("X-Linked-Etag"), "W/"), `"`)
	if n.SHA256 != "" && sha256Form.MatchString(etag) && etag != n.SHA256 {
		return notListed(n, "the hub says that its sha256 differs")
	}
	return nil
}

// openPart opens a file that is read in parts. The first part is asked for here, so that a file that cannot be read
// fails when it is opened.
func (f *Files) openPart(n *node) (fs.File, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if listed := n.file; n.part == nil {
		n.part = f.client.Remote(f.ctx, fetch.RemoteFile{
			URL: f.address(n.Path), Size: n.Size, Key: f.partKey(n),
			Check: func(r *fetch.Response) error { return f.checkAnswer(listed, r) },
		})
	}
	size, err := n.part.Size()
	if err == nil && size > 0 {
		_, err = n.part.ReadAt(make([]byte, 1), 0)
	}
	if f.denied != nil && err != nil {
		err = f.denied
	}
	if err != nil {
		return nil, f.failed("open", n, f.explain(err))
	}
	if n.Size < 0 {
		n.Size = size
	}
	f.mu.Lock()
	delete(f.gaps, n.Path)
	f.mu.Unlock()
	return &weights{SectionReader: io.NewSectionReader(n.part, 0, size), info: info{n}, read: n.part, f: f}, nil
}

func (f *Files) partKey(n *node) string {
	if f.key == "" {
		return ""
	}
	return f.key + "\x00" + n.Path + "\x00" + n.SHA256
}

func (n *node) size() int64 {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.Size
}

// inParts reports whether a file is never read whole: weights and archives by their name, and whatever is too large.
func (n *node) inParts() bool { return isWeights(n.Path) || n.size() > MaxText }

func isWeights(name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".safetensors", ".gguf", ".ggml", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".keras", ".msgpack", ".onnx", ".onnx_data",
		".pb", ".tflite", ".mlmodel", ".npz", ".npy", ".pkl", ".pickle", ".joblib", ".nemo", ".mar", ".llamafile", ".engine",
		".task", ".litertlm", ".ot", ".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".7z", ".rar", ".parquet", ".arrow",
		".incomplete", ".distcp":
		return true
	}
	return false
}

func (n *node) entries() []fs.DirEntry {
	out := make([]fs.DirEntry, 0, len(n.children))
	for _, name := range slices.Sorted(maps.Keys(n.children)) {
		out = append(out, fs.FileInfoToDirEntry(info{n.children[name]}))
	}
	return out
}

// info is a node as fs.FileInfo. A size that nobody said is 0 until the file is opened.
type info struct{ n *node }

// Name implements fs.FileInfo.
func (i info) Name() string { return path.Base(i.n.Path) }

// Size implements fs.FileInfo.
func (i info) Size() int64 { return max(i.n.size(), 0) }

// Mode implements fs.FileInfo.
func (i info) Mode() fs.FileMode {
	if i.IsDir() {
		return fs.ModeDir | 0o555
	}
	return 0o444
}

// ModTime implements fs.FileInfo; a commit has no time for each of its files.
func (i info) ModTime() time.Time { return time.Time{} }

// IsDir implements fs.FileInfo.
func (i info) IsDir() bool { return i.n.children != nil }

// Sys implements fs.FileInfo.
func (i info) Sys() any { return nil }

// text is an open file that was read whole.
type text struct {
	*bytes.Reader
	info info
}

// Stat implements fs.File.
func (t *text) Stat() (fs.FileInfo, error) { return t.info, nil }

// Close implements fs.File.
func (t *text) Close() error { return nil }

// weights is an open file that is read in parts.
type weights struct {
	*io.SectionReader
	info info
	read *fetch.ReaderAt
	f    *Files
}

// Stat implements fs.File.
func (w *weights) Stat() (fs.FileInfo, error) { return w.info, nil }

// Close implements fs.File.
func (w *weights) Close() error { return nil }

// ReadAt implements io.ReaderAt.
func (w *weights) ReadAt(p []byte, off int64) (int, error) {
	n, err := w.SectionReader.ReadAt(p, off)
	return n, w.noted(err)
}

// Read implements io.Reader.
func (w *weights) Read(p []byte) (int, error) {
	n, err := w.SectionReader.Read(p)
	return n, w.noted(err)
}

func (w *weights) noted(err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // a reader ends with io.EOF itself; one that is wrapped is a fault
		return err
	}
	return w.f.failed("read", w.info.n, w.f.explain(err))
}

// folder is an open folder.
type folder struct {
	info
	rest []fs.DirEntry
}

// Stat implements fs.File.
func (d *folder) Stat() (fs.FileInfo, error) { return d.info, nil }

// Read implements fs.File.
func (d *folder) Read([]byte) (int, error) {
	return 0, &fs.PathError{Op: "read", Path: d.n.Path, Err: errors.New("is a folder")}
}

// Close implements fs.File.
func (d *folder) Close() error { return nil }

// ReadDir implements fs.ReadDirFile.
func (d *folder) ReadDir(n int) ([]fs.DirEntry, error) {
	if n <= 0 {
		out := d.rest
		d.rest = nil
		return out, nil
	}
	if len(d.rest) == 0 {
		return nil, io.EOF
	}
	out := d.rest[:min(n, len(d.rest))]
	d.rest = d.rest[len(out):]
	return out, nil
}
