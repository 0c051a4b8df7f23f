package fetch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/llmcheck/llmcheck/internal/source"
)

// Request is one thing to read.
type Request struct {
	URL      string
	Accept   string        // media type; "" is any
	Limit    int64         // most bytes of a whole body, after decompression; more is ErrTooLarge
	Span     *Span         // the part wanted; nil is the whole
	Deadline time.Duration // for the whole try; 0 is TextDeadline
	Quiet    bool          // no Asking event: one of many parts
}

// Response is what came back, read to its end.
type Response struct {
	Header http.Header // of the answer with the body
	Origin http.Header // what answers of the first address's own origin said on the way, X-Repo-Commit for example
	Body   []byte
	Total  int64    // size of the whole; -1 if not known
	URL    *url.URL // where the body came from
}

// Get reads an address, or a part of it, with all tries, waits and redirects. Its errors are *Error.
func (c *Client) Get(ctx context.Context, r Request) (*Response, error) {
	u, err := c.parse(r.URL)
	if err != nil {
		return nil, err
	}
	if !r.Quiet {
		c.tell(Event{Kind: Asking, Host: u.Host, Text: place(u)})
	}
	var out *Response
	err = c.retry(ctx, u, func() *failure {
		resp, f := c.follow(ctx, u, r)
		out = resp
		return f
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (c *Client) parse(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	if err != nil || u.Hostname() == "" || (u.Scheme != "https" && u.Scheme != "http") || u.User != nil {
		return nil, &Error{
			Kind: errors.Join(source.ErrUnreachable, ErrRefused), Permanent: true,
			Text: c.redactor.Clean(fmt.Sprintf("asking %q: it is not an http address without a user", s)),
		}
	}
	if c.opts.Offline {
		return nil, c.failed(u, source.ErrOffline)
	}
	if err := c.checkAddress(u); err != nil {
		return nil, c.failed(u, err)
	}
	return u, nil
}

// failure is a try that gave no answer, and the host that is to blame.
type failure struct {
	host string
	err  *Error
}

// retry calls try until it gives an answer, fails for good, or patience ends.
func (c *Client) retry(ctx context.Context, u *url.URL, try func() *failure) error {
	for n := 0; ; n++ {
		f := try()
		if f == nil {
			return nil
		}
		if f.err.Permanent {
			return f.err
		}
		if err := ctx.Err(); err != nil {
			return c.failed(u, err)
		}
		if n == Tries-1 {
			c.hosts.lost(f.host, f.err)
			f.err.Text += fmt.Sprintf(" (tried %d times)", Tries)
			return f.err
		}
		if err := c.wait(f, n); err != nil {
			return err
		}
	}
}

// wait postpones the host of a failure; the next try waits for it.
func (c *Client) wait(f *failure, n int) error {
	d := cmp.Or(f.err.RetryAfter, backoff(n))
	if !c.hosts.postpone(f.host, d) {
		c.hosts.lost(f.host, f.err)
		if f.err.RetryAfter > 0 {
			return c.tooLong(f.err, d)
		}
		return f.err
	}
	c.tell(Event{Kind: Waiting, Host: f.host, Text: f.err.Text, Wait: d})
	return nil
}

// follow makes one try: the request and the redirects it meets.
func (c *Client) follow(ctx context.Context, u *url.URL, r Request) (*Response, *failure) {
	start, first := c.opts.Now(), u
	said := http.Header{}
	left := c.endpoint == nil || origin(u) != origin(c.endpoint)
	for hop := 0; ; hop++ {
		budget := cmp.Or(r.Deadline, TextDeadline) - c.opts.Now().Sub(start)
		resp, proxy, f := c.ask(ctx, u, r, left, budget)
		if f != nil {
			return nil, f
		}
		if origin(u) == origin(first) {
			collect(said, resp.Header)
		}
		if !isRedirect(resp.StatusCode) {
			out, f := c.read(u, r, resp, proxy)
			if f == nil {
				out.Origin = said
			}
			return out, f
		}
		discard(resp)
		next, err := c.nextHop(u, resp.Header.Get("Location"))
		if err == nil && hop == MaxHops {
			err = fmt.Errorf("%w: more than %d redirects", ErrRefused, MaxHops)
		}
		if err != nil {
			return nil, &failure{u.Host, c.failed(u, err)}
		}
		u = next
		left = left || origin(u) != origin(c.endpoint)
	}
}

// collect keeps what the hub says of a file before it sends us to its download server.
func collect(said, h http.Header) {
	for _, k := range []string{"X-Repo-Commit", "X-Linked-Size", "X-Linked-Etag"} {
		if v := h.Get(k); v != "" && said.Get(k) == "" {
			said.Set(k, v)
		}
	}
}

// ask sends one request to one address.
func (c *Client) ask(ctx context.Context, u *url.URL, r Request, left bool, budget time.Duration) (
	*http.Response, *url.URL, *failure,
) {
	if err := c.hosts.ready(ctx, u.Host); err != nil {
		return nil, nil, &failure{u.Host, c.failed(u, err)}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, nil, &failure{u.Host, c.failed(u, fmt.Errorf("%w: the address is not usable", ErrRefused))}
	}
	req, proxy, err := c.withProxy(req)
	if err != nil {
		return nil, nil, &failure{u.Host, c.failed(u, err)}
	}
	c.headers(req, r)
	if c.getsToken(u, left, proxy) {
		req.Header.Set("Authorization", "Bearer "+c.opts.Token)
	}
	resp, err := c.once(req, budget)
	if err != nil {
		return nil, nil, &failure{u.Host, c.failedVia(u, proxy, err)}
	}
	c.hosts.answered(u.Host)
	return resp, proxy, nil
}

func (c *Client) failedVia(u, proxy *url.URL, err error) *Error {
	if proxy == nil {
		return c.failed(u, err)
	}
	if _, ok := errors.AsType[*proxyError](err); ok {
		return c.failed(u, err)
	}
	return c.failed(u, fmt.Errorf("through proxy %s: %w", proxyName(proxy), err))
}

func (c *Client) headers(req *http.Request, r Request) {
	req.Header.Set("User-Agent", c.opts.UserAgent)
	if r.Accept != "" {
		req.Header.Set("Accept", r.Accept)
	}
	if r.Span != nil {
		req.Header.Set("Range", r.Span.header())
		req.Header.Set("Accept-Encoding", "identity")
	}
}

// discard ends an answer that nobody reads, if there is one.
func discard(resp *http.Response) {
	if resp == nil {
		return
	}
	_, _ = io.CopyN(io.Discard, resp.Body, MaxError)
	_ = resp.Body.Close()
}

// read takes the body of a last answer.
func (c *Client) read(u *url.URL, r Request, resp *http.Response, proxy *url.URL) (*Response, *failure) {
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		body, _ := io.ReadAll(io.LimitReader(resp.Body, MaxError))
		return nil, &failure{u.Host, c.answered(u, resp, body, proxy)}
	}
	if e := resp.Header.Get("Content-Encoding"); e != "" && !strings.EqualFold(e, "identity") {
		return nil, &failure{u.Host, c.malformed(u, "the body is encoded in a way that nobody asked for")}
	}
	out := &Response{Header: resp.Header, URL: u, Total: resp.ContentLength}
	var err error
	if r.Span == nil {
		err = readWhole(out, r.Limit, resp)
	} else {
		err = readSpan(out, *r.Span, resp)
	}
	if err != nil {
		return nil, &failure{u.Host, c.failed(u, err)}
	}
	return out, nil
}

func (c *Client) malformed(u *url.URL, why string) *Error {
	return &Error{Kind: source.ErrMalformed, Host: u.Host, Permanent: true, Text: c.redactor.Clean("asking " + place(u) + ": " + why)}
}

func readWhole(out *Response, limit int64, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%w: a part came back where the whole was asked for", errRange)
	}
	tooLarge := fmt.Errorf("%w: more than %d bytes", ErrTooLarge, limit)
	if resp.ContentLength > limit {
		return tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return err
	}
	if int64(len(body)) > limit {
		return tooLarge
	}
	out.Body, out.Total = body, int64(len(body))
	return nil
}

func readSpan(out *Response, s Span, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return readIgnored(out, s, resp)
	}
	cr, err := ParseContentRange(resp.Header.Get("Content-Range"))
	if err != nil {
		return err
	}
	if err := cr.answers(s); err != nil {
		return err
	}
	n := cr.Last - cr.First + 1
	body, err := io.ReadAll(io.LimitReader(resp.Body, n+1))
	switch {
	case err != nil:
		return err
	case int64(len(body)) > n:
		return fmt.Errorf("%w: the part is longer than it says", errRange)
	case int64(len(body)) < n:
		return io.ErrUnexpectedEOF
	}
	out.Body, out.Total = body, cr.Total
	return nil
}

// readIgnored reads the part from a server that sends the whole file instead: up to the last byte needed, and only if
// that is near the start.
func readIgnored(out *Response, s Span, resp *http.Response) error {
	switch {
	case isPage(resp.Header, nil):
		return fmt.Errorf("%w: a page for people came back", errRange)
	case s.Off+s.Len > MaxIgnored:
		return fmt.Errorf("%w: the whole file came back, and the part lies beyond its first %d bytes", errRange, MaxIgnored)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, s.Off+s.Len))
	if err != nil {
		return err
	}
	out.Body = body[min(s.Off, int64(len(body))):]
	if int64(len(body)) < s.Off+s.Len {
		out.Total = int64(len(body))
	}
	return nil
}
