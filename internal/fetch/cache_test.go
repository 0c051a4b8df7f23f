package fetch_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/fetch/fetchtest"
	"github.com/llmcheck/llmcheck/internal/source"
)

var day = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

func today() time.Time { return day }

func newCache(d *fetchtest.Disk, notes *[]string) *fetch.Cache {
	return fetch.NewCache("/cache", d, today, fetch.NewRedactor("s3cret-token"), func(s string) { *notes = append(*notes, s) })
}

func TestCacheKeeps(t *testing.T) {
	dir := t.TempDir()
	c := fetch.NewCache(dir, nil, today, fetch.NewRedactor(), func(s string) { t.Error(s) })
	for _, key := range []string{"a", "../../a", "a\x00b", "a\nb", strings.Repeat("k", 5000)} {
		for _, data := range [][]byte{[]byte("one"), {}, []byte("two\nlines\n")} {
			c.Put(key, data)
			e, ok := c.Get(key)
			if !ok || !bytes.Equal(e.Data, data) || !e.Stored.Equal(day) {
				t.Errorf("%.20q: got %q, %v", key, e.Data, ok)
			}
		}
	}
	if _, ok := c.Get("b"); ok {
		t.Error("found what was never stored")
	}
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		info, err2 := d.Info()
		if err != nil || err2 != nil {
			return errors.Join(err, err2)
		}
		if !d.IsDir() && info.Mode().Perm() != 0o600 || d.IsDir() && p != dir && info.Mode().Perm() != 0o700 {
			t.Errorf("%s has mode %s", p, info.Mode())
		}
		if strings.HasPrefix(d.Name(), ".writing") {
			t.Errorf("%s was left behind", p)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// A record under the name of another key is not that key's: the folder may have been copied or edited.
func TestCacheRecordBelongsToItsKey(t *testing.T) {
	d, notes := &fetchtest.Disk{}, []string{}
	c := newCache(d, &notes)
	c.Put("a", []byte("of a"))
	c.Put("b", []byte("of b"))
	var names []string
	for n := range d.Files() {
		names = append(names, n)
	}
	files := d.Files()
	d.Set(names[0], files[names[1]], day)
	d.Set(names[1], files[names[0]], day)
	for _, k := range []string{"a", "b"} {
		if e, ok := c.Get(k); ok {
			t.Errorf("%s: got %q from the other's record", k, e.Data)
		}
	}
}

// Any single byte that differs, and any length, makes a record unusable; and the next run repairs it.
func TestCacheNoticesEveryDamage(t *testing.T) {
	d, notes := &fetchtest.Disk{}, []string{}
	c := newCache(d, &notes)
	c.Put("key", []byte("the terms"))
	var name string
	var whole []byte
	for name, whole = range d.Files() {
	}
	try := func(what string, b []byte) {
		d.Set(name, b, day)
		if e, ok := c.Get("key"); ok {
			t.Fatalf("%s: got %q", what, e.Data)
		}
		c.Put("key", []byte("the terms"))
		if e, ok := c.Get("key"); !ok || string(e.Data) != "the terms" {
			t.Fatalf("%s: not repaired", what)
		}
	}
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 0x20
		try(fmt.Sprintf("byte %d", i), b)
		try(fmt.Sprintf("cut at %d", i), whole[:i])
	}
	try("longer", append(bytes.Clone(whole), 0))
}

// Every step at which the disk can fail: the answer is right or absent, nothing panics, at most one note is made, and a
// run on a mended disk works.
func TestCacheOnAFailingDisk(t *testing.T) {
	for _, short := range []bool{false, true} {
		for _, once := range []bool{false, true} {
			for step := 1; ; step++ {
				d, notes := &fetchtest.Disk{FailAt: step, Once: once, Short: short}, []string{}
				c := newCache(d, &notes)
				use(t, c, step)
				if len(notes) > 1 {
					t.Errorf("step %d: %d notes", step, len(notes))
				}
				reached := d.Steps() >= step
				d.FailAt = 0
				c = newCache(d, &notes)
				use(t, c, step)
				if e, ok := c.Get("a"); !ok || string(e.Data) != "first" {
					t.Errorf("step %d: a mended disk does not work", step)
				}
				if !reached {
					break
				}
			}
		}
	}
}

func use(t *testing.T, c *fetch.Cache, step int) {
	t.Helper()
	want := map[string]string{"a": "first", "b": "second"}
	for k, v := range want {
		c.Put(k, []byte(v))
	}
	for k, v := range want {
		if e, ok := c.Get(k); ok && string(e.Data) != v {
			t.Errorf("step %d: %s is %q", step, k, e.Data)
		}
	}
}

// A record gets its final name only when it was written, synced and closed without a fault.
func TestCacheNamesOnlyWhatIsComplete(t *testing.T) {
	const temp, write, sync, closing, rename = 3, 4, 5, 6, 7 // after making and sweeping the folder
	for _, fault := range []error{fetchtest.ErrNoSpace, fetchtest.ErrShort} {
		for _, step := range []int{temp, write, sync, closing, rename} {
			if errors.Is(fault, fetchtest.ErrShort) && step != write {
				continue
			}
			d, notes := &fetchtest.Disk{FailAt: step, Once: true, Err: fault}, []string{}
			newCache(d, &notes).Put("a", []byte("data"))
			if d.Steps() < step || len(d.Files()) != 0 || len(notes) != 1 {
				t.Errorf("%v at step %d: %d files, notes %q; want none and one", fault, step, len(d.Files()), notes)
			}
		}
	}
}

// A run that is killed leaves a temporary file, which the first write of a later run removes when it is a day old.
func TestCacheSweeps(t *testing.T) {
	d, notes := &fetchtest.Disk{Now: day}, []string{}
	newCache(d, &notes).Put("a", []byte("x"))
	d.Set("/cache/llmcheck-cache-1/aa/.writing-9", []byte("ha"), day.Add(-48*time.Hour))
	d.Set("/cache/llmcheck-cache-1/aa/.writing-8", []byte("ha"), day.Add(-time.Hour))
	newCache(d, &notes).Put("b", []byte("y"))
	files := d.Files()
	if _, ok := files["cache/llmcheck-cache-1/aa/.writing-9"]; ok {
		t.Error("an old temporary file stays")
	}
	if _, ok := files["cache/llmcheck-cache-1/aa/.writing-8"]; !ok {
		t.Error("the temporary file of a run that may be alive was removed")
	}
}

func TestCacheKeepsNoSecrets(t *testing.T) {
	d, notes := &fetchtest.Disk{}, []string{}
	c := newCache(d, &notes)
	c.Put("a", []byte("a server quotes s3cret-token"))
	if len(d.Files()) != 0 {
		t.Error("a secret was written to the disk")
	}
}

func TestCacheReadOnlyHome(t *testing.T) {
	file := filepath.Join(t.TempDir(), "not-a-folder")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	var notes []string
	c := fetch.NewCache(filepath.Join(file, "cache"), nil, today, fetch.NewRedactor(), func(s string) { notes = append(notes, s) })
	c.Put("a", nil)
	c.Put("b", nil)
	if _, ok := c.Get("a"); ok || len(notes) != 1 {
		t.Errorf("notes %q, want one", notes)
	}
}

func client(t *testing.T, o fetch.Options) *fetch.Client {
	t.Helper()
	fetchtest.NewClock(day).Set(&o)
	c, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdle)
	return c
}

func pattern(n int) []byte {
	r := rand.New(rand.NewPCG(1, 2))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

func serveFile(data []byte) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	})
}

func TestRemoteReadsEverywhere(t *testing.T) {
	data := pattern(3<<20 + 17)
	asked := 0
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked++
		serveFile(data).ServeHTTP(w, r)
	}))
	defer srv.Close()
	for _, size := range []int64{-1, int64(len(data))} {
		asked = 0
		r := client(t, fetch.Options{Endpoint: srv.URL}).Remote(t.Context(), fetch.RemoteFile{URL: srv.URL, Size: size})
		if n, err := r.Size(); err != nil || n != int64(len(data)) {
			t.Fatalf("size %d, %v", n, err)
		}
		got, err := io.ReadAll(io.NewSectionReader(r, 0, int64(len(data))+1))
		if err != nil || !bytes.Equal(got, data) {
			t.Errorf("reading on gave %d bytes, %v", len(got), err)
		}
		if asked > 6 {
			t.Errorf("%d requests for 3 MB, want read-ahead", asked)
		}
		random := rand.New(rand.NewPCG(3, 4))
		for range 300 {
			off, n := random.Int64N(int64(len(data))+10), random.IntN(600_000)
			p := make([]byte, n)
			got, err := r.ReadAt(p, off)
			want := copy(make([]byte, n), data[min(off, int64(len(data))):])
			if got != want || !bytes.Equal(p[:got], data[min(off, int64(len(data))):][:got]) || (err == nil) != (got == n) {
				t.Fatalf("ReadAt(%d, %d) = %d, %v", n, off, got, err)
			}
		}
	}
	r := client(t, fetch.Options{Endpoint: srv.URL}).Remote(t.Context(), fetch.RemoteFile{URL: srv.URL, Size: 100})
	if _, err := r.ReadAt(make([]byte, 1), 0); !errors.Is(err, source.ErrMalformed) {
		t.Errorf("a file of another size: %v, want malformed", err)
	}
	if _, err := r.ReadAt(make([]byte, 1), -1); err == nil {
		t.Error("a negative offset was read")
	}
}

func TestRemoteThatChanges(t *testing.T) {
	n := 0
	data := pattern(1 << 20)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n++
		w.Header().Set("ETag", fmt.Sprintf(`"v%d"`, n))
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	defer srv.Close()
	r := client(t, fetch.Options{Endpoint: srv.URL}).Remote(t.Context(), fetch.RemoteFile{URL: srv.URL, Size: -1})
	_, err := io.ReadAll(io.NewSectionReader(r, 0, 1<<20))
	if !errors.Is(err, source.ErrMalformed) || !strings.Contains(err.Error(), "changed") {
		t.Errorf("got %v, want the change noticed", err)
	}
}

func TestRemoteEnds(t *testing.T) {
	block := make([]byte, 4*fetch.Block)
	served := int64(0)
	c := client(t, fetch.Options{Transport: roundTrip(func(req *http.Request) (*http.Response, error) {
		var first, last int64
		_, _ = fmt.Sscanf(req.Header.Get("Range"), "bytes=%d-%d", &first, &last)
		body := block[:last-first+1]
		served += int64(len(body))
		return &http.Response{StatusCode: 206, Body: io.NopCloser(bytes.NewReader(body)), Header: http.Header{
			"Content-Range": {fmt.Sprintf("bytes %d-%d/%d", first, last, int64(1)<<40)},
		}}, nil
	})})
	r := c.Remote(t.Context(), fetch.RemoteFile{URL: "https://hub.test/x", Size: 1 << 40})
	_, err := io.Copy(io.Discard, io.NewSectionReader(r, 0, 1<<40))
	if !errors.Is(err, fetch.ErrTooLarge) {
		t.Errorf("got %v after %d bytes, want an end", err, served)
	}
	if served > fetch.MaxRemote {
		t.Errorf("%d bytes were read of one file", served)
	}
}

func TestRemoteTakesNoLongerThanItMay(t *testing.T) {
	clock := fetchtest.NewClock(day)
	o := fetch.Options{}
	clock.Set(&o)
	n := 0
	data := pattern(8 * fetch.Block)
	o.Transport = roundTrip(func(req *http.Request) (*http.Response, error) {
		n++
		if err := clock.Sleep(req.Context(), 50*time.Second); err != nil {
			return nil, err
		}
		w := httptest.NewRecorder()
		serveFile(data).ServeHTTP(w, req)
		return w.Result(), nil
	})
	c, err := fetch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	r := c.Remote(t.Context(), fetch.RemoteFile{URL: "https://hub.test/x", Size: int64(len(data))})
	for i := len(data) - fetch.Block; i >= 0; i -= fetch.Block {
		if _, err = r.ReadAt(make([]byte, 1), int64(i)); err != nil {
			break
		}
	}
	if !errors.Is(err, fetch.ErrStalled) || n > 3 {
		t.Errorf("got %v after %d parts of 50 s, want an end after 120 s", err, n)
	}
}

func TestEvents(t *testing.T) {
	var got []fetch.Event
	n := 0
	c := client(t, fetch.Options{
		Progress: func(e fetch.Event) { got = append(got, e) },
		Transport: roundTrip(func(*http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return &http.Response{StatusCode: 503, Header: http.Header{"Retry-After": {"7"}}, Body: http.NoBody}, nil
			}
			return &http.Response{StatusCode: 200, Header: http.Header{}, Body: http.NoBody}, nil
		}),
	})
	if _, err := c.Get(t.Context(), fetch.Request{URL: "https://hub.test/x?sig=1"}); err != nil {
		t.Fatal(err)
	}
	want := []fetch.Event{
		{Kind: fetch.Asking, Host: "hub.test", Text: "https://hub.test/x"},
		{Kind: fetch.Waiting, Host: "hub.test", Text: "asking https://hub.test/x: status 503 (Service Unavailable)", Wait: 7 * time.Second},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
