package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"
	"time"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/source/hub/hubtest"
	"github.com/llmcheck/llmcheck/internal/source/oci/ocitest"
)

// ear notes every connection that is made to it, and what was said.
type ear struct {
	net.Listener
	mu    sync.Mutex
	heard []string
}

func listen(t *testing.T) *ear {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e := &ear{Listener: l}
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			_ = c.SetDeadline(time.Now().Add(time.Second))
			b := make([]byte, 512)
			n, _ := c.Read(b)
			e.mu.Lock()
			e.heard = append(e.heard, string(b[:n]))
			e.mu.Unlock()
			_, _ = io.WriteString(c, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
			c.Close()
		}
	}()
	t.Cleanup(func() { l.Close() })
	return e
}

func (e *ear) silent(t *testing.T) {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.heard) > 0 {
		t.Errorf("%d connections were made: %.300q", len(e.heard), e.heard)
	}
	e.heard = nil
}

// hosts are the variables that lead every request to one listener: as the hub, as the registry, and as the proxy.
func (e *ear) hosts() []string {
	at := "http://" + e.Addr().String()
	return []string{
		"HF_ENDPOINT=" + at, "LLMCHECK_OLLAMA_REGISTRY=" + e.Addr().String(), "HTTPS_PROXY=" + at, "HTTP_PROXY=" + at, "ALL_PROXY=" + at,
		"NO_PROXY=", "HF_TOKEN=hf_secret_of_ours",
	}
}

// TestOfflineAsksNobody runs every kind of reference with a listener in the place of the whole network.
func TestOfflineAsksNobody(t *testing.T) {
	e := listen(t)
	dir := t.TempDir()
	write(t, dir, "README.md", "---\nlicense: other\nlicense_link: http://"+e.Addr().String()+"/LICENSE\nbase_model: [acme/base, \"http://"+e.Addr().String()+
		"/x.gguf\", \"https://huggingface.co/acme/two\", gpt2]\ndatasets: [acme/data]\n---\n![x](http://"+e.Addr().String()+"/i.png)\n",
		"adapter_config.json", `{"base_model_name_or_path":"acme/three"}`,
		"m.gguf", string(gguftest.Write([]gguftest.KV{
			{Key: "general.license.link", Value: "http://" + e.Addr().String()},
			{Key: "general.base_model.count", Value: uint32(1)},
			{Key: "general.base_model.0.repo_url", Value: "http://" + e.Addr().String() + "/a/b"},
		}, nil)))
	refs := []string{
		dir, "acme/model", "acme/model@main", "hf:acme/model#m.gguf", "https://huggingface.co/acme/model", "https://" + e.Addr().String() + "/m.gguf",
		"http://" + e.Addr().String() + "/m.gguf", "ollama:llama3", "oci:" + e.Addr().String() + "/a/b:c", "oci:ghcr.io/a/b:c", "license:mit",
		"license:MIT AND LicenseRef-x", "meta-llama/Llama-3.1-8B", "file://" + dir, "./nothing",
	}
	for _, ways := range [][]string{{"--offline"}, {"env"}} {
		for _, ref := range refs {
			env := e.hosts()
			args := []string{"license", "--format", "json", ref}
			if ways[0] == "env" {
				env = append(env, "HF_HUB_OFFLINE=1")
			} else {
				args = append(args, ways...)
			}
			a := runProgram(t, env, args...)
			if bytes.Contains(a.stdout, []byte("hf_secret")) || bytes.Contains(a.stderr, []byte("hf_secret")) {
				t.Errorf("%s: the token is printed", ref)
			}
			if a.took > 2*time.Second && !slow() {
				t.Errorf("%s: took %s", ref, a.took)
			}
			t.Logf("ATTACK offline %-10s %-40.40s %s", ways[0], ref, a)
		}
	}
	// What needs no source asks none, whether told so or not.
	for _, args := range [][]string{{"version"}, {"help"}, {"catalog", "licenses"}, {"catalog", "show", "mit"}, {"license", "license:mit"}} {
		if a := runProgram(t, e.hosts(), args...); a.status != 0 {
			t.Errorf("%q: status %d: %s", args, a.status, a.stderr)
		}
	}
	e.silent(t)
}

// TestCardsChooseNoHost reads a folder, with the network allowed, whose card names addresses of a listener.
func TestCardsChooseNoHost(t *testing.T) {
	e := listen(t)
	at := e.Addr().String()
	dir := t.TempDir()
	write(t, dir, "README.md", "---\nlicense: other\nlicense_link: http://"+at+"/LICENSE\nbase_model: [\"http://"+at+"/x.gguf\", \"https://"+at+
		"/x.gguf\", \"oci:"+at+"/a/b:c\", \"ollama:"+at+"/a/b:c\", \""+at+"/b\", \"hf:"+at+"/b\", \"hf://"+at+"/b\", \"file:///etc/passwd\", \"//"+at+"/b\"]\n---\n",
		"m.gguf", string(gguftest.Write([]gguftest.KV{
			{Key: "general.license.link", Value: "http://" + at},
			{Key: "general.url", Value: "http://" + at},
			{Key: "general.source.url", Value: "http://" + at + "/c/d"},
			{Key: "general.base_model.count", Value: uint32(1)},
			{Key: "general.base_model.0.repo_url", Value: "http://" + at + "/a/b"},
		}, nil)))
	a := license(t, []string{"HF_TOKEN=hf_secret_of_ours"}, []string{"text"}, dir)
	t.Logf("ATTACK addresses in a card %s", a)
	if a.outcome != "undetermined" && a.outcome != "prohibited" {
		t.Errorf("outcome %q", a.outcome)
	}
	e.silent(t)
}

// fault is a hub or a repository that misbehaves.
type fault struct {
	name, hub string // the settings of hubtest for acme/model
	want      string // outcomes
	status    int    // 0: what belongs to the outcome
	env       []string
	says      string
}

func repositories(hub string) fstest.MapFS {
	file := func(s string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(s)} }
	return fstest.MapFS{
		"acme/model/README.md":         file("---\nlicense: mit\n---\n# Model\n"),
		"acme/model/config.json":       file(`{"model_type":"llama"}`),
		"acme/model/model.safetensors": {Data: append(safe(`{"a":{"dtype":"U8","shape":[8],"data_offsets":[0,8]}}`), make([]byte, 8)...)},
		"acme/model/.hub":              file(hub),
		"acme/new/README.md":           file("---\nlicense: mit\n---\n# Model\n"),
		"acme/child/README.md":         file("---\nlicense: mit\nbase_model: acme/model\n---\n"),
	}
}

func TestHostileHub(t *testing.T) {
	for _, f := range []fault{
		{name: "honest", want: "allowed"},
		{name: "429 for an hour", hub: "status: 429\nretry-after: 3600", want: atBestUndetermined, status: 5, says: "1h0m0s"},
		{name: "429 for an hour on files", hub: "on: files\nstatus: 429\nretry-after: 3600", want: atBestUndetermined, status: 5},
		{name: "portal", hub: "html: true", want: atBestUndetermined, status: 5},
		{name: "portal for files", hub: "on: files\nhtml: true", want: atBestUndetermined},
		{name: "listing cut", hub: "on: list\njson: cut", want: atBestUndetermined, status: 5},
		{name: "listing of nothing", hub: "on: list\njson: nothing", want: atBestUndetermined, status: 5},
		{name: "card swapped", hub: "file: README.md\ncontent: swap", want: atBestUndetermined},
		{name: "card longer", hub: "file: README.md\ncontent: longer", want: atBestUndetermined},
		{name: "wrong commit", hub: "on: files\ncommit: wrong", want: atBestUndetermined},
		{name: "size linked wrong", hub: "linked: size", want: atBestUndetermined},
		{name: "digest linked wrong", hub: "linked: digest", want: atBestUndetermined},
		{name: "ranges wrong", hub: "range: wrong", want: atBestUndetermined},
		{name: "ranges ignored", hub: "range: ignore", want: "allowed"},
		{name: "moved", hub: "moved-to: acme/new", want: "allowed", says: "renamed from"},
		{name: "moved in a circle", hub: "moved-to: acme/model", want: atBestUndetermined, status: 5},
		{name: "gated", hub: "gated: manual", want: atBestConditional, status: 5, says: "HF_TOKEN"},
		{name: "gated, with a token that is not accepted", hub: "gated: manual\ntoken: other", env: []string{"HF_TOKEN=hf_secret_of_ours"}, want: atBestConditional, status: 5},
		{name: "private", hub: "private: true", want: atBestUndetermined, status: 5},
		{name: "echo of the token", hub: "echo: true", env: []string{"HF_TOKEN=hf_secret_of_ours"}, want: atBestUndetermined, status: 5},
		{name: "poison in the message", hub: "status: 403\nerror-code: Disabled\nerror-message: \\x1b[31m ::error::x ##[error]y \u202e\u200b", want: atBestUndetermined, status: 5},
		{name: "name that leaves the folder", hub: "extra-file: ../../../../etc/passwd", want: atBestUndetermined},
		{name: "name with a drive", hub: "extra-file: C:\\LICENSE", want: atBestUndetermined},
		{name: "name with an escape", hub: "extra-file: LICENSE\x1b[31m::error::", want: atBestUndetermined},
		{name: "license that is listed and not there", hub: "extra-file: LICENSE", want: atBestUndetermined},
		{name: "no sizes and digests", hub: "no-blobs: true", want: "allowed"},
		{name: "sent on within the host", hub: "resolve-cache: true", want: "allowed"},
	} {
		t.Run(f.name, func(t *testing.T) { f.check(t) })
	}
}

func (f fault) check(t *testing.T) {
	t.Helper()
	hub := hubtest.Start(repositories(f.hub))
	defer hub.Close()
	env := append([]string{"HF_ENDPOINT=" + hub.URL}, f.env...)
	formats := []string{"text"}
	if strings.Contains(f.name, "poison") || strings.Contains(f.name, "name") {
		formats = []string{"text", "jsonl", "markdown", "html", "sarif"}
	}
	got := license(t, env, formats, "--ship", "hosted", "acme/model")
	t.Logf("ATTACK hub: %-45s %s", f.name, got)
	if !strings.Contains(" "+f.want+" ", " "+got.outcome+" ") {
		t.Errorf("outcome %q, want one of %s\n%.3000s", got.outcome, f.want, got.stdout)
	}
	want := f.status
	if want == 0 {
		want = map[string]int{"undetermined": 4, "prohibited": 3}[got.outcome]
	}
	if got.status != want && !(f.status == 0 && got.status == 5 && got.outcome == "undetermined") {
		t.Errorf("status %d, want %d: %.2000s", got.status, want, got.stderr)
	}
	if f.says != "" && !bytes.Contains(got.stdout, []byte(f.says)) && !bytes.Contains(got.stderr, []byte(f.says)) {
		t.Errorf("the answer does not speak of %q: %.3000s\n%s", f.says, got.stdout, got.stderr)
	}
	if faults := hub.Faults(); len(faults) > 0 {
		t.Errorf("the hub saw %q", faults)
	}
	if bytes.Contains(slices.Concat(got.stdout, got.stderr), []byte("hf_secret")) {
		t.Error("the token is printed")
	}
	if got.took > 3*time.Second && !slow() {
		t.Errorf("took %s", got.took)
	}
	// The same as a base model: it must not be better than the model itself, and never allowed if it could not be read.
	child := license(t, env, nil, "--ship", "hosted", "acme/child")
	t.Logf("ATTACK hub: %-45s %s", f.name+", as base model", child)
	// What is wrong with weights alone need not show, since those of a base model are none of our business.
	weights := strings.Contains(f.name, "linked") || strings.Contains(f.name, "ranges")
	if got.outcome == "undetermined" && child.outcome == "allowed" && !weights {
		t.Errorf("a base model that is undetermined gives an answer that is allowed\n%.3000s", child.stdout)
	}
	if faults := hub.Faults(); len(faults) > 0 {
		t.Errorf("the hub saw %q", faults)
	}
}

// TestTokenStays runs against a hub of another origin in every place where an address can stand.
func TestTokenStays(t *testing.T) {
	e := listen(t)
	at := "http://" + e.Addr().String()
	hub := hubtest.Start(fstest.MapFS{
		"acme/model/README.md": {Data: []byte("---\nlicense: other\nlicense_link: " + at + "/LICENSE\nbase_model: [\"" + at + "/a/b\", \"" + at + "/x.gguf\", acme/gone]\n---\n")},
		"acme/model/m.gguf": {Data: gguftest.Write([]gguftest.KV{
			{Key: "general.license.link", Value: at},
			{Key: "general.base_model.count", Value: uint32(1)},
			{Key: "general.base_model.0.repo_url", Value: at + "/a/b"},
		}, nil)},
	})
	defer hub.Close()
	token := []string{"HF_TOKEN=hf_secret_of_ours"}
	a := license(t, append(token, "HF_ENDPOINT="+hub.URL), []string{"text"}, "acme/model")
	t.Logf("ATTACK token, two origins %s", a)
	e.silent(t)
	if faults := hub.Faults(); len(faults) > 0 {
		t.Errorf("the hub saw %q", faults)
	}
	if !slices.ContainsFunc(hub.Requests(), func(r string) bool { return strings.HasSuffix(r, " token") }) {
		t.Errorf("the hub itself got no token: %q", hub.Requests())
	}

	// A hub that sends everything on to another origin.
	elsewhere := hubtest.Start(repositories(""))
	defer elsewhere.Close()
	var leak atomic.Value
	target := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for k, v := range r.Header {
			if strings.Contains(strings.Join(v, " "), "hf_secret") {
				leak.Store(k)
			}
		}
		http.Redirect(w, r, elsewhere.URL+r.URL.RequestURI(), http.StatusTemporaryRedirect)
	}))
	defer target.Close()
	sender := httptest.NewServer(http.RedirectHandler(target.URL+"/api/models/acme/model", http.StatusFound))
	defer sender.Close()
	b := license(t, append(token, "HF_ENDPOINT="+sender.URL), []string{"text"}, "acme/model")
	t.Logf("ATTACK token, a hub that sends on %s", b)
	if k := leak.Load(); k != nil {
		t.Errorf("the token reached another origin in the header %s", k)
	}
	if slices.ContainsFunc(elsewhere.Requests(), func(r string) bool { return strings.HasSuffix(r, " token") }) {
		t.Errorf("the token reached another origin: %q", elsewhere.Requests())
	}

	// Plain http to another machine: the proxy hears what would be sent.
	proxy := listen(t)
	c := license(t, append(token, "HF_ENDPOINT=http://hub.example.com", "HTTP_PROXY=http://"+proxy.Addr().String(), "NO_PROXY="), nil, "acme/model")
	t.Logf("ATTACK token over plain http %s", c)
	proxy.mu.Lock()
	defer proxy.mu.Unlock()
	if len(proxy.heard) == 0 {
		t.Error("the proxy was not asked, so nothing was shown")
	}
	for _, h := range proxy.heard {
		if strings.Contains(h, "hf_secret") || strings.Contains(strings.ToLower(h), "authorization") {
			t.Errorf("the token went over plain http: %q", h)
		}
	}
}

// TestCache answers from the cache as from the hub, and notices a cache that somebody changed.
func TestCache(t *testing.T) {
	files := repositories("")
	files["acme/model/README.md"].Data = []byte("---\nlicense: mit\nbase_model: acme/nc\n---\n")
	files["acme/nc/README.md"] = &fstest.MapFile{Data: []byte("---\nlicense: cc-by-nc-4.0\n---\n")}
	hub := hubtest.Start(files)
	defer hub.Close()
	cache := t.TempDir()
	env := []string{"HF_ENDPOINT=" + hub.URL}
	ask := func(more ...string) answer {
		t.Helper()
		return license(t, env, nil, append([]string{"--cache", cache, "acme/model"}, more...)...)
	}
	first := ask()
	hub.Reset()
	second := ask("--offline")
	t.Logf("ATTACK cache: from the hub %s", first)
	t.Logf("ATTACK cache: offline %s", second)
	if first.outcome != "prohibited" || second.outcome != first.outcome || second.status != first.status {
		t.Errorf("from the hub %s, from the cache %s\n%s", first, second, second.stdout)
	}
	if n := len(hub.Requests()); n > 0 {
		t.Errorf("%d requests although offline", n)
	}
	var stored []string
	err := filepath.WalkDir(cache, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			stored = append(stored, p)
		}
		return err
	})
	if err != nil || len(stored) == 0 {
		t.Fatalf("%d files in the cache, %v", len(stored), err)
	}
	original := map[string][]byte{}
	for _, p := range stored {
		data, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		original[p] = data
	}
	for name, change := range map[string]func([]byte) []byte{
		"license changed": func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("cc-by-nc-4.0"), []byte("mit         ")) },
		"bit flipped":     func(b []byte) []byte { return append(b[:len(b)-1:len(b)-1], b[len(b)-1]^1) },
		"cut":             func(b []byte) []byte { return b[:len(b)/2] },
		"empty":           func([]byte) []byte { return nil },
		"zeros":           func(b []byte) []byte { return make([]byte, len(b)) },
	} {
		for _, p := range slices.Sorted(maps.Keys(original)) {
			if err := os.WriteFile(p, change(original[p]), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		a := ask("--offline")
		t.Logf("ATTACK cache: %-16s %s", name, a)
		if a.outcome == "allowed" || a.outcome == "conditional" {
			t.Errorf("%s: outcome %s\n%.3000s", name, a.outcome, a.stdout)
		}
		if b := ask(); b.outcome != first.outcome {
			t.Errorf("%s: a run with the hub gives %s, want %s", name, b.outcome, first.outcome)
		}
	}
}

// TestHostileRegistry asks about artifacts and stores that no honest tool makes.
func TestHostileRegistry(t *testing.T) {
	text := mit(t)
	weights := ocitest.GGUF(map[string]string{"general.architecture": "llama"}, 0)
	honest := ocitest.Ollama(weights, text)
	for _, a := range []struct {
		name, want string
		prepare    func(r *ocitest.Registry) // puts lib/m:x
		status     int
	}{
		{name: "honest", want: "allowed", prepare: func(r *ocitest.Registry) { r.Put("lib/m", "x", honest) }},
		{name: "manifest of garbage", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			r.PutManifest("lib/m", "x", ocitest.DockerManifestType, []byte("\x1b[31m<html>::error::</html>"))
		}},
		{name: "manifest with keys twice", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			m := r.Manifest(honest)
			r.PutManifest("lib/m", "x", ocitest.DockerManifestType, append([]byte(`{"layers":[],`), m[1:]...))
		}},
		{name: "manifest of 5 MiB", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			r.PutManifest("lib/m", "x", ocitest.DockerManifestType, bytes.Repeat([]byte(" "), 5<<20))
		}},
		{name: "license swapped", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			r.Put("lib/m", "x", ocitest.Ollama(weights, "You may not use it commercially."))
			r.Faults.Bytes = map[string][]byte{ocitest.Digest([]byte("You may not use it commercially.")): []byte(text)}
		}},
		{name: "license denied", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			r.Put("lib/m", "x", honest)
			r.Faults.Status = map[string]int{ocitest.Digest([]byte(text)): 403}
		}},
		{name: "digest as a path", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			m := bytes.ReplaceAll(r.Manifest(honest), []byte(ocitest.Digest([]byte(text))), []byte("sha256:../../../../../../etc/passwd"))
			r.PutManifest("lib/m", "x", ocitest.DockerManifestType, m)
		}},
		{name: "blobs sent on into the private network", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			r.Put("lib/m", "x", honest)
			r.Faults.Redirects = "http://169.254.169.254/"
		}},
		{name: "a realm elsewhere", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			r.Put("lib/m", "x", honest)
			r.Faults.Realm = "http://169.254.169.254/token"
		}},
		{name: "a name and a password wanted", want: atBestUndetermined, status: 5, prepare: func(r *ocitest.Registry) {
			r.Put("lib/m", "x", honest)
			r.Faults.Basic, r.Faults.User = true, "u"
		}},
		{name: "poisoned names in an archive", want: atBestUndetermined, prepare: func(r *ocitest.Registry) {
			r.Put("lib/m", "x", ocitest.KitOps(poison, nil, ocitest.File{Name: "../../LICENSE" + poison, Data: text}, ocitest.File{Name: "/etc/LICENSE", Data: text}))
		}},
		{name: "archive bomb", want: atBestUndetermined, prepare: func(r *ocitest.Registry) {
			r.Put("lib/m", "x", ocitest.KitOps("Apache-2.0", nil, ocitest.File{Name: "LICENSE", Data: strings.Repeat("\x00", 100<<20)}))
		}},
	} {
		t.Run(a.name, func(t *testing.T) {
			r := ocitest.New()
			a.prepare(r)
			s := httptest.NewServer(r)
			defer s.Close()
			formats := []string{"text"}
			if strings.Contains(a.name, "poison") || strings.Contains(a.name, "garbage") {
				formats = []string{"text", "jsonl", "markdown", "html", "sarif"}
			}
			got := license(t, []string{"LLMCHECK_OLLAMA_REGISTRY=" + strings.TrimPrefix(s.URL, "http://")}, formats, "--ship", "hosted",
				"oci:"+strings.TrimPrefix(s.URL, "http://")+"/lib/m:x")
			t.Logf("ATTACK registry: %-40s %s", a.name, got)
			if !strings.Contains(" "+a.want+" ", " "+got.outcome+" ") {
				t.Errorf("outcome %q, want one of %s\n%.3000s", got.outcome, a.want, got.stdout)
			}
			if a.status != 0 && got.status != a.status && got.status != 4 {
				t.Errorf("status %d, want %d or 4: %.2000s", got.status, a.status, got.stderr)
			}
			if got.took > 3*time.Second && !slow() {
				t.Errorf("took %s", got.took)
			}
			if got.peak>>10 > 128 && !slow() {
				t.Errorf("%d MiB", got.peak>>10)
			}
		})
	}
}

// TestHostileStore asks about models in a folder of Ollama that somebody else filled.
func TestHostileStore(t *testing.T) {
	text := mit(t)
	r := ocitest.New()
	r.Put("library/m", "latest", ocitest.Ollama(ocitest.GGUF(nil, 0), text))
	store := r.Store("registry.ollama.ai")
	blob := fmt.Sprintf("sha256-%x", sha256.Sum256([]byte(text)))
	for _, a := range []struct {
		name, want string
		change     func(t *testing.T, dir string)
	}{
		{name: "honest", want: "allowed", change: func(*testing.T, string) {}},
		{name: "license changed", want: atBestUndetermined, change: func(t *testing.T, dir string) {
			write(t, dir, "blobs/"+blob, strings.Replace(text, "including without limitation", "excluding without limitation", 1))
		}},
		{name: "license cut", want: atBestUndetermined, change: func(t *testing.T, dir string) { write(t, dir, "blobs/"+blob, text[:100]) }},
		{name: "license gone", want: atBestUndetermined, change: func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "blobs", blob)); err != nil {
				t.Fatal(err)
			}
		}},
		{name: "manifest of garbage", want: atBestUndetermined, change: func(t *testing.T, dir string) {
			write(t, dir, "manifests/registry.ollama.ai/library/m/latest", poison)
		}},
		{name: "manifest is a folder", want: atBestUndetermined, change: func(t *testing.T, dir string) {
			p := filepath.Join(dir, "manifests/registry.ollama.ai/library/m/latest")
			if err := os.Remove(p); err != nil {
				t.Fatal(err)
			}
			write(t, p, "x", "y")
		}},
		{name: "license is a link out", want: atBestUndetermined, change: func(t *testing.T, dir string) {
			outside := t.TempDir()
			write(t, outside, "LICENSE", text)
			p := filepath.Join(dir, "blobs", blob)
			if err := os.Remove(p); err != nil {
				t.Fatal(err)
			}
			if err := os.Symlink(filepath.Join(outside, "LICENSE"), p); err != nil {
				t.Skip(err)
			}
		}},
	} {
		t.Run(a.name, func(t *testing.T) {
			dir := t.TempDir()
			for p, data := range store {
				write(t, dir, p, string(data))
			}
			a.change(t, dir)
			got := license(t, []string{"OLLAMA_MODELS=" + dir}, []string{"text"}, "--ship", "hosted", "--offline", "ollama:m")
			t.Logf("ATTACK store: %-30s %s", a.name, got)
			if !strings.Contains(" "+a.want+" ", " "+got.outcome+" ") {
				t.Errorf("outcome %q, want one of %s\n%.3000s%s", got.outcome, a.want, got.stdout, got.stderr)
			}
		})
	}
}
