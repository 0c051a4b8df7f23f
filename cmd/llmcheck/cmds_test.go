package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"

	ggufformat "github.com/llmcheck/llmcheck/internal/gguf"
	"github.com/llmcheck/llmcheck/internal/gguf/gguftest"
	"github.com/llmcheck/llmcheck/internal/safetensors"
	"github.com/llmcheck/llmcheck/internal/safetensors/safetensorstest"
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
		"exit":        exit,
		"served":      served,
		"ranged":      ranged,
		"gguf":        gguf,
		"safetensors": writeSafetensors,
		"has":         has,
		"push":        push,
		"sample":      sample,
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

// ranged text N wants what was fetched of files whose name contains the text to be asked for by ranges, and to be at most
// N bytes together.
func ranged(ts *testscript.TestScript, neg bool, args []string) {
	w := worldOf(ts)
	if w.hub == nil || neg || len(args) != 2 {
		ts.Fatalf("usage: ranged text bytes, in a script with a folder hub")
	}
	most, err := strconv.Atoi(args[1])
	ts.Check(err)
	sum := 0
	for _, r := range w.hub.Requests() {
		if !strings.Contains(r, args[0]) {
			continue
		}
		_, span, found := strings.Cut(r, "bytes=")
		first, last, _ := strings.Cut(strings.Fields(span + " ")[0], "-")
		from, err1 := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if !found || err1 != nil || err2 != nil {
			ts.Fatalf("%s was asked for without a range", r)
		}
		sum += to - from + 1
	}
	if sum == 0 || sum > most {
		ts.Fatalf("%d bytes of %s were asked for, want 1 to %d: %q", sum, args[0], most, w.hub.Requests())
	}
}

// gguf file [list|key=value|key=u32:1|tensor:name=TYPE:2x3...] writes a GGUF. Values are strings, or numbers with u32: or
// f32: before them; a list is a file with one of these a line.
func gguf(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: gguf file [list|key=value|tensor:name=TYPE:2x3...]")
	}
	var kv []gguftest.KV
	var tensors []gguftest.Tensor
	for _, a := range spelled(ts, args[1:]) {
		key, value, _ := strings.Cut(a, "=")
		name, isTensor := strings.CutPrefix(key, "tensor:")
		if !isTensor {
			kv = append(kv, gguftest.KV{Key: key, Value: ggufValue(ts, value)})
			continue
		}
		format, dims := sized(ts, value)
		for _, n := range spread(ts, name) {
			tensors = append(tensors, gguftest.Tensor{Name: n, Type: ggufType(ts, format), Dims: dims})
		}
	}
	put(ts, args[0], gguftest.Write(kv, tensors))
}

func ggufValue(ts *testscript.TestScript, s string) any {
	switch kind, number, _ := strings.Cut(s, ":"); kind {
	case "u32":
		n, err := strconv.ParseUint(number, 10, 32)
		ts.Check(err)
		return uint32(n)
	case "f32":
		f, err := strconv.ParseFloat(number, 32)
		ts.Check(err)
		return float32(f)
	}
	return s
}

func ggufType(ts *testscript.TestScript, name string) ggufformat.Type {
	for t := range ggufformat.Type(64) {
		if t.String() == name {
			return t
		}
	}
	ts.Fatalf("no GGUF type %q", name)
	return 0
}

// safetensors file [list|name=DTYPE:2x3...] writes a safetensors file with zeros. {0-3} in a name stands for each number.
func writeSafetensors(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: safetensors file [list|name=DTYPE:2x3...]")
	}
	var tensors []safetensorstest.Tensor
	for _, a := range spelled(ts, args[1:]) {
		name, value, _ := strings.Cut(a, "=")
		format, dims := sized(ts, value)
		for _, n := range spread(ts, name) {
			tensors = append(tensors, safetensorstest.Tensor{Name: n, DType: safetensors.DType(format), Shape: dims})
		}
	}
	put(ts, args[0], safetensorstest.Write(map[string]string{"format": "pt"}, tensors))
}

// spelled puts the lines of a file in the place of its name.
func spelled(ts *testscript.TestScript, args []string) []string {
	var out []string
	for _, a := range args {
		if strings.Contains(a, "=") {
			out = append(out, a)
			continue
		}
		out = append(out, strings.Fields(ts.ReadFile(a))...)
	}
	return out
}

func sized(ts *testscript.TestScript, value string) (format string, dims []uint64) {
	format, list, _ := strings.Cut(value, ":")
	for d := range strings.SplitSeq(list, "x") {
		n, err := strconv.ParseUint(d, 10, 32)
		ts.Check(err)
		dims = append(dims, n)
	}
	return format, dims
}

func spread(ts *testscript.TestScript, name string) []string {
	before, rest, found := strings.Cut(name, "{")
	span, after, _ := strings.Cut(rest, "}")
	if !found {
		return []string{name}
	}
	low, high, _ := strings.Cut(span, "-")
	first, err := strconv.Atoi(low)
	ts.Check(err)
	last, err := strconv.Atoi(high)
	ts.Check(err)
	var names []string
	for i := first; i <= last; i++ {
		names = append(names, before+strconv.Itoa(i)+after)
	}
	return names
}

func put(ts *testscript.TestScript, name string, data []byte) {
	file := ts.MkAbs(name)
	ts.Check(os.MkdirAll(filepath.Dir(file), 0o755))
	ts.Check(os.WriteFile(file, data, 0o644))
}

// has file path[=value]... wants a JSON file to have a value that is not null at each path, like estimate.plan.gpu or
// candidates.0; ! wants it to have none.
func has(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 2 {
		ts.Fatalf("usage: [!] has file path[=value]...")
	}
	dec := json.NewDecoder(strings.NewReader(ts.ReadFile(args[0])))
	dec.UseNumber()
	var doc any
	ts.Check(dec.Decode(&doc))
	for _, a := range args[1:] {
		path, want, compared := strings.Cut(a, "=")
		got := at(doc, path)
		switch {
		case neg && got != nil && (!compared || fmt.Sprint(got) == want):
			ts.Fatalf("%s is %v, want none", path, got)
		case !neg && (got == nil || compared && fmt.Sprint(got) != want):
			ts.Fatalf("%s is %v, want %s", path, got, cmp.Or(want, "a value"))
		}
	}
}

func at(v any, path string) any {
	for key := range strings.SplitSeq(path, ".") {
		switch parent := v.(type) {
		case map[string]any:
			v = parent[key]
		case []any:
			i, err := strconv.Atoi(key)
			if err != nil || i >= len(parent) {
				return nil
			}
			v = parent[i]
		default:
			return nil
		}
	}
	return v
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
