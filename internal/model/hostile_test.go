package model

import (
	"fmt"
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
)

// unreadOf names the first gap that keeps the answer from being better than undetermined.
func unreadOf(t *testing.T, fsys fstest.MapFS) string {
	t.Helper()
	m, err := Read(fsys, Ref{Scheme: SchemeDir, Name: "m"}, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range m.Gaps {
		if g.Kind == Unread {
			return g.What + ": " + g.Why
		}
	}
	return ""
}

func TestKeysThatAreNearlyTheOnesThatCount(t *testing.T) {
	for _, tt := range []struct{ name, front, want string }{
		{"the key alone", "license: mit", ""},
		{"another case", "license: mit\nLicense: cc-by-nc-4.0", "README.md:3 License"},
		{"another case, the same", "license: mit\nLicense: MIT", ""},
		{"another case, nothing", "license: mit\nLICENSE:", ""},
		{"another spelling alone", "licence: cc-by-nc-4.0", "README.md:2 licence"},
		{"a long s", "license: mit\nlicen\u017fe: cc-by-nc-4.0", "README.md:3 licen"},
		{"a mapping", "license: mit\nlicenses: {a: b}", "README.md:3 licenses"},
		{"a blank in the name", "license: other\nlicense_name: a\nlicense name: b", "README.md:4 license name"},
		{"base models", "license: mit\nbase_models: [a/b]", "README.md:3 base_models"},
		{"other keys", "license: mit\nlicense_comment: x\nbase_model_relation: merge", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := unreadOf(t, fstest.MapFS{"README.md": {Data: []byte("---\n" + tt.front + "\n---\n")}})
			if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestFrontThatTwoReadersEndDifferently(t *testing.T) {
	for _, tt := range []struct {
		name, card string
		unread     bool
	}{
		{"as hubs want it", "---\nlicense: mit\n---\n# x\n", false},
		{"blanks behind the end", "---\nlicense: mit\n--- \n# x\n", false},
		{"blanks behind the end and a rule in the text", "---\nlicense: mit\n---\t\n# x\n\n---\nthe license: mit\n", false},
		{"more keys behind an end with blanks", "---\nlicense: mit\n--- \nlicense: cc-by-nc-4.0\n---\n", true},
		{"a quoted key there", "---\nlicense: mit\n--- \n\"license\" : cc-by-nc-4.0\n---\n", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := unreadOf(t, fstest.MapFS{"README.md": {Data: []byte(tt.card)}}); (got != "") != tt.unread {
				t.Errorf("gap %q, want one: %v", got, tt.unread)
			}
		})
	}
}

func TestPageInThePlaceOfTerms(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		unread     bool
	}{
		{"terms in HTML", "<!DOCTYPE html><html><head><title>Terms of the model</title></head><body><p>You may use it.</p></body></html>", false},
		{"title", "\n<!doctype HTML><html><head><title class=x>Sign in to Hub</title></head><body>MIT License</body></html>", true},
		{"password", "<html><body>MIT License<input type=\"password\"></body></html>", true},
		{"error", "<html><head><title>404 Not Found</title></head></html>", true},
		{"text about signing in", "How to sign in: see the title.\n", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			fsys := fstest.MapFS{"LICENSE": {Data: []byte(tt.text)}}
			if got := unreadOf(t, fsys); (got != "") != tt.unread {
				t.Errorf("gap %q, want one: %v", got, tt.unread)
			}
		})
	}
}

func TestLongClaims(t *testing.T) {
	long := strings.Repeat("mit AND ", maxClaim/8) + "mit"
	for name, fsys := range map[string]fstest.MapFS{
		"card":       {"README.md": {Data: []byte("---\nlicense: " + long + "\n---\n")}},
		"name":       {"README.md": {Data: []byte("---\nlicense: other\nlicense_name: " + long + "\n---\n")}},
		"GGUF":       {"m.gguf": {Data: gguftest.Write([]gguftest.KV{{Key: "general.license", Value: long}}, nil)}},
		"base model": {"README.md": {Data: []byte("---\nlicense: mit\nbase_model: " + strings.Repeat("a", MaxRef+1) + "\n---\n")}},
	} {
		if unreadOf(t, fsys) == "" {
			t.Errorf("%s: no gap", name)
		}
	}
}

func TestWeightsUnderAnotherName(t *testing.T) {
	data := gguftest.Write([]gguftest.KV{{Key: "general.license", Value: "cc-by-nc-4.0"}}, nil)
	m, err := Read(fstest.MapFS{"model.safetensors": {Data: data}}, Ref{Scheme: SchemeDir, Name: "m"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if len(m.Claims) != 1 || m.Claims[0].Value != "cc-by-nc-4.0" {
		t.Errorf("claims %+v: the content was not read as what it is", m.Claims)
	}
	found := false
	for _, g := range m.Gaps {
		found = found || g.What == "model.safetensors" && strings.Contains(g.Why, "by its content gguf")
	}
	if !found {
		t.Errorf("gaps %+v: nothing tells that name and content disagree", m.Gaps)
	}
}

func TestJunctionIsNotPassedOver(t *testing.T) {
	got := unreadOf(t, fstest.MapFS{"README.md": {Data: []byte("---\nlicense: mit\n---\n")}, "original": {Mode: fs.ModeIrregular}})
	if !strings.HasPrefix(got, "original: ") {
		t.Errorf("gap %q, want one of original", got)
	}
}

// counted counts how often files are opened, each of which may be a request.
type counted struct {
	fstest.MapFS
	opened *int
}

func (c counted) Open(name string) (fs.File, error) {
	*c.opened++
	return c.MapFS.Open(name)
}

func TestManySmallWeights(t *testing.T) {
	fsys := counted{fstest.MapFS{}, new(int)}
	for i := range 3000 {
		fsys.MapFS[fmt.Sprintf("model-%05d-of-03000.safetensors", i+1)] = &fstest.MapFile{Data: []byte("x")}
	}
	m, err := Read(fsys, Ref{Scheme: SchemeDir, Name: "m"}, "")
	if err != nil {
		t.Fatal(err)
	}
	if *fsys.opened > maxSmall+10 {
		t.Errorf("%d files were opened", *fsys.opened)
	}
	if m.Weights.Files != 3000 {
		t.Errorf("%d files, want 3000", m.Weights.Files)
	}
}
