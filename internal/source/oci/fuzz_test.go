package oci

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"io/fs"
	"math"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source/oci/ocitest"
)

// FuzzManifest: what is accepted keeps every promise of the types, and reads the same when it is written again.
func FuzzManifest(f *testing.F) {
	r := ocitest.New()
	f.Add(r.Manifest(ocitest.Ollama([]byte("GGUF"), "text")))
	f.Add(r.Manifest(ocitest.KitOps("MIT", nil)))
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"digest":"sha256:` + strings.Repeat("a", 64) + `","size":1}]}`))
	f.Add([]byte(`{"schemaVersion":2,"manifests":[{"layers":[{"digest":"sha256:` + strings.Repeat("a", 64) + `","size":1}]}]}`))
	f.Add([]byte(`{"schemaVersion":2,"layers":[],"LAYERS":[]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := parseManifest(data)
		if err != nil {
			return
		}
		list := m.Layers
		for _, c := range m.Manifests {
			if !c.inline() {
				list = append(list, c.descriptor)
			}
			list = append(list, c.Layers...)
		}
		if len(list) > maxLayers+maxManifests*(maxLayers+1) || len(list) == 0 && m.Config == nil {
			t.Fatalf("accepted %d layers", len(list))
		}
		for _, d := range list {
			if !digestForm.MatchString(d.Digest.String()) || d.Size < 0 {
				t.Fatalf("accepted %+v", d)
			}
			l := layerOf(d, nil)
			c := &collector{files: newTree(), generic: map[string]int{}, sums: map[string]digest{}}
			if name := c.name(l); checkName(name) != nil {
				t.Fatalf("%+v is named %q", d, name)
			}
		}
		kindOf(m)
		terms(m)
	})
}

// FuzzConfig: a configuration of any kind gives bounded claims with a place and a value.
func FuzzConfig(f *testing.F) {
	for i, a := range []ocitest.Artifact{
		ocitest.Ollama(nil), ocitest.ModelPack([]string{"MIT"}, ocitest.File{}, nil), ocitest.KitOps("MIT", nil),
		ocitest.Docker(nil, map[string]string{"general.license": "mit"}),
	} {
		f.Add(byte(i), a.Config.Data)
	}
	f.Add(byte(2), []byte(`{"model":{"path":"a/b:c","parts":[{"license":"x"}]},"code":[{"license":"y"}]}`))
	f.Fuzz(func(t *testing.T, which byte, data []byte) {
		var facts facts
		k := []kind{ollama, modelPack, kitOps, dockerAI}[which%4]
		if err := facts.config(k, data); err == nil && !json.Valid(data) {
			t.Fatal("accepted what is no JSON")
		}
		facts.annotations("", map[string]string{annotationKitfile: string(data), annotationLicenses: string(data)})
		if len(facts.claims) > maxClaims || len(facts.gaps) > maxGaps {
			t.Fatalf("%d claims, %d gaps", len(facts.claims), len(facts.gaps))
		}
		for _, c := range facts.claims {
			if c.Origin != model.FromRegistry || c.Where == "" || c.Value+c.Name+c.Link == "" || len(c.Value) > maxValue {
				t.Fatalf("claim %+v", c)
			}
		}
	})
}

// FuzzTarget: a reference that is accepted cannot change the shape of an address, and reads the same when it is
// written again.
func FuzzTarget(f *testing.F) {
	for _, s := range []string{
		"ollama:tiny", "ollama:acme/tiny:1b", "ollama:hf.co/Acme/Tiny-GGUF:Q4_0", "oci:localhost:5000/a/b:c", "oci:docker.io/ai/smollm2",
		"oci:example.com/a@sha256:" + strings.Repeat("a", 64), "oci:[::1]:5000/a", "oci:a/../b", "ollama:..", "oci:example.com/a//b",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, err := model.ParseRef(s)
		if err != nil {
			return
		}
		got, err := parseTarget(ref)
		if err != nil {
			return
		}
		path := got.repository + "/" + got.reference
		if strings.ContainsAny(got.registry+path, "?#%@\\ \x00\n") || strings.Contains(got.registry, "/") || !fs.ValidPath(path) {
			t.Fatalf("%q becomes %+v", s, got)
		}
		for _, name := range (&diskStore{target: got}).candidates(got.reference) {
			if !fs.ValidPath(name) {
				t.Fatalf("%q is looked for at %q", s, name)
			}
		}
		again, err := model.ParseRef(ref.String())
		if err != nil {
			t.Fatalf("%q is written as %q: %v", s, ref, err)
		}
		if twice, err := parseTarget(again); err != nil || twice != got {
			t.Fatalf("%q becomes %+v, then %+v, %v", s, got, twice, err)
		}
	})
}

// FuzzName: a name that is accepted can be opened in the tree and nowhere else.
func FuzzName(f *testing.F) {
	for _, s := range []string{"LICENSE", "a/b/README.md", "../x", "/x", `a\b`, "CON", "com¹.txt", "a.", ".gitattributes", "a/./b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if checkName(name) != nil {
			return
		}
		files := newTree()
		if err := files.add(name, 1, memory("x")); err != nil {
			t.Fatal(err)
		}
		if strings.ContainsAny(name, "[]^-") { // TestFS makes a pattern of the name, in which these mean something
			if data, err := fs.ReadFile(files, name); err != nil || string(data) != "x" {
				t.Fatalf("read %q, %v", data, err)
			}
			return
		}
		if err := fstest.TestFS(files, name); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzArchive: whatever an archive holds, what is kept of it is bounded and has a good name. The member is written with
// a right checksum, which chance alone would not find; data that is not empty is taken for the whole archive instead.
func FuzzArchive(f *testing.F) {
	f.Add(false, "", byte(0), "", int64(0), "", ocitest.Tar(ocitest.File{Name: "LICENSE", Data: "text"}, ocitest.File{Name: "a.gguf", Data: "GGUF"}))
	f.Add(true, "", byte(0), "", int64(0), "", ocitest.Gzip(ocitest.Tar(ocitest.File{Name: "LICENSE", Data: "text"})))
	f.Add(false, "LICENSE", byte(tar.TypeSymlink), "../x", int64(0), "", []byte{})
	f.Add(true, "a/README.md", byte(tar.TypeReg), "", int64(4), "text", []byte{})
	f.Add(false, "model.gguf", byte(tar.TypeReg), "", int64(1<<40), "GGUF", []byte{})
	f.Add(false, "model.gguf", byte(tar.TypeReg), "", int64(math.MaxInt64), "GGUF", []byte{})
	f.Add(false, "../LICENSE", byte(tar.TypeReg), "", int64(1), "x", []byte{})
	f.Fuzz(func(t *testing.T, packed bool, name string, kind byte, link string, size int64, body string, data []byte) {
		if len(data) == 0 {
			data = archiveOf(tar.Header{Name: name, Typeflag: kind, Linkname: link, Size: size}, body)
			if packed {
				data = ocitest.Gzip(data)
			}
		}
		d := descriptor{Digest: sumDigest(data), Size: int64(len(data))}
		l := layer{descriptor: d, role: document, tar: true}
		if packed {
			l.packed = "gzip"
		}
		c := &collector{
			files: newTree(), held: newBudget(1 << 20), streamed: newBudget(1 << 24), generic: map[string]int{}, sums: map[string]digest{},
		}
		err := c.walk(&diskBlobs{fsys: fstest.MapFS{"blobs/" + d.Digest.file(): {Data: data}}}, l)
		if err != nil && len(err.Error()) > 2000 {
			t.Fatalf("an error of %d bytes", len(err.Error()))
		}
		held := int64(0)
		for name, n := range c.files {
			if name != "." && checkName(name) != nil {
				t.Fatalf("accepted %q", name)
			}
			if m, ok := n.at.(memory); ok {
				held += int64(len(m))
			}
			if n.at != nil && n.size > 0 {
				if _, err := n.at.ReadAt(make([]byte, min(n.size, 1<<16)), 0); err != nil {
					t.Fatalf("%q cannot be read: %v", name, err)
				}
			}
		}
		if held > 1<<20 {
			t.Fatalf("%d bytes are held", held)
		}
	})
}

// archiveOf packs a member twice, without the care for its size that a tar.Writer takes when it is closed.
func archiveOf(h tar.Header, body string) []byte {
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for range 2 {
		if w.WriteHeader(&h) != nil {
			break
		}
		if _, err := w.Write([]byte(body)); err != nil {
			break
		}
		if w.Flush() != nil {
			break
		}
	}
	return b.Bytes()
}

// TestContentRange: only the very range that was asked for will do.
func TestContentRange(t *testing.T) {
	for s, want := range map[string]bool{
		"bytes 5-9/100": true, "bytes 5-9/*": true, "bytes 5-9/99": false, "bytes 0-9/100": false, "bytes 5-10/100": false,
		"bytes 5-8/100": false, "5-9/100": false, "bytes */100": false, "": false, "bytes 5-9": false, "bytes +5-9/100": false,
	} {
		if got := contentRange(s, 5, 5, 100); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

// TestLoopback: no name that is resolved elsewhere counts.
func TestLoopback(t *testing.T) {
	for s, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1": true, "127.0.0.1:80": true, "127.9.9.9:80": true, "[::1]:80": true,
		"localhost.example.com": false, "127.0.0.1.example.com:80": false, "example.com": false, "10.0.0.1:80": false, "0.0.0.0:80": false, "": false,
	} {
		if got := loopback(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}
