package oci_test

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
	"github.com/llmcheck/llmcheck/internal/source/oci"
	"github.com/llmcheck/llmcheck/internal/source/oci/ocitest"
)

// serve starts a registry and returns its host and options that reach it, also for Ollama's registry.
func serve(t *testing.T, r *ocitest.Registry) (string, oci.Options) {
	t.Helper()
	server := httptest.NewServer(r)
	t.Cleanup(server.Close)
	host := strings.TrimPrefix(server.URL, "http://")
	return host, oci.Options{
		Client:         server.Client(),
		PlainHTTP:      func(h string) bool { return h == host },
		OllamaRegistry: host,
	}
}

func parse(t *testing.T, s string) model.Ref {
	t.Helper()
	ref, err := model.ParseRef(s)
	if err != nil {
		t.Fatal(err)
	}
	return ref
}

func open(t *testing.T, o oci.Options, ref string) *source.Snapshot {
	t.Helper()
	s, err := oci.New(o).Open(t.Context(), parse(t, ref))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// texts reads all files of a snapshot that are not weights.
func texts(t *testing.T, s *source.Snapshot) map[string]string {
	t.Helper()
	got := map[string]string{}
	err := fs.WalkDir(s.FS, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		data, err := fs.ReadFile(s.FS, path)
		got[path] = string(data)
		if len(data) > 2 && string(data[:2]) == "GG" {
			got[path] = fmt.Sprintf("GGUF of %d bytes", len(data))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// gaps writes gaps on one line each.
func gaps(s *source.Snapshot) []string {
	list := []string{}
	for _, g := range s.Gaps {
		list = append(list, fmt.Sprintf("%s: %s: %s", g.Kind, g.What, g.Why))
	}
	return list
}

var tiny = ocitest.GGUF(map[string]string{"general.architecture": "llama", "general.license": "apache-2.0"}, 100)

// TestKinds opens one artifact of each kind.
func TestKinds(t *testing.T) {
	safetensors := string(ocitest.Safetensors(map[string]string{"format": "pt"}, 10))
	registry := func(where, value string) model.Claim {
		return model.Claim{Origin: model.FromRegistry, Where: where, Value: value}
	}
	for _, tt := range []struct {
		name     string
		artifact ocitest.Artifact
		files    map[string]string
		claims   []model.Claim
		gaps     []string
	}{
		{
			"Ollama with two license layers", ocitest.Ollama(tiny, "first text", "second text"),
			map[string]string{"model.gguf": fmt.Sprintf("GGUF of %d bytes", len(tiny)), "LICENSE": "first text", "LICENSE.2": "second text"},
			nil,
			[]string{},
		},
		{
			"ModelPack with documents in an archive",
			ocitest.ModelPack([]string{"Apache-2.0", "LicenseRef-x"}, ocitest.File{Name: "model.safetensors", Data: safetensors},
				[]ocitest.File{{Name: "./LICENSE", Data: "the terms"}, {Name: "docs/README.md", Data: "# tiny"}, {Name: "docs/picture.png", Data: "x"}},
				ocitest.File{Name: "config.json", Data: "{}"}, ocitest.File{Name: "tokenizer.json", Data: "{}"}),
			map[string]string{
				"model.safetensors": safetensors, "LICENSE": "the terms", "docs/README.md": "# tiny", "config.json": "{}", "tokenizer.json": "{}",
			},
			[]model.Claim{
				registry("oci config descriptor.licenses", "Apache-2.0"), registry("oci config descriptor.licenses", "LicenseRef-x"),
			},
			[]string{},
		},
		{
			"KitOps with the weights in an archive",
			ocitest.KitOps("MIT", []ocitest.File{{Name: "weights/tiny.gguf", Data: string(tiny)}, {Name: "config.json", Data: "{}"}},
				ocitest.File{Name: "LICENSE", Data: "the terms"}),
			map[string]string{"weights/tiny.gguf": fmt.Sprintf("GGUF of %d bytes", len(tiny)), "config.json": "{}", "LICENSE": "the terms"},
			[]model.Claim{registry("oci config package.license", "MIT"), registry("oci config model.license", "MIT")},
			[]string{"absent: oci config datasets[0].license: it says \"CC-BY-NC-4.0\", of what is packed beside the model, and is not judged"},
		},
		{
			"Docker Model Runner with keys of the header",
			ocitest.Docker(tiny, map[string]string{"general.license": "other", "general.license.name": "tiny license", "general.license.link": "https://example.com"}, "the terms"),
			map[string]string{"model.gguf": fmt.Sprintf("GGUF of %d bytes", len(tiny)), "LICENSE": "the terms"},
			[]model.Claim{{
				Origin: model.FromRegistry, Where: "oci config config.gguf general.license",
				Value: "other", Name: "tiny license", Link: "https://example.com",
			}},
			[]string{},
		},
		{
			"annotations of the manifest",
			ocitest.Artifact{
				Config:      ocitest.Blob{MediaType: "application/vnd.oci.empty.v1+json", Data: []byte("{}")},
				Layers:      []ocitest.Blob{{MediaType: "application/vnd.docker.ai.gguf.v3", Data: tiny}},
				Annotations: map[string]string{"org.opencontainers.image.licenses": " MIT OR Apache-2.0 ", "org.opencontainers.image.source": "https://example.com"},
			},
			map[string]string{"model.gguf": fmt.Sprintf("GGUF of %d bytes", len(tiny))},
			[]model.Claim{registry("oci annotation org.opencontainers.image.licenses", "MIT OR Apache-2.0")},
			[]string{},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ocitest.New()
			digest := r.Put("acme/tiny", "v1", tt.artifact)
			host, o := serve(t, r)
			s := open(t, o, "oci:"+host+"/acme/tiny:v1")
			if s.Revision != digest {
				t.Errorf("got revision %s, want %s", s.Revision, digest)
			}
			if diff := cmp.Diff(tt.files, texts(t, s)); diff != "" {
				t.Error("files, -want +got:\n" + diff)
			}
			if diff := cmp.Diff(tt.claims, s.Claims); diff != "" {
				t.Error("claims, -want +got:\n" + diff)
			}
			if diff := cmp.Diff(tt.gaps, gaps(s)); diff != "" {
				t.Error("gaps, -want +got:\n" + diff)
			}
			if err := fstest.TestFS(s.FS, slices.Collect(mapKeys(tt.files))...); err != nil {
				t.Error(err)
			}
			again := open(t, o, "oci:"+host+"/acme/tiny@"+digest)
			if again.Revision != digest {
				t.Errorf("by digest we got %s", again.Revision)
			}
		})
	}
}

func mapKeys(m map[string]string) func(func(string) bool) {
	return func(yield func(string) bool) {
		for k := range m {
			if !yield(k) {
				return
			}
		}
	}
}

// TestListing checks the published sizes and digests.
func TestListing(t *testing.T) {
	r := ocitest.New()
	r.Put("library/tiny", "latest", ocitest.Ollama(tiny, "the terms"))
	_, o := serve(t, r)
	s := open(t, o, "ollama:tiny")
	want := []model.File{
		{Path: "LICENSE", Size: 9, SHA256: ocitest.Digest([]byte("the terms"))[7:]},
		{Path: "model.gguf", Size: int64(len(tiny)), SHA256: ocitest.Digest(tiny)[7:]},
		{Path: "params", Size: 16, SHA256: ocitest.Digest([]byte(`{"stop":["<s>"]}`))[7:]},
		{Path: "template", Size: 13, SHA256: ocitest.Digest([]byte("{{ .Prompt }}"))[7:]},
	}
	if diff := cmp.Diff(want, s.Files); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
}

// TestOllamaNames checks where each form of a name is asked for.
func TestOllamaNames(t *testing.T) {
	r := ocitest.New()
	host, o := serve(t, r)
	for ref, path := range map[string]string{
		"ollama:tiny":                           "/v2/library/tiny/manifests/latest",
		"ollama:tiny:1b":                        "/v2/library/tiny/manifests/1b",
		"ollama:acme/tiny:1b":                   "/v2/acme/tiny/manifests/1b",
		"ollama:ollama.com/acme/tiny":           "/v2/acme/tiny/manifests/latest",
		"ollama:" + host + "/Acme/Tiny-GGUF:Q4": "/v2/Acme/Tiny-GGUF/manifests/Q4",
	} {
		_, err := oci.New(o).Open(t.Context(), parse(t, ref))
		if !errors.Is(err, source.ErrNotFound) {
			t.Errorf("%s: got %v, want %v", ref, err, source.ErrNotFound)
		}
		asked := r.Requests()
		if got := asked[len(asked)-1].Path; got != path {
			t.Errorf("%s asked for %s, want %s", ref, got, path)
		}
	}
}

// TestRefused lists references that no registry is asked for.
func TestRefused(t *testing.T) {
	client := &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) {
		t.Error("there was a request")
		return nil, errors.New("no")
	})}
	for name, ref := range map[string]model.Ref{
		"host without namespace":       {Scheme: model.SchemeOllama, Name: "hf.co/tiny"},
		"too many parts":               {Scheme: model.SchemeOllama, Name: "a/b/c/d"},
		"no registry":                  {Scheme: model.SchemeOCI, Name: "tiny"},
		"another scheme":               {Scheme: model.SchemeHub, Name: "acme/tiny"},
		"repository that leaves":       {Scheme: model.SchemeOCI, Name: "example.com/a/../b"},
		"repository with a query":      {Scheme: model.SchemeOCI, Name: "example.com/a?b"},
		"repository with an escape":    {Scheme: model.SchemeOCI, Name: "example.com/a%2fb"},
		"host with a user":             {Scheme: model.SchemeOCI, Name: "user@example.com/a"},
		"tag with a slash":             {Scheme: model.SchemeOCI, Name: "example.com/a", Revision: "../x"},
		"digest that is a path":        {Scheme: model.SchemeOCI, Name: "example.com/a", Revision: "sha256:../../etc/passwd"},
		"digest in upper case":         {Scheme: model.SchemeOCI, Name: "example.com/a", Revision: "sha256:" + strings.Repeat("A", 64)},
		"digest of another algorithm":  {Scheme: model.SchemeOCI, Name: "example.com/a", Revision: "sha512:" + strings.Repeat("a", 128)},
		"digest with something behind": {Scheme: model.SchemeOCI, Name: "example.com/a", Revision: "sha256:" + strings.Repeat("a", 64) + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			if s, err := oci.New(oci.Options{Client: client}).Open(t.Context(), ref); err == nil {
				t.Errorf("got %+v", s)
			}
		})
	}
	t.Run("http to another machine", func(t *testing.T) {
		o := oci.Options{Client: client, PlainHTTP: func(string) bool { return true }}
		if _, err := oci.New(o).Open(t.Context(), parse(t, "oci:example.com/a:b")); err == nil {
			t.Error("got no error")
		}
	})
	t.Run("offline", func(t *testing.T) {
		o := oci.Options{Client: client, Offline: true, OllamaModels: fstest.MapFS{}}
		for _, ref := range []string{"ollama:tiny", "oci:example.com/a:b"} {
			if _, err := oci.New(o).Open(t.Context(), parse(t, ref)); !errors.Is(err, source.ErrOffline) {
				t.Errorf("%s: got %v, want %v", ref, err, source.ErrOffline)
			}
		}
	})
}

type roundTrip func(*http.Request) (*http.Response, error)

func (f roundTrip) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestFaults checks the class of each fault of the manifest.
func TestFaults(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults ocitest.Faults
		want   error
	}{
		{"no such tag", ocitest.Faults{Status: map[string]int{"v1": 404}, Code: map[string]string{"v1": "MANIFEST_UNKNOWN"}}, source.ErrNotFound},
		{"no such repository", ocitest.Faults{Status: map[string]int{"v1": 404}, Code: map[string]string{"v1": "NAME_UNKNOWN"}}, source.ErrNotFound},
		{"404 without a code", ocitest.Faults{Status: map[string]int{"v1": 404}}, source.ErrNotFound},
		{"unknown, said with 400", ocitest.Faults{Status: map[string]int{"v1": 400}, Code: map[string]string{"v1": "NAME_INVALID"}}, source.ErrNotFound},
		{"401 without a challenge", ocitest.Faults{Status: map[string]int{"v1": 401}}, source.ErrForbidden},
		{"403", ocitest.Faults{Status: map[string]int{"v1": 403}, Code: map[string]string{"v1": "DENIED"}}, source.ErrForbidden},
		{"basic without a credential", ocitest.Faults{Basic: true, User: "u", Password: "p"}, source.ErrForbidden},
		{"rate limit", ocitest.Faults{Status: map[string]int{"v1": 429}, Code: map[string]string{"v1": "TOOMANYREQUESTS"}}, source.ErrUnreachable},
		{"server fault", ocitest.Faults{Status: map[string]int{"v1": 500}}, source.ErrUnreachable},
		{"bad gateway", ocitest.Faults{Status: map[string]int{"v1": 502}}, source.ErrUnreachable},
		{"token service down", ocitest.Faults{Realm: "self", Status: map[string]int{"token": 503}}, source.ErrUnreachable},
		{"token service refuses", ocitest.Faults{Realm: "self", Status: map[string]int{"token": 403}}, source.ErrForbidden},
		{"bad request", ocitest.Faults{Status: map[string]int{"v1": 400}}, source.ErrMalformed},
		{"other bytes than the digest says", ocitest.Faults{Bytes: map[string][]byte{"v1": []byte("{}")}}, source.ErrMalformed},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ocitest.New()
			r.Put("acme/tiny", "v1", ocitest.Ollama(tiny, "text"))
			r.Faults = tt.faults
			host, o := serve(t, r)
			_, err := oci.New(o).Open(t.Context(), parse(t, "oci:"+host+"/acme/tiny:v1"))
			if !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
			for _, class := range []error{source.ErrNotFound, source.ErrForbidden, source.ErrUnreachable, source.ErrMalformed, source.ErrOffline} {
				if class != tt.want && errors.Is(err, class) { //nolint:errorlint // classes are compared, not errors
					t.Errorf("%v is also %v", err, class)
				}
			}
			if err != nil && strings.Contains(err.Error(), "token-of-the-test-registry") {
				t.Errorf("the error repeats a secret: %v", err)
			}
		})
	}
	t.Run("nobody answers", func(t *testing.T) {
		host, o := serve(t, ocitest.New())
		o.Client = &http.Client{Transport: roundTrip(func(*http.Request) (*http.Response, error) { return nil, io.ErrUnexpectedEOF })}
		_, err := oci.New(o).Open(t.Context(), parse(t, "oci:"+host+"/acme/tiny:v1"))
		if !errors.Is(err, source.ErrUnreachable) {
			t.Errorf("got %v, want %v", err, source.ErrUnreachable)
		}
	})
	t.Run("canceled", func(t *testing.T) {
		host, o := serve(t, ocitest.New())
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err := oci.New(o).Open(ctx, parse(t, "oci:"+host+"/acme/tiny:v1"))
		if !errors.Is(err, context.Canceled) || errors.Is(err, source.ErrUnreachable) {
			t.Errorf("got %v, want %v", err, context.Canceled)
		}
	})
}

// TestBlobFaults checks that what cannot be read is a gap, and never a file.
func TestBlobFaults(t *testing.T) {
	text := "the terms"
	digest := ocitest.Digest([]byte(text))
	artifact := ocitest.Ollama(tiny, text)
	config := ocitest.Digest(artifact.Config.Data)
	for _, tt := range []struct {
		name   string
		faults ocitest.Faults
		what   string
		want   model.GapKind
	}{
		{"license is not there", ocitest.Faults{Status: map[string]int{digest: 404}}, "LICENSE", model.Unread},
		{"license is refused", ocitest.Faults{Status: map[string]int{digest: 403}}, "LICENSE", model.Unread},
		{"server fault", ocitest.Faults{Status: map[string]int{digest: 503}}, "LICENSE", model.Unreachable},
		{"rate limit", ocitest.Faults{Status: map[string]int{digest: 429}}, "LICENSE", model.Unreachable},
		{"other bytes of the same length", ocitest.Faults{Bytes: map[string][]byte{digest: []byte("the germs")}}, "LICENSE", model.Unread},
		{"longer", ocitest.Faults{Bytes: map[string][]byte{digest: []byte("the terms, and more")}}, "LICENSE", model.Unread},
		{"shorter", ocitest.Faults{Bytes: map[string][]byte{digest: []byte("the")}}, "LICENSE", model.Unread},
		{"cut off", ocitest.Faults{Cut: map[string]bool{digest: true}}, "LICENSE", model.Unreachable},
		{"config is another", ocitest.Faults{Bytes: map[string][]byte{config: []byte("{}")}}, "oci config", model.Unread},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ocitest.New()
			r.Put("library/tiny", "latest", artifact)
			r.Faults = tt.faults
			_, o := serve(t, r)
			s := open(t, o, "ollama:tiny")
			if len(s.Gaps) != 1 || s.Gaps[0].What != tt.what || s.Gaps[0].Kind != tt.want {
				t.Errorf("got gaps %q, want one of kind %s for %s", gaps(s), tt.want, tt.what)
			}
			if _, err := fs.Stat(s.FS, "LICENSE"); tt.what == "LICENSE" && !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("there is a LICENSE (%v)", err)
			}
		})
	}
}

// TestTexts follows one license layer through sizes.
func TestTexts(t *testing.T) {
	big := strings.Repeat("x", model.MaxText)
	r := ocitest.New()
	r.Put("library/tiny", "latest", ocitest.Ollama(tiny, big, big+"x"))
	_, o := serve(t, r)
	s := open(t, o, "ollama:tiny")
	if data, err := fs.ReadFile(s.FS, "LICENSE"); err != nil || len(data) != len(big) {
		t.Errorf("got %d bytes, %v", len(data), err)
	}
	want := []string{"unread: LICENSE.2: it has 8388609 bytes, more than the 8388608 that are read"}
	if diff := cmp.Diff(want, gaps(s)); diff != "" {
		t.Error("-want +got:\n" + diff)
	}
	for _, req := range r.Requests() {
		if strings.Contains(req.Path, ocitest.Digest([]byte(big + "x"))[7:]) {
			t.Error("a blob above the limit was asked for")
		}
	}
}

// TestRanges reads a header out of weights, from a second server, and counts what was taken.
func TestRanges(t *testing.T) {
	weights := ocitest.GGUF(map[string]string{"general.name": "tiny"}, 1<<20)
	for _, tt := range []struct {
		name   string
		faults ocitest.Faults
		want   error
	}{
		{"ranges", ocitest.Faults{}, nil},
		{"a server that knows no ranges", ocitest.Faults{NoRange: true}, nil},
		{"a server that sends another range", ocitest.Faults{BadRange: true}, source.ErrMalformed},
		{"a server that is busy", ocitest.Faults{Status: map[string]int{ocitest.Digest(weights): 429}}, source.ErrUnreachable},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ocitest.New()
			r.Put("library/tiny", "latest", ocitest.Ollama(weights, "text"))
			r.Faults = tt.faults
			_, o := serve(t, r)
			s := open(t, o, "ollama:tiny")
			f, err := s.FS.Open("model.gguf")
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			at := f.(io.ReaderAt)
			for _, off := range []int64{0, 4, 60, 500_000, int64(len(weights)) - 7} {
				got := make([]byte, 7)
				_, err := at.ReadAt(got, off)
				if tt.want != nil && off != 0 || tt.want == nil {
					if !errors.Is(err, tt.want) && (tt.want != nil || err != nil) {
						t.Errorf("at %d: got %v, want %v", off, err, tt.want)
					}
				}
				if tt.want == nil && !bytes.Equal(got, weights[off:off+7]) {
					t.Errorf("at %d: other bytes", off)
				}
			}
			if n, err := at.ReadAt(make([]byte, 10), int64(len(weights))-3); tt.want == nil && (n != 3 || !errors.Is(err, io.EOF)) {
				t.Errorf("at the end: got %d, %v", n, err)
			}
			asked := 0
			for _, req := range r.Requests() {
				if strings.HasSuffix(req.Path, ocitest.Digest(weights)) {
					asked++
					if req.Range == "" {
						t.Error("the weights were asked for whole")
					}
				}
			}
			if asked == 0 || tt.want == nil && asked > 3 {
				t.Errorf("there were %d requests", asked)
			}
		})
	}
}

// TestClosed checks that files end with their snapshot.
func TestClosed(t *testing.T) {
	r := ocitest.New()
	r.Put("library/tiny", "latest", ocitest.Ollama(tiny, "text"))
	_, o := serve(t, r)
	s, err := oci.New(o).Open(t.Context(), parse(t, "ollama:tiny"))
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := fs.ReadFile(s.FS, "model.gguf"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}

// TestSecondServer sends all blobs to another port, which must never see a credential.
func TestSecondServer(t *testing.T) {
	for _, tt := range []struct {
		name   string
		faults ocitest.Faults
		cred   oci.Credential
	}{
		{"anonymous token", ocitest.Faults{Realm: "self"}, oci.Credential{}},
		{"token for a password", ocitest.Faults{Realm: "self", User: "u", Password: "secret"}, oci.Credential{Username: "u", Password: "secret"}},
		{"token that is given", ocitest.Faults{Realm: "self"}, oci.Credential{RegistryToken: "token-of-the-test-registry"}},
		{"basic", ocitest.Faults{Basic: true, User: "u", Password: "secret"}, oci.Credential{Username: "u", Password: "secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ocitest.New()
			r.Put("acme/tiny", "v1", ocitest.Ollama(tiny, "text"))
			cdn := httptest.NewServer(r.Blobs())
			defer cdn.Close()
			r.Faults = tt.faults
			r.Faults.Redirects = cdn.URL + "/signed/"
			host, o := serve(t, r)
			o.Credential = func(_ context.Context, asked string) (oci.Credential, error) {
				if asked != host {
					t.Errorf("the credential of %s was asked for", asked)
				}
				return tt.cred, nil
			}
			s := open(t, o, "oci:"+host+"/acme/tiny:v1")
			if diff := cmp.Diff([]string{}, gaps(s)); diff != "" {
				t.Error("gaps, -want +got:\n" + diff)
			}
			if got := texts(t, s)["LICENSE"]; got != "text" {
				t.Errorf("got %q", got)
			}
			foreign, known := 0, 0
			for _, req := range r.Requests() {
				switch {
				case req.Server == "blobs":
					foreign++
					if req.Auth != "" {
						t.Errorf("%s got %q", req.Path, req.Auth)
					}
				case req.Auth != "":
					known++
				}
			}
			if foreign < 3 || known == 0 {
				t.Errorf("%d requests reached the second server, %d were authorized; nothing was tested", foreign, known)
			}
		})
	}
}

// TestForeignRealm names a token service on another host. It is asked without our name, unless the user trusts it, and
// even then only over https.
func TestForeignRealm(t *testing.T) {
	for _, tt := range []struct {
		name string
		cred oci.Credential
		want error
	}{
		{"nobody", oci.Credential{}, nil},
		{"a password", oci.Credential{Username: "u", Password: "secret"}, source.ErrForbidden},
		{"an identity token", oci.Credential{IdentityToken: "secret"}, source.ErrForbidden},
	} {
		for _, trusted := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, trusted %v", tt.name, trusted), func(t *testing.T) {
				r := ocitest.New()
				r.Put("acme/tiny", "v1", ocitest.Ollama(tiny, "text"))
				service := httptest.NewServer(r.TokenService())
				defer service.Close()
				r.Faults.Realm = service.URL + "/token"
				if tt.cred != (oci.Credential{}) {
					r.Faults.User, r.Faults.Password = "u", "secret"
				}
				host, o := serve(t, r)
				o.Credential = func(context.Context, string) (oci.Credential, error) { return tt.cred, nil }
				o.TokenHost = func(string, string) bool { return trusted }
				_, err := oci.New(o).Open(t.Context(), parse(t, "oci:"+host+"/acme/tiny:v1"))
				if !errors.Is(err, tt.want) {
					t.Errorf("got %v, want %v", err, tt.want)
				}
				for _, req := range r.Requests() {
					if req.Server == "token" && (req.Auth != "" || req.Method != http.MethodGet) {
						t.Errorf("the foreign service got %s with %q", req.Method, req.Auth)
					}
				}
			})
		}
	}
}

// TestHostileManifests lists manifests that no honest tool writes.
func TestHostileManifests(t *testing.T) {
	digest := "sha256:" + strings.Repeat("a", 64)
	layer := `{"mediaType":"application/vnd.ollama.image.license","digest":"` + digest + `","size":1}`
	manifest := func(layers string) string {
		return `{"schemaVersion":2,"config":{"mediaType":"x","digest":"` + digest + `","size":1},"layers":[` + layers + `]}`
	}
	for name, data := range map[string]string{
		"empty":                          "",
		"a login page":                   "<!DOCTYPE html><title>Sign in</title>",
		"null":                           "null",
		"a list":                         "[]",
		"nothing in it":                  "{}",
		"no layers":                      `{"schemaVersion":2}`,
		"schema 1":                       `{"schemaVersion":1,"layers":[` + layer + `]}`,
		"two values":                     manifest(layer) + manifest(layer),
		"digest that is a path":          manifest(strings.ReplaceAll(layer, digest, "../../../../etc/passwd")),
		"digest that hides a path":       manifest(strings.ReplaceAll(layer, digest, digest+"/../x")),
		"digest in upper case":           manifest(strings.ReplaceAll(layer, digest, strings.ToUpper(digest))),
		"digest of another algorithm":    manifest(strings.ReplaceAll(layer, digest, "sha512:"+strings.Repeat("a", 128))),
		"no digest":                      manifest(`{"mediaType":"application/vnd.ollama.image.license","size":1}`),
		"negative size":                  manifest(strings.ReplaceAll(layer, `:1}`, `:-1}`)),
		"size above all memory":          manifest(strings.ReplaceAll(layer, `:1}`, `:9223372036854775807}`)),
		"size that wraps":                manifest(strings.ReplaceAll(layer, `:1}`, `:18446744073709551616}`)),
		"size that is no integer":        manifest(strings.ReplaceAll(layer, `:1}`, `:1.5}`)),
		"layers twice":                   strings.Replace(manifest(layer), `"schemaVersion":2,`, `"schemaVersion":2,"layers":[],`, 1),
		"layers twice in another case":   strings.Replace(manifest(layer), `"schemaVersion":2,`, `"schemaVersion":2,"LAYERS":[],`, 1),
		"layers twice with a long s":     strings.Replace(manifest(layer), `"schemaVersion":2,`, `"schemaVersion":2,"layer\u017f":[],`, 1),
		"too many layers":                manifest(strings.TrimSuffix(strings.Repeat(layer+",", 4097), ",")),
		"deep":                           strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
		"too large":                      manifest(layer) + strings.Repeat(" ", 4<<20),
		"manifest and index":             strings.Replace(manifest(layer), `"schemaVersion":2,`, `"schemaVersion":2,"manifests":[`+layer+`],`, 1),
		"index in an index":              `{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.index.v1+json","digest":"` + digest + `","size":1}]}`,
		"index in an index, written out": `{"schemaVersion":2,"manifests":[{"manifests":[` + layer + `]}]}`,
		"too many manifests":             `{"schemaVersion":2,"manifests":[` + strings.TrimSuffix(strings.Repeat(layer+",", 257), ",") + `]}`,
		"a container image":              strings.ReplaceAll(manifest(layer), "application/vnd.ollama.image.license", "application/vnd.oci.image.layer.v1.tar"),
	} {
		t.Run(name, func(t *testing.T) {
			r := ocitest.New()
			r.PutManifest("acme/tiny", "v1", ocitest.ManifestType, []byte(data))
			host, o := serve(t, r)
			_, err := oci.New(o).Open(t.Context(), parse(t, "oci:"+host+"/acme/tiny:v1"))
			if !errors.Is(err, source.ErrMalformed) {
				t.Errorf("got %v, want %v", err, source.ErrMalformed)
			}
			if n := len(r.Requests()); n != 1 {
				t.Errorf("there were %d requests, want 1", n)
			}
		})
	}
}

// TestForeignLayers gives a layer with an address of its own, which is never asked.
func TestForeignLayers(t *testing.T) {
	trap := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the address was asked") }))
	defer trap.Close()
	r := ocitest.New()
	d := r.PutBlob(ocitest.Blob{MediaType: "application/vnd.ollama.image.license", Data: []byte("text")})
	d.URLs = []string{trap.URL}
	data, err := json.Marshal(map[string]any{"schemaVersion": 2, "layers": []ocitest.Descriptor{d}})
	if err != nil {
		t.Fatal(err)
	}
	r.PutManifest("library/tiny", "latest", ocitest.ManifestType, data)
	_, o := serve(t, r)
	if got := texts(t, open(t, o, "ollama:tiny")); got["LICENSE"] != "text" {
		t.Errorf("got %q", got)
	}
}

// TestNames gives layers names that are not ones.
func TestNames(t *testing.T) {
	named := func(path, data string) ocitest.Blob {
		return ocitest.Blob{
			MediaType: "application/vnd.cncf.model.doc.v1.raw", Data: []byte(data),
			Annotations: map[string]string{"org.cncf.model.filepath": path},
		}
	}
	for _, name := range []string{
		"../LICENSE", "/etc/LICENSE", "a/../../LICENSE", `..\LICENSE`, `C:\LICENSE`, "C:LICENSE", `\\host\LICENSE`, "a//LICENSE", "LICENSE/",
		"LICENSE\n", "LIC\x00ENSE", "LICENSE\u202e", "con", "a/NUL.md", "COM1", "lpt9.md", "LICENSE.", "LICENSE ", strings.Repeat("a", 300),
		strings.Repeat("a/", 600) + "b", "LICENSE:stream", "a?", ".",
	} {
		t.Run(fmt.Sprintf("%.30q", name), func(t *testing.T) {
			r := ocitest.New()
			a := ocitest.ModelPack(nil, ocitest.File{Name: "model.gguf", Data: string(tiny)}, nil)
			a.Layers = append(a.Layers, named(name, "text"))
			r.Put("acme/tiny", "v1", a)
			host, o := serve(t, r)
			s := open(t, o, "oci:"+host+"/acme/tiny:v1")
			if len(s.Gaps) != 1 || s.Gaps[0].Kind != model.Unread || !strings.Contains(s.Gaps[0].Why, "its name is refused") {
				t.Errorf("got gaps %q", gaps(s))
			}
			if got := texts(t, s)["file"]; got != "text" {
				t.Errorf("got files %q", texts(t, s))
			}
		})
	}
	t.Run("two of one name", func(t *testing.T) {
		r := ocitest.New()
		a := ocitest.ModelPack(nil, ocitest.File{Name: "model.gguf", Data: string(tiny)}, nil)
		a.Layers = append(a.Layers, named("LICENSE", "one"), named("LICENSE", "one"), named("LICENSE/x", "two"), named("README.md", "1"), named("README.md", "2"))
		r.Put("acme/tiny", "v1", a)
		host, o := serve(t, r)
		want := []string{
			"unread: LICENSE/x: two layers hold a file of this name, and only the first was read",
			"unread: README.md: two layers hold a file of this name, and only the first was read",
		}
		if diff := cmp.Diff(want, gaps(open(t, o, "oci:"+host+"/acme/tiny:v1"))); diff != "" {
			t.Error("-want +got:\n" + diff)
		}
	})
}

// TestArchives opens archives that no honest tool makes.
func TestArchives(t *testing.T) {
	text := ocitest.File{Name: "LICENSE", Data: "text"}
	zeros := strings.Repeat("\x00", 1<<20)
	many := make([]ocitest.File, 5000)
	for i := range many {
		many[i].Name = fmt.Sprintf("f%d.dat", i)
	}
	for _, tt := range []struct {
		name  string
		end   string
		data  []byte
		files map[string]string
		gap   string
	}{
		{"not an archive", "tar", []byte(strings.Repeat("no", 1000)), nil, "reading the archive"},
		{"not compressed", "tar+gzip", ocitest.Tar(text), nil, "it is not packed with gzip"},
		{"packed with zstd", "tar+zstd", []byte("x"), nil, `packed with "zstd"`},
		{"packed with a thing of the future", "tar+xz", []byte("x"), nil, `packed with "xz"`},
		{"cut off", "tar", ocitest.Tar(text)[:514], nil, "unexpected EOF"},
		{"cut off inside gzip", "tar+gzip", cutGzip(ocitest.Tar(text)), nil, "unexpected EOF"},
		{"gzip bomb", "tar+gzip", ocitest.Gzip(bomb(257)), map[string]string{"LICENSE": "text"}, "becomes more than"},
		{"text above the limit", "tar", ocitest.Tar(text, ocitest.File{Name: "NOTICE", Data: strings.Repeat("x", model.MaxText+1)}), map[string]string{"LICENSE": "text"}, "it has 8388609 bytes"},
		{"large member that nobody needs", "tar+gzip", ocitest.Gzip(ocitest.Tar(ocitest.File{Name: "a.dat", Data: strings.Repeat(zeros, 20)}, text)), map[string]string{"LICENSE": "text"}, ""},
		{"too many members", "tar", ocitest.Tar(append(many, text)...), nil, "more than the 4096 members"},
		{"weights inside a compressed one", "tar+gzip", ocitest.Gzip(ocitest.Tar(text, ocitest.File{Name: "a.gguf", Data: "x"})), map[string]string{"LICENSE": "text"}, "no header is read"},
		{"members that leave", "tar", ocitest.Tar(text, ocitest.File{Name: "../../LICENSE", Data: "x"}), map[string]string{"LICENSE": "text"}, "its name is refused"},
		{"links", "tar", ocitest.TarOf([]tar.Header{{Name: "LICENSE", Typeflag: tar.TypeSymlink, Linkname: "/etc/passwd"}}, []string{""}), nil, "it is a link"},
		{"a link that nobody needs", "tar", ocitest.TarOf([]tar.Header{{Name: "a.md", Typeflag: tar.TypeSymlink, Linkname: "b.md"}}, []string{""}), nil, ""},
		{"other texts", "tar", ocitest.Tar(ocitest.File{Name: "a.md", Data: "x"}, ocitest.File{Name: "b.txt", Data: strings.Repeat("x", 300<<10)}, ocitest.File{Name: "c.py", Data: "x"}), map[string]string{"a.md": "x"}, ""},
		{"a hard link", "tar", ocitest.TarOf([]tar.Header{{Name: "LICENSE", Typeflag: tar.TypeLink, Linkname: "../x"}}, []string{""}), nil, "it is a link"},
		{"a pipe", "tar", ocitest.TarOf([]tar.Header{{Name: "LICENSE", Typeflag: tar.TypeFifo}}, []string{""}), nil, "it is a link"},
		{"twice with other words", "tar", ocitest.Tar(text, ocitest.File{Name: "LICENSE", Data: "other"}), map[string]string{"LICENSE": "text"}, "two layers hold a file of this name"},
		{"folders", "tar", ocitest.TarOf([]tar.Header{{Name: "docs/", Typeflag: tar.TypeDir, Mode: 0o755}, {Name: "docs/README.md", Typeflag: tar.TypeReg, Size: 1}}, []string{"", "x"}), map[string]string{"docs/README.md": "x"}, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ocitest.New()
			a := ocitest.ModelPack(nil, ocitest.File{Name: "model.gguf", Data: string(tiny)}, nil)
			a.Layers = append(a.Layers, ocitest.Blob{MediaType: "application/vnd.cncf.model.doc.v1." + tt.end, Data: tt.data})
			r.Put("acme/tiny", "v1", a)
			host, o := serve(t, r)
			s := open(t, o, "oci:"+host+"/acme/tiny:v1")
			got := texts(t, s)
			delete(got, "model.gguf")
			if tt.files == nil {
				tt.files = map[string]string{}
			}
			if diff := cmp.Diff(tt.files, got); diff != "" {
				t.Error("files, -want +got:\n" + diff)
			}
			switch {
			case tt.gap == "" && len(s.Gaps) > 0, tt.gap != "" && (len(s.Gaps) != 1 || s.Gaps[0].Kind != model.Unread || !strings.Contains(s.Gaps[0].Why, tt.gap)):
				t.Errorf("got gaps %q, want %q", gaps(s), tt.gap)
			}
		})
	}
}

// bomb is an archive with a license in front and megabytes of zeros behind.
func bomb(megabytes int) []byte {
	data := ocitest.Tar(ocitest.File{Name: "LICENSE", Data: "text"}, ocitest.File{Name: "zeros.dat", Data: strings.Repeat("\x00", megabytes<<20)})
	return data
}

func cutGzip(data []byte) []byte {
	packed := ocitest.Gzip(data)
	return packed[:len(packed)/3]
}

// TestArchiveDigest swaps a compressed archive: not one of its members may be shown.
func TestArchiveDigest(t *testing.T) {
	r := ocitest.New()
	a := ocitest.KitOps("MIT", []ocitest.File{{Name: "a.gguf", Data: string(tiny)}}, ocitest.File{Name: "LICENSE", Data: "text"})
	r.Put("acme/tiny", "v1", a)
	honest := a.Layers[1].Data
	swapped := ocitest.Gzip(ocitest.Tar(ocitest.File{Name: "LICENSE", Data: "germ"}))
	r.Faults.Bytes = map[string][]byte{ocitest.Digest(honest): slices.Clip(swapped)}
	host, o := serve(t, r)
	s := open(t, o, "oci:"+host+"/acme/tiny:v1")
	if got, ok := texts(t, s)["LICENSE"]; ok {
		t.Errorf("got %q", got)
	}
	if !slices.ContainsFunc(s.Gaps, func(g model.Gap) bool { return g.Kind == model.Unread && strings.Contains(g.Why, "not the blob") }) {
		t.Errorf("got gaps %q", gaps(s))
	}
}

// TestLargeArchive reads a header and a license out of an archive that is not fetched.
func TestLargeArchive(t *testing.T) {
	weights := ocitest.GGUF(map[string]string{"general.name": "tiny"}, 20<<20)
	r := ocitest.New()
	a := ocitest.KitOps("MIT", []ocitest.File{{Name: "tiny.gguf", Data: string(weights)}, {Name: "LICENSE", Data: "text"}})
	r.Put("acme/tiny", "v1", a)
	host, o := serve(t, r)
	s := open(t, o, "oci:"+host+"/acme/tiny:v1")
	if data, err := fs.ReadFile(s.FS, "LICENSE"); string(data) != "text" {
		t.Errorf("got %q, %v", data, err)
	}
	f, err := s.FS.Open("tiny.gguf")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	head := make([]byte, 100)
	if _, err := f.(io.ReaderAt).ReadAt(head, 0); err != nil || !bytes.Equal(head, weights[:100]) {
		t.Errorf("got %q, %v", head, err)
	}
	asked := 0
	for _, req := range r.Requests() {
		if strings.HasSuffix(req.Path, ocitest.Digest(a.Layers[0].Data)) {
			asked++
			if req.Range == "" {
				t.Error("the archive was asked for whole")
			}
		}
	}
	if asked == 0 || asked > 5 {
		t.Errorf("there were %d requests", asked)
	}
}

// TestIndex opens indexes of several manifests.
func TestIndex(t *testing.T) {
	r := ocitest.New()
	put := func(tag string, a ocitest.Artifact) ocitest.Descriptor {
		return ocitest.Descriptor{MediaType: ocitest.ManifestType, Digest: r.Put("acme/tiny", tag, a), Size: 1}
	}
	image := put("image", ocitest.Artifact{Layers: []ocitest.Blob{{MediaType: "application/vnd.oci.image.layer.v1.tar", Data: []byte("x")}}})
	first := put("first", ocitest.Ollama(tiny, "text"))
	same := put("same", ocitest.Ollama(append(tiny, 1), "text"))
	other := put("other", ocitest.Ollama(tiny, "other text"))
	signature := image
	signature.Annotations = map[string]string{"vnd.docker.reference.type": "attestation-manifest"}
	host, o := serve(t, r)
	for _, tt := range []struct {
		name    string
		entries []ocitest.Descriptor
		gaps    []string
	}{
		{"one", []ocitest.Descriptor{first}, []string{}},
		{"one and its provenance", []ocitest.Descriptor{signature, first}, []string{}},
		{"an image before it", []ocitest.Descriptor{image, first}, []string{}},
		{"a build with the same terms", []ocitest.Descriptor{first, same}, []string{
			"absent: manifest " + same.Digest + ": the index holds several builds with the same documents; the first was taken",
		}},
		{"a build with other terms", []ocitest.Descriptor{first, other}, []string{
			"unread: manifest " + other.Digest + ": the index holds several models and the first was taken; name this one by its digest to check it",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r.PutIndex("acme/tiny", "index", ocitest.IndexType, tt.entries...)
			s := open(t, o, "oci:"+host+"/acme/tiny:index")
			if s.Revision != first.Digest {
				t.Errorf("got %s, want %s", s.Revision, first.Digest)
			}
			if diff := cmp.Diff(tt.gaps, gaps(s)); diff != "" {
				t.Error("-want +got:\n" + diff)
			}
		})
	}
	t.Run("no model at all", func(t *testing.T) {
		r.PutIndex("acme/tiny", "index", ocitest.IndexType, image)
		if _, err := oci.New(o).Open(t.Context(), parse(t, "oci:"+host+"/acme/tiny:index")); !errors.Is(err, source.ErrMalformed) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an index behind an entry", func(t *testing.T) {
		inner := r.PutIndex("acme/tiny", "inner", ocitest.IndexType, first)
		r.PutIndex("acme/tiny", "index", ocitest.IndexType, ocitest.Descriptor{MediaType: ocitest.ManifestType, Digest: inner, Size: 1})
		if _, err := oci.New(o).Open(t.Context(), parse(t, "oci:"+host+"/acme/tiny:index")); !errors.Is(err, source.ErrMalformed) {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a list of Ollama with the manifest written out", func(t *testing.T) {
		list := fmt.Sprintf(`{"schemaVersion":2,"mediaType":%q,"manifests":[%s]}`, ocitest.OllamaListType, r.Manifest(ocitest.Ollama(tiny, "text")))
		digest := r.PutManifest("acme/tiny", "list", ocitest.OllamaListType, []byte(list))
		s := open(t, o, "oci:"+host+"/acme/tiny:list")
		if got := texts(t, s)["LICENSE"]; got != "text" || s.Revision != digest {
			t.Errorf("got %q at %s", got, s.Revision)
		}
	})
}

// TestDisk reads Ollama's store without a registry, in its older and its newer form.
func TestDisk(t *testing.T) {
	r := ocitest.New()
	digest := r.Put("library/tiny", "latest", ocitest.Ollama(tiny, "text"))
	r.Put("acme/tiny", "1b", ocitest.Ollama(tiny, "text"))
	for _, host := range []string{"registry.ollama.ai", "ollama.com"} {
		store := fstest.MapFS{}
		for path, data := range r.Store(host) {
			store[path] = &fstest.MapFile{Data: data}
			if host == "ollama.com" {
				delete(store, path)
				store[strings.Replace(path, "manifests/", "manifests-v2/", 1)] = &fstest.MapFile{Data: data}
			}
		}
		o := oci.Options{Offline: true, OllamaModels: store}
		for _, ref := range []string{"ollama:tiny", "ollama:acme/tiny:1b"} {
			t.Run(host+" "+ref, func(t *testing.T) {
				s := open(t, o, ref)
				if s.Revision != digest {
					t.Errorf("got %s, want %s", s.Revision, digest)
				}
				want := map[string]string{"LICENSE": "text", "model.gguf": fmt.Sprintf("GGUF of %d bytes", len(tiny))}
				if diff := cmp.Diff(want, texts(t, s)); diff != "" {
					t.Error("-want +got:\n" + diff)
				}
				if diff := cmp.Diff([]string{}, gaps(s)); diff != "" {
					t.Error("gaps, -want +got:\n" + diff)
				}
			})
		}
	}
}

// TestDiskFaults spoils the store.
func TestDiskFaults(t *testing.T) {
	blob := "blobs/" + strings.Replace(ocitest.Digest([]byte("text")), ":", "-", 1)
	weights := "blobs/" + strings.Replace(ocitest.Digest(tiny), ":", "-", 1)
	manifest := "manifests/registry.ollama.ai/library/tiny/latest"
	for _, tt := range []struct {
		name  string
		spoil func(fstest.MapFS)
		err   error
		gaps  []string
	}{
		{"manifest is a pipe", func(m fstest.MapFS) { m[manifest].Mode = fs.ModeNamedPipe }, source.ErrMalformed, nil},
		{"manifest is a folder", func(m fstest.MapFS) { m[manifest].Mode = fs.ModeDir }, source.ErrMalformed, nil},
		{"manifest is too large", func(m fstest.MapFS) { m[manifest].Data = make([]byte, 5<<20) }, source.ErrMalformed, nil},
		{"manifest is cut", func(m fstest.MapFS) { m[manifest].Data = m[manifest].Data[:50] }, source.ErrMalformed, nil},
		{"license is gone", func(m fstest.MapFS) { delete(m, blob) }, nil, []string{"unread: LICENSE"}},
		{"license is a pipe", func(m fstest.MapFS) { m[blob].Mode = fs.ModeNamedPipe }, nil, []string{"unread: LICENSE"}},
		{"license is another", func(m fstest.MapFS) { m[blob].Data = []byte("germ") }, nil, []string{"unread: LICENSE"}},
		{"weights are cut", func(m fstest.MapFS) { m[weights].Data = m[weights].Data[:10] }, nil, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ocitest.New()
			r.Put("library/tiny", "latest", ocitest.Ollama(tiny, "text"))
			store := fstest.MapFS{}
			for path, data := range r.Store("registry.ollama.ai") {
				store[path] = &fstest.MapFile{Data: slices.Clone(data)}
			}
			tt.spoil(store)
			s, err := oci.New(oci.Options{Offline: true, OllamaModels: store}).Open(t.Context(), parse(t, "ollama:tiny"))
			if !errors.Is(err, tt.err) {
				t.Fatalf("got %v, want %v", err, tt.err)
			}
			if err != nil {
				return
			}
			defer func() { _ = s.Close() }()
			got := []string{}
			for _, g := range s.Gaps {
				got = append(got, string(g.Kind)+": "+g.What)
			}
			if diff := cmp.Diff(tt.gaps, got); diff != "" {
				t.Error("-want +got:\n" + diff)
			}
			if _, err := fs.ReadFile(s.FS, "model.gguf"); tt.name == "weights are cut" && !errors.Is(err, source.ErrMalformed) {
				t.Errorf("got %v", err)
			}
		})
	}
	t.Run("not in the store, so the registry is asked", func(t *testing.T) {
		r := ocitest.New()
		r.Put("library/tiny", "latest", ocitest.Ollama(tiny, "text"))
		_, o := serve(t, r)
		o.OllamaModels = fstest.MapFS{}
		open(t, o, "ollama:tiny")
	})
}

// TestBesides checks what is noted about parents, clouds, data and unknown layers.
func TestBesides(t *testing.T) {
	for _, tt := range []struct {
		name string
		a    ocitest.Artifact
		gaps []string
	}{
		{"a model made from another", func() ocitest.Artifact {
			a := ocitest.Ollama(tiny, "text")
			a.Layers[0].From = "llama3.2:1b"
			a.Layers[1].From = "/root/.ollama/models/blobs/sha256-x"
			return a
		}(), []string{"absent: base model llama3.2:1b: a layer was made from it, and it is not followed; its terms may bind"}},
		{"a model that runs elsewhere", ocitest.Artifact{
			Config: ocitest.Blob{Data: []byte(`{"remote_host":"https://ollama.com:443","remote_model":"big:1t"}`)},
			Layers: []ocitest.Blob{{MediaType: "application/vnd.ollama.image.license", Data: []byte("text")}},
		}, []string{
			`absent: weights: the model runs at "https://ollama.com:443" as "big:1t"; nothing of it is published here`,
			"absent: weights: the artifact lists no layer that is known to hold weights",
		}},
		{"a modelkit on top of another", ocitest.Artifact{
			Config: ocitest.Blob{
				MediaType: "application/vnd.kitops.modelkit.config.v1+json",
				Data:      []byte(`{"model":{"path":"jozu.ml/acme/base:1.0","license":"MIT","parts":[{"license":"X"}]}}`),
			},
			Layers: []ocitest.Blob{{MediaType: "application/vnd.kitops.modelkit.model.v1.raw", Data: tiny, Annotations: map[string]string{"org.cncf.model.filepath": "a.gguf"}}},
		}, []string{"unread: base modelkit jozu.ml/acme/base:1.0: named by oci config model.path and not followed; check oci:jozu.ml/acme/base:1.0 as well"}},
		{"training data", ocitest.Artifact{
			Config: ocitest.Blob{MediaType: "application/vnd.cncf.model.config.v1+json", Data: []byte(`{}`)},
			Layers: []ocitest.Blob{
				{MediaType: "application/vnd.cncf.model.weight.v1.raw", Data: tiny},
				{MediaType: "application/vnd.cncf.model.dataset.v1.tar", Data: []byte("x")},
			},
		}, []string{"absent: dataset: training data is packed with the model, and is not read"}},
		{"a layer of the future", ocitest.Artifact{
			Config: ocitest.Blob{MediaType: "application/vnd.docker.ai.model.config.v0.9+json", Data: []byte(`{}`)},
			Layers: []ocitest.Blob{
				{MediaType: "application/vnd.docker.ai.gguf.v3", Data: tiny},
				{MediaType: "application/vnd.docker.ai.terms.v1", Data: []byte("text")},
			},
		}, []string{"unread: layer " + ocitest.Digest([]byte("text")) + `: media type "application/vnd.docker.ai.terms.v1" is not known`}},
		{"a configuration that says two things", ocitest.Artifact{
			Config: ocitest.Blob{
				MediaType: "application/vnd.cncf.model.config.v1+json",
				Data:      []byte(`{"descriptor":{"licenses":["MIT"]},"Descriptor":{"licenses":["X"]}}`),
			},
			Layers: []ocitest.Blob{{MediaType: "application/vnd.cncf.model.weight.v1.raw", Data: tiny}},
		}, []string{`unread: oci config: line 1: the keys "descriptor" and "Descriptor" differ by case only`}},
		{"tensors as layers", ocitest.Artifact{
			Config: ocitest.Blob{Data: []byte(`{}`)},
			Layers: []ocitest.Blob{
				{MediaType: "application/vnd.ollama.image.tensor", Data: []byte("1")},
				{MediaType: "application/vnd.ollama.image.tensor; name=a; dtype=BF16", Data: []byte("2")},
			},
		}, []string{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := ocitest.New()
			r.Put("acme/tiny", "v1", tt.a)
			host, o := serve(t, r)
			if diff := cmp.Diff(tt.gaps, gaps(open(t, o, "oci:"+host+"/acme/tiny:v1"))); diff != "" {
				t.Error("-want +got:\n" + diff)
			}
		})
	}
}
