package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// examples are the lines that the help of every command shows, found as a reader finds them: by asking for it.
func examples(t *testing.T, command ...string) []string {
	t.Helper()
	text, _ := says(t, t.TempDir(), append(command, "--help")...)
	var lines []string
	_, shown, _ := strings.Cut(text, "\nExamples:\n")
	for line := range strings.Lines(shown) {
		if strings.TrimSpace(line) == "" {
			break
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	_, list, _ := strings.Cut(text, "\nAvailable Commands:\n")
	for line := range strings.Lines(list) {
		words := strings.Fields(line)
		if len(words) == 0 {
			break
		}
		if words[0] != "help" && words[0] != "completion" {
			lines = append(lines, examples(t, append(command, words[0])...)...)
		}
	}
	return lines
}

// topicExamples are the lines of the help topics that are commands.
func topicExamples(t *testing.T) []string {
	t.Helper()
	dir := t.TempDir()
	text, _ := says(t, dir, "--help")
	_, list, ok := strings.Cut(text, "\nAdditional help topics:\n")
	if !ok {
		t.Fatalf("help names no topics:\n%s", text)
	}
	var lines []string
	for line := range strings.Lines(list) {
		words := strings.Fields(line)
		if len(words) < 2 {
			break
		}
		page, _ := says(t, dir, "help", words[1])
		for line := range strings.Lines(page) {
			if strings.HasPrefix(line, "  llmcheck ") {
				lines = append(lines, strings.TrimSpace(line))
			}
		}
	}
	return lines
}

// says runs the program in a folder, without a network, and returns what it prints and its status.
func says(t *testing.T, dir string, args ...string) (printed string, status int) {
	t.Helper()
	return ran(t, dir, exec.CommandContext(t.Context(), os.Args[0], args...))
}

func ran(t *testing.T, dir string, cmd *exec.Cmd) (printed string, status int) {
	t.Helper()
	bin := filepath.Join(dir, ".bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(bin, "llmcheck"+filepath.Ext(exe))
	if err := os.Symlink(exe, name); err != nil && !os.IsExist(err) {
		t.Skip("no links here: ", err)
	}
	if cmd.Args[0] == os.Args[0] {
		cmd.Path, cmd.Args[0] = name, "llmcheck"
	}
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"), "HOME="+dir, "XDG_CACHE_HOME="+dir, "XDG_CONFIG_HOME="+dir,
		"HF_ENDPOINT=http://127.0.0.1:9", "NO_PROXY=*", "COLUMNS=100", "NO_COLOR=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// record is a license of a company's own.
const record = `id: acme
name: ACME Internal License
class: proprietary
source: {title: legal department, checked: "2026-11-24"}
read: whole
grants:
  product: {permission: yes, clause: {section: "1"}}
copyleft: {reach: none}
patent: {grant: unknown}
`

// benchmark is what a benchmark program writes, with invented figures.
func benchmark(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "internal", "bench", "testdata", "invented", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// Every line that help shows as an example runs, in the order shown, and is answered: with what it speaks of beside it,
// and without a network.
func TestExamples(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("the examples are for a POSIX shell")
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"my-model/README.md": "---\nlicense: apache-2.0\n---\n# A model\n",
		"models.yaml":        "models:\n  - ref: license:mit\n",
		"company.yaml":       "purpose: product\nshipping: [hosted]\n",
		"licenses/acme.yaml": record, "catalog/licenses/acme.yaml": record,
		"result.json": benchmark(t, "vllm-serve.json"), "llama-bench.json": benchmark(t, "llama-bench.json"),
	} {
		file := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	lines := examples(t)
	if len(lines) < 12 {
		t.Fatalf("%d examples in help, want at least 12: %q", len(lines), lines)
	}
	topics := topicExamples(t)
	if len(topics) < 12 {
		t.Fatalf("%d examples in help topics, want at least 12: %q", len(topics), topics)
	}
	for _, line := range append(lines, topics...) {
		printed, status := ran(t, dir, exec.CommandContext(t.Context(), "sh", "-c", line))
		if status != 0 && status != 3 && status != 4 {
			t.Errorf("%s\nends with status %d, want an answer:\n%s", line, status, printed)
		}
	}
}

// Who reads only the beginning of an answer hears no more of it: no panic, no endless wait.
func TestClosedPipe(t *testing.T) {
	if _, err := exec.LookPath("sh"); err != nil {
		t.Skip("no POSIX shell")
	}
	printed, _ := ran(t, t.TempDir(), exec.CommandContext(t.Context(), "sh", "-c",
		"llmcheck estimate Qwen/Qwen3-32B --offline --gpu all --explain --format json | head -c 10 >/dev/null; llmcheck catalog models | true; exec 1>&-; llmcheck estimate Qwen/Qwen3-32B --offline"))
	if strings.Contains(printed, "panic") || strings.Contains(printed, "goroutine ") {
		t.Errorf("printed %s", printed)
	}
}
