package oci

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"

	"github.com/llmcheck/llmcheck/internal/source"
)

// guard is the last one to see a request. Credentials pass to the origin of the registry, and over https to a token
// service that the user trusts; from any other request they are removed, so that a challenge or a redirect which names
// a foreign host gets an anonymous request (CVE-2026-48978, CVE-2025-51471).
type guard struct {
	origin   *url.URL
	trusted  func(registry, host string) bool
	next     http.RoundTripper
	withheld atomic.Pointer[string] // the host that did not get the credential
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme != "https" && !(req.URL.Scheme == "http" && g.origin.Scheme == "http" && loopback(req.URL.Host)) {
		return nil, fmt.Errorf("%s sends us on to %s over %s, which is not followed: %w",
			g.origin.Host, req.URL.Host, req.URL.Scheme, source.ErrMalformed)
	}
	if g.known(req.URL) {
		return g.next.RoundTrip(req)
	}
	if req.Body != nil && req.Body != http.NoBody {
		// The body of a request to a token service is a password or a token.
		return nil, fmt.Errorf("%s asks for the credential to be sent to %s; trust that host first: %w",
			g.origin.Host, req.URL.Host, source.ErrForbidden)
	}
	if req.Header.Get("Authorization") != "" {
		g.withheld.Store(new(req.URL.Host))
	}
	req = req.Clone(req.Context())
	req.Header.Del("Authorization")
	req.Header.Del("Cookie")
	return g.next.RoundTrip(req)
}

func (g *guard) known(u *url.URL) bool {
	if u.Scheme == g.origin.Scheme && strings.EqualFold(hostPort(u), hostPort(g.origin)) {
		return true
	}
	if u.Scheme != "https" {
		return false
	}
	// Docker Hub, which everybody who logs in to docker.io means.
	if g.origin.Host == "registry-1.docker.io" && hostPort(u) == "auth.docker.io:443" {
		return true
	}
	return g.trusted != nil && g.trusted(g.origin.Host, u.Host)
}

func hostPort(u *url.URL) string {
	if u.Port() != "" {
		return u.Host
	}
	if u.Scheme == "http" {
		return u.Host + ":80"
	}
	return u.Host + ":443"
}
