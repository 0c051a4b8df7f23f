package fetch

import (
	"cmp"
	"fmt"
	"net/http"
	"net/url"
)

// maxLocation is the longest address that a redirect may name, in bytes; signed ones have about 2,000.
const maxLocation = 16 << 10

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther,
		http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

// nextHop is where a redirect leads, if our rules allow it.
func (c *Client) nextHop(from *url.URL, location string) (*url.URL, error) {
	if location == "" || len(location) > maxLocation {
		return nil, fmt.Errorf("%w: a redirect names no usable address", ErrRefused)
	}
	to, err := from.Parse(location)
	if err != nil {
		return nil, fmt.Errorf("%w: a redirect names no usable address", ErrRefused)
	}
	to.Fragment, to.RawFragment = "", ""
	if err := c.checkHop(from, to); err != nil {
		return nil, err
	}
	return to, nil
}

// checkHop holds the rules for the step from one address to another.
func (c *Client) checkHop(from, to *url.URL) error {
	switch {
	case to.Scheme != "https" && to.Scheme != "http":
		return fmt.Errorf("%w: a redirect leads to the scheme %q", ErrRefused, to.Scheme)
	case from.Scheme == "https" && to.Scheme != "https":
		return fmt.Errorf("%w: a redirect leads from https down to http, at %s", ErrRefused, to.Host)
	case to.User != nil:
		return fmt.Errorf("%w: a redirect carries a user name, at %s", ErrRefused, to.Host)
	case to.Hostname() == "":
		return fmt.Errorf("%w: a redirect names no host", ErrRefused)
	}
	return c.checkAddress(to)
}

// checkAddress refuses what is private by its spelling; names are looked at again when they are resolved.
func (c *Client) checkAddress(u *url.URL) error {
	if spelledPrivate(u) && !c.Named(u) {
		return fmt.Errorf("%w: %s is an address of this machine or of a private network, and nobody named that host",
			ErrRefused, u.Host)
	}
	return nil
}

// origin is scheme, host and port: what a token belongs to.
func origin(u *url.URL) string {
	port := cmp.Or(u.Port(), map[string]string{"https": "443", "http": "80"}[u.Scheme])
	return u.Scheme + "://" + hostOnly(u.Host) + ":" + port
}

// safeForToken reports whether nobody on the way can read what is sent to u.
func safeForToken(u *url.URL) bool { return u.Scheme == "https" || isLoopback(u.Host) }

// getsToken reports whether a request to u carries the token. A request that left the endpoint once never gets it again:
// whoever it visited could have chosen where it comes back to.
func (c *Client) getsToken(u *url.URL, left bool, proxy *url.URL) bool {
	if c.opts.Token == "" || c.endpoint == nil || left || origin(u) != origin(c.endpoint) {
		return false
	}
	return safeForToken(u) && (u.Scheme == "https" || proxy == nil)
}
