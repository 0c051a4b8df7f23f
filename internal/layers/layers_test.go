package layers

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/llmcheck/llmcheck/"

// layers of the packages: one imports only lower ones. A package that is not listed is a failure, so that nobody adds a
// room without saying where it stands.
var layers = map[string]int{
	"cmd/llmcheck":                      11,
	"internal/cli":                      10,
	"internal/diligence":                9,
	"internal/render":                   8,
	"internal/render/text":              7,
	"internal/render/jsondoc":           7,
	"internal/render/markdown":          7,
	"internal/render/html":              7,
	"internal/render/sarif":             7,
	"internal/source/local":             7,
	"internal/source/hub":               7,
	"internal/source/oci":               7,
	"internal/config":                   7,
	"internal/fleet":                    7,
	"internal/train":                    6,
	"internal/train/catalog":            7,
	"internal/train/fit":                10,
	"internal/tune":                     2,
	"internal/tune/refit":               7,
	"internal/manifest":                 6,
	"internal/speed":                    6,
	"internal/speed/fit":                10,
	"internal/fetch":                    6,
	"internal/render/svg":               6,
	"internal/serve":                    5,
	"internal/queue":                    4,
	"internal/cost/catalog":             4,
	"internal/cost/catalog/gen":         5,
	"internal/cost":                     3,
	"internal/bench/catalog":            3,
	"internal/bench":                    2,
	"internal/quant":                    4,
	"internal/arch":                     3,
	"internal/hardware/catalog":         3,
	"internal/hardware/catalog/gen":     4,
	"internal/hardware":                 2,
	"internal/source":                   3,
	"internal/license/catalog":          3,
	"internal/license/catalog/gen":      4,
	"internal/license/identify":         3,
	"internal/license/identify/shingle": 2,
	"internal/license/identify/gen":     4,
	"internal/model/catalog":            3,
	"internal/model":                    2,
	"internal/license":                  2,
	"internal/weights":                  0,
	"internal/records":                  1,
	"internal/report":                   1,
	"internal/gguf":                     1,
	"internal/safetensors":              1,
	"internal/spelling":                 0,
	"internal/strictjson":               0,
	"internal/filename":                 0,
	"internal/printable":                0,
	"internal/units":                    0,
	"internal/evidence":                 0,
	"internal/layers":                   0,
}

// doors are packages of others with those of ours that may import them, and nobody else. One that is not listed is a
// failure too.
var doors = map[string][]string{
	"github.com/spf13/cobra":         {"internal/cli"},
	"github.com/spf13/pflag":         {"internal/cli", "internal/config"},
	"github.com/spf13/viper":         {"internal/config"},
	"gopkg.in/yaml.v3":               {"internal/records"},
	"github.com/google/licensecheck": {"internal/license/identify"},
	"github.com/github/go-spdx/v2/*": {"internal/license/identify"},
	"oras.land/oras-go/v2/*":         {"internal/source/oci"},
	"github.com/mattn/go-runewidth":  {"internal/render/text"},
	"golang.org/x/text/unicode/norm": {"internal/model/catalog"},
	"golang.org/x/term":              {"internal/cli"},
	"golang.org/x/sync/errgroup":     {"internal/cli"},

	"github.com/guptarohit/asciigraph": {"internal/render/text"},
}

// world are packages that the pure part of the program must not see: the same input gives the same output.
var world = []string{"os", "net", "net/http", "os/exec", "log", "math/rand", "math/rand/v2", "syscall"}

// pure reports whether a package gets the world as arguments.
func pure(pkg string, layer int) bool {
	return !strings.HasSuffix(pkg, "/gen") && (layer <= 5 || strings.HasPrefix(pkg, "internal/render"))
}

type file struct {
	pkg, name string
	ast       *ast.File
}

func sources(t *testing.T) []file {
	t.Helper()
	root := filepath.Join("..", "..")
	var files []file
	fset := token.NewFileSet()
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".") && name != root):
			return filepath.SkipDir
		case !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		f, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, filepath.Dir(name))
		files = append(files, file{filepath.ToSlash(rel), filepath.ToSlash(name), f})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) < 40 {
		t.Fatalf("only %d source files found: the walk is broken", len(files))
	}
	return files
}

// testSupport reports whether a package is imported by tests only.
func testSupport(pkg string) bool { return strings.HasSuffix(path.Base(pkg), "test") }

func TestImports(t *testing.T) {
	for _, f := range sources(t) {
		if testSupport(f.pkg) {
			continue
		}
		layer, ok := layers[f.pkg]
		if !ok {
			t.Errorf("%s: package %s has no layer; add it to the table", f.name, f.pkg)
			continue
		}
		for _, imp := range f.ast.Imports {
			p, err := strconv.Unquote(imp.Path.Value)
			if err != nil {
				t.Fatal(err)
			}
			checkImport(t, f, layer, p)
		}
	}
}

// foreign reports whether a package is neither ours nor of the standard library.
func foreign(imported string) bool {
	host, _, _ := strings.Cut(imported, "/")
	return strings.Contains(host, ".")
}

// doorOf finds the packages of ours that may import one of others.
func doorOf(imported string) (keepers []string, ok bool) {
	for door, keepers := range doors {
		prefix, tree := strings.CutSuffix(door, "/*")
		if imported == door || tree && (imported == prefix || strings.HasPrefix(imported, prefix+"/")) {
			return keepers, true
		}
	}
	return nil, false
}

func checkImport(t *testing.T, f file, layer int, imported string) {
	t.Helper()
	if ours, ok := strings.CutPrefix(imported, module); ok {
		switch {
		case testSupport(ours):
			t.Errorf("%s imports %s, which is for tests", f.name, ours)
		case layers[ours] >= layer:
			t.Errorf("%s (layer %d) imports %s (layer %d)", f.name, layer, ours, layers[ours])
		}
		return
	}
	switch keepers, ok := doorOf(imported); {
	case !ok && foreign(imported):
		t.Errorf("%s imports %s, which has no door; add it to the table", f.name, imported)
	case ok && !slices.Contains(keepers, f.pkg):
		t.Errorf("%s imports %s, which only %s may", f.name, imported, strings.Join(keepers, " and "))
	}
	if pure(f.pkg, layer) {
		for _, w := range world {
			if imported == w {
				t.Errorf("%s imports %s: the world comes in as an argument here", f.name, imported)
			}
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	said := make(map[string]bool)
	for _, f := range sources(t) {
		said[f.pkg] = said[f.pkg] || f.ast.Doc != nil && strings.TrimSpace(f.ast.Doc.Text()) != ""
	}
	for pkg, ok := range said {
		if !ok {
			t.Errorf("package %s has no comment that says what it does and what it leaves to others", pkg)
		}
	}
}

// TestNoHiddenWork keeps start-up free: no init functions.
func TestNoHiddenWork(t *testing.T) {
	for _, f := range sources(t) {
		for _, d := range f.ast.Decls {
			if fn, ok := d.(*ast.FuncDecl); ok && fn.Recv == nil && fn.Name.Name == "init" {
				t.Errorf("%s has an init function", f.name)
			}
		}
	}
}

func TestTableHasNoDeadEntries(t *testing.T) {
	for pkg := range layers {
		if _, err := os.Stat(filepath.Join("..", "..", filepath.FromSlash(pkg))); err != nil {
			t.Errorf("package %s is in the table and not in the tree", pkg)
		}
	}
}
