package fetch

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/llmcheck/llmcheck/internal/source"
)

// Error is an answer that is none. Its text has no secrets and keeps nothing of the error it came from but its kind, so
// that nobody can print what was taken out.
type Error struct {
	Kind       error  // one of source's named errors
	Text       string // what we asked, of whom, and why there is no answer
	Host       string // that answered, or did not
	Status     int    // of the last answer; 0 if there was none
	Code       string // X-Error-Code, the hub's name for the fault
	Message    string // X-Error-Message or the start of a body that is not a page, without secrets
	HTML       bool   // the body is a page for people: a portal or a firewall answered
	RetryAfter time.Duration
	Permanent  bool // asking again would not help
}

// Error implements error.
func (e *Error) Error() string { return e.Text }

// Unwrap gives the named error.
func (e *Error) Unwrap() error { return e.Kind }

var (
	// ErrTooLarge means that a body is longer than the caller can use.
	ErrTooLarge = errors.New("body is too large")
	// ErrStalled means that the server sent nothing for too long, or took too long in all.
	ErrStalled = errors.New("server is too slow")
	// ErrRefused means that our own rules forbid the request: a private address, a step down from https, too many hops.
	ErrRefused = errors.New("request is not allowed")
)

// place names an address for an error text: without query, user and fragment, which may hold secrets.
func place(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// failed wraps an error of the network.
func (c *Client) failed(u *url.URL, err error) *Error {
	if e, ok := errors.AsType[*Error](err); ok {
		return e
	}
	e := &Error{Kind: source.ErrUnreachable, Host: u.Host, Permanent: isPermanent(err)}
	switch {
	case errors.Is(err, source.ErrOffline):
		e.Kind = source.ErrOffline
	case errors.Is(err, ErrTooLarge):
		e.Kind = errors.Join(source.ErrMalformed, ErrTooLarge)
	case errors.Is(err, ErrRefused):
		e.Kind = errors.Join(source.ErrUnreachable, ErrRefused)
	case errors.Is(err, errRange):
		e.Kind = source.ErrMalformed
	case errors.Is(err, context.Canceled):
		e.Kind = errors.Join(source.ErrUnreachable, context.Canceled)
	case errors.Is(err, context.DeadlineExceeded) && !isNetwork(err):
		e.Kind = errors.Join(source.ErrUnreachable, context.DeadlineExceeded)
	case errors.Is(err, ErrStalled):
		e.Kind = errors.Join(source.ErrUnreachable, ErrStalled)
	}
	e.Text = c.redactor.Clean(fmt.Sprintf("asking %s: %s", place(u), reason(err)))
	return e
}

// reason leaves out what place says already.
func reason(err error) string {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err
	}
	return err.Error()
}

// isPermanent reports whether the same request would fail the same way.
func isPermanent(err error) bool {
	if dns, ok := errors.AsType[*net.DNSError](err); ok {
		return dns.IsNotFound
	}
	if p, ok := errors.AsType[*proxyError](err); ok {
		return !retryStatus(p.status)
	}
	for _, e := range []error{source.ErrOffline, ErrRefused, ErrTooLarge, errRange} {
		if errors.Is(err, e) {
			return true
		}
	}
	return isCertificateFault(err)
}

// isNetwork tells a time-out of the network, which calls itself a passed deadline too, from the end of the caller's patience.
func isNetwork(err error) bool {
	_, ok := errors.AsType[*net.OpError](err)
	return ok
}

func isCertificateFault(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok
}

// answered makes an error of an answer whose status is not the one wanted.
func (c *Client) answered(u *url.URL, resp *http.Response, body []byte, proxy *url.URL) *Error {
	e := &Error{
		Kind: kindOf(resp.StatusCode), Host: u.Host, Status: resp.StatusCode, HTML: isPage(resp.Header, body),
		Code:      c.foreign(resp.Header.Get("X-Error-Code")),
		Permanent: !retryStatus(resp.StatusCode),
	}
	e.Message = c.foreign(resp.Header.Get("X-Error-Message"))
	if e.Message == "" && !e.HTML {
		e.Message = c.foreign(string(body))
	}
	if d, ok := waitAsked(resp.Header, c.opts.Now()); ok && !e.Permanent {
		e.RetryAfter = d
	}
	e.Text = c.answerText(e, u, proxy)
	return e
}

func (c *Client) answerText(e *Error, u, proxy *url.URL) string {
	t := fmt.Sprintf("asking %s: status %d", place(u), e.Status)
	if text := http.StatusText(e.Status); text != "" {
		t += " (" + text + ")"
	}
	if e.Status == http.StatusProxyAuthRequired && proxy != nil {
		t += " from proxy " + proxyName(proxy)
	}
	if e.Code != "" {
		t += ", " + e.Code
	}
	if e.Message != "" && e.Message != http.StatusText(e.Status) {
		t += ": " + e.Message
	}
	if e.HTML {
		t += ": a page for people came back, from a portal, a firewall or a proxy perhaps"
	}
	return c.redactor.Clean(t)
}

// maxForeign is how much of a stranger's sentence goes into ours, in bytes.
const maxForeign = 300

// foreign shortens a stranger's text to one line without secrets.
func (c *Client) foreign(s string) string {
	s = strings.Join(strings.Fields(strings.ToValidUTF8(s[:min(len(s), MaxError)], "\ufffd")), " ")
	s = c.redactor.Clean(s)
	if len(s) > maxForeign {
		s = strings.ToValidUTF8(s[:maxForeign], "") + "..."
	}
	return s
}

func kindOf(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden, http.StatusUnavailableForLegalReasons:
		return source.ErrForbidden
	case http.StatusNotFound, http.StatusGone:
		return source.ErrNotFound
	case http.StatusRequestedRangeNotSatisfiable:
		return source.ErrMalformed
	}
	if status < 400 {
		return source.ErrMalformed
	}
	return source.ErrUnreachable
}

// isPage reports whether an answer is a web page.
func isPage(h http.Header, body []byte) bool {
	if strings.Contains(strings.ToLower(h.Get("Content-Type")), "html") {
		return true
	}
	start := strings.ToLower(strings.TrimSpace(string(body[:min(len(body), 256)])))
	return strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}
