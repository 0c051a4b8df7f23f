package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/model"
	"github.com/llmcheck/llmcheck/internal/source"
)

const (
	sha = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	rev = "0123456789abcdef0123456789abcdef01234567"
)

// write makes a folder of names and contents; a content that begins with "->" makes a link.
func write(t testing.TB, nameAndContent ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(nameAndContent); i += 2 {
		name := filepath.Join(dir, filepath.FromSlash(nameAndContent[i]))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if target, ok := strings.CutPrefix(nameAndContent[i+1], "->"); ok {
			if err := os.Symlink(target, name); err != nil {
				t.Skip("no links here:", err)
			}
			continue
		}
		if err := os.WriteFile(name, []byte(nameAndContent[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// read opens a path and reads the model there.
func read(t testing.TB, o source.Opener, ref model.Ref) (*model.Model, *source.Snapshot) {
	t.Helper()
	s, err := o.Open(context.Background(), ref)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	m, err := model.Read(s.FS, s.Ref, s.Revision)
	if err != nil {
		t.Fatal(err)
	}
	return m, s
}

func pathRef(name ...string) model.Ref {
	return model.Ref{Scheme: model.SchemePath, Name: filepath.Join(name...)}
}

// cache makes a Hugging Face cache of one repository.
func cache(t testing.TB, more ...string) string {
	t.Helper()
	repo := "models--org--name/"
	return write(t, append([]string{
		repo + "refs/main", rev,
		repo + "blobs/aaaa", "---\nlicense: mit\n---\n",
		repo + "blobs/" + sha, string(gguftest.Write([]gguftest.KV{{Key: "general.license", Value: "mit"}}, nil)),
		repo + "snapshots/" + rev + "/README.md", "->../../blobs/aaaa",
		repo + "snapshots/" + rev + "/x.gguf", "->../../blobs/" + sha,
	}, more...)...)
}

func unread(m *model.Model) []string {
	var out []string
	for _, g := range m.Gaps {
		if g.Kind == model.Unread {
			out = append(out, g.What+": "+g.Why)
		}
	}
	return out
}

func TestFolder(t *testing.T) {
	outside := write(t, "LICENSE", "secret", "d/LICENSE", "secret")
	dir := write(t,
		"README.md", "---\nlicense: mit\nbase_model: a/b\n---\n",
		"LICENSE", "->docs/body",
		"docs/body", "terms",
		"NOTICE", "->"+filepath.Join(outside, "LICENSE"),
		"COPYING", "->../../../../../../../../../../etc/passwd",
		"EULA.txt", "->missing",
		"TERMS.md", "->TERMS.md",
		"original", "->"+filepath.Join(outside, "d"),
		"again", "->.",
	)
	m, s := read(t, Disk{}, pathRef(dir))
	if s.Ref.Scheme != model.SchemeDir || s.Revision != "" {
		t.Errorf("ref %+v, revision %q", s.Ref, s.Revision)
	}
	if len(m.Claims) != 1 || len(m.Parents) != 1 {
		t.Errorf("claims %v, parents %v", m.Claims, m.Parents)
	}
	if len(m.Texts) != 1 || m.Texts[0].Path != "LICENSE" || string(m.Texts[0].Data) != "terms" {
		t.Errorf("texts %+v, want the one that a link within leads to", m.Texts)
	}
	var want []string
	for _, name := range []string{"COPYING", "EULA.txt", "NOTICE", "TERMS.md", "original"} {
		want = append(want, name+": it is a link that leads out of the folder or to nothing, and was not followed")
	}
	got := unread(m)
	if diff := cmp.Diff(want, sorted(got)); diff != "" {
		t.Errorf("gaps (-want +got):\n%s", diff)
	}
	for _, name := range []string{"NOTICE", "COPYING", "original/LICENSE", "../LICENSE", "/etc/passwd", "again/../../x"} {
		if f, err := s.FS.Open(name); err == nil {
			f.Close()
			t.Errorf("%s was opened", name)
		}
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func TestFilesGiveRanges(t *testing.T) {
	dir := write(t, "m.safetensors", "0123456789")
	_, s := read(t, Disk{}, pathRef(dir))
	f, err := s.FS.Open("m.safetensors")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	at, ok := f.(io.ReaderAt)
	if !ok {
		t.Fatal("the file is no io.ReaderAt")
	}
	b := make([]byte, 3)
	if _, err := at.ReadAt(b, 4); err != nil || string(b) != "456" {
		t.Errorf("read %q, %v", b, err)
	}
}

func TestOneFile(t *testing.T) {
	mit := string(gguftest.Write([]gguftest.KV{{Key: "general.license", Value: "mit"}}, nil))
	dir := write(t,
		"terms.xyz", "terms",
		"LICENSE", "other terms",
		"m.gguf", mit,
		"s-00001-of-00002.gguf", mit,
		"s-00002-of-00002.gguf", mit,
		"t-00002-of-00002.gguf", mit,
		"config.json", `{"architectures": ["XForCausalLM"]}`,
		"link", "->terms.xyz",
		"Größe und Recht.txt", "terms",
	)
	for _, tt := range []struct {
		name                   string
		texts, claims, weights int
		arch                   string
	}{
		{name: "terms.xyz", texts: 1},
		{name: "LICENSE", texts: 1},
		{name: "link", texts: 1},
		{name: "Größe und Recht.txt", texts: 1},
		{name: "m.gguf", claims: 1, weights: 1},
		{name: "s-00001-of-00002.gguf", claims: 1, weights: 2},
		{name: "s-00002-of-00002.gguf", claims: 1, weights: 2},
		{name: "t-00002-of-00002.gguf", claims: 1, weights: 1},
		{name: "config.json", arch: "XForCausalLM"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, s := read(t, Disk{}, pathRef(dir, tt.name))
			if s.Ref.Scheme != model.SchemeFile {
				t.Errorf("scheme %s", s.Ref.Scheme)
			}
			if len(m.Texts) != tt.texts || len(m.Claims) < tt.claims || m.Weights.Files != tt.weights || m.Weights.Architecture != tt.arch {
				t.Errorf("texts %v, claims %v, weights %+v", m.Texts, m.Claims, m.Weights)
			}
			if got := unread(m); len(got) > 0 {
				t.Errorf("gaps %q", got)
			}
		})
	}
}

func TestFileByLinkFromElsewhere(t *testing.T) {
	elsewhere := write(t, "blob", "terms", "LICENSE", "other terms")
	dir := write(t, "LICENSE", "->"+filepath.Join(elsewhere, "blob"))
	m, _ := read(t, Disk{}, pathRef(dir, "LICENSE"))
	if len(m.Texts) != 1 || m.Texts[0].Path != "LICENSE" || string(m.Texts[0].Data) != "terms" {
		t.Errorf("texts %+v", m.Texts)
	}
}

func TestMissing(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{filepath.Join(dir, "x"), filepath.Join(dir, "x", "y"), filepath.Join(dir, strings.Repeat("x", 30))} {
		_, err := Disk{}.Open(context.Background(), pathRef(name))
		if !errors.Is(err, source.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("the error has several lines: %q", err)
		}
	}
}

func TestWrongKind(t *testing.T) {
	dir := write(t, "f", "x")
	for _, ref := range []model.Ref{
		{Scheme: model.SchemeFile, Name: dir},
		{Scheme: model.SchemeDir, Name: filepath.Join(dir, "f")},
		{Scheme: model.SchemePath, Name: "~/x"},
	} {
		if _, err := (Disk{}).Open(context.Background(), ref); err == nil {
			t.Errorf("%+v was opened", ref)
		}
	}
}

func TestHome(t *testing.T) {
	dir := write(t, "m/LICENSE", "terms")
	m, s := read(t, Disk{Home: dir}, model.Ref{Scheme: model.SchemePath, Name: "~/m"})
	if len(m.Texts) != 1 || s.Ref.Name != "~/m" {
		t.Errorf("texts %v, ref %v", m.Texts, s.Ref)
	}
}

func TestCacheBySnapshotFolder(t *testing.T) {
	dir := cache(t)
	repo := filepath.Join(dir, "models--org--name")
	for _, name := range []string{repo, filepath.Join(repo, "snapshots", rev)} {
		m, s := read(t, Disk{}, pathRef(name))
		if s.Revision != rev || len(m.Claims) != 2 || len(unread(m)) > 0 || len(s.Gaps) > 0 {
			t.Errorf("%s: revision %q, claims %v, gaps %v, %v", name, s.Revision, m.Claims, m.Gaps, s.Gaps)
		}
		if len(s.Files) != 1 || s.Files[0].Path != "x.gguf" || s.Files[0].SHA256 != sha || s.Files[0].Size <= 0 {
			t.Errorf("files %+v", s.Files)
		}
	}
	m, s := read(t, Disk{}, pathRef(repo, "snapshots", rev, "x.gguf"))
	if s.Ref.Scheme != model.SchemeFile || s.Revision != rev || len(m.Claims) != 1 || m.Card != nil {
		t.Errorf("one file: ref %+v, revision %q, claims %v", s.Ref, s.Revision, m.Claims)
	}
}

func TestCache(t *testing.T) {
	other := strings.Repeat("f", 40)
	repo := "models--org--name/"
	dir := cache(t,
		repo+"refs/refs/pr/1", other,
		repo+"refs/broken", "hello",
		repo+"refs/dangling", strings.Repeat("e", 40),
		repo+"snapshots/"+other+"/config.json", "{}",
		repo+"snapshots/"+other+"/LICENSE", "->../../../models--evil--x/LICENSE",
		"models--evil--x/LICENSE", "terms",
		"models--org--bare/snapshots/"+rev+"/README.md", "x",
		"models--gpt2/snapshots/"+rev+"/README.md", "x",
		"models--org--two/snapshots/"+rev+"/README.md", "x",
		"models--org--two/snapshots/"+other+"/README.md", "x",
		"models--org--empty/snapshots/.keep", "x",
	)
	hub := func(name, revision, file string) model.Ref {
		return model.Ref{Scheme: model.SchemeHub, Name: name, Revision: revision, File: file}
	}
	for _, tt := range []struct {
		name string
		ref  model.Ref
		rev  string // of the snapshot; "" for an error
		err  error
		gaps int
	}{
		{name: "default", ref: hub("org/name", "", ""), rev: rev},
		{name: "branch", ref: hub("org/name", "main", ""), rev: rev},
		{name: "commit", ref: hub("org/name", rev, ""), rev: rev},
		{name: "pull request, fetched in part", ref: hub("org/name", "refs/pr/1", ""), rev: other, gaps: 1},
		{name: "one file", ref: hub("org/name", "", "x.gguf"), rev: rev},
		{name: "no ref, one snapshot", ref: hub("org/bare", "", ""), rev: rev},
		{name: "old name", ref: hub("gpt2", "", ""), rev: rev},
		{name: "no ref, two snapshots", ref: hub("org/two", "", "")},
		{name: "no such file", ref: hub("org/name", "", "y.gguf"), err: source.ErrNotFound},
		{name: "no such repository", ref: hub("org/other", "", ""), err: source.ErrNotFound},
		{name: "no such branch", ref: hub("org/name", "dev", ""), err: source.ErrNotFound},
		{name: "no such commit", ref: hub("org/name", strings.Repeat("d", 40), ""), err: source.ErrNotFound},
		{name: "ref without snapshot", ref: hub("org/name", "dangling", ""), err: source.ErrNotFound},
		{name: "ref that holds no commit", ref: hub("org/name", "broken", ""), err: source.ErrMalformed},
		{name: "leaving by the name", ref: hub("../../x", "", ""), err: source.ErrNotFound},
		{name: "leaving by the revision", ref: hub("org/name", "../../../models--evil--x/LICENSE", "")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s, err := Cache{Dir: dir}.Open(context.Background(), tt.ref)
			if tt.rev == "" {
				if err == nil || tt.err != nil && !errors.Is(err, tt.err) {
					t.Fatalf("error %v, want %v", err, tt.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if s.Revision != tt.rev || s.Ref != tt.ref || len(s.Gaps) != tt.gaps {
				t.Errorf("revision %q, ref %v, gaps %v", s.Revision, s.Ref, s.Gaps)
			}
			if f, err := s.FS.Open("LICENSE"); err == nil {
				f.Close()
				t.Error("a link to another repository was followed")
			}
		})
	}
	if _, err := (Cache{}).Open(context.Background(), hub("org/name", "", "")); !errors.Is(err, source.ErrNotFound) {
		t.Errorf("no cache: %v", err)
	}
}

func TestCacheHidesOtherFiles(t *testing.T) {
	dir := cache(t, "models--org--name/snapshots/"+rev+"/y.gguf", "GGUF")
	m, _ := read(t, Cache{Dir: dir}, model.Ref{Scheme: model.SchemeHub, Name: "org/name", File: "x.gguf"})
	if m.Weights.Files != 1 || m.Card == nil || len(m.Claims) != 2 {
		t.Errorf("weights %+v, card %v, claims %v", m.Weights, m.Card, m.Claims)
	}
}

func TestCacheKnowsThatThereIsNoCard(t *testing.T) {
	dir := write(t, "models--o--n/snapshots/"+rev+"/config.json", "{}", "models--o--n/.no_exist/"+rev+"/README.md", "")
	_, s := read(t, Cache{Dir: dir}, model.Ref{Scheme: model.SchemeHub, Name: "o/n"})
	if len(s.Gaps) > 0 {
		t.Errorf("gaps %v", s.Gaps)
	}
}

func TestCanceled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, o := range []source.Opener{Disk{}, Cache{Dir: t.TempDir()}} {
		if _, err := o.Open(ctx, pathRef(t.TempDir())); !errors.Is(err, context.Canceled) {
			t.Errorf("%T: %v", o, err)
		}
	}
}

func TestHugeFolder(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 20,050 files")
	}
	dir := write(t, "LICENSE", "terms")
	for i := range 20_050 {
		// One more name for a file is made faster than one more file.
		if err := os.Link(filepath.Join(dir, "LICENSE"), filepath.Join(dir, fmt.Sprintf("z%06d", i))); err != nil {
			t.Skip("no hard links here:", err)
		}
	}
	start := time.Now()
	m, _ := read(t, Disk{}, pathRef(dir))
	if d := time.Since(start); d > 10*time.Second {
		t.Errorf("took %v", d)
	}
	if got := unread(m); len(got) > 0 || len(m.Texts) != 1 {
		t.Errorf("gaps %q, %d texts", got, len(m.Texts))
	}
}

func BenchmarkRead(b *testing.B) {
	kv := []gguftest.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "general.license", Value: "mit"},
		{Key: "tokenizer.ggml.tokens", Value: make([]string, 128_000)},
	}
	dir := write(b,
		"README.md", "---\nlicense: llama3.1\nbase_model: meta-llama/Llama-3.1-8B\n---\n"+strings.Repeat("Words about it.\n", 500),
		"LICENSE", strings.Repeat("Some terms of a license.\n", 600),
		"USE_POLICY.md", strings.Repeat("Some terms of a policy.\n", 300),
		"config.json", `{"architectures": ["LlamaForCausalLM"], "model_type": "llama"}`,
		"m-Q4_K_M.gguf", string(gguftest.Write(kv, nil)),
	)
	for b.Loop() {
		s, err := Disk{}.Open(context.Background(), pathRef(dir))
		if err != nil {
			b.Fatal(err)
		}
		m, err := model.Read(s.FS, s.Ref, s.Revision)
		if err != nil || len(m.Texts) != 2 || len(m.Claims) != 2 {
			b.Fatal(m, err)
		}
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// TestBelonging holds that a file named alone brings those that say what it is, and nothing else that lies there.
func TestBelonging(t *testing.T) {
	dir := write(t, "config.json", `{"model_type":"llama"}`, "hf_quant_config.json", `{"quantization":{"quant_algo":"FP8"}}`,
		"Qwen3-8B.json", `{"model_type":"qwen3"}`, "Qwen3-8B.hf_quant_config.json", `{"quantization":{"quant_algo":"NVFP4"}}`,
		"model.safetensors.index.json", `{"metadata":{"total_size":24},"weight_map":{"a":"x.safetensors"}}`, "LICENSE", "terms", "alone.json", "{}")
	for _, row := range []struct{ name, kind, quant string }{
		{"config.json", "llama", "FP8"}, {"Qwen3-8B.json", "qwen3", "NVFP4"}, {"model.safetensors.index.json", "llama", "FP8"}, {"alone.json", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s, err := Disk{}.Open(context.Background(), model.Ref{Scheme: model.SchemePath, Name: filepath.Join(dir, row.name)})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			m, err := model.ReadShape(s.FS, s.Ref, s.Revision, "")
			if err != nil {
				t.Fatal(err)
			}
			kind, _, _ := m.Config.String("model_type")
			quant := ""
			if v, ok := m.Quant.Get("quantization"); ok {
				quant, _, _ = v.String("quant_algo")
			}
			if kind != row.kind || quant != row.quant {
				t.Errorf("model_type %q, want %q; quant_algo %q, want %q; gaps %v", kind, row.kind, quant, row.quant, m.Gaps)
			}
			if _, err := fs.Stat(s.FS, "LICENSE"); err == nil {
				t.Error("LICENSE is shown")
			}
		})
	}
}
