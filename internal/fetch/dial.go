package fetch

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"

	"github.com/llmcheck/llmcheck/internal/source"
)

// proxyKey holds the proxy of a request in its context: asked once, for the rules and for the transport.
type proxyKey struct{}

func proxyOf(req *http.Request) (*url.URL, error) {
	u, _ := req.Context().Value(proxyKey{}).(*url.URL)
	return u, nil
}

// withProxy asks which proxy a request takes and makes its password known to the redactor.
func (c *Client) withProxy(req *http.Request) (*http.Request, *url.URL, error) {
	if c.opts.Proxy == nil {
		return req, nil, nil
	}
	u, err := c.opts.Proxy(req)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: the proxy setting is not an address", ErrRefused)
	}
	if u == nil {
		return req, nil, nil
	}
	if pw, ok := u.User.Password(); ok {
		c.redactor.Add(pw)
		c.redactor.Add(u.User.Username() + ":" + pw)
	}
	return req.WithContext(context.WithValue(req.Context(), proxyKey{}, u)), u, nil
}

// proxyName names a proxy without its user and password.
func proxyName(u *url.URL) string { return (&url.URL{Scheme: u.Scheme, Host: u.Host}).String() }

// proxyError is a proxy that does not connect us.
type proxyError struct {
	name   string
	status int
}

func (p *proxyError) Error() string {
	return fmt.Sprintf("proxy %s answered with status %d (%s)", p.name, p.status, http.StatusText(p.status))
}

func refusedByProxy(_ context.Context, proxy *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode == http.StatusOK {
		return nil
	}
	return &proxyError{name: proxyName(proxy), status: resp.StatusCode}
}

// dial makes a connection. Private addresses are refused where only the system knows them for sure, after the name
// was resolved and for each address, so a name that changes its answer between a check and the connection gains nothing.
func (c *Client) dial(ctx context.Context, network, addr string) (net.Conn, error) {
	if c.opts.Offline {
		return nil, source.ErrOffline
	}
	d := net.Dialer{Timeout: Idle}
	if !c.mayBePrivate(ctx, addr) {
		d.Control = refusePrivate
	}
	return d.DialContext(ctx, network, addr)
}

// mayBePrivate reports whether the user chose addr: as the endpoint, a host of theirs, or the proxy of this request.
func (c *Client) mayBePrivate(ctx context.Context, addr string) bool {
	if proxy, ok := ctx.Value(proxyKey{}).(*url.URL); ok {
		return hostOnly(proxy.Host) == hostOnly(addr)
	}
	return c.named[hostOnly(addr)]
}

func refusePrivate(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return fmt.Errorf("%w: the address %q is of no known form", ErrRefused, address)
	}
	if !isPublic(ap.Addr()) {
		return fmt.Errorf("%w: %s is an address of this machine or of a private network, and nobody named that host",
			ErrRefused, ap.Addr())
	}
	return nil
}

// reserved are the ranges that are not on the public network and that netip has no word for.
var reserved = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"), netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("192.0.2.0/24"), netip.MustParsePrefix("198.18.0.0/15"), netip.MustParsePrefix("198.51.100.0/24"),
	netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("64:ff9b:1::/48"), netip.MustParsePrefix("100::/64"), netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2001:db8::/32"), netip.MustParsePrefix("2002::/16"), netip.MustParsePrefix("fec0::/10"),
	netip.MustParsePrefix("::/96"),
}

var nat64 = netip.MustParsePrefix("64:ff9b::/96")

// isPublic reports whether an address is one of the public network. An IPv4 address inside an IPv6 one counts as itself.
func isPublic(a netip.Addr) bool {
	if a.Zone() != "" {
		return false
	}
	a = a.Unmap()
	if nat64.Contains(a) {
		b := a.As16()
		a = netip.AddrFrom4([4]byte(b[12:]))
	}
	if !a.IsValid() || a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || a.IsMulticast() || a.IsUnspecified() {
		return false
	}
	for _, p := range reserved {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// hostOnly is the host of host:port in lower case, without a port, brackets and a last dot.
func hostOnly(s string) string {
	if h, _, err := net.SplitHostPort(s); err == nil {
		s = h
	}
	s = strings.TrimSuffix(strings.TrimPrefix(s, "["), "]")
	return strings.TrimSuffix(strings.ToLower(s), ".")
}

// isLoopback reports whether a host name is this machine by its spelling alone.
func isLoopback(host string) bool {
	host = hostOnly(host)
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.Unmap().IsLoopback()
}

// spelledPrivate reports whether the host of an address is private by its spelling, so that also a proxy, which resolves
// names for us, is not asked for it.
func spelledPrivate(u *url.URL) bool {
	host := hostOnly(u.Host)
	if isLoopback(host) {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && !isPublic(a)
}
