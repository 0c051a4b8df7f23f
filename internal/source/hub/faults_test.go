package hub_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/fetch/fetchtest"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/source/hub"
)

// small is tiny with less weight, for tests that read it very often.
func small() fstest.MapFS {
	fsys := tiny("")
	fsys["acme/tiny/tiny.gguf"].Data = gguf(2*fetch.Block + 99)
	fsys["acme/tiny/model.safetensors"].Data = gguf(500)
	return fsys
}

// verified reports whether the body of a request is compared with a digest: all files but weights. The listing is what
// they are compared with, and only TLS protects it.
func verified(r *http.Request) bool {
	return strings.Contains(r.URL.Path, "/resolve/") &&
		!strings.HasSuffix(r.URL.Path, ".gguf") && !strings.HasSuffix(r.URL.Path, ".safetensors")
}

// If a run over a bad network reports something, it is what a run over a good one reports; what it does not report has a
// named error and a gap; and a second run over a good network is whole, whatever the first left in the cache.
func TestBadNetwork(t *testing.T) {
	s := start(t, small(), nil)
	want := s.open("acme/tiny")
	wantFiles := readAll(t, want.FS)
	transport := &http.Transport{}
	defer transport.CloseIdleConnections()
	opened, read, failed := 0, 0, 0
	seeds := 60
	if testing.Short() {
		seeds = 20
	}
	for seed := range uint64(seeds) {
		disk := &fetchtest.Disk{}
		clock := fetchtest.NewClock(s.clock.Now())
		network := fetchtest.NewNetwork(transport, seed, 0.05+float64(seed%10)/15, verified)
		withDisk := func(o *fetch.Options) { o.CacheDir, o.CacheFS = "/cache", disk }
		bad := s.again(func(o *fetch.Options) {
			withDisk(o)
			clock.Set(o)
			o.Transport = network
		})
		snap, err := bad.Open(t.Context(), ref("acme/tiny"))
		switch {
		case err != nil:
			if strings.HasPrefix(kindOf(err), "unnamed") {
				t.Errorf("seed %d: %v (%q)", seed, err, network.Faults())
			}
			failed++
		default:
			opened++
			read += checkBad(t, seed, want, snap, wantFiles)
		}
		if clock.Slept() > 2*fetch.MaxWait {
			t.Errorf("seed %d: waited %s for two hosts", seed, clock.Slept())
		}
		again, err := s.again(withDisk).Open(t.Context(), ref("acme/tiny"))
		if err != nil {
			t.Fatalf("seed %d: the second run fails: %v", seed, err)
		}
		if d := cmp.Diff(wantFiles, readAll(t, again.FS)); d != "" {
			t.Errorf("seed %d: the second run differs after %q", seed, network.Faults())
		}
	}
	t.Logf("%d runs opened with %d whole files, %d failed", opened, read, failed)
	if opened == 0 || read == 0 || failed == 0 {
		t.Error("the faults are too many or too few to show anything")
	}
}

func checkBad(t *testing.T, seed uint64, want, got *source.Snapshot, files map[string]string) (read int) {
	t.Helper()
	if d := cmp.Diff(want.Claims, got.Claims); d != "" || want.Revision != got.Revision {
		t.Errorf("seed %d: claims differ (-want +got):\n%s", seed, d)
	}
	if d := cmp.Diff(want.Files, got.Files); d != "" {
		t.Errorf("seed %d: the list of files differs (-want +got):\n%s", seed, d)
	}
	content := readAll(t, got.FS)
	gaps := map[string]bool{}
	for _, g := range got.FS.(*hub.Files).Gaps() {
		gaps[g.What] = true
	}
	for p, c := range content {
		switch {
		case c == files[p]:
			read++
		case !strings.HasPrefix(c, "error: ") || strings.Contains(c, "unnamed") || !gaps[p]:
			t.Errorf("seed %d: %s is %.60q, gap %v", seed, p, c, gaps[p])
		}
	}
	if len(content) != len(files) {
		t.Errorf("seed %d: %d files, want %d", seed, len(content), len(files))
	}
	return read
}
