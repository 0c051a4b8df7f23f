package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/llmcheck/llmcheck/internal/source"
)

const secret = "hf_abcdefghijklmnopqrstuvwxyz"

// clock is a time that passes only when somebody sleeps.
type clock struct {
	mu    sync.Mutex
	t     time.Time
	slept time.Duration
}

func newClock() *clock { return &clock{t: time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)} }

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
	c.slept += d
	return ctx.Err()
}

func never(time.Duration, func()) func() bool { return func() bool { return true } }

// roundTripper is a network of our own.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func answer(status int, body string, header ...string) *http.Response {
	h := http.Header{}
	for kv := range slices.Chunk(header, 2) {
		h.Set(kv[0], kv[1])
	}
	return &http.Response{StatusCode: status, Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}
}

func newTest(t *testing.T, o Options) (*Client, *clock) {
	t.Helper()
	k := newClock()
	o.Now, o.Sleep = k.now, k.sleep
	if o.AfterFunc == nil {
		o.AfterFunc = never
	}
	c, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c, k
}

func get(c *Client, u string) (*Response, error) {
	return c.Get(context.Background(), Request{URL: u, Limit: 1 << 20})
}

// The token: scheme, host and port must be the endpoint's, on every hop. Contributors ask at times to send it on to the
// download server because a gated download failed there; it is forbidden because that address is signed, needs no token,
// and belongs to somebody else.
func TestTokenStaysAtTheEndpoint(t *testing.T) {
	for _, tt := range []struct {
		name, endpoint string
		path           []string // the addresses asked in turn, each redirecting to the next
		want           []bool   // which of them get the token
		proxy          string
	}{
		{name: "endpoint", endpoint: "https://hub.test", path: []string{"https://hub.test/a"}, want: []bool{true}},
		{
			name: "default port written out", endpoint: "https://hub.test",
			path: []string{"https://hub.test:443/a", "https://HUB.test/b"}, want: []bool{true, true},
		},
		{
			name: "another port of the same host", endpoint: "https://hub.test",
			path: []string{"https://hub.test/a", "https://hub.test:8443/b"}, want: []bool{true, false},
		},
		{
			name: "a sub-domain", endpoint: "https://hub.test",
			path: []string{"https://hub.test/a", "https://cdn.hub.test/b"}, want: []bool{true, false},
		},
		{
			name: "a name that begins with the endpoint's", endpoint: "https://hub.test",
			path: []string{"https://hub.test/a", "https://hub.test.evil.test/b"}, want: []bool{true, false},
		},
		{
			name: "back after a foreign hop", endpoint: "https://hub.test",
			path: []string{"https://hub.test/a", "https://cdn.test/b", "https://hub.test/c"}, want: []bool{true, false, false},
		},
		{
			name: "coming from elsewhere", endpoint: "https://hub.test",
			path: []string{"https://cdn.test/b", "https://hub.test/c"}, want: []bool{false, false},
		},
		{name: "plain http elsewhere", endpoint: "http://hub.test", path: []string{"http://hub.test/a"}, want: []bool{false}},
		{name: "plain http here", endpoint: "http://127.0.0.1:9", path: []string{"http://127.0.0.1:9/a"}, want: []bool{true}},
		{
			name: "plain http here, through a proxy", endpoint: "http://localhost:9", proxy: "http://proxy.test:3128",
			path: []string{"http://localhost:9/a"}, want: []bool{false},
		},
		{name: "no endpoint", path: []string{"https://hub.test/a"}, want: []bool{false}},
		{
			name: "up from http to https", endpoint: "https://hub.test",
			path: []string{"http://hub.test/a", "https://hub.test/b"}, want: []bool{false, false},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var got []bool
			o := Options{Endpoint: tt.endpoint, Token: secret}
			if tt.proxy != "" {
				u, _ := url.Parse(tt.proxy)
				o.Proxy = http.ProxyURL(u)
			}
			o.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
				got = append(got, r.Header.Get("Authorization") == "Bearer "+secret)
				for k, v := range r.Header {
					if k != "Authorization" && strings.Contains(strings.Join(v, " "), secret) {
						t.Errorf("the token is in header %s", k)
					}
				}
				if strings.Contains(r.URL.String(), secret) {
					t.Error("the token is in the address")
				}
				if n := len(got); n < len(tt.path) {
					return answer(302, "", "Location", tt.path[n]), nil
				}
				return answer(200, "ok"), nil
			})
			c, _ := newTest(t, o)
			if _, err := get(c, tt.path[0]); err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, got); d != "" {
				t.Errorf("requests with the token (-want +got):\n%s", d)
			}
		})
	}
}

func TestTokenBetweenTwoServers(t *testing.T) {
	foreign := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k, v := range r.Header {
			if k == "Authorization" || strings.Contains(strings.Join(v, ""), secret) {
				t.Errorf("the second origin got %s: %s", k, v)
			}
		}
		_, _ = io.WriteString(w, "weights")
	}))
	defer foreign.Close()
	hub := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+secret {
			t.Error("the hub got no token")
		}
		http.Redirect(w, r, foreign.URL+"/signed?sig=1", http.StatusFound)
	}))
	defer hub.Close()
	c, _ := newTest(t, Options{Endpoint: hub.URL, Token: secret})
	r, err := get(c, hub.URL+"/x")
	if err != nil || string(r.Body) != "weights" {
		t.Fatalf("got %v, %v", r, err)
	}
	resp, err := c.HTTPClient().Do(mustRequest(t, hub.URL, "Authorization", "Bearer "+secret))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
}

func mustRequest(t *testing.T, u, key, value string) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set(key, value)
	return req
}

func TestRedirectRules(t *testing.T) {
	for _, tt := range []struct{ name, location, want string }{
		{"down to http", "http://hub.test/b", "down to http"},
		{"a file", "file:///etc/passwd", "scheme"},
		{"no address", "", "no usable address"},
		{"not an address", "https://[::1", "no usable address"},
		{"a user", "https://u:p@cdn.test/", "user name"},
		{"this machine", "https://127.0.0.1/", "private network"},
		{"this machine by name", "https://localhost/", "private network"},
		{"this machine in IPv6", "https://[::1]/", "private network"},
		{"this machine as IPv4 in IPv6", "https://[::ffff:127.0.0.1]/", "private network"},
		{"cloud metadata", "https://169.254.169.254/latest/meta-data", "private network"},
		{"unspecified", "https://0.0.0.0/", "private network"},
		{"company network", "https://10.1.2.3/", "private network"},
		{"a zone", "https://[fe80::1%25eth0]/", "private network"},
		{"very long", "https://cdn.test/" + strings.Repeat("a", maxLocation), "no usable address"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			c, k := newTest(t, Options{Endpoint: "https://hub.test", Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				n++
				return answer(307, "", "Location", tt.location), nil
			})})
			_, err := get(c, "https://hub.test/a")
			if !errors.Is(err, ErrRefused) || !errors.Is(err, source.ErrUnreachable) || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want a refusal with %q", err, tt.want)
			}
			if n != 1 || k.slept != 0 {
				t.Errorf("%d requests and %s waited, want one and none: it is for good", n, k.slept)
			}
		})
	}
}

func TestRedirectCount(t *testing.T) {
	for hops, ok := range map[int]bool{0: true, MaxHops: true, MaxHops + 1: false} {
		n := 0
		c, _ := newTest(t, Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			n++
			if n <= hops {
				return answer(301, "", "Location", fmt.Sprintf("/%d", n)), nil
			}
			return answer(200, "ok"), nil
		})})
		if _, err := get(c, "https://hub.test/a"); (err == nil) != ok {
			t.Errorf("%d hops: got %v, want ok %v", hops, err, ok)
		}
	}
}

func TestPublicAddresses(t *testing.T) {
	for s, want := range map[string]bool{
		"127.0.0.1": false, "127.8.8.8": false, "::1": false, "10.0.0.1": false, "172.16.0.1": false, "172.32.0.1": true,
		"192.168.1.1": false, "169.254.169.254": false, "0.0.0.0": false, "0.1.2.3": false, "::": false, "fe80::1": false,
		"fc00::1": false, "fd12::1": false, "ff02::1": false, "224.0.0.1": false, "255.255.255.255": false,
		"100.64.0.1": false, "198.18.0.1": false, "::ffff:10.0.0.1": false, "::ffff:8.8.8.8": true, "64:ff9b::a00:1": false,
		"64:ff9b::808:808": true, "::7f00:1": false, "2002:7f00:1::": false, "fec0::1": false, "8.8.8.8": true,
		"2606:4700::1111": true, "fe80::1%eth0": false, "2606:4700::1111%eth0": false,
	} {
		if got := isPublic(netip.MustParseAddr(s)); got != want {
			t.Errorf("isPublic(%s) = %v, want %v", s, got, want)
		}
	}
}

// The guard sits behind the resolver: a name with a harmless spelling and a private address is refused too.
func TestDialRefusesPrivateAfterResolving(t *testing.T) {
	reached := atomic.Bool{}
	srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { reached.Store(true) }))
	defer srv.Close()
	_, port, _ := net.SplitHostPort(srv.Listener.Addr().String())

	c, _ := newTest(t, Options{Endpoint: "https://hub.test"})
	for _, addr := range []string{"localhost:" + port, "127.0.0.1:" + port, "[::ffff:127.0.0.1]:" + port, "0.0.0.0:" + port} {
		conn, err := c.dial(t.Context(), "tcp", addr)
		if err == nil {
			conn.Close()
			t.Errorf("dialing %s succeeded", addr)
		} else if !errors.Is(err, ErrRefused) {
			t.Errorf("dialing %s: %v, want our refusal", addr, err)
		}
	}
	if reached.Load() {
		t.Error("a request arrived")
	}
	named, _ := newTest(t, Options{Endpoint: "https://hub.test", Hosts: []string{"LOCALHOST:1"}})
	conn, err := named.dial(t.Context(), "tcp", "localhost:"+port)
	if err != nil {
		t.Fatalf("dialing a host that the user named: %v", err)
	}
	conn.Close()
}

func TestOfflineNeverDials(t *testing.T) {
	c, _ := newTest(t, Options{
		Endpoint: "http://127.0.0.1:1", Token: secret, Offline: true,
		Proxy: func(*http.Request) (*url.URL, error) { panic("the proxy was asked for") },
		Transport: roundTripper(func(*http.Request) (*http.Response, error) {
			panic("a request was made")
		}),
	})
	if _, err := get(c, "http://127.0.0.1:1/a"); !errors.Is(err, source.ErrOffline) {
		t.Errorf("Get: %v, want offline", err)
	}
	if _, err := c.HTTPClient().Get("http://127.0.0.1:1/a"); !errors.Is(err, source.ErrOffline) { //nolint:noctx,bodyclose // the shortest call a library makes; it gets no answer
		t.Errorf("HTTPClient: %v, want offline", err)
	}
	if _, err := c.dial(t.Context(), "tcp", "127.0.0.1:1"); !errors.Is(err, source.ErrOffline) {
		t.Errorf("dial: %v, want offline", err)
	}
	if _, err := c.Remote(t.Context(), RemoteFile{URL: "http://127.0.0.1:1/a", Size: -1}).Size(); !errors.Is(err, source.ErrOffline) {
		t.Errorf("Remote: %v, want offline", err)
	}
}

func TestTries(t *testing.T) {
	date := newClock().t.Add(5 * time.Second).Format(http.TimeFormat)
	for _, tt := range []struct {
		name   string
		status int // 0 is a connection that breaks
		header []string
		fails  int // how often before it works
		tries  int
		waited time.Duration
		want   error
	}{
		{name: "works", tries: 1},
		{name: "503 once", status: 503, fails: 1, tries: 2, waited: time.Second},
		{name: "connection breaks thrice", fails: 3, tries: 4, waited: 7 * time.Second},
		{name: "500 for good", status: 500, fails: 99, tries: 4, waited: 7 * time.Second, want: source.ErrUnreachable},
		{name: "502", status: 502, fails: 2, tries: 3, waited: 3 * time.Second},
		{name: "504", status: 504, fails: 1, tries: 2, waited: time.Second},
		{name: "408", status: 408, fails: 1, tries: 2, waited: time.Second},
		{name: "429, seconds", status: 429, header: []string{"Retry-After", "3"}, fails: 2, tries: 3, waited: 6 * time.Second},
		{name: "429, date", status: 429, header: []string{"Retry-After", date}, fails: 1, tries: 2, waited: 5 * time.Second},
		{name: "429, rate limit", status: 429, header: []string{"RateLimit", `"api";r=0;t=4`}, fails: 1, tries: 2, waited: 4 * time.Second},
		{name: "429, no time", status: 429, fails: 1, tries: 2, waited: time.Second},
		{name: "429, an hour", status: 429, header: []string{"Retry-After", "3600"}, fails: 1, tries: 1, want: source.ErrUnreachable},
		{name: "429, over the budget", status: 429, header: []string{"Retry-After", "9"}, fails: 9, tries: 3, waited: 18 * time.Second, want: source.ErrUnreachable},
		{name: "404", status: 404, fails: 9, tries: 1, want: source.ErrNotFound},
		{name: "401", status: 401, fails: 9, tries: 1, want: source.ErrForbidden},
		{name: "403", status: 403, fails: 9, tries: 1, want: source.ErrForbidden},
		{name: "400", status: 400, fails: 9, tries: 1, want: source.ErrUnreachable},
		{name: "416", status: 416, fails: 9, tries: 1, want: source.ErrMalformed},
		{name: "501", status: 501, fails: 9, tries: 1, want: source.ErrUnreachable},
		{name: "204", status: 204, fails: 9, tries: 1, want: source.ErrMalformed},
		{name: "304 nobody asked for", status: 304, fails: 9, tries: 1, want: source.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			n := 0
			c, k := newTest(t, Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
				n++
				switch {
				case n > tt.fails:
					return answer(200, "ok"), nil
				case tt.status == 0:
					return nil, errors.New("connection reset by peer")
				}
				return answer(tt.status, "", tt.header...), nil
			})})
			_, err := get(c, "https://hub.test/a")
			if tt.want == nil && err != nil || tt.want != nil && !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			if n != tt.tries || k.slept != tt.waited {
				t.Errorf("%d tries and %s waited, want %d and %s", n, k.slept, tt.tries, tt.waited)
			}
		})
	}
}

func TestLongWaitIsNamed(t *testing.T) {
	c, _ := newTest(t, Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return answer(429, "", "Retry-After", "3600"), nil
	})})
	_, err := get(c, "https://hub.test/a")
	if err == nil || !strings.Contains(err.Error(), "until 2026-11-24 13:00:00 UTC") {
		t.Errorf("got %v, want the time named", err)
	}
}

func TestPermanentFailuresEndAtOnce(t *testing.T) {
	for name, fault := range map[string]error{
		"no such host": &net.DNSError{Err: "no such host", Name: "hub.test", IsNotFound: true},
		"our refusal":  fmt.Errorf("dial: %w", ErrRefused),
	} {
		n := 0
		c, _ := newTest(t, Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) { n++; return nil, fault })})
		if _, err := get(c, "https://hub.test/a"); !errors.Is(err, source.ErrUnreachable) || n != 1 {
			t.Errorf("%s: %v after %d tries, want unreachable after one", name, err, n)
		}
	}
	srv := quietTLS(http.NotFoundHandler())
	defer srv.Close()
	c, k := newTest(t, Options{Endpoint: srv.URL})
	if _, err := get(c, srv.URL); !errors.Is(err, source.ErrUnreachable) || !strings.Contains(err.Error(), "certificate") || k.slept != 0 {
		t.Errorf("unknown certificate: %v after %s, want unreachable at once", err, k.slept)
	}
}

// quietTLS is a server that does not log the handshakes that we refuse.
func quietTLS(h http.Handler) *httptest.Server {
	srv := httptest.NewUnstartedServer(h)
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	return srv
}

// All workers wait for a host together, and its budget is spent once.
func TestWorkersShareTheWait(t *testing.T) {
	k := newClock()
	h := newHosts(k.now, k.sleep)
	for range 8 {
		if !h.postpone("hub.test", 15*time.Second) {
			t.Fatal("joining a wait was refused")
		}
	}
	if !h.postpone("hub.test", 20*time.Second) {
		t.Error("five seconds more were refused")
	}
	if h.postpone("hub.test", 21*time.Second) {
		t.Error("more than the budget was granted")
	}
	if !h.postpone("other.test", time.Second) {
		t.Error("another host was refused")
	}
	if err := h.ready(t.Context(), "hub.test"); err != nil || k.slept != 20*time.Second {
		t.Errorf("waited %s, %v; want 20 s", k.slept, err)
	}
	if err := h.ready(t.Context(), "hub.test"); err != nil || k.slept != 20*time.Second {
		t.Errorf("a second worker waited again: %s", k.slept)
	}
}

// A host that is down costs the run its budget once; after that its models fail at once.
func TestDeadHostIsAskedLittle(t *testing.T) {
	n := 0
	c, k := newTest(t, Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		n++
		return nil, errors.New("connection refused")
	})})
	for range 100 {
		if _, err := get(c, "https://hub.test/a"); !errors.Is(err, source.ErrUnreachable) {
			t.Fatal(err)
		}
	}
	if k.slept > MaxWait || n > 16 {
		t.Errorf("waited %s with %d requests, want at most %s and 16", k.slept, n, MaxWait)
	}
}

func TestSilence(t *testing.T) {
	for _, tt := range []struct {
		name string
		fire time.Duration
	}{{"no byte", Idle}, {"endless drip", TextDeadline}} {
		t.Run(tt.name, func(t *testing.T) {
			started := make(chan struct{}, Tries)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.WriteString(w, "a")
				_ = http.NewResponseController(w).Flush()
				started <- struct{}{}
				<-r.Context().Done()
			}))
			defer srv.Close()
			after := func(d time.Duration, f func()) func() bool {
				if d != tt.fire {
					return func() bool { return true }
				}
				stop := make(chan struct{})
				go func() {
					select {
					case <-started:
						f()
					case <-stop:
					}
				}()
				return sync.OnceValue(func() bool { close(stop); return true })
			}
			c, _ := newTest(t, Options{Endpoint: srv.URL, AfterFunc: after})
			_, err := get(c, srv.URL)
			if !errors.Is(err, ErrStalled) || !errors.Is(err, source.ErrUnreachable) {
				t.Errorf("got %v, want a stalled server", err)
			}
		})
	}
}

func TestCancel(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	n := 0
	c, _ := newTest(t, Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		n++
		cancel()
		return answer(503, ""), nil
	})})
	_, err := c.Get(ctx, Request{URL: "https://hub.test/a"})
	if !errors.Is(err, context.Canceled) || n != 1 {
		t.Errorf("got %v after %d tries, want the end of patience after one", err, n)
	}
}

func TestLimitAfterDecompression(t *testing.T) {
	var bomb bytes.Buffer
	z := gzip.NewWriter(&bomb)
	_, _ = z.Write(make([]byte, 64<<20))
	z.Close()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(bomb.Bytes())
	}))
	defer srv.Close()
	c, _ := newTest(t, Options{Endpoint: srv.URL})
	if _, err := get(c, srv.URL); !errors.Is(err, ErrTooLarge) || !errors.Is(err, source.ErrMalformed) {
		t.Errorf("got %v, want too large", err)
	}
	if _, err := c.Get(t.Context(), Request{URL: srv.URL, Span: &Span{0, 100}}); !errors.Is(err, source.ErrMalformed) {
		t.Errorf("encoded part: got %v, want malformed", err)
	}
}

func TestCutBodyIsTriedAgain(t *testing.T) {
	n := atomic.Int32{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "10")
		if n.Add(1) == 1 {
			_, _ = io.WriteString(w, "01234")
			return
		}
		_, _ = io.WriteString(w, "0123456789")
	}))
	defer srv.Close()
	c, _ := newTest(t, Options{Endpoint: srv.URL})
	if r, err := get(c, srv.URL); err != nil || string(r.Body) != "0123456789" {
		t.Errorf("got %v, %v; want the whole body from the second try", r, err)
	}
}

func TestSpans(t *testing.T) {
	for _, tt := range []struct {
		name   string
		span   Span
		status int
		header []string
		body   string
		want   string // "" is a refusal
	}{
		{"as asked", Span{2, 3}, 206, []string{"Content-Range", "bytes 2-4/10"}, "234", "234"},
		{"cut by the end", Span{8, 5}, 206, []string{"Content-Range", "bytes 8-9/10"}, "89", "89"},
		{"unknown total", Span{2, 3}, 206, []string{"Content-Range", "bytes 2-4/*"}, "234", "234"},
		{"another start", Span{2, 3}, 206, []string{"Content-Range", "bytes 0-2/10"}, "012", ""},
		{"an earlier start, the right end", Span{2, 3}, 206, []string{"Content-Range", "bytes 1-4/10"}, "1234", ""},
		{"longer", Span{2, 3}, 206, []string{"Content-Range", "bytes 2-9/10"}, "23456789", ""},
		{"shorter than it could be", Span{2, 3}, 206, []string{"Content-Range", "bytes 2-3/10"}, "23", ""},
		{"no range named", Span{2, 3}, 206, nil, "234", ""},
		{"nonsense", Span{2, 3}, 206, []string{"Content-Range", "bytes 4-2/10"}, "234", ""},
		{"several parts", Span{2, 3}, 206, []string{"Content-Type", "multipart/byteranges; boundary=x"}, "--x", ""},
		{"body longer than it says", Span{2, 3}, 206, []string{"Content-Range", "bytes 2-4/10"}, "2345", ""},
		{"range ignored near the start", Span{2, 3}, 200, nil, "0123456789", "234"},
		{"range ignored far out", Span{MaxIgnored, 3}, 200, nil, "0123456789", ""},
		{"a page", Span{2, 3}, 200, []string{"Content-Type", "text/html"}, "<html>", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, _ := newTest(t, Options{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
				if got := r.Header.Get("Range"); got != tt.span.header() {
					t.Errorf("asked for %q", got)
				}
				return answer(tt.status, tt.body, tt.header...), nil
			})})
			r, err := c.Get(t.Context(), Request{URL: "https://hub.test/a", Span: &tt.span})
			if tt.want == "" {
				if !errors.Is(err, source.ErrMalformed) {
					t.Errorf("got %v, want malformed", err)
				}
				return
			}
			if err != nil || string(r.Body) != tt.want {
				t.Errorf("got %v, %v; want %q", r, err, tt.want)
			}
		})
	}
}

// endless counts what is taken of it.
type endless struct{ taken atomic.Int64 }

func (e *endless) Read(p []byte) (int, error) { e.taken.Add(int64(len(p))); return len(p), nil }
func (e *endless) Close() error               { return nil }

func TestIgnoredRangeTakesLittle(t *testing.T) {
	body := &endless{}
	c, _ := newTest(t, Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Header: http.Header{}, Body: body, ContentLength: 40 << 30}, nil
	})})
	r, err := c.Get(t.Context(), Request{URL: "https://hub.test/a", Span: &Span{1 << 20, Block}})
	if err != nil || len(r.Body) != Block || body.taken.Load() > 2<<20+Block {
		t.Errorf("took %d bytes (%v) for a part of %d", body.taken.Load(), err, Block)
	}
	taken := body.taken.Load()
	if _, err := c.Get(t.Context(), Request{URL: "https://hub.test/a", Span: &Span{1 << 30, Block}}); err == nil || body.taken.Load() != taken {
		t.Errorf("took %d bytes (%v) of a file whose part is out of reach", body.taken.Load()-taken, err)
	}
	if _, err := c.Get(t.Context(), Request{URL: "https://hub.test/a", Limit: 1 << 20}); !errors.Is(err, ErrTooLarge) || body.taken.Load() != taken {
		t.Errorf("took %d bytes (%v) of a text that announces 40 GB", body.taken.Load()-taken, err)
	}
}

func TestSecretsAreHidden(t *testing.T) {
	quoted := `{"error":"bad header Authorization: Bearer ` + secret + `"}`
	for name, rt := range map[string]roundTripper{
		"in the message": func(*http.Request) (*http.Response, error) {
			return answer(401, "", "X-Error-Message", "token "+secret+" is not valid"), nil
		},
		"in the body":    func(*http.Request) (*http.Response, error) { return answer(403, quoted), nil },
		"in the code":    func(*http.Request) (*http.Response, error) { return answer(403, "", "X-Error-Code", secret), nil },
		"in the network": func(*http.Request) (*http.Response, error) { return nil, errors.New("bad header " + secret) },
		"in another spelling": func(*http.Request) (*http.Response, error) {
			return answer(500, "Authorization: Basic aGZfYWJjZGVmZ2hpamtsbW5vcHFyc3R1dnd4eXo="), nil
		},
		"in the location": func(*http.Request) (*http.Response, error) {
			return answer(302, "", "Location", "http://evil.test/"+secret), nil
		},
		"in a part": func(*http.Request) (*http.Response, error) { return answer(206, "", "Content-Range", secret), nil },
	} {
		t.Run(name, func(t *testing.T) {
			var events []string
			var mu sync.Mutex
			c, _ := newTest(t, Options{Endpoint: "https://hub.test", Token: secret, Transport: rt, Progress: func(e Event) {
				mu.Lock()
				defer mu.Unlock()
				events = append(events, e.Text)
			}})
			_, err := c.Get(t.Context(), Request{URL: "https://hub.test/a", Span: &Span{0, 1}})
			if err == nil {
				t.Fatal("no error")
			}
			var all []string
			for e := err; e != nil; e = errors.Unwrap(e) {
				all = append(all, e.Error(), fmt.Sprintf("%+v", e))
			}
			for _, s := range append(all, events...) {
				if strings.Contains(s, secret) || strings.Contains(s, "aGZfYWJj") {
					t.Errorf("the token is shown: %s", s)
				}
			}
		})
	}
}

func TestRedactor(t *testing.T) {
	r := NewRedactor("s3cret/pw", "abc")
	for in, want := range map[string]string{
		"x s3cret/pw y":             "x [hidden] y",
		"x s3cret%2Fpw y":           "x [hidden] y",
		"abc":                       "abc",
		"token hf_0123456789abcdef": "token [hidden]",
		"https://u:p@proxy.test/x":  "https://proxy.test/x",
		"https://cdn.test/a?X-Amz-Signature=0f&b=1&token=x": "https://cdn.test/a?X-Amz-Signature=[hidden]&b=1&token=[hidden]",
		"Authorization: Bearer eyJhbGciOi.x-y_z":            "Authorization: Bearer [hidden]",
		"org/name@main":                                     "org/name@main",
	} {
		if got := r.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestProxy(t *testing.T) {
	var asked atomic.Int32
	status := atomic.Int32{}
	status.Store(200)
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.WriteHeader(int(status.Load()))
		if status.Load() == 407 {
			_, _ = io.WriteString(w, "bad password pr0xypass, "+r.Header.Get("Proxy-Authorization"))
			return
		}
		if r.Method != http.MethodConnect {
			_, _ = io.WriteString(w, "through "+r.URL.String())
		}
	}))
	defer proxy.Close()
	u, _ := url.Parse(proxy.URL)
	u.User = url.UserPassword("me", "pr0xypass")
	c, k := newTest(t, Options{Endpoint: "https://hub.test", Proxy: http.ProxyURL(u)})

	if r, err := get(c, "http://models.test/x"); err != nil || string(r.Body) != "through http://models.test/x" {
		t.Errorf("got %v, %v; want an answer through the proxy, which may be on this machine", r, err)
	}
	if _, err := get(c, "http://10.0.0.1/x"); !errors.Is(err, ErrRefused) {
		t.Errorf("a private address through the proxy: %v, want a refusal", err)
	}
	status.Store(407)
	for _, target := range []string{"https://hub.test/x", "http://models.test/x"} {
		asked.Store(0)
		_, err := get(c, target)
		if err == nil || !strings.Contains(err.Error(), proxy.URL) || asked.Load() != 1 || k.slept != 0 {
			t.Errorf("%s: %v after %d tries, want the proxy named after one", target, err, asked.Load())
		}
		if err != nil && (strings.Contains(err.Error(), "pr0xypass") || strings.Contains(err.Error(), "bWU6")) {
			t.Errorf("the password of the proxy is shown: %v", err)
		}
	}
	proxy.Close()
	if _, err := get(c, "https://hub.test/x"); err == nil || !strings.Contains(err.Error(), proxy.URL) || strings.Contains(err.Error(), "pr0xypass") {
		t.Errorf("dead proxy: %v, want it named without its password", err)
	}
}

// The variables of the environment work as in every Go program. They are read once in a process, so a child reads them.
func TestEnvironmentOfProxyAndCertificates(t *testing.T) {
	srv := quietTLS(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	defer srv.Close()
	pem := t.TempDir() + "/ca.pem"
	if err := os.WriteFile(pem, pemOf(srv.Certificate().Raw), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "by proxy") }))
	defer proxy.Close()
	for _, tt := range []struct {
		name, target, want string
		env                []string
	}{
		{"SSL_CERT_FILE", srv.URL, "ok", []string{"SSL_CERT_FILE=" + pem}},
		{"HTTP_PROXY", "http://models.test/x", "by proxy", []string{"HTTP_PROXY=" + proxy.URL}},
		{"HTTPS_PROXY", "https://models.test/x", "proxy " + proxy.URL, []string{"HTTPS_PROXY=" + strings.Replace(proxy.URL, "//", "//u:hunter22@", 1)}},
		{"NO_PROXY", srv.URL, "certificate", []string{"HTTPS_PROXY=" + proxy.URL, "NO_PROXY=127.0.0.1"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestChild$", "-test.v")
			cmd.Env = append([]string{"FETCH_CHILD=" + tt.target, "HOME=" + t.TempDir()}, tt.env...)
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), tt.want) || strings.Contains(string(out), "hunter22") {
				t.Errorf("%v:\n%s\nwant %q", err, out, tt.want)
			}
		})
	}
}

func TestChild(t *testing.T) {
	target := os.Getenv("FETCH_CHILD")
	if target == "" {
		t.Skip("runs only as a child of another test")
	}
	c, _ := newTest(t, Options{Endpoint: target, Proxy: http.ProxyFromEnvironment})
	r, err := get(c, target)
	if err != nil {
		t.Log(err)
		return
	}
	t.Log(string(r.Body))
}

func TestNewRefuses(t *testing.T) {
	for name, o := range map[string]Options{
		"endpoint without scheme": {Endpoint: "huggingface.co"},
		"endpoint of a file":      {Endpoint: "file:///x"},
		"endpoint with password":  {Endpoint: "https://u:p@hub.test"},
		"endpoint with query":     {Endpoint: "https://hub.test?a=b"},
		"token with line end":     {Token: "hf_abc\r\nX-Evil: 1"},
		"token with blank":        {Token: "hf abc"},
	} {
		if _, err := New(o); err == nil || strings.Contains(err.Error(), "X-Evil") {
			t.Errorf("%s: got %v, want a refusal that does not show it", name, err)
		}
	}
}

func TestHTTPClientForLibraries(t *testing.T) {
	n := atomic.Int32{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n.Add(1) < 3 {
			w.WriteHeader(503)
			return
		}
		_, _ = io.WriteString(w, r.UserAgent())
	}))
	defer srv.Close()
	c, k := newTest(t, Options{Hosts: []string{"127.0.0.1"}, Token: secret, Endpoint: "https://hub.test"})
	resp, err := c.HTTPClient().Do(mustRequest(t, srv.URL, "X-A", "b"))
	if err != nil {
		t.Fatal(err)
	}
	b, _ := io.ReadAll(resp.Body)
	resp.Body.Close()
	if string(b) != "llmcheck" || k.slept != 3*time.Second {
		t.Errorf("got %q after %s, want our name after 3 s", b, k.slept)
	}
	n.Store(-100)
	resp, err = c.HTTPClient().Do(mustRequest(t, srv.URL, "X-A", "b"))
	if err != nil || resp.StatusCode != 503 {
		t.Fatalf("got %v, %v; want the last status for the library to read", resp, err)
	}
	resp.Body.Close()
	other, _ := newTest(t, Options{})
	if _, err := other.HTTPClient().Do(mustRequest(t, srv.URL, "X-A", "b")); !errors.Is(err, ErrRefused) { //nolint:bodyclose // it gets no answer
		t.Errorf("a private host that nobody named: %v, want a refusal", err)
	}
}

type closing struct {
	io.Reader
	closed bool
}

func (c *closing) Close() error { c.closed = true; return nil }

// An answer that asked for another try is closed too when there will be none, because the person gave up.
func TestLibraryAnswerIsClosedAtTheEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	body := &closing{Reader: strings.NewReader("sorry")}
	c, _ := newTest(t, Options{Transport: roundTripper(func(*http.Request) (*http.Response, error) {
		cancel()
		return &http.Response{StatusCode: 503, Header: http.Header{}, Body: body}, nil
	})})
	req := mustRequest(t, "https://hub.test/a", "X-A", "b").WithContext(ctx)
	if _, err := c.HTTPClient().Do(req); err == nil || !body.closed { //nolint:bodyclose // it gets no answer
		t.Errorf("got %v, body closed: %v; want an error and a closed body", err, body.closed)
	}
}
