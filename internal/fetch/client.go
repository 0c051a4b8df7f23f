package fetch

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/llmcheck/llmcheck/internal/source"
)

// HTTPClient is an http.Client for libraries that bring their own protocol, such as one for OCI registries. It keeps the
// rules of the package (addresses, redirects, waits, tries, silence, offline) but never adds the token: such a library
// sends its own credentials, which a redirect to another origin takes away.
func (c *Client) HTTPClient() *http.Client {
	return &http.Client{Transport: (*polite)(c), CheckRedirect: c.checkRedirect}
}

func (c *Client) checkRedirect(req *http.Request, via []*http.Request) error {
	if len(via) > MaxHops {
		return fmt.Errorf("%w: more than %d redirects", ErrRefused, MaxHops)
	}
	if err := c.checkHop(via[len(via)-1].URL, req.URL); err != nil {
		return err
	}
	for _, v := range via {
		if origin(v.URL) != origin(req.URL) {
			for _, k := range []string{"Authorization", "Cookie", "Proxy-Authorization", "Www-Authenticate"} {
				req.Header.Del(k)
			}
		}
	}
	req.Header.Del("Referer")
	return nil
}

// polite is a Client as http.RoundTripper.
type polite Client

// RoundTrip implements http.RoundTripper. Only requests without a body are tried again.
func (p *polite) RoundTrip(req *http.Request) (*http.Response, error) {
	c := (*Client)(p)
	if c.opts.Offline {
		return nil, c.failed(req.URL, source.ErrOffline)
	}
	if err := c.checkAddress(req.URL); err != nil {
		return nil, c.failed(req.URL, err)
	}
	var out *http.Response
	err := c.retry(req.Context(), req.URL, func() *failure {
		resp, f := c.politeTry(req) //nolint:bodyclose // the last answer is returned, all others are discarded
		discard(out)
		out = resp
		return f
	})
	if e, ok := errors.AsType[*Error](err); ok && e.Status != 0 && out != nil {
		return out, nil // the library reads statuses by itself
	}
	if err != nil {
		discard(out)
		return nil, err
	}
	return out, nil
}

// politeTry sends the request once. A status that asks for another try is both: a failure, and the answer if it is the
// last one.
func (c *Client) politeTry(req *http.Request) (*http.Response, *failure) {
	u := req.URL
	if err := c.hosts.ready(req.Context(), u.Host); err != nil {
		return nil, &failure{u.Host, c.failed(u, err)}
	}
	req, proxy, err := c.withProxy(req.Clone(req.Context()))
	if err != nil {
		return nil, &failure{u.Host, c.failed(u, err)}
	}
	if req.Header.Get("User-Agent") == "" {
		req.Header.Set("User-Agent", c.opts.UserAgent)
	}
	resp, err := c.once(req, RangeDeadline)
	if err != nil {
		return nil, c.politeFailure(req, proxy, err)
	}
	c.hosts.answered(u.Host)
	if !retryStatus(resp.StatusCode) || !repeatable(req) {
		return resp, nil
	}
	return resp, &failure{u.Host, c.answered(u, resp, nil, proxy)}
}

func (c *Client) politeFailure(req *http.Request, proxy *url.URL, err error) *failure {
	e := c.failedVia(req.URL, proxy, err)
	e.Permanent = e.Permanent || !repeatable(req)
	return &failure{req.URL.Host, e}
}

func repeatable(req *http.Request) bool {
	return (req.Method == http.MethodGet || req.Method == http.MethodHead) && req.Body == nil
}
