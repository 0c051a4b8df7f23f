package fetch

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync"
	"time"
)

// watch ends a request that makes no progress, and one that takes too long in all. It counts only the time in which we
// wait for the other side.
type watch struct {
	cancel context.CancelCauseFunc
	after  func(time.Duration, func()) func() bool
	whole  func() bool // stops the deadline

	mu   sync.Mutex
	idle func() bool // stops the timer of silence; nil while nobody waits
	done bool
}

func (c *Client) watch(cancel context.CancelCauseFunc, budget time.Duration) *watch {
	w := &watch{cancel: cancel, after: c.opts.AfterFunc}
	w.whole = w.after(max(budget, 0), func() {
		cancel(fmt.Errorf("%w: not finished in time", ErrStalled))
	})
	w.touch()
	return w
}

// touch records progress and waits for more.
func (w *watch) touch() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopIdle()
	if w.done {
		return
	}
	w.idle = w.after(Idle, func() { w.cancel(fmt.Errorf("%w: no byte for %s", ErrStalled, Idle)) })
}

// rest stops the timer of silence while the reader is busy with what it has.
func (w *watch) rest() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.stopIdle()
}

func (w *watch) stopIdle() {
	if w.idle != nil {
		w.idle()
		w.idle = nil
	}
}

func (w *watch) end() {
	w.mu.Lock()
	w.done = true
	w.stopIdle()
	w.mu.Unlock()
	w.whole()
	w.cancel(nil)
}

func (w *watch) trace() *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSDone:              func(httptrace.DNSDoneInfo) { w.touch() },
		ConnectDone:          func(string, string, error) { w.touch() },
		TLSHandshakeDone:     func(tls.ConnectionState, error) { w.touch() },
		WroteRequest:         func(httptrace.WroteRequestInfo) { w.touch() },
		GotFirstResponseByte: w.touch,
	}
}

// once sends a request over the network under a watch, which ends when the body is closed.
func (c *Client) once(req *http.Request, budget time.Duration) (*http.Response, error) {
	ctx, cancel := context.WithCancelCause(req.Context())
	w := c.watch(cancel, budget)
	resp, err := c.network.RoundTrip(req.WithContext(httptrace.WithClientTrace(ctx, w.trace())))
	if err != nil {
		err = because(ctx, err)
		w.end()
		return nil, err
	}
	w.rest()
	resp.Body = &watchedBody{resp.Body, w, ctx}
	return resp, nil
}

// because prefers the reason for which a request was ended over what the network made of it.
func because(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

type watchedBody struct {
	io.ReadCloser
	w   *watch
	ctx context.Context //nolint:containedctx // the reason of an ended request is read from it
}

// Read implements io.Reader.
func (b *watchedBody) Read(p []byte) (int, error) {
	b.w.touch()
	n, err := b.ReadCloser.Read(p)
	b.w.rest()
	if err != nil && err != io.EOF { //nolint:errorlint // a reader ends with io.EOF itself; one that is wrapped is a fault
		err = because(b.ctx, err)
	}
	return n, err
}

// Close implements io.Closer.
func (b *watchedBody) Close() error {
	b.w.end()
	return b.ReadCloser.Close()
}
