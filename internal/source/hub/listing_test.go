package hub

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/llmcheck/llmcheck/internal/fetch"
	"github.com/llmcheck/llmcheck/internal/filename"
	"github.com/llmcheck/llmcheck/internal/model"
)

const commit = "0123456789abcdef0123456789abcdef01234567"

// full has the fields of a real answer, some of which we do not read.
const full = `{"_id":"66944f1fe0c5c2e493a804f5","id":"acme/tiny","private":false,"pipeline_tag":"text-generation",
"library_name":"transformers","tags":["transformers","safetensors","base_model:meta-llama/Llama-3.1-8B",
"base_model:quantized:meta-llama/Llama-3.1-8B","license:llama3.1","region:us"],"downloads":1,"likes":2,
"modelId":"acme/tiny","author":"acme","sha":"` + commit + `","lastModified":"2024-10-16T22:00:37.000Z","gated":"manual",
"disabled":false,"model-index":null,"config":{"architectures":["X"],"Architectures":["Y"],"tokenizer_config":{"bos":"a"}},
"cardData":{"license":"llama3.1","extra_gated_fields":{"I agree":"checkbox"},"Tags":[],"tags":[]},
"siblings":[{"rfilename":".gitattributes","size":1519,"blobId":"a6344aac8c09253b3b630fb776ae94478aa0275b"},
{"rfilename":"model.safetensors","size":4976698672,"blobId":"a6344aac8c09253b3b630fb776ae94478aa0275b",
"lfs":{"sha256":"` + "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" + `","size":4976698672,"pointerSize":135}}],
"spaces":[],"createdAt":"2024-07-14T22:20:15.000Z","safetensors":{"parameters":{"BF16":8030261248},"total":8030261248},
"usedStorage":8030261248}`

func TestParseListing(t *testing.T) {
	got, err := parseListing([]byte(full))
	if err != nil {
		t.Fatal(err)
	}
	want := &listing{
		ID: "acme/tiny", Commit: commit, Gated: true,
		Files: []file{
			{Path: ".gitattributes", Size: 1519, Blob: "a6344aac8c09253b3b630fb776ae94478aa0275b"},
			{Path: "model.safetensors", Size: 4976698672, Blob: "a6344aac8c09253b3b630fb776ae94478aa0275b", SHA256: strings.Repeat("a", 64)},
		},
		Claims:  []model.Claim{{Origin: model.FromRegistry, Where: whereCard, Value: "llama3.1"}},
		Parents: []model.Parent{{Ref: "meta-llama/Llama-3.1-8B", Relation: model.Quantized, Where: whereTags}},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
}

// with is a small listing with some fields replaced or added.
func with(fields string) string {
	m := map[string]json.RawMessage{"id": []byte(`"a/b"`), "sha": []byte(`"` + commit + `"`), "siblings": []byte(`[]`)}
	var extra map[string]json.RawMessage
	if err := json.Unmarshal([]byte("{"+fields+"}"), &extra); err != nil {
		panic(err)
	}
	for k, v := range extra {
		if m[k] = v; string(v) == `"-"` {
			delete(m, k)
		}
	}
	b, err := json.Marshal(m)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func TestParseListingClaims(t *testing.T) {
	claim := func(where, value, name, link string) model.Claim {
		return model.Claim{Origin: model.FromRegistry, Where: where, Value: value, Name: name, Link: link}
	}
	for _, tt := range []struct {
		name, fields string
		want         []model.Claim
		gap          string
	}{
		{"nothing said", ``, nil, ""},
		{"no card", `"cardData":null,"tags":["license:mit"]`, []model.Claim{claim(whereTags, "mit", "", "")}, ""},
		{"list", `"cardData":{"license":["mit","apache-2.0"]}`, []model.Claim{claim(whereCard, "mit", "", ""), claim(whereCard, "apache-2.0", "", "")}, ""},
		{"tag says another thing", `"cardData":{"license":"mit"},"tags":["license:other"]`, []model.Claim{claim(whereCard, "mit", "", ""), claim(whereTags, "other", "", "")}, ""},
		{"other, with name and link", `"cardData":{"license":"other","license_name":"x","license_link":"LICENSE"}`, []model.Claim{claim(whereCard, "other", "x", "LICENSE")}, ""},
		{"name alone", `"cardData":{"license_name":"x"}`, []model.Claim{claim(whereCard, "", "x", "")}, ""},
		{"a number", `"cardData":{"license":5}`, nil, "cardData.license"},
		{"an object", `"cardData":{"license":{"id":"mit"}}`, nil, "cardData.license"},
		{"a list with an object", `"cardData":{"license":["mit",{}]}`, []model.Claim{claim(whereCard, "mit", "", "")}, "cardData.license"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := parseListing([]byte(with(tt.fields)))
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(tt.want, l.Claims); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
			if (tt.gap == "") != (len(l.Gaps) == 0) || !strings.Contains(fmt.Sprint(l.Gaps), tt.gap) {
				t.Errorf("gaps %v, want %q", l.Gaps, tt.gap)
			}
		})
	}
}

func TestParseListingRefuses(t *testing.T) {
	for _, tt := range []struct{ name, json, want string }{
		{"no JSON", "sorry", "line 1"},
		{"an array", "[]", "object"},
		{"something behind", with("") + "{}", "follows"},
		{"no commit", with(`"sha":"-"`), "sha"},
		{"short commit", with(`"sha":"0123456"`), "sha"},
		{"commit that is a path", with(`"sha":"../../../../../../../../../../../../etc/pw"`), "sha"},
		{"commit in capitals", with(`"sha":"` + strings.ToUpper(commit) + `"`), "sha"},
		{"commit is a number", with(`"sha":5`), "sha"},
		{"commit twice", `{"sha":"` + commit + `",` + with("")[1:], "twice"},
		{"commit in another case", with(`"SHA":"` + commit + `"`), "case"},
		{"no id", with(`"id":"-"`), "id"},
		{"id that is a path", with(`"id":"../x"`), "id"},
		{"id with two slashes", with(`"id":"a/b/c"`), "id"},
		{"no files", with(`"siblings":"-"`), "siblings"},
		{"files are an object", with(`"siblings":{}`), "siblings"},
		{"file without name", with(`"siblings":[{}]`), "without a name"},
		{"file is text", with(`"siblings":["a"]`), ""},
		{"negative size", with(`"siblings":[{"rfilename":"a","size":-1}]`), "size"},
		{"size over 64 bits", with(`"siblings":[{"rfilename":"a","size":1e400}]`), "size"},
		{"size with a fraction", with(`"siblings":[{"rfilename":"a","size":1.5}]`), "size"},
		{"two sizes", with(`"siblings":[{"rfilename":"a","size":1,"lfs":{"sha256":"` + strings.Repeat("a", 64) + `","size":2}}]`), "in one place"},
		{"blob is a path", with(`"siblings":[{"rfilename":"a","blobId":"../../x"}]`), "blobId"},
		{"digest is a path", with(`"siblings":[{"rfilename":"a","lfs":{"sha256":"../../x"}}]`), "sha256"},
		{"a file twice", with(`"siblings":[{"rfilename":"a"},{"rfilename":"a"}]`), "twice"},
		{"a file and a folder", with(`"siblings":[{"rfilename":"a/b/c"},{"rfilename":"a/b"}]`), "folder"},
		{"license in another case", with(`"cardData":{"license":"mit","License":"other"}`), "spelling"},
		{"license only in another case", with(`"cardData":{"LICENSE":"mit"}`), "spelling"},
		{"disabled is text", with(`"disabled":"no"`), "disabled"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := parseListing([]byte(tt.json)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error about %q", err, tt.want)
			}
		})
	}
}

func TestHostileNamesAreGaps(t *testing.T) {
	names := []string{
		"../x", "a/../../x", "/etc/passwd", `C:\x`, `a\b`, `\\server\share`, "//server/share", "a\x00b", "a\nb", "CON", "nul.txt",
		"a/./b", "a//b", "a/", "", ".", "..", strings.Repeat("a", 2000), "a:b", "x/aux.md", "\u009b31m",
	}
	var siblings []map[string]string
	for _, n := range names {
		siblings = append(siblings, map[string]string{"rfilename": n})
	}
	b, err := json.Marshal(siblings)
	if err != nil {
		t.Fatal(err)
	}
	l, err := parseListing([]byte(with(`"siblings":` + string(b))))
	if err != nil {
		t.Fatal(err)
	}
	if len(l.Files) != 0 || len(l.Gaps) != len(names) {
		t.Errorf("%d files and %d gaps, want none and %d: %v", len(l.Files), len(l.Gaps), len(names), l.Files)
	}
}

func TestTooManyFilesAreAGap(t *testing.T) {
	var b strings.Builder
	for i := range MaxFiles + 5 {
		fmt.Fprintf(&b, `,{"rfilename":"d%d/f%d"}`, i%1000, i)
	}
	l, err := parseListing([]byte(with(`"siblings":[` + b.String()[1:] + `]`)))
	if err != nil || len(l.Files) != MaxFiles || len(l.Gaps) != 1 {
		t.Fatalf("%v", err)
	}
}

func TestDeepTreeIsCheap(t *testing.T) {
	f := newFiles(t.Context(), nil, []file{{Path: strings.Repeat("d/", 500) + "f"}})
	n := 0
	if err := fs.WalkDir(f, ".", func(string, fs.DirEntry, error) error { n++; return nil }); err != nil || n != 502 {
		t.Errorf("walked %d entries, %v", n, err)
	}
}

func TestSplitNames(t *testing.T) {
	for in, want := range map[string]int{
		"x.gguf": 1, "x-00001-of-00003.gguf": 3, "x-00004-of-00003.gguf": 1, "x-00000-of-00003.gguf": 1,
		"x-00001-of-99999.gguf": 1, "x-00001-of-00000.gguf": 1, "x-1-of-3.gguf": 1, "x-00001-of-01000.gguf": 1000,
	} {
		got := splitNames(in)
		if len(got) != want {
			t.Errorf("splitNames(%q) has %d names, want %d", in, len(got), want)
		}
	}
}

func TestEscapePath(t *testing.T) {
	for in, want := range map[string]string{
		"a/b.md": "a/b.md", "a b#c?d%2e": "a%20b%23c%3Fd%252e", "ä/é": "%C3%A4/%C3%A9",
	} {
		if got := escapePath(in); got != want {
			t.Errorf("escapePath(%q) = %q, want %q", in, got, want)
		}
	}
}

// FuzzListing: what parses has safe names, well-formed digests and a tree that io/fs accepts, and costs no more memory
// than its text explains.
func FuzzListing(f *testing.F) {
	f.Add([]byte(full))
	for _, s := range []string{
		``, `"siblings":[{"rfilename":"../x"},{"rfilename":"a/b","size":3}]`, `"gated":"auto"`,
		`"cardData":{"license":["mit"],"base_model":["x/y"]},"tags":["license:mit","base_model:adapter:x/y"]`,
	} {
		f.Add([]byte(with(s)))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if len(b) > 1<<16 {
			t.Skip("longer inputs show nothing new")
		}
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		l, err := parseListing(b)
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 1<<20+uint64(len(b))*400 {
			t.Fatalf("%d bytes were allocated for %d", grown, len(b))
		}
		if err != nil {
			return
		}
		checkListing(t, l)
	})
}

func checkListing(t *testing.T, l *listing) {
	t.Helper()
	if !commitForm.MatchString(l.Commit) || !idForm.MatchString(l.ID) || strings.Contains(l.ID, "..") {
		t.Fatalf("commit %q, id %q", l.Commit, l.ID)
	}
	for _, x := range l.Files {
		if err := filename.Check(x.Path); err != nil || x.Size < -1 || x.SHA256 != "" && !sha256Form.MatchString(x.SHA256) {
			t.Fatalf("file %+v: %v", x, err)
		}
	}
	c, err := fetch.New(fetch.Options{Offline: true})
	if err != nil {
		t.Fatal(err)
	}
	files := newFiles(t.Context(), c, l.Files)
	files.address = func(s string) string { return "https://hub.test/" + escapePath(s) }
	n := 0
	err = fs.WalkDir(files, ".", func(_ string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	if err != nil || n != len(l.Files) {
		t.Fatalf("walked %d of %d files: %v", n, len(l.Files), err)
	}
}
