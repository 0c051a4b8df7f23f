// Package oci opens models that are kept in registries: Ollama's, and the artifacts of CNCF ModelPack, KitOps and
// Docker Model Runner in any OCI registry. For an `ollama:` reference Ollama's own store on this machine is read first.
//
// A registry gives a manifest, which lists a configuration and layers by digest. The Snapshot shows layers as files
// under checked names. Texts are read whole and compared with their digest; weights are read by ranges, a header and
// never more; archives are streamed, members matched by name, and nothing is ever extracted.
//
// The rule for faults: the manifest must be right, or Open fails. Whatever below it cannot be read, configuration
// included, is a gap with a name. Parts read by range cannot be compared with the digest of the whole; for them the
// transport vouches.
//
// oras-go does what is easily done wrong: challenges, token services, scopes, and dropping credentials on a redirect.
// Requests are our own, because oras reads no ranges, wants a Content-Length, and takes no upper-case repositories,
// which Ollama names for the Hugging Face hub have. On top of oras a guard refuses to hand a credential to any host but
// the registry's (CVE-2026-48978). Making the http.Client, dialing, retrying and time-outs are left to package fetch.
//
// Manifests: https://github.com/opencontainers/image-spec (manifest.md, image-index.md); protocol:
// https://github.com/opencontainers/distribution-spec (spec.md).
package oci

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// Options are what an Opener takes from the world.
type Options struct {
	// Client sends the requests; package fetch makes it. It is not needed when Offline is set.
	Client *http.Client
	// Credential tells who we are to a registry (host or host:port). It is asked only for the host of the reference
	// and may be nil.
	Credential func(ctx context.Context, host string) (Credential, error)
	// TokenHost reports whether the user trusts a token service on another host with the credential of a registry.
	// It may be nil: Docker Hub's own pair is known, everybody else gets anonymous requests.
	TokenHost func(registry, host string) bool
	// Offline forbids all requests.
	Offline bool
	// PlainHTTP reports whether a host speaks http. Only loopback hosts may; nil means none.
	PlainHTTP func(host string) bool
	// OllamaRegistry is the host that stands in for registry.ollama.ai; "" is that host itself.
	OllamaRegistry string
	// OllamaModels is Ollama's store on disk, the folder with manifests and blobs; nil if there is none. It should
	// not follow links out of that folder, as os.Root's file system does.
	OllamaModels fs.FS
}

// Credential is what a registry knows us by, in the words of Docker's config.json. The zero value is anonymous.
type Credential struct {
	Username      string
	Password      string
	IdentityToken string // traded for a token at the token service
	RegistryToken string // sent to the registry as it is
}

// Opener opens `ollama:` and `oci:` references. It implements source.Opener.
type Opener struct{ opts Options }

// New returns an Opener.
func New(o Options) *Opener { return &Opener{opts: o} }

// Open implements source.Opener. Reads of the Snapshot's files end when ctx does or when it is closed.
func (o *Opener) Open(ctx context.Context, ref model.Ref) (*source.Snapshot, error) {
	s, err := o.open(ctx, ref)
	if err != nil {
		return nil, fmt.Errorf("opening %s: %w", ref, err)
	}
	return s, nil
}

func (o *Opener) open(ctx context.Context, ref model.Ref) (*source.Snapshot, error) {
	t, err := parseTarget(ref)
	if err != nil {
		return nil, err
	}
	if ref.Scheme == model.SchemeOllama && o.opts.OllamaModels != nil {
		s, err := snapshot(ctx, ref, t.reference, &diskStore{fsys: o.opts.OllamaModels, target: t})
		if !errors.Is(err, source.ErrNotFound) {
			return s, err
		}
	}
	if o.opts.Offline {
		return nil, fmt.Errorf("asking %s: %w", t.registry, source.ErrOffline)
	}
	r, err := o.remote(t, ref.Scheme)
	if err != nil {
		return nil, err
	}
	return snapshot(ctx, ref, t.reference, r)
}

// store is a place with manifests and blobs: a registry, or Ollama's folder.
type store interface {
	// manifest returns the bytes behind a tag or digest.
	manifest(ctx context.Context, reference string) ([]byte, error)
	// blobs returns access to the blobs, bound to ctx.
	blobs(ctx context.Context) blobs
}
