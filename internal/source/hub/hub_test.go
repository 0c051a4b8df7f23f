package hub_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/fetch/fetchtest"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/source/hub"
	"github.com/llmcheck/llmcheck/internal/source/hub/hubtest"
)

const token = "hf_TestTokenTestToken"

const card = `---
license: other
license_name: llama3.1
license_link: LICENSE
base_model: meta-llama/Llama-3.1-8B
base_model_relation: finetune
tags:
- llama
---
# Tiny
`

// gguf is a file with the right first bytes and a body whose every part differs.
func gguf(size int) []byte {
	b := []byte("GGUF")
	for i := 0; len(b) < size; i++ {
		b = fmt.Appendf(b, "%07d\n", i)
	}
	return b[:size]
}

// tiny is a repository with a card, a license, a nested file, and weights of 600 kB.
func tiny(hubFile string) fstest.MapFS {
	m := fstest.MapFS{
		"acme/tiny/README.md":         {Data: []byte(card)},
		"acme/tiny/LICENSE":           {Data: []byte("The terms.\n")},
		"acme/tiny/config.json":       {Data: []byte(`{"model_type":"llama"}`)},
		"acme/tiny/onnx/config.json":  {Data: []byte(`{}`)},
		"acme/tiny/tiny.gguf":         {Data: gguf(600_000)},
		"acme/tiny/model.safetensors": {Data: gguf(300_000)},
	}
	if hubFile != "" {
		m["acme/tiny/.hub"] = &fstest.MapFile{Data: []byte(hubFile)}
	}
	return m
}

type setup struct {
	t       *testing.T
	server  *hubtest.Hub
	opener  *hub.Opener
	clock   *fetchtest.Clock
	cache   string
	options fetch.Options
}

func start(t *testing.T, fsys fs.FS, change func(*fetch.Options)) *setup {
	t.Helper()
	s := &setup{t: t, server: hubtest.Start(fsys), clock: fetchtest.NewClock(time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC))}
	t.Cleanup(func() {
		s.server.Close()
		for _, f := range s.server.Faults() {
			t.Errorf("the hub says: %s", f)
		}
	})
	s.options = fetch.Options{Endpoint: s.server.URL, Token: token}
	s.clock.Set(&s.options)
	if change != nil {
		change(&s.options)
	}
	s.opener = s.again(nil)
	return s
}

// cached is start with a cache on the disk, which costs the time of its fsyncs.
func cached(t *testing.T, fsys fs.FS) *setup {
	t.Helper()
	dir := t.TempDir()
	s := start(t, fsys, func(o *fetch.Options) { o.CacheDir = dir })
	s.cache = dir
	return s
}

// again is the opener of another run with the same cache.
func (s *setup) again(change func(*fetch.Options)) *hub.Opener {
	s.t.Helper()
	o := s.options
	if change != nil {
		change(&o)
	}
	c, err := fetch.New(o)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(c.CloseIdle)
	return &hub.Opener{Client: c}
}

func ref(s string) model.Ref {
	r, err := model.ParseRef(s)
	if err != nil {
		panic(err)
	}
	return r
}

func (s *setup) open(name string) *source.Snapshot {
	s.t.Helper()
	snap, err := s.opener.Open(s.t.Context(), ref(name))
	if err != nil {
		s.t.Fatal(err)
	}
	return snap
}

func TestOpen(t *testing.T) {
	s := start(t, tiny(""), nil)
	snap := s.open("acme/tiny")
	commit, _ := s.server.Commit("acme/tiny")
	if snap.Revision != commit || len(commit) != 40 {
		t.Errorf("revision %q, want the commit %q", snap.Revision, commit)
	}
	wantClaims := []model.Claim{{
		Origin: model.FromRegistry, Where: "hub api cardData.license", Value: "other", Name: "llama3.1", Link: "LICENSE",
	}}
	if d := cmp.Diff(wantClaims, snap.Claims); d != "" {
		t.Errorf("claims (-want +got):\n%s", d)
	}
	wantParents := []model.Parent{{Ref: "meta-llama/Llama-3.1-8B", Relation: model.Finetune, Where: "hub api cardData.base_model"}}
	if d := cmp.Diff(wantParents, snap.FS.(*hub.Files).Parents()); d != "" {
		t.Errorf("parents (-want +got):\n%s", d)
	}
	if len(snap.Gaps) != 0 {
		t.Errorf("gaps: %v", snap.Gaps)
	}
	if len(snap.Files) != 6 || snap.Files[0].Path != "LICENSE" || snap.Files[5].Size != 600_000 || len(snap.Files[5].SHA256) != 64 {
		t.Errorf("files: %+v", snap.Files)
	}
}

// The files are a file system as io/fs means it; weights are not in this one because fs.ReadFile refuses them.
func TestFilesAreAFileSystem(t *testing.T) {
	fsys := tiny("")
	delete(fsys, "acme/tiny/tiny.gguf")
	delete(fsys, "acme/tiny/model.safetensors")
	s := start(t, fsys, nil)
	if err := fstest.TestFS(s.open("acme/tiny").FS, "README.md", "LICENSE", "config.json", "onnx/config.json"); err != nil {
		t.Error(err)
	}
}

func TestOnlyWhatIsNeededIsFetched(t *testing.T) {
	s := start(t, tiny(""), nil)
	snap := s.open("acme/tiny@main")
	if _, err := fs.ReadDir(snap.FS, "."); err != nil {
		t.Fatal(err)
	}
	f, err := snap.FS.Open("tiny.gguf")
	if err != nil {
		t.Fatal(err)
	}
	p := make([]byte, 100)
	if _, err := f.(io.ReaderAt).ReadAt(p, 50); err != nil || !bytes.Equal(p, gguf(600_000)[50:150]) {
		t.Errorf("got %q, %v", p, err)
	}
	commit, _ := s.server.Commit("acme/tiny")
	want := []string{
		"GET /api/models/acme/tiny/revision/main?blobs=true token",
		"GET /acme/tiny/resolve/" + commit + "/tiny.gguf bytes=0-262143 token",
		"CDN GET /acme/tiny/" + commit + "/tiny.gguf?X-Amz-Expires=3600&X-Amz-Signature=5e1f bytes=0-262143",
	}
	if d := cmp.Diff(want, s.server.Requests()); d != "" {
		t.Errorf("requests (-want +got):\n%s", d)
	}
	if _, err := fs.ReadFile(snap.FS, "tiny.gguf"); err == nil {
		t.Error("weights were read whole")
	}
}

func TestSecondRunNeedsOnlyTheListing(t *testing.T) {
	s := cached(t, tiny(""))
	readAll(t, s.open("acme/tiny").FS)
	s.server.Reset()
	s.opener = s.again(nil)
	readAll(t, s.open("acme/tiny").FS)
	if got := s.server.Requests(); len(got) != 1 {
		t.Errorf("requests of the second run: %q", got)
	}
}

// readAll reads every file through to its end and gives their contents.
func readAll(t *testing.T, fsys fs.FS) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := fs.WalkDir(fsys, ".", func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		f, err := fsys.Open(p)
		if err != nil {
			out[p] = "error: " + kindOf(err)
			return nil
		}
		defer f.Close()
		b, err := io.ReadAll(f)
		if err != nil {
			out[p] = "error: " + kindOf(err)
			return nil
		}
		out[p] = string(b)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func kindOf(err error) string {
	for _, k := range []error{source.ErrNotFound, source.ErrForbidden, source.ErrOffline, source.ErrMalformed, source.ErrUnreachable} {
		if errors.Is(err, k) {
			return k.Error()
		}
	}
	return "unnamed: " + err.Error()
}

// Each way in which a hub fails: what Open says, and what the files say if it opens.
func TestFailures(t *testing.T) {
	for _, tt := range []struct {
		name   string
		hub    string
		ref    string
		change func(*fetch.Options)
		open   error             // nil if it opens
		says   string            // in the error of Open, or in the gaps
		files  map[string]string // path → error; others read well
		tries  int               // requests of the listing; 0 is 1
	}{
		{name: "not there", ref: "acme/none", open: source.ErrNotFound, says: "has no model acme/none"},
		{name: "not there, no token", ref: "acme/none", change: noToken, open: source.ErrNotFound, says: "or it is private"},
		{name: "no such revision", ref: "acme/tiny@v9", open: source.ErrNotFound, says: `no revision "v9"`},
		{name: "no such commit", ref: "acme/tiny@" + strings.Repeat("a", 40), open: source.ErrNotFound, says: "no revision"},
		{name: "no such file", ref: "acme/tiny#none.gguf", open: source.ErrNotFound, says: "it has tiny.gguf"},
		{name: "private, no token", hub: "private: true", change: noToken, open: source.ErrNotFound, says: "set HF_TOKEN"},
		{
			name: "gated, no token", hub: "gated: manual", change: noToken, says: "accept its terms on",
			files: everything(source.ErrForbidden),
		},
		{
			name: "gated, another's token", hub: "gated: auto\ntoken: hf_other", says: "accept its terms on",
			files: everything(source.ErrForbidden),
		},
		{name: "gated, with access", hub: "gated: auto\ntoken: " + token},
		{
			name: "gated, whole repository", hub: "status: 403\nerror-code: GatedRepo\non: list", open: source.ErrForbidden,
			says: "accept its terms on",
		},
		{name: "401 that quotes the token", hub: "echo: true", open: source.ErrForbidden, says: "does not accept the access token"},
		{name: "403 of the hub", hub: "status: 403\non: list", open: source.ErrForbidden, says: "may not read"},
		{
			name: "disabled", hub: "status: 403\nerror-message: Access to this resource is disabled.\non: list",
			open: source.ErrForbidden, says: "has disabled",
		},
		{name: "404 without a name", hub: "status: 404\non: list", open: source.ErrNotFound, says: "HF_ENDPOINT"},
		{name: "429, an hour", hub: "status: 429\nretry-after: 3600\non: list", open: source.ErrUnreachable, says: "until 2026-11-24 13:00:00 UTC"},
		{name: "429, twice five seconds", hub: "status: 429\nretry-after: 5\ntimes: 2\non: list", tries: 3},
		{name: "503 for good", hub: "status: 503\non: list", open: source.ErrUnreachable, says: "tried 4 times", tries: 4},
		{name: "flaky", hub: "flake: 3\non: list", tries: 4},
		{name: "flaky files", hub: "flake: 2\non: files"},
		{name: "flaky download server", hub: "flake: 2\non: cdn"},
		{
			name: "download server refuses", hub: "status: 403\non: cdn",
			files: map[string]string{"tiny.gguf": "did not answer", "model.safetensors": "did not answer"},
		},
		{name: "portal", hub: "html: true\non: list", open: source.ErrUnreachable, says: "a portal"},
		{name: "portal at the files", hub: "html: true\non: files", files: everything(source.ErrMalformed)},
		{name: "cut listing", hub: "json: cut\non: list", open: source.ErrMalformed, says: "reading the listing"},
		{name: "empty listing", hub: "json: nothing\non: list", open: source.ErrMalformed, says: "reading the listing"},
		{name: "connection cut in the listing", hub: "cut: 40\non: list", open: source.ErrUnreachable, tries: 4},
		{name: "connection cut once", hub: "cut: 40\ntimes: 1\non: list", tries: 2},
		{
			name: "connection cut in the files", hub: "cut: 1\non: cdn",
			files: map[string]string{"tiny.gguf": "did not answer", "model.safetensors": "did not answer"},
		},
		{name: "moved", ref: "acme/old", says: "renamed from acme/old to acme/tiny"},
		{
			name: "swapped bytes", hub: "content: swap\non: files",
			files: map[string]string{"README.md": "malformed", "LICENSE": "malformed", "config.json": "malformed", "onnx/config.json": "malformed"},
		},
		{
			name: "longer files", hub: "content: longer",
			files: everything(source.ErrMalformed),
		},
		{name: "files of another commit", hub: "commit: wrong", files: everything(source.ErrMalformed)},
		{
			name: "another size at the hub", hub: "linked: size",
			files: map[string]string{"tiny.gguf": "malformed", "model.safetensors": "malformed"},
		},
		{
			name: "another digest at the hub", hub: "linked: digest",
			files: map[string]string{"tiny.gguf": "malformed", "model.safetensors": "malformed"},
		},
		{name: "ranges ignored", hub: "range: ignore\non: cdn"},
		{
			name: "other ranges", hub: "range: wrong\non: cdn",
			files: map[string]string{"tiny.gguf": "malformed", "model.safetensors": "malformed"},
		},
		{
			name: "names that leave the folder", hub: "extra-file: ../../etc/passwd\nextra-file: /etc/passwd\nextra-file: C:\\x\nextra-file: a/../b",
			says: "contains the element",
		},
		{name: "a file twice", hub: "extra-file: LICENSE", open: source.ErrMalformed, says: "listed twice"},
		{name: "a file that is a folder", hub: "extra-file: LICENSE/x", open: source.ErrMalformed, says: "as a file and as a folder"},
		{
			name: "a listed file that is not there", hub: "extra-file: NOTICE",
			files: map[string]string{"NOTICE": "not found"},
		},
		{name: "no sizes and digests", hub: "no-blobs: true"},
		{name: "no sizes, a portal", hub: "no-blobs: true\nhtml: true\non: files", files: everything(source.ErrMalformed)},
		{name: "redirect on the same host", hub: "resolve-cache: true"},
		{name: "a branch with a slash", hub: "revision: refs/pr/1", ref: "acme/tiny@refs/pr/1"},
		{name: "a license in LFS", hub: "lfs: LICENSE"},
		{name: "a changed license in LFS", hub: "lfs: LICENSE\ncontent: swap\nfile: LICENSE\non: cdn", files: map[string]string{"LICENSE": "malformed"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := tiny(tt.hub)
			fsys["acme/old/.hub"] = &fstest.MapFile{Data: []byte("moved-to: acme/tiny")}
			s := start(t, fsys, tt.change)
			if tt.ref == "" {
				tt.ref = "acme/tiny"
			}
			snap, err := s.opener.Open(t.Context(), ref(tt.ref))
			checkTries(t, s, tt.tries)
			if tt.open != nil {
				if !errors.Is(err, tt.open) || !strings.Contains(err.Error(), tt.says) {
					t.Errorf("got %v\nwant %v that says %q", err, tt.open, tt.says)
				}
				if err != nil && strings.Contains(err.Error(), token) {
					t.Errorf("the token is shown: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			checkFiles(t, fsys, snap, tt.files)
			if !strings.Contains(fmt.Sprint(snap.Gaps), tt.says) {
				t.Errorf("gaps %v do not say %q", snap.Gaps, tt.says)
			}
		})
	}
}

func noToken(o *fetch.Options) { o.Token = "" }

func everything(err error) map[string]string {
	out := map[string]string{}
	for _, n := range []string{"README.md", "LICENSE", "config.json", "onnx/config.json", "tiny.gguf", "model.safetensors"} {
		out[n] = err.Error()
	}
	return out
}

func checkTries(t *testing.T, s *setup, want int) {
	t.Helper()
	n := 0
	for _, r := range s.server.Requests() {
		if strings.HasPrefix(r, "GET /api/models/acme/tiny/") || strings.HasPrefix(r, "GET /api/models/acme/none/") {
			n++
		}
	}
	if want = max(want, 1); n != want {
		t.Errorf("the listing was asked for %d times, want %d", n, want)
	}
	if d := s.clock.Slept(); d > fetch.MaxWait {
		t.Errorf("waited %s", d)
	}
}

// checkFiles compares every file with what the repository holds, or with the error it must give, which is also a gap.
func checkFiles(t *testing.T, fsys fstest.MapFS, snap *source.Snapshot, faults map[string]string) {
	t.Helper()
	got := readAll(t, snap.FS)
	gaps := map[string]bool{}
	for _, g := range snap.FS.(*hub.Files).Gaps() {
		gaps[g.What] = true
	}
	for p := range faults {
		if _, ok := got[p]; !ok {
			t.Errorf("%s is not listed", p)
		}
	}
	for p, content := range got {
		want, fails := faults[p]
		switch {
		case fails && (!strings.HasPrefix(content, "error: ") || !strings.Contains(content, want) || !gaps[p]):
			t.Errorf("%s: got %.60q (gap %v), want an error and a gap: %s", p, content, gaps[p], want)
		case !fails && content != string(fsys["acme/tiny/"+p].Data):
			t.Errorf("%s: got %.60q, want what is in the repository", p, content)
		}
	}
}

func TestGatedRepositoryIsAskedOnce(t *testing.T) {
	s := start(t, tiny("gated: manual"), noToken)
	readAll(t, s.open("acme/tiny").FS)
	files := slices.DeleteFunc(s.server.Requests(), func(r string) bool { return !strings.Contains(r, "/resolve/") })
	if len(files) > 3 {
		t.Errorf("a closed gate was tried %d times: %q", len(files), files)
	}
}

func TestForbiddenIsPermission(t *testing.T) {
	s := start(t, tiny("gated: manual"), noToken)
	_, err := s.open("acme/tiny").FS.Open("LICENSE")
	if !errors.Is(err, fs.ErrPermission) || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want fs.ErrPermission", err)
	}
	s = start(t, tiny("extra-file: NOTICE"), nil)
	_, err = s.open("acme/tiny").FS.Open("NOTICE")
	if errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a listed file that cannot be had looks like one that the repository lacks: %v", err)
	}
}

func TestOneFileOfMany(t *testing.T) {
	fsys := fstest.MapFS{"acme/q/README.md": {Data: []byte("# Q\n")}}
	for _, n := range []string{"q-Q4.gguf", "q-Q8-00001-of-00002.gguf", "q-Q8-00002-of-00002.gguf"} {
		fsys["acme/q/"+n] = &fstest.MapFile{Data: gguf(100)}
	}
	s := start(t, fsys, nil)
	for file, want := range map[string][]string{
		"q-Q4.gguf":                {"README.md", "q-Q4.gguf"},
		"q-Q8-00001-of-00002.gguf": {"README.md", "q-Q8-00001-of-00002.gguf", "q-Q8-00002-of-00002.gguf"},
	} {
		var got []string
		for _, f := range s.open("acme/q#" + file).Files {
			got = append(got, f.Path)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", file, d)
		}
	}
}

func TestOfflineAndUnreachable(t *testing.T) {
	s := cached(t, tiny(""))
	online := readAll(t, s.open("acme/tiny").FS)
	s.server.Close()

	offline := s.again(func(o *fetch.Options) {
		o.Offline = true
		o.Transport = noDial{t}
	})
	for name, tt := range map[string]struct {
		opener *hub.Opener
		kind   model.GapKind
		why    string
	}{
		"offline":     {offline, model.Absent, "from cache of 2026-11-24, offline"},
		"unreachable": {s.again(nil), model.Unreachable, "from cache of 2026-11-24, hub unreachable"},
	} {
		snap, err := tt.opener.Open(t.Context(), ref("acme/tiny"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := cmp.Diff(online, readAll(t, snap.FS)); d != "" {
			t.Errorf("%s: the files differ (-online +cache)", name)
		}
		want := []model.Gap{{What: "hub " + s.server.URL, Why: tt.why, Kind: tt.kind}}
		if d := cmp.Diff(want, snap.Gaps); d != "" {
			t.Errorf("%s: gaps (-want +got):\n%s", name, d)
		}
	}
	if _, err := offline.Open(t.Context(), ref("acme/other")); !errors.Is(err, source.ErrOffline) {
		t.Errorf("a model that is not in the cache: %v, want offline", err)
	}
}

type noDial struct{ t *testing.T }

func (n noDial) RoundTrip(r *http.Request) (*http.Response, error) {
	n.t.Errorf("a request was made offline: %s", r.URL)
	return nil, errors.New("offline")
}

type fallback struct{ err error }

func (f fallback) Open(_ context.Context, r model.Ref) (*source.Snapshot, error) {
	if f.err != nil {
		return nil, f.err
	}
	return &source.Snapshot{Ref: r, Revision: strings.Repeat("b", 40), FS: fstest.MapFS{}}, nil
}

func TestFallback(t *testing.T) {
	for _, tt := range []struct {
		name    string
		hub     string
		offline bool
		fails   error
		want    string // the gap; "" if the error of the hub stays
	}{
		{name: "offline", offline: true, want: "from cache, offline"},
		{name: "unreachable", hub: "status: 503", want: "from cache, hub unreachable"},
		{name: "portal", hub: "html: true", want: "from cache, hub unreachable"},
		{name: "not in that cache either", hub: "status: 503", fails: source.ErrNotFound},
		{name: "the hub says no", hub: "status: 403"},
		{name: "the hub does not make sense", hub: "json: cut\non: list"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := start(t, tiny(tt.hub), func(o *fetch.Options) { o.Offline = tt.offline })
			s.opener.Fallback = fallback{tt.fails}
			snap, err := s.opener.Open(t.Context(), ref("acme/tiny"))
			if tt.want == "" {
				if err == nil || errors.Is(err, source.ErrNotFound) {
					t.Errorf("got %v, want the error of the hub", err)
				}
				return
			}
			if err != nil || len(snap.Gaps) != 1 || snap.Gaps[0].Why != tt.want {
				t.Errorf("got %+v, %v; want the gap %q", snap, err, tt.want)
			}
		})
	}
}

// Whatever stands in the cache, the answer is that of the hub or none.
func TestDamagedCache(t *testing.T) {
	s := cached(t, tiny(""))
	want := readAll(t, s.open("acme/tiny").FS)
	n := 0
	for _, damage := range []func([]byte) []byte{
		func([]byte) []byte { return nil },
		func(b []byte) []byte { return b[:len(b)/2] },
		func(b []byte) []byte { b[len(b)-1] ^= 1; return b },
		func(b []byte) []byte { b[3] ^= 1; return b },
		func(b []byte) []byte { return append(b, b...) },
	} {
		err := filepath.WalkDir(s.cache, func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			n++
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			return os.WriteFile(p, damage(b), 0o600)
		})
		if err != nil {
			t.Fatal(err)
		}
		snap, err := s.again(nil).Open(t.Context(), ref("acme/tiny"))
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, readAll(t, snap.FS)); d != "" {
			t.Error("a damaged cache changed the files")
		}
	}
	if n == 0 {
		t.Fatal("the cache was empty")
	}
}

func TestListingOfAnotherCommitIsRefused(t *testing.T) {
	s := start(t, tiny("revision: "+strings.Repeat("c", 40)), nil)
	_, err := s.opener.Open(t.Context(), ref("acme/tiny@"+strings.Repeat("c", 40)))
	if !errors.Is(err, source.ErrMalformed) {
		t.Errorf("got %v, want malformed: the listing is of another commit than asked for", err)
	}
}

func TestAddress(t *testing.T) {
	fsys := tiny("")
	for i := 1; i <= 3; i++ {
		fsys[fmt.Sprintf("acme/tiny/s-%05d-of-00003.gguf", i)] = &fstest.MapFile{Data: gguf(1000 * i)}
	}
	fsys["acme/tiny/page.gguf"] = &fstest.MapFile{Data: []byte("<html>no model</html>")}
	s := start(t, fsys, nil)
	base := s.server.URL + "/acme/tiny/resolve/main/"

	snap := s.open(base + "s-00002-of-00003.gguf")
	got := readAll(t, snap.FS)
	for i := 1; i <= 3; i++ {
		if n := fmt.Sprintf("s-%05d-of-00003.gguf", i); got[n] != string(gguf(1000*i)) {
			t.Errorf("%s: got %.40q", n, got[n])
		}
	}
	for _, tt := range []struct {
		name, ref string
		want      error
	}{
		{"not there", base + "none.gguf", source.ErrNotFound},
		{"no GGUF", base + "page.gguf", source.ErrMalformed},
		{"a host that nobody named", "https://models.test/x.gguf", source.ErrForbidden},
		{"a private host that nobody named", "https://10.0.0.1/x.gguf", source.ErrForbidden},
		{"a name that is none", s.server.URL + "/a/..%5c..%5cx.gguf", source.ErrNotFound},
	} {
		if _, err := s.opener.Open(t.Context(), model.Ref{Scheme: model.SchemeURL, Name: tt.ref}); !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

func TestConcurrentReaders(t *testing.T) {
	fsys := tiny("flake: 1\non: cdn")
	s := start(t, fsys, nil)
	snap := s.open("acme/tiny")
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() { checkFiles(t, fsys, snap, nil) })
	}
	wg.Wait()
}
