package main

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/source/hub/hubtest"
	"github.com/llmcheck/llmcheck/internal/source/oci/ocitest"
)

// world is what a script talks to.
type world struct {
	hub      *hubtest.Hub
	registry *ocitest.Registry
}

type worldKey struct{}

func worldOf(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func serve(h http.Handler) (host string, stop func()) {
	s := httptest.NewServer(h)
	return strings.TrimPrefix(s.URL, "http://"), s.Close
}

func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exit":   exit,
		"served": served,
		"gguf":   gguf,
		"push":   push,
		"sample": sample,
	}
}

// exit N prog args... runs a program and wants its exit status to be N.
func exit(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exit N prog args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	if e, ok := errors.AsType[*exec.ExitError](err); ok {
		got = e.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit status %d, want %d", got, want)
	}
}

// served [!] text wants the hub to have been asked for something that contains the text, and never to have seen what no
// client may do.
func served(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if w.hub == nil || len(args) != 1 {
		ts.Fatalf("usage: served text, in a script with a folder hub")
	}
	if faults := w.hub.Faults(); len(faults) > 0 {
		ts.Fatalf("the hub saw %q", faults)
	}
	found := slices.ContainsFunc(w.hub.Requests(), func(r string) bool { return strings.Contains(r, args[0]) })
	if found == neg {
		ts.Fatalf("requests %q: contains %q is %v", w.hub.Requests(), args[0], found)
	}
}

// gguf file key=value... writes a GGUF with these string keys and one small tensor.
func gguf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: gguf file key=value...")
	}
	var kv []gguftest.KV
	for _, a := range args[1:] {
		key, value, _ := strings.Cut(a, "=")
		kv = append(kv, gguftest.KV{Key: key, Value: value})
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), gguftest.Write(kv, nil), 0o644))
}

// push ollama|docker|kitops|modelpack repository:tag license-file [weights] puts an artifact into the registry.
func push(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: push kind repository:tag license-file")
	}
	text := ts.ReadFile(args[2])
	weights := ocitest.GGUF(map[string]string{"general.architecture": "llama"}, 0)
	var a ocitest.Artifact
	switch args[0] {
	case "ollama":
		a = ocitest.Ollama(weights, text)
	case "docker":
		a = ocitest.Docker(weights, map[string]string{"general.architecture": "llama"}, text)
	case "kitops":
		a = ocitest.KitOps("Apache-2.0", nil, ocitest.File{Name: "LICENSE", Data: text})
	case "modelpack":
		a = ocitest.ModelPack([]string{"Apache-2.0"}, ocitest.File{Name: "model.gguf", Data: string(weights)}, []ocitest.File{{Name: "LICENSE", Data: text}})
	default:
		ts.Fatalf("unknown kind %q", args[0])
	}
	repo, tag, _ := strings.Cut(args[1], ":")
	worldOf(ts).registry.Put(repo, tag, a)
}

// sample name file [more...] copies a license text that is present on every machine: that of a module in the module cache, or the
// project's own. Texts of others are not kept in this repository.
func sample(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: sample apache-2.0|mit|bsd-3-clause file [what to append...]")
	}
	source := ""
	switch args[0] {
	case "apache-2.0":
		source = "../../LICENSE"
	case "mit":
		source = filepath.Join(moduleDir(ts, "github.com/spf13/viper"), "LICENSE")
	case "llama-3.1-community", "kimi-k2-modified-mit", "cc-by-nc-4.0": // where the corpus of texts is present
		source = filepath.Join(shared, "corpus", "licenses", args[0]+".txt")
	case "bsd-3-clause":
		source = filepath.Join(moduleDir(ts, "github.com/google/licensecheck"), "LICENSE")
	default:
		ts.Fatalf("no sample of %q", args[0])
	}
	data, err := os.ReadFile(source)
	ts.Check(err)
	for _, more := range args[2:] {
		data = append(data, ts.ReadFile(more)...)
	}
	dst := ts.MkAbs(args[1])
	ts.Check(os.MkdirAll(filepath.Dir(dst), 0o755))
	ts.Check(os.WriteFile(dst, data, 0o644))
}

func moduleDir(ts *testscript.TestScript, module string) string {
	out, err := exec.CommandContext(context.Background(), "go", "list", "-m", "-f", "{{.Dir}}", module).Output()
	ts.Check(err)
	return strings.TrimSpace(string(out))
}
