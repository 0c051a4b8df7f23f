package oci

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/llmcheck/llmcheck/internal/source"
)

// blobs reads what a manifest lists.
type blobs interface {
	// open streams a blob from its start.
	open(d descriptor) (io.ReadCloser, error)
	// at reads parts of a blob.
	at(d descriptor) io.ReaderAt
}

// readBlob reads a blob whole and compares size and digest.
func readBlob(b blobs, d descriptor, limit int64) ([]byte, error) {
	if d.Size > limit {
		return nil, fmt.Errorf("it has %d bytes, more than the %d that are read", d.Size, limit)
	}
	rc, err := b.open(d)
	if err != nil {
		return nil, err
	}
	defer rc.Close()
	data, err := io.ReadAll(io.LimitReader(rc, d.Size+1))
	if err != nil {
		return nil, err
	}
	if int64(len(data)) != d.Size || sumDigest(data) != d.Digest {
		return nil, errNotListed
	}
	return data, nil
}

var errNotListed = fmt.Errorf("it is not the blob that the manifest lists: %w", source.ErrMalformed)

// checked streams a blob and compares size and digest when it is closed by finish.
type checked struct {
	io.Reader
	d    descriptor
	hash interface {
		io.Writer
		Sum([]byte) []byte
	}
	n int64
}

func newChecked(r io.Reader, d descriptor) *checked {
	c := &checked{d: d, hash: sha256.New()}
	c.Reader = io.TeeReader(io.LimitReader(r, d.Size+1), c)
	return c
}

func (c *checked) Write(p []byte) (int, error) {
	c.n += int64(len(p))
	return c.hash.Write(p)
}

// finish reads what is left and compares.
func (c *checked) finish() error {
	if _, err := io.Copy(io.Discard, c); err != nil {
		return err
	}
	if c.n != c.d.Size || hex.EncodeToString(c.hash.Sum(nil)) != c.d.Digest.hex {
		return errNotListed
	}
	return nil
}

// lazyBlob is a blob that is read whole, and compared with its digest, when somebody asks.
func lazyBlob(b blobs, d descriptor, held *budget) io.ReaderAt {
	return lazy(sync.OnceValues(func() ([]byte, error) {
		if err := held.take(d.Size); err != nil {
			return nil, err
		}
		return readBlob(b, d, d.Size)
	}))
}

type lazy func() ([]byte, error)

// ReadAt implements io.ReaderAt.
func (l lazy) ReadAt(p []byte, off int64) (int, error) {
	data, err := l()
	if err != nil {
		return 0, err
	}
	return memory(data).ReadAt(p, off)
}

// memory is a file that is held.
type memory []byte

// ReadAt implements io.ReaderAt.
func (m memory) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off > int64(len(m)) {
		return 0, io.EOF
	}
	n := copy(p, m[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// remoteBlobs are the blobs of a repository.
type remoteBlobs struct {
	ctx    context.Context //nolint:containedctx // fs.File has no context; this one ends with the Snapshot
	remote *remote
}

func (b remoteBlobs) open(d descriptor) (io.ReadCloser, error) {
	resp, err := b.remote.get(b.ctx, "blobs/"+d.Digest.String(), http.Header{})
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK || resp.ContentLength >= 0 && resp.ContentLength != d.Size {
		resp.Body.Close()
		return nil, errNotListed
	}
	return &answer{ReadCloser: resp.Body, remote: b.remote}, nil
}

// answer classifies what goes wrong while a body is read.
type answer struct {
	io.ReadCloser
	remote *remote
}

func (b *answer) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err != nil && !errors.Is(err, io.EOF) {
		err = b.remote.fail("reading a blob", err)
	}
	return n, err
}

func (b remoteBlobs) at(d descriptor) io.ReaderAt { return &ranged{blobs: b, d: d} }

// The limits on reading by ranges. A header is read in many small steps, so a window is fetched, and it grows while
// the steps follow one another.
const (
	minWindow = 64 << 10
	maxWindow = 4 << 20
	maxRanged = 1 << 30  // bytes, for all files of a snapshot
	maxSkip   = 16 << 20 // bytes thrown away where a server knows no ranges
)

// ranged reads a blob by ranges.
type ranged struct {
	blobs remoteBlobs
	d     descriptor

	mu     sync.Mutex
	window []byte
	start  int64 // of the window
}

// ReadAt implements io.ReaderAt.
func (r *ranged) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 || off >= r.d.Size {
		return 0, io.EOF
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(p) && off+int64(n) < r.d.Size {
		if err := r.fill(off+int64(n), len(p)-n); err != nil {
			return n, err
		}
		n += copy(p[n:], r.window[off+int64(n)-r.start:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// fill makes the window hold off.
func (r *ranged) fill(off int64, want int) error {
	end := r.start + int64(len(r.window))
	if off >= r.start && off < end {
		return nil
	}
	size := minWindow
	if off == end && len(r.window) > 0 {
		size = 2 * len(r.window)
	}
	size = min(max(size, want), maxWindow)
	data, err := r.blobs.rangeOf(r.d, off, min(int64(size), r.d.Size-off))
	if err != nil {
		return err
	}
	r.window, r.start = data, off
	return nil
}

// rangeOf fetches n bytes from off.
func (b remoteBlobs) rangeOf(d descriptor, off, n int64) ([]byte, error) {
	if err := b.remote.budget.take(n); err != nil {
		return nil, err
	}
	header := http.Header{"Range": {fmt.Sprintf("bytes=%d-%d", off, off+n-1)}}
	resp, err := b.remote.get(b.ctx, "blobs/"+d.Digest.String(), header)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	switch {
	case resp.StatusCode == http.StatusPartialContent:
		if !contentRange(resp.Header.Get("Content-Range"), off, n, d.Size) {
			return nil, fmt.Errorf("%s answers with another range than asked: %w", b.remote.target.registry, source.ErrMalformed)
		}
	case off > maxSkip:
		return nil, fmt.Errorf("%s gives no ranges, and %d bytes are not read to reach one: %w",
			b.remote.target.registry, off, source.ErrMalformed)
	default:
		if _, err := io.CopyN(io.Discard, resp.Body, off); err != nil {
			return nil, b.remote.fail("reading a blob", err)
		}
	}
	data := make([]byte, n)
	if _, err := io.ReadFull(resp.Body, data); err != nil {
		return nil, b.remote.fail("reading a blob", err)
	}
	return data, nil
}

// contentRange reports whether a Content-Range header says that n bytes from off came, of a blob with that size.
func contentRange(s string, off, n, size int64) bool {
	s, ok := strings.CutPrefix(s, "bytes ")
	if !ok {
		return false
	}
	span, total, ok := strings.Cut(s, "/")
	if !ok || total != "*" && total != strconv.FormatInt(size, 10) {
		return false
	}
	return span == fmt.Sprintf("%d-%d", off, off+n-1)
}

// budget is a number of bytes that may be used up.
type budget struct{ left atomic.Int64 }

func newBudget(n int64) *budget {
	b := &budget{}
	b.left.Store(n)
	return b
}

func (b *budget) take(n int64) error {
	if b.left.Add(-n) < 0 {
		b.left.Add(n)
		return errors.New("too much was read from this model already")
	}
	return nil
}
