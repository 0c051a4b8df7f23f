// Package hubtest is a Hugging Face hub for tests. It serves the folders of an fs.FS, laid out as org/name/files, with
// the shapes of the real API: a listing with sizes, git blob ids and LFS digests, files at a commit, weights sent on to a
// download server of another origin, names for refusals. A file named .hub in a repository makes it misbehave:
//
//	# one setting a line
//	status: 429
//	retry-after: 3600
//
// The settings are:
//
//	on: list | files | cdn | all      what the faults below apply to; all by default
//	file: NAME                        and only to this file
//	times: N                          only the first N requests of it
//	status: N                         answer with this status
//	error-code, error-message, retry-after    headers of that answer
//	flake: N                          the first N requests get 503
//	gated: auto | manual              files need the token; the listing does not
//	private: true                     everything needs the token
//	token: T                          the token that is accepted; any by default
//	moved-to: org/name                redirect to another repository
//	html: true                        a portal's page with status 200
//	cut: N                            the connection ends after N bytes of the body
//	stall: true                       the body never ends
//	range: ignore | wrong             200 with everything; another part than asked for
//	content: swap | longer            bytes other than listed, of the same or another length
//	json: cut | nothing               a listing that does not parse
//	commit: wrong                     files say that they are of another commit
//	linked: size | digest             the hub names another size or digest for weights than it lists
//	echo: true                        a 401 that quotes the token
//	no-blobs: true                    a listing without sizes and digests
//	extra-file: NAME                  one more file in the listing; may be repeated
//	revision: NAME                    a branch or tag beside main; may be repeated
//	lfs: NAME                         a file kept in LFS beside the weights; may be repeated
//	resolve-cache: true               files come after a redirect on the same host, as on the public hub
//
// A Hub records what it was asked, and as a fault whatever a client must never do, such as sending the token to the
// download server.
package hubtest

import (
	"bufio"
	"bytes"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"path"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Hub is a running fake hub.
type Hub struct {
	URL string // the value for HF_ENDPOINT
	CDN string // the origin of the download server

	fsys  fs.FS
	hub   *httptest.Server
	cdn   *httptest.Server
	close sync.Once

	mu       sync.Mutex
	requests []string
	faults   []string
	tokens   map[string]bool
	counts   map[string]int
}

// Start serves the repositories of fsys until Close. Files are read when they are asked for, so a test may change them.
func Start(fsys fs.FS) *Hub {
	h := &Hub{fsys: fsys, tokens: map[string]bool{}, counts: map[string]int{}}
	h.mu.Lock() // the first request may come from another process, which nothing else puts after this
	defer h.mu.Unlock()
	h.hub = httptest.NewServer(http.HandlerFunc(h.serveHub))
	h.cdn = httptest.NewServer(http.HandlerFunc(h.serveCDN))
	h.URL, h.CDN = h.hub.URL, h.cdn.URL
	return h
}

// Close ends both servers.
func (h *Hub) Close() {
	h.close.Do(func() {
		h.hub.CloseClientConnections()
		h.cdn.CloseClientConnections()
		h.hub.Close()
		h.cdn.Close()
	})
}

// Requests are the requests so far, in order: "GET /path", the range if one was asked for, "token" if one was sent.
// Those to the download server begin with "CDN".
func (h *Hub) Requests() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.requests)
}

// Faults are the things that a client must never do and that one did. A test fails if there is any.
func (h *Hub) Faults() []string {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Clone(h.faults)
}

// Reset forgets requests, faults and counts.
func (h *Hub) Reset() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests, h.faults, h.counts = nil, nil, map[string]int{}
}

// Commit is the commit that the hub gives the repository org/name.
func (h *Hub) Commit(id string) (string, error) {
	r, err := h.load(id)
	if err != nil {
		return "", err
	}
	return r.commit, nil
}

func (h *Hub) record(prefix string, r *http.Request) (token string) {
	line := prefix + r.Method + " " + r.URL.RequestURI()
	if s := r.Header.Get("Range"); s != "" {
		line += " " + s
	}
	token, _ = strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if token != "" {
		line += " token"
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.requests = append(h.requests, line)
	return token
}

func (h *Hub) fault(format string, args ...any) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.faults = append(h.faults, fmt.Sprintf(format, args...))
}

// repo is a repository as it is at one request.
type repo struct {
	id     string
	commit string
	files  map[string][]byte
	set    map[string][]string
}

func (r *repo) get(key string) string {
	if v := r.set[key]; len(v) > 0 {
		return v[0]
	}
	return ""
}

func (r *repo) names() []string {
	out := make([]string, 0, len(r.files))
	for n := range r.files {
		out = append(out, n)
	}
	slices.Sort(out)
	return out
}

const settings = ".hub"

func (h *Hub) load(id string) (*repo, error) {
	r := &repo{id: id, files: map[string][]byte{}, set: map[string][]string{}}
	if !fs.ValidPath(id) || strings.Count(id, "/") != 1 {
		return nil, fs.ErrNotExist
	}
	err := fs.WalkDir(h.fsys, id, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(h.fsys, p)
		r.files[strings.TrimPrefix(p, id+"/")] = b
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := r.configure(); err != nil {
		return nil, err
	}
	sum := sha1.New()
	for _, n := range r.names() {
		fmt.Fprintf(sum, "%s %s\n", blobID(r.files[n]), n)
	}
	r.commit = hex.EncodeToString(sum.Sum(nil))
	return r, nil
}

func (r *repo) configure() error {
	lines := bufio.NewScanner(bytes.NewReader(r.files[settings]))
	delete(r.files, settings)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		key, value, ok := strings.Cut(line, ":")
		if !ok || !slices.Contains(keys(), key) {
			return fmt.Errorf("%s/%s: %q is not a setting", r.id, settings, line)
		}
		r.set[key] = append(r.set[key], strings.TrimSpace(value))
	}
	return lines.Err()
}

func keys() []string {
	return []string{
		"on", "file", "times", "status", "error-code", "error-message", "retry-after", "flake", "gated", "private", "token", "moved-to",
		"html", "cut", "stall", "range", "content", "json", "commit", "echo", "no-blobs", "extra-file", "revision", "lfs",
		"resolve-cache", "linked",
	}
}

func blobID(b []byte) string {
	h := sha1.New()
	fmt.Fprintf(h, "blob %d\x00", len(b))
	h.Write(b)
	return hex.EncodeToString(h.Sum(nil))
}

// pointer is what git keeps of a file in LFS.
func pointer(b []byte) []byte {
	return fmt.Appendf(nil, "version https://git-lfs.github.com/spec/v1\noid sha256:%x\nsize %d\n", sha256.Sum256(b), len(b))
}

func (r *repo) inLFS(name string) bool {
	switch path.Ext(name) {
	case ".safetensors", ".gguf", ".bin", ".pt", ".pth", ".ckpt", ".h5", ".onnx", ".msgpack":
		return true
	}
	return slices.Contains(r.set["lfs"], name)
}

// What a request is for, in the words of the setting "on".
const (
	forList  = "list"
	forFiles = "files"
	forCDN   = "cdn"
)

func (h *Hub) serveHub(w http.ResponseWriter, req *http.Request) {
	token := h.record("", req)
	if token != "" {
		h.mu.Lock()
		h.tokens[token] = true
		h.mu.Unlock()
	}
	if h.isUnsafe(req) {
		h.fault("a token in the address or in a header of its own: %s", req.URL.Path)
	}
	parts := strings.Split(strings.TrimPrefix(req.URL.Path, "/"), "/")
	switch {
	case len(parts) >= 4 && parts[0] == "api" && parts[1] == "models":
		rev := "main"
		if len(parts) >= 6 && parts[4] == "revision" {
			rev = strings.Join(parts[5:], "/")
		}
		h.serve(w, req, request{forList, parts[2] + "/" + parts[3], rev, "", token})
	case len(parts) >= 7 && parts[0] == "api" && parts[1] == "resolve-cache":
		h.serve(w, req, request{forFiles, parts[3] + "/" + parts[4], parts[5], strings.Join(parts[6:], "/"), token})
	case len(parts) >= 5 && parts[2] == "resolve":
		h.serve(w, req, request{forFiles, parts[0] + "/" + parts[1], parts[3], strings.Join(parts[4:], "/"), token})
	default:
		http.Error(w, "Not Found", http.StatusNotFound)
	}
}

// isUnsafe reports whether a token travels where it does not belong.
func (h *Hub) isUnsafe(req *http.Request) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for t := range h.tokens {
		for k, v := range req.Header {
			if k != "Authorization" && strings.Contains(strings.Join(v, " "), t) {
				return true
			}
		}
		if strings.Contains(req.URL.String(), t) {
			return true
		}
	}
	return false
}

func (h *Hub) serveCDN(w http.ResponseWriter, req *http.Request) {
	if token := h.record("CDN ", req); token != "" || req.Header.Get("Authorization") != "" || h.isUnsafe(req) {
		h.fault("a token reached the download server: %s", req.URL.Path)
	}
	if req.URL.Query().Get("X-Amz-Signature") == "" {
		http.Error(w, "AccessDenied", http.StatusForbidden)
		return
	}
	parts := strings.Split(strings.TrimPrefix(req.URL.Path, "/"), "/")
	if len(parts) < 4 {
		http.NotFound(w, req)
		return
	}
	h.serve(w, req, request{forCDN, parts[0] + "/" + parts[1], parts[2], strings.Join(parts[3:], "/"), ""})
}

// request is what a client wants of a repository.
type request struct{ kind, id, revision, file, token string }

func (h *Hub) serve(w http.ResponseWriter, req *http.Request, q request) {
	r, err := h.load(q.id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		refuseUnknown(w, q.token)
	case err != nil:
		h.fault("%s", err)
		http.Error(w, err.Error(), http.StatusTeapot)
	case q.kind != forCDN && h.guarded(w, r, q):
	case h.faulty(r, q) && h.misbehave(w, req, r, q):
	case q.kind != forCDN && r.get("moved-to") != "":
		w.Header().Set("Location", strings.Replace(req.URL.RequestURI(), q.id, r.get("moved-to"), 1))
		w.WriteHeader(http.StatusTemporaryRedirect)
	case q.revision != "main" && q.revision != r.commit && !slices.Contains(r.set["revision"], q.revision):
		refuse(w, http.StatusNotFound, "RevisionNotFound", "Invalid rev id: "+q.revision)
	case q.kind == forList:
		h.list(w, r)
	default:
		h.file(w, req, r, q)
	}
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	if code != "" {
		w.Header().Set("X-Error-Code", code)
	}
	w.Header().Set("X-Error-Message", message)
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]string{"error": message})
}

// refuseUnknown is the hub's answer for what does not exist: without a token it does not say so.
func refuseUnknown(w http.ResponseWriter, token string) {
	if token == "" {
		refuse(w, http.StatusUnauthorized, "RepoNotFound", "Invalid username or password.")
		return
	}
	refuse(w, http.StatusNotFound, "RepoNotFound", "Repository not found")
}

// guarded answers for a repository that wants a token and did not get the right one.
func (h *Hub) guarded(w http.ResponseWriter, r *repo, q request) bool {
	want := r.get("token")
	known := q.token != "" && (want == "" || q.token == want)
	switch {
	case known:
		return false
	case r.get("private") != "":
		refuseUnknown(w, q.token)
		return true
	case r.get("gated") == "" || q.kind == forList:
		return false
	case q.token == "":
		refuse(w, http.StatusUnauthorized, "GatedRepo", "Access to model "+r.id+" is restricted. You must have access to it and be authenticated to access it. Please log in.")
	default:
		refuse(w, http.StatusForbidden, "GatedRepo", "Access to model "+r.id+" is restricted and you are not in the authorized list.")
	}
	return true
}

// faulty reports whether the faults of a repository apply to this request.
func (h *Hub) faulty(r *repo, q request) bool {
	if !r.concerns(q) {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.counts[r.id]++
	times := r.get("times")
	if times == "" {
		times = r.get("flake")
	}
	n, err := strconv.Atoi(times)
	return err != nil || h.counts[r.id] <= n
}

// misbehave answers wrongly as the settings say, and reports whether it did.
func (h *Hub) misbehave(w http.ResponseWriter, req *http.Request, r *repo, q request) bool {
	switch {
	case r.get("flake") != "":
		refuse(w, http.StatusServiceUnavailable, "", "Service Unavailable")
	case r.get("echo") != "":
		refuse(w, http.StatusUnauthorized, "", "Invalid credentials in Authorization header: Bearer "+q.token)
	case r.get("status") != "":
		misstate(w, r)
	case r.get("html") != "":
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = io.WriteString(w, "<!DOCTYPE html><html><title>Sign in</title><body>Please accept our terms of use.</body></html>")
	case r.get("json") != "" && q.kind == forList:
		w.Header().Set("Content-Type", "application/json; charset=utf-8")
		if r.get("json") == "cut" {
			b := r.listing()
			_, _ = w.Write(b[:len(b)/2])
		}
	case r.get("stall") != "":
		w.WriteHeader(http.StatusOK)
		_ = http.NewResponseController(w).Flush()
		<-req.Context().Done()
	case r.get("cut") != "":
		h.cut(w, r, q)
	case q.kind != forList && r.servesItself(q) && r.get("range") != "":
		h.misrange(w, req, r, q)
	default:
		return false
	}
	return true
}

func misstate(w http.ResponseWriter, r *repo) {
	status, err := strconv.Atoi(r.get("status"))
	if err != nil || status < 200 {
		status = http.StatusTeapot
	}
	if s := r.get("retry-after"); s != "" {
		w.Header().Set("Retry-After", s)
	}
	message := r.get("error-message")
	if message == "" {
		message = http.StatusText(status)
	}
	refuse(w, status, r.get("error-code"), message)
}

// servesItself reports whether this origin sends the body, or sends the client on.
func (r *repo) servesItself(q request) bool { return q.kind == forCDN || !r.inLFS(q.file) }

func (h *Hub) cut(w http.ResponseWriter, r *repo, q request) {
	body := r.files[q.file]
	if q.kind == forList {
		body = r.listing()
	}
	n, _ := strconv.Atoi(r.get("cut"))
	w.Header().Set("Content-Length", strconv.Itoa(len(body)+1))
	_, _ = w.Write(body[:min(n, len(body))])
}

func (h *Hub) misrange(w http.ResponseWriter, req *http.Request, r *repo, q request) {
	body := r.files[q.file]
	if r.get("range") == "ignore" || req.Header.Get("Range") == "" {
		w.Header().Set("Content-Length", strconv.Itoa(len(body)))
		_, _ = w.Write(body)
		return
	}
	n := min(len(body), 10)
	w.Header().Set("Content-Range", fmt.Sprintf("bytes 1-%d/%d", n-1, len(body)))
	w.WriteHeader(http.StatusPartialContent)
	_, _ = w.Write(body[1:n])
}

func (h *Hub) list(w http.ResponseWriter, r *repo) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write(r.listing())
}

// file sends a file, or the client on to where it is.
func (h *Hub) file(w http.ResponseWriter, req *http.Request, r *repo, q request) {
	body, ok := r.files[q.file]
	if !ok {
		refuse(w, http.StatusNotFound, "EntryNotFound", "Entry not found")
		return
	}
	commit := r.commit
	if r.get("commit") == "wrong" {
		commit = strings.Repeat("0", 40)
	}
	if q.kind == forFiles {
		w.Header().Set("X-Repo-Commit", commit)
	}
	if q.kind == forFiles && r.inLFS(q.file) {
		h.sendOn(w, r, q, body)
		return
	}
	if r.get("resolve-cache") != "" && !strings.HasPrefix(req.URL.Path, "/api/") && q.kind == forFiles {
		w.Header().Set("Location", "/api/resolve-cache/models/"+r.id+"/"+r.commit+"/"+q.file)
		w.WriteHeader(http.StatusTemporaryRedirect)
		return
	}
	if r.concerns(q) {
		body = changed(body, r.get("content"))
	}
	w.Header().Set("ETag", `"`+blobID(body)+`"`)
	w.Header().Set("Content-Type", contentType(q.file))
	http.ServeContent(w, req, "", time.Time{}, bytes.NewReader(body))
}

// concerns reports whether the settings are meant for this request.
func (r *repo) concerns(q request) bool {
	on, file := r.get("on"), r.get("file")
	return (on == "" || on == "all" || on == q.kind) && (file == "" || file == q.file)
}

func changed(body []byte, how string) []byte {
	switch {
	case how == "swap" && len(body) > 0:
		body = bytes.Clone(body)
		body[len(body)-1] ^= 1
	case how == "longer":
		body = append(bytes.Clone(body), "more"...)
	}
	return body
}

func (h *Hub) sendOn(w http.ResponseWriter, r *repo, q request, body []byte) {
	sum, size := sha256.Sum256(body), len(body)
	switch r.get("linked") {
	case "size":
		size++
	case "digest":
		sum[0] ^= 1
	}
	w.Header().Set("X-Linked-Size", strconv.Itoa(size))
	w.Header().Set("X-Linked-Etag", `"`+hex.EncodeToString(sum[:])+`"`)
	w.Header().Set("Location", h.CDN+"/"+r.id+"/"+r.commit+"/"+q.file+"?X-Amz-Expires=3600&X-Amz-Signature=5e1f")
	w.WriteHeader(http.StatusFound)
}

func contentType(name string) string {
	switch path.Ext(name) {
	case ".json", ".md", ".txt", "":
		return "text/plain; charset=utf-8"
	}
	return "application/octet-stream"
}
