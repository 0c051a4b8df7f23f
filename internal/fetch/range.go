package fetch

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// errRange is a server that does not answer with the part that was asked for.
var errRange = errors.New("server does not keep to the range")

// Span is a part of a file.
type Span struct{ Off, Len int64 }

func (s Span) header() string { return fmt.Sprintf("bytes=%d-%d", s.Off, s.Off+s.Len-1) }

// ContentRange is what a 206 answer says it holds.
type ContentRange struct {
	First, Last int64
	Total       int64 // -1 if the server does not know
}

// String writes the range as in the header.
func (r ContentRange) String() string {
	if r.Total < 0 {
		return fmt.Sprintf("bytes %d-%d/*", r.First, r.Last)
	}
	return fmt.Sprintf("bytes %d-%d/%d", r.First, r.Last, r.Total)
}

// ParseContentRange reads the header Content-Range of a 206 answer.
func ParseContentRange(s string) (ContentRange, error) {
	bad := fmt.Errorf("%w: Content-Range %q is not understood", errRange, s[:min(len(s), 80)])
	rest, ok := strings.CutPrefix(s, "bytes ")
	span, total, ok2 := strings.Cut(rest, "/")
	first, last, ok3 := strings.Cut(span, "-")
	if !ok || !ok2 || !ok3 {
		return ContentRange{}, bad
	}
	r := ContentRange{Total: -1}
	var err1, err2, err3 error
	r.First, err1 = decimal(first)
	r.Last, err2 = decimal(last)
	if total != "*" {
		r.Total, err3 = decimal(total)
	}
	if errors.Join(err1, err2, err3) != nil || r.First > r.Last || (r.Total >= 0 && r.Last >= r.Total) {
		return ContentRange{}, bad
	}
	return r, nil
}

func decimal(s string) (int64, error) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, strconv.ErrSyntax
	}
	return strconv.ParseInt(s, 10, 64)
}

// answers checks that a part is the one asked for; only the end of the file may cut it short.
func (r ContentRange) answers(s Span) error {
	end := s.Off + s.Len - 1
	if r.Total >= 0 {
		end = min(end, r.Total-1)
	}
	if r.First != s.Off || r.Last > end || (r.Total >= 0 && r.Last != end) {
		return fmt.Errorf("%w: asked for %s, got %s", errRange, s.header(), r)
	}
	return nil
}
