package fetchtest

import (
	"context"
	"sync"
	"time"

	"github.com/llmcheck/llmcheck/internal/fetch"
)

// Clock is a time that passes only when somebody sleeps.
type Clock struct {
	mu    sync.Mutex
	start time.Time
	slept time.Duration
}

// NewClock makes a clock that shows start.
func NewClock(start time.Time) *Clock { return &Clock{start: start} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.start.Add(c.slept)
}

// Slept is how long was slept in all.
func (c *Clock) Slept() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slept
}

// Sleep lets d pass at once.
func (c *Clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slept += d
	return ctx.Err()
}

// Set makes a client use the clock, and timers that never fire.
func (c *Clock) Set(o *fetch.Options) {
	o.Now, o.Sleep = c.Now, c.Sleep
	o.AfterFunc = func(time.Duration, func()) func() bool { return func() bool { return true } }
}
