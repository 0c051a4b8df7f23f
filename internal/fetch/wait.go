package fetch

import (
	"context"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// hosts keeps, for every host, until when nobody of this run asks it. The wait that one worker was told of binds all,
// and the waits of a run are limited for each host: a server that is down costs the run once, not once a model.
type hosts struct {
	mu    sync.Mutex
	now   func() time.Time
	sleep func(context.Context, time.Duration) error
	state map[string]*host
}

type host struct {
	until  time.Time
	waited time.Duration
	spent  bool   // a wait was refused because the budget is used up
	broken *Error // the last failure of a spent host: the next request fails with it
}

func newHosts(now func() time.Time, sleep func(context.Context, time.Duration) error) *hosts {
	return &hosts{now: now, sleep: sleep, state: map[string]*host{}}
}

func (h *hosts) of(name string) *host {
	s := h.state[name]
	if s == nil {
		s = &host{}
		h.state[name] = s
	}
	return s
}

// ready waits until the host may be asked.
func (h *hosts) ready(ctx context.Context, name string) error {
	for {
		h.mu.Lock()
		s := h.of(name)
		left, broken := s.until.Sub(h.now()), s.broken
		h.mu.Unlock()
		switch {
		case broken != nil:
			return broken
		case left <= 0:
			return ctx.Err()
		}
		if err := h.sleep(ctx, left); err != nil {
			return err
		}
	}
}

// postpone asks for a wait of d and reports whether the host's budget allows it. A worker that finds the host already
// postponed for as long joins that wait, and nothing is counted twice.
func (h *hosts) postpone(name string, d time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	s, now := h.of(name), h.now()
	from := now
	if s.until.After(now) {
		from = s.until
	}
	more := now.Add(d).Sub(from)
	if more <= 0 {
		return true
	}
	if s.waited+more > MaxWait {
		s.spent = true
		return false
	}
	s.waited += more
	s.until = now.Add(d)
	return true
}

// lost records that a request failed for want of an answer.
func (h *hosts) lost(name string, err *Error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := h.of(name); s.spent && err.Status == 0 {
		last := *err
		last.Permanent = true
		s.broken = &last
	}
}

// answered records that the host works.
func (h *hosts) answered(name string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.of(name).broken = nil
}

// backoff is the wait before try n+1 when the server does not say: 1, 2, 4 seconds.
func backoff(n int) time.Duration { return time.Second << n }

// retryStatus reports whether the same request may succeed later.
func retryStatus(status int) bool {
	switch status {
	case http.StatusRequestTimeout, http.StatusTooManyRequests, http.StatusInternalServerError,
		http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// maxAsked is the longest wait that is reported; what a server asks beyond it is that.
const maxAsked = 24 * time.Hour

// waitAsked is how long a server asks us to wait: Retry-After, or the time to the reset in the hub's RateLimit header.
func waitAsked(h http.Header, now time.Time) (time.Duration, bool) {
	if d, ok := ParseRetryAfter(h.Get("Retry-After"), now); ok {
		return d, true
	}
	for part := range strings.SplitSeq(h.Get("RateLimit"), ";") {
		if v, ok := strings.CutPrefix(strings.TrimSpace(part), "t="); ok {
			return parseSeconds(v)
		}
	}
	return 0, false
}

// ParseRetryAfter reads both forms of Retry-After: seconds and a date. The result is between nothing and a day.
func ParseRetryAfter(s string, now time.Time) (time.Duration, bool) {
	s = strings.TrimSpace(s)
	if d, ok := parseSeconds(s); ok {
		return d, true
	}
	t, err := http.ParseTime(s)
	if err != nil {
		return 0, false
	}
	return min(max(t.Sub(now), 0), maxAsked), true
}

func parseSeconds(s string) (time.Duration, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > int64(maxAsked/time.Second) {
		return maxAsked, true
	}
	return time.Duration(n) * time.Second, true
}

// tooLong is the error of a host that asks for more patience than a run has.
func (c *Client) tooLong(e *Error, wait time.Duration) *Error {
	when := c.opts.Now().Add(wait).UTC().Format("2006-01-02 15:04:05 UTC")
	e.Text += fmt.Sprintf("; it asks to wait %s, until %s, longer than this run waits for one host (%s)",
		wait.Round(time.Second), when, MaxWait)
	return e
}
