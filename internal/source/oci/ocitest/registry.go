// Package ocitest is a registry for tests: it serves artifacts built in memory over the distribution protocol, writes
// down what it was asked, and fails on request. It is made for httptest.Server on a loopback address; the blobs can
// come from a second server, as they do from the content delivery networks of real registries.
package ocitest

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Blob is a configuration or a layer.
type Blob struct {
	MediaType   string
	Data        []byte
	Annotations map[string]string
	From        string // Ollama's field of that name
}

// Artifact is what a manifest describes.
type Artifact struct {
	MediaType    string // that of an OCI image manifest if empty
	ArtifactType string
	Config       Blob
	Layers       []Blob
	Annotations  map[string]string
}

// Descriptor names a blob, in the form of the image specification.
type Descriptor struct {
	MediaType   string            `json:"mediaType"`
	Digest      string            `json:"digest"`
	Size        int64             `json:"size"`
	Annotations map[string]string `json:"annotations,omitempty"`
	From        string            `json:"from,omitempty"`
	URLs        []string          `json:"urls,omitempty"`
}

// The media types of manifests.
const (
	ManifestType       = "application/vnd.oci.image.manifest.v1+json"
	IndexType          = "application/vnd.oci.image.index.v1+json"
	DockerManifestType = "application/vnd.docker.distribution.manifest.v2+json"
	OllamaListType     = "application/vnd.ollama.manifest.list.v2+json"
)

// Request is one request that the registry or its second server got.
type Request struct {
	Server string // "registry", "blobs" or "token"
	Method string
	Path   string
	Range  string
	Auth   string // the Authorization header
}

// Faults are the ways in which a registry can misbehave. They may be set before the server is used.
type Faults struct {
	Status    map[string]int    // by digest, tag, or "manifests", "blobs", "token": the status to answer with
	Code      map[string]string // by the same keys: the error code beside the status
	Bytes     map[string][]byte // by digest or tag: what to send instead
	NoRange   bool              // answer 200 and the whole blob to every range
	BadRange  bool              // answer with another range than asked
	Cut       map[string]bool   // by digest: end the connection half-way
	Redirects string            // the address that all blobs are redirected to, with the digest appended
	Realm     string            // ask for a token of this service; "self" is the registry's own
	Basic     bool              // ask for a name and a password
	User      string            // what Basic and the token service accept; "" is anybody
	Password  string
}

// Registry implements http.Handler.
type Registry struct {
	Faults Faults

	mu        sync.Mutex
	manifests map[string][]byte // repository@digest and repository:tag
	types     map[string]string
	blobs     map[string][]byte
	requests  []Request
}

// New returns an empty registry.
func New() *Registry {
	return &Registry{manifests: map[string][]byte{}, types: map[string]string{}, blobs: map[string][]byte{}}
}

// Digest returns sha256:<hex>.
func Digest(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// PutBlob stores a blob and returns its descriptor.
func (r *Registry) PutBlob(b Blob) Descriptor {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := Descriptor{
		MediaType: b.MediaType, Digest: Digest(b.Data), Size: int64(len(b.Data)), Annotations: b.Annotations, From: b.From,
	}
	r.blobs[d.Digest] = b.Data
	return d
}

// Put stores an artifact under a tag and returns the digest of its manifest.
func (r *Registry) Put(repository, tag string, a Artifact) string {
	mediaType := cmp.Or(a.MediaType, ManifestType)
	return r.PutManifest(repository, tag, mediaType, r.Manifest(a))
}

// Manifest stores the blobs of an artifact and returns the bytes of its manifest.
func (r *Registry) Manifest(a Artifact) []byte {
	layers := make([]Descriptor, len(a.Layers))
	for i, l := range a.Layers {
		layers[i] = r.PutBlob(l)
	}
	return marshal(struct {
		SchemaVersion int               `json:"schemaVersion"`
		MediaType     string            `json:"mediaType"`
		ArtifactType  string            `json:"artifactType,omitempty"`
		Config        Descriptor        `json:"config"`
		Layers        []Descriptor      `json:"layers"`
		Annotations   map[string]string `json:"annotations,omitempty"`
	}{2, cmp.Or(a.MediaType, ManifestType), a.ArtifactType, r.PutBlob(a.Config), layers, a.Annotations})
}

// PutManifest stores any bytes as a manifest.
func (r *Registry) PutManifest(repository, tag, mediaType string, data []byte) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	d := Digest(data)
	for _, key := range []string{repository + "@" + d, repository + ":" + tag} {
		r.manifests[key] = data
		r.types[key] = mediaType
	}
	return d
}

// PutIndex stores an index of manifests that are there already.
func (r *Registry) PutIndex(repository, tag, mediaType string, entries ...Descriptor) string {
	return r.PutManifest(repository, tag, mediaType, marshal(struct {
		SchemaVersion int          `json:"schemaVersion"`
		MediaType     string       `json:"mediaType"`
		Manifests     []Descriptor `json:"manifests"`
	}{2, mediaType, entries}))
}

// Store returns the registry's content as Ollama keeps it on disk: path to bytes, for fstest.MapFS or a script's
// folder. host is the name of the folder below manifests.
func (r *Registry) Store(host string) map[string][]byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	files := map[string][]byte{}
	for key, data := range r.manifests {
		if repository, tag, ok := strings.Cut(key, ":"); ok && !strings.Contains(repository, "@") {
			files["manifests/"+host+"/"+repository+"/"+tag] = data
		}
	}
	for d, data := range r.blobs {
		files["blobs/"+strings.Replace(d, ":", "-", 1)] = data
	}
	return files
}

// Requests returns what was asked so far.
func (r *Registry) Requests() []Request {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.requests)
}

// Repositories lists what is stored, for messages of tests.
func (r *Registry) Repositories() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Sorted(maps.Keys(r.manifests))
}

func (r *Registry) note(server string, req *http.Request) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests = append(r.requests, Request{
		Server: server, Method: req.Method, Path: req.URL.Path,
		Range: req.Header.Get("Range"), Auth: req.Header.Get("Authorization"),
	})
}

// ServeHTTP implements http.Handler: the registry, and its token service at /token.
func (r *Registry) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if req.URL.Path == "/token" {
		r.TokenService().ServeHTTP(w, req)
		return
	}
	r.note("registry", req)
	rest, ok := strings.CutPrefix(req.URL.Path, "/v2/")
	if !ok || !r.authorized(w, req) {
		if !ok {
			http.NotFound(w, req)
		}
		return
	}
	if repository, reference, ok := cutLast(rest, "/manifests/"); ok {
		r.serveManifest(w, repository, reference)
		return
	}
	_, digest, ok := cutLast(rest, "/blobs/")
	switch {
	case !ok:
		http.NotFound(w, req)
	case r.Faults.Redirects != "" && r.Faults.Status[digest] == 0:
		http.Redirect(w, req, r.Faults.Redirects+digest, http.StatusTemporaryRedirect)
	default:
		r.serveBlob(w, req, digest)
	}
}

// Blobs is the second server: it serves blobs at any path that ends in their digest, and needs no authorization.
func (r *Registry) Blobs() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.note("blobs", req)
		_, digest, _ := cutLast(req.URL.Path, "/")
		r.serveBlob(w, req, digest)
	})
}

// TokenService gives the token that the registry accepts.
func (r *Registry) TokenService() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.note("token", req)
		if r.failed(w, "token") {
			return
		}
		user, password, _ := req.BasicAuth()
		if r.Faults.User != "" && (user != r.Faults.User || password != r.Faults.Password) {
			refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
			return
		}
		fmt.Fprintf(w, `{"token": %q}`, token)
	})
}

const token = "token-of-the-test-registry"

func (r *Registry) authorized(w http.ResponseWriter, req *http.Request) bool {
	switch {
	case r.Faults.Realm != "":
		if req.Header.Get("Authorization") == "Bearer "+token {
			return true
		}
		realm := r.Faults.Realm
		if realm == "self" {
			realm = "http://" + req.Host + "/token"
		}
		w.Header().Set("WWW-Authenticate", fmt.Sprintf(`Bearer realm=%q,service="test"`, realm))
	case r.Faults.Basic:
		if user, password, ok := req.BasicAuth(); ok && user == r.Faults.User && password == r.Faults.Password {
			return true
		}
		w.Header().Set("WWW-Authenticate", `Basic realm="test"`)
	default:
		return true
	}
	refuse(w, http.StatusUnauthorized, "UNAUTHORIZED")
	return false
}

func (r *Registry) serveManifest(w http.ResponseWriter, repository, reference string) {
	if r.failed(w, reference, "manifests") {
		return
	}
	sep := ":"
	if strings.HasPrefix(reference, "sha256:") {
		sep = "@"
	}
	r.mu.Lock()
	data, ok := r.manifests[repository+sep+reference]
	mediaType := r.types[repository+sep+reference]
	r.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN")
		return
	}
	w.Header().Set("Content-Type", mediaType)
	w.Header().Set("Docker-Content-Digest", Digest(data))
	if b, ok := r.Faults.Bytes[reference]; ok {
		data = b
	}
	w.Write(data) //nolint:errcheck // the client is gone
}

func (r *Registry) serveBlob(w http.ResponseWriter, req *http.Request, digest string) {
	if r.failed(w, digest, "blobs") {
		return
	}
	r.mu.Lock()
	data, ok := r.blobs[digest]
	r.mu.Unlock()
	if !ok {
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN")
		return
	}
	if b, ok := r.Faults.Bytes[digest]; ok {
		data = b
	}
	switch {
	case r.Faults.Cut[digest]:
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.Write(data[:len(data)/2]) //nolint:errcheck // the client is gone
		panic(http.ErrAbortHandler)
	case r.Faults.NoRange:
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		w.Write(data) //nolint:errcheck // the client is gone
	case r.Faults.BadRange && req.Header.Get("Range") != "":
		w.Header().Set("Content-Range", fmt.Sprintf("bytes 1-%d/%d", len(data)-1, len(data)))
		w.WriteHeader(http.StatusPartialContent)
		w.Write(data[1:]) //nolint:errcheck // the client is gone
	default:
		http.ServeContent(w, req, "", time.Time{}, strings.NewReader(string(data)))
	}
}

// failed answers with the fault that one of the keys names.
func (r *Registry) failed(w http.ResponseWriter, keys ...string) bool {
	for _, key := range keys {
		if status := r.Faults.Status[key]; status != 0 {
			refuse(w, status, r.Faults.Code[key])
			return true
		}
	}
	return false
}

// refuse repeats secrets in its message, as real servers have done.
func refuse(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	fmt.Fprintf(w, `{"errors": [{"code": %q, "message": "we got %s"}]}`, code, token)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// marshal cannot fail: it is given structs of strings and numbers.
func marshal(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return data
}
