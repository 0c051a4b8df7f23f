// Package source says how a model's files are reached, and holds only types: the packages below it (local, hub, oci)
// do the work, and cli puts them together in a Mux.
package source

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/llmcheck/llmcheck/internal/model"
)

// Snapshot is a model's files at one immutable revision. Files of FS that hold weights also satisfy io.ReaderAt, so
// that a header is read without the rest.
type Snapshot struct {
	Ref      model.Ref
	Revision string // commit or digest; "" only for a folder or file without one
	FS       fs.FS
	Claims   []model.Claim  // what the origin says beside the files: hub tags, registry annotations
	Files    []model.File   // what the origin lists, with published sizes and digests
	Parents  []model.Parent // base models that the origin names beside the files
	Gaps     []model.Gap    // what the origin did not give
	// Failed tells, once the files were read, which of them the origin did not give and of what kind the failure was;
	// fs.FS has no word for it. It may be nil.
	Failed func() []model.Gap
	Close  func() error // may be nil
}

// Opener finds a model. The errors it returns are or wrap the named ones below where they apply.
type Opener interface {
	Open(ctx context.Context, ref model.Ref) (*Snapshot, error)
}

// The ways in which a source does not answer.
var (
	// ErrNotFound means that the source answered and has no such model, file or revision.
	ErrNotFound = errors.New("not found")
	// ErrForbidden means that the source wants a token or an accepted license.
	ErrForbidden = errors.New("access is restricted")
	// ErrUnreachable means that the source did not answer: network, time-out, rate limit, server fault.
	ErrUnreachable = model.ErrUnreachable
	// ErrOffline means that we were told not to ask.
	ErrOffline = errors.New("offline")
	// ErrMalformed means that the source answered with something that is not what it should be.
	ErrMalformed = errors.New("answer is malformed")
)

// Mux chooses the opener by the scheme of a reference.
type Mux map[model.Scheme]Opener

// Open implements Opener.
func (m Mux) Open(ctx context.Context, ref model.Ref) (*Snapshot, error) {
	o, ok := m[ref.Scheme]
	if !ok {
		return nil, fmt.Errorf("opening %s: no source reads references of the kind %q", ref, ref.Scheme)
	}
	return o.Open(ctx, ref)
}
