package manifest

import (
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"k8s.io/apimachinery/pkg/util/validation"
)

// hostile are texts that would break out of something, if anything could be broken out of.
var hostile = []string{
	"a/b", "$(touch x)", "`id`", "a'b", `a"b`, "a\nb", "a\r\nb: c", "a b", "${HOME}", "$$", "$(HF_HOME)", "$$(HF_HOME)", `\`, `\n`, "#", "a #b", "a: b", "on", "1e3",
	"12:30:45", "0x10", "~", "null", "- a", "!x", "&a", "*a", "{a}", "[a]", "|", ">", "%a", "@a", "\t", "\x1b[31m", "\u202e", "\u2028", "\u0085", "\ufeff", "<<", "=",
	"a;b", "a&b", "a|b", "*", "?", "../../etc/passwd", "'", "''", "'\\''", "-->", "]]>", "{{ .Values }}", "日本語/モデル", "a=b", "=a", "EOF", "---", "\n---\nkind: Pod\n",
}

// shell runs scripts with programs that say what they were given.
type shell struct{ dir string }

func newShell(t testing.TB) shell {
	t.Helper()
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("there is no POSIX shell")
	}
	dir := t.TempDir()
	for _, name := range []string{"vllm", "python3", "llama-server", "ray"} {
		// #nosec G306 -- programs are run
		if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\nprintf '%s\\0' \"${0##*/}\" \"$@\"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	return shell{dir}
}

// run is what the programs of a script were given. The script is read by sh -n first.
func (s shell) run(t testing.TB, script []byte, env ...string) []string {
	t.Helper()
	for _, args := range [][]string{{"-n", "-s"}, {"-s"}} {
		cmd := exec.CommandContext(t.Context(), "sh", args...)
		cmd.Dir = s.dir
		cmd.Env = append(slices.Clip(env), "PATH="+s.dir+":/usr/bin:/bin")
		cmd.Stdin = strings.NewReader(string(script))
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("sh %v: %v\n%s", args, err, script)
		}
		if len(args) == 1 {
			return strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
		}
	}
	return nil
}

// given are the arguments that a command means to give, in literal words.
func given(p *Plan, at place) ([]string, error) {
	options, err := p.engine().options(p, at)
	if err != nil {
		return nil, err
	}
	args := slices.Clone(p.engine().program(p))
	for _, o := range options {
		if o.flag != "" {
			args = append(args, o.flag)
		}
		if o.value != nil {
			args = append(args, o.value.text)
		}
	}
	return args, nil
}

// expanded is an argument as Kubernetes and compose hand it on: "$$" is a sign, and nothing else may look like a variable.
func expanded(t testing.TB, args []string) []string {
	t.Helper()
	out := make([]string, len(args))
	for i, a := range args {
		plain := strings.ReplaceAll(a, "$$", "\x00")
		if strings.Contains(plain, "$") {
			t.Fatalf("%q would be replaced", a)
		}
		out[i] = strings.ReplaceAll(plain, "\x00", "$")
	}
	return out
}

// hostilePlans are plans of one node in which every text is s.
func hostilePlans(s string) []*Plan {
	lines := []string{s}
	card := GPU{Vendor: "nvidia", Name: s, Product: s}
	hub := Model{Hub: s, Revision: s, File: s, License: s}
	return []*Plan{
		{
			Header: lines, Edit: lines, Model: hub, Engine: "vllm", Version: "0.23.0", GPUsPerNode: 1, GPU: card, ServedName: s, DType: s,
			Speculative: Speculative{Method: "eagle", Model: s, Tokens: 2}, Replicas: 2,
		},
		{
			Header: lines, Model: Model{Path: s}, Engine: "sglang", Version: "0.5.6", GPUsPerNode: 1, GPU: card, ServedName: s, DType: s,
			Speculative: Speculative{Method: "eagle", Model: s, Tokens: 2},
		},
		{Header: lines, Model: hub, Engine: "llama.cpp", Version: "0.5.0", GPUsPerNode: 1, GPU: card, ServedName: s, MaxModelLen: 10},
		{Header: lines, Model: Model{Path: s, License: s}, Engine: "llama.cpp", Version: "b7000", GPU: GPU{Vendor: "none"}, ServedName: s, MaxModelLen: 10},
	}
}

// checkShell is one half of the law of this package: whatever texts a plan holds, a shell gives the engine exactly these.
func checkShell(t testing.TB, sh shell, s string) {
	t.Helper()
	for _, p := range hostilePlans(s) {
		script, err := Bytes(p.engine().format, p)
		if errors.Is(err, ErrPlan) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		want, err := given(p.filled(), place{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, sh.run(t, script)); diff != "" {
			t.Fatalf("%q in a shell (-want +got):\n%s\n%s", s, diff, script)
		}
	}
}

// checkYAML is the other: readers find exactly the objects that were written, with exactly these texts.
func checkYAML(t testing.TB, schema *jsonschema.Schema, s string) {
	t.Helper()
	for _, p := range hostilePlans(s) {
		if _, err := Bytes(p.engine().format, p); errors.Is(err, ErrPlan) {
			continue
		}
		p = p.filled()
		want, err := given(p, place{container: true})
		if err != nil {
			t.Fatal(err)
		}
		checkHostilePod(t, p, want)
		checkHostileCompose(t, p, want)
		if p.Engine == "vllm" {
			checkHostileHelm(t, p, schema)
		}
	}
}

func checkHostilePod(t testing.TB, p *Plan, want []string) {
	t.Helper()
	data, err := Bytes("kubernetes", p)
	if err != nil {
		t.Fatal(err)
	}
	o, err := decode(data)
	if err != nil || o.deployment == nil || o.claim == nil || o.service == nil {
		t.Fatalf("%v: %+v\n%s", err, o, data)
	}
	c := o.deployment.Spec.Template.Spec.Containers[0]
	command := c.Command
	if len(command) == 0 {
		command = p.engine().program(p)
	}
	if diff := cmp.Diff(want, expanded(t, slices.Concat(command, c.Args))); diff != "" {
		t.Fatalf("in a pod (-want +got):\n%s\n%s", diff, data)
	}
	if got := o.deployment.Annotations["llmcheck/model"]; got != p.Model.name() {
		t.Fatalf("annotation %q, want %q", got, p.Model.name())
	}
	for _, name := range []string{o.deployment.Name, o.service.Name, o.claim.Name} {
		if faults := validation.IsDNS1035Label(name); len(faults) > 0 {
			t.Fatalf("name %q of %q: %v", name, p.Model.name(), faults)
		}
	}
	for key, value := range o.deployment.Labels {
		if faults := slices.Concat(validation.IsQualifiedName(key), validation.IsValidLabelValue(value)); len(faults) > 0 {
			t.Fatalf("label %s=%q: %v", key, value, faults)
		}
	}
}

func checkHostileCompose(t testing.TB, p *Plan, want []string) {
	t.Helper()
	data, err := Bytes("compose", p)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := composeFile(data)
	if err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	services, _ := doc["services"].(map[string]any)
	if len(services) != p.copies() {
		t.Fatalf("%d services, want %d", len(services), p.copies())
	}
	for _, name := range slices.Sorted(maps.Keys(services)) {
		service, _ := services[name].(map[string]any)
		got := slices.Concat(texts(service["entrypoint"]), texts(service["command"]))
		if len(texts(service["entrypoint"])) == 0 {
			got = slices.Concat(p.engine().program(p), got)
		}
		if diff := cmp.Diff(want, expanded(t, got)); diff != "" {
			t.Fatalf("in compose (-want +got):\n%s\n%s", diff, data)
		}
	}
}

func checkHostileHelm(t testing.TB, p *Plan, schema *jsonschema.Schema) {
	t.Helper()
	data, err := Bytes("helm-values", p)
	if err != nil {
		t.Fatal(err)
	}
	var doc map[string]any
	if err := unmarshal(data, &doc); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	if err := schema.Validate(doc); err != nil {
		t.Fatalf("%v\n%s", err, data)
	}
	engine, _ := doc["servingEngineSpec"].(map[string]any)
	specs, _ := engine["modelSpec"].([]any)
	spec, _ := specs[0].(map[string]any)
	url, _ := spec["modelURL"].(string)
	if got := expanded(t, []string{url}); got[0] != p.Model.Hub {
		t.Fatalf("model %q, want %q", got[0], p.Model.Hub)
	}
	config, _ := spec["vllmConfig"].(map[string]any)
	args := expanded(t, texts(config["extraArgs"]))
	for _, want := range []string{p.Model.Revision, p.ServedName, p.DType} {
		if !slices.Contains(args, want) {
			t.Fatalf("%q is not among %q", want, args)
		}
	}
}

func texts(v any) []string {
	var out []string
	list, _ := v.([]any)
	for _, e := range list {
		s, _ := e.(string)
		out = append(out, s)
	}
	return out
}

func TestHostileTexts(t *testing.T) {
	schema := helmSchema(t)
	for _, s := range hostile {
		checkYAML(t, schema, s)
	}
}

func TestHostileTextsInShell(t *testing.T) {
	sh := newShell(t)
	for _, s := range hostile {
		checkShell(t, sh, s)
	}
}

func FuzzYAML(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	schema := helmSchema(f)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 1024 {
			checkYAML(t, schema, s)
		}
	})
}

func FuzzShell(f *testing.F) {
	for _, s := range hostile {
		f.Add(s)
	}
	sh := newShell(f)
	f.Fuzz(func(t *testing.T, s string) {
		if len(s) < 1024 {
			checkShell(t, sh, s)
		}
	})
}

// TestClusterScripts runs the scripts of several nodes as every node would.
func TestClusterScripts(t *testing.T) {
	sh := newShell(t)
	for _, tt := range []struct{ plan, format, rank, want string }{
		{"nodes", "vllm", "0", "--nnodes 2 --node-rank 0 --master-addr 10.0.0.1"},
		{"nodes", "vllm", "1", "--nnodes 2 --node-rank 1 --master-addr 10.0.0.1 --headless"},
		{"dep16", "vllm", "0", "--data-parallel-size-local 8 --data-parallel-address 10.0.0.1 --data-parallel-rpc-port 13345"},
		{"dep16", "vllm", "1", "--data-parallel-rpc-port 13345 --headless --data-parallel-start-rank 8"},
		{"nodes-sglang", "sglang", "1", "--nnodes 2 --node-rank 1 --dist-init-addr 10.0.0.1:20000"},
		{"nodes-ray", "vllm", "0", "--distributed-executor-backend ray"},
		{"nodes-ray", "vllm", "1", "ray start --address=10.0.0.1:6379 --block"},
	} {
		script, err := Bytes(tt.format, plans()[tt.plan])
		if err != nil {
			t.Fatal(err)
		}
		got := strings.Join(sh.run(t, script, "NODE_RANK="+tt.rank, "HEAD_ADDR=10.0.0.1"), " ")
		if !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s on node %s: %s\nwant at its end %s", tt.plan, tt.rank, got, tt.want)
		}
	}
}

// TestWorkerPod runs the command of a pod that computes its first rank, as the kubelet would hand it on.
func TestWorkerPod(t *testing.T) {
	sh := newShell(t)
	data, err := Bytes("kubernetes", plans()["dep16"])
	if err != nil {
		t.Fatal(err)
	}
	o, err := decode(data)
	if err != nil {
		t.Fatal(err)
	}
	c := o.pods()[1].Spec.Containers[0]
	var line strings.Builder
	for _, a := range slices.Concat(c.Command, c.Args) {
		a = strings.ReplaceAll(strings.ReplaceAll(a, "$(LWS_LEADER_ADDRESS)", "head"), "$(LWS_WORKER_INDEX)", "1")
		line.WriteString(quote(strings.ReplaceAll(a, "$$", "$")) + " ")
	}
	got := strings.Join(sh.run(t, []byte(line.String()), "LWS_WORKER_INDEX=1"), " ")
	const want = "--data-parallel-address head --data-parallel-rpc-port 13345 --headless --data-parallel-start-rank 8"
	if !strings.HasPrefix(got, "vllm serve deepseek-ai/DeepSeek-V3 ") || !strings.HasSuffix(got, want) {
		t.Errorf("got %s\nwant at its end %s", got, want)
	}
}
