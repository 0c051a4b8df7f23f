package oci

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/llmcheck/llmcheck/internal/model"
)

// The limits on an archive.
const (
	maxMembers  = 4096
	maxPacked   = 64 << 20  // bytes of a compressed layer that are fetched
	maxUnpacked = 256 << 20 // bytes that one compressed layer may become
	maxStreamed = 512 << 20 // bytes that all of them may become
	maxWhole    = 16 << 20  // bytes of an archive that is read whole, for the sake of its digest
)

// member is a file of an archive that is of use.
type member struct {
	name string
	size int64
	data []byte      // nil for weights
	at   io.ReaderAt // of weights in an archive that is not compressed
}

// errBomb says that a compressed layer becomes more than we read.
var errBomb = fmt.Errorf("it becomes more than %d bytes when it is unpacked", maxUnpacked)

// walk reads an archive layer. Members that were read before a fault are given to the caller only where their bytes
// were compared with the digest, or come from ranges, which cannot be.
func (c *collector) walk(b blobs, l layer) error {
	switch {
	case l.packed == "gzip" && l.Size > maxPacked:
		return fmt.Errorf("it is a compressed archive of %d bytes, more than the %d that are read", l.Size, maxPacked)
	case l.packed == "gzip":
		return c.walkPacked(b, l)
	case l.packed != "":
		return fmt.Errorf("it is packed with %.40q, which is not read", l.packed)
	case l.Size > maxWhole || c.held.take(l.Size) != nil:
		// Skipping is a seek, so that weights in the archive cost nothing.
		return c.walkAt(b.at(l.descriptor), l)
	}
	data, err := readBlob(b, l.descriptor, maxWhole)
	if err != nil {
		return err
	}
	return c.walkAt(memory(data), l)
}

// walkAt reads an archive that is not compressed.
func (c *collector) walkAt(at io.ReaderAt, l layer) error {
	r := io.NewSectionReader(at, 0, l.Size)
	var members []member
	err := c.scan(tar.NewReader(r), func(h *tar.Header, body io.Reader) error {
		if !weightFile(h.Name) {
			return c.keep(&members, h, body)
		}
		off, err := r.Seek(0, io.SeekCurrent)
		if err != nil || h.Size > l.Size-off {
			return fmt.Errorf("it ends inside %.200q", h.Name)
		}
		members = append(members, member{name: h.Name, size: h.Size, at: io.NewSectionReader(at, off, h.Size)})
		return nil
	})
	c.take(members)
	return err
}

// walkPacked streams a compressed archive, and gives its members on once the digest agrees.
func (c *collector) walkPacked(b blobs, l layer) error {
	rc, err := b.open(l.descriptor)
	if err != nil {
		return err
	}
	defer rc.Close()
	sum := newChecked(rc, l.descriptor)
	z, err := gzip.NewReader(sum)
	if err != nil {
		return fmt.Errorf("it is not packed with gzip: %w", err)
	}
	var members []member
	unpacked := &capped{r: z, left: maxUnpacked, all: c.streamed}
	scanned := c.scan(tar.NewReader(unpacked), func(h *tar.Header, body io.Reader) error {
		if weightFile(h.Name) {
			members = append(members, member{name: h.Name, size: h.Size})
			return nil
		}
		return c.keep(&members, h, body)
	})
	if err := sum.finish(); err != nil {
		return err
	}
	c.take(members)
	return scanned
}

// scan calls found for every member that is wanted.
func (c *collector) scan(t *tar.Reader, found func(*tar.Header, io.Reader) error) error {
	for n := 0; ; n++ {
		h, err := t.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return fmt.Errorf("reading the archive: %w", err)
		case n == maxMembers:
			return fmt.Errorf("it has more than the %d members that are read", maxMembers)
		}
		h.Name = strings.TrimPrefix(h.Name, "./")
		if !c.sift(h) {
			continue
		}
		if err := found(h, t); err != nil {
			return err
		}
	}
}

// sift reports whether a member is wanted. It makes a gap of one that would be, if it had another name or were a file.
func (c *collector) sift(h *tar.Header) bool {
	if h.Typeflag == tar.TypeDir || h.Typeflag == tar.TypeXGlobalHeader {
		return false
	}
	if err := checkName(h.Name); err != nil {
		c.gap(fmt.Sprintf("archive member %.200q", h.Name), "its name is refused: it "+err.Error(), model.Unread)
		return false
	}
	if h.Typeflag == tar.TypeReg && !sparse(h) {
		if wanted(h.Name, h.Size) {
			return true
		}
		c.list(h.Name, h.Size, "")
		return false
	}
	if evidence(h.Name) || weightFile(h.Name) {
		c.gap(h.Name, "it is a link, a device or a sparse file in an archive, and is not followed", model.Unread)
	}
	return false
}

// sparse reports whether the bytes of a member are not those of the file.
func sparse(h *tar.Header) bool {
	for key := range h.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return h.Typeflag == tar.TypeGNUSparse
}

// keep reads a text out of an archive.
func (c *collector) keep(members *[]member, h *tar.Header, body io.Reader) error {
	m := member{name: h.Name, size: h.Size}
	if h.Size <= model.MaxText && c.held.take(h.Size) == nil {
		data, err := io.ReadAll(io.LimitReader(body, model.MaxText))
		if err != nil {
			return fmt.Errorf("reading %.200q in the archive: %w", h.Name, err)
		}
		m.data = data
	}
	*members = append(*members, m)
	return nil
}

// take puts members into the snapshot.
func (c *collector) take(members []member) {
	for _, m := range members {
		switch {
		case m.at != nil:
			c.add(m.name, m.size, digest{}, m.at)
		case m.data != nil || m.size == 0:
			c.add(m.name, m.size, sumDigest(m.data), memory(m.data))
		case weightFile(m.name):
			c.list(m.name, m.size, "")
			c.gap(m.name, "it is in a compressed archive, of which no header is read", model.Unread)
		default:
			c.list(m.name, m.size, "")
			c.gap(m.name, fmt.Sprintf("it has %d bytes; %d of a text, and %d in all, are read",
				m.size, model.MaxText, maxHeld), model.Unread)
		}
	}
}

// capped fails once more came than it allows, or than is left for all.
type capped struct {
	r    io.Reader
	left int64
	all  *budget
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errBomb
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= int64(n)
	if over := c.all.take(int64(n)); over != nil {
		return 0, over
	}
	return n, err
}
