// Package fetchtest has a disk and a network that fail on purpose, for tests of package fetch and of what builds on it.
// The property they serve: if a run reports an answer, it is the answer that a run without faults gives.
package fetchtest

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing/fstest"
	"time"

	"github.com/llmcheck/llmcheck/internal/fetch"
)

// Disk is a fetch.CacheFS in memory. Each operation is a step; FailAt chooses the step from which on all of them fail,
// and with Once only that one does.
type Disk struct {
	FailAt int // the number of the first step that fails, from 1; 0 is never
	Once   bool
	Err    error // what failing steps return; ErrNoSpace if nil
	Short  bool  // a failing write keeps half of the bytes, as a full disk does
	Now    time.Time

	mu    sync.Mutex
	files fstest.MapFS
	steps int
	temps int
}

// ErrNoSpace is what a full disk says.
var ErrNoSpace = errors.New("no space left on device")

// ErrShort makes a failing write keep half of the bytes and say nothing but their number.
var ErrShort = errors.New("short write")

// Steps is how many operations there were.
func (d *Disk) Steps() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.steps
}

// Files are the files on the disk, by name.
func (d *Disk) Files() map[string][]byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := map[string][]byte{}
	for k, f := range d.files {
		if !f.Mode.IsDir() {
			out[k] = bytes.Clone(f.Data)
		}
	}
	return out
}

// Set writes a file as somebody else would.
func (d *Disk) Set(name string, data []byte, modified time.Time) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.put(name, data, modified)
}

func (d *Disk) put(name string, data []byte, modified time.Time) {
	if d.files == nil {
		d.files = fstest.MapFS{}
	}
	d.files[key(name)] = &fstest.MapFile{Data: data, Mode: 0o600, ModTime: modified}
}

func key(name string) string { return strings.TrimPrefix(filepath.ToSlash(name), "/") }

// step counts an operation and fails it if it is its turn. The caller holds the lock.
func (d *Disk) step() error {
	d.steps++
	if d.FailAt == 0 || d.steps < d.FailAt || d.Once && d.steps > d.FailAt {
		return nil
	}
	if d.Err != nil {
		return d.Err
	}
	return ErrNoSpace
}

// MkdirAll implements fetch.CacheFS.
func (d *Disk) MkdirAll(string, fs.FileMode) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.step()
}

// CreateTemp implements fetch.CacheFS.
func (d *Disk) CreateTemp(dir, pattern string) (fetch.CacheFile, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return nil, err
	}
	d.temps++
	name := filepath.Join(dir, strings.ReplaceAll(pattern, "*", strconv.Itoa(d.temps)))
	d.put(name, nil, d.Now)
	return &handle{d, name}, nil
}

// Rename implements fetch.CacheFS.
func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	f, ok := d.files[key(from)]
	if !ok {
		return fs.ErrNotExist
	}
	delete(d.files, key(from))
	d.files[key(to)] = f
	return nil
}

// Remove implements fetch.CacheFS.
func (d *Disk) Remove(name string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return err
	}
	delete(d.files, key(name))
	return nil
}

// Open implements fetch.CacheFS.
func (d *Disk) Open(name string) (io.ReadCloser, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return nil, err
	}
	f, ok := d.files[key(name)]
	if !ok {
		return nil, fs.ErrNotExist
	}
	return io.NopCloser(bytes.NewReader(bytes.Clone(f.Data))), nil
}

// ReadDir implements fetch.CacheFS.
func (d *Disk) ReadDir(dir string) ([]fs.DirEntry, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err := d.step(); err != nil {
		return nil, err
	}
	return d.files.ReadDir(key(dir))
}

type handle struct {
	d    *Disk
	name string
}

// Write implements io.Writer.
func (h *handle) Write(p []byte) (int, error) {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	err := h.d.step()
	if err != nil {
		if !h.d.Short && err != ErrShort { //nolint:errorlint // the very value
			return 0, err
		}
		p = p[:len(p)/2]
	}
	f := h.d.files[key(h.name)]
	f.Data = append(f.Data, p...)
	if err == ErrShort { //nolint:errorlint // the very value
		err = nil
	}
	return len(p), err
}

// Name implements fetch.CacheFile.
func (h *handle) Name() string { return h.name }

// Sync implements fetch.CacheFile.
func (h *handle) Sync() error {
	h.d.mu.Lock()
	defer h.d.mu.Unlock()
	return h.d.step()
}

// Close implements fetch.CacheFile.
func (h *handle) Close() error { return h.Sync() }

// Network is an http.RoundTripper before another that fails at random, the same way for the same seed.
type Network struct {
	Next http.RoundTripper
	Rate float64 // how often a request fails, from 0 to 1
	// Whole reports whether the body of a request is verified by its reader, so that changed bytes may be sent.
	Whole func(*http.Request) bool

	mu     sync.Mutex
	random *rand.Rand
	done   []string
}

// NewNetwork makes a network whose faults follow from seed.
func NewNetwork(next http.RoundTripper, seed uint64, rate float64, whole func(*http.Request) bool) *Network {
	return &Network{Next: next, Rate: rate, Whole: whole, random: rand.New(rand.NewPCG(seed, 1))}
}

// Faults are the names of the faults so far.
func (n *Network) Faults() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Clone(n.done)
}

type fault struct {
	name string
	do   func(*http.Response, int) *http.Response
}

// faults are what a network does to an answer. Those of the second list change bytes without a trace.
//
//nolint:bodyclose // it makes no requests, it changes answers
func faults() (visible, silent []fault) {
	status := func(code int, header ...string) func(*http.Response, int) *http.Response {
		return func(r *http.Response, _ int) *http.Response { return replace(r, code, "sorry", header...) }
	}
	visible = []fault{
		{"no connection", func(*http.Response, int) *http.Response { return nil }},
		{"500", status(500)},
		{"503", status(503)},
		{"429", status(429, "Retry-After", "1")},
		{"429 for long", status(429, "Retry-After", "7200")},
		{"403", status(403)},
		{"404", status(404)},
		{"portal", status(200, "Content-Type", "text/html")},
		{"cut", cut},
		{"redirect away", status(302, "Location", "http://127.0.0.2:1/")},
		{"redirect in a circle", status(302, "Location", "?again")},
		{"redirect down", status(302, "Location", "ftp://x/")},
		{"encoded", func(r *http.Response, _ int) *http.Response { r.Header.Set("Content-Encoding", "br"); return r }},
		{"another part", func(r *http.Response, _ int) *http.Response {
			if r.StatusCode == http.StatusPartialContent {
				r.Header.Set("Content-Range", "bytes 1-1/2")
			}
			return r
		}},
	}
	silent = []fault{
		{"flip", func(r *http.Response, at int) *http.Response { return edit(r, at, flip) }},
		{"repeat", func(r *http.Response, at int) *http.Response { return edit(r, at, repeat) }},
		{"drop", func(r *http.Response, at int) *http.Response { return edit(r, at, drop) }},
	}
	return visible, silent
}

// RoundTrip implements http.RoundTripper.
func (n *Network) RoundTrip(req *http.Request) (*http.Response, error) {
	f, at := n.choose(req)
	resp, err := n.Next.RoundTrip(req)
	if err != nil || f == nil {
		return resp, err
	}
	out := f.do(resp, at)
	if out == nil {
		resp.Body.Close()
		return nil, errors.New("connection reset by peer")
	}
	return out, nil
}

func (n *Network) choose(req *http.Request) (*fault, int) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.random.Float64() >= n.Rate {
		return nil, 0
	}
	all, silent := faults()
	if n.Whole != nil && n.Whole(req) {
		all = append(all, silent...)
	}
	f := all[n.random.IntN(len(all))]
	n.done = append(n.done, f.name+" at "+req.URL.Path)
	return &f, n.random.IntN(1 << 16)
}

func replace(r *http.Response, status int, body string, header ...string) *http.Response {
	r.Body.Close()
	h := http.Header{}
	for kv := range slices.Chunk(header, 2) {
		h.Set(kv[0], kv[1])
	}
	return &http.Response{
		Status: strconv.Itoa(status), StatusCode: status, Header: h, Request: r.Request, ProtoMajor: 1,
		Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// cut ends a body early, as a connection does.
func cut(r *http.Response, at int) *http.Response {
	b, _ := io.ReadAll(r.Body)
	r.Body.Close()
	b = b[:min(at, max(len(b)-1, 0))]
	r.Body = io.NopCloser(io.MultiReader(bytes.NewReader(b), broken{}))
	return r
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func edit(r *http.Response, at int, change func([]byte, int) []byte) *http.Response {
	b, _ := io.ReadAll(r.Body)
	r.Body.Close()
	if len(b) > 0 {
		b = change(b, at%len(b))
	}
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(b)), int64(len(b))
	r.Header.Del("Content-Length")
	return r
}

func flip(b []byte, at int) []byte   { b[at] ^= 1; return b }
func repeat(b []byte, at int) []byte { return append(b, b[at:]...) }
func drop(b []byte, at int) []byte   { return b[:at] }
