package oci

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/registry"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// remote is one repository of a registry. It implements store.
type remote struct {
	target target
	base   string // https://host/v2/repository/
	client *auth.Client
	guard  *guard
	budget *budget // of ranges, for all files of the snapshot
}

func (o *Opener) remote(t target, scheme model.Scheme) (*remote, error) {
	if o.opts.Client == nil {
		return nil, errors.New("no HTTP client was given")
	}
	if scheme == model.SchemeOllama && t.registry == ollamaRegistry && o.opts.OllamaRegistry != "" {
		t.registry = o.opts.OllamaRegistry
		if err := t.validate(); err != nil {
			return nil, err
		}
	}
	origin := &url.URL{Scheme: "https", Host: t.registry}
	if o.opts.PlainHTTP != nil && o.opts.PlainHTTP(t.registry) {
		if !loopback(t.registry) {
			return nil, fmt.Errorf("%s is to be asked over http; only this machine may be", t.registry)
		}
		origin.Scheme = "http"
	}
	client := *o.opts.Client
	g := &guard{origin: origin, trusted: o.opts.TokenHost, next: client.Transport}
	if g.next == nil {
		g.next = http.DefaultTransport
	}
	client.Transport = g
	login := &auth.Client{
		Client: &client, Credential: o.credential(t.registry), Cache: auth.NewCache(),
		// oras would resolve the host of a token service by itself. The dialer of package fetch refuses private
		// addresses after it resolved the name, which also holds when the answer changes in between.
		BlockedRealmPrefixes: []netip.Prefix{},
	}
	return &remote{
		target: t,
		base:   origin.String() + "/v2/" + t.repository + "/",
		client: login,
		guard:  g,
		budget: newBudget(maxRanged),
	}, nil
}

// credential answers for one host only, whoever asks.
func (o *Opener) credential(host string) auth.CredentialFunc {
	return func(ctx context.Context, asked string) (auth.Credential, error) {
		if asked != host || o.opts.Credential == nil {
			return auth.EmptyCredential, nil
		}
		c, err := o.opts.Credential(ctx, host)
		if err != nil {
			return auth.EmptyCredential, fmt.Errorf("reading the credential for %s: %w", host, err)
		}
		return auth.Credential{
			Username: c.Username, Password: c.Password, RefreshToken: c.IdentityToken, AccessToken: c.RegistryToken,
		}, nil
	}
}

var manifestTypes = strings.Join([]string{
	"application/vnd.oci.image.manifest.v1+json",
	"application/vnd.oci.image.index.v1+json",
	"application/vnd.docker.distribution.manifest.v2+json",
	"application/vnd.docker.distribution.manifest.list.v2+json",
	"application/vnd.ollama.manifest.list.v2+json",
}, ", ")

func (r *remote) manifest(ctx context.Context, reference string) ([]byte, error) {
	resp, err := r.get(ctx, "manifests/"+reference, http.Header{"Accept": {manifestTypes}})
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(io.LimitReader(resp.Body, maxManifest+1))
	if err != nil {
		return nil, r.fail("reading the manifest", err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("the manifest at %s has more than %d bytes: %w",
			r.target.registry, maxManifest, source.ErrMalformed)
	}
	for _, want := range []string{reference, resp.Header.Get("Docker-Content-Digest")} {
		if strings.HasPrefix(want, "sha256:") && want != sumDigest(data).String() {
			return nil, fmt.Errorf("the manifest at %s is not the one its digest names: %w",
				r.target.registry, source.ErrMalformed)
		}
	}
	return data, nil
}

func (r *remote) blobs(ctx context.Context) blobs { return remoteBlobs{ctx: ctx, remote: r} }

// get asks for a path of the repository and returns an answer with status 200 or 206.
func (r *remote) get(ctx context.Context, path string, header http.Header) (*http.Response, error) {
	ref := registry.Reference{Registry: r.target.registry, Repository: r.target.repository}
	ctx = auth.AppendRepositoryScope(ctx, ref, auth.ActionPull)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.base+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header = header
	// Digests and ranges are those of the bytes as they are kept, not of a packed form made on the way.
	req.Header.Set("Accept-Encoding", "identity")
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, r.fail("asking for "+path, err)
	}
	if resp.StatusCode == http.StatusOK || resp.StatusCode == http.StatusPartialContent {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, r.refused(path, resp.StatusCode, errorCode(resp.Body))
}

// fail classifies an error that came instead of an answer. The address is left out of it: behind a redirect it is a
// signed one.
func (r *remote) fail(doing string, err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	var class error
	switch answer, ok := errors.AsType[*errcode.ErrorResponse](err); {
	case ok:
		// The token service of the registry answered.
		return r.refused("a token", answer.StatusCode, "")
	case errors.Is(err, source.ErrOffline), errors.Is(err, source.ErrForbidden), errors.Is(err, source.ErrUnreachable),
		errors.Is(err, source.ErrMalformed), errors.Is(err, source.ErrNotFound), errors.Is(err, context.Canceled):
		return fmt.Errorf("%s at %s: %w", doing, r.target.registry, err)
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		class = source.ErrForbidden
	default:
		class = source.ErrUnreachable
	}
	return fmt.Errorf("%s at %s: %w: %w", doing, r.target.registry, class, err)
}

func (r *remote) refused(path string, status int, code string) error {
	said := fmt.Sprintf("status %d", status)
	if code != "" {
		said += " " + code
	}
	if host := r.guard.withheld.Load(); host != nil {
		said += "; its token service is at " + *host + ", which the credential was not sent to"
	}
	return fmt.Errorf("%s does not give %s (%s): %w", r.target.registry, path, said, classify(status, code))
}

// classify follows the error codes of the distribution specification, and the status where there is none.
func classify(status int, code string) error {
	switch code {
	case errcode.ErrorCodeManifestUnknown, errcode.ErrorCodeNameUnknown, errcode.ErrorCodeNameInvalid,
		errcode.ErrorCodeBlobUnknown, errcode.ErrorCodeManifestBlobUnknown:
		return source.ErrNotFound
	case errcode.ErrorCodeDenied, errcode.ErrorCodeUnauthorized:
		return source.ErrForbidden
	case "TOOMANYREQUESTS":
		return source.ErrUnreachable
	}
	switch {
	case status == http.StatusNotFound, status == http.StatusGone:
		return source.ErrNotFound
	case status == http.StatusUnauthorized, status == http.StatusForbidden,
		status == http.StatusUnavailableForLegalReasons:
		return source.ErrForbidden
	case status == http.StatusTooManyRequests, status == http.StatusRequestTimeout, status >= 500:
		return source.ErrUnreachable
	}
	return source.ErrMalformed
}

var codeForm = regexp.MustCompile(`^[A-Z_]{1,40}$`)

// errorCode reads the first code of an error answer. The message beside it is dropped: servers repeat headers in it.
func errorCode(body io.Reader) string {
	data, err := io.ReadAll(io.LimitReader(body, 4<<10))
	if err != nil {
		return ""
	}
	var answer struct {
		Errors []struct {
			Code string `json:"code"`
		} `json:"errors"`
	}
	if json.Unmarshal(data, &answer) != nil || len(answer.Errors) == 0 || !codeForm.MatchString(answer.Errors[0].Code) {
		return ""
	}
	return answer.Errors[0].Code
}
