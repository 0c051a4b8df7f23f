package model

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseRef(t *testing.T) {
	sha := strings.Repeat("0123456789abcdef", 4)
	commit := strings.Repeat("ab12", 10)
	for _, tt := range []struct {
		name, in string
		want     Ref
	}{
		{"hub", "org/name", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub with blanks around", " org/name ", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub at a tag", "org/name@v1.0", Ref{Scheme: SchemeHub, Name: "org/name", Revision: "v1.0"}},
		{"hub at a pull request", "org/name@refs/pr/1", Ref{Scheme: SchemeHub, Name: "org/name", Revision: "refs/pr/1"}},
		{
			"hub at a commit, one file", "org/name@" + commit + "#q/x.gguf",
			Ref{Scheme: SchemeHub, Name: "org/name", Revision: commit, File: "q/x.gguf"},
		},
		{"hub by prefix", "hf:org/name", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub by address of fsspec", "hf://org/name@dev", Ref{Scheme: SchemeHub, Name: "org/name", Revision: "dev"}},
		{"hub by prefix in capitals", "HF:org/name", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub with the ending of a file", "hf:org/notes.md", Ref{Scheme: SchemeHub, Name: "org/notes.md"}},
		{"hub, old name without organization", "hf:gpt2", Ref{Scheme: SchemeHub, Name: "gpt2"}},
		{"hub, underscores", "_org/name_", Ref{Scheme: SchemeHub, Name: "_org/name_"}},
		{"hub page", "https://huggingface.co/org/name", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub page, slash, query and fragment", "https://huggingface.co/org/name/?library=x#top", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub page, short host", "https://hf.co/org/name", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub page, capitals", "HTTPS://HuggingFace.co/org/name", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub clone address", "https://huggingface.co/org/name.git", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub API address", "https://huggingface.co/api/models/org/name", Ref{Scheme: SchemeHub, Name: "org/name"}},
		{"hub page of a tree", "https://huggingface.co/org/name/tree/main", Ref{Scheme: SchemeHub, Name: "org/name", Revision: "main"}},
		{"hub page of a folder in a tree", "https://huggingface.co/org/name/tree/main/onnx", Ref{Scheme: SchemeHub, Name: "org/name", Revision: "main"}},
		{"hub page of a pull request", "https://huggingface.co/org/name/tree/refs%2Fpr%2F7", Ref{Scheme: SchemeHub, Name: "org/name", Revision: "refs/pr/7"}},
		{"hub page of a card", "https://huggingface.co/org/name/blob/main/README.md", Ref{Scheme: SchemeHub, Name: "org/name", Revision: "main"}},
		{
			"hub page of a GGUF", "https://huggingface.co/org/name/resolve/main/q/x-Q4_K_M.gguf?download=true",
			Ref{Scheme: SchemeHub, Name: "org/name", Revision: "main", File: "q/x-Q4_K_M.gguf"},
		},
		{"hub page, old name", "https://huggingface.co/gpt2", Ref{Scheme: SchemeHub, Name: "gpt2"}},

		{"path, dot", "./org/name", Ref{Scheme: SchemePath, Name: "./org/name"}},
		{"path, this folder", ".", Ref{Scheme: SchemePath, Name: "."}},
		{"path, parent", "../x", Ref{Scheme: SchemePath, Name: "../x"}},
		{"path, absolute", "/models/x", Ref{Scheme: SchemePath, Name: "/models/x"}},
		{"path, macOS with blanks", "/Volumes/My Disk/Llama 3", Ref{Scheme: SchemePath, Name: "/Volumes/My Disk/Llama 3"}},
		{"path, home", "~/models/x", Ref{Scheme: SchemePath, Name: "~/models/x"}},
		{"path, home of another", "~bob/models", Ref{Scheme: SchemePath, Name: "~bob/models"}},
		{"path, no slash", "llama", Ref{Scheme: SchemePath, Name: "llama"}},
		{"path, slash at the end", "org/name/", Ref{Scheme: SchemePath, Name: "org/name/"}},
		{"path, three parts", "a/b/c", Ref{Scheme: SchemePath, Name: "a/b/c"}},
		{"path, blank in a part", "my models/x", Ref{Scheme: SchemePath, Name: "my models/x"}},
		{"path, umlaut", "modelle/größe", Ref{Scheme: SchemePath, Name: "modelle/größe"}},
		{"path, Chinese", "模型/许可", Ref{Scheme: SchemePath, Name: "模型/许可"}},
		{"path, emoji", "org/🦙", Ref{Scheme: SchemePath, Name: "org/🦙"}},
		{"path, look-alike letters are not the hub's", "mеta-llama/x", Ref{Scheme: SchemePath, Name: "mеta-llama/x"}},
		{"path, Windows drive", `C:\Users\x\model`, Ref{Scheme: SchemePath, Name: `C:\Users\x\model`}},
		{"path, Windows drive and slashes", "D:/models/x", Ref{Scheme: SchemePath, Name: "D:/models/x"}},
		{"path, Windows, relative to the drive", "D:models/x", Ref{Scheme: SchemePath, Name: "D:models/x"}},
		{"path, Windows relative", `models\x`, Ref{Scheme: SchemePath, Name: `models\x`}},
		{"path, Windows share", `\\server\share\x`, Ref{Scheme: SchemePath, Name: `\\server\share\x`}},
		{"path, GGUF", "models/x.gguf", Ref{Scheme: SchemePath, Name: "models/x.gguf"}},
		{"path, GGUF in capitals", "models/x.GGUF", Ref{Scheme: SchemePath, Name: "models/x.GGUF"}},
		{"path, license", "x/LICENSE.txt", Ref{Scheme: SchemePath, Name: "x/LICENSE.txt"}},
		{"path, config", "x/config.json", Ref{Scheme: SchemePath, Name: "x/config.json"}},
		{"path by prefix", "dir:org/name", Ref{Scheme: SchemePath, Name: "org/name"}},
		{"path by prefix that begins like another", "dir:hf:x", Ref{Scheme: SchemePath, Name: "hf:x"}},
		{"path by file address", "file:///models/My%20Model", Ref{Scheme: SchemePath, Name: "/models/My Model"}},
		{"path by file address with host", "file://localhost/models/x", Ref{Scheme: SchemePath, Name: "/models/x"}},
		{"path by file address, Windows", "file:///C:/models/x", Ref{Scheme: SchemePath, Name: "C:/models/x"}},
		{"path, empty revision is not the hub's default", "org/name@", Ref{Scheme: SchemePath, Name: "org/name@"}},

		{"GGUF at an address", "https://example.com/a/x.gguf", Ref{Scheme: SchemeURL, Name: "https://example.com/a/x.gguf"}},
		{"GGUF at an address with query", "https://example.com/x.GGUF?sig=1", Ref{Scheme: SchemeURL, Name: "https://example.com/x.GGUF?sig=1"}},
		{"GGUF on this machine", "http://127.0.0.1:8080/x.gguf", Ref{Scheme: SchemeURL, Name: "http://127.0.0.1:8080/x.gguf"}},

		{"ollama", "ollama:llama3.1", Ref{Scheme: SchemeOllama, Name: "llama3.1"}},
		{"ollama with tag", "ollama:llama3.1:8b-instruct", Ref{Scheme: SchemeOllama, Name: "llama3.1", Revision: "8b-instruct"}},
		{"ollama of a user", "ollama:Some/Model:latest", Ref{Scheme: SchemeOllama, Name: "Some/Model", Revision: "latest"}},
		{"ollama by address", "ollama://registry.ollama.ai/library/x:1", Ref{Scheme: SchemeOllama, Name: "registry.ollama.ai/library/x", Revision: "1"}},
		{"ollama from the hub", "ollama:hf.co/org/X-GGUF:Q4_K_M", Ref{Scheme: SchemeOllama, Name: "hf.co/org/X-GGUF", Revision: "Q4_K_M"}},
		{"oci", "oci:ghcr.io/org/x:v1", Ref{Scheme: SchemeOCI, Name: "ghcr.io/org/x", Revision: "v1"}},
		{"oci with port", "oci:localhost:5000/x", Ref{Scheme: SchemeOCI, Name: "localhost:5000/x"}},
		{"oci with digest", "oci:ghcr.io/org/x@sha256:" + sha, Ref{Scheme: SchemeOCI, Name: "ghcr.io/org/x", Revision: "sha256:" + sha}},
		{"oci with tag and digest", "oci:ghcr.io/org/x:v1@sha256:" + sha, Ref{Scheme: SchemeOCI, Name: "ghcr.io/org/x", Revision: "sha256:" + sha}},

		{"license", "license:apache-2.0", Ref{Scheme: SchemeLicense, Name: "apache-2.0"}},
		{"license expression", "license: MIT OR (Apache-2.0 WITH LLVM-exception) ", Ref{Scheme: SchemeLicense, Name: "MIT OR (Apache-2.0 WITH LLVM-exception)"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseRef(tt.in)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("ParseRef(%q) (-want +got):\n%s", tt.in, diff)
			}
			back, err := ParseRef(got.String())
			if err != nil || back != got {
				t.Errorf("ParseRef(%q) = %v, %v; want %v", got.String(), back, err, got)
			}
		})
	}
}

func TestParseRefRefuses(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"nothing", "", "empty"},
		{"blanks", "  ", "empty"},
		{"too long", strings.Repeat("x", MaxRef+1), "4097 bytes"},
		{"NUL", "a\x00b", "control character"},
		{"line end", "a\nb", "control character"},
		{"escape sequence", "./\x1b[2J", "control character"},
		{"C1 control", "./\u009b2J", "control character"},
		{"line end behind percent", "file:///a%0ab", "control character"},
		{"prefix alone", "dir:", "path is missing"},
		{"hub, leaving", "hf:../../etc/passwd", "not a repository name"},
		{"hub, dots", "hf:org/a..b", "not a repository name"},
		{"hub, cache separator", "hf:org/a--b", "not a repository name"},
		{"hub, empty revision", "hf:org/name@", "revision behind @"},
		{"hub, revision leaves", "hf:org/name@a/../../b", "not a revision"},
		{"hub, revision with a blank", "hf:org/name@a b", "not a revision"},
		{"hub, empty file", "hf:org/name#", "file behind #"},
		{"hub, file leaves", "hf:org/name#../x.gguf", `file name "../x.gguf" contains`},
		{"hub, absolute file", "hf:org/name#/x.gguf", "absolute"},
		{"hub, file with backslash", `hf:org/name#a\x.gguf`, "backslash"},
		{"hub page of a dataset", "https://huggingface.co/datasets/org/name", "not the address of a model"},
		{"hub page of a space", "https://huggingface.co/spaces/name", "not the address of a model"},
		{"hub front page", "https://huggingface.co/", "not the address of a model"},
		{"hub page of discussions", "https://huggingface.co/org/name/discussions/3", `page "discussions"`},
		{"address with password", "https://u:p@example.com/x.gguf", "user name or a password"},
		{"address of something else", "https://example.com/LICENSE", "only addresses"},
		{"address without encryption", "http://example.com/x.gguf", "https://"},
		{"address without host", "https:///x.gguf", "no host"},
		{"file address of another machine", "file://server/x", "path on this machine"},
		{"oci without registry", "oci:x:1", "names no registry"},
		{"oci with a bad digest", "oci:h.io/x@sha256:zz", "not a digest"},
		{"oci leaving", "oci:h.io/../x", "not the name of a repository"},
		{"ollama, empty tag", "ollama:x:", "not a tag"},
		{"license without id", "license: ", "needs an id"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseRef(tt.in)
			if err == nil {
				t.Fatalf("ParseRef(%q) = %+v, want an error", tt.in, got)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q does not say %q", err, tt.want)
			}
			if len(err.Error()) > 4*maxShown {
				t.Errorf("the error has %d bytes", len(err.Error()))
			}
		})
	}
}

// A reference that a program made itself, and not ParseRef, still comes back as the same place.
func TestRefStringOfFolder(t *testing.T) {
	for _, r := range []Ref{{Scheme: SchemeDir, Name: "org/name"}, {Scheme: SchemeFile, Name: "hf:x"}, {Scheme: SchemePath, Name: "org/name"}} {
		back, err := ParseRef(r.String())
		if err != nil || back.Scheme != SchemePath || back.Name != r.Name {
			t.Errorf("ParseRef(%q) = %+v, %v", r.String(), back, err)
		}
	}
}

func FuzzParseRef(f *testing.F) {
	for _, s := range []string{
		"org/name@rev#f.gguf", "./x", "C:\\x", "https://huggingface.co/o/n/tree/refs%2Fpr%2F1", "oci:h:5/x:t", "license:MIT",
		"ollama:x@sha256:" + strings.Repeat("0", 64), "file:///C:/x", "dir:hf:x", " a/b ", "hf:gpt2", "a/b.md", "HF:a/b.json@x.md",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := ParseRef(s)
		if err != nil {
			return
		}
		back, err := ParseRef(r.String())
		if err != nil || back != r {
			t.Fatalf("%q is %+v, written %q, read back %+v, %v", s, r, r.String(), back, err)
		}
		if r.Scheme == SchemeHub && (strings.Contains(r.Name, "..") || strings.ContainsAny(r.Name, `\:@# `)) {
			t.Fatalf("%q gives the repository %q", s, r.Name)
		}
	})
}
