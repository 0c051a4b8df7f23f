// Package fetch is the only place that talks HTTP. It decides who may be asked, who gets the token, how long we wait and
// how much we read, so that no other package has to remember it:
//
//   - The token goes to the endpoint (same scheme, host and port) and to nobody else; never after a hop to another
//     origin, never in clear except to this machine. A download server behind a signed address needs no token.
//   - Addresses of this machine and of private networks are refused after the name was resolved, unless the user named
//     that host.
//   - Every body has a limit, counted after decompression; every wait has an end; a permanent error ends at once.
//   - Every error text passes a redactor that knows all secrets of the run.
//   - Offline means that no connection can be made.
//   - There is no telemetry and no update check: what was not asked for is not sent.
//
// Certificates are those of the system; SSL_CERT_FILE and SSL_CERT_DIR work as in every Go program, and nothing turns
// verification off.
package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// The limits of a run. They are part of the behavior that help and tests describe.
const (
	Tries         = 4                 // of one request
	MaxWait       = 20 * time.Second  // waited for one host in a run, in all
	MaxHops       = 5                 // redirects followed
	Idle          = 10 * time.Second  // without a byte
	TextDeadline  = 30 * time.Second  // for a whole text or listing
	RangeDeadline = 120 * time.Second // for all the parts of one file's header
	MaxError      = 4 << 10           // bytes of an error body that are kept
	MaxIgnored    = 16 << 20          // bytes taken from a server that ignores ranges
)

// Options says how to reach the world. The caller reads the environment: nothing here does.
type Options struct {
	Endpoint  string                                // the origin that gets Token, like https://huggingface.co
	Token     string                                // "" sends none
	Hosts     []string                              // further hosts that the user named; they may be private
	Secrets   []string                              // what must never be printed, beside Token
	Offline   bool                                  // refuse every connection
	CacheDir  string                                // "" keeps nothing
	Proxy     func(*http.Request) (*url.URL, error) // http.ProxyFromEnvironment, or nil for none
	UserAgent string
	Now       func() time.Time                                   // nil is time.Now
	Sleep     func(context.Context, time.Duration) error         // nil waits for real
	AfterFunc func(d time.Duration, f func()) (stop func() bool) // nil is time.AfterFunc
	Progress  func(Event)                                        // called from several goroutines; may be nil
	Transport http.RoundTripper                                  // replaces the network, for tests; nil is the network
	CacheFS   CacheFS                                            // nil is the disk
}

// Event is something a person at the terminal may want to know.
type Event struct {
	Kind EventKind
	Host string
	Text string        // a sentence without secrets; it may hold text of strangers and is made printable by who prints it
	Wait time.Duration // how long we wait, for Waiting
}

// EventKind says what an event is about.
type EventKind string

// The kinds of events.
const (
	Asking  EventKind = "asking"  // a request starts
	Waiting EventKind = "waiting" // the server asked for patience or did not answer
	Noted   EventKind = "noted"   // something did not work that the answer does not depend on, such as the cache
)

// Client asks servers within the rules of the package. Use one for a run: its workers share waits and the cache.
type Client struct {
	opts     Options
	endpoint *url.URL // nil if there is none
	named    map[string]bool
	redactor *Redactor
	network  http.RoundTripper
	hosts    *hosts
	cache    *Cache
}

// New makes a client. It refuses endpoints and tokens that could not be used safely.
func New(o Options) (*Client, error) {
	o = withDefaults(o)
	c := &Client{opts: o, named: map[string]bool{}, redactor: NewRedactor(append(o.Secrets, o.Token)...)}
	if err := c.setEndpoint(o.Endpoint); err != nil {
		return nil, err
	}
	if strings.ContainsFunc(o.Token, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errors.New("reading the access token: it contains a blank or a control character")
	}
	for _, h := range o.Hosts {
		c.named[hostOnly(h)] = true
	}
	c.hosts = newHosts(o.Now, o.Sleep)
	c.cache = NewCache(o.CacheDir, o.CacheFS, o.Now, c.redactor, func(s string) { c.tell(Event{Kind: Noted, Text: s}) })
	c.network = o.Transport
	if c.network == nil {
		c.network = c.newTransport()
	}
	return c, nil
}

func withDefaults(o Options) Options {
	if o.Now == nil {
		o.Now = time.Now //nolint:forbidigo // the default of a client that is used without App
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.AfterFunc == nil {
		o.AfterFunc = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	if o.UserAgent == "" {
		o.UserAgent = "llmcheck"
	}
	return o
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

func (c *Client) setEndpoint(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Hostname() == "" {
		return fmt.Errorf("reading the endpoint %q: it is not an address like https://huggingface.co",
			c.redactor.Clean(s))
	}
	if u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return fmt.Errorf("reading the endpoint %q: it must not carry a user, a password or a query", u.Host)
	}
	u.Path = strings.TrimRight(u.Path, "/")
	u.RawPath = ""
	c.endpoint = u
	c.named[hostOnly(u.Host)] = true
	return nil
}

// newTransport is the one connection to the network.
func (c *Client) newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  proxyOf,
		DialContext:            c.dial,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:      true,
		MaxIdleConns:           32,
		MaxIdleConnsPerHost:    8,
		IdleConnTimeout:        30 * time.Second,
		TLSHandshakeTimeout:    Idle,
		MaxResponseHeaderBytes: 256 << 10,
		OnProxyConnectResponse: refusedByProxy,
	}
}

// Offline reports whether no connection may be made.
func (c *Client) Offline() bool { return c.opts.Offline }

// Endpoint is the address of the endpoint without a slash at its end, "" if there is none.
func (c *Client) Endpoint() string {
	if c.endpoint == nil {
		return ""
	}
	return c.endpoint.String()
}

// Named reports whether the user named the host of u, in the endpoint or by itself.
func (c *Client) Named(u *url.URL) bool { return c.named[hostOnly(u.Host)] }

// TokenState says whether the endpoint gets a token.
func (c *Client) TokenState() TokenState {
	switch {
	case c.opts.Token == "":
		return NoToken
	case c.endpoint == nil || !safeForToken(c.endpoint):
		return TokenWithheld
	}
	return TokenSent
}

// TokenState says what happens to the token.
type TokenState string

// The states of the token.
const (
	NoToken       TokenState = "none"
	TokenSent     TokenState = "sent"
	TokenWithheld TokenState = "withheld" // the endpoint is plain http on another machine
)

// Cache is the client's cache; its methods work when there is none.
func (c *Client) Cache() *Cache { return c.cache }

// Redact hides the secrets of the run in s.
func (c *Client) Redact(s string) string { return c.redactor.Clean(s) }

// Now is the clock of the run.
func (c *Client) Now() time.Time { return c.opts.Now() }

func (c *Client) tell(e Event) {
	if c.opts.Progress == nil {
		return
	}
	e.Text = c.redactor.Clean(e.Text)
	c.opts.Progress(e)
}

// CloseIdle gives connections back.
func (c *Client) CloseIdle() {
	if t, ok := c.network.(interface{ CloseIdleConnections() }); ok {
		t.CloseIdleConnections()
	}
}
