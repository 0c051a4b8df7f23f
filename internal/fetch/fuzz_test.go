package fetch

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// FuzzRetryAfter: a wait is between nothing and a day, and seconds that are read print back.
func FuzzRetryAfter(f *testing.F) {
	for _, s := range []string{
		"", "0", "120", "-1", "1e9", "99999999999999999999", " 5 ", "Wed, 21 Oct 2026 07:28:00 GMT", "Wednesday, 25-Nov-26 12:00:00 GMT",
		"Tue Nov 24 12:00:05 2026", "5, 6", "0x10", "٣",
	} {
		f.Add(s)
	}
	now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, s string) {
		d, ok := ParseRetryAfter(s, now)
		if d < 0 || d > maxAsked || !ok && d != 0 {
			t.Fatalf("%q is %s, %v", s, d, ok)
		}
		if ok && d%time.Second == 0 && d < maxAsked {
			if again, ok := ParseRetryAfter(now.Add(d).Format(http.TimeFormat), now); !ok || again != d {
				t.Fatalf("%q is %s, and as a date %s", s, d, again)
			}
		}
		if d, _ := waitAsked(http.Header{"Ratelimit": {s}}, now); d < 0 || d > maxAsked {
			t.Fatalf("RateLimit %q is %s", s, d)
		}
	})
}

// FuzzContentRange: what parses prints back to itself, has a length, and answers only the span it covers.
func FuzzContentRange(f *testing.F) {
	for _, s := range []string{"bytes 0-0/1", "bytes 2-4/10", "bytes 2-4/*", "bytes */10", "bytes 4-2/10", "bytes 0-9223372036854775807/*", "items 0-1/2", "bytes 00-1/2", ""} {
		f.Add(s, int64(0), int64(1))
	}
	f.Fuzz(func(t *testing.T, s string, off, n int64) {
		r, err := ParseContentRange(s)
		if err != nil {
			return
		}
		if r.First < 0 || r.Last < r.First || r.Total >= 0 && r.Last >= r.Total {
			t.Fatalf("%q is %+v", s, r)
		}
		if again, err := ParseContentRange(r.String()); err != nil || again != r {
			t.Fatalf("%q prints as %q, which is %+v, %v", s, r, again, err)
		}
		if off >= 0 && n > 0 && off+n > off && r.answers(Span{off, n}) == nil && (r.First != off || r.Last-r.First+1 > n) {
			t.Fatalf("%q answers %d bytes from %d", s, n, off)
		}
	})
}

// FuzzLocation: a redirect leads to http or https without a user, never down from https, never to an address that is
// private by its spelling.
func FuzzLocation(f *testing.F) {
	for _, s := range []string{"/a", "//b.test/", "https://cdn.test/?x=1#f", "http://hub.test/", "https://u:p@x/", "file:///x", "https://127.1/", "https://[::1]:1/", "https://0x7f.1/", "..", "?"} {
		f.Add(s)
	}
	c, err := New(Options{Endpoint: "https://hub.test", Token: secret})
	if err != nil {
		f.Fatal(err)
	}
	from, _ := url.Parse("https://hub.test/a/b")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := c.nextHop(from, s)
		if err != nil {
			return
		}
		if u.Scheme != "https" || u.User != nil || u.Hostname() == "" || u.Fragment != "" || spelledPrivate(u) {
			t.Fatalf("%q leads to %s", s, u)
		}
		if c.getsToken(u, false, nil) && !strings.EqualFold(strings.TrimSuffix(u.Hostname(), "."), "hub.test") {
			t.Fatalf("%q gets the token at %s", s, u)
		}
	})
}

// FuzzRedactor: no text shows a secret, in whatever it stands, and cleaning twice changes nothing more.
func FuzzRedactor(f *testing.F) {
	f.Add("a ", " b")
	f.Add("https://u:", "@host/?token=")
	f.Add("Bearer ", "")
	f.Fuzz(func(t *testing.T, before, after string) {
		r := NewRedactor(secret, "pass/word")
		for _, s := range []string{secret, "pass/word", url.QueryEscape("pass/word")} {
			if got := r.Clean(before + s + after); strings.Contains(got, s) && !strings.Contains(before+after, s) {
				t.Fatalf("Clean shows %q in %q", s, got)
			}
		}
	})
}
