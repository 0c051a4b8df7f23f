package model

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/safetensors/safetensorstest"
)

// files makes a folder of names and contents.
func files(nameAndContent ...string) fstest.MapFS {
	m := fstest.MapFS{}
	for i := 0; i < len(nameAndContent); i += 2 {
		m[nameAndContent[i]] = &fstest.MapFile{Data: []byte(nameAndContent[i+1])}
	}
	return m
}

func read(t *testing.T, fsys fs.FS, ref Ref) *Model {
	t.Helper()
	m, err := Read(fsys, ref, "")
	if err != nil {
		t.Fatal(err)
	}
	return m
}

var folderRef = Ref{Scheme: SchemeDir, Name: "./m"}

// gaps are the gaps of a kind as "what: why".
func gaps(m *Model, kind GapKind) []string {
	var out []string
	for _, g := range m.Gaps {
		if g.Kind == kind {
			out = append(out, g.What+": "+g.Why)
		}
	}
	return out
}

// wantGaps compares the gaps of a kind with the beginnings of the wanted ones.
func wantGaps(t *testing.T, m *Model, kind GapKind, want ...string) {
	t.Helper()
	got := gaps(m, kind)
	if len(got) != len(want) {
		t.Errorf("%d gaps of kind %s, want %d:\n%s", len(got), kind, len(want), strings.Join(got, "\n"))
		return
	}
	for i := range want {
		if !strings.HasPrefix(got[i], want[i]) {
			t.Errorf("gap %d is %q, want %q", i, got[i], want[i])
		}
	}
}

func TestCard(t *testing.T) {
	for _, tt := range []struct {
		name, card string
		claims     []Claim
		parents    []Parent
		unread     []string
		absent     []string // beside those of a folder with nothing but a card
	}{
		{
			name:   "license",
			card:   "---\nlicense: apache-2.0\n---\n# X\n",
			claims: []Claim{{FromCard, "README.md:2", "apache-2.0", "", ""}},
		},
		{
			name:   "several licenses",
			card:   "---\ntags: [x]\nlicense:\n- mit\n- other\nlicense_name: foo\nlicense_link: https://example.com/l\n---\n",
			claims: []Claim{{FromCard, "README.md:4", "mit", "", ""}, {FromCard, "README.md:5", "other", "foo", "https://example.com/l"}},
		},
		{
			name:   "other with name and link",
			card:   "---\nlicense: other\nlicense_name: foo-1.0\nlicense_link: https://example.com/l\n---\n",
			claims: []Claim{{FromCard, "README.md:2", "other", "foo-1.0", "https://example.com/l"}},
		},
		{
			name:   "name without license",
			card:   "---\nlicense_name: foo\n---\n",
			claims: []Claim{{FromCard, "README.md:2", "foo", "foo", ""}},
		},
		{
			name:   "words of YAML stay words",
			card:   "---\nlicense: no\nlicense_name: 1.0\n---\n",
			claims: []Claim{{FromCard, "README.md:2", "no", "1.0", ""}},
		},
		{
			name:   "mark, blank lines and CRLF before",
			card:   "\ufeff\r\n\r\n---\r\nlicense: mit\r\n---\r\nx\r\n",
			claims: []Claim{{FromCard, "README.md:4", "mit", "", ""}},
		},
		{
			name:   "lone CR",
			card:   "---\rlicense: mit\r---\rx\r",
			claims: []Claim{{FromCard, "README.md:2", "mit", "", ""}},
		},
		{
			name:   "UTF-16",
			card:   utf16LE("---\nlicense: mit\n---\n"),
			claims: []Claim{{FromCard, "README.md:2", "mit", "", ""}},
		},
		{
			name:   "blanks behind the lines",
			card:   "---  \nlicense: mit\n---\t\n",
			claims: []Claim{{FromCard, "README.md:2", "mit", "", ""}},
		},
		{
			name:   "alias",
			card:   "---\nx: &l mit\nlicense: *l\n---\n",
			claims: []Claim{{FromCard, "README.md:2", "mit", "", ""}},
		},
		{name: "no front matter", card: "# X\nlicense: mit\n", absent: []string{"README.md front matter: the card begins with text"}},
		{name: "empty card", card: "", absent: []string{"README.md front matter: the card begins"}},
		{name: "no license", card: "---\ntags: [a]\n---\n", absent: []string{"README.md license: the front matter declares"}},
		{name: "license null", card: "---\nlicense:\n---\n", absent: []string{"README.md license: "}},
		{name: "license empty text", card: "---\nlicense: ''\n---\n", absent: []string{"README.md license: "}},
		{name: "front matter empty", card: "---\n---\n", absent: []string{"README.md license: "}},
		{name: "front matter of comments", card: "---\n# license: mit\n---\n", absent: []string{"README.md license: "}},
		{name: "no closing line", card: "---\nlicense: mit\n\n# X\n", unread: []string{"README.md front matter: the closing line --- is missing"}},
		{name: "no YAML", card: "---\nlicense: [mit\n---\n", unread: []string{"README.md front matter: README.md"}},
		{name: "a list", card: "---\n- license: mit\n---\n", unread: []string{"README.md front matter: README.md:2"}},
		{name: "prose", card: "---\nSome words\n---\n", unread: []string{"README.md front matter: README.md:2"}},
		{name: "license twice", card: "---\nlicense: mit\nlicense: other\n---\n", unread: []string{"README.md front matter: README.md:3"}},
		{name: "license in a merge key", card: "---\nb: &b {license: mit}\n<<: *b\n---\n", unread: []string{"README.md front matter: README.md:3"}},
		{name: "license is a mapping", card: "---\nlicense: {name: mit}\n---\n", unread: []string{"README.md:2 license: it holds something else"}},
		{name: "license in base64", card: "---\nlicense: !!binary bWl0\n---\n", unread: []string{"README.md:2 license: it holds something else"}},
		{name: "too many keys", card: "---\n" + flatMap(40_000) + "---\n", unread: []string{"README.md front matter: README.md"}},
		{name: "too large", card: "---\nx: " + strings.Repeat("y", 5<<20) + "\n---\n", unread: []string{"README.md front matter: README.md"}},
		{name: "alias bomb", card: "---\n" + bomb() + "---\n", unread: []string{"README.md front matter: README.md"}},
		{
			name:    "base models",
			card:    "---\nlicense: mit\nbase_model:\n- a/b\n- https://huggingface.co/c/d/tree/main\n- A/B\n- hf.co/a/b\nbase_model_relation: merge\n---\n",
			claims:  []Claim{{FromCard, "README.md:2", "mit", "", ""}},
			parents: []Parent{{"a/b", Merge, "README.md:4"}, {"c/d", Merge, "README.md:5"}},
		},
		{
			name:    "base model without relation, local path",
			card:    "---\nlicense: mit\nbase_model: ./ckpt\n---\n",
			claims:  []Claim{{FromCard, "README.md:2", "mit", "", ""}},
			parents: []Parent{{"./ckpt", Derived, "README.md:3"}},
		},
		{
			name:    "several base models are a merge",
			card:    "---\nlicense: mit\nbase_model: [a/b, c/d]\n---\n",
			claims:  []Claim{{FromCard, "README.md:2", "mit", "", ""}},
			parents: []Parent{{"a/b", Merge, "README.md:3"}, {"c/d", Merge, "README.md:3"}},
		},
		{
			name:    "relation in other words",
			card:    "---\nlicense: mit\nbase_model: a/b\nbase_model_relation: inspired\n---\n",
			claims:  []Claim{{FromCard, "README.md:2", "mit", "", ""}},
			parents: []Parent{{"a/b", Derived, "README.md:3"}},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			m := read(t, files("README.md", tt.card), folderRef)
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("took %v", d)
			}
			if diff := cmp.Diff(tt.claims, m.Claims); diff != "" {
				t.Errorf("claims (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.parents, m.Parents); diff != "" {
				t.Errorf("parents (-want +got):\n%s", diff)
			}
			wantGaps(t, m, Unread, tt.unread...)
			wantGaps(t, m, Absent, append(tt.absent, "LICENSE: ", "weights: ")...)
		})
	}
}

func utf16LE(s string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(s)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

func flatMap(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "key%07d: 1\n", i)
	}
	return b.String()
}

func bomb() string {
	var b strings.Builder
	b.WriteString("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n")
	for i := range 9 {
		fmt.Fprintf(&b, "a%d: &a%d [%s]\n", i+1, i+1, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d,", i), 10), ","))
	}
	return b.String()
}

func TestCardFields(t *testing.T) {
	m := read(t, files("README.md", `---
license: llama3.1
base_model: meta-llama/Llama-3.1-8B
base_model_relation: Quantized
datasets: [a/b, c/d]
tags:
- x
- y
pipeline_tag: text-generation
library_name: transformers
---

# Model

`+"```"+`
# License in code
`+"```"+`

License of this model
---------------------

See *LICENSE*.

### Details

Some.

## Citation
none
`), folderRef)
	want := &Card{
		Path: "README.md", License: []string{"llama3.1"}, BaseModels: []string{"meta-llama/Llama-3.1-8B"}, Relation: "Quantized",
		Datasets: []string{"a/b", "c/d"}, Tags: []string{"x", "y"}, Pipeline: "text-generation", Library: "transformers",
		BodyLine: 12,
		LicenseSection: &Section{Line: 19,
			Text: "License of this model\n---------------------\n\nSee *LICENSE*.\n\n### Details\n\nSome."},
	}
	if diff := cmp.Diff(want, m.Card, cmpopts.IgnoreFields(Card{}, "Body")); diff != "" {
		t.Errorf("card (-want +got):\n%s", diff)
	}
	if !strings.HasPrefix(string(m.Card.Body), "\n# Model\n") {
		t.Errorf("body begins with %.20q", m.Card.Body)
	}
	if diff := cmp.Diff([]Parent{{"meta-llama/Llama-3.1-8B", Quantized, "README.md:3"}}, m.Parents); diff != "" {
		t.Error(diff)
	}
}

func TestTexts(t *testing.T) {
	for _, tt := range []struct {
		name string
		kind TextKind // "" if it is no text
		gap  string   // of kind Unread
	}{
		{name: "LICENSE", kind: LicenseText},
		{name: "license.txt", kind: LicenseText},
		{name: "LICENCE.md", kind: LicenseText},
		{name: "License Agreement.txt", kind: LicenseText},
		{name: "LICENSE-MODEL", kind: LicenseText},
		{name: "LICENSE_MODEL", kind: LicenseText},
		{name: "MODEL_LICENSE", kind: LicenseText},
		{name: "Llama_LICENSE.txt", kind: LicenseText},
		{name: "LICENSE.Apache-2.0", kind: LicenseText},
		{name: "license.html", kind: LicenseText},
		{name: "COPYING", kind: LicenseText},
		{name: "COPYING.LESSER", kind: LicenseText},
		{name: "UNLICENSE", kind: LicenseText},
		{name: "COPYRIGHT_NOTICE.txt", kind: NoticeText},
		{name: "PATENTS", kind: NoticeText},
		{name: "EULA.txt", kind: LicenseText},
		{name: "TERMS_OF_USE.md", kind: LicenseText},
		{name: "terms.txt", kind: LicenseText},
		{name: "模型许可协议.md", kind: LicenseText},
		{name: "original/LICENSE", kind: LicenseText},
		{name: "LICENSES/Apache-2.0.txt", kind: LicenseText},
		{name: "licenses/MIT", kind: LicenseText},
		{name: "NOTICE", kind: NoticeText},
		{name: "Notice.txt", kind: NoticeText},
		{name: "THIRD_PARTY_LICENSES.txt", kind: NoticeText},
		{name: "USE_POLICY.md", kind: PolicyText},
		{name: "ACCEPTABLE_USE_POLICY.txt", kind: PolicyText},
		{name: "acceptable-use.md", kind: PolicyText},
		{name: "Usage Policy.md", kind: PolicyText},
		{name: "LICENSE.pdf", gap: "LICENSE.pdf: its format is not read"},
		{name: "模型社区许可协议.pdf", gap: "模型社区许可协议.pdf: its format"},
		{name: "LICENSES/x.docx", gap: "LICENSES/x.docx: its format"},
		{name: "license.py"},
		{name: "license_check.sh"},
		{name: "licenses.json"},
		{name: "LICENSE.sig"},
		{name: "notes.txt"},
		{name: "policy.md"},
		{name: "noticeboard.py"},
		{name: "config_licensed.yaml"},
		{name: ".git/LICENSE"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := read(t, files(tt.name, "terms"), folderRef)
			var got TextKind
			if len(m.Texts) > 0 {
				got = m.Texts[0].Kind
			}
			if got != tt.kind || len(m.Texts) > 1 {
				t.Errorf("texts %+v, want kind %q", m.Texts, tt.kind)
			}
			if tt.gap == "" {
				wantGaps(t, m, Unread)
			} else {
				wantGaps(t, m, Unread, tt.gap)
			}
		})
	}
}

func TestTextContent(t *testing.T) {
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("a", 64) + "\nsize 12345\n"
	for _, tt := range []struct {
		name, content string
		data          string
		cut           bool
		unread        []string
	}{
		{name: "plain", content: "terms\r\n", data: "terms\r\n"},
		{name: "not UTF-8", content: "Gr\xfc\xdfe", data: "Gr\xfc\xdfe"},
		{name: "UTF-16", content: utf16LE("terms of größe"), data: "terms of größe"},
		{name: "empty", content: " \n"},
		{name: "binary", content: "a\x00b", unread: []string{"LICENSE: it is not a text"}},
		{name: "PDF without the ending", content: "%PDF-1.7 ...", unread: []string{"LICENSE: it is a PDF"}},
		{name: "office document without the ending", content: "PK\x03\x04...", unread: []string{"LICENSE: it is an archive"}},
		{name: "pointer", content: pointer, unread: []string{"LICENSE: it is a Git LFS pointer"}},
		{
			name: "too long", content: strings.Repeat("x", MaxText+1), data: strings.Repeat("x", MaxText), cut: true,
			unread: []string{"LICENSE: it is longer than 8388608 bytes"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := read(t, files("LICENSE", tt.content), folderRef)
			wantGaps(t, m, Unread, tt.unread...)
			if tt.data == "" {
				if len(m.Texts) != 0 {
					t.Errorf("a text of %d bytes, want none", len(m.Texts[0].Data))
				}
				return
			}
			if len(m.Texts) != 1 || string(m.Texts[0].Data) != tt.data || m.Texts[0].Cut != tt.cut || len(m.Texts[0].SHA256) != 64 {
				t.Errorf("got %d texts, want one of %d bytes", len(m.Texts), len(tt.data))
			}
		})
	}
}

func TestLinkedText(t *testing.T) {
	card := func(link string) string { return "---\nlicense: other\nlicense_link: " + link + "\n---\n" }
	hub := Ref{Scheme: SchemeHub, Name: "org/name"}
	for _, tt := range []struct {
		name, link string
		ref        Ref
		texts      []string
		absent     string
	}{
		{name: "file with an unusual name", link: "docs/our-rules.txt", ref: folderRef, texts: []string{"docs/our-rules.txt"}},
		{name: "dot and slash", link: "./docs/our-rules.txt", ref: folderRef, texts: []string{"docs/our-rules.txt"}},
		{name: "page of this repository", link: "https://huggingface.co/org/name/blob/main/docs/our-rules.txt", ref: hub,
			texts: []string{"docs/our-rules.txt"}},
		{name: "page of another repository", link: "https://huggingface.co/org/other/blob/main/docs/our-rules.txt", ref: hub},
		{name: "missing", link: "LICENSE.md", ref: folderRef, absent: "LICENSE.md: license_link in README.md names it"},
		{name: "outside", link: "../../etc/passwd", ref: folderRef},
		{name: "the card", link: "README.md", ref: folderRef},
		{name: "a folder", link: "docs", ref: folderRef, absent: "docs: license_link"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := read(t, files("README.md", card(tt.link), "docs/our-rules.txt", "terms"), tt.ref)
			var got []string
			for _, x := range m.Texts {
				got = append(got, x.Path)
			}
			if diff := cmp.Diff(tt.texts, got); diff != "" {
				t.Error(diff)
			}
			if tt.absent != "" && !strings.Contains(strings.Join(gaps(m, Absent), "\n"), tt.absent) {
				t.Errorf("gaps %q do not say %q", gaps(m, Absent), tt.absent)
			}
		})
	}
}

func TestConfig(t *testing.T) {
	for _, tt := range []struct {
		name, config string
		weights      Weights
		parents      []Parent
		code         []string
		unread       []string
	}{
		{
			name:    "text model",
			config:  `{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vision_config": null, "_name_or_path": ""}`,
			weights: Weights{Architecture: "LlamaForCausalLM", ModelType: "llama", Multimodal: new(false)},
		},
		{
			name:    "with eyes",
			config:  `{"architectures": ["X"], "model_type": "x", "vision_config": {"depth": 1}}`,
			weights: Weights{Architecture: "X", ModelType: "x", Multimodal: new(true)},
		},
		{
			name:    "remote code",
			config:  `{"model_type": "x", "auto_map": {"AutoModel": "modeling_x.XModel", "AutoTokenizer": ["a/b--tok_x.Tok", null]}}`,
			weights: Weights{ModelType: "x"},
			code: []string{"modeling_x.py XModel (config.json auto_map.AutoModel)",
				"a/b tok_x.py Tok (config.json auto_map.AutoTokenizer)"},
		},
		{
			name:    "loaded from the hub",
			config:  `{"model_type": "x", "_name_or_path": "org/base"}`,
			weights: Weights{ModelType: "x"},
			parents: []Parent{{"org/base", Derived, "config.json _name_or_path"}},
		},
		{
			name:    "loaded from a disk",
			config:  `{"model_type": "x", "_name_or_path": "/root/ckpt/x"}`,
			weights: Weights{ModelType: "x"},
		},
		{
			name:    "loaded from a folder",
			config:  `{"model_type": "x", "_name_or_path": "checkpoints/step-100"}`,
			weights: Weights{ModelType: "x"},
		},
		{name: "no JSON", config: `{"model_type": `, unread: []string{"config.json: "}},
		{name: "a key twice", config: `{"model_type": "x", "Model_Type": "y"}`, unread: []string{"config.json: "}},
		{name: "a list", config: `[]`, unread: []string{"config.json: want keys and values"}},
		{name: "wrong kind of value", config: `{"model_type": 5, "architectures": "x"}`, unread: []string{"config.json: ", "config.json: "}},
		{
			name:    "class that does not tell",
			config:  `{"architectures": ["T5ForConditionalGeneration"], "model_type": "t5"}`,
			weights: Weights{Architecture: "T5ForConditionalGeneration", ModelType: "t5"},
		},
		{
			name:    "parts left out",
			config:  `{"architectures": ["XForCausalLM"], "text_config": {"a": 1}}`,
			weights: Weights{Architecture: "XForCausalLM"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := read(t, files("config.json", tt.config), folderRef)
			if diff := cmp.Diff(tt.weights, m.Weights); diff != "" {
				t.Errorf("weights (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.parents, m.Parents); diff != "" {
				t.Errorf("parents (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.code, m.RemoteCode); diff != "" {
				t.Errorf("code (-want +got):\n%s", diff)
			}
			wantGaps(t, m, Unread, tt.unread...)
		})
	}
}

func TestLineage(t *testing.T) {
	for _, tt := range []struct {
		name    string
		files   fstest.MapFS
		parents []Parent
		unread  []string
	}{
		{
			name:    "adapter alone",
			files:   files("adapter_config.json", `{"base_model_name_or_path": "a/b"}`),
			parents: []Parent{{"a/b", Adapter, "adapter_config.json base_model_name_or_path"}},
		},
		{
			name:    "adapter and card",
			files:   files("adapter_config.json", `{"base_model_name_or_path": "A/B"}`, "README.md", "---\nbase_model: a/b\n---\n"),
			parents: []Parent{{"a/b", Adapter, "README.md:2"}},
		},
		{
			name:    "adapter over another base than the card's",
			files:   files("adapter_config.json", `{"base_model_name_or_path": "c/d"}`, "README.md", "---\nbase_model: a/b\n---\n"),
			parents: []Parent{{"a/b", Adapter, "README.md:2"}, {"c/d", Adapter, "adapter_config.json base_model_name_or_path"}},
		},
		{
			name:   "adapter without base",
			files:  files("adapter_config.json", `{"r": 8}`),
			unread: []string{"adapter_config.json: it is the config of an adapter and names no"},
		},
		{
			name:    "checkpoints of one adapter",
			files:   files("checkpoint-1/adapter_config.json", `{"base_model_name_or_path": "a/b"}`, "checkpoint-2/adapter_config.json", `{"base_model_name_or_path": "a/b"}`),
			parents: []Parent{{"a/b", Adapter, "checkpoint-1/adapter_config.json base_model_name_or_path"}},
		},
		{
			name:    "quantized copy",
			files:   files("config.json", `{"quantization_config": {"quant_method": "awq"}}`, "README.md", "---\nbase_model: a/b\n---\n"),
			parents: []Parent{{"a/b", Quantized, "README.md:2"}},
		},
		{
			name:    "published in fp8",
			files:   files("config.json", `{"quantization_config": {"quant_method": "fp8"}}`, "README.md", "---\nbase_model: a/b\n---\n"),
			parents: []Parent{{"a/b", Derived, "README.md:2"}},
		},
		{
			name: "merge",
			files: files("mergekit_config.yml", `
merge_method: ties
base_model: a/base
models:
  - model: b/one+b/lora
    parameters: {weight: 0.5}
  - model: {model: {path: c/two, revision: x}}
slices:
  - sources:
      - model: d/three
        layer_range: [0, 16]
`),
			parents: []Parent{
				{"a/base", Merge, "mergekit_config.yml base_model"},
				{"b/one", Merge, "mergekit_config.yml models.model"},
				{"b/lora", Merge, "mergekit_config.yml models.model"},
				{"c/two", Merge, "mergekit_config.yml models.model"},
				{"d/three", Merge, "mergekit_config.yml slices.sources.model"},
			},
		},
		{
			name:    "merge of experts",
			files:   files("mergekit_moe_config.yml", "base_model: a/b\nexperts:\n- source_model: c/d\n  positive_prompts: [x]\n"),
			parents: []Parent{{"a/b", Merge, "mergekit_moe_config.yml base_model"}, {"c/d", Merge, "mergekit_moe_config.yml experts.source_model"}},
		},
		{name: "merge of nothing", files: files("mergekit_config.yml", "dtype: x\n"), unread: []string{"mergekit_config.yml: it is the recipe"}},
		{name: "merge of something else", files: files("mergekit_config.yml", "models:\n- model: [1]\n"), unread: []string{"mergekit_config.yml models.model: want"}},
		{name: "merge that is no YAML", files: files("mergekit_config.yml", "a: [\n"), unread: []string{"mergekit_config.yml: "}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := read(t, tt.files, folderRef)
			if diff := cmp.Diff(tt.parents, m.Parents); diff != "" {
				t.Errorf("parents (-want +got):\n%s", diff)
			}
			wantGaps(t, m, Unread, tt.unread...)
		})
	}
}

func TestHintOfTheModelItself(t *testing.T) {
	m := read(t, files("config.json", `{"_name_or_path": "Org/Name"}`), Ref{Scheme: SchemeHub, Name: "org/name"})
	if len(m.Parents) != 0 {
		t.Errorf("parents %+v, want none", m.Parents)
	}
}

func TestGGUF(t *testing.T) {
	data := string(gguftest.Write([]gguftest.KV{
		{Key: "general.architecture", Value: "llama"},
		{Key: "general.license", Value: "other"},
		{Key: "general.license.name", Value: "Some License"},
		{Key: "general.license.link", Value: "https://example.com/l"},
		{Key: "general.base_model.count", Value: uint32(3)},
		{Key: "general.base_model.0.name", Value: "Llama 3.1 8B"},
		{Key: "general.base_model.0.organization", Value: "Meta Llama"},
		{Key: "general.base_model.0.repo_url", Value: "https://huggingface.co/meta-llama/Llama-3.1-8B"},
		{Key: "general.base_model.1.name", Value: "Base 2"},
		{Key: "general.base_model.1.organization", Value: "Some Org"},
		{Key: "general.source.huggingface.repository", Value: "org/tuned"},
		{Key: "general.datasets", Value: []string{"a/b"}},
		{Key: "general.dataset.count", Value: uint32(1)},
		{Key: "general.dataset.0.repo_url", Value: "https://huggingface.co/datasets/c/d"},
	}, nil))
	m := read(t, files("m-Q4_K_M.gguf", data, "m-Q8_0.gguf", data+strings.Repeat("\x00", small)), folderRef)
	if diff := cmp.Diff([]Claim{{FromWeights, "m-Q4_K_M.gguf general.license", "other", "Some License", "https://example.com/l"}}, m.Claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Parent{
		{"meta-llama/Llama-3.1-8B", Merge, "m-Q4_K_M.gguf general.base_model.0.repo_url"},
		{"Some-Org/Base-2", Merge, "m-Q4_K_M.gguf general.base_model.1.name"},
		{"org/tuned", Quantized, "m-Q4_K_M.gguf general.source.huggingface.repository"},
	}, m.Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a/b", "c/d"}, m.Datasets); diff != "" {
		t.Error(diff)
	}
	want := Weights{Formats: []string{"gguf"}, Architecture: "llama", Files: 2, Bytes: int64(2*len(data) + small)}
	if diff := cmp.Diff(want, m.Weights); diff != "" {
		t.Errorf("weights (-want +got):\n%s", diff)
	}
	wantGaps(t, m, Unread, "m-Q4_K_M.gguf general.base_model.2: a base model is counted and not named")
	wantGaps(t, m, Absent, "m-Q8_0.gguf: by its name the same model", "README.md: ", "LICENSE: ")
}

func TestSafetensors(t *testing.T) {
	data := string(safetensorstest.Write(map[string]string{
		"format": "pt", "modelspec.license": "CC-BY-NC-4.0", "modelspec.merged_from": "a/b, c/d", "base_model": "e/f",
	}, []safetensorstest.Tensor{{Name: "w", DType: "F8_NEW", Shape: []uint64{1}, Data: []byte{1}}}))
	shard := data + "\x00" // not read: its shard before is
	m := read(t, files("m-00001-of-00002.safetensors", data, "m-00002-of-00002.safetensors", shard+strings.Repeat("x", small)), folderRef)
	if diff := cmp.Diff([]Claim{{Origin: FromWeights, Where: "m-00001-of-00002.safetensors __metadata__.modelspec.license",
		Value: "CC-BY-NC-4.0"}}, m.Claims); diff != "" {
		t.Errorf("claims (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Parent{
		{"e/f", Derived, "m-00001-of-00002.safetensors __metadata__.base_model"},
		{"a/b", Merge, "m-00001-of-00002.safetensors __metadata__.modelspec.merged_from"},
		{"c/d", Merge, "m-00001-of-00002.safetensors __metadata__.modelspec.merged_from"},
	}, m.Parents); diff != "" {
		t.Errorf("parents (-want +got):\n%s", diff)
	}
	wantGaps(t, m, Unread)
}

func TestWeights(t *testing.T) {
	pointer := "version https://git-lfs.github.com/spec/v1\noid sha256:" + strings.Repeat("a", 64) + "\nsize 5000000000\n"
	projector := string(gguftest.Write([]gguftest.KV{{Key: "general.architecture", Value: "clip"}}, nil))
	for _, tt := range []struct {
		name    string
		files   fstest.MapFS
		weights Weights
		unread  []string
		absent  []string
	}{
		{
			name: "pickle", files: files("pytorch_model.bin", "\x80\x02}q\x00."),
			weights: Weights{Formats: []string{"pickle"}, Files: 1, Bytes: 6},
		},
		{
			name: "pickle in the clothes of safetensors", files: files("model.safetensors", "\x80\x02}q\x00."),
			weights: Weights{Formats: []string{"pickle"}, Files: 1, Bytes: 6},
			unread:  []string{"model.safetensors: by its name it is safetensors, by its content"},
		},
		{
			name: "empty", files: files("model.gguf", ""),
			weights: Weights{Formats: []string{"other"}, Files: 1},
			unread:  []string{"model.gguf: by its name it is gguf, by its content empty"},
		},
		{
			name: "cut off", files: files("model.gguf", "GGUF\x03\x00\x00\x00"),
			weights: Weights{Formats: []string{"gguf"}, Files: 1, Bytes: 8},
			unread:  []string{"model.gguf: its header could not be read"},
		},
		{
			name: "safetensors cut off", files: files("model.safetensors", "\x10\x00\x00\x00\x00\x00\x00\x00{\"a\""),
			weights: Weights{Formats: []string{"safetensors"}, Files: 1, Bytes: 12},
			unread:  []string{"model.safetensors: its header could not be read"},
		},
		{
			name:    "not fetched",
			files:   files("model-00001-of-00002.safetensors", pointer, "model-00002-of-00002.safetensors", pointer),
			weights: Weights{Formats: []string{"safetensors"}, Files: 2, Bytes: 10_000_000_000},
			absent:  []string{"model-00001-of-00002.safetensors: it is a Git LFS pointer", "model-00002-of-00002.safetensors: it is a Git LFS"},
		},
		{
			name: "part missing", files: files("m-00002-of-00003.gguf", pointer),
			weights: Weights{Formats: []string{"gguf"}, Files: 1, Bytes: 5_000_000_000},
			absent:  []string{"m-00002-of-00003.gguf: it is a Git LFS pointer", "m.gguf: 1 of its 3 parts are here"},
		},
		{
			name: "projector", files: files("mmproj-F16.gguf", projector),
			weights: Weights{Formats: []string{"gguf"}, Files: 1, Bytes: int64(len(projector)), Multimodal: new(true)},
		},
		{
			name: "state of a training run", files: files("training_args.bin", "x", "optimizer.pt", "x"),
			absent: []string{"weights: no weight file was found"},
		},
		{
			name: "a bundle is one file", files: files("X.mlpackage/Data/a/b/c/d/e/weight.bin", "x"),
			weights: Weights{Formats: []string{"coreml"}, Files: 1},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tt.files["README.md"] = &fstest.MapFile{Data: []byte("---\nlicense: mit\n---\n")}
			tt.files["LICENSE"] = &fstest.MapFile{Data: []byte("x")}
			m := read(t, tt.files, folderRef)
			if diff := cmp.Diff(tt.weights, m.Weights); diff != "" {
				t.Errorf("weights (-want +got):\n%s", diff)
			}
			wantGaps(t, m, Unread, tt.unread...)
			wantGaps(t, m, Absent, tt.absent...)
		})
	}
}

func TestSeries(t *testing.T) {
	for _, same := range [][]string{
		{"m-Q4_K_M.gguf", "m-q8_0.gguf", "m.IQ2_XXS.gguf", "m-F16.gguf", "m-bf16-00001-of-00003.gguf", "m_Q4_0.gguf", "m-UD-Q2_K_XL.gguf", "Q4_K_M/m-Q4_K_M.gguf"},
		{"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"},
	} {
		for _, name := range same {
			if series(name) != series(same[0]) {
				t.Errorf("series of %s is %q, want %q", name, series(name), series(same[0]))
			}
		}
	}
	for _, pair := range [][2]string{{"llama-7b.gguf", "llama-8b.gguf"}, {"mmproj-f16.gguf", "m-f16.gguf"}, {"a.safetensors", "b.safetensors"},
		{"Qwen2-Q4_0.gguf", "Qwen3-Q4_0.gguf"}} {
		if series(pair[0]) == series(pair[1]) {
			t.Errorf("%s and %s are one series", pair[0], pair[1])
		}
	}
}

func TestFileAlone(t *testing.T) {
	model := string(gguftest.Write([]gguftest.KV{{Key: "general.license", Value: "mit"}}, nil))
	for _, tt := range []struct {
		name, content        string
		texts, claims, cards int
		unread               []string
	}{
		{name: "whatever.xyz", content: "terms", texts: 1},
		{name: "LICENSE", content: "terms", texts: 1},
		{name: "notes.md", content: "# terms", texts: 1},
		{name: "other-card.md", content: "---\nlicense: mit\n---\n", cards: 1, claims: 1},
		{name: "README.md", content: "---\nlicense: mit\n---\n", cards: 1, claims: 1},
		{name: "m.gguf", content: model, claims: 1},
		{name: "sha256-abc", content: model, claims: 1},
		{name: "my.json", content: `{"model_type": "x"}`},
		{name: "x.pdf", content: "%PDF-", unread: []string{"x.pdf: its format is not read"}},
		{name: "x.bin2", content: "a\x00", unread: []string{"x.bin2: it is not a text"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := read(t, files(tt.name, tt.content), Ref{Scheme: SchemeFile, Name: "x/" + tt.name})
			if len(m.Texts) != tt.texts || len(m.Claims) != tt.claims || (m.Card != nil) != (tt.cards > 0) {
				t.Errorf("%d texts, %d claims, card %v", len(m.Texts), len(m.Claims), m.Card)
			}
			wantGaps(t, m, Unread, tt.unread...)
			wantGaps(t, m, Absent)
		})
	}
}

func TestTree(t *testing.T) {
	many := fstest.MapFS{"LICENSE": {Data: []byte("x")}}
	for i := range maxEntries + 10 {
		many[fmt.Sprintf("z/%06d.txt", i)] = &fstest.MapFile{}
	}
	for _, tt := range []struct {
		name   string
		files  fstest.MapFS
		unread []string
		absent []string
	}{
		{name: "too many entries", files: many, unread: []string{"the folder: it has more than 100000 entries"}},
		{name: "too deep", files: files("LICENSE", "x", "a/b/c/d/e.txt", "x"), unread: []string{"a/b/c/d: folders below the third level"}},
		{name: "deep enough", files: files("LICENSE", "x", "a/b/c/e.txt", "x")},
		{name: "terms of a part", files: files("LICENSE", "x", "a/b/LICENSE", "x"), absent: []string{"a/b/LICENSE: terms and recipes that lie deeper"}},
		{
			name:   "link",
			files:  fstest.MapFS{"LICENSE": {Data: []byte("/etc/passwd"), Mode: fs.ModeSymlink | 0o777}},
			unread: []string{"LICENSE: it is a link"},
		},
		{
			name:   "pipe",
			files:  fstest.MapFS{"LICENSE": {Mode: fs.ModeNamedPipe | 0o644}},
			unread: []string{"LICENSE: it is not a regular file"},
		},
		{
			name:   "recipes of a part",
			files:  files("LICENSE", "x", "a/b/adapter_config.json", "{}", "a/b/config.json", "{}", "a/b/README.md", "x"),
			absent: []string{"a/b/adapter_config.json: terms and recipes"},
		},
		{name: "folder named like a file", files: files("LICENSE/x.py", "x", "COPYING", "x")},
		{
			name:   "two cards",
			files:  files("LICENSE", "x", "README.md", "---\nlicense: mit\n---\n", "readme.md", "---\nlicense: other\n---\n"),
			unread: []string{"readme.md: there is a second card, and only README.md was read"},
		},
		{
			name:   "terms in one file too many",
			files:  manyTexts(),
			unread: []string{"LICENSES/0200: it and 4 more files with terms were not read"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			start := time.Now()
			m := read(t, tt.files, folderRef)
			if d := time.Since(start); d > 10*time.Second {
				t.Errorf("took %v", d)
			}
			wantGaps(t, m, Unread, tt.unread...)
			var absent []string
			for _, g := range gaps(m, Absent) {
				if !strings.HasPrefix(g, "README.md: ") && !strings.HasPrefix(g, "weights: ") && !strings.HasPrefix(g, "LICENSE: ") {
					absent = append(absent, g)
				}
			}
			if len(absent) != len(tt.absent) || len(absent) > 0 && !strings.HasPrefix(absent[0], tt.absent[0]) {
				t.Errorf("absent %q, want %q", absent, tt.absent)
			}
		})
	}
}

func manyTexts() fstest.MapFS {
	m := fstest.MapFS{}
	for i := range maxTexts + 5 {
		m[fmt.Sprintf("LICENSES/%04d", i)] = &fstest.MapFile{Data: []byte("x")}
	}
	return m
}

// plainFS is a file system whose files are read from front to back only, as those of an archive are, and of which some
// cannot be opened.
type plainFS struct {
	fs.FS
	errs map[string]error
}

func (p plainFS) Open(name string) (fs.File, error) {
	if err := p.errs[name]; err != nil {
		return nil, &fs.PathError{Op: "open", Path: name, Err: err}
	}
	f, err := p.FS.Open(name)
	if _, ok := f.(fs.ReadDirFile); ok || err != nil {
		return f, err
	}
	return struct{ fs.File }{f}, nil
}

func TestNoRanges(t *testing.T) {
	m := read(t, plainFS{files("m.gguf", "GGUF", "LICENSE", "terms"), nil}, folderRef)
	wantGaps(t, m, Unread, "m.gguf: its header was not read: the origin gives whole files only")
	if len(m.Texts) != 1 {
		t.Errorf("texts %v", m.Texts)
	}
}

func TestFilesThatDoNotCome(t *testing.T) {
	away := fmt.Errorf("asking example.com: %w", ErrUnreachable)
	fsys := plainFS{
		files("LICENSE", "x", "NOTICE", "x", "m.gguf", "GGUF", "README.md", "---\nlicense: other\nlicense_link: a.txt\n---\n", "a.txt", "x"),
		map[string]error{"LICENSE": away, "m.gguf": away, "a.txt": away, "NOTICE": fs.ErrPermission},
	}
	m := read(t, fsys, folderRef)
	wantGaps(t, m, Unreachable, "a.txt: license_link names it, and it could not be read: asking example.com: source did not",
		"LICENSE: it could not be read: asking", "m.gguf: it could not be opened: asking")
	wantGaps(t, m, Unread, "NOTICE: it could not be read: permission denied")
}

func TestManyGaps(t *testing.T) {
	m := fstest.MapFS{}
	for i := range 2 * maxGaps {
		m[fmt.Sprintf("LICENSE%d", i)] = &fstest.MapFile{Mode: fs.ModeNamedPipe}
	}
	got := read(t, m, folderRef).Gaps
	if len(got) != maxGaps+1 || got[maxGaps].Kind != Unread {
		t.Errorf("%d gaps, the last %+v", len(got), got[len(got)-1])
	}
}

func TestNoFolder(t *testing.T) {
	if _, err := Read(os.DirFS(filepath.Join(t.TempDir(), "missing")), folderRef, ""); err == nil {
		t.Error("want an error for a folder that is not there")
	}
}

// Every published config.json that is at hand can be read.
func TestPublishedConfigs(t *testing.T) {
	dir := filepath.Join("..", "..", "..", "shared", "corpus", "configs")
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skip("no published configs at hand")
	}
	if len(names) == 0 {
		t.Fatal("no file *.json")
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m := read(t, files("config.json", string(data)), folderRef)
		for _, g := range gaps(m, Unread) {
			t.Errorf("%s: %s", filepath.Base(name), g)
		}
		if testing.Verbose() {
			t.Logf("%-60s %-40s %v", filepath.Base(name), m.Weights.Architecture, m.Parents)
		}
	}
}
