package oci_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/llmcheck/llmcheck/internal/source/oci"
	"github.com/llmcheck/llmcheck/internal/source/oci/ocitest"
)

// TestDiskLinks reads a newer store, whose tags are links to blobs, through os.Root; a link that leaves is refused.
func TestDiskLinks(t *testing.T) {
	r := ocitest.New()
	digest := r.Put("library/tiny", "latest", ocitest.Ollama(tiny, "text"))
	dir := filepath.Join(t.TempDir(), "models")
	write := func(name string, data []byte) {
		name = filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	var manifest []byte
	for path, data := range r.Store("x") {
		if strings.HasPrefix(path, "blobs/") {
			write(path, data)
		} else {
			manifest = data
		}
	}
	blob := "blobs/" + strings.Replace(digest, ":", "-", 1)
	write(blob, manifest)
	write("../outside", manifest)
	write("manifests-v2/ollama.com/library/tiny/other", nil)
	tags := filepath.Join(dir, "manifests-v2", "ollama.com", "library", "tiny")
	for tag, to := range map[string]string{"latest": "../../../../" + blob, "leaves": "../../../../../outside"} {
		if err := os.Symlink(filepath.FromSlash(to), filepath.Join(tags, tag)); err != nil {
			t.Skipf("no links here: %v", err)
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	o := oci.Options{Offline: true, OllamaModels: root.FS()}
	for _, ref := range []string{"ollama:tiny", "ollama:tiny@" + digest} {
		s := open(t, o, ref)
		if got := texts(t, s)["LICENSE"]; got != "text" || s.Revision != digest {
			t.Errorf("%s: got %q at %s", ref, got, s.Revision)
		}
	}
	for _, ref := range []string{"ollama:tiny:leaves", "ollama:tiny:other"} {
		if s, err := oci.New(o).Open(t.Context(), parse(t, ref)); err == nil {
			t.Errorf("%s: got %+v", ref, s)
		}
	}
}
