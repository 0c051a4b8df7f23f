package oci

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

// diskStore is Ollama's own store: manifests(-v2)/host/namespace/name/tag and blobs/sha256-<hex>
// (ollama/ollama manifest/paths.go). It implements store.
type diskStore struct {
	fsys   fs.FS
	target target
}

func (s *diskStore) manifest(_ context.Context, reference string) ([]byte, error) {
	if d, err := parseDigest(reference); err == nil {
		return s.manifestBlob(d)
	}
	for _, name := range s.candidates(reference) {
		data, err := readSmall(s.fsys, name)
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrInvalid) {
			continue
		}
		return data, err
	}
	return nil, fmt.Errorf("looking in Ollama's store: %w", source.ErrNotFound)
}

// manifestBlob finds a manifest by digest; only newer stores keep manifests as blobs.
func (s *diskStore) manifestBlob(d digest) ([]byte, error) {
	data, err := readSmall(s.fsys, "blobs/"+d.file())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("looking in Ollama's store: %w", source.ErrNotFound)
	case err != nil:
		return nil, err
	case sumDigest(data) != d:
		return nil, fmt.Errorf("blob %s of Ollama's store: %w", d, errNotListed)
	}
	return data, nil
}

// candidates are the paths where a tag may be kept, in the order in which Ollama looks.
func (s *diskStore) candidates(tag string) []string {
	rest := "/" + s.target.repository + "/" + tag
	if s.target.registry != ollamaRegistry {
		return []string{"manifests-v2/" + s.target.registry + rest, "manifests/" + s.target.registry + rest}
	}
	return []string{
		"manifests-v2/" + ollamaSite + rest, "manifests/" + ollamaRegistry + rest, "manifests/" + ollamaSite + rest,
	}
}

// readSmall reads a manifest from the store.
func readSmall(fsys fs.FS, name string) ([]byte, error) {
	f, err := openRegular(fsys, name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxManifest+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s of Ollama's store: %w", name, err)
	}
	if len(data) > maxManifest {
		return nil, fmt.Errorf("%s of Ollama's store has more than %d bytes: %w", name, maxManifest, source.ErrMalformed)
	}
	return data, nil
}

// openRegular opens a regular file and nothing else: opening a pipe would wait for somebody to write to it.
func openRegular(fsys fs.FS, name string) (fs.File, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, fmt.Errorf("looking for %s in Ollama's store: %w", name, err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s of Ollama's store is not a file: %w", name, source.ErrMalformed)
	}
	return fsys.Open(name)
}

func (s *diskStore) blobs(ctx context.Context) blobs {
	b := &diskBlobs{fsys: s.fsys}
	context.AfterFunc(ctx, b.close)
	return b
}

// diskBlobs are the blobs of the store. Files that are read by parts stay open until the Snapshot is closed.
type diskBlobs struct {
	fsys fs.FS

	mu    sync.Mutex
	files []fs.File
	shut  bool
}

func (b *diskBlobs) open(d descriptor) (io.ReadCloser, error) {
	f, err := openRegular(b.fsys, "blobs/"+d.Digest.file())
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("looking for blob %s in Ollama's store: %w", d.Digest, source.ErrNotFound)
	}
	return f, err
}

func (b *diskBlobs) at(d descriptor) io.ReaderAt {
	return lazyAt(sync.OnceValues(func() (io.ReaderAt, error) { return b.openAt(d) }))
}

func (b *diskBlobs) openAt(d descriptor) (io.ReaderAt, error) {
	rc, err := b.open(d)
	if err != nil {
		return nil, err
	}
	f := rc.(fs.File)
	if err := b.keep(f); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	at, ok := f.(io.ReaderAt)
	if !ok || info.Size() != d.Size {
		return nil, errNotListed
	}
	return at, nil
}

func (b *diskBlobs) keep(f fs.File) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.shut {
		return errors.Join(fs.ErrClosed, f.Close())
	}
	b.files = append(b.files, f)
	return nil
}

func (b *diskBlobs) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shut = true
	for _, f := range b.files {
		f.Close()
	}
	b.files = nil
}

type lazyAt func() (io.ReaderAt, error)

// ReadAt implements io.ReaderAt.
func (l lazyAt) ReadAt(p []byte, off int64) (int, error) {
	at, err := l()
	if err != nil {
		return 0, err
	}
	return at.ReadAt(p, off)
}

// parentName reads the name in a layer's "from", which Ollama writes for a model made from another one. Paths of the
// machine that made it are of no use to us.
func parentName(from string) (string, bool) {
	if from == "" || len(from) > 300 || strings.HasPrefix(from, "/") || strings.HasPrefix(from, "sha256:") {
		return "", false
	}
	_, err := model.ParseRef("ollama:" + from)
	return from, err == nil
}
