package hubtest_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/llmcheck/llmcheck/internal/source/hub/hubtest"
)

// ask sends one request and follows no redirect.
func ask(t *testing.T, url string, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(context.Background(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, _ := io.ReadAll(resp.Body)
	return resp, string(b)
}

func repository(hub string) fstest.MapFS {
	return fstest.MapFS{
		"acme/tiny/README.md":         {Data: []byte("---\nlicense: mit\nbase_model:\n- x/y\ntags: [a, b]\n---\n# Tiny\n")},
		"acme/tiny/model.safetensors": {Data: []byte("weights")},
		"acme/tiny/.hub":              {Data: []byte(hub)},
	}
}

func TestShapes(t *testing.T) {
	h := hubtest.Start(repository("gated: auto\ntoken: hf_t"))
	defer h.Close()
	commit, err := h.Commit("acme/tiny")
	if err != nil {
		t.Fatal(err)
	}
	_, body := ask(t, h.URL+"/api/models/acme/tiny/revision/main?blobs=true")
	var got map[string]any
	if err := json.Unmarshal([]byte(body), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"id": "acme/tiny", "sha": commit, "gated": "auto", "author": "acme",
		"tags":     []any{"transformers", "a", "b", "base_model:x/y", "license:mit", "region:us"},
		"cardData": map[string]any{"license": "mit", "base_model": []any{"x/y"}, "tags": []any{"a", "b"}},
	}
	for k := range want {
		if d := cmp.Diff(want[k], got[k]); d != "" {
			t.Errorf("%s (-want +got):\n%s", k, d)
		}
	}
	siblings, ok := got["siblings"].([]any)
	if !ok || len(siblings) != 2 {
		t.Fatalf("siblings: %v", got["siblings"])
	}
	lfs, ok := siblings[1].(map[string]any)["lfs"].(map[string]any)
	if !ok || len(lfs["sha256"].(string)) != 64 || lfs["size"] != 7.0 {
		t.Errorf("lfs: %v", siblings[1])
	}

	file := h.URL + "/acme/tiny/resolve/" + commit + "/model.safetensors"
	for name, tt := range map[string]struct {
		auth   string
		status int
		code   string
	}{"no token": {"", 401, "GatedRepo"}, "another token": {"Bearer hf_x", 403, "GatedRepo"}, "the token": {"Bearer hf_t", 302, ""}} {
		resp, _ := ask(t, file, "Authorization", tt.auth)
		if resp.StatusCode != tt.status || resp.Header.Get("X-Error-Code") != tt.code {
			t.Errorf("%s: status %d, code %q", name, resp.StatusCode, resp.Header.Get("X-Error-Code"))
		}
		if tt.status != 302 {
			continue
		}
		if resp.Header.Get("X-Repo-Commit") != commit || resp.Header.Get("X-Linked-Size") != "7" || !strings.HasPrefix(resp.Header.Get("Location"), h.CDN) {
			t.Errorf("headers: %v", resp.Header)
		}
		resp, body := ask(t, resp.Header.Get("Location"), "Range", "bytes=2-3")
		if resp.StatusCode != 206 || body != "ig" || resp.Header.Get("Content-Range") != "bytes 2-3/7" {
			t.Errorf("part: %d %q %v", resp.StatusCode, body, resp.Header)
		}
	}
	if f := h.Faults(); len(f) != 0 {
		t.Errorf("faults: %q", f)
	}
}

func TestUnknown(t *testing.T) {
	h := hubtest.Start(repository(""))
	defer h.Close()
	for name, tt := range map[string]struct {
		path, auth string
		status     int
		code       string
	}{
		"repository, no token":   {"/api/models/acme/none/revision/main", "", 401, "RepoNotFound"},
		"repository, with token": {"/api/models/acme/none/revision/main", "Bearer hf_t", 404, "RepoNotFound"},
		"revision":               {"/api/models/acme/tiny/revision/v2", "", 404, "RevisionNotFound"},
		"file":                   {"/acme/tiny/resolve/main/NOTICE", "", 404, "EntryNotFound"},
		"settings":               {"/acme/tiny/resolve/main/.hub", "", 404, "EntryNotFound"},
	} {
		resp, _ := ask(t, h.URL+tt.path, "Authorization", tt.auth)
		if resp.StatusCode != tt.status || resp.Header.Get("X-Error-Code") != tt.code {
			t.Errorf("%s: status %d, code %q", name, resp.StatusCode, resp.Header.Get("X-Error-Code"))
		}
	}
}

// The hub notices what it is there to notice.
func TestFaultsAreNoticed(t *testing.T) {
	for name, send := range map[string]func(t *testing.T, h *hubtest.Hub){
		"token at the download server": func(t *testing.T, h *hubtest.Hub) {
			t.Helper()
			ask(t, h.CDN+"/acme/tiny/main/model.safetensors?X-Amz-Signature=1", "Authorization", "Bearer hf_secret")
		},
		"token in a header of its own": func(t *testing.T, h *hubtest.Hub) {
			t.Helper()
			ask(t, h.URL+"/api/models/acme/tiny", "Authorization", "Bearer hf_secret")
			ask(t, h.CDN+"/acme/tiny/main/model.safetensors?X-Amz-Signature=1", "Cookie", "t=hf_secret")
		},
		"token in the address": func(t *testing.T, h *hubtest.Hub) {
			t.Helper()
			ask(t, h.URL+"/api/models/acme/tiny?t=hf_secret", "Authorization", "Bearer hf_secret")
		},
		"a setting that is none": func(t *testing.T, h *hubtest.Hub) {
			t.Helper()
			ask(t, h.URL+"/api/models/acme/wrong")
		},
	} {
		fsys := repository("")
		fsys["acme/wrong/.hub"] = &fstest.MapFile{Data: []byte("sattus: 500\n")}
		h := hubtest.Start(fsys)
		send(t, h)
		if len(h.Faults()) == 0 {
			t.Errorf("%s was not noticed", name)
		}
		h.Close()
	}
}

func TestRequestsAreRecorded(t *testing.T) {
	h := hubtest.Start(repository("status: 500\ntimes: 1"))
	defer h.Close()
	for range 2 {
		ask(t, h.URL+"/api/models/acme/tiny", "Authorization", "Bearer hf_t", "Range", "bytes=0-1")
	}
	want := []string{"GET /api/models/acme/tiny bytes=0-1 token", "GET /api/models/acme/tiny bytes=0-1 token"}
	if d := cmp.Diff(want, h.Requests()); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	h.Reset()
	if len(h.Requests()) != 0 {
		t.Error("requests stay after Reset")
	}
}
