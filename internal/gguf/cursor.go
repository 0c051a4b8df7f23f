package gguf

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
)

// Why says what kind of fault an Error is.
type Why int

// Cut: the file ends too early, fetch it again. Malformed: the bytes contradict the format or themselves. Unsupported:
// a version, byte order or value type that this package does not read. TooLarge: a limit of ours was reached.
const (
	Cut Why = iota + 1
	Malformed
	Unsupported
	TooLarge
)

// Error is a fault of the file, as opposed to a fault of reading it.
type Error struct {
	Why    Why
	Offset int64 // where in the file
	Reason string
}

func (e *Error) Error() string { return fmt.Sprintf("GGUF header, byte %d: %s", e.Offset, e.Reason) }

// Chunks grow from the first to the last size: a short header costs few bytes, a long one few requests.
const (
	firstChunk = 64 << 10
	lastChunk  = 1 << 20
)

// unknownSize stands for the size of a file whose end is not known: large, yet safe to add to.
const unknownSize = math.MaxInt64 / 2

// cursor reads a file from its beginning in chunks, and steps over what nobody wants without fetching it.
type cursor struct {
	r       io.ReaderAt
	size    int64
	pos     int64
	buf     []byte
	base    int64 // where in the file buf begins
	chunk   int
	fetched int64
}

func newCursor(r io.ReaderAt, size int64) *cursor {
	if size < 0 {
		size = unknownSize
	}
	return &cursor{r: r, size: size, chunk: firstChunk}
}

func (c *cursor) fail(why Why, format string, args ...any) error {
	return &Error{why, c.pos, fmt.Sprintf(format, args...)}
}

// left is how many bytes of the file follow.
func (c *cursor) left() uint64 { return uint64(max(c.size-c.pos, 0)) }

// want fails if the file holds fewer than n more bytes.
func (c *cursor) want(n uint64, what string) error {
	if left := c.left(); n > left {
		return c.fail(Cut, "the file ends %d bytes on, and %s needs %d; it may be cut", left, what, n)
	}
	return nil
}

// ahead is what of the buffer lies at the position and after it.
func (c *cursor) ahead() []byte {
	if at := c.pos - c.base; 0 <= at && at < int64(len(c.buf)) {
		return c.buf[at:]
	}
	return nil
}

// take returns the next n bytes, valid until the next call, and steps over them.
func (c *cursor) take(n int, what string) ([]byte, error) {
	b := c.ahead()
	if len(b) < n {
		if err := c.fill(n, what); err != nil {
			return nil, err
		}
		b = c.buf
	}
	c.pos += int64(n)
	return b[:n], nil
}

// fill makes the buffer begin at the position and hold at least n bytes.
func (c *cursor) fill(n int, what string) error {
	if err := c.want(uint64(n), what); err != nil {
		return err
	}
	ahead := c.ahead()
	size := int(min(uint64(max(n, c.chunk)), c.left()))
	c.fetched += int64(size - len(ahead))
	if c.fetched > maxFetched {
		return c.fail(TooLarge, "more than %d MiB of header", maxFetched>>20)
	}
	buf := c.buf
	if cap(buf) < size {
		buf = make([]byte, size)
	}
	c.buf = buf[:copy(buf[:size], ahead)]
	have := len(c.buf)
	c.base = c.pos
	c.chunk = min(2*c.chunk, lastChunk)
	got, err := c.r.ReadAt(c.buf[have:size], c.pos+int64(have))
	c.buf = c.buf[:have+got]
	if len(c.buf) == size {
		return nil
	}
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("reading GGUF header at byte %d: %w", c.pos, err)
	}
	c.size = c.base + int64(len(c.buf))
	return c.want(uint64(n), what)
}

// skip steps over n bytes without fetching them.
func (c *cursor) skip(n uint64, what string) error {
	if err := c.want(n, what); err != nil {
		return err
	}
	c.pos += int64(n)
	return nil
}

func (c *cursor) uint32(what string) (uint32, error) {
	b, err := c.take(4, what)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint32(b), nil
}

func (c *cursor) uint64(what string) (uint64, error) {
	b, err := c.take(8, what)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// length reads the length of a string and checks it against limit and file.
func (c *cursor) length(limit uint64, what string) (uint64, error) {
	n, err := c.uint64(what)
	if err != nil {
		return 0, err
	}
	if n > limit {
		return 0, c.fail(TooLarge, "%s of %d bytes, more than %d", what, n, limit)
	}
	return n, c.want(n, what)
}

// text reads a string of at most limit bytes.
func (c *cursor) text(limit uint64, what string) (string, error) {
	n, err := c.length(limit, what)
	if err != nil {
		return "", err
	}
	b, err := c.take(int(n), what)
	return string(b), err
}
