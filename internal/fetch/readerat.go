package fetch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/llmcheck/llmcheck/internal/source"
)

// The way a remote file is read: in blocks, several at once when the reader goes forward, a few kept.
const (
	Block     = 256 << 10
	maxAhead  = 4  // blocks in one request
	maxBlocks = 16 // blocks kept in memory
	// MaxRemote is how much is read of one remote file: the largest header that anybody may have, and some room.
	MaxRemote = 272 << 20
)

// RemoteFile says which file is read in parts.
type RemoteFile struct {
	URL  string
	Size int64  // -1 if not known: the first part tells
	Key  string // names the file at its immutable revision in the cache; "" keeps nothing
	// Check looks at the answer to each part, before anything is used of it; may be nil.
	Check func(*Response) error
}

// ReaderAt reads a remote file in parts. It is safe for several goroutines and asks for one part at a time.
type ReaderAt struct {
	client *Client
	ctx    context.Context //nolint:containedctx // io.ReaderAt has no place for one; it is that of the snapshot
	file   RemoteFile

	mu     sync.Mutex
	size   int64
	etag   string
	blocks []block // least recently used first
	next   int64   // the block after the last one fetched
	ahead  int64   // blocks fetched in the last request
	taken  int64
	spent  time.Duration
	broken error // a failure that asking again would not mend
}

type block struct {
	index int64
	data  []byte
}

// Remote makes a reader of a file in parts. Nothing is asked before the first read.
func (c *Client) Remote(ctx context.Context, f RemoteFile) *ReaderAt {
	return &ReaderAt{client: c, ctx: ctx, file: f, size: f.Size, ahead: 1, next: -1}
}

// Size is the size of the file; it asks for the first part if nobody said it.
func (r *ReaderAt) Size() (int64, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.size < 0 {
		if _, err := r.block(0); err != nil {
			return 0, err
		}
	}
	if r.size < 0 {
		return 0, &Error{Kind: source.ErrMalformed, Text: "asking " + r.file.URL + ": the server does not say how long the file is"}
	}
	return r.size, nil
}

// ReadAt implements io.ReaderAt.
func (r *ReaderAt) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("reading a remote file: the offset is negative")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	for n < len(p) {
		at := off + int64(n)
		if r.size >= 0 && at >= r.size {
			return n, io.EOF
		}
		b, err := r.block(at / Block)
		if err != nil {
			return n, err
		}
		inside := at % Block
		if inside >= int64(len(b)) {
			return n, io.EOF
		}
		n += copy(p[n:], b[inside:])
	}
	return n, nil
}

// block gives block i from memory, the cache or the server.
func (r *ReaderAt) block(i int64) ([]byte, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	if at := slices.IndexFunc(r.blocks, func(b block) bool { return b.index == i }); at >= 0 {
		b := r.blocks[at]
		r.blocks = append(slices.Delete(r.blocks, at, at+1), b)
		return b.data, nil
	}
	if data, ok := r.cached(i); ok {
		r.keep(i, data)
		return data, nil
	}
	return r.fetch(i)
}

func (r *ReaderAt) keep(i int64, data []byte) {
	if len(r.blocks) == maxBlocks {
		r.blocks = slices.Delete(r.blocks, 0, 1)
	}
	r.blocks = append(r.blocks, block{i, data})
}

// cached finds a block that an earlier run stored. One that does not have the length it must have is not used.
func (r *ReaderAt) cached(i int64) ([]byte, bool) {
	if r.file.Key == "" || r.size < 0 {
		return nil, false
	}
	e, ok := r.client.cache.Get(r.cacheKey(i))
	if !ok || int64(len(e.Data)) != min(Block, r.size-i*Block) {
		return nil, false
	}
	return e.Data, true
}

func (r *ReaderAt) cacheKey(i int64) string {
	return fmt.Sprintf("part\x00%s\x00%d\x00%d", r.file.Key, r.size, i)
}

// fetch asks for block i, and for some after it if the reader goes forward.
func (r *ReaderAt) fetch(i int64) ([]byte, error) {
	if i == r.next {
		r.ahead = min(2*r.ahead, maxAhead)
	} else {
		r.ahead = 1
	}
	span := Span{Off: i * Block, Len: r.ahead * Block}
	if r.size >= 0 {
		span.Len = min(span.Len, r.size-span.Off)
	}
	resp, err := r.part(span)
	if err != nil {
		return nil, r.remember(err)
	}
	return r.accept(i, resp)
}

// part asks the server, within what one file may cost.
func (r *ReaderAt) part(s Span) (*Response, error) {
	if r.taken+s.Len > MaxRemote {
		return nil, &Error{Kind: errors.Join(source.ErrMalformed, ErrTooLarge), Permanent: true, Text: fmt.Sprintf(
			"asking for a part of %s: more than %d bytes would be read of one file", r.file.URL, MaxRemote)}
	}
	left := RangeDeadline - r.spent
	if left <= 0 {
		return nil, &Error{Kind: errors.Join(source.ErrUnreachable, ErrStalled), Permanent: true, Text: fmt.Sprintf(
			"asking for a part of %s: its parts took longer than %s", r.file.URL, RangeDeadline)}
	}
	start := r.client.Now()
	resp, err := r.client.Get(r.ctx, Request{URL: r.file.URL, Span: &s, Deadline: left, Quiet: r.taken > 0})
	r.spent += r.client.Now().Sub(start)
	if err != nil {
		return nil, err
	}
	r.taken += int64(len(resp.Body))
	return resp, r.check(resp)
}

// check refuses a part that does not belong to the file of the other parts.
func (r *ReaderAt) check(resp *Response) error {
	if r.file.Check != nil {
		if err := r.file.Check(resp); err != nil {
			return err
		}
	}
	if r.size >= 0 && resp.Total >= 0 && resp.Total != r.size {
		return r.client.malformed(resp.URL, fmt.Sprintf("the file has %d bytes, not the %d that were listed", resp.Total, r.size))
	}
	etag := resp.Header.Get("ETag")
	if r.etag != "" && etag != "" && etag != r.etag && !strings.HasPrefix(etag, "W/") {
		return r.client.malformed(resp.URL, "the file changed while it was read")
	}
	r.etag = etag
	if r.size < 0 {
		r.size = resp.Total
	}
	return nil
}

// accept cuts an answer into blocks and gives the first.
func (r *ReaderAt) accept(i int64, resp *Response) ([]byte, error) {
	r.next = i
	first := resp.Body[:min(Block, len(resp.Body))]
	for part := range slices.Chunk(resp.Body, Block) {
		r.keep(r.next, part)
		if r.file.Key != "" && r.size >= 0 && int64(len(part)) == min(Block, r.size-r.next*Block) {
			r.client.cache.Put(r.cacheKey(r.next), part)
		}
		r.next++
	}
	return first, nil
}

// remember keeps a failure that is for good.
func (r *ReaderAt) remember(err error) error {
	if e, ok := errors.AsType[*Error](err); ok && e.Permanent && r.ctx.Err() == nil {
		r.broken = err
	}
	return err
}
